"""What of a session the tables of product files serve: time, satellites, biases."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from stations.formats.fixed_width import BoolArray, FloatArray
from stations.records import SatelliteClocks, SatelliteOrbits, SignalBiases
from transforms.time_scales import NANOSECONDS, SECONDS_PER_DAY, Epochs

_DAY_NS: Final = SECONDS_PER_DAY * NANOSECONDS


def near(epochs: Epochs, first: Epochs, last: Epochs) -> bool:
    before = 0 <= int(first.tai_ns) - int(epochs.tai_ns[-1]) <= _DAY_NS // 2
    after = 0 <= int(epochs.tai_ns[0]) - int(last.tai_ns) <= _DAY_NS // 2
    return before or after


def interval_s(epochs: Epochs) -> float:
    steps = np.diff(epochs.tai_ns)
    return float(np.median(steps)) / NANOSECONDS if steps.size else 0.0


def coverage(orbits: SatelliteOrbits, first: Epochs, last: Epochs) -> float:
    """Share of the session that a table covers, its last step included, 0..1."""
    begin = max(int(orbits.epochs.tai_ns[0]), int(first.tai_ns))
    step = round(interval_s(orbits.epochs) * NANOSECONDS)
    # A file of 24 h with both midnights touches the next day by one epoch; that is no coverage of it.
    end = min(int(orbits.epochs.tai_ns[-1]) + step, int(last.tai_ns))
    if int(last.tai_ns) == int(first.tai_ns):
        return 1.0 if begin <= end else 0.0
    share = max(end - begin, 0) / (int(last.tai_ns) - int(first.tai_ns))
    touches_only = share * (int(last.tai_ns) - int(first.tai_ns)) <= step
    return 0.0 if touches_only and share < 0.5 else share


def overlaps(epochs: Epochs, first: Epochs, last: Epochs) -> bool:
    return bool(epochs.tai_ns[0] <= last.tai_ns and epochs.tai_ns[-1] > first.tai_ns)


def served(
    orbits: SatelliteOrbits, clocks: SatelliteClocks | None, first: Epochs, last: Epochs
) -> dict[str, int]:
    """Satellites of each system with position and clock within the session."""
    inside = _inside(orbits.epochs, first, last)
    with_orbit = _present(orbits.satellites, orbits.position_ecef_m[inside, :, 0])
    if clocks is None:
        with_clock = _present(orbits.satellites, orbits.clock_s[inside])
    else:
        inside = _inside(clocks.epochs, first, last)
        with_clock = _present(clocks.satellites, clocks.clock_s[inside])
    counts: dict[str, int] = {}
    for satellite in with_orbit & with_clock:
        counts[satellite[0]] = counts.get(satellite[0], 0) + 1
    return counts


def _present(satellites: Sequence[str], table: FloatArray) -> set[str]:
    """Satellites (columns of a table) with any finite value."""
    columns = np.flatnonzero(np.isfinite(table).any(axis=0))
    return {satellites[int(column)] for column in columns}


def _inside(epochs: Epochs, first: Epochs, last: Epochs) -> BoolArray:
    """Epochs in the session, and the nearest beyond its ends."""
    step = round(interval_s(epochs) * NANOSECONDS)
    return (epochs.tai_ns > int(first.tai_ns) - step) & (epochs.tai_ns < int(last.tai_ns) + step)


def valid_biases(biases: SignalBiases | None, first: Epochs, last: Epochs) -> bool:
    if biases is None:
        return False
    middle = (int(first.tai_ns) + int(last.tai_ns)) // 2
    return any(int(b.valid_from.tai_ns) <= middle <= int(b.valid_until.tai_ns) for b in biases.biases)


def phase_systems(biases: SignalBiases | None) -> frozenset[str]:
    if biases is None:
        return frozenset()
    return frozenset(
        b.satellite[0] for b in biases.biases if b.kind == "OSB" and b.signal[:1] == "L" and b.satellite
    )
