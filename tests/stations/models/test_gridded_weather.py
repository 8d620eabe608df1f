"""Delays and mapping coefficients of a station out of grids, and the heights of their nodes."""

from dataclasses import replace

import numpy as np
import pytest

from stations.formats.orography import read_orography
from stations.formats.vienna_mapping import MappingFunctionGrid, SiteMappingFunctions
from stations.models.global_mapping_function import global_mapping_function
from stations.models.site_weather import gridded_weather, joined_site_weather
from stations.models.troposphere import zenith_hydrostatic_delay_m
from stations.models.vienna_mapping_function import vienna_mapping_function_3
from transforms.errors import FormatError, InputError
from transforms.geodetic import ecef_from_geodetic
from transforms.time_scales import Epochs

HOURS = Epochs.from_datetime64(np.datetime64("2024-02-04", "ns") + np.array([0, 6, 12]).astype("m8[h]"))
LATITUDE_DEG = np.arange(87.5, -90.0, -5.0)
LONGITUDE_DEG = np.arange(2.5, 360.0, 5.0)
SHAPE = (LATITUDE_DEG.size, LONGITUDE_DEG.size)
HEIGHT_M = np.fromfunction(lambda i, j: 100.0 + 5.0 * i + 2.0 * j, SHAPE)


def standard_delay_m(latitude_deg, height_m):
    """Hydrostatic delay under the pressure that the lifting assumes, seen from 100 m."""
    pressure_hpa = 1000.0 * (1.0 - 2.26e-5 * (height_m - 100.0)) ** 5.225
    return zenith_hydrostatic_delay_m(pressure_hpa, np.radians(latitude_deg), height_m)


def grid(epoch, *, hydrostatic=1.2e-3, wet=5e-4):
    return MappingFunctionGrid(
        "VMF3",
        epoch,
        LATITUDE_DEG,
        LONGITUDE_DEG,
        np.full(SHAPE, hydrostatic),
        np.full(SHAPE, wet) + 1e-6 * LONGITUDE_DEG,
        standard_delay_m(LATITUDE_DEG[:, None], HEIGHT_M),
        np.full(SHAPE, 0.1),
    )


def test_a_station_between_nodes_takes_their_blend_at_its_own_height():
    weather = gridded_weather([grid(HOURS[1], hydrostatic=1.22e-3), grid(HOURS[0])], HEIGHT_M)
    station = ecef_from_geodetic(np.radians(51.0), np.radians(19.5), 250.0)
    site = weather.at_site(station)
    assert site.description == "VMF3 of the day, from the grid"
    dry, wet, zenith_m = site.at(Epochs.from_datetime64(["2024-02-04T03:00:00"]))
    assert dry[0] == pytest.approx(1.21e-3)
    assert wet[0] == pytest.approx(5e-4 + 19.5e-6)  # linear in longitude
    # The nodes lie up to 300 m lower; lifting brings all of them to the same delay but for pressure's curve.
    assert zenith_m[0] == pytest.approx(standard_delay_m(51.0, 250.0), abs=2e-3)


def test_the_meridian_of_greenwich_is_no_edge():
    weather = gridded_weather([grid(HOURS[0]), grid(HOURS[1])], HEIGHT_M)
    wet = [
        weather.at_site(ecef_from_geodetic(0.8, np.radians(degrees), 100.0)).wet_coefficient[0]
        for degrees in (357.5, 0.0, 2.5)
    ]
    assert wet[1] == pytest.approx((wet[0] + wet[2]) / 2.0)


def test_gridded_coefficients_are_of_zero_height():
    weather = gridded_weather([grid(HOURS[0]), grid(HOURS[1])], HEIGHT_M)
    station = ecef_from_geodetic(0.8, 0.3, 1500.0)
    elevation = np.radians([90.0, 20.0, 7.0])
    epochs = Epochs(np.repeat(HOURS.tai_ns[0], 3))
    site = weather.at_site(station)
    dry, wet, _ = site.mapping(station, epochs, elevation)
    mjd = epochs.modified_julian_date()
    a_wet = site.wet_coefficient[0]
    at_zero = vienna_mapping_function_3(1.2e-3, a_wet, mjd, 0.8, 0.3, elevation)
    # GMF, held to the Conventions' case at 845 m, takes the same height correction (Niell 1996).
    high, low = (global_mapping_function(mjd, 0.8, 0.3, height, elevation)[0] for height in (1500.0, 0.0))
    np.testing.assert_allclose(dry, at_zero[0] + high - low, rtol=1e-10)
    np.testing.assert_allclose(wet, at_zero[1], rtol=1e-10)


def test_grids_that_do_not_belong_together_are_refused():
    with pytest.raises(InputError, match="two epochs"):
        gridded_weather([grid(HOURS[0]), grid(HOURS[0])], HEIGHT_M)
    with pytest.raises(InputError, match="differ"):
        gridded_weather([grid(HOURS[0]), replace(grid(HOURS[1]), kind="VMF1")], HEIGHT_M)
    with pytest.raises(InputError, match="do not fit"):
        gridded_weather([grid(HOURS[0]), grid(HOURS[1])], HEIGHT_M[1:])


def test_files_of_a_site_are_joined_in_time_and_kept_apart_by_kind():
    one = np.ones(2)
    first = SiteMappingFunctions("BOR1", "VMF3", HOURS[:2], 1.2e-3 * one, 5e-4 * one, 2.3 * one, *[one] * 4)
    second = replace(first, epochs=HOURS[1:], zenith_hydrostatic_delay_m=2.31 * one)
    weather = joined_site_weather([second, first])
    np.testing.assert_array_equal(weather.epochs.tai_ns, HOURS.tai_ns)
    np.testing.assert_allclose(weather.zenith_hydrostatic_delay_m, [2.3, 2.3, 2.31])
    with pytest.raises(InputError, match="one kind"):
        joined_site_weather([first, replace(second, kind="VMF1")])


@pytest.mark.parametrize("header", ["", " 90 -90 0 360 5 5\n"])
@pytest.mark.parametrize("repeats_360", [False, True])
def test_heights_of_nodes_are_read_with_and_without_header_and_last_meridian(tmp_path, header, repeats_360):
    rows = np.hstack([HEIGHT_M, HEIGHT_M[:, :1]]) if repeats_360 else HEIGHT_M
    path = tmp_path / "orography_ell"
    path.write_text(header + "\n".join(f"{value:.0f}" for value in rows.ravel()) + "\n")
    heights, identity = read_orography(path, SHAPE)
    np.testing.assert_array_equal(heights, HEIGHT_M)
    assert identity.path == str(path)


def test_damaged_heights_are_refused_by_line(tmp_path):
    path = tmp_path / "orography_ell"
    good = ["100"] * (SHAPE[0] * SHAPE[1])
    path.write_text("\n".join([*good[:-1], "1O0"]))
    with pytest.raises(FormatError, match=f"{len(good)}.*expected a height"):
        read_orography(path, SHAPE)
    path.write_text("\n".join([*good[:-1], "10000"]))
    with pytest.raises(FormatError, match="out of the range"):
        read_orography(path, SHAPE)
    path.write_text("\n".join(good[:-1]))
    with pytest.raises(FormatError, match="2591 heights, expected 36 x 72"):
        read_orography(path, SHAPE)
