"""Derivatives of every kind of terrestrial observation, and values against independent formulas."""

import numpy as np
import pytest
from pyproj import Geod

from datum.network import earth_equations, plane_equations
from datum.network.earth_equations import Site
from datum.network.observations import ScalarKind
from transforms.ellipsoids import GRS80
from transforms.geodetic import azimuth_elevation, ecef_from_geodetic

STEP_M = 1.0  # central differences: errors of second order, (1 m / 5 km)^2 of a derivative
RELATIVE = 2e-6  # of the greatest derivative; instruments' heights turn with the vertical, 1.6 m / 6400 km


def sites(deflection: float = 0.0) -> tuple[Site, Site]:
    latitude, longitude = np.radians([30.0, 48.0, -21.0]), np.radians([110.0, 12.0, 140.0])
    height = np.array([100.0, 900.0, 30.0])
    here = ecef_from_geodetic(latitude, longitude, height)
    there = ecef_from_geodetic(
        latitude + np.array([8e-4, -5e-4, 1e-4]), longitude + np.array([3e-4, 9e-4, -9e-4]), height + 80.0
    )
    turned = np.full((3, 2), deflection)
    return (
        Site(np.asarray(here), np.full(3, 1.6), turned, np.array([10.0, 48.0, 70.0])),
        Site(np.asarray(there), np.full(3, 1.2), turned, np.array([11.0, 49.0, 70.5])),
    )


def moved(site: Site, axis: int, step_m: float) -> Site:
    position = site.position.copy()
    position[:, axis] += step_m
    return Site(position, site.height, site.deflection, site.geoid_height)


@pytest.mark.parametrize("kind", sorted(earth_equations.COMPUTE))
@pytest.mark.parametrize("deflection", [0.0, 5e-5])
def test_derivatives_on_the_earth(kind: ScalarKind, deflection: float) -> None:
    compute = earth_equations.COMPUTE[kind]
    here, there = sites(deflection)
    _, derivatives = compute(here, there, GRS80)
    for axis in range(3):
        for end in range(derivatives.shape[1]):
            pair = [
                (moved(here, axis, s), there) if end == 0 else (here, moved(there, axis, s))
                for s in (STEP_M, -STEP_M)
            ]
            slope = (compute(*pair[0], GRS80)[0] - compute(*pair[1], GRS80)[0]) / (2.0 * STEP_M)
            assert derivatives[:, end, axis] == pytest.approx(slope, abs=RELATIVE * np.abs(derivatives).max())


@pytest.mark.parametrize("kind", sorted(plane_equations.COMPUTE))
@pytest.mark.parametrize("sense", [1, -1])
def test_derivatives_in_the_plane(kind: ScalarKind, sense: int) -> None:
    compute = plane_equations.COMPUTE[kind]
    none, zero = np.zeros((1, 2)), np.zeros(1)
    here = Site(np.array([[1000.0, 2000.0, 50.0]]), np.array([1.6]), none, zero)
    there = Site(np.array([[4000.0, -1000.0, 250.0]]), np.array([1.2]), none, zero)
    _, derivatives = compute(here, there, sense)
    for axis in range(3):
        for end in range(derivatives.shape[1]):
            pair = [
                (moved(here, axis, s), there) if end == 0 else (here, moved(there, axis, s))
                for s in (STEP_M, -STEP_M)
            ]
            slope = (compute(*pair[0], sense)[0] - compute(*pair[1], sense)[0]) / (2.0 * STEP_M)
            assert derivatives[:, end, axis] == pytest.approx(
                slope, rel=1e-6, abs=1e-6 * np.abs(derivatives).max()
            )


def test_values_on_the_earth() -> None:
    here, there = sites()
    marks = [Site(s.position, np.zeros(3), s.deflection, s.geoid_height) for s in (here, there)]

    def value(kind: ScalarKind) -> np.ndarray:
        return earth_equations.COMPUTE[kind](marks[0], marks[1], GRS80)[0]

    azimuth, elevation = azimuth_elevation(marks[0].position[1], marks[1].position[1])
    assert np.remainder(value(ScalarKind.AZIMUTH)[1], 2 * np.pi) == pytest.approx(azimuth, abs=1e-12)
    assert value(ScalarKind.ZENITH_ANGLE)[1] == pytest.approx(np.pi / 2 - elevation, abs=1e-12)
    chord = np.linalg.norm(marks[1].position - marks[0].position, axis=1)
    assert value(ScalarKind.SLOPE_DISTANCE) == pytest.approx(chord, abs=1e-9)
    assert value(ScalarKind.HORIZONTAL_DISTANCE)[1] == pytest.approx(chord[1] * np.cos(elevation), abs=1e-9)
    arc = Geod(ellps="GRS80").inv(
        np.degrees(np.radians(110.0)),
        30.0,
        np.degrees(np.radians(110.0) + 3e-4),
        np.degrees(np.radians(30.0) + 8e-4),
    )[2]
    assert value(ScalarKind.ELLIPSOID_ARC)[0] == pytest.approx(arc, abs=1e-6)
    # Chord and arc differ by s^3 / 24 R^2.
    assert value(ScalarKind.ELLIPSOID_CHORD)[0] == pytest.approx(arc - arc**3 / (24 * 6.37e6**2), abs=2e-6)
    assert value(ScalarKind.ELLIPSOIDAL_HEIGHT_DIFFERENCE) == pytest.approx(80.0, abs=1e-8)
    assert value(ScalarKind.HEIGHT_DIFFERENCE) == pytest.approx([79.0, 79.0, 79.5], abs=1e-8)
    assert value(ScalarKind.MEAN_SEA_LEVEL_ARC)[0] == pytest.approx(arc * (1.0 + 10.5 / 6.357e6), abs=1e-5)


def test_a_deflection_turns_the_azimuth_by_laplace() -> None:
    """Astronomic minus geodetic azimuth of a level sight is eta tan(latitude)."""
    here, there = sites()
    eta = 5e-5
    turned = np.array([[0.0, eta]] * 3)
    plain = earth_equations.COMPUTE[ScalarKind.AZIMUTH](here, there, GRS80)[0]
    other = earth_equations.COMPUTE[ScalarKind.AZIMUTH](
        Site(here.position, here.height, turned, here.geoid_height), there, GRS80
    )[0]
    latitude = np.radians([30.0, 48.0, -21.0])
    assert other - plain == pytest.approx(eta * np.tan(latitude), abs=2e-6)
