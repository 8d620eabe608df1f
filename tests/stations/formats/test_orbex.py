"""ORBEX: the examples of the format's draft, quaternions, writing, broken files, and find_products."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from stations.formats.attitude_joining import join_attitudes
from stations.formats.orbex import body_from_ecef_matrix, read_orbex
from stations.formats.orbex_writing import OrbexFile, write_orbex, write_orbex_attitudes, write_orbex_orbits
from stations.formats.products import find_products
from stations.formats.sp3 import write_sp3
from stations.records import SatelliteAttitudes, SatelliteOrbits
from transforms.errors import FormatError, InputError
from transforms.time_scales import Epochs

DOUBLE_PRINTED = 1e-15  # quaternions are written with 16 decimals

# The example of positions, clocks and attitudes of the draft's appendix ("Narnia AC"), with the values that
# Orekit's tests of its own reader expect.
EXAMPLE = """%=ORBEX  0.09
%%
+FILE/DESCRIPTION
 DESCRIPTION         EXAMPLE GPS + LEO ORBIT
 CREATED_BY          Dr. P. Caspian
 TIME_SYSTEM         GPS
 COORD_SYSTEM        ITR05
 FRAME_TYPE          ECEF
 LIST_OF_REC_TYPES   POS VEL CLK CRT ATT
-FILE/DESCRIPTION
+EPHEMERIS/DATA
## 2002 12 29 00 00  0.000000000000   2
 POS G02    EP  MP   3     4049646.6140    25594715.4960    -5815946.7980
 VEL G02              3        -353.5783         821.0842        2972.7179
 CLK G02              1        -39.2268190
 CRT G02              1          1.5000000
 ATT L06              4  0.9164178227001020  0.3553674926002010  0.1624720204001450 -0.0865746035002370
