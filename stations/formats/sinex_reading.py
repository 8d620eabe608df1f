"""From the text of a SINEX file to a `SinexDocument`."""

import re
from collections.abc import Callable
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from stations.formats.compression import read_bytes
from stations.formats.sinex_lines import (
    SinexBlocks,
    SinexLine,
    check_indices,
    parse_sinex_angle_deg,
    parse_sinex_time,
)
from stations.formats.sinex_matrices import (
    apriori_matrix,
    covariance_matrix,
    normal_equations,
    parameter_of,
)
from stations.formats.sinex_records import (
    COLUMNS,
    SinexAntenna,
    SinexDiscontinuity,
    SinexDocument,
    SinexEccentricity,
    SinexEpochs,
    SinexHeader,
    SinexParameter,
    SinexPhaseCentre,
    SinexReceiver,
    SinexSite,
)
from stations.formats.text_lines import latin_1_lines
from stations.records import InputFile, PathLike
from transforms.errors import FormatError
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]
_Record = TypeVar("_Record")

_OLDEST_VERSION: Final = 1.0
_NEWEST_VERSION: Final = 2.10
_VERSION: Final = re.compile(r"\d\.\d{1,2}", re.ASCII)
# End of a SITE/ID line: longitude, latitude, height (2 (I3, I2, F4.1), F7.1).
_SITE_TAIL: Final = re.compile(
    r"(\d{1,3}\s+\d{1,2}\s+\d{1,2}\.\d) ([ -]{0,3}\d{1,3}[ -]\s?\d{1,2}\s+\d{1,2}\.\d)\s+(-?\d+\.\d)\s*\Z"
)
_MATRIX_BLOCK: Final = "SOLUTION/MATRIX_ESTIMATE"
_DISCONTINUITY_BLOCK: Final = "SOLUTION/DISCONTINUITY"


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

    def each(name: str, make: Callable[[SinexLine], _Record]) -> tuple[_Record, ...]:
        return tuple(
            make(SinexLine(path, number, text, COLUMNS[name])) for number, text in blocks.get(name, ())
        )

    estimates = each("SOLUTION/ESTIMATE", lambda line: _parameter(line, cache))
    apriori = each("SOLUTION/APRIORI", lambda line: _parameter(line, cache))
    for name, parameters in (("SOLUTION/ESTIMATE", estimates), ("SOLUTION/APRIORI", apriori)):
        check_indices(path, name, [p.index for p in parameters], blocks.get(name, []))
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
        covariance=covariance_matrix(
            path, blocks.get(_MATRIX_BLOCK, []), qualifiers.get(_MATRIX_BLOCK, ""), estimates
        ),
        blocks_left_out=left_out,
        inputs=(identity,),
        apriori_covariance=apriori_matrix(path, blocks, qualifiers, apriori, remarks),
        normal_equations=normal_equations(path, blocks, qualifiers, cache),
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
        _discontinuity(SinexLine(identity.path, number, text, columns), cache)
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
        is_time, parsed = parse_sinex_time(tokens[position])
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


def _split_blocks(
    path: str, lines: list[str], first_line: int = 1
) -> tuple[SinexBlocks, dict[str, str], tuple[str, ...], bool]:
    """Lines of the known blocks with their numbers, the blocks' qualifiers ("L COVA"), names of others, and
    whether %ENDSNX was met. The header is line `first_line`; 0 where the file has none.
    """
    blocks: SinexBlocks = {}
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


def _site(line: SinexLine) -> SinexSite:
    # Read from the line's end: real IGS files push these columns to the right by a long description.
    first = COLUMNS["SITE/ID"]["longitude"].first
    tail = _SITE_TAIL.search(line.text, first)
    longitude = parse_sinex_angle_deg(tail[1]) if tail else None
    latitude = parse_sinex_angle_deg(tail[2]) if tail else None
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


def _place(line: SinexLine, cache: dict[str, Epochs | None]) -> _Place:
    code, point, solution, technique = (line.field(n) for n in ("code", "point", "solution", "technique"))
    return code, point, solution, technique, line.time("start", cache), line.time("end", cache)


def _receiver(line: SinexLine, cache: dict[str, Epochs | None]) -> SinexReceiver:
    return SinexReceiver(
        *_place(line, cache), line.field("receiver"), line.field("serial"), line.field("firmware")
    )


def _antenna(line: SinexLine, cache: dict[str, Epochs | None]) -> SinexAntenna:
    return SinexAntenna(*_place(line, cache), line.field("antenna"), line.field("serial"))


def _phase_centre(line: SinexLine) -> SinexPhaseCentre:
    first, second = (
        (line.real(f"{carrier} up"), line.real(f"{carrier} north"), line.real(f"{carrier} east"))
        for carrier in ("first", "second")
    )
    antenna, serial, model = (line.field(name) for name in ("antenna", "serial", "model"))
    return SinexPhaseCentre(antenna, serial, first, second, model)


def _eccentricity(line: SinexLine, cache: dict[str, Epochs | None]) -> SinexEccentricity:
    reference = line.field("reference")
    if reference not in ("UNE", "XYZ"):
        raise line.refuse("reference", "UNE or XYZ")
    offset = (line.real("first"), line.real("second"), line.real("third"))
    return SinexEccentricity(*_place(line, cache), reference, offset)


def _epochs(line: SinexLine, cache: dict[str, Epochs | None]) -> SinexEpochs:
    return SinexEpochs(*_place(line, cache), line.time("mean", cache))


def _parameter(line: SinexLine, cache: dict[str, Epochs | None]) -> SinexParameter:
    return parameter_of(line, cache, sigma=line.real("sigma"))


def _discontinuity(line: SinexLine, cache: dict[str, Epochs | None]) -> SinexDiscontinuity:
    quantity = line.field("quantity")
    if quantity not in ("P", "V", "A"):  # "A" (annual signals) stands in the files of ITRF2020
        raise line.refuse("quantity", "P, V or A")
    return SinexDiscontinuity(*_place(line, cache), quantity, line.field("remark"))
