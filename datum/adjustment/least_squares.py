"""Weighted least squares of a linear model, with redundancy numbers and standardised residuals.

Observations are uncorrelated; a correlated block (datum heights with a covariance matrix) is whitened by the
caller, `whiten`. Signs: residual = observed minus adjusted, l - A x, as everywhere in Jizhun; the textbooks'
v = A x - l is its negative (Koch 1999, Parameter Estimation and Hypothesis Testing in Linear Models, section
3.2; Baarda 1968, A testing procedure for use in geodetic networks).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve, solve_triangular

from transforms.errors import AdjustmentError

FloatArray = NDArray[np.float64]

# Smallest eigenvalue of the normal matrix scaled to a unit diagonal that still counts as determined: below it
# double precision leaves fewer than four figures of the observations' own precision.
SINGULAR_EIGENVALUE: Final = 1e-12
# A redundancy number below this is rounding: the observation is not controlled by any other.
UNCONTROLLED_REDUNDANCY: Final = 1e-8


@dataclass(frozen=True, eq=False)
class LeastSquaresSolution:
    """What a weighted adjustment gives; n observations, u parameters.

    parameters : (u,), in the caller's units
    cofactor : (u, u), the covariance at a variance factor of 1
    residual : (n,), observed minus adjusted
    residual_sigma : (n,), sigma of each residual, sigma_i sqrt(r_i); 0 where uncontrolled
    redundancy : (n,), redundancy numbers 0..1; they add up to the degrees of freedom
    standardised : (n,), residual over its sigma (Baarda's w); 0 where uncontrolled
    weighted_square_sum : v'Pv
    degrees_of_freedom : n - u + number of constraints
    """

    parameters: FloatArray
    cofactor: FloatArray
    residual: FloatArray
    residual_sigma: FloatArray
    redundancy: FloatArray
    standardised: FloatArray
    weighted_square_sum: float
    degrees_of_freedom: int

    @property
    def variance_factor(self) -> float:
        """v'Pv over the degrees of freedom, a posteriori; 1 by definition where nothing is redundant."""
        return self.weighted_square_sum / self.degrees_of_freedom if self.degrees_of_freedom > 0 else 1.0


def whiten(design: FloatArray, observed: FloatArray, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Turn correlated observations into uncorrelated ones of sigma 1.

    Parameters
    ----------
    design : (n, u); observed : (n,); covariance : (n, n), symmetric and positive definite
    """
    try:
        lower = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        raise AdjustmentError("a covariance matrix of observations is not positive definite") from None
    return (
        np.asarray(solve_triangular(lower, design, lower=True), dtype=np.float64),
        np.asarray(solve_triangular(lower, observed, lower=True), dtype=np.float64),
    )


def solve_least_squares(
    design: FloatArray,
    observed: FloatArray,
    sigma: FloatArray,
    *,
    parameter_names: Sequence[str],
    constraints: FloatArray | None = None,
) -> LeastSquaresSolution:
    """Solve `observed = design @ parameters` by weighted least squares.

    Parameters
    ----------
    design : (n, u); observed : (n,); sigma : (n,), positive, in the unit of `observed`
    parameter_names : u names for the texts of errors
    constraints : (c, u) rows with `constraints @ parameters = 0`, just enough to mend a datum defect
        (inner constraints of a free network; Koch 1999, section 3.3.4), or None

    Raises AdjustmentError where the equations leave a parameter undetermined, naming it.
    """
    n, u = design.shape
    if n < u - (0 if constraints is None else constraints.shape[0]):
        raise AdjustmentError(f"{n} observations cannot determine {u} unknowns")
    if not (np.all(np.isfinite(design)) and np.all(np.isfinite(observed))):
        raise AdjustmentError("an observation equation holds a value that is not finite")
    if np.any(sigma <= 0.0) or not np.all(np.isfinite(sigma)):
        raise AdjustmentError("every observation needs a sigma greater than zero")
    whitened = design / sigma[:, None]
    right = whitened.T @ (observed / sigma)
    normal = whitened.T @ whitened
    n_constraints = 0
    scale = np.sqrt(np.diag(normal))
    if np.any(scale == 0.0):
        raise AdjustmentError(f"no observation touches {parameter_names[int(np.argmin(scale))]}")
    if constraints is not None:
        # N + G'G has the inverse of the bordered system plus G-terms that are subtracted below.
        n_constraints = constraints.shape[0]
        weight = float(np.mean(scale**2)) / float(np.mean(np.sum(constraints**2, axis=1)))
        normal = normal + weight * constraints.T @ constraints
        scale = np.sqrt(np.diag(normal))
    scaled = normal / np.outer(scale, scale)
    eigenvalues, eigenvectors = np.linalg.eigh(scaled)
    if eigenvalues[0] < SINGULAR_EIGENVALUE * u:
        weakest = np.argsort(-np.abs(eigenvectors[:, 0]))[:4]
        names = ", ".join(parameter_names[int(i)] for i in weakest if abs(eigenvectors[i, 0]) > 0.05)
        raise AdjustmentError(f"the observations do not determine {names}")
    try:
        factor = cho_factor(scaled)
    except LinAlgError:
        raise AdjustmentError("the normal equations are not positive definite") from None
    parameters = cho_solve(factor, right / scale) / scale
    cofactor = cho_solve(factor, np.eye(u)) / np.outer(scale, scale)
    if constraints is not None:
        cofactor = _without_constraint_noise(cofactor, constraints, weight)
    residual = observed - design @ parameters
    adjusted_variance = np.sum((whitened @ cofactor) * whitened, axis=1)
    redundancy = np.clip(1.0 - adjusted_variance, 0.0, 1.0)
    redundancy[redundancy < UNCONTROLLED_REDUNDANCY] = 0.0
    residual_sigma = sigma * np.sqrt(redundancy)
    standardised = np.divide(residual, residual_sigma, out=np.zeros(n), where=redundancy > 0.0)
    return LeastSquaresSolution(
        parameters=np.asarray(parameters, dtype=np.float64),
        cofactor=np.asarray(0.5 * (cofactor + cofactor.T), dtype=np.float64),
        residual=residual,
        residual_sigma=residual_sigma,
        redundancy=redundancy,
        standardised=standardised,
        weighted_square_sum=float(np.sum((residual / sigma) ** 2)),
        degrees_of_freedom=n - u + n_constraints,
    )


def _without_constraint_noise(cofactor: FloatArray, constraints: FloatArray, weight: float) -> FloatArray:
    """Covariance of the constrained solution, Q N Q, from Q = (N + w G'G)^-1: Q - Q w G'G Q."""
    image = cofactor @ constraints.T
    return np.asarray(cofactor - weight * image @ image.T, dtype=np.float64)
