"""`jizhun rinex`: what files hold, what is wrong in them, and observations written anew."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stations.formats.registry import FORMATS
from stations.formats.rinex_observation import read_observations
from transforms.time_scales import Epochs

Command = Callable[..., Any]
EXAMPLES = Path(__file__).parent.parent / "stations" / "formats" / "examples"
OBSERVATIONS = EXAMPLES / "observation_v3.rnx"
# Counted by hand in the example: 8 epochs, 4 satellites.
N_EPOCHS = 8
N_SATELLITES = 4


@pytest.mark.parametrize("command", ["info", "check", "convert"])
def test_help_has_an_example_and_json(command: str, jizhun: Command) -> None:
    result = jizhun("rinex", command, "--help")
    assert result.code == 0
    assert f"Example: jizhun rinex {command}" in result.out
    assert "--json" in result.out


@pytest.mark.parametrize(
    ("name", "example"), [(f.name, e) for f in FORMATS for e in f.examples], ids=lambda v: str(v)
)
def test_info_tells_every_format(name: str, example: str, jizhun: Command) -> None:
    result = jizhun("rinex", "info", EXAMPLES / example, "--json")
    assert result.code == 0, result.err
    (facts,) = json.loads(result.out)["files"]
    assert facts["format"] == name
    assert facts["counts"]
    assert all(count >= 0 for count in facts["counts"].values())
    assert any(facts["counts"].values())
    shown = jizhun("rinex", "info", EXAMPLES / example)
    assert shown.code == 0
    assert facts["title"] in shown.out


def test_info_of_observations(jizhun: Command) -> None:
    (facts,) = json.loads(jizhun("rinex", "info", OBSERVATIONS, "--json").out)["files"]
    assert facts["station"] == "NJLS"
    assert facts["version"] == "3.05"
    assert facts["receiver"] == "TRIMBLE ALLOY"
    assert facts["antenna"] == "TRM59800.00 NONE"
    assert (facts["first_epoch"], facts["last_epoch"]) == ("2026-04-26T00:00:00", "2026-04-26T00:03:30")
    assert facts["interval_s"] == 30.0
    assert facts["systems"] == ["C", "E", "G", "R"]
    assert facts["signals"]["C"] == ["C2I", "D2I", "L2I", "S2I", "C5P", "D5P", "L5P", "S5P"]
    assert facts["counts"]["epochs"] == N_EPOCHS
    assert facts["counts"]["satellites"] == N_SATELLITES
    # 4 observables on 2 + 2 + 2 + 1 signals at each epoch; C24 with its two is missing at one.
    assert facts["counts"]["observations"] == (8 * 7 - 2) * 4


def test_info_of_several_files_goes_on_after_a_bad_one(jizhun: Command, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("this is a letter to a friend\n")
    result = jizhun("rinex", "info", letter, OBSERVATIONS, "--json")
    assert result.code == 1
    said = json.loads(result.out)
    assert [f["file"] for f in said["files"]] == [str(OBSERVATIONS)]
    assert [f["file"] for f in said["errors"]] == [str(letter)]
    alone = jizhun("rinex", "info", letter)
    assert (alone.code, alone.out) == (1, "")
    assert re.fullmatch(r"jizhun: .*letter\.txt, line 1: of no format .*\n", alone.err)


@pytest.mark.real_data
def test_info_is_right_or_one_clear_line_on_every_file(real_data: Path, jizhun: Command) -> None:
    files = sorted(p for p in (real_data / "parsers").rglob("*") if p.is_file())
    result = jizhun("rinex", "info", *files, "--json")
    said = json.loads(result.out)
    assert len(said["files"]) + len(said["errors"]) == len(files) > 200
    lines = result.err.splitlines()
    assert len(lines) == len(said["errors"])
    for line, failure in zip(lines, said["errors"], strict=True):
        assert line == f"jizhun: {failure['error']}"
        assert failure["file"] in line
        assert "Traceback" not in line
        assert len(line) < 500
    described = {Path(f["file"]).name: f for f in said["files"]}
    # Told by the files' names, which the reader does not look at.
    for name, facts in described.items():
        if re.search(r"_MO\.(rnx|crx)|\.\d\d[od](\.gz)?$", name):
            assert facts["format"] == "rinex-observation", name
        elif re.search(r"_MN\.rnx|\.\d\d[ng](\.gz)?$", name):
            assert facts["format"] == "rinex-navigation", name
        elif re.search(r"_MM\.rnx|\.\d\dm(\.gz)?$", name):
            assert facts["format"] == "rinex-meteorology", name
        elif re.search(r"\.(sp3)[acd]?(\.gz)?$", name, re.I):
            assert facts["format"] == "sp3", name
        elif ".log" in name:
            assert facts["format"] == "site-log", name
        # A file named by a day begins on it.
        day = re.match(r"[A-Z0-9]{9}_[RSU]_(\d{4})(\d{3})\d{4}_.*M[OM]\.", name)
        if day:
            start = np.datetime64(f"{day[1]}-01-01") + np.timedelta64(int(day[2]) - 1, "D")
            assert facts["first_epoch"].startswith(str(start)), name
    assert len(described) > 140
    # Not one observation or navigation file without a reason in its error.
    assert not [f for f in said["errors"] if re.search(r"internal|exception|None", f["error"])]


def test_check_of_a_sound_file(jizhun: Command) -> None:
    result = jizhun("rinex", "check", OBSERVATIONS, "--json")
    assert result.code == 0
    assert json.loads(result.out)["files"][0] == {
        "file": str(OBSERVATIONS),
        "format": "rinex-observation",
        "sound": True,
        "problems": [],
    }


def test_check_lists_all_damage_with_its_lines(jizhun: Command, tmp_path: Path) -> None:
    lines = OBSERVATIONS.read_text().splitlines()
    epochs = [i for i, line in enumerate(lines) if line.startswith(">")]
    lines[epochs[1]] = lines[epochs[1]].replace("2026 04", "2026 14")
    lines[epochs[4] + 1] = lines[epochs[4] + 1][:5] + "x" + lines[epochs[4] + 1][6:]
    damaged = tmp_path / "damaged.rnx"
    damaged.write_text("\n".join(lines) + "\n")
    result = jizhun("rinex", "check", damaged, "--json")
    assert result.code == 1
    problems = json.loads(result.out)["files"][0]["problems"]
    named = {number for problem in problems for number in problem["lines"]}
    assert {epochs[1] + 1, epochs[4] + 2} <= named
    shown = jizhun("rinex", "check", damaged)
    assert shown.code == 1
    assert f"line {epochs[1] + 1}" in shown.out


def test_check_of_another_format_names_the_line(jizhun: Command, tmp_path: Path) -> None:
    text = (EXAMPLES / "orbits_d.sp3").read_text().splitlines()
    number = next(i for i, line in enumerate(text) if line.startswith("PE05"))
    text[number] = text[number][:10] + "*" + text[number][11:]
    damaged = tmp_path / "damaged.sp3"
    damaged.write_text("\n".join(text) + "\n")
    (facts,) = json.loads(jizhun("rinex", "check", damaged, "--json").out)["files"]
    assert [p["lines"] for p in facts["problems"]] == [[number + 1]]


@pytest.mark.parametrize("ending", ["rnx", "rnx.gz", "crx", "crx.gz"])
@pytest.mark.parametrize("version", ["3.05", "4.02"])
def test_convert_cuts_thins_and_chooses(ending: str, version: str, jizhun: Command, tmp_path: Path) -> None:
    out = tmp_path / f"out.{ending}"
    result = jizhun(
        "rinex", "convert", OBSERVATIONS, "--out", out, "--version", version, "--interval", "60",
        "--systems", "GC", "--from", "2026-04-26T00:01:00", "--to", "2026-04-26T00:03:00", "--json",
    )  # fmt: skip
    assert result.code == 0, result.err
    said = json.loads(result.out)
    assert said["systems"] == ["C", "G"]
    written, original = read_observations(out), read_observations(OBSERVATIONS)
    assert written.header.rinex_version == version
    assert written.satellites == ("C24", "G07")
    assert [Epochs(t).iso() for t in written.epochs.tai_ns] == [
        "2026-04-26T00:01:00",
        "2026-04-26T00:02:00",
        "2026-04-26T00:03:00",
    ]
    for name in ("pseudorange_m", "carrier_phase_cycles"):
        kept = original.data[name].sel(
            epoch=written.data["epoch"], satellite=written.data["satellite"], signal=written.data["signal"]
        )
        np.testing.assert_array_equal(written.data[name].values, kept.values)
    assert [p.name for p in tmp_path.iterdir()] == [out.name]


def test_convert_never_overwrites_its_input(jizhun: Command, tmp_path: Path) -> None:
    source = tmp_path / "in.rnx"
    source.write_bytes(OBSERVATIONS.read_bytes())
    (tmp_path / "link.rnx").symlink_to(source)
    for name in ("in.rnx", "link.rnx"):
        result = jizhun("rinex", "convert", source, "--out", tmp_path / name, "--replace")
        assert result.code == 1
        assert "never overwritten" in result.err
    assert source.read_bytes() == OBSERVATIONS.read_bytes()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--out", "{}/out.zip"), 1, "the ending says how"),
        (("--out", "{}/there.rnx"), 1, "exists already"),
        (("--out", "{}/o.rnx", "--systems", "X"), 2, "letters out of"),
        (("--out", "{}/o.rnx", "--version", "2.10"), 2, "2.10"),
        (("--out", "{}/o.rnx", "--from", "yesterday"), 2, "is no epoch"),
        (("--out", "{}/o.rnx", "--from", "2027-01-01"), 1, "no observations"),
        (("--out", "{}/o.rnx", "--systems", "J"), 1, "no observations of the systems J"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, tuple) else str(v),
)
def test_convert_refuses(
    words: tuple[str, ...], code: int, said: str, jizhun: Command, tmp_path: Path
) -> None:
    (tmp_path / "there.rnx").write_text("precious\n")
    result = jizhun("rinex", "convert", OBSERVATIONS, *(w.format(tmp_path) for w in words))
    assert result.code == code
    assert said in result.err
    assert result.out == ""
    assert [p.name for p in tmp_path.iterdir()] == ["there.rnx"]
    assert (tmp_path / "there.rnx").read_text() == "precious\n"
