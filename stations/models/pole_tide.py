"""Displacement of a station by the solid earth pole tide: the earth yields to its own polar motion."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from transforms.constants import ARCSECOND_RAD
from transforms.geodetic import enu_from_ecef_matrix, geodetic_from_ecef
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]

# Secular pole in milliarcseconds, at 2000.0 and per year: IERS Conventions (2010), update of 2018-02-01 to
# section 7.1.4, eq. 21.
_SECULAR_X_MAS: Final = (55.0, 1.677)
_SECULAR_Y_MAS: Final = (320.5, 3.460)


def wobble_arcsecond(
    epochs: Epochs, pole_x_rad: FloatArray, pole_y_rad: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Wobble m1, m2 of the pole about the secular one, arc seconds, (n,) each (eq. 7.24)."""
    years = epochs.decimal_year() - 2000.0
    m1 = pole_x_rad / ARCSECOND_RAD - (_SECULAR_X_MAS[0] + _SECULAR_X_MAS[1] * years) * 1e-3
    m2 = -(pole_y_rad / ARCSECOND_RAD - (_SECULAR_Y_MAS[0] + _SECULAR_Y_MAS[1] * years) * 1e-3)
    return m1, m2


def pole_tide_displacement(
    station_ecef_m: FloatArray, epochs: Epochs, pole_x_rad: FloatArray, pole_y_rad: FloatArray
) -> FloatArray:
    """Displacement by the pole tide, up to 25 mm radially and 7 mm horizontally.

    IERS Conventions (2010), eq. 7.26 with the secular pole of 2018.

    Parameters
    ----------
    station_ecef_m : (3,); epochs : (n,); pole_x_rad, pole_y_rad : (n,), sense of the IERS (y towards 90 W)

    Returns
    -------
    displacement_ecef_m : (n, 3), to be added to the position free of the pole tide
    """
    latitude, longitude, _ = geodetic_from_ecef(station_ecef_m)
    colatitude = np.pi / 2.0 - latitude
    m1, m2 = wobble_arcsecond(epochs, pole_x_rad, pole_y_rad)
    along = m1 * np.cos(longitude) + m2 * np.sin(longitude)
    across = m1 * np.sin(longitude) - m2 * np.cos(longitude)
    up = -0.033 * np.sin(2.0 * colatitude) * along
    south = -0.009 * np.cos(2.0 * colatitude) * along
    east = 0.009 * np.cos(colatitude) * across
    enu = np.stack([east, -south, up], axis=-1)
    return np.asarray(enu @ enu_from_ecef_matrix(latitude, longitude), dtype=np.float64)
