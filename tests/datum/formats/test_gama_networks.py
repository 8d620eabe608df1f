"""Networks of GNU Gama: counts and values against the files, and an error with its line for what is wrong."""

import math
from pathlib import Path

import numpy as np
import pytest

from datum.formats.gama_g3 import read_gama_g3
from datum.formats.gama_local import read_gama_local
from datum.formats.krumm_text import read_krumm
from datum.network.observations import (
    ComponentRole,
    CoordinateCluster,
    DatumKind,
    Geometry,
    GnssVectorCluster,
    PlanePoint,
    ScalarKind,
    TerrestrialCluster,
)
from transforms.errors import FormatError

LOCAL = """<?xml version="1.0" ?>
<gama-local xmlns="http://www.gnu.org/software/gama/gama-local">
<network axes-xy="en" angles="left-handed">
<parameters sigma-apr="5" tol-abs="500"/>
<points-observations distance-stdev="5 3 1" direction-stdev="10">
<point id="A" x="100.0" y="200.0" z="10.0" fix="xyz"/>
<point id="B" x="400.0" y="600.0" adj="XYz"/>
<point id="C" adj="xy"/>
<point id="U" x="0" y="0"/>
<obs from="A">
<direction to="B" val="50.0000"/>
<direction to="C" val="150-30-36" stdev="5"/>
<direction to="U" val="1.0" stdev="5"/>
<distance to="B" val="500.0"/>
</obs>
<obs>
<angle from="B" bs="A" fs="C" val="100" stdev="20"/>
<azimuth from="A" to="B" val="10" stdev="20"/>
<s-distance from="A" to="B" val="500.1" stdev="4" from_dh="1.5" to_dh="1.7"/>
<z-angle from="A" to="B" val="99" stdev="20"/>
<cov-mat dim="4" band="1">400 10 400 0 16 0 400</cov-mat>
</obs>
<height-differences><dh from="A" to="B" val="2.5" dist="4.0"/></height-differences>
<vectors><vec from="A" to="B" dx="300" dy="400" dz="2.5"/>
<cov-mat dim="3" band="0">1 4 9</cov-mat></vectors>
</points-observations></network></gama-local>
"""

G3 = """<gnu-gama-data xmlns="http://www.gnu.org/software/gama/gnu-gama-data"><g3-model>
<constants><tol-abs>150</tol-abs><ellipsoid><id>wgs84</id></ellipsoid></constants>
<fixed><n/><e/><u/></fixed>
<point><id>A</id><x>3897173.613</x><y>997293.454</y><z>4933466.708</z></point>
<free><n/><e/><u/></free>
<point><id>B</id></point>
<obs><vector><from>A</from><to>B</to><dx>1000</dx><dy>2000</dy><dz>-1000</dz></vector>
<cov-mat><dim>3</dim><band>2</band><flt>4</flt><flt>1</flt><flt>0</flt><flt>9</flt><flt>2</flt><flt>16</flt>
</cov-mat></obs>
</g3-model></gnu-gama-data>
"""


def write(folder: Path, content: str, name: str = "network.xml") -> Path:
    path = folder / name
    path.write_text(content)
    return path


