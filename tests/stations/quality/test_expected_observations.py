"""What the sky offered: counts against passes written down by hand, with and without orbits."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from stations.quality.expected_observations import FROM_PASSES
from stations.quality.report import QualityContext, quality_report
from stations.quality_records import ExpectedObservations
from stations.records import (
    AntennaType,
    InputFile,
    Observations,
    SatelliteOrbits,
    StationHeader,
    StationSetup,
)
from stations.signals import carrier_frequency_hz
from transforms.constants import SPEED_OF_LIGHT_M_PER_S
from transforms.geodetic import enu_matrix_at
from transforms.time_scales import Epochs

STATION_ECEF_M = np.array([-2267749.0, 5009154.0, 3221290.0])
RANGE_M = 2.2e7
N_EPOCH = 720
INTERVAL_S = 30.0
START = np.datetime64("2024-07-27T00:00:00", "ns")


def fixed_in_the_sky(elevation_deg: float, azimuth_deg: float) -> NDArray[np.float64]:
    """A place that the station sees for ever in one direction: elevations without an orbit's arithmetic."""
    elevation, azimuth = np.radians([elevation_deg, azimuth_deg])
    enu = np.array(
        [np.cos(elevation) * np.sin(azimuth), np.cos(elevation) * np.cos(azimuth), np.sin(elevation)]
    )
    return np.asarray(STATION_ECEF_M + RANGE_M * enu_matrix_at(STATION_ECEF_M).T @ enu)


def orbits(places: dict[str, tuple[float, float]]) -> SatelliteOrbits:
    epochs = Epochs.from_datetime64(START + np.arange(-8, 90) * np.timedelta64(300, "s"))
    position = np.stack([fixed_in_the_sky(*places[s]) for s in sorted(places)])
    shape = (len(epochs), len(places))
    return SatelliteOrbits(
        epochs=epochs,
        satellites=tuple(sorted(places)),
        position_ecef_m=np.broadcast_to(position, (*shape, 3)).copy(),
        clock_s=np.zeros(shape),
        manoeuvre=np.zeros(shape, dtype=np.bool_),
        frame="IGS20",
        centre="TST",
    )


def observations(rows: dict[str, NDArray[np.bool_]]) -> Observations:
    satellites = sorted(rows)
    shape = (N_EPOCH, len(satellites), 2)
    code, phase = np.full(shape, np.nan), np.full(shape, np.nan)
    rng = np.random.default_rng(3)
    for k, name in enumerate(satellites):
        there = rows[name]
        for j, signal in enumerate(("1C", "2W")):
            code[there, k, j] = RANGE_M + rng.normal(0.0, 0.2, int(there.sum()))
            metres = RANGE_M + rng.normal(0.0, 0.002, int(there.sum()))
            phase[there, k, j] = metres * carrier_frequency_hz("G" + signal) / SPEED_OF_LIGHT_M_PER_S
    dims = ("epoch", "satellite", "signal")
    data = xr.Dataset(
        {
            "pseudorange_m": (dims, code),
            "carrier_phase_cycles": (dims, phase),
            "cn0_dbhz": (dims, np.where(np.isfinite(code), 45.0, np.nan).astype(np.float32)),
            "loss_of_lock": (dims, np.zeros(shape, dtype=np.uint8)),
        },
        coords={
            "epoch": START + np.arange(N_EPOCH) * np.timedelta64(30, "s"),
            "satellite": satellites,
            "signal": ["1C", "2W"],
        },
    )
    setup = StationSetup("TEST", "", "", AntennaType("TEST"), (0.0, 0.0, 0.0))
    header = StationHeader("TEST", "", setup, STATION_ECEF_M, {}, "3.04")
    return Observations(data, header, inputs=(InputFile("TEST00CHN_R_20242090000_06H_30S_MO.rnx", "0" * 64),))


def expected(o: Observations, context: QualityContext | None = None) -> ExpectedObservations:
    details = quality_report(o, context=context).details
    assert details is not None
    assert details.expected is not None
    return details.expected


