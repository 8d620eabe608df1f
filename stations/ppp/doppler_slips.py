"""Cycle slips that the Doppler sees: phase that does not advance as its own rate says.

Between two epochs a phase changes by minus its Doppler, integrated; the receiver's clock moves all satellites
alike and goes with the median over them. One more witness beside the geometry-free phase and the wide-lane
(stations.quality.cycle_slips): coarse at 30 s, where receivers' Doppler is good to a cycle or two over the
step, but blind to no pair of slips.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# Beyond this the middle of two rates says too little of the way between them.
LONGEST_STEP_S: Final = 60.0
# The trapezoid errs by jerk dt^3 / 12; of a range from the ground it is at most 5e-5 m/s^3 (GPS at 20,200 km:
# acceleration up to 0.18 m/s^2, which changes over an hour).
LARGEST_JERK_M_PER_S3: Final = 5e-5
SIGMA_LIMIT: Final = 8.0  # multiples of the satellite's own robust scatter
SMALLEST_LIMIT_CYCLES: Final = 0.6  # a slip of one cycle and noise, but not half a cycle
MINIMUM_SATELLITES: Final = 4  # for the median that stands for the receiver's clock
MINIMUM_STEPS: Final = 10  # of a satellite, for its scatter
_MAD_TO_SIGMA: Final = 1.4826


def doppler_slips(
    time_s: FloatArray, phase_cycles: FloatArray, doppler_hz: FloatArray, wavelength_m: FloatArray
) -> BoolArray:
    """Where one carrier's phase jumps against its Doppler since the epoch before, (n_epoch, n_satellite).

    Parameters
    ----------
    time_s : (n_epoch,) increasing; wavelength_m : (n_satellite,)
    phase_cycles, doppler_hz : (n_epoch, n_satellite), NaN where missing; Doppler positive where the satellite
        comes nearer (RINEX 4.02, section 5.2)

    A step is judged only where both epochs hold phase and Doppler, the step is at most `LONGEST_STEP_S`, and
    at least `MINIMUM_SATELLITES` hold them: elsewhere the test says nothing.
    """
    slips = np.zeros(phase_cycles.shape, dtype=np.bool_)
    steps_s = np.diff(time_s)
    if steps_s.size == 0:
        return slips
    short = steps_s <= LONGEST_STEP_S
    advance = np.diff(phase_cycles, axis=0) + 0.5 * (doppler_hz[1:] + doppler_hz[:-1]) * steps_s[:, None]
    away_m = np.where(short[:, None], advance * wavelength_m, np.nan)
    enough = np.count_nonzero(np.isfinite(away_m), axis=1) >= MINIMUM_SATELLITES
    away_m[~enough] = np.nan
    # The median of what slipped itself stays right while less than half of the satellites slip at once.
    away_m[enough] -= np.nanmedian(away_m[enough], axis=1, keepdims=True)
    known = np.count_nonzero(np.isfinite(away_m), axis=0) >= MINIMUM_STEPS
    if not known.any():
        return slips
    part = away_m[:, known]
    # About zero, not about its own middle: a Doppler that is always off (some receivers scale that of the
    # second carrier wrongly) is not trusted, instead of finding a slip at every epoch.
    scatter_m = _MAD_TO_SIGMA * np.nanmedian(np.abs(part), axis=0)
    limit_m = np.maximum(SIGMA_LIMIT * scatter_m, SMALLEST_LIMIT_CYCLES * wavelength_m[known])
    limit_m = limit_m + (LARGEST_JERK_M_PER_S3 / 12.0 * steps_s**3)[:, None]
    with np.errstate(invalid="ignore"):
        beyond = np.abs(part) > limit_m
        # One wrong Doppler spoils the steps before and after it alike; a slip stands alone.
        twice = beyond[1:] & beyond[:-1] & (part[1:] * part[:-1] > 0.0)
    beyond[1:] &= ~twice
    beyond[:-1] &= ~twice
    slips[1:, known] = beyond
    return slips
