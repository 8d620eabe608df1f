"""`jizhun gravity`: absolute and relative gravity networks."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.adjustment_output import adjustment_facts, show_adjustment_notes
from pipelines.cli.height import TideSystemName
from pipelines.cli.terminal import JsonOption, console, say, write_json

app = typer.Typer(
    help="Gravity: absolute and relative networks adjusted, drift removed.", no_args_is_help=True
)


@app.callback()
def group() -> None:
    """Gravity: absolute and relative networks adjusted, drift removed."""


@app.command("adjust")
def adjust(
    readings: Annotated[
        Path, typer.Argument(metavar="READINGS.csv", help="Readings of relative gravimeters.")
    ],
    absolute: Annotated[Path, typer.Argument(metavar="ABSOLUTE.csv", help="Absolute gravity stations.")],
    tide_system: Annotated[
        TideSystemName, typer.Option(help="Of the absolute values.")
    ] = TideSystemName.ZERO_TIDE,
    scale: Annotated[
        bool, typer.Option("--scale", help="Estimate a scale factor for each instrument.")
    ] = False,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Write gravity.csv here.")] = None,
    json: JsonOption = False,
) -> None:
    """Adjust a gravity network by least squares, with the drift of each loop, and find its blunders.

    Example: jizhun gravity adjust readings.csv absolute.csv --json
    """
    import math

    from datum.formats.gravity_csv import MGAL_M_PER_S2, read_gravity, write_gravity
    from datum.gravity.network import adjust_gravity
    from datum.records import TideSystem
    from transforms.errors import InputError

    solution = adjust_gravity(
        read_gravity(readings, absolute, tide_system=TideSystem(tide_system.value)), scale=scale
    )
    mgal = [float(value) / MGAL_M_PER_S2 for value in solution.gravity_m_per_s2]
    sigma_mgal = [
        math.sqrt(max(float(v), 0.0)) / MGAL_M_PER_S2 for v in solution.covariance_m2_per_s4.diagonal()
    ]
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{out}: cannot be made: {error.strerror}") from None
        write_gravity(out / "gravity.csv", solution)
        say(f"wrote {out / 'gravity.csv'}")
    if json:
        write_json(
            {
                "tide_system": solution.tide_system.value,
                "points": [
                    {
                        "point": name,
                        "station": solution.stations.get(name),
                        "gravity_mgal": round(mgal[i], 5),
                        "sigma_mgal": round(sigma_mgal[i], 5),
                    }
                    for i, name in enumerate(solution.points)
                ],
                "drift": [
                    {
                        "instrument": instrument,
                        "loop": loop,
                        "mgal_per_h": round(rate / MGAL_M_PER_S2, 6),
                        "sigma_mgal_per_h": round(sigma / MGAL_M_PER_S2, 6),
                    }
                    for (instrument, loop), (rate, sigma) in sorted(solution.drift.items())
                ],
                "scale_factor": {
                    name: {"factor": round(factor, 8), "sigma": round(sigma, 8)}
                    for name, (factor, sigma) in sorted(solution.scale_factor.items())
                },
                **adjustment_facts(solution),
            }
        )
        return
    terminal = console()
    terminal.print(f"gravity, {solution.tide_system.value}")
    for i, name in enumerate(solution.points):
        terminal.print(f"  {name:<16}{mgal[i]:14.4f} mGal  ±{sigma_mgal[i] * 1e3:.1f} µGal", markup=False)
    show_adjustment_notes(terminal, solution)
