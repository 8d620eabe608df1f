"""The ITRS Centre's published transformation parameters between ITRFs, and what is known of their sigmas.

Every number is of the ITRS Centre's own tables (itrf.ign.fr): `Transfo-ITRF2020_TRFs.txt` (at 2015.0),
`Transfo-ITRF2014_ITRFs.txt` (at 2010.0), `Transfo-ITRF2008_ITRFs.txt` (at 2000.0; also IERS Conventions 2010,
table 4.1), `tp_05-00.php` (at 2000.0) and `ITRF.TP` (at 1997.0). PROJ's init files are not used: their line
ITRF2014 to ITRF97 lost its scale in several releases.

Uncertainty. The tables from one ITRF to its predecessor were published with standard deviations; those to
older frames are sums of steps and carry none, so theirs are summed here over the same steps. ITRF.TP gives
none for ITRF2000 to ITRF97: that step takes the values of ITRF2005 to ITRF2000, as a lower bound.
"""

from collections.abc import Mapping
from typing import Final

Seven = tuple[float, float, float, float, float, float, float]

# From each ITRF to its predecessor: (sigma of the values, sigma of the rates, reference epoch); mm, ppb, mas.
STEP_SIGMAS: Final[Mapping[tuple[str, str], tuple[Seven, Seven, float]]] = {
    # itrf.ign.fr/en/solutions/itrf2020, table 2
    ("ITRF2020", "ITRF2014"): ((0.2, 0.2, 0.2, 0.03, 0.007, 0.006, 0.007),) * 2 + (2015.0,),
    # itrf.ign.fr, tp_14-08.php, table 1
    ("ITRF2014", "ITRF2008"): ((0.2, 0.1, 0.1, 0.02, 0.006, 0.006, 0.006),) * 2 + (2010.0,),
    # itrf.ign.fr, tp_08-05.php, table 1
    ("ITRF2008", "ITRF2005"): ((0.2, 0.2, 0.2, 0.03, 0.008, 0.008, 0.008),) * 2 + (2005.0,),
    # itrf.ign.fr, tp_05-00.php, table 1
    ("ITRF2005", "ITRF2000"): ((0.3, 0.3, 0.3, 0.05, 0.012, 0.012, 0.012),) * 2 + (2000.0,),
    # none published: those of the step before, a lower bound
    ("ITRF2000", "ITRF97"): ((0.3, 0.3, 0.3, 0.05, 0.012, 0.012, 0.012),) * 2 + (1997.0,),
}
SUCCESSION: Final = ("ITRF2020", "ITRF2014", "ITRF2008", "ITRF2005", "ITRF2000", "ITRF97")

# (source, target): values (Tx, Ty, Tz in mm, D in ppb, Rx, Ry, Rz in mas), rates per year.
_TABLE_2020: Final[Mapping[str, tuple[Seven, Seven]]] = {
    "ITRF2014": ((-1.4, -0.9, 1.4, -0.42, 0.0, 0.0, 0.0), (0.0, -0.1, 0.2, 0.0, 0.0, 0.0, 0.0)),
    "ITRF2008": ((0.2, 1.0, 3.3, -0.29, 0.0, 0.0, 0.0), (0.0, -0.1, 0.1, 0.03, 0.0, 0.0, 0.0)),
    "ITRF2005": ((2.7, 0.1, -1.4, 0.65, 0.0, 0.0, 0.0), (0.3, -0.1, 0.1, 0.03, 0.0, 0.0, 0.0)),
    "ITRF2000": ((-0.2, 0.8, -34.2, 2.25, 0.0, 0.0, 0.0), (0.1, 0.0, -1.7, 0.11, 0.0, 0.0, 0.0)),
    "ITRF97": ((6.5, -3.9, -77.9, 3.98, 0.0, 0.0, 0.36), (0.1, -0.6, -3.1, 0.12, 0.0, 0.0, 0.02)),
}
_TABLE_2014: Final[Mapping[str, tuple[Seven, Seven]]] = {
    "ITRF2008": ((1.6, 1.9, 2.4, -0.02, 0.0, 0.0, 0.0), (0.0, 0.0, -0.1, 0.03, 0.0, 0.0, 0.0)),
    "ITRF2005": ((2.6, 1.0, -2.3, 0.92, 0.0, 0.0, 0.0), (0.3, 0.0, -0.1, 0.03, 0.0, 0.0, 0.0)),
    "ITRF2000": ((0.7, 1.2, -26.1, 2.12, 0.0, 0.0, 0.0), (0.1, 0.1, -1.9, 0.11, 0.0, 0.0, 0.0)),
    "ITRF97": ((7.4, -0.5, -62.8, 3.80, 0.0, 0.0, 0.26), (0.1, -0.5, -3.3, 0.12, 0.0, 0.0, 0.02)),
}
_TABLE_2008: Final[Mapping[str, tuple[Seven, Seven]]] = {
    "ITRF2005": ((-2.0, -0.9, -4.7, 0.94, 0.0, 0.0, 0.0), (0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)),
    "ITRF2000": ((-1.9, -1.7, -10.5, 1.34, 0.0, 0.0, 0.0), (0.1, 0.1, -1.8, 0.08, 0.0, 0.0, 0.0)),
    "ITRF97": ((4.8, 2.6, -33.2, 2.92, 0.0, 0.0, 0.06), (0.1, -0.5, -3.2, 0.09, 0.0, 0.0, 0.02)),
}
_TABLE_2005: Final[Mapping[str, tuple[Seven, Seven]]] = {
    "ITRF2000": ((0.1, -0.8, -5.8, 0.40, 0.0, 0.0, 0.0), (-0.2, 0.1, -1.8, 0.08, 0.0, 0.0, 0.0)),
}
_TABLE_2000: Final[Mapping[str, tuple[Seven, Seven]]] = {
    # ITRF.TP writes centimetres
    "ITRF97": ((6.7, 6.1, -18.5, 1.55, 0.0, 0.0, 0.0), (0.0, -0.6, -1.4, 0.01, 0.0, 0.0, 0.02)),
}
TABLES: Final = (
    ("ITRF2020", 2015.0, "Transfo-ITRF2020_TRFs.txt, ITRS Centre (IGN) 2022", _TABLE_2020),
    ("ITRF2014", 2010.0, "Transfo-ITRF2014_ITRFs.txt, ITRS Centre (IGN) 2016", _TABLE_2014),
    ("ITRF2008", 2000.0, "Transfo-ITRF2008_ITRFs.txt, ITRS Centre (IGN) 2010", _TABLE_2008),
    ("ITRF2005", 2000.0, "tp_05-00.php, ITRS Centre (IGN) 2006", _TABLE_2005),
    ("ITRF2000", 1997.0, "ITRF.TP, ITRS Centre (IGN) 2001", _TABLE_2000),
)
