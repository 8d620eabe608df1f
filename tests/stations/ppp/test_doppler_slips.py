"""Slips put into simulated phases are seen by Doppler alone; sound Doppler and a bad scale accuse nothing."""

import numpy as np
import pytest

from stations.ppp.doppler_slips import SMALLEST_LIMIT_CYCLES, doppler_slips

WAVELENGTH_M = np.full(8, 0.1903)
EPOCHS = 400


def passes(interval_s, noise_hz, seed=3):
    """Phases (cycles) and Doppler (Hz) of eight satellites; the receiver's clock drifts and steps by 1 ms."""
    random = np.random.default_rng(seed)
    second = np.arange(EPOCHS) * interval_s
    start = random.uniform(-3.0, 3.0, WAVELENGTH_M.size)
    angle = second[:, None] / 7000.0 + start
    range_m, rate_m_per_s = 3e6 * np.sin(angle), 3e6 / 7000.0 * np.cos(angle)
    walk = np.cumsum(random.normal(0.0, 0.5, EPOCHS))
    clock_m = walk + 299_792.458 * (second > 150 * interval_s)
    phase = (range_m + clock_m[:, None]) / WAVELENGTH_M + random.normal(0.0, 0.01, range_m.shape)
    doppler = -rate_m_per_s / WAVELENGTH_M + random.normal(0.0, noise_hz, range_m.shape)
    return second, phase, doppler


@pytest.mark.parametrize(("interval_s", "noise_hz", "size_cycles"), [(1.0, 0.02, 1.0), (30.0, 0.05, 25.0)])
def test_planted_slips_are_found_where_they_are_and_nowhere_else(interval_s, noise_hz, size_cycles):
    second, phase, doppler = passes(interval_s, noise_hz)
    assert not doppler_slips(second, phase, doppler, WAVELENGTH_M).any()
    phase[90:, 2] += size_cycles
    phase[260:, 5] -= size_cycles
    found = doppler_slips(second, phase, doppler, WAVELENGTH_M)
    assert [tuple(int(i) for i in place) for place in np.argwhere(found)] == [(90, 2), (260, 5)]


def test_half_a_cycle_at_one_second_is_below_the_limit():
    second, phase, doppler = passes(1.0, 0.001)
    phase[90:, 2] += 0.9 * SMALLEST_LIMIT_CYCLES
    assert not doppler_slips(second, phase, doppler, WAVELENGTH_M).any()


def test_one_wrong_doppler_is_no_slip():
    second, phase, doppler = passes(1.0, 0.02)
    doppler[120, 4] += 40.0
    assert not doppler_slips(second, phase, doppler, WAVELENGTH_M).any()


def test_a_doppler_that_is_always_off_is_not_trusted():
    # As that of the second carrier of a Trimble NetR9 (JFNG 2019-045): tens of cycles in each 30 s.
    second, phase, doppler = passes(30.0, 0.05)
    doppler[:, 1] *= 1.001
    assert not doppler_slips(second, phase, doppler, WAVELENGTH_M).any()


def test_nothing_is_said_across_gaps_long_steps_or_with_few_satellites():
    second, phase, doppler = passes(1.0, 0.02)
    phase[90:, 2] += 500.0
    gap = doppler.copy()
    gap[89:91, 2] = np.nan
    assert not doppler_slips(second, phase, gap, WAVELENGTH_M).any()
    assert not doppler_slips(second * 120.0, phase, doppler, WAVELENGTH_M).any()
    assert not doppler_slips(second, phase[:, :3], doppler[:, :3], WAVELENGTH_M[:3]).any()
    assert not doppler_slips(second[:1], phase[:1], doppler[:1], WAVELENGTH_M).any()
    nothing = np.full_like(doppler, np.nan)
    assert not doppler_slips(second, phase, nothing, WAVELENGTH_M).any()
