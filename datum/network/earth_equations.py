"""Terrestrial observations between points on the earth: computed values and derivatives, vectorised.

Every function takes the ends of n lines of sight and gives the computed values (n,) and their derivatives by
the earth-centred positions of the points involved (n, k, 3). Local axes are east, north, up of the
instrument's vertical: that of the ellipsoid, turned by the deflection where one is given. They turn as the
instrument moves, and the derivatives say so. Formulas: Vanicek and Krakiwsky (1986), Geodesy: the Concepts,
chapters 15 to 17; Deakin and Hunter (2013), Geometric Geodesy, for the radii of curvature.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod

from datum.network.observations import ScalarKind
from transforms.ellipsoids import Ellipsoid
from transforms.geodetic import ecef_from_geodetic, enu_from_ecef_matrix, geodetic_from_ecef

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Site:
    """Points where instruments or targets stand, n of them.

    position (n, 3) of the mark; height (n,) of instrument or target over it; deflection (n, 2) xi, eta;
    geoid_height (n,); all metres and radians
    """

    position: FloatArray
    height: FloatArray
    deflection: FloatArray
    geoid_height: FloatArray


@dataclass(frozen=True, eq=False)
class _Local:
    """Geodetic coordinates, axes (n, 3, 3) of the ellipsoidal normal, and radii over the mark."""

    latitude: FloatArray
    longitude: FloatArray
    height: FloatArray
    axes: FloatArray
    meridian_radius: FloatArray
    transverse_radius: FloatArray


def _local(site: Site, ellipsoid: Ellipsoid) -> _Local:
    latitude, longitude, height = geodetic_from_ecef(site.position, ellipsoid)
    axes = enu_from_ecef_matrix(latitude, longitude)
    square = ellipsoid.first_eccentricity_squared
    root = 1.0 - square * np.sin(latitude) ** 2
    transverse = ellipsoid.semi_major_axis_m / np.sqrt(root)
    meridian = transverse * (1.0 - square) / root
    return _Local(latitude, longitude, height, axes, meridian, transverse)


def _vertical_axes(site: Site, local: _Local) -> FloatArray:
    """Axes (n, 3, 3) of the plumb line: those at the astronomic latitude and longitude."""
    xi, eta = site.deflection[:, 0], site.deflection[:, 1]
    return enu_from_ecef_matrix(local.latitude + xi, local.longitude + eta / np.cos(local.latitude))


@dataclass(frozen=True, eq=False)
class _Sight:
    """A line of sight in the instrument's axes: components (n, 3), and their derivatives (n, 3, 2, 3)."""

    components: FloatArray
    derivatives: FloatArray


def _sight(instrument: Site, target: Site, ellipsoid: Ellipsoid) -> _Sight:
    here, there = _local(instrument, ellipsoid), _local(target, ellipsoid)
    axes = _vertical_axes(instrument, here)
    # Instruments stand along the plumb line, targets along theirs.
    line = (
        target.position
        + target.height[:, None] * _vertical_axes(target, there)[:, 2]
        - instrument.position
        - instrument.height[:, None] * axes[:, 2]
    )
    components = np.einsum("nij,nj->ni", axes, line)
    east, north, up = components.T
    sin_lat, cos_lat = np.sin(here.latitude), np.cos(here.latitude)
    zero = np.zeros_like(east)
    # Turn of the axes by the instrument's latitude and longitude.
    by_latitude = np.stack([zero, -up, north], axis=-1)
    by_longitude = np.stack([sin_lat * north - cos_lat * up, -sin_lat * east, cos_lat * east], axis=-1)
    step_latitude = here.axes[:, 1] / (here.meridian_radius + here.height)[:, None]
    step_longitude = here.axes[:, 0] / ((here.transverse_radius + here.height) * cos_lat)[:, None]
    turning = by_latitude[:, :, None] * step_latitude[:, None, :]
    turning = turning + by_longitude[:, :, None] * step_longitude[:, None, :]
    derivatives = np.stack([-axes + turning, axes], axis=2)
    return _Sight(components, derivatives)


