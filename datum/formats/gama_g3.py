"""Networks of GNU Gama's gama-g3 (`<gnu-gama-data><g3-model>`): GNSS vectors and terrestrial observations in
space, as a `Network`.

Source: GNU Gama's schema gnu-gama-data.xsd and manual. Coordinates are earth-centred metres, or latitude,
longitude and ellipsoidal height; covariances of vectors and coordinates are square millimetres, standard
deviations of distances and heights millimetres, of angles centesimal seconds, or seconds of arc with
`<angular-units-degrees/>`. `<tol-abs>` is the greatest misclosure, in mm, of an observation that is used.

A file of square metres where the format has square millimetres is known by vectors of kilometres with sigmas
of micrometres; it is read as what it is, and a remark says so (`covariance_unit`).
"""

import math
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from datum.formats.gama_values import (
    MILLIMETRE_M,
    RAD_PER_ARC_SECOND,
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
    NetworkPoint,
    ObservationCluster,
    ScalarKind,
    ScalarObservation,
    TerrestrialCluster,
)
from stations.records import InputFile, PathLike
from transforms import ellipsoids
from transforms.ellipsoids import Ellipsoid
from transforms.geodetic import ecef_from_geodetic, geodetic_from_ecef

FloatArray = NDArray[np.float64]
CovarianceUnit = Literal["auto", "mm2", "m2"]

_ROLES: Final = {
    "fixed": ComponentRole.FIXED,
    "free": ComponentRole.FREE,
    "constr": ComponentRole.DATUM,
    "unused": ComponentRole.ABSENT,
}
_COMPONENTS: Final = "enu"
_SCALARS: Final = {
    "distance": ScalarKind.SLOPE_DISTANCE,
    "zenith": ScalarKind.ZENITH_ANGLE,
    "azimuth": ScalarKind.AZIMUTH,
    "hdiff": ScalarKind.HEIGHT_DIFFERENCE,
    "hobs": ScalarKind.ORTHOMETRIC_HEIGHT,
}
_ANGLES: Final = frozenset({"zenith", "azimuth"})
_DEFAULT_SIGMA_APRIORI: Final = 10.0
_DEFAULT_TOLERANCE_MM: Final = 1000.0
_LARGEST_COORDINATE_M: Final = 7e6  # marks of the earth, with room for a mountain
_LARGEST_GEOID_HEIGHT_M: Final = 200.0
# A GNSS vector over this length cannot be known to this sigma: its covariance was written in square metres.
_SHORTEST_TELLING_VECTOR_M: Final = 1000.0
_IMPOSSIBLE_SIGMA_M: Final = 5e-5


@dataclass
class _Reading:
    path: str
    ellipsoid: Ellipsoid = ellipsoids.WGS84
    angular_unit: float = RAD_PER_CENTESIMAL_SECOND
    sigma_apriori: float = _DEFAULT_SIGMA_APRIORI
    tolerance_m: float = _DEFAULT_TOLERANCE_MM * MILLIMETRE_M
    roles: dict[str, ComponentRole] = field(
        default_factory=lambda: dict.fromkeys(_COMPONENTS, ComponentRole.ABSENT)
    )
    points: dict[str, NetworkPoint] = field(default_factory=dict)
    vectors: list[tuple[XmlElement, list[XmlElement], FloatArray]] = field(default_factory=list)
    clusters: list[ObservationCluster] = field(default_factory=list)


def read_gama_g3(path: PathLike, *, covariance_unit: CovarianceUnit = "auto") -> Network:
    """Read a network of gama-g3.

    Parameters
    ----------
    covariance_unit : of vectors and observed coordinates: "mm2" as the format has it, "m2", or "auto", which
        takes square metres where the vectors' sigmas would be impossible as millimetres

    Raises FormatError naming the line.
    """
    root, identity = read_xml(path)
    return gama_g3_network(root, identity, covariance_unit=covariance_unit)


