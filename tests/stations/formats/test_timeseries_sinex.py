"""SINEX_TMS: real files value by value, the epochs that the decimal year tells, broken files."""

from pathlib import Path

import numpy as np
import pytest

from stations.formats.position_series import write_pbo_series
from stations.formats.timeseries_sinex import read_timeseries_sinex
from transforms.errors import FormatError, InputError

EXAMPLE = Path(__file__).parent / "examples" / "positions.tms"


@pytest.mark.real_data
def test_daily_coordinates_are_those_printed(real_data):
    """First line: " 2023-05-22    2023.38767  4331296.8156 ...  0.0108  0.0056  0.0088  0.0003 ..."."""
    series = read_timeseries_sinex(real_data / "parsers" / "midgard" / "sinex_tms.gz")
    assert (series.station, series.frame, len(series.epochs)) == ("TEST00NOR", "IGb14", 11)
    # 2023.38767 is day 141.5 of 365 from the year's start: noon of 22 May.
    assert series.epochs[0].iso() == "2023-05-22T12:00:00"
    np.testing.assert_array_equal(series.position_enu_m[0], [0.0108, 0.0056, 0.0088])
    np.testing.assert_array_equal(series.position_ecef_m[0], [4331296.8156, 567556.2118, 4633134.1526])
    np.testing.assert_array_equal(series.reference_ecef_m, [4331296.8151, 567556.2009, 4633134.1423])
    np.testing.assert_allclose(
        series.covariance_enu_m2[0], np.diag([0.0003**2, 0.0009**2, 0.0009**2]), rtol=1e-14
    )
    assert series.rejections == {}


@pytest.mark.real_data
def test_a_long_series_without_sigmas(real_data, tmp_path):
    """Its first two lines have their dates exchanged against the decimal years: 7,776 - 2 days are left."""
    series = read_timeseries_sinex(real_data / "parsers" / "midgard" / "sinex_tms_zimm.gz")
    assert series.rejections == {"date and decimal year that contradict each other": 2}
    assert len(series.epochs) == 7774
    assert series.covariance_enu_m2 is None
    assert series.epochs[-1].iso() == "2024-01-30T00:00:00"
    np.testing.assert_array_equal(series.position_enu_m[-1], [0.0817, 0.0667, 0.0023])
    with pytest.raises(InputError, match="no coordinates or sigmas"):
        write_pbo_series(series, tmp_path / "a.pos")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("%=TMS 1.0", "%=TMS 2.0", "line 1: expected '%=TMS 1.0'"),
        ("-TIMESERIES/DATA\n", "", "cut off: no -TIMESERIES/DATA"),
        ("EAST                 m ", "EAST                 mm", "column EAST is in 'mm', not in metres"),
        (" 2026-03-02 ", " 2026-02-30 ", "no such day: '2026-02-30'"),
        (" 2026-03-02 ", " 2026-03-02 7 ", "12 columns, expected 11"),
        ("    0.0055\n 2026-03-02", "    0.00x5\n 2026-03-02", "expected a number, found '0.00x5'"),
        ("     7 NORTH", "     9 NORTH", "expected column 7"),
        ("     7 NORTH ", "     7 SOUTH ", "does not describe NORTH"),
        (
            "    0.0055\n 2026-03-02",
            "    0.0000\n 2026-03-02",
            "line 27: a standard deviation that is not positive",
        ),
    ],
)
def test_defects_are_named(tmp_path, old, new, words):
    path = tmp_path / "broken.tms"
    text = EXAMPLE.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(FormatError, match=words):
        read_timeseries_sinex(path)


def test_days_twice_or_out_of_order_are_counted(tmp_path):
    lines = EXAMPLE.read_text().splitlines(keepends=True)
    first = next(k for k, line in enumerate(lines) if line.startswith(" 2026-03-01"))
    path = tmp_path / "a.tms"
    path.write_text("".join([*lines[: first + 2], lines[first + 1], lines[first], *lines[first + 2 :]]))
    series = read_timeseries_sinex(path)
    assert series.rejections == {"day given twice": 1, "day earlier than one before": 1}
    np.testing.assert_array_equal(series.epochs.tai_ns, read_timeseries_sinex(EXAMPLE).epochs.tai_ns)
