"""Which codes have no multipath, or have it by another signal's phase, and why: in words."""

from collections.abc import Mapping, Sequence

import numpy as np

from stations.quality.multipath import SHORTEST_ARC
from stations.quality.signal_pairs import observed_counts
from stations.quality_records import SignalDetails
from stations.records import Observations


def multipath_remarks(
    observations: Observations, signals: Sequence[SignalDetails], lenders: Mapping[str, str]
) -> list[str]:
    """A sentence for the codes that were told by another signal's phase, and one for each cause of none.

    observations : with the phases lent; lenders : borrower -> lender
    """
    remarks = [
        f"{borrower} has no phase of its own: its multipath is told by the phase of {lender}"
        for borrower, lender in lenders.items()
    ]
    without: dict[str, list[str]] = {}
    codeless = _codeless(observations, signals)
    for signal in signals:
        if signal.multipath_rms_m is None and signal.signal not in codeless:
            without.setdefault(_cause(observations, signal), []).append(signal.signal)
    return remarks + [f"no multipath of {', '.join(names)}: {cause}" for cause, names in without.items()]


def _codeless(observations: Observations, signals: Sequence[SignalDetails]) -> set[str]:
    """Signals of which there is phase alone: they have no code whose multipath could be missed."""
    names = [str(s) for s in observations.data["signal"].values]
    has_code = np.isfinite(observations.data["pseudorange_m"].values).any(axis=0)
    system = np.array([s[0] for s in observations.satellites])
    return {s.signal for s in signals if not has_code[system == s.signal[0], names.index(s.signal[1:])].any()}


def _cause(observations: Observations, signal: SignalDetails) -> str:
    system, name = signal.signal[0], signal.signal[1:]
    counts, _ = observed_counts(observations, system)
    if name not in counts:
        return "no phase on its carrier"
    if not signal.partner:
        return "no second carrier with code and phase to free it of the ionosphere"
    if system == "R" and not observations.header.glonass_channels:
        return "the frequency channels of the satellites are unknown"
    return f"no arc of {SHORTEST_ARC} epochs with both phases"
