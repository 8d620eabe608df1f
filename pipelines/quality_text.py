"""A quality report for people: a page for one station-day, a line each for many."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table


def print_report(report: Mapping[str, Any], out: Console) -> None:
    """One station-day: what matters first, then the table of signals."""
    details = report["details"]
    total = details["expected"]["total"]
    above = total["ratio_above_cutoff"]
    out.print(
        f"{report['station']}  {report['first_epoch']} to {report['last_epoch']} GPST every "
        f"{report['interval_s']:g} s\n"
        f"  verdict: {report['verdict']}"
    )
    for reason in report["reasons"]:
        out.print(f"    {reason}", soft_wrap=True, markup=False)
    share = "" if above is None else f", {above:.1%} of the observations expected above 10 degrees"
    lines = [f"{report['n_epochs']} of {report['n_epochs_expected']} epochs{share}"]
    gaps = report["gaps"]
    if gaps:
        shown = ", ".join(f"{a[11:19]} to {b[11:19]}" for a, b in gaps[:3])
        lines.append(f"{len(gaps)} gaps: {shown}{' ...' if len(gaps) > 3 else ''}")
    reasons = report["slips_by_reason"]
    lines.append(
        f"{report['n_cycle_slips']} cycle slips ({report['cycle_slips_per_thousand']:.2f} in 1000): "
        + ", ".join(f"{n} by {name}" for name, n in reasons.items())
        + f"; {sum(s['n_short_arcs'] for s in details['slips'])} short arcs, "
        f"{len(details['clock_jumps'])} clock jumps"
    )
    lines += [
        f"single point {point['systems']:<4s} {scatter_words(point['scatter_enu_m'])}, "
        f"PDOP {point['mean_pdop']:.2f}, {point['mean_satellites']:.1f} satellites"
        for point in details["single_point"]
    ]
    ionosphere = details["ionosphere"]
    if ionosphere is not None:
        lines.append(
            f"ionosphere: ROTI {ionosphere['median_roti_tecu_per_min']:.2f} TECU/min in the median, "
            f"{ionosphere['p95_roti_tecu_per_min']:.2f} at 95 %"
        )
    lines += [
        f"code bias of {b['kind']} on {b['carrier']}: {b['observed_m']:.2f} m seen, "
        f"{b['remaining_m']:.2f} m left after removal"
        for b in details["code_biases"]
    ]
    untracked = details["expected"]["not_tracked"]
    if untracked:
        lines.append(f"{len(untracked)} satellites up and never observed: {' '.join(untracked)}")
    sources = details["expected"]["source_by_system"]
    blind = [s for s, source in sources.items() if source != details["orbit_source"]]
    lines.append(
        f"orbits: {details['orbit_source'] or 'none'}"
        + (f"; {''.join(blind)} expected from the passes as observed" if blind else "")
    )
    lines += [f"note: {text}" for text in details["remarks"]]
    for line in lines:
        out.print(f"  {line}", soft_wrap=True, markup=False)
    out.print(_signal_table(report))


def scatter_words(scatter_enu_m: Sequence[float] | None) -> str:
    """The scatter of single-point positions; too few of them have none."""
    if scatter_enu_m is None:
        return "scatter unknown (too few epochs)"
    east, north, up = scatter_enu_m
    return f"scatter E {east:.2f} N {north:.2f} U {up:.2f} m"


def _signal_table(report: Mapping[str, Any]) -> Table:
    observed = {s["signal"]: s["n_observations"] for s in report["signals"]}
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("signal", "carrier"):
        table.add_column(title)
    for title in ("sat.", "observed", "> 10 deg %", "C/N0 dB-Hz", "multipath m", "noise m"):
        table.add_column(title, justify="right")
    for item in report["details"]["signals"]:
        ratio = item["count"]["ratio_above_cutoff"]
        table.add_row(
            item["signal"],
            item["carrier"],
            str(item["n_satellites"]),
            str(observed[item["signal"]]),
            "-" if ratio is None else f"{100 * ratio:.1f}",
            _figure(item["cn0_dbhz"], 1),
            _figure(item["multipath_without_bias_rms_m"], 3),
            _figure(item["code_noise_m"], 3),
        )
    return table


def _figure(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"


def print_many(reports: Sequence[Mapping[str, Any]], out: Console) -> None:
    """One line for each station-day, and the reasons of those that are not accepted."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("station", "day", "verdict"):
        table.add_column(title)
    for title in ("epochs %", "> 10 deg %", "slips/1000", "worst multipath m", "height scatter m"):
        table.add_column(title, justify="right")
    for report in reports:
        details = report["details"]
        above = details["expected"]["total"]["ratio_above_cutoff"]
        rms = [
            s["multipath_without_bias_rms_m"]
            for s in details["signals"]
            if s["multipath_without_bias_rms_m"] is not None and s["signal"][0] in "GREC"
        ]
        points = details["single_point"]
        scatter = points[0]["scatter_enu_m"] if points else None
        table.add_row(
            report["station"],
            report["day"],
            report["verdict"],
            f"{100 * report['completeness']:.1f}",
            "-" if above is None else f"{100 * above:.1f}",
            f"{report['cycle_slips_per_thousand']:.2f}",
            _figure(max(rms, default=None), 2),
            _figure(scatter[2] if scatter else None, 2),
        )
    out.print(table)
    for report in reports:
        for reason in report["reasons"]:
            out.print(f"  {report['station']} {report['day']}: {reason}", soft_wrap=True, markup=False)
