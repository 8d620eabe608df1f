"""From the text of a SINEX file to a `SinexDocument`."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from stations.formats.compression import read_bytes
from stations.formats.sinex_records import (
    COLUMNS,
    Column,
    SinexAntenna,
    SinexDiscontinuity,
    SinexDocument,
    SinexEccentricity,
    SinexEpochs,
    SinexHeader,
    SinexNormalEquations,
    SinexParameter,
    SinexPhaseCentre,
    SinexReceiver,
    SinexSite,
)
from stations.formats.text_lines import latin_1_lines
from stations.records import InputFile, PathLike
from transforms.errors import FormatError
from transforms.time_scales import SECONDS_PER_DAY, Epochs

FloatArray = NDArray[np.float64]
_Record = TypeVar("_Record")

_OLDEST_VERSION: Final = 1.0
_NEWEST_VERSION: Final = 2.10
_LAST_YEAR_OF_THIS_CENTURY: Final = 50  # SINEX 2.02, chapter 3: YY <= 50 is 20YY
_TIME: Final = re.compile(r"(\d\d):(\d{3}):(\d{5})\Z")
_VERSION: Final = re.compile(r"\d\.\d{1,2}", re.ASCII)
_REAL: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([EeDd][+-]?\d{1,3})?\Z")
_ANGLE: Final = re.compile(r"([+-]?)\s*(\d{1,3})(\s+-?|-)\s*(\d{1,2})\s+(\d{1,2}\.?\d*)\Z")
# End of a SITE/ID line: longitude, latitude, height (2 (I3, I2, F4.1), F7.1).
_SITE_TAIL: Final = re.compile(
    r"(\d{1,3}\s+\d{1,2}\s+\d{1,2}\.\d) ([ -]{0,3}\d{1,3}[ -]\s?\d{1,2}\s+\d{1,2}\.\d)\s+(-?\d+\.\d)\s*\Z"
)
_MATRIX_BLOCK: Final = "SOLUTION/MATRIX_ESTIMATE"
_APRIORI_MATRIX_BLOCK: Final = "SOLUTION/MATRIX_APRIORI"
_VECTOR_BLOCK: Final = "SOLUTION/NORMAL_EQUATION_VECTOR"
_NORMAL_BLOCK: Final = "SOLUTION/NORMAL_EQUATION_MATRIX"
_DISCONTINUITY_BLOCK: Final = "SOLUTION/DISCONTINUITY"
# A full matrix of this many parameters takes 12 GB; no network of one file is that large.
_MAXIMUM_MATRIX_PARAMETERS: Final = 40_000
_MAXIMUM_APRIORI_PARAMETERS: Final = 5_000  # constraints are read beside the covariance: 0.2 GB more


@dataclass
class _Line:
    """A line of a block with its number in the file, and its fields by name."""

    path: str
    number: int
    text: str
    columns: Mapping[str, Column]

    def field(self, name: str) -> str:
        column = self.columns[name]
        return self.text[column.first : column.first + column.width].strip()

    def refuse(self, name: str, expected: str) -> FormatError:
        column = self.columns[name]
        return FormatError(
            self.path,
            self.number,
            f"columns {column.first + 1}-{column.first + column.width} ({name}): expected {expected}, "
            f"found {self.field(name)!r}",
        )

    def real(self, name: str) -> float:
        text = self.field(name)
        value = float(text.upper().replace("D", "E")) if _REAL.match(text) else math.nan
        if not math.isfinite(value):
            raise self.refuse(name, "a number")
        return value

    def integer(self, name: str) -> int:
        text = self.field(name)
        if not text.isdecimal():
            raise self.refuse(name, "a whole number")
        return int(text)

    def time(self, name: str, cache: dict[str, Epochs | None]) -> Epochs | None:
        text = self.field(name)
        if text not in cache:
            is_time, cache[text] = _parse_time(text)
            if not is_time:
                raise self.refuse(name, "a time YY:DDD:SSSSS")
        return cache[text]


def _angle_deg(text: str) -> float | None:
    """Degrees of "199 31 23.7", "-19  1  5.9", or of IGS's "0-44 34.8" (minus 0 degrees); None if none."""
    parts = _ANGLE.match(text.strip())
    if parts is None:
        return None
    minutes, seconds = int(parts[4]), float(parts[5])
    if minutes >= 60 or seconds > 60.0:
        return None
    # Summed as whole tenths of seconds, so that what was rounded to them comes back as it was.
    value = (int(parts[2]) * 36_000 + minutes * 600 + round(seconds * 10.0)) / 36_000.0
    return -value if "-" in (parts[1], parts[3]) else value


