"""Levelling in CSV: what is right is read, what is wrong is told with file, line and column."""

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datum.formats.levelling_csv import read_levelling, write_adjusted_lines, write_heights
from datum.height.levelling import adjust_levelling
from datum.records import TideSystem
from transforms.errors import FormatError, InputError

LINES = """# second order, 2023
line,from,to,height_difference_m,length_km,sigma_mm
L1,BM1,BM2,4.2000,16.0,
L2,BM2,BM3,-6.5010,9.0,5.5
L3,BM3,BM1,2.3000,25.0,
"""
BENCH_MARKS = """bench_mark,latitude_deg,longitude_deg,station,height_m,sigma_mm
BM1,31.1,121.2,SHAO00CHN,10.0000,
BM2,31.3,121.4,,14.2010,3
BM3,,,,,
"""


def _write(
    folder: Path, lines: str | bytes = LINES, bench_marks: str | bytes = BENCH_MARKS
) -> tuple[Path, Path]:
    paths = folder / "lines.csv", folder / "bench_marks.csv"
    for path, content in zip(paths, (lines, bench_marks), strict=True):
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return paths


def test_a_network_is_read_with_units_sigmas_and_inputs(tmp_path: Path) -> None:
    network = read_levelling(*_write(tmp_path), order=2)
    assert [line.name for line in network.lines] == ["L1", "L2", "L3"]
    assert network.lines[0].sigma_m == pytest.approx(0.002 * 4.0)  # 2 mm for 1 km, second order
    assert network.lines[1].sigma_m == pytest.approx(0.0055)
    assert (network.lines[1].frm, network.lines[1].to, network.lines[1].height_difference_m) == (
        "BM2",
        "BM3",
        -6.501,
    )
    assert network.lines[2].line_in_file == 5
    assert network.fixed_height_m == {"BM1": (10.0, 0.0), "BM2": (14.201, 0.003)}
    assert network.geodetic_position_deg == {"BM1": (31.1, 121.2), "BM2": (31.3, 121.4)}
    assert network.stations == {"BM1": "SHAO00CHN"}
    assert network.tide_system is TideSystem.MEAN_TIDE
    assert [len(item.sha256) for item in network.inputs] == [64, 64]


def test_a_byte_order_mark_windows_lines_and_spaces_are_accepted(tmp_path: Path) -> None:
    lines = b"\xef\xbb\xbf" + LINES.replace("\n", "\r\n").replace(",", " , ").encode()
    assert read_levelling(*_write(tmp_path, lines)).lines == read_levelling(*_write(tmp_path)).lines


BAD_LINES = {
    "no header": ("", None, "is empty"),
    "header only": ("line,from,to,height_difference_m,length_km\n", None, "no row"),
    "missing column": ("line,from,to,length_km\nL1,A,B,1\n", 1, "the column height_difference_m is missing"),
    "unknown column": (
        LINES.replace("sigma_mm", "sigma_mn"),
        2,
        "unknown column 'sigma_mn'; the nearest known one is 'sigma_mm'",
    ),
    "doubled column": ("line,line,from,to,height_difference_m,length_km\n", 1, "stands twice"),
    "short row": (LINES.replace("16.0,", "16.0"), 3, "5 fields, and the header names 6"),
    "doubled line": (LINES.replace("L3", "L1"), 5, "column line: L1 stands in line 3 already"),
    "empty name": (LINES.replace("L2,BM2", ",BM2"), 4, "column line: is empty"),
    "no number": (LINES.replace("4.2000", "4,2"), 3, "7 fields"),
    "word": (
        LINES.replace("4.2000", "four"),
        3,
        "column height_difference_m: a number was expected, and 'four'",
    ),
    "not a number": (LINES.replace("4.2000", "nan"), 3, "column height_difference_m: a finite number"),
    "infinite": (LINES.replace("4.2000", "inf"), 3, "column height_difference_m: a finite number"),
    "millimetres": (LINES.replace("4.2000", "42000"), 3, "column height_difference_m: 42000 is not between"),
    "steep": (LINES.replace("4.2000,16.0", "42.0,0.02"), 3, "steeper than 45 degrees"),
    "negative length": (LINES.replace("16.0", "-16.0"), 3, "column length_km: -16.0 is not between"),
    "zero sigma": (LINES.replace("5.5", "0"), 4, "column sigma_mm: 0 is not between"),
    "nowhere": (
        LINES.replace("BM1,BM2,4.2", "BM1,BM1,4.2"),
        3,
        "column to: the line ends at BM1, where it begins",
    ),
    "binary": (b"\x00\x01\x02\xff\xfe", 1, "is not UTF-8"),
    "nulls": (b"line,from\x00\n", 1, "binary data"),
    "open quote": (LINES.replace("L2", '"L2'), 4, "is not CSV"),
}


