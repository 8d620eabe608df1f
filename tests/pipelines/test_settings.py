"""REGION.toml: what is read, and how a mistake is told."""

from datetime import date
from pathlib import Path

import pytest

from pipelines.days import day_name, parse_day
from pipelines.settings import read_region
from transforms.errors import FormatError, InputError

MINIMAL = """\
[region]
name = "Delta"
days = ["2026-116", "2026-04-27"]

[paths]
observations = ["rinex"]
products = "products"
catalogue = "/srv/catalogue"
work = "work"

[[stations]]
code = "JZ0100CHN"

[[stations]]
code = "JZ02"
velocity_m_per_yr = [-0.03, -0.01, -0.01]

[publish]
product = "delta"
"""


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "REGION.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_minimal_region(tmp_path: Path) -> None:
    region = read_region(write(tmp_path, MINIMAL))
    assert region.region.days == (date(2026, 4, 26), date(2026, 4, 27))
    assert region.paths.observations == (tmp_path / "rinex",)
    assert region.paths.products == (tmp_path / "products",)
    assert region.paths.catalogue == Path("/srv/catalogue")
    assert region.processing.systems == "GEC"
    found = region.station("jz02")
    assert found is not None
    assert found.velocity_m_per_yr == (-0.03, -0.01, -0.01)
    assert region.station("JZ0200CHN") is found
    assert region.station("WUHN") is None


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('name = "Delta"', 'nmae = "Delta"', 2, ['unknown key "nmae"', '"name"', "region"]),
        ('code = "JZ02"', 'code = "JZ02"\nvelocity = [1, 2, 3]', 16, ['"velocity"', '"velocity_m_per_yr"']),
        ("[publish]", "[publsh]\n[publish]", 18, ['"publsh"', '"publish"']),
        ('product = "delta"', 'product = "Delta 1"', 19, ["publish.product"]),
        ('product = "delta"', "", 18, ["publish.product", "missing"]),
        ("2026-04-27", "2026-367", 3, ["region.days", "2026-367"]),
        ("2026-04-27", "2026-116", None, ["twice"]),
        ('code = "JZ02"', 'code = "jz02"', 15, ["stations[2].code", "jz02"]),
        ('code = "JZ02"', 'code = "JZ01"', None, ["JZ01", "twice"]),
        ("-0.03, ", "nan, ", 16, ["velocity_m_per_yr"]),
        ("-0.03, ", "", 16, ["velocity_m_per_yr"]),
        ('products = "products"', 'products = ""', 7, ["empty"]),
        ("[publish]", '[processing]\nsystems = "GX"\n[publish]', 19, ["GX"]),
        ("[publish]", '[processing]\nsystems = "GG"\n[publish]', 19, ["each once", "GG"]),
        ("[publish]", "[processing]\nallow_missing_antenna = 7\n[publish]", 19, ["allow_missing_antenna"]),
        ("[publish]", "[publish", 18, ["not TOML"]),
        (
            'name = "Delta"',
            'name = "Delta"\nframe = "IGS99"',
            3,
            ["region.frame", '"IGS99"', "IGS20", "CGCS2000"],
        ),
        ('name = "Delta"', 'name = "Delta"\ndatum_frame = "WGS84"', 3, ["region.datum_frame", "CGCS2000"]),
    ],
)
def test_mistakes_name_key_and_line(
    tmp_path: Path, old: str, new: str, line: int | None, words: list[str]
) -> None:
    assert old in MINIMAL
    with pytest.raises(FormatError) as caught:
        read_region(write(tmp_path, MINIMAL.replace(old, new, 1)))
    for word in words:
        assert word in str(caught.value)
    if line is not None:
        assert caught.value.line == line


def test_control_station_must_be_of_the_region(tmp_path: Path) -> None:
    text = MINIMAL + (
        '\n[[control]]\nstation = "WUHN"\nframe = "IGS20"\nepoch = "2020-01-01"\n'
        "position_ecef_m = [1.0, 2.0, 3.0]\n"
    )
    with pytest.raises(FormatError, match="WUHN is not one of"):
        read_region(write(tmp_path, text))


@pytest.mark.parametrize(
    ("content", "word"), [(b"", "empty"), (b"\xff\xfe\x00\x80", "not a text"), (b"\n \n", "empty")]
)
def test_unreadable_content(tmp_path: Path, content: bytes, word: str) -> None:
    with pytest.raises(FormatError, match=word):
        read_region(write(tmp_path, content))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_region(tmp_path / "REGION.toml")


def test_days() -> None:
    assert parse_day("2024-366") == date(2024, 12, 31)
    assert day_name(date(2024, 12, 31)) == "2024-366"
    for wrong in ("2023-366", "2026-000", "26-116", "yesterday", "1979-100", 3):
        with pytest.raises(ValueError):
            parse_day(wrong)
