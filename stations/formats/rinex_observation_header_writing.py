"""The header of an observation file to be written: RINEX 3.05 and 4.02, and what RINEX 2 shares with them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from stations.formats.rinex_header import SINCE_VERSION_OF_KEPT_LABEL
from stations.records import Observations, StationHeader, StationSetup
from transforms.time_scales import Epochs, TimeScale

_TYPES_IN_LINE: Final = 13
_SLOTS_IN_LINE: Final = 8
_BIASES_IN_LINE: Final = 4
_MARKER_TYPE: Final = "MARKER TYPE"
_OF_A_SYSTEM: Final = "SYS /"  # after the types of observation (RINEX 3.05, table A2)
_ORIGIN: Final = (0.0, 0.0, 0.0)  # stands for an unknown position


def header_lines(
    observations: Observations, codes: Mapping[str, Sequence[str]], version: str
) -> Iterator[str]:
    """The lines of the header, END OF HEADER included.

    codes : system -> its observation codes in the order of the columns
    version : "3.05" or "4.02"
    """
    header = observations.header
    system = next(iter(codes)) if len(codes) == 1 else "M"
    yield f"{version:>9s}{'':11s}{'OBSERVATION DATA':<20s}{system:<20s}RINEX VERSION / TYPE"
    yield from station_lines(header, version)
    for letter, listed in codes.items():
        for begin in range(0, len(listed), _TYPES_IN_LINE):
            head = f"{letter}  {len(listed):3d}" if begin == 0 else " " * 6
            names = "".join(f" {code}" for code in listed[begin : begin + _TYPES_IN_LINE])
            yield f"{head + names:<60s}SYS / # / OBS TYPES"
    carried, _ = kept_lines(header, version)
    yield from (line for line in carried if line[60:].startswith(_OF_A_SYSTEM) and line[0] in codes)
    yield f"{'DBHZ':<60s}SIGNAL STRENGTH UNIT"
    yield from time_lines(observations)
    yield from _phase_shifts(header.phase_shifts_cycles, codes, obligatory=version.startswith("3"))
    yield from _glonass(header.glonass_channels, "R" in codes)
    # RINEX 4.02 has no use for these two records any more, and allows them.
    if "R" in codes and (header.glonass_biases_m or version.startswith("3")):
        biases = [f" {code} {value:8.3f}" for code, value in header.glonass_biases_m.items()]
        for begin in range(0, max(len(biases), 1), _BIASES_IN_LINE):
            yield f"{''.join(biases[begin : begin + _BIASES_IN_LINE]):<60s}GLONASS COD/PHS/BIS"
    yield from leap_second_lines(header)
    yield f"{'':<60s}END OF HEADER"


def kept_lines(header: StationHeader, version: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of the lines that are kept as they stand, those that a version has, and those that it does not have."""
    carried: list[str] = []
    foreign: list[str] = []
    for line in header.kept_lines:
        has = SINCE_VERSION_OF_KEPT_LABEL[line[60:].strip()] <= int(version[0])
        (carried if has else foreign).append(line)
    return tuple(carried), tuple(foreign)


def station_lines(header: StationHeader, version: str) -> Iterator[str]:
    """Program, comments and what the file says of the station; a kind of marker in RINEX 3 and 4."""
    x, y, z = (
        header.approximate_position_ecef_m if header.approximate_position_ecef_m is not None else _ORIGIN
    )
    yield f"{'Jizhun':<60s}PGM / RUN BY / DATE"
    yield from (f"{comment:<60.60s}COMMENT" for comment in header.comments)
    yield f"{header.marker_name:<60.60s}MARKER NAME"
    if header.marker_number:
        yield f"{header.marker_number:<20.20s}{'':40s}MARKER NUMBER"
    carried, _ = kept_lines(header, version)
    if not version.startswith("2") and not any(line[60:].strip() == _MARKER_TYPE for line in carried):
        yield f"{'GEODETIC':<60s}{_MARKER_TYPE}"
    yield from (line for line in carried if not line[60:].startswith(_OF_A_SYSTEM))
    yield f"{header.observer:<20.20s}{header.agency:<40.40s}OBSERVER / AGENCY"
    receiver, antenna, eccentricity = setup_lines(header.setup)
    yield receiver
    yield antenna
    yield f"{x:14.4f}{y:14.4f}{z:14.4f}{'':18s}APPROX POSITION XYZ"
    yield eccentricity


def time_lines(observations: Observations) -> Iterator[str]:
    """Interval, first and last epoch."""
    if observations.interval_s > 0.0:
        yield f"{observations.interval_s:10.3f}{'':50s}INTERVAL"
    for label, index in (("TIME OF FIRST OBS", 0), ("TIME OF LAST OBS", -1)):
        yield f"{_time_of_observation(observations.epochs[index]):<60s}{label}"


def leap_second_lines(header: StationHeader) -> Iterator[str]:
    """Leap seconds, where they are known."""
    if header.leap_seconds is not None:
        yield f"{header.leap_seconds:6d}{'':54s}LEAP SECONDS"


def setup_lines(setup: StationSetup) -> tuple[str, str, str]:
    """The three header lines of receiver, antenna and eccentricity."""
    east, north, up = setup.eccentricity_enu_m
    receiver = f"{setup.receiver_serial:<20.20s}{setup.receiver:<20.20s}{setup.receiver_firmware:<20.20s}"
    return (
        f"{receiver}REC # / TYPE / VERS",
        f"{setup.antenna.serial:<20.20s}{setup.antenna.igs_code:<40s}ANT # / TYPE",
        f"{up:14.4f}{east:14.4f}{north:14.4f}{'':18s}ANTENNA: DELTA H/E/N",
    )


def _glonass(channels: Mapping[str, int], observed: bool) -> Iterator[str]:
    if channels or observed:
        slots = [f"{satellite} {channel:2d}" for satellite, channel in sorted(channels.items())]
        for begin in range(0, max(len(slots), 1), _SLOTS_IN_LINE):
            head = f"{len(slots):3d} " if begin == 0 else "    "
            yield f"{head + ' '.join(slots[begin : begin + _SLOTS_IN_LINE]):<60s}GLONASS SLOT / FRQ #"


def _phase_shifts(
    shifts_cycles: Mapping[str, float], codes: Mapping[str, Sequence[str]], *, obligatory: bool
) -> Iterator[str]:
    """The shifts that were applied; of a system without any known its letter alone (3.05 asks it)."""
    for letter, listed in codes.items():
        known = {key: v for key, v in shifts_cycles.items() if key[1:4] in listed}
        of_system = [(key, value) for key, value in known.items() if key[0] == letter]
        if not of_system and obligatory:
            yield f"{letter:<60s}SYS / PHASE SHIFT"
        for key, value in of_system:
            satellite = f"  01 {key[5:]}" if key[4:] else ""
            yield f"{f'{letter} {key[1:4]} {value:8.5f}{satellite}':<60s}SYS / PHASE SHIFT"


def _time_of_observation(epoch: Epochs) -> str:
    day, time = str(epoch.to(TimeScale.GPST).datetime64()).split("T")
    year, month, date = (int(part) for part in day.split("-"))
    hour, minute, second = time.split(":")
    return f"{year:6d}{month:6d}{date:6d}{int(hour):6d}{int(minute):6d}{float(second):13.7f}     GPS"
