"""The engine `prefect`: the same bytes as `local`, quiet, in a home of its own; and what is tried again."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.prefect_environment import SETTINGS, prepare_prefect
from flows.task_policies import may_pass
from transforms.errors import FormatError, InputError

pytestmark = pytest.mark.xdist_group("region")
FLOW_LIMIT_S = 280  # the server may take 180 s to start on a machine under load


def catalogue_bytes(folder: Path) -> dict[str, str]:
    products = folder / "products"
    return {
        path.relative_to(products).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(products.rglob("*"))
        if path.is_file()
    }


@pytest.mark.slow
def test_both_engines_give_the_same_bytes(
    first_run: tuple[Path, Any], small_region: Callable[..., Path], tmp_path: Path
) -> None:
    region = small_region()
    shutil.rmtree(region.parent / "work")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    environment |= {"PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", "from pipelines.cli.app import main; main()", "run", str(region), "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=FLOW_LIMIT_S,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert [item["status"] for item in json.loads(done.stdout)["station_days"]] == ["solved"] * 4
    assert catalogue_bytes(region.parent / "catalogue") == catalogue_bytes(first_run[0].parent / "catalogue")
    assert (region.parent / "work" / "prefect" / "prefect.db").is_file()
    assert not (tmp_path / "home" / ".prefect").exists()
    for noise in ("INFO", "WARNING", "Traceback", "prefect.io", "http://"):
        assert noise not in done.stderr


def test_environment_keeps_what_the_user_has_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*SETTINGS, "PREFECT_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PREFECT_LOGGING_LEVEL", "DEBUG")
    prepare_prefect(tmp_path / "deep" / "prefect")
    assert os.environ["PREFECT_LOGGING_LEVEL"] == "DEBUG"
    assert os.environ["PREFECT_HOME"] == str(tmp_path / "deep" / "prefect")
    assert (tmp_path / "deep" / "prefect").is_dir()
    assert os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    for name in (*SETTINGS, "PREFECT_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*SETTINGS, "PREFECT_HOME"):
        monkeypatch.setenv(name, "x")
    monkeypatch.delenv("PREFECT_HOME")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="Prefect's home cannot be made"):
        prepare_prefect(tmp_path / "file" / "prefect")


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (FormatError("a", 1, "bad"), False),
        (InputError("nothing in common"), False),
        (OSError(5, "Input/output error"), True),
        (ZeroDivisionError(), None),
    ],
)
def test_only_what_may_pass_is_tried_again(error: Exception, again: bool | None) -> None:
    class Failed:
        def result(self) -> None:
            raise error

    if again is None:
        with pytest.raises(ZeroDivisionError):
            may_pass(None, None, Failed())
    else:
        assert may_pass(None, None, Failed()) is again
