"""Daily quality rows in the catalogue: kept once a day, replaced with a trace, guarded, searched."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.quality_history import QualityHistory, row_from_report
from pipelines.region_run import RegionOutcome
from pipelines.station_day import read_station_day
from pipelines.station_history import undocumented_changes
from stations.trends.figures import kind_of
from stations.trends.records import DailyPositionRow, DailyQuality, Equipment
from transforms.errors import CatalogueError

PLACE_ECEF_M = np.array([-2267749.12345, 5009154.5, 3221290.25])
FIRST = date(2023, 12, 30)


def row(day: date = FIRST, station: str = "WUH200CHN", **figures: float) -> DailyQuality:
    equipment = Equipment(receiver="SEPT POLARX5TR", antenna="JAVRINGANT_DM", radome="NONE")
    position = DailyPositionRow("IGS20", PLACE_ECEF_M, np.array([[4, 1, 0], [1, 9, 2], [0, 2, 5]]) * 1e-6)
    return DailyQuality(station, day, "accept", equipment, {"completeness": 0.99, **figures}, position)


def test_rows_come_back_as_they_went_in(tmp_path: Path) -> None:
    history = QualityHistory(tmp_path)
    days = [row(FIRST + timedelta(k), **{"cn0_dbhz:C5P": 45.0 + k}) for k in range(4)]
    update = history.add(reversed(days))
    assert (update.n_new, update.n_replaced, update.n_unchanged) == (4, 0, 0)
    back = history.rows("WUH2")
    assert [r.day for r in back] == [r.day for r in days]
    for one, other in zip(back, days, strict=True):
        assert (one.station, one.verdict, one.equipment) == (other.station, other.verdict, other.equipment)
        assert dict(one.figures) == dict(other.figures)
        assert one.position is not None
        np.testing.assert_allclose(one.position.position_ecef_m, PLACE_ECEF_M, atol=6e-6)
        np.testing.assert_allclose(one.position.covariance_m2, days[0].position.covariance_m2, rtol=1e-5)  # type: ignore[union-attr]
    assert [p.name for p in sorted((tmp_path / "quality" / "WUH2").iterdir())] == ["2023.csv", "2024.csv"]
    assert [r.day for r in history.rows("WUH2", first=date(2024, 1, 1))] == [r.day for r in days[2:]]


def test_the_same_row_again_changes_no_byte_and_another_replaces_it(tmp_path: Path) -> None:
    history = QualityHistory(tmp_path)
    history.add([row(), row(FIRST + timedelta(1))])
    table = tmp_path / "quality" / "WUH2" / "2023.csv"
    before = table.read_bytes()
    assert history.add([row()]).n_unchanged == 1
    assert table.read_bytes() == before
    assert history.add([row(completeness=0.5)]).n_replaced == 1
    rows = history.rows("WUH2")
    assert [r.day for r in rows] == [FIRST, FIRST + timedelta(1)]
    assert rows[0].figures["completeness"] == 0.5
    lines = table.read_text().splitlines()
    cells = dict(zip(lines[0].split(","), lines[1].split(","), strict=True))
    assert cells["revision"] == "2"
    old = cells["replaces_sha256"]
    kept = json.loads((tmp_path / "objects" / old[:2] / old[2:]).read_text())
    assert kept["completeness"] == "0.99"
    assert history.damages() == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(6)), parts=st.integers(1, 6))
def test_the_order_of_adding_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], parts: int
) -> None:
    rows = [row(FIRST + timedelta(k), **{f"multipath_m:C{k}P": 0.3}) for k in range(6)]
    one, other = (QualityHistory(tmp_path_factory.mktemp("catalogue")) for _ in range(2))
    one.add(rows)
    for part in range(parts):
        other.add([rows[k] for k in order[part::parts]])
    for name in ("2023.csv", "2024.csv"):
        assert (one.folder / "WUH2" / name).read_bytes() == (other.folder / "WUH2" / name).read_bytes()


def test_a_changed_digit_is_told_with_its_line(tmp_path: Path, jizhun: Callable[..., Any]) -> None:
    history = QualityHistory(tmp_path)
    history.add([row(), row(FIRST + timedelta(1))])
    table = tmp_path / "quality" / "WUH2" / "2023.csv"
    table.write_text(table.read_text().replace("0.99", "0.98", 1))
    with pytest.raises(CatalogueError, match=r"2023\.csv: line 2: the row of 2023-12-30"):
        history.rows("WUH2")
    assert len(history.damages()) == 1
    assert jizhun("catalogue", "verify", tmp_path).code == 1
    assert jizhun("station", "trend", tmp_path).code == 1
    with pytest.raises(CatalogueError):
        history.add([row(FIRST + timedelta(1), completeness=0.4)])


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "day,revision,row_sha256,replaces_sha256\n2023-12-30,1\n"]
)
def test_a_table_of_another_making_is_refused(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "quality" / "WUH2"
    folder.mkdir(parents=True)
    (folder / "2023.csv").write_text(text)
    with pytest.raises(CatalogueError, match=r"2023\.csv: line"):
        QualityHistory(tmp_path).rows("WUH2")


def test_names_of_stations_cannot_leave_the_folder(tmp_path: Path) -> None:
    history = QualityHistory(tmp_path / "catalogue")
    history.add([row(station="../x")])
    assert history.stations() == ("---X",)
    assert [p.name for p in tmp_path.iterdir()] == ["catalogue"]


def fill(catalogue: Path, n_days: int = 200) -> None:
    """Three stations; the second loses 4 dB on day 150, the third's multipath grows by 15 %."""
    rng = np.random.default_rng(3)
    rows = []
    for k, station in enumerate(("AAAA00CHN", "BBBB00CHN", "CCCC00CHN")):
        for i in range(n_days):
            cn0 = 45.0 + 0.2 * rng.normal() - (4.0 if k == 1 and i >= 150 else 0.0)
            multipath = 0.3 * np.exp(0.02 * rng.normal()) * (1.0 + (0.15 * i / n_days if k == 2 else 0.0))
            figures = {"cn0_dbhz:C5P": cn0, "multipath_m:C5P": multipath, "roti_p95_tecu_per_min": 0.1 * i}
            rows.append(replace(row(FIRST + timedelta(i), station, **figures), position=None))
    QualityHistory(catalogue).add(rows)


