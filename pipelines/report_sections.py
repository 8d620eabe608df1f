"""The tables of the network report: every number with its sigma, every rejection with its reason."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from datum.formats.gravity_csv import MGAL_M_PER_S2
from datum.records import Rejection
from pipelines.horizontal_product import geodetic_deg, sigma_enu_m
from pipelines.records import RegionResult, StationDay, StationDayStatus
from stations.records import Verdict

MILLIMETRES: Final = 1e3


@dataclass(frozen=True)
class Column:
    """A column of a table: its title, and whether it holds text or long text instead of numbers."""

    title: str
    text: bool = False
    long: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell; mood is "", "good" or "bad"."""

    text: str
    mood: str = ""


@dataclass(frozen=True)
class Table:
    """A table with a note under it."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the report under one title."""

    title: str
    paragraphs: tuple[str, ...]
    tables: tuple[Table, ...]


def report_sections(result: RegionResult) -> list[Section]:
    """All sections for which the result has something to say."""
    sections = []
    if result.coordinates:
        sections.append(_coordinate_section(result))
    if result.network is not None and result.network.day_residual_enu_m:
        sections.append(_repeatability_section(result))
    sections.append(_quality_section(result.station_days))
    sections.append(_readiness_section(result.station_days))
    sections.append(_solution_section(result.station_days))
    if result.heights is not None:
        sections.append(_height_section(result))
    if result.gravity is not None:
        sections.append(_gravity_section(result))
    if result.local_datum is not None:
        sections.append(_local_datum_section(result))
    rejections = _all_rejections(result)
    if rejections:
        sections.append(rejections)
    return sections


def _coordinate_section(result: RegionResult) -> Section:
    columns = (
        Column("station", text=True),
        Column("frame", text=True),
        Column("latitude °"),
        Column("longitude °"),
        Column("height m"),
        Column("σE mm"),
        Column("σN mm"),
        Column("σU mm"),
        Column("days", text=True, long=True),
        Column("remark", text=True, long=True),
    )
    rows = []
    for item in result.coordinates:
        entries = [(item.frame, item.position_ecef_m, item.covariance_m2, item.is_control)]
        if item.datum_position_ecef_m is not None and item.datum_covariance_m2 is not None:
            entries.append(
                (item.datum_frame, item.datum_position_ecef_m, item.datum_covariance_m2, item.is_control)
            )
        for frame, position, covariance, is_control in entries:
            latitude, longitude, height = geodetic_deg(position, frame)
            rows.append(
                (
                    Cell(item.name + (" (control)" if is_control else "")),
                    Cell(frame),
                    Cell(f"{latitude:.9f}"),
                    Cell(f"{longitude:.9f}"),
                    Cell(f"{height:.4f}"),
                    *(Cell(f"{s * MILLIMETRES:.1f}") for s in sigma_enu_m(position, covariance)),
                    Cell(_days_text(item.days)),
                    Cell(item.remark),
                )
            )
    network = result.network
    paragraphs: tuple[str, ...] = ()
    if network is not None:
        low, high = network.chi_square_limits
        paragraphs = (
            f"Datum: {network.constraints}. Variance factor {network.variance_factor:.3f} with "
            f"{network.degrees_of_freedom} degrees of freedom (limits {low:.3f} to {high:.3f}).",
            *network.remarks,
        )
    return Section("Coordinates 坐标", paragraphs, (Table(columns, tuple(rows)),))


def _days_text(days: Sequence[str]) -> str:
    """First and last day and their number, so that two solutions of a station can be told apart."""
    ordered = sorted(days)
    if len(ordered) <= 1:
        return "".join(ordered)
    return f"{ordered[0]} to {ordered[-1]} ({len(ordered)})"


def _repeatability_section(result: RegionResult) -> Section:
    assert result.network is not None
    columns = (
        Column("station", text=True),
        Column("day", text=True),
        Column("E mm"),
        Column("N mm"),
        Column("U mm"),
    )
    rows = tuple(
        (
            Cell(station),
            Cell(day),
            *(Cell(f"{round(float(v) * MILLIMETRES, 1) + 0.0:+.1f}") for v in residual),
        )
        for (station, day), residual in sorted(result.network.day_residual_enu_m.items())
    )
    note = "Daily solution minus the adjusted network, after alignment."
    return Section("Daily residuals 单日解残差", (), (Table(columns, rows, note),))


