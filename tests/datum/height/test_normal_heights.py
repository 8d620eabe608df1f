"""Normal corrections close loops that gravity opens; station heights keep h + tide - H = anomaly."""

import math
from dataclasses import replace

import numpy as np
import pytest

from datum.gravity.normal_gravity import (
    mean_normal_gravity_m_per_s2,
    normal_gravity_above_m_per_s2,
    normal_gravity_m_per_s2,
)
from datum.height.levelling import adjust_levelling
from datum.height.normal_corrections import correct_to_normal_heights
from datum.height.normal_heights import station_heights, station_surface
from datum.records import LevellingLine, LevellingNetwork, NetworkSolution, NetworkStation, TideSystem
from stations.records import AntennaType, StationSetup
from transforms.ellipsoids import CGCS2000
from transforms.errors import InputError
from transforms.geodetic import ecef_from_geodetic
from transforms.time_scales import Epochs

MGAL = 1e-5

# Two bench marks at 31 N, one low and one at 1500 m; two at 33 N alike: a loop over a mountain and back.
POINTS = {"S0": (31.0, 5.0), "N0": (33.0, 5.0), "N1": (33.0, 1500.0), "S1": (31.0, 1500.0)}
ANOMALY_M_PER_S2 = {"S0": 20 * MGAL, "N0": -15 * MGAL, "N1": 90 * MGAL, "S1": 60 * MGAL}


def _gravity(name: str) -> float:
    latitude, height = POINTS[name]
    return float(normal_gravity_above_m_per_s2(math.radians(latitude), height)) + ANOMALY_M_PER_S2[name]


def _normal_height(name: str) -> float:
    return POINTS[name][1]


def _geopotential(name: str) -> float:
    latitude, height = POINTS[name]
    return height * float(mean_normal_gravity_m_per_s2(math.radians(latitude), height))


def _levelled_loop() -> LevellingNetwork:
    """Levelled differences of a loop: potential difference over mean gravity along each line."""
    names = list(POINTS)
    lines = []
    for i, (start, end) in enumerate(zip(names, names[1:] + names[:1], strict=True), start=1):
        difference = (_geopotential(end) - _geopotential(start)) / (0.5 * (_gravity(start) + _gravity(end)))
        lines.append(LevellingLine(f"L{i}", start, end, difference, 100.0, 0.02, i))
    return LevellingNetwork(
        "1985 National Height Datum",
        TideSystem.MEAN_TIDE,
        2,
        tuple(lines),
        {"S0": (5.0, 0.0)},
        {name: (latitude, 120.0) for name, (latitude, _) in POINTS.items()},
        {},
    )


def test_the_normal_correction_closes_a_loop_that_levelling_leaves_open() -> None:
    network = _levelled_loop()
    misclosure = math.fsum(line.height_difference_m for line in network.lines)
    assert abs(misclosure) > 0.2  # the theoretical misclosure of a mountain loop of 2 degrees and 1500 m
    corrected, corrections = correct_to_normal_heights(network, {name: _gravity(name) for name in POINTS})
    assert math.fsum(line.height_difference_m for line in corrected.lines) == pytest.approx(0.0, abs=2e-7)
    assert not any(correction.from_normal_field for correction in corrections)
    solution = adjust_levelling(corrected)
    for name, height in zip(solution.bench_marks, solution.height_m, strict=True):
        assert height == pytest.approx(_normal_height(name), abs=2e-6)


