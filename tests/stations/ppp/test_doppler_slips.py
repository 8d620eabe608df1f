"""Slips put into simulated phases are seen by Doppler alone; sound Doppler and a bad scale accuse nothing."""

import numpy as np
import pytest
import xarray as xr

from stations.ppp.doppler_slips import SMALLEST_LIMIT_CYCLES, doppler_slips
from stations.ppp.options import PppOptions
from stations.ppp.signal_selection import select_observations
from stations.records import AntennaType, Observations, StationHeader, StationSetup
from transforms.constants import SPEED_OF_LIGHT_M_PER_S

WAVELENGTH_M = np.full(8, SPEED_OF_LIGHT_M_PER_S / 1575.42e6)
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


def observations_with_doppler(second, phase, doppler):
    """A receiver's record of eight GPS satellites on two carriers; codes with 0.3 m of noise."""
    random = np.random.default_rng(8)
    metres = phase * WAVELENGTH_M
    second_carrier = SPEED_OF_LIGHT_M_PER_S / 1227.60e6
    cycles = np.stack([phase, metres / second_carrier], axis=2)
    code = 2.2e7 + np.stack([metres, metres], axis=2) + random.normal(0.0, 0.3, cycles.shape)
    shifts = np.stack([doppler, doppler * WAVELENGTH_M / second_carrier], axis=2)
    dimensions = ("epoch", "satellite", "signal")
    data = xr.Dataset(
        {
            "pseudorange_m": (dimensions, code),
            "carrier_phase_cycles": (dimensions, cycles),
            "doppler_hz": (dimensions, shifts.astype(np.float32)),
            "loss_of_lock": (dimensions, np.zeros(code.shape, dtype=np.uint8)),
        },
        coords={
            "epoch": np.datetime64("2026-01-01", "ns") + (second * 1e9).astype("timedelta64[ns]"),
            "satellite": [f"G{k + 1:02d}" for k in range(WAVELENGTH_M.size)],
            "signal": ["1C", "2W"],
        },
    )
    setup = StationSetup("", "", "", AntennaType("X"), (0.0, 0.0, 0.0))
    return Observations(data, StationHeader("TEST", "", setup, None, {}, "3.05"))


def test_a_slip_that_only_doppler_can_see_opens_an_arc_and_is_counted():
    # 36 and 28 cycles leave the geometry-free phase as it was (13 mm), and at the last epoch there is too
    # little behind for a mean of the wide-lane.
    second, phase, doppler = passes(1.0, 0.02)
    options = PppOptions(systems="G")
    quiet = select_observations(observations_with_doppler(second, phase, doppler), options)
    assert quiet.rejections == {}
    assert np.unique(quiet.arc).size == WAVELENGTH_M.size
    slipped = observations_with_doppler(second, phase, doppler)
    slipped.data["carrier_phase_cycles"].values[-1:, 3] += [36.0, 28.0]
    found = select_observations(slipped, options)
    assert found.arc[-1, 3] != found.arc[-2, 3]
    assert found.rejections == {"cycle slip found by Doppler alone": 1}
