"""Records made by hand, for tests of what is composed from them."""

import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from stations.records import (
    AntennaType,
    InputFile,
    PhaseResiduals,
    StationSetup,
    StationSolution,
    ZenithDelays,
)
from transforms.time_scales import Epochs

if TYPE_CHECKING:
    from pipelines.region_run import RegionOutcome

SolutionMaker = Callable[..., StationSolution]

# JFNG, ITRF2020 at 2015.0 rounded to metres: a real place, so that geodetic coordinates are plausible.
JFNG_ECEF_M = np.array([-2279829.0, 5004706.0, 3219777.0])


@pytest.fixture(scope="session")
def make_solution() -> SolutionMaker:
    """A plausible daily solution: `make_solution("JZ01", day="2026-04-26", offset_m=(0, 0, 0))`."""

    def make(
        station: str = "JFNG00CHN",
        day: str = "2026-04-26",
        offset_m: tuple[float, float, float] = (0.0, 0.0, 0.0),
        residuals: bool = True,
    ) -> StationSolution:
        noise = np.random.default_rng(7)
        epochs = Epochs.from_datetime64(
            np.datetime64(day, "ns") + np.arange(4) * np.timedelta64(6 * 3600, "s")
        )
        n = 12
        return StationSolution(
            station=station,
            domes="21602M006",
            epoch=Epochs.from_datetime64(np.datetime64(f"{day}T11:57:30", "ns")),
            first_epoch=epochs[0],
            last_epoch=epochs[3],
            frame="IGS20",
            position_ecef_m=JFNG_ECEF_M + np.asarray(offset_m),
            covariance_m2=np.array([[4.0, -1.0, -0.5], [-1.0, 9.0, 2.0], [-0.5, 2.0, 4.0]]) * 1e-6,
            n_epochs=288,
            n_observations=7000,
            systems=("G", "E", "C"),
            signals=("G:1W+2W", "E:1C+5Q", "C:2I+6I"),
            ambiguities="float",
            fixed_fraction=0.0,
            residual_rms_phase_m=0.0081,
            residual_rms_code_m=0.83,
            rejections={"below the elevation cut-off": 120, "code outlier": 3},
            zenith_delays=ZenithDelays(epochs, 2.4 + 0.01 * noise.standard_normal(4), np.full(4, 0.003)),
            setup=StationSetup(
                "TRIMBLE ALLOY", "1", "6.1", AntennaType("TRM59800.00", "NONE"), (0.0, 0.0, 0.05)
            ),
            centre="WUM",
            inputs=(InputFile("/somewhere/jfng1160.26o.gz", "a" * 64), InputFile("wum.sp3", "b" * 64)),
            remarks=("antenna TRM59800.00 has no calibration for C05: that of G02 serves",),
            residuals=PhaseResiduals(
                epochs=Epochs(np.repeat(epochs.tai_ns, 3)),
                satellites=("C23", "E11", "G01"),
                satellite_index=np.arange(n, dtype=np.int64) % 3,
                azimuth_rad=noise.uniform(0, 6.28, n),
                elevation_rad=noise.uniform(0.1, 1.5, n),
                phase_m=0.008 * noise.standard_normal(n),
                code_m=np.where(np.arange(n) == 5, np.nan, 0.8 * noise.standard_normal(n)),
                accepted=np.arange(n) != 4,
            )
            if residuals
            else None,
        )

    return make


@dataclass(frozen=True)
class CommandResult:
    """What a command came to."""

    code: int
    out: str
    err: str


@pytest.fixture
def jizhun(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., CommandResult]:
    """Run the command line in this process: `jizhun("station", "qc", path)`."""
    from pipelines.cli.app import main

    def run(*words: object) -> CommandResult:
        monkeypatch.setattr(sys, "argv", ["jizhun", *map(str, words)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        captured = capsys.readouterr()
        return CommandResult(code, captured.out, captured.err)

    return run


SMALL_STATIONS = ("NJLS", "HUSH", "MGSH", "YZTZ")


@pytest.fixture(scope="session")
def sample_region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample region's folder, simulated where the repository does not hold it."""
    kept = Path(__file__).resolve().parent.parent.parent / "sample_data"
    if (kept / "REGION.toml").is_file():
        return kept
    from pipelines.simulation_region import simulate_region

    folder = tmp_path_factory.mktemp("sample")
    simulate_region(folder)
    return folder


def _write_small_region(sample_region: Path, folder: Path) -> Path:
    for part in ("products", "antex", "ocean_loading", "heights", "gravity", "truth", "common_points"):
        if (sample_region / part).is_dir():
            shutil.copytree(sample_region / part, folder / part)
    (folder / "observations").mkdir()
    for path in sorted((sample_region / "observations").iterdir()):
        if path.name[:4] in SMALL_STATIONS and "_20261160000" in path.name:
            shutil.copy(path, folder / "observations")
    kept = []
    for block in re.split(r"\n(?=\[)", (sample_region / "REGION.toml").read_text()):
        station = re.search(r'^(?:code|station) = "(\w{4})', block, re.M)
        if station is None or station[1] in SMALL_STATIONS:
            kept.append(block)
    text = re.sub(r"^days = .*$", 'days = ["2026-116"]', "\n".join(kept), flags=re.M)
    text = re.sub(r"^catalogue = .*$", 'catalogue = "catalogue"', text, flags=re.M)
    text = re.sub(r"^work = .*$", 'work = "work"', text, flags=re.M)
    (folder / "REGION.toml").write_text(text)
    return folder / "REGION.toml"


@pytest.fixture(scope="session")
def first_run(
    request: pytest.FixtureRequest, sample_region: Path, tmp_path_factory: pytest.TempPathFactory
) -> "tuple[Path, RegionOutcome]":
    """A region of four stations on one day, and what its first run came to.

    It is kept at the session's configuration: `tests/flows` takes this fixture too, and would run it again.
    """
    kept: tuple[Path, RegionOutcome] | None = getattr(request.config, "jizhun_first_run", None)
    if kept is not None:
        return kept
    from pipelines.progress import SilentProgress
    from pipelines.region_run import run_region_local

    region = _write_small_region(sample_region, tmp_path_factory.mktemp("small"))
    found = region, run_region_local(region, progress=SilentProgress())
    request.config.jizhun_first_run = found  # type: ignore[attr-defined]
    return found


@pytest.fixture
def small_region(first_run: "tuple[Path, RegionOutcome]", tmp_path: Path) -> Callable[..., Path]:
    """A copy of the region that ran already, work folder and all, without its catalogue."""

    def make(name: str = "region") -> Path:
        folder = tmp_path / name
        shutil.copytree(first_run[0].parent, folder, ignore=shutil.ignore_patterns("catalogue"))
        return folder / "REGION.toml"

    return make
