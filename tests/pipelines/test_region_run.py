"""The main job on a small region: products, reuse, failures that do not kill, bad input."""

import csv
import gzip
import hashlib
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyogrio
import pytest

from pipelines import station_day as station_day_module
from pipelines.catalogue.publish import Catalogue
from pipelines.progress import SilentProgress
from pipelines.records import StationDayStatus
from pipelines.region_run import RegionOutcome, plan_region, run_region_local
from pipelines.station_day import is_kept, read_station_day, run_station_day, with_antenna
from stations.formats.rinex_observation import read_observations
from stations.formats.sinex import read_sinex
from stations.records import Verdict
from transforms.errors import JizhunError

pytestmark = pytest.mark.xdist_group("region")  # one worker simulates and runs the region once

RegionMaker = Callable[..., Path]
# Simulated truth against a float solution of one day: what the issue asks of real stations.
HORIZONTAL_LIMIT_M = 0.03
UP_LIMIT_M = 0.05


def run(region: Path) -> RegionOutcome:
    return run_region_local(region, progress=SilentProgress())


def catalogue_bytes(folder: Path) -> dict[str, str]:
    products = folder / "products"
    return {
        path.relative_to(products).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(products.rglob("*"))
        if path.is_file()
    }


def test_products_open_and_a_second_run_reuses_everything(first_run: tuple[Path, RegionOutcome]) -> None:
    region, first = first_run
    result = first.result
    assert [item.status for item in result.station_days] == [StationDayStatus.SOLVED] * 4
    assert not any(item.reused_solution for item in result.station_days)
    kinds = [item.product.description.kind for item in first.publications]
    assert kinds[:3] == ["horizontal", "height", "gravity"]
    assert kinds[-1] == "report"
    assert all(item.created for item in first.publications)

    for difference in result.truth:
        assert difference.enu_m is not None
        assert max(map(abs, difference.enu_m[:2])) < HORIZONTAL_LIMIT_M
        assert abs(difference.enu_m[2]) < UP_LIMIT_M
    assert len(result.truth) == 4

    horizontal = first.publications[0].folder
    layers = {str(name): kind for name, kind in pyogrio.list_layers(horizontal / "stations.gpkg")}
    assert set(layers) == {"stations_cgcs2000", "stations_cgcs2000_3d", "stations_igs20"}
    expected = {
        "stations_cgcs2000": "EPSG:4490",
        "stations_cgcs2000_3d": "EPSG:4480",
        "stations_igs20": "EPSG:10177",
    }
    for layer, crs in expected.items():
        information = pyogrio.read_info(horizontal / "stations.gpkg", layer=layer)
        assert (information["crs"], information["features"]) == (crs, 4)
    collection = json.loads((horizontal / "stations.geojson").read_text())
    assert collection["type"] == "FeatureCollection"
    assert "crs" not in collection  # RFC 7946, section 4
    for feature in collection["features"]:
        longitude, latitude, _ = feature["geometry"]["coordinates"]
        assert 118 < longitude < 123
        assert 29 < latitude < 33
    document = read_sinex(horizontal / "network.snx")
    assert len(document.estimates) == 12
    assert document.covariance is not None
    assert document.covariance.shape == (12, 12)
    report = (first.publications[-1].folder / "report.html").read_bytes()
    assert len(report) < 1_000_000
    for trace in (b"http://", b'src="', b"<link", b"sourceMappingURL"):
        found = report.replace(b"http://www.w3.org/", b"").find(trace)
        assert found < 0, report[max(found - 80, 0) : found + 80]

    before = catalogue_bytes(region.parent / "catalogue")
    second = run(region)
    assert all(item.reused_solution and item.reused_quality for item in second.result.station_days)
    assert all(item.reused for item in second.result.reuse)
    assert not any(item.created for item in second.publications)
    assert catalogue_bytes(region.parent / "catalogue") == before
    assert Catalogue(region.parent / "catalogue").verify() == []


