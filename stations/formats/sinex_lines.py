"""A line of a SINEX block: its fields by name, turned into numbers, angles and times."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from stations.formats.sinex_records import Column
from transforms.errors import FormatError
from transforms.time_scales import SECONDS_PER_DAY, Epochs

_LAST_YEAR_OF_THIS_CENTURY: Final = 50  # SINEX 2.02, chapter 3: YY <= 50 is 20YY
_TIME: Final = re.compile(r"(\d\d):(\d{3}):(\d{5})\Z")
_REAL: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([EeDd][+-]?\d{1,3})?\Z")
_ANGLE: Final = re.compile(r"([+-]?)\s*(\d{1,3})(\s+-?|-)\s*(\d{1,2})\s+(\d{1,2}\.?\d*)\Z")
SinexBlocks = dict[str, list[tuple[int, str]]]


@dataclass
class SinexLine:
    """A line of a block with its number in the file, and its fields by name."""

    path: str
    number: int
    text: str
    columns: Mapping[str, Column]

    def field(self, name: str) -> str:
        column = self.columns[name]
        return self.text[column.first : column.first + column.width].strip()

    def refuse(self, name: str, expected: str) -> FormatError:
        column = self.columns[name]
        return FormatError(
            self.path,
            self.number,
            f"columns {column.first + 1}-{column.first + column.width} ({name}): expected {expected}, "
            f"found {self.field(name)!r}",
        )

    def real(self, name: str) -> float:
        text = self.field(name)
        value = float(text.upper().replace("D", "E")) if _REAL.match(text) else math.nan
        if not math.isfinite(value):
            raise self.refuse(name, "a number")
        return value

    def integer(self, name: str) -> int:
        text = self.field(name)
        if not text.isdecimal():
            raise self.refuse(name, "a whole number")
        return int(text)

    def time(self, name: str, cache: dict[str, Epochs | None]) -> Epochs | None:
        text = self.field(name)
        if text not in cache:
            is_time, cache[text] = parse_sinex_time(text)
            if not is_time:
                raise self.refuse(name, "a time YY:DDD:SSSSS")
        return cache[text]


def parse_sinex_angle_deg(text: str) -> float | None:
    """Degrees of "199 31 23.7", "-19  1  5.9", or of IGS's "0-44 34.8" (minus 0 degrees); None if none."""
    parts = _ANGLE.match(text.strip())
    if parts is None:
        return None
    minutes, seconds = int(parts[4]), float(parts[5])
    if minutes >= 60 or seconds > 60.0:
        return None
    # Summed as whole tenths of seconds, so that what was rounded to them comes back as it was.
    value = (int(parts[2]) * 36_000 + minutes * 600 + round(seconds * 10.0)) / 36_000.0
    return -value if "-" in (parts[1], parts[3]) else value


def parse_sinex_time(text: str) -> tuple[bool, Epochs | None]:
    """Whether the text is a time, and the instant, None for "00:000:00000" (open)."""
    parts = _TIME.match(text)
    if parts is None:
        return False, None
    year, day, second = (int(part) for part in parts.groups())
    if day == 0:
        return year == 0 and second == 0, None
    full_year = year + (2000 if year <= _LAST_YEAR_OF_THIS_CENTURY else 1900)
    leap = full_year % 4 == 0
    if day > 365 + leap or second > SECONDS_PER_DAY:
        return False, None
    start = np.datetime64(f"{full_year:04d}-01-01", "s")
    return True, Epochs.from_datetime64(start + np.timedelta64((day - 1) * SECONDS_PER_DAY + second, "s"))


def check_indices(path: str, name: str, indices: list[int], content: list[tuple[int, str]]) -> None:
    for position, index in enumerate(indices):
        if index != position + 1:
            raise FormatError(
                path, content[position][0], f"{name}: expected parameter index {position + 1}, found {index}"
            )
