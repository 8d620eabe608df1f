"""Instants in one scale inside (TAI nanoseconds), shown in GPST, BDT, GST, UTC or TT.

GPST = TAI - 19 s, GST = GPST, BDT = TAI - 33 s, TT = TAI + 32.184 s (IERS Conventions 2010, chapter 10;
BeiDou ICD B1C 1.0, section 3.3; Galileo OS SIS ICD 2.1, section 5.1.2). Leap seconds come from ERFA.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final

import erfa
import numpy as np
from numpy.typing import ArrayLike, NDArray

NANOSECONDS: Final = 1_000_000_000
SECONDS_PER_DAY: Final = 86_400
_J2000_TT: Final = np.datetime64("2000-01-01T12:00:00", "ns")


class TimeScale(StrEnum):
    """The scale in which an instant is shown or was written."""

    TAI = "TAI"
    GPST = "GPST"
    GST = "GST"
    BDT = "BDT"
    UTC = "UTC"
    TT = "TT"


_FIXED_OFFSET_FROM_TAI_NS: Final = {
    TimeScale.TAI: 0,
    TimeScale.GPST: -19 * NANOSECONDS,
    TimeScale.GST: -19 * NANOSECONDS,
    TimeScale.BDT: -33 * NANOSECONDS,
    TimeScale.TT: 32_184_000_000,
}


@lru_cache(maxsize=1)
def _leap_second_table() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Days on which TAI - UTC changes, as UTC nanoseconds since 1970, and the value in ns from then on."""
    table = erfa.leap_seconds.get()
    table = table[table["year"] >= 1972]
    starts = [
        np.datetime64(f"{int(y):04d}-{int(m):02d}-01", "ns").astype(np.int64)
        for y, m in zip(table["year"], table["month"], strict=True)
    ]
    return np.array(starts, dtype=np.int64), np.rint(table["tai_utc"] * NANOSECONDS).astype(np.int64)


