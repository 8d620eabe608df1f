"""Tide systems of heights: EPSG's worked example, the figures of the IERS Conventions, and round trips."""

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datum.height.permanent_tide import (
    ellipsoidal_height_change_m,
    levelled_height_change_m,
    permanent_crust_uplift_m,
)
from datum.records import TideSystem

LATITUDES = st.floats(-math.pi / 2, math.pi / 2)


def test_epsgs_example_from_zero_to_mean_tide() -> None:
    # EPSG:1107, EVRF2019: at 50 deg 55' 01.5" N  0.1780 + 0.0002 - 0.0994 m (before the shift of its origin).
    latitude = math.radians(50.0 + 55.0 / 60.0 + 1.5 / 3600.0)
    change = float(levelled_height_change_m(latitude, TideSystem.ZERO_TIDE, TideSystem.MEAN_TIDE))
    assert change == pytest.approx(0.1780 + 0.0002 - 0.0994, abs=1e-4)


def test_ekmans_north_minus_south() -> None:
    # Ekman (1989): H_mean - H_zero grows by 29.6 (sin^2 north - sin^2 south) cm.
    north, south = (
        float(levelled_height_change_m(math.radians(lat), TideSystem.ZERO_TIDE, TideSystem.MEAN_TIDE))
        for lat in (60.0, 30.0)
    )
    assert north - south == pytest.approx(0.296 * (0.75 - 0.25), abs=5e-4)


def test_iers_figures_for_the_crust() -> None:
    # IERS Conventions (2010), section 7.1.1.2: about -12 cm at the poles and +6 cm at the equator.
    assert float(permanent_crust_uplift_m(0.0)) == pytest.approx(0.06, abs=0.005)
    assert float(permanent_crust_uplift_m(math.pi / 2)) == pytest.approx(-0.12, abs=0.005)
    free_to_mean = float(ellipsoidal_height_change_m(0.0, TideSystem.TIDE_FREE, TideSystem.MEAN_TIDE))
    assert free_to_mean == pytest.approx(0.0603, abs=1e-4)


@given(latitude=LATITUDES)
def test_every_round_trip_closes_and_mean_crust_is_zero_crust(latitude: float) -> None:
    for change in (ellipsoidal_height_change_m, levelled_height_change_m):
        for source, target in product(TideSystem, TideSystem):
            there = float(change(latitude, source, target))
            assert there + float(change(latitude, target, source)) == pytest.approx(0.0, abs=1e-15)
    assert float(ellipsoidal_height_change_m(latitude, TideSystem.ZERO_TIDE, TideSystem.MEAN_TIDE)) == 0.0


@given(latitude=LATITUDES)
def test_the_geoid_that_remains_moves_by_love_number(latitude: float) -> None:
    # h - H is the geoid: from tide-free to zero-tide it rises by k20 of the potential's height.
    def geoid_change(source: TideSystem, target: TideSystem) -> float:
        return float(ellipsoidal_height_change_m(latitude, source, target)) - float(
            levelled_height_change_m(latitude, source, target)
        )

    free_to_zero = geoid_change(TideSystem.TIDE_FREE, TideSystem.ZERO_TIDE)
    zero_to_mean = geoid_change(TideSystem.ZERO_TIDE, TideSystem.MEAN_TIDE)
    assert free_to_zero == pytest.approx(0.30190 * zero_to_mean, abs=1e-12)
