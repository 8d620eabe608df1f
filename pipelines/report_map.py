"""The report's map without tiles: stations, error ellipses and velocities over a graticule, as numbers."""

import html
import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipelines.horizontal_product import geodetic_deg
from pipelines.records import StationCoordinates
from transforms.ellipsoids import GRS80
from transforms.geodetic import enu_covariance, enu_matrix_at

FloatArray = NDArray[np.float64]

# The largest ellipse and the longest vector are drawn with this share of the map's width.
SHARE_OF_WIDTH: Final = 0.06
LABEL_SHARE: Final = 0.015  # of the map's width: nearer labels would be written over each other
ELLIPSE_POINTS: Final = 48
SMALLEST_SPAN_DEG: Final = 0.02
MARGIN_SHARE: Final = 0.12
GRATICULE_STEPS_DEG: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
LINES_WANTED: Final = 6
CONFIDENCE_95: Final = 2.4477  # radius of the 95 % ellipse in units of sigma: sqrt of chi-square(2) at 0.95
DECIMALS: Final = 6


def map_data(coordinates: Sequence[StationCoordinates], solved: set[str]) -> tuple[dict[str, Any], str]:
    """What `report_map.js` draws, and a sentence on the scales of ellipses and vectors."""
    places = [geodetic_deg(item.position_ecef_m, item.frame) for item in coordinates]
    latitude = np.array([place[0] for place in places])
    longitude = np.array([place[1] for place in places])
    bounds = _bounds(latitude, longitude)
    (south, west), (north, east) = bounds
    middle = math.radians(0.5 * (south + north))
    metres_per_deg = math.radians(1.0) * GRS80.semi_major_axis_m
    width_m = (east - west) * metres_per_deg * math.cos(middle)
    axes = [_ellipse_axes(item) for item in coordinates]
    largest_m = max(float(major) for major, _, _ in axes)
    ellipse_scale = SHARE_OF_WIDTH * width_m / largest_m
    velocities = [
        None
        if item.velocity_m_per_yr is None
        else (enu_matrix_at(item.position_ecef_m) @ item.velocity_m_per_yr)[:2]
        for item in coordinates
    ]
    speeds = [float(np.hypot(*v)) for v in velocities if v is not None]
    vector_scale = SHARE_OF_WIDTH * 2.0 * width_m / max(speeds) if speeds and max(speeds) > 0.0 else 0.0

    def shifted(index: int, east_m: float, north_m: float) -> list[float]:
        scale = metres_per_deg * math.cos(math.radians(latitude[index]))
        return [
            round(float(latitude[index] + north_m / metres_per_deg), DECIMALS),
            round(float(longitude[index] + east_m / scale), DECIMALS),
        ]

    ellipses = []
    for index, (major, minor, azimuth) in enumerate(axes):
        angle = np.linspace(0.0, 2.0 * np.pi, ELLIPSE_POINTS, endpoint=False)
        along, across = ellipse_scale * major * np.cos(angle), ellipse_scale * minor * np.sin(angle)
        east_m = along * math.sin(azimuth) + across * math.cos(azimuth)
        north_m = along * math.cos(azimuth) - across * math.sin(azimuth)
        ellipses.append([shifted(index, e, n) for e, n in zip(east_m, north_m, strict=True)])
    vectors = [
        [shifted(i, 0.0, 0.0), shifted(i, vector_scale * float(v[0]), vector_scale * float(v[1]))]
        for i, v in enumerate(velocities)
        if v is not None and vector_scale > 0.0
    ]
    metres = np.column_stack((latitude * metres_per_deg, longitude * metres_per_deg * math.cos(middle)))
    labels = _labels([item.name for item in coordinates], metres, LABEL_SHARE * width_m)
    stations = [
        {
            "label": labels[i],
            "latitude": round(float(latitude[i]), DECIMALS),
            "longitude": round(float(longitude[i]), DECIMALS),
            "control": item.is_control,
            "solved": item.station in solved,
            "text": f"<b>{html.escape(item.name)}</b><br>{latitude[i]:.8f}°, {longitude[i]:.8f}°<br>"
            f"{places[i][2]:.4f} m ({html.escape(item.frame)})",
        }
        for i, item in enumerate(coordinates)
    ]
    note = (
        f"95 % error ellipses; the largest half-axis is {largest_m * 1e3:.1f} mm. "
        + (f"Red: velocities, the fastest {max(speeds) * 1e3:.1f} mm a year. " if vectors else "")
        + "Black: control stations; green: the others. The map needs no network."
    )
    data = {
        "bounds": bounds,
        "graticule": _graticule(bounds),
        "ellipses": ellipses,
        "vectors": vectors,
        "stations": stations,
    }
    return data, note


def _labels(names: Sequence[str], places_m: FloatArray, near_m: float) -> list[str]:
    """One label for each place: the first station there bears all names of it, the others none.

    places_m : (n, 2), north and east
    """
    labels = list(names)
    bearers: list[int] = []
    for i, name in enumerate(names):
        bearer = next((k for k in bearers if float(np.hypot(*(places_m[i] - places_m[k]))) < near_m), None)
        if bearer is None:
            bearers.append(i)
            continue
        labels[bearer] += f", {name}"
        labels[i] = ""
    return labels


def _ellipse_axes(item: StationCoordinates) -> tuple[float, float, float]:
    """Half axes in m of the 95 % ellipse and the azimuth of the greater, from north over east."""
    plane = enu_covariance(item.position_ecef_m, item.covariance_m2)[:2, :2]
    values, vectors = np.linalg.eigh(plane)
    major, minor = np.sqrt(np.maximum(values[::-1], 0.0)) * CONFIDENCE_95
    return float(major), float(minor), math.atan2(float(vectors[0, 1]), float(vectors[1, 1]))


def _bounds(latitude: FloatArray, longitude: FloatArray) -> list[list[float]]:
    result = []
    for values in (latitude, longitude):
        low, high = float(values.min()), float(values.max())
        margin = MARGIN_SHARE * max(high - low, SMALLEST_SPAN_DEG) + SMALLEST_SPAN_DEG
        result.append((round(low - margin, DECIMALS), round(high + margin, DECIMALS)))
    (south, north), (west, east) = result
    return [[south, west], [north, east]]


def _graticule(bounds: list[list[float]]) -> list[dict[str, Any]]:
    (south, west), (north, east) = bounds
    step = next(
        (s for s in GRATICULE_STEPS_DEG if max(north - south, east - west) / s <= LINES_WANTED),
        GRATICULE_STEPS_DEG[-1],
    )
    lines = []
    for k in range(math.ceil(south / step), math.floor(north / step) + 1):
        value = round(k * step, DECIMALS)
        label = f"{abs(value):g}°{'N' if value >= 0 else 'S'}"
        lines.append({"points": [[value, west], [value, east]], "label": label})
    for k in range(math.ceil(west / step), math.floor(east / step) + 1):
        value = round(k * step, DECIMALS)
        label = f"{abs(value):g}°{'E' if value >= 0 else 'W'}"
        lines.append({"points": [[south, value], [north, value]], "label": label})
    return lines
