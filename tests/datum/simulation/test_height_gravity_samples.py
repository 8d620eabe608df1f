"""Simulated networks of heights, gravity and common points: adjusted, they give truth and blunders."""

import csv

import numpy as np
import pytest

from datum.formats.common_points_csv import read_common_points
from datum.formats.gravity_csv import read_gravity
from datum.formats.levelling_csv import read_levelling
from datum.gravity.network import adjust_gravity
from datum.height.levelling import adjust_levelling
from datum.simulation.common_points_sample import (
    BLUNDER_POINT,
    local_position_ecef_m,
    national_positions_ecef_m,
    write_common_point_table,
)
from datum.simulation.fields import gravity_m_per_s2, height_anomaly_m, normal_height_m
from datum.simulation.gravity_sample import BLUNDER_MGAL, BLUNDER_READING, write_gravity_network
from datum.simulation.levelling_sample import (
    BLUNDER_M,
    blunder_line_name,
    line_ends,
    write_levelling,
)
from datum.simulation.marks import bench_marks, gravity_points, station_marks
from datum.simulation.truth_tables import write_truth
from datum.transformation.fit import fit_local_datum
from stations.simulation.region_plan import DEFAULT_SEED, STATIONS, mean_epoch
from transforms.ellipsoids import CGCS2000
from transforms.geodetic import geodetic_from_ecef

ERRORS_OF_THREE_AND_A_HALF_SIGMA = 3.5


@pytest.fixture(scope="module")
def levelling(tmp_path_factory):
    folder = tmp_path_factory.mktemp("heights")
    write_levelling(folder, DEFAULT_SEED)
    return read_levelling(folder / "lines.csv", folder / "bench_marks.csv")


def test_levelling_has_closed_loops_and_bench_marks_on_six_pillars(levelling):
    names = {end for line in levelling.lines for end in (line.frm, line.to)}
    assert len(names) == len(bench_marks()) == 22
    assert len(levelling.lines) >= 30
    assert len(levelling.lines) - len(names) + 1 >= 10  # independent loops
    assert set(levelling.stations.values()) == {s.code for s in STATIONS if s.levelled}
    assert len(levelling.stations) == 6
    marks = bench_marks()
    ends = line_ends(marks)
    assert min(sum(i in pair for pair in ends) for i in range(len(marks))) >= 2


def test_levelling_blunder_is_found_alone_and_heights_are_the_truth(levelling):
    solution = adjust_levelling(levelling)
    assert [r.subject for r in solution.rejections] == [blunder_line_name()]
    low, high = solution.chi_square_limits
    assert low < solution.variance_factor < high
    truth = {mark.name: mark.normal_height_m for mark in bench_marks()}
    error_m = solution.height_m - np.array([truth[name] for name in solution.bench_marks])
    sigma_m = np.sqrt(np.diag(solution.covariance_m2))
    assert np.all(np.abs(error_m) <= ERRORS_OF_THREE_AND_A_HALF_SIGMA * np.maximum(sigma_m, 1e-4))
    line = next(line for line in solution.lines if line.name == blunder_line_name())
    assert abs(line.residual_m) == pytest.approx(BLUNDER_M, abs=0.06)


def test_gravity_blunder_is_found_alone_and_gravity_is_the_truth(tmp_path):
    write_gravity_network(tmp_path, DEFAULT_SEED)
    observations = read_gravity(tmp_path / "readings.csv", tmp_path / "absolute.csv")
    assert len(observations.absolute) == 3
    assert {reading.instrument for reading in observations.readings} == {"SIM-RG7", "SIM-RG9"}
    solution = adjust_gravity(observations)
    assert len(solution.rejections) == 1
    instrument, day, point = BLUNDER_READING
    for word in (instrument, day, point):
        assert word in solution.rejections[0].subject
    truth = {mark.name: mark.gravity_m_per_s2 for mark in gravity_points()}
    error = solution.gravity_m_per_s2 - np.array([truth[name] for name in solution.points])
    sigma = np.sqrt(np.diag(solution.covariance_m2_per_s4))
    assert len(solution.points) == 12
    assert np.all(np.abs(error) <= ERRORS_OF_THREE_AND_A_HALF_SIGMA * sigma)
    assert np.abs(error).max() < BLUNDER_MGAL * 1e-5 / 4.0


def test_common_points_hold_one_blunder_and_the_seven_parameters(tmp_path):
    path = tmp_path / "common_points.csv"
    write_common_point_table(path, DEFAULT_SEED)
    fit = fit_local_datum(read_common_points(path))
    assert [r.subject for r in fit.rejections] == [BLUNDER_POINT]
    assert fit.parameters["scale_ppm"] == pytest.approx(-1.94, abs=0.1)
    assert fit.rms_m < 0.05


def test_the_local_datum_turns_back_into_the_national_one_exactly():
    from datum.simulation.common_points_sample import ROTATION_ARCSECOND, SCALE_PPM, TRANSLATION_M
    from transforms.constants import ARCSECOND_RAD
    from transforms.rotations import RotationConvention, small_rotation_matrix

    rotation = small_rotation_matrix(
        np.array(ROTATION_ARCSECOND) * ARCSECOND_RAD, RotationConvention.POSITION_VECTOR
    )
    for national in national_positions_ecef_m().values():
        back = np.array(TRANSLATION_M) + (1.0 + SCALE_PPM * 1e-6) * rotation @ local_position_ecef_m(national)
        np.testing.assert_allclose(back, national, atol=1e-8)


def test_normal_height_and_height_anomaly_make_up_the_height_of_the_crust():
    for station, mark in zip(STATIONS, station_marks(), strict=True):
        position = station.position_ecef_m(mean_epoch())
        _, _, height = geodetic_from_ecef(position, CGCS2000)
        anomaly = float(height_anomaly_m(mark.latitude_deg, mark.longitude_deg))
        assert 5.0 < anomaly < 15.0
        # Permanent uplift of the crust, +8 to +14 mm here: IERS Conventions (2010), eq. 7.14a.
        p2 = 1.5 * position[2] ** 2 / (position @ position) - 0.5
        uplift = (-0.1206 + 0.0001 * p2) * p2
        assert float(normal_height_m(position)) + anomaly - float(height) == pytest.approx(uplift, abs=1e-5)


def test_gravity_falls_with_height_and_rises_to_the_north():
    assert gravity_m_per_s2(32.0, 120.0, 10.0) > gravity_m_per_s2(30.5, 120.0, 10.0)
    change = float(gravity_m_per_s2(31.0, 120.0, 110.0) - gravity_m_per_s2(31.0, 120.0, 10.0))
    assert change == pytest.approx(-(0.3086 - 0.1119) * 100.0 * 1e-5, rel=0.01)  # free air and Bouguer plate


def test_truth_tables_agree_with_each_other(tmp_path):
    write_truth(tmp_path)
    with (tmp_path / "stations.csv").open() as stream:
        stations = list(csv.DictReader(stream))
    with (tmp_path / "cgcs2000.csv").open() as stream:
        national = list(csv.DictReader(stream))
    assert [row["station"] for row in stations] == [s.code for s in STATIONS]
    for now, then, station in zip(stations, national, STATIONS, strict=True):
        shift = np.array([float(then[a]) - float(now[a]) for a in ("x_m", "y_m", "z_m")])
        # 26.3 years of motion and 2 to 5 cm between ITRF97 and ITRF2020.
        moved = -26.32 * station.velocity_ecef_m_per_yr
        assert np.linalg.norm(shift - moved) < 0.08
