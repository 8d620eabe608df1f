"""Tests of a network of positions: the global test, and alternative hypotheses of any dimension.

Baarda (1968), A testing procedure for use in geodetic networks, Publ. on Geodesy 2(5), chapter 4; Teunissen
(2006), Testing theory, section 4.3: the square sum falls by T = (H'Pv)' (H'P Qvv P H)^-1 (H'Pv) where errors
of the form H b are let into the model; T is chi-square with as many degrees of freedom as b has components.
Limits of the global test are in `datum.adjustment.testing`.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

FloatArray = NDArray[np.float64]

# An eigenvalue of H'P Qvv P H below this part of H'PH is rounding: the hypothesis cannot be told from the
# network's own parameters.
_SMALLEST_REDUNDANCY: Final = 1e-6
_ROBUST_ITERATIONS: Final = 30
_HUBER_LIMIT: Final = 1.5  # Huber (1981), Robust Statistics: 95 per cent efficient at the normal distribution
_SMALLEST_BLOCK_REDUNDANCY: Final = 0.1
_GROSS_SIGNIFICANCE: Final = 0.01
# Not zero: a station of gross blocks only keeps its place in the equations.
_GROSS_WEIGHT: Final = 1e-6


@lru_cache(maxsize=64)
def chi_square_limit(degrees_of_freedom: int, significance: float) -> float:
    """Upper limit of a chi-square statistic."""
    return float(chi2.isf(significance, degrees_of_freedom))


@dataclass(frozen=True, eq=False)
class LinearModel:
    """Positions of m blocks of three observations, whitened block by block.

    design : (3 m, u), whitened; misclosure : (3 m,), whitened; cofactor : (u, u) of the adjustment (any
        minimal datum gives the same tests); residual : (3 m,), whitened, observed minus computed
    """

    design: FloatArray
    misclosure: FloatArray
    cofactor: FloatArray
    residual: FloatArray


def hypothesis(
    model: LinearModel, rows: NDArray[np.intp], errors: FloatArray
) -> tuple[float, FloatArray] | None:
    """Test statistic T and estimate of b for errors H b in some observations.

    rows : (r,) rows of the model that H touches; errors : (r, k) those rows of the whitened H

    Returns None where the network does not control such errors.
    """
    a = model.design[rows]
    information = errors.T @ errors
    through_parameters = errors.T @ a
    reduced = information - through_parameters @ model.cofactor @ through_parameters.T
    reduced = 0.5 * (reduced + reduced.T)
    if np.linalg.eigvalsh(reduced)[0] < _SMALLEST_REDUNDANCY * np.linalg.eigvalsh(information)[-1]:
        return None
    right = errors.T @ model.residual[rows]
    estimate = np.linalg.solve(reduced, right)
    return float(right @ estimate), np.asarray(estimate)


def block_redundancy(model: LinearModel) -> FloatArray:
    """Redundancy 0..3 of each block of three observations, shape (m,); they sum to the degrees of freedom."""
    explained = np.einsum("ij,jk,ik->i", model.design, model.cofactor, model.design)
    return np.asarray(np.clip(1.0 - explained, 0.0, 1.0).reshape(-1, 3).sum(axis=1))


def robust_variance_factor(
    design: FloatArray, misclosure: FloatArray, constraints: FloatArray, block: int = 3
) -> float:
    """Variance factor of the good majority of blocks of observations.

    design : (block m, u), whitened; misclosure : (block m,); constraints : (c, u) minimal, homogeneous, c may
        be 0; block : observations of a block, 3 for positions, 2 for plane ones

    A few blocks with gross errors do not raise it. The first estimate is the median of the blocks' square
    sums over their redundancies, over the median of chi-square (over its degrees of freedom);
    the result is the mean over the blocks that this one does not call gross, which is nearly as sharp as the
    plain variance factor of clean data (reweighting after Rousseeuw and Leroy 1987, Robust Regression and
    Outlier Detection, section 5.2). 1 where nothing is redundant.
    """
    weight = np.ones(misclosure.size // block)
    median_of_block = float(chi2.median(block)) / block
    factor = 1.0
    for _ in range(_ROBUST_ITERATIONS):
        normalised, controlled = _normalised_blocks(design, misclosure, constraints, weight, block)
        if not np.any(controlled):
            return 1.0
        previous, factor = factor, float(np.median(normalised[controlled])) / median_of_block
        if factor == 0.0:
            return 0.0
        size = np.sqrt(normalised / factor)
        weight = np.where(size > _HUBER_LIMIT, _HUBER_LIMIT / np.maximum(size, _HUBER_LIMIT), 1.0)
        if abs(factor - previous) < 1e-6 * factor:
            break
    gross = chi_square_limit(block, _GROSS_SIGNIFICANCE) / block
    for _ in range(_ROBUST_ITERATIONS):
        good = controlled & (normalised < factor * gross)
        if not np.any(good):
            break
        weight = np.where(good | ~controlled, 1.0, _GROSS_WEIGHT)
        normalised, _ = _normalised_blocks(design, misclosure, constraints, weight, block)
        previous, factor = factor, float(np.mean(normalised[good]))
        if abs(factor - previous) < 1e-6 * factor:
            break
    return factor


def _normalised_blocks(
    design: FloatArray, misclosure: FloatArray, constraints: FloatArray, weight: FloatArray, block: int
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Square sums of blocks over their redundancies, (m,), and which blocks are controlled."""
    root = np.repeat(np.sqrt(weight), block)
    weighted = design * root[:, None]
    inverse = _constrained_inverse(weighted.T @ weighted, constraints)
    residual = misclosure - design @ (inverse @ (weighted.T @ (misclosure * root)))
    square_sums = (residual**2).reshape(-1, block).sum(axis=1)
    explained = np.einsum("ij,jk,ik->i", weighted, inverse, weighted).reshape(-1, block).sum(axis=1)
    redundancy = np.clip(block - explained, 0.0, float(block))
    controlled = redundancy > _SMALLEST_BLOCK_REDUNDANCY
    normalised = np.zeros(weight.size)
    normalised[controlled] = square_sums[controlled] / redundancy[controlled]
    return normalised, controlled


def _constrained_inverse(normal: FloatArray, constraints: FloatArray) -> FloatArray:
    """Upper left block of the inverse of the bordered normal matrix."""
    n, c = normal.shape[0], constraints.shape[0]
    scale = np.sqrt(np.diagonal(normal))
    scale = np.where(scale > 0.0, scale, 1.0)
    bordered = np.zeros((n + c, n + c))
    bordered[:n, :n] = normal / np.outer(scale, scale)
    condition = constraints / scale
    condition = condition / np.linalg.norm(condition, axis=1, keepdims=True)
    bordered[:n, n:] = condition.T
    bordered[n:, :n] = condition
    return np.asarray(np.linalg.inv(bordered)[:n, :n] / np.outer(scale, scale))
