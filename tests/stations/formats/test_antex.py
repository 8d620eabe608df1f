"""ANTEX: the igs20 subset against awk, choice of antennas, round trip, broken files."""

import numpy as np
import pytest

from stations.formats.antex import find_receiver_antenna, find_satellite_antenna, read_antex, write_antex
from stations.records import AntennaType
from transforms.errors import FormatError
from transforms.time_scales import Epochs


@pytest.fixture(scope="module")
def igs20(real_data):
    return read_antex(real_data / "atx" / "igs20_2385_sats_plus_6rcv.atx.gz")


@pytest.mark.real_data
def test_igs20_is_what_awk_finds(real_data, station_format_values):
    expected = station_format_values["trm59800"]
    antennas = read_antex(real_data / expected["file"])
    assert len(antennas) == expected["antennas"]
    assert sum(len(a.frequencies) for a in antennas) == expected["frequencies"]
    antenna = find_receiver_antenna(antennas, AntennaType("TRM59800.00"), "5421355014")
    assert antenna.kind == "TRM59800.00     NONE"
    c02 = antenna.frequencies["C02"]
    np.testing.assert_allclose(c02.offset_m * 1e3, expected["c02_offset_mm"], atol=1e-12)
    np.testing.assert_allclose(c02.variation_no_azimuth_m * 1e3, expected["c02_no_azimuth_mm"], atol=1e-12)
    assert c02.variation_m.shape == (73, 19)
    np.testing.assert_allclose(np.degrees(antenna.azimuth_rad[[0, 1, -1]]), [0.0, 5.0, 360.0])
    np.testing.assert_allclose(np.degrees(antenna.zenith_rad[[0, 1, -1]]), [0.0, 5.0, 90.0])


@pytest.mark.real_data
def test_the_spacecraft_behind_a_satellite_changes_with_time(igs20):
    """G01 was G032 until 2008-10-16, G063 (2011-036A) since 2011-07-16, as the file says."""
    old = find_satellite_antenna(igs20, "G01", Epochs.from_datetime64("2005-01-01"))
    new = find_satellite_antenna(igs20, "G01", Epochs.from_datetime64("2023-01-01"))
    assert (old.svn, old.kind) == ("G032", "BLOCK IIA")
    assert (new.svn, new.cospar, new.kind) == ("G063", "2011-036A", "BLOCK IIF")
    assert find_satellite_antenna(igs20, "G01", Epochs.from_datetime64("1985-01-01")) is None
    assert find_satellite_antenna(igs20, "C23", Epochs.from_datetime64("2023-01-01")).kind == "BEIDOU-3M-CAST"


@pytest.mark.real_data
def test_the_first_file_that_has_an_antenna_serves(igs20, real_data):
    both = igs20 + read_antex(real_data / "atx" / "igs05.atx.gz")
    nist = find_receiver_antenna(both, AntennaType("NOV750.R4", "NONE", "NDE11330004"), "NDE11330004")
    assert (nist.kind, nist.source) == ("NOV750.R4       NONE", "IGS05_1627")
    assert find_receiver_antenna(igs20, AntennaType("NOV750.R4")) is None
    assert find_receiver_antenna(both, AntennaType("TRM59800.00")).source.startswith("IGS20")


def test_individual_calibration_goes_before_type_and_type_before_bare_type(tmp_path):
    path = tmp_path / "a.atx"
    path.write_text(HEAD + "".join(antenna(*names) for names in NAMES))
    antennas = read_antex(path)
    kind = AntennaType("TRM59800.00", "SCIS")
    assert find_receiver_antenna(antennas, kind, "4711").serial == "4711"
    assert find_receiver_antenna(antennas, kind, "unknown").kind == "TRM59800.00     SCIS"
    assert find_receiver_antenna(antennas, AntennaType("TRM59800.00", "ABCD")).kind == "TRM59800.00     NONE"
    assert find_receiver_antenna(antennas, AntennaType("OTHER")) is None


NAMES = [("TRM59800.00     NONE", ""), ("TRM59800.00     SCIS", ""), ("TRM59800.00     SCIS", "4711")]
HEAD = "".join(
    f"{text:<60s}{label}\n"
    for text, label in (
        ("     1.4            M", "ANTEX VERSION / SYST"),
        ("A", "PCV TYPE / REFANT"),
        ("", "END OF HEADER"),
    )
)


