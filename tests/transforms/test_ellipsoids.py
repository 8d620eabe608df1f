"""Derived constants of the ellipsoids against published tables."""

import math
import tomllib
from pathlib import Path

import pytest

from transforms import ellipsoids
from transforms.ellipsoids import CGCS2000, GRS80, Ellipsoid

NAMES = ["GRS80", "CGCS2000", "WGS84", "KRASSOVSKY_1940", "IAG_1975"]


@pytest.mark.parametrize("name", NAMES)
def test_derived_constants_agree_with_every_published_digit(name: str, authorities: Path) -> None:
    ellipsoid: Ellipsoid = getattr(ellipsoids, name)
    published = tomllib.loads((authorities / "ellipsoids.toml").read_text(encoding="utf-8"))[name]
    for quantity, text in published.items():
        if quantity == "source":
            continue
        half_a_digit = 0.5 * 10.0 ** -len(text.split(".")[1])
        assert getattr(ellipsoid, quantity) == pytest.approx(float(text), abs=1.001 * half_a_digit), quantity


@pytest.mark.parametrize("name", NAMES)
def test_constants_are_consistent(name: str) -> None:
    ellipsoid: Ellipsoid = getattr(ellipsoids, name)
    a, b = ellipsoid.semi_major_axis_m, ellipsoid.semi_minor_axis_m
    assert ellipsoid.first_eccentricity_squared == pytest.approx(1.0 - (b / a) ** 2, rel=1e-13)
    assert ellipsoid.linear_eccentricity_m == pytest.approx(
        a * math.sqrt(ellipsoid.first_eccentricity_squared), rel=1e-12
    )
    assert ellipsoid.citation


def test_cgcs2000_differs_from_grs80_in_its_gravity_constant_and_hardly_in_shape() -> None:
    assert abs(CGCS2000.semi_minor_axis_m - GRS80.semi_minor_axis_m) < 1e-5
    assert CGCS2000.gravitational_constant_m3_per_s2 == 3.986004418e14
    assert GRS80.gravitational_constant_m3_per_s2 == 3.986005e14
