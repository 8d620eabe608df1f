"""The records of a region's run: what became of each station-day, and what is published of the whole."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from datum.records import (
    GravitySolution,
    HeightSolution,
    LocalDatumFit,
    NetworkSolution,
    StationHeight,
)
from stations.records import QualityReport, StationSolution
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]


class StationDayStatus(StrEnum):
    """What became of a station-day."""

    SOLVED = "solved"
    REJECTED = "rejected by quality control"
    FAILED = "failed"
    MISSING = "no observation file"


@dataclass(frozen=True, eq=False)
class StationDay:
    """One station on one day.

    station : code as the region names it; day : "2026-116"
    message : why there is no solution; "" where there is one, or why quality control had rejected the day
        that was solved by force
    reused_quality, reused_solution : whether an earlier run's result served, because nothing had changed
    """

    station: str
    day: str
    status: StationDayStatus
    message: str
    quality: QualityReport | None = None
    solution: StationSolution | None = None
    reused_quality: bool = False
    reused_solution: bool = False


@dataclass(frozen=True, eq=False)
class StationCoordinates:
    """A station's adjusted coordinates in the frame of the observations and in the national frame.

    position_ecef_m (3,), covariance_m2 (3, 3) : in `frame` at `epoch`
    datum_position_ecef_m, datum_covariance_m2 : in `datum_frame` at its own epoch (CGCS2000: 2000.0), or None
        where no velocity is known; `remark` then says so
    solution_number : 1, 2, ... where a discontinuity parts the station's days
    first_epoch, last_epoch : of the observations behind it
    """

    station: str
    domes: str
    solution_number: int
    frame: str
    epoch: Epochs
    position_ecef_m: FloatArray
    covariance_m2: FloatArray
    velocity_m_per_yr: FloatArray | None
    datum_frame: str
    datum_position_ecef_m: FloatArray | None
    datum_covariance_m2: FloatArray | None
    days: tuple[str, ...]
    repeatability_enu_m: FloatArray
    is_control: bool
    tracks_bds3: bool | None
    remark: str = ""
    first_epoch: Epochs | None = None
    last_epoch: Epochs | None = None

    @property
    def name(self) -> str:
        """Station, with the solution number where it is not the first."""
        return self.station if self.solution_number == 1 else f"{self.station}:{self.solution_number}"


@dataclass(frozen=True)
class TruthDifference:
    """Difference of a station's results from known values: result minus truth, None where not known."""

    station: str
    enu_m: tuple[float, float, float] | None
    normal_height_m: float | None
    gravity_m_per_s2: float | None


@dataclass(frozen=True)
class StageReuse:
    """Whether a stage of the whole region was computed or read from an earlier run."""

    stage: str
    reused: bool


@dataclass(frozen=True, eq=False)
class RegionResult:
    """Everything that a run of a region found.

    problems : what failed or was left out, in words, in the order of the stages
    simulated : whether the settings say that the observations are
    """

    name: str
    days: tuple[str, ...]
    station_days: tuple[StationDay, ...]
    network: NetworkSolution | None
    coordinates: tuple[StationCoordinates, ...]
    heights: HeightSolution | None
    station_heights: tuple[StationHeight, ...]
    gravity: GravitySolution | None
    local_datum: LocalDatumFit | None
    truth: tuple[TruthDifference, ...]
    reuse: tuple[StageReuse, ...]
    problems: tuple[str, ...]
    simulated: bool = False
