"""`jizhun network compare`: the similarity between two solutions, and the stations that stand out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipelines.cli.terminal import JsonOption, console, say, write_json

if TYPE_CHECKING:
    from datum.network.comparison import NetworkComparison

_MOST_SHOWN: Final = 40
_RAD_TO_MAS: Final = 206_264_806.24709636


def compare(
    first: Annotated[
        Path, typer.Argument(metavar="A", help="SINEX, CSV, JSON, or results of gama-g3, DynAdjust.")
    ],
    second: Annotated[Path, typer.Argument(metavar="B", help="The solution to compare with it.")],
    parameters: Annotated[
        str, typer.Option(help="Of the similarity: translation,rotation,scale; none compares as they are.")
    ] = "translation,rotation,scale",
    robust: Annotated[
        bool, typer.Option("--robust/--no-robust", help="Keep stations that stand out out of the estimate.")
    ] = True,
    significance: Annotated[
        float, typer.Option(help="Probability that any station of clean solutions stands out.")
    ] = 0.01,
    frame: Annotated[
        str | None, typer.Option(help="Frame of files that do not name theirs, such as IGS20.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write differences and residuals of all stations.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Compare two solutions: Helmert parameters from A to B, residuals, and the stations that stand out.

    Example: jizhun network compare week1.snx week2.snx --json
    """
    from datum.formats.coordinate_sets import read_coordinate_set
    from datum.network.comparison import compare_networks
    from datum.network.constraints import DatumParameter

    words = [word.strip() for word in parameters.split(",") if word.strip() and word.strip() != "none"]
    try:
        estimated = tuple(DatumParameter(word) for word in words)
    except ValueError:
        raise typer.BadParameter(
            f'words out of {", ".join(DatumParameter)} or none, not "{parameters}"', param_hint="--parameters"
        ) from None
    if not 0.0 < significance < 1.0:
        raise typer.BadParameter(f"lies between 0 and 1, not {significance:g}", param_hint="--significance")
    result = compare_networks(
        read_coordinate_set(first, frame=frame),
        read_coordinate_set(second, frame=frame),
        estimated=estimated,
        robust=robust,
        significance=significance,
    )
    if csv is not None:
        _write_table(csv, result)
        say(f"wrote {csv}")
    if json:
        write_json(_content(result))
        return
    _show(result)


def _parameters(result: "NetworkComparison") -> list[tuple[str, float, float]]:
    """Name with unit, value and sigma of the seven parameters."""
    names = ("tx_mm", "ty_mm", "tz_mm", "scale_ppb", "rx_mas", "ry_mas", "rz_mas")
    units = (1e3, 1e3, 1e3, 1e9, _RAD_TO_MAS, _RAD_TO_MAS, _RAD_TO_MAS)
    return [
        (name, float(value) * unit, float(sigma) * unit)
        for name, unit, value, sigma in zip(names, units, result.parameters, result.sigma, strict=True)
    ]


def _millimetres(values: Any) -> list[float]:
    return [round(float(value) * 1e3, 3) for value in values]


def _content(result: "NetworkComparison") -> dict[str, Any]:
    ordered = sorted(result.stations, key=lambda s: (-s.statistic, s.station))
    return {
        "first": result.first.name,
        "second": result.second.name,
        "n_common": len(result.stations),
        "estimated": [parameter.value for parameter in result.estimated],
        "convention": "position vector",
        "parameters": {name: round(value, 4) for name, value, _ in _parameters(result)},
        "sigmas": {name: round(sigma, 4) for name, _, sigma in _parameters(result)},
        "shift_of_centre_enu_mm": _millimetres(result.shift_enu_m),
        "scatter_enu_mm": _millimetres(result.scatter_enu_m),
        "rms_enu_mm": _millimetres(result.rms_enu_m),
        "degrees_of_freedom": result.degrees_of_freedom,
        "outliers": [s.station for s in ordered if s.stands_out],
        "stations": [
            {
                "station": s.station,
                "difference_enu_mm": _millimetres(s.difference_enu_m),
                "residual_enu_mm": _millimetres(s.residual_enu_m),
                "statistic": round(s.statistic, 3),
                "limit": round(s.limit, 3),
                "stands_out": s.stands_out,
            }
            for s in ordered
        ],
        "only_first": list(result.only_first),
        "only_second": list(result.only_second),
        "remarks": list(result.remarks),
    }


def _write_table(path: Path, result: "NetworkComparison") -> None:
    from datum.formats.csv_table import write_table

    columns = ["station"]
    columns += [f"difference_{axis}_mm" for axis in ("east", "north", "up")]
    columns += [f"residual_{axis}_mm" for axis in ("east", "north", "up")]
    columns += ["statistic", "limit", "stands_out"]
    write_table(
        path,
        columns,
        (
            (
                s.station,
                *(f"{value:.3f}" for value in (*s.difference_enu_m * 1e3, *s.residual_enu_m * 1e3)),
                f"{s.statistic:.3f}",
                f"{s.limit:.3f}",
                "yes" if s.stands_out else "no",
            )
            for s in result.stations
        ),
    )


def _show(result: "NetworkComparison") -> None:
    terminal = console()
    terminal.print(f"{len(result.stations)} common stations", soft_wrap=True)
    for name, value, sigma in _parameters(result) if result.estimated else ():
        label, _, unit = name.rpartition("_")
        terminal.print(f"  {label:<6}{value:>12.3f} ± {sigma:.3f} {unit}")
    east, north, up = _millimetres(result.rms_enu_m)
    terminal.print(f"residuals, rms of the stations that agree: E {east:.1f}, N {north:.1f}, U {up:.1f} mm")
    ordered = sorted(result.stations, key=lambda s: (-s.statistic, s.station))
    out = [s for s in ordered if s.stands_out]
    terminal.print(f"{len(out)} stations stand out" + (":" if out else ""))
    for s in out[:_MOST_SHOWN]:
        e, n, u = _millimetres(s.residual_enu_m)
        terminal.print(
            f"  {s.station:<10} E {e:+.1f}, N {n:+.1f}, U {u:+.1f} mm   (statistic {s.statistic:.1f}, limit "
            f"{s.limit:.1f})",
            markup=False,
        )
    if len(out) > _MOST_SHOWN:
        terminal.print(f"  ... and {len(out) - _MOST_SHOWN} more (--csv, --json)")
    for remark in result.remarks:
        terminal.print(f"  note: {remark}", soft_wrap=True, markup=False)
