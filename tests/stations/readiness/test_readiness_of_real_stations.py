"""Audits of real stations: what is true of each is known from the station itself and its day."""

from dataclasses import replace
from pathlib import Path

import pytest

from stations.formats.antex import read_antex
from stations.formats.rinex_navigation import read_navigation
from stations.formats.rinex_observation import read_observations
from stations.formats.sp3 import read_sp3
from stations.readiness.records import ReadinessClass, StationAudit
from stations.readiness.study import AuditContext, audit_station

pytestmark = pytest.mark.real_data

NIST = "nist_2023001/NIST00USA_R_20230010000_01D_30S_MO.crx.gz"
BOR1 = "bor1_2024035/BOR100POL_R_20240350000_01D_30S_MO.crx.gz"
AJAC = "ajac_2024209_210/AJAC00FRA_R_20242090000_01D_30S_MO.crx.gz"


def audit(real_data: Path, file: str, *, sp3: str = "", navigation: str = "") -> StationAudit:
    path = real_data / file
    if not path.is_file():
        pytest.skip(f"{path} is missing")
    context = AuditContext(calibrations=read_antex(real_data / "atx" / "igs20_2385_sats_plus_6rcv.atx.gz"))
    if sp3:
        context = replace(context, orbits=read_sp3(path.parent / sp3))
    if navigation:
        context = replace(context, navigation=read_navigation(path.parent / navigation))
    return audit_station(read_observations([path]), context)


def test_nist_tracks_all_of_beidou_3_as_well_as_gps(real_data: Path) -> None:
    found = audit(real_data, NIST, sp3="WUM0MGXFIN_20230010000_01D_05M_ORB.SP3.gz")
    assert found.readiness is ReadinessClass.READY
    assert (found.tracking.n_tracking_new, found.tracking.n_sending_new) == (26, 26)
    assert found.tracking.count("MEO", tracked=True) == 23  # C35 was out of service
    assert found.tracking.count("IGSO", tracked=True) == 3
    assert found.tracking.satellites_by_carrier == {"B1C": 26, "B2a": 26, "B2b": 26, "B1I": 26, "B3I": 26}
    assert found.antenna_readiness.fit is None  # its antenna has no igs20 calibration here
    quality = {q.carrier: q for q in found.quality.carriers}
    one, two = quality["B2a"].multipath_m, quality["L1"].multipath_m
    assert one is not None
    assert two is not None
    assert one < two  # a chip ten times shorter than L1 C/A's
    gain = found.gain
    assert gain.without is not None
    assert gain.today is not None
    assert gain.without.mean_pdop is not None
    assert gain.today.mean_pdop is not None
    assert gain.today.mean_pdop < gain.without.mean_pdop
    assert gain.to_come == pytest.approx(0.0, abs=0.005)


def test_bor1_tracks_c19_to_c30_only_and_nobody_guesses_why(real_data: Path) -> None:
    found = audit(real_data, BOR1, sp3="GRG0MGXFIN_20240350000_01D_05M_ORB.SP3.gz")
    assert found.readiness is ReadinessClass.UNDETERMINED
    tracked = [s.satellite for s in found.tracking.satellites if s.carriers]
    assert tracked == [f"C{n}" for n in range(19, 31)]
    assert (found.tracking.count("MEO", tracked=False), found.tracking.n_tracking_new) == (24, 0)
    assert found.rinex_carries == ("B1I", "B3I")
    assert found.antenna_readiness.fit is True
    assert set(found.antenna_readiness.by_carrier.values()) == {"own"}
    assert found.gain.to_come is not None
    assert found.gain.had is not None
    assert found.gain.to_come > 0.02
    assert found.gain.had > 0.02


def test_ajac_is_ready_and_its_gain_is_not_computed_without_orbits(real_data: Path) -> None:
    found = audit(real_data, AJAC)
    assert found.readiness is ReadinessClass.READY
    assert (found.tracking.n_tracking_new, found.tracking.n_sending_new) == (27, 28)
    assert "no BeiDou orbits" in found.tracking.visibility
    assert found.gain.today is None
    assert "orbits at hand serve 0%" in found.gain.not_computed


@pytest.mark.parametrize(
    ("station", "expected"),
    [
        ("hksl", ReadinessClass.FIRMWARE),
        ("chan", ReadinessClass.RECEIVER),
    ],
)
def test_rinex_2_hides_beidou_and_says_so(real_data: Path, station: str, expected: ReadinessClass) -> None:
    found = audit(
        real_data,
        f"eastasia_2026117/{station}1170.26o.gz",
        navigation="BRDM00DLR_S_20261170000_01D_MN.rnx.gz",
    )
    assert found.readiness is expected
    assert any("RINEX 2.11 can hold no BeiDou signal" in r for r in found.reasons)
    kinds = {s.satellite: s.kind for s in found.tracking.satellites}
    # Ten days after the change of PRNs: the IGSOs of BeiDou-3 are C06 to C08, and C02 is a GEO of it.
    assert {s for s, kind in kinds.items() if kind == "IGSO"} == {"C06", "C07", "C08"}
    assert kinds["C02"] == "GEO"
    assert found.tracking.count("MEO", tracked=False) == 24
    assert "C09" in found.tracking.unsure
    assert found.gain.to_come is not None
    assert found.gain.to_come > 0.05


def test_messages_of_one_station_are_no_whole_constellation(real_data: Path) -> None:
    found = audit(real_data, "nl_2021001/zegv0010.21d.gz", navigation="AMEL00NLD_R_20210010000_01D_MN.rnx.gz")
    # The receiver itself wrote B1C and B2a with this firmware into RINEX 3 (TU Delft, GNSS-Perl-toolbox).
    assert found.readiness is ReadinessClass.FIRMWARE
    assert found.tracking.orbits_lack_meo
    assert found.tracking.count("MEO", tracked=False) == 12  # AMEL's receiver heard C19 to C30 alone
    assert found.tracking.n_sending_new == 24
    assert any("lower bound" in r for r in found.reasons)
