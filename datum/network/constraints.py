"""Minimal constraints: the datum of a network from chosen stations, without straining the observations.

The condition is B (x - x_control) = 0 with B = (G'G)^-1 G', G the derivatives of the chosen stations'
coordinates by the datum's parameters (Altamimi et al. 2002, JGR 107 B10, eq. A10; Sillard and Boucher 2001,
J. Geodesy 75:63-73). Rotations and scale are taken about the centre of the chosen stations, so that in a
small region they do not mix with the translation.
"""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from transforms.errors import AdjustmentError
from transforms.rotations import skew_matrix

FloatArray = NDArray[np.float64]


class DatumParameter(StrEnum):
    """What a datum fixes, and what each day may have of its own."""

    TRANSLATION = "translation"
    ROTATION = "rotation"
    SCALE = "scale"


# Parameters in this order, with the names of their components.
COMPONENTS = {
    DatumParameter.TRANSLATION: ("translation_x", "translation_y", "translation_z"),
    DatumParameter.ROTATION: ("rotation_x", "rotation_y", "rotation_z"),
    DatumParameter.SCALE: ("scale",),
}


def component_names(parameters: Sequence[DatumParameter]) -> tuple[str, ...]:
    """Names of the components, in the order of `datum_derivatives`' columns."""
    return tuple(name for p in DatumParameter if p in parameters for name in COMPONENTS[p])


def datum_derivatives(
    position_ecef_m: FloatArray,
    centre_ecef_m: FloatArray,
    radius_m: float,
    parameters: Sequence[DatumParameter],
) -> FloatArray:
    """Derivatives of positions (..., 3) by the datum's components: shape (..., 3, k).

    Rotations and scale are counted as metres at `radius_m` from the centre.
    """
    reduced = (np.asarray(position_ecef_m, dtype=np.float64) - centre_ecef_m) / radius_m
    shape = reduced.shape[:-1]
    columns: list[FloatArray] = []
    if DatumParameter.TRANSLATION in parameters:
        columns.append(np.broadcast_to(np.eye(3), (*shape, 3, 3)))
    if DatumParameter.ROTATION in parameters:
        columns.append(-skew_matrix(reduced))
    if DatumParameter.SCALE in parameters:
        columns.append(reduced[..., None])
    if not columns:
        raise AdjustmentError("a datum needs one parameter at least")
    return np.concatenate(columns, axis=-1)


def minimal_constraints(derivatives: FloatArray, weights: FloatArray | None = None) -> FloatArray:
    """B = (G'WG)^-1 G'W, shape (k, 3 n), of chosen stations with derivatives G (n, 3, k).

    weights : (n,) of the stations, by default all 1. Raises AdjustmentError where the stations cannot carry
    the datum's parameters (two stations for a rotation, three on a line).
    """
    n, _, k = derivatives.shape
    g = derivatives.reshape(3 * n, k)
    w = np.repeat(np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64), 3)
    normal = g.T @ (w[:, None] * g)
    if np.linalg.matrix_rank(normal, tol=1e-10 * float(np.trace(normal))) < k:
        raise AdjustmentError(f"{n} control stations in this place do not determine the {k} datum parameters")
    return np.asarray(np.linalg.solve(normal, (w[:, None] * g).T))