def _parse_time(text: str) -> tuple[bool, Epochs | None]:
    """Whether the text is a time, and the instant, None for "00:000:00000" (open)."""
    parts = _TIME.match(text)
    if parts is None:
        return False, None
    year, day, second = (int(part) for part in parts.groups())
    if day == 0:
        return year == 0 and second == 0, None
    full_year = year + (2000 if year <= _LAST_YEAR_OF_THIS_CENTURY else 1900)
    leap = full_year % 4 == 0
    if day > 365 + leap or second > SECONDS_PER_DAY:
        return False, None
    start = np.datetime64(f"{full_year:04d}-01-01", "s")
    return True, Epochs.from_datetime64(start + np.timedelta64((day - 1) * SECONDS_PER_DAY + second, "s"))


def read_sinex(path: PathLike) -> SinexDocument:
    """Read a SINEX file of version 1.00 to 2.10, plain or compressed.

    Blocks without a home in `SinexDocument` are named in `blocks_left_out`. Real files without %ENDSNX are
    taken where all blocks are closed and all estimates are there that the header tells of; a remark says so.
    FormatError with file, line and columns where the file breaks the format: no header, cut off, a block not
    closed, a field that is no number or time, an index out of order, another number of estimates than the
    header says.
    """
    data, identity = read_bytes(path)
    return parse_sinex(data, identity)


def parse_sinex(data: bytes, identity: InputFile) -> SinexDocument:
    """The document in the plain text of a SINEX file; see `read_sinex`."""
    path = identity.path
    lines = latin_1_lines(data)
    cache: dict[str, Epochs | None] = {}
    header = _parse_header(path, lines[0], cache)
    blocks, qualifiers, left_out, is_ended = _split_blocks(path, lines)

    def each(name: str, make: Callable[[_Line], _Record]) -> tuple[_Record, ...]:
        return tuple(make(_Line(path, number, text, COLUMNS[name])) for number, text in blocks.get(name, ()))

    estimates = each("SOLUTION/ESTIMATE", lambda line: _parameter(line, cache))
    apriori = each("SOLUTION/APRIORI", lambda line: _parameter(line, cache))
    for name, parameters in (("SOLUTION/ESTIMATE", estimates), ("SOLUTION/APRIORI", apriori)):
        _check_indices(path, name, [p.index for p in parameters], blocks.get(name, []))
    if not is_ended and not (estimates and len(estimates) == header.n_parameters):
        raise FormatError(path, len(lines), "the file ends without %ENDSNX: it is cut off")
    if "SOLUTION/ESTIMATE" in blocks and len(estimates) != header.n_parameters:
        raise FormatError(
            path, 1, f"the header tells of {header.n_parameters} estimates, and there are {len(estimates)}"
        )
    remarks: list[str] = []
    if not is_ended:
        remarks.append("the file ends without %ENDSNX, but all its estimates are there")
    return SinexDocument(
        header=header,
        reference=each("FILE/REFERENCE", lambda line: (line.field("key"), line.field("text"))),
        comments=each("FILE/COMMENT", lambda line: line.text[1:80].rstrip()),
        sites=each("SITE/ID", _site),
        receivers=each("SITE/RECEIVER", lambda line: _receiver(line, cache)),
        antennas=each("SITE/ANTENNA", lambda line: _antenna(line, cache)),
        eccentricities=each("SITE/ECCENTRICITY", lambda line: _eccentricity(line, cache)),
        epochs=each("SOLUTION/EPOCHS", lambda line: _epochs(line, cache)),
        statistics=each("SOLUTION/STATISTICS", lambda line: (line.field("name"), line.real("value"))),
        apriori=apriori,
        estimates=estimates,
        covariance=_matrix(path, blocks.get(_MATRIX_BLOCK, []), qualifiers.get(_MATRIX_BLOCK, ""), estimates),
        blocks_left_out=left_out,
        inputs=(identity,),
        apriori_covariance=_apriori_matrix(path, blocks, qualifiers, apriori, remarks),
        normal_equations=_normal_equations(path, blocks, qualifiers, cache),
        discontinuities=each(_DISCONTINUITY_BLOCK, lambda line: _discontinuity(line, cache)),
        phase_centres=each("SITE/GPS_PHASE_CENTER", _phase_centre),
        remarks=tuple(remarks),
    )


