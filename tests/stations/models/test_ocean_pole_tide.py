"""Ocean pole tide loading against the Conventions' map and constants and an independent program."""

import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stations.models.ocean_pole_tide import (
    loading_scale_m,
    ocean_pole_tide_coefficients,
    ocean_pole_tide_displacement,
    pole_height_m,
)
from transforms.constants import ARCSECOND_RAD
from transforms.geodetic import ecef_from_geodetic, enu_matrix_at
from transforms.time_scales import Epochs, TimeScale

CASE = tomllib.loads((Path(__file__).parents[2] / "authorities" / "iers_conventions.toml").read_text())[
    "ocean_pole_tide"
]


def test_scale_is_that_of_the_conventions_test_case():
    assert pole_height_m() == pytest.approx(CASE["pole_height_m"], rel=1e-10)
    scale = loading_scale_m(CASE["gravitational_constant_m3_per_kg_s2"])
    assert scale == pytest.approx(CASE["loading_scale_m"], rel=1e-10)


def test_coefficients_at_nodes_are_those_of_the_published_map():
    for longitude, latitude, *published in CASE["nodes"]:
        got = ocean_pole_tide_coefficients(latitude, longitude)
        np.testing.assert_allclose(got.ravel(), published, rtol=0, atol=5.1e-5)  # held to 1e-4


def test_displacement_agrees_with_an_independent_program():
    case = CASE["independent"]
    origin = np.datetime64("1858-11-17", "ns").astype(np.int64)
    nanoseconds = np.array([round(d * 86400) for d in case["utc_modified_julian_date"]]) * 1_000_000_000
    epochs = Epochs.from_datetime64((origin + nanoseconds).astype("M8[ns]"), TimeScale.UTC)
    x, y = (np.array(case[f"pole_{axis}_arcsecond"]) * ARCSECOND_RAD for axis in "xy")
    for k, up in enumerate(case["up_m"]):
        longitude, latitude = np.radians([case["longitude_deg"][k], case["latitude_deg"][k]])
        station = ecef_from_geodetic(latitude, longitude, 0.0)
        displacement = ocean_pole_tide_displacement(station, epochs, x, y)
        got = (displacement @ enu_matrix_at(station).T)[:, 2]
        np.testing.assert_allclose(got, up, rtol=0, atol=1e-7)


@given(latitude=st.floats(-90.0, 90.0), longitude=st.floats(-360.0, 360.0))
def test_coefficients_are_whole_and_the_same_after_a_turn(latitude, longitude):
    got = ocean_pole_tide_coefficients(latitude, longitude)
    assert np.all(np.abs(got) < 0.35)
    np.testing.assert_allclose(got, ocean_pole_tide_coefficients(latitude, longitude + 360.0), atol=1e-9)