def test_station_heights_name_their_frame_and_add_up(first_run: tuple[Path, RegionOutcome]) -> None:
    result, publications = first_run[1].result, first_run[1].publications
    folder = next(p.folder for p in publications if p.product.description.kind == "height")
    with (folder / "station_heights.csv").open(newline="") as file:
        rows = {row["station"]: row for row in csv.DictReader(file)}
    with (publications[0].folder / "stations.csv").open(newline="") as file:
        places = {(row["station"], row["frame"]): row for row in csv.DictReader(file)}
    assert len(rows) == 4
    for station, row in rows.items():
        assert (row["frame"], row["epoch"][:10]) == ("CGCS2000", "2000-01-01")
        assert row["epoch"] == places[station, "CGCS2000"]["epoch"]
        assert row["ellipsoidal_height_m"] == places[station, "CGCS2000"]["ellipsoidal_height_m"]
        h, tide, normal, anomaly = (
            Decimal(row[name])
            for name in ("ellipsoidal_height_m", "permanent_tide_m", "normal_height_m", "height_anomaly_m")
        )
        assert h + tide - normal == anomaly
        assert h != Decimal(places[station, "IGS20"]["ellipsoidal_height_m"])
    for item in result.station_heights:
        total = item.ellipsoidal_height_m + item.permanent_tide_m - item.normal_height_m
        assert total == pytest.approx(item.height_anomaly_m, abs=1e-9)
    metadata, _, _, fields = pyogrio.raw.read(folder / "heights.gpkg", layer="station_heights")
    layer = dict(zip(metadata["fields"], fields, strict=True))
    assert set(layer["frame"]) == {"CGCS2000"}
    assert set(layer["tide_system"]) == {"mean-tide"}
    assert all("1985" in name for name in layer["vertical_datum"])
    for name, row in rows.items():
        k = list(layer["station"]).index(name)
        for field in ("permanent_tide_m", "height_anomaly_m", "ellipsoidal_height_m"):
            assert layer[field][k] == pytest.approx(float(row[field]), abs=1e-9)


def test_products_of_a_simulation_say_so_and_others_do_not(
    first_run: tuple[Path, RegionOutcome], small_region: RegionMaker
) -> None:
    region = small_region()
    region.write_text(region.read_text().replace("simulated = true\n", ""))
    for outcome, simulated in ((first_run[1], True), (run(region), False)):
        assert outcome.result.simulated is simulated
        tables = 0
        for item in outcome.publications:
            assert item.product.description.simulated is simulated
            for path in item.folder.rglob("*"):
                text = path.read_bytes().lower()
                match path.suffix:
                    case ".csv":
                        tables += 1
                        with path.open(encoding="utf-8", newline="") as file:
                            assert {row.get("simulated") for row in csv.DictReader(file)} == (
                                {"yes"} if simulated else {None}
                            )
                    case ".snx":
                        assert (b"simulated data" in text) is simulated
                    case ".geojson":
                        features = json.loads(text)["features"]
                        assert {f["properties"].get("simulated", False) for f in features} == {simulated}
                    case ".gpkg":
                        with closing(sqlite3.connect(path)) as database:
                            rows = database.execute("select description from gpkg_contents").fetchall()
                        assert rows
                        assert {"Simulated" in row[0] for row in rows} == {simulated}
                    case ".html":
                        assert ("no real observation" in text.decode()) is simulated
                    case ".proj":
                        assert text.startswith(b"+proj=pipeline")
                    case ".json":
                        assert json.loads(text).get(
                            "simulated", False
                        ) is simulated or "product" in json.loads(text)
                    case _:
                        assert path.is_dir(), path
        assert tables >= 6


