"""Earth rotation parameters: IGS and IERS files against their printed rows, and broken ones."""

import numpy as np
import pytest

from stations.formats.earth_rotation_parameters import (
    read_earth_rotation_parameters,
    write_earth_rotation_parameters,
)
from transforms.constants import ARCSECOND_RAD
from transforms.errors import FormatError
from transforms.time_scales import Epochs, TimeScale

PRINTED_ARCSEC = 1e-12  # values are printed to 1e-6 arcseconds: the same up to rounding


@pytest.mark.real_data
def test_igs_file(real_data, station_format_values):
    expected = station_format_values["igs_erp"]
    parameters = read_earth_rotation_parameters(real_data / expected["file"])
    row = expected["row"]
    assert parameters.epochs.modified_julian_date()[row] == expected["mjd_utc"]
    assert parameters.epochs.scale is TimeScale.UTC
    assert parameters.pole_x_rad[row] / ARCSECOND_RAD == pytest.approx(
        expected["pole_x_arcsec"], abs=PRINTED_ARCSEC
    )
    assert parameters.pole_y_rad[row] / ARCSECOND_RAD == pytest.approx(
        expected["pole_y_arcsec"], abs=PRINTED_ARCSEC
    )
    assert parameters.ut1_minus_utc_s[row] == pytest.approx(expected["ut1_minus_utc_s"], abs=1e-12)


@pytest.mark.real_data
def test_igs_and_iers_agree(real_data, station_format_values):
    """Two independent series of the same week: 0.1 mas and 20 microseconds, what they are good for."""
    igs = read_earth_rotation_parameters(real_data / station_format_values["igs_erp"]["file"])
    iers = read_earth_rotation_parameters(real_data / "eop" / "finals2000A.gz")
    # IERS rows are of 0 h, those of the IGS of 12 h.
    for name, limit in (
        ("pole_x_rad", 2e-4 * ARCSECOND_RAD),
        ("pole_y_rad", 2e-4 * ARCSECOND_RAD),
        ("ut1_minus_utc_s", 1e-4),
    ):
        between = np.interp(igs.epochs.tai_ns, iers.epochs.tai_ns, getattr(iers, name))
        assert np.abs(between - getattr(igs, name)).max() < limit


@pytest.mark.real_data
def test_finals_row_of_the_nist_day(real_data):
    """grep " 59945.00" finals2000A: I  0.062781 ... 0.200905 ... I-0.0198682"""
    parameters = read_earth_rotation_parameters(real_data / "eop" / "finals2000A.gz")
    row = int(np.flatnonzero(parameters.epochs.modified_julian_date() == 59945.0)[0])
    assert parameters.pole_x_rad[row] / ARCSECOND_RAD == pytest.approx(0.062781, abs=PRINTED_ARCSEC)
    assert parameters.pole_y_rad[row] / ARCSECOND_RAD == pytest.approx(0.200905, abs=PRINTED_ARCSEC)
    assert parameters.ut1_minus_utc_s[row] == -0.0198682
    assert np.isfinite(parameters.ut1_minus_utc_s).all()


@pytest.mark.real_data
def test_round_trip(real_data, tmp_path, station_format_values):
    parameters = read_earth_rotation_parameters(real_data / station_format_values["igs_erp"]["file"])
    path = tmp_path / "a.erp.gz"
    write_earth_rotation_parameters(parameters, path)
    again = read_earth_rotation_parameters(path)
    np.testing.assert_array_equal(again.epochs.tai_ns, parameters.epochs.tai_ns)
    np.testing.assert_allclose(again.pole_x_rad, parameters.pole_x_rad, rtol=0, atol=1e-18)
    np.testing.assert_allclose(again.ut1_minus_utc_s, parameters.ut1_minus_utc_s, rtol=0, atol=1e-15)


