"""Stations that move between two days: planted steps, quiet networks, and the real stations of NGL."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from stations.formats.position_series import read_position_series
from stations.trends.position_steps import position_steps
from stations.trends.records import DailyPositionRow, DailyQuality, Equipment
from transforms.geodetic import enu_matrix_at

JFNG_ECEF_M = np.array([-2279829.0, 5004706.0, 3219777.0])
NOISE_ENU_M = np.array([0.003, 0.003, 0.006])
FORMAL_SIGMA_M = 0.001  # three to six times too small, as formal sigmas are
FIRST_DAY = date(2024, 1, 1)


def network(
    n_stations: int,
    n_days: int,
    seed: int,
    *,
    memory: float = 0.0,
    step_day: int | None = None,
    step_enu_m: tuple[float, float, float] = (0.0, 0.0, 0.0),
    equipment_after: Equipment | None = None,
) -> list[DailyQuality]:
    """Stations in a common drift and wander; the first moves on `step_day`."""
    rng = np.random.default_rng(seed)
    common = np.cumsum(rng.normal(0.0, 0.0005, (n_days, 3)), axis=0)
    common = common + np.arange(n_days)[:, None] * np.array([0.032, -0.012, 0.0]) / 365.25
    old = Equipment(receiver="R", antenna="TRM59800.00", radome="NONE", eccentricity_enu_m="0 0 0")
    rows = []
    for k in range(n_stations):
        centre = JFNG_ECEF_M + rng.normal(0.0, 1e5, 3)
        rotation = enu_matrix_at(centre)
        fresh = rng.normal(size=(n_days, 3))
        noise = fresh.copy()
        for i in range(1, n_days):
            noise[i] = memory * noise[i - 1] + np.sqrt(1.0 - memory**2) * fresh[i]
        enu = NOISE_ENU_M * noise + common
        for i in range(n_days):
            moved = k == 0 and step_day is not None and i >= step_day
            place = centre + (enu[i] + (step_enu_m if moved else 0.0)) @ rotation
            position = DailyPositionRow("IGS20", place, np.eye(3) * FORMAL_SIGMA_M**2)
            equipment = equipment_after if moved and equipment_after is not None else old
            rows.append(
                DailyQuality(f"S{k:03d}", FIRST_DAY + timedelta(i), "accept", equipment, {}, position)
            )
    return rows


@pytest.mark.parametrize(
    ("n_stations", "n_days", "memory", "n_searches"),
    [(8, 2, 0.0, 60), (8, 5, 0.0, 40), (6, 40, 0.5, 10), (1, 500, 0.6, 6)],
)
def test_stations_that_never_moved_are_left_alone(
    n_stations: int, n_days: int, memory: float, n_searches: int
) -> None:
    # One search in a hundred may find something; measured 1.3 in a hundred for two days of eight stations.
    found = sum(
        len(position_steps(network(n_stations, n_days, seed, memory=memory))) for seed in range(n_searches)
    )
    assert found <= 1 + 0.03 * n_searches


def test_one_station_that_rose_is_found_among_two_days_of_eight() -> None:
    for seed in range(5):
        (step,) = position_steps(network(8, 2, seed, step_day=1, step_enu_m=(0.0, 0.0, 0.12)))
        assert step.station == "S000"
        assert (step.last_before, step.first_after) == (date(2024, 1, 1), date(2024, 1, 2))
        assert step.step_enu_m[2] == pytest.approx(0.12, abs=4 * 0.0085)
        assert step.documented == ""
        assert "undocumented" in step.words()


def test_centimetres_are_found_with_weeks_and_to_the_day() -> None:
    """30 mm over an up scatter of 6 mm a day, six stations: 36 of 40 found; 39 of 40 with 40 mm."""
    found, others = [], 0
    for seed in range(40):
        steps = position_steps(network(6, 40, seed, memory=0.4, step_day=22, step_enu_m=(0.0, 0.004, 0.03)))
        found += [(step.first_after - FIRST_DAY).days for step in steps if step.station == "S000"]
        others += sum(step.station != "S000" for step in steps)
    assert len(found) >= 32
    assert others <= 1
    assert all(abs(day - 22) <= 1 for day in found)


def test_one_station_alone_needs_months() -> None:
    rows = network(1, 300, 4, memory=0.5, step_day=200, step_enu_m=(0.0, 0.0, 0.04))
    (step,) = position_steps(rows)
    assert abs((step.first_after - (FIRST_DAY + timedelta(200))).days) <= 3
    assert position_steps(rows[190:210]) == ()
    assert position_steps(rows[:1]) == ()


def test_a_change_that_the_headers_tell_is_documented() -> None:
    new = Equipment(receiver="R", antenna="LEIAR25.R3", radome="LEIT", eccentricity_enu_m="0 0 0")
    (step,) = position_steps(network(8, 10, 1, step_day=5, step_enu_m=(0.0, 0.0, 0.08), equipment_after=new))
    assert "antenna 'TRM59800.00' to 'LEIAR25.R3'" in step.documented
    assert "undocumented" not in step.words()


def test_snow_that_melts_is_no_change_of_the_station() -> None:
    rows = network(1, 400, 7)
    lifted = [
        replace(r, position=replace(r.position, position_ecef_m=r.position.position_ecef_m + 0.05))
        if 200 <= k < 215 and r.position is not None
        else r
        for k, r in enumerate(rows)
    ]
    assert position_steps(lifted) == ()


def test_a_change_of_frame_is_no_step() -> None:
    rows = network(5, 20, 3)
    other = [
        replace(
            r, position=replace(r.position, frame="IGb14", position_ecef_m=r.position.position_ecef_m + 1.0)
        )
        if r.day < FIRST_DAY + timedelta(10) and r.position is not None
        else r
        for r in rows
    ]
    assert position_steps(other) == ()


def ngl_rows(path: Path) -> list[DailyQuality]:
    """A real series; NGL's file gives east, north, up only, so the place is one of central Europe."""
    series = read_position_series(path)
    assert series.covariance_enu_m2 is not None
    centre = np.array([3738358.0, 1148173.0, 5021815.0])
    rotation = enu_matrix_at(centre)
    place = centre + (series.position_enu_m - series.position_enu_m[0]) @ rotation
    covariance = rotation.T @ series.covariance_enu_m2 @ rotation
    return [
        DailyQuality(
            series.station,
            date.fromisoformat(series.epochs[k].iso()[:10]),
            "accept",
            Equipment(),
            {},
            DailyPositionRow(series.frame, place[k], covariance[k]),
        )
        for k in range(len(series.epochs))
    ]


@pytest.mark.real_data
def test_real_antenna_changes_are_found_and_little_else(real_data: Path) -> None:
    """NGL's list names the changes of equipment, to the day.

    In 124 years of four stations eight steps are found: BOR1 2016-10-05 and GRAZ 2005-03-22 of the list; the
    rest are winters (BOR1 2010-01, 2012-02, 2014-01; WTZR 2001-12), GRAZ 2001-06 and 2005-11. GRAZ 2010-05-18
    (16 mm in height) stays below the limit.
    """
    folder = real_data / "geodesy" / "timeseries" / "ngl"
    rows = {s: ngl_rows(folder / f"{s}.tenv.gz") for s in ("BOR1", "GRAZ")}
    found = {s: position_steps([r for r in own if r.day.year >= 2004]) for s, own in rows.items()}
    days = {s: [step.first_after for step in steps] for s, steps in found.items()}
    assert any(abs((day - date(2016, 10, 5)).days) <= 1 for day in days["BOR1"])
    assert any(abs((day - date(2005, 3, 22)).days) <= 1 for day in days["GRAZ"])
    assert len(found["BOR1"]) + len(found["GRAZ"]) <= 7  # in 44 years
