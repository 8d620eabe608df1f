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
        ("version 1\n", "expected 'version 2'"),
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
