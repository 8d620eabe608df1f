"""The daily figures of a quality report: their names, their scales, and which side is the bad one.

A name is "kind" or "kind:signal" or "kind:signal:bin", as "cn0_dbhz:C5P:20-30"; its unit ends the kind.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from stations.trends.records import Equipment


@dataclass(frozen=True)
class FigureKind:
    """How a kind of figure is tested.

    logarithmic : tested as ln(value + offset), because its scatter goes with its size
    floor : smallest scatter taken for real, in the tested scale: a change below it is of no concern
    bad_when_high : whether more is worse
    """

    logarithmic: bool
    offset: float
    floor: float
    bad_when_high: bool

    def tested(self, value: float) -> float:
        """The value in the scale in which it is tested; NaN where it has none."""
        if not self.logarithmic:
            return value
        return math.log(value + self.offset) if value + self.offset > 0.0 else math.nan

    def shown(self, tested: float) -> float:
        """The figure again."""
        return math.exp(tested) - self.offset if self.logarithmic else tested


# Floors are the house's: AJAC and ZIMM repeat C/N0 from day to day to 0.15 dB and multipath to 2 % in the
# mean of a signal; half an observation in a hundred is one short power failure.
KINDS: Final[Mapping[str, FigureKind]] = {
    "completeness": FigureKind(False, 0.0, 0.005, False),
    "expected_share": FigureKind(False, 0.0, 0.005, False),
    "satellites": FigureKind(False, 0.0, 0.1, False),
    "slips_per_thousand": FigureKind(True, 1.0, 0.1, True),
    "slips_in_phase_per_thousand": FigureKind(True, 1.0, 0.1, True),
    "slips_loss_of_lock_per_thousand": FigureKind(True, 1.0, 0.1, True),
    "slips_geometry_free_per_thousand": FigureKind(True, 1.0, 0.1, True),
    "slips_wide_lane_per_thousand": FigureKind(True, 1.0, 0.1, True),
    "cn0_dbhz": FigureKind(False, 0.0, 0.15, False),
    "multipath_m": FigureKind(True, 0.0, 0.02, True),
    "code_noise_m": FigureKind(True, 0.0, 0.02, True),
    "phase_noise_m": FigureKind(True, 0.0, 0.05, True),
    "scatter_east_m": FigureKind(True, 0.0, 0.05, True),
    "scatter_north_m": FigureKind(True, 0.0, 0.05, True),
    "scatter_up_m": FigureKind(True, 0.0, 0.05, True),
    "mean_pdop": FigureKind(True, 0.0, 0.02, True),
    "roti_p95_tecu_per_min": FigureKind(True, 0.01, 0.2, True),
}
# The sky's doing, not the station's: kept and shown, and no cause for an alarm.
NOT_THE_STATIONS: Final = frozenset({"roti_p95_tecu_per_min"})
_CAUSES: Final = (
    ("loss of lock", "slips_loss_of_lock_per_thousand"),
    ("geometry-free", "slips_geometry_free_per_thousand"),
    ("Melbourne-Wuebbena", "slips_wide_lane_per_thousand"),
)


def kind_of(figure: str) -> FigureKind:
    """The kind of a figure by its name; KeyError for a name of another's making."""
    return KINDS[figure.partition(":")[0]]


def is_by_elevation(figure: str) -> bool:
    """Whether a figure is of one bin of elevation."""
    return figure.startswith(("cn0_dbhz:", "multipath_m:")) and figure.count(":") == 2


def daily_figures(report: Mapping[str, Any]) -> dict[str, float]:
    """The figures of one report (the object of `jizhun station qc --json`), those that could be told."""
    found: dict[str, float | None] = {
        "completeness": report["completeness"],
        "satellites": report["mean_satellites"],
        "slips_per_thousand": report["cycle_slips_per_thousand"],
    }
    details = report.get("details")
    if not details:
        return _known(found)
    if details["expected"]:
        found["expected_share"] = details["expected"]["total"]["ratio_above_cutoff"]
    pairs = details["slips"]
    n = sum(pair["n_observations"] for pair in pairs)
    if n:
        found["slips_in_phase_per_thousand"] = 1e3 * sum(pair["n_confirmed"] for pair in pairs) / n
        for cause, name in _CAUSES:
            found[name] = 1e3 * report["slips_by_reason"].get(cause, 0) / n
    for pair in pairs:
        found[f"phase_noise_m:{pair['pair']}"] = pair["phase_noise_m"]
    for signal in details["signals"]:
        name = signal["signal"]
        found[f"cn0_dbhz:{name}"] = signal["cn0_dbhz"]
        found[f"multipath_m:{name}"] = signal["multipath_without_bias_rms_m"]
        found[f"code_noise_m:{name}"] = signal["code_noise_m"]
        for part in signal["by_elevation"]:
            span = f"{part['from_deg']:.0f}-{part['to_deg']:.0f}"
            found[f"cn0_dbhz:{name}:{span}"] = part["cn0_dbhz"]
            found[f"multipath_m:{name}:{span}"] = part["multipath_rms_m"]
    if details["single_point"]:
        point = details["single_point"][0]
        scatter = point["scatter_enu_m"] or (None, None, None)
        for axis, value in zip(("east", "north", "up"), scatter, strict=True):
            found[f"scatter_{axis}_m"] = value
        found["mean_pdop"] = point["mean_pdop"]
    if details["ionosphere"]:
        found["roti_p95_tecu_per_min"] = details["ionosphere"]["p95_roti_tecu_per_min"]
    return _known(found)


def equipment_of(report: Mapping[str, Any]) -> Equipment:
    """The equipment that the day's header names; empty where the report does not hold it."""
    setup = report.get("setup")
    if not setup:
        return Equipment()
    antenna = setup["antenna"]
    return Equipment(
        receiver=setup["receiver"],
        receiver_serial=setup["receiver_serial"],
        firmware=setup["receiver_firmware"],
        antenna=antenna["name"],
        radome=antenna["radome"],
        antenna_serial=antenna.get("serial", ""),
        eccentricity_enu_m=" ".join(f"{value:.4f}" for value in setup["eccentricity_enu_m"]),
    )


def _known(found: Mapping[str, float | None]) -> dict[str, float]:
    return {name: float(v) for name, v in found.items() if v is not None and math.isfinite(v)}
