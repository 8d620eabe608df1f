"""Nominal attitude of GNSS satellites: the axes of the IGS body frame in the terrestrial frame.

Montenbruck et al. (2015), Adv. Space Res. 56, 1015-1029: z to the earth, y = z x (direction to the sun),
x completes the triad and points to the sunlit hemisphere. BeiDou-2 IGSO and MEO turn into orbit-normal mode
while the sun is within 4 degrees of the orbital plane (same paper, section 4.4). The fast turns of GPS,
Galileo and BeiDou-3 near noon and midnight are not modelled here: `near_turn` tells where they are.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

ORBIT_NORMAL_BETA_RAD: Final = np.radians(4.0)
# A satellite whose yaw must turn faster than its wheels allow lies within this angle of the sun's line when
# the sun is lower than this above its plane. GPS IIF: 0.11 deg/s against an orbital 0.0083 deg/s: beta < 4.3.
TURN_BETA_RAD: Final = np.radians(4.5)
TURN_ORBIT_ANGLE_RAD: Final = np.radians(6.0)
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


def near_turn(beta_rad: FloatArray, orbit_angle_rad: FloatArray) -> BoolArray:
    """Where a yaw-steering satellite may turn differently from the nominal attitude (noon and midnight)."""
    from_midnight = np.abs(orbit_angle_rad)
    from_noon = np.pi - from_midnight
    close = np.minimum(from_midnight, from_noon) < TURN_ORBIT_ANGLE_RAD
    return np.asarray((np.abs(beta_rad) < TURN_BETA_RAD) & close)


def body_axes(
    satellite_m: FloatArray,
    inertial_velocity_m_per_s: FloatArray,
    sun_m: FloatArray,
    orbit_normal: BoolArray,
) -> FloatArray:
    """Axes of the IGS body frame as columns, shape (..., 3, 3): `terrestrial = axes @ body`.

    Parameters
    ----------
    satellite_m, inertial_velocity_m_per_s, sun_m : (..., 3) in the terrestrial axes
    orbit_normal : (...) True where the satellite flies in orbit-normal mode
    """
    z = -_unit(satellite_m)
    y_steering = np.cross(z, _unit(sun_m - satellite_m))
    y_normal = -np.cross(satellite_m, inertial_velocity_m_per_s)
    # With the sun exactly overhead or below there is no plane to steer in.
    undefined = np.linalg.norm(y_steering, axis=-1) < _ALIGNED
    y = _unit(np.where((orbit_normal | undefined)[..., None], y_normal, y_steering))
    x = np.cross(y, z)
    return np.stack([x, y, z], axis=-1)
