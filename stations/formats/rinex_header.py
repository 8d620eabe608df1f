"""The header of a RINEX observation file (2.10-2.12, 3.00-3.05, 4.00-4.02), and its changes inside the file.

References: Gurtner and Estey (2007), RINEX 2.11, table A1; IGS/RTCM (2020), RINEX 3.05, table A2;
IGS/RTCM (2023), RINEX 4.02, table A2. A label stands in columns 61-80.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from stations.formats.fixed_width import FloatArray, TextLines
from stations.formats.satellite_names import TIME_SYSTEM, TIME_SYSTEM_OF_SYSTEM
from stations.records import AntennaType, StationHeader, StationSetup
from transforms.errors import FormatError
from transforms.time_scales import TimeScale

_VERSION: Final = re.compile(r"^\s*(?P<major>[234])(\.(?P<minor>\d{1,2}))?\s*$")
_OLDEST_VERSION: Final = 2.0
_NEWEST_MINOR: Final = {2: 0.2, 3: 0.05, 4: 0.02}  # 2.20 is Gurtner's draft for space-borne receivers
# Pseudo-observables leave the attribute blank (RINEX 3.05, section 5.2.12): "I1 ", "X1 ".
_OBSERVATION_CODE: Final = re.compile(r"[CLDS]\d[A-Z]|[IX]\d[A-Z]?")
_TYPES_IN_LINE_V2: Final = 9
# No receiver has stood farther from the geocentre than a low orbiter; an absurd header position is refused.
_FARTHEST_M: Final = 1.0e8
_LONGEST_ECCENTRICITY_M: Final = 1000.0
_LONGEST_HEADER_LINES: Final = 20_000  # files joined of a day's hourly files repeat their comments
# RINEX 3.05, table A2, SYS / PHASE SHIFT: A1,1X,A3,1X,F8.5,2X,I2.2,10(1X,A3); a code alone: unknown.
_PHASE_SHIFT: Final = re.compile(
    r"(?P<signal>[GRECJSI] (?:[ L]\d[A-Z]|\d[A-Z] )|[GRECJSI]? *)(?P<cycles> *[+-]?\d*\.\d+| *)"
    r"(?: +\d{1,2})?(?P<satellites>(?: +[GRECJSI][ \d]\d)*) *$"
)
# BDT runs 14 s behind GPST (BeiDou ICD B1C 1.0, section 3.3), and so does its count of leap seconds.
_GPST_MINUS_BDT_S: Final = 14
# Labels without a field in the record, whose lines are kept as they stand, in the order in which they are
# written; and the version that began with each.
SINCE_VERSION_OF_KEPT_LABEL: Final = {
    "MARKER TYPE": 3,
    "ANTENNA: DELTA X/Y/Z": 3,
    "ANTENNA: PHASECENTER": 3,
    "ANTENNA: B.SIGHT XYZ": 3,
    "ANTENNA: ZERODIR AZI": 3,
    "ANTENNA: ZERODIR XYZ": 3,
    "CENTER OF MASS: XYZ": 3,
    "DOI": 4,
    "LICENSE OF USE": 4,
    "STATION INFORMATION": 4,
    "RCV CLOCK OFFS APPL": 2,
    "SYS / DCBS APPLIED": 3,
    "SYS / PCVS APPLIED": 3,
}
# What holds where nothing is said (the standard's default of the clock, ours of the marker).
_DEFAULTS: Final = {"MARKER TYPE": ("", "GEODETIC"), "RCV CLOCK OFFS APPL": ("", "0")}
_LARGEST_CHANNEL: Final = 13  # GLONASS ICD 5.1: -7..+6 since 2005, 0..13 before 1998


@dataclass(frozen=True)
class ObservationFileHeader:
    """What a header says, as far as observations and station need it.

    major : 2, 3 or 4; version as written, such as "3.04"
    system : letter of the file's satellite system, "M" where mixed
    codes : system -> observation codes in the file's order; in RINEX 2 under "" its own types
    scale_factors : (system, code) -> number by which the stored value is to be divided
    wavelength_factors : satellite or "" (all others) -> factors of L1 and L2 (RINEX 2; 2 is half cycles)
    glonass_biases_m, leap_seconds, phase_shifts_cycles : as in `StationHeader`
    unread_lines : numbers (from 1) of lines that tell one of these three and cannot be read
    """

    version: str
    major: int
    system: str
    scale: TimeScale | None = None
    codes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    scale_factors: dict[tuple[str, str], int] = field(default_factory=dict)
    wavelength_factors: dict[str, tuple[int, int]] = field(default_factory=dict)
    marker_name: str = ""
    marker_number: str = ""
    receiver: tuple[str, str, str] = ("", "", "")  # type, serial, firmware
    antenna: AntennaType = field(default_factory=lambda: AntennaType("", "NONE", ""))
    eccentricity_enu_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    approximate_position_ecef_m: tuple[float, float, float] | None = None
    glonass_channels: dict[str, int] = field(default_factory=dict)
    glonass_biases_m: dict[str, float] = field(default_factory=dict)
    leap_seconds: int | None = None
    phase_shifts_cycles: dict[str, float] = field(default_factory=dict)
    observer: str = ""
    agency: str = ""
    comments: tuple[str, ...] = ()  # of the header at the start
    kept_lines: tuple[str, ...] = ()  # of the header at the start, as in `StationHeader`
    unread_lines: tuple[int, ...] = ()

    def time_scale(self) -> TimeScale:
        """Scale of the epochs: that of TIME OF FIRST OBS, else the system's own, else GPS time."""
        if self.scale is not None:
            return self.scale
        return TIME_SYSTEM[TIME_SYSTEM_OF_SYSTEM.get(self.system, "GPS")]

    def station_header(self) -> StationHeader:
        """The part that travels with the observations."""
        position: FloatArray | None = None
        if self.approximate_position_ecef_m is not None and any(self.approximate_position_ecef_m):
            position = np.array(self.approximate_position_ecef_m)
        return StationHeader(
            marker_name=self.marker_name,
            marker_number=self.marker_number,
            setup=self.setup(),
            approximate_position_ecef_m=position,
            glonass_channels=dict(self.glonass_channels),
            rinex_version=self.version,
            glonass_biases_m=dict(self.glonass_biases_m),
            leap_seconds=self.leap_seconds,
            phase_shifts_cycles=dict(self.phase_shifts_cycles),
            observer=self.observer,
            agency=self.agency,
            comments=self.comments,
            kept_lines=self.kept_lines,
        )

    def setup(self) -> StationSetup:
        """The equipment."""
        kind, serial, firmware = self.receiver
        return StationSetup(kind, serial, firmware, self.antenna, self.eccentricity_enu_m)


