"""The change alarm: how often it cries for nothing, how soon it sees a change, what it must not see."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stations.trends.change_alarm import FEWEST_REFERENCE_DAYS, find_changes
from stations.trends.reference_model import fit_reference, memory_of
from stations.trends.slow_trend import slope_of

FloatArray = NDArray[np.float64]
# docs/quality.md states up to 0.04 alarms per figure and year on 750 years of each kind; the shorter runs
# here (180 years of each) may come to twice that by chance.
MOST_FALSE_ALARMS_PER_YEAR = 0.08
YEARS = 3


def noise(n: int, seed: int, *, memory: float = 0.0, season: float = 0.0, heavy: bool = False) -> FloatArray:
    """Noise of unit standard deviation with memory from day to day, and a season of an amplitude."""
    rng = np.random.default_rng(seed)
    fresh = rng.standard_t(4, n) / np.sqrt(2.0) if heavy else rng.normal(size=n)
    found = np.empty(n)
    found[0] = fresh[0]
    for k in range(1, n):
        found[k] = memory * found[k - 1] + np.sqrt(1.0 - memory**2) * fresh[k]
    return found + season * np.sin(2.0 * np.pi * (np.arange(n) / 365.25 + rng.random()))


@pytest.mark.parametrize(
    ("memory", "season", "heavy"), [(0.0, 0.0, False), (0.6, 1.0, False), (0.3, 1.0, True)]
)
def test_false_alarms_stay_rare(memory: float, season: float, heavy: bool) -> None:
    n_series, n = 60, 365 * YEARS
    alarms = sum(
        len(find_changes(np.arange(n), noise(n, 100 + k, memory=memory, season=season, heavy=heavy), 0.0))
        for k in range(n_series)
    )
    assert alarms <= MOST_FALSE_ALARMS_PER_YEAR * n_series * YEARS


@pytest.mark.parametrize(
    ("memory", "step", "longest_delay_days"), [(0.0, -3.0, 12), (0.0, -10.0, 4), (0.6, -5.0, 15)]
)
def test_a_planted_fall_is_seen_soon_and_once(memory: float, step: float, longest_delay_days: int) -> None:
    delays = []
    for seed in range(12):
        values = noise(300, seed, memory=memory)
        values[200:] += step
        changes = [c for c in find_changes(np.arange(300), values, 0.0) if c.alarm >= 200]
        assert len(changes) == 1
        assert abs(changes[0].first - 200) <= 6
        delays.append(changes[0].alarm - 200 + 1)
    assert np.median(delays) <= longest_delay_days


def test_seasons_that_are_known_let_smaller_steps_be_seen() -> None:
    seen = 0
    for seed in range(6):
        values = noise(1000, seed, season=1.5)
        values[900:] += 2.0
        seen += any(900 <= c.alarm < 930 for c in find_changes(np.arange(1000), values, 0.0))
    assert seen >= 5


def test_two_changes_are_two_with_a_reference_of_its_own_each() -> None:
    values = noise(420, 8)
    values[150:] += 6.0
    values[300:] -= 4.0
    changes = find_changes(np.arange(420), values, 0.0)
    assert [round(c.first / 150) for c in changes] == [1, 2]
    assert all(abs(c.first - 150 * k) <= 3 for k, c in enumerate(changes, start=1))


@settings(max_examples=40, deadline=None)
@given(
    st.integers(FEWEST_REFERENCE_DAYS, 118),
    st.floats(-1e6, 1e6),
    st.integers(0, 20),
)
def test_one_odd_day_is_never_an_alarm(place: int, size: float, seed: int) -> None:
    values = noise(120, seed)
    before = len(find_changes(np.arange(120), values, 0.0))
    values[place] += size
    assert len(find_changes(np.arange(120), values, 0.0)) <= before


@settings(max_examples=30, deadline=None)
@given(st.floats(1e-3, 1e3), st.floats(-1e3, 1e3), st.integers(0, 50))
def test_the_unit_of_a_figure_does_not_matter(scale: float, offset: float, seed: int) -> None:
    values = noise(150, seed)
    values[100:] += 5.0
    plain = find_changes(np.arange(150), values, 0.0)
    other = find_changes(np.arange(150), scale * values + offset, 0.0)
    assert [(c.first, c.alarm) for c in plain] == [(c.first, c.alarm) for c in other]


def test_a_change_below_the_floor_is_of_no_concern() -> None:
    values = 0.01 * noise(200, 2)
    values[100:] += 0.1
    assert len(find_changes(np.arange(200), values, 0.0)) == 1
    assert find_changes(np.arange(200), values, 0.15) == ()


def test_constant_figures_and_short_ones_and_gaps_are_no_trouble() -> None:
    assert find_changes(np.arange(400), np.full(400, 45.0), 0.15) == ()
    assert find_changes(np.arange(400), np.full(400, 45.0), 0.0) == ()
    assert find_changes(np.arange(5), np.arange(5.0), 0.0) == ()
    days = np.concatenate([np.arange(100), np.arange(400, 500)])
    values = noise(200, 4)
    values[100:] += 20.0  # while nobody looked
    assert find_changes(days, values, 0.0) == ()


def test_the_reference_knows_seasons_memory_and_scatter() -> None:
    n = 1500
    days = np.arange(n, dtype=np.float64)
    values = 40.0 + 2.0 * np.cos(2.0 * np.pi * days / 365.25) + 0.5 * noise(n, 3, memory=0.6)
    values[::50] += 30.0  # wild days
    model = fit_reference(days, values, 0.0)
    assert model.coefficients[0] == pytest.approx(40.0, abs=0.15)
    assert model.coefficients[1] == pytest.approx(2.0, abs=0.15)
    assert model.memory == pytest.approx(0.55, abs=0.1)  # the wild days take a little of it
    assert memory_of(days, noise(n, 5, memory=0.6)) == pytest.approx(0.6, abs=0.06)


def test_growing_multipath_is_told_from_noise_and_seasons() -> None:
    n = 900
    days = np.arange(n)
    quiet = [slope_of(days, 0.02 * noise(n, k, memory=0.5, season=2.0)) for k in range(30)]
    assert not any(s is not None and s.is_significant(0.02) for s in quiet)
    growing = slope_of(days, 0.02 * noise(n, 1, memory=0.5, season=2.0) + 0.2 * days / n)
    assert growing is not None
    assert growing.is_significant(0.02)
    assert growing.last - growing.first == pytest.approx(0.2, abs=0.03)
    assert slope_of(np.arange(100), np.arange(100.0)) is None  # a season's branch
