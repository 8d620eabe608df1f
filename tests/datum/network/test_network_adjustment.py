"""The network engine on networks whose truth is known: datums, weights, tests, rejections, words."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from datum.adjustment.testing import noncentrality_root
from datum.network.adjust import NetworkOptions, adjust_network, pair_cofactors
from datum.network.constraints import DatumParameter
from datum.network.observations import (
    ALL_FREE,
    ComponentRole,
    CoordinateCluster,
    DatumKind,
    Geometry,
    GnssVectorCluster,
    Network,
    NetworkDatum,
    NetworkPoint,
    NormalEquationCluster,
    PlanePoint,
    ScalarKind,
    ScalarObservation,
    TerrestrialCluster,
)
from datum.records import NormalEquations, ParameterKey
from transforms.errors import AdjustmentError, InputError
from transforms.geodetic import ecef_from_geodetic, enu_matrix_at

FloatArray = NDArray[np.float64]
FIXED = (ComponentRole.FIXED,) * 3
SIGMA_M = 0.004
NUMERICAL_M = 2e-8  # rounding of earth-centred coordinates, a nanometre, through a few solves


def truth(n: int, seed: int = 5) -> FloatArray:
    rng = np.random.default_rng(seed)
    return np.asarray(
        ecef_from_geodetic(
            np.radians(35.0) + 3e-3 * rng.uniform(-1, 1, n),
            np.radians(105.0) + 3e-3 * rng.uniform(-1, 1, n),
            500.0 * rng.uniform(0, 1, n),
        )
    )


def vectors(n: int, seed: int = 5, per_station: int = 4) -> tuple[NDArray[np.intp], FloatArray, FloatArray]:
    """Pairs (m, 2), observed vectors (m, 3) and covariances (m, 3, 3)."""
    rng = np.random.default_rng(seed)
    position = truth(n, seed)
    pairs = np.concatenate(
        [np.column_stack([np.arange(n), (np.arange(n) + k) % n]) for k in range(1, per_station + 1)]
    )
    root = SIGMA_M * (np.eye(3) + 0.3 * rng.normal(size=(len(pairs), 3, 3)))
    covariance = root @ root.transpose(0, 2, 1)
    noise = np.einsum("mij,mj->mi", root, rng.normal(size=(len(pairs), 3)))
    return pairs, position[pairs[:, 1]] - position[pairs[:, 0]] + noise, covariance


def gnss_network(
    n: int = 8, *, fixed: tuple[int, ...] = (0,), seed: int = 5, session: bool = False
) -> Network:
    position = truth(n, seed)
    pairs, observed, covariance = vectors(n, seed)
    rng = np.random.default_rng(seed + 1)
    points = tuple(
        NetworkPoint(
            f"P{i}",
            position[i] + (0.0 if i in fixed else 0.5) * rng.normal(size=3),
            FIXED if i in fixed else ALL_FREE,
        )
        for i in range(n)
    )
    if session:
        m = len(pairs)
        full = np.zeros((3 * m, 3 * m))
        for k in range(m):
            full[3 * k : 3 * k + 3, 3 * k : 3 * k + 3] = covariance[k]
        common = 0.002 * rng.normal(size=(3 * m, 5))
        covariance = full + common @ common.T
    cluster = GnssVectorCluster(
        tuple(f"P{i}" for i in pairs[:, 0]), tuple(f"P{i}" for i in pairs[:, 1]), observed, covariance
    )
    return Network(Geometry.EARTH, points, (cluster,))


def dense(network: Network) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Dense adjustment with one fixed point: design, covariance, residuals, cofactor, positions."""
    cluster = network.clusters[0]
    assert isinstance(cluster, GnssVectorCluster)
    index = {point.name: i for i, point in enumerate(network.points)}
    n, m = len(network.points), len(cluster.frm)
    design = np.zeros((3 * m, 3 * n))
    for k, (a, b) in enumerate(zip(cluster.frm, cluster.to, strict=True)):
        design[3 * k : 3 * k + 3, 3 * index[a] : 3 * index[a] + 3] = -np.eye(3)
        design[3 * k : 3 * k + 3, 3 * index[b] : 3 * index[b] + 3] = np.eye(3)
    covariance = cluster.covariance_m2
    if covariance.ndim == 3:
        full = np.zeros((3 * m, 3 * m))
        for k in range(m):
            full[3 * k : 3 * k + 3, 3 * k : 3 * k + 3] = covariance[k]
        covariance = full
    held = np.array([ComponentRole.FIXED in point.roles for point in network.points]).repeat(3)
    given = np.array([point.position_ecef_m for point in network.points]).ravel()
    weight = np.linalg.inv(covariance)
    free = design[:, ~held]
    cofactor = np.linalg.inv(free.T @ weight @ free)
    right = cluster.vector_m.ravel() - design[:, held] @ given[held]
    solution = given.copy()
    solution[~held] = cofactor @ free.T @ weight @ right
    residual = cluster.vector_m.ravel() - design @ solution
    return free, covariance, residual, cofactor, solution.reshape(n, 3)


