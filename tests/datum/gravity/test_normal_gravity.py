"""Normal gravity against GRS80's published values and the package boule."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from datum.gravity.normal_gravity import (
    gravity_at_equator_m_per_s2,
    gravity_at_pole_m_per_s2,
    mean_normal_gravity_m_per_s2,
    normal_gravity_above_m_per_s2,
    normal_gravity_m_per_s2,
)
from transforms.ellipsoids import CGCS2000, GRS80, KRASSOVSKY_1940, WGS84, Ellipsoid
from transforms.errors import InputError

PRINTED_DIGIT = 0.5e-10  # GRS80 is published with ten decimals
# boule gives the component along the confocal ellipsoid's normal; ours is the whole vector, which at 4 km is
# longer by 1.5e-10 (0.015 microgal).
BOULE_M_PER_S2 = 2e-10
ELLIPSOIDS: dict[str, Ellipsoid] = {"GRS80": GRS80, "WGS84": WGS84}


def test_grs80_has_its_published_gravity(authorities: Path) -> None:
    values = json.loads((authorities / "normal_gravity_values.json").read_text())
    published = values["published_gravity_m_per_s2"]["GRS80"]
    assert abs(gravity_at_equator_m_per_s2(GRS80) - published["equator"]) <= PRINTED_DIGIT
    assert abs(gravity_at_pole_m_per_s2(GRS80) - published["pole"]) <= PRINTED_DIGIT


@pytest.mark.parametrize("name", ["GRS80", "WGS84"])
def test_boule_gives_the_same(authorities: Path, name: str) -> None:
    values = json.loads((authorities / "normal_gravity_values.json").read_text())
    for latitude, height, gravity in values["boule_gravity_m_per_s2"][name]:
        ours = float(normal_gravity_above_m_per_s2(math.radians(latitude), height, ELLIPSOIDS[name]))
        assert abs(ours - gravity) < BOULE_M_PER_S2, (latitude, height)


def test_cgcs2000_lies_with_wgs84_and_above_the_ellipsoid_somigliana_goes_over() -> None:
    latitude = np.radians([0.0, 30.0, 31.2, 60.0, 90.0])
    on = normal_gravity_m_per_s2(latitude, CGCS2000)
    # The same a, GM and rotation as WGS 84 and 1.6e-11 of flattening between them: below 0.1 microgal.
    assert on == pytest.approx(normal_gravity_m_per_s2(latitude, WGS84), abs=1e-9)
    assert on == pytest.approx(normal_gravity_above_m_per_s2(latitude, 0.0, CGCS2000), abs=1e-11)


def test_mean_gravity_along_the_plumb_line_is_the_integral_of_the_closed_form() -> None:
    nodes, weights = np.polynomial.legendre.leggauss(8)
    for latitude, height in ((0.0, 500.0), (0.55, 2000.0), (1.2, 5000.0)):
        along = normal_gravity_above_m_per_s2(latitude, 0.5 * height * (nodes + 1.0), CGCS2000)
        mean = float(0.5 * weights @ along)
        # The series' linear coefficient 1 + f + m leaves out f^2, f m and m^2, 1.2e-5 each and a few of them:
        # 14 micrometres of height at 2,000 m.
        decrease = float(normal_gravity_m_per_s2(latitude, CGCS2000)) - mean
        series = float(mean_normal_gravity_m_per_s2(latitude, height, CGCS2000))
        assert abs(series - mean) < 5.0 * CGCS2000.flattening**2 * decrease


def test_an_ellipsoid_without_a_gravity_field_is_refused() -> None:
    with pytest.raises(InputError, match="Krassovsky"):
        normal_gravity_m_per_s2(0.5, KRASSOVSKY_1940)
