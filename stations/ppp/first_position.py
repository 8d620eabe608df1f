"""A first position of the antenna and its clock, from code alone, to a few metres."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.models.troposphere import standard_pressure_hpa, zenith_hydrostatic_delay_m
from stations.ppp.paths import SignalPaths
from transforms.constants import EARTH_EQUATORIAL_RADIUS_M, SPEED_OF_LIGHT_M_PER_S
from transforms.errors import InputError
from transforms.geodetic import geodetic_from_ecef

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_MAXIMUM_ITERATIONS: Final = 20
_CONVERGED_M: Final = 0.5
_MINIMUM_OBSERVATIONS: Final = 8
_GROSS_ERROR_M: Final = 50.0
_SURFACE_LIMIT_M: Final = 2.0e5  # an antenna farther from the ellipsoid than this is no ground station


def plausible_position(position_ecef_m: FloatArray | None) -> bool:
    """Whether a header's approximate position can be one of a ground station."""
    if position_ecef_m is None or not np.all(np.isfinite(position_ecef_m)):
        return False
    radius = float(np.linalg.norm(position_ecef_m))
    return abs(radius - EARTH_EQUATORIAL_RADIUS_M) < _SURFACE_LIMIT_M


def slant_hydrostatic_delay_m(position_ecef_m: FloatArray, elevation_rad: FloatArray) -> FloatArray:
    """Slant delay good to a decimetre above 10 degrees, for code."""
    latitude, _, height = geodetic_from_ecef(position_ecef_m)
    if abs(float(height)) > _SURFACE_LIMIT_M:
        return np.zeros_like(elevation_rad)
    zenith = float(zenith_hydrostatic_delay_m(standard_pressure_hpa(height), latitude, height)) + 0.1
    return zenith / np.maximum(np.sin(elevation_rad), 0.1)


def epoch_clocks_s(
    code_m: FloatArray, paths: SignalPaths, position_ecef_m: FloatArray, epoch_index: IntArray, n_epochs: int
) -> FloatArray:
    """Receiver clock of each epoch (n_epochs,) as the median of its codes, s; 0 where there is none."""
    misclosure = code_m - paths.range_m - slant_hydrostatic_delay_m(position_ecef_m, paths.elevation_rad)
    good = np.isfinite(misclosure)
    clock = np.zeros(n_epochs)
    rows = np.flatnonzero(good)
    rows = rows[np.lexsort((misclosure[rows], epoch_index[rows]))]
    epochs, first, count = np.unique(epoch_index[rows], return_index=True, return_counts=True)
    middle = misclosure[rows[first + count // 2]]
    clock[epochs] = middle / SPEED_OF_LIGHT_M_PER_S
    return clock


class CodePositioning:
    """Iterative least squares of one position and a clock for each epoch and group.

    `paths_at(position (3,), clock_s (n_epochs,)) -> SignalPaths` is the caller's geometry.
    """

    def __init__(
        self,
        code_m: FloatArray,
        epoch_index: IntArray,
        group: IntArray,
        n_epochs: int,
        n_groups: int,
    ) -> None:
        self._code_m = code_m
        self._epoch_index = epoch_index
        self._unit = epoch_index * n_groups + group
        self._n_epochs = n_epochs

    def step(
        self, position_ecef_m: FloatArray, paths: SignalPaths, clock_s: FloatArray, *, robust: bool
    ) -> FloatArray:
        """Correction of the position, m, by one linear solution."""
        delay = slant_hydrostatic_delay_m(position_ecef_m, paths.elevation_rad)
        model = paths.range_m + delay + SPEED_OF_LIGHT_M_PER_S * clock_s[self._epoch_index]
        misclosure = self._code_m - model
        good = np.isfinite(misclosure)
        if robust:
            good &= paths.elevation_rad > np.radians(5.0)
            good &= np.abs(misclosure - np.nanmedian(misclosure)) < 20.0 * _GROSS_ERROR_M
        if np.count_nonzero(good) < _MINIMUM_OBSERVATIONS:
            raise InputError(
                f"only {np.count_nonzero(good)} usable code observations for a first position: no common "
                "satellites between the observations and the orbits, or a file of another day"
            )
        design = -paths.line_of_sight[good]
        value = misclosure[good]
        _, unit = np.unique(self._unit[good], return_inverse=True)
        count = np.bincount(unit)
        for _ in range(3 if robust else 1):
            means = np.stack([np.bincount(unit, design[:, k]) / count for k in range(3)], axis=-1)
            reduced = design - means[unit]
            target = value - (np.bincount(unit, value) / count)[unit]
            correction, *_ = np.linalg.lstsq(reduced, target, rcond=None)
            residual = target - reduced @ correction
            keep = np.abs(residual) < max(_GROSS_ERROR_M, 4.0 * 1.4826 * float(np.median(np.abs(residual))))
            if keep.all():
                break
            design, value = design[keep], value[keep]
            _, unit = np.unique(unit[keep], return_inverse=True)
            count = np.bincount(unit)
        return np.asarray(correction, dtype=np.float64)

    @property
    def maximum_iterations(self) -> int:
        """Linear solutions before it gives up."""
        return _MAXIMUM_ITERATIONS

    @property
    def converged_m(self) -> float:
        """Size of a correction, m, below which the position is good enough."""
        return _CONVERGED_M