def gama_g3_network(
    root: XmlElement, identity: InputFile, *, covariance_unit: CovarianceUnit = "auto"
) -> Network:
    """The network of a parsed gama-g3 file."""
    if root.tag != "gnu-gama-data":
        raise root.error("<gnu-gama-data> was expected as the root")
    model = root.child("g3-model")
    if model is None:
        raise root.error("holds no <g3-model>: is it a file of results?")
    reading = _Reading(identity.path)
    for element in model.children:
        if element.tag == "constants":
            _constants(reading, element)
        elif element.tag in _ROLES:
            _set_roles(reading.roles, element)
        elif element.tag == "point":
            _point(reading, element)
        elif element.tag != "obs":
            raise element.error("is no part of <g3-model>")
    # Points may stand after the observations that use them.
    for element in model.named("obs"):
        _observations(reading, element)
    remarks: list[str] = []
    clusters = [*_vector_clusters(reading, covariance_unit, remarks), *reading.clusters]
    if not clusters:
        raise model.error("holds no observation")
    free = any(ComponentRole.DATUM in point.roles for point in reading.points.values())
    return Network(
        Geometry.EARTH,
        tuple(reading.points.values()),
        tuple(clusters),
        NetworkDatum(DatumKind.FREE if free else DatumKind.POINTS),
        ellipsoid=reading.ellipsoid,
        misclosure_limit_m=reading.tolerance_m,
        sigma_zero_a_priori=reading.sigma_apriori,
        description=" ".join(root.optional_word("text").split()),
        remarks=tuple(remarks),
        inputs=(identity,),
    )


def _constants(reading: _Reading, element: XmlElement) -> None:
    sigma = element.optional_number("apriori-standard-deviation")
    tolerance = element.optional_number("tol-abs")
    for name, value in (("apriori-standard-deviation", sigma), ("tol-abs", tolerance)):
        if value is not None and value <= 0.0:
            raise element.error(f"{name} must be greater than 0, and is {value:g}")
    reading.sigma_apriori = reading.sigma_apriori if sigma is None else sigma
    reading.tolerance_m = reading.tolerance_m if tolerance is None else tolerance * MILLIMETRE_M
    if element.child("angular-units-degrees") is not None:
        reading.angular_unit = RAD_PER_ARC_SECOND
    figure = element.child("ellipsoid")
    if figure is not None:
        reading.ellipsoid = _ellipsoid(figure)


def _ellipsoid(element: XmlElement) -> Ellipsoid:
    name = element.optional_word("id").lower()
    known = {"wgs84": ellipsoids.WGS84, "grs80": ellipsoids.GRS80, "krassovski": ellipsoids.KRASSOVSKY_1940}
    if name in known:
        return known[name]
    major = element.optional_number("a")
    if major is None:
        raise element.error(f"the ellipsoid {name!r} is not known; give its a and b or inv-f")
    minor, inverse = element.optional_number("b"), element.optional_number("inv-f")
    if minor is not None and 0.0 < minor < major:
        inverse = major / (major - minor)
    if inverse is None or not inverse > 1.0:
        raise element.error("an ellipsoid needs b smaller than a, or inv-f")
    return Ellipsoid(name or "of the file", major, inverse, None, None, "given in the file")


def _set_roles(roles: dict[str, ComponentRole], element: XmlElement) -> None:
    for child in element.children:
        if child.tag not in _COMPONENTS:
            raise child.error(f"is no part of <{element.tag}>, which holds <n/>, <e/> and <u/>")
        roles[child.tag] = _ROLES[element.tag]


def _point(reading: _Reading, element: XmlElement) -> None:
    name = element.word("id")
    position: FloatArray | None = None
    if element.child("x") is not None:
        position = np.array([element.number(key) for key in "xyz"])
    elif element.child("b") is not None:
        latitude = angle_rad(element, element.word("b"))[0]
        longitude = angle_rad(element, element.word("l"))[0]
        position = ecef_from_geodetic(latitude, longitude, element.number("h"), reading.ellipsoid)
    if position is not None and not np.linalg.norm(position) < _LARGEST_COORDINATE_M:
        raise element.error(f"point {name} is {np.linalg.norm(position):.4g} m from the centre of the earth")
    known = reading.points.get(name)
    if known is not None:
        apart = ""
        if known.position_ecef_m is not None and position is not None:
            apart = f", {float(np.linalg.norm(position - known.position_ecef_m)):.3f} m from it"
        raise element.error(f"point {name} stands in line {known.line_in_file} already{apart}")
    roles = dict(reading.roles)
    for child in element.children:
        if child.tag in _ROLES:
            _set_roles(roles, child)
    ordered = (roles["e"], roles["n"], roles["u"])
    if position is None and ComponentRole.FIXED in ordered:
        raise element.error(f"point {name} is fixed, and has no coordinates")
    geoid_height = element.optional_number("geoid")
    height = element.optional_number("height")
    if geoid_height is None and height is not None and position is not None:
        geoid_height = float(geodetic_from_ecef(position, reading.ellipsoid)[2]) - height
    if geoid_height is not None and abs(geoid_height) > _LARGEST_GEOID_HEIGHT_M:
        raise element.error(f"point {name}: a geoid height of {geoid_height:.1f} m is absurd")
    deflection = [(element.optional_number(key) or 0.0) * RAD_PER_ARC_SECOND for key in ("db", "dl")]
    reading.points[name] = NetworkPoint(
        name,
        position,
        ordered,
        deflection_rad=(deflection[0], deflection[1]),
        geoid_height_m=geoid_height or 0.0,
        line_in_file=element.line,
    )


