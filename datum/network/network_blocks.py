"""A network's clusters to blocks of equations: those in use, and those that were rejected."""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datum.network.blocks import ObservationBlock
from datum.network.gauss_newton import rescaled
from datum.network.gnss_equations import coordinate_block, coordinate_name, vector_blocks, vector_name
from datum.network.normal_equation_blocks import normal_equation_block
from datum.network.observations import (
    CoordinateCluster,
    GnssVectorCluster,
    Network,
    NetworkPoint,
    NormalEquationCluster,
    PlanePoint,
    TerrestrialCluster,
)
from datum.network.point_weights import POINT_WEIGHTS, point_weight_blocks
from datum.network.terrestrial_equations import observation_name, terrestrial_blocks
from datum.network.unknowns import Unknowns

FloatArray = NDArray[np.float64]
Item = tuple[int, int]  # cluster and place in it


@dataclass(frozen=True, eq=False)
class NetworkBlocks:
    """Blocks of a network.

    used, rejected : blocks; added_square_sum, added_observations : what normal equations bring beyond them
    """

    used: tuple[ObservationBlock, ...]
    rejected: tuple[ObservationBlock, ...]
    added_square_sum: float
    added_observations: int


def network_blocks(
    network: Network,
    points: tuple[NetworkPoint | PlanePoint, ...],
    unknowns: Unknowns,
    values: FloatArray,
    given: FloatArray,
    rejected: Set[Item],
) -> NetworkBlocks:
    """All blocks at approximate values (n, 3), those of rejected items apart."""
    used = _blocks(network, unknowns, values, (lambda c, i: (c, i) not in rejected) if rejected else None)
    spare = _blocks(network, unknowns, values, lambda c, i: (c, i) in rejected) if rejected else []
    used += point_weight_blocks(points, unknowns, given)
    square_sum, count = 0.0, 0
    for number, cluster in enumerate(network.clusters):
        if isinstance(cluster, NormalEquationCluster):
            block, left_over, beyond = normal_equation_block(number, cluster, unknowns)
            used.append(block)
            square_sum += left_over
            count += beyond
    return NetworkBlocks(tuple(used), tuple(spare), square_sum, count)


def _blocks(
    network: Network, unknowns: Unknowns, values: FloatArray, keep: Callable[[int, int], bool] | None
) -> list[ObservationBlock]:
    numbered = list(enumerate(network.clusters))
    vectors = [(n, c) for n, c in numbered if isinstance(c, GnssVectorCluster)]
    terrestrial = [(n, c) for n, c in numbered if isinstance(c, TerrestrialCluster) and c.observations]
    blocks = vector_blocks(vectors, unknowns, keep)
    for number, cluster in numbered:
        if isinstance(cluster, CoordinateCluster):
            block = coordinate_block(number, cluster, unknowns, keep)
            if block is not None:
                blocks.append(block)
    return blocks + terrestrial_blocks(terrestrial, unknowns, values, keep)


def scaled_by_group(
    blocks: Sequence[ObservationBlock], network: Network, factors: dict[str, float]
) -> tuple[ObservationBlock, ...]:
    """Blocks with the variances of their groups multiplied."""
    if not factors:
        return tuple(blocks)
    root = np.array([np.sqrt(factors.get(group_of(network, n), 1.0)) for n in range(len(network.clusters))])
    # The last entry serves given coordinates, whose number is -1.
    root = np.append(root, np.sqrt(factors.get(group_of(network, POINT_WEIGHTS), 1.0)))
    return tuple(rescaled(block, root[block.cluster]) for block in blocks)


def group_of(network: Network, cluster: int) -> str:
    """The variance group of a cluster's number."""
    return "given coordinates" if cluster == POINT_WEIGHTS else network.clusters[cluster].group


def item_words(network: Network, unknowns: Unknowns, item: Item) -> tuple[str, str, str, str, int]:
    """Kind, from, to, name, and line of an item."""
    number, place = item
    if number == POINT_WEIGHTS:
        name = unknowns.names[place]
        return "given coordinates", name, "", f"given coordinates of {name}", 0
    cluster = network.clusters[number]
    if isinstance(cluster, GnssVectorCluster):
        line = cluster.line_in_file[place] if cluster.line_in_file else 0
        return "gnss vector", cluster.frm[place], cluster.to[place], vector_name(cluster, place), line
    if isinstance(cluster, CoordinateCluster):
        line = cluster.line_in_file[place] if cluster.line_in_file else 0
        return "position", cluster.stations[place], "", coordinate_name(cluster, place), line
    if isinstance(cluster, TerrestrialCluster):
        o = cluster.observations[place]
        to = f"{o.to}, {o.third}" if o.third else o.to
        return f"{o.kind}", o.frm, to, observation_name(o), o.line_in_file
    return "normal equations", cluster.name, "", cluster.name, 0
