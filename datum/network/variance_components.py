"""Variance components of groups of observations (Foerstner 1979, Z. Vermessungswesen 104:149-156).

The factor of a group is v'Pv of the group over its share of the redundancy, tr(Qvv P); iterated until all
are 1 this is the Helmert estimate.
"""

from collections.abc import Sequence

import numpy as np

from datum.network.blocks import ObservationBlock
from datum.network.network_blocks import group_of
from datum.network.observations import Network
from datum.network.point_weights import POINT_WEIGHTS
from datum.network.reliability import BlockStatistics

# A group with less redundancy than this says nothing of its variance.
_LEAST_REDUNDANCY = 1.0


def component_factors(
    network: Network, blocks: Sequence[ObservationBlock], statistics: Sequence[BlockStatistics]
) -> dict[str, float]:
    """Factor of each group's variances, 1 where its redundancy is too small to tell."""
    square: dict[str, float] = {}
    redundancy: dict[str, float] = {}
    for block, of_block in zip(blocks, statistics, strict=True):
        pulled = np.einsum("mrq,mq->mr", block.weight, of_block.residual)
        of_row = (pulled * of_block.residual).sum(axis=1)
        share = of_block.redundancy.sum(axis=1)
        for number in np.unique(block.cluster[:, 0]):
            rows = block.cluster[:, 0] == number
            group = group_of(network, int(number))
            square[group] = square.get(group, 0.0) + float(of_row[rows].sum())
            redundancy[group] = redundancy.get(group, 0.0) + float(share[rows].sum())
    return {
        group: square[group] / redundancy[group]
        if redundancy[group] > _LEAST_REDUNDANCY and square[group] > 0.0
        else 1.0
        for group in sorted(square)
        if group != group_of(network, POINT_WEIGHTS)
    }
