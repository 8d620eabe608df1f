"""`jizhun network`: networks adjusted, solutions compared, daily solutions combined into one network."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli import network_adjust, network_compare
from pipelines.cli.terminal import JsonOption, console, say, write_json

app = typer.Typer(
    help="Many stations: networks adjusted, solutions compared, days combined on control stations.",
    no_args_is_help=True,
)


app.command("adjust")(network_adjust.adjust)
app.command("compare")(network_compare.compare)


@app.command("combine")
def combine(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Daily solutions: JSON of `station solve --out`, or SINEX."),
    ],
    control: Annotated[
        Path, typer.Option(help="Control stations: a CSV table, or a TOML file with [[control]] tables.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Write network.snx, SINEX 2.02, here.")],
    frame: Annotated[
        str | None, typer.Option(help="Frame of SINEX files that do not name theirs, such as IGS20.")
    ] = None,
    alignment: Annotated[
        str, typer.Option(help="What the control holds, by minimal constraints: translation,rotation,scale.")
    ] = "translation",
    antex: Annotated[
        list[Path] | None,
        typer.Option(
            help="ANTEX file of the solutions, for the phase centres in the SINEX; may be repeated."
        ),
    ] = None,
    steps: Annotated[
        list[Path] | None,
        typer.Option(
            help="Known discontinuities: IGS soln table, NGL steps.txt or a site log; may be repeated."
        ),
    ] = None,
    residuals: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the days' residuals after alignment as CSV series."),
    ] = None,
    by_week: Annotated[
        bool, typer.Option("--by-week", help="Also combine the days of each GPS week, as week_WWWW.snx.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Combine daily station solutions, align them to control stations, write SINEX 2.02.

    Example: jizhun network combine out/*.json --control control.csv --out network/
    """
    from datum.formats.known_steps import read_known_steps, steps_of_station
    from datum.network.combine import CombinationOptions, combine_solutions
    from datum.network.constraints import DatumParameter
    from datum.network.sinex_exchange import network_sinex
    from pipelines.control_file import read_control
    from pipelines.horizontal_product import sigma_enu_m
    from pipelines.network_residuals import write_residual_series
    from pipelines.network_weeks import velocities_of, weekly_networks
    from pipelines.reference_files import read_antennas
    from pipelines.solution_files import read_solutions
    from stations.formats.sinex import write_sinex
    from transforms.errors import InputError

    try:
        parameters = tuple(DatumParameter(word.strip()) for word in alignment.split(","))
    except ValueError:
        raise typer.BadParameter(
            f'words out of {", ".join(DatumParameter)}, not "{alignment}"', param_hint="--alignment"
        ) from None
    controls = read_control(control)
    solutions = read_solutions(files, frame)
    known = read_known_steps(tuple(steps or ()))
    names = {solution.station for solution in solutions}
    options = CombinationOptions(
        alignment=parameters,
        velocities_m_per_yr=velocities_of(solutions, controls),
        known_steps={name: steps_of_station(known, name) for name in sorted(names)},
    )
    network = combine_solutions(solutions, controls, options=options)
    weeks = weekly_networks(solutions, controls, options) if by_week else {}
    path = out / "network.snx"
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot be made: {error.strerror}") from None
    write_sinex(network_sinex(network, antennas=read_antennas(tuple(antex or ()))), path)
    say(f"wrote {path}")
    for week, of_week in weeks.items():
        write_sinex(network_sinex(of_week), out / f"week_{week:04d}.snx")
        say(f"wrote {out / f'week_{week:04d}.snx'}")
    if residuals is not None:
        write_residual_series(residuals, network)
        say(f"wrote {residuals}")
    if json:
        write_json(
            {
                "frame": network.frame,
                "epoch": network.epoch.iso(),
                "constraints": network.constraints,
                "variance_factor": round(network.variance_factor, 5),
                "degrees_of_freedom": network.degrees_of_freedom,
                "chi_square_limits": [round(value, 5) for value in network.chi_square_limits],
                "stations": [
                    {
                        "station": item.station,
                        "solution_number": item.solution_number,
                        "position_ecef_m": [round(float(v), 5) for v in item.position_ecef_m],
                        "sigma_enu_m": [
                            round(v, 5) for v in sigma_enu_m(item.position_ecef_m, item.covariance_m2)
                        ],
                        "days": list(item.days),
                        "repeatability_enu_m": [
                            None if value != value else round(float(value), 5)
                            for value in item.repeatability_enu_m
                        ],
                        "control": item.is_control,
                    }
                    for item in network.stations
                ],
                "rejections": [{"subject": r.subject, "reason": r.reason} for r in network.rejections],
                "remarks": list(network.remarks),
                "weeks": [
                    {
                        "gps_week": week,
                        "n_stations": len(of_week.stations),
                        "variance_factor": round(of_week.variance_factor, 5),
                        "file": str(out / f"week_{week:04d}.snx"),
                    }
                    for week, of_week in weeks.items()
                ],
                "file": str(path),
            }
        )
        return
    terminal = console()
    terminal.print(f"{network.frame} at {network.epoch.iso()}, {network.constraints}", soft_wrap=True)
    for item in network.stations:
        x, y, z = item.position_ecef_m
        east, north, up = (v * 1e3 for v in sigma_enu_m(item.position_ecef_m, item.covariance_m2))
        terminal.print(
            f"  {item.station:<10}{item.solution_number:>2}  {x:.4f}  {y:.4f}  {z:.4f} m   "
            f"σ E N U {east:.1f} {north:.1f} {up:.1f} mm   {len(item.days)} days"
        )
    for rejection in network.rejections:
        terminal.print(f"  left out: {rejection.subject}: {rejection.reason}", soft_wrap=True, markup=False)
    for remark in network.remarks:
        terminal.print(f"  note: {remark}", soft_wrap=True, markup=False)
