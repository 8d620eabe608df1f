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
import scipy.sparse as sp
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
# What a GPS or Galileo satellite's orbit and clock leave in a range beyond that, poorer ones in proportion.
# IGS final clocks scatter by 20 ps, 6 mm (igs.org, products), most of which ambiguities and receiver clocks
# take up. Chosen by the errors of sessions of 1 to 24 hours of NIST, BOR1 and the simulated region, float and
# fixed, which with 3 mm for an hour are 0.3 to 1.8 of their sigmas at every length (docs/accuracy.md); 4 mm
# for 2 hours and 5 mm for 4 serve float solutions alike, and make fixed ones look worse than they are.
PRODUCT_SIGMA_M: Final = 0.003
PRODUCT_CORRELATION_S: Final = 3600.0
# Errors that last for half an hour are taken for one and the same within this time.
_SHORTEST_STEP_S: Final = 300.0


def correlated_covariance(influences: FloatArray, correlation: float) -> FloatArray:
    """Covariance (m, m) of unknowns for errors that fall off as correlation^|steps between|.

    Parameters
    ----------
    influences : (n_owner, n_step, m) change of the unknowns by an error of one sigma of an owner at a step;
        owners err independently
    correlation : between neighbouring steps, 0 <= correlation < 1
    """
    carried = lfilter([1.0], [1.0, -correlation], influences, axis=1)
    size = influences.shape[-1]
    flat = influences.reshape(-1, size)
    pairs = flat.T @ carried.reshape(-1, size)  # every pair once, the later with the earlier, and itself
    return np.asarray(pairs + pairs.T - flat.T @ flat)


def honest_covariance(
    session: Session, result: RobustEstimate, estimate: Estimate, unknowns: IntArray
) -> FloatArray:
    """Covariance (m, m) of global unknowns: noise and multipath, products, and what the constraints allow.

    Parameters
    ----------
    result : of which the rows, their weights and the float solution's residuals are taken
    estimate : the float solution or one with ambiguities held; unknowns : (m,) places in the layout
    """
    rows, equations = result.problem.rows, result.problem.equations
    n, n_satellites = rows.size, len(session.selected.satellites)
    step_s = max(session.interval_s, _SHORTEST_STEP_S)
    step = np.floor((rows.second_s - rows.second_s.min()) / step_s).astype(np.int64)
    n_steps = int(step.max()) + 1
    cell = rows.satellite_index * n_steps + step
    sigma = _observed_sigma(result)
    product = np.where(sigma[:n] > 0.0, PRODUCT_SIGMA_M * session.product_factor[rows.satellite_index], 0.0)
    # Three kinds of error, each of a satellite at a step: of its phases, its codes, its orbit and clock.
    size = n_satellites * n_steps
    index, phase = np.concatenate([cell, cell + size, cell + 2 * size]), np.arange(n)
    pattern = sp.csr_array(
        (np.concatenate([sigma, product]), (index, np.concatenate([phase, phase + n, phase]))),
        shape=(3 * size, 2 * n),
    )
    covariance_rows = estimate.covariance[unknowns]
    change = influence(
        equations.design,
        equations.local_design,
        equations.local_size,
        result.weight,
        covariance_rows,
        pattern,
    ).reshape(3, n_satellites, n_steps, unknowns.size)
    design, _, weight = session.constraints(result.problem.layout)
    held = (design @ covariance_rows.T).T * np.sqrt(weight)
    covariance = held @ held.T
    for influences, correlation_s in zip(
        change, (MULTIPATH_CORRELATION_S, MULTIPATH_CORRELATION_S, PRODUCT_CORRELATION_S), strict=True
    ):
        covariance += correlated_covariance(influences, float(np.exp(-step_s / correlation_s)))
    return np.asarray(covariance)


def position_covariance(session: Session, result: RobustEstimate, estimate: Estimate) -> FloatArray:
    """Covariance (3, 3), m^2, ECEF, of a static position."""
    position = result.problem.layout.position
    return honest_covariance(session, result, estimate, np.arange(position.start, position.stop))


def _observed_sigma(result: RobustEstimate) -> FloatArray:
    """Sigma of phases and codes (2 n,) by weights and residuals, 0 for the rejected."""
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
