"""What changed in the figures of stations, day by day over months and years."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from stations.trends.change_alarm import FEWEST_REFERENCE_DAYS, find_changes
from stations.trends.figures import NOT_THE_STATIONS, is_by_elevation, kind_of
from stations.trends.records import DailyQuality, FigureChange, FigureTrend
from stations.trends.slow_trend import slope_of

FEWEST_DAYS_SEARCHED: Final = FEWEST_REFERENCE_DAYS + 1  # of fewer none is left beside the reference


@dataclass(frozen=True)
class FigureHistory:
    """What a search over one figure of one station found.

    median : of all days; last : of the last day; n_days : with the figure
    """

    station: str
    figure: str
    n_days: int
    median: float
    last: float
    changes: tuple[FigureChange, ...]
    trend: FigureTrend | None

    @property
    def is_searched(self) -> bool:
        """Whether there are days enough to search the figure for changes: if not, silence says nothing."""
        return self.n_days >= FEWEST_DAYS_SEARCHED


def station_history(
    rows: Sequence[DailyQuality], *, figures: Sequence[str] = (), by_elevation: bool = False
) -> tuple[FigureHistory, ...]:
    """Search every figure of one station.

    rows : of one station, a day each
    figures : names, or kinds ("cn0_dbhz"), to search; none takes all of the station's own
    by_elevation : also the figures of single bins of elevation

    Raises ValueError where a day stands twice or a station differs.
    """
    ordered = sorted(rows, key=lambda r: r.day)
    days = [r.day for r in ordered]
    if len(set(days)) != len(days) or len({r.station for r in ordered}) > 1:
        raise ValueError("a history is of one station with one row a day")
    names = sorted({name for row in ordered for name in row.figures})
    found = []
    for name in names:
        kind = name.partition(":")[0]
        if figures and name not in figures and kind not in figures:
            continue
        if not figures and (kind in NOT_THE_STATIONS or (is_by_elevation(name) and not by_elevation)):
            continue
        history = _figure_history([r for r in ordered if name in r.figures], name)
        if history is not None:
            found.append(history)
    return tuple(found)


def _figure_history(rows: Sequence[DailyQuality], name: str) -> FigureHistory | None:
    kind = kind_of(name)
    tested = np.array([kind.tested(r.figures[name]) for r in rows])
    rows = [r for r, value in zip(rows, tested, strict=True) if np.isfinite(value)]
    tested = tested[np.isfinite(tested)]
    if tested.size == 0:
        return None
    station = rows[0].station
    day = np.array([r.day.toordinal() for r in rows], dtype=np.float64)
    changes = find_changes(day, tested, kind.floor)
    borders = [0, *(c.first for c in changes), tested.size]
    told = []
    for number, change in enumerate(changes):
        before = tested[borders[number] : change.first]
        after = tested[change.first : borders[number + 2]]
        told.append(
            FigureChange(
                station,
                name,
                rows[change.first].day,
                rows[change.alarm].day,
                kind.shown(float(np.median(before))),
                kind.shown(float(np.median(after))),
                change.statistic,
            )
        )
    slope = slope_of(day[borders[-2] :], tested[borders[-2] :])
    trend = None
    if slope is not None:
        trend = FigureTrend(
            station,
            name,
            int(day[-1] - day[borders[-2]]),
            kind.shown(slope.first),
            kind.shown(slope.last),
            slope.sigmas,
            slope.is_significant(kind.floor),
            (slope.sigmas > 0.0) is kind.bad_when_high,
        )
    values = np.array([r.figures[name] for r in rows])
    return FigureHistory(
        station, name, len(rows), float(np.median(values)), float(values[-1]), tuple(told), trend
    )
