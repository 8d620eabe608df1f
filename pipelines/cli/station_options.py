"""Options that several commands on stations share, each declared once."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from pipelines.signal_choice import satellite_groups, signal_pairs
from pipelines.solvable_systems import SYSTEMS, solvable_systems


class Ambiguities(StrEnum):
    """Values of --ambiguities."""

    FLOAT = "float"
    FIX = "fix"


def _checked_systems(letters: str) -> str:
    try:
        return solvable_systems(letters)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _checked_signals(texts: list[str] | None) -> list[str] | None:
    try:
        signal_pairs(texts or (), SYSTEMS)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return texts


def signals_of_systems(texts: list[str] | None, systems: str) -> dict[str, tuple[tuple[str, str], ...]]:
    """The pairs of --signals; wrong usage where one is of a system that --systems does not name."""
    try:
        return signal_pairs(texts or (), systems)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="'--signals'") from None


def _checked_satellites(texts: list[str] | None) -> list[str] | None:
    try:
        satellite_groups(texts or ())
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return texts


FilesArgument = Annotated[
    list[Path],
    typer.Argument(metavar="FILE...", help="RINEX observation files of one station, compressed or not."),
]
ProductsOption = Annotated[
    list[Path],
    typer.Option(help="Folder or file with SP3, CLK, ERP, BIA, found by content and date; may be repeated."),
]
CentreOption = Annotated[
    str | None,
    typer.Option(
        help="Analysis centre to take throughout, GRG, or one of its series, CODMGXFIN; default: the best."
    ),
]
AllowMixedProductsOption = Annotated[
    bool, typer.Option("--allow-mixed-products", help="Accept products of several centres together.")
]
SystemsOption = Annotated[
    str,
    typer.Option(
        callback=_checked_systems,
        help="Letters of the systems to use, each once: G (GPS), R (GLONASS, its ambiguities always real), "
        "E (Galileo), C (BeiDou), J (QZSS).",
    ),
]
DEFAULT_SYSTEMS: Final = "GEC"
SignalsOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SYSTEM:A+B",
        callback=_checked_signals,
        help="Two signals, or bands, to use of a system: C:1P+5P, G:1C+2W, E:1+7; several between commas or "
        "repeated, of one system in the order of preference. Default: those of the clocks where tracked.",
    ),
]
ExcludeOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SATELLITES",
        callback=_checked_satellites,
        help="Satellites to leave out: G05, C01-C18 (BeiDou-2); several between commas or repeated.",
    ),
]
ElevationCutoffOption = Annotated[
    float,
    typer.Option(metavar="DEG", min=0.0, max=60.0, help="Lowest elevation used, degrees."),
]
DEFAULT_ELEVATION_CUTOFF_DEG: Final = 7.0
AmbiguitiesOption = Annotated[Ambiguities, typer.Option(help="Leave ambiguities real, or fix them.")]
IntervalOption = Annotated[
    float | None,
    typer.Option(metavar="S", min=0.05, max=3600.0, help="Interval of the epochs used, seconds."),
]
AntexOption = Annotated[
    list[Path] | None,
    typer.Option(help="ANTEX file; may be repeated, the first with the antenna serves."),
]
AllowMissingAntennaOption = Annotated[
    bool,
    typer.Option(
        "--allow-missing-antenna",
        help="Solve although no ANTEX file has the receiver's antenna; costs up to 2 dm in height.",
    ),
]
OceanLoadingOption = Annotated[Path | None, typer.Option(help="Ocean loading coefficients, BLQ format.")]
MappingFunctionsOption = Annotated[
    list[Path] | None,
    typer.Option(
        help="VMF1 or VMF3 of the day: site-wise file, or grids with their orography_ell; files or folders; "
        "may be repeated. Default: GPT and GMF, the season's average.",
    ),
]
