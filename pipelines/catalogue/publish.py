"""Publishing into a catalogue, and reading and verifying what was published."""

import os
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pipelines.catalogue.files import (
    PARTIAL_SUFFIX,
    READ_ONLY_FILE,
    publisher_lock,
    refused_as_catalogue_error,
    sha256_of_file,
    sync_folder,
    write_atomically,
)
from pipelines.catalogue.index import INDEX_NAME, add_to_index, indexed_versions, rebuild_index
from pipelines.catalogue.manifest import (
    MANIFEST_NAME,
    Product,
    ProductDescription,
    ProductFile,
    check_name,
    manifest_bytes,
    read_manifest,
    version_name,
)
from pipelines.catalogue.store import ObjectStore
from transforms.errors import CatalogueError, InputError

PRODUCT_ID: Final = re.compile(r"^[a-z0-9][a-z0-9._-]{0,95}$")
_VERSION_FOLDER: Final = re.compile(r"^v(\d{4,})$")


@dataclass(frozen=True)
class Publication:
    """What publishing came to: the version, its folder, and whether it is new."""

    product: Product
    folder: Path
    created: bool


@dataclass(frozen=True)
class Catalogue:
    """A catalogue folder."""

    folder: Path

    @property
    def store(self) -> ObjectStore:
        """Its content-addressed files."""
        return ObjectStore(self.folder / "objects")

    @property
    def index_path(self) -> Path:
        """Its SQL index."""
        return self.folder / INDEX_NAME

    def version_folder(self, product_id: str, version: int) -> Path:
        """Where a version's files lie under their own names."""
        return self.folder / "products" / product_id / version_name(version)

    def versions(self) -> list[tuple[str, int]]:
        """Every published version, by id and number, as the folders say."""
        found: list[tuple[str, int]] = []
        products = self.folder / "products"
        if not products.is_dir():
            return found
        for folder in products.iterdir():
            if folder.is_dir() and PRODUCT_ID.match(folder.name):
                matches = (_VERSION_FOLDER.match(child.name) for child in folder.iterdir())
                found.extend((folder.name, int(match[1])) for match in matches if match)
        return sorted(found)

    def read(self, product_id: str, version: int | None = None) -> Product:
        """A version's manifest; the latest where no version is named. CatalogueError where there is none."""
        if not self.folder.is_dir():
            raise CatalogueError(f"{self.folder}: there is no catalogue here")
        known = [number for name, number in self.versions() if name == product_id]
        if not known:
            names = ", ".join(sorted({name for name, _ in self.versions()})) or "none"
            raise CatalogueError(f'{self.folder}: no product "{product_id}" (there: {names})')
        number = known[-1] if version is None else version
        if number not in known:
            raise CatalogueError(
                f'{self.folder}: "{product_id}" has no version {number} (latest: {known[-1]})'
            )
        product = read_manifest(self.version_folder(product_id, number) / MANIFEST_NAME)
        if (product.description.id, product.version) != (product_id, number):
            raise CatalogueError(
                f"{self.version_folder(product_id, number)}: its manifest speaks of {product.name}"
            )
        return product

    def products(self) -> list[Product]:
        """Every published version's manifest."""
        return [self.read(name, number) for name, number in self.versions()]

    def publish(self, description: ProductDescription, source: Path) -> Publication:
        """Publish a folder's files as the next version of a product.

        Identical content (files and description) is not published twice: the latest version is returned with
        `created` False. A process killed anywhere in here leaves the catalogue as it was, apart from files
        that the next publication uses or removes.

        Raises InputError for an unusable id or folder, CatalogueError where the catalogue cannot be written.
        """
        files = _files_of(source)
        description = replace(description, inputs=tuple(sorted(set(description.inputs))))
        if not PRODUCT_ID.match(description.id):
            raise InputError(f'"{description.id}" is no product id: lower-case letters, digits, . _ -')
        with refused_as_catalogue_error(f"{self.folder}: the catalogue cannot be written"):
            self.folder.mkdir(parents=True, exist_ok=True)
            with publisher_lock(self.folder):
                self._remove_remains()
                self.refresh_index()
                latest = max((n for name, n in self.versions() if name == description.id), default=0)
                product = Product(description, latest + 1, files)
                if latest and self.read(description.id, latest).same_content(product):
                    existing = self.read(description.id, latest)
                    return Publication(existing, self.version_folder(description.id, latest), created=False)
                folder = self._write_version(product, source)
                add_to_index(self.index_path, [product])
        return Publication(product, folder, created=True)

    def refresh_index(self) -> None:
        """Make the index anew where it is lost, damaged or behind the manifests."""
        if indexed_versions(self.index_path) != set(self.versions()):
            rebuild_index(self.index_path, self.products())

    def verify(self) -> list[str]:
        """Check every file of every version against its sha256; returns what is wrong, in words."""
        if not self.folder.is_dir():
            raise CatalogueError(f"{self.folder}: there is no catalogue here")
        wrong: list[str] = []
        checked: dict[str, str | None] = {}
        for name, number in self.versions():
            try:
                product = self.read(name, number)
            except CatalogueError as error:
                wrong.append(str(error))
                continue
            folder = self.version_folder(name, number)
            for item in product.files:
                if item.sha256 not in checked:
                    checked[item.sha256] = self.store.damage(item.sha256)
                    wrong.extend(text for text in [checked[item.sha256]] if text)
                path = folder / item.name
                if not path.is_file():
                    wrong.append(f"{path}: missing")
                elif sha256_of_file(path) != item.sha256:
                    wrong.append(f"{path}: changed since it was published")
        return wrong

    def _write_version(self, product: Product, source: Path) -> Path:
        folder = self.version_folder(product.description.id, product.version)
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = folder.with_name(f".{folder.name}.{os.getpid()}{PARTIAL_SUFFIX}")
        partial.mkdir()
        for item in product.files:
            self.store.put(source / item.name, item.sha256)
            self.store.link(item.sha256, partial / item.name)
        write_atomically(partial / MANIFEST_NAME, manifest_bytes(product))
        (partial / MANIFEST_NAME).chmod(READ_ONLY_FILE)
        os.rename(partial, folder)  # noqa: PTH104 - the moment of publication
        sync_folder(folder.parent)
        return folder

    def _remove_remains(self) -> None:
        """Remove what killed publishers left behind. Safe under the lock: nobody else is writing."""
        for top in (self.folder / "products", self.folder / "objects"):
            if top.is_dir():
                for remains in top.glob(f"*/.*{PARTIAL_SUFFIX}"):
                    if remains.is_dir():
                        shutil.rmtree(remains)
                    else:
                        remains.unlink()
        for remains in self.folder.glob(f".*{PARTIAL_SUFFIX}*"):
            remains.unlink()


def _files_of(source: Path) -> tuple[ProductFile, ...]:
    if not source.is_dir():
        raise InputError(f"{source}: there is no such folder to publish")
    files: list[ProductFile] = []
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source).as_posix()
        if path.is_dir() and not path.is_symlink():
            continue
        if path.is_symlink() or not path.is_file():
            raise InputError(f"{path}: only plain files can be published")
        try:
            check_name(name)
        except ValueError as error:
            raise InputError(f"{source}: {error}") from None
        files.append(ProductFile(name, sha256_of_file(path), path.stat().st_size))
    if not files:
        raise InputError(f"{source}: the folder holds no file to publish")
    return tuple(sorted(files))
