"""Medians and maxima over windows that slide along the epochs of many satellites."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

FloatArray = NDArray[np.float64]

SCATTER_FROM_MAD: Final = 1.4826  # sigma of a normal distribution over its median absolute deviation


def sliding_median(values: FloatArray, half_width: int) -> tuple[FloatArray, NDArray[np.int64]]:
    """Median over epochs k - half_width .. k + half_width and count of finite values; NaN where none."""
    median = np.full(values.shape, np.nan)
    count = np.zeros(values.shape, dtype=np.int64)
    width = 2 * half_width + 1
    for column in range(values.shape[1]):  # one satellite at a time keeps 1 Hz days within memory
        series = np.pad(values[:, column], half_width, constant_values=np.nan)
        running = np.concatenate([[0], np.cumsum(np.isfinite(series))])
        n = running[width:] - running[:-width]
        rows = np.flatnonzero(n)  # most satellites are below the horizon most of the time
        windows = np.lib.stride_tricks.sliding_window_view(series, width)[rows]
        windows = np.sort(windows, axis=1)  # NaN sorts last
        picked = np.arange(rows.size)
        low = windows[picked, (n[rows] - 1) // 2]
        high = windows[picked, n[rows] // 2]
        median[rows, column] = 0.5 * (low + high)
        count[:, column] = n
    return median, count


def sliding_maximum(values: FloatArray, half_width: int) -> FloatArray:
    """Largest of the values, none below 0, over epochs k - half_width .. k + half_width."""
    width = 2 * half_width + 1
    return np.asarray(maximum_filter1d(values, width, axis=0, mode="constant", cval=0.0), dtype=np.float64)
