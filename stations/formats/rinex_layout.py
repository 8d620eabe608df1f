"""Where the records of a RINEX observation file are: epochs, events and satellite records, by line number.

RINEX 3 and 4 mark an epoch with ">" and give a satellite one line, so that all is found at once. RINEX 2
has no mark: the file is walked from epoch to epoch (one step for each epoch, none for its satellites).
"""

import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.formats.calendar_fields import calendar_nanoseconds
from stations.formats.fixed_width import BoolArray, ByteArray, IntArray, TextLines, parse_integers
from stations.formats.rinex_damage import LeftOut
from stations.formats.rinex_header import ObservationFileHeader, update_header
from stations.records import StationSetup
from transforms.errors import FormatError

# Columns from 0. RINEX 3.05, table A3; RINEX 2.11, table A2.
_EPOCH_COLUMNS_V3: Final = ((2, 4), (7, 2), (10, 2), (13, 2), (16, 2), (18, 11))
_FLAG_COLUMN_V3: Final = 31
_COUNT_COLUMNS_V3: Final = (32, 3)
_WIDTH_V3: Final = 35
_EPOCH_COLUMNS_V2: Final = ((1, 2), (4, 2), (7, 2), (10, 2), (13, 2), (15, 11))
_FLAG_COLUMN_V2: Final = 28
_WIDTH_V2: Final = 32
_SATELLITES_COLUMN_V2: Final = 32
_SATELLITES_IN_LINE_V2: Final = 12
_TYPES_IN_LINE_V2: Final = 5
_EPOCH_LINE_V2: Final = re.compile(
    rb"( [ \d]\d [ \d]\d [ \d]\d [ \d]\d [ \d]\d[ \d][ \d]\d\.[\d ]{7}| {26})"
    rb"  (?P<flag>[0-6])(?P<count>  \d| \d\d|\d\d\d)"
)
_CENTURY_PIVOT: Final = 80  # RINEX 2.11, section 6.5: 80-99 is 1980-1999, 00-79 is 2000-2079

OBSERVATION_FLAGS: Final = (0, 1)
_SLIP_FLAG: Final = 6  # records in the form of observations, that tell cycle slips and no observations
_HEADER_FLAGS: Final = (2, 3, 4, 5)

# A header inside the file that cannot be read may have told how the records after it are laid out.
_LAYOUT_LABELS: Final = (
    "SYS / # / OBS TYPES",
    "# / TYPES OF OBSERV",
    "SYS / SCALE FACTOR",
    "WAVELENGTH FACT L1/2",
)

UNREADABLE_EPOCH: Final = "unreadable epoch record"
UNREADABLE_EVENT: Final = "event with a header line that cannot be read"
INCOMPLETE_EVENT: Final = "event with fewer lines than announced"
UNTRUSTED_EPOCH: Final = "epoch behind observation types or factors that cannot be read"
INCOMPLETE_EPOCH: Final = "epoch with fewer satellite lines than announced"
STRAY_LINES: Final = "line outside any epoch"


@dataclass(frozen=True, eq=False)
class EventRecord:
    """An epoch record with a flag above 0: the time in the file's scale (None where blank), and its lines.

    line : its number (from 1); content, count : first line (from 0) and number of the lines or satellites
        that follow it; header : index of the header in force
    setup : the equipment, where this event changes it
    """

    nanoseconds: int | None
    flag: int
    header_lines: tuple[str, ...]
    line: int
    content: int
    count: int
    header: int
    setup: StationSetup | None = None


