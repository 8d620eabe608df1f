"""Orbit and clock products of a simulated analysis centre: the truth with the centre's errors on it.

The errors are those that a float solution has to live with: orbits that err once per revolution, and clocks
that take up most of the radial error, with noise and a wandering reference clock on top.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.models.sun_moon import terrestrial_from_celestial_matrix
from stations.records import EarthRotationParameters, SatelliteClocks, SatelliteOrbits
from stations.simulation.constellation import Constellation
from stations.simulation.random_streams import random_stream, random_walk
from stations.simulation.satellite_clocks import SatelliteClockTruth
from transforms.constants import SPEED_OF_LIGHT_M_PER_S
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]

CENTRE: Final = "SIM"
FRAME: Final = "IGS20"
_CLOCK_UNIT_S: Final = 1e-12
RADIAL_ERROR_IN_CLOCK: Final = 0.95  # share of the radial orbit error that the clocks of a centre take up
REFERENCE_CLOCK_WALK_S: Final = 2.0e-11  # from epoch to epoch


@dataclass(frozen=True)
class ProductErrors:
    """Errors of a kind of satellite: rms radial, along and across the track, m; clock noise, s."""

    radial_m: float
    along_m: float
    across_m: float
    clock_s: float


# Of the size of the consistency of MGEX products: Steigenberger and Montenbruck (2020), and IGS overlaps.
PRODUCT_ERRORS: Final[Mapping[str, ProductErrors]] = MappingProxyType(
    {
        "GPS": ProductErrors(0.008, 0.015, 0.012, 1.0e-11),
        "GALILEO": ProductErrors(0.010, 0.018, 0.015, 1.0e-11),
        "BDS-3 MEO": ProductErrors(0.015, 0.035, 0.030, 1.5e-11),
        "BDS-3 IGSO": ProductErrors(0.040, 0.090, 0.080, 3.0e-11),
    }
)


def simulate_products(
    constellation: Constellation,
    clocks: SatelliteClockTruth,
    earth_rotation: EarthRotationParameters,
    epochs: Epochs,
    seed: int,
) -> tuple[SatelliteOrbits, SatelliteClocks]:
    """Orbits and clocks as the simulated centre publishes them at epochs (n_epoch,)."""
    second_s = epochs.seconds_since(constellation.reference)
    rotation = terrestrial_from_celestial_matrix(epochs, earth_rotation)
    n_satellites = len(constellation.names)
    position = np.empty((second_s.size, n_satellites, 3))
    clock = np.empty((second_s.size, n_satellites))
    common = random_walk(random_stream(seed, "reference clock"), second_s.size, REFERENCE_CLOCK_WALK_S)
    for j, (name, kind) in enumerate(zip(constellation.names, constellation.kinds, strict=True)):
        errors = PRODUCT_ERRORS[kind]
        generator = random_stream(seed, "product error", name)
        index = np.full(second_s.size, j, dtype=np.int64)
        place, velocity = constellation.position_and_velocity(index, second_s)
        radial = place / np.linalg.norm(place, axis=1, keepdims=True)
        across = np.cross(place, velocity)
        across /= np.linalg.norm(across, axis=1, keepdims=True)
        along = np.cross(across, radial)
        angle = constellation.mean_motion_rad_per_s[j] * second_s
        sizes = np.array([errors.radial_m, errors.along_m, errors.across_m])
        phases = generator.uniform(0.0, 2.0 * np.pi, 3)
        # A constant part and a turn per revolution share the variance evenly.
        constant = generator.standard_normal(3) * sizes * np.sqrt(0.5) * np.array([0.3, 1.0, 1.0])
        turning = generator.standard_normal(3) * sizes
        error = constant + turning * np.cos(angle[:, None] + phases)
        place = place + error[:, :1] * radial + error[:, 1:2] * along + error[:, 2:] * across
        position[:, j] = np.einsum("nij,nj->ni", rotation, place)
        noise = generator.standard_normal(second_s.size) * errors.clock_s
        taken_up = RADIAL_ERROR_IN_CLOCK * error[:, 0] / SPEED_OF_LIGHT_M_PER_S
        clock[:, j] = clocks.at(index, second_s) + taken_up + noise + common
    orbits = SatelliteOrbits(
        epochs=epochs,
        satellites=constellation.names,
        position_ecef_m=np.round(position, 3),
        clock_s=np.full_like(clock, np.nan),
        manoeuvre=np.zeros(clock.shape, dtype=np.bool_),
        frame=FRAME,
        centre=CENTRE,
    )
    rounded = np.round(clock / _CLOCK_UNIT_S) * _CLOCK_UNIT_S
    return orbits, SatelliteClocks(epochs, constellation.names, rounded, CENTRE)