def read_discontinuities(path: PathLike) -> tuple[SinexDiscontinuity, ...]:
    """The block SOLUTION/DISCONTINUITY of a SINEX file, or of a file that holds nothing but this block.

    The IGS's and national lists go round in both forms, with and without "%=SNX" and "%ENDSNX".
    """
    data, identity = read_bytes(path)
    lines = latin_1_lines(data)
    cache: dict[str, Epochs | None] = {}
    has_header = lines[0].startswith("%=SNX")
    if has_header:
        _parse_header(identity.path, lines[0], cache)
    blocks, _, _, _ = _split_blocks(identity.path, lines, first_line=1 if has_header else 0)
    columns = COLUMNS[_DISCONTINUITY_BLOCK]
    found = tuple(
        _discontinuity(_Line(identity.path, number, text, columns), cache)
        for number, text in blocks.get(_DISCONTINUITY_BLOCK, [])
    )
    if not found:
        raise FormatError(path, None, f"the file has no line in a block {_DISCONTINUITY_BLOCK}")
    return found


def _parse_header(path: str, text: str, cache: dict[str, Epochs | None]) -> SinexHeader:
    if not text.startswith("%=SNX"):
        raise FormatError(path, 1, f"expected a SINEX header '%=SNX', found {text[:20]!r}")
    tokens = text[5:].split()
    if len(tokens) < 9:
        raise FormatError(path, 1, f"expected nine fields or more after '%=SNX', found {len(tokens)}")
    version = tokens[0]
    if not _VERSION.fullmatch(version) or not _OLDEST_VERSION <= float(version) <= _NEWEST_VERSION:
        raise FormatError(
            path, 1, f"SINEX version {version!r}; {_OLDEST_VERSION:.2f} to {_NEWEST_VERSION:.2f} are read"
        )
    times: list[Epochs | None] = []
    for position in (2, 4, 5):
        is_time, parsed = _parse_time(tokens[position])
        if not is_time:
            raise FormatError(path, 1, f"expected a time YY:DDD:SSSSS, found {tokens[position]!r}")
        times.append(parsed)
    created, start, end = times
    if created is None:
        raise FormatError(path, 1, "the file's time of creation is open")
    if not tokens[7].isdecimal() or len(tokens[8]) != 1:
        raise FormatError(
            path, 1, f"expected the number of estimates and a constraint code, found {tokens[7:9]}"
        )
    return SinexHeader(
        version, tokens[1], created, tokens[3], start, end, tokens[6], int(tokens[7]), tokens[8],
        tuple(tokens[9:]),
    )  # fmt: skip


_Blocks = dict[str, list[tuple[int, str]]]


def _split_blocks(
    path: str, lines: list[str], first_line: int = 1
) -> tuple[_Blocks, dict[str, str], tuple[str, ...], bool]:
    """Lines of the known blocks with their numbers, the blocks' qualifiers ("L COVA"), names of others, and
    whether %ENDSNX was met. The header is line `first_line`; 0 where the file has none.
    """
    blocks: _Blocks = {}
    left_out: list[str] = []
    qualifiers: dict[str, str] = {}
    open_name, open_line = "", 0
    content: list[tuple[int, str]] = []
    for number, text in enumerate(lines, start=1):
        mark = text[:1]
        if mark in ("*", "") or number == first_line:
            continue
        if mark == "+":
            if open_name:
                raise FormatError(path, number, f"block {open_name} of line {open_line} is not closed")
            open_name, open_line = text[1:].strip(), number
            content = []
        elif mark == "-":
            if text[1:].strip() != open_name or not open_name:
                raise FormatError(path, number, f"block end {text[1:].strip()!r} closes no open block")
            name, _, rest = open_name.partition(" ")
            if name not in COLUMNS:
                left_out.append(name)
            elif name in blocks:
                raise FormatError(path, open_line, f"a second block {name}")
            else:
                blocks[name] = content
                qualifiers[name] = rest.strip()
            open_name = ""
        elif text.startswith("%ENDSNX"):
            if open_name:
                raise FormatError(path, number, f"block {open_name} of line {open_line} is not closed")
            return blocks, qualifiers, tuple(left_out), True
        elif mark == " ":
            if text.strip():
                if not open_name:
                    raise FormatError(path, number, "data outside of a block")
                content.append((number, text))
        else:
            raise FormatError(path, number, f"a line begins with '%', '*', '+', '-' or ' ', not {mark!r}")
    if open_name:
        raise FormatError(path, len(lines), f"the file is cut off in block {open_name} of line {open_line}")
    return blocks, qualifiers, tuple(left_out), False


