"""Which signals of a station make dual-frequency pairs, and their frequencies satellite by satellite."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.records import Observations
from stations.signals import carrier_frequency_hz

FloatArray = NDArray[np.float64]

# Pairs of RINEX bands in the order in which the field prefers them (RINEX 4.02, tables 9-16 for the bands).
BAND_PAIRS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "G": (("1", "2"), ("1", "5")),
    "R": (("1", "2"), ("1", "3")),
    "E": (("1", "5"), ("1", "7")),
    "C": (("2", "6"), ("1", "5"), ("2", "7")),
    "J": (("1", "2"), ("1", "5")),
    "S": (("1", "5"),),
    "I": (("5", "9"),),
}


@dataclass(frozen=True, order=True)
class SignalPair:
    """Two signals of one system on different carriers: SignalPair("C", "1P", "5P") is B1C with B2a."""

    system: str
    first: str
    second: str

    def __str__(self) -> str:
        return f"{self.system}:{self.first}+{self.second}"


def satellite_names(observations: Observations, columns: NDArray[np.int64]) -> tuple[str, ...]:
    """Names of some of the observations' satellites."""
    return tuple(str(name) for name in observations.data["satellite"].values[columns])


def observed_counts(observations: Observations, system: str) -> tuple[dict[str, int], NDArray[np.bool_]]:
    """Observations with code and phase of each signal of a system, and the mask of all.

    Returns signal -> count (signals never observed are left out), and a mask
    (n_epoch, n_satellite of the system, n_signal).
    """
    data = observations.data
    index = [i for i, s in enumerate(observations.satellites) if s[0] == system]
    both = np.isfinite(data["carrier_phase_cycles"].values[:, index, :])
    both &= np.isfinite(data["pseudorange_m"].values[:, index, :])
    counts = both.sum(axis=(0, 1))
    signals = [str(s) for s in data["signal"].values]
    return {s: int(n) for s, n in zip(signals, counts, strict=True) if n > 0}, both


def signal_pairs(observations: Observations) -> tuple[SignalPair, ...]:
    """For each system and pair of bands the two signals most often observed together, code and phase.

    Equal counts: the first in alphabetical order. Pairs never observed together are left out.
    """
    signals = [str(s) for s in observations.data["signal"].values]
    pairs = []
    for system in sorted({s[0] for s in observations.satellites}):
        counts, both = observed_counts(observations, system)
        for band_1, band_2 in BAND_PAIRS.get(system, ()):
            best: tuple[int, SignalPair] | None = None
            ones = sorted(s for s in counts if s[0] == band_1)
            twos = sorted(s for s in counts if s[0] == band_2)
            for one, two in product(ones, twos):
                together = int((both[:, :, signals.index(one)] & both[:, :, signals.index(two)]).sum())
                if together > 0 and (best is None or together > best[0]):
                    best = (together, SignalPair(system, one, two))
            if best is not None:
                pairs.append(best[1])
    return tuple(pairs)


def pairs_for_the_rest(observations: Observations, pairs: Sequence[SignalPair]) -> tuple[SignalPair, ...]:
    """A pair for each signal, with code and phase, that takes part in none of `pairs`.

    Its partner is the signal of another band most often observed in its system among those in `pairs`;
    a signal whose system has no such partner is left out.
    """
    found = []
    for system in sorted({p.system for p in pairs}):
        taken = {s for p in pairs if p.system == system for s in (p.first, p.second)}
        counts, _ = observed_counts(observations, system)
        for signal in sorted(set(counts) - taken):
            partners = [s for s in taken if s[0] != signal[0]]
            if partners:
                partner = max(sorted(partners), key=lambda s: counts[s])
                found.append(SignalPair(system, signal, partner))
    return tuple(found)


def with_phases_lent(observations: Observations) -> tuple[Observations, dict[str, str]]:
    """The same with a phase for each code that has none of its own: another signal's of the same carrier.

    The phases of one carrier differ by a constant, which the arcs' means take off, so that a code's multipath
    may be told by any of them. The lender is the signal whose phase stands beside the code most often (equal
    counts: the first in alphabetical order). For multipath alone: a lent phase is no observation.

    Returns the observations and borrower -> lender ({"G1W": "G1C"}); a code without a lender is not in it.
    """
    data = observations.data
    signals = [str(s) for s in data["signal"].values]
    phase = data["carrier_phase_cycles"].values
    has_code = np.isfinite(data["pseudorange_m"].values)
    has_phase = np.isfinite(phase)
    lenders: dict[str, str] = {}
    places: list[tuple[NDArray[np.int64], int, int]] = []
    for system in sorted({s[0] for s in observations.satellites}):
        index = np.array([i for i, s in enumerate(observations.satellites) if s[0] == system], dtype=np.int64)
        for number, signal in enumerate(signals):
            code = has_code[:, index, number]
            if not code.any() or (code & has_phase[:, index, number]).any():
                continue
            together = {
                other: int((code & has_phase[:, index, k]).sum())
                for k, other in enumerate(signals)
                if other[0] == signal[0] and other != signal
            }
            lender = max(sorted(together), key=lambda s: together[s], default=None)
            if lender is not None and together[lender] > 0:
                lenders[system + signal] = system + lender
                places.append((index, number, signals.index(lender)))
    if not places:
        return observations, lenders
    lent = {name: data[name].values.copy() for name in ("carrier_phase_cycles", "loss_of_lock")}
    for index, number, k in places:
        for values in lent.values():
            values[:, index, number] = values[:, index, k]
    filled = data.assign({name: (data[name].dims, values) for name, values in lent.items()})
    return replace(observations, data=filled), lenders


def frequency_by_satellite_hz(
    satellites: Sequence[str], signal: str, glonass_channels: Mapping[str, int]
) -> FloatArray:
    """Carrier frequency of a signal on each satellite, Hz, shape (n_satellite,).

    NaN where a GLONASS satellite has no known channel; raises KeyError for a band that a system lacks.
    """
    values = []
    for satellite in satellites:
        band = satellite[0] + signal[0]
        channel = glonass_channels.get(satellite)
        unknown = band in {"R1", "R2"} and channel is None
        values.append(np.nan if unknown else carrier_frequency_hz(band, channel))
    return np.array(values, dtype=np.float64)
