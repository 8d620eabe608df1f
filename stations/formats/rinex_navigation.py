"""Navigation messages from RINEX 2.10-2.12, 3.00-3.05 and 4.00-4.02 files, compressed in any usual way.

Messages of one kind and length are cut into fields and parsed all at once. Times are of the system that sends
(GPST, GST, BDT; UTC for GLONASS) and become `Epochs`. Seconds of the week are set within half a week of the
message's own epoch, so that neither a roll-over nor a week number modulo 1024 matters.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.formats.calendar_fields import calendar_nanoseconds
from stations.formats.compression import read_bytes
from stations.formats.fixed_width import (
    BoolArray,
    FloatArray,
    IntArray,
    TextLines,
    parse_integers,
    parse_reals,
    split_lines,
)
from stations.formats.rinex_damage import LeftOut
from stations.formats.rinex_navigation_fields import (
    CLOCK,
    KEPLER_FIELDS,
    OPTIONAL_FIELDS,
    STATE_VECTOR_FIELDS,
    names_before_version_4,
)
from stations.formats.rinex_navigation_header import NavigationHeader, read_navigation_header
from stations.formats.rinex_navigation_merging import unique_records
from stations.formats.rinex_navigation_system import read_system_records
from stations.formats.rinex_navigation_tables import REPEATED, MessageBlock, kepler_table, state_vector_table
from stations.navigation_records import BroadcastEarthOrientation, NavigationMessages
from stations.records import PathLike
from transforms.errors import FormatError, InputError

_FIELD_WIDTH: Final = 19  # D19.12
_FIELDS_IN_LINE: Final = 4
_SYSTEMS: Final = "GRECJSI"
# Of each satellite type the orbits that can be: root of the semi-major axis, from 20,000 km to 50,000 km.
_ROOT_AXIS_LIMITS: Final = (4400.0, 7100.0)
_WEEK_S: Final = 604_800.0
_UNREADABLE: Final = "unreadable or incomplete navigation message"


@dataclass(frozen=True, eq=False)
class _Starts:
    """Where messages begin: line (from 0) of the epoch and number of lines, system letters, message names."""

    line: IntArray
    count: IntArray
    system: NDArray[np.str_]
    number: IntArray
    message: NDArray[np.str_]


def read_navigation(
    paths: PathLike | Iterable[PathLike], *, systems: Iterable[str] | None = None, strict: bool = False
) -> NavigationMessages:
    """Read broadcast messages of one or several files.

    Parameters
    ----------
    paths : one file or several, in any order; a message that comes again is taken once
    systems : letters of the systems to take; None takes all
    strict : make any damage of the files an error

    Returns
    -------
    The messages, each kind sorted by satellite, reference time and transmission. Messages of which a field of
    orbit or clock is missing or impossible are rejected, counted and named under `damage`.

    Raises
    ------
    FormatError : a file is missing, no navigation file, without a readable message or (strict) damaged
    InputError : no file is given, or nothing is left of the systems asked for
    """
    wanted = frozenset(_SYSTEMS if systems is None else "".join(systems))
    files = [_read_file(p, strict) for p in ([paths] if isinstance(paths, str | Path) else list(paths))]
    if not files:
        raise InputError("no navigation file was given")
    rejections: dict[str, int] = {}
    for _, _, left_out in files:
        for reason, count in left_out.counts.items():
            rejections[reason] = rejections.get(reason, 0) + count
    blocks = [b for _, found, _ in files for b in found if b.system in wanted]
    kepler, again = kepler_table([b for b in blocks if b.kind in KEPLER_FIELDS])
    state_vectors, again_too = state_vector_table([b for b in blocks if b.kind in STATE_VECTOR_FIELDS])
    if again + again_too:
        rejections[REPEATED] = again + again_too
    if not len(kepler) and not len(state_vectors):
        of = "" if systems is None else f" of the systems {''.join(sorted(wanted))}"
        raise InputError(f"{files[0][0].inputs[0].path}: no ephemeris{of}")
    first = files[0][0]
    return replace(
        first,
        kepler=kepler,
        state_vectors=state_vectors,
        ionosphere=unique_records([i for f, _, _ in files for i in f.ionosphere]),
        time_offsets=unique_records([t for f, _, _ in files for t in f.time_offsets]),
        earth_orientation=unique_records([e for f, _, _ in files for e in f.earth_orientation]),
        leap_seconds=next((f.leap_seconds for f, _, _ in files if f.leap_seconds is not None), None),
        rejections=dict(sorted(rejections.items())),
        damage=tuple(d for _, _, left_out in files for d in left_out.damage()),
        inputs=tuple(i for f, _, _ in files for i in f.inputs),
    )


def _without_cut_number(lines: TextLines, header: NavigationHeader, left_out: LeftOut) -> TextLines:
    """Without the last line where its end, which is the text's, is not that of a number of 19 columns.

    Digits that are cut off, of an exponent even, would leave another number.
    """
    indent = 3 if header.major == 2 else 4
    if (int(lines.length[-1]) - indent) % _FIELD_WIDTH == 0:
        return lines
    left_out.damaged("last line without a line end, cut off in a number", np.array([len(lines) - 1]))
    return TextLines(lines.data, lines.start[:-1], lines.length[:-1])


def _read_file(path: PathLike, strict: bool) -> tuple[NavigationMessages, list[MessageBlock], LeftOut]:
    data, identity = read_bytes(path)
    lines = split_lines(data)
    has_end = data.endswith(b"\n")
    del data
    left_out = LeftOut(path)
    header, first_line = read_navigation_header(lines, left_out)
    if not has_end:
        lines = _without_cut_number(lines, header, left_out)
    starts = _find_messages(lines, first_line, header, left_out)
    blocks = _decode(lines, header, starts, left_out)
    ionosphere, offsets = header.ionosphere, header.time_offsets
    orientation: tuple[BroadcastEarthOrientation, ...] = ()
    if header.major == 4:
        ion, sto, orientation = read_system_records(lines, first_line, left_out)
        ionosphere, offsets = (*ionosphere, *ion), (*offsets, *sto)
    if not blocks and not ionosphere and not offsets:
        words = ", ".join(f"{n} x {r}" for r, n in left_out.counts.items()) or "nothing follows the header"
        raise FormatError(path, None, f"no navigation message could be read ({words})")
    if strict:
        left_out.require_none()
    nothing, _ = kepler_table([])
    none_either, _ = state_vector_table([])
    messages = NavigationMessages(
        rinex_version=header.version,
        kepler=nothing,
        state_vectors=none_either,
        ionosphere=ionosphere,
        time_offsets=offsets,
        earth_orientation=orientation,
        leap_seconds=header.leap_seconds,
        inputs=(identity,),
    )
    return messages, blocks, left_out


def _find_messages(lines: TextLines, first_line: int, header: NavigationHeader, left_out: LeftOut) -> _Starts:
    """Ephemerides only; the other records of RINEX 4 are left to `read_system_records`."""
    body = np.arange(first_line, len(lines))
    filled = np.flatnonzero(lines.length[first_line:] > 0)
    head = lines.block(body, 0, 3)
    names = np.empty(0, dtype=np.str_)
    if header.major == 4:
        starts = np.flatnonzero(head[:, 0] == ord(">"))
        _note_stray_lines(body, filled, starts, left_out)
        titles = [lines.text(int(body[i])) for i in starts]
        of_ephemeris = np.array([t[2:6] == "EPH " for t in titles], dtype=np.bool_)
        names = np.array([t[10:].split(maxsplit=1)[0] if t[10:].strip() else "" for t in titles])
        names = names[of_ephemeris]
        ends = np.append(starts[1:], body.size)[of_ephemeris]
        starts = starts[of_ephemeris] + 1
    else:
        marked = _is_digit(head[:, 1]) if header.major == 2 else head[:, 0] != ord(" ")
        starts = np.flatnonzero(marked)
        _note_stray_lines(body, filled, starts, left_out)
        ends = np.append(starts[1:], body.size)
    inside = starts < body.size
    starts, ends = starts[inside], ends[inside]
    # A line may be blank inside a message (all its fields unknown), those behind the last number are none.
    last = filled[np.searchsorted(filled, ends) - 1] if starts.size else ends
    line, count = body[starts], last + 1 - starts
    head = head[starts]
    if header.major == 2:
        system = np.full(line.size, header.system)
        number, bad = parse_integers(head[:, :2])
    else:
        letter = np.where(head[:, 0] < 128, head[:, 0], ord("?")).astype(np.uint8)  # ASCII alone
        system = letter.view("S1").astype(np.str_) if line.size else np.empty(0, dtype="<U1")
        number, bad = parse_integers(head[:, 1:3])
    bad |= ~np.isin(system, list(_SYSTEMS)) | (number <= 0)
    if header.major < 4:
        names = _legacy_names(lines, line, count, system, number, header.major)
    else:
        names = names[inside]
    left_out.damaged(_UNREADABLE, line[bad])
    good = ~bad
    return _Starts(line[good], count[good], system[good], number[good], names[good])


def _note_stray_lines(
    body: NDArray[np.intp], filled: NDArray[np.intp], starts: NDArray[np.intp], left_out: LeftOut
) -> None:
    before = filled[filled < starts[0]] if starts.size else filled
    left_out.damaged("line outside any message", body[before])


def _is_digit(column: NDArray[np.uint8]) -> BoolArray:
    return (column >= ord("0")) & (column <= ord("9"))


def _legacy_names(
    lines: TextLines, line: IntArray, count: IntArray, system: NDArray[np.str_], number: IntArray, major: int
) -> NDArray[np.str_]:
    """What RINEX 4 would name the messages of RINEX 2 and 3."""
    galileo = np.flatnonzero((system == "E") & (count > 5))
    indent = 3 if major == 2 else 4
    fields = lines.block(line[galileo] + 5, indent + _FIELD_WIDTH, _FIELD_WIDTH)
    sources = np.full(line.size, np.nan)
    sources[galileo], _ = parse_reals(fields)
    return names_before_version_4(system, number, sources)


def _decode(
    lines: TextLines, header: NavigationHeader, starts: _Starts, left_out: LeftOut
) -> list[MessageBlock]:
    kinds = (
        np.char.add(np.char.add(starts.system, " "), starts.message) if starts.line.size else starts.message
    )
    blocks: list[MessageBlock] = []
    for kind in np.unique(kinds):
        rows = np.flatnonzero(kinds == kind)
        table: Mapping[str, tuple[str, ...]] = {**KEPLER_FIELDS, **STATE_VECTOR_FIELDS}
        names = table.get(str(kind))
        if names is None:
            left_out.unused(f"navigation message {kind}, of which no table is known", int(rows.size))
            continue
        expected = 1 + -(-(len(names) - 3) // _FIELDS_IN_LINE)
        shortest = expected - -(-OPTIONAL_FIELDS.get(str(kind), 0) // _FIELDS_IN_LINE)
        fits = (starts.count[rows] >= shortest) & (starts.count[rows] <= expected)
        left_out.damaged(_UNREADABLE, starts.line[rows[~fits]])
        for n_lines in range(shortest, expected + 1):
            chosen = rows[fits & (starts.count[rows] == n_lines)]
            if chosen.size:
                block = _decode_kind(lines, header, starts, chosen, str(kind), names, n_lines, left_out)
                if block.number.size:
                    blocks.append(block)
    return blocks


def _decode_kind(
    lines: TextLines,
    header: NavigationHeader,
    starts: _Starts,
    rows: NDArray[np.intp],
    kind: str,
    names: tuple[str, ...],
    n_lines: int,
    left_out: LeftOut,
) -> MessageBlock:
    """All messages of one kind and length: epochs and fields, those unusable left out."""
    line = starts.line[rows]
    first_column = 22 if header.major == 2 else 23
    parts = [lines.block(line, first_column, 3 * _FIELD_WIDTH).reshape(rows.size, 3, _FIELD_WIDTH)]
    for k in range(1, n_lines):
        block = lines.block(line + k, first_column - _FIELD_WIDTH, _FIELDS_IN_LINE * _FIELD_WIDTH)
        parts.append(block.reshape(rows.size, _FIELDS_IN_LINE, _FIELD_WIDTH))
    text = np.concatenate(parts, axis=1)[:, : len(names)]
    flat, bad = parse_reals(np.ascontiguousarray(text).reshape(-1, _FIELD_WIDTH))
    values, unreadable = flat.reshape(rows.size, -1), bad.reshape(rows.size, -1)
    epoch_ns, bad_epoch = _epochs(lines, line, header.major)
    columns = {name: values[:, i] for i, name in enumerate(names[: values.shape[1]]) if name}
    unusable = bad_epoch | unreadable.any(axis=1) | _impossible(kind, columns)
    left_out.damaged(_UNREADABLE, line[unusable])
    good = ~unusable
    return MessageBlock(
        kind=kind,
        number=starts.number[rows][good],
        epoch_ns=epoch_ns[good],
        columns={name: column[good] for name, column in columns.items()},
    )


def _impossible(kind: str, columns: Mapping[str, FloatArray]) -> BoolArray:
    """Messages that lack a field of orbit or clock, or whose orbit cannot be."""
    if kind in STATE_VECTOR_FIELDS:
        state = ("x_km", "y_km", "z_km", "vx_km_per_s", "vy_km_per_s", "vz_km_per_s")
        return _any_missing(columns, (*CLOCK[:2], *state))
    orbit = KEPLER_FIELDS[kind][3:20]
    needed = tuple(
        n for n in (*CLOCK, *orbit) if n not in ("", "issue_of_data", "time_of_prediction_s_of_week")
    )
    missing = _any_missing(columns, needed)
    root = columns["root_semi_major_axis_root_m"]
    low, high = _ROOT_AXIS_LIMITS
    eccentricity = columns["eccentricity"]
    toe_s = columns.get("time_of_ephemeris_s_of_week", np.zeros(root.size))  # CNAV of GPS has none
    possible = (toe_s >= 0.0) & (toe_s <= _WEEK_S)
    possible &= (root > low) & (root < high) & (eccentricity >= 0.0) & (eccentricity < 1.0)
    return missing | ~possible


def _any_missing(columns: Mapping[str, FloatArray], names: Iterable[str]) -> BoolArray:
    missing = np.isnan(np.stack([columns[name] for name in names]))
    return np.asarray(missing.any(axis=0), dtype=np.bool_)


def _epochs(lines: TextLines, line: IntArray, major: int) -> tuple[IntArray, BoolArray]:
    """Readings of the first lines' epochs, nanoseconds since 1970, and which cannot be read."""
    point = np.frombuffer(b".0", dtype=np.uint8)
    if major > 2:
        block = lines.block(line, 4, 19)
        decimals = np.broadcast_to(point, (line.size, 2))
        return calendar_nanoseconds(
            np.concatenate([block, decimals], axis=1), ((0, 4), (5, 2), (8, 2), (11, 2), (14, 2), (17, 4))
        )
    block = lines.block(line, 3, 19).copy()
    year, _ = parse_integers(block[:, :2])
    # RINEX 2.11, section 6.5: 80-99 is 1980-1999, 00-79 is 2000-2079.
    century = np.where((year >= 80)[:, None], np.frombuffer(b"19", np.uint8), np.frombuffer(b"20", np.uint8))
    block[:, 0] = np.where(block[:, 0] == ord(" "), ord("0"), block[:, 0])
    return calendar_nanoseconds(
        np.concatenate([century.astype(np.uint8), block], axis=1),
        ((0, 4), (5, 2), (8, 2), (11, 2), (14, 2), (16, 5)),
    )
