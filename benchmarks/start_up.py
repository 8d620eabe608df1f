"""Processor seconds that commands need before they do anything: median of seven rounds, runs interleaved.

    python benchmarks/start_up.py [OTHER_CHECKOUT]     # beside another state of the code, in the same rounds

The last line is what `station solve` has loaded when it begins to solve; the rest of its time is work.
"""

import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
ROUNDS: Final = 7
RUN: Final = "import sys; sys.argv = ['jizhun', *{}]; from pipelines.cli.app import main; main()"
RUNS: Final = {
    "jizhun --help": RUN.format(["--help"]),
    "jizhun station solve --help": RUN.format(["station", "solve", "--help"]),
    "jizhun station solve, no such file": RUN.format(["station", "solve", "none.rnx", "--products", "none"]),
    "loaded when station solve begins to solve": "import pipelines.cli.app, pipelines.solution_json, "
    "pipelines.station_solve, xarray",
}


def processor_seconds(code: str, checkout: Path) -> float:
    """User and system time of one fresh process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", code], cwd=checkout, env=environment, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print a table, a column for each checkout."""
    checkouts = [ROOT, *(Path(word).resolve() for word in sys.argv[1:])]
    times: dict[tuple[str, Path], list[float]] = {}
    for number in range(ROUNDS + 1):
        for name, code in RUNS.items():
            for checkout in checkouts:
                seconds = processor_seconds(code, checkout)
                if number:  # the first round writes byte code
                    times.setdefault((name, checkout), []).append(seconds)
    sys.stdout.write("| run | " + " | ".join(checkout.name for checkout in checkouts) + " |" + "\n")
    sys.stdout.write("|---" * (1 + len(checkouts)) + "|" + "\n")
    for name in RUNS:
        cells = (f"{statistics.median(times[name, checkout]):.2f}" for checkout in checkouts)
        sys.stdout.write(f"| {name} | " + " | ".join(cells) + " |" + "\n")


if __name__ == "__main__":
    main()
