"""What satellites broadcast of themselves: orbits, clocks, ionosphere, time offsets, earth orientation.

All messages of a kind stand in one table of columns, one row for each message, sorted by satellite, reference
time and transmission. NaN in a column means that the message has no such field or leaves it blank.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stations.records import DamagedLines, InputFile
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class KeplerEphemerides:
    """Messages with Kepler elements (GPS, Galileo, BeiDou, QZSS, NavIC); each field has shape (n,).

    satellite : "C23"; message : "LNAV", "CNAV", "CNV1", "CNV2", "CNV3", "INAV", "FNAV", "D1", "D2" or
        "L1NV"
    time_of_clock, time_of_ephemeris : week roll-overs resolved (the ephemeris is within half a week of the
        clock)
    clock_* : satellite clock minus system time and its derivatives at time_of_clock, without relativity and
        group delays
    ascending_node_rad : longitude of the ascending node at the start of the week
    semi_major_axis_rate_m_per_s, mean_motion_difference_rate_rad_per_s2 : 0 where the message has none
    issue_of_data : IODE, IODnav, AODE or IODEC; NaN for messages without (CNAV, CNV2 of GPS and QZSS, CNV3)
    health : 0 is healthy; the bits are those of the system's own message (RINEX 4.02, tables A8-A33)
    accuracy_m : URA or SISA as RINEX writes it; NaN where the message has indices instead (in `further`)
    group_delay_s : name ("TGD", "TGD1", "BGD_E5A_E1", "ISC_L5Q5", ...) -> (n,)
    further : every other field by name, in the units of RINEX -> (n,)
    """

    satellite: NDArray[np.str_]
    message: NDArray[np.str_]
    time_of_clock: Epochs
    time_of_ephemeris: Epochs
    clock_bias_s: FloatArray
    clock_drift_s_per_s: FloatArray
    clock_drift_rate_s_per_s2: FloatArray
    semi_major_axis_m: FloatArray
    semi_major_axis_rate_m_per_s: FloatArray
    eccentricity: FloatArray
    inclination_rad: FloatArray
    inclination_rate_rad_per_s: FloatArray
    ascending_node_rad: FloatArray
    ascending_node_rate_rad_per_s: FloatArray
    argument_of_perigee_rad: FloatArray
    mean_anomaly_rad: FloatArray
    mean_motion_difference_rad_per_s: FloatArray
    mean_motion_difference_rate_rad_per_s2: FloatArray
    latitude_cosine_rad: FloatArray  # Cuc
    latitude_sine_rad: FloatArray  # Cus
    radius_cosine_m: FloatArray  # Crc
    radius_sine_m: FloatArray  # Crs
    inclination_cosine_rad: FloatArray  # Cic
    inclination_sine_rad: FloatArray  # Cis
    issue_of_data: FloatArray
    health: FloatArray
    accuracy_m: FloatArray
    transmission_s_of_week: FloatArray
    group_delay_s: Mapping[str, FloatArray] = field(default_factory=dict)
    further: Mapping[str, FloatArray] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.satellite.size)


@dataclass(frozen=True, eq=False)
class StateVectorEphemerides:
    """Messages with position, velocity and acceleration (GLONASS, SBAS); (n,), vectors (n, 3).

    message : "FDMA", "L1OC", "L3OC" or "SBAS"
    epoch : reference time of both state and clock
    position_ecef_m, velocity_ecef_m_per_s : in PZ-90 (GLONASS) or WGS 84 (SBAS), rotating with the earth; of
        the antenna's phase centre, but of the centre of mass in L1OC and L3OC (`further` has the way between)
    acceleration_ecef_m_per_s2 : GLONASS: of moon and sun only
    clock_bias_s : satellite clock minus system time (the sign of every other system; GLONASS: -TauN)
    clock_drift_s_per_s : relative frequency bias (GLONASS: +GammaN)
    frequency_channel : -7..13 of FDMA, else NaN; accuracy_m : URA of SBAS, NaN for GLONASS
    issue_of_data : IODN of SBAS; age of the information in days of GLONASS
    further : every other field by name, in the units of RINEX
    """

    satellite: NDArray[np.str_]
    message: NDArray[np.str_]
    epoch: Epochs
    position_ecef_m: FloatArray
    velocity_ecef_m_per_s: FloatArray
    acceleration_ecef_m_per_s2: FloatArray
    clock_bias_s: FloatArray
    clock_drift_s_per_s: FloatArray
    health: FloatArray
    frequency_channel: FloatArray
    accuracy_m: FloatArray
    issue_of_data: FloatArray
    further: Mapping[str, FloatArray] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.satellite.size)


@dataclass(frozen=True)
class IonosphereModel:
    """Coefficients of one ionosphere message or header line, in the units of the system's own document.

    model : "KLOBUCHAR" (alpha 0-3 in s/semicircle^n, beta 0-3), "NEQUICK" (ai0, ai1, ai2, in solar flux
        units per degree^n), "BDGIM" (alpha 1-9, TECU), "NEQUICK_N" (NavIC: ai0, ai1, ai2 and disturbance flag
        of each of three regions) or "GLONASS" (c_A, c_F10.7, c_Ap)
    source : satellite that sent it, or the header's name ("GPSA"); region : 1 for Japan's, else 0
    subtype : behind the name of the message in RINEX 4.02 ("WIDE", "JAPN", "KLOB", "NEQN"), or ""
    limits_deg : NavIC L1NV: least and largest longitude and modified dip latitude, of each region
    issue_of_data : NavIC L1NV; disturbance_flags : Galileo; None where the message has none
    """

    model: str
    source: str
    message: str
    transmission: Epochs | None
    coefficients: tuple[float, ...]
    region: int = 0
    subtype: str = ""
    limits_deg: tuple[float, ...] = ()
    issue_of_data: int | None = None
    disturbance_flags: int | None = None


@dataclass(frozen=True)
class SystemTimeOffset:
    """A difference of two time systems: a0 + a1 dt + a2 dt^2 with dt since `reference`.

    kind : such as "GPUT" (GPS minus UTC), "GAGP", "BDUT"
    utc : which UTC: "UTC(USNO)" in RINEX 4, its number in the header of RINEX 3; augmentation : name of the
        SBAS that sends it; both "" where not told
    transmission_s_of_week : None where unknown
    """

    kind: str
    source: str
    message: str
    reference: Epochs | None
    offset_s: float
    drift_s_per_s: float
    drift_rate_s_per_s2: float
    utc: str = ""
    augmentation: str = ""
    transmission_s_of_week: float | None = None


@dataclass(frozen=True)
class BroadcastEarthOrientation:
    """Earth orientation as a satellite sends it (RINEX 4), at `epoch` with rates and accelerations for a day.

    transmission_s_of_week : None where unknown
    """

    source: str
    message: str
    epoch: Epochs
    pole_x_rad: float
    pole_x_rate_rad_per_day: float
    pole_y_rad: float
    pole_y_rate_rad_per_day: float
    ut1_minus_utc_s: float  # GPS and QZSS: UT1 - UTC; BeiDou the same (ICD B1C 1.0, table 7-15)
    ut1_minus_utc_rate_s_per_day: float
    pole_x_acceleration_rad_per_day2: float = 0.0
    pole_y_acceleration_rad_per_day2: float = 0.0
    ut1_minus_utc_acceleration_s_per_day2: float = 0.0
    transmission_s_of_week: float | None = None


@dataclass(frozen=True, eq=False)
class NavigationMessages:
    """All of one or several navigation files.

    leap_seconds : GPST minus UTC as the header says, or None
    rejections, damage : as in `Observations`
    """

    rinex_version: str
    kepler: KeplerEphemerides
    state_vectors: StateVectorEphemerides
    ionosphere: tuple[IonosphereModel, ...] = ()
    time_offsets: tuple[SystemTimeOffset, ...] = ()
    earth_orientation: tuple[BroadcastEarthOrientation, ...] = ()
    leap_seconds: int | None = None
    rejections: Mapping[str, int] = field(default_factory=dict)
    damage: tuple[DamagedLines, ...] = ()
    inputs: tuple[InputFile, ...] = ()

    @property
    def satellites(self) -> tuple[str, ...]:
        """Satellites with an ephemeris, sorted."""
        both = np.concatenate([self.kepler.satellite, self.state_vectors.satellite])
        return tuple(str(s) for s in np.unique(both))
