"""Days as commands, settings and products name them: "2026-116"."""

from datetime import date, timedelta
from typing import Final

FIRST_GNSS_YEAR: Final = 1980  # GPS time begins on 1980-01-06


def parse_day(text: object) -> date:
    """Day from "2026-116" (year and day of year), "2026-04-26" or a TOML date; ValueError otherwise."""
    if isinstance(text, date):
        return text
    if not isinstance(text, str):
        raise ValueError(f'a day is written "2026-116" or "2026-04-26", not {text!r}')
    year, _, rest = text.strip().partition("-")
    try:
        if len(rest) == 3 and rest.isdecimal() and len(year) == 4:
            day = date(int(year), 1, 1) + timedelta(days=int(rest) - 1)
            if int(rest) < 1 or day.year != int(year):
                raise ValueError(f"{year} has no day {rest}")
        else:
            day = date.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError(f'a day is written "2026-116" or "2026-04-26", not "{text}" ({error})') from None
    if day.year < FIRST_GNSS_YEAR:
        raise ValueError(f'"{text}" is before GPS time began')
    return day


def day_name(day: date) -> str:
    """Year and day of year, "2026-116": how products and reports name a day."""
    return f"{day.year:04d}-{day.timetuple().tm_yday:03d}"
