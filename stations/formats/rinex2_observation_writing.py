"""The lines of a RINEX 2.11 or 2.12 observation file.

Reference: Gurtner and Estey (2007), RINEX 2.11, tables A1 and A2. One list of types serves all systems;
an epoch names its satellites, twelve in a line, and each satellite has its values, five in a line.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from stations.formats.fixed_width import ByteArray
from stations.formats.rinex2_codes import RINEX2_SIGNALS, rinex2_type
from stations.formats.rinex_observation_fields import (
    EMPTY_COLUMN,
    FIELD_WIDTH,
    LETTERS,
    Column,
    by_satellite,
    calendar_words,
    record_fields,
    slip_fields,
)
from stations.formats.rinex_observation_header_writing import leap_second_lines, station_lines, time_lines
from stations.records import CycleSlip, LossOfLock, Observations

_FIELDS_IN_LINE: Final = 5
_SATELLITES_IN_LINE: Final = 12
_TYPES_IN_LINE: Final = 9
_WAVELENGTHS_IN_LINE: Final = 7
_EPOCH_WIDTH: Final = 32
_SLIP_EVENT: Final = 6
_FULL, _HALF = 1, 2  # wavelength factors: full and half cycle ambiguities


class Rinex2Lines:
    """The parts of a file of observations that RINEX 2 can carry (`carried_by_rinex2`)."""

    def __init__(self, observations: Observations, version: str) -> None:
        self._observations, self._version = observations, version
        self._systems = sorted({s[0] for s in observations.satellites})
        self._types, self._columns = _columns(observations, version)
        half = _half_cycle_satellites(observations)
        self._factors = {
            name: tuple(_HALF if name in half[band] else _FULL for band in "12")
            for name in sorted(half["1"] | half["2"])
        }
        self._names: list[list[str]] = [[] for _ in range(observations.data.sizes["epoch"])]
        self._rows: list[list[bytes]] = [[] for _ in self._names]
        toggled = _toggled(observations, half)
        for system in self._systems:
            columns = self._columns[system]
            fields = record_fields(observations, system, columns, toggled_half_cycles=toggled)
            text, width = fields.text.tobytes(), fields.text.shape[1]
            for k, (i, j) in enumerate(zip(fields.epoch.tolist(), fields.satellite.tolist(), strict=True)):
                self._names[i].append(observations.satellites[j])
                record = text[k * width : (k + 1) * width].decode("ascii")
                self._rows[i].append("".join(f"{line}\n" for line in _value_lines(record)).encode())

    def header(self) -> Iterator[str]:
        """All lines of the header."""
        observations = self._observations
        system = self._systems[0] if len(self._systems) == 1 else "M"
        yield f"{self._version:>9s}{'':11s}{'OBSERVATION DATA':<20s}{system:<20s}RINEX VERSION / TYPE"
        yield from station_lines(observations.header, self._version)
        yield f"{_FULL:6d}{_FULL:6d}{'':48s}WAVELENGTH FACT L1/2"
        for pair in sorted(set(self._factors.values())):
            of_pair = [name for name, factors in self._factors.items() if factors == pair]
            for part in _slices(of_pair, _WAVELENGTHS_IN_LINE):
                text = f"{pair[0]:6d}{pair[1]:6d}{len(part):6d}" + "".join(f"   {name}" for name in part)
                yield f"{text:<60s}WAVELENGTH FACT L1/2"
        for number, part in enumerate(_slices(self._types, _TYPES_IN_LINE)):
            head = f"{len(self._types):6d}" if number == 0 else " " * 6
            yield f"{head + ''.join(f'    {kind}' for kind in part):<60s}# / TYPES OF OBSERV"
        yield from time_lines(observations)
        yield from leap_second_lines(observations.header)
        yield f"{'':<60s}END OF HEADER"

    def epoch(self, place: int, reading: str, flag: int) -> bytes:
        """The lines of one epoch with observations."""
        head = self._epoch_lines(reading, flag, self._names[place])
        return "".join(f"{line}\n" for line in head).encode() + b"".join(self._rows[place])

    def event(self, reading: str, flag: int, lines: Sequence[str]) -> Iterable[str]:
        """An event and the header lines that follow it."""
        return [f"{_calendar(reading) if reading else '':<26s}  {flag}{len(lines):3d}", *lines]

    def slips(self, reading: str, slips: Sequence[CycleSlip]) -> Iterator[str]:
        """Cycle slip records, in the columns of the observations."""
        found = by_satellite(slips)
        yield from self._epoch_lines(reading, _SLIP_EVENT, list(found))
        for name, cycles in found.items():
            yield from _value_lines(slip_fields(cycles, self._columns[name[0]]))

    def _epoch_lines(self, reading: str, flag: int, names: Sequence[str]) -> Iterator[str]:
        head = f"{_calendar(reading)}  {flag}{len(names):3d}"
        for part in _slices(names, _SATELLITES_IN_LINE) or [[]]:
            yield f"{head:<{_EPOCH_WIDTH}s}{''.join(part)}"
            head = ""


def _slices(items: Sequence[str], size: int) -> list[Sequence[str]]:
    return [items[i : i + size] for i in range(0, len(items), size)]


def _value_lines(record: str) -> list[str]:
    width = FIELD_WIDTH * _FIELDS_IN_LINE
    return [record[i : i + width].rstrip() for i in range(0, len(record), width)]


def _columns(observations: Observations, version: str) -> tuple[list[str], dict[str, list[Column]]]:
    """The types of the file, and for each system the column of each."""
    data = observations.data
    signals = [str(s) for s in data["signal"].values]
    by_type: dict[str, dict[str, Column]] = {}
    for system in sorted({s[0] for s in observations.satellites}):
        rows = [j for j, s in enumerate(observations.satellites) if s[0] == system]
        for signal in RINEX2_SIGNALS[version][system]:
            if signal.name not in signals:
                continue
            k = signals.index(signal.name)
            for letter, name in LETTERS.items():
                if name in data and np.isfinite(data[name].values[:, rows, k]).any():
                    columns = by_type.setdefault(rinex2_type(signal, letter), {})
                    columns[system] = Column(letter + signal.name, k)
    types = sorted(by_type, key=_order_of_types)
    systems = sorted({s[0] for s in observations.satellites})
    return types, {s: [by_type[kind].get(s, EMPTY_COLUMN) for kind in types] for s in systems}


def _order_of_types(kind: str) -> tuple[str, int]:
    """By band, the letters of band 1 among them, and then by observable."""
    band = {"A": "1", "B": "1", "C": "2", "D": "2"}.get(kind[1], kind[1])
    return band, "LCPDS".index(kind[0]) + 10 * (kind[1] != band)


def _half_cycle_satellites(observations: Observations) -> dict[str, set[str]]:
    """Band -> GPS satellites all of whose phases there count half cycles: what wavelength factor 2 says."""
    phase = np.isfinite(observations.data["carrier_phase_cycles"].values)
    half = (observations.data["loss_of_lock"].values & LossOfLock.HALF_CYCLE) > 0
    found: dict[str, set[str]] = {}
    for band in "12":
        places = [k for k, s in enumerate(observations.data["signal"].values) if str(s)[0] == band]
        there, only_half = phase[:, :, places], half[:, :, places]
        squaring = there.any(axis=(0, 2)) & (only_half | ~there).all(axis=(0, 2))
        names = observations.satellites
        found[band] = {names[j] for j in np.flatnonzero(squaring) if names[j][0] == "G"}
    return found


def _toggled(observations: Observations, half: dict[str, set[str]]) -> ByteArray:
    """Where the sense of the half-cycle bit is turned, shape (n_satellite, n_signal)."""
    bands = [str(s)[0] for s in observations.data["signal"].values]
    table = [[name in half.get(band, ()) for band in bands] for name in observations.satellites]
    return np.array(table, dtype=np.uint8)


def _calendar(reading: str) -> str:
    """ " 23 01 01 00 00 30.0000000" of an ISO reading with nanoseconds."""
    year, month, day, hour, minute, second = calendar_words(reading)
    numbers = "".join(f" {int(number):2d}" for number in (month, day, hour, minute))
    return f" {year[2:]}{numbers}{second:11.7f}"
