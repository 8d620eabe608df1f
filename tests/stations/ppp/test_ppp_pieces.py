"""The estimator's pieces: interpolation, elimination, rejection, steps, first position."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from stations.ppp.estimator import adjust
from stations.ppp.first_position import epoch_clocks_s
from stations.ppp.observation_equations import build_constraints, ionosphere_free_factors
from stations.ppp.options import PppOptions, observation_sigma_factor
from stations.ppp.orbits import ClockTable, OrbitTable
from stations.ppp.outliers import (
    correlation_inflation,
    find_outliers,
    find_residual_steps,
    robust_sigma,
)
from stations.ppp.parameters import ParameterLayout, TimeNodes
from stations.ppp.paths import SignalPaths
from stations.ppp.rows import (
    ObservationRows,
    epoch_redundancy,
    epochs_on_interval,
    rows_without_position,
)
from stations.records import SatelliteClocks, SatelliteOrbits
from transforms.constants import EARTH_ROTATION_RATE_RAD_PER_S, SPEED_OF_LIGHT_M_PER_S
from transforms.errors import AdjustmentError
from transforms.time_scales import Epochs

# Degree-10 interpolation of a GPS orbit tabulated every 5 minutes, in the middle of the table.
INTERPOLATION_M = 1e-4


def circular_orbit(second_s):
    """A GPS-like circular orbit in the rotating frame."""
    a, inclination = 26_560_000.0, np.radians(55.0)
    u = np.sqrt(3.986004418e14 / a**3) * second_s + 0.7
    inertial = a * np.stack(
        [np.cos(u), np.sin(u) * np.cos(inclination), np.sin(u) * np.sin(inclination)], axis=-1
    )
    theta = EARTH_ROTATION_RATE_RAD_PER_S * second_s
    x = np.cos(theta) * inertial[..., 0] + np.sin(theta) * inertial[..., 1]
    y = -np.sin(theta) * inertial[..., 0] + np.cos(theta) * inertial[..., 1]
    return np.stack([x, y, inertial[..., 2]], axis=-1)


def orbit_table(missing=()):
    second = np.arange(0.0, 6 * 3600.0 + 1, 300.0)
    position = circular_orbit(second)[:, None, :]
    for k in missing:
        position[k] = np.nan
    epochs = Epochs((second * 1e9).astype(np.int64))
    shape = position.shape[:2]
    return OrbitTable(
        SatelliteOrbits(epochs, ("G01",), position, np.zeros(shape), np.zeros(shape, bool), "IGS20", "TST")
    )


@given(st.floats(1800.0, 6 * 3600.0 - 1800.0))
def test_orbit_interpolation_meets_the_true_orbit(second):
    epoch = np.array([int(second * 1e9)])
    got, _ = orbit_table().positions_and_velocities(epoch, np.zeros(1), np.zeros(1, dtype=np.int64))
    np.testing.assert_allclose(got[0], circular_orbit(epoch[0] / 1e9), rtol=0, atol=INTERPOLATION_M)


def test_orbit_interpolation_never_crosses_a_gap_or_leaves_the_table():
    table = orbit_table(missing=(30,))
    zero = np.zeros(1, dtype=np.int64)
    inside_gap, _ = table.positions_and_velocities(np.array([int(30.5 * 300e9)]), np.zeros(1), zero)
    after_end, _ = table.positions_and_velocities(np.array([int(6 * 3600e9)]), np.array([1.0]), zero)
    assert np.isnan(inside_gap).all()
    assert np.isnan(after_end).all()
    sound, _ = table.positions_and_velocities(np.array([int(10.5 * 300e9)]), np.zeros(1), zero)
    assert np.isfinite(sound).all()


@pytest.mark.parametrize("second", [7200.0, 7200.0 - 0.075, 7350.0, 9000.5])
def test_orbit_velocity_is_the_inertial_derivative(second):
    at = np.array([int(7200e9)])
    position, velocity = orbit_table().positions_and_velocities(
        at, np.array([second - 7200.0]), np.zeros(1, dtype=np.int64)
    )
    truth = circular_orbit(np.array(second + 0.5)) - circular_orbit(np.array(second - 0.5))
    turning = EARTH_ROTATION_RATE_RAD_PER_S * np.array([-position[0, 1], position[0, 0], 0.0])
    np.testing.assert_allclose(velocity[0], truth + turning, atol=1e-3)


def test_clocks_are_linear_between_epochs_and_missing_where_missing():
    epochs = Epochs(np.array([0, 30, 60, 90], dtype=np.int64) * 1_000_000_000)
    table = ClockTable(SatelliteClocks(epochs, ("G01",), np.array([[0.0], [3e-6], [np.nan], [9e-6]]), "TST"))
    zero = np.zeros(1, dtype=np.int64)
    assert table.at(np.array([15_000_000_000]), np.zeros(1), zero)[0] == pytest.approx(1.5e-6)
    assert table.at(np.array([30_000_000_000]), np.array([-0.07]), zero)[0] == pytest.approx(3e-6, abs=1e-8)
    assert np.isnan(table.at(np.array([45_000_000_000]), np.zeros(1), zero)[0])
    assert np.isnan(table.at(np.array([120_000_000_000]), np.zeros(1), zero)[0])


def test_ionosphere_free_factors_of_gps_are_those_of_the_textbook():
    np.testing.assert_allclose(
        ionosphere_free_factors(np.array([1575.42e6, 1227.60e6])), [2.545728, -1.545728], atol=1e-6
    )


def test_elimination_equals_solving_everything_at_once():
    random = np.random.default_rng(1)
    n, n_global, n_epochs, size = 60, 4, 6, 2
    design = random.normal(size=(n, n_global))
    local = np.zeros((n, n_epochs * size))
    for row in range(n):
        epoch = row % n_epochs
        local[row, epoch * size : epoch * size + size] = random.normal(size=size)
    weight = random.uniform(0.5, 2.0, n)
    truth = random.normal(size=n_global)
    observed = design @ truth + local @ random.normal(size=n_epochs * size) + random.normal(size=n)
    constraint = np.eye(1, n_global)
    estimate = adjust(
        sp.csr_array(design), sp.csr_array(local), size, observed, weight,
        sp.csr_array(constraint), np.array([truth[0]]), np.array([4.0]),
    )  # fmt: skip
    full = np.hstack([design, local])
    stacked = np.vstack([full, np.hstack([constraint, np.zeros((1, n_epochs * size))])])
    root = np.sqrt(np.append(weight, 4.0))
    expected = np.linalg.lstsq(stacked * root[:, None], np.append(observed, truth[0]) * root, rcond=None)[0]
    covariance = np.linalg.inv((stacked * root[:, None] ** 2).T @ stacked)[:n_global, :n_global]
    np.testing.assert_allclose(estimate.parameters, expected[:n_global], atol=1e-10)
    np.testing.assert_allclose(estimate.local_parameters, expected[n_global:], atol=1e-10)
    np.testing.assert_allclose(estimate.covariance, covariance, atol=1e-10)
    assert estimate.degrees_of_freedom == n + 1 - n_global - n_epochs * size


def test_undetermined_unknowns_are_an_error_not_a_number():
    design = sp.csr_array(np.ones((4, 2)))  # two unknowns that cannot be told apart
    local = sp.csr_array((4, 1))
    nothing = sp.csr_array((0, 2))
    with pytest.raises(AdjustmentError, match="do not determine"):
        adjust(design, local, 1, np.ones(4), np.ones(4), nothing, np.zeros(0), np.zeros(0))


def test_outliers_are_found_and_rejected_ones_stay_out_of_the_scale():
    random = np.random.default_rng(2)
    residuals = random.normal(size=400)
    residuals[7] = 25.0
    weight = np.ones(400)
    assert list(np.flatnonzero(find_outliers(residuals, weight, 6.0))) == [7]
    weight[7] = 0.0
    assert not find_outliers(residuals, weight, 6.0).any()
    assert robust_sigma(residuals) == pytest.approx(1.0, abs=0.15)


def test_a_step_in_one_arc_is_found_where_it_is_and_noise_is_left_alone():
    random = np.random.default_rng(3)
    arc = np.repeat([0, 1], 60)
    residuals = 0.005 * random.normal(size=120)
    assert find_residual_steps(residuals, arc, np.ones(120, bool)) == []
    residuals[85:] += 0.19
    steps = find_residual_steps(residuals, arc, np.ones(120, bool))
    assert [(s.arc, int(s.rows[0])) for s in steps] == [(1, 85)]
    assert steps[0].size_m == pytest.approx(0.19, abs=0.01)


def test_correlation_inflation_of_white_and_of_correlated_noise():
    random = np.random.default_rng(4)
    white = random.normal(size=20_000)
    series = np.zeros(20_000, dtype=np.int64)
    used = np.ones(20_000, bool)
    assert correlation_inflation(white, series, used) == pytest.approx(1.0, abs=0.15)
    coefficient = 0.8
    markov = np.empty_like(white)
    markov[0] = white[0]
    for k in range(1, white.size):
        markov[k] = coefficient * markov[k - 1] + white[k]
    # AR(1): 1 + 2 a/(1-a) = 9
    assert correlation_inflation(markov, series, used) == pytest.approx(9.0, rel=0.2)


@settings(max_examples=30)
@given(st.floats(600.0, 86400.0), st.floats(300.0, 7200.0))
def test_time_nodes_cover_the_session_and_weights_add_up(span, step):
    nodes = TimeNodes.over(100.0, 100.0 + span, step, origin_s=-40.0)
    before, share = nodes.weights(np.linspace(100.0, 100.0 + span, 50))
    assert 100.0 - step <= nodes.second_s[0] <= 100.0 + 1e-9
    assert 100.0 + span - 1e-6 <= nodes.second_s[-1] <= 100.0 + span + step + 1e-6
    np.testing.assert_allclose(np.mod((nodes.second_s + 40.0) / step + 0.5, 1.0), 0.5, atol=1e-6)
    assert np.all((before >= 0) & (before < nodes.second_s.size - 1))
    assert np.all((share >= -1e-12) & (share <= 1 + 1e-12))


def test_the_layout_has_no_gaps_and_constraints_leave_position_and_ambiguities_free():
    nodes = TimeNodes.over(0.0, 86400.0, 3600.0)
    layout = ParameterLayout(True, nodes, nodes, 7, 3)
    places = [
        layout.position, layout.zenith_wet_delay, layout.gradient_north, layout.gradient_east,
        layout.ambiguity, layout.code_bias,
    ]  # fmt: skip
    covered = np.concatenate([np.arange(p.start, p.stop) for p in places])
    np.testing.assert_array_equal(covered, np.arange(layout.size))
    design, value, weight = build_constraints(layout, PppOptions(), np.ones(3))
    touched = np.unique(design.tocoo().col)
    assert touched.min() >= layout.zenith_wet_delay.start
    assert not np.any((touched >= layout.ambiguity.start) & (touched < layout.ambiguity.stop))
    assert value.size == weight.size == 3 * nodes.second_s.size + 3


def test_epochs_on_an_interval_forgive_a_late_tag_but_not_another_epoch():
    midnight = 19_000_000_000  # 00:00:00 GPST
    tags = midnight + np.array([0, 30_000_000_000, 300_004_000_000, 330_000_000_000], dtype=np.int64)
    np.testing.assert_array_equal(epochs_on_interval(tags, 300.0), [0, 2])


def test_beidou_2_and_igso_weigh_less_than_meo():
    assert observation_sigma_factor("C38") > observation_sigma_factor("C23") > observation_sigma_factor("G05")


def test_outliers_are_judged_by_the_share_of_an_error_that_shows():
    # Two epochs of a kinematic day: four satellites leave no residual at all, eight leave half of the error.
    random = np.random.default_rng(6)
    redundancy = np.repeat([0.0, 0.5], 200)
    residuals = np.where(redundancy > 0.0, np.sqrt(redundancy) * random.normal(size=400), 1e-6)
    weight = np.ones(400)
    assert find_outliers(residuals, weight, 4.5).any()  # the zeros make the others look large
    assert not find_outliers(residuals, weight, 4.5, redundancy).any()
    residuals[300] = 6.0
    assert list(np.flatnonzero(find_outliers(residuals, weight, 4.5, redundancy))) == [300]


def rows_of_two_epochs():
    """Four satellites of one group and two of another at the first epoch, four of one at the second."""
    return ObservationRows(
        epoch_ns=np.array([0, 30_000_000_000]),
        epoch_index=np.repeat([0, 1], [6, 4]),
        satellite_index=np.array([0, 1, 2, 3, 4, 5, 0, 1, 2, 3]),
        code_m=np.zeros((10, 2)),
        phase_m=np.zeros((10, 2)),
        arc=np.zeros(10, dtype=np.int64),
    )


GROUPS = np.array([0, 0, 0, 0, 1, 1])


def test_redundancy_counts_clocks_and_where_unknown_the_position():
    rows, used = rows_of_two_epochs(), np.ones(10, dtype=bool)
    still = epoch_redundancy(rows, GROUPS, used, own_position=False)
    moving = epoch_redundancy(rows, GROUPS, used, own_position=True)
    np.testing.assert_allclose(still, np.repeat([4 / 6, 3 / 4], [6, 4]))
    np.testing.assert_allclose(moving, np.repeat([1 / 6, 0.0], [6, 4]))
    used[9] = False
    assert np.all(epoch_redundancy(rows, GROUPS, used, own_position=True)[6:] < 0.0)


def test_an_epoch_whose_satellites_stand_on_one_cone_has_no_position():
    rows, used = rows_of_two_epochs(), np.ones(10, dtype=bool)
    azimuth = np.radians([0.0, 90.0, 180.0, 270.0, 45.0, 200.0, 0.0, 90.0, 180.0, 270.0])
    elevation = np.radians([80.0, 20.0, 45.0, 30.0, 60.0, 15.0, 40.0, 40.0, 40.0, 40.0])
    line_of_sight = np.stack(
        [np.cos(elevation) * np.sin(azimuth), np.cos(elevation) * np.cos(azimuth), np.sin(elevation)], axis=1
    )
    without = rows_without_position(rows, line_of_sight, GROUPS, used)
    np.testing.assert_array_equal(without, np.repeat([False, True], [6, 4]))
    used[:3] = False
    assert rows_without_position(rows, line_of_sight, GROUPS, used).all()


def test_a_clock_does_not_jump_by_the_inter_system_bias_when_the_majority_changes():
    n_epochs, per_epoch = 40, 9
    epoch = np.repeat(np.arange(n_epochs), per_epoch)
    group = np.tile(np.arange(per_epoch) >= 5, n_epochs).astype(np.int64)
    group[epoch % 2 == 1] = np.tile(np.arange(per_epoch) >= 4, n_epochs // 2)
    drift_m = 3.0 * epoch
    code_m = drift_m + 80.0 * group + np.random.default_rng(7).normal(0.0, 0.5, epoch.size)
    zero = np.zeros(epoch.size)
    paths = SignalPaths(
        zero,
        np.zeros((epoch.size, 3)),
        zero,
        zero + 1.0,
        np.zeros((epoch.size, 3, 3)),
        zero,
        zero > 1,
        zero < 1,
    )
    above_the_ground = np.array([9e6, 0.0, 0.0])  # no troposphere there
    clock_m = SPEED_OF_LIGHT_M_PER_S * epoch_clocks_s(code_m, paths, above_the_ground, epoch, group, n_epochs)
    np.testing.assert_allclose(np.diff(clock_m), 3.0, atol=2.0)
