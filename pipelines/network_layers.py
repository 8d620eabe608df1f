"""An adjusted network as layers of a GeoPackage: stations, error ellipses, vectors with their residuals."""

import math
from pathlib import Path
from typing import Final

import numpy as np

from datum.network.observations import GnssVectorCluster, TerrestrialCluster
from pipelines.adjusted_network import (
    MILLIMETRES,
    AdjustedNetwork,
    StationRow,
    observation_rows,
    plan_coordinates,
)
from pipelines.geopackage import FieldValue, PointLayer, ShapeLayer, epsg_geographic_3d, write_geopackage
from transforms.errors import FrameError
from transforms.time_scales import Epochs

EPSG_WGS84_3D: Final = 4979
# Frames of national networks that the frame links do not know, but whose coordinates come in network files.
_NATIONAL: Final = {"GDA2020": 7843, "GDA94": 4939, "CGCS2000": 4480}
_ELLIPSE_POINTS: Final = 48
# The largest ellipse is drawn with this share of the network's extent.
_SHARE_OF_EXTENT: Final = 0.04
_METRES_PER_DEG: Final = math.radians(1.0) * 6_378_137.0
_UNDATED: Final = Epochs.from_datetime64(np.datetime64("2000-01-01", "ns"))


def write_network_layers(path: Path, adjusted: AdjustedNetwork) -> None:
    """Write the layers stations, ellipses and observations; the same bytes for the same network."""
    epsg = _epsg(adjusted)
    layers: list[PointLayer | ShapeLayer] = [_stations(adjusted, epsg)]
    ellipses = _ellipses(adjusted, epsg)
    if ellipses.shapes:
        layers.append(ellipses)
    lines = _lines(adjusted, epsg)
    if lines.shapes:
        layers.append(lines)
    epoch = adjusted.network.epoch
    write_geopackage(path, layers, _UNDATED if epoch is None else epoch)


def _epsg(adjusted: AdjustedNetwork) -> int | None:
    """Geographic 3-D system of the frame; WGS 84 where the input names none; None in the plane."""
    if not adjusted.is_on_earth:
        return None
    frame = adjusted.network.frame
    if frame.upper() in _NATIONAL:
        return _NATIONAL[frame.upper()]
    try:
        return epsg_geographic_3d(frame)
    except FrameError:
        return EPSG_WGS84_3D


def _place(
    adjusted: AdjustedNetwork, row: StationRow, plan: dict[str, tuple[float, float]]
) -> tuple[float, ...]:
    if row.geodetic_deg is not None:
        latitude, longitude, height = row.geodetic_deg
        return longitude, latitude, height
    return plan[row.name]


def _stations(adjusted: AdjustedNetwork, epsg: int | None) -> PointLayer:
    plan = plan_coordinates(adjusted)
    first, second, third = adjusted.component_names
    fields: dict[str, list[FieldValue]] = {
        "station": [row.name for row in adjusted.stations],
        "role": [row.role for row in adjusted.stations],
    }
    for axis, name in enumerate(("x_m", "y_m", "z_m" if adjusted.is_on_earth else "height_m")):
        fields[name] = [_finite(row.position_m[axis], 5) for row in adjusted.stations]
    for axis, name in enumerate((first, second, third)):
        fields[f"sigma_{name}_mm"] = [
            _finite(row.sigma_m[axis] * MILLIMETRES, 3) for row in adjusted.stations
        ]
        fields[f"correction_{name}_mm"] = [
            _finite(row.correction_m[axis] * MILLIMETRES, 3) for row in adjusted.stations
        ]
    fields["ellipse_major_mm"] = [
        None if row.ellipse is None else round(row.ellipse.major_m * MILLIMETRES, 3)
        for row in adjusted.stations
    ]
    fields["ellipse_minor_mm"] = [
        None if row.ellipse is None else round(row.ellipse.minor_m * MILLIMETRES, 3)
        for row in adjusted.stations
    ]
    fields["ellipse_azimuth_deg"] = [
        None if row.ellipse is None else round(math.degrees(row.ellipse.azimuth_rad), 2)
        for row in adjusted.stations
    ]
    fields["observations"] = [row.n_observations for row in adjusted.stations]
    fields["description"] = [row.description for row in adjusted.stations]
    return PointLayer(
        "stations",
        epsg,
        [_place(adjusted, row, plan) for row in adjusted.stations],
        fields,
        f"{adjusted.name}: {adjusted.network.frame or 'frame not stated'}; {adjusted.adjustment.datum_words}",
    )


