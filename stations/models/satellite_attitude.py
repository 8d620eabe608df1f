"""Nominal attitude of GNSS satellites: the axes of the IGS body frame in the terrestrial frame.

Montenbruck et al. (2015), Adv. Space Res. 56, 1015-1029: z to the earth, y = z x (direction to the sun),
x completes the triad and points to the sunlit hemisphere. How satellites turn near noon and midnight, and
which fly along their orbits instead, is in `yaw_laws`; tabulated attitudes (ORBEX) go before both.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.models.yaw_laws import YawLaw, nominal_yaw_rad, yaw_angle

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_ALIGNED: Final = 1e-9  # sine of the angle between the sun and the local vertical


def _unit(vector: FloatArray) -> FloatArray:
    return np.asarray(vector / np.linalg.norm(vector, axis=-1, keepdims=True))


def sun_elevation_and_orbit_angle(
    satellite_m: FloatArray, inertial_velocity_m_per_s: FloatArray, sun_m: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Sun's elevation over the orbital plane (beta) and the orbit angle from midnight (mu), radians.

    All (..., 3) in one frame; the velocity without the frame's rotation. mu is 0 at midnight, pi at noon.
    """
    normal = _unit(np.cross(satellite_m, inertial_velocity_m_per_s))
    sun = _unit(sun_m)
    beta = np.arcsin(np.sum(normal * sun, axis=-1))
    midnight = _unit(-(sun - np.sum(normal * sun, axis=-1)[..., None] * normal))
    ahead = np.cross(normal, midnight)
    mu = np.arctan2(np.sum(satellite_m * ahead, axis=-1), np.sum(satellite_m * midnight, axis=-1))
    return np.asarray(beta), np.asarray(mu)


def body_axes(
    satellite_m: FloatArray,
    inertial_velocity_m_per_s: FloatArray,
    sun_m: FloatArray,
) -> FloatArray:
    """Axes of the IGS body frame as columns, shape (..., 3, 3): `terrestrial = axes @ body`.

    Parameters
    ----------
    satellite_m, inertial_velocity_m_per_s, sun_m : (..., 3) in the terrestrial axes
    """
    z = -_unit(satellite_m)
    y_steering = np.cross(z, _unit(sun_m - satellite_m))
    y_normal = -np.cross(satellite_m, inertial_velocity_m_per_s)
    # With the sun exactly overhead or below there is no plane to steer in: x along the flight.
    undefined = np.linalg.norm(y_steering, axis=-1) < _ALIGNED
    y = _unit(np.where(undefined[..., None], y_normal, y_steering))
    x = np.cross(y, z)
    return np.stack([x, y, z], axis=-1)


def turned_about_z(axes: FloatArray, angle_rad: FloatArray) -> FloatArray:
    """Body axes (..., 3, 3) turned about their z axis by angles (...), from x towards y."""
    cosine, sine = np.cos(angle_rad)[..., None], np.sin(angle_rad)[..., None]
    x, y = axes[..., 0], axes[..., 1]
    return np.stack([cosine * x + sine * y, cosine * y - sine * x, axes[..., 2]], axis=-1)


def axes_by_law(
    axes: FloatArray,
    beta_rad: FloatArray,
    orbit_angle_rad: FloatArray,
    orbit_rate_rad_per_s: FloatArray,
    satellite_index: NDArray[np.int64],
    laws: Sequence[YawLaw],
) -> tuple[FloatArray, BoolArray]:
    """Nominal body axes turned to the yaw of each satellite's own law.

    Parameters
    ----------
    axes : (n, 3, 3) yaw-steering; beta_rad, orbit_angle_rad, orbit_rate_rad_per_s, satellite_index : (n,)
    laws : of each satellite

    Returns
    -------
    axes : (n, 3, 3); doubtful : (n,) where no law tells the yaw
    """
    turn = np.zeros(satellite_index.shape)
    doubtful = np.zeros(satellite_index.shape, dtype=np.bool_)
    codes = {law: k for k, law in enumerate(dict.fromkeys(laws))}
    code = np.array([codes[law] for law in laws], dtype=np.int64)[satellite_index]
    for law, number in codes.items():
        rows = np.flatnonzero(code == number)
        if rows.size == 0:
            continue
        beta, orbit_angle = beta_rad[rows], orbit_angle_rad[rows]
        yaw, doubtful[rows] = yaw_angle(law, beta, orbit_angle, orbit_rate_rad_per_s[rows])
        turn[rows] = yaw - nominal_yaw_rad(beta, orbit_angle)
    return turned_about_z(axes, turn), doubtful
