"""What the observations of a network leave open, in words, and the conditions that a datum puts in its place.

The factorisation holds every unknown that nothing determines. If these are as many as the moves of the whole
network that change no observation (translations, rotations, scale, a shift of all heights), the network lacks
only its datum, and minimal conditions B (x - given) = 0 mend it without straining anything: the solution and
its cofactors are turned to them by an S-transformation (Baarda 1973, S-transformations and criterion
matrices, Netherlands Geodetic Commission, Publ. on Geodesy 5(1)). If they are more, some stations float by
themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csc_matrix
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from datum.network.constraints import DatumParameter, datum_derivatives
from datum.network.multifrontal import NODE_SIZE, BlockFactor, BlockMatrix
from datum.network.observations import ComponentRole, DatumKind, Geometry, NetworkDatum
from datum.network.unknowns import COMPONENT_WORDS, Unknowns
from transforms.errors import AdjustmentError

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]

# A move of the network that changes the observations by less than this share (squared) of what moving the
# stations one by one does, changes nothing: rounding leaves 1e-16, a rotation at finite heights 1e-13.
_NULL_EIGENVALUE: Final = 1e-12
# Two moves that differ by less than this are one (a lift of all heights, and a translation on a flat one).
_SAME_MOVE: Final = 1e-7
_MOST_NAMES: Final = 8
_FLOATING_SHARE: Final = 0.1  # of the greatest movement, that still counts as floating

HEIGHT_SHIFT: Final = "height"
_MOVES: Final = (
    *(f"{parameter}" for parameter in DatumParameter),
    HEIGHT_SHIFT,
)


@dataclass(frozen=True, eq=False)
class DatumConditions:
    """Minimal conditions on a network with a defect of d.

    moves : (n, 3, d) the moves G of the packed unknowns that no observation sees
    conditions : (d, n, 3) H = (B G)^-1 B, so that S = I - G H; words : the datum in words
    """

    moves: FloatArray
    conditions: FloatArray
    words: str

    @property
    def defect(self) -> int:
        """Number of conditions."""
        return int(self.moves.shape[2])

    def transform(self, step: FloatArray, beyond_given: FloatArray) -> FloatArray:
        """The step (n, 3) that meets the conditions, where values already lie `beyond_given` (n, 3)."""
        share = np.einsum("dnk,nk->d", self.conditions, step + beyond_given)
        return np.asarray(step - self.moves @ share)


def _generators(unknowns: Unknowns, values: FloatArray, nodes: IndexArray) -> tuple[FloatArray, list[str]]:
    """Moves of points (k, 3, g) in position coordinates, and of which kind each is."""
    position = values[nodes]
    centre = position.mean(axis=0)
    radius = max(float(np.sqrt(np.mean(np.sum((position - centre) ** 2, axis=1)))), 1.0)
    parts: list[FloatArray] = []
    kinds: list[str] = []
    for parameter in DatumParameter:
        part = datum_derivatives(position, centre, radius, [parameter])
        parts.append(part)
        kinds += [f"{parameter}"] * part.shape[2]
    if unknowns.geometry is Geometry.PLANE:
        # A plane network turns about the vertical only, and its plane's scale is not that of its heights.
        horizontal = np.array([1.0, 1.0, 0.0])
        parts[1] = parts[1][:, :, 2:]
        parts[2] = parts[2] * horizontal[None, :, None]
        kinds = [kinds[0]] * 3 + [f"{DatumParameter.ROTATION}", f"{DatumParameter.SCALE}"]
    else:
        parts.append(unknowns.axes[nodes, 2][:, :, None])
        kinds.append(HEIGHT_SHIFT)
    return np.concatenate(parts, axis=2), kinds


def _with_extra_nodes(
    moves: FloatArray, matrix: BlockMatrix, points: IndexArray, extra: IndexArray
) -> FloatArray:
    """Moves (n, 3, g) with orientations and the like following so that observations change least."""
    if not extra.size:
        return moves
    n = matrix.sizes.size
    wanted = np.zeros(n, dtype=bool)
    wanted[extra] = True
    moved = np.zeros_like(moves)
    moved[points] = moves[points]
    pull = matrix.times(moved)[extra]  # (e, 3, g)
    start = np.full(n, -1)
    start[extra] = NODE_SIZE * np.arange(extra.size)
    inside = wanted[matrix.pairs[:, 0]] & wanted[matrix.pairs[:, 1]]
    grid = np.arange(NODE_SIZE)
    rows = [start[extra][:, None, None] + grid[:, None] + 0 * grid]
    columns = [start[extra][:, None, None] + 0 * grid[:, None] + grid]
    absent = (grid >= matrix.sizes[extra][:, None]).astype(np.float64)
    data = [matrix.diagonal[extra] + absent[:, :, None] * np.eye(NODE_SIZE)]
    if inside.any():
        first, second = matrix.pairs[inside].T
        block = matrix.blocks[inside]
        rows += [start[first][:, None, None] + grid[:, None] + 0 * grid]
        columns += [start[second][:, None, None] + 0 * grid[:, None] + grid]
        data.append(block)
        rows += [start[second][:, None, None] + grid[:, None] + 0 * grid]
        columns += [start[first][:, None, None] + 0 * grid[:, None] + grid]
        data.append(block.transpose(0, 2, 1))
    flat = [
        np.concatenate([np.broadcast_to(p, (len(p), 3, 3)).ravel() for p in parts])
        for parts in (rows, columns, data)
    ]
    size = NODE_SIZE * extra.size
    system = csc_matrix(coo_matrix((flat[2], (flat[0], flat[1])), shape=(size, size)))
    answer = splu(system).solve(pull.reshape(size, -1))
    result = moved
    result[extra] = -answer.reshape(extra.size, NODE_SIZE, -1)
    return result


@dataclass(frozen=True, eq=False)
class _Open:
    """What a connected part of a network leaves open: null moves (n, 3, d), and their number by kind."""

    points: IndexArray
    moves: FloatArray
    count: dict[str, int]


def _open_moves(unknowns: Unknowns, values: FloatArray, matrix: BlockMatrix, nodes: IndexArray) -> _Open:
    """The moves of a connected part (its nodes) that no observation sees."""
    points, extra = nodes[nodes < unknowns.n_points], nodes[nodes >= unknowns.n_points]
    idle = [unknowns.names[node] for node in extra if matrix.diagonal[node, 0, 0] <= 0.0]
    if idle:
        raise AdjustmentError(
            f"no observation is left for the {idle[0]}: all of them were rejected; a wrong coordinate of a "
            "fixed point does this"
        )
    in_space, kinds = _generators(unknowns, values, points)
    local = np.einsum("nlp,npg->nlg", unknowns.axes[points], in_space)
    fixed = np.array(
        [[role is ComponentRole.FIXED for role in unknowns.roles[p]] for p in points], dtype=bool
    ).reshape(-1, 3)
    packed = np.zeros((unknowns.n_nodes, NODE_SIZE, len(kinds)))
    packed[points] = np.einsum("npk,npg->nkg", unknowns.directions[points], in_space)
    packed = _with_extra_nodes(packed, matrix, points, extra)
    weight = np.sqrt(np.maximum(np.einsum("nii->ni", matrix.diagonal), 0.0))  # (n, 3)
    # Orthonormal in the scaled unknowns (a fixed component counts like a free one, with a sure observation).
    weights = weight[points][weight[points] > 0.0]
    typical = float(np.sqrt(np.mean(weights**2))) if weights.size else 1.0
    scaled = np.concatenate(
        [(packed * weight[:, :, None])[nodes].reshape(-1, len(kinds)), typical * local[fixed]]
    )
    product = np.concatenate(
        [
            (matrix.times(packed) / np.where(weight > 0.0, weight, 1.0)[:, :, None])[nodes].reshape(
                -1, len(kinds)
            ),
            typical * local[fixed],
        ]
    )
    length = np.linalg.norm(scaled, axis=0)
    moving = length > _SAME_MOVE * max(float(length.max()), 1e-300)
    order = np.flatnonzero(moving)
    scaled, product = scaled[:, order] / length[order], product[:, order] / length[order]
    left, singular, right = np.linalg.svd(scaled, full_matrices=False)
    real = singular > _SAME_MOVE
    mix = right[real].T / singular[real]  # orthonormal moves = scaled @ mix
    gram = mix.T @ (scaled.T @ product) @ mix
    eigenvalues, vectors = np.linalg.eigh(0.5 * (gram + gram.T))
    null = eigenvalues < _NULL_EIGENVALUE
    coefficients = (mix @ vectors[:, null]) / length[order][:, None]
    moves = packed[:, :, order] @ coefficients
    directions = left[:, real] @ vectors[:, null]
    return _Open(points, moves, _count_kinds(directions, scaled, [kinds[k] for k in order]))


def _count_kinds(null: FloatArray, scaled: FloatArray, kinds: Sequence[str]) -> dict[str, int]:
    """How many of the null moves (orthonormal columns) are translations, then rotations, then scale."""
    count: dict[str, int] = {}
    seen, total = np.zeros((scaled.shape[0], 0)), 0
    for kind in _MOVES:
        columns = [i for i, k in enumerate(kinds) if k == kind]
        if not columns or not null.shape[1]:
            continue
        seen = np.column_stack([seen, scaled[:, columns]])
        left, singular, _ = np.linalg.svd(seen, full_matrices=False)
        inside = np.linalg.svd(left[:, singular > _SAME_MOVE].T @ null, compute_uv=False)
        now = int(np.count_nonzero(inside > 1.0 - 1e-6))
        if now > total:
            count[kind] = now - total
        total = now
    return count


def datum_conditions(
    unknowns: Unknowns,
    values: FloatArray,
    matrix: BlockMatrix,
    factor: BlockFactor,
    datum: NetworkDatum,
) -> DatumConditions | None:
    """Conditions for a singular network, None for a regular one.

    Raises AdjustmentError, saying which stations float and how, where the datum asked for does not mend it.
    """
    if not factor.singular:
        return None
    parts = _connected(unknowns, matrix)
    of_part: dict[int, list[tuple[int, int]]] = {}
    for node, component in factor.singular:
        of_part.setdefault(int(parts[node]), []).append((node, component))
    opened: list[_Open] = []
    for part, singular in of_part.items():
        nodes = np.flatnonzero((parts == part) & (unknowns.sizes > 0))
        found = _open_moves(unknowns, values, matrix, nodes)
        if found.moves.shape[2] != len(singular):
            raise AdjustmentError(_floating(unknowns, matrix, factor, singular, found))
        opened.append(found)
    if datum.kind is DatumKind.POINTS:
        raise AdjustmentError(
            "the datum is not held: "
            + "; ".join(f"nothing fixes {_words(o.count)} of {_names(unknowns, o.points)}" for o in opened)
            + ". Fix or weight points, or ask for a minimal or a free datum"
        )
    if len(opened) > 1:
        raise AdjustmentError(
            f"the network falls into {len(opened)} parts without a tie: "
            + "; ".join(_names(unknowns, o.points) for o in opened)
        )
    return _conditions(unknowns, values, opened[0], datum)


def _conditions(unknowns: Unknowns, values: FloatArray, found: _Open, datum: NetworkDatum) -> DatumConditions:
    asked = {f"{parameter}" for parameter in datum.parameters} | {HEIGHT_SHIFT}
    missing = [kind for kind in found.count if kind not in asked]
    if missing:
        raise AdjustmentError(
            f"the datum holds {', '.join(datum.parameters)}, and the observations leave "
            f"{' and '.join(missing)} open too"
        )
    chosen, holders = _holders(unknowns, found, datum)
    moves = found.moves
    restricted = np.where(chosen[:, :, None], moves, 0.0)
    flat = restricted.reshape(-1, moves.shape[2])
    normal = flat.T @ flat
    scale = 1.0 / np.sqrt(np.maximum(np.diagonal(normal), 1e-300))
    if np.linalg.eigvalsh(normal * np.outer(scale, scale))[0] < 1e-12:
        raise AdjustmentError(f"{holders} cannot carry the datum: {_words(found.count)} stay open")
    conditions = np.linalg.solve(normal, flat.T).reshape(-1, *moves.shape[:2])
    del values
    return DatumConditions(moves, conditions, f"no net {_words(found.count)} on {holders}")


def _holders(unknowns: Unknowns, found: _Open, datum: NetworkDatum) -> tuple[NDArray[np.bool_], str]:
    """Packed unknowns (n, 3) that carry the conditions, and who they are."""
    packed = np.arange(NODE_SIZE) < unknowns.sizes[:, None]
    packed[unknowns.n_points :] = False
    if datum.kind is DatumKind.MINIMAL:
        nodes = [unknowns.point(name, "the datum") for name in datum.stations]
        if not nodes:
            raise AdjustmentError("a minimal datum needs the stations that carry it")
        chosen = np.zeros(unknowns.n_nodes, dtype=bool)
        chosen[nodes] = True
        return packed & chosen[:, None], ", ".join(datum.stations)
    carrying = np.zeros_like(packed)
    for node in found.points:
        slots = np.flatnonzero(unknowns.active[node])
        for slot, component in enumerate(slots):
            carrying[node, slot] = unknowns.roles[node][component] is ComponentRole.DATUM
    if carrying.any():
        nodes_carrying = np.flatnonzero(carrying.any(axis=1))
        return carrying, _names(unknowns, nodes_carrying)
    chosen = np.zeros(unknowns.n_nodes, dtype=bool)
    chosen[found.points] = True
    return packed & chosen[:, None], _names(unknowns, found.points)


def _connected(unknowns: Unknowns, matrix: BlockMatrix) -> IndexArray:
    n = unknowns.n_nodes
    pairs = matrix.pairs
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.intp)


def _floating(
    unknowns: Unknowns,
    matrix: BlockMatrix,
    factor: BlockFactor,
    singular: Sequence[tuple[int, int]],
    found: _Open,
) -> str:
    """Which stations move without any observation noticing, and in which component."""
    texts: list[str] = []
    for node, component in singular:
        unit = np.zeros((unknowns.n_nodes, NODE_SIZE, 1))
        unit[node, component] = 1.0
        weight = np.sqrt(np.maximum(np.einsum("nii->ni", matrix.diagonal), 0.0))
        move = np.abs(factor.solve(unit)[:, :, 0])[: unknowns.n_points]
        size = move.max(axis=1)
        if not size.max() > 0.0:
            texts.append(unknowns.describe(node, component))
            continue
        nodes = np.flatnonzero(size > _FLOATING_SHARE * size.max())
        if weight[node, component] == 0.0 or nodes.size == 1:
            lone = int(nodes[0]) if nodes.size else node
            along = np.flatnonzero(move[lone] > _FLOATING_SHARE * size.max())
            texts.append(" and ".join(unknowns.describe(lone, int(k)) for k in along))
            continue
        words = COMPONENT_WORDS[unknowns.geometry]
        by_component = np.zeros(NODE_SIZE)
        for k in nodes:
            active = np.flatnonzero(unknowns.active[k])
            by_component[active] = np.maximum(by_component[active], move[k, : active.size])
        along = np.flatnonzero(by_component > _FLOATING_SHARE * by_component.max())
        texts.append(f"{_names(unknowns, nodes)} together ({', '.join(words[k] for k in along)})")
    unique = list(dict.fromkeys(texts))
    shown = "; ".join(unique[:_MOST_NAMES])
    more = f"; and {len(unique) - _MOST_NAMES} more" if len(unique) > _MOST_NAMES else ""
    of_datum = f" (besides {_words(found.count)} of the whole)" if found.count else ""
    return f"the observations do not determine: {shown}{more}{of_datum}"


def _words(count: dict[str, int]) -> str:
    return " and ".join(f"{kind} ({number})" for kind, number in count.items()) or "position"


def _names(unknowns: Unknowns, nodes: IndexArray) -> str:
    names = [unknowns.names[int(node)] for node in nodes]
    if len(names) <= _MOST_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[:_MOST_NAMES])} and {len(names) - _MOST_NAMES} more"
