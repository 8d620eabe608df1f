"""Where the satellites stood over a station, on the even grid of epochs at which it should have observed.

The grid holds the epochs that were expected, not those that were observed, and all satellites of the orbits,
tracked or not: what is missing can be counted only against the whole.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.ppp.orbits import OrbitTable
from stations.quality.completeness import Completeness
from stations.records import Observations, SatelliteOrbits
from transforms.geodetic import enu_matrix_at
from transforms.time_scales import NANOSECONDS

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Directions between nodes are linear in the unit vector: a satellite moves 3 degrees in 300 s, and what the
# chord leaves of the arc is taken off by the vector's length; the error stays below 0.02 degrees.
_NODE_STEP_S: Final = 300.0
_SATELLITES_AT_ONCE: Final = 16  # bounds the memory of a day at 1 Hz


@dataclass(frozen=True, eq=False)
class SatelliteSky:
    """Directions of satellites over a station.

    tai_ns : (n_grid,) expected epochs; row_of_epoch : (n_epoch,) grid row of each observed epoch, -1 outside
    satellites : all of the orbits and of the observations, sorted
    column_of_satellite : (n_satellite of the observations,) their columns
    azimuth_rad, elevation_rad : (n_grid, n_satellite), NaN where no orbit tells
    """

    tai_ns: IntArray
    row_of_epoch: IntArray
    satellites: tuple[str, ...]
    column_of_satellite: IntArray
    azimuth_rad: FloatArray
    elevation_rad: FloatArray

    def at_observations(self, grid_values: FloatArray) -> FloatArray:
        """Values of the grid at observed epochs and satellites, (n_epoch, n_satellite), NaN off the grid."""
        rows = np.maximum(self.row_of_epoch, 0)
        values = grid_values[rows[:, np.newaxis], self.column_of_satellite[np.newaxis, :]]
        return np.where((self.row_of_epoch >= 0)[:, np.newaxis], values, np.nan)


def satellite_sky(
    observations: Observations,
    completeness: Completeness,
    orbits: SatelliteOrbits | None,
    position_ecef_m: FloatArray | None,
) -> SatelliteSky:
    """The sky of a session; without orbits or position every direction is unknown.

    orbits : the systems that the station tracks count, others are left out
    """
    epoch_ns = observations.epochs.tai_ns
    step_ns = max(round(completeness.interval_s * NANOSECONDS), 1)
    tai_ns = int(completeness.first_expected.tai_ns) + step_ns * np.arange(completeness.n_epochs_expected)
    row = np.rint((epoch_ns - tai_ns[0]) / step_ns).astype(np.int64)
    row = np.where((row >= 0) & (row < tai_ns.size), row, -1)
    systems = {s[0] for s in observations.satellites}
    in_orbit = () if orbits is None else tuple(s for s in orbits.satellites if s[0] in systems)
    satellites = tuple(sorted({*observations.satellites, *in_orbit}))
    place = {name: k for k, name in enumerate(satellites)}
    azimuth, elevation = (np.full((tai_ns.size, len(satellites)), np.nan) for _ in range(2))
    if orbits is not None and position_ecef_m is not None:
        for begin in range(0, len(in_orbit), _SATELLITES_AT_ONCE):
            names = in_orbit[begin : begin + _SATELLITES_AT_ONCE]
            columns = [place[name] for name in names]
            azimuth[:, columns], elevation[:, columns] = _directions(orbits, names, tai_ns, position_ecef_m)
    return SatelliteSky(
        tai_ns,
        row,
        satellites,
        np.array([place[name] for name in observations.satellites], dtype=np.int64),
        azimuth,
        elevation,
    )


def _directions(
    orbits: SatelliteOrbits, names: tuple[str, ...], tai_ns: IntArray, position_ecef_m: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Azimuth and elevation of some satellites, (n_grid, n_name) each."""
    table = OrbitTable(orbits)
    step_ns = round(_NODE_STEP_S * NANOSECONDS)
    n_node = int((tai_ns[-1] - tai_ns[0]) // step_ns) + 2
    nodes = int(tai_ns[0]) + step_ns * np.arange(n_node)
    # A day's orbits end with its last epoch: the last node must not lie beyond them.
    nodes[-1] = max(int(tai_ns[-1]), int(nodes[-2]) + NANOSECONDS)
    index = np.array([orbits.satellites.index(name) for name in names], dtype=np.int64)
    # A session may be longer than its orbits: beyond them nothing is known.
    served = (nodes >= orbits.epochs.tai_ns[0]) & (nodes <= orbits.epochs.tai_ns[-1])
    epoch_ns = np.repeat(nodes[served], index.size)
    position = np.full((nodes.size, index.size, 3), np.nan)
    found, _ = table.positions_and_velocities(
        epoch_ns, np.zeros(epoch_ns.size), np.tile(index, int(served.sum()))
    )
    position[served] = found.reshape(-1, index.size, 3)
    line = position - position_ecef_m
    enu = line @ enu_matrix_at(position_ecef_m).T
    enu /= np.linalg.norm(enu, axis=-1, keepdims=True)
    before = np.clip(np.searchsorted(nodes, tai_ns, side="right") - 1, 0, nodes.size - 2)
    share = ((tai_ns - nodes[before]) / (nodes[before + 1] - nodes[before]))[:, np.newaxis, np.newaxis]
    east, north, up = np.moveaxis(enu[before] * (1.0 - share) + enu[before + 1] * share, -1, 0)
    return np.mod(np.arctan2(east, north), 2.0 * np.pi), np.arctan2(up, np.hypot(east, north))