-EPHEMERIS/DATA
%END_ORBEX
"""


def some_attitudes(seed=3, n=4, satellites=("C23", "E05", "G01"), start="2024-02-04", centre="GRG"):
    rng = np.random.default_rng(seed)
    q = rng.normal(size=(n, len(satellites), 4))
    q /= np.linalg.norm(q, axis=2, keepdims=True)
    epochs = Epochs.from_datetime64(np.datetime64(start, "ns") + np.arange(n) * np.timedelta64(30, "s"))
    return SatelliteAttitudes(epochs, tuple(satellites), q, "IGS20", centre)


def test_the_example_of_the_draft(tmp_path):
    path = tmp_path / "example.obx"
    path.write_text(EXAMPLE)
    orbex = read_orbex(path)
    assert orbex.description["DESCRIPTION"] == "EXAMPLE GPS + LEO ORBIT"
    assert orbex.orbits is not None
    assert orbex.attitudes is not None
    np.testing.assert_array_equal(
        orbex.orbits.position_ecef_m[0, 0], [4049646.6140, 25594715.4960, -5815946.798]
    )
    np.testing.assert_array_equal(orbex.orbits.velocity_ecef_m_per_s[0, 0], [-353.5783, 821.0842, 2972.7179])
    assert orbex.orbits.clock_s[0, 0] == pytest.approx(-39.2268190e-6, abs=1e-15)
    assert orbex.orbits.clock_rate_s_per_s[0, 0] == pytest.approx(1.5e-9, abs=1e-18)
    assert orbex.orbits.manoeuvre[0, 0]
    assert orbex.orbits.frame == "ITR05"
    expected = np.array([0.9164178227001020, 0.3553674926002010, 0.1624720204001450, -0.0865746035002370])
    np.testing.assert_allclose(
        orbex.attitudes.quaternion_body_from_ecef[0, 0],
        expected / np.linalg.norm(expected),
        atol=DOUBLE_PRINTED,
    )


def test_quaternions_turn_as_scipy_does():
    """q T conj(q) is what scipy calls applying the rotation; scipy puts the scalar last."""
    q = some_attitudes(n=20).quaternion_body_from_ecef
    ours = body_from_ecef_matrix(q)
    theirs = Rotation.from_quat(np.roll(q, -1, axis=2).reshape(-1, 4)).as_matrix().reshape(20, 3, 3, 3)
    np.testing.assert_allclose(ours, theirs, atol=1e-14)


def test_nominal_attitude_as_a_quaternion():
    """A satellite over (1, 0, 0): its z axis points to the earth, along -x of the frame."""
    r = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
    x, y, z, w = Rotation.from_matrix(r).as_quat()
    np.testing.assert_allclose(
        body_from_ecef_matrix(np.array([w, x, y, z])) @ [-1.0, 0.0, 0.0], [0, 0, 1], atol=1e-15
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 11))
def test_what_is_written_is_read_again(tmp_path_factory, seed, absent):
    attitudes = some_attitudes(seed)
    attitudes.quaternion_body_from_ecef.reshape(12, 4)[absent] = np.nan
    path = tmp_path_factory.mktemp("obx") / "GRG0MGXFIN_20240350000_01D_30S_ATT.OBX.gz"
    write_orbex_attitudes(attitudes, path)
    again = read_orbex(path).attitudes
    assert again is not None
    np.testing.assert_allclose(
        again.quaternion_body_from_ecef, attitudes.quaternion_body_from_ecef, atol=DOUBLE_PRINTED
    )
    np.testing.assert_array_equal(again.epochs.tai_ns, attitudes.epochs.tai_ns)
    assert (again.satellites, again.frame, again.centre) == (attitudes.satellites, "IGS20", "GRG")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("%=ORBEX  0.09", "%=ORBEX  1.00", "line 1: ORBEX version 1.00"),
        ("%=ORBEX", "%=SNX", "line 1: expected '%=ORBEX"),
        ("FRAME_TYPE          ECEF", "FRAME_TYPE          ECI", "only ECEF"),
        ("TIME_SYSTEM         GPS", "TIME_SYSTEM         XYZ", "unknown time system"),
        ("000000000000   2", "000000000000   7", "line 12: the epoch tells of '7' satellites"),
        (
            " CRT G02              1          1.5",
            " CRT G02              2          1.5",
            "line 16: CRT with 1",
        ),
        (
            " CLK G02              1        -39.2268190",
            " CLK G02              1        -39.2x68190",
            "line 15: no number",
        ),
        (" CLK G02", " XYZ G02", "unknown record type 'XYZ'"),
        (" ATT L06", " ATT Q06", "expected a record of a satellite"),
        ("## 2002 12 29", "## 2002 13 29", "no calendar reading"),
        ("-EPHEMERIS/DATA\n", "", "cut off"),
        ("4049646.6140", "nan", "no number"),
    ],
)
def test_defects_are_named(tmp_path, old, new, words):
    path = tmp_path / "broken.obx"
    assert old in EXAMPLE
    path.write_text(EXAMPLE.replace(old, new, 1))
    with pytest.raises(FormatError, match=words):
        read_orbex(path)


def test_a_quaternion_of_another_length_is_rejected_and_counted(tmp_path):
    path = tmp_path / "long.obx"
    path.write_text(EXAMPLE.replace("0.9164178227001020", "0.9264178227001020"))
    attitudes = read_orbex(path).attitudes
    assert attitudes is not None
    assert attitudes.rejections == {"quaternion not of unit length": 1}
    assert np.isnan(attitudes.quaternion_body_from_ecef).all()


def test_a_file_cut_anywhere_is_refused(tmp_path):
    write_orbex_attitudes(some_attitudes(), tmp_path / "whole.obx")
    data = (tmp_path / "whole.obx").read_bytes()
    path = tmp_path / "cut.obx"
    end = data.index(b"-EPHEMERIS/DATA")
    for stop in range(20, end + 14, 61):
        path.write_bytes(data[:stop])
        with pytest.raises(FormatError):
            read_orbex(path)


def test_days_are_joined():
    one, two = some_attitudes(1), some_attitudes(2, satellites=("G01", "G02"), start="2024-02-04T00:01:00")
    both = join_attitudes([one, two])
    assert both.satellites == ("C23", "E05", "G01", "G02")
    assert len(both.epochs) == 6
    assert np.isnan(both.quaternion_body_from_ecef[2, 3]).all()  # the shared epoch is the first's as a whole
    with pytest.raises(InputError, match="different frames or centres"):
        join_attitudes([one, some_attitudes(2, centre="COD")])


@pytest.fixture
def day_of_orbits(tmp_path):
    rng = np.random.default_rng(0)
    epochs = Epochs.from_datetime64(
        np.datetime64("2024-02-04", "ns") + np.arange(96) * np.timedelta64(900, "s")
    )
    orbits = SatelliteOrbits(
        epochs,
        ("C23", "E05", "G01"),
        rng.uniform(-2e7, 2e7, (96, 3, 3)),
        np.full((96, 3), 1e-5),
        np.zeros((96, 3), dtype=bool),
        "IGS20",
        "GRG",
    )
    write_sp3(orbits, tmp_path / "GRG0MGXFIN_20240350000_01D_15M_ORB.SP3")
    return tmp_path


def find(paths, **options):
    first, last = (Epochs.from_datetime64(t) for t in ("2024-02-04T00:00", "2024-02-04T23:59:30"))
    return find_products(paths, first, last, **options)


def test_find_products_takes_the_centres_own_attitudes(day_of_orbits):
    assert find([day_of_orbits]).attitudes is None
    write_orbex_attitudes(some_attitudes(), day_of_orbits / "GRG0MGXFIN_20240350000_01D_30S_ATT.OBX")
    write_orbex_attitudes(
        some_attitudes(centre="COD"), day_of_orbits / "COD0MGXFIN_20240350000_01D_30S_ATT.OBX"
    )
    products = find([day_of_orbits])
    assert products.attitudes is not None
    assert products.attitudes.centre == "GRG"
    assert any("attitudes of 3 satellites of GRG" in text for text in products.remarks)
    assert not products.mixed


def test_another_centres_attitudes_only_where_named_and_allowed(day_of_orbits, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "COD0MGXFIN_20240350000_01D_30S_ATT.OBX"
    write_orbex_attitudes(some_attitudes(centre="COD"), other)
    with pytest.raises(InputError, match=r"ORBEX attitudes of COD"):
        find([day_of_orbits, other])
    products = find([day_of_orbits, other], allow_mixed=True)
    assert products.mixed
    assert products.attitudes is not None
    assert products.attitudes.centre == "COD"


ULTRA_RAPID = Path(__file__).parents[2] / "authorities" / "orbex_0_09_ultra_rapid.obx"


def test_the_drafts_ultra_rapid_orbits_with_sigmas_and_flags():
    orbits = read_orbex(ULTRA_RAPID).orbits
    assert orbits is not None
    assert (orbits.satellites, orbits.frame) == (("G02", "G03", "G30"), "IGS05")
    np.testing.assert_array_equal(orbits.position_ecef_m[0, 0], [-17033320.13, 1266609.183, -20350817.722])
    assert orbits.clock_s[0, 0] == pytest.approx(153.749432e-6, rel=1e-15)
    assert np.isnan(orbits.clock_s[0, 1])
    np.testing.assert_allclose(orbits.position_sigma_m[0, 0], [7.5e-3, 18.2e-3, 7.5e-3], rtol=1e-15)
    assert np.isnan(orbits.position_sigma_m[0, 2]).all()
    np.testing.assert_allclose(orbits.clock_sigma_s[1], [1031.35e-12, 3724.322e-12, 3724.322e-12], rtol=1e-15)
    assert np.isnan(orbits.clock_sigma_s[0, 1])
    # "     P   P" at the second epoch: clock and orbit are predicted, no event, no manoeuvre.
    assert not orbits.clock_predicted[0].any()
    assert orbits.clock_predicted[1].all()
    assert orbits.orbit_predicted[1].all()
    assert not orbits.clock_event.any()
    assert not orbits.manoeuvre.any()
    assert orbits.accuracy_m == pytest.approx({"G02": 34.32e-3, "G03": 38.70e-3}, rel=1e-12)


def same_orbits(a, b):
    for field in dataclasses.fields(SatelliteOrbits):
        one, two = getattr(a, field.name), getattr(b, field.name)
        if isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, two, err_msg=field.name)
        elif isinstance(one, Epochs):
            np.testing.assert_array_equal(one.tai_ns, two.tai_ns)
        elif field.name == "accuracy_m":
            assert two == pytest.approx(one, rel=1e-12)
        elif field.name != "inputs":
            assert one == two, field.name


@pytest.mark.parametrize(
    "path", [ULTRA_RAPID, Path(__file__).parent / "examples" / "orbits.obx"], ids=lambda p: p.name
)
def test_orbits_are_written_and_read_again(tmp_path, path):
    original = read_orbex(path)
    write_orbex(original, tmp_path / "again.obx")
    again = read_orbex(tmp_path / "again.obx")
    same_orbits(original.orbits, again.orbits)
    assert again.description["DESCRIPTION"] == original.description["DESCRIPTION"]
    write_orbex(again, tmp_path / "third.obx")
    assert (tmp_path / "third.obx").read_bytes() == (tmp_path / "again.obx").read_bytes()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_any_orbits_and_attitudes_read_back_the_same(tmp_path_factory, seed):
    """Numbers with the decimals of the format, gaps anywhere, velocities or none, sigmas or none."""
    rng = np.random.default_rng(seed)
    attitudes = some_attitudes(seed)
    shape = (4, 3)

    def maybe(values, share=0.2):
        return np.where(rng.random(values.shape) < share, np.nan, values)

    position = np.round(rng.uniform(-5e7, 5e7, (*shape, 3)), 4)
    position[rng.random(shape) < 0.2] = np.nan
    has_position = np.isfinite(position[..., 0])
    velocity = np.round(rng.uniform(-9e3, 9e3, (*shape, 3)), 7)
    sigma = maybe(np.round(rng.uniform(0.1, 999, (*shape, 3)), 1) * 1e-3)
    sigma[~has_position] = np.nan
    clock_sigma = maybe(np.round(rng.uniform(0.1, 999, shape), 3) * 1e-12)
    flags = (rng.random((4, *shape)) < 0.3) & has_position
    clock = maybe(np.round(rng.uniform(-900, 900, shape), 7) * 1e-6)
    clock[:, 0], position[0, 0] = 1e-6, 1e7  # every satellite is there, and an orbit
    with_sigma, with_velocity = rng.random(2) < 0.5
    orbits = SatelliteOrbits(
        attitudes.epochs, attitudes.satellites, position, clock, flags[0], "IGS20", "GRG",
        velocity_ecef_m_per_s=velocity if with_velocity else None,
        clock_rate_s_per_s=np.round(rng.uniform(-9, 9, shape), 7) * 1e-9 if with_velocity else None,
        position_sigma_m=sigma if with_sigma and np.isfinite(sigma).any() else None,
        clock_sigma_s=np.where(np.isfinite(position[..., 0]), clock_sigma, np.nan) if with_sigma else None,
        orbit_predicted=flags[1], clock_predicted=flags[2], clock_event=flags[3],
        accuracy_m={"C23": round(float(rng.uniform(1, 99)), 2) * 1e-3},
    )  # fmt: skip
    satellites_there = np.isfinite(position[..., 0]).any(axis=0) | np.isfinite(clock).any(axis=0)
    if not satellites_there.all() and not with_velocity:
        return
    path = tmp_path_factory.mktemp("obx") / "GRG0MGXFIN_20240350000_01D_15M_ORB.OBX"
    write_orbex(OrbexFile({}, attitudes, orbits), path)
    again = read_orbex(path)
    same_orbits(orbits, again.orbits)
    np.testing.assert_allclose(
        again.attitudes.quaternion_body_from_ecef, attitudes.quaternion_body_from_ecef, atol=DOUBLE_PRINTED
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("UNITS     METERS", "UNITS     KILOMETERS", "ORBIT_XYZ_UNITS 'KILOMETERS': only METERS"),
        ("MICROSECONDS", "SECONDS", "SVCLK_UNITS 'SECONDS'"),
        ("CENTER-OF_MASS", "ANTENNA PHASE CENTER", "only the centre of mass is supported"),
        (" G02       13.79", " G02       13.xx", "line 33: expected a satellite and its standard deviation"),
    ],
)
def test_units_and_references_that_would_be_misread_are_refused(tmp_path, old, new, words):
    path = tmp_path / "odd.obx"
    assert old in ULTRA_RAPID.read_text()
    path.write_text(ULTRA_RAPID.read_text().replace(old, new, 1))
    with pytest.raises(FormatError, match=words):
        read_orbex(path)


def test_nothing_to_write_or_two_frames(tmp_path):
    attitudes, orbits = some_attitudes(), read_orbex(ULTRA_RAPID).orbits
    with pytest.raises(InputError, match="there are none"):
        write_orbex(OrbexFile(), tmp_path / "a.obx")
    with pytest.raises(InputError, match="attitudes in IGS20 and orbits in IGS05"):
        write_orbex(OrbexFile({}, attitudes, orbits), tmp_path / "a.obx")
    assert list(tmp_path.iterdir()) == []
    write_orbex_orbits(orbits, tmp_path / "a.obx.gz")
    same_orbits(orbits, read_orbex(tmp_path / "a.obx.gz").orbits)
