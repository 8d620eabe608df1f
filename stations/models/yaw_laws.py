"""How satellites yaw near orbit noon and midnight, where the nominal attitude would turn them too fast.

Yaw is the angle from the direction of flight to the body's x axis about the body's z axis (to the earth), in
IGS axes; nominally psi = atan2(-tan beta, sin mu), mu the orbit angle from midnight, beta the sun's elevation
over the orbital plane (Bar-Sever 1996; Kouba 2009, GPS Solutions 13, 1-12).

Laws, each a function of beta, mu and its rate alone, so that no history is needed:

- GPS IIR: turns at most at 0.20 deg/s, in sunlight and in shadow, and catches up (Kouba 2009).
- GPS IIF: at noon likewise with 0.11 deg/s; in shadow at the even rate that brings it from the nominal yaw at
  the entry to that at the exit (Dilssner 2010, Inside GNSS 5(6); Kuang et al. 2017, GPS Solutions 21).
- GPS III: the form of Galileo IOV's law over a wider region, 15 by 5.8 degrees (Montenbruck et al. 2026, the
  best approximation of the operator's attitudes, 2 to 4 degrees, as LuPNT's GnssYawSteering states it).
- Galileo IOV and FOC: the laws that the GSC publishes with the satellites' metadata (2017).
- BeiDou-3 of CAST: Wang et al. (2018), GPS Solutions 22:79. BeiDou-3 MEO of SECM: the law published by the
  CSNO (2019): beta counts as 3 degrees while it is smaller; confirmed but for the change of beta's sign by
  Yang et al. (2023), J. Geodesy 97.
- BeiDou-2 IGSO and MEO until 2018: x along the flight ("orbit normal") while beta is below 4 degrees, decided
  once a revolution, where the nominal yaw is zero too (Montenbruck et al. 2015; Li et al. 2018, J. Navig.
  71): near 4 degrees it is doubtful. IGSO-6 (Wang et al. 2018) and, since 2017, IGSO-1 and MEO-6 turn as
  BeiDou-3 does. So do MEO-3 and MEO-4 since 2024 at the latest, as residuals show (docs/accuracy.md).
- QZS-1: x against the flight below 20 degrees, switched by command: doubtful near there. QZS-2, -4 and -1R:
  at most 0.055 deg/s, an even turn about noon and midnight, below 5 degrees. QZS-3 and -6: x against the
  flight, always (Cabinet Office of Japan, satellite property information, as GROOPS states it).
- GLONASS-M: in shadow at 0.25 deg/s from the entry until the yaw of the exit is reached, which it then keeps;
  at noon a turn at that rate, even about noon (Dilssner et al. 2011, Adv. Space Res. 47, 160-171). GLONASS-K
  keeps the nominal yaw in shadow too and turns below a beta of 2 degrees only (Dilssner and Springer 2024,
  GPS Solutions 28): there it is doubtful.

Where a law is not settled the attitude is *doubtful*, and the observations are better left out: GPS II/IIA
in shadow and half an hour after (each has a rate of its own; the last was retired in 2019), BeiDou-3 SECM
experimental, any other BeiDou-2 since 2018 below 4 degrees, and any satellite in whose turn a yaw bias or a
change of beta's sign decides on the direction.
"""

from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


class YawLaw(StrEnum):
    """Which law a spacecraft follows near noon and midnight."""

    GPS_IIA = "GPS II/IIA"
    GPS_IIR = "GPS IIR"
    GPS_IIF = "GPS IIF"
    GPS_III = "GPS III"
    GALILEO_IOV = "Galileo IOV"
    GALILEO_FOC = "Galileo FOC"
    BEIDOU2 = "BeiDou-2 IGSO/MEO until 2018"
    BEIDOU2_UNTOLD = "BeiDou-2 IGSO/MEO since 2018"
    BEIDOU3_MEO_CAST = "BeiDou-3 MEO CAST"
    BEIDOU3_IGSO_CAST = "BeiDou-3 IGSO CAST"
    BEIDOU3_MEO_SECM = "BeiDou-3 MEO SECM"
    GLONASS_M = "GLONASS-M"
    QZSS_1 = "QZS-1"
    QZSS_2 = "QZS-2 IGSO"
    QZSS_GEO = "QZSS GEO"
    UNKNOWN = "unknown"


