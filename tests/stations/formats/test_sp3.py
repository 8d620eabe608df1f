"""SP3: real files against awk, every version, missing records, other time systems, broken files."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stations.formats.orbit_joining import join_orbits
from stations.formats.sp3 import read_sp3, write_sp3
from stations.records import SatelliteOrbits
from transforms.errors import FormatError, InputError
from transforms.time_scales import Epochs, TimeScale

MILLIMETRE_PRINTED_M = 1e-9  # positions are printed to 1 mm: the same double up to rounding
PICOSECOND_PRINTED_S = 1e-15  # clocks are printed to 1 ps


WITHOUT_END = "no EOF at the end, and all 3 epochs that the first line announces are there"


def some_orbits(position_m, clock_s, satellites, manoeuvre=None, start="2024-02-04"):
    n = len(position_m)
    epochs = Epochs.from_datetime64(np.datetime64(start, "ns") + np.arange(n) * np.timedelta64(300, "s"))
    flags = np.zeros(clock_s.shape, dtype=bool) if manoeuvre is None else manoeuvre
    return SatelliteOrbits(epochs, tuple(satellites), position_m, clock_s, flags, "IGS20", "WUM")


@pytest.mark.real_data
def test_wuhan_day_is_what_awk_finds(real_data, station_format_values):
    expected = station_format_values["wum_orbits"]
    orbits = read_sp3(real_data / expected["file"])
    assert orbits.position_ecef_m.shape == (expected["epochs"], expected["satellites"], 3)
    assert np.isfinite(orbits.position_ecef_m[..., 0]).sum() == expected["position_records"]
    noon = int(np.flatnonzero(orbits.epochs.datetime64() == np.datetime64("2023-01-01T12:00"))[0])
    c19 = orbits.satellites.index("C19")
    np.testing.assert_allclose(
        orbits.position_ecef_m[noon, c19],
        np.array(expected["c19_noon_km"]) * 1e3,
        rtol=0,
        atol=MILLIMETRE_PRINTED_M * 1e3,
    )
    assert orbits.clock_s[noon, c19] == pytest.approx(
        expected["c19_noon_clock_us"] * 1e-6, abs=PICOSECOND_PRINTED_S
    )
    assert (orbits.frame, orbits.centre) == ("IGS20", "WUM")


@pytest.mark.real_data
def test_clocks_of_999999_are_missing(real_data, station_format_values):
    expected = station_format_values["igs_orbits_with_missing_clocks"]
    orbits = read_sp3(real_data / expected["file"])
    assert np.isnan(orbits.clock_s).sum() == expected["missing_clocks"]


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "shape", "first"),
    [
        ("gnsstk/test_input_SP3a.sp3.gz", (4, 29), "2001-07-22T00:00:00"),
        ("gnsstk/test_input_SP3b.sp3.gz", (4, 29), "2001-07-22T00:00:00"),
        ("gnsstk/test_input_SP3c.sp3.gz", (25, 30), "2011-10-09T00:00:00"),
        ("gnsstk/test_input_SP3d.sp3.gz", (2, 101), "2011-10-09T00:00:00"),
        ("nav-solutions/sio06492.sp3.gz", (148, 17), "1992-06-15T08:37:29"),
        ("georinex/igs19362.sp3c.gz", (96, 32), "2017-02-14T00:00:00"),
    ],
)
def test_every_version_is_read(real_data, name, shape, first):
    orbits = read_sp3(real_data / "parsers" / name)
    assert orbits.clock_s.shape == shape
    assert orbits.epochs[0].iso() == first


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("georinex/header.sp3", "no epoch"),
        ("georinex/truncated.sp3", "cut off"),
        ("georinex/example1.sp3a", "cut off: no EOF, 3 epochs of 96"),
        ("sidereon/degenerate_coincident_5sat.sp3", "line 11: no calendar reading"),
        ("georinex/demo.10o.gz", "line 1: expected an SP3 header"),
    ],
)
def test_broken_files_say_where(real_data, name, words):
    with pytest.raises(FormatError, match=words):
        read_sp3(real_data / "parsers" / name)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(-46_000_000_000, 46_000_000_000), st.integers(-999_998_000_000, 999_998_000_000)
        ),
        min_size=6,
        max_size=6,
    ),
    st.integers(0, 5),
)
def test_what_is_written_is_read_again(tmp_path_factory, numbers, absent):
    """Millimetres and picoseconds survive; what is absent stays absent and shifts nothing."""
    position = np.array([[n + 1, -n, n // 3 + 7] for n, _ in numbers]).reshape(3, 2, 3) / 1e3
    clock = np.array([c for _, c in numbers]).reshape(3, 2) / 1e12
    position.reshape(6, 3)[absent] = np.nan
    clock.reshape(6)[absent] = np.nan
    manoeuvre = np.zeros((3, 2), dtype=bool)
    manoeuvre.reshape(6)[5 - absent] = True
    orbits = some_orbits(position, clock, ("C23", "G01"), manoeuvre)
    path = tmp_path_factory.mktemp("sp3") / "orbits.sp3.gz"
    write_sp3(orbits, path)
    again = read_sp3(path)
    np.testing.assert_allclose(again.position_ecef_m, position, rtol=0, atol=1e-7)
    np.testing.assert_allclose(again.clock_s, clock, rtol=0, atol=PICOSECOND_PRINTED_S)
    np.testing.assert_array_equal(again.manoeuvre, manoeuvre)
    np.testing.assert_array_equal(again.epochs.tai_ns, orbits.epochs.tai_ns)
    stored = path.read_bytes()
    write_sp3(again, path)
    assert path.read_bytes() == stored


@pytest.fixture
def small_file(tmp_path):
    rng = np.random.default_rng(7)
    orbits = some_orbits(
        rng.uniform(-3e7, 3e7, (3, 4, 3)), rng.uniform(-1e-4, 1e-4, (3, 4)), ("C23", "E05", "G01", "G02")
    )
    path = tmp_path / "small.sp3"
    write_sp3(orbits, path)
    return orbits, path


def test_a_missing_record_shifts_no_other_satellite(small_file):
    """georinex shifts all later satellites by 19,000 to 52,000 km here."""
    orbits, path = small_file
    lines = path.read_text().splitlines()
    second = [n for n, line in enumerate(lines) if line.startswith("PE05")][1]
    path.write_text("\n".join(lines[:second] + lines[second + 1 :]) + "\n")
    again = read_sp3(path)
    assert np.isnan(again.position_ecef_m[1, 1]).all()
    kept = np.ones((3, 4), dtype=bool)
    kept[1, 1] = False
    np.testing.assert_allclose(again.position_ecef_m[kept], orbits.position_ecef_m[kept], atol=1e-3)


@pytest.mark.parametrize(
    ("name", "scale"),
    [
        ("GPS", TimeScale.GPST),
        ("BDT", TimeScale.BDT),
        ("UTC", TimeScale.UTC),
        ("GAL", TimeScale.GST),
        ("TAI", TimeScale.TAI),
    ],
)
def test_other_time_systems_become_gpst(small_file, name, scale):
    orbits, path = small_file
    text = path.read_text()
    path.write_text(text.replace("cc GPS ccc", f"cc {name} ccc", 1))
    again = read_sp3(path)
    readings = orbits.epochs.datetime64()
    np.testing.assert_array_equal(again.epochs.tai_ns, Epochs.from_datetime64(readings, scale).tai_ns)
    assert again.epochs.scale is TimeScale.GPST


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("cc GPS ccc", "cc XYZ ccc", "unknown time system 'XYZ'"),
        ("PE05", "PX05", "no satellite in columns 2-4"),
        ("PE05", "PG01", "given already"),
        ("EOF\n", "", ""),
        ("*  2024  2  4  0  5", "*  2024  2 34  0  5", "no calendar reading"),
        ("*  2024  2  4  0  5", "*  2024  2  4  0  0", "not later than the one before"),
        ("#dP", "%%%", "expected an SP3 header"),
    ],
)
def test_defects_are_named_with_their_line(small_file, old, new, words):
    orbits, path = small_file
    path.write_text(path.read_text().replace(old, new, 1))
    if not words:  # without EOF, but all epochs there: early products look so, and the record says it
        again = read_sp3(path)
        assert again.satellites == orbits.satellites
        assert again.remarks == (WITHOUT_END,)
        assert join_orbits([again, read_sp3(path)]).remarks == (WITHOUT_END,)
        return
    with pytest.raises(FormatError, match=words):
        read_sp3(path)


def test_absurd_and_unreadable_positions_are_refused(small_file):
    _, path = small_file
    lines = path.read_text().splitlines()
    row = next(n for n, line in enumerate(lines) if line.startswith("PG01"))
    for text, words in ((f"{9e6:14.6f}", "no orbit reaches that far"), (f"{'*' * 14}", "no number")):
        broken = list(lines)
        broken[row] = lines[row][:4] + text + lines[row][18:]
        path.write_text("\n".join(broken) + "\n")
        with pytest.raises(FormatError, match=words) as caught:
            read_sp3(path)
        assert caught.value.line == row + 1


def test_a_file_cut_anywhere_is_refused_or_whole(small_file):
    """Whatever byte the download stopped at, no epoch comes back with fewer satellites than before."""
    orbits, path = small_file
    data = path.read_bytes()
    for stop in range(60, len(data) - 1, 97):
        path.write_bytes(data[:stop])
        try:
            again = read_sp3(path)
        except FormatError:
            continue
        np.testing.assert_allclose(again.position_ecef_m, orbits.position_ecef_m, atol=1e-3)


def test_days_are_joined_and_the_first_given_prevails():
    one = some_orbits(np.full((3, 1, 3), 1.0e7), np.full((3, 1), 1e-6), ("G01",))
    two = some_orbits(
        np.full((3, 2, 3), 2.0e7), np.full((3, 2), 2e-6), ("E05", "G01"), start="2024-02-04T00:10"
    )
    both = join_orbits([one, two])
    assert both.satellites == ("E05", "G01")
    assert len(both.epochs) == 5
    np.testing.assert_array_equal(both.position_ecef_m[:, 1, 0], [1e7, 1e7, 1e7, 2e7, 2e7])
    # The shared epoch is the first table's as a whole: E05, which it lacks, is not filled in.
    assert np.isnan(both.clock_s[2, 0])
    assert both.clock_s[3, 0] == 2e-6


def test_orbits_of_two_centres_or_frames_are_not_joined():
    one = some_orbits(np.ones((1, 1, 3)), np.ones((1, 1)), ("G01",))
    other = SatelliteOrbits(**{**one.__dict__, "centre": "GRG"})
    with pytest.raises(InputError, match="GRG, WUM"):
        join_orbits([one, other])
    other = SatelliteOrbits(**{**one.__dict__, "frame": "IGS14"})
    with pytest.raises(InputError, match="IGS14, IGS20"):
        join_orbits([one, other])


@pytest.mark.real_data
def test_velocities_sigmas_and_flags_of_nga(real_data):
    """PG01 4248.687713 14626.937122 -21770.627524 9.918888 25 22 21 260 P P, and its V record."""
    orbits = read_sp3(real_data / "parsers" / "gnsstk" / "test_input_SP3c.sp3.gz")
    g01 = orbits.satellites.index("G01")
    np.testing.assert_allclose(
        orbits.velocity_ecef_m_per_s[0, g01], [-2680.6433935, 663.6216670, -77.2718566], rtol=0, atol=1e-9
    )
    assert orbits.clock_rate_s_per_s[0, g01] == pytest.approx(0.348747e-10, rel=1e-12)
    np.testing.assert_allclose(
        orbits.position_sigma_m[0, g01], 1e-3 * 1.25 ** np.array([25.0, 22.0, 21.0]), rtol=1e-12
    )
    assert orbits.clock_sigma_s[0, g01] == pytest.approx(1e-12 * 1.025**260, rel=1e-12)
    assert orbits.orbit_predicted[0, g01]
    assert orbits.clock_predicted[0, g01]
    assert not orbits.clock_event.any()
    assert orbits.accuracy_m["G01"] == 0.512  # 2 ** 9 mm


@pytest.mark.real_data
def test_velocities_of_version_a(real_data):
    """P  1 and V  1 of NIMA: -19484.465925 ... and 19430.725479 -10588.099171 18880.428192 .014175."""
    orbits = read_sp3(real_data / "parsers" / "gnsstk" / "test_input_SP3ae.sp3.gz")
    np.testing.assert_allclose(
        orbits.velocity_ecef_m_per_s[0, 0], [1943.0725479, -1058.8099171, 1888.0428192], rtol=0, atol=1e-9
    )
    assert orbits.clock_rate_s_per_s[0, 0] == pytest.approx(0.014175e-10, rel=1e-12)
    assert orbits.position_sigma_m is None
    assert orbits.orbit_predicted is None


def orbits_with_all():
    rng = np.random.default_rng(11)
    orbits = some_orbits(rng.uniform(-3e7, 3e7, (3, 2, 3)), rng.uniform(-1e-4, 1e-4, (3, 2)), ("C23", "G01"))
    flags = rng.integers(0, 2, (3, 2)).astype(bool)
    return dataclasses.replace(
        orbits,
        velocity_ecef_m_per_s=rng.uniform(-3e3, 3e3, (3, 2, 3)),
        clock_rate_s_per_s=rng.uniform(-1e-11, 1e-11, (3, 2)),
        position_sigma_m=1e-3 * 1.25 ** rng.integers(0, 40, (3, 2, 3)),
        clock_sigma_s=1e-12 * 1.025 ** rng.integers(1, 400, (3, 2)),
        orbit_predicted=flags,
        clock_predicted=~flags,
        clock_event=flags[::-1],
        accuracy_m={"C23": 0.016, "G01": 0.004},
    )


def test_velocities_sigmas_flags_and_accuracies_survive_writing(tmp_path):
    orbits = orbits_with_all()
    write_sp3(orbits, tmp_path / "all.sp3")
    again = read_sp3(tmp_path / "all.sp3")
    np.testing.assert_allclose(again.velocity_ecef_m_per_s, orbits.velocity_ecef_m_per_s, rtol=0, atol=1e-7)
    np.testing.assert_allclose(again.clock_rate_s_per_s, orbits.clock_rate_s_per_s, rtol=0, atol=1e-16)
    np.testing.assert_allclose(again.position_sigma_m, orbits.position_sigma_m, rtol=1e-9)
    np.testing.assert_allclose(again.clock_sigma_s, orbits.clock_sigma_s, rtol=1e-9)
    for name in ("orbit_predicted", "clock_predicted", "clock_event"):
        np.testing.assert_array_equal(getattr(again, name), getattr(orbits, name))
    assert again.accuracy_m == orbits.accuracy_m
    stored = (tmp_path / "all.sp3").read_bytes()
    write_sp3(again, tmp_path / "all.sp3")
    assert (tmp_path / "all.sp3").read_bytes() == stored


def test_joined_days_keep_velocities_and_the_worse_accuracy():
    one = orbits_with_all()
    later = dataclasses.replace(one, epochs=one.epochs.plus_seconds(86_400.0), accuracy_m={"G01": 0.032})
    bare = some_orbits(np.ones((1, 1, 3)), np.ones((1, 1)), ("G01",), start="2024-02-06")
    both = join_orbits([one, later, bare])
    np.testing.assert_array_equal(both.velocity_ecef_m_per_s[3:6], one.velocity_ecef_m_per_s)
    assert np.isnan(both.velocity_ecef_m_per_s[6]).all()
    np.testing.assert_array_equal(both.clock_event[:3], one.clock_event)
    assert both.accuracy_m == {"C23": 0.016, "G01": 0.032}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("VC23", "VE05", "velocity of no satellite with positions"),
        ("VG01", "VC23", "velocity was given already"),
        ("++         4", "++         x", "expected the exponent of an accuracy"),
        ("%f  1.2500000", "%f  1.25x0000", "base of the standard deviations"),
    ],
)
def test_defects_of_velocities_and_sigmas_are_named(tmp_path, old, new, words):
    path = tmp_path / "a.sp3"
    write_sp3(orbits_with_all(), path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(FormatError, match=words):
        read_sp3(path)


@pytest.mark.real_data
def test_a_product_of_1992_without_eof_is_read_with_a_remark(real_data):
    orbits = read_sp3(real_data / "parsers" / "nav-solutions" / "sio06492.sp3.gz")
    assert orbits.remarks == (
        "no EOF at the end, and all 148 epochs that the first line announces are there",
    )
    whole = read_sp3(real_data / "parsers" / "gnsstk" / "test_input_SP3c.sp3.gz")
    assert whole.remarks == ()


def test_without_eof_the_last_velocity_must_be_there(small_file):
    orbits, path = small_file
    moving = dataclasses.replace(orbits, velocity_ecef_m_per_s=np.full((3, 4, 3), 1000.0))
    write_sp3(moving, path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-1]) + "\n")
    assert read_sp3(path).remarks == (WITHOUT_END,)
    path.write_text("\n".join(lines[:-2]) + "\n")
    with pytest.raises(FormatError, match="cut off: no EOF, 3 epochs of 3, 7 records in the last"):
        read_sp3(path)