def antenna(kind, serial=""):
    rows = [
        f"{'':<60s}START OF ANTENNA",
        f"{kind:<20s}{serial:<20s}{'':<20s}TYPE / SERIAL NO",
        f"{'  180.0':<60s}DAZI",
        f"{'     0.0  90.0  45.0':<60s}ZEN1 / ZEN2 / DZEN",
        f"{'     1':<60s}# OF FREQUENCIES",
        f"{'   C05':<60s}START OF FREQUENCY",
        f"{'      1.00      2.00     91.71':<60s}NORTH / EAST / UP",
        "   NOAZI    0.00   -1.00   -2.00",
        "     0.0 -100.00 -101.00 -102.00",
        "   180.0    0.00   -1.20   -2.20",
        "   360.0 -100.00 -101.00 -102.00",
        f"{'   C05':<60s}END OF FREQUENCY",
        f"{'':<60s}END OF ANTENNA",
    ]
    return "\n".join(rows) + "\n"


def test_a_grid_is_read_by_azimuth_and_the_name_stands_for_a_missing_code(tmp_path):
    path = tmp_path / "a.atx"
    path.write_text(HEAD + antenna(NAMES[0][0]))
    (read,) = read_antex(path)
    np.testing.assert_allclose(read.frequencies["C05"].variation_m[0] * 1e3, [-100.0, -101.0, -102.0])
    assert read.source == "a.atx"


@pytest.mark.real_data
def test_round_trip(igs20, tmp_path):
    path = tmp_path / "a.atx.gz"
    write_antex(igs20, path)
    again = read_antex(path)
    assert len(again) == len(igs20)
    for one, other in zip(igs20, again, strict=True):
        assert (one.kind, one.serial, one.svn, one.cospar) == (
            other.kind,
            other.serial,
            other.svn,
            other.cospar,
        )
        assert one.source == other.source
        for name in ("valid_from", "valid_until"):
            instants = [getattr(a, name) for a in (one, other)]
            assert (instants[0] is None) == (instants[1] is None)
            assert instants[0] is None or instants[0].tai_ns == instants[1].tai_ns
        assert list(one.frequencies) == list(other.frequencies)
        for code, calibration in one.frequencies.items():
            np.testing.assert_array_equal(calibration.offset_m, other.frequencies[code].offset_m)
            if calibration.variation_m is not None:
                np.testing.assert_array_equal(calibration.variation_m, other.frequencies[code].variation_m)
    stored = path.read_bytes()
    write_antex(again, path)
    assert path.read_bytes() == stored


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("     1.4", "     2.0", "line 1: ANTEX version '2.0'"),
        ("\nA ", "\nR ", "line 2: calibrations of type 'R'"),
        ("ANTEX VERSION", "OTHER VERSION", "line 1: expected 'ANTEX VERSION / SYST'"),
        ("END OF ANTENNA", "ENDE", "cut off|expected"),
        ("     1   ", "     2   ", "announces 2 frequencies, 1 follow"),
        ("  -1.20", "  -1.2x", "line 13: expected numbers"),
        ("   180.0    0.00   -1.20   -2.20\n", "", "expected azimuth 180.0"),
        ("   360.0 -100.00 -101.00 -102.00\n", "", "2 azimuths follow, expected 3"),
        ("     91.71", "  99991.71", "three offsets in mm"),
        ("-100.00 -101.00", "-9100.0 -101.00", "variation beyond"),
        ("  45.0", "  40.0", "does not lead from 0.0 to 90.0"),
    ],
)
def test_defects_are_named(tmp_path, old, new, words):
    text = HEAD + antenna(NAMES[0][0])
    assert old in text
    path = tmp_path / "a.atx"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(FormatError, match=words):
        read_antex(path)


@pytest.mark.real_data
def test_the_old_format_of_the_ngs_is_refused(real_data):
    with pytest.raises(FormatError, match="expected 'ANTEX VERSION"):
        read_antex(real_data / "atx" / "ngs_abs.pcv.gz")
