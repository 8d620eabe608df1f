"""Station coordinates: from the adjusted network to the national frame; SINEX, GeoPackage, GeoJSON, CSV."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from datum.formats.csv_table import write_table
from datum.network.sinex_exchange import network_sinex
from datum.records import NetworkSolution, NetworkStation
from pipelines.geopackage import (
    EPSG_CGCS2000_2D,
    FieldValue,
    PointLayer,
    epsg_geographic_3d,
    write_geopackage,
)
from pipelines.records import StationCoordinates
from pipelines.settings import Region
from pipelines.simulated_mark import SIMULATED_ASCII, SIMULATED_TEXT
from stations.formats.atomic_write import write_atomically
from stations.formats.sinex import write_sinex
from stations.records import AntennaCalibration
from transforms.errors import FrameError
from transforms.frame_links import transform_coordinates
from transforms.frames import frame_named
from transforms.geodetic import enu_covariance, geodetic_from_ecef
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]
ANGLE_DECIMALS: Final = 10  # 1e-10 degree is 0.01 mm
LENGTH_DECIMALS: Final = 5


def station_coordinates(
    network: NetworkSolution, region: Region, tracks_bds3: Mapping[str, bool]
) -> tuple[StationCoordinates, ...]:
    """Each station of the network in its frame and, where a velocity is known, in the national frame.

    tracks_bds3 : station -> whether a signal that only BeiDou-3 sends was tracked; absent where not known
    """
    found = tuple(_coordinates(network, station, region, tracks_bds3) for station in network.stations)
    parts = Counter(item.station for item in found)
    return tuple(_told_apart(item, parts[item.station]) for item in found)


def _told_apart(item: StationCoordinates, n_solutions: int) -> StationCoordinates:
    """With a remark where a discontinuity parts a station's days, and two positions bear its name."""
    if n_solutions == 1:
        return item
    text = f"solution {item.solution_number} of {n_solutions}: a discontinuity parts the station's days"
    return replace(item, remark="; ".join(part for part in (text, item.remark) if part))


def _coordinates(
    network: NetworkSolution, station: NetworkStation, region: Region, tracks_bds3: Mapping[str, bool]
) -> StationCoordinates:
    settings = region.station(station.station)
    velocity = station.velocity_m_per_yr
    velocity_covariance: FloatArray | None = None
    if settings is not None and settings.velocity_m_per_yr is not None:
        velocity = np.array(settings.velocity_m_per_yr)
        if settings.velocity_sigma_m_per_yr is not None:
            velocity_covariance = np.diag(np.array(settings.velocity_sigma_m_per_yr) ** 2)
    if velocity is None:
        for control in region.control:
            if control.station[:4] == station.station[:4] and control.velocity_m_per_yr is not None:
                velocity = np.array(control.velocity_m_per_yr)
    datum = frame_named(region.region.datum_frame)
    epoch = (
        network.epoch if datum.fixed_epoch_year is None else Epochs.from_decimal_year(datum.fixed_epoch_year)
    )
    position: FloatArray | None = None
    covariance: FloatArray | None = None
    remark = ""
    try:
        carried = transform_coordinates(
            station.position_ecef_m,
            station.covariance_m2,
            velocity,
            network.frame,
            network.epoch,
            datum.name,
            epoch,
            velocity_covariance,
            stations=[station.station],
        )
        position, covariance = carried.position_ecef_m, carried.covariance_m2
        if velocity_covariance is None:
            remark = f"the sigma in {datum.name} holds nothing for the velocity, whose own sigma is not given"
    except FrameError as error:
        remark = str(error)
    return StationCoordinates(
        station=station.station,
        domes=station.domes,
        solution_number=station.solution_number,
        frame=network.frame,
        epoch=network.epoch,
        position_ecef_m=station.position_ecef_m,
        covariance_m2=station.covariance_m2,
        velocity_m_per_yr=velocity,
        datum_frame=datum.name,
        datum_position_ecef_m=position,
        datum_covariance_m2=covariance,
        days=station.days,
        repeatability_enu_m=station.repeatability_enu_m,
        is_control=station.is_control,
        tracks_bds3=tracks_bds3.get(station.station),
        remark=remark,
        first_epoch=station.first_epoch,
        last_epoch=station.last_epoch,
    )


