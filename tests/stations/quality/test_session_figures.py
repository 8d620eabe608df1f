"""Figures of a session, each against a fault put in by hand: clock, phase, ionosphere, C/N0, header."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from stations.quality.clock_jumps import clock_jumps
from stations.quality.cycle_slips import MILLISECOND_JUMP_M, detect_cycle_slips
from stations.quality.false_lock import find_false_lock
from stations.quality.header_check import header_findings
from stations.quality.interference import find_interference
from stations.quality.ionosphere_activity import METRES_HZ2_PER_TECU, ionosphere_activity
from stations.quality.past_sessions import past_cn0_by_elevation
from stations.quality.report import quality_report
from stations.quality.verdict import QualityThresholds, cn0_fall_db
from stations.quality_records import ElevationBin, PastSignal
from stations.records import AntennaType, Observations, StationHeader, StationSetup, Verdict
from stations.signals import carrier_frequency_hz
from transforms.constants import SPEED_OF_LIGHT_M_PER_S
from transforms.time_scales import Epochs

N_EPOCH = 960
INTERVAL_S = 30.0
SATELLITES = ("G01", "G02", "G03", "G04", "G05", "G06")
START = np.datetime64("2024-07-27T00:00:00", "ns")
PHASE_NOISE_M = 0.001


def session(
    content_tecu: NDArray[np.float64] | None = None, interval_s: float = INTERVAL_S, n_epoch: int = N_EPOCH
) -> Observations:
    """Six satellites, two carriers, phase noise 1 mm, an electron content (n_epoch, 6) on the paths."""
    rng = np.random.default_rng(11)
    shape = (n_epoch, len(SATELLITES), 2)
    content = np.zeros(shape[:2]) if content_tecu is None else content_tecu
    time_s = np.arange(n_epoch)[:, np.newaxis] * interval_s
    range_m = 2.3e7 + 2e6 * np.sin(time_s / 7000.0 + np.arange(len(SATELLITES)))
    code, phase = np.empty(shape), np.empty(shape)
    for j, signal in enumerate(("1C", "2W")):
        frequency = carrier_frequency_hz("G" + signal)
        delay_m = METRES_HZ2_PER_TECU / frequency**2 * content
        code[..., j] = range_m + delay_m + rng.normal(0.0, 0.2, shape[:2])
        metres = range_m - delay_m + rng.normal(0.0, PHASE_NOISE_M, shape[:2])
        phase[..., j] = metres * frequency / SPEED_OF_LIGHT_M_PER_S
    dims = ("epoch", "satellite", "signal")
    strength = np.broadcast_to(45.0 + rng.normal(0.0, 0.3, shape[:2])[..., np.newaxis], shape)
    data = xr.Dataset(
        {
            "pseudorange_m": (dims, code),
            "carrier_phase_cycles": (dims, phase),
            "cn0_dbhz": (dims, strength.astype(np.float32)),
            "loss_of_lock": (dims, np.zeros(shape, dtype=np.uint8)),
        },
        coords={
            "epoch": START + (np.arange(n_epoch) * interval_s * 1e9).astype("timedelta64[ns]"),
            "satellite": list(SATELLITES),
            "signal": ["1C", "2W"],
        },
    )
    setup = StationSetup("TEST", "", "", AntennaType("TEST"), (0.0, 0.0, 0.0))
    header = StationHeader("TEST", "", setup, np.array([-2267749.0, 5009154.0, 3221290.0]), {}, "3.04")
    return Observations(data, header)


def unknown(o: Observations) -> NDArray[np.float64]:
    return np.full((len(o.epochs), len(o.satellites)), np.nan)


def test_phase_noise_and_code_noise_come_out_as_put_in() -> None:
    details = quality_report(session()).details
    assert details is not None
    assert details.slips[0].phase_noise_m == pytest.approx(PHASE_NOISE_M, rel=0.1)
    assert details.signals[0].code_noise_m == pytest.approx(0.2, rel=0.1)
    assert details.slips[0].n_slips == 0
    assert details.slips[0].n_arcs == len(SATELLITES)


def test_a_step_of_the_clock_in_codes_and_phases_is_told_and_in_codes_alone_too() -> None:
    both = session()
    both.data["pseudorange_m"].values[400:] += 2 * MILLISECOND_JUMP_M
    for j, signal in enumerate(("1C", "2W")):
        cycles = 2 * MILLISECOND_JUMP_M * carrier_frequency_hz("G" + signal) / SPEED_OF_LIGHT_M_PER_S
        both.data["carrier_phase_cycles"].values[400:, :, j] += cycles
    code_only = session()
    code_only.data["pseudorange_m"].values[500:] -= MILLISECOND_JUMP_M
    for o, row, milliseconds, seen_in in ((both, 400, 2, "code and phase"), (code_only, 500, -1, "code")):
        found = clock_jumps(o, detect_cycle_slips(o))
        assert [(j.epoch.iso(), j.milliseconds, j.seen_in) for j in found] == [
            (o.epochs[row].iso(), milliseconds, seen_in)
        ]
    assert clock_jumps(session(), detect_cycle_slips(session())) == ()


def test_steps_of_the_clock_in_the_codes_alone_leave_multipath_and_noise_and_earn_a_remark() -> None:
    clean, stepped = session(), session()
    for row, milliseconds in ((300, 1), (500, -2), (700, 3)):
        stepped.data["pseudorange_m"].values[row:] += milliseconds * MILLISECOND_JUMP_M
    expected, found = quality_report(clean), quality_report(stepped)
    assert expected.details is not None
    assert found.details is not None
    assert len(found.details.clock_jumps) == 3
    for without, with_steps in zip(expected.details.signals, found.details.signals, strict=True):
        assert with_steps.multipath_rms_m == pytest.approx(without.multipath_rms_m, rel=1e-6)
        assert with_steps.code_noise_m == pytest.approx(without.code_noise_m, rel=1e-6)
    assert found.verdict is Verdict.ACCEPT_WITH_REMARKS
    remark = (
        "3 steps of whole milliseconds in the codes alone, first +1 ms at 2024-07-27T02:30:00: "
        "RINEX wants the phases to follow"
    )
    assert [reason for reason in found.reasons if reason not in expected.reasons] == [remark]


def test_a_phase_that_runs_away_is_found_for_its_time_and_a_slip_is_none() -> None:
    time_s = np.arange(200) * 30.0
    one, two = np.zeros((200, 3)), np.zeros((200, 3))
    two[80:121, 1] -= 0.3 * 30.0 * np.arange(41)[:]
    two[121:, 1] = two[120, 1]
    two[100:, 2] += 50.0
    found = find_false_lock(time_s, one, two)
    assert np.flatnonzero(found[:, 1]).tolist() == list(range(80, 121))
    assert not found[:, [0, 2]].any()


def test_a_running_phase_is_left_out_of_the_multipath_and_named() -> None:
    o = session()
    cycles = 0.3 * INTERVAL_S * np.arange(200) * carrier_frequency_hz("G2W") / SPEED_OF_LIGHT_M_PER_S
    o.data["carrier_phase_cycles"].values[300:500, 2, 1] += cycles
    report = quality_report(o)
    assert report.details is not None
    (lock,) = report.details.false_locks
    assert (lock.satellite, lock.signal) == ("G03", "G2W")
    rms = report.details.signals[0].multipath_rms_m
    assert rms is not None
    assert rms < 0.3
    assert any("locked to nothing" in r for r in report.reasons)


def test_roti_of_a_known_ionosphere() -> None:
    """A rate that swings between plus and minus 1 TECU/min from epoch to epoch has a ROTI of 1."""
    steps = 0.5 * (-1.0) ** np.arange(N_EPOCH)  # TECU in half a minute
    content = np.cumsum(np.broadcast_to(steps[:, np.newaxis], (N_EPOCH, len(SATELLITES))), axis=0)
    noisy, quiet = session(content), session()
    found = ionosphere_activity(noisy, detect_cycle_slips(quiet), unknown(noisy))
    assert found is not None
    assert found.median_roti_tecu_per_min == pytest.approx(1.0, rel=0.05)
    assert found.share_disturbed > 0.95
    calm = ionosphere_activity(quiet, detect_cycle_slips(quiet), unknown(quiet))
    assert calm is not None
    assert calm.share_disturbed == 0.0
    sparse = session(interval_s=300.0, n_epoch=100)
    assert ionosphere_activity(sparse, detect_cycle_slips(sparse), unknown(sparse)) is None


def test_interference_takes_all_satellites_of_one_band_and_shading_takes_one() -> None:
    o = session()
    elevation = np.radians(
        np.broadcast_to(20.0 + 60.0 * np.arange(N_EPOCH)[:, np.newaxis] / N_EPOCH, (N_EPOCH, 6))
    )
    assert find_interference(o, elevation) == ()
    o.data["cn0_dbhz"].values[200:220, :, 0] -= 8.0
    o.data["cn0_dbhz"].values[600:700, 3, :] -= 12.0
    (found,) = find_interference(o, elevation)
    assert (found.carrier, found.first_epoch.iso(), found.last_epoch.iso()) == (
        "L1",
        o.epochs[200].iso(),
        o.epochs[219].iso(),
    )
    assert found.drop_db == pytest.approx(8.0, abs=1.0)
    assert found.n_satellites == 6
    (blind,) = find_interference(o, unknown(o))
    assert blind.carrier == "L1"


def test_header_far_off_is_an_error_and_an_unknown_antenna_a_remark() -> None:
    header = session().header
    position = header.approximate_position_ecef_m
    assert position is not None
    assert header_findings(header, position + np.array([10.0, 20.0, 30.0]), None, limit_m=50.0) == ((), ())
    _, errors = header_findings(header, position + np.array([40.0, 40.0, 0.0]), None, limit_m=50.0)
    assert errors == ("the header's position is 57 m off the observed one",)
    known = frozenset({AntennaType("OTHER").igs_code})
    differences, _ = header_findings(header, None, known, limit_m=50.0)
    assert "unknown antenna type" in differences[0]
    empty = replace(
        header,
        setup=StationSetup("", "", "", AntennaType(""), (0, 0, 0)),
        approximate_position_ecef_m=None,
    )
    assert len(header_findings(empty, None, None, limit_m=50.0)[0]) == 3


def test_cn0_is_compared_with_the_stations_own_past_only() -> None:
    def day(station: str, name: str, value: float) -> PastSignal:
        return PastSignal(station, name, "G1C", {"20-30": value, "30-40": value + 2.0})

    today = Epochs.from_datetime64(np.datetime64("2024-07-27T00:00:00", "ns"))
    past = [day("TEST", f"2024-07-2{k}", 45.0 + 0.1 * k) for k in range(1, 6)]
    strangers = [
        day("ELSE", "2024-07-20", 10.0),
        day("TEST", "2024-07-27", 10.0),
        day("TEST", "2024-08-01", 10.0),
    ]
    medians, n_days = past_cn0_by_elevation([*past, *strangers], "test", today)
    assert n_days == 5
    assert medians["G1C", "20-30"] == pytest.approx(45.3)
    assert past_cn0_by_elevation(past[:2], "TEST", today)[0] == {}
    bins = [
        ElevationBin(20.0, 30.0, 10, 10, 42.3, None, 0, 45.3),
        ElevationBin(0.0, 10.0, 10, 10, 12.3, None, 0, 45.3),
        ElevationBin(80.0, 90.0, 10, 10, None, None, 0, 45.3),
    ]
    details = quality_report(session()).details
    assert details is not None
    signal = replace(details.signals[0], cn0_dbhz=41.0, past_cn0_dbhz=None, by_elevation=tuple(bins))
    assert cn0_fall_db(signal, 10.0) == pytest.approx(3.0)
    without_bins = replace(signal, by_elevation=tuple(bins[1:]))
    assert cn0_fall_db(without_bins, 10.0) is None
    assert cn0_fall_db(replace(without_bins, past_cn0_dbhz=45.0), 10.0) == pytest.approx(4.0)


def test_few_epochs_are_refused_whatever_the_interval() -> None:
    o = session()
    report = quality_report(replace(o, data=o.data.isel(epoch=[0, 400, 800])))
    assert report.verdict is Verdict.REJECT
    assert any("only 3 epochs" in r for r in report.reasons)


def test_one_second_data_and_one_carrier_give_figures() -> None:
    fast = quality_report(session(interval_s=1.0, n_epoch=1800)).details
    assert fast is not None
    assert fast.slips[0].phase_noise_m == pytest.approx(PHASE_NOISE_M, rel=0.1)
    assert fast.ionosphere is not None
    single = session()
    report = quality_report(replace(single, data=single.data.isel(signal=[0])))
    assert report.verdict is Verdict.REJECT
    assert report.details is not None
    assert report.details.signals[0].multipath_rms_m is None
    assert report.details.ionosphere is None


def test_limits_from_a_file(tmp_path: Path) -> None:
    from pipelines.quality_limits import thresholds_from_toml
    from transforms.errors import InputError

    path = tmp_path / "limits.toml"
    path.write_text("multipath_remark_m = 0.4\nrequire_bds3 = true\nsystems = 'GEC'\nepochs_reject = 20\n")
    assert thresholds_from_toml(path) == QualityThresholds(
        multipath_remark_m=0.4, require_bds3=True, systems="GEC", epochs_reject=20
    )
    for text, words in (
        ("multipath = 1.0", "unknown limit"),
        ("require_bds3 = 1", "expected a bool"),
        ("multipath_remark_m = 'x'", "expected a float"),
        ("multipath_remark_m = 9.0", "out of order"),
        ("= 1", "no readable TOML"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=words):
            thresholds_from_toml(path)
