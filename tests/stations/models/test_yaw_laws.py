"""Turns near noon and midnight: limits that the laws' authors publish, and a step-by-step simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stations.models.satellite_attitude import axes_by_law, body_axes
from stations.models.yaw_laws import YawLaw, nominal_yaw_rad, wrap_rad, yaw_angle, yaw_law_of

GPS_RATE = 2.0 * np.pi / 43078.0  # half a sidereal day, less the node's drift
GALILEO_RATE = 2.0 * np.pi / 50685.0
BEIDOU_RATE = 2.0 * np.pi / 46392.0
GLONASS_RATE = 2.0 * np.pi / 40544.0  # GLONASS ICD 5.1: eight days in seventeen turns


def orbit(beta_deg, rate, centre=np.pi, half_width_deg=25.0):
    """beta, mu, rate and seconds over a pass of noon (centre pi) or midnight (0)."""
    past = np.radians(np.arange(-half_width_deg, half_width_deg, 0.005))
    mu = wrap_rad(centre + past)
    return np.full(mu.shape, np.radians(beta_deg)), mu, np.full(mu.shape, rate), past / rate


def yaw_over(law, beta_deg, rate, centre=np.pi):
    beta, mu, rates, second = orbit(beta_deg, rate, centre)
    yaw, doubtful = yaw_angle(law, beta, mu, rates)
    return np.unwrap(yaw), np.unwrap(nominal_yaw_rad(beta, mu)), second, doubtful


@pytest.mark.parametrize(
    ("law", "rate_deg_per_s", "critical_beta_deg"),
    # Kouba (2009), table 1: block IIR below 2.4 degrees; Dilssner (2010): block IIF below 4.3 degrees.
    [(YawLaw.GPS_IIR, 0.20, 2.4), (YawLaw.GPS_IIF, 0.11, 4.3)],
)
def test_a_rate_limit_matters_below_the_published_beta_only(law, rate_deg_per_s, critical_beta_deg):
    above, nominal, _, _ = yaw_over(law, critical_beta_deg + 0.1, GPS_RATE)
    np.testing.assert_allclose(above, nominal, atol=1e-12)
    below, nominal, second, _ = yaw_over(law, critical_beta_deg - 0.3, GPS_RATE)
    assert np.max(np.abs(below - nominal)) > np.radians(1.0)
    fastest = np.max(np.abs(np.diff(below) / np.diff(second)))
    assert fastest == pytest.approx(np.radians(rate_deg_per_s), rel=1e-3)


@pytest.mark.parametrize("beta_deg", [-2.2, -0.6, 0.05, 1.3, 2.3])
@pytest.mark.parametrize("centre", [0.0, np.pi])
def test_catching_up_is_that_of_a_satellite_stepped_through_time(beta_deg, centre):
    yaw, nominal, second, _ = yaw_over(YawLaw.GPS_IIR, beta_deg, GPS_RATE, centre)
    limit = np.radians(0.20)
    stepped = [nominal[0]]
    for step, wanted in zip(np.diff(second), nominal[1:], strict=True):
        stepped.append(stepped[-1] + np.clip(wanted - stepped[-1], -limit * step, limit * step))
    np.testing.assert_allclose(yaw, stepped, atol=np.radians(0.1))
    assert yaw[-1] == pytest.approx(nominal[-1], abs=1e-12)


@given(
    law=st.sampled_from([YawLaw.GPS_IIF, YawLaw.GALILEO_IOV, YawLaw.GALILEO_FOC, YawLaw.BEIDOU3_MEO_CAST]),
    beta_deg=st.floats(0.2, 12.0),
    south=st.booleans(),
    noon=st.booleans(),
)
def test_no_satellite_jumps_and_all_come_back_to_the_nominal_yaw(law, beta_deg, south, noon):
    rate = {"GPS": GPS_RATE, "Gal": GALILEO_RATE, "Bei": BEIDOU_RATE}[law.value[:3]]
    beta_deg = -beta_deg if south else beta_deg
    yaw, nominal, second, _ = yaw_over(law, beta_deg, rate, np.pi if noon else 0.0)
    assert np.max(np.abs(np.diff(yaw))) < np.radians(0.5)
    assert np.max(np.abs(np.diff(yaw) / np.diff(second))) < np.radians(0.21)
    assert wrap_rad(yaw[0] - nominal[0]) == pytest.approx(0.0, abs=1e-9)
    assert wrap_rad(yaw[-1] - nominal[-1]) == pytest.approx(0.0, abs=1e-9)


def test_galileo_foc_turns_within_its_published_time_and_region():
    # GSC: below 4.1 degrees, 10 degrees to either side, a cosine of 5656 s; past noon the yaw is 90 degrees.
    yaw, nominal, second, _ = yaw_over(YawLaw.GALILEO_FOC, -1.0, GALILEO_RATE)
    moved = np.flatnonzero(np.abs(yaw - nominal) > 1e-9)
    assert second[moved[-1]] - second[moved[0]] == pytest.approx(5656.0 / 2.0, rel=0.01)
    assert np.degrees(np.interp(0.0, second, yaw)) == pytest.approx(90.0, abs=0.7)
    far, nominal, _, _ = yaw_over(YawLaw.GALILEO_FOC, 4.2, GALILEO_RATE)
    np.testing.assert_allclose(far, nominal, atol=1e-12)


def test_block_iif_crosses_the_shadow_at_an_even_rate():
    yaw, _, second, _ = yaw_over(YawLaw.GPS_IIF, 3.0, GPS_RATE, 0.0)
    inside = np.abs(second) < 1500.0  # of an eclipse of 53 minutes
    rates = np.diff(yaw[inside]) / np.diff(second[inside])
    assert np.ptp(rates) < 1e-9
    # Dilssner (2010): some 0.05 to 0.06 deg/s.
    assert np.degrees(rates[0]) == pytest.approx(0.05, abs=0.01)


def test_secm_keeps_three_degrees():
    # CSNO: the yaw of |beta| < 3 degrees is that of 3 degrees.
    low, _, _, doubtful = yaw_over(YawLaw.BEIDOU3_MEO_SECM, 1.0, BEIDOU_RATE)
    at_limit, _, _, _ = yaw_over(YawLaw.BEIDOU3_MEO_SECM, 3.0, BEIDOU_RATE)
    np.testing.assert_allclose(low, at_limit, atol=1e-12)
    assert not doubtful.any()
    assert yaw_over(YawLaw.BEIDOU3_MEO_SECM, 0.2, BEIDOU_RATE)[3].any()


@pytest.mark.parametrize(
    ("law", "beta_deg", "centre"),
    [
        (YawLaw.UNKNOWN, 1.0, np.pi),
        (YawLaw.UNKNOWN, -1.0, 0.0),
        (YawLaw.GPS_IIA, 8.0, 0.0),
        (YawLaw.GPS_IIF, -0.4, np.pi),
        (YawLaw.GALILEO_FOC, 0.05, 0.0),
        (YawLaw.BEIDOU2_UNTOLD, 3.0, 0.0),
    ],
)
def test_what_no_law_settles_is_doubtful(law, beta_deg, centre):
    assert yaw_over(law, beta_deg, GPS_RATE, centre)[3].any()
    assert not yaw_over(law, 20.0, GPS_RATE, centre)[3].any()


@pytest.mark.parametrize(
    ("kind", "spacecraft", "year", "law"),
    [
        ("BLOCK IIR-M", "G050", 2024.1, YawLaw.GPS_IIR),
        ("BLOCK IIF", "G062", 2024.1, YawLaw.GPS_IIF),
        ("BLOCK IIA", "G034", 2019.1, YawLaw.GPS_IIA),
        ("BLOCK IIIA", "G074", 2024.1, YawLaw.GPS_III),
        ("BLOCK IIIF", "G082", 2027.5, YawLaw.GPS_III),
        ("BEIDOU-3M-SECM-A", "C203", 2024.1, YawLaw.BEIDOU3_MEO_SECM),
        ("BEIDOU-3SI-SECM", "C101", 2024.1, YawLaw.UNKNOWN),
        ("BEIDOU-2M", "C012", 2015.1, YawLaw.BEIDOU2),
        ("BEIDOU-2M", "C012", 2020.1, YawLaw.BEIDOU2_UNTOLD),
        ("BEIDOU-2M", "C012", 2024.1, YawLaw.BEIDOU3_MEO_CAST),
        ("BEIDOU-2I", "C017", 2017.1, YawLaw.BEIDOU3_IGSO_CAST),
        ("BEIDOU-2I", "C019", 2024.1, YawLaw.BEIDOU2_UNTOLD),
        ("GALILEO-2", "E205", 2024.1, YawLaw.GALILEO_FOC),
        ("QZSS", "J001", 2019.1, YawLaw.QZSS_1),
        ("QZSS-2A", "J005", 2024.1, YawLaw.QZSS_2),
        ("QZSS-2G", "J003", 2024.1, YawLaw.QZSS_GEO),
    ],
)
def test_spacecraft_are_told_by_their_antenna_types_and_numbers(kind, spacecraft, year, law):
    assert yaw_law_of(kind, spacecraft, year) is law


@pytest.mark.parametrize("centre", [0.0, np.pi])
def test_gps_iii_turns_over_fifteen_degrees_no_faster_than_its_published_rate(centre):
    # Montenbruck et al. (2026): below 5.8 degrees, 15 degrees to either side, at most some 0.09 deg/s.
    yaw, nominal, second, doubtful = yaw_over(YawLaw.GPS_III, 0.2, GPS_RATE, centre)
    assert np.degrees(np.max(np.abs(np.diff(yaw) / np.diff(second)))) == pytest.approx(0.09, abs=0.01)
    moved = np.flatnonzero(np.abs(yaw - nominal) > 1e-9)
    assert np.degrees((second[moved[-1]] - second[moved[0]]) * GPS_RATE) == pytest.approx(30.0, abs=0.1)
    assert not doubtful.any()
    far, nominal, _, _ = yaw_over(YawLaw.GPS_III, 5.9, GPS_RATE, centre)
    np.testing.assert_allclose(far, nominal, atol=1e-12)
    assert yaw_over(YawLaw.GPS_III, 0.05, GPS_RATE, centre)[3].any()


def test_beidou_2_flies_along_its_orbit_below_four_degrees():
    yaw, _, _, doubtful = yaw_over(YawLaw.BEIDOU2, -2.0, BEIDOU_RATE)
    np.testing.assert_array_equal(yaw, 0.0)
    assert not doubtful.any()
    assert yaw_over(YawLaw.BEIDOU2, 4.2, BEIDOU_RATE)[3].all()
    far, nominal, _, doubtful = yaw_over(YawLaw.BEIDOU2, 5.0, BEIDOU_RATE)
    np.testing.assert_allclose(far, nominal, atol=1e-12)
    assert not doubtful.any()


def test_qzss_turns_evenly_or_flies_against_its_orbit():
    geosynchronous = 2.0 * np.pi / 86164.0
    yaw, _, second, _ = yaw_over(YawLaw.QZSS_2, 1.0, geosynchronous)
    assert np.degrees(np.max(np.abs(np.diff(yaw) / np.diff(second)))) == pytest.approx(0.055, rel=1e-3)
    for law, beta_deg in ((YawLaw.QZSS_1, 10.0), (YawLaw.QZSS_GEO, 21.0)):
        against, _, _, doubtful = yaw_over(law, beta_deg, geosynchronous)
        np.testing.assert_allclose(np.abs(against), np.pi)
        assert not doubtful.any()
    assert yaw_over(YawLaw.QZSS_1, 20.5, geosynchronous)[3].all()
    far, nominal, _, _ = yaw_over(YawLaw.QZSS_1, 23.0, geosynchronous)
    np.testing.assert_allclose(far, nominal, atol=1e-12)


def test_axes_turn_by_the_yaw_that_the_law_adds():
    beta, past = np.radians(1.0), np.radians(1.0)
    mu = np.pi + past
    satellite = 2.656e7 * np.array([[np.cos(mu), np.sin(mu), 0.0]])
    velocity = 3870.0 * np.array([[-np.sin(mu), np.cos(mu), 0.0]])
    sun = -1.496e11 * np.array([[np.cos(beta), 0.0, -np.sin(beta)]])
    nominal = body_axes(satellite, velocity, sun)
    arguments = (np.array([beta]), wrap_rad(np.array([mu])), np.array([GPS_RATE]))
    axes, _ = axes_by_law(nominal, *arguments, np.zeros(1, dtype=np.int64), [YawLaw.GPS_IIR])
    yaw, _ = yaw_angle(YawLaw.GPS_IIR, *arguments)
    flight = velocity[0] / np.linalg.norm(velocity)
    against_normal = np.array([0.0, 0.0, -1.0])
    got = np.arctan2(axes[0, :, 0] @ against_normal, axes[0, :, 0] @ flight)
    # The sun's parallax at the satellite is 0.01 degrees at most, times the tangent of a steep turn.
    assert got == pytest.approx(yaw[0], abs=np.radians(0.1))
    np.testing.assert_allclose(axes[0].T @ axes[0], np.eye(3), atol=1e-12)


def test_glonass_m_turns_evenly_about_noon_below_two_degrees_only():
    # Dilssner et al. (2011): noon turns below a beta of 2 degrees, at 0.25 deg/s, even about noon.
    above, nominal, _, _ = yaw_over(YawLaw.GLONASS_M, 2.1, GLONASS_RATE)
    np.testing.assert_allclose(above, nominal, atol=1e-12)
    yaw, nominal, second, doubtful = yaw_over(YawLaw.GLONASS_M, 1.0, GLONASS_RATE)
    rate_deg_per_s = np.degrees(np.abs(np.diff(yaw) / np.diff(second)))
    assert rate_deg_per_s.max() == pytest.approx(0.25, rel=1e-3)
    middle = np.interp(0.0, second, yaw)
    np.testing.assert_allclose(np.interp(-second, second, yaw) - middle, middle - yaw, atol=1e-3)
    begins = second[np.argmax(np.abs(yaw - nominal) > 1e-9)]
    assert begins < 0.0 < second[-1]
    assert yaw[0] == pytest.approx(nominal[0], abs=1e-12)
    assert yaw[-1] == pytest.approx(nominal[-1], abs=1e-12)
    assert not doubtful.any()


@pytest.mark.parametrize("beta_deg", [-9.0, -0.4, 1.5, 6.0])
def test_glonass_m_turns_from_the_edge_of_the_shadow_and_then_keeps_the_yaw_of_the_exit(beta_deg):
    yaw, nominal, second, _ = yaw_over(YawLaw.GLONASS_M, beta_deg, GLONASS_RATE, centre=0.0)
    half_s = np.arccos(np.cos(np.radians(14.2)) / np.cos(np.radians(beta_deg))) / GLONASS_RATE
    inside = np.abs(second) < half_s
    np.testing.assert_allclose(wrap_rad(yaw - nominal)[~inside], 0.0, atol=1e-9)
    turn = np.abs(yaw[inside] - np.interp(-half_s, second, nominal))
    expected = np.minimum(np.radians(0.25) * (second[inside] + half_s), turn[-1])
    np.testing.assert_allclose(turn, expected, atol=1e-4)
    assert np.diff(yaw[inside])[-1] == pytest.approx(0.0, abs=1e-12)


def test_glonass_k_is_nominal_in_shadow_but_doubtful_at_small_beta():
    assert yaw_law_of("GLONASS-K1", "R802", 2024.1) is YawLaw.UNKNOWN
    assert yaw_law_of("GLONASS-M", "R730", 2024.1) is YawLaw.GLONASS_M
    yaw, nominal, _, doubtful = yaw_over(YawLaw.UNKNOWN, 8.0, GLONASS_RATE, centre=0.0)
    np.testing.assert_allclose(yaw, nominal)
    assert not doubtful.any()
    assert yaw_over(YawLaw.UNKNOWN, 1.0, GLONASS_RATE, centre=0.0)[3].any()
