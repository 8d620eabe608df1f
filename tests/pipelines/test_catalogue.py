"""The catalogue: immutable versions, whole after any kill, one publisher at a time, clear refusals."""

import hashlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.catalogue import files as catalogue_files
from pipelines.catalogue.files import publisher_lock
from pipelines.catalogue.index import indexed_versions, products_with_input
from pipelines.catalogue.manifest import (
    ProductDescription,
    ProductInput,
    canonical_json,
    manifest_bytes,
    read_manifest,
)
from pipelines.catalogue.publish import Catalogue
from transforms.errors import CatalogueError, InputError

N_RANDOM_KILLS = 22
FORK = multiprocessing.get_context("fork")
DESCRIPTION = ProductDescription(
    id="delta.height",
    kind="height",
    frame="1985 National Height Datum",
    epoch="",
    inputs=(ProductInput("lines.csv", "b" * 64), ProductInput("a.csv", "a" * 64)),
    settings_sha256="c" * 64,
    code_version="0.1.0+test",
    classification="public",
    licence="CC-BY-4.0",
)


def make_files(folder: Path, seed: int = 0, n_files: int = 5) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    random_bytes = random.Random(seed)
    for number in range(n_files):
        (folder / f"file{number}.bin").write_bytes(random_bytes.randbytes(2000 + number))
    (folder / "tables").mkdir(exist_ok=True)
    (folder / "tables" / "heights.csv").write_text("station,height_m\nJZ01,12.3456\n")
    return folder


def assert_sound(catalogue: Catalogue) -> None:
    assert catalogue.verify() == []
    for product in catalogue.products():
        folder = catalogue.version_folder(product.description.id, product.version)
        names = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
        assert names == {item.name for item in product.files} | {"manifest.json"}


def test_versions_are_immutable_and_identical_content_is_one_version(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path / "catalogue")
    source = make_files(tmp_path / "out")
    first = catalogue.publish(DESCRIPTION, source)
    assert (first.created, first.product.version) == (True, 1)
    manifest = (first.folder / "manifest.json").read_bytes()

    again = catalogue.publish(replace(DESCRIPTION, inputs=DESCRIPTION.inputs[::-1]), source)
    assert (again.created, again.product) == (False, first.product)

    (source / "file0.bin").write_bytes(b"other")
    second = catalogue.publish(DESCRIPTION, source)
    assert (second.created, second.product.version) == (True, 2)
    third = catalogue.publish(replace(DESCRIPTION, licence="CC0-1.0"), source)
    assert (third.created, third.product.version) == (True, 3)

    assert (first.folder / "manifest.json").read_bytes() == manifest
    assert catalogue.read("delta.height").version == 3
    assert catalogue.read("delta.height", 1) == first.product
    assert_sound(catalogue)
    assert indexed_versions(catalogue.index_path) == {("delta.height", n) for n in (1, 2, 3)}
    assert products_with_input(catalogue.index_path, "b" * 64) == [("delta.height", n) for n in (1, 2, 3)]


def test_manifest_is_canonical_and_round_trips(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path / "catalogue")
    publication = catalogue.publish(DESCRIPTION, make_files(tmp_path / "out"))
    path = publication.folder / "manifest.json"
    text = path.read_text()
    assert json.dumps(json.loads(text), sort_keys=True, indent=2) + "\n" == text
    assert manifest_bytes(read_manifest(path)) == path.read_bytes()
    assert str(tmp_path) not in text


@pytest.mark.parametrize("damage", ["remove", "garble", "empty"])
def test_index_is_made_again_from_the_manifests(tmp_path: Path, damage: str) -> None:
    catalogue = Catalogue(tmp_path / "catalogue")
    source = make_files(tmp_path / "out")
    catalogue.publish(DESCRIPTION, source)
    if damage == "remove":
        catalogue.index_path.unlink()
    else:
        catalogue.index_path.write_bytes(b"no database" * 100 if damage == "garble" else b"")
    catalogue.publish(replace(DESCRIPTION, id="delta.gravity"), source)
    assert indexed_versions(catalogue.index_path) == {("delta.height", 1), ("delta.gravity", 1)}


def run_forked(action: Callable[[], object]) -> multiprocessing.process.BaseProcess:
    process = FORK.Process(target=action)
    process.start()
    return process


