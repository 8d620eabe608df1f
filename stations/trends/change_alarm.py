"""A change alarm for one figure: a two-sided cumulative sum of what the figure's own past does not explain.

Page (1954), Continuous inspection schemes, Biometrika 41, 100-115. Each day's innovation (value minus the
reference, minus what memory carries over from the day before) in units of its robust scatter goes into

    S+ = max(0, S+ + z - k),  S- = max(0, S- - z - k),

with k the allowance; an alarm is S > h. z is cut at `CUT_SIGMAS`, so that neither one day nor two
can alarm and three gross ones do. A figure with memory rho passes a step of d on as d, then d (1 - rho) each
day: it is seen later. Rates and delays are measured in tests/stations/trends and stated in docs/quality.md.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stations.trends.reference_model import SEASONS_FROM_DAYS, ReferenceModel, fit_reference

FloatArray = NDArray[np.float64]

FEWEST_REFERENCE_DAYS: Final = 30  # a scatter of fewer is itself uncertain by 15 % and more
# Before seasons can be told, the reference follows them: a season's slope of 0.017 of its amplitude a day
# over the mean age of this window (45 days) stays below an amplitude, most of it below half.
SHORT_REFERENCE_DAYS: Final = 60.0
LONG_REFERENCE_DAYS: Final = 3.0 * 365.25
REFIT_DAYS: Final = 10.0
REFIT_WITH_SEASONS_DAYS: Final = 45.0
ALLOWANCE_SIGMAS: Final = 0.5  # half of the smallest step to be seen quickly, one sigma
ALLOWANCE_WITHOUT_SEASONS_SIGMAS: Final = 1.5
LIMIT: Final = 12.0
CUT_SIGMAS: Final = 6.0
_SMALLEST_VARIANCE: Final = 1e-24
# A gap this long may hide anything, and the reference begins anew behind it.
LONGEST_GAP_DAYS: Final = 120.0


@dataclass(frozen=True)
class Change:
    """A change between two days of a series, by their places in it.

    first : place of the first value after the change, as estimated; alarm : place at which the sum passed
    statistic : the sum over its limit
    """

    first: int
    alarm: int
    statistic: float


@dataclass
class _Sums:
    """The two sums and where each left zero last."""

    high: float = 0.0
    low: float = 0.0
    high_from: int = 0
    low_from: int = 0

    def add(self, z: float, allowance: float, place: int) -> tuple[float, int]:
        """Take a day's value; returns the larger sum and the place from which it grew."""
        if self.high == 0.0:
            self.high_from = place
        if self.low == 0.0:
            self.low_from = place
        self.high = max(0.0, self.high + z - allowance)
        self.low = max(0.0, self.low - z - allowance)
        return (self.high, self.high_from) if self.high >= self.low else (self.low, self.low_from)


def find_changes(days: ArrayLike, values: ArrayLike, floor: float) -> tuple[Change, ...]:
    """All changes of a series, each followed by a new reference.

    days : (n,) sorted, whole; values : (n,) in the scale in which scatter is even; floor : smallest scatter
    taken for real

    After a change, and at the start, FEWEST_REFERENCE_DAYS values are the reference: changes among them are
    not seen until there is a reference from elsewhere.
    """
    day = np.asarray(days, dtype=np.float64)
    value = np.asarray(values, dtype=np.float64)
    changes: list[Change] = []
    begin = 0
    while day.size - begin > FEWEST_REFERENCE_DAYS:
        found, begin_again = _first_change(day, value, begin, floor)
        if found is not None:
            changes.append(found)
        if begin_again is None:
            break
        begin = begin_again
    return tuple(changes)


def _first_change(
    day: FloatArray, value: FloatArray, begin: int, floor: float
) -> tuple[Change | None, int | None]:
    """The first change of a segment that begins at a place, and where the next begins; None at the end."""
    sums = _Sums()
    model: ReferenceModel | None = None
    fitted_on = -np.inf
    allowance, patience_days = ALLOWANCE_WITHOUT_SEASONS_SIGMAS, REFIT_DAYS
    place = begin + FEWEST_REFERENCE_DAYS
    residual_before = 0.0
    while place < day.size:
        if day[place] - day[place - 1] > LONGEST_GAP_DAYS:
            return None, place
        if model is None or day[place] - fitted_on >= patience_days:
            # Days that a growing sum already doubts are no reference.
            doubted = min(sums.high_from if sums.high else place, sums.low_from if sums.low else place)
            last = max(doubted, begin + FEWEST_REFERENCE_DAYS)
            model = _reference(day, value, begin, last, floor)
            fitted_on = day[place]
            with_seasons = model.coefficients.size > 1
            allowance = ALLOWANCE_SIGMAS if with_seasons else ALLOWANCE_WITHOUT_SEASONS_SIGMAS
            patience_days = REFIT_WITH_SEASONS_DAYS if with_seasons else REFIT_DAYS
            residual_before = float(value[place - 1] - model.expected(day[place - 1 : place])[0])
        residual = float(value[place] - model.expected(day[place : place + 1])[0])
        z = _innovation_sigmas(model, residual, residual_before, day[place] - day[place - 1])
        residual_before = residual
        total, since = sums.add(float(np.clip(z, -CUT_SIGMAS, CUT_SIGMAS)), allowance, place)
        if total > LIMIT:
            return Change(since, place, total / LIMIT), since
        place += 1
    return None, None


def _reference(day: FloatArray, value: FloatArray, begin: int, last: int, floor: float) -> ReferenceModel:
    """The reference from the segment's values before `last`: years where there are any, else two months."""
    span = day[last - 1] - day[begin]
    reach = LONG_REFERENCE_DAYS if span >= SEASONS_FROM_DAYS else SHORT_REFERENCE_DAYS
    first = max(begin, int(np.searchsorted(day, day[last - 1] - reach)))
    first = max(begin, min(first, last - FEWEST_REFERENCE_DAYS))
    return fit_reference(day[first:last], value[first:last], floor)


def _innovation_sigmas(model: ReferenceModel, residual: float, before: float, gap_days: float) -> float:
    """What memory does not explain of a residual, in its own standard deviations.

    Over a gap of g days memory fades to rho^g; the reference's own uncertainty counts too.
    """
    fading = model.memory**gap_days
    variance = model.residual_scale**2 * (1.0 - fading**2)
    if gap_days == 1.0:
        variance = model.innovation_scale**2
    # The level's uncertainty, with the days' memory in it (Bretherton et al. 1999, J. Climate 12, 1990).
    level = model.residual_scale**2 * model.cofactor[0, 0] * (1.0 + model.memory) / (1.0 - model.memory)
    level *= (1.0 - fading) ** 2
    # A figure that never varied has no scatter to speak of: then any change is gross, and none is nothing.
    return float((residual - fading * before) / np.sqrt(max(variance + level, _SMALLEST_VARIANCE)))
