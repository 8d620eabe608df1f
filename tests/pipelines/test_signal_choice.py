"""Signal pairs and satellites as they are written on the command line and in REGION.toml."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.settings import read_region
from pipelines.signal_choice import satellite_groups, signal_pairs, words_of_pairs
from transforms.errors import FormatError

Command = Callable[..., Any]


def test_pairs_are_read_by_system_in_the_order_of_preference() -> None:
    pairs = signal_pairs(["c:1P+5P, G:1C+2W", "C:1+7"], "GEC")
    assert pairs == {"C": (("1P", "5P"), ("1", "7")), "G": (("1C", "2W"),)}
    assert signal_pairs([words_of_pairs(pairs)], "GEC") == pairs


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1P+5P", "system, a colon"),
        ("C:1P", "two bands"),
        ("S:1C+5I", 'letters out of "GRECJ"'),
        ("J:1+2", "not among the systems GEC"),
        ("C:1+4", "C has no band 4 (it has 1 B1C, 2 B1I"),
        ("G:1C+1W", "one carrier"),
        ("", "system, a colon"),
    ],
)
def test_a_pair_that_cannot_be_is_told(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        signal_pairs([text], "GEC")


def test_satellites_are_named_one_by_one_or_from_the_first_to_the_last() -> None:
    groups = satellite_groups(["G05, c01-C03", "E07-08"])
    assert groups == {
        "G05": {"G05"},
        "C01-C03": {"C01", "C02", "C03"},
        "E07-08": {"E07", "E08"},
    }


@pytest.mark.parametrize("text", ["5", "G5", "C03-C01", "C00", "C01-G18", "X01", ""])
def test_satellites_that_cannot_be_are_told(text: str) -> None:
    with pytest.raises(ValueError, match="satellites are"):
        satellite_groups([text])


def solved(jizhun: Command, region: Path, *arguments: str) -> Any:
    station = next((region / "observations").glob("NJLS*2026116*"))
    antex = next((region / "antex").iterdir())
    given = ("--products", region / "products", "--antex", antex, "--interval", "300", "--json")
    return jizhun("station", "solve", station, *given, *arguments)


def test_the_command_takes_pairs_satellites_and_cutoff(sample_region: Path, jizhun: Command) -> None:
    usual = json.loads(solved(jizhun, sample_region, "--systems", "C").out)
    other = solved(jizhun, sample_region, "--systems", "C", "--signals", "C:1P+5P")
    asked = json.loads(other.out)
    assert usual["signals"] == ["C:2I+6I"]
    assert asked["signals"] == ["C:1P+5P"]
    high = json.loads(solved(jizhun, sample_region, "--systems", "C", "--elevation-cutoff", "20").out)
    assert high["n_observations"] < usual["n_observations"]
    fewer = json.loads(solved(jizhun, sample_region, "--systems", "C", "--exclude", "C19-C25,C38-C40").out)
    assert fewer["n_observations"] < usual["n_observations"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--signals", "C:8+1"), 1, "no satellite was tracked on C:8+1; the files hold of C: 1P, "),
        (("--signals", "C:2I+6X"), 1, "no satellite was tracked on C:2I+6X"),
        (("--signals", "J:1+2"), 2, "not among the systems GEC"),
        (("--signals", "C1P5P"), 2, "a pair of signals is"),
        (("--exclude", "G99"), 1, "G99 is to be left out, and the files hold no such satellite"),
        (("--exclude", "GPS"), 2, "satellites are named"),
        (("--elevation-cutoff", "-3"), 2, "elevation-cutoff"),
    ],
)
def test_what_is_not_there_or_cannot_be_is_an_error(
    arguments: tuple[str, ...], code: int, words: str, sample_region: Path, jizhun: Command
) -> None:
    result = solved(jizhun, sample_region, *arguments)
    assert result.code == code
    plain = " ".join(result.err.replace("│", " ").split())
    assert words in plain
    assert "Traceback" not in result.err


REGION = """\
[region]
name = "Delta"
days = ["2026-116"]
[processing]
systems = "GC"
signals = ["C:1P+5P", "G:1C+2W"]
exclude = "C01-C18"
[paths]
observations = ["rinex"]
products = "products"
catalogue = "catalogue"
work = "work"
[[stations]]
code = "JZ01"
[publish]
product = "delta"
"""


def test_a_region_names_the_same(tmp_path: Path) -> None:
    path = tmp_path / "REGION.toml"
    path.write_text(REGION)
    processing = read_region(path).processing
    assert processing.signals == ("C:1P+5P", "G:1C+2W")
    assert processing.exclude == ("C01-C18",)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"C:1P+5P"', '"E:1+5"', "not among the systems GC"),
        ('"C01-C18"', '"BDS-2"', "satellites are named"),
    ],
)
def test_a_region_that_names_what_cannot_be_is_refused(
    old: str, new: str, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "REGION.toml"
    path.write_text(REGION.replace(old, new))
    with pytest.raises(FormatError) as error:
        read_region(path)
    assert words in str(error.value)
    assert "processing" in str(error.value)
