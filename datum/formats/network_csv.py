"""Networks in CSV: points, GNSS vectors and terrestrial observations, a table each, known by their columns.

The tables are described, column by column, in docs/network-csv.md. A table of points has the column `point`,
one of vectors `dx_m`, one of terrestrial observations `kind`. Units stand in the names of the columns.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.formats.csv_table import CsvRow, check_unique, read_bytes, read_table
from datum.network.observations import (
    ComponentRole,
    Geometry,
    GnssVectorCluster,
    Network,
    NetworkPoint,
    ObservationCluster,
    PlanePoint,
    ScalarKind,
    ScalarObservation,
    TerrestrialCluster,
)
from stations.records import InputFile, PathLike
from transforms.ellipsoids import GRS80
from transforms.errors import FormatError
from transforms.geodetic import ecef_from_geodetic
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]

ECEF_COLUMNS: Final = ("x_m", "y_m", "z_m")
GEODETIC_COLUMNS: Final = ("latitude_deg", "longitude_deg", "ellipsoidal_height_m")
PLANE_COLUMNS: Final = ("northing_m", "easting_m", "height_m")
_POINT_OPTIONAL: Final = (
    *ECEF_COLUMNS,
    *GEODETIC_COLUMNS,
    *PLANE_COLUMNS,
    "role",
    "sigma_east_mm",
    "sigma_north_mm",
    "sigma_up_mm",
    "geoid_height_m",
    "deflection_north_arcsec",
    "deflection_east_arcsec",
    "frame",
    "epoch",
    "description",
)
VECTOR_COLUMNS: Final = ("from", "to", "dx_m", "dy_m", "dz_m")
_MATRIX_COLUMNS: Final = ("cxx_m2", "cxy_m2", "cxz_m2", "cyy_m2", "cyz_m2", "czz_m2")
_SIGMA_COLUMNS: Final = ("sigma_east_mm", "sigma_north_mm", "sigma_up_mm")
_VECTOR_OPTIONAL: Final = (
    "vector",
    *_MATRIX_COLUMNS,
    "sigma_mm",
    "from_antenna_height_m",
    "to_antenna_height_m",
    "group",
    "frame",
    "epoch",
)
TERRESTRIAL_COLUMNS: Final = ("kind", "from", "value")
_TERRESTRIAL_OPTIONAL: Final = (
    "observation",
    "to",
    "third",
    "sigma_mm",
    "sigma_arcsec",
    "set",
    "instrument_height_m",
    "target_height_m",
    "third_height_m",
    "group",
)
# What the values of a kind are counted in: metres, or degrees.
ANGLES: Final = frozenset(
    {
        ScalarKind.DIRECTION,
        ScalarKind.HORIZONTAL_ANGLE,
        ScalarKind.AZIMUTH,
        ScalarKind.ZENITH_ANGLE,
        ScalarKind.LATITUDE,
        ScalarKind.LONGITUDE,
    }
)
_ONE_POINT: Final = frozenset(
    {
        ScalarKind.ORTHOMETRIC_HEIGHT,
        ScalarKind.ELLIPSOIDAL_HEIGHT,
        ScalarKind.LATITUDE,
        ScalarKind.LONGITUDE,
        ScalarKind.COORDINATE_X,
        ScalarKind.COORDINATE_Y,
        ScalarKind.COORDINATE_HEIGHT,
    }
)
_RAD_PER_ARC_SECOND: Final = math.pi / 648_000.0
_MILLIMETRE_M: Final = 1e-3
_EARTH_M: Final = 6.5e6
_PLANE_M: Final = 1e8
_LONGEST_VECTOR_M: Final = 1.3e7
_GREATEST_SIGMA_MM: Final = 1e6
_SMALLEST_SIGMA: Final = 1e-6
_GREATEST_INSTRUMENT_HEIGHT_M: Final = 100.0  # a tower
_ROLES: Final = {
    "free": ComponentRole.FREE,
    "fixed": ComponentRole.FIXED,
    "weighted": ComponentRole.WEIGHTED,
    "datum": ComponentRole.DATUM,
}


def read_network_csv(path: PathLike) -> Network:
    """Read one table of a network; what it holds is told by its columns. Raises FormatError."""
    columns = _header(path)
    if "point" in columns:
        rows, identity = read_table(path, required=("point",), optional=_POINT_OPTIONAL)
        check_unique(rows, "point")
        return _points(rows, columns, identity)
    if "dx_m" in columns:
        rows, identity = read_table(path, required=VECTOR_COLUMNS, optional=_VECTOR_OPTIONAL)
        return Network(Geometry.EARTH, (), tuple(_vectors(rows)), inputs=(identity,))
    if "kind" in columns:
        rows, identity = read_table(path, required=TERRESTRIAL_COLUMNS, optional=_TERRESTRIAL_OPTIONAL)
        return Network(Geometry.EARTH, (), tuple(_terrestrial(rows)), inputs=(identity,))
    raise FormatError(
        path,
        1,
        "a table of a network has the column point (of points), dx_m (of vectors) or kind (of terrestrial "
        "observations)",
    )


def _header(path: PathLike) -> set[str]:
    for line in read_bytes(path).decode("utf-8-sig", errors="replace").splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            return {name.strip().strip('"') for name in line.split(",")}
    raise FormatError(path, None, "is empty")


def _points(rows: Sequence[CsvRow], columns: set[str], identity: InputFile) -> Network:
    kinds = [kind for kind in (ECEF_COLUMNS, GEODETIC_COLUMNS, PLANE_COLUMNS) if columns & set(kind)]
    if len(kinds) > 1:
        raise FormatError(
            identity.path,
            rows[0].line,
            f"coordinates are either {' '.join(kinds[0])} or {' '.join(kinds[1])}, not both",
        )
    plane = bool(kinds) and kinds[0] is PLANE_COLUMNS
    points = tuple(_plane_point(row) if plane else _earth_point(row) for row in rows)
    frames = sorted({row.texts.get("frame", "") for row in rows} - {""})
    epochs = sorted({row.texts.get("epoch", "") for row in rows} - {""})
    for name, values in (("frame", frames), ("epoch", epochs)):
        if len(values) > 1:
            raise FormatError(identity.path, None, f"points of more than one {name}: {', '.join(values)}")
    return Network(
        Geometry.PLANE if plane else Geometry.EARTH,
        points,  # type: ignore[arg-type]  # all of one kind
        (),
        frame=frames[0] if frames else "",
        epoch=_epoch(rows[0]) if epochs else None,
        inputs=(identity,),
    )


def _epoch(row: CsvRow) -> Epochs | None:
    text = row.texts.get("epoch", "")
    if not text:
        return None
    try:
        return Epochs.from_datetime64(np.datetime64(text, "ns"))
    except ValueError:
        raise row.error("epoch", f"{text!r} is no ISO time") from None


def _role(row: CsvRow) -> ComponentRole:
    text = row.texts.get("role", "") or "free"
    if text not in _ROLES:
        raise row.error("role", f"{text!r} is none of {', '.join(_ROLES)}")
    return _ROLES[text]


def _weight(row: CsvRow, role: ComponentRole) -> FloatArray | None:
    """Covariance (3, 3) in east, north, up of a weighted point."""
    if role is not ComponentRole.WEIGHTED:
        return None
    sigmas = [row.number(name, _SMALLEST_SIGMA, _GREATEST_SIGMA_MM) for name in _SIGMA_COLUMNS]
    return np.diag(np.square(np.array(sigmas) * _MILLIMETRE_M))


def _earth_point(row: CsvRow) -> NetworkPoint:
    role = _role(row)
    position: FloatArray | None = None
    if any(row.texts.get(name, "") for name in ECEF_COLUMNS):
        position = np.array([row.number(name, -_EARTH_M, _EARTH_M) for name in ECEF_COLUMNS])
    elif any(row.texts.get(name, "") for name in GEODETIC_COLUMNS):
        position = ecef_from_geodetic(
            math.radians(row.number("latitude_deg", -90.0, 90.0)),
            math.radians(row.number("longitude_deg", -180.0, 360.0)),
            row.number("ellipsoidal_height_m", -1000.0, 10_000.0),
            GRS80,
        )
    if position is None and role in (ComponentRole.FIXED, ComponentRole.WEIGHTED):
        raise row.error("role", f"{row.text('point')} is {role.value}, and has no coordinates")
    deflection = [
        (row.optional_number(name, -200.0, 200.0) or 0.0) * _RAD_PER_ARC_SECOND
        for name in ("deflection_north_arcsec", "deflection_east_arcsec")
    ]
    return NetworkPoint(
        row.text("point"),
        position,
        (role, role, role),
        _weight(row, role),
        (deflection[0], deflection[1]),
        row.optional_number("geoid_height_m", -200.0, 200.0) or 0.0,
        row.texts.get("frame", ""),
        _epoch(row),
        row.texts.get("description", ""),
        row.line,
    )


def _plane_point(row: CsvRow) -> PlanePoint:
    """A point of a plane network: x to the north, y to the east; what is empty is not there."""
    role = _role(row)
    north, east, height = (row.optional_number(name, -_PLANE_M, _PLANE_M) for name in PLANE_COLUMNS)
    if (north is None) != (east is None):
        raise row.error("northing_m", "northing and easting are given together or not at all")
    if role in (ComponentRole.FIXED, ComponentRole.WEIGHTED) and north is None and height is None:
        raise row.error("role", f"{row.text('point')} is {role.value}, and has no coordinates")
    has_plane, has_height = "northing_m" in row.texts, "height_m" in row.texts
    held = role in (ComponentRole.FIXED, ComponentRole.WEIGHTED)
    plane_role = role if has_plane and (north is not None or not held) else ComponentRole.ABSENT
    height_role = role if has_height and (height is not None or not held) else ComponentRole.ABSENT
    weight = _weight(row, role)
    if weight is not None:
        weight = weight[np.ix_([1, 0, 2], [1, 0, 2])]
    return PlanePoint(
        row.text("point"),
        north,
        east,
        height,
        (plane_role, plane_role, height_role),
        weight,
        row.texts.get("description", ""),
        row.line,
    )


def _vectors(rows: Sequence[CsvRow]) -> list[ObservationCluster]:
    groups: dict[tuple[str, str, str], list[CsvRow]] = {}
    for row in rows:
        key = tuple(row.texts.get(name, "") for name in ("group", "frame", "epoch"))
        groups.setdefault((key[0], key[1], key[2]), []).append(row)
    return [_vector_cluster(group, frame, members) for (group, frame, _), members in groups.items()]


def _vector_cluster(group: str, frame: str, rows: Sequence[CsvRow]) -> GnssVectorCluster:
    limit = _LONGEST_VECTOR_M
    for row in rows:
        if row.text("from") == row.text("to"):
            raise row.error("to", f"the vector ends at {row.text('to')}, where it begins")
    vectors = np.array([[row.number(name, -limit, limit) for name in VECTOR_COLUMNS[2:]] for row in rows])
    heights = [
        np.array([row.optional_number(name, 0.0, _GREATEST_INSTRUMENT_HEIGHT_M) or 0.0 for row in rows])
        for name in ("from_antenna_height_m", "to_antenna_height_m")
    ]
    return GnssVectorCluster(
        tuple(row.text("from") for row in rows),
        tuple(row.text("to") for row in rows),
        vectors,
        np.array([_vector_covariance(row) for row in rows]),
        heights[0] if np.any(heights[0]) else None,
        heights[1] if np.any(heights[1]) else None,
        names=tuple(row.texts.get("vector", "") or _ends(row) for row in rows),
        group=group or "gnss vectors",
        frame=frame,
        epoch=_epoch(rows[0]),
        line_in_file=tuple(row.line for row in rows),
    )


def _ends(row: CsvRow) -> str:
    return f"{row.text('from')} -> {row.text('to')}"


def _vector_covariance(row: CsvRow) -> FloatArray:
    """The covariance (3, 3) in earth-centred axes: its six elements, or one sigma for all components."""
    if any(row.texts.get(name, "") for name in _MATRIX_COLUMNS):
        xx, xy, xz, yy, yz, zz = (row.number(name, -1e6, 1e6) for name in _MATRIX_COLUMNS)
        matrix = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        smallest = float(np.linalg.eigvalsh(matrix)[0])
        if smallest <= 0.0:
            raise row.error(
                "cxx_m2",
                f"the covariance of {_ends(row)} is not positive definite (smallest "
                f"eigenvalue {smallest:.3g} m2): no vector can have it",
            )
        return matrix
    sigma_mm = row.number("sigma_mm", _SMALLEST_SIGMA, _GREATEST_SIGMA_MM)
    return np.eye(3) * (sigma_mm * _MILLIMETRE_M) ** 2


def _terrestrial(rows: Sequence[CsvRow]) -> list[ObservationCluster]:
    groups: dict[str, list[CsvRow]] = {}
    for row in rows:
        groups.setdefault(row.texts.get("group", "") or "terrestrial", []).append(row)
    return [
        TerrestrialCluster(
            tuple(_scalar(row) for row in members),
            np.square(np.array([_scalar_sigma(row) for row in members])),
            group,
        )
        for group, members in groups.items()
    ]


def _kind(row: CsvRow) -> ScalarKind:
    text = row.text("kind")
    try:
        return ScalarKind(text)
    except ValueError:
        raise row.error("kind", f"{text!r} is none of {', '.join(ScalarKind)}") from None


def _scalar(row: CsvRow) -> ScalarObservation:
    kind = _kind(row)
    frm, to, third = row.text("from"), row.texts.get("to", ""), row.texts.get("third", "")
    wanted = 1 if kind in _ONE_POINT else 3 if kind is ScalarKind.HORIZONTAL_ANGLE else 2
    ends = [name for name in (frm, to, third) if name]
    if len(ends) != wanted or len(set(ends)) != wanted:
        raise row.error("to", f"the kind {kind.value} needs {wanted} different points, not {' '.join(ends)}")
    if kind is ScalarKind.DIRECTION and not row.texts.get("set", ""):
        raise row.error("set", "a direction needs the set it was read in")
    limit = 360.0 if kind in ANGLES else _PLANE_M
    value = row.number("value", -limit, limit)
    instrument, target, third_target = (
        row.optional_number(name, -_GREATEST_INSTRUMENT_HEIGHT_M, _GREATEST_INSTRUMENT_HEIGHT_M) or 0.0
        for name in ("instrument_height_m", "target_height_m", "third_height_m")
    )
    return ScalarObservation(
        kind,
        frm,
        to,
        math.radians(value) if kind in ANGLES else value,
        third,
        row.texts.get("set", ""),
        instrument,
        target,
        third_target,
        name=row.texts.get("observation", "") or f"{kind.value} {' -> '.join(ends)}",
        line_in_file=row.line,
    )


def _scalar_sigma(row: CsvRow) -> float:
    if _kind(row) in ANGLES:
        return row.number("sigma_arcsec", _SMALLEST_SIGMA, 648_000.0) * _RAD_PER_ARC_SECOND
    return row.number("sigma_mm", _SMALLEST_SIGMA, _GREATEST_SIGMA_MM) * _MILLIMETRE_M
