"""RINEX 2 types under RINEX 3 names: the table of `rinex2_codes`, row by row."""

import pytest

from stations.formats.rinex2_codes import rinex3_code

GEODETIC = ("L1", "L2", "C1", "P1", "P2", "C2", "C5", "L5", "D1", "S2")


@pytest.mark.parametrize(
    ("system", "kind", "types", "name"),
    [
        ("G", "C1", GEODETIC, "C1C"),
        ("G", "P1", GEODETIC, "C1W"),
        ("G", "P2", GEODETIC, "C2W"),
        ("G", "C2", GEODETIC, "C2X"),
        ("G", "L1", GEODETIC, "L1C"),
        ("G", "L1", ("L1", "P1"), "L1W"),
        ("G", "L2", GEODETIC, "L2W"),
        ("G", "L2", ("L1", "L2", "C1", "C2"), "L2X"),
        ("G", "S2", GEODETIC, "S2W"),
        ("G", "L5", GEODETIC, "L5X"),
        ("R", "C1", GEODETIC, "C1C"),
        ("R", "P1", GEODETIC, "C1P"),
        ("R", "L2", GEODETIC, "L2P"),
        ("R", "L2", ("L2", "C2"), "L2C"),
        ("E", "C1", GEODETIC, "C1X"),
        ("E", "L7", GEODETIC, "L7X"),
        ("C", "C2", GEODETIC, "C2I"),
        ("C", "L6", GEODETIC, "L6I"),
        ("C", "C1", GEODETIC, None),
        ("E", "P1", GEODETIC, None),
        ("S", "C1", GEODETIC, "C1C"),
        ("G", "LA", ("LA",), "L1C"),
        ("G", "CC", ("CC",), "C2X"),
        ("R", "CD", ("CD",), "C2C"),
        ("G", "T1", ("T1",), None),
    ],
)
def test_names(system, kind, types, name):
    assert rinex3_code(system, kind, types) == name
