"""The simulated satellites fly as the real ones do: periods, ground tracks, planes, velocities."""

import numpy as np
import pytest

from stations.simulation.constellation import build_constellation
from stations.simulation.earth_rotation import simulate_earth_rotation
from stations.simulation.products import simulate_products
from stations.simulation.random_streams import gauss_markov, random_stream
from stations.simulation.region_plan import DEFAULT_SEED, mean_epoch
from stations.simulation.satellite_clocks import simulate_clocks
from transforms.constants import EARTH_ROTATION_RATE_RAD_PER_S
from transforms.geodetic import geodetic_from_ecef
from transforms.time_scales import Epochs

SIDEREAL_DAY_S = 2.0 * np.pi / EARTH_ROTATION_RATE_RAD_PER_S


@pytest.fixture(scope="module")
def constellation():
    return build_constellation(mean_epoch(), DEFAULT_SEED)


def test_counts_of_satellites_are_those_of_the_real_constellations(constellation):
    names = constellation.names
    assert names == tuple(sorted(set(names)))
    assert sum(name[0] == "G" for name in names) == 31
    assert sum(name[0] == "E" for name in names) == 24
    assert constellation.kinds.count("BDS-3 MEO") == 24
    assert [n for n, k in zip(names, constellation.kinds, strict=True) if k == "BDS-3 IGSO"] == [
        "C38",
        "C39",
        "C40",
    ]


@pytest.mark.parametrize(
    ("satellite", "revolutions", "days"),
    [
        ("G01", 2, 1),  # IS-GPS-200: half a sidereal day
        ("E02", 17, 10),  # Galileo OS SIS ICD 2.1, section 3: 17 revolutions in 10 days
        ("C19", 13, 7),  # BDS-3 MEO: 13 revolutions in 7 days (CSNO, BDS open service performance 3.0)
        ("C38", 1, 1),  # inclined geosynchronous
    ],
)
def test_ground_tracks_repeat_as_published(constellation, satellite, revolutions, days):
    index = constellation.names.index(satellite)
    period_s = 2.0 * np.pi / constellation.mean_motion_rad_per_s[index]
    assert period_s * revolutions / (days * SIDEREAL_DAY_S) == pytest.approx(1.0, abs=5e-4)


def test_nodes_of_gps_regress_by_a_twenty_fifth_of_a_degree_a_day(constellation):
    # Hofmann-Wellenhof et al. (2008), GNSS, section 3.3: -0.04 degrees per day for GPS.
    node_rate_rad_per_s = constellation._secular_rates[0][constellation.names.index("G01")]
    assert np.degrees(node_rate_rad_per_s) * 86400.0 == pytest.approx(-0.04, abs=0.003)


def test_velocity_is_the_derivative_of_position(constellation):
    index = np.arange(len(constellation.names))
    time_s = np.linspace(-80_000.0, 80_000.0, index.size)
    before, _ = constellation.position_and_velocity(index, time_s - 0.5)
    after, _ = constellation.position_and_velocity(index, time_s + 0.5)
    _, velocity = constellation.position_and_velocity(index, time_s)
    np.testing.assert_allclose(velocity, after - before, atol=1e-5)  # third derivative: 1e-8 m/s3


def test_product_errors_have_the_stated_size_and_geosynchronous_loops_stand_over_china(constellation):
    reference = mean_epoch()
    epochs = Epochs(reference.tai_ns + np.arange(-288, 289) * 300_000_000_000)
    second_s = epochs.seconds_since(reference)
    clocks = simulate_clocks(constellation.names, constellation.kinds, second_s, DEFAULT_SEED)
    earth_rotation = simulate_earth_rotation(61154, 7)
    orbits, table = simulate_products(constellation, clocks, earth_rotation, epochs, DEFAULT_SEED)
    for name in ("C38", "C39", "C40"):
        column = orbits.satellites.index(name)
        latitude, longitude, _ = geodetic_from_ecef(orbits.position_ecef_m[:, column])
        crossing = np.abs(np.degrees(latitude)) < 0.5
        assert np.all((np.degrees(longitude[crossing]) > 108.0) & (np.degrees(longitude[crossing]) < 120.0))
        assert np.degrees(latitude).max() == pytest.approx(55.0, abs=0.5)
    truth = np.stack(
        [clocks.at(np.full(second_s.size, j), second_s) for j in range(len(constellation.names))], axis=1
    )
    error_s = table.clock_s - truth
    error_s -= error_s.mean(axis=1, keepdims=True)  # the reference clock
    error_s -= error_s.mean(axis=0, keepdims=True)
    assert 5e-12 < error_s.std() < 8e-11


def test_random_streams_depend_on_their_name_and_not_on_order():
    first = random_stream(3, "clock", "G01").standard_normal(5)
    random_stream(3, "clock", "G02").standard_normal(5)
    np.testing.assert_array_equal(first, random_stream(3, "clock", "G01").standard_normal(5))
    assert not np.allclose(first, random_stream(3, "clock", "G02").standard_normal(5))
    assert not np.allclose(first, random_stream(4, "clock", "G01").standard_normal(5))


def test_gauss_markov_series_has_its_sigma_and_its_memory():
    series = gauss_markov(random_stream(1, "test"), 20_000, 0.5, 0.8)
    assert series.std() == pytest.approx(0.5, rel=0.05)
    assert np.corrcoef(series[:-1], series[1:])[0, 1] == pytest.approx(0.8, abs=0.02)
