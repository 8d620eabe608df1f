"""A SINEX document as a part of a network: its positions with the constraints removed that it says it has.

Normal equations are taken as they are. Of a covariance C with the covariance C0 of constraints on the
a-priori values x0, the observations alone give N = C^-1 - C0^-1 and b = C^-1 (x - x0) (SINEX 2.02, appendix
on constraint removal). Without either, positions are observed with the covariance or the sigmas of the file.
Where a file does not tell the square sum of its observations, its own solution stands for them: rank N
observations that fit it.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.network.observations import (
    CoordinateCluster,
    Geometry,
    Network,
    NetworkPoint,
    NormalEquationCluster,
    ObservationCluster,
)
from datum.records import NormalEquations, ParameterKey
from stations.formats.sinex import frame_of, station_names
from stations.formats.sinex_records import SinexDocument, SinexParameter
from transforms.errors import FormatError, FrameError
from transforms.frames import frame_named

FloatArray = NDArray[np.float64]

_AXES: Final = {"STAX": "position_x", "STAY": "position_y", "STAZ": "position_z"}
_OBSERVATIONS: Final = "NUMBER OF OBSERVATIONS"
_SQUARE_SUM: Final = "WEIGHTED SQUARE SUM OF O-C"
# An eigenvalue of C^-1 - C0^-1 below this part of the largest is rounding of the file's digits.
_ROUNDING: Final = 1e-9
_WRONG_CONSTRAINTS: Final = 1e-3  # beyond what digits of a file can do to a smallest eigenvalue


def sinex_network(document: SinexDocument, *, frame: str | None = None) -> Network:
    """The network of a SINEX document.

    frame : of the positions where no comment of the file names it

    Raises FormatError for a document without positions, or whose constraints are not those it was made with.
    """
    path = document.inputs[0].path if document.inputs else "the SINEX document"
    chosen = [p for p in document.estimates if p.kind in _AXES]
    if not chosen and document.normal_equations is not None:
        chosen = [p for p in document.normal_equations.parameters if p.kind in _AXES]
    if not chosen:
        raise FormatError(path, None, "holds no station positions")
    name_of = _names(document, chosen)
    stations: dict[str, dict[str, SinexParameter]] = {}
    for parameter in chosen:
        stations.setdefault(name_of[_key(parameter)], {})[parameter.kind] = parameter
    for name, parts in stations.items():
        if len(parts) != len(_AXES):
            raise FormatError(path, None, f"station {name} lacks one of {', '.join(_AXES)}")
    epochs = {p.epoch.iso(): p.epoch for p in chosen if p.epoch is not None}
    named = frame or frame_of(document)
    remarks = list(document.remarks)
    if len(epochs) > 1:
        remarks.append(f"{path}: positions of {len(epochs)} epochs are taken as of one")
    points = tuple(
        NetworkPoint(name, np.array([parts[kind].value for kind in _AXES]))
        for name, parts in stations.items()
    )
    return Network(
        Geometry.EARTH,
        points,
        (_cluster(document, path, stations, name_of, remarks),),
        frame="" if named is None else _frame_name(named),
        epoch=next(iter(epochs.values())) if len(epochs) == 1 else None,
        remarks=tuple(remarks),
        inputs=document.inputs,
    )


def _frame_name(name: str) -> str:
    """The frame's name as the house has it; a national frame that it does not know keeps its own."""
    try:
        return frame_named(name).name
    except FrameError:
        return name.strip()


def _key(parameter: SinexParameter) -> tuple[str, str, str]:
    return parameter.code, parameter.point, parameter.solution


def _names(document: SinexDocument, chosen: list[SinexParameter]) -> dict[tuple[str, str, str], str]:
    """Names of the stations; with the solution number where a station has more than one."""
    full = station_names(document)
    keys = list(dict.fromkeys(_key(parameter) for parameter in chosen))
    plain = [full.get(key[:2], key[0]) for key in keys]
    return {
        key: name if plain.count(name) == 1 else f"{name}:{key[1]}:{key[2]}"
        for key, name in zip(keys, plain, strict=True)
    }


