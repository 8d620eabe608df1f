"""`jizhun`: the map of the product, and the one place where an error becomes a line and an exit code.

Exit codes: 0 done, 1 failed (bad input, nothing published), 2 wrong usage, 130 interrupted.
"""

import os
import sys
from typing import Annotated, Final

import typer

from pipelines.cli import catalogue, frame, gravity, height, network, region, rinex, site, station
from transforms.errors import JizhunError

EXIT_FAILED: Final = 1
EXIT_INTERRUPTED: Final = 130  # 128 + SIGINT, as shells have it

app = typer.Typer(
    name="jizhun",
    help="Jizhun 基准: from RINEX of BeiDou-3 reference stations to unified horizontal, height and gravity "
    "reference products.\n\nStart with [bold]jizhun run sample_data/REGION.toml[/bold].",
    epilog="Every command has --help with an example, and --json for machines.",
    rich_markup_mode="rich",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
MAIN: Final = "The main job"
STAGES: Final = "The stages, one by one"
FILES: Final = "Files"
PRODUCTS: Final = "Products"

app.command("run", rich_help_panel=MAIN)(region.run)
app.command("simulate", rich_help_panel=MAIN)(region.simulate)
app.add_typer(station.app, name="station", rich_help_panel=STAGES)
app.add_typer(network.app, name="network", rich_help_panel=STAGES)
app.add_typer(frame.app, name="frame", rich_help_panel=STAGES)
app.add_typer(height.app, name="height", rich_help_panel=STAGES)
app.add_typer(gravity.app, name="gravity", rich_help_panel=STAGES)
app.add_typer(rinex.app, name="rinex", rich_help_panel=FILES)
app.add_typer(site.app, name="site", rich_help_panel=FILES)
app.command("publish", rich_help_panel=PRODUCTS)(catalogue.publish)
app.add_typer(catalogue.app, name="catalogue", rich_help_panel=PRODUCTS)


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        sys.stdout.write(f"jizhun {version('jizhun')}\n")
        raise typer.Exit


@app.callback()
def jizhun(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """The options of `jizhun` itself."""


def main() -> None:
    """Run the command line; an error that Jizhun knows is one line on standard error."""
    # One thread of linear algebra: the same bits on every machine, and no brawl between processes.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    try:
        app()
    except JizhunError as error:
        sys.stderr.write("jizhun: " + " ".join(str(error).split()) + "\n")
        sys.exit(EXIT_FAILED)
    except KeyboardInterrupt:
        sys.stderr.write("jizhun: interrupted; nothing half-done was published\n")
        sys.exit(EXIT_INTERRUPTED)
