"""Every command: help with an example, JSON alone on stdout, one line and the exit code for bad input."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.catalogue.publish import Catalogue
from pipelines.solution_json import solution_file_bytes
from stations.records import StationSolution

Command = Callable[..., Any]
COMMANDS = [
    ("run",), ("simulate",), ("station", "solve"), ("station", "qc"), ("network", "combine"),
    ("network", "adjust"), ("network", "compare"),
    ("frame", "transform"), ("height", "adjust"), ("gravity", "adjust"), ("publish",), ("catalogue", "ls"),
    ("catalogue", "show"), ("catalogue", "verify"),
]  # fmt: skip
LINES = """line,from,to,height_difference_m,length_km
1,A,B,1.0000,4.0
2,B,C,2.0010,4.0
3,C,A,-2.9990,4.0
"""
MARKS = """bench_mark,height_m
A,100.0000
"""
READINGS = """instrument,loop,point,time_utc,reading_mgal,sigma_mgal,tide_corrected
G1,1,P,2026-04-10T01:00:00,4000.000,0.010,yes
G1,1,Q,2026-04-10T02:00:00,4010.000,0.010,yes
G1,1,P,2026-04-10T03:00:00,4000.020,0.010,yes
G1,1,Q,2026-04-10T04:00:00,4010.020,0.010,yes
"""
ABSOLUTE = """point,gravity_mgal,sigma_mgal
P,979500.000,0.005
"""
JFNG = ("-2279829.0", "5004706.0", "3219777.0")


def one_line(result: Any, code: int = 1) -> str:
    assert result.code == code, result.out + result.err
    lines = result.err.strip().splitlines()
    assert len(lines) == 1, result.err
    assert lines[0].startswith("jizhun: ")
    assert "Traceback" not in result.err
    assert result.out == ""
    return lines[0]


@pytest.fixture
def bad_file(tmp_path: Path) -> Callable[[str], Path]:
    def make(kind: str) -> Path:
        path = tmp_path / f"{kind}.input"
        if kind == "empty":
            path.write_bytes(b"")
        elif kind == "binary":
            path.write_bytes(bytes(range(256)) * 40)
        elif kind == "other":
            path.write_text("this is a letter to a friend\n" * 20)
        return path

    return make


def test_help_is_a_map(jizhun: Command) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from pipelines.cli.app import main; main()", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    for word in (
        "run",
        "station",
        "network",
        "frame",
        "height",
        "gravity",
        "publish",
        "catalogue",
        "simulate",
    ):
        assert re.search(rf"^\W*{word}\s", done.stdout, re.M), word


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\nimport pipelines.cli.app\n"
        "print([m for m in ('numpy','scipy','xarray','prefect','sqlalchemy','pydantic','pyogrio') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(command: tuple[str, ...], jizhun: Command) -> None:
    result = jizhun(*command, "--help")
    assert result.code == 0
    assert "Example: jizhun" in result.out
    assert "--json" in result.out


def test_version(jizhun: Command) -> None:
    result = jizhun("--version")
    assert result.code == 0
    assert re.fullmatch(r"jizhun \d+\.\d+\.\d+\n", result.out)


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("run",),
        ("run", "x.toml", "--engine", "steam"),
        ("station", "solve", "x.rnx"),
        ("station", "solve", "x.rnx", "--products", "p", "--ambiguities", "maybe"),
        ("station", "solve", "x.rnx", "--products", "p", "--systems", "GX"),
        ("station", "solve", "x.rnx", "--products", "p", "--systems", "GG"),
        ("station", "solve", "x.rnx", "--products", "p", "--systems", ""),
        ("station", "solve", "x.rnx", "--products", "p", "--interval", "-1"),
        ("network", "combine", "a.json", "--control", "c.csv"),
        ("network", "combine", "a.json", "--control", "c.csv", "--out", "o", "--alignment", "magic"),
        ("frame", "transform", "1", "2"),
        ("frame", "transform", "1", "2", "three", "--epoch", "2020-01-01"),
        ("frame", "transform", *JFNG),
        ("frame", "transform", *JFNG, "--epoch", "abc"),
        ("frame", "transform", *JFNG, "--epoch", "2020-01-01", "--to-epoch", "abc"),
        ("frame", "transform", "stations.csv", "--epoch", "abc"),
        ("height", "adjust", "a.csv"),
        ("height", "adjust", "a.csv", "b.csv", "--order", "7"),
        ("publish", "x", "--catalogue", "c"),
        ("catalogue", "show", "c", "p", "--version", "0"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2(words: tuple[str, ...], jizhun: Command) -> None:
    result = jizhun(*words)
    assert result.code == 2
    assert "Traceback" not in result.err
    assert result.out == ""


@pytest.mark.parametrize("kind", ["missing", "empty", "binary", "other"])
@pytest.mark.parametrize(
    "command",
    [
        ("run", "{bad}"),
        ("run", "{bad}", "--engine", "local"),
        ("station", "qc", "{bad}"),
        ("station", "qc", "{bad}", "--json"),
        ("station", "solve", "{bad}", "--products", "{tmp}"),
        ("network", "combine", "{bad}", "--control", "{control}", "--out", "{tmp}/o"),
        ("network", "combine", "{solution}", "--control", "{bad}", "--out", "{tmp}/o"),
        ("frame", "transform", "{bad}", "--epoch", "2020-01-01"),
        ("height", "adjust", "{bad}", "{marks}"),
        ("height", "adjust", "{lines}", "{bad}"),
        ("gravity", "adjust", "{bad}", "{absolute}"),
        ("gravity", "adjust", "{readings}", "{bad}"),
        ("publish", "{bad}", "--catalogue", "{tmp}/c", "--product", "p"),
        ("catalogue", "ls", "{bad}"),
        ("catalogue", "show", "{bad}", "p"),
        ("catalogue", "verify", "{bad}"),
    ],
    ids=" ".join,
)
def test_bad_input_is_one_line_and_exit_code_1(
    command: tuple[str, ...],
    kind: str,
    bad_file: Callable[[str], Path],
    tmp_path: Path,
    jizhun: Command,
    make_solution: Callable[..., StationSolution],
) -> None:
    good = {
        "control": "station,frame,epoch,x_m,y_m,z_m\nJFNG,IGS20,2020-01-01,-2279829.0,5004706.0,3219777.0\n",
        "lines": LINES,
        "marks": MARKS,
        "readings": READINGS,
        "absolute": ABSOLUTE,
    }
    places = {"bad": str(bad_file(kind)), "tmp": str(tmp_path)}
    for name, text in good.items():
        places[name] = str(tmp_path / f"{name}.csv")
        Path(places[name]).write_text(text)
    places["solution"] = str(tmp_path / "solution.json")
    Path(places["solution"]).write_bytes(solution_file_bytes(make_solution()))
    line = one_line(jizhun(*(word.format(**places) for word in command)))
    assert f"{kind}.input" in line
    assert not (tmp_path / "o").exists()
    assert not (tmp_path / "c").exists()


def test_truncated_solution_file(
    tmp_path: Path, jizhun: Command, make_solution: Callable[..., StationSolution]
) -> None:
    path = tmp_path / "jfng.json"
    path.write_bytes(solution_file_bytes(make_solution())[:900])
    control = tmp_path / "control.csv"
    control.write_text("station,frame,epoch,x_m,y_m,z_m\nJFNG,IGS20,2020-01-01,-2279829,5004706,3219777\n")
    assert "jfng.json" in one_line(
        jizhun("network", "combine", path, "--control", control, "--out", tmp_path)
    )


def test_height_adjust(tmp_path: Path, jizhun: Command) -> None:
    (tmp_path / "lines.csv").write_text(LINES)
    (tmp_path / "marks.csv").write_text(MARKS)
    result = jizhun(
        "height", "adjust", tmp_path / "lines.csv", tmp_path / "marks.csv", "--json", "--out", tmp_path / "o"
    )
    assert result.code == 0, result.err
    heights = {item["bench_mark"]: item["height_m"] for item in json.loads(result.out)["heights"]}
    # The loop misses closure by +2 mm over three equal lines: each takes a third of it.
    assert heights == {
        "A": 100.0,
        "B": pytest.approx(100.99933, abs=1e-5),
        "C": pytest.approx(102.99967, abs=1e-5),
    }
    assert (tmp_path / "o" / "heights.csv").read_text().splitlines()[2].startswith("B,100.99933,")
    assert "wrote" in result.err
    text = jizhun("height", "adjust", tmp_path / "lines.csv", tmp_path / "marks.csv")
    assert "100.9993 m" in text.out


def test_gravity_adjust(tmp_path: Path, jizhun: Command) -> None:
    (tmp_path / "readings.csv").write_text(READINGS)
    (tmp_path / "absolute.csv").write_text(ABSOLUTE)
    result = jizhun("gravity", "adjust", tmp_path / "readings.csv", tmp_path / "absolute.csv", "--json")
    assert result.code == 0, result.err
    content = json.loads(result.out)
    gravity = {item["point"]: item["gravity_mgal"] for item in content["points"]}
    # Drift 0.01 mGal/h: Q is read one hour after P, 10.000 higher, of which 0.010 is drift.
    assert gravity["Q"] - gravity["P"] == pytest.approx(9.990, abs=1e-4)
    assert content["drift"][0]["mgal_per_h"] == pytest.approx(0.010, abs=1e-5)
    assert (
        "979509.9900 mGal"
        in jizhun("gravity", "adjust", tmp_path / "readings.csv", tmp_path / "absolute.csv").out
    )


def test_frame_transform(tmp_path: Path, jizhun: Command) -> None:
    velocity = ("--velocity", "-0.033", "-0.008", "-0.012")
    result = jizhun("frame", "transform", *JFNG, "--epoch", "2026-116", *velocity)
    assert result.code == 0, result.err
    # 26.315 years of the velocity back, then ITRF2020 to ITRF97 at 2000.0 (some centimetres).
    x, y, z = map(float, result.out.split())
    assert (x, y, z) == pytest.approx((-2279828.1316, 5004706.2105, 3219777.3158), abs=0.06)
    assert "Transfo-ITRF2020_TRFs.txt" in result.err
    machine = json.loads(jizhun("frame", "transform", *JFNG, "--epoch", "2026-116", *velocity, "--json").out)
    assert machine["stations"][0]["position_ecef_m"] == pytest.approx([x, y, z], abs=1e-4)

    table = tmp_path / "stations.csv"
    table.write_text(
        "station,x_m,y_m,z_m,epoch,vx_m_per_yr,vy_m_per_yr,vz_m_per_yr\n"
        f"JFNG,{','.join(JFNG)},2026-116,-0.033,-0.008,-0.012\n"
    )
    rows = jizhun("frame", "transform", table).out.splitlines()
    assert rows[1].startswith(f"JFNG,CGCS2000,2000-01-01T00:00:00,{x:.4f},{y:.4f},{z:.4f},")

    assert "no velocity is known" in one_line(jizhun("frame", "transform", *JFNG, "--epoch", "2026-116"))
    assert "is not known" in one_line(
        jizhun("frame", "transform", *JFNG, "--epoch", "2026-116", "--to", "ATLANTIS", *velocity)
    )
    assert "distance from the geocentre" in one_line(
        jizhun("frame", "transform", "1", "2", "3", "--epoch", "2026-116", *velocity)
    )
    unknown = one_line(
        jizhun("frame", "transform", *JFNG, "--epoch", "2026-116", "--to", "ITRF20", *velocity)
    )
    nearest = unknown.partition("nearest: ")[2].split(", ")
    assert "ITRF2020" in nearest
    assert len(set(nearest)) == len(nearest)


def test_publish_and_catalogue(tmp_path: Path, jizhun: Command) -> None:
    folder, catalogue = tmp_path / "files", tmp_path / "catalogue"
    folder.mkdir()
    (folder / "a.csv").write_text("station\nJZ01\n")
    publish = ("publish", folder, "--catalogue", catalogue, "--product", "delta.test")
    first = json.loads(jizhun(*publish, "--json").out)
    assert (first["version"], first["created"]) == (1, True)
    again = json.loads(jizhun(*publish, "--json").out)
    assert (again["version"], again["created"]) == (1, False)
    assert "unchanged" in jizhun(*publish).err
    listed = json.loads(jizhun("catalogue", "ls", catalogue, "--json").out)["products"]
    assert [(item["id"], item["version"], item["n_files"]) for item in listed] == [("delta.test", 1, 1)]
    assert "delta.test" in jizhun("catalogue", "ls", catalogue).out
    shown = json.loads(jizhun("catalogue", "show", catalogue, "delta.test", "--json").out)
    assert shown["files"][0]["name"] == "a.csv"
    assert "a.csv" in jizhun("catalogue", "show", catalogue, "delta.test").out
    assert jizhun("catalogue", "verify", catalogue).code == 0
    assert 'no product "delta.other"' in one_line(jizhun("catalogue", "show", catalogue, "delta.other"))
    assert "no version 9" in one_line(jizhun("catalogue", "show", catalogue, "delta.test", "--version", "9"))
    assert "no product id" in one_line(
        jizhun("publish", folder, "--catalogue", catalogue, "--product", "Delta Test")
    )
    path = Catalogue(catalogue).version_folder("delta.test", 1) / "a.csv"
    path.unlink()
    damaged = jizhun("catalogue", "verify", catalogue)
    assert damaged.code == 1
    assert "missing" in damaged.out


def test_network_combine(
    tmp_path: Path, jizhun: Command, make_solution: Callable[..., StationSolution]
) -> None:
    names = {
        "AAAA": (0.0, 0.0, 0.0),
        "BBBB": (30000.0, 20000.0, -10000.0),
        "CCCC": (-20000.0, 10000.0, 30000.0),
    }
    rows = ["station,frame,epoch,x_m,y_m,z_m,vx_m_per_yr,vy_m_per_yr,vz_m_per_yr"]
    files = []
    for name, offset in names.items():
        for day in ("2026-04-26", "2026-04-27"):
            solution = make_solution(name, day, offset)
            files.append(tmp_path / f"{name}_{day}.json")
            files[-1].write_bytes(solution_file_bytes(solution))
        x, y, z = solution.position_ecef_m
        rows.append(f"{name},IGS20,2026-04-27,{x + 0.01:.4f},{y + 0.01:.4f},{z + 0.01:.4f},0,0,0")
    control = tmp_path / "control.csv"
    control.write_text("\n".join(rows) + "\n")
    result = jizhun("network", "combine", *files, "--control", control, "--out", tmp_path / "o", "--json")
    assert result.code == 0, result.err
    content = json.loads(result.out)
    assert [item["station"] for item in content["stations"]] == list(names)
    # The control lies 1 cm off in each axis: the network is moved onto it.
    first = content["stations"][0]["position_ecef_m"]
    assert first == pytest.approx([-2279828.99, 5004706.01, 3219777.01], abs=1e-3)
    assert (tmp_path / "o" / "network.snx").read_text().startswith("%=SNX 2.02")
    two = jizhun("network", "combine", *files[:4], "--control", control, "--out", tmp_path / "p")
    assert "at least 3 stations" in one_line(two)
    assert not (tmp_path / "p").exists()


def test_simulated_region_can_be_written(
    tmp_path: Path, jizhun: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert "file" in one_line(jizhun("simulate", blocked / "region"))


def test_simulate_spares_a_region_that_is_there(
    tmp_path: Path, jizhun: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    monkeypatch.setattr(
        "pipelines.simulation_region.simulate_region", lambda out, **_: written.append(Path(out))
    )
    (tmp_path / "REGION.toml").write_text("mine")
    assert "already holds a REGION.toml" in one_line(jizhun("simulate", tmp_path))
    assert written == []
    assert jizhun("simulate", tmp_path, "--force").code == 0
    assert jizhun("simulate", tmp_path / "other").code == 0
    assert written == [tmp_path, tmp_path / "other"]


def test_quality_of_a_simulated_station(sample_region: Path, jizhun: Command) -> None:
    path = next((sample_region / "observations").glob("NJLS*2026116*"))
    result = jizhun("station", "qc", path, "--json")
    assert result.code == 0, result.err
    content = json.loads(result.out)
    assert content["station"].startswith("NJLS")
    assert content["tracks_bds3"] is True
    assert content["n_epochs_expected"] == 288
    assert "verdict" in jizhun("station", "qc", path).out
    old = next((sample_region / "observations").glob("YZTZ*2026116*"))
    assert json.loads(jizhun("station", "qc", old, "--json").out)["tracks_bds3"] is False


def test_solve_a_simulated_station(sample_region: Path, tmp_path: Path, jizhun: Command) -> None:
    path = next((sample_region / "observations").glob("NJLS*2026116*"))
    words = ("station", "solve", path, "--products", sample_region / "products", "--antex")
    words += (next((sample_region / "antex").iterdir()), "--out", tmp_path / "o", "--json")
    result = jizhun(*words)
    assert result.code == 0, result.err
    content = json.loads(result.out)
    assert content["frame"] == "IGS20"
    assert content["systems"] == ["G", "E", "C"]
    assert sorted(p.suffix for p in (tmp_path / "o").iterdir()) == [".json", ".nc", ".snx"]
    import xarray as xr

    with xr.open_dataset(next((tmp_path / "o").glob("*.nc")), engine="scipy") as data:
        assert data["position_ecef_m"].values == pytest.approx(content["position_ecef_m"], abs=1e-4)
        assert data["zenith_total_delay_m"].sizes["delay_epoch"] == len(content["zenith_delay_m"])
    refused = jizhun(*words[:4], sample_region / "products", "--centre", "NIX", "--json")
    assert "NIX" in one_line(refused)
