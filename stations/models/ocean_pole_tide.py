"""Displacement of a station by the ocean pole tide: the sea yields to polar motion and loads the crust.

IERS Conventions (2010), section 7.1.5, eq. 7.29, with Desai's (2002) self-consistent equilibrium model. His
map of coefficients, half a degree by half a degree, is that of the Conventions (opoleloadcoefcmcor.txt, of
2006-03-28, corrected for the centre of mass), held here to 1e-4: 0.5 micrometres for a pole 0.3" away.
"""

from functools import lru_cache
from importlib.resources import files
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.models.pole_tide import wobble_arcsecond
from transforms.constants import (
    ARCSECOND_RAD,
    EARTH_EQUATORIAL_RADIUS_M,
    EARTH_ROTATION_RATE_RAD_PER_S,
    GRAVITATIONAL_CONSTANT_EARTH_M3_PER_S2,
)
from transforms.geodetic import enu_matrix_at
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]

# IERS Conventions (2010), table 1.1 and section 7.1.5.
_GRAVITATIONAL_CONSTANT_M3_PER_KG_S2: Final = 6.67428e-11
_SEA_WATER_KG_PER_M3: Final = 1025.0
_EQUATORIAL_GRAVITY_M_PER_S2: Final = 9.7803278
_GAMMA_REAL: Final = 0.6870  # 1 + k2 - h2 at the pole tide's period
_GAMMA_IMAGINARY: Final = 0.0036
_STEP_DEG: Final = 0.5
_FIRST_LATITUDE_DEG: Final = -89.75
_FIRST_LONGITUDE_DEG: Final = 0.25
_UNIT: Final = 1e-4  # of the stored coefficients


def pole_height_m() -> float:
    """Greatest height of the pole tide's equilibrium for a wobble of one radian, H_p of eq. 7.29."""
    return float(
        np.sqrt(8.0 * np.pi / 15.0)
        * EARTH_ROTATION_RATE_RAD_PER_S**2
        * EARTH_EQUATORIAL_RADIUS_M**4
        / GRAVITATIONAL_CONSTANT_EARTH_M3_PER_S2
    )


def loading_scale_m(
    gravitational_constant_m3_per_kg_s2: float = _GRAVITATIONAL_CONSTANT_M3_PER_KG_S2,
) -> float:
    """Factor K of eq. 7.29, metres of displacement per radian of wobble and unit coefficient."""
    mass = 4.0 * np.pi * gravitational_constant_m3_per_kg_s2 * _SEA_WATER_KG_PER_M3 * pole_height_m()
    return float(mass * EARTH_EQUATORIAL_RADIUS_M / (3.0 * _EQUATORIAL_GRAVITY_M_PER_S2))


@lru_cache(maxsize=1)
def _longitude_differences() -> NDArray[np.int16]:
    """The map as differences from one longitude to the next (they compress best), (6, 360, 720)."""
    with (files("stations.models") / "data" / "ocean_pole_tide.npz").open("rb") as file:
        table: NDArray[np.int16] = np.load(file)["longitude_difference"]
    return table


@lru_cache(maxsize=256)
def ocean_pole_tide_coefficients(latitude_deg: float, longitude_deg: float) -> FloatArray:
    """Coefficients (3, 2) of radial, north, east; real and imaginary; bilinear between the map's nodes.

    latitude_deg : geocentric; longitude_deg : positive east, any turn
    """
    table = _longitude_differences()
    _, n_latitude, n_longitude = table.shape
    row = np.clip((latitude_deg - _FIRST_LATITUDE_DEG) / _STEP_DEG, 0.0, n_latitude - 1.0)
    south = min(int(row), n_latitude - 2)
    column = np.mod(longitude_deg - _FIRST_LONGITUDE_DEG, 360.0) / _STEP_DEG
    west = int(column) % n_longitude
    rows = np.cumsum(table[:, south : south + 2], axis=2, dtype=np.int64) * _UNIT
    corners = rows[:, :, [west, (west + 1) % n_longitude]]
    up, right = row - south, column - int(column)
    value = np.array([1.0 - up, up]) @ corners @ np.array([1.0 - right, right])
    return np.asarray(value.reshape(3, 2), dtype=np.float64)


def ocean_pole_tide_displacement(
    station_ecef_m: FloatArray, epochs: Epochs, pole_x_rad: FloatArray, pole_y_rad: FloatArray
) -> FloatArray:
    """Displacement by ocean pole tide loading, up to 1.8 mm radially and 0.5 mm horizontally.

    Parameters
    ----------
    station_ecef_m : (3,); epochs : (n,); pole_x_rad, pole_y_rad : (n,), sense of the IERS (y towards 90 W)

    Returns
    -------
    displacement_ecef_m : (n, 3), to be added to the position free of the ocean pole tide
    """
    x, y, z = (float(c) for c in station_ecef_m)
    latitude_deg = float(np.degrees(np.arctan2(z, np.hypot(x, y))))
    coefficients = ocean_pole_tide_coefficients(latitude_deg, float(np.degrees(np.arctan2(y, x))))
    m1, m2 = wobble_arcsecond(epochs, pole_x_rad, pole_y_rad)
    real = m1 * _GAMMA_REAL + m2 * _GAMMA_IMAGINARY
    imaginary = m2 * _GAMMA_REAL - m1 * _GAMMA_IMAGINARY
    metres = loading_scale_m() * ARCSECOND_RAD * np.stack([real, imaginary], axis=-1)
    up, north, east = coefficients @ metres.T
    return np.asarray(np.stack([east, north, up], axis=-1) @ enu_matrix_at(station_ecef_m))
