"""`jizhun station report`: one page without network, the same bytes each time, every number in place."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest

from pipelines.report_plots import residual_plot
from pipelines.station_report import first_hours, render_station_report
from pipelines.station_report_plots import (
    DIVERGING,
    SolutionSoFar,
    convergence_plot,
    sky_plot,
    zenith_delay_plot,
)
from stations.records import PhaseResiduals, QualityReport, SignalQuality, Verdict
from transforms.time_scales import Epochs

START = Epochs.from_datetime64(np.datetime64("2026-04-26", "ns"))


@pytest.fixture
def quality():
    return QualityReport(
        station="JFNG00CHN",
        first_epoch=START,
        last_epoch=START.plus_seconds(86370.0),
        interval_s=30.0,
        n_epochs=2880,
        n_epochs_expected=2880,
        completeness=1.0,
        gaps=(),
        n_cycle_slips=12,
        cycle_slips_per_thousand=0.2,
        slips_by_reason={},
        signals=(SignalQuality("C", "C5P", "B2a", 28, 20000, 44.0, 0.21),),
        signals_by_satellite={"C23": ("C5P",)},
        tracks_bds3=True,
        events=(),
        rejections={},
        verdict=Verdict.ACCEPT_WITH_REMARKS,
        reasons=("multipath of B2a is <large>",),
        inputs=(),
    )


@pytest.fixture
def steps():
    return (
        SolutionSoFar(1.0, np.array([0.012, -0.003, 0.02]), np.array([0.01, 0.005, 0.02]), "float (0%)"),
        SolutionSoFar(6.0, np.array([0.002, -0.001, 0.004]), np.array([0.003, 0.002, 0.006]), "float (0%)"),
        SolutionSoFar(12.0, None, None, "only 3 observations are left"),
    )


def sky(n=5000, bias_m=0.0):
    """Residuals all over the sky, with `bias_m` in the north-east quarter."""
    noise = np.random.default_rng(11)
    azimuth = noise.uniform(0.0, 2.0 * np.pi, n)
    return PhaseResiduals(
        epochs=START.plus_seconds(np.sort(noise.uniform(0.0, 86400.0, n))),
        satellites=("C23",),
        satellite_index=np.zeros(n, dtype=np.int64),
        azimuth_rad=azimuth,
        elevation_rad=np.arcsin(noise.uniform(0.12, 1.0, n)),
        phase_m=0.001 * noise.standard_normal(n) + np.where(azimuth < np.pi / 2.0, bias_m, 0.0),
        code_m=noise.standard_normal(n),
        accepted=np.ones(n, dtype=np.bool_),
    )


def test_the_page_asks_the_network_for_nothing_and_escapes_what_it_is_given(make_solution, quality, steps):
    solution = replace(make_solution(), remarks=("antenna <script>alert(1)</script>",))
    text = render_station_report(solution, quality, steps)
    assert not re.search(r"(src|href)\s*=|https?://|url\(|@import", text)
    assert "<script" not in text
    assert "&lt;large&gt;" in text
    assert "NaN" not in text
    assert "nan" not in re.sub(r"<[^>]*>", "", text).split()


def test_the_same_solution_gives_the_same_bytes(make_solution, quality, steps):
    one, other = (render_station_report(make_solution(), quality, steps) for _ in range(2))
    assert one == other


def test_the_numbers_stand_in_the_page(make_solution, quality, steps):
    solution = make_solution()
    text = render_station_report(solution, quality, steps)
    for expected in (
        f"{solution.position_ecef_m[0]:.4f}",
        "TRM59800.00     NONE",
        "below the elevation cut-off",
        "antenna TRM59800.00 has no calibration for C05",
        "+12.0",
        "only 3 observations are left",
        "B2a",
        "a" * 64,
    ):
        assert expected in text


def test_a_solution_without_residuals_has_a_report_too(make_solution, quality):
    text = render_station_report(make_solution(residuals=False), quality, ())
    assert "Residuals over the sky" not in text
    assert "Convergence" not in text


@pytest.mark.parametrize("spread", [False, True])
def test_sky_plots_are_well_formed(spread):
    root = ElementTree.fromstring(sky_plot(sky(), spread=spread))
    assert len(root.findall("path")) > 2
    assert not re.search(r"nan|inf", ElementTree.tostring(root, encoding="unicode"))


def test_a_bias_in_the_north_east_is_drawn_there_and_nowhere_else():
    root = ElementTree.fromstring(sky_plot(sky(bias_m=0.02), spread=False))
    red = "".join(str(path.get("d")) for path in root.findall("path") if path.get("fill") in DIVERGING[6:])
    corners = np.array([[float(v) for v in pair] for pair in re.findall(r"M([\d.]+) ([\d.]+)", red)])
    centre = 150.0
    assert corners.shape[0] > 20
    assert np.all(corners[:, 0] >= centre - 0.1)
    assert np.all(corners[:, 1] <= centre + 0.1)


def test_the_zenith_delay_goes_up_where_the_delay_grows(make_solution):
    delays = make_solution().zenith_delays
    rising = replace(delays, total_m=2.3 + 0.01 * np.arange(len(delays.epochs)))
    root = ElementTree.fromstring(zenith_delay_plot(rising))
    points = root.find("polyline").get("points").split()
    heights = [float(point.split(",")[1]) for point in points]
    assert heights == sorted(heights, reverse=True)  # downwards in pictures
    assert root.find("polygon") is not None


def test_convergence_shows_three_components_for_each_step(steps):
    root = ElementTree.fromstring(convergence_plot(steps))
    assert len(root.findall("circle")) == 6


@pytest.mark.real_data
@pytest.mark.xdist_group("bor1")
def test_report_of_a_real_station(jizhun, real_data, tmp_path):
    folder = real_data / "bor1_2024035"
    page = tmp_path / "new" / "bor1.html"
    result = jizhun(
        "station", "report", folder / "BOR100POL_R_20240350000_01D_30S_MO.crx.gz",
        "--products", folder / "GRG0MGXFIN_20240350000_01D_05M_ORB.SP3.gz",
        "--antex", real_data / "atx" / "igs20_2385_sats_plus_6rcv.atx.gz",
        "--systems", "GE", "--out", page,
    )  # fmt: skip
    assert result.code == 0, result.err
    text = page.read_text(encoding="utf-8")
    assert text.count("<svg") == 5
    for title in ("Phase residuals", "Residuals over the sky", "Troposphere", "Convergence", "Observations"):
        assert title in text
    assert len(text) < 600_000


def test_the_first_hours_are_cut_and_short_sessions_have_none():
    import xarray as xr

    from stations.records import AntennaType, Observations, StationHeader, StationSetup

    epoch = np.datetime64("2026-04-26", "ns") + np.arange(481) * np.timedelta64(30, "s")  # four hours
    setup = StationSetup("", "", "", AntennaType("X"), (0.0, 0.0, 0.0))
    observations = Observations(
        xr.Dataset(coords={"epoch": epoch}), StationHeader("TEST", "", setup, None, {}, "3.05")
    )
    part = first_hours(observations, 2.0)
    assert part is not None
    assert len(part.epochs) == 241
    assert first_hours(observations, 4.0) is None


def test_a_missing_file_is_one_line_of_error(jizhun, tmp_path):
    result = jizhun(
        "station", "report", tmp_path / "a.rnx", "--products", tmp_path, "--out", tmp_path / "a.html"
    )
    assert result.code == 1
    assert len(result.err.strip().splitlines()) == 1
    assert not (tmp_path / "a.html").exists()


def test_residuals_are_drawn_higher_than_in_the_regions_report():
    few = sky(n=50)
    low, high = residual_plot(few), residual_plot(few, cells_up=75)
    heights = [float(re.search(r'viewBox="0 0 \d+ (\d+)"', plot)[1]) for plot in (low, high)]
    assert heights[1] - heights[0] == 2 * (75 - 40)
    rows = [int(y) for y in re.findall(r"M\d+ (\d+)\.5h", high)]
    assert max(rows) < 75
    assert max(rows) > 40
    assert 'svg class="sky"' in sky_plot(few, spread=True)
    ElementTree.fromstring(high)


@pytest.mark.parametrize(
    ("first", "last", "labels"),
    [
        ("00:00:00", "23:59:30", ["0 h", "6 h", "12 h", "18 h", "24 h"]),
        ("07:00:00", "07:59:30", ["7 h", "7:15", "7:30", "7:45", "8 h"]),
        ("09:58:00", "13:02:00", ["8 h", "10 h", "12 h", "14 h"]),
    ],
)
def test_residuals_lie_over_the_hours_of_their_session(first, last, labels):
    day = np.datetime64("2024-02-04")
    ends = [np.datetime64(f"2024-02-04T{clock}") - day for clock in (first, last)]
    some = sky(n=50)
    moments = day + np.linspace(*(e.astype("timedelta64[s]").astype(float) for e in ends), 50).astype(
        "timedelta64[s]"
    )
    plot = residual_plot(replace(some, epochs=Epochs.from_datetime64(moments)))
    written = re.findall(r">(\d+ h|\d+:\d\d)<", plot)
    assert written == labels
