"""From the region's daily solutions and control stations to one adjusted network."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.network.combine import CombinationOptions, combine_solutions
from datum.network.constraints import DatumParameter
from datum.records import ControlStation, NetworkSolution
from pipelines.settings import Region
from pipelines.work_store import StageKey, StageResult, WorkStore, sha256_of_records
from stations.records import StationSolution
from transforms.errors import InputError
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]

CODE: Final = ("transforms", "datum", "stations.records", "pipelines.network_solution")


def control_stations(region: Region) -> tuple[ControlStation, ...]:
    """The region's control stations as records, under the names that its stations have."""
    result = []
    for control in region.control:
        settings = region.station(control.station)
        velocity = control.velocity_m_per_yr
        if velocity is None and settings is not None:
            velocity = settings.velocity_m_per_yr
        result.append(
            ControlStation(
                station=control.station if settings is None else settings.code,
                frame=control.frame,
                epoch=Epochs.from_datetime64(np.datetime64(control.epoch, "ns")),
                position_ecef_m=np.array(control.position_ecef_m),
                velocity_m_per_yr=None if velocity is None else np.array(velocity),
                sigma_enu_m=(control.sigma_enu_m[0], control.sigma_enu_m[1], control.sigma_enu_m[2]),
            )
        )
    return tuple(result)


def solve_network(
    region: Region, solutions: Sequence[StationSolution], store: WorkStore
) -> StageResult[NetworkSolution]:
    """Combine daily solutions into the region's network.

    Raises InputError where a solution stands in another frame than the region's, AdjustmentError where the
    network has no reliable solution.
    """
    if not solutions:
        raise InputError("no station-day was solved: there is nothing to combine")
    for solution in solutions:
        if solution.frame != region.region.frame:
            raise InputError(
                f"{solution.station}: its solution stands in {solution.frame}, and the region is in "
                f"{region.region.frame}: take orbits of that frame or change region.frame"
            )
    control = control_stations(region)
    velocities = known_velocities(region)
    key = StageKey(
        "network",
        region.region.name,
        CODE,
        sha256_of_records([*solutions, *control]),
        {
            "alignment": region.processing.alignment,
            "velocities_m_per_yr": {name: list(value) for name, value in sorted(velocities.items())},
        },
    )
    options = CombinationOptions(
        alignment=tuple(DatumParameter(name) for name in region.processing.alignment),
        velocities_m_per_yr=velocities,
    )
    return store.recall_or(
        key, NetworkSolution, lambda: combine_solutions(solutions, control, options=options)
    )


def known_velocities(region: Region) -> dict[str, FloatArray]:
    """Station -> velocity (3,), m/yr, in the region's frame, for the stations whose settings give one."""
    return {
        station.code: np.array(station.velocity_m_per_yr)
        for station in region.stations
        if station.velocity_m_per_yr is not None
    }
