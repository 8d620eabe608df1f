"""The levelling network of the sample region: lines between neighbours, closed loops, one blunder."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from datum.formats.csv_table import write_table
from datum.formats.levelling_csv import (
    BENCH_MARK_COLUMNS,
    BENCH_MARK_OPTIONAL_COLUMNS,
    LINE_COLUMNS,
)
from datum.simulation.marks import DATUM_BENCH_MARK, Mark, bench_marks
from stations.simulation.random_streams import random_stream

FloatArray = NDArray[np.float64]

# Three quarters of what GB/T 12897-2006 allows the second order: a network that meets its limits.
NOISE_M_PER_SQRT_KM: Final = 0.0015
N_LINES: Final = 36
DETOUR: Final = 1.12  # a road is longer than the straight line
BLUNDER_LINE: Final = ("SB11", "SB12")
BLUNDER_M: Final = 0.100  # a decimetre misread on the rod
SECOND_DATUM_BENCH_MARK: Final = "SB04"
SECOND_DATUM_SIGMA_M: Final = 0.004
_KM_PER_DEG: Final = 111.2


def _plane_km(marks: tuple[Mark, ...]) -> FloatArray:
    latitude = np.array([m.latitude_deg for m in marks])
    longitude = np.array([m.longitude_deg for m in marks])
    return np.stack([longitude * np.cos(np.radians(31.3)), latitude], axis=-1) * _KM_PER_DEG


def line_ends(marks: tuple[Mark, ...]) -> tuple[tuple[int, int], ...]:
    """The lines as pairs of indices: the shortest sides of the triangulation, every mark on two at least."""
    plane = _plane_km(marks)
    sides = {
        (min(a, b), max(a, b))
        for triangle in Delaunay(plane).simplices
        for a, b in ((int(triangle[i]), int(triangle[i - 1])) for i in range(3))
    }
    by_length = sorted(sides, key=lambda side: (float(np.linalg.norm(plane[side[0]] - plane[side[1]])), side))
    chosen = by_length[:N_LINES]
    for index in range(len(marks)):
        missing = 2 - sum(index in side for side in chosen)
        chosen += [side for side in by_length if index in side and side not in chosen][: max(missing, 0)]
    return tuple(sorted(chosen))


def write_levelling(folder: Path, seed: int) -> None:
    """Write lines.csv and bench_marks.csv into a folder."""
    marks = bench_marks()
    plane = _plane_km(marks)
    rows = []
    for number, (a, b) in enumerate(line_ends(marks), start=1):
        name = f"SL{number:02d}"
        length_km = float(np.linalg.norm(plane[a] - plane[b])) * DETOUR
        noise = random_stream(seed, "levelling line", marks[a].name, marks[b].name).standard_normal()
        difference = marks[b].normal_height_m - marks[a].normal_height_m
        difference += float(noise) * NOISE_M_PER_SQRT_KM * np.sqrt(length_km)
        if (marks[a].name, marks[b].name) == BLUNDER_LINE:
            difference += BLUNDER_M
        rows.append((name, marks[a].name, marks[b].name, f"{difference:.5f}", f"{length_km:.1f}"))
    # The optional sigma is left out: the order's serves.
    write_table(folder / "lines.csv", LINE_COLUMNS, rows)

    known = {DATUM_BENCH_MARK: 0.0, SECOND_DATUM_BENCH_MARK: SECOND_DATUM_SIGMA_M}
    table = []
    for mark in marks:
        height, sigma = "", ""
        if mark.name in known:
            error = random_stream(seed, "datum", mark.name).standard_normal() * known[mark.name]
            height, sigma = f"{mark.normal_height_m + float(error):.4f}", f"{known[mark.name] * 1e3:.1f}"
        table.append(
            (mark.name, f"{mark.latitude_deg:.5f}", f"{mark.longitude_deg:.5f}", mark.station, height, sigma)
        )
    write_table(folder / "bench_marks.csv", (*BENCH_MARK_COLUMNS, *BENCH_MARK_OPTIONAL_COLUMNS), table)


def blunder_line_name() -> str:
    """Name of the line that holds the blunder."""
    marks = bench_marks()
    ends = [(marks[a].name, marks[b].name) for a, b in line_ends(marks)]
    return f"SL{ends.index(BLUNDER_LINE) + 1:02d}"
