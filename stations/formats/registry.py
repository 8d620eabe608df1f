"""The one table of the file formats that are read: how each is told by its content, read and written.

What a file is, is never told from its name. To add a format: docs/adding-a-format.md. A format that stands
here must pass the contract of tests/stations/formats/test_format_contract.py and is fuzzed by `make fuzz`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from stations.formats.antex import read_antex, write_antex
from stations.formats.bias_sinex import read_bias_sinex, write_bias_sinex
from stations.formats.compression import read_head
from stations.formats.earth_rotation_parameters import (
    is_earth_rotation,
    read_earth_rotation_parameters,
    write_earth_rotation_parameters,
)
from stations.formats.geodesyml import read_geodesyml, write_geodesyml
from stations.formats.ionex import read_ionex
from stations.formats.ionex_writing import write_ionex
from stations.formats.meteorology import read_meteorology, write_meteorology
from stations.formats.ocean_loading import read_ocean_loading, write_ocean_loading
from stations.formats.orbex import read_orbex
from stations.formats.orbex_writing import write_orbex
from stations.formats.position_series import PositionSeries, read_position_series, write_pbo_series
from stations.formats.rinex_clock import read_rinex_clock, write_rinex_clock
from stations.formats.rinex_navigation import read_navigation
from stations.formats.rinex_navigation_header import names_navigation
from stations.formats.rinex_navigation_writing import write_navigation
from stations.formats.rinex_observation import read_observations, write_observations
from stations.formats.sinex_reading import read_sinex
from stations.formats.sinex_writing import write_sinex
from stations.formats.site_log import is_site_log, read_site_log
from stations.formats.site_log_writing import write_site_log
from stations.formats.sp3 import read_sp3, write_sp3
from stations.formats.timeseries_sinex import read_timeseries_sinex
from stations.formats.troposphere_sinex import TroposphereDocument, read_troposphere_sinex
from stations.formats.troposphere_sinex_writing import write_troposphere_sinex
from stations.formats.vienna_mapping import (
    SiteMappingFunctions,
    read_mapping_function_grid,
    read_site_mapping_functions,
    write_site_mapping_functions,
)
from stations.navigation_records import NavigationMessages
from stations.records import OceanLoading, PathLike
from transforms.errors import FormatError

_RINEX_LABEL: Final = b"RINEX VERSION / TYPE"
_CRINEX_LABEL: Final = b"CRINEX VERS   / TYPE"
_RINEX_TYPE: Final = re.compile(rb"\s*\d{1,2}(\.\d{1,2})?\s+(?P<type>[A-Za-z])")
_TYPE_COLUMN: Final = 20
# Control characters that no text of this field holds; with one of them a file is not shown as text.
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_SHOWN_CHARACTERS: Final = 40


class Ending(StrEnum):
    """How a reader can tell that a file is cut off."""

    MARKED = "the file says where it ends: cut off anywhere, it is refused"
    OPEN = "a list of records: cut off between two of them, it is a shorter file"


@dataclass(frozen=True)
class FileFormat:
    """One format: its name for machines, its title for people, and its functions.

    recognise : from the first bytes of the plain text (up to 200 kB; Compact RINEX stays compact)
    read : from a path to the record; raises FormatError alone
    write : from the record and a path to a file, or None where Jizhun has no use for writing it
    examples : files in tests/stations/formats/examples that the contract suite and the fuzzer start from
    """

    name: str
    title: str
    recognise: Callable[[bytes], bool]
    read: Callable[[PathLike], Any]
    write: Callable[[Any, PathLike], None] | None
    examples: tuple[str, ...]
    ending: Ending


def _first_line(head: bytes) -> bytes:
    return head.lstrip().split(b"\n", 1)[0]


def _rinex_type(head: bytes) -> str:
    """Letter of column 21 of a RINEX file's first line, upper case; "" where it is none."""
    line = head.lstrip(b"\r\n").split(b"\n", 1)[0]
    if _RINEX_LABEL not in line:
        return ""
    letter = line[_TYPE_COLUMN : _TYPE_COLUMN + 1].decode("latin-1").strip().upper()
    if letter:
        return letter
    match = _RINEX_TYPE.match(line)  # RINEX clock 3.04 moved the type to the right
    return "" if match is None else match["type"].decode("ascii").upper()


def _is_observation(head: bytes) -> bool:
    return _rinex_type(head) == "O" or _CRINEX_LABEL in _first_line(head)


