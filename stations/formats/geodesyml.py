"""Site logs in GeodesyML 0.3 to 0.5 (eGeodesy, Intergovernmental Committee on Surveying and Mapping).

The elements repeat the fields of the IGS site log. XML is parsed by the standard library; a document type
declaration or an entity declaration is refused before parsing, so that no entity can be expanded or fetched.
"""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape

import numpy as np

from stations.formats.atomic_write import write_atomically
from stations.formats.compression import compress_for, read_bytes
from stations.formats.site_log_records import SiteAntenna, SiteLocalTie, SiteLog, SiteReceiver
from stations.records import AntennaType, InputFile, PathLike
from transforms.errors import FormatError
from transforms.time_scales import Epochs, TimeScale

_DECLARATION: Final = re.compile(rb"<!\s*(DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", re.IGNORECASE)
_ENCODING: Final = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([^\"']*)[\"']")
# Encodings in which "<!" is the bytes "<!"; in others a declaration could hide from the check above.
_ENCODINGS: Final = frozenset({"utf-8", "us-ascii", "ascii", "iso-8859-1", "latin-1", "windows-1252"})
_NAMESPACE: Final = re.compile(r"\{urn:xml-gov-au:icsm:egeodesy:(?P<version>0\.[1-5])\}GeodesyML\Z")
_MAXIMUM_BYTES: Final = 64 * 1024**2  # the largest site logs have 0.3 MB
_DATE: Final = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})(T(?P<time>\d{2}:\d{2}(:\d{2})?)(\.\d+)?)?(?P<zone>Z|[+-]00:00)?\Z"
)
_LONGEST_ECCENTRICITY_M: Final = 100.0
_MILLIMETRE_M: Final = 1e-3
_NAMESPACES: Final = {
    "geo": "urn:xml-gov-au:icsm:egeodesy:0.4",
    "gml": "http://www.opengis.net/gml/3.2",
}


def read_geodesyml(path: PathLike) -> SiteLog:
    """Read the site log of a GeodesyML file, compressed or not.

    The nine-character name is put together from four-character ID, monument and receiver number and country
    where the file has all of them. Entries with a date of deletion are left out and told in `remarks`.

    Raises
    ------
    FormatError : a declaration of a document type or an entity, no XML, no GeodesyML with one site log, a
        value that is no number or date; with the line where the XML itself is broken, else with the element
    """
    data, identity = read_bytes(path)
    return parse_geodesyml(data, identity)


def parse_geodesyml(data: bytes, identity: InputFile) -> SiteLog:
    """Like `read_geodesyml`, from the plain text."""
    path = identity.path
    root = _parse_safely(data, path)
    match = _NAMESPACE.match(root.tag)
    if match is None:
        raise FormatError(path, 1, f"expected the root element GeodesyML of eGeodesy, found {root.tag!r}")
    logs = [element for element in root.iter() if _local(element) == "siteLog"]
    if len(logs) != 1:
        raise FormatError(path, None, f"expected one siteLog, found {len(logs)}")
    log = _Element(logs[0], path, "siteLog")
    identification, location = log.child("siteIdentification"), log.child("siteLocation")
    if identification is None or location is None:
        raise FormatError(path, None, "siteLog without siteIdentification or siteLocation")
    remarks: list[str] = []
    receivers = tuple(_receiver(e, i) for i, e in enumerate(_entries(log, "gnssReceiver", remarks), start=1))
    antennas = tuple(_antenna(e, i) for i, e in enumerate(_entries(log, "gnssAntenna", remarks), start=1))
    ties = tuple(_tie(e, i) for i, e in enumerate(_entries(log, "surveyedLocalTie", remarks), start=1))
    if not receivers or not antennas:
        raise FormatError(path, None, "siteLog without a receiver or without an antenna")
    form = log.child("formInformation")
    position = _numbers(location, "cartesianPosition", 3)
    geodetic = _numbers(location, "geodeticPosition", 3) or (None, None, None)
    return SiteLog(
        name=_name(identification, location),
        four_character_id=identification.text("fourCharacterID").upper(),
        site_name=identification.text("siteName"),
        domes=identification.text("iersDOMESNumber"),
        version=f"GeodesyML {match['version']}",
        date_prepared=form.text("datePrepared") if form is not None else "",
        monument=identification.text("monumentDescription"),
        marker=identification.text("markerDescription"),
        installed=identification.date("dateInstalled"),
        city=location.text("city"),
        country=location.text("countryCodeISO") or location.text("country"),
        tectonic_plate=location.text("tectonicPlate"),
        position_ecef_m=None if position is None else (position[0], position[1], position[2]),
        latitude_deg=geodetic[0],
        longitude_deg=geodetic[1],
        height_m=geodetic[2],
        receivers=receivers,
        antennas=antennas,
        local_ties=ties,
        remarks=tuple(remarks),
        inputs=(identity,),
    )


