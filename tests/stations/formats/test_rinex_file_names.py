"""File names by the standard, held to names of files in the archives."""

import pytest

from stations.formats.rinex_observation_file_names import long_name, short_name
from stations.records import InputFile
from transforms.errors import InputError
from transforms.time_scales import Epochs


def at(text):
    return Epochs.from_datetime64(text)


# Names of the station days in the shared data, and the examples of RINEX 4.02, appendix A1.
@pytest.mark.parametrize(
    ("station", "first", "last", "interval_s", "kind", "expected"),
    [
        (
            "NIST00USA",
            "2023-01-01T00:00:00",
            "2023-01-01T23:59:30",
            30.0,
            "MO",
            "_20230010000_01D_30S_MO",
        ),
        (
            "JFNG00CHN",
            "2019-02-14T07:00:00",
            "2019-02-14T07:59:30",
            30.0,
            "MO",
            "_20190450700_01H_30S_MO",
        ),
        (
            "DIEP00DEU",
            "2020-10-20T19:00:02",
            "2020-10-20T19:59:52",
            10.0,
            "MM",
            "_20202941900_01H_10S_MM",
        ),
        ("ALGO00CAN", "2012-05-30T12:00:00", "2012-05-30T12:14:59", 1.0, "GO", "_20121511200_15M_01S_GO"),
        (
            "ALGO00CAN",
            "2012-05-30T12:00:00",
            "2012-05-30T12:14:59.9",
            0.1,
            "GO",
            "_20121511200_15M_10Z_GO",
        ),
        ("ALGO00CAN", "2012-05-30T00:00:00", "2012-05-30T22:00:00", 0.0, "GN", "_20121510000_22H_GN"),
        # A day whose first epoch is missing is a day still.
        (
            "NIST00USA",
            "2023-01-01T00:00:30",
            "2023-01-01T23:59:30",
            30.0,
            "MO",
            "_20230010000_01D_30S_MO",
        ),
        (
            "NIST00USA",
            "2023-12-31T00:00:00",
            "2024-01-01T23:55:00",
            300.0,
            "MO",
            "_20233650000_02D_05M_MO",
        ),
        (
            "NIST00USA",
            "2023-01-01T06:00:00",
            "2023-01-01T07:40:00",
            3600.0,
            "MO",
            "_20230010600_03H_01H_MO",
        ),
        ("NIST00USA", "2023-01-01T06:00:00", "2023-01-01T06:00:00", 0.0, "MO", "_20230010600_01M_00U_MO"),
    ],
)
def test_long_names(station, first, last, interval_s, kind, expected):
    inputs = (InputFile(f"/data/{station}_R_20230010000_01D_30S_MO.crx.gz", ""),)
    assert (
        long_name(station, at(first), at(last), interval_s, kind, inputs=inputs)
        == f"{station}_R{expected}.rnx"
    )


def test_what_is_not_known_is_said_so():
    span = at("2023-01-01T00:00:00"), at("2023-01-01T23:59:30")
    assert long_name("wuh2", *span, 30.0, "MO", compact=True) == "WUH200XXX_U_20230010000_01D_30S_MO.crx"
    inputs = (InputFile("WUH200CHN_S_20230010000_01D_30S_MO.rnx", ""), InputFile("wuh20020.23o", ""))
    assert long_name("WUH2", *span, 30.0, "MO", inputs=inputs) == "WUH200CHN_U_20230010000_01D_30S_MO.rnx"
    for name in ("", "A 1", "基准"):
        with pytest.raises(InputError, match="needs four characters"):
            long_name(name, *span, 30.0, "MO")


@pytest.mark.parametrize(
    ("first", "last", "interval_s", "compact", "expected"),
    [
        ("2024-02-04T00:00:00", "2024-02-04T23:59:30", 30.0, False, "bor10350.24o"),
        ("2024-02-04T00:00:00", "2024-02-04T23:59:30", 30.0, True, "bor10350.24d"),
        ("1999-12-31T07:00:00", "1999-12-31T07:59:30", 30.0, False, "bor1365h.99o"),
        ("2024-02-04T07:45:00", "2024-02-04T07:59:59", 1.0, False, "bor1035h45.24o"),
        ("2024-02-04T07:30:00", "2024-02-04T08:29:30", 30.0, False, "bor10350.24o"),
    ],
)
def test_short_names(first, last, interval_s, compact, expected):
    assert short_name("BOR100POL", at(first), at(last), interval_s, "O", compact=compact) == expected
