"""Write a site log of version 2.0."""

from collections.abc import Iterator, Mapping
from typing import Final

from stations.formats.atomic_write import write_atomically
from stations.formats.compression import compress_for
from stations.formats.site_log_records import NINE_CHARACTERS, SiteLog
from stations.records import PathLike
from transforms.errors import InputError
from transforms.time_scales import Epochs, TimeScale

_MILLIMETRE_M: Final = 1e-3


def write_site_log(log: SiteLog, path: PathLike) -> None:
    """Write a site log of version 2.0 with what the record holds, whole or not at all.

    InputError where the log has no nine-character name, which the version asks for. Sections without content
    are written as the empty form has them; drawings and photographs are not kept.
    """
    if not NINE_CHARACTERS.match(log.name):
        raise InputError(f"a site log of version 2.0 needs a nine-character name, not {log.name!r}")
    text = "\n".join(line.rstrip() for line in _log_lines(log)) + "\n"
    write_atomically(path, compress_for(path, text.encode("utf-8")))


def _entry(name: str, value: object, indent: int = 5) -> Iterator[str]:
    width = 30 - indent
    first, *rest = str(value).split("\n")
    yield f"{'':{indent}s}{name:<{width}s}: {first}"
    yield from (f"{'':30s}: {line}" for line in rest)


