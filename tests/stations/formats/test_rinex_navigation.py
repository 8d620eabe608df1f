"""Navigation messages: values as printed in the files, kinds and counts by a plain scan, damage, speed."""

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stations.formats.compression import read_bytes
from stations.formats.registry import recognise
from stations.formats.rinex_navigation import read_navigation
from stations.formats.rinex_navigation_times import reading_near, second_of_week_ns
from transforms.errors import FormatError, InputError
from transforms.time_scales import TimeScale

LENGTHS = {"G": 8, "E": 8, "C": 8, "J": 8, "I": 8, "R": 4, "S": 4}


@pytest.fixture(scope="module")
def day(real_data):
    return read_navigation(real_data / "nist_2023001" / "BRDC00IGS_R_20230010000_01D_MN.rnx.gz")


@pytest.fixture(scope="module")
def day_4(real_data):
    return read_navigation(real_data / "parsers" / "nav-solutions" / "BRD400DLR_S_20230710000_01D_MN.rnx.gz")


def kinds(messages):
    both = [*zip(messages.kepler.satellite, messages.kepler.message, strict=True)]
    both += zip(messages.state_vectors.satellite, messages.state_vectors.message, strict=True)
    return Counter(f"{s[0]} {m}" for s, m in both)


def printed(text):
    return float(text.replace("D", "e").replace("d", "e"))


@pytest.mark.real_data
def test_every_message_of_a_day_is_there(day, real_data):
    text = read_bytes(real_data / "nist_2023001" / "BRDC00IGS_R_20230010000_01D_MN.rnx.gz")[0].decode()
    expected = Counter(re.findall(r"(?m)^([GRECJSI])\d\d \d{4} ", text.split("END OF HEADER")[1]))
    found = Counter()
    for kind, count in kinds(day).items():
        found[kind[0]] += count
    found["repeated"] = day.rejections.get("navigation message that was given already", 0)
    assert found.total() == expected.total()
    assert day.damage == ()
    assert day.leap_seconds == 18


@pytest.mark.real_data
def test_every_number_of_a_message_is_the_one_printed(day, real_data):
    """The fields of C23 and E01 in the order of the file, beside the file's own text."""
    text = read_bytes(real_data / "nist_2023001" / "BRDC00IGS_R_20230010000_01D_MN.rnx.gz")[0].decode()
    kepler = day.kepler
    for satellite, first, delays in (("C23", "TGD1", "TGD2"), ("E01", "BGD_E5A_E1", "BGD_E5B_E1")):
        body = next(iter(re.finditer(rf"(?m)^{satellite} .*\n(?:    .*\n){{7}}", text)))[0]
        numbers = [printed(n) for n in re.findall(r"[+-]?\d\.\d+[DEde][+-]\d\d", body)]
        reading = "-".join(body[4:14].split()) + "T" + ":".join(body[15:23].split())
        scale = TimeScale.BDT if satellite[0] == "C" else TimeScale.GST
        rows = np.flatnonzero(kepler.satellite == satellite)
        at = kepler.time_of_clock.to(scale).datetime64()[rows] == np.datetime64(reading)
        (row,) = [
            r for r in rows[at] if kepler.transmission_s_of_week[r] == numbers[-1 - (satellite[0] == "C")]
        ][:1]
        expected = {
            "clock_bias_s": 0, "clock_drift_s_per_s": 1, "clock_drift_rate_s_per_s2": 2,
            "issue_of_data": 3, "radius_sine_m": 4, "mean_motion_difference_rad_per_s": 5,
            "mean_anomaly_rad": 6,
            "latitude_cosine_rad": 7, "eccentricity": 8, "latitude_sine_rad": 9,
            "inclination_cosine_rad": 12, "ascending_node_rad": 13, "inclination_sine_rad": 14,
            "inclination_rad": 15, "radius_cosine_m": 16, "argument_of_perigee_rad": 17,
            "ascending_node_rate_rad_per_s": 18, "inclination_rate_rad_per_s": 19,
        }  # fmt: skip
        for name, place in expected.items():
            assert getattr(kepler, name)[row] == numbers[place], (satellite, name)
        assert kepler.semi_major_axis_m[row] == numbers[10] ** 2
        toe = kepler.time_of_ephemeris.to(scale).datetime64()[row].astype("datetime64[ns]").astype(np.int64)
        assert second_of_week_ns(toe) == numbers[11] * 1e9
        assert kepler.group_delay_s[first][row] in numbers[20:]
        assert kepler.group_delay_s[delays][row] in numbers[20:]


