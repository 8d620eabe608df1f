"""From daily station solutions to the observation equations of a network.

    observed position of station s on day d = position of s + G t_d + noise

with t_d the day's own translation (and rotation, scale where asked), G as in `constraints`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.network.constraints import DatumParameter, component_names, datum_derivatives
from datum.network.normal_equations import normal_equations, stack
from datum.network.testing import LinearModel
from datum.records import NormalEquations, ParameterKey
from stations.records import StationSolution
from transforms.covariance import check_covariance
from transforms.errors import AdjustmentError, FrameError, InputError
from transforms.frames import frame_named
from transforms.geodetic import enu_matrix_at
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]
AXES: Final = ("position_x", "position_y", "position_z")
_SMALLEST_RADIUS_M: Final = 1.0  # a network smaller than that is one pillar
# Daily positions of one marker further apart than this are two markers, or one is nonsense.
_LARGEST_SPREAD_M: Final = 100.0


@dataclass(frozen=True, eq=False)
class DailyPosition:
    """A daily solution brought to the network's epoch.

    day : "2024-035"; position_ecef_m (3,), covariance_m2 (3, 3) with the daily noise added
    """

    station: str
    day: str
    position_ecef_m: FloatArray
    covariance_m2: FloatArray
    solution: StationSolution


@dataclass(frozen=True, eq=False)
class DailyNetwork:
    """All daily positions of a network, in the order of station and day.

    centre_ecef_m (3,), radius_m : about which rotations and scale are counted
    approximate_ecef_m : station -> (3,); velocities_m_per_yr : station -> (3,), of those known
    """

    frame: str
    epoch: Epochs
    positions: tuple[DailyPosition, ...]
    alignment: tuple[DatumParameter, ...]
    centre_ecef_m: FloatArray
    radius_m: float
    approximate_ecef_m: Mapping[str, FloatArray]
    velocities_m_per_yr: Mapping[str, FloatArray]

    def derivatives(self, station: str) -> FloatArray:
        """Derivatives (3, k) of a station's position by the alignment's components."""
        return datum_derivatives(
            self.approximate_ecef_m[station], self.centre_ecef_m, self.radius_m, self.alignment
        )


# (station, day) -> which of the station's positions, counted from 0; None where the day is not used.
Grouping = Mapping[tuple[str, str], int | None]


def day_of(epoch: Epochs) -> str:
    """Year and day of year of an instant, "2024-035", in GPST."""
    moment = epoch.date()
    return f"{moment.year:04d}-{moment.timetuple().tm_yday:03d}"


def mean_epoch(epochs: Sequence[Epochs]) -> Epochs:
    """The mean instant, to the second; whatever the order."""
    nanoseconds = sorted(int(epoch.tai_ns) for epoch in epochs)
    seconds = round(sum(ns - nanoseconds[0] for ns in nanoseconds) / len(nanoseconds) / 1e9)
    return Epochs(np.asarray(nanoseconds[0] // 1_000_000_000 * 1_000_000_000 + seconds * 1_000_000_000))


def common_frame(solutions: Sequence[StationSolution]) -> str:
    """The frame of all solutions; InputError where they stand on different datums."""
    frames = sorted({frame_named(solution.frame).name for solution in solutions})
    datums = {frame_named(name).datum_of or name for name in frames}
    if len(datums) != 1:
        raise InputError(f"the daily solutions stand in {', '.join(frames)}: bring them to one frame first")
    return frames[-1]


def daily_network(
    solutions: Sequence[StationSolution],
    *,
    epoch: Epochs | None,
    velocities_m_per_yr: Mapping[str, FloatArray],
    daily_noise_enu_m: tuple[float, float, float],
    alignment: Sequence[DatumParameter],
) -> DailyNetwork:
    """Daily solutions ordered, checked, and brought to one epoch with the velocities that are known.

    A station without a velocity is left where it is: within days, the motion that all stations share goes
    into the days' translations.
    """
    frame = common_frame(solutions)
    at = mean_epoch([solution.epoch for solution in solutions]) if epoch is None else epoch
    positions: list[DailyPosition] = []
    for solution in sorted(solutions, key=lambda s: (s.station, int(s.epoch.tai_ns))):
        name = f"{solution.station} on {day_of(solution.epoch)}"
        position = np.asarray(solution.position_ecef_m, dtype=np.float64)
        if position.shape != (3,) or not np.all(np.isfinite(position)):
            raise InputError(f"{name}: the position is not three finite numbers")
        covariance = check_covariance(solution.covariance_m2, name)
        if covariance.shape != (3, 3):
            raise InputError(f"{name}: the covariance has shape {covariance.shape}, not (3, 3)")
        rotation = enu_matrix_at(position)
        covariance = covariance + rotation.T @ np.diag(np.square(daily_noise_enu_m)) @ rotation
        velocity = velocities_m_per_yr.get(solution.station)
        if velocity is not None:
            years = float(at.decimal_year() - solution.epoch.decimal_year())
            position = position + np.asarray(velocity, dtype=np.float64) * years
        if positions and (positions[-1].station, positions[-1].day) == (
            solution.station,
            day_of(solution.epoch),
        ):
            raise InputError(f"{name}: there are two solutions for this day")
        positions.append(
            DailyPosition(solution.station, day_of(solution.epoch), position, covariance, solution)
        )
    approximate: dict[str, FloatArray] = {}
    for daily in positions:
        first = approximate.setdefault(daily.station, daily.position_ecef_m)
        spread = float(np.linalg.norm(daily.position_ecef_m - first))
        if spread > _LARGEST_SPREAD_M:
            raise InputError(f"{daily.station}: its days lie {spread:.1f} m apart; are they one marker?")
    stacked = np.array([approximate[station] for station in sorted(approximate)])
    centre = stacked.mean(axis=0)
    radius = float(np.sqrt(np.mean(np.sum((stacked - centre) ** 2, axis=1))))
    return DailyNetwork(
        frame,
        at,
        tuple(positions),
        tuple(alignment),
        centre,
        max(radius, _SMALLEST_RADIUS_M),
        approximate,
        velocities_m_per_yr,
    )


def position_keys(station: str, group: int) -> tuple[ParameterKey, ParameterKey, ParameterKey]:
    """Keys of a station's coordinates: ("WUH200CHN:1", "position_x"), ..."""
    x, y, z = (ParameterKey(f"{station}:{group + 1}", axis) for axis in AXES)
    return x, y, z


