"""Tropospheric delays in SINEX_TRO 0.01 (Gendt 1997) and 2.00 (Pacione and Dousa 2017).

Version 0.01 names its columns in SOLUTION_FIELDS_1 and has millimetres; version 2.00 names them in TROPO
PARAMETER NAMES and divides each by its entry of TROPO PARAMETER UNITS. The files of several centres are of
mixed kind ("%=TRO 2.00" with SOLUTION_FIELDS_1) and are read as what their columns say.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np

from stations.formats.compression import read_bytes
from stations.formats.satellite_names import TIME_SYSTEM
from stations.formats.text_lines import latin_1_lines
from stations.records import FloatArray, InputFile, PathLike, ZenithDelays
from transforms.errors import FormatError, InputError
from transforms.time_scales import SECONDS_PER_DAY, Epochs, TimeScale

_FIRST_LINE: Final = re.compile(r"%=TRO +(?P<version>[012]\.\d\d) +(?P<agency>\S+) +(?P<created>\S+)")
_END: Final = re.compile(r"%=?END_?TROP?\s*\Z")
_TIME: Final = re.compile(r"(?P<year>\d{2}|\d{4}):(?P<day>\d{3}):(?P<second>\d{5})\Z")
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d{1,2})?\Z")
_CENTURY_PIVOT: Final = 50  # SINEX 2.02, chapter 3
MILLIMETRES: Final = 1e3
MISSING: Final = -999.0  # SINEX_TRO 2.00, section on TROP/SOLUTION
_SIGMA_COLUMNS: Final = ("STDDEV", "STDEV")  # the second is a misspelling that a common writer has
# Parameters of SINEX_TRO 2.00, table 1, with the names that the record gives them; values in SI.
PARAMETERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "TROTOT": "zenith_total_delay_m",
        "TROWET": "zenith_wet_delay_m",
        "TRODRY": "zenith_hydrostatic_delay_m",
        "TGNTOT": "gradient_north_m",
        "TGETOT": "gradient_east_m",
        "TGNWET": "gradient_north_wet_m",
        "TGEWET": "gradient_east_wet_m",
        "TGNDRY": "gradient_north_hydrostatic_m",
        "TGEDRY": "gradient_east_hydrostatic_m",
        "IWV": "integrated_water_vapour_kg_per_m2",
        "PRESS": "pressure_hpa",
        "TEMDRY": "dry_temperature_k",
        "HUMREL": "relative_humidity_percent",
        "WMTEMP": "mean_temperature_k",
    }
)
NOT_SCALED_BEFORE_UNITS: Final = ("IWV", "PRESS", "TEMDRY", "HUMREL", "WMTEMP")
_LARGEST_DELAY_M: Final = 4.0  # 2.7 m at the Dead Sea in humid air
_COORDINATE_BLOCKS: Final = ("TROP/STA_COORDINATES", "SITE/COORDINATES", "TROP/COORDINATES")


@dataclass(frozen=True, eq=False)
class TroposphereSeries:
    """Tropospheric parameters of one station.

    epochs : (n,) GPST; values, sigmas : name of PARAMETERS -> (n,), NaN where missing; a name without sigmas
        in the file is missing in `sigmas`
    position_ecef_m : (3,), or None where the file has none
    """

    station: str
    epochs: Epochs
    values: Mapping[str, FloatArray]
    sigmas: Mapping[str, FloatArray]
    position_ecef_m: FloatArray | None = None
    frame: str = ""


@dataclass(frozen=True, eq=False)
class TroposphereDocument:
    """A SINEX_TRO file.

    description : (keyword, text) of TROP/DESCRIPTION in the file's order
    rejections : reason -> count
    """

    version: str
    agency: str
    description: tuple[tuple[str, str], ...]
    series: tuple[TroposphereSeries, ...]
    rejections: Mapping[str, int] = field(default_factory=dict)
    inputs: tuple[InputFile, ...] = ()


def read_troposphere_sinex(path: PathLike) -> TroposphereDocument:
    """Read a SINEX_TRO file of version 0.01 to 2.00, compressed or not.

    Raises
    ------
    FormatError : another format, no named columns, a line with another number of values, a delay that no
        atmosphere has, cut off; with the line
    """
    data, identity = read_bytes(path)
    return parse_troposphere_sinex(data, identity)


def parse_troposphere_sinex(data: bytes, identity: InputFile) -> TroposphereDocument:
    """Like `read_troposphere_sinex`, from the plain text."""
    path = identity.path
    lines = latin_1_lines(data)
    match = _FIRST_LINE.match(lines[0])
    if match is None:
        raise FormatError(path, 1, f"expected '%=TRO 2.00 ...' or '%=TRO 0.01 ...', found {lines[0][:60]!r}")
    blocks = _split(lines, path)
    if "TROP/SOLUTION" not in blocks:
        raise FormatError(path, len(lines), "no block TROP/SOLUTION")
    description = tuple(
        (text[1:30].strip(), text[30:].strip()) for _, text in blocks.get("TROP/DESCRIPTION", [])
    )
    columns = _columns(blocks, lines, path)
    factors = _factors(description, columns, path)
    scale = _scale(description, path)
    positions = _positions(blocks)
    stations: dict[str, list[tuple[int, int, list[float]]]] = {}
    for number, text in blocks["TROP/SOLUTION"]:
        words = text.split()
        if len(words) != 2 + len(columns):
            raise FormatError(
                path, number, f"expected station, epoch and {len(columns)} values, found {text.strip()!r}"
            )
        epoch = _instant(words[1], scale, path, number)
        row: list[float] = []
        for word, code, factor in zip(words[2:], columns, factors, strict=True):
            if not _NUMBER.match(word):
                raise FormatError(path, number, f"expected a value of {code}, found {word!r}")
            value = _real(word)
            row.append(np.nan if value <= MISSING else value / factor)
            is_delay = code in ("TROTOT", "TROWET", "TRODRY") and value > MISSING
            if is_delay and abs(value / factor) > _LARGEST_DELAY_M:
                raise FormatError(path, number, f"a delay of {value / factor:g} m is out of range")
        stations.setdefault(words[0], []).append((int(epoch.tai_ns), number, row))
    rejections: dict[str, int] = {}
    series = tuple(
        _series(name, rows, columns, positions.get(name), path, rejections) for name, rows in stations.items()
    )
    if not series:
        raise FormatError(path, None, "the block TROP/SOLUTION is empty")
    return TroposphereDocument(
        match["version"], match["agency"], description, series, rejections, (identity,)
    )


def _split(lines: Sequence[str], path: str) -> dict[str, list[tuple[int, str]]]:
    """Lines of each block with their numbers; comments are left out, but kept for TROP/SOLUTION's heading."""
    blocks: dict[str, list[tuple[int, str]]] = {}
    block, opened = "", 0
    is_ended = False
    for number, line in enumerate(lines[1:], start=2):
        if _END.match(line):
            is_ended = True
            break
        mark = line[:1]
        if mark == "*" or not line.strip():
            continue
        if mark == "+":
            if block:
                raise FormatError(path, number, f"block {block} of line {opened} is not closed")
            block, opened = line[1:].strip(), number
            blocks.setdefault(block, [])
        elif mark == "-":
            if line[1:].strip() != block:
                raise FormatError(path, number, f"block end {line[1:].strip()!r} closes no open block")
            block = ""
        elif block and mark == " ":
            blocks[block].append((number, line))
        elif mark not in ("%", " "):
            raise FormatError(path, number, f"a line begins with '%', '*', '+', '-' or ' ', not {mark!r}")
    if block or not is_ended:
        raise FormatError(path, len(lines), f"cut off{' in block ' + block if block else ': no %=ENDTRO'}")
    return blocks


