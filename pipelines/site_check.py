"""A station's site log against the headers of its observation files: equipment, place, names, dates."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from stations.formats.registry import recognise
from stations.formats.rinex_observation import read_observations
from stations.formats.site_log_records import SiteAntenna, SiteLog, SiteReceiver
from stations.records import Observations, StationSetup
from stations.station_code import station_code
from transforms.errors import InputError
from transforms.time_scales import Epochs, TimeScale

LOG_FORMATS: Final = ("site-log", "geodesyml")
# Headers and logs print eccentricities to 0.1 mm; half of the last digit and its rounding.
_ECCENTRICITY_TOLERANCE_M: Final = 1.01e-4
# Approximate positions are of the metre at best; a kilometre is another station or a swapped sign.
_POSITION_TOLERANCE_M: Final = 100.0
_NO_RADOME: Final = ("", "NONE")


@dataclass(frozen=True)
class Difference:
    """One thing that log and header say differently.

    section : of the log ("3.2"), or "" where the log has none for the time
    """

    file: str
    section: str
    what: str
    log_says: str
    header_says: str

    def words(self) -> str:
        """One line for a terminal."""
        where = f"section {self.section}" if self.section else "no section"
        return f"{self.file}: {self.what}: log ({where}) {self.log_says!r}, header {self.header_says!r}"


@dataclass(frozen=True)
class SiteCheck:
    """The comparison of one log with one or more files."""

    station: str
    log: str
    files: tuple[str, ...]
    differences: tuple[Difference, ...]
    remarks: tuple[str, ...]


def read_log(path: Path) -> SiteLog:
    """A site log of either kind. Raises FormatError; InputError where the file is no site log."""
    known = recognise(path)
    if known.name not in LOG_FORMATS:
        raise InputError(f"{path}: {known.title}, expected an IGS site log or GeodesyML")
    log: SiteLog = known.read(path)
    return log


def check_site(log_path: Path, files: Sequence[Path]) -> SiteCheck:
    """Compare a log with the headers of observation files, each at its first and last epoch and each event.

    Raises FormatError for a file that cannot be read; differences are results, not errors.
    """
    log = read_log(log_path)
    differences: list[Difference] = []
    for file in files:
        observations = read_observations(file)
        differences += compare(log, observations, str(file))
    return SiteCheck(
        log.name, str(log_path), tuple(map(str, files)), tuple(dict.fromkeys(differences)), log.remarks
    )


def compare(log: SiteLog, observations: Observations, file: str) -> list[Difference]:
    """What one file's header, and the changes of equipment inside it, say otherwise than the log."""
    header = observations.header
    found: list[Difference] = []
    code = station_code(observations)
    shared = min(len(code), len(log.name), 9)
    if code and (shared < 4 or code[:shared].upper() != log.name[:shared].upper()):
        found.append(Difference(file, "1", "name of the station", log.name, code))
    if header.marker_number and log.domes and header.marker_number.upper() != log.domes.upper():
        found.append(Difference(file, "1", "DOMES number", log.domes, header.marker_number))
    position = header.approximate_position_ecef_m
    if position is not None and log.position_ecef_m is not None:
        distance_m = float(np.linalg.norm(position - np.array(log.position_ecef_m)))
        if distance_m > _POSITION_TOLERANCE_M:
            found.append(
                Difference(
                    file, "2", "approximate position", _triple(log.position_ecef_m), _triple(tuple(position))
                )
            )
    epochs = observations.epochs
    setups: list[tuple[Epochs, StationSetup]] = [(epochs[0], header.setup)]
    setups += [(e.epoch, e.setup) for e in observations.events if e.epoch is not None and e.setup is not None]
    setups.append((epochs[-1], setups[-1][1]))
    for epoch, setup in setups:
        found += _compare_setup(log, setup, epoch, file)
    # The same thing at several epochs is told once, of the first.
    first = {(d.section, d.what, d.header_says): d for d in reversed(found)}
    return [d for d in found if first[d.section, d.what, d.header_says] is d]


def _compare_setup(log: SiteLog, setup: StationSetup, epoch: Epochs, file: str) -> list[Difference]:
    found: list[Difference] = []
    day = epoch.to(TimeScale.UTC).iso()[:10]
    receiver, antenna = log.receiver_at(epoch), log.antenna_at(epoch)
    if receiver is None:
        found.append(Difference(file, "", "receiver", f"none installed on {day}", setup.receiver))
    else:
        found += _compare_receiver(receiver, setup, file)
    if antenna is None:
        found.append(Difference(file, "", "antenna", f"none installed on {day}", setup.antenna.name))
    else:
        found += _compare_antenna(antenna, setup, file)
    return found


