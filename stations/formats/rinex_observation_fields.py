"""Values of observations as RINEX fields: F14.3, loss of lock, signal strength.

RINEX 2 and 3 share the field; they differ in how fields make lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from stations.formats.fixed_width import BoolArray, ByteArray, FloatArray, IntArray, format_reals
from stations.records import CycleSlip, LossOfLock, Observations
from transforms.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

LETTERS: Final = {"C": "pseudorange_m", "L": "carrier_phase_cycles", "D": "doppler_hz", "S": "cn0_dbhz"}
FIELD_WIDTH: Final = 16
_VALUE_WIDTH: Final = 14
_DECIMALS: Final = 3
_SPACE: Final = 32
_ZERO: Final = 48


@dataclass(frozen=True)
class Column:
    """A column of a file: the RINEX 3 code of its values and their signal's place in the table.

    code is "" where the system has nothing to tell in this column (RINEX 2); signal is None where there are
    cycle slip records of it alone.
    """

    code: str
    signal: int | None


EMPTY_COLUMN: Final = Column("", None)


@dataclass(frozen=True, eq=False)
class RecordFields:
    """Records of one system that tell anything, by epoch and then by satellite.

    epoch, satellite : (n,) places in the table; text : (n, n_column * FIELD_WIDTH)
    """

    epoch: IntArray
    satellite: IntArray
    text: ByteArray


def columns_of_systems(observations: Observations) -> dict[str, list[Column]]:
    """For each system the columns of all that was observed of it, or is told of its cycle slips."""
    data = observations.data
    signals = [str(s) for s in data["signal"].values]
    slips = [slip for event in observations.events for slip in event.slips]
    columns: dict[str, list[Column]] = {}
    for system in sorted({s[0] for s in observations.satellites} | {s.satellite[0] for s in slips}):
        rows = [j for j, s in enumerate(observations.satellites) if s[0] == system]
        slipped = {slip.code for slip in slips if slip.satellite[0] == system}
        columns[system] = [
            Column(letter + signal, k)
            for k, signal in enumerate(signals)
            for letter, name in LETTERS.items()
            if letter + signal in slipped or _is_told(data, letter, name, rows, k)
        ]
        columns[system] += [Column(code, None) for code in slipped if code[1:] not in signals]
        columns[system].sort(key=lambda column: (column.code[1:], list(LETTERS).index(column.code[0])))
    return columns


def _is_told(data: "xr.Dataset", letter: str, name: str, rows: list[int], k: int) -> bool:
    if name not in data:
        return False
    if letter == "C" and "signal_strength" in data and data["signal_strength"].values[:, rows, k].any():
        # A strength may stand beside values that are all missing, and then has no other place.
        phases = data["carrier_phase_cycles"].values[:, rows, k]
        return bool(np.isfinite(data[name].values[:, rows, k]).any() or not np.isfinite(phases).any())
    lost_lock = letter == "L" and data["loss_of_lock"].values[:, rows, k].any()
    return bool(lost_lock or np.isfinite(data[name].values[:, rows, k]).any())


def record_fields(
    observations: Observations,
    system: str,
    columns: Sequence[Column],
    *,
    clear_lock_bits: int = 0,
    toggled_half_cycles: ByteArray | None = None,
) -> RecordFields:
    """The records of one system as text. Loss of lock goes with the phase; signal strength with the phase,
    where it has a value or where there is no code, else with the code.

    Parameters
    ----------
    clear_lock_bits : bits of `LossOfLock` that mean something else in the version written
    toggled_half_cycles : (n_satellite, n_signal) of the whole table, 1 where the half-cycle bit of a phase is
        to be turned (RINEX 2, wavelength factor 2)

    Raises InputError where a value does not fit its columns.
    """
    data = observations.data
    index = np.array([j for j, s in enumerate(observations.satellites) if s[0] == system], dtype=np.int64)
    shape = (data.sizes["epoch"], index.size)
    lock = data["loss_of_lock"].values
    strength = data["signal_strength"].values if "signal_strength" in data else None
    listed = {column.code for column in columns}
    told = np.zeros(shape, dtype=np.bool_)
    values: list[FloatArray | None] = []
    indicators: list[ByteArray] = []
    for column in columns:
        letter, k = column.code[:1], column.signal
        pair = np.zeros((*shape, 2), dtype=np.uint8)
        indicators.append(pair)
        if k is None or LETTERS[letter] not in data:
            values.append(None)
            continue
        value = data[LETTERS[letter]].values[:, index, k]
        values.append(value)
        if letter == "L":
            pair[:, :, 0] = lock[:, index, k] & np.uint8(~clear_lock_bits & 0xFF)
            if toggled_half_cycles is not None:
                turned = toggled_half_cycles[index, k].astype(np.bool_) & np.isfinite(value)
                pair[:, :, 0] ^= np.where(turned, LossOfLock.HALF_CYCLE, 0).astype(np.uint8)
        if strength is not None and letter in "CL":
            pair[:, :, 1] = np.where(_bears_strength(data, index, column, listed), strength[:, index, k], 0)
        told |= np.isfinite(value) | pair.any(axis=2)
    epoch, satellite = np.nonzero(told)
    text = np.full((epoch.size, FIELD_WIDTH * len(columns)), _SPACE, dtype=np.uint8)
    for place, (column, value_table, pair) in enumerate(zip(columns, values, indicators, strict=True)):
        if value_table is None:
            continue
        begin = place * FIELD_WIDTH
        number = np.asarray(value_table[epoch, satellite], dtype=np.float64)
        text[:, begin : begin + _VALUE_WIDTH] = _number_columns(number, column.code)
        digits = pair[epoch, satellite]
        text[:, begin + _VALUE_WIDTH : begin + FIELD_WIDTH] = np.where(digits > 0, digits + _ZERO, _SPACE)
    return RecordFields(epoch.astype(np.int64), index[satellite], text)


def _bears_strength(data: "xr.Dataset", index: IntArray, column: Column, listed: set[str]) -> BoolArray:
    """Whether the signal's strength stands in this column, shape (n_epoch, n_satellite)."""
    phase = np.isfinite(data[LETTERS["L"]].values[:, index, column.signal])
    code = np.isfinite(data[LETTERS["C"]].values[:, index, column.signal])
    signal = column.code[1:]
    if column.code[0] == "L":
        return np.asarray(phase | ~code if "C" + signal in listed else np.ones_like(phase))
    return np.asarray(~phase & code if "L" + signal in listed else np.ones_like(phase))


