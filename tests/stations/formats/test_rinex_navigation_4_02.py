"""The messages of RINEX 4.02 that no file of the real data holds, read from the standard's own examples."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from stations.formats.rinex_navigation import read_navigation
from stations.formats.rinex_navigation_fields import KEPLER_FIELDS, STATE_VECTOR_FIELDS
from stations.models.broadcast_orbit import broadcast_states
from stations.navigation_records import NavigationMessages
from transforms.time_scales import Epochs, TimeScale

EXAMPLES = Path(__file__).parents[2] / "authorities" / "rinex_4_02_examples.rnx"
ARC_SECOND_RAD = np.pi / 648_000.0


@pytest.fixture(scope="module")
def printed() -> NavigationMessages:
    return read_navigation(EXAMPLES, strict=True)


def numbers_of(title: str) -> list[float]:
    body = EXAMPLES.read_text().split(f"> EPH {title}\n")[1].split("> ")[0]
    return [float(n) for n in re.findall(r"-?\d\.\d{12}e[+-]\d\d", body)]


def test_every_message_of_the_standard_has_a_table() -> None:
    """RINEX 4.02, table A5: the EPH messages of each system."""
    table = {
        "G": "LNAV CNAV CNV2", "E": "INAV FNAV", "R": "FDMA L1OC L3OC", "J": "LNAV CNAV CNV2",
        "C": "D1 D2 CNV1 CNV2 CNV3", "S": "SBAS", "I": "LNAV L1NV",
    }  # fmt: skip
    expected = {f"{system} {name}" for system, names in table.items() for name in names.split()}
    assert {*KEPLER_FIELDS, *STATE_VECTOR_FIELDS} == expected
    # Lines of each message, tables A7 to A31: the first of three fields and so many of four.
    lines = {"LNAV": 8, "CNAV": 9, "CNV2": 10, "L1NV": 9, "CNV1": 10, "CNV3": 9, "L1OC": 9, "L3OC": 9}
    for kind, fields in {**KEPLER_FIELDS, **STATE_VECTOR_FIELDS}.items():
        assert len(fields) % 4 == 3
        name = kind[2:]
        assert 1 + len(fields) // 4 == lines.get(name, 4 if name == "SBAS" else 5 if name == "FDMA" else 8)


def test_navic_l1nv(printed: NavigationMessages) -> None:
    table, numbers = printed.kepler, numbers_of("I10 L1NV")
    assert (table.satellite[0], table.message[0]) == ("I10", "L1NV")
    assert str(table.time_of_ephemeris.datetime64()[0])[:19] == "2023-06-24T00:05:00"
    assert table.time_of_ephemeris.tai_ns[0] == table.time_of_clock.tai_ns[0]
    got = {
        "clock_bias_s": 0, "clock_drift_s_per_s": 1, "semi_major_axis_rate_m_per_s": 3, "radius_sine_m": 4,
        "mean_motion_difference_rad_per_s": 5, "mean_anomaly_rad": 6, "eccentricity": 8, "issue_of_data": 11,
        "inclination_cosine_rad": 12, "ascending_node_rad": 13, "inclination_rad": 15, "radius_cosine_m": 16,
        "argument_of_perigee_rad": 17, "inclination_rate_rad_per_s": 19,
        "mean_motion_difference_rate_rad_per_s2": 20, "health": 23, "transmission_s_of_week": 27,
    }  # fmt: skip
    for name, place in got.items():
        assert getattr(table, name)[0] == numbers[place], name
    assert table.semi_major_axis_m[0] == numbers[10] ** 2
    assert table.further["reference_signal_flag"][0] == 1.0
    assert table.further["ura_index"][0] == 15.0
    delays = {name: float(values[0]) for name, values in table.group_delay_s.items()}
    assert {n: d for n, d in delays.items() if np.isfinite(d)} == {
        "TGD_S_L5": -3.608874976635e-09,
        "ISC_L1P_S": 6.984919309616e-09,
        "ISC_L1D_S": 5.995389074087e-09,
    }


def test_glonass_l1oc_and_l3oc(printed: NavigationMessages) -> None:
    table, numbers = printed.state_vectors, numbers_of("R26 L1OC")
    assert list(table.message) == ["L1OC", "L3OC"]
    assert str(table.epoch.to(TimeScale.UTC).datetime64()[0])[:19] == "2024-02-03T00:15:00"
    assert table.clock_bias_s[0] == -1.605716170161e-05
    assert table.clock_drift_s_per_s[0] == 1.652011860642e-12
    np.testing.assert_array_equal(table.position_ecef_m[0], [numbers[i] * 1e3 for i in (3, 7, 11)])
    np.testing.assert_array_equal(table.velocity_ecef_m_per_s[0], [numbers[i] * 1e3 for i in (4, 8, 12)])
    np.testing.assert_array_equal(table.acceleration_ecef_m_per_s2[0], [numbers[i] * 1e3 for i in (5, 9, 13)])
    assert (table.health[0], table.issue_of_data[0]) == (1.0, 0.75)
    further: Mapping[str, np.ndarray] = table.further
    expected = {
        "clock_drift_rate_s_per_s2": -2.081668171172e-17, "data_validity": 1.0, "TGD_L2OCP": 0.0,
        "satellite_type": 2.0, "source_flags": 10.0, "age_of_clock_days": 0.75, "attitude_flag": 0.0,
        "orbit_accuracy_index": 15.0, "clock_accuracy_index": 5.0, "transmission_s_of_week": 518400.0,
    }  # fmt: skip
    for name, value in expected.items():
        assert further[name][0] == value, name
    assert np.isnan(further["ISC_L3OCP"][1])
    assert np.isnan(table.frequency_channel).all()


def test_an_orbit_of_a_glonass_civil_message(printed: NavigationMessages) -> None:
    """The satellite's distance from the earth's centre and its speed are those of a GLONASS orbit."""
    at = Epochs(printed.state_vectors.epoch.tai_ns[:1] + np.array([0, 600_000_000_000]))
    states = broadcast_states(printed, at, satellites=["R26"], only_healthy=False)
    assert states.position_ecef_m[0, 0] == pytest.approx(printed.state_vectors.position_ecef_m[0])
    radius_m = np.linalg.norm(states.position_ecef_m[:, 0], axis=1)
    assert radius_m == pytest.approx(25.5e6, rel=3e-3)  # 25,510 km (GLONASS ICD 5.1, section 3.2)
    bias, drift, rate = -1.605716170161e-05, 1.652011860642e-12, -2.081668171172e-17
    assert states.clock_s[1, 0] == pytest.approx(bias + drift * 600 + rate * 600**2, rel=1e-15)


def test_time_offsets_name_their_utc(printed: NavigationMessages) -> None:
    offsets = {(o.source, o.kind, o.utc): o for o in printed.time_offsets}
    assert len(offsets) == 8
    glonass = offsets["R26", "GLUT", "UTC(SU)"]
    assert glonass.message == "LXOC"
    assert (glonass.offset_s, glonass.drift_s_per_s) == (-8.335337042809e-08, -4.618527782441e-14)
    assert glonass.transmission_s_of_week == 518400.0
    assert offsets["C46", "BDGL", ""].drift_rate_s_per_s2 == -2.168404344971e-19
    assert ("I02", "IRUT", "UTCIRN") in offsets


def test_earth_orientation_keeps_rates_and_transmission(printed: NavigationMessages) -> None:
    (navic,) = [e for e in printed.earth_orientation if e.source == "I10"]
    assert navic.pole_y_rate_rad_per_day == pytest.approx(-3.657341003418e-04 * ARC_SECOND_RAD, rel=1e-15)
    assert navic.ut1_minus_utc_rate_s_per_day == 3.758668899536e-04
    assert navic.transmission_s_of_week == 519426.0
    assert {e.message for e in printed.earth_orientation} == {"CNVX", "L1NV", "LXOC"}


def test_ionosphere_of_every_kind(printed: NavigationMessages) -> None:
    models = {(i.source, i.subtype): i for i in printed.ionosphere}
    klobuchar, quick = models["I10", "KLOB"], models["I10", "NEQN"]
    assert (klobuchar.model, klobuchar.issue_of_data) == ("KLOBUCHAR", 1)
    assert klobuchar.coefficients[:2] == (5.867332220078e-08, 2.533197402954e-07)
    assert klobuchar.coefficients[-1] == 8.323072e06
    assert klobuchar.limits_deg == (50.0, 110.0, 0.0, 50.0)
    assert (quick.model, quick.issue_of_data) == ("NEQUICK_N", 0)
    assert quick.coefficients[4:8] == (208.5, -0.30859375, -0.00341796875, 1.0)
    assert quick.limits_deg[4:8] == (30.0, 130.0, -5.0, 30.0)
    glonass = models["R22", ""]
    assert (glonass.model, glonass.coefficients) == ("GLONASS", (1.0, 141.0, 5.0))
    assert models["E13", ""].disturbance_flags == 0


def test_the_region_of_a_qzss_ionosphere(tmp_path: Path) -> None:
    """A number behind the last coefficient until RINEX 4.01, a word of the title since 4.02."""
    text = EXAMPLES.read_text()
    body = text.split("> ION G14 CNVX\n")[1].split("> ")[0].rstrip("\n")
    path = tmp_path / "a.rnx"
    path.write_text(
        text
        + f"> ION J02 CNVX\n{body} 1.000000000000e+00\n"
        + f"> ION J02 CNVX JAPN\n{body}\n> ION J02 CNVX WIDE\n{body}\n"
    )
    of_qzss = [i for i in read_navigation(path, strict=True).ionosphere if i.source == "J02"]
    assert [(i.region, i.subtype, i.message) for i in of_qzss] == [
        (1, "", "CNVX"),
        (1, "JAPN", "CNVX"),
        (0, "WIDE", "CNVX"),
    ]
