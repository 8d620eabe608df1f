"""Quality reports of real stations: what they track is known from the data sets' own descriptions."""

from pathlib import Path

import numpy as np
import pytest

from stations.formats.rinex_observation import read_observations
from stations.quality.cycle_slips import detect_cycle_slips
from stations.quality.report import quality_report
from stations.records import Observations, QualityReport, Verdict

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
    assert any("no BeiDou-3 signal" in reason for reason in report.reasons)
    assert report.completeness > 0.99
