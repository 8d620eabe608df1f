"""DynAdjust's formats: DynaML and DNA give the same network, and what is wrong is told with its line."""
# ruff: noqa: E501  # a file in fixed columns cannot be broken into shorter lines

import math
from pathlib import Path

import numpy as np
import pytest

from datum.formats.dna_text import read_dna
from datum.formats.dynadjust_measurements import Place
from datum.formats.dynaml import read_dynaml
from datum.network.observations import (
    ComponentRole,
    CoordinateCluster,
    GnssVectorCluster,
    NetworkPoint,
    ScalarKind,
    TerrestrialCluster,
)
from transforms.errors import FormatError

STN = """!#=DNA 3.01 STN    13.12.2018       GDA2020    01.01.2020         3
* a comment
A                   CCC XYZ       -4286411.6761        2832531.3547       -3767089.7092    MARK A
B                   FFF LLh      -36.3348253617      145.5741006771            172.1933    MARK B
C                   FCF XYZ       -4229799.2806        2843568.0793       -3822207.4518
"""
MSR = """!#=DNA 3.01 MSR    12.12.2018       GDA2020    01.01.2020         9
G A                   B                                             4.00      1.00      1.00      1.00            ITRF2008          18.02.2015
                                                                        -8628.7180 1.7012598619000e-05
                                                                        12647.1455-1.0467927495000e-05 9.4335882750000e-06
                                                                        18788.9482 1.4195195035000e-05-1.0196034054000e-05 1.4284143617000e-05
X A                   B                   2                         1.00      1.00      1.00      1.00            ITRF2014          17.01.2018
                                                                            1.0000 1.0000000000000e-04
                                                                            2.0000 0.0000000000000e+00 2.0000000000000e-04
                                                                            3.0000 0.0000000000000e+00 0.0000000000000e+00 3.0000000000000e-04
                                                                                   1.0000000000000e-05 2.0000000000000e-05 3.0000000000000e-05
                                                                                   4.0000000000000e-05 5.0000000000000e-05 6.0000000000000e-05
                                                                                   7.0000000000000e-05 8.0000000000000e-05 9.0000000000000e-05
X A                   C
                                                                            4.0000 4.0000000000000e-04
                                                                            5.0000 0.0000000000000e+00 5.0000000000000e-04
                                                                            6.0000 0.0000000000000e+00 0.0000000000000e+00 6.0000000000000e-04
A A                   B                   C                                  91 41 49.5000   20.000
V A                   B                                                      90 24 31.0000   20.000  1.545  0.125
Z A                   B                                                       0 30 00.0000   20.000  1.545  0.125
M A                   B                                              53.9380                  0.005
H A                                                                  43.0859               0.065000
S*A                   B                                          60473.6116                 0.0130   0.000  0.000
D A                   B                   1                                 247 55 04.2736   0.0009
D                                         C                                 334 55 50.4714   0.0009
"""


def write(folder: Path, content: str, name: str = "network.msr") -> Path:
    path = folder / name
    path.write_text(content)
    return path


def test_stations_are_read_with_their_constraints(tmp_path: Path) -> None:
    network = read_dna(write(tmp_path, STN))
    a, b, c = network.points
    assert network.frame == "GDA2020"
    assert a.roles == (ComponentRole.FIXED,) * 3
    # The letters are for latitude, longitude, height; roles are for east, north, up.
    assert c.roles == (ComponentRole.FIXED, ComponentRole.FREE, ComponentRole.FREE)
    assert isinstance(b, NetworkPoint)
    assert b.description == "MARK B"
    # DynAdjust's own XYZ of this place (gnss.simult.adj.expected, station 211300470) is 20 m from it.
    assert b.position_ecef_m == pytest.approx(
        np.array([-4250323.8170, 2871048.6836, -3778696.0452]), abs=20.0
    )


