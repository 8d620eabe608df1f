"""Networks of GNU Gama's gama-local (.gkf): plane and height observations of any kind, as a `Network`.

Source: GNU Gama manual, chapter "XML input data format for gama-local"; schema gama-local.xsd 1.01.
Points with neither `fix` nor `adj` take no part there; observations to them are left out here too, counted
in a remark.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.formats.gama_values import (
    MILLIMETRE_M,
    RAD_PER_CENTESIMAL_SECOND,
    angle_rad,
    band_matrix,
    require_positive_definite,
)
from datum.formats.xml_elements import XmlElement, read_xml
from datum.network.observations import (
    ComponentRole,
    CoordinateCluster,
    DatumKind,
    Geometry,
    GnssVectorCluster,
    Network,
    NetworkDatum,
    ObservationCluster,
    PlanePoint,
    ScalarKind,
    ScalarObservation,
    TerrestrialCluster,
)
from stations.records import InputFile, PathLike

FloatArray = NDArray[np.float64]

# Bearing of the x axis from north, clockwise, in right angles; and whether y follows x clockwise.
_AXES: Final = {
    "ne": (0, True),
    "es": (1, True),
    "sw": (2, True),
    "wn": (3, True),
    "nw": (0, False),
    "en": (1, False),
    "se": (2, False),
    "ws": (3, False),
}
_DEFAULT_SIGMA_APRIORI: Final = 10.0
_DEFAULT_TOLERANCE_MM: Final = 1000.0
_LARGEST_COORDINATE_M: Final = 1e8
_LARGEST_SIGMA_M: Final = 1e4
_KINDS: Final = {
    "direction": ScalarKind.DIRECTION,
    "distance": ScalarKind.HORIZONTAL_DISTANCE,
    "s-distance": ScalarKind.SLOPE_DISTANCE,
    "angle": ScalarKind.HORIZONTAL_ANGLE,
    "z-angle": ScalarKind.ZENITH_ANGLE,
    "azimuth": ScalarKind.AZIMUTH,
    "dh": ScalarKind.HEIGHT_DIFFERENCE,
}
_LENGTHS: Final = frozenset({"distance", "s-distance", "dh"})


@dataclass
class _Point:
    """What a file says of a point so far; an element may come again and add to it."""

    line: int
    plane: tuple[float, float] | None = None
    height: float | None = None
    plane_role: ComponentRole = ComponentRole.ABSENT
    height_role: ComponentRole = ComponentRole.ABSENT


@dataclass
class _Reading:
    path: str
    axis_right_angles: int = 0
    clockwise_angles: bool = True
    sigma_apriori: float = _DEFAULT_SIGMA_APRIORI
    tolerance_m: float = _DEFAULT_TOLERANCE_MM * MILLIMETRE_M
    default_sigmas: dict[str, str] = field(default_factory=dict)
    points: dict[str, _Point] = field(default_factory=dict)
    clusters: list[ObservationCluster] = field(default_factory=list)
    without_role: dict[str, int] = field(default_factory=dict)
    n_sets: int = 0


def read_gama_local(path: PathLike) -> Network:
    """Read a network of gama-local.

    Raises FormatError naming the line for what is no such file, for observations to unknown points, and for
    covariances that are not positive definite.
    """
    root, identity = read_xml(path)
    return gama_local_network(root, identity)


def gama_local_network(root: XmlElement, identity: InputFile) -> Network:
    """The network of a parsed gama-local file."""
    if root.tag != "gama-local":
        raise root.error("<gama-local> was expected as the root")
    network = root.require("network")
    axes = network.attributes.get("axes-xy", "ne")
    if axes not in _AXES:
        raise network.error(f"axes-xy is one of {', '.join(_AXES)}, not {axes!r}")
    angles = network.attributes.get("angles", "left-handed")
    if angles not in ("left-handed", "right-handed"):
        raise network.error(f"angles are left-handed or right-handed, not {angles!r}")
    reading = _Reading(identity.path)
    reading.axis_right_angles, clockwise_axes = _AXES[axes]
    reading.clockwise_angles = angles == "left-handed"
    description = ""
    for element in network.children:
        if element.tag == "description":
            description = " ".join(element.text.split())
        elif element.tag == "parameters":
            _parameters(reading, element)
        elif element.tag == "points-observations":
            reading.default_sigmas = element.attributes
            # Points may stand after the observations that use them.
            for child in element.named("point"):
                _point(reading, child)
            for child in element.children:
                _observations(reading, child)
        else:
            raise element.error("is no part of <network>")
    if not reading.clusters:
        raise network.error("holds no observation")
    return _network(reading, identity, description, clockwise_axes)


def _network(reading: _Reading, identity: InputFile, description: str, clockwise_axes: bool) -> Network:
    used = _stations_of(reading.clusters)
    points = []
    for name, point in reading.points.items():
        if point.plane_role is ComponentRole.ABSENT and point.height_role is ComponentRole.ABSENT:
            continue
        x, y = (None, None) if point.plane is None else point.plane
        points.append(
            PlanePoint(
                name,
                x,
                y,
                point.height,
                (point.plane_role, point.plane_role, point.height_role),
                line_in_file=point.line,
            )
        )
    free = any(ComponentRole.DATUM in point.roles for point in points)
    remarks = []
    if reading.without_role:
        count = sum(reading.without_role.values())
        remarks.append(
            f"{count} observations to points with neither fix nor adj are not used: "
            + ", ".join(sorted(reading.without_role))
        )
    unseen = [point.name for point in points if point.name not in used and _is_unknown(point)]
    if unseen:
        remarks.append(f"points to be adjusted, but without an observation: {', '.join(unseen)}")
    return Network(
        Geometry.PLANE,
        tuple(point for point in points if point.name not in set(unseen)),
        tuple(reading.clusters),
        NetworkDatum(DatumKind.FREE if free else DatumKind.POINTS),
        angle_sense=1 if clockwise_axes == reading.clockwise_angles else -1,
        misclosure_limit_m=reading.tolerance_m,
        sigma_zero_a_priori=reading.sigma_apriori,
        description=description,
        remarks=tuple(remarks),
        inputs=(identity,),
    )


def _is_unknown(point: PlanePoint) -> bool:
    return any(role in (ComponentRole.FREE, ComponentRole.DATUM) for role in point.roles)


def _stations_of(clusters: Sequence[ObservationCluster]) -> set[str]:
    names: set[str] = set()
    for cluster in clusters:
        if isinstance(cluster, TerrestrialCluster):
            for item in cluster.observations:
                names |= {item.frm, item.to, item.third}
        elif isinstance(cluster, GnssVectorCluster):
            names |= {*cluster.frm, *cluster.to}
        elif isinstance(cluster, CoordinateCluster):
            names |= set(cluster.stations)
    return names


def _parameters(reading: _Reading, element: XmlElement) -> None:
    sigma = element.optional_attribute_number("sigma-apr")
    tolerance = element.optional_attribute_number("tol-abs")
    for name, value in (("sigma-apr", sigma), ("tol-abs", tolerance)):
        if value is not None and value <= 0.0:
            raise element.error(f"{name} must be greater than 0, and is {value:g}")
    reading.sigma_apriori = reading.sigma_apriori if sigma is None else sigma
    reading.tolerance_m = reading.tolerance_m if tolerance is None else tolerance * MILLIMETRE_M


def _point(reading: _Reading, element: XmlElement) -> None:
    name = element.attribute("id")
    point = reading.points.setdefault(name, _Point(element.line))
    x, y, z = (element.optional_attribute_number(key) for key in "xyz")
    if (x is None) != (y is None):
        raise element.error(f"point {name} has one of x and y without the other")
    for value in (x, y, z):
        if value is not None and abs(value) > _LARGEST_COORDINATE_M:
            raise element.error(f"point {name}: the coordinate {value:g} m is absurd")
    if x is not None and y is not None:
        _same_place(element, name, point.plane, (x, y))
        point.plane = (x, y)
    if z is not None:
        _same_place(element, name, None if point.height is None else (point.height,), (z,))
        point.height = z
    for key in ("fix", "adj"):
        text = element.attributes.get(key, "").strip()
        if not set(text) <= set("xyzXYZ"):
            raise element.error(f'point {name}: {key}="{text}" is not made of x, y and z')
        role = ComponentRole.FIXED if key == "fix" else ComponentRole.FREE
        if text[:1] in ("x", "X"):
            point.plane_role = ComponentRole.DATUM if key == "adj" and text[:1] == "X" else role
        if text[-1:] in ("z", "Z"):
            point.height_role = ComponentRole.DATUM if key == "adj" and text[-1:] == "Z" else role
    if point.plane_role is ComponentRole.FIXED and point.plane is None:
        raise element.error(f"point {name} is fixed in x and y, and has none")
    if point.height_role is ComponentRole.FIXED and point.height is None:
        raise element.error(f"point {name} is fixed in z, and has none")


def _same_place(
    element: XmlElement, name: str, before: tuple[float, ...] | None, now: tuple[float, ...]
) -> None:
    if before is not None and math.dist(before, now) > 0.0:
        raise element.error(
            f"point {name} stands twice, {math.dist(before, now):.3f} m apart: two points of one name?"
        )


def _observations(reading: _Reading, element: XmlElement) -> None:
    if element.tag in ("obs", "height-differences"):
        _terrestrial(reading, element)
    elif element.tag == "vectors":
        _vectors(reading, element)
    elif element.tag == "coordinates":
        _coordinates(reading, element)
    elif element.tag != "point":
        raise element.error("is no part of <points-observations>")


def _known(
    reading: _Reading, element: XmlElement, names: Sequence[str], *, plane: bool, height: bool
) -> bool:
    """Whether all points take part; FormatError for one that the file does not name."""
    for name in names:
        point = reading.points.get(name)
        if point is None:
            raise element.error(f"point {name} is not among the <point> elements")
        absent = ComponentRole.ABSENT
        if (plane and point.plane_role is absent) or (height and point.height_role is absent):
            reading.without_role[name] = reading.without_role.get(name, 0) + 1
            return False
    return True


def _terrestrial(reading: _Reading, cluster: XmlElement) -> None:
    station = cluster.attributes.get("from", "").strip()
    reading.n_sets += 1
    set_name = f"{station}#{reading.n_sets}"
    observations: list[ScalarObservation] = []
    sigmas: list[float] = []
    units: list[float] = []
    kept: list[bool] = []
    elements = [child for child in cluster.children if child.tag != "cov-mat"]
    matrix = next(cluster.named("cov-mat"), None)
    for element in elements:
        if element.tag not in _KINDS or (element.tag == "dh") != (cluster.tag == "height-differences"):
            raise element.error(f"is no part of <{cluster.tag}>")
        item, unit = _observation(reading, cluster, element, station, set_name)
        names = [name for name in (item.frm, item.to, item.third) if name]
        if len(set(names)) != len(names):
            raise element.error(f"observes a point from itself: {' '.join(names)}")
        observations.append(item)
        units.append(unit)
        kept.append(
            _known(
                reading,
                element,
                names,
                plane=element.tag != "dh",
                height=element.tag in ("dh", "s-distance", "z-angle"),
            )
        )
        sigmas.append(1.0 if matrix is not None else _sigma(reading, element, item, unit))
    if not elements:
        return
    choose = np.flatnonzero(kept)
    covariance: FloatArray = np.square(np.array(sigmas))[choose]
    if matrix is not None:
        full = _covariance(matrix, len(elements)) * np.outer(units, units)
        covariance = full[np.ix_(choose, choose)]
        if choose.size:
            require_positive_definite(matrix, covariance, f"the observations in line {cluster.line}")
    if choose.size:
        group = "levelling" if cluster.tag == "height-differences" else "terrestrial"
        reading.clusters.append(TerrestrialCluster(tuple(observations[i] for i in choose), covariance, group))


def _observation(
    reading: _Reading, cluster: XmlElement, element: XmlElement, station: str, set_name: str
) -> tuple[ScalarObservation, float]:
    """An observation, and the SI value of one unit of its standard deviation."""
    kind = _KINDS[element.tag]
    frm = element.attributes.get("from", station).strip()
    if not frm or (kind is ScalarKind.DIRECTION and not station):
        raise element.error("says no point it was observed from")
    to = element.attribute("bs") if element.tag == "angle" else element.attribute("to")
    third = element.attribute("fs") if element.tag == "angle" else ""
    if element.tag in _LENGTHS:
        value, unit = element.attribute_number("val"), MILLIMETRE_M
        if element.tag != "dh" and value <= 0.0:
            raise element.error(f"the distance {value:g} m from {frm} to {to} is not greater than 0")
        if abs(value) > _LARGEST_COORDINATE_M:
            raise element.error(f"{value:g} m from {frm} to {to} is absurd")
    else:
        value, unit = angle_rad(element, element.attribute("val"))
    if kind is ScalarKind.AZIMUTH:
        # From north in the sense of the angles, to from the x axis in the same sense.
        quarter = 0.5 * math.pi * reading.axis_right_angles
        value = value - quarter if reading.clockwise_angles else value + quarter
    common = cluster.optional_attribute_number("from_dh") or 0.0
    own = element.optional_attribute_number("from_dh")
    target = element.optional_attribute_number("bs_dh" if element.tag == "angle" else "to_dh") or 0.0
    words = f"{element.tag} {frm} -> {to}" + (f" -> {third}" if third else "")
    return (
        ScalarObservation(
            kind,
            frm,
            to,
            value,
            third=third,
            set_name=set_name if kind is ScalarKind.DIRECTION else "",
            instrument_height_m=common if own is None else own,
            target_height_m=target,
            third_height_m=element.optional_attribute_number("fs_dh") or 0.0,
            name=words,
            line_in_file=element.line,
        ),
        unit,
    )


def _sigma(reading: _Reading, element: XmlElement, item: ScalarObservation, unit: float) -> float:
    """Standard deviation in SI: the element's own, that of its length of levelling, or the file's default."""
    stdev = element.optional_attribute_number("stdev")
    if stdev is None and element.tag == "dh":
        length_km = element.optional_attribute_number("dist")
        if length_km is not None:
            if length_km <= 0.0:
                raise element.error(f"dist must be greater than 0, and is {length_km:g} km")
            stdev = reading.sigma_apriori * math.sqrt(length_km)
    if stdev is None:
        name = {"s-distance": "distance", "z-angle": "zenith-angle"}.get(element.tag, element.tag)
        words = reading.default_sigmas.get(f"{name}-stdev", "").split()
        try:
            numbers = [float(word) for word in words]
        except ValueError:
            raise element.error(f"the default {name}-stdev is no number: {' '.join(words)!r}") from None
        if not numbers:
            raise element.error("has no stdev, and the file no default for it")
        constant, factor, exponent = [*numbers[:3], *(0.0, 1.0)[len(numbers) - 1 :]]  # a + b D^c, D in km
        stdev = constant + factor * (item.value / 1000.0) ** exponent if name == "distance" else constant
        if name != "distance" and unit != RAD_PER_CENTESIMAL_SECOND:
            unit = RAD_PER_CENTESIMAL_SECOND  # defaults are in centesimal seconds whatever the angle's unit
    if not 0.0 < stdev * unit < _LARGEST_SIGMA_M:
        raise element.error(f"a standard deviation must be greater than 0 and sensible, not {stdev:g}")
    return stdev * unit


def _covariance(element: XmlElement, dimension: int) -> FloatArray:
    declared = element.attribute_number("dim")
    if declared != dimension:
        raise element.error(f"dim is {declared:g}, and the observations are {dimension}")
    try:
        values = [float(word) for word in element.text.split()]
    except ValueError:
        raise element.error("holds something that is no number") from None
    return band_matrix(element, dimension, int(element.attribute_number("band")), values)


def _vectors(reading: _Reading, cluster: XmlElement) -> None:
    elements = list(cluster.named("vec"))
    covariance = _covariance(cluster.require("cov-mat"), 3 * len(elements)) * MILLIMETRE_M**2
    require_positive_definite(cluster, covariance, f"the vectors in line {cluster.line}")
    frm, to, kept = [], [], []
    for element in elements:
        ends = (element.attribute("from"), element.attribute("to"))
        kept.append(_known(reading, element, ends, plane=True, height=True))
        frm.append(ends[0])
        to.append(ends[1])
    choose = np.flatnonzero(kept)
    if not choose.size:
        return
    rows = (3 * choose[:, None] + np.arange(3)).ravel()
    heights = [
        np.array([elements[i].optional_attribute_number(key) or 0.0 for i in choose])
        for key in ("from_dh", "to_dh")
    ]
    reading.clusters.append(
        GnssVectorCluster(
            tuple(frm[i] for i in choose),
            tuple(to[i] for i in choose),
            np.array([[elements[i].attribute_number(key) for key in ("dx", "dy", "dz")] for i in choose]),
            covariance[np.ix_(rows, rows)],
            heights[0],
            heights[1],
            line_in_file=tuple(elements[i].line for i in choose),
        )
    )


def _coordinates(reading: _Reading, cluster: XmlElement) -> None:
    """Observed coordinates: as single numbers, since a point may have x and y, or z alone."""
    items: list[ScalarObservation] = []
    for element in cluster.named("point"):
        name = element.attribute("id")
        for key, kind in (
            ("x", ScalarKind.COORDINATE_X),
            ("y", ScalarKind.COORDINATE_Y),
            ("z", ScalarKind.COORDINATE_HEIGHT),
        ):
            if key in element.attributes:
                items.append(
                    ScalarObservation(
                        kind,
                        name,
                        "",
                        element.attribute_number(key),
                        name=f"{key} of {name}",
                        line_in_file=element.line,
                    )
                )
        _known(reading, element, [name], plane="x" in element.attributes, height="z" in element.attributes)
    covariance = _covariance(cluster.require("cov-mat"), len(items)) * MILLIMETRE_M**2
    require_positive_definite(cluster, covariance, f"the coordinates in line {cluster.line}")
    kept = [i for i, item in enumerate(items) if item.frm not in reading.without_role]
    if kept:
        chosen = tuple(items[i] for i in kept)
        reading.clusters.append(TerrestrialCluster(chosen, covariance[np.ix_(kept, kept)], "coordinates"))
