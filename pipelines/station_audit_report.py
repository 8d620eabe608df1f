"""The report on a network's readiness for BeiDou-3: one HTML file that opens on a closed network."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from pipelines.report_page import ready_html, render_page
from pipelines.report_sections import Cell, Column, Table
from pipelines.station_audit_map import CLASS_COLOURS, map_svg
from pipelines.station_audit_text import NO_FIGURE, in_steps
from stations.readiness.records import ReadinessClass, StationAudit

CLASS_WORDS: Final = {
    ReadinessClass.READY: "ready 已就绪",
    ReadinessClass.FIRMWARE: "firmware, settings or format 固件、设置或格式",
    ReadinessClass.ANTENNA: "antenna 天线",
    ReadinessClass.RECEIVER: "receiver 接收机",
    ReadinessClass.REPLACE: "replace both 全部更换",
    ReadinessClass.UNDETERMINED: "undetermined 无法判定",
}
_KINDS: Final = ("MEO", "IGSO", "GEO")
_CARRIERS: Final = ("B1C", "B2a", "B2b", "B1I", "B3I")
_MOODS: Final = {ReadinessClass.READY: "good", ReadinessClass.UNDETERMINED: ""}


def render_audit_report(audits: Sequence[StationAudit], failures: Sequence[Mapping[str, str]]) -> str:
    """The report as HTML text, stations in the order given; the same arguments give the same text."""
    n_stations = len({a.station for a in audits})
    days = sorted({a.day for a in audits})
    return render_page(
        "station_audit.html.j2",
        subtitle=f"{_counted(n_stations, 'station')}, {_counted(len(audits), 'station-day')}, "
        + (f"{days[0]} to {days[-1]}." if len(days) > 1 else f"{days[0]}."),
        counts=_counts(audits),
        map=ready_html(map_svg(audits)),
        network=_network_table(audits),
        tracking=_tracking_table(audits),
        antennas=_antenna_table(audits),
        quality=_quality_table(audits),
        gains=_gain_table(audits),
        stations=_stations(audits),
        failures=failures,
    )


def _counts(audits: Sequence[StationAudit]) -> list[tuple[str, str, int]]:
    counts = Counter(a.readiness for a in audits)
    return [(CLASS_COLOURS[c], CLASS_WORDS[c], counts[c]) for c in CLASS_WORDS]


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _percent(value: float | None) -> str:
    return NO_FIGURE if value is None else f"{100 * value:.0f}"


def _number(value: float | None, decimals: int, scale: float = 1.0) -> str:
    return NO_FIGURE if value is None else f"{scale * value:.{decimals}f}"


def _network_table(audits: Sequence[StationAudit]) -> Table:
    columns = (
        Column("station", text=True),
        Column("day", text=True),
        Column("class", text=True),
        Column("receiver, firmware", text=True),
        Column("antenna", text=True),
        Column("calibrated at B1C, B2a", text=True),
        Column("RINEX"),
        Column("B1C+B2a of MEO, IGSO"),
        Column("gain to come %"),
        Column("gain had %"),
    )
    fit = {True: "yes", False: "no", None: "not known"}
    rows = tuple(
        (
            Cell(a.station),
            Cell(a.day),
            Cell(a.readiness.value, _MOODS.get(a.readiness, "bad")),
            Cell(f"{a.receiver or 'not named'}, {a.firmware or NO_FIGURE}"),
            Cell(a.antenna or "not named"),
            Cell(fit[a.antenna_readiness.fit]),
            Cell(a.rinex_version),
            Cell(f"{a.tracking.n_tracking_new}/{a.tracking.n_sending_new}"),
            Cell(_percent(a.gain.to_come)),
            Cell(_percent(a.gain.had)),
        )
        for a in audits
    )
    note = (
        "Gain: share of the formal 3-D sigma after one hour that all BeiDou-3 satellites in view would take "
        "off (to come), and that those tracked already take off (had). Sorted by the gain to come."
    )
    return Table(columns, rows, note)


def _tracking_table(audits: Sequence[StationAudit]) -> Table:
    columns = (
        Column("station", text=True),
        Column("day", text=True),
        *(Column(kind) for kind in _KINDS),
        *(Column(carrier) for carrier in _CARRIERS),
        Column("the format can hold", text=True, long=True),
        Column("visible from", text=True, long=True),
    )
    rows = tuple(
        (
            Cell(a.station),
            Cell(a.day),
            *(
                Cell(f"{a.tracking.count(k, tracked=True)}/{a.tracking.count(k, tracked=False)}")
                for k in _KINDS
            ),
            *(Cell(str(a.tracking.satellites_by_carrier[c])) for c in _CARRIERS),
            Cell(", ".join(a.rinex_carries) or "no BeiDou"),
            Cell(a.tracking.visibility),
        )
        for a in audits
    )
    note = (
        "BeiDou-3 satellites tracked out of those half an hour or more above 10 degrees; satellites on which "
        "each carrier was tracked with code and phase. GEO satellites send neither B1C nor B2a."
    )
    return Table(columns, rows, note)


def _antenna_table(audits: Sequence[StationAudit]) -> Table:
    columns = (
        Column("station", text=True),
        Column("day", text=True),
        Column("antenna", text=True),
        Column("calibrated as", text=True),
        *(Column(carrier, text=True) for carrier in _CARRIERS),
    )
    rows = tuple(
        (
            Cell(a.station),
            Cell(a.day),
            Cell(a.antenna or "not named"),
            Cell(a.antenna_readiness.calibration or NO_FIGURE),
            *(Cell(a.antenna_readiness.by_carrier[c]) for c in _CARRIERS),
        )
        for a in audits
    )
    note = (
        "Own: calibrated for BeiDou. Same frequency: for another system at the same frequency, which is as "
        "good. Nearest: inherited from another frequency, up to 3 cm in height."
    )
    return Table(columns, rows, note)


def _quality_table(audits: Sequence[StationAudit]) -> Table:
    columns = (
        Column("station", text=True),
        Column("day", text=True),
        Column("carrier", text=True),
        Column("signal", text=True),
        Column("satellites"),
        Column("C/N0 dB-Hz"),
        Column("multipath m"),
        Column("observed of expected %"),
        Column("slips in 1000"),
    )
    rows = tuple(
        (
            Cell(a.station),
            Cell(a.day),
            Cell(f"{'GPS' if q.signal[0] == 'G' else 'BDS-3'} {q.carrier}"),
            Cell(q.signal),
            Cell(str(q.n_satellites)),
            Cell(_number(q.cn0_dbhz, 1)),
            Cell(_number(q.multipath_m, 2)),
            Cell(_number(q.observed_share, 1, 100.0)),
            Cell(_number(a.quality.slips_per_thousand.get(q.signal[0]), 1)),
        )
        for a in audits
        for q in a.quality.carriers
    )
    note = (
        "Above 10 degrees where orbits tell the elevations; BeiDou-2 is left out. Slips that the phases "
        "themselves show, of all pairs of a system."
    )
    return Table(columns, rows, note)


def _gain_table(audits: Sequence[StationAudit]) -> Table:
    columns = (
        Column("station", text=True),
        Column("day", text=True),
        Column("satellites"),
        Column("mean PDOP"),
        Column("σ 1 h 3-D mm"),
        Column("converges min"),
        Column("σ session 3-D mm"),
        Column("solved: 1 h error 3-D mm"),
        Column("not computed", text=True, long=True),
    )
    rows = []
    for a in audits:
        solved = a.solved
        errors = [None if f is None else f.error_3d_1h_m for f in (solved.without, solved.with_bds3)]
        steps = (a.gain.without, a.gain.today, a.gain.full)
        reasons = [a.gain.not_computed, f"solved: {solved.not_computed}" if solved.not_computed else ""]
        rows.append(
            (
                Cell(a.station),
                Cell(a.day),
                Cell(in_steps(steps, "satellites", 1.0, 1)),
                Cell(in_steps(steps, "mean_pdop", 1.0, 2)),
                Cell(in_steps(steps, "sigma_3d_1h_m", 1e3, 1)),
                Cell(in_steps(steps, "convergence_min", 1.0, 0)),
                Cell(in_steps(steps, "sigma_3d_session_m", 1e3, 1)),
                Cell(NO_FIGURE if errors == [None, None] else " > ".join(_number(e, 1, 1e3) for e in errors)),
                Cell("; ".join(r for r in reasons if r)),
            )
        )
    note = (
        "Without BeiDou-3 > today, as the files show > with all BeiDou-3 satellites in view. Formal figures "
        "of a static precise point positioning, ambiguities real, medians over starts at every hour; it "
        "converges when the 3-D sigma stays below 0.10 m. Solved: rms error of one-hour solutions of the "
        "observations without BeiDou > with the BeiDou-3 satellites tracked, against the whole day."
    )
    return Table(columns, tuple(rows), note)


def _stations(audits: Sequence[StationAudit]) -> list[dict[str, object]]:
    """Each station once, its days together where they say the same."""
    days: dict[tuple[str, ReadinessClass, tuple[str, ...]], list[StationAudit]] = {}
    for audit in audits:
        lines = (*audit.reasons, *(f"site log: {text}" for text in audit.log_says))
        days.setdefault((audit.station, audit.readiness, lines), []).append(audit)
    return [
        {
            "name": f"{station} {', '.join(sorted(a.day for a in same))}",
            "readiness": readiness.value,
            "colour": CLASS_COLOURS[readiness],
            "lines": lines,
            "files": ", ".join(sorted(name for a in same for name in a.inputs)),
        }
        for (station, readiness, lines), same in days.items()
    ]
