"""The main job: a region's files in, its reference products out. This is the engine `local`: plain processes.

Every engine takes the same three steps: `plan_region`, each `StationDayTask` by `run_station_day` somewhere,
then `finish_region`. So the products are the same bytes whichever ran.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.catalogue.publish import Publication
from pipelines.days import day_name
from pipelines.observation_files import ObservationFiles, find_observation_files
from pipelines.progress import Progress
from pipelines.records import RegionResult, StationDay
from pipelines.region_adjustment import adjust_region
from pipelines.region_publication import publish_region
from pipelines.settings import MARKER_LENGTH, Region, read_region
from pipelines.stale_work import clear_stale_work
from pipelines.station_day import (
    StationDayTask,
    failed_station_day,
    is_kept,
    plan_station_days,
    read_station_day,
    run_station_day,
    write_station_day,
)
from pipelines.station_history import keep_quality, undocumented_changes
from pipelines.worker_pool import worker_pool
from transforms.errors import InputError


@dataclass(frozen=True, eq=False)
class RegionOutcome:
    """What a run came to: the result, and what was published (nothing where nothing could be)."""

    region: Region
    result: RegionResult
    publications: tuple[Publication, ...]


@dataclass(frozen=True)
class RegionPlan:
    """A region's settings, its station-day tasks, and what was odd about its files."""

    region: Region
    tasks: tuple[StationDayTask, ...]
    remarks: tuple[str, ...]


def plan_region(region_path: Path) -> RegionPlan:
    """Read the settings and find the files; FormatError or InputError where the region cannot be begun.

    A file that the settings name and a station without any observation file are mistakes to mend before hours
    of solving: products of what is left would pass for those of the whole region.
    """
    region = read_region(region_path)
    for key, path in region.named_files():
        if not path.exists():
            raise InputError(f"{region_path}: {key}: {path} does not exist")
    files = find_observation_files(region.paths.observations)
    strangers = sorted({item.marker for item in files.files if region.station(item.marker) is None})
    remarks = list(files.remarks)
    if strangers:
        remarks.append(f"not in the region, and left out: observations of {', '.join(strangers)}")
    tasks = plan_station_days(region, files)
    if not any(task.observations for task in tasks):
        days = ", ".join(day_name(day) for day in region.region.days)
        held = ", ".join(sorted({f"{item.marker} {day_name(item.day)}" for item in files.files})[:10])
        raise InputError(
            f"{region_path}: no observation file of the region's stations on its days {days}; "
            f"the folders hold {held}"
        )
    if not region.processing.allow_missing_stations:
        _refuse_missing_stations(region_path, region, files)
    return RegionPlan(region, tasks, tuple(remarks))


def _refuse_missing_stations(region_path: Path, region: Region, files: ObservationFiles) -> None:
    """InputError where a station has no file of any day; a single day without a file is told, not refused."""
    markers = {item.marker[:MARKER_LENGTH].upper() for item in files.files}
    missing = [item.code for item in region.stations if item.code[:MARKER_LENGTH] not in markers]
    if missing:
        raise InputError(
            f"{region_path}: no observation file at all of {', '.join(missing)}; the folders hold "
            f"{', '.join(sorted(markers))} (to go on without: [processing] allow_missing_stations = true)"
        )


def finish_region(plan: RegionPlan, station_days: Sequence[StationDay], progress: Progress) -> RegionOutcome:
    """From the station-days to published products; none where the network has no solution.

    Heights and gravity alone would look like a run that went well.
    """
    result, inputs = adjust_region(plan.region, station_days, plan.remarks, progress)
    result = replace(result, problems=(*result.problems, *undocumented_changes(station_days)))
    keep_quality(plan.region.paths.catalogue, station_days)
    publications = () if result.network is None else publish_region(plan.region, result, inputs, progress)
    return RegionOutcome(plan.region, result, publications)


def run_region_local(region_path: Path, *, progress: Progress) -> RegionOutcome:
    """Run a region on this machine's processors, without Prefect."""
    plan = plan_region(Path(region_path))
    clear_stale_work(plan.region.paths.work)
    progress.begin("station-days", len(plan.tasks))
    done = dict(solve_in_processes(plan.tasks, progress))
    return finish_region(plan, [done[task.name] for task in plan.tasks], progress)


def solve_in_processes(
    tasks: Sequence[StationDayTask], progress: Progress
) -> Iterator[tuple[str, StationDay]]:
    """Run tasks, one process for each processor; yields each task's name and result as it is done.

    What an earlier run has kept is read here, without a process. A process that dies (out of memory, killed)
    takes others' futures with it: those are run again one by one, and only one that dies alone has failed.
    """
    costly = []
    for task in tasks:
        if task.observations and not is_kept(task):
            costly.append(task)
            continue
        yield task.name, _told(task, run_station_day(task), progress)
    unfinished: list[StationDayTask] = []
    if costly:
        with worker_pool(len(costly)) as pool:
            futures = {pool.submit(run_station_day, task): task for task in costly}
            for future in as_completed(futures):
                task = futures[future]
                if isinstance(future.exception(), BrokenProcessPool):
                    unfinished.append(task)
                else:
                    yield task.name, _told(task, future.result(), progress)
    for task in unfinished:
        yield task.name, _told(task, run_alone(task), progress)


def run_alone(task: StationDayTask) -> str:
    """Run a task in a process of its own, and where that dies too say so; returns the result's path."""
    with worker_pool(1) as pool:
        future: Future[str] = pool.submit(run_station_day, task)
        if isinstance(future.exception(), BrokenProcessPool):
            message = "its process died before it could answer (killed by the system, out of memory?)"
            return write_station_day(task, failed_station_day(task, message))
        return future.result()


def _told(task: StationDayTask, path: str, progress: Progress) -> StationDay:
    station_day = read_station_day(path)
    progress.advance(f"{task.name}: {outcome_text(station_day)}")
    return station_day


def outcome_text(item: StationDay) -> str:
    """What became of a station-day, for the progress line: "solved", "solved (reused)", "failed: ..."."""
    text = item.status.value
    if item.solution is not None:
        return f"{text} (reused)" if item.reused_solution else text
    if item.reused_quality:
        text = f"{text} (reused)"
    return f"{text}: {item.message}"
