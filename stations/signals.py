"""RINEX observation codes and the carriers they ride on (RINEX 4.02, tables 9-16).

A signal is named by system and code without the observable's letter: "G1C", "C5P", "E5Q".
The band's number does not name one frequency everywhere: BeiDou's band 2 is B1I (1561.098 MHz) and
its band 1 is B1C (1575.42 MHz); RINEX 3.02 wrote B1I as band 1, which the reader mends.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from transforms.constants import SPEED_OF_LIGHT_M_PER_S

# Carrier frequencies by system and RINEX band, Hz.
CARRIER_FREQUENCY_HZ: Final[Mapping[str, float]] = MappingProxyType(
    {
        "G1": 1575.42e6,
        "G2": 1227.60e6,
        "G5": 1176.45e6,
        "E1": 1575.42e6,
        "E5": 1176.45e6,
        "E6": 1278.75e6,
        "E7": 1207.140e6,
        "E8": 1191.795e6,
        "C1": 1575.42e6,
        "C2": 1561.098e6,
        "C5": 1176.45e6,
        "C6": 1268.52e6,
        "C7": 1207.140e6,
        "C8": 1191.795e6,
        "J1": 1575.42e6,
        "J2": 1227.60e6,
        "J5": 1176.45e6,
        "J6": 1278.75e6,
        "S1": 1575.42e6,
        "S5": 1176.45e6,
        "I1": 1575.42e6,
        "I5": 1176.45e6,
        "I9": 2492.028e6,
        "R3": 1202.025e6,
        "R4": 1600.995e6,
        "R6": 1248.06e6,
    }
)
# GLONASS FDMA: f = base + k * step (RINEX 4.02, table 10).
GLONASS_FDMA_HZ: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {"R1": (1602.0e6, 0.5625e6), "R2": (1246.0e6, 0.4375e6)}
)
# Names that the field uses for a carrier, for people.
CARRIER_NAME: Final[Mapping[str, str]] = MappingProxyType(
    {
        "G1": "L1", "G2": "L2", "G5": "L5",
        "R1": "G1", "R2": "G2", "R3": "G3", "R4": "G1a", "R6": "G2a",
        "E1": "E1", "E5": "E5a", "E6": "E6", "E7": "E5b", "E8": "E5",
        "C1": "B1C", "C2": "B1I", "C5": "B2a", "C6": "B3I", "C7": "B2b", "C8": "B2a+b",
        "J1": "L1", "J2": "L2", "J5": "L5", "J6": "L6",
        "S1": "L1", "S5": "L5", "I1": "L1", "I5": "L5", "I9": "S",
    }
)  # fmt: skip
# The carriers that only BeiDou-3 sends; band 7 is B2I for BeiDou-2 and B2b for BeiDou-3.
BDS3_ONLY_BANDS: Final = frozenset({"C1", "C5", "C8"})
BDS3_ONLY_SIGNALS: Final = frozenset({"C7D", "C7P", "C7Z"})


def carrier_frequency_hz(signal: str, glonass_channel: int | None = None) -> float:
    """Carrier frequency of a signal such as "C5P" or of a band such as "C5".

    Raises KeyError for an unknown band, and for GLONASS FDMA without a channel number (-7..6).
    """
    band = signal[:2]
    if band in GLONASS_FDMA_HZ:
        if glonass_channel is None:
            raise KeyError(f"{band} is FDMA: its frequency needs the satellite's channel number")
        base, step = GLONASS_FDMA_HZ[band]
        return base + glonass_channel * step
    return CARRIER_FREQUENCY_HZ[band]


def wavelength_m(signal: str, glonass_channel: int | None = None) -> float:
    """Carrier wavelength of a signal or band, m."""
    return SPEED_OF_LIGHT_M_PER_S / carrier_frequency_hz(signal, glonass_channel)
