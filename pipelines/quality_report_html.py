"""The quality of a station-day as one HTML file: verdict, sky, bars of visibility, the day, the signals.

The file asks nobody for anything: it opens on a closed network, prints on A4 and stays below 2 MB.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipelines.code_version import source_sha256
from pipelines.quality_pictures import (
    LINE_COLOURS,
    SYSTEM_COLOURS,
    Line,
    TimeAxis,
    thinned,
    time_panel,
    visibility_bars,
)
from pipelines.quality_text import scatter_words
from pipelines.report_page import Picture, captioned, render_page
from pipelines.report_sections import Cell, Column, Table
from pipelines.station_report import SYSTEM_NAMES as SOLVED_SYSTEM_NAMES
from pipelines.station_report_plots import SEQUENTIAL, sky_mosaic
from stations.quality.ionosphere_activity import rate_of_content
from stations.quality.report import QualityStudy
from stations.quality.report_json import quality_report_as_json
from transforms.geodetic import enu_matrix_at
from transforms.time_scales import NANOSECONDS, SECONDS_PER_DAY

FloatArray = NDArray[np.float64]

_DRAWING_CODE: Final = (
    "pipelines.quality_report_html",
    "pipelines.quality_pictures",
    "pipelines.report_page",
)
_HEAD_BYTES: Final = 400  # holds the line by which a page tells what it was made from
_SECONDS_PER_HOUR: Final = 3600.0
_SHORTEST_AXIS_S: Final = 60.0
# First digit of a signal's code: the band near 1575 MHz, where B1C and B1I are, against all below.
_UPPER_BAND: Final = "12"
_UPPER_BAND_OF: Final[Mapping[str, str]] = {"C": "12"}
_BANDS: Final = ((True, "upper band", "L1 E1 B1"), (False, "lower bands", "L2 L5 E5 E6 B2 B3"))
_ROT_LIMIT_TECU_PER_MIN: Final = 1.0  # the panel shows at least this, so that a calm day looks calm
_POSITION_LIMIT_M: Final = 2.0
_DARK_TEXT_SHADES: Final = 4  # of SEQUENTIAL: on darker ones text is white
SYSTEM_NAMES: Final = {**SOLVED_SYSTEM_NAMES, "S": "SBAS", "I": "NavIC"}
VERDICT_CLASS: Final = {"accept": "accept", "accept with remarks": "remarks", "reject": "reject"}


@dataclass(frozen=True)
class TintedCell:
    """A cell of a table of elevations: text, background and colour of the text."""

    text: str
    background: str
    ink: str


@dataclass(frozen=True)
class TintedTable:
    """Signals by bins of elevation."""

    title: str
    bins: tuple[str, ...]
    rows: tuple[tuple[str, tuple[TintedCell, ...]], ...]
    note: str


def render_quality_report(study: QualityStudy, day: str, made_from: str) -> str:
    """The page; the same study gives the same bytes.

    day : ISO date, GPST; made_from : sha256 of all that the page rests on, for whoever asks if it is current
    """
    report = quality_report_as_json(study.report)
    return render_page(
        "quality_report.html.j2",
        report=report,
        day=day,
        made_from=_page_sha256(made_from),
        verdict_class=VERDICT_CLASS[study.report.verdict.value],
        facts=_facts(report),
        signals=_signal_table(report),
        slips=_slip_table(report),
        elevations=_elevation_tables(report),
        sky=captioned(_sky_pictures(study)),
        bars=captioned(_bars(study)),
        series=captioned(_series(study)),
    )


def _page_sha256(made_from: str) -> str:
    """What a page rests on: the report's own key, and the code that draws."""
    return hashlib.sha256((made_from + source_sha256(*_DRAWING_CODE)).encode()).hexdigest()


