"""The records of one station: what its files hold and what a solution says.

Arrays run time first, components last. `Observations` is an `xarray.Dataset` whose schema is written at
`check_observations`; the other records are frozen dataclasses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from stations.quality_records import QualityDetails
from transforms.errors import InputError
from transforms.time_scales import Epochs

if TYPE_CHECKING:
    import xarray as xr  # half a second to import, which only those who hold observations need

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class InputFile:
    """A file that a result rests on: its path as given and the sha256 of its bytes as stored."""

    path: str
    sha256: str


@dataclass(frozen=True)
class AntennaType:
    """An antenna with its radome, as the IGS names them ("JAVRINGANT_DM", "NONE")."""

    name: str
    radome: str = "NONE"
    serial: str = ""

    @property
    def igs_code(self) -> str:
        """The 20 columns of ANTEX and SINEX: name in 16, radome in 4."""
        return f"{self.name:<16.16s}{self.radome or 'NONE':>4.4s}"


@dataclass(frozen=True)
class StationSetup:
    """Equipment over a marker for a time.

    eccentricity_enu_m: from marker to antenna reference point, east, north, up.
    """

    receiver: str
    receiver_serial: str
    receiver_firmware: str
    antenna: AntennaType
    eccentricity_enu_m: tuple[float, float, float]


@dataclass(frozen=True)
class CycleSlip:
    """A slip that a receiver or an editor found and repaired (epoch flag 6), code such as "L1C"."""

    satellite: str
    code: str
    slip_cycles: float


@dataclass(frozen=True)
class ObservationEvent:
    """An epoch record with flag 1 to 6, or a header change inside the file."""

    epoch: Epochs | None  # None where the record is blank
    flag: int
    description: str
    header_lines: tuple[str, ...]
    line: int
    setup: StationSetup | None = None  # the equipment from here on, where this event changes it
    after_epoch: Epochs | None = None  # where the record is blank: the last epoch before it in its file
    slips: tuple[CycleSlip, ...] = ()  # of flag 6; its lines, whose columns are the file's own, are not kept


@dataclass(frozen=True)
class DamagedLines:
    """What a reader left out of one damaged file, for one reason.

    count : records, lines or values left out
    lines : numbers (from 1) of lines of the plain text, sorted, the first thousand
    """

    path: str
    reason: str
    count: int
    lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class StationHeader:
    """What an observation file says of its station.

    approximate_position_ecef_m: marker, shape (3,), or None where absent or zero
    glonass_channels: satellite -> frequency channel
    glonass_biases_m: code ("C1C") -> code-phase bias of GLONASS COD/PHS/BIS, as the file states it, metres
    leap_seconds: GPST minus UTC at the file's time, or None where the header does not tell
    phase_shifts_cycles: signal ("GL5Q", or "GL5Q G05" for one satellite) -> shift that the encoder applied
    comments: COMMENT lines of the header, 60 columns at most
    kept_lines: whole lines of what has no field here and is written again: kind of marker, place of the
        antenna on a vehicle, corrections that were applied, licence
    """

    marker_name: str
    marker_number: str  # DOMES
    setup: StationSetup
    approximate_position_ecef_m: FloatArray | None
    glonass_channels: Mapping[str, int]
    rinex_version: str
    glonass_biases_m: Mapping[str, float] = field(default_factory=dict)
    leap_seconds: int | None = None
    phase_shifts_cycles: Mapping[str, float] = field(default_factory=dict)
    observer: str = ""
    agency: str = ""
    comments: tuple[str, ...] = ()
    kept_lines: tuple[str, ...] = ()


class LossOfLock:
    """Bits of the RINEX loss-of-lock indicator (RINEX 4.02, table A3)."""

    LOST: Final = 1
    HALF_CYCLE: Final = 2
    BOC_TRACKING: Final = 4  # in RINEX 2: tracked under anti-spoofing (RINEX 2.11, table A2)


OBSERVATION_VARIABLES: Final[Mapping[str, type]] = {
    "pseudorange_m": np.float64,
    "carrier_phase_cycles": np.float64,
    "doppler_hz": np.float32,
    "cn0_dbhz": np.float32,
    "loss_of_lock": np.uint8,
    "signal_strength": np.uint8,
}
OPTIONAL_OBSERVATION_VARIABLES: Final = frozenset({"doppler_hz", "signal_strength"})


@dataclass(frozen=True, eq=False)
class Observations:
    """One station's observations over a time, and what its files said beside them.

    data : Dataset, see `check_observations`
    header : of the first file
    events : in time order
    rejections : reason -> count of records that the reader did not take over
    inputs : files read
    damage : which of the rejections are damage of the files, and where
    """

    data: "xr.Dataset"
    header: StationHeader
    events: tuple[ObservationEvent, ...] = ()
    rejections: Mapping[str, int] = field(default_factory=dict)
    inputs: tuple[InputFile, ...] = ()
    damage: tuple[DamagedLines, ...] = ()

    @property
    def epochs(self) -> Epochs:
        """Receiver epochs as tagged, shape (n_epoch,)."""
        return Epochs.from_datetime64(self.data["epoch"].values)

    @property
    def satellites(self) -> tuple[str, ...]:
        """Satellites such as "G01", sorted."""
        return tuple(str(s) for s in self.data["satellite"].values)

    @property
    def interval_s(self) -> float:
        """The most frequent step between epochs, seconds; 0 where there is one epoch only."""
        steps = np.diff(self.epochs.tai_ns)
        if steps.size == 0:
            return 0.0
        values, counts = np.unique(steps, return_counts=True)
        return float(values[np.argmax(counts)]) / 1e9


def check_observations(data: "xr.Dataset") -> None:
    """Check the one schema of observations; raises InputError naming what is wrong.

    Dimensions (epoch, satellite, signal). Coordinates: `epoch` datetime64[ns] in GPST, strictly
    increasing; `satellite` such as "G01", sorted; `signal` is the RINEX band and attribute without the
    system, such as "1C" (so B1I of C20 is signal "2I"). Variables, each (epoch, satellite, signal), as
    in OBSERVATION_VARIABLES; missing is NaN (loss_of_lock, signal_strength: 0). `doppler_hz` and
    `signal_strength` (1 to 9 as RINEX scales it) may be absent.
    Phase is in cycles as the receiver counts them, with the phase shifts of the header applied.
    """
    if tuple(data.dims) != ("epoch", "satellite", "signal"):
        raise InputError(f"observations have dimensions {tuple(data.dims)}, not (epoch, satellite, signal)")
    if data["epoch"].dtype != np.dtype("datetime64[ns]"):
        raise InputError(f"observation epochs are {data['epoch'].dtype}, not datetime64[ns]")
    if np.any(np.diff(data["epoch"].values.astype(np.int64)) <= 0):
        raise InputError("observation epochs are not strictly increasing")
    satellites = [str(s) for s in data["satellite"].values]
    if satellites != sorted(set(satellites)):
        raise InputError("satellites are not unique and sorted")
    for name, kind in OBSERVATION_VARIABLES.items():
        if name not in data:
            if name in OPTIONAL_OBSERVATION_VARIABLES:
                continue
            raise InputError(f"observations lack the variable {name}")
        if data[name].dtype != np.dtype(kind) or data[name].dims != ("epoch", "satellite", "signal"):
            raise InputError(f"{name} is {data[name].dtype} {data[name].dims}")


@dataclass(frozen=True, eq=False)
class SatelliteOrbits:
    """Tabulated satellite positions (centre of mass).

    epochs : (n_epoch,), equally spaced apart from gaps
    satellites : names, sorted
    position_ecef_m : (n_epoch, n_satellite, 3), NaN where absent
    clock_s : (n_epoch, n_satellite), satellite clock minus system time, relativity's periodic term not
        included (as in SP3), NaN where absent or 999999.999999
    manoeuvre : (n_epoch, n_satellite) bool, from the M flag (SP3-c and later) of the orbit
    velocity_ecef_m_per_s : (n_epoch, n_satellite, 3), NaN where absent; None in a file of positions
    clock_rate_s_per_s : (n_epoch, n_satellite) beside the velocities, or None
    position_sigma_m, clock_sigma_s : (n_epoch, n_satellite, 3), (n_epoch, n_satellite), one sigma of each
        record where the file writes it (SP3-c and later), NaN where absent; or None
    orbit_predicted, clock_predicted, clock_event : (n_epoch, n_satellite) bool, flags of SP3-c and later,
        or None
    accuracy_m : satellite -> one sigma of its orbit over the whole file, where the header knows it
    remarks : what is odd in the files, in words for the user
    """

    epochs: Epochs
    satellites: tuple[str, ...]
    position_ecef_m: FloatArray
    clock_s: FloatArray
    manoeuvre: NDArray[np.bool_]
    frame: str
    centre: str
    inputs: tuple[InputFile, ...] = ()
    velocity_ecef_m_per_s: FloatArray | None = None
    clock_rate_s_per_s: FloatArray | None = None
    position_sigma_m: FloatArray | None = None
    clock_sigma_s: FloatArray | None = None
    orbit_predicted: NDArray[np.bool_] | None = None
    clock_predicted: NDArray[np.bool_] | None = None
    clock_event: NDArray[np.bool_] | None = None
    accuracy_m: Mapping[str, float] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class SatelliteClocks:
    """Tabulated satellite clocks of a RINEX clock file: clock_s (n_epoch, n_satellite), NaN where absent."""

    epochs: Epochs
    satellites: tuple[str, ...]
    clock_s: FloatArray
    centre: str
    inputs: tuple[InputFile, ...] = ()


@dataclass(frozen=True, eq=False)
class SatelliteAttitudes:
    """Tabulated attitudes of satellites (ORBEX).

    epochs : (n_epoch,), increasing
    quaternion_body_from_ecef : (n_epoch, n_satellite, 4), scalar first, of unit length, NaN where absent;
        with q a vector T of the terrestrial frame has the components B = q T conj(q) in the body frame
    """

    epochs: Epochs
    satellites: tuple[str, ...]
    quaternion_body_from_ecef: FloatArray
    frame: str
    centre: str
    rejections: Mapping[str, int] = field(default_factory=dict)
    inputs: tuple[InputFile, ...] = ()


@dataclass(frozen=True, eq=False)
class EarthRotationParameters:
    """Tabulated earth rotation parameters.

    epochs : (n,) shown in UTC; pole_x_rad, pole_y_rad, ut1_minus_utc_s : (n,)
    length_of_day_excess_s : over 86,400 s, (n,); sigmas and rates : (n,), NaN in rows without; each is None
        in a table that has none
    predicted : (n,) whether pole or UT1 are predictions, or None where the file does not say
    """

    epochs: Epochs
    pole_x_rad: FloatArray
    pole_y_rad: FloatArray
    ut1_minus_utc_s: FloatArray
    inputs: tuple[InputFile, ...] = ()
    pole_x_sigma_rad: FloatArray | None = None
    pole_y_sigma_rad: FloatArray | None = None
    ut1_minus_utc_sigma_s: FloatArray | None = None
    length_of_day_excess_s: FloatArray | None = None
    length_of_day_sigma_s: FloatArray | None = None
    pole_x_rate_rad_per_day: FloatArray | None = None
    pole_y_rate_rad_per_day: FloatArray | None = None
    pole_x_rate_sigma_rad_per_day: FloatArray | None = None
    pole_y_rate_sigma_rad_per_day: FloatArray | None = None
    predicted: NDArray[np.bool_] | None = None


@dataclass(frozen=True, eq=False)
class AntennaFrequencyCalibration:
    """Phase centre of one antenna at one carrier.

    offset_m : (3,). Receiver: north, east, up from the antenna reference point. Satellite: x, y, z of the
        IGS body frame from the centre of mass. (Order as in ANTEX.)
    variation_no_azimuth_m : (n_zenith,) for NOAZI
    variation_m : (n_azimuth, n_zenith) or None where there is no azimuth grid
    Correction of a range: minus offset along the line of sight plus variation (ANTEX 1.4 sign).
    """

    offset_m: FloatArray
    variation_no_azimuth_m: FloatArray
    variation_m: FloatArray | None


@dataclass(frozen=True, eq=False)
class AntennaCalibration:
    """One ANTEX antenna.

    kind : the 20-column type ("TRM59800.00     NONE", "BLOCK IIF", "BEIDOU-3M-CAST")
    serial : satellite code ("G01") for a satellite, serial number or "" for a receiver antenna
    valid_from, valid_until : or None where open
    zenith_rad : (n_zenith,) zenith angles (receiver) or nadir angles (satellite)
    azimuth_rad : (n_azimuth,) 0..2 pi inclusive, or None
    frequencies : ANTEX code ("G01", "C05", "E05") -> calibration
    """

    kind: str
    serial: str
    cospar: str
    svn: str
    valid_from: Epochs | None
    valid_until: Epochs | None
    zenith_rad: FloatArray
    azimuth_rad: FloatArray | None
    frequencies: Mapping[str, AntennaFrequencyCalibration]
    source: str  # SINEX CODE of the file, or its name
    input: InputFile | None = None  # the file it was read from


@dataclass(frozen=True, eq=False)
class OceanLoading:
    """Ocean loading of one station after BLQ (Scherneck).

    amplitude_m, phase_rad : (3, 11): rows radial, west, south; columns M2 S2 N2 K2 K1 O1 P1 Q1 Mf Mm Ssa
    """

    station: str
    amplitude_m: FloatArray
    phase_rad: FloatArray
    model: str
    inputs: tuple[InputFile, ...] = ()


@dataclass(frozen=True)
class SignalBias:
    """One line of a Bias-SINEX file: an observable-specific (OSB) or differential (DSB) bias.

    satellite : "G01", or the letter of a system for a station's bias; signal, second_signal : RINEX
        observation codes with their letter ("C1W", "L5Q")
    value_m : bias to be subtracted from the observation, metres; svn : "G063" where the file has it
    """

    kind: Literal["OSB", "DSB"]
    satellite: str
    station: str
    signal: str
    second_signal: str
    valid_from: Epochs
    valid_until: Epochs
    value_m: float
    sigma_m: float
    svn: str = ""


@dataclass(frozen=True, eq=False)
class SignalBiases:
    """The biases of one file or day.

    mode : "ABSOLUTE", "RELATIVE", or "" where the file does not say; rejections : reason -> count
    """

    biases: tuple[SignalBias, ...]
    centre: str
    inputs: tuple[InputFile, ...] = ()
    mode: str = ""
    rejections: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class PreciseProducts:
    """All that a station solution takes from analysis centres, of one centre unless mixing was allowed.

    centre : code of the analysis centre, "GRG"; mixed : whether another centre's file serves too
    remarks : choices made, in words for the output
    """

    centre: str
    mixed: bool
    orbits: SatelliteOrbits
    clocks: SatelliteClocks | None
    earth_rotation: EarthRotationParameters | None
    biases: SignalBiases | None
    remarks: tuple[str, ...] = ()
    attitudes: SatelliteAttitudes | None = None


@dataclass(frozen=True, eq=False)
class ZenithDelays:
    """Zenith total delay over time: epochs (n,), total_m (n,), sigma_m (n,)."""

    epochs: Epochs
    total_m: FloatArray
    sigma_m: FloatArray


@dataclass(frozen=True, eq=False)
class PhaseResiduals:
    """Residuals of a solution's ionosphere-free observations, for reports. All shape (n_observation,).

    satellite_index points into satellites. Residual = observed minus computed, metres. accepted is False
    for what was rejected.
    """

    epochs: Epochs
    satellites: tuple[str, ...]
    satellite_index: NDArray[np.int64]
    azimuth_rad: FloatArray
    elevation_rad: FloatArray
    phase_m: FloatArray
    code_m: FloatArray
    accepted: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class StationSolution:
    """The solution of one station for one session.

    station : nine-character code where known ("WUH200CHN"), else the marker name
    epoch : mean epoch of the observations used, shape ()
    frame : frame of the orbits, "IGS20"
    position_ecef_m : marker (antenna eccentricity removed), shape (3,)
    covariance_m2 : (3, 3)
    signals : what was used, "G:1W+2W"
    fixed_fraction : share of the ambiguities fixed to integers, 0..1
    rejections : reason -> count
    kinematic_position_ecef_m : (n_epoch, 3) in kinematic mode, else None
    """

    station: str
    domes: str
    epoch: Epochs
    first_epoch: Epochs
    last_epoch: Epochs
    frame: str
    position_ecef_m: FloatArray
    covariance_m2: FloatArray
    n_epochs: int
    n_observations: int
    systems: tuple[str, ...]
    signals: tuple[str, ...]
    ambiguities: Literal["float", "fixed"]
    fixed_fraction: float
    residual_rms_phase_m: float
    residual_rms_code_m: float
    rejections: Mapping[str, int]
    zenith_delays: ZenithDelays
    setup: StationSetup
    centre: str
    inputs: tuple[InputFile, ...]
    remarks: tuple[str, ...] = ()
    residuals: PhaseResiduals | None = None
    kinematic_epochs: Epochs | None = None
    kinematic_position_ecef_m: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class BaselineSolution:
    """The vector between two stations for one session, from double differences.

    from_station, to_station : codes; epoch : mean epoch of the observations used, shape ()
    vector_ecef_m : marker to marker, `to` minus `from`, shape (3,); covariance_m2 : (3, 3)
    base_position_ecef_m : marker of `from_station` that was held, shape (3,)
    ionosphere : "fixed" (neglected, both carriers by themselves) or "free" (ionosphere-free combination)
    signals : what was used, "G:1W+2W"
    fixed_fraction : share of the double-difference ambiguities fixed to integers, 0..1
    success_rate : probability that all fixed ambiguities are right, None where none was fixed
    ratio : of the integer search for those that rounding left; None where none was left
    residual_rms_phase_m, residual_rms_code_m : of single differences between the stations
    rejections : reason -> count
    """

    from_station: str
    to_station: str
    epoch: Epochs
    first_epoch: Epochs
    last_epoch: Epochs
    frame: str
    vector_ecef_m: FloatArray
    covariance_m2: FloatArray
    base_position_ecef_m: FloatArray
    ionosphere: Literal["fixed", "free"]
    n_epochs: int
    n_observations: int
    systems: tuple[str, ...]
    signals: tuple[str, ...]
    ambiguities: Literal["float", "fixed"]
    fixed_fraction: float
    success_rate: float | None
    ratio: float | None
    residual_rms_phase_m: float
    residual_rms_code_m: float
    rejections: Mapping[str, int]
    from_setup: StationSetup
    to_setup: StationSetup
    centre: str
    inputs: tuple[InputFile, ...]
    remarks: tuple[str, ...] = ()


class Verdict(StrEnum):
    """What a quality report advises."""

    ACCEPT = "accept"
    ACCEPT_WITH_REMARKS = "accept with remarks"
    REJECT = "reject"


@dataclass(frozen=True)
class SignalQuality:
    """Quality of one signal of one system over a session."""

    system: str
    signal: str  # "C5P"
    carrier: str  # "B2a"
    n_satellites: int
    n_observations: int
    mean_cn0_dbhz: float | None
    multipath_rms_m: float | None


@dataclass(frozen=True)
class QualityReport:
    """Quality of one station's observations, from the observation files and, if given, orbits.

    completeness : observed epochs over expected epochs, 0..1
    signals_by_satellite : satellite -> signals tracked
    tracks_bds3 : whether any signal that only BeiDou-3 sends was tracked
    bds3_satellites_by_carrier : "B1C" -> number of BeiDou-3 satellites on which it was tracked
    mean_satellites : satellites with two carriers at an epoch, mean over the epochs
    expectation : where the expected epochs come from: "file names", "first and last epoch", ...
    details : what stands behind the verdict; None in reports of versions that had none
    setup : equipment that the first header names; None in reports of versions that did not keep it
    """

    station: str
    first_epoch: Epochs
    last_epoch: Epochs
    interval_s: float
    n_epochs: int
    n_epochs_expected: int
    completeness: float
    gaps: tuple[tuple[Epochs, Epochs], ...]
    n_cycle_slips: int
    cycle_slips_per_thousand: float
    slips_by_reason: Mapping[str, int]
    signals: tuple[SignalQuality, ...]
    signals_by_satellite: Mapping[str, tuple[str, ...]]
    tracks_bds3: bool
    events: tuple[ObservationEvent, ...]
    rejections: Mapping[str, int]
    verdict: Verdict
    reasons: tuple[str, ...]
    inputs: tuple[InputFile, ...]
    bds3_satellites_by_carrier: Mapping[str, int] = field(default_factory=dict)
    mean_satellites: float = 0.0
    expectation: str = ""
    details: QualityDetails | None = None
    setup: StationSetup | None = None


PathLike = str | Path
