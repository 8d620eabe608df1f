"""What is known of receiver types: whether they track B1C and B2a, from which firmware, and who says so.

A type is in the table only with a source: a manufacturer's document, or a published observation file of such
a receiver. What no source tells is unknown here and stays so in the report; a bureau adds what it knows.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Ability(StrEnum):
    """Whether a type of receiver can track B1C and B2a."""

    ABLE = "able"
    UNABLE = "unable"
    NOT_SHOWN = "not shown"  # known to track older BeiDou signals; no source for or against B1C and B2a
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class ReceiverKnowledge:
    """One type of receiver.

    name : as the IGS writes it, "LEICA GR50"
    firmware : the oldest with which B1C and B2a are shown; "" where the source names none
    carriers : of BeiDou that the source shows
    """

    name: str
    ability: Ability
    firmware: str
    carriers: tuple[str, ...]
    source: str


_ALL: Final = ("B1C", "B2a", "B2b", "B1I", "B3I")
# Headers of AGRS.NL stations (H. van der Marel), GNSS-Perl-toolbox, rnxobstype tests.
_AGRS: Final = "headers of AGRS.NL in GNSS-Perl-toolbox (TU Delft)"
_JAVAD: Final = "JAVAD, NEWS_3_7_0, highlights 1 and 8: the new BeiDou signals on T2 receivers only"

RECEIVERS: Final[tuple[ReceiverKnowledge, ...]] = (
    ReceiverKnowledge("SEPT POLARX5", Ability.ABLE, "5.3.2", _ALL, f"ZEGV and ROVN: {_AGRS}"),
    ReceiverKnowledge("SEPT POLARX5E", Ability.ABLE, "5.3.2", _ALL, f"group of EIJS, KOS1 and TERS: {_AGRS}"),
    ReceiverKnowledge(
        "SEPT POLARX5TR",
        Ability.ABLE,
        "5.4.0",
        _ALL,
        "NIST 2023-001 (5.4.0); Septentrio, PolaRx5TR Reference Guide 5.5.0, SBF blocks 4218, 4219, 4242",
    ),
    ReceiverKnowledge(
        "LEICA GR50",
        Ability.ABLE,
        "4.80",
        ("B1C", "B2a", "B1I", "B3I"),
        f"AJAC 2024-209 (4.80); 4.20 to 4.35 write older signals only: {_AGRS}",
    ),
    ReceiverKnowledge("JAVAD TRE_3", Ability.ABLE, "3.7.0", ("B1C", "B2a", "B2b"), _JAVAD),
    ReceiverKnowledge("JAVAD TRE_3N", Ability.ABLE, "3.7.0", ("B1C", "B2a", "B2b"), _JAVAD),
    ReceiverKnowledge(
        "TRIMBLE NETR9",
        Ability.NOT_SHOWN,
        "5.45",
        ("B1I", "B3I"),
        f"BOR1 2024-035 (5.45): of BeiDou-3 C19 to C30 only; 5.37 and 5.45 (WSRA) write no B1C, B2a: {_AGRS}",
    ),
    ReceiverKnowledge(
        "ASHTECH UZ-12",
        Ability.UNABLE,
        "",
        (),
        "Ashtech, Z-Family Technical Reference Manual (1998): GPS on L1 and L2, before any BeiDou signal",
    ),
)


def receiver_knowledge(name: str, further: Sequence[ReceiverKnowledge] = ()) -> ReceiverKnowledge:
    """What is known of a type, blanks and case apart; `further` (a bureau's own) goes first."""
    wanted = " ".join(name.upper().split())
    for item in (*further, *RECEIVERS):
        if " ".join(item.name.upper().split()) == wanted:
            return item
    return ReceiverKnowledge(wanted, Ability.UNKNOWN, "", (), "not in the table of receivers")


def firmware_is_older(firmware: str, than: str) -> bool | None:
    """Whether a firmware is older than another by their leading numbers; None where one has no number.

    "4.70/7.813" against "4.80": the part before the slash counts.
    """
    one, two = _numbers(firmware), _numbers(than)
    if one is None or two is None:
        return None
    length = max(len(one), len(two))
    return one + (0,) * (length - len(one)) < two + (0,) * (length - len(two))


def _numbers(text: str) -> tuple[int, ...] | None:
    match = re.search(r"\d+(?:\.\d+)*", text.split("/")[0])
    return None if match is None else tuple(int(part) for part in match.group().split("."))