def test_every_kind_of_gama_local_is_read_in_si(tmp_path: Path) -> None:
    network = read_gama_local(write(tmp_path, LOCAL))
    assert network.geometry is Geometry.PLANE
    assert network.angle_sense == -1  # x east, y north: counter-clockwise axes with clockwise angles
    assert network.misclosure_limit_m == pytest.approx(0.5)
    assert network.sigma_zero_a_priori == 5.0
    assert network.datum.kind is DatumKind.FREE
    assert [point.name for point in network.points] == ["A", "B", "C"]
    b = network.points[1]
    assert isinstance(b, PlanePoint)
    assert b.roles == (ComponentRole.DATUM, ComponentRole.DATUM, ComponentRole.FREE)
    directions, others, levelling, vectors = network.clusters
    assert isinstance(directions, TerrestrialCluster)
    assert isinstance(others, TerrestrialCluster)
    assert isinstance(levelling, TerrestrialCluster)
    assert isinstance(vectors, GnssVectorCluster)
    first, second, distance = directions.observations
    assert first.kind is ScalarKind.DIRECTION
    assert first.value == pytest.approx(math.pi / 4.0)
    assert second.value == pytest.approx(math.radians(150.51))
    assert first.set_name == second.set_name != ""
    arc_second, centesimal_second = math.pi / 648_000.0, math.pi / 2_000_000.0
    assert np.sqrt(directions.covariance) == pytest.approx(
        [10.0 * centesimal_second, 5.0 * arc_second, 0.001 * (5.0 + 3.0 * 0.5)]
    )
    assert distance.line_in_file == 14
    assert others.covariance.shape == (4, 4)
    assert others.covariance[0, 1] == pytest.approx(10.0 * centesimal_second**2)
    assert others.covariance[2, 2] == pytest.approx(16e-6)
    azimuth, slope = others.observations[1:3]
    # 10 gon from north over east is 10 - 100 gon from an x axis that points east.
    assert azimuth.value == pytest.approx(-90.0 * math.pi / 200.0)
    assert (slope.instrument_height_m, slope.target_height_m) == (1.5, 1.7)
    assert np.sqrt(levelling.covariance) == pytest.approx([0.005 * math.sqrt(4.0)])
    assert np.diagonal(vectors.covariance_m2) == pytest.approx([1e-6, 4e-6, 9e-6])
    assert "observations to points with neither fix nor adj" in network.remarks[0]


@pytest.mark.parametrize(
    ("old", "new", "line", "text"),
    [
        ('to="B" val="500.0"', 'to="X" val="500.0"', 14, "point X is not among"),
        ('val="500.0"', 'val="-5.0"', 14, "not greater than 0"),
        ('val="500.0"', 'val="five"', 14, "a number was expected"),
        ('val="150-30-36"', 'val="150-61-36"', 12, "60 minutes or seconds"),
        ('id="C" adj', 'id="B" x="400" y="700" adj', 8, "100.000 m apart: two points of one name"),
        ('x="100.0"', 'x="1e99"', 6, "is absurd"),
        ('<cov-mat dim="3" band="0">1 4 9', '<cov-mat dim="3" band="0">1 -4 9', 24, "not positive definite"),
        ('band="1">400 10', 'band="1">10', 21, "7 elements were expected, and 6"),
        ('axes-xy="en"', 'axes-xy="xx"', 3, "axes-xy is one of"),
        ('fix="xyz"', 'fix="w"', 6, "not made of x, y and z"),
        ("</points-observations>", "", 26, "not well-formed"),
        ('stdev="4" from_dh', 'stdev="4" from_dh="1" from_dh', 19, "not well-formed"),
        ("<distance to", "<thing to", 14, "is no part of <obs>"),
        ('<?xml version="1.0" ?>', '<!DOCTYPE g [<!ENTITY a "b">]>', 1, "a document type"),
    ],
)
def test_what_is_wrong_in_gama_local_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, text: str
) -> None:
    assert old in LOCAL
    with pytest.raises(FormatError, match=text) as caught:
        read_gama_local(write(tmp_path, LOCAL.replace(old, new)))
    assert caught.value.line == line


def test_vectors_of_gama_g3_are_in_square_millimetres(tmp_path: Path) -> None:
    network = read_gama_g3(write(tmp_path, G3))
    assert network.misclosure_limit_m == pytest.approx(0.15)
    (vectors,) = network.clusters
    assert isinstance(vectors, GnssVectorCluster)
    assert vectors.vector_m.tolist() == [[1000.0, 2000.0, -1000.0]]
    expected = 1e-6 * np.array([[4.0, 1.0, 0.0], [1.0, 9.0, 2.0], [0.0, 2.0, 16.0]])
    assert vectors.covariance_m2[0] == pytest.approx(expected)
    assert network.points[0].roles == (ComponentRole.FIXED,) * 3
    assert network.points[1].roles == (ComponentRole.FREE,) * 3
    assert vectors.line_in_file == (7,)