HEAD = 'version 2\nEOP  SOLUTION\n  MJD  Xpole Ypole UT1-UTC LOD\n  10**-6" .1us\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version 3\n", "expected 'version 1', 'version 2'"),
        (HEAD, "no row"),
        (
            HEAD + "60134.50 208280 502585 -308359\n60134.50 208280 502585 -308359\n",
            "line 6: MJD 60134.5 is not later",
        ),
        (HEAD + "60134.50 208280 5O2585 -308359\n", "line 5: expected MJD, x, y and UT1-UTC"),
        (HEAD + "60134.50 20828000 502585 -308359\n", "line 5: out of range"),
        (HEAD + "60134.50 208280 502585 -308359\nrubbish\n", "line 6: expected a modified Julian date"),
        (HEAD.replace("UT1-UTC", "UT1-TAI") + "60134.50 208280 502585 -308359\n", "no column UT1-UTC"),
        ("version 2\n60134.50 208280 502585 -308359\n", "no line 'MJD Xpole"),
        ("92 1 1 48622.00 I  0.18x987 0.000672  0.168775 0.000345  I-0.1251659 0.0000207\n", "columns 19-27"),
    ],
)
def test_broken_files_say_where(tmp_path, text, words):
    path = tmp_path / "a.erp"
    path.write_text(text)
    with pytest.raises(FormatError, match=words):
        read_earth_rotation_parameters(path)


def test_predictions_without_values_are_left_out(tmp_path):
    path = tmp_path / "finals"
    row = "92 1 1 48622.00 I  0.182987 0.000672  0.168775 0.000345  I-0.1251659 0.0000207"
    path.write_text(f"{row}\n{row.replace('48622', '48623').replace('92 1 1', '92 1 2')}\n92 1 3 48624.00\n")
    parameters = read_earth_rotation_parameters(path)
    np.testing.assert_array_equal(
        parameters.epochs.tai_ns, Epochs.from_datetime64(["1992-01-01", "1992-01-02"], TimeScale.UTC).tai_ns
    )


@pytest.mark.real_data
def test_sigmas_rates_and_length_of_day_of_the_igs(real_data, station_format_values, tmp_path):
    """First row: 60134.50 208280 502585 -308359 -2590 4 4 0 8 0 0 0 2667 -1195 15 16 0 0."""
    path = real_data / station_format_values["igs_erp"]["file"]
    parameters = read_earth_rotation_parameters(path)
    microarcsecond_rad = 1e-6 * ARCSECOND_RAD
    assert parameters.length_of_day_excess_s is not None
    assert parameters.length_of_day_excess_s[0] == pytest.approx(-2590e-7, rel=1e-12)
    for name, expected in (
        ("pole_x_sigma_rad", 4),
        ("pole_y_sigma_rad", 4),
        ("pole_x_rate_rad_per_day", 2667),
        ("pole_y_rate_rad_per_day", -1195),
        ("pole_x_rate_sigma_rad_per_day", 15),
        ("pole_y_rate_sigma_rad_per_day", 16),
    ):
        assert getattr(parameters, name)[0] == pytest.approx(expected * microarcsecond_rad, rel=1e-12)
    assert parameters.length_of_day_sigma_s[0] == pytest.approx(8e-7, rel=1e-12)
    write_earth_rotation_parameters(parameters, tmp_path / "again.erp")
    again = read_earth_rotation_parameters(tmp_path / "again.erp")
    for name in ("pole_x_rad", "length_of_day_excess_s", "pole_y_rate_rad_per_day", "pole_x_sigma_rad"):
        np.testing.assert_allclose(getattr(again, name), getattr(parameters, name), rtol=1e-12, atol=1e-18)


@pytest.mark.real_data
def test_sigmas_and_predictions_of_the_iers(real_data):
    """MJD 48622: I 0.182987 0.000672 0.168775 0.000345 I-0.1251659 0.0000207 1.8335 0.0201; 60621 is P."""
    parameters = read_earth_rotation_parameters(real_data / "eop" / "finals2000A.gz")
    assert parameters.epochs.modified_julian_date()[0] == 48622.0
    assert parameters.pole_x_sigma_rad[0] == pytest.approx(0.000672 * ARCSECOND_RAD, rel=1e-12)
    assert parameters.ut1_minus_utc_sigma_s[0] == pytest.approx(0.0000207, rel=1e-12)
    assert parameters.length_of_day_excess_s[0] == pytest.approx(1.8335e-3, rel=1e-12)
    assert parameters.length_of_day_sigma_s[0] == pytest.approx(0.0201e-3, rel=1e-12)
    assert not parameters.predicted[0]
    row = int(np.flatnonzero(parameters.epochs.modified_julian_date() == 60621.0)[0])
    assert parameters.predicted[row]
    assert np.isnan(parameters.length_of_day_excess_s[row])


