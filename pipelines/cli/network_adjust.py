"""`jizhun network adjust`: files of a network to adjusted coordinates, tables, layers and a report."""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, cast

import typer

from pipelines.cli.terminal import JsonOption, console, say, waiting, write_json

if TYPE_CHECKING:
    from pipelines.adjusted_network import AdjustedNetwork
    from pipelines.network_datum import DatumChoice

_MOST_STATIONS_SHOWN: Final = 60
_MOST_SUSPECTS: Final = 20


class Rejecting(StrEnum):
    """Values of --reject."""

    AUTO = "auto"
    NONE = "none"
    BAARDA = "baarda"
    TAU = "tau"


class Scaling(StrEnum):
    """Values of --scale-sigmas."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class CovarianceUnit(StrEnum):
    """Values of --gama-covariance."""

    AUTO = "auto"
    SQUARE_MILLIMETRES = "mm2"
    SQUARE_METRES = "m2"


def adjust(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="GNU Gama (.gkf, g3 XML), DynaML, DNA (.stn, .msr), Stuttgart .dat, SINEX, CSV tables.",
        ),
    ],
    fix: Annotated[
        str, typer.Option(metavar="STATIONS", help="Hold these at their given coordinates: A,B,C.")
    ] = "",
    weight: Annotated[
        str, typer.Option(metavar="STATIONS", help="Hold these by their given coordinates with a sigma.")
    ] = "",
    weight_mm: Annotated[
        str, typer.Option(metavar="E,N,U", help="Sigmas of --weight in mm: east, north, up.")
    ] = "1,1,1",
    minimal: Annotated[
        str, typer.Option(metavar="STATIONS", help="Minimal constraints (NNT, NNR, NNS) on these.")
    ] = "",
    free: Annotated[bool, typer.Option("--free", help="A free network: minimal constraints on all.")] = False,
    datum_parameters: Annotated[
        str, typer.Option(help="What --minimal and --free may set: translation,rotation,scale.")
    ] = "translation,rotation,scale",
    reject: Annotated[
        Rejecting,
        typer.Option(
            help="Search for outliers: by a priori (baarda) or a posteriori (tau) sigmas; auto: tau for CSV "
            "and SINEX, the file's own rule for those of other programs."
        ),
    ] = Rejecting.AUTO,
    robust: Annotated[bool, typer.Option("--robust", help="Begin with a robust adjustment.")] = False,
    components: Annotated[
        bool, typer.Option("--variance-components", help="Estimate a factor for each group.")
    ] = False,
    significance: Annotated[float, typer.Option(help="Of the test of one observation.")] = 0.001,
    power: Annotated[float, typer.Option(help="Of that test, for minimal detectable biases.")] = 0.80,
    confidence: Annotated[float, typer.Option(help="Of error ellipses.")] = 0.95,
    scale_sigmas: Annotated[
        Scaling,
        typer.Option(help="Multiply covariances by the variance factor; auto: where the global test fails."),
    ] = Scaling.AUTO,
    centring_mm: Annotated[float, typer.Option(help="Centring error of GNSS antennas, each end.")] = 0.0,
    ppm: Annotated[float, typer.Option(help="Parts per million of the length, added to vectors.")] = 0.0,
    gama_covariance: Annotated[
        CovarianceUnit, typer.Option(help="Unit of covariances in gama-g3 files.")
    ] = CovarianceUnit.AUTO,
    frame: Annotated[
        str | None, typer.Option(help="Frame of SINEX files that do not name theirs, such as IGS20.")
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the stations here, and the observations beside it."),
    ] = None,
    gpkg: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write layers of stations, ellipses, observations.")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report to sign.")] = None,
    sinex: Annotated[Path | None, typer.Option(metavar="FILE", help="Write SINEX 2.02.")] = None,
    json: JsonOption = False,
) -> None:
    """Adjust a network rigorously, test it, and say what holds and what does not.

    Example: jizhun network adjust stations.stn measurements.msr --html report.html --json
    """
    from datum.formats.network_files import NetworkReading, read_network, rejects_by_own_rule
    from datum.network.adjust import NetworkOptions, adjust_network
    from datum.network.held_stations import contradictions_of_held_stations
    from pipelines.adjusted_network import adjusted_network
    from pipelines.network_datum import with_datum
    from pipelines.network_tables import adjustment_json

    _between(significance, "--significance")
    _between(power, "--power")
    _between(confidence, "--confidence")
    choice = _datum_choice(fix, weight, weight_mm, minimal, free, datum_parameters)
    with waiting("reading"):
        network = read_network(files, NetworkReading(gama_covariance.value, frame))
        network = with_datum(_with_errors(network, centring_mm, ppm), choice)
        if reject is Rejecting.AUTO:
            reject = Rejecting.NONE if rejects_by_own_rule(files) else Rejecting.TAU
    options = NetworkOptions(
        snooping=cast("Literal['none', 'baarda', 'tau']", reject.value),  # auto is resolved above
        significance=significance,
        power=power,
        robust=robust,
        variance_components=components,
    )
    with waiting(f"adjusting {len(network.points)} stations"):
        result = adjust_network(network, options)
        if result.sigma_zero > result.test_limits[1]:
            contradiction = contradictions_of_held_stations(network, result, options)
            if contradiction is not None:
                words = contradiction.words(result.geometry)
                result = replace(result, remarks=(words, *result.remarks))
    adjusted = adjusted_network(
        ", ".join(path.name for path in files),
        network,
        result,
        confidence=confidence,
        scaling=scale_sigmas.value,
    )
    with waiting("writing"):
        _write(adjusted, csv, gpkg, html, sinex, significance)
    if json:
        write_json(adjustment_json(adjusted) | _suspects(adjusted, significance))
        return
    _show(adjusted, significance)


def _between(value: float, option: str) -> None:
    if not 0.0 < value < 1.0:
        raise typer.BadParameter(f"lies between 0 and 1, not {value:g}", param_hint=option)


def _datum_choice(
    fix: str, weight: str, weight_mm: str, minimal: str, free: bool, parameters: str
) -> "DatumChoice":
    from datum.network.constraints import DatumParameter
    from pipelines.network_datum import DatumChoice, names_in

    try:
        chosen = tuple(DatumParameter(word) for word in names_in(parameters))
    except ValueError:
        raise typer.BadParameter(
            f'words out of {", ".join(DatumParameter)}, not "{parameters}"', param_hint="--datum-parameters"
        ) from None
    try:
        east, north, up = (float(word) / 1000.0 for word in names_in(weight_mm))
        if not all(0.0 < sigma < 1e3 for sigma in (east, north, up)):
            raise ValueError
    except ValueError:
        raise typer.BadParameter(
            f'three sigmas in mm greater than 0, not "{weight_mm}"', param_hint="--weight-mm"
        ) from None
    return DatumChoice(names_in(fix), names_in(weight), (east, north, up), names_in(minimal), free, chosen)


def _with_errors(network: Any, centring_mm: float, ppm: float) -> Any:
    """The network with centring error and parts per million on all its vectors."""
    from datum.network.observations import GnssVectorCluster

    if centring_mm < 0.0 or ppm < 0.0:
        raise typer.BadParameter("must not be negative", param_hint="--centring-mm, --ppm")
    if centring_mm == 0.0 and ppm == 0.0:
        return network
    return replace(
        network,
        clusters=tuple(
            replace(cluster, centring_sigma_m=centring_mm / 1000.0, parts_per_million=ppm)
            if isinstance(cluster, GnssVectorCluster)
            else cluster
            for cluster in network.clusters
        ),
    )


def _write(
    adjusted: "AdjustedNetwork",
    csv: Path | None,
    gpkg: Path | None,
    html: Path | None,
    sinex: Path | None,
    significance: float,
) -> None:
    if csv is not None:
        from pipelines.network_tables import write_observation_table, write_station_table

        beside = csv.with_name(f"{csv.stem}_observations{csv.suffix or '.csv'}")
        write_station_table(csv, adjusted)
        write_observation_table(beside, adjusted)
        say(f"wrote {csv} and {beside}")
    if gpkg is not None:
        from pipelines.network_layers import write_network_layers

        write_network_layers(gpkg, adjusted)
        say(f"wrote {gpkg}")
    if sinex is not None:
        from pipelines.network_sinex import write_adjusted_sinex

        write_adjusted_sinex(sinex, adjusted)
        say(f"wrote {sinex}")
    if html is not None:
        from pipelines.network_report import write_network_report

        write_network_report(html, adjusted, significance)
        say(f"wrote {html}")


def _suspects(adjusted: "AdjustedNetwork", significance: float) -> dict[str, Any]:
    """Observations that are used and fail the test of one observation, the worst ones by name."""
    from pipelines.adjusted_network import suspect_rows

    rows = suspect_rows(adjusted, significance)
    return {
        "n_suspects": len(rows),
        "suspects": [
            {"observation": row.name, "component": row.component, "w": round(row.w, 3)}
            for row in rows[:_MOST_SUSPECTS]
        ],
    }


def _show(adjusted: "AdjustedNetwork", significance: float) -> None:
    from pipelines.adjusted_network import suspect_rows

    result = adjusted.adjustment
    terminal = console()
    low, high = result.test_limits
    terminal.print(
        f"{len(adjusted.stations)} stations, {result.n_observations} observations, {result.n_unknowns} "
        f"unknowns; datum: {result.datum_words}",
        soft_wrap=True,
        markup=False,
    )
    terminal.print(
        f"degrees of freedom {result.degrees_of_freedom}, chi-square {result.chi_square:.6g}, sigma zero "
        f"{result.sigma_zero:.4g} (limits {low:.4g} to {high:.4g})"
        + (f", sigmas multiplied by {adjusted.factor**0.5:.3g}" if adjusted.factor != 1.0 else ""),
        soft_wrap=True,
    )
    names = " ".join(adjusted.component_names)
    for row in adjusted.stations[:_MOST_STATIONS_SHOWN]:
        place = "  ".join(f"{value:.4f}" for value in row.position_m)
        sigmas = " ".join(f"{value * 1e3:.1f}" for value in row.sigma_m)
        terminal.print(f"  {row.name:<20}{place} m   σ {names} {sigmas} mm   {row.role}", markup=False)
    if len(adjusted.stations) > _MOST_STATIONS_SHOWN:
        terminal.print(f"  ... and {len(adjusted.stations) - _MOST_STATIONS_SHOWN} more (--csv, --json)")
    for item in result.rejections:
        terminal.print(
            f"  rejected: {item.subject}: {item.reason} ({item.statistic:.4g}, limit {item.limit:.4g})",
            soft_wrap=True,
            markup=False,
        )
    suspects = suspect_rows(adjusted, significance)
    if suspects:
        shown = ", ".join(f"{row.name} {row.component}".strip() for row in suspects[:_MOST_SUSPECTS])
        terminal.print(
            f"  {len(suspects)} numbers fail the test of one observation and are used: {shown}"
            + (" ..." if len(suspects) > _MOST_SUSPECTS else ""),
            soft_wrap=True,
            markup=False,
        )
    for remark in dict.fromkeys((*adjusted.network.remarks, *result.remarks)):
        terminal.print(f"  note: {remark}", soft_wrap=True, markup=False)