@dataclass(frozen=True, eq=False)
class Layout:
    """Records found in one file.

    epoch_ns : (n_epoch,) readings in the file's scale of the epochs with observations, in the file's order
    epoch_line, epoch_header : (n_epoch,) line (from 0) of the epoch record, and index into headers
    record_line : (n_record,) line (from 0) of each satellite's first observation line
    record_epoch : (n_record,) index into epoch_ns
    record_header : (n_record,) index into headers
    satellite : (n_record, 3) bytes of its name
    headers : the header at the start, and after each change inside the file
    """

    epoch_ns: IntArray
    epoch_line: IntArray
    epoch_header: IntArray
    record_line: IntArray
    record_epoch: IntArray
    record_header: IntArray
    satellite: ByteArray
    headers: tuple[ObservationFileHeader, ...]
    events: tuple[EventRecord, ...]


@dataclass(frozen=True, eq=False)
class _EpochLines:
    """All epoch records, readable or not, in the file's order; each field has shape (n,)."""

    line: IntArray
    flag: IntArray
    count: IntArray
    nanoseconds: IntArray
    blank_time: BoolArray
    bad: BoolArray
    content: IntArray  # first line after the epoch record (and its continuation lines)
    enough: BoolArray  # all announced lines are there


def find_records(
    lines: TextLines, first_line: int, header: ObservationFileHeader, left_out: LeftOut
) -> Layout:
    """Find all records from `first_line` (from 0) on; what is damaged goes into `left_out`.

    A broken header inside is damage too, and where it would tell of the layout of what follows, nothing that
    follows is taken.
    """
    if header.major == 2:
        epochs, headers, header_from = _walk_version_2(lines, first_line, header, left_out)
    else:
        epochs = _find_version_3(lines, first_line, left_out)
        headers, header_from = _header_changes(lines, epochs, header, left_out)
    events = _events(lines, epochs, headers, header_from)
    observing = np.isin(epochs.flag, OBSERVATION_FLAGS) & ~epochs.bad & ~epochs.blank_time
    left_out.damaged(INCOMPLETE_EPOCH, epochs.line[observing & ~epochs.enough])
    timeless = np.isin(epochs.flag, OBSERVATION_FLAGS) & epochs.blank_time & ~epochs.bad
    left_out.damaged(UNREADABLE_EPOCH, epochs.line[timeless])
    taken = np.flatnonzero(observing & epochs.enough)
    count = epochs.count[taken]
    record_epoch = np.repeat(np.arange(taken.size), count)
    ordinal = np.arange(record_epoch.size) - np.repeat(np.cumsum(count) - count, count)
    epoch_header = np.searchsorted(header_from, epochs.line[taken], side="right") - 1
    record_header = epoch_header[record_epoch]
    if header.major == 2:
        name_line = epochs.line[taken][record_epoch] + ordinal // _SATELLITES_IN_LINE_V2
        column = _SATELLITES_COLUMN_V2 + 3 * (ordinal % _SATELLITES_IN_LINE_V2)
        satellite = _bytes_at(lines, name_line, column, 3)
        per_satellite = np.array([_lines_per_satellite(h) for h in headers])[record_header]
        record_line = epochs.content[taken][record_epoch] + ordinal * per_satellite
    else:
        record_line = epochs.content[taken][record_epoch] + ordinal
        satellite = lines.block(record_line, 0, 3)
    return Layout(
        epoch_ns=epochs.nanoseconds[taken],
        epoch_line=epochs.line[taken],
        epoch_header=np.asarray(epoch_header, dtype=np.int64),
        record_line=record_line.astype(np.int64),
        record_epoch=record_epoch.astype(np.int64),
        record_header=np.asarray(record_header, dtype=np.int64),
        satellite=satellite,
        headers=headers,
        events=events,
    )


def _bytes_at(lines: TextLines, line: IntArray, column: IntArray, width: int) -> ByteArray:
    """Bytes of varying columns, spaces beyond a line's end."""
    offset = column[:, None] + np.arange(width)
    inside = offset < lines.length[line][:, None]
    place = np.where(inside, lines.start[line][:, None] + offset, 0)
    return np.where(inside, lines.data[place], np.uint8(32)).astype(np.uint8)


