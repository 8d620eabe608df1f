"""The forward model against the solver: what is put in comes out; faults are where they are said to be."""

from dataclasses import replace

import numpy as np
import pytest

from stations.ppp.solve import solve_station
from stations.records import LossOfLock, PreciseProducts
from stations.simulation import atmosphere, faults, products, receiver
from stations.simulation.antennas import RECEIVER_ANTENNAS, receiver_calibration
from stations.simulation.products import simulate_products
from stations.simulation.receiver import simulate_station
from stations.simulation.region_plan import (
    DAYS,
    DEFAULT_SEED,
    EPOCHS_PER_DAY,
    STATIONS,
    product_epochs,
)
from stations.simulation.space_segment import build_space_segment
from transforms.geodetic import enu_matrix_at

# What is left of a noiseless solution: tables to 1 mm and 1 ps, observations to 1 mm, 11-point interpolation.
QUIET_TOLERANCE_M = 0.0005
# Product errors of 1 to 9 cm and all noise: a day's float solution comes within this (horizontal, up).
SAMPLE_TOLERANCE_M = (0.008, 0.008, 0.010)
BY_MARKER = {station.marker: station for station in STATIONS}


def solve_sample(space, station, number):
    """Session of a station, and error (east, north, up) of its solution on a day."""
    orbits, clocks = simulate_products(
        space.constellation, space.clocks, space.earth_rotation, product_epochs(), DEFAULT_SEED
    )
    given = PreciseProducts("SIM", False, orbits, clocks, space.earth_rotation, None)
    antennas = (*space.antennas, *(receiver_calibration(design) for design in RECEIVER_ANTENNAS))
    session = simulate_station(station, space, DEFAULT_SEED)
    solution = solve_station(
        session.days[number], given, antennas, ocean_loading=space.ocean_loading[station.marker]
    )
    truth = station.position_ecef_m(solution.epoch)
    return session, solution, enu_matrix_at(truth) @ (solution.position_ecef_m - truth)


@pytest.fixture(scope="module")
def space():
    return build_space_segment(DEFAULT_SEED)


@pytest.mark.parametrize("marker", ["NJLS", "YZTZ"])
def test_without_noise_and_product_errors_the_solver_returns_the_truth(space, marker, monkeypatch):
    none = products.ProductErrors(0.0, 0.0, 0.0, 0.0)
    monkeypatch.setattr(products, "PRODUCT_ERRORS", dict.fromkeys(products.PRODUCT_ERRORS, none))
    monkeypatch.setattr(products, "REFERENCE_CLOCK_WALK_S", 0.0)
    monkeypatch.setattr(receiver, "_PHASE_MULTIPATH_M", 0.0)
    for name in ("SLIPS_PER_DAY", "CODE_OUTLIERS_PER_DAY", "DROPOUTS_PER_DAY"):
        monkeypatch.setattr(faults, name, 0)
    for name in (
        "REGIONAL_WET_WALK_M_PER_SQRT_H",
        "LOCAL_WET_WALK_M_PER_SQRT_H",
        "PRESSURE_WALK_HPA_PER_SQRT_H",
        "PRESSURE_SEMIDIURNAL_HPA",
        "WET_DIURNAL_M",
        "GRADIENT_SIGMA_M",
        "GRADIENT_DIURNAL_M",
    ):
        monkeypatch.setattr(atmosphere, name, 0.0)
    station = BY_MARKER[marker]
    quiet = replace(station.receiver, code_noise_m=0.0, phase_noise_m=0.0, multipath_m=0.0)
    session, solution, error_m = solve_sample(space, replace(station, receiver=quiet), 0)
    assert np.all(np.abs(error_m) < QUIET_TOLERANCE_M), error_m
    truth_m = np.interp(
        solution.zenith_delays.epochs.tai_ns, session.epochs.tai_ns, session.troposphere.total_m
    )
    assert np.abs(solution.zenith_delays.total_m - truth_m).mean() < QUIET_TOLERANCE_M


@pytest.mark.parametrize(("marker", "number"), [("WUJN", 0), ("MGSH", 1), ("YZTZ", 0)])
def test_with_all_noise_the_solver_comes_within_a_centimetre(space, marker, number):
    session, solution, error_m = solve_sample(space, BY_MARKER[marker], number)
    assert np.all(np.abs(error_m) < SAMPLE_TOLERANCE_M), error_m
    truth_m = np.interp(
        solution.zenith_delays.epochs.tai_ns, session.epochs.tai_ns, session.troposphere.total_m
    )
    assert np.std(solution.zenith_delays.total_m - truth_m) < 0.005


