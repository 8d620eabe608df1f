"""`station baseline`: files of two stations and products in, the vector between them out."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from pipelines.reference_files import read_antennas
from pipelines.solution_json import COVARIANCE_DIGITS, POSITION_DECIMALS, RESIDUAL_DECIMALS, SIGMA_DECIMALS
from stations.baseline.broadcast_products import broadcast_products
from stations.baseline.options import BaselineOptions
from stations.baseline.solve import solve_baseline
from stations.formats.products import find_products
from stations.formats.rinex_navigation import read_navigation
from stations.formats.rinex_observation import read_observations
from stations.records import BaselineSolution, Observations, StationSetup
from transforms.errors import InputError
from transforms.geodetic import enu_covariance, enu_matrix_at
from transforms.time_scales import TimeScale

VECTOR_DECIMALS: Final = 6  # micrometres: a network adjustment must not see the rounding


@dataclass(frozen=True)
class BaselineRequest:
    """What `jizhun station baseline` was asked for."""

    first: tuple[Path, ...]
    second: tuple[Path, ...]
    products: tuple[Path, ...]
    centre: str | None
    systems: str
    ambiguities: Literal["float", "fix"]
    ionosphere: Literal["auto", "fixed", "free"]
    interval_s: float | None
    elevation_cutoff_deg: float
    antex: tuple[Path, ...]
    base_position_ecef_m: tuple[float, float, float] | None
    navigation: tuple[Path, ...] = ()  # in place of products
    allow_missing_antenna: bool = False
    carriers: Literal["both", "first", "second"] = "both"


def solve_baseline_files(request: BaselineRequest) -> BaselineSolution:
    """Read, find products, solve; raises FormatError, InputError or AdjustmentError with the reason."""
    first, second = (_read(files) for files in (request.first, request.second))
    begin = max((first.epochs[0], second.epochs[0]), key=lambda epoch: int(epoch.tai_ns))
    end = min((first.epochs[-1], second.epochs[-1]), key=lambda epoch: int(epoch.tai_ns))
    if int(begin.tai_ns) > int(end.tai_ns):
        raise InputError(
            f"{request.first[0].name} and {request.second[0].name} have no time in common: the one begins at "
            f"{begin.iso()}, after the other's end at {end.iso()} GPST"
        )
    antennas = read_antennas(request.antex)
    if request.navigation:
        navigation = read_navigation(request.navigation, systems=request.systems)
        products = broadcast_products(navigation, begin, end, systems=request.systems)
        # Broadcast orbits are those of the satellites' antennas.
        antennas = tuple(antenna for antenna in antennas if not antenna.svn)
    else:
        products = find_products(
            list(request.products), begin, end, systems=request.systems, centre=request.centre
        )
    given = request.base_position_ecef_m
    return solve_baseline(
        first,
        second,
        products,
        antennas,
        options=BaselineOptions(
            systems=request.systems,
            ambiguities=request.ambiguities,
            ionosphere=request.ionosphere,
            carriers=request.carriers,
            interval_s=request.interval_s,
            allow_missing_antenna=request.allow_missing_antenna,
            elevation_cutoff_rad=math.radians(request.elevation_cutoff_deg),
        ),
        base_position_ecef_m=None if given is None else np.array(given),
    )


def _read(files: tuple[Path, ...]) -> Observations:
    observations = read_observations(list(files))
    if len(observations.epochs) == 0:
        raise InputError(f"{files[0]}: the observations hold no epoch")
    return observations


def baseline_contract(solution: BaselineSolution, seconds: float | None = None) -> dict[str, Any]:
    """The object of `jizhun station baseline --json`, and without `seconds` that of its file.

    seconds : wall time of reading and solving, s (the one value that differs from run to run)
    """
    base = solution.base_position_ecef_m
    vector_enu_m = enu_matrix_at(base) @ solution.vector_ecef_m
    sigma_enu_m = np.sqrt(np.diag(enu_covariance(base, solution.covariance_m2)))
    length_m = float(np.linalg.norm(solution.vector_ecef_m))
    direction = solution.vector_ecef_m / length_m if length_m > 0.0 else np.zeros(3)
    content = {
        "from": solution.from_station,
        "to": solution.to_station,
        "epoch": solution.epoch.to(TimeScale.GPST).iso(),
        "first_epoch": solution.first_epoch.to(TimeScale.GPST).iso(),
        "last_epoch": solution.last_epoch.to(TimeScale.GPST).iso(),
        "frame": solution.frame,
        "vector_ecef_m": _rounded(solution.vector_ecef_m, VECTOR_DECIMALS),
        "vector_enu_m": _rounded(vector_enu_m, POSITION_DECIMALS),
        "length_m": round(length_m, POSITION_DECIMALS),
        "sigma_length_m": round(math.sqrt(direction @ solution.covariance_m2 @ direction), SIGMA_DECIMALS),
        "covariance_m2": [
            [float(f"{value:.{COVARIANCE_DIGITS - 1}e}") for value in row] for row in solution.covariance_m2
        ],
        "sigma_enu_m": _rounded(sigma_enu_m, SIGMA_DECIMALS),
        "base_position_ecef_m": _rounded(base, POSITION_DECIMALS),
        "ionosphere": solution.ionosphere,
        "n_epochs": solution.n_epochs,
        "n_observations": solution.n_observations,
        "systems": list(solution.systems),
        "signals": list(solution.signals),
        "ambiguities": solution.ambiguities,
        "fixed_fraction": round(solution.fixed_fraction, 4),
        "success_rate": None if solution.success_rate is None else round(solution.success_rate, 6),
        "ratio": None if solution.ratio is None else round(solution.ratio, 2),
        "residual_rms_m": {
            "phase": round(solution.residual_rms_phase_m, RESIDUAL_DECIMALS),
            "code": round(solution.residual_rms_code_m, RESIDUAL_DECIMALS),
        },
        "setups": {"from": _setup(solution.from_setup), "to": _setup(solution.to_setup)},
        "rejections": dict(solution.rejections),
        "centre": solution.centre,
        "remarks": list(solution.remarks),
        "inputs": [{"path": item.path, "sha256": item.sha256} for item in solution.inputs],
    }
    return content if seconds is None else {**content, "seconds": round(seconds, 2)}


def _setup(setup: StationSetup) -> dict[str, Any]:
    return {
        "antenna": setup.antenna.igs_code,
        "receiver": setup.receiver,
        "eccentricity_enu_m": list(setup.eccentricity_enu_m),
    }


def _rounded(values: Any, decimals: int) -> list[float]:
    return [round(float(value), decimals) for value in values]
