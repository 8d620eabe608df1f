"""Days on which stations are known to have moved: IGS soln tables, NGL's steps, antenna changes of site logs.

An IGS table is SINEX with SOLUTION/DISCONTINUITY; a step is where a solution number ends, positions only.
Of NGL's steps those of code 1 that name an antenna and those of code 2 (earthquakes) are taken: receiver and
elevation cut-off changes seldom move a position by more than its noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from stations.formats.compression import read_bytes
from stations.formats.sinex import read_discontinuities
from stations.formats.site_log import read_site_log
from stations.records import PathLike
from transforms.errors import FormatError
from transforms.time_scales import Epochs

_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_FIRST_YEAR: Final = 80  # GPS begins in 1980: two digits below are of this century
_EQUIPMENT: Final = "1"
_EARTHQUAKE: Final = "2"
_SOFTWARE: Final = "3"
_CODE_LENGTH: Final = 4


@dataclass(frozen=True)
class KnownStep:
    """A step of a station: first instant of the new position, and why.

    station : four characters or more; source : path of the file
    """

    station: str
    epoch: Epochs
    reason: str
    source: str


def read_known_steps(paths: Sequence[PathLike]) -> tuple[KnownStep, ...]:
    """The steps in files of the three kinds, told by their content. Raises FormatError."""
    steps: list[KnownStep] = []
    for path in paths:
        data, _ = read_bytes(path)
        head = data[:4096]
        if b"SOLUTION/DISCONTINUITY" in data or head.startswith(b"%=SNX"):
            steps += _of_sinex(path)
        elif b"<" in head[:200] or b"Site Identification" in data:
            steps += _of_site_log(path)
        else:
            steps += _of_ngl(path, data.decode("ascii", errors="replace"))
    return tuple(sorted(steps, key=lambda s: (s.station, int(s.epoch.tai_ns), s.reason)))


def _of_sinex(path: PathLike) -> list[KnownStep]:
    """The end of each solution number but the last: its remark says what happened then."""
    return [
        KnownStep(item.code, item.end, item.remark or "IGS discontinuity", str(path))
        for item in read_discontinuities(path)
        if item.quantity == "P" and item.end is not None
    ]


def _of_site_log(path: PathLike) -> list[KnownStep]:
    log = read_site_log(path)
    changed = sorted(
        (item for item in log.antennas if item.installed is not None),
        key=lambda item: 0 if item.installed is None else int(item.installed.tai_ns),
    )
    return [
        KnownStep(log.name, item.installed, f"antenna {item.antenna.igs_code.strip()} installed", str(path))
        for item in changed[1:]
        if item.installed is not None
    ]


def _of_ngl(path: PathLike, text: str) -> list[KnownStep]:
    steps = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        if len(words) < 4 or words[2] not in (_EQUIPMENT, _EARTHQUAKE, _SOFTWARE):
            raise FormatError(
                path, number, "is no list of steps: station, YYMMMDD, code 1 to 3 and reason were expected"
            )
        epoch = _ngl_day(path, number, words[1])
        if words[2] == _EARTHQUAKE:
            magnitude = f" of magnitude {words[5]}" if len(words) > 5 else ""
            steps.append(KnownStep(words[0], epoch, f"earthquake{magnitude}", str(path)))
        elif "Antenna" in words[3] or "Radome" in words[3]:
            steps.append(KnownStep(words[0], epoch, words[3].replace("_", " ").lower(), str(path)))
    return steps


def _ngl_day(path: PathLike, number: int, text: str) -> Epochs:
    try:
        year, month, day = int(text[:2]), _MONTHS.index(text[2:5].upper()) + 1, int(text[5:7])
        century = 1900 if year >= _FIRST_YEAR else 2000
        return Epochs.from_datetime64(np.datetime64(f"{century + year:04d}-{month:02d}-{day:02d}", "ns"))
    except ValueError:
        raise FormatError(path, number, f"a day is YYMMMDD, not {text!r}") from None


def steps_of_station(steps: Sequence[KnownStep], station: str) -> tuple[KnownStep, ...]:
    """The steps of a station; names of four characters stand for those that begin with them."""
    return tuple(
        step
        for step in steps
        if step.station == station
        or (
            min(len(step.station), len(station)) == _CODE_LENGTH
            and step.station[:_CODE_LENGTH].upper() == station[:_CODE_LENGTH].upper()
        )
    )
