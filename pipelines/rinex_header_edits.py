"""Edit what observation files say of their station: marker, equipment, place; each change told and noted.

The surveyor's use of teqc's -O options. What is changed goes into the header, is listed for the output and
stands as a COMMENT in the file; the observations are not touched.
"""

import textwrap
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from stations.records import AntennaType, ObservationEvent, Observations, StationHeader, StationSetup
from transforms.errors import InputError

# Columns of RINEX (2.11, table A1; 4.02, table A2).
_WIDTHS: Final = {
    "marker_name": 60,
    "marker_number": 20,
    "observer": 20,
    "agency": 40,
    "receiver": 20,
    "receiver_serial": 20,
    "receiver_firmware": 20,
    "antenna_serial": 20,
}
_ANTENNA_WIDTH: Final = 16
_RADOME_WIDTH: Final = 4
_LARGEST_ECCENTRICITY_M: Final = 1000.0
# From the deepest trench to a low orbit: what is outside is a slip of the unit (kilometres, degrees).
_GEOCENTRIC_RANGE_M: Final = (6.3e6, 8.0e6)
_COMMENT_WIDTH: Final = 60
_COMMENT_START: Final = "Jizhun edit: "
_PHASE_CENTRE_LABEL: Final = "ANTENNA: PHASECENTER"


@dataclass(frozen=True)
class HeaderEdits:
    """New values of a header; None leaves a value as it is.

    antenna : type and radome as the IGS names them, "TRM59800.00 SCIS"; without a radome it is NONE
    eccentricity_enu_m : from marker to antenna reference point; position_ecef_m : approximate, of the marker
    """

    marker_name: str | None = None
    marker_number: str | None = None
    observer: str | None = None
    agency: str | None = None
    receiver: str | None = None
    receiver_serial: str | None = None
    receiver_firmware: str | None = None
    antenna: str | None = None
    antenna_serial: str | None = None
    eccentricity_enu_m: tuple[float, float, float] | None = None
    position_ecef_m: tuple[float, float, float] | None = None

    def asked(self) -> bool:
        """Whether anything is to be changed."""
        return any(value is not None for value in vars(self).values())


@dataclass(frozen=True)
class HeaderChange:
    """One value of a header, before and after, as text; with the label of its line."""

    what: str
    before: str
    after: str
    label: str

    def words(self) -> str:
        """ "marker name: NJLS -> NJL1"."""
        return f"{self.what}: {self.before or '(blank)'} -> {self.after or '(blank)'}"


def edit_header(
    observations: Observations, edits: HeaderEdits
) -> tuple[Observations, tuple[HeaderChange, ...], tuple[str, ...]]:
    """Observations with the edited header, the changes, and remarks on events that tell otherwise.

    What an event inside the files tells of its own (another antenna from noon on) is left as it is, apart
    from the marker, of which a file has one. Raises InputError for a value that RINEX cannot hold.
    """
    _check(edits)
    header = observations.header
    edited = _edited(header, edits)
    changes = _changes(header, edited)
    notes = tuple(line for change in changes for line in _comment_lines(change))
    edited = replace(edited, comments=(*edited.comments, *notes))
    labels = {change.label for change in changes}
    remarks: list[str] = []
    if edited.setup.antenna.name != header.setup.antenna.name:  # what was measured on the other one
        stale = tuple(line for line in edited.kept_lines if line[60:].strip() == _PHASE_CENTRE_LABEL)
        if stale:
            edited = replace(edited, kept_lines=tuple(k for k in edited.kept_lines if k not in stale))
            remarks.append(f"{len(stale)} x {_PHASE_CENTRE_LABEL} of the former antenna left out")
    events: list[ObservationEvent] = []
    setup = edited.setup
    told: set[str] = set()  # labels that events have told of their own up to here
    for event in observations.events:
        own = {line[60:].strip() for line in event.header_lines}
        told |= own
        for label in sorted((own & labels) - {"MARKER NAME", "MARKER NUMBER"}):
            when = event.epoch or event.after_epoch
            place = "at its start" if when is None else f"at {when.iso()}"
            remarks.append(f"an event {place} tells {label} of its own, which is left as it is")
        lines = tuple(_marker_line(line, edited) for line in event.header_lines)
        if event.setup is not None:
            setup = _setup_of_event(event.setup, edited.setup, told)
        events.append(replace(event, header_lines=lines, setup=None if event.setup is None else setup))
    return replace(observations, header=edited, events=tuple(events)), changes, tuple(remarks)


def _edited(header: StationHeader, edits: HeaderEdits) -> StationHeader:
    setup, antenna = header.setup, header.setup.antenna
    name, radome = antenna.name, antenna.radome
    if edits.antenna is not None:
        name, _, radome = (part.strip() for part in edits.antenna.strip().partition(" "))
    position = header.approximate_position_ecef_m
    if edits.position_ecef_m is not None:
        position = np.array(edits.position_ecef_m)
    return replace(
        header,
        marker_name=_new(edits.marker_name, header.marker_name),
        marker_number=_new(edits.marker_number, header.marker_number),
        observer=_new(edits.observer, header.observer),
        agency=_new(edits.agency, header.agency),
        approximate_position_ecef_m=position,
        setup=StationSetup(
            receiver=_new(edits.receiver, setup.receiver),
            receiver_serial=_new(edits.receiver_serial, setup.receiver_serial),
            receiver_firmware=_new(edits.receiver_firmware, setup.receiver_firmware),
            antenna=AntennaType(name, radome or "NONE", _new(edits.antenna_serial, antenna.serial)),
            eccentricity_enu_m=(
                setup.eccentricity_enu_m if edits.eccentricity_enu_m is None else edits.eccentricity_enu_m
            ),
        ),
    )


