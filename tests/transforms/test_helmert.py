"""Similarity transformations: conventions, inversion, estimation and its covariance."""

import numpy as np
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.errors import AdjustmentError, InputError
from transforms.geodetic import ecef_from_geodetic
from transforms.helmert import (
    Helmert14,
    apply,
    apply_inverse,
    apply_to_velocity,
    estimate_helmert7,
    helmert_from_parameters,
    invert,
    parameter_jacobian,
    parameters_at,
)
from transforms.rotations import RotationConvention

REGION = ecef_from_geodetic(
    np.radians([28.0, 28.5, 31.0, 32.5, 30.2, 29.7]),
    np.radians([117.0, 121.0, 118.2, 120.9, 119.6, 122.1]),
    np.array([30.0, 120.0, 8.0, 400.0, 55.0, 3.0]),
)


def make(convention=RotationConvention.POSITION_VECTOR, **change) -> Helmert14:
    values = {
        "source": "A",
        "target": "B",
        "translation_m": (-15.0, 120.0, 60.0),
        "scale_ppb": 3500.0,
        "rotation_mas": (800.0, -1200.0, 2500.0),
        "translation_rate_m_per_yr": (0.001, -0.002, 0.003),
        "scale_rate_ppb_per_yr": 0.1,
        "rotation_rate_mas_per_yr": (0.2, -0.1, 0.3),
        "reference_epoch_year": 2010.0,
        "convention": convention,
        "covariance": np.zeros((14, 14)),
        "citation": "test",
    }
    return Helmert14(**(values | change))


@pytest.mark.parametrize("convention", list(RotationConvention))
def test_agrees_with_proj(convention):
    h = make(convention)
    name = {"position vector": "position_vector", "coordinate frame": "coordinate_frame"}[convention.value]
    proj = pyproj.Transformer.from_pipeline(
        f"+proj=helmert +x=-15 +y=120 +z=60 +s=3.5 +rx=0.8 +ry=-1.2 +rz=2.5 +dx=0.001 +dy=-0.002 +dz=0.003 "
        f"+ds=0.0001 +drx=0.0002 +dry=-0.0001 +drz=0.0003 +t_epoch=2010 +convention={name}"
    )
    for point in REGION:
        expected = proj.transform(*point, 2023.75)[:3]
        np.testing.assert_allclose(apply(h, point, 2023.75), expected, rtol=0, atol=3e-8)


def test_the_two_conventions_differ_by_the_sign_of_the_rotations():
    turned = make(
        RotationConvention.COORDINATE_FRAME,
        rotation_mas=(-800.0, 1200.0, -2500.0),
        rotation_rate_mas_per_yr=(-0.2, 0.1, -0.3),
    )
    np.testing.assert_array_equal(apply(make(), REGION, 2017.0), apply(turned, REGION, 2017.0))


@given(
    st.lists(st.floats(-3000.0, 3000.0), min_size=3, max_size=3), st.floats(-1e4, 1e4), st.floats(1990, 2040)
)
def test_the_inverse_undoes(rotation, scale, at):
    h = make(rotation_mas=tuple(rotation), scale_ppb=scale)
    np.testing.assert_allclose(apply_inverse(h, apply(h, REGION, at), at), REGION, rtol=0, atol=1e-8)


def test_turned_signs_are_an_inverse_to_second_order():
    small = make(translation_m=(0.01, -0.02, 0.07), scale_ppb=4.0, rotation_mas=(0.1, -0.2, 0.36))
    back = apply(invert(small), apply(small, REGION, 2000.0), 2000.0)
    np.testing.assert_allclose(back, REGION, rtol=0, atol=2e-9)


def test_velocity_is_the_derivative_of_position():
    h, v = make(), np.array([-0.03, 0.01, 0.02])
    step = 5.0
    ahead = apply(h, REGION + v * step, 2015.0 + step)
    behind = apply(h, REGION - v * step, 2015.0 - step)
    np.testing.assert_allclose(
        apply_to_velocity(h, REGION, v, 2015.0), (ahead - behind) / (2 * step), atol=1e-9
    )


