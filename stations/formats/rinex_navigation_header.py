"""The header of a RINEX navigation file, with the ionosphere and time offsets that RINEX 2 and 3 keep."""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from stations.formats.fixed_width import TextLines
from stations.formats.rinex_damage import LeftOut
from stations.formats.rinex_header import leap_seconds
from stations.navigation_records import IonosphereModel, SystemTimeOffset
from transforms.errors import FormatError
from transforms.time_scales import NANOSECONDS, SECONDS_PER_DAY, Epochs, TimeScale

_VERSION: Final = re.compile(r"^\s*(?P<major>[234])(\.(?P<minor>\d{1,2}))?\s*$")
_NEWEST_MINOR: Final = {2: 12, 3: 5, 4: 2}
# Type letters of RINEX 2 (2.11, tables A3, A10, A15; 2.12 adds E and, by custom, L for Galileo).
_SYSTEM_OF_TYPE: Final = {"N": "G", "G": "R", "H": "S", "E": "E", "L": "E", "J": "J", "C": "C", "I": "I"}
_LONGEST_HEADER_LINES: Final = 20_000
_NUMBER: Final = re.compile(r"[+-]?\d*\.\d+(?:[DEde][+-]?\d+)?|[+-]?\d+")
GPS_WEEK_ZERO: Final = np.datetime64("1980-01-06", "ns")
BDT_WEEK_ZERO: Final = np.datetime64("2006-01-01", "ns")
_KLOBUCHAR_HALF: Final = 4


@dataclass(frozen=True)
class NavigationHeader:
    """Version, the system that RINEX 2 files are of, and what is broadcast for a whole system."""

    version: str
    major: int
    system: str
    ionosphere: tuple[IonosphereModel, ...]
    time_offsets: tuple[SystemTimeOffset, ...]
    leap_seconds: int | None


def names_navigation(words: str) -> bool:
    """Whether columns 21-40 of a first line name navigation data: words with NAV, or a letter alone."""
    return "NAV" in words.upper() or len(words.strip(" :")) <= 1


def read_navigation_header(lines: TextLines, left_out: LeftOut) -> tuple[NavigationHeader, int]:
    """The header, and the number (from 0) of the first line after it.

    Raises FormatError where the file is no navigation file of a version that is supported, or has no
    END OF HEADER. A line of ionosphere or time offsets that cannot be read is counted as damage.
    """
    path = left_out.path
    first = lines.text(0)
    if "RINEX VERSION / TYPE" not in first[60:]:
        raise FormatError(path, 1, f"expected 'RINEX VERSION / TYPE' in columns 61-80, found {first[:80]!r}")
    match = _VERSION.match(first[:20])
    if match is None or int(f"{match['minor'] or '':0<2s}") > _NEWEST_MINOR[int(match["major"])]:
        raise FormatError(
            path, 1, f"RINEX version {first[:20].strip()!r} is not one of 2.00-2.12, 3.00-3.05, 4.00-4.02"
        )
    major, kind = int(match["major"]), first[20:21].upper()
    if kind != "N" and not (major == 2 and kind in _SYSTEM_OF_TYPE):
        raise FormatError(path, 1, f"expected a navigation file ('N' in column 21), found {first[20:40]!r}")
    if not names_navigation(first[20:40]):
        raise FormatError(path, 1, f"expected a navigation file, found {first[20:40].strip()!r}")
    system = _SYSTEM_OF_TYPE[kind] if major == 2 else (first[40:41].strip() or "M")
    if major == 2 and kind == "N" and first[40:41] in ("E", "R", "S", "J", "C"):
        system = first[40:41]  # RINEX 2.12 with the system in column 41
    models: dict[str, IonosphereModel] = {}
    offsets: list[SystemTimeOffset] = []
    seconds: int | None = None
    for number in range(1, min(len(lines), _LONGEST_HEADER_LINES)):
        text = lines.text(number)
        label = text[60:80].strip()
        if label == "END OF HEADER":
            version = f"{major}.{match['minor'] or '':0<2s}"
            return NavigationHeader(
                version, major, system, tuple(models.values()), tuple(offsets), seconds
            ), number + 1
        sound = True
        if label in ("ION ALPHA", "ION BETA", "IONOSPHERIC CORR"):
            sound = _add_ionosphere(models, text, label)
        elif label in (
            "DELTA-UTC: A0,A1,T,W",
            "TIME SYSTEM CORR",
            "CORR TO SYSTEM TIME",
            "D-UTC A0,A1,T,W,S,U",
        ):
            offset = _time_offset(text, label)
            sound = offset is not None
            offsets += [] if offset is None else [offset]
        elif label == "LEAP SECONDS":
            seconds = leap_seconds(text)
            sound = seconds is not None
        if not sound:
            left_out.damaged("unreadable header line", np.array([number]))
    raise FormatError(path, len(lines), "no END OF HEADER: the file is cut off")


