"""`jizhun station baseline`: the vector between two stations by double differences."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.station_options import (
    DEFAULT_SYSTEMS,
    Ambiguities,
    AmbiguitiesOption,
    AntexOption,
    CentreOption,
    IntervalOption,
)
from pipelines.cli.terminal import JsonOption, console, say, waiting, write_json


class Ionosphere(StrEnum):
    """Values of --ionosphere."""

    AUTO = "auto"
    FIXED = "fixed"
    FREE = "free"


class Carriers(StrEnum):
    """Values of --carriers."""

    BOTH = "both"
    FIRST = "first"
    SECOND = "second"


def baseline(
    first: Annotated[Path, typer.Argument(metavar="A", help="RINEX observations of the station held.")],
    second: Annotated[
        Path, typer.Argument(metavar="B", help="RINEX observations of the other station, of the same time.")
    ],
    products: Annotated[
        list[Path] | None,
        typer.Option(help="Folder or file with orbits (SP3), found by content and date; may be repeated."),
    ] = None,
    navigation: Annotated[
        list[Path] | None,
        typer.Option(help="RINEX navigation file in place of --products; may be repeated."),
    ] = None,
    centre: CentreOption = None,
    systems: Annotated[
        str, typer.Option(help="Letters of the systems to use: G, E, C, J.")
    ] = DEFAULT_SYSTEMS,
    ambiguities: AmbiguitiesOption = Ambiguities.FIX,
    ionosphere: Annotated[
        Ionosphere,
        typer.Option(help="Both carriers by themselves (fixed), ionosphere-free, or by length: 20 km."),
    ] = Ionosphere.AUTO,
    carriers: Annotated[
        Carriers, typer.Option(help="Carriers that serve by themselves: both, or one alone (L1, E1, B1).")
    ] = Carriers.BOTH,
    interval: IntervalOption = None,
    elevation_cutoff: Annotated[
        float, typer.Option(metavar="DEG", min=0.0, max=60.0, help="Lowest elevation used, degrees.")
    ] = 10.0,
    antex: AntexOption = None,
    base_position: Annotated[
        tuple[float, float, float] | None,
        typer.Option(metavar="X Y Z", help="Marker of A, metres; default: its header's where code agrees."),
    ] = None,
    allow_missing_antenna: Annotated[
        bool,
        typer.Option(
            "--allow-missing-antenna", help="Solve though the antennas differ and one has no calibration."
        ),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the vector as SINEX, CSV and JSON here.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """The vector from station A to station B, ambiguities fixed where that is safe.

    Example: jizhun station baseline WTZR*.crx.gz WTZZ*.crx.gz --products orbits/ --antex igs20.atx --out .
    """
    import time

    from pipelines.baseline_files import write_baseline
    from pipelines.station_baseline import BaselineRequest, baseline_contract, solve_baseline_files

    unknown = sorted(set(systems) - set("GECJ"))
    if unknown or not systems:
        raise typer.BadParameter(
            f'systems are letters out of "GECJ", not "{systems}"', param_hint="--systems"
        )
    if bool(products) == bool(navigation):
        raise typer.BadParameter("give either --products or --navigation", param_hint="--products")
    request = BaselineRequest(
        first=(first,),
        second=(second,),
        products=tuple(products or ()),
        centre=centre,
        systems=systems,
        ambiguities=ambiguities.value,
        ionosphere=ionosphere.value,
        carriers=carriers.value,
        interval_s=interval,
        elevation_cutoff_deg=elevation_cutoff,
        antex=tuple(antex or ()),
        base_position_ecef_m=base_position,
        navigation=tuple(navigation or ()),
        allow_missing_antenna=allow_missing_antenna,
    )
    began = time.monotonic()
    with waiting(f"solving {first.name} to {second.name}"):
        solution = solve_baseline_files(request)
    contract = baseline_contract(solution, time.monotonic() - began)
    written = [] if out is None else write_baseline(out, solution)
    for remark in solution.remarks:
        say(f"note: {remark}")
    for path in written:
        say(f"wrote {path}")
    if json:
        write_json(contract)
        return
    dx, dy, dz = contract["vector_ecef_m"]
    east, north, up = contract["vector_enu_m"]
    sigma = " ".join(f"{value * 1e3:.1f}" for value in contract["sigma_enu_m"])
    success = solution.success_rate
    certain = "" if success is None else f", right with {min(success, 0.9999):.2%} or more"
    console().print(
        f"{solution.from_station} to {solution.to_station}  {solution.frame} at {contract['epoch']} GPST\n"
        f"  dx dy dz  {dx:.4f}  {dy:.4f}  {dz:.4f} m   length {contract['length_m']:.4f} m\n"
        f"  E N U     {east:.4f}  {north:.4f}  {up:.4f} m   σ {sigma} mm\n"
        f"  {solution.n_epochs} epochs, {solution.n_observations} observations, "
        f"{', '.join(solution.signals)}, ionosphere {solution.ionosphere}\n"
        f"  ambiguities {solution.ambiguities} ({solution.fixed_fraction:.0%}{certain})\n"
        f"  residuals: phase {solution.residual_rms_phase_m * 1e3:.1f} mm, "
        f"code {solution.residual_rms_code_m:.2f} m; {contract['seconds']:.1f} s"
    )
