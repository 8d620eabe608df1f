"""How fast a station-day is judged: `jizhun station qc` against GNSS_Multipath_Analysis, on the same file.

    python benchmarks/station_qc.py [FILE] [--peer PYTHON] [--station-days N]

Without FILE it takes the day of NIST (2880 epochs at 30 s, 113 satellites of five systems, 21 signals) of the
real data sets, with the broadcast messages beside it. Seconds are of the processor, of a whole new process:
start, imports, Compact RINEX, the judgement, JSON. The peer is GNSS_Multipath_Analysis (PyPI `gnssmultipath`)
in the interpreter named by --peer, with its pictures switched off; it gets plain RINEX 3 and knows neither
SBAS nor single-point positions. --station-days judges copies of the file under as many days' names in
parallel, is interrupted half-way and taken up again.
"""

import argparse
import gzip
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from stations.formats.compression import read_bytes

REPOSITORY: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = "nist_2023001"
OBSERVATIONS: Final = "NIST00USA_R_20230010000_01D_30S_MO.crx.gz"
BROADCAST: Final = "BRDC00IGS_R_20230010000_01D_MN.rnx.gz"
REPETITIONS: Final = 3
GOAL_S: Final = 6.0  # of the processor, for a 30 s day of all systems
JIZHUN: Final = (sys.executable, "-c", "from pipelines.cli.app import main; main()")
PEER_PROGRAM: Final = """
import sys
from gnssmultipath import GNSS_MultipathAnalysis
GNSS_MultipathAnalysis(sys.argv[1], broadcastNav1=sys.argv[2], desiredGNSSsystems=list("GREC"),
    outputDir=sys.argv[3], plotEstimates=False, plot_polarplot=False, include_SNR=False, use_LaTex=False)
"""


def main() -> int:
    """Time both programs and print seconds and ratio."""
    parser = argparse.ArgumentParser(description="Compare judges of a station-day.")
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--peer", type=Path, help="interpreter with gnssmultipath installed")
    parser.add_argument("--station-days", type=int, default=0, help="judge so many in parallel")
    arguments = parser.parse_args()
    folder = Path(os.environ.get("JIZHUN_REAL_DATA", str(REPOSITORY / ".." / "shared" / "data"))) / FOLDER
    path = arguments.file or folder / OBSERVATIONS
    if not path.is_file():
        sys.stderr.write(f"{path} is missing: name a file or set JIZHUN_REAL_DATA\n")
        return 1
    ours_s = _median([*JIZHUN, "station", "qc", str(path), "--json"])
    _say(f"{path.name}, processor time of a whole process, median of {REPETITIONS}")
    _say(f"{'jizhun station qc, as stored':<48s}{ours_s:8.2f} s   goal {GOAL_S:.0f} s")
    if arguments.peer is None:
        _say("GNSS_Multipath_Analysis: no interpreter given (--peer), left out")
    else:
        _peer(arguments.peer, path, folder / BROADCAST, ours_s)
    if arguments.station_days:
        _many(path, folder / BROADCAST, arguments.station_days)
    return 0


def _peer(interpreter: Path, path: Path, navigation: Path, ours_s: float) -> None:
    with tempfile.TemporaryDirectory() as name:
        plain, messages = Path(name) / "day.rnx", Path(name) / "messages.rnx"
        plain.write_bytes(read_bytes(path)[0])
        messages.write_bytes(read_bytes(navigation)[0])
        seconds = _median(
            [str(interpreter), "-c", PEER_PROGRAM, str(plain), str(messages), str(Path(name) / "out")]
        )
    peer = "GNSS_Multipath_Analysis, plain text, no pictures"
    _say(f"{peer:<48s}{seconds:8.2f} s   {seconds / ours_s:.1f} times ours")


def _many(path: Path, navigation: Path, count: int) -> None:
    """Judge copies under the names of many stations, stop half-way, and go on."""
    # The header of Compact RINEX is plain text: only gzip is taken off.
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    marker = next(line for line in content.split(b"\n", 60) if line[60:].startswith(b"MARKER NAME"))
    with tempfile.TemporaryDirectory() as name:
        folder, out = Path(name) / "in", Path(name) / "out"
        folder.mkdir()
        (folder / navigation.name).write_bytes(navigation.read_bytes())
        for k in range(count):
            station = f"S{k:03d}"
            copy = content.replace(marker, f"{station:<60s}MARKER NAME".encode(), 1)
            (folder / f"{station}00USA_R_20230010000_01D_30S_MO.crx").write_bytes(copy)
        command = [*JIZHUN, "station", "qc", str(folder), "--out", str(out), "--json"]
        began = time.monotonic()
        first = subprocess.Popen(
            command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while first.poll() is None and len(list(out.glob("*.json"))) < count // 2:
            time.sleep(0.2)
        first.kill()
        first.wait()
        half = len(list(out.glob("*.json")))
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
        kept = done.stderr.count("(kept)")
        seconds = time.monotonic() - began
        _say(
            f"{count} station-days: stopped after {half}, taken up with {kept} kept, {seconds:.0f} s of wall "
            f"time in all, {len(os.sched_getaffinity(0))} processors"
        )


def _median(command: list[str]) -> float:
    times: list[float] = []
    for _ in range(REPETITIONS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return statistics.median(times)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