def whitening_matrix(covariance_m2: FloatArray, name: str) -> FloatArray:
    """L^-1 of the covariance L L', so that whitened observations have a unit covariance."""
    try:
        return np.asarray(np.linalg.inv(np.linalg.cholesky(covariance_m2)))
    except np.linalg.LinAlgError as error:
        raise AdjustmentError(
            f"{name}: the covariance is singular; give it a daily noise above zero"
        ) from error


@dataclass(frozen=True, eq=False)
class Equations:
    """Normal equations of a grouped network, and its whitened observation equations in the same keys.

    rows : (station, day) -> the three rows of its observations
    """

    normal: NormalEquations
    design: FloatArray
    misclosure: FloatArray
    rows: Mapping[tuple[str, str], NDArray[np.intp]]
    whitening: Mapping[tuple[str, str], FloatArray]

    def model(self, cofactor: FloatArray, step: FloatArray) -> LinearModel:
        """The linear model for tests, after an adjustment that moved the parameters by `step`."""
        return LinearModel(self.design, self.misclosure, cofactor, self.misclosure - self.design @ step)


def observation_equations(network: DailyNetwork, grouping: Grouping) -> Equations:
    """Equations of all days used: one set of normal equations for each day, stacked by their keys."""
    names = component_names(network.alignment)
    used = [p for p in network.positions if grouping[p.station, p.day] is not None]
    whitening = {
        (p.station, p.day): whitening_matrix(p.covariance_m2, f"{p.station} on {p.day}") for p in used
    }
    parts: list[NormalEquations] = []
    blocks: list[tuple[DailyPosition, tuple[ParameterKey, ...], FloatArray, FloatArray]] = []
    for day in sorted({p.day for p in used}):
        of_day = [p for p in used if p.day == day]
        day_keys = tuple(ParameterKey(day, name) for name in names)
        keys = [key for p in of_day for key in position_keys(p.station, grouping[p.station, day] or 0)]
        approximate = [v for p in of_day for v in network.approximate_ecef_m[p.station]]
        n, k = 3 * len(of_day), len(names)
        design, misclosure = np.zeros((n, n + k)), np.zeros(n)
        for i, p in enumerate(of_day):
            w = whitening[p.station, day]
            rows = slice(3 * i, 3 * i + 3)
            design[rows, rows] = w
            design[rows, n:] = w @ network.derivatives(p.station)
            misclosure[rows] = w @ (p.position_ecef_m - network.approximate_ecef_m[p.station])
            own = position_keys(p.station, grouping[p.station, day] or 0) + day_keys
            blocks.append((p, own, np.hstack([w, design[rows, n:]]), misclosure[rows]))
        parts.append(
            normal_equations(
                keys + list(day_keys), np.array(approximate + [0.0] * k), design, misclosure, np.eye(n)
            )
        )
    normal = stack(parts)
    place = {key: i for i, key in enumerate(normal.keys)}
    full = np.zeros((3 * len(blocks), len(normal.keys)))
    right = np.zeros(3 * len(blocks))
    where: dict[tuple[str, str], NDArray[np.intp]] = {}
    for i, (p, own, matrix, value) in enumerate(blocks):
        rows_of_block = np.arange(3 * i, 3 * i + 3)
        columns = np.array([place[key] for key in own], dtype=np.intp)
        full[np.ix_(rows_of_block, columns)] = matrix
        right[rows_of_block] = value
        where[p.station, p.day] = rows_of_block
    return Equations(normal, full, right, where, whitening)


def require_connected(network: DailyNetwork, grouping: Grouping) -> None:
    """AdjustmentError where the days fall into parts that no station ties together."""
    parts: list[tuple[set[str], set[tuple[str, int]]]] = []
    for p in network.positions:
        group = grouping[p.station, p.day]
        if group is None:
            continue
        days, stations = {p.day}, {(p.station, group)}
        apart = []
        for part in parts:
            if part[0] & days or part[1] & stations:
                days, stations = days | part[0], stations | part[1]
            else:
                apart.append(part)
        parts = [*apart, (days, stations)]
    if len(parts) > 1:
        texts = "; ".join(", ".join(sorted(days)) for days, _ in parts)
        raise AdjustmentError(f"no station ties these days together: {texts}")


def check_velocity_frame(frame: str) -> None:
    """FrameError where a network would stand in a frame whose coordinates do not move (CGCS2000)."""
    if frame_named(frame).fixed_epoch_year is not None:
        raise FrameError(
            f"daily solutions cannot stand in {frame}: adjust in the frame of the orbits, then transform"
        )
