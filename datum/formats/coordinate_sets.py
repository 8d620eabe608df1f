"""Coordinates of stations from what programs publish, for comparing two solutions.

Read are SINEX, the results of gama-g3 (XML) and of DynAdjust (.adj, .xyz), station files of both, the JSON of
`network adjust` and `network combine`, and CSV tables with `station` (or `point`) and x_m, y_m, z_m or
latitude_deg, longitude_deg, ellipsoidal_height_m.
"""

import json
import math
import re
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from datum.formats.csv_table import read_table
from datum.formats.dna_text import HEADER as DNA_HEADER
from datum.formats.dna_text import dna_network
from datum.formats.dynaml import dynaml_network
from datum.formats.gama_g3 import gama_g3_network
from datum.formats.network_csv import ECEF_COLUMNS, GEODETIC_COLUMNS
from datum.formats.xml_elements import XmlElement, parse_xml
from datum.network.comparison import CoordinateSet
from datum.network.observations import Network, NetworkPoint
from datum.network.sinex_network import sinex_network
from stations.formats.compression import read_bytes
from stations.formats.sinex import parse_sinex
from stations.formats.sinex_records import SinexDocument
from stations.records import InputFile, PathLike
from transforms.errors import FormatError
from transforms.geodetic import ecef_from_geodetic
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]

_DYNADJUST: Final = b"DYNADJUST"
_OPTIONAL_COLUMNS: Final = (
    *ECEF_COLUMNS,
    *GEODETIC_COLUMNS,
    "point",
    "station",
    "frame",
    "epoch",
    "solution_number",
    "sigma_east_mm",
    "sigma_north_mm",
    "sigma_up_mm",
    "role",
    "n_observations",
    "description",
    "observations",
)
_LARGEST_M: Final = 6.5e6
# A line of DynAdjust's "Adjusted Coordinates": three decimals or more of X, Y, Z after name and constraint.
_DYNADJUST_LINE: Final = re.compile(r"^(.{20})([CF]{3})\s+(.+)$")


def read_coordinate_set(path: PathLike, *, frame: str | None = None) -> CoordinateSet:
    """The coordinates in a file. Raises FormatError where there are none.

    frame : where the file does not name it
    """
    data, identity = read_bytes(path)
    head = data[:4096].lstrip(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"%=SNX"):
        return _of_sinex(parse_sinex(data, identity), identity, frame)
    if head.startswith(b"<"):
        root = parse_xml(path, data)
        if root.child("g3-adjustment-results") is not None:
            return _of_gama(root.require("g3-adjustment-results"), identity, frame)
        if root.tag == "gnu-gama-data":
            return _of_network(gama_g3_network(root, identity), identity, frame)
        if root.tag == "DnaXmlFormat":
            return _of_network(dynaml_network(root, identity), identity, frame)
        raise root.error("holds no coordinates that can be compared")
    if head.startswith(DNA_HEADER.encode()):
        return _of_network(dna_network(data, identity), identity, frame)
    if _DYNADJUST in data[:4096]:
        return _of_dynadjust(data.decode("utf-8", errors="replace"), identity, frame)
    if head.startswith(b"{"):
        return _of_json(data, identity, frame)
    return _of_csv(path, identity, frame)


def _set(
    identity: InputFile,
    frame: str,
    epoch: Epochs | None,
    positions: dict[str, FloatArray],
    covariance: list[FloatArray] | None = None,
) -> CoordinateSet:
    if not positions:
        raise FormatError(identity.path, None, "holds no coordinates of stations")
    return CoordinateSet(
        identity.path,
        frame,
        epoch,
        tuple(positions),
        np.array(list(positions.values())),
        None if covariance is None else np.array(covariance),
        (identity,),
    )


def _of_sinex(document: SinexDocument, identity: InputFile, frame: str | None) -> CoordinateSet:
    """Positions of a SINEX file; of a station with several solution numbers the last one counts."""
    network = sinex_network(document, frame=frame)
    latest: dict[str, FloatArray] = {}
    for point in network.points:
        if isinstance(point, NetworkPoint) and point.position_ecef_m is not None:
            latest[point.name.split(":")[0]] = point.position_ecef_m
    return _set(identity, network.frame, network.epoch, latest)


