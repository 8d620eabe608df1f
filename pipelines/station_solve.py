"""`station solve`: files of one station and products in, one solution out as SINEX, NetCDF and JSON."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipelines.settings import day_name
from pipelines.solution_json import solution_file_bytes
from pipelines.solution_netcdf import write_solution_netcdf
from pipelines.station_day import read_antennas, station_ocean_loading
from stations.formats.atomic_write import write_atomically
from stations.formats.products import find_products
from stations.formats.rinex_observation import read_observations
from stations.formats.sinex import station_sinex, write_sinex
from stations.ppp.options import PppOptions
from stations.ppp.solve import solve_station
from stations.records import StationSolution
from transforms.errors import InputError


@dataclass(frozen=True)
class SolveRequest:
    """What `jizhun station solve` was asked for."""

    files: tuple[Path, ...]
    products: tuple[Path, ...]
    centre: str | None
    allow_mixed_products: bool
    systems: str
    ambiguities: Literal["float", "fix"]
    mode: Literal["static", "kinematic"]
    interval_s: float | None
    antex: tuple[Path, ...]
    ocean_loading: Path | None


def solve_files(request: SolveRequest) -> StationSolution:
    """Read, find products, solve; raises FormatError, InputError or AdjustmentError with the reason."""
    observations = read_observations(list(request.files))
    epochs = observations.epochs
    if len(epochs) == 0:
        raise InputError(f"{request.files[0]}: the observations hold no epoch")
    products = find_products(
        list(request.products),
        epochs[0],
        epochs[-1],
        systems=request.systems,
        ambiguities=request.ambiguities,
        centre=request.centre,
        allow_mixed=request.allow_mixed_products,
    )
    return solve_station(
        observations,
        products,
        read_antennas(request.antex),
        options=PppOptions(
            systems=request.systems,
            mode=request.mode,
            ambiguities=request.ambiguities,
            interval_s=request.interval_s,
        ),
        ocean_loading=station_ocean_loading(request.ocean_loading, observations.header.marker_name),
    )


def write_solution(folder: Path, solution: StationSolution) -> list[Path]:
    """Write a solution as SINEX, NetCDF and lossless JSON; returns the paths.

    Raises InputError where the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be made: {error.strerror}") from None
    name = f"{solution.station}_{day_name(solution.epoch.date())}"
    paths = [folder / f"{name}.snx", folder / f"{name}.nc", folder / f"{name}.json"]
    write_sinex(station_sinex(solution), paths[0])
    write_solution_netcdf(paths[1], solution)
    write_atomically(paths[2], solution_file_bytes(solution))
    return paths