def _columns(blocks: Mapping[str, list[tuple[int, str]]], lines: Sequence[str], path: str) -> tuple[str, ...]:
    """Names of the columns behind station and epoch, from the description or else from the heading."""
    named: list[str] = []
    for _, text in blocks.get("TROP/DESCRIPTION", []):
        if re.match(r" SOLUTION_FIELDS_\d", text) or text.startswith(" TROPO PARAMETER NAMES"):
            named += text[30 if text.startswith(" SOLUTION") else 22 :].split()
    if not named:
        start = next((n for n, line in enumerate(lines) if line.startswith("+TROP/SOLUTION")), len(lines))
        heading = next((line for line in lines[start + 1 : start + 3] if line.startswith("*")), "")
        named = heading[1:].split()[2:]
    named = [name for name in named if name.isupper()]
    if not named or any(code not in PARAMETERS and code not in _SIGMA_COLUMNS for code in named):
        raise FormatError(path, None, f"columns that SINEX_TRO does not have: {' '.join(named) or 'none'}")
    if named[0] in _SIGMA_COLUMNS or len({c for c in named if c in PARAMETERS}) != sum(
        c in PARAMETERS for c in named
    ):
        raise FormatError(path, None, f"columns out of order or named twice: {' '.join(named)}")
    return tuple(named)


