"""Vienna mapping function 1 (VMF1): elevation dependence of the delay from a weather model's coefficients.

Boehm, Werl, Schuh (2006), J. Geophys. Res. 111, B02406; IERS Conventions (2010), section 9.2. Only `a` of the
continued fraction is of the day; b and c are fixed, or of place and season.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stations.formats.vienna_mapping import SiteMappingFunctions
from stations.models.global_mapping_function import continued_fraction, hydrostatic_c
from stations.records import InputFile
from transforms.errors import InputError
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]

_HYDROSTATIC_B: Final = 0.0029
_WET_B: Final = 0.00146
_WET_C: Final = 0.04391
_FEWEST_EPOCHS: Final = 2
_STEP_S: Final = 21600.0  # of the weather model; values are carried on for one step beyond either end


@dataclass(frozen=True, eq=False)
class SiteWeather:
    """VMF1 coefficients and hydrostatic zenith delay at a station's own height, over time; (n,)."""

    epochs: Epochs
    hydrostatic_coefficient: FloatArray
    wet_coefficient: FloatArray
    zenith_hydrostatic_delay_m: FloatArray
    inputs: tuple[InputFile, ...] = ()

    def at(self, epochs: Epochs) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Hydrostatic and wet coefficient and zenith hydrostatic delay (m) at epochs, linear between.

        Raises InputError where an epoch lies more than one step of the weather model outside.
        """
        node_s = (self.epochs.tai_ns - self.epochs.tai_ns[0]) / 1e9
        at_s = (epochs.tai_ns - self.epochs.tai_ns[0]) / 1e9
        if np.any(at_s < -_STEP_S) or np.any(at_s > node_s[-1] + _STEP_S):
            raise InputError(
                f"mapping functions from {self.epochs[0]} to {self.epochs[-1]} do not cover the session"
            )
        return (
            np.interp(at_s, node_s, self.hydrostatic_coefficient),
            np.interp(at_s, node_s, self.wet_coefficient),
            np.interp(at_s, node_s, self.zenith_hydrostatic_delay_m),
        )


def site_weather_of(site: SiteMappingFunctions) -> SiteWeather:
    """A site's values for a solution. Raises InputError for VMF3 and for a single epoch."""
    if site.kind != "VMF1":
        raise InputError(f"mapping functions of {site.site} are {site.kind}: only VMF1 can be applied")
    if len(site.epochs) < _FEWEST_EPOCHS:
        raise InputError(f"mapping functions of {site.site} hold one epoch: at least two are needed")
    return SiteWeather(
        site.epochs,
        site.hydrostatic_coefficient,
        site.wet_coefficient,
        site.zenith_hydrostatic_delay_m,
        site.inputs,
    )


def vienna_mapping_function(
    hydrostatic_coefficient: ArrayLike,
    wet_coefficient: ArrayLike,
    modified_julian_date: ArrayLike,
    latitude_rad: float,
    elevation_rad: ArrayLike,
) -> tuple[FloatArray, FloatArray]:
    """Hydrostatic and wet VMF1 at a station; site-wise coefficients, so no further height correction.

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
