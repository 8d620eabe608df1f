"""`jizhun station audit`: the sample region from files to table, map, CSV and GeoJSON."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli.app import app
from pipelines.station_audit import receivers_from_toml
from transforms.errors import InputError, JizhunError

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"
OLD = "YZTZ00CHN_R_20261160000_01D_05M_MO.crx.gz"
NEW = "TAIX00CHN_R_20261160000_01D_05M_MO.crx.gz"
OWN = '[[receiver]]\nname = "SIM OLDTIMER"\nable = false\nsource = "simulated: GPS only"\n'
runner = CliRunner()


def arguments(*names: str) -> list[str]:
    files = [str(SAMPLE / "observations" / name) for name in names]
    products = ["--products", str(SAMPLE / "products")]
    return ["station", "audit", *files, *products, "--antex", str(SAMPLE / "antex" / "simulated.atx")]


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("audit")
    table = folder / "receivers.toml"
    table.write_text(OWN)
    paths = {"html": folder / "a.html", "csv": folder / "a.csv", "geojson": folder / "a.geojson"}
    options = [part for kind, path in paths.items() for part in (f"--{kind}", str(path))]
    done = runner.invoke(
        app, [*arguments(OLD, NEW), "--receivers", str(table), "--no-solve", *options, "--json"]
    )
    assert done.exit_code == 0, done.output
    with paths["csv"].open(encoding="utf-8", newline="") as stream:
        text = stream.read()
    return {
        "json": done.stdout,
        "csv": text,
        "html": paths["html"].read_text(encoding="utf-8"),
        "geojson": paths["geojson"].read_text(encoding="utf-8"),
    }


def test_the_old_station_comes_first_and_is_to_be_replaced(outputs: dict[str, str]) -> None:
    rows = json.loads(outputs["json"])["station_days"]
    assert [(r["station"], r["readiness"]) for r in rows] == [("YZTZ", "replace"), ("TAIX", "ready")]
    old, new = rows
    assert old["gain"]["to_come"] > 0.1 > new["gain"]["to_come"]
    assert new["gain"]["had"] > 0.1
    assert (new["tracking"]["n_tracking_new"], new["tracking"]["n_sending_new"]) == (27, 27)
    assert old["antenna_readiness"]["fit"] is False
    assert new["antenna_readiness"]["fit"] is True
    assert old["solved"]["not_computed"] == "not asked for"


def test_table_and_map_say_the_same(outputs: dict[str, str]) -> None:
    rows = list(csv.DictReader(io.StringIO(outputs["csv"])))
    features = json.loads(outputs["geojson"])["features"]
    assert [r["class"] for r in rows] == ["replace", "ready"]
    for row, feature in zip(rows, features, strict=True):
        assert feature["properties"]["station"] == row["station"]
        assert feature["properties"]["pdop_full"] == float(row["pdop_full"])
        longitude, latitude = feature["geometry"]["coordinates"]
        assert (longitude, latitude) == (float(row["longitude_deg"]), float(row["latitude_deg"]))
        assert 118.0 < longitude < 123.0


def test_the_report_opens_without_a_network(outputs: dict[str, str]) -> None:
    page = outputs["html"]
    assert "<svg" in page
    assert page.count("<circle") == 2
    assert not re.search(r"(https?:)?//[a-z]", page)
    assert "SIM OLDTIMER cannot track B1C and B2a" in page
    assert "nearest (G02)" in page
    assert "2 stations, 2 station-days, 2026-04-26." in page
    assert len(page) < 100_000


def test_an_unknown_receiver_is_not_guessed_and_people_read_why() -> None:
    done = runner.invoke(app, [*arguments(OLD), "--no-solve"])
    assert done.exit_code == 0, done.output
    assert "undetermined" in done.stdout
    assert "not in the table of receivers" in done.stdout


def test_wrong_input_is_one_error(tmp_path: Path) -> None:
    missing = runner.invoke(app, ["station", "audit", str(tmp_path / "none")])
    assert missing.exit_code == 1
    assert isinstance(missing.exception, InputError)
    assert "no such folder or file" in str(missing.exception)
    assert runner.invoke(app, ["station", "audit"]).exit_code == 2
    broken = tmp_path / "broken.rnx"
    broken.write_bytes((SAMPLE / "observations" / OLD).read_bytes()[:500])
    done = runner.invoke(app, ["station", "audit", str(broken)])
    assert done.exit_code == 1
    assert isinstance(done.exception, JizhunError)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[receiver", "no readable TOML"),
        ('name = "A"', "expected [[receiver]]"),
        ("receiver = 3", "expected [[receiver]]"),
        ('[[receiver]]\nname = "A"\nable = true', "source is missing"),
        ('[[receiver]]\nname = "A"\nsource = "S"\nable = "yes"', "able is missing or neither"),
        ('[[receiver]]\nname = "A"\nsource = "S"\nable = true\nfirmware = 4.8', "firmware is no text"),
        ('[[receiver]]\nname = "A"\nsource = "S"\nable = true\ncarriers = "B1C"', "carriers is no list"),
        ('[[receiver]]\nname = "A"\nsource = "S"\nable = true\nother = 1', "known keys"),
    ],
)
def test_a_table_of_receivers_is_checked(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "receivers.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=re.escape(says)):
        receivers_from_toml(path)
