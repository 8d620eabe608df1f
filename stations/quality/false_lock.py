"""Phases that are locked to nothing: a carrier that runs away from the other faster than any ionosphere.

A receiver can track a second carrier at a wrong frequency for a whole pass and flag nothing. Its phase drifts
by decimetres a second against the first; the spike test of the slips sees a steady drift as normal. One such
pass would make a signal's multipath hundreds of metres.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.quality.cycle_slips import SlipMasks
from stations.quality_records import FalseLock
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# 0.1 m/s of L1 - L2 are 57 TECU per minute; the strongest storms and scintillations on record stay below 20
# (Pi et al. 1997 call 2.5 strong).
RATE_LIMIT_M_PER_S: Final = 0.1
LONGEST_STEP_S: Final = 60.0
# So long one way: a slip makes one step, and a weak signal that slips at every epoch goes to and fro.
RUN_S: Final = 180.0
SHORTEST_RUN: Final = 3  # steps


def find_false_lock(time_s: FloatArray, phase_1_m: FloatArray, phase_2_m: FloatArray) -> BoolArray:
    """Epochs in a runaway of the geometry-free phase, (n_epoch, n_satellite); phases alike, NaN if absent."""
    found = np.zeros(phase_1_m.shape, dtype=np.bool_)
    if time_s.size < 2:
        return found
    step_s = np.diff(time_s)[:, np.newaxis]
    steps = max(SHORTEST_RUN, math.ceil(RUN_S / float(np.median(step_s))))
    n_start = step_s.size - steps + 1
    if n_start < 1:
        return found
    rate = np.diff(phase_1_m - phase_2_m, axis=0) / step_s
    with np.errstate(invalid="ignore"):
        for fast in (rate > RATE_LIMIT_M_PER_S, rate < -RATE_LIMIT_M_PER_S):
            fast = fast & (step_s <= LONGEST_STEP_S)
            n_fast = np.cumsum(np.vstack([np.zeros((1, fast.shape[1]), dtype=np.int64), fast]), axis=0)
            start, column = np.nonzero(n_fast[steps:] - n_fast[:-steps] == steps)
            for k, j in zip(start, column, strict=True):  # rare: most stations have none
                found[k : k + steps + 1, j] = True
    return found


def arcs_with(marked: BoolArray, masks: SlipMasks) -> BoolArray:
    """All observations of arcs in which an epoch is marked, (n_epoch, n_satellite)."""
    number = masks.arc_number()
    n_arc = int(number.max(initial=-1)) + 1
    columns = np.broadcast_to(np.arange(marked.shape[1]), marked.shape)
    key = np.where(number >= 0, number + columns * n_arc, -1)
    bad = np.unique(key[marked & (key >= 0)])
    return np.asarray(np.isin(key, bad) & (key >= 0), dtype=np.bool_)


def describe(
    marked: BoolArray,
    satellites: tuple[str, ...],
    epochs: Epochs,
    signals: tuple[str, str],
    code_minus_phase_m: tuple[FloatArray, FloatArray],
) -> list[FalseLock]:
    """One record for each satellite: when, and which of the two phases left its code."""
    found = []
    for k in np.flatnonzero(marked.any(axis=0)):
        rows = np.flatnonzero(marked[:, k])
        drifts = [np.abs(np.diff(values[rows, k])) for values in code_minus_phase_m]
        sizes = [float(np.median(d[np.isfinite(d)])) if np.isfinite(d).any() else 0.0 for d in drifts]
        found.append(
            FalseLock(
                satellites[k],
                signals[int(np.argmax(sizes))],
                int(rows.size),
                epochs[int(rows[0])],
                epochs[int(rows[-1])],
            )
        )
    return found
