"""Relative gravity readings and absolute stations in CSV, and adjusted gravity out.

readings.csv, one row for each reading:

    instrument           name of the gravimeter ("CG5-36")
    loop                 stretch of one drift curve, usually a day ("2010-07-06")
    point                gravity point
    time_utc             ISO 8601, 2010-07-06T09:41:16 (a Z at the end is accepted)
    reading_mgal         reading in mGal, at the height of the sensor
    sigma_mgal           its sigma
    tide_corrected       yes or no; a reading with tides in it is refused
    instrument_height_m  optional, sensor above the mark; empty is 0
    tare                 optional whole number, 0 unless the instrument jumped: then it counts up

absolute.csv, one row for each point of which more is known than its readings:

    point                name, unique
    gravity_mgal         absolute gravity at the mark; empty where only the other columns are known
    sigma_mgal           its sigma; empty or 0 holds it fixed
    station              optional; reference station on the same pillar
    latitude_deg, longitude_deg  optional, positive north and east

Comments begin with #. Inside, gravity is in m/s2: 1 mGal = 1e-5 m/s2.
"""

import math
import re
from typing import Final

import numpy as np

from datum.formats.csv_table import CsvRow, check_unique, read_table, write_table
from datum.records import AbsoluteGravity, GravityObservations, GravityReading, GravitySolution, TideSystem
from stations.records import PathLike
from transforms.time_scales import Epochs, TimeScale

READING_COLUMNS: Final = (
    "instrument",
    "loop",
    "point",
    "time_utc",
    "reading_mgal",
    "sigma_mgal",
    "tide_corrected",
)
READING_OPTIONAL_COLUMNS: Final = ("instrument_height_m", "tare")
ABSOLUTE_COLUMNS: Final = ("point", "gravity_mgal", "sigma_mgal")
ABSOLUTE_OPTIONAL_COLUMNS: Final = ("station", "latitude_deg", "longitude_deg")

MGAL_M_PER_S2: Final = 1e-5
GREATEST_READING_MGAL: Final = 20_000.0  # the range of a relative gravimeter is 7,000 to 8,000 mGal
# Gravity at the Earth's surface runs from 976,390 mGal (Huascaran) to 983,370 mGal (Arctic Ocean): Hirt et
# al. (2013), New ultrahigh-resolution picture of Earth's gravity field, Geophys. Res. Lett. 40.
LOWEST_GRAVITY_MGAL: Final = 976_000.0
HIGHEST_GRAVITY_MGAL: Final = 984_000.0
SMALLEST_SIGMA_MGAL: Final = 1e-5
GREATEST_SIGMA_MGAL: Final = 100.0
GREATEST_INSTRUMENT_HEIGHT_M: Final = 10.0
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?Z?")
_YES_OR_NO: Final = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def read_gravity(
    readings_path: PathLike, absolute_path: PathLike, *, tide_system: TideSystem = TideSystem.ZERO_TIDE
) -> GravityObservations:
    """Read a gravity network.

    Parameters
    ----------
    readings_path, absolute_path : CSV files with the columns above
    tide_system : of the absolute values (the IAG asks for zero-tide: resolution 16 of 1983)

    Raises FormatError naming file, line and column.
    """
    rows, readings_file = read_table(
        readings_path, required=READING_COLUMNS, optional=READING_OPTIONAL_COLUMNS
    )
    readings = tuple(_reading(row) for row in rows)
    seen: dict[tuple[str, int], CsvRow] = {}
    for row, reading in zip(rows, readings, strict=True):
        key = (reading.instrument, int(reading.epoch.tai_ns))
        if key in seen:
            raise row.error(
                "time_utc",
                f"instrument {reading.instrument} reads at this time in line {seen[key].line} already",
            )
        seen[key] = row
    rows, absolute_file = read_table(
        absolute_path, required=ABSOLUTE_COLUMNS, optional=ABSOLUTE_OPTIONAL_COLUMNS
    )
    check_unique(rows, "point")
    absolute: list[AbsoluteGravity] = []
    positions: dict[str, tuple[float, float]] = {}
    stations: dict[str, str] = {}
    for row in rows:
        point = row.text("point")
        gravity = row.optional_number("gravity_mgal", LOWEST_GRAVITY_MGAL, HIGHEST_GRAVITY_MGAL)
        sigma = row.optional_number("sigma_mgal", 0.0, GREATEST_SIGMA_MGAL)
        if gravity is None and sigma is not None:
            raise row.error("sigma_mgal", "is given without gravity_mgal")
        if gravity is not None:
            absolute.append(AbsoluteGravity(point, gravity * MGAL_M_PER_S2, (sigma or 0.0) * MGAL_M_PER_S2))
        latitude = row.optional_number("latitude_deg", -90.0, 90.0)
        longitude = row.optional_number("longitude_deg", -180.0, 360.0)
        if (latitude is None) != (longitude is None):
            raise row.error(
                "latitude_deg" if latitude is None else "longitude_deg", "is empty, and the other is given"
            )
        if latitude is not None and longitude is not None:
            positions[point] = (latitude, longitude)
        if row.texts.get("station", ""):
            stations[point] = row.texts["station"]
    return GravityObservations(
        tide_system=tide_system,
        readings=readings,
        absolute=tuple(absolute),
        geodetic_position_deg=positions,
        stations=stations,
        inputs=(readings_file, absolute_file),
    )


