"""`jizhun station qc`: files grouped by station and day, judged in parallel, kept, compared, refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from pipelines.cli.app import app
from pipelines.station_quality import QualityOptions, judge, past_signals, plan_quality
from stations.formats.rinex_observation import write_observations
from stations.records import AntennaType, Observations, StationHeader, StationSetup
from stations.signals import carrier_frequency_hz
from transforms.constants import SPEED_OF_LIGHT_M_PER_S
from transforms.errors import InputError, JizhunError

SATELLITES = ("G01", "G02", "G03", "G05", "G07", "G08", "G09", "G10", "G11")
runner = CliRunner()


def session(marker: str, day: str, *, hours: float = 7.0, cn0_dbhz: float = 45.0) -> Observations:
    rng = np.random.default_rng(5)
    n_epoch = round(hours * 120)
    shape = (n_epoch, len(SATELLITES), 2)
    range_m = 2.3e7 + 2e6 * np.sin(np.arange(n_epoch)[:, None] / 230.0 + np.arange(len(SATELLITES)))
    code, phase = np.empty(shape), np.empty(shape)
    for j, signal in enumerate(("1C", "2W")):
        code[..., j] = range_m + rng.normal(0.0, 0.2, shape[:2])
        metres = range_m + rng.normal(0.0, 0.002, shape[:2])
        phase[..., j] = metres * carrier_frequency_hz("G" + signal) / SPEED_OF_LIGHT_M_PER_S
    dims = ("epoch", "satellite", "signal")
    data = xr.Dataset(
        {
            "pseudorange_m": (dims, code),
            "carrier_phase_cycles": (dims, phase),
            "cn0_dbhz": (dims, np.full(shape, cn0_dbhz, dtype=np.float32)),
            "loss_of_lock": (dims, np.zeros(shape, dtype=np.uint8)),
        },
        coords={
            "epoch": np.datetime64(f"{day}T00:00:00", "ns") + np.arange(n_epoch) * np.timedelta64(30, "s"),
            "satellite": list(SATELLITES),
            "signal": ["1C", "2W"],
        },
    )
    setup = StationSetup("RECEIVER", "1", "1.0", AntennaType("ANTENNA"), (0.0, 0.0, 0.0))
    position = np.array([-2267749.0, 5009154.0, 3221290.0])
    return Observations(data, StationHeader(marker, "", setup, position, {}, "3.04"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two stations, one of them on two days; of the second day the file comes in two parts."""
    place = tmp_path / "observations"
    place.mkdir()
    write_observations(session("AAAA", "2024-07-26"), place / "aaaa.rnx")
    whole = session("AAAA", "2024-07-27")
    for part, rows in (("a", slice(0, 400)), ("b", slice(400, None))):
        write_observations(replace(whole, data=whole.data.isel(epoch=rows)), place / f"next_{part}.rnx")
    write_observations(session("BBBB", "2024-07-26", hours=0.5), place / "bbbb.rnx")
    return place