@pytest.mark.parametrize("case", BAD_LINES)
def test_a_bad_lines_file_is_refused_with_its_line_and_column(tmp_path: Path, case: str) -> None:
    content, line, text = BAD_LINES[case]
    paths = _write(tmp_path, content)
    with pytest.raises(FormatError) as caught:
        read_levelling(*paths)
    assert str(paths[0]) in str(caught.value)
    assert caught.value.line == line
    assert text in str(caught.value)


BAD_BENCH_MARKS = {
    "latitude alone": (BENCH_MARKS.replace("121.2", ""), 2, "column longitude_deg: is empty"),
    "longitude alone": (BENCH_MARKS.replace("31.1", ""), 2, "column latitude_deg: is empty"),
    "beyond the pole": (BENCH_MARKS.replace("31.1", "91.1"), 2, "column latitude_deg: 91.1 is not between"),
    "above Everest": (BENCH_MARKS.replace("10.0000", "10000"), 2, "column height_m: 10000 is not between"),
    "sigma without height": (
        BENCH_MARKS.replace("BM3,,,,,", "BM3,,,,,2"),
        4,
        "column sigma_mm: is given without",
    ),
    "negative sigma": (BENCH_MARKS.replace(",3\n", ",-3\n"), 3, "column sigma_mm: -3 is not between"),
    "twice": (BENCH_MARKS.replace("BM3", "BM2"), 4, "column bench_mark: BM2 stands in line 3 already"),
    "one station twice": (
        BENCH_MARKS.replace("121.4,,", "121.4,SHAO00CHN,"),
        3,
        "SHAO00CHN stands on bench mark BM1 already",
    ),
}


@pytest.mark.parametrize("case", BAD_BENCH_MARKS)
def test_a_bad_bench_marks_file_is_refused_with_its_line_and_column(tmp_path: Path, case: str) -> None:
    content, line, text = BAD_BENCH_MARKS[case]
    paths = _write(tmp_path, LINES, content)
    with pytest.raises(FormatError) as caught:
        read_levelling(*paths)
    assert str(paths[1]) in str(caught.value)
    assert caught.value.line == line
    assert text in str(caught.value)


def test_a_missing_file_a_folder_and_an_unknown_order_are_told(tmp_path: Path) -> None:
    paths = _write(tmp_path)
    with pytest.raises(FormatError, match=r"gone\.csv: cannot be read"):
        read_levelling(tmp_path / "gone.csv", paths[1])
    with pytest.raises(FormatError, match="cannot be read"):
        read_levelling(tmp_path, paths[1])
    with pytest.raises(InputError, match="order 5"):
        read_levelling(*paths, order=5)


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    paths = _write(tmp_path_factory.mktemp("any"), content)
    with pytest.raises(FormatError):
        read_levelling(*paths)


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, len(LINES) - 1), put=st.characters(codec="utf-8"))
def test_a_changed_character_gives_numbers_or_a_format_error(
    tmp_path_factory: pytest.TempPathFactory, at: int, put: str
) -> None:
    paths = _write(tmp_path_factory.mktemp("changed"), LINES[:at] + put + LINES[at + 1 :])
    try:
        network = read_levelling(*paths)
    except FormatError:
        return
    assert all(math.isfinite(line.height_difference_m) and line.sigma_m > 0.0 for line in network.lines)


def test_written_heights_are_the_same_bytes_every_time(tmp_path: Path) -> None:
    solution = adjust_levelling(read_levelling(*_write(tmp_path)))
    write_heights(tmp_path / "first.csv", solution)
    write_heights(tmp_path / "second.csv", adjust_levelling(read_levelling(*_write(tmp_path))))
    first = (tmp_path / "first.csv").read_bytes()
    assert first == (tmp_path / "second.csv").read_bytes()
    rows = first.decode().splitlines()
    assert rows[0] == "bench_mark,normal_height_m,sigma_mm,vertical_datum,tide_system"
    assert rows[1] == "BM1,10.00000,0.00,1985 National Height Datum,mean-tide"
    assert len(rows) == 4
    write_adjusted_lines(tmp_path / "lines_out.csv", solution)
    out = (tmp_path / "lines_out.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in out] == ["line", "L1", "L2", "L3"]
    assert "nan" not in (tmp_path / "lines_out.csv").read_text()


def test_what_is_not_controlled_has_no_limit_in_the_file(tmp_path: Path) -> None:
    lines = "line,from,to,height_difference_m,length_km\nL1,BM1,BM9,1.0,4.0\n"
    marks = "bench_mark,height_m\nBM1,10.0\n"
    write_adjusted_lines(
        tmp_path / "out.csv", adjust_levelling(read_levelling(*_write(tmp_path, lines, marks)))
    )
    assert (tmp_path / "out.csv").read_text().splitlines()[1] == "L1,0.00,0.00,0.000,,yes"
