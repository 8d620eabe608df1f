"""The sparse factor and its selected inverse against dense ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from datum.network.dissection import elimination_tree
from datum.network.multifrontal import BlockFactor, BlockMatrix

FloatArray = NDArray[np.float64]
ROUNDING = 1e-9  # of the entries' own size; the matrices' condition is below 1e6


def random_matrix(
    seed: int, n: int, edges: int, least_size: int
) -> tuple[BlockMatrix, FloatArray, list[int]]:
    """A positive definite block matrix, the same dense, and the dense columns that are unknowns."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(least_size, 4, n)
    pairs = np.unique(np.sort(rng.integers(0, n, (edges, 2)), axis=1), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    present = np.arange(3) < sizes[:, None]
    blocks = rng.normal(size=(len(pairs), 3, 3))
    blocks *= present[pairs[:, 0]][:, :, None] * present[pairs[:, 1]][:, None, :]
    dense = np.zeros((3 * n, 3 * n))
    for (i, j), block in zip(pairs, blocks, strict=True):
        dense[3 * i : 3 * i + 3, 3 * j : 3 * j + 3] = block
        dense[3 * j : 3 * j + 3, 3 * i : 3 * i + 3] = block.T
    diagonal = np.zeros((n, 3, 3))
    for i in range(n):
        weight = np.abs(dense[3 * i : 3 * i + 3]).sum() + 1.0
        diagonal[i] = np.diag(weight * present[i])
        dense[3 * i : 3 * i + 3, 3 * i : 3 * i + 3] = diagonal[i]
    columns = np.flatnonzero(present.ravel()).tolist()
    return BlockMatrix(sizes, diagonal, pairs, blocks), dense, columns


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    n=st.integers(1, 60),
    density=st.floats(0.0, 4.0),
    leaf=st.integers(1, 12),
    placed=st.booleans(),
    least_size=st.integers(0, 3),
)
def test_factor_solves_and_inverts_on_the_pattern(
    seed: int, n: int, density: float, leaf: int, placed: bool, least_size: int
) -> None:
    matrix, dense, columns = random_matrix(seed, n, int(density * n), least_size)
    rng = np.random.default_rng(seed)
    tree = elimination_tree(n, matrix.pairs, rng.normal(size=(n, 3)) if placed else None, leaf)
    assert sorted(np.concatenate(tree.own).tolist()) == list(range(n))
    factor = BlockFactor(matrix, tree)
    assert factor.singular == []
    inverse = np.zeros_like(dense)
    grid = np.ix_(columns, columns)
    inverse[grid] = np.linalg.inv(dense[grid])
    right = rng.normal(size=(n, 3, 2)) * (np.arange(3) < matrix.sizes[:, None])[:, :, None]
    expected = (inverse @ right.reshape(3 * n, 2)).reshape(n, 3, 2)
    assert factor.solve(right) == pytest.approx(expected, abs=ROUNDING)
    assert matrix.times(expected) == pytest.approx(right, abs=ROUNDING)
    diagonal, pairs = factor.selected_inverse()
    blocks = inverse.reshape(n, 3, n, 3).transpose(0, 2, 1, 3)
    assert diagonal == pytest.approx(blocks[np.arange(n), np.arange(n)], abs=ROUNDING)
    if len(matrix.pairs):
        assert pairs == pytest.approx(blocks[matrix.pairs[:, 0], matrix.pairs[:, 1]], abs=ROUNDING)


def test_a_chain_is_cut_in_its_middle() -> None:
    n = 4096
    pairs = np.column_stack([np.arange(n - 1), np.arange(1, n)])
    tree = elimination_tree(n, pairs, None, 8)
    assert max(own.size + rest.size for own, rest in zip(tree.own, tree.boundary, strict=True)) <= 12


def test_a_grid_has_separators_of_its_width() -> None:
    side = 48
    place = np.arange(side * side).reshape(side, side)
    pairs = np.concatenate(
        [
            np.column_stack([place[:, :-1].ravel(), place[:, 1:].ravel()]),
            np.column_stack([place[:-1].ravel(), place[1:].ravel()]),
        ]
    )
    coordinates = np.column_stack([place.ravel() // side, place.ravel() % side]).astype(float)
    tree = elimination_tree(side * side, pairs, coordinates + 1e-3 * coordinates[:, ::-1])
    assert tree.own[-1].size <= side + 2
    assert max(own.size + rest.size for own, rest in zip(tree.own, tree.boundary, strict=True)) < 4 * side


def test_unknowns_that_nothing_holds_are_noted() -> None:
    """Two nodes tied to each other and to nothing else: three unknowns too many."""
    matrix = BlockMatrix(
        np.array([3, 3]), np.array([np.eye(3), np.eye(3)]), np.array([[0, 1]]), -np.eye(3)[None]
    )
    factor = BlockFactor(matrix, elimination_tree(2, matrix.pairs))
    assert len(factor.singular) == 3
    assert {component for _, component in factor.singular} == {0, 1, 2}
