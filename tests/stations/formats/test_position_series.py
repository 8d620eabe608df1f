"""Series of positions: NGL's real series against awk, tenv3, PBO .pos, writing, broken files."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stations.formats.position_series import PositionSeries, read_position_series, write_pbo_series
from transforms.errors import FormatError, InputError
from transforms.geodetic import enu_matrix_at
from transforms.time_scales import Epochs

REFERENCE_M = np.array([4075580.685, 931853.660, 4801568.054])
TEN_MICROMETRES_M = 1.01e-5  # .pos prints five decimals
CORRELATION_PRINTED = 6e-4  # .pos prints three decimals of a correlation


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("station", "days"),  # zcat GRAZ.tenv.gz | wc -l
    [("GRAZ", 11491), ("BOR1", 11487), ("WTZR", 10952), ("ZIMM", 11629)],
)
def test_real_tenv_has_all_its_days(real_data, station, days):
    series = read_position_series(real_data / f"geodesy/timeseries/ngl/{station}.tenv.gz")
    assert series.station == station
    assert series.position_enu_m.shape == (days, 3)


@pytest.mark.real_data
def test_first_day_of_graz(real_data):
    """GRAZ 94JAN02 1994.0041 49354 ... -495.49054 5214709.77391 538.28808 2.0680 0.00081 0.00107 0.00357
    -0.11029 0.15424 -0.15103
    """
    series = read_position_series(real_data / "geodesy/timeseries/ngl/GRAZ.tenv.gz")
    assert series.epochs[0].iso() == "1994-01-02T12:00:00"
    assert series.epochs[0].decimal_year() == pytest.approx(1994.0041, abs=5e-5)
    assert series.reference_enu_m is not None
    assert series.antenna_height_m is not None
    np.testing.assert_allclose(
        series.reference_enu_m + series.position_enu_m[0], [-495.49054, 5214709.77391, 538.28808], atol=1e-9
    )
    assert series.antenna_height_m[0] == 2.0680
    covariance = series.covariance_enu_m2[0]
    assert np.sqrt(covariance[1, 1]) == pytest.approx(0.00107, rel=1e-12)
    assert covariance[1, 2] == pytest.approx(-0.15103 * 0.00107 * 0.00357, rel=1e-9)


TENV3_HEAD = (
    "site YYMMMDD yyyy.yyyy __MJD week d reflon _e0(m) __east(m) ____n0(m) _north(m) u0(m) ____up(m) _ant(m) "
    "sig_e(m) sig_n(m) sig_u(m) __corr_en __corr_eu __corr_nu _latitude(deg) _longitude(deg) __height(m)\n"
)
TENV3 = TENV3_HEAD + (
    "WUHN 20JAN01 2020.0014 58849 2086 3  114.4   -4021  0.250000 3385000 0.500000 28 0.125000 0.0000 "
    "0.001000 0.002000 0.004000 0.100000 -0.200000 0.300000 30.5316 114.3573 28.125\n"
    "WUHN 20JAN02 2020.0041 58850 2086 4  114.4   -4020 -0.749000 3385000 0.502000 28 0.120000 0.0000 "
    "0.001000 0.002000 0.004000 0.100000 -0.200000 0.300000 30.5316 114.3573 28.120\n"
)


def read(tmp_path, text):
    path = tmp_path / "series.txt"
    path.write_text(text)
    return read_position_series(path)


def test_tenv3_where_the_whole_metres_change(tmp_path):
    series = read(tmp_path, TENV3)
    np.testing.assert_allclose(series.position_enu_m, [[0.25, 0.5, 0.125], [0.251, 0.502, 0.12]], atol=1e-12)
    np.testing.assert_array_equal(series.reference_enu_m, [-4021, 3385000, 28])
    assert series.covariance_enu_m2[0, 0, 2] == pytest.approx(-0.2 * 0.001 * 0.004, rel=1e-12)
    assert series.epochs[1].iso() == "2020-01-02T12:00:00"
    assert (
        len(
            read(
                tmp_path,
                TENV3.replace(" 30.5316 114.3573 28.125", "").replace(" 30.5316 114.3573 28.120", ""),
            ).epochs
        )
        == 2
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("0.250000", "0.25x000", "line 2: expected a number"),
        ("58850", "58851", "line 3: the date 20JAN02 is not that of MJD 58851"),
        ("20JAN02", "20XXX02", "line 3: expected a date YYMMMDD"),
        ("0.004000 0.100000", "0.000000 0.100000", "line 2: sigmas"),
        ("0.004000 0.100000", "0.004000 7.100000", "line 2: sigmas"),
        ("\nWUHN 20JAN02", "\nBJFS 20JAN02", "line 3: station BJFS in a file of WUHN"),
        (" 28.120\n", "\n", "line 3: expected a line of tenv"),
    ],
)
def test_defects_of_tenv3_are_named(tmp_path, old, new, words):
    assert old in TENV3
    with pytest.raises(FormatError, match=words):
        read(tmp_path, TENV3.replace(old, new, 1))


def test_a_day_that_comes_twice_is_counted(tmp_path):
    second = TENV3.splitlines(keepends=True)[2]
    series = read(tmp_path, TENV3 + second)
    assert len(series.epochs) == 2
    assert series.rejections == {"day given twice": 1}
    with pytest.raises(FormatError, match="line 4: a day earlier"):
        read(tmp_path, TENV3 + TENV3.splitlines(keepends=True)[1])


def some_series(enu_m):
    enu = np.asarray(enu_m, dtype=float)
    n = len(enu)
    epochs = Epochs.from_datetime64(
        np.datetime64("2023-12-30T12:00", "ns") + np.arange(n) * np.timedelta64(1, "D")
    )
    sigma = np.diag([0.002, 0.003, 0.008])
    correlation = np.array([[1.0, 0.1, -0.2], [0.1, 1.0, 0.3], [-0.2, 0.3, 1.0]])
    covariance = np.repeat((sigma @ correlation @ sigma)[None], n, axis=0)
    ecef = REFERENCE_M + enu @ enu_matrix_at(REFERENCE_M)
    return PositionSeries(
        "WTZR", "IGS20", epochs, enu, covariance, "PBO reference position", None, REFERENCE_M, ecef
    )


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(*[st.integers(-50_000, 50_000)] * 3), min_size=1, max_size=5))
def test_what_is_written_is_read_again(tmp_path_factory, hundredths_mm):
    series = some_series(np.array(hundredths_mm) / 1e5)
    path = tmp_path_factory.mktemp("pos") / "WTZR.igs20.pos.gz"
    write_pbo_series(series, path)
    again = read_position_series(path)
    assert (again.station, again.frame) == ("WTZR", "IGS20")
    np.testing.assert_array_equal(again.epochs.tai_ns, series.epochs.tai_ns)
    np.testing.assert_allclose(again.position_enu_m, series.position_enu_m, atol=1e-9)
    np.testing.assert_allclose(again.position_ecef_m, series.position_ecef_m, atol=TEN_MICROMETRES_M)
    np.testing.assert_allclose(again.covariance_enu_m2, series.covariance_enu_m2, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(again.reference_ecef_m, REFERENCE_M)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Format Version: 1.1.0", "Format Version: 2.0.0", "version '2.0.0'"),
        ("End Field Description\n", "", "header is cut off"),
        ("\n 20231231 ", "\n 20231331 ", "no such instant"),
        ("\n 20231231 ", "\n 20231230 ", "is not MJD"),
        (" final", "", "24 columns, expected 25"),
        ("XYZ Reference position", "Reference position", "no 'XYZ Reference position'"),
    ],
)
def test_defects_of_pos_are_named(tmp_path, old, new, words):
    path = tmp_path / "a.pos"
    write_pbo_series(some_series([[0.0, 0.0, 0.0], [0.001, 0.0, -0.002]]), path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(FormatError, match=words):
        read_position_series(path)


def test_a_series_without_coordinates_is_not_written(tmp_path):
    with pytest.raises(InputError, match="has no coordinates"):
        write_pbo_series(read(tmp_path, TENV3), tmp_path / "a.pos")
