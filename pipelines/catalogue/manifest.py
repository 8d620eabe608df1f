"""The manifest of a product version: canonical JSON that says what it is, of what and on which terms."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from transforms.errors import CatalogueError

MANIFEST_NAME: Final = "manifest.json"
MANIFEST_FORMAT: Final = "jizhun-manifest-1"
_HEX_LENGTH: Final = 64


@dataclass(frozen=True, order=True)
class ProductFile:
    """A file of a product: its name (POSIX, relative), sha256 and size in bytes."""

    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, order=True)
class ProductInput:
    """A file that a product rests on: its name without this machine's folders, and its sha256."""

    name: str
    sha256: str


@dataclass(frozen=True)
class ProductDescription:
    """What a publisher says of a product, apart from its files and its version.

    id : "delta.horizontal"; kind : "horizontal", "height", "gravity", "local datum", "report", "files"
    frame : reference frame or vertical datum in words; epoch : ISO instant, or "" where the product has none
    settings_sha256 : of the settings that made it; code_version : of Jizhun
    settings : those settings as `canonical_json`, whose sha256 that is, or "" where a product has none
    simulated : whether the observations behind it are
    """

    id: str
    kind: str
    frame: str
    epoch: str
    inputs: tuple[ProductInput, ...]
    settings_sha256: str
    code_version: str
    classification: str
    licence: str
    settings: str = ""
    simulated: bool = False


@dataclass(frozen=True)
class Product:
    """One immutable version of a product."""

    description: ProductDescription
    version: int
    files: tuple[ProductFile, ...]

    @property
    def name(self) -> str:
        """Id and version, "delta.horizontal v0003"."""
        return f"{self.description.id} {version_name(self.version)}"

    def same_content(self, other: "Product") -> bool:
        """Whether two products differ in nothing but the version."""
        return self.description == other.description and self.files == other.files


def version_name(version: int) -> str:
    """Folder name of a version, "v0001"."""
    return f"v{version:04d}"


def canonical_json(content: object) -> str:
    """JSON in one line with sorted keys and ASCII alone: the same bytes for the same content."""
    return json.dumps(content, sort_keys=True, ensure_ascii=True, allow_nan=False)


def manifest_bytes(product: Product) -> bytes:
    """Canonical JSON: sorted keys, two spaces, UTF-8, newline at the end."""
    described = asdict(product.description)
    described["settings"] = json.loads(described["settings"]) if described["settings"] else None
    content = {
        "format": MANIFEST_FORMAT,
        "version": product.version,
        "product": described,
        "files": [asdict(item) for item in product.files],
    }
    text = json.dumps(content, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()


def read_manifest(path: Path) -> Product:
    """Read and check a manifest; raises CatalogueError where it is missing or not what a publisher wrote."""
    try:
        content = json.loads(path.read_bytes().decode())
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise CatalogueError(f"{path}: damaged, not JSON: {error}") from None
    try:
        product = _product_from(content)
    except (KeyError, TypeError, ValueError) as error:
        raise CatalogueError(f"{path}: damaged, not a manifest of a product: {error}") from None
    return product


def _product_from(content: Mapping[str, Any]) -> Product:
    if content["format"] != MANIFEST_FORMAT:
        raise ValueError(f'its format is "{content["format"]}", and this Jizhun reads "{MANIFEST_FORMAT}"')
    described = dict(content["product"])
    described["inputs"] = tuple(ProductInput(**item) for item in described["inputs"])
    # Manifests of earlier versions hold neither the settings nor the mark of a simulation.
    settings = described.get("settings")
    described["settings"] = "" if settings is None else canonical_json(settings)
    if settings is not None:
        found = hashlib.sha256(described["settings"].encode()).hexdigest()
        if found != described["settings_sha256"]:
            raise ValueError(f"its settings have the sha256 {found}, not {described['settings_sha256']}")
    files = tuple(ProductFile(**item) for item in content["files"])
    for item in files:
        check_name(item.name)
        if len(item.sha256) != _HEX_LENGTH:
            raise ValueError(f"{item.name}: its sha256 has {len(item.sha256)} digits")
    version = content["version"]
    if not isinstance(version, int) or version < 1:
        raise ValueError(f"version {version!r}")
    return Product(ProductDescription(**described), version, files)


def check_name(name: str) -> None:
    """Refuse names that leave the product's folder or that the catalogue uses itself; raises ValueError."""
    parts = PurePosixPath(name).parts
    if not parts or PurePosixPath(name).is_absolute() or any(part.startswith(".") for part in parts):
        raise ValueError(f'"{name}" cannot be the name of a published file')
    if name == MANIFEST_NAME:
        raise ValueError(f'"{MANIFEST_NAME}" is the name of the catalogue\'s own file')
