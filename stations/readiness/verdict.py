"""The class of a station and the reason in words. Definitions and thresholds: docs/readiness.md."""

from typing import Final

from stations.beidou_generation import FIRST_NOTICE
from stations.readiness.receivers import Ability, ReceiverKnowledge, firmware_is_older
from stations.readiness.records import AntennaReadiness, Bds3Tracking, ReadinessClass
from stations.readiness.tracking import FROM_TRACKED

# Of the satellites that send B1C and B2a. One or two satellites of a day may be under test or set at once; a
# receiver with a limit of PRN or without a signal misses far more (C30 as limit: 15 of 27).
READY_SHARE: Final = 0.8
MEDIUM_CARRIERS: Final = ("B1I", "B3I")
ALL_CARRIERS: Final = ("B1C", "B2a", "B2b", "B1I", "B3I")


def rinex_carries(version: str) -> tuple[str, ...]:
    """BeiDou-3 carriers that a RINEX version has codes for.

    RINEX 2.11 defines no BeiDou (2.12 was never official); 3.01 brought the three carriers of BeiDou-2; 3.04
    brought B1C, B2a and B2b (revision histories of RINEX 3.03, 3.04 and 3.05).
    """
    numbers = tuple(int(part) for part in version.split(".")[:2])
    if numbers < (3, 1):
        return ()
    return MEDIUM_CARRIERS if numbers < (3, 4) else ALL_CARRIERS


def classify(
    tracking: Bds3Tracking,
    knowledge: ReceiverKnowledge,
    firmware: str,
    rinex_version: str,
    antenna: AntennaReadiness,
) -> tuple[ReadinessClass, tuple[str, ...]]:
    """The class and the reasons, the one that decides first."""
    carries = rinex_carries(rinex_version)
    written = bool({"B1C", "B2a"} & set(carries))
    some = tracking.satellites_by_carrier.get("B1C", 0) or tracking.satellites_by_carrier.get("B2a", 0)
    reasons: list[str] = []
    if tracking.n_sending_new and tracking.share_new >= READY_SHARE:
        state = ReadinessClass.READY
        reasons.append(
            f"B1C and B2a tracked on {tracking.n_tracking_new} of {tracking.n_sending_new} MEO and IGSO"
        )
    elif some or knowledge.ability is Ability.ABLE:
        state = ReadinessClass.FIRMWARE
        reasons += _what_firmware(tracking, knowledge, firmware, written=written, tracks_some=bool(some))
    elif knowledge.ability is Ability.UNABLE:
        state = ReadinessClass.RECEIVER
        reasons.append(f"{knowledge.name} cannot track B1C and B2a ({knowledge.source})")
    else:
        state = ReadinessClass.UNDETERMINED
        reasons.append(_not_known(knowledge))
    if not written:
        hidden = "no BeiDou signal" if not carries else "of BeiDou-3 only B1I and B3I"
        reasons.append(
            f"RINEX {rinex_version} can hold {hidden}: what the receiver tracks beyond is hidden; "
            "deliver RINEX 3.04 or later"
        )
    if antenna.fit is False:
        if state in (ReadinessClass.READY, ReadinessClass.FIRMWARE):
            state = ReadinessClass.ANTENNA
            reasons.insert(0, f"antenna {antenna.note}")
        else:
            state = ReadinessClass.REPLACE if state is ReadinessClass.RECEIVER else state
            reasons.append(f"antenna {antenna.note}")
    elif antenna.note:
        reasons.append(f"antenna: {antenna.note}")
    if tracking.visibility == FROM_TRACKED:
        reasons.append("satellites that were up and not tracked are not known: no BeiDou orbits")
    if tracking.orbits_lack_meo:
        reasons.append("the orbits at hand lack BeiDou-3 satellites: the gain to come is a lower bound")
    if tracking.unsure:
        reasons.append(
            f"{', '.join(tracking.unsure)} counted as BeiDou-2: since {FIRST_NOTICE} these PRNs are being "
            "given to BeiDou-3"
        )
    return state, tuple(reasons)


def _what_firmware(
    tracking: Bds3Tracking,
    knowledge: ReceiverKnowledge,
    firmware: str,
    *,
    written: bool,
    tracks_some: bool,
) -> list[str]:
    reasons = []
    if tracks_some:
        reasons.append(
            f"B1C and B2a on {tracking.n_tracking_new} of {tracking.n_sending_new} MEO and IGSO only: "
            "a limit of PRN, a setting or a licence"
        )
    if knowledge.ability is not Ability.ABLE:
        return reasons
    older = firmware_is_older(firmware, knowledge.firmware) if knowledge.firmware else None
    shown = f"{knowledge.name} tracks B1C and B2a" + (
        f" from firmware {knowledge.firmware} on at the latest" if knowledge.firmware else ""
    )
    if older:
        reasons.append(f"{shown} ({knowledge.source}); here {firmware}, older than any shown: update it")
    elif not tracks_some and written:
        reasons.append(f"{shown} ({knowledge.source}); here {firmware}: a setting or a licence is missing")
    elif not written:
        reasons.append(f"{shown} ({knowledge.source}); here {firmware}: the file cannot show it")
    return reasons


def _not_known(knowledge: ReceiverKnowledge) -> str:
    if knowledge.ability is Ability.NOT_SHOWN:
        return (
            f"{knowledge.name}: only {', '.join(knowledge.carriers)} are shown by the sources at hand "
            f"({knowledge.source}); none tells whether a firmware brings B1C and B2a: ask the manufacturer"
        )
    return f"receiver {knowledge.name or 'not named'}: {knowledge.source}; whether it can is not known here"
