"""Which file holds which station's day, told from the files' own headers and never from their names."""

import bz2
import gzip
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from pipelines.catalogue.files import sha256_of_file
from stations.formats.compression import read_bytes
from transforms.errors import FormatError, InputError

HEADER_BYTES: Final = 1 << 18  # a header with every comment and wavelength factor stays far below
_LABEL_COLUMN: Final = 60  # RINEX 2 to 4: header labels stand in columns 61-80
_RINEX_LABEL: Final = "RINEX VERSION / TYPE"
_CRINEX_LABEL: Final = "CRINEX VERS   / TYPE"
_END: Final = "END OF HEADER"
_DATE: Final = re.compile(r"^\s*(\d{2,4})\s+(\d{1,2})\s+(\d{1,2})\b")


@dataclass(frozen=True)
class ObservationFile:
    """A RINEX observation file: the marker its header names, the day of its first observation, its sha256."""

    path: Path
    marker: str
    day: date
    sha256: str


@dataclass(frozen=True)
class ObservationFiles:
    """What the observation folders hold: files found, and what was passed over and why."""

    files: tuple[ObservationFile, ...]
    remarks: tuple[str, ...]

    def of(self, marker: str, day: date) -> tuple[ObservationFile, ...]:
        """Files of a station (its first four characters count) that begin on a day."""
        wanted = marker[:4].upper()
        return tuple(f for f in self.files if f.marker[:4].upper() == wanted and f.day == day)


def find_observation_files(places: Iterable[Path]) -> ObservationFiles:
    """Look through folders (and single files) for RINEX observation files.

    Files of another kind are passed over; a RINEX file that is damaged is passed over with a remark. Raises
    InputError where a place does not exist or holds no observation file at all.
    """
    found: list[ObservationFile] = []
    remarks: list[str] = []
    names: list[str] = []
    for place in places:
        names.append(str(place))
        if not place.exists():
            raise InputError(f"{place}: no such folder or file of observations")
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if not path.is_file() or path.name.startswith("."):
                continue
            try:
                header = observation_header(path)
            except FormatError as error:
                remarks.append(f"passed over {error}")
                continue
            if header is not None:
                marker, day = header
                found.append(ObservationFile(path, marker, day, sha256_of_file(path)))
    if not found:
        why = f" ({remarks[0]})" if remarks else ""
        raise InputError(f"{', '.join(names)}: no RINEX observation file{why}")
    return ObservationFiles(tuple(found), tuple(remarks))


def observation_header(path: Path) -> tuple[str, date] | None:
    """Marker and day of the first observation of a RINEX observation file; None for another kind of file.

    Raises FormatError where it is a RINEX observation file without these, or cannot be decompressed.
    """
    lines = _header_lines(path)
    if not lines:
        return None
    first = lines[0]
    if _CRINEX_LABEL in first:
        lines = lines[2:]
        first = lines[0] if lines else ""
    if _RINEX_LABEL not in first or first[20:21].upper() != "O":
        return None
    marker = ""
    day: date | None = None
    for line in lines:
        label = line[_LABEL_COLUMN:].strip()
        if label == "MARKER NAME":
            marker = line[:_LABEL_COLUMN].strip()
        elif label == "TIME OF FIRST OBS":
            day = _date(path, line)
        elif label == _END:
            break
    if not marker:
        raise FormatError(path, None, "its header names no marker (MARKER NAME)")
    if day is None:
        raise FormatError(path, None, "its header tells no time of first observation (TIME OF FIRST OBS)")
    return marker, day


def _header_lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as stream:
            magic = stream.read(2)
        if magic == b"\x1f\x8b":
            with gzip.open(path) as stream:
                data = stream.read(HEADER_BYTES)
        elif magic == b"BZ":
            with bz2.open(path) as stream:
                data = stream.read(HEADER_BYTES)
        elif magic in (b"\x1f\x9d", b"PK"):
            data = read_bytes(path)[0][:HEADER_BYTES]
        else:
            with path.open("rb") as stream:
                data = stream.read(HEADER_BYTES)
    except FormatError:
        raise
    except (OSError, EOFError) as error:
        raise FormatError(path, None, f"cannot be read or decompressed ({error})") from None
    if not data:
        raise FormatError(path, None, "the file is empty")
    return data.decode("latin-1").splitlines()


def _date(path: Path, line: str) -> date:
    match = _DATE.match(line)
    if match is not None:
        year, month, day = (int(part) for part in match.groups())
        year += 0 if year >= 100 else 1900 if year >= 80 else 2000  # RINEX 2: two digits, 80-79
        try:
            return date(year, month, day)
        except ValueError:
            match = None
    raise FormatError(path, None, f"its TIME OF FIRST OBS is no date: {line[:_LABEL_COLUMN].strip()!r}")


def files_sha256(places: Sequence[Path]) -> str:
    """One sha256 over every file in folders (and single files), by name and content.

    It stands for "the products that could be chosen from": where any of them changes, the choice may too.
    Raises InputError where a place does not exist.
    """
    digest = hashlib.sha256()
    for place in places:
        if not place.exists():
            raise InputError(f"{place}: no such folder or file")
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and not path.name.startswith("."):
                digest.update(f"{path.name} {sha256_of_file(path)}\n".encode())
    return digest.hexdigest()
