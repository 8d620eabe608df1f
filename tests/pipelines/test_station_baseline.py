"""`jizhun station baseline`: its JSON, its text, and what it refuses."""

import csv
import json

import numpy as np
import pytest

from datum.formats.network_files import read_network
from datum.network.sinex_network import sinex_network
from stations.formats.sinex import read_sinex

FILES = (
    "WTZR00DEU_R_20201770000_01D_30S_MO_120epoch.crx.gz",
    "WTZZ00DEU_R_20201770000_01D_30S_MO_120epoch.crx.gz",
)


@pytest.fixture
def wettzell_command(jizhun, real_data):
    folder = real_data / "wettzell_2020177"
    antex = real_data / "atx" / "igs20_2385_sats_plus_6rcv.atx.gz"

    def run(*words, files=FILES):
        paths = [folder / name for name in files]
        return jizhun("station", "baseline", *paths, "--products", folder, "--antex", antex, *words)

    return run


@pytest.mark.real_data
@pytest.mark.xdist_group("baselines")
def test_json_holds_the_vector_its_covariance_and_how_it_came(wettzell_command):
    result = wettzell_command("--systems", "G", "--json")
    assert result.code == 0
    content = json.loads(result.out)
    assert (content["from"], content["to"]) == ("WTZR00DEU", "WTZZ00DEU")
    assert content["ambiguities"] == "fixed"
    assert content["ionosphere"] == "fixed"
    assert content["frame"] == "IGS14"
    assert content["systems"] == ["G"]
    assert content["length_m"] == pytest.approx(float(np.linalg.norm(content["vector_ecef_m"])), abs=2e-4)
    assert content["length_m"] == pytest.approx(float(np.linalg.norm(content["vector_enu_m"])), abs=2e-4)
    covariance = np.array(content["covariance_m2"])
    assert np.array_equal(covariance, covariance.T)
    assert np.all(np.linalg.eigvalsh(covariance) > 0.0)
    assert np.trace(covariance) == pytest.approx(float(np.sum(np.square(content["sigma_enu_m"]))), rel=0.05)
    assert {item["path"].rsplit("/", 1)[-1] for item in content["inputs"]} >= set(FILES)


@pytest.mark.real_data
@pytest.mark.xdist_group("baselines")
def test_files_hold_the_vector_with_its_covariance(wettzell_command, tmp_path):
    result = wettzell_command("--systems", "G", "--json", "--out", tmp_path / "out")
    assert result.code == 0
    content = json.loads(result.out)
    vector_m, covariance_m2 = np.array(content["vector_ecef_m"]), np.array(content["covariance_m2"])
    written = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in written] == [
        f"WTZR00DEU-WTZZ00DEU_2020-177.{k}" for k in ("csv", "json", "snx")
    ]
    table, saved, sinex = written
    assert json.loads(saved.read_text()) == {k: v for k, v in content.items() if k != "seconds"}
    (row,) = csv.DictReader(table.read_text().splitlines())
    assert [float(row[f"d{axis}_m"]) for axis in "xyz"] == pytest.approx(list(vector_m), abs=1e-9)
    triangle = [float(row[f"c{pair}_m2"]) for pair in ("xx", "xy", "xz", "yy", "yz", "zz")]
    assert triangle == pytest.approx(list(covariance_m2[np.triu_indices(3)]), rel=1e-6)

    points = tmp_path / "points.csv"
    points.write_text(
        "point,x_m,y_m,z_m,role\nWTZR00DEU,4075580.29,931854.06,4801568.28,fixed\nWTZZ00DEU,,,,free\n"
    )
    (vectors,) = read_network([points, table]).clusters  # what `network adjust` takes
    assert (vectors.frm, vectors.to, vectors.frame) == (("WTZR00DEU",), ("WTZZ00DEU",), "IGS14")
    assert np.allclose(vectors.vector_m, vector_m, atol=1e-9)
    assert np.allclose(vectors.covariance_m2, covariance_m2, rtol=1e-6)

    document = read_sinex(sinex)
    assert {p.code for p in document.estimates} == {"WTZR", "WTZZ"}
    values = np.array([p.value for p in document.estimates])
    difference = np.hstack([-np.eye(3), np.eye(3)])
    assert np.allclose(difference @ values, vector_m, atol=2e-8)  # 15 digits of 5e6 m
    assert np.allclose(difference @ document.covariance @ difference.T, covariance_m2, rtol=1e-5, atol=1e-14)
    equations = document.normal_equations
    assert np.all(equations.right_side == 0.0)
    weight = np.linalg.inv(covariance_m2)
    assert np.allclose(
        equations.matrix, difference.T @ weight @ difference, rtol=1e-4, atol=1e-4 * weight.max()
    )
    assert np.linalg.matrix_rank(equations.matrix, tol=1e-6 * weight.max()) == 3  # no position, a vector
    (cluster,) = sinex_network(document).clusters
    assert np.array_equal(cluster.equations.approximate, values)  # what `network adjust` corrects
    hold = np.diag([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
    held = np.linalg.inv(equations.matrix + hold)
    assert np.allclose(held, document.covariance, rtol=1e-6)

    first = {path.name: path.read_bytes() for path in written}
    assert wettzell_command("--systems", "G", "--out", tmp_path / "again").code == 0
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()}


@pytest.mark.real_data
@pytest.mark.xdist_group("baselines")
def test_text_says_length_and_ambiguities(wettzell_command):
    result = wettzell_command("--systems", "G", "--ambiguities", "float")
    assert result.code == 0
    assert "length 1.59" in result.out
    assert "ambiguities float (0%)" in result.out


@pytest.mark.real_data
@pytest.mark.xdist_group("baselines")
def test_base_position_is_taken_as_given(wettzell_command):
    given = ("4075580.2946", "931854.0619", "4801568.2814")
    result = wettzell_command("--systems", "G", "--json", "--base-position", *given)
    assert json.loads(result.out)["base_position_ecef_m"] == [float(value) for value in given]


@pytest.mark.real_data
def test_files_of_other_days_are_one_line_of_error(jizhun, real_data):
    first = real_data / "wettzell_2020177" / FILES[0]
    second = real_data / "nl_2021001" / "wsra0010.21d.gz"
    result = jizhun("station", "baseline", first, second, "--products", real_data / "wettzell_2020177")
    assert result.code == 1
    assert "no time in common" in result.err
    assert len(result.err.strip().splitlines()) == 1


def test_a_system_without_double_differences_is_wrong_usage(jizhun, tmp_path):
    result = jizhun("station", "baseline", "a.rnx", "b.rnx", "--products", tmp_path, "--systems", "GR")
    assert result.code == 2
    assert "GECJ" in result.err


def test_a_missing_file_is_one_line_of_error(jizhun, tmp_path):
    result = jizhun("station", "baseline", tmp_path / "a.rnx", tmp_path / "b.rnx", "--products", tmp_path)
    assert result.code == 1
    assert len(result.err.strip().splitlines()) == 1


@pytest.mark.parametrize("words", [(), ("--products", "p", "--navigation", "n.rnx")])
def test_orbits_come_from_one_kind_of_file(jizhun, words):
    result = jizhun("station", "baseline", "a.rnx", "b.rnx", *words)
    assert result.code == 2
    assert "either --products or --navigation" in " ".join(result.err.split())
