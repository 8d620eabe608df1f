"""Heights: adjusted bench marks and the reference stations' normal heights, as tables and layers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from datum.formats.csv_table import write_table
from datum.formats.levelling_csv import write_adjusted_lines, write_heights
from datum.records import HeightSolution, LevellingNetwork, StationHeight
from pipelines.geopackage import EPSG_CGCS2000_2D, PointLayer, write_geopackage
from pipelines.simulated_mark import SIMULATED_TEXT
from transforms.time_scales import Epochs

HEIGHT_DECIMALS: Final = 5

LongitudeLatitude = tuple[float, float]


def write_height_product(
    folder: Path,
    network: LevellingNetwork,
    solution: HeightSolution,
    station_heights: Sequence[StationHeight],
    station_places: Mapping[str, LongitudeLatitude],
    date: Epochs,
    *,
    simulated: bool = False,
) -> None:
    """Write heights.csv, levelling_lines.csv, station_heights.csv and heights.gpkg into a folder.

    station_places : station -> longitude, latitude in degrees, in the national frame; date : of the data
    simulated : say in the layers that the observations are (the tables: see `mark_tables`)
    """
    write_heights(folder / "heights.csv", solution)
    write_adjusted_lines(folder / "levelling_lines.csv", solution)
    if station_heights:
        _write_station_heights(folder / "station_heights.csv", station_heights, solution.vertical_datum)
    layers = _layers(network, solution, station_heights, station_places)
    if simulated:
        layers = [replace(layer, description=SIMULATED_TEXT) for layer in layers]
    write_geopackage(folder / "heights.gpkg", layers, date)


def _write_station_heights(path: Path, heights: Sequence[StationHeight], vertical_datum: str) -> None:
    columns = (
        "station", "normal_height_m", "sigma_m", "ellipsoidal_height_m", "frame", "epoch", "height_anomaly_m",
        "permanent_tide_m", "source", "vertical_datum", "tide_system", "remark",
    )  # fmt: skip
    write_table(
        path,
        columns,
        (
            (
                item.station,
                f"{item.normal_height_m:.{HEIGHT_DECIMALS}f}",
                f"{item.sigma_m:.{HEIGHT_DECIMALS}f}",
                f"{item.ellipsoidal_height_m:.{HEIGHT_DECIMALS}f}",
                item.frame,
                item.epoch,
                f"{_published_anomaly_m(item):.{HEIGHT_DECIMALS}f}",
                f"{item.permanent_tide_m:.{HEIGHT_DECIMALS}f}",
                item.source,
                vertical_datum,
                item.tide_system.value,
                item.remark,
            )
            for item in heights
        ),
    )


def _published_anomaly_m(item: StationHeight) -> float:
    """h + permanent tide - H of the published digits, so that the columns add up exactly."""
    h, tide, normal = (
        round(value, HEIGHT_DECIMALS)
        for value in (item.ellipsoidal_height_m, item.permanent_tide_m, item.normal_height_m)
    )
    return round(h + tide - normal, HEIGHT_DECIMALS)


def _layers(
    network: LevellingNetwork,
    solution: HeightSolution,
    station_heights: Sequence[StationHeight],
    station_places: Mapping[str, LongitudeLatitude],
) -> list[PointLayer]:
    places: list[tuple[float, ...] | None] = []
    for name in solution.bench_marks:
        known = network.geodetic_position_deg.get(name)
        on_pillar = station_places.get(network.stations.get(name, ""))
        places.append((known[1], known[0]) if known is not None else on_pillar)
    layers = [
        PointLayer(
            "bench_marks",
            EPSG_CGCS2000_2D,
            places,
            {
                "bench_mark": list(solution.bench_marks),
                "station": [network.stations.get(name) for name in solution.bench_marks],
                f"{solution.kind}_height_m": [round(float(v), HEIGHT_DECIMALS) for v in solution.height_m],
                "sigma_m": [
                    round(max(float(solution.covariance_m2[i, i]), 0.0) ** 0.5, HEIGHT_DECIMALS)
                    for i in range(len(solution.bench_marks))
                ],
                "vertical_datum": [solution.vertical_datum] * len(solution.bench_marks),
                "tide_system": [solution.tide_system.value] * len(solution.bench_marks),
            },
        )
    ]
    if station_heights:
        layers.append(
            PointLayer(
                "station_heights",
                EPSG_CGCS2000_2D,
                [station_places.get(item.station) for item in station_heights],
                {
                    "station": [item.station for item in station_heights],
                    "normal_height_m": [round(i.normal_height_m, HEIGHT_DECIMALS) for i in station_heights],
                    "sigma_m": [round(item.sigma_m, HEIGHT_DECIMALS) for item in station_heights],
                    "ellipsoidal_height_m": [
                        round(item.ellipsoidal_height_m, HEIGHT_DECIMALS) for item in station_heights
                    ],
                    "frame": [item.frame for item in station_heights],
                    "epoch": [item.epoch for item in station_heights],
                    "height_anomaly_m": [_published_anomaly_m(item) for item in station_heights],
                    "permanent_tide_m": [round(i.permanent_tide_m, HEIGHT_DECIMALS) for i in station_heights],
                    "source": [item.source for item in station_heights],
                    "vertical_datum": [solution.vertical_datum] * len(station_heights),
                    "tide_system": [item.tide_system.value for item in station_heights],
                    "remark": [item.remark for item in station_heights],
                },
            )
        )
    return layers