def _known(reading: _Reading, element: XmlElement, *names: str) -> None:
    for name in names:
        if name not in reading.points:
            raise element.error(f"point {name} is not among the <point> elements")
    if len(set(names)) != len(names):
        raise element.error(f"{names[0]} is observed from itself")


def _observations(reading: _Reading, cluster: XmlElement) -> None:
    matrix = next(cluster.named("cov-mat"), None)
    elements = [child for child in cluster.children if child.tag != "cov-mat"]
    tags = {element.tag for element in elements}
    if not elements:
        return
    if tags <= {"vector"}:
        for element in elements:
            _known(reading, element, element.word("from"), element.word("to"))
        covariance = _covariance(cluster, matrix, 3 * len(elements))
        require_positive_definite(cluster, covariance, _vector_name(elements[0]))
        reading.vectors.append((cluster, elements, covariance))
    elif tags <= {"xyz"}:
        names = tuple(element.word("id") for element in elements)
        for element, name in zip(elements, names, strict=True):
            _known(reading, element, name)
        covariance = _covariance(cluster, matrix, 3 * len(elements)) * MILLIMETRE_M**2
        require_positive_definite(cluster, covariance, f"the coordinates of {', '.join(names)}")
        position = np.array([[element.number(key) for key in "xyz"] for element in elements])
        reading.clusters.append(
            CoordinateCluster(
                names, position, covariance, line_in_file=tuple(element.line for element in elements)
            )
        )
    elif tags <= set(_SCALARS) | {"angle"}:
        _scalars(reading, cluster, elements, matrix)
    else:
        raise cluster.error(
            f"holds {', '.join(sorted(tags))}: vectors, coordinates and other observations have an <obs> each"
        )


def _covariance(cluster: XmlElement, matrix: XmlElement | None, dimension: int) -> FloatArray:
    if matrix is None:
        raise cluster.error("has no <cov-mat>")
    if matrix.number("dim") != dimension:
        raise matrix.error(f"dim is {matrix.number('dim'):g}, and the observations are {dimension}")
    values = [element.own_number() for element in matrix.named("flt")]
    return band_matrix(matrix, dimension, int(matrix.number("band")), values)


def _vector_name(element: XmlElement) -> str:
    return f"{element.word('from')} -> {element.word('to')}"


def _vector_clusters(reading: _Reading, unit: CovarianceUnit, remarks: list[str]) -> list[GnssVectorCluster]:
    """The vectors: those of one session each in a cluster, all single ones together."""
    if not reading.vectors:
        return []
    single = [item for item in reading.vectors if len(item[1]) == 1]
    sessions = [item for item in reading.vectors if len(item[1]) > 1]
    stacked: list[tuple[list[XmlElement], FloatArray]] = []
    if single:
        stacked.append(([elements[0] for _, elements, _ in single], np.array([c for _, _, c in single])))
    stacked += [(elements, covariance) for _, elements, covariance in sessions]
    vectors = [
        np.array([[element.number(key) for key in ("dx", "dy", "dz")] for element in elements])
        for elements, _ in stacked
    ]
    factor = MILLIMETRE_M**2 if unit != "m2" else 1.0
    if unit == "auto" and _is_impossible(vectors, [covariance for _, covariance in stacked]):
        factor = 1.0
        remarks.append(
            "the covariances of the vectors are read as square metres: as the format's square millimetres "
            "their sigmas would be micrometres over kilometres (--gama-covariance mm2 insists)"
        )
    clusters = []
    for (elements, covariance), vector in zip(stacked, vectors, strict=True):
        if not np.all(np.abs(vector) < 2.0 * _LARGEST_COORDINATE_M):
            worst = int(np.argmax(np.max(np.abs(vector), axis=1)))
            raise elements[worst].error(f"a vector of {np.max(np.abs(vector)):.4g} m is absurd")
        from_height, to_height = (
            np.array([element.optional_number(key) or 0.0 for element in elements])
            for key in ("from-dh", "to-dh")
        )
        has_heights = bool(np.any(from_height) or np.any(to_height))
        clusters.append(
            GnssVectorCluster(
                tuple(element.word("from") for element in elements),
                tuple(element.word("to") for element in elements),
                vector,
                covariance * factor,
                from_height if has_heights else None,
                to_height if has_heights else None,
                names=tuple(_vector_name(element) for element in elements),
                line_in_file=tuple(element.line for element in elements),
            )
        )
    return clusters


