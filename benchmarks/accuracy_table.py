"""Station solutions of real days against published coordinates: the numbers of docs/accuracy.md.

BOR1 2024-035 (GRG orbits and phase biases) and NIST 2023-001 (WUM orbits and clocks), by systems, float and
fixed, by signal pair of BeiDou-3, by length of session, and kinematic. Peers' figures stand in that page.

Run: python benchmarks/accuracy_table.py   (needs the real data sets, JIZHUN_REAL_DATA)
"""

import csv
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from stations.formats.antex import read_antex
from stations.formats.products import find_products
from stations.formats.rinex_observation import read_observations
from stations.ppp.options import SIGNAL_PAIRS, PppOptions
from stations.ppp.solve import solve_station
from stations.records import AntennaCalibration, Observations, PreciseProducts, StationSolution
from transforms.geodetic import enu_covariance, enu_matrix_at

REPOSITORY = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("JIZHUN_REAL_DATA", REPOSITORY / ".." / "shared" / "data")).resolve()
BEIDOU_2 = frozenset(f"C{number:02d}" for number in range(1, 19))
B1C_B2A = {**SIGNAL_PAIRS, "C": (("1", "5"),)}


class StationDay:
    """One station's day with its products and its truth."""

    def __init__(self, folder: str, observation: str, station: str, ambiguities: str) -> None:
        self.station = station
        self.observations: Observations = read_observations([DATA / folder / observation])
        epochs = self.observations.epochs
        self.products: PreciseProducts = find_products(
            [DATA / folder, DATA / "eop"], epochs[0], epochs[-1], systems="GREC", ambiguities=ambiguities
        )
        self.antennas: tuple[AntennaCalibration, ...] = read_antex(
            DATA / "atx" / "igs20_2385_sats_plus_6rcv.atx.gz"
        ) + read_antex(DATA / "atx" / "igs05.atx.gz")
        with (DATA / "truth" / "TRUTH.csv").open() as file:
            row = next(r for r in csv.DictReader(file) if r["station"] == station)
        self.truth_ecef_m = np.array([float(row[k]) for k in "XYZ"])

    def solve(self, hours: float | None = None, **options: object) -> StationSolution:
        """A solution, of the first `hours` only if given."""
        observations = self.observations
        if hours is not None:
            epoch = observations.data["epoch"].values
            last = epoch[0] + np.timedelta64(round(hours * 3600), "s")
            observations = replace(observations, data=observations.data.sel(epoch=slice(None, last)))
        return solve_station(observations, self.products, self.antennas, options=PppOptions(**options))

    def enu_mm(self, solution: StationSolution) -> np.ndarray:
        """Solution minus truth, east, north, up."""
        return enu_matrix_at(self.truth_ecef_m) @ (solution.position_ecef_m - self.truth_ecef_m) * 1e3

    def row(self, label: str, solution: StationSolution) -> str:
        """A line of the table."""
        e, n, u = self.enu_mm(solution)
        sigma = np.sqrt(np.diagonal(enu_covariance(self.truth_ecef_m, solution.covariance_m2))) * 1e3
        return (
            f"| {self.station} | {label} | {e:.1f} | {n:.1f} | {u:.1f} | {np.hypot(np.hypot(e, n), u):.1f} "
            f"| {sigma[0]:.1f} / {sigma[1]:.1f} / {sigma[2]:.1f} | {solution.fixed_fraction:.0%} "
            f"| {solution.residual_rms_phase_m * 1e3:.1f} mm / {solution.residual_rms_code_m:.2f} m |\n"
        )


def main() -> int:
    """Print the tables."""
    out = sys.stdout.write
    if not DATA.is_dir():
        out(f"no real data sets at {DATA}: set JIZHUN_REAL_DATA\n")
        return 0
    bor1 = StationDay("bor1_2024035", "BOR100POL_R_20240350000_01D_30S_MO.crx.gz", "BOR1", "fix")
    nist = StationDay("nist_2023001", "NIST00USA_R_20230010000_01D_30S_MO.crx.gz", "NIST", "float")
    out("| station | solution | E | N | U | 3-D | sigma E/N/U | fixed | phase / code residuals |\n")
    out("|---|---|---|---|---|---|---|---|---|\n")
    for systems in ("G", "E", "C", "GE", "GEC", "R", "GR", "GREC"):
        for ambiguities in ("float", "fix") if systems != "R" else ("float",):
            solution = bor1.solve(systems=systems, ambiguities=ambiguities)
            out(bor1.row(f"{systems} {ambiguities}", solution))
    for systems in ("G", "E", "C", "GE", "GEC", "R", "GR", "GREC"):
        out(nist.row(f"{systems} float", nist.solve(systems=systems)))
    out(nist.row("BDS-3 B1I+B3I float", nist.solve(systems="C", excluded=BEIDOU_2)))
    out(nist.row("BDS-3 B1C+B2a float", nist.solve(systems="C", excluded=BEIDOU_2, signal_pairs=B1C_B2A)))
    out("\nFirst hours of the day, GEC:\n\n")
    for hours in (1, 2, 6, 12):
        out(bor1.row(f"first {hours} h, float, 30 s", bor1.solve(hours, interval_s=30.0)))
        out(bor1.row(f"first {hours} h, fix, 30 s", bor1.solve(hours, interval_s=30.0, ambiguities="fix")))
        out(nist.row(f"first {hours} h, float", nist.solve(hours)))
    for day in (bor1, nist):
        solution = day.solve(mode="kinematic", interval_s=300.0)
        series = (solution.kinematic_position_ecef_m - day.truth_ecef_m) @ enu_matrix_at(day.truth_ecef_m).T
        scatter = np.std(series, axis=0) * 1e3
        out(
            f"\n{day.station} kinematic, 300 s: mean {np.round(day.enu_mm(solution), 1)} mm, "
            f"scatter {np.round(scatter, 1)} mm (E, N, U)\n"
        )
    for day in (bor1, nist):
        one, other = (day.solve(systems=s, interval_s=300.0).zenith_delays for s in ("G", "E"))
        _, first, second = np.intersect1d(one.epochs.tai_ns, other.epochs.tai_ns, return_indices=True)
        difference = (one.total_m[first] - other.total_m[second]) * 1e3
        out(f"{day.station} zenith delay, GPS minus Galileo: mean {np.mean(difference):.1f}, rms ")
        out(f"{np.sqrt(np.mean(difference**2)):.1f} mm\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
