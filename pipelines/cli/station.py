"""`jizhun station`: one station's observations judged and solved."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.station_baseline import baseline
from pipelines.cli.station_options import (
    DEFAULT_SYSTEMS,
    AllowMissingAntennaOption,
    AllowMixedProductsOption,
    Ambiguities,
    AmbiguitiesOption,
    AntexOption,
    CentreOption,
    FilesArgument,
    IntervalOption,
    OceanLoadingOption,
    ProductsOption,
    SystemsOption,
)
from pipelines.cli.station_report import report
from pipelines.cli.terminal import JsonOption, console, say, waiting, write_json

app = typer.Typer(help="One station: judge its observations, solve its position.", no_args_is_help=True)
app.command("baseline")(baseline)
app.command("report")(report)


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
    ambiguities: AmbiguitiesOption = Ambiguities.FLOAT,
    mode: Annotated[Mode, typer.Option(help="One position, or one for each epoch.")] = Mode.STATIC,
    interval: IntervalOption = None,
    antex: AntexOption = None,
    allow_missing_antenna: AllowMissingAntennaOption = False,
    ocean_loading: OceanLoadingOption = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the solution as SINEX, NetCDF and JSON here.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Precise point positioning of one station.

    Example: jizhun station solve BOR1*.crx.gz --products products/ --antex igs20.atx --json
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


@app.command("qc")
def qc(files: FilesArgument, json: JsonOption = False) -> None:
    """Quality of a station's observations: completeness, cycle slips, multipath, signals, BDS-3 readiness.

    Example: jizhun station qc WUH200CHN_R_20261160000_01D_30S_MO.crx.gz
    """
    from pipelines.solution_json import quality_contract
    from stations.formats.rinex_observation import read_observations
    from stations.quality.report import quality_report

    with waiting(f"reading {', '.join(path.name for path in files)}"):
        report = quality_report(read_observations(files))
    if json:
        write_json(quality_contract(report))
        return
    from rich import box
    from rich.table import Table

    out = console()
    out.print(
        f"{report.station}  {report.first_epoch.iso()} to {report.last_epoch.iso()} GPST every "
        f"{report.interval_s:g} s\n"
        f"  {report.n_epochs} of {report.n_epochs_expected} epochs ({report.completeness * 100:.1f} %), "
        f"{report.n_cycle_slips} cycle slips ({report.cycle_slips_per_thousand:.2f} in 1000)\n"
        f"  BDS-3 signals: {'yes' if report.tracks_bds3 else 'no'}\n"
        f"  verdict: {report.verdict.value}"
    )
    for reason in report.reasons:
        out.print(f"    {reason}", soft_wrap=True, markup=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("system", "signal", "carrier"):
        table.add_column(title)
    for title in ("satellites", "observations", "C/N0 dB-Hz", "multipath m"):
        table.add_column(title, justify="right")
    for item in report.signals:
        table.add_row(
            item.system,
            item.signal,
            item.carrier,
            str(item.n_satellites),
            str(item.n_observations),
            "-" if item.mean_cn0_dbhz is None else f"{item.mean_cn0_dbhz:.1f}",
            "-" if item.multipath_rms_m is None else f"{item.multipath_rms_m:.3f}",
        )
    out.print(table)