@pytest.mark.real_data
def test_glonass_is_in_metres_and_utc(day, real_data):
    text = read_bytes(real_data / "nist_2023001" / "BRDC00IGS_R_20230010000_01D_MN.rnx.gz")[0].decode()
    body = next(iter(re.finditer(r"(?m)^R05 2023 01 01 .*\n(?:    .*\n){3}", text)))[0]
    numbers = [printed(n) for n in re.findall(r"[+-]?\d\.\d+[DEde][+-]\d\d", body)]
    table = day.state_vectors
    reading = np.datetime64("2023-01-01T" + ":".join(body[15:23].split()))
    (row,) = np.flatnonzero(
        (table.satellite == "R05") & (table.epoch.to(TimeScale.UTC).datetime64() == reading)
    )[:1]
    assert table.clock_bias_s[row] == numbers[0]
    np.testing.assert_array_equal(table.position_ecef_m[row], [numbers[i] * 1000.0 for i in (3, 7, 11)])
    np.testing.assert_array_equal(table.velocity_ecef_m_per_s[row], [numbers[i] * 1000.0 for i in (4, 8, 12)])
    assert table.frequency_channel[row] == numbers[10]


@pytest.mark.real_data
def test_rinex_4_tells_every_kind_of_message(day_4, real_data):
    text = read_bytes(real_data / "parsers" / "nav-solutions" / "BRD400DLR_S_20230710000_01D_MN.rnx.gz")[
        0
    ].decode()
    titles = Counter(re.findall(r"(?m)^> (\w+) (\w)\d* +(\w+)", text))
    expected = {f"{s} {m}": n for (kind, s, m), n in titles.items() if kind == "EPH"}
    assert day_4.rejections == {}
    assert kinds(day_4) == expected
    assert {"G CNAV", "J CNV2", "C CNV1", "C CNV2", "I LNAV"} < set(expected)
    for kind, records in (
        ("STO", day_4.time_offsets),
        ("EOP", day_4.earth_orientation),
        ("ION", day_4.ionosphere),
    ):
        assert len(records) <= sum(n for (k, _, _), n in titles.items() if k == kind)
        assert len(records) >= len(set(re.findall(rf"(?m)^> {kind} .*\n(?:    .*\n)+", text)))
    assert {i.model for i in day_4.ionosphere} == {"KLOBUCHAR", "NEQUICK", "BDGIM"}
    offset = day_4.time_offsets[0]
    assert (offset.kind, offset.source, offset.message) == ("BDGA", "C21", "CNVX")
    assert offset.offset_s == -2.502929419279e-08
    first = day_4.earth_orientation[0]
    # "> EOP G27 CNVX": pole in arc seconds, UT1 - UTC in seconds.
    assert first.source == "G27"
    assert np.rad2deg(first.pole_x_rad) * 3600 == pytest.approx(-4.024982452393e-02, rel=1e-12)
    assert np.rad2deg(first.pole_y_rad) * 3600 == pytest.approx(3.562908172607e-01, rel=1e-12)
    assert first.ut1_minus_utc_s == -1.940387487411e-02


