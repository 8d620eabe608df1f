"""The small region of `tests/pipelines`, for the engine that runs it as a flow."""

import importlib.util
from pathlib import Path

_path = Path(__file__).resolve().parent.parent / "pipelines" / "conftest.py"
_spec = importlib.util.spec_from_file_location("pipelines_fixtures", _path)
assert _spec is not None
assert _spec.loader is not None
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)

sample_region = _fixtures.sample_region
first_run = _fixtures.first_run
small_region = _fixtures.small_region
