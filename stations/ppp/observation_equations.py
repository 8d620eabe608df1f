"""Observation equations of a station: modelled ranges, design matrices and constraints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from stations.formats.antex import find_satellite_antenna
from stations.models.antenna_phase import (
    choose_frequency,
    receiver_range_correction_m,
    satellite_range_correction_m,
)
from stations.models.global_mapping_function import global_mapping_function
from stations.models.global_pressure_temperature import global_pressure_temperature
from stations.models.ocean_loading import ocean_loading_displacement
from stations.models.ocean_pole_tide import ocean_pole_tide_displacement
from stations.models.pole_tide import pole_tide_displacement
from stations.models.site_weather import SiteWeather
from stations.models.solid_earth_tide import solid_earth_tide_displacement
from stations.models.sun_moon import earth_rotation_at, sun_moon_positions
from stations.models.troposphere import gradient_mapping, zenith_hydrostatic_delay_m
from stations.ppp.first_position import plausible_position
from stations.ppp.options import PppOptions
from stations.ppp.parameters import ParameterLayout
from stations.ppp.paths import SignalPaths
from stations.records import AntennaCalibration, EarthRotationParameters, OceanLoading
from transforms.constants import SPEED_OF_LIGHT_M_PER_S
from transforms.geodetic import geodetic_from_ecef
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def ionosphere_free_factors(frequency_hz: FloatArray) -> FloatArray:
    """Factors of the two carriers in the ionosphere-free combination; (..., 2) from (..., 2) frequencies."""
    f2 = frequency_hz**2
    difference = f2[..., 0] - f2[..., 1]
    return np.stack([f2[..., 0] / difference, -f2[..., 1] / difference], axis=-1)


@dataclass(frozen=True, eq=False)
class Sky:
    """What does not depend on the station: sun and moon (n_epoch, 3), terrestrial, and the pole (n_epoch,).

    The pole is None where earth rotation is not known.
    """

    sun_ecef_m: FloatArray
    moon_ecef_m: FloatArray
    pole_rad: tuple[FloatArray, FloatArray] | None

    @classmethod
    def at(cls, epochs: Epochs, earth_rotation: EarthRotationParameters | None) -> "Sky":
        """The sky at epochs (n_epoch,)."""
        sun, moon = sun_moon_positions(epochs, earth_rotation)
        if earth_rotation is None:
            return cls(sun, moon, None)
        x, y, _ = earth_rotation_at(epochs, earth_rotation)
        return cls(sun, moon, (x, y))


def tidal_displacement(
    position_ecef_m: FloatArray, epochs: Epochs, sky: Sky, ocean_loading: OceanLoading | None
) -> FloatArray:
    """Displacements of a station (n_epoch, 3): solid earth, both pole tides (if earth rotation is
    known), ocean loading.

    None for a trial position that is not on the ground, as in the first steps from the earth's centre.
    """
    if not plausible_position(position_ecef_m):
        return np.zeros_like(sky.sun_ecef_m)
    displacement = solid_earth_tide_displacement(position_ecef_m, epochs, sky.sun_ecef_m, sky.moon_ecef_m)
    if sky.pole_rad is not None:
        displacement = displacement + pole_tide_displacement(position_ecef_m, epochs, *sky.pole_rad)
        displacement = displacement + ocean_pole_tide_displacement(position_ecef_m, epochs, *sky.pole_rad)
    if ocean_loading is not None:
        displacement = displacement + ocean_loading_displacement(position_ecef_m, epochs, ocean_loading)
    return displacement


@dataclass(frozen=True, eq=False)
class SatelliteAntennas:
    """Satellite antennas of a session: calibration (or None) for each satellite, in the caller's order."""

    calibrations: tuple[AntennaCalibration | None, ...]

    @classmethod
    def of(
        cls, satellites: Sequence[str], antennas: Sequence[AntennaCalibration], epoch: Epochs
    ) -> "SatelliteAntennas":
        """Look up each satellite's antenna at an instant."""
        return cls(tuple(find_satellite_antenna(antennas, s, epoch) for s in satellites))


@dataclass(frozen=True, eq=False)
class AntennaCorrections:
    """Phase-centre corrections of both antennas.

    correction_m : (n, 2) for the two carriers of each row, to be added to the modelled range
    calibrated : (n_satellite,) whether the satellite's antenna is known on both carriers
    inherited : band -> ANTEX code that served instead, for the receiver antenna
    """

    correction_m: FloatArray
    calibrated: NDArray[np.bool_]
    inherited: Mapping[str, str]


