"""Drawings of an adjusted network as SVG: map with ellipses and residuals, histogram, quantiles.

They need no script, are the same bytes for the same network, and print as they show.
"""

import html
import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from datum.network.observations import GnssVectorCluster
from pipelines.adjusted_network import AdjustedNetwork, plan_coordinates
from transforms.geodetic import enu_matrix_at

FloatArray = NDArray[np.float64]

_WIDTH: Final = 960
_HIGHEST: Final = 680
_MARGIN: Final = 46
# Of the drawing's width: half axis of an ellipse that four fifths of the stations stay under, and the most.
_ELLIPSE_SHARE: Final = 0.012
_LARGEST_ELLIPSE_SHARE: Final = 0.05
_COMMON_PART: Final = 80.0  # per cent
_ARROW_SHARE: Final = 0.06
_MOST_ARROWS: Final = 300
_MOST_LABELS: Final = 120
_LABEL_WIDTH: Final = 6.2  # of a character, px
_LABEL_HEIGHT: Final = 11.0
_MOST_LINES: Final = 12_000  # more would make the report heavier than a megabyte
_PLOT: Final = (430, 260)
_PLOT_MARGIN: Final = (44, 16, 14, 34)  # left, right, top, bottom
_HISTOGRAM_LIMIT: Final = 5.0  # standardised residuals beyond are counted in the outermost bars
_HISTOGRAM_STEP: Final = 0.25
_ROUND_STEPS: Final = (1.0, 2.0, 5.0)
_INK: Final = "#1c2733"
_LINE: Final = "#9aa8b6"
_ACCENT: Final = "#1f5fa8"
_BAD: Final = "#b3261e"
_GOOD: Final = "#1b7f4b"


def _round_down(value: float) -> float:
    """The greatest 1, 2 or 5 times a power of ten that is not above the value."""
    power = 10.0 ** math.floor(math.log10(value))
    return power * max(step for step in _ROUND_STEPS if step * power <= value * (1.0 + 1e-12))


class _Sheet:
    """Metres east and north to pixels, equal scales on both axes."""

    def __init__(self, plan: FloatArray) -> None:
        low, high = plan.min(axis=0), plan.max(axis=0)
        span = np.maximum(high - low, 1e-3)
        inner = _WIDTH - 2 * _MARGIN
        self.scale = float(min(inner / span[0], (_HIGHEST - 2 * _MARGIN) / span[1]))
        self.height = int(2 * _MARGIN + max(span[1] * self.scale, 120.0))
        self._left = 0.5 * (_WIDTH - span[0] * self.scale) - low[0] * self.scale
        self._bottom = 0.5 * (self.height + span[1] * self.scale) + low[1] * self.scale

    def at(self, place: Sequence[float]) -> tuple[float, float]:
        """Pixels of a place (east, north)."""
        return float(self._left + place[0] * self.scale), float(self._bottom - place[1] * self.scale)


def map_drawing(adjusted: AdjustedNetwork, significance_limit: float) -> tuple[str, str]:
    """The map as SVG, and a sentence on what it shows and its scales."""
    plan = plan_coordinates(adjusted)
    sheet = _Sheet(np.array(list(plan.values())))
    parts = [f'<svg class="map" viewBox="0 0 {_WIDTH} {sheet.height}" role="img" aria-label="map">']
    lines, n_lines = _observation_lines(adjusted, plan, sheet, significance_limit)
    parts += lines
    ellipses, ellipse_words = _ellipse_paths(adjusted, plan, sheet)
    parts += ellipses
    arrows, arrow_words = _residual_arrows(adjusted, plan, sheet)
    parts += arrows
    for row in adjusted.stations:
        x, y = sheet.at(plan[row.name])
        held = "fixed" in row.role or "weighted" in row.role
        shape = (
            f'<path d="M{x:.1f} {y - 5:.1f}l4.6 8h-9.2z" fill="{_INK}"/>'
            if held
            else f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{_GOOD}"/>'
        )
        parts.append(f"<g><title>{html.escape(row.name)}</title>{shape}</g>")
    labels, n_labels = _labels(adjusted, plan, sheet)
    parts += labels
    if adjusted.is_on_earth or any(math.isfinite(row.position_m[0]) for row in adjusted.stations):
        parts += _scale_bar(sheet)
    parts.append("</svg>")
    words = (
        f"Triangles hold the datum, circles are adjusted. Grey: {n_lines} observed lines; red: lines with an "
        f"observation that fails the test or is not used. {ellipse_words}{arrow_words}"
    )
    if n_labels < len(adjusted.stations):
        words += f" {n_labels} of {len(adjusted.stations)} names have room; the others show under the mouse."
    if not adjusted.is_on_earth and not any(math.isfinite(row.position_m[0]) for row in adjusted.stations):
        words += " Places are schematic where the input gives none: the network has heights alone."
    return "".join(parts), words


