"""Normal equations with named parameters: a published network of GNSS vectors, stacking, conditions."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datum.network.constraints import DatumParameter, datum_derivatives, minimal_constraints
from datum.network.normal_equations import normal_equations, relinearise, solve, stack
from datum.records import ParameterKey
from transforms.errors import AdjustmentError

PUBLISHED_COORDINATE_TOLERANCE_M = 0.00006  # printed to 0.1 mm
PUBLISHED_SIGMA_TOLERANCE_CM = 0.0006  # printed to 0.001 cm


def vector_equations(text):
    """Normal equations of each [3DBaseline] line of a GNU Gama survey in its textbook format."""
    coordinates = {
        m[1]: np.array([float(v) for v in m[0].split()[1:]])
        for m in re.finditer(r"^([A-F]) +-?[\d.]+ +-?[\d.]+ +-?[\d.]+$", text, re.MULTILINE)
    }
    for line in text.split("[3DBaseline]")[1].splitlines():
        fields = line.split()
        if len(fields) != 11:
            continue
        start, end = fields[:2]
        numbers = [float(v) for v in fields[2:]]
        xx, xy, xz, yy, yz, zz = numbers[3:]
        weight = np.linalg.inv([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        keys = [ParameterKey(point, f"position_{axis}") for point in (start, end) for axis in "xyz"]
        approximate = np.concatenate([coordinates[start], coordinates[end]])
        misclosure = np.array(numbers[:3]) - (coordinates[end] - coordinates[start])
        yield normal_equations(keys, approximate, np.hstack([-np.eye(3), np.eye(3)]), misclosure, weight)


@pytest.mark.real_data
def test_ghilani_s_gnss_network_comes_out_as_published(real_data):
    """Ghilani (2010), Adjustment Computations, 5th edition, chapter 17.6; A and B fixed."""
    folder = real_data / "geodesy" / "gama" / "3D"
    text = (folder / "Ghilani_GNSS_Baselines.dat").read_text(encoding="latin-1")
    normal = stack(list(vector_equations(text)))
    fixed = np.array(
        [
            [float(key == ParameterKey(point, f"position_{axis}")) for key in normal.keys]
            for point in "AB"
            for axis in "xyz"
        ]
    )
    adjusted = solve(normal, fixed, np.zeros(6))
    assert adjusted.degrees_of_freedom == 13 * 3 - 4 * 3
    sigma_cm = 100.0 * np.sqrt(np.diag(adjusted.cofactor) * adjusted.variance_factor)
    lines = (folder / "Ghilani_GNSS_Baselines.adj").read_text(encoding="latin-1").split("\n")
    published = [line.split() for line in lines if line.strip()]
    assert [fields[0] for fields in published] == ["C", "D", "E", "F"]
    for fields in published:
        for axis, position, sigma in zip("xyz", fields[1::3], fields[3::3], strict=False):
            index = adjusted.keys.index(ParameterKey(fields[0], f"position_{axis}"))
            assert adjusted.values[index] == pytest.approx(
                float(position), abs=PUBLISHED_COORDINATE_TOLERANCE_M
            )
            assert sigma_cm[index] == pytest.approx(float(sigma), abs=PUBLISHED_SIGMA_TOLERANCE_CM)


def line_fit(seed, keys=("intercept", "slope"), n=7):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, n)
    design = np.column_stack([np.ones(n), x])
    observed = 3.0 + 2.0 * x + rng.normal(0, 0.1, n)
    return [ParameterKey("line", key) for key in keys], design, observed


@given(st.integers(0, 1000), st.floats(-5, 5), st.floats(-5, 5))
def test_other_approximate_values_change_nothing(seed, a, b):
    keys, design, observed = line_fit(seed)
    one = normal_equations(keys, np.zeros(2), design, observed, np.eye(7))
    moved = relinearise(one, np.array([a, b]))
    none = np.zeros((0, 2))
    first, second = solve(one, none, np.zeros(0)), solve(moved, none, np.zeros(0))
    np.testing.assert_allclose(first.values, second.values, atol=1e-9)
    assert first.weighted_square_sum == pytest.approx(second.weighted_square_sum, abs=1e-9)


@given(st.integers(0, 1000), st.integers(2, 5))
def test_stacked_parts_are_the_whole(seed, cut):
    keys, design, observed = line_fit(seed)
    whole = normal_equations(keys, np.zeros(2), design, observed, np.eye(7))
    parts = [
        normal_equations(
            keys, np.ones(2), design[:cut], observed[:cut] - design[:cut].sum(axis=1), np.eye(cut)
        ),
        normal_equations(keys[::-1], np.zeros(2), design[cut:, ::-1], observed[cut:], np.eye(7 - cut)),
    ]
    none = np.zeros((0, 2))
    one, two = solve(stack(parts), none, np.zeros(0)), solve(whole, none, np.zeros(0))
    np.testing.assert_allclose(one.values, two.values, atol=1e-9)
    np.testing.assert_allclose(one.cofactor, two.cofactor, rtol=1e-9)
    assert one.weighted_square_sum == pytest.approx(two.weighted_square_sum, abs=1e-9)
    assert one.degrees_of_freedom == two.degrees_of_freedom == 5


def test_what_is_not_determined_is_named():
    keys, design, observed = line_fit(1)
    design[:, 1] = 1.0
    equations = normal_equations(keys, np.zeros(2), design, observed, np.eye(7))
    with pytest.raises(AdjustmentError, match=r"do not determine .* of line"):
        solve(equations, np.zeros((0, 2)), np.zeros(0))
    design[:, 1] = 0.0
    equations = normal_equations(keys, np.zeros(2), design, observed, np.eye(7))
    with pytest.raises(AdjustmentError, match="no observation touches slope of line"):
        solve(equations, np.zeros((0, 2)), np.zeros(0))
    with pytest.raises(AdjustmentError, match="no normal equations"):
        stack([])


def test_minimal_constraints_give_back_the_datum_they_see():
    rng = np.random.default_rng(0)
    positions = rng.normal(0, 1e5, (5, 3)) + np.array([-2.8e6, 4.7e6, 3.3e6])
    derivatives = datum_derivatives(positions, positions.mean(axis=0), 1e5, tuple(DatumParameter))
    parameters = rng.normal(0, 0.1, 7)
    seen = minimal_constraints(derivatives) @ (derivatives @ parameters).ravel()
    np.testing.assert_allclose(seen, parameters, atol=1e-12)
    weighted = minimal_constraints(derivatives, np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    np.testing.assert_allclose(weighted @ (derivatives @ parameters).ravel(), parameters, atol=1e-12)


def test_stations_on_a_line_carry_no_rotation():
    line = np.array([-2.8e6, 4.7e6, 3.3e6]) + np.outer(np.arange(4.0), [1e4, 2e4, 5e3])
    derivatives = datum_derivatives(line, line.mean(axis=0), 1e4, tuple(DatumParameter))
    with pytest.raises(AdjustmentError, match="do not determine the 7 datum parameters"):
        minimal_constraints(derivatives)
