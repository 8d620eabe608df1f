"""Which observations a solution does not believe, and steps that the slip detectors missed."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_MAD_TO_SIGMA: Final = 1.4826  # of a normal distribution
# A scale of zero, as in data without noise, would reject everything.
_SMALLEST_SCALE: Final = 0.02
_MINIMUM_STEP_M: Final = 0.04  # below it a step is noise or multipath at low elevation
_STEP_LIMIT: Final = 6.0  # multiples of the step's own sigma
_MINIMUM_SIDE: Final = 5  # observations before and after


def robust_sigma(standardised: FloatArray) -> float:
    """Scale of residuals that an eighth of gross errors does not move; 1 for those of a correct model."""
    if standardised.size == 0:
        return 1.0
    return float(_MAD_TO_SIGMA * np.median(np.abs(standardised)))


def find_outliers(
    residuals: FloatArray, weight: FloatArray, limit: float, redundancy: FloatArray | None = None
) -> BoolArray:
    """Observations whose standardised residual exceeds `limit` times the robust scale.

    Parameters
    ----------
    residuals, weight : (n,); weight 0 marks what was rejected before, which stays out of the scale
    redundancy : (n,) share of an observation's error that shows in its residual, 0 to 1, or None for 1: where
        nothing shows, nothing is found, and the scale is that of the others
    """
    used = weight > 0.0
    standardised = residuals * np.sqrt(weight)
    if redundancy is not None:
        used = used & (redundancy > 0.0)
        standardised = standardised / np.sqrt(np.where(used, redundancy, 1.0))
    scale = max(robust_sigma(standardised[used]), _SMALLEST_SCALE)
    return np.asarray(used & (np.abs(standardised) > limit * scale))


@dataclass(frozen=True, eq=False)
class ResidualStep:
    """A step in the phase residuals of an arc: the rows from which a new ambiguity is needed."""

    arc: int
    rows: IntArray
    size_m: float


def find_residual_steps(residuals: FloatArray, arc: IntArray, used: BoolArray) -> list[ResidualStep]:
    """Steps in phase residuals, at most one in each arc, the largest.

    residuals : (n,) phase, m, in time order; arc : (n,); used : (n,)
    """
    steps: list[ResidualStep] = []
    order = np.lexsort((np.arange(arc.size), arc))
    order = order[used[order]]
    boundaries = np.flatnonzero(np.diff(arc[order])) + 1
    for rows in np.split(order, boundaries):
        n = rows.size
        if n < 2 * _MINIMUM_SIDE:
            continue
        values = residuals[rows]
        total = np.cumsum(values)
        split = np.arange(_MINIMUM_SIDE, n - _MINIMUM_SIDE + 1)
        before = total[split - 1] / split
        after = (total[-1] - total[split - 1]) / (n - split)
        size = after - before
        difference_sigma = robust_sigma(np.diff(values)) / np.sqrt(2.0)
        sigma = max(difference_sigma, 1e-4) * np.sqrt(1.0 / split + 1.0 / (n - split))
        # A true step shows between two neighbours too; a slow wave of multipath does not.
        at_once = np.abs(values[split] - values[split - 1])
        candidate = (
            (np.abs(size) > _MINIMUM_STEP_M)
            & (np.abs(size) > _STEP_LIMIT * sigma)
            & (at_once > 0.5 * np.abs(size))
            & (at_once > 4.0 * difference_sigma)
        )
        if candidate.any():
            best = int(np.argmax(np.where(candidate, np.abs(size) / sigma, 0.0)))
            steps.append(ResidualStep(int(arc[rows[0]]), rows[split[best] :], float(size[best])))
    return steps


def correlation_inflation(residuals: FloatArray, series: IntArray, used: BoolArray) -> float:
    """Factor on a covariance for the correlation in time of the residuals, at least 1.

    1 + 2 sum of the autocorrelations up to their first zero crossing, pooled over all series: the number of
    observations that bring as much as one independent one. Formal sigmas of GNSS without it are several
    times too small (Santerre 1991; Schoen and Brunner 2008).

    residuals : (n,) standardised, in time order; series : (n,) one for each arc
    """
    order = np.lexsort((np.arange(series.size), series))
    order = order[used[order]]
    if order.size < 50:
        return 1.0
    values, owner = residuals[order], series[order]
    variance = float(np.mean(values**2))
    total = 1.0
    for lag in range(1, order.size // 2):
        same = owner[lag:] == owner[:-lag]
        if np.count_nonzero(same) < 30:
            break
        correlation = float(np.mean((values[lag:] * values[:-lag])[same])) / variance
        if correlation <= 0.0:
            break
        total += 2.0 * correlation
    return total