# Three days of the IGS final of 2023, week 2268, in the units of version 1 (IGS mail 662: 1e-5 arcseconds,
# 1e-6 s), the optional columns in another order than the IGS's own.
VERSION_1 = """version 1
Converted from version 2
  MJD      Xpole   Ypole  UT1-UTC    LOD  Xsig  Ysig  UTsig LODsig  Nr Nf Nt   Yrt   Xrt Xrtsig Yrtsig
            10**-5"        usec    usec/d 10**-5"      usec usec/d             10**-5"/d  10**-5"/d
60134.50   20828   50258   -30836   -259     1     2      3      4   0  0  0  -120   267      2      5
60135.50   21086   50143   -30492   -398     1     2      3      4   0  0  0  -100   270      2      5
60136.50   21339   50040   -30004   -586     1     2      3      4   0  0  0   -91   251      2      5
"""


def test_version_1_has_units_of_its_own(tmp_path):
    path = tmp_path / "a.erp"
    path.write_text(VERSION_1)
    first = read_earth_rotation_parameters(path)
    arcsecond = np.pi / 648_000.0
    np.testing.assert_allclose(
        first.pole_x_rad, np.array([0.20828, 0.21086, 0.21339]) * arcsecond, rtol=1e-14
    )
    np.testing.assert_allclose(first.ut1_minus_utc_s, [-0.030836, -0.030492, -0.030004], rtol=1e-14)
    np.testing.assert_allclose(first.length_of_day_excess_s, [-259e-6, -398e-6, -586e-6], rtol=1e-14)
    np.testing.assert_allclose(first.pole_y_sigma_rad, 2e-5 * arcsecond, rtol=1e-14)
    np.testing.assert_allclose(first.ut1_minus_utc_sigma_s, 3e-6, rtol=1e-14)
    np.testing.assert_allclose(
        first.pole_x_rate_rad_per_day, np.array([267, 270, 251]) * 1e-5 * arcsecond, rtol=1e-14
    )
    np.testing.assert_allclose(first.pole_y_rate_sigma_rad_per_day, 5e-5 * arcsecond, rtol=1e-14)


@pytest.mark.real_data
def test_both_versions_tell_the_same(tmp_path, real_data, station_format_values):
    path = tmp_path / "a.erp"
    path.write_text(VERSION_1)
    first = read_earth_rotation_parameters(path)
    second = read_earth_rotation_parameters(real_data / station_format_values["igs_erp"]["file"])
    np.testing.assert_array_equal(first.epochs.tai_ns, second.epochs.tai_ns[:3])
    printed_rad = 0.5e-5 * np.pi / 648_000.0  # half of the last digit that version 1 prints
    np.testing.assert_allclose(first.pole_x_rad, second.pole_x_rad[:3], rtol=0, atol=1.01 * printed_rad)
    np.testing.assert_allclose(first.pole_y_rad, second.pole_y_rad[:3], rtol=0, atol=1.01 * printed_rad)
    np.testing.assert_allclose(first.ut1_minus_utc_s, second.ut1_minus_utc_s[:3], rtol=0, atol=0.505e-6)
    np.testing.assert_allclose(
        first.pole_y_rate_rad_per_day, second.pole_y_rate_rad_per_day[:3], rtol=0, atol=1.01 * printed_rad
    )


def test_regularised_ut1_is_refused(tmp_path):
    path = tmp_path / "a.erp"
    path.write_text(VERSION_1.replace("UT1-UTC", "UT1R-UTC"))
    with pytest.raises(FormatError, match="no column UT1-UTC"):
        read_earth_rotation_parameters(path)
