"""Geocentric, geodetic and local coordinates on an ellipsoid. Vectorised; components last."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transforms.ellipsoids import GRS80, Ellipsoid

FloatArray = NDArray[np.float64]


def geodetic_from_ecef(
    position_ecef_m: ArrayLike, ellipsoid: Ellipsoid = GRS80
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Latitude, longitude and ellipsoidal height of geocentric positions.

    Parameters
    ----------
    position_ecef_m : shape (..., 3)

    Returns
    -------
    latitude_rad, longitude_rad (-pi..pi), height_m : shape (...)

    Bowring (1985) with two further iterations: below 1e-9 m from -10 km to 10,000 km height.
    """
    p = np.asarray(position_ecef_m, dtype=np.float64)
    x, y, z = p[..., 0], p[..., 1], p[..., 2]
    a, b = ellipsoid.semi_major_axis_m, ellipsoid.semi_minor_axis_m
    e2 = ellipsoid.first_eccentricity_squared
    ep2 = e2 / (1.0 - e2)
    rho = np.hypot(x, y)
    beta = np.arctan2(z * a, rho * b)
    for _ in range(3):
        phi = np.arctan2(z + ep2 * b * np.sin(beta) ** 3, rho - e2 * a * np.cos(beta) ** 3)
        beta = np.arctan2((1.0 - ellipsoid.flattening) * np.sin(phi), np.cos(phi))
    sin_phi, cos_phi = np.sin(phi), np.cos(phi)
    prime_vertical = a / np.sqrt(1.0 - e2 * sin_phi**2)
    height = rho * cos_phi + z * sin_phi - a**2 / prime_vertical
    return phi, np.arctan2(y, x), height


def ecef_from_geodetic(
    latitude_rad: ArrayLike, longitude_rad: ArrayLike, height_m: ArrayLike, ellipsoid: Ellipsoid = GRS80
) -> FloatArray:
    """Geocentric position from latitude, longitude and ellipsoidal height; returns shape (..., 3), m."""
    phi, lam, h = np.broadcast_arrays(
        np.asarray(latitude_rad, np.float64),
        np.asarray(longitude_rad, np.float64),
        np.asarray(height_m, np.float64),
    )
    e2 = ellipsoid.first_eccentricity_squared
    prime_vertical = ellipsoid.semi_major_axis_m / np.sqrt(1.0 - e2 * np.sin(phi) ** 2)
    return np.stack(
        [
            (prime_vertical + h) * np.cos(phi) * np.cos(lam),
            (prime_vertical + h) * np.cos(phi) * np.sin(lam),
            (prime_vertical * (1.0 - e2) + h) * np.sin(phi),
        ],
        axis=-1,
    )


def enu_from_ecef_matrix(latitude_rad: ArrayLike, longitude_rad: ArrayLike) -> FloatArray:
    """Rotation R with `enu = R @ ecef` for difference vectors; returns shape (..., 3, 3)."""
    phi, lam = np.broadcast_arrays(
        np.asarray(latitude_rad, np.float64), np.asarray(longitude_rad, np.float64)
    )
    sp, cp, sl, cl = np.sin(phi), np.cos(phi), np.sin(lam), np.cos(lam)
    zero = np.zeros_like(sp)
    rows = [
        np.stack([-sl, cl, zero], axis=-1),
        np.stack([-sp * cl, -sp * sl, cp], axis=-1),
        np.stack([cp * cl, cp * sl, sp], axis=-1),
    ]
    return np.stack(rows, axis=-2)


def enu_matrix_at(position_ecef_m: ArrayLike, ellipsoid: Ellipsoid = GRS80) -> FloatArray:
    """Rotation R with `enu = R @ ecef` at geocentric positions (..., 3); returns shape (..., 3, 3)."""
    latitude, longitude, _ = geodetic_from_ecef(position_ecef_m, ellipsoid)
    return enu_from_ecef_matrix(latitude, longitude)


def enu_covariance(position_ecef_m: ArrayLike, covariance_ecef_m2: ArrayLike) -> FloatArray:
    """Covariance (..., 3, 3) of a position, turned from ECEF to east, north, up."""
    rotation = enu_matrix_at(position_ecef_m)
    covariance = np.asarray(covariance_ecef_m2, dtype=np.float64)
    return np.asarray(rotation @ covariance @ np.swapaxes(rotation, -1, -2))


def azimuth_elevation(station_ecef_m: ArrayLike, target_ecef_m: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Azimuth (0..2 pi, from north over east) and elevation of targets, radians.

    Parameters
    ----------
    station_ecef_m : shape (3,); target_ecef_m : shape (..., 3)
    """
    station = np.asarray(station_ecef_m, dtype=np.float64)
    line = np.asarray(target_ecef_m, dtype=np.float64) - station
    enu = line @ enu_matrix_at(station).T
    azimuth = np.mod(np.arctan2(enu[..., 0], enu[..., 1]), 2.0 * np.pi)
    return azimuth, np.arctan2(enu[..., 2], np.hypot(enu[..., 0], enu[..., 1]))
