"""Mapping functions and zenith delay against published numbers."""

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stations.formats.vienna_mapping import SiteMappingFunctions
from stations.models.global_mapping_function import global_mapping_function
from stations.models.global_pressure_temperature import global_pressure_temperature
from stations.models.site_weather import SiteWeather, site_weather_of
from stations.models.troposphere import (
    gradient_mapping,
    standard_pressure_hpa,
    zenith_hydrostatic_delay_m,
)
from stations.models.vienna_mapping_function import vienna_mapping_function_1, vienna_mapping_function_3
from stations.ppp.observation_equations import troposphere_of_the_day
from transforms.errors import InputError
from transforms.geodetic import ecef_from_geodetic
from transforms.time_scales import Epochs

AUTHORITY = Path(__file__).parents[2] / "authorities" / "iers_conventions.toml"


def test_global_mapping_function_reproduces_the_conventions_test_case():
    case = tomllib.loads(AUTHORITY.read_text())["global_mapping_function"]
    hydrostatic, wet = global_mapping_function(
        case["modified_julian_date"],
        case["latitude_rad"],
        case["longitude_rad"],
        case["height_m"],
        np.pi / 2 - case["zenith_distance_rad"],
    )
    assert hydrostatic == pytest.approx(case["hydrostatic"], abs=1e-14)
    assert wet == pytest.approx(case["wet"], abs=1e-14)


@given(
    mjd=st.floats(50000, 65000),
    latitude=st.floats(-1.5, 1.5),
    longitude=st.floats(-3.1, 3.1),
    height=st.floats(-100, 5000),
)
def test_mapping_is_one_at_the_zenith_and_falls_with_elevation(mjd, latitude, longitude, height):
    elevation = np.radians([5.0, 15.0, 45.0, 90.0])
    for mapping in global_mapping_function(mjd, latitude, longitude, height, elevation):
        assert mapping[-1] == pytest.approx(1.0, abs=1e-9)
        assert np.all(np.diff(mapping) < 0)


def test_zenith_hydrostatic_delay_of_a_standard_sea_level():
    # Davis et al. (1985): 2.277 mm per hPa at 45 degrees and sea level.
    assert zenith_hydrostatic_delay_m(1013.25, np.pi / 4, 0.0) == pytest.approx(2.30697, abs=2e-5)


def test_standard_pressure_falls_to_half_near_five_and_a_half_kilometres():
    # US Standard Atmosphere 1976: 505.4 hPa at 5,500 m.
    assert standard_pressure_hpa(5500.0) == pytest.approx(505.4, abs=2.0)


def test_gradient_mapping_at_ten_degrees():
    # sin(10) tan(10) + 0.0032 = 0.033819...
    assert gradient_mapping(np.radians(10.0)) == pytest.approx(1.0 / (0.0306186 + 0.0032), rel=1e-5)


def test_global_pressure_and_temperature_reproduce_the_conventions_test_case():
    case = tomllib.loads(AUTHORITY.read_text())["global_pressure_temperature"]
    weather = global_pressure_temperature(
        case["modified_julian_date"], case["latitude_rad"], case["longitude_rad"], case["height_m"]
    )
    assert weather.pressure_hpa == pytest.approx(case["pressure_hpa"], abs=1e-11)
    assert weather.temperature_celsius == pytest.approx(case["temperature_celsius"], abs=1e-12)
    assert weather.geoid_height_m == pytest.approx(case["geoid_height_m"], abs=1e-12)


def test_vienna_mapping_function_reproduces_the_conventions_test_case():
    case = tomllib.loads(AUTHORITY.read_text())["vienna_mapping_function_1"]
    hydrostatic, wet = vienna_mapping_function_1(
        case["hydrostatic_coefficient"],
        case["wet_coefficient"],
        case["modified_julian_date"],
        case["latitude_rad"],
        np.pi / 2 - case["zenith_distance_rad"],
    )
    assert hydrostatic == pytest.approx(case["hydrostatic"], abs=1e-13)
    assert wet == pytest.approx(case["wet"], abs=1e-13)