@pytest.mark.parametrize("session", [False, True])
def test_everything_agrees_with_a_dense_adjustment(session: bool) -> None:
    network = gnss_network(session=session)
    result = adjust_network(network)
    design, covariance, residual, cofactor, solution = dense(network)
    weight = np.linalg.inv(covariance)
    assert np.array([p.position_m for p in result.points]) == pytest.approx(solution, abs=NUMERICAL_M)
    assert result.chi_square == pytest.approx(residual @ weight @ residual, rel=1e-6)
    table = result.residuals
    assert table.residual == pytest.approx(residual, abs=NUMERICAL_M)
    information = weight @ (covariance - design @ cofactor @ design.T) @ weight
    assert table.w == pytest.approx(weight @ residual / np.sqrt(np.diagonal(information)), rel=1e-4, abs=1e-5)
    assert table.redundancy.sum() == pytest.approx(result.degrees_of_freedom, rel=1e-9)
    bias = noncentrality_root() / np.sqrt(np.diagonal(information))
    assert table.minimal_detectable_bias == pytest.approx(bias, rel=1e-6)
    # What a bias of that size in one number does to all coordinates, in their own sigmas.
    shift = cofactor @ design.T @ weight * bias
    reach = np.sqrt(np.einsum("ik,ij,jk->k", shift, np.linalg.inv(cofactor), shift))
    assert table.external_reliability == pytest.approx(reach, rel=1e-6)
    axes = enu_matrix_at(solution)
    of_pair = axes[2] @ cofactor[3 * 1 : 3 * 2, 3 * 4 : 3 * 5] @ axes[5].T
    assert pair_cofactors(network, [("P2", "P5")])["P2", "P5"] == pytest.approx(of_pair, rel=1e-5, abs=1e-12)
    of_neighbours = axes[2] @ cofactor[3:6, 6:9] @ axes[3].T
    assert result.pair_cofactor_m2["P2", "P3"] == pytest.approx(of_neighbours, rel=1e-5, abs=1e-12)
    assert result.pair_cofactor_m2["P3", "P2"] == pytest.approx(of_neighbours.T, rel=1e-5, abs=1e-12)


def test_the_power_of_the_test_is_what_it_says() -> None:
    """An error of the minimal detectable bias moves that number's w by the non-centrality."""
    network = gnss_network(session=True)
    cluster = network.clusters[0]
    assert isinstance(cluster, GnssVectorCluster)
    before = adjust_network(network).residuals
    wrong = cluster.vector_m.copy()
    wrong[3, 1] += before.minimal_detectable_bias[10]
    after = adjust_network(replace(network, clusters=(replace(cluster, vector_m=wrong),))).residuals
    assert after.w[10] - before.w[10] == pytest.approx(noncentrality_root(), abs=1e-4)
    assert norm.sf(norm.isf(0.0005) - noncentrality_root()) == pytest.approx(0.80, abs=1e-6)