def test_the_manifest_holds_the_settings_and_names_their_file(
    first_run: tuple[Path, RegionOutcome],
) -> None:
    region, outcome = first_run
    for item in outcome.publications:
        manifest = json.loads((item.folder / "manifest.json").read_text())["product"]
        settings = manifest["settings"]
        assert settings["region"]["datum_frame"] == "CGCS2000"
        assert settings["processing"]["elevation_cutoff_deg"] == 7.0  # what stood nowhere, too
        assert settings["heights"]["lines"] == "lines.csv"
        text = json.dumps(settings, sort_keys=True, ensure_ascii=True)
        assert hashlib.sha256(text.encode()).hexdigest() == manifest["settings_sha256"]
        assert {
            "name": "REGION.toml",
            "sha256": hashlib.sha256(region.read_bytes()).hexdigest(),
        } in manifest["inputs"]


def test_products_do_not_know_where_they_were_made(
    first_run: tuple[Path, RegionOutcome], small_region: RegionMaker
) -> None:
    first, second = first_run[0], small_region("elsewhere")
    shutil.rmtree(second.parent / "work")
    run(second)
    assert catalogue_bytes(first.parent / "catalogue") == catalogue_bytes(second.parent / "catalogue")
    for path in (first.parent / "catalogue" / "products").rglob("*"):
        if path.is_file():
            assert str(first.parent).encode() not in path.read_bytes(), path


def test_a_changed_file_is_computed_again_and_nothing_else(small_region: RegionMaker) -> None:
    region = small_region()
    path = next((region.parent / "observations").glob("HUSH*"))
    text = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(text, compresslevel=1, mtime=0))
    result = run(region).result
    assert {item.station[:4]: item.reused_solution for item in result.station_days} == {
        "NJLS": True, "HUSH": False, "MGSH": True, "YZTZ": True,
    }  # fmt: skip


