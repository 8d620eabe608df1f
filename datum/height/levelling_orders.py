"""What the Chinese levelling specifications allow each order: sigma for one kilometre, loop misclosure.

GB/T 12897-2006 (first and second order) and GB/T 12898-2009 (third and fourth order): the total mean error
for one kilometre, M_W, shall not exceed 1.0, 2.0, 6.0 and 10.0 mm, and the misclosure of a loop or of a line
between two known bench marks in plain country 2, 4, 12 and 20 mm times the root of its length in km; that is
twice M_W.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from transforms.errors import InputError


@dataclass(frozen=True)
class LevellingOrder:
    """Limits of one order, for a length of 1 km; both grow with the root of the length.

    sigma_m_per_sqrt_km : total mean error M_W, the a priori sigma of a line
    misclosure_limit_m_per_sqrt_km : of a loop, or of a line between two known bench marks
    """

    order: int
    sigma_m_per_sqrt_km: float
    misclosure_limit_m_per_sqrt_km: float
    source: str


LEVELLING_ORDERS: Final[Mapping[int, LevellingOrder]] = MappingProxyType(
    {
        1: LevellingOrder(1, 0.0010, 0.002, "GB/T 12897-2006"),
        2: LevellingOrder(2, 0.0020, 0.004, "GB/T 12897-2006"),
        3: LevellingOrder(3, 0.0060, 0.012, "GB/T 12898-2009"),
        4: LevellingOrder(4, 0.0100, 0.020, "GB/T 12898-2009"),
    }
)


def levelling_order(order: int) -> LevellingOrder:
    """Limits of an order 1 to 4; InputError for any other."""
    if order not in LEVELLING_ORDERS:
        raise InputError(
            f"levelling order {order} is not one of 1, 2, 3, 4 (GB/T 12897-2006, GB/T 12898-2009)"
        )
    return LEVELLING_ORDERS[order]