def test_minimal_datum_moves_nothing_but_the_datum() -> None:
    network = gnss_network(fixed=())
    free = adjust_network(replace(network, datum=NetworkDatum(DatumKind.FREE)))
    some = adjust_network(replace(network, datum=NetworkDatum(DatumKind.MINIMAL, ("P1", "P4", "P6"))))
    held = adjust_network(gnss_network(fixed=(0,)))
    assert free.n_conditions == some.n_conditions == 3
    assert free.degrees_of_freedom == some.degrees_of_freedom == held.degrees_of_freedom
    assert free.chi_square == pytest.approx(some.chi_square, rel=1e-6)
    assert free.chi_square == pytest.approx(held.chi_square, rel=1e-6)
    assert some.residuals.w == pytest.approx(held.residuals.w, abs=1e-4)
    chosen = [p for p in some.points if p.name in {"P1", "P4", "P6"}]
    given = {p.name: p.position_ecef_m for p in network.points}
    mean = np.mean([p.position_m - given[p.name] for p in chosen], axis=0)
    assert mean == pytest.approx(np.zeros(3), abs=NUMERICAL_M)
    # The inner datum has the smallest trace of all.
    traces = [sum(np.trace(p.cofactor_m2) for p in r.points) for r in (free, some, held)]
    assert traces[0] < min(traces[1:])
    assert "no net translation (3) on P1, P4, P6" in some.datum_words


def test_the_inner_datum_is_the_pseudo_inverse() -> None:
    network = gnss_network(fixed=())
    result = adjust_network(replace(network, datum=NetworkDatum(DatumKind.FREE)))
    design, covariance, *_ = dense(gnss_network(fixed=(0,)))
    m = design.shape[0] // 3
    pairs, _, _ = vectors(8)
    full = np.zeros((3 * m, 24))
    for k, (a, b) in enumerate(pairs):
        full[3 * k : 3 * k + 3, 3 * a : 3 * a + 3] = -np.eye(3)
        full[3 * k : 3 * k + 3, 3 * b : 3 * b + 3] = np.eye(3)
    inverse = np.linalg.pinv(full.T @ np.linalg.inv(covariance) @ full, rcond=1e-10)
    for i, point in enumerate(result.points):
        axes = enu_matrix_at(point.position_m)
        expected = axes @ inverse[3 * i : 3 * i + 3, 3 * i : 3 * i + 3] @ axes.T
        assert point.cofactor_m2 == pytest.approx(expected, rel=1e-5, abs=1e-12)
    free = replace(network, datum=NetworkDatum(DatumKind.FREE))
    axes = [enu_matrix_at(result.points[i].position_m) for i in (1, 6)]
    assert pair_cofactors(free, [("P1", "P6")])["P1", "P6"] == pytest.approx(
        axes[0] @ inverse[3:6, 18:21] @ axes[1].T, rel=1e-5, abs=1e-12
    )


def test_weighted_points_hold_a_network_as_observations() -> None:
    network = gnss_network(fixed=())
    weighted = tuple(
        replace(p, roles=(ComponentRole.WEIGHTED,) * 3, weight_covariance_m2=np.eye(3) * 0.01**2)
        if p.name in {"P0", "P3"}
        else p
        for p in network.points
    )
    result = adjust_network(replace(network, points=weighted))
    observed = adjust_network(
        replace(
            network,
            clusters=(
                *network.clusters,
                CoordinateCluster(
                    ("P0", "P3"),
                    np.array([network.points[0].position_ecef_m, network.points[3].position_ecef_m]),
                    np.array([np.eye(3), np.eye(3)]) * 0.01**2,
                ),
            ),
        )
    )
    assert result.degrees_of_freedom == observed.degrees_of_freedom == 96 + 6 - 24
    assert result.chi_square == pytest.approx(observed.chi_square, rel=1e-6)
    for one, other in zip(result.points, observed.points, strict=True):
        assert one.position_m == pytest.approx(other.position_m, abs=NUMERICAL_M)


