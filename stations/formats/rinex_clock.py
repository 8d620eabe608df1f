"""Satellite clocks in RINEX clock files, versions 2.00, 3.00 to 3.02 and 3.04 (Ray and Gurtner, IGS).

Version 3.04 widened the name of a record from four to nine columns, so that every later column moves by
five. The width is taken from the first satellite record itself: some files announce one version and are
laid out as the other.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.formats.analysis_centres import centre_code
from stations.formats.atomic_write import write_atomically
from stations.formats.calendar_fields import calendar_nanoseconds
from stations.formats.compression import compress_for, read_bytes
from stations.formats.fixed_width import TextLines, parse_integers, parse_reals, split_lines
from stations.formats.satellite_names import TIME_SYSTEM, dense_index, satellite_keys, satellite_name
from stations.records import InputFile, PathLike, SatelliteClocks
from transforms.errors import FormatError, InputError
from transforms.time_scales import Epochs, TimeScale

# Columns from 0 of a record with a four-column name; RINEX clock 3.00, table A2.
_EPOCH_COLUMNS: Final = ((8, 4), (13, 2), (16, 2), (19, 2), (22, 2), (24, 10))
_COUNT_COLUMNS: Final = (34, 3)
_BIAS_COLUMNS: Final = (40, 19)
_NAME_COLUMN: Final = 3
_WIDTH: Final = 59
_EXTRA_NAME_COLUMNS: Final = 5  # version 3.04: nine columns instead of four
_VERSIONS: Final = ("2.0", "3.0", "4.0")
_RECORD_TYPES: Final = (b"AS ", b"AR ", b"CR ", b"DR ", b"MS ")  # RINEX clock 3.04, table A2
_SATELLITE_RECORD: Final = re.compile(r"AS [A-Z ][ \d]\d(?P<gap> +)\d{4} ")
# A satellite clock is within 1 ms of system time by design, GLONASS and old GPS within a few; a second
# is out of the question. 0.999999999999E+06 and the like mean "none".
_LARGEST_CLOCK_S: Final = 1.0


def read_rinex_clock(path: PathLike) -> SatelliteClocks:
    """Read the satellite records (AS) of one RINEX clock file, compressed or not.

    Returns
    -------
    Clocks with epochs in GPST (whatever time system the file uses) and satellites sorted; NaN where a
    satellite has no record at an epoch. `centre` is the code under ANALYSIS CENTER, else the agency that
    ran the program.

    Raises
    ------
    FormatError : not a clock file, no AS record, a broken, repeated or absurd one, with the line
    """
    data, identity = read_bytes(path)
    return parse_rinex_clock(data, identity)


def _require_known_types(lines: TextLines, first: NDArray[np.uint8], end: int, path: str) -> None:
    """Refuse a record of no type that the format has: it may be a satellite's, damaged.

    first : (n_line, 3) first bytes of the lines; continuation lines begin with a blank, a sign or a digit
    """
    begins_a_record = (first[:, 0] >= ord("A")) & (first[:, 0] <= ord("z"))
    begins_a_record[: end + 1] = False
    for kind in _RECORD_TYPES:
        begins_a_record &= (first != np.frombuffer(kind, dtype=np.uint8)).any(axis=1)
    if begins_a_record.any():
        number = int(np.argmax(begins_a_record))
        raise FormatError(path, number + 1, f"no type of a clock record: {lines.text(number)!r}")


def parse_rinex_clock(data: bytes, identity: InputFile) -> SatelliteClocks:
    """Like `read_rinex_clock`, from the plain text."""
    path = identity.path
    lines = split_lines(data)
    scale, centre, end = _read_header(lines, path)
    first_two = lines.block(np.arange(len(lines)), 0, 3)
    is_record = (first_two == np.frombuffer(b"AS ", dtype=np.uint8)).all(axis=1)
    is_record[: end + 1] = False
    records = np.flatnonzero(is_record)
    _require_known_types(lines, first_two, end, path)
    if records.size == 0:
        raise FormatError(path, None, "the file holds no satellite clock (AS record)")
    match = _SATELLITE_RECORD.match(lines.text(int(records[0])))
    if match is None or len(match["gap"]) not in (2, 2 + _EXTRA_NAME_COLUMNS):
        line = int(records[0])
        raise FormatError(path, line + 1, f"no epoch at columns 9 or 14: {lines.text(line)!r}")
    shift = len(match["gap"]) - 2

    def refuse(bad: np.ndarray[tuple[int], np.dtype[np.bool_]], message: str) -> None:
        if bad.any():
            number = int(records[int(np.argmax(bad))])
            raise FormatError(path, number + 1, f"{message}: {lines.text(number)!r}")

    block = lines.block(records, 0, _WIDTH + shift)
    keys, bad = satellite_keys(block[:, _NAME_COLUMN : _NAME_COLUMN + 3])
    refuse(bad, "no satellite in columns 4-6")
    columns = tuple((begin + shift, width) for begin, width in _EPOCH_COLUMNS)
    nanoseconds, bad = calendar_nanoseconds(block, columns)
    refuse(bad, "no calendar reading")
    begin, width = _COUNT_COLUMNS
    count, bad = parse_integers(block[:, begin + shift : begin + shift + width])
    refuse(bad | (count < 1) | (count > 6), "no number of values from 1 to 6")
    begin, width = _BIAS_COLUMNS
    clock_s, bad = parse_reals(block[:, begin + shift : begin + shift + width])
    refuse(bad | np.isnan(clock_s), f"no number in columns {begin + shift + 1}-{begin + shift + width}")
    if not data.endswith(b"\n"):  # digits that are cut off would leave another number
        short = (records == len(lines) - 1) & (lines.length[records] < begin + shift + width)
        refuse(short, "cut off inside a record")
    clock_s[np.abs(clock_s) > _LARGEST_CLOCK_S] = np.nan

    times, time_index = dense_index(nanoseconds)
    satellites, satellite_index = dense_index(keys)
    slot = time_index * satellites.size + satellite_index
    if np.unique(slot).size != slot.size:
        order = np.argsort(slot, kind="stable")
        repeated = np.zeros(slot.size, dtype=np.bool_)
        repeated[order[1:][np.diff(slot[order]) == 0]] = True
        refuse(repeated, "the satellite was given already at this epoch")
    table = np.full(times.size * satellites.size, np.nan)
    table[slot] = clock_s
    return SatelliteClocks(
        epochs=Epochs.from_datetime64(times.astype("datetime64[ns]"), scale).to(TimeScale.GPST),
        satellites=tuple(satellite_name(int(k)) for k in satellites),
        clock_s=table.reshape(times.size, satellites.size),
        centre=centre,
        inputs=(identity,),
    )


def _read_header(lines: TextLines, path: str) -> tuple[TimeScale, str, int]:
    """Time scale, centre and the number (from 0) of the header's last line."""
    first = lines.text(0)
    # Version 3.04 moved the type together with the label, so its column is not asked for.
    if "RINEX VERSION / TYPE" not in first or not re.match(r"\s*[\d.]+\s+C", first):
        raise FormatError(path, 1, f"expected the header of a RINEX clock file, found {first[:60]!r}")
    if not first.strip()[:3].startswith(_VERSIONS):
        raise FormatError(path, 1, f"RINEX clock version {first.split()[0]!r} is not 2.00 to 4.00")
    system = "GPS"
    agency = centre = ""
    for number in range(1, len(lines)):
        text = lines.text(number)
        if text.endswith("END OF HEADER"):
            if system not in TIME_SYSTEM:
                raise FormatError(path, None, f"unknown time system {system!r}")
            return TIME_SYSTEM[system], centre_code(centre or agency), number
        if "TIME SYSTEM ID" in text[60:]:
            system = text[:10].strip().upper() or "GPS"
        elif "PGM / RUN BY / DATE" in text[60:]:
            agency = text[20:40].strip().split(" ")[0]
        elif "ANALYSIS CENTER" in text[60:]:
            centre = text[:3].strip()
    raise FormatError(path, len(lines), "no END OF HEADER: the file is cut off or no RINEX clock file")


