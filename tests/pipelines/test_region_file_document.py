"""docs/region-file.md names every key of REGION.toml with its default, and no other."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from pipelines.settings import (
    CommonPointSettings,
    ControlSettings,
    GravitySettings,
    HeightSettings,
    PathSettings,
    ProcessingSettings,
    PublishSettings,
    RegionSettings,
    StationSettings,
    TruthSettings,
)

DOCUMENT = (Path(__file__).parents[2] / "docs" / "region-file.md").read_text()
SECTIONS: list[tuple[str, str, type[BaseModel]]] = [
    ("## `[region]`", "", RegionSettings),
    ("## `[processing]`", "", ProcessingSettings),
    ("## `[paths]`", "", PathSettings),
    ("## `[[stations]]`", "", StationSettings),
    ("## `[[control]]`", "", ControlSettings),
    ("## `[heights]`", "heights.", HeightSettings),
    ("## `[heights]`", "gravity.", GravitySettings),
    ("## `[heights]`", "common_points.", CommonPointSettings),
    ("## `[heights]`", "truth.", TruthSettings),
    ("## `[publish]`", "", PublishSettings),
]


def documented(heading: str, prefix: str) -> dict[str, str]:
    section = DOCUMENT[DOCUMENT.index(heading) :].split("\n## ")[0]
    rows = re.findall(r"^\| `([a-z_.]+)` \| (.*?) ?\| ", section, flags=re.MULTILINE)
    return {
        key.removeprefix(prefix): default.strip("` ")
        for key, default in rows
        if key.startswith(prefix) and (prefix or "." not in key)
    }


@pytest.mark.parametrize(("heading", "prefix", "model"), SECTIONS, ids=[m.__name__ for *_, m in SECTIONS])
def test_every_key_is_documented_with_its_default(heading, prefix, model):
    keys = documented(heading, prefix)
    assert set(keys) == set(model.model_fields)
    for name, field in model.model_fields.items():
        if field.is_required():
            assert keys[name] == ""
        elif isinstance(field.default, str):
            assert keys[name] == (f'"{field.default}"' if field.default else "none")
        elif isinstance(field.default, bool):
            assert keys[name] == str(field.default).lower()
        elif isinstance(field.default, int | float):
            assert keys[name] == str(field.default)
