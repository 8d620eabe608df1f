"""The engine `prefect`: a region as a Prefect flow, on the embedded server or the one of PREFECT_API_URL."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from flows.prefect_environment import STARTUP_TIMEOUT_S, prepare_prefect
from pipelines.progress import Progress
from transforms.errors import InputError

if TYPE_CHECKING:
    from pipelines.region_run import RegionOutcome

# How Prefect 3.8 begins its account of a server that did not come up.
SERVER_TIMEOUT: Final = "Timed out while attempting to connect to ephemeral Prefect API server"


def run_region_prefect(region_path: Path, *, progress: Progress) -> "RegionOutcome":
    """Run a region as a Prefect flow; the same products, byte for byte, as `run_region_local`.

    Prefect's home is `prefect` in the region's work folder unless PREFECT_HOME says otherwise. What cannot
    even begin (settings, missing files) is refused before the server starts.
    """
    from pipelines.region_run import plan_region
    from pipelines.stale_work import clear_stale_work

    plan = plan_region(Path(region_path))
    clear_stale_work(plan.region.paths.work)
    progress.begin("starting Prefect's server", 1)
    prepare_prefect(plan.region.paths.work / "prefect")
    from flows.region_flow import RegionRun, current_run, region_flow
    from flows.server_guard import guard_embedded_server

    guard_embedded_server()
    run = RegionRun(plan, progress)
    token = current_run.set(run)
    try:
        region_flow(str(region_path))
    except RuntimeError as error:
        if not str(error).startswith(SERVER_TIMEOUT):
            raise
        raise InputError(
            f"Prefect's embedded server did not start within {STARTUP_TIMEOUT_S} s; "
            "nothing was published; try --engine local"
        ) from error
    finally:
        current_run.reset(token)
    if run.outcome is None:
        raise InputError(f"{region_path}: the flow ended without an outcome")
    return run.outcome
