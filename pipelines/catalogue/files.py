"""Writing that survives a kill: temporary name, fsync, one rename; and hashing, and the publisher's lock."""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from transforms.errors import CatalogueError

PARTIAL_SUFFIX: Final = ".partial"
LOCK_NAME: Final = ".lock"
LOCK_PATIENCE_S: Final = 120.0  # publishing takes well under a second; two minutes mean a stuck publisher
LOCK_POLL_S: Final = 0.02
READ_ONLY_FILE: Final = 0o444
_CHUNK_BYTES: Final = 1 << 20


def sha256_of_file(path: Path) -> str:
    """Hexadecimal sha256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to the disk, so that a rename in it outlives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a whole file or nothing: temporary name in the same folder, fsync, replace."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}{PARTIAL_SUFFIX}")
    try:
        with partial.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(partial, path)  # noqa: PTH105 - the one name by which the guarantee is known
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def copy_atomically(source: Path, target: Path, expected_sha256: str) -> None:
    """Copy a file under a temporary name, check that its bytes are still the expected ones, then rename."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}{PARTIAL_SUFFIX}")
    digest = hashlib.sha256()
    try:
        with source.open("rb") as reader, partial.open("wb") as writer:
            while chunk := reader.read(_CHUNK_BYTES):
                digest.update(chunk)
                writer.write(chunk)
            writer.flush()
            os.fsync(writer.fileno())
        if digest.hexdigest() != expected_sha256:
            raise CatalogueError(f"{source}: changed while it was being published; publish again")
        partial.chmod(READ_ONLY_FILE)
        os.replace(partial, target)  # noqa: PTH105 - the one name by which the guarantee is known
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


@contextmanager
def refused_as_catalogue_error(what: str) -> Iterator[None]:
    """Turn the system's refusals (read-only, full, no such folder) into one clear CatalogueError."""
    try:
        yield
    except CatalogueError:
        raise
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        raise CatalogueError(f"{what}: {error.strerror or error}{place}; nothing was published") from error


@contextmanager
def publisher_lock(folder: Path, patience_s: float = LOCK_PATIENCE_S) -> Iterator[None]:
    """Be the only publisher of a catalogue. The kernel drops the lock when its holder dies."""
    with (folder / LOCK_NAME).open("a") as stream:
        deadline = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise CatalogueError(
                        f"{folder}: another process has been publishing for {patience_s:.0f} s; "
                        "nothing was published"
                    ) from None
                time.sleep(LOCK_POLL_S)
        yield
