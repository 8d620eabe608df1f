"""Faults of a receiver that are planted on purpose, each written down: slips, gaps, gross errors, outages."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.records import LossOfLock
from stations.simulation.random_streams import random_stream
from stations.simulation.region_plan import DAYS, EPOCHS_PER_DAY, SimulatedStation

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

SLIPS_PER_DAY: Final = 6
LARGEST_SLIP_CYCLES: Final = 40
SHARE_OF_SLIPS_WITH_FLAG: Final = 0.6
CODE_OUTLIERS_PER_DAY: Final = 3
CODE_OUTLIER_M: Final = (15.0, 80.0)
DROPOUTS_PER_DAY: Final = 5
LONGEST_DROPOUT_EPOCHS: Final = 4
GAP_EPOCHS: Final = (2, 5)  # one short gap of all satellites a day


@dataclass(frozen=True)
class PlantedFault:
    """One fault: what, at which epoch (index over all days) of which satellite and signal, and its size.

    size : cycles of a slip, metres of a code outlier, epochs of a gap; flagged : the receiver told of it
    """

    kind: str
    epoch_index: int
    satellite: str
    signal: str
    size: float
    flagged: bool


@dataclass(eq=False)
class TrackedSignals:
    """What a receiver holds while faults are put in; arrays (n_epoch, n_satellite, n_signal)."""

    satellites: tuple[str, ...]
    signals: tuple[str, ...]
    code_m: FloatArray
    phase_cycles: FloatArray
    loss_of_lock: NDArray[np.uint8]

    @property
    def tracked(self) -> BoolArray:
        """(n_epoch, n_satellite) whether anything was observed."""
        return np.asarray(np.isfinite(self.code_m).any(axis=2))


def plant_faults(tracked: TrackedSignals, station: SimulatedStation, seed: int) -> tuple[PlantedFault, ...]:
    """Put all faults of a station into its observations, in place; returns them in time order."""
    faults: list[PlantedFault] = []
    for number, day in enumerate(DAYS):
        generator = random_stream(seed, "faults", station.code, day)
        first = number * EPOCHS_PER_DAY
        for _ in range(SLIPS_PER_DAY):
            faults.extend(_slip(tracked, generator, first))
        faults += [_code_outlier(tracked, generator, first) for _ in range(CODE_OUTLIERS_PER_DAY)]
        faults += [_dropout(tracked, generator, first) for _ in range(DROPOUTS_PER_DAY)]
        length = int(generator.integers(*GAP_EPOCHS, endpoint=True))
        begin = first + int(generator.integers(20, EPOCHS_PER_DAY - 20))
        _blank(tracked, slice(begin, begin + length), slice(None))
        faults.append(PlantedFault("gap", begin, "", "", float(length), False))
        if station.outage is not None and station.outage[0] == day:
            _, epoch, count = station.outage
            _blank(tracked, slice(first + epoch, first + epoch + count), slice(None))
            faults.append(PlantedFault("power failure", first + epoch, "", "", float(count), True))
    return tuple(sorted(faults, key=lambda f: (f.epoch_index, f.satellite, f.signal, f.kind)))


def _blank(tracked: TrackedSignals, epochs: slice, satellite: int | slice) -> None:
    tracked.code_m[epochs, satellite] = np.nan
    tracked.phase_cycles[epochs, satellite] = np.nan
    tracked.loss_of_lock[epochs, satellite] = 0


def _pick(tracked: TrackedSignals, generator: np.random.Generator, first: int) -> tuple[int, int]:
    """An epoch inside a pass and its satellite, both as indices."""
    present = tracked.tracked[first : first + EPOCHS_PER_DAY]
    inside = present[3:-3] & present[:-6] & present[6:]
    epoch, satellite = np.nonzero(inside)
    choice = int(generator.integers(epoch.size))
    return first + 3 + int(epoch[choice]), int(satellite[choice])


def _signals_of(tracked: TrackedSignals, epoch: int, satellite: int) -> list[int]:
    return [int(k) for k in np.flatnonzero(np.isfinite(tracked.code_m[epoch, satellite]))]


def _slip(tracked: TrackedSignals, generator: np.random.Generator, first: int) -> list[PlantedFault]:
    """A slip on one carrier or on all, from an epoch to the end of the pass."""
    epoch, satellite = _pick(tracked, generator, first)
    present = tracked.tracked[:, satellite]
    end = epoch + int(np.argmin(np.append(present[epoch:], False)))
    signals = _signals_of(tracked, epoch, satellite)
    chosen = signals if generator.random() < 0.5 else [signals[int(generator.integers(len(signals)))]]
    flagged = bool(generator.random() < SHARE_OF_SLIPS_WITH_FLAG)
    faults = []
    for k in chosen:
        cycles = int(generator.integers(1, LARGEST_SLIP_CYCLES, endpoint=True))
        cycles = cycles if generator.random() < 0.5 else -cycles
        tracked.phase_cycles[epoch:end, satellite, k] += cycles
        if flagged:
            tracked.loss_of_lock[epoch, satellite, k] |= LossOfLock.LOST
        faults.append(
            PlantedFault(
                "cycle slip", epoch, tracked.satellites[satellite], tracked.signals[k], float(cycles), flagged
            )
        )
    return faults


def _code_outlier(tracked: TrackedSignals, generator: np.random.Generator, first: int) -> PlantedFault:
    epoch, satellite = _pick(tracked, generator, first)
    signals = _signals_of(tracked, epoch, satellite)
    k = signals[int(generator.integers(len(signals)))]
    size_m = float(np.round(generator.uniform(*CODE_OUTLIER_M), 1))
    tracked.code_m[epoch, satellite, k] += size_m
    return PlantedFault(
        "code outlier", epoch, tracked.satellites[satellite], tracked.signals[k], size_m, False
    )


def _dropout(tracked: TrackedSignals, generator: np.random.Generator, first: int) -> PlantedFault:
    epoch, satellite = _pick(tracked, generator, first)
    length = int(generator.integers(1, LONGEST_DROPOUT_EPOCHS, endpoint=True))
    _blank(tracked, slice(epoch, epoch + length), satellite)
    return PlantedFault("satellite lost", epoch, tracked.satellites[satellite], "", float(length), False)
