"""Antenna phase centres in ANTEX 1.3 and 1.4 (Rothacher and Schmid 2010, ANTEX format description).

Millimetres and degrees in the file, metres and radians here. Calibrations must be absolute ("A" in the
second header line); relative ones would put decimetres into a height and are refused.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from stations.formats.atomic_write import write_atomically
from stations.formats.calendar_fields import calendar_nanoseconds
from stations.formats.compression import compress_for, read_bytes
from stations.formats.fixed_width import FloatArray
from stations.formats.text_lines import split_text
from stations.records import AntennaCalibration, AntennaFrequencyCalibration, AntennaType, PathLike
from transforms.errors import FormatError
from transforms.time_scales import Epochs, TimeScale

_MILLIMETRE: Final = 1e-3
_LABEL: Final = 60
_TIME_COLUMNS: Final = ((0, 6), (6, 6), (12, 6), (18, 6), (24, 6), (30, 13))
_SATELLITE_SERIAL: Final = re.compile(r"[GRECJSI]\d\d")
_LARGEST_OFFSET_MM: Final = 20_000.0  # centre of mass to antenna: 4.8 m at most in igs20 (BeiDou)
_LARGEST_VARIATION_MM: Final = 1_000.0
_LARGEST_GRID_POINTS: Final = 3_601


class _Reader:
    """The lines of one file with the number of the current one."""

    def __init__(self, text: str, path: PathLike) -> None:
        self.path = path
        self.lines = split_text(text)
        self.number = 0

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Line and label, comments and blank lines left out."""
        while self.number < len(self.lines):
            line = self.lines[self.number]
            self.number += 1
            label = line[_LABEL:80].strip()
            if label != "COMMENT" and line.strip():
                yield line, label

    def error(self, message: str) -> FormatError:
        return FormatError(self.path, self.number, message)

    def reals(self, text: str) -> list[float]:
        """Numbers of a text, by blanks."""
        try:
            values = [float(word) for word in text.split()]
        except ValueError as error:
            raise self.error(f"expected numbers, found {text.strip()!r}") from error
        if not all(math.isfinite(v) for v in values):
            raise self.error(f"expected finite numbers, found {text.strip()!r}")
        return values


def read_antex(path: PathLike) -> tuple[AntennaCalibration, ...]:
    """Read all antennas of an ANTEX file, compressed or not, in the file's order.

    Raises
    ------
    FormatError : not ANTEX 1.3 or 1.4, relative calibrations, cut off, a grid of another size than its
        heading says, absurd values; with the line
    """
    data, identity = read_bytes(path)
    reader = _Reader(data.decode("latin-1"), path)
    _read_header(reader)
    antennas: list[AntennaCalibration] = []
    for line, label in reader:
        if label != "START OF ANTENNA":
            raise reader.error(f"expected 'START OF ANTENNA' in columns 61-80, found {line!r}")
        antennas.append(replace(_read_antenna(reader), input=identity))
    if not antennas:
        raise FormatError(path, None, "the file holds no antenna")
    return tuple(antennas)


def _read_header(reader: _Reader) -> None:
    version = ""
    for line, label in reader:
        if label == "ANTEX VERSION / SYST":
            version = line[:8].strip()
            if version not in ("1.3", "1.4"):
                raise reader.error(f"ANTEX version {version!r} is not 1.3 or 1.4")
        elif not version:
            raise reader.error(f"expected 'ANTEX VERSION / SYST' in columns 61-80, found {line[:80]!r}")
        elif label == "PCV TYPE / REFANT" and line[:1].upper() != "A":
            raise reader.error(f"calibrations of type {line[:1]!r}; only absolute ones ('A') can be used")
        elif label == "END OF HEADER":
            return
    raise FormatError(reader.path, len(reader.lines), "no END OF HEADER: the file is cut off or not ANTEX")


def _read_antenna(reader: _Reader) -> AntennaCalibration:
    kind = serial = svn = cospar = source = ""
    azimuth_step_deg = 0.0
    zenith_deg: FloatArray = np.empty(0)
    announced: int | None = None
    valid_from: Epochs | None = None
    valid_until: Epochs | None = None
    frequencies: dict[str, AntennaFrequencyCalibration] = {}
    for line, label in reader:
        if label == "TYPE / SERIAL NO":
            # Trailing blanks of the type belong to its 20 columns ("TRM59800.00     NONE").
            kind, serial = line[:20].rstrip(), line[20:40].strip()
            svn, cospar = line[40:50].strip(), line[50:60].strip()
        elif label == "DAZI":
            azimuth_step_deg = _single(reader, line)
        elif label == "ZEN1 / ZEN2 / DZEN":
            zenith_deg = _zenith_grid(reader, line)
        elif label == "# OF FREQUENCIES":
            announced = int(_single(reader, line))
        elif label == "VALID FROM":
            valid_from = _instant(reader, line)
        elif label == "VALID UNTIL":
            valid_until = _instant(reader, line)
        elif label == "SINEX CODE":
            source = line[:10].strip()
        elif label == "START OF FREQUENCY":
            code = line[3:6].replace(" ", "0").strip()
            if zenith_deg.size == 0:
                raise reader.error(f"a frequency of {kind!r} before ZEN1 / ZEN2 / DZEN")
            frequencies[code] = _read_frequency(reader, zenith_deg.size, azimuth_step_deg)
        elif label == "START OF FREQ RMS":
            _skip_rms(reader)
        elif label == "END OF ANTENNA":
            if not kind:
                raise reader.error("an antenna without TYPE / SERIAL NO")
            if announced is not None and announced != len(frequencies):
                raise reader.error(f"{kind!r} announces {announced} frequencies, {len(frequencies)} follow")
            azimuth = None
            if azimuth_step_deg > 0.0:
                azimuth = np.radians(np.linspace(0.0, 360.0, round(360.0 / azimuth_step_deg) + 1))
            return AntennaCalibration(
                kind=kind,
                serial=serial,
                cospar=cospar,
                svn=svn,
                valid_from=valid_from,
                valid_until=valid_until,
                zenith_rad=np.radians(zenith_deg),
                azimuth_rad=azimuth,
                frequencies=frequencies,
                source=source or str(reader.path).rsplit("/", 1)[-1],
            )
    raise FormatError(reader.path, len(reader.lines), f"cut off inside the antenna {kind!r}")


