"""Physical constants against the SI, the IAU and ERFA."""

import math

import erfa
import pytest

from transforms import constants


def test_exact_constants_are_exact() -> None:
    assert constants.SPEED_OF_LIGHT_M_PER_S == 299_792_458  # SI brochure, 9th edition
    assert constants.ASTRONOMICAL_UNIT_M == 149_597_870_700  # IAU 2012 resolution B2


def test_erfa_holds_the_same_constants() -> None:
    assert erfa.CMPS == constants.SPEED_OF_LIGHT_M_PER_S
    assert erfa.DAU == constants.ASTRONOMICAL_UNIT_M
    assert pytest.approx(erfa.DAS2R, rel=1e-15) == constants.ARCSECOND_RAD


def test_mass_ratio_of_the_sun_agrees_with_the_gravitational_constants() -> None:
    ratio = constants.GRAVITATIONAL_CONSTANT_SUN_M3_PER_S2 / constants.GRAVITATIONAL_CONSTANT_EARTH_M3_PER_S2
    # The Earth's constant is given to ten digits.
    assert ratio == pytest.approx(constants.MASS_RATIO_SUN_EARTH, rel=1e-8)


def test_mass_ratio_of_the_moon_is_that_of_the_ephemerides() -> None:
    assert pytest.approx(81.30056, abs=1e-3) == 1.0 / constants.MASS_RATIO_MOON_EARTH  # DE421 and later


def test_arc_units() -> None:
    assert pytest.approx(math.pi, rel=1e-15) == constants.ARCSECOND_RAD * 3600 * 180
    assert pytest.approx(constants.ARCSECOND_RAD / 1000, rel=1e-15) == constants.MILLIARCSECOND_RAD


def test_earth_turns_once_in_a_sidereal_day() -> None:
    day_s = 2 * math.pi / constants.EARTH_ROTATION_RATE_RAD_PER_S
    assert day_s == pytest.approx(86164.0989, abs=0.01)  # Aoki et al. (1982): stellar day 86164.0989 s