def slip_fields(slips_cycles: dict[str, float], columns: Sequence[Column]) -> str:
    """One satellite's cycle slips, code -> cycles, in the columns of the observations."""
    numbers = np.array([slips_cycles.get(column.code, np.nan) for column in columns])
    block = np.full((len(columns), FIELD_WIDTH), _SPACE, dtype=np.uint8)
    block[:, :_VALUE_WIDTH] = _number_columns(numbers, "slips")
    return block.tobytes().decode("ascii")


def by_satellite(slips: Sequence[CycleSlip]) -> dict[str, dict[str, float]]:
    """Satellite -> code -> cycles, satellites sorted."""
    found: dict[str, dict[str, float]] = {}
    for slip in sorted(slips, key=lambda s: s.satellite):
        found.setdefault(slip.satellite, {})[slip.code] = slip.slip_cycles
    return found


def calendar_words(reading: str) -> tuple[str, str, str, str, str, float]:
    """Year, month, day, hour, minute as they stand, and second, of an ISO reading with nanoseconds.

    Raises InputError where the reading has more decimals than RINEX (seven).
    """
    date, time = reading.split("T")
    year, month, day = date.split("-")
    hour, minute, second = time.split(":")
    if not second.endswith("00"):
        raise InputError(f"the epoch {reading} is no multiple of 100 ns, which RINEX cannot write")
    return year, month, day, hour, minute, float(second)


def _number_columns(number: FloatArray, code: str) -> ByteArray:
    try:
        return format_reals(number, _VALUE_WIDTH, _DECIMALS)
    except ValueError as error:
        raise InputError(
            f"{LETTERS.get(code[0], 'a cycle slip')} of {code[1:]} holds a value that RINEX cannot: {error}"
        ) from error