def test_measurements_are_read_in_si(tmp_path: Path) -> None:
    network = read_dna(write(tmp_path, MSR))
    session, vectors, numbers = network.clusters
    assert isinstance(session, GnssVectorCluster)
    assert isinstance(vectors, GnssVectorCluster)
    assert isinstance(numbers, TerrestrialCluster)
    assert vectors.covariance_m2[0, 0, 1] == pytest.approx(4.0 * -1.0467927495e-05)
    assert vectors.frame == "ITRF2008"
    assert vectors.epoch is not None
    assert vectors.epoch.iso() == "2015-02-18T00:00:00"
    assert session.covariance_m2.shape == (6, 6)
    assert session.covariance_m2[0, 3:].tolist() == [1e-5, 2e-5, 3e-5]
    assert session.covariance_m2[3, :3].tolist() == [1e-5, 4e-5, 7e-5]
    angle, zenith, vertical, arc, height, first, second = numbers.observations
    assert angle.value == pytest.approx(math.radians(91 + 41 / 60 + 49.5 / 3600))
    assert (angle.to, angle.third) == ("B", "C")
    assert (zenith.instrument_height_m, zenith.target_height_m) == (1.545, 0.125)
    assert vertical.kind is ScalarKind.ZENITH_ANGLE
    assert vertical.value == pytest.approx(math.radians(89.5))
    assert (arc.kind, arc.value) == (ScalarKind.MEAN_SEA_LEVEL_ARC, 53.938)
    assert (height.kind, height.value) == (ScalarKind.ORTHOMETRIC_HEIGHT, 43.0859)
    assert (first.to, second.to) == ("B", "C")
    assert first.set_name == second.set_name
    arc_second = math.pi / 648_000.0
    assert np.sqrt(numbers.covariance[[0, 3, 4, 5]]) == pytest.approx(
        [20.0 * arc_second, 0.005, 0.065, 0.0009 * arc_second]
    )
    assert "1 measurements are marked as ignored" in network.remarks[0]


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("-37.4752", -(37 + 47 / 60 + 52 / 3600)),
        ("-0.3", -0.5),
        ("145.0000005", 145.0 + 0.005 / 3600),
        ("12", 12),
    ],
)
def test_angles_with_minutes_behind_the_point(text: str, degrees: float) -> None:
    assert Place("f", 1).angle_rad(text, "an angle") == pytest.approx(math.radians(degrees), abs=1e-15)


@pytest.mark.parametrize(
    ("old", "new", "line", "text"),
    [
        ("1.7012598619000e-05", "-1.701259861900e-05", 2, "not positive definite"),
        ("G A                   B", "G A                   A", 2, "a vector from 'A' to 'A'"),
        ("91 41 49.5000", "91 61 49.5000", 17, "60 minutes or seconds"),
        ("V A", "W A", 18, "a measurement begins with one of"),
        ("18.02.2015", "18/02/2015", 2, "day.month.year"),
        ("-8628.7180", "-8628.71x0", 2, "a number was expected"),
        (" 0.005\n", " 0.000\n", 20, "must be greater than 0"),
    ],
)
def test_what_is_wrong_in_dna_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, text: str
) -> None:
    assert old in MSR
    with pytest.raises(FormatError, match=text) as caught:
        read_dna(write(tmp_path, MSR.replace(old, new, 1)))
    assert caught.value.line == line


@pytest.mark.parametrize("n_lines", [1, 3, 9, 14, 16, 23])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, n_lines: int) -> None:
    with pytest.raises(FormatError, match=r"cut off|holds no record|header counts"):
        read_dna(write(tmp_path, "".join(MSR.splitlines(keepends=True)[:n_lines])))


def test_two_stations_of_one_name_are_refused_with_their_distance(tmp_path: Path) -> None:
    twice = STN.replace(
        "C                   FCF XYZ       -4229799.2806", "A                   FCF XYZ       -4286511.6761"
    )
    twice = twice.replace("2843568.0793       -3822207.4518", "2832531.3547       -3767089.7092")
    with pytest.raises(FormatError, match=r"line 5.*stands in line 3 already, 100.000 m from here"):
        read_dna(write(tmp_path, twice))


@pytest.mark.real_data
def test_both_formats_of_the_sample_give_the_same_network(real_data: Path) -> None:
    folder = real_data / "geodesy" / "dynadjust"
    text, xml = read_dna(folder / "gnss-network.msr"), read_dynaml(folder / "gnss-networkmsr.xml")
    n_components = 0
    for one, other in zip(text.clusters, xml.clusters, strict=True):
        if isinstance(one, GnssVectorCluster) and isinstance(other, GnssVectorCluster):
            assert (one.frm, one.to, one.frame) == (other.frm, other.to, other.frame)
            assert np.array_equal(one.vector_m, other.vector_m)
            n_components += one.vector_m.size
        else:
            assert isinstance(one, CoordinateCluster)
            assert isinstance(other, CoordinateCluster)
            assert np.array_equal(one.position_m, other.position_m)
            n_components += one.position_m.size
        assert np.array_equal(one.covariance_m2, other.covariance_m2)
    assert n_components == 417  # "Number of measurements 417" in gnss.simult.adj.expected
    stations = read_dna(folder / "gnss-network.stn")
    assert len(stations.points) == 43
    assert len(read_dynaml(folder / "gnss-networkstn.xml").points) == 43
    assert len(read_dna(folder / "apr.ITRF2008.04.06.2020.stn").points) == 58
