"""The unknowns of a station solution and where each stands in the vector, found by name."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TimeNodes:
    """Nodes of a parameter that runs straight between them: second_s (n,) since the session's start."""

    second_s: FloatArray

    @classmethod
    def over(cls, first_s: float, last_s: float, step_s: float, origin_s: float = 0.0) -> "TimeNodes":
        """Nodes at `origin_s` plus multiples of `step_s` that enclose `first_s` to `last_s`."""
        begin = np.floor((first_s - origin_s) / step_s)
        end = max(np.ceil((last_s - origin_s) / step_s), begin + 1)
        return cls(origin_s + step_s * np.arange(begin, end + 1))

    def weights(self, second_s: FloatArray) -> tuple[IntArray, FloatArray]:
        """Index of the node before (n,) and the share of the node after (n,), 0..1."""
        before = np.searchsorted(self.second_s, second_s, side="right") - 1
        before = np.clip(before, 0, self.second_s.size - 2)
        span = self.second_s[before + 1] - self.second_s[before]
        return before.astype(np.int64), (second_s - self.second_s[before]) / span


@dataclass(frozen=True, eq=False)
class ParameterLayout:
    """Places of the global unknowns.

    static : whether the position is one for the session (else it is local to each epoch)
    zenith, gradient : nodes of the zenith wet delay and of the gradients
    n_arcs : ambiguities, metres of the ionosphere-free combination
    n_satellites : each has a bias of its code against the clocks' reference signals
    """

    static: bool
    zenith: TimeNodes
    gradient: TimeNodes
    n_arcs: int
    n_satellites: int

    @property
    def position(self) -> slice:
        """x, y, z; empty in kinematic mode."""
        return slice(0, 3 if self.static else 0)

    @property
    def zenith_wet_delay(self) -> slice:
        """Zenith wet delay at its nodes, m."""
        start = self.position.stop
        return slice(start, start + self.zenith.second_s.size)

    @property
    def gradient_north(self) -> slice:
        """North gradient at its nodes, m."""
        start = self.zenith_wet_delay.stop
        return slice(start, start + self.gradient.second_s.size)

    @property
    def gradient_east(self) -> slice:
        """East gradient at its nodes, m."""
        start = self.gradient_north.stop
        return slice(start, start + self.gradient.second_s.size)

    @property
    def ambiguity(self) -> slice:
        """Ambiguities of the arcs, m."""
        start = self.gradient_east.stop
        return slice(start, start + self.n_arcs)

    @property
    def code_bias(self) -> slice:
        """Bias of each satellite's ionosphere-free code, m."""
        start = self.ambiguity.stop
        return slice(start, start + self.n_satellites)

    @property
    def size(self) -> int:
        """Number of global unknowns."""
        size: int = self.code_bias.stop
        return size