def _finite(value: float, digits: int) -> float | None:
    return round(value, digits) if math.isfinite(value) else None


def ellipse_scale(adjusted: AdjustedNetwork) -> float:
    """By how much ellipses are drawn larger than they are: a round number."""
    plan = np.array(list(plan_coordinates(adjusted).values()))
    extent_m = float(np.max(np.ptp(plan, axis=0)))
    axes = [row.ellipse.major_m for row in adjusted.stations if row.ellipse is not None]
    if not axes or max(axes) <= 0.0 or extent_m <= 0.0:
        return 1.0
    exact = _SHARE_OF_EXTENT * extent_m / max(axes)
    power = 10.0 ** math.floor(math.log10(exact))
    return power * max(step for step in (1.0, 2.0, 5.0) if step * power <= exact * (1.0 + 1e-12))


def _ellipses(adjusted: AdjustedNetwork, epsg: int | None) -> ShapeLayer:
    scale = ellipse_scale(adjusted)
    plan = plan_coordinates(adjusted)
    names: list[FieldValue] = []
    majors: list[FieldValue] = []
    minors: list[FieldValue] = []
    shapes = []
    for row in adjusted.stations:
        if row.ellipse is None or row.ellipse.major_m <= 0.0:
            continue
        angle = np.linspace(0.0, 2.0 * np.pi, _ELLIPSE_POINTS, endpoint=False)
        along = scale * row.ellipse.major_m * np.cos(angle)
        across = scale * row.ellipse.minor_m * np.sin(angle)
        azimuth = row.ellipse.azimuth_rad
        east = along * math.sin(azimuth) + across * math.cos(azimuth)
        north = along * math.cos(azimuth) - across * math.sin(azimuth)
        place = _place(adjusted, row, plan)
        per_north = _METRES_PER_DEG if row.geodetic_deg is not None else 1.0
        per_east = per_north * math.cos(math.radians(place[1])) if row.geodetic_deg is not None else 1.0
        shapes.append(
            [
                (float(place[0] + e / per_east), float(place[1] + n / per_north))
                for e, n in zip(east, north, strict=True)
            ]
        )
        names.append(row.name)
        majors.append(round(row.ellipse.major_m * MILLIMETRES, 3))
        minors.append(round(row.ellipse.minor_m * MILLIMETRES, 3))
    return ShapeLayer(
        "ellipses",
        epsg,
        "Polygon",
        shapes,
        {"station": names, "major_mm": majors, "minor_mm": minors},
        f"{adjusted.confidence:.0%} error ellipses, drawn {scale:g} times larger",
    )


def _lines(adjusted: AdjustedNetwork, epsg: int | None) -> ShapeLayer:
    """A line for each vector or observation between two stations, with its largest statistic."""
    plan = plan_coordinates(adjusted)
    place = {row.name: _place(adjusted, row, plan) for row in adjusted.stations}
    worst: dict[tuple[int, int], int] = {}
    table = adjusted.adjustment.residuals
    for i in range(len(table.name)):
        key = (int(table.cluster[i]), int(table.item[i]))
        if key not in worst or abs(table.w[i]) > abs(table.w[worst[key]]):
            worst[key] = i
    rows = observation_rows(adjusted)
    chosen = [
        i
        for (cluster, _), i in worst.items()
        if isinstance(adjusted.network.clusters[cluster], GnssVectorCluster | TerrestrialCluster)
        and rows[i].frm in place
        and rows[i].to in place
    ]
    shapes = [[place[rows[i].frm][:2], place[rows[i].to][:2]] for i in chosen]
    fields: dict[str, list[FieldValue]] = {
        "observation": [rows[i].name for i in chosen],
        "kind": [rows[i].kind for i in chosen],
        "from": [rows[i].frm for i in chosen],
        "to": [rows[i].to for i in chosen],
        "residual": [round(rows[i].residual, 3) for i in chosen],
        "unit": [rows[i].unit for i in chosen],
        "w": [_finite(rows[i].w, 3) for i in chosen],
        "redundancy": [_finite(rows[i].redundancy, 4) for i in chosen],
        "accepted": [rows[i].accepted for i in chosen],
    }
    return ShapeLayer(
        "observations",
        epsg,
        "LineString",
        [[(x, y) for x, y in shape] for shape in shapes],
        fields,
        "vectors and terrestrial observations; residual and statistic are those of the worst component",
    )
