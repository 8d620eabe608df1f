"""Known values to compare a region's results with: a simulated region's truth, or a calibration network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.formats.csv_table import CsvRow, check_unique, read_table
from datum.formats.gravity_csv import HIGHEST_GRAVITY_MGAL, LOWEST_GRAVITY_MGAL, MGAL_M_PER_S2
from datum.formats.levelling_csv import HIGHEST_HEIGHT_M, LOWEST_HEIGHT_M
from datum.records import GravitySolution, StationHeight
from pipelines.records import StationCoordinates, TruthDifference
from transforms.errors import FormatError
from transforms.frame_links import transform_coordinates
from transforms.geodetic import enu_matrix_at
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]

COLUMNS: Final = ("station", "frame", "epoch", "x_m", "y_m", "z_m")
OPTIONAL_COLUMNS: Final = ("normal_height_m", "gravity_mgal")
GREATEST_COORDINATE_M: Final = 6.5e6  # no point of the Earth's surface is farther from its centre


@dataclass(frozen=True, eq=False)
class KnownStation:
    """Known values of a station: position (3,) in `frame` at `epoch`; height and gravity where known."""

    station: str
    frame: str
    epoch: Epochs
    position_ecef_m: FloatArray
    normal_height_m: float | None
    gravity_m_per_s2: float | None


def read_truth(path: Path) -> tuple[KnownStation, ...]:
    """Read known values: a CSV table with COLUMNS and, where known, OPTIONAL_COLUMNS; epoch is an ISO time.

    Raises FormatError naming file, line and column.
    """
    rows, _ = read_table(path, required=COLUMNS, optional=OPTIONAL_COLUMNS)
    check_unique(rows, "station")
    return tuple(_known(row) for row in rows)


def _known(row: CsvRow) -> KnownStation:
    limit = GREATEST_COORDINATE_M
    text = row.text("epoch")
    try:
        epoch = Epochs.from_datetime64(np.datetime64(text, "ns"))
    except ValueError:
        raise FormatError(row.path, row.line, f"column epoch: {text!r} is no ISO time") from None
    gravity = row.optional_number("gravity_mgal", LOWEST_GRAVITY_MGAL, HIGHEST_GRAVITY_MGAL)
    return KnownStation(
        row.text("station"),
        row.text("frame"),
        epoch,
        np.array([row.number(name, -limit, limit) for name in ("x_m", "y_m", "z_m")]),
        row.optional_number("normal_height_m", LOWEST_HEIGHT_M, HIGHEST_HEIGHT_M),
        None if gravity is None else gravity * MGAL_M_PER_S2,
    )


def station_gravity(gravity: GravitySolution | None) -> Mapping[str, tuple[float, float]]:
    """Station -> gravity and its sigma, m/s2, of the gravity point on its pillar."""
    if gravity is None:
        return {}
    return {
        gravity.stations[point]: (
            float(gravity.gravity_m_per_s2[i]),
            max(float(gravity.covariance_m2_per_s4[i, i]), 0.0) ** 0.5,
        )
        for i, point in enumerate(gravity.points)
        if point in gravity.stations
    }


def compare_with_truth(
    known: Sequence[KnownStation],
    coordinates: Sequence[StationCoordinates],
    heights: Sequence[StationHeight],
    gravity: GravitySolution | None,
) -> tuple[TruthDifference, ...]:
    """Result minus truth for each solution of each station, in the frame and at the epoch of the result."""
    by_marker = {item.station[:4]: item for item in known}
    height_of = {item.station[:4]: item.normal_height_m for item in heights}
    gravity_of = {name[:4]: value for name, (value, _) in station_gravity(gravity).items()}
    differences = []
    for item in coordinates:
        truth = by_marker.get(item.station[:4])
        if truth is None:
            continue
        carried = transform_coordinates(
            truth.position_ecef_m,
            np.zeros((3, 3)),
            item.velocity_m_per_yr,
            truth.frame,
            truth.epoch,
            item.frame,
            item.epoch,
            stations=[item.name],
            with_parameter_uncertainty=False,
        )
        east, north, up = enu_matrix_at(item.position_ecef_m) @ (
            item.position_ecef_m - carried.position_ecef_m
        )
        height = height_of.get(item.station[:4])
        value = gravity_of.get(item.station[:4])
        differences.append(
            TruthDifference(
                item.name,
                (float(east), float(north), float(up)),
                None if height is None or truth.normal_height_m is None else height - truth.normal_height_m,
                None if value is None or truth.gravity_m_per_s2 is None else value - truth.gravity_m_per_s2,
            )
        )
    return tuple(differences)