def _find_version_3(lines: TextLines, first_line: int, left_out: LeftOut) -> _EpochLines:
    marked = np.flatnonzero(lines.first_bytes() == ord(">"))
    line = marked[marked >= first_line]
    block = lines.block(line, 0, _WIDTH_V3)
    nanoseconds, bad_time = calendar_nanoseconds(block, _EPOCH_COLUMNS_V3)
    flag = block[:, _FLAG_COLUMN_V3].astype(np.int64) - ord("0")
    begin, width = _COUNT_COLUMNS_V3
    count, bad_count = parse_integers(block[:, begin : begin + width])
    blank = (block[:, 2:29] == 32).all(axis=1)
    unknown = (flag < 0) | (flag > _SLIP_FLAG) | bad_count | (count < 0)
    unknown |= bad_time & ~(blank & np.isin(flag, _HEADER_FLAGS))
    left_out.damaged(UNREADABLE_EPOCH, line[unknown])
    # The last lines may be blank; they belong to nothing.
    filled = np.flatnonzero(lines.length > 0)
    n_lines = int(filled[-1]) + 1 if filled.size else 0
    following = np.append(line[1:], n_lines) - line - 1
    surplus = np.where(unknown, 0, np.maximum(following - count, 0))
    ordinal = np.arange(surplus.sum()) - np.repeat(np.cumsum(surplus) - surplus, surplus)
    left_out.damaged(STRAY_LINES, np.repeat(line + 1 + count, surplus) + ordinal)
    if line.size:
        before = np.arange(first_line, line[0])
        left_out.damaged(STRAY_LINES, before[lines.length[before] > 0])
    return _EpochLines(line, flag, count, nanoseconds, blank, unknown, line + 1, following >= count)


def _header_changes(
    lines: TextLines, epochs: _EpochLines, header: ObservationFileHeader, left_out: LeftOut
) -> tuple[tuple[ObservationFileHeader, ...], IntArray]:
    """Headers in force, and the line from which each is; broken events become bad ones."""
    headers, since = [header], [0]
    for i in np.flatnonzero((epochs.flag > 1) & ~epochs.bad & (epochs.count > 0)):
        line, begin = int(epochs.line[i]), int(epochs.content[i])
        end = int(epochs.line[i + 1]) if i + 1 < epochs.line.size else len(lines)
        stop = min(begin + int(epochs.count[i]), end)
        if epochs.flag[i] == _SLIP_FLAG:
            changed: ObservationFileHeader | None = headers[-1] if epochs.enough[i] else None
            if changed is None:
                left_out.damaged(INCOMPLETE_EVENT, np.array([line]))
        else:
            changed = _changed_header(lines, line, begin, stop, bool(epochs.enough[i]), headers[-1], left_out)
        if changed is None:
            epochs.bad[i] = True
            if epochs.flag[i] != _SLIP_FLAG and _tells_layout(lines, begin, stop):
                behind = np.arange(epochs.bad.size) > i
                left_out.damaged(UNTRUSTED_EPOCH, epochs.line[behind & ~epochs.bad])
                epochs.bad[behind] = True
                break
        elif changed != headers[-1]:
            headers.append(changed)
            since.append(line)
    return tuple(headers), np.array(since, dtype=np.int64)


def _changed_header(
    lines: TextLines,
    line: int,
    begin: int,
    stop: int,
    enough: bool,
    header: ObservationFileHeader,
    left_out: LeftOut,
) -> ObservationFileHeader | None:
    """The header after the event at `line` with the header lines begin..stop-1, None where it is broken."""
    if not enough:
        left_out.damaged(INCOMPLETE_EVENT, np.array([line]))
        return None
    try:
        return update_header(header, [(n + 1, lines.text(n)) for n in range(begin, stop)], left_out.path)
    except FormatError as error:
        left_out.damaged(UNREADABLE_EVENT, np.array([(error.line or line + 1) - 1]))
        return None


