"""Gravity readings in CSV: units at the border, and every nonsense told with file, line and column."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datum.formats.gravity_csv import read_gravity, write_gravity
from datum.gravity.network import adjust_gravity
from transforms.errors import FormatError
from transforms.time_scales import TimeScale

READINGS = """instrument,loop,point,time_utc,reading_mgal,sigma_mgal,tide_corrected,instrument_height_m,tare
CG5-36,d1,G1,2024-03-01T08:00:00,3000.000,0.003,yes,0.25,
CG5-36,d1,G2,2024-03-01T09:00:00Z,3012.510,0.003,yes,0.25,0
CG5-36,d1,G1,2024-03-01 10:00:00,3000.020,0.003,1,0.25,
CG5-36,d1,G2,2024-03-01T11:00,3012.530,0.003,true,,
"""
ABSOLUTE = """point,gravity_mgal,sigma_mgal,station,latitude_deg,longitude_deg
G1,979400.0000,0.002,SHAO00CHN,31.1,121.2
G2,,,BJFS00CHN,,
"""


def _write(
    folder: Path, readings: str | bytes = READINGS, absolute: str | bytes = ABSOLUTE
) -> tuple[Path, Path]:
    paths = folder / "readings.csv", folder / "absolute.csv"
    for path, content in zip(paths, (readings, absolute), strict=True):
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return paths


def test_readings_and_stations_are_read_in_si_units(tmp_path: Path) -> None:
    observations = read_gravity(*_write(tmp_path))
    first, second, _, last = observations.readings
    assert first.reading_m_per_s2 == pytest.approx(0.03)
    assert first.sigma_m_per_s2 == pytest.approx(3e-8)
    assert (first.instrument, first.loop, first.point, first.height_m) == ("CG5-36", "d1", "G1", 0.25)
    assert second.epoch.to(TimeScale.UTC).iso() == "2024-03-01T09:00:00"
    assert last.epoch.to(TimeScale.UTC).iso() == "2024-03-01T11:00:00"
    assert last.height_m == 0.0
    assert [a.point for a in observations.absolute] == ["G1"]
    assert observations.absolute[0].gravity_m_per_s2 == pytest.approx(9.794, abs=1e-12)
    assert observations.absolute[0].sigma_m_per_s2 == pytest.approx(2e-8)
    assert observations.stations == {"G1": "SHAO00CHN", "G2": "BJFS00CHN"}
    assert observations.geodetic_position_deg == {"G1": (31.1, 121.2)}


BAD_READINGS = {
    "empty": ("", None, "is empty"),
    "unknown column": (
        READINGS.replace("tare", "tear"),
        1,
        "unknown column 'tear'; the nearest known one is 'tare'",
    ),
    "missing column": (READINGS.replace("tide_corrected,", "", 1), 1, "the column tide_corrected is missing"),
    "with tides": (
        READINGS.replace("yes", "no", 1),
        2,
        "column tide_corrected: the reading still holds the tides",
    ),
    "perhaps": (READINGS.replace("yes", "maybe", 1), 2, "column tide_corrected: yes or no was expected"),
    "day first": (READINGS.replace("2024-03-01T08", "01.03.2024 08"), 2, "column time_utc: a time such as"),
    "no such day": (
        READINGS.replace("03-01T08", "02-30T08"),
        2,
        "column time_utc: 2024-02-30T08:00:00 is no time",
    ),
    "before leap seconds": (
        READINGS.replace("2024-03-01T08", "1969-03-01T08"),
        2,
        "is no time (UTC before 1972",
    ),
    "same moment": (READINGS.replace("T09:00:00Z", "T08:00:00"), 3, "reads at this time in line 2 already"),
    "whole gravity": (
        READINGS.replace("3000.000", "979400.0"),
        2,
        "column reading_mgal: 979400.0 is not between",
    ),
    "not a number": (READINGS.replace("3000.000", "NaN"), 2, "column reading_mgal: a finite number"),
    "zero sigma": (READINGS.replace("0.003", "0", 1), 2, "column sigma_mgal: 0 is not between"),
    "high instrument": (
        READINGS.replace("0.25", "25", 1),
        2,
        "column instrument_height_m: 25 is not between",
    ),
    "half a tare": (READINGS.replace(",0\n", ",0.5\n"), 3, "column tare: a whole number"),
    "no point": (READINGS.replace("G1", "", 1), 2, "column point: is empty"),
    "binary": (b"\x89PNG\r\n\x1a\n\xff", 1, "is not UTF-8"),
}


@pytest.mark.parametrize("case", BAD_READINGS)
def test_bad_readings_are_refused_with_their_line_and_column(tmp_path: Path, case: str) -> None:
    content, line, text = BAD_READINGS[case]
    paths = _write(tmp_path, content)
    with pytest.raises(FormatError) as caught:
        read_gravity(*paths)
    assert str(paths[0]) in str(caught.value)
    assert caught.value.line == line
    assert text in str(caught.value)


BAD_ABSOLUTE = {
    "in m/s2": (ABSOLUTE.replace("979400.0000", "9.794"), 2, "column gravity_mgal: 9.794 is not between"),
    "sigma alone": (ABSOLUTE.replace("G2,,", "G2,,1"), 3, "column sigma_mgal: is given without"),
    "twice": (ABSOLUTE.replace("G2", "G1"), 3, "column point: G1 stands in line 2 already"),
    "latitude alone": (ABSOLUTE.replace("121.2", ""), 2, "column longitude_deg: is empty"),
    "longitude alone": (ABSOLUTE.replace("31.1,", ","), 2, "column latitude_deg: is empty"),
}


@pytest.mark.parametrize("case", BAD_ABSOLUTE)
def test_bad_absolute_stations_are_refused_with_their_line_and_column(tmp_path: Path, case: str) -> None:
    content, line, text = BAD_ABSOLUTE[case]
    paths = _write(tmp_path, READINGS, content)
    with pytest.raises(FormatError) as caught:
        read_gravity(*paths)
    assert str(paths[1]) in str(caught.value)
    assert caught.value.line == line
    assert text in str(caught.value)


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=300))
def test_any_bytes_are_refused_with_a_format_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    with pytest.raises(FormatError):
        read_gravity(*_write(tmp_path_factory.mktemp("any"), content))


def test_written_gravity_is_the_same_bytes_every_time_and_in_mgal(tmp_path: Path) -> None:
    for name in ("first.csv", "second.csv"):
        write_gravity(tmp_path / name, adjust_gravity(read_gravity(*_write(tmp_path))))
    first = (tmp_path / "first.csv").read_bytes()
    assert first == (tmp_path / "second.csv").read_bytes()
    rows = [row.split(",") for row in first.decode().splitlines()]
    assert rows[0] == ["point", "station", "gravity_mgal", "sigma_mgal", "tide_system"]
    assert rows[1] == ["G1", "SHAO00CHN", "979400.0000", "0.0020", "zero-tide"]
    assert float(rows[2][2]) == pytest.approx(979412.50, abs=0.03)  # 0.25 m of instrument height apart