def _parse_safely(data: bytes, path: str) -> ElementTree.Element:
    if len(data) > _MAXIMUM_BYTES:
        raise FormatError(path, None, f"{len(data)} bytes: no site log is larger than {_MAXIMUM_BYTES}")
    declared = _ENCODING.search(data[:400])
    if declared is not None and declared[1].decode("latin-1").lower() not in _ENCODINGS:
        raise FormatError(path, 1, f"encoding {declared[1].decode('latin-1')!r} is not UTF-8 or Latin-1")
    declaration = _DECLARATION.search(data)
    if declaration is not None:
        line = data.count(b"\n", 0, declaration.start()) + 1
        raise FormatError(path, line, "a document type or entity declaration is not accepted")
    try:
        return ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise FormatError(path, error.position[0], f"no well-formed XML ({error})") from error
    except (ValueError, LookupError) as error:
        raise FormatError(path, 1, f"no XML that can be decoded ({error})") from error


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


class _Element:
    """An element with its place in words, for the texts of errors."""

    def __init__(self, element: ElementTree.Element, path: str, place: str) -> None:
        self._element = element
        self.path = path
        self.place = place

    def children(self, name: str) -> list["_Element"]:
        found = [e for e in self._element if _local(e) == name]
        return [_Element(e, self.path, f"{self.place}/{name}[{i}]") for i, e in enumerate(found, start=1)]

    def child(self, name: str) -> "_Element | None":
        found = self.children(name)
        return found[0] if found else None

    def texts(self, name: str) -> list[str]:
        """Texts of all elements of that name below this one, blanks at the ends left out."""
        return [(e.text or "").strip() for e in self._element.iter() if _local(e) == name]

    def text(self, name: str) -> str:
        found = self.texts(name)
        return found[0] if found else ""

    def number(self, name: str) -> float | None:
        text = self.text(name)
        if not text:
            return None
        return self.as_number(text, name)

    def as_number(self, text: str, name: str) -> float:
        if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?", text):
            raise FormatError(self.path, None, f"{self.place}/{name}: expected a number, found {text!r}")
        return float(text)

    def date(self, name: str) -> Epochs | None:
        text = self.text(name)
        if not text:
            return None
        match = _DATE.match(text)
        try:
            if match is None:
                raise ValueError(text)
            moment = np.datetime64(f"{match['day']}T{match['time'] or '00:00'}", "s")
            return Epochs.from_datetime64(moment, TimeScale.UTC)
        except ValueError as error:
            raise FormatError(
                self.path, None, f"{self.place}/{name}: expected a date and time of UTC, found {text!r}"
            ) from error

    def body(self) -> "_Element":
        """The one element inside a property element (gnssReceiver -> GnssReceiver), or itself."""
        inner = [e for e in self._element if _local(e)[:1].isupper()]
        return _Element(inner[0], self.path, self.place) if inner else self


def _entries(log: _Element, name: str, remarks: list[str]) -> Iterator[_Element]:
    for entry in log.children(name):
        if entry.text("dateDeleted"):
            remarks.append(f"{entry.place} was deleted on {entry.text('dateDeleted')} and is left out")
            continue
        yield entry.body()


def _name(identification: _Element, location: _Element) -> str:
    nine = identification.text("nineCharacterID").upper()
    four = identification.text("fourCharacterID").upper()
    if re.fullmatch(r"[A-Z0-9]{4}\d{2}[A-Z]{3}", nine):
        return nine
    if not re.fullmatch(r"[A-Z0-9]{4}", four):
        raise FormatError(
            identification.path, None, f"{identification.place}: no four-character ID, found {four!r}"
        )
    number = identification.text("monumentNumber") + identification.text("receiverNumber")
    country = location.text("countryCodeISO").upper()
    if re.fullmatch(r"\d\d", number) and re.fullmatch(r"[A-Z]{3}", country):
        return four + number + country
    return four


