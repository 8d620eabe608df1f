"""The map of an audited network as one SVG: no tiles, no network, the same on paper."""

import html
import math
from collections.abc import Callable, Sequence
from typing import Final

from stations.readiness.records import ReadinessClass, StationAudit

# Colours that differ in lightness too, for those who print in black and white.
CLASS_COLOURS: Final = {
    ReadinessClass.READY: "#1b7f4b",
    ReadinessClass.FIRMWARE: "#6fb7e9",
    ReadinessClass.ANTENNA: "#e0a100",
    ReadinessClass.RECEIVER: "#d1641b",
    ReadinessClass.REPLACE: "#8f1d18",
    ReadinessClass.UNDETERMINED: "#8a94a0",
}
WIDTH_PX: Final = 880
_LARGEST_HEIGHT_PX: Final = 520
_SMALLEST_HEIGHT_PX: Final = 240
_MARGIN_PX: Final = 46
_SMALLEST_SPAN_DEG: Final = 0.5
_MARGIN_SHARE: Final = 0.15
_STEPS_DEG: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0)
_LINES_WANTED: Final = 6
_SMALLEST_RADIUS_PX: Final = 5.0
_RADIUS_PER_ROOT_GAIN_PX: Final = 22.0  # 25 % of gain: 16 px
_LABEL_PX: Final = 13


def map_svg(audits: Sequence[StationAudit]) -> str:
    """Stations at their places, coloured by class, their area by the gain to come; "" without a place.

    Plate carree with the true proportion at the middle latitude. Of several days of a station the first given
    stands for it.
    """
    placed = list({a.station: a for a in reversed(audits) if a.latitude_deg is not None}.values())
    if not placed:
        return ""
    # The largest below: a small point on a large one is still seen.
    placed.sort(key=lambda a: (-(a.gain.to_come or 0.0), a.station))
    latitude = [float(a.latitude_deg or 0.0) for a in placed]
    longitude = _unwrapped([float(a.longitude_deg or 0.0) for a in placed])
    south, north = _span(latitude)
    west, east = _span(longitude)
    stretch = max(math.cos(math.radians(0.5 * (south + north))), 0.1)
    inner = WIDTH_PX - 2 * _MARGIN_PX
    per_deg = min(inner / ((east - west) * stretch), (_LARGEST_HEIGHT_PX - 2 * _MARGIN_PX) / (north - south))
    height = max((north - south) * per_deg + 2 * _MARGIN_PX, _SMALLEST_HEIGHT_PX)
    middle_lon, middle_lat = 0.5 * (west + east), 0.5 * (south + north)

    def at(lon: float, lat: float) -> tuple[float, float]:
        x = 0.5 * WIDTH_PX + (lon - middle_lon) * stretch * per_deg
        return x, 0.5 * height - (lat - middle_lat) * per_deg

    half_lon = (0.5 * WIDTH_PX - _MARGIN_PX) / (per_deg * stretch)
    half_lat = (0.5 * height - _MARGIN_PX) / per_deg
    parts = [
        f'<svg class="map" viewBox="0 0 {WIDTH_PX} {height:.0f}" width="100%" role="img" '
        'aria-label="map of the stations">'
    ]
    parts += _graticule(
        (middle_lon - half_lon, middle_lon + half_lon),
        (max(middle_lat - half_lat, -90.0), min(middle_lat + half_lat, 90.0)),
        at,
    )
    taken: list[tuple[float, float]] = []
    labels = []
    for audit, lat, lon in zip(placed, latitude, longitude, strict=True):
        x, y = at(lon, lat)
        gain = audit.gain.to_come
        radius = _SMALLEST_RADIUS_PX + _RADIUS_PER_ROOT_GAIN_PX * math.sqrt(max(gain or 0.0, 0.0))
        name = html.escape(audit.station)
        told = "gain not computed" if gain is None else f"gain {100 * gain:.0f} %"
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{CLASS_COLOURS[audit.readiness]}" '
            f'stroke="#ffffff" stroke-width="1.5"><title>{name}: {audit.readiness.value}, {told}</title>'
            "</circle>"
        )
        label_y = y + 4.0
        while any(abs(label_y - ty) < _LABEL_PX and abs(x - tx) < 8 * _LABEL_PX for tx, ty in taken):
            label_y += _LABEL_PX
        taken.append((x, label_y))
        right = x < WIDTH_PX - 10 * _LABEL_PX
        label_x = x + (radius + 4.0 if right else -radius - 4.0)
        labels.append(
            f'<text class="name" x="{label_x:.1f}" y="{label_y:.1f}" '
            f'text-anchor="{"start" if right else "end"}">{name}</text>'
        )
    return "".join([*parts, *labels, "</svg>"])


def _unwrapped(longitude: list[float]) -> list[float]:
    """Longitudes on one side of a cut where that is shorter: networks across 180 degrees stay whole."""
    other = [lon % 360.0 for lon in longitude]
    return other if max(other) - min(other) < max(longitude) - min(longitude) else longitude


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = max(_MARGIN_SHARE * (high - low), 0.5 * _SMALLEST_SPAN_DEG)
    return low - margin, high + margin


def _graticule(
    longitude: tuple[float, float],
    latitude: tuple[float, float],
    at: Callable[[float, float], tuple[float, float]],
) -> list[str]:
    """Lines of latitude and longitude with their names; `at` gives pixels of a longitude and latitude."""
    parts = []
    span = max(longitude[1] - longitude[0], latitude[1] - latitude[0])
    step = next((s for s in _STEPS_DEG if span / s <= _LINES_WANTED), _STEPS_DEG[-1])
    for k in range(math.ceil(latitude[0] / step), math.floor(latitude[1] / step) + 1):
        value = k * step
        (x1, y), (x2, _) = at(longitude[0], value), at(longitude[1], value)
        parts.append(f'<line x1="{x1:.1f}" y1="{y:.1f}" x2="{x2:.1f}" y2="{y:.1f}" stroke="#d5dce3"/>')
        text = f"{abs(value):g}°{'N' if value >= 0 else 'S'}"
        parts.append(f'<text x="{x1 - 4:.1f}" y="{y + 3:.1f}" text-anchor="end">{text}</text>')
    for k in range(math.ceil(longitude[0] / step), math.floor(longitude[1] / step) + 1):
        value = k * step
        (x, y1), (_, y2) = at(value, latitude[1]), at(value, latitude[0])
        parts.append(f'<line x1="{x:.1f}" y1="{y1:.1f}" x2="{x:.1f}" y2="{y2:.1f}" stroke="#d5dce3"/>')
        shown = (value + 180.0) % 360.0 - 180.0
        text = f"{abs(shown):g}°{'E' if shown >= 0 else 'W'}"
        parts.append(f'<text x="{x:.1f}" y="{y2 + 13:.1f}" text-anchor="middle">{text}</text>')
    return parts
