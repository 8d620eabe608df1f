"""The audit put together, on days of the sample region: gaps, short sessions, orbits that do not serve."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stations.formats.rinex_observation import read_observations
from stations.formats.sp3 import read_sp3
from stations.readiness.records import ReadinessClass
from stations.readiness.study import AuditContext, audit_station
from stations.readiness.tracking import FROM_CONSTELLATION, FROM_TRACKED
from stations.records import Observations, SatelliteOrbits
from transforms.errors import InputError
from transforms.time_scales import Epochs

SAMPLE = Path(__file__).resolve().parents[3] / "sample_data"


@pytest.fixture(scope="module")
def orbits() -> SatelliteOrbits:
    return read_sp3(SAMPLE / "products" / "SIM0OPSFIN_20261152300_50H_05M_ORB.SP3.gz")


@pytest.fixture(scope="module")
def wujn() -> Observations:
    """A day with a power failure of 31 epochs (sample_data/truth/planted_faults.csv)."""
    return read_observations([SAMPLE / "observations" / "WUJN00CHN_R_20261160000_01D_05M_MO.crx.gz"])


def test_no_satellite_counts_while_the_station_stands_still(
    wujn: Observations, orbits: SatelliteOrbits
) -> None:
    gain = audit_station(wujn, AuditContext(orbits=orbits)).gain
    assert gain.without is not None
    assert gain.today is not None
    assert gain.full is not None
    pdop = [f.mean_pdop for f in (gain.without, gain.today, gain.full)]
    assert all(value is not None for value in pdop)
    assert pdop == sorted(pdop, key=lambda v: -(v or 0.0))
    assert gain.full.satellites - gain.today.satellites < 0.5  # lost ones only, none of the failure


def test_a_short_session_counts_all_that_was_up(wujn: Observations, orbits: SatelliteOrbits) -> None:
    short = replace(wujn, data=wujn.data.isel(epoch=slice(0, 3)), inputs=())
    # Of those up one in two is taken away: a share of what is left would be the whole.
    beidou = [s for s in short.satellites if s.startswith("C")]
    seen = short.data["pseudorange_m"].sel(satellite=beidou).notnull().any(["epoch", "signal"]).values
    there = [s for s, was in zip(beidou, seen, strict=True) if was]
    kept = [s for s in short.satellites if s not in there[::2]]
    half = replace(short, data=short.data.sel(satellite=kept))
    found = audit_station(half, AuditContext(orbits=orbits))
    assert found.readiness is ReadinessClass.FIRMWARE
    assert found.tracking.n_sending_new > 1.5 * found.tracking.n_tracking_new


def test_without_orbits_a_whole_day_is_held_to_the_constellation_and_an_hour_to_nothing(
    wujn: Observations,
) -> None:
    day = audit_station(wujn, AuditContext())
    assert day.tracking.visibility == FROM_CONSTELLATION
    assert day.gain.today is None
    assert day.gain.not_computed
    hour = audit_station(replace(wujn, data=wujn.data.isel(epoch=slice(0, 12)), inputs=()), AuditContext())
    assert hour.tracking.visibility == FROM_TRACKED
    assert any("not tracked are not known" in reason for reason in hour.reasons)


def test_half_of_the_constellation_is_not_ready_even_without_orbits(wujn: Observations) -> None:
    kept = [s for s in wujn.satellites if not (s.startswith("C") and int(s[1:]) > 30)]
    found = audit_station(replace(wujn, data=wujn.data.sel(satellite=kept)), AuditContext())
    assert (found.tracking.n_tracking_new, found.tracking.n_sending_new) == (12, 24)
    assert found.readiness is ReadinessClass.FIRMWARE


def test_orbits_of_another_day_are_none(wujn: Observations, orbits: SatelliteOrbits) -> None:
    later = replace(orbits, epochs=Epochs(orbits.epochs.tai_ns + 10 * 86_400 * 10**9))
    found = audit_station(wujn, AuditContext(orbits=later))
    assert found.tracking.visibility == FROM_CONSTELLATION
    assert found.gain.today is None


def test_nothing_observed_is_refused(wujn: Observations) -> None:
    with pytest.raises(InputError, match="no satellite"):
        audit_station(replace(wujn, data=wujn.data.isel(satellite=slice(0, 0))), AuditContext())


def test_an_audit_is_the_same_each_time(wujn: Observations, orbits: SatelliteOrbits) -> None:
    part = replace(wujn, data=wujn.data.isel(epoch=slice(0, 60)), inputs=())
    one, two = (audit_station(part, AuditContext(orbits=orbits)) for _ in range(2))
    assert one == two
    assert np.isfinite(one.gain.to_come or 0.0)
