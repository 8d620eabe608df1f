"""Displacement of a station by the solid earth tide.

IERS Conventions (2010), section 7.1.1, both steps: degrees 2 and 3 in phase and out of phase in the time
domain, then the frequency-dependent corrections of the diurnal and long-period bands. The numbers of step 2
are those of the Conventions Center's routine (more terms than the printed tables 7.3a and 7.3b). Written
from the Conventions' equations, vectorised over epochs; not the Center's software, and not endorsed by it.
The permanent tide is left in the correction, so positions come out conventionally tide-free.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from transforms.constants import EARTH_EQUATORIAL_RADIUS_M, MASS_RATIO_MOON_EARTH, MASS_RATIO_SUN_EARTH
from transforms.time_scales import Epochs, TimeScale

FloatArray = NDArray[np.float64]

# Nominal Love and Shida numbers: IERS Conventions (2010), table 7.2.
_H2: Final = 0.6078
_H2_LATITUDE: Final = -0.0006
_L2: Final = 0.0847
_L2_LATITUDE: Final = 0.0002
_H3: Final = 0.292
_L3: Final = 0.015
_L1_DIURNAL: Final = 0.0012
_L1_SEMIDIURNAL: Final = 0.0024
_H_IMAGINARY_DIURNAL: Final = -0.0025
_L_IMAGINARY_DIURNAL: Final = -0.0007
_H_IMAGINARY_SEMIDIURNAL: Final = -0.0022
_L_IMAGINARY_SEMIDIURNAL: Final = -0.0007

# Step 2, diurnal: multiples of (s, h, p, N', ps) beside one tau; radial in/out of phase, transverse
# in/out of phase, mm.
_DIURNAL: Final = np.array(
    [
        (-3, 0, 2, 0, 0, -0.01, 0.0, 0.0, 0.0),
        (-3, 2, 0, 0, 0, -0.01, 0.0, 0.0, 0.0),
        (-2, 0, 1, -1, 0, -0.02, 0.0, 0.0, 0.0),
        (-2, 0, 1, 0, 0, -0.08, 0.0, -0.01, 0.01),
        (-2, 2, -1, 0, 0, -0.02, 0.0, 0.0, 0.0),
        (-1, 0, 0, -1, 0, -0.10, 0.0, 0.0, 0.0),
        (-1, 0, 0, 0, 0, -0.51, 0.0, -0.02, 0.03),
        (-1, 2, 0, 0, 0, 0.01, 0.0, 0.0, 0.0),
        (0, -2, 1, 0, 0, 0.01, 0.0, 0.0, 0.0),
        (0, 0, -1, 0, 0, 0.02, 0.0, 0.0, 0.0),
        (0, 0, 1, 0, 0, 0.06, 0.0, 0.0, 0.0),
        (0, 0, 1, 1, 0, 0.01, 0.0, 0.0, 0.0),
        (0, 2, -1, 0, 0, 0.01, 0.0, 0.0, 0.0),
        (1, -3, 0, 0, 1, -0.06, 0.0, 0.0, 0.0),
        (1, -2, 0, -1, 0, 0.01, 0.0, 0.0, 0.0),
        (1, -2, 0, 0, 0, -1.23, -0.07, 0.06, 0.01),
        (1, -1, 0, 0, -1, 0.02, 0.0, 0.0, 0.0),
        (1, -1, 0, 0, 1, 0.04, 0.0, 0.0, 0.0),
        (1, 0, 0, -1, 0, -0.22, 0.01, 0.01, 0.0),
        (1, 0, 0, 0, 0, 12.00, -0.80, -0.67, -0.03),
        (1, 0, 0, 1, 0, 1.73, -0.12, -0.10, 0.0),
        (1, 0, 0, 2, 0, -0.04, 0.0, 0.0, 0.0),
        (1, 1, 0, 0, -1, -0.50, -0.01, 0.03, 0.0),
        (1, 1, 0, 0, 1, 0.01, 0.0, 0.0, 0.0),
        (0, 1, 0, 1, -1, -0.01, 0.0, 0.0, 0.0),
        (1, 2, -2, 0, 0, -0.01, 0.0, 0.0, 0.0),
        (1, 2, 0, 0, 0, -0.11, 0.01, 0.01, 0.0),
        (2, -2, 1, 0, 0, -0.01, 0.0, 0.0, 0.0),
        (2, 0, -1, 0, 0, -0.02, 0.0, 0.0, 0.0),
    ]
)
# Step 2, long period: multiples of (s, h, p, N', ps); radial in phase, transverse in phase, radial out of
# phase, transverse out of phase, mm.
_LONG_PERIOD: Final = np.array(
    [
        (0, 0, 0, 1, 0, 0.47, 0.23, 0.16, 0.07),
        (0, 2, 0, 0, 0, -0.20, -0.12, -0.11, -0.05),
        (1, 0, -1, 0, 0, -0.11, -0.08, -0.09, -0.04),
        (2, 0, 0, 0, 0, -0.13, -0.11, -0.15, -0.07),
        (2, 0, 0, 1, 0, -0.05, -0.05, -0.06, -0.03),
    ]
)


def _body_tide(station: FloatArray, body: FloatArray, mass_ratio: float) -> FloatArray:
    """Step 1 for one body: degrees 2 and 3 in phase, out of phase and latitude dependence; (n, 3), m."""
    radius = float(np.linalg.norm(station))
    up = station / radius
    sin_phi = station[2] / radius
    cos_phi = np.hypot(station[0], station[1]) / radius
    sin_lam, cos_lam = station[1] / (radius * cos_phi), station[0] / (radius * cos_phi)
    distance = np.linalg.norm(body, axis=-1)
    to_body = body / distance[:, None]
    cosine = to_body @ up

    latitude_term = 1.0 - 1.5 * cos_phi**2
    h2 = _H2 + _H2_LATITUDE * latitude_term
    l2 = _L2 + _L2_LATITUDE * latitude_term
    scale2 = mass_ratio * EARTH_EQUATORIAL_RADIUS_M * (EARTH_EQUATORIAL_RADIUS_M / distance) ** 3
    scale3 = scale2 * (EARTH_EQUATORIAL_RADIUS_M / distance)
    # eqs. 7.5 and 7.6
    radial = scale2 * (3.0 * (h2 / 2.0 - l2) * cosine**2 - h2 / 2.0)
    radial += scale3 * (2.5 * (_H3 - 3.0 * _L3) * cosine**3 + 1.5 * (_L3 - _H3) * cosine)
    toward = scale2 * 3.0 * l2 * cosine + scale3 * 1.5 * _L3 * (5.0 * cosine**2 - 1.0)
    displacement = radial[:, None] * up + toward[:, None] * to_body

    # The rest in local components; angles of the body as seen from the earth's centre.
    cos_delta = np.hypot(to_body[:, 0], to_body[:, 1])
    sin_delta = to_body[:, 2]
    sin_body, cos_body = to_body[:, 1] / cos_delta, to_body[:, 0] / cos_delta
    sin_hour = sin_lam * cos_body - cos_lam * sin_body  # sin(station longitude - body longitude)
    cos_hour = cos_lam * cos_body + sin_lam * sin_body
    sin_2hour, cos_2hour = 2.0 * sin_hour * cos_hour, cos_hour**2 - sin_hour**2
    cos_2phi, sin_2phi = cos_phi**2 - sin_phi**2, 2.0 * sin_phi * cos_phi
    sin_2delta = 2.0 * sin_delta * cos_delta

    # out of phase, diurnal (eqs. 7.10) and semidiurnal (eqs. 7.11)
    up_out = -0.75 * _H_IMAGINARY_DIURNAL * scale2 * sin_2delta * sin_2phi * sin_hour
    north = -1.5 * _L_IMAGINARY_DIURNAL * scale2 * sin_2delta * cos_2phi * sin_hour
    east = -1.5 * _L_IMAGINARY_DIURNAL * scale2 * sin_2delta * sin_phi * cos_hour
    up_out += -0.75 * _H_IMAGINARY_SEMIDIURNAL * scale2 * cos_delta**2 * cos_phi**2 * sin_2hour
    north += 0.75 * _L_IMAGINARY_SEMIDIURNAL * scale2 * cos_delta**2 * sin_2phi * sin_2hour
    east += -1.5 * _L_IMAGINARY_SEMIDIURNAL * scale2 * cos_delta**2 * cos_phi * cos_2hour
    # latitude dependence, l(1): diurnal (eq. 7.8) and semidiurnal (eq. 7.9)
    p21 = 3.0 * sin_delta * cos_delta
    north += -_L1_DIURNAL * sin_phi**2 * scale2 * p21 * cos_hour
    east += _L1_DIURNAL * sin_phi * cos_2phi * scale2 * p21 * sin_hour
    p22 = 3.0 * cos_delta**2
    north += -0.5 * _L1_SEMIDIURNAL * sin_phi * cos_phi * scale2 * p22 * cos_2hour
    east += -0.5 * _L1_SEMIDIURNAL * sin_phi**2 * cos_phi * scale2 * p22 * sin_2hour

    east_axis = np.array([-sin_lam, cos_lam, 0.0])
    north_axis = np.array([-sin_phi * cos_lam, -sin_phi * sin_lam, cos_phi])
    displacement += up_out[:, None] * up + north[:, None] * north_axis + east[:, None] * east_axis
    return np.asarray(displacement, dtype=np.float64)


def _frequency_corrections(station: FloatArray, epochs: Epochs) -> FloatArray:
    """Step 2: corrections of the diurnal and the long-period band; (n, 3), m."""
    tt1, tt2 = epochs.to(TimeScale.TT).julian_date_parts()
    t = ((tt1 - 2451545.0) + tt2) / 36525.0
    utc = epochs.to(TimeScale.UTC).modified_julian_date()
    hours = (utc - np.floor(utc)) * 24.0
    # Fundamental arguments in degrees, as IERS Conventions (2010), chapter 7, software of section 7.1.1.
    s = 218.31664563 + (481267.88194 + (-0.0014663889 + 0.00000185139 * t) * t) * t
    tau = hours * 15.0 + 280.4606184 + (36000.7700536 + (0.00038793 - 0.0000000258 * t) * t) * t - s
    s = s + (1.396971278 + (0.000308889 + (0.000000021 + 0.000000007 * t) * t) * t) * t
    h = 280.46645 + (36000.7697489 + (0.00030322222 + (0.000000020 - 0.00000000654 * t) * t) * t) * t
    p = 83.35324312 + (4069.01363525 + (-0.01032172222 + (-0.0000124991 + 0.00000005263 * t) * t) * t) * t
    node = 234.95544499 + (1934.13626197 + (-0.00207561111 + (-0.00000213944 + 0.0000000165 * t) * t) * t) * t
    ps = 282.93734098 + (1.71945766667 + (0.00045688889 + (-0.00000001778 - 0.00000000334 * t) * t) * t) * t
    arguments = np.stack([s, h, p, node, ps], axis=-1)

    radius = float(np.linalg.norm(station))
    sin_phi = station[2] / radius
    cos_phi = np.hypot(station[0], station[1]) / radius
    longitude = np.arctan2(station[1], station[0])
    up = station / radius
    east_axis = np.array([-np.sin(longitude), np.cos(longitude), 0.0])
    north_axis = np.array([-sin_phi * np.cos(longitude), -sin_phi * np.sin(longitude), cos_phi])

    theta = np.radians(arguments @ _DIURNAL[:, :5].T + tau[:, None]) + longitude
    sine, cosine = np.sin(theta), np.cos(theta)
    radial = 2.0 * sin_phi * cos_phi * (sine @ _DIURNAL[:, 5] + cosine @ _DIURNAL[:, 6])
    north = (cos_phi**2 - sin_phi**2) * (sine @ _DIURNAL[:, 7] + cosine @ _DIURNAL[:, 8])
    east = sin_phi * (cosine @ _DIURNAL[:, 7] - sine @ _DIURNAL[:, 8])

    theta = np.radians(arguments @ _LONG_PERIOD[:, :5].T)
    sine, cosine = np.sin(theta), np.cos(theta)
    radial = radial + (1.5 * sin_phi**2 - 0.5) * (cosine @ _LONG_PERIOD[:, 5] + sine @ _LONG_PERIOD[:, 7])
    north = north + 2.0 * cos_phi * sin_phi * (cosine @ _LONG_PERIOD[:, 6] + sine @ _LONG_PERIOD[:, 8])
    millimetres = radial[:, None] * up + north[:, None] * north_axis + east[:, None] * east_axis
    return np.asarray(millimetres * 1e-3, dtype=np.float64)


def solid_earth_tide_displacement(
    station_ecef_m: FloatArray, epochs: Epochs, sun_ecef_m: FloatArray, moon_ecef_m: FloatArray
) -> FloatArray:
    """Displacement of a station by the solid earth tide, permanent part included.

    Parameters
    ----------
    station_ecef_m : (3,); epochs : (n,); sun_ecef_m, moon_ecef_m : (n, 3) in the terrestrial frame

    Returns
    -------
    displacement_ecef_m : (n, 3), to be added to the tide-free position. Model error below 0.5 mm.
    """
    station = np.asarray(station_ecef_m, dtype=np.float64)
    return np.asarray(
        _body_tide(station, sun_ecef_m, MASS_RATIO_SUN_EARTH)
        + _body_tide(station, moon_ecef_m, MASS_RATIO_MOON_EARTH)
        + _frequency_corrections(station, epochs),
        dtype=np.float64,
    )
