"""The sample region's gravity network: three absolute stations, two gravimeters that drift, one blunder."""

from pathlib import Path
from typing import Final

import numpy as np

from datum.formats.csv_table import write_table
from datum.formats.gravity_csv import (
    ABSOLUTE_COLUMNS,
    ABSOLUTE_OPTIONAL_COLUMNS,
    MGAL_M_PER_S2,
    READING_COLUMNS,
)
from datum.gravity.network import NORMAL_GRAVITY_DECREASE_PER_S2
from datum.simulation.marks import Mark, gravity_points
from stations.simulation.random_streams import random_stream

ABSOLUTE_POINTS: Final = ("SG-NJLS", "SG-HUSH", "SG-HZWN")
ABSOLUTE_SIGMA_MGAL: Final = 0.004
READING_SIGMA_MGAL: Final = 0.012
DRIFT_SIGMA_MGAL_PER_H: Final = 0.02
INSTRUMENTS: Final = (("SIM-RG7", 1931.42), ("SIM-RG9", 4120.88))  # name, constant of its counter in mGal
STEP_MIN: Final = 85.0  # from point to point, by car
BLUNDER_MGAL: Final = 0.150
BLUNDER_READING: Final = ("SIM-RG9", "2026-04-12", "SB10")
# One loop a day, out and back to where it began; both instruments ride in the same car.
LOOPS: Final = (
    ("2026-04-10", ("SG-NJLS", "SG-YZTZ", "SB02", "SG-WUJN", "SB02", "SG-YZTZ", "SG-NJLS")),
    ("2026-04-11", ("SG-HUSH", "SG-CHMD", "SB05", "SG-WUJN", "SB15", "SG-CHMD", "SG-HUSH")),
    ("2026-04-12", ("SG-NJLS", "SB10", "SG-MGSH", "SG-TAIX", "SB10", "SG-NJLS")),
    ("2026-04-13", ("SG-HZWN", "SG-MGSH", "SG-TAIX", "SB15", "SG-MGSH", "SG-HZWN")),
    ("2026-04-14", ("SG-HUSH", "SB05", "SB15", "SG-HZWN", "SB05", "SG-HUSH")),
    ("2026-04-15", ("SG-TAIX", "SG-WUJN", "SB02", "SG-YZTZ", "SG-WUJN", "SG-TAIX")),
)


def write_gravity_network(folder: Path, seed: int) -> None:
    """Write readings.csv and absolute.csv into a folder."""
    marks = {mark.name: mark for mark in gravity_points()}
    rows = []
    for instrument, constant_mgal in INSTRUMENTS:
        for day, points in LOOPS:
            rows += _loop(instrument, constant_mgal, day, points, marks, seed)
    write_table(folder / "readings.csv", (*READING_COLUMNS, "instrument_height_m"), rows)
    table = []
    for name, mark in marks.items():
        gravity, sigma = "", ""
        if name in ABSOLUTE_POINTS:
            error = random_stream(seed, "absolute gravity", name).standard_normal() * ABSOLUTE_SIGMA_MGAL
            gravity = f"{mark.gravity_m_per_s2 / MGAL_M_PER_S2 + float(error):.4f}"
            sigma = f"{ABSOLUTE_SIGMA_MGAL:.4f}"
        place = (f"{mark.latitude_deg:.5f}", f"{mark.longitude_deg:.5f}")
        values = {
            "point": name, "gravity_mgal": gravity, "sigma_mgal": sigma, "station": mark.station,
            "latitude_deg": place[0], "longitude_deg": place[1],
        }  # fmt: skip
        table.append([values[column] for column in (*ABSOLUTE_COLUMNS, *ABSOLUTE_OPTIONAL_COLUMNS)])
    write_table(folder / "absolute.csv", (*ABSOLUTE_COLUMNS, *ABSOLUTE_OPTIONAL_COLUMNS), table)


def _loop(
    instrument: str,
    constant_mgal: float,
    day: str,
    points: tuple[str, ...],
    marks: dict[str, Mark],
    seed: int,
) -> list[tuple[str, ...]]:
    """Readings of one instrument on one day, tides removed."""
    generator = random_stream(seed, "gravimeter", instrument, day)
    drift = float(generator.standard_normal()) * DRIFT_SIGMA_MGAL_PER_H
    jump = float(generator.uniform(-0.5, 0.5))  # over night
    minute = 0.0
    rows: list[tuple[str, ...]] = []
    blundered = False
    for point in points:
        mark = marks[point]
        height_m = round(0.25 + 0.02 * float(generator.standard_normal()), 3)
        at_sensor = mark.gravity_m_per_s2 - NORMAL_GRAVITY_DECREASE_PER_S2 * height_m
        moment = np.datetime64(f"{day}T00:10:00") + np.timedelta64(round(minute * 60.0), "s")
        hours = round(minute * 60.0) / 3600.0
        reading = at_sensor / MGAL_M_PER_S2 - 979_000.0 + constant_mgal + jump + drift * hours
        reading += float(generator.standard_normal()) * READING_SIGMA_MGAL
        if (instrument, day, point) == BLUNDER_READING and not blundered:
            reading += BLUNDER_MGAL
            blundered = True
        rows.append(
            (
                instrument,
                day,
                point,
                str(moment),
                f"{reading:.4f}",
                f"{READING_SIGMA_MGAL:.3f}",
                "yes",
                f"{height_m:.3f}",
            )
        )
        minute += STEP_MIN * float(generator.uniform(0.8, 1.2))
    return rows