def _tai_minus_utc_ns(utc_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    starts, offsets = _leap_second_table()
    index = np.searchsorted(starts, utc_ns, side="right") - 1
    if np.any(index < 0):
        raise ValueError("UTC before 1972-01-01 has no whole leap seconds and is not supported")
    return offsets[index]


@dataclass(frozen=True, eq=False)
class Epochs:
    """Instants of time.

    Attributes
    ----------
    tai_ns : int64, any shape; TAI nanoseconds since 1970-01-01T00:00:00 TAI
    scale : the scale in which the instants are shown
    """

    tai_ns: NDArray[np.int64]
    scale: TimeScale = TimeScale.GPST

    def __post_init__(self) -> None:
        object.__setattr__(self, "tai_ns", np.asarray(self.tai_ns, dtype=np.int64))

    @classmethod
    def from_datetime64(cls, value: ArrayLike, scale: TimeScale = TimeScale.GPST) -> "Epochs":
        """Instants whose calendar reading in `scale` is `value` (numpy datetime64 or ISO strings)."""
        ns = np.asarray(value, dtype="datetime64[ns]").astype(np.int64)
        if scale is TimeScale.UTC:
            return cls(ns + _tai_minus_utc_ns(ns), scale)
        return cls(ns - _FIXED_OFFSET_FROM_TAI_NS[scale], scale)

    @classmethod
    def from_modified_julian_date(cls, mjd: ArrayLike, scale: TimeScale = TimeScale.GPST) -> "Epochs":
        """Instants from a modified Julian date in `scale` (days; a double resolves about 1 microsecond)."""
        days = np.asarray(mjd, dtype=np.float64)
        whole = np.floor(days)
        ns = (whole - 40587.0).astype(np.int64) * SECONDS_PER_DAY * NANOSECONDS
        ns = ns + np.rint((days - whole) * SECONDS_PER_DAY * NANOSECONDS).astype(np.int64)
        return cls.from_datetime64(ns.astype("datetime64[ns]"), scale)

    @classmethod
    def from_decimal_year(cls, year: ArrayLike, scale: TimeScale = TimeScale.GPST) -> "Epochs":
        """Instants from decimal years (fraction of the calendar year's own length)."""
        years = np.asarray(year, dtype=np.float64)
        whole = np.floor(years).astype(np.int64)
        start = (whole - 1970).astype("datetime64[Y]").astype("datetime64[ns]")
        end = (whole - 1969).astype("datetime64[Y]").astype("datetime64[ns]")
        length = (end - start).astype(np.int64)
        ns = start.astype(np.int64) + np.rint((years - whole) * length).astype(np.int64)
        return cls.from_datetime64(ns.astype("datetime64[ns]"), scale)

    def to(self, scale: TimeScale) -> "Epochs":
        """The same instants, shown in another scale."""
        return Epochs(self.tai_ns, scale)

    def datetime64(self) -> NDArray[np.datetime64]:
        """Calendar reading in `self.scale`, datetime64[ns]. A UTC leap second shows as the next second."""
        if self.scale is TimeScale.UTC:
            starts, offsets = _leap_second_table()
            index = np.searchsorted(starts + offsets, self.tai_ns, side="right") - 1
            if np.any(index < 0):
                raise ValueError("UTC before 1972-01-01 has no whole leap seconds and is not supported")
            return (self.tai_ns - offsets[index]).astype("datetime64[ns]")
        return (self.tai_ns + _FIXED_OFFSET_FROM_TAI_NS[self.scale]).astype("datetime64[ns]")

    def seconds_since(self, reference: "Epochs") -> NDArray[np.float64]:
        """Elapsed SI seconds since `reference` (shape (), or broadcastable)."""
        return np.asarray((self.tai_ns - reference.tai_ns) / NANOSECONDS, dtype=np.float64)

    def plus_seconds(self, seconds: ArrayLike) -> "Epochs":
        """Instants later by `seconds` (SI)."""
        ns = np.rint(np.asarray(seconds, dtype=np.float64) * NANOSECONDS).astype(np.int64)
        return Epochs(self.tai_ns + ns, self.scale)

    def modified_julian_date(self) -> NDArray[np.float64]:
        """Modified Julian date in `self.scale`, days."""
        ns = self.datetime64().astype(np.int64)
        return np.asarray(40587.0 + ns / (SECONDS_PER_DAY * NANOSECONDS), dtype=np.float64)

    def julian_date_parts(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Julian date in `self.scale` as (2400000.5 + whole days, fraction of day), for ERFA."""
        ns = self.datetime64().astype(np.int64)
        day_ns = SECONDS_PER_DAY * NANOSECONDS
        whole = ns // day_ns
        fraction = (ns - whole * day_ns) / day_ns
        return np.asarray(2440587.5 + whole, dtype=np.float64), np.asarray(fraction, dtype=np.float64)

    def decimal_year(self) -> NDArray[np.float64]:
        """Decimal year in `self.scale` (fraction of the calendar year's own length)."""
        moment = self.datetime64()
        start = moment.astype("datetime64[Y]")
        length = ((start + 1).astype("datetime64[ns]") - start.astype("datetime64[ns]")).astype(np.int64)
        fraction = (moment - start.astype("datetime64[ns]")).astype(np.int64) / length
        return np.asarray(start.astype(np.int64) + 1970 + fraction, dtype=np.float64)

    def iso(self) -> str:
        """ISO 8601 reading of one instant in `self.scale`, whole seconds where they are whole."""
        if self.tai_ns.ndim != 0:
            raise ValueError(f"iso() shows one instant, and this holds {self.tai_ns.size}")
        text = str(self.datetime64())
        return text.removesuffix(".000000000") if text.endswith(".000000000") else text.rstrip("0")

    def date(self) -> date:
        """Calendar day of one instant in `self.scale`."""
        moment: datetime = self.datetime64().astype("datetime64[us]").item()
        return moment.date()

    def __len__(self) -> int:
        return int(self.tai_ns.shape[0])

    def __getitem__(self, index: "int | slice | NDArray[np.bool_] | NDArray[np.integer]") -> "Epochs":
        return Epochs(np.asarray(self.tai_ns[index], dtype=np.int64), self.scale)
