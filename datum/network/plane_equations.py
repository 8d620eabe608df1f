"""Terrestrial observations in a plane network: computed values and derivatives by x, y, height, vectorised.

As `earth_equations`: n lines of sight in, values (n,) and derivatives (n, k, 3) out. Bearings run from x;
with `sense` +1 towards y, with -1 away from it.
"""

import numpy as np
from numpy.typing import NDArray

from datum.network.earth_equations import Site
from datum.network.observations import ScalarKind

FloatArray = NDArray[np.float64]


def _line(instrument: Site, target: Site) -> FloatArray:
    line = target.position - instrument.position
    line[:, 2] += target.height - instrument.height
    return line


def _both_ends(by_line: FloatArray) -> FloatArray:
    return np.stack([-by_line, by_line], axis=1)


def _bearing(instrument: Site, target: Site, sense: int) -> tuple[FloatArray, FloatArray]:
    x, y, _ = _line(instrument, target).T
    square = x**2 + y**2
    by_line = sense * np.stack([-y / square, x / square, np.zeros_like(x)], axis=-1)
    return sense * np.arctan2(y, x), _both_ends(by_line)


def _zenith_angle(instrument: Site, target: Site, _: int) -> tuple[FloatArray, FloatArray]:
    x, y, z = _line(instrument, target).T
    level = np.hypot(x, y)
    square = level**2 + z**2
    by_line = np.stack([z * x / (level * square), z * y / (level * square), -level / square], axis=-1)
    return np.arctan2(level, z), _both_ends(by_line)


def _horizontal_distance(instrument: Site, target: Site, _: int) -> tuple[FloatArray, FloatArray]:
    x, y, _z = _line(instrument, target).T
    level = np.hypot(x, y)
    return level, _both_ends(np.stack([x / level, y / level, np.zeros_like(x)], axis=-1))


def _slope_distance(instrument: Site, target: Site, _: int) -> tuple[FloatArray, FloatArray]:
    line = _line(instrument, target)
    length = np.linalg.norm(line, axis=1)
    return length, _both_ends(line / length[:, None])


def _height_difference(instrument: Site, target: Site, _: int) -> tuple[FloatArray, FloatArray]:
    line = _line(instrument, target)
    return line[:, 2], _both_ends(np.tile([0.0, 0.0, 1.0], (len(line), 1)))


def _x(site: Site, _: Site, __: int) -> tuple[FloatArray, FloatArray]:
    return _coordinate(site, 0)


def _y(site: Site, _: Site, __: int) -> tuple[FloatArray, FloatArray]:
    return _coordinate(site, 1)


def _height(site: Site, _: Site, __: int) -> tuple[FloatArray, FloatArray]:
    return _coordinate(site, 2)


def _coordinate(site: Site, axis: int) -> tuple[FloatArray, FloatArray]:
    derivatives = np.zeros((len(site.position), 1, 3))
    derivatives[:, 0, axis] = 1.0
    return site.position[:, axis], derivatives


COMPUTE = {
    ScalarKind.DIRECTION: _bearing,
    ScalarKind.HORIZONTAL_ANGLE: _bearing,
    ScalarKind.AZIMUTH: _bearing,
    ScalarKind.ZENITH_ANGLE: _zenith_angle,
    ScalarKind.SLOPE_DISTANCE: _slope_distance,
    ScalarKind.HORIZONTAL_DISTANCE: _horizontal_distance,
    ScalarKind.HEIGHT_DIFFERENCE: _height_difference,
    ScalarKind.ELLIPSOIDAL_HEIGHT_DIFFERENCE: _height_difference,
    ScalarKind.COORDINATE_X: _x,
    ScalarKind.COORDINATE_Y: _y,
    ScalarKind.COORDINATE_HEIGHT: _height,
    ScalarKind.ORTHOMETRIC_HEIGHT: _height,
}
