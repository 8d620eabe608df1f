"""Normal equations as pseudo-observations, so that a SINEX solution joins a network like anything else.

N = U L U' over its positive eigenvalues gives observations L^1/2 U' x of unit covariance with the same normal
equations; what constraints had fixed and their removal freed has eigenvalues of zero and no observation.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.network.blocks import ObservationBlock
from datum.network.observations import NormalEquationCluster
from datum.network.unknowns import Unknowns
from transforms.errors import InputError

FloatArray = NDArray[np.float64]

_AXES: Final = {"position_x": 0, "position_y": 1, "position_z": 2}
# Removing constraints subtracts nearly equal matrices: what is left below this share of the greatest
# eigenvalue (scaled to a unit diagonal) is the rounding of the file's 15 figures.
_NO_INFORMATION: Final = 1e-11


def normal_equation_block(
    number: int, cluster: NormalEquationCluster, unknowns: Unknowns
) -> tuple[ObservationBlock, float, int]:
    """The block of a cluster, the weighted square sum that stays whatever the unknowns, and the observations
    that it stands for beyond its pseudo-observations."""
    equations = cluster.equations
    for key in equations.keys:
        if key.quantity not in _AXES:
            raise InputError(
                f"{cluster.name}: {key.quantity} of {key.subject} is no coordinate; reduce it first"
            )
    places = np.array([unknowns.point(key.subject, cluster.name) for key in equations.keys], dtype=np.intp)
    axes = np.array([_AXES[key.quantity] for key in equations.keys], dtype=np.intp)
    matrix = 0.5 * (equations.matrix + equations.matrix.T)
    diagonal = np.diagonal(matrix)
    if not np.all(np.isfinite(matrix)) or np.any(diagonal < 0.0):
        raise InputError(
            f"{cluster.name}: the normal matrix has entries that are not finite or negative diagonals"
        )
    scale = np.where(diagonal > 0.0, 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0)), 0.0)
    eigenvalues, vectors = np.linalg.eigh(matrix * np.outer(scale, scale))
    if eigenvalues[0] < -1e-6 * eigenvalues[-1]:
        raise InputError(
            f"{cluster.name}: the normal matrix is not positive (eigenvalue {eigenvalues[0]:.3g})"
        )
    real = eigenvalues > _NO_INFORMATION * eigenvalues[-1]
    root = np.sqrt(eigenvalues[real])
    rows = (vectors[:, real] * root).T / np.where(scale > 0.0, scale, 1.0)  # (k, unknowns of the cluster)
    observed = (vectors[:, real] / root).T @ (scale * equations.right_side)
    left_over = equations.weighted_square_sum - float(observed @ observed)
    nodes, local = np.unique(places, return_inverse=True)
    k = int(real.sum())
    design = np.zeros((k, nodes.size, 3))
    design[:, local, axes] = rows
    about = np.zeros((nodes.size, 3))
    about[local, axes] = equations.approximate

    def evaluate(values: FloatArray) -> tuple[FloatArray, FloatArray]:
        moved = np.einsum("ksc,sc->k", design, values[nodes] - about)
        return design[None], (observed - moved)[None]

    block = ObservationBlock(
        nodes=nodes[None].astype(np.intp),
        covariance=np.eye(k)[None],
        weight=np.eye(k)[None],
        cluster=np.full((1, k), number),
        item=np.arange(k)[None],
        component=np.zeros((1, k), dtype=np.intp),
        evaluate=evaluate,
        linear=True,
        scale_m=np.ones((1, k)),
    )
    return block, max(left_over, 0.0), max(equations.n_observations - k, 0)
