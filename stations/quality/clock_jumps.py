"""Whole-millisecond steps of a receiver's clock: kept out of the slips, and told."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.quality.cycle_slips import MILLISECOND_JUMP_M, ObservedSlips
from stations.quality_records import ClockJump
from stations.records import Observations

FloatArray = NDArray[np.float64]

# Between epochs a range changes by 0.8 km/s at most and by nearly as much in the next: what is left of the
# median satellite's second difference is the clock.
LONGEST_INTERVAL_S: Final = 60.0
WHOLE_TO_MS: Final = 0.05
MINIMUM_SATELLITES: Final = 4
CODE_ALONE: Final = "code"
CODE_AND_PHASE: Final = "code and phase"


def clock_jumps(observations: Observations, slips: ObservedSlips) -> tuple[ClockJump, ...]:
    """Steps in the codes alone (as the slip search found them) and in codes and phases together."""
    epochs = observations.epochs
    code_only: dict[int, list[int]] = {}
    for masks in slips.masks:
        for row in np.flatnonzero(masks.code_clock_jump_ms):
            code_only.setdefault(int(row), []).append(int(masks.code_clock_jump_ms[row]))
    found = [
        ClockJump(epochs[row], max(set(steps), key=steps.count), CODE_ALONE)
        for row, steps in code_only.items()
    ]
    both = _steps_of_the_codes_ms(observations)
    found += [
        ClockJump(epochs[int(row)], int(both[row]), CODE_AND_PHASE)
        for row in np.flatnonzero(both)
        if int(row) not in code_only
    ]
    return tuple(sorted(found, key=lambda jump: int(jump.epoch.tai_ns)))


def _steps_of_the_codes_ms(observations: Observations) -> NDArray[np.int64]:
    """Steps of all codes at once, ms, (n_epoch,)."""
    steps = np.zeros(len(observations.epochs), dtype=np.int64)
    if steps.size < 3 or not 0.0 < observations.interval_s <= LONGEST_INTERVAL_S:
        return steps
    counts = np.isfinite(observations.data["pseudorange_m"].values).sum(axis=0)
    best = np.argmax(counts, axis=1)  # of each satellite the signal with the most codes
    code = np.take_along_axis(
        observations.data["pseudorange_m"].values, best[np.newaxis, :, np.newaxis], axis=2
    )[..., 0]
    change = np.diff(code, axis=0)
    bend = np.diff(change, axis=0)
    rows = np.flatnonzero(np.isfinite(bend).sum(axis=1) >= MINIMUM_SATELLITES)
    if rows.size == 0:
        return steps
    milliseconds = np.zeros(bend.shape[0])
    milliseconds[rows] = np.nanmedian(bend[rows], axis=1) / MILLISECOND_JUMP_M
    whole = np.rint(milliseconds)
    clean = (np.abs(milliseconds - whole) < WHOLE_TO_MS) & (whole != 0.0)
    # A step bends twice, forth where it comes and back one epoch later; the first bend is its epoch.
    carried = 0.0
    for row in np.flatnonzero(clean):
        if row > 0 and carried and whole[row] == -carried and clean[row - 1]:
            carried = 0.0
            continue
        steps[row + 2] = carried = whole[row]
    return steps
