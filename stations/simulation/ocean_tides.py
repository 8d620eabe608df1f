"""Invented ocean loading of the sample's stations: larger towards the sea, written as a BLQ file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from stations.formats.atomic_write import write_atomically
from stations.records import OceanLoading
from stations.simulation.random_streams import random_stream
from stations.simulation.region_plan import STATIONS, SimulatedStation

# Radial amplitudes at the coast, m, of the size that models give for the East China Sea, in BLQ's order.
_COAST_RADIAL_M: Final = (
    0.0110, 0.0042, 0.0021, 0.0012, 0.0074, 0.0058, 0.0024, 0.0011, 0.0006, 0.0004, 0.0003,
)  # fmt: skip
_COAST_PHASE_DEG: Final = (
    152.0, -166.0, 131.0, -170.0, -91.0, -118.0, -93.0, -128.0, 12.0, 7.0, 3.0,
)  # fmt: skip
_COAST_LONGITUDE_DEG: Final = 121.9
_INLAND_SCALE_DEG: Final = 2.4
_HORIZONTAL_SHARE: Final = (0.32, 0.24)  # west and south of the radial amplitude
_MODEL: Final = "SIMULATED"


def simulate_ocean_loading(seed: int) -> dict[str, OceanLoading]:
    """Marker -> ocean loading of each station, rounded as the file prints it."""
    return {station.marker: _loading(station, seed) for station in STATIONS}


def _loading(station: SimulatedStation, seed: int) -> OceanLoading:
    generator = random_stream(seed, "ocean loading", station.code)
    fade = np.exp(-(_COAST_LONGITUDE_DEG - station.longitude_deg) / _INLAND_SCALE_DEG)
    radial = np.array(_COAST_RADIAL_M) * (0.25 + 0.75 * fade)
    amplitude = np.stack([radial, radial * _HORIZONTAL_SHARE[0], radial * _HORIZONTAL_SHARE[1]])
    phase = (
        np.array(_COAST_PHASE_DEG) + np.array([[0.0], [-38.0], [71.0]]) + generator.normal(0.0, 3.0, (3, 11))
    )
    phase = np.round(np.mod(phase + 180.0, 360.0) - 180.0, 1)
    return OceanLoading(station.marker, np.round(amplitude, 5), np.radians(phase), _MODEL)


def write_ocean_loading(loading: Mapping[str, OceanLoading], path: Path) -> None:
    """Write a BLQ file (H.-G. Scherneck's layout; IERS Conventions 2010, section 7.1.2)."""
    lines = [
        "$$ Ocean loading displacement",
        "$$",
        f"$$ Ocean tide model: {_MODEL}",
        "$$",
        "$$ COLUMN ORDER:  M2  S2  N2  K2  K1  O1  P1  Q1  MF  MM SSA",
        "$$",
        "$$ ROW ORDER:",
        "$$ AMPLITUDES (m)",
        "$$   RADIAL",
        "$$   TANGENTL    EW",
        "$$   TANGENTL    NS",
        "$$ PHASES (degrees)",
        "$$   RADIAL",
        "$$   TANGENTL    EW",
        "$$   TANGENTL    NS",
        "$$",
    ]
    for name, table in sorted(loading.items()):
        lines.append(f"  {name}")
        lines += ["  " + " ".join(f"{value:6.5f}"[1:] for value in row) for row in table.amplitude_m]
        lines += ["  " + " ".join(f"{np.degrees(value):6.1f}" for value in row) for row in table.phase_rad]
    lines.append("$$ END TABLE")
    write_atomically(path, ("\n".join(lines) + "\n").encode("ascii"))
