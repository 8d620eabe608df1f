"""One station on one day: from its files to a quality verdict and, where that allows, a solution.

This is the unit of work that an engine runs as a task: a `StationDayTask` holds only paths, names and
numbers, so it travels to another process or machine; the result lies in the region's work folder.
"""

import math
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from pipelines.days import day_name
from pipelines.observation_files import ObservationFiles, files_sha256
from pipelines.quality_limits import thresholds_from_toml
from pipelines.record_json import record_from_json, record_to_json
from pipelines.records import StationDay, StationDayStatus
from pipelines.reference_files import station_ocean_loading
from pipelines.settings import Region
from pipelines.shared_products import day_products, shared_antennas
from pipelines.signal_choice import satellite_groups, signal_pairs
from pipelines.weather_files import site_weather
from pipelines.work_store import StageKey, StageResult, WorkStore
from stations.formats.atomic_write import write_atomically
from stations.formats.rinex_observation import read_observations
from stations.ppp.options import SIGNAL_PAIRS, PppOptions
from stations.ppp.solve import solve_station
from stations.quality.orbit_clocks import with_clocks
from stations.quality.report import DEFAULT_THRESHOLDS, QualityContext, quality_report
from stations.quality.verdict import QualityThresholds
from stations.records import (
    AntennaType,
    Observations,
    PreciseProducts,
    QualityReport,
    StationSolution,
    Verdict,
)
from transforms.errors import InputError, JizhunError
from transforms.time_scales import Epochs

# What the result of a station-day rests on: a changed line in any of these computes it again.
CODE: Final = (
    "transforms",
    "stations",
    "pipelines.reference_files",
    "pipelines.signal_choice",
    "pipelines.station_day",
)