def page_is_current(path: Path, made_from: str) -> bool:
    """Whether a page was drawn from just that; False where there is none."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError:
        return False
    return f'name="made-from-sha256" content="{_page_sha256(made_from)}"'.encode() in head


def _figure(value: float | None, decimals: int) -> str:
    return "–" if value is None else f"{value:.{decimals}f}"


def _facts(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What matters first, name and value."""
    details = report["details"]
    setup = report["setup"]
    found = [
        (
            "session",
            f"{report['first_epoch']} to {report['last_epoch']} GPST every {report['interval_s']:g} s",
        ),
        ("receiver", f"{setup['receiver']} {setup['receiver_firmware']}".strip()),
        ("antenna", f"{setup['antenna']['name']} {setup['antenna']['radome']}"),
        (
            "epochs",
            f"{report['n_epochs']} of {report['n_epochs_expected']} ({report['completeness']:.1%}), "
            f"{len(report['gaps'])} {'gap' if len(report['gaps']) == 1 else 'gaps'}",
        ),
    ]
    above = details["expected"]["total"]["ratio_above_cutoff"] if details["expected"] else None
    if above is not None:
        found.append(("observed above 10°", f"{above:.1%} of the expected"))
    found.append(
        (
            "cycle slips",
            f"{report['n_cycle_slips']} ({report['cycle_slips_per_thousand']:.2f} in 1000), "
            f"{sum(s['n_confirmed'] for s in details['slips'])} seen in the phases",
        )
    )
    found += [
        (
            f"single point {point['systems']}",
            f"{scatter_words(point['scatter_enu_m'])}, PDOP {point['mean_pdop']:.2f}",
        )
        for point in details["single_point"]
    ]
    if details["ionosphere"]:
        active = details["ionosphere"]
        found.append(
            (
                "ionosphere",
                f"ROTI {active['median_roti_tecu_per_min']:.2f} (95 %: "
                f"{active['p95_roti_tecu_per_min']:.2f}) TECU/min",
            )
        )
    carriers = ", ".join(f"{name} on {n}" for name, n in report["bds3_satellites_by_carrier"].items() if n)
    found.append(("BeiDou-3", carriers or "not tracked"))
    found.append(("orbits", details["orbit_source"] or "none: elevations are unknown"))
    return [(name, " ".join(text.split())) for name, text in found]


def _signal_table(report: Mapping[str, Any]) -> Table:
    rows = []
    for item in report["details"]["signals"]:
        above = item["count"]["ratio_above_cutoff"]
        rows.append(
            (
                Cell(SYSTEM_NAMES.get(item["signal"][0], item["signal"][0])),
                Cell(item["signal"]),
                Cell(item["carrier"]),
                Cell(str(item["n_satellites"])),
                Cell(f"{item['count']['n_observed']:,}".replace(",", " ")),
                Cell("–" if above is None else f"{100 * above:.1f}"),
                Cell(_figure(item["cn0_dbhz"], 1)),
                Cell(_figure(item["multipath_without_bias_rms_m"], 2)),
                Cell(_figure(item["multipath_above_cutoff_rms_m"], 2)),
                Cell(_figure(item["code_noise_m"], 2)),
            )
        )
    return Table(
        (
            Column("system", text=True),
            Column("signal", text=True),
            Column("carrier", text=True),
            Column("satellites"),
            Column("observed"),
            Column("above 10° %"),
            Column("C/N0 dB‑Hz"),
            Column("multipath m"),
            Column("above 10° m"),
            Column("code noise m"),
        ),
        tuple(rows),
        "Multipath: rms of the code about the means of arcs; the first without BeiDou-2's own code bias.",
    )


def _slip_table(report: Mapping[str, Any]) -> Table:
    rows = tuple(
        (
            Cell(item["pair"]),
            Cell(str(item["n_observations"])),
            Cell(str(item["n_slips"])),
            Cell(f"{item['per_thousand']:.2f}"),
            Cell(str(item["n_confirmed"])),
            Cell(str(item["n_loss_of_lock"])),
            Cell(str(item["n_geometry_free"])),
            Cell(str(item["n_melbourne_wuebbena"])),
            Cell(str(item["n_short_arcs"])),
            Cell("–" if item["phase_noise_m"] is None else f"{1e3 * item['phase_noise_m']:.1f}"),
        )
        for item in report["details"]["slips"]
    )
    titles = (
        "epochs", "slips", "in 1000", "in the phases", "loss of lock", "geometry-free",
        "wide-lane", "short arcs", "phase noise mm",
    )  # fmt: skip
    return Table((Column("pair", text=True), *(Column(title) for title in titles)), rows)


