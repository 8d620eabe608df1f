"""Rounding for publication: bytes that do not depend on the processor."""

import numpy as np
import pytest

from transforms.covariance import for_publication


def test_rounds_to_digits_of_the_largest_element():
    got = for_publication(np.array([[1.23456789012345e-5, 3.3e-20], [0.0, 9.87654321987e-6]]))
    np.testing.assert_allclose(got, [[1.23456789e-5, 0.0], [0.0, 9.8765432e-6]], rtol=0, atol=1e-20)


def test_the_last_digits_of_a_sum_do_not_matter():
    values = np.random.default_rng(1).normal(size=50) * 1e-6
    noise = 1.0 + 1e-15 * np.random.default_rng(2).normal(size=50)
    np.testing.assert_array_equal(for_publication(values), for_publication(values * noise))


def test_zero_stays_zero_and_never_minus_zero():
    assert for_publication(0.0) == 0.0
    assert not np.signbit(for_publication(np.array([1.0, -1e-30]))[1])


@pytest.mark.parametrize("digits", [6, 9, 12])
def test_relative_error_is_below_half_a_unit_of_the_last_digit(digits):
    value = 8.123456789123456
    assert abs(float(for_publication(value, digits)) / value - 1.0) < 10.0 ** (1 - digits)
