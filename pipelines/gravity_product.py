"""Gravity: the adjusted network's points as a table and a GeoPackage layer, and each instrument's drift."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from datum.formats.csv_table import write_table
from datum.formats.gravity_csv import MGAL_M_PER_S2, write_gravity
from datum.records import GravityObservations, GravitySolution
from pipelines.geopackage import EPSG_CGCS2000_2D, PointLayer, write_geopackage
from pipelines.simulated_mark import SIMULATED_TEXT
from transforms.time_scales import Epochs

MGAL_DECIMALS: Final = 5  # 0.01 microgal

LongitudeLatitude = tuple[float, float]


def write_gravity_product(
    folder: Path,
    observations: GravityObservations,
    solution: GravitySolution,
    station_places: Mapping[str, LongitudeLatitude],
    date: Epochs,
    *,
    simulated: bool = False,
) -> None:
    """Write gravity.csv, gravity_drift.csv and gravity.gpkg into a folder.

    station_places : station -> longitude, latitude in degrees, in the national frame; date : of the data
    simulated : say in the layer that the observations are (the tables: see `mark_tables`)
    """
    write_gravity(folder / "gravity.csv", solution)
    write_table(
        folder / "gravity_drift.csv",
        ("instrument", "loop", "drift_mgal_per_h", "sigma_mgal_per_h"),
        (
            (instrument, loop, f"{rate / MGAL_M_PER_S2:.6f}", f"{sigma / MGAL_M_PER_S2:.6f}")
            for (instrument, loop), (rate, sigma) in sorted(solution.drift.items())
        ),
    )
    places: list[tuple[float, ...] | None] = []
    for name in solution.points:
        known = observations.geodetic_position_deg.get(name)
        on_pillar = station_places.get(solution.stations.get(name, ""))
        places.append((known[1], known[0]) if known is not None else on_pillar)
    n = len(solution.points)
    layer = PointLayer(
        "gravity_points",
        EPSG_CGCS2000_2D,
        places,
        {
            "point": list(solution.points),
            "station": [solution.stations.get(name) for name in solution.points],
            "gravity_mgal": [
                round(float(g) / MGAL_M_PER_S2, MGAL_DECIMALS) for g in solution.gravity_m_per_s2
            ],
            "sigma_mgal": [
                round(
                    max(float(solution.covariance_m2_per_s4[i, i]), 0.0) ** 0.5 / MGAL_M_PER_S2, MGAL_DECIMALS
                )
                for i in range(n)
            ],
            "tide_system": [solution.tide_system.value] * n,
        },
        SIMULATED_TEXT if simulated else "",
    )
    write_geopackage(folder / "gravity.gpkg", [layer], date)
