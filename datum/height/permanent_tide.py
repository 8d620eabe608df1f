"""The permanent tide in heights: from one tide system to another.

GNSS positions are conventional tide-free: the whole solid earth tide of the model is taken off, permanent
part and all (IERS Conventions 2010, section 7.1.1.2). Levelling lives on the crust as it is: mean-tide or
zero-tide. For the crust these two are the same; the surface from which heights count differs. With W the
permanent tide potential over gravity:

    N_mean - N_zero = W(phi)                 N_zero - N_free = k W(phi)
    h_mean = h_zero = h_free + u(phi)        H = h - N in each system

W as in EVRF2019 (EPSG:1107 and the EVRS conventions; Ekman 1989, Impacts of geodynamic phenomena on systems
for height and gravity, Bull. Geod. 63:281-296, in newer figures); u from the IERS Conventions (2010), eq.
7.14a.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from datum.records import TideSystem
from transforms.ellipsoids import GRS80

FloatArray = NDArray[np.float64]

LOVE_NUMBER_K20: Final = 0.30190  # IERS Conventions (2010), section 6.2.2
_W_METRES: Final = (0.09940, -0.29541, -0.00042)  # constant, sin^2, sin^4 of geodetic latitude; EPSG:1107


def permanent_potential_height_m(latitude_rad: ArrayLike) -> FloatArray:
    """W: mean-tide geoid above the zero-tide one; +0.099 m at the equator, -0.196 m at the poles."""
    sin2 = np.sin(np.asarray(latitude_rad, dtype=np.float64)) ** 2
    constant, square, fourth = _W_METRES
    return np.asarray(constant + square * sin2 + fourth * sin2**2, dtype=np.float64)


def permanent_crust_uplift_m(latitude_rad: ArrayLike) -> FloatArray:
    """u: what to add to a conventional tide-free ellipsoidal height for the mean (and zero-tide) crust.

    +0.060 m at the equator, -0.120 m at the poles. latitude_rad is geodetic; the IERS formula takes the
    geocentric one, which is made from it.
    """
    geocentric = np.arctan(
        (1.0 - GRS80.first_eccentricity_squared) * np.tan(np.asarray(latitude_rad, dtype=np.float64))
    )
    p2 = 1.5 * np.sin(geocentric) ** 2 - 0.5
    return np.asarray((-0.1206 + 0.0001 * p2) * p2, dtype=np.float64)  # IERS Conventions (2010), eq. 7.14a


def ellipsoidal_height_change_m(
    latitude_rad: ArrayLike, source: TideSystem, target: TideSystem
) -> FloatArray:
    """What to add to an ellipsoidal height in tide system `source` to have it in `target`, m."""
    uplift = permanent_crust_uplift_m(latitude_rad)
    deformed = {TideSystem.TIDE_FREE: 0.0, TideSystem.ZERO_TIDE: 1.0, TideSystem.MEAN_TIDE: 1.0}
    return np.asarray((deformed[target] - deformed[source]) * uplift, dtype=np.float64)


def levelled_height_change_m(latitude_rad: ArrayLike, source: TideSystem, target: TideSystem) -> FloatArray:
    """What to add to a physical height (normal or orthometric) in `source` to have it in `target`, m."""
    potential = permanent_potential_height_m(latitude_rad)
    from_zero = {
        TideSystem.TIDE_FREE: LOVE_NUMBER_K20 * potential - permanent_crust_uplift_m(latitude_rad),
        TideSystem.ZERO_TIDE: np.zeros_like(potential),
        TideSystem.MEAN_TIDE: -potential,
    }
    return np.asarray(from_zero[target] - from_zero[source], dtype=np.float64)
