"""The pictures of a station report as SVG: sky, zenith delay, convergence. Equal numbers give equal bytes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.records import PhaseResiduals, ZenithDelays

FloatArray = NDArray[np.float64]

MILLIMETRES: Final = 1e3
GRID: Final = "#d5dce3"
ZERO: Final = "#8b98a5"
INK: Final = "#1f5fa8"
BAND: Final = "#c9dcf2"
# Diverging colours, colour-blind safe (after ColorBrewer RdBu), from the most negative to the most positive.
DIVERGING: Final = (
    "#2166ac", "#4393c3", "#92c5de", "#d1e5f0", "#eeeeee", "#fddbc7", "#f4a582", "#d6604d", "#b2182b",
)  # fmt: skip
SEQUENTIAL: Final = (
    "#f1eef6", "#d4d9ec", "#b3c3de", "#8cb0d2", "#5f97c3", "#3179b0", "#0b5a97", "#06427a", "#032b57",
)  # fmt: skip
_SKY_RADIUS_PX: Final = 130
_SKY_MARGIN_PX: Final = 20
_SKY_LEGEND_PX: Final = 70
_RING_DEG: Final = 5
_FEWEST_IN_CELL: Final = 3
_WIDTH_PX: Final = 560
_HEIGHT_PX: Final = 190
_LEFT_PX: Final = 46
_RIGHT_PX: Final = 10
_TOP_PX: Final = 8
_BOTTOM_PX: Final = 20
_SECONDS_PER_HOUR: Final = 3600.0


@dataclass(frozen=True)
class SolutionSoFar:
    """The solution of the first `hours` of a session against that of all of it; ENU, m."""

    hours: float
    difference_enu_m: FloatArray | None
    sigma_enu_m: FloatArray | None
    note: str = ""


def sky_plot(residuals: PhaseResiduals, *, spread: bool) -> str:
    """Phase residuals over the sky, by cells of equal size: mean, or with `spread` their rms. An <svg>."""
    used = residuals.accepted & np.isfinite(residuals.phase_m)
    elevation_deg = np.degrees(residuals.elevation_rad[used])
    azimuth_deg = np.mod(np.degrees(residuals.azimuth_rad[used]), 360.0)
    phase_mm = residuals.phase_m[used] * MILLIMETRES
    return sky_mosaic(azimuth_deg, elevation_deg, phase_mm, rms=spread, limits=None, unit="mm")


def sky_mosaic(
    azimuth_deg: FloatArray,
    elevation_deg: FloatArray,
    values: FloatArray,
    *,
    rms: bool,
    limits: tuple[float, float] | None,
    unit: str,
) -> str:
    """Values over the sky, by cells of equal size: their mean or their rms. An <svg>.

    limits : of the colours; None takes a round one, about zero for means and from zero for an rms
    """
    ring = np.clip(((90.0 - elevation_deg) / _RING_DEG).astype(int), 0, 90 // _RING_DEG - 1)
    in_ring = np.array([_cells_in_ring(k) for k in range(90 // _RING_DEG)])
    sector = np.minimum((azimuth_deg / 360.0 * in_ring[ring]).astype(int), in_ring[ring] - 1)
    start = np.concatenate([[0], np.cumsum(in_ring)])
    cell = start[ring] + sector
    n_cells = int(start[-1])
    count = np.bincount(cell, minlength=n_cells)
    total = np.bincount(cell, values**2 if rms else values, n_cells)
    known = np.flatnonzero(count >= _FEWEST_IN_CELL)
    value = total[known] / count[known]
    value = np.sqrt(value) if rms else value
    colours = SEQUENTIAL if rms or limits is not None else DIVERGING
    if limits is None:
        limit = _nice_limit(float(np.percentile(np.abs(value), 98.0)) if value.size else 1.0)
        limits = (0.0 if rms else -limit, limit)
    share = (value - limits[0]) / (limits[1] - limits[0])
    shade = np.clip((share * len(colours)).astype(int), 0, len(colours) - 1)
    size = 2 * (_SKY_RADIUS_PX + _SKY_MARGIN_PX)
    parts = [f'<svg class="sky" viewBox="0 0 {size + _SKY_LEGEND_PX} {size}" role="img">']
    for number, colour in enumerate(colours):
        members = known[shade == number]
        if members.size:
            shapes = "".join(_cell_shape(int(member), start, in_ring) for member in members)
            parts.append(f'<path fill="{colour}" d="{shapes}"/>')
    parts.append(_sky_grid())
    parts.append(_legend(size, colours, *limits, unit))
    parts.append("</svg>")
    return "".join(parts)


def zenith_delay_plot(delays: ZenithDelays) -> str:
    """Zenith total delay with its sigma (band of one sigma) over hours since the first node. An <svg>."""
    hours = (delays.epochs.tai_ns - delays.epochs.tai_ns[0]) / 1e9 / _SECONDS_PER_HOUR
    low, high = delays.total_m - delays.sigma_m, delays.total_m + delays.sigma_m
    axes = _Axes.around(
        float(hours[0]), float(hours[-1]), float(low.min()) * MILLIMETRES, float(high.max()) * MILLIMETRES
    )
    there = axes.points(hours, high * MILLIMETRES)
    back = axes.points(hours[::-1], low[::-1] * MILLIMETRES)
    return "".join(
        (
            axes.opening("mm"),
            f'<polygon fill="{BAND}" points="{there} {back}"/>',
            axes.grid(" h"),
            f'<polyline fill="none" stroke="{INK}" stroke-width="1.5" '
            f'points="{axes.points(hours, delays.total_m * MILLIMETRES)}"/>',
            "</svg>",
        )
    )


def convergence_plot(steps: Sequence[SolutionSoFar]) -> str:
    """East, north, up of solutions so far minus the whole one, with sigma, over the hours used. An <svg>."""
    known = [step for step in steps if step.difference_enu_m is not None and step.sigma_enu_m is not None]
    reach = 1.0
    for step in known:
        assert step.difference_enu_m is not None
        assert step.sigma_enu_m is not None
        reach = max(reach, float(np.max(np.abs(step.difference_enu_m) + step.sigma_enu_m)) * MILLIMETRES)
    last = math.log2(max([step.hours for step in known], default=2.0))
    first = math.log2(min([step.hours for step in known], default=1.0))
    axes = _Axes.around(first - 0.3, last + 0.3, -reach, reach)
    parts = [axes.opening("mm"), axes.grid(None), axes.zero_line()]
    for component, (colour, name) in enumerate((("#1f5fa8", "E"), ("#1b7f4b", "N"), ("#b3261e", "U"))):
        for step in known:
            assert step.difference_enu_m is not None
            assert step.sigma_enu_m is not None
            x = axes.x(math.log2(step.hours)) + (component - 1) * 7.0
            middle = float(step.difference_enu_m[component]) * MILLIMETRES
            sigma = float(step.sigma_enu_m[component]) * MILLIMETRES
            top, bottom = axes.y(middle + sigma), axes.y(middle - sigma)
            parts.append(
                f'<path d="M{x:.1f} {top:.1f}V{bottom:.1f}" stroke="{colour}" stroke-width="1.5"/>'
                f'<circle cx="{x:.1f}" cy="{axes.y(middle):.1f}" r="3" fill="{colour}"/>'
            )
        parts.append(
            f'<text x="{_WIDTH_PX - 70 + 20 * component}" y="{_TOP_PX + 12}" '
            f'style="fill:{colour};font-weight:600">{name}</text>'
        )
    parts += [
        f'<text x="{axes.x(math.log2(step.hours)):.1f}" y="{_HEIGHT_PX - 6}" text-anchor="middle">'
        f"{step.hours:g} h</text>"
        for step in known
    ]
    parts.append("</svg>")
    return "".join(parts)


def _cells_in_ring(ring: int) -> int:
    """Sectors of a ring counted from the zenith, so that all cells have about one size."""
    return max(4, round(2.0 * math.pi * (ring + 0.5)))


def _cell_shape(cell: int, start: NDArray[np.int64], in_ring: NDArray[np.int64]) -> str:
    ring = int(np.searchsorted(start, cell, side="right")) - 1
    sectors = int(in_ring[ring])
    sector = cell - int(start[ring])
    inner, outer = (_SKY_RADIUS_PX * _RING_DEG / 90.0 * (ring + k) for k in (0, 1))
    one, other = (2.0 * math.pi * (sector + k) / sectors for k in (0, 1))
    a, b = _on_sky(one, inner), _on_sky(one, outer)
    c, d = _on_sky(other, outer), _on_sky(other, inner)
    return (
        f"M{a[0]:.1f} {a[1]:.1f}L{b[0]:.1f} {b[1]:.1f}A{outer:.1f} {outer:.1f} 0 0 1 {c[0]:.1f} {c[1]:.1f}"
        f"L{d[0]:.1f} {d[1]:.1f}A{inner:.1f} {inner:.1f} 0 0 0 {a[0]:.1f} {a[1]:.1f}Z"
    )


def _on_sky(azimuth_rad: float, radius_px: float) -> tuple[float, float]:
    centre = _SKY_RADIUS_PX + _SKY_MARGIN_PX
    return centre + radius_px * math.sin(azimuth_rad), centre - radius_px * math.cos(azimuth_rad)


def _sky_grid() -> str:
    centre = _SKY_RADIUS_PX + _SKY_MARGIN_PX
    parts = []
    for elevation in (0, 30, 60):
        radius = _SKY_RADIUS_PX * (90 - elevation) / 90
        parts.append(f'<circle cx="{centre}" cy="{centre}" r="{radius:.1f}" fill="none" stroke="{ZERO}"/>')
        if elevation:
            parts.append(f'<text x="{centre + 3}" y="{centre - radius - 2:.1f}">{elevation}°</text>')
    edge = _SKY_RADIUS_PX
    parts.append(
        f'<path d="M{centre - edge} {centre}h{2 * edge}M{centre} {centre - edge}v{2 * edge}" '
        'stroke="#8b98a5" stroke-width=".5"/>'
    )
    for name, azimuth in (("N", 0.0), ("E", 90.0), ("S", 180.0), ("W", 270.0)):
        x, y = _on_sky(math.radians(azimuth), edge + 11.0)
        parts.append(f'<text x="{x:.1f}" y="{y + 3.5:.1f}" text-anchor="middle">{name}</text>')
    return "".join(parts)


def _legend(left_px: int, colours: Sequence[str], low: float, high: float, unit: str) -> str:
    top, step = 40, 22
    parts = [f'<text x="{left_px}" y="{top - 8}">{unit}</text>']
    for number, colour in enumerate(reversed(colours)):
        parts.append(
            f'<rect x="{left_px}" y="{top + number * step}" width="14" height="{step}" fill="{colour}"/>'
        )
    for part in (0.0, 0.5, 1.0):
        value = high - part * (high - low)
        y = round(top + part * step * len(colours), 1)
        parts.append(f'<text x="{left_px + 18}" y="{y + 3.5:g}">{value:g}</text>')
    return "".join(parts)


def _nice_limit(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    if value <= 0.0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if value <= factor * power * (1.0 + 1e-9))


@dataclass(frozen=True)
class _Axes:
    """A panel: limits of both axes and ticks of the upright one."""

    left: float
    right: float
    low: float
    high: float
    step: float

    @classmethod
    def around(cls, left: float, right: float, low: float, high: float) -> "_Axes":
        step = _nice_limit(max(high - low, 1e-9) / 5.0)
        right = right if right > left else left + 1.0
        return cls(left, right, math.floor(low / step) * step, math.ceil(high / step) * step or step, step)

    def x(self, value: float) -> float:
        width = _WIDTH_PX - _LEFT_PX - _RIGHT_PX
        return _LEFT_PX + (value - self.left) / (self.right - self.left) * width

    def y(self, value: float) -> float:
        height = _HEIGHT_PX - _TOP_PX - _BOTTOM_PX
        return _TOP_PX + (self.high - value) / (self.high - self.low) * height

    def points(self, across: FloatArray, up: FloatArray) -> str:
        return " ".join(
            f"{self.x(float(a)):.1f},{self.y(float(u)):.1f}" for a, u in zip(across, up, strict=True)
        )

    def opening(self, unit: str) -> str:
        middle = (_TOP_PX + _HEIGHT_PX - _BOTTOM_PX) / 2
        return (
            f'<svg viewBox="0 0 {_WIDTH_PX} {_HEIGHT_PX}" role="img">'
            f'<text transform="translate(9 {middle:g}) rotate(-90)" text-anchor="middle">{unit}</text>'
        )

    def zero_line(self) -> str:
        """A darker line where the upright axis is zero."""
        width = _WIDTH_PX - _LEFT_PX - _RIGHT_PX
        return f'<path d="M{_LEFT_PX} {self.y(0.0):.1f}h{width}" stroke="{ZERO}"/>'

    def grid(self, time_unit: str | None) -> str:
        """Frame, lines and labels of the upright axis; of the time axis where a unit is given."""
        width, bottom = _WIDTH_PX - _LEFT_PX - _RIGHT_PX, _HEIGHT_PX - _BOTTOM_PX
        parts = [
            f'<rect x="{_LEFT_PX}" y="{_TOP_PX}" width="{width}" height="{bottom - _TOP_PX}" fill="none" '
            f'stroke="{GRID}"/>'
        ]
        for k in range(round((self.high - self.low) / self.step) + 1):
            value = self.low + k * self.step
            y = self.y(value)
            parts.append(
                f'<path d="M{_LEFT_PX} {y:.1f}h{width}" stroke="{GRID}" stroke-width=".7"/>'
                f'<text x="{_LEFT_PX - 4}" y="{y + 3:.1f}" text-anchor="end">{round(value, 6) + 0.0:g}</text>'
            )
        if time_unit is not None:
            step = next(
                s for s in (0.25, 0.5, 1.0, 3.0, 6.0, 24.0, 240.0) if (self.right - self.left) / s <= 8.5
            )
            parts += [
                f'<text x="{self.x(self.left + k * step):.1f}" y="{_HEIGHT_PX - 6}" text-anchor="middle">'
                f"{k * step:g}{time_unit}</text>"
                for k in range(int((self.right - self.left) / step) + 1)
            ]
        return "".join(parts)
