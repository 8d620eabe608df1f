"""A discontinuity parts a station's days: its two positions can be told apart in every product."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyogrio
import pytest

from datum.records import NetworkSolution
from pipelines.horizontal_product import station_coordinates, write_horizontal_product
from pipelines.records import RegionResult
from pipelines.region_run import RegionOutcome
from pipelines.report import render_report
from pipelines.report_map import map_data
from pipelines.settings import read_region
from transforms.time_scales import Epochs

pytestmark = pytest.mark.xdist_group("region")

NEXT_DAY = ("2026-04-27T00:00:00", "2026-04-27T23:55:00")


@pytest.fixture
def parted(first_run: tuple[Path, RegionOutcome]) -> tuple[NetworkSolution, RegionResult]:
    """The small region, whose last station has a second solution 30 mm higher on the next day."""
    path, outcome = first_run
    network = outcome.result.network
    assert network is not None
    last = network.stations[-1]
    up = last.position_ecef_m / np.linalg.norm(last.position_ecef_m)
    second = replace(
        last,
        solution_number=2,
        position_ecef_m=last.position_ecef_m + 0.03 * up,
        days=("2026-117",),
        first_epoch=Epochs.from_datetime64(NEXT_DAY[0]),
        last_epoch=Epochs.from_datetime64(NEXT_DAY[1]),
    )
    covariance = np.pad(network.covariance_m2, ((0, 3), (0, 3)))
    covariance[-3:, -3:] = last.covariance_m2
    network = replace(network, stations=(*network.stations, second), covariance_m2=covariance)
    coordinates = station_coordinates(network, read_region(path), {})
    return network, replace(outcome.result, network=network, coordinates=coordinates)


def test_tables_and_layers_say_which_days(
    parted: tuple[NetworkSolution, RegionResult], tmp_path: Path
) -> None:
    network, result = parted
    name = network.stations[-1].station
    write_horizontal_product(tmp_path, network, result.coordinates)
    with (tmp_path / "stations.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["station"] == name]
    assert [(row["solution_number"], row["first_epoch"][:10]) for row in rows] == [
        ("1", "2026-04-26"), ("1", "2026-04-26"), ("2", "2026-04-27"), ("2", "2026-04-27"),
    ]  # fmt: skip
    assert all(f"solution {row['solution_number']} of 2" in row["remark"] for row in rows)
    metadata, _, _, fields = pyogrio.raw.read(tmp_path / "stations.gpkg", layer="stations_cgcs2000")
    layer = dict(zip(metadata["fields"], fields, strict=True))
    found = [k for k, station in enumerate(layer["station"]) if station == name]
    assert [layer["last_epoch"][k][:10] for k in found] == ["2026-04-26", "2026-04-27"]
    assert [layer["remark"][k].partition(":")[0] for k in found] == ["solution 1 of 2", "solution 2 of 2"]
    others = [k for k in range(len(layer["station"])) if k not in found]
    assert all("solution" not in (layer["remark"][k] or "") for k in others)


def test_the_report_says_which_days_and_labels_a_place_once(
    parted: tuple[NetworkSolution, RegionResult],
) -> None:
    _, result = parted
    name = result.coordinates[-1].station
    data, _ = map_data(result.coordinates, {name})
    labels = [station["label"] for station in data["stations"]]
    assert labels[-2:] == [f"{name}, {name}:2", ""]
    assert all(labels[:-1])
    html = render_report(result)
    for text in ("2026-116", "2026-117", "solution 1 of 2", "solution 2 of 2"):
        assert text in html
    for component in "ENU":
        assert f"residual {component} m" in html
    assert "residual 1 m" not in html


def test_wide_texts_of_the_report_wrap(first_run: tuple[Path, RegionOutcome]) -> None:
    html = render_report(first_run[1].result)
    section = html.partition("Daily solutions")[2].partition("<h2>")[0]
    assert section.count('class="long ') == 3 * 4  # signals, rejected, remarks of four station-days
