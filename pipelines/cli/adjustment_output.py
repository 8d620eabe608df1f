"""What the adjustments of heights and gravity say alike: their tests, what they left out, their remarks."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from datum.records import GravitySolution, HeightSolution


def adjustment_facts(solution: "HeightSolution | GravitySolution") -> dict[str, Any]:
    """The part of `--json` that every adjustment has."""
    return {
        "variance_factor": round(solution.variance_factor, 5),
        "degrees_of_freedom": solution.degrees_of_freedom,
        "rejections": [
            {"subject": r.subject, "reason": r.reason, "statistic": round(r.statistic, 3)}
            for r in solution.rejections
        ],
        "remarks": list(solution.remarks),
    }


def show_adjustment_notes(terminal: "Console", solution: "HeightSolution | GravitySolution") -> None:
    """What was left out and what is to be said, a line each."""
    for rejection in solution.rejections:
        terminal.print(f"  left out: {rejection.subject}: {rejection.reason}", soft_wrap=True, markup=False)
    for remark in solution.remarks:
        terminal.print(f"  note: {remark}", soft_wrap=True, markup=False)
