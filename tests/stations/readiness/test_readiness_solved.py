"""Days of the sample region solved with and without BeiDou-3."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from stations.formats.antex import read_antex
from stations.formats.products import find_products
from stations.formats.rinex_observation import read_observations
from stations.readiness.records import SolvedGain
from stations.readiness.solved import solved_gain

SAMPLE = Path(__file__).resolve().parents[3] / "sample_data"


def solve(station: str, n_epoch: int) -> SolvedGain:
    whole = read_observations([SAMPLE / "observations" / f"{station}_R_20261160000_01D_05M_MO.crx.gz"])
    part = replace(whole, data=whole.data.isel(epoch=slice(0, n_epoch)))
    epochs = part.epochs
    products = find_products([SAMPLE / "products"], epochs[0], epochs[-1], systems="GEC")
    return solved_gain(part, products, read_antex(SAMPLE / "antex" / "simulated.atx"))


def test_a_part_of_a_day_is_solved_both_ways() -> None:
    found = solve("TAIX00CHN", 97)  # 8 h: starts at 0 and 6 h reach an hour and more
    assert found.not_computed == ""
    assert found.centre == "SIM"
    without, with_bds3 = found.without, found.with_bds3
    assert without is not None
    assert with_bds3 is not None
    assert (without.systems, with_bds3.systems) == (("G", "E"), ("G", "E", "C"))
    assert with_bds3.n_observations > 1.3 * without.n_observations
    assert with_bds3.offset_enu_m == (0.0, 0.0, 0.0)  # it is the reference
    # Two solutions of the same hours, independent in a third of their observations.
    assert 0.0 < float(np.linalg.norm(without.offset_enu_m)) < 0.02
    assert without.n_starts == with_bds3.n_starts == 2
    assert with_bds3.error_3d_1h_m is not None
    assert with_bds3.error_3d_1h_m < 0.1
    assert with_bds3.convergence_h is not None


def test_a_station_without_beidou_says_so() -> None:
    found = solve("YZTZ00CHN", 24)
    assert found.without is None
    assert found.not_computed == "no BeiDou-3 satellite was observed"
