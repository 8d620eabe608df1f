"""BeiDou-3 on B1C + B2a+b and on B1C + B2b, made from a simulated station's B1C and B2a.

Geometry and ionosphere follow from B1C and B2a; at another carrier they give the observations that it would
have. The ionosphere-free combination with it is then the same, carrier for carrier, if its frequency, its
place among the pairs and its biases are handled as they must be; a wrong frequency breaks it by metres.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from stations.formats.antex import read_antex
from stations.formats.products import find_products
from stations.formats.rinex_observation import read_observations
from stations.ppp.options import SIGNAL_PAIRS, PppOptions
from stations.ppp.signal_selection import choose_signals
from stations.ppp.solve import solve_station
from stations.signals import carrier_frequency_hz
from transforms.constants import SPEED_OF_LIGHT_M_PER_S

SAMPLE = Path(__file__).resolve().parents[3] / "sample_data"
# Antennas hold C08 and C07 apart from C05; the combinations' offsets then differ by millimetres.
AGREE_M = 0.004


def with_carrier(observations, band: str, attribute: str):
    """Beside 1P and 5P the same satellites' signal on another carrier."""
    data = observations.data
    f1, f5, wanted = (carrier_frequency_hz("C" + b) for b in ("1", "5", band))
    # a + b = 1 keeps the geometry; a / f1^2 + b / f5^2 = 1 / f^2 gives the ionosphere of the wanted carrier.
    share = (wanted**-2 - f1**-2) / (f5**-2 - f1**-2)
    one, other = (data.sel(signal=s) for s in ("1P", "5P"))
    new = other.copy(deep=True)
    new["pseudorange_m"] = (1.0 - share) * one["pseudorange_m"] + share * other["pseudorange_m"]
    metres = (1.0 - share) * one["carrier_phase_cycles"] * (SPEED_OF_LIGHT_M_PER_S / f1) + share * other[
        "carrier_phase_cycles"
    ] * (SPEED_OF_LIGHT_M_PER_S / f5)
    new["carrier_phase_cycles"] = metres * (wanted / SPEED_OF_LIGHT_M_PER_S)
    new["loss_of_lock"] = one["loss_of_lock"] | other["loss_of_lock"]
    if "doppler_hz" in new:
        new["doppler_hz"] = other["doppler_hz"] * np.float32(wanted / f5)
    new = new.assign_coords(signal=band + attribute).expand_dims("signal", axis=2)
    joined = xr.concat([data.transpose("epoch", "satellite", "signal"), new], dim="signal")
    return replace(observations, data=joined.transpose("epoch", "satellite", "signal").sortby("signal"))


@pytest.fixture(scope="module")
def day():
    path = next((SAMPLE / "observations").glob("NJLS*2026116*"))
    observations = read_observations([path], systems="C")
    ends = observations.epochs[0], observations.epochs[-1]
    products = find_products([SAMPLE / "products"], *ends, systems="C")
    return observations, products, read_antex(SAMPLE / "antex" / "simulated.atx")


@pytest.mark.parametrize(("band", "attribute"), [("8", "X"), ("8", "P"), ("8", "D"), ("7", "D"), ("7", "Z")])
def test_the_pair_gives_the_position_of_b1c_and_b2a(day, band, attribute):
    observations, products, antennas = day

    def solve(given, pair):
        options = PppOptions(systems="C", interval_s=300.0, signal_pairs={"C": (pair,)})
        return solve_station(given, products, antennas, options=options)

    usual = solve(observations, ("1P", "5P"))
    wide = solve(with_carrier(observations, band, attribute), ("1", band))
    assert wide.signals == (f"C:1P+{band}{attribute}",)
    assert np.linalg.norm(wide.position_ecef_m - usual.position_ecef_m) < AGREE_M
    assert wide.residual_rms_phase_m == pytest.approx(usual.residual_rms_phase_m, rel=0.05)
    assert any(f"C:1P+{band}{attribute}" in remark for remark in wide.remarks)


@pytest.mark.parametrize("band", ["8", "7"])
def test_the_pair_serves_by_itself_where_nothing_else_is_tracked(day, band):
    observations = with_carrier(day[0], band, "X" if band == "8" else "D")
    kept = [s for s in observations.data["signal"].values if s[0] in "1" + band]
    only = replace(observations, data=observations.data.sel(signal=kept))
    chosen = choose_signals(only, PppOptions(systems="C"))
    assert chosen
    assert {pair[1][0] for pair in chosen.values()} == {band}
    assert ("1", band) in SIGNAL_PAIRS["C"]
