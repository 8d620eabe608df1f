"""Iterative data snooping: take the worst observation out, adjust again, until every w-test passes.

Baarda (1968) for the test; Kok (1984), On data snooping and multiple outlier testing, NOAA TR NOS NGS 30,
for the iteration with a second look at what was taken out. Where the network cannot tell which of several
observations holds the error (their tests are fully correlated), none is singled out: all of them lose weight
by the size of the error, so that what hangs on them gets an honest sigma and the rest stays clean.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.adjustment.least_squares import FloatArray, LeastSquaresSolution, solve_least_squares
from datum.adjustment.testing import SIGNIFICANCE, w_limit

# Two tests that agree to this correlation reject together whatever the data: the error cannot be placed.
INSEPARABLE_CORRELATION: Final = 0.9999
# More blunders than this share of the observations are no blunders: the sigmas or the model are wrong.
MAXIMUM_REJECTED_SHARE: Final = 0.10


@dataclass(frozen=True)
class Suspect:
    """Observations of which one holds an error; more than one where the network cannot tell which.

    observations : indices; size : estimated error (observed minus true) of the first, in the caller's unit
    statistic : |w| when it was found; limit : of the test
    """

    observations: tuple[int, ...]
    size: float
    statistic: float
    limit: float


@dataclass(frozen=True, eq=False)
class SnoopedSolution:
    """An adjustment after data snooping.

    solution : of the observations kept; its arrays have the full length n, with predicted values for those
        taken out (standardised = misfit over its sigma, redundancy as if it were the only one added)
    sigma : (n,), as used (raised for inseparable suspects)
    used : (n,) bool; suspects : in the order found
    exhausted : whether the search stopped because too many would have gone
    """

    solution: LeastSquaresSolution
    sigma: FloatArray
    used: NDArray[np.bool_]
    suspects: tuple[Suspect, ...]
    exhausted: bool


def snoop(
    design: FloatArray,
    observed: FloatArray,
    sigma: FloatArray,
    *,
    parameter_names: Sequence[str],
    testable: NDArray[np.bool_] | None = None,
    constraints: FloatArray | None = None,
    significance: float = SIGNIFICANCE,
    maximum_rejected: int | None = None,
) -> SnoopedSolution:
    """Adjust, and take out one blunder after another.

    Parameters
    ----------
    design : (n, u); observed, sigma : (n,); testable : (n,) bool, False for rows that are never taken out
    maximum_rejected : stop after so many (default: one tenth of the testable observations, at least one)

    Raises AdjustmentError as `solve_least_squares` does.
    """
    n = observed.size
    may_go = np.ones(n, dtype=np.bool_) if testable is None else testable.copy()
    if maximum_rejected is None:
        maximum_rejected = max(1, int(MAXIMUM_REJECTED_SHARE * np.count_nonzero(may_go)))
    limit = w_limit(significance)
    used = np.ones(n, dtype=np.bool_)
    sigma_used = sigma.astype(np.float64, copy=True)
    suspects: list[Suspect] = []
    exhausted = False
    solution = solve_least_squares(
        design, observed, sigma_used, parameter_names=parameter_names, constraints=constraints
    )
    while True:
        full = _predict_all(solution, design, observed, sigma_used, used)
        candidates = np.flatnonzero(used & may_go & (full.redundancy > 0.0))
        if candidates.size == 0:
            break
        statistic = np.abs(full.standardised[candidates])
        worst = int(candidates[int(np.argmax(statistic))])
        if abs(full.standardised[worst]) <= limit:
            break
        if len(suspects) >= maximum_rejected:
            exhausted = True
            break
        group = _inseparable(worst, candidates, full, design, sigma_used)
        size = float(full.residual[worst] / full.redundancy[worst])
        suspects.append(Suspect(group, size, float(abs(full.standardised[worst])), limit))
        if len(group) == 1:
            used[worst] = False
        else:
            members = list(group)
            sigma_used[members] = np.hypot(sigma_used[members], abs(size))
            may_go[members] = False
        solution = solve_least_squares(
            design[used],
            observed[used],
            sigma_used[used],
            parameter_names=parameter_names,
            constraints=constraints,
        )
    for suspect in [s for s in suspects if len(s.observations) == 1]:
        # An observation taken out early may have been pushed over the limit by a greater blunder found later.
        index = suspect.observations[0]
        full = _predict_all(solution, design, observed, sigma_used, used)
        if len(suspects) > 1 and abs(full.standardised[index]) <= limit:
            used[index] = True
            suspects.remove(suspect)
            solution = solve_least_squares(
                design[used],
                observed[used],
                sigma_used[used],
                parameter_names=parameter_names,
                constraints=constraints,
            )
    final = _predict_all(solution, design, observed, sigma_used, used)
    return SnoopedSolution(final, sigma_used, used, tuple(suspects), exhausted)


def _predict_all(
    solution: LeastSquaresSolution,
    design: FloatArray,
    observed: FloatArray,
    sigma: FloatArray,
    used: NDArray[np.bool_],
) -> LeastSquaresSolution:
    """Widen a solution of the used observations to all, with predicted residuals for the others."""
    if np.all(used):
        return solution
    n = observed.size
    residual = observed - design @ solution.parameters
    residual_sigma, redundancy, standardised = np.zeros(n), np.zeros(n), np.zeros(n)
    residual_sigma[used] = solution.residual_sigma
    redundancy[used] = solution.redundancy
    standardised[used] = solution.standardised
    out = ~used
    predicted_variance = np.sum((design[out] @ solution.cofactor) * design[out], axis=1)
    redundancy[out] = sigma[out] ** 2 / (sigma[out] ** 2 + predicted_variance)
    residual_sigma[out] = np.sqrt(sigma[out] ** 2 + predicted_variance)
    standardised[out] = residual[out] / residual_sigma[out]
    return LeastSquaresSolution(
        parameters=solution.parameters,
        cofactor=solution.cofactor,
        residual=residual,
        residual_sigma=residual_sigma,
        redundancy=redundancy,
        standardised=standardised,
        weighted_square_sum=solution.weighted_square_sum,
        degrees_of_freedom=solution.degrees_of_freedom,
    )


def _inseparable(
    worst: int,
    candidates: NDArray[np.intp],
    solution: LeastSquaresSolution,
    design: FloatArray,
    sigma: FloatArray,
) -> tuple[int, ...]:
    """Observations whose test is fully correlated with that of `worst`, it included, first."""
    # Covariance of residuals: Qvv = P^-1 - A Q A'; only the row of `worst` is needed.
    row = -(design[candidates] @ (solution.cofactor @ design[worst]))
    row[candidates == worst] += sigma[worst] ** 2
    correlation = row / (solution.residual_sigma[candidates] * solution.residual_sigma[worst])
    others = candidates[(np.abs(correlation) > INSEPARABLE_CORRELATION) & (candidates != worst)]
    return (worst, *(int(i) for i in others))


def remarks_on_tests(
    snooped: SnoopedSolution, limits: tuple[float, float], *, checked: str, too_small: str, instead: str
) -> list[str]:
    """What the global test and the search for blunders say, in words.

    Parameters
    ----------
    limits : of the variance factor
    checked : what one observation is called, "line"
    too_small : what else than small sigmas makes the variance factor too great
    instead : what else than blunders the tests speak of where the search stopped at its limit
    """
    solution = snooped.solution
    remarks = []
    if solution.degrees_of_freedom == 0:
        remarks.append(f"the network has no redundancy: no {checked} is checked by another")
    elif solution.variance_factor > limits[1]:
        remarks.append(
            f"the variance factor {solution.variance_factor:.3f} exceeds {limits[1]:.3f}: the sigmas are too "
            f"small, or {too_small}"
        )
    elif solution.variance_factor < limits[0]:
        remarks.append(
            f"the variance factor {solution.variance_factor:.3f} is below {limits[0]:.3f}: the sigmas are "
            "too great"
        )
    if snooped.exhausted:
        remarks.append(
            f"the search for blunders stopped at its limit of {len(snooped.suspects)} and tests still fail: "
            f"more speak of {instead} than of blunders"
        )
    return remarks