def _elevation_tables(report: Mapping[str, Any]) -> list[TintedTable]:
    signals = [s for s in report["details"]["signals"] if s["by_elevation"]]
    if not signals:
        return []
    bins = tuple(f"{b['from_deg']:.0f}–{b['to_deg']:.0f}°" for b in signals[0]["by_elevation"])
    tables = []
    for key, title, decimals, fixed in (
        ("multipath_rms_m", "Multipath by elevation, m", 2, (0.0, 1.0)),
        ("cn0_dbhz", "C/N0 by elevation, dB-Hz", 0, (20.0, 56.0)),
    ):
        rows = []
        for signal in signals:
            cells = []
            for part in signal["by_elevation"]:
                value = part[key]
                if value is None:
                    cells.append(TintedCell("", "#ffffff", "#000000"))
                    continue
                share = (value - fixed[0]) / (fixed[1] - fixed[0])
                shade = int(np.clip(share * len(SEQUENTIAL), 0, len(SEQUENTIAL) - 1))
                ink = "#1c2733" if shade < _DARK_TEXT_SHADES else "#ffffff"
                cells.append(TintedCell(f"{value:.{decimals}f}", SEQUENTIAL[shade], ink))
            if any(cell.text for cell in cells):
                rows.append((f"{signal['signal']} {signal['carrier']}", tuple(cells)))
        if rows:
            tables.append(TintedTable(title, bins, tuple(rows), f"Darkest: {fixed[1]:g} and more."))
    return tables


def _upper_band(satellite: str, signal: str) -> bool:
    """Whether a signal is in the band near 1575 MHz: L1, E1, G1, B1C and B1I."""
    return signal[0] in _UPPER_BAND_OF.get(satellite[0], "1")


def _sky_pictures(study: QualityStudy) -> list[Picture]:
    """Multipath and C/N0 over the sky, upper and lower bands apart; none where no elevation is known."""
    observations = study.observations
    elevation_deg = np.degrees(study.sky.at_observations(study.sky.elevation_rad))
    azimuth_deg = np.mod(np.degrees(study.sky.at_observations(study.sky.azimuth_rad)), 360.0)
    known = np.isfinite(elevation_deg) & (elevation_deg >= 0.0)
    if not known.any():
        return []
    pictures = []
    signals = [str(s) for s in observations.data["signal"].values]
    strength = observations.data["cn0_dbhz"].values
    for upper, name, bands in _BANDS:
        parts: list[tuple[FloatArray, FloatArray, FloatArray]] = []
        for (system, signal), found in sorted(study.multipath.items()):
            if _upper_band(system, signal) is upper:
                values = found.unbiased.values
                good = np.isfinite(values) & known[:, found.columns]
                parts.append(
                    (azimuth_deg[:, found.columns][good], elevation_deg[:, found.columns][good], values[good])
                )
        if parts:
            azimuth, elevation, values = (np.concatenate(p) for p in zip(*parts, strict=True))
            svg = sky_mosaic(azimuth, elevation, values, rms=True, limits=None, unit="m")
            pictures.append(Picture(f"multipath, {name}", f"rms of the codes, {bands}", svg))
    for upper, name, bands in _BANDS:
        own = []
        for k, satellite in enumerate(observations.satellites):
            for j, signal in enumerate(signals):
                if _upper_band(satellite, signal) is upper:
                    good = np.isfinite(strength[:, k, j]) & known[:, k]
                    if good.any():
                        values = strength[good, k, j].astype(np.float64)
                        own.append((azimuth_deg[good, k], elevation_deg[good, k], values))
        if own:
            azimuth, elevation, values = (np.concatenate(p) for p in zip(*own, strict=True))
            low, high = (float(v) / 5.0 for v in np.percentile(values, (1.0, 99.0)))
            limits = (5.0 * math.floor(low), 5.0 * max(math.ceil(high), math.floor(low) + 1))
            svg = sky_mosaic(azimuth, elevation, values, rms=False, limits=limits, unit="dB-Hz")
            pictures.append(Picture(f"C/N0, {name}", f"mean of the signals, {bands}", svg))
    return pictures


