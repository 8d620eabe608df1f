"""Surface meteorology in RINEX (2.00 to 2.12, 3.00 to 3.05, 4.00 to 4.02).

References: Gurtner and Estey (2007), RINEX 2.11, tables A11 and A12; IGS/RTCM (2023), RINEX 4.02, tables A17
and A18. The file's units (hPa, degrees Celsius, per cent, millimetres, tenths of them) become SI here. Times
are GPST, as the standard says.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np

from stations.formats.atomic_write import write_atomically
from stations.formats.calendar_fields import nanoseconds_from_fields
from stations.formats.compression import compress_for, read_bytes
from stations.records import FloatArray, InputFile, PathLike
from transforms.errors import FormatError, InputError
from transforms.time_scales import Epochs, TimeScale

_LABEL: Final = slice(60, 80)
_VERSION: Final = re.compile(r"\s*([234])(?:\.(\d{1,2}))?\s*\Z")
_NEWEST_MINOR: Final = {2: 12, 3: 5, 4: 2}
_FIRST_YEAR_OF_TWO_DIGITS: Final = 80  # RINEX 2.11, section 6.5: 80-99 is 1980-1999, 00-79 is 2000-2079
_VALUE_WIDTH: Final = 7
_VALUES_IN_FIRST_LINE: Final = 8
_VALUES_IN_NEXT_LINE: Final = 10
_NEXT_LINE_INDENT: Final = 4
_TYPES_IN_LINE: Final = 9
_MISSING_BELOW: Final = -999.0  # "the value -999.9 indicates no measurement at all" (GFZ's files)
_LONGEST_HEADER_LINES: Final = 1000
_VALUE: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)\Z")


@dataclass(frozen=True)
class MeteorologicalQuantity:
    """One type of observation: value inside = factor * (value in the file + offset).

    lowest, highest : limits in the file's unit beyond which a value is rejected: the extremes ever measured
        at the surface, with room (World Meteorological Organization's archive of extremes)
    """

    name: str
    factor: float
    offset: float
    lowest: float
    highest: float


# Codes of RINEX 4.02, table A17, with the names that the record gives them.
QUANTITIES: Final[Mapping[str, MeteorologicalQuantity]] = MappingProxyType(
    {
        "PR": MeteorologicalQuantity("pressure_pa", 100.0, 0.0, 300.0, 1100.0),
        "TD": MeteorologicalQuantity("dry_temperature_k", 1.0, 273.15, -95.0, 70.0),
        "HR": MeteorologicalQuantity("relative_humidity", 0.01, 0.0, 0.0, 110.0),
        "ZW": MeteorologicalQuantity("zenith_wet_delay_m", 1e-3, 0.0, -100.0, 1000.0),
        "ZD": MeteorologicalQuantity("zenith_dry_delay_m", 1e-3, 0.0, 0.0, 3000.0),
        "ZT": MeteorologicalQuantity("zenith_total_delay_m", 1e-3, 0.0, 0.0, 4000.0),
        "WD": MeteorologicalQuantity("wind_azimuth_rad", float(np.pi / 180.0), 0.0, 0.0, 360.0),
        "WS": MeteorologicalQuantity("wind_speed_m_per_s", 1.0, 0.0, 0.0, 150.0),
        "RI": MeteorologicalQuantity("rain_increment_m", 1e-4, 0.0, 0.0, 99999.9),
        "HI": MeteorologicalQuantity("hail", 1.0, 0.0, 0.0, 99999.9),
    }
)
_CODE_OF_NAME: Final = {quantity.name: code for code, quantity in QUANTITIES.items()}


@dataclass(frozen=True)
class MeteorologicalSensor:
    """A sensor: quantity is a name of QUANTITIES ("pressure_pa").

    accuracy : in the file's unit as written (hPa, deg C, per cent, ...), or None
    position_ecef_m : approximate, or None where absent or zero; ellipsoidal_height_m : or None
    """

    quantity: str
    model: str
    kind: str
    accuracy: float | None
    position_ecef_m: tuple[float, float, float] | None
    ellipsoidal_height_m: float | None


@dataclass(frozen=True, eq=False)
class MeteorologicalObservations:
    """Surface meteorology at one station.

    epochs : (n,) GPST, strictly increasing
    values : name of QUANTITIES ("pressure_pa", "dry_temperature_k", "relative_humidity" 0..1, ...) -> (n,),
        NaN where missing or rejected
    rejections : reason -> count of values or lines not taken over
    """

    station: str
    marker_number: str
    epochs: Epochs
    values: Mapping[str, FloatArray]
    sensors: tuple[MeteorologicalSensor, ...]
    rinex_version: str
    comments: tuple[str, ...] = ()
    rejections: Mapping[str, int] = field(default_factory=dict)
    inputs: tuple[InputFile, ...] = ()


@dataclass
class _Header:
    major: int
    version: str
    station: str = ""
    marker_number: str = ""
    codes: tuple[str, ...] = ()
    announced: int = 0
    models: dict[str, tuple[str, str, float | None]] = field(default_factory=dict)
    positions: dict[str, tuple[float, float, float, float]] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)


def read_meteorology(path: PathLike) -> MeteorologicalObservations:
    """Read a RINEX meteorological file, compressed or not.

    Values that no instrument at the surface can have measured are rejected and counted; -999.9 and blanks
    are missing. Of an epoch that comes twice the first serves.

    Raises
    ------
    FormatError : no such file, another version, no types of observation, a line that is cut off or holds
        no number, epochs out of order; with the line
    """
    data, identity = read_bytes(path)
    return parse_meteorology(data, identity)


def parse_meteorology(data: bytes, identity: InputFile) -> MeteorologicalObservations:
    """Like `read_meteorology`, from the plain text."""
    path = identity.path
    lines = data.decode("latin-1").split("\n")
    is_complete = lines[-1].strip() == ""
    lines = [line.rstrip() for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    header, begin = _read_header(lines, path)
    rejections: dict[str, int] = {}
    seconds: list[int] = []
    rows: list[list[float]] = []
    number = begin
    while number < len(lines):
        if not lines[number]:
            number += 1
            continue
        text, count = _logical_line(lines, number, header)
        if not is_complete and number + count >= len(lines):
            _require_whole(lines, number, count, header, path)
        epoch = _epoch(text, header.major, path, number + 1)
        row = _values(text, header, path, number + 1, rejections)
        if seconds and epoch == seconds[-1]:
            rejections["epoch given twice"] = rejections.get("epoch given twice", 0) + 1
        elif seconds and epoch < seconds[-1]:
            raise FormatError(path, number + 1, f"epoch earlier than the one before: {lines[number]!r}")
        else:
            seconds.append(epoch)
            rows.append(row)
        number += count
    if not rows:
        raise FormatError(path, len(lines), "the file holds no observation")
    table = np.array(rows)
    return MeteorologicalObservations(
        station=header.station,
        marker_number=header.marker_number,
        epochs=Epochs.from_datetime64(np.array(seconds, dtype=np.int64).astype("datetime64[ns]")),
        values={QUANTITIES[code].name: table[:, i] for i, code in enumerate(header.codes)},
        sensors=_sensors(header),
        rinex_version=header.version,
        comments=tuple(header.comments),
        rejections=rejections,
        inputs=(identity,),
    )


def _read_header(lines: Sequence[str], path: str) -> tuple[_Header, int]:
    first = lines[0] if lines else ""
    if "RINEX VERSION / TYPE" not in first[60:] or first[20:21].upper() != "M":
        raise FormatError(path, 1, f"expected a RINEX header of type M (meteorology), found {first[:80]!r}")
    match = _VERSION.match(first[:20])
    if match is None or int(f"{match[2] or '':0<2s}") > _NEWEST_MINOR[int(match[1])]:
        raise FormatError(path, 1, f"RINEX version {first[:20].strip()!r} is not 2.00 to 4.02")
    header = _Header(int(match[1]), f"{match[1]}.{match[2] or '':0<2s}")
    for number, line in enumerate(lines[1:_LONGEST_HEADER_LINES], start=2):
        label = line[_LABEL].strip()
        if label == "END OF HEADER":
            if not header.codes:
                raise FormatError(path, number, "the header names no types of observation")
            if len(header.codes) != header.announced:
                raise FormatError(
                    path, number, f"{header.announced} types are announced, {len(header.codes)} are named"
                )
            return header, number
        _header_line(header, line, label, path, number)
    raise FormatError(path, len(lines), "no END OF HEADER: the file is cut off")


def _header_line(header: _Header, line: str, label: str, path: str, number: int) -> None:
    if label == "COMMENT":
        header.comments.append(line[:60].rstrip())
    elif label == "MARKER NAME":
        header.station = line[:60].strip()
    elif label == "MARKER NUMBER":
        header.marker_number = line[:20].strip()
    elif label == "# / TYPES OF OBSERV":
        if line[:6].strip():
            if not line[:6].strip().isdecimal():
                raise FormatError(path, number, f"expected the number of types, found {line[:6]!r}")
            header.announced = int(line[:6])
        codes = tuple(line[6:60].split())[:_TYPES_IN_LINE]
        for code in codes:
            if code not in QUANTITIES:
                raise FormatError(path, number, f"unknown type of observation {code!r}")
            if code in header.codes:
                raise FormatError(path, number, f"type {code} is named twice")
            header.codes = (*header.codes, code)
    elif label.endswith("SENSOR MOD/TYPE/ACC"):
        text = line[46:53].strip()
        accuracy = float(text) if _VALUE.match(text) else None
        header.models[line[57:59].strip()] = (line[:20].strip(), line[20:40].strip(), accuracy)
    elif label.endswith("SENSOR POS XYZ/H"):
        fields = [line[i : i + 14].strip() for i in range(0, 56, 14)]
        if not all(_VALUE.match(text) for text in fields):
            raise FormatError(path, number, f"expected x, y, z and height of a sensor, found {line[:56]!r}")
        x, y, z, height = (float(text) for text in fields)
        header.positions[line[57:59].strip()] = (x, y, z, height)


def _sensors(header: _Header) -> tuple[MeteorologicalSensor, ...]:
    sensors: list[MeteorologicalSensor] = []
    for code in QUANTITIES:
        if code not in header.models and code not in header.positions:
            continue
        model, kind, accuracy = header.models.get(code, ("", "", None))
        x, y, z, height = header.positions.get(code, (0.0, 0.0, 0.0, 0.0))
        has_position = any((x, y, z))
        sensors.append(
            MeteorologicalSensor(
                QUANTITIES[code].name,
                model,
                kind,
                accuracy,
                (x, y, z) if has_position else None,
                height if has_position or height else None,
            )
        )
    return tuple(sensors)


def _epoch_width(major: int) -> int:
    return 18 if major == 2 else 20


def _continuations(header: _Header) -> int:
    beyond = max(len(header.codes) - _VALUES_IN_FIRST_LINE, 0)
    return -(-beyond // _VALUES_IN_NEXT_LINE)


def _logical_line(lines: Sequence[str], number: int, header: _Header) -> tuple[str, int]:
    """A record with its continuation lines joined, padded so that each value has its columns."""
    width = _epoch_width(header.major) + _VALUES_IN_FIRST_LINE * _VALUE_WIDTH
    count = _continuations(header)
    if not count:
        return lines[number], 1
    text = lines[number].ljust(width)
    for line in lines[number + 1 : number + 1 + count]:
        text += line[_NEXT_LINE_INDENT:].ljust(_VALUES_IN_NEXT_LINE * _VALUE_WIDTH)
    return text, 1 + count


def _require_whole(lines: Sequence[str], number: int, count: int, header: _Header, path: str) -> None:
    """The last record of a file without a last line end must be as long as the types demand."""
    last = len(header.codes)
    if count > 1:
        last -= _VALUES_IN_FIRST_LINE + (count - 2) * _VALUES_IN_NEXT_LINE
    indent = _epoch_width(header.major) if count == 1 else _NEXT_LINE_INDENT
    if number + count > len(lines) or len(lines[-1]) < indent + last * _VALUE_WIDTH:
        raise FormatError(path, len(lines), f"cut off: {lines[-1]!r}")


def _epoch(text: str, major: int, path: str, number: int) -> int:
    """Nanoseconds since 1970 of a record's calendar reading."""
    fields = text[: _epoch_width(major)].split()
    if len(fields) != 6 or not all(f.isdecimal() for f in fields):
        raise FormatError(path, number, f"expected year to second of an epoch, found {text[:20]!r}")
    year, month, day, hour, minute, second = (int(f) for f in fields)
    if major == 2 and year < 100:
        year += 1900 if year >= _FIRST_YEAR_OF_TWO_DIGITS else 2000
    columns = [np.array([value], dtype=np.int64) for value in (year, month, day, hour, minute)]
    nanoseconds, bad = nanoseconds_from_fields(
        columns[0], columns[1], columns[2], columns[3], columns[4], np.array([float(second)])
    )
    if bad[0]:
        raise FormatError(path, number, f"no calendar reading: {text[:20]!r}")
    return int(nanoseconds[0])


def _values(text: str, header: _Header, path: str, number: int, rejections: dict[str, int]) -> list[float]:
    begin = _epoch_width(header.major)
    if (
        len(text) > begin + len(header.codes) * _VALUE_WIDTH
        and text[begin + len(header.codes) * _VALUE_WIDTH :].strip()
    ):
        raise FormatError(path, number, f"more values than the {len(header.codes)} types of the header")
    values: list[float] = []
    for i, code in enumerate(header.codes):
        word = text[begin + i * _VALUE_WIDTH : begin + (i + 1) * _VALUE_WIDTH].strip()
        if not word:
            values.append(np.nan)
            continue
        if not _VALUE.match(word):
            raise FormatError(path, number, f"expected a value of {code}, found {word!r}")
        value, quantity = float(word), QUANTITIES[code]
        if value <= _MISSING_BELOW:
            values.append(np.nan)
        elif not quantity.lowest <= value <= quantity.highest:
            reason = f"{code} beyond {quantity.lowest:g} to {quantity.highest:g}"
            rejections[reason] = rejections.get(reason, 0) + 1
            values.append(np.nan)
        else:
            values.append(quantity.factor * (value + quantity.offset))
    return values


def write_meteorology(
    observations: MeteorologicalObservations, path: PathLike, *, version: str = "3.05"
) -> None:
    """Write surface meteorology as RINEX, whole or not at all; ".gz" compresses.

    version : "2.11", "3.05" or "4.02". Values are rounded to a tenth of the file's unit, epochs to seconds.
    """
    if version not in ("2.11", "3.05", "4.02"):
        raise InputError(f"RINEX meteorology is written as 2.11, 3.05 or 4.02, not {version!r}")
    unknown = [name for name in observations.values if name not in _CODE_OF_NAME]
    if unknown or not observations.values:
        raise InputError(f"no quantities that RINEX knows: {', '.join(unknown) or 'none at all'}")
    codes = [code for code, quantity in QUANTITIES.items() if quantity.name in observations.values]
    lines = [
        f"{version:>9s}{'':11s}{'METEOROLOGICAL DATA':<40s}RINEX VERSION / TYPE",
        f"{'Jizhun':<60s}PGM / RUN BY / DATE",
        *(f"{comment[:60]:<60s}COMMENT" for comment in observations.comments),
        f"{observations.station[:60]:<60s}MARKER NAME",
        f"{observations.marker_number[:20]:<60s}MARKER NUMBER",
    ]
    for i in range(0, len(codes), _TYPES_IN_LINE):
        count = f"{len(codes):6d}" if i == 0 else " " * 6
        part = "".join(f"    {code}" for code in codes[i : i + _TYPES_IN_LINE])
        lines.append(f"{count + part:<60s}# / TYPES OF OBSERV")
    for sensor in observations.sensors:
        code = _CODE_OF_NAME[sensor.quantity]
        accuracy = "" if sensor.accuracy is None else f"{sensor.accuracy:7.1f}"
        lines.append(
            f"{sensor.model[:20]:<20s}{sensor.kind[:20]:<20s}{'':6s}{accuracy:>7s}{'':4s}{code} "
            "SENSOR MOD/TYPE/ACC"
        )
        if sensor.position_ecef_m is not None or sensor.ellipsoidal_height_m is not None:
            x, y, z = sensor.position_ecef_m or (0.0, 0.0, 0.0)
            height = sensor.ellipsoidal_height_m or 0.0
            lines.append(f"{x:14.4f}{y:14.4f}{z:14.4f}{height:14.4f} {code} SENSOR POS XYZ/H")
    lines.append(f"{'':60s}END OF HEADER")
    columns = [
        observations.values[QUANTITIES[c].name] / QUANTITIES[c].factor - QUANTITIES[c].offset for c in codes
    ]
    moments = observations.epochs.to(TimeScale.GPST).plus_seconds(0.5).datetime64().astype("datetime64[s]")
    for i, moment in enumerate(moments):
        day, time = str(moment).split("T")
        year, month, date = (int(part) for part in day.split("-"))
        hour, minute, second = (int(part) for part in time.split(":"))
        head = f" {year % 100:02d}" if version == "2.11" else f" {year:04d}"
        head += f" {month:2d} {date:2d} {hour:2d} {minute:2d} {second:2d}"
        words = [_word(column[i]) for column in columns]
        lines.append((head + "".join(words[:_VALUES_IN_FIRST_LINE])).rstrip())
        lines += [
            (" " * _NEXT_LINE_INDENT + "".join(words[j : j + _VALUES_IN_NEXT_LINE])).rstrip()
            for j in range(_VALUES_IN_FIRST_LINE, len(words), _VALUES_IN_NEXT_LINE)
        ]
    text = "\n".join(lines) + "\n"
    write_atomically(path, compress_for(path, text.encode("latin-1", errors="replace")))


def _word(value: float) -> str:
    return " -999.9" if not np.isfinite(value) else f"{round(float(value), 1) + 0.0:7.1f}"