def _numbers(text: str) -> list[float]:
    return [float(n.upper().replace("D", "E")) for n in _NUMBER.findall(text)]


def _add_ionosphere(models: dict[str, IonosphereModel], text: str, label: str) -> bool:
    """Klobuchar's alpha and beta come in two lines; NeQuick in one. False where the line cannot be read."""
    if label == "IONOSPHERIC CORR":
        name, numbers = text[:4].strip(), [_numbers(text[5 + 12 * k : 17 + 12 * k]) for k in range(4)]
        if name == "GAL":
            flat = [n for part in numbers for n in part][:3]
            models["GAL"] = IonosphereModel("NEQUICK", "GAL", "", None, tuple(flat))
            return len(flat) == 3
        system, half = name[:3], name[3:4]
        # BeiDou may give several sets, by hour (column 55) and satellite (57-58).
        system += text[53:58].strip()
    else:
        numbers = [_numbers(text[2 + 12 * k : 14 + 12 * k]) for k in range(4)]
        system, half = "GPS", label[4]
        flat = [n for part in numbers for n in part]
        if label == "ION ALPHA" and len(flat) == 3:  # Galileo in RINEX 2.12
            models["GAL"] = IonosphereModel("NEQUICK", "GAL", "", None, tuple(flat))
            return True
    if half not in ("A", "B") or any(len(n) != 1 for n in numbers):
        return False
    key = f"{system}"
    known = models.get(key, IonosphereModel("KLOBUCHAR", key, "", None, (0.0,) * 8)).coefficients
    values = tuple(n[0] for n in numbers)
    joined = values + known[_KLOBUCHAR_HALF:] if half == "A" else known[:_KLOBUCHAR_HALF] + values
    models[key] = IonosphereModel("KLOBUCHAR", key, "", None, joined)
    return True


def _time_offset(text: str, label: str) -> SystemTimeOffset | None:
    if label == "TIME SYSTEM CORR":
        kind, numbers = text[:4].strip(), _numbers(text[5:50])
        if len(numbers) < 2:
            return None
        scale_zero = BDT_WEEK_ZERO if kind.startswith("BD") else GPS_WEEK_ZERO
        scale = TimeScale.BDT if kind.startswith("BD") else TimeScale.GPST
        reference = None
        if len(numbers) >= 4:
            reference = _reference(scale_zero, scale, numbers[2], numbers[3])
        # From version 3.01 on: who tells it, and the number of the UTC (3.05, table A5).
        augmentation, utc = text[51:56].strip(), text[57:59].strip()
        return SystemTimeOffset(
            kind, "", "", reference, numbers[0], numbers[1], 0.0, utc=utc, augmentation=augmentation
        )
    if label == "CORR TO SYSTEM TIME":  # GLONASS, RINEX 2: year, month, day, -TauC
        numbers = _numbers(text[21:40])
        return None if len(numbers) != 1 else SystemTimeOffset("GLUT", "", "", None, numbers[0], 0.0, 0.0)
    numbers = _numbers(text[3:22]) + _numbers(text[22:41]) + _numbers(text[41:50]) + _numbers(text[50:59])
    if len(numbers) < 4:
        return None
    reference = _reference(GPS_WEEK_ZERO, TimeScale.GPST, numbers[2], numbers[3])
    return SystemTimeOffset("GPUT", "", "", reference, numbers[0], numbers[1], 0.0)


def _reference(zero: np.datetime64, scale: TimeScale, second: float, week: float) -> Epochs | None:
    """Second and week; None where the file leaves both 0 (unknown) or beyond any week."""
    if week <= 0.0 or week > 9999.0 or abs(second) > 10 * SECONDS_PER_DAY:
        return None
    ns = round(week) * 7 * SECONDS_PER_DAY * NANOSECONDS + round(second * NANOSECONDS)
    return Epochs.from_datetime64(zero + np.timedelta64(ns, "ns"), scale)
