"""Tables of station coordinates carried to another frame and epoch."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.formats.csv_table import CsvRow, check_unique, read_table
from pipelines.control_file import GREATEST_COORDINATE_M, GREATEST_VELOCITY_M_PER_YR, VELOCITY_COLUMNS
from pipelines.days import parse_day
from transforms.errors import FormatError, InputError
from transforms.frame_links import transform_coordinates
from transforms.frames import frame_named
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]
COLUMNS: Final = ("station", "x_m", "y_m", "z_m")
OPTIONAL_COLUMNS: Final = ("epoch", *VELOCITY_COLUMNS)


@dataclass(frozen=True, eq=False)
class StationToTransform:
    """A station's geocentric position at an epoch, with its velocity in m/yr where known."""

    station: str
    position_ecef_m: tuple[float, float, float]
    epoch: Epochs
    velocity_m_per_yr: tuple[float, float, float] | None


@dataclass(frozen=True, eq=False)
class TransformedStation:
    """A station in the frame and at the epoch asked for.

    sigma_m (3,) : what the published transformations add to the uncertainty, along x, y, z
    """

    station: str
    epoch: Epochs
    position_ecef_m: FloatArray
    sigma_m: FloatArray
    velocity_m_per_yr: FloatArray | None


def parse_epoch(text: str) -> Epochs:
    """Epoch from "2026-116", "2026-04-26", "2026-04-26T12:00:00" or a decimal year "2000.0", GPST."""
    try:
        if text.count(".") == 1 and "-" not in text and "T" not in text:
            return Epochs.from_decimal_year(float(text))
        if "T" in text:
            return Epochs.from_datetime64(np.datetime64(text, "ns"))
        return Epochs.from_datetime64(np.datetime64(parse_day(text), "ns"))
    except ValueError as error:
        raise InputError(f'"{text}" is no epoch: {error}') from None


def read_stations(
    path: Path, epoch: Epochs | None, velocity_m_per_yr: tuple[float, float, float] | None
) -> tuple[StationToTransform, ...]:
    """Read a table of stations; epoch and velocity serve where the table has none of its own."""
    rows, _ = read_table(path, required=COLUMNS, optional=OPTIONAL_COLUMNS)
    check_unique(rows, "station")
    return tuple(_station(row, epoch, velocity_m_per_yr) for row in rows)


def _station(
    row: CsvRow, epoch: Epochs | None, velocity_m_per_yr: tuple[float, float, float] | None
) -> StationToTransform:
    limit, speed = GREATEST_COORDINATE_M, GREATEST_VELOCITY_M_PER_YR
    text = row.texts.get("epoch", "")
    own = epoch
    if text:
        try:
            own = parse_epoch(text)
        except InputError as error:
            raise row.error("epoch", str(error)) from None
    if own is None:
        raise FormatError(row.path, row.line, "no epoch: give a column epoch, or --epoch for all")
    given = [row.optional_number(name, -speed, speed) for name in VELOCITY_COLUMNS]
    known = [value for value in given if value is not None]
    if known and len(known) != len(given):
        raise row.error(VELOCITY_COLUMNS[given.index(None)], "is empty, and the others are given")
    return StationToTransform(
        row.text("station"),
        (
            row.number("x_m", -limit, limit),
            row.number("y_m", -limit, limit),
            row.number("z_m", -limit, limit),
        ),
        own,
        (known[0], known[1], known[2]) if known else velocity_m_per_yr,
    )


def transform_stations(
    stations: Sequence[StationToTransform], from_frame: str, to_frame: str, to_epoch: Epochs | None
) -> tuple[TransformedStation, ...]:
    """Each station in another frame. to_epoch None: the frame's own epoch where it is static, else unchanged.

    Raises FrameError where no path leads, or a velocity is needed and not known.
    """
    target = frame_named(to_frame)
    results = []
    for item in stations:
        epoch = to_epoch
        if epoch is None:
            fixed = target.fixed_epoch_year
            epoch = item.epoch if fixed is None else Epochs.from_decimal_year(fixed)
        carried = transform_coordinates(
            np.array(item.position_ecef_m),
            np.zeros((3, 3)),
            None if item.velocity_m_per_yr is None else np.array(item.velocity_m_per_yr),
            from_frame,
            item.epoch,
            to_frame,
            epoch,
            stations=[item.station],
        )
        results.append(
            TransformedStation(
                item.station,
                epoch,
                carried.position_ecef_m,
                np.sqrt(np.maximum(np.diag(carried.covariance_m2), 0.0)),
                carried.velocity_m_per_yr,
            )
        )
    return tuple(results)


def transformed_table(stations: Sequence[TransformedStation], frame: str) -> str:
    """The stations as a CSV table, positions to 0.1 mm."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("station", "frame", "epoch", "x_m", "y_m", "z_m", *VELOCITY_COLUMNS))
    for item in stations:
        velocity = [""] * 3
        if item.velocity_m_per_yr is not None:
            velocity = [f"{float(value):.5f}" for value in item.velocity_m_per_yr]
        position = [f"{float(value):.4f}" for value in item.position_ecef_m]
        writer.writerow((item.station, frame_named(frame).name, item.epoch.iso(), *position, *velocity))
    return stream.getvalue()
