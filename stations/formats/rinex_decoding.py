"""Satellite records of a RINEX observation file turned into numbers, all records of a system at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.formats.fixed_width import BoolArray, ByteArray, FloatArray, IntArray, TextLines, parse_reals
from stations.formats.rinex2_codes import DECIDING_TYPES, rinex3_code
from stations.formats.rinex_damage import LeftOut
from stations.formats.rinex_header import ObservationFileHeader
from stations.formats.rinex_layout import Layout
from stations.formats.satellite_names import satellite_keys, satellite_name
from stations.records import LossOfLock

_FIELD_WIDTH: Final = 16  # F14.3, loss-of-lock indicator, signal strength: RINEX 2.11 and 3.05
_VALUE_WIDTH: Final = 14
_LINE_WIDTH_V2: Final = 80
_SPACE: Final = 32
_ROWS_TRIED: Final = 200
VARIABLE_OF_LETTER: Final = {
    "C": "pseudorange_m",
    "L": "carrier_phase_cycles",
    "D": "doppler_hz",
    "S": "cn0_dbhz",
}
# What cannot be: a pseudorange of over 3 light-seconds, a Doppler shift of 1 MHz (orbits give 10 kHz, a
# bad oscillator as much again), a carrier-to-noise density outside 0..100 dBHz.
_LARGEST: Final = {"C": 1.0e9, "L": 1.0e10, "D": 1.0e6, "S": 100.0}
_SCREENED_SYSTEMS: Final = frozenset("GRECJSI")
# RINEX 3.05, sections 5.2.12 and 5.2.13: values of a model, and numbers of a receiver's own channels.
_PSEUDO_OBSERVABLES: Final = {
    "I": "a pseudo-observable: the ionosphere's phase delay by a model",
    "X": "a pseudo-observable: the receiver's channel number",
}
# (index of the header, letter of the system) -> RINEX 3 name of each type listed, None for what is not taken
CodeNames = dict[tuple[int, str], tuple[str | None, ...]]


@dataclass(frozen=True, eq=False)
class SystemObservations:
    """Decoded records of one system under one header.

    epoch : (n,) ordinal of the epoch in its file; satellite_key : (n,)
    signals : (n_code,) such as "1C"; letters : (n_code,) of C L D S
    values : (n, n_code)
    loss_of_lock, signal_strength : (n, n_code), of phases and of phases and pseudoranges, 0 where blank;
        signal_strength is None where all are blank
    """

    epoch: IntArray
    satellite_key: IntArray
    letters: tuple[str, ...]
    signals: tuple[str, ...]
    values: FloatArray
    loss_of_lock: ByteArray
    signal_strength: ByteArray | None


def decode_records(
    lines: TextLines,
    layout: Layout,
    systems: frozenset[str] | None,
    wanted_epoch: BoolArray,
    left_out: LeftOut,
) -> tuple[list[SystemObservations], CodeNames]:
    """All records of a file, system by system; what is not taken over is added to `left_out`.

    systems : letters to take, None for all
    wanted_epoch : (n_epoch,) whether to take an epoch

    Beside the records the names that the types of each system have under each header.
    """
    header = layout.headers[0]
    keys, bad = satellite_keys(layout.satellite, ord(header.system if header.system != "M" else "G"))
    wanted = wanted_epoch[layout.record_epoch]
    keys = np.where(wanted, keys, 0)
    left_out.damaged("unreadable satellite name", layout.record_line[bad & wanted])
    repeated = _repeats(keys, layout.record_epoch)
    keys[repeated] = 0
    left_out.damaged("satellite given twice in an epoch", layout.record_line[repeated])
    parts: list[SystemObservations] = []
    code_names: CodeNames = {}
    observed = _observed_of_systems(lines, layout, keys) if header.major == 2 else {}
    for number, current in enumerate(layout.headers):
        of_header = (layout.record_header == number) & (keys > 0)
        for letter in sorted({chr(k) for k in np.unique(keys[of_header] // 100)}):
            if systems is not None and letter not in systems:
                continue
            rows = np.flatnonzero(of_header & (keys // 100 == ord(letter)))
            listed = current.codes.get("" if current.major == 2 else letter)
            if letter not in _SCREENED_SYSTEMS or listed is None:
                reason = f"satellite of system {letter}, for which the header lists no observations"
                left_out.damaged(reason, layout.record_line[rows])
                continue
            names = names_of_codes(letter, listed, current, observed.get(letter, ()))
            code_names[number, letter] = names
            part = _decode_system(lines, layout, rows, keys[rows], letter, listed, names, current, left_out)
            if part is not None:
                parts.append(part)
    return parts, code_names


def _repeats(keys: IntArray, epoch: IntArray) -> NDArray[np.intp]:
    """Indices of the records whose satellite their epoch has given already; keys of 0 are no satellites."""
    valid = np.flatnonzero(keys > 0)
    _, first = np.unique(epoch[valid] * 100_000 + keys[valid], return_index=True)
    again = np.ones(valid.size, dtype=np.bool_)
    again[first] = False
    return valid[again]


def _decode_system(
    lines: TextLines,
    layout: Layout,
    rows: NDArray[np.intp],
    keys: IntArray,
    letter: str,
    listed: Sequence[str],
    names: Sequence[str | None],
    header: ObservationFileHeader,
    left_out: LeftOut,
) -> SystemObservations | None:
    """All records of one system: cut into fields, parsed, screened."""
    record_line = layout.record_line[rows]
    if header.major == 2:
        n_lines = _lines_of_types(listed)
        block = np.concatenate(
            [lines.block(record_line + j, 0, _LINE_WIDTH_V2) for j in range(n_lines)], axis=1
        )
        ends_inside = np.concatenate(
            [_cut_fields(lines.length[record_line + j], 5) for j in range(n_lines)], axis=1
        )
    else:
        block = lines.block(record_line, 3, len(listed) * _FIELD_WIDTH)
        ends_inside = _cut_fields(lines.length[record_line] - 3, len(listed))
    all_fields = block.reshape(rows.size, -1, _FIELD_WIDTH)
    # In RINEX 2 all systems share the types of the file: those of others are blank throughout.
    taken = [
        i
        for i, name in enumerate(names)
        if name is not None and (header.major > 2 or _is_filled(all_fields[:, i]))
    ]
    codes = [name for name in (names[i] for i in taken) if name is not None]
    if len(set(codes)) < len(codes):
        # B1I under both of its names: the standard one stands first or second, either serves.
        taken = [
            i for i, name in zip(taken, codes, strict=True) if listed[i] == name or codes.count(name) == 1
        ]
        codes = [name for name in (names[i] for i in taken) if name is not None]
    _count_unused(all_fields, [i for i, name in enumerate(names) if name is None], letter, listed, left_out)
    if not codes:
        return None
    fields = all_fields[:, taken]
    text = np.ascontiguousarray(fields[:, :, :_VALUE_WIDTH]).reshape(-1, _VALUE_WIDTH)
    flat, bad = parse_reals(text)
    values, unreadable = flat.reshape(rows.size, -1), bad.reshape(rows.size, -1)
    cut = ends_inside[:, taken] & np.isfinite(values)
    for reason, where in (
        ("value cut off by the end of its line", cut),
        ("unreadable value", unreadable),
    ):
        left_out.damaged(reason, record_line[np.nonzero(where)[0]])
    values[cut | (values == 0.0)] = np.nan  # 0.0 and blank both say "missing" (RINEX 3.05, section 6.7)
    letters = tuple(code[0] for code in codes)
    for column, (code, original) in enumerate(zip(codes, (listed[i] for i in taken), strict=True)):
        factor = header.scale_factors.get((letter, original), 1)
        if factor != 1:
            values[:, column] /= factor
        absurd = np.abs(values[:, column]) > _LARGEST[code[0]]
        if code[0] == "S":
            absurd |= values[:, column] < 0.0
        left_out.damaged(f"{VARIABLE_OF_LETTER[code[0]]} out of range", record_line[absurd])
        values[absurd, column] = np.nan
    loss_of_lock, strange = _digits(fields[:, :, _VALUE_WIDTH], letters, "L", largest=7)
    left_out.damaged("unreadable loss-of-lock indicator", record_line[np.nonzero(strange)[0]])
    strength, strange = _digits(fields[:, :, _VALUE_WIDTH + 1], letters, "LC", largest=9)
    left_out.damaged("unreadable signal strength indicator", record_line[np.nonzero(strange)[0]])
    if header.wavelength_factors and letter == "G":
        _mark_half_cycles(loss_of_lock, values, keys, codes, header)
    return SystemObservations(
        epoch=layout.record_epoch[rows],
        satellite_key=keys,
        letters=letters,
        signals=tuple(c[1:] for c in codes),
        values=values,
        loss_of_lock=loss_of_lock,
        signal_strength=strength if strength.any() else None,
    )


def _lines_of_types(listed: Sequence[str]) -> int:
    """Lines that a satellite has in RINEX 2."""
    return -(-len(listed) // (_LINE_WIDTH_V2 // _FIELD_WIDTH))


def _observed_of_systems(lines: TextLines, layout: Layout, keys: IntArray) -> dict[str, set[str]]:
    """System -> those types of RINEX 2 that tell C/A from P and of which its records have any value."""
    observed: dict[str, set[str]] = {}
    fields_in_line = _LINE_WIDTH_V2 // _FIELD_WIDTH
    for number, header in enumerate(layout.headers):
        listed = header.codes[""]
        deciding = [(place, code) for place, code in enumerate(listed) if code in DECIDING_TYPES]
        of_header = np.flatnonzero((layout.record_header == number) & (keys > 0))
        letters = keys[of_header] // 100
        for letter in np.unique(letters).tolist():
            record_line = layout.record_line[of_header[letters == letter]]
            found = observed.setdefault(chr(letter), set())
            for place, code in deciding:
                line, column = divmod(place, fields_in_line)
                # Most types have something in the first records, and need not be searched through.
                for some in (record_line[:_ROWS_TRIED], record_line):
                    if (
                        code not in found
                        and _has_value(lines.block(some + line, column * _FIELD_WIDTH, _FIELD_WIDTH)).any()
                    ):
                        found.add(code)
    return observed


def _is_filled(field: ByteArray) -> bool:
    """Whether anything but blanks stands in any of the fields (n, FIELD_WIDTH)."""
    return bool((field[:_ROWS_TRIED] != _SPACE).any() or (field != _SPACE).any())


def _has_value(field: ByteArray) -> BoolArray:
    """Fields (n, FIELD_WIDTH) that hold another value than 0 or blank, shape (n,)."""
    text = field[:, :_VALUE_WIDTH]
    return np.asarray(((text > ord("0")) & (text <= ord("9"))).any(axis=1), dtype=np.bool_)


def _count_unused(
    fields: ByteArray, columns: Sequence[int], letter: str, listed: Sequence[str], left_out: LeftOut
) -> None:
    """Count the values of types that have no observable here: they are not lost in silence."""
    for column in columns:
        kind = _PSEUDO_OBSERVABLES.get(listed[column][0], "which is no observable here")
        count = int(_has_value(fields[:, column]).sum())
        left_out.unused(f"value of {letter} {listed[column]}, {kind}", count)


def _cut_fields(length: IntArray, n_fields: int) -> BoolArray:
    """Fields whose 14 columns of value the line's end cuts through, shape (n, n_fields)."""
    begin = np.arange(n_fields) * _FIELD_WIDTH
    return (length[:, None] > begin) & (length[:, None] < begin + _VALUE_WIDTH)


