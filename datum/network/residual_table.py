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
from datum.network.unknowns import Unknowns

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
        begins = np.flatnonzero(np.r_[True, (np.diff(cluster) != 0) | (np.diff(item) != 0)])
        ends = np.r_[begins[1:], n]
        numbers, items, components = cluster.tolist(), item.tolist(), component.tolist()
        for begin, end in zip(begins, ends, strict=True):
            number, place, size = numbers[begin], items[begin], int(end - begin)
            kind, frm, to, name, line = item_words(network, unknowns, (number, place))
            self.kind += [kind] * size
            self.frm += [frm] * size
            self.to += [to] * size
            self.name += [name] * size
            self.group += [group_of(network, number)] * size
            self.line[begin:end] = line
            source = network.clusters[number] if number != POINT_WEIGHTS else None
            if isinstance(source, TerrestrialCluster):
                self.component.append("")
                self.observed[begin] = source.observations[place].value
                continue
            self.component += [_AXES[c] for c in components[begin:end]]
            if isinstance(source, GnssVectorCluster):
                self.observed[begin:end] = np.asarray(source.vector_m)[place]
            elif isinstance(source, CoordinateCluster):
                self.observed[begin:end] = np.asarray(source.position_m)[place]


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