# Beginnings of the antenna types of ANTEX (IGS file rcvr_ant.tab), the longest that fits serves.
_LAW_OF_KIND: Final = {
    "BLOCK II": YawLaw.GPS_IIA,
    "BLOCK IIA": YawLaw.GPS_IIA,
    "BLOCK IIR": YawLaw.GPS_IIR,
    "BLOCK IIF": YawLaw.GPS_IIF,
    "BLOCK III": YawLaw.GPS_III,
    "GALILEO-1": YawLaw.GALILEO_IOV,
    "GALILEO-2": YawLaw.GALILEO_FOC,
    "BEIDOU-3M-CAST": YawLaw.BEIDOU3_MEO_CAST,
    "BEIDOU-3SM-CAST": YawLaw.BEIDOU3_MEO_CAST,
    "BEIDOU-3I": YawLaw.BEIDOU3_IGSO_CAST,
    "BEIDOU-3SI-CAST": YawLaw.BEIDOU3_IGSO_CAST,
    "BEIDOU-3M-SECM": YawLaw.BEIDOU3_MEO_SECM,
    "GLONASS-M": YawLaw.GLONASS_M,
    "QZSS": YawLaw.QZSS_1,
    "QZSS-2I": YawLaw.QZSS_2,
    "QZSS-2A": YawLaw.QZSS_2,
    "QZSS-2G": YawLaw.QZSS_GEO,
    "QZSS-3G": YawLaw.QZSS_GEO,
}
# BeiDou-2 spacecraft that turn as BeiDou-3, and since when that is known: IGSO-1, MEO-3, -4, -6, IGSO-6.
_STEERING_BEIDOU2: Final = {
    "C005": (YawLaw.BEIDOU3_IGSO_CAST, 2018.0),
    "C012": (YawLaw.BEIDOU3_MEO_CAST, 2024.0),
    "C013": (YawLaw.BEIDOU3_MEO_CAST, 2024.0),
    "C015": (YawLaw.BEIDOU3_MEO_CAST, 2018.0),
    "C017": (YawLaw.BEIDOU3_IGSO_CAST, 2016.0),
}
_BEIDOU2_PUBLISHED_UNTIL: Final = 2018.0  # Li et al. (2018) is the last that describes the orbit-normal mode
_IIR_RATE_RAD_PER_S: Final = np.radians(0.20)  # Kouba (2009)
_IIF_RATE_RAD_PER_S: Final = np.radians(0.11)  # Dilssner (2010)
_IIA_RATE_RAD_PER_S: Final = np.radians(0.12)  # Kouba (2009), mean of the satellites (0.10 to 0.13)
_IIA_IIF_BIAS_RAD: Final = np.radians(0.9)  # yaw bias of 0.5 (IIA) and -0.7 (IIF) degrees, and its scatter
_IIA_RECOVERY_S: Final = 1800.0
_SHADOW_HALF_ANGLE_RAD: Final = np.radians(13.63)  # of the umbra at GPS height: asin(6378 / 26560) less 0.27
_GLONASS_RATE_RAD_PER_S: Final = np.radians(0.25)  # Dilssner et al. (2011)
_GLONASS_SHADOW_HALF_ANGLE_RAD: Final = np.radians(14.20)  # of the umbra: asin(6378 / 25508) less 0.27
# Region of the auxiliary sun vector, along and across the flight: GSC; Montenbruck et al. (2026).
_AUXILIARY_SUN: Final = {
    YawLaw.GALILEO_IOV: (np.radians(15.0), np.radians(2.0)),
    YawLaw.GPS_III: (np.radians(15.0), np.radians(5.8)),
}
_BEIDOU2_BETA_RAD: Final = np.radians(4.0)  # below it along the flight
_BEIDOU2_DOUBT_RAD: Final = np.radians(0.5)  # what beta moves in the half day since a MEO last decided
_QZSS_1_BETA_RAD: Final = np.radians(20.0)
_QZSS_1_DOUBT_RAD: Final = np.radians(2.0)
_QZSS_2_BETA_RAD: Final = np.radians(5.0)
_QZSS_2_RATE_RAD_PER_S: Final = np.radians(0.055)
# Greatest beta, half width in orbit angle, and the period of the cosine, s.
_SMOOTH_TURN: Final = {
    YawLaw.GALILEO_FOC: (np.radians(4.1), np.radians(10.0), 5656.0),
    YawLaw.BEIDOU3_MEO_CAST: (np.radians(3.0), np.radians(6.0), 3090.0),
    YawLaw.BEIDOU3_IGSO_CAST: (np.radians(3.0), np.radians(6.0), 5740.0),
}
_SECM_BETA_RAD: Final = np.radians(3.0)
# Within half a day beta moves by half a degree: its sign at the last yaw of zero may have been the other.
_SIGN_DOUBT_RAD: Final = np.radians(0.5)
_SMOOTH_SIGN_DOUBT_RAD: Final = np.radians(0.1)  # Wang et al. (2018): reversed turns were seen below it
# Any other yaw-steering satellite turns below this beta, within this orbit angle.
_UNKNOWN_BETA_RAD: Final = np.radians(4.5)
_UNKNOWN_ORBIT_ANGLE_RAD: Final = np.radians(14.0)


