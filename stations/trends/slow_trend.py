"""A figure's slow growth: the slope of a robust line with seasons, and whether the days' memory allows it.

The line is Huber's M-estimate; its standard deviation is that of independent days times
sqrt((1 + rho) / (1 - rho)) for a memory rho from day to day (Bretherton et al. 1999, J. Climate 12, 1990).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stations.trends.reference_model import (
    SEASONS_FROM_DAYS,
    design,
    huber_fit,
    memory_of,
    robust_scale,
)

FloatArray = NDArray[np.float64]

FEWEST_DAYS: Final = 180  # of less than half a year a season's branch is a trend
SIGNIFICANT_SIGMAS: Final = 5.0
# Growth over the span that is worth a visit, in floors of the figure (0.15 dB of C/N0, 2 % of multipath).
SIGNIFICANT_FLOORS: Final = 4.0


@dataclass(frozen=True)
class Slope:
    """A fitted line: values at the first and the last day, and its slope over its standard deviation."""

    first: float
    last: float
    sigmas: float

    def is_significant(self, floor: float) -> bool:
        """Whether the growth is beyond chance, and large enough to be of any concern."""
        large = abs(self.last - self.first) >= SIGNIFICANT_FLOORS * floor
        return large and abs(self.sigmas) >= SIGNIFICANT_SIGMAS


def slope_of(days: ArrayLike, values: ArrayLike) -> Slope | None:
    """Slope of a series without steps; None of fewer than FEWEST_DAYS.

    Without seasons (less than a year and a half) a slope may be a season's: it is then tested against a
    standard deviation that holds the residuals' whole scatter as one season's amplitude could.
    """
    day, value = np.asarray(days, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if day.size < FEWEST_DAYS or day[-1] - day[0] < FEWEST_DAYS:
        return None
    centre = float(day.mean())
    seasons = design(day - centre, 5 if day[-1] - day[0] >= SEASONS_FROM_DAYS else 1)
    matrix = np.column_stack([seasons, day - centre])
    coefficients, cofactor = huber_fit(matrix, value)
    residual = value - matrix @ coefficients
    scale = max(robust_scale(residual), 1e-12)
    memory = memory_of(day, residual)
    sigma = scale * float(np.sqrt(cofactor[-1, -1] * (1.0 + memory) / (1.0 - memory)))
    if seasons.shape[1] == 1:
        sigma = float(np.hypot(sigma, scale / (day[-1] - day[0])))
    level, slope = float(coefficients[0]), float(coefficients[-1])
    first, last = (level + slope * float(d - centre) for d in (day[0], day[-1]))
    return Slope(first, last, slope / sigma)
