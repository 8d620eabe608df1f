"""Observations as rows in time order, and which of them are fit for the adjustment."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.ppp.first_position import slant_hydrostatic_delay_m
from stations.ppp.options import PppOptions
from stations.ppp.paths import SignalPaths
from stations.ppp.signal_selection import DualFrequencyObservations
from transforms.constants import SPEED_OF_LIGHT_M_PER_S

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_CODE_GROSS_ERROR_M: Final = 30.0
_COORDINATES: Final = 3
_LARGEST_DILUTION: Final = 30.0  # of precision (PDOP); RTKLIB 2.4 rejects single positions beyond it too
_SINGULAR: Final = 1e-9  # eigenvalue of the normal equations of unit vectors
NO_POSITION_OF_THE_EPOCH: Final = "satellites too few or badly placed for a position of the epoch"
_TAG_TOLERANCE_S: Final = 0.05  # receivers tag epochs off the whole second by milliseconds at most
GPST_MINUS_TAI_NS: Final = -19_000_000_000


@dataclass(frozen=True, eq=False)
class ObservationRows:
    """Observations of the epochs used, one row for each epoch and satellite, in time order.

    epoch_ns : (n_epoch,) TAI; epoch_index, satellite_index, arc : (n,); code_m, phase_m : (n, 2) carriers
    reference_phase_m : (n,) phase of L2 of GPS satellites on L1 + L5, NaN where there is none, or None
    satellite_code_bias_removed : the codes are free of what depends on elevation on board (BeiDou-2)
    """

    epoch_ns: IntArray
    epoch_index: IntArray
    satellite_index: IntArray
    code_m: FloatArray
    phase_m: FloatArray
    arc: IntArray
    satellite_code_bias_removed: bool = False
    reference_phase_m: FloatArray | None = None

    @property
    def size(self) -> int:
        """Number of rows."""
        return int(self.epoch_index.size)

    @property
    def second_s(self) -> FloatArray:
        """Time of each row since the first epoch, s."""
        return np.asarray((self.epoch_ns - self.epoch_ns[0])[self.epoch_index] / 1e9)

    def take(self, keep: BoolArray) -> "ObservationRows":
        """The rows where `keep` (n,) is True."""
        return ObservationRows(
            self.epoch_ns,
            self.epoch_index[keep],
            self.satellite_index[keep],
            self.code_m[keep],
            self.phase_m[keep],
            self.arc[keep],
            self.satellite_code_bias_removed,
            None if self.reference_phase_m is None else self.reference_phase_m[keep],
        )


@dataclass(eq=False)
class Rejections:
    """Counts of what was not used, by reason. The one thing here that changes while a solution runs."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, reason: str, count: int) -> None:
        """Count `count` more for a reason; nothing is written for zero."""
        if count:
            self.counts[reason] = self.counts.get(reason, 0) + count

    def drop(self, keep: BoolArray, bad: BoolArray, reason: str) -> BoolArray:
        """`keep` without `bad`, counting those that were still kept."""
        self.add(reason, int(np.count_nonzero(keep & bad)))
        return np.asarray(keep & ~bad)


def epoch_redundancy(
    rows: ObservationRows, group: IntArray, used: BoolArray, *, own_position: bool
) -> FloatArray:
    """Satellites of a row's epoch beyond its own unknowns, as a share of them; (n,), not positive where none.

    group : (n_satellite,) of the shared receiver clock; used : (n,) rows that count
    own_position : whether the epoch's three coordinates are unknown beside the clocks of its groups
    """
    n_epochs, n_groups = rows.epoch_ns.size, int(group.max(initial=0)) + 1
    satellites = np.bincount(rows.epoch_index[used], minlength=n_epochs)
    clocks = np.zeros((n_epochs, n_groups), dtype=np.bool_)
    clocks[rows.epoch_index[used], group[rows.satellite_index[used]]] = True
    unknowns = clocks.sum(axis=1) + (_COORDINATES if own_position else 0)
    share = (satellites - unknowns) / np.maximum(satellites, 1)
    return np.asarray(np.where(satellites > 0, share, -1.0)[rows.epoch_index])


