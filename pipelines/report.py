"""The network report: one HTML file that holds all it needs and opens on a closed network."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from pipelines.records import RegionResult, StationDay, StationDayStatus
from pipelines.report_map import map_data
from pipelines.report_page import Picture, asset, captioned, ready_html, render_page
from pipelines.report_plots import residual_plot
from pipelines.report_sections import MILLIMETRES, report_sections
from pipelines.simulated_mark import SIMULATED_TEXT
from stations.formats.atomic_write import write_atomically

MOST_PLOTS: Final = 40  # beyond, the report would pass a megabyte; those with the largest residuals are shown


def write_report(path: Path, result: RegionResult) -> None:
    """Write the report; the same result gives the same bytes."""
    write_atomically(path, render_report(result).encode())


def render_report(result: RegionResult) -> str:
    """The report as HTML text."""
    solved = {item.station for item in result.station_days if item.status is StationDayStatus.SOLVED}
    drawing: str | None = None
    note = ""
    if result.coordinates:
        data, note = map_data(result.coordinates, solved)
        drawing = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        drawing = drawing.replace("<", "\\u003c")  # a station's name must not end the script element
    plots, plots_note = _plots(result.station_days)
    network = result.network
    subtitle = "" if network is None else f"{network.frame} at {network.epoch.iso()} GPST."
    return render_page(
        "report.html.j2",
        name=result.name,
        days=result.days,
        subtitle=subtitle,
        problems=result.problems,
        simulated=SIMULATED_TEXT if result.simulated else "",
        sections=report_sections(result),
        plots=captioned(plots),
        plots_note=plots_note,
        map_data=None if drawing is None else ready_html(drawing),
        map_note=note,
        leaflet_css=ready_html(asset("leaflet.css")),
        leaflet_js=ready_html(_without_source_map(asset("leaflet.js"))),
        map_js=ready_html(asset("report_map.js")),
    )


def _without_source_map(script: str) -> str:
    """A browser's tools would ask the network for the map; the report asks for nothing."""
    return "\n".join(line for line in script.splitlines() if not line.startswith("//# sourceMappingURL"))


def _plots(days: Sequence[StationDay]) -> tuple[list[Picture], str]:
    candidates = [item for item in days if item.solution is not None and item.solution.residuals is not None]
    shown = candidates
    note = "Phase residuals (ionosphere-free) over the time of day and over elevation; red: rejected."
    if len(candidates) > MOST_PLOTS:
        worst = sorted(candidates, key=_negative_rms)[:MOST_PLOTS]
        shown = [item for item in candidates if item in worst]
        note += f" The {MOST_PLOTS} station-days with the largest residuals out of {len(candidates)}."
    plots = []
    for item in shown:
        solution = item.solution
        if solution is None or solution.residuals is None:
            continue
        rejected = int(np.count_nonzero(~solution.residuals.accepted))
        plots.append(
            Picture(
                f"{item.station} {item.day}",
                f"rms {solution.residual_rms_phase_m * MILLIMETRES:.1f} mm, "
                f"{solution.residuals.accepted.size} observations, {rejected} rejected",
                residual_plot(solution.residuals),
            )
        )
    return plots, note


def _negative_rms(item: StationDay) -> float:
    return 0.0 if item.solution is None else -item.solution.residual_rms_phase_m
