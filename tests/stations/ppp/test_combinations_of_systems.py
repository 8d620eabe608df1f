"""Every combination of systems, static and kinematic, on eight hours of a simulated station.

The sample region knows GPS, Galileo and BeiDou-3. Some of its GPS satellites are renamed here: to QZSS as
they are, to GLONASS with their phases and codes moved to the carriers of a channel, so that the
ionosphere-free observations stay what they were, and with a code bias for each channel, as receivers have it.
"""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from stations.ppp.glonass_channels import GlonassChannels, glonass_channels, observed_channel
from stations.ppp.observation_equations import ionosphere_free_factors
from stations.ppp.options import PppOptions
from stations.ppp.signal_selection import select_observations
from stations.ppp.solve import solve_station
from stations.records import AntennaFrequencyCalibration, Observations, PreciseProducts
from stations.signals import carrier_frequency_hz
from stations.simulation.antennas import RECEIVER_ANTENNAS, receiver_calibration
from stations.simulation.products import simulate_products
from stations.simulation.receiver import simulate_station
from stations.simulation.region_plan import DEFAULT_SEED, STATIONS, product_epochs
from stations.simulation.space_segment import build_space_segment
from transforms.constants import SPEED_OF_LIGHT_M_PER_S
from transforms.errors import AdjustmentError, InputError
from transforms.geodetic import enu_matrix_at

# Eight hours at 300 s with products that err by 1 to 9 cm: float solutions (east, north, up), and the scatter
# of a position of its own at each epoch.
STATIC_TOLERANCE_M = (0.03, 0.02, 0.03)
KINEMATIC_TOLERANCE_M = (0.06, 0.06, 0.15)
EPOCHS = 96
CHANNEL_BIAS_M = 0.8  # of the code for each channel; receivers show decimetres to metres
GPS = [f"G{n:02d}" for n in range(1, 33) if n != 22]
TO_GLONASS = {name: f"R{k + 1:02d}" for k, name in enumerate(GPS[1::3])}
TO_QZSS = {name: f"J{k + 1:02d}" for k, name in enumerate(GPS[2:18:6])}
NEW_NAME = {**TO_GLONASS, **TO_QZSS}
CHANNEL = {name: k % 14 - 7 for k, name in enumerate(TO_GLONASS.values())}
GPS_HZ = np.array([carrier_frequency_hz("G1"), carrier_frequency_hz("G2")])
FREE = ionosphere_free_factors(GPS_HZ)


def as_glonass(observations):
    """Observations with the renamed satellites, of which GLONASS sends on its own frequencies."""
    data = observations.data
    old = list(observations.satellites)
    names = [NEW_NAME.get(s, s) for s in old]
    signals = [str(s) for s in data["signal"].values]
    code, cycles = (data[v].values.copy() for v in ("pseudorange_m", "carrier_phase_cycles"))
    places = [signals.index("1C"), signals.index("2W")]
    for k, name in enumerate(names):
        if name[0] != "R":
            continue
        hertz = np.array([carrier_frequency_hz(f"R{b}", CHANNEL[name]) for b in "12"])
        for values, scale, sign in (
            (code, np.ones(2), 1.0),
            (cycles, SPEED_OF_LIGHT_M_PER_S / GPS_HZ, -1.0),
        ):
            metres = values[:, k, places] * scale
            free = metres @ FREE
            # free + sign K / f^2 on each carrier
            k_m_hz2 = sign * (metres[:, 0] - metres[:, 1]) / (GPS_HZ[0] ** -2 - GPS_HZ[1] ** -2)
            moved = free[:, None] + sign * k_m_hz2[:, None] / hertz**2
            values[:, k, places] = moved if sign > 0 else moved * hertz / SPEED_OF_LIGHT_M_PER_S
        code[:, k, places] += CHANNEL_BIAS_M * CHANNEL[name]
    # One signal's name serves each band here: P(Y) of a GPS satellite is C/A of the others on the second.
    second = np.full((*code.shape[:2], 1), np.nan)
    extra = {"pseudorange_m": second.copy(), "carrier_phase_cycles": second.copy()}
    changed = {"pseudorange_m": code, "carrier_phase_cycles": cycles}
    renamed = [k for k, name in enumerate(names) if name[0] in "RJ"]
    content = {}
    for variable in data:
        values = changed.get(variable, data[variable].values)
        tail = extra.get(variable, np.zeros(second.shape, dtype=values.dtype))
        values = np.concatenate([values, tail], axis=2)
        values[:, renamed, -1] = values[:, renamed, places[1]]
        if values.dtype.kind == "f":
            values[:, renamed, places[1]] = np.nan
        content[variable] = (data[variable].dims, values)
    coordinates = {"epoch": data["epoch"].values, "satellite": names, "signal": [*signals, "2C"]}
    header = replace(observations.header, glonass_channels=CHANNEL)
    return Observations(xr.Dataset(content, coordinates).sortby("satellite").sortby("signal"), header)


def renamed_tables(table):
    return replace(table, satellites=tuple(NEW_NAME.get(s, s) for s in table.satellites))


def with_glonass_carriers(calibration):
    """An antenna whose offsets at the renamed carriers give the ionosphere-free ones of GPS."""
    one, two = calibration.frequencies["G01"], calibration.frequencies["G02"]
    both = AntennaFrequencyCalibration(
        FREE[0] * one.offset_m + FREE[1] * two.offset_m,
        FREE[0] * one.variation_no_azimuth_m + FREE[1] * two.variation_no_azimuth_m,
        None if one.variation_m is None else FREE[0] * one.variation_m + FREE[1] * two.variation_m,
    )
    more = {"R01": both, "R02": both, "J01": one, "J02": two}
    serial = NEW_NAME.get(calibration.serial, calibration.serial)
    return replace(calibration, serial=serial, frequencies={**calibration.frequencies, **more})


