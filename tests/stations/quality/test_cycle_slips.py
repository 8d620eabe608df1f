"""Slips put into simulated and real phases come out again; quiet data stays whole."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stations.quality.cycle_slips import SlipMasks, find_cycle_slips
from stations.quality.signal_pairs import frequency_by_satellite_hz
from transforms.constants import SPEED_OF_LIGHT_M_PER_S
from transforms.errors import InputError

L1_HZ, L2_HZ = 1575.42e6, 1227.60e6
B1I_HZ, B3I_HZ = 1561.098e6, 1268.52e6
IONOSPHERE_M_HZ2_PER_TECU = 40.3e16  # delay = 40.3 TEC / f^2 (IERS Conventions 2010, eq. 9.27)


@dataclass
class Pass:
    time_s: NDArray[np.float64]
    phase_1: NDArray[np.float64]
    phase_2: NDArray[np.float64]
    code_1: NDArray[np.float64]
    code_2: NDArray[np.float64]
    first_hz: float
    second_hz: float

    def search(self, **options: object) -> SlipMasks:
        nothing = np.zeros(self.phase_1.shape, np.uint8)
        return find_cycle_slips(
            self.time_s, self.phase_1, self.phase_2, self.code_1, self.code_2,
            options.pop("loss_of_lock_1", nothing), nothing, self.first_hz, self.second_hz, **options,
        )  # fmt: skip


def elevation_rad(time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.radians(8.0 + 67.0 * np.sin(np.pi * time_s / 21600.0))


def simulate(
    interval_s: float, n_satellite: int = 6, seed: int = 1, frequencies: tuple[float, float] = (L1_HZ, L2_HZ)
) -> Pass:
    """Six-hour passes from 8 to 75 deg, a quiet ionosphere of 10 to 20 TECU, code noise 0.25 m / sin e."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(0.0, 21600.0, interval_s)
    elevation = elevation_rad(time_s)[:, np.newaxis]
    start = rng.uniform(0.0, 1.0, n_satellite)
    vertical_tecu = 15.0 + 5.0 * np.sin(2 * np.pi * (time_s[:, np.newaxis] / 86400.0 + start))
    slant = 1.0 / np.sqrt(1.0 - (0.9341 * np.cos(elevation)) ** 2)  # thin shell at 450 km
    shape = vertical_tecu.shape
    range_m = 2.3e7 + 3e6 * np.sin(time_s[:, np.newaxis] / 7000.0 + start)
    arrays = []
    for frequency in frequencies:
        delay_m = IONOSPHERE_M_HZ2_PER_TECU / frequency**2 * vertical_tecu * slant
        code = range_m + delay_m + rng.normal(0.0, 0.25, shape) / np.sin(elevation)
        phase_m = range_m - delay_m + rng.normal(0.0, 0.0015, shape) / np.sqrt(np.sin(elevation))
        whole = rng.integers(-1_000_000, 1_000_000, n_satellite)
        arrays.append((code, phase_m * frequency / SPEED_OF_LIGHT_M_PER_S + whole))
    (code_1, phase_1), (code_2, phase_2) = arrays
    return Pass(time_s, phase_1, phase_2, code_1, code_2, *frequencies)


# A false slip costs one ambiguity; a handful in a thousand leaves a solution as strong as before.
FALSE_ALARMS_PER_THOUSAND_AT_FIVE_MINUTES = 3.0


def test_false_alarms_at_five_minutes_are_few_and_fewer_with_elevations() -> None:
    alarms, alarms_with_elevation, n = 0, 0, 0
    for seed in range(10):
        data = simulate(300.0, n_satellite=12, seed=seed)
        elevation = np.broadcast_to(elevation_rad(data.time_s)[:, np.newaxis], data.phase_1.shape)
        alarms += data.search().counts()["slips"]
        alarms_with_elevation += data.search(elevation_rad=elevation).counts()["slips"]
        n += data.phase_1.size
    assert alarms_with_elevation <= alarms <= FALSE_ALARMS_PER_THOUSAND_AT_FIVE_MINUTES * n / 1000


@pytest.mark.parametrize("interval_s", [1.0, 15.0, 30.0])
def test_quiet_data_hold_one_arc_for_each_satellite(interval_s: float) -> None:
    data = simulate(interval_s, n_satellite=3 if interval_s < 10 else 12)
    masks = data.search()
    assert masks.counts()["slips"] == 0
    assert masks.arc_start.sum() == data.phase_1.shape[1]
    assert masks.arc_start[0].all()


