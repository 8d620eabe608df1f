"""The catalogue's SQL index (SQLAlchemy 2, SQLite): products, versions, files, inputs.

The manifests are the truth; the index only answers questions. Where it is lost, damaged or behind, it is
made again.
"""

import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, ForeignKey, create_engine, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from sqlalchemy.pool import NullPool

from pipelines.catalogue.files import PARTIAL_SUFFIX
from pipelines.catalogue.manifest import Product

INDEX_NAME: Final = "index.sqlite"
LAYOUT: Final = 1  # PRAGMA user_version; another layout is made again from the manifests


class Base(DeclarativeBase):
    """Declarative base of the index."""


class ProductRow(Base):
    """A product: what its versions have in common."""

    __tablename__ = "products"
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    versions: Mapped[list["VersionRow"]] = relationship(
        back_populates="product", cascade="all, delete-orphan"
    )


class VersionRow(Base):
    """One immutable version."""

    __tablename__ = "versions"
    product_id: Mapped[str] = mapped_column(ForeignKey("products.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    frame: Mapped[str]
    epoch: Mapped[str]
    settings_sha256: Mapped[str]
    code_version: Mapped[str]
    classification: Mapped[str]
    licence: Mapped[str]
    product: Mapped[ProductRow] = relationship(back_populates="versions")


class FileRow(Base):
    """A file of a version."""

    __tablename__ = "files"
    product_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(index=True)
    size_bytes: Mapped[int]


class InputRow(Base):
    """A file that a version rests on."""

    __tablename__ = "inputs"
    product_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(primary_key=True, index=True)


def _engine(path: Path) -> Engine:
    return create_engine(f"sqlite:///{path}", poolclass=NullPool)


def indexed_versions(path: Path) -> set[tuple[str, int]] | None:
    """Versions that an index knows, or None where there is no sound index of this layout."""
    if not path.is_file():
        return None
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            (layout,) = connection.execute("PRAGMA user_version").fetchone()
            rows = connection.execute("SELECT product_id, version FROM versions").fetchall()
    except sqlite3.DatabaseError:
        return None
    finally:
        if "connection" in locals():
            connection.close()
    return {(str(name), int(version)) for name, version in rows} if layout == LAYOUT else None


def add_to_index(path: Path, products: Iterable[Product]) -> None:
    """Add versions to an index in one transaction. Called by the holder of the publisher's lock."""
    engine = _engine(path)
    try:
        with Session(engine) as session:
            for product in products:
                _add(session, product)
            session.commit()
    except DatabaseError as error:
        raise OSError(f"{path}: the index cannot be written: {error.orig}") from None
    finally:
        engine.dispose()


def rebuild_index(path: Path, products: Iterable[Product]) -> None:
    """Make the index anew beside the old one, then put it in its place."""
    partial = path.with_name(f".{path.name}.{os.getpid()}{PARTIAL_SUFFIX}")
    partial.unlink(missing_ok=True)
    engine = _engine(partial)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"PRAGMA user_version = {LAYOUT}")
            Base.metadata.create_all(connection)
    except DatabaseError as error:
        partial.unlink(missing_ok=True)
        raise OSError(f"{path}: the index cannot be written: {error.orig}") from None
    finally:
        engine.dispose()
    add_to_index(partial, products)
    os.replace(partial, path)  # noqa: PTH105 - the one name by which the guarantee is known


def products_with_input(path: Path, sha256: str) -> list[tuple[str, int]]:
    """Versions that rest on the file with this sha256."""
    engine = _engine(path)
    try:
        with Session(engine) as session:
            query = select(InputRow.product_id, InputRow.version).where(InputRow.sha256 == sha256)
            return [(name, version) for name, version in session.execute(query.order_by(InputRow.product_id))]
    finally:
        engine.dispose()


def _add(session: Session, product: Product) -> None:
    description = product.description
    if session.get(ProductRow, description.id) is None:
        session.add(ProductRow(id=description.id, kind=description.kind))
    key = {"product_id": description.id, "version": product.version}
    session.add(
        VersionRow(
            **key,
            frame=description.frame,
            epoch=description.epoch,
            settings_sha256=description.settings_sha256,
            code_version=description.code_version,
            classification=description.classification,
            licence=description.licence,
        )
    )
    for item in product.files:
        session.add(FileRow(**key, name=item.name, sha256=item.sha256, size_bytes=item.size_bytes))
    for source in sorted(set(description.inputs)):
        session.add(InputRow(**key, name=source.name, sha256=source.sha256))
