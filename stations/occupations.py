"""What the events inside a session mean for its solution: one occupation of the mark, one antenna over it.

RINEX 4.02, table A3, epoch flags: 1 a power failure before the epoch, 2 the antenna starts to move, 3 a new
site occupation (it stands still again), 4 header lines that may name other equipment. A position belongs to
one antenna at one place, so of several occupations the longest is solved, and what is left out is told.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.records import LossOfLock, ObservationEvent, Observations, StationSetup
from transforms.errors import InputError

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

_POWER_FAILURE: Final = 1
_STARTS_TO_MOVE: Final = 2
_NEW_OCCUPATION: Final = 3


@dataclass(frozen=True)
class Occupation:
    """Epochs of a session, [first, stop) as indices, with one setup; moving: the antenna is under way."""

    first: int
    stop: int
    setup: StationSetup
    is_moving: bool
    begun_by: str

    @property
    def n_epochs(self) -> int:
        """How many epochs it has."""
        return self.stop - self.first


def occupations(observations: Observations) -> tuple[Occupation, ...]:
    """The session parted where its events move the antenna, occupy the site anew or change the antenna.

    Equipment that leaves the antenna and its place as they were (receiver, firmware) parts nothing. Parts
    without an epoch are left out.
    """
    epoch_ns = observations.epochs.tai_ns
    setup, is_moving, begun_by, first = observations.header.setup, False, "the header", 0
    found: list[Occupation] = []
    for event in observations.events:
        new_setup = event.setup or setup
        other_antenna = (new_setup.antenna, new_setup.eccentricity_enu_m) != (
            setup.antenna,
            setup.eccentricity_enu_m,
        )
        if event.flag not in (_STARTS_TO_MOVE, _NEW_OCCUPATION) and not other_antenna:
            setup = new_setup
            continue
        begin = _first_epoch_of(event, epoch_ns)
        found.append(Occupation(first, begin, setup, is_moving, begun_by))
        is_moving = event.flag == _STARTS_TO_MOVE or (is_moving and event.flag != _NEW_OCCUPATION)
        setup, first = new_setup, begin
        begun_by = f"line {event.line} ({event.description})"
    found.append(Occupation(first, epoch_ns.size, setup, is_moving, begun_by))
    return tuple(o for o in found if o.n_epochs > 0)


def longest_occupation(observations: Observations, *, may_move: bool) -> tuple[Observations, tuple[str, ...]]:
    """The observations of the longest occupation, and remarks on what of the session was left out.

    may_move : a position for each epoch is asked, so that epochs of a moving antenna serve too, each moving
        stretch as an occupation of its own

    Phases are marked as having lost lock where the power failed. Raises InputError where the antenna moves
    during the whole session and may not.
    """
    parts = occupations(observations)
    eligible = [p for p in parts if may_move or not p.is_moving]
    if not eligible:
        raise InputError(
            "the antenna moves during the whole session (epoch flag 2): a static position cannot be solved; "
            "ask for a position at each epoch instead"
        )
    chosen = max(eligible, key=lambda p: p.n_epochs)
    remarks: list[str] = []
    if len(parts) > 1:
        others = "; ".join(
            f"{p.n_epochs} epochs {'of a moving antenna ' if p.is_moving else ''}from {p.begun_by}"
            for p in parts
            if p is not chosen
        )
        remarks.append(
            f"events part the session: solved are the {chosen.n_epochs} epochs from {chosen.begun_by}, "
            f"antenna {chosen.setup.antenna.name} {chosen.setup.antenna.radome}; left out are {others}"
        )
    observations, failure_remarks = _with_power_failures(observations)
    if chosen.n_epochs < len(observations.epochs):
        observations = replace(
            observations,
            data=observations.data.isel(epoch=slice(chosen.first, chosen.stop)),
            header=replace(observations.header, setup=chosen.setup),
        )
    return observations, tuple(remarks) + failure_remarks


def _first_epoch_of(event: ObservationEvent, epoch_ns: IntArray) -> int:
    """Index of the first epoch that an event applies to."""
    if event.epoch is not None:
        return int(np.searchsorted(epoch_ns, int(event.epoch.tai_ns), side="left"))
    if event.after_epoch is not None:
        return int(np.searchsorted(epoch_ns, int(event.after_epoch.tai_ns), side="right"))
    return 0


def _with_power_failures(observations: Observations) -> tuple[Observations, tuple[str, ...]]:
    """Every phase that follows a power failure first is marked as having lost lock."""
    failures = [e for e in observations.events if e.flag == _POWER_FAILURE]
    if not failures:
        return observations, ()
    epoch_ns = observations.epochs.tai_ns
    tracked: BoolArray = np.isfinite(observations.data["carrier_phase_cycles"].values)
    lost = observations.data["loss_of_lock"].values.copy()
    for event in failures:
        begin = _first_epoch_of(event, epoch_ns)
        if begin == epoch_ns.size:
            continue
        first = begin + np.argmax(tracked[begin:], axis=0)
        satellite, signal = np.nonzero(tracked[begin:].any(axis=0))
        lost[first[satellite, signal], satellite, signal] |= LossOfLock.LOST
    data = observations.data.assign(loss_of_lock=(observations.data["loss_of_lock"].dims, lost))
    word = "power failure" if len(failures) == 1 else "power failures"
    return replace(observations, data=data), (
        f"{len(failures)} {word} in the session, new ambiguities behind each",
    )
