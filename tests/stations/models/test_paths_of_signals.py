"""Sun, moon, wind-up, attitude, relativity, pole tide and ocean loading."""

import erfa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stations.models.ocean_loading import ocean_loading_displacement, tidal_arguments_rad
from stations.models.phase_windup import continuous_windup_cycles, windup_angle_cycles
from stations.models.pole_tide import pole_tide_displacement
from stations.models.relativity import periodic_clock_correction_s, shapiro_delay_m
from stations.models.satellite_attitude import body_axes, sun_elevation_and_orbit_angle
from stations.models.sun_moon import earth_rotation_at, sun_moon_positions
from stations.records import EarthRotationParameters, OceanLoading
from transforms.constants import ARCSECOND_RAD
from transforms.geodetic import ecef_from_geodetic, enu_matrix_at
from transforms.time_scales import Epochs, TimeScale


def test_sun_stands_over_greenwich_near_noon_and_over_the_tropic_at_the_solstice():
    epochs = Epochs.from_datetime64(["2024-06-20T12:00:00"], TimeScale.UTC)
    sun, moon = sun_moon_positions(epochs, None)
    direction = sun[0] / np.linalg.norm(sun[0])
    assert np.degrees(np.arcsin(direction[2])) == pytest.approx(23.43, abs=0.02)
    # Equation of time on 20 June: -1 min 36 s, so the sun stands 0.4 degrees east of Greenwich.
    assert np.degrees(np.arctan2(direction[1], direction[0])) == pytest.approx(0.4, abs=0.1)
    assert 3.5e8 < np.linalg.norm(moon[0]) < 4.1e8


def test_ut1_runs_on_through_a_leap_second():
    days = Epochs.from_datetime64(["2016-12-31", "2017-01-01"], TimeScale.UTC)
    zero = np.zeros(2)
    table = EarthRotationParameters(days, zero, zero, np.array([-0.4080, 0.5914]))
    before = Epochs.from_datetime64(["2016-12-31T12:00:00"], TimeScale.UTC)
    _, _, ut1_utc = earth_rotation_at(before, table)
    assert ut1_utc[0] == pytest.approx(-0.4083, abs=1e-4)


def test_windup_of_a_full_turn_of_the_satellite_is_one_cycle():
    station = enu_matrix_at(ecef_from_geodetic(0.5, 1.0, 0.0))
    up = station[2]
    turns = np.linspace(0.0, 2.0 * np.pi, 73)
    x = np.cos(turns)[:, None] * station[0] + np.sin(turns)[:, None] * station[1]
    z = np.tile(-up, (73, 1))
    axes = np.stack([x, np.cross(z, x), z], axis=-1)
    angle = windup_angle_cycles(axes, station, np.tile(up, (73, 1)))
    continuous = continuous_windup_cycles(angle, np.zeros(73, dtype=np.int64))
    assert abs(continuous[-1] - continuous[0]) == pytest.approx(1.0, abs=1e-12)


@given(st.floats(-1.4, 1.4), st.floats(0.05, 3.0), st.floats(-1.0, 1.0))
def test_nominal_body_axes_are_orthonormal_and_the_panels_face_the_sun(argument, node, beta):
    r = 2.66e7 * np.array([np.cos(argument), np.sin(argument), 0.0])
    v = 3900.0 * np.array([-np.sin(argument), np.cos(argument), 0.0])
    sun = 1.5e11 * np.array([np.cos(beta) * np.cos(node), np.cos(beta) * np.sin(node), np.sin(beta)])
    axes = body_axes(r, v, sun)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1.0)
    np.testing.assert_allclose(axes[:, 2], -r / np.linalg.norm(r), atol=1e-12)
    to_sun = (sun - r) / np.linalg.norm(sun - r)
    assert abs(axes[:, 1] @ to_sun) < 1e-9  # the panels' axis is normal to the sun
    assert axes[:, 0] @ to_sun > -1e-9  # +x faces the sun


