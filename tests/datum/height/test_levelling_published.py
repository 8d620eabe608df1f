"""Published levelling networks: adjusted heights to the printed digit.

The networks are Krumm's text files of "Geodetic Network Adjustment Examples" (Stuttgart, rev. 3.5; Baumann
1995, Ghilani 2010 example 12.6, Niemeier 2008, Krumm) with the heights they publish, and GNU Gama's levelling
demo A with the result of GNU Gama 2.02.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from datum.formats.gama_xml import read_gama_levelling
from datum.height.levelling import adjust_levelling
from datum.records import HeightSolution, LevellingLine, LevellingNetwork, TideSystem

pytestmark = pytest.mark.real_data

HALF_A_PRINTED_DIGIT_M = 0.5e-4
HALF_A_PRINTED_SIGMA_MM = 0.5e-2
ROUNDING_SLACK = 1.0 + 1e-6  # a value that lies exactly half-way between two printed ones


@dataclass(frozen=True)
class Published:
    """One row of a published table: adjusted height m, correction and sigma mm."""

    height_m: float
    correction_mm: float
    sigma_mm: float


def _read_published(path: Path) -> dict[str, Published]:
    rows = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            name, height, correction, sigma = line.split()[:4]
            rows[name] = Published(float(height), float(correction), float(sigma))
    return rows


def _read_krumm(path: Path) -> LevellingNetwork:
    """Krumm's text format: sections in brackets, % begins a comment; lengths in m, sigma for 1 km in m."""
    sections: dict[str, list[list[str]]] = {}
    current = ""
    for raw in path.read_text(encoding="utf-8").splitlines():
        line = raw.split("%")[0].split("#")[0].strip()
        if line.startswith("["):
            current = line.strip("[]")
        elif line:
            sections.setdefault(current, []).append(line.split())
    approximate = {row[0]: float(row[-1]) for row in sections["Coordinates"]}
    sigma_1km = math.nan
    lines = []
    for i, row in enumerate(sections["LevelledHeightDifferences"], start=1):
        if len(row) == 5:
            sigma_1km = float(row[4])  # stands until another is given
        length_km = float(row[3]) / 1000.0
        lines.append(
            LevellingLine(
                f"L{i}", row[0], row[1], float(row[2]), length_km, sigma_1km * math.sqrt(length_km), i
            )
        )
    datum = sections["Datum"]
    kind, named = datum[0][0], datum[0][1:]
    fixed: dict[str, tuple[float, float]] = {}
    free: dict[str, float] = {}
    covariance = None
    if kind == "fix":
        fixed = {name: (approximate[name], 0.0) for name in named}
    elif kind == "free":
        free = {name: approximate[name] for name in named}
    else:
        covariance = np.array([[float(x) for x in row[1:]] for row in datum[1:]])
        fixed = {
            row[0]: (approximate[row[0]], math.sqrt(covariance[i, i])) for i, row in enumerate(datum[1:])
        }
    return LevellingNetwork(
        vertical_datum="local",
        tide_system=TideSystem.MEAN_TIDE,
        order=1,
        lines=tuple(lines),
        fixed_height_m=fixed,
        geodetic_position_deg={},
        stations={},
        free_datum_m=free,
        fixed_covariance_m2=covariance,
    )


def _height(solution: HeightSolution, name: str) -> float:
    return float(solution.height_m[solution.bench_marks.index(name)])


@pytest.mark.parametrize(
    "name", ["Baumann_Height_fix", "Ghilani12_6_Height_fix", "Krumm_Height_dyn", "Niemeier_Height_free"]
)
def test_textbook_networks_reproduce_their_published_heights_and_sigmas(real_data: Path, name: str) -> None:
    folder = real_data / "geodesy" / "gama" / "1D"
    network = _read_krumm(folder / f"{name}.dat")
    published = _read_published(folder / f"{name}.adj")
    # The books publish the adjustment of all lines, so the search for blunders is turned off.
    solution = adjust_levelling(network, covariance="a posteriori", maximum_rejected=0)
    assert len(published) >= 3
    for point, row in published.items():
        assert abs(_height(solution, point) - row.height_m) <= HALF_A_PRINTED_DIGIT_M * ROUNDING_SLACK, point
        i = solution.bench_marks.index(point)
        sigma_mm = 1e3 * math.sqrt(solution.covariance_m2[i, i])
        assert abs(sigma_mm - row.sigma_mm) <= HALF_A_PRINTED_SIGMA_MM * ROUNDING_SLACK, point


def test_gama_demo_reproduces_heights_covariance_and_standardised_residuals(real_data: Path) -> None:
    folder = real_data / "geodesy" / "gama" / "local"
    network = read_gama_levelling(folder / "stroner-levelling-a.gkf", order=2)
    solution = adjust_levelling(network)
    # From stroner-levelling-a.xml by GNU Gama 2.02, which prints 16 decimals; compared to 0.1 micrometre.
    expected = {
        "1": 250.6962377763539962,
        "11": 249.8106300937259903,
        "17": 244.7769807699725959,
        "32": 253.6317554477260785,
        "34": 267.9199288778169148,
        "38": 268.2926289418810484,
        "43": 236.3185878269286206,
    }
    for point, height_m in expected.items():
        assert abs(_height(solution, point) - height_m) < 1e-7
    assert solution.degrees_of_freedom == 8
    assert solution.variance_factor == pytest.approx(33.680920 / 8 / 9.0, rel=1e-7)  # sum of squares, 3 mm
    assert math.sqrt(solution.chi_square_limits[0]) == pytest.approx(0.522, abs=5e-4)
    assert math.sqrt(solution.chi_square_limits[1]) == pytest.approx(1.480, abs=5e-4)
    i, j = solution.bench_marks.index("1"), solution.bench_marks.index("11")
    assert 1e6 * solution.covariance_m2[i, i] == pytest.approx(4.4203214, rel=1e-7)
    assert 1e6 * solution.covariance_m2[i, j] == pytest.approx(0.92101812, rel=1e-7)
    worst = solution.lines[2]
    assert abs(worst.standardised) == pytest.approx(1.562, abs=5e-4)
    assert not solution.rejections
