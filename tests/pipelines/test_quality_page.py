"""The page of a station-day: offline, small, the same bytes again, readable without orbits."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from pipelines.quality_pictures import Line, TimeAxis, thinned, time_panel, visibility_bars
from pipelines.quality_report_html import page_is_current, render_quality_report
from stations.formats.rinex_observation import read_observations
from stations.formats.sp3 import read_sp3
from stations.quality.report import QualityContext, quality_study

LARGEST_PAGE_BYTES = 2_000_000  # the issue's


@pytest.fixture(scope="module")
def study(sample_region: Path) -> Any:
    observations = read_observations(
        [sample_region / "observations" / "WUJN00CHN_R_20261160000_01D_05M_MO.crx.gz"]
    )
    (orbits,) = (sample_region / "products").glob("*ORB.SP3.gz")
    return quality_study(observations, context=QualityContext(orbits=read_sp3(orbits)))


def pictures(page: str) -> list[str]:
    found = re.findall(r"<svg.*?</svg>", page, re.S)
    for picture in found:
        ElementTree.fromstring(picture)
        assert not re.search(r"nan|inf", picture)
    return found


def test_the_page_is_whole_offline_and_repeatable(study: Any) -> None:
    page = render_quality_report(study, "2026-04-26", "key")
    assert render_quality_report(study, "2026-04-26", "key") == page
    assert len(page.encode()) < LARGEST_PAGE_BYTES
    assert not re.search(r"https?://|<script|<link|@import|src=", page)
    assert "accept with remarks" in page
    assert "<li>" in page  # its reasons
    assert len(pictures(page)) == 4 + 2 + 3  # sky; satellites and C/N0; bars of three systems
    for system in ("GPS", "Galileo", "BeiDou"):
        assert f"<b>{system}</b>" in page
    assert "Multipath by elevation" in page


def test_a_page_knows_what_it_was_made_from(study: Any, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    assert not page_is_current(path, "one")
    path.write_text(render_quality_report(study, "2026-04-26", "one"))
    assert page_is_current(path, "one")
    assert not page_is_current(path, "other")


@pytest.mark.filterwarnings("error")
def test_a_single_epoch_has_a_page_without_nan(study: Any) -> None:
    one = replace(study.observations, data=study.observations.data.isel(epoch=[0]))
    page = render_quality_report(quality_study(one), "2026-04-26", "key")
    assert pictures(page)


def test_without_orbits_the_page_says_why_there_is_no_sky(sample_region: Path) -> None:
    observations = read_observations(
        [sample_region / "observations" / "YZTZ00CHN_R_20261160000_01D_05M_MO.crx.gz"]
    )
    page = render_quality_report(quality_study(observations), "2026-04-26", "key")
    assert "Without orbits no elevation is known" in page
    assert 'class="sky"' not in page
    assert pictures(page)


def test_names_from_a_file_cannot_become_markup(study: Any) -> None:
    from dataclasses import replace

    wild = replace(study, report=replace(study.report, station="<script>alert(1)</script>"))
    page = render_quality_report(wild, "2026-04-26", "key")
    assert "<script>" not in page


def test_qc_draws_a_page_and_keeps_it(
    sample_region: Path, tmp_path: Path, jizhun: Callable[..., Any]
) -> None:
    file = sample_region / "observations" / "YZTZ00CHN_R_20261160000_01D_05M_MO.crx.gz"
    words = ("station", "qc", file, "--html", tmp_path / "y.html", "--out", tmp_path / "kept")
    words = (*words, "--history", tmp_path / "catalogue")
    first = jizhun(*words)
    assert first.code == 0
    assert "1 days added" in first.err
    stamp = (tmp_path / "y.html").stat().st_mtime_ns
    again = jizhun(*words)
    assert again.code == 0
    assert (tmp_path / "y.html").stat().st_mtime_ns == stamp
    assert "1 as kept" in again.err
    (tmp_path / "y.html").unlink()
    assert jizhun(*words).code == 0
    assert (tmp_path / "y.html").is_file()


def test_panels_break_lines_at_gaps_and_thin_long_days() -> None:
    hours = np.linspace(0.0, 24.0, 2880)
    values = np.sin(hours)
    values[1000:1400] = np.nan
    at, thin = thinned(hours, values)
    assert at.size <= 480
    assert np.isnan(thin).any()
    picture = time_panel(TimeAxis(0.0, 24.0), at, [Line("x", "#000000", thin)], "m")
    path = re.search(r'fill="none"[^>]* d="([^"]*)"', picture)
    assert path is not None
    assert path[1].count("M") == 2
    assert "24:00" in picture
    ElementTree.fromstring(time_panel(TimeAxis(0.0, 1.0), at, [Line("x", "#000000", thin * np.nan)], "m"))


def test_bars_mark_slips_of_the_phase_and_flags_apart() -> None:
    hours = np.arange(0.0, 2.0, 0.5)
    up = np.ones((4, 1), dtype=np.bool_)
    tracked = np.array([[False], [True], [True], [False]])
    slips, flags = np.zeros((2, 4, 1), dtype=np.bool_)
    slips[1, 0] = True
    with_slip = visibility_bars(TimeAxis(0.0, 2.0), hours, ["C23"], up, tracked, slips, flags, 0.5)
    with_flag = visibility_bars(TimeAxis(0.0, 2.0), hours, ["C23"], up, tracked, flags, slips, 0.5)
    assert with_slip.count('stroke="#000000"') == with_flag.count('stroke="#000000"') + 1
    assert with_flag.count('stroke="#ffffff"') == with_slip.count('stroke="#ffffff"') + 1
    assert ">C23<" in with_slip
