"""Terrestrial clusters to blocks of equations: kinds handled at once, correlations kept.

Independent observations of one kind are one block of single numbers; a correlated cluster is a block of its
own, whatever kinds it mixes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.network import earth_equations, plane_equations
from datum.network.blocks import ObservationBlock, inverse_covariances
from datum.network.earth_equations import Site
from datum.network.gnss_equations import Keep
from datum.network.observations import Geometry, ScalarKind, ScalarObservation, TerrestrialCluster
from datum.network.unknowns import ORIENTATION, Unknowns
from transforms.errors import InputError

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]

ANGLES: Final = frozenset(
    {ScalarKind.DIRECTION, ScalarKind.HORIZONTAL_ANGLE, ScalarKind.AZIMUTH, ScalarKind.ZENITH_ANGLE}
)
_PERIODIC: Final = ANGLES | {ScalarKind.LONGITUDE}
_OF_ONE_POINT: Final = frozenset(
    {
        ScalarKind.ORTHOMETRIC_HEIGHT,
        ScalarKind.ELLIPSOIDAL_HEIGHT,
        ScalarKind.LATITUDE,
        ScalarKind.LONGITUDE,
        ScalarKind.COORDINATE_X,
        ScalarKind.COORDINATE_Y,
        ScalarKind.COORDINATE_HEIGHT,
    }
)
_EARTH_RADIUS_M: Final = 6371e3  # metres that a radian of latitude means, for judging misclosures only


def observation_name(observation: ScalarObservation) -> str:
    """How an observation is called, with its line where known."""
    ends = " -> ".join(name for name in (observation.frm, observation.to, observation.third) if name)
    name = observation.name or f"{observation.kind} {ends}"
    return f"{name} (line {observation.line_in_file})" if observation.line_in_file else name


@dataclass(frozen=True, eq=False)
class _Kind:
    """n observations of one kind: nodes (n, s) in the order of the derivatives' third axis."""

    kind: ScalarKind
    nodes: IndexArray
    value: FloatArray
    heights: FloatArray  # (n, 3) instrument, target, third

    def evaluate(self, unknowns: Unknowns, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Derivatives (n, s, 3) by position coordinates, and misclosures (n,)."""

        def site(column: int, height: int) -> Site:
            nodes = self.nodes[:, column]
            return Site(
                values[nodes],
                self.heights[:, height],
                unknowns.deflection_rad[nodes],
                unknowns.geoid_height_m[nodes],
            )

        frm = site(0, 0)
        to = frm if self.kind in _OF_ONE_POINT else site(1, 1)
        computed, derivatives = self._compute(unknowns, frm, to)
        if self.kind is ScalarKind.HORIZONTAL_ANGLE:
            second, by_second = self._compute(unknowns, frm, site(2, 2))
            computed = second - computed
            derivatives = np.stack(
                [by_second[:, 0] - derivatives[:, 0], -derivatives[:, 1], by_second[:, 1]], axis=1
            )
        elif self.kind is ScalarKind.DIRECTION:
            computed = computed - values[self.nodes[:, 2], 0]
            orientation = np.zeros((len(computed), 1, 3))
            orientation[:, 0, 0] = -1.0
            derivatives = np.concatenate([derivatives, orientation], axis=1)
        misclosure = self.value - computed
        if self.kind in _PERIODIC:
            misclosure = np.remainder(misclosure + np.pi, 2.0 * np.pi) - np.pi
        return derivatives, misclosure

    def _compute(self, unknowns: Unknowns, frm: Site, to: Site) -> tuple[FloatArray, FloatArray]:
        if unknowns.geometry is Geometry.EARTH:
            return earth_equations.COMPUTE[self.kind](frm, to, unknowns.ellipsoid)
        return plane_equations.COMPUTE[self.kind](frm, to, unknowns.angle_sense)

    def scale_m(self, values: FloatArray) -> FloatArray:
        """Metres that one unit of each observation means, (n,)."""
        if self.kind in {ScalarKind.LATITUDE, ScalarKind.LONGITUDE}:
            return np.full(self.value.size, _EARTH_RADIUS_M)
        if self.kind not in ANGLES:
            return np.ones(self.value.size)
        return np.asarray(np.linalg.norm(values[self.nodes[:, 1]] - values[self.nodes[:, 0]], axis=1))


def _kind_of(kind: ScalarKind, observations: Sequence[ScalarObservation], unknowns: Unknowns) -> _Kind:
    table = earth_equations.COMPUTE if unknowns.geometry is Geometry.EARTH else plane_equations.COMPUTE
    if kind not in table:
        raise InputError(
            f"{observation_name(observations[0])}: no such observation in a network of geometry "
            f"{unknowns.geometry}"
        )
    nodes: list[list[int]] = []
    for observation in observations:
        where = observation_name(observation)
        if not np.isfinite(observation.value):
            raise InputError(f"{where}: its value is not a finite number")
        row = [unknowns.point(observation.frm, where)]
        if kind not in _OF_ONE_POINT:
            row.append(unknowns.point(observation.to, where))
        if kind is ScalarKind.HORIZONTAL_ANGLE:
            row.append(unknowns.point(observation.third, where))
        if len(set(row)) != len(row):
            raise InputError(f"{where}: it names one point twice")
        if kind is ScalarKind.DIRECTION:
            row.append(unknowns.extra[ORIENTATION, observation.set_name])
        nodes.append(row)
    return _Kind(
        kind,
        np.array(nodes, dtype=np.intp),
        np.array([o.value for o in observations]),
        np.array(
            [[o.instrument_height_m, o.target_height_m, o.third_height_m] for o in observations],
            dtype=np.float64,
        ),
    )


def terrestrial_blocks(
    clusters: Sequence[tuple[int, TerrestrialCluster]],
    unknowns: Unknowns,
    values: FloatArray,
    keep: Keep | None,
) -> list[ObservationBlock]:
    """Blocks of terrestrial clusters with their numbers."""
    blocks: list[ObservationBlock] = []
    independent: dict[ScalarKind, list[tuple[int, int, ScalarObservation, float]]] = {}
    for number, cluster in clusters:
        n = len(cluster.observations)
        covariance = np.asarray(cluster.covariance, dtype=np.float64)
        if covariance.shape not in {(n,), (n, n)}:
            raise InputError(
                f"{observation_name(cluster.observations[0])}: {n} observations with a covariance of shape "
                f"{covariance.shape}"
            )
        chosen = [i for i in range(n) if keep is None or keep(number, i)]
        if covariance.ndim == 2 and not np.any(covariance - np.diag(np.diagonal(covariance))):
            covariance = np.diagonal(covariance)
        if covariance.ndim == 1:
            for i in chosen:
                observation = cluster.observations[i]
                independent.setdefault(observation.kind, []).append(
                    (number, i, observation, float(covariance[i]))
                )
        elif chosen:
            blocks.append(_correlated_block(number, cluster, covariance, chosen, unknowns, values))
    for kind, rows in independent.items():
        blocks.append(_independent_block(kind, rows, unknowns, values))
    return blocks


def _independent_block(
    kind: ScalarKind,
    rows: Sequence[tuple[int, int, ScalarObservation, float]],
    unknowns: Unknowns,
    values: FloatArray,
) -> ObservationBlock:
    of_kind = _kind_of(kind, [row[2] for row in rows], unknowns)
    covariance = np.array([row[3] for row in rows])[:, None, None]

    def evaluate(at: FloatArray) -> tuple[FloatArray, FloatArray]:
        derivatives, misclosure = of_kind.evaluate(unknowns, at)
        return derivatives[:, None], misclosure[:, None]

    return ObservationBlock(
        nodes=of_kind.nodes,
        covariance=covariance,
        weight=inverse_covariances(covariance, lambda i: observation_name(rows[i][2])),
        cluster=np.array([[row[0]] for row in rows], dtype=np.intp),
        item=np.array([[row[1]] for row in rows], dtype=np.intp),
        component=np.zeros((len(rows), 1), dtype=np.intp),
        evaluate=evaluate,
        linear=unknowns.geometry is Geometry.PLANE and (kind in _OF_ONE_POINT or "height diff" in kind),
        scale_m=of_kind.scale_m(values)[:, None],
    )


def _correlated_block(
    number: int,
    cluster: TerrestrialCluster,
    covariance: FloatArray,
    chosen: Sequence[int],
    unknowns: Unknowns,
    values: FloatArray,
) -> ObservationBlock:
    covariance = covariance[np.ix_(chosen, chosen)]
    kinds = sorted({cluster.observations[i].kind for i in chosen})
    parts: list[tuple[IndexArray, _Kind, IndexArray]] = []
    places = [
        np.array([k for k, i in enumerate(chosen) if cluster.observations[i].kind is kind]) for kind in kinds
    ]
    of_kinds = [
        _kind_of(kind, [cluster.observations[chosen[k]] for k in place], unknowns)
        for kind, place in zip(kinds, places, strict=True)
    ]
    nodes = np.unique(np.concatenate([part.nodes.ravel() for part in of_kinds]))
    for place, part in zip(places, of_kinds, strict=True):
        parts.append((place, part, np.searchsorted(nodes, part.nodes)))
    size = len(chosen)
    scale = np.zeros(size)
    for place, part, _ in parts:
        scale[place] = part.scale_m(values)

    def evaluate(at: FloatArray) -> tuple[FloatArray, FloatArray]:
        design, misclosure = np.zeros((size, nodes.size, 3)), np.zeros(size)
        for place, part, columns in parts:
            derivatives, closure = part.evaluate(unknowns, at)
            design[place[:, None], columns] = derivatives
            misclosure[place] = closure
        return design[None], misclosure[None]

    first = observation_name(cluster.observations[chosen[0]])
    return ObservationBlock(
        nodes=nodes[None].astype(np.intp),
        covariance=covariance[None],
        weight=inverse_covariances(
            covariance[None], lambda _: f"cluster of {size} observations from {first} on"
        ),
        cluster=np.full((1, size), number),
        item=np.array(chosen, dtype=np.intp)[None],
        component=np.zeros((1, size), dtype=np.intp),
        evaluate=evaluate,
        linear=False,
        scale_m=scale[None],
    )
