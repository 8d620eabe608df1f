"""Quality rows of runs into the catalogue; and what they show over time: changes, trends, steps."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from pipelines.days import parse_day
from pipelines.progress import Progress
from pipelines.quality_history import HistoryUpdate, QualityHistory, row_from_report, rows_by_station
from pipelines.records import StationDay
from pipelines.station_quality import QualityResult
from stations.quality.report_json import quality_report_as_json
from stations.records import StationSolution
from stations.trends.position_steps import position_steps
from stations.trends.records import (
    DailyPositionRow,
    DailyQuality,
    FigureChange,
    FigureTrend,
    PositionStep,
)
from stations.trends.reference_model import DAYS_PER_YEAR
from stations.trends.station_trends import FEWEST_DAYS_SEARCHED, FigureHistory, station_history
from transforms.errors import CatalogueError

DEFAULT_SPAN_DAYS: Final = 1096  # as much as the reference of the change alarm looks back


def quality_rows(station_days: Sequence[StationDay]) -> tuple[DailyQuality, ...]:
    """A row for every station-day that was judged, solved or not."""
    rows = []
    for item in station_days:
        if item.quality is not None:
            position = None if item.solution is None else _position(item.solution)
            report = quality_report_as_json(item.quality)
            rows.append(row_from_report(report, item.station, parse_day(item.day), position))
    return tuple(rows)


def _position(solution: StationSolution) -> DailyPositionRow:
    return DailyPositionRow(solution.frame, solution.position_ecef_m, solution.covariance_m2)


def keep_quality(catalogue: Path, station_days: Sequence[StationDay]) -> HistoryUpdate:
    """Add a run's rows to the catalogue; raises CatalogueError where it cannot be written."""
    return QualityHistory(catalogue).add(quality_rows(station_days))


def keep_results(catalogue: Path, results: Sequence[QualityResult]) -> HistoryUpdate:
    """Add the station-days of `jizhun station qc`; a row that a region's run made keeps its position.

    Raises CatalogueError where the catalogue cannot be written.
    """
    history = QualityHistory(catalogue)
    rows = []
    for result in results:
        if result.report is not None:
            day = date.fromisoformat(result.task.day)
            kept = history.row_of(result.task.station, day)
            position = None if kept is None else kept.position
            code = result.task.station if kept is None else kept.station
            rows.append(row_from_report(result.report, code, day, position))
    return history.add(rows)


def undocumented_changes(station_days: Sequence[StationDay]) -> tuple[str, ...]:
    """What a run's own days show of stations that moved while their headers kept silent, in words."""
    return tuple(step.words() for step in position_steps(quality_rows(station_days)) if not step.documented)


@dataclass(frozen=True)
class NetworkTrends:
    """What a search over the rows of some stations found.

    steps : positions, documented ones too; histories : every figure searched, by station and name
    """

    stations: tuple[str, ...]
    first: date
    last: date
    steps: tuple[PositionStep, ...]
    histories: tuple[FigureHistory, ...]

    @property
    def changes(self) -> tuple[FigureChange, ...]:
        """Sudden changes of all figures, the latest first."""
        found = [change for history in self.histories for change in history.changes]
        return tuple(sorted(found, key=lambda c: (-c.alarm_day.toordinal(), c.station, c.figure)))

    @property
    def growing(self) -> tuple[FigureTrend, ...]:
        """Significant trends to the bad side."""
        trends = [h.trend for h in self.histories if h.trend is not None]
        return tuple(t for t in trends if t.is_significant and t.grows_worse)

    @property
    def calls_for_a_look(self) -> bool:
        """Whether there is any change, growth or undocumented step."""
        undocumented = any(not step.documented for step in self.steps)
        return undocumented or bool(self.changes) or bool(self.growing)

    @property
    def not_searched(self) -> tuple[FigureHistory, ...]:
        """Figures of too few days to be searched for changes."""
        return tuple(h for h in self.histories if not h.is_searched)

    def search_words(self) -> str:
        """What the silence of the search is worth; "" where every figure was searched."""
        if not self.not_searched:
            return ""
        return (
            f"not searched for changes: {len(self.not_searched)} of {len(self.histories)} figures, "
            f"of which there are fewer than {FEWEST_DAYS_SEARCHED} days"
        )

    @staticmethod
    def change_words(change: FigureChange) -> str:
        """One line for people."""
        return (
            f"{change.station} {change.figure}: {change.before:.4g} before, {change.after:.4g} from "
            f"{change.first_day} on (seen on {change.alarm_day})"
        )

    def per_year(self, trend: FigureTrend) -> float:
        """Mean change a year."""
        return trend.change / trend.span_days * DAYS_PER_YEAR

    def trend_words(self, trend: FigureTrend) -> str:
        """One line for people."""
        return (
            f"{trend.station} {trend.figure} grows worse: {trend.first:.4g} to {trend.last:.4g} in "
            f"{trend.span_days} days ({abs(trend.sigmas):.0f} sigmas)"
        )


