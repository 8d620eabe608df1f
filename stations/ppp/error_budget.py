"""What a solution is worth: the errors of observations carried to the unknowns, alike in time as they are.

Least squares takes observations for independent. Multipath lasts for half an hour, and what a satellite's
orbit and clock err by for longer: longer than a short session, whose residuals cannot show it. So the
covariance is not that of the weights times a factor from the residuals. It is carried through the adjustment:
the unknowns are x = K y, their covariance K S K' with S the covariance that the errors have (Koch 1999,
Parameter Estimation and Hypothesis Testing, 2.7; for GNSS Schoen and Brunner 2008, J. Geodesy 82, 47-57).
How long and how large is stated below, with the days it was measured on (docs/accuracy.md).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from stations.ppp.estimator import Estimate, influence
from stations.ppp.outliers import robust_sigma
from stations.ppp.robust_adjustment import RobustEstimate
from stations.ppp.session import Session

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Autocorrelation of a day's phase residuals on NIST, every 30 s: 0.49 after 5 minutes, 0.25 after 20, 0.02
# after 45; on BOR1 it falls faster. A day takes a part of the slow waves up, so the true one lasts longer.
MULTIPATH_CORRELATION_S: Final = 1800.0
# What a GPS or Galileo satellite's orbit and clock leave in a range beyond that, poorer ones in proportion. IGS
# final clocks scatter by 20 ps, 6 mm (igs.org, products), most of which ambiguities and receiver clocks take
# up. Chosen by the errors of sessions of 1 to 24 hours of NIST, BOR1 and the simulated region, float and
# fixed, which with 3 mm for an hour are 0.4 to 1.5 of their sigmas at every length (docs/accuracy.md); 4 mm
# for 2 hours and 5 mm for 4 serve float solutions alike, and make fixed ones look worse than they are.
PRODUCT_SIGMA_M: Final = 0.003
PRODUCT_CORRELATION_S: Final = 3600.0
# Errors that last for half an hour are one and the same within a minute.
_SHORTEST_STEP_S: Final = 60.0


def correlated_covariance(
    influences: FloatArray, owner: IntArray, step: IntArray, correlation: float
) -> FloatArray:
    """K S K' (m, m) for errors that fall off as correlation^|steps between| and differ between owners.

    Parameters
    ----------
    influences : (m, n) derivatives times sigma; owner, step : (n,) whose error, and its place in time
    correlation : between neighbouring steps, 0 <= correlation < 1
    """
    n_owners, n_steps = int(owner.max()) + 1, int(step.max()) + 1
    place = owner * n_steps + step
    grid = np.stack([np.bincount(place, values, n_owners * n_steps) for values in influences])
    carried = lfilter([1.0], [1.0, -correlation], grid.reshape(-1, n_owners, n_steps), axis=-1)
    earlier = grid @ carried.reshape(grid.shape).T  # every pair once, the later with the earlier, and itself
    return np.asarray(earlier + earlier.T - grid @ grid.T)


def honest_covariance(
    session: Session, result: RobustEstimate, estimate: Estimate, unknowns: IntArray
) -> FloatArray:
    """Covariance (m, m) of global unknowns: noise and multipath, products, and what the constraints allow.

    Parameters
    ----------
    result : of which the rows, their weights and the float solution's residuals are taken
    estimate : the float solution or one with ambiguities held; unknowns : (m,) places in the layout
    """
    problem = result.problem
    rows = problem.rows
    n = rows.size
    covariance_rows = estimate.covariance[unknowns]
    derivative = influence(
        problem.equations.design,
        problem.equations.local_design,
        problem.equations.local_size,
        result.weight,
        covariance_rows,
    )
    sigma = _observed_sigma(result)
    step_s = max(session.interval_s, _SHORTEST_STEP_S)
    step = np.rint((rows.second_s - rows.second_s.min()) / step_s).astype(np.int64)
    product_sigma = PRODUCT_SIGMA_M * session.product_factor[rows.satellite_index]

    def carried(influences: FloatArray, correlation_s: float) -> FloatArray:
        correlation = float(np.exp(-step_s / correlation_s))
        return correlated_covariance(influences, rows.satellite_index, step, correlation)

    covariance = carried(derivative[:, :n] * sigma[:n], MULTIPATH_CORRELATION_S)
    covariance += carried(derivative[:, n:] * sigma[n:], MULTIPATH_CORRELATION_S)
    covariance += carried(derivative[:, :n] * product_sigma, PRODUCT_CORRELATION_S)
    design, _, weight = session.constraints(problem.layout)
    held = (design @ covariance_rows.T).T * np.sqrt(weight)
    return np.asarray(covariance + held @ held.T)


def position_covariance(session: Session, result: RobustEstimate, estimate: Estimate) -> FloatArray:
    """Covariance (3, 3), m^2, ECEF, of a static position."""
    position = result.problem.layout.position
    return honest_covariance(session, result, estimate, np.arange(position.start, position.stop))


def _observed_sigma(result: RobustEstimate) -> FloatArray:
    """Sigma of phases and codes (2 n,) by the weights and the scatter of the residuals, 0 for the rejected."""
    n = result.problem.rows.size
    used = result.weight > 0.0
    sigma = np.zeros(2 * n)
    redundancy = max(result.estimate.degrees_of_freedom, 1) / np.count_nonzero(used)
    for part in (slice(0, n), slice(n, 2 * n)):
        believed = used[part]
        root = np.sqrt(result.weight[part][believed])
        level = robust_sigma(result.estimate.residuals[part][believed] * root)
        sigma[part][believed] = level / (root * np.sqrt(min(redundancy, 1.0)))
    return sigma


def mean_ratio(covariance_m2: FloatArray, formal_m2: FloatArray) -> float:
    """Factor that makes a formal covariance (3, 3) as large as an honest one, on the mean of its axes."""
    return float(np.trace(np.linalg.solve(formal_m2, covariance_m2)) / formal_m2.shape[0])
