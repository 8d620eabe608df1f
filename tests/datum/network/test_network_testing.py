"""Tests of alternative hypotheses, and the robust variance factor."""

import numpy as np
import pytest
from scipy.stats import chi2

from datum.network.testing import (
    LinearModel,
    block_redundancy,
    chi_square_limit,
    hypothesis,
    robust_variance_factor,
)


def repeated_positions(rng, n_points=6, n_days=3):
    """Whitened observations of points that are measured n_days times, with a shift for each day."""
    rows = []
    for day in range(n_days):
        for point in range(n_points):
            row = np.zeros((3, 3 * n_points + 3 * n_days))
            row[:, 3 * point : 3 * point + 3] = np.eye(3)
            row[:, 3 * (n_points + day) : 3 * (n_points + day) + 3] = np.eye(3)
            rows.append(row)
    design = np.concatenate(rows)
    constraints = np.hstack([np.tile(np.eye(3), n_points), np.zeros((3, 3 * n_days))])
    return design, rng.normal(0.0, 1.0, design.shape[0]), constraints


def model_of(design, observed, constraints):
    n, c = design.shape[1], constraints.shape[0]
    bordered = np.block([[design.T @ design, constraints.T], [constraints, np.zeros((c, c))]])
    cofactor = np.linalg.inv(bordered)[:n, :n]
    return LinearModel(design, observed, cofactor, observed - design @ (cofactor @ (design.T @ observed)))


def test_the_statistic_is_what_the_square_sum_falls_by():
    design, observed, constraints = repeated_positions(np.random.default_rng(1))
    model = model_of(design, observed, constraints)
    rows = np.arange(6, 9)
    statistic, estimate = hypothesis(model, rows, np.eye(3))
    errors = np.zeros((design.shape[0], 3))
    errors[rows] = np.eye(3)
    full = np.hstack([design, errors])
    solution, *_ = np.linalg.lstsq(full, observed, rcond=None)
    after = np.sum((observed - full @ solution) ** 2)
    assert statistic == pytest.approx(np.sum(model.residual**2) - after)
    np.testing.assert_allclose(estimate, solution[-3:], atol=1e-9)


def test_statistics_of_clean_data_are_chi_square_with_three_degrees():
    rng = np.random.default_rng(2)
    values = []
    for _ in range(300):
        model = model_of(*repeated_positions(rng))
        values.append(hypothesis(model, np.arange(12, 15), np.eye(3))[0])
    # Mean of 300 chi-square(3): sigma sqrt(6 / 300) = 0.14
    assert np.mean(values) == pytest.approx(3.0, abs=4 * 0.14)
    assert np.mean(np.array(values) > chi_square_limit(3, 0.05)) == pytest.approx(0.05, abs=0.04)


def test_an_error_that_nothing_controls_is_not_tested():
    design, observed, constraints = repeated_positions(np.random.default_rng(1), n_days=1)
    model = model_of(design, observed, constraints)
    assert hypothesis(model, np.arange(3), np.eye(3)) is None


def test_redundancies_sum_to_the_degrees_of_freedom():
    model = model_of(*repeated_positions(np.random.default_rng(1)))
    assert block_redundancy(model).sum() == pytest.approx(3 * (6 * 3 - 6 - 3 + 1))


@pytest.mark.parametrize("n_gross", [0, 1, 3])
def test_the_robust_factor_does_not_see_gross_errors(n_gross):
    rng = np.random.default_rng(3)
    factors = []
    for _ in range(40):
        design, observed, constraints = repeated_positions(rng, n_points=8, n_days=4)
        observed = 2.0 * observed
        for i in range(n_gross):
            observed[9 * i : 9 * i + 3] += 60.0
        factors.append(robust_variance_factor(design, observed, constraints))
    # Truth 4; cutting the largest one per cent of blocks takes some per cent away.
    assert np.mean(factors) == pytest.approx(4.0, rel=0.15)


def test_nothing_redundant_has_a_factor_of_one():
    design, observed, constraints = repeated_positions(np.random.default_rng(1), n_days=1)
    assert robust_variance_factor(design, observed, constraints) == 1.0


def test_the_limit_is_that_of_the_tables():
    """Chi-square, 3 degrees of freedom: 7.815 at 5 per cent, 16.266 at 0.1 per cent (any table)."""
    assert chi_square_limit(3, 0.05) == pytest.approx(7.815, abs=5e-4)
    assert chi_square_limit(3, 0.001) == pytest.approx(16.266, abs=5e-4)
    assert chi_square_limit(3, 0.5) == pytest.approx(float(chi2.median(3)))