def _of_network(network: Network, identity: InputFile, frame: str | None) -> CoordinateSet:
    positions = {
        point.name: point.position_ecef_m
        for point in network.points
        if isinstance(point, NetworkPoint) and point.position_ecef_m is not None
    }
    return _set(identity, frame or network.frame, network.epoch, positions)


def _of_gama(results: XmlElement, identity: InputFile, frame: str | None) -> CoordinateSet:
    positions: dict[str, FloatArray] = {}
    for point in results.require("adjustment-results").named("point"):
        suffix = "adjusted" if point.child("x-adjusted") is not None else "given"
        positions[point.word("id")] = np.array([point.number(f"{axis}-{suffix}") for axis in "xyz"])
    return _set(identity, frame or "", None, positions)


def _of_dynadjust(text: str, identity: InputFile, frame: str | None) -> CoordinateSet:
    lines = text.splitlines()
    start = next((i for i, line in enumerate(lines) if line.startswith("Adjusted Coordinates")), None)
    if start is None:
        raise FormatError(identity.path, None, "has no table of adjusted coordinates: is it cut off?")
    header = next((i for i in range(start, len(lines)) if lines[i].startswith("Station ")), None)
    if header is None or " X " not in lines[header]:
        raise FormatError(identity.path, start + 1, "the table of adjusted coordinates has no X, Y and Z")
    names = lines[header].split()
    column = names.index("X") - names.index("Const") - 1
    positions: dict[str, FloatArray] = {}
    for number in range(header + 2, len(lines)):
        match = _DYNADJUST_LINE.match(lines[number])
        if match is None:
            break
        words = match.group(3).split()[column : column + 3]
        try:
            positions[match.group(1).strip()] = np.array([float(word) for word in words])
        except ValueError:
            raise FormatError(identity.path, number + 1, f"no coordinates: {' '.join(words)}") from None
    stated = next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("Reference frame:")), ""
    )
    return _set(identity, frame or stated, None, positions)


def _of_json(data: bytes, identity: InputFile, frame: str | None) -> CoordinateSet:
    try:
        content: Any = json.loads(data)
        positions: dict[str, FloatArray] = {}
        for item in content["stations"]:
            position = np.array([float(value) for value in item["position_ecef_m"]])
            if position.shape != (3,) or not np.all(np.isfinite(position)):
                raise ValueError("a position is three finite numbers")
            positions[str(item["station"])] = position
        text = content.get("epoch")
        epoch = None if not text else Epochs.from_datetime64(np.datetime64(text, "ns"))
        named = str(content.get("frame") or "")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(
            identity.path,
            None,
            f"is no JSON of network adjust or combine with stations and position_ecef_m ({error})",
        ) from None
    return _set(identity, frame or named, epoch, positions)


def _of_csv(path: PathLike, identity: InputFile, frame: str | None) -> CoordinateSet:
    rows, _ = read_table(path, required=(), optional=_OPTIONAL_COLUMNS)
    positions: dict[str, FloatArray] = {}
    for row in rows:
        name = row.text("station" if "station" in row.texts else "point")
        if "x_m" in row.texts:
            positions[name] = np.array([row.number(key, -_LARGEST_M, _LARGEST_M) for key in ECEF_COLUMNS])
        else:
            positions[name] = ecef_from_geodetic(
                math.radians(row.number("latitude_deg", -90.0, 90.0)),
                math.radians(row.number("longitude_deg", -180.0, 360.0)),
                row.number("ellipsoidal_height_m", -1000.0, 10_000.0),
            )
    first = rows[0]
    text = first.texts.get("epoch", "")
    try:
        epoch = Epochs.from_datetime64(np.datetime64(text, "ns")) if text else None
    except ValueError:
        raise first.error("epoch", f"{text!r} is no ISO time") from None
    return _set(identity, frame or first.texts.get("frame", ""), epoch, positions)
