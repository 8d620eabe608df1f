"""`jizhun height`: levelling networks."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.adjustment_output import adjustment_facts, show_adjustment_notes
from pipelines.cli.terminal import JsonOption, console, say, write_json


class TideSystemName(StrEnum):
    """Values of --tide-system."""

    TIDE_FREE = "tide-free"
    ZERO_TIDE = "zero-tide"
    MEAN_TIDE = "mean-tide"


app = typer.Typer(help="Heights: levelling networks adjusted, blunders found.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Heights: levelling networks adjusted, blunders found."""


@app.command("adjust")
def adjust(
    lines: Annotated[Path, typer.Argument(metavar="LINES.csv", help="Levelling lines.")],
    bench_marks: Annotated[
        Path, typer.Argument(metavar="BENCHMARKS.csv", help="Bench marks, known ones too.")
    ],
    vertical_datum: Annotated[str, typer.Option(help="Of the known heights.")] = "1985 National Height Datum",
    tide_system: Annotated[TideSystemName, typer.Option(help="Of the levelling.")] = TideSystemName.MEAN_TIDE,
    order: Annotated[
        int, typer.Option(min=1, max=4, help="Levelling order, for sigmas and loop limits.")
    ] = 2,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write heights.csv and levelling_lines.csv here.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Adjust a levelling network by least squares, and find its blunders.

    Example: jizhun height adjust lines.csv bench_marks.csv --order 2 --json
    """
    import math

    from datum.formats.levelling_csv import read_levelling, write_adjusted_lines, write_heights
    from datum.height.levelling import adjust_levelling
    from datum.records import TideSystem
    from transforms.errors import InputError

    network = read_levelling(
        lines,
        bench_marks,
        vertical_datum=vertical_datum,
        tide_system=TideSystem(tide_system.value),
        order=order,
    )
    solution = adjust_levelling(network)
    sigma_m = [math.sqrt(max(float(v), 0.0)) for v in solution.covariance_m2.diagonal()]
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{out}: cannot be made: {error.strerror}") from None
        write_heights(out / "heights.csv", solution)
        write_adjusted_lines(out / "levelling_lines.csv", solution)
        say(f"wrote {out / 'heights.csv'} and {out / 'levelling_lines.csv'}")
    if json:
        write_json(
            {
                "vertical_datum": solution.vertical_datum,
                "tide_system": solution.tide_system.value,
                "kind": solution.kind,
                "heights": [
                    {
                        "bench_mark": name,
                        "height_m": round(float(solution.height_m[i]), 5),
                        "sigma_m": round(sigma_m[i], 5),
                    }
                    for i, name in enumerate(solution.bench_marks)
                ],
                "lines": [
                    {
                        "line": item.name,
                        "residual_m": round(item.residual_m, 5),
                        "standardised": round(item.standardised, 3),
                        "redundancy": round(item.redundancy, 4),
                        "minimal_detectable_bias_m": round(item.minimal_detectable_bias_m, 5)
                        if math.isfinite(item.minimal_detectable_bias_m)
                        else None,
                        "accepted": item.accepted,
                    }
                    for item in solution.lines
                ],
                **adjustment_facts(solution),
            }
        )
        return
    terminal = console()
    terminal.print(f"{solution.vertical_datum}, {solution.tide_system.value}, {solution.kind} heights")
    for i, name in enumerate(solution.bench_marks):
        terminal.print(
            f"  {name:<16}{solution.height_m[i]:12.4f} m  ±{sigma_m[i] * 1e3:.1f} mm", markup=False
        )
    show_adjustment_notes(terminal, solution)