def _single(reader: _Reader, line: str) -> float:
    values = reader.reals(line[:_LABEL])
    if len(values) != 1:
        raise reader.error(f"expected one number, found {line[:_LABEL].strip()!r}")
    return values[0]


def _zenith_grid(reader: _Reader, line: str) -> FloatArray:
    values = reader.reals(line[:_LABEL])
    if len(values) != 3 or values[2] <= 0.0 or not 0.0 <= values[0] < values[1] <= 180.0:
        raise reader.error(f"expected a grid 'ZEN1 ZEN2 DZEN', found {line[:_LABEL].strip()!r}")
    first, last, step = values
    n = round((last - first) / step) + 1
    if n > _LARGEST_GRID_POINTS or abs(first + (n - 1) * step - last) > 1e-6:
        raise reader.error(f"the step {step} does not lead from {first} to {last}")
    return np.linspace(first, last, n)


def _instant(reader: _Reader, line: str) -> Epochs:
    block = np.frombuffer(f"{line:<60.60s}".encode("latin-1"), dtype=np.uint8)[None, :]
    nanoseconds, bad = calendar_nanoseconds(block, _TIME_COLUMNS)
    if bad[0]:
        raise reader.error(f"expected year month day hour minute seconds, found {line[:60].strip()!r}")
    return Epochs.from_datetime64(nanoseconds.astype("datetime64[ns]")[0], TimeScale.GPST)


def _read_frequency(reader: _Reader, n_zenith: int, azimuth_step_deg: float) -> AntennaFrequencyCalibration:
    offset_mm: list[float] | None = None
    no_azimuth: list[float] | None = None
    rows: list[list[float]] = []
    for line, label in reader:
        if label == "NORTH / EAST / UP":
            offset_mm = reader.reals(line[:_LABEL])
            if len(offset_mm) != 3 or max(map(abs, offset_mm)) > _LARGEST_OFFSET_MM:
                raise reader.error(f"expected three offsets in mm, found {line[:_LABEL].strip()!r}")
        elif label == "END OF FREQUENCY":
            if offset_mm is None or no_azimuth is None:
                raise reader.error("a frequency without NORTH / EAST / UP or without NOAZI")
            expected = round(360.0 / azimuth_step_deg) + 1 if azimuth_step_deg > 0.0 else 0
            if len(rows) != expected:
                raise reader.error(f"{len(rows)} azimuths follow, expected {expected}")
            return AntennaFrequencyCalibration(
                offset_m=np.array(offset_mm) * _MILLIMETRE,
                variation_no_azimuth_m=np.array(no_azimuth) * _MILLIMETRE,
                variation_m=np.array(rows) * _MILLIMETRE if rows else None,
            )
        else:
            row = _grid_row(reader, line, n_zenith)
            if line[:8].strip() == "NOAZI":
                no_azimuth = row
            else:
                azimuth = reader.reals(line[:8])
                if len(azimuth) != 1 or abs(azimuth[0] - len(rows) * azimuth_step_deg) > 1e-6:
                    raise reader.error(f"expected azimuth {len(rows) * azimuth_step_deg}, found {line[:8]!r}")
                rows.append(row)
    raise FormatError(reader.path, len(reader.lines), "cut off inside a frequency")


def _grid_row(reader: _Reader, line: str, n_zenith: int) -> list[float]:
    values = reader.reals(line[8:])  # F8.2: numbers within the limit below never touch
    if len(values) != n_zenith:
        raise reader.error(f"{len(values)} values, expected {n_zenith}")
    if max(map(abs, values)) > _LARGEST_VARIATION_MM:
        raise reader.error(f"a phase-centre variation beyond {_LARGEST_VARIATION_MM:.0f} mm")
    return values


def _skip_rms(reader: _Reader) -> None:
    for _, label in reader:
        if label == "END OF FREQ RMS":
            return
    raise FormatError(reader.path, len(reader.lines), "cut off inside a block of RMS values")