def _quality_section(days: Sequence[StationDay]) -> Section:
    columns = (
        Column("station", text=True),
        Column("day", text=True),
        Column("outcome", text=True),
        Column("verdict", text=True),
        Column("complete %"),
        Column("slips / 1000"),
        Column("reasons", text=True, long=True),
    )
    rows = []
    for item in days:
        quality = item.quality
        reasons = "; ".join(quality.reasons) if quality is not None else ""
        if item.message and item.message != reasons:
            reasons = "; ".join(text for text in (item.message, reasons) if text)
        mood = "good" if item.status is StationDayStatus.SOLVED else "bad"
        verdict_mood = "bad" if quality is not None and quality.verdict is Verdict.REJECT else ""
        rows.append(
            (
                Cell(item.station),
                Cell(item.day),
                Cell(item.status.value, mood),
                Cell("" if quality is None else quality.verdict.value, verdict_mood),
                Cell("" if quality is None else f"{quality.completeness * 100:.1f}"),
                Cell("" if quality is None else f"{quality.cycle_slips_per_thousand:.2f}"),
                Cell(reasons),
            )
        )
    return Section("Quality of the observations 观测质量", (), (Table(columns, tuple(rows)),))


def _readiness_section(days: Sequence[StationDay]) -> Section:
    columns = (
        Column("station", text=True),
        Column("BDS-3 signals", text=True),
        Column("satellites"),
        Column("signals tracked", text=True, long=True),
        Column("multipath m", text=True, long=True),
    )
    rows = []
    for station in dict.fromkeys(item.station for item in days):
        last = [item.quality for item in days if item.station == station and item.quality is not None]
        if not last:
            continue
        quality = last[-1]
        beidou = [s for s in quality.signals if s.system == "C"]
        satellites = sum(1 for name in quality.signals_by_satellite if name.startswith("C"))
        tracked = ", ".join(f"{s.carrier} ({s.signal}, {s.n_satellites})" for s in beidou)
        multipath = ", ".join(
            f"{s.carrier} {s.multipath_rms_m:.2f}" for s in beidou if s.multipath_rms_m is not None
        )
        rows.append(
            (
                Cell(station),
                Cell("yes" if quality.tracks_bds3 else "no", "good" if quality.tracks_bds3 else "bad"),
                Cell(str(satellites)),
                Cell(tracked or "no BeiDou signal"),
                Cell(multipath),
            )
        )
    note = "BDS-3 signals: those that only BeiDou-3 sends (B1C, B2a). In brackets: RINEX code, satellites."
    return Section("BeiDou-3 readiness 北斗三号信号跟踪", (), (Table(columns, tuple(rows), note),))


def _solution_section(days: Sequence[StationDay]) -> Section:
    columns = (
        Column("station", text=True),
        Column("day", text=True),
        Column("epochs"),
        Column("observations"),
        Column("phase rms mm"),
        Column("code rms m"),
        Column("σE mm"),
        Column("σN mm"),
        Column("σU mm"),
        Column("signals", text=True, long=True),
        Column("rejected", text=True, long=True),
        Column("remarks", text=True, long=True),
    )
    rows = []
    for item in days:
        solution = item.solution
        if solution is None:
            continue
        rows.append(
            (
                Cell(item.station),
                Cell(item.day),
                Cell(str(solution.n_epochs)),
                Cell(str(solution.n_observations)),
                Cell(f"{solution.residual_rms_phase_m * MILLIMETRES:.1f}"),
                Cell(f"{solution.residual_rms_code_m:.2f}"),
                *(
                    Cell(f"{s * MILLIMETRES:.1f}")
                    for s in sigma_enu_m(solution.position_ecef_m, solution.covariance_m2)
                ),
                Cell(", ".join(solution.signals)),
                Cell(", ".join(f"{reason}: {count}" for reason, count in solution.rejections.items())),
                Cell("; ".join(solution.remarks)),
            )
        )
    return Section("Daily solutions 单日解", (), (Table(columns, tuple(rows)),))