def _compare_receiver(receiver: SiteReceiver, setup: StationSetup, file: str) -> list[Difference]:
    pairs = (
        ("receiver", receiver.kind, setup.receiver),
        ("serial number of the receiver", receiver.serial, setup.receiver_serial),
        ("firmware of the receiver", receiver.firmware, setup.receiver_firmware),
    )
    # RINEX has 20 columns for each; a longer text of the log is cut there.
    return [
        Difference(file, receiver.section, what, ours, theirs)
        for what, ours, theirs in pairs
        if _differ(ours[:20], theirs[:20], may_be_missing=what != "receiver")
    ]


def _compare_antenna(antenna: SiteAntenna, setup: StationSetup, file: str) -> list[Difference]:
    ours, theirs = antenna.antenna, setup.antenna
    found: list[Difference] = []
    if _differ(ours.name, theirs.name):
        found.append(Difference(file, antenna.section, "antenna", ours.name, theirs.name))
    our_radome, their_radome = (
        r.upper() if r.upper() not in _NO_RADOME else "NONE" for r in (ours.radome, theirs.radome)
    )
    if our_radome != their_radome:
        found.append(Difference(file, antenna.section, "radome", our_radome, their_radome))
    if _differ(ours.serial[:20], theirs.serial[:20], may_be_missing=True):
        found.append(
            Difference(file, antenna.section, "serial number of the antenna", ours.serial, theirs.serial)
        )
    if antenna.eccentricity_enu_m is not None and not all(
        math.isclose(a, b, rel_tol=0.0, abs_tol=_ECCENTRICITY_TOLERANCE_M)
        for a, b in zip(antenna.eccentricity_enu_m, setup.eccentricity_enu_m, strict=True)
    ):
        found.append(
            Difference(
                file,
                antenna.section,
                "eccentricity east north up, m",
                _triple(antenna.eccentricity_enu_m),
                _triple(setup.eccentricity_enu_m),
            )
        )
    return found


def _differ(ours: str, theirs: str, *, may_be_missing: bool = False) -> bool:
    """Whether two texts differ but for case and blanks; a missing one counts only where it must be there."""
    a, b = " ".join(ours.upper().split()), " ".join(theirs.upper().split())
    return a != b and not (may_be_missing and (not a or not b))


def _triple(values: Sequence[float]) -> str:
    return " ".join(f"{float(v):.4f}" for v in values)


def site_json(log: SiteLog) -> dict[str, Any]:
    """The object of `jizhun site show --json`."""
    return {
        "station": log.name,
        "site_name": log.site_name,
        "domes": log.domes,
        "version": log.version,
        "date_prepared": log.date_prepared,
        "installed": _moment(log.installed),
        "city": log.city,
        "country": log.country,
        "position_ecef_m": None if log.position_ecef_m is None else list(log.position_ecef_m),
        "receivers": [
            {
                "section": r.section,
                "type": r.kind,
                "serial": r.serial,
                "firmware": r.firmware,
                "satellite_systems": list(r.satellite_systems),
                "installed": _moment(r.installed),
                "removed": _moment(r.removed),
            }
            for r in log.receivers
        ],
        "antennas": [
            {
                "section": a.section,
                "type": a.antenna.name,
                "radome": a.antenna.radome,
                "serial": a.antenna.serial,
                "eccentricity_enu_m": None if a.eccentricity_enu_m is None else list(a.eccentricity_enu_m),
                "installed": _moment(a.installed),
                "removed": _moment(a.removed),
            }
            for a in log.antennas
        ],
        "local_ties": [
            {"section": t.section, "marker": t.marker, "domes": t.domes, "usage": t.usage}
            for t in log.local_ties
        ],
        "remarks": list(log.remarks),
    }


def _moment(epoch: Epochs | None) -> str | None:
    return None if epoch is None else epoch.to(TimeScale.UTC).iso()


def site_check_json(check: SiteCheck) -> dict[str, Any]:
    """The object of `jizhun site check --json`."""
    return {
        "station": check.station,
        "log": check.log,
        "files": list(check.files),
        "agrees": not check.differences,
        "differences": [
            {
                "file": d.file,
                "section": d.section or None,
                "what": d.what,
                "log": d.log_says,
                "header": d.header_says,
            }
            for d in check.differences
        ],
        "remarks": list(check.remarks),
    }