def test_a_solution_may_have_a_datum_of_its_own() -> None:
    """Positions shifted, turned and scaled as a whole add their shape and nothing else."""
    network = gnss_network(fixed=(0,))
    position = truth(8)
    centre = position.mean(axis=0)
    moved = position + 5.0 + 1e-5 * (position - centre) + np.cross([1e-5, -2e-5, 3e-5], position - centre)
    names = tuple(p.name for p in network.points)
    cluster = CoordinateCluster(names, moved, np.eye(24) * 0.003**2, own_datum=tuple(DatumParameter))
    alone = adjust_network(network)
    both = adjust_network(replace(network, clusters=(*network.clusters, cluster)))
    assert both.degrees_of_freedom == alone.degrees_of_freedom + 24 - 7
    assert both.sigma_zero < 2.0
    assert (
        max(float(np.linalg.norm(p.position_m - t)) for p, t in zip(both.points, position, strict=True))
        < 0.01
    )


def test_normal_equations_join_like_their_observations() -> None:
    network = gnss_network(fixed=(0,))
    free, covariance, _, cofactor, solution = dense(network)
    names = [p.name for p in network.points[1:]]
    keys = tuple(ParameterKey(name, f"position_{axis}") for name in names for axis in "xyz")
    weight = np.linalg.inv(covariance)
    approximate = np.array([p.position_ecef_m for p in network.points[1:]]).ravel()
    cluster = network.clusters[0]
    assert isinstance(cluster, GnssVectorCluster)
    misclosure = (
        cluster.vector_m.ravel()
        - (free @ approximate)
        - (_fixed_part(network) @ np.asarray(network.points[0].position_ecef_m))
    )
    equations = NormalEquations(
        keys,
        free.T @ weight @ free,
        free.T @ weight @ misclosure,
        approximate,
        float(misclosure @ weight @ misclosure),
        misclosure.size,
    )
    result = adjust_network(replace(network, clusters=(NormalEquationCluster(equations, "region"),)))
    plain = adjust_network(network)
    assert result.degrees_of_freedom == plain.degrees_of_freedom
    assert result.chi_square == pytest.approx(plain.chi_square, rel=1e-4)
    by_name = {p.name: p for p in result.points}
    for i, name in enumerate(names):
        assert by_name[name].position_m == pytest.approx(solution[i + 1], abs=1e-7)
        axes = enu_matrix_at(solution[i + 1])
        expected = axes @ cofactor[3 * i : 3 * i + 3, 3 * i : 3 * i + 3] @ axes.T
        assert by_name[name].cofactor_m2 == pytest.approx(expected, rel=1e-5, abs=1e-12)


def _fixed_part(network: Network) -> FloatArray:
    cluster = network.clusters[0]
    assert isinstance(cluster, GnssVectorCluster)
    part = np.zeros((3 * len(cluster.frm), 3))
    for k, (a, b) in enumerate(zip(cluster.frm, cluster.to, strict=True)):
        part[3 * k : 3 * k + 3] = np.eye(3) * (int(b == "P0") - int(a == "P0"))
    return part


def test_antenna_heights_and_set_up_errors() -> None:
    """Vectors between antennas give the marks; centring and ppm widen the sigmas, shared within a session."""
    network = gnss_network(fixed=(0,))
    cluster = network.clusters[0]
    assert isinstance(cluster, GnssVectorCluster)
    position, heights = truth(8), np.linspace(1.0, 2.0, 8)
    up = enu_matrix_at(position)[:, 2]
    place = {f"P{i}": i for i in range(8)}
    frm, to = ([place[name] for name in names] for names in (cluster.frm, cluster.to))
    raised = cluster.vector_m + heights[to][:, None] * up[to] - heights[frm][:, None] * up[frm]
    lifted = replace(
        cluster, vector_m=raised, from_antenna_height_m=heights[frm], to_antenna_height_m=heights[to]
    )
    plain, from_antennas = adjust_network(network), adjust_network(replace(network, clusters=(lifted,)))
    for one, other in zip(plain.points, from_antennas.points, strict=True):
        assert one.position_m == pytest.approx(other.position_m, abs=1e-6)  # normals at 0.5 m off: 1e-7 rad
    wide = replace(cluster, centring_sigma_m=0.003, height_sigma_m=0.002, parts_per_million=2.0)
    sigma = adjust_network(replace(network, clusters=(wide,))).residuals.sigma.reshape(-1, 3)
    added = np.sum(sigma**2, axis=1) - np.trace(cluster.covariance_m2, axis1=1, axis2=2)
    length = np.linalg.norm(cluster.vector_m, axis=1)
    assert added == pytest.approx(2 * (2 * 0.003**2 + 0.002**2) + 3 * (2e-6 * length) ** 2, rel=1e-9)


