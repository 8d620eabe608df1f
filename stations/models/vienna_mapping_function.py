"""Vienna mapping functions 1 and 3: elevation dependence of the delay from a weather model's coefficients.

VMF1: Boehm, Werl, Schuh (2006), J. Geophys. Res. 111, B02406; IERS Conventions (2010), section 9.2. VMF3:
Landskron and Boehm (2018), J. Geodesy 92, 349-360. Only `a` of the continued fraction is of the day; b and c
are of season and place: in VMF1 but for latitude the same everywhere, in VMF3 by spherical harmonics.

Site-wise coefficients are those of the station's own height. Gridded ones are of zero height: there the
hydrostatic function takes `global_mapping_function.hydrostatic_height_correction`.
"""

from functools import lru_cache
from importlib.resources import files
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stations.models.global_mapping_function import continued_fraction, hydrostatic_c, solid_harmonics

FloatArray = NDArray[np.float64]

_HYDROSTATIC_B: Final = 0.0029
_WET_B: Final = 0.00146
_WET_C: Final = 0.04391
_DEGREE: Final = 12  # of the harmonics of b and c in VMF3
_DAYS_PER_YEAR: Final = 365.25
_MJD_OF_1970: Final = 40587


def vienna_mapping_function_1(
    hydrostatic_coefficient: ArrayLike,
    wet_coefficient: ArrayLike,
    modified_julian_date: ArrayLike,
    latitude_rad: float,
    elevation_rad: ArrayLike,
) -> tuple[FloatArray, FloatArray]:
    """Hydrostatic and wet VMF1 at the height that the coefficients are of.

    Parameters
    ----------
    hydrostatic_coefficient, wet_coefficient, modified_julian_date, elevation_rad : shapes that broadcast
    latitude_rad : geodetic
    """
    sine = np.sin(np.asarray(elevation_rad, np.float64))
    c = hydrostatic_c(modified_julian_date, latitude_rad)
    return (
        continued_fraction(sine, hydrostatic_coefficient, _HYDROSTATIC_B, c),
        continued_fraction(sine, wet_coefficient, _WET_B, _WET_C),
    )


def vienna_mapping_function_3(
    hydrostatic_coefficient: ArrayLike,
    wet_coefficient: ArrayLike,
    modified_julian_date: ArrayLike,
    latitude_rad: float,
    longitude_rad: float,
    elevation_rad: ArrayLike,
) -> tuple[FloatArray, FloatArray]:
    """Hydrostatic and wet VMF3 at the height that the coefficients are of.

    Parameters
    ----------
    hydrostatic_coefficient, wet_coefficient, modified_julian_date, elevation_rad : shapes that broadcast
    latitude_rad, longitude_rad : geodetic
    """
    sine = np.sin(np.asarray(elevation_rad, np.float64))
    season = _seasonal_terms(np.asarray(modified_julian_date, np.float64))
    b_dry, c_dry, b_wet, c_wet = np.moveaxis(season @ _of_place(latitude_rad, longitude_rad), -1, 0)
    return (
        continued_fraction(sine, hydrostatic_coefficient, b_dry, c_dry),
        continued_fraction(sine, wet_coefficient, b_wet, c_wet),
    )


@lru_cache(maxsize=1)
def _harmonic_coefficients() -> FloatArray:
    """(4, 2, 91, 5): b and c hydrostatic, b and c wet; with cosine and sine of longitude; terms; season."""
    with (files("stations.models") / "data" / "vienna_mapping_function_3.csv").open() as file:
        table = np.loadtxt(file, delimiter=",", skiprows=1, usecols=range(4, 9))
    return table.reshape(4, 2, -1, 5)


@lru_cache(maxsize=64)
def _of_place(latitude_rad: float, longitude_rad: float) -> FloatArray:
    """Mean, annual and semiannual terms (5, 4) of b and c hydrostatic and b and c wet."""
    harmonics = np.stack(solid_harmonics(latitude_rad, longitude_rad, _DEGREE))
    return np.asarray(np.einsum("ft,kfts->sk", harmonics, _harmonic_coefficients()))


def _seasonal_terms(modified_julian_date: FloatArray) -> FloatArray:
    """One, cosine and sine of the year and of half the year; shape (..., 5)."""
    day = np.floor(modified_julian_date)
    date = (day - _MJD_OF_1970).astype("M8[D]")
    # The first of January counts as day one, as in the authors' program.
    day_of_year = (date - date.astype("M8[Y]")).astype(np.float64) + 1.0 + modified_julian_date - day
    angle = day_of_year / _DAYS_PER_YEAR * 2.0 * np.pi
    return np.stack(
        [np.ones_like(angle), np.cos(angle), np.sin(angle), np.cos(2.0 * angle), np.sin(2.0 * angle)], axis=-1
    )
