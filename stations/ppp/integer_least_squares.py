"""Integer least squares: whole numbers nearest to correlated real estimates (LAMBDA).

Teunissen (1995), J. Geodesy 70, 65-82; de Jonge and Tiberius (1996), LGR-Series 12 (decorrelation and
search); Chang, Yang and Zhou (2005), J. Geodesy 79, 552-565 (MLAMBDA). Bootstrapped success rate: Teunissen
(1998), J. Geodesy 72, 606-612.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from transforms.errors import AdjustmentError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_MAXIMUM_SEARCH_STEPS: Final = 200_000


@dataclass(frozen=True, eq=False)
class IntegerSolution:
    """The two best integer vectors.

    integers : (n,) the best; second : (n,) the next
    squared_norms : of the best and the second, in the covariance's metric
    success_rate : probability that bootstrapping the decorrelated ambiguities finds the right ones
    """

    integers: FloatArray
    second: FloatArray
    squared_norms: tuple[float, float]
    success_rate: float

    @property
    def ratio(self) -> float:
        """Second best over best squared norm: large where the best stands alone."""
        return self.squared_norms[1] / max(self.squared_norms[0], 1e-12)


def ldl_decomposition(covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """L (unit lower triangular) and d with covariance = L' diag(d) L.

    Raises AdjustmentError where the matrix is not positive definite.
    """
    n = covariance.shape[0]
    work = (covariance + covariance.T) / 2.0
    lower, diagonal = np.zeros((n, n)), np.zeros(n)
    for i in range(n - 1, -1, -1):
        diagonal[i] = work[i, i]
        if diagonal[i] <= 0.0:
            raise AdjustmentError("the covariance of the ambiguities is not positive definite")
        lower[i, : i + 1] = work[i, : i + 1] / np.sqrt(diagonal[i])
        work[:i, :i] -= np.outer(lower[i, :i], lower[i, :i])
        lower[i, : i + 1] /= lower[i, i]
    return lower, diagonal


def decorrelate(covariance: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Integer transformation that makes ambiguities nearly uncorrelated.

    Returns Z (n, n) with whole numbers and determinant +-1, and L, d of Z' covariance Z = L' diag(d) L.
    """
    lower, diagonal = ldl_decomposition(covariance)
    n = diagonal.size
    z = np.eye(n)
    j = n - 2
    reduced_from = n - 2
    while j >= 0:
        if j <= reduced_from:
            for i in range(j + 1, n):
                shift = np.round(lower[i, j])
                if shift != 0.0:
                    lower[i:, j] -= shift * lower[i:, i]
                    z[:, j] -= shift * z[:, i]
        swapped = diagonal[j] + lower[j + 1, j] ** 2 * diagonal[j + 1]
        if swapped + 1e-6 < diagonal[j + 1]:
            eta = diagonal[j] / swapped
            factor = diagonal[j + 1] * lower[j + 1, j] / swapped
            diagonal[j], diagonal[j + 1] = eta * diagonal[j + 1], swapped
            upper_row, lower_row = lower[j, :j].copy(), lower[j + 1, :j].copy()
            lower[j, :j] = lower_row - lower[j + 1, j] * upper_row
            lower[j + 1, :j] = eta * upper_row + factor * lower_row
            lower[j + 1, j] = factor
            lower[j + 2 :, [j, j + 1]] = lower[j + 2 :, [j + 1, j]]
            z[:, [j, j + 1]] = z[:, [j + 1, j]]
            reduced_from = j
            j = n - 2
        else:
            j -= 1
    return z, lower, diagonal


def _search(
    lower: FloatArray, diagonal: FloatArray, estimate: FloatArray
) -> tuple[list[FloatArray], list[float]]:
    """The two integer vectors nearest to `estimate` in the metric L' D L, depth first with shrinking."""
    n = diagonal.size
    best: list[FloatArray] = []
    norms: list[float] = []
    conditional = np.zeros(n)
    conditional[-1] = estimate[-1]
    candidate = np.zeros(n)
    candidate[-1] = np.round(conditional[-1])
    step = np.zeros(n)
    step[-1] = 1.0 if conditional[-1] >= candidate[-1] else -1.0
    distance = np.zeros(n)
    sums = np.zeros((n, n))
    level = n - 1
    for _ in range(_MAXIMUM_SEARCH_STEPS):
        limit = norms[1] if len(norms) == 2 else np.inf
        norm = distance[level] + (conditional[level] - candidate[level]) ** 2 / diagonal[level]
        if norm < limit and level > 0:
            level -= 1
            distance[level] = norm
            residual = candidate[level + 1] - conditional[level + 1]
            sums[level, : level + 1] = sums[level + 1, : level + 1] + residual * lower[level + 1, : level + 1]
            conditional[level] = estimate[level] + sums[level, level]
            candidate[level] = np.round(conditional[level])
            step[level] = 1.0 if conditional[level] >= candidate[level] else -1.0
            continue
        if norm < limit:
            best.append(candidate.copy())
            norms.append(float(norm))
            order = np.argsort(norms, kind="stable")[:2]
            best, norms = [best[i] for i in order], [norms[i] for i in order]
        elif level == n - 1:
            return best, norms
        else:
            level += 1
        candidate[level] += step[level]
        step[level] = -step[level] - np.sign(step[level])
    raise AdjustmentError("the integer search does not end: the ambiguities are too poorly determined")


def success_rate(conditional_variance: FloatArray) -> float:
    """Bootstrapped success rate from the conditional variances (n,) of decorrelated ambiguities."""
    sigma = np.sqrt(conditional_variance)
    return float(np.prod(erf(1.0 / (2.0 * np.sqrt(2.0) * sigma))))


def integer_least_squares(estimate: FloatArray, covariance: FloatArray) -> IntegerSolution:
    """The two integer vectors nearest to a real estimate in the metric of its covariance.

    Parameters
    ----------
    estimate : (n,) cycles; covariance : (n, n) cycles^2

    Raises AdjustmentError for a covariance that is not positive definite, or a search without end.
    """
    z, lower, diagonal = decorrelate(covariance)
    # Whole cycles apart, so that the search works on small numbers.
    whole = np.round(estimate)
    best, norms = _search(lower, diagonal, z.T @ (estimate - whole))
    back = np.linalg.inv(z.T)
    integers = [np.round(back @ vector) + whole for vector in best]
    return IntegerSolution(integers[0], integers[1], (norms[0], norms[1]), success_rate(diagonal))


def condition_on_fixed(
    value: FloatArray, covariance: FloatArray, fixed: dict[int, float]
) -> tuple[IntArray, FloatArray, FloatArray]:
    """What is left when some are fixed (place -> whole number): places, conditional values and covariance."""
    known = np.array(sorted(fixed), dtype=np.int64)
    rest = np.setdiff1d(np.arange(value.size), known)
    if known.size == 0:
        return rest, value, covariance
    held = covariance[np.ix_(known, known)] + 1e-10 * np.eye(known.size)
    gain = np.linalg.solve(held, covariance[np.ix_(known, rest)]).T
    numbers = np.array([fixed[int(k)] for k in known])
    left = value[rest] + gain @ (numbers - value[known])
    return rest, left, covariance[np.ix_(rest, rest)] - gain @ covariance[np.ix_(known, rest)]
