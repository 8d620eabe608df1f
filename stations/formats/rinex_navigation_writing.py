"""Write navigation messages as RINEX 4.02, 3.05 or 2.11: one record, one sequence of bytes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from stations.formats.atomic_write import write_atomically
from stations.formats.compression import compress_for
from stations.formats.fixed_width import BoolArray, FloatArray, IntArray
from stations.formats.rinex_navigation_fields import (
    KEPLER_FIELDS,
    STATE_VECTOR_FIELDS,
    names_before_version_4,
)
from stations.formats.rinex_navigation_system_writing import header_records, number_text, system_records
from stations.formats.rinex_navigation_times import TIME_SCALE_OF_SYSTEM, second_of_week_ns
from stations.navigation_records import KeplerEphemerides, NavigationMessages, StateVectorEphemerides
from stations.records import PathLike
from transforms.errors import InputError
from transforms.time_scales import NANOSECONDS, SECONDS_PER_DAY, Epochs, TimeScale

NavigationVersion = Literal["2.11", "3.05", "4.02"]
_VERSION_OF_MAJOR: Final[Mapping[str, NavigationVersion]] = {"2": "2.11", "3": "3.05", "4": "4.02"}
# RINEX 2.11 has a file of its own for each system: type letter and words, tables A3 and A10.
_TYPES_OF_2: Final = {"G": "N: GPS NAV DATA", "R": "G: GLONASS NAV DATA"}
_METRES_IN_KILOMETRE: Final = 1000.0
_FIELDS_IN_LINE: Final = 4
_UNKNOWN_TRANSMISSION_S: Final = 0.9999e9  # RINEX 3.05, table A6
_STATE_COLUMNS: Final = {
    f"{prefix}{axis}_{unit}": (name, place)
    for prefix, unit, name in (
        ("", "km", "position_ecef_m"),
        ("v", "km_per_s", "velocity_ecef_m_per_s"),
        ("a", "km_per_s2", "acceleration_ecef_m_per_s2"),
    )
    for place, axis in enumerate("xyz")
}
_BLANKS: Final = str.maketrans("-T:", "   ")
_SENT: Final = "transmission_s_of_week"
_FRAME_TIME: Final = "message_frame_time_s"
_WITHOUT_NAME: Final = "message that has no place in a RINEX of this version"
_FRACTION: Final = "message whose epoch is no whole second"
_EMPTY_LINE: Final = "message of which the last line is unknown"


@dataclass(frozen=True, eq=False)
class _Written:
    """Texts of messages, and by what they are sorted."""

    text: list[str]
    tai_ns: IntArray
    satellite: NDArray[np.str_]
    message: NDArray[np.str_]


def write_navigation(
    messages: NavigationMessages,
    path: PathLike,
    version: NavigationVersion | None = None,
    *,
    leave_out: bool = False,
) -> Mapping[str, int]:
    """Write a RINEX navigation file; ".gz" compresses.

    Messages are sorted by the time of their clock, then by satellite. Numbers have the 13 digits of the
    format; of a record that was read from a file of the same major version, nothing is lost.

    Parameters
    ----------
    version : None takes that of the record's own major version. RINEX 3.05 holds the messages that were
        there before RINEX 4 (LNAV, D1, D2, INAV, FNAV, FDMA, SBAS), 2.11 those of GPS or of GLONASS alone;
        both keep one ionosphere model and time offset of each kind, rounded as their headers round them
    leave_out : write the file without what the version cannot hold; otherwise that is an error

    Returns
    -------
    What was left out, by reason, and how often.

    Raises
    ------
    InputError : nothing is left to write, something would be left out unasked, RINEX 2.11 of several
        systems, a number beyond the format's columns
    """
    chosen = _VERSION_OF_MAJOR.get(messages.rinex_version[:1], "4.02") if version is None else version
    major = int(chosen[0])
    left_out: Counter[str] = Counter()
    if major == 2:
        _require_one_system(messages)
    groups = [*_kepler_texts(messages, major, left_out), *_state_texts(messages, major, left_out)]
    body = list(_in_order(groups))
    if not body:
        raise InputError(f"{path}: no message can be written as RINEX {chosen}")
    head = [] if major == 4 else header_records(messages, major, left_out)
    system_lines = system_records(messages, left_out) if major == 4 else []
    if left_out and not leave_out:
        words = ", ".join(f"{count} x {reason}" for reason, count in sorted(left_out.items()))
        raise InputError(f"{path}: RINEX {chosen} cannot hold everything: {words}")
    lines = [*_header(messages, chosen, head), *body, *system_lines]
    write_atomically(path, compress_for(path, ("\n".join(lines) + "\n").encode("ascii", errors="replace")))
    return dict(sorted(left_out.items()))


def _require_one_system(messages: NavigationMessages) -> None:
    systems = sorted({satellite[0] for satellite in messages.satellites})
    if len(systems) != 1 or systems[0] not in _TYPES_OF_2:
        raise InputError(
            f"RINEX 2.11 has a file for GPS and one for GLONASS; the messages are of {', '.join(systems)}"
        )


def _header(messages: NavigationMessages, version: str, records: Sequence[str]) -> Iterator[str]:
    systems = sorted({satellite[0] for satellite in messages.satellites})
    system = systems[0] if len(systems) == 1 else "M"
    kind = _TYPES_OF_2[system] if version.startswith("2") else "NAVIGATION DATA"
    letter = "" if version.startswith("2") else system
    yield f"{version:>9s}{'':11s}{kind:<20s}{letter:<20s}RINEX VERSION / TYPE"
    yield f"{'Jizhun':<60s}PGM / RUN BY / DATE"
    yield from records
    if messages.leap_seconds is not None:
        yield f"{messages.leap_seconds:6d}{'':54s}LEAP SECONDS"
    yield f"{'':<60s}END OF HEADER"


def _kepler_texts(messages: NavigationMessages, major: int, left_out: Counter[str]) -> Iterator[_Written]:
    table = messages.kepler
    for kind, rows in _rows_of_kinds(table, major, left_out):
        scale = TIME_SCALE_OF_SYSTEM[kind[0]]
        seconds = second_of_week_ns(_reading_ns(table.time_of_ephemeris.tai_ns[rows], scale)) / NANOSECONDS
        columns = [_kepler_column(table, name, rows, seconds) for name in KEPLER_FIELDS[kind]]
        yield _texts(kind, table.satellite[rows], table.time_of_clock.tai_ns[rows], columns, major, left_out)


def _kepler_column(table: KeplerEphemerides, name: str, rows: IntArray, seconds: FloatArray) -> FloatArray:
    if name == "time_of_ephemeris_s_of_week":
        return seconds
    if name == "root_semi_major_axis_root_m":
        # The root of a square of a double is that double: nothing is lost.
        return np.asarray(np.sqrt(table.semi_major_axis_m[rows]))
    if name == _SENT:
        sent = table.transmission_s_of_week[rows]
        return np.where(np.isnan(sent), _UNKNOWN_TRANSMISSION_S, sent)
    for columns in (table.group_delay_s, table.further):
        if name in columns:
            return columns[name][rows]
    unknown = np.full(rows.size, np.nan)
    return np.asarray(getattr(table, name)[rows] if name and hasattr(table, name) else unknown)


def _state_texts(messages: NavigationMessages, major: int, left_out: Counter[str]) -> Iterator[_Written]:
    table = messages.state_vectors
    of_major_2 = messages.rinex_version.startswith("2")
    for kind, rows in _rows_of_kinds(table, major, left_out):
        columns = [_state_column(table, name, rows) for name in STATE_VECTOR_FIELDS[kind]]
        names = STATE_VECTOR_FIELDS[kind]
        if major == 2:
            flags = np.isfinite(columns[-_FIELDS_IN_LINE:]).any(axis=0)
            if flags.any():
                left_out["fourth line of a GLONASS message"] += int(flags.sum())
            columns, names = columns[:-_FIELDS_IN_LINE], names[:-_FIELDS_IN_LINE]
        if _FRAME_TIME in names and of_major_2 != (major == 2):
            place = names.index(_FRAME_TIME)
            columns[place] = _frame_time_s(columns[place], table.epoch.tai_ns[rows], of_week=major > 2)
        yield _texts(kind, table.satellite[rows], table.epoch.tai_ns[rows], columns, major, left_out)


def _state_column(table: StateVectorEphemerides, name: str, rows: IntArray) -> FloatArray:
    if name in _STATE_COLUMNS:
        vector, place = _STATE_COLUMNS[name]
        return np.asarray(getattr(table, vector)[rows, place] / _METRES_IN_KILOMETRE)
    if name in table.further:
        return table.further[name][rows]
    unknown = np.full(rows.size, np.nan)
    return np.asarray(getattr(table, name)[rows] if name and hasattr(table, name) else unknown)


def _frame_time_s(seconds: FloatArray, tai_ns: IntArray, *, of_week: bool) -> FloatArray:
    """GLONASS message frame time: of the day in RINEX 2, of the week in RINEX 3 and 4 (UTC both)."""
    of_day = np.mod(seconds, SECONDS_PER_DAY)
    if not of_week:
        return of_day
    reading = _reading_ns(tai_ns, TimeScale.UTC)
    day_ns = SECONDS_PER_DAY * NANOSECONDS
    elapsed = np.rint(np.nan_to_num(of_day) * NANOSECONDS).astype(np.int64) - reading % day_ns
    nearest = reading + (elapsed + day_ns // 2) % day_ns - day_ns // 2
    return np.where(np.isnan(of_day), np.nan, second_of_week_ns(nearest) / NANOSECONDS)


def _rows_of_kinds(
    table: KeplerEphemerides | StateVectorEphemerides, major: int, left_out: Counter[str]
) -> Iterator[tuple[str, IntArray]]:
    """Kinds ("G LNAV") with their rows, of those that the version can hold."""
    if not len(table):
        return
    system = table.satellite.astype("<U1")
    kinds = np.char.add(np.char.add(system, " "), table.message)
    known = np.isin(kinds, [*KEPLER_FIELDS, *STATE_VECTOR_FIELDS])
    if major < 4:
        number = np.array([int(satellite[1:]) for satellite in table.satellite], dtype=np.int64)
        sources = table.further.get("data_sources", np.full(number.size, np.nan))
        known &= names_before_version_4(system, number, sources) == table.message
    if not known.all():
        left_out[_WITHOUT_NAME] += int(np.sum(~known))
    for kind in np.unique(kinds[known]):
        yield str(kind), np.flatnonzero(known & (kinds == kind))


def _reading_ns(tai_ns: IntArray, scale: TimeScale) -> IntArray:
    """Readings of instants in a scale, nanoseconds since 1970."""
    return Epochs(tai_ns).to(scale).datetime64().astype(np.int64)


def _texts(
    kind: str,
    satellite: NDArray[np.str_],
    tai_ns: IntArray,
    columns: Sequence[FloatArray],
    major: int,
    left_out: Counter[str],
) -> _Written:
    """Each message as its lines, titles of RINEX 4 included."""
    numbers = np.stack(columns, axis=1)
    reading = _reading_ns(tai_ns, TIME_SCALE_OF_SYSTEM[kind[0]])
    writable = _writable(kind, numbers, reading, major, left_out)
    heads = _heads(satellite[writable], reading[writable], major)
    title = f"> EPH {{}} {kind[2:]}\n" if major == 4 else ""
    indent = "\n" + " " * (3 if major == 2 else 4)
    texts: list[str] = []
    for name, head, row in zip(satellite[writable], heads, numbers[writable].tolist(), strict=True):
        fields = [number_text(value) for value in row]
        lines = [head + "".join(fields[:3])]
        lines += ["".join(fields[k : k + _FIELDS_IN_LINE]) for k in range(3, len(fields), _FIELDS_IN_LINE)]
        text = indent.join(line.rstrip() for line in lines)
        texts.append(title.format(name) + (text.replace("E", "D") if major == 2 else text))
    return _Written(texts, tai_ns[writable], satellite[writable], np.full(len(texts), kind[2:], dtype="<U4"))


def _writable(
    kind: str, numbers: FloatArray, reading_ns: IntArray, major: int, left_out: Counter[str]
) -> BoolArray:
    """Which messages the format can hold: epochs of whole seconds, a last line that is not blank."""
    step_ns = NANOSECONDS // 10 if major == 2 else NANOSECONDS
    fractional = reading_ns % step_ns != 0
    lines = numbers[:, 3:].reshape(len(numbers), -1, _FIELDS_IN_LINE)
    # The fourth line of GLONASS FDMA came with RINEX 3.05 and may lack: older files do not have it.
    last = lines[:, -2 if kind == "R FDMA" and major > 2 else -1]
    empty = np.asarray(np.isnan(last).all(axis=1)) & ~fractional
    for reason, bad in ((_FRACTION, fractional), (_EMPTY_LINE, empty)):
        if bad.any():
            left_out[reason] += int(bad.sum())
    return np.asarray(~fractional & ~empty)


def _heads(satellite: NDArray[np.str_], reading_ns: IntArray, major: int) -> Iterator[str]:
    """Satellite and epoch of each message as its first line has them."""
    for name, moment, nanosecond in zip(
        satellite,
        reading_ns.astype("datetime64[ns]").astype("datetime64[s]").astype(str),
        reading_ns,
        strict=True,
    ):
        if major > 2:
            yield f"{name} {moment.translate(_BLANKS)}"
            continue
        year, month, day, hour, minute, second = (int(part) for part in moment.translate(_BLANKS).split())
        tenth = second + int(nanosecond % NANOSECONDS) / NANOSECONDS
        yield f"{int(name[1:]):2d} {year % 100:02d} {month:2d} {day:2d} {hour:2d} {minute:2d}{tenth:5.1f}"


def _in_order(groups: Sequence[_Written]) -> Iterator[str]:
    """All messages by time, satellite and name; those alike in all three in the order of the record."""
    texts = [text for group in groups for text in group.text]
    if not texts:
        return
    order = np.lexsort(
        (
            np.concatenate([g.message for g in groups]),
            np.concatenate([g.satellite for g in groups]),
            np.concatenate([g.tai_ns for g in groups]),
        )
    )
    for place in order:
        yield texts[place]
