"""Physical constants, each with its source. SI units."""

import math
from typing import Final

SPEED_OF_LIGHT_M_PER_S: Final = 299_792_458.0  # exact, SI
GRAVITATIONAL_CONSTANT_EARTH_M3_PER_S2: Final = 3.986004418e14  # IERS Conventions (2010), table 1.1
GRAVITATIONAL_CONSTANT_SUN_M3_PER_S2: Final = 1.32712442099e20  # IERS Conventions (2010), table 1.1
MASS_RATIO_SUN_EARTH: Final = 332946.0482  # IERS Conventions (2010), software of chapter 7 (tides)
MASS_RATIO_MOON_EARTH: Final = 0.0123000371  # IERS Conventions (2010), table 1.1
EARTH_EQUATORIAL_RADIUS_M: Final = 6378136.6  # IERS Conventions (2010), table 1.1
EARTH_ROTATION_RATE_RAD_PER_S: Final = 7.292115e-5  # IERS Conventions (2010), table 1.1
ASTRONOMICAL_UNIT_M: Final = 149_597_870_700.0  # IAU 2012 resolution B2

ARCSECOND_RAD: Final = math.pi / (180.0 * 3600.0)
MILLIARCSECOND_RAD: Final = ARCSECOND_RAD * 1e-3
