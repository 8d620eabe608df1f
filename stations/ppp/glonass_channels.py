"""Frequency channels of GLONASS satellites: from the observation file's header, and from the observations.

A satellite's FDMA carriers lie at f = base + k step, k from -7 to 6 (GLONASS ICD 5.1, table 3.1). RINEX 3
files list k for each satellite; RINEX 2 files do not, and a header may be wrong. The observations themselves
tell: over the same time the phase runs through as many cycles as the code changes by wavelengths, and a
channel more changes that by 3.5e-4, hundreds of metres in a pass, against a metre of noise and some metres of
ionosphere.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.records import Observations
from stations.signals import GLONASS_FDMA_HZ
from transforms.constants import SPEED_OF_LIGHT_M_PER_S

FloatArray = NDArray[np.float64]

SMALLEST_CHANNEL: Final = -7
LARGEST_CHANNEL: Final = 13  # 0..13 before 1998, -7..6 since 2005
_FRACTION_LIMIT: Final = 0.25  # of a channel: an estimate farther from a whole number is not believed
_SIGMA_LIMIT: Final = 0.05  # of an estimate, channels
_MINIMUM_STEPS: Final = 6  # differences between epochs; the sigma has the last word
_LONGEST_STEP_S: Final = 901.0  # over a longer one the ionosphere's change would weigh too much
_SLIP_M: Final = 30.0  # phase against code beyond what the channel explains: a slip, or a clock's millisecond


@dataclass(frozen=True)
class GlonassChannels:
    """Frequency channels of a station's GLONASS satellites.

    by_satellite : channel of each satellite that has one
    observed : satellites that the header does not name, told by the observations
    contradicted : satellites whose channel in the header is not that of the observations, which serve
    """

    by_satellite: Mapping[str, int]
    observed: tuple[str, ...] = ()
    contradicted: tuple[str, ...] = ()

    def remarks_on(self, satellites: Collection[str]) -> tuple[str, ...]:
        """What the output must say of satellites."""
        found = {
            why: [s for s in told if s in satellites]
            for why, told in (
                ("missing in the header", self.observed),
                ("wrong in the header", self.contradicted),
            )
        }
        return tuple(
            f"GLONASS channels {why}, told by phase against code: "
            + ", ".join(f"{s} {self.by_satellite[s]:+d}" for s in told)
            for why, told in found.items()
            if told
        )


def glonass_channels(observations: Observations, pairs: Mapping[str, tuple[str, str]]) -> GlonassChannels:
    """Channel of each GLONASS satellite that can be told.

    pairs : satellite -> its two signals, such as ("1C", "2P"); satellites of other systems are passed over
    """
    known: dict[str, int] = {}
    observed: list[str] = []
    contradicted: list[str] = []
    for satellite, pair in pairs.items():
        if satellite[0] != "R":
            continue
        named = observations.header.glonass_channels.get(satellite)
        told = observed_channel(observations, satellite, pair)
        channel = named if told is None else told
        if channel is None:
            continue
        known[satellite] = channel
        if named is None:
            observed.append(satellite)
        elif named != channel:
            contradicted.append(satellite)
    return GlonassChannels(known, tuple(observed), tuple(contradicted))


def observed_channel(observations: Observations, satellite: str, pair: Sequence[str]) -> int | None:
    """The channel on which both carriers of a satellite agree, or None where the observations do not tell."""
    data = observations.data
    signals = [str(s) for s in data["signal"].values]
    place = observations.satellites.index(satellite)
    second_s = (observations.epochs.tai_ns - observations.epochs.tai_ns[0]) / 1e9
    found = set()
    for signal in pair:
        band = "R" + signal[0]
        if band not in GLONASS_FDMA_HZ:
            continue
        k = signals.index(signal)
        channel = _channel_of_carrier(
            second_s,
            data["pseudorange_m"].values[:, place, k],
            data["carrier_phase_cycles"].values[:, place, k],
            band,
        )
        found.add(channel)
    return found.pop() if len(found) == 1 else None


def _channel_of_carrier(
    second_s: FloatArray, code_m: FloatArray, phase_cycles: FloatArray, band: str
) -> int | None:
    """Channel from the cycles of phase (n,) for each metre of code (n,), or None where it is not clear."""
    base_hz, step_hz = GLONASS_FDMA_HZ[band]
    both = np.flatnonzero(np.isfinite(code_m) & np.isfinite(phase_cycles))
    code_step_m = np.diff(code_m[both])
    phase_step_m = np.diff(phase_cycles[both]) * SPEED_OF_LIGHT_M_PER_S / base_hz
    close = np.diff(second_s[both]) < _LONGEST_STEP_S
    difference_m = phase_step_m - code_step_m
    # A channel more lengthens the phase, counted in the wavelength of channel 0, by this share of the code.
    per_channel_m = code_step_m * step_hz / base_hz
    good = close & (np.abs(difference_m) < LARGEST_CHANNEL * np.abs(per_channel_m) + _SLIP_M)
    for _ in range(3):
        if np.count_nonzero(good) < _MINIMUM_STEPS:
            return None
        share = float(np.sum(per_channel_m[good] ** 2))
        if share == 0.0:
            return None
        estimate = float(np.sum(per_channel_m[good] * difference_m[good])) / share
        residual = difference_m - estimate * per_channel_m
        scatter = float(np.sqrt(np.mean(residual[good] ** 2)))
        good &= np.abs(residual) < 4.0 * scatter + 1e-3
    channel = round(estimate)
    sure = abs(estimate - channel) < _FRACTION_LIMIT and scatter / np.sqrt(share) < _SIGMA_LIMIT
    return channel if sure and SMALLEST_CHANNEL <= channel <= LARGEST_CHANNEL else None
