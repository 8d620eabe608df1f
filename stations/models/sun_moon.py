"""Sun and moon in the rotating terrestrial frame, and the earth's rotation that carries them there."""

from typing import Final

import erfa
import numpy as np
from numpy.typing import NDArray

from stations.models.earth_libration import libration_variations
from stations.models.subdaily_earth_rotation import ocean_tide_variations
from stations.records import EarthRotationParameters
from transforms.constants import ASTRONOMICAL_UNIT_M
from transforms.time_scales import Epochs, TimeScale

FloatArray = NDArray[np.float64]

_DAY_S: Final = 86400.0


def earth_rotation_at(
    epochs: Epochs, parameters: EarthRotationParameters | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Pole (x, y) in radians and UT1 - UTC in seconds at epochs, each of shape (n,).

    Linear between the table's days, with the daily and half-daily variations by the ocean tides and by
    librations added, which tables leave out (IERS Conventions 2010, section 5.5.1).

    Without a table all are zero: UT1 - UTC below 0.9 s turns the sun by 13 arc seconds at most, which is
    harmless for tides and attitude; the pole tide needs the table (`pole_tide` is then left out).
    """
    if parameters is None:
        zero = np.zeros(epochs.tai_ns.shape)
        return zero, zero, zero
    t = parameters.epochs.tai_ns.astype(np.float64)
    at = epochs.tai_ns.astype(np.float64)
    # UT1 - TAI has no leap second in it, so it is that which is interpolated.
    mjd_utc = parameters.epochs.to(TimeScale.UTC).datetime64().astype(np.int64)
    ut1_tai_ns = mjd_utc + parameters.ut1_minus_utc_s * 1e9 - parameters.epochs.tai_ns
    at_utc = epochs.to(TimeScale.UTC).datetime64().astype(np.int64)
    ut1_tai = np.interp(at, t, ut1_tai_ns)
    ut1_utc_s = (ut1_tai - (at_utc - epochs.tai_ns)) / 1e9
    tide_x, tide_y, tide_ut1 = ocean_tide_variations(epochs)
    libration_x, libration_y, libration_ut1 = libration_variations(epochs)
    return (
        np.interp(at, t, parameters.pole_x_rad) + tide_x + libration_x,
        np.interp(at, t, parameters.pole_y_rad) + tide_y + libration_y,
        np.asarray(ut1_utc_s + tide_ut1 + libration_ut1, dtype=np.float64),
    )


def terrestrial_from_celestial_matrix(
    epochs: Epochs, parameters: EarthRotationParameters | None
) -> FloatArray:
    """Rotation R with `itrs = R @ gcrs`, shape (n, 3, 3).

    IAU 2006 precession with the IAU 2000B nutation (1 mas), by ERFA; 3 cm at a GNSS orbit, none of it seen
    by the uses here (directions to sun and moon).
    """
    x, y, ut1_utc = earth_rotation_at(epochs, parameters)
    tt1, tt2 = epochs.to(TimeScale.TT).julian_date_parts()
    utc1, utc2 = epochs.to(TimeScale.UTC).julian_date_parts()
    return np.asarray(erfa.c2t00b(tt1, tt2, utc1, utc2 + ut1_utc / _DAY_S, x, y), dtype=np.float64)


def sun_moon_positions(
    epochs: Epochs, parameters: EarthRotationParameters | None
) -> tuple[FloatArray, FloatArray]:
    """Geocentric positions of sun and moon in the terrestrial frame.

    Parameters
    ----------
    epochs : shape (n,)
    parameters : earth rotation, or None (see `earth_rotation_at`)

    Returns
    -------
    sun_ecef_m, moon_ecef_m : (n, 3). Sun after ERFA epv00 (5 km); moon after Meeus (ERFA moon98, 20 km).
    """
    tt1, tt2 = epochs.to(TimeScale.TT).julian_date_parts()
    earth_heliocentric, _ = erfa.epv00(tt1, tt2)
    sun = -np.asarray(earth_heliocentric["p"]) * ASTRONOMICAL_UNIT_M
    moon = np.asarray(erfa.moon98(tt1, tt2)["p"]) * ASTRONOMICAL_UNIT_M
    rotation = terrestrial_from_celestial_matrix(epochs, parameters)
    return (
        np.asarray(np.einsum("nij,nj->ni", rotation, sun)),
        np.asarray(np.einsum("nij,nj->ni", rotation, moon)),
    )
