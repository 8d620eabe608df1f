"""Write observations as RINEX 3.05, plain, gzipped or as Compact RINEX: one record, one sequence of bytes."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.formats.atomic_write import write_atomically
from stations.formats.compression import compress_for
from stations.records import ObservationEvent, Observations, PathLike
from transforms.errors import InputError
from transforms.time_scales import Epochs, TimeScale

_LETTERS: Final = {"C": "pseudorange_m", "L": "carrier_phase_cycles", "D": "doppler_hz", "S": "cn0_dbhz"}
_TYPES_IN_LINE: Final = 13
_SLOTS_IN_LINE: Final = 8
_LARGEST_VALUE: Final = 9_999_999_999.999  # F14.3


def write_observations(observations: Observations, path: PathLike) -> None:
    """Write RINEX 3.05 in GPS time; the ending says how: ".rnx", ".rnx.gz", ".crx.gz".

    Epochs are written to 100 ns, values to three decimals (phase in cycles). Events with a time and flags
    1 to 5 are written at their place, apart from changes of observation types, which the file does not need.

    Raises InputError where a value does not fit its columns or an epoch its decimals.
    """
    text = "".join(f"{line}\n" for line in _lines(observations))
    write_atomically(path, compress_for(path, text.encode("ascii", errors="replace")))


def _lines(observations: Observations) -> Iterator[str]:
    data = observations.data
    satellites = observations.satellites
    signals = [str(s) for s in data["signal"].values]
    tables = {letter: data[name].values for letter, name in _LETTERS.items() if name in data}
    for letter, table in tables.items():
        if np.nanmax(np.abs(table), initial=0.0) > _LARGEST_VALUE:
            raise InputError(f"{_LETTERS[letter]} holds a value beyond {_LARGEST_VALUE}, which RINEX cannot")
    codes = _codes_of_systems(tables, satellites, signals)
    yield from _header(observations, codes)
    events = sorted(
        (e for e in observations.events if e.epoch is not None and e.flag in (1, 2, 3, 4, 5)),
        key=lambda e: int(e.epoch.tai_ns) if e.epoch is not None else 0,
    )
    waiting = list(reversed(events))
    readings = observations.epochs.datetime64()
    tai_ns = observations.epochs.tai_ns
    lock = data["loss_of_lock"].values
    for i, reading in enumerate(readings):
        flag = 0
        while waiting and _tai_ns(waiting[-1]) <= tai_ns[i]:
            event = waiting.pop()
            if event.flag == 1 and _tai_ns(event) == tai_ns[i]:
                flag = 1
            elif event.flag != 1:
                yield from _event(event)
        rows: list[str] = []
        for j, satellite in enumerate(satellites):
            fields = [
                _field(tables[code[0]][i, j, k], int(lock[i, j, k]) if code[0] == "L" else 0)
                for code, k in codes.get(satellite[0], ())
            ]
            row = (satellite + "".join(fields)).rstrip()
            if len(row) > 3:
                rows.append(row)
        yield f"> {_calendar(str(reading))}  {flag}{len(rows):3d}"
        yield from rows
    while waiting:
        event = waiting.pop()
        if event.flag != 1:
            yield from _event(event)


def _tai_ns(event: ObservationEvent) -> int:
    return 0 if event.epoch is None else int(event.epoch.tai_ns)


def _event(event: ObservationEvent) -> Iterator[str]:
    kept = [
        line for line in event.header_lines if "OBS TYPES" not in line[60:] and "TYPES OF" not in line[60:]
    ]
    if event.flag == 4 and not kept:
        return
    when = "" if event.epoch is None else _calendar(str(event.epoch.to(TimeScale.GPST).datetime64()))
    yield f"> {when:<27s}  {event.flag}{len(kept):3d}"
    yield from kept


def _field(value: float, loss_of_lock: int) -> str:
    if np.isnan(value):
        return " " * 16
    return f"{value:14.3f}{loss_of_lock or ' '} "


def _codes_of_systems(
    tables: Mapping[str, NDArray[np.floating]], satellites: tuple[str, ...], signals: list[str]
) -> dict[str, list[tuple[str, int]]]:
    """For each system the codes that it observed, each with the place of its signal."""
    codes: dict[str, list[tuple[str, int]]] = {}
    for system in sorted({s[0] for s in satellites}):
        rows = [j for j, s in enumerate(satellites) if s[0] == system]
        codes[system] = [
            (letter + signal, k)
            for k, signal in enumerate(signals)
            for letter, table in tables.items()
            if np.isfinite(table[:, rows, k]).any()
        ]
    return codes


def _header(observations: Observations, codes: Mapping[str, list[tuple[str, int]]]) -> Iterator[str]:
    header = observations.header
    setup = header.setup
    antenna = setup.antenna
    east, north, up = setup.eccentricity_enu_m
    position = header.approximate_position_ecef_m
    x, y, z = (0.0, 0.0, 0.0) if position is None else position
    system = next(iter(codes)) if len(codes) == 1 else "M"
    yield f"{3.05:9.2f}{'':11s}{'OBSERVATION DATA':<20s}{system:<20s}RINEX VERSION / TYPE"
    yield f"{'Jizhun':<60s}PGM / RUN BY / DATE"
    yield f"{header.marker_name:<60.60s}MARKER NAME"
    if header.marker_number:
        yield f"{header.marker_number:<60.60s}MARKER NUMBER"
    yield f"{'GEODETIC':<60s}MARKER TYPE"
    yield f"{'':<60s}OBSERVER / AGENCY"
    receiver = f"{setup.receiver_serial:<20.20s}{setup.receiver:<20.20s}{setup.receiver_firmware:<20.20s}"
    yield f"{receiver}REC # / TYPE / VERS"
    yield f"{antenna.serial:<20.20s}{antenna.igs_code:<40s}ANT # / TYPE"
    yield f"{x:14.4f}{y:14.4f}{z:14.4f}{'':18s}APPROX POSITION XYZ"
    yield f"{up:14.4f}{east:14.4f}{north:14.4f}{'':18s}ANTENNA: DELTA H/E/N"
    for letter, listed in codes.items():
        for begin in range(0, len(listed), _TYPES_IN_LINE):
            head = f"{letter}  {len(listed):3d}" if begin == 0 else " " * 6
            names = "".join(f" {code}" for code, _ in listed[begin : begin + _TYPES_IN_LINE])
            yield f"{head + names:<60s}SYS / # / OBS TYPES"
    yield f"{'DBHZ':<60s}SIGNAL STRENGTH UNIT"
    if observations.interval_s > 0.0:
        yield f"{observations.interval_s:10.3f}{'':50s}INTERVAL"
    for label, index in (("TIME OF FIRST OBS", 0), ("TIME OF LAST OBS", -1)):
        yield f"{_time_of_observation(observations.epochs[index]):<60s}{label}"
    for letter in codes:
        yield f"{letter:<60s}SYS / PHASE SHIFT"
    yield from _glonass(header.glonass_channels, "R" in codes)
    yield f"{'':<60s}END OF HEADER"


def _glonass(channels: Mapping[str, int], observed: bool) -> Iterator[str]:
    if channels or observed:
        slots = [f"{satellite} {channel:2d}" for satellite, channel in sorted(channels.items())]
        for begin in range(0, max(len(slots), 1), _SLOTS_IN_LINE):
            head = f"{len(slots):3d} " if begin == 0 else "    "
            yield f"{head + ' '.join(slots[begin : begin + _SLOTS_IN_LINE]):<60s}GLONASS SLOT / FRQ #"
    if observed:
        yield f"{'':<60s}GLONASS COD/PHS/BIS"


def _time_of_observation(epoch: Epochs) -> str:
    day, time = str(epoch.to(TimeScale.GPST).datetime64()).split("T")
    year, month, date = (int(part) for part in day.split("-"))
    hour, minute, second = time.split(":")
    return f"{year:6d}{month:6d}{date:6d}{int(hour):6d}{int(minute):6d}{float(second):13.7f}     GPS"


def _calendar(reading: str) -> str:
    """ "2023 01 01 00 00 30.0000000" of an ISO reading with nanoseconds."""
    day, time = reading.split("T")
    hour, minute, second = time.split(":")
    if not second.endswith("00"):
        raise InputError(f"the epoch {reading} is no multiple of 100 ns, which RINEX cannot write")
    return f"{day.replace('-', ' ')} {hour} {minute}{float(second):11.7f}"
