"""Satellites that resemble GPS, Galileo and BeiDou-3: mean elements, and positions in an inertial frame.

Kepler's motion with the secular rates of the earth's flattening: no more is needed for a sky that looks and
moves like the real one. Constellations after IS-GPS-200 (expandable 24 slots, here 31 in six planes), the
Galileo OS SIS ICD 2.1 (Walker 24/3/1, 29,600 km, 56 degrees) and the BDS-3 open service performance standard
3.0 (Walker 24/3/1, 27,906 km, 55 degrees; three satellites in inclined geosynchronous orbits).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import erfa
import numpy as np
from numpy.typing import NDArray

from stations.simulation.random_streams import random_stream
from transforms.constants import EARTH_EQUATORIAL_RADIUS_M, GRAVITATIONAL_CONSTANT_EARTH_M3_PER_S2
from transforms.time_scales import Epochs, TimeScale

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_J2: Final = 1.0826359e-3  # IERS Conventions (2010), table 1.1
_KEPLER_ITERATIONS: Final = 8  # e <= 0.02: each gains two digits

_GPS_PRNS: Final = tuple(n for n in range(1, 33) if n != 22)
_GALILEO_PRNS: Final = (
    2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 19, 21, 23, 24, 25, 26, 27, 29, 30, 31,
)  # fmt: skip
_BEIDOU_MEO_PRNS: Final = (*range(19, 31), *range(32, 38), *range(41, 47))
_BEIDOU_IGSO_PRNS: Final = (38, 39, 40)
# Longitudes of the ascending nodes, degrees east: the three loops of C38-C40 over China.
_IGSO_NODE_LONGITUDE_DEG: Final = (110.5, 113.8, 117.6)
_GPS_PLANES: Final = 6


@dataclass(frozen=True, eq=False)
class Constellation:
    """Mean elements of satellites at one instant; all arrays (n_satellite,), angles in radians.

    reference : shape (), the instant; names sorted; kind : "GPS", "GALILEO", "BDS-3 MEO", "BDS-3 IGSO"
    """

    reference: Epochs
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    semi_major_axis_m: FloatArray
    eccentricity: FloatArray
    inclination_rad: FloatArray
    node_rad: FloatArray
    perigee_rad: FloatArray
    mean_anomaly_rad: FloatArray

    @cached_property
    def mean_motion_rad_per_s(self) -> FloatArray:
        """Unperturbed mean motion."""
        return np.asarray(np.sqrt(GRAVITATIONAL_CONSTANT_EARTH_M3_PER_S2 / self.semi_major_axis_m**3))

    @cached_property
    def _secular_rates(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Rates of node, perigee and mean anomaly, rad/s; Kaula (1966), eq. 3.74."""
        e2, cosine = self.eccentricity**2, np.cos(self.inclination_rad)
        parameter = self.semi_major_axis_m * (1.0 - e2)
        factor = self.mean_motion_rad_per_s * _J2 * (EARTH_EQUATORIAL_RADIUS_M / parameter) ** 2
        return (
            -1.5 * factor * cosine,
            0.75 * factor * (5.0 * cosine**2 - 1.0),
            self.mean_motion_rad_per_s + 0.75 * factor * np.sqrt(1.0 - e2) * (3.0 * cosine**2 - 1.0),
        )

    def position_and_velocity(
        self, satellite: IntArray, second_s: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Inertial (GCRS) positions (n, 3), m, and velocities (n, 3), m/s, of satellites (n,) at times (n,).

        second_s : since `reference`
        """
        node_rate, perigee_rate, anomaly_rate = (rate[satellite] for rate in self._secular_rates)
        a, e = self.semi_major_axis_m[satellite], self.eccentricity[satellite]
        node = self.node_rad[satellite] + node_rate * second_s
        perigee = self.perigee_rad[satellite] + perigee_rate * second_s
        mean = np.mod(self.mean_anomaly_rad[satellite] + anomaly_rate * second_s, 2.0 * np.pi)
        eccentric = mean + e * np.sin(mean)
        for _ in range(_KEPLER_ITERATIONS):
            eccentric = mean + e * np.sin(eccentric)
        root = np.sqrt(1.0 - e**2)
        x, y = a * (np.cos(eccentric) - e), a * root * np.sin(eccentric)
        eccentric_rate = anomaly_rate / (1.0 - e * np.cos(eccentric))
        vx, vy = -a * np.sin(eccentric) * eccentric_rate, a * root * np.cos(eccentric) * eccentric_rate
        vx, vy = vx - perigee_rate * y, vy + perigee_rate * x
        cos_w, sin_w = np.cos(perigee), np.sin(perigee)
        cos_i, sin_i = np.cos(self.inclination_rad[satellite]), np.sin(self.inclination_rad[satellite])
        cos_n, sin_n = np.cos(node), np.sin(node)

        def turn(u: FloatArray, v: FloatArray) -> FloatArray:
            in_plane, across = cos_w * u - sin_w * v, sin_w * u + cos_w * v
            return np.stack(
                [
                    cos_n * in_plane - sin_n * cos_i * across,
                    sin_n * in_plane + cos_n * cos_i * across,
                    sin_i * across,
                ],
                axis=-1,
            )

        position, velocity = turn(x, y), turn(vx, vy)
        velocity[:, 0] -= node_rate * position[:, 1]
        velocity[:, 1] += node_rate * position[:, 0]
        return position, velocity


def build_constellation(reference: Epochs, seed: int) -> Constellation:
    """All satellites of the sample at an instant, sorted by name."""
    rows: list[tuple[str, str, float, float, float, float, float]] = []
    for k, number in enumerate(_GPS_PRNS):
        plane, slot = k % _GPS_PLANES, k // _GPS_PLANES
        size = len(range(plane, len(_GPS_PRNS), _GPS_PLANES))
        name = f"G{number:02d}"
        jitter_deg = random_stream(seed, "slot", name).uniform(-12.0, 12.0)
        argument = 360.0 / size * slot + 17.0 * plane + jitter_deg
        rows.append((name, "GPS", 26_559_700.0, 0.012, 55.2, 23.0 + 60.0 * plane, argument))
    for letter, numbers, kind, axis_m, inclination, first_node in (
        ("E", _GALILEO_PRNS, "GALILEO", 29_600_300.0, 56.0, 41.0),
        ("C", _BEIDOU_MEO_PRNS, "BDS-3 MEO", 27_906_100.0, 55.0, 88.0),
    ):
        for k, number in enumerate(numbers):
            plane, slot = k % 3, k // 3
            argument = 45.0 * slot + 15.0 * plane
            name = f"{letter}{number:02d}"
            rows.append((name, kind, axis_m, 0.0006, inclination, first_node + 120.0 * plane, argument))
    earth_angle_deg = np.degrees(erfa.era00(*reference.to(TimeScale.UTC).julian_date_parts()))
    for k, number in enumerate(_BEIDOU_IGSO_PRNS):
        argument = 200.0 - 120.0 * k
        node = _IGSO_NODE_LONGITUDE_DEG[k] + float(earth_angle_deg) - argument
        rows.append((f"C{number:02d}", "BDS-3 IGSO", 42_164_200.0, 0.003, 55.0, node, argument))
    rows.sort()
    eccentricity, perigee = [], []
    for name, _, _, typical, *_ in rows:
        generator = random_stream(seed, "ellipse", name)
        eccentricity.append(typical * generator.uniform(0.2, 1.4))
        perigee.append(generator.uniform(0.0, 360.0))
    argument_deg = np.array([row[6] for row in rows])
    return Constellation(
        reference=reference,
        names=tuple(row[0] for row in rows),
        kinds=tuple(row[1] for row in rows),
        semi_major_axis_m=np.array([row[2] for row in rows]),
        eccentricity=np.array(eccentricity),
        inclination_rad=np.radians([row[4] for row in rows]),
        node_rad=np.radians([row[5] for row in rows]),
        perigee_rad=np.radians(perigee),
        mean_anomaly_rad=np.radians(argument_deg - np.array(perigee)),
    )
