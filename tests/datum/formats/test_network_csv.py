"""Our own CSV tables of a network, and several files joined to one."""

import math
from pathlib import Path

import numpy as np
import pytest

from datum.formats.network_csv import read_network_csv
from datum.formats.network_files import NetworkFormat, format_of, read_network, rejects_by_own_rule
from datum.network.observations import (
    ComponentRole,
    Geometry,
    GnssVectorCluster,
    NetworkPoint,
    PlanePoint,
    ScalarKind,
    TerrestrialCluster,
)
from transforms.errors import FormatError, InputError

POINTS = """point,x_m,y_m,z_m,role,sigma_east_mm,sigma_north_mm,sigma_up_mm,frame,epoch
A,-2267000.0,5009000.0,3221000.0,fixed,,,,CGCS2000,2000-01-01
B,-2268000.0,5009000.0,3220500.0,weighted,2,3,5,CGCS2000,2000-01-01
C,,,,,,,,CGCS2000,2000-01-01
"""
VECTORS = """vector,from,to,dx_m,dy_m,dz_m,cxx_m2,cxy_m2,cxz_m2,cyy_m2,cyz_m2,czz_m2,sigma_mm,epoch
v1,A,B,-1000,0,-500,4e-6,1e-6,0,9e-6,0,1e-6,,2024-02-04
,B,C,100,200,300,,,,,,,5,2024-02-04
"""
TERRESTRIAL = """kind,from,to,third,value,sigma_mm,sigma_arcsec,set,instrument_height_m,target_height_m
direction,A,B,,10.5,,2,1,,
direction,A,C,,90.0,,2,1,,
angle,B,A,C,180.25,,3,,1.5,
slope distance,A,B,,1118.0,4,,,1.5,1.6
height difference,A,C,,-3.25,1.5,,,,
"""
PLANE = """point,northing_m,easting_m,height_m,role
A,1000,2000,50,fixed
B,,,,free
"""


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content)
    return path


def test_the_tables_of_a_network_are_known_by_their_columns(tmp_path: Path) -> None:
    network = read_network(
        [
            write(tmp_path, "points.csv", POINTS),
            write(tmp_path, "vectors.csv", VECTORS),
            write(tmp_path, "terrestrial.csv", TERRESTRIAL),
        ]
    )
    assert (network.geometry, network.frame) == (Geometry.EARTH, "CGCS2000")
    a, b, c = network.points
    assert isinstance(b, NetworkPoint)
    assert isinstance(c, NetworkPoint)
    assert a.roles == (ComponentRole.FIXED,) * 3
    assert b.weight_covariance_m2 == pytest.approx(np.diag([4e-6, 9e-6, 25e-6]))
    assert c.position_ecef_m is None
    vectors, terrestrial = network.clusters
    assert isinstance(vectors, GnssVectorCluster)
    assert isinstance(terrestrial, TerrestrialCluster)
    assert vectors.names == ("v1", "B -> C")
    assert vectors.covariance_m2[0, 0].tolist() == [4e-6, 1e-6, 0.0]
    assert vectors.covariance_m2[1] == pytest.approx(np.eye(3) * 25e-6)
    angle = terrestrial.observations[2]
    assert (angle.kind, angle.frm, angle.to, angle.third) == (ScalarKind.HORIZONTAL_ANGLE, "B", "A", "C")
    assert angle.value == pytest.approx(math.radians(180.25))
    assert np.sqrt(terrestrial.covariance[[0, 3, 4]]) == pytest.approx(
        [math.radians(2 / 3600), 0.004, 0.0015]
    )


