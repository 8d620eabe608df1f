"""Quality reports of real stations: what they track is known from the data sets' own descriptions."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stations.formats.rinex_navigation import read_navigation
from stations.formats.rinex_observation import read_observations
from stations.formats.sp3 import read_sp3
from stations.quality.cycle_slips import detect_cycle_slips
from stations.quality.report import QualityContext, quality_report
from stations.records import Observations, QualityReport, Verdict
from transforms.geodetic import enu_matrix_at

pytestmark = pytest.mark.real_data

# Slips that nothing but the observations' own scatter suggests. Good geodetic receivers at 30 s lose lock and
# say so; what is found beside their flags is false, or at the edge of tracking.
UNFLAGGED_SLIPS_PER_THOUSAND = 1.0


def read(real_data: Path, name: str) -> Observations:
    path = real_data / name
    if not path.is_file():
        pytest.skip(f"{path} is missing")
    return read_observations([path])


@pytest.fixture(scope="module")
def nist(real_data: Path) -> Observations:
    return read(real_data, "nist_2023001/NIST00USA_R_20230010000_01D_30S_MO.crx.gz")


@pytest.fixture(scope="module")
def nist_report(nist: Observations) -> QualityReport:
    return quality_report(nist)


def test_nist_is_ready_for_beidou_3(nist_report: QualityReport) -> None:
    assert nist_report.tracks_bds3
    carriers = nist_report.bds3_satellites_by_carrier
    assert (carriers["B1C"], carriers["B2a"]) == (26, 26)
    quality = {s.signal: s for s in nist_report.signals}
    assert (quality["C2I"].n_satellites, quality["C6I"].n_satellites) == (31, 31)  # with BeiDou-2
    assert nist_report.verdict is not Verdict.REJECT
    assert (nist_report.n_epochs, nist_report.completeness, nist_report.gaps) == (2880, 1.0, ())


def test_unflagged_slips_are_few(nist: Observations, real_data: Path) -> None:
    bor1 = read(real_data, "bor1_2024035/BOR100POL_R_20240350000_01D_30S_MO.crx.gz")
    for observations in (nist, bor1):
        slips = detect_cycle_slips(observations)
        judged = [(p, m) for p, m in zip(slips.pairs, slips.masks, strict=True) if p.system in "GEC"]
        assert len(judged) >= 5
        for pair, masks in judged:
            unflagged = (masks.slip & ~masks.loss_of_lock).sum()
            assert 1000 * unflagged < UNFLAGGED_SLIPS_PER_THOUSAND * masks.present.sum(), str(pair)


@pytest.mark.parametrize("slip", [(1, 0), (0, 1), (1, 1)])
def test_slips_put_into_real_phases_are_found(nist: Observations, slip: tuple[int, int]) -> None:
    """One cycle on a carrier is always seen; one on both at once unless the limit itself says otherwise."""
    rng = np.random.default_rng(5)
    clean = detect_cycle_slips(nist)
    number = next(i for i, p in enumerate(clean.pairs) if str(p) == "E:1C+5Q")
    pair, masks = clean.pairs[number], clean.masks[number]
    index = [i for i, s in enumerate(nist.satellites) if s[0] == pair.system]
    signals = [str(s) for s in nist.data["signal"].values]
    data = nist.data.copy(deep=True)
    phase = data["carrier_phase_cycles"].values
    put: list[tuple[int, int]] = []
    for column, satellite in enumerate(index):
        inside = np.flatnonzero(masks.present[:, column] & ~masks.arc_start[:, column])
        if inside.size < 100:
            continue
        epoch = int(rng.choice(inside[20:-20]))
        phase[epoch:, satellite, signals.index(pair.first)] += slip[0]
        phase[epoch:, satellite, signals.index(pair.second)] += slip[1]
        put.append((epoch, column))
    spoilt = Observations(data, nist.header, inputs=nist.inputs)
    found = detect_cycle_slips(spoilt, pairs=(pair,)).masks[0]
    wavelengths_apart_m = abs(1 / 1575.42e6 - 1 / 1176.45e6) * 299_792_458.0
    missed = [(e, c) for e, c in put if not found.slip[e, c]]
    if slip == (1, 1):
        missed = [(e, c) for e, c in missed if found.geometry_free_limit_m[e, c] < wavelengths_apart_m]
    assert len(put) >= 20
    assert missed == []


def test_ajac_tracks_41_beidou_satellites_and_is_ready(real_data: Path) -> None:
    observations = read(real_data, "ajac_2024209_210/AJAC00FRA_R_20242090000_01D_30S_MO.crx.gz")
    report = quality_report(observations)
    assert len([s for s in report.signals_by_satellite if s[0] == "C"]) == 41
    assert report.tracks_bds3
    assert report.bds3_satellites_by_carrier["B1C"] > 20
    assert report.bds3_satellites_by_carrier["B2a"] > 20
    assert report.verdict is not Verdict.REJECT


def test_zimm_of_2021_tracks_gps_only_and_is_not_ready(real_data: Path) -> None:
    report = quality_report(read(real_data, "zimm_2021001_004/zimm0010.21d.gz"))
    assert {s[0] for s in report.signals_by_satellite} == {"G"}
    assert not report.tracks_bds3
    assert any("only BeiDou-3 sends" in reason for reason in report.reasons)
    assert report.completeness > 0.99


# Broadcast orbits of a metre, codes of a metre after the ionosphere is taken off, a day's median.
SINGLE_POINT_AGREEMENT_M = 2.0


@pytest.mark.parametrize(
    ("station", "file", "orbits"),
    [
        (
            "NIST",
            "nist_2023001/NIST00USA_R_20230010000_01D_30S_MO.crx.gz",
            "BRDC00IGS_R_20230010000_01D_MN.rnx.gz",
        ),
        (
            "BOR1",
            "bor1_2024035/BOR100POL_R_20240350000_01D_30S_MO.crx.gz",
            "GRG0MGXFIN_20240350000_01D_05M_ORB.SP3.gz",
        ),
        ("HKSL", "eastasia_2026117/hksl1170.26o.gz", "BRDM00DLR_S_20261170000_01D_MN.rnx.gz"),
    ],
)
def test_single_point_positions_are_those_of_the_igs(
    real_data: Path, station: str, file: str, orbits: str
) -> None:
    observations = read(real_data, file)
    path = (real_data / file).parent / orbits
    context = (
        QualityContext(orbits=read_sp3(path))
        if "SP3" in orbits
        else QualityContext(navigation=read_navigation(path))
    )
    details = quality_report(observations, context=context).details
    assert details is not None
    with (real_data / "truth" / "TRUTH.csv").open() as stream:
        truth = next(row for row in csv.DictReader(stream) if row["station"] == station)
    marker = np.array([float(truth[axis]) for axis in "XYZ"])
    antenna = marker + enu_matrix_at(marker).T @ np.array(observations.header.setup.eccentricity_enu_m)
    for point in details.single_point:
        off = np.linalg.norm(np.array(point.position_ecef_m) - antenna)
        assert off < SINGLE_POINT_AGREEMENT_M, (point.systems, off)
    assert details.header_errors == ()
    if len(details.single_point) > 1:  # BeiDou helps
        everything, without, _ = details.single_point
        assert everything.mean_pdop < without.mean_pdop
        assert everything.n_epochs == without.n_epochs >= 2870  # a table of orbits ends at 23:55


def test_beidou_2_bias_is_seen_as_published_and_removed(real_data: Path, nist: Observations) -> None:
    orbits = real_data / "nist_2023001" / "COD0MGXFIN_20230010000_01D_05M_ORB.SP3.gz"
    details = quality_report(nist, context=QualityContext(orbits=read_sp3(orbits))).details
    assert details is not None
    assert {b.carrier for b in details.code_biases} == {"B1I", "B2I", "B3I"}
    for bias in details.code_biases:
        assert bias.satellites == ("C11", "C12", "C14")
        assert abs(bias.observed_m - bias.removed_m) < 0.1  # codes of three satellites on one day
        assert abs(bias.remaining_m) < 0.1
    signals = {s.signal: s for s in details.signals}
    for name in ("C2I", "C6I", "C7I"):
        before, after = signals[name].multipath_rms_m, signals[name].multipath_without_bias_rms_m
        assert before is not None
        assert after is not None
        assert after < before
    for name in ("C1P", "C5P", "C7D", "C6I"):  # every signal of BeiDou-3, by elevation
        rms = [b.multipath_rms_m for b in signals[name].by_elevation]
        assert None not in rms
        assert rms[1] > 1.5 * rms[6]  # type: ignore[operator]


def test_a_pass_tracked_at_a_wrong_frequency_is_named_at_bjfs(real_data: Path) -> None:
    report = quality_report(read(real_data, "eastasia_2026117/bjfs1170.26o.gz"))
    assert report.details is not None
    (lock,) = report.details.false_locks
    assert (lock.satellite, lock.signal, lock.first_epoch.iso()[:15]) == ("G02", "G2W", "2026-04-27T13:5")
    assert report.verdict is not Verdict.REJECT
    rms = next(s for s in report.details.signals if s.signal == "G2W").multipath_rms_m
    assert rms is not None
    assert rms < 0.5


def test_the_steered_clock_of_york_steps_a_millisecond_every_24_or_25_minutes(real_data: Path) -> None:
    """A free oscillator held within a millisecond steps as regularly as it drifts, in codes and phases."""
    report = quality_report(read(real_data, "parsers/georinex/york0440.15d.gz"))
    assert report.details is not None
    jumps = report.details.clock_jumps
    assert {(j.milliseconds, j.seen_in) for j in jumps} == {(1, "code and phase")}
    apart_s = np.diff([int(j.epoch.tai_ns) for j in jumps]) / 1e9
    assert len(jumps) == 58
    assert apart_s.min() >= 24 * 60
    assert apart_s.max() <= 25 * 60
    assert report.cycle_slips_per_thousand < 1.0  # none of them is a slip


def test_a_header_of_another_place_is_an_error_however_far_it_is(real_data: Path) -> None:
    path = real_data / "bor1_2024035" / "BOR100POL_R_20240350000_01D_30S_MO.crx.gz"
    if not path.is_file():
        pytest.skip(f"{path} is missing")
    bor1 = read_observations(path, interval_s=300.0)
    orbits = read_sp3(path.parent / "GRG0MGXFIN_20240350000_01D_05M_ORB.SP3.gz")
    true = bor1.header.approximate_position_ecef_m
    assert true is not None
    places = {"300": true + np.array([300.0, 0.0, 0.0]), "12,729,8": -true}
    for words, position in places.items():
        wrong = replace(bor1, header=replace(bor1.header, approximate_position_ecef_m=position))
        report = quality_report(wrong, context=QualityContext(orbits=orbits))
        assert report.details is not None
        assert report.verdict is Verdict.REJECT
        assert words in report.details.header_errors[0]
        found = np.array(report.details.single_point[0].position_ecef_m)
        assert np.linalg.norm(found - true) < SINGLE_POINT_AGREEMENT_M


def test_a_single_epoch_has_no_scatter_and_judges_no_header(nist: Observations, real_data: Path) -> None:
    orbits = read_sp3(real_data / "nist_2023001" / "COD0MGXFIN_20230010000_01D_05M_ORB.SP3.gz")
    true = nist.header.approximate_position_ecef_m
    assert true is not None
    header = replace(nist.header, approximate_position_ecef_m=true + np.array([300.0, 0.0, 0.0]))
    for n_epoch, is_known in ((1, False), (9, False), (10, True)):
        few = replace(nist, header=header, data=nist.data.isel(epoch=slice(1000, 1000 + n_epoch)))
        details = quality_report(few, context=QualityContext(orbits=orbits)).details
        assert details is not None
        assert details.single_point[0].n_epochs == n_epoch
        assert (details.single_point[0].scatter_enu_m is not None) is is_known
        assert bool(details.header_errors) is is_known
        told = any("fewer than 10 tell no scatter" in remark for remark in details.remarks)
        assert told is not is_known


def test_every_code_has_its_multipath_even_without_a_phase_of_its_own(
    nist_report: QualityReport, real_data: Path
) -> None:
    bjfs = quality_report(read(real_data, "eastasia_2026117/bjfs1170.26o.gz"))
    for report, name, lender in ((nist_report, "G1W", "G1C"), (bjfs, "R1P", "R1C")):
        assert report.details is not None
        signals = {s.signal: s for s in report.details.signals}
        assert all(s.multipath_rms_m and s.code_noise_m for s in signals.values() if s.signal[0] in "GREC")
        assert f"{name} has no phase of its own: its multipath is told by the phase of {lender}" in (
            report.details.remarks
        )
        # Codes of one carrier see the same reflections: a wrong phase would be off by metres.
        ratio = (signals[name].multipath_rms_m or 0.0) / (signals[lender].multipath_rms_m or np.nan)
        assert 0.4 < ratio < 1.5