def with_error(network: Network, errors: dict[int, FloatArray]) -> Network:
    cluster = network.clusters[0]
    assert isinstance(cluster, GnssVectorCluster)
    wrong = cluster.vector_m.copy()
    for place, error in errors.items():
        wrong[place] += error
    return replace(network, clusters=(replace(cluster, vector_m=wrong),))


@pytest.mark.parametrize("snooping", ["baarda", "tau"])
@pytest.mark.parametrize("session", [False, True])
def test_snooping_finds_the_wrong_vectors(snooping: str, session: bool) -> None:
    network = gnss_network(12, session=session)
    wrong = with_error(network, {5: np.array([0.2, 0.0, -0.1]), 30: np.array([0.0, 0.15, 0.0])})
    result = adjust_network(wrong, NetworkOptions(snooping=snooping))  # type: ignore[arg-type]
    cluster = network.clusters[0]
    assert isinstance(cluster, GnssVectorCluster)
    expected = {f"{cluster.frm[k]} -> {cluster.to[k]}" for k in (5, 30)}
    assert {r.subject for r in result.rejections} == expected
    assert all(r.statistic > r.limit for r in result.rejections)
    rejected = ~result.residuals.accepted
    assert rejected.sum() == 6
    # The predicted residual of a rejected vector is its error.
    assert result.residuals.residual[rejected][:3] == pytest.approx([0.2, 0.0, -0.1], abs=0.03)
    assert result.degrees_of_freedom == 3 * (48 - 2 - 11)


def test_nothing_is_rejected_unless_asked() -> None:
    result = adjust_network(with_error(gnss_network(12), {5: np.array([0.2, 0.0, -0.1])}))
    assert result.rejections == ()
    assert any("global test fails" in remark for remark in result.remarks)


def test_a_robust_start_outlives_many_gross_errors() -> None:
    network = gnss_network(15)
    rng = np.random.default_rng(0)
    errors = {int(k): rng.normal(size=3) * 50.0 for k in rng.choice(60, 7, replace=False)}
    result = adjust_network(
        with_error(network, errors),
        NetworkOptions(robust=True, snooping="baarda", largest_rejected_share=0.2),
    )
    cluster = network.clusters[0]
    assert isinstance(cluster, GnssVectorCluster)
    assert {r.subject for r in result.rejections} == {f"{cluster.frm[k]} -> {cluster.to[k]}" for k in errors}
    assert (
        max(float(np.linalg.norm(p.position_m - t)) for p, t in zip(result.points, truth(15), strict=True))
        < 6 * SIGMA_M
    )


def test_variance_components_find_the_scale_of_each_group() -> None:
    network = gnss_network(40)
    cluster = network.clusters[0]
    assert isinstance(cluster, GnssVectorCluster)
    half = len(cluster.frm) // 2
    groups = []
    for name, rows, factor in (("good", slice(0, half), 1.0), ("optimistic", slice(half, None), 25.0)):
        groups.append(
            GnssVectorCluster(
                cluster.frm[rows],
                cluster.to[rows],
                cluster.vector_m[rows],
                cluster.covariance_m2[rows] / factor,
                group=name,
            )
        )
    result = adjust_network(
        replace(network, clusters=tuple(groups)), NetworkOptions(variance_components=True)
    )
    good, redundancy = result.variance_components["good"]
    optimistic, other = result.variance_components["optimistic"]
    assert good == pytest.approx(1.0, abs=4 * np.sqrt(2 / redundancy))
    assert optimistic == pytest.approx(25.0, abs=4 * 25 * np.sqrt(2 / other))
    assert redundancy + other == pytest.approx(result.degrees_of_freedom, rel=1e-6)
    assert result.sigma_zero == pytest.approx(1.0, abs=2e-3)