def _observation_lines(
    adjusted: AdjustedNetwork, plan: dict[str, tuple[float, float]], sheet: _Sheet, limit: float
) -> tuple[list[str], int]:
    table = adjusted.adjustment.residuals
    pairs: dict[tuple[str, str], bool] = {}
    for i in range(len(table.name)):
        frm, to = table.frm[i], table.to[i]
        if frm in plan and to in plan and frm != to:
            key = (frm, to) if frm < to else (to, frm)
            bad = abs(float(table.w[i])) > limit or not bool(table.accepted[i])
            pairs[key] = pairs.get(key, False) or bad
    result = []
    for colour, wanted in ((_LINE, False), (_BAD, True)):
        segments = []
        for (frm, to), bad in sorted(pairs.items())[:_MOST_LINES]:
            if bad is wanted:
                (x1, y1), (x2, y2) = sheet.at(plan[frm]), sheet.at(plan[to])
                segments.append(f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}")
        if segments:
            width = 1.2 if wanted else 0.6
            result.append(
                f'<path d="{"".join(segments)}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
            )
    return result, len(pairs)


def _ellipse_paths(
    adjusted: AdjustedNetwork, plan: dict[str, tuple[float, float]], sheet: _Sheet
) -> tuple[list[str], str]:
    axes = [row.ellipse.major_m for row in adjusted.stations if row.ellipse is not None]
    if not axes or max(axes) <= 0.0:
        return [], ""
    pixels_per_m = _WIDTH * min(
        _ELLIPSE_SHARE / max(float(np.percentile(axes, _COMMON_PART)), 1e-9),
        _LARGEST_ELLIPSE_SHARE / max(axes),
    )
    result = []
    for row in adjusted.stations:
        if row.ellipse is None or row.ellipse.major_m <= 0.0:
            continue
        x, y = sheet.at(plan[row.name])
        # SVG turns clockwise from the right; azimuths count clockwise from up.
        turn = math.degrees(row.ellipse.azimuth_rad) - 90.0
        result.append(
            f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{row.ellipse.major_m * pixels_per_m:.2f}" '
            f'ry="{row.ellipse.minor_m * pixels_per_m:.2f}" transform="rotate({turn:.1f} {x:.1f} {y:.1f})" '
            f'fill="{_ACCENT}" fill-opacity="0.12" stroke="{_ACCENT}" stroke-width="0.8"/>'
        )
    return result, (
        f"Blue: {adjusted.confidence:.0%} ellipses, the largest half axis {max(axes) * 1e3:.1f} mm. "
    )


