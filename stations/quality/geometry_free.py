"""Spikes in the differences of the geometry-free phase: one witness of a cycle slip.

The difference between epochs of L1 - L2 (metres) is the change of the slant ionosphere, which is smooth in
time, plus noise; a slip adds a spike. Its place is predicted by a straight line through the neighbouring
differences, which never holds the spike itself, so nothing has to be restarted after a slip, and the limit
follows the scatter of the residuals: it adapts to the interval, to the ionosphere and to the elevation.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.quality.sliding_windows import SCATTER_FROM_MAD, sliding_median

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# The wavelengths of a pair differ by 4.4 cm (B1I, B3I) or more: half of that still tells a slip of one cycle
# on both carriers from none.
GEOMETRY_FREE_FLOOR_FRACTION: Final = 0.5
GEOMETRY_FREE_SIGMAS: Final = (
    6.0  # ionospheric residuals have long tails: Blewitt's 4 or 5 sigma is for noise
)
FIRST_PASS_SIGMAS: Final = 5.0  # about the median; only to keep spikes out of the line
PHASE_NOISE_ZENITH_M: Final = 0.0015  # of one carrier, one epoch; divided by sin(elevation)
GEOMETRY_FREE_WINDOW_S: Final = (
    300.0  # each side: the slant ionosphere's rate is nearly straight over minutes
)
NARROWEST_WINDOW: Final = 3  # epochs each side: six neighbours for a line of two unknowns
WIDEST_WINDOW: Final = 10  # epochs each side: more brings curvature and no precision
SCATTER_WINDOW: Final = 10  # epochs each side over which the scatter is taken
# At longer intervals the residuals are travelling disturbances of the ionosphere rather than noise, and come
# in bursts: there the scatter of the nearest neighbours alone counts too, where it is the larger.
COARSE_INTERVAL_S: Final = 60.0
IONOSPHERE_RATE_LIMIT_M_PER_S: Final = (
    0.0018  # 1 TECU/min on L1-L2: used only where nothing predicts the rate
)


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


def geometry_free_excess(
    time_s: FloatArray,
    difference_m: FloatArray,
    step_s: FloatArray,
    suspect: BoolArray,
    wavelength_difference_m: FloatArray,
    elevation_sine: FloatArray,
    interval_s: float,
) -> tuple[FloatArray, FloatArray]:
    """How far the differences of the geometry-free phase are from the predicted ones, and the limit.

    Returns the excess as a share of the limit (above 1 it is a slip; 0 where there is no difference), and the
    limit, m, NaN where there is no difference. Both (n_epoch, n_satellite).

    Parameters
    ----------
    time_s : (n_epoch,)
    difference_m, step_s : (n_epoch, n_satellite) change since the satellite's previous epoch and the time
        between; the change is NaN where an arc begins
    suspect : (n_epoch, n_satellite) differences that another witness doubts: tested, but kept out of the
        neighbours' prediction and of the scatter
    wavelength_difference_m : (n_satellite,); elevation_sine : (n_epoch, n_satellite)
    interval_s : usual time between epochs
    """
    floor_m = np.broadcast_to(GEOMETRY_FREE_FLOOR_FRACTION * wavelength_difference_m, difference_m.shape)
    noise_m = 2.0 * PHASE_NOISE_ZENITH_M / elevation_sine  # two carriers, two epochs
    with np.errstate(invalid="ignore"):
        usual = np.maximum(step_s / interval_s, 1.0)
        rate = difference_m / step_s
        middle = time_s[:, np.newaxis] - 0.5 * step_s
        half_width = int(np.clip(round(GEOMETRY_FREE_WINDOW_S / interval_s), NARROWEST_WINDOW, WIDEST_WINDOW))
        scatter_width = max(SCATTER_WINDOW, half_width)
        # First a median, which no spike can pull; then a line through what the median left.
        centre, _ = sliding_median(np.where(suspect, np.nan, rate), half_width)
        deviation = np.abs(rate - centre) * step_s
        spread, _ = sliding_median(np.where(suspect, np.nan, deviation), scatter_width)
        spike = deviation > np.maximum(floor_m, FIRST_PASS_SIGMAS * SCATTER_FROM_MAD * spread) * usual
        limit, excess = np.full(difference_m.shape, np.nan), np.zeros(difference_m.shape)
        for _ in range(2):
            doubtful = spike | suspect
            prediction, cofactor, n = _predict_rate(middle, np.where(doubtful, np.nan, rate), half_width)
            scale = np.sqrt(1.0 + cofactor) * usual
            residual = np.abs(rate - prediction) * step_s / scale
            spread, n_spread = sliding_median(np.where(doubtful, np.nan, residual), scatter_width)
            overall = np.nanmedian(residual) if np.isfinite(residual).any() else 0.0
            spread = np.where(n_spread >= 5, spread, np.maximum(np.nan_to_num(spread), overall))
            if interval_s > COARSE_INTERVAL_S:
                near, n_near = sliding_median(np.where(doubtful, np.nan, residual), NARROWEST_WINDOW)
                spread = np.where(n_near >= NARROWEST_WINDOW, np.maximum(spread, near), spread)
            sigma = np.maximum(SCATTER_FROM_MAD * spread, noise_m)
            limit = np.maximum(floor_m, GEOMETRY_FREE_SIGMAS * sigma * scale)
            unpredicted = n == 0
            limit = np.where(unpredicted, floor_m + IONOSPHERE_RATE_LIMIT_M_PER_S * step_s, limit)
            excess = np.where(unpredicted, np.abs(difference_m), np.abs(rate - prediction) * step_s)
            spike = excess > limit
        there = np.isfinite(difference_m)
        return np.where(there, excess / limit, 0.0), np.where(there, limit, np.nan)
