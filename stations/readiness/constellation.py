"""Which BeiDou satellites are BeiDou-3, and on what kind of orbit, at a day: PRNs change hands.

Until April 2026 C19 and above were BeiDou-3. From 2026-04-10 on BeiDou-3 satellites took over PRNs of retired
BeiDou-2 ones; PRNs are told apart by date here, and by what was received: who sends B1C or B2a is BeiDou-3.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.ppp.options import BEIDOU_GEOSTATIONARY, BEIDOU_IGSO
from stations.quality.signals_tracked import B2B_ATTRIBUTES
from stations.records import SatelliteOrbits
from stations.signals import BDS3_ONLY_BANDS, FIRST_BDS3_PRN
from transforms.time_scales import Epochs

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
GEOSYNCHRONOUS_RADIUS_M: Final = 35.0e6  # between the 27.9e6 m of the medium orbits and 42.2e6 m
GEOSTATIONARY_LATITUDE_RAD: Final = 0.087  # 5 degrees: GEOs keep below 2, the IGSOs' inclination is 55


class OrbitKind(StrEnum):
    """Kind of orbit."""

    MEO = "MEO"
    IGSO = "IGSO"
    GEO = "GEO"


def is_bds3_on(satellite: str, day: str, signals: Iterable[str] = ()) -> bool:
    """Whether a satellite such as "C07" was BeiDou-3 on an ISO day.

    signals : what was received from it, such as "C1P"; a signal that only BeiDou-3 sends decides
    """
    if not satellite.startswith("C"):
        return False
    number = int(satellite[1:])
    if number >= FIRST_BDS3_PRN or day >= REASSIGNED_TO_BDS3.get(number, "9999"):
        return True
    return any(s[:2] in BDS3_ONLY_BANDS or (s[:2] == "C7" and s[2:] in B2B_ATTRIBUTES) for s in signals)


def unsure_of_generation(satellite: str, day: str) -> bool:
    """Whether a PRN below C19 may have become BeiDou-3 by that day without a notice known here."""
    number = int(satellite[1:])
    return (
        satellite.startswith("C")
        and number < FIRST_BDS3_PRN
        and number not in REASSIGNED_TO_BDS3
        and day >= FIRST_NOTICE
    )


def orbit_kind(satellite: str, orbits: SatelliteOrbits | None) -> OrbitKind:
    """Kind of a BeiDou satellite's orbit: from the orbit where there is one, else by PRN as of 2025."""
    if orbits is not None and satellite in orbits.satellites:
        position = orbits.position_ecef_m[:, orbits.satellites.index(satellite)]
        return _kind_of(position, satellite)
    return _kind_by_number(satellite)


def _kind_of(position_ecef_m: NDArray[np.float64], satellite: str) -> OrbitKind:
    good = position_ecef_m[np.isfinite(position_ecef_m[:, 0])]
    if not good.size:
        return _kind_by_number(satellite)
    radius_m = np.linalg.norm(good, axis=1)
    if float(np.median(radius_m)) < GEOSYNCHRONOUS_RADIUS_M:
        return OrbitKind.MEO
    # An IGSO crosses the equator: only its largest latitude tells.
    latitude_rad = float(np.max(np.abs(np.arcsin(good[:, 2] / radius_m))))
    return OrbitKind.GEO if latitude_rad < GEOSTATIONARY_LATITUDE_RAD else OrbitKind.IGSO


def _kind_by_number(satellite: str) -> OrbitKind:
    number = int(satellite[1:])
    if number in BEIDOU_GEOSTATIONARY:
        return OrbitKind.GEO
    return OrbitKind.IGSO if number in BEIDOU_IGSO else OrbitKind.MEO


def day_of(epoch: Epochs) -> str:
    """ISO day of an instant (shape ()), "2026-04-27"."""
    return epoch.iso()[:10]
