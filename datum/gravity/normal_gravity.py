"""Normal gravity of a level ellipsoid: on it by Somigliana, above it in closed form, along its plumb line.

Heiskanen and Moritz (1967), Physical Geodesy, sections 2-7 to 2-10; Moritz (2000), Geodetic Reference System
1980, J. Geodesy 74:128-133. Latitudes are geodetic; gravity is in m/s2 and positive.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transforms.ellipsoids import CGCS2000, Ellipsoid
from transforms.errors import InputError

FloatArray = NDArray[np.float64]


def gravity_at_equator_m_per_s2(ellipsoid: Ellipsoid = CGCS2000) -> float:
    """Normal gravity at the equator; Heiskanen and Moritz (1967), eq. 2-73."""
    gm, _, m, ratio = _constants(ellipsoid)
    a, b = ellipsoid.semi_major_axis_m, ellipsoid.semi_minor_axis_m
    return gm / (a * b) * (1.0 - m - m / 6.0 * ratio)


def gravity_at_pole_m_per_s2(ellipsoid: Ellipsoid = CGCS2000) -> float:
    """Normal gravity at the poles; Heiskanen and Moritz (1967), eq. 2-74."""
    gm, _, m, ratio = _constants(ellipsoid)
    return gm / ellipsoid.semi_major_axis_m**2 * (1.0 + m / 3.0 * ratio)


def normal_gravity_m_per_s2(latitude_rad: ArrayLike, ellipsoid: Ellipsoid = CGCS2000) -> FloatArray:
    """Normal gravity on the ellipsoid, Somigliana's closed formula; Heiskanen and Moritz (1967), eq. 2-76.

    latitude_rad : geodetic, any shape, which the result has too
    """
    a, b = ellipsoid.semi_major_axis_m, ellipsoid.semi_minor_axis_m
    equator, pole = gravity_at_equator_m_per_s2(ellipsoid), gravity_at_pole_m_per_s2(ellipsoid)
    sin2 = np.sin(np.asarray(latitude_rad, dtype=np.float64)) ** 2
    cos2 = 1.0 - sin2
    return np.asarray(
        (a * equator * cos2 + b * pole * sin2) / np.sqrt(a**2 * cos2 + b**2 * sin2), dtype=np.float64
    )


def normal_gravity_above_m_per_s2(
    latitude_rad: ArrayLike, height_m: ArrayLike, ellipsoid: Ellipsoid = CGCS2000
) -> FloatArray:
    """Normal gravity at an ellipsoidal height, closed in ellipsoidal coordinates (u, beta).

    Heiskanen and Moritz (1967), eqs. 2-66 and 2-67 with the centrifugal terms; the magnitude of the vector.
    The shape is that of the arguments broadcast.
    """
    gm, omega, _, _ = _constants(ellipsoid)
    a, b, e = ellipsoid.semi_major_axis_m, ellipsoid.semi_minor_axis_m, ellipsoid.linear_eccentricity_m
    latitude, height = np.broadcast_arrays(
        np.asarray(latitude_rad, dtype=np.float64), np.asarray(height_m, dtype=np.float64)
    )
    prime_vertical = a / np.sqrt(1.0 - ellipsoid.first_eccentricity_squared * np.sin(latitude) ** 2)
    rho = (prime_vertical + height) * np.cos(latitude)
    z = (prime_vertical * (b / a) ** 2 + height) * np.sin(latitude)
    excess = rho**2 + z**2 - e**2
    u = np.sqrt(0.5 * excess * (1.0 + np.sqrt(1.0 + 4.0 * e**2 * z**2 / excess**2)))
    u2e2 = u**2 + e**2
    beta = np.arctan2(z * np.sqrt(u2e2), u * rho)
    sin_b, cos_b = np.sin(beta), np.cos(beta)
    w = np.sqrt((u**2 + e**2 * sin_b**2) / u2e2)
    q0 = _q(np.float64(b), e)
    gravity_u = (
        -(gm / u2e2 + omega**2 * a**2 * e / u2e2 * _q_prime(u, e) / q0 * (0.5 * sin_b**2 - 1.0 / 6.0)) / w
        + omega**2 * u * cos_b**2 / w
    )
    gravity_beta = (
        (omega**2 * a**2 / np.sqrt(u2e2) * _q(u, e) / q0 - omega**2 * np.sqrt(u2e2)) * sin_b * cos_b / w
    )
    return np.asarray(np.hypot(gravity_u, gravity_beta), dtype=np.float64)


def mean_normal_gravity_m_per_s2(
    latitude_rad: ArrayLike, normal_height_m: ArrayLike, ellipsoid: Ellipsoid = CGCS2000
) -> FloatArray:
    """Mean normal gravity along the normal plumb line from the ellipsoid up to a normal height.

    Heiskanen and Moritz (1967), eq. 4-42: gamma [1 - (1 + f + m - 2 f sin^2 phi) H/a + H^2/a^2].
    """
    _, _, m, _ = _constants(ellipsoid)
    latitude = np.asarray(latitude_rad, dtype=np.float64)
    relative = np.asarray(normal_height_m, dtype=np.float64) / ellipsoid.semi_major_axis_m
    f = ellipsoid.flattening
    gamma = normal_gravity_m_per_s2(latitude, ellipsoid)
    decrease = (1.0 + f + m - 2.0 * f * np.sin(latitude) ** 2) * relative
    return np.asarray(gamma * (1.0 - decrease + relative**2), dtype=np.float64)


def _constants(ellipsoid: Ellipsoid) -> tuple[float, float, float, float]:
    """GM, rotation rate, m = omega^2 a^2 b / GM, and e' q0' / q0 of an ellipsoid with a gravity field."""
    gm, omega = ellipsoid.gravitational_constant_m3_per_s2, ellipsoid.rotation_rate_rad_per_s
    if gm is None or omega is None:
        raise InputError(
            f"the ellipsoid {ellipsoid.name} has no gravity field of its own (no GM or rotation)"
        )
    b, e = ellipsoid.semi_minor_axis_m, ellipsoid.linear_eccentricity_m
    m = omega**2 * ellipsoid.semi_major_axis_m**2 * b / gm
    start = np.float64(b)
    return gm, omega, m, float(e / b * _q_prime(start, e) / _q(start, e))


def _q(u: FloatArray | np.float64, e: float) -> FloatArray | np.float64:
    """Heiskanen and Moritz (1967), eq. 2-57."""
    return 0.5 * ((1.0 + 3.0 * u**2 / e**2) * np.arctan(e / u) - 3.0 * u / e)


def _q_prime(u: FloatArray | np.float64, e: float) -> FloatArray | np.float64:
    """Heiskanen and Moritz (1967), eq. 2-67 (q prime)."""
    return 3.0 * (1.0 + u**2 / e**2) * (1.0 - u / e * np.arctan(e / u)) - 1.0
