"""IGS site logs, version 1.0 (four-character names) and 2.0 (nine-character names): read.

References: IGS Central Bureau, "Instructions for filling out IGS site logs" (sitelog_instr.txt, and
sitelog_instr_v2.0.txt of 2023). A field is a line "name : value"; lines that begin with a colon after blanks
carry the value on. Sections ".x" are empty forms, texts in brackets are their hints.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from stations.formats.compression import read_bytes
from stations.formats.site_log_records import (
    NINE_CHARACTERS,
    SiteAntenna,
    SiteLocalTie,
    SiteLog,
    SiteReceiver,
)
from stations.formats.text_lines import split_text
from stations.records import AntennaType, InputFile, PathLike
from transforms.errors import FormatError
from transforms.time_scales import Epochs, TimeScale

_TITLE: Final = re.compile(r"Site Information Form \(site log(?P<version>[^)]*)\)", re.IGNORECASE)
_SECTION: Final = re.compile(r"(?P<number>\d{1,2}(\.\d{1,2}|\.x){0,2})\.?(?=\s|$)\s*(?P<rest>.*)")
_HEADING: Final = re.compile(r"\d{1,2}\.\s+[A-Z]")
_FIELD: Final = re.compile(r"\s*(?P<name>[^:]*?)\s*:(\s(?P<value>.*))?$")
# Longest name of a field with its indent; text with a colon further right is no field (drawings, notes).
_LONGEST_NAME: Final = 40
_DATE: Final = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})(?:[T ](?P<time>\d{1,2}:\d{2})(?::\d{2}(?:\.\d+)?)?\s*Z?)?\Z", re.IGNORECASE
)
_NUMBER: Final = re.compile(r"[+-]? *(\d+\.?\d*|\.\d+)")
# A hint of the empty form: "(CCYY-MM-DDThh:mmZ)", "CCYY-MM-DD", "(A4)", "(multiple lines)".
_HINT: Final = re.compile(r"\(.*\)\Z|C{2}YY-MM-DD.*\Z|(deg C) \+/- .*", re.IGNORECASE)
_LATITUDE: Final = re.compile(r"(?P<sign>[+-]?)(?P<d>\d{2})(?P<m>\d{2})(?P<s>\d{2}(\.\d*)?)\Z")
_LONGITUDE: Final = re.compile(r"(?P<sign>[+-]?)(?P<d>\d{3})(?P<m>\d{2})(?P<s>\d{2}(\.\d*)?)\Z")
_LONGEST_ECCENTRICITY_M: Final = 100.0  # from the foot of a tower to its top
_MILLIMETRE_M: Final = 1e-3
_RECEIVER_SECTION: Final = "3"
_ANTENNA_SECTION: Final = "4"
_TIE_SECTION: Final = "5"
_LAST_SECTION_OF_FORM: Final = 13


@dataclass
class _Section:
    number: str
    line: int
    fields: list[tuple[str, str, int]] = field(default_factory=list)

    def get(self, *names: str) -> tuple[str, int]:
        """Value of the first field of these names (whole, or its beginning), hints left out; "" if none."""
        for wanted in names:
            for name, value, line in self.fields:
                if name.lower().startswith(wanted.lower()):
                    return ("" if _HINT.match(value) else value), line
        return "", self.line


def read_site_log(path: PathLike) -> SiteLog:
    """Read an IGS site log of either version, compressed or not; UTF-8, else Latin-1.

    Real logs have slips: an empty date of installation, a receiver that is followed by another without having
    been removed. They are taken and told in `remarks`.

    Raises
    ------
    FormatError : no site log, no name, a date, an eccentricity or a coordinate that cannot be read; line
    """
    data, identity = read_bytes(path)
    return parse_site_log(data, identity)


def is_site_log(head: bytes) -> bool:
    """Whether a file that begins so is a site log."""
    return _TITLE.search(head[:2000].decode("latin-1")) is not None


def parse_site_log(data: bytes, identity: InputFile) -> SiteLog:
    """Like `read_site_log`, from the plain text."""
    path = identity.path
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    lines = split_text(text)
    title = next((m for line in lines[:10] if (m := _TITLE.search(line))), None)
    if title is None:
        raise FormatError(path, 1, "expected 'Site Information Form (site log)' in the first ten lines")
    sections = _sections(lines)
    by_number = {s.number: s for s in sections if "x" not in s.number}
    form, identification, location = (by_number.get(n, _Section(n, 1)) for n in ("0", "1", "2"))
    if not identification.fields:
        raise FormatError(path, len(lines), "no section 1 (site identification): the log is cut off")
    nine, line = identification.get("Nine Character ID")
    four = identification.get("Four Character ID")[0]
    name = (nine or four).upper()
    if not re.fullmatch(r"[A-Z0-9]{4}(\d{2}[A-Z]{3})?", name):
        raise FormatError(path, line, f"expected a four- or nine-character ID, found {nine or four!r}")
    first_word = lines[next(i for i, t in enumerate(lines) if _TITLE.search(t))].split()[0].upper()
    if len(name) == 4 and NINE_CHARACTERS.match(first_word) and first_word[:4] == name:
        name = first_word
    remarks: list[str] = []
    receivers = tuple(_receiver(s, path) for s in _numbered(sections, _RECEIVER_SECTION))
    antennas = tuple(_antenna(s, path) for s in _numbered(sections, _ANTENNA_SECTION))
    if not receivers or not antennas:
        raise FormatError(path, len(lines), "the log has no receiver or no antenna: it is cut off")
    last = max(int(s.number.split(".")[0]) for s in sections)
    if last < _LAST_SECTION_OF_FORM:
        remarks.append(f"the log ends with section {last}, not 13")
    for items, what in ((receivers, "receiver"), (antennas, "antenna")):
        _check_times(items, what, remarks)
    position, latitude, longitude, height = _location(location, path)
    return SiteLog(
        name=name,
        four_character_id=name[:4],
        site_name=identification.get("Site Name")[0],
        domes=identification.get("IERS DOMES Number")[0],
        version="2.0" if nine or "2" in title["version"] else "1.0",
        date_prepared=form.get("Date Prepared")[0],
        monument=identification.get("Monument Description")[0],
        marker=identification.get("Marker Description")[0],
        installed=_date(*identification.get("Date Installed"), path),
        city=location.get("City or Town")[0],
        country=location.get("Country")[0],
        tectonic_plate=location.get("Tectonic Plate")[0],
        position_ecef_m=position,
        latitude_deg=latitude,
        longitude_deg=longitude,
        height_m=height,
        receivers=receivers,
        antennas=antennas,
        local_ties=tuple(_tie(s, path) for s in _numbered(sections, _TIE_SECTION)),
        sections=tuple(
            (s.number, name, value)
            for s in sections
            if "x" not in s.number and s.number.split(".")[0] not in ("3", "4", "5")
            for name, value, _ in s.fields
            if value and not _HINT.match(value)
        ),
        remarks=tuple(remarks),
        inputs=(identity,),
    )


def _sections(lines: Sequence[str]) -> list[_Section]:
    """The numbered parts of the form with their fields; lines that carry a value on are joined by LF."""
    sections: list[_Section] = []
    highest = 0
    for number, line in enumerate(lines, start=1):
        match = _SECTION.match(line)
        if match is not None and _is_next(match["number"], highest, bool(_HEADING.match(line))):
            highest = int(match["number"].split(".")[0])
            sections.append(_Section(match["number"], number))
            line = " " * 5 + match["rest"]
        if not sections or not line.strip():
            continue
        found = _FIELD.match(line)
        if found is None or len(found["name"]) > _LONGEST_NAME:
            continue
        value = (found["value"] or "").strip()
        fields = sections[-1].fields
        if found["name"].strip():
            fields.append((found["name"].strip(), value, number))
        elif fields:
            name, before, at = fields[-1]
            fields[-1] = (name, f"{before}\n{value}".strip("\n"), at)
    return sections


def _is_next(number: str, highest: int, is_heading: bool) -> bool:
    """Whether a number at a line's start can be the next section's: the form counts up, drawings do not.

    Only a heading ("13.  More Information") may leave sections out.
    """
    chapter = int(number.split(".")[0])
    return highest <= chapter <= _LAST_SECTION_OF_FORM and (is_heading or chapter <= highest + 1)


def _numbered(sections: Sequence[_Section], chapter: str) -> list[_Section]:
    return [s for s in sections if re.fullmatch(rf"{chapter}\.\d+", s.number) and s.fields]


def _check_times(items: Sequence[SiteReceiver | SiteAntenna], what: str, remarks: list[str]) -> None:
    for i, item in enumerate(items):
        if item.installed is None:
            remarks.append(f"section {item.section}: the {what} has no date of installation")
        elif item.removed is not None and int(item.removed.tai_ns) < int(item.installed.tai_ns):
            remarks.append(f"section {item.section}: the {what} is removed before it is installed")
        if i + 1 < len(items) and item.removed is None:
            remarks.append(f"section {item.section}: the {what} is not removed, and another follows")


def _date(text: str, line: int, path: str) -> Epochs | None:
    """An instant of "2009-03-30T00:00Z" or "2009-03-30"; None where empty."""
    if not text:
        return None
    match = _DATE.match(text.strip())
    if match is None:
        raise FormatError(path, line, f"expected a date CCYY-MM-DDThh:mmZ, found {text!r}")
    hour, minute = (match["time"] or "00:00").split(":")
    try:
        start = np.datetime64(match["day"], "m")
    except ValueError as error:
        raise FormatError(path, line, f"no such day: {text!r}") from error
    minutes = int(hour) * 60 + int(minute)
    if int(minute) > 59 or minutes > 24 * 60 or not "1972" <= match["day"][:4] <= "2200":
        raise FormatError(path, line, f"no such time: {text!r}")
    return Epochs.from_datetime64(start + np.timedelta64(minutes, "m"), TimeScale.UTC)


def _number(text: str, line: int, path: str) -> float | None:
    """The number that a text begins with ("0.1266", "15 deg"); None where empty."""
    if not text.strip():
        return None
    match = _NUMBER.match(text.strip())
    if match is None:
        raise FormatError(path, line, f"expected a number, found {text!r}")
    return float(match[0].replace(" ", ""))


def _maybe_number(text: str) -> float | None:
    match = _NUMBER.match(text.strip())
    return None if match is None else float(match[0].replace(" ", ""))


def _receiver(section: _Section, path: str) -> SiteReceiver:
    return SiteReceiver(
        section.number,
        section.get("Receiver Type")[0],
        tuple(w for w in re.split(r"[+/, ]+", section.get("Satellite System")[0]) if w),
        section.get("Serial Number")[0],
        section.get("Firmware Version")[0],
        _maybe_number(section.get("Elevation Cutoff")[0]),
        _date(*section.get("Date Installed"), path),
        _date(*section.get("Date Removed"), path),
        section.get("Additional Information")[0],
    )


def _antenna(section: _Section, path: str) -> SiteAntenna:
    kind, line = section.get("Antenna Type")
    radome = section.get("Antenna Radome Type")[0]
    name, in_type = kind[:16].strip(), kind[16:20].strip()
    if len(kind) <= 16 and " " in kind and re.fullmatch(r".*\s[A-Z]{4}", kind) and not radome:
        name, in_type = kind[:-4].strip(), kind[-4:]
    up, north, east = (
        _number(*section.get(f"Marker->ARP {direction}"), path) for direction in ("Up", "North", "East")
    )
    eccentricity = None
    if up is not None and north is not None and east is not None:
        eccentricity = (east, north, up)
        if max(abs(value) for value in eccentricity) > _LONGEST_ECCENTRICITY_M:
            raise FormatError(path, line, f"an eccentricity of {eccentricity} m is out of range")
    return SiteAntenna(
        section.number,
        AntennaType(name, in_type or radome[:4].strip() or "NONE", section.get("Serial Number")[0]),
        section.get("Antenna Reference Point")[0],
        eccentricity,
        _maybe_number(section.get("Alignment from True N")[0]),
        _date(*section.get("Date Installed"), path),
        _date(*section.get("Date Removed"), path),
        section.get("Additional Information")[0],
    )


def _tie(section: _Section, path: str) -> SiteLocalTie:
    x, y, z = (_number(*section.get(f"{axis} (m)"), path) for axis in ("dx", "dy", "dz"))
    offset = None if x is None or y is None or z is None else (x, y, z)
    accuracy = _maybe_number(section.get("Accuracy")[0])
    return SiteLocalTie(
        section.number,
        section.get("Tied Marker Name")[0],
        section.get("Tied Marker DOMES")[0],
        section.get("Tied Marker Usage")[0],
        offset,
        None if accuracy is None else accuracy * _MILLIMETRE_M,
    )


def _location(
    section: _Section, path: str
) -> tuple[tuple[float, float, float] | None, float | None, float | None, float | None]:
    x, y, z = (_number(*section.get(f"{axis} coordinate"), path) for axis in "XYZ")
    position = None if x is None or y is None or z is None else (x, y, z)
    latitude = _angle_deg(*section.get("Latitude"), _LATITUDE, 90.0, path)
    longitude = _angle_deg(*section.get("Longitude"), _LONGITUDE, 360.0, path)
    return position, latitude, longitude, _number(*section.get("Elevation"), path)


def _angle_deg(text: str, line: int, pattern: re.Pattern[str], largest: float, path: str) -> float | None:
    """Degrees of "+522245.47" or "-0614211.02" (degrees, minutes, seconds run together); None where empty."""
    if not text:
        return None
    match = pattern.match(text.replace(" ", ""))
    if match is None or int(match["m"]) > 59 or float(match["s"]) > 60.0:
        raise FormatError(path, line, f"expected degrees, minutes, seconds run together, found {text!r}")
    value = int(match["d"]) + int(match["m"]) / 60 + float(match["s"]) / 3600
    if value > largest:
        raise FormatError(path, line, f"no such angle: {text!r}")
    return -value if match["sign"] == "-" else value
