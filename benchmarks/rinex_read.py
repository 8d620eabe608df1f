"""How fast and how lean RINEX is read: our readers against georinex and RTKLIB's convbin.

    python benchmarks/rinex_read.py [FILE] [--georinex-whole]

Without FILE it takes the day of NIST (2880 epochs, 113 satellites, 16 MB) of the real data sets, or a file of
sample_data. Times are of the processor, for the decompressed file. georinex takes minutes for a day of all
systems, because it merges a table for each epoch; it is given the first part of the day, all systems, and the
day is extrapolated in proportion to the epochs. That is kind to it: its time grows faster than the number of
epochs, as --georinex-whole shows, which reads the whole. convbin writes what it reads, so that its reading
alone is less than the time shown. Peak memory is that of a process of its own that reads the file, less what
the same process has before it reads.
"""

import argparse
import os
import resource
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

import georinex
import numpy as np

from stations.formats.compression import read_bytes
from stations.formats.georinex_adapter import read_through_georinex
from stations.formats.rinex_navigation import read_navigation
from stations.formats.rinex_observation import read_observations

REPOSITORY: Final = Path(__file__).resolve().parent.parent
NIST: Final = Path("nist_2023001", "NIST00USA_R_20230010000_01D_30S_MO.crx.gz")
BROADCAST: Final = Path("nist_2023001", "BRDC00IGS_R_20230010000_01D_MN.rnx.gz")
GEORINEX_EPOCHS: Final = 60
REPETITIONS: Final = 5
# Peak of the process's own memory, in kibibytes (Linux, proc(5)); that of getrusage begins with the parent's.
MEMORY_PROBE: Final = """
import re, sys
from pathlib import Path
import xarray  # loaded with the first record otherwise: it is the program's memory, not the file's
from stations.formats.rinex_observation import read_observations
def peak_bytes():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024
before = peak_bytes()
observations = read_observations(sys.argv[1])
print(peak_bytes() - before)
"""


def main() -> int:
    """Time the readers over one file, and print seconds, ratios and memory."""
    parser = argparse.ArgumentParser(description="Compare readers of RINEX.")
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--georinex-whole", action="store_true", help="let georinex read the whole: minutes")
    arguments = parser.parse_args()
    path = arguments.file or _default_file()
    if path is None:
        sys.stderr.write("no observation file: name one, set JIZHUN_REAL_DATA or make sample_data\n")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.rnx"
        plain.write_bytes(read_bytes(path)[0])
        observations = read_observations(plain)
        epochs = observations.epochs.datetime64()
        finite = int(np.isfinite(observations.data["pseudorange_m"].values).sum())
        size = plain.stat().st_size
        _say(f"{path.name}: {size / 1e6:.1f} MB, {epochs.size} epochs, {finite} pseudoranges")
        ours_stored_s = _median(lambda: read_observations(path))
        ours_s = _median(lambda: read_observations(plain))
        _say(f"{'ours, as stored':<40s}{ours_stored_s:9.2f} s")
        _say(f"{'ours, plain text':<40s}{ours_s:9.2f} s")
        _memory(plain, size)
        _convbin(plain, Path(folder), ours_s)
        systems = "".join(sorted({s[0] for s in observations.satellites}))
        _georinex(plain, systems, epochs, ours_s)
        if arguments.georinex_whole:
            _georinex_whole(plain, "observations", ours_s)
        _navigation(Path(folder), whole=arguments.georinex_whole)
    return 0


def _real_data() -> Path:
    return Path(os.environ.get("JIZHUN_REAL_DATA", str(REPOSITORY / ".." / "shared" / "data")))


def _default_file() -> Path | None:
    if (_real_data() / NIST).is_file():
        return _real_data() / NIST
    found = sorted((REPOSITORY / "sample_data").rglob("*O.crx.gz")) + sorted(
        (REPOSITORY / "sample_data").rglob("*.rnx*")
    )
    return found[0] if found else None


def _processor_s() -> float:
    """Processor seconds of this process and of the programs that it ran."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _median(action: Callable[[], object]) -> float:
    times: list[float] = []
    for _ in range(REPETITIONS):
        start = _processor_s()
        action()
        times.append(_processor_s() - start)
    return statistics.median(times)


def _memory(plain: Path, size: int) -> None:
    if not Path("/proc/self/status").is_file():
        _say("peak memory is measured on Linux only: left out")
        return
    command = [sys.executable, "-c", MEMORY_PROBE, str(plain)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=REPOSITORY)
    peak = int(done.stdout)
    _say(f"{'ours, peak memory':<40s}{peak / 1e6:9.0f} MB  {peak / size:7.1f} times the file")


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
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        part = read_through_georinex(plain, systems=systems, first=epochs[0], last=epochs[count - 1])
    seconds = time.process_time() - start
    read = part.sizes["epoch"]
    day_s = seconds * epochs.size / read
    _say(f"{f'georinex, first {read} epochs':<40s}{seconds:9.2f} s")
    _say(f"{'georinex, extrapolated in proportion':<40s}{day_s:9.0f} s   {day_s / ours_s:7.0f} times ours")


def _georinex_whole(plain: Path, what: str, ours_s: float) -> None:
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        georinex.load(str(plain))
    seconds = time.process_time() - start
    _say(f"{f'georinex, {what}, whole':<40s}{seconds:9.0f} s   {seconds / ours_s:7.0f} times ours")


def _navigation(folder: Path, *, whole: bool) -> None:
    path = _real_data() / BROADCAST
    if not path.is_file():
        _say("no day of broadcast messages in the real data sets: left out")
        return
    plain = folder / "broadcast.rnx"
    plain.write_bytes(read_bytes(path)[0])
    messages = read_navigation(plain)
    count = len(messages.kepler) + len(messages.state_vectors)
    _say(f"{path.name}: {plain.stat().st_size / 1e6:.1f} MB, {count} messages of all systems")
    ours_s = _median(lambda: read_navigation(plain))
    _say(f"{'ours, navigation, plain text':<40s}{ours_s:9.2f} s")
    if whole:
        _georinex_whole(plain, "navigation", ours_s)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