def plane_point(name: str, x: float | None, y: float | None, role: ComponentRole) -> PlanePoint:
    return PlanePoint(name, x, y, None, (role, role, ComponentRole.ABSENT))


PLANE = {"A": (0.0, 0.0), "B": (800.0, 100.0), "C": (700.0, 900.0), "D": (-100.0, 700.0), "E": (350.0, 450.0)}


def plane_network(role: ComponentRole, *, distances: bool, shift: float = 0.02) -> Network:
    rng = np.random.default_rng(2)
    observations, variances = [], []
    for frm, (x, y) in PLANE.items():
        for to, (a, b) in PLANE.items():
            if frm == to:
                continue
            bearing = np.arctan2(b - y, a - x) - 0.3 + 5e-6 * rng.normal()
            observations.append(ScalarObservation(ScalarKind.DIRECTION, frm, to, bearing, set_name=frm))
            variances.append(5e-6**2)
            if distances and frm < to:
                length = np.hypot(a - x, b - y) + 0.002 * rng.normal()
                observations.append(ScalarObservation(ScalarKind.HORIZONTAL_DISTANCE, frm, to, length))
                variances.append(0.002**2)
    points = tuple(
        plane_point(name, x + shift * rng.normal(), y + shift * rng.normal(), role)
        for name, (x, y) in PLANE.items()
    )
    cluster = TerrestrialCluster(tuple(observations), np.array(variances))
    return Network(Geometry.PLANE, points, (cluster,), NetworkDatum(DatumKind.FREE))


@pytest.mark.parametrize(("distances", "conditions"), [(True, 3), (False, 4)])
def test_free_plane_networks_know_their_defect(distances: bool, conditions: int) -> None:
    """With distances a plane network lacks translation and rotation, without them the scale too."""
    network = plane_network(ComponentRole.DATUM, distances=distances)
    result = adjust_network(network)
    assert result.n_conditions == conditions
    assert ("scale" in result.datum_words) == (not distances)
    assert result.n_unknowns == 10 + 5
    assert result.degrees_of_freedom == result.n_observations - 15 + conditions
    correction = np.array([p.correction_m[:2] for p in result.points])
    assert correction.sum(axis=0) == pytest.approx(np.zeros(2), abs=1e-7)
    assert result.sigma_zero == pytest.approx(1.0, abs=1.2)


def test_wrong_datums_are_said_in_words() -> None:
    network = gnss_network(fixed=())
    with pytest.raises(AdjustmentError, match=r"nothing fixes translation \(3\) of P0, P1"):
        adjust_network(network)
    plane = plane_network(ComponentRole.FREE, distances=True)
    with pytest.raises(AdjustmentError, match=r"translation \(2\) and rotation \(1\)"):
        adjust_network(replace(plane, datum=NetworkDatum()))
    with pytest.raises(AdjustmentError, match="cannot carry the datum"):
        adjust_network(replace(plane, datum=NetworkDatum(DatumKind.MINIMAL, ("E",))))
    with pytest.raises(AdjustmentError, match="leave rotation open too"):
        adjust_network(
            replace(plane, datum=NetworkDatum(DatumKind.FREE, parameters=(DatumParameter.TRANSLATION,)))
        )


