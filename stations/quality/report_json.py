"""A quality report as plain values: the object of `jizhun station qc --json` (docs/quality.md)."""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Final

import numpy as np

from stations.quality_records import ObservationCount, PairSlips
from stations.records import QualityReport
from transforms.time_scales import Epochs

# Decimals that a figure is worth, by the ending of its name; others are counts and texts.
_DECIMALS: Final[tuple[tuple[str, int], ...]] = (
    ("completeness", 6),
    ("ratio", 5),
    ("share_disturbed", 5),
    ("_ecef_m", 3),
    ("_enu_m", 3),
    ("phase_noise_m", 5),
    ("_m", 4),
    ("_dbhz", 2),
    ("_db", 2),
    ("_per_min", 4),
    ("pdop", 3),
    ("per_thousand", 3),
    ("_satellites", 2),
    ("_deg", 1),
)


def quality_report_as_json(report: QualityReport) -> Mapping[str, object]:
    """A report as plain values for `json.dumps`: times ISO in GPST, figures rounded to their worth."""
    content = _plain("", report)
    content["inputs"] = [{"path": i.path, "sha256": i.sha256} for i in report.inputs]
    return content  # type: ignore[no-any-return]


def _plain(name: str, value: object) -> Any:
    if isinstance(value, Epochs):
        return value.iso() if value.tai_ns.ndim == 0 else [value[k].iso() for k in range(len(value))]
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        content = {f.name: _plain(f.name, getattr(value, f.name)) for f in fields(value)}
        if isinstance(value, ObservationCount):
            content["ratio"] = _plain("ratio", value.ratio)
            content["ratio_above_cutoff"] = _plain("ratio", value.ratio_above_cutoff)
        if isinstance(value, PairSlips):
            content["per_thousand"] = _plain("per_thousand", value.per_thousand)
        return content
    if isinstance(value, Mapping):
        return {str(k): _plain(name, v) for k, v in sorted(value.items())}
    if isinstance(value, tuple | list | np.ndarray):
        return [_plain(name, item) for item in value]
    if isinstance(value, float | np.floating):
        number = float(value)
        if not math.isfinite(number):
            raise ValueError(f"{name} of a quality report is {number}")
        digits = next((d for ending, d in _DECIMALS if name.endswith(ending)), None)
        return number if digits is None else round(number, digits)
    if isinstance(value, np.integer):
        return int(value)
    return value
