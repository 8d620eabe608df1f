"""Satellite positions and clocks in SP3 (Hilla 2016, "The Extended Standard Product 3 Orbit Format (SP3-d)").

Versions a (Remondi 1989, Spofford), b, c and d are read; d is written (`sp3_writing`). Positions are
kilometres, velocities decimetres per second, clocks microseconds and their rates 1e-4 microseconds per second
in the file; metres and seconds here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
from stations.formats.satellite_names import TIME_SYSTEM, dense_index, satellite_keys, satellite_name
from stations.formats.sp3_writing import write_sp3
from stations.records import InputFile, PathLike, SatelliteOrbits
from transforms.errors import FormatError, InputError
from transforms.time_scales import Epochs, TimeScale

__all__ = ["join_orbits", "parse_sp3", "read_sp3", "write_sp3"]

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
_ACCURACY_COLUMNS: Final = tuple(range(9, 60, 3))  # of "+" and "++" lines, 17 of 3 columns
# Bases of the exponents, "%f" line: columns 4-13 for positions (mm), 15-26 for clocks (ps).
_BASE_COLUMNS: Final = (slice(3, 13), slice(14, 26))
_FASTEST_M_PER_S: Final = 1.2e4  # a satellite that skims the atmosphere runs 8 km/s, escape is 11.2 km/s
_SHORTEST_RECORD: Final = 60  # without standard deviations and flags
_RECORD_WIDTH: Final = 80
_FRAME_COLUMNS: Final = slice(46, 51)
_AGENCY_COLUMNS: Final = slice(56, 60)
_TIME_SYSTEM_COLUMNS: Final = slice(9, 12)
_BAD_CLOCK_MICROSECONDS: Final = 999999.0  # SP3-d: 999999.999999 and the like mean "no clock"
# No satellite that SP3 carries is farther out: BDS and QZSS inclined orbits reach 46,000 km.
_FARTHEST_KM: Final = 1.0e5
_EPOCHS_COLUMNS: Final = slice(32, 39)
_LAST_LINES: Final = 20  # among which EOF is looked for; some archives append blank lines


@dataclass(frozen=True)
class _Header:
    version: str
    frame: str
    agency: str
    scale: TimeScale
    accuracy_m: dict[str, float]
    sigma_bases: tuple[float, float]

    @property
    def has_flags(self) -> bool:
        """Whether the columns behind the clock are defined: SP3-c and later."""
        return self.version in "cdCD"


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
    _require_end(lines, top, epoch_lines, records, path, has_end=data.endswith(b"\n"))
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
    )


def _flags(
    block: ByteArray, column: int, letter: str, slot: IntArray, shape: tuple[int, int], header: _Header
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
    header: _Header,
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


def _read_header(lines: TextLines, top: int, n_lines: int, path: str) -> _Header:
    first = lines.text(top)
    scale = TimeScale.GPST  # SP3-a and b know GPS time only
    satellites: list[str] = []
    exponents: list[tuple[int, str]] = []
    bases: tuple[float, float] | None = None
    seen_time_system = False
    for number in range(top + 1, n_lines):
        text = lines.text(number)
        if text.startswith("++"):
            exponents += [(number, text[c : c + 3].strip()) for c in _ACCURACY_COLUMNS]
        elif text.startswith("+"):
            satellites += [text[c : c + 3] for c in _ACCURACY_COLUMNS]
        elif text.startswith("%c") and not seen_time_system:
            seen_time_system = True  # the second %c line is spare
            name = text[_TIME_SYSTEM_COLUMNS].strip().upper()
            if name and name != "CCC":
                if name not in TIME_SYSTEM:
                    raise FormatError(path, number + 1, f"unknown time system {name!r} in columns 10-12")
                scale = TIME_SYSTEM[name]
        elif text.startswith("%f") and bases is None:
            words = [text[columns].strip() for columns in _BASE_COLUMNS]
            bases = (_base(words[0], number, path), _base(words[1], number, path))
    return _Header(
        first[1],
        first[_FRAME_COLUMNS].strip(),
        first[_AGENCY_COLUMNS].strip(),
        scale,
        _accuracies(satellites, exponents, path),
        bases or (0.0, 0.0),
    )


def _base(text: str, number: int, path: str) -> float:
    if not text:
        return 0.0
    if not re.fullmatch(r"\d+\.?\d*|\.\d+", text, re.ASCII):
        raise FormatError(path, number + 1, f"expected the base of the standard deviations, found {text!r}")
    return float(text)


def _accuracies(
    satellites: Sequence[str], exponents: Sequence[tuple[int, str]], path: str
) -> dict[str, float]:
    """One sigma of each satellite's orbit, 2 ** n mm (SP3-d, lines 8 to 12); 0 and blanks are unknown."""
    accuracy_m: dict[str, float] = {}
    for name, (number, text) in zip(satellites, exponents, strict=False):
        if text in ("", "0") or not name.strip(" 0"):
            continue
        if not re.fullmatch(r"\d{1,2}", text):
            raise FormatError(path, number + 1, f"expected the exponent of an accuracy, found {text!r}")
        key, bad = satellite_keys(np.frombuffer(name.ljust(3).encode("latin-1"), dtype=np.uint8)[None, :])
        if not bad[0]:
            accuracy_m[satellite_name(int(key[0]))] = 2.0 ** int(text) * 1e-3
    return accuracy_m


