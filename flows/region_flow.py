"""The region's flow: one task for each station-day, one for the rest. Import only after `prepare_prefect`.

Arguments are paths: the database stays small, and a worker elsewhere with the same folders can serve.
A station-day costs seconds of processor time, and Prefect's thread pool 14 ms for each task (its process pool
380 ms, Dask 555 ms), so the tasks are threads that wait for plain processes.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from prefect import flow, task
from prefect.futures import as_completed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.task_policies import (
    PUBLICATION_RETRIES,
    PUBLICATION_RETRY_DELAY_S,
    STATION_DAY_RETRIES,
    STATION_DAY_RETRY_DELAY_S,
    may_pass,
)
from pipelines.progress import Progress, SilentProgress
from pipelines.region_run import (
    RegionOutcome,
    RegionPlan,
    finish_region,
    outcome_text,
    plan_region,
    run_alone,
)
from pipelines.station_day import is_kept, read_station_day, read_task, run_station_day, write_task
from pipelines.worker_pool import processors, worker_pool


@dataclass
class RegionRun:
    """What the tasks of one run share inside its process; a task that finds none makes do without."""

    plan: RegionPlan
    progress: Progress
    pool: ProcessPoolExecutor | None = None
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock)
    outcome: RegionOutcome | None = None


current_run: ContextVar[RegionRun | None] = ContextVar("current_run", default=None)


@task(
    name="station-day",
    task_run_name="{name}",
    retries=STATION_DAY_RETRIES,
    retry_delay_seconds=STATION_DAY_RETRY_DELAY_S,
    retry_condition_fn=may_pass,
)
def station_day(name: str, task_path: str) -> str:
    """Judge and solve one station-day; returns the path of its result."""
    work = read_task(task_path)
    run = current_run.get()
    if run is None or run.pool is None or not work.observations or is_kept(work):
        return run_station_day(work)
    try:
        return run.pool.submit(run_station_day, work).result()
    except BrokenProcessPool:
        with run.one_at_a_time:
            return run_alone(work)


@task(
    name="network, heights, gravity, products",
    retries=PUBLICATION_RETRIES,
    retry_delay_seconds=PUBLICATION_RETRY_DELAY_S,
    retry_condition_fn=may_pass,
)
def finish(region_path: str, station_day_paths: Sequence[str]) -> list[str]:
    """From the station-days' results to published products; returns their folders."""
    run = current_run.get() or RegionRun(plan_region(Path(region_path)), SilentProgress())
    station_days = [read_station_day(path) for path in station_day_paths]
    run.outcome = finish_region(run.plan, station_days, run.progress)
    return [str(item.folder) for item in run.outcome.publications]


@flow(
    name="region",
    flow_run_name="region {region_path}",
    validate_parameters=False,
    task_runner=ThreadPoolTaskRunner(max_workers=processors()),  # type: ignore[arg-type]
)
def region_flow(region_path: str) -> list[str]:
    """Run a region; returns the folders of its published products."""
    run = current_run.get()
    if run is None:
        run = RegionRun(plan_region(Path(region_path)), SilentProgress())
    else:
        run.progress.advance("ready")  # as `run_region_prefect` promised
    tasks = run.plan.tasks
    run.progress.begin("station-days", len(tasks))
    costly = sum(1 for item in tasks if item.observations and not is_kept(item))
    with worker_pool(max(1, costly)) as pool:
        run.pool = pool
        futures = {station_day.submit(item.name, write_task(item)): item for item in tasks}
        paths: dict[str, str] = {}
        for future in as_completed(list(futures)):
            name = futures[future].name
            paths[name] = future.result()
            run.progress.advance(f"{name}: {outcome_text(read_station_day(paths[name]))}")
        run.pool = None
    return finish(region_path, [paths[item.name] for item in tasks])
