"""`station solve`: files of one station and products in, one solution out as SINEX, NetCDF and JSON."""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np

from pipelines.days import day_name
from pipelines.reference_files import read_antennas, station_ocean_loading
from pipelines.signal_choice import satellite_groups, words_of_pairs
from pipelines.solution_json import solution_file_bytes
from pipelines.weather_files import site_weather
from stations.formats.atomic_write import write_atomically
from stations.formats.products import find_products
from stations.formats.rinex_observation import read_observations
from stations.formats.sinex import station_sinex, write_sinex
from stations.ppp.options import SIGNAL_PAIRS, PppOptions
from stations.ppp.solve import solve_station
from stations.records import DamagedLines, Observations, StationSolution
from transforms.errors import InputError

_LINES_NAMED: Final = 5  # in a remark; a file damaged in a thousand places is not read line by line


@dataclass(frozen=True)
class SolveRequest:
    """What `jizhun station solve` was asked for.

    signals : pairs of signals or bands by system, for the systems that shall not take the usual ones
    exclude : satellites as written, "G05" or "C01-C18"
    """

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
    allow_missing_antenna: bool = False
    mapping_functions: tuple[Path, ...] = ()
    signals: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    elevation_cutoff_deg: float = 7.0


def prepare(request: SolveRequest) -> tuple[Observations, Callable[[Observations], StationSolution]]:
    """Read the observations and whatever their solution needs; returns them and what solves them.

    The function takes any part of the observations. Raises FormatError or InputError with the reason.
    """
    observations = read_observations(list(request.files))
    epochs = observations.epochs
    if len(epochs) == 0:
        raise InputError(f"{request.files[0]}: the observations hold no epoch")
    excluded = _excluded(request.exclude, observations)
    _check_signals(request.signals, observations)
    products = find_products(
        list(request.products),
        epochs[0],
        epochs[-1],
        systems=request.systems,
        ambiguities=request.ambiguities,
        centre=request.centre,
        allow_mixed=request.allow_mixed_products,
    )
    antennas = read_antennas(request.antex)
    station = observations.header.marker_name
    loading = station_ocean_loading(request.ocean_loading, station)
    weather = site_weather(request.mapping_functions, station, epochs[0], epochs[-1])
    if request.mapping_functions and weather is None:
        named = ", ".join(str(path) for path in request.mapping_functions)
        raise InputError(f"{named}: no mapping functions of {station} and no grid of its day")
    options = PppOptions(
        systems=request.systems,
        mode=request.mode,
        ambiguities=request.ambiguities,
        interval_s=request.interval_s,
        elevation_cutoff_rad=math.radians(request.elevation_cutoff_deg),
        excluded=excluded,
        signal_pairs={**SIGNAL_PAIRS, **request.signals},
        allow_missing_antenna=request.allow_missing_antenna,
    )

    def solve(part: Observations) -> StationSolution:
        return solve_station(
            part, products, antennas, options=options, ocean_loading=loading, site_weather=weather
        )

    return observations, solve


def _excluded(texts: tuple[str, ...], observations: Observations) -> frozenset[str]:
    """Satellites to leave out; InputError where an item names none that the files hold: a slip of the pen."""
    held = frozenset(observations.satellites)
    groups = satellite_groups(texts)
    for text, satellites in groups.items():
        if not satellites & held:
            raise InputError(f"{text} is to be left out, and the files hold no such satellite")
    return frozenset().union(*groups.values())


def _check_signals(signals: Mapping[str, tuple[tuple[str, str], ...]], observations: Observations) -> None:
    """InputError where the files hold no satellite with both signals of any pair asked of a system."""
    tracked = np.isfinite(observations.data["carrier_phase_cycles"].values).any(axis=0)
    names = [str(signal) for signal in observations.data["signal"].values]
    for system, pairs in signals.items():
        mine = [tracked[k] for k, s in enumerate(observations.satellites) if s.startswith(system)]
        for pair in pairs:
            columns = [[k for k, name in enumerate(names) if name.startswith(wanted)] for wanted in pair]
            if any(all(row[place].any() for place in columns) for row in mine):
                break
        else:
            here = sorted(name for k, name in enumerate(names) if any(row[k] for row in mine))
            raise InputError(
                f"no satellite was tracked on {words_of_pairs({system: pairs})}; "
                f"the files hold of {system}: {', '.join(here) or 'nothing'}"
            )


def solve_files(request: SolveRequest) -> StationSolution:
    """Read, find products, solve; raises FormatError, InputError or AdjustmentError with the reason.

    What the reader left out of damaged files, and systems asked for that brought nothing, stand in the
    solution's remarks and rejections.
    """
    observations, solve = prepare(request)
    return with_shortcomings(solve(observations), observations, request.systems)


def with_shortcomings(solution: StationSolution, observations: Observations, systems: str) -> StationSolution:
    """The solution with what its input lacked: damage that the reader met, systems without data.

    Remarks name file and lines; rejections count what the reader left out, and each system as one.
    """
    rejections = Counter(solution.rejections)
    rejections.update(observations.rejections)
    remarks = [_damage_remark(item) for item in observations.damage]
    for system in systems:
        if system in solution.systems:
            continue
        seen = any(satellite.startswith(system) for satellite in observations.satellites)
        why = "none of its observations could be used" if seen else "the files hold none of its satellites"
        remarks.append(f"system {system} was asked for and has no part in the solution: {why}")
        rejections[f"system {system} asked for, without data"] += 1
    return replace(
        solution,
        rejections=dict(sorted(rejections.items())),
        remarks=(*solution.remarks, *remarks),
    )


def _damage_remark(damage: DamagedLines) -> str:
    named = ", ".join(str(number) for number in damage.lines[:_LINES_NAMED])
    more = ", ..." if len(damage.lines) > _LINES_NAMED else ""
    where = f" (line {named}{more})" if named else ""
    return f"{Path(damage.path).name} is damaged: {damage.count} x {damage.reason}{where}"


def write_solution(folder: Path, solution: StationSolution) -> list[Path]:
    """Write a solution as SINEX, NetCDF and lossless JSON; returns the paths.

    Raises InputError where the folder cannot be written.
    """
    from pipelines.solution_netcdf import write_solution_netcdf

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