@dataclass(frozen=True)
class StationDayTask:
    """Everything that a worker needs for one station-day: paths, names and numbers only.

    observations, observation_sha256 : the station's files of the day, in order
    reference_sha256 : of all products, antennas, ocean loading and mapping functions that could serve
    """

    station: str
    day: str
    day_start: str  # ISO, GPST
    domes: str
    antenna: str | None
    observations: tuple[str, ...]
    observation_sha256: tuple[str, ...]
    products: tuple[str, ...]
    antex: tuple[str, ...]
    ocean_loading: str | None
    reference_sha256: str
    systems: str
    interval_s: float | None
    elevation_cutoff_deg: float
    ambiguities: Literal["float", "fix"]
    centre: str | None
    allow_mixed_products: bool
    work: str
    allow_missing_antenna: bool = False
    mapping_functions: tuple[str, ...] = ()
    solve_rejected: bool = False
    quality_limits: QualityThresholds = DEFAULT_THRESHOLDS
    signals: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Station and day, "JZ0100CHN 2026-116"."""
        return f"{self.station} {self.day}"

    @property
    def options(self) -> PppOptions:
        """Options of the station solution."""
        return PppOptions(
            systems=self.systems,
            ambiguities=self.ambiguities,
            interval_s=self.interval_s,
            elevation_cutoff_rad=math.radians(self.elevation_cutoff_deg),
            excluded=frozenset().union(*satellite_groups(self.exclude).values()),
            signal_pairs={**SIGNAL_PAIRS, **signal_pairs(self.signals, self.systems)},
            allow_missing_antenna=self.allow_missing_antenna,
        )

    def quality_key(self) -> StageKey:
        """What the quality report depends on."""
        settings: Mapping[str, Any] = {
            "session": self.day_start,
            "limits": asdict(self.quality_limits),
            "centre": self.centre,
            "allow_mixed_products": self.allow_mixed_products,
        }
        inputs = (*self.observation_sha256, self.reference_sha256)
        return StageKey("quality", self.name, CODE, inputs, settings)

    def solve_key(self) -> StageKey:
        """What the solution depends on."""
        settings: Mapping[str, Any] = {
            "station": self.station,
            "domes": self.domes,
            "antenna": self.antenna,
            "systems": self.systems,
            "interval_s": self.interval_s,
            "elevation_cutoff_deg": self.elevation_cutoff_deg,
            "signals": self.signals,
            "exclude": self.exclude,
            "ambiguities": self.ambiguities,
            "centre": self.centre,
            "allow_mixed_products": self.allow_mixed_products,
            "allow_missing_antenna": self.allow_missing_antenna,
        }
        inputs = (*self.observation_sha256, self.reference_sha256)
        return StageKey("solve", self.name, CODE, inputs, settings)


def plan_station_days(region: Region, files: ObservationFiles) -> tuple[StationDayTask, ...]:
    """The tasks of a region: every station on every day, in the settings' order, files or not.

    Raises InputError where a folder of products or a file of antennas does not exist.
    """
    paths, processing = region.paths, region.processing
    references = [*paths.products, *paths.antex, *paths.mapping_functions]
    if paths.ocean_loading is not None:
        references.append(paths.ocean_loading)
    reference_sha256 = files_sha256(references)
    limits = (
        DEFAULT_THRESHOLDS if paths.quality_limits is None else thresholds_from_toml(paths.quality_limits)
    )
    tasks = []
    for day in region.region.days:
        for station in region.stations:
            found = files.of(station.code, day)
            tasks.append(
                StationDayTask(
                    station=station.code,
                    day=day_name(day),
                    day_start=day.isoformat(),
                    domes=station.domes,
                    antenna=station.antenna,
                    observations=tuple(str(item.path) for item in found),
                    observation_sha256=tuple(item.sha256 for item in found),
                    products=tuple(str(path) for path in paths.products),
                    antex=tuple(str(path) for path in paths.antex),
                    ocean_loading=None if paths.ocean_loading is None else str(paths.ocean_loading),
                    reference_sha256=reference_sha256,
                    systems=processing.systems,
                    interval_s=processing.interval_s,
                    elevation_cutoff_deg=processing.elevation_cutoff_deg,
                    signals=processing.signals,
                    exclude=processing.exclude,
                    ambiguities=processing.ambiguities,
                    centre=processing.centre,
                    allow_mixed_products=processing.allow_mixed_products,
                    work=str(paths.work),
                    allow_missing_antenna=processing.allow_missing_antenna,
                    solve_rejected=processing.solve_rejected,
                    quality_limits=limits,
                    mapping_functions=tuple(str(path) for path in paths.mapping_functions),
                )
            )
    return tuple(tasks)


def run_station_day(task: StationDayTask) -> str:
    """Quality and solution of one station-day; returns the path of the `StationDay` it wrote.

    A failure that Jizhun knows is a result too: it stands in the record and does not stop the others.
    """
    return write_station_day(task, _station_day(task))


def write_station_day(task: StationDayTask, station_day: StationDay) -> str:
    """Write a task's result into the work folder; returns its path."""
    path = Path(task.work) / "station_days" / f"{task.station}_{task.day}.json"
    _make_folder(path.parent)
    write_atomically(path, record_to_json(station_day).encode())
    return str(path)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: the work folder cannot be made: {error.strerror}") from None


def read_station_day(path: str) -> StationDay:
    """The result that `run_station_day` wrote."""
    return record_from_json(StationDay, Path(path).read_text(encoding="utf-8"))


def write_task(task: StationDayTask) -> str:
    """Write a task into the work folder, for an engine that passes paths only; returns its path."""
    path = Path(task.work) / "station_days" / f"{task.station}_{task.day}.task.json"
    _make_folder(path.parent)
    write_atomically(path, record_to_json(task).encode())
    return str(path)


def read_task(path: str) -> StationDayTask:
    """The task that `write_task` wrote."""
    return record_from_json(StationDayTask, Path(path).read_text(encoding="utf-8"))


def failed_station_day(task: StationDayTask, message: str) -> StationDay:
    """The result of a task whose worker came to grief before it could say anything."""
    return StationDay(task.station, task.day, StationDayStatus.FAILED, message)


def is_kept(task: StationDayTask) -> bool:
    """Whether an earlier run's results serve, so that the task costs nothing."""
    store = WorkStore(Path(task.work))
    return store.path_of(task.quality_key()).is_file() and store.path_of(task.solve_key()).is_file()


