"""Any file of a network, known by its content, and several of them as one network.

Read are GNU Gama (gama-local, gama-g3), DynAdjust (DynaML, DNA), the Stuttgart examples (.dat), SINEX, and
the CSV tables of docs/network-csv.md; each plain or compressed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from datum.formats.dna_text import HEADER as DNA_HEADER
from datum.formats.dna_text import dna_network
from datum.formats.dynaml import dynaml_network
from datum.formats.gama_g3 import CovarianceUnit, gama_g3_network
from datum.formats.gama_local import gama_local_network
from datum.formats.krumm_text import krumm_network
from datum.formats.network_csv import read_network_csv
from datum.formats.xml_elements import MAXIMUM_BYTES, parse_xml
from datum.network.observations import (
    ComponentRole,
    CoordinateCluster,
    Geometry,
    GnssVectorCluster,
    Network,
    NetworkPoint,
    NormalEquationCluster,
    ObservationCluster,
    PlanePoint,
    TerrestrialCluster,
)
from datum.network.sinex_network import sinex_network
from stations.formats.compression import read_bytes
from stations.formats.sinex import parse_sinex
from stations.records import PathLike
from transforms.errors import FormatError, InputError

FloatArray = NDArray[np.float64]

# Two files may know a mark to a metre each (a navigation solution); more apart, they are two marks.
_SAME_MARK_M: Final = 10.0
_MOST_NAMED: Final = 10


class NetworkFormat(StrEnum):
    """The formats of networks."""

    GAMA_LOCAL = "gama-local"
    GAMA_G3 = "gama-g3"
    DYNAML = "DynaML"
    DNA = "DNA"
    STUTTGART = "Stuttgart examples"
    SINEX = "SINEX"
    CSV = "CSV"


_XML: Final = {
    NetworkFormat.GAMA_LOCAL: b"gama-local",
    NetworkFormat.GAMA_G3: b"gnu-gama-data",
    NetworkFormat.DYNAML: b"DnaXmlFormat",
}


@dataclass(frozen=True)
class NetworkReading:
    """How files are read.

    gama_covariance : unit of the covariances of gama-g3 (`datum.formats.gama_g3`)
    frame : of SINEX files that do not name theirs
    """

    gama_covariance: CovarianceUnit = "auto"
    frame: str | None = None


def read_network(paths: Sequence[PathLike], reading: NetworkReading | None = None) -> Network:
    """One network from one or more files.

    Raises FormatError for a file that breaks its format, InputError for files that cannot stand together, for
    observations to points that no file gives, and where nothing is observed.
    """
    options = NetworkReading() if reading is None else reading
    if not paths:
        raise InputError("a network needs one file at least")
    return joined_networks([read_network_file(path, options) for path in paths])


def read_network_file(path: PathLike, reading: NetworkReading) -> Network:
    """What one file holds; its kind is told from its content. Raises FormatError."""
    data, identity = read_bytes(path, maximum_bytes=MAXIMUM_BYTES)
    kind = format_of(data)
    if kind in _XML:
        root = parse_xml(path, data)
        if kind is NetworkFormat.GAMA_LOCAL:
            return gama_local_network(root, identity)
        if kind is NetworkFormat.GAMA_G3:
            return gama_g3_network(root, identity, covariance_unit=reading.gama_covariance)
        return dynaml_network(root, identity)
    if kind is NetworkFormat.DNA:
        return dna_network(data, identity)
    if kind is NetworkFormat.SINEX:
        return sinex_network(parse_sinex(data, identity), frame=reading.frame)
    if kind is NetworkFormat.STUTTGART:
        return krumm_network(data, identity)
    if kind is NetworkFormat.CSV:
        return read_network_csv(path)
    raise FormatError(
        path,
        None,
        "is no network: GNU Gama and DynaML XML, DNA, SINEX, Stuttgart .dat and CSV tables are read",
    )


def format_of(data: bytes) -> NetworkFormat | None:
    """The format of a file's bytes; None where it is no network."""
    head = data[:4096].lstrip(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"<") or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        plain = head.replace(b"\x00", b"")
        # Other XML is left to the reader of the likeliest, which says what is wrong with it.
        for kind, tag in _XML.items():
            if b"<" + tag in plain:
                return kind
        return NetworkFormat.GAMA_LOCAL
    if head.startswith(DNA_HEADER.encode()):
        return NetworkFormat.DNA
    if head.startswith(b"%=SNX"):
        return NetworkFormat.SINEX
    if b"[coordinates]" in data.lower():
        return NetworkFormat.STUTTGART
    if b"," in head.partition(b"\n")[0] or head.startswith(b"#"):
        return NetworkFormat.CSV
    return None


def rejects_by_own_rule(paths: Sequence[PathLike]) -> bool:
    """Whether a file comes from a program that has a rule of its own for observations that are not used.

    GNU Gama rejects by the misclosure that its file states, DynAdjust marks measurements as ignored; what
    they keep is not searched for outliers unless asked.
    """
    own = set(NetworkFormat) - {NetworkFormat.CSV, NetworkFormat.SINEX}
    return any(format_of(read_bytes(path, maximum_bytes=MAXIMUM_BYTES)[0]) in own for path in paths)


