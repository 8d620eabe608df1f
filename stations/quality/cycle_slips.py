"""Cycle slips of dual-frequency carrier phase, found from the receiver's own observations.

Three witnesses, each blind where another sees:

- the receiver's loss-of-lock indicator;
- the geometry-free phase: a slip is a spike in its differences between epochs, against a straight line
  through the neighbouring differences. It sees a cycle on either carrier (19 to 25 cm) and on both at once
  (4 to 7 cm); it is blind to pairs such as 9 and 7 cycles of GPS L1 and L2 (3 mm);
- the Melbourne-Wuebbena wide-lane: a step between the means before and after. It sees all pairs of unequal
  numbers, whatever the ionosphere does, and is blind to equal ones.

After Blewitt (1990), An automatic editing algorithm for GPS data, Geophys. Res. Lett. 17(3), 199-202
("TurboEdit"); the spike test works on differences, so it needs no polynomial over a whole arc and its limit
follows the scatter of the data, thus the interval and the ionosphere.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stations.records import LossOfLock
from transforms.constants import SPEED_OF_LIGHT_M_PER_S
from transforms.errors import InputError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

MINIMUM_NEW_ARC_GAP_S: Final = (
    181.0  # Bernese GNSS Software 5.2 (2015), RNXSMT: gap that opens a new ambiguity
)
MAXIMUM_GAP_INTERVALS: Final = 2.5  # so one lost epoch never ends an arc, whatever the interval
SCATTER_FROM_MAD: Final = 1.4826  # sigma of a normal distribution over its median absolute deviation
# The wavelengths of a pair differ by 4.4 cm (B1I, B3I) or more: half of that still tells a slip of one cycle
# on both carriers from none.
GEOMETRY_FREE_FLOOR_FRACTION: Final = 0.5
GEOMETRY_FREE_SIGMAS: Final = (
    6.0  # ionospheric residuals have long tails: Blewitt's 4 or 5 sigma is for noise
)
PHASE_NOISE_ZENITH_M: Final = 0.0015  # of one carrier, one epoch; divided by sin(elevation)
GEOMETRY_FREE_WINDOW_S: Final = (
    300.0  # each side: the slant ionosphere's rate is nearly straight over minutes
)
IONOSPHERE_RATE_LIMIT_M_PER_S: Final = (
    0.0018  # 1 TECU/min on L1-L2: used only where nothing predicts the rate
)
WIDE_LANE_WINDOW_S: Final = 900.0  # each side: long against multipath at one epoch, short against a pass
WIDE_LANE_SIGMAS: Final = 4.0  # Blewitt (1990): 4 sigma of the running mean
WIDE_LANE_FLOOR_CYCLES: Final = 0.7  # the smallest wide-lane slip is 1 cycle
WIDE_LANE_NOISE_FLOOR_CYCLES: Final = 0.15  # about 0.2 m of code noise
CODE_CORRELATION_S: Final = 90.0  # code multipath and smoothing in receivers: means over less do not improve
WIDE_LANE_MINIMUM_POINTS: Final = 3
CODE_OUTLIER_CYCLES: Final = 3.0  # an isolated wide-lane point further from its neighbours is a bad code
MILLISECOND_JUMP_M: Final = SPEED_OF_LIGHT_M_PER_S * 1e-3
MINIMUM_ELEVATION_SINE: Final = 0.087  # 5 deg: the noise model 1/sin(elevation) is not asked lower


@dataclass(frozen=True, eq=False)
class SlipMasks:
    """Where the arcs of continuous phase begin, and why. All arrays (n_epoch, n_satellite) unless said.

    present : both phases observed
    arc_start : present, and the ambiguities are new here: first epoch, after a gap, or after a slip
    after_gap : new because it is the first or follows a gap longer than `maximum_gap_s`
    loss_of_lock, geometry_free, melbourne_wuebbena : slips inside an arc, by witness (they may coincide)
    geometry_free_limit_m : limit of the spike test; where it exceeds the difference of the two wavelengths a
        slip of one cycle on both carriers at once could not be seen
    code_clock_jump_ms : (n_epoch,) int, millisecond steps of the receiver clock that code shows and phase not
    """

    present: BoolArray
    arc_start: BoolArray
    after_gap: BoolArray
    loss_of_lock: BoolArray
    geometry_free: BoolArray
    melbourne_wuebbena: BoolArray
    geometry_free_limit_m: FloatArray
    code_clock_jump_ms: NDArray[np.int64]

    @property
    def slip(self) -> BoolArray:
        """Slips inside an arc, any witness, (n_epoch, n_satellite)."""
        return self.loss_of_lock | self.geometry_free | self.melbourne_wuebbena

    def arc_number(self) -> NDArray[np.int64]:
        """Arc of each observation, counted from 0 for each satellite; -1 where absent."""
        number = np.cumsum(self.arc_start, axis=0) - 1
        return np.where(self.present, number, -1).astype(np.int64)

    def counts(self) -> dict[str, int]:
        """Slips by witness; a slip with two witnesses counts once in "slips"."""
        return {
            "slips": int(self.slip.sum()),
            "loss of lock": int(self.loss_of_lock.sum()),
            "geometry-free": int(self.geometry_free.sum()),
            "Melbourne-Wuebbena": int(self.melbourne_wuebbena.sum()),
        }


def find_cycle_slips(
    time_s: ArrayLike,
    phase_1_cycles: ArrayLike,
    phase_2_cycles: ArrayLike,
    code_1_m: ArrayLike,
    code_2_m: ArrayLike,
    loss_of_lock_1: ArrayLike,
    loss_of_lock_2: ArrayLike,
    frequency_1_hz: ArrayLike,
    frequency_2_hz: ArrayLike,
    elevation_rad: ArrayLike | None = None,
    *,
    maximum_gap_s: float | None = None,
) -> SlipMasks:
    """Find the cycle slips of one pair of signals on many satellites.

    Parameters
    ----------
    time_s : (n_epoch,) strictly increasing, any origin
    phase_1_cycles, phase_2_cycles, code_1_m, code_2_m : (n_epoch, n_satellite), NaN where missing
    loss_of_lock_1, loss_of_lock_2 : (n_epoch, n_satellite) RINEX indicator bits, 0 where missing
    frequency_1_hz, frequency_2_hz : scalar or (n_satellite,), different from each other
    elevation_rad : (n_epoch, n_satellite), where known: raises the noise assumed at low elevation
    maximum_gap_s : a longer gap begins a new arc; default 181 s or 2.5 intervals, whichever is longer

    Raises InputError for shapes that do not fit, times that do not increase, or equal frequencies.
    """
    time = np.asarray(time_s, dtype=np.float64)
    phase_1, phase_2, code_1, code_2 = (
        np.asarray(a, dtype=np.float64) for a in (phase_1_cycles, phase_2_cycles, code_1_m, code_2_m)
    )
    shape = phase_1.shape
    lost_1, lost_2 = (np.asarray(a).astype(np.uint8) for a in (loss_of_lock_1, loss_of_lock_2))
    if len(shape) != 2 or time.shape != shape[:1]:
        raise InputError(f"phases have shape {shape} and times {time.shape}: (n_epoch, n_satellite) expected")
    for name, array in (
        ("phase 2", phase_2), ("code 1", code_1), ("code 2", code_2),
        ("loss of lock 1", lost_1), ("loss of lock 2", lost_2),
    ):  # fmt: skip
        if array.shape != shape:
            raise InputError(f"{name} has shape {array.shape}, phase 1 has {shape}")
    if np.any(np.diff(time) <= 0.0):
        raise InputError("times of observations do not increase strictly")
    frequency_1 = np.broadcast_to(np.asarray(frequency_1_hz, dtype=np.float64), shape[1:])
    frequency_2 = np.broadcast_to(np.asarray(frequency_2_hz, dtype=np.float64), shape[1:])
    if np.any(frequency_1 == frequency_2):
        raise InputError("the two signals of a pair have the same frequency")

    interval = _usual_interval(time)
    if maximum_gap_s is None:
        maximum_gap_s = max(MINIMUM_NEW_ARC_GAP_S, MAXIMUM_GAP_INTERVALS * interval)
    present = np.isfinite(phase_1) & np.isfinite(phase_2)
    previous = _previous_present(present)
    has_previous = present & (previous >= 0)
    columns = np.arange(shape[1])[np.newaxis, :]
    origin = np.maximum(previous, 0)
    step_s = np.where(has_previous, time[:, np.newaxis] - time[origin] if shape[0] else 0.0, np.nan)
    continues = has_previous & (np.nan_to_num(step_s, nan=np.inf) <= maximum_gap_s)
    after_gap = present & ~continues

    # A loss of lock flagged at an epoch without phase still breaks the arc at the next one with phase.
    flags = np.cumsum(((lost_1 | lost_2) & LossOfLock.LOST) != 0, axis=0)
    loss_of_lock = continues & (flags > flags[origin, columns]) if shape[0] else continues

    sine = _elevation_sine(elevation_rad, shape)
    wavelength_1 = SPEED_OF_LIGHT_M_PER_S / frequency_1
    wavelength_2 = SPEED_OF_LIGHT_M_PER_S / frequency_2
    geometry_free_m = wavelength_1 * phase_1 - wavelength_2 * phase_2
    difference_m = np.where(
        continues, geometry_free_m - geometry_free_m[origin, columns] if shape[0] else 0.0, np.nan
    )
    geometry_free, limit_m = _geometry_free_spikes(
        time, difference_m, step_s, np.abs(wavelength_1 - wavelength_2), sine, interval
    )

    clock_jump = _code_clock_jumps(code_1 - wavelength_1 * phase_1, origin, continues)
    level_m = np.cumsum(clock_jump)[:, np.newaxis] * MILLISECOND_JUMP_M
    wide_lane = _wide_lane_cycles(
        phase_1, phase_2, code_1 - level_m, code_2 - level_m, frequency_1, frequency_2
    )
    known = after_gap | loss_of_lock | geometry_free
    melbourne = _wide_lane_steps(wide_lane, known, continues, sine, interval)
    return SlipMasks(
        present=present,
        arc_start=known | melbourne,
        after_gap=after_gap,
        loss_of_lock=loss_of_lock,
        geometry_free=geometry_free,
        melbourne_wuebbena=melbourne,
        geometry_free_limit_m=limit_m,
        code_clock_jump_ms=clock_jump,
    )


def _usual_interval(time_s: FloatArray) -> float:
    """The most frequent step between epochs, s (to the millisecond); 1 where there is no step."""
    if time_s.size < 2:
        return 1.0
    values, counts = np.unique(np.rint(np.diff(time_s) * 1e3), return_counts=True)
    return float(max(values[np.argmax(counts)], 1.0)) / 1e3


def _previous_present(present: BoolArray) -> NDArray[np.int64]:
    """Index of the last epoch before this one at which the satellite was present, or -1."""
    index = np.where(present, np.arange(present.shape[0])[:, np.newaxis], -1)
    last = np.maximum.accumulate(index, axis=0)
    return np.vstack([np.full((1, present.shape[1]), -1), last[:-1]]).astype(np.int64)[: present.shape[0]]


def _elevation_sine(elevation_rad: ArrayLike | None, shape: tuple[int, ...]) -> FloatArray:
    if elevation_rad is None:
        return np.ones(shape)
    sine = np.sin(np.broadcast_to(np.asarray(elevation_rad, dtype=np.float64), shape))
    return np.asarray(np.clip(np.nan_to_num(sine, nan=1.0), MINIMUM_ELEVATION_SINE, 1.0), dtype=np.float64)


def _sliding_median(values: FloatArray, half_width: int) -> tuple[FloatArray, NDArray[np.int64]]:
    """Median over epochs k - half_width .. k + half_width and count of finite values; NaN where none."""
    median = np.full(values.shape, np.nan)
    count = np.zeros(values.shape, dtype=np.int64)
    width = 2 * half_width + 1
    for column in range(values.shape[1]):  # one satellite at a time keeps 1 Hz days within memory
        series = np.pad(values[:, column], half_width, constant_values=np.nan)
        windows = np.sort(np.lib.stride_tricks.sliding_window_view(series, width), axis=1)  # NaN sorts last
        n = np.isfinite(windows).sum(axis=1)
        rows = np.flatnonzero(n)
        low = windows[rows, (n[rows] - 1) // 2]
        high = windows[rows, n[rows] // 2]
        median[rows, column] = 0.5 * (low + high)
        count[:, column] = n
    return median, count


def _shifted(values: FloatArray, offset: int) -> FloatArray:
    """values[k + offset] at k, NaN beyond the ends."""
    moved = np.full(values.shape, np.nan)
    if offset > 0:
        moved[:-offset] = values[offset:]
    else:
        moved[-offset:] = values[:offset]
    return moved


def _predict_rate(
    middle_s: FloatArray, rate: FloatArray, half_width: int
) -> tuple[FloatArray, FloatArray, NDArray[np.int64]]:
    """Rate at each epoch from a straight line through its neighbours, itself left out.

    Returns prediction, its cofactor (variance over that of one rate), and the number of neighbours.
    """
    n, st, stt, sr, str_ = (np.zeros(rate.shape) for _ in range(5))
    for offset in range(-half_width, half_width + 1):
        if offset == 0 or abs(offset) >= rate.shape[0]:
            continue
        r = _shifted(rate, offset)
        t = _shifted(middle_s, offset) - middle_s
        good = np.isfinite(r) & np.isfinite(t)
        r, t = np.where(good, r, 0.0), np.where(good, t, 0.0)
        n += good
        st += t
        stt += t * t
        sr += r
        str_ += t * r
    determinant = n * stt - st * st
    with np.errstate(invalid="ignore", divide="ignore"):
        line = (n >= 3) & (determinant > 1e-9 * np.maximum(n * stt, 1.0))
        prediction = np.where(line, (sr * stt - st * str_) / determinant, sr / n)
        cofactor = np.where(line, stt / determinant, 1.0 / n)
    return prediction, cofactor, n.astype(np.int64)


def _geometry_free_spikes(
    time_s: FloatArray,
    difference_m: FloatArray,
    step_s: FloatArray,
    wavelength_difference_m: FloatArray,
    elevation_sine: FloatArray,
    interval_s: float,
) -> tuple[BoolArray, FloatArray]:
    """Spikes in the differences of the geometry-free phase, and the limit at each, m."""
    floor_m = np.broadcast_to(GEOMETRY_FREE_FLOOR_FRACTION * wavelength_difference_m, difference_m.shape)
    noise_m = 2.0 * PHASE_NOISE_ZENITH_M / elevation_sine  # two carriers, two epochs
    with np.errstate(invalid="ignore"):
        usual = np.maximum(step_s / interval_s, 1.0)
        rate = difference_m / step_s
        middle = time_s[:, np.newaxis] - 0.5 * step_s
        half_width = int(np.clip(round(GEOMETRY_FREE_WINDOW_S / interval_s), 3, 10))
        scatter_width = max(10, half_width)
        # First a median, which no spike can pull; then a line through what the median left.
        centre, _ = _sliding_median(rate, half_width)
        deviation = np.abs(rate - centre) * step_s
        spread, _ = _sliding_median(deviation, scatter_width)
        spike = deviation > np.maximum(floor_m, 5.0 * SCATTER_FROM_MAD * spread) * usual
        limit = np.full(difference_m.shape, np.nan)
        for _ in range(2):
            prediction, cofactor, n = _predict_rate(middle, np.where(spike, np.nan, rate), half_width)
            scale = np.sqrt(1.0 + cofactor) * usual
            residual = np.abs(rate - prediction) * step_s / scale
            spread, n_spread = _sliding_median(np.where(spike, np.nan, residual), scatter_width)
            overall = np.nanmedian(residual) if np.isfinite(residual).any() else 0.0
            spread = np.where(n_spread >= 5, spread, np.maximum(np.nan_to_num(spread), overall))
            sigma = np.maximum(SCATTER_FROM_MAD * spread, noise_m)
            limit = np.maximum(floor_m * usual, GEOMETRY_FREE_SIGMAS * sigma * scale)
            unpredicted = n == 0
            limit = np.where(unpredicted, floor_m + IONOSPHERE_RATE_LIMIT_M_PER_S * step_s, limit)
            excess = np.where(unpredicted, np.abs(difference_m), np.abs(rate - prediction) * step_s)
            spike = excess > limit
    return spike & np.isfinite(difference_m), np.where(np.isfinite(difference_m), limit, np.nan)


def _code_clock_jumps(
    code_minus_phase_m: FloatArray, origin: NDArray[np.int64], continues: BoolArray
) -> NDArray[np.int64]:
    """Whole milliseconds by which the codes of most satellites step against their phases, (n_epoch,)."""
    jumps = np.zeros(code_minus_phase_m.shape[0], dtype=np.int64)
    if not continues.any():
        return jumps
    columns = np.arange(continues.shape[1])[np.newaxis, :]
    change = np.where(continues, code_minus_phase_m - code_minus_phase_m[origin, columns], np.nan)
    rows = np.flatnonzero(np.isfinite(change).sum(axis=1) >= 2)
    milliseconds = np.nanmedian(change[rows], axis=1) / MILLISECOND_JUMP_M
    whole = np.rint(milliseconds)
    # A step of 300 km that is whole to a tenth of a microsecond (30 m) in the median satellite is no slip.
    jumps[rows] = np.where(np.abs(milliseconds - whole) < 1e-4, whole, 0.0).astype(np.int64)
    return jumps


def _wide_lane_cycles(
    phase_1: FloatArray, phase_2: FloatArray, code_1: FloatArray, code_2: FloatArray,
    frequency_1: FloatArray, frequency_2: FloatArray,
) -> FloatArray:  # fmt: skip
    """Melbourne-Wuebbena combination, wide-lane cycles (Blewitt 1990, eq. 1)."""
    ratio = (frequency_1 - frequency_2) / (frequency_1 + frequency_2)
    codes = (code_1 * frequency_1 + code_2 * frequency_2) / SPEED_OF_LIGHT_M_PER_S
    return np.asarray(phase_1 - phase_2 - ratio * codes, dtype=np.float64)


def _wide_lane_steps(
    wide_lane: FloatArray,
    known: BoolArray,
    continues: BoolArray,
    elevation_sine: FloatArray,
    interval_s: float,
) -> BoolArray:
    """Steps in the wide-lane that no other witness explains.

    Means over a window before and after each epoch, inside the arc; the largest significant step of each
    neighbourhood splits its arc, and the search is repeated on the parts.
    """
    n_epoch = wide_lane.shape[0]
    found = np.zeros(wide_lane.shape, dtype=np.bool_)
    if n_epoch == 0:
        return found
    # An isolated bad code would make two steps: leave it out of the means.
    neighbours, _ = _sliding_median(wide_lane, 3)
    with np.errstate(invalid="ignore"):
        usable = np.isfinite(wide_lane) & ~(np.abs(wide_lane - neighbours) > CODE_OUTLIER_CYCLES)
    window = max(5, round(WIDE_LANE_WINDOW_S / interval_s))
    separation = max(1, window // 2)
    rows = np.arange(n_epoch)[:, np.newaxis]
    for _ in range(20):
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
            continues
            & ~starts
            & usable
            & (statistic > WIDE_LANE_SIGMAS)
            & (np.abs(step) > WIDE_LANE_FLOOR_CYCLES)
        )
        score = np.where(candidate, statistic, 0.0)
        peak = _running_maximum(score, separation)
        chosen = candidate & (score >= peak)
        if not chosen.any():
            break
        found |= chosen
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


def _running_maximum(values: FloatArray, half_width: int) -> FloatArray:
    """Largest value within half_width epochs."""
    padded = np.pad(values, ((half_width, half_width), (0, 0)), constant_values=0.0)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half_width + 1, axis=0)
    return np.asarray(windows.max(axis=-1), dtype=np.float64)