def _azimuth(instrument: Site, target: Site, ellipsoid: Ellipsoid) -> tuple[FloatArray, FloatArray]:
    sight = _sight(instrument, target, ellipsoid)
    east, north = sight.components[:, 0], sight.components[:, 1]
    square = east**2 + north**2
    by_components = np.stack([north / square, -east / square, np.zeros_like(east)], axis=-1)
    return np.arctan2(east, north), np.einsum("nc,ncpk->npk", by_components, sight.derivatives)


def _zenith_angle(instrument: Site, target: Site, ellipsoid: Ellipsoid) -> tuple[FloatArray, FloatArray]:
    sight = _sight(instrument, target, ellipsoid)
    east, north, up = sight.components.T
    level = np.hypot(east, north)
    square = level**2 + up**2
    by_components = np.stack(
        [up * east / (level * square), up * north / (level * square), -level / square], axis=-1
    )
    return np.arctan2(level, up), np.einsum("nc,ncpk->npk", by_components, sight.derivatives)


def _horizontal_distance(
    instrument: Site, target: Site, ellipsoid: Ellipsoid
) -> tuple[FloatArray, FloatArray]:
    sight = _sight(instrument, target, ellipsoid)
    east, north = sight.components[:, 0], sight.components[:, 1]
    level = np.hypot(east, north)
    by_components = np.stack([east / level, north / level, np.zeros_like(east)], axis=-1)
    return level, np.einsum("nc,ncpk->npk", by_components, sight.derivatives)


def _slope_distance(instrument: Site, target: Site, ellipsoid: Ellipsoid) -> tuple[FloatArray, FloatArray]:
    sight = _sight(instrument, target, ellipsoid)
    length = np.linalg.norm(sight.components, axis=1)
    # A turn of the axes does not change a length: what `turning` adds cancels.
    by_components = sight.components / length[:, None]
    return length, np.einsum("nc,ncpk->npk", by_components, sight.derivatives)


def _ellipsoid_feet(site: Site, ellipsoid: Ellipsoid) -> tuple[_Local, FloatArray, FloatArray]:
    """Local quantities, feet (n, 3) on the ellipsoid, and the feet's derivatives (n, 3, 3)."""
    local = _local(site, ellipsoid)
    foot = ecef_from_geodetic(local.latitude, local.longitude, np.zeros_like(local.latitude), ellipsoid)
    east_share = local.transverse_radius / (local.transverse_radius + local.height)
    north_share = local.meridian_radius / (local.meridian_radius + local.height)
    east, north = local.axes[:, 0], local.axes[:, 1]
    derivatives = (
        east_share[:, None, None] * east[:, :, None] * east[:, None, :]
        + north_share[:, None, None] * north[:, :, None] * north[:, None, :]
    )
    return local, foot, derivatives


def _ellipsoid_chord(instrument: Site, target: Site, ellipsoid: Ellipsoid) -> tuple[FloatArray, FloatArray]:
    _, foot, by_position = _ellipsoid_feet(instrument, ellipsoid)
    _, other_foot, by_other = _ellipsoid_feet(target, ellipsoid)
    line = other_foot - foot
    length = np.linalg.norm(line, axis=1)
    unit = line / length[:, None]
    derivatives = np.stack(
        [-np.einsum("nc,nck->nk", unit, by_position), np.einsum("nc,nck->nk", unit, by_other)], axis=1
    )
    return length, derivatives


def _ellipsoid_arc(instrument: Site, target: Site, ellipsoid: Ellipsoid) -> tuple[FloatArray, FloatArray]:
    here, _, by_position = _ellipsoid_feet(instrument, ellipsoid)
    there, _, by_other = _ellipsoid_feet(target, ellipsoid)
    geod = Geod(a=ellipsoid.semi_major_axis_m, f=ellipsoid.flattening)
    forward, back, length = geod.inv(
        here.longitude, here.latitude, there.longitude, there.latitude, radians=True
    )
    # The geodesic's directions at both ends, both pointing away from its middle.
    away_here = -(np.sin(forward)[:, None] * here.axes[:, 0] + np.cos(forward)[:, None] * here.axes[:, 1])
    away_there = -(np.sin(back)[:, None] * there.axes[:, 0] + np.cos(back)[:, None] * there.axes[:, 1])
    derivatives = np.stack(
        [np.einsum("nc,nck->nk", away_here, by_position), np.einsum("nc,nck->nk", away_there, by_other)],
        axis=1,
    )
    return np.asarray(length, dtype=np.float64), derivatives


