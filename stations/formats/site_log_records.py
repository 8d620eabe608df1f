"""What a site log or a GeodesyML file says of a station and its equipment over time.

Times are UTC, as site logs have them; None where the source leaves them open or empty.
"""

import re
from dataclasses import dataclass, field
from typing import Final, TypeVar

from stations.records import AntennaType, InputFile, StationSetup
from transforms.errors import InputError
from transforms.time_scales import Epochs

NINE_CHARACTERS: Final = re.compile(r"[A-Z0-9]{4}\d{2}[A-Z]{3}\Z")


@dataclass(frozen=True)
class SiteReceiver:
    """A receiver with one firmware for a time. section : where the source has it ("3.10")."""

    section: str
    kind: str
    satellite_systems: tuple[str, ...]
    serial: str
    firmware: str
    elevation_cutoff_deg: float | None
    installed: Epochs | None
    removed: Epochs | None
    notes: str = ""


@dataclass(frozen=True)
class SiteAntenna:
    """An antenna over the marker for a time.

    eccentricity_enu_m : from marker to antenna reference point, east, north, up; None where the source
        leaves one of the three empty
    alignment_deg : of the antenna's north from true north, clockwise; None where empty
    """

    section: str
    antenna: AntennaType
    reference_point: str
    eccentricity_enu_m: tuple[float, float, float] | None
    alignment_deg: float | None
    installed: Epochs | None
    removed: Epochs | None
    notes: str = ""


@dataclass(frozen=True)
class SiteLocalTie:
    """A tie from the GNSS marker to another one, in the terrestrial frame."""

    section: str
    marker: str
    domes: str
    usage: str
    offset_ecef_m: tuple[float, float, float] | None
    accuracy_m: float | None


@dataclass(frozen=True)
class SiteLog:
    """A station as its log describes it.

    name : nine characters where the log tells them, else four; four_character_id : the first four
    position_ecef_m, latitude_deg, longitude_deg, height_m : approximate, None where empty
    version : "1.0" (four-character logs), "2.0" (nine-character logs) or "GeodesyML 0.4" and the like
    sections : (section, field, text) of all that has no field here, in the log's order
    remarks : what was odd, in words
    """

    name: str
    four_character_id: str
    site_name: str
    domes: str
    version: str
    date_prepared: str
    monument: str
    marker: str
    installed: Epochs | None
    city: str
    country: str
    tectonic_plate: str
    position_ecef_m: tuple[float, float, float] | None
    latitude_deg: float | None
    longitude_deg: float | None
    height_m: float | None
    receivers: tuple[SiteReceiver, ...]
    antennas: tuple[SiteAntenna, ...]
    local_ties: tuple[SiteLocalTie, ...] = ()
    sections: tuple[tuple[str, str, str], ...] = ()
    remarks: tuple[str, ...] = ()
    inputs: tuple[InputFile, ...] = field(default=())

    def receiver_at(self, epoch: Epochs) -> SiteReceiver | None:
        """The receiver installed at an instant (shape ()), or None; of two the later installed."""
        return _at(self.receivers, epoch)

    def antenna_at(self, epoch: Epochs) -> SiteAntenna | None:
        """The antenna installed at an instant (shape ()), or None; of two the later installed."""
        return _at(self.antennas, epoch)

    def setup_at(self, epoch: Epochs) -> StationSetup:
        """The equipment at an instant; InputError where the log has no receiver or no whole antenna then."""
        receiver, antenna = self.receiver_at(epoch), self.antenna_at(epoch)
        if receiver is None or antenna is None or antenna.eccentricity_enu_m is None:
            lacking = "receiver" if receiver is None else "antenna with eccentricities"
            raise InputError(f"the site log of {self.name} has no {lacking} at {epoch.iso()}")
        return StationSetup(
            receiver.kind, receiver.serial, receiver.firmware, antenna.antenna, antenna.eccentricity_enu_m
        )


_Item = TypeVar("_Item", SiteReceiver, SiteAntenna)


def _at(items: tuple[_Item, ...], epoch: Epochs) -> _Item | None:
    moment = int(epoch.tai_ns)
    serving = [
        item
        for item in items
        if item.installed is not None
        and int(item.installed.tai_ns) <= moment
        and (item.removed is None or moment < int(item.removed.tai_ns))
    ]
    return serving[-1] if serving else None