@pytest.mark.real_data
def test_civil_messages_have_their_own_fields(day_4):
    kepler = day_4.kepler
    (row,) = np.flatnonzero((kepler.satellite == "C19") & (kepler.message == "CNV1"))[:1]
    # "> EPH C19 CNV1" of 2023-03-12 00:00:00.
    assert kepler.semi_major_axis_rate_m_per_s[row] == -2.287387847900e-03
    assert kepler.mean_motion_difference_rate_rad_per_s2[row] == 3.232818114092e-14
    assert kepler.group_delay_s["ISC_B1CD"][row] == -8.731149137020e-10
    assert kepler.group_delay_s["TGD_B2AP"][row] == -5.820766091347e-09
    assert np.isnan(kepler.accuracy_m[row])
    assert kepler.further["sisai_ocb_index"][row] == -4.0
    (row,) = np.flatnonzero((kepler.satellite == "G01") & (kepler.message == "CNAV"))[:1]
    assert kepler.health[row] == 1.0
    assert kepler.further["ura_ned2_index"][row] == 7.0
    assert kepler.time_of_ephemeris.tai_ns[row] == kepler.time_of_clock.tai_ns[row]


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "version", "expected"),
    [
        ("georinex/brdc2800.15n.gz", "2.00", {"G LNAV": 420}),
        ("georinex/p1462100.18g.gz", "2.11", {"R FDMA": 154}),
        ("georinex/ceda2100.18e.gz", "2.12", {"E FNAV": 8, "E INAV": 21}),
        ("georinex/demo3.10n", "3.01", {"S SBAS": 2}),
        ("georinex/qzss_nav3.14n", "3.03", {"J LNAV": 1}),
        ("gnsstk/test_input_rinex3_nav_BeiDou.14n", "3.04", {"C D2": 1}),
        ("nav-solutions/ijmu3650.21n.gz", "2.11", {"G LNAV": 244}),
        ("midgard/rinex2_nav.19n.gz", "2.10", {"G LNAV": 4}),
        ("sidereon/BRD400DLR_S_20261800000_01H_MN_trim.rnx.gz", "4.02",
         {"G LNAV": 2, "G CNAV": 2, "C CNV2": 1, "J LNAV": 1, "J CNAV": 1, "J CNV2": 1}),
    ],
)  # fmt: skip
def test_all_versions_are_read(real_data, name, version, expected):
    messages = read_navigation(real_data / "parsers" / name)
    assert messages.rinex_version == version
    assert kinds(messages) == expected
    assert messages.rejections == {}


@pytest.mark.real_data
def test_impossible_orbits_and_broken_numbers_are_named(real_data):
    """Four messages of C16 have axes of 1,300 to 4,000 km; a number of E12 has a blank in it."""
    elko = read_navigation(real_data / "parsers" / "georinex" / "ELKO00USA_R_20182100000_01D_MN.rnx.gz")
    (damage,) = elko.damage
    assert damage.lines == (14675, 14683, 14715, 14747)
    path = real_data / "parsers" / "georinex" / "galileo3.15n"
    (damage,) = read_navigation(path).damage
    assert damage.lines == (23,)
    with pytest.raises(FormatError, match=r"galileo3\.15n, line 23: damaged: 1 x unreadable or incomplete"):
        read_navigation(path, strict=True)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("georinex/blank.10n", FormatError, "no navigation message could be read"),
        ("georinex/blank1st.10n", FormatError, "line 1: expected 'RINEX VERSION / TYPE'"),
        ("gnsstk/test_input_rinex3_nav_UnsupportedRinex.15n", FormatError, "line 1: RINEX version '3.33'"),
        ("gnsstk/test_input_rinex3_nav_NotaNavFile.15n", FormatError, "expected a navigation file"),
        (
            "gnsstk/test_input_rinex3_clock_NotAClockFile.96c",
            FormatError,
            "expected a navigation file, found 'NOT",
        ),
        ("gnsstk/test_input_rinex3_nav_IncompleteHeader.15n", InputError, "no ephemeris"),
        ("georinex/demo.10o.gz", FormatError, "expected a navigation file"),
    ],
)
def test_what_is_no_navigation_file_says_so(real_data, name, error, words):
    with pytest.raises(error, match=words):
        read_navigation(real_data / "parsers" / name)


@pytest.mark.parametrize(
    ("words", "is_navigation"),
    [
        ("N: GNSS NAV DATA", True),
        ("NAVIGATION DATA", True),
        ("N", True),
        ("N:", True),
        ("NOT CLOCK DATA", False),
        ("N: NOTHING", False),
    ],
)
def test_a_letter_alone_does_not_make_words_navigation(tmp_path, words, is_navigation):
    path = tmp_path / "a.rnx"
    path.write_text(rinex_3(message()).replace("N: GNSS NAV DATA", f"{words:16s}"))
    if is_navigation:
        assert recognise(path).name == "rinex-navigation"
        assert len(read_navigation(path).kepler) == 1
        return
    for read in (recognise, read_navigation):
        with pytest.raises(FormatError, match=f"line 1: .*{words}"):
            read(path)


@pytest.mark.real_data
def test_files_are_joined_and_messages_taken_once(real_data):
    path = real_data / "parsers" / "georinex" / "brdc2420.18n.gz"
    twice = read_navigation([path, path])
    assert kinds(twice) == {"G LNAV": 44}
    assert twice.rejections == {"navigation message that was given already": 44}
    with pytest.raises(InputError, match="no ephemeris of the systems C"):
        read_navigation(path, systems="C")
    with pytest.raises(InputError, match="no navigation file was given"):
        read_navigation([])