def _mean_sea_level_arc(
    instrument: Site, target: Site, ellipsoid: Ellipsoid
) -> tuple[FloatArray, FloatArray]:
    length, derivatives = _ellipsoid_arc(instrument, target, ellipsoid)
    here, there = _local(instrument, ellipsoid), _local(target, ellipsoid)
    azimuth = np.arctan2(
        (there.longitude - here.longitude) * np.cos(here.latitude), there.latitude - here.latitude
    )
    # Euler's radius of curvature in the azimuth of the line.
    radius = 1.0 / (
        np.cos(azimuth) ** 2 / here.meridian_radius + np.sin(azimuth) ** 2 / here.transverse_radius
    )
    factor = 1.0 + 0.5 * (instrument.geoid_height + target.geoid_height) / radius
    return length * factor, derivatives * factor[:, None, None]


def _height_difference(instrument: Site, target: Site, ellipsoid: Ellipsoid) -> tuple[FloatArray, FloatArray]:
    value, derivatives = _ellipsoidal_height_difference(instrument, target, ellipsoid)
    return value - (target.geoid_height - instrument.geoid_height), derivatives


def _ellipsoidal_height_difference(
    instrument: Site, target: Site, ellipsoid: Ellipsoid
) -> tuple[FloatArray, FloatArray]:
    here, there = _local(instrument, ellipsoid), _local(target, ellipsoid)
    value = there.height + target.height - here.height - instrument.height
    return value, np.stack([-here.axes[:, 2], there.axes[:, 2]], axis=1)


def _orthometric_height(site: Site, target: Site, ellipsoid: Ellipsoid) -> tuple[FloatArray, FloatArray]:
    value, derivatives = _ellipsoidal_height(site, target, ellipsoid)
    return value - site.geoid_height, derivatives


def _ellipsoidal_height(site: Site, _: Site, ellipsoid: Ellipsoid) -> tuple[FloatArray, FloatArray]:
    local = _local(site, ellipsoid)
    return local.height, local.axes[:, 2][:, None, :]


def _latitude(site: Site, _: Site, ellipsoid: Ellipsoid) -> tuple[FloatArray, FloatArray]:
    local = _local(site, ellipsoid)
    return local.latitude, (local.axes[:, 1] / (local.meridian_radius + local.height)[:, None])[:, None, :]


def _longitude(site: Site, _: Site, ellipsoid: Ellipsoid) -> tuple[FloatArray, FloatArray]:
    local = _local(site, ellipsoid)
    radius = (local.transverse_radius + local.height) * np.cos(local.latitude)
    return local.longitude, (local.axes[:, 0] / radius[:, None])[:, None, :]


COMPUTE = {
    ScalarKind.DIRECTION: _azimuth,
    ScalarKind.HORIZONTAL_ANGLE: _azimuth,
    ScalarKind.AZIMUTH: _azimuth,
    ScalarKind.ZENITH_ANGLE: _zenith_angle,
    ScalarKind.SLOPE_DISTANCE: _slope_distance,
    ScalarKind.HORIZONTAL_DISTANCE: _horizontal_distance,
    ScalarKind.ELLIPSOID_CHORD: _ellipsoid_chord,
    ScalarKind.ELLIPSOID_ARC: _ellipsoid_arc,
    ScalarKind.MEAN_SEA_LEVEL_ARC: _mean_sea_level_arc,
    ScalarKind.HEIGHT_DIFFERENCE: _height_difference,
    ScalarKind.ELLIPSOIDAL_HEIGHT_DIFFERENCE: _ellipsoidal_height_difference,
    ScalarKind.ORTHOMETRIC_HEIGHT: _orthometric_height,
    ScalarKind.ELLIPSOIDAL_HEIGHT: _ellipsoidal_height,
    ScalarKind.LATITUDE: _latitude,
    ScalarKind.LONGITUDE: _longitude,
}
