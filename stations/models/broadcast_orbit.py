"""Satellite positions and clocks from broadcast messages.

Kepler elements: IS-GPS-200N, table 20-IV and (CNAV) 30-II; Galileo OS SIS ICD 2.1, table 60; BeiDou ICD B1I
3.0, table 5-12 (with the turn of GEO satellites); ICD B1C 1.0, section 7.7.1; IS-QZSS-PNT; NavIC ICD 1.1, A.
State vectors: GLONASS ICD 5.1, appendix A.3.1.2; SBAS: RTCA DO-229, A.4.4.11.

Positions are of the antenna's phase centre that the message refers to (GLONASS L1OC and L3OC: of the centre
of mass), in the system's own frame (WGS 84,
GTRF, BDCS, PZ-90.11: all within centimetres of the ITRF), rotating with the earth at the asked epoch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.navigation_records import KeplerEphemerides, NavigationMessages, StateVectorEphemerides
from transforms.time_scales import NANOSECONDS, SECONDS_PER_DAY, Epochs, TimeScale

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Earth's gravity and rotation as each system's users must take them (the documents above).
_GRAVITY_M3_PER_S2: Final[Mapping[str, float]] = {
    "G": 3.986005e14,
    "J": 3.986005e14,
    "I": 3.986005e14,
    "E": 3.986004418e14,
    "C": 3.986004418e14,
}
_EARTH_ROTATION_RAD_PER_S: Final[Mapping[str, float]] = {
    "G": 7.2921151467e-5,
    "J": 7.2921151467e-5,
    "I": 7.2921151467e-5,
    "E": 7.2921151467e-5,
    "C": 7.2921150e-5,
}
_GEO_TILT_RAD: Final = np.deg2rad(-5.0)  # BeiDou ICD B1I 3.0, table 5-12
_GEO_MESSAGE: Final = "D2"
# PZ-90.11 (GLONASS ICD 5.1, appendix A): gravity, equatorial radius, second zonal harmonic, rotation.
_GLONASS_GRAVITY_M3_PER_S2: Final = 3.986004418e14
_GLONASS_RADIUS_M: Final = 6_378_136.0
_GLONASS_J2: Final = 1_082_625.75e-9
_GLONASS_ROTATION_RAD_PER_S: Final = 7.292115e-5
_GLONASS_STEP_S: Final = 60.0  # the ICD's own step is 60 s; its error over half an hour is below 1 mm
_KEPLER_ITERATIONS: Final = 12  # Newton's from M: quadratic, 1e-15 rad after five for e < 0.1
# How far from its reference time a message is used: two hours and some (GPS, fit interval 4 h), the hourly
# update of BeiDou, ten minutes to four hours of Galileo, half an hour of GLONASS, minutes of SBAS.
_LONGEST_AGE_S: Final[Mapping[str, float]] = {
    "G": 7500.0,
    "J": 7500.0,
    "I": 7500.0,
    "E": 14_400.0,
    "C": 7500.0,
    "R": 1860.0,
    "S": 360.0,
}
# Of several messages for one satellite the first of these that is there.
_PREFERENCE: Final = (
    "LNAV", "INAV", "D1", "D2", "FDMA", "SBAS", "FNAV", "CNAV", "CNV1", "CNV2", "CNV3",
    "L1NV", "L1OC", "L3OC",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class BroadcastStates:
    """Positions and clocks at epochs.

    position_ecef_m : (n_epoch, n_satellite, 3), NaN where no message serves
    clock_s : (n_epoch, n_satellite), satellite clock minus system time, relativity's periodic term not
        included (as in SP3), group delays not removed
    age_s : (n_epoch, n_satellite), epoch minus the message's reference time
    """

    epochs: Epochs
    satellites: tuple[str, ...]
    position_ecef_m: FloatArray
    clock_s: FloatArray
    age_s: FloatArray


def broadcast_states(
    navigation: NavigationMessages,
    epochs: Epochs,
    *,
    satellites: Sequence[str] | None = None,
    messages: Sequence[str] = _PREFERENCE,
    only_healthy: bool = True,
) -> BroadcastStates:
    """Positions and clocks of satellites at epochs, each from the message nearest in reference time.

    Parameters
    ----------
    epochs : (n_epoch,) of transmission
    satellites : names; None takes all of the messages
    messages : kinds of message in order of preference; a satellite's first kind that is there is taken
    only_healthy : leave out messages whose health is not 0

    Satellites without a message near enough are NaN, never extrapolated further.
    """
    names = tuple(navigation.satellites if satellites is None else satellites)
    shape = (len(epochs), len(names))
    position = np.full((*shape, 3), np.nan)
    clock, age = np.full(shape, np.nan), np.full(shape, np.nan)
    for table, compute in ((navigation.kepler, _from_kepler), (navigation.state_vectors, _from_state)):
        epoch_index, satellite_index, row = _nearest(table, epochs, names, messages, only_healthy)
        if row.size == 0:
            continue
        tai_ns = epochs.tai_ns[epoch_index]
        position[epoch_index, satellite_index], clock[epoch_index, satellite_index] = compute(
            table,  # type: ignore[arg-type]  # each function stands beside its own table
            row,
            tai_ns,
        )
        age[epoch_index, satellite_index] = (tai_ns - _reference(table)[row]) / NANOSECONDS
    return BroadcastStates(epochs, names, position, clock, age)


def _reference(table: KeplerEphemerides | StateVectorEphemerides) -> IntArray:
    return (table.time_of_ephemeris if isinstance(table, KeplerEphemerides) else table.epoch).tai_ns


def _nearest(
    table: KeplerEphemerides | StateVectorEphemerides,
    epochs: Epochs,
    names: Sequence[str],
    messages: Sequence[str],
    only_healthy: bool,
) -> tuple[IntArray, IntArray, IntArray]:
    """Pairs of epoch and satellite that a message serves, and its row."""
    reference = _reference(table)
    usable = np.isin(table.message, list(messages))
    if only_healthy:
        usable &= table.health == 0.0
    found: list[tuple[IntArray, IntArray, IntArray]] = []
    for j, name in enumerate(names):
        rows = np.flatnonzero(usable & (table.satellite == name))
        if rows.size == 0:
            continue
        kinds = set(table.message[rows].tolist())
        kind = next(m for m in messages if m in kinds)
        rows = rows[table.message[rows] == kind]
        rows = rows[np.argsort(reference[rows], kind="stable")]
        # Of messages with one reference time the last sent is the last in the table.
        times = reference[rows]
        after = np.clip(np.searchsorted(times, epochs.tai_ns, side="left"), 0, rows.size - 1)
        before = np.clip(np.searchsorted(times, epochs.tai_ns, side="right") - 1, 0, rows.size - 1)
        nearer_before = np.abs(epochs.tai_ns - times[before]) <= np.abs(epochs.tai_ns - times[after])
        choice = np.where(nearer_before, before, after)
        fresh = np.abs(epochs.tai_ns - times[choice]) <= _LONGEST_AGE_S[name[0]] * NANOSECONDS
        index = np.flatnonzero(fresh)
        found.append((index, np.full(index.size, j), rows[choice[index]]))
    if not found:
        empty = np.empty(0, dtype=np.int64)
        return empty, empty, empty
    epoch_index, satellite_index, row = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return epoch_index, satellite_index, row


def _from_kepler(table: KeplerEphemerides, row: IntArray, tai_ns: IntArray) -> tuple[FloatArray, FloatArray]:
    """Positions (n, 3) and clocks (n,) of messages `row` at instants."""
    system = table.satellite[row].astype("<U1")
    gravity = np.vectorize(_GRAVITY_M3_PER_S2.__getitem__, otypes=[np.float64])(system)
    rotation = np.vectorize(_EARTH_ROTATION_RAD_PER_S.__getitem__, otypes=[np.float64])(system)
    elapsed_s = (tai_ns - table.time_of_ephemeris.tai_ns[row]) / NANOSECONDS
    axis_m = table.semi_major_axis_m[row]
    motion = np.sqrt(gravity / axis_m**3) + table.mean_motion_difference_rad_per_s[row]
    motion = motion + 0.5 * table.mean_motion_difference_rate_rad_per_s2[row] * elapsed_s
    eccentricity = table.eccentricity[row]
    anomaly = _eccentric_anomaly(table.mean_anomaly_rad[row] + motion * elapsed_s, eccentricity)
    true_anomaly = np.arctan2(
        np.sqrt(1.0 - eccentricity**2) * np.sin(anomaly), np.cos(anomaly) - eccentricity
    )
    latitude = true_anomaly + table.argument_of_perigee_rad[row]
    sine, cosine = np.sin(2.0 * latitude), np.cos(2.0 * latitude)
    axis_m = axis_m + table.semi_major_axis_rate_m_per_s[row] * elapsed_s
    radius_m = axis_m * (1.0 - eccentricity * np.cos(anomaly))
    radius_m = radius_m + table.radius_sine_m[row] * sine + table.radius_cosine_m[row] * cosine
    inclination = (
        table.inclination_rad[row]
        + table.inclination_rate_rad_per_s[row] * elapsed_s
        + table.inclination_sine_rad[row] * sine
        + table.inclination_cosine_rad[row] * cosine
    )
    latitude = latitude + table.latitude_sine_rad[row] * sine + table.latitude_cosine_rad[row] * cosine
    geo = table.message[row] == _GEO_MESSAGE
    # The node of a GEO message turns in a frame at rest; all others turn with the earth.
    node = (
        table.ascending_node_rad[row]
        + (table.ascending_node_rate_rad_per_s[row] - np.where(geo, 0.0, rotation)) * elapsed_s
        - rotation * _second_of_week_s(table, row, system)
    )
    x, y = radius_m * np.cos(latitude), radius_m * np.sin(latitude)
    position = np.stack(
        [
            x * np.cos(node) - y * np.cos(inclination) * np.sin(node),
            x * np.sin(node) + y * np.cos(inclination) * np.cos(node),
            y * np.sin(inclination),
        ],
        axis=-1,
    )
    position[geo] = _turn_geo(position[geo], rotation[geo] * elapsed_s[geo])
    since_clock_s = (tai_ns - table.time_of_clock.tai_ns[row]) / NANOSECONDS
    drift = table.clock_drift_s_per_s[row] + table.clock_drift_rate_s_per_s2[row] * since_clock_s
    return position, table.clock_bias_s[row] + drift * since_clock_s


def _eccentric_anomaly(mean_anomaly: FloatArray, eccentricity: FloatArray) -> FloatArray:
    anomaly = mean_anomaly + eccentricity * np.sin(mean_anomaly)
    for _ in range(_KEPLER_ITERATIONS):
        error = anomaly - eccentricity * np.sin(anomaly) - mean_anomaly
        anomaly = anomaly - error / (1.0 - eccentricity * np.cos(anomaly))
    return anomaly


def _second_of_week_s(table: KeplerEphemerides, row: IntArray, system: NDArray[np.str_]) -> FloatArray:
    """Reference time of the ephemeris in its system's own week (GPST and GST alike; BDT 14 s behind)."""
    sunday = np.datetime64("1980-01-06", "ns").astype(np.int64)
    epochs = table.time_of_ephemeris
    reading = np.where(
        system == "C",
        epochs.to(TimeScale.BDT).datetime64().astype(np.int64)[row],
        epochs.to(TimeScale.GPST).datetime64().astype(np.int64)[row],
    )
    week_ns = 7 * SECONDS_PER_DAY * NANOSECONDS
    return np.asarray(((reading - sunday) % week_ns) / NANOSECONDS, dtype=np.float64)


