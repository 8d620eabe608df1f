"""`jizhun network adjust` and `compare`: results, messages, and the files they write."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stations.formats.sinex import read_sinex
from transforms.geodetic import ecef_from_geodetic

Command = Callable[..., Any]
SIGMA_M = 0.003
N_STATIONS = 12
HELD = ("S00", "S11")


def positions() -> dict[str, np.ndarray[Any, Any]]:
    return {
        f"S{i:02d}": ecef_from_geodetic(
            np.radians(30.0 + 0.1 * (i % 4)), np.radians(114.0 + 0.1 * (i // 4)), 50.0 + i
        )
        for i in range(N_STATIONS)
    }


def write_points(path: Path, *, held: tuple[str, ...] = HELD, moved: str = "", offset_m: float = 0.0) -> Path:
    lines = ["point,x_m,y_m,z_m,role,frame,epoch"]
    for name, (x, y, z) in positions().items():
        shift = offset_m if name == moved else 0.0
        role = "fixed" if name in held else "free"
        lines.append(f"{name},{x + shift:.4f},{y:.4f},{z:.4f},{role},CGCS2000,2000-01-01")
    path.write_text("\n".join(lines) + "\n")
    return path


def write_vectors(path: Path, *, without: str = "", blunder_m: float = 0.0) -> Path:
    noise = np.random.default_rng(20240204)
    places = positions()
    lines = ["from,to,dx_m,dy_m,dz_m,sigma_mm"]
    for i, (frm, start) in enumerate(places.items()):
        for j, (to, end) in enumerate(places.items()):
            if i < j and abs(i // 4 - j // 4) <= 1 and abs(i % 4 - j % 4) <= 1:
                vector = end - start + noise.normal(0.0, SIGMA_M, 3)
                if (frm, to) == ("S01", "S05"):
                    vector[0] += blunder_m
                if without not in (frm, to):
                    lines.append(f"{frm},{to}," + ",".join(f"{v:.4f}" for v in vector) + ",3")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def points(tmp_path: Path) -> Path:
    return write_points(tmp_path / "points.csv")


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    return write_vectors(tmp_path / "vectors.csv")


def adjusted(jizhun: Command, *arguments: object) -> dict[str, Any]:
    result = jizhun("network", "adjust", *(str(a) for a in arguments), "--json")
    assert result.code == 0, result.err
    content: dict[str, Any] = json.loads(result.out)
    return content


def refused(jizhun: Command, *arguments: object) -> str:
    result = jizhun("network", "adjust", *(str(a) for a in arguments))
    assert result.code == 1, result.out
    assert result.out == ""
    assert len(result.err.strip().splitlines()) == 1
    return str(result.err)


def test_a_network_is_adjusted_and_the_blunder_named(jizhun: Command, tmp_path: Path, points: Path) -> None:
    clean = adjusted(jizhun, points, write_vectors(tmp_path / "clean.csv"))
    assert (clean["n_unknowns"], clean["n_observations"]) == (30, 87)
    assert clean["degrees_of_freedom"] == 57
    assert clean["chi_square"] == pytest.approx(57 * clean["sigma_zero"])
    assert clean["rejected"] == []
    assert clean["test_passed"] is True
    bad = adjusted(jizhun, points, write_vectors(tmp_path / "bad.csv", blunder_m=0.05))
    assert [item["observation"] for item in bad["rejected"]] == ["S01 -> S05"]
    assert bad["degrees_of_freedom"] == 54
    truth = positions()
    for station in bad["stations"]:
        sigma = max(max(station["sigma_enu_m"]), 1e-4)
        assert np.linalg.norm(np.array(station["position_ecef_m"]) - truth[station["station"]]) < 5.0 * sigma


def test_every_datum_gives_the_same_residuals(jizhun: Command, points: Path, vectors: Path) -> None:
    free = adjusted(jizhun, points, vectors, "--free")
    minimal = adjusted(jizhun, points, vectors, "--minimal", "S00,S05,S11")
    fixed = adjusted(jizhun, points, vectors, "--fix", "S05")
    weighted = adjusted(jizhun, points, vectors, "--weight", "S05", "--weight-mm", "2,2,5")
    assert minimal["chi_square"] == pytest.approx(free["chi_square"], rel=1e-6)
    assert fixed["chi_square"] == pytest.approx(free["chi_square"], rel=1e-6)
    assert weighted["chi_square"] == pytest.approx(free["chi_square"], rel=1e-6)
    assert [item["n_conditions"] for item in (free, minimal, fixed)] == [3, 3, 0]
    sigma = next(s["sigma_enu_m"] for s in weighted["stations"] if s["station"] == "S05")
    assert sigma == pytest.approx([0.002, 0.002, 0.005], rel=1e-3)


def test_bad_networks_are_told_in_words(jizhun: Command, tmp_path: Path, points: Path, vectors: Path) -> None:
    loose = write_points(tmp_path / "loose.csv", held=())
    assert "nothing fixes translation" in refused(jizhun, loose, vectors)
    isolated = write_vectors(tmp_path / "isolated.csv", without="S03")
    content = adjusted(jizhun, points, isolated)
    assert "1 stations without an observation are left out: S03" in content["remarks"]
    strained = write_points(tmp_path / "strained.csv", moved="S11", offset_m=0.08)
    remark = adjusted(jizhun, strained, vectors)["remarks"][0]
    assert "over-constrained" in remark
    assert "S11" in remark
    twin = tmp_path / "twin.csv"
    x, y, z = positions()["S04"]
    twin.write_text(f"point,x_m,y_m,z_m\nS04,{x + 100.0:.4f},{y:.4f},{z:.4f}\n")
    assert "twin.csv, line 2: station S04 lies 100.000 m from" in refused(jizhun, points, twin, vectors)
    assert "exclude each other" in refused(jizhun, points, vectors, "--free", "--fix", "S00")
    assert "station Q1 is to hold the datum" in refused(jizhun, points, vectors, "--fix", "Q1")
    cut = tmp_path / "cut.csv"
    cut.write_text(vectors.read_text()[:-9])
    assert "cut.csv, line 30" in refused(jizhun, points, cut)
    result = jizhun("network", "adjust", str(points), str(vectors), "--confidence", "2")
    assert result.code == 2


def test_tables_layers_report_and_sinex_are_written(
    jizhun: Command, tmp_path: Path, points: Path, vectors: Path
) -> None:
    paths = {name: tmp_path / f"out.{name}" for name in ("csv", "gpkg", "html", "snx")}
    options = []
    for option, name in (("--csv", "csv"), ("--gpkg", "gpkg"), ("--html", "html"), ("--sinex", "snx")):
        options += [option, paths[name]]
    content = adjusted(jizhun, points, vectors, *options)
    first = {name: path.read_bytes() for name, path in paths.items()}
    adjusted(jizhun, points, vectors, *options)
    assert {name: path.read_bytes() for name, path in paths.items()} == first  # the same bytes again

    html = paths["html"].read_text()
    assert "<script" not in html
    assert "http" not in html.replace("http://www.w3.org", "")
    for words in ("Rejected observations", "Reliability", "Map", "Histogram", "Quantiles", "S07"):
        assert words in html
    table = paths["csv"].read_text().splitlines()
    assert len(table) == N_STATIONS + 1
    assert (tmp_path / "out_observations.csv").read_text().count("\n") == 87 + 1

    connection = sqlite3.connect(paths["gpkg"])
    rows = connection.execute("select table_name, srs_id from gpkg_contents").fetchall()
    # EPSG:4480 is CGCS2000, geographic 3-D.
    assert sorted(rows) == [("ellipses", 4480), ("observations", 4480), ("stations", 4480)]
    assert connection.execute("select count(*) from observations").fetchone()[0] == 29
    connection.close()

    document = read_sinex(paths["snx"])
    assert document.covariance is not None
    assert len(document.estimates) == 3 * N_STATIONS
    station = content["stations"][5]
    estimate = [p.value for p in document.estimates if p.code == station["station"][:4]]
    assert estimate == pytest.approx(station["position_ecef_m"], abs=1e-5)

    compared = jizhun("network", "compare", str(paths["csv"]), str(paths["snx"]), "--json")
    assert compared.code == 0, compared.err
    result = json.loads(compared.out)
    assert result["n_common"] == N_STATIONS
    assert result["outliers"] == []
    assert max(abs(v) for v in result["shift_of_centre_enu_mm"]) < 0.02


def test_sinex_without_an_epoch_and_in_the_plane_is_refused(jizhun: Command, tmp_path: Path) -> None:
    plane = tmp_path / "plane.csv"
    plane.write_text("point,height_m,role\nA,50,fixed\nB,,free\n")
    levelling = tmp_path / "levelling.csv"
    levelling.write_text(
        "kind,from,to,value,sigma_mm\nheight difference,A,B,1.5,1\nheight difference,A,B,1.501,1\n"
    )
    out = tmp_path / "out.snx"
    assert "a network in the plane" in refused(jizhun, plane, levelling, "--sinex", out)
    assert not out.exists()
    content = adjusted(jizhun, plane, levelling, "--html", tmp_path / "plane.html")
    assert content["stations"][1]["height_m"] == pytest.approx(51.5005)


def test_compare_says_what_it_cannot_read(jizhun: Command, tmp_path: Path, points: Path) -> None:
    nonsense = tmp_path / "nonsense.json"
    nonsense.write_text('{"a": 1}')
    result = jizhun("network", "compare", str(points), str(nonsense))
    assert result.code == 1
    assert "no JSON of network adjust" in result.err
    result = jizhun("network", "compare", str(points), str(points), "--parameters", "shear")
    assert result.code == 2


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("files", "unknowns", "freedom", "chi_square"),
    [
        # ghilani-gnss-v1-adj.xml: parameters, redundancy, sum-of-squares (a priori variance 1)
        (["gama/g3/ghilani-gnss-v1.xml"], 12, 27, 13.5145),
        (["gama/3D/Ghilani_GNSS_Baselines.dat"], 12, 27, 13.5145),
        # demo-g3-01-adj.xml: 3.14167e+05 over the a priori variance 100
        (["gama/g3/demo-g3-01.xml"], 9, 3, 3141.67),
        # mikhail-7.4.xml, geodet-pc-123.xml, stroner-levelling-a.xml: over 100, 100 and 9
        (["gama/local/mikhail-7.4.gkf"], 4, 4, 161.71369),
        (["gama/local/geodet-pc-123.gkf"], 6, 8, 29.603654),
        (["gama/local/stroner-levelling-a.gkf"], 7, 8, 3.7423244),
    ],
)
def test_published_networks_come_out_of_the_command(
    jizhun: Command, real_data: Path, files: list[str], unknowns: int, freedom: int, chi_square: float
) -> None:
    content = adjusted(jizhun, *(real_data / "geodesy" / name for name in files))
    assert (content["n_unknowns"], content["degrees_of_freedom"]) == (unknowns, freedom)
    assert content["chi_square"] == pytest.approx(chi_square, rel=2e-6)
    assert content["rejected"] == []


@pytest.mark.real_data
def test_dopnul_has_its_published_result(jizhun: Command, real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "geodesy" / "gama" / "g3"
    table = tmp_path / "dopnul.csv"
    content = adjusted(jizhun, folder / "dopnul.xml.gz", "--csv", table)
    assert (content["n_unknowns"], content["degrees_of_freedom"]) == (534, 16230)
    assert [item["observation"] for item in content["rejected"]] == ["29070100 -> 17240030"]
    # 3.29403e+13 with a priori variance 100 and square metres taken as square millimetres.
    assert content["chi_square"] == pytest.approx(3.29403e5, rel=2e-6)
    compared = jizhun(
        "network", "compare", str(folder / "dopnul-adj.xml.gz"), str(table), "--parameters", "none", "--json"
    )
    differences = [s["difference_enu_mm"] for s in json.loads(compared.out)["stations"]]
    assert len(differences) == 224
    assert np.max(np.abs(differences)) < 0.02  # both are printed to 0.01 mm


@pytest.mark.real_data
def test_the_sample_of_dynadjust_has_its_published_result(
    jizhun: Command, real_data: Path, tmp_path: Path
) -> None:
    folder = real_data / "geodesy" / "dynadjust"
    table = tmp_path / "gnss.csv"
    content = adjusted(jizhun, folder / "gnss-network.stn", folder / "gnss-network.msr", "--csv", table)
    # gnss.simult.adj.expected: 129 unknowns, 417 measurements, 288, 336.64, 1.169, passed
    assert (content["n_unknowns"], content["n_observations"]) == (129, 417)
    assert content["degrees_of_freedom"] == 288
    assert content["chi_square"] == pytest.approx(336.64, abs=0.005)
    assert content["sigma_zero"] == pytest.approx(1.169, abs=0.0005)
    assert content["test_passed"] is True
    assert content["rejected"] == []
    compared = jizhun(
        "network", "compare", str(folder / "gnss.simult.adj.expected"), str(table),
        "--parameters", "none", "--json",
    )  # fmt: skip
    differences = [s["difference_enu_mm"] for s in json.loads(compared.out)["stations"]]
    assert len(differences) == 43
    # X, Y and Z are printed to 0.1 mm: half a digit in each, turned to east, north, up.
    assert np.max(np.abs(differences)) < 0.05 * np.sqrt(3.0)