def _new(value: str | None, old: str) -> str:
    return old if value is None else value.strip()


def _facts(header: StationHeader) -> dict[str, tuple[str, str]]:
    """What is edited, as it reads -> its value as text and the label of its line."""
    setup, antenna = header.setup, header.setup.antenna
    position = header.approximate_position_ecef_m
    east, north, up = setup.eccentricity_enu_m
    return {
        "marker name": (header.marker_name, "MARKER NAME"),
        "marker number": (header.marker_number, "MARKER NUMBER"),
        "observer": (header.observer, "OBSERVER / AGENCY"),
        "agency": (header.agency, "OBSERVER / AGENCY"),
        "receiver": (setup.receiver, "REC # / TYPE / VERS"),
        "receiver serial": (setup.receiver_serial, "REC # / TYPE / VERS"),
        "receiver firmware": (setup.receiver_firmware, "REC # / TYPE / VERS"),
        "antenna": (f"{antenna.name} {antenna.radome}".strip(), "ANT # / TYPE"),
        "antenna serial": (antenna.serial, "ANT # / TYPE"),
        "eccentricity east, north, up (m)": (f"{east:.4f} {north:.4f} {up:.4f}", "ANTENNA: DELTA H/E/N"),
        "approximate position x, y, z (m)": (
            "" if position is None else " ".join(f"{value:.4f}" for value in position),
            "APPROX POSITION XYZ",
        ),
    }


def _changes(before: StationHeader, after: StationHeader) -> tuple[HeaderChange, ...]:
    old, new = _facts(before), _facts(after)
    return tuple(
        HeaderChange(what, text, new[what][0], label)
        for what, (text, label) in old.items()
        if new[what][0] != text
    )


def _comment_lines(change: HeaderChange) -> list[str]:
    """What was there before; what is there now stands in the header."""
    text = f"{_COMMENT_START}{change.what} was {change.before or '(blank)'}"
    return textwrap.wrap(text, _COMMENT_WIDTH, subsequent_indent="  ")


def _marker_line(line: str, header: StationHeader) -> str:
    values = {"MARKER NAME": header.marker_name, "MARKER NUMBER": header.marker_number}
    label = line[60:].strip()
    return f"{values[label]:<60.60s}{label}" if label in values else line


def _setup_of_event(of_event: StationSetup, edited: StationSetup, told: set[str]) -> StationSetup:
    """The equipment after an event: what no event has told is that of the edited header."""
    receiver = of_event if "REC # / TYPE / VERS" in told else edited
    antenna = of_event if "ANT # / TYPE" in told else edited
    eccentricity = of_event if "ANTENNA: DELTA H/E/N" in told else edited
    return StationSetup(
        receiver.receiver,
        receiver.receiver_serial,
        receiver.receiver_firmware,
        antenna.antenna,
        eccentricity.eccentricity_enu_m,
    )


def _check(edits: HeaderEdits) -> None:
    for name, width in _WIDTHS.items():
        value = getattr(edits, name)
        if value is None:
            continue
        words = name.replace("_", " ")
        if len(value.strip()) > width:
            raise InputError(f"{words} {value!r} has {len(value.strip())} characters; RINEX has {width}")
        if not (value.isascii() and value.isprintable()):
            raise InputError(f"{words} {value!r}: RINEX takes plain ASCII characters only")
    if edits.marker_name is not None and not edits.marker_name.strip():
        raise InputError("the marker name must not be blank")
    if edits.antenna is not None:
        name, _, radome = (part.strip() for part in edits.antenna.strip().partition(" "))
        sound = name.isascii() and radome.isascii() and edits.antenna.isprintable()
        if not name or len(name) > _ANTENNA_WIDTH or len(radome) > _RADOME_WIDTH or not sound:
            raise InputError(
                f"antenna {edits.antenna!r}: expected a type of up to {_ANTENNA_WIDTH} characters and a "
                f"radome of up to {_RADOME_WIDTH}, as TRM59800.00 SCIS"
            )
    if edits.eccentricity_enu_m is not None:
        values = np.array(edits.eccentricity_enu_m)
        if not (np.abs(values) <= _LARGEST_ECCENTRICITY_M).all():
            raise InputError(f"eccentricity {edits.eccentricity_enu_m} m: beyond {_LARGEST_ECCENTRICITY_M} m")
    if edits.position_ecef_m is not None:
        distance_m = float(np.linalg.norm(edits.position_ecef_m))
        low, high = _GEOCENTRIC_RANGE_M
        if not low <= distance_m <= high:
            raise InputError(
                f"position {edits.position_ecef_m}: {distance_m:.0f} m from the geocentre; expected x, y, z "
                "in metres near the earth's surface"
            )
