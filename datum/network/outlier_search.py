"""Gross errors of a network: tested one item at a time, or met first by a robust adjustment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2
from scipy.stats import f as fisher

from datum.network.blocks import LinearBlock, ObservationBlock, linearise, normal_matrix
from datum.network.datum_defect import datum_conditions
from datum.network.gauss_newton import DIVERGED_M, NetworkSystem, datum_step, rescaled
from datum.network.multifrontal import BlockFactor
from datum.network.network_blocks import Item
from datum.network.reliability import BlockStatistics, item_size
from transforms.errors import AdjustmentError

FloatArray = NDArray[np.float64]
Progress = Callable[[str], None]

# Residuals below this many sigmas keep their full weight (Huber 1981, Robust Statistics, k = 1.5 to 2).
_HUBER_SIGMAS: Final = 1.5
_ROBUST_ROUNDS: Final = 30
# Then weights that fall to nothing, exp(-(s / 3)^2) (the Danish method: Krarup, Juhl and Kubik 1980), so that
# an error no longer pulls at its neighbours; but sigmas grow 1e4 times at most, lest a station float.
_DANISH_SIGMAS: Final = 3.0
_DANISH_ROUNDS: Final = 15
_GREATEST_FACTOR: Final = 1e4
_ROBUST_CONVERGENCE_M: Final = 1e-4
_MEDIAN_OF_NORMAL: Final = 0.6745  # of the absolute value of a standard normal variable


class SearchOptions(Protocol):
    """What the tests need to know."""

    @property
    def significance(self) -> float:
        """Of one test."""

    @property
    def snooping(self) -> str:
        """'none', 'baarda' or 'tau'."""


@dataclass(frozen=True)
class Suspects:
    """Items to reject: (statistic, limit), as square roots of T^2; n_failing : items beyond the limit."""

    items: dict[Item, tuple[float, float]]
    n_failing: int


def _statistic_and_limit(
    square: FloatArray, rank: FloatArray, options: SearchOptions, chi_square: float, degrees_of_freedom: int
) -> tuple[FloatArray, FloatArray]:
    """T^2, or Fisher's ratio times its rank where the a posteriori variance counts, and its limit."""
    ranks = np.arange(1, int(rank.max(initial=1.0)) + 1)
    place = np.maximum(rank.astype(np.intp), 1) - 1
    if options.snooping != "tau":
        return square, np.asarray(chi2.isf(options.significance, ranks))[place]
    free = degrees_of_freedom - ranks
    rest = np.maximum(degrees_of_freedom - rank, 1.0)
    variance = np.maximum(chi_square - square, 0.0) / rest
    # Without this item the others may fit exactly: then any residual of it is infinitely improbable.
    ratio = np.divide(square, variance, out=np.full_like(square, np.inf), where=variance > 0.0)
    limit = ranks * np.asarray(fisher.isf(options.significance, ranks, np.maximum(free, 1)))
    return ratio, limit[place]


def find_suspects(
    blocks: Sequence[ObservationBlock],
    statistics: Sequence[BlockStatistics],
    options: SearchOptions,
    chi_square: float,
    degrees_of_freedom: int,
) -> Suspects:
    """Items that fail their test, each the worst of those that share a point with it.

    An error spreads into the residuals of its neighbours: only the greatest of them is rejected in a round.
    """
    failing: list[tuple[float, float, Item, frozenset[int]]] = []
    for block, of_block in zip(blocks, statistics, strict=True):
        if not of_block.item_square.size:
            continue
        value, limit = _statistic_and_limit(
            of_block.item_square, of_block.item_rank, options, chi_square, degrees_of_freedom
        )
        # Given coordinates and normal equations are not single observations that could be left out.
        listed = (block.cluster[:, :: of_block.item_size] >= 0) & (of_block.item_rank > 0)
        for m, q in zip(*np.nonzero((value > limit) & listed), strict=True):
            r = int(q) * of_block.item_size
            nodes = frozenset(block.nodes[m].tolist())
            item = (int(block.cluster[m, r]), int(block.item[m, r]))
            failing.append((float(value[m, q]), float(limit[m, q]), item, nodes))
    failing.sort(key=lambda entry: (-entry[0] / entry[1], entry[2]))
    taken: set[int] = set()
    items: dict[Item, tuple[float, float]] = {}
    for value_of, limit_of, item, nodes in failing:
        if taken & nodes:
            taken |= nodes
            continue
        taken |= nodes
        items[item] = (float(np.sqrt(value_of)), float(np.sqrt(limit_of)))
    return Suspects(items, len(failing))


def readmitted(
    blocks: Sequence[ObservationBlock],
    statistics: Sequence[BlockStatistics],
    options: SearchOptions,
    chi_square: float,
    degrees_of_freedom: int,
) -> list[Item]:
    """Rejected items whose predicted residuals now pass their test: another error had hit them."""
    back: list[Item] = []
    factor = chi_square / degrees_of_freedom if options.snooping == "tau" and degrees_of_freedom > 0 else 1.0
    for block, of_block in zip(blocks, statistics, strict=True):
        limit = chi2.isf(options.significance, of_block.item_size) * max(factor, np.finfo(float).tiny)
        for m, q in zip(*np.nonzero(of_block.item_square < limit), strict=True):
            r = int(q) * of_block.item_size
            back.append((int(block.cluster[m, r]), int(block.item[m, r])))
    return back