def _is_impossible(vectors: list[FloatArray], covariances: list[FloatArray]) -> bool:
    """Whether sigmas in millimetres could not be those of the vectors over a kilometre (their median)."""
    sigmas = []
    for vector, covariance in zip(vectors, covariances, strict=True):
        if covariance.ndim == 3:
            variance = np.diagonal(covariance, axis1=1, axis2=2).mean(axis=1)
        else:
            variance = np.diagonal(covariance).reshape(-1, 3).mean(axis=1)
        long = np.linalg.norm(vector, axis=1) > _SHORTEST_TELLING_VECTOR_M
        sigmas.append(np.sqrt(variance[long]) * MILLIMETRE_M)
    every = np.concatenate(sigmas)
    return bool(every.size) and float(np.median(every)) < _IMPOSSIBLE_SIGMA_M


def _scalars(
    reading: _Reading, cluster: XmlElement, elements: list[XmlElement], matrix: XmlElement | None
) -> None:
    items: list[ScalarObservation] = []
    units: list[float] = []
    sigmas: list[float] = []
    for element in elements:
        item, unit = _scalar(reading, element)
        items.append(item)
        units.append(unit)
        if matrix is None:
            sigma = element.optional_number("stdev")
            variance = element.optional_number("variance")
            if sigma is None and variance is not None and variance > 0.0:
                sigma = math.sqrt(variance)
            if sigma is None or sigma <= 0.0:
                raise element.error("needs a stdev greater than 0, or its <obs> a <cov-mat>")
            sigmas.append(sigma * unit)
    covariance: FloatArray = np.square(np.array(sigmas))
    if matrix is not None:
        covariance = _covariance(cluster, matrix, len(items)) * np.outer(units, units)
        require_positive_definite(matrix, covariance, f"the observations in line {cluster.line}")
    reading.clusters.append(TerrestrialCluster(tuple(items), covariance))


def _scalar(reading: _Reading, element: XmlElement) -> tuple[ScalarObservation, float]:
    heights = [element.optional_number(key) or 0.0 for key in ("from-dh", "to-dh")]
    if element.tag == "hobs":
        name = element.word("id")
        _known(reading, element, name)
        return (
            ScalarObservation(
                ScalarKind.ORTHOMETRIC_HEIGHT,
                name,
                "",
                element.number("val"),
                name=f"height {name}",
                line_in_file=element.line,
            ),
            MILLIMETRE_M,
        )
    if element.tag == "angle":
        frm, left, right = element.word("from"), element.word("left"), element.word("right")
        _known(reading, element, frm, left, right)
        value, _ = angle_rad(element, element.word("val"))
        item = ScalarObservation(
            ScalarKind.HORIZONTAL_ANGLE,
            frm,
            left,
            value,
            third=right,
            instrument_height_m=heights[0],
            target_height_m=element.optional_number("left-dh") or 0.0,
            third_height_m=element.optional_number("right-dh") or 0.0,
            name=f"angle {frm} -> {left} -> {right}",
            line_in_file=element.line,
        )
        return item, reading.angular_unit
    frm, to = element.word("from"), element.word("to")
    _known(reading, element, frm, to)
    if element.tag in _ANGLES:
        value, unit = angle_rad(element, element.word("val"))[0], reading.angular_unit
    else:
        value, unit = element.number("val"), MILLIMETRE_M
        if element.tag == "distance" and value <= 0.0:
            raise element.error(f"the distance {value:g} m from {frm} to {to} is not greater than 0")
    return (
        ScalarObservation(
            _SCALARS[element.tag],
            frm,
            to,
            value,
            instrument_height_m=heights[0],
            target_height_m=heights[1],
            name=f"{element.tag} {frm} -> {to}",
            line_in_file=element.line,
        ),
        unit,
    )