def test_with_orbits_missed_epochs_and_low_satellites_are_told_apart() -> None:
    always = np.ones(N_EPOCH, dtype=np.bool_)
    first_half = np.arange(N_EPOCH) < N_EPOCH // 2
    rows = {"G01": always, "G02": first_half, "G03": np.arange(N_EPOCH) < 100}
    sky = {
        "G01": (65.0, 10.0),
        "G02": (25.0, 100.0),
        "G03": (5.0, 200.0),
        "G04": (40.0, 300.0),
        "G05": (-20.0, 0.0),
    }
    found = expected(observations(rows), QualityContext(orbits=orbits(sky)))
    by = {c.subject: c for c in found.by_satellite}
    assert (by["G01"].n_expected, by["G01"].n_observed) == (720, 720)
    assert (by["G02"].n_expected, by["G02"].n_observed, by["G02"].ratio_above_cutoff) == (720, 360, 0.5)
    assert (by["G03"].n_expected, by["G03"].n_observed) == (720, 100)
    assert by["G03"].n_expected_above_cutoff == 0
    assert found.not_tracked == ("G04",)  # G05 never rises
    assert "G05" not in by
    assert (found.total.n_expected, found.total.n_observed) == (2160, 1180)
    assert (found.total.n_expected_above_cutoff, found.total.n_observed_above_cutoff) == (1440, 1080)
    bins = {c.subject: (c.n_expected, c.n_observed) for c in found.by_elevation}
    assert bins["60-70"] == (720, 720)
    assert bins["20-30"] == (720, 360)
    assert bins["0-10"] == (720, 100)
    assert bins["30-40"] == (0, 0)
    hours = [(c.subject, c.n_expected, c.n_observed) for c in found.by_hour]
    assert hours[0] == ("2024-07-27T00", 360, 340)
    assert hours[5] == ("2024-07-27T05", 360, 120)
    assert found.source_by_system == {"G": "SP3 orbits of TST"}


def test_epochs_that_the_file_lacks_altogether_are_missed_too() -> None:
    always = np.ones(N_EPOCH, dtype=np.bool_)
    o = observations({"G01": always, "G02": always})
    kept = np.r_[0:200, 320:N_EPOCH]
    found = expected(
        replace(o, data=o.data.isel(epoch=kept)),
        QualityContext(orbits=orbits({"G01": (65.0, 10.0), "G02": (25.0, 100.0)})),
    )
    assert (found.total.n_expected, found.total.n_observed) == (1440, 1200)


def test_without_orbits_the_passes_speak_and_the_report_says_so() -> None:
    one = np.ones(N_EPOCH, dtype=np.bool_)
    one[100:140] = False  # 20 minutes inside a pass: missed
    one[300:400] = False  # 50 minutes: it may have set
    found = expected(observations({"G01": one, "G02": np.ones(N_EPOCH, dtype=np.bool_)}))
    by = {c.subject: c for c in found.by_satellite}
    assert (by["G01"].n_expected, by["G01"].n_observed) == (620, 580)
    assert by["G01"].ratio_above_cutoff is None
    assert found.source_by_system == {"G": FROM_PASSES}
    assert found.by_elevation == ()


@pytest.mark.parametrize("mask_deg", [0.0, 8.0])
def test_the_horizon_mask_is_the_bureaus(mask_deg: float) -> None:
    from stations.quality.verdict import QualityThresholds

    o = observations({"G01": np.ones(N_EPOCH, np.bool_), "G03": np.arange(N_EPOCH) < 100})
    context = QualityContext(orbits=orbits({"G01": (65.0, 10.0), "G03": (5.0, 200.0)}))
    details = quality_report(
        o, context=context, thresholds=QualityThresholds(horizon_mask_deg=mask_deg)
    ).details
    assert details is not None
    assert details.expected is not None
    assert details.expected.total.n_expected == (1440 if mask_deg == 0.0 else 720)
