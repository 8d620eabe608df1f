"""Observations from RINEX 2.10-2.12, 3.00-3.05 and 4.00-4.02 files, compressed in any usual way or plain.

Files are decoded by columns, all satellites of a system at once; no step of Python is taken for a single
satellite or value (RINEX 2: one for each epoch). Epochs are integers of nanoseconds from the start.

Phase: RINEX asks since 3.01 that the encoder has applied the shifts listed under SYS / PHASE SHIFT
(RINEX 3.05, section 9.1: the header tells what was applied), so the values are taken as they stand.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from stations.formats.compact_rinex import SKIPPED_EPOCHS_COMMENT
from stations.formats.compression import read_salvaged
from stations.formats.fixed_width import BoolArray, IntArray, TextLines, split_lines
from stations.formats.rinex_damage import LeftOut
from stations.formats.rinex_decoding import CodeNames, SystemObservations, decode_records
from stations.formats.rinex_header import ObservationFileHeader, read_header
from stations.formats.rinex_layout import EventRecord, Layout, find_records, order_of_epochs
from stations.formats.rinex_observation_header_writing import setup_lines
from stations.formats.rinex_observation_slips import read_slips
from stations.formats.rinex_observation_table import observation_table
from stations.formats.rinex_observation_writing import write_observations
from stations.records import (
    InputFile,
    ObservationEvent,
    Observations,
    PathLike,
    check_observations,
)
from transforms.errors import FormatError, InputError
from transforms.time_scales import NANOSECONDS, Epochs, TimeScale

__all__ = ["read_observations", "write_observations"]

# Epochs this near to a multiple of the interval count as on it: receivers that do not steer their clock
# tag epochs up to a millisecond or a few off the full second.
_DECIMATION_TOLERANCE_NS: Final = 5_000_000
_LONG_NAME_LENGTH: Final = 9  # IGS: four letters, marker and receiver number, country
# RINEX 3 counts observation types in three digits and gives each 16 columns: the longest line it can have.
_LONGEST_LINE_BYTES: Final = 3 + 999 * 16
# Damage in Compact RINEX shows an epoch or two after it began (`compact_rinex`); ten leave a wide margin.
_EPOCHS_DISTRUSTED: Final = 10
_HEADER_EVENT: Final = 4

_EVENT_WORDS: Final = {
    1: "power failure between the previous and this epoch",
    2: "antenna starts to move",
    3: "new site occupation",
    4: "header information",
    5: "external event",
    6: "cycle slip records",
}


@dataclass(frozen=True, eq=False)
class _File:
    """One file; `kept` tells which of its epochs are wanted and in order."""

    header: ObservationFileHeader  # in force at the first epoch kept, else at the start
    last_header: ObservationFileHeader
    epoch_tai_ns: IntArray
    kept: BoolArray
    parts: list[SystemObservations]
    events: tuple[ObservationEvent, ...]
    left_out: LeftOut
    identity: InputFile


@dataclass(frozen=True)
class _Wanted:
    systems: frozenset[str] | None
    interval_s: float | None
    first_tai_ns: int | None
    last_tai_ns: int | None

    def epochs(self, reading_ns: IntArray, tai_ns: IntArray) -> BoolArray:
        """Which epochs are in the time span and on the interval."""
        wanted = np.ones(tai_ns.size, dtype=np.bool_)
        if self.first_tai_ns is not None:
            wanted &= tai_ns >= self.first_tai_ns
        if self.last_tai_ns is not None:
            wanted &= tai_ns <= self.last_tai_ns
        if self.interval_s is not None:
            wanted &= _on_interval(reading_ns, self.interval_s)
        return wanted

    def words(self) -> str:
        """What was asked for, to end a sentence with."""
        systems = "" if self.systems is None else f" of the systems {''.join(sorted(self.systems))}"
        span = "" if self.first_tai_ns is None and self.last_tai_ns is None else " in the time span asked for"
        return systems + span

    def has(self, event: ObservationEvent) -> bool:
        """Whether an event is in the time span."""
        epoch = event.after_epoch if event.epoch is None else event.epoch
        if epoch is None:  # before the first epoch of its file: it tells how the file begins
            return True
        tai_ns = int(epoch.tai_ns)
        return (self.first_tai_ns is None or tai_ns >= self.first_tai_ns) and (
            self.last_tai_ns is None or tai_ns <= self.last_tai_ns
        )


def read_observations(
    paths: PathLike | Iterable[PathLike],
    *,
    systems: Iterable[str] | None = None,
    interval_s: float | None = None,
    first: Epochs | None = None,
    last: Epochs | None = None,
    strict: bool = False,
    maximum_bytes: int | None = None,
) -> Observations:
    """Read the observations of one station.

    Parameters
    ----------
    paths : one file or several of the same station (hours or quarters of an hour of a day), in any order
    systems : letters of the systems to take, such as "GEC"; None takes all
    interval_s : take only epochs at multiples of this (within 5 ms) in the files' own time scale; None
        takes all
    first, last : take only epochs from `first` to `last`, both included, shape (); None is open
    strict : make any damage of the files an error
    maximum_bytes : refuse a file that expands to more than this; None takes `maximum_plain_bytes()`

    Returns
    -------
    Observations in GPST whatever time system the files use. Signals have their RINEX 3 names, whatever
    the version (`rinex2_codes`); B1I written as band 1 (RINEX 3.02) is band 2. Values of 0 and blanks are
    missing. `rejections` counts what was not taken over, by reason; `damage` names the lines of what is
    damaged. An epoch that two files give is taken from the one that begins first. Where a later file's
    header tells of other equipment, an event says so.

    Raises
    ------
    FormatError : a file is missing, too large, no observation file, without a readable epoch, broken in a
        header or (with `strict`) damaged anywhere
    InputError : files of several stations; nothing left of the asked systems, interval or time span
    """
    if interval_s is not None and not interval_s > 0.0:
        raise InputError(f"an interval of {interval_s} s was asked for; it must be above 0")
    wanted = _Wanted(
        None if systems is None else frozenset("".join(systems)),
        interval_s,
        None if first is None else int(first.tai_ns),
        None if last is None else int(last.tai_ns),
    )
    files = [
        _read_file(path, wanted, strict=strict, maximum_bytes=maximum_bytes)
        for path in ([paths] if isinstance(paths, str | Path) else list(paths))
    ]
    if not files:
        raise InputError("no observation file was given")
    files.sort(key=lambda f: (int(f.epoch_tai_ns.min()), f.identity.path))
    _require_one_station(files)
    rejections: Counter[str] = Counter()
    for file in files:
        rejections.update(file.left_out.counts)
    rows_of_epochs, tai_ns, overlap = _join_epochs(files)
    rejections["epoch that another file gives too"] += overlap
    events = [e for f in files for e in f.events if wanted.has(e)]
    events = sorted([*events, *_equipment_changes(files)], key=_time_of_event)
    data = observation_table([f.parts for f in files], rows_of_epochs, tai_ns)
    if data.sizes["satellite"] == 0:
        raise InputError(f"{', '.join(str(f.identity.path) for f in files)}: no observations{wanted.words()}")
    check_observations(data)
    with_epochs = [f for f in files if f.kept.any()]
    return Observations(
        data=data,
        header=with_epochs[0].header.station_header(),
        events=tuple(events),
        rejections=dict(sorted((+rejections).items())),
        inputs=tuple(f.identity for f in files),
        damage=tuple(d for f in files for d in f.left_out.damage()),
    )


def _read_file(path: PathLike, wanted: _Wanted, *, strict: bool, maximum_bytes: int | None) -> _File:
    data, identity, damage = read_salvaged(path, maximum_bytes=maximum_bytes)
    left_out = LeftOut(path)
    if damage and strict:
        raise FormatError(path, None, f"the Compact RINEX file is damaged or cut off ({damage})")
    lines = split_lines(data)
    if not data.endswith((b"\n", b"\x1a")):  # some programs of the DOS time end a file with Ctrl-Z
        left_out.damaged("last line without a line end, perhaps cut off", np.array([len(lines) - 1]))
    del data  # the lines hold a copy
    _require_short_lines(lines, path)
    header, first_line = read_header(lines, str(path))
    layout = find_records(lines, first_line, header, left_out)
    kept = _in_order(lines, layout, damage, left_out)
    if not kept.any():
        reasons = ", ".join(f"{n} x {r}" for r, n in left_out.counts.items()) or "nothing follows the header"
        raise FormatError(path, None, f"no epoch of observations could be read ({reasons})")
    last_header = layout.headers[-1]
    left_out.damaged("unreadable header line", np.array(last_header.unread_lines, dtype=np.int64) - 1)
    scale = header.time_scale()
    tai_ns = _tai(layout.epoch_ns, scale)
    kept &= wanted.epochs(layout.epoch_ns, tai_ns)
    parts, code_names = decode_records(lines, layout, wanted.systems, kept, left_out)
    events = tuple(_event(e, lines, layout, tai_ns, scale, code_names, left_out) for e in layout.events)
    if strict:
        left_out.require_none()
    begin = int(layout.epoch_header[np.argmax(kept)]) if kept.any() else 0
    return _File(
        header=layout.headers[begin],
        last_header=last_header,
        epoch_tai_ns=tai_ns,
        kept=kept,
        parts=parts,
        events=events,
        left_out=left_out,
        identity=identity,
    )


def _require_short_lines(lines: TextLines, path: PathLike) -> None:
    if len(lines) and int(lines.length.max()) > _LONGEST_LINE_BYTES:
        line = int(np.argmax(lines.length > _LONGEST_LINE_BYTES))
        found = int(lines.length[line])
        raise FormatError(path, line + 1, f"a line of {found} bytes; RINEX has at most {_LONGEST_LINE_BYTES}")


def _in_order(lines: TextLines, layout: Layout, damage: str, left_out: LeftOut) -> BoolArray:
    """Which epochs increase and stand clear of damage in Compact RINEX."""
    keep, duplicate, misordered = order_of_epochs(layout.epoch_ns)
    left_out.damaged("duplicate epoch", layout.epoch_line[duplicate])
    left_out.damaged("epoch out of order", layout.epoch_line[misordered])
    if damage:
        comment = SKIPPED_EPOCHS_COMMENT.decode()
        marks = [e.line - 1 for e in layout.events if any(comment in line for line in e.header_lines)]
        # The program may also end without a mark: then the damage is at the end.
        for mark in marks or [len(lines)]:
            left_out.damaged(f"Compact RINEX damaged ({damage}), epochs lost", np.array([mark]))
            behind = int(np.searchsorted(layout.epoch_line, mark))
            distrusted = np.arange(max(behind - _EPOCHS_DISTRUSTED, 0), behind)
            distrusted = distrusted[keep[distrusted]]
            keep[distrusted] = False
            left_out.damaged("epoch just before damage of Compact RINEX", layout.epoch_line[distrusted])
    return keep


def _join_epochs(files: Sequence[_File]) -> tuple[list[IntArray], IntArray, int]:
    """Rows of the files' epochs in one table, -1 where not taken; the rows' epochs; how many overlap."""
    tai_ns = np.concatenate([f.epoch_tai_ns for f in files])
    kept = np.flatnonzero(np.concatenate([f.kept for f in files]))
    rows_tai_ns, chosen = np.unique(tai_ns[kept], return_index=True)
    row = np.full(tai_ns.size, -1, dtype=np.int64)
    row[kept[chosen]] = np.arange(chosen.size)
    ends = np.cumsum([f.epoch_tai_ns.size for f in files])[:-1]
    return np.split(row, ends), rows_tai_ns, int(kept.size - chosen.size)


def _equipment_changes(files: Sequence[_File]) -> list[ObservationEvent]:
    """An event where a file's header names other equipment than the file before ended with."""
    events: list[ObservationEvent] = []
    with_epochs = [f for f in files if f.kept.any()]
    for earlier, later in pairwise(with_epochs):
        before, after = earlier.last_header.setup(), later.header.setup()
        if before != after:
            epoch = Epochs(later.epoch_tai_ns[int(np.argmax(later.kept))], TimeScale.GPST)
            words = f"the header of {later.identity.path} names other equipment than the file before"
            events.append(ObservationEvent(epoch, _HEADER_EVENT, words, setup_lines(after), 1, after))
    return events


