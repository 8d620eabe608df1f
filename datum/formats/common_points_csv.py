"""Common points of a local datum and the national frame, as a CSV table.

One row for each point; UTF-8, comma-separated, a header line, `#` begins a comment line.

| column | unit | |
|---|---|---|
| point | | name, unique |
| source_datum | | local datum, the same in all rows ("Beijing 1954", "Xian 1980", "Local datum of ...") |
| source_ellipsoid | | optional for the two named datums: Krassovsky 1940, IAG 1975, GRS80, ... |
| source_latitude_deg, source_longitude_deg, source_height_m | degree, m | local, height ellipsoidal |
| source_easting_m, source_northing_m | m | in the local datum's projection |
| target_frame | | a frame that the project knows ("CGCS2000"), the same in all rows |
| target_latitude_deg, target_longitude_deg, target_height_m | degree, m | in the target frame |
| target_easting_m, target_northing_m | m | in the target's projection |
| sigma_m | m | of target minus source, each horizontal component |
| sigma_height_m | m | optional: the same for the height; default sigma_m |

The geodetic columns serve a seven-parameter fit, the plane ones a plane similarity; a file may hold both.
"""

from collections.abc import Sequence
from typing import Final

from datum.formats.csv_table import CsvRow, check_unique, read_table, write_table
from datum.records import CommonPoint, CommonPoints
from stations.records import PathLike
from transforms import ellipsoids
from transforms.ellipsoids import Ellipsoid
from transforms.errors import FormatError, FrameError
from transforms.frames import frame_named

REQUIRED: Final = ("point", "source_datum", "target_frame", "sigma_m")
GEODETIC: Final = ("latitude_deg", "longitude_deg", "height_m")
PLANE: Final = ("easting_m", "northing_m")
OPTIONAL: Final = (
    "source_ellipsoid",
    "sigma_height_m",
    *(f"{side}_{name}" for side in ("source", "target") for name in (*GEODETIC, *PLANE)),
)
_ELLIPSOIDS: Final[dict[str, Ellipsoid]] = {
    e.name.upper(): e
    for e in (
        ellipsoids.KRASSOVSKY_1940,
        ellipsoids.IAG_1975,
        ellipsoids.GRS80,
        ellipsoids.CGCS2000,
        ellipsoids.WGS84,
    )
}
_ELLIPSOID_OF_DATUM: Final = {
    "BEIJING 1954": ellipsoids.KRASSOVSKY_1940,  # EPSG:4214
    "XIAN 1980": ellipsoids.IAG_1975,  # EPSG:4610
}
# What is possible: marks on land; eastings with a zone number before them (40 500 000 m).
_LOW: Final = {"latitude_deg": -90.0, "longitude_deg": -180.0, "height_m": -600.0}
_HIGH: Final = {"latitude_deg": 90.0, "longitude_deg": 360.0, "height_m": 9000.0}
_LARGEST_PLANE_M: Final = 1e8
_LARGEST_SIGMA_M: Final = 100.0
_SMALLEST_SIGMA_M: Final = 1e-5


def read_common_points(path: PathLike) -> CommonPoints:
    """Read a table of common points.

    FormatError names file, line and column: an unknown column, a number that is none or impossible, a point
    that stands twice, a second datum or frame, a datum without an ellipsoid, a row with half of a position.
    """
    rows, identity = read_table(path, required=REQUIRED, optional=OPTIONAL)
    check_unique(rows, "point")
    source_datum = _same(rows, "source_datum")
    try:
        target_frame = frame_named(_same(rows, "target_frame")).name
    except FrameError as error:
        raise rows[0].error("target_frame", str(error)) from None
    points = tuple(_point(row) for row in rows)
    return CommonPoints(
        source_datum=source_datum,
        source_ellipsoid=_ellipsoid(rows, source_datum, any(p.source_geodetic is not None for p in points)),
        target_frame=target_frame,
        points=points,
        inputs=(identity,),
    )


