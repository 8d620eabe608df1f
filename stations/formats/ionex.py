"""Maps of the ionosphere's electron content in IONEX 1.0 and 1.1 (Schaer, Gurtner and Feltens 1998/2015).

Two- and three-dimensional maps with their RMS maps; differential code biases of the auxiliary block. Epochs
are written in UT; the maps of today's centres mean GPST, which differs by seconds that no map resolves: they
are taken as GPST.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from stations.formats.calendar_fields import nanoseconds_from_fields
from stations.formats.compression import read_bytes
from stations.formats.fixed_width import FloatArray, IntArray, TextLines, parse_integers, split_lines
from stations.formats.ionex_records import (
    DEFAULT_EXPONENT,
    KILOMETRE_M,
    NANOSECOND_M,
    NO_VALUE,
    VALUES_IN_LINE,
    DifferentialCodeBias,
    IonosphereMaps,
)
from stations.records import InputFile, PathLike
from transforms.errors import FormatError
from transforms.time_scales import Epochs

_VALUE_WIDTH: Final = 5
_LARGEST_EXPONENT: Final = 9  # integers of five columns: contents of 1e-4 to 1e3 TECU need far less
_LARGEST_GRID: Final = 50_000_000  # values of a file: a year of 0.5 degree maps is beyond any product
_MAP_KINDS: Final = ("TEC", "RMS", "HEIGHT")
_REAL: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)\Z")
_INTEGER: Final = re.compile(r"[+-]?\d{1,9}\Z")


@dataclass
class _Header:
    system: str
    n_maps: int | None = None
    base_radius_m: float = 0.0
    exponent: int = DEFAULT_EXPONENT
    mapping_function: str = ""
    elevation_cutoff_deg: float | None = None
    height_km: FloatArray | None = None
    latitude_deg: FloatArray | None = None
    longitude_deg: FloatArray | None = None
    description: list[str] = field(default_factory=list)
    biases: list[DifferentialCodeBias] = field(default_factory=list)


@dataclass
class _Map:
    kind: str
    line: int
    epoch_ns: int | None = None
    exponent: int = DEFAULT_EXPONENT
    rows: list[tuple[int, int]] = field(default_factory=list)  # slot of the row, first line of its values


def read_ionex(path: PathLike) -> IonosphereMaps:
    """Read an IONEX file, compressed or not.

    A file without END OF FILE is taken where all maps that it announces are there and closed; a remark says
    so.

    Raises
    ------
    FormatError : not IONEX, no grid, a map cut off, a row at another place than the grid's, a value that is
        no number, another number of maps than announced; with the line
    """
    data, identity = read_bytes(path)
    return parse_ionex(data, identity)


def parse_ionex(data: bytes, identity: InputFile) -> IonosphereMaps:
    """Like `read_ionex`, from the plain text."""
    path = identity.path
    lines = split_lines(data)
    header, begin = _read_header(lines, path)
    if header.latitude_deg is None or header.longitude_deg is None or header.height_km is None:
        raise FormatError(path, begin, "the header has no grid (LAT1, LON1 and HGT1)")
    if header.base_radius_m <= 0.0:
        raise FormatError(path, begin, "the header has no BASE RADIUS")
    maps, is_ended = _find_maps(lines, begin, header, path)
    n_tec = sum(m.kind == "TEC" for m in maps)
    if n_tec == 0:
        raise FormatError(path, len(lines), "the file holds no TEC map")
    if header.n_maps is not None and n_tec != header.n_maps:
        cut = "" if is_ended else "the file is cut off: "
        raise FormatError(path, len(lines), f"{cut}{header.n_maps} maps are announced, {n_tec} are there")
    if not is_ended and header.n_maps is None:
        raise FormatError(path, len(lines), "no END OF FILE: the file is cut off")
    epochs_ns = sorted({m.epoch_ns for m in maps if m.epoch_ns is not None and m.kind == "TEC"})
    if len(epochs_ns) != n_tec:
        raise FormatError(path, maps[0].line, "two TEC maps have the same epoch")
    tables = {kind: _fill(lines, maps, kind, epochs_ns, header, path) for kind in _MAP_KINDS}
    tec, layer = tables["TEC"], tables["HEIGHT"]
    if tec is None:
        raise FormatError(path, len(lines), "the file holds no TEC map")
    return IonosphereMaps(
        epochs=Epochs.from_datetime64(np.array(epochs_ns, dtype=np.int64).astype("datetime64[ns]")),
        latitude_deg=header.latitude_deg,
        longitude_deg=header.longitude_deg,
        height_m=header.height_km * KILOMETRE_M,
        electron_content_tecu=tec,
        rms_tecu=tables["RMS"],
        layer_height_m=None if layer is None else layer * KILOMETRE_M,
        base_radius_m=header.base_radius_m,
        system=header.system,
        mapping_function=header.mapping_function,
        elevation_cutoff_deg=header.elevation_cutoff_deg,
        description=tuple(header.description),
        biases=tuple(header.biases),
        remarks=() if is_ended else ("the file has no END OF FILE, but all the maps that it announces",),
        inputs=(identity,),
    )


def _read_header(lines: TextLines, path: str) -> tuple[_Header, int]:
    first = lines.text(0)
    if "IONEX VERSION / TYPE" not in first[60:]:
        raise FormatError(path, 1, f"expected 'IONEX VERSION / TYPE' in columns 61-80, found {first[:80]!r}")
    if first[:20].strip() not in ("1", "1.0", "1.1", "1.00", "1.10"):
        raise FormatError(path, 1, f"IONEX version {first[:20].strip()!r} is not 1.0 or 1.1")
    if first[20:21].strip() not in ("", "I"):
        raise FormatError(path, 1, f"expected a file of ionosphere maps, found {first[20:40].strip()!r}")
    header = _Header(first[40:60].strip())
    for number in range(1, len(lines)):
        text = lines.text(number)
        label = text[60:].strip()
        if label == "END OF HEADER":
            return header, number + 1
        _header_line(header, text, label, path, number + 1)
    raise FormatError(path, len(lines), "no END OF HEADER: the file is cut off")


def _header_line(header: _Header, text: str, label: str, path: str, number: int) -> None:
    if label == "# OF MAPS IN FILE":
        header.n_maps = _integer(text[:6], path, number)
    elif label == "BASE RADIUS":
        header.base_radius_m = _real(text[:8], path, number) * KILOMETRE_M
    elif label == "EXPONENT":
        header.exponent = _exponent(text[:6], path, number)
    elif label == "MAPPING FUNCTION":
        header.mapping_function = text[2:60].strip()
    elif label == "ELEVATION CUTOFF":
        header.elevation_cutoff_deg = _real(text[:8], path, number)
    elif label == "HGT1 / HGT2 / DHGT":
        header.height_km = _axis(text, path, number)
    elif label == "LAT1 / LAT2 / DLAT":
        header.latitude_deg = _axis(text, path, number)
    elif label == "LON1 / LON2 / DLON":
        header.longitude_deg = _axis(text, path, number)
    elif label in ("DESCRIPTION", "COMMENT"):
        header.description.append(text[:60].rstrip())
    elif label == "PRN / BIAS / RMS":
        name = text[3:6]
        name = ("G" if name[0] == " " else name[0]) + name[1:].replace(" ", "0")
        if not re.fullmatch(r"[GREJCIS]\d\d", name):
            raise FormatError(path, number, f"no satellite in columns 4-6: {text[:60]!r}")
        header.biases.append(_bias(name, name[0], "", text[6:16], text[16:26], path, number))
    elif label == "STATION / BIAS / RMS":
        header.biases.append(
            _bias(
                text[6:10].strip(),
                text[3:4].strip(),
                text[11:20].strip(),
                text[26:36],
                text[36:46],
                path,
                number,
            )
        )


def _bias(
    name: str, system: str, domes: str, value: str, rms: str, path: str, number: int
) -> DifferentialCodeBias:
    sigma = _real(rms, path, number) if rms.strip() else float("nan")
    return DifferentialCodeBias(
        name, system, domes, _real(value, path, number) * NANOSECOND_M, sigma * NANOSECOND_M
    )


def _real(text: str, path: str, number: int) -> float:
    if not _REAL.match(text.strip()):
        raise FormatError(path, number, f"expected a number, found {text!r}")
    return float(text)


def _integer(text: str, path: str, number: int) -> int:
    if not _INTEGER.match(text.strip()):
        raise FormatError(path, number, f"expected a whole number, found {text!r}")
    return int(text)


def _exponent(text: str, path: str, number: int) -> int:
    value = _integer(text, path, number)
    if abs(value) > _LARGEST_EXPONENT:
        raise FormatError(path, number, f"an exponent of {value} is out of range")
    return value


def _axis(text: str, path: str, number: int) -> FloatArray:
    """The values of "first last step" (2X,3F6.1): one where the step is 0."""
    first, last, step = (_real(text[i : i + 6], path, number) for i in (2, 8, 14))
    if step == 0.0 and first == last:
        return np.array([first])
    count = (last - first) / step if step else -1.0
    if count < 0.5 or count > 10_000 or abs(count - round(count)) > 1e-3:
        raise FormatError(path, number, f"{first} to {last} by {step} is no grid")
    return np.asarray(np.round(first + step * np.arange(round(count) + 1), 6))


def _find_maps(lines: TextLines, begin: int, header: _Header, path: str) -> tuple[list[_Map], bool]:
    """The maps with the places of their rows, and whether END OF FILE was met."""
    if header.latitude_deg is None or header.longitude_deg is None or header.height_km is None:
        raise FormatError(path, begin, "the header has no grid")
    n_latitude, n_longitude = header.latitude_deg.size, header.longitude_deg.size
    lines_of_row = -(-n_longitude // VALUES_IN_LINE)
    latitude_place = {round(float(v), 3): i for i, v in enumerate(header.latitude_deg)}
    height_place = {round(float(v), 3): i for i, v in enumerate(header.height_km)}
    maps: list[_Map] = []
    current: _Map | None = None
    number = begin
    while number < len(lines):
        text = lines.text(number)
        label = text[60:].strip()
        if label == "END OF FILE":
            if current is not None:
                raise FormatError(path, number + 1, f"the map of line {current.line} is not closed")
            return maps, True
        start = re.fullmatch(r"START OF (TEC|RMS|HEIGHT) MAP", label)
        if start:
            if current is not None:
                raise FormatError(path, number + 1, f"the map of line {current.line} is not closed")
            current = _Map(start[1], number + 1, exponent=header.exponent)
        elif re.fullmatch(r"END OF (TEC|RMS|HEIGHT) MAP", label):
            expected = n_latitude * header.height_km.size
            if current is None or current.kind not in label:
                raise FormatError(path, number + 1, f"{label} closes no open map")
            if current.epoch_ns is None or len(current.rows) != expected:
                raise FormatError(
                    path, number + 1, f"a map of {len(current.rows)} rows, expected {expected} and an epoch"
                )
            maps.append(current)
            current = None
        elif current is not None and label == "EPOCH OF CURRENT MAP":
            current.epoch_ns = _epoch(text, path, number + 1)
        elif current is not None and label == "EXPONENT":
            current.exponent = _exponent(text[:6], path, number + 1)
        elif current is not None and label == "LAT/LON1/LON2/DLON/H":
            latitude, first, last, step, height = (
                _real(text[i : i + 6], path, number + 1) for i in (2, 8, 14, 20, 26)
            )
            axis = header.longitude_deg
            i, j = height_place.get(round(height, 3)), latitude_place.get(round(latitude, 3))
            is_axis = np.isclose(first, axis[0]) and np.isclose(last, axis[-1])
            if i is None or j is None or not is_axis or not np.isclose(first + step * (axis.size - 1), last):
                raise FormatError(path, number + 1, f"the row is not one of the header's grid: {text!r}")
            current.rows.append((i * n_latitude + j, number + 1))
            number += lines_of_row
        elif label != "COMMENT" and text.strip():
            raise FormatError(path, number + 1, f"not expected here: {text!r}")
        number += 1
    if current is not None:
        raise FormatError(path, len(lines), f"cut off in the map of line {current.line}")
    return maps, False


def _epoch(text: str, path: str, number: int) -> int:
    fields = [_integer(text[i : i + 6], path, number) for i in range(0, 36, 6)]
    columns = [np.array([value], dtype=np.int64) for value in fields[:5]]
    nanoseconds, bad = nanoseconds_from_fields(
        columns[0], columns[1], columns[2], columns[3], columns[4], np.array([float(fields[5])])
    )
    if bad[0]:
        raise FormatError(path, number, f"no calendar reading: {text[:36]!r}")
    return int(nanoseconds[0])


def _fill(
    lines: TextLines, maps: Sequence[_Map], kind: str, epochs_ns: Sequence[int], header: _Header, path: str
) -> FloatArray | None:
    """The maps of one kind as one array, in TECU or kilometres; None where there are none."""
    chosen = [m for m in maps if m.kind == kind]
    if not chosen:
        return None
    if header.latitude_deg is None or header.longitude_deg is None or header.height_km is None:
        raise FormatError(path, None, "the header has no grid")
    n_longitude = header.longitude_deg.size
    rows_of_map = header.latitude_deg.size * header.height_km.size
    if len(epochs_ns) * rows_of_map * n_longitude > _LARGEST_GRID:
        raise FormatError(path, None, f"a grid of more than {_LARGEST_GRID} values")
    place = {ns: i for i, ns in enumerate(epochs_ns)}
    lines_of_row = -(-n_longitude // VALUES_IN_LINE)
    slots: list[int] = []
    starts: list[int] = []
    scale = np.ones(len(epochs_ns))
    for m in chosen:
        if m.epoch_ns not in place:
            raise FormatError(path, m.line, f"a {kind} map of an epoch that has no TEC map")
        index = place[m.epoch_ns]
        scale[index] = 10.0**m.exponent
        slots += [index * rows_of_map + slot for slot, _ in m.rows]
        starts += [start for _, start in m.rows]
    if len(set(slots)) != len(slots):
        raise FormatError(path, chosen[0].line, f"a row of a {kind} map is given twice")
    first: IntArray = np.array(starts, dtype=np.int64)
    numbers = (first[:, None] + np.arange(lines_of_row)).reshape(-1)
    if numbers.max() >= len(lines):
        raise FormatError(path, len(lines), "cut off in a row of a map")
    block = lines.block(numbers, 0, VALUES_IN_LINE * _VALUE_WIDTH)
    values, bad = parse_integers(block.reshape(-1, _VALUE_WIDTH))
    blank = (block.reshape(-1, _VALUE_WIDTH) == 32).all(axis=1)
    shape = (first.size, lines_of_row * VALUES_IN_LINE)
    wrong = (bad | blank).reshape(shape)
    wrong[:, n_longitude:] = ~blank.reshape(shape)[:, n_longitude:]
    if wrong.any():
        row, column = (int(v) for v in np.argwhere(wrong)[0])
        line = int(first[row]) + column // VALUES_IN_LINE
        raise FormatError(path, line + 1, f"expected {n_longitude} values of 5 columns: {lines.text(line)!r}")
    table = np.full((len(epochs_ns) * rows_of_map, n_longitude), np.nan)
    part = values.reshape(shape)[:, :n_longitude]
    table[slots] = np.where(part == NO_VALUE, np.nan, part.astype(np.float64))
    cube = table.reshape(len(epochs_ns), header.height_km.size, header.latitude_deg.size, n_longitude)
    # Division by a power of ten gives the decimal as printed: 92 at exponent -1 is 9.2.
    return np.asarray(np.where(scale < 1.0, 1.0, scale)[:, None, None, None] * cube / np.where(
        scale < 1.0, np.rint(1.0 / scale), 1.0
    )[:, None, None, None])  # fmt: skip
