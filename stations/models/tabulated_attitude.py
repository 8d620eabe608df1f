"""Attitudes of satellites at any instant, from a centre's table (ORBEX)."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.formats.orbex import body_from_ecef_matrix
from stations.records import SatelliteAttitudes

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

# Satellites yaw by 0.2 deg/s at most: between nodes a minute apart the straight line between quaternions is
# off by less than 0.1 degrees.
_LONGEST_STEP_S: Final = 60.0


class AttitudeTable:
    """Tabulated attitudes ready for interpolation.

    Parameters
    ----------
    attitudes : quaternions of one centre
    satellites : the caller's, which indices point into
    """

    def __init__(self, attitudes: SatelliteAttitudes, satellites: tuple[str, ...]) -> None:
        place = {name: k for k, name in enumerate(attitudes.satellites)}
        self._place = np.array([place.get(name, -1) for name in satellites], dtype=np.int64)
        self._epoch_ns = attitudes.epochs.tai_ns
        self._quaternion = attitudes.quaternion_body_from_ecef

    def axes(
        self, epoch_ns: IntArray, offset_s: FloatArray, satellite_index: IntArray
    ) -> tuple[FloatArray, BoolArray]:
        """Body axes as columns (n, 3, 3), terrestrial at `epoch_ns + offset_s` (TAI), and where known (n,).

        Between nodes the two quaternions are blended and made of unit length. Not carried over gaps of more
        than a minute nor beyond the table by more than that; unknown rows hold the unit matrix.
        """
        count = self._epoch_ns.size
        column = self._place[satellite_index]
        at_s = (epoch_ns - self._epoch_ns[0]) / 1e9 + offset_s
        node_s = (self._epoch_ns - self._epoch_ns[0]) / 1e9
        before = np.clip(np.searchsorted(node_s, at_s, side="right") - 1, 0, max(count - 2, 0))
        after = np.minimum(before + 1, count - 1)
        step_s = node_s[after] - node_s[before]
        share = np.clip((at_s - node_s[before]) / np.where(step_s > 0.0, step_s, 1.0), 0.0, 1.0)
        left = self._quaternion[before, np.maximum(column, 0)]
        right = self._quaternion[after, np.maximum(column, 0)]
        # q and -q are the same attitude: blend the two that are near each other.
        right = np.where(np.sum(left * right, axis=-1, keepdims=True) < 0.0, -right, right)
        # An instant on a node needs that node alone.
        left_only, right_only = share[:, None] == 0.0, share[:, None] == 1.0
        blend = (1.0 - share[:, None]) * left + share[:, None] * right
        blend = np.where(left_only, left, np.where(right_only, right, blend))
        away_s = np.maximum(node_s[0] - at_s, at_s - node_s[-1])
        on_node = left_only[:, 0] | right_only[:, 0]
        known = (column >= 0) & np.all(np.isfinite(blend), axis=-1) & (away_s <= _LONGEST_STEP_S)
        known &= (step_s <= _LONGEST_STEP_S) | on_node
        unit = np.where(known[:, None], blend, [1.0, 0.0, 0.0, 0.0])
        unit = unit / np.linalg.norm(unit, axis=-1, keepdims=True)
        return np.swapaxes(body_from_ecef_matrix(unit), -1, -2), np.asarray(known)