def _residual_arrows(
    adjusted: AdjustedNetwork, plan: dict[str, tuple[float, float]], sheet: _Sheet
) -> tuple[list[str], str]:
    """Horizontal residuals of vectors, at the middle of each."""
    table = adjusted.adjustment.residuals
    found: dict[tuple[int, int], dict[str, int]] = {}
    for i in range(len(table.name)):
        cluster = adjusted.network.clusters[int(table.cluster[i])] if table.cluster[i] >= 0 else None
        if isinstance(cluster, GnssVectorCluster) and bool(table.accepted[i]):
            found.setdefault((int(table.cluster[i]), int(table.item[i])), {})[table.component[i]] = i
    position = {row.name: np.array(row.position_m) for row in adjusted.stations}
    arrows = []
    for rows in found.values():
        if set(rows) != {"x", "y", "z"}:
            continue
        first = rows["x"]
        residual = np.array([float(table.residual[rows[axis]]) for axis in "xyz"])
        frm, to = table.frm[first], table.to[first]
        if frm not in plan or to not in plan:
            continue
        if adjusted.is_on_earth:
            local = enu_matrix_at(position[frm], adjusted.network.ellipsoid) @ residual
            east, north = float(local[0]), float(local[1])
        else:
            north, east = float(residual[0]), float(residual[1])
        middle = (0.5 * (plan[frm][0] + plan[to][0]), 0.5 * (plan[frm][1] + plan[to][1]))
        arrows.append((middle, east, north))
    longest = max((math.hypot(east, north) for _, east, north in arrows), default=0.0)
    if longest <= 0.0:
        return [], ""
    pixels_per_m = _ARROW_SHARE * _WIDTH / longest
    segments = []
    shown = sorted(arrows, key=lambda arrow: -math.hypot(arrow[1], arrow[2]))[:_MOST_ARROWS]
    for middle, east, north in shown:
        x, y = sheet.at(middle)
        dx, dy = east * pixels_per_m, -north * pixels_per_m
        if math.hypot(dx, dy) < 0.5:
            continue
        segments.append(f"M{x:.1f} {y:.1f}l{dx:.1f} {dy:.1f}")
        size = min(4.0, 0.4 * math.hypot(dx, dy))
        angle = math.atan2(dy, dx)
        for side in (2.6, -2.6):
            hx, hy = size * math.cos(angle + side), size * math.sin(angle + side)
            segments.append(f"M{x + dx:.1f} {y + dy:.1f}l{hx:.1f} {hy:.1f}")
    path = f'<path d="{"".join(segments)}" fill="none" stroke="#c26a00" stroke-width="1.1"/>'
    of_all = f" (the {len(shown)} longest of {len(arrows)})" if len(shown) < len(arrows) else ""
    return [path], (f"Orange: horizontal residuals of vectors{of_all}, the longest {longest * 1e3:.1f} mm. ")


def _labels(
    adjusted: AdjustedNetwork, plan: dict[str, tuple[float, float]], sheet: _Sheet
) -> tuple[list[str], int]:
    """Names that do not cover each other; those that hold the datum first."""
    taken: list[tuple[float, float, float, float]] = []
    result: list[str] = []
    ordered = sorted(adjusted.stations, key=lambda row: ("fixed" not in row.role, row.name))
    for row in ordered:
        if len(result) >= _MOST_LABELS:
            break
        x, y = sheet.at(plan[row.name])
        width = _LABEL_WIDTH * len(row.name)
        left = x + 6.0 if x + 6.0 + width < _WIDTH else x - 6.0 - width
        box = (left, y - _LABEL_HEIGHT, left + width, y + 2.0)
        if any(
            box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]
            for other in taken
        ):
            continue
        taken.append(box)
        result.append(f'<text x="{left:.1f}" y="{y - 1:.1f}" class="name">{html.escape(row.name)}</text>')
    return result, len(result)


def _scale_bar(sheet: _Sheet) -> list[str]:
    length_m = _round_down(0.25 * _WIDTH / sheet.scale)
    pixels = length_m * sheet.scale
    words = f"{length_m / 1000.0:g} km" if length_m >= 1000.0 else f"{length_m:g} m"
    y = sheet.height - 14
    return [
        f'<path d="M12 {y - 4}v4h{pixels:.1f}v-4" fill="none" stroke="{_INK}"/>',
        f'<text x="{16 + pixels:.1f}" y="{y}" class="name">{words}</text>',
    ]


def used_statistics(adjusted: AdjustedNetwork) -> FloatArray:
    """Standardised residuals of the observations used, by the published sigmas; controlled ones alone."""
    table = adjusted.adjustment.residuals
    chosen = table.accepted & (table.redundancy > 1e-6) & np.isfinite(table.normalised)
    return np.asarray(table.normalised[chosen] / math.sqrt(adjusted.factor))


def _axes(x_words: str, y_words: str) -> list[str]:
    width, height = _PLOT
    left, right, top, bottom = _PLOT_MARGIN
    return [
        f'<rect x="{left}" y="{top}" width="{width - left - right}" height="{height - top - bottom}" '
        f'fill="none" stroke="{_LINE}"/>',
        f'<text x="{0.5 * (left + width - right):g}" y="{height - 4}" text-anchor="middle">{x_words}</text>',
        f'<text x="12" y="{0.5 * (top + height - bottom):g}" text-anchor="middle" '
        f'transform="rotate(-90 12 {0.5 * (top + height - bottom):g})">{y_words}</text>',
    ]