def network_trends(
    catalogue: Path,
    stations: Sequence[str],
    *,
    figures: Sequence[str],
    by_elevation: bool,
    first: date | None,
    last: date | None,
    progress: Progress,
) -> NetworkTrends:
    """Search the rows of a catalogue.

    stations : codes (four characters count), all where none is named; positions are compared over all of them
    first, last : days, both included; by default the three years before the last row

    Raises CatalogueError where there are no rows, and where a figure named is in none of them.
    """
    history = QualityHistory(catalogue)
    names = tuple(dict.fromkeys(name.upper() for name in stations))
    if first is None:
        latest = max((day for s in names or history.stations() if (day := history.last_day(s))), default=None)
        if latest is not None:
            first = min(latest, last or latest) - timedelta(days=DEFAULT_SPAN_DAYS - 1)
    rows = rows_by_station(history, (), first=first, last=last)
    wanted = {name[:4] for name in names} or set(rows)
    missing = sorted(wanted - {name for name, own in rows.items() if own})
    if missing:
        known = ", ".join(name for name, own in rows.items() if own) or "none"
        raise CatalogueError(f"{catalogue}: no quality rows of {', '.join(missing)} (there: {known})")
    kept = {figure for name in wanted for row in rows[name] for figure in row.figures}
    kinds = {figure.partition(":")[0] for figure in kept}
    # A name mistyped in a schedule would find nothing for ever.
    unknown = sorted(set(figures) - kept - kinds)
    if unknown:
        raise CatalogueError(
            f"{catalogue}: no figure {', '.join(unknown)} in the rows (there: {', '.join(sorted(kinds))})"
        )
    progress.begin("figures", len(wanted))
    histories: list[FigureHistory] = []
    for name in sorted(wanted):
        histories += station_history(rows[name], figures=figures, by_elevation=by_elevation)
        progress.advance(name)
    steps = position_steps([row for own in rows.values() for row in own])
    days = [row.day for name in wanted for row in rows[name]]
    return NetworkTrends(
        tuple(sorted(wanted)),
        min(days),
        max(days),
        tuple(step for step in steps if step.station[:4] in wanted),
        tuple(histories),
    )


def trends_as_json(found: NetworkTrends) -> dict[str, Any]:
    """The object of `jizhun station trend --json`: days as ISO dates, figures in their own units."""
    content: dict[str, Any] = {
        "stations": list(found.stations),
        "first": found.first.isoformat(),
        "last": found.last.isoformat(),
        "calls_for_a_look": found.calls_for_a_look,
        "n_figures_not_searched": len(found.not_searched),
        "position_steps": [asdict(step) for step in found.steps],
        "changes": [asdict(change) for change in found.changes],
        "growing_worse": [asdict(trend) for trend in found.growing],
        "figures": [
            {
                "station": h.station,
                "figure": h.figure,
                "n_days": h.n_days,
                "median": h.median,
                "last": h.last,
                "per_year": None if h.trend is None else found.per_year(h.trend),
                "sigmas": None if h.trend is None else h.trend.sigmas,
                "n_changes": len(h.changes),
            }
            for h in found.histories
        ],
    }
    plain: dict[str, Any] = _plain(content)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    return float(f"{value:.6g}") if isinstance(value, float) else value
