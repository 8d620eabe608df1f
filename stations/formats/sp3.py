"""Satellite positions and clocks in SP3 (Hilla 2016, "The Extended Standard Product 3 Orbit Format (SP3-d)").

Versions a (Remondi 1989, Spofford), b, c and d are read; d is written. Positions are kilometres and
clocks microseconds in the file, metres and seconds here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.formats.analysis_centres import centre_code
from stations.formats.atomic_write import write_atomically
from stations.formats.calendar_fields import calendar_nanoseconds
from stations.formats.compression import compress_for, read_bytes
from stations.formats.fixed_width import TextLines, parse_reals, split_lines
from stations.formats.satellite_names import TIME_SYSTEM, dense_index, satellite_keys, satellite_name
from stations.records import InputFile, PathLike, SatelliteOrbits
from transforms.errors import FormatError, InputError
from transforms.time_scales import Epochs, TimeScale

# Columns (first from 0, width) of the records, SP3-d document, pages 5-15.
_EPOCH_COLUMNS: Final = ((3, 4), (8, 2), (11, 2), (14, 2), (17, 2), (20, 11))
_SATELLITE_COLUMNS: Final = (1, 3)
_POSITION_COLUMNS: Final = ((4, 14), (18, 14), (32, 14))
_CLOCK_COLUMNS: Final = (46, 14)
_MANOEUVRE_COLUMN: Final = 78
_RECORD_WIDTH: Final = 80
_FRAME_COLUMNS: Final = slice(46, 51)
_AGENCY_COLUMNS: Final = slice(56, 60)
_TIME_SYSTEM_COLUMNS: Final = slice(9, 12)
_BAD_CLOCK_MICROSECONDS: Final = 999999.0  # SP3-d: 999999.999999 and the like mean "no clock"
# No satellite that SP3 carries is farther out: BDS and QZSS inclined orbits reach 46,000 km.
_FARTHEST_KM: Final = 1.0e5
_EPOCHS_COLUMNS: Final = slice(32, 39)
_LAST_LINES: Final = 20  # among which EOF is looked for; some archives append blank lines
_SATELLITES_IN_LINE: Final = 17
_FEWEST_SATELLITE_LINES: Final = 5


@dataclass(frozen=True)
class _Header:
    version: str
    frame: str
    agency: str
    scale: TimeScale


def read_sp3(path: PathLike) -> SatelliteOrbits:
    """Read one SP3 file (a, b, c or d; compressed or not).

    Returns
    -------
    Orbits with epochs in GPST (whatever time system the file uses), satellites sorted. A position of
    exactly 0 0 0 and a clock of 999999 become NaN; a satellite without a record at an epoch has NaN there.
    `centre` is the code of the agency in line 1.

    Raises
    ------
    FormatError : not SP3, no epoch, a broken or repeated record, with the line
    """
    data, identity = read_bytes(path)
    return parse_sp3(data, identity)


def parse_sp3(data: bytes, identity: InputFile) -> SatelliteOrbits:
    """Like `read_sp3`, from the plain text."""
    path = identity.path
    lines = split_lines(data)
    top = int(np.argmax(lines.length > 0))  # blank lines before the header are harmless
    if not re.match(r"#[abcdABCD ][PV ]", lines.text(top)[:3]):
        raise FormatError(path, top + 1, f"expected an SP3 header ('#dP...'), found {lines.text(top)[:20]!r}")
    first = lines.first_bytes()
    epoch_lines = np.flatnonzero(first == ord("*"))
    if epoch_lines.size == 0:
        raise FormatError(path, len(lines), "the file holds no epoch")
    header = _read_header(lines, top, int(epoch_lines[0]), path)

    nanoseconds, bad = calendar_nanoseconds(lines.block(epoch_lines, 0, 31), _EPOCH_COLUMNS)
    if bad.any():
        line = int(epoch_lines[np.argmax(bad)])
        raise FormatError(path, line + 1, f"no calendar reading: {lines.text(line)!r}")
    if np.any(np.diff(nanoseconds) <= 0):
        line = int(epoch_lines[int(np.argmax(np.diff(nanoseconds) <= 0)) + 1])
        raise FormatError(path, line + 1, f"epoch not later than the one before: {lines.text(line)!r}")

    records = np.flatnonzero(first == ord("P"))
    records = records[records > epoch_lines[0]]
    if records.size == 0:
        raise FormatError(path, int(epoch_lines[0]) + 1, "no position record follows the first epoch")
    block = lines.block(records, 0, _RECORD_WIDTH)
    _require_end(lines, top, epoch_lines, records, path)
    keys, bad = satellite_keys(block[:, 1:4])
    _refuse(bad, records, lines, path, "no satellite in columns 2-4")
    position_km = np.empty((records.size, 3))
    for axis, (begin, width) in enumerate(_POSITION_COLUMNS):
        position_km[:, axis], bad = parse_reals(block[:, begin : begin + width])
        _refuse(bad | np.isnan(position_km[:, axis]), records, lines, path, "no number in columns 5-46")
    far = np.asarray((np.abs(position_km) > _FARTHEST_KM).any(axis=1))
    _refuse(far, records, lines, path, "no orbit reaches that far")
    begin, width = _CLOCK_COLUMNS
    clock_us, bad = parse_reals(block[:, begin : begin + width])
    _refuse(bad, records, lines, path, "no number in columns 47-60")

    epoch_index = np.searchsorted(epoch_lines, records, side="right") - 1
    satellites, satellite_index = dense_index(keys)
    shape = (epoch_lines.size, satellites.size)
    slot = epoch_index * shape[1] + satellite_index
    if np.unique(slot).size != slot.size:
        order = np.argsort(slot, kind="stable")
        repeated = np.flatnonzero(np.diff(slot[order]) == 0)
        line = int(records[order[repeated[0] + 1]])
        raise FormatError(path, line + 1, f"the satellite was given already: {lines.text(line)!r}")
    position_km[(position_km == 0.0).all(axis=1)] = np.nan
    clock_us[np.abs(clock_us) >= _BAD_CLOCK_MICROSECONDS] = np.nan

    position_m = np.full((*shape, 3), np.nan)
    clock_s = np.full(shape, np.nan)
    manoeuvre = np.zeros(shape, dtype=np.bool_)
    # Division keeps the printed decimals: 13294.139155 km is 13294139.155 m to the last bit.
    position_m.reshape(-1, 3)[slot] = np.rint(position_km * 1e6) / 1e3
    clock_s.reshape(-1)[slot] = clock_us / 1e6
    manoeuvre.reshape(-1)[slot] = (block[:, _MANOEUVRE_COLUMN] == ord("M")) & (header.version in "cdCD")
    return SatelliteOrbits(
        epochs=Epochs.from_datetime64(nanoseconds.astype("datetime64[ns]"), header.scale).to(TimeScale.GPST),
        satellites=tuple(satellite_name(int(k)) for k in satellites),
        position_ecef_m=position_m,
        clock_s=clock_s,
        manoeuvre=manoeuvre,
        frame=header.frame,
        centre=centre_code(header.agency),
        inputs=(identity,),
    )


def _read_header(lines: TextLines, top: int, n_lines: int, path: str) -> _Header:
    first = lines.text(top)
    scale = TimeScale.GPST  # SP3-a and b know GPS time only
    for number in range(top + 1, n_lines):
        text = lines.text(number)
        if text.startswith("%c"):
            name = text[_TIME_SYSTEM_COLUMNS].strip().upper()
            if name and name != "CCC":
                if name not in TIME_SYSTEM:
                    raise FormatError(path, number + 1, f"unknown time system {name!r} in columns 10-12")
                scale = TIME_SYSTEM[name]
            break  # the second %c line is spare
    return _Header(first[1], first[_FRAME_COLUMNS].strip(), first[_AGENCY_COLUMNS].strip(), scale)


def _require_end(
    lines: TextLines, top: int, epoch_lines: NDArray[np.intp], records: NDArray[np.intp], path: str
) -> None:
    """Refuse a file that is cut off.

    The last line must be EOF. Where it is not (early files of SP3-a have none), the epochs that line 1
    announces must all be there and the last of them must hold as many records as the fullest.
    """
    tail = range(len(lines) - 1, -1, -1)[:_LAST_LINES]
    if any(lines.text(number).startswith("EOF") for number in tail):
        return
    announced = lines.text(top)[_EPOCHS_COLUMNS].strip()
    per_epoch = np.bincount(
        np.searchsorted(epoch_lines, records, side="right") - 1, minlength=epoch_lines.size
    )
    complete = announced.isdigit() and epoch_lines.size >= int(announced) and per_epoch[-1] == per_epoch.max()
    if not complete:
        raise FormatError(
            path,
            len(lines),
            f"cut off: no EOF, {epoch_lines.size} epochs of {announced or 'an unknown number'}, "
            f"{per_epoch[-1]} records in the last",
        )


def _refuse(
    bad: NDArray[np.bool_], records: NDArray[np.intp], lines: TextLines, path: str, message: str
) -> None:
    if bad.any():
        line = int(records[np.argmax(bad)])
        raise FormatError(path, line + 1, f"{message}: {lines.text(line)!r}")


def join_orbits(orbits: Sequence[SatelliteOrbits]) -> SatelliteOrbits:
    """Join tables of orbits in time; where two hold the same epoch, the first in the sequence serves.

    Satellites of any table are kept, NaN where a table does not have them. Frame and centre must agree
    (InputError names them where they do not).
    """
    if not orbits:
        raise InputError("no orbits to join")
    for name, values in (
        ("frames", {o.frame for o in orbits}),
        ("analysis centres", {o.centre for o in orbits}),
    ):
        if len(values) > 1:
            raise InputError(f"orbits of different {name} cannot be joined: {', '.join(sorted(values))}")
    if len(orbits) == 1:
        return orbits[0]
    satellites = tuple(sorted({s for o in orbits for s in o.satellites}))
    column = {s: i for i, s in enumerate(satellites)}
    tai_ns = np.unique(np.concatenate([o.epochs.tai_ns for o in orbits]))
    position = np.full((tai_ns.size, len(satellites), 3), np.nan)
    clock = np.full((tai_ns.size, len(satellites)), np.nan)
    manoeuvre = np.zeros((tai_ns.size, len(satellites)), dtype=np.bool_)
    for table in reversed(orbits):  # the first is written last and so prevails
        rows: NDArray[np.intp] = np.searchsorted(tai_ns, table.epochs.tai_ns)
        # The whole epoch is taken over: a later table must not fill one satellite of an earlier one's epoch.
        position[rows], clock[rows], manoeuvre[rows] = np.nan, np.nan, False
        place = np.ix_(rows, np.array([column[s] for s in table.satellites], dtype=np.intp))
        position[place] = table.position_ecef_m
        clock[place] = table.clock_s
        manoeuvre[place] = table.manoeuvre
    inputs = tuple(dict.fromkeys(i for o in orbits for i in o.inputs))
    return replace(
        orbits[0],
        epochs=Epochs(tai_ns, orbits[0].epochs.scale),
        satellites=satellites,
        position_ecef_m=position,
        clock_s=clock,
        manoeuvre=manoeuvre,
        inputs=inputs,
    )


def write_sp3(orbits: SatelliteOrbits, path: PathLike) -> None:
    """Write orbits as SP3-d, positions to 1 mm and clocks to 1 ps, GPS time; ".gz" is compressed.

    NaN becomes 0.000000 and 999999.999999. The same orbits give the same bytes.
    """
    calendar = [_calendar(str(t)) for t in orbits.epochs.to(TimeScale.GPST).datetime64()]
    records: list[str] = []
    position_km = np.nan_to_num(orbits.position_ecef_m / 1e3, nan=0.0)
    clock_us = np.nan_to_num(orbits.clock_s * 1e6, nan=999999.999999)
    for i, reading in enumerate(calendar):
        records.append(f"*  {reading}")
        for j, satellite in enumerate(orbits.satellites):
            x, y, z = position_km[i, j]
            line = f"P{satellite}{x:14.6f}{y:14.6f}{z:14.6f}{clock_us[i, j]:14.6f}"
            records.append(f"{line:<78s}M" if orbits.manoeuvre[i, j] else line)
    text = "\n".join([*_header_lines(orbits, calendar[0]), *records, "EOF"]) + "\n"
    write_atomically(path, compress_for(path, text.encode("ascii")))


def _calendar(moment: str) -> str:
    day, time = moment.split("T")
    hour, minute, second = time.split(":")
    year, month, date = day.split("-")
    return f"{year} {int(month):2d} {int(date):2d} {int(hour):2d} {int(minute):2d} {float(second):11.8f}"


def _header_lines(orbits: SatelliteOrbits, first_reading: str) -> list[str]:
    start = orbits.epochs.to(TimeScale.GPST).datetime64()[0]
    since_gps_zero_ns = int((start - np.datetime64("1980-01-06", "ns")).astype(np.int64))
    week, second_of_week_ns = divmod(since_gps_zero_ns, 604_800 * 10**9)
    day = int(start.astype("datetime64[D]").astype(np.int64)) + 40587  # 1970-01-01 is MJD 40587
    fraction = (start - start.astype("datetime64[D]")).astype("timedelta64[ns]").astype(np.int64) / 86_400e9
    steps = np.diff(orbits.epochs.tai_ns)
    interval_s = float(np.min(steps)) / 1e9 if steps.size else 900.0
    used = orbits.satellites
    n_lines = max(_FEWEST_SATELLITE_LINES, -(-len(used) // _SATELLITES_IN_LINE))
    names = [*used, *["  0"] * (n_lines * _SATELLITES_IN_LINE - len(used))]
    lines = [
        f"#dP{first_reading} {len(orbits.epochs):7d} ORBIT {orbits.frame:>5.5s} FIT {orbits.centre:>4.4s}",
        f"## {week:4d} {second_of_week_ns / 1e9:15.8f} {interval_s:14.8f} {day:5d} {fraction:15.13f}",
    ]
    for row in range(n_lines):
        head = f"+  {len(used):3d}   " if row == 0 else "+        "
        lines.append(head + "".join(names[row * _SATELLITES_IN_LINE : (row + 1) * _SATELLITES_IN_LINE]))
    lines += ["++       " + "  0" * _SATELLITES_IN_LINE] * n_lines
    systems = {s[0] for s in used}
    kind = systems.pop() if len(systems) == 1 else "M"
    lines += [
        f"%c {kind}  cc GPS ccc cccc cccc cccc cccc ccccc ccccc ccccc ccccc",
        "%c cc cc ccc ccc cccc cccc cccc cccc ccccc ccccc ccccc ccccc",
        "%f  1.2500000  1.025000000  0.00000000000  0.000000000000000",
        "%f  0.0000000  0.000000000  0.00000000000  0.000000000000000",
        "%i    0    0    0    0      0      0      0      0         0",
        "%i    0    0    0    0      0      0      0      0         0",
    ]
    # SP3-d asks for at least four comment lines.
    return [*lines, "/* Jizhun", "/* ", "/* ", "/* "]
