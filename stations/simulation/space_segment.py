"""All that the stations of the sample share: satellites, clocks, antennas, biases, earth rotation, tides."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from stations.records import AntennaCalibration, EarthRotationParameters, OceanLoading
from stations.simulation.antennas import satellite_calibrations
from stations.simulation.biases import satellite_code_biases_m, satellite_phase_biases_cycles
from stations.simulation.constellation import Constellation, build_constellation
from stations.simulation.earth_rotation import simulate_earth_rotation
from stations.simulation.ocean_tides import simulate_ocean_loading
from stations.simulation.region_plan import mean_epoch, product_epochs
from stations.simulation.satellite_clocks import SatelliteClockTruth, simulate_clocks
from transforms.time_scales import TimeScale

_EARTH_ROTATION_DAYS: Final = 7  # three before the epoch of the truth, it, and three after


@dataclass(frozen=True, eq=False)
class SpaceSegment:
    """The truth that no station owns.

    antennas : in the constellation's order; code_biases_m, phase_biases_cycles : (satellite, signal) -> bias
    ocean_loading : marker -> loading
    """

    constellation: Constellation
    clocks: SatelliteClockTruth
    antennas: tuple[AntennaCalibration, ...]
    code_biases_m: Mapping[tuple[str, str], float]
    phase_biases_cycles: Mapping[tuple[str, str], float]
    earth_rotation: EarthRotationParameters
    ocean_loading: Mapping[str, OceanLoading]


def build_space_segment(seed: int) -> SpaceSegment:
    """Draw everything that the stations share."""
    reference = mean_epoch()
    constellation = build_constellation(reference, seed)
    second_s = product_epochs().seconds_since(reference)
    middle = int(reference.to(TimeScale.UTC).modified_julian_date())
    return SpaceSegment(
        constellation=constellation,
        clocks=simulate_clocks(constellation.names, constellation.kinds, second_s, seed),
        antennas=satellite_calibrations(constellation, seed),
        code_biases_m=satellite_code_biases_m(constellation.names, seed),
        phase_biases_cycles=satellite_phase_biases_cycles(constellation.names, seed),
        earth_rotation=simulate_earth_rotation(middle - 3, _EARTH_ROTATION_DAYS),
        ocean_loading=simulate_ocean_loading(seed),
    )