def _check_indices(path: str, name: str, indices: list[int], content: list[tuple[int, str]]) -> None:
    for position, index in enumerate(indices):
        if index != position + 1:
            raise FormatError(
                path, content[position][0], f"{name}: expected parameter index {position + 1}, found {index}"
            )


def _site(line: _Line) -> SinexSite:
    # Read from the line's end: real IGS files push these columns to the right by a long description.
    first = COLUMNS["SITE/ID"]["longitude"].first
    tail = _SITE_TAIL.search(line.text, first)
    longitude = _angle_deg(tail[1]) if tail else None
    latitude = _angle_deg(tail[2]) if tail else None
    if tail is None or longitude is None or latitude is None or longitude > 360.0 or abs(latitude) > 90.0:
        raise FormatError(
            line.path,
            line.number,
            f"columns {first + 1}-75: expected longitude, latitude and height, found {line.text[first:]!r}",
        )
    return SinexSite(
        line.field("code"),
        line.field("point"),
        line.field("domes"),
        line.field("technique"),
        line.field("description"),
        longitude,
        latitude,
        float(tail[3]),
    )


_Place = tuple[str, str, str, str, Epochs | None, Epochs | None]


def _place(line: _Line, cache: dict[str, Epochs | None]) -> _Place:
    code, point, solution, technique = (line.field(n) for n in ("code", "point", "solution", "technique"))
    return code, point, solution, technique, line.time("start", cache), line.time("end", cache)


def _receiver(line: _Line, cache: dict[str, Epochs | None]) -> SinexReceiver:
    return SinexReceiver(
        *_place(line, cache), line.field("receiver"), line.field("serial"), line.field("firmware")
    )


def _antenna(line: _Line, cache: dict[str, Epochs | None]) -> SinexAntenna:
    return SinexAntenna(*_place(line, cache), line.field("antenna"), line.field("serial"))


def _phase_centre(line: _Line) -> SinexPhaseCentre:
    first, second = (
        (line.real(f"{carrier} up"), line.real(f"{carrier} north"), line.real(f"{carrier} east"))
        for carrier in ("first", "second")
    )
    antenna, serial, model = (line.field(name) for name in ("antenna", "serial", "model"))
    return SinexPhaseCentre(antenna, serial, first, second, model)


def _eccentricity(line: _Line, cache: dict[str, Epochs | None]) -> SinexEccentricity:
    reference = line.field("reference")
    if reference not in ("UNE", "XYZ"):
        raise line.refuse("reference", "UNE or XYZ")
    offset = (line.real("first"), line.real("second"), line.real("third"))
    return SinexEccentricity(*_place(line, cache), reference, offset)


def _epochs(line: _Line, cache: dict[str, Epochs | None]) -> SinexEpochs:
    return SinexEpochs(*_place(line, cache), line.time("mean", cache))


def _parameter(line: _Line, cache: dict[str, Epochs | None]) -> SinexParameter:
    return SinexParameter(
        line.integer("index"),
        line.field("kind"),
        line.field("code"),
        line.field("point"),
        line.field("solution"),
        line.time("epoch", cache),
        line.field("unit"),
        line.field("constraint"),
        line.real("value"),
        line.real("sigma"),
    )


def _discontinuity(line: _Line, cache: dict[str, Epochs | None]) -> SinexDiscontinuity:
    quantity = line.field("quantity")
    if quantity not in ("P", "V", "A"):  # "A" (annual signals) stands in the files of ITRF2020
        raise line.refuse("quantity", "P, V or A")
    return SinexDiscontinuity(*_place(line, cache), quantity, line.field("remark"))


def _apriori_matrix(
    path: str,
    blocks: _Blocks,
    qualifiers: Mapping[str, str],
    apriori: tuple[SinexParameter, ...],
    remarks: list[str],
) -> FloatArray | None:
    """The covariance of the a priori values. Constraints on some parameters only have no covariance."""
    content = blocks.get(_APRIORI_MATRIX_BLOCK, [])
    if not content:
        return None
    if len(apriori) > _MAXIMUM_APRIORI_PARAMETERS:
        remarks.append(f"the a priori matrix of {len(apriori)} parameters is not taken over")
        return None
    qualifier = qualifiers.get(_APRIORI_MATRIX_BLOCK, "")
    if qualifier.endswith("INFO"):
        information = _matrix(path, content, qualifier.replace("INFO", "COVA"), apriori)
        if information is None or not np.all(np.diagonal(information) > 0.0):
            remarks.append("the a priori information does not bind all parameters: it is not taken over")
            return None
    return _matrix(path, content, qualifier, apriori)