def _hours(tai_ns: NDArray[np.int64], origin_ns: int) -> FloatArray:
    return np.asarray((tai_ns - origin_ns) / NANOSECONDS / _SECONDS_PER_HOUR, dtype=np.float64)


def _origin_ns(study: QualityStudy) -> int:
    """Midnight (GPST) before the first expected epoch."""
    first = study.report.first_epoch
    midnight = np.datetime64(first.iso()[:10], "ns")
    into_day_ns = int((np.datetime64(first.iso(), "ns") - midnight).astype(np.int64))
    return int(first.tai_ns) - into_day_ns


def _axis(study: QualityStudy) -> TimeAxis:
    """From the first to the last expected epoch, the whole day where they are nearly that."""
    hours = _hours(study.sky.tai_ns[[0, -1]], _origin_ns(study))
    first, last = float(hours[0]), float(hours[1])
    day_h = SECONDS_PER_DAY / _SECONDS_PER_HOUR
    if last - first > 0.9 * day_h:
        first, last = min(first, 0.0), max(last, day_h) if last < 1.05 * day_h else last
    # A single epoch has no interval, and an axis without a length has no places.
    shortest_h = max(study.report.interval_s, _SHORTEST_AXIS_S) / _SECONDS_PER_HOUR
    return TimeAxis(first, max(last, first + shortest_h))


def _bars(study: QualityStudy) -> list[Picture]:
    """Which satellite was up, tracked, and slipped; a picture for each system, so that a page holds it."""
    sky = study.sky
    data = study.observations.data
    shape = study.expected.visible.shape
    tracked, slips, flags = (np.zeros(shape, dtype=np.bool_) for _ in range(3))
    seen = np.isfinite(data["pseudorange_m"].values).any(axis=2)
    seen |= np.isfinite(data["carrier_phase_cycles"].values).any(axis=2)
    inside = np.flatnonzero(sky.row_of_epoch >= 0)
    place = np.ix_(sky.row_of_epoch[inside], sky.column_of_satellite)
    tracked[place] = seen[inside]
    in_phase = np.zeros(seen.shape, dtype=np.bool_)
    for pair, masks in zip(study.slips.pairs, study.slips.masks, strict=True):
        own = [k for k, s in enumerate(study.observations.satellites) if s[0] == pair.system]
        in_phase[:, own] |= masks.geometry_free | masks.melbourne_wuebbena
    any_slip = study.slips.slip.any(axis=2)
    slips[place] = (any_slip & in_phase)[inside]
    flags[place] = (any_slip & ~in_phase)[inside]
    up = study.expected.visible
    wanted = [k for k in range(shape[1]) if tracked[:, k].any() or study.expected.above_cutoff[:, k].any()]
    pictures = []
    for system in "GRECJIS":
        own = sorted((k for k in wanted if sky.satellites[k][0] == system), key=lambda k: sky.satellites[k])
        if own:
            svg = visibility_bars(
                _axis(study),
                _hours(sky.tai_ns, _origin_ns(study)),
                [sky.satellites[k] for k in own],
                up[:, own],
                tracked[:, own],
                slips[:, own],
                flags[:, own],
                study.report.interval_s / _SECONDS_PER_HOUR,
            )
            pictures.append(Picture(SYSTEM_NAMES[system], "hours of GPST", svg))
    return pictures


