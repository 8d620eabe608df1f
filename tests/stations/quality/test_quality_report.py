"""From observations to a verdict: what a bureau reads, and that each limit can reject."""

import json
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from stations.quality.cycle_slips import detect_cycle_slips
from stations.quality.report import quality_report
from stations.quality.report_json import quality_report_as_json
from stations.quality.signal_pairs import SignalPair, pairs_for_the_rest, signal_pairs, with_phases_lent
from stations.quality.signals_tracked import bds3_readiness, carrier_name, signals_by_satellite
from stations.quality.verdict import QualityThresholds
from stations.records import (
    AntennaType,
    InputFile,
    ObservationEvent,
    Observations,
    StationHeader,
    StationSetup,
    Verdict,
    check_observations,
)
from stations.signals import carrier_frequency_hz
from transforms.constants import SPEED_OF_LIGHT_M_PER_S
from transforms.errors import InputError

SIGNALS = ["1C", "1P", "2I", "2W", "5P", "5Q", "6I"]
TRACKED = {"G": ["1C", "2W"], "E": ["1C", "5Q"], "C": ["2I", "6I"], "R": ["1C"]}
WUHAN_ECEF_M = (-2267749.0, 5009154.0, 3221290.0)
BDS3_TRACKED = ["2I", "6I", "1P", "5P"]
SATELLITES = ["C06", "C21", "C25", "C30", "E01", "E04", "E09", "G02", "G05", "G11", "G24", "R03"]


def station_day(
    *, n_epoch: int = 2880, bds3: bool = True, code_noise_m: float = 0.2, cn0_dbhz: float = 44.0
) -> Observations:
    """A day at 30 s: twelve satellites always in view, no ionosphere, phase noise 2 mm."""
    rng = np.random.default_rng(7)
    shape = (n_epoch, len(SATELLITES), len(SIGNALS))
    code, phase = np.full(shape, np.nan), np.full(shape, np.nan)
    range_m = 2.4e7 + 1e6 * np.sin(np.arange(n_epoch)[:, np.newaxis] / 900.0 + np.arange(len(SATELLITES)))
    for column, satellite in enumerate(SATELLITES):
        new = bds3 and satellite in {"C21", "C25", "C30"}
        for signal in BDS3_TRACKED if new else TRACKED[satellite[0]]:
            depth = SIGNALS.index(signal)
            frequency = carrier_frequency_hz(satellite[0] + signal, 5)
            code[:, column, depth] = range_m[:, column] + rng.normal(0, code_noise_m, n_epoch)
            cycles = (range_m[:, column] + rng.normal(0, 0.002, n_epoch)) * frequency / SPEED_OF_LIGHT_M_PER_S
            phase[:, column, depth] = cycles + rng.integers(-1000, 1000)
    dims = ("epoch", "satellite", "signal")
    strength = np.where(np.isfinite(code), cn0_dbhz, np.nan).astype(np.float32)
    data = xr.Dataset(
        {
            "pseudorange_m": (dims, code),
            "carrier_phase_cycles": (dims, phase),
            "cn0_dbhz": (dims, strength),
            "loss_of_lock": (dims, np.zeros(shape, dtype=np.uint8)),
        },
        coords={
            "epoch": np.datetime64("2024-07-27T00:00:00", "ns")
            + np.arange(n_epoch) * np.timedelta64(30, "s"),
            "satellite": SATELLITES,
            "signal": SIGNALS,
        },
    )
    check_observations(data)
    setup = StationSetup("TEST", "", "", AntennaType("TEST"), (0.0, 0.0, 0.0))
    inputs = (InputFile("TEST00CHN_R_20242090000_01D_30S_MO.rnx", "0" * 64),)
    header = StationHeader("TEST", "", setup, np.array(WUHAN_ECEF_M), {}, "3.04")
    return Observations(data, header, inputs=inputs)


def without_epochs(observations: Observations, kept: slice) -> Observations:
    return replace(observations, data=observations.data.isel(epoch=kept))


def test_a_good_day_is_accepted_without_remarks() -> None:
    report = quality_report(station_day())
    assert report.verdict is Verdict.ACCEPT
    assert report.reasons == ()
    assert (report.n_epochs, report.n_epochs_expected, report.completeness) == (2880, 2880, 1.0)
    assert report.n_cycle_slips == 0
    assert report.mean_satellites == 11.0  # R03 sends one carrier here
    assert report.bds3_satellites_by_carrier == {"B1C": 3, "B2a": 3, "B2b": 0, "B1I": 3, "B3I": 3}
    quality = {s.signal: s for s in report.signals}
    assert (quality["C5P"].carrier, quality["C2I"].carrier) == ("B2a", "B1I")
    assert (quality["C2I"].n_satellites, quality["C5P"].n_satellites) == (4, 3)
    # 0.2 m of code noise; the phases add 2 mm times 4.6 at the most.
    np.testing.assert_allclose(quality["G1C"].multipath_rms_m, 0.2, rtol=0.05)
    assert quality["R1C"].multipath_rms_m is None
    np.testing.assert_allclose(quality["G1C"].mean_cn0_dbhz, 44.0, atol=1e-4)


