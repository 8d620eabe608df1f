"""Parts of the audit for BeiDou-3: PRNs by day, receivers, antennas, formats, classes."""

import numpy as np
import pytest

from stations.readiness.antenna import antenna_readiness
from stations.readiness.constellation import (
    OrbitKind,
    orbit_kind,
)
from stations.readiness.receivers import (
    RECEIVERS,
    Ability,
    ReceiverKnowledge,
    firmware_is_older,
    receiver_knowledge,
)
from stations.readiness.records import AntennaReadiness, Bds3Tracking, ReadinessClass
from stations.readiness.verdict import classify, rinex_carries
from stations.records import (
    AntennaCalibration,
    AntennaFrequencyCalibration,
    AntennaType,
    SatelliteOrbits,
)
from transforms.time_scales import Epochs


def orbits_of(positions: dict[str, list[tuple[float, float, float]]]) -> SatelliteOrbits:
    names = tuple(sorted(positions))
    n = len(positions[names[0]])
    position = np.array([[positions[s][k] for s in names] for k in range(n)])
    return SatelliteOrbits(
        Epochs(300_000_000_000 * np.arange(n)),
        names,
        position,
        np.zeros((n, len(names))),
        np.zeros((n, len(names)), dtype=np.bool_),
        "IGS20",
        "TST",
    )


def test_kinds_of_orbits_are_told_from_the_orbits_and_else_by_number() -> None:
    table = orbits_of(
        {
            "C06": [(42.1e6, 0.0, 1.0e6), (25.0e6, 0.0, 34.0e6)],
            "C02": [(42.1e6, 0.0, 0.5e6), (42.1e6, 0.1e6, 0.6e6)],
            "C38": [(27.9e6, 0.0, 0.0), (20.0e6, 0.0, 19.4e6)],  # a number given to a medium orbit
        }
    )
    kinds = [orbit_kind(s, table) for s in ("C06", "C02", "C38")]
    assert kinds == [OrbitKind.IGSO, OrbitKind.GEO, OrbitKind.MEO]
    assert [orbit_kind(s, None) for s in ("C38", "C59", "C23")] == [
        OrbitKind.IGSO,
        OrbitKind.GEO,
        OrbitKind.MEO,
    ]


@pytest.mark.parametrize(
    ("firmware", "than", "older"),
    [
        ("4.70/7.813", "4.80", True),
        ("4.8", "4.80", True),  # numbers, not decimals: the eighth and the eightieth
        ("5.3.2", "5.3.2", False),
        ("5.4", "5.3.2", False),
        ("5.10.0", "5.4.0", False),
        ("3.5 Feb,01,2019 p5", "4.0", True),
        ("", "4.80", None),
        ("CQXX", "4.80", None),
    ],
)
def test_firmware_is_compared_by_its_numbers(firmware: str, than: str, older: bool | None) -> None:
    assert firmware_is_older(firmware, than) is older


def test_receivers_are_known_with_a_source_or_not_at_all() -> None:
    assert all(item.source for item in RECEIVERS)
    assert receiver_knowledge("Leica  GR50").ability is Ability.ABLE
    assert receiver_knowledge("TRIMBLE NETR9").ability is Ability.NOT_SHOWN
    assert receiver_knowledge("ACME 1").ability is Ability.UNKNOWN
    own = ReceiverKnowledge("TRIMBLE NETR9", Ability.UNABLE, "", (), "the bureau's test bench")
    assert receiver_knowledge("TRIMBLE NETR9", (own,)) is own


def calibration(kind: str, *codes: str) -> AntennaCalibration:
    zenith = np.radians(np.arange(0.0, 91.0, 5.0))
    one = AntennaFrequencyCalibration(np.zeros(3), np.zeros(zenith.size), None)
    return AntennaCalibration(kind, "", "", "", None, None, zenith, None, dict.fromkeys(codes, one), "TEST")


ALL_BANDS = ("G01", "G02", "G05", "C01", "C02", "C05", "C06", "C07")
CHOKE = AntennaType("CHOKE")


