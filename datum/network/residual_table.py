"""The table of residuals of an adjusted network, in the order of its clusters."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from datum.adjustment.testing import noncentrality_root
from datum.network.blocks import ObservationBlock
from datum.network.network_blocks import NetworkBlocks, group_of, item_words
from datum.network.observations import (
    CoordinateCluster,
    GnssVectorCluster,
    Network,
    NormalEquationCluster,
    ResidualTable,
    TerrestrialCluster,
)
from datum.network.point_weights import POINT_WEIGHTS
from datum.network.reliability import BlockStatistics
from datum.network.unknowns import COMPONENT_WORDS, Unknowns

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]

_AXES = ("x", "y", "z")


def residual_table(
    network: Network,
    unknowns: Unknowns,
    blocks: NetworkBlocks,
    used: Sequence[BlockStatistics],
    rejected: Sequence[BlockStatistics],
    sigma_zero: float,
    significance: float,
    power: float,
) -> ResidualTable:
    """The table; normal equations have no numbers of their own and are not in it."""
    parts = [
        (block, of_block, accepted)
        for group, of_group, accepted in ((blocks.used, used, True), (blocks.rejected, rejected, False))
        for block, of_block in zip(group, of_group, strict=True)
        if not _is_normal(network, block)
    ]
    if not parts:
        return _empty()

    def column(name: str) -> FloatArray:
        return np.concatenate([np.asarray(getattr(s, name), dtype=np.float64).ravel() for _, s, _ in parts])

    cluster, item, component = (
        np.concatenate([np.asarray(getattr(b, name)).ravel() for b, _, _ in parts]).astype(np.intp)
        for name in ("cluster", "item", "component")
    )
    accepted = np.concatenate([np.full(b.cluster.size, flag) for b, _, flag in parts])
    order = np.lexsort((component, item, cluster))
    cluster, item, component, accepted = cluster[order], item[order], component[order], accepted[order]
    values = {
        name: column(name)[order]
        for name in (
            "residual",
            "sigma",
            "sigma_adjusted",
            "sigma_residual",
            "redundancy",
            "w",
            "information",
            "external",
        )
    }
    bias = np.full(values["w"].size, np.inf)
    controlled = values["information"] > 0.0
    bias[controlled] = noncentrality_root(significance, power) / np.sqrt(values["information"][controlled])
    words = _Words(network, unknowns, cluster, item, component)
    observed = words.observed
    normalised = np.divide(
        values["residual"],
        values["sigma_residual"],
        out=np.zeros_like(values["residual"]),
        where=values["sigma_residual"] > 0.0,
    )
    external = np.full(bias.size, np.inf)
    external[controlled] = bias[controlled] * values["external"][controlled]
    return ResidualTable(
        cluster=cluster,
        item=item,
        kind=tuple(words.kind),
        frm=tuple(words.frm),
        to=tuple(words.to),
        name=tuple(words.name),
        component=tuple(words.component),
        group=tuple(words.group),
        observed=observed,
        adjusted=observed - values["residual"],
        residual=values["residual"],
        sigma=values["sigma"],
        sigma_adjusted=values["sigma_adjusted"],
        sigma_residual=values["sigma_residual"],
        normalised=normalised,
        redundancy=values["redundancy"],
        w=values["w"],
        tau=values["w"] / np.sqrt(sigma_zero) if sigma_zero > 0.0 else np.zeros_like(values["w"]),
        minimal_detectable_bias=bias,
        external_reliability=external,
        accepted=accepted,
        line_in_file=words.line,
    )


def _is_normal(network: Network, block: ObservationBlock) -> bool:
    number = int(block.cluster[0, 0]) if block.cluster.size else POINT_WEIGHTS
    return number >= 0 and isinstance(network.clusters[number], NormalEquationCluster)


class _Words:
    """Columns of words, and the observed values, of rows (cluster, item, component) in their order."""

    def __init__(
        self,
        network: Network,
        unknowns: Unknowns,
        cluster: IndexArray,
        item: IndexArray,
        component: IndexArray,
    ) -> None:
        n = cluster.size
        self.kind: list[str] = []
        self.frm: list[str] = []
        self.to: list[str] = []
        self.name: list[str] = []
        self.group: list[str] = []
        self.component: list[str] = []
        self.observed = np.zeros(n)
        self.line = np.zeros(n, dtype=np.intp)
        edges = np.flatnonzero(np.r_[True, np.diff(cluster) != 0, True])
        for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            rows = slice(begin, end)
            self._add(network, unknowns, int(cluster[begin]), item[rows], component[rows], rows)

    def _add(
        self,
        network: Network,
        unknowns: Unknowns,
        number: int,
        item: IndexArray,
        component: IndexArray,
        rows: slice,
    ) -> None:
        """The rows of one cluster."""
        places, repeats = np.unique(item, return_counts=True)
        times = repeats.tolist()
        words = [item_words(network, unknowns, (number, place)) for place in places.tolist()]
        for column, part in ((self.kind, 0), (self.frm, 1), (self.to, 2), (self.name, 3)):
            column += [
                str(word[part]) for word, count in zip(words, times, strict=True) for _ in range(count)
            ]
        self.line[rows] = np.repeat([word[4] for word in words], repeats)
        self.group += [group_of(network, number)] * item.size
        source = network.clusters[number] if number != POINT_WEIGHTS else None
        if isinstance(source, TerrestrialCluster):
            self.component += [""] * item.size
            self.observed[rows] = [source.observations[place].value for place in item.tolist()]
            return
        axes = COMPONENT_WORDS[unknowns.geometry] if source is None else _AXES
        self.component += [axes[c] for c in component.tolist()]
        if isinstance(source, GnssVectorCluster):
            self.observed[rows] = np.asarray(source.vector_m)[item, component]
        elif isinstance(source, CoordinateCluster):
            self.observed[rows] = np.asarray(source.position_m)[item, component]


def _empty() -> ResidualTable:
    none, places = np.zeros(0), np.zeros(0, dtype=np.intp)
    words: tuple[str, ...] = ()
    return ResidualTable(
        places,
        places,
        words,
        words,
        words,
        words,
        words,
        words,
        none,
        none,
        none,
        none,
        none,
        none,
        none,
        none,
        none,
        none,
        none,
        none,
        np.zeros(0, dtype=bool),
        places,
    )
