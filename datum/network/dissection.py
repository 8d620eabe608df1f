"""Nested dissection of a network's graph: the order in which its normal equations fill in least.

A set of nodes (stations) whose removal parts the rest in two halves is eliminated last; each half is parted
again, down to small leaves (George 1973, SIAM J. Numer. Anal. 10:345-363). A cut follows the stations'
positions where they are known, else distances along the graph; of the nodes at its two banks the fewest that
touch every edge across form the separator (a minimum vertex cover, from a maximum matching: König's theorem).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order, maximum_bipartite_matching

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]

# Nodes of a leaf: smaller leaves cost calls, greater ones arithmetic.
LEAF_NODES: Final = 40
# A cut that takes a greater share of its nodes than this is compared with one along graph distances.
_WIDE_SEPARATOR: Final = 0.15


@dataclass(frozen=True, eq=False)
class EliminationTree:
    """Fronts of an elimination, children before parents.

    own : of each front, the nodes that it eliminates
    boundary : the later nodes that these touch, in the order of their elimination
    parent : (n_fronts,) or -1 at a root
    front_of : (n_nodes,) the front that eliminates a node; rank : (n_nodes,) its place in the order
    """

    own: tuple[IndexArray, ...]
    boundary: tuple[IndexArray, ...]
    parent: IndexArray
    front_of: IndexArray
    rank: IndexArray


def elimination_tree(
    n_nodes: int, pairs: IndexArray, coordinates: FloatArray | None = None, leaf_nodes: int = LEAF_NODES
) -> EliminationTree:
    """Order n nodes whose edges are pairs (p, 2), each once and not to itself.

    coordinates : (n, d) of the nodes, finite; None orders by the graph alone
    """
    own, parent = _dissect(n_nodes, pairs, coordinates, leaf_nodes)
    # _dissect counts parents before children; the elimination runs the other way.
    count = len(own)
    own = own[::-1]
    parents = np.array([count - 1 - p if p >= 0 else -1 for p in parent[::-1]], dtype=np.intp)
    front_of = np.empty(n_nodes, dtype=np.intp)
    rank = np.empty(n_nodes, dtype=np.intp)
    place = 0
    for front, nodes in enumerate(own):
        front_of[nodes] = front
        rank[nodes] = np.arange(place, place + nodes.size)
        place += nodes.size
    boundary = _boundaries(own, parents, front_of, rank, pairs)
    return EliminationTree(tuple(own), boundary, parents, front_of, rank)


def _dissect(
    n_nodes: int, pairs: IndexArray, coordinates: FloatArray | None, leaf_nodes: int
) -> tuple[list[IndexArray], list[int]]:
    """Separators and leaves with their parents, parents first."""
    own: list[IndexArray] = []
    parent: list[int] = []
    side = np.zeros(n_nodes, dtype=np.int8)
    stack: list[tuple[IndexArray, IndexArray, int]] = [(np.arange(n_nodes), np.asarray(pairs, np.intp), -1)]
    while stack:
        nodes, edges, above = stack.pop()
        if nodes.size == 0:
            continue
        if nodes.size <= leaf_nodes:
            own.append(nodes)
            parent.append(above)
            continue
        separator = _separate(nodes, edges, coordinates, side)
        halves = nodes[side[nodes] == 0], nodes[side[nodes] == 1]
        if (
            max(half.size for half in halves) + separator.size >= nodes.size
            and min(h.size for h in halves) == 0
        ):
            # A clique, or nearly: nothing is parted.
            own.append(nodes)
            parent.append(above)
            continue
        if separator.size:
            own.append(separator)
            parent.append(above)
            above = len(own) - 1
        first, second = side[edges[:, 0]], side[edges[:, 1]]
        for number, half in enumerate(halves):
            inside = edges[(first == number) & (second == number)]
            stack.append((half, inside, above))
    return own, parent


def _separate(
    nodes: IndexArray, edges: IndexArray, coordinates: FloatArray | None, side: NDArray[np.int8]
) -> IndexArray:
    """Mark `side` of the nodes 0 or 1, of the separator 2; returns the separator."""
    separator = None
    if coordinates is not None:
        separator = min(
            (_cut(nodes, edges, scale, side) for scale in _axes(coordinates[nodes])), key=lambda s: s.size
        )
    if separator is None or separator.size > _WIDE_SEPARATOR * nodes.size:
        by_graph = _cut(nodes, edges, _graph_distances(nodes, edges, side.size), side)
        if separator is None or by_graph.size < separator.size:
            return by_graph
    # The last cut tried left its marks: make those of the chosen one again.
    if coordinates is not None:
        for scale in _axes(coordinates[nodes]):
            if np.array_equal(_cut(nodes, edges, scale, side), separator):
                break
    return separator


def _axes(coordinates: FloatArray) -> list[FloatArray]:
    """Coordinates along the two widest principal axes of the nodes, (n,) each."""
    reduced = coordinates - coordinates.mean(axis=0)
    _, vectors = np.linalg.eigh(reduced.T @ reduced)
    return [reduced @ vectors[:, -1 - k] for k in range(min(2, vectors.shape[1]))]


def _graph_distances(nodes: IndexArray, edges: IndexArray, n_all: int) -> FloatArray:
    """Place of each node in a walk of the graph from one of its ends; parts of it follow each other."""
    local = np.empty(n_all, dtype=np.intp)
    local[nodes] = np.arange(nodes.size)
    ends = local[edges]
    graph = csr_matrix(
        (np.ones(2 * len(ends)), (np.r_[ends[:, 0], ends[:, 1]], np.r_[ends[:, 1], ends[:, 0]])),
        shape=(nodes.size, nodes.size),
    )
    place = np.full(nodes.size, -1.0)
    start, base = 0, 0
    while base < nodes.size:
        walk = breadth_first_order(graph, start, directed=False, return_predecessors=False)
        # The last node reached is at one end of the graph: walk again from there.
        walk = breadth_first_order(graph, walk[-1], directed=False, return_predecessors=False)
        place[walk] = np.arange(base, base + walk.size)
        base += walk.size
        if base < nodes.size:
            start = int(np.argmax(place < 0.0))
    return place


def _cut(nodes: IndexArray, edges: IndexArray, scale: FloatArray, side: NDArray[np.int8]) -> IndexArray:
    """Part the nodes at the median of `scale` (n,); the fewest nodes that touch every edge across."""
    half = nodes.size // 2
    order = np.argpartition(scale, half)
    side[nodes[order[:half]]] = 0
    side[nodes[order[half:]]] = 1
    across = edges[side[edges[:, 0]] != side[edges[:, 1]]]
    if not len(across):
        return np.empty(0, dtype=np.intp)
    swapped = side[across[:, 0]] == 1
    left, left_local = np.unique(np.where(swapped, across[:, 1], across[:, 0]), return_inverse=True)
    right, right_local = np.unique(np.where(swapped, across[:, 0], across[:, 1]), return_inverse=True)
    graph = csr_matrix((np.ones(len(across)), (left_local, right_local)), shape=(left.size, right.size))
    separator = _vertex_cover(graph, left, right)
    side[separator] = 2
    return separator


def _vertex_cover(graph: csr_matrix, left: IndexArray, right: IndexArray) -> IndexArray:
    """Fewest nodes that touch every edge of a bipartite graph (König)."""
    column_of_row = maximum_bipartite_matching(graph, perm_type="column")
    row_of_column = np.full(right.size, -1, dtype=np.intp)
    matched = column_of_row >= 0
    row_of_column[column_of_row[matched]] = np.flatnonzero(matched)
    reached_left, reached_right = ~matched, np.zeros(right.size, dtype=bool)
    frontier = reached_left.copy()
    transposed = graph.T.tocsr()
    while frontier.any():
        touched = (transposed @ frontier.astype(np.float64) > 0.0) & ~reached_right
        reached_right |= touched
        rows = row_of_column[touched]
        frontier = np.zeros(left.size, dtype=bool)
        frontier[rows[rows >= 0]] = True
        frontier &= ~reached_left
        reached_left |= frontier
    return np.concatenate([left[~reached_left], right[reached_right]]).astype(np.intp)


def _boundaries(
    own: list[IndexArray], parent: IndexArray, front_of: IndexArray, rank: IndexArray, pairs: IndexArray
) -> tuple[IndexArray, ...]:
    """Of each front, the later nodes that its own and its children's boundaries touch."""
    count = len(own)
    first_is_earlier = rank[pairs[:, 0]] < rank[pairs[:, 1]]
    later = np.where(first_is_earlier, pairs[:, 1], pairs[:, 0])
    front = front_of[np.where(first_is_earlier, pairs[:, 0], pairs[:, 1])]
    outward = front != front_of[later]
    later, front = later[outward], front[outward]
    order = np.argsort(front, kind="stable")
    later, starts = later[order], np.searchsorted(front[order], np.arange(count + 1))
    inherited: list[list[IndexArray]] = [[] for _ in range(count)]
    result: list[IndexArray] = []
    for number in range(count):
        touched = [later[starts[number] : starts[number + 1]], *inherited[number]]
        inherited[number] = []
        nodes = np.unique(np.concatenate(touched))
        nodes = nodes[front_of[nodes] != number]
        nodes = nodes[np.argsort(rank[nodes])]
        result.append(nodes)
        if nodes.size:
            inherited[parent[number]].append(nodes)
    return tuple(result)
