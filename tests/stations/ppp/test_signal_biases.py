"""Code biases of signals from differences: chains, rings, the clocks' definition, and two centres' files."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stations.formats.bias_sinex import read_bias_sinex
from stations.ppp.signal_biases import bias_remarks, biases_by_differences, pair_biases
from stations.records import SignalBias, SignalBiases
from stations.signals import carrier_frequency_hz
from transforms.time_scales import Epochs

DAY = tuple(Epochs.from_datetime64(text) for text in ("2024-02-04T00:00:00", "2024-02-04T23:59:59"))
SIGNALS = ("1C", "1W", "2W", "2X", "5X")
TREE = (("1C", "1W"), ("1W", "2W"), ("2W", "2X"), ("1C", "5X"))
# What a solution takes a satellite's known ionosphere-free code bias to be good for. CODE's OSB and CAS's DSB
# of 2024-035 differ by 0.1 m in C1C against C1W (0.36 ns: their networks hold other receivers), which the
# combination amplifies 2.5 times.
TWO_CENTRES_AGREE_M = 0.40


def bias(kind: str, first: str, second: str, value_m: float, satellite: str = "G05") -> SignalBias:
    codes = ("C" + first, "C" + second if second else "")
    return SignalBias(kind, satellite, "", *codes, *DAY, value_m, 0.01)  # type: ignore[arg-type]


def in_combination_m(system: str, pair: tuple[str, str], values_m: np.ndarray) -> np.ndarray:
    first, second = (carrier_frequency_hz(system + signal) ** 2 for signal in pair)
    return (values_m[..., 0] * first - values_m[..., 1] * second) / (first - second)


def cancelling(truth: Mapping[str, float]) -> dict[str, float]:
    """The same biases less what is common, so that those of 1W and 2W cancel in the combination."""
    common = float(in_combination_m("G", ("1W", "2W"), np.array([truth["1W"], truth["2W"]])))
    return {signal: value - common for signal, value in truth.items()}


@given(st.lists(st.floats(-20.0, 20.0), min_size=5, max_size=5), st.booleans())
def test_a_chain_or_a_ring_gives_each_signal_its_bias(values: list[float], ring: bool) -> None:
    truth = cancelling(dict(zip(SIGNALS, values, strict=True)))
    pairs = (*TREE, ("1C", "2W"), ("2X", "5X")) if ring else TREE
    found = biases_by_differences("G", {}, [bias("DSB", a, b, truth[a] - truth[b]) for a, b in pairs])
    assert found.keys() == set(SIGNALS)
    for signal in SIGNALS:
        assert found[signal] == pytest.approx(truth[signal], abs=1e-6)


def test_a_ring_that_does_not_close_is_shared_out() -> None:
    given_m = {("1C", "1W"): 1.0, ("1W", "2W"): 2.0, ("1C", "2W"): 3.3}
    found = biases_by_differences("G", {}, [bias("DSB", a, b, v) for (a, b), v in given_m.items()])
    misfit = [found[a] - found[b] - v for (a, b), v in given_m.items()]
    assert np.abs(misfit) == pytest.approx([0.1, 0.1, 0.1], abs=1e-6)


def test_what_is_given_by_itself_is_held_and_differences_lead_on_from_it() -> None:
    given_here = [bias("OSB", "1C", "", 1.5), bias("OSB", "2W", "", -2.0), bias("DSB", "1C", "5X", 4.0)]
    biases = SignalBiases(tuple(given_here), "COD")
    pairs = [("1C", "2W"), ("1C", "5X"), ("1C", "5Q")]
    found = [pair_biases(biases, ["G05"], [pair], "C") for pair in pairs]
    assert [f.source for f in found] == [("OSB",), ("DSB",), ("",)]
    assert found[0].value_m[0] == pytest.approx([1.5, -2.0])
    assert found[1].value_m[0] == pytest.approx([1.5, -2.5])
    assert not found[2].known[0]
    assert np.all(found[2].value_m == 0.0)


def test_galileo_pilots_and_data_with_pilots_are_two_networks() -> None:
    given_here = [bias("DSB", *pair, 3.0, "E01") for pair in (("1C", "5Q"), ("1X", "5X"), ("1X", "7X"))]
    found = biases_by_differences("E", {}, given_here)
    for pair in (("1C", "5Q"), ("1X", "5X")):
        values = np.array([found[signal] for signal in pair])
        assert in_combination_m("E", pair, values) == pytest.approx(0.0, abs=1e-5)
    assert found["5X"] == pytest.approx(found["7X"], abs=1e-5)


def test_differences_that_do_not_reach_the_clocks_signals_serve_nothing() -> None:
    assert biases_by_differences("C", {}, [bias("DSB", "1P", "5P", 3.0, "C20")]) == {}


def test_only_what_is_valid_at_the_instant_serves_and_no_station() -> None:
    later = Epochs.from_datetime64("2024-02-05T00:00:00")
    biases = SignalBiases((bias("OSB", "1C", "", 1.0), bias("OSB", "2W", "", 2.0)), "COD")
    inside = int(DAY[0].tai_ns) + 1
    assert pair_biases(biases, ["G05"], [("1C", "2W")], "C", inside).known[0]
    assert not pair_biases(biases, ["G05"], [("1C", "2W")], "C", int(later.tai_ns)).known[0]


def test_the_output_tells_what_was_applied_and_what_not() -> None:
    biases = SignalBiases((bias("DSB", "1C", "1W", 1.0), bias("DSB", "1W", "2W", 1.0)), "CAS")
    satellites, pairs = ["G05", "G06", "R01"], [("1C", "2W"), ("1C", "2W"), ("1C", "2C")]
    found = pair_biases(biases, satellites, pairs, "C")
    told = np.array([True, True, False])
    words = bias_remarks(["G:1C+2W", "G:1C+2W", "R:1C+2C"], found, np.array([0.4, 1.0, 10.0]), "CAS", told)
    assert words == [
        "code biases of satellites, by differences (DSB): G:1C+2W (1 satellite)",
        "no code biases known for G:1C+2W (1 satellite): each satellite's code is left free (G:1C+2W by 1 m)",
    ]


@pytest.mark.real_data
@pytest.mark.parametrize("pair", [("1C", "2W"), ("1C", "2L"), ("1C", "2X")])
def test_differences_of_one_centre_agree_with_the_biases_of_another(real_data, pair) -> None:
    folder = real_data / "bor1_2024035"
    satellites = [f"G{number:02d}" for number in range(1, 33)]
    in_file = []
    for name in ("COD0OPSFIN_20240350000_01D_01D_OSB.BIA.gz", "CAS0MGXRAP_20240350000_01D_01D_DCB.BSX.gz"):
        found = pair_biases(read_bias_sinex(folder / name), satellites, [pair] * 32, "C")
        value = in_combination_m("G", pair, found.value_m)
        in_file.append(np.where(found.known, value, np.nan))
    both = np.isfinite(in_file[0] + in_file[1])
    assert both.sum() >= 24
    apart = (in_file[0] - in_file[1])[both]
    assert np.std(apart) < TWO_CENTRES_AGREE_M
    # A sign taken wrong would double what the biases themselves are.
    assert np.std((in_file[0] + in_file[1])[both]) > 2.0 * TWO_CENTRES_AGREE_M
