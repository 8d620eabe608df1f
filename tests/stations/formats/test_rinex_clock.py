"""RINEX clocks: the Wuhan day against awk, both column layouts, round trip, broken files."""

import numpy as np
import pytest

from stations.formats.rinex_clock import join_clocks, read_rinex_clock, write_rinex_clock
from stations.formats.sp3 import read_sp3
from stations.records import SatelliteClocks
from transforms.errors import FormatError, InputError
from transforms.time_scales import Epochs, TimeScale


def some_clocks(centre="WUM", start="2024-02-04", satellites=("C23", "G01"), value=1e-4):
    epochs = Epochs.from_datetime64(np.datetime64(start, "ns") + np.arange(3) * np.timedelta64(30, "s"))
    table = np.full((3, len(satellites)), value) + np.arange(3)[:, None] * 1e-9
    return SatelliteClocks(epochs, tuple(satellites), table, centre)


@pytest.mark.real_data
def test_wuhan_day_is_what_awk_finds(real_data, station_format_values):
    expected = station_format_values["wum_clocks"]
    clocks = read_rinex_clock(real_data / expected["file"])
    assert clocks.clock_s.shape == (expected["epochs"], expected["satellites"])
    assert np.isfinite(clocks.clock_s).sum() == expected["records"]
    noon = int(np.flatnonzero(clocks.epochs.datetime64() == np.datetime64("2023-01-01T12:00"))[0])
    assert clocks.clock_s[noon, clocks.satellites.index("C19")] == expected["c19_noon_s"]
    assert clocks.centre == "WUM"


@pytest.mark.real_data
def test_the_orbits_of_the_same_day_carry_the_same_clocks(real_data, station_format_values):
    """Two files of one centre, two readers: equal to the picosecond that SP3 prints."""
    clocks = read_rinex_clock(real_data / station_format_values["wum_clocks"]["file"])
    orbits = read_sp3(real_data / station_format_values["wum_orbits"]["file"])
    rows = np.searchsorted(clocks.epochs.tai_ns, orbits.epochs.tai_ns)
    columns = [clocks.satellites.index(s) for s in orbits.satellites]
    np.testing.assert_allclose(clocks.clock_s[np.ix_(rows, columns)], orbits.clock_s, rtol=0, atol=1.1e-12)


@pytest.mark.parametrize("extra", [0, 5])
def test_both_widths_of_names_and_every_time_system(tmp_path, extra):
    """Version 3.04 has names of nine columns; the header's label then stands in column 66."""
    path = tmp_path / "a.clk"
    write_rinex_clock(some_clocks(), path)
    lines = path.read_text().splitlines()
    moved = [
        line[:6] + " " * (extra + 1) + line[7:]
        if line.startswith("AS ")
        else line.replace("   GPS", "   BDT", 1)
        for line in lines
    ]
    path.write_text("\n".join(moved) + "\n")
    again = read_rinex_clock(path)
    np.testing.assert_allclose(again.clock_s, some_clocks().clock_s, rtol=1e-12, atol=0)  # 13 digits printed
    expected = Epochs.from_datetime64(some_clocks().epochs.datetime64(), TimeScale.BDT)
    np.testing.assert_array_equal(again.epochs.tai_ns, expected.tai_ns)


def test_round_trip_keeps_gaps_and_bytes(tmp_path):
    clocks = some_clocks(value=-0.899495379167e-03)
    clocks.clock_s[1, 0] = np.nan
    path = tmp_path / "a.clk.gz"
    write_rinex_clock(clocks, path)
    again = read_rinex_clock(path)
    np.testing.assert_allclose(again.clock_s, clocks.clock_s, rtol=1e-12, atol=0)
    assert (again.centre, again.satellites) == ("WUM", clocks.satellites)
    stored = path.read_bytes()
    write_rinex_clock(again, path)
    assert path.read_bytes() == stored


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("     3.00           C", "     3.00           N", "line 1: expected the header of a RINEX clock"),
        ("     3.00           C", "     1.00           C", "version '1.00'"),
        ("END OF HEADER", "END OF HEADED", "no END OF HEADER"),
        ("   GPS", "   XYZ", "unknown time system 'XYZ'"),
        ("AS C23  2024 02 04 00 00 30", "AS C23  2024 02 34 00 00 30", "no calendar reading"),
        ("AS C23  2024 02 04 00 00 30", "AS X23  2024 02 04 00 00 30", "no satellite"),
        ("AS G01  2024 02 04 00 00 30", "AS C23  2024 02 04 00 00 30", "given already"),
        (" 1.000010000000E-04", " 1.0000x0000000E-04", "no number in columns"),
    ],
)
def test_defects_are_named(tmp_path, old, new, words):
    path = tmp_path / "a.clk"
    write_rinex_clock(some_clocks(), path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(FormatError, match=words):
        read_rinex_clock(path)


def test_a_clock_of_a_second_is_none(tmp_path):
    path = tmp_path / "a.clk"
    write_rinex_clock(some_clocks(), path)
    path.write_text(path.read_text().replace(" 1.000010000000E-04", " 0.999999999999E+06", 1))
    assert np.isnan(read_rinex_clock(path).clock_s).sum() == 1


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["NotAClockFile", "IncompleteHeader"])
def test_broken_files_of_others(real_data, name):
    with pytest.raises(FormatError):
        read_rinex_clock(real_data / "parsers" / "gnsstk" / f"test_input_rinex3_clock_{name}.96c")


def test_a_damaged_type_is_no_record_to_pass_over(tmp_path):
    path = tmp_path / "some.clk"
    write_rinex_clock(some_clocks(), path)
    good = path.read_text()
    path.write_text(good.replace("AS G01", "ASXG01", 1))
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if text.startswith("ASXG01"))
    with pytest.raises(FormatError, match=f"line {line}: no type of a clock record"):
        read_rinex_clock(path)


def test_joining(tmp_path):
    both = join_clocks(
        [some_clocks(), some_clocks(start="2024-02-04T00:01", satellites=("G01",), value=2e-4)]
    )
    assert both.clock_s.shape == (5, 2)
    assert both.clock_s[2, 1] == some_clocks().clock_s[2, 1]
    assert np.isnan(both.clock_s[4, 0])
    with pytest.raises(InputError, match="GRG, WUM"):
        join_clocks([some_clocks(), some_clocks("GRG")])
