"""Bench marks and gravity points of the sample region, with their true values at the epoch of the truth."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from datum.simulation.fields import gravity_m_per_s2, normal_height_m
from stations.simulation.region_plan import STATIONS, mean_epoch
from transforms.ellipsoids import CGCS2000
from transforms.geodetic import geodetic_from_ecef


@dataclass(frozen=True)
class Mark:
    """A point with true normal height and gravity; station : on whose pillar it is, or ""."""

    name: str
    latitude_deg: float
    longitude_deg: float
    normal_height_m: float
    gravity_m_per_s2: float
    station: str = ""


# Bench marks between the stations: latitude, longitude in degrees and normal height in metres, invented.
_BETWEEN: Final = (
    ("SB01", 32.031, 119.214, 22.417),
    ("SB02", 32.214, 120.052, 8.932),
    ("SB03", 31.952, 120.581, 5.614),
    ("SB04", 31.894, 121.168, 4.871),
    ("SB05", 31.322, 121.487, 4.238),
    ("SB06", 30.884, 121.402, 4.706),
    ("SB07", 30.621, 120.987, 5.129),
    ("SB08", 30.388, 120.472, 12.845),
    ("SB09", 30.431, 119.951, 41.066),
    ("SB10", 30.902, 119.506, 63.318),
    ("SB11", 31.286, 119.218, 29.740),
    ("SB12", 31.488, 119.702, 11.453),
    ("SB13", 31.764, 119.823, 9.287),
    ("SB14", 31.402, 120.204, 7.118),
    ("SB15", 31.196, 120.603, 5.502),
    ("SB16", 30.872, 120.233, 6.331),
)
DATUM_BENCH_MARK: Final = "SB14"


@lru_cache(maxsize=1)
def station_marks() -> tuple[Mark, ...]:
    """Markers of all stations, in the plan's order."""
    marks = []
    for station in STATIONS:
        position = station.position_ecef_m(mean_epoch())
        latitude, longitude, _ = (float(v) for v in geodetic_from_ecef(position, CGCS2000))
        height = float(normal_height_m(position))
        gravity = float(gravity_m_per_s2(np.degrees(latitude), np.degrees(longitude), height))
        marks.append(
            Mark(
                station.code,
                float(np.degrees(latitude)),
                float(np.degrees(longitude)),
                height,
                gravity,
                station.code,
            )
        )
    return tuple(marks)


def bench_marks() -> tuple[Mark, ...]:
    """Bench marks: on the pillars of levelled stations, and between."""
    levelled = {station.code for station in STATIONS if station.levelled}
    pillars = [
        Mark(
            f"SP-{m.station[:4]}",
            m.latitude_deg,
            m.longitude_deg,
            m.normal_height_m,
            m.gravity_m_per_s2,
            m.station,
        )
        for m in station_marks()
        if m.station in levelled
    ]
    between = [
        Mark(name, latitude, longitude, height, float(gravity_m_per_s2(latitude, longitude, height)))
        for name, latitude, longitude, height in _BETWEEN
    ]
    return (*pillars, *between)


def gravity_points() -> tuple[Mark, ...]:
    """Gravity points: on all pillars, and at four bench marks."""
    pillars = [
        Mark(
            f"SG-{m.station[:4]}",
            m.latitude_deg,
            m.longitude_deg,
            m.normal_height_m,
            m.gravity_m_per_s2,
            m.station,
        )
        for m in station_marks()
    ]
    chosen = ("SB02", "SB05", "SB10", "SB15")
    return (*pillars, *(mark for mark in bench_marks() if mark.name in chosen))