def test_random_kills_leave_no_half_product(tmp_path: Path) -> None:
    """At least twenty SIGKILLs at random moments of a publication; the next run completes it."""
    catalogue = Catalogue(tmp_path / "catalogue")
    moments = random.Random(20261123)
    started = time.monotonic()
    catalogue.publish(DESCRIPTION, make_files(tmp_path / "out0", seed=0))
    duration_s = time.monotonic() - started
    killed = 0
    attempt = 0
    while killed < N_RANDOM_KILLS:
        attempt += 1
        assert attempt < 20 * N_RANDOM_KILLS, "publishing finished before nearly every kill"
        source = make_files(tmp_path / f"out{attempt}", seed=attempt)
        before = catalogue.versions()
        process = run_forked(lambda source=source: catalogue.publish(DESCRIPTION, source))
        time.sleep(moments.uniform(0.0, 1.2 * duration_s))
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        killed += process.exitcode == -signal.SIGKILL
        assert_sound(catalogue)
        assert len(catalogue.versions()) - len(before) in (0, 1)
        catalogue.publish(DESCRIPTION, source)
        assert_sound(catalogue)
        assert not list(catalogue.folder.rglob("*.partial"))
        assert len(catalogue.versions()) == len(before) + 1
        shutil.rmtree(source)


def test_kill_before_every_step(tmp_path: Path) -> None:
    """A kill before each link, rename, replace and fsync, one after the other."""

    def publish_and_die(catalogue: Catalogue, source: Path, step: int) -> None:
        remaining = step

        def deadly(function: Callable[..., object]) -> Callable[..., object]:
            def call(*arguments: object, **keywords: object) -> object:
                nonlocal remaining
                remaining -= 1
                if remaining < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*arguments, **keywords)

            return call

        for name in ("link", "rename", "replace", "fsync"):
            setattr(os, name, deadly(getattr(os, name)))
        catalogue.publish(DESCRIPTION, source)

    source = make_files(tmp_path / "out", n_files=1)
    for step in range(1000):
        catalogue = Catalogue(tmp_path / f"catalogue{step}")
        process = run_forked(lambda step=step, c=catalogue: publish_and_die(c, source, step))
        process.join()
        if catalogue.folder.exists():
            assert_sound(catalogue)
            catalogue.publish(DESCRIPTION, source)
            assert_sound(catalogue)
            assert catalogue.versions() == [("delta.height", 1)]
            assert not list(catalogue.folder.rglob("*.partial"))
        if process.exitcode == 0:
            break
    assert process.exitcode == 0
    assert step > 10, "the steps of publishing were not intercepted"


def test_publishers_at_once_take_turns(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path / "catalogue")
    sources = [make_files(tmp_path / f"out{n}", seed=n) for n in range(6)]
    processes = [run_forked(lambda s=s: catalogue.publish(DESCRIPTION, s)) for s in sources]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 6
    assert catalogue.versions() == [("delta.height", n) for n in range(1, 7)]
    assert_sound(catalogue)
    assert indexed_versions(catalogue.index_path) == set(catalogue.versions())


def test_a_stuck_publisher_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    with (
        publisher_lock(tmp_path),
        pytest.raises(CatalogueError, match="another process has been publishing"),
        publisher_lock(tmp_path, patience_s=0.05),
    ):
        pass


PUBLISH_SCRIPT = """
import sys
sys.path[:0] = sys.argv[4].split(":")
from pathlib import Path
from pipelines.catalogue.manifest import (
    ProductDescription,
    ProductInput,
    canonical_json,
    manifest_bytes,
    read_manifest,
)
from pipelines.catalogue.publish import Catalogue
from transforms.errors import CatalogueError
if sys.argv[3] == "full":
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
description = ProductDescription("a", "files", "", "", (), "", "", "", "")
try:
    Catalogue(Path(sys.argv[1])).publish(description, Path(sys.argv[2]))
except CatalogueError as error:
    print(error)
    sys.exit(7)
"""


