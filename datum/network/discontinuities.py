"""Stations that moved between days, and days that do not fit: found by tests, one after the other.

For every station the hypotheses are a step between two of its days and, where days stand on both sides, one
wrong day. The one that lowers the square sum most is taken, if it passes the limit; then all is adjusted
again. Errors up to a robust variance factor of the network are put down to covariances that are too small.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from datum.network.constraints import minimal_constraints
from datum.network.daily_positions import DailyNetwork, Equations, observation_equations, position_keys
from datum.network.normal_equations import AdjustedParameters, solve
from datum.network.testing import chi_square_limit, hypothesis, robust_variance_factor
from datum.records import Rejection
from transforms.geodetic import enu_matrix_at
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]

_DIMENSION: Final = 3
# Hypotheses whose statistics agree to this part are the same error seen from two stations.
_SAME_STATISTIC: Final = 1e-6
_MILLIMETRES: Final = 1e3


class KnownMove(Protocol):
    """An instant from which a station stands elsewhere, and why."""

    @property
    def epoch(self) -> Epochs:
        """Shape ()."""

    @property
    def reason(self) -> str:
        """In words."""


@dataclass(frozen=True, eq=False)
class _Candidate:
    station: str
    is_step: bool
    days: tuple[str, ...]  # days to which the error belongs: all after a step, or the one wrong day
    before: str
    after: str
    statistic: float
    error_ecef_m: FloatArray


@dataclass(frozen=True, eq=False)
class Screened:
    """A network after the search.

    grouping : (station, day) -> number of the station's position from 0 in time, None where not used
    steps : station -> days that begin a new position; variance_factor : robust, of the good majority
    """

    grouping: dict[tuple[str, str], int | None]
    steps: dict[str, tuple[str, ...]]
    variance_factor: float
    rejections: tuple[Rejection, ...]
    remarks: tuple[str, ...]


@dataclass
class _Search:
    network: DailyNetwork
    significance: float
    grouping: dict[tuple[str, str], int | None]
    rejections: list[Rejection] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    steps: dict[str, tuple[str, ...]] = field(default_factory=dict)


def inner_constraints(network: DailyNetwork, equations: Equations) -> FloatArray:
    """Minimal constraints over all positions, for tests: (k, n) in the order of the equations' keys."""
    place = {key: i for i, key in enumerate(equations.normal.keys)}
    subjects = sorted({key.subject for key in equations.normal.keys if key.quantity == "position_x"})
    stations = [subject.rpartition(":")[0] for subject in subjects]
    derivatives = np.array([network.derivatives(station) for station in stations])
    condition = minimal_constraints(derivatives)
    full = np.zeros((condition.shape[0], len(place)))
    for i, subject in enumerate(subjects):
        station, _, number = subject.rpartition(":")
        columns = [place[key] for key in position_keys(station, int(number) - 1)]
        full[:, columns] = condition[:, 3 * i : 3 * i + 3]
    return full


def adjust_freely(network: DailyNetwork, equations: Equations) -> AdjustedParameters:
    """The network on a provisional datum, its own approximate coordinates."""
    constraints = inner_constraints(network, equations)
    return solve(equations.normal, constraints, np.zeros(constraints.shape[0]))


def known_grouping(
    network: DailyNetwork, known: Mapping[str, Sequence[KnownMove]]
) -> tuple[dict[tuple[str, str], int | None], tuple[str, ...]]:
    """(station, day) -> number of the position between known steps, counted from 0, and remarks on them.

    A day belongs to the position that most of it saw: that of its middle. Steps before the first and after
    the last day part nothing.
    """
    grouping: dict[tuple[str, str], int | None] = {}
    remarks: list[str] = []
    for station in sorted({p.station for p in network.positions}):
        moves = sorted(known.get(station, ()), key=lambda move: int(move.epoch.tai_ns))
        days = sorted(
            (int(p.solution.epoch.tai_ns), p.day) for p in network.positions if p.station == station
        )
        number, before = -1, -1
        for moment, day in days:
            passed = sum(int(move.epoch.tai_ns) <= moment for move in moves)
            if passed != before:
                number += 1
                if before >= 0:
                    reasons = "; ".join(dict.fromkeys(move.reason for move in moves[before:passed]))
                    remarks.append(f"station {station} is parted at {day}: {reasons}")
                before = passed
            grouping[station, day] = number
    return grouping, tuple(remarks)