def _time_of_event(event: ObservationEvent) -> int:
    epoch = event.after_epoch if event.epoch is None else event.epoch
    return -1 if epoch is None else int(epoch.tai_ns)


def _tai(reading_ns: IntArray, scale: TimeScale) -> IntArray:
    return Epochs.from_datetime64(reading_ns.astype("datetime64[ns]"), scale).tai_ns


def _event(
    record: EventRecord,
    lines: TextLines,
    layout: Layout,
    tai_ns: IntArray,
    scale: TimeScale,
    code_names: CodeNames,
    left_out: LeftOut,
) -> ObservationEvent:
    epoch = after_epoch = None
    before = int(np.searchsorted(layout.epoch_line, record.line - 1))
    if record.nanoseconds is None and before > 0:
        after_epoch = Epochs(tai_ns[before - 1], TimeScale.GPST)
    if record.nanoseconds is not None:
        epoch = Epochs(_tai(np.asarray(record.nanoseconds), scale), TimeScale.GPST)
    comments = [line[:60].strip() for line in record.header_lines if line[60:].strip() == "COMMENT"]
    words = _EVENT_WORDS[record.flag] + (f": {'; '.join(c for c in comments if c)}" if any(comments) else "")
    slips = read_slips(lines, record, layout.headers[record.header], code_names, left_out)
    return ObservationEvent(
        epoch, record.flag, words, record.header_lines, record.line, record.setup, after_epoch, slips
    )


