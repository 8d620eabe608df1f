"""An adjusted network as SINEX 2.02 with the covariances of all its stations."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.network.adjust import pair_cofactors
from datum.network.observations import ComponentRole
from pipelines.adjusted_network import AdjustedNetwork
from stations.formats.sinex import SinexPosition, document_of_positions, write_sinex
from stations.records import AntennaType, StationSetup
from transforms.covariance import for_publication
from transforms.errors import InputError
from transforms.geodetic import enu_matrix_at

FloatArray = NDArray[np.float64]

_POSITION_DECIMALS: Final = 6
# A full matrix of more stations is a file of gigabytes that no reader takes.
_MOST_STATIONS: Final = 1500
_NO_SETUP: Final = StationSetup("", "", "", AntennaType("", "NONE"), (0.0, 0.0, 0.0))
# Fixed stations have no covariance; SINEX wants one that can be inverted.
_FIXED_SIGMA_M: Final = 1e-6


def write_adjusted_sinex(path: Path, adjusted: AdjustedNetwork) -> None:
    """Write SINEX 2.02 with the full covariance. Raises InputError for what SINEX cannot hold."""
    network, result = adjusted.network, adjusted.adjustment
    if not adjusted.is_on_earth:
        raise InputError(f"{path}: SINEX holds earth-centred positions, and this is a network in the plane")
    if network.epoch is None:
        raise InputError(f"{path}: SINEX needs the epoch of the positions, and no input gives one")
    if len(adjusted.stations) > _MOST_STATIONS:
        raise InputError(
            f"{path}: {len(adjusted.stations)} stations; a full SINEX matrix is written for {_MOST_STATIONS} "
            "at most"
        )
    positions = [
        SinexPosition(
            row.name,
            "",
            1,
            np.round(np.array(row.position_m), _POSITION_DECIMALS),
            None,
            network.epoch,
            network.epoch,
            network.epoch,
            network.epoch,
            _NO_SETUP,
        )
        for row in adjusted.stations
    ]
    document = document_of_positions(
        positions,
        for_publication(_covariance(adjusted)),
        frame=network.frame or "not stated",
        description=f"Network adjustment of {adjusted.name}",
        statistics={
            "NUMBER OF OBSERVATIONS": float(result.n_observations),
            "NUMBER OF UNKNOWNS": float(result.n_unknowns),
            "NUMBER OF DEGREES OF FREEDOM": float(result.degrees_of_freedom),
            "VARIANCE FACTOR": float(for_publication(result.sigma_zero)),
        },
        remarks=(f"Datum: {result.datum_words}.", *network.remarks, *result.remarks),
        created=network.epoch,
    )
    write_sinex(document, path)


def _covariance(adjusted: AdjustedNetwork) -> FloatArray:
    """Covariance (3 n, 3 n) in earth-centred axes at the published variance factor."""
    points = adjusted.adjustment.points
    n = len(points)
    names = [point.name for point in points]
    turn = [enu_matrix_at(point.position_m, adjusted.network.ellipsoid) for point in points]
    pairs = pair_cofactors(adjusted.network, [(names[i], names[j]) for j in range(n) for i in range(j)])
    full = np.zeros((3 * n, 3 * n))
    for j in range(n):
        columns = slice(3 * j, 3 * j + 3)
        own = np.array(points[j].cofactor_m2) * adjusted.factor
        held = [role is ComponentRole.FIXED for role in points[j].roles]
        own[np.diag_indices(3)] += np.where(held, _FIXED_SIGMA_M**2, 0.0)
        full[columns, columns] = turn[j].T @ own @ turn[j]
        for i in range(j):
            rows = slice(3 * i, 3 * i + 3)
            block = turn[i].T @ (adjusted.factor * pairs[names[i], names[j]]) @ turn[j]
            full[rows, columns] = block
            full[columns, rows] = block.T
    return full