def _numbers(location: _Element, name: str, count: int) -> tuple[float, ...] | None:
    for position in location.children("approximatePositionITRF"):
        for element in position.children(name):
            words = element.text("pos").replace(",", " ").split()
            if not words:
                return None
            if len(words) != count:
                raise FormatError(
                    element.path, None, f"{element.place}/pos: expected {count} numbers, found {words}"
                )
            return tuple(element.as_number(word, "pos") for word in words)
    return None


def _receiver(element: _Element, index: int) -> SiteReceiver:
    systems = [w for text in element.texts("satelliteSystem") for w in re.split(r"[+/, ]+", text) if w]
    return SiteReceiver(
        f"3.{index}",
        element.text("igsModelCode") or element.text("receiverType"),
        tuple(systems),
        element.text("manufacturerSerialNumber") or element.text("serialNumber"),
        element.text("firmwareVersion"),
        element.number("elevationCutoffSetting"),
        element.date("dateInstalled"),
        element.date("dateRemoved"),
        element.text("notes"),
    )


def _antenna(element: _Element, index: int) -> SiteAntenna:
    kind = element.text("igsModelCode") or element.text("antennaType")
    up, north, east = (element.number(f"marker-arp{d}Ecc.") for d in ("Up", "North", "East"))
    eccentricity = None
    if up is not None and north is not None and east is not None:
        eccentricity = (east, north, up)
        if max(abs(value) for value in eccentricity) > _LONGEST_ECCENTRICITY_M:
            raise FormatError(
                element.path, None, f"{element.place}: an eccentricity of {eccentricity} m is out of range"
            )
    return SiteAntenna(
        f"4.{index}",
        AntennaType(
            kind[:16].strip(),
            kind[16:20].strip() or element.text("antennaRadomeType") or "NONE",
            element.text("manufacturerSerialNumber") or element.text("serialNumber"),
        ),
        element.text("antennaReferencePoint"),
        eccentricity,
        element.number("alignmentFromTrueNorth"),
        element.date("dateInstalled"),
        element.date("dateRemoved"),
        element.text("notes"),
    )


def _tie(element: _Element, index: int) -> SiteLocalTie:
    x, y, z = (element.number(axis) for axis in ("dx", "dy", "dz"))
    accuracy = element.number("localSiteTiesAccuracy")
    return SiteLocalTie(
        f"5.{index}",
        element.text("tiedMarkerName"),
        element.text("tiedMarkerDOMESNumber"),
        element.text("tiedMarkerUsage"),
        None if x is None or y is None or z is None else (x, y, z),
        None if accuracy is None else accuracy * _MILLIMETRE_M,
    )


def write_geodesyml(log: SiteLog, path: PathLike) -> None:
    """Write what a site log's record holds as GeodesyML 0.4, whole or not at all; ".gz" compresses."""
    text = "\n".join(_xml_lines(log)) + "\n"
    write_atomically(path, compress_for(path, text.encode("utf-8")))


def _leaf(indent: int, name: str, value: object) -> str:
    # Characters that XML 1.0 cannot hold (section 2.2) are left out.
    text = re.sub(
        r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", "" if value is None else str(value)
    )
    return f"{'  ' * indent}<geo:{name}>{escape(text)}</geo:{name}>"