def _series(study: QualityStudy) -> list[Picture]:
    """Satellites, PDOP, position, C/N0 and the rate of the electron content over the day."""
    observations = study.observations
    axis = _axis(study)
    hours = _hours(observations.epochs.tai_ns, _origin_ns(study))
    data = observations.data
    seen = np.isfinite(data["carrier_phase_cycles"].values).any(axis=2)
    systems = [s for s in "GRECJIS" if any(name[0] == s for name in observations.satellites)]
    columns = {s: [k for k, n in enumerate(observations.satellites) if n[0] == s] for s in systems}
    counts = np.column_stack([seen[:, columns[s]].sum(axis=1) for s in systems]).astype(np.float64)
    at, thin = thinned(hours, counts)
    lines = [Line(SYSTEM_NAMES.get(s, s), SYSTEM_COLOURS[s], thin[:, k]) for k, s in enumerate(systems)]
    pictures = [
        Picture(
            "satellites tracked",
            "with a phase, by system",
            time_panel(axis, at, lines, "n", limits=(0.0, float(counts.max()))),
        )
    ]
    positions = study.positions
    if positions is not None and positions.median_ecef_m is not None:
        at, pdop = thinned(hours, positions.pdop)
        high = float(np.nanpercentile(positions.pdop, 99.5))
        pictures.append(
            Picture(
                "PDOP",
                "of the single-point positions",
                time_panel(axis, at, [Line("PDOP", LINE_COLOURS[0], pdop)], "", limits=(0.0, high)),
            )
        )
        enu = (positions.position_ecef_m - positions.median_ecef_m) @ enu_matrix_at(positions.median_ecef_m).T
        at, thin = thinned(hours, enu)
        reach = max(_POSITION_LIMIT_M, float(np.nanpercentile(np.abs(enu), 99.0)))
        # Up scatters most and is drawn first, under the others.
        lines = [
            Line(name, LINE_COLOURS[k], thin[:, axis_number])
            for k, (name, axis_number) in enumerate((("up", 2), ("east", 0), ("north", 1)))
        ]
        pictures.append(
            Picture(
                "position",
                "single point, from the median",
                time_panel(axis, at, lines, "m", limits=(-reach, reach)),
            )
        )
    pictures += _strength_picture(study, axis, hours, columns)
    return pictures + _rate_picture(study, axis)


def _strength_picture(
    study: QualityStudy, axis: TimeAxis, hours: FloatArray, columns: Mapping[str, list[int]]
) -> list[Picture]:
    """Mean C/N0 of all satellites, of each system's first pair of signals."""
    signals = [str(s) for s in study.observations.data["signal"].values]
    strength = study.observations.data["cn0_dbhz"].values
    lines = []
    at = hours
    first = {pair.system: pair for pair in reversed(study.slips.pairs)}
    for system, own in columns.items():
        pair = first.get(system)
        if pair is None or system == "S":
            continue
        values = strength[:, own, signals.index(pair.first)].astype(np.float64)
        known = np.isfinite(values)
        n = known.sum(axis=1)
        mean = np.where(n > 0, np.where(known, values, 0.0).sum(axis=1) / np.maximum(n, 1), np.nan)
        at, thin = thinned(hours, mean)
        lines.append(Line(f"{system}{pair.first}", SYSTEM_COLOURS[system], thin))
    if not any(np.isfinite(line.values).any() for line in lines):
        return []
    return [
        Picture(
            "C/N0",
            "mean of the satellites, first signal of each system",
            time_panel(axis, at, lines, "dB-Hz"),
        )
    ]


def _rate_picture(study: QualityStudy, axis: TimeAxis) -> list[Picture]:
    """Size of the rate of the slant electron content: median and 95 % of the satellites."""
    elevation_rad = study.sky.at_observations(study.sky.elevation_rad)
    found = rate_of_content(study.observations, study.slips)
    if found is None:
        return []
    rate, columns, _ = found
    with np.errstate(invalid="ignore"):
        low = np.degrees(elevation_rad[1:, columns]) < 30.0
    size = np.abs(np.where(low, np.nan, rate))
    hours = _hours(study.observations.epochs.tai_ns[1:], _origin_ns(study))
    group = max(1, round(300.0 / max(study.report.interval_s, 1.0)))
    edges = np.arange(0, hours.size, group)
    at = np.array([hours[e : e + group].mean() for e in edges])
    middle, high = (np.full(edges.size, np.nan) for _ in range(2))
    for k, e in enumerate(edges):
        part = size[e : e + group]
        part = part[np.isfinite(part)]
        if part.size:
            middle[k], high[k] = np.percentile(part, (50.0, 95.0))
    if not np.isfinite(middle).any():
        return []
    lines = [Line("median", LINE_COLOURS[0], middle), Line("95 %", LINE_COLOURS[1], high)]
    top = max(_ROT_LIMIT_TECU_PER_MIN, float(np.nanmax(high)))
    return [
        Picture(
            "rate of TEC",
            "size of the slant rate in five minutes, above 30°",
            time_panel(axis, at, lines, "TECU/min", limits=(0.0, top)),
        )
    ]
