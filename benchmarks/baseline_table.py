"""Vectors of the Wettzell baseline by system and carrier, beside IGS's published ones, as a Markdown table.

    python benchmarks/baseline_table.py          # needs JIZHUN_REAL_DATA, as the tests do

East / north / up in millimetres, minus the median of the published vectors; sigmas are the solutions' own.
"""

import csv
import os
import sys
from pathlib import Path
from typing import Final, Literal

import numpy as np

from stations.baseline.options import BaselineOptions
from stations.baseline.solve import solve_baseline
from stations.formats.antex import read_antex
from stations.formats.products import find_products
from stations.formats.rinex_observation import read_observations
from stations.ppp.options import SIGNAL_PAIRS, PppOptions
from transforms.geodetic import enu_covariance, enu_matrix_at

ROOT: Final = Path(__file__).resolve().parent.parent
PUBLISHED: Final = ROOT / "tests" / "authorities" / "wettzell_vectors.csv"
FILE: Final = "{}00DEU_R_20201770000_01D_30S_MO_120epoch.crx.gz"
# Systems, carriers, and pairs of bands in place of the usual ones.
RUNS: Final[tuple[tuple[str, Literal["both", "first", "second"], tuple[str, str] | None], ...]] = (
    ("GEC", "both", None),
    ("GEC", "first", None),
    ("GEC", "second", None),
    ("G", "both", None),
    ("G", "first", None),
    ("G", "second", None),
    ("G", "second", ("1", "5")),
    ("E", "both", None),
    ("E", "first", None),
    ("E", "second", None),
    ("E", "second", ("1", "7")),
    ("E", "second", ("1", "8")),
    ("C", "both", None),
    ("C", "first", None),
    ("C", "second", None),
)


def main() -> None:
    """Print both tables."""
    data = Path(os.environ.get("JIZHUN_REAL_DATA", ROOT.parent / "shared" / "data"))
    folder = data / "wettzell_2020177"
    first, second = (read_observations([folder / FILE.format(name)]) for name in ("WTZR", "WTZZ"))
    products = find_products([folder], first.epochs[0], first.epochs[-1], systems="GEC")
    antennas = read_antex(data / "atx" / "igs20_2385_sats_plus_6rcv.atx.gz")
    with PUBLISHED.open() as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    published = np.array([[float(row[k]) for k in ("dx_m", "dy_m", "dz_m")] for row in rows])
    median = np.median(published, axis=0)
    header = first.header.approximate_position_ecef_m
    assert header is not None
    to_enu = enu_matrix_at(header)
    _say("| published | epoch | E | N | U |\n|---|---|---|---|---|")
    for row, vector in zip(rows, published, strict=True):
        east, north, up = 1e3 * to_enu @ (vector - median)
        _say(f"| {row['source']} | {row['epoch']} | {east:.1f} | {north:.1f} | {up:.1f} |")
    _say("\n| signals | carriers | ambiguities | E | N | U | sigma E/N/U | phase rms |")
    _say("|---|---|---|---|---|---|---|---|")
    for systems, carriers, pair in RUNS:
        pairs = SIGNAL_PAIRS if pair is None else {**SIGNAL_PAIRS, systems: (pair,)}
        solution = solve_baseline(
            first,
            second,
            products,
            antennas,
            options=BaselineOptions(
                systems=systems,
                carriers=carriers,
                ppp=PppOptions(signal_pairs=pairs),
            ),
        )
        east, north, up = 1e3 * to_enu @ (solution.vector_ecef_m - median)
        sigma = 1e3 * np.sqrt(np.diag(enu_covariance(header, solution.covariance_m2)))
        _say(
            f"| {' '.join(solution.signals)} | {carriers} | {solution.ambiguities} | "
            f"{east:.1f} | {north:.1f} | {up:.1f} | {sigma[0]:.1f} / {sigma[1]:.1f} / {sigma[2]:.1f} | "
            f"{1e3 * solution.residual_rms_phase_m:.1f} |"
        )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
