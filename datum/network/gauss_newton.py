"""Least squares of a network by iterated linearisation (Gauss-Newton), on its datum."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.network.blocks import (
    Cofactors,
    LinearBlock,
    ObservationBlock,
    PairPattern,
    linearise,
    normal_matrix,
    pair_pattern,
)
from datum.network.datum_defect import DatumConditions, datum_conditions
from datum.network.dissection import EliminationTree, elimination_tree
from datum.network.multifrontal import BlockFactor
from datum.network.observations import NetworkDatum
from datum.network.unknowns import Unknowns
from transforms.errors import AdjustmentError

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]
Progress = Callable[[str], None]

# Points that the last step moved less than this keep the factor of the step before: the derivatives of the
# shortest sights (metres) change by 1e-4 of themselves.
_SAME_LINEARISATION_M: Final = 1e-4
DIVERGED_M: Final = 1e8  # a step, or not a number: further steps lead nowhere


@dataclass(frozen=True, eq=False)
class NetworkSystem:
    """Blocks of a network, those in use first, and the structure of their normal equations.

    blocks : in use; spare : rejected observations, whose pairs' cofactors are wanted too
    """

    unknowns: Unknowns
    given: FloatArray
    blocks: tuple[ObservationBlock, ...]
    spare: tuple[ObservationBlock, ...]
    pattern: PairPattern
    tree: EliminationTree
    datum: NetworkDatum


@dataclass(frozen=True, eq=False)
class Converged:
    """A system at its least-squares values (n, 3).

    linear, spare : blocks in use, and rejected ones, at these values; chi_square : v'Pv
    """

    system: NetworkSystem
    values: FloatArray
    factor: BlockFactor
    linear: tuple[LinearBlock, ...]
    spare: tuple[LinearBlock, ...]
    chi_square: float
    iterations: int
    conditions: DatumConditions | None

    def cofactors(self) -> Cofactors:
        """Cofactors of all nodes and of all pairs that an observation joins, on the datum."""
        diagonal, pairs = self.factor.selected_inverse()
        first, second = self.system.pattern.pairs.T
        if self.conditions is not None:
            moves, between, inner = self._transformation()
            diagonal = _s_transform(diagonal, moves, between, moves, between, inner)
            pairs = _s_transform(pairs, moves[first], between[first], moves[second], between[second], inner)
        return Cofactors(diagonal, np.concatenate([pairs, np.zeros((1, 3, 3))]))

    def columns(self, node: int) -> FloatArray:
        """Columns of the cofactor matrix for one node, (n, 3, 3): any pair of stations, by a sparse solve."""
        unit = np.zeros((self.values.shape[0], 3, 3))
        unit[node] = np.diag((np.arange(3) < self.system.unknowns.sizes[node]).astype(np.float64))
        part = self.factor.solve(unit)
        if self.conditions is not None:
            moves, between, inner = self._transformation()
            n = len(part)
            part = _s_transform(
                part,
                moves,
                between,
                np.broadcast_to(moves[node], (n, *moves.shape[1:])),
                np.broadcast_to(between[node], (n, *between.shape[1:])),
                inner,
            )
        return part

    def _transformation(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Moves G (n, 3, d), Q H' (n, 3, d) and H Q H' (d, d) of the S-transformation."""
        assert self.conditions is not None
        transposed = self.conditions.conditions.transpose(1, 2, 0)
        between = self.factor.solve(transposed)
        return self.conditions.moves, between, np.einsum("nkd,nke->de", transposed, between)


def _s_transform(
    blocks: FloatArray,
    moves: FloatArray,
    between: FloatArray,
    other_moves: FloatArray,
    other_between: FloatArray,
    inner: FloatArray,
) -> FloatArray:
    """Blocks (k, 3, 3) of S Q S' from those of Q, for rows and columns of the nodes whose parts are given."""
    result = blocks - moves @ other_between.transpose(0, 2, 1) - between @ other_moves.transpose(0, 2, 1)
    return np.asarray(result + moves @ inner @ other_moves.transpose(0, 2, 1))