def _is_clock(head: bytes) -> bool:
    return _rinex_type(head) == "C"


def _is_navigation(head: bytes) -> bool:
    line = head.lstrip(b"\r\n").split(b"\n", 1)[0]
    words = line[_TYPE_COLUMN : 2 * _TYPE_COLUMN].decode("latin-1")
    is_type = _rinex_type(head) in tuple("NGHELJCI") and names_navigation(words)
    return is_type and b"IONEX" not in line and not _is_clock(head)


def _is_meteorology(head: bytes) -> bool:
    return _rinex_type(head) == "M"


def _is_sp3(head: bytes) -> bool:
    return re.match(rb"#[a-dA-D ][PV ]\s*\d{4} ", _first_line(head)) is not None


def _is_antex(head: bytes) -> bool:
    return b"ANTEX VERSION / SYST" in _first_line(head)


def _is_ionex(head: bytes) -> bool:
    return b"IONEX VERSION / TYPE" in _first_line(head)


def _is_ocean_loading(head: bytes) -> bool:
    return head.lstrip().startswith(b"$$") and b"COLUMN ORDER" in head[:4000].upper()


def _starts_with(mark: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.lstrip().startswith(mark)


def _is_geodesyml(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"<") and b"geodesyml" in head[:4000].lower()


_SITE_MAPPING_LINE: Final = re.compile(rb"[A-Za-z0-9_]{4,10}\s+\d{5}\.\d\d(\s+-?\d+\.\d+){7,11}\s*$")


def _is_site_mapping(head: bytes) -> bool:
    lines = (line for line in head[:8000].splitlines() if line.strip() and line[:1] not in b"#!")
    return _SITE_MAPPING_LINE.match(next(lines, b"")) is not None


def _is_mapping_grid(head: bytes) -> bool:
    return head.startswith(b"!") and b"Range/resolution" in head[:4000]


_TENV_LINE: Final = re.compile(rb"[A-Z0-9]{4} \d\d[A-Z]{3}\d\d +\d{4}\.\d+ +\d{5} ")


def _is_position_series(head: bytes) -> bool:
    first = _first_line(head)
    is_titled = first.startswith((b"site YYMMMDD", b"PBO Station Position Time Series"))
    return is_titled or _TENV_LINE.match(first) is not None


def _write_navigation(record: NavigationMessages, path: PathLike) -> None:
    write_navigation(record, path)


def _write_position_series(record: PositionSeries, path: PathLike) -> None:
    write_pbo_series(record, path)


def _write_troposphere(record: TroposphereDocument, path: PathLike) -> None:
    write_troposphere_sinex(record.series, path, agency=record.agency)


def _write_site_mapping(record: Mapping[str, SiteMappingFunctions], path: PathLike) -> None:
    write_site_mapping_functions(tuple(record.values()), path)


def _write_ocean_loading(record: Mapping[str, OceanLoading], path: PathLike) -> None:
    write_ocean_loading(tuple(record.values()), path)


FORMATS: Final[tuple[FileFormat, ...]] = (
    FileFormat(
        "rinex-observation",
        "RINEX observations",
        _is_observation,
        read_observations,
        write_observations,
        (
            "observation_v2.rnx",
            "observation_v3.rnx",
            "observation_v4.rnx",
            "observation_events_v2.rnx",
            "observation_events_v3.rnx",
            "observation_v1.crx",
            "observation_v3.crx",
        ),
        Ending.OPEN,
    ),
    FileFormat(
        "rinex-navigation",
        "RINEX navigation",
        _is_navigation,
        read_navigation,
        _write_navigation,
        ("navigation_v2.rnx", "navigation_v3.rnx", "navigation_v4.rnx"),
        Ending.OPEN,
    ),
    FileFormat(
        "rinex-meteorology",
        "RINEX meteorology",
        _is_meteorology,
        read_meteorology,
        write_meteorology,
        ("meteorology_v2.rnx", "meteorology_v3.rnx"),
        Ending.OPEN,
    ),
    FileFormat(
        "rinex-clock",
        "RINEX clocks",
        _is_clock,
        read_rinex_clock,
        write_rinex_clock,
        ("clocks.clk", "clocks_v304.clk"),
        Ending.OPEN,
    ),
    FileFormat(
        "sp3", "SP3 orbits", _is_sp3, read_sp3, write_sp3, ("orbits_c.sp3", "orbits_d.sp3"), Ending.MARKED
    ),
    FileFormat("antex", "ANTEX antennas", _is_antex, read_antex, write_antex, ("antennas.atx",), Ending.OPEN),
    FileFormat(
        "sinex", "SINEX", _starts_with(b"%=SNX"), read_sinex, write_sinex, ("solution.snx",), Ending.MARKED
    ),
    FileFormat(
        "bias-sinex",
        "Bias-SINEX",
        _starts_with(b"%=BIA"),
        read_bias_sinex,
        write_bias_sinex,
        ("biases.bia",),
        Ending.MARKED,
    ),
    FileFormat(
        "troposphere-sinex",
        "SINEX_TRO troposphere",
        _starts_with(b"%=TRO"),
        read_troposphere_sinex,
        _write_troposphere,
        ("troposphere.tro",),
        Ending.MARKED,
    ),
    FileFormat(
        "site-mapping",
        "Vienna mapping functions of sites",
        _is_site_mapping,
        read_site_mapping_functions,
        _write_site_mapping,
        ("sites.vmf1_g",),
        Ending.OPEN,
    ),
    FileFormat(
        "mapping-grid",
        "Vienna mapping functions on a grid",
        _is_mapping_grid,
        read_mapping_function_grid,
        None,
        ("grid.vmfg",),
        Ending.MARKED,
    ),
    FileFormat(
        "position-series",
        "daily positions (tenv3, PBO)",
        _is_position_series,
        read_position_series,
        _write_position_series,
        ("positions.tenv3", "positions.pos"),
        Ending.OPEN,
    ),
    FileFormat(
        "timeseries-sinex",
        "SINEX_TMS positions over time",
        _starts_with(b"%=TMS"),
        read_timeseries_sinex,
        None,
        ("positions.tms",),
        Ending.MARKED,
    ),
    FileFormat(
        "site-log",
        "IGS site log",
        is_site_log,
        read_site_log,
        write_site_log,
        ("site_v1.log", "site_v2.log"),
        Ending.OPEN,
    ),
    FileFormat(
        "geodesyml",
        "GeodesyML site log",
        _is_geodesyml,
        read_geodesyml,
        write_geodesyml,
        ("site.xml",),
        Ending.MARKED,
    ),
    FileFormat("ionex", "IONEX maps", _is_ionex, read_ionex, write_ionex, ("ionosphere.inx",), Ending.MARKED),
    FileFormat(
        "orbex",
        "ORBEX orbits and attitudes",
        _starts_with(b"%=ORBEX"),
        read_orbex,
        write_orbex,
        ("attitudes.obx", "orbits.obx"),
        Ending.MARKED,
    ),
    FileFormat(
        "earth-rotation",
        "earth rotation parameters",
        is_earth_rotation,
        read_earth_rotation_parameters,
        write_earth_rotation_parameters,
        ("earth_rotation.erp", "finals2000a.txt"),
        Ending.OPEN,
    ),
    FileFormat(
        "ocean-loading",
        "ocean loading (BLQ)",
        _is_ocean_loading,
        read_ocean_loading,
        _write_ocean_loading,
        ("ocean_loading.blq",),
        Ending.OPEN,
    ),
)


def format_named(name: str) -> FileFormat:
    """The format of a name such as "sp3". Raises KeyError where there is none."""
    for known in FORMATS:
        if known.name == name:
            return known
    raise KeyError(f"no format {name!r}; there are {', '.join(f.name for f in FORMATS)}")


def recognise(path: PathLike) -> FileFormat:
    """The format of a file, told by its content.

    Raises
    ------
    FormatError : the file is missing, a folder, empty or damaged, or of a format that is not read; the text
        shows how it begins
    """
    head = read_head(path)
    for known in FORMATS:
        if known.recognise(head):
            return known
    if not head.strip():
        if not Path(path).is_file():
            raise FormatError(path, None, "a folder, not a file" if Path(path).is_dir() else "no such file")
        raise FormatError(path, None, "empty, damaged or not permitted: nothing can be read from it")
    if _CONTROL.search(head[:4096]):
        raise FormatError(path, None, "not a text file of any format that Jizhun reads")
    line = _first_line(head).decode("latin-1").strip()
    raise FormatError(
        path, 1, f"of no format that Jizhun reads; it begins {' '.join(line.split())[:_SHOWN_CHARACTERS]!r}"
    )


def read_any(path: PathLike) -> tuple[FileFormat, Any]:
    """A file's format, told by its content, and its record. Raises FormatError (see `recognise`)."""
    known = recognise(path)
    return known, known.read(path)
