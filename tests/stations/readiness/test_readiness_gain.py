"""Formal figures of the audit: a closed form, an independent batch adjustment, invariants."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stations.ppp.options import PppOptions
from stations.readiness.gain import CONVERGED_3D_M, geometry_figures
from stations.readiness.sky import GRID_STEP_S, GriddedSky
from stations.readiness.solved import PARTS_H, _converged_h

FloatArray = NDArray[np.float64]


def sky_of(azimuth_rad: FloatArray, elevation_rad: FloatArray, satellites: tuple[str, ...]) -> GriddedSky:
    """azimuth_rad, elevation_rad : (n, n_satellite)"""
    direction = np.stack(
        [
            np.sin(azimuth_rad) * np.cos(elevation_rad),
            np.cos(azimuth_rad) * np.cos(elevation_rad),
            np.sin(elevation_rad),
        ],
        axis=-1,
    )
    n = azimuth_rad.shape[0]
    seen = np.ones(azimuth_rad.shape, dtype=np.bool_)
    step_ns = round(GRID_STEP_S * 1e9)
    return GriddedSky(
        step_ns * np.arange(n), satellites, direction, seen, seen, np.zeros(len(satellites), dtype=np.int64)
    )


def moving_sky(n: int, satellites: tuple[str, ...]) -> GriddedSky:
    rng = np.random.default_rng(7)
    t = np.arange(n)[:, np.newaxis]
    azimuth = rng.uniform(0.0, 2.0 * np.pi, len(satellites)) + 0.02 * t * rng.choice([-1, 1], len(satellites))
    elevation = np.radians(45.0 + 30.0 * np.sin(rng.uniform(0.0, 6.3, len(satellites)) + 0.05 * t))
    return sky_of(azimuth, elevation, satellites)


def test_pdop_of_a_satellite_at_the_zenith_and_three_around() -> None:
    # With one clock: variance of east and north 1 / (1.5 cos^2 a) each; of up 4 / (3 (1 - sin a)^2).
    a = np.radians(15.0)
    azimuth = np.radians([[0.0, 0.0, 120.0, 240.0]])
    sky = sky_of(azimuth, np.array([[np.pi / 2, a, a, a]]), ("G01", "G02", "G03", "G04"))
    expected = np.sqrt(2.0 / (1.5 * np.cos(a) ** 2) + 4.0 / (3.0 * (1.0 - np.sin(a)) ** 2))
    found = geometry_figures(sky, sky.dual, GRID_STEP_S)
    assert found.mean_pdop == pytest.approx(expected, rel=1e-12)
    assert found.satellites == 4.0


def batch_sigma_3d_m(sky: GriddedSky) -> float:
    """All epochs in one adjustment: every clock, wet delay and ambiguity an unknown of its own."""
    options = PppOptions()
    n, m = sky.direction_enu.shape[:2]
    systems = sorted({s[0] for s in sky.satellites})
    wet = 3
    clock = wet + n
    ambiguity = clock + n * len(systems)
    size = ambiguity + m
    normal = np.zeros((size, size))
    for k in range(n):
        for s, name in enumerate(sky.satellites):
            sine = sky.direction_enu[k, s, 2]
            row = np.zeros(size)
            row[:3] = -sky.direction_enu[k, s]
            row[wet + k] = 1.0 / sine
            row[clock + k * len(systems) + systems.index(name[0])] = 1.0
            normal += np.outer(row, row) / (options.code_sigma_m / sine) ** 2
            row[ambiguity + s] = 1.0
            normal += np.outer(row, row) / (options.phase_sigma_m / sine) ** 2
    step = options.zenith_delay_walk_m_per_sqrt_h * np.sqrt(GRID_STEP_S / 3600.0)
    first = options.zenith_delay_sigma_m**2 + step**2  # the filter lets it walk before the first epoch
    normal[wet, wet] += 1.0 / first
    for k in range(1, n):
        row = np.zeros(size)
        row[wet + k], row[wet + k - 1] = 1.0, -1.0
        normal += np.outer(row, row) / step**2
    normal[:3, :3] += np.eye(3) / 100.0**2
    covariance = np.linalg.inv(normal + 1e-12 * np.eye(size))
    return float(np.sqrt(np.trace(covariance[:3, :3])))


def test_the_filter_ends_where_a_batch_adjustment_does() -> None:
    sky = moving_sky(13, ("E01", "E02", "E03", "G01", "G02", "G03", "G04"))
    found = geometry_figures(sky, sky.dual, GRID_STEP_S)
    assert found.sigma_3d_session_m == pytest.approx(batch_sigma_3d_m(sky), rel=1e-4)


@settings(deadline=None, max_examples=15)
@given(left_out=st.sets(st.integers(0, 8), max_size=3))
def test_more_satellites_never_make_it_worse(left_out: set[int]) -> None:
    names = ("C20", "C21", "C22", "E01", "E02", "G01", "G02", "G03", "G04")
    sky = moving_sky(13, names)
    fewer = sky.dual.copy()
    fewer[:, list(left_out)] = False
    everything = geometry_figures(sky, sky.dual, GRID_STEP_S)
    part = geometry_figures(sky, fewer, GRID_STEP_S)
    assert everything.sigma_3d_session_m is not None
    assert part.sigma_3d_session_m is not None
    assert everything.sigma_3d_session_m <= part.sigma_3d_session_m * (1.0 + 1e-9)
    if part.mean_pdop is not None:
        assert everything.mean_pdop is not None
        assert everything.mean_pdop <= part.mean_pdop * (1.0 + 1e-9)


def test_geostationary_satellites_and_satellites_without_orbit_are_left_out() -> None:
    sky = moving_sky(13, ("C03", "C60", "G01", "G02", "G03", "G04", "S20"))
    direction = sky.direction_enu.copy()
    direction[:, 2] = np.nan
    blind = GriddedSky(sky.tai_ns, sky.satellites, direction, sky.tracked, sky.dual, sky.source)
    assert geometry_figures(blind, blind.dual, GRID_STEP_S).satellites == 3.0


def test_a_day_converges_and_nothing_at_all_does_not() -> None:
    sky = moving_sky(100, ("G01", "G02", "G03", "G04", "G05", "G06", "G07", "G08"))
    found = geometry_figures(sky, sky.dual, GRID_STEP_S)
    assert found.convergence_min is not None
    assert 5.0 < found.convergence_min < 120.0
    nothing = geometry_figures(sky, np.zeros_like(sky.dual), GRID_STEP_S)
    assert nothing.mean_pdop is None
    assert nothing.convergence_min is None
    assert nothing.satellites == 0.0


def test_convergence_of_solutions_is_the_first_part_from_which_all_are_near() -> None:
    far, near = 2.0 * CONVERGED_3D_M, 0.5 * CONVERGED_3D_M
    errors = np.full(len(PARTS_H), near)
    assert _converged_h(errors) == PARTS_H[0]
    errors[2] = far
    assert _converged_h(errors) == PARTS_H[3]
    errors[3] = np.nan  # could not be solved: says nothing
    assert _converged_h(errors) == PARTS_H[4]
    errors[-1] = far
    assert _converged_h(errors) == float("inf")
