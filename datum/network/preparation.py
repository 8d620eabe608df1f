"""A network made ready to be adjusted: points, unknowns, approximate values, and what forbids it."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.network.approximate_positions import approximate_positions
from datum.network.blocks import ObservationBlock, evaluated
from datum.network.network_blocks import network_blocks
from datum.network.observation_epochs import vectors_in_network_frame
from datum.network.observations import (
    ComponentRole,
    CoordinateCluster,
    DatumKind,
    GnssVectorCluster,
    Network,
    NetworkPoint,
    PlanePoint,
    TerrestrialCluster,
)
from datum.network.unknowns import (
    ORIENTATION,
    UNKNOWN_ROLES,
    Unknowns,
    given_positions,
    make_unknowns,
    without_repeated_points,
)
from transforms.errors import AdjustmentError, InputError

FloatArray = NDArray[np.float64]

_MOST_NAMES: Final = 8
_LEAST_RADIUS_M: Final = 6.3e6  # of the ellipsoid at the poles 6.357e6, and the deepest mine and sea
_GREATEST_RADIUS_M: Final = 6.5e6  # and the highest mountain


@dataclass(frozen=True, eq=False)
class PreparedNetwork:
    """A network ready to be adjusted: points with an observation, their unknowns, values (n, 3)."""

    network: Network
    points: tuple[NetworkPoint | PlanePoint, ...]
    unknowns: Unknowns
    start: FloatArray
    given: FloatArray
    remarks: tuple[str, ...]


def prepare_network(network: Network) -> PreparedNetwork:
    """The points that observations touch, their unknowns and approximate values.

    Raises InputError for coordinates that are none of the earth's, a held component without a coordinate, or
    an observation of a component that its points do not have; AdjustmentError where nothing joins any point.
    """
    points, remarks = without_repeated_points(network)
    network, turned = vectors_in_network_frame(network)
    network, points, more = _with_datum_roles(network, points)
    touched = _touched(network)
    idle = [p.name for p in points if p.name not in touched]
    unheld = [p.name for p in points if p.name not in touched and set(p.roles) & set(UNKNOWN_ROLES)]
    points = tuple(p for p in points if p.name in touched)
    if not points:
        raise AdjustmentError("no observation joins any point of the network")
    if unheld:
        shown = ", ".join(unheld[:_MOST_NAMES]) + (
            f" and {len(unheld) - _MOST_NAMES} more" if len(unheld) > _MOST_NAMES else ""
        )
        more = (*more, f"no observation touches {shown}: left out of the adjustment")
    elif idle:
        more = (*more, f"{len(idle)} fixed points without observations were left out")
    network = replace(network, points=points)  # type: ignore[arg-type]  # one geometry, checked below
    positions = given_positions(network)
    _check_given(points, positions)
    given = approximate_positions(network, tuple(p.name for p in points), positions)
    unknowns, start = make_unknowns(network, points, given)
    blocks = network_blocks(network, points, unknowns, start, start, frozenset())
    _check_components(blocks.used, unknowns, start)
    _orient(blocks.used, unknowns, start)
    return PreparedNetwork(network, points, unknowns, start, start.copy(), (*remarks, *turned, *more))


def _with_datum_roles(
    network: Network, points: tuple[NetworkPoint | PlanePoint, ...]
) -> tuple[Network, tuple[NetworkPoint | PlanePoint, ...], tuple[str, ...]]:
    """For a minimal datum nothing else may hold the network: fixed and weighted points become free."""
    if network.datum.kind is not DatumKind.MINIMAL:
        return network, points, ()
    holding = {ComponentRole.FIXED, ComponentRole.WEIGHTED}
    freed = [p.name for p in points if holding & set(p.roles)]
    if not freed:
        return network, points, ()

    def free(role: ComponentRole) -> ComponentRole:
        return ComponentRole.FREE if role in holding else role

    changed = tuple(replace(p, roles=(free(p.roles[0]), free(p.roles[1]), free(p.roles[2]))) for p in points)
    return (
        network,
        changed,
        (f"the datum is minimal: the coordinates of {len(freed)} points fixed or weighted are free",),
    )


def _touched(network: Network) -> set[str]:
    names: set[str] = set()
    for cluster in network.clusters:
        if isinstance(cluster, GnssVectorCluster):
            names.update(cluster.frm)
            names.update(cluster.to)
        elif isinstance(cluster, CoordinateCluster):
            names.update(cluster.stations)
        elif isinstance(cluster, TerrestrialCluster):
            names.update(name for o in cluster.observations for name in (o.frm, o.to, o.third) if name)
        else:
            names.update(key.subject for key in cluster.equations.keys)
    names.update(p.name for p in network.points if ComponentRole.WEIGHTED in p.roles)
    return names


def _check_given(points: tuple[NetworkPoint | PlanePoint, ...], positions: FloatArray) -> None:
    if isinstance(points[0], NetworkPoint):
        radius = np.linalg.norm(positions, axis=1)
        for node in np.flatnonzero((radius < _LEAST_RADIUS_M) | (radius > _GREATEST_RADIUS_M)):
            raise InputError(
                f"{points[node].name}: {radius[node]:.0f} m from the earth's centre is not on its surface"
            )
    for point, position in zip(points, positions, strict=True):
        if np.isfinite(position).all():
            continue
        for role, value in zip(point.roles, position, strict=True):
            if role in {ComponentRole.FIXED, ComponentRole.WEIGHTED} and not np.isfinite(value):
                raise InputError(f"{point.name}: {role} without a coordinate")


def _check_components(blocks: tuple[ObservationBlock, ...], unknowns: Unknowns, values: FloatArray) -> None:
    """InputError for an observation of components that its points do not have."""
    absent = np.zeros((unknowns.n_nodes, 3), dtype=bool)
    absent[: unknowns.n_points] = [[role is ComponentRole.ABSENT for role in r] for r in unknowns.roles]
    if not absent.any():
        return
    for block in blocks:
        derivatives, _ = evaluated(block, unknowns, values)
        seen = (derivatives != 0.0) & ~absent[block.nodes][:, None]
        for m, r in np.argwhere(~seen.any(axis=(2, 3))):
            names = ", ".join(unknowns.names[i] for i in block.nodes[m] if absent[i].any())
            raise InputError(
                f"an observation of {names} (place {block.item[m, r] + 1} of cluster "
                f"{block.cluster[m, r] + 1}) is of a component that these points do not have"
            )


def _orient(blocks: tuple[ObservationBlock, ...], unknowns: Unknowns, values: FloatArray) -> None:
    """Set approximate orientations into values: the mean bearing minus reading of each set."""
    orientations = {node for (kind, _), node in unknowns.extra.items() if kind == ORIENTATION}
    total = np.zeros(unknowns.n_nodes, dtype=np.complex128)
    for block in blocks:
        if not (block.nodes >= unknowns.n_points).any():
            continue
        derivatives, misclosure = evaluated(block, unknowns, values)
        sets, slots = np.nonzero(derivatives[:, :, :, 0].any(axis=1) & (block.nodes >= unknowns.n_points))
        for m, s in zip(sets, slots, strict=True):
            node = int(block.nodes[m, s])
            if node not in orientations:
                continue
            of_set = derivatives[m, :, s, 0] == -1.0
            total[node] += np.exp(-1j * misclosure[m, of_set]).sum()
    turned = total != 0.0
    values[turned, 0] = np.angle(total[turned])
