"""Where satellites stand as a station sees them: light time in the inertial frame, no table in between.

The solver interpolates tables in the rotating frame; this takes Kepler's orbit and the full earth rotation
matrix instead, so that a mistake in either shows as a residual. Attitude, Shapiro delay and the periodic
clock term come from `stations.models`, as they do there.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.models.relativity import periodic_clock_correction_s, shapiro_delay_m
from stations.models.satellite_attitude import body_axes
from stations.models.sun_moon import terrestrial_from_celestial_matrix
from stations.records import EarthRotationParameters
from stations.simulation.constellation import Constellation
from stations.simulation.satellite_clocks import SatelliteClockTruth
from transforms.constants import SPEED_OF_LIGHT_M_PER_S
from transforms.geodetic import enu_matrix_at
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_FIRST_FLIGHT_TIME_S: Final = 0.075
_LIGHT_TIME_ITERATIONS: Final = 4  # each gains a factor v/c, 1e-5


@dataclass(frozen=True, eq=False)
class ObservedPaths:
    """Paths of n observations; vectors in the terrestrial frame of the reception.

    epoch_index, satellite_index : (n,), in time order
    delay_m : (n,) range between centre of mass and antenna reference point, plus Shapiro's delay, minus the
        satellite clock with its periodic relativistic part
    line_of_sight : (n, 3) from station to satellite; satellite_axes : (n, 3, 3) body axes as columns
    """

    epoch_index: IntArray
    satellite_index: IntArray
    delay_m: FloatArray
    line_of_sight: FloatArray
    azimuth_rad: FloatArray
    elevation_rad: FloatArray
    satellite_axes: FloatArray


def observed_paths(
    constellation: Constellation,
    clocks: SatelliteClockTruth,
    earth_rotation: EarthRotationParameters,
    epochs: Epochs,
    receiver_clock_s: FloatArray,
    station_ecef_m: FloatArray,
    sun_ecef_m: FloatArray,
    satellites: IntArray,
    elevation_mask_rad: float,
) -> ObservedPaths:
    """Paths of all satellites over a mask.

    Parameters
    ----------
    epochs : receiver's tags, (n_epoch,); receiver_clock_s : (n_epoch,) receiver minus system time
    station_ecef_m : (n_epoch, 3) antenna reference point, tides included; sun_ecef_m : (n_epoch, 3)
    satellites : indices into the constellation that the receiver can track
    """
    rotation = terrestrial_from_celestial_matrix(epochs.plus_seconds(-receiver_clock_s), earth_rotation)
    station_inertial = np.einsum("nji,nj->ni", rotation, station_ecef_m)
    second_s = epochs.seconds_since(constellation.reference) - receiver_clock_s
    epoch_index = np.repeat(np.arange(len(epochs)), satellites.size)
    satellite_index = np.tile(satellites, len(epochs))

    horizon = enu_matrix_at(station_ecef_m[0])
    rough, _ = constellation.position_and_velocity(satellite_index, second_s[epoch_index])
    line = np.einsum("nij,nj->ni", rotation[epoch_index], rough - station_inertial[epoch_index])
    sine = (line @ horizon[2]) / np.linalg.norm(line, axis=1)
    seen = sine > np.sin(elevation_mask_rad)
    epoch_index, satellite_index = epoch_index[seen], satellite_index[seen]

    flight_s = np.full(epoch_index.size, _FIRST_FLIGHT_TIME_S)
    received_s = second_s[epoch_index]
    for _ in range(_LIGHT_TIME_ITERATIONS):
        position, velocity = constellation.position_and_velocity(satellite_index, received_s - flight_s)
        distance = np.linalg.norm(position - station_inertial[epoch_index], axis=1)
        flight_s = distance / SPEED_OF_LIGHT_M_PER_S
    turn = rotation[epoch_index]
    satellite = np.einsum("nij,nj->ni", turn, position)
    moving = np.einsum("nij,nj->ni", turn, velocity)
    station = station_ecef_m[epoch_index]
    line_of_sight = (satellite - station) / distance[:, None]
    clock = clocks.at(satellite_index, received_s - flight_s) + periodic_clock_correction_s(
        position, velocity
    )
    enu = line_of_sight @ horizon.T
    sun = sun_ecef_m[epoch_index]
    return ObservedPaths(
        epoch_index=epoch_index.astype(np.int64),
        satellite_index=satellite_index.astype(np.int64),
        delay_m=distance + shapiro_delay_m(satellite, station) - SPEED_OF_LIGHT_M_PER_S * clock,
        line_of_sight=line_of_sight,
        azimuth_rad=np.mod(np.arctan2(enu[:, 0], enu[:, 1]), 2.0 * np.pi),
        elevation_rad=np.arcsin(enu[:, 2]),
        satellite_axes=body_axes(satellite, moving, sun),
    )
