"""RINEX 2 observation types under their RINEX 3 names.

RINEX 2.11 (Gurtner and Estey 2007, table "Observation codes", section 10.1.1) says of a type only the band
and whether the code is P or C/A (L2C on band 2); the channel that was tracked is not told. Where RINEX 3
wants it, the attribute X (combined or untold channel) is taken, as RTKLIB's convbin and gfzrnx do:

=====  =========  ==============================================================================
type   system     RINEX 3 name and reason
=====  =========  ==============================================================================
C1     G R S J    C1C, the C/A code (RINEX 2.11, table)
C1     E          C1X (B and C not told apart)
P1 P2  G          C1W, C2W: P(Y) under anti-spoofing by Z-tracking, what geodetic receivers do
P1 P2  R          C1P, C2P
C2     G J        C2X, L2C without its channel (RINEX 2.11: "L2C"; M and L not told apart)
C2     R          C2C
L1     G R        that of the band's code: 1C where C1 is observed, else 1W (R: 1P)
L2     G R        that of the band's code: 2W (R: 2P) where P2 is observed, else 2X (R: 2C)
C5-C8  all        5X 6X 7X 8X; for BeiDou C2 C6 C7 are 2I 6I 7I (RINEX 2.12, Compass)
CA CB  G R S J    C1C; CB is L1C, C1X       (RINEX 2.12, two-letter codes)
CC CD  G R J      C2X, L2C; CD is GLONASS L2 C/A, C2C
=====  =========  ==============================================================================

D and S follow L. A type that has no name here (BeiDou's band 1, of which RINEX 2 knows nothing) is not taken.
"""

from collections.abc import Collection
from typing import Final

_OBSERVABLES: Final = frozenset("CLDS")
# Attribute by system and band, where the letter C, L, D or S does not matter.
_ATTRIBUTE: Final = {
    "S1": "C", "S5": "X",
    "E1": "X", "E5": "X", "E6": "X", "E7": "X", "E8": "X",
    "J1": "C", "J2": "X", "J5": "X", "J6": "X",
    "C2": "I", "C6": "I", "C7": "I",
    "G5": "X",
}  # fmt: skip
# Of RINEX 2.12: the second letter names band and attribute.
_LETTER_CODES: Final = {
    "GA": "1C", "GB": "1X", "GC": "2X",
    "JA": "1C", "JB": "1X", "JC": "2X",
    "RA": "1C", "RD": "2C",
    "SA": "1C",
}  # fmt: skip
_P_ATTRIBUTE: Final = {"G": "W", "R": "P"}
_CIVIL: Final = {"G1": "1C", "G2": "2X", "R1": "1C", "R2": "2C"}


def rinex3_code(system: str, rinex2_type: str, types: Collection[str]) -> str | None:
    """RINEX 3 name of a RINEX 2 type, or None where there is none.

    Parameters
    ----------
    system : letter of the satellite's system
    rinex2_type : such as "L2"
    types : all types of the file: which phase goes with which code follows from the codes observed
    """
    observable, band = rinex2_type[0], rinex2_type[1:]
    if observable == "P":
        return f"C{band}{_P_ATTRIBUTE[system]}" if system in _P_ATTRIBUTE and band in "12" else None
    if observable not in _OBSERVABLES or len(band) != 1:
        return None
    letter_code = _LETTER_CODES.get(system + band)
    if letter_code is not None:
        return observable + letter_code
    civil = _CIVIL.get(system + band)
    if civil is None:
        attribute = _ATTRIBUTE.get(system + band)
        return None if attribute is None else f"{observable}{band}{attribute}"
    if observable == "C":
        return "C" + civil
    precise = band + _P_ATTRIBUTE[system]
    # On band 1 the C/A code is the primary one, on band 2 the P code (RINEX 2.11, L1 and L2).
    if band == "1":
        return observable + (civil if "C1" in types or "P1" not in types else precise)
    return observable + (precise if "P2" in types or "C2" not in types else civil)