def test_orbit_angle_is_zero_at_midnight():
    sun = np.array([1.5e11, 0.0, 0.0])
    midnight = np.array([-2.66e7, 0.0, 0.0])
    velocity = np.array([0.0, -3900.0, 0.0])
    beta, mu = sun_elevation_and_orbit_angle(midnight, velocity, sun)
    assert float(mu) == pytest.approx(0.0, abs=1e-12)
    assert float(beta) == pytest.approx(0.0, abs=1e-12)


def test_relativistic_clock_term_of_an_eccentric_gps_orbit():
    # IS-GPS-200, 20.3.3.3.3.1: F e sqrt(A) sin E with F = -4.442807633e-10; e = 0.02, E = 90 degrees.
    a, e = 26_560_000.0, 0.02
    mu = 3.986005e14
    r = np.array([-a * e, a * np.sqrt(1 - e**2), 0.0])
    rate = np.sqrt(mu / a**3)
    v = np.array([-a * rate, 0.0, 0.0])
    expected = -4.442807633e-10 * e * np.sqrt(a)
    assert periodic_clock_correction_s(r, v) == pytest.approx(expected, rel=1e-6)


def test_shapiro_delay_is_about_two_centimetres_at_the_horizon():
    # Ashby (2003), Living Reviews in Relativity 6, section 9: at most about 2 cm.
    station = np.array([6378137.0, 0.0, 0.0])
    horizon = np.array([6378137.0, 2.58e7, 0.0])
    zenith = np.array([2.656e7, 0.0, 0.0])
    assert 0.017 < shapiro_delay_m(horizon, station) < 0.020
    assert 0.011 < shapiro_delay_m(zenith, station) < 0.014


def test_pole_tide_follows_the_conventions_for_a_station_at_45_degrees():
    station = ecef_from_geodetic(np.pi / 4, 0.0, 0.0)
    epochs = Epochs.from_datetime64(["2000-01-01T00:00:00"])
    # One arc second from the secular pole along x: eq. 7.26 gives -33 mm radially.
    x = np.array([1.0 + 0.055]) * ARCSECOND_RAD
    y = np.array([0.3205]) * ARCSECOND_RAD
    enu = enu_matrix_at(station) @ pole_tide_displacement(station, epochs, x, y)[0]
    assert enu[2] == pytest.approx(-0.033, abs=2e-5)
    assert abs(enu[0]) < 2e-5


def test_tidal_arguments_agree_with_the_mean_elements_of_erfa():
    epochs = Epochs.from_datetime64(["2024-02-04T07:30:00"], TimeScale.UTC)
    tt1, tt2 = epochs.to(TimeScale.TT).julian_date_parts()
    t = ((tt1 - 2451545.0) + tt2) / 36525.0
    # Moon's mean longitude s = F + node; sun's mean longitude h = s - D; perigee p = s - l.
    s = erfa.faf03(t) + erfa.faom03(t)
    h = s - erfa.fad03(t)
    p = s - erfa.fal03(t)
    tau = np.radians(7.5 * 15.0) + h - s
    expected = {0: 2 * tau, 1: 2 * tau + 2 * s - 2 * h, 2: 2 * tau - s + p, 4: tau + s + np.pi / 2, 8: 2 * s}
    arguments = tidal_arguments_rad(epochs)[0]
    for tide, value in expected.items():
        difference = np.angle(np.exp(1j * (arguments[tide] - value)))
        assert abs(float(difference[0])) < 3e-4  # 0.017 degrees


def test_ocean_loading_moves_up_west_and_south_as_the_file_counts_them():
    amplitude = np.zeros((3, 11))
    amplitude[0], amplitude[1] = 0.010, 0.003  # radial and west in the same rhythm, nothing to the south
    loading = OceanLoading("TEST", amplitude, np.zeros((3, 11)), "made up")
    station = ecef_from_geodetic(0.5, 0.4, 0.0)
    epochs = Epochs.from_datetime64(np.datetime64("2024-01-01") + np.arange(0, 1500, 5).astype("m8[m]"))
    enu = ocean_loading_displacement(station, epochs, loading) @ enu_matrix_at(station).T
    np.testing.assert_allclose(enu[:, 1], 0.0, atol=1e-12)
    np.testing.assert_allclose(enu[:, 0] * 10.0, -enu[:, 2] * 3.0, atol=1e-12)
    assert np.ptp(enu[:, 2]) > 0.001
