"""Satellite positions and clocks at any instant, from tables."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.records import SatelliteClocks, SatelliteOrbits
from transforms.constants import EARTH_ROTATION_RATE_RAD_PER_S

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_NODES: Final = 11  # degree 10: below 1 mm for 5-minute tables, below 1 cm for 15 minutes (Schenewerk 2003)
_ON_A_NODE: Final = 1e-11
_CLOCK_NODES: Final = 5  # fewer tell nothing of a clock's noise
_MEDIAN_TO_SIGMA: Final = 1.4826  # of a normal distribution


# Barycentric weights of equally spaced nodes: (-1)^j binomial(n, j) (Berrut and Trefethen 2004, eq. 5.1).
_BARYCENTRIC: Final = np.array([(-1.0) ** j * math.comb(_NODES - 1, j) for j in range(_NODES)])


def _lagrange_weights(u: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weights of nodes 0.._NODES-1 at coordinates u (n,), and their derivatives by u; both (n, _NODES)."""
    differences = u[:, None] - np.arange(_NODES)
    # On a node the formula divides by zero: 1e-11 of a step beside it is below a nanometre away.
    differences = np.where(np.abs(differences) < _ON_A_NODE, _ON_A_NODE, differences)
    weights = _BARYCENTRIC / differences
    weights /= np.sum(weights, axis=1, keepdims=True)
    inverse = 1.0 / differences
    rates = weights * (np.sum(inverse, axis=1, keepdims=True) - inverse)
    nearest = np.argmin(np.abs(differences), axis=1)
    rows = np.arange(u.size)
    # The nearest node's rate is the difference of two large numbers; all rates add up to nothing.
    rates[rows, nearest] = 0.0
    rates[rows, nearest] = -np.sum(rates, axis=1)
    return weights, rates


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

    def positions_and_velocities(
        self, epoch_ns: IntArray, offset_s: FloatArray, satellite_index: IntArray
    ) -> tuple[FloatArray, FloatArray]:
        """Positions (n, 3), m, and inertial velocities (n, 3), m/s, at `epoch_ns + offset_s` (TAI).

        Both in the axes of the terrestrial frame at that instant; the velocity does not turn with it. NaN
        where a node of the window is missing, or the instant lies outside the table. The nodes are turned
        into one quasi-inertial frame first, in which the orbit is smoother.
        """
        seconds = (epoch_ns - self.start_ns) / 1e9 + offset_s
        step = self.step_ns / 1e9
        coordinate = seconds / step
        first = np.clip(np.floor(coordinate).astype(np.int64) - _NODES // 2, 0, self._count - _NODES)
        u = coordinate - first
        weights, rates = _lagrange_weights(u)
        nodes = first[:, None] + np.arange(_NODES)
        values = self._position[nodes, satellite_index[:, None]]
        angle = EARTH_ROTATION_RATE_RAD_PER_S * step * (np.arange(_NODES) - u[:, None])
        cosine, sine = np.cos(angle), np.sin(angle)
        turned = np.stack(
            [
                cosine * values[..., 0] - sine * values[..., 1],
                sine * values[..., 0] + cosine * values[..., 1],
                values[..., 2],
            ],
            axis=-1,
        )
        outside = (coordinate < -1e-9) | (coordinate > self._count - 1 + 1e-9)
        turned[outside] = np.nan
        position = np.einsum("nj,njk->nk", weights, turned)
        velocity = np.einsum("nj,njk->nk", rates, turned) / step
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

    def interpolation_variance_s2(
        self, epoch_ns: IntArray, satellite_index: IntArray, used_index: IntArray
    ) -> FloatArray:
        """Variance (n,), s^2, of what a straight line between two tabulated epochs misses of a clock.

        The frequency noise of a satellite's clock is white over minutes, so that its time wanders at random:
        between two known values a span of T apart it departs from the line by q T f (1 - f) at the fraction
        f, while its second differences at T have the variance 2 q T. These are taken from the table, by
        their median, so that a jump does not spoil them.

        Parameters
        ----------
        epoch_ns : (n,); satellite_index : (n,) rows of used_index; used_index : (m,) columns of the table
        """
        if self.epoch_ns.size < _CLOCK_NODES:
            return np.zeros(epoch_ns.size)
        clock = self.clock_s[:, np.maximum(used_index, 0)]
        bend = np.abs(clock[2:] - 2.0 * clock[1:-1] + clock[:-2])
        known = np.any(np.isfinite(bend), axis=0)
        sigma = np.zeros(used_index.size)
        sigma[known] = _MEDIAN_TO_SIGMA * np.nanmedian(bend[:, known], axis=0)
        after = np.clip(np.searchsorted(self.epoch_ns, epoch_ns, "left"), 1, self.epoch_ns.size - 1)
        span = self.epoch_ns[after] - self.epoch_ns[after - 1]
        fraction = np.clip((epoch_ns - self.epoch_ns[after - 1]) / span, 0.0, 1.0)
        return np.asarray(0.5 * sigma[satellite_index] ** 2 * fraction * (1.0 - fraction))


def satellite_lookup(wanted: tuple[str, ...], table: tuple[str, ...]) -> IntArray:
    """Index of each wanted satellite in a table's list, -1 where absent."""
    place = {name: i for i, name in enumerate(table)}
    return np.array([place.get(name, -1) for name in wanted], dtype=np.int64)
