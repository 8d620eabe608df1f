"""What `jizhun station solve` says of input that is damaged, incomplete or not what was asked for."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def station_file(sample_region: Path) -> Path:
    return next((sample_region / "observations").glob("NJLS*2026116*"))


@pytest.fixture(scope="module")
def antex(sample_region: Path) -> Path:
    return next((sample_region / "antex").iterdir())


def plain_text(path: Path) -> bytes:
    from stations.formats.compression import read_bytes

    return read_bytes(path)[0]


@pytest.mark.parametrize("content", [bytes(range(256)) * 40, b"a letter to a friend\n" * 20])
def test_a_named_file_that_is_no_product_is_named(
    content: bytes, tmp_path: Path, station_file: Path, jizhun: Command
) -> None:
    path = tmp_path / "orbits.sp3"
    path.write_bytes(content)
    result = jizhun("station", "solve", station_file, "--products", path)
    assert result.code == 1
    assert "orbits.sp3" in result.err
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize("cut_lines", [1.5, 40, 3000])
def test_orbits_that_are_cut_off_are_refused(
    cut_lines: float, tmp_path: Path, sample_region: Path, station_file: Path, jizhun: Command
) -> None:
    source = next(p for p in sorted((sample_region / "products").iterdir()) if ".SP3" in p.name.upper())
    text = plain_text(source)
    path = tmp_path / "cut.sp3"
    path.write_bytes(text[: len(text) - round(cut_lines * 61)])
    result = jizhun("station", "solve", station_file, "--products", path)
    assert result.code == 1
    assert "cut.sp3" in result.err
    assert "cut off" in result.err


def test_an_antenna_without_calibration_is_refused_unless_allowed(
    sample_region: Path, station_file: Path, antex: Path, tmp_path: Path, jizhun: Command
) -> None:
    from stations.formats.rinex_observation import read_observations

    antenna = read_observations([station_file]).header.setup.antenna.name.encode()
    text = plain_text(antex)
    assert antenna in text
    without = tmp_path / "without.atx"
    without.write_bytes(text.replace(antenna, b"X" * len(antenna)))
    words = ("station", "solve", station_file, "--products", sample_region / "products", "--json")
    words += ("--antex", without)
    refused = jizhun(*words)
    assert refused.code == 1
    assert refused.out == ""
    assert len(refused.err.splitlines()) == 1
    assert "receiver antenna" in refused.err
    assert "allow a missing antenna" in refused.err
    allowed = jizhun(*words, "--allow-missing-antenna")
    assert allowed.code == 0, allowed.err
    assert "has no calibration" in allowed.err


def test_damage_and_systems_without_data_are_told(
    sample_region: Path, station_file: Path, antex: Path, tmp_path: Path, jizhun: Command
) -> None:
    lines = plain_text(station_file).decode().splitlines(keepends=True)
    from stations.formats.rinex_observation import read_observations

    half = len(lines) * 3 // 5
    lines[half] = "?" * 40 + "\n"
    damaged = tmp_path / "NJLS00CHN_R_20261160000_01D_05M_MO.crx.gz"
    damaged.write_bytes(gzip.compress("".join(lines).encode(), mtime=0))
    expected = read_observations([damaged])
    assert expected.damage  # the reader reports it, so the command has to
    words = ("--products", sample_region / "products", "--antex", antex, "--systems", "GECJ", "--json")
    result = jizhun("station", "solve", damaged, *words, "--out", tmp_path / "o")
    assert result.code == 0, result.err
    content = json.loads(result.out)
    for item in expected.damage:
        assert content["rejections"][item.reason] >= item.count
        assert f"{damaged.name} is damaged: {item.count} x {item.reason}" in result.err
    assert content["rejections"]["system J asked for, without data"] == 1
    assert "system J was asked for" in result.err
    assert set(content["systems"]) == {"G", "E", "C"}
    kept = json.loads(next((tmp_path / "o").glob("*.json")).read_text())
    assert "system J asked for, without data" in json.dumps(kept)


def test_ambiguities_fixed_and_written(
    sample_region: Path, station_file: Path, antex: Path, tmp_path: Path, jizhun: Command
) -> None:
    words = ("--products", sample_region / "products", "--antex", antex, "--ambiguities", "fix")
    result = jizhun("station", "solve", station_file, *words, "--out", tmp_path / "o", "--json")
    assert result.code == 0, result.err
    assert sorted(p.suffix for p in (tmp_path / "o").iterdir()) == [".json", ".nc", ".snx"]
    content = json.loads(result.out)
    assert not any("without data" in reason for reason in content["rejections"])
    assert "damaged" not in result.err


@pytest.mark.parametrize(("asked", "used", "said"), [("7", 2100.0, True), ("300", 300.0, False)])
def test_an_interval_that_the_observations_do_not_have_is_said(
    asked: str, used: float, said: bool, sample_region: Path, station_file: Path, antex: Path, jizhun: Command
) -> None:
    given = ("--products", sample_region / "products", "--antex", antex, "--interval", asked, "--json")
    result = jizhun("station", "solve", station_file, *given)
    words = " ".join(json.loads(result.out)["remarks"])
    assert (f"an interval of {asked} s was asked for" in words) == said
    assert (f"multiples of both serve, every {used:g} s" in words) == said