def antenna_corrections(
    paths: SignalPaths,
    satellite_index: IntArray,
    bands: Sequence[tuple[str, str]],
    satellite_antennas: SatelliteAntennas,
    receiver_antenna: AntennaCalibration | None,
) -> AntennaCorrections:
    """Phase-centre corrections of n rows; `bands` names two bands ("C2", "C6") of each satellite."""
    correction = np.zeros((satellite_index.size, 2))
    calibrated = np.zeros(len(bands), dtype=np.bool_)
    inherited: dict[str, str] = {}
    for k, pair in enumerate(bands):
        calibration = satellite_antennas.calibrations[k]
        if calibration is None:
            continue
        first, second = (choose_frequency(calibration, band)[0] for band in pair)
        if first is None or second is None:
            continue
        calibrated[k] = True
        rows = np.flatnonzero(satellite_index == k)
        for j, frequency in enumerate((first, second)):
            if rows.size:
                correction[rows, j] += satellite_range_correction_m(
                    calibration, frequency, paths.satellite_axes[rows], paths.line_of_sight[rows]
                )
    if receiver_antenna is not None:
        for band in sorted({b for pair in bands for b in pair}):
            calibrated_as, instead = choose_frequency(receiver_antenna, band)
            if calibrated_as is None:
                continue
            serving = np.array([band in pair for pair in bands])[satellite_index] & paths.valid
            if instead is not None and serving.any():
                inherited[band] = instead
            for j in (0, 1):
                has_band = np.array([pair[j] == band for pair in bands])
                rows = np.flatnonzero(has_band[satellite_index])
                if rows.size:
                    correction[rows, j] += receiver_range_correction_m(
                        receiver_antenna, calibrated_as, paths.azimuth_rad[rows], paths.elevation_rad[rows]
                    )
    return AntennaCorrections(correction, calibrated, inherited)


@dataclass(frozen=True, eq=False)
class TroposphereModel:
    """A-priori delay and mapping of n observations.

    hydrostatic_m : slant, (n,); wet_mapping, gradient_mapping : (n,)
    zenith_hydrostatic_m : at the station, one for the session, shape (), or at the zenith delay's nodes
    """

    hydrostatic_m: FloatArray
    wet_mapping: FloatArray
    gradient_mapping: FloatArray
    zenith_hydrostatic_m: FloatArray


def troposphere_model(
    position_ecef_m: FloatArray, mjd: FloatArray, elevation_rad: FloatArray
) -> TroposphereModel:
    """Troposphere of observations at elevations (n,) and modified Julian dates (n,).

    One a-priori zenith delay for the session, from the season's average pressure (GPT) at its middle, and the
    Global Mapping Function.
    """
    latitude, longitude, height = (float(c) for c in geodetic_from_ecef(position_ecef_m))
    weather = global_pressure_temperature(float(np.mean(mjd)), latitude, longitude, height)
    above_sea_m = height - weather.geoid_height_m
    zenith = zenith_hydrostatic_delay_m(weather.pressure_hpa, latitude, above_sea_m)
    dry, wet = global_mapping_function(mjd, latitude, longitude, height, elevation_rad)
    return TroposphereModel(zenith * dry, wet, gradient_mapping(elevation_rad), zenith)


def troposphere_of_the_day(
    position_ecef_m: FloatArray,
    epochs: Epochs,
    elevation_rad: FloatArray,
    weather: SiteWeather,
    nodes: Epochs,
) -> TroposphereModel:
    """Troposphere of observations at epochs (n,) from a weather model's values at the station (VMF1, VMF3).

    nodes : of the zenith delays, at which the a-priori zenith delay is given back
    """
    dry, wet, zenith = weather.mapping(position_ecef_m, epochs, elevation_rad)
    at_nodes = weather.at(nodes)[2]
    return TroposphereModel(zenith * dry, wet, gradient_mapping(elevation_rad), at_nodes)


@dataclass(frozen=True, eq=False)
class Equations:
    """Linear equations of phases and codes, phases first: rows 0..n-1 phase, n..2n-1 code."""

    design: sp.csr_array
    local_design: sp.csr_array
    local_size: int
    weight: FloatArray


