"""Matrices of a SINEX file: covariances, a priori matrices and normal equations."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.formats.sinex_lines import SinexBlocks, SinexLine, check_indices
from stations.formats.sinex_records import COLUMNS, SinexNormalEquations, SinexParameter
from transforms.errors import FormatError
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]
_APRIORI_MATRIX_BLOCK: Final = "SOLUTION/MATRIX_APRIORI"
_VECTOR_BLOCK: Final = "SOLUTION/NORMAL_EQUATION_VECTOR"
_NORMAL_BLOCK: Final = "SOLUTION/NORMAL_EQUATION_MATRIX"
# A full matrix of this many parameters takes 12 GB; no network of one file is that large.
_MAXIMUM_MATRIX_PARAMETERS: Final = 40_000
_MAXIMUM_APRIORI_PARAMETERS: Final = 5_000  # constraints are read beside the covariance: 0.2 GB more
_MATRIX_BLOCK: Final = "SOLUTION/MATRIX_ESTIMATE"


def parameter_of(line: SinexLine, cache: dict[str, Epochs | None], *, sigma: float) -> SinexParameter:
    """A parameter of SOLUTION/ESTIMATE, APRIORI or NORMAL_EQUATION_VECTOR (which has no sigma)."""
    return SinexParameter(
        line.integer("index"),
        line.field("kind"),
        line.field("code"),
        line.field("point"),
        line.field("solution"),
        line.time("epoch", cache),
        line.field("unit"),
        line.field("constraint"),
        line.real("value"),
        sigma,
    )


def apriori_matrix(
    path: str,
    blocks: SinexBlocks,
    qualifiers: Mapping[str, str],
    apriori: tuple[SinexParameter, ...],
    remarks: list[str],
) -> FloatArray | None:
    """The covariance of the a priori values. Constraints on some parameters only have no covariance."""
    content = blocks.get(_APRIORI_MATRIX_BLOCK, [])
    if not content:
        return None
    if len(apriori) > _MAXIMUM_APRIORI_PARAMETERS:
        remarks.append(f"the a priori matrix of {len(apriori)} parameters is not taken over")
        return None
    qualifier = qualifiers.get(_APRIORI_MATRIX_BLOCK, "")
    if qualifier.endswith("INFO"):
        information = covariance_matrix(path, content, qualifier.replace("INFO", "COVA"), apriori)
        if information is None or not np.all(np.diagonal(information) > 0.0):
            remarks.append("the a priori information does not bind all parameters: it is not taken over")
            return None
    return covariance_matrix(path, content, qualifier, apriori)


def normal_equations(
    path: str, blocks: SinexBlocks, qualifiers: Mapping[str, str], cache: dict[str, Epochs | None]
) -> SinexNormalEquations | None:
    vector, content = blocks.get(_VECTOR_BLOCK, []), blocks.get(_NORMAL_BLOCK, [])
    if not vector:
        if content:
            raise FormatError(path, content[0][0] - 1, f"{_NORMAL_BLOCK} without {_VECTOR_BLOCK}")
        return None
    parameters: list[SinexParameter] = []
    for number, text in vector:
        line = SinexLine(path, number, text, COLUMNS[_VECTOR_BLOCK])
        parameters.append(parameter_of(line, cache, sigma=0.0))
    check_indices(path, _VECTOR_BLOCK, [p.index for p in parameters], vector)
    matrix: FloatArray | None = None
    if content:
        triangle = qualifiers.get(_NORMAL_BLOCK, "")
        n = len(parameters)
        if triangle not in ("L", "U") or n > _MAXIMUM_MATRIX_PARAMETERS:
            raise FormatError(
                path,
                content[0][0] - 1,
                f"expected L or U and {_MAXIMUM_MATRIX_PARAMETERS} parameters at most",
            )
        matrix = np.zeros((n, n))
        for row, column, value in _matrix_elements(path, content, triangle, n):
            matrix[row, column] = matrix[column, row] = value
    return SinexNormalEquations(tuple(parameters), np.array([p.value for p in parameters]), matrix)


def _matrix_elements(
    path: str, content: list[tuple[int, str]], triangle: str, n: int
) -> Iterator[tuple[int, int, float]]:
    """Elements (row, column, value) from 0, each of the triangle that the block's name announces."""
    for number, text in content:
        line = SinexLine(path, number, text, COLUMNS[_MATRIX_BLOCK])
        row, column = line.integer("row") - 1, line.integer("column") - 1
        for offset, name in enumerate(("first", "second", "third")):
            if offset and not line.field(name):
                break
            j = column + offset
            in_triangle = j <= row if triangle == "L" else j >= row
            if not (0 <= row < n and 0 <= j < n and in_triangle):
                raise FormatError(
                    path,
                    number,
                    f"element ({row + 1}, {j + 1}) is not in triangle {triangle} of {n} parameters",
                )
            yield row, j, line.real(name)


def covariance_matrix(
    path: str, content: list[tuple[int, str]], qualifier: str, estimates: tuple[SinexParameter, ...]
) -> FloatArray | None:
    """The covariance of the estimates, whatever the block holds; elements not given are zero."""
    if not content:
        return None
    first_line = content[0][0] - 1
    parts = qualifier.split()
    if len(parts) != 2 or parts[0] not in ("L", "U") or parts[1] not in ("COVA", "CORR", "INFO"):
        raise FormatError(path, first_line, f"expected L or U with COVA, CORR or INFO, found {qualifier!r}")
    n = len(estimates)
    if n > _MAXIMUM_MATRIX_PARAMETERS:
        raise FormatError(path, first_line, f"a matrix of {n} parameters is too large")
    matrix = np.zeros((n, n))
    for row, column, value in _matrix_elements(path, content, parts[0], n):
        matrix[row, column] = matrix[column, row] = value
    if parts[1] == "CORR":
        sigma = np.array([p.sigma for p in estimates])
        np.fill_diagonal(matrix, 1.0)
        return matrix * np.outer(sigma, sigma)
    if parts[1] == "INFO":
        try:
            return np.asarray(np.linalg.inv(matrix), dtype=np.float64)
        except np.linalg.LinAlgError as error:
            raise FormatError(path, first_line, "the information matrix is singular") from error
    return matrix
