"""Which signals a receiver tracked, satellite by satellite, and whether it is ready for BeiDou-3."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from stations.beidou_generation import day_of, is_bds3
from stations.records import Observations
from stations.signals import BDS3_ONLY_BANDS, BDS3_ONLY_SIGNALS, CARRIER_NAME

# Attributes of RINEX band 7 that are B2b of BeiDou-3 (the others, I, Q and X, are B2I of BeiDou-2 and, on
# BeiDou-3 satellites, B2b as old firmware writes it): RINEX 4.02, table 14.
BDS3_CARRIERS: Final = ("B1C", "B2a", "B2b", "B1I", "B3I")  # BeiDou SIS ICDs of 2017-2020 for civil users


@dataclass(frozen=True)
class Bds3Readiness:
    """What a receiver tracks of BeiDou-3.

    satellites : BeiDou-3 satellites with any observation
    satellites_by_carrier : "B1C" -> satellites on which it was tracked with code and phase
    ready : B1C and B2a, the two carriers of the global signals, tracked together on at least one satellite
    """

    satellites: tuple[str, ...]
    satellites_by_carrier: Mapping[str, tuple[str, ...]]
    ready: bool

    def describe(self) -> str:
        """One sentence for a person."""
        if not self.satellites:
            return "no BeiDou-3 satellite was tracked"
        found = [f"{c} on {len(s)}" for c, s in self.satellites_by_carrier.items() if s]
        carriers = ", ".join(found) if found else "no signal with code and phase"
        return f"{len(self.satellites)} BeiDou-3 satellites: {carriers}"


def carrier_name(system: str, signal: str) -> str:
    """Name of the carrier of a signal, for people: carrier_name("C", "5P") is "B2a".

    Band 7 of BeiDou is named B2b for its BeiDou-3 attributes and B2I for the others.
    """
    if system == "C" and signal[0] == "7":
        return "B2b" if f"{system}{signal}" in BDS3_ONLY_SIGNALS else "B2I"
    return CARRIER_NAME.get(system + signal[0], system + signal[0])


def signals_by_satellite(observations: Observations) -> dict[str, tuple[str, ...]]:
    """Signals with a code or a phase at any epoch: "C23" -> ("C1P", "C2I", "C5P", "C6I")."""
    data = observations.data
    any_epoch = np.isfinite(data["pseudorange_m"].values).any(axis=0)
    any_epoch |= np.isfinite(data["carrier_phase_cycles"].values).any(axis=0)
    signals = [str(s) for s in data["signal"].values]
    tracked = {}
    for row, satellite in zip(any_epoch, observations.satellites, strict=True):
        found = tuple(satellite[0] + s for s, seen in zip(signals, row, strict=True) if seen)
        if found:
            tracked[satellite] = found
    return tracked


def bds3_readiness(observations: Observations) -> Bds3Readiness:
    """Which BeiDou-3 carriers were tracked, with code and phase, on which of its satellites."""
    data = observations.data
    both = np.isfinite(data["pseudorange_m"].values) & np.isfinite(data["carrier_phase_cycles"].values)
    both_any = both.any(axis=0)
    signals = [str(s) for s in data["signal"].values]
    day = day_of(observations.epochs[0])
    seen = tuple(s for s, received in signals_by_satellite(observations).items() if is_bds3(s, day, received))
    by_carrier: dict[str, list[str]] = {c: [] for c in BDS3_CARRIERS}
    for satellite in seen:
        row = both_any[observations.satellites.index(satellite)]
        # On a BeiDou-3 satellite band 7 is B2b whatever the attribute: it sends no B2I.
        carriers = {
            "B2b" if signal[0] == "7" else carrier_name("C", signal)
            for signal, tracked in zip(signals, row, strict=True)
            if tracked
        }
        for carrier in carriers & set(BDS3_CARRIERS):
            by_carrier[carrier].append(satellite)
    together = set(by_carrier["B1C"]) & set(by_carrier["B2a"])
    return Bds3Readiness(seen, {c: tuple(s) for c, s in by_carrier.items()}, bool(together))


def tracks_bds3_only_signals(tracked: Mapping[str, tuple[str, ...]], day: str) -> bool:
    """Whether a signal that only BeiDou-3 sends (B1C, B2a, B2a+b, B2b) was tracked on any satellite.

    tracked : as from `signals_by_satellite`; day : ISO day of the session
    """
    return any(
        signal[:2] in BDS3_ONLY_BANDS or signal in BDS3_ONLY_SIGNALS
        for satellite, signals in tracked.items()
        if is_bds3(satellite, day, signals)
        for signal in signals
    )