def read_header(lines: TextLines, path: str) -> tuple[ObservationFileHeader, int]:
    """The header, and the number (from 0) of the first line after it.

    Raises FormatError where the file is no observation file, of a version that is not supported, has no
    END OF HEADER or no observation types, or where a field cannot be read.
    """
    first = lines.text(0)
    if "RINEX VERSION / TYPE" not in first[60:]:
        raise FormatError(path, 1, f"expected 'RINEX VERSION / TYPE' in columns 61-80, found {first[:80]!r}")
    match = _VERSION.match(first[:20])
    if match is None:
        raise FormatError(path, 1, f"RINEX version {first[:20].strip()!r} is not 2.00 to 4.02")
    major, minor = int(match["major"]), f"{match['minor'] or '':0<2s}"
    version = float(f"{major}.{minor}")
    if version < _OLDEST_VERSION or version - major > _NEWEST_MINOR[major] + 1e-9:
        raise FormatError(path, 1, f"RINEX version {version} is not one of 2.00-2.20, 3.00-3.05, 4.00-4.02")
    if first[20:21].upper() != "O":
        raise FormatError(
            path, 1, f"expected a file of observations ('O' in column 21), found {first[20:40]!r}"
        )
    system = (first[40:41].strip() or "G").upper()
    header = ObservationFileHeader(f"{major}.{minor}", major, system)
    for number in range(1, min(len(lines), _LONGEST_HEADER_LINES)):
        if lines.text(number)[60:].strip() == "END OF HEADER":
            texts = [(n + 1, lines.text(n)) for n in range(1, number)]
            header = update_header(header, texts, path)
            comments = tuple(text[:60].rstrip() for _, text in texts if text[60:80].strip() == "COMMENT")
            header = replace(header, comments=comments, kept_lines=_kept_lines([t for _, t in texts]))
            # RINEX 2 has one list for all systems, and those of RINEX 3 mean nothing in it.
            if not (header.codes.get("") if major == 2 else any(header.codes.values())):
                raise FormatError(path, number + 1, "the header names no observation types")
            return header, number + 1
    raise FormatError(path, len(lines), "no END OF HEADER: the file is cut off")


