"""Covariance matrices: propagation, checks, sigmas and correlations. Stacks of matrices: axes last."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transforms.errors import InputError

FloatArray = NDArray[np.float64]

# A covariance that went through a text file with 15 digits is symmetric to about 1e-14 of its largest
# element; six orders more still tells a wrong matrix from a rounded one.
RELATIVE_TOLERANCE: Final = 1e-8


def propagate_covariance(jacobian: ArrayLike, covariance: ArrayLike) -> FloatArray:
    """J C J' for stacks (..., m, n) and (..., n, n); returns (..., m, m), made exactly symmetric."""
    j = np.asarray(jacobian, dtype=np.float64)
    product = j @ np.asarray(covariance, dtype=np.float64) @ np.swapaxes(j, -1, -2)
    return np.asarray(0.5 * (product + np.swapaxes(product, -1, -2)))


def check_covariance(covariance: ArrayLike, name: str) -> FloatArray:
    """The covariance (..., n, n) as an array, or InputError saying in what it is none.

    Checked: finite, square, symmetric and positive semi-definite, both to RELATIVE_TOLERANCE.
    """
    matrix = np.asarray(covariance, dtype=np.float64)
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
        raise InputError(f"{name}: a covariance is square, and this has shape {matrix.shape}")
    if not np.all(np.isfinite(matrix)):
        raise InputError(f"{name}: the covariance holds values that are not finite")
    scale = np.max(np.abs(matrix), axis=(-1, -2), initial=0.0)
    asymmetry = np.max(np.abs(matrix - np.swapaxes(matrix, -1, -2)), axis=(-1, -2), initial=0.0)
    if np.any(asymmetry > RELATIVE_TOLERANCE * scale):
        raise InputError(f"{name}: the covariance is not symmetric (by {float(np.max(asymmetry)):.3g})")
    smallest = np.linalg.eigvalsh(matrix)[..., 0] if matrix.shape[-1] else np.zeros(())
    if np.any(smallest < -RELATIVE_TOLERANCE * scale):
        raise InputError(
            f"{name}: the covariance is not positive semi-definite "
            f"(smallest eigenvalue {float(np.min(smallest)):.3g})"
        )
    return matrix


def sigmas(covariance: ArrayLike) -> FloatArray:
    """Square roots of the diagonal of covariances (..., n, n); returns (..., n)."""
    return np.sqrt(np.diagonal(np.asarray(covariance, dtype=np.float64), axis1=-2, axis2=-1))


def correlations(covariance: ArrayLike) -> FloatArray:
    """Correlation matrices of covariances (..., n, n); 0 where a sigma is 0, 1 on the diagonal."""
    matrix = np.asarray(covariance, dtype=np.float64)
    sigma = sigmas(matrix)
    product = sigma[..., :, None] * sigma[..., None, :]
    result = np.divide(matrix, product, out=np.zeros_like(matrix), where=product > 0.0)
    index = np.arange(matrix.shape[-1])
    result[..., index, index] = 1.0
    return result


def for_publication(values: ArrayLike, digits: int = 9) -> FloatArray:
    """Values rounded to `digits` digits of the largest, so that every machine publishes the same bytes.

    Different processors add up in different orders and disagree in the last two or three of sixteen digits.
    """
    array = np.asarray(values, dtype=np.float64)
    largest = float(np.max(np.abs(array), initial=0.0))
    if largest == 0.0:
        return array.copy()
    decimals = digits - 1 - int(np.floor(np.log10(largest)))
    return np.asarray(np.round(array, decimals) + 0.0)
