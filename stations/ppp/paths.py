"""The geometry of a signal's path from satellite to station, for many observations at once."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.models.phase_windup import continuous_windup_cycles, windup_angle_cycles
from stations.models.relativity import periodic_clock_correction_s, shapiro_delay_m
from stations.models.satellite_attitude import (
    axes_by_law,
    body_axes,
    sun_elevation_and_orbit_angle,
)
from stations.models.tabulated_attitude import AttitudeTable
from stations.models.yaw_laws import YawLaw
from stations.ppp.orbits import ClockTable, OrbitTable
from transforms.constants import (
    EARTH_ROTATION_RATE_RAD_PER_S,
    GRAVITATIONAL_CONSTANT_EARTH_M3_PER_S2,
    SPEED_OF_LIGHT_M_PER_S,
)
from transforms.geodetic import enu_matrix_at

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_NOMINAL_FLIGHT_TIME_S: Final = 0.075
_FLIGHT_TIME_ROUNDS: Final = 3  # each gains a factor of 1e5: 0.02 s, then 1e-7 s, then 1e-12 s


@dataclass(frozen=True, eq=False)
class SignalPaths:
    """Paths of observations, all shape (n,) or (n, 3), in the terrestrial frame of the reception.

    range_m : geometric range between the satellite's centre of mass at transmission and the antenna
        reference point, plus the Shapiro delay, minus the satellite clock (relativity included)
    line_of_sight : unit vectors from station to satellite
    satellite_axes : (n, 3, 3) body axes as columns
    windup_cycles : continuous for each satellite
    turning : where the attitude is doubtful, near noon or midnight
    valid : orbit and clock are there; elsewhere the numbers are NaN
    """

    range_m: FloatArray
    line_of_sight: FloatArray
    azimuth_rad: FloatArray
    elevation_rad: FloatArray
    satellite_axes: FloatArray
    windup_cycles: FloatArray
    turning: NDArray[np.bool_]
    valid: NDArray[np.bool_]

    def take(self, keep: NDArray[np.bool_]) -> "SignalPaths":
        """The paths where `keep` (n,) is True."""
        return SignalPaths(**{field.name: getattr(self, field.name)[keep] for field in fields(self)})


def _rotate_z(vector: FloatArray, angle: FloatArray) -> FloatArray:
    """Turn vectors (n, 3) by the earth's rotation during the flight (the frame turns, so minus)."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.stack(
        [
            cosine * vector[:, 0] + sine * vector[:, 1],
            -sine * vector[:, 0] + cosine * vector[:, 1],
            vector[:, 2],
        ],
        axis=-1,
    )