def yaw_law_of(antenna_kind: str, spacecraft: str, year: float) -> YawLaw:
    """The law of a spacecraft.

    Parameters
    ----------
    antenna_kind : ANTEX antenna type ("BLOCK IIF", "GALILEO-2"); spacecraft : its number there ("C017")
    year : decimal, of the session
    """
    if antenna_kind.startswith(("BEIDOU-2I", "BEIDOU-2M")):
        law, since = _STEERING_BEIDOU2.get(spacecraft.strip(), (YawLaw.UNKNOWN, np.inf))
        if year >= since:
            return law
        return YawLaw.BEIDOU2 if year < _BEIDOU2_PUBLISHED_UNTIL else YawLaw.BEIDOU2_UNTOLD
    fitting = [name for name in _LAW_OF_KIND if antenna_kind.startswith(name)]
    return _LAW_OF_KIND[max(fitting, key=len)] if fitting else YawLaw.UNKNOWN


def nominal_yaw_rad(beta_rad: FloatArray, orbit_angle_rad: FloatArray) -> FloatArray:
    """Nominal yaw-steering angle; any shape."""
    return np.asarray(np.arctan2(-np.tan(beta_rad), np.sin(orbit_angle_rad)))


def wrap_rad(angle: FloatArray) -> FloatArray:
    """Angle in [-pi, pi)."""
    return np.asarray(np.mod(angle + np.pi, 2.0 * np.pi) - np.pi)