@given(st.integers(0, 4000), st.integers(0, 604_799), st.integers(-302_399, 302_399))
def test_weeks_roll_over_anywhere(week, second, apart):
    """A reference time less than half a week from the clock's is found again from its second of the week."""
    sunday = np.datetime64("1980-01-06", "ns").astype(np.int64)
    epoch = sunday + (week * 604_800 + second) * 10**9
    wanted = epoch + apart * 10**9
    of_week = np.array([second_of_week_ns(np.array(wanted)) / 1e9])
    assert reading_near(np.array([epoch]), of_week)[0] == wanted


def rinex_3(*bodies):
    head = (
        f"{'     3.04':<20s}{'N: GNSS NAV DATA':<20s}{'M':<20s}RINEX VERSION / TYPE\n{'':<60s}END OF HEADER\n"
    )
    return head + "".join(bodies)


def message(name="G01", root=5153.6, toe=597600.0, when="2023 01 01 00 00 00"):
    numbers = [1e-4, 1e-12, 0.0, 7.0, 10.0, 4e-9, 1.0, 1e-6, 0.01, 2e-6, root, toe, 1e-8, 1.0, 1e-8]
    numbers += [0.96, 200.0, 0.5, -8e-9, 1e-10, 1.0, 2243.0, 0.0, 2.0, 0.0, 1e-9, 7.0, 590000.0, 4.0]
    lines = [f"{name} {when}" + "".join(f"{n:19.12e}" for n in numbers[:3])]
    lines += ["    " + "".join(f"{n:19.12e}" for n in numbers[k : k + 4]) for k in range(3, len(numbers), 4)]
    return "\n".join(lines) + "\n"


def test_an_ephemeris_of_the_week_before_its_clock(tmp_path):
    """Saturday's last two-hourly ephemeris beside a clock of Sunday 0 h: the roll-over of the week."""
    path = tmp_path / "a.rnx"
    path.write_text(rinex_3(message()))
    kepler = read_navigation(path).kepler
    assert str(kepler.time_of_clock.datetime64()[0])[:19] == "2023-01-01T00:00:00"
    assert str(kepler.time_of_ephemeris.datetime64()[0])[:19] == "2022-12-31T22:00:00"


def test_messages_that_lack_lines_are_left_out(tmp_path):
    path = tmp_path / "a.rnx"
    cut = "\n".join(message("G02").splitlines()[:5]) + "\n"
    path.write_text(rinex_3(message(), cut, message("G03"), message("G04", root=0.0), message("X05")))
    messages = read_navigation(path)
    assert messages.satellites == ("G01", "G03")
    (damage,) = messages.damage
    assert (damage.count, damage.lines) == (3, (11, 24, 32))
    path.write_text(rinex_3("    stray\n", message()))
    assert [d.reason for d in read_navigation(path).damage] == ["line outside any message"]


def test_kinds_of_messages_without_a_table_are_counted(tmp_path):
    path = tmp_path / "a.rnx"
    head = rinex_3().replace("3.04", "4.02")
    path.write_text(head + "> EPH I02 CNV9\n" + message("I02") + "> EPH G01 LNAV\n" + message())
    messages = read_navigation(path)
    assert messages.rejections == {"navigation message I CNV9, of which no table is known": 1}
    assert messages.satellites == ("G01",)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 1600), st.binary(min_size=0, max_size=60), st.sampled_from(["2.11", "3.04", "4.02"]))
def test_no_damage_ends_in_anything_but_a_clear_error(tmp_path, position, noise, version):
    text = rinex_3(message(), message("E05"), message("C23")).replace("3.04", version)
    if version == "4.02":
        text = text.replace("G01 2", "> EPH G01 LNAV\nG01 2").replace("E05 2", "> ION E05 IFNV\nE05 2")
    data = text.encode()
    path = tmp_path / "noisy.rnx"
    path.write_bytes(data[:position] + noise + data[position + len(noise) :])
    try:
        messages = read_navigation(path)
    except (FormatError, InputError):
        return
    assert np.isfinite(messages.kepler.clock_bias_s).all()
    assert np.isfinite(messages.state_vectors.position_ecef_m).all()
