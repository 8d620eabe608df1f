"""Common epochs and the fixing of integers, by cases whose answer is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stations.baseline.ambiguities import fix_by_rounding, fix_by_search
from stations.baseline.common_view import common_epochs, session_interval_s
from stations.baseline.equations import combination_factors
from stations.baseline.options import BaselineOptions

SECOND_NS = 1_000_000_000
MIDNIGHT_TAI_NS = 1_600_000_019 * SECOND_NS - 1_600_000_000 % 86_400 * SECOND_NS  # 19 s: GPST to TAI


def test_common_epochs_are_matched_by_the_multiple_they_stand_for():
    # The second receiver tags its epochs 3 ms late and lacks one.
    first = MIDNIGHT_TAI_NS + np.arange(5) * 30 * SECOND_NS
    second = np.delete(first, 2) + 3_000_000
    in_first, in_second = common_epochs(first, second, 30.0)
    assert in_first.tolist() == [0, 1, 3, 4]
    assert in_second.tolist() == [0, 1, 2, 3]


def test_epochs_beside_the_interval_are_left_out():
    first = MIDNIGHT_TAI_NS + np.arange(61) * SECOND_NS
    second = MIDNIGHT_TAI_NS + np.arange(0, 61, 10) * SECOND_NS
    in_first, _ = common_epochs(first, second, 30.0)
    assert in_first.tolist() == [0, 30, 60]


@given(st.integers(0, 2**32 - 1), st.integers(4, 12))
def test_rounding_finds_integers_through_their_correlation(seed, n):
    random = np.random.default_rng(seed)
    truth = np.round(random.uniform(-50, 50, n))
    # Strongly correlated: one common error of 0.3 cycles, and 0.02 of their own; the first is well known.
    covariance = 0.02**2 * np.eye(n) + 0.3**2 * np.ones((n, n))
    covariance[0, :] = covariance[:, 0] = 0.0
    covariance[0, 0] = 0.01**2
    errors = np.linalg.cholesky(covariance) @ random.standard_normal(n) * 0.3
    fixed, success = fix_by_rounding(truth + errors, covariance)
    assert 0.0 <= success <= 1.0
    assert fixed[0] == truth[0]
    assert all(fixed[k] == truth[k] for k in fixed) or success < 0.999


def test_nothing_is_rounded_where_sigma_or_fraction_forbids():
    assert fix_by_rounding(np.array([0.5, 3.3]), np.eye(2) * 1e-4)[0] == {}
    assert fix_by_rounding(np.array([1.0, 2.0]), np.eye(2) * 0.2**2)[0] == {}


def test_search_refuses_what_is_too_uncertain():
    value = np.array([0.45, 1.52, -0.48, 2.5, 3.49])
    assert fix_by_search(value, np.eye(5) * 0.3**2) == ({}, None, None)


def test_search_finds_the_integers_of_a_correlated_set():
    truth = np.array([3.0, -7.0, 12.0, 0.0, 5.0, -2.0])
    n = truth.size
    covariance = 0.03**2 * np.eye(n) + 0.02**2 * np.ones((n, n))
    found, success, ratio = fix_by_search(truth + 0.02, covariance)
    assert [found[k] for k in range(n)] == truth.tolist()
    assert success > 0.999
    assert ratio > 3.0


def test_carriers_by_themselves_and_the_combination_without_ionosphere():
    frequency = np.array([[1575.42e6, 1227.60e6]])
    one, two = combination_factors(frequency, (0, 1))
    assert one.tolist() == [[1.0, 0.0]]
    assert two.tolist() == [[0.0, 1.0]]
    (free,) = combination_factors(frequency, ())
    assert free.sum() == pytest.approx(1.0)
    assert np.sum(free / frequency**2) == pytest.approx(0.0, abs=1e-25)


def test_long_sessions_are_thinned_to_the_smallest_interval(observations_every):
    minute, day = observations_every(1.0, 60), observations_every(1.0, 5000)
    smallest = BaselineOptions().minimum_interval_s
    assert session_interval_s(minute, minute, None, smallest) == 1.0
    assert session_interval_s(day, day, None, smallest) == smallest
    assert session_interval_s(day, day, 5.0, smallest) == 5.0


@pytest.fixture
def observations_every():
    import xarray as xr

    from stations.records import AntennaType, Observations, StationHeader, StationSetup

    def make(interval_s, n):
        start = np.datetime64("2026-01-01", "ns")
        epoch = start + np.arange(n) * np.timedelta64(round(interval_s * 1e9), "ns")
        setup = StationSetup("", "", "", AntennaType("X"), (0.0, 0.0, 0.0))
        header = StationHeader("TEST", "", setup, None, {}, "3.05")
        return Observations(xr.Dataset(coords={"epoch": epoch}), header)

    return make
