"""Sparse Cholesky factor of block normal equations, and the part of their inverse that a network asks for.

Fronts are small dense matrices over a nested dissection: each eliminates its own nodes and hands the rest, a
Schur complement, to its parent (Duff and Reid 1983, ACM TOMS 9:302-325). The inverse is had by going back
through the same fronts (Takahashi, Fagan and Chin 1973; Erisman and Tinney 1975, Comm. ACM 18:177-179): all
its blocks on the pattern of the factor, so all stations' covariances and those of all observed pairs, at the
price of about one more factorisation. There is never a dense inverse of the whole.

A node has up to three unknowns, stored in blocks (3, 3); those that it lacks are zero and stay zero.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dsymm, dsyrk, dtrsm
from scipy.linalg.lapack import dpotrf, dpotri

from datum.network.dissection import EliminationTree, IndexArray

FloatArray = NDArray[np.float64]
Progress = Callable[[float], None]

NODE_SIZE: Final = 3
# A pivot of the matrix scaled to a unit diagonal below this is rounding: double precision keeps 1e-16, and
# a pivot that honest observations leave so small would have lost all but the first figures of its unknown.
SINGULAR_PIVOT: Final = 1e-12


@dataclass(frozen=True, eq=False)
class BlockMatrix:
    """A symmetric matrix of blocks.

    sizes : (n,) unknowns of each node, 0 to 3; diagonal : (n, 3, 3); pairs : (p, 2) nodes, each pair once;
    blocks : (p, 3, 3), rows of pairs[:, 0] and columns of pairs[:, 1]
    """

    sizes: IndexArray
    diagonal: FloatArray
    pairs: IndexArray
    blocks: FloatArray

    def times(self, vector: FloatArray) -> FloatArray:
        """The product with vectors (n, 3, k)."""
        product = np.einsum("nij,njk->nik", self.diagonal, vector)
        first, second = self.pairs[:, 0], self.pairs[:, 1]
        np.add.at(product, first, np.einsum("pij,pjk->pik", self.blocks, vector[second]))
        np.add.at(product, second, np.einsum("pji,pjk->pik", self.blocks, vector[first]))
        return np.asarray(product)


@dataclass(frozen=True, eq=False)
class _Front:
    """Scalar columns of one front: `columns` (f,) in the whole, own ones first; `n_own` of them.

    lower_own (n_own, n_own), lower_rest (f - n_own, n_own) : the factor
    """

    columns: IndexArray
    n_own: int
    lower_own: FloatArray
    lower_rest: FloatArray


class BlockFactor:
    """The factor L of S N S = L L', S the scaling of N to a unit diagonal.

    singular : (node, component) of the unknowns that nothing determines, even were those after them in the
        order known; each was held by an observation of its own, so that the rest can be solved
    """

    def __init__(self, matrix: BlockMatrix, tree: EliminationTree) -> None:
        self._tree = tree
        self._sizes = np.asarray(matrix.sizes, dtype=np.intp)
        self._pairs = matrix.pairs
        n_nodes = self._sizes.size
        in_order = np.argsort(tree.rank)
        starts = np.zeros(n_nodes, dtype=np.intp)
        starts[in_order] = np.cumsum(self._sizes[in_order]) - self._sizes[in_order]
        self._starts = starts
        self._present = np.arange(NODE_SIZE) < self._sizes[:, None]  # (n, 3)
        self.n_unknowns = int(self._sizes.sum())
        variances = np.einsum("nii->ni", matrix.diagonal)
        self._scale = np.where(
            self._present & (variances > 0.0), 1.0 / np.sqrt(np.where(variances > 0.0, variances, 1.0)), 1.0
        )
        self.singular: list[tuple[int, int]] = []
        self._fronts: list[_Front] = []
        self._factorise(matrix)

    def _columns(self, nodes: IndexArray) -> IndexArray:
        """Scalar columns of nodes, in their order."""
        every = self._starts[nodes][:, None] + np.arange(NODE_SIZE)
        return np.asarray(every[self._present[nodes]], dtype=np.intp)

    def _factorise(self, matrix: BlockMatrix) -> None:
        tree, pairs = self._tree, matrix.pairs
        swap = tree.rank[pairs[:, 0]] > tree.rank[pairs[:, 1]]
        early = np.where(swap, pairs[:, 1], pairs[:, 0])
        late = np.where(swap, pairs[:, 0], pairs[:, 1])
        by_front = np.argsort(tree.front_of[early], kind="stable")
        bounds = np.searchsorted(tree.front_of[early][by_front], np.arange(len(tree.own) + 1))
        # Blocks below the diagonal: rows of the later node.
        lower = np.where(swap[:, None, None], matrix.blocks, matrix.blocks.transpose(0, 2, 1))
        lower = lower * self._scale[late][:, :, None] * self._scale[early][:, None, :]
        diagonal = matrix.diagonal * self._scale[:, :, None] * self._scale[:, None, :]
        local = np.zeros(self._sizes.size, dtype=np.intp)
        component = np.arange(NODE_SIZE)
        updates: list[list[tuple[IndexArray, FloatArray]]] = [[] for _ in tree.own]
        place = np.zeros(max(self.n_unknowns, 1), dtype=np.intp)
        for number, (own, rest) in enumerate(zip(tree.own, tree.boundary, strict=True)):
            nodes = np.concatenate([own, rest])
            columns = self._columns(nodes)
            n_own, size = int(self._sizes[own].sum()), columns.size
            place[columns] = np.arange(size)
            local[nodes] = np.cumsum(self._sizes[nodes]) - self._sizes[nodes]
            front = np.zeros((size, size), order="F")
            _scatter(
                front,
                local[own],
                local[own],
                diagonal[own],
                self._present[own],
                self._present[own],
                component,
            )
            which = by_front[bounds[number] : bounds[number + 1]]
            rows, cols = late[which], early[which]
            _scatter(
                front,
                local[rows],
                local[cols],
                lower[which],
                self._present[rows],
                self._present[cols],
                component,
            )
            for where, update in updates[number]:
                index = place[where]
                front[np.ix_(index, index)] += update
            updates[number] = []
            lower_own = self._eliminate(np.asfortranarray(front[:n_own, :n_own]), columns)
            lower_rest = dtrsm(1.0, lower_own, front[n_own:, :n_own], side=1, lower=1, trans_a=1)
            if size > n_own:
                update = dsyrk(-1.0, lower_rest, beta=1.0, c=front[n_own:, n_own:], lower=1)
                updates[tree.parent[number]].append((columns[n_own:], update))
            self._fronts.append(_Front(columns, n_own, lower_own, lower_rest))

    def _eliminate(self, block: FloatArray, columns: IndexArray) -> FloatArray:
        """Cholesky factor of a front's own block; pivots that are rounding are held and noted."""
        if not block.size:
            return block
        factor, info = dpotrf(block, lower=1, clean=1)
        if info == 0 and float(np.min(np.diagonal(factor))) ** 2 > SINGULAR_PIVOT:
            return np.asarray(factor)
        lower = np.tril(block)
        for j in range(lower.shape[0]):
            pivot = lower[j, j] - lower[j, :j] @ lower[j, :j]
            if pivot <= SINGULAR_PIVOT:
                pivot += 1.0
                self.singular.append(self._unknown(int(columns[j])))
            lower[j, j] = np.sqrt(pivot)
            lower[j + 1 :, j] = (lower[j + 1 :, j] - lower[j + 1 :, :j] @ lower[j, :j]) / lower[j, j]
        return np.asfortranarray(lower)

    def _unknown(self, column: int) -> tuple[int, int]:
        node = int(np.flatnonzero((self._starts <= column) & (column < self._starts + self._sizes))[0])
        return node, column - int(self._starts[node])

    def solve(self, right_side: FloatArray) -> FloatArray:
        """N^-1 r for r (n, 3, k)."""
        values = np.zeros((self.n_unknowns, right_side.shape[2]))
        columns = (self._starts[:, None] + np.arange(NODE_SIZE))[self._present]
        values[columns] = (right_side * self._scale[:, :, None])[self._present]
        for front in self._fronts:
            own, rest = front.columns[: front.n_own], front.columns[front.n_own :]
            part = dtrsm(1.0, front.lower_own, values[own], lower=1)
            values[own] = part
            values[rest] -= front.lower_rest @ part
        for front in reversed(self._fronts):
            own, rest = front.columns[: front.n_own], front.columns[front.n_own :]
            part = values[own] - front.lower_rest.T @ values[rest]
            values[own] = dtrsm(1.0, front.lower_own, part, lower=1, trans_a=1)
        result = np.zeros(right_side.shape)
        result[self._present] = values[columns]
        return result * self._scale[:, :, None]

    def selected_inverse(self) -> tuple[FloatArray, FloatArray]:
        """Blocks of N^-1: of the diagonal (n, 3, 3), and of the matrix's pairs (p, 3, 3) in their order."""
        tree = self._tree
        pairs = self._pairs
        swap = tree.rank[pairs[:, 0]] > tree.rank[pairs[:, 1]]
        early = np.where(swap, pairs[:, 1], pairs[:, 0])
        late = np.where(swap, pairs[:, 0], pairs[:, 1])
        by_front = np.argsort(tree.front_of[early], kind="stable")
        bounds = np.searchsorted(tree.front_of[early][by_front], np.arange(len(tree.own) + 1))
        diagonal = np.zeros((self._sizes.size, NODE_SIZE, NODE_SIZE))
        off_diagonal = np.zeros((len(pairs), NODE_SIZE, NODE_SIZE))
        children = np.bincount(tree.parent[tree.parent >= 0], minlength=len(tree.own))
        inverses: dict[int, FloatArray] = {}
        place = np.zeros(max(self.n_unknowns, 1), dtype=np.intp)
        local = np.zeros(self._sizes.size, dtype=np.intp)
        for number in range(len(self._fronts) - 1, -1, -1):
            front, parent = self._fronts[number], int(tree.parent[number])
            inverse = np.zeros((front.columns.size, front.columns.size), order="F")
            n_own = front.n_own
            own_inverse = _symmetric_inverse(front.lower_own)
            if front.columns.size > n_own:
                place[self._fronts[parent].columns] = np.arange(self._fronts[parent].columns.size)
                index = place[front.columns[n_own:]]
                rest_inverse = np.asfortranarray(inverses[parent][np.ix_(index, index)])
                ratio = dtrsm(1.0, front.lower_own, front.lower_rest, side=1, lower=1)
                cross = dsymm(-1.0, rest_inverse, ratio, lower=1)
                own_inverse -= ratio.T @ cross
                inverse[n_own:, n_own:] = rest_inverse
                inverse[n_own:, :n_own] = cross
                inverse[:n_own, n_own:] = cross.T
            inverse[:n_own, :n_own] = own_inverse
            if parent >= 0:
                children[parent] -= 1
                if children[parent] == 0:
                    inverses.pop(parent, None)
            if children[number] > 0:
                inverses[number] = inverse
            own = tree.own[number]
            nodes = np.concatenate([own, tree.boundary[number]])
            local[nodes] = np.cumsum(self._sizes[nodes]) - self._sizes[nodes]
            diagonal[own] = self._gather(inverse, local, own, own)
            which = by_front[bounds[number] : bounds[number + 1]]
            block = self._gather(inverse, local, late[which], early[which])
            off_diagonal[which] = np.where(swap[which][:, None, None], block, block.transpose(0, 2, 1))
        scale = self._scale
        diagonal *= scale[:, :, None] * scale[:, None, :]
        off_diagonal *= scale[pairs[:, 0]][:, :, None] * scale[pairs[:, 1]][:, None, :]
        return diagonal, off_diagonal

    def _gather(
        self, inverse: FloatArray, local: IndexArray, rows: IndexArray, columns: IndexArray
    ) -> FloatArray:
        if not inverse.size:  # all its nodes are fixed
            return np.zeros((rows.size, NODE_SIZE, NODE_SIZE))
        component = np.arange(NODE_SIZE)
        present = self._present[rows][:, :, None] & self._present[columns][:, None, :]
        at_row = np.where(self._present[rows], local[rows][:, None] + component, 0)
        at_column = np.where(self._present[columns], local[columns][:, None] + component, 0)
        return np.asarray(np.where(present, inverse[at_row[:, :, None], at_column[:, None, :]], 0.0))


def _scatter(
    front: FloatArray,
    rows: IndexArray,
    columns: IndexArray,
    blocks: FloatArray,
    row_present: NDArray[np.bool_],
    column_present: NDArray[np.bool_],
    component: IndexArray,
) -> None:
    """Set blocks (k, 3, 3) into a front at their first rows and columns (k,), each place once."""
    present = row_present[:, :, None] & column_present[:, None, :]
    at_row = np.broadcast_to((rows[:, None] + component)[:, :, None], blocks.shape)
    at_column = np.broadcast_to((columns[:, None] + component)[:, None, :], blocks.shape)
    if present.all():
        front[at_row, at_column] = blocks
    else:
        front[at_row[present], at_column[present]] = blocks[present]


def _symmetric_inverse(lower: FloatArray) -> FloatArray:
    """(L L')^-1, both triangles."""
    if not lower.size:
        return lower.copy()
    inverse, info = dpotri(lower, lower=1)
    if info != 0:  # cannot be: pivots of the factor are positive
        raise ArithmeticError("a factor of normal equations has a zero pivot")
    inverse = np.asarray(inverse)
    return np.asfortranarray(np.tril(inverse) + np.tril(inverse, -1).T)
