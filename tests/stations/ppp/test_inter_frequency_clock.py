"""GPS on L1 + L5 with clocks of L1 + L2: the slow difference is found, left as noise it is not."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from stations.formats.antex import read_antex
from stations.formats.products import find_products
from stations.formats.rinex_observation import read_observations
from stations.ppp.inter_frequency_clock import (
    clock_difference_m,
    inter_frequency_remarks,
    slips_of_the_difference,
    slow_variation_m,
)
from stations.ppp.options import PppOptions
from stations.ppp.solve import solve_station
from stations.signals import carrier_frequency_hz
from transforms.geodetic import enu_matrix_at

L1, L2, L5 = (carrier_frequency_hz(band) for band in ("G1", "G2", "G5"))
SIX_HOURS = np.arange(0.0, 6.0 * 3600.0, 300.0)
# A pass of G09 on BOR1 2024-035 ran through 188 mm, as half a wave of 12 hours would.
SLOW_M = 0.094 * np.sin(2.0 * np.pi * SIX_HOURS / 43200.0 - 0.6)
NOISE_M = 0.006  # of the difference, BOR1
# What 30 minutes of six such differences leave: 0.006 / sqrt(6), and a straight line in the place of a wave.
SMOOTHED_M = 0.0035
# BOR1 2024-035, GPS on 1C + 5X: PRIDE's GPS float solution, of 1C + 2W, lies 3.1 mm from the IGS's; 1C + 5X
# has 18 satellites instead of 31, and formal sigmas of 3.1 / 1.7 / 4.5 mm.
DAY_3D_M = 0.006
DAY_PHASE_RMS_M = 0.010  # 15.9 mm with the difference left in, 7 to 8 mm on 1C + 2W


def test_geometry_clocks_and_ionosphere_fall_out_of_the_difference() -> None:
    geometry_m, delay_l1_m = 2.2e7, 3.7
    on = {f: geometry_m - delay_l1_m * (L1 / f) ** 2 for f in (L1, L2, L5)}
    own = np.array([[on[L1], on[L5]]])
    difference = clock_difference_m(own, np.array([on[L2]]), np.array([[L1, L5]]))
    assert difference == pytest.approx(0.0, abs=1e-6)
    later = clock_difference_m(own + np.array([[0.0, 0.01]]), np.array([on[L2]]), np.array([[L1, L5]]))
    assert later == pytest.approx(0.01 * L5**2 / (L1**2 - L5**2), abs=1e-6)


def test_the_slow_part_is_found_about_its_mean_and_noise_is_not_taken_over() -> None:
    noise = np.random.default_rng(4).normal(0.0, NOISE_M, SIX_HOURS.size)
    difference = 5.0 + SLOW_M + noise
    difference[20:26] = np.nan  # half an hour without L2 is bridged
    arc = np.zeros(SIX_HOURS.size, dtype=np.int64)
    found = slow_variation_m(SIX_HOURS, arc, difference, np.full(SIX_HOURS.size, np.radians(70.0)))
    expected = SLOW_M - SLOW_M.mean()
    assert np.sqrt(np.mean((found - found.mean() - expected) ** 2)) < SMOOTHED_M
    assert np.std(np.diff(found)) < 0.5 * np.std(np.diff(difference[np.isfinite(difference)]))


def test_arcs_do_not_mix_and_one_without_l2_is_left_alone() -> None:
    second = np.concatenate([SIX_HOURS, SIX_HOURS])
    arc = np.repeat([3, 1], SIX_HOURS.size)
    difference = np.concatenate([7.0 + SLOW_M, np.full(SIX_HOURS.size, np.nan)])
    found = slow_variation_m(second, arc, difference, np.full(second.size, 1.0))
    assert np.ptp(found[: SIX_HOURS.size]) > 0.1
    assert np.all(found[SIX_HOURS.size :] == 0.0)


def test_a_slip_of_l2_begins_a_new_arc() -> None:
    difference = np.tile(SLOW_M[:, None], (1, 2))
    difference[30:, 1] += 0.377  # a cycle of L2 in the combination
    difference[28:30, 1] = np.nan
    present = np.ones(difference.shape, dtype=np.bool_)
    assert np.argwhere(slips_of_the_difference(difference, present)).tolist() == [[30, 1]]


def test_the_output_says_so_in_both_cases() -> None:
    assert inter_frequency_remarks([], True) == []
    assert "told by the receiver's own phases of L2" in inter_frequency_remarks(["G09"], True)[0]
    assert "expect residuals of 15 mm" in inter_frequency_remarks(["G09"], False)[0]


@pytest.mark.real_data
def test_a_day_of_l1_and_l5_agrees_with_the_igs(real_data) -> None:
    folder = real_data / "bor1_2024035"
    observations = read_observations([folder / "BOR100POL_R_20240350000_01D_30S_MO.crx.gz"], systems="G")
    ends = observations.epochs[0], observations.epochs[-1]
    products = find_products([folder, real_data / "eop"], *ends, systems="G", centre="COD")
    antennas = read_antex(real_data / "atx" / "igs20_2385_sats_plus_6rcv.atx.gz")
    options = PppOptions(systems="G", signal_pairs={"G": (("1", "5"),)})
    with (real_data / "truth" / "TRUTH.csv").open() as file:
        row = next(r for r in csv.DictReader(file) if r["station"] == "BOR1")
    truth = np.array([float(row[k]) for k in "XYZ"])

    solution = solve_station(observations, products, antennas, options=options)
    away_m = enu_matrix_at(truth) @ (solution.position_ecef_m - truth)
    assert np.linalg.norm(away_m) < DAY_3D_M
    assert solution.residual_rms_phase_m < DAY_PHASE_RMS_M
    assert any("GPS on L1 + L5" in r and "phases of L2" in r for r in solution.remarks)

    kept = [s for s in observations.data["signal"].values if not str(s).startswith("2")]
    without = replace(observations, data=observations.data.sel(signal=kept))
    alone = solve_station(without, products, antennas, options=options)
    assert any("no L2 to tell" in r for r in alone.remarks)
    assert alone.residual_rms_phase_m > 1.5 * solution.residual_rms_phase_m