def _cluster(
    document: SinexDocument,
    path: str,
    stations: dict[str, dict[str, SinexParameter]],
    name_of: dict[tuple[str, str, str], str],
    remarks: list[str],
) -> ObservationCluster:
    keys = tuple(ParameterKey(name, axis) for name in stations for axis in _AXES.values())
    values = np.array([parts[kind].value for parts in stations.values() for kind in _AXES])
    equations = document.normal_equations
    if equations is not None and equations.matrix is not None:
        place = {
            (name_of.get(_key(p), ""), _AXES.get(p.kind, "")): i for i, p in enumerate(equations.parameters)
        }
        rows = [place[key.subject, key.quantity] for key in keys]
        matrix, right = _without_others(equations.matrix, equations.right_side, rows)
        approximate = _linearised_about(document, path, [equations.parameters[i] for i in rows])
        told = dict(document.statistics)
        if _SQUARE_SUM in told and _OBSERVATIONS in told:
            square_sum, n_observations = told[_SQUARE_SUM], int(told[_OBSERVATIONS])
        else:
            square_sum, n_observations = _own_fit(matrix, right)
        return NormalEquationCluster(
            NormalEquations(keys, matrix, right, approximate, square_sum, n_observations), path
        )
    if document.covariance is None:
        remarks.append(f"{path}: no covariance between stations is given; they are taken as independent")
        sigma = np.array([parts[kind].sigma for parts in stations.values() for kind in _AXES])
        if not np.all(sigma > 0.0):
            raise FormatError(
                path, None, "positions without covariance and without sigmas cannot be weighted"
            )
        covariance = np.zeros((len(stations), 3, 3))
        for axis in range(3):
            covariance[:, axis, axis] = sigma.reshape(-1, 3)[:, axis] ** 2
        return CoordinateCluster(
            tuple(stations), values.reshape(-1, 3), covariance, group="SINEX", epoch=None
        )
    rows = [parts[kind].index - 1 for parts in stations.values() for kind in _AXES]
    full = document.covariance[np.ix_(rows, rows)]
    _require_positive_definite(full, path)
    released = _released(document, path, rows, full, values)
    if released is None:
        return CoordinateCluster(tuple(stations), values.reshape(-1, 3), full, group="SINEX")
    remarks.append(f"{path}: the constraints of SOLUTION/MATRIX_APRIORI were removed")
    matrix, right, approximate = released
    square_sum, n_observations = _own_fit(matrix, right)
    return NormalEquationCluster(
        NormalEquations(keys, matrix, right, approximate, square_sum, n_observations), path
    )


def _linearised_about(document: SinexDocument, path: str, unknowns: list[SinexParameter]) -> FloatArray:
    """Values of SOLUTION/APRIORI, to which the solution of the normal equations is the correction."""
    apriori = {(_key(p), p.kind): p.value for p in document.apriori}
    missing = [p for p in unknowns if (_key(p), p.kind) not in apriori]
    if missing:
        raise FormatError(
            path,
            None,
            f"SOLUTION/APRIORI lacks {missing[0].kind} of {missing[0].code}: the normal equations give "
            "corrections to it",
        )
    return np.array([apriori[_key(p), p.kind] for p in unknowns])


def _require_positive_definite(covariance: FloatArray, path: str) -> None:
    smallest = float(np.linalg.eigvalsh(covariance)[0])
    if smallest <= 0.0:
        raise FormatError(
            path,
            None,
            f"the covariance of the positions is not positive definite (eigenvalue {smallest:.3g} m2)",
        )


def _released(
    document: SinexDocument, path: str, rows: Sequence[int], covariance: FloatArray, values: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Normal matrix, right side and a-priori values without constraints; None where none are told."""
    if document.apriori_covariance is None or not document.apriori:
        return None
    place = {(*_key(p), p.kind): i for i, p in enumerate(document.apriori)}
    wanted = [(*_key(document.estimates[i]), document.estimates[i].kind) for i in rows]
    if any(key not in place for key in wanted):
        return None
    apriori = np.array([place[key] for key in wanted], dtype=np.intp)
    constraint = document.apriori_covariance[np.ix_(apriori, apriori)]
    held = np.flatnonzero(np.diagonal(constraint) > 0.0)
    if not held.size:
        return None
    weight = np.zeros_like(constraint)
    weight[np.ix_(held, held)] = np.linalg.inv(constraint[np.ix_(held, held)])
    inverse = np.linalg.inv(covariance)
    difference = inverse - weight
    eigenvalues, vectors = np.linalg.eigh(0.5 * (difference + difference.T))
    if eigenvalues[0] < -_WRONG_CONSTRAINTS * eigenvalues[-1]:
        raise FormatError(
            path,
            None,
            "SOLUTION/MATRIX_APRIORI holds tighter constraints than the covariance of the positions",
        )
    eigenvalues = np.where(eigenvalues > _ROUNDING * eigenvalues[-1], eigenvalues, 0.0)
    approximate = np.array([document.apriori[i].value for i in apriori])
    right = vectors @ (np.where(eigenvalues > 0.0, vectors.T @ (inverse @ (values - approximate)), 0.0))
    return (vectors * eigenvalues) @ vectors.T, right, approximate


def _own_fit(matrix: FloatArray, right: FloatArray) -> tuple[float, int]:
    """Square sum and number of observations that the equations' own solution fits without residual."""
    eigenvalues, vectors = np.linalg.eigh(matrix)
    held = eigenvalues > _ROUNDING * eigenvalues[-1]
    projected = vectors.T[held] @ right
    return float(projected @ (projected / eigenvalues[held])), int(np.count_nonzero(held))


def _without_others(
    matrix: FloatArray, right: FloatArray, rows: Sequence[int]
) -> tuple[FloatArray, FloatArray]:
    """Normal equations of the chosen parameters with all others eliminated (Schur complement)."""
    chosen = np.array(rows, dtype=np.intp)
    others = np.setdiff1d(np.arange(matrix.shape[0]), chosen)
    kept = matrix[np.ix_(chosen, chosen)]
    if not others.size:
        return kept, right[chosen]
    across = matrix[np.ix_(chosen, others)]
    solved = np.linalg.lstsq(matrix[np.ix_(others, others)], across.T, rcond=None)[0]
    return kept - across @ solved, right[chosen] - solved.T @ right[others]
