"""The adjustment of a network: approximate values, iteration, tests, rejections, variance components."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from datum.adjustment.testing import GLOBAL_SIGNIFICANCE, POWER, SIGNIFICANCE, variance_factor_limits
from datum.network.blocks import Cofactors, evaluated
from datum.network.gauss_newton import Converged, NetworkSystem, converge, network_system
from datum.network.multifrontal import NODE_SIZE
from datum.network.network_blocks import (
    Item,
    NetworkBlocks,
    item_words,
    network_blocks,
    scaled_by_group,
)
from datum.network.observations import (
    AdjustedPoint,
    ComponentRole,
    DatumKind,
    Network,
    NetworkAdjustment,
    NormalEquationCluster,
    ResidualTable,
)
from datum.network.outlier_search import Suspects, find_suspects, readmitted, robust_rejections
from datum.network.preparation import PreparedNetwork, prepare_network
from datum.network.reliability import BlockStatistics, block_statistics
from datum.network.residual_table import residual_table
from datum.network.unknowns import (
    ORIENTATION,
    Unknowns,
)
from datum.network.variance_components import component_factors
from datum.records import Rejection

FloatArray = NDArray[np.float64]
Progress = Callable[[str], None]

_LARGEST_REJECTED_SHARE: Final = 0.1
_COMPONENT_TOLERANCE: Final = 1e-3  # relative change of a variance component that ends its iteration
_MOST_COMPONENT_ROUNDS: Final = 20
_MOST_ROUNDS: Final = 50  # of rejections


@dataclass(frozen=True)
class NetworkOptions:
    """How a network is adjusted.

    snooping : "none" tests and reports but rejects nothing; "baarda" rejects by the a priori sigmas, "tau" by
        the a posteriori ones (Pope 1976), which does not mind sigmas that are all wrong by one factor
    significance, power : of the test of one observation; global_significance : of the global test
    robust : begin with an iteration that gross errors hardly influence, and reject from there
    variance_components : estimate one factor for each group (Foerstner 1979)
    largest_rejected_share : rejections beyond this share of the observations stop the search
    """

    maximum_iterations: int = 20
    convergence_m: float = 1e-6
    snooping: Literal["none", "baarda", "tau"] = "none"
    significance: float = SIGNIFICANCE
    power: float = POWER
    global_significance: float = GLOBAL_SIGNIFICANCE
    robust: bool = False
    variance_components: bool = False
    largest_rejected_share: float = _LARGEST_REJECTED_SHARE


@dataclass(frozen=True, eq=False)
class _Run:
    """One converged adjustment and the statistics of its observations."""

    converged: Converged
    blocks: NetworkBlocks
    cofactors: Cofactors
    used: tuple[BlockStatistics, ...]
    rejected: tuple[BlockStatistics, ...]

    @property
    def chi_square(self) -> float:
        """v'Pv of everything."""
        return self.converged.chi_square + self.blocks.added_square_sum

    @property
    def n_observations(self) -> int:
        """Numbers used."""
        return sum(b.n_observations for b in self.blocks.used) + self.blocks.added_observations

    @property
    def degrees_of_freedom(self) -> int:
        """Observations less unknowns plus conditions."""
        conditions = self.converged.conditions
        n_unknowns = self.converged.factor.n_unknowns
        return self.n_observations - n_unknowns + (conditions.defect if conditions else 0)