@pytest.fixture(scope="module")
def region():
    """Observations, products, antennas and true position of a station that tracks five systems."""
    space = build_space_segment(DEFAULT_SEED)
    orbits, clocks = simulate_products(
        space.constellation, space.clocks, space.earth_rotation, product_epochs(), DEFAULT_SEED
    )
    products = PreciseProducts(
        "SIM", False, renamed_tables(orbits), renamed_tables(clocks), space.earth_rotation, None
    )
    satellites = tuple(with_glonass_carriers(a) if a.serial[0] == "G" else a for a in space.antennas)
    receivers = tuple(with_glonass_carriers(receiver_calibration(d)) for d in RECEIVER_ANTENNAS)
    station = next(s for s in STATIONS if s.marker == "NJLS")
    day = simulate_station(station, space, DEFAULT_SEED).days[0]
    observations = as_glonass(replace(day, data=day.data.isel(epoch=slice(0, EPOCHS))))
    loading = space.ocean_loading[station.marker]
    truth = station.position_ecef_m(observations.epochs[EPOCHS // 2])

    def solve(given=observations, **options):
        solution = solve_station(
            given, products, (*satellites, *receivers), options=PppOptions(**options), ocean_loading=loading
        )
        return solution, enu_matrix_at(truth) @ (solution.position_ecef_m - truth)

    return observations, truth, solve


COMBINATIONS = ["G", "E", "C", "GE", "GC", "EC", "GEC", "GR", "GREC", "GRECJ", "GJ"]


@pytest.mark.parametrize("systems", COMBINATIONS)
def test_each_combination_static(region, systems):
    solution, error_m = region[2](systems=systems)
    assert solution.systems == tuple(systems)
    assert np.all(np.abs(error_m) < STATIC_TOLERANCE_M), error_m


@pytest.mark.parametrize("systems", COMBINATIONS)
def test_each_combination_kinematic(region, systems):
    _, truth, solve = region
    solution, _ = solve(systems=systems, mode="kinematic")
    series_m = (solution.kinematic_position_ecef_m - truth) @ enu_matrix_at(truth).T
    assert solution.systems == tuple(systems)
    assert series_m.shape[0] > 0.8 * EPOCHS
    assert np.all(np.sqrt(np.mean(series_m**2, axis=0)) < KINEMATIC_TOLERANCE_M), np.std(series_m, axis=0)


def test_glonass_alone_static_and_float_even_where_fixing_is_asked_for(region):
    # Eleven satellites, of which four or five are up: half of what the real constellation gives.
    solution, error_m = region[2](systems="R", ambiguities="fix")
    assert np.all(np.abs(error_m) < 2.0 * np.array(STATIC_TOLERANCE_M)), error_m
    assert solution.fixed_fraction == 0.0
    assert any(r.startswith("GLONASS ambiguities stay float: each satellite") for r in solution.remarks)


def test_too_few_satellites_of_a_system_alone_are_refused_with_the_reason(region):
    with pytest.raises(AdjustmentError, match=r"at most [123] satellites of the systems J .* takes four"):
        region[2](systems="J")


def without_channels(observations):
    return replace(observations, header=replace(observations.header, glonass_channels={}))


def test_channels_that_the_header_lacks_are_told_by_the_observations(region):
    observations, _, solve = region
    silent = without_channels(observations)
    phases = observations.data["carrier_phase_cycles"].sel(signal="2C")
    seen = dict(zip(observations.satellites, phases.notnull().sum("epoch").values, strict=True))
    pairs = {s: ("1C", "2C") for s in seen if s[0] == "R" and seen[s] > 6}
    assert len(pairs) > 5
    told = glonass_channels(silent, pairs)
    assert told.by_satellite == {s: CHANNEL[s] for s in pairs}
    assert set(told.observed) == set(pairs)
    assert glonass_channels(observations, pairs) == GlonassChannels(told.by_satellite)
    solution, error_m = solve(silent, systems="GR")
    assert np.all(np.abs(error_m) < STATIC_TOLERANCE_M)
    assert any("channels missing in the header, told by phase" in r for r in solution.remarks)


def test_a_channel_that_is_wrong_in_the_header_is_put_right_and_said(region):
    observations, _, solve = region
    header = replace(observations.header, glonass_channels={**CHANNEL, "R02": 5})
    wrong = replace(observations, header=header)
    solution, error_m = solve(wrong, systems="GR")
    assert np.all(np.abs(error_m) < STATIC_TOLERANCE_M)
    assert any("wrong in the header" in r and "R02 -6" in r for r in solution.remarks)


def test_a_satellite_of_unknown_channel_is_left_out_and_counted(region):
    observations, _, solve = region
    silent = without_channels(observations)
    some = [s for s in observations.satellites if s[0] == "R"][:2]
    data = silent.data.copy(deep=True)
    phase = data["carrier_phase_cycles"].values
    random = np.random.default_rng(5)
    for name in some:  # a phase that says nothing of its frequency
        place = silent.satellites.index(name)
        phase[:, place] += random.uniform(-3000.0, 3000.0, (phase.shape[0], 1))
    broken = replace(silent, data=data)
    assert observed_channel(broken, some[0], ("1C", "2C")) is None
    solution, _ = solve(broken, systems="GR")
    assert solution.rejections["GLONASS satellite without a known channel"] == 2
    only = replace(broken, data=data.sel(satellite=some))
    with pytest.raises(InputError, match="channel is known"):
        select_observations(only, PppOptions(systems="R"))
