"""`--mapping-functions` and `paths.mapping_functions`: what is found, what is refused, what comes of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.weather_files import site_weather
from stations.models.site_weather import GriddedWeather, SiteWeather
from transforms.errors import InputError
from transforms.time_scales import Epochs

FIRST = Epochs.from_datetime64(np.datetime64("2026-04-26T00:00:00", "ns"))
LAST = Epochs.from_datetime64(np.datetime64("2026-04-26T23:55:00", "ns"))
MJD = 61156.0  # 2026-04-26


def write_sites(path: Path, station: str = "NJLS") -> Path:
    lines = (
        f"{station:<10s}{MJD + day:8.2f}  0.00123456  0.00051234  2.2941  0.1523  1007.21    17.10  13.05"
        for day in (0.0, 0.25, 0.5, 0.75)
    )
    path.write_text("\n".join(lines) + "\n")
    return path


def write_grids(folder: Path) -> None:
    """5-degree grids of VMF3, one far from the day, and the heights of their nodes."""
    latitude, longitude = np.arange(87.5, -90.0, -5.0), np.arange(2.5, 360.0, 5.0)
    for day, hour in (("25", 0), ("25", 18), ("26", 6), ("26", 18), ("27", 0)):
        head = (
            "! Version: 1.0\n! Data_types: VMF3 (lat lon ah aw zhd zwd)\n"
            f"! Epoch: 2026 04 {day} {hour:02d} 00 0.0\n! Scale_factor: 1.e+00\n"
            "! Range/resolution: -87.5 87.5 2.5 357.5 5 5\n"
        )
        nodes = (f"{a:5.1f} {o:5.1f} 0.00121 0.00052 2.2850 0.1400" for a in latitude for o in longitude)
        (folder / f"VMF3_202604{day}.H{hour:02d}").write_text(head + "\n".join(nodes) + "\n")
    (folder / "orography_ell_5x5").write_text("100\n" * (latitude.size * longitude.size))


def test_a_site_file_serves_its_stations_and_no_others(tmp_path: Path) -> None:
    path = write_sites(tmp_path / "2026116.v3gr_g")
    weather = site_weather([path], "NJLS00CHN", FIRST, LAST)
    assert isinstance(weather, SiteWeather)
    assert weather.kind == "VMF3"
    assert [item.path for item in weather.inputs] == [str(path)]
    assert site_weather([path], "WUJN", FIRST, LAST) is None


def test_a_folder_of_grids_gives_those_about_the_session(tmp_path: Path) -> None:
    write_grids(tmp_path)
    (tmp_path / "readme.txt").write_text("grids of the TU Wien\n")
    weather = site_weather([tmp_path], "NJLS", FIRST, LAST)
    assert isinstance(weather, GriddedWeather)
    assert [grid.epoch.iso() for grid in weather.grids] == [
        f"2026-04-{day}T{hour}:00:00"
        for day, hour in (("25", "18"), ("26", "06"), ("26", "18"), ("27", "00"))
    ]
    assert any(item.path.endswith("orography_ell_5x5") for item in weather.inputs)
    (tmp_path / "orography_ell_5x5").unlink()
    with pytest.raises(InputError, match="heights of its nodes"):
        site_weather([tmp_path], "NJLS", FIRST, LAST)


def test_what_is_no_mapping_function_is_named(tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("to a friend\n")
    with pytest.raises(InputError, match=r"letter\.txt: holds neither"):
        site_weather([letter], "NJLS", FIRST, LAST)
    with pytest.raises(InputError, match="no such folder"):
        site_weather([tmp_path / "absent"], "NJLS", FIRST, LAST)


def test_the_command_applies_them_and_says_so(
    tmp_path: Path, sample_region: Path, jizhun: Callable[..., Any]
) -> None:
    station = next((sample_region / "observations").glob("NJLS*2026116*"))
    words = ("station", "solve", station, "--products", sample_region / "products", "--json")
    words += ("--antex", next((sample_region / "antex").iterdir()))
    plain = jizhun(*words)
    assert plain.code == 0, plain.err
    assert "GPT and GMF" in plain.err
    sites = write_sites(tmp_path / "2026116.v3gr_g")
    applied = jizhun(*words, "--mapping-functions", sites)
    assert applied.code == 0, applied.err
    assert "VMF3 of the day, site-wise" in applied.err
    before, after = (np.array(json.loads(run.out)["position_ecef_m"]) for run in (plain, applied))
    assert 1e-5 < float(np.linalg.norm(after - before)) < 0.02
    strange = jizhun(*words, "--mapping-functions", write_sites(tmp_path / "other.v3gr_g", "BJFS"))
    assert strange.code == 1
    assert "no mapping functions of NJLS" in strange.err
