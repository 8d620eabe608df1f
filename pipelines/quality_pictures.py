"""The pictures of a quality report as SVG: bars of visibility with slips, and figures over the day.

Colours are those of Okabe and Ito (2008), which the colour-blind can tell; every line is also named where it
ends or in the legend. Equal numbers give equal bytes.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

SYSTEM_COLOURS: Final[Mapping[str, str]] = {
    "G": "#0072b2", "E": "#009e73", "R": "#d55e00", "C": "#cc79a7",
    "J": "#e69f00", "I": "#56b4e9", "S": "#8b98a5",
}  # fmt: skip
LINE_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#333333")
INK: Final = "#1c2733"
GRID: Final = "#d5dce3"
MISSED: Final = "#e6b17e"
MOST_POINTS: Final = 480  # of a line: two pixels each; more would only make the file larger
_WIDTH_PX: Final = 880
_LEFT_PX: Final = 46
_RIGHT_PX: Final = 12
_BOTTOM_PX: Final = 20
_TOP_PX: Final = 20
_PANEL_PX: Final = 150
_ROW_PX: Final = 11
_BAR_PX: Final = 7
_HOUR_STEPS: Final = (1 / 60, 1 / 12, 0.25, 0.5, 1.0, 2.0, 3.0, 6.0, 12.0, 24.0)
_MOST_TICKS: Final = 13
_MINUTES_PER_DAY: Final = 1440


@dataclass(frozen=True, eq=False)
class Line:
    """A line of a panel: its name, colour and values (n,), NaN where broken."""

    name: str
    colour: str
    values: FloatArray


@dataclass(frozen=True)
class TimeAxis:
    """Hours of the day (GPST) across a picture; beyond 24 where a session goes past midnight."""

    first_h: float
    last_h: float

    def x(self, hours: FloatArray | float) -> FloatArray:
        """Places in pixels."""
        width = _WIDTH_PX - _LEFT_PX - _RIGHT_PX
        return _LEFT_PX + (np.asarray(hours) - self.first_h) / (self.last_h - self.first_h) * width

    def ticks(self, top_px: float, bottom_px: float) -> str:
        """Lines and labels of the hours."""
        span = self.last_h - self.first_h
        step = next((s for s in _HOUR_STEPS if span / s <= _MOST_TICKS), 24.0)
        parts = []
        k = math.ceil(self.first_h / step - 1e-9)
        while k * step <= self.last_h + 1e-9:
            x = float(self.x(k * step))
            minutes = round(k * step * 60)
            hour = minutes // 60 if minutes <= _MINUTES_PER_DAY else minutes // 60 % 24
            label = f"{hour:02d}:{minutes % 60:02d}"
            anchor = "end" if x > _WIDTH_PX - _RIGHT_PX - 12 else "middle"
            parts.append(
                f'<path d="M{x:.1f} {top_px:.1f}V{bottom_px:.1f}" stroke="{GRID}" stroke-width=".7"/>'
                f'<text x="{x:.1f}" y="{bottom_px + 15:.1f}" text-anchor="{anchor}">{label}</text>'
            )
            k += 1
        return "".join(parts)


def time_panel(
    axis: TimeAxis,
    hours: FloatArray,
    lines: Sequence[Line],
    unit: str,
    *,
    limits: tuple[float, float] | None = None,
) -> str:
    """Lines over the day. An <svg>.

    hours : (n,) of the lines' values; limits : of the upright axis, else those of the values
    """
    finite = [line.values[np.isfinite(line.values)] for line in lines]
    values = np.concatenate(finite) if finite else np.zeros(0)
    if limits is None:
        if values.size:
            # One epoch gone astray must not press all others into a line.
            low, high = (float(v) for v in np.percentile(values, (0.2, 99.8)))
        else:
            low, high = 0.0, 1.0
        limits = (low, high)
    step = nice_step((limits[1] - limits[0]) / 4.0)
    low = math.floor(limits[0] / step + 1e-9) * step
    high = max(math.ceil(limits[1] / step - 1e-9) * step, low + step)
    bottom = _PANEL_PX - _BOTTOM_PX

    def y(value: FloatArray | float) -> FloatArray:
        share = (high - np.clip(value, low, high)) / (high - low)
        return np.asarray(_TOP_PX + share * (bottom - _TOP_PX))

    parts = [_opening(_PANEL_PX), axis.ticks(_TOP_PX, bottom)]
    for k in range(round((high - low) / step) + 1):
        value = low + k * step
        at = float(y(value))
        parts.append(
            f'<path d="M{_LEFT_PX} {at:.1f}H{_WIDTH_PX - _RIGHT_PX}" stroke="{GRID}" stroke-width=".7"/>'
            f'<text x="{_LEFT_PX - 5}" y="{at + 3.5:.1f}" text-anchor="end">{round(value, 9) + 0.0:g}</text>'
        )
    parts.append(f'<text x="2" y="10.5">{unit}</text>')
    x = max(_LEFT_PX + 4.0, 16.0 + 6.6 * len(unit))
    for line in lines:
        path = _path(axis.x(hours), y(line.values), np.isfinite(line.values))
        parts.append(f'<path fill="none" stroke="{line.colour}" stroke-width="1.3" d="{path}"/>')
        parts.append(
            f'<path d="M{x:.0f} 7h14" stroke="{line.colour}" stroke-width="3"/>'
            f'<text x="{x + 18:.0f}" y="10.5" class="name">{line.name}</text>'
        )
        x += 34 + 6.6 * len(line.name)
    parts.append("</svg>")
    return "".join(parts)


def visibility_bars(
    axis: TimeAxis,
    hours: FloatArray,
    satellites: Sequence[str],
    expected: BoolArray,
    tracked: BoolArray,
    slips: BoolArray,
    flags: BoolArray,
    step_h: float,
) -> str:
    """A bar for each satellite: thin where it was up, thick where it was tracked; slips marked. An <svg>.

    expected, tracked, slips, flags : (n_grid, n_satellite) on even hours (n_grid,); slips that the phases
        show, flags of the receiver alone
    """
    height = _TOP_PX + _ROW_PX * len(satellites) + _BOTTOM_PX
    parts = [_opening(height), axis.ticks(_TOP_PX, height - _BOTTOM_PX)]
    y = float(_TOP_PX)
    for k, satellite in enumerate(satellites):
        middle = y + _ROW_PX / 2
        colour = SYSTEM_COLOURS.get(satellite[0], INK)
        thin = _runs(axis, hours, expected[:, k], step_h, middle - 1.5, 3.0)
        thick = _runs(axis, hours, tracked[:, k], step_h, middle - _BAR_PX / 2, float(_BAR_PX))
        if thin:
            parts.append(f'<path fill="{MISSED}" d="{thin}"/>')
        if thick:
            parts.append(f'<path fill="{colour}" fill-opacity=".55" d="{thick}"/>')
        for mask, ink, reach in ((flags[:, k], "#ffffff", 2.5), (slips[:, k], "#000000", 5.0)):
            at = np.unique(np.round(axis.x(hours[mask]), 1))
            if at.size:
                marks = "".join(f"M{x:.1f} {middle - reach:.1f}v{2 * reach:g}" for x in at)
                parts.append(f'<path stroke="{ink}" stroke-width="1.1" d="{marks}"/>')
        parts.append(
            f'<text x="{_LEFT_PX - 5}" y="{middle + 3.2:.1f}" text-anchor="end" class="satellite">'
            f"{satellite}</text>"
        )
        y += _ROW_PX
    x = float(_LEFT_PX)
    for name, shape in (
        ("tracked", f'<rect x="{{x}}" y="4" width="18" height="{_BAR_PX}" fill="{INK}" fill-opacity=".45"/>'),
        ("up and not tracked", f'<rect x="{{x}}" y="6" width="18" height="3" fill="{MISSED}"/>'),
        ("slip in the phase", '<path d="M{m} 2.5v10" stroke="#000000" stroke-width="1.1"/>'),
        (
            "loss of lock flagged, no slip in the phase",
            f'<rect x="{{x}}" y="4" width="18" height="{_BAR_PX}" fill="{INK}" fill-opacity=".45"/>'
            '<path d="M{m} 5v5" stroke="#ffffff" stroke-width="1.1"/>',
        ),
    ):
        parts.append(shape.format(x=f"{x:.0f}", m=f"{x + 9:.0f}"))
        parts.append(f'<text x="{x + 22:.0f}" y="11" class="name">{name}</text>')
        x += 44 + 5.8 * len(name)
    parts.append("</svg>")
    return "".join(parts)


def thinned(hours: FloatArray, values: FloatArray, *, largest: bool = False) -> tuple[FloatArray, FloatArray]:
    """At most MOST_POINTS points of a series (n,) or (n, m): medians, or the largest, of neighbours."""
    group = max(1, math.ceil(hours.size / MOST_POINTS))
    edges = np.arange(0, hours.size, group)
    taken = np.array([hours[e : e + group].mean() for e in edges])
    found = np.full((edges.size, *values.shape[1:]), np.nan)
    for k, e in enumerate(edges):
        part = values[e : e + group]
        known = np.isfinite(part).any(axis=0)
        if values.ndim == 1:
            if known:
                found[k] = np.nanmax(part) if largest else np.nanmedian(part)
        elif known.any():
            own = part[:, known]
            found[k, known] = np.nanmax(own, axis=0) if largest else np.nanmedian(own, axis=0)
    return taken, found


def nice_step(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    if value <= 0.0 or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(f * power for f in (1.0, 2.0, 5.0, 10.0) if value <= f * power * (1.0 + 1e-9))


def _opening(height_px: float) -> str:
    return f'<svg viewBox="0 0 {_WIDTH_PX} {height_px:g}" role="img">'


def _path(x: FloatArray, y: FloatArray, known: BoolArray) -> str:
    """A broken line through the known points; a point alone becomes a dot of a line."""
    parts = []
    pen_down = False
    for a, b, there in zip(x.tolist(), y.tolist(), known.tolist(), strict=True):
        if not there:
            pen_down = False
            continue
        parts.append(f"{'L' if pen_down else 'M'}{a:.1f} {b:.1f}" + ("" if pen_down else "h.6"))
        pen_down = True
    return "".join(parts)


def _runs(
    axis: TimeAxis, hours: FloatArray, mask: BoolArray, step_h: float, top_px: float, height_px: float
) -> str:
    """Bars over the runs of a mask."""
    edges = np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return "".join(
        f"M{a:.1f} {top_px:.1f}H{max(b, a + 0.5):.1f}v{height_px:g}H{a:.1f}z"
        for a, b in zip(
            axis.x(hours[starts]).tolist(),
            np.minimum(axis.x(hours[ends] + step_h), _WIDTH_PX - _RIGHT_PX).tolist(),
            strict=True,
        )
    )