def _require_end(
    lines: TextLines,
    top: int,
    epoch_lines: NDArray[np.intp],
    records: NDArray[np.intp],
    path: str,
    *,
    has_end: bool,
) -> None:
    """Refuse a file that is cut off.

    The last line must be EOF. Where it is not (early files of SP3-a have none), the epochs that line 1
    announces must all be there, the last of them must hold as many records as the fullest, and the last
    line must have its end (has_end) or be as long as the others: digits that are cut off would leave another
    number.
    """
    tail = range(len(lines) - 1, -1, -1)[:_LAST_LINES]
    if any(lines.text(number).startswith("EOF") for number in tail):
        return
    announced = lines.text(top)[_EPOCHS_COLUMNS].strip()
    per_epoch = np.bincount(
        np.searchsorted(epoch_lines, records, side="right") - 1, minlength=epoch_lines.size
    )
    complete = announced.isdigit() and epoch_lines.size >= int(announced) and per_epoch[-1] == per_epoch.max()
    complete &= has_end or int(lines.length[records[-1]]) in (_SHORTEST_RECORD, lines.length[records].max())
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
    tai_ns = np.unique(np.concatenate([o.epochs.tai_ns for o in orbits]))
    place = _Placement(orbits, satellites, tai_ns)
    position = place.reals([o.position_ecef_m for o in orbits], 3)
    clock = place.reals([o.clock_s for o in orbits])
    manoeuvre = place.flags([o.manoeuvre for o in orbits])
    if position is None or clock is None or manoeuvre is None:
        raise InputError("orbits without positions, clocks and flags cannot be joined")
    accuracy_m: dict[str, float] = {}
    for table in orbits:
        for satellite, sigma_m in table.accuracy_m.items():
            accuracy_m[satellite] = max(sigma_m, accuracy_m.get(satellite, 0.0))
    inputs = tuple(dict.fromkeys(i for o in orbits for i in o.inputs))
    return replace(
        orbits[0],
        epochs=Epochs(tai_ns, orbits[0].epochs.scale),
        satellites=satellites,
        position_ecef_m=position,
        clock_s=clock,
        manoeuvre=manoeuvre,
        inputs=inputs,
        velocity_ecef_m_per_s=place.reals([o.velocity_ecef_m_per_s for o in orbits], 3),
        clock_rate_s_per_s=place.reals([o.clock_rate_s_per_s for o in orbits]),
        position_sigma_m=place.reals([o.position_sigma_m for o in orbits], 3),
        clock_sigma_s=place.reals([o.clock_sigma_s for o in orbits]),
        orbit_predicted=place.flags([o.orbit_predicted for o in orbits]),
        clock_predicted=place.flags([o.clock_predicted for o in orbits]),
        clock_event=place.flags([o.clock_event for o in orbits]),
        accuracy_m=accuracy_m,
    )


class _Placement:
    """Where the epochs and satellites of several tables stand in the joined one."""

    def __init__(
        self, orbits: Sequence[SatelliteOrbits], satellites: tuple[str, ...], tai_ns: IntArray
    ) -> None:
        column = {s: i for i, s in enumerate(satellites)}
        self._shape = (tai_ns.size, len(satellites))
        self._rows = [np.searchsorted(tai_ns, o.epochs.tai_ns) for o in orbits]
        self._columns = [np.array([column[s] for s in o.satellites], dtype=np.intp) for o in orbits]

    def reals(self, tables: Sequence[FloatArray | None], components: int = 0) -> FloatArray | None:
        """One table from several, NaN where none serves; None where no file has it."""
        if all(table is None for table in tables):
            return None
        joined = np.full((*self._shape, components) if components else self._shape, np.nan)
        # The first is written last and so prevails, and over whole epochs: a later table must not fill
        # one satellite of an earlier one's epoch.
        for rows, columns, table in reversed(list(zip(self._rows, self._columns, tables, strict=True))):
            joined[rows] = np.nan
            if table is not None:
                joined[np.ix_(rows, columns)] = table
        return joined

    def flags(self, tables: Sequence[BoolArray | None]) -> BoolArray | None:
        """Like `reals`, False where none serves."""
        if all(table is None for table in tables):
            return None
        joined = np.zeros(self._shape, dtype=np.bool_)
        for rows, columns, table in reversed(list(zip(self._rows, self._columns, tables, strict=True))):
            joined[rows] = False
            if table is not None:
                joined[np.ix_(rows, columns)] = table
        return joined
