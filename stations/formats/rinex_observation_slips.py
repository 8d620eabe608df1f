"""Cycle slip records of observation files (epoch flag 6): detected and repaired slips, for each observable.

RINEX 3.05, table A3; RINEX 2.11, table A2: the records have the columns of observations, with the slip in
cycles in place of the value and the indicators blank.
"""

import re
from typing import Final

import numpy as np

from stations.formats.fixed_width import TextLines
from stations.formats.rinex_damage import LeftOut
from stations.formats.rinex_decoding import CodeNames, names_of_codes
from stations.formats.rinex_header import ObservationFileHeader
from stations.formats.rinex_layout import EventRecord
from stations.records import CycleSlip

SLIP_FLAG: Final = 6
_NAME: Final = re.compile(r"([GRECJSI ])([ \d]\d)\Z")
_NUMBER: Final = re.compile(r"[+-]?\d+\.?\d*\Z")
_FIELD_WIDTH: Final = 16
_VALUE_WIDTH: Final = 14
_SATELLITES_IN_LINE_V2: Final = 12
_FIELDS_IN_LINE_V2: Final = 5
_SATELLITES_COLUMN_V2: Final = 32


def read_slips(
    lines: TextLines,
    record: EventRecord,
    header: ObservationFileHeader,
    code_names: CodeNames,
    left_out: LeftOut,
) -> tuple[CycleSlip, ...]:
    """The slips of one event record, () where its flag is not 6; blanks and zeros are none."""
    if record.flag != SLIP_FLAG:
        return ()
    slips: list[CycleSlip] = []
    for ordinal in range(record.count):
        line, name, values = _satellite(lines, record, ordinal, header)
        match = _NAME.match(name)
        system = header.system if match and match[1] == " " else name[:1]
        if system == "M":
            system = "G"
        listed = header.codes.get("" if header.major == 2 else system)
        if match is None or listed is None:
            left_out.damaged("unreadable satellite name", np.array([line]))
            continue
        satellite = f"{system}{int(match[2]):02d}"
        codes = code_names.get((record.header, system)) or names_of_codes(system, listed, header, listed)
        for place, code in enumerate(codes):
            text = values[place * _FIELD_WIDTH : place * _FIELD_WIDTH + _VALUE_WIDTH].strip()
            if not text or code is None:
                continue
            if _NUMBER.match(text) is None:
                left_out.damaged("unreadable cycle slip", np.array([line]))
            elif float(text) != 0.0:
                factor = header.scale_factors.get((system, listed[place]), 1)
                slips.append(CycleSlip(satellite, code, float(text) / factor))
    return tuple(slips)


def _satellite(
    lines: TextLines, record: EventRecord, ordinal: int, header: ObservationFileHeader
) -> tuple[int, str, str]:
    """Line (from 0), name and fields of one satellite of the record."""
    if header.major > 2:
        line = record.content + ordinal
        text = lines.text(line)
        return line, text[:3], text[3:]
    column = _SATELLITES_COLUMN_V2 + 3 * (ordinal % _SATELLITES_IN_LINE_V2)
    name = lines.text(record.line - 1 + ordinal // _SATELLITES_IN_LINE_V2)[column : column + 3]
    n_lines = -(-len(header.codes[""]) // _FIELDS_IN_LINE_V2)
    line = record.content + ordinal * n_lines
    width = _FIELD_WIDTH * _FIELDS_IN_LINE_V2
    return line, name, "".join(f"{lines.text(line + j):<{width}.{width}s}" for j in range(n_lines))
