"""Blocks of decoded navigation messages joined into the two tables of `stations.navigation_records`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.formats.fixed_width import FloatArray, IntArray
from stations.formats.rinex_navigation_fields import GROUP_DELAYS
from stations.formats.rinex_navigation_times import TIME_SCALE_OF_SYSTEM, reading_near
from stations.navigation_records import KeplerEphemerides, StateVectorEphemerides
from transforms.time_scales import Epochs

REPEATED: Final = "navigation message that was given already"
_METRES_IN_KILOMETRE: Final = 1000.0
# RINEX writes a time of transmission that is not known as 9999E9 (3.05, table A6).
_UNKNOWN_TRANSMISSION_S: Final = 1.0e7
_TIME_COLUMNS: Final = frozenset({"time_of_ephemeris_s_of_week", "root_semi_major_axis_root_m"})
_STATE_UNITS: Final = (("", "km"), ("v", "km_per_s"), ("a", "km_per_s2"))
_STATE_COLUMNS: Final = frozenset(f"{v}{axis}_{unit}" for v, unit in _STATE_UNITS for axis in "xyz")
_RATES_OF_CIVIL_MESSAGES: Final = ("semi_major_axis_rate_m_per_s", "mean_motion_difference_rate_rad_per_s2")


@dataclass(frozen=True, eq=False)
class MessageBlock:
    """Messages of one kind: "G LNAV"; number (n,) of the satellites, epochs as written, columns (n,)."""

    kind: str
    number: IntArray
    epoch_ns: IntArray
    columns: Mapping[str, FloatArray]

    @property
    def system(self) -> str:
        """Letter of the system."""
        return self.kind[0]


@dataclass(frozen=True, eq=False)
class _Joined:
    satellite: NDArray[np.str_]
    message: NDArray[np.str_]
    epoch_tai_ns: IntArray
    ephemeris_tai_ns: IntArray
    columns: dict[str, FloatArray]
    repeated: int


def kepler_table(blocks: Sequence[MessageBlock]) -> tuple[KeplerEphemerides, int]:
    """All messages with Kepler elements, and how many were left out because they came again."""
    joined = _join(blocks)
    column = _Columns(joined)
    for name in _RATES_OF_CIVIL_MESSAGES:
        joined.columns[name] = np.nan_to_num(column(name), nan=0.0)
    transmission = column("transmission_s_of_week")
    fields = {
        name: column(name)
        for name in KeplerEphemerides.__dataclass_fields__
        if name
        not in (
            "satellite",
            "message",
            "time_of_clock",
            "time_of_ephemeris",
            "semi_major_axis_m",
            "transmission_s_of_week",
            "group_delay_s",
            "further",
        )
    }
    rest = {n: c for n, c in joined.columns.items() if n not in fields and n not in _TIME_COLUMNS}
    rest.pop("transmission_s_of_week", None)
    return KeplerEphemerides(
        satellite=joined.satellite,
        message=joined.message,
        time_of_clock=Epochs(joined.epoch_tai_ns),
        time_of_ephemeris=Epochs(joined.ephemeris_tai_ns),
        semi_major_axis_m=column("root_semi_major_axis_root_m") ** 2,
        transmission_s_of_week=np.where(np.abs(transmission) < _UNKNOWN_TRANSMISSION_S, transmission, np.nan),
        group_delay_s={n: c for n, c in rest.items() if n in GROUP_DELAYS},
        further={n: c for n, c in rest.items() if n not in GROUP_DELAYS},
        **fields,
    ), joined.repeated


def state_vector_table(blocks: Sequence[MessageBlock]) -> tuple[StateVectorEphemerides, int]:
    """All messages with state vectors, and how many were left out because they came again."""
    joined = _join(blocks)
    column = _Columns(joined)

    def vector_m(prefix: str, unit: str) -> FloatArray:
        parts = [column(f"{prefix}{axis}_{unit}") for axis in "xyz"]
        return np.stack(parts, axis=-1) * _METRES_IN_KILOMETRE

    names = (
        "clock_bias_s",
        "clock_drift_s_per_s",
        "health",
        "frequency_channel",
        "accuracy_m",
        "issue_of_data",
    )
    return StateVectorEphemerides(
        satellite=joined.satellite,
        message=joined.message,
        epoch=Epochs(joined.epoch_tai_ns),
        position_ecef_m=vector_m("", "km"),
        velocity_ecef_m_per_s=vector_m("v", "km_per_s"),
        # A blank acceleration (geostationary SBAS) is none.
        acceleration_ecef_m_per_s2=np.nan_to_num(vector_m("a", "km_per_s2"), nan=0.0),
        further={n: c for n, c in joined.columns.items() if n not in (*names, *_STATE_COLUMNS)},
        **{name: column(name) for name in names},
    ), joined.repeated


class _Columns:
    """A column by name; NaN where no message has it."""

    def __init__(self, joined: _Joined) -> None:
        self._joined = joined

    def __call__(self, name: str) -> FloatArray:
        return self._joined.columns.get(name, np.full(self._joined.satellite.size, np.nan))


def _join(blocks: Sequence[MessageBlock]) -> _Joined:
    """One table, sorted by satellite, message, reference time and transmission, without repetitions."""
    total = sum(b.number.size for b in blocks)
    names = list(dict.fromkeys(name for b in blocks for name in b.columns))
    columns = {name: np.full(total, np.nan) for name in names}
    epoch = np.zeros(total, dtype=np.int64)
    ephemeris = np.zeros(total, dtype=np.int64)
    satellite = np.empty(total, dtype="<U3")
    message = np.empty(total, dtype="<U4")
    begin = 0
    for block in blocks:
        part = slice(begin, begin + block.number.size)
        begin = part.stop
        digits = np.char.zfill(block.number.astype("<U2"), 2)
        satellite[part] = np.char.add(block.system, digits)
        message[part] = block.kind[2:]
        for name, values in block.columns.items():
            columns[name][part] = values
        scale = TIME_SCALE_OF_SYSTEM[block.system]
        epoch[part] = Epochs.from_datetime64(block.epoch_ns.astype("datetime64[ns]"), scale).tai_ns
        seconds = block.columns.get("time_of_ephemeris_s_of_week")
        # CNAV and CNV2 of GPS and QZSS have one reference time for both (IS-GPS-200, section 30.3.3.1.1).
        reading = block.epoch_ns if seconds is None else reading_near(block.epoch_ns, seconds)
        ephemeris[part] = Epochs.from_datetime64(reading.astype("datetime64[ns]"), scale).tai_ns
    order, repeated = _sorted_once(satellite, message, epoch, ephemeris, columns)
    return _Joined(
        satellite=satellite[order],
        message=message[order],
        epoch_tai_ns=epoch[order],
        ephemeris_tai_ns=ephemeris[order],
        columns={name: values[order] for name, values in columns.items()},
        repeated=repeated,
    )


def table_order(
    satellite: NDArray[np.str_],
    message: NDArray[np.str_],
    epoch: IntArray,
    ephemeris: IntArray,
    sent: FloatArray,
) -> NDArray[np.intp]:
    """The order of a table: by satellite and message, reference time, time of clock and transmission."""
    kind = np.unique(np.char.add(satellite, message), return_inverse=True)[1]
    return np.lexsort((sent, epoch, ephemeris, kind))


def _sorted_once(
    satellite: NDArray[np.str_],
    message: NDArray[np.str_],
    epoch: IntArray,
    ephemeris: IntArray,
    columns: Mapping[str, FloatArray],
) -> tuple[NDArray[np.intp], int]:
    """Order of the rows, equal ones (in every field that is told) once; and how many were equal."""
    if satellite.size == 0:
        return np.empty(0, dtype=np.intp), 0
    sent = columns.get("transmission_s_of_week", np.zeros(satellite.size))
    kind = np.unique(np.char.add(satellite, message), return_inverse=True)[1]
    order = table_order(satellite, message, epoch, ephemeris, np.nan_to_num(sent))
    same = (np.diff(kind[order]) == 0) & (np.diff(epoch[order]) == 0) & (np.diff(ephemeris[order]) == 0)
    for values in columns.values():
        if not same.any():
            break
        column = values[order]
        same &= (column[1:] == column[:-1]) | (np.isnan(column[1:]) & np.isnan(column[:-1]))
    keep = np.concatenate([[True], ~same])
    return order[keep], int(same.sum())
