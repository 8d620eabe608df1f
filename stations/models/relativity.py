"""Relativistic terms of the observation of a range."""

import numpy as np
from numpy.typing import NDArray

from transforms.constants import GRAVITATIONAL_CONSTANT_EARTH_M3_PER_S2, SPEED_OF_LIGHT_M_PER_S

FloatArray = NDArray[np.float64]


def periodic_clock_correction_s(satellite_m: FloatArray, velocity_m_per_s: FloatArray) -> FloatArray:
    """Periodic relativistic correction of a satellite clock, -2 r.v / c^2, to be added to the table's.

    Clocks of SP3 and RINEX clock files leave it out (IS-GPS-200, 20.3.3.3.3.1). Inputs (..., 3) in one frame;
    the inner product is the same in ECEF if the velocity is inertial or not, as w x r is normal to r.
    """
    product = np.sum(satellite_m * velocity_m_per_s, axis=-1)
    return np.asarray(-2.0 * product / SPEED_OF_LIGHT_M_PER_S**2)


def shapiro_delay_m(satellite_m: FloatArray, station_m: FloatArray) -> FloatArray:
    """Gravitational delay of a signal, m (IERS Conventions 2010, eq. 11.17, earth only); up to 19 mm.

    satellite_m, station_m : (..., 3), both in one frame
    """
    r_satellite = np.linalg.norm(satellite_m, axis=-1)
    r_station = np.linalg.norm(station_m, axis=-1)
    distance = np.linalg.norm(satellite_m - station_m, axis=-1)
    factor = 2.0 * GRAVITATIONAL_CONSTANT_EARTH_M3_PER_S2 / SPEED_OF_LIGHT_M_PER_S**2
    return np.asarray(
        factor * np.log((r_satellite + r_station + distance) / (r_satellite + r_station - distance))
    )
