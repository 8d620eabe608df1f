"""Write observations as RINEX 2.11, 2.12, 3.05 or 4.02: one record, one sequence of bytes."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, Protocol

from stations.formats.atomic_write import write_atomically
from stations.formats.compression import compress_for, is_compact
from stations.formats.rinex2_adaptation import carried_by_rinex2
from stations.formats.rinex2_observation_writing import Rinex2Lines
from stations.formats.rinex_observation_fields import (
    Column,
    by_satellite,
    calendar_words,
    columns_of_systems,
    record_fields,
    slip_fields,
)
from stations.formats.rinex_observation_header_writing import header_lines
from stations.records import CycleSlip, LossOfLock, ObservationEvent, Observations, PathLike
from transforms.time_scales import TimeScale

WrittenVersion = Literal["2.11", "2.12", "3.05", "4.02"]
_POWER_FAILURE: Final = 1
_HEADER_EVENT: Final = 4
_SLIP_EVENT: Final = 6
_MOST_HEADER_LINES: Final = 999  # I3
# What the file says once for all of it, and what has been applied to the values: no line for an event.
_LABELS_OF_THE_FILE: Final = (
    "RINEX VERSION / TYPE",
    "END OF HEADER",
    "SYS / # / OBS TYPES",
    "# / TYPES OF OBSERV",
    "SYS / SCALE FACTOR",
    "WAVELENGTH FACT L1/2",
    "TIME OF FIRST OBS",
    "TIME OF LAST OBS",
    "# OF SATELLITES",
    "PRN / # OF OBS",
)
_LABELS_BEYOND_RINEX_2: Final = ("SYS /", "GLONASS", "SIGNAL STRENGTH UNIT")


class _Lines(Protocol):
    """How a version lays out a file."""

    def header(self) -> Iterable[str]: ...

    def epoch(self, place: int, reading: str, flag: int) -> bytes: ...

    def event(self, reading: str, flag: int, lines: Sequence[str]) -> Iterable[str]: ...

    def slips(self, reading: str, slips: Sequence[CycleSlip]) -> Iterable[str]: ...


def write_observations(
    observations: Observations, path: PathLike, *, version: WrittenVersion = "3.05"
) -> None:
    """Write RINEX in GPS time; the ending says how it is packed (`compression.compress_for`).

    Epochs are written to 100 ns, values to three decimals (phase in cycles). Events are written at their
    place, apart from header lines of which the file has its own (types of observation, scale factors, first
    epoch); a power failure is a flag of the first epoch after it. Of RINEX 2 what it can carry is written:
    see `carried_by_rinex2`, which counts what it cannot.

    Raises InputError where a value does not fit its columns or an epoch its decimals.
    """
    if version.startswith("2"):
        observations = carried_by_rinex2(observations, version, compact=is_compact(path))
    text = b"".join(_chunks(observations, version))
    write_atomically(path, compress_for(path, text))


def _chunks(observations: Observations, version: str) -> Iterator[bytes]:
    lines: _Lines
    lines = (
        Rinex2Lines(observations, version) if version.startswith("2") else _Rinex3Lines(observations, version)
    )
    yield _encode(lines.header())
    # The next is the last; of those at one place the first to be written comes last.
    waiting = sorted(observations.events, key=_place_ns)[::-1]
    tai_ns = observations.epochs.tai_ns.tolist()
    for i, reading in enumerate(observations.epochs.datetime64()):
        flag = 0
        while waiting and _place_ns(waiting[-1]) <= tai_ns[i]:
            event = waiting.pop()
            if event.flag == _POWER_FAILURE:
                flag = _POWER_FAILURE
            else:
                yield _encode(_event(event, lines, version))
        yield lines.epoch(i, str(reading), flag)
    while waiting:
        yield _encode(_event(waiting.pop(), lines, version))


def _encode(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("latin-1", errors="replace")


def _place_ns(event: ObservationEvent) -> int:
    """The event stands before the first epoch that is not earlier than this."""
    if event.epoch is not None:
        return int(event.epoch.tai_ns)
    return 0 if event.after_epoch is None else int(event.after_epoch.tai_ns) + 1


def _event(event: ObservationEvent, lines: _Lines, version: str) -> Iterable[str]:
    reading = "" if event.epoch is None else str(event.epoch.to(TimeScale.GPST).datetime64())
    if event.flag == _POWER_FAILURE:  # after the last epoch: no epoch is there to bear the flag
        return ()
    if event.flag == _SLIP_EVENT:
        return lines.slips(reading, event.slips) if event.slips and reading else ()
    foreign: tuple[str, ...] = _LABELS_BEYOND_RINEX_2 if version.startswith("2") else ()
    kept = [
        line
        for line in event.header_lines
        if line[60:].strip() not in _LABELS_OF_THE_FILE and not line[60:].startswith(foreign)
    ][:_MOST_HEADER_LINES]
    if event.flag == _HEADER_EVENT and not kept:
        return ()
    return lines.event(reading, event.flag, kept)


class _Rinex3Lines:
    """RINEX 3 and 4: a marked epoch line, one line for each satellite."""

    def __init__(self, observations: Observations, version: str) -> None:
        self._observations, self._version = observations, version
        self._columns: dict[str, list[Column]] = columns_of_systems(observations)
        # In RINEX 2 the bit tells anti-spoofing, of which RINEX 3 says nothing.
        clear = LossOfLock.BOC_TRACKING if observations.header.rinex_version.startswith("2") else 0
        self._rows: list[list[bytes]] = [[] for _ in range(observations.data.sizes["epoch"])]
        names = [name.encode() for name in observations.satellites]
        for system, columns in self._columns.items():
            fields = record_fields(observations, system, columns, clear_lock_bits=clear)
            text, width = fields.text.tobytes(), fields.text.shape[1]
            for k, (i, j) in enumerate(zip(fields.epoch.tolist(), fields.satellite.tolist(), strict=True)):
                self._rows[i].append(names[j] + text[k * width : (k + 1) * width].rstrip() + b"\n")

    def header(self) -> Iterable[str]:
        codes = {system: [c.code for c in columns] for system, columns in self._columns.items()}
        return header_lines(self._observations, codes, self._version)

    def epoch(self, place: int, reading: str, flag: int) -> bytes:
        rows = self._rows[place]
        return f"> {_calendar(reading)}  {flag}{len(rows):3d}\n".encode() + b"".join(rows)

    def event(self, reading: str, flag: int, lines: Sequence[str]) -> Iterable[str]:
        when = _calendar(reading) if reading else ""
        return [f"> {when:<27s}  {flag}{len(lines):3d}", *lines]

    def slips(self, reading: str, slips: Sequence[CycleSlip]) -> Iterable[str]:
        found = by_satellite(slips)
        return [
            f"> {_calendar(reading)}  {_SLIP_EVENT}{len(found):3d}",
            *(
                (name + slip_fields(cycles, self._columns[name[0]])).rstrip()
                for name, cycles in found.items()
            ),
        ]


def _calendar(reading: str) -> str:
    """ "2023 01 01 00 00 30.0000000" of an ISO reading with nanoseconds."""
    year, month, day, hour, minute, second = calendar_words(reading)
    return f"{year} {month} {day} {hour} {minute}{second:11.7f}"