def test_a_failing_station_does_not_kill_the_region(small_region: RegionMaker) -> None:
    region = small_region()
    path = next((region.parent / "observations").glob("YZTZ*"))
    text = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(text[: len(text) // 2] + b"\x00\x01\x02", mtime=0))
    (region.parent / "observations" / "empty.rnx").write_bytes(b"")
    outcome = run(region)
    status = {item.station[:4]: item.status for item in outcome.result.station_days}
    assert status.pop("YZTZ") is StationDayStatus.FAILED
    assert set(status.values()) == {StationDayStatus.SOLVED}
    assert outcome.publications
    problems = "\n".join(outcome.result.problems)
    assert "YZTZ00CHN 2026-116: failed" in problems
    assert "empty.rnx: the file is empty" in problems


def leave_half_an_hour(region: Path, station: str) -> None:
    """Cut a station's file after its first epochs, which quality control rejects."""
    from stations.formats.compression import read_bytes

    path = next((region.parent / "observations").glob(f"{station}*"))
    plain, _ = read_bytes(path)
    head, _, body = plain.partition(b"END OF HEADER")
    epochs = body.split(b"\n>")
    path.write_bytes(head + b"END OF HEADER" + b"\n>".join(epochs[:30]) + b"\n")


def test_a_rejected_station_day_is_not_solved(small_region: RegionMaker) -> None:
    region = small_region()
    leave_half_an_hour(region, "MGSH")
    outcome = run(region)
    found = next(item for item in outcome.result.station_days if item.station.startswith("MGSH"))
    assert found.status is StationDayStatus.REJECTED
    assert found.solution is None
    report = next(p for p in outcome.publications if p.product.description.kind == "report")
    html = (report.folder / "report.html").read_text()
    assert found.quality is not None
    assert "rejected by quality control" in html
    assert found.quality.reasons[0].split(",")[0].replace("<", "&lt;") in html


def test_a_rejected_station_day_is_solved_where_it_is_forced_and_stands_among_the_problems(
    small_region: RegionMaker,
) -> None:
    region = small_region()
    leave_half_an_hour(region, "MGSH")
    text = region.read_text()
    region.write_text(text.replace("[processing]", "[processing]\nsolve_rejected = true"))
    outcome = run(region)
    found = next(item for item in outcome.result.station_days if item.station.startswith("MGSH"))
    assert found.quality is not None
    assert found.quality.verdict is Verdict.REJECT
    # Forced, it is tried: solved with the reason beside it, or failed in the solution itself.
    assert found.status in {StationDayStatus.SOLVED, StationDayStatus.FAILED}
    assert found.message != "; ".join(found.quality.reasons)
    told = [line for line in outcome.result.problems if "MGSH" in line]
    assert any("although rejected" in line or "failed" in line for line in told), told


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("no products of the day", r"another day"),
        ("centre that is not there", r"XYZ"),
        ("no antex", r"antenna|ANTEX|calibration"),
        ("no common satellites", r"no common satellites: J"),
        ("truncated products", r"SP3.*(cut off|truncated)"),
        ("binary products", r"SP3"),
        ("wrong version of products", r"no SP3 file of orbits"),
    ],
)
def test_what_cannot_be_solved_publishes_no_coordinates(
    small_region: RegionMaker, case: str, words: str, jizhun: Callable[..., Any]
) -> None:
    region = small_region()
    for path in (region.parent / "observations").iterdir():
        if not path.name.startswith("NJLS"):
            path.unlink()  # one station is enough to fail
    text = region.read_text()
    if case == "no common satellites":
        text = text.replace('systems = "GEC"', 'systems = "J"')
    elif case == "centre that is not there":
        text = text.replace('centre = "SIM"', 'centre = "XYZ"')
    elif case == "no antex":
        text = re.sub(r"^antex = .*$", "", text, flags=re.M)
    text = text.replace("[processing]", "[processing]\nallow_missing_stations = true")
    region.write_text(text)
    products = region.parent / "products"
    orbit = next(path for path in products.iterdir() if "SP3" in path.name)
    content = gzip.decompress(orbit.read_bytes())
    if case == "no products of the day":
        region.write_text(text.replace("2026-116", "2026-117"))
        for path in sorted((region.parent / "observations").iterdir()):
            plain = path.name.replace("2026116", "2026117")
            path.rename(path.with_name(plain))
        shift_days(region.parent / "observations")
    elif case == "truncated products":
        orbit.write_bytes(gzip.compress(content[: len(content) // 3]))
    elif case == "binary products":
        orbit.write_bytes(bytes(range(256)) * 20)
    elif case == "wrong version of products":
        orbit.write_bytes(gzip.compress(b"#z" + content[2:]))
    done = jizhun("run", region, "--engine", "local")
    assert done.code == 1, done.out + done.err
    last = done.err.strip().splitlines()[-1]
    assert last.startswith("jizhun: ")
    assert "nothing could be published: no station-day could be solved" in last
    problem = next(line for line in done.out.splitlines() if line.startswith("! NJLS"))
    assert re.search(words, problem), problem
    assert "Traceback" not in done.out + done.err
    assert Catalogue(region.parent / "catalogue").versions() == []


def shift_days(folder: Path) -> None:
    """Make observation files of a day a year later, for which there are no products."""
    from stations.formats.compression import read_bytes

    for path in sorted(folder.iterdir()):
        plain, _ = read_bytes(path)
        path.unlink()
        text = plain.replace(b"> 2026 04 26", b"> 2026 05 27").replace(
            b"  2026     4    26", b"  2026     5    27"
        )
        (folder / (path.name.split("_")[0] + ".rnx")).write_bytes(text)
    region = folder.parent / "REGION.toml"
    region.write_text(region.read_text().replace("2026-117", "2026-147"))


@pytest.mark.parametrize("case", ["no stations of the region", "no folder", "no file", "other day"])
def test_what_cannot_begin_is_one_line(
    small_region: RegionMaker, case: str, jizhun: Callable[..., Any]
) -> None:
    region = small_region()
    observations = region.parent / "observations"
    if case == "no stations of the region":
        text = region.read_text()
        for marker in ("NJLS", "HUSH", "MGSH", "YZTZ"):
            text = text.replace(f'"{marker}00CHN"', f'"{marker[::-1]}00CHN"')
        region.write_text(text)
    elif case == "no folder":
        shutil.rmtree(observations)
    elif case == "no file":
        for path in observations.iterdir():
            path.unlink()
    else:
        region.write_text(region.read_text().replace("2026-116", "2026-200"))
    done = jizhun("run", region)
    assert done.code == 1
    assert len(done.err.strip().splitlines()) == 1
    assert done.err.startswith("jizhun: ")
    assert not (region.parent / "catalogue").exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lines", '"heights/lines.csv"'),
        ("bench_marks", '"heights/bench_marks.csv"'),
        ("readings", '"gravity/readings.csv"'),
        ("absolute", '"gravity/absolute.csv"'),
        ("file", '"common_points/common_points.csv"'),
        ("antex", '["antex/simulated.atx"]'),
        ("ocean_loading", '"ocean_loading/simulated.blq"'),
    ],
)
def test_a_named_file_that_is_missing_ends_the_run(
    small_region: RegionMaker, key: str, value: str, jizhun: Callable[..., Any]
) -> None:
    region = small_region()
    text = region.read_text()
    assert f"{key} = {value}" in text
    region.write_text(text.replace(f"{key} = {value}", f"{key} = {value.replace('/', '/not_')}"))
    done = jizhun("run", region, "--engine", "local")
    assert done.code == 1
    assert len(done.err.strip().splitlines()) == 1
    assert re.search(rf"\.{key}: .*not_\w+\.\w+ does not exist", done.err)
    assert not (region.parent / "catalogue").exists()


def test_a_station_without_any_file_ends_the_run_unless_it_may_be_missing(
    small_region: RegionMaker, jizhun: Callable[..., Any]
) -> None:
    region = small_region()
    next((region.parent / "observations").glob("YZTZ*")).unlink()
    done = jizhun("run", region, "--engine", "local")
    assert done.code == 1
    assert len(done.err.strip().splitlines()) == 1
    assert "no observation file at all of YZTZ00CHN" in done.err
    assert not (region.parent / "catalogue").exists()
    region.write_text(
        region.read_text().replace("[processing]", "[processing]\nallow_missing_stations = true")
    )
    outcome = run(region)
    status = {item.station[:4]: item.status for item in outcome.result.station_days}
    assert status["YZTZ"] is StationDayStatus.MISSING
    assert outcome.publications


def test_a_damaged_levelling_file_leaves_the_coordinates(small_region: RegionMaker) -> None:
    region = small_region()
    (region.parent / "heights" / "lines.csv").write_text("line,from\n1,2\n")
    outcome = run(region)
    kinds = {item.product.description.kind for item in outcome.publications}
    assert "horizontal" in kinds
    assert "height" not in kinds
    assert any(text.startswith("heights: ") and "lines.csv" in text for text in outcome.result.problems)


def test_unwritable_catalogue_is_told(small_region: RegionMaker) -> None:
    region = small_region()
    (region.parent / "catalogue").write_text("a file is in the way")
    with pytest.raises(JizhunError, match="catalogue cannot be written"):
        run(region)


RUN_SCRIPT = """
import sys
from pathlib import Path
from pipelines.progress import SilentProgress
from pipelines.region_run import run_region_local
run_region_local(Path(sys.argv[1]), progress=SilentProgress())
"""


def test_a_killed_run_is_completed_by_the_next(
    first_run: tuple[Path, RegionOutcome], small_region: RegionMaker
) -> None:
    region = small_region()
    for path in (region.parent / "work" / "stages" / "network").iterdir():
        path.unlink()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    moments = random.Random(7)
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", RUN_SCRIPT, str(region)], env=environment)
        time.sleep(moments.uniform(0.8, 2.4))
        process.kill()
        process.wait()
        catalogue = Catalogue(region.parent / "catalogue")
        assert not catalogue.folder.exists() or catalogue.verify() == []
    run(region)
    assert catalogue_bytes(region.parent / "catalogue") == catalogue_bytes(first_run[0].parent / "catalogue")


def test_a_defect_costs_its_station_only(small_region: RegionMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    region = small_region()
    path = next((region.parent / "observations").glob("YZTZ*"))
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), compresslevel=1, mtime=0))

    def divide(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a slip of the pen")

    plan = plan_region(region)
    task = next(task for task in plan.tasks if task.station.startswith("YZTZ"))
    monkeypatch.setattr(station_day_module, "quality_report", divide)
    found = read_station_day(run_station_day(task))
    assert found.status is StationDayStatus.FAILED
    assert "a defect of Jizhun (ZeroDivisionError: a slip of the pen)" in found.message
    trace = found.message.rpartition("with ")[2]
    assert "a slip of the pen" in Path(trace).read_text()


def test_a_worker_that_dies_is_told(small_region: RegionMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    region = small_region()
    path = next((region.parent / "observations").glob("YZTZ*"))
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), compresslevel=1, mtime=0))

    def submit(pool: Any, function: Any, task: Any) -> Any:
        if function is run_station_day:
            return original(pool, os._exit, 9)  # as the system's out-of-memory killer would end it
        return original(pool, function, task)

    original = ProcessPoolExecutor.submit
    monkeypatch.setattr(ProcessPoolExecutor, "submit", submit)
    days = run(region).result.station_days
    status = {item.station[:4]: item.status for item in days}
    assert status["YZTZ"] is StationDayStatus.FAILED
    assert "its process died" in next(item.message for item in days if item.station.startswith("YZTZ"))
    assert status["NJLS"] is StationDayStatus.SOLVED


