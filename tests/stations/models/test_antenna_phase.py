"""Antenna corrections: signs, interpolation, and which carrier serves where one is not calibrated."""

import numpy as np
import pytest

from stations.models.antenna_phase import (
    antex_frequency,
    choose_frequency,
    receiver_range_correction_m,
    satellite_range_correction_m,
)
from stations.records import AntennaCalibration, AntennaFrequencyCalibration

ZENITH = np.radians(np.arange(0.0, 91.0, 5.0))
AZIMUTH = np.radians(np.arange(0.0, 361.0, 5.0))


def antenna(offset, variation=0.0, azimuthal=None, codes=("G01",)):
    frequency = AntennaFrequencyCalibration(np.array(offset), np.full(ZENITH.size, variation), azimuthal)
    return AntennaCalibration(
        "TEST            NONE", "", "", "", None, None, ZENITH, AZIMUTH, dict.fromkeys(codes, frequency), "T"
    )


def test_a_phase_centre_above_the_reference_point_shortens_the_range_to_the_zenith():
    up = antenna((0.0, 0.0, 0.1))
    at_zenith = receiver_range_correction_m(up, up.frequencies["G01"], np.zeros(1), np.array([np.pi / 2]))
    assert at_zenith[0] == pytest.approx(-0.1)


def test_offsets_point_north_and_east():
    calibration = antenna((0.01, 0.02, 0.0))
    frequency = calibration.frequencies["G01"]
    azimuth = np.array([0.0, np.pi / 2])
    correction = receiver_range_correction_m(calibration, frequency, azimuth, np.zeros(2))
    np.testing.assert_allclose(correction, [-0.01, -0.02], atol=1e-15)


def test_variations_are_added_and_interpolated_in_azimuth_and_zenith():
    grid = np.outer(np.sin(AZIMUTH), ZENITH) * 1e-3
    calibration = antenna((0.0, 0.0, 0.0), 0.0, grid)
    frequency = calibration.frequencies["G01"]
    got = receiver_range_correction_m(
        calibration, frequency, np.radians([30.0, 92.5]), np.pi / 2 - np.radians([42.5, 60.0])
    )
    expected = np.array([np.sin(np.radians(30)) * np.radians(42.5), np.radians(60.0)]) * 1e-3
    np.testing.assert_allclose(got, expected, atol=2e-6)


def test_a_carrier_without_calibration_inherits_the_nearest_and_says_so():
    calibration = antenna((0.0, 0.0, 0.05), codes=("G01", "G02"))
    _, instead = choose_frequency(calibration, "C5")  # B2a, 1176 MHz: nearest is L2, 1228 MHz
    assert instead == "G02"
    assert choose_frequency(calibration, "C5", inherit=False) == (None, None)
    own, instead = choose_frequency(calibration, "G1")
    assert own is calibration.frequencies["G01"]
    assert instead is None


def test_names_of_antex_frequencies():
    assert antex_frequency("C5") == "C05"


def test_a_satellite_offset_towards_the_earth_shortens_the_range():
    calibration = antenna((0.0, 0.0, 2.0))
    line = np.array([[1.0, 0.0, 0.0]])
    axes = np.stack([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]], axis=-1)[None]
    got = satellite_range_correction_m(calibration, calibration.frequencies["G01"], axes, line)
    assert got[0] == pytest.approx(-2.0)
