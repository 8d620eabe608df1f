"""`jizhun station report`: one station's solution as a page with pictures."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.terminal import JsonOption, say, waiting, write_json


class ReportAmbiguities(StrEnum):
    """Values of --ambiguities."""

    FLOAT = "float"
    FIX = "fix"


def report(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="RINEX observation files of one station, compressed or not."),
    ],
    products: Annotated[
        list[Path],
        typer.Option(
            help="Folder or file with SP3, CLK, ERP, BIA, found by content and date; may be repeated."
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="HTML", help="The report to write: one file, no network.")],
    centre: Annotated[str | None, typer.Option(help="Analysis centre to take, such as GRG.")] = None,
    allow_mixed_products: Annotated[
        bool, typer.Option("--allow-mixed-products", help="Accept products of several centres together.")
    ] = False,
    systems: Annotated[str, typer.Option(help="Letters of the systems to use: G, E, C, J.")] = "GEC",
    ambiguities: Annotated[
        ReportAmbiguities, typer.Option(help="Leave ambiguities real, or fix them.")
    ] = ReportAmbiguities.FLOAT,
    interval: Annotated[
        float | None,
        typer.Option(metavar="S", min=0.05, max=3600.0, help="Interval of the epochs used, seconds."),
    ] = None,
    antex: Annotated[
        list[Path] | None,
        typer.Option(help="ANTEX file; may be repeated, the first with the antenna serves."),
    ] = None,
    ocean_loading: Annotated[
        Path | None, typer.Option(help="Ocean loading coefficients, BLQ format.")
    ] = None,
    allow_missing_antenna: Annotated[
        bool,
        typer.Option(
            "--allow-missing-antenna",
            help="Go on without a calibration of the receiver antenna: up to 2 dm in height.",
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Solve a station and show it: residuals, sky plots, zenith delay, convergence, rejections.

    Example: jizhun station report BOR1*.crx.gz --products products/ --antex igs20.atx --out BOR1.html
    """
    import time

    from pipelines.solution_json import solution_contract
    from pipelines.station_report import report_files
    from pipelines.station_solve import SolveRequest

    unknown = sorted(set(systems) - set("GECJ"))
    if unknown or not systems:
        raise typer.BadParameter(
            f'systems are letters out of "GECJ", not "{systems}"', param_hint="--systems"
        )
    request = SolveRequest(
        files=tuple(files),
        products=tuple(products),
        centre=centre,
        allow_mixed_products=allow_mixed_products,
        systems=systems,
        ambiguities="fix" if ambiguities is ReportAmbiguities.FIX else "float",
        mode="static",
        interval_s=interval,
        allow_missing_antenna=allow_missing_antenna,
        antex=tuple(antex or ()),
        ocean_loading=ocean_loading,
    )
    began = time.monotonic()
    with waiting(f"solving {', '.join(path.name for path in files)}"):
        solution = report_files(request, out)
    say(f"wrote {out}")
    if json:
        write_json(solution_contract(solution, time.monotonic() - began))
