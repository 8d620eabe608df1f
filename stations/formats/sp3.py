"""Satellite positions and clocks in SP3 (Hilla 2016, "The Extended Standard Product 3 Orbit Format (SP3-d)").

Versions a (Remondi 1989, Spofford), b, c and d are read; d is written (`sp3_writing`). Positions are
kilometres, velocities decimetres per second, clocks microseconds and their rates 1e-4 microseconds per second
in the file; metres and seconds here.
"""

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.formats.analysis_centres import centre_code
from stations.formats.calendar_fields import calendar_nanoseconds
from stations.formats.compression import read_bytes
from stations.formats.fixed_width import (
    BoolArray,
    ByteArray,
    FloatArray,
    IntArray,
    TextLines,
    parse_integers,
    parse_reals,
    split_lines,
)
from stations.formats.satellite_names import dense_index, satellite_keys, satellite_name
from stations.formats.sp3_header import Sp3Header, read_sp3_header
from stations.formats.sp3_writing import write_sp3
from stations.records import InputFile, PathLike, SatelliteOrbits
from transforms.errors import FormatError
from transforms.time_scales import Epochs, TimeScale

__all__ = ["parse_sp3", "read_sp3", "write_sp3"]

# Columns (first from 0, width) of the records, SP3-d document, pages 5-15.
_EPOCH_COLUMNS: Final = ((3, 4), (8, 2), (11, 2), (14, 2), (17, 2), (20, 11))
_SATELLITE_COLUMNS: Final = (1, 3)
_POSITION_COLUMNS: Final = ((4, 14), (18, 14), (32, 14))
_CLOCK_COLUMNS: Final = (46, 14)
_SIGMA_COLUMNS: Final = ((61, 2), (64, 2), (67, 2))
_CLOCK_SIGMA_COLUMNS: Final = (70, 3)
_CLOCK_EVENT_COLUMN: Final = 74
_CLOCK_PREDICTED_COLUMN: Final = 75
_MANOEUVRE_COLUMN: Final = 78
_ORBIT_PREDICTED_COLUMN: Final = 79
_FASTEST_M_PER_S: Final = 1.2e4  # a satellite that skims the atmosphere runs 8 km/s, escape is 11.2 km/s
_SHORTEST_RECORD: Final = 60  # without standard deviations and flags
_RECORD_WIDTH: Final = 80
_BAD_CLOCK_MICROSECONDS: Final = 999999.0  # SP3-d: 999999.999999 and the like mean "no clock"
# No satellite that SP3 carries is farther out: BDS and QZSS inclined orbits reach 46,000 km.
_FARTHEST_KM: Final = 1.0e5
_EPOCHS_COLUMNS: Final = slice(32, 39)
_LAST_LINES: Final = 20  # among which EOF is looked for; some archives append blank lines


