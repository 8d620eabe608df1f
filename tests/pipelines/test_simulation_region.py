"""`jizhun simulate` makes the committed sample again, byte for byte where no sine is rounded in between."""

import inspect
from pathlib import Path

import numpy as np
import pytest

from pipelines.cli.region import simulate as simulate_command
from pipelines.settings import read_region
from pipelines.simulation_region import simulate_region
from stations.formats.compression import read_bytes
from stations.simulation.region_plan import DEFAULT_SEED
from transforms.errors import InputError

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"
# Another processor's sine may differ in its last bit, and an observation then once in 100,000 in its last
# digit; a change of the model moves nearly all of them.
LAST_DIGIT_SHARE = 1e-3
LARGEST_BYTES = 12_000_000  # what the repository allows the sample


class Steps:
    """Counts what it hears."""

    def __init__(self):
        self.expected = 0
        self.heard = []

    def begin(self, stage, n_steps):
        self.expected = n_steps

    def advance(self, message):
        self.heard.append(message)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("region")
    steps = Steps()
    simulate_region(folder, progress=steps)
    assert len(steps.heard) == steps.expected
    return folder


def files_of(folder):
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and ".jizhun" not in path.parts
    )


def test_the_same_files_are_made(made):
    assert files_of(made) == files_of(SAMPLE)
    assert sum((SAMPLE / name).stat().st_size for name in files_of(SAMPLE)) < LARGEST_BYTES


def test_text_tables_and_settings_are_the_same_bytes(made):
    plain = [n for n in files_of(SAMPLE) if Path(n).suffix in (".toml", ".md", ".csv", ".ERP", ".blq")]
    assert len(plain) >= 14
    for name in plain:
        assert (made / name).read_bytes() == (SAMPLE / name).read_bytes(), name


def test_observations_and_products_are_the_same_but_for_a_last_digit(made):
    names = [n for n in files_of(SAMPLE) if n.startswith(("observations/", "products/", "antex/"))]
    assert len(names) >= 20
    for name in names:
        if (made / name).read_bytes() == (SAMPLE / name).read_bytes():
            continue
        lines, expected = (read_bytes(folder / name)[0].split(b"\n") for folder in (made, SAMPLE))
        assert len(lines) == len(expected), name
        differing = [(a, b) for a, b in zip(lines, expected, strict=True) if a != b]
        assert len(differing) <= LAST_DIGIT_SHARE * len(lines) + 1, name
        for a, b in differing:
            values = [np.array(row[3:].decode().split(), dtype=float) for row in (a, b)]
            np.testing.assert_allclose(values[0], values[1], rtol=1e-12, atol=0.0011, err_msg=name)


def test_the_region_file_is_valid_and_names_what_is_there():
    region = read_region(SAMPLE / "REGION.toml")
    assert len(region.stations) == 8
    assert len(region.control) == 3
    assert region.heights is not None
    assert region.gravity is not None
    assert region.common_points is not None
    assert region.truth is not None
    for path in (*region.paths.observations, *region.paths.products, *region.paths.antex):
        assert path.exists()
    for path in (
        region.heights.lines,
        region.heights.bench_marks,
        region.gravity.readings,
        region.gravity.absolute,
        region.common_points.file,
        region.truth.file,
        region.paths.ocean_loading,
    ):
        assert path is not None
        assert path.is_file()


def test_readme_says_plainly_that_nothing_was_measured():
    text = (SAMPLE / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# Sample data: a simulated region")
    assert "Nothing here was measured" in text
    assert "jizhun simulate sample_data" in text


def test_the_command_makes_the_committed_sample_by_default():
    assert inspect.signature(simulate_command).parameters["seed"].default == DEFAULT_SEED
    assert inspect.signature(simulate_region).parameters["seed"].default == DEFAULT_SEED


def test_another_seed_makes_other_heights(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.simulation_region.write_gnss_part", lambda out, seed, tell: None)
    simulate_region(tmp_path / "other", seed=2)
    name = "heights/lines.csv"
    assert (tmp_path / "other" / name).read_bytes() != (SAMPLE / name).read_bytes()


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(InputError, match="folder cannot be made"):
        simulate_region(blocked / "region")