def test_the_trend_command_finds_what_was_planted(tmp_path: Path, jizhun: Callable[..., Any]) -> None:
    fill(tmp_path)
    result = jizhun("station", "trend", tmp_path, "--json")
    assert result.code == 0
    found = json.loads(result.out)
    assert found["stations"] == ["AAAA", "BBBB", "CCCC"]
    assert [(c["station"], c["figure"]) for c in found["changes"]] == [("BBBB00CHN", "cn0_dbhz:C5P")]
    (change,) = found["changes"]
    assert change["before"] - change["after"] == pytest.approx(4.0, abs=0.15)
    assert abs((date.fromisoformat(change["first_day"]) - (FIRST + timedelta(150))).days) <= 1
    assert (date.fromisoformat(change["alarm_day"]) - (FIRST + timedelta(150))).days <= 4
    assert [(t["station"], t["figure"]) for t in found["growing_worse"]] == [("CCCC00CHN", "multipath_m:C5P")]
    assert found["calls_for_a_look"] is True
    text = jizhun("station", "trend", tmp_path, "--station", "bbbb00chn", "--check")
    assert text.code == 1
    assert "BBBB00CHN cn0_dbhz:C5P: 45" in text.out
    quiet = jizhun("station", "trend", tmp_path, "--station", "AAAA", "--check")
    assert quiet.code == 0
    assert "nothing calls for a look" in quiet.out


@pytest.mark.parametrize(("n_days", "n_short"), [(1, 3), (30, 3), (31, 0)])
def test_the_trend_command_says_what_it_could_not_search(
    tmp_path: Path, jizhun: Callable[..., Any], n_days: int, n_short: int
) -> None:
    fill(tmp_path, n_days)
    result = jizhun("station", "trend", tmp_path, "--station", "AAAA", "--check")
    assert result.code == 0
    told = "not searched for changes: 3 of 3 figures, of which there are fewer than 31 days" in " ".join(
        result.out.split()
    )
    assert told is bool(n_short)
    found = json.loads(jizhun("station", "trend", tmp_path, "--station", "AAAA", "--json").out)
    assert found["n_figures_not_searched"] == n_short
    assert len(found["figures"]) == 3