VIENNA_3 = tomllib.loads((AUTHORITY.parent / "vienna_mapping_function_3.toml").read_text())


@pytest.mark.parametrize("case", VIENNA_3["published"])
def test_vienna_mapping_function_3_reproduces_the_authors_program(case):
    got = vienna_mapping_function_3(
        case["hydrostatic_coefficient"],
        case["wet_coefficient"],
        case["modified_julian_date"],
        *np.radians([case["latitude_deg"], case["longitude_deg"], case["elevation_deg"]]),
    )
    np.testing.assert_allclose(got, [case["hydrostatic"], case["wet"]], rtol=0, atol=6e-7)


@pytest.mark.parametrize("case", VIENNA_3["independent"])
def test_vienna_mapping_function_3_agrees_with_an_independent_program(case):
    got = vienna_mapping_function_3(
        case["hydrostatic_coefficient"],
        case["wet_coefficient"],
        case["modified_julian_date"] + VIENNA_3["independent_day_offset"],
        *np.radians([case["latitude_deg"], case["longitude_deg"], case["elevation_deg"]]),
    )
    np.testing.assert_allclose(got, [case["hydrostatic"], case["wet"]], rtol=1e-13)


def test_weather_of_the_day_is_interpolated_and_not_carried_far():
    hours = np.datetime64("2024-02-04", "ns") + np.array([0, 6]).astype("m8[h]")
    weather = SiteWeather(
        "VMF1",
        Epochs.from_datetime64(hours),
        np.array([1.2e-3, 1.3e-3]),
        np.array([5e-4, 7e-4]),
        np.array([2.30, 2.32]),
    )
    dry, wet, zenith = weather.at(Epochs.from_datetime64(["2024-02-04T03:00:00"]))
    assert (dry[0], wet[0], zenith[0]) == pytest.approx((1.25e-3, 6e-4, 2.31))
    with pytest.raises(InputError, match="do not cover"):
        weather.at(Epochs.from_datetime64(["2024-02-04T13:00:00"]))


def test_site_files_of_both_kinds_serve_but_for_a_single_epoch():
    hours = Epochs.from_datetime64(np.datetime64("2024-02-04", "ns") + np.array([0, 6]).astype("m8[h]"))
    two = np.ones(2)
    site = SiteMappingFunctions("BOR1", "VMF1", hours, 1.2e-3 * two, 6e-4 * two, 2.3 * two, *[two] * 4)
    assert site_weather_of(site).at(hours[:1])[2][0] == pytest.approx(2.3)
    assert site_weather_of(replace(site, kind="VMF3")).description == "VMF3 of the day, site-wise"
    with pytest.raises(InputError, match="two are needed"):
        site_weather_of(replace(site, epochs=hours[:1]))


def test_troposphere_of_the_day_gives_its_zenith_delay_at_the_nodes():
    hours = Epochs.from_datetime64(np.datetime64("2024-02-04", "ns") + np.array([0, 6]).astype("m8[h]"))
    weather = SiteWeather("VMF1", hours, np.full(2, 1.27e-3), np.full(2, 6e-4), np.array([2.30, 2.36]))
    epochs = Epochs.from_datetime64(["2024-02-04T02:00:00", "2024-02-04T04:00:00"])
    station = ecef_from_geodetic(0.9, 0.3, 100.0)
    elevation = np.radians([90.0, 30.0])
    model = troposphere_of_the_day(station, epochs, elevation, weather, hours)
    dry, _ = vienna_mapping_function_1(1.27e-3, 6e-4, epochs.modified_julian_date(), 0.9, elevation)
    np.testing.assert_allclose(model.hydrostatic_m, [2.32, 2.34 * dry[1]], rtol=1e-9)
    np.testing.assert_allclose(model.zenith_hydrostatic_m, [2.30, 2.36])