def publish_elsewhere(catalogue: Path, source: Path, mode: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", PUBLISH_SCRIPT, str(catalogue), str(source), mode, ":".join(sys.path[1:])],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def test_read_only_folder_is_one_clear_error(tmp_path: Path) -> None:
    source = make_files(tmp_path / "out")
    folder = tmp_path / "catalogue"
    folder.mkdir()
    folder.chmod(0o555)
    tmp_path.chmod(0o755)
    answer = tmp_path / "answer"
    answer.touch()
    answer.chmod(0o666)

    def publish_as_nobody() -> None:
        os.chdir(tmp_path)  # relative paths from here: the folders above may be closed to others
        if os.getuid() == 0:
            os.setuid(65534)  # root writes everywhere
        try:
            Catalogue(Path("catalogue")).publish(DESCRIPTION, Path("out"))
        except CatalogueError as error:
            Path("answer").write_text(str(error))

    process = run_forked(publish_as_nobody)
    process.join()
    assert "cannot be written: Permission denied" in answer.read_text()
    assert "nothing was published" in answer.read_text()
    assert source.is_dir()
    assert list(folder.iterdir()) == []


def test_full_disk_is_one_clear_error(tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk: the kernel refuses the same write."""
    source = make_files(tmp_path / "out")
    (source / "large.bin").write_bytes(bytes(10_000))
    code, text = publish_elsewhere(tmp_path / "catalogue", source, "full")
    assert code == 7, text
    assert "cannot be written" in text
    assert len(text.strip().splitlines()) == 1
    assert Catalogue(tmp_path / "catalogue").versions() == []
    assert Catalogue(tmp_path / "catalogue").verify() == []


def test_no_space_while_copying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(catalogue_files.os, "fsync", refuse)
    with pytest.raises(CatalogueError, match=r"No space left on device.*nothing was published"):
        Catalogue(tmp_path / "catalogue").publish(DESCRIPTION, make_files(tmp_path / "out"))
    monkeypatch.undo()
    assert Catalogue(tmp_path / "catalogue").versions() == []


def test_verify_names_what_is_wrong(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path / "catalogue")
    publication = catalogue.publish(DESCRIPTION, make_files(tmp_path / "out"))
    target = publication.folder / "file3.bin"
    target.unlink()
    target.write_bytes(b"changed")
    (publication.folder / "file4.bin").unlink()
    wrong = "\n".join(catalogue.verify())
    assert "file3.bin: changed since" in wrong
    assert "file4.bin: missing" in wrong
    stored = catalogue.store.path_of(publication.product.files[0].sha256)
    stored.chmod(0o644)
    stored.write_bytes(b"damaged")
    assert "damaged" in "\n".join(catalogue.verify())
    with pytest.raises(CatalogueError, match="damaged"):
        catalogue.publish(replace(DESCRIPTION, id="other"), make_files(tmp_path / "out"))


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"[]", b'{"format": "other-1"}', b'{"version": 1}'])
def test_damaged_manifest(tmp_path: Path, content: bytes) -> None:
    catalogue = Catalogue(tmp_path / "catalogue")
    publication = catalogue.publish(DESCRIPTION, make_files(tmp_path / "out"))
    (publication.folder / "manifest.json").unlink()
    (publication.folder / "manifest.json").write_bytes(content)
    with pytest.raises(CatalogueError, match="damaged"):
        catalogue.read("delta.height")
    assert any("damaged" in text for text in catalogue.verify())


def test_what_cannot_be_published(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path / "catalogue")
    source = make_files(tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no file"):
        catalogue.publish(DESCRIPTION, tmp_path / "empty")
    with pytest.raises(InputError, match="no such folder"):
        catalogue.publish(DESCRIPTION, tmp_path / "absent")
    with pytest.raises(InputError, match="no product id"):
        catalogue.publish(replace(DESCRIPTION, id="../elsewhere"), source)
    (source / "link").symlink_to("/etc/passwd")
    with pytest.raises(InputError, match="plain files"):
        catalogue.publish(DESCRIPTION, source)
    (source / "link").unlink()
    (source / ".hidden").write_text("x")
    with pytest.raises(InputError, match="hidden"):
        catalogue.publish(DESCRIPTION, source)
    assert catalogue.versions() == []
    with pytest.raises(CatalogueError, match="no catalogue"):
        catalogue.read("delta.height")


def test_settings_stand_in_the_manifest_and_must_fit_their_sha256(tmp_path: Path) -> None:
    settings = canonical_json({"region": {"name": "江", "share": 0.1}})
    told = replace(
        DESCRIPTION,
        settings=settings,
        settings_sha256=hashlib.sha256(settings.encode()).hexdigest(),
        simulated=True,
    )
    publication = Catalogue(tmp_path / "catalogue").publish(told, make_files(tmp_path / "files"))
    path = publication.folder / "manifest.json"
    assert read_manifest(path).description == publication.product.description
    content = json.loads(path.read_text())
    assert content["product"]["settings"] == {"region": {"name": "江", "share": 0.1}}
    changed = tmp_path / "changed.json"
    content["product"]["settings"]["region"]["share"] = 0.2
    changed.write_text(json.dumps(content))
    with pytest.raises(CatalogueError, match="its settings have the sha256"):
        read_manifest(changed)
    for name in ("settings", "simulated"):  # as an earlier version wrote it
        del content["product"][name]
    changed.write_text(json.dumps(content))
    earlier = read_manifest(changed).description
    assert (earlier.settings, earlier.simulated) == ("", False)
