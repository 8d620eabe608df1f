"""Reference ellipsoids, with their gravity constants and sources."""

import math
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Ellipsoid:
    """A rotational reference ellipsoid.

    Attributes
    ----------
    name : as the field writes it
    semi_major_axis_m : equatorial radius
    inverse_flattening : 1/f
    gravitational_constant_m3_per_s2 : GM including the atmosphere, or None where none is defined
    rotation_rate_rad_per_s : angular velocity, or None where none is defined
    citation : where the numbers stand
    """

    name: str
    semi_major_axis_m: float
    inverse_flattening: float
    gravitational_constant_m3_per_s2: float | None
    rotation_rate_rad_per_s: float | None
    citation: str

    @property
    def flattening(self) -> float:
        """f, dimensionless."""
        return 1.0 / self.inverse_flattening

    @property
    def semi_minor_axis_m(self) -> float:
        """Polar radius. Units: m."""
        return self.semi_major_axis_m * (1.0 - self.flattening)

    @property
    def first_eccentricity_squared(self) -> float:
        """e^2 = f (2 - f), dimensionless."""
        return self.flattening * (2.0 - self.flattening)

    @property
    def linear_eccentricity_m(self) -> float:
        """E = sqrt(a^2 - b^2). Units: m."""
        return math.sqrt(self.semi_major_axis_m**2 - self.semi_minor_axis_m**2)


GRS80: Final = Ellipsoid(
    "GRS80",
    6378137.0,
    298.257222100882711,  # derived from J2, Moritz (2000), table of derived constants
    3.986005e14,
    7.292115e-5,
    "Moritz (2000), Geodetic Reference System 1980, J. Geodesy 74:128-133",
)
CGCS2000: Final = Ellipsoid(
    "CGCS2000",
    6378137.0,
    298.257222101,
    3.986004418e14,
    7.292115e-5,
    "Cheng et al. (2009); GB 22021-2008; EPSG:1024",
)
WGS84: Final = Ellipsoid(
    "WGS 84",
    6378137.0,
    298.257223563,
    3.986004418e14,
    7.292115e-5,
    "NGA.STND.0036 1.0.0 (2014), table 3.1",
)
KRASSOVSKY_1940: Final = Ellipsoid(
    "Krassovsky 1940", 6378245.0, 298.3, None, None, "EPSG:7024 (Beijing 1954)"
)
IAG_1975: Final = Ellipsoid(
    "IAG 1975",
    6378140.0,
    298.257,
    3.986005e14,
    7.292115e-5,
    "EPSG:7049 (Xian 1980)",
)