def test_the_specifications_two_corrections_say_the_same() -> None:
    # GB/T 12897-2006: non-parallelism -(gamma_B - gamma_A) H_m / gamma_m and gravity anomaly
    # (g - gamma)_m h / gamma_m, gamma on the ellipsoid, gamma_m the mean less 0.1543 mGal per metre of H_m.
    network = _levelled_loop()
    gravity = {name: _gravity(name) for name in POINTS}
    _, corrections = correct_to_normal_heights(network, gravity)
    for line, correction in zip(network.lines, corrections, strict=True):
        latitudes = [math.radians(POINTS[name][0]) for name in (line.frm, line.to)]
        on = [float(normal_gravity_m_per_s2(latitude)) for latitude in latitudes]
        mean_height = 0.5 * (POINTS[line.frm][1] + POINTS[line.to][1])
        middle = 0.5 * (on[0] + on[1]) - 0.1543 * MGAL * mean_height
        not_parallel = -(on[1] - on[0]) * mean_height / middle
        anomaly = 0.5 * (ANOMALY_M_PER_S2[line.frm] + ANOMALY_M_PER_S2[line.to])
        both = not_parallel + anomaly * line.height_difference_m / middle
        # The specification's formulas are of first order; on lines of up to 1500 m rise they agree to 2 mm.
        assert correction.correction_m == pytest.approx(both, abs=2e-3), line.name


def test_missing_gravity_is_said_and_missing_latitude_refused() -> None:
    network = _levelled_loop()
    _, corrections = correct_to_normal_heights(network, {"S0": _gravity("S0"), "N0": _gravity("N0")})
    assert [correction.from_normal_field for correction in corrections] == [False, True, True, True]
    positions = {n: p for n, p in network.geodetic_position_deg.items() if n != "N1"}
    with pytest.raises(InputError, match="bench mark N1 has no latitude"):
        correct_to_normal_heights(replace(network, geodetic_position_deg=positions), {})


SETUP = StationSetup("R", "", "", AntennaType("A"), (0.0, 0.0, 0.0))
EPOCH = Epochs.from_datetime64(np.datetime64("2024-02-04T12:00:00", "ns"))
SIGMA_M = 0.003


def _station(
    name: str, latitude: float, longitude: float, height: float, soln: int = 1, days: int = 2
) -> NetworkStation:
    return NetworkStation(
        station=name,
        domes="",
        solution_number=soln,
        position_ecef_m=ecef_from_geodetic(math.radians(latitude), math.radians(longitude), height, CGCS2000),
        covariance_m2=np.eye(3) * SIGMA_M**2,
        velocity_m_per_yr=None,
        days=tuple(f"2024-{35 + i:03d}" for i in range(days)),
        repeatability_enu_m=np.zeros(3),
        setup=SETUP,
        first_epoch=EPOCH,
        last_epoch=EPOCH,
        is_control=False,
    )


def _zeta(latitude: float, longitude: float) -> float:
    return 9.0 + 0.1 * (latitude - 31.0) - 0.3 * (longitude - 121.0)


PLACES = {
    "AAAA00CHN": (31.0, 120.0, 12.0),
    "BBBB00CHN": (31.2, 122.0, 30.0),
    "CCCC00CHN": (32.6, 120.4, 15.0),
    "DDDD00CHN": (32.3, 122.2, 25.0),
    "EEEE00CHN": (31.8, 121.2, 18.0),
}
BENCH_MARKS = {"AAAA00CHN": "BM1", "BBBB00CHN": "BM2", "CCCC00CHN": "BM3", "DDDD00CHN": "BM4"}


def _gnss(stations: tuple[NetworkStation, ...]) -> NetworkSolution:
    n = 3 * len(stations)
    return NetworkSolution(
        "CGCS2000", EPOCH, stations, np.eye(n) * SIGMA_M**2, 1.0, 1, (0.0, math.inf), "none", {}, (), (), ()
    )


def _levelling(tide_system: TideSystem, heights: dict[str, float] | None = None) -> LevellingNetwork:
    normal = heights or {name: h - _zeta(lat, lon) for name, (lat, lon, h) in PLACES.items()}
    marks = [(BENCH_MARKS[name], normal[name]) for name in BENCH_MARKS]
    ways = [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (1, 3)]
    lines = tuple(
        LevellingLine(f"L{i}", marks[a][0], marks[b][0], marks[b][1] - marks[a][1], 50.0, 0.005, i)
        for i, (a, b) in enumerate(ways, start=1)
    )
    return LevellingNetwork(
        "1985 National Height Datum",
        tide_system,
        2,
        lines,
        {"BM1": (marks[0][1], 0.0)},
        {},
        {mark: name for name, mark in BENCH_MARKS.items()},
    )