def _tells_layout(lines: TextLines, begin: int, stop: int) -> bool:
    return any(lines.text(n)[60:].strip() in _LAYOUT_LABELS for n in range(begin, stop))


def _lines_per_satellite(header: ObservationFileHeader) -> int:
    return -(-len(header.codes[""]) // _TYPES_IN_LINE_V2)


def _walk_version_2(
    lines: TextLines, first_line: int, header: ObservationFileHeader, left_out: LeftOut
) -> tuple[_EpochLines, tuple[ObservationFileHeader, ...], IntArray]:
    headers, since = [header], [0]
    per_satellite = _lines_per_satellite(header)
    text = lines.data.tobytes()
    start = lines.start
    # In an epoch line the decimal point of the seconds stands in column 19, where no observation has one:
    # an epoch line before all announced lines have come means that lines are missing.
    marks = np.flatnonzero((lines.data[start + 18] == ord(".")) & (lines.length > 18)).tolist()
    filled = np.flatnonzero(lines.length > 0)
    n_lines = int(filled[-1]) + 1 if filled.size else 0
    unreadable: list[int] = []
    found: list[tuple[int, int, int, int, bool]] = []  # line, flag, count, first content line, all there
    current = first_line
    lost = False  # searching for the next epoch after something unreadable
    while current < n_lines:
        begin = int(start[current])
        match = _EPOCH_LINE_V2.match(text, begin, begin + _WIDTH_V2)
        if match is None:
            if not lost and lines.length[current] > 0:
                unreadable.append(current)
                lost = True
            current += 1
            continue
        lost = False
        flag, count = int(match["flag"]), int(match["count"])
        if flag in _HEADER_FLAGS:
            content, size = current + 1, count
        else:
            content = current + max(-(-count // _SATELLITES_IN_LINE_V2), 1)
            size = count * per_satellite
        # The last satellite's lines may be blank, and then the last lines of the text are.
        enough = content + size <= max(n_lines, len(lines))
        following = bisect_left(marks, current + 1)
        cut_short = following < len(marks) and marks[following] < content + size
        if cut_short and flag in _HEADER_FLAGS:  # a header line may hold a point there too
            cut_short = _is_epoch_line(text, int(start[marks[following]]))
        enough = enough and not cut_short
        after = marks[following] if cut_short else content + size
        changed: ObservationFileHeader | None = headers[-1]
        if flag in _HEADER_FLAGS and count > 0:
            stop = min(after, n_lines)
            changed = _changed_header(lines, current, content, stop, enough, headers[-1], left_out)
            if changed is None and _tells_layout(lines, content, stop):
                behind = [m for m in marks[following:] if _is_epoch_line(text, int(start[m]))]
                left_out.damaged(UNTRUSTED_EPOCH, np.array(behind, dtype=np.int64))
                break
        elif flag == _SLIP_FLAG and not enough:
            left_out.damaged(INCOMPLETE_EVENT, np.array([current]))
            changed = None
        current, line = after, current
        if changed is None:
            continue
        found.append((line, flag, count, content, enough))
        if changed != headers[-1]:
            headers.append(changed)
            since.append(line)
            per_satellite = _lines_per_satellite(changed)
    table = np.array(found, dtype=np.int64).reshape(-1, 5)
    block = lines.block(table[:, 0], 0, _WIDTH_V2)
    nanoseconds, bad = calendar_nanoseconds(_four_digit_year(block), _shifted_columns_v2())
    blank = (block[:, :26] == 32).all(axis=1)
    bad &= ~(blank & np.isin(table[:, 1], _HEADER_FLAGS))
    left_out.damaged(UNREADABLE_EPOCH, np.concatenate([np.array(unreadable, dtype=np.int64), table[bad, 0]]))
    epochs = _EpochLines(
        line=table[:, 0],
        flag=table[:, 1],
        count=table[:, 2],
        nanoseconds=nanoseconds,
        blank_time=blank & ~bad,
        bad=bad,
        content=table[:, 3],
        enough=table[:, 4].astype(np.bool_),
    )
    return epochs, tuple(headers), np.array(since, dtype=np.int64)


def _is_epoch_line(text: bytes, begin: int) -> bool:
    return _EPOCH_LINE_V2.match(text, begin, begin + _WIDTH_V2) is not None


def _four_digit_year(block: ByteArray) -> ByteArray:
    """The block with the century's two digits set before it."""
    year, _ = parse_integers(block[:, 1:3])
    century = np.where(
        (year >= _CENTURY_PIVOT)[:, None], np.frombuffer(b"19", np.uint8), np.frombuffer(b"20", np.uint8)
    )
    padded = block.copy()
    # A year below 10 may be written with a blank; here it needs its zero.
    padded[:, 1] = np.where(padded[:, 1] == 32, np.uint8(48), padded[:, 1])
    return np.concatenate([century.astype(np.uint8), padded[:, 1:]], axis=1)


def _shifted_columns_v2() -> tuple[tuple[int, int], ...]:
    (_, _), *others = _EPOCH_COLUMNS_V2
    return ((0, 4), *((begin + 1, width) for begin, width in others))


def _events(
    lines: TextLines, epochs: _EpochLines, headers: tuple[ObservationFileHeader, ...], header_from: IntArray
) -> tuple[EventRecord, ...]:
    setup_at: dict[int, StationSetup] = {
        int(since): later.setup()
        for since, earlier, later in zip(header_from[1:], headers[:-1], headers[1:], strict=True)
        if earlier.setup() != later.setup()
    }
    events: list[EventRecord] = []
    for i in np.flatnonzero((epochs.flag > 0) & ~epochs.bad):
        flag, line = int(epochs.flag[i]), int(epochs.line[i])
        begin, count = int(epochs.content[i]), int(epochs.count[i])
        texts: tuple[str, ...] = ()
        if flag in _HEADER_FLAGS:
            texts = tuple(lines.text(n) for n in range(begin, min(begin + count, len(lines))))
        time = None if epochs.blank_time[i] else int(epochs.nanoseconds[i])
        header = int(np.searchsorted(header_from, line, side="right")) - 1
        events.append(EventRecord(time, flag, texts, line + 1, begin, count, header, setup_at.get(line)))
    return tuple(events)


def order_of_epochs(epoch_ns: NDArray[np.int64]) -> tuple[BoolArray, BoolArray, BoolArray]:
    """Which epochs to keep so that they increase, which are duplicates and which out of order; each (n,).

    Of equal epochs the first is kept. Of the rest the longest increasing sequence is kept, so that one
    epoch with an absurd date does not push out all that follow it.
    """
    n = epoch_ns.size
    keep = np.zeros(n, dtype=np.bool_)
    _, first = np.unique(epoch_ns, return_index=True)
    keep[first] = True
    duplicate = ~keep
    places = np.flatnonzero(keep)
    values = epoch_ns[places]
    if np.all(np.diff(values) > 0):
        return keep, duplicate, np.zeros(n, dtype=np.bool_)
    # Longest increasing subsequence by patience sorting (Fredman 1975), n log n.
    tails: list[int] = []
    tail_values: list[int] = []
    previous = np.full(values.size, -1, dtype=np.int64)
    for i, value in enumerate(values.tolist()):
        at = (
            int(np.searchsorted(tail_values, value))
            if tail_values and value <= tail_values[-1]
            else len(tails)
        )
        previous[i] = tails[at - 1] if at else -1
        if at == len(tails):
            tails.append(i)
            tail_values.append(value)
        else:
            tails[at], tail_values[at] = i, value
    chosen = np.zeros(values.size, dtype=np.bool_)
    i = tails[-1]
    while i >= 0:
        chosen[i] = True
        i = int(previous[i])
    keep[places[~chosen]] = False
    return keep, duplicate, ~keep & ~duplicate