def signal_paths(
    epoch_ns: IntArray,
    satellite_index: IntArray,
    station_ecef_m: FloatArray,
    receiver_clock_s: FloatArray,
    sun_ecef_m: FloatArray,
    orbits: OrbitTable,
    orbit_index: IntArray,
    clocks: ClockTable,
    clock_index: IntArray,
    yaw_laws: Sequence[YawLaw],
    attitudes: AttitudeTable | None = None,
) -> SignalPaths:
    """Paths of n observations in time order.

    Parameters
    ----------
    epoch_ns : (n,) receiver's tag, TAI ns
    satellite_index : (n,) into the caller's satellites
    station_ecef_m : (n, 3) antenna reference point at the observation, tides included
    receiver_clock_s : (n,) receiver clock minus system time, s; 1e-7 s is good enough
    sun_ecef_m : (n, 3)
    orbit_index, clock_index : (n_satellite,) places in the tables, -1 where absent
    yaw_laws : (n_satellite,) how each satellite turns near noon and midnight
    attitudes : the centre's own, which go before the laws where they are tabulated
    """
    in_orbit = orbit_index[satellite_index]
    in_clock = clock_index[satellite_index]
    known = (in_orbit >= 0) & (in_clock >= 0)
    in_orbit, in_clock = np.maximum(in_orbit, 0), np.maximum(in_clock, 0)

    # One look into the table, at a nominal time of flight; from there the orbit is a parabola in inertial
    # space over some hundredths of a second (jerk: below a micrometre).
    nominal = np.full(epoch_ns.size, _NOMINAL_FLIGHT_TIME_S)
    position, velocity = orbits.positions_and_velocities(epoch_ns, -receiver_clock_s - nominal, in_orbit)
    # From the axes at the nominal transmission to those at the reception.
    turn = EARTH_ROTATION_RATE_RAD_PER_S * nominal
    position, velocity = _rotate_z(position, turn), _rotate_z(velocity, turn)
    radius = np.linalg.norm(position, axis=1, keepdims=True)
    acceleration = -GRAVITATIONAL_CONSTANT_EARTH_M3_PER_S2 * position / radius**3
    flight = nominal
    satellite = position
    for _ in range(_FLIGHT_TIME_ROUNDS):
        flight = np.linalg.norm(satellite - station_ecef_m, axis=1) / SPEED_OF_LIGHT_M_PER_S
        earlier = (nominal - flight)[:, None]
        satellite = position + velocity * earlier + 0.5 * acceleration * earlier**2
    flight = np.where(np.isfinite(flight), flight, nominal)
    inertial = velocity + acceleration * (nominal - flight)[:, None]

    clock = clocks.at(epoch_ns, -receiver_clock_s - flight, in_clock)
    clock = clock + periodic_clock_correction_s(satellite, inertial)
    line = satellite - station_ecef_m
    distance = np.linalg.norm(line, axis=1)
    valid = known & np.isfinite(distance) & np.isfinite(clock)
    # Where an orbit is missing the geometry below still needs numbers; `valid` keeps them out.
    distance = np.where(valid, distance, 2.0e7)
    line = np.where(valid[:, None], line, [0.0, 0.0, 2.0e7])
    satellite = np.where(valid[:, None], satellite, [0.0, 1.0e7, 2.0e7])
    inertial = np.where(valid[:, None], inertial, [3.0e3, 0.0, 0.0])
    line_of_sight = line / distance[:, None]
    total = distance + shapiro_delay_m(satellite, station_ecef_m) - SPEED_OF_LIGHT_M_PER_S * clock

    beta, orbit_angle = sun_elevation_and_orbit_angle(satellite, inertial, sun_ecef_m)
    axes = body_axes(satellite, inertial, sun_ecef_m)
    orbit_rate = np.linalg.norm(np.cross(satellite, inertial), axis=1) / np.sum(satellite**2, axis=1)
    axes, turning = axes_by_law(axes, beta, orbit_angle, orbit_rate, satellite_index, yaw_laws)
    if attitudes is not None:
        tabulated, known = attitudes.axes(epoch_ns, -receiver_clock_s - flight, satellite_index)
        turn = EARTH_ROTATION_RATE_RAD_PER_S * flight
        columns = [_rotate_z(tabulated[..., k], turn) for k in range(3)]
        axes = np.where(known[:, None, None], np.stack(columns, axis=-1), axes)
        turning = turning & ~known

    # One station: its horizon does not turn by more than a tide's nanoradians.
    rows = enu_matrix_at(np.mean(station_ecef_m, axis=0))
    enu = line_of_sight @ rows.T
    windup = continuous_windup_cycles(windup_angle_cycles(axes, rows, line_of_sight), satellite_index)
    return SignalPaths(
        range_m=np.where(valid, total, np.nan),
        line_of_sight=line_of_sight,
        azimuth_rad=np.mod(np.arctan2(enu[:, 0], enu[:, 1]), 2.0 * np.pi),
        elevation_rad=np.arcsin(np.clip(enu[:, 2], -1.0, 1.0)),
        satellite_axes=axes,
        windup_cycles=windup,
        turning=turning,
        valid=valid,
    )
