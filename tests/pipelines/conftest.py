"""Records made by hand, for tests of what is composed from them."""

from collections.abc import Callable

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
