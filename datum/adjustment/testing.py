"""Statistical tests of an adjustment: Baarda's w-test with its power, and the global test.

Baarda (1968), A testing procedure for use in geodetic networks, Netherlands Geodetic Commission, Publ. on
Geodesy 2(5): significance 0.001 and power 0.80 give a limit of 3.29 and a non-centrality of 17.07 (4.13^2).
"""

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import chi2, norm

from transforms.errors import InputError

FloatArray = NDArray[np.float64]

SIGNIFICANCE: Final = 0.001  # of one w-test, Baarda (1968)
POWER: Final = 0.80  # of one w-test, Baarda (1968)
GLOBAL_SIGNIFICANCE: Final = 0.05  # of the global test, as usual in the field


@lru_cache(maxsize=32)
def w_limit(significance: float = SIGNIFICANCE) -> float:
    """Two-sided limit of a standardised residual, dimensionless: 3.29 for 0.001."""
    if not 0.0 < significance < 1.0:
        raise InputError(f"a significance lies between 0 and 1, and this is {significance}")
    return float(norm.ppf(1.0 - significance / 2.0))


@lru_cache(maxsize=32)
def noncentrality_root(significance: float = SIGNIFICANCE, power: float = POWER) -> float:
    """Bias of a standardised residual that the two-sided test finds with `power`: 4.13 for (0.001, 0.80)."""
    if not significance < power < 1.0:
        raise InputError(f"a power lies between the significance {significance} and 1, and this is {power}")
    limit = w_limit(significance)

    def missing_power(bias: float) -> float:
        return float(norm.sf(limit - bias) + norm.cdf(-limit - bias)) - power

    return float(brentq(missing_power, 0.0, limit + 20.0, xtol=1e-12))


def minimal_detectable_bias(
    sigma: FloatArray, redundancy: FloatArray, *, significance: float = SIGNIFICANCE, power: float = POWER
) -> FloatArray:
    """Smallest error of each observation that the w-test finds with `power`, in the unit of sigma.

    sigma, redundancy : (n,). Infinite where an observation is not controlled (redundancy 0).
    """
    root = noncentrality_root(significance, power)
    bias = np.full(sigma.shape, math.inf)
    np.divide(root * sigma, np.sqrt(redundancy), out=bias, where=redundancy > 0.0)
    return bias


def variance_factor_limits(
    degrees_of_freedom: int, significance: float = GLOBAL_SIGNIFICANCE
) -> tuple[float, float]:
    """Two-sided limits of the a posteriori variance factor (a priori 1), from chi-square.

    (0, infinity) where nothing is redundant: then nothing is tested.
    """
    if degrees_of_freedom <= 0:
        return 0.0, math.inf
    low = float(chi2.ppf(significance / 2.0, degrees_of_freedom))
    high = float(chi2.ppf(1.0 - significance / 2.0, degrees_of_freedom))
    return low / degrees_of_freedom, high / degrees_of_freedom