def adjust_network(
    network: Network, options: NetworkOptions | None = None, progress: Progress | None = None
) -> NetworkAdjustment:
    """Adjust a network rigorously.

    Residuals, cofactors and tests are those of the last round, after rejections and variance components.

    Raises InputError for observations of points that are not given and the like; AdjustmentError for a
    network that its observations and its datum do not determine (saying which stations float), a covariance
    that is not positive definite, or an iteration that does not end.
    """
    chosen = NetworkOptions() if options is None else options
    prepared = prepare_network(network)
    rejections: dict[Item, Rejection] = _great_misclosures(prepared)
    fixed_rejections = frozenset(rejections)
    factors: dict[str, float] = {}
    start = prepared.start
    if chosen.robust:
        _add_robust(prepared, chosen, rejections, progress)
    readmissions = 0
    remarks: list[str] = []
    for _ in range(_MOST_ROUNDS):
        run = _run(prepared, rejections, factors, start, chosen, progress)
        start = run.converged.values
        if chosen.variance_components and not factors:
            factors, run = _components(prepared, rejections, run, chosen, progress, remarks)
        if chosen.snooping == "none" and not chosen.robust:
            break
        if readmissions < 3:
            back = readmitted(
                run.blocks.rejected, run.rejected, chosen, run.chi_square, run.degrees_of_freedom
            )
            back = [item for item in back if item not in fixed_rejections]
            if back:
                readmissions += 1
                for item in back:
                    rejections.pop(item, None)
                continue
        if chosen.snooping == "none":
            break
        suspects = find_suspects(run.blocks.used, run.used, chosen, run.chi_square, run.degrees_of_freedom)
        limit = chosen.largest_rejected_share * _n_items(run)
        if not suspects.items:
            break
        if len(rejections) - len(fixed_rejections) + len(suspects.items) > limit:
            remarks.append(
                f"the search for outliers stopped after {len(rejections)} rejections: "
                f"{suspects.n_failing} more observations fail, which speaks of too small sigmas or a "
                "wrong datum rather than of outliers"
            )
            break
        _reject(prepared, suspects, chosen, rejections)
    else:
        remarks.append(f"the search for outliers stopped after {_MOST_ROUNDS} rounds")
    return _result(prepared, run, rejections, factors, chosen, remarks)


def _great_misclosures(prepared: PreparedNetwork) -> dict[Item, Rejection]:
    """Items whose misclosure against the approximate coordinates exceeds the network's limit."""
    limit = prepared.network.misclosure_limit_m
    result: dict[Item, Rejection] = {}
    if limit is None:
        return result
    blocks = network_blocks(
        prepared.network, prepared.points, prepared.unknowns, prepared.start, prepared.start, frozenset()
    )
    for block in blocks.used:
        _, misclosure = evaluated(block, prepared.unknowns, prepared.start)
        size = np.abs(misclosure) * block.scale_m
        for m, r in zip(*np.nonzero((size > limit) & (block.cluster >= 0)), strict=True):
            item = (int(block.cluster[m, r]), int(block.item[m, r]))
            if isinstance(prepared.network.clusters[item[0]], NormalEquationCluster):
                continue
            old = result.get(item)
            if old is None or old.statistic < size[m, r]:
                name = item_words(prepared.network, prepared.unknowns, item)[3]
                result[item] = Rejection(
                    name,
                    "its misclosure against the approximate coordinates is too great",
                    float(size[m, r]),
                    limit,
                )
    return result


def _system(
    prepared: PreparedNetwork, rejections: Mapping[Item, Rejection], factors: dict[str, float]
) -> tuple[NetworkSystem, NetworkBlocks]:
    blocks = network_blocks(
        prepared.network, prepared.points, prepared.unknowns, prepared.start, prepared.given, set(rejections)
    )
    blocks = replace(
        blocks,
        used=scaled_by_group(blocks.used, prepared.network, factors),
        rejected=scaled_by_group(blocks.rejected, prepared.network, factors),
    )
    system = network_system(
        prepared.unknowns, prepared.given, blocks.used, blocks.rejected, prepared.network.datum
    )
    return system, blocks


def _run(
    prepared: PreparedNetwork,
    rejections: Mapping[Item, Rejection],
    factors: dict[str, float],
    start: FloatArray,
    options: NetworkOptions,
    progress: Progress | None,
) -> _Run:
    system, blocks = _system(prepared, rejections, factors)
    converged = converge(
        system,
        start,
        maximum_iterations=options.maximum_iterations,
        convergence_m=options.convergence_m,
        progress=progress,
    )
    cofactors = converged.cofactors()
    places = system.pattern.places
    used = tuple(
        block_statistics(part, place, cofactors, used=True)
        for part, place in zip(converged.linear, places, strict=False)
    )
    rejected = tuple(
        block_statistics(part, place, cofactors, used=False)
        for part, place in zip(converged.spare, places[len(converged.linear) :], strict=True)
    )
    return _Run(converged, blocks, cofactors, used, rejected)


def _add_robust(
    prepared: PreparedNetwork,
    options: NetworkOptions,
    rejections: dict[Item, Rejection],
    progress: Progress | None,
) -> None:
    system, _ = _system(prepared, rejections, {})
    found = robust_rejections(system, prepared.start, options.significance, progress)
    prepared.start[:] = found.values
    for item, (statistic, limit) in found.items.items():
        name = item_words(prepared.network, prepared.unknowns, item)[3]
        rejections[item] = Rejection(
            name, "it contradicts the others in the robust adjustment", statistic, limit
        )


