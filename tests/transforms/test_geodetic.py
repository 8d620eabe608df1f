"""Geocentric, geodetic and local coordinates against IOGP's worked examples and as round trips."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from transforms.ellipsoids import CGCS2000, GRS80, IAG_1975, KRASSOVSKY_1940, WGS84, Ellipsoid
from transforms.geodetic import (
    azimuth_elevation,
    ecef_from_geodetic,
    enu_covariance,
    enu_from_ecef_matrix,
    enu_matrix_at,
    geodetic_from_ecef,
)

# IOGP 373-7-2 (Geomatics Guidance Note 7 part 2), geographic/geocentric conversions, EPSG method 9602.
EXAMPLE_GEODETIC_DEG = (53 + 48 / 60 + 33.820 / 3600, 2 + 7 / 60 + 46.380 / 3600, 73.0)
EXAMPLE_ECEF_M = (3771793.968, 140253.342, 5124304.349)
EXAMPLE_ROUNDING_M = 0.0005 + 0.0005 / 3600 * 111_000  # mm in the coordinates, 0.0005" in the angles

# The same note, geocentric/topocentric conversions, EPSG method 9836.
TOPOCENTRIC_ORIGIN_M = (3652755.3058, 319574.6799, 5201547.3536)  # 55 deg N, 5 deg E, 200 m
TOPOCENTRIC_ENU_M = (-189013.869, -128642.040, -4220.171)

ROUND_TRIP_TOLERANCE_M = 1e-8  # a double resolves 1e-9 m at the Earth's radius

latitudes = st.floats(-np.pi / 2, np.pi / 2)
longitudes = st.floats(-np.pi, np.pi)
heights = st.floats(-10_000, 10_000_000)


def test_worked_example_of_iogp() -> None:
    latitude, longitude, height = (
        np.radians(EXAMPLE_GEODETIC_DEG[0]),
        np.radians(EXAMPLE_GEODETIC_DEG[1]),
        73.0,
    )
    ecef = ecef_from_geodetic(latitude, longitude, height, WGS84)
    np.testing.assert_allclose(ecef, EXAMPLE_ECEF_M, atol=EXAMPLE_ROUNDING_M)
    back = geodetic_from_ecef(EXAMPLE_ECEF_M, WGS84)
    np.testing.assert_allclose(np.degrees(back[:2]), EXAMPLE_GEODETIC_DEG[:2], atol=0.0005 / 3600 + 5e-9)
    np.testing.assert_allclose(back[2], height, atol=0.001)


def test_worked_example_of_local_coordinates() -> None:
    origin = np.array(TOPOCENTRIC_ORIGIN_M)
    rotation = enu_matrix_at(origin, WGS84)
    np.testing.assert_allclose(rotation @ (np.array(EXAMPLE_ECEF_M) - origin), TOPOCENTRIC_ENU_M, atol=0.001)


@pytest.mark.parametrize(
    "ellipsoid", [GRS80, CGCS2000, WGS84, KRASSOVSKY_1940, IAG_1975], ids=lambda e: e.name
)
@given(latitude=latitudes, longitude=longitudes, height=heights)
def test_round_trip(ellipsoid: Ellipsoid, latitude: float, longitude: float, height: float) -> None:
    ecef = ecef_from_geodetic(latitude, longitude, height, ellipsoid)
    back = ecef_from_geodetic(*geodetic_from_ecef(ecef, ellipsoid), ellipsoid)
    np.testing.assert_allclose(back, ecef, atol=ROUND_TRIP_TOLERANCE_M)
    np.testing.assert_allclose(geodetic_from_ecef(ecef, ellipsoid)[2], height, atol=ROUND_TRIP_TOLERANCE_M)
    np.testing.assert_allclose(geodetic_from_ecef(ecef, ellipsoid)[0], latitude, atol=1e-14)


def test_proj_agrees_over_the_globe() -> None:
    rng = np.random.default_rng(11)
    latitude, longitude = rng.uniform(-90, 90, 500), rng.uniform(-180, 180, 500)
    height = rng.uniform(-500, 9000, 500)
    peer = Transformer.from_crs("EPSG:4480", "EPSG:4479", allow_ballpark=False)  # CGCS2000
    expected = np.stack(peer.transform(latitude, longitude, height), axis=-1)
    ours = ecef_from_geodetic(np.radians(latitude), np.radians(longitude), height, CGCS2000)
    np.testing.assert_allclose(ours, expected, atol=ROUND_TRIP_TOLERANCE_M)


@given(latitude=latitudes, longitude=longitudes)
def test_local_axes_are_right_handed_and_point_as_named(latitude: float, longitude: float) -> None:
    rotation = enu_from_ecef_matrix(latitude, longitude)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-14)
    assert np.linalg.det(rotation) == pytest.approx(1.0, abs=1e-13)
    step = 1e-5
    here, above = (ecef_from_geodetic(latitude, longitude, h) for h in (0.0, 1.0))
    np.testing.assert_allclose(rotation @ (above - here), [0.0, 0.0, 1.0], atol=1e-8)
    north = ecef_from_geodetic(latitude + step, longitude, 0.0) - here
    assert (rotation @ north)[1] > 0.0


def test_azimuth_counts_from_north_over_east_and_elevation_from_the_horizon() -> None:
    station = ecef_from_geodetic(np.radians(30.5), np.radians(114.4), 25.0)
    rotation = enu_matrix_at(station)
    enu = np.array([[0, 1, 0], [1, 0, 0], [0, -1, 0], [-1, 0, 0], [0, 0, 1], [1, 1, np.sqrt(2)]]) * 2e7
    azimuth, elevation = azimuth_elevation(station, station + enu @ rotation)
    np.testing.assert_allclose(np.degrees(azimuth[:4]), [0, 90, 180, 270], atol=1e-9)
    np.testing.assert_allclose(np.degrees(elevation), [0, 0, 0, 0, 90, 45], atol=1e-7)


def test_covariance_keeps_its_trace_and_turns_its_axes() -> None:
    position = ecef_from_geodetic(0.0, np.pi / 2, 0.0)  # east is -x, north z, up y
    covariance = np.diag([1.0, 4.0, 9.0])
    np.testing.assert_allclose(enu_covariance(position, covariance), np.diag([1.0, 9.0, 4.0]), atol=1e-14)


def test_poles_and_equator() -> None:
    b = GRS80.semi_minor_axis_m
    latitude, _, height = geodetic_from_ecef([[0.0, 0.0, b + 10], [0.0, 0.0, -b], [6378137.0, 0.0, 0.0]])
    np.testing.assert_allclose(np.degrees(latitude), [90, -90, 0], atol=1e-12)
    np.testing.assert_allclose(height, [10, 0, 0], atol=ROUND_TRIP_TOLERANCE_M)
