"""Stations and measurements of DynAdjust, whichever of its formats they were read from, as a `Network`.

Types and units: DynAdjust Users Guide, appendix B (DynaML and DNA). Angles and geodetic coordinates are
written as degrees.minutes-seconds (-37.4752 is 37 degrees 47 minutes 52 seconds south), standard deviations
of angles in seconds, lengths in metres. A matrix is multiplied by Vscale, then its north, east and up parts
by Pscale, Lscale and Hscale.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.network.observations import (
    ComponentRole,
    CoordinateCluster,
    Geometry,
    GnssVectorCluster,
    Network,
    NetworkPoint,
    ObservationCluster,
    ScalarKind,
    ScalarObservation,
    TerrestrialCluster,
)
from stations.records import InputFile, PathLike
from transforms.ellipsoids import GRS80
from transforms.errors import FormatError
from transforms.geodetic import ecef_from_geodetic, enu_matrix_at, geodetic_from_ecef
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]

RAD_PER_ARC_SECOND: Final = math.pi / 648_000.0
_SCALARS: Final = {
    "A": ScalarKind.HORIZONTAL_ANGLE,
    "B": ScalarKind.AZIMUTH,
    "C": ScalarKind.ELLIPSOID_CHORD,
    "E": ScalarKind.ELLIPSOID_ARC,
    "H": ScalarKind.ORTHOMETRIC_HEIGHT,
    "I": ScalarKind.LATITUDE,
    "J": ScalarKind.LONGITUDE,
    "K": ScalarKind.AZIMUTH,
    "L": ScalarKind.HEIGHT_DIFFERENCE,
    "M": ScalarKind.MEAN_SEA_LEVEL_ARC,
    "P": ScalarKind.LATITUDE,
    "Q": ScalarKind.LONGITUDE,
    "R": ScalarKind.ELLIPSOIDAL_HEIGHT,
    "S": ScalarKind.SLOPE_DISTANCE,
    "V": ScalarKind.ZENITH_ANGLE,
    "Z": ScalarKind.ZENITH_ANGLE,
}
MEASUREMENT_TYPES: Final = frozenset(_SCALARS) | {"D", "G", "X", "Y"}
ANGULAR_TYPES: Final = frozenset("ABDIJKPQVZ")
ONE_STATION_TYPES: Final = frozenset("HIJPQRY")
_ASTRONOMIC: Final = frozenset("IJK")
_HEIGHT_TYPES: Final = frozenset("HLM")
_LARGEST_COORDINATE_M: Final = 7e6
_LARGEST_SCALE: Final = 1e12
_SIXTY: Final = 60.0
_ROUNDING: Final = 1e-9
_DATE: Final = re.compile(r"\s*(\d{1,2})\.(\d{1,2})\.(\d{4})\s*\Z")
# DynAdjust's letter in "CCF": latitude, longitude, height.
_CONSTRAINTS: Final = {"C": ComponentRole.FIXED, "F": ComponentRole.FREE}


@dataclass(frozen=True)
class Place:
    """Where a record stands, for messages."""

    path: PathLike
    line: int

    def error(self, message: str) -> FormatError:
        """A FormatError naming file and line."""
        return FormatError(self.path, self.line, message)

    def number(self, text: str, what: str) -> float:
        """A finite number."""
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self.error(f"{what}: a number was expected, and {text.strip()!r} was found")
        return value

    def angle_rad(self, text: str, what: str) -> float:
        """An angle as degrees.minutes-seconds, or degrees, minutes and seconds apart; radians."""
        words = text.split()
        negative = text.strip().startswith("-")
        if len(words) == 3:
            degrees, minutes, seconds = (abs(self.number(word, what)) for word in words)
        else:
            # As text: a float of 36.33 times 100 is not 3633.
            self.number(text, what)
            whole, _, fraction = text.strip().lstrip("+-").partition(".")
            fraction = (fraction + "0000")[: max(len(fraction), 4)]
            degrees, minutes = float(whole or 0), float(fraction[:2])
            seconds = float(f"{fraction[2:4]}.{fraction[4:] or '0'}")
        if minutes >= _SIXTY or seconds >= _SIXTY + _ROUNDING:
            raise self.error(f"{what}: {text.strip()} has 60 minutes or seconds or more")
        value = math.radians(degrees + minutes / 60.0 + seconds / 3600.0)
        return -value if negative else value

    def epoch(self, text: str) -> Epochs | None:
        """A day "18.02.2015"; None where empty."""
        if not text.strip():
            return None
        match = _DATE.match(text)
        try:
            if match is None:
                raise ValueError
            day, month, year = (int(group) for group in match.groups())
            return Epochs.from_datetime64(np.datetime64(f"{year:04d}-{month:02d}-{day:02d}", "ns"))
        except ValueError:
            raise self.error(f"an epoch is day.month.year, not {text.strip()!r}") from None


@dataclass
class DirectionText:
    """One direction of a set as written."""

    place: Place
    target: str
    value: str
    sigma: str
    ignored: bool = False


@dataclass
class BlockText:
    """One vector or point of a cluster: three components, own covariance, blocks to the following ones."""

    place: Place
    first: str
    second: str
    components: tuple[str, str, str]
    covariance: FloatArray
    following: list[FloatArray] = field(default_factory=list)


@dataclass
class MeasurementText:
    """A measurement as written, before its units are turned."""

    place: Place
    kind: str
    ignored: bool = False
    first: str = ""
    second: str = ""
    third: str = ""
    value: str = ""
    sigma: str = ""
    instrument_height: str = ""
    target_height: str = ""
    scales: tuple[str, str, str, str] = ("1", "1", "1", "1")
    frame: str = ""
    epoch: str = ""
    coordinates: str = "XYZ"
    directions: list[DirectionText] = field(default_factory=list)
    blocks: list[BlockText] = field(default_factory=list)


@dataclass
class StationText:
    """A station as written.

    kind : "XYZ", "LLH" (latitude, longitude, height above the geoid), "LLh" (above the ellipsoid) or "UTM"
    """

    place: Place
    name: str
    constraints: str
    kind: str
    components: tuple[str, str, str]
    zone: str = ""
    description: str = ""


def network_of(
    stations: Sequence[StationText],
    measurements: Sequence[MeasurementText],
    frame: str,
    epoch: str,
    place: Place,
    identity: InputFile,
) -> Network:
    """The network of one file; a file of stations has no clusters, one of measurements no points."""
    points: dict[str, NetworkPoint] = {}
    remarks: list[str] = []
    for station in stations:
        point = _station(station)
        known = points.get(point.name)
        if known is not None:
            raise station.place.error(
                f"station {point.name} stands in line {known.line_in_file} already, "
                f"{_apart_m(known, point):.3f} m from here: two stations of one name?"
            )
        points[point.name] = point
    if any(station.kind.upper() == "LLH" and station.kind != "LLh" for station in stations):
        remarks.append(
            "heights of LLH stations are taken as ellipsoidal: as approximate values they do no harm, as "
            "constraints they would need the geoid"
        )
    clusters = _clusters(measurements, remarks)
    return Network(
        Geometry.EARTH,
        tuple(points.values()),
        tuple(clusters),
        ellipsoid=GRS80,
        frame=frame,
        epoch=place.epoch(epoch),
        remarks=tuple(remarks),
        inputs=(identity,),
    )


def _apart_m(first: NetworkPoint, second: NetworkPoint) -> float:
    if first.position_ecef_m is None or second.position_ecef_m is None:
        return 0.0
    return float(np.linalg.norm(first.position_ecef_m - second.position_ecef_m))


def _station(text: StationText) -> NetworkPoint:
    place, name = text.place, text.name
    if not name:
        raise place.error("a station without a name")
    kind = text.kind.upper()
    if kind == "XYZ":
        position = np.array([place.number(word, f"station {name}") for word in text.components])
    elif kind == "LLH":
        latitude, longitude = (place.angle_rad(word, f"station {name}") for word in text.components[:2])
        if abs(latitude) > math.pi / 2.0:
            raise place.error(f"station {name}: the latitude {text.components[0].strip()} is beyond the pole")
        height = place.number(text.components[2] or "0", f"station {name}")
        position = ecef_from_geodetic(latitude, longitude, height)
    elif kind == "UTM":
        position = _from_utm(text)
    else:
        raise place.error(f"station {name}: coordinates of type {text.kind!r} are not XYZ, LLH, LLh or UTM")
    if not 0.0 < float(np.linalg.norm(position)) < _LARGEST_COORDINATE_M:
        raise place.error(f"station {name} is {np.linalg.norm(position):.4g} m from the centre of the earth")
    letters = text.constraints.upper().strip()
    if len(letters) != 3 or not set(letters) <= set(_CONSTRAINTS):
        raise place.error(f"station {name}: constraints are three letters C or F, not {text.constraints!r}")
    north, east, up = (_CONSTRAINTS[letter] for letter in letters)
    return NetworkPoint(
        name,
        position,
        (east, north, up),
        description=text.description.strip(),
        line_in_file=place.line,
    )


def _from_utm(text: StationText) -> FloatArray:
    from pyproj import Transformer

    place = text.place
    match = re.fullmatch(r"\s*([NSns]?)\s*(\d{1,2})\s*", text.zone)
    if match is None or not 1 <= int(match.group(2)) <= 60:
        raise place.error(
            f"station {text.name}: UTM needs a hemisphere and zone such as S55, not {text.zone!r}"
        )
    south = " +south" if match.group(1).upper() != "N" else ""
    definition = f"+proj=utm +zone={match.group(2)}{south} +ellps=GRS80 +units=m +type=crs"
    geographic = "+proj=longlat +ellps=GRS80 +type=crs"
    east, north, height = (place.number(word, f"station {text.name}") for word in text.components)
    turned = Transformer.from_crs(definition, geographic, always_xy=True, allow_ballpark=False)
    longitude, latitude = turned.transform(east, north, errcheck=True)
    return ecef_from_geodetic(math.radians(latitude), math.radians(longitude), height)


def _clusters(measurements: Sequence[MeasurementText], remarks: list[str]) -> list[ObservationCluster]:
    """All measurements; single vectors of one frame and epoch stand together, and so do single numbers."""
    vectors: dict[tuple[str, str], list[tuple[MeasurementText, FloatArray, FloatArray]]] = {}
    scalars: dict[str, list[tuple[ScalarObservation, float]]] = {}
    result: list[ObservationCluster] = []
    ignored: Counter[str] = Counter()
    kinds: set[str] = set()
    n_sets = 0
    for item in measurements:
        if item.kind not in MEASUREMENT_TYPES:
            raise item.place.error(
                f"measurement type {item.kind!r} is none of {' '.join(sorted(MEASUREMENT_TYPES))}"
            )
        if item.ignored:
            ignored[item.kind] += 1
            continue
        kinds.add(item.kind)
        if item.kind == "G":
            key = (item.frame, item.epoch)
            vectors.setdefault(key, []).append((item, *_vectors(item)))
        elif item.kind == "X":
            result.append(_vector_cluster([(item, *_vectors(item))]))
        elif item.kind == "Y":
            result.append(_point_cluster(item))
        elif item.kind == "D":
            n_sets += 1
            scalars.setdefault(item.epoch, []).extend(_directions(item, n_sets))
        else:
            scalars.setdefault(item.epoch, []).append(_scalar(item))
    result += [_vector_cluster(items) for items in vectors.values()]
    for epoch, numbers in scalars.items():
        result.append(
            TerrestrialCluster(
                tuple(number for number, _ in numbers),
                np.square(np.array([sigma for _, sigma in numbers])),
                epoch=measurements[0].place.epoch(epoch),
            )
        )
    if ignored:
        remarks.append(
            f"{sum(ignored.values())} measurements are marked as ignored and not used: "
            + ", ".join(f"{count} of type {kind}" for kind, count in sorted(ignored.items()))
        )
    if kinds & _ASTRONOMIC:
        remarks.append(
            "astronomic latitudes, longitudes and azimuths: deflections of the vertical taken as zero"
        )
    if kinds & _HEIGHT_TYPES:
        remarks.append("heights, height differences and arcs at sea level: geoid heights taken as zero")
    return result


def _scales(item: MeasurementText) -> tuple[float, float, float, float]:
    words = ("Vscale", "Pscale", "Lscale", "Hscale")
    values = [
        item.place.number(text.strip() or "1", word) for text, word in zip(item.scales, words, strict=True)
    ]
    for value, word in zip(values, words, strict=True):
        if not 0.0 < value < _LARGEST_SCALE:
            raise item.place.error(f"{word} must be greater than 0, and is {value:g}")
    return values[0], values[1], values[2], values[3]


def _full_covariance(item: MeasurementText) -> FloatArray:
    """The matrix (3 m, 3 m) of a cluster from its blocks, as written."""
    m = len(item.blocks)
    full = np.zeros((3 * m, 3 * m))
    for i, block in enumerate(item.blocks):
        rows = slice(3 * i, 3 * i + 3)
        full[rows, rows] = block.covariance
        if len(block.following) != m - 1 - i:
            raise block.place.error(
                f"{m - 1 - i} covariance blocks to the following points were expected, and "
                f"{len(block.following)} were found"
            )
        for k, part in enumerate(block.following, start=i + 1):
            columns = slice(3 * k, 3 * k + 3)
            full[rows, columns] = part
            full[columns, rows] = part.T
    return full


def _require_positive_definite(item: MeasurementText, covariance: FloatArray, words: str) -> None:
    smallest = float(np.linalg.eigvalsh(covariance)[0])
    if smallest <= 0.0:
        raise item.place.error(
            f"the covariance of {words} is not positive definite (smallest eigenvalue {smallest:.3g} m2): no "
            "observation can have it"
        )


def _scaled(item: MeasurementText, covariance: FloatArray, position_m: FloatArray | None) -> FloatArray:
    """The matrix with its four scales; position_m (m, 3) tells north and up of each block."""
    whole, north, east, up = _scales(item)
    covariance = covariance * whole
    if north == east == up == 1.0:
        return covariance
    if position_m is None:
        raise item.place.error("Pscale, Lscale and Hscale of vectors need the stations' places")
    n = len(covariance) // 3
    factor = np.zeros_like(covariance)
    for i in range(n):
        turn = enu_matrix_at(position_m[i])
        rows = slice(3 * i, 3 * i + 3)
        factor[rows, rows] = turn.T @ np.diag(np.sqrt([east, north, up])) @ turn
    return factor @ covariance @ factor.T


def _vectors(item: MeasurementText) -> tuple[FloatArray, FloatArray]:
    """Vectors (m, 3) and covariance (3 m, 3 m) of a measurement G or X."""
    for block in item.blocks:
        if not block.first or not block.second or block.first == block.second:
            raise block.place.error(f"a vector from {block.first!r} to {block.second!r}")
    words = f"the vector {item.blocks[0].first} -> {item.blocks[0].second}"
    vector = np.array(
        [[block.place.number(text, words) for text in block.components] for block in item.blocks]
    )
    if not np.all(np.abs(vector) < 2.0 * _LARGEST_COORDINATE_M):
        raise item.place.error(f"{words} of {np.max(np.abs(vector)):.4g} m is absurd")
    covariance = _full_covariance(item)
    whole, north, east, up = _scales(item)
    if not north == east == up == 1.0:
        raise item.place.error(
            "Pscale, Lscale and Hscale other than 1 are not read for vectors: fold them into the matrix"
        )
    covariance = covariance * whole
    _require_positive_definite(item, covariance, words)
    return vector, covariance


def _vector_cluster(
    items: Sequence[tuple[MeasurementText, FloatArray, FloatArray]],
) -> GnssVectorCluster:
    blocks = [block for item, _, _ in items for block in item.blocks]
    first = items[0][0]
    covariance = (
        np.array([matrix for _, _, matrix in items]) if first.kind == "G" else np.asarray(items[0][2])
    )
    return GnssVectorCluster(
        tuple(block.first for block in blocks),
        tuple(block.second for block in blocks),
        np.concatenate([vector for _, vector, _ in items]),
        covariance,
        names=tuple(f"{item.kind} {b.first} -> {b.second}" for item, _, _ in items for b in item.blocks),
        frame=first.frame,
        epoch=first.place.epoch(first.epoch),
        line_in_file=tuple(block.place.line for block in blocks),
    )


def _point_cluster(item: MeasurementText) -> CoordinateCluster:
    names = tuple(block.first for block in item.blocks)
    words = f"the point cluster {', '.join(names[:3])}"
    covariance = _full_covariance(item)
    kind = item.coordinates.upper()
    if kind == "XYZ":
        position = np.array(
            [[block.place.number(text, words) for text in block.components] for block in item.blocks]
        )
    elif kind == "LLH":
        geodetic = np.array(
            [
                [
                    block.place.angle_rad(block.components[0], words),
                    block.place.angle_rad(block.components[1], words),
                    block.place.number(block.components[2], words),
                ]
                for block in item.blocks
            ]
        )
        position = ecef_from_geodetic(geodetic[:, 0], geodetic[:, 1], geodetic[:, 2])
        jacobian = np.zeros_like(covariance)
        for i in range(len(names)):
            rows = slice(3 * i, 3 * i + 3)
            jacobian[rows, rows] = _geodetic_jacobian(position[i])
        covariance = jacobian @ covariance @ jacobian.T
    else:
        raise item.place.error(f"a point cluster in {item.coordinates!r} is not in XYZ or LLH")
    if not np.all(np.linalg.norm(position, axis=1) < _LARGEST_COORDINATE_M):
        raise item.place.error(f"{words} has a point that is no mark of the earth")
    covariance = _scaled(item, covariance, position)
    _require_positive_definite(item, covariance, words)
    return CoordinateCluster(
        names,
        position,
        covariance,
        names=tuple(f"Y {name}" for name in names),
        group="point clusters",
        frame=item.frame,
        epoch=item.place.epoch(item.epoch),
        line_in_file=tuple(block.place.line for block in item.blocks),
    )


def _geodetic_jacobian(position_m: FloatArray) -> FloatArray:
    """Derivatives (3, 3) of earth-centred coordinates by latitude, longitude (radians) and height."""
    latitude, _, height = geodetic_from_ecef(position_m)
    sine = math.sin(float(latitude))
    w2 = 1.0 - GRS80.first_eccentricity_squared * sine**2
    across = GRS80.semi_major_axis_m / math.sqrt(w2)
    along = across * (1.0 - GRS80.first_eccentricity_squared) / w2
    local = np.array(
        [
            [0.0, (across + float(height)) * math.cos(float(latitude)), 0.0],
            [along + float(height), 0.0, 0.0],
            [0.0, 0.0, 1.0],
        ]
    )
    return np.asarray(enu_matrix_at(position_m).T @ local)


def _sigma(place: Place, text: str, words: str, unit: float) -> float:
    value = place.number(text, f"standard deviation of {words}")
    if value <= 0.0:
        raise place.error(f"the standard deviation of {words} must be greater than 0, and is {value:g}")
    return value * unit


def _scalar(item: MeasurementText) -> tuple[ScalarObservation, float]:
    place, kind = item.place, item.kind
    ends = [name for name in (item.first, item.second, item.third) if name]
    wanted = 3 if kind == "A" else 1 if kind in ONE_STATION_TYPES else 2
    if len(ends) != wanted or len(set(ends)) != wanted:
        raise place.error(
            f"type {kind} needs {wanted} different stations, and has {' '.join(ends) or 'none'}"
        )
    words = f"{kind} {' -> '.join(ends)}"
    if kind in ANGULAR_TYPES:
        value, unit = place.angle_rad(item.value, words), RAD_PER_ARC_SECOND
    else:
        value, unit = place.number(item.value, words), 1.0
    if kind == "Z":
        value = math.pi / 2.0 - value  # a vertical angle counts from the horizon
    if kind in "CEMS" and not 0.0 < value < 2.0 * _LARGEST_COORDINATE_M:
        raise place.error(f"the distance {words} of {value:g} m is absurd")
    heights = [
        place.number(text.strip() or "0", f"instrument or target height of {words}")
        for text in (item.instrument_height, item.target_height)
    ]
    observation = ScalarObservation(
        _SCALARS[kind],
        item.first,
        item.second if wanted > 1 else "",
        value,
        third=item.third if wanted > 2 else "",
        instrument_height_m=heights[0],
        target_height_m=heights[1],
        name=words,
        line_in_file=place.line,
    )
    return observation, _sigma(place, item.sigma, words, unit)


def _directions(item: MeasurementText, number: int) -> list[tuple[ScalarObservation, float]]:
    result = []
    for direction in item.directions:
        if direction.ignored:
            continue
        words = f"D {item.first} -> {direction.target}"
        if not direction.target or direction.target == item.first:
            raise direction.place.error(f"a direction from {item.first!r} to {direction.target!r}")
        observation = ScalarObservation(
            ScalarKind.DIRECTION,
            item.first,
            direction.target,
            direction.place.angle_rad(direction.value, words),
            set_name=f"{item.first}#{number}",
            name=words,
            line_in_file=direction.place.line,
        )
        result.append((observation, _sigma(direction.place, direction.sigma, words, RAD_PER_ARC_SECOND)))
    return result