@pytest.mark.parametrize("frequencies", [(L1_HZ, L2_HZ), (B1I_HZ, B3I_HZ)])
@pytest.mark.parametrize("slip", [(1, 0), (0, 1), (1, 1), (-1, -1), (9, 7), (77, 60), (1000, 0)])
def test_each_slip_is_found_at_its_epoch_and_nowhere_else(
    slip: tuple[int, int], frequencies: tuple[float, float]
) -> None:
    data = simulate(30.0, frequencies=frequencies)
    at = np.array([150, 250, 300, 360, 450, 550])  # of 720: above 30 deg
    for satellite, epoch in enumerate(at):
        data.phase_1[epoch:, satellite] += slip[0]
        data.phase_2[epoch:, satellite] += slip[1]
    masks = data.search()
    assert masks.slip.sum() == at.size
    found = np.argmax(masks.slip, axis=0)
    # The geometry-free phase tells the epoch exactly, wide-lane means to some epochs.
    blind_m = abs(slip[0] / frequencies[0] - slip[1] / frequencies[1]) * SPEED_OF_LIGHT_M_PER_S
    np.testing.assert_allclose(found, at, atol=0 if blind_m > 0.04 else 6)


@pytest.mark.parametrize("slip", [(1, 0), (0, 1), (9, 7), (3, 3)])
def test_slips_at_five_minutes(slip: tuple[int, int]) -> None:
    data = simulate(300.0)
    at = np.array([18, 25, 32, 39, 46, 53])  # of 72
    for satellite, epoch in enumerate(at):
        data.phase_1[epoch:, satellite] += slip[0]
        data.phase_2[epoch:, satellite] += slip[1]
    found = data.search().slip
    for satellite, epoch in enumerate(at):
        assert found[epoch - 1 : epoch + 2, satellite].sum() == 1


def test_limit_says_when_a_slip_on_both_carriers_could_not_be_seen() -> None:
    wavelengths_apart_m = abs(1 / L1_HZ - 1 / L2_HZ) * SPEED_OF_LIGHT_M_PER_S
    quiet, rough = simulate(30.0), simulate(30.0)
    rough.phase_1 += np.random.default_rng(2).normal(0.0, 0.15, rough.phase_1.shape)  # 3 cm: scintillation
    middle = slice(200, 500)
    assert np.nanmax(quiet.search().geometry_free_limit_m[middle]) < wavelengths_apart_m
    assert np.nanmin(rough.search().geometry_free_limit_m[middle]) > wavelengths_apart_m


def test_two_slips_close_together_are_both_found() -> None:
    data = simulate(30.0)
    data.phase_1[300:, 0] += 5
    data.phase_1[303:, 0] += 4
    assert np.flatnonzero(data.search().slip[:, 0]).tolist() == [300, 303]


def test_slip_over_a_short_gap_is_a_slip_and_over_a_long_one_a_new_arc() -> None:
    data = simulate(30.0)
    for array in (data.phase_1, data.phase_2):
        array[300:303, 0] = np.nan  # 120 s between neighbours
        array[300:320, 1] = np.nan
    data.phase_1[300:, :2] += 3
    masks = data.search()
    assert masks.geometry_free[303, 0]
    assert not masks.after_gap[303, 0]
    assert masks.after_gap[320, 1]
    assert not masks.slip[320, 1]
    assert masks.arc_start.sum() == 6 + 2
    assert data.search(maximum_gap_s=60.0).after_gap[303, 0]


def test_flagged_loss_of_lock_breaks_the_arc_even_when_flagged_without_phase() -> None:
    data = simulate(30.0)
    flags = np.zeros(data.phase_1.shape, np.uint8)
    flags[400, 2] = 1
    flags[500, 3] = 2  # half-cycle ambiguity alone is no loss
    flags[350, 4] = 5
    data.phase_1[350:352, 4] = np.nan
    masks = data.search(loss_of_lock_1=flags)
    assert np.argwhere(masks.loss_of_lock).tolist() == [[352, 4], [400, 2]]


