"""Normal equations whose parameters have names: made from observations, stacked, constrained, solved.

Koch (1999), Parameter Estimation and Hypothesis Testing in Linear Models, sections 3.2 and 3.3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.records import NormalEquations, ParameterKey
from transforms.errors import AdjustmentError

FloatArray = NDArray[np.float64]

# Smallest eigenvalue, of the normal matrix scaled to a unit diagonal, that still counts as determined.
SINGULAR_EIGENVALUE: Final = 1e-13


@dataclass(frozen=True, eq=False)
class AdjustedParameters:
    """A solution of normal equations.

    values (n,) in the parameters' units; cofactor (n, n), the covariance at a variance factor of 1;
    weighted_square_sum : v'Pv; degrees_of_freedom : observations - parameters + constraints
    """

    keys: tuple[ParameterKey, ...]
    values: FloatArray
    cofactor: FloatArray
    weighted_square_sum: float
    degrees_of_freedom: int

    @property
    def variance_factor(self) -> float:
        """v'Pv over the degrees of freedom; 1 by definition where nothing is redundant."""
        return self.weighted_square_sum / self.degrees_of_freedom if self.degrees_of_freedom > 0 else 1.0


def normal_equations(
    keys: Sequence[ParameterKey],
    approximate: FloatArray,
    design: FloatArray,
    misclosure: FloatArray,
    weight: FloatArray,
) -> NormalEquations:
    """Normal equations of m observations.

    Parameters
    ----------
    approximate : (n,) values about which the design is taken
    design : (m, n); misclosure : (m,), observed minus computed from the approximate values; weight : (m, m)
    """
    weighted = design.T @ weight
    return NormalEquations(
        keys=tuple(keys),
        matrix=weighted @ design,
        right_side=weighted @ misclosure,
        approximate=np.asarray(approximate, dtype=np.float64),
        weighted_square_sum=float(misclosure @ weight @ misclosure),
        n_observations=int(misclosure.size),
    )


def relinearise(equations: NormalEquations, approximate: FloatArray) -> NormalEquations:
    """The same equations about other approximate values (n,)."""
    shift = np.asarray(approximate, dtype=np.float64) - equations.approximate
    product = equations.matrix @ shift
    return NormalEquations(
        keys=equations.keys,
        matrix=equations.matrix,
        right_side=equations.right_side - product,
        approximate=equations.approximate + shift,
        weighted_square_sum=equations.weighted_square_sum
        - float(2.0 * shift @ equations.right_side - shift @ product),
        n_observations=equations.n_observations,
    )


def stack(equations: Sequence[NormalEquations]) -> NormalEquations:
    """Sum of normal equations, parameters of one name being one parameter; sorted by name.

    The approximate values are those of the first set that has the parameter.
    """
    if not equations:
        raise AdjustmentError("there are no normal equations to stack")
    approximate: dict[ParameterKey, float] = {}
    for part in equations:
        for key, value in zip(part.keys, part.approximate, strict=True):
            approximate.setdefault(key, float(value))
    keys = tuple(sorted(approximate))
    place: Mapping[ParameterKey, int] = {key: i for i, key in enumerate(keys)}
    matrix, right_side = np.zeros((len(keys), len(keys))), np.zeros(len(keys))
    square_sum, count = 0.0, 0
    for part in equations:
        moved = relinearise(part, np.array([approximate[key] for key in part.keys]))
        rows = np.array([place[key] for key in part.keys])
        matrix[np.ix_(rows, rows)] += moved.matrix
        right_side[rows] += moved.right_side
        square_sum += moved.weighted_square_sum
        count += moved.n_observations
    return NormalEquations(
        keys, matrix, right_side, np.array([approximate[key] for key in keys]), square_sum, count
    )


def solve(
    equations: NormalEquations, constraints: FloatArray, constraint_values: FloatArray
) -> AdjustedParameters:
    """Solve under exact conditions `constraints @ (values - approximate) = constraint_values`.

    constraints : (c, n) just enough to mend the defect of the equations (a minimal datum), c may be 0

    Raises AdjustmentError naming the parameters that stay undetermined.
    """
    n, c = len(equations.keys), constraints.shape[0]
    scale = np.sqrt(np.diagonal(equations.matrix))
    if np.any(scale == 0.0):
        key = equations.keys[int(np.argmin(scale))]
        raise AdjustmentError(f"no observation touches {key.quantity} of {key.subject}")
    scaled = equations.matrix / np.outer(scale, scale)
    condition = constraints / scale
    condition = condition / np.linalg.norm(condition, axis=1, keepdims=True) if c else condition
    # N + G'G is regular exactly where the conditions mend the defect.
    eigenvalues, eigenvectors = np.linalg.eigh(scaled + condition.T @ condition)
    if eigenvalues[0] < SINGULAR_EIGENVALUE * n:
        weakest = np.argsort(-np.abs(eigenvectors[:, 0]))[:4]
        names = ", ".join(f"{equations.keys[i].quantity} of {equations.keys[i].subject}" for i in weakest)
        raise AdjustmentError(f"the observations and the datum do not determine {names}")
    bordered = np.zeros((n + c, n + c))
    bordered[:n, :n] = scaled
    bordered[:n, n:] = condition.T
    bordered[n:, :n] = condition
    norms = np.linalg.norm(constraints / scale, axis=1) if c else np.zeros(0)
    right = np.concatenate([equations.right_side / scale, constraint_values / norms if c else norms])
    inverse = np.linalg.inv(bordered)
    step = (inverse @ right)[:n] / scale
    cofactor = inverse[:n, :n] / np.outer(scale, scale)
    cofactor = 0.5 * (cofactor + cofactor.T)
    # A parameter that the conditions fix has a variance of zero, which rounding may leave below it.
    np.fill_diagonal(cofactor, np.maximum(np.diagonal(cofactor), 0.0))
    square_sum = (
        equations.weighted_square_sum
        - 2.0 * float(step @ equations.right_side)
        + float(step @ equations.matrix @ step)
    )
    return AdjustedParameters(
        keys=equations.keys,
        values=equations.approximate + step,
        cofactor=cofactor,
        weighted_square_sum=max(square_sum, 0.0),
        degrees_of_freedom=equations.n_observations - n + c,
    )
