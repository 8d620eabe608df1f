"""Vienna mapping functions VMF1 and VMF3: site-wise files and global grids of the TU Wien.

References: Boehm, Werl and Schuh (2006), doi:10.1029/2005JB003629 (VMF1); Landskron and Boehm (2018),
doi:10.1007/s00190-017-1066-2 (VMF3); the columns after the headers and the readme of the VMF Data Server.
Hectopascals and degrees Celsius in the files; pascals and kelvins here. Epochs are UTC, the hours of the
weather model; the second that GPST differs by does not matter, and they are kept as UTC.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from stations.formats.atomic_write import write_atomically
from stations.formats.compression import compress_for, read_bytes, read_head
from stations.formats.fixed_width import FloatArray
from stations.formats.text_lines import latin_1_lines
from stations.records import InputFile, PathLike
from transforms.errors import FormatError, InputError
from transforms.time_scales import Epochs, TimeScale

MappingFunction = Literal["VMF1", "VMF3"]
_HECTOPASCAL_PA: Final = 100.0
_ZERO_CELSIUS_K: Final = 273.15
_FIRST_MJD: Final = 33282.0  # 1950-01-01: weather models reach no farther back
_LAST_MJD: Final = 88069.0  # 2100-01-01
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?\Z")
_SITE: Final = re.compile(r"[A-Za-z0-9_]\S*\Z")
# Numbers behind station and epoch in site-wise files: VMF1 has ah aw zhd zwd Tmean pressure temperature
# water vapour pressure height (orthometric, of the station in the weather model); VMF3 has neither Tmean nor
# the height, and may end with gradients north and east, hydrostatic and wet, in millimetres.
_VMF1_COLUMNS: Final = 9
_VMF3_COLUMNS: Final = 7
_VMF3_COLUMNS_WITH_GRADIENTS: Final = 11
_GRADIENT_UNIT_M: Final = 1e-3
# Numbers behind latitude and longitude in grids: ah aw zhd zwd, in VMF3 with gradients four more.
_GRID_COLUMNS: Final = 4
_GRID_COLUMNS_WITH_GRADIENTS: Final = 8
# Limits that hold for every place on earth, wide of anything in the archives.
_LIMITS: Final[Mapping[str, tuple[float, float]]] = {
    "hydrostatic_coefficient": (5e-4, 3e-3),
    "wet_coefficient": (1e-5, 3e-3),
    "zenith_hydrostatic_delay_m": (0.5, 3.0),
    "zenith_wet_delay_m": (-0.05, 1.0),
}
_LARGEST_GRID: Final = 10_000_000


@dataclass(frozen=True, eq=False)
class SiteMappingFunctions:
    """Coefficients and delays at one site over time; all arrays (n,).

    hydrostatic_coefficient, wet_coefficient : "a" of the continued fraction
    mean_temperature_k and model_height_m : None in VMF3, where the files do not have them
    gradients_m : (n, 4) north and east hydrostatic, north and east wet, or None
    """

    site: str
    kind: MappingFunction
    epochs: Epochs
    hydrostatic_coefficient: FloatArray
    wet_coefficient: FloatArray
    zenith_hydrostatic_delay_m: FloatArray
    zenith_wet_delay_m: FloatArray
    pressure_pa: FloatArray
    temperature_k: FloatArray
    water_vapour_pressure_pa: FloatArray
    mean_temperature_k: FloatArray | None = None
    model_height_m: FloatArray | None = None
    gradients_m: FloatArray | None = None
    inputs: tuple[InputFile, ...] = ()


@dataclass(frozen=True, eq=False)
class MappingFunctionGrid:
    """Coefficients and delays on a global grid at one epoch; all arrays (n_latitude, n_longitude).

    latitude_deg : (n_latitude,) from north to south; longitude_deg : (n_longitude,) from 0 eastwards, in the
        file's order. Delays are those at the heights of the model's own orography.
    gradients_m : (n_latitude, n_longitude, 4) as in SiteMappingFunctions, or None
    """

    kind: MappingFunction
    epoch: Epochs
    latitude_deg: FloatArray
    longitude_deg: FloatArray
    hydrostatic_coefficient: FloatArray
    wet_coefficient: FloatArray
    zenith_hydrostatic_delay_m: FloatArray
    zenith_wet_delay_m: FloatArray
    gradients_m: FloatArray | None = None
    source: str = ""
    inputs: tuple[InputFile, ...] = ()


@dataclass
class _SiteRows:
    line: list[int] = field(default_factory=list)
    rows: list[list[float]] = field(default_factory=list)


def read_site_mapping_functions(path: PathLike) -> dict[str, SiteMappingFunctions]:
    """Read a site-wise VMF1 or VMF3 file (a day of all sites, or years of one), compressed or not.

    Which of the two it is, is told by the number of columns. Returns station name as written -> its record.

    Raises
    ------
    FormatError : a line that is neither, a number out of the range of the earth, epochs out of order
    """
    data, identity = read_bytes(path)
    path = identity.path
    columns = 0
    sites: dict[str, _SiteRows] = {}
    for number, line in enumerate(latin_1_lines(data), start=1):
        words = line.split("#")[0].split()
        if not words or words[0].startswith("!"):
            continue
        if not _SITE.match(words[0]) or len(words) < 2 + _VMF3_COLUMNS:
            raise FormatError(path, number, f"expected station, MJD and 7, 9 or 11 numbers, found {line!r}")
        count = len(words) - 2
        columns = columns or count
        if count != columns or count not in (_VMF1_COLUMNS, _VMF3_COLUMNS, _VMF3_COLUMNS_WITH_GRADIENTS):
            raise FormatError(path, number, f"{count} numbers behind station and MJD, expected {columns}")
        rows = sites.setdefault(words[0], _SiteRows())
        rows.rows.append(_numbers(words[1:], path, number))
        rows.line.append(number)
    if not sites:
        raise FormatError(path, None, "the file holds no line of a station")
    lines = data.splitlines()
    # Cut off in the first line of all, VMF1 would even pass for VMF3, which has fewer columns.
    alone = sum(len(rows.rows) for rows in sites.values()) == 1
    if not data.endswith(b"\n") and (alone or len(lines[-1].rstrip()) < len(lines[-2].rstrip())):
        raise FormatError(
            path, len(lines), "cut off: the last line has no end and is shorter than the others"
        )
    return {name: _site(name, rows, columns, identity) for name, rows in sites.items()}


def _numbers(words: Sequence[str], path: str, number: int) -> list[float]:
    for word in words:
        if not _NUMBER.match(word):
            raise FormatError(path, number, f"expected a number, found {word!r}")
    return [float(word) for word in words]


def _site(name: str, rows: _SiteRows, columns: int, identity: InputFile) -> SiteMappingFunctions:
    table = np.array(rows.rows)
    mjd = table[:, 0]
    wrong = (mjd < _FIRST_MJD) | (mjd > _LAST_MJD)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise FormatError(identity.path, rows.line[row], f"MJD {mjd[row]} is out of range")
    if np.any(np.diff(mjd) <= 0):
        row = int(np.argmax(np.diff(mjd) <= 0)) + 1
        raise FormatError(identity.path, rows.line[row], f"MJD {mjd[row]} of {name} is not later than before")
    _check_ranges(table[:, 1:5], rows.line, identity.path)
    is_vmf1 = columns == _VMF1_COLUMNS
    weather = table[:, 6:9] if is_vmf1 else table[:, 5:8]
    return SiteMappingFunctions(
        name,
        "VMF1" if is_vmf1 else "VMF3",
        Epochs.from_modified_julian_date(mjd, TimeScale.UTC),
        table[:, 1],
        table[:, 2],
        table[:, 3],
        table[:, 4],
        weather[:, 0] * _HECTOPASCAL_PA,
        weather[:, 1] + _ZERO_CELSIUS_K,
        weather[:, 2] * _HECTOPASCAL_PA,
        table[:, 5] if is_vmf1 else None,
        table[:, 9] if is_vmf1 else None,
        table[:, 8:12] * _GRADIENT_UNIT_M if columns == _VMF3_COLUMNS_WITH_GRADIENTS else None,
        (identity,),
    )


def _check_ranges(table: FloatArray, lines: Sequence[int], path: str) -> None:
    for column, (name, (lowest, highest)) in enumerate(_LIMITS.items()):
        values = table[:, column]
        wrong = (values < lowest) | (values > highest)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise FormatError(
                path, lines[row], f"{name} {values[row]:g} is not within {lowest:g} and {highest:g}"
            )


_GRID_KEY: Final = re.compile(r"!\s*(?P<key>[A-Za-z_/]+)\s*:\s*(?P<value>.*)")


def read_mapping_function_grid(path: PathLike) -> MappingFunctionGrid:
    """Read a grid of VMF1 or VMF3 of one epoch ("VMFG_20240215.H00", "VMF3_20240215.H00"), compressed or not.

    Raises
    ------
    FormatError : no header of a grid, a node out of its place, more or fewer nodes than the header's range
        and resolution, a number out of the range of the earth; with the line
    """
    data, identity = read_bytes(path)
    path = identity.path
    header: dict[str, str] = {}
    nodes: list[list[float]] = []
    numbers: list[int] = []
    for number, line in enumerate(latin_1_lines(data), start=1):
        if line.startswith("!"):
            match = _GRID_KEY.match(line)
            if match is not None:
                header.setdefault(match["key"].lower(), match["value"].strip())
            continue
        words = line.split()
        if not words:
            continue
        if nodes and len(words) != len(nodes[0]):
            raise FormatError(path, number, f"{len(words)} numbers, expected {len(nodes[0])}: {line!r}")
        if len(nodes) > _LARGEST_GRID:
            raise FormatError(path, number, "more nodes than any grid has")
        nodes.append(_numbers(words, path, number))
        numbers.append(number)
    kind = _kind(header, path)
    epoch = _grid_epoch(header, path)
    latitude, longitude = _grid_axes(header, path)
    if not nodes:
        raise FormatError(path, None, "the grid holds no node")
    table = np.array(nodes)
    count = table.shape[1] - 2
    if count not in (_GRID_COLUMNS, _GRID_COLUMNS_WITH_GRADIENTS):
        raise FormatError(path, numbers[0], f"{count} numbers behind latitude and longitude, expected 4 or 8")
    expected_latitude = np.repeat(latitude, longitude.size)
    expected_longitude = np.tile(longitude, latitude.size)
    shared = min(len(table), expected_latitude.size)
    off = ~np.isclose(table[:shared, 0], expected_latitude[:shared], atol=1e-6)
    off |= ~np.isclose(table[:shared, 1], expected_longitude[:shared], atol=1e-6)
    if off.any():
        row = int(np.argmax(off))
        raise FormatError(
            path,
            numbers[row],
            f"expected node {expected_latitude[row]:g} {expected_longitude[row]:g}, found {table[row, :2]}",
        )
    if len(table) != expected_latitude.size:
        raise FormatError(path, numbers[-1], f"{len(table)} nodes, expected {expected_latitude.size}")
    values = table[:, 2:] * _scale_factor(header, path)
    _check_ranges(values, numbers, path)
    shape = (latitude.size, longitude.size)
    return MappingFunctionGrid(
        kind,
        epoch,
        latitude,
        longitude,
        values[:, 0].reshape(shape),
        values[:, 1].reshape(shape),
        values[:, 2].reshape(shape),
        values[:, 3].reshape(shape),
        values[:, 4:].reshape(*shape, 4) * _GRADIENT_UNIT_M if count == 8 else None,
        header.get("source", ""),
        (identity,),
    )


def mapping_function_grid_epoch(path: PathLike) -> Epochs:
    """The epoch of a grid, from its header alone; FormatError where there is none."""
    header: dict[str, str] = {}
    for line in latin_1_lines(read_head(path)):
        match = _GRID_KEY.match(line)
        if match is not None:
            header.setdefault(match["key"].lower(), match["value"].strip())
    return _grid_epoch(header, str(path))


def _kind(header: Mapping[str, str], path: str) -> MappingFunction:
    types = header.get("data_types", "").split(" ")[0].upper()
    if types in ("VMF1", "VMFG"):
        return "VMF1"
    if types in ("VMF3", "V3GR"):
        return "VMF3"
    raise FormatError(path, 1, f"expected '! Data_types: VMF1' or VMF3 in the header, found {types!r}")


def _grid_epoch(header: Mapping[str, str], path: str) -> Epochs:
    words = header.get("epoch", "").split()
    match = re.fullmatch(r"(\d{4}) (\d{1,2}) (\d{1,2}) (\d{1,2}) (\d{1,2}) 0*\.?0*", " ".join(words))
    if match is None:
        raise FormatError(path, None, f"expected '! Epoch: year month day hour minute 0.0', found {words}")
    year, month, day, hour, minute = (int(part) for part in match.groups())
    try:
        moment = np.datetime64(f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}", "ns")
        return Epochs.from_datetime64(moment, TimeScale.UTC)
    except ValueError as error:
        raise FormatError(path, None, f"no such epoch: {words}") from error


def _scale_factor(header: Mapping[str, str], path: str) -> float:
    text = (header.get("scale_factor", "1").split() or [""])[0]
    if not _NUMBER.match(text) or not 0.0 < float(text) < math.inf:
        raise FormatError(path, None, f"expected a scale factor, found {text!r}")
    return float(text)


def _grid_axes(header: Mapping[str, str], path: str) -> tuple[FloatArray, FloatArray]:
    """Latitudes from north to south and longitudes of "Range/resolution: -90 90 0 360 2 2.5".

    A grid of nodes at the poles (VMF1) starts at 90 and 0; one of cell centres (VMF3) tells its first and
    last node as they are. The longitude of 360 repeats that of 0 and is not written.
    """
    words = header.get("range/resolution", "").split()
    if len(words) != 6 or not all(_NUMBER.match(word) for word in words):
        raise FormatError(path, None, f"expected six numbers of 'Range/resolution', found {words}")
    south, north, west, east, latitude_step, longitude_step = (float(word) for word in words)
    # A hundred turns are out of the question, and so is what is no finite number.
    absurd = not all(abs(float(word)) <= 36_000.0 for word in words)
    if absurd or latitude_step <= 0.0 or longitude_step <= 0.0 or north <= south or east <= west:
        raise FormatError(path, None, f"no grid: {words}")
    n_latitude = round((north - south) / latitude_step) + 1
    n_longitude = round((east - west) / longitude_step) + 1
    if abs(east - west - 360.0) < 1e-6:
        n_longitude -= 1
    if n_latitude * n_longitude > _LARGEST_GRID:
        raise FormatError(path, None, f"more nodes than any grid has: {words}")
    latitude = north - latitude_step * np.arange(n_latitude)
    return np.asarray(latitude), np.asarray(west + longitude_step * np.arange(n_longitude))


def write_site_mapping_functions(sites: Sequence[SiteMappingFunctions], path: PathLike) -> None:
    """Write site-wise records of one kind in the columns of the TU Wien; ".gz" compresses."""
    if not sites or len({site.kind for site in sites}) > 1:
        raise InputError("a file holds sites of one kind, VMF1 or VMF3, and one site at least")
    lines: list[str] = []
    for site in sites:
        mjd = site.epochs.to(TimeScale.UTC).modified_julian_date()
        for i in range(len(site.epochs)):
            text = (
                f"{site.site:<10s}{mjd[i]:8.2f}  {site.hydrostatic_coefficient[i]:.8f}  "
                f"{site.wet_coefficient[i]:.8f}  {site.zenith_hydrostatic_delay_m[i]:.4f}  "
                f"{site.zenith_wet_delay_m[i]:.4f}"
            )
            if site.kind == "VMF1":
                mean = site.mean_temperature_k
                text += f"  {0.0 if mean is None else mean[i]:5.1f}"
            text += (
                f"  {site.pressure_pa[i] / _HECTOPASCAL_PA:7.2f}"
                f"  {site.temperature_k[i] - _ZERO_CELSIUS_K:7.2f}"
                f"  {site.water_vapour_pressure_pa[i] / _HECTOPASCAL_PA:5.2f}"
            )
            if site.kind == "VMF1":
                height = site.model_height_m
                text += f"  {0.0 if height is None else height[i]:6.1f}"
            elif site.gradients_m is not None:
                text += "".join(f"  {g / _GRADIENT_UNIT_M:6.3f}" for g in site.gradients_m[i])
            lines.append(text)
    write_atomically(path, compress_for(path, ("\n".join(lines) + "\n").encode("ascii", errors="replace")))
