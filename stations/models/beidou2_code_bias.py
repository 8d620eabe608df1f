"""Code bias of BeiDou-2 IGSO and MEO satellites, which changes with elevation by more than a metre.

Made on board; BeiDou-3 is free of it. Wanninger and Beer (2015), GPS Solutions 19, 639-648, table 3.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# The table was made of C06 to C14. C16, of 2018, is not in it, and 24 h of it in Poland show no bias.
_LAST_PRN: Final = 14
_ELEVATION_DEG: Final = np.arange(0.0, 91.0, 10.0)
# Corrections in metres, to be added to the code, at each ten degrees of elevation.
_CORRECTION_M: Final = {
    ("BEIDOU-2I", "C2"): (-0.55, -0.40, -0.34, -0.23, -0.15, -0.04, 0.09, 0.19, 0.27, 0.35),
    ("BEIDOU-2I", "C7"): (-0.71, -0.36, -0.33, -0.19, -0.14, -0.03, 0.08, 0.17, 0.24, 0.33),
    ("BEIDOU-2I", "C6"): (-0.27, -0.23, -0.21, -0.15, -0.11, -0.04, 0.05, 0.14, 0.19, 0.32),
    ("BEIDOU-2M", "C2"): (-0.47, -0.38, -0.32, -0.23, -0.11, 0.06, 0.34, 0.69, 0.97, 1.05),
    ("BEIDOU-2M", "C7"): (-0.40, -0.31, -0.26, -0.18, -0.06, 0.09, 0.28, 0.48, 0.64, 0.69),
    ("BEIDOU-2M", "C6"): (-0.22, -0.15, -0.13, -0.10, -0.04, 0.05, 0.14, 0.27, 0.36, 0.47),
}


def beidou2_code_correction_m(
    satellite: str, antenna_kind: str, band: str, elevation_rad: FloatArray
) -> FloatArray:
    """What is to be added to codes of a satellite, linear between the table's elevations; zero for others.

    Parameters
    ----------
    satellite : "C11"; antenna_kind : its ANTEX type, "BEIDOU-2M"
    band : "C2" (B1I), "C6" (B3I) or "C7" (B2I)
    elevation_rad : (n,) at the station
    """
    table = _CORRECTION_M.get((antenna_kind.strip(), band))
    if table is None or int(satellite[1:]) > _LAST_PRN:
        return np.zeros(np.shape(elevation_rad))
    return np.asarray(np.interp(np.degrees(elevation_rad), _ELEVATION_DEG, table))