def test_pairs_are_those_most_often_observed_together() -> None:
    assert signal_pairs(station_day()) == (
        SignalPair("C", "2I", "6I"),
        SignalPair("C", "1P", "5P"),
        SignalPair("E", "1C", "5Q"),
        SignalPair("G", "1C", "2W"),
    )


def test_signals_beside_the_pairs_get_a_partner_for_their_multipath() -> None:
    observations = station_day(n_epoch=1000)
    data = observations.data
    satellites, signals = list(data["satellite"].values), list(data["signal"].values)
    for name in ("pseudorange_m", "carrier_phase_cycles", "cn0_dbhz"):
        values = data[name].values
        values[:300, satellites.index("G05"), signals.index("5Q")] = values[
            :300, satellites.index("E04"), signals.index("5Q")
        ]
    assert SignalPair("G", "1C", "5Q") in signal_pairs(observations)
    only_first = (SignalPair("G", "1C", "2W"),)
    assert pairs_for_the_rest(observations, only_first) == (SignalPair("G", "5Q", "1C"),)
    assert pairs_for_the_rest(observations, signal_pairs(observations)) == ()


def with_code_alone(observations: Observations, noise_m: float) -> Observations:
    """The same, with a code 1P on GPS (its own noise, one gross error) that no phase goes with."""
    data = observations.data.copy(deep=True)
    signals = list(data["signal"].values)
    own, lender = signals.index("1P"), signals.index("1C")
    gps = [k for k, s in enumerate(data["satellite"].values) if s[0] == "G"]
    phase_m = data["carrier_phase_cycles"].values[:, gps, lender] * (
        SPEED_OF_LIGHT_M_PER_S / carrier_frequency_hz("G1", None)
    )
    noise = np.random.default_rng(11).normal(0, noise_m, phase_m.shape)
    data["pseudorange_m"].values[:, gps, own] = phase_m + noise
    data["pseudorange_m"].values[500, gps[0], own] += 800.0
    return replace(observations, data=data)


def test_a_code_without_its_own_phase_is_told_by_another_phase_of_its_carrier() -> None:
    observations = with_code_alone(station_day(), 0.35)
    completed, lenders = with_phases_lent(observations)
    assert lenders == {"G1P": "G1C"}
    assert not np.isfinite(observations.data["carrier_phase_cycles"].values[:, -3, SIGNALS.index("1P")]).any()
    assert pairs_for_the_rest(completed, signal_pairs(observations)) == (SignalPair("G", "1P", "2W"),)
    report, plain = quality_report(observations), quality_report(station_day())
    assert report.details is not None
    assert plain.details is not None
    signals = {s.signal: s for s in report.details.signals}
    # The phases add 2 mm times 4.6 at the most; the one bad code is an outlier of this code alone.
    np.testing.assert_allclose([signals["G1P"].multipath_rms_m, signals["G1P"].code_noise_m], 0.35, rtol=0.05)
    assert (signals["G1P"].n_outliers, signals["G1C"].n_outliers) == (1, 0)
    assert "G1P has no phase of its own: its multipath is told by the phase of G1C" in report.details.remarks
    # The search for slips, and with it the verdict's rate, knows nothing of the lent phase.
    assert (report.n_cycle_slips, report.details.slips) == (plain.n_cycle_slips, plain.details.slips)


def test_a_code_that_nothing_tells_says_so() -> None:
    observations = station_day(n_epoch=1000)
    gps = [k for k, s in enumerate(SATELLITES) if s[0] == "G"]
    observations.data["pseudorange_m"].values[:, gps, SIGNALS.index("5Q")] = 2.4e7
    report = quality_report(observations)
    assert report.details is not None
    assert {s.signal: s.multipath_rms_m for s in report.details.signals}["G5Q"] is None
    assert "no multipath of G5Q: no phase on its carrier" in report.details.remarks
    assert (
        "no multipath of R1C: no second carrier with code and phase to free it of the ionosphere"
        in report.details.remarks
    )


def test_slips_are_counted_by_witness_and_marked_by_pair() -> None:
    observations = station_day()
    observations.data["carrier_phase_cycles"].values[1000:, 7, 0] += 3.0  # G02, 1C
    observations.data["loss_of_lock"].values[2000, 8, 0] = 1  # G05, 1C
    slips = detect_cycle_slips(observations)
    assert np.argwhere(slips.slip).tolist() == [[1000, 7, 3], [2000, 8, 3]]
    assert slips.counts()["slips"] == 2
    assert slips.counts()["loss of lock"] == 1
    report = quality_report(observations)
    assert report.n_cycle_slips == 2
    np.testing.assert_allclose(report.cycle_slips_per_thousand, 2000.0 / slips.n_observations)


