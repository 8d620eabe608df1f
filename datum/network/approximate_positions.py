"""Approximate coordinates of points that are given none, from the observations that reach them.

Vectors, observed positions and height differences go from known points to unknown ones. In a plane network
oriented directions and distances follow: polar, intersection of bearings or distances, and resection. Each
round uses what the rounds before gave; what stays unknown is named.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.network.observations import (
    ComponentRole,
    CoordinateCluster,
    Geometry,
    GnssVectorCluster,
    Network,
    NormalEquationCluster,
    ScalarKind,
    ScalarObservation,
    TerrestrialCluster,
)
from transforms.errors import AdjustmentError

FloatArray = NDArray[np.float64]

_LENGTHS: Final = (ScalarKind.HORIZONTAL_DISTANCE, ScalarKind.SLOPE_DISTANCE)
_LEVELLED: Final = (ScalarKind.HEIGHT_DIFFERENCE, ScalarKind.ELLIPSOIDAL_HEIGHT_DIFFERENCE)
# Sine of the angle of two bearings below which their intersection is worthless (3 degrees).
_FLAT_INTERSECTION: Final = 0.05
_MOST_NAMES: Final = 8


def approximate_positions(network: Network, names: tuple[str, ...], given: FloatArray) -> FloatArray:
    """Positions (n, 3) of the points named, those in `given` kept; NaN only where a component is ABSENT.

    Raises AdjustmentError naming the points that no observation locates.
    """
    position = given.copy()
    wanted = np.array(
        [[role is not ComponentRole.ABSENT for role in point.roles] for point in network.points]
    )
    if bool(np.isfinite(position[wanted]).all()):
        return position
    index = {name: i for i, name in enumerate(names)}
    _observed_positions(network, index, position)
    scalars = [
        o
        for c in network.clusters
        if isinstance(c, TerrestrialCluster)
        for o in c.observations
        if o.frm in index and (not o.to or o.to in index)
    ]
    plane = _PlaneSights(network, scalars, index) if network.geometry is Geometry.PLANE else None
    while True:
        before = int(np.isfinite(position).sum())
        _along_vectors(network, index, position)
        if plane is not None:
            _along_height_differences(scalars, index, position)
            plane.locate(position, wanted)
        if int(np.isfinite(position).sum()) == before:
            break
    lost = [names[i] for i in np.flatnonzero((~np.isfinite(position) & wanted).any(axis=1))]
    if lost:
        more = f" and {len(lost) - _MOST_NAMES} more" if len(lost) > _MOST_NAMES else ""
        raise AdjustmentError(
            f"no approximate coordinates for {', '.join(lost[:_MOST_NAMES])}{more}: the observations do not "
            "locate them from known points; give approximate coordinates"
        )
    return position


def _observed_positions(network: Network, index: Mapping[str, int], position: FloatArray) -> None:
    for cluster in network.clusters:
        if isinstance(cluster, CoordinateCluster):
            for name, observed in zip(cluster.stations, np.asarray(cluster.position_m), strict=True):
                if name in index:
                    row = position[index[name]]
                    row[~np.isfinite(row)] = observed[~np.isfinite(row)]
        elif isinstance(cluster, NormalEquationCluster):
            axes = {"position_x": 0, "position_y": 1, "position_z": 2}
            for key, value in zip(cluster.equations.keys, cluster.equations.approximate, strict=True):
                if key.subject in index and key.quantity in axes:
                    row = position[index[key.subject]]
                    if not np.isfinite(row[axes[key.quantity]]):
                        row[axes[key.quantity]] = value


def _along_vectors(network: Network, index: Mapping[str, int], position: FloatArray) -> None:
    for cluster in network.clusters:
        if not isinstance(cluster, GnssVectorCluster):
            continue
        frm = np.array([index.get(name, -1) for name in cluster.frm])
        to = np.array([index.get(name, -1) for name in cluster.to])
        vector = np.asarray(cluster.vector_m)
        inside = (frm >= 0) & (to >= 0)
        frm, to, vector = frm[inside], to[inside], vector[inside]
        for start, end, sign in ((frm, to, 1.0), (to, frm, -1.0)):
            reach = np.isfinite(position[start]) & ~np.isfinite(position[end])
            rows, axes = np.nonzero(reach)
            position[end[rows], axes] = position[start[rows], axes] + sign * vector[rows, axes]


def _along_height_differences(
    scalars: list[ScalarObservation], index: Mapping[str, int], position: FloatArray
) -> None:
    for o in scalars:
        if o.kind in {ScalarKind.COORDINATE_HEIGHT, ScalarKind.ORTHOMETRIC_HEIGHT}:
            if not np.isfinite(position[index[o.frm], 2]):
                position[index[o.frm], 2] = o.value
        elif o.kind in _LEVELLED:
            a, b = index[o.frm], index[o.to]
            rise = o.value - o.target_height_m + o.instrument_height_m
            if np.isfinite(position[a, 2]) and not np.isfinite(position[b, 2]):
                position[b, 2] = position[a, 2] + rise
            elif np.isfinite(position[b, 2]) and not np.isfinite(position[a, 2]):
                position[a, 2] = position[b, 2] - rise


class _PlaneSights:
    """Directions, angles, azimuths, zenith angles and distances of a plane network, by their ends."""

    def __init__(self, network: Network, scalars: list[ScalarObservation], index: Mapping[str, int]) -> None:
        self._sense = network.angle_sense
        self._index = index
        self._sets: dict[str, list[tuple[int, int, float]]] = {}
        self._azimuths: list[tuple[int, int, float]] = []
        self._angles: list[tuple[int, int, int, float]] = []
        self._zenith: dict[tuple[int, int], ScalarObservation] = {}
        self._slope: dict[tuple[int, int], ScalarObservation] = {}
        self._level: dict[tuple[int, int], float] = {}
        self._coordinates: list[tuple[int, int, float]] = []
        for o in scalars:
            a, b = index[o.frm], index.get(o.to, -1)
            if o.kind is ScalarKind.DIRECTION:
                self._sets.setdefault(o.set_name, []).append((a, b, o.value))
            elif o.kind is ScalarKind.AZIMUTH:
                self._azimuths.append((a, b, o.value))
            elif o.kind is ScalarKind.HORIZONTAL_ANGLE and o.third in index:
                self._angles.append((a, b, index[o.third], o.value))
            elif o.kind is ScalarKind.ZENITH_ANGLE:
                self._zenith[a, b] = o
            elif o.kind is ScalarKind.SLOPE_DISTANCE:
                self._slope[a, b] = o
            elif o.kind is ScalarKind.HORIZONTAL_DISTANCE:
                self._level[a, b] = self._level[b, a] = o.value
            elif o.kind in {ScalarKind.COORDINATE_X, ScalarKind.COORDINATE_Y}:
                self._coordinates.append((a, int(o.kind is ScalarKind.COORDINATE_Y), o.value))
        for (a, b), o in self._slope.items():
            zenith = self._zenith.get((a, b))
            level = o.value * abs(np.sin(zenith.value)) if zenith else o.value
            self._level.setdefault((a, b), level)
            self._level.setdefault((b, a), level)

    def locate(self, position: FloatArray, wanted: NDArray[np.bool_]) -> None:
        """One round: every unknown point that known points locate, in the plane and in height."""
        for point, axis, value in self._coordinates:
            if not np.isfinite(position[point, axis]):
                position[point, axis] = value
        known: NDArray[np.bool_] = np.isfinite(position[:, 0]) & np.isfinite(position[:, 1])
        bearings = self._bearings(position, known)
        for node in np.flatnonzero(~known & wanted[:, :2].any(axis=1)).tolist():
            found = self._place(node, position, known, bearings)
            if found is not None:
                position[node, :2] = found
        self._heights(position)

    def _bearing(self, position: FloatArray, a: int, b: int) -> float:
        x, y = position[b, :2] - position[a, :2]
        return self._sense * float(np.arctan2(y, x))

    def _bearings(self, position: FloatArray, known: NDArray[np.bool_]) -> list[tuple[int, int, float]]:
        """Oriented sights (from, to, bearing) that begin at known points."""
        result = [entry for entry in self._azimuths if known[entry[0]]]
        result += [(b, a, value + np.pi) for a, b, value in self._azimuths if known[b]]
        for sights in self._sets.values():
            turns = [self._bearing(position, a, b) - v for a, b, v in sights if known[a] and known[b]]
            if turns:
                turn = float(np.angle(np.mean(np.exp(1j * np.array(turns)))))
                result += [(a, b, v + turn) for a, b, v in sights]
        for a, b, c, value in self._angles:
            if known[a] and known[b]:
                result.append((a, c, self._bearing(position, a, b) + value))
            elif known[a] and known[c]:
                result.append((a, b, self._bearing(position, a, c) - value))
        return result

    def _place(
        self,
        node: int,
        position: FloatArray,
        known: NDArray[np.bool_],
        bearings: list[tuple[int, int, float]],
    ) -> FloatArray | None:
        rays = [(a, bearing) for a, b, bearing in bearings if b == node and known[a]]
        lengths = {a: length for (a, b), length in self._level.items() if b == node and known[a]}
        polar = [position[a, :2] + lengths[a] * self._unit(bearing) for a, bearing in rays if a in lengths]
        if polar:
            return np.asarray(np.median(polar, axis=0))
        if len({a for a, _ in rays}) >= 2:
            crossing = self._intersect(rays, position)
            if crossing is not None:
                return crossing
        resected = self._resect(node, position, known)
        if resected is not None:
            return resected
        return _from_distances(np.array([position[a, :2] for a in lengths]), np.array(list(lengths.values())))

    def _unit(self, bearing: float) -> FloatArray:
        return np.array([np.cos(bearing), self._sense * np.sin(bearing)])

    def _intersect(self, rays: list[tuple[int, float]], position: FloatArray) -> FloatArray | None:
        """The point nearest to all rays' lines."""
        normal, right = np.zeros((2, 2)), np.zeros(2)
        for a, bearing in rays:
            along = self._unit(bearing)
            across = np.eye(2) - np.outer(along, along)
            normal += across
            right += across @ position[a, :2]
        if np.linalg.det(normal) / len(rays) ** 2 < 0.25 * _FLAT_INTERSECTION**2:
            return None
        return np.asarray(np.linalg.solve(normal, right))

    def _resect(self, node: int, position: FloatArray, known: NDArray[np.bool_]) -> FloatArray | None:
        """A station from its directions to three known points: circles through one, inverted to lines."""
        for sights in self._sets.values():
            seen = [(b, v) for a, b, v in sights if a == node and known[b]]
            if len(seen) < 3:
                continue
            base = position[seen[0][0], :2]
            rows, right = [], []
            for b, v in seen[1:]:
                offset = position[b, :2] - base
                angle = self._sense * (v - seen[0][1])
                if abs(np.sin(angle)) < _FLAT_INTERSECTION:
                    continue
                # Circle through base and b that sees them under `angle`; inverted about base it is a line.
                cot = np.cos(angle) / np.sin(angle)
                rows.append([offset[0] - cot * offset[1], offset[1] + cot * offset[0]])
                right.append(1.0)
            if len(rows) < 2:
                continue
            centre, _, rank, _ = np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)
            if rank == 2 and np.dot(centre, centre) > 0.0:
                # `centre` is the common point under the inversion q -> q / |q|^2 about base.
                return np.asarray(base + centre / np.dot(centre, centre))
        return None

    def _heights(self, position: FloatArray) -> None:
        """Trigonometric heights along sights whose plane coordinates are known."""
        for (a, b), o in self._zenith.items():
            length = self._level.get((a, b))
            if length is None and np.isfinite(position[[a, b], :2]).all():
                length = float(np.linalg.norm(position[b, :2] - position[a, :2]))
            if length is None or abs(np.sin(o.value)) < _FLAT_INTERSECTION:
                continue
            rise = length * np.cos(o.value) / np.sin(o.value) + o.instrument_height_m - o.target_height_m
            if np.isfinite(position[a, 2]) and not np.isfinite(position[b, 2]):
                position[b, 2] = position[a, 2] + rise
            elif np.isfinite(position[b, 2]) and not np.isfinite(position[a, 2]):
                position[a, 2] = position[b, 2] - rise


def _from_distances(points: FloatArray, lengths: FloatArray) -> FloatArray | None:
    """The point at given distances from three or more known ones, not on a line."""
    if len(lengths) < 3:
        return None
    design = 2.0 * (points[1:] - points[0])
    right = lengths[0] ** 2 - lengths[1:] ** 2 + np.sum(points[1:] ** 2, axis=1) - np.sum(points[0] ** 2)
    solution, _, rank, singular = np.linalg.lstsq(design, right, rcond=None)
    if rank < 2 or singular[-1] < _FLAT_INTERSECTION * singular[0]:
        return None
    return np.asarray(solution)
