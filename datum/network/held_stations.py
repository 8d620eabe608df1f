"""Whether the stations that hold a network contradict its observations: a datum that is over-constrained.

Held coordinates beyond what the datum needs are observations without error. The network is adjusted once more
with minimal constraints on the same stations: if the square sum falls by more than the freed components
explain, the held coordinates do not fit the observations (Baarda 1968, chapter 4; the variance factor of the
free adjustment stands for the observations' own quality).
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.network.adjust import NetworkOptions, adjust_network
from datum.network.observations import (
    ComponentRole,
    DatumKind,
    Geometry,
    Network,
    NetworkAdjustment,
    NetworkDatum,
)
from datum.network.testing import chi_square_limit
from transforms.errors import AdjustmentError

FloatArray = NDArray[np.float64]

_HOLDING: Final = frozenset({ComponentRole.FIXED, ComponentRole.WEIGHTED})
_SIGNIFICANCE: Final = 0.001  # as for one observation, Baarda (1968)
_MOST_NAMED: Final = 5
_MILLIMETRES: Final = 1e3


@dataclass(frozen=True, eq=False)
class HeldStations:
    """The contradiction between held coordinates and observations.

    statistic, limit : drop of the square sum over the free variance factor, and its chi-square limit
    discrepancy_m : station -> (3,) minimally constrained minus held, in the adjustment's components
    """

    statistic: float
    limit: float
    n_freed: int
    free_sigma_zero: float
    discrepancy_m: dict[str, FloatArray]

    def words(self, geometry: Geometry) -> str:
        """One sentence: what contradicts, and by how much."""
        names = ("E", "N", "U") if geometry is Geometry.EARTH else ("x", "y", "h")
        worst = sorted(self.discrepancy_m.items(), key=lambda item: -float(np.linalg.norm(item[1])))
        shown = "; ".join(
            f"{station} "
            + ", ".join(
                f"{name} {value * _MILLIMETRES:+.1f}"
                for name, value in zip(names, offset, strict=True)
                if np.isfinite(value)
            )
            + " mm"
            for station, offset in worst[:_MOST_NAMED]
        )
        return (
            f"the network is over-constrained: the coordinates of its {len(self.discrepancy_m)} held "
            f"stations contradict the observations (statistic {self.statistic:.1f}, limit {self.limit:.1f}; "
            f"with minimal constraints sigma zero is {self.free_sigma_zero:.4g}); farthest from where the "
            f"observations put them: {shown}"
        )


def contradictions_of_held_stations(
    network: Network, adjusted: NetworkAdjustment, options: NetworkOptions | None = None
) -> HeldStations | None:
    """The contradiction of held coordinates; None where there is none, or nothing to free.

    adjusted : of `network` with its own datum
    """
    held = [point.name for point in adjusted.points if _HOLDING & set(point.roles)]
    if len(held) < 2 or adjusted.degrees_of_freedom <= 0:
        return None
    own = NetworkOptions() if options is None else options
    try:
        free = adjust_network(
            replace(network, datum=NetworkDatum(DatumKind.MINIMAL, tuple(held))),
            replace(own, snooping="none", robust=False, variance_components=False),
        )
    except AdjustmentError:
        return None  # held stations that carry no minimal datum hold no more than they must
    freed = adjusted.degrees_of_freedom - free.degrees_of_freedom
    if freed <= 0:
        return None
    factor = max(free.sigma_zero, 1.0) if free.degrees_of_freedom > 0 else 1.0
    statistic = (adjusted.chi_square - free.chi_square) / factor
    limit = chi_square_limit(freed, _SIGNIFICANCE)
    if statistic <= limit:
        return None
    names = set(held)
    return HeldStations(
        statistic,
        limit,
        freed,
        free.sigma_zero,
        {point.name: point.correction_m for point in free.points if point.name in names},
    )
