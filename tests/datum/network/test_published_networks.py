"""Networks that GNU Gama, the Stuttgart examples and DynAdjust have published, to the printed digit.

Gama's figures hold a variance of unit weight: its sum of squares is our chi-square times the a priori
variance of the file, its standard deviations are ours times the a posteriori one over it where the file says
"aposteriori".
"""

import gzip
import re
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from datum.formats.network_files import read_network
from datum.network.adjust import adjust_network
from datum.network.observations import NetworkAdjustment

pytestmark = pytest.mark.real_data
PRINTED_0_1_MM = 0.51e-4  # half a unit of the fourth decimal, and the rounding of a half
PRINTED_0_01_MM = 0.51e-5
PRINTED_EIGHT_FIGURES = 0.51e-7  # half a unit of the eighth figure, of a number that begins with 1
DEGREES_OF_FREEDOM = {"geodet-pc-123": 8, "mikhail-7.4": 4, "stroner-levelling-a": 8}


def xml_of(path: Path) -> ElementTree.Element:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    root = ElementTree.fromstring(data)
    for element in root.iter():
        element.tag = element.tag.rsplit("}", 1)[-1]
    return root


def number(element: ElementTree.Element, path: str) -> float:
    text = element.findtext(path)
    assert text is not None, path
    return float(text)


@pytest.mark.parametrize("name", sorted(DEGREES_OF_FREEDOM))
def test_gama_local(real_data: Path, name: str) -> None:
    folder = real_data / "geodesy" / "gama" / "local"
    result = adjust_network(read_network([folder / f"{name}.gkf"]))
    published = xml_of(folder / f"{name}.xml")
    assert (
        result.degrees_of_freedom
        == int(number(published, ".//degrees-of-freedom"))
        == DEGREES_OF_FREEDOM[name]
    )
    a_priori = number(published, ".//standard-deviation/apriori")
    assert result.chi_square * a_priori**2 == pytest.approx(number(published, ".//sum-of-squares"), rel=1e-7)
    if published.findtext(".//standard-deviation/used") == "aposteriori":
        used = number(published, ".//standard-deviation/aposteriori")
        assert np.sqrt(result.sigma_zero) * a_priori == pytest.approx(used, rel=1e-7)
    else:
        used = a_priori
    points = {point.name: point for point in result.points}
    for element in published.findall(".//coordinates/adjusted/point"):
        position = points[(element.findtext("id") or "").strip()].position_m
        for axis, tag in enumerate("xyz"):
            if element.find(tag) is not None:
                assert position[axis] == pytest.approx(number(element, tag), abs=1e-7)
    table = result.residuals
    observations = [e for e in published.find("observations") or [] if e.find("from") is not None]
    assert len(observations) == table.w.size
    for row, element in enumerate(observations):
        assert (element.findtext("from") or "").strip() == table.frm[row]
        assert (element.findtext("to") or "").strip() == table.to[row]
        # Gama divides by the sigma that it was told to use.
        w = abs(table.w[row]) * a_priori / used
        assert w == pytest.approx(number(element, "std-residual"), abs=5.1e-4)
        # Its "f" is the gain in precision by the adjustment, 100 (1 - sigma_adjusted / sigma).
        gain = 100.0 * (1.0 - table.sigma_adjusted[row] / table.sigma[row])
        assert gain == pytest.approx(number(element, "f"), abs=5.1e-4)


@pytest.fixture(scope="module")
def dopnul(real_data: Path) -> NetworkAdjustment:
    """The Czech network of 5,589 vectors."""
    return adjust_network(read_network([real_data / "geodesy" / "gama" / "g3" / "dopnul.xml.gz"]))


