"""Levelling lines and bench marks in CSV, and adjusted heights out.

lines.csv, one row for each line:

    line                 name, unique
    from, to             bench marks
    height_difference_m  height of `to` minus height of `from`, corrected for rods and temperature
    length_km            length of the line
    sigma_mm             optional; empty: the order's sigma for 1 km times the root of the length

bench_marks.csv, one row for each bench mark:

    bench_mark           name, unique
    latitude_deg, longitude_deg  optional, positive north and east
    station              optional; reference station on the same pillar
    height_m             only for bench marks of known height, which hold the datum
    sigma_mm             of that height; empty or 0 holds it fixed

Bench marks need not all be in bench_marks.csv. Comments begin with #.
"""

import math
from typing import Final

from datum.formats.csv_table import check_unique, read_table, write_table
from datum.height.levelling_orders import levelling_order
from datum.records import HeightSolution, LevellingLine, LevellingNetwork, TideSystem
from stations.records import PathLike

LINE_COLUMNS: Final = ("line", "from", "to", "height_difference_m", "length_km")
LINE_OPTIONAL_COLUMNS: Final = ("sigma_mm",)
BENCH_MARK_COLUMNS: Final = ("bench_mark",)
BENCH_MARK_OPTIONAL_COLUMNS: Final = ("latitude_deg", "longitude_deg", "station", "height_m", "sigma_mm")

# What is possible on this planet: a value outside is a slip of the pen or of the unit.
LOWEST_HEIGHT_M: Final = -500.0  # the shore of the Dead Sea lies at -430 m
HIGHEST_HEIGHT_M: Final = 9000.0  # Mount Everest, 8848.86 m
LONGEST_LINE_KM: Final = 2000.0
SHORTEST_LINE_KM: Final = 1e-4
STEEPEST_SLOPE: Final = 1.0  # 45 degrees: nothing steeper is levelled
GREATEST_SIGMA_MM: Final = 10_000.0
SMALLEST_SIGMA_MM: Final = 1e-3


def read_levelling(
    lines_path: PathLike,
    bench_marks_path: PathLike,
    *,
    vertical_datum: str = "1985 National Height Datum",
    tide_system: TideSystem = TideSystem.MEAN_TIDE,
    order: int = 2,
) -> LevellingNetwork:
    """Read a levelling network.

    Parameters
    ----------
    lines_path, bench_marks_path : CSV files with the columns above
    vertical_datum : of the known heights
    tide_system : of the levelled height differences and the known heights
    order : 1 to 4 (GB/T 12897-2006, GB/T 12898-2009), for sigmas that are not given and for loop limits

    Raises FormatError naming file, line and column.
    """
    sigma_1km_m = levelling_order(order).sigma_m_per_sqrt_km
    rows, lines_file = read_table(lines_path, required=LINE_COLUMNS, optional=LINE_OPTIONAL_COLUMNS)
    check_unique(rows, "line")
    lines = []
    for row in rows:
        start, end = row.text("from"), row.text("to")
        if start == end:
            raise row.error("to", f"the line ends at {end}, where it begins")
        length_km = row.number("length_km", SHORTEST_LINE_KM, LONGEST_LINE_KM)
        rise_limit_m = HIGHEST_HEIGHT_M - LOWEST_HEIGHT_M
        difference_m = row.number("height_difference_m", -rise_limit_m, rise_limit_m)
        if abs(difference_m) > STEEPEST_SLOPE * length_km * 1000.0:
            raise row.error(
                "height_difference_m", f"{difference_m} m in {length_km} km is steeper than 45 degrees"
            )
        sigma_mm = row.optional_number("sigma_mm", SMALLEST_SIGMA_MM, GREATEST_SIGMA_MM)
        sigma_m = sigma_1km_m * math.sqrt(length_km) if sigma_mm is None else sigma_mm / 1000.0
        lines.append(LevellingLine(row.text("line"), start, end, difference_m, length_km, sigma_m, row.line))

    rows, bench_marks_file = read_table(
        bench_marks_path, required=BENCH_MARK_COLUMNS, optional=BENCH_MARK_OPTIONAL_COLUMNS
    )
    check_unique(rows, "bench_mark")
    fixed: dict[str, tuple[float, float]] = {}
    positions: dict[str, tuple[float, float]] = {}
    stations: dict[str, str] = {}
    for row in rows:
        name = row.text("bench_mark")
        latitude = row.optional_number("latitude_deg", -90.0, 90.0)
        longitude = row.optional_number("longitude_deg", -180.0, 360.0)
        if (latitude is None) != (longitude is None):
            raise row.error(
                "latitude_deg" if latitude is None else "longitude_deg", "is empty, and the other is given"
            )
        if latitude is not None and longitude is not None:
            positions[name] = (latitude, longitude)
        station = row.texts.get("station", "")
        if station:
            taken = [other for other, known in stations.items() if known == station]
            if taken:
                raise row.error("station", f"{station} stands on bench mark {taken[0]} already")
            stations[name] = station
        height_m = row.optional_number("height_m", LOWEST_HEIGHT_M, HIGHEST_HEIGHT_M)
        sigma_mm = row.optional_number("sigma_mm", 0.0, GREATEST_SIGMA_MM)
        if height_m is None and sigma_mm is not None:
            raise row.error("sigma_mm", "is given without a height_m")
        if height_m is not None:
            fixed[name] = (height_m, (sigma_mm or 0.0) / 1000.0)
    return LevellingNetwork(
        vertical_datum=vertical_datum,
        tide_system=tide_system,
        order=order,
        lines=tuple(lines),
        fixed_height_m=fixed,
        geodetic_position_deg=positions,
        stations=stations,
        inputs=(lines_file, bench_marks_file),
    )


def write_heights(path: PathLike, solution: HeightSolution) -> None:
    """Write adjusted heights as CSV: height to 0.01 mm, sigma to 0.01 mm; the same bytes every time."""
    write_table(
        path,
        ("bench_mark", f"{solution.kind}_height_m", "sigma_mm", "vertical_datum", "tide_system"),
        (
            (
                name,
                f"{solution.height_m[i]:.5f}",
                f"{1e3 * math.sqrt(max(float(solution.covariance_m2[i, i]), 0.0)):.2f}",
                solution.vertical_datum,
                solution.tide_system.value,
            )
            for i, name in enumerate(solution.bench_marks)
        ),
    )


def write_adjusted_lines(path: PathLike, solution: HeightSolution) -> None:
    """Write the lines after adjustment as CSV; what is not controlled by others has an empty limit."""
    write_table(
        path,
        ("line", "residual_mm", "standardised", "redundancy", "minimal_detectable_bias_mm", "accepted"),
        (
            (
                line.name,
                f"{1e3 * line.residual_m:.2f}",
                f"{line.standardised:.2f}",
                f"{line.redundancy:.3f}",
                f"{1e3 * line.minimal_detectable_bias_m:.2f}"
                if math.isfinite(line.minimal_detectable_bias_m)
                else "",
                "yes" if line.accepted else "no",
            )
            for line in solution.lines
        ),
    )
