"""The simulated atmosphere: neutral delay with weather in it, and an ionosphere of first order.

Everything that varies is drawn here; mapping functions and the hydrostatic delay for a pressure are those of
`stations.models` (the solver's too).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.models.troposphere import standard_pressure_hpa, zenith_hydrostatic_delay_m
from stations.simulation.random_streams import gauss_markov, random_stream, random_walk
from transforms.geodetic import geodetic_from_ecef

FloatArray = NDArray[np.float64]

_HOUR_S: Final = 3600.0
_DAY_S: Final = 86400.0
# Troposphere of a late April at the lower Yangtze.
ZENITH_WET_DELAY_SEA_LEVEL_M: Final = 0.19
WET_SCALE_HEIGHT_M: Final = 2000.0
REGIONAL_WET_WALK_M_PER_SQRT_H: Final = 0.005
LOCAL_WET_WALK_M_PER_SQRT_H: Final = 0.003
WET_DIURNAL_M: Final = 0.012
WET_DIURNAL_PEAK_LOCAL_H: Final = 16.0
PRESSURE_WALK_HPA_PER_SQRT_H: Final = 0.35
PRESSURE_SEMIDIURNAL_HPA: Final = 1.2
GRADIENT_SIGMA_M: Final = 0.0004
GRADIENT_MEMORY_H: Final = 6.0
GRADIENT_DIURNAL_M: Final = 0.0003
# Ionosphere.
SHELL_RADIUS_M: Final = 6_371_000.0 + 450_000.0
DELAY_M_HZ2_PER_TECU: Final = 40.3e16  # IERS Conventions (2010), eq. 9.31: 40.3 m3/s2, 1 TECU = 1e16 /m2
NIGHT_VTEC_TECU: Final = 9.0
DAY_VTEC_TECU: Final = 38.0
VTEC_PEAK_LOCAL_H: Final = 14.0
VTEC_LATITUDE_SCALE_RAD: Final = np.radians(16.0)
VTEC_CREST_LATITUDE_RAD: Final = np.radians(22.0)
WAVE_VTEC_TECU: Final = 0.6
WAVE_PERIOD_S: Final = 2400.0
WAVE_LENGTH_M: Final = 3.0e5
LINK_SLANT_SIGMA_TECU: Final = 0.15
LINK_SLANT_MEMORY_S: Final = 1200.0


@dataclass(frozen=True, eq=False)
class TroposphereTruth:
    """Neutral atmosphere over a station at epochs; all (n_epoch,), m."""

    hydrostatic_m: FloatArray
    wet_m: FloatArray
    gradient_north_m: FloatArray
    gradient_east_m: FloatArray

    @property
    def total_m(self) -> FloatArray:
        """Zenith total delay."""
        return self.hydrostatic_m + self.wet_m


def simulate_troposphere(
    station: str, position_ecef_m: FloatArray, second_s: FloatArray, utc_hour: FloatArray, seed: int
) -> TroposphereTruth:
    """Weather over a station at evenly spaced epochs (n,): one part common to the region, one its own.

    utc_hour : hour of the day at the epochs, for the diurnal parts
    """
    latitude, longitude, height = (float(v) for v in geodetic_from_ecef(position_ecef_m))
    n, step_h = second_s.size, float(second_s[1] - second_s[0]) / _HOUR_S
    local_hour = utc_hour + np.degrees(longitude) / 15.0
    pressure = standard_pressure_hpa(height)
    pressure = pressure + random_walk(
        random_stream(seed, "pressure"), n, PRESSURE_WALK_HPA_PER_SQRT_H * np.sqrt(step_h)
    )
    pressure = pressure + PRESSURE_SEMIDIURNAL_HPA * np.cos(4.0 * np.pi * (local_hour - 10.0) / 24.0)

    wet = np.full(n, ZENITH_WET_DELAY_SEA_LEVEL_M * np.exp(-height / WET_SCALE_HEIGHT_M))
    wet += WET_DIURNAL_M * np.cos(2.0 * np.pi * (local_hour - WET_DIURNAL_PEAK_LOCAL_H) / 24.0)
    wet += random_walk(random_stream(seed, "wet"), n, REGIONAL_WET_WALK_M_PER_SQRT_H * np.sqrt(step_h))
    own = random_stream(seed, "wet", station)
    wet += own.standard_normal() * 0.006
    wet += random_walk(own, n, LOCAL_WET_WALK_M_PER_SQRT_H * np.sqrt(step_h))
    wet = np.maximum(wet, 0.02)

    memory = float(np.exp(-step_h / GRADIENT_MEMORY_H))
    gradients = []
    for component, phase_h in (("north", 3.0), ("east", 9.0)):
        common = gauss_markov(random_stream(seed, "gradient", component), n, GRADIENT_SIGMA_M, memory)
        local = gauss_markov(
            random_stream(seed, "gradient", component, station), n, 0.5 * GRADIENT_SIGMA_M, memory
        )
        diurnal = GRADIENT_DIURNAL_M * np.cos(2.0 * np.pi * (local_hour - phase_h) / 24.0)
        gradients.append(common + local + diurnal)
    return TroposphereTruth(
        hydrostatic_m=zenith_hydrostatic_delay_m(pressure, latitude, height),
        wet_m=wet,
        gradient_north_m=gradients[0],
        gradient_east_m=gradients[1],
    )


def slant_electron_content_tecu(
    position_ecef_m: FloatArray,
    azimuth_rad: FloatArray,
    elevation_rad: FloatArray,
    second_s: FloatArray,
    utc_hour: FloatArray,
) -> FloatArray:
    """Smooth part of the slant electron content of paths (n,): a thin shell with a bulge that follows the
    sun, a crest towards the south, and a travelling wave.
    """
    latitude, longitude, _ = (float(v) for v in geodetic_from_ecef(position_ecef_m))
    sine = np.linalg.norm(position_ecef_m) / SHELL_RADIUS_M * np.cos(elevation_rad)
    central = np.pi / 2.0 - elevation_rad - np.arcsin(sine)
    pierce_latitude = np.arcsin(
        np.sin(latitude) * np.cos(central) + np.cos(latitude) * np.sin(central) * np.cos(azimuth_rad)
    )
    pierce_longitude = longitude + np.arcsin(np.sin(central) * np.sin(azimuth_rad) / np.cos(pierce_latitude))
    local_hour = utc_hour + np.degrees(pierce_longitude) / 15.0
    bulge = np.cos(np.pi * (local_hour - VTEC_PEAK_LOCAL_H) / 12.0)
    by_latitude = np.exp(-(((pierce_latitude - VTEC_CREST_LATITUDE_RAD) / VTEC_LATITUDE_SCALE_RAD) ** 2))
    vertical = NIGHT_VTEC_TECU + DAY_VTEC_TECU * by_latitude * np.maximum(bulge, 0.0) ** 2
    along_m = SHELL_RADIUS_M * (0.8 * pierce_latitude - 0.6 * pierce_longitude)
    wave = np.sin(2.0 * np.pi * (second_s / WAVE_PERIOD_S + along_m / WAVE_LENGTH_M))
    vertical = vertical + WAVE_VTEC_TECU * wave * (0.4 + 0.6 * np.maximum(bulge, 0.0))
    return np.asarray(vertical / np.sqrt(1.0 - sine**2))


def link_electron_content_tecu(n: int, step_s: float, seed: int, station: str, satellite: str) -> FloatArray:
    """Irregular part of the slant electron content of one satellite at n evenly spaced epochs."""
    memory = float(np.exp(-step_s / LINK_SLANT_MEMORY_S))
    return gauss_markov(
        random_stream(seed, "ionosphere", station, satellite), n, LINK_SLANT_SIGMA_TECU, memory
    )
