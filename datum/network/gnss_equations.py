"""GNSS vectors and observed positions: their equations in position coordinates, and their weights.

The stations' set-ups are part of a vector: antenna heights are reduced along the ellipsoidal normal, and the
error of centring and of the measured height belongs to the set-up, so that all vectors of a session that
begin at one station share it.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from datum.network.blocks import ObservationBlock, inverse_covariances
from datum.network.constraints import DatumParameter, datum_derivatives
from datum.network.observations import CoordinateCluster, GnssVectorCluster
from datum.network.unknowns import Unknowns, cluster_datum_name
from transforms.errors import InputError

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]
# (cluster, item) -> whether an observation takes part.
Keep = Callable[[int, int], bool]


def vector_name(cluster: GnssVectorCluster, item: int) -> str:
    """How a vector is called, with its line where known."""
    name = cluster.names[item] if cluster.names else f"{cluster.frm[item]} -> {cluster.to[item]}"
    return f"{name} (line {cluster.line_in_file[item]})" if cluster.line_in_file else name


def vector_blocks(
    clusters: Sequence[tuple[int, GnssVectorCluster]],
    unknowns: Unknowns,
    keep: Keep | None,
) -> list[ObservationBlock]:
    """Blocks of vector clusters with their numbers: all independent vectors in one, each session in one."""
    single: list[tuple[IndexArray, IndexArray, FloatArray, FloatArray, IndexArray, IndexArray]] = []
    blocks: list[ObservationBlock] = []
    owners = dict(clusters)
    for number, cluster in clusters:
        chosen = _chosen(number, len(cluster.frm), keep)
        if not chosen.size:
            continue
        vector, frm, to = _reduced_vectors(cluster, unknowns)
        covariance = np.asarray(cluster.covariance_m2, dtype=np.float64)
        m = len(cluster.frm)
        if covariance.shape == (m, 3, 3) and not (m == 1 and covariance.ndim == 2):
            covariance = covariance + _set_up_covariances(cluster, unknowns, frm, to, vector)
            owner = np.full(chosen.size, number)
            single.append((frm[chosen], to[chosen], vector[chosen], covariance[chosen], owner, chosen))
        elif covariance.shape == (3 * m, 3 * m):
            covariance = covariance + _session_covariance(cluster, unknowns, frm, to, vector)
            rows = (3 * chosen[:, None] + np.arange(3)).ravel()
            blocks.append(
                _session_block(
                    number,
                    cluster,
                    frm[chosen],
                    to[chosen],
                    vector[chosen],
                    covariance[np.ix_(rows, rows)],
                    chosen,
                )
            )
        else:
            raise InputError(
                f"{vector_name(cluster, 0)}: a covariance of shape {covariance.shape} for {m} vectors"
            )
    if single:
        frm, to, vector, covariance, owner, item = (
            np.concatenate(part) for part in zip(*single, strict=True)
        )
        blocks.append(
            _single_block(
                frm,
                to,
                vector,
                covariance,
                owner,
                item,
                lambda i: vector_name(owners[int(owner[i])], int(item[i])),
            )
        )
    return blocks


def _chosen(number: int, count: int, keep: Keep | None) -> IndexArray:
    if keep is None:
        return np.arange(count)
    return np.array([i for i in range(count) if keep(number, i)], dtype=np.intp)


def _reduced_vectors(
    cluster: GnssVectorCluster, unknowns: Unknowns
) -> tuple[FloatArray, IndexArray, IndexArray]:
    """Vectors (m, 3) mark to mark, and their ends."""
    vector = np.asarray(cluster.vector_m, dtype=np.float64)
    if vector.shape != (len(cluster.frm), 3) or len(cluster.to) != len(cluster.frm):
        raise InputError(f"{len(cluster.frm)} vectors with values of shape {vector.shape}")
    index = unknowns.index
    try:
        frm = np.array([index[name] for name in cluster.frm], dtype=np.intp)
        to = np.array([index[name] for name in cluster.to], dtype=np.intp)
    except KeyError as error:
        raise InputError(f"a vector names the point {error.args[0]!r}, which is not given") from None
    for item in np.flatnonzero(frm == to):
        raise InputError(f"{vector_name(cluster, int(item))}: it begins and ends at one point")
    for item in np.flatnonzero(~np.isfinite(vector).all(axis=1)):
        raise InputError(f"{vector_name(cluster, int(item))}: it is not three finite numbers")
    for heights, ends, sign in (
        (cluster.from_antenna_height_m, frm, 1.0),
        (cluster.to_antenna_height_m, to, -1.0),
    ):
        if heights is not None:
            vector = vector + sign * np.asarray(heights)[:, None] * unknowns.axes[ends, 2]
    return vector, frm, to


def _set_up_variance(cluster: GnssVectorCluster, unknowns: Unknowns, nodes: IndexArray) -> FloatArray:
    """Covariances (k, 3, 3) of set-ups over nodes, in position coordinates."""
    local = np.array([cluster.centring_sigma_m**2, cluster.centring_sigma_m**2, cluster.height_sigma_m**2])
    axes = unknowns.axes[nodes]
    return np.asarray(np.einsum("kli,l,klj->kij", axes, local, axes))


def _length_variance(cluster: GnssVectorCluster, vector: FloatArray) -> FloatArray:
    """Variance (m,) of each component from the parts per million."""
    return np.asarray((1e-6 * cluster.parts_per_million) ** 2 * np.sum(vector**2, axis=1))


def _set_up_covariances(
    cluster: GnssVectorCluster, unknowns: Unknowns, frm: IndexArray, to: IndexArray, vector: FloatArray
) -> FloatArray:
    if not (cluster.centring_sigma_m or cluster.height_sigma_m or cluster.parts_per_million):
        return np.zeros((1, 3, 3))
    both = _set_up_variance(cluster, unknowns, frm) + _set_up_variance(cluster, unknowns, to)
    return np.asarray(both + _length_variance(cluster, vector)[:, None, None] * np.eye(3))


def _session_covariance(
    cluster: GnssVectorCluster, unknowns: Unknowns, frm: IndexArray, to: IndexArray, vector: FloatArray
) -> FloatArray:
    """What set-ups and lengths add to the covariance (3 m, 3 m) of a session; one set-up at each station."""
    m = len(frm)
    nodes, ends = np.unique(np.concatenate([frm, to]), return_inverse=True)
    incidence = np.zeros((m, nodes.size))
    incidence[np.arange(m), ends[:m]] -= 1.0
    incidence[np.arange(m), ends[m:]] += 1.0
    added = np.einsum("ak,kij,bk->aibj", incidence, _set_up_variance(cluster, unknowns, nodes), incidence)
    added = added.reshape(3 * m, 3 * m)
    return np.asarray(added + np.diag(np.repeat(_length_variance(cluster, vector), 3)))


def _single_block(
    frm: IndexArray,
    to: IndexArray,
    vector: FloatArray,
    covariance: FloatArray,
    owner: IndexArray,
    item: IndexArray,
    name: Callable[[int], str],
) -> ObservationBlock:
    m = len(frm)
    derivatives = np.stack([np.tile(-np.eye(3), (m, 1, 1)), np.tile(np.eye(3), (m, 1, 1))], axis=2)

    def evaluate(values: FloatArray) -> tuple[FloatArray, FloatArray]:
        return derivatives, vector - (values[to] - values[frm])

    return ObservationBlock(
        nodes=np.column_stack([frm, to]),
        covariance=covariance,
        weight=inverse_covariances(covariance, name),
        cluster=np.repeat(owner[:, None], 3, axis=1),
        item=np.repeat(item[:, None], 3, axis=1),
        component=np.broadcast_to(np.arange(3), (m, 3)),
        evaluate=evaluate,
        linear=True,
        scale_m=np.ones((m, 3)),
    )


def _session_block(
    number: int,
    cluster: GnssVectorCluster,
    frm: IndexArray,
    to: IndexArray,
    vector: FloatArray,
    covariance: FloatArray,
    item: IndexArray,
) -> ObservationBlock:
    m = len(frm)
    nodes, ends = np.unique(np.concatenate([frm, to]), return_inverse=True)
    derivatives = np.zeros((m, 3, nodes.size, 3))
    for axis in range(3):
        derivatives[np.arange(m), axis, ends[:m], axis] -= 1.0
        derivatives[np.arange(m), axis, ends[m:], axis] += 1.0
    derivatives = derivatives.reshape(1, 3 * m, nodes.size, 3)

    def evaluate(values: FloatArray) -> tuple[FloatArray, FloatArray]:
        return derivatives, (vector - (values[to] - values[frm])).reshape(1, 3 * m)

    session = f"session of {m} vectors from {vector_name(cluster, int(item[0]))} on"
    return ObservationBlock(
        nodes=nodes[None].astype(np.intp),
        covariance=covariance[None],
        weight=inverse_covariances(covariance[None], lambda _: session),
        cluster=np.full((1, 3 * m), number),
        item=np.repeat(item, 3)[None],
        component=np.tile(np.arange(3), m)[None],
        evaluate=evaluate,
        linear=True,
        scale_m=np.ones((1, 3 * m)),
    )


def coordinate_name(cluster: CoordinateCluster, item: int) -> str:
    """How an observed position is called, with its line where known."""
    name = cluster.names[item] if cluster.names else f"position of {cluster.stations[item]}"
    return f"{name} (line {cluster.line_in_file[item]})" if cluster.line_in_file else name


def coordinate_block(
    number: int, cluster: CoordinateCluster, unknowns: Unknowns, keep: Keep | None
) -> ObservationBlock | None:
    """The block of an observed set of positions, with the unknowns of its own datum where it has one."""
    n = len(cluster.stations)
    chosen = _chosen(number, n, keep)
    if not chosen.size:
        return None
    position = np.asarray(cluster.position_m, dtype=np.float64)
    covariance = np.asarray(cluster.covariance_m2, dtype=np.float64)
    if position.shape != (n, 3) or covariance.shape not in {(n, 3, 3), (3 * n, 3 * n)}:
        raise InputError(
            f"{coordinate_name(cluster, 0)}: {n} stations with positions of shape {position.shape} and a "
            f"covariance of shape {covariance.shape}"
        )
    if len(set(cluster.stations)) != n:
        raise InputError(f"{coordinate_name(cluster, 0)}: a station stands twice in its cluster")
    stations = np.array(
        [unknowns.point(cluster.stations[i], coordinate_name(cluster, int(i))) for i in chosen], dtype=np.intp
    )
    position = position[chosen]
    if covariance.shape == (n, 3, 3) and not cluster.own_datum:
        covariance = covariance[chosen]
        derivatives = np.tile(np.eye(3), (chosen.size, 1, 1))[:, :, None, :]

        def evaluate_each(values: FloatArray) -> tuple[FloatArray, FloatArray]:
            return derivatives, position - values[stations]

        return ObservationBlock(
            nodes=stations[:, None],
            covariance=covariance,
            weight=inverse_covariances(covariance, lambda i: coordinate_name(cluster, int(chosen[i]))),
            cluster=np.full((chosen.size, 3), number),
            item=np.repeat(chosen[:, None], 3, axis=1),
            component=np.broadcast_to(np.arange(3), (chosen.size, 3)),
            evaluate=evaluate_each,
            linear=True,
            scale_m=np.ones((chosen.size, 3)),
        )
    if covariance.shape == (n, 3, 3):
        spread = np.zeros((n, 3, n, 3))
        spread[np.arange(n), :, np.arange(n), :] = covariance
        covariance = spread.reshape(3 * n, 3 * n)
    rows = (3 * chosen[:, None] + np.arange(3)).ravel()
    covariance = covariance[np.ix_(rows, rows)]
    own, own_nodes = _own_datum(number, cluster, unknowns, position)
    k = chosen.size
    design = np.zeros((k, 3, k + len(own_nodes), 3))
    design[np.arange(k), :, np.arange(k), :] = np.eye(3)
    design[:, :, k:, :] = own
    design = design.reshape(1, 3 * k, k + len(own_nodes), 3)
    extra = np.array(own_nodes, dtype=np.intp)

    def evaluate(values: FloatArray) -> tuple[FloatArray, FloatArray]:
        shift = np.einsum("kapc,pc->ka", own, values[extra]) if extra.size else 0.0
        return design, (position - values[stations] - shift).reshape(1, 3 * k)

    return ObservationBlock(
        nodes=np.concatenate([stations, extra])[None],
        covariance=covariance[None],
        weight=inverse_covariances(
            covariance[None],
            lambda _: f"cluster of {k} positions from {coordinate_name(cluster, int(chosen[0]))} on",
        ),
        cluster=np.full((1, 3 * k), number),
        item=np.repeat(chosen, 3)[None],
        component=np.tile(np.arange(3), k)[None],
        evaluate=evaluate,
        linear=True,
        scale_m=np.ones((1, 3 * k)),
    )


def _own_datum(
    number: int, cluster: CoordinateCluster, unknowns: Unknowns, position: FloatArray
) -> tuple[FloatArray, list[int]]:
    """Derivatives (k, 3, p, 3) of positions by the nodes of the cluster's own datum, and those nodes."""
    centre = position.mean(axis=0)
    radius = max(float(np.sqrt(np.mean(np.sum((position - centre) ** 2, axis=1)))), 1.0)
    nodes: list[int] = []
    parts: list[FloatArray] = []
    for parameter in DatumParameter:
        if parameter not in cluster.own_datum:
            continue
        nodes.append(unknowns.extra[f"{parameter}", cluster_datum_name(number)])
        part = np.zeros((len(position), 3, 3))
        derivatives = datum_derivatives(position, centre, radius, [parameter])
        part[:, :, : derivatives.shape[2]] = derivatives
        parts.append(part)
    if not parts:
        return np.zeros((len(position), 3, 0, 3)), nodes
    return np.stack(parts, axis=2), nodes
