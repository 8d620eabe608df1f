"""The forward model of one station: what its receiver writes down over all days of the sample."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from stations.models.antenna_phase import (
    antex_frequency,
    receiver_range_correction_m,
    satellite_range_correction_m,
)
from stations.models.global_mapping_function import global_mapping_function
from stations.models.ocean_loading import ocean_loading_displacement
from stations.models.ocean_pole_tide import ocean_pole_tide_displacement
from stations.models.phase_windup import continuous_windup_cycles, windup_angle_cycles
from stations.models.pole_tide import pole_tide_displacement
from stations.models.solid_earth_tide import solid_earth_tide_displacement
from stations.models.sun_moon import earth_rotation_at, sun_moon_positions
from stations.models.troposphere import gradient_mapping
from stations.records import (
    AntennaType,
    ObservationEvent,
    Observations,
    StationHeader,
    StationSetup,
    check_observations,
)
from stations.signals import carrier_frequency_hz, wavelength_m
from stations.simulation.antennas import receiver_calibration
from stations.simulation.atmosphere import (
    DELAY_M_HZ2_PER_TECU,
    TroposphereTruth,
    link_electron_content_tecu,
    simulate_troposphere,
    slant_electron_content_tecu,
)
from stations.simulation.biases import receiver_code_bias_m, receiver_phase_bias_cycles
from stations.simulation.faults import PlantedFault, TrackedSignals, plant_faults
from stations.simulation.geometry import ObservedPaths, observed_paths
from stations.simulation.random_streams import gauss_markov, random_stream, random_walk
from stations.simulation.region_plan import (
    DAYS,
    ELEVATION_MASK_RAD,
    EPOCHS_PER_DAY,
    INTERVAL_S,
    SimulatedStation,
    all_epochs,
)
from stations.simulation.space_segment import SpaceSegment
from transforms.constants import SPEED_OF_LIGHT_M_PER_S
from transforms.geodetic import enu_matrix_at, geodetic_from_ecef
from transforms.time_scales import Epochs, TimeScale

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_MILLISECOND_S: Final = 1.0e-3
_LARGEST_AMBIGUITY_CYCLES: Final = 100_000
_CODE_MULTIPATH_MEMORY_S: Final = 240.0
_CODE_MULTIPATH_DECAY_RAD: Final = np.radians(18.0)
_PHASE_MULTIPATH_M: Final = 0.006
_PHASE_MULTIPATH_DECAY_RAD: Final = np.radians(20.0)
_ZENITH_CN0_DBHZ: Final = 51.0
_CN0_FALL_DBHZ: Final = 16.0
_REFERENCE_CN0_DBHZ: Final = 45.0
_APPROXIMATE_POSITION_ERROR_M: Final = 2.0
# Carrier-to-noise of a signal beside L1 C/A's, dB: P(Y) is tracked without its code.
_CN0_OFFSET_DB: Final = {"G2W": -9.0, "E5Q": 2.0, "C1P": -1.0, "C5P": 2.0, "C6I": 1.0}


@dataclass(frozen=True, eq=False)
class StationSession:
    """All that a station wrote down, and what is known of it beside.

    days : observations by day; troposphere : over it at `epochs`; faults : planted
    """

    station: SimulatedStation
    days: tuple[Observations, ...]
    epochs: Epochs
    troposphere: TroposphereTruth
    faults: tuple[PlantedFault, ...]


def simulate_station(station: SimulatedStation, space: SpaceSegment, seed: int) -> StationSession:
    """Observations of a station on all days, with its faults."""
    epochs = all_epochs()
    n_epochs = len(epochs)
    marker = station.position_ecef_m(epochs)
    sun, moon = sun_moon_positions(epochs, space.earth_rotation)
    pole_x, pole_y, _ = earth_rotation_at(epochs, space.earth_rotation)
    middle = marker[n_epochs // 2]
    tides = solid_earth_tide_displacement(middle, epochs, sun, moon)
    tides = tides + pole_tide_displacement(middle, epochs, pole_x, pole_y)
    tides = tides + ocean_pole_tide_displacement(middle, epochs, pole_x, pole_y)
    tides = tides + ocean_loading_displacement(middle, epochs, space.ocean_loading[station.marker])
    changed = _antenna_changed(station)
    eccentricity = np.tile(np.array(station.eccentricity_enu_m), (n_epochs, 1))
    if station.change is not None:
        eccentricity[changed, 2] += station.change.rise_m
    reference_point = marker + tides + eccentricity @ enu_matrix_at(middle)

    clock = _receiver_clock_s(station, epochs, seed)
    signals_of = dict(station.receiver.signals)
    trackable = np.array(
        [i for i, name in enumerate(space.constellation.names) if name[0] in signals_of], dtype=np.int64
    )
    paths = observed_paths(
        space.constellation,
        space.clocks,
        space.earth_rotation,
        epochs,
        clock,
        reference_point,
        sun,
        trackable,
        ELEVATION_MASK_RAD,
    )

    utc = epochs.to(TimeScale.UTC).datetime64()
    utc_hour = (utc - utc.astype("datetime64[D]")) / np.timedelta64(1, "h")
    second_s = epochs.seconds_since(space.constellation.reference)
    troposphere = simulate_troposphere(station.code, middle, second_s, utc_hour, seed)
    common = paths.delay_m + SPEED_OF_LIGHT_M_PER_S * clock[paths.epoch_index]
    common = common + _neutral_delay_m(middle, epochs, paths, troposphere)
    electrons = slant_electron_content_tecu(
        middle,
        paths.azimuth_rad,
        paths.elevation_rad,
        second_s[paths.epoch_index],
        utc_hour[paths.epoch_index],
    )
    for satellite in np.unique(paths.satellite_index):
        rows = paths.satellite_index == satellite
        name = space.constellation.names[satellite]
        link = link_electron_content_tecu(n_epochs, INTERVAL_S, seed, station.code, name)
        electrons[rows] += link[paths.epoch_index[rows]]
    windup = continuous_windup_cycles(
        windup_angle_cycles(paths.satellite_axes, enu_matrix_at(middle), paths.line_of_sight),
        paths.satellite_index,
    )

    names = tuple(space.constellation.names[i] for i in np.unique(paths.satellite_index))
    signals = tuple(sorted({s for listed in signals_of.values() for s in listed}))
    shape = (n_epochs, len(names), len(signals))
    tracked = TrackedSignals(
        names, signals, np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, dtype=np.uint8)
    )
    cn0 = np.full(shape, np.nan)
    column = np.searchsorted(np.unique(paths.satellite_index), paths.satellite_index)
    passes = _passes(paths, n_epochs)
    power_failure = _first_epoch_after_outage(station)
    passes = passes + 1000 * (paths.epoch_index >= power_failure)
    for system, listed in station.receiver.signals:
        rows = np.flatnonzero(np.array([names[c][0] == system for c in column]))
        for signal in listed:
            code, phase, power = _observe(
                station, space, seed, system + signal, rows, paths, common, electrons, windup, passes, changed
            )
            place = (paths.epoch_index[rows], column[rows], signals.index(signal))
            tracked.code_m[place] = code
            tracked.phase_cycles[place] = phase
            cn0[place] = power
    faults = plant_faults(tracked, station, seed)
    days = tuple(
        _observations_of_day(station, epochs, tracked, cn0, faults, number, seed)
        for number in range(len(DAYS))
    )
    return StationSession(station, days, epochs, troposphere, faults)


def _antenna_changed(station: SimulatedStation) -> NDArray[np.bool_]:
    """(n_epoch,) whether the other antenna stands."""
    changed = np.zeros(len(DAYS) * EPOCHS_PER_DAY, dtype=np.bool_)
    if station.change is not None:
        changed[DAYS.index(station.change.day) * EPOCHS_PER_DAY :] = True
    return changed


def _first_epoch_after_outage(station: SimulatedStation) -> int:
    if station.outage is None:
        return len(DAYS) * EPOCHS_PER_DAY
    day, first, count = station.outage
    return DAYS.index(day) * EPOCHS_PER_DAY + first + count


def _receiver_clock_s(station: SimulatedStation, epochs: Epochs, seed: int) -> FloatArray:
    """Receiver clock minus system time at its tags, (n_epoch,)."""
    receiver = station.receiver
    generator = random_stream(seed, "receiver clock", station.code)
    elapsed = (epochs.tai_ns - epochs.tai_ns[0]) / 1e9
    clock = generator.uniform(-1.0e-5, 1.0e-5) + receiver.clock_drift * elapsed
    clock = clock + random_walk(generator, len(epochs), receiver.clock_walk_s)
    if receiver.resets_clock:
        clock = clock - _MILLISECOND_S * np.round(clock / _MILLISECOND_S)
    return np.asarray(clock)


def _neutral_delay_m(
    position_ecef_m: FloatArray, epochs: Epochs, paths: ObservedPaths, troposphere: TroposphereTruth
) -> FloatArray:
    latitude, longitude, height = (float(v) for v in geodetic_from_ecef(position_ecef_m))
    at = paths.epoch_index
    mjd = epochs.modified_julian_date()[at]
    dry, wet = global_mapping_function(mjd, latitude, longitude, height, paths.elevation_rad)
    tilt = troposphere.gradient_north_m[at] * np.cos(paths.azimuth_rad)
    tilt = tilt + troposphere.gradient_east_m[at] * np.sin(paths.azimuth_rad)
    return np.asarray(
        troposphere.hydrostatic_m[at] * dry
        + troposphere.wet_m[at] * wet
        + gradient_mapping(paths.elevation_rad) * tilt
    )


def _passes(paths: ObservedPaths, n_epochs: int) -> IntArray:
    """Number of the pass of each observation within its satellite: (n,)."""
    result = np.zeros(paths.epoch_index.size, dtype=np.int64)
    for satellite in np.unique(paths.satellite_index):
        rows = np.flatnonzero(paths.satellite_index == satellite)
        result[rows] = np.cumsum(np.diff(paths.epoch_index[rows], prepend=-n_epochs) > 1)
    return result


def _observe(
    station: SimulatedStation,
    space: SpaceSegment,
    seed: int,
    signal: str,
    rows: IntArray,
    paths: ObservedPaths,
    common_m: FloatArray,
    electrons_tecu: FloatArray,
    windup_cycles: FloatArray,
    passes: IntArray,
    changed: NDArray[np.bool_],
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Code (m), phase (cycles) and carrier-to-noise density (dBHz) of one signal such as "G1C" at rows."""
    band = signal[:2]
    frequency = antex_frequency(band)
    azimuth, elevation = paths.azimuth_rad[rows], paths.elevation_rad[rows]
    antenna = receiver_calibration(station.antenna)
    receiver_part = receiver_range_correction_m(antenna, antenna.frequencies[frequency], azimuth, elevation)
    if station.change is not None:
        other = receiver_calibration(station.change.antenna)
        other_part = receiver_range_correction_m(other, other.frequencies[frequency], azimuth, elevation)
        receiver_part = np.where(changed[paths.epoch_index[rows]], other_part, receiver_part)
    satellite_part = np.empty(rows.size)
    code_bias = np.empty(rows.size)
    ambiguity = np.empty(rows.size)
    multipath = np.empty(rows.size)
    phase_multipath = np.empty(rows.size)
    memory = float(np.exp(-INTERVAL_S / _CODE_MULTIPATH_MEMORY_S))
    n_epochs = changed.size
    for satellite in np.unique(paths.satellite_index[rows]):
        own = np.flatnonzero(paths.satellite_index[rows] == satellite)
        at = rows[own]
        name = space.constellation.names[satellite]
        calibration = space.antennas[satellite]
        satellite_part[own] = satellite_range_correction_m(
            calibration, calibration.frequencies[frequency], paths.satellite_axes[at], paths.line_of_sight[at]
        )
        code_bias[own] = space.code_biases_m[name, signal[1:]]
        generator = random_stream(seed, "ambiguity", station.code, name, signal)
        numbers, inverse = np.unique(passes[at], return_inverse=True)
        drawn = generator.integers(
            -_LARGEST_AMBIGUITY_CYCLES, _LARGEST_AMBIGUITY_CYCLES, size=numbers.size, endpoint=True
        )
        ambiguity[own] = drawn[inverse] + space.phase_biases_cycles[name, signal[1:]]
        generator = random_stream(seed, "multipath", station.code, name, signal)
        at_epoch = paths.epoch_index[at]
        multipath[own] = gauss_markov(generator, n_epochs, 1.0, memory)[at_epoch]
        phase_multipath[own] = gauss_markov(generator, n_epochs, 1.0, memory)[at_epoch]
    multipath *= station.receiver.multipath_m * np.exp(-elevation / _CODE_MULTIPATH_DECAY_RAD)
    phase_multipath *= _PHASE_MULTIPATH_M * np.exp(-elevation / _PHASE_MULTIPATH_DECAY_RAD)

    noise = random_stream(seed, "thermal noise", station.code, signal)
    fall = _CN0_FALL_DBHZ * (1.0 - np.sin(elevation)) ** 1.5
    cn0 = _ZENITH_CN0_DBHZ + _CN0_OFFSET_DB.get(signal, 0.0) - fall + 0.4 * noise.standard_normal(rows.size)
    cn0 = np.round(cn0, 1)
    weakness = 10.0 ** ((_REFERENCE_CN0_DBHZ - cn0) / 20.0)
    code_noise = station.receiver.code_noise_m * weakness * noise.standard_normal(rows.size)
    phase_noise = station.receiver.phase_noise_m * weakness * noise.standard_normal(rows.size)

    hertz = carrier_frequency_hz(band)
    ionosphere = DELAY_M_HZ2_PER_TECU / hertz**2 * electrons_tecu[rows]
    range_m = common_m[rows] + receiver_part + satellite_part
    code = range_m + ionosphere + code_bias + receiver_code_bias_m(station.code, signal, seed)
    code = code + multipath + code_noise
    length_m = wavelength_m(band)
    phase = (range_m - ionosphere + phase_multipath + phase_noise) / length_m
    phase = phase + windup_cycles[rows] + ambiguity + receiver_phase_bias_cycles(station.code, signal, seed)
    return code, phase, cn0


