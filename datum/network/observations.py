"""The records of one network adjustment: points, clusters of observations, the datum, and the result.

Formats build `Network`; `datum.network.adjust.adjust_network` makes a `NetworkAdjustment` of it. A cluster is
what has one covariance: a GNSS session, a direction set, or many single observations that are independent of
each other and stand together only to be handled at once.

Two geometries. EARTH: points have earth-centred positions and unknowns are local east, north, up at each of
them; angles and heights refer to the ellipsoidal normal, or to the vertical where a deflection is given.
PLANE: x, y, height, with bearings from x (towards y where `angle_sense` is +1, away from y where it is -1).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from datum.network.constraints import DatumParameter
from datum.records import NormalEquations, Rejection
from stations.records import InputFile
from transforms.ellipsoids import GRS80, Ellipsoid
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]


class ComponentRole(StrEnum):
    """What an adjustment does with one coordinate component of a point."""

    FREE = "free"  # unknown
    FIXED = "fixed"  # known without error
    WEIGHTED = "weighted"  # unknown, with its given value as an observation
    DATUM = "datum"  # unknown; its corrections carry the datum of a free network (Gama's adj="XY")
    ABSENT = "absent"  # there is no such component, as the height of a plane point


ALL_FREE = (ComponentRole.FREE, ComponentRole.FREE, ComponentRole.FREE)


@dataclass(frozen=True, eq=False)
class NetworkPoint:
    """A point of an EARTH network.

    position_ecef_m : (3,) given or approximate, or None where observations must give it
    roles : of east, north, up; weight_covariance_m2 : (3, 3) in east, north, up of the WEIGHTED components
    deflection_rad : (xi, eta) of the vertical, positive where the astronomic zenith lies north and east of
        the ellipsoidal one; geoid_height_m : ellipsoidal minus orthometric (or normal) height
    frame, epoch : of the position; "" and None where the network's own
    """

    name: str
    position_ecef_m: FloatArray | None
    roles: tuple[ComponentRole, ComponentRole, ComponentRole] = ALL_FREE
    weight_covariance_m2: FloatArray | None = None
    deflection_rad: tuple[float, float] = (0.0, 0.0)
    geoid_height_m: float = 0.0
    frame: str = ""
    epoch: Epochs | None = None
    description: str = ""
    line_in_file: int = 0


@dataclass(frozen=True, eq=False)
class PlanePoint:
    """A point of a PLANE network; None where observations must give the coordinate.

    roles : of x, y, height; weight_covariance_m2 : (3, 3) in x, y, height of the WEIGHTED components
    """

    name: str
    x_m: float | None
    y_m: float | None
    height_m: float | None
    roles: tuple[ComponentRole, ComponentRole, ComponentRole]
    weight_covariance_m2: FloatArray | None = None
    description: str = ""
    line_in_file: int = 0


@dataclass(frozen=True, eq=False)
class GnssVectorCluster:
    """m vectors, `to` minus `frm`, earth-centred axes (or x, y, height of a PLANE network).

    vector_m : (m, 3), antenna to antenna where heights are given, else mark to mark
    covariance_m2 : (m, 3, 3) where the vectors are independent of each other, (3 m, 3 m) where correlated
    from_antenna_height_m, to_antenna_height_m : (m,) vertical, mark to antenna; None where already reduced
    centring_sigma_m : of each end, each horizontal component; height_sigma_m : of each antenna height
    parts_per_million : adds (ppm 1e-6 length)^2 to the variance of each component
    names : (m,) how messages call the vectors; () takes "frm -> to"
    group : of the variance components; line_in_file : (m,) or ()
    """

    frm: tuple[str, ...]
    to: tuple[str, ...]
    vector_m: FloatArray
    covariance_m2: FloatArray
    from_antenna_height_m: FloatArray | None = None
    to_antenna_height_m: FloatArray | None = None
    centring_sigma_m: float = 0.0
    height_sigma_m: float = 0.0
    parts_per_million: float = 0.0
    names: tuple[str, ...] = ()
    group: str = "gnss vectors"
    frame: str = ""
    epoch: Epochs | None = None
    line_in_file: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class CoordinateCluster:
    """Observed positions of n stations: a point cluster, or a SINEX solution.

    position_m : (n, 3) earth-centred (or x, y, height of a PLANE network); covariance_m2 : (3 n, 3 n), or
        (n, 3, 3) where the stations are independent of each other
    own_datum : what the cluster's own datum may differ by; each component becomes an unknown of the cluster,
        which takes the datum out of a solution whose constraints cannot be removed otherwise
    """

    stations: tuple[str, ...]
    position_m: FloatArray
    covariance_m2: FloatArray
    own_datum: tuple[DatumParameter, ...] = ()
    names: tuple[str, ...] = ()
    group: str = "coordinates"
    frame: str = ""
    epoch: Epochs | None = None
    line_in_file: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class NormalEquationCluster:
    """Normal equations of earth-centred coordinates with constraints removed (SINEX), in metres.

    equations : keys ParameterKey(station, "position_x" | "position_y" | "position_z") only
    """

    equations: NormalEquations
    name: str
    group: str = "normal equations"


class ScalarKind(StrEnum):
    """Observations of one number. Lengths in metres, angles in radians."""

    DIRECTION = "direction"  # reading of a circle: bearing minus the orientation of its set
    HORIZONTAL_ANGLE = "angle"  # at `frm`: bearing to `third` minus bearing to `to`
    AZIMUTH = "azimuth"  # from north over east (PLANE: from x)
    ZENITH_ANGLE = "zenith angle"
    SLOPE_DISTANCE = "slope distance"  # instrument to target, a chord
    HORIZONTAL_DISTANCE = "horizontal distance"  # in the horizon of `frm` (PLANE: in the plane)
    ELLIPSOID_CHORD = "ellipsoid chord"  # between the feet of both points on the ellipsoid
    ELLIPSOID_ARC = "ellipsoid arc"  # geodesic length on the ellipsoid
    MEAN_SEA_LEVEL_ARC = "mean sea level arc"  # arc at the mean geoid height of both ends
    HEIGHT_DIFFERENCE = "height difference"  # levelled, orthometric (normal): `to` minus `frm`
    ELLIPSOIDAL_HEIGHT_DIFFERENCE = "ellipsoidal height difference"
    ORTHOMETRIC_HEIGHT = "orthometric height"  # of `frm`
    ELLIPSOIDAL_HEIGHT = "ellipsoidal height"  # of `frm`
    LATITUDE = "latitude"  # geodetic, of `frm`
    LONGITUDE = "longitude"  # geodetic, of `frm`
    COORDINATE_X = "coordinate x"  # PLANE, of `frm`
    COORDINATE_Y = "coordinate y"  # PLANE, of `frm`
    COORDINATE_HEIGHT = "coordinate height"  # PLANE, of `frm`


@dataclass(frozen=True)
class ScalarObservation:
    """One number observed; `to` and `third` are "" where the kind has none.

    set_name : DIRECTION: the set whose orientation it shares; unique in the network
    instrument_height_m, target_height_m, third_height_m : over the marks `frm`, `to`, `third`
    name : how messages call it; "" takes "kind frm -> to"
    """

    kind: ScalarKind
    frm: str
    to: str
    value: float
    third: str = ""
    set_name: str = ""
    instrument_height_m: float = 0.0
    target_height_m: float = 0.0
    third_height_m: float = 0.0
    name: str = ""
    line_in_file: int = 0


@dataclass(frozen=True, eq=False)
class TerrestrialCluster:
    """n observations of one number each, of any kinds.

    covariance : (n,) variances where independent, or (n, n); metres and radians
    """

    observations: tuple[ScalarObservation, ...]
    covariance: FloatArray
    group: str = "terrestrial"
    epoch: Epochs | None = None


ObservationCluster = GnssVectorCluster | CoordinateCluster | NormalEquationCluster | TerrestrialCluster


class Geometry(StrEnum):
    """Where a network lives."""

    EARTH = "earth"
    PLANE = "plane"


class DatumKind(StrEnum):
    """What holds a network."""

    POINTS = "points"  # the FIXED and WEIGHTED components of its points
    MINIMAL = "minimal"  # no net translation, rotation, scale on chosen stations
    FREE = "free"  # the same on the DATUM components, or on all points where there is none


@dataclass(frozen=True)
class NetworkDatum:
    """The datum of an adjustment.

    stations : that carry a MINIMAL datum; parameters : which defects it may mend (a network whose
        observations already fix the scale gets no condition on it)
    """

    kind: DatumKind = DatumKind.POINTS
    stations: tuple[str, ...] = ()
    parameters: tuple[DatumParameter, ...] = (
        DatumParameter.TRANSLATION,
        DatumParameter.ROTATION,
        DatumParameter.SCALE,
    )


@dataclass(frozen=True, eq=False)
class Network:
    """Everything that goes into an adjustment.

    angle_sense : PLANE: +1 where angles grow from x to y, -1 where from y to x
    misclosure_limit_m : an observation whose misclosure against the approximate coordinates is greater (in
        metres; angles times their distance) is not used (Gama's tol-abs); None uses all
    sigma_zero_a_priori : only for reports that print weights the way the input's program does
    """

    geometry: Geometry
    points: tuple[NetworkPoint, ...] | tuple[PlanePoint, ...]
    clusters: tuple[ObservationCluster, ...]
    datum: NetworkDatum = NetworkDatum()
    ellipsoid: Ellipsoid = GRS80
    angle_sense: int = 1
    frame: str = ""
    epoch: Epochs | None = None
    misclosure_limit_m: float | None = None
    sigma_zero_a_priori: float = 1.0
    description: str = ""
    remarks: tuple[str, ...] = ()
    inputs: tuple[InputFile, ...] = ()


@dataclass(frozen=True, eq=False)
class AdjustedPoint:
    """One point after adjustment.

    position_m : (3,) earth-centred, or x, y, height; NaN where a component is absent
    correction_m : (3,) adjusted minus given or approximate, east, north, up (or x, y, height)
    cofactor_m2 : (3, 3) in east, north, up (or x, y, height): the covariance at a variance factor of 1
    """

    name: str
    position_m: FloatArray
    correction_m: FloatArray
    cofactor_m2: FloatArray
    roles: tuple[ComponentRole, ComponentRole, ComponentRole]
    n_observations: int


@dataclass(frozen=True, eq=False)
class ResidualTable:
    """One row for each observed number. Metres and radians; all (n,).

    cluster, item : place in `Network.clusters` and in the cluster (vector or station or observation)
    component : "x", "y", "z" of vectors and positions, "east", "north", "up" of given coordinates (cluster
        -1, whose observed correction is 0); "" else
    adjusted : the value the adjusted coordinates give; residual : observed minus adjusted
    sigma : of the observation, a priori, centring and ppm included; sigma_adjusted : at variance factor 1
    sigma_residual : sqrt of the diagonal of Qvv; normalised : residual over it (DynAdjust's N-statistic)
    redundancy : diagonal of Qvv P; they add up to the degrees of freedom
    w : Baarda's statistic of an error in this number alone, with all correlations; equals `normalised` where
        uncorrelated; tau : Pope's, w over the a posteriori sigma zero
    minimal_detectable_bias : found with the chosen power; infinite where not controlled
    external_reliability : shift of the unknowns by that bias, in units of their own sigma (bias-to-noise)
    accepted : False where not used
    """

    cluster: NDArray[np.intp]
    item: NDArray[np.intp]
    kind: tuple[str, ...]
    frm: tuple[str, ...]
    to: tuple[str, ...]
    name: tuple[str, ...]
    component: tuple[str, ...]
    group: tuple[str, ...]
    observed: FloatArray
    adjusted: FloatArray
    residual: FloatArray
    sigma: FloatArray
    sigma_adjusted: FloatArray
    sigma_residual: FloatArray
    normalised: FloatArray
    redundancy: FloatArray
    w: FloatArray
    tau: FloatArray
    minimal_detectable_bias: FloatArray
    external_reliability: FloatArray
    accepted: NDArray[np.bool_]
    line_in_file: NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class NetworkAdjustment:
    """An adjusted network.

    chi_square : v'Pv; sigma_zero : variance factor chi_square / degrees_of_freedom (DynAdjust's "rigorous
        sigma zero"), 1 where nothing is redundant; test_limits : of it, two-sided
    n_observations : numbers used; n_unknowns : coordinates and others (orientations)
    n_conditions : of the datum
    pair_cofactor_m2 : (name, name) -> (3, 3) of pairs that an observation joins, east, north, up (x, y,
        height) of each of the two; other pairs: `datum.network.adjust.pair_cofactors`
    variance_components : group -> (factor, redundancy) where they were estimated
    orientations_rad : direction set -> (value, sigma)
    datum_words : the datum in words; iterations : of Gauss-Newton
    """

    geometry: Geometry
    points: tuple[AdjustedPoint, ...]
    residuals: ResidualTable
    degrees_of_freedom: int
    chi_square: float
    sigma_zero: float
    test_limits: tuple[float, float]
    n_observations: int
    n_unknowns: int
    n_conditions: int
    iterations: int
    datum_words: str
    rejections: tuple[Rejection, ...]
    remarks: tuple[str, ...]
    pair_cofactor_m2: Mapping[tuple[str, str], FloatArray] = field(default_factory=dict)
    variance_components: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    orientations_rad: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    frame: str = ""
    epoch: Epochs | None = None
    inputs: tuple[InputFile, ...] = ()