@pytest.mark.parametrize("tide_system", list(TideSystem))
def test_station_heights_keep_their_sum_and_levelled_ones_their_levelling(tide_system: TideSystem) -> None:
    network = _gnss(tuple(_station(name, *place) for name, place in PLACES.items()))
    levelling = _levelling(tide_system)
    heights = adjust_levelling(levelling)
    results = {height.station: height for height in station_heights(network, heights, levelling)}
    assert list(results) == sorted(PLACES)
    for name, result in results.items():
        total = result.ellipsoidal_height_m + result.permanent_tide_m - result.normal_height_m
        assert total == pytest.approx(result.height_anomaly_m, abs=1e-9)
        assert result.ellipsoidal_height_m == pytest.approx(PLACES[name][2], abs=1e-6)
        assert result.tide_system is tide_system
        latitude, longitude, h = PLACES[name]
        # The tide goes into the anomaly of the surface and out again: its change over the region is left.
        assert result.normal_height_m == pytest.approx(h - _zeta(latitude, longitude), abs=1e-3)
    assert {n for n, r in results.items() if r.source == "levelled"} == set(BENCH_MARKS)
    surfaced = results["EEEE00CHN"]
    assert surfaced.source == "from surface"
    assert surfaced.sigma_m > SIGMA_M
    assert (surfaced.permanent_tide_m == 0.0) is (tide_system is TideSystem.TIDE_FREE)
    assert all(result.remark == "" for result in results.values())
    surface = station_surface(network, heights, levelling)
    assert surface.names == tuple(sorted(BENCH_MARKS))


def test_a_station_beyond_the_surface_is_refused_or_left_out_on_request() -> None:
    far = _station("ZZZZ00CHN", 36.0, 110.0, 400.0)
    network = _gnss((*(_station(name, *place) for name, place in PLACES.items()), far))
    levelling = _levelling(TideSystem.MEAN_TIDE)
    heights = adjust_levelling(levelling)
    with pytest.raises(InputError, match=r"station ZZZZ00CHN: .* outside the levelled stations"):
        station_heights(network, heights, levelling)
    results = station_heights(network, heights, levelling, omit_beyond=True)
    assert "ZZZZ00CHN" not in {result.station for result in results}
    assert len(results) == len(PLACES)


def test_of_two_solutions_the_one_with_more_days_serves_and_the_other_is_told() -> None:
    double = _station("EEEE00CHN", 31.8, 121.2, 18.06, soln=2, days=1)
    network = _gnss((*(_station(name, *place) for name, place in PLACES.items()), double))
    levelling = _levelling(TideSystem.MEAN_TIDE)
    results = {r.station: r for r in station_heights(network, adjust_levelling(levelling), levelling)}
    assert results["EEEE00CHN"].ellipsoidal_height_m == pytest.approx(18.0, abs=1e-6)
    assert results["EEEE00CHN"].remark == "height of solution 1; solution 2 lies +60.0 mm higher"


def test_without_a_levelled_station_there_is_no_height() -> None:
    network = _gnss((_station("QQQQ00CHN", 31.0, 121.0, 10.0),))
    levelling = _levelling(TideSystem.MEAN_TIDE)
    with pytest.raises(InputError, match=r"no bench mark is on the pillar .* the network has QQQQ00CHN"):
        station_heights(network, adjust_levelling(levelling), levelling)


def test_a_bench_mark_may_name_its_station_by_four_characters() -> None:
    network = _gnss(tuple(_station(name, *place) for name, place in PLACES.items()))
    levelling = _levelling(TideSystem.MEAN_TIDE)
    short = replace(levelling, stations={mark: name[:4] for mark, name in levelling.stations.items()})
    heights = adjust_levelling(levelling)
    long_names = station_heights(network, heights, levelling)
    assert station_heights(network, heights, short) == long_names
