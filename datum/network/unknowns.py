"""The unknowns of a network adjustment: nodes of up to three values each, addressed by name.

A node is a point, or what observations bring with them: the orientation of a direction set, the translation,
rotation and scale of a solution's own datum. Points have positions (earth-centred, or x, y, height) and
unknowns in their local axes (east, north, up, or the same x, y, height); FIXED and ABSENT ones are left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.network.constraints import DatumParameter
from datum.network.multifrontal import NODE_SIZE
from datum.network.observations import (
    ComponentRole,
    CoordinateCluster,
    Geometry,
    Network,
    NetworkPoint,
    NormalEquationCluster,
    PlanePoint,
    ScalarKind,
    TerrestrialCluster,
)
from transforms.ellipsoids import Ellipsoid
from transforms.errors import AdjustmentError, InputError
from transforms.geodetic import enu_matrix_at

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]

UNKNOWN_ROLES: Final = (ComponentRole.FREE, ComponentRole.WEIGHTED, ComponentRole.DATUM)
# Two points of one name closer than this are one mark given twice: the first counts.
_SAME_MARK_M: Final = 0.5
COMPONENT_WORDS: Final = {
    Geometry.EARTH: ("east", "north", "up"),
    Geometry.PLANE: ("x", "y", "height"),
}


@dataclass(frozen=True, eq=False)
class Unknowns:
    """The nodes of a network, n of them, points first.

    index : name of a point -> node; extra : (kind, name) of the other nodes -> node
    roles : of the points' local components; active : (n, 3) which local components are unknowns
    axes : (n, 3, 3) rows are the local axes in position coordinates, set at the approximate positions
    directions : (n, 3, 3) derivatives of position coordinates (rows) by the node's unknowns (columns, packed)
    sizes : (n,) number of unknowns of each node
    deflection_rad : (n, 2) xi, eta; geoid_height_m : (n,)
    """

    geometry: Geometry
    ellipsoid: Ellipsoid
    angle_sense: int
    names: tuple[str, ...]
    n_points: int
    index: Mapping[str, int]
    extra: Mapping[tuple[str, str], int]
    roles: tuple[tuple[ComponentRole, ComponentRole, ComponentRole], ...]
    active: NDArray[np.bool_]
    axes: FloatArray
    directions: FloatArray
    sizes: IndexArray
    deflection_rad: FloatArray
    geoid_height_m: FloatArray

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.names)

    def point(self, name: str, where: str) -> int:
        """Node of a point; InputError where `where` (an observation in words) names one that is not given."""
        try:
            return self.index[name]
        except KeyError:
            raise InputError(f"{where}: the point {name!r} is not among the points given") from None

    def describe(self, node: int, packed: int) -> str:
        """An unknown in words: "up of A1"."""
        if node >= self.n_points:
            return self.names[node]
        component = int(np.flatnonzero(self.active[node])[packed])
        return f"{COMPONENT_WORDS[self.geometry][component]} of {self.names[node]}"


def given_positions(network: Network) -> FloatArray:
    """Positions (n, 3) of the network's points as given, NaN where they are not."""
    rows: list[FloatArray] = []
    for point in network.points:
        if isinstance(point, PlanePoint):
            rows.append(
                np.array([np.nan if v is None else v for v in (point.x_m, point.y_m, point.height_m)])
            )
        elif point.position_ecef_m is None:
            rows.append(np.full(3, np.nan))
        else:
            rows.append(np.asarray(point.position_ecef_m, dtype=np.float64))
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def without_repeated_points(
    network: Network,
) -> tuple[tuple[NetworkPoint | PlanePoint, ...], tuple[str, ...]]:
    """The points with each name once, and remarks on those given again.

    Raises InputError where two points of one name are not the same mark.
    """
    positions = given_positions(network)
    first: dict[str, int] = {}
    kept: list[NetworkPoint | PlanePoint] = []
    remarks: list[str] = []
    given: tuple[NetworkPoint | PlanePoint, ...] = network.points
    for number, point in enumerate(given):
        if not point.name:
            raise InputError(f"point {number + 1}: it has no name")
        if point.name not in first:
            first[point.name] = number
            kept.append(point)
            continue
        apart = positions[number] - positions[first[point.name]]
        distance = float(np.linalg.norm(apart[np.isfinite(apart)]))
        if distance > _SAME_MARK_M:
            line = f" (line {point.line_in_file})" if point.line_in_file else ""
            raise InputError(
                f"{point.name}: given twice{line}, {distance:.1f} m apart; one name must be one mark"
            )
        remarks.append(f"{point.name} is given twice, {distance:.4f} m apart: the first counts")
    return tuple(kept), tuple(remarks)