def test_an_old_receiver_is_remarked_or_refused_as_the_bureau_wants() -> None:
    old = station_day(bds3=False)
    report = quality_report(old)
    assert not report.tracks_bds3
    assert report.verdict is Verdict.ACCEPT_WITH_REMARKS
    assert report.reasons == (
        "no signal that only BeiDou-3 sends was tracked (3 BeiDou-3 satellites: B1I on 3, B3I on 3)",
    )
    strict = quality_report(old, thresholds=QualityThresholds(require_bds3=True))
    assert strict.verdict is Verdict.REJECT
    assert not bds3_readiness(old).ready
    assert bds3_readiness(station_day()).ready


@pytest.mark.parametrize(
    ("spoil", "verdict", "text"),
    [
        (lambda o: without_epochs(o, slice(0, 2600)), Verdict.ACCEPT_WITH_REMARKS, "2600 of 2880"),
        (lambda o: without_epochs(o, slice(0, 1400)), Verdict.REJECT, "1400 of 2880"),
        (lambda o: without_epochs(o, slice(0, 100)), Verdict.REJECT, "lasts 0.83 h"),
        (lambda o: replace(o, data=o.data.isel(satellite=[0, 7, 8])), Verdict.REJECT, "3.0 satellites"),
        (
            lambda o: replace(o, data=o.data.isel(satellite=[0, 4, 5, 7, 8, 9])),
            Verdict.ACCEPT_WITH_REMARKS,
            "6.0",
        ),
        (
            lambda o: replace(o, data=o.data.isel(signal=[0])),
            Verdict.REJECT,
            "no satellite was observed with",
        ),
        (lambda o: replace(o, rejections={"odd": 3}), Verdict.ACCEPT_WITH_REMARKS, "3 records"),
        (
            lambda o: replace(o, events=(ObservationEvent(None, 1, "power failure", (), 99),) * 2),
            Verdict.ACCEPT_WITH_REMARKS,
            "2 events with flag 1 (power failure), first at line 99",
        ),
    ],
)
def test_each_defect_is_named(spoil, verdict, text) -> None:  # type: ignore[no-untyped-def]
    report = quality_report(spoil(station_day()))
    assert report.verdict is verdict
    assert any(text in reason for reason in report.reasons), report.reasons


@pytest.mark.parametrize(("noise_m", "verdict"), [(0.8, Verdict.ACCEPT_WITH_REMARKS), (4.0, Verdict.REJECT)])
def test_noisy_codes_are_named(noise_m: float, verdict: Verdict) -> None:
    report = quality_report(station_day(code_noise_m=noise_m))
    assert report.verdict is verdict
    assert "code multipath of" in report.reasons[0]


def test_weak_signals_are_named() -> None:
    reasons = quality_report(station_day(cn0_dbhz=30.0)).reasons
    assert any("carrier-to-noise density of G1C (L1) is 30.0 dBHz" in r for r in reasons)


def test_a_receiver_that_loses_lock_all_the_time_is_refused() -> None:
    observations = station_day(n_epoch=1000)
    observations.data["loss_of_lock"].values[::3] = 1
    report = quality_report(observations)
    assert report.verdict is Verdict.REJECT
    assert any("cycle slips per thousand" in r for r in report.reasons)


def test_limits_out_of_order_are_refused() -> None:
    with pytest.raises(InputError, match="multipath"):
        QualityThresholds(multipath_remark_m=5.0)


def test_observations_without_a_satellite_are_refused() -> None:
    observations = station_day(n_epoch=10)
    with pytest.raises(InputError, match="no satellite"):
        quality_report(replace(observations, data=observations.data.isel(satellite=[])))


def test_json_is_plain_complete_and_finite() -> None:
    report = quality_report(without_epochs(station_day(), slice(0, 1400)))
    text = json.dumps(quality_report_as_json(report), allow_nan=False)
    back = json.loads(text)
    assert back["verdict"] == "reject"
    assert back["first_epoch"] == "2024-07-27T00:00:00"
    assert back["gaps"] == [["2024-07-27T11:39:30", "2024-07-27T23:59:30"]]
    assert back["signals_by_satellite"]["C21"] == ["C1P", "C2I", "C5P", "C6I"]
    assert back["inputs"][0]["path"].startswith("TEST00CHN")


def test_signals_by_satellite_leave_out_what_was_never_seen() -> None:
    tracked = signals_by_satellite(station_day())
    assert tracked["G02"] == ("G1C", "G2W")
    assert tracked["R03"] == ("R1C",)
    assert carrier_name("C", "7D") == "B2b"
    assert carrier_name("C", "7I") == "B2I"
    assert carrier_name("G", "2W") == "L2"