def _turn_geo(position: FloatArray, angle: FloatArray) -> FloatArray:
    """R_z(angle) R_x(-5 degrees) of positions (n, 3); R turns the axes (BeiDou ICD B1I 3.0, table 5-12)."""
    tilt_sine, tilt_cosine = np.sin(_GEO_TILT_RAD), np.cos(_GEO_TILT_RAD)
    x = position[:, 0]
    y = tilt_cosine * position[:, 1] + tilt_sine * position[:, 2]
    z = -tilt_sine * position[:, 1] + tilt_cosine * position[:, 2]
    sine, cosine = np.sin(angle), np.cos(angle)
    return np.stack([cosine * x + sine * y, -sine * x + cosine * y, z], axis=-1)


def _from_state(
    table: StateVectorEphemerides, row: IntArray, tai_ns: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Positions (n, 3) and clocks (n,) of messages `row` at instants."""
    elapsed_s = (tai_ns - table.epoch.tai_ns[row]) / NANOSECONDS
    state = np.concatenate([table.position_ecef_m[row], table.velocity_ecef_m_per_s[row]], axis=-1)
    acceleration = table.acceleration_ecef_m_per_s2[row]
    position = (
        state[:, :3] + state[:, 3:] * elapsed_s[:, None] + 0.5 * acceleration * np.square(elapsed_s)[:, None]
    )
    glonass = table.satellite[row].astype("<U1") == "R"
    if glonass.any():
        position[glonass] = _integrate(state[glonass], acceleration[glonass], elapsed_s[glonass])
    drift = table.clock_drift_s_per_s[row]
    if "clock_drift_rate_s_per_s2" in table.further:  # GLONASS L1OC and L3OC alone
        drift = drift + np.nan_to_num(table.further["clock_drift_rate_s_per_s2"][row]) * elapsed_s
    return position, table.clock_bias_s[row] + drift * elapsed_s


def _integrate(state: FloatArray, acceleration: FloatArray, elapsed_s: FloatArray) -> FloatArray:
    """Positions after `elapsed_s` (n,) of states (n, 6), by Runge and Kutta's method of fourth order."""
    n_steps = max(int(np.ceil(np.abs(elapsed_s).max() / _GLONASS_STEP_S)), 1)
    step = (elapsed_s / n_steps)[:, None]
    for _ in range(n_steps):
        k1 = _glonass_rate(state, acceleration)
        k2 = _glonass_rate(state + 0.5 * step * k1, acceleration)
        k3 = _glonass_rate(state + 0.5 * step * k2, acceleration)
        k4 = _glonass_rate(state + step * k3, acceleration)
        state = state + step / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return state[:, :3]


def _glonass_rate(state: FloatArray, acceleration: FloatArray) -> FloatArray:
    """Time derivative of position and velocity in the rotating frame (GLONASS ICD 5.1, eq. A.3.1.2)."""
    x, y, z, vx, vy, _ = state.T
    radius = np.sqrt(x**2 + y**2 + z**2)
    central = -_GLONASS_GRAVITY_M3_PER_S2 / radius**3
    flattening = 1.5 * _GLONASS_J2 * _GLONASS_GRAVITY_M3_PER_S2 * _GLONASS_RADIUS_M**2 / radius**5
    polar = 5.0 * (z / radius) ** 2
    rotation = _GLONASS_ROTATION_RAD_PER_S
    equatorial = central - flattening * (1.0 - polar)
    rate = np.empty_like(state)
    rate[:, :3] = state[:, 3:]
    rate[:, 3] = equatorial * x + rotation**2 * x + 2.0 * rotation * vy + acceleration[:, 0]
    rate[:, 4] = equatorial * y + rotation**2 * y - 2.0 * rotation * vx + acceleration[:, 1]
    rate[:, 5] = (central - flattening * (3.0 - polar)) * z + acceleration[:, 2]
    return rate