def test_files_are_grouped_by_station_and_day_and_judged_in_parallel(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "kept"
    done = runner.invoke(app, ["station", "qc", str(folder), "--out", str(out), "--json"])
    assert done.exit_code == 0, done.output
    content = json.loads(done.stdout)
    rows = [(r["station"], r["day"], r["n_epochs"], r["verdict"]) for r in content["station_days"]]
    assert rows == [
        ("AAAA", "2024-07-26", 840, "accept with remarks"),
        ("AAAA", "2024-07-27", 840, "accept with remarks"),
        ("BBBB", "2024-07-26", 60, "reject"),
    ]
    assert content["failures"] == []
    assert sorted(p.name for p in out.iterdir()) == [
        "AAAA_2024-07-26.quality.json",
        "AAAA_2024-07-27.quality.json",
        "BBBB_2024-07-26.quality.json",
    ]
    people = runner.invoke(app, ["station", "qc", str(folder), "--out", str(out)])
    assert people.exit_code == 0
    assert "BBBB 2024-07-26: the session lasts 0.50 h" in people.stdout


def test_a_run_goes_on_from_what_is_kept_and_a_changed_file_is_judged_again(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "kept"
    tasks, _ = plan_quality([folder], QualityOptions(), out)
    first = judge(tasks[0])
    assert not first.reused
    assert [judge(task).reused for task in tasks] == [True, False, False]
    assert [judge(task).reused for task in tasks] == [True, True, True]
    assert judge(tasks[0]).report == first.report
    path = tasks[0].result_path
    assert path is not None
    path.write_text("{")  # damaged: a convenience, judged again
    assert not judge(tasks[0]).reused
    write_observations(session("AAAA", "2024-07-26", hours=6.5), folder / "aaaa.rnx")
    assert not judge(tasks[0]).reused
    strict = QualityOptions(thresholds=replace(QualityOptions().thresholds, require_bds3=True))
    assert not judge(plan_quality([folder], strict, out)[0][1]).reused


def test_a_page_that_was_not_drawn_again_is_called_kept(folder: Path, tmp_path: Path) -> None:
    page, out = tmp_path / "page.html", tmp_path / "kept"
    words = ["station", "qc", str(folder / "aaaa.rnx"), "--html", str(page), "--out", str(out)]
    first = runner.invoke(app, words)
    assert f"wrote {page}" in first.stderr.replace("\n", "")
    drawn = page.stat().st_mtime_ns
    again = runner.invoke(app, words)
    assert page.stat().st_mtime_ns == drawn
    assert f"kept {page}" in again.stderr.replace("\n", "")
    assert "wrote" not in again.stderr
    page.unlink()
    assert f"wrote {page}" in runner.invoke(app, words).stderr.replace("\n", "")


def test_a_fall_of_signal_strength_against_the_past_is_named(tmp_path: Path) -> None:
    """Without orbits no elevation is known, and the session's mean is compared."""
    place, out = tmp_path / "in", tmp_path / "out"
    place.mkdir()
    for k in range(4):
        write_observations(session("AAAA", f"2024-07-2{k + 1}"), place / f"d{k}.rnx")
    tasks, _ = plan_quality([place], QualityOptions(), out)
    for task in tasks:
        judge(task)
    rows = [row for path in sorted(out.iterdir()) for row in past_signals(path)]
    assert {r.day for r in rows} == {f"2024-07-2{k + 1}" for k in range(4)}
    assert {r.signal for r in rows} == {"G1C", "G2W"}
    later = tmp_path / "later"
    later.mkdir()
    write_observations(session("AAAA", "2024-07-28", cn0_dbhz=40.0), later / "new.rnx")
    (task,), _ = plan_quality([later], QualityOptions(past=out), None)
    result = judge(task)
    assert result.report is not None
    assert result.report["details"]["past_days"] == 4
    assert any("5.0 dB below the station's past" in r for r in result.report["reasons"])
    (out / "AAAA_2024-07-21.quality.json").write_text("[]")
    assert "no result of an earlier quality report" in judge(task).error


def test_one_station_day_is_one_object_and_a_page(folder: Path) -> None:
    one = runner.invoke(app, ["station", "qc", str(folder / "aaaa.rnx"), "--json"])
    content = json.loads(one.stdout)
    assert content["station"] == "AAAA"
    assert content["details"]["slips"][0]["pair"] == "G:1C+2W"
    page = runner.invoke(app, ["station", "qc", str(folder / "aaaa.rnx")])
    assert "verdict: accept with remarks" in page.stdout
    assert "orbits: none" in page.stdout
    assert len(page.stdout.splitlines()) < 30


def test_what_cannot_be_judged_is_one_clear_error(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.rnx"
    text = (folder / "aaaa.rnx").read_text()
    broken.write_text(text[: text.index("END OF HEADER") + 14])
    with pytest.raises(JizhunError, match=r"broken\.rnx"):
        runner.invoke(app, ["station", "qc", str(broken)], catch_exceptions=False)
    (folder / "broken.rnx").write_text(broken.read_text().replace("AAAA", "CCCC"))
    done = runner.invoke(app, ["station", "qc", str(folder), "--json"])
    assert done.exit_code == 1
    content = json.loads(done.stdout)
    assert [f["station"] for f in content["failures"]] == ["CCCC"]
    assert len(content["station_days"]) == 3
    for options, words in (
        (QualityOptions(products=(tmp_path / "nowhere",)), "no such file"),
        (QualityOptions(antex=(tmp_path,)), "is a folder, not a file"),
        (QualityOptions(log=tmp_path), "is a folder, not a file"),
        (QualityOptions(products=(folder / "aaaa.rnx",)), "neither SP3 orbits nor"),
        (QualityOptions(log=folder / "aaaa.rnx"), "one station"),
    ):
        with pytest.raises(InputError, match=words):
            plan_quality([folder], options, None)


@pytest.mark.real_data
def test_a_header_is_held_to_the_stations_log_and_to_the_antennas_given(real_data: Path) -> None:
    parsers = real_data / "parsers"
    file = parsers / "gognss" / "BRUX00BEL_R_20183101900_01H_30S_MO.rnx.gz"
    logs = parsers / "sitelog_geodesyml"
    antex = real_data / "atx" / "igs20_2385_sats_plus_6rcv.atx.gz"
    for path in (file, logs, antex):
        if not path.exists():
            pytest.skip(f"{path} is missing")

    def details(log: str) -> tuple[dict[str, object], str]:
        options = QualityOptions(log=logs / log, antex=(antex,))
        (task,), _ = plan_quality([file], options, None)
        result = judge(task)
        assert result.report is not None
        return result.report["details"], result.report["verdict"]

    own, verdict = details("brux_20200225.log.gz")
    assert own["header_errors"] == []
    assert [d[:20] for d in own["header_differences"]] == ["unknown antenna type"]  # type: ignore[attr-defined]
    assert verdict == "accept with remarks"
    other, verdict = details("brst_20200511.log.gz")
    assert "off the site log's" in other["header_errors"][0]  # type: ignore[index]
    assert len(other["header_differences"]) >= 5  # type: ignore[arg-type]
    assert verdict == "reject"
