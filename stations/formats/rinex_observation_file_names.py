"""Names of RINEX files by the standard: long names of RINEX 3 and 4, short names of RINEX 2.

References: RINEX 4.02, appendix A1 (SSSSMRCCC_S_YYYYDDDHHMM_PPP_FFF_TT.FMT); RINEX 2.11, section 4
(ssssdddf.yyt, and ssssdddfmm.yyt for parts of an hour).
"""

import re
from pathlib import PurePath
from typing import Final

import numpy as np

from stations.records import InputFile
from transforms.errors import InputError
from transforms.time_scales import NANOSECONDS, Epochs, TimeScale

_MINUTES_OF_HOUR: Final = 60
_MINUTES_OF_DAY: Final = 1440
_LARGEST_COUNT: Final = 99  # two digits before each unit
_LONG_SITE: Final = re.compile(r"[A-Z0-9]{4}\d{2}[A-Z]{3}\Z")
_LONG_NAME: Final = re.compile(r"([A-Z0-9]{4}\d{2}[A-Z]{3})_([RSU])_\d{11}_", re.IGNORECASE)
_UNKNOWN_COUNTRY: Final = "00XXX"
_HOUR_LETTERS: Final = "abcdefghijklmnopqrstuvwx"
_QUARTER_MINUTES: Final = (0, 15, 30, 45)


def long_name(
    station: str,
    first: Epochs,
    last: Epochs,
    interval_s: float,
    kind: str,
    *,
    inputs: tuple[InputFile, ...] = (),
    compact: bool = False,
) -> str:
    """Name of RINEX 3 and 4, without packing: "WUH200CHN_R_20261160000_01D_30S_MO.rnx".

    Parameters
    ----------
    station : nine characters, or fewer, of which the first four are taken; what follows is that of an input's
        long name, else "00XXX"
    first, last : shape (), GPST; the period is counted from the first epoch
    interval_s : step of the epochs; 0 is unspecified. Navigation files have no place for it
    kind : system and type, "MO", "GO", "MM", "MN"
    inputs : files that may tell the source of the data in their long names; else it is unknown (U)

    Raises InputError where the station has no name of four letters and digits.
    """
    site = re.sub(r"[^A-Z0-9]", "", station.upper())
    if _LONG_SITE.match(site) is None:
        site = _site_of_inputs(_four_characters(site, station), inputs)
    reading = str(first.to(TimeScale.GPST).datetime64().astype("datetime64[m]"))
    start = np.datetime64(reading, "m")
    minutes = _minutes(first, last, interval_s)
    year, day = _year_and_day(start)
    parts = [site, _source(inputs), f"{year:04d}{day:03d}{reading[11:13]}{reading[14:16]}", _period(minutes)]
    if kind[-1] != "N":
        parts.append(_frequency(interval_s))
    return "_".join([*parts, kind]) + (".crx" if compact else ".rnx")


def short_name(
    station: str, first: Epochs, last: Epochs, interval_s: float, kind: str, *, compact: bool = False
) -> str:
    """Name of RINEX 2, without packing: "wuh21160.26o"; the hour's letter for an hour or less.

    kind : "O", "M" or the letter of a navigation file ("N", "G"); a compact file of observations ends in d
    """
    site = _four_characters(re.sub(r"[^A-Z0-9]", "", station.upper()), station).lower()
    start = np.datetime64(str(first.to(TimeScale.GPST).datetime64().astype("datetime64[m]")), "m")
    minutes = _minutes(first, last, interval_s)
    year, day = _year_and_day(start)
    hour, minute = divmod(int((start - start.astype("datetime64[D]")).astype(np.int64)), _MINUTES_OF_HOUR)
    session = "0"
    if minute + minutes <= _MINUTES_OF_HOUR:
        session = _HOUR_LETTERS[hour]
        if minutes <= _QUARTER_MINUTES[1] and minute in _QUARTER_MINUTES:
            session += f"{minute:02d}"
    letter = "d" if compact and kind == "O" else kind.lower()
    return f"{site}{day:03d}{session}.{year % 100:02d}{letter}"


def _site_of_inputs(site: str, inputs: tuple[InputFile, ...]) -> str:
    """Nine characters of a site of four: of an input's long name, else with its country unknown."""
    for source in inputs:
        match = _LONG_NAME.match(PurePath(source.path).name)
        if match and match[1][:4].upper() == site:
            return match[1].upper()
    return site + _UNKNOWN_COUNTRY


def _four_characters(site: str, station: str) -> str:
    if len(site) < 4:
        raise InputError(f"no file name can be made of the station {station!r}: it needs four characters")
    return site[:4]


def _minutes(first: Epochs, last: Epochs, interval_s: float) -> int:
    """Minutes from the first epoch to the end of the last interval, rounded up, at least 1."""
    span_ns = int(last.tai_ns) - int(first.tai_ns) + round(interval_s * NANOSECONDS)
    return max(1, -(-span_ns // (60 * NANOSECONDS)))


def _year_and_day(start: np.datetime64) -> tuple[int, int]:
    year = int(start.astype("datetime64[Y]").astype(np.int64)) + 1970
    begin = start.astype("datetime64[Y]").astype("datetime64[D]")
    return year, int((start.astype("datetime64[D]") - begin).astype(np.int64)) + 1


def _period(minutes: int) -> str:
    """The smallest period of two digits that holds the minutes: "15M", "01H", "01D"."""
    if minutes < _MINUTES_OF_HOUR or (minutes % _MINUTES_OF_HOUR and minutes <= _LARGEST_COUNT):
        return f"{minutes:02d}M"
    hours = -(-minutes // _MINUTES_OF_HOUR)
    if hours < 24 or (hours % 24 and hours <= _LARGEST_COUNT):
        return f"{hours:02d}H"
    days = -(-minutes // _MINUTES_OF_DAY)
    return f"{days:02d}D" if days <= _LARGEST_COUNT else f"{-(-days // 365):02d}Y"


def _frequency(interval_s: float) -> str:
    """ "30S", "05M", "10Z" (hertz); "00U" where there is none or it has no name."""
    if interval_s <= 0.0:
        return "00U"
    per_second = round(1.0 / interval_s)
    if interval_s < 1.0:
        if per_second <= _LARGEST_COUNT:
            return f"{per_second:02d}Z"
        return f"{round(per_second / 100):02d}C"  # hundreds of hertz
    seconds = round(interval_s)
    for unit, letter in ((86400, "D"), (3600, "H"), (60, "M"), (1, "S")):
        if seconds % unit == 0 and seconds // unit <= _LARGEST_COUNT:
            return f"{seconds // unit:02d}{letter}"
    return "00U"


def _source(inputs: tuple[InputFile, ...]) -> str:
    """R (receiver) or S (stream) where the long names of all inputs say so, else U (unknown)."""
    matches = [_LONG_NAME.match(PurePath(source.path).name) for source in inputs]
    letters = {match[2].upper() if match else "U" for match in matches}
    return letters.pop() if len(letters) == 1 else "U"
