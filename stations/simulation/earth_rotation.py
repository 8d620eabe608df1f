"""Earth rotation of the sample days: plausible for April 2026, invented, the same for truth and product."""

from typing import Final

import numpy as np

from stations.records import EarthRotationParameters
from transforms.constants import ARCSECOND_RAD
from transforms.time_scales import Epochs, TimeScale

_POLE_UNIT_ARCSECONDS: Final = 1e-6  # as the IGS ERP file prints it
_UT1_UNIT_S: Final = 1e-7


def simulate_earth_rotation(first_mjd: int, n_days: int) -> EarthRotationParameters:
    """Pole and UT1-UTC at 0 h UTC of consecutive days, rounded as the file prints them."""
    day = np.arange(n_days, dtype=np.float64)
    pole_x = np.round((0.0873 + 0.00152 * day + 1e-5 * np.sin(day)) / _POLE_UNIT_ARCSECONDS)
    pole_y = np.round((0.4312 + 0.00061 * day - 1e-5 * np.cos(day)) / _POLE_UNIT_ARCSECONDS)
    ut1 = np.round((0.0714 + 0.00021 * day + 2e-5 * np.sin(0.45 * day)) / _UT1_UNIT_S)
    return EarthRotationParameters(
        epochs=Epochs.from_modified_julian_date(first_mjd + day, TimeScale.UTC),
        pole_x_rad=pole_x * _POLE_UNIT_ARCSECONDS * ARCSECOND_RAD,
        pole_y_rad=pole_y * _POLE_UNIT_ARCSECONDS * ARCSECOND_RAD,
        ut1_minus_utc_s=ut1 * _UT1_UNIT_S,
    )
