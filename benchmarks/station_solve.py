"""Time and accuracy of a station solution against RTKLIB's rnx2rtkp, in one run on the same observations.

BOR1 2024-035, GPS, static, every 300 s, against the same day's IGS solution. RTKLIB (Debian package
`rtklib`) takes the COD orbits, as it cannot read the GRG file's 119 satellites; Jizhun takes the same COD
orbits for the comparison of time, and GRG with three systems besides.

Run: python benchmarks/station_solve.py   (needs the real data sets, JIZHUN_REAL_DATA)
"""

import gzip
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import hatanaka
import numpy as np

from stations.formats.antex import read_antex
from stations.formats.products import find_products
from stations.formats.rinex_observation import read_observations
from stations.ppp.options import PppOptions
from stations.ppp.solve import solve_station
from transforms.geodetic import enu_matrix_at

REPOSITORY = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("JIZHUN_REAL_DATA", REPOSITORY / ".." / "shared" / "data")).resolve()
TRUTH_ECEF_M = np.array([3738358.1332, 1148174.0088, 5021815.9338])  # IGS daily SINEX of 2024-035, IGS20
OBSERVATIONS = "bor1_2024035/BOR100POL_R_20240350000_01D_30S_MO.crx.gz"
ANTEX = "atx/igs20_2385_sats_plus_6rcv.atx.gz"
ROUNDS = 5
RTKLIB_OPTIONS = """
pos1-posmode=ppp-static
pos1-frequency=l1+l2
pos1-soltype=combined
pos1-elmask=7
pos1-tidecorr=on
pos1-ionoopt=dual-freq
pos1-tropopt=est-ztdgrad
pos1-sateph=precise
pos1-posopt1=on
pos1-posopt2=on
pos1-posopt3=on
pos1-posopt4=on
pos1-navsys=1
out-solformat=xyz
out-solstatic=single
ant1-anttype=TRM59800.00     NONE
ant1-antdelu=0.0622
file-satantfile=igs20.atx
file-rcvantfile=igs20.atx
"""


def enu_mm(position_ecef_m: np.ndarray) -> np.ndarray:
    """Difference from the truth, east, north, up, mm."""
    return enu_matrix_at(TRUTH_ECEF_M) @ (position_ecef_m - TRUTH_ECEF_M) * 1e3


def jizhun_round(systems: str, centre: str) -> tuple[float, float, np.ndarray]:
    """Processor seconds of reading the observations and of solving, and the difference from the truth."""
    begin = time.process_time()
    observations = read_observations([DATA / OBSERVATIONS], systems=systems)
    middle = time.process_time()
    epochs = observations.epochs
    products = find_products(
        [DATA / "bor1_2024035", DATA / "eop"], epochs[0], epochs[-1], systems=systems, centre=centre
    )
    antennas = read_antex(DATA / ANTEX)
    before = time.process_time()
    solution = solve_station(
        observations, products, antennas, options=PppOptions(systems=systems, interval_s=300.0)
    )
    after = time.process_time()
    return middle - begin, after - before, enu_mm(solution.position_ecef_m)


def rtklib_round(folder: Path) -> tuple[float, np.ndarray]:
    """Processor seconds of the whole rnx2rtkp process, and the difference from the truth."""
    before = os.times()
    subprocess.run(
        ["rnx2rtkp", "-k", "options.conf", "-ti", "300", "-o", "out.pos", "obs.rnx", "nav.rnx", "orbit.sp3"],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    after = os.times()
    last = (folder / "out.pos").read_text().splitlines()[-1].split()
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, enu_mm(np.array([float(v) for v in last[2:5]]))


def main() -> int:
    """Print the table."""
    out = sys.stdout.write
    if not DATA.is_dir():
        out(f"no real data sets at {DATA}: set JIZHUN_REAL_DATA\n")
        return 0
    rows = {}
    for label, systems, centre in (
        ("Jizhun GPS, COD", "G", "COD"),
        ("Jizhun GPS+Galileo+BeiDou, GRG", "GEC", "GRG"),
    ):
        rounds = [jizhun_round(systems, centre) for _ in range(ROUNDS)]
        read = statistics.median(r[0] for r in rounds)
        solve = statistics.median(r[1] for r in rounds)
        rows[label] = read + solve
        e, n, u = rounds[0][2]
        out(f"{label:32s} read {read:6.2f} s  solve {solve:6.2f} s  ENU {e:6.1f} {n:6.1f} {u:6.1f} mm\n")
    if shutil.which("rnx2rtkp") is None:
        out("rnx2rtkp (Debian package rtklib) is not installed: no peer in this run\n")
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "obs.rnx").write_bytes(hatanaka.decompress((DATA / OBSERVATIONS).read_bytes()))
        for source, target in (
            ("bor1_2024035/COD0OPSFIN_20240350000_01D_05M_ORB.SP3.gz", "orbit.sp3"),
            ("bor1_2024035/BRDC00CNE_R_20240350000_01D_GN.rnx.gz", "nav.rnx"),
            (ANTEX, "igs20.atx"),
        ):
            (folder / target).write_bytes(gzip.decompress((DATA / source).read_bytes()))
        (folder / "options.conf").write_text(RTKLIB_OPTIONS)
        rounds = [rtklib_round(folder) for _ in range(ROUNDS)]
    seconds = statistics.median(r[0] for r in rounds)
    e, n, u = rounds[0][1]
    out(f"{'RTKLIB GPS, COD (whole process)':32s} {seconds:28.2f} s  ENU {e:6.1f} {n:6.1f} {u:6.1f} mm\n")
    ratio = rows["Jizhun GPS, COD"] / seconds
    out(f"ratio of processor time, Jizhun GPS (read + solve) / RTKLIB: {ratio:.2f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