def build_equations(
    paths: SignalPaths,
    troposphere: TroposphereModel,
    layout: ParameterLayout,
    options: PppOptions,
    *,
    epoch_index: IntArray,
    second_s: FloatArray,
    group: IntArray,
    n_epochs: int,
    n_groups: int,
    arc: IntArray,
    satellite_index: IntArray,
    sigma_factor: FloatArray,
    code_noise_factor: FloatArray,
    clock_variance_m2: FloatArray,
) -> Equations:
    """Design matrices and weights of n observations, all arguments with shape (n,) in time order.

    sigma_factor : on the sigmas of phase and code; code_noise_factor : on that of code besides
    clock_variance_m2 : of the phases, in the unit of the others, for satellite clocks between their epochs
    """
    n = epoch_index.size
    rows = np.arange(n)
    entries: list[tuple[IntArray, IntArray, FloatArray]] = []
    local: list[tuple[IntArray, FloatArray]] = []
    offset = 0 if layout.static else 3
    local_size = offset + n_groups
    for axis in range(3):
        if layout.static:
            column = np.full(n, layout.position.start + axis)
            entries.append((rows, column, -paths.line_of_sight[:, axis]))
        else:
            local.append((epoch_index * local_size + axis, -paths.line_of_sight[:, axis]))
    local.append((epoch_index * local_size + offset + group, np.ones(n)))

    before, share = layout.zenith.weights(second_s)
    start = layout.zenith_wet_delay.start
    entries.append((rows, start + before, troposphere.wet_mapping * (1.0 - share)))
    entries.append((rows, start + before + 1, troposphere.wet_mapping * share))
    before, share = layout.gradient.weights(second_s)
    for start, direction in (
        (layout.gradient_north.start, np.cos(paths.azimuth_rad)),
        (layout.gradient_east.start, np.sin(paths.azimuth_rad)),
    ):
        value = troposphere.gradient_mapping * direction
        entries.append((rows, start + before, value * (1.0 - share)))
        entries.append((rows, start + before + 1, value * share))

    row = np.concatenate([r for r, _, _ in entries])
    column = np.concatenate([c for _, c, _ in entries])
    value = np.concatenate([v for _, _, v in entries])
    row = np.concatenate([row, row + n, rows, rows + n])
    column = np.concatenate(
        [column, column, layout.ambiguity.start + arc, layout.code_bias.start + satellite_index]
    )
    value = np.concatenate([value, value, np.ones(2 * n)])
    design = sp.csr_array((value, (row, column)), shape=(2 * n, layout.size))

    local_row = np.concatenate([rows] * len(local))
    local_column = np.concatenate([c for c, _ in local])
    local_value = np.concatenate([v for _, v in local])
    local_design = sp.csr_array(
        (
            np.concatenate([local_value, local_value]),
            (np.concatenate([local_row, local_row + n]), np.concatenate([local_column, local_column])),
        ),
        shape=(2 * n, n_epochs * local_size),
    )
    sine = np.sin(paths.elevation_rad)
    relative = (sine / sigma_factor) ** 2
    code_sigma_m = options.code_sigma_m * code_noise_factor
    phase_variance_m2 = options.phase_sigma_m**2 / relative + clock_variance_m2
    weight = np.concatenate([1.0 / phase_variance_m2, relative / code_sigma_m**2])
    return Equations(design, local_design, local_size, weight)


def build_constraints(
    layout: ParameterLayout, options: PppOptions, code_bias_sigma_m: FloatArray
) -> tuple[sp.csr_array, FloatArray, FloatArray]:
    """Pseudo-observations: the troposphere's first values and random walks, and the codes' biases about zero.

    code_bias_sigma_m : (n_satellite,)

    Returns design (n, n_global), value (n,), weight (n,).
    """
    row: list[int] = []
    column: list[int] = []
    value: list[float] = []
    weight: list[float] = []

    def add(places: Sequence[int], factors: Sequence[float], sigma: float) -> None:
        row.extend([len(weight)] * len(places))
        column.extend(places)
        value.extend(factors)
        weight.append(1.0 / sigma**2)

    for block, nodes, first_sigma, walk in (
        (
            layout.zenith_wet_delay,
            layout.zenith,
            options.zenith_delay_sigma_m,
            options.zenith_delay_walk_m_per_sqrt_h,
        ),
        (
            layout.gradient_north,
            layout.gradient,
            options.gradient_sigma_m,
            options.gradient_walk_m_per_sqrt_h,
        ),
        (layout.gradient_east, layout.gradient, options.gradient_sigma_m, options.gradient_walk_m_per_sqrt_h),
    ):
        add([block.start], [1.0], first_sigma)
        hours = np.diff(nodes.second_s) / 3600.0
        for k, span in enumerate(hours):
            add([block.start + k, block.start + k + 1], [-1.0, 1.0], walk * float(np.sqrt(span)))
    for place, sigma in enumerate(code_bias_sigma_m, start=layout.code_bias.start):
        add([place], [1.0], float(sigma))
    design = sp.csr_array((value, (row, column)), shape=(len(weight), layout.size))
    return design, np.zeros(len(weight)), np.array(weight)


def modelled_phase_windup_m(
    windup_cycles: FloatArray, wavelength_m: FloatArray, factors: FloatArray
) -> FloatArray:
    """Wind-up in the ionosphere-free phase, m: cycles (n,), wavelengths and factors (n, 2)."""
    return np.asarray(windup_cycles * np.sum(factors * wavelength_m, axis=-1))


def wavelengths_m(frequency_hz: FloatArray) -> FloatArray:
    """Wavelengths of frequencies, same shape."""
    return np.asarray(SPEED_OF_LIGHT_M_PER_S / frequency_hz)
