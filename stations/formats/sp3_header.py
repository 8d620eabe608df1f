"""The header of an SP3 file: version, frame, agency, time system, accuracies (SP3-d document, pages 3-9)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from stations.formats.fixed_width import TextLines
from stations.formats.satellite_names import TIME_SYSTEM, satellite_keys, satellite_name
from transforms.errors import FormatError
from transforms.time_scales import TimeScale

_ACCURACY_COLUMNS: Final = tuple(range(9, 60, 3))  # of "+" and "++" lines, 17 of 3 columns
# Bases of the exponents, "%f" line: columns 4-13 for positions (mm), 15-26 for clocks (ps).
_BASE_COLUMNS: Final = (slice(3, 13), slice(14, 26))
_FRAME_COLUMNS: Final = slice(46, 51)
_AGENCY_COLUMNS: Final = slice(56, 60)
_TIME_SYSTEM_COLUMNS: Final = slice(9, 12)


@dataclass(frozen=True)
class Sp3Header:
    """What the lines before the first epoch tell; accuracies are one sigma of a satellite's orbit."""

    version: str
    frame: str
    agency: str
    scale: TimeScale
    accuracy_m: dict[str, float]
    sigma_bases: tuple[float, float]

    @property
    def has_flags(self) -> bool:
        """Whether the columns behind the clock are defined: SP3-c and later."""
        return self.version in "cdCD"


def read_sp3_header(lines: TextLines, top: int, n_lines: int, path: str) -> Sp3Header:
    """The header, from line `top` to `n_lines` (from 0). Raises FormatError."""
    first = lines.text(top)
    scale = TimeScale.GPST  # SP3-a and b know GPS time only
    satellites: list[str] = []
    exponents: list[tuple[int, str]] = []
    bases: tuple[float, float] | None = None
    seen_time_system = False
    for number in range(top + 1, n_lines):
        text = lines.text(number)
        if text.startswith("++"):
            exponents += [(number, text[c : c + 3].strip()) for c in _ACCURACY_COLUMNS]
        elif text.startswith("+"):
            satellites += [text[c : c + 3] for c in _ACCURACY_COLUMNS]
        elif text.startswith("%c") and not seen_time_system:
            seen_time_system = True  # the second %c line is spare
            name = text[_TIME_SYSTEM_COLUMNS].strip().upper()
            if name and name != "CCC":
                if name not in TIME_SYSTEM:
                    raise FormatError(path, number + 1, f"unknown time system {name!r} in columns 10-12")
                scale = TIME_SYSTEM[name]
        elif text.startswith("%f") and bases is None:
            words = [text[columns].strip() for columns in _BASE_COLUMNS]
            bases = (_base(words[0], number, path), _base(words[1], number, path))
    return Sp3Header(
        first[1],
        first[_FRAME_COLUMNS].strip(),
        first[_AGENCY_COLUMNS].strip(),
        scale,
        _accuracies(satellites, exponents, path),
        bases or (0.0, 0.0),
    )


def _base(text: str, number: int, path: str) -> float:
    if not text:
        return 0.0
    if not re.fullmatch(r"\d+\.?\d*|\.\d+", text, re.ASCII):
        raise FormatError(path, number + 1, f"expected the base of the standard deviations, found {text!r}")
    return float(text)


def _accuracies(
    satellites: Sequence[str], exponents: Sequence[tuple[int, str]], path: str
) -> dict[str, float]:
    """One sigma of each satellite's orbit, 2 ** n mm (SP3-d, lines 8 to 12); 0 and blanks are unknown."""
    accuracy_m: dict[str, float] = {}
    for name, (number, text) in zip(satellites, exponents, strict=False):
        if text in ("", "0") or not name.strip(" 0"):
            continue
        if not re.fullmatch(r"\d{1,2}", text):
            raise FormatError(path, number + 1, f"expected the exponent of an accuracy, found {text!r}")
        key, bad = satellite_keys(np.frombuffer(name.ljust(3).encode("latin-1"), dtype=np.uint8)[None, :])
        if not bad[0]:
            accuracy_m[satellite_name(int(key[0]))] = 2.0 ** int(text) * 1e-3
    return accuracy_m
