"""A network after adjustment as people read it: stations with ellipses, observations with residuals.

One place turns the records of `datum.network` into rows; the JSON, the tables, the layers and the report show
these rows and compute nothing.
"""

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from datum.adjustment.testing import w_limit
from datum.network.observations import (
    AdjustedPoint,
    ComponentRole,
    Geometry,
    Network,
    NetworkAdjustment,
    PlanePoint,
    ScalarKind,
)
from transforms.errors import InputError
from transforms.geodetic import enu_matrix_at, geodetic_from_ecef

FloatArray = NDArray[np.float64]
Scaling = Literal["auto", "always", "never"]

RAD_TO_ARC_SECONDS: Final = 648_000.0 / math.pi
ANGULAR_KINDS: Final = frozenset(
    {
        ScalarKind.DIRECTION.value,
        ScalarKind.HORIZONTAL_ANGLE.value,
        ScalarKind.AZIMUTH.value,
        ScalarKind.ZENITH_ANGLE.value,
        ScalarKind.LATITUDE.value,
        ScalarKind.LONGITUDE.value,
    }
)
MILLIMETRES: Final = 1e3


@dataclass(frozen=True)
class Ellipse:
    """A confidence ellipse: half axes in m, azimuth of the greater from north (from x) over east (y)."""

    major_m: float
    minor_m: float
    azimuth_rad: float


@dataclass(frozen=True)
class StationRow:
    """A station after adjustment.

    position_m : earth-centred, or x, y, height (NaN where absent); geodetic_deg : (latitude, longitude,
        ellipsoidal height), None in the plane
    sigma_m : east, north, up, or x, y, height; 0 where fixed, NaN where absent
    correction_m : adjusted minus given, in the same components
    """

    name: str
    role: str
    position_m: tuple[float, float, float]
    geodetic_deg: tuple[float, float, float] | None
    sigma_m: tuple[float, float, float]
    correction_m: tuple[float, float, float]
    ellipse: Ellipse | None
    n_observations: int
    description: str


@dataclass(frozen=True)
class AdjustedNetwork:
    """Input and result of an adjustment, with the factor by which covariances are published.

    factor : multiplies cofactors; 1, or the a posteriori variance factor
    confidence : of the ellipses, 0..1
    """

    name: str
    network: Network
    adjustment: NetworkAdjustment
    factor: float
    confidence: float
    stations: tuple[StationRow, ...]

    @property
    def component_names(self) -> tuple[str, str, str]:
        """What the three components of sigmas and corrections are called."""
        return ("east", "north", "up") if self.is_on_earth else ("x", "y", "height")

    @property
    def is_on_earth(self) -> bool:
        """Whether points have earth-centred positions."""
        return self.adjustment.geometry is Geometry.EARTH


def adjusted_network(
    name: str,
    network: Network,
    adjustment: NetworkAdjustment,
    *,
    confidence: float = 0.95,
    scaling: Scaling = "auto",
) -> AdjustedNetwork:
    """Rows of an adjusted network.

    scaling : "auto" multiplies covariances by the variance factor where the global test finds it too great
    """
    if not 0.0 < confidence < 1.0:
        raise InputError(f"a confidence lies between 0 and 1, and this is {confidence}")
    factor = 1.0
    if adjustment.degrees_of_freedom > 0:
        worse = adjustment.sigma_zero > adjustment.test_limits[1]
        if scaling == "always" or (scaling == "auto" and worse):
            factor = adjustment.sigma_zero
    described = {point.name: point.description for point in network.points}
    radius = math.sqrt(float(chi2.ppf(confidence, 2)))
    stations = tuple(
        _station(point, network, factor, radius, described.get(point.name, "")) for point in adjustment.points
    )
    return AdjustedNetwork(name, network, adjustment, factor, confidence, stations)


def _station(
    point: AdjustedPoint, network: Network, factor: float, radius: float, description: str
) -> StationRow:
    covariance = factor * np.asarray(point.cofactor_m2)
    x, y, z = (float(v) for v in point.position_m)
    geodetic: tuple[float, float, float] | None = None
    if network.geometry is Geometry.EARTH:
        latitude, longitude, height = geodetic_from_ecef(point.position_m, network.ellipsoid)
        geodetic = (math.degrees(float(latitude)), math.degrees(float(longitude)), float(height))
        # Ellipses count from north over east; cofactors come as east, north.
        plane = covariance[np.ix_([1, 0], [1, 0])]
    else:
        plane = covariance[:2, :2]
    sigmas = [
        math.nan if role is ComponentRole.ABSENT else math.sqrt(max(float(v), 0.0))
        for role, v in zip(point.roles, np.diagonal(covariance), strict=True)
    ]
    corrections = [float(v) for v in point.correction_m]
    return StationRow(
        point.name,
        role_words(point.roles),
        (x, y, z),
        geodetic,
        (sigmas[0], sigmas[1], sigmas[2]),
        (corrections[0], corrections[1], corrections[2]),
        _ellipse(plane, radius),
        point.n_observations,
        description,
    )


