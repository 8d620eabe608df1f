"""Vectors between real stations: Wettzell against published vectors, the Netherlands against themselves."""

import csv
from dataclasses import replace

import numpy as np
import pytest

import stations.baseline.ambiguities as fixing
from stations.baseline.broadcast_products import broadcast_products
from stations.baseline.options import BaselineOptions
from stations.baseline.solve import solve_baseline
from stations.formats.antex import read_antex
from stations.formats.products import find_products
from stations.formats.rinex_navigation import read_navigation
from stations.formats.rinex_observation import read_observations
from stations.ppp.options import PppOptions
from stations.ppp.solve import solve_station
from stations.records import AntennaType, ObservationEvent
from transforms.errors import InputError
from transforms.geodetic import enu_matrix_at

pytestmark = [pytest.mark.real_data, pytest.mark.xdist_group("baselines")]

WETTZELL_ECEF_M = np.array([4075580.3, 931854.1, 4801568.3])
# The contract. IGS's own vectors differ by 6 mm in height, so the median of them is the published vector.
CONTRACT_M = 0.005


@pytest.fixture(scope="module")
def published(authorities):
    with (authorities / "wettzell_vectors.csv").open() as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return np.array([[float(row[k]) for k in ("dx_m", "dy_m", "dz_m")] for row in rows])


@pytest.fixture(scope="module")
def wettzell(real_data):
    folder = real_data / "wettzell_2020177"
    first, second = (
        read_observations([folder / f"{name}00DEU_R_20201770000_01D_30S_MO_120epoch.crx.gz"])
        for name in ("WTZR", "WTZZ")
    )
    products = find_products([folder], first.epochs[0], first.epochs[-1], systems="GEC")
    antennas = read_antex(real_data / "atx" / "igs20_2385_sats_plus_6rcv.atx.gz")
    return first, second, products, antennas


def enu_m(vector_ecef_m):
    return enu_matrix_at(WETTZELL_ECEF_M) @ vector_ecef_m


@pytest.mark.parametrize("systems", ["GEC", "G", "E", "C"])
def test_wettzell_fixed_within_five_millimetres_of_the_published_vector(wettzell, published, systems):
    # Seen 2026-11, GEC against the median: 1.9 E, 1.6 N, -0.1 U mm; against the week 2020-316 1.4, 2.0, -5.6.
    first, second, products, antennas = wettzell
    solution = solve_baseline(first, second, products, antennas, options=BaselineOptions(systems=systems))
    assert solution.ambiguities == "fixed"
    assert solution.fixed_fraction > 0.9
    assert solution.success_rate > 0.99
    assert solution.ionosphere == "fixed"
    away = enu_m(solution.vector_ecef_m - np.median(published, axis=0))
    assert float(np.linalg.norm(away)) < CONTRACT_M, away


def test_an_antenna_raised_inside_the_hour_does_not_enter_the_vector(wettzell, published):
    """10 cm on paper at the hundredth epoch: the hundred before it are solved, and the output says so."""
    first, second, products, antennas = wettzell
    setup = second.header.setup
    east, north, up = setup.eccentricity_enu_m
    raised = replace(setup, eccentricity_enu_m=(east, north, up + 0.1))
    planted = ObservationEvent(second.epochs[100], 4, "header information", (), 77, raised)
    solution = solve_baseline(first, replace(second, events=(planted,)), products, antennas)
    assert solution.to_setup == setup
    assert float(np.linalg.norm(enu_m(solution.vector_ecef_m - np.median(published, axis=0)))) < 0.01
    assert any("100 epochs from the header" in remark for remark in solution.remarks)


def test_a_file_given_twice_has_no_vector(wettzell):
    first, _, products, antennas = wettzell
    with pytest.raises(InputError, match="given for both stations"):
        solve_baseline(first, first, products, antennas)


@pytest.mark.parametrize("base", [(1.0, 2.0, 3.0), (49.1, 12.9, 666.0), (0.0, 0.0, np.nan)])
def test_a_base_position_of_another_place_is_refused_in_words(wettzell, base):
    first, second, products, antennas = wettzell
    with pytest.raises(InputError, match=r"WTZR00DEU lies .* m from its position by code"):
        solve_baseline(first, second, products, antennas, base_position_ecef_m=np.array(base))


def test_one_carrier_asked_for_is_said_not_to_serve_free_of_the_ionosphere(wettzell):
    first, second, products, antennas = wettzell
    options = BaselineOptions(carriers="first", ionosphere="free")
    solution = solve_baseline(first, second, products, antennas, options=options)
    assert any("first carrier alone: not so" in remark for remark in solution.remarks)


@pytest.mark.parametrize("systems", ["G", "GEC"])
def test_each_carrier_alone_gives_the_vector_within_its_sigma(wettzell, published, systems):
    # One carrier at a time: other wavelengths, other multipath, the other calibration of each antenna.
    first, second, products, antennas = wettzell
    for carriers in ("first", "second"):
        options = BaselineOptions(systems=systems, carriers=carriers)
        solution = solve_baseline(first, second, products, antennas, options=options)
        assert solution.ambiguities == "fixed"
        assert f"the {carriers} carrier alone" in solution.remarks
        away = solution.vector_ecef_m - np.median(published, axis=0)
        covariance = solution.covariance_m2 + 0.002**2 * np.eye(3)  # what the published vectors are worth
        assert float(away @ np.linalg.solve(covariance, away)) < 16.3, enu_m(away)  # chi-square(3), 99.9 %


def test_the_way_back_is_the_way_there_reversed(wettzell):
    first, second, products, antennas = wettzell
    there = solve_baseline(first, second, products, antennas).vector_ecef_m
    back = solve_baseline(second, first, products, antennas).vector_ecef_m
    assert np.allclose(there, -back, atol=3e-4)  # WTZZ's header is a metre off: 1.6 m / 20,000 km times that


