"""A receiver that puts its clock right by milliseconds: in codes and phases, or in the codes alone."""

from dataclasses import replace

import numpy as np
import pytest

from stations.ppp.options import PppOptions
from stations.ppp.signal_selection import select_observations
from stations.ppp.solve import solve_station
from stations.records import PreciseProducts
from stations.signals import wavelength_m
from stations.simulation.antennas import RECEIVER_ANTENNAS, receiver_calibration
from stations.simulation.products import simulate_products
from stations.simulation.receiver import simulate_station
from stations.simulation.region_plan import DEFAULT_SEED, STATIONS, product_epochs
from stations.simulation.space_segment import build_space_segment
from transforms.constants import SPEED_OF_LIGHT_M_PER_S

MILLISECOND_M = 1e-3 * SPEED_OF_LIGHT_M_PER_S
SAME_SOLUTION_M = 1e-4  # the clock is free at each epoch: what it does is nothing to the position


@pytest.fixture(scope="module")
def old_receiver():
    """A day of YZTZ, whose receiver drifts by some milliseconds a day, and what solves it."""
    space = build_space_segment(DEFAULT_SEED)
    orbits, clocks = simulate_products(
        space.constellation, space.clocks, space.earth_rotation, product_epochs(), DEFAULT_SEED
    )
    products = PreciseProducts("SIM", False, orbits, clocks, space.earth_rotation, None)
    antennas = (*space.antennas, *(receiver_calibration(d) for d in RECEIVER_ANTENNAS))
    station = next(s for s in STATIONS if s.marker == "YZTZ")
    day = simulate_station(station, space, DEFAULT_SEED).days[0]
    return day, lambda given: solve_station(given, products, antennas, options=PppOptions(systems="G"))


def with_unbroken_phases(observations):
    """The same with the milliseconds taken off the phases only, and the epochs (indices) where they step."""
    data = observations.data.copy(deep=True)
    code, phase = data["pseudorange_m"].values, data["carrier_phase_cycles"].values
    with np.errstate(invalid="ignore"):
        steps = np.nanmedian(np.diff(code[:, :, 0], axis=0), axis=1) / MILLISECOND_M
    whole = np.append(0.0, np.round(steps))
    for k, signal in enumerate(str(s) for s in data["signal"].values):
        phase[:, :, k] -= (np.cumsum(whole) * MILLISECOND_M / wavelength_m("G" + signal))[:, None]
    return replace(observations, data=data), np.flatnonzero(whole)


def test_codes_that_step_alone_give_the_arcs_and_the_position_of_codes_and_phases_together(old_receiver):
    together, solve = old_receiver
    alone, epochs = with_unbroken_phases(together)
    assert epochs.size >= 1
    arcs = [select_observations(given, PppOptions(systems="G")).arc for given in (together, alone)]
    np.testing.assert_array_equal(*arcs)
    first, second = solve(together), solve(alone)
    np.testing.assert_allclose(first.position_ecef_m, second.position_ecef_m, atol=SAME_SOLUTION_M)
    assert first.rejections == second.rejections