def _factors(description: Sequence[tuple[str, str]], columns: Sequence[str], path: str) -> list[float]:
    """Number by which each column is divided to be in metres (or in the unit of its name)."""
    words: list[str] = []
    for keyword, text in description:
        if keyword.startswith("TROPO PARAMETER UNITS"):
            words = text.split()
    if words:
        if len(words) != len(columns) or not all(_NUMBER.match(w) and _real(w) > 0.0 for w in words):
            raise FormatError(
                path, None, f"TROPO PARAMETER UNITS {words} do not fit the {len(columns)} columns"
            )
        return [_real(word) for word in words]
    factors: list[float] = []
    for code in columns:
        if code in _SIGMA_COLUMNS:
            factors.append(factors[-1])
        else:
            factors.append(1.0 if code in NOT_SCALED_BEFORE_UNITS else MILLIMETRES)
    return factors


def _scale(description: Sequence[tuple[str, str]], path: str) -> TimeScale:
    for keyword, text in description:
        if keyword == "TIME SYSTEM" and text:
            name = text.split()[0].upper()
            name = {"G": "GPS", "R": "UTC", "E": "GAL", "C": "BDT", "U": "UTC"}.get(name, name)
            if name not in TIME_SYSTEM:
                raise FormatError(path, None, f"unknown time system {text!r}")
            return TIME_SYSTEM[name]
    return TimeScale.GPST


def _real(word: str) -> float:
    """A number, whose exponent may be marked by D as well as by E."""
    return float(word.upper().replace("D", "E"))


def _positions(blocks: Mapping[str, list[tuple[int, str]]]) -> dict[str, tuple[FloatArray, str]]:
    positions: dict[str, tuple[FloatArray, str]] = {}
    for name in _COORDINATE_BLOCKS:
        for _, text in blocks.get(name, []):
            numbers = re.findall(r"(?<=\s)-?\d+\.\d+", text)
            words = text.split()
            if len(numbers) == 3:
                behind = words[words.index(numbers[2]) + 1 :] if numbers[2] in words else []
                positions.setdefault(
                    words[0], (np.array([float(v) for v in numbers]), behind[0] if behind else "")
                )
    return positions


def _instant(text: str, scale: TimeScale, path: str, number: int) -> Epochs:
    match = _TIME.match(text)
    if match is None:
        raise FormatError(path, number, f"expected an epoch YYYY:DDD:SSSSS, found {text!r}")
    year, day, second = int(match["year"]), int(match["day"]), int(match["second"])
    if len(match["year"]) == 2:
        year += 2000 if year <= _CENTURY_PIVOT else 1900
    if not (1980 <= year <= 2200 and 1 <= day <= 366 and second <= SECONDS_PER_DAY):
        raise FormatError(path, number, f"no such day or second: {text!r}")
    start = np.datetime64(f"{year:04d}-01-01", "s") + np.timedelta64(
        (day - 1) * SECONDS_PER_DAY + second, "s"
    )
    return Epochs.from_datetime64(start, scale).to(TimeScale.GPST)


def _series(
    name: str,
    rows: Sequence[tuple[int, int, list[float]]],
    columns: Sequence[str],
    position: tuple[FloatArray, str] | None,
    path: str,
    rejections: dict[str, int],
) -> TroposphereSeries:
    kept: dict[int, list[float]] = {}
    for tai_ns, number, row in rows:
        if tai_ns in kept:
            rejections["epoch given twice"] = rejections.get("epoch given twice", 0) + 1
        elif kept and tai_ns < next(reversed(kept)):
            raise FormatError(path, number, f"epoch of {name} earlier than the one before")
        else:
            kept[tai_ns] = row
    table = np.array(list(kept.values()))
    values: dict[str, FloatArray] = {}
    sigmas: dict[str, FloatArray] = {}
    last = ""
    for i, code in enumerate(columns):
        if code in PARAMETERS:
            last = PARAMETERS[code]
            values[last] = table[:, i]
        else:
            sigmas[last] = table[:, i]
    place, frame = position if position is not None else (None, "")
    return TroposphereSeries(name, Epochs(np.array(list(kept), dtype=np.int64)), values, sigmas, place, frame)


def zenith_delays_of(series: TroposphereSeries) -> ZenithDelays:
    """The total zenith delays of a series, epochs without one left out; InputError without the column."""
    name = PARAMETERS["TROTOT"]
    if name not in series.values:
        raise InputError(f"the file has no total zenith delay of {series.station}")
    given = np.isfinite(series.values[name])
    sigma = series.sigmas.get(name, np.full(given.size, np.nan))
    return ZenithDelays(series.epochs[given], series.values[name][given], sigma[given])