def test_one_antenna_type_needs_no_calibration(wettzell):
    first, second, products, antennas = wettzell
    with_calibration = solve_baseline(first, second, products, antennas)
    without = solve_baseline(first, second, products, ())
    assert np.allclose(with_calibration.vector_ecef_m, without.vector_ecef_m, atol=5e-4)
    assert any("no calibration" in remark for remark in without.remarks)


def test_a_wrong_integer_never_comes_out_as_fixed(wettzell, monkeypatch):
    first, second, products, antennas = wettzell
    right = fixing.fix_by_rounding

    def wrong(value, covariance):
        fixed, success = right(value, covariance)
        return {k: whole + (1.0 if k % 3 == 0 else 0.0) for k, whole in fixed.items()}, success

    monkeypatch.setattr(fixing, "fix_by_rounding", wrong)
    solution = solve_baseline(first, second, products, antennas)
    assert solution.ambiguities == "float"
    assert solution.fixed_fraction == 0.0
    assert any("more than its covariance allows" in remark for remark in solution.remarks)


def test_the_float_vector_lies_where_its_sigma_says(wettzell, published):
    first, second, products, antennas = wettzell
    solution = solve_baseline(first, second, products, antennas, options=BaselineOptions(ambiguities="float"))
    away = solution.vector_ecef_m - np.median(published, axis=0)
    covariance = solution.covariance_m2 + 0.002**2 * np.eye(3)  # what the published vectors are worth
    assert float(away @ np.linalg.solve(covariance, away)) < 16.3  # chi-square(3), 99.9 %


def test_different_antennas_without_calibration_are_refused_unless_allowed(wettzell):
    first, second, products, _ = wettzell
    setup = replace(second.header.setup, antenna=AntennaType("LEIAR20", "NONE"))
    other = replace(second, header=replace(second.header, setup=setup))
    options = BaselineOptions(systems="G")
    with pytest.raises(InputError, match="of another type"):
        solve_baseline(first, other, products, (), options=options)
    allowed = solve_baseline(first, other, products, (), options=replace(options, allow_missing_antenna=True))
    assert any("no calibration" in remark for remark in allowed.remarks)


def test_files_of_different_times_are_refused(wettzell):
    first, second, products, antennas = wettzell
    data = second.data.assign_coords(epoch=second.data["epoch"].values + np.timedelta64(1, "D"))
    with pytest.raises(InputError, match="not of the same time"):
        solve_baseline(first, replace(second, data=data), products, antennas)


def test_glonass_is_refused_with_the_reason(wettzell):
    first, second, products, antennas = wettzell
    with pytest.raises(InputError, match="another frequency from each satellite"):
        solve_baseline(first, second, products, antennas, options=BaselineOptions(systems="GR"))


def test_dutch_triangle_closes_and_agrees_with_point_positioning(real_data):
    # Seen 2026-11: closure below 2 mm, differences from our own PPP 2.4 E, 0.6 N, 5.5 U mm at most.
    folder = real_data / "nl_2021001"
    names = ("delf", "eijs", "wsra")
    observations = {name: read_observations([folder / f"{name}0010.21d.gz"], systems="G") for name in names}
    epochs = observations["delf"].epochs
    products = find_products([folder, real_data / "eop"], epochs[0], epochs[-1], systems="G")
    antennas = read_antex(real_data / "atx" / "igs20_2385_sats_plus_6rcv.atx.gz")
    antennas += read_antex(real_data / "atx" / "igs05.atx.gz")
    options = PppOptions(systems="G", allow_missing_antenna=True)
    points = {name: solve_station(observations[name], products, antennas, options=options) for name in names}
    options = BaselineOptions(systems="G", interval_s=300.0)
    vectors = {}
    for one, other in (("delf", "eijs"), ("eijs", "wsra"), ("delf", "wsra")):
        base = points[one].position_ecef_m
        solution = solve_baseline(
            observations[one],
            observations[other],
            products,
            antennas,
            options=options,
            base_position_ecef_m=base,
        )
        assert solution.ionosphere == "free"
        assert solution.ambiguities == "fixed"
        vectors[one, other] = solution.vector_ecef_m
        away = enu_matrix_at(base) @ (solution.vector_ecef_m - points[other].position_ecef_m + base)
        assert np.all(np.abs(away) < [0.006, 0.004, 0.012]), (one, other, away)
    # Broadcast orbits serve too: 183 km / 20,000 km of a metre or two is 9 to 18 mm at most.
    navigation = read_navigation(folder / "AMEL00NLD_R_20210010000_01D_MN.rnx.gz", systems="G")
    sent = solve_baseline(
        observations["delf"],
        observations["wsra"],
        broadcast_products(navigation, epochs[0], epochs[-1], systems="G"),
        tuple(antenna for antenna in antennas if not antenna.svn),
        options=options,
        base_position_ecef_m=points["delf"].position_ecef_m,
    )
    away = enu_matrix_at(points["delf"].position_ecef_m) @ (sent.vector_ecef_m - vectors["delf", "wsra"])
    assert np.all(np.abs(away) < [0.009, 0.009, 0.018]), away
    with pytest.raises(InputError, match="of another time"):
        broadcast_products(
            navigation, epochs[0].plus_seconds(86400 * 9), epochs[-1].plus_seconds(86400 * 9), systems="G"
        )
    closure = vectors["delf", "eijs"] + vectors["eijs", "wsra"] - vectors["delf", "wsra"]
    assert float(np.linalg.norm(closure)) < 0.005