def find_receiver_antenna(
    antennas: Iterable[AntennaCalibration], antenna_type: AntennaType, serial: str = ""
) -> AntennaCalibration | None:
    """The calibration of a receiver antenna, or None.

    The first that fits is taken, in this order: the individual one of the serial number, that of type
    and radome, that of the type without a radome (which the IGS recommends where the combination has none;
    the caller sees it by `kind`). Among equals the first in the sequence serves.
    """
    code = antenna_type.igs_code
    bare = AntennaType(antenna_type.name).igs_code
    serial = serial.strip()
    of_type: AntennaCalibration | None = None
    of_bare_type: AntennaCalibration | None = None
    for antenna in antennas:
        if antenna.svn or _SATELLITE_SERIAL.fullmatch(antenna.serial):
            continue
        kind = AntennaType(antenna.kind[:16].strip(), antenna.kind[16:20].strip() or "NONE").igs_code
        if kind == code and serial and antenna.serial == serial:
            return antenna
        if antenna.serial:
            continue
        if kind == code and of_type is None:
            of_type = antenna
        if kind == bare and of_bare_type is None:
            of_bare_type = antenna
    return of_type or of_bare_type


def find_satellite_antenna(
    antennas: Iterable[AntennaCalibration], satellite: str, epoch: Epochs
) -> AntennaCalibration | None:
    """The antenna of the spacecraft that flew as `satellite` ("C23") at an instant (shape ()), or None."""
    instant = int(epoch.tai_ns)
    for antenna in antennas:
        if antenna.serial != satellite:
            continue
        if antenna.valid_from is not None and instant < int(antenna.valid_from.tai_ns):
            continue
        if antenna.valid_until is not None and instant > int(antenna.valid_until.tai_ns):
            continue
        return antenna
    return None


def write_antex(antennas: Sequence[AntennaCalibration], path: PathLike) -> None:
    """Write antennas as ANTEX 1.4, offsets and variations to 0.01 mm; ".gz" is compressed."""
    lines = [
        f"{'     1.4            M':<60s}ANTEX VERSION / SYST",
        f"{'A':<60s}PCV TYPE / REFANT",
        f"{'':<60s}END OF HEADER",
    ]
    for antenna in antennas:
        lines += _antenna_lines(antenna)
    write_atomically(path, compress_for(path, ("\n".join(lines) + "\n").encode("ascii", errors="replace")))


def _antenna_lines(antenna: AntennaCalibration) -> Iterator[str]:
    zenith_deg = np.degrees(antenna.zenith_rad)
    azimuth_deg = None if antenna.azimuth_rad is None else np.degrees(antenna.azimuth_rad)
    step = zenith_deg[1] - zenith_deg[0] if zenith_deg.size > 1 else 1.0
    yield f"{'':<60s}START OF ANTENNA"
    names = f"{antenna.kind:<20.20s}{antenna.serial:<20.20s}{antenna.svn:<10.10s}{antenna.cospar:<10.10s}"
    yield f"{names}TYPE / SERIAL NO"
    yield f"{'':<60s}METH / BY / # / DATE"
    yield f"  {0.0 if azimuth_deg is None else azimuth_deg[1]:6.1f}{'':<52s}DAZI"
    yield f"  {zenith_deg[0]:6.1f}{zenith_deg[-1]:6.1f}{step:6.1f}{'':<40s}ZEN1 / ZEN2 / DZEN"
    yield f"{len(antenna.frequencies):6d}{'':<54s}# OF FREQUENCIES"
    for instant, label in ((antenna.valid_from, "VALID FROM"), (antenna.valid_until, "VALID UNTIL")):
        if instant is not None:
            yield f"{_calendar(instant):<60s}{label}"
    if len(antenna.source) <= 10:
        yield f"{antenna.source:<60s}SINEX CODE"
    for code, calibration in antenna.frequencies.items():
        north, east, up = calibration.offset_m / _MILLIMETRE
        yield f"   {code:<57s}START OF FREQUENCY"
        yield f"{north:10.2f}{east:10.2f}{up:10.2f}{'':<30s}NORTH / EAST / UP"
        yield "   NOAZI" + _row(calibration.variation_no_azimuth_m)
        if calibration.variation_m is not None and azimuth_deg is not None:
            for azimuth, row in zip(azimuth_deg, calibration.variation_m, strict=True):
                yield f"{azimuth:8.1f}" + _row(row)
        yield f"   {code:<57s}END OF FREQUENCY"
    yield f"{'':<60s}END OF ANTENNA"


def _row(values_m: FloatArray) -> str:
    return "".join(f"{value:8.2f}" for value in values_m / _MILLIMETRE)


def _calendar(instant: Epochs) -> str:
    day, time = str(instant.to(TimeScale.GPST).datetime64()).split("T")
    year, month, date = (int(part) for part in day.split("-"))
    hour, minute, second = time.split(":")
    return f"{year:6d}{month:6d}{date:6d}{int(hour):6d}{int(minute):6d}{float(second):13.7f}"