def test_own_calibrations_are_told_from_those_of_the_frequency_and_of_neighbours() -> None:
    own = antenna_readiness([calibration("CHOKE           NONE", *ALL_BANDS)], CHOKE)
    assert own.fit is True
    assert set(own.by_carrier.values()) == {"own"}
    shared = antenna_readiness([calibration("CHOKE           NONE", "G01", "G02", "G05")], CHOKE)
    assert shared.fit is True
    assert shared.by_carrier["B1C"] == "same frequency (G01)"
    assert shared.by_carrier["B2a"] == "same frequency (G05)"
    assert shared.by_carrier["B3I"] == "nearest (G02)"
    modern = calibration("OTHER           NONE", *ALL_BANDS)
    old = antenna_readiness([calibration("CHOKE           NONE", "G01", "G02"), modern], CHOKE)
    assert old.fit is False
    assert old.by_carrier["B2a"] == "nearest (G02)"
    assert "B2a" in old.note


def test_a_silent_list_says_nothing_of_the_antenna() -> None:
    old_list = [calibration("CHOKE           NONE", "G01", "G02")]
    assert antenna_readiness(old_list, CHOKE).fit is None
    assert antenna_readiness([calibration("OTHER           NONE", *ALL_BANDS)], CHOKE).fit is None
    assert antenna_readiness([], CHOKE).fit is None
    assert antenna_readiness(old_list, AntennaType("")).fit is None


def test_formats_hold_what_their_standards_define() -> None:
    assert rinex_carries("2.11") == ()
    assert rinex_carries("3.02") == ("B1I", "B3I")
    assert "B1C" not in rinex_carries("3.03")
    assert set(rinex_carries("3.04")) == set(rinex_carries("4.02")) == {"B1C", "B2a", "B2b", "B1I", "B3I"}


def tracking(n_new: int, n_sending: int = 27, *, some: int | None = None) -> Bds3Tracking:
    n = n_new if some is None else some
    counts = {"B1C": n, "B2a": n, "B2b": 0, "B1I": 0, "B3I": 0}
    return Bds3Tracking("test", (), counts, n_sending, n_new, False, ())


ABLE = ReceiverKnowledge("NEW", Ability.ABLE, "5.0", (), "a manual")
UNABLE = ReceiverKnowledge("OLD", Ability.UNABLE, "", (), "a manual")
UNKNOWN = receiver_knowledge("ACME 1")
FIT = AntennaReadiness("CHOKE NONE", {}, True, "")
UNFIT = AntennaReadiness("CHOKE NONE", {}, False, "B2a not calibrated")
SILENT = AntennaReadiness("", {}, None, "no ANTEX given")


@pytest.mark.parametrize(
    ("seen", "knowledge", "antenna", "expected"),
    [
        (tracking(27), UNKNOWN, FIT, ReadinessClass.READY),
        (tracking(22), UNKNOWN, SILENT, ReadinessClass.READY),
        (tracking(21), UNKNOWN, FIT, ReadinessClass.FIRMWARE),  # 78 %: it can, and misses a fifth
        (tracking(27), UNKNOWN, UNFIT, ReadinessClass.ANTENNA),
        (tracking(0), ABLE, FIT, ReadinessClass.FIRMWARE),
        (tracking(0), ABLE, UNFIT, ReadinessClass.ANTENNA),
        (tracking(0), UNABLE, FIT, ReadinessClass.RECEIVER),
        (tracking(0), UNABLE, SILENT, ReadinessClass.RECEIVER),
        (tracking(0), UNABLE, UNFIT, ReadinessClass.REPLACE),
        (tracking(0), UNKNOWN, FIT, ReadinessClass.UNDETERMINED),
        (tracking(0), UNKNOWN, UNFIT, ReadinessClass.UNDETERMINED),
        (tracking(0, 0), UNKNOWN, FIT, ReadinessClass.UNDETERMINED),  # nothing was up: nothing is shown
    ],
)
def test_classes(
    seen: Bds3Tracking, knowledge: ReceiverKnowledge, antenna: AntennaReadiness, expected: ReadinessClass
) -> None:
    found, reasons = classify(seen, knowledge, "6.0", "3.05", antenna)
    assert found is expected
    assert reasons
    assert reasons[0].strip()


def test_reasons_tell_an_old_firmware_a_setting_and_a_format_apart() -> None:
    old = " ".join(classify(tracking(0), ABLE, "4.9", "3.05", FIT)[1])
    assert "update it" in old
    setting = " ".join(classify(tracking(0), ABLE, "5.1", "3.05", FIT)[1])
    assert "a setting or a licence" in setting
    hidden = " ".join(classify(tracking(0), ABLE, "5.1", "2.11", FIT)[1])
    assert "the file cannot show it" in hidden
    assert "RINEX 2.11 can hold no BeiDou signal" in hidden
