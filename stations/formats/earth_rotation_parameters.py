"""Earth rotation parameters: the IGS's ERP files (versions 1 and 2) and the IERS's finals2000A.

IGS ERP version 1: J. Kouba, IGS mail 662 (1994); pole in 1e-5 arcseconds, UT1-UTC in 1e-6 s. Version 2:
"Polar motion and length of day format", J. Kouba, IGS mail 1943; 1e-6 arcseconds, 1e-7 s. finals2000A: IERS
Rapid Service, readme.finals2000A; Bulletin A columns.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.formats.atomic_write import write_atomically
from stations.formats.compression import compress_for, read_bytes
from stations.formats.fixed_width import parse_reals, split_lines
from stations.formats.text_lines import latin_1_lines
from stations.records import EarthRotationParameters, InputFile, PathLike
from transforms.constants import ARCSECOND_RAD
from transforms.errors import FormatError
from transforms.time_scales import Epochs, TimeScale

# Units of the versions of the IGS's format: pole in arcseconds, UT1-UTC and length of day in seconds.
_UNITS: Final = {1: (1e-5, 1e-6), 2: (1e-6, 1e-7)}
_POLE_UNIT_ARCSECONDS, _UT1_UNIT_S = _UNITS[2]  # of the version that is written
# finals2000A, columns from 0: modified Julian date, x and y of the pole in arcseconds, UT1-UTC in seconds.
_FINALS_MJD: Final = (7, 8)
_FINALS_POLE_X: Final = (18, 9)
_FINALS_POLE_Y: Final = (37, 9)
_FINALS_UT1: Final = (58, 10)
# Beside them: sigmas of x, y (arcseconds) and UT1-UTC (s), excess of the length of day and its sigma (ms);
# the letters I (observed) or P (predicted) of pole and UT1.
_FINALS_BESIDE: Final = ((27, 9), (46, 9), (68, 10), (79, 7), (86, 7))
_FINALS_FLAGS: Final = (16, 57)
# Fields of a row of an IGS ERP file behind MJD, x, y and UT1-UTC: excess of the length of day, sigmas of x,
# y, UT1-UTC and length of day, three counts. Rates of x and y a day and their sigmas are optional, in any
# order, and named by the heading (IGS mail 662; Bernese's names beside the IGS's).
_IGS_BESIDE: Final = (4, 5, 6, 7, 8)
_IGS_RATES: Final = (("XRT",), ("YRT",), ("XRTSIG", "SXR"), ("YRTSIG", "SYR"))
_FINALS_LINE: Final = re.compile(r"[ \d]\d[ \d]\d[ \d]\d \d{5}\.\d\d [IP ] ")
_IGS_VERSION: Final = re.compile(r"\s*version\s+(?P<version>[12])(?!\d)", re.IGNORECASE)
# The pole has stayed within 0.6 arcseconds since 1900, and UT1-UTC is held within 0.9 s.
_LARGEST_POLE_ARCSECONDS: Final = 1.0
_LARGEST_UT1_MINUS_UTC_S: Final = 1.0
_FIRST_MJD: Final = 41317.0  # 1972-01-01, when UTC took whole leap seconds
_LAST_MJD: Final = 88069.0  # 2100-01-01
_HEADER_LINES: Final = 30


def read_earth_rotation_parameters(path: PathLike) -> EarthRotationParameters:
    """Read an IGS ERP file (version 1 or 2) or the IERS's finals2000A, told apart by their content.

    Returns
    -------
    Pole and UT1-UTC by UTC epochs, in time order; rows of finals2000A without values (beyond the
    predictions) are left out. UT1-UTC jumps at leap seconds: interpolate UT1-TAI.

    Raises
    ------
    FormatError : another format, no rows, a broken or absurd row, with the line
    """
    data, identity = read_bytes(path)
    return parse_earth_rotation_parameters(data, identity)


def is_earth_rotation(head: bytes) -> bool:
    """Whether a file that begins so is one of earth rotation parameters."""
    lines = _head_lines(head)
    return bool(lines) and (
        _FINALS_LINE.match(lines[0]) is not None or any(_IGS_VERSION.match(line) for line in lines[:3])
    )


def _head_lines(data: bytes) -> list[str]:
    return [line for line in latin_1_lines(data[:4000]) if line.strip()]


def _require_whole_last_row(data: bytes, path: str) -> None:
    """Refuse a last row without a line end that is alone or shorter than the one before.

    Digits that are cut off would leave another number.
    """
    if data.endswith(b"\n"):
        return
    rows = [row.rstrip() for row in data.rstrip().split(b"\n")[-2:]]
    if len(rows) < 2 or not re.match(rb"\s*\d", rows[0]) or len(rows[1]) < len(rows[0]):
        raise FormatError(path, data.count(b"\n") + 1, "cut off: the last row has no line end")


def parse_earth_rotation_parameters(data: bytes, identity: InputFile) -> EarthRotationParameters:
    """Like `read_earth_rotation_parameters`, from the plain text."""
    head = _head_lines(data)
    _require_whole_last_row(data, identity.path)
    if head and _FINALS_LINE.match(head[0]):
        return _parse_finals(data, identity)
    if is_earth_rotation(data):
        return _parse_igs(data, identity)
    found = head[0][:40] if head else ""
    raise FormatError(
        identity.path, 1, f"expected 'version 1', 'version 2' or a line of finals2000A, found {found!r}"
    )


def _parse_finals(data: bytes, identity: InputFile) -> EarthRotationParameters:
    lines = split_lines(data)
    rows = np.flatnonzero(lines.length > 0)
    fields: list[NDArray[np.float64]] = []
    for begin, width in (_FINALS_MJD, _FINALS_POLE_X, _FINALS_POLE_Y, _FINALS_UT1):
        values, bad = parse_reals(lines.block(rows, begin, width))
        if bad.any():
            line = int(rows[np.argmax(bad)])
            raise FormatError(
                identity.path,
                line + 1,
                f"no number in columns {begin + 1}-{begin + width}: {lines.text(line)!r}",
            )
        fields.append(values)
    table = np.stack(fields, axis=1)
    kept = ~np.isnan(table).any(axis=1)
    table, rows = table[kept], rows[kept]
    beside: list[NDArray[np.float64]] = []
    for begin, width in _FINALS_BESIDE:
        values, bad = parse_reals(lines.block(rows, begin, width))
        if bad.any():
            line = int(rows[np.argmax(bad)])
            raise FormatError(identity.path, line + 1, f"no number in columns {begin + 1}-{begin + width}")
        beside.append(values)
    flags = [lines.block(rows, column, 1)[:, 0] == ord("P") for column in _FINALS_FLAGS]
    return replace(
        _record(table, rows + 1, identity),
        pole_x_sigma_rad=beside[0] * ARCSECOND_RAD,
        pole_y_sigma_rad=beside[1] * ARCSECOND_RAD,
        ut1_minus_utc_sigma_s=beside[2],
        length_of_day_excess_s=beside[3] / 1e3,
        length_of_day_sigma_s=beside[4] / 1e3,
        predicted=flags[0] | flags[1],
    )


def _parse_igs(data: bytes, identity: InputFile) -> EarthRotationParameters:
    path = identity.path
    table: list[list[float]] = []
    beside: list[list[float]] = []
    numbers: list[int] = []
    names = ""
    rates: list[int | None] = []
    texts = latin_1_lines(data)
    versions = (_IGS_VERSION.match(line) for line in _head_lines(data)[:3])
    pole_arcseconds, ut1_s = _UNITS[next(int(match["version"]) for match in versions if match)]
    for number, line in enumerate(texts, start=1):
        fields = line.split()
        if not fields:
            continue
        if not re.fullmatch(r"\d{5}(\.\d*)?", fields[0]):
            if table:
                raise FormatError(path, number, f"expected a modified Julian date, found {line!r}")
            if number > _HEADER_LINES:
                raise FormatError(path, number, "no row of values after 30 lines of header")
            if fields[0].upper() == "MJD":
                names = line.upper().replace("-", "").replace("_", "")
                rates = [_place(names.split(), wanted) for wanted in _IGS_RATES]
            continue
        if not names:
            raise FormatError(path, number, "no line 'MJD Xpole Ypole UT1-UTC ...' before the first row")
        if "UT1UTC" not in names:
            raise FormatError(path, number, f"no column UT1-UTC in the heading {names.split()[:5]}")
        try:
            mjd, pole_x, pole_y, ut1 = (float(f) for f in fields[:4])
            beside.append(
                [
                    float(fields[i]) if i is not None and i < len(fields) else math.nan
                    for i in (*_IGS_BESIDE, *rates)
                ]
            )
        except ValueError as error:
            raise FormatError(path, number, f"expected MJD, x, y and UT1-UTC, found {line!r}") from error
        table.append([mjd, pole_x * pole_arcseconds, pole_y * pole_arcseconds, ut1 * ut1_s])
        numbers.append(number)
    record = _record(np.array(table).reshape(-1, 4), np.array(numbers, dtype=np.int64), identity)
    pole = pole_arcseconds * ARCSECOND_RAD
    strange = np.isinf(beside).any(axis=1)
    if strange.any():
        raise FormatError(path, numbers[int(np.argmax(strange))], "a value that is not finite")
    units = np.array([ut1_s, pole, pole, ut1_s, ut1_s, pole, pole, pole, pole])
    lod, x, y, ut1_sigma, lod_sigma, x_rate, y_rate, x_rate_sigma, y_rate_sigma = (np.array(beside) * units).T
    return replace(
        record,
        pole_x_sigma_rad=x,
        pole_y_sigma_rad=y,
        ut1_minus_utc_sigma_s=ut1_sigma,
        length_of_day_excess_s=lod,
        length_of_day_sigma_s=lod_sigma,
        pole_x_rate_rad_per_day=x_rate,
        pole_y_rate_rad_per_day=y_rate,
        pole_x_rate_sigma_rad_per_day=x_rate_sigma,
        pole_y_rate_sigma_rad_per_day=y_rate_sigma,
    )


def _place(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    """Place of a column by its name in the heading; None where it is not there."""
    return next((place for place, name in enumerate(names) if name in wanted), None)


def _record(
    table: NDArray[np.float64], line_numbers: NDArray[np.integer], identity: InputFile
) -> EarthRotationParameters:
    """The record from rows of MJD, x, y (arcseconds), UT1-UTC (s), checked for sense."""
    if table.size == 0:
        raise FormatError(identity.path, None, "the file holds no row of earth rotation parameters")
    absurd = (
        ~np.isfinite(table).all(axis=1)
        | (table[:, 0] < _FIRST_MJD)
        | (table[:, 0] > _LAST_MJD)
        | (np.abs(table[:, 1:3]) > _LARGEST_POLE_ARCSECONDS).any(axis=1)
        | (np.abs(table[:, 3]) > _LARGEST_UT1_MINUS_UTC_S)
    )
    if absurd.any():
        row = int(np.argmax(absurd))
        raise FormatError(
            identity.path,
            int(line_numbers[row]),
            f"out of range: MJD {table[row, 0]}, pole {table[row, 1]}, {table[row, 2]} arcseconds, "
            f"UT1-UTC {table[row, 3]} s",
        )
    not_later = np.flatnonzero(np.diff(table[:, 0]) <= 0)
    if not_later.size:
        row = int(not_later[0]) + 1
        raise FormatError(
            identity.path, int(line_numbers[row]), f"MJD {table[row, 0]} is not later than before"
        )
    return EarthRotationParameters(
        epochs=Epochs.from_modified_julian_date(table[:, 0], TimeScale.UTC),
        pole_x_rad=table[:, 1] * ARCSECOND_RAD,
        pole_y_rad=table[:, 2] * ARCSECOND_RAD,
        ut1_minus_utc_s=table[:, 3],
        inputs=(identity,),
    )


def write_earth_rotation_parameters(parameters: EarthRotationParameters, path: PathLike) -> None:
    """Write earth rotation parameters as an IGS ERP file, version 2 (1e-6 arcseconds, 1e-7 s).

    Length of day, sigmas and rates that the record does not hold are written as 0.
    """
    mjd = parameters.epochs.to(TimeScale.UTC).modified_julian_date()
    pole = _POLE_UNIT_ARCSECONDS * ARCSECOND_RAD

    def column(values: NDArray[np.float64] | None, unit: float) -> list[int]:
        if values is None:
            return [0] * len(mjd)
        return [int(v) for v in np.rint(np.nan_to_num(values / unit, nan=0.0))]

    columns = [
        column(parameters.pole_x_rad, pole),
        column(parameters.pole_y_rad, pole),
        column(parameters.ut1_minus_utc_s, _UT1_UNIT_S),
        column(parameters.length_of_day_excess_s, _UT1_UNIT_S),
        column(parameters.pole_x_sigma_rad, pole),
        column(parameters.pole_y_sigma_rad, pole),
        column(parameters.ut1_minus_utc_sigma_s, _UT1_UNIT_S),
        column(parameters.length_of_day_sigma_s, _UT1_UNIT_S),
        column(parameters.pole_x_rate_rad_per_day, pole),
        column(parameters.pole_y_rate_rad_per_day, pole),
        column(parameters.pole_x_rate_sigma_rad_per_day, pole),
        column(parameters.pole_y_rate_sigma_rad_per_day, pole),
    ]
    lines = [
        "version 2",
        "EOP  SOLUTION",
        "  MJD       Xpole    Ypole   UT1-UTC    LOD   Xsig   Ysig   UTsig LODsig  Nr Nf Nt     Xrt    Yrt"
        "  Xrtsig Yrtsig",
        '               10**-6"        .1us    .1us/d    10**-6"     .1us  .1us/d                10**-6"/d'
        '    10**-6"/d',
    ]
    for day, x, y, ut1, lod, sx, sy, sut, slod, xr, yr, sxr, syr in zip(mjd, *columns, strict=True):
        lines.append(
            f"{day:8.2f} {x:8d} {y:8d} {ut1:10d} {lod:6d} {sx:6d} {sy:6d} {sut:7d} {slod:7d}"
            f" {0:3d}{0:3d}{0:3d} {xr:7d}{yr:7d} {sxr:7d}{syr:7d}"
        )
    write_atomically(path, compress_for(path, ("\n".join(lines) + "\n").encode("ascii")))
