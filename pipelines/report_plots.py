"""Residual plots as SVG: small, the same bytes for the same residuals, and readable without a script."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.records import PhaseResiduals

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# A panel is a grid of cells; several residuals in a cell are drawn once, which bounds the size of the report.
CELLS_ACROSS: Final = 130
CELLS_UP: Final = 40
CELL_PX: Final = 2
GAP_PX: Final = 34
MARGIN_PX: Final = 30
TOP_PX: Final = 6
BOTTOM_PX: Final = 16
# Between ticks of the time axis, minutes; a day has one each six hours.
TICK_STEPS_MIN: Final = (1, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)
MOST_STEPS: Final = 4
# Phase residuals of a sound station stay within a few centimetres; the axis shows the 99.5th percentile.
PERCENTILE: Final = 99.5
SMALLEST_AXIS_MM: Final = 10.0


def residual_plot(residuals: PhaseResiduals, *, cells_up: int = CELLS_UP) -> str:
    """Phase residuals over the session's hours of the day and over elevation; rejected in red. An <svg>.

    cells_up : height of the panels, in cells of `CELL_PX`
    """
    used = np.isfinite(residuals.phase_m)
    phase_mm = residuals.phase_m[used] * 1e3
    accepted = residuals.accepted[used]
    moments = residuals.epochs.datetime64()[used]
    day = moments.astype("datetime64[D]").min() if moments.size else np.datetime64("2000-01-01")
    seconds = (moments - day).astype("timedelta64[s]").astype(np.float64)
    elevation_deg = np.degrees(residuals.elevation_rad[used])
    axis_mm = _axis(phase_mm[accepted])
    elapsed, time_ticks = _time_axis(seconds)
    panel_px = CELLS_ACROSS * CELL_PX
    height_px = cells_up * CELL_PX
    width = MARGIN_PX + 2 * panel_px + GAP_PX
    parts = [f'<svg viewBox="0 0 {width + 4} {TOP_PX + height_px + BOTTOM_PX}" role="img">']
    for left, fraction, ticks in (
        (MARGIN_PX, elapsed, time_ticks),
        (MARGIN_PX + panel_px + GAP_PX, elevation_deg / 90.0, _ELEVATION_TICKS),
    ):
        parts.append(_frame(left, height_px, axis_mm, ticks))
        for selected, colour in ((accepted, "#1f5fa8"), (~accepted, "#b3261e")):
            cells = _cells(fraction[selected], phase_mm[selected] / axis_mm, cells_up)
            if cells:
                parts.append(
                    f'<path transform="translate({left} {TOP_PX}) scale({CELL_PX})" stroke="{colour}" '
                    f'stroke-width="1" d="{cells}"/>'
                )
    parts.append("</svg>")
    return "".join(parts)


def _axis(values_mm: FloatArray) -> float:
    if values_mm.size == 0:
        return SMALLEST_AXIS_MM
    largest = float(np.percentile(np.abs(values_mm), PERCENTILE))
    return max(SMALLEST_AXIS_MM, 10.0 * math.ceil(largest / 10.0))


def _time_axis(seconds: FloatArray) -> tuple[FloatArray, tuple[tuple[float, str], ...]]:
    """Places (n,), 0..1, of seconds of the day on an axis of whole steps about them; and its ticks."""
    first_min, last_min = (seconds.min() / 60.0, seconds.max() / 60.0) if seconds.size else (0.0, 1440.0)
    for step in TICK_STEPS_MIN:
        begin = math.floor(first_min / step)
        end = max(math.ceil(last_min / step), begin + 1)
        if end - begin <= MOST_STEPS:
            break
    n_steps = end - begin
    marked = range(0, n_steps + 1, math.ceil(n_steps / MOST_STEPS))
    ticks = tuple((k / n_steps, _hour_label((begin + k) * step)) for k in marked)
    return (seconds / 60.0 / step - begin) / n_steps, ticks


def _hour_label(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02d}" if minutes % 60 else f"{minutes // 60} h"


_ELEVATION_TICKS: Final = tuple((degree / 90.0, f"{degree}°") for degree in (0, 30, 60, 90))


def _frame(left: int, height: int, axis_mm: float, ticks: tuple[tuple[float, str], ...]) -> str:
    width = CELLS_ACROSS * CELL_PX
    middle = TOP_PX + height / 2
    parts = [
        f'<rect x="{left}" y="{TOP_PX}" width="{width}" height="{height}" fill="none" stroke="#d5dce3"/>',
        f'<path d="M{left} {middle:g}h{width}" stroke="#d5dce3"/>',
        f'<text x="{left - 3}" y="{TOP_PX + 7}" text-anchor="end">{axis_mm:g}</text>',
        f'<text x="{left - 3}" y="{middle + 3:g}" text-anchor="end">mm</text>',
        f'<text x="{left - 3}" y="{TOP_PX + height}" text-anchor="end">-{axis_mm:g}</text>',
    ]
    for place, label in ticks:
        anchor = "start" if place == 0 else "end" if place == 1 else "middle"
        parts.append(
            f'<text x="{left + place * width:g}" y="{TOP_PX + height + 11}" text-anchor="{anchor}">'
            f"{label}</text>"
        )
    return "".join(parts)


def _cells(across: FloatArray, up: FloatArray, cells_up: int) -> str:
    """Path of one-cell strokes for points with `across` 0..1 and `up` -1..1; beyond is drawn at the edge."""
    if across.size == 0:
        return ""
    column = np.clip((across * CELLS_ACROSS).astype(int), 0, CELLS_ACROSS - 1)
    row = np.clip(((1.0 - up) * 0.5 * cells_up).astype(int), 0, cells_up - 1)
    filled = np.zeros((cells_up, CELLS_ACROSS), dtype=np.bool_)
    filled[row, column] = True
    return "".join(_runs(filled[y], y) for y in range(cells_up))


def _runs(cells: BoolArray, y: int) -> str:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], cells.astype(np.int8), [0]])))
    return "".join(
        f"M{start} {y}.5h{end - start}" for start, end in zip(edges[::2], edges[1::2], strict=True)
    )
