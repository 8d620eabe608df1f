"""Batch least squares with many short-lived parameters eliminated.

The observation equations are y = A x + B z + v. The global parameters x (position, troposphere,
ambiguities) are few and live long; the local ones z (receiver clocks, kinematic positions) live for one
epoch, so the matrix B'PB is block-diagonal and z is eliminated exactly before x is solved:
(A'PA - A'PB (B'PB)^-1 B'PA) x = A'Py - A'PB (B'PB)^-1 B'Py. See docs/decisions/0004.
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from transforms.errors import AdjustmentError

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Estimate:
    """Result of the adjustment.

    parameters : (n_global,); covariance : (n_global, n_global) for unit weight variance 1
    local_parameters : (n_local,); residuals : (n_observation,), observed minus adjusted
    square_sum : v'Pv of observations and constraints; degrees_of_freedom
    """

    parameters: FloatArray
    covariance: FloatArray
    local_parameters: FloatArray
    residuals: FloatArray
    square_sum: float
    degrees_of_freedom: int


def _inverse_blocks(matrix: sp.csr_array, size: int) -> tuple[sp.csr_array, int]:
    """Inverse of a block-diagonal matrix with square blocks of `size`, and the number of live unknowns.

    A local parameter without observations has an empty row: it is left at zero.
    """
    count = matrix.shape[0] // size
    coo = matrix.tocoo()
    row, column = coo.row, coo.col
    blocks = np.zeros((count, size, size))
    np.add.at(blocks, (row // size, row % size, column % size), coo.data)
    diagonal = np.einsum("kii->ki", blocks)
    empty = diagonal <= 0.0
    diagonal[empty] = 1.0  # a view: writes into the blocks
    try:
        inverse = np.linalg.inv(blocks)
    except np.linalg.LinAlgError as error:
        raise AdjustmentError("an epoch has too few satellites for its own unknowns") from error
    place, i = np.nonzero(empty)
    inverse[place, i, i] = 0.0
    start = np.arange(count) * size
    rows = (start[:, None, None] + np.arange(size)[None, :, None]) + np.zeros((1, 1, size), dtype=np.int64)
    columns = (start[:, None, None] + np.arange(size)[None, None, :]) + np.zeros((1, size, 1), dtype=np.int64)
    result = sp.csr_array(
        (inverse.ravel(), (rows.ravel(), columns.ravel())), shape=(count * size, count * size)
    )
    return result, int(np.sum(~empty))


def adjust(
    design: sp.csr_array,
    local_design: sp.csr_array,
    local_size: int,
    observed: FloatArray,
    weight: FloatArray,
    constraint_design: sp.csr_array,
    constraint_value: FloatArray,
    constraint_weight: FloatArray,
) -> Estimate:
    """Solve the adjustment; observations of weight 0 are left out.

    Parameters
    ----------
    design : (n, n_global); local_design : (n, n_local), blocks of `local_size` columns for each epoch
    observed, weight : (n,), misclosures and 1/sigma^2
    constraint_design, constraint_value, constraint_weight : pseudo-observations of the global parameters

    Raises AdjustmentError where the global equations are singular.
    """
    weighted = design.multiply(weight[:, None]).tocsr()
    weighted_local = local_design.multiply(weight[:, None]).tocsr()
    normal = (design.T @ weighted).toarray()
    right = weighted.T @ observed
    coupling = (weighted_local.T @ design).tocsr()
    local_right = weighted_local.T @ observed
    inverse, n_local = _inverse_blocks((local_design.T @ weighted_local).tocsr(), local_size)
    reduced = inverse @ coupling
    normal -= (coupling.T @ reduced).toarray()
    right = right - reduced.T @ local_right
    weighted_constraints = constraint_design.multiply(constraint_weight[:, None]).tocsr()
    normal += (constraint_design.T @ weighted_constraints).toarray()
    right = right + weighted_constraints.T @ constraint_value

    # A global parameter without observations (an ambiguity all of whose phases were rejected) stays zero.
    live = np.diagonal(normal) > 1e-12
    scale = np.where(live, 1.0 / np.sqrt(np.where(live, np.diagonal(normal), 1.0)), 0.0)
    scaled = normal * scale[:, None] * scale
    scaled[~live, ~live] = 1.0
    try:
        factor = scipy.linalg.cho_factor(scaled, lower=True)
    except scipy.linalg.LinAlgError as error:
        raise AdjustmentError(
            "the observations do not determine the unknowns (normal equations singular): "
            "too few satellites or too short a session"
        ) from error
    parameters = scipy.linalg.cho_solve(factor, right * scale) * scale
    covariance = scipy.linalg.cho_solve(factor, np.diag(live.astype(np.float64))) * scale[:, None] * scale
    local = inverse @ (local_right - coupling @ parameters)
    residuals = observed - design @ parameters - local_design @ local
    misfit = constraint_value - constraint_design @ parameters
    square_sum = float(np.sum(weight * residuals**2) + np.sum(constraint_weight * misfit**2))
    n_used = int(np.count_nonzero(weight)) + constraint_value.size
    return Estimate(
        parameters=np.asarray(parameters, dtype=np.float64),
        covariance=np.asarray(covariance, dtype=np.float64),
        local_parameters=np.asarray(local, dtype=np.float64),
        residuals=np.asarray(residuals, dtype=np.float64),
        square_sum=square_sum,
        degrees_of_freedom=n_used - int(live.sum()) - n_local,
    )


def influence(
    design: sp.csr_array,
    local_design: sp.csr_array,
    local_size: int,
    weight: FloatArray,
    covariance_rows: FloatArray,
    pattern: sp.csr_array,
) -> FloatArray:
    """Change (k, m) of m global parameters by k patterns of error in the observations of an adjustment.

    Parameters
    ----------
    covariance_rows : (m, n_global) rows of the estimate's covariance that belong to these parameters
    pattern : (k, n) error of each observation in each pattern
    """
    weighted_local = local_design.multiply(weight[:, None]).tocsr()
    inverse, _ = _inverse_blocks((local_design.T @ weighted_local).tocsr(), local_size)
    weighted = pattern.multiply(weight[None, :]).tocsr()
    through_locals = (weighted @ local_design) @ (inverse @ (weighted_local.T @ design))
    return np.asarray((weighted @ design - through_locals) @ covariance_rows.T)