def _components(
    prepared: PreparedNetwork,
    rejections: Mapping[Item, Rejection],
    run: _Run,
    options: NetworkOptions,
    progress: Progress | None,
    remarks: list[str],
) -> tuple[dict[str, float], _Run]:
    factors: dict[str, float] = {}
    for _ in range(_MOST_COMPONENT_ROUNDS):
        update = component_factors(prepared.network, run.blocks.used, run.used)
        for group, factor in update.items():
            factors[group] = factors.get(group, 1.0) * factor
        run = _run(prepared, rejections, factors, run.converged.values, options, progress)
        if all(abs(factor - 1.0) < _COMPONENT_TOLERANCE for factor in update.values()):
            return factors, run
    remarks.append(
        f"the variance components still changed after {_MOST_COMPONENT_ROUNDS} rounds: a group has too "
        "little redundancy to be told from another"
    )
    return factors, run


def _n_items(run: _Run) -> int:
    return sum(s.item_square.size for s in run.used)


def _reject(
    prepared: PreparedNetwork, suspects: Suspects, options: NetworkOptions, rejections: dict[Item, Rejection]
) -> None:
    words = {
        "baarda": "its residuals exceed the test by the a priori sigmas",
        "tau": "its residuals exceed the test by the a posteriori sigmas",
    }
    for item, (statistic, limit) in suspects.items.items():
        name = item_words(prepared.network, prepared.unknowns, item)[3]
        rejections[item] = Rejection(name, words[options.snooping], statistic, limit)


class _PairCofactors(Mapping[tuple[str, str], FloatArray]):
    """Cofactors (3, 3) of pairs by name, in either order; turned to full local axes when asked for."""

    def __init__(self, unknowns: Unknowns, pairs: NDArray[np.intp], blocks: FloatArray) -> None:
        self._unknowns, self._blocks = unknowns, blocks
        self._pairs = pairs
        self._place: dict[tuple[int, int], int] | None = None

    def _index(self) -> dict[tuple[int, int], int]:
        if self._place is None:
            n = self._unknowns.n_points
            self._place = {(int(i), int(j)): k for k, (i, j) in enumerate(self._pairs) if i < n and j < n}
        return self._place

    def __getitem__(self, key: tuple[str, str]) -> FloatArray:
        i, j = self._unknowns.index[key[0]], self._unknowns.index[key[1]]
        place = self._index()[min(i, j), max(i, j)]
        block = self._blocks[place] if i < j else self._blocks[place].T
        return unpacked(self._unknowns, i, j, block)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        names = self._unknowns.names
        return iter([(names[i], names[j]) for i, j in self._index()])

    def __len__(self) -> int:
        return len(self._index())


def unpacked(unknowns: Unknowns, i: int, j: int, block: FloatArray) -> FloatArray:
    """A packed block (3, 3) in the three local components of both points; zero where one is not unknown."""
    if unknowns.sizes[i] == unknowns.sizes[j] == NODE_SIZE:
        return block
    result = np.zeros((3, 3))
    rows, columns = np.flatnonzero(unknowns.active[i]), np.flatnonzero(unknowns.active[j])
    result[np.ix_(rows, columns)] = block[: rows.size, : columns.size]
    return result


def _result(
    prepared: PreparedNetwork,
    run: _Run,
    rejections: Mapping[Item, Rejection],
    factors: dict[str, float],
    options: NetworkOptions,
    remarks: list[str],
) -> NetworkAdjustment:
    unknowns, network = prepared.unknowns, prepared.network
    converged = run.converged
    dof = run.degrees_of_freedom
    sigma_zero = run.chi_square / dof if dof > 0 else 1.0
    table = residual_table(
        network, unknowns, run.blocks, run.used, run.rejected, sigma_zero, options.significance, options.power
    )
    limits = variance_factor_limits(dof, options.global_significance)
    redundancy_of_group = {
        group: float(table.redundancy[np.array(table.group) == group].sum()) for group in factors
    }
    orientations = {
        name: (
            float(np.remainder(converged.values[node, 0], 2.0 * np.pi)),
            float(np.sqrt(max(run.cofactors.diagonal[node, 0, 0], 0.0))),
        )
        for (kind, name), node in unknowns.extra.items()
        if kind == ORIENTATION
    }
    words = converged.conditions.words if converged.conditions else _datum_words(prepared)
    if converged.conditions is None and network.datum.kind is not DatumKind.POINTS:
        remarks = [*remarks, f"no condition was put on the datum: the network is {words} already"]
    return NetworkAdjustment(
        geometry=network.geometry,
        points=_points(prepared, run, table),
        residuals=table,
        degrees_of_freedom=dof,
        chi_square=run.chi_square,
        sigma_zero=sigma_zero,
        test_limits=limits,
        n_observations=run.n_observations,
        n_unknowns=converged.factor.n_unknowns,
        n_conditions=converged.conditions.defect if converged.conditions else 0,
        iterations=converged.iterations,
        datum_words=words,
        rejections=tuple(rejections.values()),
        remarks=(
            *network.remarks,
            *prepared.remarks,
            *remarks,
            *_test_remarks(sigma_zero, limits, dof, table),
        ),
        pair_cofactor_m2=_PairCofactors(unknowns, converged.system.pattern.pairs, run.cofactors.pairs),
        variance_components={g: (f, redundancy_of_group[g]) for g, f in factors.items()},
        orientations_rad=orientations,
        frame=network.frame,
        epoch=network.epoch,
        inputs=network.inputs,
    )