def test_square_metres_in_gama_g3_are_known_by_impossible_sigmas(tmp_path: Path) -> None:
    metres = G3.replace(
        "<flt>4</flt><flt>1</flt><flt>0</flt><flt>9</flt><flt>2</flt><flt>16</flt>",
        "<flt>4e-6</flt><flt>1e-6</flt><flt>0</flt><flt>9e-6</flt><flt>2e-6</flt><flt>16e-6</flt>",
    )
    network = read_gama_g3(write(tmp_path, metres))
    (vectors,) = network.clusters
    assert isinstance(vectors, GnssVectorCluster)
    assert vectors.covariance_m2[0, 0, 0] == pytest.approx(4e-6)
    assert "square metres" in network.remarks[0]
    insisted = read_gama_g3(write(tmp_path, metres), covariance_unit="mm2").clusters[0]
    assert isinstance(insisted, GnssVectorCluster)
    assert insisted.covariance_m2[0, 0, 0] == pytest.approx(4e-12)


@pytest.mark.parametrize(
    ("old", "new", "line", "text"),
    [
        ("<to>B</to>", "<to>X</to>", 7, "point X is not among"),
        ("<to>B</to>", "<to>A</to>", 7, "observed from itself"),
        ("<id>B</id>", "<id>A</id>", 6, "stands in line 4 already"),
        ("<flt>9</flt>", "<flt>-9</flt>", 7, "not positive definite"),
        ("<dim>3</dim>", "<dim>4</dim>", 8, "dim is 4"),
        ("<x>3897173.613</x>", "<x>9e9</x>", 4, "from the centre of the earth"),
        ("<dx>1000</dx>", "<dx>1e9</dx>", 7, "is absurd"),
        ("<dx>1000</dx>", "", 7, "has no <dx>"),
        ("<x>3897173.613</x><y>997293.454</y><z>4933466.708</z>", "", 4, "is fixed, and has no coordinates"),
    ],
)
def test_what_is_wrong_in_gama_g3_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, text: str
) -> None:
    assert old in G3
    with pytest.raises(FormatError, match=text) as caught:
        read_gama_g3(write(tmp_path, G3.replace(old, new, 1)))
    assert caught.value.line == line


@pytest.mark.real_data
def test_the_published_networks_of_gama_have_their_counts(real_data: Path) -> None:
    folder = real_data / "geodesy" / "gama"
    dopnul = read_gama_g3(folder / "g3" / "dopnul.xml.gz")
    (vectors,) = dopnul.clusters
    assert isinstance(vectors, GnssVectorCluster)
    # dopnul-adj.xml: 16764 equations without the one rejected vector, 46 fixed points.
    assert len(vectors.frm) == 5589 == 16764 / 3 + 1
    assert sum(point.roles[0] is ComponentRole.FIXED for point in dopnul.points) >= 46
    ghilani = read_gama_g3(folder / "g3" / "ghilani-gnss-v1.xml")
    assert isinstance(ghilani.clusters[0], GnssVectorCluster)
    assert len(ghilani.clusters[0].frm) * 3 == 39
    text = read_krumm(folder / "3D" / "Ghilani_GNSS_Baselines.dat")
    assert isinstance(text.clusters[0], GnssVectorCluster)
    # The same network in both formats; its second file writes one covariance with a digit less.
    assert text.clusters[0].vector_m == pytest.approx(ghilani.clusters[0].vector_m)
    assert text.clusters[0].covariance_m2 == pytest.approx(ghilani.clusters[0].covariance_m2, abs=2e-8)
    directions = read_gama_local(folder / "local" / "geodet-pc-123.gkf")
    assert [len(c.observations) for c in directions.clusters if isinstance(c, TerrestrialCluster)] == [
        3,
        3,
        4,
        4,
    ]


@pytest.mark.real_data
def test_the_text_networks_of_stuttgart_are_read(real_data: Path) -> None:
    folder = real_data / "geodesy" / "gama"
    counts = {"Baumann_Height_fix": 20, "Ghilani12_6_Height_fix": 6, "Niemeier_Height_free": 9}
    for name, count in counts.items():
        (cluster,) = read_krumm(folder / "1D" / f"{name}.dat").clusters
        assert isinstance(cluster, TerrestrialCluster)
        assert len(cluster.observations) == count
    dynamic = read_krumm(folder / "1D" / "Krumm_Height_dyn.dat")
    given = dynamic.clusters[-1]
    assert isinstance(given, TerrestrialCluster)
    assert given.covariance.tolist() == [[0.0025, -0.0015], [-0.0015, 0.0036]]
    caspary = read_krumm(folder / "3D" / "Caspary.dat")
    assert caspary.geometry is Geometry.PLANE
    assert not any(isinstance(c, CoordinateCluster) for c in caspary.clusters)