def _log_lines(log: SiteLog) -> Iterator[str]:
    kept: Mapping[tuple[str, str], str] = {(number, name): value for number, name, value in log.sections}

    def known(number: str, name: str, value: str = "") -> str:
        return value or kept.get((number, name), "")

    yield f"     {log.name} Site Information Form (site log v2.0)"
    yield from ("     International GNSS Service", "     See Instructions at:")
    yield "       https://files.igs.org/pub/station/general/sitelog_instr_v2.0.txt"
    yield from ("", "0.   Form", "")
    for name in ("Prepared by (full name)", "Date Prepared", "Report Type"):
        yield from _entry(name, known("0", name))
    yield from ("", "", "1.   Site Identification of the GNSS Monument", "")
    for name, value in (
        ("Site Name", log.site_name),
        ("Nine Character ID", log.name),
        ("Monument Inscription", ""),
        ("IERS DOMES Number", log.domes),
        ("CDP Number", ""),
        ("Monument Description", log.monument),
        ("Marker Description", log.marker),
        ("Date Installed", _date_text(log.installed)),
        ("Geologic Characteristic", ""),
        ("Additional Information", ""),
    ):
        yield from _entry(name, known("1", name, value))
    yield from ("", "", "2.   Site Location Information", "")
    for name, value in (
        ("City or Town", log.city),
        ("State or Province", ""),
        ("Country or Region", log.country),
        ("Tectonic Plate", log.tectonic_plate),
    ):
        yield from _entry(name, known("2", name, value))
    yield "     Approximate Position (ITRF)"
    x, y, z = (f"{v:.4f}" for v in log.position_ecef_m) if log.position_ecef_m is not None else ("", "", "")
    for name, value in (
        ("X coordinate (m)", x),
        ("Y coordinate (m)", y),
        ("Z coordinate (m)", z),
        ("Latitude (N is +)", _angle_text(log.latitude_deg, 2)),
        ("Longitude (E is +)", _angle_text(log.longitude_deg, 3)),
        ("Elevation (m,ellips.)", "" if log.height_m is None else f"{log.height_m:.1f}"),
    ):
        yield from _entry(name, value, 7)
    yield from _entry("Additional Information", known("2", "Additional Information"))
    yield from ("", "", "3.   GNSS Receiver Information", "")
    for i, receiver in enumerate(log.receivers, start=1):
        yield f"{f'3.{i}':<5s}{'Receiver Type':<25s}: {receiver.kind}"
        cutoff = "" if receiver.elevation_cutoff_deg is None else f"{receiver.elevation_cutoff_deg:g} deg"
        for name, value in (
            ("Satellite System", "+".join(receiver.satellite_systems)),
            ("Serial Number", receiver.serial),
            ("Firmware Version", receiver.firmware),
            ("Elevation Cutoff Setting", cutoff),
            ("Date Installed", _date_text(receiver.installed)),
            ("Date Removed", _date_text(receiver.removed) or "(CCYY-MM-DDThh:mmZ)"),
            ("Temperature Stabiliz.", ""),
            ("Additional Information", receiver.notes),
        ):
            yield from _entry(name, value)
        yield ""
    yield from ("", "4.   GNSS Antenna Information", "")
    for i, antenna in enumerate(log.antennas, start=1):
        yield f"{f'4.{i}':<5s}{'Antenna Type':<25s}: {antenna.antenna.igs_code}"
        east, north, up = (
            (f"{v:.4f}" for v in antenna.eccentricity_enu_m)
            if antenna.eccentricity_enu_m is not None
            else ("", "", "")
        )
        for name, value in (
            ("Serial Number", antenna.antenna.serial),
            ("Antenna Reference Point", antenna.reference_point),
            ("Marker->ARP Up Ecc. (m)", up),
            ("Marker->ARP North Ecc(m)", north),
            ("Marker->ARP East Ecc(m)", east),
            (
                "Alignment from True N",
                "" if antenna.alignment_deg is None else f"{antenna.alignment_deg:g} deg",
            ),
            ("Antenna Radome Type", antenna.antenna.radome),
            ("Date Installed", _date_text(antenna.installed)),
            ("Date Removed", _date_text(antenna.removed) or "(CCYY-MM-DDThh:mmZ)"),
            ("Additional Information", antenna.notes),
        ):
            yield from _entry(name, value)
        yield ""
    yield from ("", "5.   Surveyed Local Ties", "")
    for i, tie in enumerate(log.local_ties, start=1):
        yield f"{f'5.{i}':<5s}{'Tied Marker Name':<25s}: {tie.marker}"
        yield from _entry("Tied Marker Usage", tie.usage)
        yield from _entry("Tied Marker DOMES Number", tie.domes)
        for axis, offset in zip(("dx", "dy", "dz"), tie.offset_ecef_m or ("", "", ""), strict=True):
            yield from _entry(f"{axis} (m)", offset, 7)
        yield from _entry(
            "Accuracy (mm)", "" if tie.accuracy_m is None else f"{tie.accuracy_m / _MILLIMETRE_M:g}"
        )
        yield ""
    for number, title in _OTHER_SECTIONS:
        yield from ("", f"{number + '.':<5s}{title}", "")
        opened = ""
        for at, name, value in log.sections:
            if at.split(".")[0] != number:
                continue
            if at != opened and at != number:
                opened = at
                first, *rest = _entry(name, value)
                yield f"{at + ' ' if len(at) > 4 else at:<5s}{first[5:]}"
                yield from rest
            else:
                yield from _entry(name, value)


_OTHER_SECTIONS: Final = (
    ("6", "Frequency Standard"),
    ("7", "Collocation Information"),
    ("8", "Meteorological Instrumentation"),
    ("9", "Local Ongoing Conditions Possibly Affecting Computed Position"),
    ("10", "Local Episodic Effects Possibly Affecting Data Quality"),
    ("11", "On-Site, Point of Contact Agency Information"),
    ("12", "Responsible Agency (if different from 11.)"),
    ("13", "More Information"),
)


def _date_text(epoch: Epochs | None) -> str:
    return "" if epoch is None else f"{str(epoch.to(TimeScale.UTC).datetime64())[:16]}Z"


def _angle_text(value_deg: float | None, digits: int) -> str:
    if value_deg is None:
        return ""
    hundredths = round(abs(value_deg) * 360_000.0)
    degrees, rest = divmod(hundredths, 360_000)
    minutes, seconds = divmod(rest, 6_000)
    return f"{'-' if value_deg < 0 else '+'}{degrees:0{digits}d}{minutes:02d}{seconds / 100:05.2f}"
