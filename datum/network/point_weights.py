"""Given coordinates as observations: the WEIGHTED components of points."""

import numpy as np
from numpy.typing import NDArray

from datum.network.blocks import ObservationBlock, inverse_covariances
from datum.network.observations import ComponentRole, NetworkPoint, PlanePoint
from datum.network.unknowns import Unknowns
from transforms.errors import InputError

FloatArray = NDArray[np.float64]

POINT_WEIGHTS = -1  # the cluster number of given coordinates; their item is the point


def point_weight_blocks(
    points: tuple[NetworkPoint | PlanePoint, ...], unknowns: Unknowns, given: FloatArray
) -> list[ObservationBlock]:
    """Blocks of points that share the pattern of weighted components; given : (n, 3) coordinates."""
    patterns: dict[tuple[int, ...], list[int]] = {}
    for node, point in enumerate(points):
        weighted = tuple(c for c, role in enumerate(point.roles) if role is ComponentRole.WEIGHTED)
        if not weighted:
            continue
        if point.weight_covariance_m2 is None:
            raise InputError(f"{point.name}: weighted, and no covariance says how much")
        patterns.setdefault(weighted, []).append(node)
    return [_block(points, unknowns, given, pattern, nodes) for pattern, nodes in patterns.items()]


def _block(
    points: tuple[NetworkPoint | PlanePoint, ...],
    unknowns: Unknowns,
    given: FloatArray,
    pattern: tuple[int, ...],
    of_nodes: list[int],
) -> ObservationBlock:
    nodes, axes = np.array(of_nodes, dtype=np.intp), np.array(pattern)
    covariance = np.array(
        [np.asarray(points[i].weight_covariance_m2, dtype=np.float64)[np.ix_(axes, axes)] for i in of_nodes]
    )
    derivatives = unknowns.axes[nodes][:, axes][:, :, None, :]
    held = given[nodes]

    def evaluate(values: FloatArray) -> tuple[FloatArray, FloatArray]:
        return derivatives, np.einsum("mrk,mk->mr", derivatives[:, :, 0], held - values[nodes])

    m, r = nodes.size, axes.size
    return ObservationBlock(
        nodes=nodes[:, None],
        covariance=covariance,
        weight=inverse_covariances(covariance, lambda i: f"given coordinates of {points[of_nodes[i]].name}"),
        cluster=np.full((m, r), POINT_WEIGHTS),
        item=np.repeat(nodes[:, None], r, axis=1),
        component=np.broadcast_to(axes, (m, r)),
        evaluate=evaluate,
        linear=True,
        scale_m=np.ones((m, r)),
    )
