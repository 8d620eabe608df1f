"""`jizhun site`: a log shown, and held against the headers of files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]
EXAMPLES = Path(__file__).parent.parent / "stations" / "formats" / "examples"
OBSERVATIONS = EXAMPLES / "observation_v3.rnx"
LOGS = ["site_v1.log", "site_v2.log", "site.xml"]


@pytest.mark.parametrize("command", ["show", "check"])
def test_help_has_an_example_and_json(command: str, jizhun: Command) -> None:
    result = jizhun("site", command, "--help")
    assert result.code == 0
    assert f"Example: jizhun site {command}" in result.out
    assert "--json" in result.out


@pytest.mark.parametrize("log", LOGS)
def test_show_tells_equipment_and_times(log: str, jizhun: Command) -> None:
    facts = json.loads(jizhun("site", "show", EXAMPLES / log, "--json").out)
    assert facts["station"].startswith("NJLS")
    assert facts["domes"] == "21699M001"
    assert [r["type"] for r in facts["receivers"]] == ["TRIMBLE NETR9", "TRIMBLE ALLOY"]
    assert facts["receivers"][0]["removed"] == "2024-03-01T02:00:00"
    assert facts["antennas"][0]["eccentricity_enu_m"] == pytest.approx([0.001, -0.002, 0.05])
    shown = jizhun("site", "show", EXAMPLES / log)
    assert shown.code == 0
    assert "TRM59800.00 NONE" in shown.out


@pytest.mark.parametrize("log", LOGS)
def test_check_finds_agreement(log: str, jizhun: Command) -> None:
    result = jizhun("site", "check", EXAMPLES / log, OBSERVATIONS, "--json")
    facts = json.loads(result.out)
    assert facts["differences"] == []
    assert facts["agrees"] is True
    assert result.code == 0


@pytest.mark.parametrize(
    ("old", "new", "section", "what"),
    [
        ("TRIMBLE ALLOY", "TRIMBLE NETR9", "3.2", "receiver"),
        ("5001    ", "5009    ", "3.2", "serial number of the receiver"),
        ("6.10 ", "6.20 ", "3.2", "firmware of the receiver"),
        ("TRM59800.00     NONE", "TRM57971.00     NONE", "4.1", "antenna"),
        ("TRM59800.00     NONE", "TRM59800.00     SCIS", "4.1", "radome"),
        ("        0.0500", "        0.0511", "4.1", "eccentricity east north up, m"),
        ("21699M001", "21699M002", "1", "DOMES number"),
        ("NJLS        ", "HUSH        ", "1", "name of the station"),
        ("-2605000.0000", "-2605900.0000", "2", "approximate position"),
        ("2026 04 26", "2019 04 26", None, "receiver"),
    ],
)
def test_check_lists_each_difference_with_its_section(
    old: str, new: str, section: str | None, what: str, jizhun: Command, tmp_path: Path
) -> None:
    text = OBSERVATIONS.read_text()
    assert old in text
    changed = tmp_path / "changed.rnx"
    changed.write_text(text.replace(old, new))
    result = jizhun("site", "check", EXAMPLES / "site_v2.log", changed, "--json")
    assert result.code == 1
    found = [(d["section"], d["what"]) for d in json.loads(result.out)["differences"]]
    assert (section, what) in found
    assert len(found) == (2 if section is None else 1)
    shown = jizhun("site", "check", EXAMPLES / "site_v2.log", changed)
    assert shown.code == 1
    assert what in shown.out


def test_a_file_that_is_no_log_is_refused(jizhun: Command) -> None:
    result = jizhun("site", "show", OBSERVATIONS)
    assert (result.code, result.out) == (1, "")
    assert "expected an IGS site log" in result.err
    assert len(result.err.splitlines()) == 1


@pytest.mark.real_data
def test_real_log_against_a_real_file_of_the_station(real_data: Path, jizhun: Command) -> None:
    """BRUX, log of 2020-02-25 against an hour of 2018-11-06: its header says the same as sections 3 and 4."""
    parsers = real_data / "parsers"
    result = jizhun(
        "site", "check", parsers / "sitelog_geodesyml" / "brux_20200225.log.gz",
        parsers / "gognss" / "BRUX00BEL_R_20183101900_01H_30S_MO.rnx.gz", "--json",
    )  # fmt: skip
    facts = json.loads(result.out)
    assert facts["station"] == "BRUX00BEL"
    assert facts["differences"] == []