def _xml_lines(log: SiteLog) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    attributes = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in _NAMESPACES.items())
    yield f'<geo:GeodesyML {attributes} gml:id="{log.name}">'
    yield f'  <geo:siteLog gml:id="{log.name}_log">'
    yield from ("    <geo:formInformation>", _leaf(3, "datePrepared", log.date_prepared))
    yield from ("    </geo:formInformation>", "    <geo:siteIdentification>")
    yield _leaf(3, "siteName", log.site_name)
    yield _leaf(3, "fourCharacterID", log.four_character_id)
    if len(log.name) == 9:
        yield _leaf(3, "monumentNumber", log.name[4])
        yield _leaf(3, "receiverNumber", log.name[5])
    yield _leaf(3, "iersDOMESNumber", log.domes)
    yield _leaf(3, "monumentDescription", log.monument)
    yield _leaf(3, "markerDescription", log.marker)
    yield _leaf(3, "dateInstalled", _date_text(log.installed))
    yield from ("    </geo:siteIdentification>", "    <geo:siteLocation>", _leaf(3, "city", log.city))
    yield _leaf(3, "countryCodeISO", log.name[6:] if len(log.name) == 9 else log.country)
    yield _leaf(3, "tectonicPlate", log.tectonic_plate)
    yield "      <geo:approximatePositionITRF>"
    geodetic = (log.latitude_deg, log.longitude_deg, log.height_m)
    for name, numbers in (("cartesianPosition", log.position_ecef_m), ("geodeticPosition", geodetic)):
        if numbers is not None and None not in numbers:
            words = " ".join(repr(float(n)) for n in numbers if n is not None)
            yield f"        <geo:{name}><gml:Point><gml:pos>{words}</gml:pos></gml:Point></geo:{name}>"
    yield from ("      </geo:approximatePositionITRF>", "    </geo:siteLocation>")
    for receiver in log.receivers:
        yield from ("    <geo:gnssReceiver>", "      <geo:GnssReceiver>", _leaf(4, "notes", receiver.notes))
        yield _leaf(4, "manufacturerSerialNumber", receiver.serial)
        yield _leaf(4, "igsModelCode", receiver.kind)
        yield from (_leaf(4, "satelliteSystem", system) for system in receiver.satellite_systems)
        yield _leaf(4, "firmwareVersion", receiver.firmware)
        yield _leaf(4, "elevationCutoffSetting", receiver.elevation_cutoff_deg)
        yield _leaf(4, "dateInstalled", _date_text(receiver.installed))
        yield _leaf(4, "dateRemoved", _date_text(receiver.removed))
        yield from ("      </geo:GnssReceiver>", "    </geo:gnssReceiver>")
    for antenna in log.antennas:
        yield from ("    <geo:gnssAntenna>", "      <geo:GnssAntenna>", _leaf(4, "notes", antenna.notes))
        yield _leaf(4, "manufacturerSerialNumber", antenna.antenna.serial)
        yield _leaf(4, "igsModelCode", antenna.antenna.igs_code)
        yield _leaf(4, "antennaReferencePoint", antenna.reference_point)
        east, north, up = antenna.eccentricity_enu_m or (None, None, None)
        for direction, value in (("Up", up), ("North", north), ("East", east)):
            yield _leaf(4, f"marker-arp{direction}Ecc.", value)
        yield _leaf(4, "alignmentFromTrueNorth", antenna.alignment_deg)
        yield _leaf(4, "antennaRadomeType", antenna.antenna.radome)
        yield _leaf(4, "dateInstalled", _date_text(antenna.installed))
        yield _leaf(4, "dateRemoved", _date_text(antenna.removed))
        yield from ("      </geo:GnssAntenna>", "    </geo:gnssAntenna>")
    for tie in log.local_ties:
        yield from ("    <geo:surveyedLocalTie>", "      <geo:SurveyedLocalTie>")
        yield _leaf(4, "tiedMarkerName", tie.marker)
        yield _leaf(4, "tiedMarkerUsage", tie.usage)
        yield _leaf(4, "tiedMarkerDOMESNumber", tie.domes)
        for axis, offset in zip(("dx", "dy", "dz"), tie.offset_ecef_m or (None,) * 3, strict=True):
            yield _leaf(4, axis, offset)
        accuracy = None if tie.accuracy_m is None else f"{tie.accuracy_m / _MILLIMETRE_M:g}"
        yield _leaf(4, "localSiteTiesAccuracy", accuracy)
        yield from ("      </geo:SurveyedLocalTie>", "    </geo:surveyedLocalTie>")
    yield from ("  </geo:siteLog>", "</geo:GeodesyML>")


def _date_text(epoch: Epochs | None) -> str:
    return "" if epoch is None else f"{str(epoch.to(TimeScale.UTC).datetime64())[:19]}Z"
