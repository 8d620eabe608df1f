"""The invented gravity field of the sample region: quasigeoid and gravity, smooth functions of place.

Everything is in the mean-tide system for heights and the zero-tide system for gravity, as the region's
settings say.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from datum.gravity.normal_gravity import normal_gravity_above_m_per_s2
from datum.height.permanent_tide import ellipsoidal_height_change_m
from datum.records import TideSystem
from transforms.ellipsoids import CGCS2000
from transforms.geodetic import geodetic_from_ecef

FloatArray = NDArray[np.float64]

_CENTRE_LATITUDE_DEG: Final = 31.3
_CENTRE_LONGITUDE_DEG: Final = 120.4
# Height anomaly, m: at the centre, slopes per degree, and two waves of some centimetres.
_ANOMALY_CENTRE_M: Final = 10.62
_ANOMALY_NORTH_M_PER_DEG: Final = 0.184
_ANOMALY_EAST_M_PER_DEG: Final = 0.527
_ANOMALY_WAVES: Final = ((0.022, 3.1, 1.7, 0.4), (0.008, -2.2, 4.6, 1.9))  # m, rad/deg N, rad/deg E, rad
# Gravity disturbance, m/s2: mean and waves; a hill pulls by 1.119 mGal for each 10 m (Bouguer plate).
_DISTURBANCE_MEAN_M_PER_S2: Final = 4.0e-5
_DISTURBANCE_WAVES: Final = ((1.1e-4, 2.4, 1.3, 2.2), (4.0e-5, -3.0, 5.1, 0.3))
_BOUGUER_PER_S2: Final = 1.119e-6


def _waves(latitude_deg: FloatArray, longitude_deg: FloatArray, waves: ArrayLike) -> FloatArray:
    total = np.zeros(np.broadcast(latitude_deg, longitude_deg).shape)
    for size, north, east, phase in np.asarray(waves):
        total = total + size * np.sin(
            north * (latitude_deg - _CENTRE_LATITUDE_DEG)
            + east * (longitude_deg - _CENTRE_LONGITUDE_DEG)
            + phase
        )
    return total


def height_anomaly_m(latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> FloatArray:
    """Height anomaly: ellipsoidal height of the crust (mean tide) minus normal height."""
    latitude = np.asarray(latitude_deg, dtype=np.float64)
    longitude = np.asarray(longitude_deg, dtype=np.float64)
    plane = _ANOMALY_CENTRE_M + _ANOMALY_NORTH_M_PER_DEG * (latitude - _CENTRE_LATITUDE_DEG)
    plane = plane + _ANOMALY_EAST_M_PER_DEG * (longitude - _CENTRE_LONGITUDE_DEG)
    return np.asarray(plane + _waves(latitude, longitude, _ANOMALY_WAVES))


def normal_height_m(position_ecef_m: ArrayLike) -> FloatArray:
    """Normal height (mean-tide) of conventional tide-free positions (..., 3)."""
    latitude, longitude, height = geodetic_from_ecef(position_ecef_m, CGCS2000)
    crust = height + ellipsoidal_height_change_m(latitude, TideSystem.TIDE_FREE, TideSystem.MEAN_TIDE)
    return np.asarray(crust - height_anomaly_m(np.degrees(latitude), np.degrees(longitude)))


def gravity_m_per_s2(
    latitude_deg: ArrayLike, longitude_deg: ArrayLike, normal_height: ArrayLike
) -> FloatArray:
    """Gravity (zero-tide) at a mark of a normal height, m."""
    latitude = np.asarray(latitude_deg, dtype=np.float64)
    longitude = np.asarray(longitude_deg, dtype=np.float64)
    height = np.asarray(normal_height, dtype=np.float64)
    normal = normal_gravity_above_m_per_s2(
        np.radians(latitude), height + height_anomaly_m(latitude, longitude), CGCS2000
    )
    disturbance = _DISTURBANCE_MEAN_M_PER_S2 + _waves(latitude, longitude, _DISTURBANCE_WAVES)
    return np.asarray(normal + disturbance + _BOUGUER_PER_S2 * height)