def test_a_figure_that_began_late_is_named_as_not_searched(
    tmp_path: Path, jizhun: Callable[..., Any]
) -> None:
    fill(tmp_path, 60)
    late = {"cn0_dbhz:C5P": 45.0, "multipath_m:C5P": 0.3, "cn0_dbhz:C7D": 44.0}
    rows = [replace(row(FIRST + timedelta(60 + i), "AAAA00CHN", **late), position=None) for i in range(5)]
    QualityHistory(tmp_path).add(rows)
    out = " ".join(jizhun("station", "trend", tmp_path, "--station", "AAAA").out.split())
    assert "nothing calls for a look in what was searched" in out
    assert "not searched for changes: 1 of 4 figures, of which there are fewer than 31 days" in out


def test_the_trend_command_refuses_what_it_cannot_do(tmp_path: Path, jizhun: Callable[..., Any]) -> None:
    assert jizhun("station", "trend", tmp_path / "nowhere").code == 1
    assert jizhun("station", "trend").code == 2
    fill(tmp_path, 40)
    unknown = jizhun("station", "trend", tmp_path, "--station", "ZZZZ")
    assert unknown.code == 1
    assert "no quality rows of ZZZZ" in unknown.err
    mistyped = jizhun("station", "trend", tmp_path, "--figure", "cn0_dbhzz", "--check")
    assert mistyped.code == 1
    assert "no figure cn0_dbhzz in the rows (there: cn0_dbhz, " in mistyped.err
    assert jizhun("station", "trend", tmp_path, "--since", "yesterday").code == 2
    assert jizhun("station", "trend", tmp_path, "--since", "2030-001").code == 1


def test_a_region_keeps_a_row_of_every_day_it_judged(first_run: tuple[Path, RegionOutcome]) -> None:
    region, outcome = first_run
    history = QualityHistory(region.parent / "catalogue")
    assert history.stations() == tuple(sorted(s.station[:4] for s in outcome.result.station_days))
    for item in outcome.result.station_days:
        (kept,) = history.rows(item.station)
        assert kept.verdict == item.quality.verdict.value  # type: ignore[union-attr]
        assert kept.equipment.antenna.startswith("SIM")
        assert kept.position is not None
        assert any(name.count(":") == 2 for name in kept.figures)  # by elevation: the region has orbits
        assert 0.1 < kept.figures["scatter_up_m"] < 5.0  # metres, with the clocks of the region's clock file
        for name in kept.figures:
            kind_of(name)


def test_the_silent_antenna_change_of_a_station_is_told_and_no_other(
    first_run: tuple[Path, RegionOutcome],
) -> None:
    """As CHMD in the sample: the same header on both days, and the antenna 53 mm higher on the second."""
    region, _ = first_run
    folder = region.parent / "work" / "station_days"
    today = [read_station_day(str(p)) for p in sorted(folder.glob("*_2026-116.json"))]
    assert undocumented_changes(today) == ()
    noise = np.random.default_rng(1)
    tomorrow = []
    for k, item in enumerate(today):
        assert item.solution is not None
        place = item.solution.position_ecef_m + noise.normal(0.0, 0.001, 3)
        if k == 0:
            place = place * (1.0 + 0.3 / 6.378e6)
        tomorrow.append(replace(item, day="2026-117", solution=replace(item.solution, position_ecef_m=place)))
    (text,) = undocumented_changes([*today, *tomorrow])
    assert text.startswith(today[0].station)
    assert "undocumented change of the antenna" in text


def test_a_report_without_details_still_makes_a_row() -> None:
    report = {
        "verdict": "reject",
        "completeness": 0.1,
        "mean_satellites": 5.0,
        "cycle_slips_per_thousand": 300.0,
        "details": None,
    }
    made = row_from_report(report, "WUH2", FIRST)
    assert dict(made.figures) == {"completeness": 0.1, "satellites": 5.0, "slips_per_thousand": 300.0}
    assert made.equipment == Equipment()