def _reading(row: CsvRow) -> GravityReading:
    corrected = _YES_OR_NO.get(row.text("tide_corrected").lower())
    if corrected is None:
        raise row.error(
            "tide_corrected", f"yes or no was expected, and {row.text('tide_corrected')!r} was found"
        )
    if not corrected:
        raise row.error("tide_corrected", "the reading still holds the tides; correct it first")
    height = row.optional_number(
        "instrument_height_m", -GREATEST_INSTRUMENT_HEIGHT_M, GREATEST_INSTRUMENT_HEIGHT_M
    )
    tare = row.optional_number("tare", 0.0, 1000.0) or 0.0
    if tare != int(tare):
        raise row.error("tare", f"a whole number was expected, and {row.text('tare')} was found")
    reading = row.number("reading_mgal", -GREATEST_READING_MGAL, GREATEST_READING_MGAL)
    sigma = row.number("sigma_mgal", SMALLEST_SIGMA_MGAL, GREATEST_SIGMA_MGAL)
    return GravityReading(
        instrument=row.text("instrument"),
        loop=row.text("loop"),
        point=row.text("point"),
        epoch=_epoch(row),
        reading_m_per_s2=reading * MGAL_M_PER_S2,
        sigma_m_per_s2=sigma * MGAL_M_PER_S2,
        height_m=height or 0.0,
        line_in_file=row.line,
        tare=int(tare),
    )


def _epoch(row: CsvRow) -> Epochs:
    text = row.text("time_utc")
    if not _TIME.fullmatch(text):
        raise row.error(
            "time_utc", f"a time such as 2010-07-06T09:41:16 was expected, and {text!r} was found"
        )
    try:
        moment = np.datetime64(text.removesuffix("Z").replace(" ", "T"), "ns")
        return Epochs.from_datetime64(moment, TimeScale.UTC)
    except ValueError as error:
        raise row.error("time_utc", f"{text} is no time ({error})") from None


def write_gravity(path: PathLike, solution: GravitySolution) -> None:
    """Write adjusted gravity as CSV: 0.0001 mGal; the same bytes every time."""
    write_table(
        path,
        ("point", "station", "gravity_mgal", "sigma_mgal", "tide_system"),
        (
            (
                point,
                solution.stations.get(point, ""),
                f"{solution.gravity_m_per_s2[i] / MGAL_M_PER_S2:.4f}",
                f"{math.sqrt(max(float(solution.covariance_m2_per_s4[i, i]), 0.0)) / MGAL_M_PER_S2:.4f}",
                solution.tide_system.value,
            )
            for i, point in enumerate(solution.points)
        ),
    )
