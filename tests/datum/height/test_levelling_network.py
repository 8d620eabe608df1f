"""Levelling adjustment: invariants, blunders, floating parts, loops against the order's limit."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datum.height.levelling import adjust_levelling
from datum.height.levelling_orders import LEVELLING_ORDERS, levelling_order
from datum.height.loops import loop_misclosures
from datum.records import HeightSolution, LevellingLine, LevellingNetwork, TideSystem
from transforms.errors import AdjustmentError, InputError

TRUE_HEIGHT_M = {"A": 10.0, "B": 14.2, "C": 7.7, "D": 30.1, "E": 22.5}
# Every bench mark has three lines at least, so that a single blunder can be placed.
WAYS = (
    ("A", "B"),
    ("B", "C"),
    ("C", "D"),
    ("D", "E"),
    ("E", "A"),
    ("A", "C"),
    ("B", "D"),
    ("C", "E"),
    ("A", "D"),
)
KM = (12.0, 20.0, 9.0, 31.0, 17.0, 25.0, 14.0, 22.0, 28.0)


def _network(
    noise_m: Sequence[float] = (0.0,) * 9,
    fixed: Mapping[str, tuple[float, float]] | None = None,
    order: int = 2,
) -> LevellingNetwork:
    lines = tuple(
        LevellingLine(
            f"L{i}",
            start,
            end,
            TRUE_HEIGHT_M[end] - TRUE_HEIGHT_M[start] + noise,
            km,
            levelling_order(order).sigma_m_per_sqrt_km * math.sqrt(km),
            i,
        )
        for i, ((start, end), km, noise) in enumerate(zip(WAYS, KM, noise_m, strict=True), start=1)
    )
    return LevellingNetwork(
        "1985 National Height Datum",
        TideSystem.MEAN_TIDE,
        order,
        lines,
        {"A": (10.0, 0.0)} if fixed is None else fixed,
        {},
        {},
    )


def _noise(seed: int) -> list[float]:
    rng = np.random.default_rng(seed)
    return [float(0.002 * math.sqrt(km) * rng.normal()) for km in KM]


def _heights(solution: HeightSolution) -> dict[str, float]:
    return dict(zip(solution.bench_marks, solution.height_m.tolist(), strict=True))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), shift=st.floats(-3000.0, 3000.0), sigma=st.sampled_from([0.0, 0.004]))
def test_shifting_the_known_heights_shifts_all_heights(seed: int, shift: float, sigma: float) -> None:
    network = _network(_noise(seed), {"A": (10.0, 0.0), "D": (30.1, sigma)})
    moved = replace(
        network, fixed_height_m={n: (h + shift, s) for n, (h, s) in network.fixed_height_m.items()}
    )
    before, after = adjust_levelling(network), adjust_levelling(moved)
    assert after.height_m == pytest.approx(before.height_m + shift, abs=1e-9)
    assert after.covariance_m2 == pytest.approx(before.covariance_m2, abs=1e-14)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), turned=st.sets(st.integers(0, 8)), order=st.permutations(range(9)))
def test_direction_and_order_of_lines_change_nothing(seed: int, turned: set[int], order: list[int]) -> None:
    network = _network(_noise(seed))
    lines = [
        replace(line, frm=line.to, to=line.frm, height_difference_m=-line.height_difference_m)
        if i in turned
        else line
        for i, line in enumerate(network.lines)
    ]
    other = adjust_levelling(replace(network, lines=tuple(lines[i] for i in order)))
    solution = adjust_levelling(network)
    assert other.bench_marks == solution.bench_marks
    assert other.height_m == pytest.approx(solution.height_m, abs=1e-10)
    assert other.covariance_m2 == pytest.approx(solution.covariance_m2, abs=1e-14)
    assert {r.subject for r in other.rejections} == {r.subject for r in solution.rejections}


@settings(max_examples=40, deadline=None)
@given(which=st.integers(0, 8), sign=st.sampled_from([-1.0, 1.0]), factor=st.floats(1.0, 30.0))
def test_a_blunder_above_the_minimal_detectable_bias_is_found_and_reported(
    which: int, sign: float, factor: float
) -> None:
    limit_m = adjust_levelling(_network()).lines[which].minimal_detectable_bias_m
    noise = [0.0] * 9
    noise[which] = sign * factor * limit_m
    solution = adjust_levelling(_network(noise))
    assert [r.subject for r in solution.rejections] == [f"L{which + 1}"]
    rejection = solution.rejections[0]
    # One sign everywhere: a line observed too great has a residual (observed minus adjusted) above zero.
    assert np.sign(solution.lines[which].residual_m) == sign
    assert np.sign(solution.lines[which].standardised) == sign
    assert f"{1e3 * noise[which]:+.1f} mm" in rejection.reason
    assert rejection.statistic > rejection.limit == pytest.approx(3.29, abs=0.001)
    assert [line.name for line in solution.lines if not line.accepted] == [f"L{which + 1}"]
    for name, height in _heights(solution).items():
        assert height == pytest.approx(TRUE_HEIGHT_M[name], abs=1e-9)


def test_a_small_error_is_left_alone() -> None:
    noise = [0.0] * 9
    noise[3] = 0.5 * adjust_levelling(_network()).lines[3].minimal_detectable_bias_m
    solution = adjust_levelling(_network(noise))
    assert not solution.rejections
    assert all(line.accepted for line in solution.lines)


def test_a_bench_mark_that_has_sunk_is_found_by_its_weighted_height() -> None:
    fixed = {"A": (10.0, 0.002), "C": (7.7, 0.002), "D": (30.1, 0.002), "E": (22.5 + 0.15, 0.002)}
    solution = adjust_levelling(_network(fixed=fixed))
    assert [r.subject for r in solution.rejections] == ["known height of bench mark E"]
    assert "+150.0 mm" in solution.rejections[0].reason
    assert _heights(solution)["E"] == pytest.approx(22.5, abs=1e-9)


def test_a_chain_that_cannot_be_split_is_reported_as_a_whole() -> None:
    network = _network()
    chain = (
        LevellingLine("X1", "B", "P", 1.0, 4.0, 0.004, 10),
        LevellingLine("X2", "P", "E", TRUE_HEIGHT_M["E"] - TRUE_HEIGHT_M["B"] - 1.0 + 0.2, 4.0, 0.004, 11),
    )
    solution = adjust_levelling(replace(network, lines=(*network.lines, *chain)))
    assert len(solution.rejections) == 1
    assert "X1" in solution.rejections[0].reason
    assert "X2" in solution.rejections[0].reason
    assert "cannot tell which" in solution.rejections[0].reason
    assert {line.name for line in solution.lines if not line.accepted} == {"X1", "X2"}
    # The rest stays clean to a tenth of a millimetre, and P says by its sigma that it is not known.
    for name, height in TRUE_HEIGHT_M.items():
        assert _heights(solution)[name] == pytest.approx(height, abs=2e-3)
    i = solution.bench_marks.index("P")
    assert math.sqrt(solution.covariance_m2[i, i]) > 0.1


def test_the_network_says_what_floats() -> None:
    network = _network()
    island = (
        LevellingLine("I1", "X", "Y", 1.0, 2.0, 0.002, 12),
        LevellingLine("I2", "Y", "Z", 1.0, 2.0, 0.002, 13),
    )
    with pytest.raises(AdjustmentError, match="no line joins X, Y, Z to a bench mark of known height"):
        adjust_levelling(replace(network, lines=(*network.lines, *island)))
    with pytest.raises(AdjustmentError, match="the whole levelling network floats"):
        adjust_levelling(replace(network, fixed_height_m={}))


def test_networks_that_contradict_themselves_are_refused() -> None:
    network = _network()
    first = network.lines[0]
    cases = {
        "has no line": replace(network, lines=()),
        "same name: L1": replace(network, lines=(*network.lines, first)),
        "begins and ends at A": replace(network, lines=(replace(first, to="A"),)),
        "is not a number": replace(network, lines=(replace(first, height_difference_m=math.nan),)),
        "a length of 0.0 km": replace(network, lines=(replace(first, length_km=0.0),)),
        "a sigma of -1.0 m": replace(network, lines=(replace(first, sigma_m=-1.0),)),
        "bench mark A: height": replace(network, fixed_height_m={"A": (math.inf, 0.0)}),
        "levelling order 7": replace(network, order=7),
        "either free or holds": replace(network, free_datum_m={"A": 1.0}),
        "on which no line ends": replace(network, fixed_height_m={}, free_datum_m={"A": 1.0, "Q": 2.0}),
        "nothing to adjust": replace(network, fixed_height_m={n: (h, 0.0) for n, h in TRUE_HEIGHT_M.items()}),
    }
    for text, bad in cases.items():
        with pytest.raises(InputError, match=text):
            adjust_levelling(bad)


def test_a_free_network_must_hang_together() -> None:
    network = replace(_network(), fixed_height_m={}, free_datum_m={"A": 10.0, "P": 1.0})
    apart = (*network.lines, LevellingLine("X", "P", "Q", 1.0, 1.0, 0.002, 10))
    with pytest.raises(AdjustmentError, match="falls into parts"):
        adjust_levelling(replace(network, lines=apart))


def test_without_redundancy_nothing_is_claimed() -> None:
    network = _network()
    solution = adjust_levelling(replace(network, lines=network.lines[:4]))
    assert solution.degrees_of_freedom == 0
    assert solution.variance_factor == 1.0
    assert any("no redundancy" in remark for remark in solution.remarks)
    assert all(line.redundancy == 0.0 for line in solution.lines)
    assert all(line.minimal_detectable_bias_m == math.inf for line in solution.lines)


def test_wrong_sigmas_show_in_the_global_test() -> None:
    network = _network(_noise(4))
    small = replace(network, lines=tuple(replace(line, sigma_m=line.sigma_m / 2.5) for line in network.lines))
    great = replace(
        network, lines=tuple(replace(line, sigma_m=line.sigma_m * 25.0) for line in network.lines)
    )
    assert any("sigmas are too small" in r for r in adjust_levelling(small, maximum_rejected=0).remarks)
    assert any("too great" in r for r in adjust_levelling(great).remarks)
    factor = adjust_levelling(network).variance_factor
    scaled = adjust_levelling(network, covariance="a posteriori").covariance_m2
    assert scaled == pytest.approx(factor * adjust_levelling(network).covariance_m2, rel=1e-12)


def test_bench_marks_without_a_line_are_passed_on_or_left_out_aloud() -> None:
    network = replace(_network(fixed={"A": (10.0, 0.0), "Z": (5.0, 0.001)}), stations={"Q": "WUH2"})
    solution = adjust_levelling(network)
    assert _heights(solution)["Z"] == 5.0
    assert any("bench mark Z has no levelling line" in remark for remark in solution.remarks)
    assert any("bench mark Q has neither" in remark for remark in solution.remarks)


def test_misclosures_are_the_sums_around_and_keep_to_the_orders_limit() -> None:
    noise = [0.0] * 9
    noise[0] = 0.1
    network = _network(noise, {"A": (10.0, 0.0), "C": (7.7, 0.0)})
    loops = loop_misclosures(network.lines, {"A": 10.0, "C": 7.7}, LEVELLING_ORDERS[2])
    with_first = [loop for loop in loops if "L1" in loop.lines]
    assert with_first
    for loop in loops:
        assert abs(loop.misclosure_m) == pytest.approx(0.1 if "L1" in loop.lines else 0.0, abs=1e-12)
        assert loop.limit_m == pytest.approx(0.004 * math.sqrt(loop.length_km))
    # A to B to C between known heights: 32 km; L6 alone lies between A and C too.
    between = [loop for loop in loops if not loop.closes_on_itself]
    assert {frozenset(loop.lines) for loop in between} >= {frozenset({"L1", "L2"}), frozenset({"L6"})}
    remarks = adjust_levelling(network).remarks
    assert any(
        "L1-L2 (32.0 km) misses closure by +100.00 mm" in r and "allows 22.63 mm" in r for r in remarks
    )
    assert any("it holds L1, where a blunder was found" in remark for remark in remarks)


def test_the_limits_of_the_orders_are_twice_their_mean_error() -> None:
    # GB/T 12897-2006 and GB/T 12898-2009: M_W 1, 2, 6, 10 mm; loops 2, 4, 12, 20 mm times root of km.
    assert [o.misclosure_limit_m_per_sqrt_km for o in LEVELLING_ORDERS.values()] == [
        0.002,
        0.004,
        0.012,
        0.02,
    ]
    assert [o.sigma_m_per_sqrt_km for o in LEVELLING_ORDERS.values()] == [0.001, 0.002, 0.006, 0.01]
