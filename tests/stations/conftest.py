"""Fixtures of the station floor: values that awk and grep found in published files."""

import tomllib

import pytest


@pytest.fixture(scope="session")
def station_format_values(authorities):
    """tests/authorities/station_formats.toml: block -> name -> value."""
    return tomllib.loads((authorities / "station_formats.toml").read_text(encoding="utf-8"))