def test_a_plane_table_has_only_what_is_given(tmp_path: Path) -> None:
    a, b = read_network_csv(write(tmp_path, "points.csv", PLANE)).points
    assert isinstance(a, PlanePoint)
    assert (a.x_m, a.y_m, a.height_m) == (1000.0, 2000.0, 50.0)  # x is north
    assert b.roles == (ComponentRole.FREE,) * 3
    heights = read_network_csv(write(tmp_path, "h.csv", "point,height_m,role\nA,50,fixed\nB,,free\n"))
    absent = ComponentRole.ABSENT
    assert [point.roles for point in heights.points] == [
        (absent, absent, ComponentRole.FIXED),
        (absent, absent, ComponentRole.FREE),
    ]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("fixed", "held", "line 2: column role: 'held' is none of"),
        ("-2267000.0", "1e12", "line 2: column x_m: 1e12 is not between"),
        ("C,,,,,", "C,,,,fixed,", "C is fixed, and has no coordinates"),
        ("weighted,2,3,5", "weighted,,3,5", "column sigma_east_mm: is empty"),
        ("\nB,", "\nA,", "A stands in line 2 already"),
        (",role,", ",rule,", "unknown column 'rule'; the nearest known one is 'role'"),
    ],
)
def test_what_is_wrong_in_a_table_of_points_is_told(tmp_path: Path, old: str, new: str, text: str) -> None:
    assert old in POINTS
    with pytest.raises(FormatError, match=text):
        read_network_csv(write(tmp_path, "points.csv", POINTS.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (
            VECTORS.replace("4e-6,1e-6", "4e-6,9e-6"),
            r"line 2: column cxx_m2: .*A -> B is not positive definite",
        ),
        (VECTORS.replace("v1,A,B", "v1,A,A"), "ends at A, where it begins"),
        (VECTORS[:-20], r"line 3: \d+ fields, and the header names"),
        (TERRESTRIAL.replace("direction,A,B", "direktion,A,B"), "'direktion' is none of"),
        (TERRESTRIAL.replace(",2,1,,\n", ",2,,,\n", 1), "needs the set it was read in"),
        (TERRESTRIAL.replace("angle,B,A,C", "angle,B,A,"), "needs 3 different points"),
        ("a,b\n1,2\n", "has the column point"),
        ("", "is empty|is no network"),
        ("no table at all", "is no network"),
    ],
)
def test_what_is_wrong_in_other_tables_is_told(tmp_path: Path, content: str, text: str) -> None:
    with pytest.raises(FormatError, match=text):
        read_network([write(tmp_path, "points.csv", POINTS), write(tmp_path, "table.csv", content)])


def test_files_that_do_not_belong_together_are_told(tmp_path: Path) -> None:
    points, vectors = write(tmp_path, "points.csv", POINTS), write(tmp_path, "vectors.csv", VECTORS)
    with pytest.raises(InputError, match="no file gives points"):
        read_network([vectors])
    with pytest.raises(InputError, match="no file gives observations"):
        read_network([points])
    with pytest.raises(InputError, match=r"on the earth, and .*plane.csv one in the plane"):
        read_network([points, vectors, write(tmp_path, "plane.csv", PLANE)])
    unknown = write(tmp_path, "unknown.csv", VECTORS.replace(",B,C,", ",B,X,"))
    with pytest.raises(FormatError, match=r"unknown.csv, line 3: station X is observed"):
        read_network([points, unknown])
    far = write(tmp_path, "far.csv", "point,x_m,y_m,z_m\nA,-2267000.0,5009100.0,3221000.0\n")
    with pytest.raises(
        FormatError, match=r"far.csv, line 2: station A lies 100.000 m from .*points.csv, line 2"
    ):
        read_network([points, far, vectors])
    near = write(tmp_path, "near.csv", "point,x_m,y_m,z_m\nA,-2267000.0,5009000.5,3221000.0\n")
    network = read_network([near, points, vectors])
    assert network.points[0].roles == (ComponentRole.FIXED,) * 3
    assert "0.5000 m from" in network.remarks[0]
    idle = write(tmp_path, "idle.csv", "point,x_m,y_m,z_m\nD,-2267000.0,5009100.0,3221000.0\n")
    assert (
        "1 stations without an observation are left out: D" in read_network([points, idle, vectors]).remarks
    )


def test_formats_are_known_by_content(tmp_path: Path) -> None:
    assert format_of(b'<?xml version="1.0"?><gama-local>') is NetworkFormat.GAMA_LOCAL
    assert format_of("<?xml version='1.0'?><gnu-gama-data>".encode("utf-16")) is NetworkFormat.GAMA_G3
    assert format_of(b"!#=DNA 3.01 STN") is NetworkFormat.DNA
    assert format_of(b"%=SNX 2.02") is NetworkFormat.SINEX
    assert format_of(b"%\n[Project]\nx\n[Coordinates]\n") is NetworkFormat.STUTTGART
    assert format_of(b"\x00\x01") is None
    assert not rejects_by_own_rule([write(tmp_path, "points.csv", POINTS)])
    assert rejects_by_own_rule([write(tmp_path, "x.gkf", "<gama-local/>")])
