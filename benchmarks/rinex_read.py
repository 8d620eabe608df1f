"""How fast RINEX observations are read: our reader against georinex and RTKLIB's convbin.

    python benchmarks/rinex_read.py [FILE]

Without FILE it takes the day of NIST (2880 epochs, 113 satellites, 16 MB) of the real data sets, or a file of
sample_data. georinex takes minutes for a day of all systems, because it merges a table for each epoch; it is
given the first part of the day, all systems, and the day is extrapolated in proportion to the epochs. That is
kind to it: its time grows faster than the number of epochs. convbin is given the plain text and writes it
again, so that reading alone is less than the time shown.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from stations.formats.compression import read_bytes
from stations.formats.georinex_adapter import read_through_georinex
from stations.formats.rinex_observation import read_observations

REPOSITORY: Final = Path(__file__).resolve().parent.parent
NIST: Final = Path("nist_2023001", "NIST00USA_R_20230010000_01D_30S_MO.crx.gz")
GEORINEX_EPOCHS: Final = 60
REPETITIONS: Final = 5


def main() -> int:
    """Time the three readers over one file and print seconds and ratios."""
    parser = argparse.ArgumentParser(description="Compare readers of RINEX observations.")
    parser.add_argument("file", nargs="?", type=Path)
    path = parser.parse_args().file or _default_file()
    if path is None:
        sys.stderr.write("no observation file: name one, set JIZHUN_REAL_DATA or make sample_data\n")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.rnx"
        plain.write_bytes(read_bytes(path)[0])
        observations = read_observations(plain)
        epochs = observations.epochs.datetime64()
        finite = int(np.isfinite(observations.data["pseudorange_m"].values).sum())
        _say(f"{path.name}: {plain.stat().st_size / 1e6:.1f} MB, {epochs.size} epochs, {finite} pseudoranges")
        ours_stored_s = _median(lambda: read_observations(path))
        ours_s = _median(lambda: read_observations(plain))
        _say(f"{'ours, as stored':<40s}{ours_stored_s:9.2f} s")
        _say(f"{'ours, plain text':<40s}{ours_s:9.2f} s")
        _convbin(plain, Path(folder), ours_s)
        _georinex(plain, "".join(sorted({s[0] for s in observations.satellites})), epochs, ours_s)
    return 0


def _default_file() -> Path | None:
    data = Path(os.environ.get("JIZHUN_REAL_DATA", str(REPOSITORY / ".." / "shared" / "data")))
    if (data / NIST).is_file():
        return data / NIST
    found = sorted((REPOSITORY / "sample_data").rglob("*O.crx.gz")) + sorted(
        (REPOSITORY / "sample_data").rglob("*.rnx*")
    )
    return found[0] if found else None


def _median(action: Callable[[], object]) -> float:
    times: list[float] = []
    for _ in range(REPETITIONS):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def _convbin(plain: Path, folder: Path, ours_s: float) -> None:
    program = shutil.which("convbin")
    if program is None:
        _say("convbin (RTKLIB) is not installed: left out")
        return
    target = folder / "convbin.obs"
    # As many frequencies as it knows, so that both read everything.
    command = [program, "-r", "rinex", "-v", "3.04", "-od", "-os", "-f", "6", "-o", str(target), str(plain)]
    seconds = _median(lambda: subprocess.run(command, check=True, capture_output=True))
    if not target.is_file() or target.stat().st_size == 0:
        _say("convbin (RTKLIB) wrote nothing: left out")
        return
    _say(f"{'RTKLIB convbin (reads and writes)':<40s}{seconds:9.2f} s   {seconds / ours_s:7.1f} times ours")


def _georinex(plain: Path, systems: str, epochs: np.ndarray, ours_s: float) -> None:
    count = min(GEORINEX_EPOCHS, epochs.size)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        part = read_through_georinex(plain, systems=systems, first=epochs[0], last=epochs[count - 1])
    seconds = time.perf_counter() - start
    read = part.sizes["epoch"]
    day_s = seconds * epochs.size / read
    _say(f"{f'georinex, first {read} epochs':<40s}{seconds:9.2f} s")
    _say(f"{'georinex, extrapolated in proportion':<40s}{day_s:9.0f} s   {day_s / ours_s:7.0f} times ours")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
