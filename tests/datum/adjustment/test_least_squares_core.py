"""The least-squares core: against closed forms, and the redundancy numbers' own laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datum.adjustment.least_squares import solve_least_squares, whiten
from datum.adjustment.testing import (
    minimal_detectable_bias,
    noncentrality_root,
    variance_factor_limits,
    w_limit,
)
from transforms.errors import AdjustmentError, InputError


def test_weighted_mean_has_its_closed_form() -> None:
    sigma = np.array([1.0, 2.0, 4.0])
    observed = np.array([10.0, 12.0, 7.0])
    solution = solve_least_squares(np.ones((3, 1)), observed, sigma, parameter_names=["mean"])
    weight = sigma**-2
    assert solution.parameters[0] == pytest.approx(np.sum(weight * observed) / np.sum(weight), rel=1e-14)
    assert solution.cofactor[0, 0] == pytest.approx(1.0 / np.sum(weight), rel=1e-14)
    assert solution.redundancy == pytest.approx(1.0 - weight / np.sum(weight), rel=1e-12)
    assert solution.degrees_of_freedom == 2
    # Signs: observed minus adjusted; the mean is 215 / 21.
    assert solution.residual == pytest.approx(observed - solution.parameters[0], rel=1e-12)
    assert np.sign(solution.standardised) == pytest.approx([-1.0, 1.0, -1.0], abs=0)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(4, 12), u=st.integers(1, 3))
def test_redundancy_numbers_add_up_to_the_degrees_of_freedom(seed: int, n: int, u: int) -> None:
    rng = np.random.default_rng(seed)
    design = rng.normal(size=(n, u))
    solution = solve_least_squares(
        design, rng.normal(size=n), rng.uniform(0.5, 2.0, n), parameter_names=["x"] * u
    )
    assert np.sum(solution.redundancy) == pytest.approx(n - u, abs=1e-9)
    assert np.all((solution.redundancy >= 0.0) & (solution.redundancy <= 1.0))


def test_whitened_observations_give_the_generalised_solution() -> None:
    rng = np.random.default_rng(7)
    design, observed = rng.normal(size=(6, 2)), rng.normal(size=6)
    root = rng.normal(size=(6, 6))
    covariance = root @ root.T + np.eye(6)
    white_design, white_observed = whiten(design, observed, covariance)
    solution = solve_least_squares(white_design, white_observed, np.ones(6), parameter_names=["a", "b"])
    weight = np.linalg.inv(covariance)
    expected = np.linalg.solve(design.T @ weight @ design, design.T @ weight @ observed)
    assert solution.parameters == pytest.approx(expected, rel=1e-10)
    with pytest.raises(AdjustmentError, match="positive definite"):
        whiten(design, observed, -covariance)


def test_inner_constraint_gives_the_pseudo_inverse() -> None:
    design = np.array([[-1.0, 1.0, 0.0], [0.0, -1.0, 1.0], [1.0, 0.0, -1.0]])
    observed = np.array([1.0, 2.0, -3.3])
    solution = solve_least_squares(
        design, observed, np.ones(3), parameter_names=["a", "b", "c"], constraints=np.ones((1, 3))
    )
    pseudo = np.linalg.pinv(design.T @ design)
    assert solution.parameters == pytest.approx(pseudo @ design.T @ observed, abs=1e-12)
    assert solution.cofactor == pytest.approx(pseudo, abs=1e-12)
    assert solution.degrees_of_freedom == 1


def test_an_undetermined_parameter_is_named() -> None:
    design = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    with pytest.raises(AdjustmentError, match="north, east"):
        solve_least_squares(design, np.ones(3), np.ones(3), parameter_names=["north", "east", "up"])
    with pytest.raises(AdjustmentError, match="no observation touches up"):
        solve_least_squares(
            design[:, :] * [1, 1, 0], np.ones(3), np.ones(3), parameter_names=["north", "east", "up"]
        )
    with pytest.raises(AdjustmentError, match="2 observations cannot determine 3"):
        solve_least_squares(design[:2], np.ones(2), np.ones(2), parameter_names=["n", "e", "u"])
    with pytest.raises(AdjustmentError, match="sigma greater than zero"):
        solve_least_squares(np.ones((2, 1)), np.ones(2), np.array([1.0, 0.0]), parameter_names=["x"])
    with pytest.raises(AdjustmentError, match="not finite"):
        solve_least_squares(np.ones((2, 1)), np.array([1.0, np.nan]), np.ones(2), parameter_names=["x"])


def test_baardas_figures_for_significance_and_power() -> None:
    # Baarda (1968): alpha0 = 0.001, beta0 = 0.80 give 3.29 and lambda0 = 17.075.
    assert w_limit(0.001) == pytest.approx(3.2905, abs=5e-5)
    assert noncentrality_root(0.001, 0.80) ** 2 == pytest.approx(17.075, abs=5e-3)
    # Teunissen (2006), Testing Theory, for alpha0 = 0.05, beta0 = 0.80: lambda0 = 7.849.
    assert noncentrality_root(0.05, 0.80) ** 2 == pytest.approx(7.849, abs=1e-3)
    with pytest.raises(InputError):
        w_limit(0.0)
    with pytest.raises(InputError):
        noncentrality_root(0.05, 0.01)


def test_what_is_not_controlled_has_no_detectable_bias() -> None:
    bias = minimal_detectable_bias(np.array([1.0, 2.0]), np.array([0.0, 0.25]))
    assert bias[0] == np.inf
    assert bias[1] == pytest.approx(2.0 * noncentrality_root() / 0.5)


def test_limits_of_the_variance_factor() -> None:
    # chi-square tables: 2.180 and 17.535 for 8 degrees of freedom at 2.5 and 97.5 percent.
    assert variance_factor_limits(8) == pytest.approx((2.180 / 8, 17.535 / 8), abs=1e-4)
    assert variance_factor_limits(0) == (0.0, np.inf)