def read_sp3(path: PathLike) -> SatelliteOrbits:
    """Read one SP3 file (a, b, c or d; compressed or not).

    Returns
    -------
    Orbits with epochs in GPST (whatever time system the file uses), satellites sorted. A position of
    exactly 0 0 0 and a clock of 999999 become NaN; a satellite without a record at an epoch has NaN there.
    `centre` is the code of the agency in line 1. A file that lacks nothing but its EOF says so in `remarks`.

    Raises
    ------
    FormatError : not SP3, no epoch, cut off, a broken or repeated record, with the line
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
    header = read_sp3_header(lines, top, int(epoch_lines[0]), path)

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
    remarks = _remarks_on_end(lines, top, epoch_lines, path, has_end=data.endswith(b"\n"))
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
    manoeuvre.reshape(-1)[slot] = (block[:, _MANOEUVRE_COLUMN] == ord("M")) & header.has_flags
    position_sigma_m, clock_sigma_s = _sigmas(block, slot, shape, header, records, lines, path)
    velocity, clock_rate = _velocities(lines, first, epoch_lines, satellites, path)
    return SatelliteOrbits(
        epochs=Epochs.from_datetime64(nanoseconds.astype("datetime64[ns]"), header.scale).to(TimeScale.GPST),
        satellites=tuple(satellite_name(int(k)) for k in satellites),
        position_ecef_m=position_m,
        clock_s=clock_s,
        manoeuvre=manoeuvre,
        frame=header.frame,
        centre=centre_code(header.agency),
        inputs=(identity,),
        velocity_ecef_m_per_s=velocity,
        clock_rate_s_per_s=clock_rate,
        position_sigma_m=position_sigma_m,
        clock_sigma_s=clock_sigma_s,
        orbit_predicted=_flags(block, _ORBIT_PREDICTED_COLUMN, "P", slot, shape, header),
        clock_predicted=_flags(block, _CLOCK_PREDICTED_COLUMN, "P", slot, shape, header),
        clock_event=_flags(block, _CLOCK_EVENT_COLUMN, "E", slot, shape, header),
        accuracy_m=header.accuracy_m,
        remarks=remarks,
    )


def _flags(
    block: ByteArray, column: int, letter: str, slot: IntArray, shape: tuple[int, int], header: Sp3Header
) -> BoolArray | None:
    """One flag of the records as (n_epoch, n_satellite); None in versions that do not define it."""
    if not header.has_flags:
        return None
    flags = np.zeros(shape, dtype=np.bool_)
    flags.reshape(-1)[slot] = block[:, column] == ord(letter)
    return flags


def _sigmas(
    block: ByteArray,
    slot: IntArray,
    shape: tuple[int, int],
    header: Sp3Header,
    records: NDArray[np.intp],
    lines: TextLines,
    path: str,
) -> tuple[FloatArray | None, FloatArray | None]:
    """One sigma of positions (m) and clocks (s): base ** exponent, mm and ps; None where none is written."""
    if not header.has_flags:
        return None, None
    position_base, clock_base = header.sigma_bases
    position = np.full((*shape, 3), np.nan)
    clock = np.full(shape, np.nan)
    for axis, (begin, width) in enumerate((*_SIGMA_COLUMNS, _CLOCK_SIGMA_COLUMNS)):
        field = block[:, begin : begin + width]
        exponent, bad = parse_integers(field)
        _refuse(bad, records, lines, path, f"no whole number in columns {begin + 1}-{begin + width}")
        base, unit = (clock_base, 1e-12) if axis == 3 else (position_base, 1e-3)
        given = ~(field == 32).all(axis=1) & (base > 0.0)
        value = np.where(given, unit * np.power(base or 1.0, exponent.astype(np.float64)), np.nan)
        if axis == 3:
            clock.reshape(-1)[slot] = value
        else:
            position.reshape(-1, 3)[slot, axis] = value
    return (
        position if np.isfinite(position).any() else None,
        clock if np.isfinite(clock).any() else None,
    )


def _velocities(
    lines: TextLines,
    first: ByteArray,
    epoch_lines: NDArray[np.intp],
    satellites: IntArray,
    path: str,
) -> tuple[FloatArray | None, FloatArray | None]:
    """Velocities (m/s) and clock rates (s/s) of the V records; None where the file has none."""
    records = np.flatnonzero(first == ord("V"))
    records = records[records > epoch_lines[0]]
    if records.size == 0:
        return None, None
    block = lines.block(records, 0, _RECORD_WIDTH)
    keys, bad = satellite_keys(block[:, 1:4])
    _refuse(bad | ~np.isin(keys, satellites), records, lines, path, "velocity of no satellite with positions")
    place = np.searchsorted(satellites, keys)
    slot = (np.searchsorted(epoch_lines, records, side="right") - 1) * satellites.size + place
    order = np.argsort(slot, kind="stable")
    repeated = np.zeros(records.size, dtype=np.bool_)
    repeated[order[1:]] = np.diff(slot[order]) == 0
    _refuse(repeated, records, lines, path, "the satellite's velocity was given already")
    decimetres = np.empty((records.size, 3))
    for axis, (begin, width) in enumerate(_POSITION_COLUMNS):
        decimetres[:, axis], bad = parse_reals(block[:, begin : begin + width])
        _refuse(bad | np.isnan(decimetres[:, axis]), records, lines, path, "no number in columns 5-46")
    fast = np.asarray((np.abs(decimetres) > 10.0 * _FASTEST_M_PER_S).any(axis=1))
    _refuse(fast, records, lines, path, "no orbit is that fast")
    begin, width = _CLOCK_COLUMNS
    rate, bad = parse_reals(block[:, begin : begin + width])
    _refuse(bad, records, lines, path, "no number in columns 47-60")
    decimetres[(decimetres == 0.0).all(axis=1)] = np.nan
    rate[np.abs(rate) >= _BAD_CLOCK_MICROSECONDS] = np.nan
    shape = (epoch_lines.size, satellites.size)
    velocity = np.full((*shape, 3), np.nan)
    clock_rate = np.full(shape, np.nan)
    velocity.reshape(-1, 3)[slot] = np.rint(decimetres * 1e6) / 1e7
    clock_rate.reshape(-1)[slot] = rate / 1e10
    return velocity, clock_rate


def _remarks_on_end(
    lines: TextLines, top: int, epoch_lines: NDArray[np.intp], path: str, *, has_end: bool
) -> tuple[str, ...]:
    """Refuse a file that is cut off; say so where a whole one has no EOF.

    Products of the first years (SIO's of 1992, say) do not have the last line. Without it the epochs that
    line 1 announces must all be there, the last of them must hold as many records of positions and velocities
    as the fullest, and the last line must have its end (has_end) or be as long as the others: digits that
    are cut off would leave another number.
    """
    tail = range(len(lines) - 1, -1, -1)[:_LAST_LINES]
    if any(lines.text(number).startswith("EOF") for number in tail):
        return ()
    announced = lines.text(top)[_EPOCHS_COLUMNS].strip()
    first = lines.first_bytes()
    records = np.flatnonzero((first == ord("P")) | (first == ord("V")))
    records = records[records > epoch_lines[0]]
    per_epoch = np.bincount(
        np.searchsorted(epoch_lines, records, side="right") - 1, minlength=epoch_lines.size
    )
    complete = (
        announced.isdecimal() and epoch_lines.size >= int(announced) and per_epoch[-1] == per_epoch.max()
    )
    last_length = int(lines.length[records[-1]])
    complete &= has_end or last_length in (_SHORTEST_RECORD, lines.length[records].max())
    if not complete:
        raise FormatError(
            path,
            len(lines),
            f"cut off: no EOF, {epoch_lines.size} epochs of {announced or 'an unknown number'}, "
            f"{per_epoch[-1]} records in the last",
        )
    return (f"no EOF at the end, and all {announced} epochs that the first line announces are there",)


def _refuse(
    bad: NDArray[np.bool_], records: NDArray[np.intp], lines: TextLines, path: str, message: str
) -> None:
    if bad.any():
        line = int(records[np.argmax(bad)])
        raise FormatError(path, line + 1, f"{message}: {lines.text(line)!r}")
