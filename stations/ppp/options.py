"""What steers a station solution, frozen beside the functions it steers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

# Pairs of carriers for the ionosphere-free combination, the first that a station tracks serves. BeiDou:
# precise clocks refer to B1I/B3I, which every BeiDou satellite sends; B1C/B2a serve where that pair lacks,
# then B1I/B2I of BeiDou-2, B1C/B2a+b and B1C/B2b.
SIGNAL_PAIRS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = MappingProxyType(
    {
        "G": (("1", "2"), ("1", "5")),
        "E": (("1", "5"), ("1", "7"), ("1", "8")),
        "C": (("2", "6"), ("1", "5"), ("2", "7"), ("1", "8"), ("1", "7")),
        "J": (("1", "2"), ("1", "5")),
        "R": (("1", "2"),),
    }
)
# Attributes in the order of preference, by system and band: the signals that the analysis centres' clocks
# refer to come first (P(Y) for GPS), then pilots, then what is left.
ATTRIBUTES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "G1": "WCPSLX",
        "G2": "WLXSPCD",
        "G5": "QXI",
        "E1": "CXBZA",
        "E5": "QXI",
        "E7": "QXI",
        "E8": "QXI",
        "C1": "PXD",
        "C2": "IXQ",
        "C5": "PXD",
        "C6": "IXQ",
        "C7": "IDXQPZ",
        "C8": "PXD",
        "J1": "CSLX",
        "J2": "LXS",
        "J5": "QXI",
        "R1": "PC",
        "R2": "PC",
    }
)
# Sigma of an orbit and clock relative to a GPS satellite's, as a factor on the observations. BeiDou-3 MEO
# 3D overlaps are about twice those of GPS, IGSO and BeiDou-2 several times (Steigenberger et al. 2023,
# "MGEX", Adv. Space Res. 71; IGS MGEX analysis pages); geostationary satellites are left out. GLONASS final
# orbits are good to 3 cm where those of GPS are good to 2.5 (igs.org, products).
BEIDOU_GEOSTATIONARY: Final = frozenset({1, 2, 3, 4, 5, 59, 60, 61, 62, 63})
_GLONASS_SIGMA_FACTOR: Final = 1.2
_GLONASS_CODE_NOISE_FACTOR: Final = 2.0  # 511 against 1,023 kHz (GLONASS ICD 5.1, 3.3.1.1; IS-GPS-200)
BEIDOU_IGSO: Final = frozenset({6, 7, 8, 9, 10, 13, 16, 31, 38, 39, 40, 56})


def observation_sigma_factor(satellite: str) -> float:
    """Factor on the sigma of a satellite's observations for the quality of its orbit and clock."""
    if satellite[0] == "C":
        number = int(satellite[1:])
        if number in BEIDOU_IGSO or number <= 18:
            return 4.0
        return 1.5
    return _GLONASS_SIGMA_FACTOR if satellite[0] == "R" else 1.0


def code_noise_factor(satellite: str) -> float:
    """Further factor on the sigma of a satellite's codes: GLONASS chips are twice as long as GPS C/A's."""
    return _GLONASS_CODE_NOISE_FACTOR if satellite[0] == "R" else 1.0


@dataclass(frozen=True)
class PppOptions:
    """Options of a station solution.

    systems : letters of RINEX, "GEC"
    excluded : satellites left out, such as "C06"
    mode : "static" (one position) or "kinematic" (one for each epoch)
    interval_s : of the epochs used, or None for that of the clocks (at least `minimum_interval_s`)
    phase_sigma_m, code_sigma_m : of an ionosphere-free observation at the zenith; they grow with 1/sin(e)
    correlation_time_s : observations closer in time than this share their multipath, so each weighs less
    zenith_delay_step_s, zenith_delay_walk_m_per_sqrt_h : nodes and random walk of the zenith wet delay
    gradient_step_s, gradient_walk_m_per_sqrt_h : of the two horizontal gradients
    minimum_arc_s, minimum_arc_epochs : an arc of continuous phase shorter than either is left out
    maximum_gap_s : a longer gap in a satellite's phases ends its arc
    rejection_limit : multiples of the robust sigma beyond which a residual is rejected
    allow_missing_antenna : solve although the receiver's antenna is not calibrated
    signal_pairs : by system, in the order of preference, two bands ("1", "5") or signals ("1P", "5P") each
    """

    systems: str = "GEC"
    excluded: frozenset[str] = frozenset()
    mode: Literal["static", "kinematic"] = "static"
    ambiguities: Literal["float", "fix"] = "float"
    interval_s: float | None = None
    minimum_interval_s: float = 30.0
    elevation_cutoff_rad: float = 0.12217304763960307  # 7 degrees, as most IGS analysis centres
    phase_sigma_m: float = 0.006
    code_sigma_m: float = 0.9
    correlation_time_s: float = 300.0
    zenith_delay_step_s: float = 1800.0
    zenith_delay_sigma_m: float = 0.3
    zenith_delay_walk_m_per_sqrt_h: float = 0.006  # IGS centres use 3 to 10 mm/sqrt(h)
    gradient_step_s: float = 10800.0
    gradient_sigma_m: float = 0.003
    gradient_walk_m_per_sqrt_h: float = 0.0003
    minimum_arc_s: float = 1200.0
    minimum_arc_epochs: int = 4
    maximum_gap_s: float = 900.0
    rejection_limit: float = 4.5
    allow_missing_antenna: bool = False
    signal_pairs: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=lambda: SIGNAL_PAIRS)