def _observations_of_day(
    station: SimulatedStation,
    epochs: Epochs,
    tracked: TrackedSignals,
    cn0_dbhz: FloatArray,
    faults: tuple[PlantedFault, ...],
    number: int,
    seed: int,
) -> Observations:
    """One day as the record that the RINEX writer takes: values rounded as the file holds them."""
    day = slice(number * EPOCHS_PER_DAY, (number + 1) * EPOCHS_PER_DAY)
    present = tracked.tracked[day]
    rows = np.flatnonzero(present.any(axis=1))
    columns = np.flatnonzero(present.any(axis=0))
    index = np.ix_(rows + day.start, columns, np.arange(len(tracked.signals)))
    code = np.round(tracked.code_m[index], 3)
    lost = np.where(np.isfinite(code), tracked.loss_of_lock[index], 0).astype(np.uint8)
    power = np.where(np.isfinite(code), cn0_dbhz[index], np.nan)
    dimensions = ("epoch", "satellite", "signal")
    data = xr.Dataset(
        {
            "pseudorange_m": (dimensions, code),
            "carrier_phase_cycles": (dimensions, np.round(tracked.phase_cycles[index], 3)),
            "cn0_dbhz": (dimensions, power.astype(np.float32)),
            "loss_of_lock": (dimensions, lost),
        },
        coords={
            "epoch": epochs.datetime64()[rows + day.start],
            "satellite": np.array([tracked.satellites[c] for c in columns]),
            "signal": np.array(tracked.signals),
        },
    )
    check_observations(data)
    return Observations(
        data, _header(station, epochs[day.start : day.stop], seed), _events(station, epochs, number)
    )