@pytest.mark.parametrize(
    ("name", "degrees_of_freedom"), [("demo-g3-01", 3), ("ghilani-gnss-v1", 27), ("dopnul", 16230)]
)
def test_gama_g3(real_data: Path, dopnul: NetworkAdjustment, name: str, degrees_of_freedom: int) -> None:
    folder = real_data / "geodesy" / "gama" / "g3"
    suffix = ".xml.gz" if name == "dopnul" else ".xml"
    result = dopnul if name == "dopnul" else adjust_network(read_network([folder / f"{name}{suffix}"]))
    published = xml_of(folder / f"{name}-adj{suffix}")
    statistics = published.find(".//adjustment-statistics")
    assert statistics is not None
    assert result.degrees_of_freedom == int(number(statistics, "redundancy")) == degrees_of_freedom
    assert result.n_unknowns == int(number(statistics, "parameters"))
    assert result.n_observations == int(number(statistics, "equations"))
    # dopnul's covariances are square metres, which Gama took for square millimetres.
    scale = 1e6 if name == "dopnul" else 1.0
    variance = number(statistics, "apriori-variance")
    assert result.chi_square * variance * scale == pytest.approx(
        number(statistics, "sum-of-squares"), rel=5.1e-6
    )
    points = {point.name: point for point in result.points}
    checked = 0
    for element in published.findall(".//adjustment-results/point"):
        if element.find("x-adjusted") is None:
            continue
        point = points[(element.findtext("id") or "").strip()]
        adjusted = [number(element, f"{axis}-adjusted") for axis in "xyz"]
        assert point.position_m == pytest.approx(adjusted, abs=PRINTED_0_01_MM)
        cofactor = point.cofactor_m2
        # Square millimetres, a posteriori; east and north stand the other way round.
        for tag, (i, j) in {
            "cnn": (1, 1),
            "cee": (0, 0),
            "cuu": (2, 2),
            "cne": (0, 1),
            "cnu": (1, 2),
            "ceu": (0, 2),
        }.items():
            scale_mm2 = 1e6 * result.sigma_zero
            sigmas = scale_mm2 * np.sqrt(cofactor[i, i] * cofactor[j, j])
            ours = scale_mm2 * cofactor[i, j]
            assert ours == pytest.approx(number(element, tag), abs=PRINTED_EIGHT_FIGURES * sigmas)
        checked += 1
    assert checked * 3 == result.n_unknowns


def test_dopnul_rejects_the_published_vector(dopnul: NetworkAdjustment) -> None:
    result = dopnul
    assert [r.subject.split(" (line")[0] for r in result.rejections] == ["29070100 -> 17240030"]
    assert result.rejections[0].statistic == pytest.approx(0.169, abs=5e-4)
    rejected = ~result.residuals.accepted
    assert set(np.array(result.residuals.frm)[rejected]) == {"29070100"}
    assert rejected.sum() == 3


def table_of(path: Path) -> dict[str, list[float]]:
    """Rows of an .adj file: name to numbers."""
    rows = [
        line.split() for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")
    ]
    return {row[0]: [float(value) for value in row[1:]] for row in rows}


@pytest.mark.parametrize(
    ("name", "degrees_of_freedom"),
    [
        ("Baumann_Height_fix", 11),
        ("Ghilani12_6_Height_fix", 3),
        ("Krumm_Height_dyn", 2),
        ("Niemeier_Height_free", 4),
    ],
)
def test_levelling_of_the_stuttgart_examples(real_data: Path, name: str, degrees_of_freedom: int) -> None:
    folder = real_data / "geodesy" / "gama" / "1D"
    result = adjust_network(read_network([folder / f"{name}.dat"]))
    assert result.degrees_of_freedom == degrees_of_freedom
    points = {point.name: point for point in result.points}
    for station, (height_m, _, sigma_mm) in table_of(folder / f"{name}.adj").items():
        assert points[station].position_m[2] == pytest.approx(height_m, abs=PRINTED_0_1_MM)
        sigma = np.sqrt(points[station].cofactor_m2[2, 2] * result.sigma_zero) * 1e3
        assert sigma == pytest.approx(sigma_mm, abs=5.1e-3)