def make_unknowns(
    network: Network, points: tuple[NetworkPoint | PlanePoint, ...], positions: FloatArray
) -> tuple[Unknowns, FloatArray]:
    """The unknowns of a network, and their approximate values (n, 3).

    positions : (n_points, 3) approximate, finite where a component is not ABSENT
    """
    extra = _extra_nodes(network, len(points))
    n_points, n_nodes = len(points), len(points) + len(extra)
    names = (*(p.name for p in points), *(f"{kind} of {name}" for kind, name in extra))
    active = np.zeros((n_nodes, NODE_SIZE), dtype=bool)
    axes = np.broadcast_to(np.eye(3), (n_nodes, 3, 3)).copy()
    deflection = np.zeros((n_nodes, 2))
    geoid = np.zeros(n_nodes)
    for i, point in enumerate(points):
        active[i] = [role in UNKNOWN_ROLES for role in point.roles]
        if isinstance(point, NetworkPoint):
            if network.geometry is not Geometry.EARTH:
                raise InputError(f"{point.name}: an earth-centred point in a plane network")
            if ComponentRole.ABSENT in point.roles:
                raise InputError(f"{point.name}: a point on the earth has three components")
            deflection[i] = point.deflection_rad
            geoid[i] = point.geoid_height_m
        elif network.geometry is not Geometry.PLANE:
            raise InputError(f"{point.name}: a plane point in a network on the earth")
    if network.geometry is Geometry.EARTH and n_points:
        axes[:n_points] = enu_matrix_at(positions, network.ellipsoid)
    for (kind, _), node in extra.items():
        active[node] = [True, kind in _VECTOR_NODES, kind in _VECTOR_NODES]
    # Active components first: column k of `packing` is the k-th active component.
    packing = np.zeros((n_nodes, NODE_SIZE, NODE_SIZE))
    slot = np.cumsum(active, axis=1) - 1
    rows, columns = np.nonzero(active)
    packing[rows, columns, slot[rows, columns]] = 1.0
    values = np.zeros((n_nodes, NODE_SIZE))
    values[:n_points] = np.where(np.isfinite(positions), positions, 0.0)  # NaN where ABSENT
    unknowns = Unknowns(
        geometry=network.geometry,
        ellipsoid=network.ellipsoid,
        angle_sense=network.angle_sense,
        names=names,
        n_points=n_points,
        index={point.name: i for i, point in enumerate(points)},
        extra=extra,
        roles=tuple(point.roles for point in points),
        active=active,
        axes=axes,
        directions=np.einsum("nlp,nlk->npk", axes, packing),
        sizes=active.sum(axis=1).astype(np.intp),
        deflection_rad=deflection,
        geoid_height_m=geoid,
    )
    return unknowns, values


_VECTOR_NODES: Final = (f"{DatumParameter.TRANSLATION}", f"{DatumParameter.ROTATION}")
ORIENTATION: Final = "orientation"


def cluster_datum_name(number: int) -> str:
    """How a cluster is called whose own datum is unknown."""
    return f"coordinate cluster {number + 1}"


def _extra_nodes(network: Network, first: int) -> dict[tuple[str, str], int]:
    keys: dict[tuple[str, str], int] = {}
    for number, cluster in enumerate(network.clusters):
        if isinstance(cluster, TerrestrialCluster):
            for observation in cluster.observations:
                if observation.kind is ScalarKind.DIRECTION:
                    if not observation.set_name:
                        raise InputError(f"direction {observation.frm} -> {observation.to}: it has no set")
                    keys.setdefault((ORIENTATION, observation.set_name), first + len(keys))
        elif isinstance(cluster, CoordinateCluster):
            for parameter in cluster.own_datum:
                keys.setdefault((f"{parameter}", cluster_datum_name(number)), first + len(keys))
        elif isinstance(cluster, NormalEquationCluster) and network.geometry is not Geometry.EARTH:
            raise InputError(
                f"{cluster.name}: normal equations of earth-centred coordinates in a plane network"
            )
    if not network.points:
        raise AdjustmentError("the network has no points")
    return keys