def network_system(
    unknowns: Unknowns,
    given: FloatArray,
    blocks: Sequence[ObservationBlock],
    spare: Sequence[ObservationBlock],
    datum: NetworkDatum,
) -> NetworkSystem:
    """Set up the structure of a network's normal equations.

    given : (n, 3) values that the datum's conditions refer to, and dissection cuts along
    """
    pattern = pair_pattern([*blocks, *spare], unknowns)
    coordinates = given.copy()
    for block in blocks:
        # Orientations lie where their sights do.
        extra = block.nodes[:, -1] >= unknowns.n_points
        coordinates[block.nodes[extra, -1]] = given[block.nodes[extra, 0]]
    return NetworkSystem(
        unknowns,
        given,
        tuple(blocks),
        tuple(spare),
        pattern,
        elimination_tree(unknowns.n_nodes, pattern.pairs, coordinates),
        datum,
    )


def rescaled(block: ObservationBlock, sigma_factor: FloatArray) -> ObservationBlock:
    """The block with its sigmas multiplied by factors (m, r), correlations kept."""
    square = sigma_factor[:, :, None] * sigma_factor[:, None, :]
    return replace(block, covariance=block.covariance * square, weight=block.weight / square)


def datum_step(
    system: NetworkSystem,
    factor: BlockFactor,
    conditions: DatumConditions | None,
    right_side: FloatArray,
    values: FloatArray,
) -> FloatArray:
    """Change of the values (n, 3) that the equations ask for, on the datum."""
    unknowns = system.unknowns
    step = factor.solve(right_side)[:, :, 0]
    if conditions is not None:
        beyond = np.einsum("npk,np->nk", unknowns.directions, values - system.given)
        beyond[unknowns.n_points :] = 0.0
        step = conditions.transform(step, beyond)
    return np.asarray(np.einsum("npk,nk->np", unknowns.directions, step))


def converge(
    system: NetworkSystem,
    start: FloatArray,
    *,
    maximum_iterations: int,
    convergence_m: float,
    progress: Progress | None = None,
) -> Converged:
    """Iterate to the least-squares values from `start` (n, 3).

    Raises AdjustmentError for a singular network, in words, and where the iteration does not end.
    """
    unknowns, values = system.unknowns, start.copy()
    factor: BlockFactor | None = None
    conditions: DatumConditions | None = None
    linear_network = all(block.linear for block in system.blocks)
    last_step_m = np.inf
    for iteration in range(1, maximum_iterations + 1):
        linear = tuple(linearise(block, unknowns, values) for block in system.blocks)
        matrix, right_side = normal_matrix(linear, system.pattern, unknowns)
        if factor is None or (not linear_network and last_step_m > _SAME_LINEARISATION_M):
            factor = BlockFactor(matrix, system.tree)
            conditions = datum_conditions(unknowns, values, matrix, factor, system.datum)
        movement = datum_step(system, factor, conditions, right_side, values)
        values = values + movement
        last_step_m = float(np.abs(movement[: unknowns.n_points]).max(initial=0.0))
        if progress is not None:
            progress(f"iteration {iteration}: greatest correction {last_step_m:.6f} m")
        if not last_step_m < DIVERGED_M:
            break
        if last_step_m < convergence_m or (linear_network and iteration > 1):
            linear = tuple(linearise(block, unknowns, values) for block in system.blocks)
            return Converged(
                system,
                values,
                factor,
                linear,
                tuple(linearise(block, unknowns, values) for block in system.spare),
                _weighted_square_sum(linear),
                iteration,
                conditions,
            )
    node = int(np.abs(movement[: unknowns.n_points]).max(axis=1).argmax())
    raise AdjustmentError(
        f"the adjustment did not converge in {iteration} iterations: the last still moved "
        f"{unknowns.names[node]} by {last_step_m:.3g} m; approximate coordinates or observations are wrong"
    )


def _weighted_square_sum(linear: Sequence[LinearBlock]) -> float:
    return float(
        sum(
            np.einsum("mr,mrq,mq->", p.misclosure, p.block.weight, p.misclosure, optimize=True)
            for p in linear
        )
    )