@dataclass
class _Joining:
    points: dict[str, NetworkPoint | PlanePoint] = field(default_factory=dict)
    home: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def joined_networks(parts: Sequence[Network]) -> Network:
    """Networks as one: points by their names, all observations.

    The first part with points rules over geometry, datum, frame and epoch. Points without an observation are
    left out, with a remark.
    """
    with_points = [part for part in parts if part.points]
    if not with_points:
        raise InputError(f"{_files(parts)}: there are observations, and no file gives points")
    first = with_points[0]
    joining = _Joining()
    for part in with_points:
        if part.geometry is not first.geometry:
            raise InputError(
                f"{_files([first])} is a network {_words(first.geometry)}, and {_files([part])} one "
                f"{_words(part.geometry)}: they cannot be adjusted together"
            )
        for name in ("frame", "epoch"):
            one, other = _text(getattr(first, name)), _text(getattr(part, name))
            if one and other and one != other:
                raise InputError(
                    f"{_files([first])} has the {name} {one}, and {_files([part])} {other}: bring them to one"
                )
        for point in part.points:
            _join(joining, point, _files([part]))
    clusters = tuple(cluster for part in parts for cluster in part.clusters)
    if not clusters:
        raise InputError(f"{_files(parts)}: there are points, and no file gives observations")
    counts = _observed(parts, joining)
    unseen = [name for name in joining.points if name not in counts]
    remarks = [remark for part in parts for remark in part.remarks] + joining.remarks
    if unseen:
        remarks.append(
            f"{len(unseen)} stations without an observation are left out: {', '.join(unseen[:_MOST_NAMED])}"
            + (" ..." if len(unseen) > _MOST_NAMED else "")
        )
    gone = set(unseen)
    kept = tuple(point for name, point in joining.points.items() if name not in gone)
    limits = [part.misclosure_limit_m for part in parts if part.misclosure_limit_m is not None]
    inputs = {item: None for part in parts for item in part.inputs}
    return replace(
        first,
        points=cast("tuple[NetworkPoint, ...]", kept),  # all of the first part's geometry
        clusters=clusters,
        frame=next((part.frame for part in parts if part.frame), ""),
        epoch=next((part.epoch for part in parts if part.epoch is not None), None),
        misclosure_limit_m=min(limits) if limits else None,
        remarks=tuple(dict.fromkeys(remarks)),
        inputs=tuple(inputs),
    )


def _words(geometry: Geometry) -> str:
    return "on the earth" if geometry is Geometry.EARTH else "in the plane"


def _text(value: object) -> str:
    iso = getattr(value, "iso", None)
    return str(iso()) if callable(iso) else str(value or "")


def _files(parts: Sequence[Network]) -> str:
    return ", ".join(item.path for part in parts for item in part.inputs) or "the network"


def _join(joining: _Joining, point: NetworkPoint | PlanePoint, path: str) -> None:
    known = joining.points.get(point.name)
    if known is None:
        joining.points[point.name] = point
        joining.home[point.name] = path
        return
    one, other = _position(known), _position(point)
    apart_m = float(np.linalg.norm(one - other)) if one.size == other.size and one.size else 0.0
    where = f"{joining.home[point.name]}, line {known.line_in_file}"
    if apart_m > _SAME_MARK_M:
        raise FormatError(
            path,
            point.line_in_file or None,
            f"station {point.name} lies {apart_m:.3f} m from the station of that name in {where}: one name "
            "must be one mark",
        )
    if ComponentRole.FIXED in point.roles and ComponentRole.FIXED in known.roles and apart_m > 0.0:
        raise FormatError(
            path,
            point.line_in_file or None,
            f"station {point.name} is fixed here and in {where}, {apart_m:.4f} m apart: which holds?",
        )
    if ComponentRole.FREE in known.roles and ComponentRole.FREE not in point.roles:
        joining.points[point.name] = point  # held coordinates count before approximate ones
        joining.home[point.name] = path
    if apart_m > 0.0:
        joining.remarks.append(
            f"station {point.name} is given again in {path}, {apart_m:.4f} m from {where}: the "
            f"{'held' if joining.home[point.name] == path else 'first'} coordinates count"
        )


def _position(point: NetworkPoint | PlanePoint) -> FloatArray:
    if isinstance(point, NetworkPoint):
        return np.array([]) if point.position_ecef_m is None else np.asarray(point.position_ecef_m)
    return np.array([value for value in (point.x_m, point.y_m, point.height_m) if value is not None])


def _observed(parts: Sequence[Network], joining: _Joining) -> dict[str, int]:
    """Station -> how many observations touch it; FormatError for one that no file gives."""
    counts: dict[str, int] = {}
    for part in parts:
        path = _files([part])
        for cluster in part.clusters:
            for name, line in stations_and_lines(cluster):
                if name not in joining.points:
                    raise FormatError(
                        path, line or None, f"station {name} is observed, and no file gives its coordinates"
                    )
                counts[name] = counts.get(name, 0) + 1
    return counts


def stations_and_lines(cluster: ObservationCluster) -> list[tuple[str, int]]:
    """The stations that a cluster touches, each with the line of the observation (0 where not known)."""
    result: list[tuple[str, int]] = []
    if isinstance(cluster, GnssVectorCluster):
        lines = cluster.line_in_file or (0,) * len(cluster.frm)
        for frm, to, line in zip(cluster.frm, cluster.to, lines, strict=True):
            result += [(frm, line), (to, line)]
    elif isinstance(cluster, CoordinateCluster):
        lines = cluster.line_in_file or (0,) * len(cluster.stations)
        result += list(zip(cluster.stations, lines, strict=True))
    elif isinstance(cluster, TerrestrialCluster):
        for item in cluster.observations:
            result += [(name, item.line_in_file) for name in (item.frm, item.to, item.third) if name]
    elif isinstance(cluster, NormalEquationCluster):
        result += [(name, 0) for name in dict.fromkeys(key.subject for key in cluster.equations.keys)]
    return result