def test_without_a_velocity_there_are_no_national_coordinates(small_region: RegionMaker) -> None:
    region = small_region()
    head, _, tail = region.read_text().partition('code = "YZTZ00CHN"')
    block, separator, rest = tail.partition("\n[")
    kept = "\n".join(line for line in block.splitlines() if not line.startswith("velocity"))
    region.write_text(head + 'code = "YZTZ00CHN"' + kept + separator + rest)
    outcome = run(region)
    entry = next(item for item in outcome.result.coordinates if item.station == "YZTZ00CHN")
    assert entry.datum_position_ecef_m is None
    assert "no velocity is known for YZTZ00CHN" in entry.remark
    assert any("YZTZ00CHN: not in CGCS2000" in text for text in outcome.result.problems)
    height = next(item for item in outcome.result.station_heights if item.station == "YZTZ00CHN")
    assert (height.frame, height.epoch[:10]) == ("IGS20", "2026-04-26")
    layers = outcome.publications[0].folder / "stations.gpkg"
    assert pyogrio.read_info(layers, layer="stations_cgcs2000")["features"] == 3
    assert pyogrio.read_info(layers, layer="stations_igs20")["features"] == 4


def test_an_antenna_in_the_settings_goes_before_the_header(small_region: RegionMaker) -> None:
    region = small_region()
    path = next((region.parent / "observations").glob("NJLS*"))
    observations = read_observations([path])
    changed = with_antenna(observations, "SIM GEODETIC    NONE").header.setup.antenna
    assert (changed.name, changed.radome) == ("SIM GEODETIC", "NONE")
    assert observations.header.setup.antenna.name != "SIM GEODETIC"
    text = region.read_text().replace(
        'code = "NJLS00CHN"', 'code = "NJLS00CHN"\nantenna = "SIM GEODETIC    NONE"'
    )
    region.write_text(text)
    plans = {task.station: task for task in plan_region(region).tasks}
    assert plans["NJLS00CHN"].antenna == "SIM GEODETIC    NONE"
    assert not is_kept(plans["NJLS00CHN"])
    assert is_kept(plans["HUSH00CHN"])