def rows_without_position(
    rows: ObservationRows, line_of_sight: FloatArray, group: IntArray, used: BoolArray
) -> BoolArray:
    """Rows (n,) of epochs whose satellites are too few or stand too badly for a position of the epoch.

    line_of_sight : (n, 3) unit vectors; group, used : as for `epoch_redundancy`
    """
    n_epochs, n_groups = rows.epoch_ns.size, int(group.max(initial=0)) + 1
    size = _COORDINATES + n_groups
    design = np.zeros((rows.size, size))
    design[:, :_COORDINATES] = -line_of_sight
    design[np.arange(rows.size), _COORDINATES + group[rows.satellite_index]] = 1.0
    normal = np.empty((n_epochs, size, size))
    for i in range(size):
        for j in range(i + 1):
            product = np.where(used, design[:, i] * design[:, j], 0.0)
            normal[:, i, j] = normal[:, j, i] = np.bincount(rows.epoch_index, product, n_epochs)
    clocks = np.einsum("nii->ni", normal)[:, _COORDINATES:]  # a view: writes into the matrices
    clocks[clocks == 0.0] = 1.0
    values, vectors = np.linalg.eigh(normal)
    inverse = 1.0 / np.maximum(values, _SINGULAR)
    dilution = np.sqrt(np.einsum("nik,nk->n", vectors[:, :_COORDINATES] ** 2, inverse))
    return np.asarray((dilution > _LARGEST_DILUTION)[rows.epoch_index])


def epochs_on_interval(epoch_ns: IntArray, interval_s: float) -> IntArray:
    """Indices of the epochs (n,) that lie on whole multiples of the interval since midnight GPST."""
    gps_ns = epoch_ns + GPST_MINUS_TAI_NS
    step = round(interval_s * 1e9)
    away = np.abs((gps_ns + step // 2) % step - step // 2)
    return np.flatnonzero(away <= _TAG_TOLERANCE_S * 1e9).astype(np.int64)


def rows_of(selected: DualFrequencyObservations, epochs: IntArray) -> ObservationRows:
    """Rows of the chosen epochs (indices)."""
    epoch_index, satellite_index = np.nonzero(selected.arc[epochs] >= 0)
    at = epochs[epoch_index]
    return ObservationRows(
        epoch_ns=selected.epoch_ns[epochs],
        epoch_index=epoch_index.astype(np.int64),
        satellite_index=satellite_index.astype(np.int64),
        code_m=selected.code_m[at, satellite_index],
        phase_m=selected.phase_m[at, satellite_index],
        arc=selected.arc[at, satellite_index],
        reference_phase_m=(
            None if selected.reference_phase_m is None else selected.reference_phase_m[at, satellite_index]
        ),
    )


def fit_rows(
    rows: ObservationRows,
    paths: SignalPaths,
    selected: DualFrequencyObservations,
    factors: FloatArray,
    calibrated: BoolArray,
    options: PppOptions,
    clock_s: FloatArray,
    position_ecef_m: FloatArray,
    rejections: Rejections,
) -> BoolArray:
    """Rows (n,) fit for the adjustment; the others are counted by reason.

    factors : (n_satellite, 2) ionosphere-free; calibrated : (n_satellite,) antenna known
    clock_s : (n_epoch,) receiver clock
    """
    keep = np.ones(rows.size, dtype=np.bool_)
    keep = rejections.drop(keep, ~paths.valid, "no orbit or clock")
    keep = rejections.drop(keep, paths.elevation_rad < options.elevation_cutoff_rad, "below elevation cutoff")
    keep = rejections.drop(keep, ~calibrated[rows.satellite_index], "satellite antenna not calibrated")
    keep = rejections.drop(keep, paths.turning, "satellite turning near noon or midnight")
    code = np.sum(rows.code_m * factors[rows.satellite_index], axis=1)
    delay = slant_hydrostatic_delay_m(position_ecef_m, paths.elevation_rad)
    misclosure = code - paths.range_m - delay - SPEED_OF_LIGHT_M_PER_S * clock_s[rows.epoch_index]
    # Groups differ by the receiver's inter-system biases: count from each group's own median.
    row_group = selected.group[rows.satellite_index]
    for group in range(len(selected.groups)):
        mine = keep & (row_group == group)
        if mine.any():
            misclosure[mine] -= np.median(misclosure[mine])
    gross = np.abs(np.where(keep, misclosure, 0.0)) > _CODE_GROSS_ERROR_M
    keep = rejections.drop(keep, gross, "code gross error")
    return rejections.drop(keep, _in_short_arc(rows, keep, options), "arc too short")


def _in_short_arc(rows: ObservationRows, keep: BoolArray, options: PppOptions) -> BoolArray:
    """Rows (n,) of arcs with too few kept epochs, or too short a time between the first and the last."""
    n_arcs = int(rows.arc.max(initial=-1)) + 1
    second_s = rows.second_s
    first, last = np.full(n_arcs, np.inf), np.full(n_arcs, -np.inf)
    np.minimum.at(first, rows.arc[keep], second_s[keep])
    np.maximum.at(last, rows.arc[keep], second_s[keep])
    count = np.bincount(rows.arc[keep], minlength=n_arcs)
    short = (count < options.minimum_arc_epochs) | (last - first < options.minimum_arc_s)
    return np.asarray(short[rows.arc])
