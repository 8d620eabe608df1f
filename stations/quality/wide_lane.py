"""Steps of the Melbourne-Wuebbena wide-lane: one witness of a cycle slip, free of geometry and ionosphere."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.quality.sliding_windows import SCATTER_FROM_MAD, sliding_maximum, sliding_median
from transforms.constants import SPEED_OF_LIGHT_M_PER_S

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

WIDE_LANE_WINDOW_S: Final = 900.0  # each side: long against multipath at one epoch, short against a pass
WIDE_LANE_SIGMAS: Final = 4.0  # Blewitt (1990): 4 sigma of the running mean
# Where the geometry-free phase half suspects a slip, pairs such as 5 and 4 cycles, the wide-lane needs less.
SECONDING_SIGMAS: Final = 2.5
SECONDING_SHARE: Final = 0.6  # of the geometry-free limit: 3.6 of its 6 sigma
WIDE_LANE_FLOOR_CYCLES: Final = 0.7  # the smallest wide-lane slip is 1 cycle
WIDE_LANE_NOISE_FLOOR_CYCLES: Final = 0.15  # about 0.2 m of code noise
CODE_CORRELATION_S: Final = 90.0  # code multipath and smoothing in receivers: means over less do not improve
WIDE_LANE_MINIMUM_POINTS: Final = 3
# A wide-lane point this far from the median of its neighbours, in cycles and in scatters, is a bad code.
CODE_OUTLIER_CYCLES: Final = 3.0
CODE_OUTLIER_SIGMAS: Final = 6.0
CODE_OUTLIER_NEIGHBOURS: Final = 3  # epochs each side
SCATTER_NEIGHBOURS: Final = 20  # epochs each side
LONGEST_SEARCH: Final = 20  # passes; each finds at least one step of every arc that still has one


def wide_lane_cycles(
    phase_1: FloatArray, phase_2: FloatArray, code_1: FloatArray, code_2: FloatArray,
    frequency_1: FloatArray, frequency_2: FloatArray,
) -> FloatArray:  # fmt: skip
    """Melbourne-Wuebbena combination, wide-lane cycles (Blewitt 1990, eq. 1)."""
    ratio = (frequency_1 - frequency_2) / (frequency_1 + frequency_2)
    codes = (code_1 * frequency_1 + code_2 * frequency_2) / SPEED_OF_LIGHT_M_PER_S
    return np.asarray(phase_1 - phase_2 - ratio * codes, dtype=np.float64)


def code_outliers(wide_lane: FloatArray) -> BoolArray:
    """Isolated wide-lane points, whose code is bad: (n_epoch, n_satellite) bool.

    A step of the wide-lane is none: the median of the neighbours follows it.
    """
    centre, _ = sliding_median(wide_lane, CODE_OUTLIER_NEIGHBOURS)
    deviation = np.abs(wide_lane - centre)
    spread, _ = sliding_median(deviation, SCATTER_NEIGHBOURS)
    limit = np.maximum(CODE_OUTLIER_CYCLES, CODE_OUTLIER_SIGMAS * SCATTER_FROM_MAD * spread)
    with np.errstate(invalid="ignore"):
        return np.asarray(deviation > limit, dtype=np.bool_)


def wide_lane_steps(
    wide_lane: FloatArray,
    usable: BoolArray,
    known: BoolArray,
    continues: BoolArray,
    suspicion: FloatArray,
    elevation_sine: FloatArray,
    interval_s: float,
) -> BoolArray:
    """Steps in the wide-lane that no other witness explains, (n_epoch, n_satellite) bool.

    Means over a window before and after each epoch, inside the arc; the largest significant step of each
    neighbourhood splits its arc, and the search is repeated on the parts.

    usable : wide-lane is there and no code outlier; known : starts of arcs; continues : inside an arc
    suspicion : excess of the geometry-free phase over its prediction, as a share of its limit
    """
    n_epoch = wide_lane.shape[0]
    found = np.zeros(wide_lane.shape, dtype=np.bool_)
    window = max(5, round(WIDE_LANE_WINDOW_S / interval_s))
    separation = max(1, window // 2)
    needed = np.where(suspicion > SECONDING_SHARE, SECONDING_SIGMAS, WIDE_LANE_SIGMAS)
    rows = np.arange(n_epoch)[:, np.newaxis]
    for _ in range(LONGEST_SEARCH):
        starts = known | found
        first = np.maximum.accumulate(np.where(starts, rows, 0), axis=0)
        following = np.where(starts, rows, n_epoch)
        ends = np.minimum.accumulate(following[::-1], axis=0)[::-1]  # first start at or after k
        after_end = np.vstack([ends[1:], np.full((1, starts.shape[1]), n_epoch)])
        centred = _centred_within_arcs(wide_lane, usable, starts)
        before = _window_moments(centred, usable, np.maximum(first, rows - window), rows)
        after = _window_moments(centred, usable, rows, np.minimum(after_end, rows + window))
        statistic, step = _step_statistic(before, after, elevation_sine, interval_s)
        candidate = (
            continues & ~starts & usable & (statistic > needed) & (np.abs(step) > WIDE_LANE_FLOOR_CYCLES)
        )
        if not candidate.any():
            break
        score = np.where(candidate, statistic, 0.0)
        peak = sliding_maximum(score, separation)
        found |= candidate & (score >= peak)
    return found


def _centred_within_arcs(values: FloatArray, usable: BoolArray, starts: BoolArray) -> FloatArray:
    """Values minus the first usable one of their arc, 0 where unusable: sums of squares keep their digits."""
    rows = np.arange(values.shape[0])[:, np.newaxis]
    arc = np.cumsum(starts, axis=0)
    index = np.where(usable, rows, -1)
    last = np.maximum.accumulate(index, axis=0)
    earlier = np.vstack([np.full((1, values.shape[1]), -1), last[:-1]])
    columns = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    same_arc = (earlier >= 0) & (arc[np.maximum(earlier, 0), columns] == arc)
    opening = usable & ~same_arc
    opening_row = np.maximum.accumulate(np.where(opening, rows, 0), axis=0)
    return np.where(usable, values - np.nan_to_num(values[opening_row, columns]), 0.0)


def _window_moments(
    centred: FloatArray, usable: BoolArray, begin: NDArray[np.int64], end: NDArray[np.int64]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Count, mean and sum of squared deviations of the usable values with begin <= epoch < end."""
    columns = np.broadcast_to(np.arange(centred.shape[1]), centred.shape)
    begin, end = np.broadcast_to(begin, centred.shape), np.broadcast_to(end, centred.shape)

    def total(values: FloatArray) -> FloatArray:
        running = np.vstack([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
        return np.asarray(running[end, columns] - running[begin, columns], dtype=np.float64)

    n = total(usable.astype(np.float64))
    safe = np.maximum(n, 1.0)
    mean = total(centred) / safe
    return n, mean, np.maximum(total(centred**2) - safe * mean**2, 0.0)


def _step_statistic(
    before: tuple[FloatArray, FloatArray, FloatArray],
    after: tuple[FloatArray, FloatArray, FloatArray],
    elevation_sine: FloatArray,
    interval_s: float,
) -> tuple[FloatArray, FloatArray]:
    """Step between two windows over its sigma, and the step, cycles; statistic 0 where too few points."""
    n_before, mean_before, squares_before = before
    n_after, mean_after, squares_after = after
    enough = (n_before >= WIDE_LANE_MINIMUM_POINTS) & (n_after >= WIDE_LANE_MINIMUM_POINTS)
    variance = (squares_before + squares_after) / np.maximum(n_before + n_after - 2.0, 1.0)
    variance = np.maximum(variance, (WIDE_LANE_NOISE_FLOOR_CYCLES / elevation_sine) ** 2)
    # Neighbouring codes share their multipath: a mean is worth its length over the correlation time.
    independent = min(1.0, interval_s / CODE_CORRELATION_S)
    worth_before = np.maximum(n_before * independent, 1.0)
    worth_after = np.maximum(n_after * independent, 1.0)
    step = mean_after - mean_before
    sigma = np.sqrt(variance * (1.0 / worth_before + 1.0 / worth_after))
    return np.where(enough, np.abs(step) / sigma, 0.0), step
