"""A station solution as NetCDF: position, zenith delays and residuals with their units, for xarray.

The classic format with 64-bit offsets, which scipy writes and every reader knows; times are seconds of GPST.
"""

import os
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

from stations.records import StationSolution
from transforms.errors import InputError
from transforms.time_scales import TimeScale

SECONDS_OF_GPST: Final = "seconds since 1980-01-06"
_TIMES: Final = ("delay_epoch", "residual_epoch", "epoch")


def solution_dataset(solution: StationSolution) -> xr.Dataset:
    """The solution as a Dataset; times are GPST."""
    delays = solution.zenith_delays
    variables: dict[str, Any] = {
        "position_ecef_m": ("axis", solution.position_ecef_m, {"units": "m", "long_name": "marker"}),
        "covariance_m2": (("axis", "axis2"), solution.covariance_m2, {"units": "m2"}),
        "zenith_total_delay_m": ("delay_epoch", delays.total_m, {"units": "m"}),
        "zenith_total_delay_sigma_m": ("delay_epoch", delays.sigma_m, {"units": "m"}),
    }
    coordinates: dict[str, Any] = {
        "axis": ["x", "y", "z"],
        "delay_epoch": delays.epochs.to(TimeScale.GPST).datetime64(),
    }
    residuals = solution.residuals
    if residuals is not None:
        variables |= {
            "residual_epoch": ("observation", residuals.epochs.to(TimeScale.GPST).datetime64()),
            "residual_satellite": (
                "observation",
                np.array(residuals.satellites)[residuals.satellite_index],
            ),
            "azimuth_rad": ("observation", residuals.azimuth_rad, {"units": "rad"}),
            "elevation_rad": ("observation", residuals.elevation_rad, {"units": "rad"}),
            "phase_residual_m": ("observation", residuals.phase_m, {"units": "m"}),
            "code_residual_m": ("observation", residuals.code_m, {"units": "m"}),
            "accepted": ("observation", residuals.accepted.astype(np.int8), {"flag_meanings": "no yes"}),
        }
    if solution.kinematic_epochs is not None and solution.kinematic_position_ecef_m is not None:
        coordinates["epoch"] = solution.kinematic_epochs.to(TimeScale.GPST).datetime64()
        variables["kinematic_position_ecef_m"] = (
            ("epoch", "axis"),
            solution.kinematic_position_ecef_m,
            {"units": "m"},
        )
    return xr.Dataset(
        variables,
        coordinates,
        {
            "station": solution.station,
            "domes": solution.domes,
            "frame": solution.frame,
            "epoch": solution.epoch.to(TimeScale.GPST).iso(),
            "time_scale": "GPST",
            "centre": solution.centre,
            "systems": "".join(solution.systems),
            "signals": " ".join(solution.signals),
            "ambiguities": solution.ambiguities,
            "inputs": " ".join(f"{Path(item.path).name}:{item.sha256}" for item in solution.inputs),
        },
    )


def write_solution_netcdf(path: Path, solution: StationSolution) -> None:
    """Write the solution as NetCDF, whole or not at all; the same solution gives the same bytes."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        dataset = solution_dataset(solution)
        encoding = {
            name: {"units": SECONDS_OF_GPST, "dtype": "float64"}
            for name in _TIMES
            if name in dataset.variables
        }
        dataset.to_netcdf(partial, engine="scipy", format="NETCDF3_64BIT", encoding=encoding)
        partial.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error})") from error
    finally:
        partial.unlink(missing_ok=True)
