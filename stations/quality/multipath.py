"""Code multipath of every signal, from its code and two carrier phases.

MP1 = P1 - L1 - 2 / (a - 1) (L1 - L2), with a = (f1 / f2)^2 and all in metres: geometry, clocks and ionosphere
cancel; multipath, code noise and a constant of the ambiguities remain. (Estey and Meertens 1999, TEQC: the
multi-purpose toolkit for GPS/GLONASS data, GPS Solutions 3(1), 42-49.) The constant is taken off as the mean
of each arc between slips. The codes of BeiDou-2 satellites carry a drift with elevation of up to a metre
(Wanninger and Beer 2015, GPS Solutions 19, 639-648); `satellite_code_bias` sees and removes it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stations.quality.cycle_slips import SlipMasks
from stations.quality.signal_pairs import SignalPair
from stations.quality.sliding_windows import SCATTER_FROM_MAD
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


@dataclass(frozen=True, eq=False)
class ArcResiduals:
    """Values freed of the mean of their arc.

    values : (n_epoch, n_satellite), NaN where not used: code outliers, arcs of fewer than SHORTEST_ARC values
    n_arcs : means taken, each of which costs a degree of freedom; n_outliers : codes left out
    """

    values: FloatArray
    n_arcs: int
    n_outliers: int

    @property
    def n(self) -> int:
        """Values used."""
        return int(np.isfinite(self.values).sum())

    def rms(self, where: NDArray[np.bool_] | None = None) -> float | None:
        """Rms of all values, or of those `where` (n_epoch, n_satellite) is true; None where there is none."""
        n = self.n
        if n <= self.n_arcs:
            return None
        taken = self.values[np.isfinite(self.values) if where is None else np.isfinite(self.values) & where]
        if taken.size == 0:
            return None
        return float(np.sqrt(np.mean(taken**2) * n / (n - self.n_arcs)))


def residuals_about_arc_means(values: FloatArray, masks: SlipMasks) -> ArcResiduals:
    """Values (n_epoch, n_satellite) minus the mean of their arc between slips."""
    number = masks.arc_number()
    usable = (number >= 0) & np.isfinite(values) & ~masks.code_outlier
    n_outliers = int(((number >= 0) & np.isfinite(values) & masks.code_outlier).sum())
    residuals = np.full(values.shape, np.nan)
    if not usable.any():
        return ArcResiduals(residuals, 0, n_outliers)
    columns = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    key = number[usable] * values.shape[1] + columns[usable]
    # Numbers of arcs are small whole numbers: counting them beats sorting them.
    count = np.bincount(key)
    safe = np.maximum(count, 1)
    taken = values[usable]
    mean = np.bincount(key, weights=taken) / safe
    # Twice, so that the large constant of the ambiguities does not eat the digits.
    mean = mean + np.bincount(key, weights=taken - mean[key]) / safe
    long_enough = count >= SHORTEST_ARC
    residuals[usable] = np.where(long_enough[key], taken - mean[key], np.nan)
    return ArcResiduals(residuals, int(long_enough.sum()), n_outliers)


def code_noise_m(residuals: ArcResiduals, time_s: FloatArray, interval_s: float) -> float | None:
    """Scatter of the code between neighbouring epochs of an arc, m; None where there are too few.

    The difference of two epochs holds the noise of both, and of the multipath only what changes within an
    interval. From the median, which the arcs' ends (jumps between their means) do not pull.
    """
    neighbours = np.abs(np.diff(time_s) - interval_s) < 0.1 * max(interval_s, 1e-3)
    change = np.diff(residuals.values, axis=0)[neighbours]
    change = change[np.isfinite(change)]
    if change.size < SHORTEST_ARC:
        return None
    return float(SCATTER_FROM_MAD * np.median(np.abs(change)) / np.sqrt(2.0))


def rms_about_arc_means(values: FloatArray, masks: SlipMasks) -> tuple[float | None, int]:
    """Rms of values (n_epoch, n_satellite) about the mean of each arc, and the number of values used.

    Code outliers and arcs of fewer than SHORTEST_ARC values are left out; None where none is left. One degree
    of freedom is paid for each arc's mean.
    """
    residuals = residuals_about_arc_means(values, masks)
    return residuals.rms(), residuals.n


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
