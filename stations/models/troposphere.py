"""Delay of the neutral atmosphere: a-priori zenith delay, mapping and gradients."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

_GRADIENT_MAPPING_C: Final = 0.0032  # Chen and Herring (1997), J. Geophys. Res. 102(B9), total delay


def standard_pressure_hpa(height_m: ArrayLike) -> FloatArray:
    """Pressure of the standard atmosphere at a height above sea level (Berg 1948).

    For positions from code alone, which a few centimetres of delay do not trouble; phases take the season's
    pressure (`global_pressure_temperature`). Off by up to 20 hPa from the day's, 2.3 mm of delay for each.
    """
    return np.asarray(1013.25 * (1.0 - 2.26e-5 * np.asarray(height_m, np.float64)) ** 5.225)


def zenith_hydrostatic_delay_m(
    pressure_hpa: ArrayLike, latitude_rad: ArrayLike, height_m: ArrayLike
) -> FloatArray:
    """Zenith hydrostatic delay (Saastamoinen 1972 in the form of Davis et al. 1985).

    IERS Conventions (2010), eq. 9.4. `height_m` above the geoid; a geoid of 50 m changes it by 0.03 mm.
    """
    gravity_ratio = 1.0 - 0.00266 * np.cos(2.0 * np.asarray(latitude_rad)) - 0.28e-6 * np.asarray(height_m)
    return np.asarray(0.0022768 * np.asarray(pressure_hpa) / gravity_ratio)


def gradient_mapping(elevation_rad: ArrayLike) -> FloatArray:
    """Mapping of a horizontal gradient: delay = m(e) (G_north cos A + G_east sin A).

    Chen and Herring (1997); IERS Conventions (2010), eq. 9.12.
    """
    e = np.asarray(elevation_rad, np.float64)
    return np.asarray(1.0 / (np.sin(e) * np.tan(e) + _GRADIENT_MAPPING_C))