def _require_one_station(files: Sequence[_File]) -> None:
    """Refuse files (or events inside them) that name different markers, by name or by number (DOMES)."""
    names: dict[str, str] = {}
    numbers: dict[str, str] = {}
    for file in files:
        path = file.identity.path
        found = [file.header.marker_name]
        found += [
            line[:60].strip()
            for event in file.events
            for line in event.header_lines
            if line[60:].strip() == "MARKER NAME"
        ]
        for name in filter(None, found):
            names.setdefault(name.upper(), f"{name} ({path})")
        if file.header.marker_number:
            number = file.header.marker_number.upper()
            numbers.setdefault(number, f"{file.header.marker_name} {number} ({path})")
    # A nine-character name ("BOR100POL") and the four-character one of the same marker ("BOR1") agree.
    short = {name[:4] if len(name) == _LONG_NAME_LENGTH else name for name in names}
    for different, seen in ((short, names), (set(numbers), numbers)):
        if len(different) > 1:
            raise InputError(f"observations of several stations: {', '.join(seen.values())}")


def _on_interval(reading_ns: IntArray, interval_s: float) -> BoolArray:
    interval_ns = round(interval_s * NANOSECONDS)
    tolerance = min(_DECIMATION_TOLERANCE_NS, interval_ns // 4)
    off = np.mod(reading_ns + tolerance, interval_ns)
    return off <= 2 * tolerance
