"""Ocean loading with 342 lines against the printed cases of the IERS Conventions' HARDISP."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from stations.models.ocean_loading import (
    constituent_loading,
    ocean_loading_displacement,
    sum_of_constituents_m,
)
from stations.models.tidal_constituents import (
    doodson_arguments_at,
    tidal_amplitudes_m,
    tidal_frequencies_cycles_per_day,
    tidal_multiples,
)
from stations.records import OceanLoading
from transforms.geodetic import ecef_from_geodetic, enu_matrix_at
from transforms.time_scales import Epochs, TimeScale

CASES = tomllib.loads((Path(__file__).parents[2] / "authorities" / "hardisp.toml").read_text())
PRINTED_M = 0.6e-6  # HARDISP prints micrometres
# Its printed cases take UTC for TT: 66 s of the moon's motion, 2 * 12.2 deg/d, on 38 mm at Reykjavik.
UTC_FOR_TT_M = 12e-6


def loading_of(name):
    case = CASES[name]
    return OceanLoading(name, np.array(case["amplitude_m"]), np.radians(case["phase_deg"]), "CSR4.0")


@pytest.mark.parametrize("name", ["Onsala", "Reykjavik"])
def test_reproduces_hardisp_to_its_last_digit_at_its_own_time(name):
    day = np.arange(24) / 24.0
    julian_date = 2455007.5  # 2009-06-25 00:00
    arguments = doodson_arguments_at((julian_date - 2451545.0 + day) / 36525.0, day)
    up, west, south = sum_of_constituents_m(arguments, constituent_loading(loading_of(name))).T
    expected = np.array(CASES[name]["up_south_west_m"])
    np.testing.assert_allclose(np.stack([up, south, west], axis=-1), expected, rtol=0, atol=PRINTED_M)


@pytest.mark.parametrize("name", ["Onsala", "Reykjavik"])
def test_displacement_of_a_station_is_that_of_hardisp(name):
    hours = np.datetime64(CASES["first_utc"], "ns") + np.arange(24).astype("m8[h]")
    station = ecef_from_geodetic(1.0, 0.2, 0.0)
    ecef = ocean_loading_displacement(station, Epochs.from_datetime64(hours, TimeScale.UTC), loading_of(name))
    east, north, up = (ecef @ enu_matrix_at(station).T).T
    expected = np.array(CASES[name]["up_south_west_m"])
    np.testing.assert_allclose(np.stack([up, -north, -east], axis=-1), expected, rtol=0, atol=UTC_FOR_TT_M)


def test_a_whole_day_interpolated_equals_each_epoch_alone():
    seconds = np.datetime64("2024-02-04", "ns") + np.arange(0, 86400, 30).astype("m8[s]")
    epochs = Epochs.from_datetime64(seconds)
    station = ecef_from_geodetic(1.1, -0.4, 0.0)
    loading = loading_of("Reykjavik")
    day = ocean_loading_displacement(station, epochs, loading)
    few = ocean_loading_displacement(station, epochs[::29], loading)
    np.testing.assert_allclose(day[::29], few, rtol=0, atol=1e-6)


def test_the_lines_are_those_of_the_potential():
    multiples, amplitude = tidal_multiples(), tidal_amplitudes_m()
    assert multiples.shape == (342, 6)
    assert len(np.unique(multiples, axis=0)) == 342
    # Within each species the table runs from the largest line to the smallest.
    for species in (0, 1, 2):
        assert np.all(np.diff(np.abs(amplitude[multiples[:, 0] == species])) <= 0.0)
    # M2: 12.4206012 h (Doodson 1921).
    assert 24.0 / tidal_frequencies_cycles_per_day()[0] == pytest.approx(12.4206012, abs=1e-7)
