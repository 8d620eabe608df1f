"""Noise of the carrier phase, from third differences of the geometry-free phase along an arc."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.quality.cycle_slips import SlipMasks
from stations.quality.sliding_windows import SCATTER_FROM_MAD

FloatArray = NDArray[np.float64]

# A third difference of white noise has 1 + 9 + 9 + 1 times its variance.
_THIRD_DIFFERENCE_GAIN: Final = 20.0
_CARRIERS: Final = 2.0
MINIMUM_ELEVATION_DEG: Final = 30.0
_MINIMUM_VALUES: Final = 50


def phase_noise_m(
    phase_1_m: FloatArray, phase_2_m: FloatArray, masks: SlipMasks, elevation_rad: FloatArray
) -> float | None:
    """Noise of one carrier's phase, m, both taken as equal; None where there are too few epochs.

    All (n_epoch, n_satellite). An upper bound: what the ionosphere bends over three intervals is in it, and
    at 30 s that is no longer little.
    """
    difference = np.diff(phase_1_m - phase_2_m, n=3, axis=0)
    broken = masks.arc_start
    inside = ~(broken[1:-2] | broken[2:-1] | broken[3:])
    with np.errstate(invalid="ignore"):
        low = np.degrees(elevation_rad[3:]) < MINIMUM_ELEVATION_DEG
    taken = np.abs(difference[inside & ~low & np.isfinite(difference)])
    if taken.size < _MINIMUM_VALUES:
        return None
    return float(SCATTER_FROM_MAD * np.median(taken) / np.sqrt(_THIRD_DIFFERENCE_GAIN * _CARRIERS))
