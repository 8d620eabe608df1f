"""Series of daily positions: NGL's tenv and tenv3, and PBO's .pos.

References: Nevada Geodetic Laboratory, README_tenv3.txt (Blewitt, Hammond and Kreemer 2018,
doi:10.1029/2018EO104623); UNAVCO (2013), Notice to data product users, PBO position files, version 1.1.0.
A day's solution of the NGL is at noon of GPST: its decimal year says so, and its MJD is the day's number.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from stations.formats.atomic_write import write_atomically
from stations.formats.compression import compress_for, read_bytes
from stations.formats.text_lines import latin_1_lines
from stations.records import FloatArray, InputFile, PathLike
from transforms.ellipsoids import WGS84
from transforms.errors import FormatError, InputError
from transforms.geodetic import enu_from_ecef_matrix, geodetic_from_ecef
from transforms.time_scales import Epochs, TimeScale

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?\Z")
_NGL_DATE: Final = re.compile(r"(?P<year>\d\d)(?P<month>[A-Z]{3})(?P<day>\d\d)\Z")
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_FIRST_YEAR_OF_TWO_DIGITS: Final = 80  # GPS began in 1980
_NOON_DAYS: Final = 0.5
_TENV_COLUMNS: Final = 17
_TENV3_COLUMNS: Final = (20, 23)  # without and with latitude, longitude and height
_POS_COLUMNS: Final = 25
_POS_TITLE: Final = "PBO Station Position Time Series"
_LARGEST_NUMBER: Final = 1e9  # metres and days are below it, and so is a date of eight digits
_LARGEST_SIGMA_M: Final = 100.0
_LARGEST_CORRELATION: Final = 1.0005  # printed with six decimals at the most; rounding may pass 1
_MJD_OF_1970: Final = 40587
_MJD_TOLERANCE_DAYS: Final = 0.002  # .pos prints three or four decimals


@dataclass(frozen=True, eq=False)
class PositionSeries:
    """Positions of one station over time.

    epochs : (n,) GPST, strictly increasing
    position_enu_m : (n, 3) east, north, up from the reference
    covariance_enu_m2 : (n, 3, 3), or None where the file has no sigmas
    reference : the place from which the differences count, in words of the format: "PBO" reference position,
        or NGL's whole metres east of a meridian, north of the equator and above the ellipsoid
    reference_enu_m : NGL's whole metres (3,), or None
    reference_ecef_m : PBO's reference position (3,), or None
    position_ecef_m : (n, 3), or None where the file has no coordinates
    antenna_height_m : (n,) NGL's, or None
    """

    station: str
    frame: str
    epochs: Epochs
    position_enu_m: FloatArray
    covariance_enu_m2: FloatArray | None
    reference: str
    reference_enu_m: FloatArray | None = None
    reference_ecef_m: FloatArray | None = None
    position_ecef_m: FloatArray | None = None
    antenna_height_m: FloatArray | None = None
    rejections: Mapping[str, int] = field(default_factory=dict)
    inputs: tuple[InputFile, ...] = ()


def read_position_series(path: PathLike) -> PositionSeries:
    """Read a file of tenv, tenv3 or .pos, compressed or not; which it is, is told by its content.

    Of a day that comes twice the first serves, counted in `rejections`.

    Raises
    ------
    FormatError : none of the three, two stations, a line with another number of columns, a number or a date
        that cannot be read or that contradict each other, epochs out of order; with the line
    """
    data, identity = read_bytes(path)
    lines = latin_1_lines(data)
    if _POS_TITLE in lines[0]:
        return _parse_pos(lines, identity)
    return _parse_ngl(lines, identity)


def _numbers(words: Sequence[str], path: str, number: int) -> list[float]:
    for word in words:
        if not _NUMBER.match(word):
            raise FormatError(path, number, f"expected a number, found {word!r}")
    values = [float(word) for word in words]
    for word, value in zip(words, values, strict=True):
        if abs(value) > _LARGEST_NUMBER:
            raise FormatError(path, number, f"no number of a position: {word[:40]!r}")
    return values


def _parse_ngl(lines: Sequence[str], identity: InputFile) -> PositionSeries:
    path = identity.path
    rows: list[list[float]] = []
    numbers: list[int] = []
    station = ""
    columns = 0
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words or (number == 1 and words[:2] == ["site", "YYMMMDD"]):
            continue
        columns = columns or len(words)
        if len(words) != columns or columns not in (_TENV_COLUMNS, *_TENV3_COLUMNS):
            raise FormatError(
                path, number, f"expected a line of tenv (17 columns) or tenv3 (20 or 23), found {line[:60]!r}"
            )
        station = station or words[0]
        if words[0] != station:
            raise FormatError(path, number, f"station {words[0]} in a file of {station}")
        row = _numbers(words[2:], path, number)
        _check_day(words[1], row, path, number)
        rows.append(row)
        numbers.append(number)
    if not rows:
        raise FormatError(path, len(lines), "the file holds no position")
    table = np.array(rows)
    mjd, kept, rejections = _in_order(table[:, 1], numbers, path)
    table = table[kept]
    if columns == _TENV_COLUMNS:
        whole = np.trunc(table[:1, 5:8])
        enu = table[:, 5:8] - whole
        antenna, sigma, correlation = table[:, 8], table[:, 9:12], table[:, 12:15]
    else:
        whole = table[:1, [5, 7, 9]]
        enu = (table[:, [5, 7, 9]] - whole) + table[:, [6, 8, 10]]
        antenna, sigma, correlation = table[:, 11], table[:, 12:15], table[:, 15:18]
    lines_kept = [number for number, keep in zip(numbers, kept, strict=True) if keep]
    return PositionSeries(
        station,
        "",
        Epochs.from_modified_julian_date(mjd + _NOON_DAYS),
        enu,
        _covariance(sigma, correlation, lines_kept, path),
        f"whole metres east of the meridian {table[0, 4]:g}, north of the equator and above the ellipsoid",
        reference_enu_m=whole[0],
        antenna_height_m=antenna,
        rejections=rejections,
        inputs=(identity,),
    )


def _check_day(text: str, row: Sequence[float], path: str, number: int) -> None:
    """The date and the MJD of a line of the NGL must name the same day."""
    match = _NGL_DATE.match(text)
    if match is None or match["month"] not in _MONTHS:
        raise FormatError(path, number, f"expected a date YYMMMDD, found {text!r}")
    short = int(match["year"])
    year = short + (1900 if short >= _FIRST_YEAR_OF_TWO_DIGITS else 2000)
    try:
        day = np.datetime64(f"{year:04d}-{_MONTHS.index(match['month']) + 1:02d}-{match['day']}", "D")
    except ValueError as error:
        raise FormatError(path, number, f"no such day: {text!r}") from error
    if int(day.astype(np.int64)) + _MJD_OF_1970 != row[1]:
        raise FormatError(path, number, f"the date {text} is not that of MJD {row[1]:g}")


def _in_order(
    mjd: FloatArray, numbers: Sequence[int], path: str
) -> tuple[FloatArray, np.ndarray[tuple[int], np.dtype[np.bool_]], dict[str, int]]:
    step = np.diff(mjd)
    if np.any(step < 0):
        raise FormatError(path, numbers[int(np.argmax(step < 0)) + 1], "a day earlier than the one before")
    kept = np.concatenate(([True], step > 0))
    repeated = int((~kept).sum())
    return mjd[kept], kept, {"day given twice": repeated} if repeated else {}


def _covariance(sigma: FloatArray, correlation: FloatArray, numbers: Sequence[int], path: str) -> FloatArray:
    """(n, 3, 3) from sigmas of e, n, u and correlations en, eu, nu."""
    wrong = (sigma <= 0.0) | (sigma > _LARGEST_SIGMA_M) | (np.abs(correlation) > _LARGEST_CORRELATION)
    if wrong.any():
        row = int(np.argmax(wrong.any(axis=1)))
        raise FormatError(
            path, numbers[row], f"sigmas {sigma[row]} m or correlations {correlation[row]} are out of range"
        )
    matrix = np.zeros((len(sigma), 3, 3))
    matrix[:, [0, 1, 2], [0, 1, 2]] = 1.0
    for column, (i, j) in enumerate(((0, 1), (0, 2), (1, 2))):
        matrix[:, i, j] = matrix[:, j, i] = np.clip(correlation[:, column], -1.0, 1.0)
    return np.asarray(matrix * sigma[:, :, None] * sigma[:, None, :])


def _parse_pos(lines: Sequence[str], identity: InputFile) -> PositionSeries:
    path = identity.path
    header: dict[str, str] = {"Reference Frame": lines[0].partition("Reference Frame :")[2].strip()}
    begin = 0
    for number, line in enumerate(lines, start=1):
        if line.startswith("End Field Description"):
            begin = number
            break
        key, separator, value = line.partition(":")
        if separator:
            header.setdefault(key.strip(), value.strip())
    if not begin:
        raise FormatError(path, len(lines), "no 'End Field Description': the header is cut off")
    version = header.get("Format Version", "")
    if not version.startswith("1."):
        raise FormatError(path, 2, f"PBO format version {version!r} is not 1.x")
    reference = header.get("XYZ Reference position", "").split()[:3]
    if len(reference) != 3:
        raise FormatError(path, begin, "no 'XYZ Reference position'")
    rows: list[list[float]] = []
    numbers: list[int] = []
    for number, line in enumerate(lines[begin:], start=begin + 1):
        if line.startswith("*") or not line.strip():
            continue
        words = line.split()
        if len(words) != _POS_COLUMNS:
            raise FormatError(path, number, f"{len(words)} columns, expected {_POS_COLUMNS}: {line[:60]!r}")
        row = _numbers(words[:24], path, number)
        row[2] = _seconds_of_moment(words, row[2], path, number)
        rows.append(row)
        numbers.append(number)
    if not rows:
        raise FormatError(path, len(lines), "the file holds no position")
    table = np.array(rows)
    seconds, kept, rejections = _in_order(table[:, 2], numbers, path)
    table = table[kept]
    lines_kept = [number for number, keep in zip(numbers, kept, strict=True) if keep]
    return PositionSeries(
        header.get("4-character ID", "") or header.get("Station name", ""),
        header["Reference Frame"],
        Epochs.from_datetime64(seconds.astype(np.int64).astype("datetime64[s]")),
        table[:, [16, 15, 17]],
        # The file has sigmas of n, e, u and correlations ne, nu, eu.
        _covariance(table[:, [19, 18, 20]], table[:, [21, 23, 22]], lines_kept, path),
        "PBO reference position",
        reference_ecef_m=np.array(_numbers(reference, path, begin)),
        position_ecef_m=table[:, 3:6],
        rejections=rejections,
        inputs=(identity,),
    )


def _seconds_of_moment(words: Sequence[str], mjd: float, path: str, number: int) -> float:
    """Seconds since 1970 of a line's date and time, which its MJD must confirm (to its few decimals)."""
    day, time = words[0], words[1].zfill(6)
    if not re.fullmatch(r"\d{8}", day) or not re.fullmatch(r"\d{6}", time):
        raise FormatError(path, number, f"expected YYYYMMDD HHMMSS, found {day} {words[1]}")
    try:
        moment = np.datetime64(f"{day[:4]}-{day[4:6]}-{day[6:]}T{time[:2]}:{time[2:4]}:{time[4:]}", "s")
    except ValueError as error:
        raise FormatError(path, number, f"no such instant: {day} {words[1]}") from error
    seconds = float(moment.astype(np.int64))
    if abs(seconds / 86_400.0 + _MJD_OF_1970 - mjd) > _MJD_TOLERANCE_DAYS:
        raise FormatError(path, number, f"{day} {words[1]} is not MJD {mjd:g}")
    return seconds