def test_the_jacobian_is_the_derivative_by_the_parameters():
    h = make(covariance=np.eye(14))
    jacobian = parameter_jacobian(h, REGION[0], 2010.0)
    p = parameters_at(h, 2010.0)
    for k, step in enumerate([1.0] * 3 + [1e-6] * 4):
        moved = []
        for sign in (1.0, -1.0):
            q = p.copy()
            q[k] += sign * step
            changed = helmert_from_parameters(
                q, np.zeros((7, 7)), source="A", target="B", epoch_year=2010.0, citation="test"
            )
            moved.append(apply(changed, REGION[0], 2010.0))
        np.testing.assert_allclose(jacobian[:, k], (moved[0] - moved[1]) / (2 * step), rtol=1e-6, atol=0.01)


@given(st.integers(0, 10_000))
def test_estimation_finds_what_was_applied(seed):
    rng = np.random.default_rng(seed)
    h = make(
        translation_m=tuple(rng.normal(0, 100, 3)),
        scale_ppb=float(rng.normal(0, 5000)),
        rotation_mas=tuple(rng.normal(0, 2000, 3)),
    )
    estimate = estimate_helmert7(REGION, apply(h, REGION, 2010.0))
    assert np.max(np.abs(estimate.residual_m)) < 1e-8
    found = helmert_from_parameters(
        estimate.parameters, estimate.covariance, source="A", target="B", epoch_year=2010.0, citation="test"
    )
    np.testing.assert_allclose(apply(found, REGION, 2010.0), apply(h, REGION, 2010.0), rtol=0, atol=1e-7)


def test_the_covariance_is_that_of_repetition():
    """200 noisy repetitions: the scatter at a point off the network is what the covariance says.

    Within 3 sigma of a sample variance, whose relative sigma is sqrt(2 / 199) = 0.1.
    """
    rng = np.random.default_rng(11)
    h = make()
    target = apply(h, REGION, 2010.0)
    sigma = 0.02
    outside = ecef_from_geodetic(np.radians(34.0), np.radians(115.0), 0.0)
    at_point = []
    for _ in range(200):
        estimate = estimate_helmert7(
            REGION,
            target + rng.normal(0, sigma, target.shape),
            np.tile(np.eye(3) * sigma**2, (len(REGION), 1, 1)),
        )
        found = helmert_from_parameters(
            estimate.parameters,
            estimate.covariance,
            source="A",
            target="B",
            epoch_year=2010.0,
            citation="test",
        )
        at_point.append(apply(found, outside, 2010.0))
    jacobian = parameter_jacobian(found, outside, 2010.0)
    formal = np.diag(jacobian @ estimate.covariance @ jacobian.T)
    np.testing.assert_allclose(np.var(at_point, axis=0, ddof=1), formal, rtol=0.3)
    assert estimate.degrees_of_freedom == 3 * len(REGION) - 7
    np.testing.assert_allclose(
        np.trace(estimate.residual_covariance_m2) / sigma**2, estimate.degrees_of_freedom, rtol=1e-6
    )


@pytest.mark.parametrize(
    ("source", "error", "text"),
    [
        (REGION[:2], AdjustmentError, "at least 3"),
        (np.tile(REGION[0], (4, 1)), AdjustmentError, "one place"),
        (REGION[0] + np.outer(np.arange(5.0), [1000.0, 500.0, 20.0]), AdjustmentError, "one line"),
        (REGION[:, :2], InputError, "shapes"),
    ],
)
def test_points_that_cannot_carry_seven_parameters(source, error, text):
    with pytest.raises(error, match=text):
        estimate_helmert7(source, source)


def test_a_covariance_of_another_size_is_refused():
    with pytest.raises(InputError, match="14 x 14"):
        make(covariance=np.zeros((7, 7)))
