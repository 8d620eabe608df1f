"""Days combined by GPS week, and velocities taken from control stations of the same datum."""

from collections.abc import Callable

import numpy as np

from datum.network.combine import CombinationOptions, combine_solutions
from datum.records import ControlStation
from pipelines.network_weeks import gps_week, velocities_of, weekly_networks
from stations.records import StationSolution
from transforms.time_scales import Epochs

SolutionMaker = Callable[..., StationSolution]
OFFSETS_M = {
    "AAAA00CHN": (0.0, 0.0, 0.0),
    "BBBB00CHN": (90_000.0, 40_000.0, 1_000.0),
    "CCCC00CHN": (-50_000.0, 30_000.0, -80_000.0),
}
VELOCITY_M_PER_YR = np.array([0.03, -0.01, 0.02])


def solutions_of(make: SolutionMaker, days: list[str], reference: Epochs) -> list[StationSolution]:
    found = []
    for day in days:
        for station, offset in OFFSETS_M.items():
            solution = make(station, day=day, offset_m=offset, residuals=False)
            years = float(solution.epoch.decimal_year() - reference.decimal_year())
            moved = tuple(float(v) for v in np.array(offset) + VELOCITY_M_PER_YR * years)
            found.append(make(station, day=day, offset_m=moved, residuals=False))
    return found


def control_of(make: SolutionMaker, reference: Epochs) -> list[ControlStation]:
    return [
        ControlStation(
            station,
            "ITRF2020",
            reference,
            make(station, offset_m=offset, residuals=False).position_ecef_m,
            VELOCITY_M_PER_YR,
            (0.001, 0.001, 0.002),
        )
        for station, offset in OFFSETS_M.items()
    ]


def test_gps_weeks_begin_on_sunday() -> None:
    # IGS: day 2024-035 is Sunday of week 2300.
    assert gps_week(Epochs.from_datetime64("2024-02-04T00:00:00")) == 2300
    assert gps_week(Epochs.from_datetime64("2024-02-03T23:59:30")) == 2299


def test_days_of_two_years_become_weeks_and_one_network(make_solution: SolutionMaker) -> None:
    reference = Epochs.from_datetime64("2025-01-01T00:00:00")
    days = ["2024-02-04", "2024-02-05", "2026-02-01", "2026-02-02"]
    solutions = solutions_of(make_solution, days, reference)
    control = control_of(make_solution, reference)
    velocities = velocities_of(solutions, control)  # IGS20 has the datum of ITRF2020
    assert {name: tuple(v) for name, v in velocities.items()} == dict.fromkeys(
        OFFSETS_M, tuple(VELOCITY_M_PER_YR)
    )
    options = CombinationOptions(velocities_m_per_yr=velocities)
    weeks = weekly_networks(solutions, control, options)
    assert list(weeks) == [2300, 2404]
    assert [len(week.stations) for week in weeks.values()] == [3, 3]
    whole = combine_solutions(solutions, control, options=options)
    # Six centimetres of motion in two years: with velocities nothing moves, and nothing is parted.
    assert [s.solution_number for s in whole.stations] == [1, 1, 1]
    assert max(float(np.max(np.abs(v))) for v in whole.day_residual_enu_m.values()) < 1e-6


def test_velocities_of_another_datum_are_not_taken(make_solution: SolutionMaker) -> None:
    reference = Epochs.from_datetime64("2025-01-01T00:00:00")
    solutions = solutions_of(make_solution, ["2024-02-04"], reference)
    control = [
        ControlStation("AAAA", "ITRF2014", reference, np.zeros(3), VELOCITY_M_PER_YR, (0.001, 0.001, 0.002)),
        ControlStation("BBBB", "ITRF2020", reference, np.zeros(3), None, (0.001, 0.001, 0.002)),
        ControlStation("CCCC", "IGS20", reference, np.zeros(3), VELOCITY_M_PER_YR, (0.001, 0.001, 0.002)),
    ]
    assert list(velocities_of(solutions, control)) == ["CCCC00CHN"]