def test_a_flag_that_others_contradict_can_be_bridged_and_a_true_one_not() -> None:
    data = simulate(30.0)
    flags = np.zeros(data.phase_1.shape, np.uint8)
    flags[400, :4] = 1
    data.phase_1[400:, 1] += 1
    data.phase_1[400:, 2] += 9
    data.phase_2[400:, 2] += 7  # the geometry-free phase does not see it, the wide-lane does
    data.phase_1[:, 3] += np.random.default_rng(2).normal(0.0, 0.15, data.time_s.size)  # nobody can tell
    masks = data.search(loss_of_lock_1=flags, trust_loss_of_lock=False)
    assert masks.slip.any(axis=0).tolist() == [False, True, True, True, False, False]
    assert masks.loss_of_lock[400].tolist() == [False, True, False, True, False, False]
    assert data.search(loss_of_lock_1=flags).loss_of_lock[400, :4].all()


def test_one_bad_code_is_an_outlier_and_no_slip() -> None:
    data = simulate(30.0)
    data.code_1[300, 0] += 60.0
    masks = data.search()
    assert masks.counts()["slips"] == 0
    assert np.argwhere(masks.code_outlier).tolist() == [[300, 0]]


def test_millisecond_jump_of_the_codes_is_no_slip() -> None:
    data = simulate(30.0)
    data.code_1[300:] += SPEED_OF_LIGHT_M_PER_S * 1e-3
    data.code_2[300:] += SPEED_OF_LIGHT_M_PER_S * 1e-3
    masks = data.search()
    assert masks.counts()["slips"] == 0
    assert np.flatnonzero(masks.code_clock_jump_ms).tolist() == [300]
    assert masks.code_clock_jump_ms[300] == 1


@given(
    whole=st.tuples(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6)),
    clock_m=st.floats(-1e5, 1e5),
    origin_s=st.floats(0, 1e6),
)
@settings(max_examples=15, deadline=None)
def test_ambiguities_clocks_and_the_origin_of_time_change_nothing(
    whole: tuple[int, int], clock_m: float, origin_s: float
) -> None:
    data = simulate(300.0)
    data.phase_1[40:, 0] += 2
    before = data.search().arc_start
    data.phase_1 += whole[0] + clock_m * L1_HZ / SPEED_OF_LIGHT_M_PER_S
    data.phase_2 += whole[1] + clock_m * L2_HZ / SPEED_OF_LIGHT_M_PER_S
    data.code_1 += clock_m
    data.code_2 += clock_m
    data.time_s = data.time_s + round(origin_s)
    np.testing.assert_array_equal(data.search().arc_start, before)


def test_arcs_are_numbered_from_zero_and_absent_is_minus_one() -> None:
    data = simulate(30.0)
    data.phase_2[:10, 0] = np.nan
    data.phase_1[300:, 0] += 7
    number = data.search().arc_number()
    assert set(number[:10, 0]) == {-1}
    assert set(number[10:300, 0]) == {0}
    assert set(number[300:, 0]) == {1}


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (1, 3), (2, 3), (5, 0), (5, 3)])
@pytest.mark.parametrize("value", [np.nan, 1.0])
def test_few_or_no_observations_are_no_trouble(shape: tuple[int, int], value: float) -> None:
    data = np.full(shape, value)
    nothing = np.zeros(shape, np.uint8)
    masks = find_cycle_slips(
        np.arange(shape[0]) * 30.0, data, data, data, data, nothing, nothing, L1_HZ, L2_HZ
    )
    expected = shape[1] if shape[0] and np.isfinite(value) else 0
    assert masks.arc_start.sum() == expected
    assert masks.slip.sum() == 0


def test_input_that_cannot_be_meant_is_refused() -> None:
    data = simulate(300.0)
    nothing = np.zeros(data.phase_1.shape, np.uint8)
    ordered = (data.phase_1, data.phase_2, data.code_1, data.code_2, nothing, nothing)
    with pytest.raises(InputError, match="do not increase"):
        find_cycle_slips(data.time_s[::-1], *ordered, L1_HZ, L2_HZ)
    with pytest.raises(InputError, match="same frequency"):
        find_cycle_slips(data.time_s, *ordered, L1_HZ, L1_HZ)
    with pytest.raises(InputError, match="code 2 has shape"):
        find_cycle_slips(data.time_s, *ordered[:3], data.code_2[:, :2], nothing, nothing, L1_HZ, L2_HZ)
    with pytest.raises(InputError, match="n_epoch"):
        find_cycle_slips(data.time_s[:-1], *ordered, L1_HZ, L2_HZ)


def test_glonass_frequencies_need_channels() -> None:
    found = frequency_by_satellite_hz(("R01", "R02"), "1C", {"R01": 1})
    assert found[0] == 1602.5625e6
    assert np.isnan(found[1])