def test_the_undocumented_antenna_lifts_the_station_by_its_phase_centre_and_its_mount(space):
    station = BY_MARKER["CHMD"]
    assert station.change is not None
    session, _, before_m = solve_sample(space, station, 0)
    _, _, after_m = solve_sample(space, station, 1)
    old, new = (receiver_calibration(d).frequencies for d in (station.antenna, station.change.antenna))
    squared = 1575.42**2, 1227.60**2
    share = squared[0] / (squared[0] - squared[1])
    offsets = [share * f["G01"].offset_m + (1.0 - share) * f["G02"].offset_m for f in (old, new)]
    expected_m = offsets[1][2] - offsets[0][2] + station.change.rise_m
    # Galileo and BeiDou see other offsets, and the variations differ: the lift is that of GPS to some mm.
    assert after_m[2] - before_m[2] == pytest.approx(expected_m, abs=0.008)
    assert session.days[1].header.setup == session.days[0].header.setup


def test_the_old_station_tracks_no_beidou_and_steps_its_clock_by_milliseconds(space):
    session = simulate_station(BY_MARKER["YZTZ"], space, DEFAULT_SEED)
    assert {s[0] for day in session.days for s in day.satellites} == {"G"}
    code_m = session.days[0].data["pseudorange_m"].values[:, :, 0]
    with np.errstate(invalid="ignore"):
        steps_m = np.nanmedian(np.diff(code_m, axis=0), axis=1)
    one_millisecond_m = 299_792.458
    jumps = np.abs(np.abs(steps_m) - one_millisecond_m) < 0.05 * one_millisecond_m
    assert 1 <= jumps.sum() <= 4


def test_slips_are_whole_cycles_where_the_list_says(space, monkeypatch):
    station = BY_MARKER["NJLS"]
    faulty = simulate_station(station, space, DEFAULT_SEED)
    monkeypatch.setattr(receiver, "plant_faults", lambda tracked, station, seed: ())
    clean = simulate_station(station, space, DEFAULT_SEED)
    slips = [f for f in faulty.faults if f.kind == "cycle slip"]
    assert len(slips) >= faults.SLIPS_PER_DAY * len(DAYS)
    seen = 0
    for fault in slips:
        number, row = divmod(fault.epoch_index, EPOCHS_PER_DAY)
        epoch = faulty.epochs.datetime64()[fault.epoch_index]
        place = {"satellite": fault.satellite, "signal": fault.signal}
        at = faulty.days[number].data.sel(place)
        if epoch not in at["epoch"].values:
            continue  # a gap fell on it
        reference = clean.days[number].data.sel(place)["carrier_phase_cycles"]
        difference = (at["carrier_phase_cycles"] - reference).dropna("epoch")
        if epoch not in difference["epoch"].values or row == 0:
            continue
        before = difference.sel(epoch=difference["epoch"] < epoch).values
        step = float(difference.sel(epoch=epoch)) - (before[-1] if before.size else 0.0)
        others = [
            f.size
            for f in slips
            if f is not fault
            and (f.satellite, f.signal, f.epoch_index) == (fault.satellite, fault.signal, fault.epoch_index)
        ]
        assert step == pytest.approx(fault.size + sum(others), abs=0.002)
        flag = int(at["loss_of_lock"].sel(epoch=epoch)) & LossOfLock.LOST
        if fault.flagged:
            assert flag
        seen += 1
    assert seen >= len(slips) // 2


def test_a_station_day_is_the_same_whatever_else_is_simulated(space):
    station = BY_MARKER["HUSH"]
    first = simulate_station(station, space, DEFAULT_SEED)
    simulate_station(BY_MARKER["HZWN"], space, DEFAULT_SEED)
    second = simulate_station(station, build_space_segment(DEFAULT_SEED), DEFAULT_SEED)
    assert first.days[1].data.identical(second.days[1].data)
    other = simulate_station(station, space, DEFAULT_SEED + 1)
    assert not first.days[1].data.identical(other.days[1].data)