def _points(prepared: PreparedNetwork, run: _Run, table: ResidualTable) -> tuple[AdjustedPoint, ...]:
    unknowns, values = prepared.unknowns, run.converged.values
    n = unknowns.n_points
    correction = np.einsum("nlp,np->nl", unknowns.axes[:n], values[:n] - prepared.given[:n])
    absent = np.array([[role is ComponentRole.ABSENT for role in roles] for roles in unknowns.roles])
    position = np.where(absent, np.nan, values[:n])
    counts = np.zeros(unknowns.n_nodes, dtype=np.intp)
    for block in run.blocks.used:
        np.add.at(counts, block.nodes.ravel(), block.cluster.shape[1])
    return tuple(
        AdjustedPoint(
            name=unknowns.names[i],
            position_m=position[i],
            correction_m=correction[i],
            cofactor_m2=unpacked(unknowns, i, i, run.cofactors.diagonal[i]),
            roles=unknowns.roles[i],
            n_observations=int(counts[i]),
        )
        for i in range(n)
    )


def _datum_words(prepared: PreparedNetwork) -> str:
    fixed = sum(ComponentRole.FIXED in p.roles for p in prepared.points)
    weighted = sum(ComponentRole.WEIGHTED in p.roles for p in prepared.points)
    texts = [f"{fixed} fixed points"] if fixed else []
    texts += [f"{weighted} weighted points"] if weighted else []
    return "held by " + (" and ".join(texts) or "observed positions")


def _test_remarks(
    sigma_zero: float, limits: tuple[float, float], dof: int, table: ResidualTable
) -> list[str]:
    remarks: list[str] = []
    if dof == 0:
        return ["the network has no redundancy: no observation is checked by another"]
    if sigma_zero > limits[1]:
        remarks.append(
            f"the global test fails: the variance factor {sigma_zero:.4g} exceeds {limits[1]:.4g}; sigmas "
            "are too small, or there are outliers"
        )
    elif sigma_zero < limits[0]:
        remarks.append(
            f"the variance factor {sigma_zero:.4g} is below {limits[0]:.4g}: the sigmas are too great"
        )
    idle = int(np.count_nonzero((table.redundancy == 0.0) & table.accepted))
    if idle:
        remarks.append(f"{idle} of {table.accepted.sum()} numbers are not checked by any other")
    return remarks


def pair_cofactors(network: Network, pairs: list[tuple[str, str]]) -> dict[tuple[str, str], FloatArray]:
    """Cofactors (3, 3) of any pairs of stations, in their local axes, by sparse solves.

    The network is solved once more; pairs that share a first station share a solve.
    """
    prepared = prepare_network(network)
    rejections = _great_misclosures(prepared)
    system, _ = _system(prepared, rejections, {})
    options = NetworkOptions()
    converged = converge(
        system,
        prepared.start,
        maximum_iterations=options.maximum_iterations,
        convergence_m=options.convergence_m,
    )
    unknowns = prepared.unknowns
    columns: dict[int, FloatArray] = {}
    result: dict[tuple[str, str], FloatArray] = {}
    for first, second in pairs:
        i, j = unknowns.point(first, "the pair"), unknowns.point(second, "the pair")
        if j not in columns:
            columns[j] = converged.columns(j)
        result[first, second] = unpacked(unknowns, i, j, columns[j][i])
    return result
