"""Satellite positions and clocks at any instant, from tables."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.records import SatelliteClocks, SatelliteOrbits
from transforms.constants import EARTH_ROTATION_RATE_RAD_PER_S
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_NODES: Final = 11  # degree 10: below 1 mm for 5-minute tables, below 1 cm for 15 minutes (Schenewerk 2003)
_VELOCITY_STEP_S: Final = 1.0


# Barycentric weights of equally spaced nodes: (-1)^j binomial(n, j) (Berrut and Trefethen 2004, eq. 5.1).
_BARYCENTRIC: Final = np.array([(-1.0) ** j * math.comb(_NODES - 1, j) for j in range(_NODES)])


def _lagrange_weights(u: FloatArray) -> FloatArray:
    """Weights (n, _NODES) of equally spaced nodes 0.._NODES-1 at coordinates u (n,)."""
    differences = u[:, None] - np.arange(_NODES)
    exact = np.abs(differences) < 1e-11
    weights = _BARYCENTRIC / np.where(exact, 1.0, differences)
    weights /= np.sum(weights, axis=1, keepdims=True)
    hit = np.any(exact, axis=1)
    weights[hit] = exact[hit]
    return weights


class OrbitTable:
    """Orbits made ready for interpolation: an even grid in time, gaps as NaN.

    Parameters
    ----------
    orbits : table of positions; its epochs may have gaps but lie on one grid
    """

    def __init__(self, orbits: SatelliteOrbits) -> None:
        ns = orbits.epochs.tai_ns
        if ns.size < _NODES:
            raise ValueError(f"an orbit of {ns.size} epochs is too short to interpolate ({_NODES} needed)")
        self.step_ns = int(np.min(np.diff(ns)))
        self.start_ns = int(ns[0])
        index = (ns - self.start_ns) // self.step_ns
        count = int(index[-1]) + 1
        self.satellites = orbits.satellites
        self._position = np.full((count, len(orbits.satellites), 3), np.nan)
        self._position[index] = orbits.position_ecef_m
        self._count = count

    def positions(self, epoch_ns: IntArray, offset_s: FloatArray, satellite_index: IntArray) -> FloatArray:
        """Positions (n, 3) at `epoch_ns + offset_s` (TAI) in the terrestrial frame of that instant, m.

        NaN where a node of the window is missing, or the instant lies outside the table.
        The nodes are turned into one quasi-inertial frame first, in which the orbit is smoother.
        """
        seconds = (epoch_ns - self.start_ns) / 1e9 + offset_s
        step = self.step_ns / 1e9
        coordinate = seconds / step
        first = np.clip(np.floor(coordinate).astype(np.int64) - _NODES // 2, 0, self._count - _NODES)
        u = coordinate - first
        weights = _lagrange_weights(u)
        nodes = first[:, None] + np.arange(_NODES)
        values = self._position[nodes, satellite_index[:, None]]
        angle = EARTH_ROTATION_RATE_RAD_PER_S * step * (np.arange(_NODES) - u[:, None])
        cosine, sine = weights * np.cos(angle), weights * np.sin(angle)
        result = np.empty((seconds.size, 3))
        result[:, 0] = np.sum(cosine * values[..., 0] - sine * values[..., 1], axis=1)
        result[:, 1] = np.sum(sine * values[..., 0] + cosine * values[..., 1], axis=1)
        result[:, 2] = np.sum(weights * values[..., 2], axis=1)
        outside = (coordinate < -1e-9) | (coordinate > self._count - 1 + 1e-9)
        result[outside] = np.nan
        return result

    def positions_and_velocities(
        self, epoch_ns: IntArray, offset_s: FloatArray, satellite_index: IntArray
    ) -> tuple[FloatArray, FloatArray]:
        """Positions (n, 3) and velocities (n, 3), m/s, both in the rotating terrestrial frame."""
        position = self.positions(epoch_ns, offset_s, satellite_index)
        before = self.positions(epoch_ns, offset_s - _VELOCITY_STEP_S, satellite_index)
        after = self.positions(epoch_ns, offset_s + _VELOCITY_STEP_S, satellite_index)
        velocity = (after - before) / (2.0 * _VELOCITY_STEP_S)
        # At the table's ends only one side is there.
        early, late = np.isnan(before[:, 0]), np.isnan(after[:, 0])
        velocity[early] = (after[early] - position[early]) / _VELOCITY_STEP_S
        velocity[late] = (position[late] - before[late]) / _VELOCITY_STEP_S
        return position, velocity


class ClockTable:
    """Satellite clocks, linear between their epochs.

    Parameters
    ----------
    clocks : of a clock file, or of an orbit file
    maximum_step_s : a gap longer than this is not bridged
    """

    def __init__(self, clocks: SatelliteClocks | SatelliteOrbits) -> None:
        self.satellites = clocks.satellites
        self.epoch_ns = clocks.epochs.tai_ns
        self.clock_s = clocks.clock_s
        steps = np.diff(self.epoch_ns)
        self.step_s = float(np.min(steps)) / 1e9 if steps.size else 0.0

    def at(self, epoch_ns: IntArray, offset_s: FloatArray, satellite_index: IntArray) -> FloatArray:
        """Clock (n,) in seconds at `epoch_ns + offset_s`; NaN outside the table and in its gaps.

        Past the last epoch a clock is carried on for less than one step (a signal of the first epoch left
        the satellite 0.07 s before it): the error is that of the clock's noise over that time.
        """
        before = (
            np.searchsorted(self.epoch_ns, epoch_ns + np.floor(offset_s * 1e9).astype(np.int64), "right") - 1
        )
        inside = (before >= -1) & (before < self.epoch_ns.size)
        before = np.clip(before, 0, self.epoch_ns.size - 2)
        start = self.epoch_ns[before]
        span = (self.epoch_ns[before + 1] - start) / 1e9
        fraction = ((epoch_ns - start) / 1e9 + offset_s) / span
        left = self.clock_s[before, satellite_index]
        right = self.clock_s[before + 1, satellite_index]
        value = left + fraction * (right - left)
        # Within 0.2 s of an epoch that epoch's own value and the rate are enough of the truth.
        near_left = np.abs(fraction * span) < 0.2
        near_right = np.abs((1.0 - fraction) * span) < 0.2
        value = np.where(near_left & np.isnan(value), left, value)
        value = np.where(near_right & np.isnan(value), right, value)
        bad = ~inside | (fraction < -0.2 / span) | (fraction > 1.0 + 0.2 / span) | (span > 1.5 * self.step_s)
        return np.where(bad, np.nan, value)


def satellite_lookup(wanted: tuple[str, ...], table: tuple[str, ...]) -> IntArray:
    """Index of each wanted satellite in a table's list, -1 where absent."""
    place = {name: i for i, name in enumerate(table)}
    return np.array([place.get(name, -1) for name in wanted], dtype=np.int64)


def epochs_span_s(epochs: Epochs) -> float:
    """Seconds from the first to the last epoch."""
    return float(epochs.tai_ns[-1] - epochs.tai_ns[0]) / 1e9
