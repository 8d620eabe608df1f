"""Phase wind-up: circular polarisation makes the carrier turn when an antenna turns.

Wu et al. (1993), manuscripta geodaetica 18, 91-98; IERS Conventions (2010), section 9.3 of GNSS practice.
"""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def windup_angle_cycles(
    satellite_axes: FloatArray, station_enu_rows: FloatArray, line_of_sight: FloatArray
) -> FloatArray:
    """Fractional wind-up of observations, cycles in (-0.5, 0.5], to be added to the modelled phase.

    Parameters
    ----------
    satellite_axes : (n, 3, 3) body axes as columns
    station_enu_rows : (3, 3), rows east, north, up
    line_of_sight : (n, 3) unit vectors from station to satellite

    The receiver's dipoles point north and west, so an antenna facing north needs no further turn.
    """
    k = -line_of_sight  # the signal's direction
    x_s, y_s = satellite_axes[..., 0], satellite_axes[..., 1]
    x_r, y_r = station_enu_rows[1], -station_enu_rows[0]
    dipole_s = x_s - k * np.sum(k * x_s, axis=-1, keepdims=True) - np.cross(k, y_s)
    dipole_r = x_r - k * (k @ x_r)[..., None] + np.cross(k, y_r)
    sine = np.sum(k * np.cross(dipole_s, dipole_r), axis=-1)
    norms = np.linalg.norm(dipole_s, axis=-1) * np.linalg.norm(dipole_r, axis=-1)
    cosine = np.sum(dipole_s * dipole_r, axis=-1)
    return np.asarray(np.arctan2(sine / norms, cosine / norms) / (2.0 * np.pi))


def continuous_windup_cycles(angle_cycles: FloatArray, satellite_index: NDArray[np.int64]) -> FloatArray:
    """Wind-up made continuous in time for each satellite.

    angle_cycles : (n,) in time order; satellite_index : (n,). A gap longer than half a turn of a satellite
    may leave a whole number of cycles, which the ambiguity of the new arc takes up.
    """
    result = np.empty_like(angle_cycles)
    for satellite in np.unique(satellite_index):
        rows = satellite_index == satellite
        result[rows] = np.unwrap(angle_cycles[rows], period=1.0)
    return result
