"""What a figure should be today, from its own days before: level, seasons, memory from day to day, scatter.

The level and the amplitudes come from Huber's M-estimation (Huber 1981, Robust Statistics, chapter 7), the
scatter from cut residuals, so that odd days count little. What is left from one day to the
next (wet snow, a front that stays) is a first-order autoregression.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

DAYS_PER_YEAR: Final = 365.25
# A sine over less than about one and a half years cannot be told from a drift.
SEASONS_FROM_DAYS: Final = 550.0
_HUBER_SIGMAS: Final = 1.345  # 95 % efficient with normal scatter (Huber 1981)
_ITERATIONS: Final = 12
_CUT_SIGMAS: Final = 3.0
_SIGMA_FROM_MAD: Final = 1.4826
_LARGEST_MEMORY: Final = 0.95


@dataclass(frozen=True, eq=False)
class ReferenceModel:
    """A fitted reference.

    origin_day : of the design; coefficients : level, then cosine and sine of the year, then of half a year
    memory : correlation of neighbouring days' residuals, 0 to 0.95
    innovation_scale : robust standard deviation of what memory does not explain
    cofactor : (u, u) of the coefficients, with the residuals' robust variance as unit weight
    residual_scale : robust standard deviation of the residuals
    """

    origin_day: float
    coefficients: FloatArray
    memory: float
    innovation_scale: float
    residual_scale: float
    cofactor: FloatArray

    def expected(self, days: FloatArray) -> FloatArray:
        """The reference on given days, (n,)."""
        return design(days - self.origin_day, self.coefficients.size) @ self.coefficients


def design(days: FloatArray, n_terms: int) -> FloatArray:
    """Level and n_terms // 2 harmonics of the year, (n, n_terms)."""
    columns = [np.ones(days.size)]
    for harmonic in range(1, n_terms // 2 + 1):
        angle = 2.0 * np.pi * harmonic * days / DAYS_PER_YEAR
        columns += [np.cos(angle), np.sin(angle)]
    return np.column_stack(columns)


def robust_scale(values: FloatArray) -> float:
    """Standard deviation of values cut at three robust sigmas (1.4826 median absolute deviations).

    Odd values count as three sigmas and no more, yet tails longer than the normal's still widen it: a
    cumulative sum is driven by the variance, of which the median absolute deviation alone knows too little.
    """
    centre = float(np.median(values))
    sigma = float(_SIGMA_FROM_MAD * np.median(np.abs(values - centre)))
    cut = np.clip(values - centre, -_CUT_SIGMAS * sigma, _CUT_SIGMAS * sigma)
    return float(np.sqrt(np.mean(cut**2)))


def huber_fit(matrix: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Coefficients (u,) and cofactor (u, u) of a robust fit; the start is least squares."""
    weight = np.ones(values.size)
    coefficients: FloatArray = np.zeros(matrix.shape[1])
    normal: FloatArray = np.eye(matrix.shape[1])
    for iteration in range(_ITERATIONS):
        weighted = matrix * weight[:, np.newaxis]
        normal = weighted.T @ matrix
        fresh = np.asarray(np.linalg.solve(normal, weighted.T @ values), dtype=np.float64)
        residual = np.abs(values - matrix @ fresh)
        scale = max(_SIGMA_FROM_MAD * float(np.median(residual)), 1e-12)
        done = iteration > 0 and bool(np.all(np.abs(fresh - coefficients) < 1e-3 * scale))
        coefficients = fresh
        if done:
            break
        weight = np.minimum(1.0, _HUBER_SIGMAS * scale / np.maximum(residual, 1e-300))
    return coefficients, np.asarray(np.linalg.inv(normal), dtype=np.float64)


def fit_reference(days: FloatArray, values: FloatArray, floor: float) -> ReferenceModel:
    """Fit a reference to days (n,), sorted, and values (n,).

    floor : smallest scatter taken for real, in the values' unit
    """
    n_terms = 5 if days[-1] - days[0] >= SEASONS_FROM_DAYS else 1
    origin = float(days[0])
    matrix = design(days - origin, n_terms)
    coefficients, cofactor = huber_fit(matrix, values)
    residual = values - matrix @ coefficients
    memory = memory_of(days, residual)
    scale = max(robust_scale(residual), floor)
    neighbours = np.diff(days) == 1.0
    innovation = (residual[1:] - memory * residual[:-1])[neighbours]
    enough = innovation.size >= 10
    innovation_scale = robust_scale(innovation) if enough else scale * float(np.sqrt(1.0 - memory**2))
    return ReferenceModel(
        origin,
        coefficients,
        memory,
        max(innovation_scale, floor * float(np.sqrt(1.0 - memory**2))),
        scale,
        cofactor,
    )


def memory_of(days: FloatArray, residual: FloatArray) -> float:
    """Correlation of neighbouring days, 0 to 0.95, from residuals cut at three sigmas.

    Of few days it comes out too small (Kendall 1954, Biometrika 41, 403: by (1 + 3 rho) / n): that is added.
    """
    scale = robust_scale(residual)
    pairs = np.flatnonzero(np.diff(days) == 1.0)
    if scale == 0.0 or pairs.size < 10:
        return 0.0
    cut = np.clip(residual, -_CUT_SIGMAS * scale, _CUT_SIGMAS * scale)
    one, two = cut[pairs], cut[pairs + 1]
    found = float(np.sum(one * two) / np.sqrt(np.sum(one**2) * np.sum(two**2)))
    return float(np.clip((found * pairs.size + 1.0) / max(pairs.size - 3.0, 1.0), 0.0, _LARGEST_MEMORY))
