"""Cycle slips of dual-frequency carrier phase, found from the receiver's own observations.

Three witnesses, each blind where another sees:

- the receiver's loss-of-lock indicator;
- the geometry-free phase: a slip is a spike in its differences between epochs, against a straight line
  through the neighbouring differences. It sees a cycle on either carrier (19 to 25 cm) and on both at once
  (4 to 7 cm); it is blind to pairs such as 9 and 7 cycles of GPS L1 and L2 (3 mm);
- the Melbourne-Wuebbena wide-lane: a step between the means before and after. It sees all pairs of unequal
  numbers, whatever the ionosphere does, and is blind to equal ones.

After Blewitt (1990), An automatic editing algorithm for GPS data, Geophys. Res. Lett. 17(3), 199-202
("TurboEdit"); the spike test works on differences, so it needs no polynomial over a whole arc and its limit
follows the scatter of the data, thus the interval and the ionosphere.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stations.quality.geometry_free import geometry_free_excess
from stations.quality.signal_pairs import SignalPair, frequency_by_satellite_hz, signal_pairs
from stations.quality.wide_lane import SECONDING_SHARE, code_outliers, wide_lane_cycles, wide_lane_steps
from stations.records import LossOfLock, Observations
from transforms.constants import SPEED_OF_LIGHT_M_PER_S
from transforms.errors import InputError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# Bernese GNSS Software 5.2 (2015), RNXSMT: a gap longer than this opens a new ambiguity.
MINIMUM_NEW_ARC_GAP_S: Final = 181.0
MAXIMUM_GAP_INTERVALS: Final = 2.5  # so one lost epoch never ends an arc, whatever the interval
MILLISECOND_JUMP_M: Final = SPEED_OF_LIGHT_M_PER_S * 1e-3
MINIMUM_ELEVATION_SINE: Final = 0.087  # 5 deg: the noise model 1/sin(elevation) is not asked lower


@dataclass(frozen=True, eq=False)
class SlipMasks:
    """Where the arcs of continuous phase begin, and why. All arrays (n_epoch, n_satellite) unless said.

    present : both phases observed
    arc_start : present, and the ambiguities are new here: first epoch, after a gap, or after a slip
    after_gap : new because it is the first or follows a gap longer than `maximum_gap_s`
    loss_of_lock, geometry_free, melbourne_wuebbena : slips inside an arc, by witness (they may coincide)
    geometry_free_limit_m : limit of the spike test; where it exceeds the difference of the two wavelengths a
        slip of one cycle on both carriers at once could not be seen
    code_clock_jump_ms : (n_epoch,) int, millisecond steps of the receiver clock that code shows and phase not
    code_outlier : isolated epochs whose codes disagree with their phases and neighbours: bad codes, no slips
    """

    present: BoolArray
    arc_start: BoolArray
    after_gap: BoolArray
    loss_of_lock: BoolArray
    geometry_free: BoolArray
    melbourne_wuebbena: BoolArray
    geometry_free_limit_m: FloatArray
    code_clock_jump_ms: NDArray[np.int64]
    code_outlier: BoolArray

    @property
    def slip(self) -> BoolArray:
        """Slips inside an arc, any witness, (n_epoch, n_satellite)."""
        return self.loss_of_lock | self.geometry_free | self.melbourne_wuebbena

    def arc_number(self) -> NDArray[np.int64]:
        """Arc of each observation, counted from 0 for each satellite; -1 where absent."""
        number = np.cumsum(self.arc_start, axis=0) - 1
        return np.where(self.present, number, -1).astype(np.int64)

    def counts(self) -> dict[str, int]:
        """Slips by witness; a slip with two witnesses counts once in "slips"."""
        return {
            "slips": int(self.slip.sum()),
            "loss of lock": int(self.loss_of_lock.sum()),
            "geometry-free": int(self.geometry_free.sum()),
            "Melbourne-Wuebbena": int(self.melbourne_wuebbena.sum()),
        }


@dataclass(frozen=True, eq=False)
class ObservedSlips:
    """Slips of a station's observations, pair by pair.

    satellites : all satellites of the observations, names
    pairs : pairs of signals searched
    masks : for each pair, over all epochs and over the satellites of its system only
    slip : (n_epoch, n_satellite, n_pair) bool, slips inside arcs
    """

    satellites: tuple[str, ...]
    pairs: tuple[SignalPair, ...]
    masks: tuple[SlipMasks, ...]
    slip: BoolArray

    @property
    def n_observations(self) -> int:
        """Epochs of satellites and pairs with both phases."""
        return sum(int(m.present.sum()) for m in self.masks)

    def counts(self) -> dict[str, int]:
        """Slips by witness over all pairs."""
        total = {"slips": 0, "loss of lock": 0, "geometry-free": 0, "Melbourne-Wuebbena": 0}
        for masks in self.masks:
            for name, count in masks.counts().items():
                total[name] += count
        return total


def detect_cycle_slips(
    observations: Observations,
    *,
    maximum_gap_s: float | None = None,
    pairs: tuple[SignalPair, ...] | None = None,
) -> ObservedSlips:
    """Find the cycle slips of a station's observations on every dual-frequency pair of signals.

    pairs : by default, for each system and pair of bands the two signals most often observed together
        (`signal_pairs`). A GLONASS satellite without a known frequency channel is left out.
    """
    pairs = signal_pairs(observations) if pairs is None else pairs
    data = observations.data
    satellites = observations.satellites
    time_s = (observations.epochs.tai_ns - observations.epochs.tai_ns[:1]) / 1e9
    signals = [str(s) for s in data["signal"].values]
    slip = np.zeros((time_s.size, len(satellites), len(pairs)), dtype=np.bool_)
    masks = []
    for number, pair in enumerate(pairs):
        index = np.array([i for i, s in enumerate(satellites) if s[0] == pair.system], dtype=np.int64)
        first, second = signals.index(pair.first), signals.index(pair.second)
        names = tuple(satellites[i] for i in index)
        frequency_1 = frequency_by_satellite_hz(names, pair.first, observations.header.glonass_channels)
        frequency_2 = frequency_by_satellite_hz(names, pair.second, observations.header.glonass_channels)
        phase, code, lost = (
            data[name].values[:, index, :]
            for name in ("carrier_phase_cycles", "pseudorange_m", "loss_of_lock")
        )
        known = np.isfinite(frequency_1)
        found = find_cycle_slips(
            time_s,
            np.where(known, phase[:, :, first], np.nan),
            phase[:, :, second],
            code[:, :, first],
            code[:, :, second],
            lost[:, :, first],
            lost[:, :, second],
            np.where(known, frequency_1, 2.0),  # any two that differ: these satellites hold no phase now
            np.where(known, frequency_2, 1.0),
            maximum_gap_s=maximum_gap_s,
        )
        masks.append(found)
        slip[:, index, number] = found.slip
    return ObservedSlips(satellites, pairs, tuple(masks), slip)


def find_cycle_slips(
    time_s: ArrayLike,
    phase_1_cycles: ArrayLike,
    phase_2_cycles: ArrayLike,
    code_1_m: ArrayLike,
    code_2_m: ArrayLike,
    loss_of_lock_1: ArrayLike,
    loss_of_lock_2: ArrayLike,
    frequency_1_hz: ArrayLike,
    frequency_2_hz: ArrayLike,
    elevation_rad: ArrayLike | None = None,
    *,
    maximum_gap_s: float | None = None,
    trust_loss_of_lock: bool = True,
) -> SlipMasks:
    """Find the cycle slips of one pair of signals on many satellites.

    Parameters
    ----------
    time_s : (n_epoch,) strictly increasing, any origin
    phase_1_cycles, phase_2_cycles, code_1_m, code_2_m : (n_epoch, n_satellite), NaN where missing
    loss_of_lock_1, loss_of_lock_2 : (n_epoch, n_satellite) RINEX indicator bits, 0 where missing
    frequency_1_hz, frequency_2_hz : scalar or (n_satellite,), different from each other
    elevation_rad : (n_epoch, n_satellite), where known: raises the noise assumed at low elevation
    maximum_gap_s : a longer gap begins a new arc; default 181 s or 2.5 intervals, whichever is longer
    trust_loss_of_lock : False bridges a flagged epoch where the other witnesses were able to see a slip and
        saw none (some receivers flag every weak epoch); a flag that nobody can check still counts

    Raises InputError for shapes that do not fit, times that do not increase, or equal frequencies.
    """
    time = np.asarray(time_s, dtype=np.float64)
    phase_1, phase_2, code_1, code_2 = (
        np.asarray(a, dtype=np.float64) for a in (phase_1_cycles, phase_2_cycles, code_1_m, code_2_m)
    )
    shape = phase_1.shape
    lost_1, lost_2 = (np.asarray(a).astype(np.uint8) for a in (loss_of_lock_1, loss_of_lock_2))
    if len(shape) != 2 or time.shape != shape[:1]:
        raise InputError(f"phases have shape {shape} and times {time.shape}: (n_epoch, n_satellite) expected")
    for name, array in (
        ("phase 2", phase_2), ("code 1", code_1), ("code 2", code_2),
        ("loss of lock 1", lost_1), ("loss of lock 2", lost_2),
    ):  # fmt: skip
        if array.shape != shape:
            raise InputError(f"{name} has shape {array.shape}, phase 1 has {shape}")
    if np.any(np.diff(time) <= 0.0):
        raise InputError("times of observations do not increase strictly")
    frequency_1 = np.broadcast_to(np.asarray(frequency_1_hz, dtype=np.float64), shape[1:])
    frequency_2 = np.broadcast_to(np.asarray(frequency_2_hz, dtype=np.float64), shape[1:])
    if np.any(frequency_1 == frequency_2):
        raise InputError("the two signals of a pair have the same frequency")

    if phase_1.size == 0:
        nothing = np.zeros(shape, dtype=np.bool_)
        no_jump = np.zeros(shape[0], dtype=np.int64)
        return SlipMasks(*(nothing,) * 6, np.full(shape, np.nan), no_jump, nothing)

    interval = _usual_interval(time)
    if maximum_gap_s is None:
        maximum_gap_s = max(MINIMUM_NEW_ARC_GAP_S, MAXIMUM_GAP_INTERVALS * interval)
    present = np.isfinite(phase_1) & np.isfinite(phase_2)
    previous = _previous_present(present)
    has_previous = present & (previous >= 0)
    columns = np.arange(shape[1])[np.newaxis, :]
    origin = np.maximum(previous, 0)
    step_s = np.where(has_previous, time[:, np.newaxis] - time[origin], np.nan)
    continues = has_previous & (np.nan_to_num(step_s, nan=np.inf) <= maximum_gap_s)
    after_gap = present & ~continues

    # A loss of lock flagged at an epoch without phase still breaks the arc at the next one with phase.
    flags = np.cumsum(((lost_1 | lost_2) & LossOfLock.LOST) != 0, axis=0)
    loss_of_lock = continues & (flags > flags[origin, columns])

    sine = _elevation_sine(elevation_rad, shape)
    wavelength_1 = SPEED_OF_LIGHT_M_PER_S / frequency_1
    wavelength_2 = SPEED_OF_LIGHT_M_PER_S / frequency_2
    geometry_free_m = wavelength_1 * phase_1 - wavelength_2 * phase_2
    difference_m = np.where(continues, geometry_free_m - geometry_free_m[origin, columns], np.nan)
    suspicion, limit_m = geometry_free_excess(
        time, difference_m, step_s, loss_of_lock, np.abs(wavelength_1 - wavelength_2), sine, interval
    )

    geometry_free = suspicion > 1.0
    clock_jump = _code_clock_jumps(code_1 - wavelength_1 * phase_1, origin, continues)
    level_m = np.cumsum(clock_jump)[:, np.newaxis] * MILLISECOND_JUMP_M
    wide_lane = wide_lane_cycles(
        phase_1, phase_2, code_1 - level_m, code_2 - level_m, frequency_1, frequency_2
    )
    known = after_gap | loss_of_lock | geometry_free
    bad_code = code_outliers(wide_lane)
    usable = np.isfinite(wide_lane) & ~bad_code
    if not trust_loss_of_lock:
        clear = (suspicion <= SECONDING_SHARE) & (limit_m <= np.abs(wavelength_1 - wavelength_2))
        bridged = loss_of_lock & clear & usable
        loss_of_lock = loss_of_lock & ~bridged
        known = known & ~bridged
        # The wide-lane looks closer there: the geometry-free phase is blind to some pairs.
        suspicion = np.where(bridged, 1.0, suspicion)
    melbourne = wide_lane_steps(wide_lane, usable, known, continues, suspicion, sine, interval)
    return SlipMasks(
        present=present,
        arc_start=known | melbourne,
        after_gap=after_gap,
        loss_of_lock=loss_of_lock,
        geometry_free=geometry_free,
        melbourne_wuebbena=melbourne,
        geometry_free_limit_m=limit_m,
        code_clock_jump_ms=clock_jump,
        code_outlier=bad_code,
    )


def _usual_interval(time_s: FloatArray) -> float:
    """The most frequent step between epochs, s (to the millisecond); 1 where there is no step."""
    if time_s.size < 2:
        return 1.0
    values, counts = np.unique(np.rint(np.diff(time_s) * 1e3), return_counts=True)
    return float(max(values[np.argmax(counts)], 1.0)) / 1e3


def _previous_present(present: BoolArray) -> NDArray[np.int64]:
    """Index of the last epoch before this one at which the satellite was present, or -1."""
    index = np.where(present, np.arange(present.shape[0])[:, np.newaxis], -1)
    last = np.maximum.accumulate(index, axis=0)
    return np.vstack([np.full((1, present.shape[1]), -1), last[:-1]]).astype(np.int64)[: present.shape[0]]


def _elevation_sine(elevation_rad: ArrayLike | None, shape: tuple[int, ...]) -> FloatArray:
    if elevation_rad is None:
        return np.ones(shape)
    sine = np.sin(np.broadcast_to(np.asarray(elevation_rad, dtype=np.float64), shape))
    return np.asarray(np.clip(np.nan_to_num(sine, nan=1.0), MINIMUM_ELEVATION_SINE, 1.0), dtype=np.float64)


def _code_clock_jumps(
    code_minus_phase_m: FloatArray, origin: NDArray[np.int64], continues: BoolArray
) -> NDArray[np.int64]:
    """Whole milliseconds by which the codes of most satellites step against their phases, (n_epoch,)."""
    jumps = np.zeros(code_minus_phase_m.shape[0], dtype=np.int64)
    if not continues.any():
        return jumps
    columns = np.arange(continues.shape[1])[np.newaxis, :]
    change = np.where(continues, code_minus_phase_m - code_minus_phase_m[origin, columns], np.nan)
    rows = np.flatnonzero(np.isfinite(change).sum(axis=1) >= 2)
    milliseconds = np.nanmedian(change[rows], axis=1) / MILLISECOND_JUMP_M
    whole = np.rint(milliseconds)
    # A step of 300 km that is whole to a tenth of a microsecond (30 m) in the median satellite is no slip.
    jumps[rows] = np.where(np.abs(milliseconds - whole) < 1e-4, whole, 0.0).astype(np.int64)
    return jumps
