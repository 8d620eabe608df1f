"""Series of positions in SINEX_TMS 1.00 ("%=TMS"), the SINEX for station coordinate time series.

The layout is that of the Norwegian Mapping Authority's files (columns named and described in the file's own
block TIMESERIES/COLUMNS). A day's position is at its start or at its noon: the decimal year tells.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from stations.formats.compression import read_bytes
from stations.formats.position_series import PositionSeries
from stations.formats.text_lines import latin_1_lines
from stations.records import FloatArray, InputFile, PathLike
from transforms.errors import FormatError
from transforms.time_scales import Epochs

_FIRST_LINE: Final = re.compile(r"%=TMS\s+(?P<version>\d\.\d{1,2})(\s|\Z)", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?\Z", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_LONGEST_NUMBER: Final = 40
_FIRST_YEAR: Final = 1957  # of artificial satellites
_LAST_YEAR: Final = 2200
_DATA: Final = "TIMESERIES/DATA"
_COLUMNS: Final = "TIMESERIES/COLUMNS"
_REFERENCE: Final = "TIMESERIES/REF_COORDINATE"
# Columns of a line of TIMESERIES/COLUMNS: number, name, unit.
_NUMBER_COLUMNS: Final = slice(0, 6)
_NAME_COLUMNS: Final = slice(7, 27)
_UNIT_COLUMNS: Final = slice(28, 48)
_DATE_NAME: Final = "YYYY-MM-DD"
_ENU: Final = ("EAST", "NORTH", "UP")
_SIGMAS: Final = ("SIG_EAST", "SIG_NORTH", "SIG_UP")
_XYZ: Final = ("X", "Y", "Z")
# A decimal year is printed to 1e-5 years, 0.004 days.
_DECIMAL_YEAR_TOLERANCE_DAYS: Final = 0.01
_NO_SUCH_DAY: Final = "date and decimal year that contradict each other"
_REPEATED: Final = "day given twice"
_OUT_OF_ORDER: Final = "day earlier than one before"


@dataclass(frozen=True)
class _Content:
    """Numbered lines of the blocks, comments left out."""

    blocks: dict[str, list[tuple[int, str]]]

    def lines(self, name: str) -> list[tuple[int, str]]:
        return self.blocks.get(name, [])


def read_timeseries_sinex(path: PathLike) -> PositionSeries:
    """Read a file of one station's positions over time, compressed or not.

    Days whose date and decimal year contradict each other, that come twice or out of order are left out and
    counted in `rejections`. Sigmas make a diagonal covariance (the format has no correlations).

    Raises
    ------
    FormatError : not TMS 1, cut off, without columns EAST, NORTH and UP in metres, a line that has another
        number of columns than the file describes, a number or a date that cannot be read; with the line
    """
    data, identity = read_bytes(path)
    lines = latin_1_lines(data)
    match = _FIRST_LINE.match(lines[0])
    if match is None or not match["version"].startswith("1."):
        raise FormatError(identity.path, 1, f"expected '%=TMS 1.0', found {lines[0][:40]!r}")
    content = _split(lines, identity.path)
    places = _places(content, identity.path)
    table, days, numbers = _table(content, places, identity.path)
    epochs, kept, rejections = _epochs(table, days, places)
    if not kept.any():
        raise FormatError(identity.path, len(lines), "the file holds no position")
    lines_kept = [number for number, keep in zip(numbers, kept, strict=True) if keep]
    return _series(content, table[kept], places, epochs, rejections, identity, lines_kept)


def _split(lines: Sequence[str], path: str) -> _Content:
    blocks: dict[str, list[tuple[int, str]]] = {}
    block = ""
    closed: set[str] = set()
    for number, line in enumerate(lines[1:], start=2):
        if line.startswith("+"):
            if block:
                raise FormatError(path, number, f"block {block} is not closed")
            block = line[1:].strip()
            blocks[block] = []
        elif line.startswith("-"):
            if line[1:].strip() != block:
                raise FormatError(path, number, f"block end {line[1:].strip()!r} closes no open block")
            closed.add(block)
            block = ""
        elif block and line.strip() and not line.startswith("*"):
            blocks[block].append((number, line))
    if block or _DATA not in closed:
        raise FormatError(path, len(lines), f"cut off: no -{block or _DATA}")
    return _Content(blocks)


def _places(content: _Content, path: str) -> dict[str, int]:
    """Place (from 0) of each column by its name; metres where positions or sigmas are."""
    places: dict[str, int] = {}
    for number, line in content.lines(_COLUMNS):
        place, name, unit = (line[c].strip() for c in (_NUMBER_COLUMNS, _NAME_COLUMNS, _UNIT_COLUMNS))
        if place != str(len(places) + 1) or not name or name in places:
            raise FormatError(path, number, f"expected column {len(places) + 1}, found {line[:48]!r}")
        if name in (*_ENU, *_SIGMAS, *_XYZ) and unit != "m":
            raise FormatError(path, number, f"column {name} is in {unit!r}, not in metres")
        places[name] = len(places)
    missing = [name for name in (_DATE_NAME, *_ENU) if name not in places]
    if missing:
        raise FormatError(path, None, f"{_COLUMNS} does not describe {', '.join(missing)}")
    return places


def _table(
    content: _Content, places: dict[str, int], path: str
) -> tuple[FloatArray, np.ndarray[tuple[int], np.dtype[np.datetime64]], list[int]]:
    """Numbers (n, n_column; the date's are 0), days, and numbers of the lines."""
    rows: list[list[float]] = []
    days: list[np.datetime64] = []
    numbers: list[int] = []
    of_date = places[_DATE_NAME]
    for number, line in content.lines(_DATA):
        words = line.split()
        if len(words) != len(places):
            raise FormatError(path, number, f"{len(words)} columns, expected {len(places)}: {line[:60]!r}")
        try:
            if not _DATE.match(words[of_date]):
                raise ValueError
            if not _FIRST_YEAR <= int(words[of_date][:4]) <= _LAST_YEAR:
                raise ValueError
            days.append(np.datetime64(words[of_date], "D"))
        except ValueError as error:
            raise FormatError(path, number, f"no such day: {words[of_date]!r}") from error
        words[of_date] = "0"
        for word in words:
            if not _NUMBER.match(word) or len(word) > _LONGEST_NUMBER:
                raise FormatError(path, number, f"expected a number, found {word[:40]!r}")
        rows.append([float(word) for word in words])
        numbers.append(number)
    return np.array(rows).reshape(-1, len(places)), np.array(days, dtype="datetime64[D]"), numbers


def _epochs(
    table: FloatArray, days: np.ndarray[tuple[int], np.dtype[np.datetime64]], places: dict[str, int]
) -> tuple[Epochs, np.ndarray[tuple[int], np.dtype[np.bool_]], dict[str, int]]:
    """Epochs of the days that are kept, which these are, and why others are not."""
    half_days = np.zeros(days.size)
    sound = np.ones(days.size, dtype=np.bool_)
    if "YEAR" in places and days.size:
        years = days.astype("datetime64[Y]")
        start = years.astype("datetime64[D]")
        length = ((years + 1).astype("datetime64[D]") - start).astype(np.float64)
        elapsed = (table[:, places["YEAR"]] - (years.astype(np.int64) + 1970)) * length
        since_midnight = elapsed - (days - start).astype(np.float64)
        half_days = np.rint(since_midnight * 2.0)
        sound = np.isin(half_days, (0.0, 1.0))
        sound &= np.abs(since_midnight - half_days / 2.0) < _DECIMAL_YEAR_TOLERANCE_DAYS
    nanoseconds = days.astype("datetime64[ns]").astype(np.int64)
    nanoseconds = nanoseconds + np.where(sound, half_days, 0.0).astype(np.int64) * (43_200 * 10**9)
    latest = np.maximum.accumulate(np.where(sound, nanoseconds, np.iinfo(np.int64).min))
    before = np.concatenate(([np.iinfo(np.int64).min], latest[:-1])) if days.size else latest
    repeated, early = sound & (nanoseconds == before), sound & (nanoseconds < before)
    kept = sound & ~repeated & ~early
    counts = {_NO_SUCH_DAY: ~sound, _REPEATED: repeated, _OUT_OF_ORDER: early}
    rejections = {reason: int(which.sum()) for reason, which in counts.items() if which.any()}
    return Epochs.from_datetime64(nanoseconds[kept].astype("datetime64[ns]")), kept, rejections


def _series(
    content: _Content,
    table: FloatArray,
    places: dict[str, int],
    epochs: Epochs,
    rejections: dict[str, int],
    identity: InputFile,
    numbers: Sequence[int],
) -> PositionSeries:
    def columns(names: Sequence[str]) -> FloatArray | None:
        there = all(name in places for name in names)
        return table[:, [places[name] for name in names]] if there else None

    station, frame, reference = _reference(content, identity.path)
    enu, sigma = columns(_ENU), columns(_SIGMAS)
    if enu is None:
        raise FormatError(identity.path, None, f"no columns {', '.join(_ENU)}")
    covariance: FloatArray | None = None
    if sigma is not None:
        wrong = np.asarray((sigma <= 0.0).any(axis=1))
        if wrong.any():
            number = numbers[int(np.argmax(wrong))]
            raise FormatError(identity.path, number, "a standard deviation that is not positive")
        covariance = np.zeros((len(table), 3, 3))
        covariance[:, [0, 1, 2], [0, 1, 2]] = sigma**2
    return PositionSeries(
        station,
        frame,
        epochs,
        enu,
        covariance,
        "reference coordinate of the file",
        reference_ecef_m=reference,
        position_ecef_m=columns(_XYZ),
        rejections=rejections,
        inputs=(identity,),
    )


def _reference(content: _Content, path: str) -> tuple[str, str, FloatArray | None]:
    """Station, frame and reference coordinate; the station of SITE/ID where there is no coordinate."""
    for number, line in content.lines(_REFERENCE):
        words = line.split()
        if len(words) != 9 or not all(_NUMBER.match(word) for word in words[5:8]):
            raise FormatError(path, number, f"expected a reference coordinate, found {line!r}")
        return words[0], words[8], np.array([float(word) for word in words[5:8]])
    sites = content.lines("SITE/ID")
    return (sites[0][1].split()[0] if sites else ""), "", None
