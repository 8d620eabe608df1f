"""Code multipath of every signal, from its code and two carrier phases.

MP1 = P1 - L1 - 2 / (a - 1) (L1 - L2), with a = (f1 / f2)^2 and all in metres: geometry, clocks and ionosphere
cancel; multipath, code noise and a constant of the ambiguities remain. (Estey and Meertens 1999, TEQC: the
multi-purpose toolkit for GPS/GLONASS data, GPS Solutions 3(1), 42-49.) The constant is taken off as the mean
of each arc between slips. The codes of BeiDou-2 satellites carry a drift with elevation of up to a metre
(Wanninger and Beer 2015, GPS Solutions 19, 639-648), which counts here as multipath.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stations.quality.cycle_slips import SlipMasks
from stations.quality.signal_pairs import SignalPair
from transforms.constants import SPEED_OF_LIGHT_M_PER_S

FloatArray = NDArray[np.float64]

SHORTEST_ARC: Final = 10  # observations: the mean of fewer would swallow the multipath it should show


@dataclass(frozen=True)
class PairMultipath:
    """Code multipath of the two signals of a pair.

    first_rms_m, second_rms_m : rms about the arcs' means, m; None where no arc is long enough
    n_first, n_second : observations behind each
    """

    pair: SignalPair
    first_rms_m: float | None
    second_rms_m: float | None
    n_first: int
    n_second: int


def code_multipath_m(
    code_m: ArrayLike,
    phase_own_cycles: ArrayLike,
    phase_other_cycles: ArrayLike,
    frequency_own_hz: ArrayLike,
    frequency_other_hz: ArrayLike,
) -> FloatArray:
    """Code multipath combination of a signal with another carrier, arcs' constants still in it.

    code_m, phase_own_cycles, phase_other_cycles : (n_epoch, n_satellite)
    frequency_own_hz, frequency_other_hz : scalar or (n_satellite,)

    Returns (n_epoch, n_satellite), m, NaN where one of the three is missing (Estey and Meertens 1999).
    """
    own_hz = np.asarray(frequency_own_hz, dtype=np.float64)
    other_hz = np.asarray(frequency_other_hz, dtype=np.float64)
    own_m = np.asarray(phase_own_cycles, dtype=np.float64) * (SPEED_OF_LIGHT_M_PER_S / own_hz)
    other_m = np.asarray(phase_other_cycles, dtype=np.float64) * (SPEED_OF_LIGHT_M_PER_S / other_hz)
    # The ionosphere delays the own code by I and advances the own phase by I, the other by (own/other)^2 I.
    ionosphere_m = (own_m - other_m) / ((own_hz / other_hz) ** 2 - 1.0)
    return np.asarray(np.asarray(code_m, dtype=np.float64) - own_m - 2.0 * ionosphere_m, dtype=np.float64)


def rms_about_arc_means(values: FloatArray, masks: SlipMasks) -> tuple[float | None, int]:
    """Rms of values (n_epoch, n_satellite) about the mean of each arc, and the number of values used.

    Code outliers and arcs of fewer than SHORTEST_ARC values are left out; None where none is left. One degree
    of freedom is paid for each arc's mean.
    """
    number = masks.arc_number()
    usable = (number >= 0) & np.isfinite(values) & ~masks.code_outlier
    if not usable.any():
        return None, 0
    columns = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    key = number[usable] * values.shape[1] + columns[usable]
    _, arc = np.unique(key, return_inverse=True)
    count = np.bincount(arc)
    taken = values[usable]
    mean = np.bincount(arc, weights=taken) / count
    # Twice, so that the large constant of the ambiguities does not eat the digits.
    mean = mean + np.bincount(arc, weights=taken - mean[arc]) / count
    squares = np.bincount(arc, weights=(taken - mean[arc]) ** 2)
    long_enough = count >= SHORTEST_ARC
    if not long_enough.any():
        return None, 0
    n = int(count[long_enough].sum())
    return float(np.sqrt(squares[long_enough].sum() / (n - long_enough.sum()))), n


def pair_multipath(
    pair: SignalPair,
    code_1_m: ArrayLike,
    code_2_m: ArrayLike,
    phase_1_cycles: ArrayLike,
    phase_2_cycles: ArrayLike,
    frequency_1_hz: ArrayLike,
    frequency_2_hz: ArrayLike,
    masks: SlipMasks,
) -> PairMultipath:
    """Multipath of both codes of a pair; arrays (n_epoch, n_satellite), masks of the same pair."""
    one = code_multipath_m(code_1_m, phase_1_cycles, phase_2_cycles, frequency_1_hz, frequency_2_hz)
    two = code_multipath_m(code_2_m, phase_2_cycles, phase_1_cycles, frequency_2_hz, frequency_1_hz)
    first_rms_m, n_first = rms_about_arc_means(one, masks)
    second_rms_m, n_second = rms_about_arc_means(two, masks)
    return PairMultipath(pair, first_rms_m, second_rms_m, n_first, n_second)
