"""Which code made a product: the distribution's version and a fingerprint of the sources themselves."""

import hashlib
from functools import cache, lru_cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Final

DISTRIBUTION: Final = "jizhun"
FINGERPRINT_DIGITS: Final = 12


@cache
def source_sha256(*names: str) -> str:
    """Sha256 over the Python sources of packages or modules, by path and content.

    A stage is computed again when a line of the code that it rests on has changed, released or not.
    """
    digest = hashlib.sha256()
    for name in sorted(names):
        origin = import_module(name).__file__
        if origin is None:
            raise ModuleNotFoundError(f"{name} has no source file")
        path = Path(origin)
        is_package = path.name == "__init__.py"
        root = path.parent
        for source in sorted(root.rglob("*.py")) if is_package else [path]:
            content = hashlib.sha256(source.read_bytes()).hexdigest()
            digest.update(f"{name} {source.relative_to(root).as_posix()} {content}\n".encode())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def code_version() -> str:
    """Version and fingerprint of all of Jizhun's computing code, "0.1.0+3f2a9c51b7d0".

    `flows` is left out on purpose: the engine that runs the stages does not change what they say.
    """
    fingerprint = source_sha256("transforms", "stations", "datum", "pipelines")[:FINGERPRINT_DIGITS]
    return f"{version(DISTRIBUTION)}+{fingerprint}"
