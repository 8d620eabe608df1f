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
L1     G R        that of the band's code: 1C where C1 is observed, else 1W (R: 1P), as beside LA
L2     G R        that of the band's code: 2W (R: 2P) where P2 is observed, else 2X (R: 2C)
C5-C8  all        5X 6X 7X 8X; for BeiDou C2 C6 C7 are 2I 6I 7I (RINEX 2.12, Compass)
CA CB  G R S J    C1C; CB is L1C, C1X       (RINEX 2.12, two-letter codes)
CC CD  G R J      C2X, L2C; CD is GLONASS L2 C/A, C2C
=====  =========  ==============================================================================

D and S follow L. A type that has no name here (BeiDou's band 1, of which RINEX 2 knows nothing) is not taken.

The way back is `RINEX2_SIGNALS`. Of the channels that share a type (C5I, C5Q, C5X) RINEX 2 has room for one.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
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
# Types that tell whether L1 and L2 are those of the C/A or of the P code.
DECIDING_TYPES: Final = frozenset({"C1", "P1", "LA", "P2", "C2"})
_P_ATTRIBUTE: Final = {"G": "W", "R": "P"}
_CIVIL: Final = {"G1": "1C", "G2": "2X", "R1": "1C", "R2": "2C"}


def rinex3_code(system: str, rinex2_type: str, types: Collection[str]) -> str | None:
    """RINEX 3 name of a RINEX 2 type, or None where there is none.

    Parameters
    ----------
    system : letter of the satellite's system
    rinex2_type : such as "L2"
    types : those of DECIDING_TYPES, at least, that the system is observed with in its file
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
        is_precise = "C1" not in types and ("P1" in types or "LA" in types)
        return observable + (precise if is_precise else civil)
    return observable + (precise if "P2" in types or "C2" not in types else civil)


@dataclass(frozen=True)
class Rinex2Signal:
    """A signal as RINEX 2 carries it.

    name : the RINEX 3 name under which `rinex3_code` gives it back ("2X")
    code_type : type of its pseudorange ("C2"); suffix : what follows L, D and S in its other types ("2")
    attributes : RINEX 3 attributes that it stands for, the likeliest first
    """

    name: str
    code_type: str
    suffix: str
    attributes: str

    @property
    def sources(self) -> tuple[str, ...]:
        """The RINEX 3 signals that it stands for."""
        return tuple(self.name[0] + attribute for attribute in self.attributes)


_GALILEO: Final = tuple(
    Rinex2Signal(f"{band}X", f"C{band}", band, "XCB" if band in "16" else "XQI") for band in "15678"
)
# Of the two signals of a band that share L, D and S, the first here has them where both are observed.
RINEX2_SIGNALS: Final[Mapping[str, Mapping[str, tuple[Rinex2Signal, ...]]]] = {
    # RINEX 2.11 knows GPS, GLONASS, Galileo and SBAS.
    "2.11": {
        "G": (
            Rinex2Signal("1C", "C1", "1", "C"),
            Rinex2Signal("1W", "P1", "1", "WPY"),
            Rinex2Signal("2W", "P2", "2", "WPYD"),
            Rinex2Signal("2X", "C2", "2", "XLSC"),
            Rinex2Signal("5X", "C5", "5", "XQI"),
        ),
        "R": (
            Rinex2Signal("1C", "C1", "1", "C"),
            Rinex2Signal("1P", "P1", "1", "P"),
            Rinex2Signal("2P", "P2", "2", "P"),
            Rinex2Signal("2C", "C2", "2", "C"),
        ),
        "E": _GALILEO,
        "S": (Rinex2Signal("1C", "C1", "1", "C"), Rinex2Signal("5X", "C5", "5", "XQI")),
    },
    # RINEX 2.12 adds Compass (BeiDou-2: B1I, B2I, B3I), QZSS, and types that keep C/A, L1C and L2C apart.
    "2.12": {
        "G": (
            Rinex2Signal("1C", "CA", "A", "C"),
            Rinex2Signal("1W", "P1", "1", "WPY"),
            Rinex2Signal("1X", "CB", "B", "XLS"),
            Rinex2Signal("2W", "P2", "2", "WPYD"),
            Rinex2Signal("2X", "CC", "C", "XLS"),
            Rinex2Signal("5X", "C5", "5", "XQI"),
        ),
        "R": (
            Rinex2Signal("1C", "CA", "A", "C"),
            Rinex2Signal("1P", "P1", "1", "P"),
            Rinex2Signal("2P", "P2", "2", "P"),
            Rinex2Signal("2C", "CD", "D", "C"),
        ),
        "E": _GALILEO,
        "S": (Rinex2Signal("1C", "CA", "A", "C"), Rinex2Signal("5X", "C5", "5", "XQI")),
        "J": (
            Rinex2Signal("1C", "CA", "A", "C"),
            Rinex2Signal("1X", "CB", "B", "XLS"),
            Rinex2Signal("2X", "CC", "C", "XLS"),
            Rinex2Signal("5X", "C5", "5", "XQI"),
            Rinex2Signal("6X", "C6", "6", "XLS"),
        ),
        "C": (
            Rinex2Signal("2I", "C2", "2", "IXQ"),
            Rinex2Signal("7I", "C7", "7", "IXQ"),
            Rinex2Signal("6I", "C6", "6", "IXQ"),
        ),
    },
}


def rinex2_type(signal: Rinex2Signal, letter: str) -> str:
    """RINEX 2 type of an observable (C, L, D or S) of a signal."""
    return signal.code_type if letter == "C" else letter + signal.suffix


def prior_signals(
    signals: tuple[Rinex2Signal, ...], with_code: Collection[str], observed: Collection[str]
) -> tuple[Rinex2Signal, ...]:
    """The signals that have L, D and S of their own in a file, as `rinex3_code` will give them back.

    with_code, observed : names of the signals of which the file has a pseudorange, and anything at all
    """
    prior: list[Rinex2Signal] = []
    for suffix in dict.fromkeys(s.suffix for s in signals):
        sharing = [s for s in signals if s.suffix == suffix]
        by_code = [s for s in sharing if s.name in with_code]
        prior.append((by_code or sharing)[0])
    return tuple(s for s in prior if s.name in observed)