def screen(
    network: DailyNetwork, significance: float, known: Mapping[str, Sequence[KnownMove]] | None = None
) -> Screened:
    """Find steps and wrong days.

    significance : probability that a search over a clean network finds anything (shared out among its tests)
    known : station -> steps that are known, where its days are parted before the search
    """
    grouping, remarks = known_grouping(network, known or {})
    search = _Search(network, significance, grouping, remarks=list(remarks))
    factor = 1.0
    for _ in range(len(network.positions)):
        equations = observation_equations(network, search.grouping)
        constraints = inner_constraints(network, equations)
        factor = robust_variance_factor(equations.design, equations.misclosure, constraints)
        if not _take_worst(search, equations, max(factor, 1.0)):
            break
    for remark in _unseparated(search):
        search.remarks.append(remark)
    return Screened(search.grouping, search.steps, factor, tuple(search.rejections), tuple(search.remarks))


def _unseparated(search: _Search) -> list[str]:
    """Days on which more stations moved than stayed: then perhaps the others did."""
    texts = []
    stations_of: dict[str, set[str]] = {}
    for station, days in search.steps.items():
        for day in days:
            stations_of.setdefault(day, set()).add(station)
    for day, moved in sorted(stations_of.items()):
        there = {p.station for p in search.network.positions if p.day == day}
        if 2 * len(moved) >= len(there):
            texts.append(
                f"{len(moved)} of {len(there)} stations moved on {day}: "
                "look at the orbits and clocks of that day"
            )
    return texts


def _take_worst(search: _Search, equations: Equations, factor: float) -> bool:
    """Take the strongest hypothesis into the model; False where none passes the limit."""
    adjusted = adjust_freely(search.network, equations)
    candidates = _candidates(search, equations, adjusted)
    if not candidates:
        return False
    limit = chi_square_limit(_DIMENSION, search.significance / len(candidates))
    worst = max(candidates, key=lambda c: (c.statistic, c.station, c.before))
    # In a small network one moved station spoils the robust factor too; what is left without it does not.
    left = adjusted.degrees_of_freedom - _DIMENSION
    if left > 0:
        factor = min(factor, max((adjusted.weighted_square_sum - worst.statistic) / left, 1.0))
    statistic = worst.statistic / factor
    if statistic <= limit:
        return False
    rivals = sorted(
        {c.station for c in candidates if c.statistic > worst.statistic * (1.0 - _SAME_STATISTIC)}
    )
    if len(rivals) > 1:
        search.remarks.append(
            f"between {worst.before} and {worst.after} one of {', '.join(rivals)} moved, and the network "
            f"cannot tell which (statistic {statistic:.1f}, limit {limit:.1f}); their sigmas carry it"
        )
        return False
    network = search.network
    enu = enu_matrix_at(network.approximate_ecef_m[worst.station]) @ worst.error_ecef_m * _MILLIMETRES
    text = f"E {enu[0]:+.1f}, N {enu[1]:+.1f}, U {enu[2]:+.1f} mm"
    if not worst.is_step:
        (day,) = worst.days
        search.grouping[worst.station, day] = None
        search.rejections.append(
            Rejection(f"{worst.station} on {day}", f"differs from its other days by {text}", statistic, limit)
        )
        return True
    n_days = sum(p.station == worst.station for p in network.positions)
    judgement = (
        "with one day on each side nobody can tell which is right"
        if n_days == 2
        else "each holds for its own time"
    )
    old = search.grouping[worst.station, worst.before]
    later = [p.day for p in network.positions if p.station == worst.station and p.day >= worst.after]
    for day in later:
        number = search.grouping[worst.station, day]
        if number is not None and old is not None and number >= old:
            search.grouping[worst.station, day] = number + 1
    search.steps[worst.station] = tuple(sorted((*search.steps.get(worst.station, ()), worst.after)))
    search.remarks.append(
        f"station {worst.station} moved by {text} between {worst.before} and {worst.after} (statistic "
        f"{statistic:.1f}, limit {limit:.1f}): its days are kept apart, "
        f"the earlier under the lower solution number; {judgement}"
    )
    return True


def _candidates(search: _Search, equations: Equations, adjusted: AdjustedParameters) -> list[_Candidate]:
    """All hypotheses that the network controls, with their statistics."""
    model = equations.model(adjusted.cofactor, adjusted.values - equations.normal.approximate)
    days_of: dict[tuple[str, int], list[str]] = {}
    for p in search.network.positions:
        group = search.grouping[p.station, p.day]
        if group is not None:
            days_of.setdefault((p.station, group), []).append(p.day)
    found: list[_Candidate] = []
    for (station, _), days in days_of.items():
        choices = [(True, tuple(days[i:]), days[i - 1], days[i]) for i in range(1, len(days))]
        choices += [(False, (days[i],), days[i - 1], days[i + 1]) for i in range(1, len(days) - 1)]
        for is_step, touched, before, after in choices:
            rows = np.concatenate([equations.rows[station, day] for day in touched])
            errors = np.concatenate([equations.whitening[station, day] for day in touched])
            tested = hypothesis(model, rows, errors)
            if tested is not None:
                found.append(_Candidate(station, is_step, touched, before, after, *tested))
    return found
