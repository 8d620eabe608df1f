"""`jizhun station`: one station's observations judged and solved."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.station_audit import audit
from pipelines.cli.station_baseline import baseline
from pipelines.cli.station_options import (
    DEFAULT_ELEVATION_CUTOFF_DEG,
    DEFAULT_SYSTEMS,
    AllowMissingAntennaOption,
    AllowMixedProductsOption,
    Ambiguities,
    AmbiguitiesOption,
    AntexOption,
    CentreOption,
    ElevationCutoffOption,
    ExcludeOption,
    FilesArgument,
    IntervalOption,
    MappingFunctionsOption,
    OceanLoadingOption,
    ProductsOption,
    SignalsOption,
    SystemsOption,
    signals_of_systems,
)
from pipelines.cli.station_qc import qc
from pipelines.cli.station_report import report
from pipelines.cli.station_trend import trend
from pipelines.cli.terminal import JsonOption, console, say, waiting, write_json

app = typer.Typer(help="One station: judge its observations, solve its position.", no_args_is_help=True)
app.command("audit")(audit)
app.command("baseline")(baseline)
app.command("qc")(qc)
app.command("report")(report)
app.command("trend")(trend)


class Mode(StrEnum):
    """Values of --mode."""

    STATIC = "static"
    KINEMATIC = "kinematic"


@app.command("solve")
def solve(
    files: FilesArgument,
    products: ProductsOption,
    centre: CentreOption = None,
    allow_mixed_products: AllowMixedProductsOption = False,
    systems: SystemsOption = DEFAULT_SYSTEMS,
    signals: SignalsOption = None,
    exclude: ExcludeOption = None,
    elevation_cutoff: ElevationCutoffOption = DEFAULT_ELEVATION_CUTOFF_DEG,
    ambiguities: AmbiguitiesOption = Ambiguities.FLOAT,
    mode: Annotated[Mode, typer.Option(help="One position, or one for each epoch.")] = Mode.STATIC,
    interval: IntervalOption = None,
    antex: AntexOption = None,
    allow_missing_antenna: AllowMissingAntennaOption = False,
    ocean_loading: OceanLoadingOption = None,
    mapping_functions: MappingFunctionsOption = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the solution as SINEX, NetCDF and JSON here.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Precise point positioning of one station.

    Example: jizhun station solve BOR1*.crx.gz --products products/ --antex igs20.atx --json

    BeiDou-3 alone on B1C + B2a: --systems C --signals C:1+5 --exclude C01-C18
    """
    import time

    from pipelines.solution_json import solution_contract
    from pipelines.station_solve import SolveRequest, solve_files, write_solution

    request = SolveRequest(
        files=tuple(files),
        products=tuple(products),
        centre=centre,
        allow_mixed_products=allow_mixed_products,
        systems=systems,
        ambiguities=ambiguities.value,
        mode=mode.value,
        interval_s=interval,
        antex=tuple(antex or ()),
        ocean_loading=ocean_loading,
        mapping_functions=tuple(mapping_functions or ()),
        signals=signals_of_systems(signals, systems),
        exclude=tuple(exclude or ()),
        elevation_cutoff_deg=elevation_cutoff,
        allow_missing_antenna=allow_missing_antenna,
    )
    began = time.monotonic()
    with waiting(f"solving {', '.join(path.name for path in files)}"):
        solution = solve_files(request)
    seconds = time.monotonic() - began
    written = [] if out is None else write_solution(out, solution)
    for remark in solution.remarks:
        say(f"note: {remark}")
    for path in written:
        say(f"wrote {path}")
    contract = solution_contract(solution, seconds)
    if json:
        write_json(contract)
        return
    east, north, up = (value * 1e3 for value in contract["sigma_enu_m"])
    x, y, z = contract["position_ecef_m"]
    console().print(
        f"{solution.station}  {solution.frame} at {contract['epoch']} GPST\n"
        f"  x y z  {x:.4f}  {y:.4f}  {z:.4f} m   σ E N U  {east:.1f} {north:.1f} {up:.1f} mm\n"
        f"  {solution.n_epochs} epochs, {solution.n_observations} observations, "
        f"{', '.join(solution.signals)}, {solution.ambiguities} ({solution.fixed_fraction:.0%})\n"
        f"  products of {solution.centre}\n"
        f"  residuals: phase {solution.residual_rms_phase_m * 1e3:.1f} mm, "
        f"code {solution.residual_rms_code_m:.2f} m; {seconds:.1f} s"
    )
