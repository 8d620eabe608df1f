"""Errors that last, carried to the unknowns: against dense matrices, differences and a random walk."""

import numpy as np
import pytest
import scipy.sparse as sp

from stations.ppp.ambiguities import mean_square_misfit
from stations.ppp.error_budget import correlated_covariance
from stations.ppp.estimator import adjust, influence
from stations.ppp.orbits import ClockTable
from stations.records import SatelliteClocks
from transforms.time_scales import Epochs


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.97])
def test_correlated_covariance_is_that_of_the_dense_matrix(correlation):
    influences = np.random.default_rng(1).normal(size=(3, 20, 4))
    lag = np.abs(np.arange(20)[:, None] - np.arange(20))
    dense = sum(block.T @ np.where(lag == 0, 1.0, correlation**lag) @ block for block in influences)
    np.testing.assert_allclose(correlated_covariance(influences, correlation), dense, rtol=1e-12, atol=1e-12)


def test_influence_is_what_a_changed_observation_does_to_the_parameters():
    random = np.random.default_rng(2)
    design = sp.csr_array(random.normal(size=(12, 3)))
    local = sp.csr_array((np.ones(12), (np.arange(12), np.repeat(np.arange(4), 3))), shape=(12, 4))
    weight = random.uniform(0.5, 2.0, 12)
    weight[5] = 0.0  # rejected: it must not have any influence
    held = (sp.csr_array(np.eye(3)), np.zeros(3), np.full(3, 0.1))
    observed = random.normal(size=12)
    estimate = adjust(design, local, 1, observed, weight, *held)
    pattern = random.normal(size=(5, 12))
    found = influence(design, local, 1, weight, estimate.covariance, sp.csr_array(pattern))
    for k, error in enumerate(pattern):
        moved = adjust(design, local, 1, observed + error, weight, *held)
        np.testing.assert_allclose(found[k], moved.parameters - estimate.parameters, atol=1e-12)


def test_a_clock_between_its_epochs_errs_as_a_random_walk_does():
    random = np.random.default_rng(3)
    walk_s = np.cumsum(random.normal(0.0, 1e-11, (288 * 10, 2)) * [1.0, 0.1], axis=0)  # every 30 s, a day
    fine = np.arange(2880)
    epochs = Epochs.from_datetime64(["2024-02-04"])[0].tai_ns + fine[::10] * 30_000_000_000
    table = ClockTable(SatelliteClocks(Epochs(epochs), ("G01", "G02"), walk_s[::10], "TST"))
    between = np.flatnonzero(fine[:2871] % 10)
    at_ns = epochs[0] + between * 30_000_000_000
    for k in range(2):
        index = np.full(between.size, k)
        variance = table.interpolation_variance_s2(at_ns, index, np.array([0, 1]))
        missed = walk_s[between, k] - np.interp(between, fine[::10], walk_s[::10, k])
        assert np.mean(missed**2 / variance) == pytest.approx(1.0, abs=0.25)
    on_epochs = table.interpolation_variance_s2(epochs, np.zeros(288, dtype=int), np.array([0, 1]))
    assert np.all(on_epochs == 0.0)


def test_whole_numbers_of_a_bent_solution_lie_too_far():
    covariance = np.full((6, 6), 0.001) + 0.001 * np.eye(6)
    value = np.array([3.0, -2.0, 8.0, 1.0, 0.0, 5.0])
    fixed = {k: float(n) for k, n in enumerate(value)}
    noise = np.random.default_rng(4).multivariate_normal(np.zeros(6), covariance, 2000)
    mean = np.mean([mean_square_misfit(value + error, covariance, fixed) for error in noise])
    assert mean == pytest.approx(1.0, abs=0.1)
    bent = value + np.array([0.15, 0.0, -0.15, 0.1, 0.0, 0.0])
    assert mean_square_misfit(bent, covariance, fixed) > 5.0
    assert mean_square_misfit(bent, covariance, {}) == 0.0
