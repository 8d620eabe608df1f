"""What RINEX 2 can carry of observations: one file-wide record turned into another, nothing lost in silence.

RINEX 2 knows a band and whether a code is P or C/A, and no channels (`rinex2_codes`). Of several channels
that share a type (C5I and C5Q) the one with the most observations is taken. Where two signals of a band
share their phase's type (2.11: L1 of C/A and of P), the phase is that of the signal which its reader will
take it for. BeiDou and QZSS are left out of 2.11, which does not know them, and written as 2.12, whose types
for Compass (C2, C7, C6 for B1I, B2I, B3I) are what programs read; B1C, B2a and B2b are in neither.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from stations.formats.fixed_width import IntArray
from stations.formats.rinex2_codes import (
    RINEX2_SIGNALS,
    Rinex2Signal,
    prior_signals,
    rinex2_type,
    rinex3_code,
)
from stations.formats.rinex_observation_fields import LETTERS
from stations.records import (
    OBSERVATION_VARIABLES,
    LossOfLock,
    ObservationEvent,
    Observations,
    StationHeader,
)
from transforms.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_COMPACT: Final = "Compact RINEX 1"
_DIMENSIONS: Final = ("epoch", "satellite", "signal")


@dataclass(frozen=True)
class _Carried:
    """One observable of one system: where it comes from and the signal's name that it is given."""

    letter: str
    source: int
    name: str


def carried_by_rinex2(observations: Observations, version: str, *, compact: bool = False) -> Observations:
    """The observations as a reader of the RINEX 2 file will see them; given them, it changes nothing.

    version : "2.11" or "2.12"
    compact : as Compact RINEX 1, whose program knows no cycle slip records and no indicators of blank values

    What is left out is added to `rejections`, as "value of G L2L, which RINEX 2.11 cannot carry".
    Raises InputError where nothing can be carried.
    """
    known = RINEX2_SIGNALS[version]
    data = observations.data
    lost: Counter[str] = Counter()
    carried: dict[str, list[_Carried]] = {}
    for system in sorted({s[0] for s in observations.satellites}):
        rows = [j for j, s in enumerate(observations.satellites) if s[0] == system]
        part = data.isel(satellite=rows)
        carried[system] = _carried(part, system, known.get(system, ()))
        _count_lost(part, system, carried[system], version, lost)
    satellites = [s for s in observations.satellites if carried[s[0]]]
    if not satellites:
        raise InputError(f"RINEX {version} can carry none of these observations")
    header = _header(observations.header, version, lost)
    events = tuple(_event(e, carried, data, version, lost) for e in observations.events)
    was_version_2 = observations.header.rinex_version.startswith("2")
    table = _table(data, satellites, carried, keep_last_bit=was_version_2)
    if compact:
        table = _without_lone_indicators(table, lost)
        lost[f"cycle slip, which {_COMPACT} cannot carry"] += sum(len(e.slips) for e in events)
        events = tuple(replace(e, slips=()) for e in events)
    rejections = dict(sorted((Counter(observations.rejections) + lost).items()))
    return replace(observations, data=table, header=header, events=events, rejections=rejections)


def _carried(part: "xr.Dataset", system: str, known: Sequence[Rinex2Signal]) -> list[_Carried]:
    """What one system's observations become."""
    signals = [str(s) for s in part["signal"].values]
    counts = {letter: _counts(part, letter) for letter in LETTERS}
    total = np.sum(list(counts.values()), axis=0)
    chosen: dict[str, int] = {}
    for target in known:
        places = [signals.index(s) for s in target.sources if s in signals]
        if places and max(total[places]) > 0:
            chosen[target.name] = max(places, key=lambda k: int(total[k]))  # the first of equals
    with_code = {name for name, k in chosen.items() if counts["C"][k] > 0}
    prior = {signal.name for signal in prior_signals(tuple(known), with_code, chosen)}
    found: list[tuple[_Carried, str]] = []
    for target in known:
        for letter in LETTERS:
            k = chosen.get(target.name)
            if k is not None and counts[letter][k] > 0 and (letter == "C" or target.name in prior):
                found.append((_Carried(letter, k, target.name), rinex2_type(target, letter)))
    types = [kind for _, kind in found]
    return [c for c, kind in found if rinex3_code(system, kind, types) == c.letter + c.name]


def _counts(part: "xr.Dataset", letter: str) -> IntArray:
    name = LETTERS[letter]
    if name not in part:
        return np.zeros(part.sizes["signal"], dtype=np.int64)
    return np.asarray(np.isfinite(part[name].values).sum(axis=(0, 1)), dtype=np.int64)