def sigma_enu_m(position_ecef_m: FloatArray, covariance_m2: FloatArray) -> tuple[float, float, float]:
    """East, north, up sigma of a position, m."""
    east, north, up = np.sqrt(np.diag(enu_covariance(position_ecef_m, covariance_m2)))
    return float(east), float(north), float(up)


def geodetic_deg(position_ecef_m: FloatArray, frame: str) -> tuple[float, float, float]:
    """Latitude and longitude in degrees and ellipsoidal height in m, on the frame's ellipsoid."""
    latitude, longitude, height = geodetic_from_ecef(position_ecef_m, frame_named(frame).ellipsoid)
    return (
        round(math.degrees(latitude), ANGLE_DECIMALS),
        round(math.degrees(longitude), ANGLE_DECIMALS),
        round(float(height), LENGTH_DECIMALS),
    )


def write_horizontal_product(
    folder: Path,
    network: NetworkSolution,
    coordinates: Sequence[StationCoordinates],
    *,
    simulated: bool = False,
    antennas: Sequence[AntennaCalibration] = (),
) -> None:
    """Write stations.csv, stations.gpkg, stations.geojson and network.snx into a folder.

    antennas : calibrations that the solutions rest on, for the phase centres in network.snx
    simulated : say in each of the files that the observations are (the tables: see `mark_tables`)
    """
    told = replace(network, remarks=(SIMULATED_ASCII, *network.remarks)) if simulated else network
    write_sinex(network_sinex(told, antennas=antennas), folder / "network.snx")
    description = SIMULATED_TEXT if simulated else ""
    _write_csv(folder / "stations.csv", coordinates)
    write_geopackage(folder / "stations.gpkg", _layers(coordinates, description), network.epoch)
    write_atomically(folder / "stations.geojson", geojson_bytes(coordinates, simulated=simulated))


def datum_epoch(item: StationCoordinates) -> Epochs:
    """Epoch of a station's coordinates in the national frame: the frame's own, or that of the network."""
    year = frame_named(item.datum_frame).fixed_epoch_year
    return item.epoch if year is None else Epochs.from_decimal_year(year)


def _in_frame(item: StationCoordinates) -> list[tuple[str, Epochs, FloatArray, FloatArray]]:
    """Frame, epoch, position and covariance: as adjusted, then in the national frame where it is known."""
    found = [(item.frame, item.epoch, item.position_ecef_m, item.covariance_m2)]
    if item.datum_position_ecef_m is not None and item.datum_covariance_m2 is not None:
        found.append(
            (item.datum_frame, datum_epoch(item), item.datum_position_ecef_m, item.datum_covariance_m2)
        )
    return found


def _write_csv(path: Path, coordinates: Sequence[StationCoordinates]) -> None:
    columns = (
        "station", "domes", "solution_number", "frame", "epoch", "x_m", "y_m", "z_m", "latitude_deg",
        "longitude_deg", "ellipsoidal_height_m", "sigma_east_m", "sigma_north_m", "sigma_up_m",
        "covariance_xx_m2", "covariance_xy_m2", "covariance_xz_m2", "covariance_yy_m2", "covariance_yz_m2",
        "covariance_zz_m2", "n_days", "first_epoch", "last_epoch", "control", "tracks_bds3", "remark",
    )  # fmt: skip
    rows = []
    for item in coordinates:
        for frame, epoch, position, covariance in _in_frame(item):
            latitude, longitude, height = geodetic_deg(position, frame)
            rows.append(
                (
                    item.station,
                    item.domes,
                    str(item.solution_number),
                    frame,
                    epoch.iso(),
                    *(f"{value:.{LENGTH_DECIMALS}f}" for value in position),
                    f"{latitude:.{ANGLE_DECIMALS}f}",
                    f"{longitude:.{ANGLE_DECIMALS}f}",
                    f"{height:.{LENGTH_DECIMALS}f}",
                    *(f"{value:.{LENGTH_DECIMALS}f}" for value in sigma_enu_m(position, covariance)),
                    *(f"{covariance[i, j]:.6e}" for i in range(3) for j in range(i, 3)),
                    str(len(item.days)),
                    _iso(item.first_epoch),
                    _iso(item.last_epoch),
                    "yes" if item.is_control else "no",
                    "" if item.tracks_bds3 is None else "yes" if item.tracks_bds3 else "no",
                    item.remark,
                )
            )
    write_table(path, columns, rows)


