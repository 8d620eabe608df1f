"""Observation equations in blocks of one shape, and the normal equations they add up to.

A block holds m clusters alike: each has r observed numbers that share a covariance and s nodes. A thousand
single GNSS vectors are one block of r = 3, s = 2; a session of 40 correlated vectors is a block of m = 1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datum.network.multifrontal import BlockMatrix
from datum.network.unknowns import Unknowns
from transforms.errors import AdjustmentError

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]
# From the values of all nodes (n, 3): derivatives (m, r, s, 3) by the position coordinates of the block's
# nodes, and the misclosures (m, r), observed minus computed.
Evaluate = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
CHUNK_CLUSTERS = 65536


@dataclass(frozen=True, eq=False)
class ObservationBlock:
    """m clusters of one shape.

    nodes : (m, s); covariance, weight : (m, r, r), inverse of each other
    cluster, item, component : (m, r), where each number stands in the network (component 0 to 2)
    linear : whether derivatives do not depend on the values
    scale_m : (m, r) metres that one unit of the number means, for judging misclosures: 1 of lengths, the
        distance of angles
    """

    nodes: IndexArray
    covariance: FloatArray
    weight: FloatArray
    cluster: IndexArray
    item: IndexArray
    component: IndexArray
    evaluate: Evaluate
    linear: bool
    scale_m: FloatArray

    @property
    def n_observations(self) -> int:
        """Numbers observed."""
        return int(self.cluster.size)


def inverse_covariances(covariance: FloatArray, names: Callable[[int], str]) -> FloatArray:
    """Inverses of covariances (m, r, r); AdjustmentError naming the first that is not positive definite.

    Scaled to unit diagonals first, so that clusters of lengths and angles are judged alike.
    """
    variances = np.einsum("mii->mi", covariance)
    bad = ~np.isfinite(covariance).all(axis=(1, 2)) | (variances <= 0.0).any(axis=1)
    if not bad.any():
        scale = 1.0 / np.sqrt(variances)
        scaled = covariance * scale[:, :, None] * scale[:, None, :]
        try:
            lower = np.linalg.cholesky(scaled)
        except np.linalg.LinAlgError:
            bad = np.array([np.linalg.eigvalsh(part)[0] <= 0.0 for part in scaled])
            if not bad.any():
                bad[int(np.argmin([np.linalg.eigvalsh(part)[0] for part in scaled]))] = True
        else:
            half = np.linalg.inv(lower)
            inverse = half.transpose(0, 2, 1) @ half
            return np.asarray(inverse * scale[:, :, None] * scale[:, None, :])
    which = int(np.argmax(bad))
    raise AdjustmentError(f"{names(which)}: its covariance is not positive definite")


@dataclass(frozen=True, eq=False)
class LinearBlock:
    """A block at given values: design (m, r, s, 3) by the nodes' packed unknowns, misclosure (m, r)."""

    block: ObservationBlock
    design: FloatArray
    misclosure: FloatArray


