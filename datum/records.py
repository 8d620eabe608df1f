"""The records of a region: adjusted networks, heights, gravity, and local datums tied to CGCS2000."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stations.records import InputFile, StationSetup
from transforms.ellipsoids import Ellipsoid
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, order=True)
class ParameterKey:
    """Names one unknown of an adjustment: ("WUH200CHN:1", "position_x"), ("2024-035", "translation_y")."""

    subject: str
    quantity: str


@dataclass(frozen=True, eq=False)
class NormalEquations:
    """Normal equations with keyed parameters.

    matrix : (n, n); right_side : (n,); weighted_square_sum : l'Pl of the reduced observations
    approximate : (n,) values about which the equations are linearised, units of each parameter
    """

    keys: tuple[ParameterKey, ...]
    matrix: FloatArray
    right_side: FloatArray
    approximate: FloatArray
    weighted_square_sum: float
    n_observations: int


@dataclass(frozen=True, eq=False)
class ControlStation:
    """A station of the national control network, whose coordinates hold the datum.

    position_ecef_m (3,) at epoch, in frame; velocity_m_per_yr (3,) or None; sigma_enu_m of the position.
    """

    station: str
    frame: str
    epoch: Epochs
    position_ecef_m: FloatArray
    velocity_m_per_yr: FloatArray | None
    sigma_enu_m: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class NetworkStation:
    """One station (one solution number of it) of an adjusted network.

    solution_number : 1, 2, ... where a discontinuity parts the station's days (SINEX SOLN)
    position_ecef_m (3,) at the network's epoch; covariance_m2 (3, 3)
    approximate_ecef_m (3,) : about which the equations were linear, or None where not known
    days : daily solutions used; repeatability_enu_m (3,): rms of the days about the mean, NaN for one day
    """

    station: str
    domes: str
    solution_number: int
    position_ecef_m: FloatArray
    covariance_m2: FloatArray
    velocity_m_per_yr: FloatArray | None
    days: tuple[str, ...]
    repeatability_enu_m: FloatArray
    setup: StationSetup
    first_epoch: Epochs
    last_epoch: Epochs
    is_control: bool
    approximate_ecef_m: FloatArray | None = None


@dataclass(frozen=True)
class Rejection:
    """Something that an adjustment did not use, and why, in words and figures."""

    subject: str
    reason: str
    statistic: float
    limit: float


@dataclass(frozen=True, eq=False)
class NetworkSolution:
    """An adjusted network.

    covariance_m2 : (3 n, 3 n) full covariance in the order of `stations`, components x, y, z
    day_residual_enu_m : (station, day) -> (3,) residual of the daily solution after alignment
    constraints : the datum in words ("no net translation on ABCD, EFGH, IJKL")
    test : global test: variance factor, limits, degrees of freedom
    """

    frame: str
    epoch: Epochs
    stations: tuple[NetworkStation, ...]
    covariance_m2: FloatArray
    variance_factor: float
    degrees_of_freedom: int
    chi_square_limits: tuple[float, float]
    constraints: str
    day_residual_enu_m: Mapping[tuple[str, str], FloatArray]
    rejections: tuple[Rejection, ...]
    remarks: tuple[str, ...]
    inputs: tuple[InputFile, ...]


class TideSystem(StrEnum):
    """How the permanent tide stands in a height or gravity value (IERS Conventions 2010, section 1.1)."""

    TIDE_FREE = "tide-free"
    ZERO_TIDE = "zero-tide"
    MEAN_TIDE = "mean-tide"


@dataclass(frozen=True)
class LevellingLine:
    """An observed height difference `to` minus `frm`, m, over a length in km; corrections as read applied."""

    name: str
    frm: str
    to: str
    height_difference_m: float
    length_km: float
    sigma_m: float
    line_in_file: int


@dataclass(frozen=True, eq=False)
class LevellingNetwork:
    """Levelling lines and the bench marks that hold the datum.

    fixed_height_m : bench mark -> (height, sigma); order : 1..4; geodetic_position_deg : bench mark ->
    (latitude, longitude) where known; stations : bench mark -> reference station on the same pillar
    free_datum_m : bench mark -> approximate height; the mean of the adjusted minus these is held at zero (a
        free network; then nothing is fixed)
    fixed_covariance_m2 : (n, n) of the fixed heights in their order where they are correlated, else None
    """

    vertical_datum: str
    tide_system: TideSystem
    order: int
    lines: tuple[LevellingLine, ...]
    fixed_height_m: Mapping[str, tuple[float, float]]
    geodetic_position_deg: Mapping[str, tuple[float, float]]
    stations: Mapping[str, str]
    inputs: tuple[InputFile, ...] = ()
    free_datum_m: Mapping[str, float] = field(default_factory=dict)
    fixed_covariance_m2: FloatArray | None = None


@dataclass(frozen=True)
class AdjustedLine:
    """A levelling line after adjustment: residual (observed minus adjusted), its standardised value,
    redundancy number 0..1. Uncontrolled: redundancy 0, standardised 0, minimal detectable bias infinite.
    """

    name: str
    residual_m: float
    standardised: float
    redundancy: float
    minimal_detectable_bias_m: float
    accepted: bool


@dataclass(frozen=True, eq=False)
class HeightSolution:
    """Adjusted heights: height_m (n,), covariance_m2 (n, n) in the order of bench_marks."""

    vertical_datum: str
    tide_system: TideSystem
    kind: Literal["normal", "orthometric", "dynamic"]
    bench_marks: tuple[str, ...]
    height_m: FloatArray
    covariance_m2: FloatArray
    variance_factor: float
    degrees_of_freedom: int
    chi_square_limits: tuple[float, float]
    lines: tuple[AdjustedLine, ...]
    rejections: tuple[Rejection, ...]
    remarks: tuple[str, ...]
    inputs: tuple[InputFile, ...]


@dataclass(frozen=True)
class StationHeight:
    """Normal height of a reference station and how it was had.

    source : "levelled" (bench mark on the pillar) or "from surface" (ellipsoidal height minus height anomaly)
    ellipsoidal_height_m : as the frame has it, conventional tide-free; permanent_tide_m : what was added
        to reach the tide system of the normal height: h + permanent_tide - H = height_anomaly_m
    frame, epoch : of the ellipsoidal height and so of the height anomaly, epoch as ISO instant; "" where the
        height is that of the network it was computed from
    """

    station: str
    ellipsoidal_height_m: float
    normal_height_m: float
    sigma_m: float
    height_anomaly_m: float
    source: Literal["levelled", "from surface"]
    tide_system: TideSystem = TideSystem.TIDE_FREE
    permanent_tide_m: float = 0.0
    remark: str = ""
    frame: str = ""
    epoch: str = ""


@dataclass(frozen=True, eq=False)
class GravityReading:
    """One reading of a relative gravimeter, m/s2, tides removed, at the height of the instrument's sensor.

    loop : the stretch of one drift curve ("2010-07-06"); epoch : shape (); height_m : sensor over the mark
    tare : counts the jumps of the instrument within the loop; each number has an offset of its own
    """

    instrument: str
    loop: str
    point: str
    epoch: Epochs
    reading_m_per_s2: float
    sigma_m_per_s2: float
    height_m: float
    line_in_file: int
    tare: int = 0


@dataclass(frozen=True)
class AbsoluteGravity:
    """Gravity measured or adopted at a mark, m/s2; a sigma of 0 holds it fixed."""

    point: str
    gravity_m_per_s2: float
    sigma_m_per_s2: float


@dataclass(frozen=True, eq=False)
class GravityObservations:
    """Relative readings and the absolute stations that hold their datum.

    geodetic_position_deg : point -> (latitude, longitude); stations : point -> reference station
    """

    tide_system: TideSystem
    readings: tuple[GravityReading, ...]
    absolute: tuple[AbsoluteGravity, ...]
    geodetic_position_deg: Mapping[str, tuple[float, float]]
    stations: Mapping[str, str]
    inputs: tuple[InputFile, ...] = ()


@dataclass(frozen=True)
class AdjustedReading:
    """A gravity reading after adjustment, as `AdjustedLine` for levelling; m/s2."""

    name: str
    residual_m_per_s2: float
    standardised: float
    redundancy: float
    minimal_detectable_bias_m_per_s2: float
    accepted: bool


@dataclass(frozen=True, eq=False)
class GravitySolution:
    """An adjusted gravity network.

    gravity_m_per_s2 (n,), covariance (n, n) in (m/s2)^2 in the order of `points`
    drift : (instrument, loop) -> (rate in m/s2 per hour at the loop's first reading, sigma)
    drift_polynomial : the same with all degrees: (coefficient in m/s2 per hour^k, sigma) for k = 1, 2, ...
    scale_factor : instrument -> (factor of the readings, sigma) where it was estimated
    """

    tide_system: TideSystem
    points: tuple[str, ...]
    gravity_m_per_s2: FloatArray
    covariance_m2_per_s4: FloatArray
    drift: Mapping[tuple[str, str], tuple[float, float]]
    variance_factor: float
    degrees_of_freedom: int
    chi_square_limits: tuple[float, float]
    stations: Mapping[str, str]  # gravity point -> reference station
    rejections: tuple[Rejection, ...]
    remarks: tuple[str, ...]
    inputs: tuple[InputFile, ...]
    drift_polynomial: Mapping[tuple[str, str], tuple[tuple[float, float], ...]] = field(default_factory=dict)
    scale_factor: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    readings: tuple[AdjustedReading, ...] = ()


@dataclass(frozen=True)
class CommonPoint:
    """A point known in a local datum and in the national frame.

    source_geodetic, target_geodetic : (latitude_deg, longitude_deg, ellipsoidal height_m), or None
    source_plane_m, target_plane_m : (easting, northing), or None
    sigma_horizontal_m, sigma_height_m : of target minus source, each component
    """

    name: str
    source_geodetic: tuple[float, float, float] | None
    target_geodetic: tuple[float, float, float] | None
    source_plane_m: tuple[float, float] | None
    target_plane_m: tuple[float, float] | None
    sigma_horizontal_m: float
    sigma_height_m: float
    line_in_file: int


@dataclass(frozen=True)
class CommonPoints:
    """Common points of one local datum; source_ellipsoid is None where only plane coordinates are given."""

    source_datum: str
    source_ellipsoid: Ellipsoid | None
    target_frame: str
    points: tuple[CommonPoint, ...]
    inputs: tuple[InputFile, ...] = ()


@dataclass(frozen=True, eq=False)
class LocalDatumFit:
    """A local datum tied to CGCS2000 by common points.

    kind : "helmert7" (three-dimensional) or "similarity4" (plane); parameters with units in their names,
        rotations in the position-vector convention (plane: positive from east to north)
    covariance : (k, k) in the order and units of parameters, scaled by the variance factor where above 1
    residual_m : point -> residual components (target minus transformed), east north (up), rejected ones too
    rms_m : of the components of the points used; proj_pipeline : for PROJ, longitude before latitude
    """

    source_datum: str
    target_frame: str
    kind: Literal["helmert7", "similarity4"]
    parameters: Mapping[str, float]
    covariance: FloatArray
    residual_m: Mapping[str, FloatArray]
    rms_m: float
    proj_pipeline: str
    rejections: tuple[Rejection, ...]
    inputs: tuple[InputFile, ...]
