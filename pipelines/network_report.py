"""The report of a network adjustment that a bureau signs: one HTML file, without network or script."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.adjustment.testing import w_limit
from pipelines.adjusted_network import MILLIMETRES, AdjustedNetwork, ObservationRow, observation_rows
from pipelines.network_drawings import histogram_drawing, map_drawing, quantile_drawing, used_statistics
from pipelines.report_page import ready_html, render_page
from pipelines.report_sections import Cell, Column, Section, Table
from stations.formats.atomic_write import write_atomically

FloatArray = NDArray[np.float64]

# Beyond these the report would be a book: the worst are shown, and all are in the CSV table.
_MOST_OBSERVATIONS: Final = 400
_MOST_STATIONS: Final = 4000
_WEAK_REDUNDANCY: Final = 0.1  # below, nine tenths of an error go into the coordinates
_DEGREES_DIGITS: Final = 9
_HALF_95: Final = 1.96  # normal quantile of 0.975


def write_network_report(path: Path, adjusted: AdjustedNetwork, significance: float) -> None:
    """Write the report; the same adjustment gives the same bytes.

    significance : of the test of one observation
    """
    write_atomically(path, render_network_report(adjusted, significance).encode())


def render_network_report(adjusted: AdjustedNetwork, significance: float) -> str:
    """The report as HTML text."""
    limit = w_limit(significance) * float(np.sqrt(adjusted.factor))
    drawing, map_note = map_drawing(adjusted, limit)
    values = used_statistics(adjusted)
    rows = observation_rows(adjusted)
    result, network = adjusted.adjustment, adjusted.network
    verdict, passed = _verdict(adjusted)
    subtitle = " ".join(
        words
        for words in (
            f"{network.description}." if network.description else "",
            f"Frame {network.frame}." if network.frame else "",
            f"Epoch {network.epoch.iso()}." if network.epoch is not None else "",
        )
        if words
    )
    return render_page(
        "network_adjustment.html.j2",
        name=adjusted.name,
        subtitle=subtitle,
        verdict=verdict,
        passed=passed,
        facts=_facts(adjusted),
        remarks=tuple(dict.fromkeys((*network.remarks, *result.remarks))),
        map_svg=ready_html(drawing),
        map_note=map_note,
        n_residuals=values.size,
        histogram=ready_html(histogram_drawing(values)),
        quantiles=ready_html(quantile_drawing(values)),
        residual_words=_residual_words(values),
        sections=[
            *_rejections(adjusted),
            _stations(adjusted),
            *_groups(adjusted, rows),
            _reliability(rows),
            _observations(rows, limit),
            _inputs(adjusted),
        ],
    )


def _verdict(adjusted: AdjustedNetwork) -> tuple[str, bool]:
    result = adjusted.adjustment
    low, high = result.test_limits
    if result.degrees_of_freedom <= 0:
        return "Nothing is redundant: no test was possible, and no error can be seen.", False
    words = f"sigma zero {result.sigma_zero:.4g}, limits {low:.4g} to {high:.4g}"
    if result.sigma_zero > high:
        return (
            f"The global test fails ({words}): observations agree worse than their sigmas say. "
            + (f"All sigmas are multiplied by {adjusted.factor**0.5:.3g}." if adjusted.factor != 1.0 else ""),
            False,
        )
    if result.sigma_zero < low:
        return f"The observations agree better than their sigmas say ({words}); these are kept.", True
    return f"The global test passes ({words}).", True


def _facts(adjusted: AdjustedNetwork) -> list[tuple[str, str]]:
    result = adjusted.adjustment
    return [
        ("Stations 点数", str(len(adjusted.stations))),
        ("Observations 观测值", str(result.n_observations)),
        ("Unknowns 未知数", str(result.n_unknowns)),
        ("Conditions of the datum", str(result.n_conditions)),
        ("Degrees of freedom 多余观测", str(result.degrees_of_freedom)),
        ("Chi-square", f"{result.chi_square:.6g}"),
        ("Sigma zero (variance factor)", f"{result.sigma_zero:.4g}"),
        ("Rejected 剔除", str(len(result.rejections))),
        ("Iterations", str(result.iterations)),
        ("Datum 基准", result.datum_words),
    ]


def _residual_words(values: FloatArray) -> str:
    if values.size == 0:
        return "No observation is checked by others."
    outside = float(np.mean(np.abs(values) > _HALF_95)) * 100.0
    return (
        f"Mean {np.mean(values):+.2f}, standard deviation {np.std(values):.2f}; {outside:.1f} % lie beyond "
        "1.96 (5 % are expected). Residual is observed minus adjusted."
    )


def _rejections(adjusted: AdjustedNetwork) -> list[Section]:
    columns = (
        Column("observation", text=True),
        Column("reason", text=True, long=True),
        Column("statistic"),
        Column("limit"),
    )
    rows = tuple(
        (Cell(item.subject), Cell(item.reason), Cell(f"{item.statistic:.4g}"), Cell(f"{item.limit:.4g}"))
        for item in adjusted.adjustment.rejections
    )
    words = () if rows else ("No observation was rejected.",)
    return [Section("Rejected observations 剔除的观测值", words, (Table(columns, rows),) if rows else ())]


def _number(value: float, digits: int) -> Cell:
    return Cell(f"{value:.{digits}f}" if np.isfinite(value) else "")


def _stations(adjusted: AdjustedNetwork) -> Section:
    on_earth = adjusted.is_on_earth
    components = [name[0].upper() if on_earth else name for name in adjusted.component_names]
    places = ("latitude °", "longitude °", "height m") if on_earth else ("x m", "y m", "height m")
    columns = (
        Column("station", text=True),
        *(Column(title) for title in places),
        *(Column(f"σ{name} mm") for name in components),
        *(Column(f"Δ{name} mm") for name in components),
        Column("ellipse mm"),
        Column("azimuth °"),
        Column("obs."),
        Column("role", text=True),
    )
    rows = []
    for row in adjusted.stations[:_MOST_STATIONS]:
        if row.geodetic_deg is not None:
            latitude, longitude, height = row.geodetic_deg
            place = [
                _number(latitude, _DEGREES_DIGITS),
                _number(longitude, _DEGREES_DIGITS),
                _number(height, 4),
            ]
        else:
            place = [_number(value, 4) for value in row.position_m]
        ellipse = row.ellipse
        rows.append(
            (
                Cell(row.name),
                *place,
                *(_number(value * MILLIMETRES, 1) for value in row.sigma_m),
                *(_number(value * MILLIMETRES, 1) for value in row.correction_m),
                Cell("" if ellipse is None else f"{ellipse.major_m * 1e3:.1f} × {ellipse.minor_m * 1e3:.1f}"),
                Cell("" if ellipse is None else f"{np.degrees(ellipse.azimuth_rad):.0f}"),
                Cell(str(row.n_observations)),
                Cell(row.role),
            )
        )
    note = (
        f"σ: standard deviation; Δ: adjusted minus given; ellipses at {adjusted.confidence:.0%}, azimuth of "
        "the greater axis."
    )
    if len(adjusted.stations) > _MOST_STATIONS:
        note += f" The first {_MOST_STATIONS} of {len(adjusted.stations)} stations; all are in the CSV table."
    return Section("Adjusted coordinates 平差坐标", (), (Table(columns, tuple(rows), note),))


def _groups(adjusted: AdjustedNetwork, rows: list[ObservationRow]) -> list[Section]:
    columns = (
        Column("group", text=True),
        Column("observations"),
        Column("redundancy"),
        Column("v'Pv over redundancy"),
        Column("variance factor"),
    )
    found: dict[str, list[ObservationRow]] = {}
    for row in rows:
        if row.accepted:
            found.setdefault(row.group, []).append(row)
    body = []
    for group, members in sorted(found.items()):
        redundancy = sum(row.redundancy for row in members if np.isfinite(row.redundancy))
        square_sum = sum((row.residual / row.sigma) ** 2 for row in members if row.sigma > 0.0)
        factor = adjusted.adjustment.variance_components.get(group)
        body.append(
            (
                Cell(group),
                Cell(str(len(members))),
                Cell(f"{redundancy:.1f}"),
                Cell(f"{square_sum / redundancy:.3f}" if redundancy > 1e-6 else ""),
                Cell("" if factor is None else f"{factor[0]:.3f}"),
            )
        )
    note = "v'Pv of the diagonal of the covariances; a variance factor where components were estimated."
    return [Section("Groups of observations 观测值分组", (), (Table(columns, tuple(body), note),))]


def _reliability(rows: list[ObservationRow]) -> Section:
    used = [row for row in rows if row.accepted and np.isfinite(row.redundancy)]
    weak = sorted(
        (row for row in used if row.redundancy < _WEAK_REDUNDANCY),
        key=lambda row: (row.redundancy, row.name, row.component),
    )
    values = np.array([row.redundancy for row in used])
    words = "No observation was used."
    if values.size:
        words = (
            f"Redundancy numbers from {values.min():.3f} to {values.max():.3f}, mean {values.mean():.3f}. "
            f"{len(weak)} numbers are below {_WEAK_REDUNDANCY}: an error in them is hardly seen and goes "
            "into the coordinates."
        )
    columns = (
        Column("observation", text=True),
        Column("component", text=True),
        Column("redundancy"),
        Column("detectable"),
        Column("unit", text=True),
        Column("external reliability"),
    )
    body = tuple(
        (
            Cell(row.name),
            Cell(row.component),
            Cell(f"{row.redundancy:.3f}", "bad" if row.redundancy < 1e-6 else ""),
            Cell("never" if row.detectable is None else f"{row.detectable:.2f}"),
            Cell(row.unit),
            Cell("" if row.external_reliability is None else f"{row.external_reliability:.1f}"),
        )
        for row in weak[:_MOST_OBSERVATIONS]
    )
    note = (
        "Detectable: the smallest error that the test finds with the chosen power. External reliability: "
        "what it does to the coordinates, in their own sigmas."
    )
    return Section("Reliability 可靠性", (words,), (Table(columns, body, note),) if body else ())


def _observations(rows: list[ObservationRow], limit: float) -> Section:
    columns = (
        Column("observation", text=True),
        Column("kind", text=True),
        Column("", text=True),
        Column("observed"),
        Column("residual"),
        Column("σ"),
        Column("unit", text=True),
        Column("v/σv"),
        Column("w"),
        Column("redundancy"),
        Column("detectable"),
        Column("used", text=True),
    )
    ordered = sorted(
        rows,
        key=lambda row: (row.accepted, -abs(row.w) if np.isfinite(row.w) else 0.0, row.name, row.component),
    )
    body = tuple(
        (
            Cell(row.name),
            Cell(row.kind),
            Cell(row.component),
            Cell(f"{row.observed:.{4 if row.unit == 'mm' else 7}f}"),
            Cell(f"{row.residual:.2f}"),
            Cell(f"{row.sigma:.2f}"),
            Cell(row.unit),
            _number(row.normalised, 2),
            Cell(f"{row.w:.2f}" if np.isfinite(row.w) else "", "bad" if abs(row.w) > limit else ""),
            _number(row.redundancy, 3),
            Cell("" if row.detectable is None else f"{row.detectable:.2f}"),
            Cell("yes" if row.accepted else "no", "" if row.accepted else "bad"),
        )
        for row in ordered[:_MOST_OBSERVATIONS]
    )
    words = f"Ordered by the statistic w; beyond {limit:.2f} it fails the test of one observation."
    if len(rows) > _MOST_OBSERVATIONS:
        words += f" The first {_MOST_OBSERVATIONS} of {len(rows)} numbers; all are in the CSV table."
    return Section("Observations 观测值", (words,), (Table(columns, body),))


def _inputs(adjusted: AdjustedNetwork) -> Section:
    columns = (Column("file", text=True, long=True), Column("sha256", text=True, long=True))
    rows = tuple((Cell(Path(item.path).name), Cell(item.sha256)) for item in adjusted.network.inputs)
    return Section("Inputs 输入文件", (), (Table(columns, rows),))
