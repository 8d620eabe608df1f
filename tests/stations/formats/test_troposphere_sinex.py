"""SINEX_TRO: the dialects that centres write, writing, missing values, broken files."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stations.formats.troposphere_sinex import TroposphereSeries, read_troposphere_sinex, zenith_delays_of
from stations.formats.troposphere_sinex_writing import write_troposphere_sinex
from transforms.errors import FormatError, InputError
from transforms.time_scales import Epochs

# Lines in the layout of Bernese's writer (version 0.01, two-digit years, millimetres without saying so).
OLD = """%=TRO 0.01 NMA 20:010:00000 NMA 20:001:00000 20:001:86370 P AASC
*-------------------------------------------------------------------------------
+TROP/DESCRIPTION
 ELEVATION CUTOFF ANGLE                             3
 SAMPLING TROP                                   7200
 SOLUTION_FIELDS_1             TROTOT STDDEV  TGNTOT STDDEV  TGETOT STDDEV
-TROP/DESCRIPTION
+TROP/STA_COORDINATES
*SITE PT SOLN T __STA_X_____ __STA_Y_____ __STA_Z_____ SYSTEM REMRK
 AASC  A    1 P  3172870.216   604208.683  5481574.533 IGS14  NMA
-TROP/STA_COORDINATES
+TROP/SOLUTION
*SITE ____EPOCH___ TROTOT STDDEV  TGNTOT STDDEV  TGETOT STDDEV
 AASC 20:001:00000 2388.6    1.4  -0.813  0.087  -0.232  0.088
 AASC 20:001:07200 2337.3    0.9  -0.784  0.078  -0.197  0.078
-TROP/SOLUTION
%=ENDTRO
"""
# Version 2.00 as the CODE product and BNC write it: long names and years, units by which values are divided.
NEW = """%=TRO 2.00 COD 2024:050:00000 COD 2024:035:00000 2024:036:00000 P MIX
+TROP/DESCRIPTION
*_________KEYWORD____________ ___VALUES(S)______________________________________
 TROPO PARAMETER NAMES         TROTOT STDDEV  TGNTOT STDDEV  IWV
 TROPO PARAMETER UNITS          1e+03  1e+03   1e+03  1e+03 1e+00
 TIME SYSTEM                   G
-TROP/DESCRIPTION
+TROP/SOLUTION
*STATION__ ____EPOCH_____ TROTOT STDDEV  TGNTOT STDDEV IWV
 BOR100POL 2024:035:00000 2345.6    1.1  -0.100  0.050 12.5
 BOR100POL 2024:035:03600 -999.0 -999.0  -0.200  0.050 -999
 WTZR00DEU 2024:035:00000 2245.6    1.1  -0.300  0.050 10.5
-TROP/SOLUTION
%=ENDTROP
"""


def read(tmp_path, text):
    path = tmp_path / "a.tro"
    path.write_text(text)
    return read_troposphere_sinex(path)


def test_version_0_01(tmp_path):
    (aasc,) = read(tmp_path, OLD).series
    np.testing.assert_allclose(aasc.values["zenith_total_delay_m"], [2.3886, 2.3373], rtol=1e-15)
    np.testing.assert_allclose(aasc.sigmas["zenith_total_delay_m"], [0.0014, 0.0009], rtol=1e-15)
    np.testing.assert_allclose(aasc.values["gradient_east_m"], [-0.232e-3, -0.197e-3], rtol=1e-12)
    assert aasc.epochs[1].iso() == "2020-01-01T02:00:00"
    np.testing.assert_array_equal(aasc.position_ecef_m, [3172870.216, 604208.683, 5481574.533])
    assert aasc.frame == "IGS14"


def test_version_2_00_with_missing_values(tmp_path):
    document = read(tmp_path, NEW)
    bor1, wtzr = document.series
    assert (bor1.station, wtzr.station) == ("BOR100POL", "WTZR00DEU")
    np.testing.assert_array_equal(bor1.values["integrated_water_vapour_kg_per_m2"], [12.5, np.nan])
    assert np.isnan(bor1.values["zenith_total_delay_m"][1])
    delays = zenith_delays_of(bor1)
    assert len(delays.epochs) == 1
    assert delays.total_m[0] == pytest.approx(2.3456, rel=1e-15)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(5000, 27000), min_size=1, max_size=8), st.booleans())
def test_what_is_written_is_read_again(tmp_path_factory, tenths_mm, with_gap):
    n = len(tenths_mm)
    total = np.array(tenths_mm) / 1e4
    north = np.arange(n) * 1e-6 - 3e-6
    if with_gap:
        total[0] = np.nan
    series = TroposphereSeries(
        "WUH200CHN",
        Epochs.from_datetime64(
            np.datetime64("2023-12-31T23:00", "ns") + np.arange(n) * np.timedelta64(300, "s")
        ),
        {"zenith_total_delay_m": total, "gradient_north_m": north},
        {"zenith_total_delay_m": np.full(n, 0.0012), "gradient_north_m": np.full(n, 1e-4)},
        np.array([-2267750.0, 5009154.0, 3221294.0]),
        "IGS20",
    )
    path = tmp_path_factory.mktemp("tro") / "a.tro.gz"
    write_troposphere_sinex([series], path)
    (again,) = read_troposphere_sinex(path).series
    np.testing.assert_allclose(again.values["zenith_total_delay_m"], total, atol=1e-12)
    np.testing.assert_allclose(again.values["gradient_north_m"], north, atol=1e-12)
    np.testing.assert_allclose(again.sigmas["zenith_total_delay_m"], 0.0012, rtol=1e-12)
    np.testing.assert_array_equal(again.epochs.tai_ns, series.epochs.tai_ns)
    np.testing.assert_array_equal(again.position_ecef_m, series.position_ecef_m)
    assert (again.station, again.frame) == ("WUH200CHN", "IGS20")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("%=TRO 0.01", "%=TRO 3.00", "line 1: expected '%=TRO"),
        ("2388.6", "23x8.6", "line 14: expected a value of TROTOT"),
        ("2388.6", "9388.6", "line 14: a delay of 9.3886 m"),
        ("2388.6    1.4", "2388.6", "line 14: expected station, epoch and 6 values"),
        ("20:001:07200", "20:400:07200", "line 15: no such day"),
        ("20:001:07200", "19:001:07200", "line 15: epoch of AASC earlier"),
        ("%=ENDTRO\n", "", "cut off"),
        ("-TROP/SOLUTION\n", "", "cut off in block TROP/SOLUTION"),
        ("TROTOT STDDEV  TGNTOT STDDEV  TGETOT STDDEV\n-", "TROTOT XYZ  TGNTOT STDDEV\n-", "does not have"),
        ("+TROP/SOLUTION", "+TROP/OTHER", "closes no open block"),
    ],
)
def test_defects_are_named(tmp_path, old, new, words):
    assert old in OLD
    with pytest.raises(FormatError, match=words):
        read(tmp_path, OLD.replace(old, new, 1))


def test_a_file_cut_anywhere_is_refused(tmp_path):
    for stop in range(1, len(NEW) - 12, 17):
        with pytest.raises(FormatError):
            read(tmp_path, NEW[:stop])


def test_series_with_different_parameters_are_not_written_together(tmp_path):
    with pytest.raises(InputError, match="same parameters"):
        write_troposphere_sinex([], tmp_path / "a.tro")
