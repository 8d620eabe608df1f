"""Layers of points, lines and polygons as GeoPackage (OGC 12-128r19), the same bytes for the same records.

GDAL stamps layers with the clock unless its configuration option OGR_CURRENT_DATE says otherwise: here
that is the date of the data.
"""

import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np

from transforms.errors import FrameError, InputError
from transforms.frames import frame_named
from transforms.time_scales import Epochs, TimeScale

# Geographic 3-D systems of the EPSG dataset, by the frame's name.
EPSG_GEOGRAPHIC_3D: Final[Mapping[str, int]] = MappingProxyType(
    {
        "IGS20": 10177,
        "IGS14": 9018,
        "IGb14": 9379,
        "IGS08": 9013,
        "IGb08": 9016,
        "ITRF2020": 9989,
        "ITRF2014": 7912,
        "ITRF2008": 7911,
        "ITRF2005": 7910,
        "ITRF2000": 7909,
        "ITRF97": 7908,
        "CGCS2000": 4480,
    }
)
EPSG_CGCS2000_2D: Final = 4490
_WKB_LITTLE_ENDIAN: Final = 1
_WKB_POINT: Final = 1  # ISO 13249-3: 1 is a point, 1001 a point with z
_WKB_POINT_Z: Final = 1001
_WKB_LINE_STRING: Final = 2
_WKB_POLYGON: Final = 3

FieldValue = str | float | int | bool | None


def epsg_geographic_3d(frame: str) -> int:
    """EPSG code of a frame's geographic 3-D system, or of its datum's; FrameError if none."""
    known = frame_named(frame)
    for name in (known.name, known.datum_of):
        if name is not None and name in EPSG_GEOGRAPHIC_3D:
            return EPSG_GEOGRAPHIC_3D[name]
    raise FrameError(f"{frame} has no geographic 3-D system in the EPSG dataset")


@dataclass(frozen=True)
class PointLayer:
    """A layer of points.

    coordinates : (longitude, latitude) in degrees, with the ellipsoidal height in metres for a 3-D system;
        None where a row has no place
    epsg : code of the coordinate system; None for a plane without a place on the earth
    fields : name -> one value for each point; None is SQL's NULL; a column holds one type
    description : in words, for the table of contents
    """

    name: str
    epsg: int | None
    coordinates: Sequence[tuple[float, ...] | None]
    fields: Mapping[str, Sequence[FieldValue]]
    description: str = ""


@dataclass(frozen=True)
class ShapeLayer:
    """A layer of lines or polygons.

    kind : "LineString" or "Polygon" (one ring, closed here)
    shapes : for each row its (longitude, latitude) pairs in degrees, or plane coordinates
    epsg, fields, description : as in `PointLayer`; an epsg of None is a plane without a place on the earth
    """

    name: str
    epsg: int | None
    kind: Literal["LineString", "Polygon"]
    shapes: Sequence[Sequence[tuple[float, float]]]
    fields: Mapping[str, Sequence[FieldValue]]
    description: str = ""


def write_geopackage(path: Path, layers: Sequence[PointLayer | ShapeLayer], date: Epochs) -> None:
    """Write layers to a new GeoPackage, whole or not at all.

    date : of the data, shape (); it stands as the layers' date of change

    Raises InputError where the file cannot be written.
    """
    import pyogrio  # 0.2 s that commands without products do not pay

    stamp = date.to(TimeScale.UTC).datetime64().astype("datetime64[ms]")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{stamp}Z"})
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial.gpkg")
    partial.unlink(missing_ok=True)
    try:
        for number, layer in enumerate(layers):
            _append(pyogrio, partial, layer, is_first=number == 0)
        partial.replace(path)
    except (OSError, pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise InputError(f"{path}: cannot be written ({error})") from error
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
        partial.unlink(missing_ok=True)


def _append(pyogrio: Any, path: Path, layer: PointLayer | ShapeLayer, *, is_first: bool) -> None:
    if isinstance(layer, ShapeLayer):
        binaries: list[bytes | None] = [_shape_binary(layer.kind, shape) for shape in layer.shapes]
        geometry_type: str = layer.kind
    else:
        binaries = [None if point is None else _well_known_binary(point) for point in layer.coordinates]
        has_height = any(point is not None and len(point) == 3 for point in layer.coordinates)
        geometry_type = "Point Z" if has_height else "Point"
    geometry = np.empty(len(binaries), dtype=object)
    geometry[:] = binaries
    columns = [_column(values) for values in layer.fields.values()]
    pyogrio.raw.write(
        str(path),
        geometry,
        [values for values, _ in columns],
        np.array(list(layer.fields), dtype=object),
        field_mask=[mask for _, mask in columns],
        geometry_type=geometry_type,
        crs=None if layer.epsg is None else f"EPSG:{layer.epsg}",
        layer=layer.name,
        driver="GPKG",
        encoding="UTF-8",
        layer_options={"DESCRIPTION": layer.description} if layer.description else None,
        append=not is_first,
    )


def _well_known_binary(point: tuple[float, ...]) -> bytes:
    kind = _WKB_POINT_Z if len(point) == 3 else _WKB_POINT
    return struct.pack(f"<BI{len(point)}d", _WKB_LITTLE_ENDIAN, kind, *point)


def _shape_binary(kind: str, points: Sequence[tuple[float, float]]) -> bytes:
    if kind == "Polygon":
        points = [*points, points[0]]
        head = struct.pack("<BIII", _WKB_LITTLE_ENDIAN, _WKB_POLYGON, 1, len(points))
    else:
        head = struct.pack("<BII", _WKB_LITTLE_ENDIAN, _WKB_LINE_STRING, len(points))
    return head + struct.pack(f"<{2 * len(points)}d", *(value for point in points for value in point))


def _column(values: Sequence[FieldValue]) -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any] | None]":
    mask = np.array([value is None for value in values], dtype=bool)
    present = [value for value in values if value is not None]
    if all(isinstance(value, bool) for value in present) and present:
        filled: list[Any] = [False if value is None else value for value in values]
        return np.array(filled, dtype=bool), mask if mask.any() else None
    if all(isinstance(value, int) for value in present) and present:
        filled = [0 if value is None else value for value in values]
        return np.array(filled, dtype=np.int64), mask if mask.any() else None
    if all(isinstance(value, float | int) for value in present) and present:
        filled = [np.nan if value is None else float(value) for value in values]
        return np.array(filled, dtype=np.float64), mask if mask.any() else None
    column = np.empty(len(values), dtype=object)
    column[:] = list(values)
    return column, None
