"""Earth rotation by the ocean tides against the IERS Conventions Center's own test cases."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from stations.models.earth_libration import libration_variations
from stations.models.subdaily_earth_rotation import ocean_tide_variations, orthotides
from stations.models.sun_moon import earth_rotation_at
from stations.records import EarthRotationParameters
from transforms.constants import ARCSECOND_RAD
from transforms.time_scales import Epochs, TimeScale

CASE = tomllib.loads((Path(__file__).parents[2] / "authorities" / "iers_conventions.toml").read_text())[
    "subdaily_earth_rotation"
]
# Arguments of 2e5 radians lose 3e-11 of a turn in double precision, on potentials of 632 mm times 0.03.
ROUNDING = 1e-9


def test_orthotides_reproduce_the_conventions_test_case():
    got = orthotides(np.array([CASE["orthotides_modified_julian_date"]]))[0]
    np.testing.assert_allclose(got, CASE["orthotides"], rtol=0, atol=ROUNDING)


def test_variations_reproduce_the_conventions_test_case():
    epochs = Epochs.from_datetime64(["1987-11-03T00:00:00"], TimeScale.UTC)  # MJD 47102
    two_days_before = Epochs(epochs.tai_ns - 2 * 86_400_000_000_000)
    x, y, ut1 = ocean_tide_variations(two_days_before)
    assert x[0] / ARCSECOND_RAD * 1e6 == pytest.approx(CASE["pole_x_microarcsecond"], abs=1e-6)
    assert y[0] / ARCSECOND_RAD * 1e6 == pytest.approx(CASE["pole_y_microarcsecond"], abs=1e-6)
    assert ut1[0] * 1e6 == pytest.approx(CASE["ut1_microsecond"], abs=1e-6)


def test_they_are_added_to_what_the_table_says():
    days = Epochs.from_datetime64(["2024-02-04", "2024-02-05"], TimeScale.UTC)
    zero = np.zeros(2)
    table = EarthRotationParameters(days, zero, zero, zero)
    noon = Epochs.from_datetime64(["2024-02-04T11:00:00"], TimeScale.UTC)
    expected = np.add(ocean_tide_variations(noon), libration_variations(noon))
    np.testing.assert_allclose(earth_rotation_at(noon, table), expected, atol=1e-15)
    assert np.all(np.abs(earth_rotation_at(noon, table)) > 0.0)
