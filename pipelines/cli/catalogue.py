"""`jizhun publish` and `jizhun catalogue`: products in, looked at, and checked."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.terminal import JsonOption, console, say, write_json

app = typer.Typer(help="The catalogue: what is published, and whether it is sound.", no_args_is_help=True)
CatalogueArgument = Annotated[Path, typer.Argument(metavar="CATALOGUE", help="Folder of the catalogue.")]


def publish(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder whose files are to be published.")],
    catalogue: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the catalogue; made where absent.")
    ],
    product: Annotated[str, typer.Option(metavar="ID", help="Product id: lower-case letters, digits, . _ -")],
    kind: Annotated[str, typer.Option(help="What the product is, in a word.")] = "files",
    frame: Annotated[str, typer.Option(help="Reference frame or vertical datum.")] = "",
    epoch: Annotated[str, typer.Option(help="Epoch of the product, ISO.")] = "",
    classification: Annotated[str, typer.Option(help="Who may see it.")] = "public",
    licence: Annotated[str, typer.Option(help="On which terms.")] = "CC-BY-4.0",
    json: JsonOption = False,
) -> None:
    """Publish a folder's files as the next version of a product.

    Identical content is not published twice; a kill at any moment leaves no half product.

    Example: jizhun publish network/ --catalogue /srv/catalogue --product delta.horizontal
    """
    from pipelines.catalogue.manifest import ProductDescription
    from pipelines.catalogue.publish import Catalogue
    from pipelines.code_version import code_version

    description = ProductDescription(
        id=product,
        kind=kind,
        frame=frame,
        epoch=epoch,
        inputs=(),
        settings_sha256="",
        code_version=code_version(),
        classification=classification,
        licence=licence,
    )
    publication = Catalogue(catalogue).publish(description, folder)
    if json:
        write_json(
            {
                "id": product,
                "version": publication.product.version,
                "created": publication.created,
                "folder": str(publication.folder),
                "files": {item.name: item.sha256 for item in publication.product.files},
            }
        )
    elif publication.created:
        say(f"published {publication.product.name}: {publication.folder}")
    else:
        say(f"unchanged: {publication.product.name} holds the same already: {publication.folder}")


@app.command("ls")
def list_products(catalogue: CatalogueArgument, json: JsonOption = False) -> None:
    """List every version of every product.

    Example: jizhun catalogue ls /srv/catalogue
    """
    from pipelines.catalogue.publish import Catalogue
    from transforms.errors import CatalogueError

    if not catalogue.is_dir():
        raise CatalogueError(f"{catalogue}: there is no catalogue here")
    products = Catalogue(catalogue).products()
    if json:
        write_json(
            {
                "products": [
                    {
                        "id": item.description.id,
                        "version": item.version,
                        "kind": item.description.kind,
                        "frame": item.description.frame,
                        "epoch": item.description.epoch,
                        "n_files": len(item.files),
                        "size_bytes": sum(file.size_bytes for file in item.files),
                        "classification": item.description.classification,
                        "licence": item.description.licence,
                    }
                    for item in products
                ]
            }
        )
        return
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("product", "version", "kind", "frame", "epoch", "files", "bytes", "classification"):
        table.add_column(title, justify="right" if title in ("version", "files", "bytes") else "left")
    for item in products:
        table.add_row(
            item.description.id,
            str(item.version),
            item.description.kind,
            item.description.frame,
            item.description.epoch,
            str(len(item.files)),
            str(sum(file.size_bytes for file in item.files)),
            item.description.classification,
        )
    console().print(table)


@app.command("show")
def show(
    catalogue: CatalogueArgument,
    product: Annotated[str, typer.Argument(metavar="ID", help="Product id.")],
    version: Annotated[int | None, typer.Option(min=1, help="Version; default: the latest.")] = None,
    json: JsonOption = False,
) -> None:
    """Show a version's manifest: files, inputs, settings, code, terms.

    Example: jizhun catalogue show /srv/catalogue delta.horizontal --version 2
    """
    from dataclasses import asdict

    from pipelines.catalogue.publish import Catalogue

    found = Catalogue(catalogue)
    item = found.read(product, version)
    folder = found.version_folder(product, item.version)
    if json:
        write_json({**asdict(item), "folder": str(folder)})
        return
    terminal = console()
    description = item.description
    terminal.print(
        f"{item.name}  ({description.kind})  {description.frame} {description.epoch}", markup=False
    )
    terminal.print(f"  {description.classification}, {description.licence}; code {description.code_version}")
    terminal.print(f"  folder {folder}", soft_wrap=True, markup=False)
    for file in item.files:
        terminal.print(f"  file   {file.sha256[:16]}  {file.size_bytes:>10}  {file.name}", markup=False)
    for source in description.inputs:
        terminal.print(f"  input  {source.sha256[:16]}              {source.name}", markup=False)


@app.command("verify")
def verify(catalogue: CatalogueArgument, json: JsonOption = False) -> None:
    """Check every published file, and every daily quality row, against its sha256.

    Example: jizhun catalogue verify /srv/catalogue
    """
    from pipelines.catalogue.publish import Catalogue
    from pipelines.quality_history import QualityHistory
    from transforms.errors import CatalogueError

    found = Catalogue(catalogue)
    wrong = found.verify() + QualityHistory(catalogue).damages()
    n_versions = len(found.versions())
    if json:
        write_json({"versions": n_versions, "wrong": wrong})
    else:
        for text in wrong:
            console().print(text, soft_wrap=True, markup=False)
    if wrong:
        raise CatalogueError(f"{catalogue}: {len(wrong)} files are missing or changed")
    if not json:
        say(f"{n_versions} versions are sound")
