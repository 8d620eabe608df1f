"""Whole numbers: the search against published and exhaustive answers, and fixes that must be refused."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stations.ppp.ambiguities import circular_mean
from stations.ppp.integer_least_squares import decorrelate, integer_least_squares, ldl_decomposition
from stations.ppp.signal_biases import pair_biases
from stations.records import SignalBias, SignalBiases
from transforms.errors import AdjustmentError
from transforms.time_scales import Epochs

# de Jonge and Tiberius (1996), LGR-Series 12, section 4: the three-dimensional example and its answers.
EXAMPLE_COVARIANCE = np.array([[6.290, 5.978, 0.544], [5.978, 6.292, 2.340], [0.544, 2.340, 6.288]])
EXAMPLE_FLOAT = np.array([5.450, 3.100, 2.970])


def random_covariance(seed, n):
    factor = np.random.default_rng(seed).normal(size=(n, n + 1))
    return factor @ factor.T * 0.2


def test_the_published_example():
    solution = integer_least_squares(EXAMPLE_FLOAT, EXAMPLE_COVARIANCE)
    np.testing.assert_array_equal(solution.integers, [5, 3, 4])
    np.testing.assert_array_equal(solution.second, [6, 4, 4])
    assert solution.squared_norms == pytest.approx((0.2183, 0.3073), abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.floats(-4, 4), min_size=3, max_size=3))
def test_the_search_finds_what_trying_everything_finds(seed, estimate):
    covariance = random_covariance(seed, 3)
    value = np.array(estimate)
    solution = integer_least_squares(value, covariance)
    inverse = np.linalg.inv(covariance)
    ranges = [range(int(np.floor(v)) - 7, int(np.floor(v)) + 9) for v in value]
    best = min((value - np.array(c)) @ inverse @ (value - np.array(c)) for c in itertools.product(*ranges))
    assert solution.squared_norms[0] == pytest.approx(best, rel=1e-7, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 12))
def test_decorrelation_is_an_integer_transformation_that_keeps_the_volume(seed, n):
    covariance = random_covariance(seed, n)
    z, lower, diagonal = decorrelate(covariance)
    np.testing.assert_array_equal(z, np.round(z))
    assert abs(np.linalg.det(z)) == pytest.approx(1.0, abs=1e-6)
    scale = np.max(np.abs(covariance)) * n
    np.testing.assert_allclose(
        lower.T @ np.diag(diagonal) @ lower, z.T @ covariance @ z, atol=1e-9 * scale * np.max(np.abs(z)) ** 2
    )


def test_adding_whole_cycles_adds_them_to_the_answer():
    shift = np.array([1_000_000.0, -3.0, 17.0])
    plain = integer_least_squares(EXAMPLE_FLOAT, EXAMPLE_COVARIANCE)
    moved = integer_least_squares(EXAMPLE_FLOAT + shift, EXAMPLE_COVARIANCE)
    np.testing.assert_array_equal(moved.integers - plain.integers, shift)


def test_a_covariance_that_is_none_is_refused():
    with pytest.raises(AdjustmentError, match="not positive definite"):
        ldl_decomposition(np.array([[1.0, 2.0], [2.0, 1.0]]))


def test_success_rate_is_high_only_where_ambiguities_are_known_well():
    good = integer_least_squares(np.array([1.02, 4.97]), np.eye(2) * 0.05**2)
    poor = integer_least_squares(np.array([1.02, 4.97]), np.eye(2) * 0.5**2)
    assert good.success_rate > 0.9999
    assert poor.success_rate < 0.5
    assert good.ratio > 100


def test_circular_mean_does_not_mind_the_wrap():
    assert circular_mean(np.array([0.45, -0.45, 0.5]), np.ones(3)) == pytest.approx(0.5, abs=0.02)


def test_a_satellite_takes_both_biases_or_neither():
    day = Epochs.from_datetime64(["2024-02-04", "2024-02-05"])

    def bias(signal, value):
        return SignalBias("OSB", "G01", "", signal, "", day[0], day[1], value, 0.0)

    both = SignalBiases((bias("L1W", 0.1), bias("L2W", 0.2)), "TST")
    got = pair_biases(both, ["G01", "G02"], [("1W", "2W")] * 2, "L")
    np.testing.assert_array_equal(got.value_m, [[0.1, 0.2], [0.0, 0.0]])
    np.testing.assert_array_equal(got.known, [True, False])
    one = SignalBiases((bias("L1W", 0.1),), "TST")
    assert not pair_biases(one, ["G01"], [("1W", "2W")], "L").known.any()
    assert pair_biases(one, ["G01"], [("1W", "2W")], "L").value_m.tolist() == [[0.0, 0.0]]
