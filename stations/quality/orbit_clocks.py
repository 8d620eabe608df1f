"""Orbits whose file holds no clocks, with those of the centre's clock file: positions need both."""

from dataclasses import replace

import numpy as np

from stations.records import SatelliteClocks, SatelliteOrbits


def with_clocks(orbits: SatelliteOrbits, clocks: SatelliteClocks | None) -> SatelliteOrbits:
    """The same orbits with clocks at their epochs where they had none and the clock file has one there."""
    if clocks is None or not np.isnan(orbits.clock_s).any():
        return orbits
    _, at_orbit, at_clock = np.intersect1d(orbits.epochs.tai_ns, clocks.epochs.tai_ns, return_indices=True)
    column = {name: k for k, name in enumerate(clocks.satellites)}
    filled = orbits.clock_s.copy()
    for k, name in enumerate(orbits.satellites):
        if name in column:
            own = filled[at_orbit, k]
            filled[at_orbit, k] = np.where(np.isnan(own), clocks.clock_s[at_clock, column[name]], own)
    return replace(orbits, clock_s=filled)