def write_common_points(path: PathLike, common: CommonPoints) -> None:
    """Write a table of common points: degrees to 1e-9 (0.1 mm), metres to 0.1 mm; columns that are empty in
    all rows are left out.
    """
    columns = ("point", "source_datum", "source_ellipsoid", *OPTIONAL[2:7], "target_frame", *OPTIONAL[7:],
               "sigma_m", "sigma_height_m")  # fmt: skip
    rows: list[dict[str, str]] = []
    for point in common.points:
        row = {
            "point": point.name,
            "source_datum": common.source_datum,
            "source_ellipsoid": common.source_ellipsoid.name if common.source_ellipsoid else "",
            "target_frame": common.target_frame,
            "sigma_m": f"{point.sigma_horizontal_m:.4f}",
            "sigma_height_m": f"{point.sigma_height_m:.4f}",
        }
        for side, geodetic, plane in (
            ("source", point.source_geodetic, point.source_plane_m),
            ("target", point.target_geodetic, point.target_plane_m),
        ):
            for name, value in zip(GEODETIC, geodetic or (), strict=False):
                row[f"{side}_{name}"] = f"{value:.4f}" if name == "height_m" else f"{value:.9f}"
            for name, value in zip(PLANE, plane or (), strict=False):
                row[f"{side}_{name}"] = f"{value:.4f}"
        rows.append(row)
    kept = [column for column in columns if any(row.get(column) for row in rows)]
    write_table(path, kept, ([row.get(column, "") for column in kept] for row in rows))


def _same(rows: Sequence[CsvRow], column: str) -> str:
    first = rows[0].text(column)
    for row in rows:
        if row.text(column) != first:
            raise row.error(column, f"{row.text(column)!r} differs from {first!r} in line {rows[0].line}")
    return first


def _ellipsoid(rows: Sequence[CsvRow], datum: str, is_needed: bool) -> Ellipsoid | None:
    if any(row.texts.get("source_ellipsoid") for row in rows):
        name = _same(rows, "source_ellipsoid")
        if name.upper() not in _ELLIPSOIDS:
            known = ", ".join(e.name for e in _ELLIPSOIDS.values())
            raise rows[0].error("source_ellipsoid", f"{name!r} is not known; known are {known}")
        return _ELLIPSOIDS[name.upper()]
    known_datum = _ELLIPSOID_OF_DATUM.get(datum.upper())
    if known_datum is None and is_needed:
        raise rows[0].error("source_datum", f"the ellipsoid of {datum!r} is not known: give source_ellipsoid")
    return known_datum


def _point(row: CsvRow) -> CommonPoint:
    sigma = row.number("sigma_m", _SMALLEST_SIGMA_M, _LARGEST_SIGMA_M)
    sigma_height = row.optional_number("sigma_height_m", _SMALLEST_SIGMA_M, _LARGEST_SIGMA_M)
    point = CommonPoint(
        name=row.text("point"),
        source_geodetic=_geodetic(row, "source"),
        target_geodetic=_geodetic(row, "target"),
        source_plane_m=_plane(row, "source"),
        target_plane_m=_plane(row, "target"),
        sigma_horizontal_m=sigma,
        sigma_height_m=sigma if sigma_height is None else sigma_height,
        line_in_file=row.line,
    )
    has_geodetic = point.source_geodetic is not None and point.target_geodetic is not None
    has_plane = point.source_plane_m is not None and point.target_plane_m is not None
    if not has_geodetic and not has_plane:
        raise FormatError(
            row.path,
            row.line,
            f"{point.name} needs a position on both sides: source and target {', '.join(GEODETIC)}, "
            f"or source and target {', '.join(PLANE)}",
        )
    return point


def _geodetic(row: CsvRow, side: str) -> tuple[float, float, float] | None:
    values = [row.optional_number(f"{side}_{name}", _LOW[name], _HIGH[name]) for name in GEODETIC]
    given = [value for value in values if value is not None]
    if not given:
        return None
    if len(given) != len(GEODETIC):
        missing = GEODETIC[values.index(None)]
        raise row.error(f"{side}_{missing}", "is empty, and the rest of the position is given")
    return given[0], given[1], given[2]


def _plane(row: CsvRow, side: str) -> tuple[float, float] | None:
    values = [row.optional_number(f"{side}_{name}", -_LARGEST_PLANE_M, _LARGEST_PLANE_M) for name in PLANE]
    given = [value for value in values if value is not None]
    if not given:
        return None
    if len(given) != len(PLANE):
        missing = PLANE[values.index(None)]
        raise row.error(f"{side}_{missing}", "is empty, and the rest of the position is given")
    return given[0], given[1]
