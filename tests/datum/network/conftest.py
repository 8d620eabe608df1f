"""Daily solutions of a small network with known truth, for the tests of this folder."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from datum.records import ControlStation
from stations.records import AntennaType, StationSetup, StationSolution, ZenithDelays
from transforms.geodetic import ecef_from_geodetic, enu_matrix_at
from transforms.time_scales import Epochs

NAMES = (
    "HANG00CHN",
    "HEFE00CHN",
    "JINS00CHN",
    "NANJ00CHN",
    "NING00CHN",
    "SHAO00CHN",
    "SUZH00CHN",
    "WUXI00CHN",
)
TRUTH = {
    name: ecef_from_geodetic(np.radians(latitude), np.radians(longitude), height)
    for name, latitude, longitude, height in zip(
        NAMES,
        (30.25, 31.82, 30.73, 32.05, 29.87, 31.10, 31.30, 31.57),
        (120.17, 117.25, 121.35, 118.78, 121.55, 121.20, 120.60, 120.30),
        (31.0, 58.0, 12.0, 44.0, 9.0, 22.0, 15.0, 18.0),
        strict=True,
    )
}
FIRST = Epochs.from_datetime64("2024-02-04T00:00:00")
NOISE_ENU_M = (0.003, 0.003, 0.006)
SETUP = StationSetup("TRIMBLE ALLOY", "5950", "6.15", AntennaType("TRM59800.00", "SCIS"), (0.0, 0.0, 0.05))


def daily_solution(name, day, position, covariance) -> StationSolution:
    start = FIRST.plus_seconds(86400.0 * day)
    return StationSolution(
        station=name, domes="", epoch=start.plus_seconds(43200.0), first_epoch=start,
        last_epoch=start.plus_seconds(86370.0), frame="IGS20", position_ecef_m=position,
        covariance_m2=covariance,
        n_epochs=2880, n_observations=100_000, systems=("G",), signals=(), ambiguities="float",
        fixed_fraction=0.0, residual_rms_phase_m=0.008, residual_rms_code_m=0.9, rejections={},
        zenith_delays=ZenithDelays(Epochs(np.zeros(0, np.int64)), np.zeros(0), np.zeros(0)), setup=SETUP,
        centre="GRG", inputs=(),
    )  # fmt: skip


def simulate(rng, n_stations=8, n_days=2, shift_m=0.01, noise_enu_m=NOISE_ENU_M, errors=None):
    """Solutions with noise, a shift for each day, and errors {(station, day): enu_m} on top."""
    solutions = []
    for day in range(n_days):
        shift = rng.normal(0.0, shift_m, 3)
        for name in NAMES[:n_stations]:
            rotation = enu_matrix_at(TRUTH[name])
            enu = rng.normal(0.0, 1.0, 3) * noise_enu_m + np.asarray(
                (errors or {}).get((name, day), (0, 0, 0))
            )
            covariance = rotation.T @ np.diag(np.square(noise_enu_m)) @ rotation
            solutions.append(daily_solution(name, day, TRUTH[name] + shift + rotation.T @ enu, covariance))
    return solutions


def control(names, offsets_enu_m=None, **change):
    """Published coordinates of stations: the truth, at an epoch near the data."""
    stations = []
    for name in names:
        offset = enu_matrix_at(TRUTH[name]).T @ np.asarray((offsets_enu_m or {}).get(name, (0.0, 0.0, 0.0)))
        stations.append(
            ControlStation(name, "IGS20", FIRST, TRUTH[name] + offset, np.zeros(3), (0.001, 0.001, 0.002))
        )
    return [dataclasses.replace(s, **change) for s in stations]


@pytest.fixture(scope="session")
def network() -> SimpleNamespace:
    """The simulated network: names, truth (ECEF, m), noise, and functions that make solutions."""
    return SimpleNamespace(
        names=NAMES,
        truth=TRUTH,
        noise_enu_m=NOISE_ENU_M,
        first=FIRST,
        simulate=simulate,
        control=control,
        daily_solution=daily_solution,
    )