def names_of_codes(
    letter: str, listed: Sequence[str], header: ObservationFileHeader, observed: Collection[str]
) -> tuple[str | None, ...]:
    """RINEX 3 names of the types that a file lists for a system; None for what is not taken.

    observed : of RINEX 2, those of DECIDING_TYPES that the system is observed with
    """
    return tuple(_code(letter, code, header, observed) for code in listed)


def _code(letter: str, code: str, header: ObservationFileHeader, observed: Collection[str]) -> str | None:
    """RINEX 3 name of a code as the file lists it, or None where it is not one of C, L, D, S."""
    if header.major == 2:
        return rinex3_code(letter, code, observed)
    if code[0] not in VARIABLE_OF_LETTER:
        return None  # ionosphere delays and channel numbers are no observations
    # RINEX 3.02 numbers B1I (1561.098 MHz) as band 1; before and after it is band 2. B1C, the true band 1,
    # has the attributes D, P, X, of which 3.02 does not know the first two.
    if (
        letter == "C"
        and code[1] == "1"
        and (code[2] in "IQ" or (code[2] == "X" and header.version == "3.02"))
    ):
        return f"{code[0]}2{code[2]}"
    return code


def _digits(
    indicator: ByteArray, letters: Sequence[str], of_letters: str, *, largest: int
) -> tuple[ByteArray, BoolArray]:
    """One-digit indicators of the columns with a letter of `of_letters`, 0 for blanks; and which are bad."""
    digit = indicator - np.uint8(48)
    meant = np.array([x in of_letters for x in letters])
    strange = (digit > largest) & (indicator != 32) & meant
    return np.where((digit <= largest) & meant, digit, 0).astype(np.uint8), strange


def _mark_half_cycles(
    loss_of_lock: ByteArray,
    values: FloatArray,
    keys: IntArray,
    codes: Sequence[str],
    header: ObservationFileHeader,
) -> None:
    """RINEX 2 squaring receivers: with a wavelength factor of 2, the half-cycle bit's sense is turned."""
    default = header.wavelength_factors.get("", (1, 1))
    factors = np.array([header.wavelength_factors.get(satellite_name(int(k)), default) for k in keys])
    for column, code in enumerate(codes):
        if code[0] == "L" and code[1] in "12":
            half = (factors[:, int(code[1]) - 1] == 2) & np.isfinite(values[:, column])
            loss_of_lock[half, column] ^= np.uint8(LossOfLock.HALF_CYCLE)
