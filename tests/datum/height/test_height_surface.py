"""The height-anomaly surface: trends come back exactly, errors are honest, far places are refused."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datum.height.surface_fit import HeightAnomalySurface, distance_outside_hull_m, fit_height_anomaly
from transforms.errors import AdjustmentError, InputError

PLACES = (
    (31.0, 120.0),
    (31.0, 122.0),
    (32.5, 120.2),
    (32.4, 122.1),
    (31.7, 121.0),
    (31.2, 121.3),
    (32.0, 120.6),
)


def _plane(latitude: float, longitude: float) -> float:
    return 10.0 + 0.15 * (latitude - 31.5) - 0.2 * (longitude - 121.0)


def _fit(values: list[float], **options: object) -> HeightAnomalySurface:
    names = [f"S{i}" for i in range(len(values))]
    return fit_height_anomaly(names, PLACES[: len(values)], values, [0.005] * len(values), **options)  # type: ignore[arg-type]


def test_a_plane_comes_back_and_every_point_agrees_with_the_others() -> None:
    surface = _fit([_plane(*p) for p in PLACES])
    assert surface.trend == "plane"
    value, sigma = surface.predict(31.5, 121.2)
    assert value == pytest.approx(_plane(31.5, 121.2), abs=1e-9)
    assert 0.0 < sigma < 0.02
    assert len(surface.leave_one_out) == len(PLACES)
    assert surface.leave_one_out_rms_m == pytest.approx(0.0, abs=1e-9)


def test_a_wrong_point_stands_out_when_it_is_left_out() -> None:
    values = [_plane(*p) for p in PLACES]
    values[4] += 0.20
    surface = _fit(values, signal_sigma_m=0.01, correlation_length_m=50e3)
    worst = max(surface.leave_one_out, key=lambda point: abs(point.standardised))
    assert worst.name == "S4"
    assert worst.difference_m == pytest.approx(-0.20, abs=0.02)
    assert abs(worst.standardised) > 3.29


def test_the_error_grows_away_from_the_points_and_is_small_on_them() -> None:
    surface = _fit([_plane(*p) for p in PLACES], signal_sigma_m=0.05, correlation_length_m=40e3)
    on = surface.predict(*PLACES[4])[1]
    between = surface.predict(31.6, 121.1)[1]
    outside = surface.predict(31.0, 122.45)[1]
    assert on < 0.006 < between < outside


def test_the_leave_one_out_sigma_is_right_for_a_simulated_signal() -> None:
    rng = np.random.default_rng(11)
    n = 60
    places = [(float(31 + 2 * rng.random()), float(120 + 2 * rng.random())) for _ in range(n)]
    east = np.array([6378137.0 * math.radians(b) * math.cos(math.radians(32)) for _, b in places])
    north = np.array([6378137.0 * math.radians(a) for a, _ in places])
    squared = (east[:, None] - east) ** 2 + (north[:, None] - north) ** 2
    covariance = 0.08**2 / (1.0 + squared / 60e3**2)
    signal = np.linalg.cholesky(covariance + 1e-12 * np.eye(n)) @ rng.normal(size=n)
    values = [
        _plane(*p) + float(s) + 0.005 * float(rng.normal()) for p, s in zip(places, signal, strict=True)
    ]
    surface = fit_height_anomaly([f"S{i}" for i in range(n)], places, values, [0.005] * n)
    assert surface.estimated
    standardised = np.array([point.standardised for point in surface.leave_one_out])
    # Sixty differences of sigma 1: their rms lies within 0.7 and 1.3 unless the sigmas are wrong.
    assert 0.7 < math.sqrt(float(np.mean(standardised**2))) < 1.3


def test_far_places_are_refused_with_the_distance() -> None:
    surface = _fit([_plane(*p) for p in PLACES], maximum_extrapolation_m=30e3)
    surface.predict(31.0, 122.2)
    with pytest.raises(InputError, match=r"lies 18\d km outside the levelled stations S0, S1"):
        surface.predict(31.0, 124.0)


@pytest.mark.parametrize(("n", "trend"), [(1, "constant"), (3, "constant"), (4, "plane")])
def test_few_points_hold_a_simple_trend_and_say_so_by_their_sigma(n: int, trend: str) -> None:
    surface = _fit([10.0] * n)
    assert surface.trend == trend
    assert not surface.estimated
    value, sigma = surface.predict(31.0, 120.4)
    assert value == pytest.approx(10.0, abs=1e-9)
    assert sigma > 0.01


def test_what_cannot_be_fitted_is_refused() -> None:
    with pytest.raises(InputError, match="no station has both"):
        fit_height_anomaly([], [], [], [])
    with pytest.raises(InputError, match="differ in number"):
        fit_height_anomaly(["A"], [(31.0, 120.0)], [1.0, 2.0], [0.1])
    with pytest.raises(InputError, match="finite"):
        fit_height_anomaly(["A"], [(31.0, 120.0)], [math.nan], [0.1])
    with pytest.raises(InputError, match="covariance function"):
        _fit([10.0] * 4, signal_sigma_m=0.1, correlation_length_m=0.0)
    with pytest.raises(AdjustmentError, match="2 levelled stations do not hold a plane"):
        _fit([10.0, 10.0], trend="plane")
    line = [(31.0, 120.0 + i) for i in range(4)]
    with pytest.raises(AdjustmentError, match="lie so that"):
        fit_height_anomaly(["A", "B", "C", "D"], line, [10.0] * 4, [0.01] * 4)


@settings(max_examples=60, deadline=None)
@given(
    x=st.floats(-3.0, 3.0),
    y=st.floats(-3.0, 3.0),
    order=st.permutations(range(5)),
    scale=st.sampled_from([1.0, 1e5]),
)
def test_distance_outside_a_square_is_that_of_its_sides_and_corners(
    x: float, y: float, order: list[int], scale: float
) -> None:
    square = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [0.2, 0.1]])[list(order)] * scale
    expected = math.hypot(max(abs(x) - 1.0, 0.0), max(abs(y) - 1.0, 0.0)) * scale
    assert distance_outside_hull_m(square, np.array([x, y]) * scale) == pytest.approx(
        expected, abs=1e-9 * scale
    )


def test_hulls_of_one_and_two_points() -> None:
    assert distance_outside_hull_m(np.array([[0.0, 0.0]]), np.array([3.0, 4.0])) == 5.0
    assert distance_outside_hull_m(np.array([[0.0, 0.0], [10.0, 0.0]]), np.array([5.0, 2.0])) == 2.0
