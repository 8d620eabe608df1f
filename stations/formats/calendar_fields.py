"""Calendar readings of fixed columns (year month day hour minute seconds) as integer nanoseconds."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.formats.fixed_width import BoolArray, ByteArray, IntArray, parse_integers, parse_reals

NANOSECONDS_PER_SECOND: Final = 1_000_000_000
# RINEX 4.02 appendix and SP3-d: observations and orbits of artificial satellites; GPS week 0 is 1980.
_FIRST_YEAR: Final = 1957
_LAST_YEAR: Final = 2200


def calendar_nanoseconds(
    block: ByteArray, columns: tuple[tuple[int, int], ...]
) -> tuple[IntArray, BoolArray]:
    """Calendar readings of a block (n, width) as nanoseconds since 1970, in the scale they are written in.

    Parameters
    ----------
    block : bytes of the lines
    columns : (first, width) of year, month, day, hour, minute and seconds; seconds is a real number whose
        decimals are taken exactly to the nanosecond

    Returns
    -------
    nanoseconds : (n,), 0 where bad
    bad : (n,), true where a field is blank, is no number or names no instant (month 13, 30 February)
    """
    fields: list[IntArray] = []
    bad = np.zeros(block.shape[0], dtype=np.bool_)
    for first, width in columns[:5]:
        part = block[:, first : first + width]
        values, wrong = parse_integers(part)
        bad |= wrong | (part == 32).all(axis=1)
        fields.append(values)
    first, width = columns[5]
    seconds, wrong = parse_reals(block[:, first : first + width])
    bad |= wrong | np.isnan(seconds)
    year, month, day, hour, minute = fields
    nanoseconds, impossible = nanoseconds_from_fields(
        year, month, day, hour, minute, np.where(bad, 0.0, seconds)
    )
    bad |= impossible
    return np.where(bad, 0, nanoseconds), bad


def nanoseconds_from_fields(
    year: IntArray,
    month: IntArray,
    day: IntArray,
    hour: IntArray,
    minute: IntArray,
    seconds: NDArray[np.float64],
) -> tuple[IntArray, BoolArray]:
    """Nanoseconds since 1970 of calendar fields, all (n,), and which of them name no instant.

    A second of 60 (a leap second of UTC) is taken as the next minute's start.
    """
    bad = (year < _FIRST_YEAR) | (year > _LAST_YEAR) | (month < 1) | (month > 12) | (day < 1)
    months = (np.where(bad, 1970, year) - 1970) * 12 + np.where(bad, 1, month) - 1
    month_start = months.astype("datetime64[M]")
    month_days = ((month_start + 1).astype("datetime64[D]") - month_start.astype("datetime64[D]")).astype(
        np.int64
    )
    bad |= (day > month_days) | (hour < 0) | (hour > 24) | (minute < 0) | (minute > 59)
    bad |= ~(seconds >= 0.0) | (seconds > 60.0)
    days = month_start.astype("datetime64[D]").astype(np.int64) + np.where(bad, 1, day) - 1
    whole = ((days * 24 + hour) * 60 + minute) * 60
    # A reading below 61 s with up to nine decimals times 1e9 is within 1e-5 of its integer: rint is exact.
    fraction = np.rint(np.where(bad, 0.0, seconds) * NANOSECONDS_PER_SECOND).astype(np.int64)
    return np.where(bad, 0, whole * NANOSECONDS_PER_SECOND + fraction), bad