def histogram_drawing(values: FloatArray) -> str:
    """Histogram of standardised residuals with the normal curve they should follow."""
    width, height = _PLOT
    left, right, top, bottom = _PLOT_MARGIN
    limit = _HISTOGRAM_LIMIT
    edges = np.arange(-limit, limit + _HISTOGRAM_STEP / 2.0, _HISTOGRAM_STEP)
    counts, _ = np.histogram(np.clip(values, -limit, limit - 1e-9), bins=edges)
    across = np.linspace(-limit, limit, 161)
    curve = values.size * _HISTOGRAM_STEP * norm.pdf(across)
    highest = max(float(counts.max(initial=0)), float(curve.max()), 1.0) * 1.05

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            left + (x + limit) / (2.0 * limit) * (width - left - right),
            height - bottom - y / highest * (height - top - bottom),
        )

    parts = [f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="histogram">']
    for low, count in zip(edges[:-1], counts, strict=True):
        if count:
            (x1, y1), (x2, y2) = at(float(low), float(count)), at(float(low) + _HISTOGRAM_STEP, 0.0)
            parts.append(
                f'<rect x="{x1:.1f}" y="{y1:.1f}" width="{x2 - x1:.1f}" height="{y2 - y1:.1f}" '
                f'fill="{_ACCENT}" fill-opacity="0.55" stroke="#fff" stroke-width="0.5"/>'
            )
    places = [at(float(a), float(c)) for a, c in zip(across, curve, strict=True)]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    parts.append(f'<polyline points="{points}" fill="none" stroke="{_BAD}" stroke-width="1.2"/>')
    parts += _axes("standardised residual", "count")
    for tick in range(-4, 5, 2):
        x, y = at(float(tick), 0.0)
        parts.append(f'<text x="{x:.1f}" y="{y + 12:.1f}" text-anchor="middle">{tick}</text>')
    parts.append(f'<text x="{left - 4}" y="{top + 8}" text-anchor="end">{highest / 1.05:.0f}</text></svg>')
    return "".join(parts)


def quantile_drawing(values: FloatArray) -> str:
    """Quantiles of standardised residuals against those of the normal distribution: on the line if good."""
    width, height = _PLOT
    left, right, top, bottom = _PLOT_MARGIN
    ordered = np.sort(values)
    # Hazen's plotting positions.
    expected = norm.ppf((np.arange(ordered.size) + 0.5) / max(ordered.size, 1))
    limit = max(3.5, float(np.max(np.abs(expected), initial=0.0)) * 1.05)
    reach = max(limit, float(np.max(np.abs(ordered), initial=0.0)) * 1.05)

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            left + (x + limit) / (2.0 * limit) * (width - left - right),
            height - bottom - (y + reach) / (2.0 * reach) * (height - top - bottom),
        )

    parts = [f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="quantiles">']
    (x1, y1), (x2, y2) = at(-limit, -limit), at(limit, limit)
    parts.append(f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{_BAD}" stroke-width="1.2"/>')
    places = [at(float(e), float(o)) for e, o in zip(expected, ordered, strict=True)]
    dots = "".join(dict.fromkeys(f"M{x:.1f} {y:.1f}h0" for x, y in places))
    parts.append(
        f'<path d="{dots}" stroke="{_ACCENT}" stroke-width="3" stroke-linecap="round" stroke-opacity="0.7"/>'
    )
    parts += _axes("normal quantile", "standardised residual")
    for tick in range(-3, 4):
        x, _ = at(float(tick), 0.0)
        parts.append(f'<text x="{x:.1f}" y="{height - bottom + 12}" text-anchor="middle">{tick}</text>')
    for value in (-reach, 0.0, reach):
        _, y = at(0.0, value)
        parts.append(f'<text x="{left - 4}" y="{y + 3:.1f}" text-anchor="end">{value:.1f}</text>')
    parts.append("</svg>")
    return "".join(parts)