def _count_lost(
    part: "xr.Dataset", system: str, carried: Sequence[_Carried], version: str, lost: Counter[str]
) -> None:
    taken = {(c.letter, c.source) for c in carried}
    for letter in LETTERS:
        counts = _counts(part, letter)
        for k, signal in enumerate(part["signal"].values):
            if (letter, k) not in taken and counts[k]:
                lost[f"value of {system} {letter}{signal}, which RINEX {version} cannot carry"] += int(
                    counts[k]
                )


def _table(
    data: "xr.Dataset", satellites: list[str], carried: dict[str, list[_Carried]], *, keep_last_bit: bool
) -> "xr.Dataset":
    names = sorted({c.name for items in carried.values() for c in items})
    shape = (data.sizes["epoch"], len(satellites), len(names))
    tables: dict[str, NDArray[np.generic]] = {
        name: np.full(shape, np.nan if np.issubdtype(kind, np.floating) else 0, dtype=kind)
        for name, kind in OBSERVATION_VARIABLES.items()
        if name in data
    }
    old = {str(s): j for j, s in enumerate(data["satellite"].values)}
    for system, items in carried.items():
        into = [j for j, s in enumerate(satellites) if s[0] == system]
        source = [old[satellites[j]] for j in into]
        for item in items:
            k = names.index(item.name)
            variables = [LETTERS[item.letter]]
            if item.letter == "L":
                variables += ["loss_of_lock", "signal_strength"]
            elif item.letter == "C" and "L" not in {c.letter for c in items if c.name == item.name}:
                variables += ["signal_strength"]
            for name in variables:
                if name in tables:
                    tables[name][:, into, k] = data[name].values[:, source, item.source]
    if not keep_last_bit:  # RINEX 2 says anti-spoofing with the bit that RINEX 3 has for BOC tracking
        lock = tables["loss_of_lock"].astype(np.uint8)
        tables["loss_of_lock"] = lock & np.uint8(~LossOfLock.BOC_TRACKING & 0xFF)
    told = np.zeros(len(satellites), dtype=np.bool_)
    for name, table in tables.items():
        there = np.isfinite(table) if OBSERVATION_VARIABLES[name] is not np.uint8 else table != 0
        told |= there.any(axis=(0, 2))
    import xarray as xr  # half a second, of which a file that cannot be read has no need

    return xr.Dataset(
        {name: (_DIMENSIONS, table[:, told]) for name, table in tables.items()},
        coords={
            "epoch": data["epoch"].values,
            "satellite": np.array(satellites, dtype="<U3")[told],
            "signal": np.array(names, dtype="<U2"),
        },
    )


def _without_lone_indicators(table: "xr.Dataset", lost: Counter[str]) -> "xr.Dataset":
    """Indicators only where a value stands before them."""
    phase = np.isfinite(table["carrier_phase_cycles"].values)
    for name, there in (
        ("loss_of_lock", phase),
        ("signal_strength", phase | np.isfinite(table["pseudorange_m"].values)),
    ):
        if name in table:
            values = table[name].values
            lost[f"{name.replace('_', ' ')} of a blank value, which {_COMPACT} cannot carry"] += int(
                np.count_nonzero(values[~there])
            )
            table = table.assign({name: (_DIMENSIONS, np.where(there, values, 0).astype(np.uint8))})
    return table


def _header(header: StationHeader, version: str, lost: Counter[str]) -> StationHeader:
    """Without the records that came with RINEX 3, and under a version that says what its bits mean."""
    for words, found in (
        ("GLONASS frequency channel", header.glonass_channels),
        ("GLONASS code-phase bias", header.glonass_biases_m),
        ("phase shift", header.phase_shifts_cycles),
    ):
        if found:
            lost[f"{words} of the header, which RINEX {version} cannot carry"] += len(found)
    return replace(
        header, glonass_channels={}, glonass_biases_m={}, phase_shifts_cycles={}, rinex_version=version
    )


def _event(
    event: ObservationEvent,
    carried: dict[str, list[_Carried]],
    data: "xr.Dataset",
    version: str,
    lost: Counter[str],
) -> ObservationEvent:
    """The event with the cycle slips of those observables that are carried, under their names."""
    signals = [str(s) for s in data["signal"].values]
    kept = []
    for slip in event.slips:
        names = [
            c.letter + c.name
            for c in carried.get(slip.satellite[0], [])
            if c.letter + signals[c.source] == slip.code
        ]
        if names:
            kept.append(replace(slip, code=names[0]))
        else:
            lost[f"cycle slip of {slip.satellite[0]} {slip.code}, which RINEX {version} cannot carry"] += 1
    return replace(event, slips=tuple(kept))
