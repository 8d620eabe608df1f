"""A station's day as a row of figures, and what a search over many rows finds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Equipment:
    """What the files' headers name of a day; "" where a row does not tell."""

    receiver: str = ""
    receiver_serial: str = ""
    firmware: str = ""
    antenna: str = ""
    radome: str = ""
    antenna_serial: str = ""
    eccentricity_enu_m: str = ""

    def antenna_words(self) -> str:
        """Antenna, radome and eccentricity for people."""
        return " ".join(f"{self.antenna} {self.radome}".split()) or "(not told)"


@dataclass(frozen=True, eq=False)
class DailyPositionRow:
    """A daily solution: position_ecef_m (3,), covariance_m2 (3, 3), and the frame that it stands in."""

    frame: str
    position_ecef_m: FloatArray
    covariance_m2: FloatArray


@dataclass(frozen=True, eq=False)
class DailyQuality:
    """One station-day.

    figures : "cn0_dbhz:C5P" -> value (see `stations.trends.figures`); position : None where not solved
    """

    station: str
    day: date
    verdict: str
    equipment: Equipment
    figures: Mapping[str, float]
    position: DailyPositionRow | None = None


@dataclass(frozen=True)
class FigureChange:
    """A sudden and lasting change of one figure, in the figure's own unit.

    first_day : the first day after the change, as estimated; alarm_day : the first on which the test knew
    before, after : medians of the days used; statistic : of the test at the alarm, in units of its limit
    """

    station: str
    figure: str
    first_day: date
    alarm_day: date
    before: float
    after: float
    statistic: float


@dataclass(frozen=True)
class FigureTrend:
    """A figure's slow growth or fall over the days since its last change.

    first, last : of the fitted line, in the figure's unit, span_days apart
    sigmas : slope over its standard deviation; grows_worse : whether the growth is towards the bad side
    """

    station: str
    figure: str
    span_days: int
    first: float
    last: float
    sigmas: float
    is_significant: bool
    grows_worse: bool

    @property
    def change(self) -> float:
        """Last minus first of the fitted line."""
        return self.last - self.first


@dataclass(frozen=True)
class PositionStep:
    """A station that moved between two days.

    last_before, first_after : days with solutions; step_enu_m (3,); statistic : chi-square with three degrees
        of freedom, over `limit` where found
    documented : what the headers changed at that time, in words; "" where they kept silent
    """

    station: str
    last_before: date
    first_after: date
    step_enu_m: tuple[float, float, float]
    statistic: float
    limit: float
    documented: str = ""

    def words(self) -> str:
        """One sentence for people."""
        east, north, up = (1e3 * value for value in self.step_enu_m)
        moved = (
            f"{self.station} moved by E {east:+.1f}, N {north:+.1f}, U {up:+.1f} mm between "
            f"{self.last_before} and {self.first_after} "
            f"(statistic {self.statistic:.0f}, limit {self.limit:.0f})"
        )
        if self.documented:
            return f"{moved}; the headers say: {self.documented}"
        return (
            f"{moved} and the headers name the same equipment: an undocumented change of the antenna or its "
            "height is likely"
        )
