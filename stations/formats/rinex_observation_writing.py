"""Write observations as RINEX 3.05 or 4.02, plain, gzipped or compact: one record, one sequence of bytes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from stations.formats.atomic_write import write_atomically
from stations.formats.compression import compress_for
from stations.formats.fixed_width import ByteArray, IntArray, format_reals
from stations.formats.rinex_observation_header_writing import header_lines
from stations.records import ObservationEvent, Observations, PathLike
from transforms.errors import InputError
from transforms.time_scales import TimeScale

_LETTERS: Final = {"C": "pseudorange_m", "L": "carrier_phase_cycles", "D": "doppler_hz", "S": "cn0_dbhz"}
_VALUE_WIDTH: Final = 14  # F14.3, then loss of lock and signal strength
_FIELD_WIDTH: Final = 16
_DECIMALS: Final = 3
_NAME_WIDTH: Final = 3
_SPACE: Final = 32
_ZERO: Final = 48
_MOST_HEADER_LINES: Final = 999  # I3


def write_observations(
    observations: Observations, path: PathLike, *, version: Literal["3.05", "4.02"] = "3.05"
) -> None:
    """Write RINEX in GPS time; the ending says how: ".rnx", ".rnx.gz", ".crx.gz".

    Epochs are written to 100 ns, values to three decimals (phase in cycles). Events with flags 1 to 5 are
    written at their place, apart from changes of observation types, which the file does not need; cycle slip
    records (flag 6), whose columns are those of the file they came from, are not.

    Raises InputError where a value does not fit its columns or an epoch its decimals.
    """
    text = b"".join(_chunks(observations, version))
    write_atomically(path, compress_for(path, text))


def _chunks(observations: Observations, version: str) -> Iterator[bytes]:
    codes = _codes_of_systems(observations)
    yield _encode(header_lines(observations, codes, version))
    rows = _rows(observations, codes)
    waiting = sorted(
        (e for e in observations.events if e.flag in (1, 2, 3, 4, 5)), key=_place_ns, reverse=True
    )
    tai_ns = observations.epochs.tai_ns.tolist()
    for i, reading in enumerate(observations.epochs.datetime64()):
        flag = 0
        while waiting and _place_ns(waiting[-1]) <= tai_ns[i]:
            event = waiting.pop()
            if event.flag == 1 and _place_ns(event) == tai_ns[i]:
                flag = 1
            elif event.flag != 1:
                yield _encode(_event(event))
        yield _encode([f"> {_calendar(str(reading))}  {flag}{len(rows[i]):3d}"])
        yield from rows[i]
    while waiting:
        event = waiting.pop()
        if event.flag != 1:
            yield _encode(_event(event))


def _encode(lines: "Iterator[str] | list[str]") -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("ascii", errors="replace")


def _place_ns(event: ObservationEvent) -> int:
    """The event stands before the first epoch that is not earlier than this."""
    if event.epoch is not None:
        return int(event.epoch.tai_ns)
    return 0 if event.after_epoch is None else int(event.after_epoch.tai_ns) + 1


def _event(event: ObservationEvent) -> Iterator[str]:
    kept = [
        line for line in event.header_lines if "OBS TYPES" not in line[60:] and "TYPES OF" not in line[60:]
    ][:_MOST_HEADER_LINES]
    if event.flag == 4 and not kept:
        return
    when = "" if event.epoch is None else _calendar(str(event.epoch.to(TimeScale.GPST).datetime64()))
    yield f"> {when:<27s}  {event.flag}{len(kept):3d}"
    yield from kept


@dataclass(frozen=True, eq=False)
class _Fields:
    """What is written of one system: satellites (n_satellite,), for each code (n_epoch, n_satellite)."""

    satellites: IntArray
    values: list[NDArray[np.floating]]
    indicators: list[NDArray[np.uint8]]  # loss of lock and signal strength, last axis 2


def _rows(observations: Observations, codes: Mapping[str, list[tuple[str, int]]]) -> list[list[bytes]]:
    """For each epoch the lines of its satellites, those that tell anything, in the order of their names."""
    rows: list[list[bytes]] = [[] for _ in range(observations.data.sizes["epoch"])]
    for system, listed in codes.items():
        index = np.array([j for j, s in enumerate(observations.satellites) if s[0] == system])
        names = np.array([list(observations.satellites[j].encode()) for j in index], dtype=np.uint8)
        fields = _fields(observations, index, listed)
        told = np.zeros((len(rows), index.size), dtype=np.bool_)
        for values, indicators in zip(fields.values, fields.indicators, strict=True):
            told |= np.isfinite(values) | indicators.any(axis=2)
        epoch, satellite = np.nonzero(told)
        block = np.full((epoch.size, _NAME_WIDTH + _FIELD_WIDTH * len(listed)), _SPACE, dtype=np.uint8)
        block[:, :_NAME_WIDTH] = names[satellite]
        for place, (code, _) in enumerate(listed):
            begin = _NAME_WIDTH + place * _FIELD_WIDTH
            number = np.asarray(fields.values[place][epoch, satellite], dtype=np.float64)
            block[:, begin : begin + _VALUE_WIDTH] = _number_columns(number, code)
            digits = fields.indicators[place][epoch, satellite]
            block[:, begin + _VALUE_WIDTH : begin + _FIELD_WIDTH] = np.where(
                digits > 0, digits + _ZERO, _SPACE
            )
        text, width = block.tobytes(), block.shape[1]
        for k, i in enumerate(epoch.tolist()):
            rows[i].append(text[k * width : (k + 1) * width].rstrip() + b"\n")
    return rows


def _number_columns(number: NDArray[np.float64], code: str) -> ByteArray:
    try:
        return format_reals(number, _VALUE_WIDTH, _DECIMALS)
    except ValueError as error:
        raise InputError(
            f"{_LETTERS[code[0]]} of {code[1:]} holds a value that RINEX cannot: {error}"
        ) from error


def _fields(observations: Observations, index: IntArray, listed: list[tuple[str, int]]) -> _Fields:
    """Loss of lock goes with the phase; signal strength with the phase, where there is one, else the code."""
    data = observations.data
    lock = data["loss_of_lock"].values
    strength = data["signal_strength"].values if "signal_strength" in data else None
    phases = {signal for code, signal in listed if code[0] == "L"}
    values, indicators = [], []
    for code, k in listed:
        values.append(data[_LETTERS[code[0]]].values[:, index, k])
        pair = np.zeros((*values[-1].shape, 2), dtype=np.uint8)
        if code[0] == "L":
            pair[:, :, 0] = lock[:, index, k]
        if strength is not None and (code[0] == "L" or (code[0] == "C" and k not in phases)):
            pair[:, :, 1] = strength[:, index, k]
        indicators.append(pair)
    return _Fields(index, values, indicators)


def _codes_of_systems(observations: Observations) -> dict[str, list[tuple[str, int]]]:
    """For each system the codes that it observed, each with the place of its signal."""
    data = observations.data
    signals = [str(s) for s in data["signal"].values]
    codes: dict[str, list[tuple[str, int]]] = {}
    for system in sorted({s[0] for s in observations.satellites}):
        rows = [j for j, s in enumerate(observations.satellites) if s[0] == system]
        codes[system] = [
            (letter + signal, k)
            for k, signal in enumerate(signals)
            for letter, name in _LETTERS.items()
            if name in data
            and (
                np.isfinite(data[name].values[:, rows, k]).any()
                or (letter == "L" and data["loss_of_lock"].values[:, rows, k].any())
            )
        ]
    return codes


def _calendar(reading: str) -> str:
    """ "2023 01 01 00 00 30.0000000" of an ISO reading with nanoseconds."""
    day, time = reading.split("T")
    hour, minute, second = time.split(":")
    if not second.endswith("00"):
        raise InputError(f"the epoch {reading} is no multiple of 100 ns, which RINEX cannot write")
    return f"{day.replace('-', ' ')} {hour} {minute}{float(second):11.7f}"