def test_space_networks_of_the_stuttgart_examples(real_data: Path) -> None:
    folder = real_data / "geodesy" / "gama" / "3D"
    for name in ("Caspary", "Ghilani_GNSS_Baselines"):
        result = adjust_network(read_network([folder / f"{name}.dat"]))
        points = {point.name: point for point in result.points}
        for station, values in table_of(folder / f"{name}.adj").items():
            assert points[station].position_m == pytest.approx(
                [values[0], values[3], values[6]], abs=PRINTED_0_1_MM
            )
            if name == "Caspary":  # centimetres
                sigma = np.sqrt(np.diagonal(points[station].cofactor_m2) * result.sigma_zero) * 100.0
                assert sigma == pytest.approx([values[2], values[5], values[8]], abs=5.1e-4)


MEASUREMENT = re.compile(
    r"^[GXY] (\S+)\s+(?:(\S+)\s+)?([XYZ])\s+(-?[\d.]+)\s+(-?[\d.]+)\s+(-?[\d.]+)\s+([\d.]+)\s+([\d.]+)"
    r"\s+([\d.]+)\s+(-?[\d.]+)\s"
)
STATION = re.compile(
    r"^(\S+)\s+FFF\s.*?(-?\d{7}\.\d{4})\s+(-?\d{7}\.\d{4})\s+(-?\d{7}\.\d{4})\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)"
)


@pytest.fixture(scope="module")
def dynadjust_sample(real_data: Path) -> tuple[NetworkAdjustment, list[str]]:
    folder = real_data / "geodesy" / "dynadjust"
    result = adjust_network(read_network([folder / "gnss-networkstn.xml", folder / "gnss-networkmsr.xml"]))
    return result, (folder / "gnss.simult.adj.expected").read_text().splitlines()


def test_dynadjust_statistics(dynadjust_sample: tuple[NetworkAdjustment, list[str]]) -> None:
    result, _ = dynadjust_sample
    assert (result.n_unknowns, result.n_observations, result.degrees_of_freedom) == (129, 417, 288)
    assert result.chi_square == pytest.approx(336.64, abs=5.1e-3)
    assert result.sigma_zero == pytest.approx(1.169, abs=5.1e-4)
    assert result.test_limits == pytest.approx((0.843, 1.170), abs=5.1e-4)


def test_dynadjust_measurements(dynadjust_sample: tuple[NetworkAdjustment, list[str]]) -> None:
    """Measured, adjusted, correction, three sigmas and N-statistic of all 417 numbers."""
    result, lines = dynadjust_sample
    table = result.residuals
    ours = defaultdict(list)
    for i in range(table.w.size):
        ours[table.frm[i], table.to[i] or None, table.component[i].upper()].append(
            [
                table.observed[i],
                table.adjusted[i],
                -table.residual[i],
                table.sigma[i],
                table.sigma_adjusted[i],
                table.sigma_residual[i],
                -table.normalised[i],
            ]
        )
    matches = [match for match in map(MEASUREMENT.match, lines) if match]
    assert len(matches) == 417
    for match in matches:
        published = np.array([float(value) for value in match.groups()[3:]])
        row = min(ours[match[1], match[2], match[3]], key=lambda values: abs(values[0] - published[0]))
        assert row[:6] == pytest.approx(published[:6], abs=PRINTED_0_1_MM)
        assert row[6] == pytest.approx(published[6], abs=5.1e-3)


def test_dynadjust_coordinates(dynadjust_sample: tuple[NetworkAdjustment, list[str]]) -> None:
    result, lines = dynadjust_sample
    points = {point.name: point for point in result.points}
    matches = [match for match in map(STATION.match, lines) if match]
    assert len(matches) == 43
    for match in matches:
        point = points[match.group(1)]
        assert point.position_m == pytest.approx([float(v) for v in match.groups()[1:4]], abs=PRINTED_0_1_MM)
        sigma = np.sqrt(np.diagonal(point.cofactor_m2))
        assert sigma == pytest.approx([float(v) for v in match.groups()[4:7]], abs=PRINTED_0_1_MM)