def write_pbo_series(series: PositionSeries, path: PathLike, *, name: str = "") -> None:
    """Write a series with coordinates as PBO .pos, version 1.1.0, whole or not at all; ".gz" compresses.

    The release date is the last epoch, so that the same series give the same bytes. InputError where the
    series has no coordinates (as NGL's have none).
    """
    ecef_m, reference_m, covariance_m2 = (
        series.position_ecef_m,
        series.reference_ecef_m,
        series.covariance_enu_m2,
    )
    if ecef_m is None or reference_m is None or covariance_m2 is None:
        raise InputError(f"the series of {series.station} has no coordinates or sigmas: .pos cannot hold it")
    text = "\n".join(_pos_lines(series, ecef_m, reference_m, covariance_m2, name)) + "\n"
    write_atomically(path, compress_for(path, text.encode("latin-1", errors="replace")))


_POS_FIELDS: Final = (
    "YYYYMMDD      Year, month, day for the given position epoch",
    "HHMMSS        Hour, minute, second for the given position epoch",
    "JJJJJ.JJJJJ   Modified Julian day for the given position epoch",
    "X             X coordinate, Specified Reference Frame, meters",
    "Y             Y coordinate, Specified Reference Frame, meters",
    "Z             Z coordinate, Specified Reference Frame, meters",
    "Sx            Standard deviation of the X position, meters",
    "Sy            Standard deviation of the Y position, meters",
    "Sz            Standard deviation of the Z position, meters",
    "Rxy           Correlation of the X and Y position",
    "Rxz           Correlation of the X and Z position",
    "Ryz           Correlation of the Y and Z position",
    "Nlat          North latitude, WGS-84 ellipsoid, decimal degrees",
    "Elong         East longitude, WGS-84 ellipsoid, decimal degrees",
    "Height (Up)   Height relative to WGS-84 ellipsoid, m",
    "dN            Difference in North component from NEU reference position, meters",
    "dE            Difference in East component from NEU reference position, meters",
    "du            Difference in vertical component from NEU reference position, meters",
    "Sn            Standard deviation of dN, meters",
    "Se            Standard deviation of dE, meters",
    "Su            Standard deviation of dU, meters",
    "Rne           Correlation of dN and dE",
    "Rnu           Correlation of dN and dU",
    "Reu           Correlation of dE and dU",
    "Soln          Solution type",
)