def yaw_angle(
    law: YawLaw, beta_rad: FloatArray, orbit_angle_rad: FloatArray, orbit_rate_rad_per_s: FloatArray
) -> tuple[FloatArray, BoolArray]:
    """Yaw of satellites that follow one law.

    Parameters
    ----------
    beta_rad, orbit_angle_rad, orbit_rate_rad_per_s : (n,); orbit angle 0 at midnight, in [-pi, pi]

    Returns
    -------
    yaw_rad : (n,), the nominal one away from the turns
    doubtful : (n,) True where the law does not tell the yaw
    """
    beta, mu, rate = beta_rad, orbit_angle_rad, orbit_rate_rad_per_s
    yaw = nominal_yaw_rad(beta, mu)
    midnight = np.abs(mu) <= np.pi / 2.0
    past = np.where(midnight, mu, wrap_rad(mu - np.pi))  # orbit angle since noon or midnight
    doubtful = np.zeros(yaw.shape, dtype=np.bool_)
    if law is YawLaw.GPS_IIR:
        return _catch_up(beta, mu, past, rate, _IIR_RATE_RAD_PER_S), doubtful
    if law is YawLaw.GPS_IIF:
        turned = _catch_up(beta, mu, past, rate, _IIF_RATE_RAD_PER_S)
        turned = np.where(midnight, _constant_rate_in_shadow(beta, mu, past), turned)
        near = np.abs(past) < _UNKNOWN_ORBIT_ANGLE_RAD
        return turned, np.asarray(near & (np.abs(beta) < _IIA_IIF_BIAS_RAD) & (midnight | (beta < 0.0)))
    if law is YawLaw.GPS_IIA:
        turned = np.where(midnight, yaw, _catch_up(beta, mu, past, rate, _IIA_RATE_RAD_PER_S))
        since_entry = past + _shadow_half_width(beta)
        in_shadow = (np.abs(beta) < _SHADOW_HALF_ANGLE_RAD) & (since_entry > 0.0)
        in_shadow &= past < _shadow_half_width(beta) + rate * _IIA_RECOVERY_S
        small = (np.abs(past) < _UNKNOWN_ORBIT_ANGLE_RAD) & (np.abs(beta) < _IIA_IIF_BIAS_RAD)
        return turned, np.asarray(np.where(midnight, in_shadow, small))
    if law is YawLaw.GALILEO_IOV:
        return _auxiliary_sun(beta, mu, *_AUXILIARY_SUN[law]), doubtful
    if law is YawLaw.GPS_III:
        near = np.abs(past) < _UNKNOWN_ORBIT_ANGLE_RAD
        turned = _auxiliary_sun(beta, mu, *_AUXILIARY_SUN[law])
        return turned, np.asarray(near & (np.abs(beta) < _SMOOTH_SIGN_DOUBT_RAD))
    if law is YawLaw.BEIDOU2:
        along = np.abs(beta) < _BEIDOU2_BETA_RAD
        undecided = np.abs(np.abs(beta) - _BEIDOU2_BETA_RAD) < _BEIDOU2_DOUBT_RAD
        return np.where(along, 0.0, yaw), np.asarray(undecided)
    if law is YawLaw.BEIDOU2_UNTOLD:
        return yaw, np.asarray(np.abs(beta) < _BEIDOU2_BETA_RAD + _BEIDOU2_DOUBT_RAD)
    if law in (YawLaw.QZSS_1, YawLaw.QZSS_GEO):
        everywhere = law is YawLaw.QZSS_GEO
        against = everywhere | (np.abs(beta) < _QZSS_1_BETA_RAD)
        undecided = np.abs(np.abs(beta) - _QZSS_1_BETA_RAD) < _QZSS_1_DOUBT_RAD
        return np.where(against, -np.pi, yaw), np.asarray(undecided & (not everywhere))
    if law is YawLaw.QZSS_2:
        turned = _even_turn(beta, mu, past, rate, _QZSS_2_RATE_RAD_PER_S)
        near = np.abs(past) < _UNKNOWN_ORBIT_ANGLE_RAD
        turned = np.where(np.abs(beta) < _QZSS_2_BETA_RAD, turned, yaw)
        return turned, np.asarray(near & (np.abs(beta) < _SMOOTH_SIGN_DOUBT_RAD))
    if law in _SMOOTH_TURN:
        limit, half_width, period_s = _SMOOTH_TURN[law]
        turning = (np.abs(beta) < limit) & (np.abs(past) < half_width)
        smooth = _smooth_turn(beta, mu, past, rate, half_width, period_s)
        return np.where(turning, smooth, yaw), np.asarray(turning & (np.abs(beta) < _SMOOTH_SIGN_DOUBT_RAD))
    if law is YawLaw.BEIDOU3_MEO_SECM:
        kept = np.where(np.abs(beta) < _SECM_BETA_RAD, np.copysign(_SECM_BETA_RAD, beta), beta)
        near = np.abs(past) < _UNKNOWN_ORBIT_ANGLE_RAD
        return nominal_yaw_rad(kept, mu), np.asarray(near & (np.abs(beta) < _SIGN_DOUBT_RAD))
    if law is YawLaw.GLONASS_M:
        turned = np.where(
            midnight,
            _turn_in_shadow(beta, mu, past, rate),
            _even_turn(beta, mu, past, rate, _GLONASS_RATE_RAD_PER_S),
        )
        near = np.abs(past) < _UNKNOWN_ORBIT_ANGLE_RAD
        return turned, np.asarray(near & (np.abs(beta) < _SMOOTH_SIGN_DOUBT_RAD))
    near = (np.abs(beta) < _UNKNOWN_BETA_RAD) & (np.abs(past) < _UNKNOWN_ORBIT_ANGLE_RAD)
    return yaw, np.asarray(near)


def _catch_up(
    beta: FloatArray, mu: FloatArray, past: FloatArray, rate: FloatArray, fastest_rad_per_s: float
) -> FloatArray:
    """Yaw that follows the nominal one at no more than a rate: late in the turn, caught up after it.

    The nominal rate is mu' tan(beta) cos(mu) / (sin^2 mu + tan^2 beta) (Kouba 2009, eq. 3).
    """
    nominal = nominal_yaw_rad(beta, mu)
    tangent = np.abs(np.tan(beta))
    start = np.zeros_like(past)
    for _ in range(4):  # cos(start) is nearly one, so this settles to 1e-9
        square = rate / fastest_rad_per_s * tangent * np.cos(start) - tangent**2
        start = -np.arcsin(np.sqrt(np.clip(square, 0.0, 1.0)))
    fast = (square > 0.0) & (past > start)
    direction = np.sign(np.cos(mu)) * np.where(beta < 0.0, -1.0, 1.0)
    at_start = nominal_yaw_rad(beta, mu - past + start)
    gone = np.mod(direction * (nominal - at_start), 2.0 * np.pi)
    possible = fastest_rad_per_s / rate * (past - start)
    late = fast & (gone > possible)
    return np.asarray(np.where(late, wrap_rad(at_start + direction * possible), nominal))


