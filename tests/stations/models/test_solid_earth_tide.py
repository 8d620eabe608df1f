"""The solid earth tide against the IERS Conventions Center's own test cases."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from stations.models.solid_earth_tide import solid_earth_tide_displacement
from transforms.geodetic import enu_matrix_at
from transforms.time_scales import Epochs, TimeScale

AUTHORITY = Path(__file__).parents[2] / "authorities" / "iers_conventions.toml"
CASES = tomllib.loads(AUTHORITY.read_text())["solid_earth_tide"]
PRINTED_M = 1e-12  # both are double precision; the printed digits agree to about 1e-16


@pytest.mark.parametrize("case", CASES, ids=[c["utc"] for c in CASES])
def test_reproduces_the_conventions_test_case(case):
    displacement = solid_earth_tide_displacement(
        np.array(case["station_ecef_m"]),
        Epochs.from_datetime64([case["utc"]], TimeScale.UTC),
        np.array([case["sun_ecef_m"]]),
        np.array([case["moon_ecef_m"]]),
    )
    np.testing.assert_allclose(displacement[0], case["displacement_ecef_m"], rtol=0, atol=PRINTED_M)


def test_many_epochs_at_once_equal_each_alone():
    case = CASES[0]
    station = np.array(case["station_ecef_m"])
    epochs = Epochs.from_datetime64(
        ["2009-04-13T00:00:00", "2009-04-13T06:00:00", "2009-04-14T00:00:00"], TimeScale.UTC
    )
    sun = np.array([case["sun_ecef_m"]] * 3)
    moon = np.array([case["moon_ecef_m"]] * 3)
    together = solid_earth_tide_displacement(station, epochs, sun, moon)
    alone = [
        solid_earth_tide_displacement(station, epochs[k : k + 1], sun[k : k + 1], moon[k : k + 1])[0]
        for k in range(3)
    ]
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-15)


def test_a_body_overhead_lifts_the_ground():
    station = np.array([6378137.0, 0.0, 0.0])
    epochs = Epochs.from_datetime64(["2020-06-01T12:00:00"])
    overhead = np.array([[3.844e8, 0.0, 0.0]])
    far_sun = np.array([[0.0, 1.496e11, 0.0]])
    up = enu_matrix_at(station) @ solid_earth_tide_displacement(station, epochs, far_sun, overhead)[0]
    # Lunar part: h2 * 0.3574 m (amplitude of the moon's degree-2 potential over g) = 0.22 m
    assert 0.10 < up[2] < 0.30