def _height_section(result: RegionResult) -> Section:
    heights = result.heights
    assert heights is not None
    low, high = heights.chi_square_limits
    paragraphs = (
        f"{heights.vertical_datum}, {heights.tide_system.value}. "
        f"Variance factor {heights.variance_factor:.3f} with {heights.degrees_of_freedom} degrees of freedom "
        f"(limits {low:.3f} to {high:.3f}).",
        *heights.remarks,
    )
    marks = Table(
        (Column("bench mark", text=True), Column(f"{heights.kind} height m"), Column("σ mm")),
        tuple(
            (
                Cell(name),
                Cell(f"{heights.height_m[i]:.4f}"),
                Cell(f"{_root(heights.covariance_m2[i, i]) * MILLIMETRES:.1f}"),
            )
            for i, name in enumerate(heights.bench_marks)
        ),
    )
    lines = Table(
        (
            Column("line", text=True),
            Column("residual mm"),
            Column("standardised"),
            Column("redundancy"),
            Column("used", text=True),
        ),
        tuple(
            (
                Cell(line.name),
                Cell(f"{line.residual_m * MILLIMETRES:+.1f}"),
                Cell(f"{line.standardised:.1f}"),
                Cell(f"{line.redundancy:.2f}"),
                Cell("yes" if line.accepted else "no", "" if line.accepted else "bad"),
            )
            for line in heights.lines
        ),
        "Residual: observed minus adjusted.",
    )
    tables = [marks, lines]
    if result.station_heights:
        tables.append(
            Table(
                (
                    Column("station", text=True),
                    Column("normal height m"),
                    Column("σ mm"),
                    Column("ellipsoidal height m"),
                    Column("frame, epoch", text=True),
                    Column("permanent tide m"),
                    Column("height anomaly m"),
                    Column("source", text=True),
                    Column("remark", text=True, long=True),
                ),
                tuple(
                    (
                        Cell(item.station),
                        Cell(f"{item.normal_height_m:.4f}"),
                        Cell(f"{item.sigma_m * MILLIMETRES:.1f}"),
                        Cell(f"{item.ellipsoidal_height_m:.4f}"),
                        Cell(f"{item.frame}, {item.epoch[:10]}"),
                        Cell(f"{item.permanent_tide_m:+.4f}"),
                        Cell(f"{item.height_anomaly_m:.4f}"),
                        Cell(item.source),
                        Cell(item.remark),
                    )
                    for item in result.station_heights
                ),
                "Height anomaly = ellipsoidal height (tide-free) + permanent tide - normal height.",
            )
        )
    return Section("Heights 高程", paragraphs, tuple(tables))


def _gravity_section(result: RegionResult) -> Section:
    gravity = result.gravity
    assert gravity is not None
    low, high = gravity.chi_square_limits
    table = Table(
        (Column("point", text=True), Column("station", text=True), Column("gravity mGal"), Column("σ mGal")),
        tuple(
            (
                Cell(name),
                Cell(gravity.stations.get(name, "")),
                Cell(f"{gravity.gravity_m_per_s2[i] / MGAL_M_PER_S2:.4f}"),
                Cell(f"{_root(gravity.covariance_m2_per_s4[i, i]) / MGAL_M_PER_S2:.4f}"),
            )
            for i, name in enumerate(gravity.points)
        ),
    )
    paragraphs = (
        f"{gravity.tide_system.value}. Variance factor {gravity.variance_factor:.3f} with "
        f"{gravity.degrees_of_freedom} degrees of freedom (limits {low:.3f} to {high:.3f}).",
        *gravity.remarks,
    )
    return Section("Gravity 重力", paragraphs, (table,))


def _local_datum_section(result: RegionResult) -> Section:
    fit = result.local_datum
    assert fit is not None
    parameters = Table(
        (Column("parameter", text=True), Column("value"), Column("σ")),
        tuple(
            (Cell(name), Cell(f"{value:.9g}"), Cell(f"{_root(fit.covariance[i, i]):.2g}"))
            for i, (name, value) in enumerate(fit.parameters.items())
        ),
    )
    components = max((residual.size for residual in fit.residual_m.values()), default=0)
    points = Table(
        (Column("common point", text=True), *(Column(f"residual {name} m") for name in "ENU"[:components])),
        tuple(
            (Cell(name), *(Cell(f"{float(value):+.4f}") for value in residual))
            for name, residual in sorted(fit.residual_m.items())
        ),
        "Residual: observed (target) minus computed (transformed).",
    )
    text = f"{fit.source_datum} to {fit.target_frame} ({fit.kind}), rms {fit.rms_m:.4f} m."
    return Section("Local datum 地方坐标系", (text, f"PROJ: {fit.proj_pipeline}"), (parameters, points))


def _all_rejections(result: RegionResult) -> Section | None:
    found: list[tuple[str, Rejection]] = []
    for stage, part in (
        ("network", result.network),
        ("levelling", result.heights),
        ("gravity", result.gravity),
        ("common points", result.local_datum),
    ):
        if part is not None:
            found += [(stage, item) for item in part.rejections]
    if not found:
        return None
    columns = (
        Column("stage", text=True),
        Column("rejected", text=True),
        Column("statistic"),
        Column("limit"),
        Column("reason", text=True, long=True),
    )
    rows = tuple(
        (
            Cell(stage),
            Cell(item.subject, "bad"),
            Cell(f"{item.statistic:.2f}"),
            Cell(f"{item.limit:.2f}"),
            Cell(item.reason),
        )
        for stage, item in found
    )
    return Section("Rejections 剔除", (), (Table(columns, rows),))


def _root(value: Any) -> float:
    """Square root of a variance that rounding may have brought a hair below zero."""
    return math.sqrt(max(float(value), 0.0))
