"""Signal biases in Bias-SINEX 1.00 (Schaer 2016, SINEX_BIAS format description): read and write.

Absolute ones (OSB) belong to one signal, differential ones (DSB) to a pair; nanoseconds or cycles in the
file, metres here. The convention: corrected observation = observation - bias.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Final, Literal, cast

import numpy as np

from stations.formats.analysis_centres import centre_code
from stations.formats.atomic_write import write_atomically
from stations.formats.compression import compress_for, read_bytes
from stations.formats.satellite_names import TIME_SYSTEM
from stations.formats.text_lines import latin_1_lines
from stations.records import InputFile, PathLike, SignalBias, SignalBiases
from stations.signals import wavelength_m
from transforms.constants import SPEED_OF_LIGHT_M_PER_S
from transforms.errors import FormatError, InputError
from transforms.time_scales import Epochs, TimeScale

_InstantReader = Callable[[str, TimeScale, int, Epochs], Epochs]
_FIRST_LINE: Final = re.compile(r"%=BIA +(?P<version>\d\.\d\d) +(?P<agency>\S+) +\S+ +(?P<owner>\S+) ")
_TIME: Final = re.compile(r"(?P<year>\d{2}|\d{4}):(?P<day>\d{3}):(?P<second>\d{5})")
_NANOSECOND_M: Final = SPEED_OF_LIGHT_M_PER_S * 1e-9
# Columns (from 0) of a line of BIAS/SOLUTION; Bias-SINEX 1.00, section 3.10.
_KIND: Final = slice(1, 5)
_SVN: Final = slice(6, 10)
_PRN: Final = slice(11, 14)
_STATION: Final = slice(15, 24)
_FIRST_SIGNAL: Final = slice(25, 29)
_SECOND_SIGNAL: Final = slice(30, 34)
_START: Final = slice(35, 49)
_END: Final = slice(50, 64)
_UNIT: Final = slice(65, 69)
_VALUE: Final = slice(70, 91)
_SIGMA: Final = slice(92, 103)
# A satellite's code biases are tens of nanoseconds, a receiver's up to microseconds.
_LARGEST_BIAS_NS: Final = 1.0e6
_OPEN_TIME: Final = "0000:000:00000"
_CENTURY_PIVOT: Final = 50  # SINEX 2.02: two-digit years up to 50 are 20xx


def read_bias_sinex(path: PathLike) -> SignalBiases:
    """Read a Bias-SINEX file, compressed or not: OSB and DSB of satellites and stations, in the file's order.

    An end of an interval that the file leaves open (0000:000:00000) is 1980-01-06 or 2200-01-01. A phase
    bias in cycles needs its carrier's frequency: GLONASS ones (FDMA) are left out and counted, as their
    channel is not in the file; so are biases between systems (ISB).

    Raises
    ------
    FormatError : not Bias-SINEX 1.00, no solution block, cut off, a broken line, with the line
    """
    data, identity = read_bytes(path)
    return parse_bias_sinex(data, identity)


def parse_bias_sinex(data: bytes, identity: InputFile) -> SignalBiases:
    """Like `read_bias_sinex`, from the plain text."""
    path = identity.path
    lines = latin_1_lines(data)
    match = _FIRST_LINE.match(lines[0]) if lines else None
    if match is None:
        raise FormatError(path, 1, f"expected '%=BIA 1.00 ...', found {lines[0][:60] if lines else ''!r}")
    if match["version"] not in ("1.00", "0.01"):
        raise FormatError(path, 1, f"Bias-SINEX version {match['version']} is not 1.00")
    scale = TimeScale.GPST
    block = mode = ""
    biases: list[SignalBias] = []
    rejections: dict[str, int] = {}
    closed = solution_seen = False
    instant = _instants(path)
    for number, line in enumerate(lines, start=1):
        if line.startswith("%=ENDBIA"):
            closed = True
            break
        if line.startswith("+"):
            block = line[1:].strip()
            solution_seen |= block == "BIAS/SOLUTION"
        elif line.startswith("-") and line[1:].strip() == block:
            block = ""
        elif block == "BIAS/DESCRIPTION" and line.split()[:1] == ["BIAS_MODE"]:
            mode = _mode(line.split()[1:], path, number)
        elif block == "BIAS/DESCRIPTION" and "TIME_SYSTEM" in line:
            scale = _scale(line.split("TIME_SYSTEM", 1)[1].strip(), path, number)
        elif block == "BIAS/SOLUTION" and line.startswith(" ") and line.strip():
            bias = _bias(line, path, number, scale, instant, rejections)
            if bias is not None:
                biases.append(bias)
    if not solution_seen or not biases:
        raise FormatError(path, None, "no line in a block BIAS/SOLUTION")
    if block == "BIAS/SOLUTION" and not closed:
        raise FormatError(path, len(lines), "cut off inside BIAS/SOLUTION")
    return SignalBiases(tuple(biases), centre_code(match["agency"]), (identity,), mode, rejections)


def _mode(words: list[str], path: str, number: int) -> str:
    mode = words[0].upper() if words else ""
    mode = {"A": "ABSOLUTE", "R": "RELATIVE"}.get(mode, mode)
    if mode not in ("ABSOLUTE", "RELATIVE"):
        raise FormatError(path, number, f"BIAS_MODE is ABSOLUTE or RELATIVE, not {mode!r}")
    return mode


# Letter that Bias-SINEX writes for the time system -> its name in RINEX.
_SCALE_LETTERS: Final[Mapping[str, str]] = {
    "G": "GPS",
    "R": "UTC",
    "E": "GAL",
    "C": "BDT",
    "J": "QZS",
    "U": "UTC",
}


def _scale(text: str, path: str, number: int) -> TimeScale:
    name = text.split()[0].upper() if text else "G"
    name = _SCALE_LETTERS.get(name, name)
    if name not in TIME_SYSTEM:
        raise FormatError(path, number, f"unknown time system {text!r}")
    return TIME_SYSTEM[name]


_FIRST_INSTANT: Final = Epochs.from_datetime64("1980-01-06")  # start of GPS time
_LAST_INSTANT: Final = Epochs.from_datetime64("2200-01-01")


def _instants(path: str) -> _InstantReader:
    """A reader of SINEX times that remembers: a file of a thousand lines holds a handful of them."""
    known: dict[tuple[str, TimeScale, int], Epochs] = {}

    def instant(text: str, scale: TimeScale, number: int, when_open: Epochs) -> Epochs:
        key = (text.strip(), scale, int(when_open.tai_ns))
        if key not in known:
            known[key] = _instant(key[0], path, number, scale, when_open)
        return known[key]

    return instant


def _instant(text: str, path: str, number: int, scale: TimeScale, when_open: Epochs) -> Epochs:
    match = _TIME.fullmatch(text)
    if match is None:
        raise FormatError(path, number, f"expected a time 'YYYY:DDD:SSSSS', found {text!r}")
    year, day, second = int(match["year"]), int(match["day"]), int(match["second"])
    if year == 0 and day == 0 and second == 0:
        return when_open
    if len(match["year"]) == 2:
        year += 2000 if year <= _CENTURY_PIVOT else 1900
    if not (1957 <= year <= 2200 and 1 <= day <= 366 and second <= 86_400):
        raise FormatError(path, number, f"no such day or second: {text!r}")
    start = np.datetime64(f"{year:04d}-01-01", "s") + np.timedelta64((day - 1) * 86_400 + second, "s")
    return Epochs.from_datetime64(start, scale).to(TimeScale.GPST)


def _bias(
    line: str,
    path: str,
    number: int,
    scale: TimeScale,
    instant: _InstantReader,
    rejections: dict[str, int],
) -> SignalBias | None:
    kind = line[_KIND].strip()
    if kind not in ("OSB", "DSB", "ISB"):
        raise FormatError(path, number, f"expected OSB, DSB or ISB in columns 2-5, found {line[_KIND]!r}")
    if kind == "ISB":
        # Biases between systems belong to receivers and are estimated with their clocks.
        rejections["bias between systems (ISB)"] = rejections.get("bias between systems (ISB)", 0) + 1
        return None
    satellite, signal, unit = line[_PRN].strip(), line[_FIRST_SIGNAL].strip(), line[_UNIT].strip()
    try:
        value = float(line[_VALUE])
        sigma = float(line[_SIGMA]) if line[_SIGMA].strip() else math.nan
    except ValueError as error:
        raise FormatError(path, number, f"no number in columns 71-103: {line[70:103]!r}") from error
    if unit == "cyc":
        if (satellite or line[_SVN].strip())[:1] == "R":
            reason = "GLONASS phase bias in cycles"
            rejections[reason] = rejections.get(reason, 0) + 1
            return None
        try:
            metres = wavelength_m((satellite or line[_SVN].strip())[:1] + signal[1:2])
        except KeyError as error:
            raise FormatError(path, number, f"no carrier for {signal!r} of {satellite!r}") from error
    elif unit == "ns":
        metres = _NANOSECOND_M
    else:
        raise FormatError(path, number, f"unit {unit!r} is neither ns nor cyc")
    if not math.isfinite(value) or abs(value) > _LARGEST_BIAS_NS:
        raise FormatError(path, number, f"a bias of {value} {unit} is out of range")
    return SignalBias(
        kind=cast(Literal["OSB", "DSB"], kind),
        satellite=satellite,
        station=line[_STATION].strip(),
        signal=signal,
        second_signal=line[_SECOND_SIGNAL].strip(),
        valid_from=instant(line[_START], scale, number, _FIRST_INSTANT),
        valid_until=instant(line[_END], scale, number, _LAST_INSTANT),
        value_m=value * metres,
        sigma_m=sigma * metres,
        svn=line[_SVN].strip(),
    )


def write_bias_sinex(biases: SignalBiases, path: PathLike) -> None:
    """Write biases as Bias-SINEX 1.00, nanoseconds to 1e-6, GPS time; ".gz" compresses.

    The times of the header are those of the biases, so that the same biases give the same bytes. Without a
    mode the file is of absolute biases if all are OSB, else of relative ones. InputError without biases.
    """
    if not biases.biases:
        raise InputError("no biases to write")
    kinds = {b.kind for b in biases.biases}
    mode = biases.mode or ("ABSOLUTE" if kinds == {"OSB"} else "RELATIVE")
    starts = [b.valid_from for b in biases.biases if int(b.valid_from.tai_ns) != int(_FIRST_INSTANT.tai_ns)]
    ends = [b.valid_until for b in biases.biases if int(b.valid_until.tai_ns) != int(_LAST_INSTANT.tai_ns)]
    first = _time_text(min(starts, key=lambda e: int(e.tai_ns), default=_FIRST_INSTANT))
    last = _time_text(max(ends, key=lambda e: int(e.tai_ns), default=_LAST_INSTANT))
    agency = f"{biases.centre:<3.3s}"
    created = first if last == _OPEN_TIME else last
    lines = [
        f"%=BIA 1.00 {agency} {created} {agency} {first} {last} {mode[0]} {len(biases.biases):08d}",
        "*" + "-" * 79,
        "+FILE/REFERENCE",
        " SOFTWARE           Jizhun",
        "-FILE/REFERENCE",
        "*" + "-" * 79,
        "+BIAS/DESCRIPTION",
        f" {'BIAS_MODE':<39s} {mode}",
        f" {'TIME_SYSTEM':<39s} G",
        "-BIAS/DESCRIPTION",
        "*" + "-" * 79,
        "+BIAS/SOLUTION",
        "*BIAS SVN_ PRN STATION__ OBS1 OBS2 BIAS_START____ BIAS_END______ UNIT __ESTIMATED_VALUE____ "
        "_STD_DEV___",
        *map(_bias_line, biases.biases),
        "-BIAS/SOLUTION",
        "%=ENDBIA",
    ]
    text = "\n".join(lines) + "\n"
    write_atomically(path, compress_for(path, text.encode("latin-1", errors="replace")))


def _bias_line(bias: SignalBias) -> str:
    sigma = f"{bias.sigma_m / _NANOSECOND_M:11.6f}" if math.isfinite(bias.sigma_m) else ""
    line = (
        f" {bias.kind:<4s} {bias.svn:<4.4s} {bias.satellite:<3.3s} {bias.station:<9.9s} {bias.signal:<4.4s} "
        f"{bias.second_signal:<4.4s} {_time_text(bias.valid_from)} {_time_text(bias.valid_until)} ns   "
        f"{bias.value_m / _NANOSECOND_M + 0.0:21.6f} {sigma}"
    )
    return line.rstrip()


def _time_text(epoch: Epochs) -> str:
    """YYYY:DDD:SSSSS in GPST; an end that was left open is written so again."""
    if int(epoch.tai_ns) in (int(_FIRST_INSTANT.tai_ns), int(_LAST_INSTANT.tai_ns)):
        return _OPEN_TIME
    second = (epoch.to(TimeScale.GPST).datetime64() + np.timedelta64(500, "ms")).astype("datetime64[s]")
    year = second.astype("datetime64[Y]")
    elapsed = int((second - year.astype("datetime64[s]")).astype(np.int64))
    return f"{int(year.astype(np.int64)) + 1970:04d}:{elapsed // 86_400 + 1:03d}:{elapsed % 86_400:05d}"