def _pos_lines(
    series: PositionSeries, ecef_m: FloatArray, reference_m: FloatArray, covariance_m2: FloatArray, name: str
) -> Iterator[str]:
    moments = series.epochs.to(TimeScale.GPST).plus_seconds(0.5).datetime64().astype("datetime64[s]")
    stamps = [str(m).replace("-", "").replace(":", "").replace("T", " ") for m in moments]
    latitude, longitude, height = (float(v) for v in geodetic_from_ecef(reference_m, WGS84))
    turn = enu_from_ecef_matrix(latitude, longitude)
    frame = series.frame or "Unknown"
    yield f"{_POS_TITLE}. Reference Frame : {frame}"
    yield from ("Format Version: 1.1.0", f"4-character ID: {series.station[:4]}")
    yield f"Station name  : {name or series.station}"
    yield from (
        f"First Epoch   : {stamps[0]}",
        f"Last Epoch    : {stamps[-1]}",
        f"Release Date  : {stamps[-1]}",
    )
    yield f"XYZ Reference position : {' '.join(f'{v:14.5f}' for v in reference_m)} ({frame})"
    degrees = f"{np.degrees(latitude):15.10f} {np.degrees(longitude) % 360.0:15.10f} {height:11.5f}"
    yield f"NEU Reference position : {degrees} ({frame}/WGS84)"
    yield from ("Start Field Description", *_POS_FIELDS, "End Field Description")
    yield (
        "*YYYYMMDD HHMMSS JJJJJ.JJJJ X Y Z Sx Sy Sz Rxy Rxz Ryz NLat Elong Height dN dE dU "
        "Sn Se Su Rne Rnu Reu Soln"
    )
    mjd = series.epochs.to(TimeScale.GPST).modified_julian_date()
    for i, stamp in enumerate(stamps):
        covariance = covariance_m2[i]
        phi, lam, h = (float(v) for v in geodetic_from_ecef(ecef_m[i], WGS84))
        sigma_xyz, correlation_xyz = _sigmas(turn.T @ covariance @ turn)
        sigma, correlation = _sigmas(covariance)
        east, north, up = series.position_enu_m[i]
        words = [f" {stamp} {mjd[i]:10.4f}", *(f"{v:14.5f}" for v in ecef_m[i])]
        words += [*(f"{v:8.5f}" for v in sigma_xyz), *(f"{v:6.3f}" for v in correlation_xyz)]
        words += [f"{np.degrees(phi):15.10f} {np.degrees(lam) % 360.0:15.10f} {h:11.5f}"]
        words += [
            f"{north:10.5f} {east:10.5f} {up:10.5f}",
            f"{sigma[1]:8.5f} {sigma[0]:8.5f} {sigma[2]:8.5f}",
        ]
        words += [f"{correlation[0]:6.3f} {correlation[2]:6.3f} {correlation[1]:6.3f} final"]
        yield " ".join(words)


def _sigmas(covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sigmas (3,) and correlations 01, 02, 12 of a covariance (3, 3)."""
    sigma = np.sqrt(np.diagonal(covariance))
    if not np.all(np.isfinite(sigma)) or np.any(sigma <= 0.0):
        raise InputError("a covariance of the series is not positive: nothing is written")
    correlation = covariance / np.outer(sigma, sigma)
    return sigma, np.array([correlation[0, 1], correlation[0, 2], correlation[1, 2]])
