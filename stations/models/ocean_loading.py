"""Displacement of a station by ocean tide loading, from the eleven main tides of a BLQ file."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.records import OceanLoading
from transforms.geodetic import enu_matrix_at
from transforms.time_scales import Epochs, TimeScale

FloatArray = NDArray[np.float64]

# Multiples of (tau, s, h, p) and the phase in degrees that Schwiderski's convention adds, in the order of
# BLQ: M2 S2 N2 K2 K1 O1 P1 Q1 Mf Mm Ssa. Doodson (1921); Scherneck (1991); IERS Conventions (2010), 7.1.2.
_TIDES: Final = np.array(
    [
        (2, 0, 0, 0, 0.0),
        (2, 2, -2, 0, 0.0),
        (2, -1, 0, 1, 0.0),
        (2, 2, 0, 0, 0.0),
        (1, 1, 0, 0, 90.0),
        (1, -1, 0, 0, -90.0),
        (1, 1, -2, 0, -90.0),
        (1, -2, 0, 1, -90.0),
        (0, 2, 0, 0, 0.0),
        (0, 1, 0, -1, 0.0),
        (0, 0, 2, 0, 0.0),
    ]
)


def tidal_arguments_rad(epochs: Epochs) -> FloatArray:
    """Astronomical arguments of the eleven tides at Greenwich; shape (n, 11). Mean longitudes: Meeus."""
    tt1, tt2 = epochs.to(TimeScale.TT).julian_date_parts()
    t = ((tt1 - 2451545.0) + tt2) / 36525.0
    utc = epochs.to(TimeScale.UTC).modified_julian_date()
    s = 218.3164477 + 481267.88123421 * t
    h = 280.46646 + 36000.76983 * t
    p = 83.3532465 + 4069.0137287 * t
    tau = (utc - np.floor(utc)) * 360.0 + h - s
    return np.asarray(np.radians(np.stack([tau, s, h, p], -1) @ _TIDES[:, :4].T + _TIDES[:, 4]))


def ocean_loading_displacement(
    station_ecef_m: FloatArray, epochs: Epochs, loading: OceanLoading
) -> FloatArray:
    """Displacement by ocean tide loading; (n, 3) in ECEF, m, to be added to the loading-free position.

    The eleven tides without their nodal side lines: within 1 mm of all 342 tides for a European station,
    more at Atlantic coasts (IERS Conventions 2010, section 7.1.2.2).
    """
    arguments = tidal_arguments_rad(epochs)
    up_west_south = np.einsum(
        "ck,nck->nc", loading.amplitude_m, np.cos(arguments[:, None, :] - loading.phase_rad)
    )
    enu = np.stack([-up_west_south[:, 1], -up_west_south[:, 2], up_west_south[:, 0]], axis=-1)
    return np.asarray(enu @ enu_matrix_at(station_ecef_m), dtype=np.float64)