def _station_day(task: StationDayTask) -> StationDay:
    if not task.observations:
        return StationDay(
            task.station,
            task.day,
            StationDayStatus.MISSING,
            f"no observation file of {task.station} begins on {task.day}",
        )
    store = WorkStore(Path(task.work))
    source = _ObservationsOnce(task)
    quality: StageResult[QualityReport] | None = None
    try:
        quality = store.recall_or(
            task.quality_key(),
            QualityReport,
            lambda: quality_report(
                source.read(),
                session=_session(task),
                thresholds=task.quality_limits,
                context=_quality_context(task, source.read()),
            ),
        )
        rejected = quality.record.verdict is Verdict.REJECT
        if rejected and not task.solve_rejected:
            return StationDay(
                task.station,
                task.day,
                StationDayStatus.REJECTED,
                "; ".join(quality.record.reasons),
                quality=quality.record,
                reused_quality=quality.reused,
            )
        solution = store.recall_or(task.solve_key(), StationSolution, partial(_solve, task, source))
    except (JizhunError, ArithmeticError, LookupError, ValueError) as error:
        return StationDay(
            task.station,
            task.day,
            StationDayStatus.FAILED,
            str(error) if isinstance(error, JizhunError) else _defect(task, error),
            quality=None if quality is None else quality.record,
            reused_quality=quality is not None and quality.reused,
        )
    return StationDay(
        task.station,
        task.day,
        StationDayStatus.SOLVED,
        "solved although rejected: " + "; ".join(quality.record.reasons) if rejected else "",
        quality=quality.record,
        solution=solution.record,
        reused_quality=quality.reused,
        reused_solution=solution.reused,
    )


def _defect(task: StationDayTask, error: Exception) -> str:
    """Words for a failure that Jizhun did not foresee, whose trace is kept in the work folder for a report.

    One odd file must not cost a region its products, and a defect must not go unseen.
    """
    path = Path(task.work) / "station_days" / f"{task.station}_{task.day}.defect.txt"
    _make_folder(path.parent)
    write_atomically(path, "".join(traceback.format_exception(error)).encode())
    return f"a defect of Jizhun ({type(error).__name__}: {error}); please report it with {path}"


class _ObservationsOnce:
    """The observations of a task, read when first asked for and once only."""

    def __init__(self, task: StationDayTask) -> None:
        self._task = task
        self._observations: Observations | None = None

    def read(self) -> Observations:
        if self._observations is None:
            self._observations = read_observations([Path(path) for path in self._task.observations])
        return self._observations


def _session(task: StationDayTask) -> tuple[Epochs, Epochs]:
    start = np.datetime64(task.day_start, "ns")
    return Epochs.from_datetime64(start), Epochs.from_datetime64(start + np.timedelta64(1, "D"))


def _products(task: StationDayTask, epochs: Epochs) -> PreciseProducts:
    return day_products(
        task.reference_sha256,
        task.products,
        epochs[0],
        epochs[-1],
        systems=task.systems,
        ambiguities=task.ambiguities,
        centre=task.centre,
        allow_mixed=task.allow_mixed_products,
    )


def _quality_context(task: StationDayTask, observations: Observations) -> QualityContext:
    """The region's orbits and clocks; where none serve, the day is judged from its observations alone."""
    try:
        products = _products(task, observations.epochs)
    except JizhunError:  # the solution will say what is wrong with the products
        return QualityContext()
    return QualityContext(orbits=with_clocks(products.orbits, products.clocks))


def _solve(task: StationDayTask, source: _ObservationsOnce) -> StationSolution:
    observations = source.read()
    if task.antenna is not None:
        observations = with_antenna(observations, task.antenna)
    epochs = observations.epochs
    products = _products(task, epochs)
    solution = solve_station(
        observations,
        products,
        shared_antennas(task.reference_sha256, task.antex),
        options=task.options,
        ocean_loading=station_ocean_loading(
            None if task.ocean_loading is None else Path(task.ocean_loading), task.station
        ),
        site_weather=site_weather(
            [Path(path) for path in task.mapping_functions], task.station, epochs[0], epochs[-1]
        ),
    )
    return replace(solution, station=task.station, domes=task.domes or solution.domes)


def with_antenna(observations: Observations, igs_code: str) -> Observations:
    """The same observations under another antenna than the files name (20 columns, radome last)."""
    antenna = AntennaType(igs_code[:16].strip(), igs_code[16:].strip() or "NONE")
    header = observations.header
    events = tuple(
        e if e.setup is None else replace(e, setup=replace(e.setup, antenna=antenna))
        for e in observations.events
    )
    setup = replace(header.setup, antenna=antenna)
    return replace(observations, header=replace(header, setup=setup), events=events)
