"""Where each field of a navigation message stands: one table for each message.

RINEX 2.11, tables A4, A11, A16; RINEX 3.05, tables A6-A22; RINEX 4.02, tables A7-A33. A message's first line
holds three fields after the epoch, each further line four. "" is a spare.

The tables of GLONASS L1OC and L3OC (RINEX 4.02, A16 and A17) and NavIC L1NV (A31) were compared, field by
field, with readers of others: cssrlib, the crate rinex, gnssplusplus (GLONASS) and Orekit (NavIC). In L1NV
the third orbit line begins with IODEC; its clock's epoch is that of the orbit too.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.formats.fixed_width import FloatArray, IntArray

CLOCK: Final = ("clock_bias_s", "clock_drift_s_per_s", "clock_drift_rate_s_per_s2")


def _orbit(first: str, third_line: str, rate_of_motion: str, fifth_2: str, fifth_3: str) -> tuple[str, ...]:
    """The five lines that all Kepler messages share, with what differs between them."""
    return (
        *CLOCK,
        first, "radius_sine_m", "mean_motion_difference_rad_per_s", "mean_anomaly_rad",
        "latitude_cosine_rad", "eccentricity", "latitude_sine_rad", "root_semi_major_axis_root_m",
        third_line, "inclination_cosine_rad", "ascending_node_rad", "inclination_sine_rad",
        "inclination_rad", "radius_cosine_m", "argument_of_perigee_rad", "ascending_node_rate_rad_per_s",
        "inclination_rate_rad_per_s", rate_of_motion, fifth_2, fifth_3,
    )  # fmt: skip


_TOE: Final = "time_of_ephemeris_s_of_week"
_RATE: Final = "semi_major_axis_rate_m_per_s"
_MOTION_RATE: Final = "mean_motion_difference_rate_rad_per_s2"
_SENT: Final = "transmission_s_of_week"

_GPS_LNAV: Final = (
    *_orbit("issue_of_data", _TOE, "codes_on_l2", "week", "l2_p_data_flag"),
    "accuracy_m", "health", "TGD", "issue_of_data_clock",
    _SENT, "fit_interval", "", "",
)  # fmt: skip
_GPS_CNAV: Final = (
    *_orbit(_RATE, "time_of_prediction_s_of_week", _MOTION_RATE, "ura_ned0_index", "ura_ned1_index"),
    "ura_ed_index", "health", "TGD", "ura_ned2_index",
    "ISC_L1CA", "ISC_L2C", "ISC_L5I5", "ISC_L5Q5",
)  # fmt: skip
_GALILEO: Final = (
    *_orbit("issue_of_data", _TOE, "data_sources", "week", ""),
    "accuracy_m", "health", "BGD_E5A_E1", "BGD_E5B_E1",
    _SENT, "", "", "",
)  # fmt: skip
_BEIDOU_D1_D2: Final = (
    *_orbit("issue_of_data", _TOE, "", "week", ""),
    "accuracy_m", "health", "TGD1", "TGD2",
    _SENT, "issue_of_data_clock", "", "",
)  # fmt: skip
_BEIDOU_CIVIL: Final = (
    *_orbit(_RATE, _TOE, _MOTION_RATE, "satellite_type", "time_of_prediction_s_of_week"),
    "sisai_oe_index", "sisai_ocb_index", "sisai_oc1_index", "sisai_oc2_index",
)  # fmt: skip
_BEIDOU_END: Final = (
    "sismai_index", "health", "integrity_flags", "issue_of_data_clock",
    _SENT, "", "", "issue_of_data",
)  # fmt: skip
_NAVIC_LNAV: Final = (
    *_orbit("issue_of_data", _TOE, "", "week", ""),
    "accuracy_m", "health", "TGD", "",
    _SENT, "", "", "",
)  # fmt: skip
_NAVIC_L1NV: Final = (
    *_orbit(_RATE, "issue_of_data", _MOTION_RATE, "", "reference_signal_flag"),
    "ura_index", "health", "TGD_L1P_L5", "TGD_S_L5",
    "ISC_S_L1P", "ISC_L1D_L1P", "ISC_L1P_S", "ISC_L1D_S",
    _SENT, "", "", "",
)  # fmt: skip

KEPLER_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "G LNAV": _GPS_LNAV,
    "J LNAV": _GPS_LNAV,
    "G CNAV": (*_GPS_CNAV, _SENT, "week_of_prediction", "", ""),
    "J CNAV": (*_GPS_CNAV, _SENT, "week_of_prediction", "", ""),
    "G CNV2": (*_GPS_CNAV, "ISC_L1CD", "ISC_L1CP", "", "", _SENT, "week_of_prediction", "", ""),
    "J CNV2": (*_GPS_CNAV, "ISC_L1CD", "ISC_L1CP", "", "", _SENT, "week_of_prediction", "", ""),
    "E INAV": _GALILEO,
    "E FNAV": _GALILEO,
    "C D1": _BEIDOU_D1_D2,
    "C D2": _BEIDOU_D1_D2,
    "C CNV1": (*_BEIDOU_CIVIL, "ISC_B1CD", "", "TGD_B1CP", "TGD_B2AP", *_BEIDOU_END),
    "C CNV2": (*_BEIDOU_CIVIL, "", "ISC_B2AD", "TGD_B1CP", "TGD_B2AP", *_BEIDOU_END),
    "C CNV3": (*_BEIDOU_CIVIL, "sismai_index", "health", "integrity_flags", "TGD_B2BI", _SENT, "", "", ""),
    "I LNAV": _NAVIC_LNAV,
    "I L1NV": _NAVIC_L1NV,
}  # fmt: skip
GLONASS_FIELDS: Final = (
    "clock_bias_s", "clock_drift_s_per_s", "message_frame_time_s",
    "x_km", "vx_km_per_s", "ax_km_per_s2", "health",
    "y_km", "vy_km_per_s", "ay_km_per_s2", "frequency_channel",
    "z_km", "vz_km_per_s", "az_km_per_s2", "issue_of_data",
    "status_flags", "l1_l2_delay_difference_s", "ura_index", "health_flags",
)  # fmt: skip
SBAS_FIELDS: Final = (
    "clock_bias_s", "clock_drift_s_per_s", "transmission_s_of_week",
    "x_km", "vx_km_per_s", "ax_km_per_s2", "health",
    "y_km", "vy_km_per_s", "ay_km_per_s2", "accuracy_m",
    "z_km", "vz_km_per_s", "az_km_per_s2", "issue_of_data",
)  # fmt: skip


def _glonass_civil(delay: str) -> tuple[str, ...]:
    """GLONASS CDMA; `turn_*` tell of a turn about the yaw axis, if the attitude flag announces one."""
    return (
        "clock_bias_s", "clock_drift_s_per_s", "clock_drift_rate_s_per_s2",
        "x_km", "vx_km_per_s", "ax_km_per_s2", "health",
        "y_km", "vy_km_per_s", "ay_km_per_s2", "data_validity",
        "z_km", "vz_km_per_s", "az_km_per_s2", delay,
        "satellite_type", "source_flags", "issue_of_data", "age_of_clock_days",
        "attitude_flag", "turn_begin_s_of_day", "turn_first_part_s", "turn_second_part_s",
        "turn_yaw_rad", "turn_sign", "turn_rate_rad_per_s", "turn_acceleration_rad_per_s2",
        "turn_largest_rate_rad_per_s", "phase_centre_x_m", "phase_centre_y_m", "phase_centre_z_m",
        "orbit_accuracy_index", "clock_accuracy_index", "", _SENT,
    )  # fmt: skip


STATE_VECTOR_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "R FDMA": GLONASS_FIELDS,
    "R L1OC": _glonass_civil("TGD_L2OCP"),
    "R L3OC": _glonass_civil("ISC_L3OCP"),
    "S SBAS": SBAS_FIELDS,
}
# Lines that may be left out: the fourth orbit line of GLONASS came with RINEX 3.05.
OPTIONAL_FIELDS: Final[Mapping[str, int]] = {"R FDMA": 4}
GROUP_DELAYS: Final = frozenset(
    name for fields in KEPLER_FIELDS.values() for name in fields if name[:3] in ("TGD", "BGD", "ISC")
)

# GEO satellites of BeiDou send D2, the others D1 (BeiDou ICD B1I 3.0, section 5.1); before RINEX 4 the file
# does not say. C01-C05 are BeiDou-2's, C59-C63 BeiDou-3's (ICD B1I 3.0, table 4-1).
BEIDOU_GEO: Final = frozenset({1, 2, 3, 4, 5, 59, 60, 61, 62, 63})
# Galileo, data sources: bit 0 I/NAV on E1-B, bit 1 F/NAV on E5a-I, bit 2 I/NAV on E5b-I (RINEX 3.05, A8).
GALILEO_FNAV_BIT: Final = 2
_LARGEST_SOURCES: Final = 2**16  # Galileo's data sources are ten bits (RINEX 4.02, table A13)


def names_before_version_4(
    system: NDArray[np.str_], number: IntArray, data_sources: FloatArray
) -> NDArray[np.str_]:
    """What RINEX 4 would name messages of RINEX 2 and 3; all (n,), `data_sources` NaN but for Galileo."""
    names = np.full(system.size, "LNAV", dtype="<U4")
    names[system == "R"] = "FDMA"
    names[system == "S"] = "SBAS"
    names[system == "C"] = np.where(np.isin(number[system == "C"], list(BEIDOU_GEO)), "D2", "D1")
    bits = np.clip(np.nan_to_num(data_sources), 0, _LARGEST_SOURCES).astype(np.int64)
    names[system == "E"] = np.where(bits[system == "E"] & GALILEO_FNAV_BIT, "FNAV", "INAV")
    return names
