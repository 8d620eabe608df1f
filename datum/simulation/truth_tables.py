"""Truth of the sample region as tables: stations, bench marks, gravity points, planted blunders."""

from pathlib import Path

import numpy as np

from datum.formats.csv_table import write_table
from datum.formats.gravity_csv import MGAL_M_PER_S2
from datum.simulation.common_points_sample import BLUNDER_NORTH_M, BLUNDER_POINT, SOURCE_DATUM
from datum.simulation.gravity_sample import BLUNDER_MGAL, BLUNDER_READING
from datum.simulation.levelling_sample import BLUNDER_M, blunder_line_name
from datum.simulation.marks import bench_marks, gravity_points, station_marks
from stations.simulation.region_plan import FRAME, STATIONS, mean_epoch
from transforms.frame_links import transform_coordinates
from transforms.time_scales import Epochs

NATIONAL_FRAME = "CGCS2000"
_NATIONAL_EPOCH = "2000-01-01T00:00:00"


def write_truth(folder: Path) -> None:
    """Write stations.csv (what `jizhun run` compares with), cgcs2000.csv, bench_marks.csv, gravity.csv and
    planted_blunders.csv into a folder.
    """
    epoch = mean_epoch()
    marks = {mark.station: mark for mark in station_marks()}
    national_epoch = Epochs.from_datetime64(np.datetime64(_NATIONAL_EPOCH, "ns"))
    stations, national = [], []
    for station in STATIONS:
        position = station.position_ecef_m(epoch)
        mark = marks[station.code]
        stations.append(
            (
                station.code,
                FRAME,
                epoch.iso(),
                *(f"{value:.4f}" for value in position),
                f"{mark.normal_height_m:.4f}",
                f"{mark.gravity_m_per_s2 / MGAL_M_PER_S2:.4f}",
            )
        )
        carried = transform_coordinates(
            position,
            np.zeros((3, 3)),
            station.velocity_ecef_m_per_yr,
            FRAME,
            epoch,
            NATIONAL_FRAME,
            national_epoch,
            with_parameter_uncertainty=False,
        )
        values = (f"{value:.4f}" for value in carried.position_ecef_m)
        national.append((station.code, NATIONAL_FRAME, _NATIONAL_EPOCH, *values))
    place = ("station", "frame", "epoch", "x_m", "y_m", "z_m")
    write_table(folder / "stations.csv", (*place, "normal_height_m", "gravity_mgal"), stations)
    write_table(folder / "cgcs2000.csv", place, national)
    write_table(
        folder / "bench_marks.csv",
        ("bench_mark", "station", "normal_height_m"),
        ((mark.name, mark.station, f"{mark.normal_height_m:.5f}") for mark in bench_marks()),
    )
    write_table(
        folder / "gravity.csv",
        ("point", "station", "gravity_mgal"),
        (
            (mark.name, mark.station, f"{mark.gravity_m_per_s2 / MGAL_M_PER_S2:.4f}")
            for mark in gravity_points()
        ),
    )
    instrument, day, point = BLUNDER_READING
    write_table(
        folder / "planted_blunders.csv",
        ("network", "observation", "size", "unit"),
        (
            ("levelling", f"line {blunder_line_name()}", f"{BLUNDER_M:.3f}", "m"),
            ("common points", f"north of {BLUNDER_POINT} in {SOURCE_DATUM}", f"{BLUNDER_NORTH_M:.3f}", "m"),
            ("gravity", f"first reading of {instrument} at {point} on {day}", f"{BLUNDER_MGAL:.3f}", "mGal"),
        ),
    )