def _iso(epoch: Epochs | None) -> str:
    return "" if epoch is None else epoch.iso()


def _layers(coordinates: Sequence[StationCoordinates], description: str) -> list[PointLayer]:
    layers = []
    in_datum = [item for item in coordinates if item.datum_position_ecef_m is not None]
    if in_datum:
        datum = in_datum[0].datum_frame
        name = f"stations_{datum.lower()}"
        places = [_place(item, 1) for item in in_datum]
        fields = _fields(in_datum, 1)
        if datum == "CGCS2000":
            plane = [place[:2] for place in places]
            layers.append(PointLayer(name, EPSG_CGCS2000_2D, plane, fields, description))
            name = f"{name}_3d"
        layers.append(PointLayer(name, epsg_geographic_3d(datum), places, fields, description))
    frame = coordinates[0].frame
    layers.append(
        PointLayer(
            f"stations_{frame.lower()}",
            epsg_geographic_3d(frame),
            [_place(item, 0) for item in coordinates],
            _fields(coordinates, 0),
            description,
        )
    )
    return layers


def _place(item: StationCoordinates, which: int) -> tuple[float, float, float]:
    frame, _, position, _ = _in_frame(item)[which]
    latitude, longitude, height = geodetic_deg(position, frame)
    return longitude, latitude, height


def _fields(coordinates: Sequence[StationCoordinates], which: int) -> dict[str, list[FieldValue]]:
    rows: list[dict[str, FieldValue]] = []
    for item in coordinates:
        frame, epoch, position, covariance = _in_frame(item)[which]
        east, north, up = (round(value, LENGTH_DECIMALS) for value in sigma_enu_m(position, covariance))
        x, y, z = (round(float(value), LENGTH_DECIMALS) for value in position)
        rows.append(
            {
                "station": item.station,
                "domes": item.domes,
                "solution_number": item.solution_number,
                "frame": frame,
                "epoch": epoch.iso(),
                "x_m": x,
                "y_m": y,
                "z_m": z,
                "ellipsoidal_height_m": geodetic_deg(position, frame)[2],
                "sigma_east_m": east,
                "sigma_north_m": north,
                "sigma_up_m": up,
                "n_days": len(item.days),
                "first_epoch": _iso(item.first_epoch),
                "last_epoch": _iso(item.last_epoch),
                "control": item.is_control,
                "tracks_bds3": item.tracks_bds3,
                "remark": item.remark,
            }
        )
    return {name: [row[name] for row in rows] for name in rows[0]}


def geojson_bytes(coordinates: Sequence[StationCoordinates], *, simulated: bool = False) -> bytes:
    """GeoJSON (RFC 7946). Its geometry is WGS 84 by that standard, which the IGS's frames realise within
    centimetres at the epoch; the national frame's coordinates stand in the properties."""
    features: list[dict[str, Any]] = []
    for item in coordinates:
        entries = []
        for frame, epoch, position, covariance in _in_frame(item):
            latitude, longitude, height = geodetic_deg(position, frame)
            entries.append(
                {
                    "frame": frame,
                    "epoch": epoch.iso(),
                    "latitude_deg": latitude,
                    "longitude_deg": longitude,
                    "ellipsoidal_height_m": height,
                    "position_ecef_m": [round(float(value), LENGTH_DECIMALS) for value in position],
                    "sigma_enu_m": [
                        round(value, LENGTH_DECIMALS) for value in sigma_enu_m(position, covariance)
                    ],
                }
            )
        first = entries[0]
        features.append(
            {
                "type": "Feature",
                "id": item.name,
                "geometry": {
                    "type": "Point",
                    "coordinates": [
                        first["longitude_deg"],
                        first["latitude_deg"],
                        first["ellipsoidal_height_m"],
                    ],
                },
                "properties": {
                    "station": item.station,
                    "domes": item.domes,
                    "solution_number": item.solution_number,
                    "coordinates": entries,
                    "days": list(item.days),
                    "control": item.is_control,
                    "tracks_bds3": item.tracks_bds3,
                    "remark": item.remark,
                    **({"simulated": True} if simulated else {}),
                },
            }
        )
    text = json.dumps(
        {"type": "FeatureCollection", "features": features}, ensure_ascii=False, indent=1, allow_nan=False
    )
    return (text + "\n").encode()
