"""Satellite clocks: offset, frequency offset, drift and white frequency noise, by class of clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.simulation.random_streams import random_stream, random_walk

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_LARGEST_OFFSET_S: Final = 4.0e-4  # operators keep a broadcast clock within a millisecond
_FREQUENCY_SIGMA: Final = 8.0e-12
_DRIFT_SIGMA_PER_S: Final = 2.0e-19  # about 2e-14 per day


@dataclass(frozen=True)
class ClockClass:
    """A kind of clock: its Allan deviation at 1 s, white frequency noise."""

    name: str
    allan_deviation_1s: float


# After Montenbruck et al. (2017), Adv. Space Res. 59, 1671-1697 (MGEX), figure on Allan deviations, rounded.
RUBIDIUM: Final = ClockClass("rubidium", 3.0e-12)
OLD_RUBIDIUM: Final = ClockClass("older rubidium", 6.0e-12)
MASER: Final = ClockClass("passive hydrogen maser", 9.0e-13)
_CLASSES: Final[Mapping[str, tuple[ClockClass, ...]]] = MappingProxyType(
    {
        "GPS": (RUBIDIUM, RUBIDIUM, OLD_RUBIDIUM),
        "GALILEO": (MASER,),
        "BDS-3 MEO": (MASER, RUBIDIUM),
        "BDS-3 IGSO": (MASER,),
    }
)


@dataclass(frozen=True, eq=False)
class SatelliteClockTruth:
    """True clocks at knots, straight between them: second_s (n_knot,), offset_s (n_knot, n_satellite)."""

    second_s: FloatArray
    offset_s: FloatArray
    classes: tuple[ClockClass, ...]

    def at(self, satellite: IntArray, second_s: FloatArray) -> FloatArray:
        """Satellite clock minus system time, relativity's periodic part not included; (n,), s."""
        before = np.clip(np.searchsorted(self.second_s, second_s, "right") - 1, 0, self.second_s.size - 2)
        span = self.second_s[before + 1] - self.second_s[before]
        share = (second_s - self.second_s[before]) / span
        left, right = self.offset_s[before, satellite], self.offset_s[before + 1, satellite]
        return np.asarray(left + share * (right - left))


def simulate_clocks(
    names: tuple[str, ...], kinds: tuple[str, ...], second_s: FloatArray, seed: int
) -> SatelliteClockTruth:
    """True clocks of satellites at evenly spaced knots."""
    step_s = float(second_s[1] - second_s[0])
    offset = np.empty((second_s.size, len(names)))
    classes = []
    for j, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        generator = random_stream(seed, "clock", name)
        choice = _CLASSES[kind][int(generator.integers(len(_CLASSES[kind])))]
        classes.append(choice)
        start = generator.uniform(-_LARGEST_OFFSET_S, _LARGEST_OFFSET_S)
        frequency = generator.standard_normal() * _FREQUENCY_SIGMA
        drift = generator.standard_normal() * _DRIFT_SIGMA_PER_S
        walk = random_walk(generator, second_s.size, choice.allan_deviation_1s * np.sqrt(step_s))
        offset[:, j] = start + frequency * second_s + 0.5 * drift * second_s**2 + walk
    return SatelliteClockTruth(second_s, offset, tuple(classes))
