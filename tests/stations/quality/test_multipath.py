"""Code multipath: what cancels cancels, what is put in comes out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stations.quality.cycle_slips import find_cycle_slips
from stations.quality.multipath import SHORTEST_ARC, code_multipath_m, pair_multipath, rms_about_arc_means
from stations.quality.signal_pairs import SignalPair
from transforms.constants import SPEED_OF_LIGHT_M_PER_S

PAIRS_HZ = {  # every dual-frequency pairing of the house: RINEX 4.02, tables 9-16
    "L1 L2": (1575.42e6, 1227.60e6),
    "L1 L5": (1575.42e6, 1176.45e6),
    "E1 E5b": (1575.42e6, 1207.14e6),
    "B1I B3I": (1561.098e6, 1268.52e6),
    "B1I B2I": (1561.098e6, 1207.14e6),
    "G1 G2 channel -7": (1602.0e6 - 7 * 0.5625e6, 1246.0e6 - 7 * 0.4375e6),
}


@pytest.mark.parametrize("name", PAIRS_HZ)
@given(
    range_m=st.floats(1.9e7, 4.0e7),
    delay_m=st.floats(0, 100),
    multipath_m=st.floats(-5, 5),
    whole=st.integers(-99, 99),
)
@settings(max_examples=20, deadline=None)
def test_range_and_ionosphere_cancel_and_multipath_stays(
    name: str, range_m: float, delay_m: float, multipath_m: float, whole: int
) -> None:
    own, other = PAIRS_HZ[name]
    delay_other_m = delay_m * (own / other) ** 2
    code = np.array([[range_m + delay_m + multipath_m], [range_m + delay_m]])
    own_cycles = np.full((2, 1), (range_m - delay_m) * own / SPEED_OF_LIGHT_M_PER_S + whole)
    other_cycles = np.full((2, 1), (range_m - delay_other_m) * other / SPEED_OF_LIGHT_M_PER_S)
    found = code_multipath_m(code, own_cycles, other_cycles, own, other)
    np.testing.assert_allclose(found[0, 0] - found[1, 0], multipath_m, atol=1e-6)
    # What is left is the constant of the ambiguity: -(1 + 2 / (a - 1)) wavelengths for each cycle.
    factor = 1.0 + 2.0 / ((own / other) ** 2 - 1.0)
    np.testing.assert_allclose(found[1, 0], -factor * whole * SPEED_OF_LIGHT_M_PER_S / own, atol=1e-6)


def test_rms_is_taken_about_the_mean_of_each_arc_and_slips_do_not_enter_it() -> None:
    rng = np.random.default_rng(4)
    n, (own, other) = 600, PAIRS_HZ["L1 L2"]
    time_s = np.arange(n) * 30.0
    code_1 = 2.2e7 + rng.normal(0, 0.30, (n, 4))
    code_2 = 2.2e7 + rng.normal(0, 0.50, (n, 4))
    phase_1 = np.full((n, 4), 2.2e7 * own / SPEED_OF_LIGHT_M_PER_S)
    phase_2 = np.full((n, 4), 2.2e7 * other / SPEED_OF_LIGHT_M_PER_S)
    phase_1[300:, 0] += 1e5
    code_1[100, 1] += 500.0
    nothing = np.zeros((n, 4), np.uint8)
    masks = find_cycle_slips(time_s, phase_1, phase_2, code_1, code_2, nothing, nothing, own, other)
    result = pair_multipath(SignalPair("G", "1C", "2W"), code_1, code_2, phase_1, phase_2, own, other, masks)
    assert result.n_first == 4 * n - 1  # the bad code is left out
    # The rms of 2,400 normal values is within 6 % of their sigma at four standard errors (1 / sqrt(2 n)).
    np.testing.assert_allclose([result.first_rms_m, result.second_rms_m], [0.30, 0.50], rtol=0.06)


def test_arcs_too_short_for_a_mean_give_no_figure() -> None:
    n = SHORTEST_ARC - 1
    phase = np.ones((n, 1))
    nothing = np.zeros((n, 1), np.uint8)
    masks = find_cycle_slips(np.arange(n) * 30.0, phase, phase, phase, phase, nothing, nothing, 2e9, 1e9)
    assert rms_about_arc_means(phase, masks) == (None, 0)
