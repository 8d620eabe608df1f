"""Residuals, their tests, and what the tests can find: of single numbers, and of whole vectors.

For a cluster with covariance C, weight P = C^-1 and adjusted cofactor A Q A', the residuals' cofactor is
Qvv = C - A Q A'. An error in one number of a correlated cluster shows in all its residuals, so the test and
the reliability of that number rest on P Qvv P and not on its own residual (Baarda 1968; Wang and Chen 1994,
Acta Geodaetica et Cartographica Sinica 23:42-51):

    w = (P v)_i / sqrt((P Qvv P)_ii),  minimal detectable bias = delta0 / sqrt((P Qvv P)_ii)

A vector's three components are tested together: T^2 = (Pv)' (P Qvv P)^-1 (Pv), chi-square with 3 degrees.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.adjustment.least_squares import UNCONTROLLED_REDUNDANCY
from datum.network.blocks import CHUNK_CLUSTERS, Cofactors, LinearBlock

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]

_LARGEST_BATCH_NUMBERS: Final = 3_000_000  # of one array of a chunk: 24 MB


@dataclass(frozen=True, eq=False)
class BlockStatistics:
    """Of each number of a block (m, r): as in `ResidualTable`; and of each item (m, q), q items of a cluster.

    information : (P Qvv P)_ii, 0 where not controlled; external : sqrt of (P A Q A' P)_ii
    item_square : T^2 of the item; item_rank : (m, q) its degrees; item_size : numbers tested together
    """

    item_size: int
    residual: FloatArray
    sigma: FloatArray
    sigma_adjusted: FloatArray
    sigma_residual: FloatArray
    redundancy: FloatArray
    w: FloatArray
    information: FloatArray
    external: FloatArray
    item_square: FloatArray
    item_rank: FloatArray


def item_size(part: LinearBlock) -> int:
    """Numbers of a block that belong to one item: 3 of a vector, 1 of an angle."""
    items = part.block.item[0]
    return int(np.count_nonzero(items == items[0]))


def block_statistics(
    part: LinearBlock, places: IndexArray, cofactors: Cofactors, *, used: bool
) -> BlockStatistics:
    """Statistics of a block at the adjusted values; `used` False predicts those of rejected observations."""
    m, r, s, _ = part.design.shape
    chunk = max(1, min(CHUNK_CLUSTERS, _LARGEST_BATCH_NUMBERS // max(r, 3 * s) ** 2))
    pieces = [
        _chunk(part, places, cofactors, slice(start, start + chunk), used) for start in range(0, m, chunk)
    ]
    columns = [np.concatenate(column) for column in zip(*pieces, strict=True)]
    return BlockStatistics(item_size(part), *columns)


def _chunk(
    part: LinearBlock, places: IndexArray, cofactors: Cofactors, rows: slice, used: bool
) -> tuple[FloatArray, ...]:
    design = part.design[rows]
    m, r, s, _ = design.shape
    flat = design.reshape(m, r, 3 * s)
    of_nodes = cofactors.of_clusters(part.block.nodes[rows], places[rows])
    adjusted = flat @ of_nodes @ flat.transpose(0, 2, 1)
    covariance, weight = part.block.covariance[rows], part.block.weight[rows]
    residual = part.misclosure[rows]
    sigma = np.sqrt(np.einsum("mii->mi", covariance))
    sigma_adjusted = np.sqrt(np.maximum(np.einsum("mii->mi", adjusted), 0.0))
    size = item_size(part)
    q = r // size
    if not used:
        total = covariance + adjusted
        sigma_residual = np.sqrt(np.einsum("mii->mi", total))
        square = _item_squares(residual, total, size)
        zero = np.zeros((m, r))
        return (
            residual,
            sigma,
            sigma_adjusted,
            sigma_residual,
            zero,
            residual / sigma_residual,
            zero,
            zero,
            square,
            np.full((m, q), float(size)),
        )
    residual_cofactor = covariance - adjusted
    by_weight = residual_cofactor @ weight
    redundancy = np.einsum("mii->mi", by_weight)
    controlled = redundancy > UNCONTROLLED_REDUNDANCY
    diagonal = np.einsum("mii->mi", residual_cofactor)
    sigma_residual = np.where(
        diagonal > UNCONTROLLED_REDUNDANCY * sigma**2, np.sqrt(np.maximum(diagonal, 0.0)), 0.0
    )
    information = weight @ by_weight  # P Qvv P
    pulled = np.einsum("mrq,mq->mr", weight, residual)
    own = np.einsum("mii->mi", information)
    own_weight = np.einsum("mii->mi", weight)
    controlled &= own > UNCONTROLLED_REDUNDANCY * own_weight
    own = np.where(controlled, own, 0.0)
    w = np.divide(pulled, np.sqrt(own), out=np.zeros_like(own), where=controlled)
    # Shift of the unknowns, in their own sigmas, by a bias of one: sqrt((P A Q A' P)_ii).
    external = np.sqrt(np.maximum(own_weight - own, 0.0))
    if size == 1:
        square, rank = w**2, controlled.astype(np.float64)
    else:
        square, rank = _item_tests(pulled, information, own_weight, size)
    return (
        residual,
        sigma,
        sigma_adjusted,
        sigma_residual,
        np.where(controlled, redundancy, 0.0),
        w,
        own,
        external,
        square,
        rank,
    )


def _diagonal_blocks(matrix: FloatArray, size: int) -> FloatArray:
    """Blocks (m, q, size, size) on the diagonal of (m, r, r)."""
    m, r, _ = matrix.shape
    q = r // size
    spread = matrix.reshape(m, q, size, q, size)
    return np.asarray(np.einsum("mqaqb->mqab", spread))


def _item_tests(
    pulled: FloatArray, information: FloatArray, weight: FloatArray, size: int
) -> tuple[FloatArray, FloatArray]:
    """T^2 and rank (m, q) of the items; directions that nothing controls are left out."""
    m, r = pulled.shape
    scale = 1.0 / np.sqrt(weight.reshape(m, r // size, size))
    blocks = _diagonal_blocks(information, size) * scale[..., :, None] * scale[..., None, :]
    eigenvalues, vectors = np.linalg.eigh(blocks)
    along = np.einsum("mqab,mqa->mqb", vectors, pulled.reshape(m, r // size, size) * scale)
    controlled = eigenvalues > UNCONTROLLED_REDUNDANCY
    square = np.divide(along**2, eigenvalues, out=np.zeros_like(along), where=controlled).sum(axis=-1)
    return square, controlled.sum(axis=-1).astype(np.float64)


def _item_squares(residual: FloatArray, covariance: FloatArray, size: int) -> FloatArray:
    """v' C^-1 v (m, q) of items."""
    m, r = residual.shape
    blocks = _diagonal_blocks(covariance, size)
    parts = residual.reshape(m, r // size, size)
    return np.asarray(np.einsum("mqa,mqa->mq", parts, np.linalg.solve(blocks, parts[..., None])[..., 0]))
