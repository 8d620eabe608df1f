"""A run that is killed leaves no process behind, and its caller's pipes come to their end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.stale_work import clear_stale_work

MARKER = "JIZHUN_TEST_OF_ORPHANS"
GONE_WITHIN_S = 10.0
BEGUN_WITHIN_S = 200.0  # the server may take 180 s to start on a machine under load
NEEDS_PROC = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="no /proc to look for processes"
)


def processes_with(marker: str) -> list[str]:
    """Command lines of the processes that inherited the marker."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if marker.encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # gone, or another user's
    return found


@NEEDS_PROC
@pytest.mark.parametrize(
    ("engine", "child"),
    [("local", "spawn_main"), pytest.param("prefect", "uvicorn", marks=pytest.mark.slow)],
)
@pytest.mark.xdist_group("region")
def test_a_killed_run_leaves_no_process(engine: str, child: str, sample_region: Path, tmp_path: Path) -> None:
    text = (sample_region / "REGION.toml").read_text()
    for name in ("observations", "products", "antex", "ocean_loading", "heights", "gravity", "truth"):
        (tmp_path / name).symlink_to(sample_region / name)
    (tmp_path / "common_points").symlink_to(sample_region / "common_points")
    text = text.replace('"../catalogue"', '"catalogue"').replace('"../.jizhun/work"', '"work"')
    (tmp_path / "REGION.toml").write_text(text)
    marker = f"{engine}-{os.getpid()}-{time.monotonic_ns()}"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    environment |= {"PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(tmp_path), MARKER: marker}
    script = "from pipelines.cli.app import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", script, "run", str(tmp_path / "REGION.toml"), "--engine", engine],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    )
    limit = time.monotonic() + BEGUN_WITHIN_S
    while not any(child in line for line in processes_with(marker)):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < limit
        time.sleep(0.05)
    time.sleep(1.0)  # into its work
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=GONE_WITHIN_S)  # a pipe that an orphan holds never ends
    limit = time.monotonic() + GONE_WITHIN_S
    while (left := processes_with(marker)) and time.monotonic() < limit:
        time.sleep(0.05)
    assert left == []


def test_the_next_run_clears_what_a_killed_one_left(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    work = tmp_path / "work"
    for name in (f"horizontal.{dead.pid}", f"height.{os.getpid()}", "kept"):
        (work / "products" / name).mkdir(parents=True)
        (work / "products" / name / f".report.html.{dead.pid}.partial").write_text("half")
    (work / "station_days").mkdir()
    stages = {
        "dead": work / "station_days" / f".A.json.{dead.pid}.partial",
        "layer": work / "station_days" / f".stations.{dead.pid}.partial.gpkg",
        "alive": work / "station_days" / f".A.json.{os.getpid()}.partial",
        "whole": work / "station_days" / "A.json",
    }
    for path in stages.values():
        path.write_text("x")
    clear_stale_work(work)
    left = sorted(path.relative_to(work).as_posix() for path in work.rglob("*"))
    assert left == sorted(
        [
            "products",
            f"products/height.{os.getpid()}",
            "products/kept",
            "station_days",
            f"station_days/.A.json.{os.getpid()}.partial",
            "station_days/A.json",
        ]
    )
    assert clear_stale_work(tmp_path / "no such folder") == ()


@pytest.mark.slow
def test_a_run_clears_stale_work(small_region: Callable[..., Path]) -> None:
    from pipelines.progress import SilentProgress
    from pipelines.region_run import run_region_local

    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    region = small_region("stale")
    left = region.parent / "work" / "products" / f"horizontal.{dead.pid}"
    left.mkdir(parents=True)
    run_region_local(region, progress=SilentProgress())
    assert not left.exists()