@dataclass(frozen=True, eq=False)
class RobustStart:
    """Values (n, 3) that gross errors hardly influence, and the items that contradict them."""

    values: FloatArray
    items: dict[Item, tuple[float, float]]


def robust_rejections(
    system: NetworkSystem, start: FloatArray, significance: float, progress: Progress | None
) -> RobustStart:
    """Iterate with weights that fall with the residual (Huber, then Danish), then name what lies far out.

    Residuals are measured by the item's own covariance and, where all sigmas are too small, by their median.
    """
    values = start.copy()
    factors = [np.ones(block.cluster.shape) for block in system.blocks]
    sizes: list[FloatArray] = []
    scale = 1.0
    huber = True
    for number in range(1, _ROBUST_ROUNDS + _DANISH_ROUNDS + 1):
        blocks = [rescaled(b, f) for b, f in zip(system.blocks, factors, strict=True)]
        linear = [linearise(block, system.unknowns, values) for block in blocks]
        matrix, right_side = normal_matrix(linear, system.pattern, system.unknowns)
        factor = BlockFactor(matrix, system.tree)
        conditions = datum_conditions(system.unknowns, values, matrix, factor, system.datum)
        movement = datum_step(system, factor, conditions, right_side, values)
        values = values + movement
        moved_m = float(np.abs(movement[: system.unknowns.n_points]).max(initial=0.0))
        if not moved_m < DIVERGED_M:
            raise AdjustmentError(
                f"the robust start did not converge: round {number} moved a point by {moved_m:.3g} m; "
                "approximate coordinates are wrong"
            )
        plain = [linearise(block, system.unknowns, values) for block in system.blocks]
        sizes = [_item_sizes(part) for part in plain]
        every = np.concatenate([size.ravel() for size in sizes])
        scale = max(float(np.median(every)) / _MEDIAN_OF_NORMAL, 1.0)
        factors = [
            np.repeat(_sigma_factor(size / scale, huber), item_size(part), axis=1)
            for size, part in zip(sizes, plain, strict=True)
        ]
        if progress is not None:
            progress(f"robust round {number}: greatest correction {moved_m:.4f} m")
        if moved_m < _ROBUST_CONVERGENCE_M or number == _ROBUST_ROUNDS:
            if not huber:
                break
            huber = False
    return RobustStart(values, _far_items(system, sizes, scale, significance))


def _sigma_factor(size: FloatArray, huber: bool) -> FloatArray:
    """What an item's sigmas are multiplied by, from its residuals in sigmas."""
    if huber:
        return np.sqrt(np.maximum(size / _HUBER_SIGMAS, 1.0))
    within = size <= _HUBER_SIGMAS
    exponent = np.minimum(0.5 * (size / _DANISH_SIGMAS) ** 2, np.log(_GREATEST_FACTOR))
    return np.where(within, 1.0, np.exp(exponent))


def _far_items(
    system: NetworkSystem, sizes: Sequence[FloatArray], scale: float, significance: float
) -> dict[Item, tuple[float, float]]:
    """Items beyond their limit, farthest first, but never the last that holds a node."""
    held = np.zeros(system.unknowns.n_nodes, dtype=np.intp)
    far: list[tuple[float, float, Item, NDArray[np.intp]]] = []
    for block, size in zip(system.blocks, sizes, strict=True):
        per_item = block.cluster.shape[1] // size.shape[1]
        np.add.at(held, block.nodes.ravel(), size.shape[1])
        limit = float(np.sqrt(chi2.isf(significance, per_item) / per_item)) * scale
        for m, q in zip(*np.nonzero((size > limit) & (block.cluster[:, ::per_item] >= 0)), strict=True):
            r = int(q) * per_item
            item = (int(block.cluster[m, r]), int(block.item[m, r]))
            far.append((float(size[m, q]), limit, item, block.nodes[m]))
    far.sort(key=lambda entry: (-entry[0] / entry[1], entry[2]))
    items: dict[Item, tuple[float, float]] = {}
    unknown = system.unknowns.sizes > 0
    for value, limit, item, nodes in far:
        if np.all(held[nodes[unknown[nodes]]] > 1):
            held[nodes] -= 1
            items[item] = (value, limit)
    return items


def _item_sizes(part: LinearBlock) -> FloatArray:
    """Root mean square of each item's residuals in their own sigmas, (m, q)."""
    size = item_size(part)
    m, r = part.misclosure.shape
    covariance = part.block.covariance.reshape(m, r // size, size, r // size, size)
    blocks = np.einsum("mqaqb->mqab", covariance)
    parts = part.misclosure.reshape(m, r // size, size)
    square = np.einsum("mqa,mqa->mq", parts, np.linalg.solve(blocks, parts[..., None])[..., 0])
    return np.asarray(np.sqrt(square / size))
