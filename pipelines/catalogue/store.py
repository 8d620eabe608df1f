"""Content-addressed files: each stored once, under its sha256."""

import os
from dataclasses import dataclass
from pathlib import Path

from pipelines.catalogue.files import copy_atomically, sha256_of_file, sync_folder
from transforms.errors import CatalogueError


@dataclass(frozen=True)
class ObjectStore:
    """The `objects/` folder of a catalogue."""

    folder: Path

    def path_of(self, sha256: str) -> Path:
        """Where the file with this sha256 lies or would lie; two levels keep folders small."""
        return self.folder / sha256[:2] / sha256[2:]

    def put(self, source: Path, sha256: str) -> Path:
        """Store a file unless it is there already; returns its place."""
        target = self.path_of(sha256)
        if not target.exists():
            copy_atomically(source, target, sha256)
        elif damage := self.damage(sha256):
            raise CatalogueError(f"{damage}; nothing was published")
        return target

    def link(self, sha256: str, target: Path) -> None:
        """Give a stored file a name of its own: a hard link, or a copy where the file system has none."""
        source = self.path_of(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, target)
        except OSError:
            copy_atomically(source, target, sha256)
        sync_folder(target.parent)

    def damage(self, sha256: str) -> str | None:
        """What is wrong with a stored file, in words, or None."""
        path = self.path_of(sha256)
        if not path.is_file():
            return f"{path}: missing"
        found = sha256_of_file(path)
        return None if found == sha256 else f"{path}: damaged, its sha256 is now {found}"
