"""Total stations, levels and gyroscopes on the earth, with deflections of the vertical: truth comes back."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from datum.network import earth_equations
from datum.network.adjust import NetworkOptions, adjust_network
from datum.network.earth_equations import Site
from datum.network.observations import (
    ALL_FREE,
    ComponentRole,
    DatumKind,
    Geometry,
    GnssVectorCluster,
    Network,
    NetworkDatum,
    NetworkPoint,
    ScalarKind,
    ScalarObservation,
    TerrestrialCluster,
)
from transforms.ellipsoids import GRS80
from transforms.geodetic import ecef_from_geodetic, enu_matrix_at

FloatArray = NDArray[np.float64]
FIXED = (ComponentRole.FIXED,) * 3
SIGMA = {
    ScalarKind.DIRECTION: 3e-6,
    ScalarKind.ZENITH_ANGLE: 6e-6,
    ScalarKind.AZIMUTH: 3e-6,
    ScalarKind.SLOPE_DISTANCE: 0.002,
    ScalarKind.HEIGHT_DIFFERENCE: 0.001,
}
INSTRUMENT_M, TARGET_M = 1.6, 1.3
N = 9


@pytest.fixture(scope="module")
def region() -> tuple[Network, FloatArray]:
    """Nine points of three rows, everything seen from everywhere, P0 fixed; and the true positions (9, 3)."""
    rng = np.random.default_rng(4)
    latitude = np.radians(46.0) + 2e-4 * np.arange(3).repeat(3) + 2e-5 * rng.normal(size=N)
    longitude = np.radians(8.0) + 3e-4 * np.tile(np.arange(3), 3) + 2e-5 * rng.normal(size=N)
    position = np.asarray(ecef_from_geodetic(latitude, longitude, 500.0 + rng.uniform(0.0, 300.0, N)))
    deflection, geoid = 3e-5 * rng.normal(size=(N, 2)), 50.0 + rng.normal(size=N)

    def site(i: int, height_m: float) -> Site:
        return Site(position[[i]], np.array([height_m]), deflection[[i]], geoid[[i]])

    observations: list[ScalarObservation] = []

    def add(kind: ScalarKind, i: int, j: int) -> None:
        marks = kind is ScalarKind.HEIGHT_DIFFERENCE
        heights = (0.0, 0.0) if marks else (INSTRUMENT_M, TARGET_M)
        value = float(earth_equations.COMPUTE[kind](site(i, heights[0]), site(j, heights[1]), GRS80)[0][0])
        turned = 0.7 if kind is ScalarKind.DIRECTION else 0.0
        observations.append(
            ScalarObservation(
                kind,
                f"P{i}",
                f"P{j}",
                value - turned + SIGMA[kind] * rng.normal(),
                set_name=f"set {i}" if turned else "",
                instrument_height_m=heights[0],
                target_height_m=heights[1],
            )
        )

    for i in range(N):
        for j in range(N):
            if i != j:
                add(ScalarKind.DIRECTION, i, j)
                add(ScalarKind.ZENITH_ANGLE, i, j)
            if i < j:
                add(ScalarKind.SLOPE_DISTANCE, i, j)
            if i < j and (i + j) % 3 == 0:
                add(ScalarKind.HEIGHT_DIFFERENCE, i, j)
            if (i, j) in {(0, 8), (2, 6)}:
                add(ScalarKind.AZIMUTH, i, j)
    points = tuple(
        NetworkPoint(
            f"P{i}",
            position[i] + (3.0 * rng.normal(size=3) if i else 0.0),
            ALL_FREE if i else FIXED,
            deflection_rad=(float(deflection[i, 0]), float(deflection[i, 1])),
            geoid_height_m=float(geoid[i]),
        )
        for i in range(N)
    )
    variances = np.array([SIGMA[o.kind] ** 2 for o in observations])
    return Network(Geometry.EARTH, points, (TerrestrialCluster(tuple(observations), variances),)), position


def of_kinds(network: Network, *kinds: ScalarKind) -> Network:
    cluster = network.clusters[0]
    assert isinstance(cluster, TerrestrialCluster)
    chosen = [i for i, o in enumerate(cluster.observations) if o.kind in kinds]
    part = TerrestrialCluster(tuple(cluster.observations[i] for i in chosen), cluster.covariance[chosen])
    return replace(network, clusters=(part,))


def test_truth_comes_back(region: tuple[Network, FloatArray]) -> None:
    network, truth = region
    result = adjust_network(network)
    assert result.n_unknowns == 3 * (N - 1) + N
    assert result.test_limits[0] < result.sigma_zero < result.test_limits[1]
    error = np.array([p.correction_m for p in result.points])
    assert np.abs(error).max() > 3.0  # metres off at the start
    squares = []
    for point, true in zip(result.points[1:], truth[1:], strict=True):
        axes = np.linalg.inv(point.cofactor_m2)
        east_north_up = enu(truth, point.position_m - true)
        squares.append(east_north_up @ axes @ east_north_up)
    # Mean of chi-square with 3 degrees, correlated between points: within a factor of three.
    assert 1.0 < np.mean(squares) < 9.0
    assert result.residuals.redundancy.sum() == pytest.approx(result.degrees_of_freedom, rel=1e-8)
    assert result.orientations_rad["set 4"][0] == pytest.approx(0.7, abs=1e-4)


def enu(truth: FloatArray, difference: FloatArray) -> FloatArray:
    return np.asarray(enu_matrix_at(truth[0]) @ difference)


def test_a_wrong_deflection_is_seen(region: tuple[Network, FloatArray]) -> None:
    """Without the deflections the zenith angles and azimuths contradict each other: 3e-5 rad is 5 sigma."""
    network, _ = region
    plain = tuple(
        replace(p, deflection_rad=(0.0, 0.0)) for p in network.points if isinstance(p, NetworkPoint)
    )
    assert adjust_network(replace(network, points=plain)).sigma_zero > 5.0


@pytest.mark.parametrize(
    ("kinds", "conditions", "words"),
    [
        (tuple(SIGMA), 3, "no net translation (3)"),
        (
            (ScalarKind.DIRECTION, ScalarKind.ZENITH_ANGLE, ScalarKind.SLOPE_DISTANCE),
            4,
            "no net translation (3) and rotation (1)",
        ),
    ],
)
def test_what_each_kind_leaves_open(
    region: tuple[Network, FloatArray], kinds: tuple[ScalarKind, ...], conditions: int, words: str
) -> None:
    """Plumb lines hold two rotations and distances the scale; an azimuth holds the third.

    Without deflections: a pattern of these would hold the third rotation too, if only to some degrees.
    """
    network = of_kinds(region[0], *kinds)
    free = tuple(
        replace(p, roles=ALL_FREE, deflection_rad=(0.0, 0.0))
        for p in network.points
        if isinstance(p, NetworkPoint)
    )
    result = adjust_network(replace(network, points=free, datum=NetworkDatum(DatumKind.FREE)))
    assert result.n_conditions == conditions
    assert result.datum_words.startswith(words + " on")
    assert result.residuals.redundancy.sum() == pytest.approx(result.degrees_of_freedom, rel=1e-6)


def test_levelled_heights_alone_leave_one_height_open(region: tuple[Network, FloatArray]) -> None:
    network, _ = region
    up_only = (ComponentRole.FIXED, ComponentRole.FIXED, ComponentRole.FREE)
    loop = tuple(
        ScalarObservation(ScalarKind.HEIGHT_DIFFERENCE, f"P{i}", f"P{(i + 1) % N}", 0.1) for i in range(N)
    )
    level = replace(
        network,
        points=tuple(replace(p, roles=up_only) for p in network.points if isinstance(p, NetworkPoint)),
        clusters=(TerrestrialCluster(loop, np.full(N, 1e-6)),),
        datum=NetworkDatum(DatumKind.FREE),
    )
    result = adjust_network(level)
    assert (result.n_conditions, result.degrees_of_freedom) == (1, 1)
    # The loop of 0.9 m is shared alike.
    assert result.residuals.residual == pytest.approx(np.full(N, 0.1), abs=1e-7)


def test_correlated_and_independent_clusters_are_one_model(region: tuple[Network, FloatArray]) -> None:
    network, _ = region
    cluster = network.clusters[0]
    assert isinstance(cluster, TerrestrialCluster)
    nearly = np.diag(cluster.covariance)
    nearly[0, 1] = nearly[1, 0] = 1e-9 * np.sqrt(nearly[0, 0] * nearly[1, 1])
    plain = adjust_network(network)
    full = adjust_network(replace(network, clusters=(replace(cluster, covariance=nearly),)))
    assert full.chi_square == pytest.approx(plain.chi_square, rel=1e-6)
    assert full.residuals.w == pytest.approx(plain.residuals.w, abs=1e-5)
    assert full.residuals.minimal_detectable_bias == pytest.approx(
        plain.residuals.minimal_detectable_bias, rel=1e-5
    )


@pytest.mark.parametrize("robust", [False, True])
def test_wrong_angles_are_found(region: tuple[Network, FloatArray], robust: bool) -> None:
    network, _ = region
    cluster = network.clusters[0]
    assert isinstance(cluster, TerrestrialCluster)
    wrong = list(cluster.observations)
    for place, error in ((40, 0.01), (100, 0.5)):
        wrong[place] = replace(wrong[place], value=wrong[place].value + error)
    result = adjust_network(
        replace(network, clusters=(replace(cluster, observations=tuple(wrong)),)),
        NetworkOptions(snooping="tau", robust=robust),
    )
    expected = {f"{wrong[k].kind} {wrong[k].frm} -> {wrong[k].to}" for k in (40, 100)}
    assert {r.subject for r in result.rejections} == expected
    rejected = ~result.residuals.accepted
    assert sorted(result.residuals.residual[rejected]) == pytest.approx([0.01, 0.5], abs=1e-4)


def test_satellites_and_total_stations_together(region: tuple[Network, FloatArray]) -> None:
    network, truth = region
    vectors = GnssVectorCluster(
        ("P0", "P0"), ("P4", "P8"), truth[[4, 8]] - truth[[0, 0]], np.array([np.eye(3), np.eye(3)]) * 0.001**2
    )
    alone, both = (
        adjust_network(network),
        adjust_network(replace(network, clusters=(*network.clusters, vectors))),
    )
    assert both.degrees_of_freedom == alone.degrees_of_freedom + 6
    assert np.trace(both.points[8].cofactor_m2) < 0.5 * np.trace(alone.points[8].cofactor_m2)
    assert both.points[8].position_m == pytest.approx(truth[8], abs=0.004)