def test_floating_stations_are_named() -> None:
    network = gnss_network(fixed=(0,))
    position = truth(3, seed=9)
    lone = (NetworkPoint("Q1", position[0]), NetworkPoint("Q2", position[1]))
    tie = GnssVectorCluster(("Q1",), ("Q2",), (position[1] - position[0])[None], np.eye(3)[None] * 1e-6)
    with pytest.raises(AdjustmentError, match=r"nothing fixes translation \(3\) of Q1, Q2"):
        adjust_network(replace(network, points=(*network.points, *lone), clusters=(*network.clusters, tie)))
    levelled = TerrestrialCluster(
        (ScalarObservation(ScalarKind.HEIGHT_DIFFERENCE, "P1", "Q1", 3.0),), np.array([1e-6])
    )
    with pytest.raises(
        AdjustmentError, match=r"do not determine: .*(east of Q1.*north of Q1|north of Q1.*east)"
    ):
        adjust_network(
            replace(network, points=(*network.points, lone[0]), clusters=(*network.clusters, levelled))
        )


def test_bad_networks_are_refused_in_words() -> None:
    network = gnss_network()
    cluster = network.clusters[0]
    assert isinstance(cluster, GnssVectorCluster)
    far = NetworkPoint("P3", np.asarray(network.points[3].position_ecef_m) + 100.0)
    with pytest.raises(InputError, match=r"P3: given twice, 173\.2 m apart"):
        adjust_network(replace(network, points=(*network.points, far)))
    singular = cluster.covariance_m2.copy()
    singular[7] = -singular[7]
    with pytest.raises(AdjustmentError, match="P7 -> P0: its covariance is not positive definite"):
        adjust_network(replace(network, clusters=(replace(cluster, covariance_m2=singular),)))
    with pytest.raises(InputError, match="'P0'"):
        adjust_network(replace(network, points=network.points[1:]))
    plane = plane_network(ComponentRole.FREE, distances=False)
    heights = TerrestrialCluster(
        (ScalarObservation(ScalarKind.HEIGHT_DIFFERENCE, "A", "B", 1.0),), np.array([1e-6])
    )
    with pytest.raises(InputError, match=r"A, B .* do not have"):
        adjust_network(replace(plane, clusters=(*plane.clusters, heights)))
    one_place = tuple(replace(p, x_m=1.0, y_m=1.0) for p in plane.points if isinstance(p, PlanePoint))
    with pytest.raises(AdjustmentError, match="coincide"):
        adjust_network(replace(plane, points=one_place))
    with pytest.raises(AdjustmentError, match="no approximate coordinates for S"):
        adjust_network(
            replace(
                plane,
                points=(*plane.points, plane_point("S", None, None, ComponentRole.FREE)),
                clusters=(
                    *plane.clusters,
                    TerrestrialCluster(
                        (ScalarObservation(ScalarKind.HORIZONTAL_DISTANCE, "A", "S", 9.0),), np.ones(1)
                    ),
                ),
            )
        )


def test_a_station_without_observation_is_left_out_and_said() -> None:
    network = gnss_network()
    result = adjust_network(replace(network, points=(*network.points, NetworkPoint("LONE", truth(1)[0]))))
    assert "LONE" not in {p.name for p in result.points}
    assert any("no observation touches LONE" in remark for remark in result.remarks)


def test_points_need_no_approximate_coordinates() -> None:
    network = gnss_network(fixed=(0,))
    bare = tuple(p if p.name == "P0" else replace(p, position_ecef_m=None) for p in network.points)
    with_positions, without = adjust_network(network), adjust_network(replace(network, points=bare))
    for one, other in zip(with_positions.points, without.points, strict=True):
        assert one.position_m == pytest.approx(other.position_m, abs=NUMERICAL_M)
    fixed = tuple(plane_point(n, x, y, ComponentRole.FIXED) for n, (x, y) in PLANE.items() if n != "E")
    unknown = plane_point("E", None, None, ComponentRole.FREE)
    located = adjust_network(
        replace(
            plane_network(ComponentRole.FREE, distances=True), points=(*fixed, unknown), datum=NetworkDatum()
        )
    )
    assert located.points[-1].position_m[:2] == pytest.approx(PLANE["E"], abs=0.01)
