"""Files of analysis centres, recognised by what stands in them, with their centre, series and time.

A series is what one centre makes in one run, told by the long file name ("CODMGXFIN" and "CODOPSFIN" are
two, whose clocks and biases must not be mixed though the centre is the same). A file that has been renamed
has none and goes with any series of its centre.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from stations.formats.analysis_centres import centre_code, series_of_name
from stations.formats.bias_sinex import read_bias_sinex
from stations.formats.compression import read_head
from stations.formats.earth_rotation_parameters import is_earth_rotation, read_earth_rotation_parameters
from stations.formats.orbex import read_orbex
from stations.formats.rinex_clock import read_rinex_clock
from stations.formats.sp3 import read_sp3
from stations.records import (
    EarthRotationParameters,
    PathLike,
    SatelliteAttitudes,
    SatelliteClocks,
    SatelliteOrbits,
    SignalBiases,
)
from transforms.errors import FormatError, InputError
from transforms.time_scales import NANOSECONDS, SECONDS_PER_DAY, Epochs

_SP3: Final = re.compile(rb"\s*#[a-dA-D ][PV ]\s*(\d{4}) +(\d{1,2}) +(\d{1,2}) ")
_CLOCK_TYPE: Final = re.compile(rb" *[\d.]+ +C")
_CLOCK_RECORD: Final = re.compile(rb"^AS [A-Z ][ \d]\d +(\d{4}) +(\d{1,2}) +(\d{1,2}) ", re.MULTILINE)
_ORBEX: Final = b"%=ORBEX"
_ORBEX_EPOCH: Final = re.compile(rb"^## (\d{4}) +(\d{1,2}) +(\d{1,2}) ", re.MULTILINE)
# Files this far from the observations are not read: the longest common file of orbits or clocks is a week.
_LONGEST_FILE_DAYS: Final = 8
_DAY_NS: Final = SECONDS_PER_DAY * NANOSECONDS


class ProductKind(StrEnum):
    """What a product file holds."""

    ORBITS = "SP3 orbits"
    CLOCKS = "RINEX clocks"
    EARTH_ROTATION = "earth rotation parameters"
    BIASES = "Bias-SINEX"
    ATTITUDES = "ORBEX attitudes"


@dataclass(frozen=True, eq=False)
class ProductFile:
    """One product file, read. named: whether the user named the file itself and not its folder."""

    path: Path
    named: bool
    kind: ProductKind
    centre: str
    series: str
    orbits: SatelliteOrbits | None = None
    clocks: SatelliteClocks | None = None
    earth_rotation: EarthRotationParameters | None = None
    biases: SignalBiases | None = None
    attitudes: SatelliteAttitudes | None = None


@dataclass(frozen=True, eq=False)
class ProductFiles:
    """All product files near the asked time, and what was left out: damaged files, files of other days."""

    files: tuple[ProductFile, ...]
    damaged: tuple[str, ...]
    other_days: tuple[str, ...]


def read_product_files(paths: Iterable[PathLike], first: Epochs, last: Epochs) -> ProductFiles:
    """Find and read the product files among files and folders (with their sub-folders) near a time.

    A file that the user named and that is damaged raises FormatError; one found in a folder is left out
    and reported. Other files (observations, pictures, anything) are passed over, with a word where named.
    """
    files: list[ProductFile] = []
    damaged: list[str] = []
    other_days: list[str] = []
    for path, named in _expand(paths):
        head = read_head(path)
        kind = _kind(head)
        if kind is None:
            if named and not head.strip():
                raise FormatError(path, None, "empty or damaged: no product can be read from it")
            if named:
                damaged.append(f"{path}: no product: neither {', '.join(ProductKind)}")
            continue
        day = _first_day(head, kind)
        if day is not None and _far(day, first, last):
            other_days.append(f"{path.name} ({day})")
            continue
        try:
            files.append(_read(path, named, kind, head))
        except FormatError as error:
            if named:
                raise
            damaged.append(str(error))
    return ProductFiles(tuple(files), tuple(damaged), tuple(other_days))


def _expand(paths: Iterable[PathLike]) -> list[tuple[Path, bool]]:
    found: dict[Path, bool] = {}
    for given in paths:
        path = Path(given)
        if path.is_dir():
            for inner in sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith(".")):
                found.setdefault(inner, False)
        elif path.exists():
            found[path] = True
        else:
            raise InputError(f"{path}: no such file or folder of products")
    return list(found.items())


def _kind(head: bytes) -> ProductKind | None:
    if _SP3.match(head):
        return ProductKind.ORBITS
    first_line = head.split(b"\n", 1)[0]
    if b"RINEX VERSION / TYPE" in first_line and _CLOCK_TYPE.match(first_line):
        return ProductKind.CLOCKS
    if head.startswith(b"%=BIA"):
        return ProductKind.BIASES
    if head.startswith(_ORBEX):
        return ProductKind.ATTITUDES
    if is_earth_rotation(head):
        return ProductKind.EARTH_ROTATION
    return None


def _first_day(head: bytes, kind: ProductKind) -> str | None:
    pattern = {
        ProductKind.ORBITS: _SP3,
        ProductKind.CLOCKS: _CLOCK_RECORD,
        ProductKind.ATTITUDES: _ORBEX_EPOCH,
    }.get(kind)
    match = None if pattern is None else pattern.search(head)
    return None if match is None else f"{int(match[1]):04d}-{int(match[2]):02d}-{int(match[3]):02d}"


def _far(day: str, first: Epochs, last: Epochs) -> bool:
    try:
        start = int(Epochs.from_datetime64(day).tai_ns)
    except ValueError:
        return False  # a month 13: the reader says it better
    after = start > int(last.tai_ns) + 2 * _DAY_NS
    return after or start < int(first.tai_ns) - _LONGEST_FILE_DAYS * _DAY_NS


def _read(path: Path, named: bool, kind: ProductKind, head: bytes) -> ProductFile:
    series = series_of_name(path.name)
    if kind is ProductKind.ORBITS:
        orbits = read_sp3(path)
        return ProductFile(path, named, kind, orbits.centre, series, orbits=orbits)
    if kind is ProductKind.CLOCKS:
        clocks = read_rinex_clock(path)
        return ProductFile(path, named, kind, clocks.centre, series, clocks=clocks)
    if kind is ProductKind.BIASES:
        biases = read_bias_sinex(path)
        return ProductFile(path, named, kind, biases.centre, series, biases=biases)
    if kind is ProductKind.ATTITUDES:
        orbex = read_orbex(path)
        if orbex.attitudes is not None:
            return ProductFile(path, named, kind, orbex.attitudes.centre, series, attitudes=orbex.attitudes)
        if orbex.orbits is None:
            raise FormatError(path, None, "the file holds neither attitudes nor orbits")
        return ProductFile(path, named, ProductKind.ORBITS, orbex.orbits.centre, series, orbits=orbex.orbits)
    parameters = read_earth_rotation_parameters(path)
    # The format has no field for the centre; the name tells it, or the words of the heading (CODE's).
    centre = centre_code(series[:3]) if series else ("COD" if b"CODE" in head[:400] else "")
    return ProductFile(path, named, kind, centre, series, earth_rotation=parameters)


def of_kind(files: Sequence[ProductFile], kind: ProductKind) -> list[ProductFile]:
    """The files of one kind, in their order."""
    return [f for f in files if f.kind is kind]