def role_words(roles: tuple[ComponentRole, ComponentRole, ComponentRole]) -> str:
    """One word where all components that there are have one role, else a word for each."""
    there = [role for role in roles if role is not ComponentRole.ABSENT]
    if len(set(there)) == 1:
        return there[0].value
    return "/".join(role.value for role in there)


def _ellipse(covariance: FloatArray, radius: float) -> Ellipse | None:
    """The ellipse of a covariance (2, 2) of north and east; None where the place is not unknown."""
    if not np.all(np.isfinite(covariance)) or not np.any(np.diagonal(covariance) > 0.0):
        return None
    values, vectors = np.linalg.eigh(covariance)
    minor, major = radius * np.sqrt(np.maximum(values, 0.0))
    azimuth = math.atan2(float(vectors[1, 1]), float(vectors[0, 1])) % math.pi
    return Ellipse(float(major), float(minor), azimuth)


@dataclass(frozen=True)
class ObservationRow:
    """An observed number after adjustment, in the unit that people use for it.

    value, adjusted : metres, or degrees; residual, sigma, detectable : millimetres, or seconds of arc
    detectable : minimal detectable bias, None where others do not control it
    """

    name: str
    kind: str
    component: str
    frm: str
    to: str
    group: str
    observed: float
    adjusted: float
    residual: float
    sigma: float
    unit: str
    normalised: float
    w: float
    tau: float
    redundancy: float
    detectable: float | None
    external_reliability: float | None
    accepted: bool
    line_in_file: int


def observation_rows(adjusted: AdjustedNetwork) -> list[ObservationRow]:
    """Every observed number, in the order of the input."""
    table = adjusted.adjustment.residuals
    rows = []
    for i in range(len(table.name)):
        angular = table.kind[i] in ANGULAR_KINDS
        small = RAD_TO_ARC_SECONDS if angular else MILLIMETRES
        whole = 180.0 / math.pi if angular else 1.0
        rows.append(
            ObservationRow(
                table.name[i],
                table.kind[i],
                table.component[i],
                table.frm[i],
                table.to[i],
                table.group[i],
                whole * float(table.observed[i]),
                whole * float(table.adjusted[i]),
                small * float(table.residual[i]),
                small * float(table.sigma[i]),
                "″" if angular else "mm",
                float(table.normalised[i]),
                float(table.w[i]),
                float(table.tau[i]),
                float(table.redundancy[i]),
                _finite(small * float(table.minimal_detectable_bias[i])),
                _finite(float(table.external_reliability[i])),
                bool(table.accepted[i]),
                int(table.line_in_file[i]),
            )
        )
    return rows


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def suspect_rows(adjusted: AdjustedNetwork, significance: float) -> list[ObservationRow]:
    """Observations that are used and fail Baarda's test by the published sigmas, the worst first."""
    limit = w_limit(significance) * math.sqrt(adjusted.factor)
    rows = [row for row in observation_rows(adjusted) if row.accepted and abs(row.w) > limit]
    return sorted(rows, key=lambda row: (-abs(row.w), row.name, row.component))


def plan_coordinates(adjusted: AdjustedNetwork) -> dict[str, tuple[float, float]]:
    """Station -> (east, north) in metres on a plane through the network's middle, for drawings.

    Points without a place in the plane (levelling networks) stand on a circle in their order: such a drawing
    shows how they are joined.
    """
    names = [row.name for row in adjusted.stations]
    if adjusted.is_on_earth:
        position = np.array([row.position_m for row in adjusted.stations])
        middle = position.mean(axis=0)
        local = (position - middle) @ enu_matrix_at(middle, adjusted.network.ellipsoid).T
        return {name: (float(e), float(n)) for name, (e, n, _) in zip(names, local, strict=True)}
    places = {}
    given = {
        point.name: (point.x_m, point.y_m)
        for point in adjusted.network.points
        if isinstance(point, PlanePoint) and point.x_m is not None and point.y_m is not None
    }
    for number, row in enumerate(adjusted.stations):
        x, y = row.position_m[:2]
        if not (math.isfinite(x) and math.isfinite(y)) and row.name in given:
            x, y = given[row.name]
        if not (math.isfinite(x) and math.isfinite(y)):
            angle = 2.0 * math.pi * number / len(names)
            x, y = math.cos(angle), math.sin(angle)
        # x is drawn upwards: the surveyor's north.
        places[row.name] = (y, x)
    return places
