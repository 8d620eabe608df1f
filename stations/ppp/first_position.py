"""A first position of the antenna and its clock, from code alone, to a few metres."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.models.troposphere import standard_pressure_hpa, zenith_hydrostatic_delay_m
from stations.ppp.paths import SignalPaths
from transforms.constants import EARTH_EQUATORIAL_RADIUS_M, SPEED_OF_LIGHT_M_PER_S
from transforms.errors import AdjustmentError, InputError
from transforms.geodetic import geodetic_from_ecef

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_MAXIMUM_ITERATIONS: Final = 20
_ROUGH_ITERATIONS: Final = 3  # from the earth's centre it takes as many to reach its surface
_CONVERGED_M: Final = 0.5
_MINIMUM_OBSERVATIONS: Final = 8
_GROSS_ERROR_M: Final = 50.0
_ABSURD_CODE_M: Final = 1000.0
_SURFACE_LIMIT_M: Final = 2.0e5  # an antenna farther from the equator's radius than this is no ground station
_MEAN_WET_DELAY_M: Final = 0.1
# Where the iteration starts with nothing known: near the earth's centre, yet with directions of its own.
_NEAR_CENTRE_ECEF_M: Final = np.array([1.0e5, 0.0, 0.0])


def plausible_position(position_ecef_m: FloatArray | None) -> bool:
    """Whether a position can be one of a ground station."""
    if position_ecef_m is None or not np.all(np.isfinite(position_ecef_m)):
        return False
    radius = float(np.linalg.norm(position_ecef_m))
    return abs(radius - EARTH_EQUATORIAL_RADIUS_M) < _SURFACE_LIMIT_M


def slant_hydrostatic_delay_m(position_ecef_m: FloatArray, elevation_rad: FloatArray) -> FloatArray:
    """Slant delay of the whole troposphere, good to some decimetres above 10 degrees: enough for code."""
    latitude, _, height = geodetic_from_ecef(position_ecef_m)
    if abs(float(height)) > _SURFACE_LIMIT_M:
        return np.zeros_like(elevation_rad)
    zenith = float(zenith_hydrostatic_delay_m(standard_pressure_hpa(height), latitude, height))
    return np.asarray((zenith + _MEAN_WET_DELAY_M) / np.maximum(np.sin(elevation_rad), 0.1))


def epoch_clocks_s(
    code_m: FloatArray,
    paths: SignalPaths,
    position_ecef_m: FloatArray,
    epoch_index: IntArray,
    group: IntArray,
    n_epochs: int,
) -> FloatArray:
    """Receiver clock of each epoch (n_epochs,) as the median of its codes, s; 0 where there is none.

    group : (n,) that share the receiver's delays. The others' medians are brought to the largest one's first,
        or the clock would jump by the inter-system bias (tens of metres) whenever the majority changes.
    """
    misclosure = code_m - paths.range_m - slant_hydrostatic_delay_m(position_ecef_m, paths.elevation_rad)
    rows = np.flatnonzero(np.isfinite(misclosure))
    clock = np.zeros(n_epochs)
    if rows.size == 0:
        return clock
    misclosure, epoch, group = misclosure[rows], epoch_index[rows], group[rows]
    largest = int(np.argmax(np.bincount(group)))
    reference_m = _epoch_medians(misclosure, epoch, group == largest, n_epochs)
    for number in np.unique(group):
        mine = group == number
        away_m = _epoch_medians(misclosure, epoch, mine, n_epochs) - reference_m
        if number != largest and np.any(np.isfinite(away_m)):
            misclosure[mine] -= np.nanmedian(away_m)
    median_m = _epoch_medians(misclosure, epoch, np.ones(rows.size, dtype=np.bool_), n_epochs)
    return np.asarray(np.nan_to_num(median_m) / SPEED_OF_LIGHT_M_PER_S)


def _epoch_medians(
    values: FloatArray, epoch_index: IntArray, which: NDArray[np.bool_], n_epochs: int
) -> FloatArray:
    """(Upper) median of the chosen values (n,) of each epoch, (n_epochs,); NaN where there is none."""
    rows = np.flatnonzero(which)
    rows = rows[np.lexsort((values[rows], epoch_index[rows]))]
    epochs, first, count = np.unique(epoch_index[rows], return_index=True, return_counts=True)
    median = np.full(n_epochs, np.nan)
    median[epochs] = values[rows[first + count // 2]]
    return median


def _position_step(
    line_of_sight: FloatArray, misclosure: FloatArray, unit: IntArray, rounds: int
) -> FloatArray:
    """Correction of a position from misclosures with a clock for each `unit`, after `rounds` of cleaning."""
    design = -line_of_sight
    correction: FloatArray = np.zeros(3)
    for _ in range(rounds):
        _, owner = np.unique(unit, return_inverse=True)
        count = np.bincount(owner)
        means = np.stack([np.bincount(owner, design[:, k]) / count for k in range(3)], axis=-1)
        reduced = design - means[owner]
        target = misclosure - (np.bincount(owner, misclosure) / count)[owner]
        correction = np.asarray(np.linalg.lstsq(reduced, target, rcond=None)[0], dtype=np.float64)
        residual = np.abs(target - reduced @ correction)
        keep = residual < max(_GROSS_ERROR_M, 6.0 * float(np.median(residual)))
        if keep.all():
            break
        design, misclosure, unit = design[keep], misclosure[keep], unit[keep]
    return correction


def first_position(
    code_m: FloatArray,
    epoch_index: IntArray,
    group: IntArray,
    n_epochs: int,
    paths_at: Callable[[FloatArray, FloatArray], SignalPaths],
    start_ecef_m: FloatArray | None,
) -> FloatArray:
    """Position of the antenna from ionosphere-free code, shape (3,), to some metres.

    Parameters
    ----------
    code_m, epoch_index, group : (n,); group shares a receiver clock within an epoch
    paths_at : geometry of the rows for a position (3,) and clocks (n_epochs,)
    start_ecef_m : a first guess, or None: then from the earth's centre

    Raises
    ------
    InputError : too few observations in common with the orbits; AdjustmentError : no convergence
    """
    known = start_ecef_m is not None and plausible_position(start_ecef_m)
    position = _NEAR_CENTRE_ECEF_M.copy() if start_ecef_m is None or not known else start_ecef_m.copy()
    clock = np.zeros(n_epochs)
    unit = epoch_index * (int(group.max(initial=0)) + 1) + group
    for iteration in range(_MAXIMUM_ITERATIONS):
        paths = paths_at(position, clock)
        clock = epoch_clocks_s(code_m, paths, position, epoch_index, group, n_epochs)
        delay = slant_hydrostatic_delay_m(position, paths.elevation_rad)
        misclosure = code_m - paths.range_m - delay - SPEED_OF_LIGHT_M_PER_S * clock[epoch_index]
        fine = iteration >= _ROUGH_ITERATIONS and plausible_position(position)
        good = np.isfinite(misclosure)
        if fine:
            good &= (paths.elevation_rad > np.radians(5.0)) & (np.abs(misclosure) < _ABSURD_CODE_M)
        if np.count_nonzero(good) < _MINIMUM_OBSERVATIONS:
            raise InputError(
                f"only {np.count_nonzero(good)} code observations serve for a first position: "
                "the observations and the orbits have no satellites or no time in common"
            )
        correction = _position_step(paths.line_of_sight[good], misclosure[good], unit[good], 3 if fine else 1)
        position = position + correction
        if fine and float(np.linalg.norm(correction)) < _CONVERGED_M:
            return position
    raise AdjustmentError(
        "the first position from code does not converge: the code observations do not belong to the orbits"
    )