def evaluated(
    block: ObservationBlock, unknowns: Unknowns, values: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Derivatives (m, r, s, 3) by position coordinates and misclosures (m, r) at the nodes' values (n, 3).

    Raises AdjustmentError where a sight has no length, so that it has no direction either.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        derivatives, misclosure = block.evaluate(values)
    if not block.linear:
        finite = np.isfinite(derivatives).all(axis=(1, 2, 3)) & np.isfinite(misclosure).all(axis=1)
        for m in np.flatnonzero(~finite):
            names = ", ".join(unknowns.names[node] for node in block.nodes[m] if node < unknowns.n_points)
            raise AdjustmentError(f"an observation between {names} has no length: two of them coincide")
    return derivatives, misclosure


def linearise(block: ObservationBlock, unknowns: Unknowns, values: FloatArray) -> LinearBlock:
    """The equations of a block at the nodes' values (n, 3)."""
    derivatives, misclosure = evaluated(block, unknowns, values)
    design = np.matmul(derivatives.transpose(0, 2, 1, 3), unknowns.directions[block.nodes])
    return LinearBlock(block, design.transpose(0, 2, 1, 3), misclosure)


@dataclass(frozen=True, eq=False)
class PairPattern:
    """Which pairs of nodes the blocks join.

    pairs : (p, 2), first less than second, each once
    places : for each block (m, s, s) the pair's place, n_pairs where both are one node or one has no unknown
    """

    pairs: IndexArray
    places: tuple[IndexArray, ...]


def pair_pattern(blocks: Sequence[ObservationBlock], unknowns: Unknowns) -> PairPattern:
    """The pattern of the normal matrix of blocks."""
    n = unknowns.n_nodes
    keys: list[IndexArray] = []
    joined: list[NDArray[np.bool_]] = []
    present = unknowns.sizes > 0
    for block in blocks:
        first, second = block.nodes[:, :, None], block.nodes[:, None, :]
        keys.append(np.minimum(first, second) * n + np.maximum(first, second))
        joined.append((first != second) & present[first] & present[second])
    flat = np.concatenate([k[j] for k, j in zip(keys, joined, strict=True)] or [np.empty(0, dtype=np.intp)])
    unique = np.unique(flat)
    places = tuple(
        np.where(j, np.searchsorted(unique, k), unique.size) for k, j in zip(keys, joined, strict=True)
    )
    return PairPattern(np.column_stack([unique // n, unique % n]).astype(np.intp), places)


def normal_matrix(
    linear: Sequence[LinearBlock], pattern: PairPattern, unknowns: Unknowns
) -> tuple[BlockMatrix, FloatArray]:
    """Normal matrix and right side (n, 3, 1)."""
    diagonal = np.zeros((unknowns.n_nodes, 3, 3))
    off_diagonal = np.zeros((len(pattern.pairs) + 1, 3, 3))
    right_side = np.zeros((unknowns.n_nodes, 3))
    for part, place in zip(linear, pattern.places, strict=False):  # spare blocks follow
        m, r, s, _ = part.design.shape
        for start in range(0, m, CHUNK_CLUSTERS):
            rows = slice(start, start + CHUNK_CLUSTERS)
            flat = part.design[rows].reshape(-1, r, 3 * s)
            weighted = part.block.weight[rows] @ flat
            nodes = part.block.nodes[rows]
            square = (flat.transpose(0, 2, 1) @ weighted).reshape(-1, s, 3, s, 3).transpose(0, 1, 3, 2, 4)
            right = np.einsum("mrk,mr->mk", weighted, part.misclosure[rows]).reshape(-1, s, 3)
            _add(right_side, nodes.ravel(), right.reshape(-1, 3))
            same = nodes[:, :, None] == nodes[:, None, :]
            first = np.broadcast_to(nodes[:, :, None], same.shape)
            _add(diagonal, first[same], square[same])
            # Each pair once, as the block whose row is the lesser node.
            upper = first < np.broadcast_to(nodes[:, None, :], same.shape)
            _add(off_diagonal, place[rows][upper], square[upper])
    matrix = BlockMatrix(unknowns.sizes, diagonal, pattern.pairs, off_diagonal[:-1])
    return matrix, right_side[:, :, None]


def _add(total: FloatArray, places: IndexArray, parts: FloatArray) -> None:
    """Add parts (k, ...) to total (n, ...) at places (k,) that may repeat."""
    if not places.size:
        return
    flat, parts = total.reshape(total.shape[0], -1), parts.reshape(len(places), -1)
    for column in range(flat.shape[1]):
        flat[:, column] += np.bincount(places, weights=parts[:, column], minlength=total.shape[0])


@dataclass(frozen=True, eq=False)
class Cofactors:
    """Blocks of the inverse of the normal matrix: diagonal (n, 3, 3), pairs (p + 1, 3, 3), the last zero."""

    diagonal: FloatArray
    pairs: FloatArray

    def of_clusters(self, nodes: IndexArray, places: IndexArray) -> FloatArray:
        """Cofactors (m, 3 s, 3 s) of the nodes (m, s) of clusters whose pairs stand at places (m, s, s)."""
        m, s = nodes.shape
        first, second = nodes[:, :, None], nodes[:, None, :]
        blocks = self.pairs[places]
        blocks = np.where((first > second)[..., None, None], blocks.transpose(0, 1, 2, 4, 3), blocks)
        same = first == second
        blocks[same] = self.diagonal[np.broadcast_to(first, same.shape)[same]]
        return np.asarray(blocks.transpose(0, 1, 3, 2, 4).reshape(m, 3 * s, 3 * s))
