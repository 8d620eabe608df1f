"""Networks in the text format of F. Krumm's "Geodetic Network Adjustment Examples" (.dat), one and three
dimensions: levelled height differences, spatial distances, zenith angles and vectors.

Sections begin with [Name], "%" and "#" begin comments. [Coordinates] has heights, or x, y, z in the plane or
earth-centred. [Datum] is `fix` with names (xA is the x of A), `free` with names, or `dyn` with a row of the
covariance for each name. A standard deviation that a line leaves out is that of the line before.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.formats.gama_values import RAD_PER_GON
from datum.network.observations import (
    ComponentRole,
    DatumKind,
    Geometry,
    GnssVectorCluster,
    Network,
    NetworkDatum,
    NetworkPoint,
    ObservationCluster,
    PlanePoint,
    ScalarKind,
    ScalarObservation,
    TerrestrialCluster,
)
from stations.formats.compression import read_bytes
from stations.records import InputFile, PathLike
from transforms.ellipsoids import GRS80
from transforms.errors import FormatError

FloatArray = NDArray[np.float64]

_SECTION: Final = re.compile(r"\[\s*([^\],]+?)\s*(?:,[^\]]*)?\]\s*\Z")
_TEXT_SECTIONS: Final = frozenset({"project", "source", "quelle", "graphics"})
_VECTORS: Final = frozenset({"3dbaseline", "3dbaselines", "3dbasislinie"})
_SCALARS: Final = {
    "levelledheightdifferences": ScalarKind.HEIGHT_DIFFERENCE,
    "zenithangles": ScalarKind.ZENITH_ANGLE,
    "spatialdistances": ScalarKind.SLOPE_DISTANCE,
}
_SMALLEST_EARTH_RADIUS_M: Final = 6.3e6


@dataclass(frozen=True)
class _Line:
    path: PathLike
    number: int
    words: tuple[str, ...]

    def error(self, message: str) -> FormatError:
        return FormatError(self.path, self.number, message)

    def numbers(self, first: int) -> list[float]:
        """The words from the given one on, as finite numbers."""
        values = []
        for word in self.words[first:]:
            try:
                value = float(word)
            except ValueError:
                value = math.nan
            if not math.isfinite(value):
                raise self.error(f"a number was expected, and {word!r} was found")
            values.append(value)
        return values


@dataclass
class _Datum:
    fixed: dict[str, set[str]] = field(default_factory=dict)
    free: tuple[str, ...] | None = None
    dynamic: dict[str, tuple[int, list[float]]] = field(default_factory=dict)


def read_krumm(path: PathLike) -> Network:
    """Read a network of that format. Raises FormatError naming the line."""
    data, identity = read_bytes(path)
    return krumm_network(data, identity)


def krumm_network(data: bytes, identity: InputFile) -> Network:
    """The network of the bytes of such a file."""
    path = identity.path
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    sections, description = _sections(path, text)
    coordinates = {line.words[0]: (line, line.numbers(1)) for line in sections.get("coordinates", [])}
    sizes = {len(values) for _, values in coordinates.values()}
    if not coordinates or len(sizes) != 1 or not sizes <= {1, 3}:
        raise FormatError(path, None, "[Coordinates] has one or three numbers for each point, all alike")
    if len(coordinates) != len(sections["coordinates"]):
        raise sections["coordinates"][-1].error("a point stands twice in [Coordinates]")
    datum = _datum(path, sections.get("datum", []), set(coordinates))
    clusters = _clusters(sections, set(coordinates))
    if not clusters:
        raise FormatError(path, None, "holds no observation")
    used: set[str] = set()
    spatial = False
    for cluster in clusters:
        if isinstance(cluster, GnssVectorCluster):
            used |= {*cluster.frm, *cluster.to}
            spatial = True
        elif isinstance(cluster, TerrestrialCluster):
            for item in cluster.observations:
                used |= {item.frm, item.to}
                spatial |= item.kind is not ScalarKind.HEIGHT_DIFFERENCE
    positions = {name: np.array(values) for name, (_, values) in coordinates.items()}
    on_earth = sizes == {3} and all(
        float(np.linalg.norm(p)) > _SMALLEST_EARTH_RADIUS_M for p in positions.values()
    )
    points = [
        _point(name, coordinates[name][0].number, position, datum, spatial, on_earth)
        for name, position in positions.items()
        if name in used
    ]
    if datum.dynamic:
        clusters.append(_given_heights(path, points, datum))
    return Network(
        Geometry.EARTH if on_earth else Geometry.PLANE,
        tuple(points),  # type: ignore[arg-type]  # all of one kind: on_earth holds for all or none
        tuple(clusters),
        NetworkDatum(DatumKind.FREE if datum.free is not None else DatumKind.POINTS),
        ellipsoid=GRS80,
        description=description,
        inputs=(identity,),
    )


def _sections(path: PathLike, text: str) -> tuple[dict[str, list[_Line]], str]:
    sections: dict[str, list[_Line]] = {}
    description: list[str] = []
    current = ""
    for number, raw in enumerate(text.splitlines(), start=1):
        line = re.split(r"[%#]", raw, maxsplit=1)[0].strip()
        if not line:
            continue
        match = _SECTION.match(line)
        if match:
            current = match.group(1).lower().replace(" ", "")
            known = {"coordinates", "datum", "sigma0"} | _TEXT_SECTIONS | _VECTORS | set(_SCALARS)
            if current not in known:
                raise FormatError(path, number, f"the section [{match.group(1)}] is not read")
            sections.setdefault(current, [])
        elif not current:
            raise FormatError(path, number, "a section such as [Coordinates] was expected first")
        elif current == "project":
            description.append(line)
        elif current not in _TEXT_SECTIONS:
            sections[current].append(_Line(path, number, tuple(line.split())))
    return sections, " ".join(description)


def _datum(path: PathLike, lines: Sequence[_Line], names: set[str]) -> _Datum:
    if not lines:
        raise FormatError(path, None, "has no [Datum]")
    kind, datum = lines[0].words[0].lower(), _Datum()
    if kind == "fix":
        for line in lines:
            for word in line.words[1:] if line is lines[0] else line.words:
                if word in names:
                    datum.fixed.setdefault(word, set()).update("xyz")
                elif word[:1] in "xyzH" and word[1:] in names:
                    datum.fixed.setdefault(word[1:], set()).add("z" if word[0] == "H" else word[0])
                else:
                    raise line.error(f"{word} is no point of [Coordinates]")
    elif kind == "free":
        datum.free = lines[0].words[1:]
        for word in datum.free:
            if word not in names:
                raise lines[0].error(f"{word} is no point of [Coordinates]")
    elif kind == "dyn":
        for line in lines[1:]:
            if line.words[0] not in names:
                raise line.error(f"{line.words[0]} is no point of [Coordinates]")
            datum.dynamic[line.words[0]] = (line.number, line.numbers(1))
    else:
        raise lines[0].error(f"a datum is fix, free or dyn, not {kind!r}")
    return datum


def _point(
    name: str, number: int, position: FloatArray, datum: _Datum, spatial: bool, on_earth: bool
) -> NetworkPoint | PlanePoint:
    fixed = datum.fixed.get(name, set())
    unknown = ComponentRole.FREE
    if datum.free is not None and (not datum.free or name in datum.free):
        unknown = ComponentRole.DATUM
    x, y, z = (ComponentRole.FIXED if axis in fixed else unknown for axis in "xyz")
    if on_earth:
        if len(fixed) not in (0, 3):
            raise FormatError("", number, f"{name}: earth-centred points are fixed in all components or none")
        return NetworkPoint(name, position, (x, y, z), line_in_file=number)
    if not spatial:
        x = y = ComponentRole.ABSENT
    has_plane = position.size == 3
    return PlanePoint(
        name,
        float(position[0]) if has_plane else None,
        float(position[1]) if has_plane else None,
        float(position[-1]),
        (x, y, z),
        line_in_file=number,
    )


def _given_heights(
    path: PathLike, points: Sequence[NetworkPoint | PlanePoint], datum: _Datum
) -> TerrestrialCluster:
    """The given heights of a dynamic datum as observations with their covariance."""
    names = list(datum.dynamic)
    by_name = {point.name: point for point in points}
    observations = []
    for name in names:
        point = by_name.get(name)
        if not isinstance(point, PlanePoint) or point.height_m is None:
            raise FormatError(
                path, datum.dynamic[name][0], f"a dynamic datum is read for heights, not for {name}"
            )
        observations.append(
            ScalarObservation(
                ScalarKind.COORDINATE_HEIGHT,
                name,
                "",
                point.height_m,
                name=f"given height {name}",
                line_in_file=datum.dynamic[name][0],
            )
        )
    rows = [values for _, values in datum.dynamic.values()]
    if any(len(row) != len(names) for row in rows):
        raise FormatError(path, datum.dynamic[names[0]][0], f"rows of {len(names)} numbers were expected")
    covariance = np.array(rows)
    if not np.allclose(covariance, covariance.T) or np.linalg.eigvalsh(covariance)[0] <= 0.0:
        raise FormatError(
            path, datum.dynamic[names[0]][0], "the datum's covariance is not symmetric and positive definite"
        )
    return TerrestrialCluster(tuple(observations), covariance, "given heights")


def _clusters(sections: dict[str, list[_Line]], names: set[str]) -> list[ObservationCluster]:
    result: list[ObservationCluster] = []
    for section, lines in sections.items():
        for line in lines if section in _VECTORS or section in _SCALARS else ():
            if len(line.words) < 3:
                raise line.error("two points and numbers were expected")
            for word in line.words[:2]:
                if word not in names:
                    raise line.error(f"point {word} is not in [Coordinates]")
        if section in _VECTORS and lines:
            result.append(_vectors(lines))
        elif section in _SCALARS and lines:
            result.append(_numbers(section, lines))
    return result


def _vectors(lines: Sequence[_Line]) -> GnssVectorCluster:
    vectors, covariances, heights = [], [], []
    for line in lines:
        values = line.numbers(2)
        if len(values) in (6, 8):
            covariance = np.diag(np.square(values[3:6]))
            rest = values[6:]
        elif len(values) in (9, 11):
            covariance = np.zeros((3, 3))
            covariance[np.triu_indices(3)] = values[3:9]
            covariance = covariance + np.triu(covariance, 1).T
            rest = values[9:]
        else:
            raise line.error("a vector has three components and three sigmas or six covariances")
        if np.linalg.eigvalsh(covariance)[0] <= 0.0:
            raise line.error("the covariance of the vector is not positive definite")
        vectors.append(values[:3])
        covariances.append(covariance)
        heights.append(rest or [0.0, 0.0])
    antenna = np.array(heights)
    return GnssVectorCluster(
        tuple(line.words[0] for line in lines),
        tuple(line.words[1] for line in lines),
        np.array(vectors),
        np.array(covariances),
        antenna[:, 0] if np.any(antenna) else None,
        antenna[:, 1] if np.any(antenna) else None,
        line_in_file=tuple(line.number for line in lines),
    )


def _numbers(section: str, lines: Sequence[_Line]) -> TerrestrialCluster:
    kind = _SCALARS[section]
    observations, variances = [], []
    last: list[float] = []
    for line in lines:
        value, *rest = line.numbers(2)
        length_m = 0.0
        if kind is ScalarKind.HEIGHT_DIFFERENCE:
            if not rest or rest[0] <= 0.0:
                raise line.error("a height difference needs the length of its line, in metres")
            length_m, *rest = rest
        last = rest or last
        if not last or last[0] <= 0.0:
            raise line.error("no standard deviation here or in a line before")
        if kind is ScalarKind.HEIGHT_DIFFERENCE:
            variance = last[0] ** 2 * length_m / 1000.0
        elif kind is ScalarKind.ZENITH_ANGLE:
            value, variance = value * RAD_PER_GON, (last[0] * RAD_PER_GON) ** 2
        else:
            variance = last[0] ** 2 + (last[1] ** 2 * value if len(last) > 1 else 0.0)
        frm, to = line.words[:2]
        observations.append(
            ScalarObservation(kind, frm, to, value, name=f"{kind} {frm} -> {to}", line_in_file=line.number)
        )
        variances.append(variance)
    group = "levelling" if kind is ScalarKind.HEIGHT_DIFFERENCE else "terrestrial"
    return TerrestrialCluster(tuple(observations), np.array(variances), group)
