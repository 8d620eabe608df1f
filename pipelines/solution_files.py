"""Daily station solutions from files: what `station solve --out` wrote, or SINEX of any origin."""

from collections.abc import Sequence
from pathlib import Path

from datum.formats.csv_table import read_bytes
from datum.network.sinex_exchange import sinex_to_solutions
from pipelines.solution_json import read_solution_file
from stations.formats.sinex import read_sinex
from stations.records import StationSolution


def read_solutions(paths: Sequence[Path], default_frame: str | None = None) -> tuple[StationSolution, ...]:
    """Solutions of all files, in their order.

    default_frame : of SINEX files that do not name theirs (the format has no field for it)

    Raises FormatError or InputError naming the file.
    """
    solutions: list[StationSolution] = []
    for path in paths:
        content = read_bytes(path)
        if content[:1] == b"{":
            solutions.append(read_solution_file(path, content))
        else:
            solutions += sinex_to_solutions(read_sinex(path), frame=default_frame)
    return tuple(solutions)
