"""Station solutions away from the clocks' reference signals, with code biases by OSB, by DSB and without.

BOR1 2024-035, GPS float on COD's orbits and clocks: position minus the same day's IGS solution, of the day
and of its first hour, and what of each satellite's ionosphere-free code is left against the clocks: the
median over its day of code minus model at the known position, rms over the satellites.

Run: python benchmarks/code_bias_table.py   (needs the real data sets, JIZHUN_REAL_DATA)
"""

import csv
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from stations.formats.antex import read_antex
from stations.formats.bias_sinex import read_bias_sinex
from stations.formats.products import find_products
from stations.formats.rinex_observation import read_observations
from stations.ppp.options import PppOptions
from stations.ppp.receiver_antenna import receiver_calibration
from stations.ppp.rows import epochs_on_interval, rows_of
from stations.ppp.session import Session
from stations.ppp.signal_selection import select_observations
from stations.ppp.solve import solve_station
from stations.records import AntennaCalibration, Observations, PreciseProducts, StationSolution
from transforms.geodetic import enu_matrix_at
from transforms.time_scales import Epochs

REPOSITORY = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("JIZHUN_REAL_DATA", REPOSITORY / ".." / "shared" / "data")).resolve()
FOLDER = DATA / "bor1_2024035"
DIFFERENCES = "CAS0MGXRAP_20240350000_01D_01D_DCB.BSX.gz"
PAIRS = (("1C", "2W"), ("1C", "2X"), ("1C", "5X"))


def satellite_code_rms_m(
    observations: Observations,
    products: PreciseProducts,
    antennas: tuple[AntennaCalibration, ...],
    options: PppOptions,
    truth_ecef_m: np.ndarray,
) -> float:
    """Rms over satellites of the median of code minus model, each less its epoch's median, m."""
    selected = select_observations(observations, options, products.biases)
    rows = rows_of(selected, epochs_on_interval(selected.epoch_ns, 300.0))
    receiver = receiver_calibration(antennas, observations.header.setup.antenna, options)
    session = Session(selected, products, Epochs(rows.epoch_ns), antennas, receiver, None, options)
    _, clock_s, paths = session.first_position_and_clock(rows, truth_ecef_m)
    good = paths.valid & (paths.elevation_rad > np.radians(20.0))
    rows, paths = rows.take(good), paths.take(good)
    problem = session.linearise(rows, paths, truth_ecef_m, clock_s)
    code_m = problem.misclosure_m[rows.size :]
    for epoch in range(rows.epoch_ns.size):
        mine = rows.epoch_index == epoch
        if mine.any():
            code_m[mine] -= np.median(code_m[mine])
    medians = [float(np.median(code_m[rows.satellite_index == k])) for k in np.unique(rows.satellite_index)]
    return float(np.sqrt(np.mean((np.array(medians) - np.median(medians)) ** 2)))


def main() -> int:
    """Print the table."""
    out = sys.stdout.write
    if not DATA.is_dir():
        out(f"no real data sets at {DATA}: set JIZHUN_REAL_DATA\n")
        return 0
    observations = read_observations([FOLDER / "BOR100POL_R_20240350000_01D_30S_MO.crx.gz"], systems="G")
    epochs = observations.epochs
    products = find_products([FOLDER, DATA / "eop"], epochs[0], epochs[-1], systems="G", centre="COD")
    antennas = read_antex(DATA / "atx" / "igs20_2385_sats_plus_6rcv.atx.gz")
    with (DATA / "truth" / "TRUTH.csv").open() as file:
        row = next(r for r in csv.DictReader(file) if r["station"] == "BOR1")
    truth = np.array([float(row[k]) for k in "XYZ"])
    assert products.biases is not None
    differences = read_bias_sinex(FOLDER / DIFFERENCES)
    by_way = {
        "OSB of COD": products.biases,
        "DSB of CAS": differences,
        "OSB of COD, completed by DSB of CAS": replace(
            products.biases,
            biases=(*products.biases.biases, *(b for b in differences.biases if b.kind == "DSB")),
        ),
        "none": None,
    }
    out("| signals | code biases | E | N | U | first hour, E | N | U | phase | code | by satellite |\n")
    out("|---|---|---|---|---|---|---|---|---|---|---|\n")
    hour = observations.data["epoch"].values[0] + np.timedelta64(3600, "s")
    first_hour = replace(observations, data=observations.data.sel(epoch=slice(None, hour)))
    for pair in PAIRS:
        for way, biases in by_way.items():
            options = PppOptions(systems="G", signal_pairs={"G": (pair,)})
            given = replace(products, biases=biases)
            whole = solve_station(observations, given, antennas, options=options)
            short = solve_station(first_hour, given, antennas, options=replace(options, interval_s=30.0))
            if way != "none" and any("no code biases" in text for text in whole.remarks):
                continue

            def enu(solution: StationSolution) -> str:
                east, north, up = enu_matrix_at(truth) @ (solution.position_ecef_m - truth) * 1e3
                return f"{east:.1f} | {north:.1f} | {up:.1f}"

            spread = satellite_code_rms_m(observations, given, antennas, options, truth)
            out(
                f"| {'+'.join(pair)} | {way} | {enu(whole)} | {enu(short)} "
                f"| {whole.residual_rms_phase_m * 1e3:.1f} mm | {whole.residual_rms_code_m:.3f} m "
                f"| {spread:.3f} m |\n"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
