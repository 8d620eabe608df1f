"""Small rotations, which never travel without their sign convention."""

from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


class RotationConvention(StrEnum):
    """The sign of the three rotations of a similarity transformation.

    POSITION_VECTOR : the point turns, the axes stand (ITRF, IERS Conventions 2010 eq. 4.3; EPSG method 1033)
    COORDINATE_FRAME : the axes turn, the point stands; all signs opposite (EPSG method 1032)
    """

    POSITION_VECTOR = "position vector"
    COORDINATE_FRAME = "coordinate frame"


def skew_matrix(vector: ArrayLike) -> FloatArray:
    """Matrix S (..., 3, 3) with `S @ x = cross(vector, x)`, in the units of the vector (..., 3)."""
    v = np.asarray(vector, dtype=np.float64)
    zero = np.zeros_like(v[..., 0])
    rows = [
        np.stack([zero, -v[..., 2], v[..., 1]], axis=-1),
        np.stack([v[..., 2], zero, -v[..., 0]], axis=-1),
        np.stack([-v[..., 1], v[..., 0], zero], axis=-1),
    ]
    return np.stack(rows, axis=-2)


def position_vector_rotation_rad(rotation_rad: ArrayLike, convention: RotationConvention) -> FloatArray:
    """The three rotations (..., 3), radians, turned into the position-vector convention."""
    rotation = np.asarray(rotation_rad, dtype=np.float64)
    return rotation if convention is RotationConvention.POSITION_VECTOR else -rotation


def small_rotation_matrix(rotation_rad: ArrayLike, convention: RotationConvention) -> FloatArray:
    """Linearised rotation I + S (..., 3, 3) about x, y, z by small angles (..., 3), radians.

    This is the matrix of the ITRF's tables, of EPSG methods 1032, 1033, 1053, 1056 and of PROJ's
    `+proj=helmert` without `+exact`. It is orthogonal to the square of the angles only.
    """
    return np.eye(3) + skew_matrix(position_vector_rotation_rad(rotation_rad, convention))
