"""Which BeiDou satellites are BeiDou-3 at a day: PRNs change hands.

Until April 2026 C19 and above were BeiDou-3. From 2026-04-10 on BeiDou-3 satellites took over PRNs of retired
BeiDou-2 ones; PRNs are told apart by date here, and by what was received: who sends B1C or B2a is BeiDou-3.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from stations.signals import BDS3_ONLY_BANDS, BDS3_ONLY_SIGNALS
from transforms.time_scales import Epochs

FIRST_BDS3_PRN: Final = 19  # C19 and above are BeiDou-3; C31 and C56-C58 carried test signals
# PRN -> first day (UTC) as BeiDou-3. C06 (from C38): IGSSTATION-9178 of 2026-04-16, which names the change of
# 2026-04-10. C02 (60), C07 (39), C08 (40): IGSMAIL of 2026-04-16. C04 (62), C12 (48): IGSMAIL of 2026-04-20,
# "today and tomorrow", the later day taken. Other PRNs may have changed; their notices were not found.
REASSIGNED_TO_BDS3: Final[Mapping[int, str]] = MappingProxyType(
    {
        6: "2026-04-10",
        2: "2026-04-17",
        7: "2026-04-17",
        8: "2026-04-17",
        4: "2026-04-21",
        12: "2026-04-21",
    }
)
# IGSMAIL-8681 of 2026-03-22 announced that PRN 1-18 would be given to BeiDou-3.
FIRST_NOTICE: Final = "2026-03-22"


def is_bds3(satellite: str, day: str, signals: Iterable[str] = ()) -> bool:
    """Whether a satellite such as "C07" was BeiDou-3 on an ISO day.

    signals : what was received from it, such as "C1P"; a signal that only BeiDou-3 sends decides from the
        first notice of reassigned PRNs on (before, it is a receiver's error)
    """
    if not satellite.startswith("C"):
        return False
    number = int(satellite[1:])
    if number >= FIRST_BDS3_PRN or day >= REASSIGNED_TO_BDS3.get(number, "9999"):
        return True
    return day >= FIRST_NOTICE and any(s[:2] in BDS3_ONLY_BANDS or s in BDS3_ONLY_SIGNALS for s in signals)


def unsure_of_generation(satellite: str, day: str) -> bool:
    """Whether a PRN below C19 may have become BeiDou-3 by that day without a notice known here."""
    number = int(satellite[1:])
    return (
        satellite.startswith("C")
        and number < FIRST_BDS3_PRN
        and number not in REASSIGNED_TO_BDS3
        and day >= FIRST_NOTICE
    )


def day_of(epoch: Epochs) -> str:
    """ISO day of an instant (shape ()), "2026-04-27"."""
    return epoch.iso()[:10]
