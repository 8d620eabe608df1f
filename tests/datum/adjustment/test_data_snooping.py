"""Data snooping: finds what it says it can find, refuses to guess, keeps what is good."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from datum.adjustment.least_squares import FloatArray, solve_least_squares
from datum.adjustment.snooping import snoop
from datum.adjustment.testing import minimal_detectable_bias, w_limit

NAMES = ["a", "b", "c"]


def _network(seed: int, noise: float = 1.0) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Twelve observations of three unknowns with sigma 1."""
    rng = np.random.default_rng(seed)
    design = rng.normal(size=(12, 3))
    return design, design @ np.array([1.0, -2.0, 3.0]) + noise * rng.normal(size=12), np.ones(12)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), which=st.integers(0, 11), sign=st.sampled_from([-1.0, 1.0]))
def test_a_blunder_well_above_the_detectable_bias_is_found_and_sized(
    seed: int, which: int, sign: float
) -> None:
    design, observed, sigma = _network(seed, noise=0.0)
    clean = solve_least_squares(design, observed, sigma, parameter_names=NAMES)
    bias = float(minimal_detectable_bias(sigma, clean.redundancy)[which])
    assume(clean.redundancy[which] > 0.1)  # hardly controlled ones share their error with others
    observed[which] += sign * 1.5 * bias
    result = snoop(design, observed, sigma, parameter_names=NAMES)
    assert not result.used[which]
    assert result.suspects[0].observations == (which,)
    assert result.suspects[0].size == pytest.approx(sign * 1.5 * bias, rel=1e-6)
    assert result.suspects[0].statistic > w_limit()
    assert np.sign(result.solution.residual[which]) == sign  # observed minus adjusted, taken out or not
    assert np.sign(result.solution.standardised[which]) == sign
    assert result.solution.parameters == pytest.approx([1.0, -2.0, 3.0], abs=1e-8)


def test_noise_alone_rejects_at_the_rate_of_the_significance() -> None:
    rejected = sum(
        not bool(np.all(snoop(*_network(seed), parameter_names=NAMES).used)) for seed in range(200)
    )
    # 12 tests at 0.001 each: 2.4 rejections expected in 200 adjustments; 10 is beyond 4 sigma.
    assert rejected <= 10


def test_two_blunders_are_found_one_after_the_other() -> None:
    design, observed, sigma = _network(3, noise=0.1)
    observed[2] += 40.0
    observed[7] -= 25.0
    result = snoop(design, observed, sigma, parameter_names=NAMES, maximum_rejected=3)
    assert sorted(np.flatnonzero(~result.used)) == [2, 7]
    assert not result.exhausted
    stopped = snoop(design, observed, sigma, parameter_names=NAMES, maximum_rejected=1)
    assert stopped.exhausted
    assert len(stopped.suspects) == 1


def test_an_error_that_cannot_be_placed_is_not_pinned_on_anyone() -> None:
    # Two observations of the same unknown: either may be wrong.
    design = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]])
    observed = np.array([0.0, 20.0, 1.0, 1.1, 0.9])
    result = snoop(design, observed, np.ones(5), parameter_names=["a", "b"])
    assert np.all(result.used)
    assert len(result.suspects) == 1
    assert sorted(result.suspects[0].observations) == [0, 1]
    assert np.all(result.sigma[:2] > 19.0)
    assert np.all(result.sigma[2:] == 1.0)
    assert result.solution.cofactor[0, 0] ** 0.5 > 10.0  # the sigma tells that the value is not to be trusted


def test_what_must_not_go_stays() -> None:
    design, observed, sigma = _network(5, noise=0.0)
    observed[4] += 100.0
    testable = np.ones(12, dtype=np.bool_)
    testable[4] = False
    result = snoop(design, observed, sigma, parameter_names=NAMES, testable=testable, maximum_rejected=20)
    assert result.used[4]