def _even_turn(
    beta: FloatArray, mu: FloatArray, past: FloatArray, rate: FloatArray, fastest_rad_per_s: float
) -> FloatArray:
    """GLONASS-M at noon, QZS-2: the nominal yaw, no farther from noon's than the fastest turn about it."""
    centre = nominal_yaw_rad(beta, mu - past)
    away = wrap_rad(nominal_yaw_rad(beta, mu) - centre)
    reached = np.minimum(np.abs(away), fastest_rad_per_s / rate * np.abs(past))
    return wrap_rad(centre + np.copysign(reached, away))


def _turn_in_shadow(beta: FloatArray, mu: FloatArray, past: FloatArray, rate: FloatArray) -> FloatArray:
    """GLONASS-M at midnight: the fastest turn from the yaw at one edge of the shadow to that at the other."""
    half = _shadow_half_width(beta, _GLONASS_SHADOW_HALF_ANGLE_RAD)
    inside = np.abs(past) < half
    entry, leave = nominal_yaw_rad(beta, -half), nominal_yaw_rad(beta, half)
    whole = wrap_rad(leave - entry)
    gone = np.minimum(np.abs(whole), _GLONASS_RATE_RAD_PER_S / rate * (past + half))
    return np.where(inside, wrap_rad(entry + np.copysign(gone, whole)), nominal_yaw_rad(beta, mu))


def _shadow_half_width(beta: FloatArray, half_angle_rad: float = _SHADOW_HALF_ANGLE_RAD) -> FloatArray:
    """Orbit angle from midnight to the edge of the shadow; 0 where the orbit misses it."""
    ratio = np.cos(half_angle_rad) / np.cos(beta)
    return np.asarray(np.arccos(np.clip(ratio, -1.0, 1.0)))


def _constant_rate_in_shadow(beta: FloatArray, mu: FloatArray, past: FloatArray) -> FloatArray:
    """Nominal yaw outside the shadow; in it, even turning from the nominal yaw at one edge to the other's."""
    half = _shadow_half_width(beta)
    inside = (np.abs(past) < half) & (half > 0.0)
    entry, leave = nominal_yaw_rad(beta, -half), nominal_yaw_rad(beta, half)
    share = (past + half) / np.where(half > 0.0, 2.0 * half, 1.0)
    turned = wrap_rad(entry + share * wrap_rad(leave - entry))
    return np.asarray(np.where(inside, turned, nominal_yaw_rad(beta, mu)))


def _auxiliary_sun(
    beta: FloatArray, mu: FloatArray, half_along_rad: float, half_across_rad: float
) -> FloatArray:
    """Galileo IOV (GSC metadata) and GPS III: the sun is kept an angle off the line through the earth."""
    along, across = np.cos(beta) * np.sin(mu), -np.sin(beta)  # sun along flight, and against the orbit normal
    limit = np.sin(half_across_rad)
    near = (np.abs(along) < np.sin(half_along_rad)) & (np.abs(across) < limit)
    side = np.where(across < 0.0, -limit, limit)
    blend = np.cos(np.pi * np.abs(along) / np.sin(half_along_rad))
    auxiliary = 0.5 * (side + across) + 0.5 * (side - across) * blend
    return np.asarray(np.arctan2(np.where(near, auxiliary, across), along))


def _smooth_turn(
    beta: FloatArray, mu: FloatArray, past: FloatArray, rate: FloatArray, half_width: float, period_s: float
) -> FloatArray:
    """Galileo FOC and BeiDou-3 CAST: a cosine in time from the nominal yaw where the turn begins."""
    begin = nominal_yaw_rad(beta, mu - past - half_width)
    centre = np.copysign(np.pi / 2.0, begin)
    time_s = (past + half_width) / rate
    return np.asarray(centre + (begin - centre) * np.cos(2.0 * np.pi * time_s / period_s))
