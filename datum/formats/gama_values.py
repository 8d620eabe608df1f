"""Values as GNU Gama's XML writes them: angles in gons or degrees, covariances as bands of a matrix.

Sources: GNU Gama manual, chapters "XML input data format" and "gama-g3"; lengths are metres, their standard
deviations millimetres; angles are gons with centesimal seconds (1e-4 gon), or degrees-minutes-seconds with
seconds of arc.
"""

import math
import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.formats.xml_elements import XmlElement

FloatArray = NDArray[np.float64]

MILLIMETRE_M: Final = 1e-3
RAD_PER_GON: Final = math.pi / 200.0
RAD_PER_CENTESIMAL_SECOND: Final = RAD_PER_GON / 1e4
RAD_PER_ARC_SECOND: Final = math.pi / 648_000.0
_SEXAGESIMAL: Final = re.compile(r"\s*(-?)(\d{1,3})-(\d{1,2})-(\d{1,2}(?:\.\d*)?)\s*\Z")
_MAXIMUM_DIMENSION: Final = 30_000  # a full matrix of that size has 3.6 GB; sessions have a few hundred


def angle_rad(element: XmlElement, text: str) -> tuple[float, float]:
    """An angle in radians, and the radians of one unit of its standard deviation.

    "123.4567" is in gons and its sigma in centesimal seconds; "111-22-33.4" in degrees, its sigma in seconds.
    """
    match = _SEXAGESIMAL.match(text)
    if match:
        sign, degrees, minutes, seconds = match.groups()
        if float(minutes) >= 60.0 or float(seconds) >= 60.0:
            raise element.error(f"{text.strip()!r} has 60 minutes or seconds or more")
        value = math.radians(float(degrees) + float(minutes) / 60.0 + float(seconds) / 3600.0)
        return (-value if sign else value), RAD_PER_ARC_SECOND
    try:
        gons = float(text)
    except ValueError:
        gons = math.nan
    if not math.isfinite(gons):
        raise element.error(f"an angle in gons or degrees-minutes-seconds was expected, not {text.strip()!r}")
    return gons * RAD_PER_GON, RAD_PER_CENTESIMAL_SECOND


def band_matrix(element: XmlElement, dimension: int, band: int, values: Sequence[float]) -> FloatArray:
    """The symmetric matrix (n, n) whose upper band is given by rows: diagonal and `band` beside it."""
    if not 0 < dimension <= _MAXIMUM_DIMENSION:
        raise element.error(f"dim {dimension} is not between 1 and {_MAXIMUM_DIMENSION}")
    if not 0 <= band < dimension:
        raise element.error(f"band {band} is not between 0 and dim - 1 = {dimension - 1}")
    wanted = sum(min(band + 1, dimension - row) for row in range(dimension))
    if len(values) != wanted:
        raise element.error(f"{wanted} elements were expected, and {len(values)} were found")
    matrix = np.zeros((dimension, dimension))
    used = 0
    for row in range(dimension):
        count = min(band + 1, dimension - row)
        matrix[row, row : row + count] = values[used : used + count]
        used += count
    return matrix + np.triu(matrix, 1).T


def require_positive_definite(element: XmlElement, covariance: FloatArray, name: str) -> None:
    """FormatError where a covariance (n, n), or any of a stack (..., n, n), is not positive definite."""
    if not np.all(np.isfinite(covariance)):
        raise element.error(f"the covariance of {name} is not finite")
    smallest = float(np.min(np.linalg.eigvalsh(covariance)))
    if smallest <= 0.0:
        raise element.error(
            f"the covariance of {name} is not positive definite (smallest eigenvalue {smallest:.3g}): no "
            "observation can have it"
        )