def update_header(
    header: ObservationFileHeader, numbered: Sequence[tuple[int, str]], path: str
) -> ObservationFileHeader:
    """The header after further header lines, each with its line number."""
    codes: dict[str, tuple[str, ...]] = {}
    announced: dict[str, tuple[int, int]] = {}
    factors = dict(header.scale_factors)
    wavelengths = dict(header.wavelength_factors)
    channels = dict(header.glonass_channels)
    biases_m = dict(header.glonass_biases_m)
    shifts_cycles = dict(header.phase_shifts_cycles)
    shifted = ""
    unread = list(header.unread_lines)
    changes: dict[str, object] = {}
    current = ""
    scale_current: tuple[str, int] = ("", 1)
    scale_left = 0
    for number, text in numbered:
        label = text[60:80].strip()
        if label == "SYS / # / OBS TYPES":
            if text[0:1].strip():
                current = text[0]
                announced[current] = (_integer(text[3:6], path, number), number)
                codes[current] = ()
            elif not current:
                raise FormatError(path, number, "a continued SYS / # / OBS TYPES without its first line")
            codes[current] += tuple(text[6:60].split())
        elif label == "# / TYPES OF OBSERV":
            if text[0:6].strip():
                announced[""] = (_integer(text[0:6], path, number), number)
                codes[""] = ()
            elif "" not in codes:
                raise FormatError(path, number, "a continued # / TYPES OF OBSERV without its first line")
            codes[""] += tuple(text[6:60].split())
        elif label == "SYS / SCALE FACTOR":
            if text[0:1].strip():
                factor = _integer(text[2:6], path, number)
                if factor not in (1, 10, 100, 1000):
                    raise FormatError(path, number, f"scale factor {factor} is not 1, 10, 100 or 1000")
                scale_current = (text[0], factor)
                scale_left = _integer(text[8:10], path, number, default=0)
                if scale_left == 0:  # blank: all types of the system
                    known = codes.get(text[0], header.codes.get(text[0], ()))
                    factors.update({(text[0], code): factor for code in known})
            listed = text[10:60].split()[:scale_left]
            scale_left -= len(listed)
            factors.update({(scale_current[0], code): scale_current[1] for code in listed})
        elif label == "WAVELENGTH FACT L1/2":
            pair = (_integer(text[0:6], path, number), _integer(text[6:12], path, number, default=1))
            satellites = re.findall(r"([GRS ])([ \d]\d)", text[20:60])
            if _integer(text[12:18], path, number, default=0) == 0:
                wavelengths[""] = pair
            else:
                wavelengths.update({f"{s.strip() or 'G'}{int(n):02d}": pair for s, n in satellites})
        elif label == "TIME OF FIRST OBS":
            # Columns 49-51; some writers are a column off.
            name = "".join(re.findall(r"[A-Z]+", text[43:60].upper()))
            if name and name not in TIME_SYSTEM:
                raise FormatError(path, number, f"unknown time system {name!r} in columns 49-51")
            if name:
                changes["scale"] = TIME_SYSTEM[name]
        elif label == "MARKER NAME":
            changes["marker_name"] = text[0:60].strip()
        elif label == "MARKER NUMBER":
            changes["marker_number"] = text[0:20].strip()
        elif label == "OBSERVER / AGENCY":
            changes["observer"], changes["agency"] = text[0:20].strip(), text[20:60].strip()
        elif label == "REC # / TYPE / VERS":
            changes["receiver"] = (text[20:40].strip(), text[0:20].strip(), text[40:60].strip())
        elif label == "ANT # / TYPE":
            changes["antenna"] = _antenna(text)
        elif label == "ANTENNA: DELTA H/E/N":
            height, east, north = _three_reals(text, path, number, _LONGEST_ECCENTRICITY_M)
            changes["eccentricity_enu_m"] = (east, north, height)
        elif label == "APPROX POSITION XYZ":
            changes["approximate_position_ecef_m"] = _three_reals(text, path, number, _FARTHEST_M)
        elif label == "GLONASS SLOT / FRQ #":
            channels.update(_glonass_channels(text, path, number))
        elif label == "GLONASS COD/PHS/BIS":
            pairs = re.findall(r"(C\d[A-Z]) +([+-]?\d+\.\d*)", text[:60])
            biases_m.update({code: float(value) for code, value in pairs})
            if text[:60].strip() and not pairs:
                unread.append(number)
        elif label == "LEAP SECONDS":
            seconds = leap_seconds(text)
            if seconds is None:
                unread.append(number)
            else:
                changes["leap_seconds"] = seconds
        elif label == "SYS / PHASE SHIFT":
            shift = _PHASE_SHIFT.match(text[:60])
            if shift is None:
                unread.append(number)
                continue
            if shift["signal"].strip():  # some writers leave out the letter L, or blank it
                shifted = f"{shift['signal'][0]}L{shift['signal'][1:].strip().removeprefix('L')}"
            if shift["cycles"].strip():
                names = shift["satellites"].split() or [""]
                shifts_cycles.update({f"{shifted} {name}".rstrip(): float(shift["cycles"]) for name in names})
            elif shift["satellites"].strip() and shifted in {key[:4] for key in shifts_cycles}:
                value = next(v for key, v in reversed(shifts_cycles.items()) if key[:4] == shifted)
                shifts_cycles.update({f"{shifted} {name}": value for name in shift["satellites"].split()})
    _check_codes(codes, announced, path)
    return replace(
        header,
        codes={**header.codes, **codes},
        scale_factors=factors,
        wavelength_factors=wavelengths,
        glonass_channels=channels,
        glonass_biases_m=biases_m,
        phase_shifts_cycles=shifts_cycles,
        unread_lines=tuple(unread),
        **changes,  # type: ignore[arg-type]  # each value was made for its field just above
    )


