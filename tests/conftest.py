"""Fixtures for every test: where the real data is, and the expected values of `tests/authorities`."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real data sets (environment JIZHUN_REAL_DATA), or the test is skipped."""
    folder = Path(os.environ.get("JIZHUN_REAL_DATA", str(REPOSITORY / ".." / "shared" / "data"))).resolve()
    if not folder.is_dir():
        pytest.skip(f"the real data sets are not at {folder} (set JIZHUN_REAL_DATA to their folder)")
    return folder


@pytest.fixture(scope="session")
def authorities() -> Path:
    """Folder of expected values taken from standards, published results and peers."""
    return REPOSITORY / "tests" / "authorities"
