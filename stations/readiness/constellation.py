"""The kind of orbit of a BeiDou satellite, from its orbit or by its PRN."""

from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.ppp.options import BEIDOU_GEOSTATIONARY, BEIDOU_IGSO
from stations.records import SatelliteOrbits

GEOSYNCHRONOUS_RADIUS_M: Final = 35.0e6  # between the 27.9e6 m of the medium orbits and 42.2e6 m
GEOSTATIONARY_LATITUDE_RAD: Final = 0.087  # 5 degrees: GEOs keep below 2, the IGSOs' inclination is 55


class OrbitKind(StrEnum):
    """Kind of orbit."""

    MEO = "MEO"
    IGSO = "IGSO"
    GEO = "GEO"


def orbit_kind(satellite: str, orbits: SatelliteOrbits | None) -> OrbitKind:
    """Kind of a BeiDou satellite's orbit: from the orbit where there is one, else by PRN as of 2025."""
    if orbits is not None and satellite in orbits.satellites:
        position = orbits.position_ecef_m[:, orbits.satellites.index(satellite)]
        return _kind_of(position, satellite)
    return _kind_by_number(satellite)


def _kind_of(position_ecef_m: NDArray[np.float64], satellite: str) -> OrbitKind:
    good = position_ecef_m[np.isfinite(position_ecef_m[:, 0])]
    if not good.size:
        return _kind_by_number(satellite)
    radius_m = np.linalg.norm(good, axis=1)
    if float(np.median(radius_m)) < GEOSYNCHRONOUS_RADIUS_M:
        return OrbitKind.MEO
    # An IGSO crosses the equator: only its largest latitude tells.
    latitude_rad = float(np.max(np.abs(np.arcsin(good[:, 2] / radius_m))))
    return OrbitKind.GEO if latitude_rad < GEOSTATIONARY_LATITUDE_RAD else OrbitKind.IGSO


def _kind_by_number(satellite: str) -> OrbitKind:
    number = int(satellite[1:])
    if number in BEIDOU_GEOSTATIONARY:
        return OrbitKind.GEO
    return OrbitKind.IGSO if number in BEIDOU_IGSO else OrbitKind.MEO
