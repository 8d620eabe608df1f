"""Satellites over a station every five minutes: up by their orbits, observed by the files.

All satellites of the orbits stand here, also those of systems that the station does not track. Five minutes
are enough for geometry, and as far apart as observations must be to have multipath of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.ppp.orbits import OrbitTable
from stations.quality.completeness import Completeness
from stations.quality.signals_tracked import carrier_name
from stations.records import Observations, SatelliteOrbits
from transforms.geodetic import enu_matrix_at
from transforms.time_scales import NANOSECONDS

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

GRID_STEP_S: Final = 300.0  # PppOptions.correlation_time_s
CUTOFF_DEG: Final = 10.0  # as the quality report


@dataclass(frozen=True, eq=False)
class GriddedSky:
    """Directions and tracking on a grid of time.

    tai_ns : (n,); satellites : of orbits and observations, sorted
    direction_enu : (n, n_satellite, 3) unit vectors, NaN where no orbit tells
    tracked : (n, n_satellite), any code or phase; dual : code and phase on two carriers at least
    source : satellite -> number of the orbits that tell of it; -1 where none does
    """

    tai_ns: IntArray
    satellites: tuple[str, ...]
    direction_enu: FloatArray
    tracked: BoolArray
    dual: BoolArray
    source: IntArray

    @property
    def up(self) -> BoolArray:
        """(n, n_satellite) above the cut-off; False where no orbit tells."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.direction_enu[..., 2] >= np.sin(np.radians(CUTOFF_DEG)))


def gridded_sky(
    observations: Observations,
    completeness: Completeness,
    orbits: Sequence[SatelliteOrbits],
    position_ecef_m: FloatArray | None,
) -> GriddedSky:
    """The sky of a session; of several orbits the first that knows a satellite tells of it."""
    step_ns = round(max(GRID_STEP_S, completeness.interval_s) * NANOSECONDS)
    first, last = int(completeness.first_expected.tai_ns), int(completeness.last_expected.tai_ns)
    tai_ns = np.arange(first, last + 1, step_ns, dtype=np.int64)
    in_orbit = {s for table in orbits for s in table.satellites}
    satellites = tuple(sorted(in_orbit | set(observations.satellites)))
    place = {name: k for k, name in enumerate(satellites)}
    direction = np.full((tai_ns.size, len(satellites), 3), np.nan)
    source = np.full(len(satellites), -1, dtype=np.int64)
    if position_ecef_m is not None:
        for number, table in enumerate(orbits):
            names = [s for s in table.satellites if source[place[s]] < 0]
            if names:
                columns = [place[s] for s in names]
                direction[:, columns] = _directions(table, names, tai_ns, position_ecef_m)
                source[columns] = number
    tracked, dual = (np.zeros((tai_ns.size, len(satellites)), dtype=np.bool_) for _ in range(2))
    rows, there = _nearest_epochs(observations, tai_ns, completeness.interval_s)
    own = [place[s] for s in observations.satellites]
    any_signal, two_carriers = _tracked(observations, rows)
    tracked[:, own] = any_signal & there[:, np.newaxis]
    dual[:, own] = two_carriers & there[:, np.newaxis]
    return GriddedSky(tai_ns, satellites, direction, tracked, dual, source)


def _nearest_epochs(
    observations: Observations, tai_ns: IntArray, interval_s: float
) -> tuple[IntArray, BoolArray]:
    """Row of the epoch nearest to each grid instant, and whether it is within half an interval."""
    epochs = observations.epochs.tai_ns
    after = np.clip(np.searchsorted(epochs, tai_ns), 0, epochs.size - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.abs(epochs[before] - tai_ns) < np.abs(epochs[after] - tai_ns)
    rows = np.where(nearer, before, after)
    limit_ns = 0.5 * max(interval_s, 1e-3) * NANOSECONDS
    return rows, np.asarray(np.abs(epochs[rows] - tai_ns) <= limit_ns)


def _tracked(observations: Observations, rows: IntArray) -> tuple[BoolArray, BoolArray]:
    data = observations.data
    code = np.isfinite(data["pseudorange_m"].values[rows])
    phase = np.isfinite(data["carrier_phase_cycles"].values[rows])
    signals = [str(s) for s in data["signal"].values]
    n_carrier = np.zeros(code.shape[:2], dtype=np.int64)
    for band in sorted({s[0] for s in signals}):
        own = [k for k, s in enumerate(signals) if s[0] == band]
        n_carrier += (code[..., own] & phase[..., own]).any(axis=2)
    return np.asarray((code | phase).any(axis=2)), np.asarray(n_carrier >= 2)


def carriers_of_satellites(observations: Observations) -> dict[str, tuple[str, ...]]:
    """Carriers tracked with code and phase at any epoch: "C23" -> ("B1C", "B1I", "B2a").

    Band 7 of BeiDou is named by its attribute, so a BeiDou-3 satellite's may read "B2I" (old firmware).
    """
    data = observations.data
    both = np.isfinite(data["pseudorange_m"].values) & np.isfinite(data["carrier_phase_cycles"].values)
    signals = [str(s) for s in data["signal"].values]
    return {
        name: tuple(sorted({carrier_name(name[0], s) for s, t in zip(signals, row, strict=True) if t}))
        for name, row in zip(observations.satellites, both.any(axis=0), strict=True)
    }


def _directions(
    orbits: SatelliteOrbits, names: Sequence[str], tai_ns: IntArray, position_ecef_m: FloatArray
) -> FloatArray:
    table = OrbitTable(orbits)
    index = np.array([orbits.satellites.index(name) for name in names], dtype=np.int64)
    served = (tai_ns >= orbits.epochs.tai_ns[0]) & (tai_ns <= orbits.epochs.tai_ns[-1])
    epoch_ns = np.repeat(tai_ns[served], index.size)
    position = np.full((tai_ns.size, index.size, 3), np.nan)
    if epoch_ns.size:
        found, _ = table.positions_and_velocities(
            epoch_ns, np.zeros(epoch_ns.size), np.tile(index, int(served.sum()))
        )
        position[served] = found.reshape(-1, index.size, 3)
    enu = (position - position_ecef_m) @ enu_matrix_at(position_ecef_m).T
    return np.asarray(enu / np.linalg.norm(enu, axis=-1, keepdims=True))