def _events(station: SimulatedStation, epochs: Epochs, number: int) -> tuple[ObservationEvent, ...]:
    if station.outage is None or station.outage[0] != DAYS[number]:
        return ()
    epoch = epochs[np.array(_first_epoch_after_outage(station))]
    return (ObservationEvent(epoch, 1, "power failure between the previous and this epoch", (), 0),)


def _header(station: SimulatedStation, epochs: Epochs, seed: int) -> StationHeader:
    """What the file says of the station; the antenna is the one that the station's log knows of."""
    generator = random_stream(seed, "approximate position", station.code)
    rough = station.position_ecef_m(epochs[np.array(0)])
    rough = rough + generator.standard_normal(3) * _APPROXIMATE_POSITION_ERROR_M
    design = station.antenna
    antenna = AntennaType(design.igs_code[:16].strip(), design.igs_code[16:].strip(), station.antenna_serial)
    return StationHeader(
        marker_name=station.marker,
        marker_number="",
        setup=StationSetup(
            receiver=station.receiver.name,
            receiver_serial=station.receiver_serial,
            receiver_firmware=station.receiver.firmware,
            antenna=antenna,
            eccentricity_enu_m=station.eccentricity_enu_m,
        ),
        approximate_position_ecef_m=np.round(rough, 4),
        glonass_channels={},
        rinex_version="3.05",
    )
