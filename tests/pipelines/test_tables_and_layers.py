"""GeoPackage layers, control stations and truth from files, and what makes a product's bytes the same."""

import time
from pathlib import Path

import numpy as np
import pyogrio
import pytest

from pipelines.code_version import code_version, source_sha256
from pipelines.control_file import read_control
from pipelines.coordinate_files import parse_epoch
from pipelines.geopackage import PointLayer, epsg_geographic_3d, write_geopackage
from pipelines.truth import read_truth
from transforms.errors import FormatError, FrameError, InputError
from transforms.time_scales import Epochs

DATE = Epochs.from_datetime64("2026-04-26T12:00:00")
LAYER = PointLayer(
    "points",
    4480,
    [(121.5, 31.25, 10.5), (120.0, 30.0, -1.0), None],
    {
        "name": ["a", None, "江"],
        "value": [1.5, None, 2.0],
        "count": [1, 2, None],
        "flag": [True, False, None],
        "nothing": [None, None, None],
    },
)


def test_geopackage_has_the_same_bytes_at_another_time(tmp_path: Path) -> None:
    paths = [tmp_path / "first.gpkg", tmp_path / "second.gpkg"]
    write_geopackage(paths[0], [LAYER], DATE)
    time.sleep(1.1)  # GDAL's stamp would differ by a second
    write_geopackage(paths[1], [LAYER], DATE)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["first.gpkg", "second.gpkg"]


def test_geopackage_reads_back(tmp_path: Path) -> None:
    write_geopackage(tmp_path / "a.gpkg", [LAYER, PointLayer("flat", 4490, [(1.0, 2.0)], {"n": [1]})], DATE)
    metadata, _, geometry, fields = pyogrio.raw.read(tmp_path / "a.gpkg", layer="points")
    assert metadata["crs"] == "EPSG:4480"
    assert metadata["geometry_type"] == "Point Z"
    assert np.frombuffer(geometry[0][5:], dtype="<f8") == pytest.approx([121.5, 31.25, 10.5], abs=0)
    assert geometry[2] is None
    values = dict(zip(metadata["fields"], fields, strict=True))
    assert list(values["name"]) == ["a", None, "江"]
    assert np.isnan(values["value"][1])
    assert pyogrio.read_info(tmp_path / "a.gpkg", layer="flat")["geometry_type"] == "Point"


def test_geopackage_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_geopackage(tmp_path / "absent" / "a.gpkg", [LAYER], DATE)
    assert list(tmp_path.iterdir()) == []


def test_every_frame_of_a_product_has_its_system() -> None:
    from pyproj import CRS

    for frame, name in (
        ("IGS20", "IGS20"),
        ("CGCS2000", "China Geodetic"),
        ("IGb14", "IGb14"),
        ("IGb20", "ITRF2020"),
    ):
        crs = CRS.from_epsg(epsg_geographic_3d(frame))
        assert crs.name.startswith(name)
        assert len(crs.axis_info) == 3
    with pytest.raises(FrameError):
        epsg_geographic_3d("ATLANTIS")


def test_control_from_both_kinds_of_file(tmp_path: Path) -> None:
    table = tmp_path / "control.csv"
    table.write_text(
        "station,frame,epoch,x_m,y_m,z_m,vx_m_per_yr,vy_m_per_yr,vz_m_per_yr,sigma_east_m\n"
        "WUHN,IGS20,2015-01-01,-2267749.0,5009154.0,3221290.0,-0.03,-0.01,-0.01,0.002\n"
    )
    toml = tmp_path / "control.toml"
    toml.write_text(
        '[[control]]\nstation = "WUHN"\nframe = "IGS20"\nepoch = "2015-001"\n'
        "position_ecef_m = [-2267749.0, 5009154.0, 3221290.0]\n"
        "velocity_m_per_yr = [-0.03, -0.01, -0.01]\nsigma_enu_m = [0.002, 0.003, 0.006]\n"
    )
    (first,), (second,) = read_control(table), read_control(toml)
    assert first.station == second.station
    assert first.epoch.tai_ns == second.epoch.tai_ns
    assert np.array_equal(first.position_ecef_m, second.position_ecef_m)
    assert first.velocity_m_per_yr is not None
    assert second.velocity_m_per_yr is not None
    assert np.array_equal(first.velocity_m_per_yr, second.velocity_m_per_yr)
    assert first.sigma_enu_m == second.sigma_enu_m


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.toml", "", "no .*control"),
        ("a.toml", "[[control]]\nstation = 1\n", "station"),
        ("a.toml", "[[control", "not TOML"),
        ("a.csv", "station,frame,epoch,x_m,y_m,z_m\nA,IGS20,soon,1,2,3\n", "line 2.*epoch"),
        ("a.csv", "station,frame,epoch,x_m,y_m,z_m\nA,IGS20,2015-01-01,1,2,nan\n", "line 2.*z_m"),
        (
            "a.csv",
            "station,frame,epoch,x_m,y_m,z_m,vx_m_per_yr,vy_m_per_yr,vz_m_per_yr\nA,I,2015-01-01,1,2,3,0.1,,0.1\n",
            "vy_m_per_yr",
        ),
    ],
)
def test_bad_control_names_the_place(tmp_path: Path, name: str, content: str, words: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(FormatError, match=words):
        read_control(tmp_path / name)


def test_truth(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_text(
        "station,frame,epoch,x_m,y_m,z_m,normal_height_m,gravity_mgal\n"
        "A,IGS20,2026-04-26T12:00:00,1,2,3,12.5,979500.1\nB,IGS20,2026-04-26,1,2,3,,\n"
    )
    first, second = read_truth(path)
    assert (first.normal_height_m, first.gravity_m_per_s2) == (12.5, pytest.approx(9.795001))
    assert (second.normal_height_m, second.gravity_m_per_s2) == (None, None)
    path.write_text("station,frame,epoch,x_m,y_m,z_m\nA,IGS20,noon,1,2,3\n")
    with pytest.raises(FormatError, match="line 2"):
        read_truth(path)


def test_epochs_as_people_write_them() -> None:
    assert parse_epoch("2026-116").iso() == "2026-04-26T00:00:00"
    assert parse_epoch("2026-04-26T06:00:00").iso() == "2026-04-26T06:00:00"
    assert parse_epoch("2000.0").iso() == "2000-01-01T00:00:00"
    for wrong in ("", "now", "2026-13-01", "1.2.3", "2026-04-26Tnoon"):
        with pytest.raises(InputError, match="no epoch"):
            parse_epoch(wrong)


def test_code_version_follows_the_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert code_version() == code_version()
    (tmp_path / "a_module_of_this_test.py").write_text("A = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    first = source_sha256("a_module_of_this_test")
    source_sha256.cache_clear()
    (tmp_path / "a_module_of_this_test.py").write_text("A = 2\n")
    assert source_sha256("a_module_of_this_test") != first
    assert source_sha256("transforms") != source_sha256("transforms", "datum")