def join_clocks(clocks: Sequence[SatelliteClocks]) -> SatelliteClocks:
    """Join tables of clocks in time; where two hold the same epoch, the first in the sequence serves.

    The centres must agree (InputError names them where they do not).
    """
    if not clocks:
        raise InputError("no clocks to join")
    centres = {c.centre for c in clocks}
    if len(centres) > 1:
        raise InputError(
            f"clocks of different analysis centres cannot be joined: {', '.join(sorted(centres))}"
        )
    if len(clocks) == 1:
        return clocks[0]
    satellites = tuple(sorted({s for c in clocks for s in c.satellites}))
    column = {s: i for i, s in enumerate(satellites)}
    tai_ns = np.unique(np.concatenate([c.epochs.tai_ns for c in clocks]))
    table = np.full((tai_ns.size, len(satellites)), np.nan)
    for clock in reversed(clocks):  # the first is written last and so prevails
        rows: NDArray[np.intp] = np.searchsorted(tai_ns, clock.epochs.tai_ns)
        table[rows] = np.nan
        table[np.ix_(rows, np.array([column[s] for s in clock.satellites], dtype=np.intp))] = clock.clock_s
    return replace(
        clocks[0],
        epochs=Epochs(tai_ns, clocks[0].epochs.scale),
        satellites=satellites,
        clock_s=table,
        inputs=tuple(dict.fromkeys(i for c in clocks for i in c.inputs)),
    )


def write_rinex_clock(clocks: SatelliteClocks, path: PathLike) -> None:
    """Write satellite clocks as RINEX clock 3.00 in GPS time, to 1e-12 of their value; ".gz" is compressed.

    A NaN is left out. The same clocks give the same bytes.
    """
    readings = clocks.epochs.to(TimeScale.GPST).datetime64()
    steps = np.diff(clocks.epochs.tai_ns)
    lines = [
        f"{'     3.00           C                   M':<60s}RINEX VERSION / TYPE",
        f"{'Jizhun':<20s}{clocks.centre:<20.20s}{'':<20s}PGM / RUN BY / DATE",
    ]
    if steps.size:
        lines.append(f"{np.min(steps) / 1e9:9.2f}{'':<51s}INTERVAL")
    lines += [
        f"{'   GPS':<60s}TIME SYSTEM ID",
        f"{'     1    AS':<60s}# / TYPES OF DATA",
        f"{clocks.centre:<3.3s}  {'':<55s}ANALYSIS CENTER",
        f"{len(clocks.satellites):6d}{'':<54s}# OF SOLN SATS",
    ]
    for begin in range(0, len(clocks.satellites), 15):
        names = " ".join(clocks.satellites[begin : begin + 15])
        lines.append(f"{names:<60s}PRN LIST")
    lines.append(f"{'':<60s}END OF HEADER")
    for i, reading in enumerate(readings):
        day, time = str(reading).split("T")
        year, month, date = day.split("-")
        hour, minute, second = time.split(":")
        when = f"{year} {month} {date} {hour} {minute} {float(second):9.6f}"
        lines += [
            f"AS {satellite:<4s} {when}  1   {clocks.clock_s[i, j]:19.12E}"
            for j, satellite in enumerate(clocks.satellites)
            if np.isfinite(clocks.clock_s[i, j])
        ]
    write_atomically(path, compress_for(path, ("\n".join(lines) + "\n").encode("ascii")))