def _normal_equations(
    path: str, blocks: _Blocks, qualifiers: Mapping[str, str], cache: dict[str, Epochs | None]
) -> SinexNormalEquations | None:
    vector, content = blocks.get(_VECTOR_BLOCK, []), blocks.get(_NORMAL_BLOCK, [])
    if not vector:
        if content:
            raise FormatError(path, content[0][0] - 1, f"{_NORMAL_BLOCK} without {_VECTOR_BLOCK}")
        return None
    parameters: list[SinexParameter] = []
    for number, text in vector:
        line = _Line(path, number, text, COLUMNS[_VECTOR_BLOCK])
        parameters.append(
            SinexParameter(
                line.integer("index"),
                line.field("kind"),
                line.field("code"),
                line.field("point"),
                line.field("solution"),
                line.time("epoch", cache),
                line.field("unit"),
                line.field("constraint"),
                line.real("value"),
                0.0,
            )
        )
    _check_indices(path, _VECTOR_BLOCK, [p.index for p in parameters], vector)
    matrix: FloatArray | None = None
    if content:
        triangle = qualifiers.get(_NORMAL_BLOCK, "")
        n = len(parameters)
        if triangle not in ("L", "U") or n > _MAXIMUM_MATRIX_PARAMETERS:
            raise FormatError(
                path,
                content[0][0] - 1,
                f"expected L or U and {_MAXIMUM_MATRIX_PARAMETERS} parameters at most",
            )
        matrix = np.zeros((n, n))
        for row, column, value in _matrix_elements(path, content, triangle, n):
            matrix[row, column] = matrix[column, row] = value
    return SinexNormalEquations(tuple(parameters), np.array([p.value for p in parameters]), matrix)


def _matrix_elements(
    path: str, content: list[tuple[int, str]], triangle: str, n: int
) -> Iterator[tuple[int, int, float]]:
    """Elements (row, column, value) from 0, each of the triangle that the block's name announces."""
    for number, text in content:
        line = _Line(path, number, text, COLUMNS[_MATRIX_BLOCK])
        row, column = line.integer("row") - 1, line.integer("column") - 1
        for offset, name in enumerate(("first", "second", "third")):
            if offset and not line.field(name):
                break
            j = column + offset
            in_triangle = j <= row if triangle == "L" else j >= row
            if not (0 <= row < n and 0 <= j < n and in_triangle):
                raise FormatError(
                    path,
                    number,
                    f"element ({row + 1}, {j + 1}) is not in triangle {triangle} of {n} parameters",
                )
            yield row, j, line.real(name)


def _matrix(
    path: str, content: list[tuple[int, str]], qualifier: str, estimates: tuple[SinexParameter, ...]
) -> FloatArray | None:
    """The covariance of the estimates, whatever the block holds; elements not given are zero."""
    if not content:
        return None
    first_line = content[0][0] - 1
    parts = qualifier.split()
    if len(parts) != 2 or parts[0] not in ("L", "U") or parts[1] not in ("COVA", "CORR", "INFO"):
        raise FormatError(path, first_line, f"expected L or U with COVA, CORR or INFO, found {qualifier!r}")
    n = len(estimates)
    if n > _MAXIMUM_MATRIX_PARAMETERS:
        raise FormatError(path, first_line, f"a matrix of {n} parameters is too large")
    matrix = np.zeros((n, n))
    for row, column, value in _matrix_elements(path, content, parts[0], n):
        matrix[row, column] = matrix[column, row] = value
    if parts[1] == "CORR":
        sigma = np.array([p.sigma for p in estimates])
        np.fill_diagonal(matrix, 1.0)
        return matrix * np.outer(sigma, sigma)
    if parts[1] == "INFO":
        try:
            return np.asarray(np.linalg.inv(matrix), dtype=np.float64)
        except np.linalg.LinAlgError as error:
            raise FormatError(path, first_line, "the information matrix is singular") from error
    return matrix
