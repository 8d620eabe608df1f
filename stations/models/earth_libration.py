"""Librations of the earth: the pole and UT1 answer to the torque of sun and moon on the earth's odd shape.

IERS Conventions (2010), sections 5.5.1 and 5.5.3, tables 5.1a (diurnal part; the slower terms are in the
tables of earth rotation already) and 5.1b. They reach 0.03 milliarcseconds and 3 microseconds and are added
after interpolation, as the effect of the ocean tides is (`subdaily_earth_rotation`).
"""

from typing import Final

import erfa
import numpy as np
from numpy.typing import NDArray

from transforms.constants import ARCSECOND_RAD
from transforms.time_scales import Epochs, TimeScale

FloatArray = NDArray[np.float64]

# Multiples of GMST + pi, l, l', F, D, Omega; sine and cosine of x, then of y, microarcseconds (table 5.1a).
# fmt: off
_POLE: Final = np.array(
    [
        [1, -1, 0, -2,  0, -1,  -0.4,  0.3, -0.3,  -0.4],
        [1, -1, 0, -2,  0, -2,  -2.3,  1.3, -1.3,  -2.3],
        [1,  1, 0, -2, -2, -2,  -0.4,  0.3, -0.3,  -0.4],
        [1,  0, 0, -2,  0, -1,  -2.1,  1.2, -1.2,  -2.1],
        [1,  0, 0, -2,  0, -2, -11.4,  6.5, -6.5, -11.4],
        [1, -1, 0,  0,  0,  0,   0.8, -0.5,  0.5,   0.8],
        [1,  0, 0, -2,  2, -2,  -4.8,  2.7, -2.7,  -4.8],
        [1,  0, 0,  0,  0,  0,  14.3, -8.2,  8.2,  14.3],
        [1,  0, 0,  0,  0, -1,   1.9, -1.1,  1.1,   1.9],
        [1,  1, 0,  0,  0,  0,   0.8, -0.4,  0.4,   0.8],
    ]
)
# The same multiples; sine and cosine of UT1, microseconds (table 5.1b).
_UT1: Final = np.array(
    [
        [2, -2,  0, -2,  0, -2,  0.05, -0.03],
        [2,  0,  0, -2, -2, -2,  0.06, -0.03],
        [2, -1,  0, -2,  0, -2,  0.35, -0.20],
        [2,  1,  0, -2, -2, -2,  0.07, -0.04],
        [2,  0,  0, -2,  0, -1, -0.07,  0.04],
        [2,  0,  0, -2,  0, -2,  1.75, -1.01],
        [2,  1,  0, -2,  0, -2, -0.05,  0.03],
        [2,  0, -1, -2,  2, -2,  0.04, -0.03],
        [2,  0,  0, -2,  2, -2,  0.76, -0.44],
        [2,  0,  0,  0,  0,  0,  0.21, -0.12],
        [2,  0,  0,  0,  0, -1,  0.06, -0.04],
    ]
)
# fmt: on
_J2000_MJD: Final = 51544.5
_DAYS_PER_CENTURY: Final = 36525.0
# Greenwich mean sidereal time, seconds, in powers of Julian centuries (the Conventions' routines).
_SIDEREAL_TIME_S: Final = (67310.54841, 8640184.812866 + 3155760000.0, 0.093104, -6.2e-6)
_RADIANS_PER_SECOND: Final = 2.0 * np.pi / 86400.0


def _arguments(modified_julian_date: FloatArray) -> FloatArray:
    """GMST + pi and the Delaunay arguments l, l', F, D, Omega, radians, (n, 6).

    One time serves for all of them, as in the Conventions' routines: a minute more or less is 0.3 degrees.
    """
    t = (np.asarray(modified_julian_date, np.float64) - _J2000_MJD) / _DAYS_PER_CENTURY
    sidereal_s = np.polynomial.polynomial.polyval(t, _SIDEREAL_TIME_S)
    return np.stack(
        [
            np.mod(sidereal_s, 86400.0) * _RADIANS_PER_SECOND + np.pi,
            erfa.fal03(t),
            erfa.falp03(t),
            erfa.faf03(t),
            erfa.fad03(t),
            erfa.faom03(t),
        ],
        axis=-1,
    )


def libration_terms(modified_julian_date: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Libration of pole x and y, microarcseconds, and of UT1, microseconds, at times (n,); each (n,)."""
    arguments = _arguments(modified_julian_date)
    angle = arguments @ _POLE[:, :6].T
    x = np.sin(angle) @ _POLE[:, 6] + np.cos(angle) @ _POLE[:, 7]
    y = np.sin(angle) @ _POLE[:, 8] + np.cos(angle) @ _POLE[:, 9]
    angle = arguments @ _UT1[:, :6].T
    return x, y, np.sin(angle) @ _UT1[:, 6] + np.cos(angle) @ _UT1[:, 7]


def libration_variations(epochs: Epochs) -> tuple[FloatArray, FloatArray, FloatArray]:
    """What librations add to pole x and y, radians, and UT1, seconds, at epochs (n,); each (n,)."""
    mjd = np.atleast_1d(epochs.to(TimeScale.UTC).modified_julian_date())
    x_uas, y_uas, ut1_us = libration_terms(mjd)
    return x_uas * 1e-6 * ARCSECOND_RAD, y_uas * 1e-6 * ARCSECOND_RAD, ut1_us * 1e-6
