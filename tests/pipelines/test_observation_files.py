"""Observation files are found by what they say, compressed or not, whatever their names."""

import bz2
import gzip
from datetime import date
from pathlib import Path

import pytest

from pipelines.observation_files import files_sha256, find_observation_files, observation_header
from transforms.errors import FormatError, InputError


def rinex(
    marker: str = "WUHN", first: str = "  2026     4    26     0     0    0.0000000     GPS", kind: str = "O"
) -> bytes:
    lines = [
        f"     3.05           {kind:<20s}M".ljust(60) + "RINEX VERSION / TYPE",
        f"{marker:<60s}MARKER NAME",
        f"{first:<60s}TIME OF FIRST OBS",
        " " * 60 + "END OF HEADER",
    ]
    return ("\n".join(lines) + "\n").encode()


def compact(content: bytes) -> bytes:
    head = "3.0                 COMPACT RINEX FORMAT".ljust(60) + "CRINEX VERS   / TYPE\n"
    return (head + "RNX2CRX".ljust(60) + "CRINEX PROG / DATE\n").encode() + content


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.txt", rinex()),
        ("no_name", gzip.compress(rinex())),
        ("b.bz2", bz2.compress(rinex())),
        ("wuhn.crx.gz", gzip.compress(compact(rinex()))),
    ],
)
def test_header_is_read_whatever_the_wrapping(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert observation_header(path) == ("WUHN", date(2026, 4, 26))


def test_two_digit_years_of_rinex_2(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(rinex(first="    99     4    26"))
    assert observation_header(path) == ("WUHN", date(1999, 4, 26))
    path.write_bytes(rinex(first="    24     4    26"))
    assert observation_header(path) == ("WUHN", date(2024, 4, 26))


def test_files_of_another_kind_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("read me")
    (tmp_path / "nav.rnx").write_bytes(rinex(kind="N"))
    (tmp_path / ".hidden").write_bytes(rinex())
    with pytest.raises(InputError, match="no RINEX observation file"):
        find_observation_files([tmp_path])
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "obs").write_bytes(rinex("WUH200CHN"))
    found = find_observation_files([tmp_path])
    assert [item.path.name for item in found.files] == ["obs"]
    assert len(found.of("WUH200CHN", date(2026, 4, 26))) == 1
    assert len(found.of("wuh2", date(2026, 4, 26))) == 1
    assert found.of("WUH2", date(2026, 4, 27)) == ()
    assert found.of("WUHN", date(2026, 4, 26)) == ()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (gzip.compress(rinex())[:-9], "decompressed"),
        (rinex(marker=""), "MARKER NAME"),
        (rinex(first="  2026    14    26"), "no date"),
        (rinex().replace(b"TIME OF FIRST OBS", b"COMMENT          "), "TIME OF FIRST OBS"),
    ],
)
def test_a_damaged_file_is_passed_over_with_a_remark(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises(FormatError, match=words):
        observation_header(tmp_path / "bad")
    (tmp_path / "good").write_bytes(rinex())
    found = find_observation_files([tmp_path])
    assert len(found.files) == 1
    assert len(found.remarks) == 1
    assert words in found.remarks[0]


def test_missing_places(tmp_path: Path) -> None:
    for function in (find_observation_files, files_sha256):
        with pytest.raises(InputError, match="no such folder"):
            function([tmp_path / "absent"])


def test_fingerprint_of_products_follows_content(tmp_path: Path) -> None:
    (tmp_path / "a.sp3").write_text("1")
    first = files_sha256([tmp_path])
    assert files_sha256([tmp_path]) == first
    (tmp_path / "b.clk").write_text("2")
    second = files_sha256([tmp_path])
    (tmp_path / "b.clk").write_text("3")
    assert len({first, second, files_sha256([tmp_path])}) == 3