def _kept_lines(texts: Sequence[str]) -> tuple[str, ...]:
    order = list(SINCE_VERSION_OF_KEPT_LABEL)
    labelled = [(text[60:80].strip(), text[:80].rstrip()) for text in texts]
    kept = [
        (order.index(label), text)
        for label, text in labelled
        if label in SINCE_VERSION_OF_KEPT_LABEL and text[:60].strip().upper() not in _DEFAULTS.get(label, ())
    ]
    return tuple(text for _, text in sorted(kept, key=lambda pair: pair[0]))


def _check_codes(codes: dict[str, tuple[str, ...]], announced: dict[str, tuple[int, int]], path: str) -> None:
    for system, listed in codes.items():
        count, number = announced[system]
        name = f"system {system!r}" if system else "the file"
        if count != len(listed):
            raise FormatError(
                path, number, f"{count} observation types announced for {name}, {len(listed)} listed"
            )
        if len(set(listed)) != len(listed):
            raise FormatError(
                path, number, f"an observation type of {name} is listed twice: {' '.join(listed)}"
            )
        strange = [c for c in listed if system and not _OBSERVATION_CODE.fullmatch(c)]
        if strange:
            raise FormatError(path, number, f"no observation code: {strange[0]!r} of {name}")


def _integer(text: str, path: str, number: int, default: int | None = None) -> int:
    stripped = text.strip()
    if not stripped and default is not None:
        return default
    try:
        return int(stripped)
    except ValueError as error:
        raise FormatError(path, number, f"expected a whole number, found {text!r}") from error


def _three_reals(text: str, path: str, number: int, largest: float) -> tuple[float, float, float]:
    """Three numbers (3F14.4), zeros where blank; absurd ones are refused."""
    # By words rather than columns: writers that miss a column leave the numbers whole.
    parts = text[:60].split()
    if not parts:
        return 0.0, 0.0, 0.0
    try:
        values = [float(p) for p in parts]
    except ValueError as error:
        raise FormatError(path, number, f"expected three numbers, found {text[:60].strip()!r}") from error
    if len(values) != 3:
        raise FormatError(path, number, f"expected three numbers, found {text[:60].strip()!r}")
    if not all(abs(v) <= largest for v in values):
        raise FormatError(path, number, f"out of range: {text[:42].strip()!r}")
    return values[0], values[1], values[2]


def _antenna(text: str) -> AntennaType:
    """Columns 21-40 hold the type in 16 and the radome in 4; some writers separate them by one space only."""
    name, radome = text[20:36].strip(), text[36:40].strip()
    parts = text[20:40].split()
    if not radome and len(parts) == 2 and len(parts[1]) == 4:
        name, radome = parts
    return AntennaType(name, radome or "NONE", text[0:20].strip())


def _glonass_channels(text: str, path: str, number: int) -> dict[str, int]:
    """Slots and channels of one line; by pattern rather than columns, as some writers are a column off."""
    listed = text[3:60]
    pairs = re.findall(r"R\s?(\d{1,2}) +([+-]?\d{1,2})(?!\d)", listed)
    channels = {f"R{int(slot):02d}": int(channel) for slot, channel in pairs}
    if (listed.strip() and not channels) or any(abs(c) > _LARGEST_CHANNEL for c in channels.values()):
        raise FormatError(path, number, f"expected GLONASS slots and channels 'R01  1', found {listed!r}")
    return channels


def leap_seconds(text: str) -> int | None:
    """GPST minus UTC: columns 1-6, with the time system from 25 on (RINEX 3.03); None where unreadable."""
    match = re.match(r" *(\d{1,3})(?: |$)", text[:7])
    if match is None:
        return None
    return int(match[1]) + (_GPST_MINUS_BDT_S if "BD" in text[24:30] else 0)
