"""What an audit says of one station-day: plain values only, so that it travels and is written as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class ReadinessClass(StrEnum):
    """What stands between a station and BeiDou-3."""

    READY = "ready"
    FIRMWARE = "firmware"  # no new equipment: firmware, settings or the format of its files
    RECEIVER = "receiver"
    ANTENNA = "antenna"
    REPLACE = "replace"  # receiver and antenna
    UNDETERMINED = "undetermined"  # what is known does not decide


@dataclass(frozen=True)
class SatelliteTracking:
    """One BeiDou-3 satellite.

    visible_h, tracked_h : hours above the cut-off, and of those with any signal; visible_h None without orbit
    carriers : tracked with code and phase
    """

    satellite: str
    kind: str
    visible_h: float | None
    tracked_h: float
    carriers: tuple[str, ...]


@dataclass(frozen=True)
class Bds3Tracking:
    """BeiDou-3 satellites and carriers tracked out of those visible.

    visibility : where "visible" comes from
    n_sending_new, n_tracking_new : visible MEO and IGSO, which send B1C and B2a, and those tracked on both
    orbits_lack_meo : the orbits at hand tell of fewer MEO than the constellation has
    unsure : PRNs that were up and whose generation is not known for the day
    """

    visibility: str
    satellites: tuple[SatelliteTracking, ...]
    satellites_by_carrier: Mapping[str, int]
    n_sending_new: int
    n_tracking_new: int
    orbits_lack_meo: bool
    unsure: tuple[str, ...]

    def count(self, kind: str, *, tracked: bool) -> int:
        """Satellites of a kind of orbit: visible, or tracked with any carrier."""
        return sum(s.kind == kind and (bool(s.carriers) or not tracked) for s in self.satellites)

    @property
    def share_new(self) -> float:
        """Share of the satellites that send B1C and B2a on which both were tracked; 0 without any."""
        return self.n_tracking_new / self.n_sending_new if self.n_sending_new else 0.0


@dataclass(frozen=True)
class AntennaReadiness:
    """The antenna's calibration at the carriers of BeiDou-3.

    calibration : the 20-column type that serves, "" where none does
    by_carrier : "B2a" -> "own", "same frequency (G05)", "nearest (G02)" or "none"
    fit : whether B1C and B2a are calibrated at their frequencies; None where that cannot be judged
    """

    calibration: str
    by_carrier: Mapping[str, str]
    fit: bool | None
    note: str


@dataclass(frozen=True)
class CarrierQuality:
    """Quality of one carrier; None where the observations cannot tell."""

    carrier: str
    signal: str
    n_satellites: int
    cn0_dbhz: float | None
    multipath_m: float | None
    observed_share: float | None


@dataclass(frozen=True)
class QualityComparison:
    """BeiDou-3 (without BeiDou-2) against GPS at the same station and day.

    slips_per_thousand : "G", "C" -> cycle slips that the phases themselves show, per thousand observations
    """

    carriers: tuple[CarrierQuality, ...]
    slips_per_thousand: Mapping[str, float]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class GeometryFigures:
    """What one choice of satellites gives; medians over starts at every hour where a time is named.

    worst_pdop : 95 % of the epochs are below
    sigma_up_1h_m, sigma_3d_1h_m : formal, float ambiguities, one hour after the start
    sigma_3d_session_m : at the end of the whole session
    convergence_min : until the formal 3-D sigma stays below 0.10 m; None where more than half of the starts
        do not reach it in six hours
    """

    satellites: float
    mean_pdop: float | None
    worst_pdop: float | None
    sigma_up_1h_m: float | None
    sigma_3d_1h_m: float | None
    sigma_3d_session_m: float | None
    convergence_min: float | None


@dataclass(frozen=True)
class Bds3Gain:
    """The same station without BeiDou-3, as it tracks, and with all BeiDou-3 satellites in view.

    not_computed : why there are no figures, "" where there are
    """

    source: str
    without: GeometryFigures | None
    today: GeometryFigures | None
    full: GeometryFigures | None
    not_computed: str = ""

    @property
    def to_come(self) -> float | None:
        """Share of the 3-D formal sigma after one hour that full tracking would take off; None unknown."""
        return _reduction(self.today, self.full)

    @property
    def had(self) -> float | None:
        """The same share that today's tracking of BeiDou-3 already takes off."""
        return _reduction(self.without, self.today)


def _reduction(before: GeometryFigures | None, after: GeometryFigures | None) -> float | None:
    if before is None or after is None or not before.sigma_3d_1h_m or after.sigma_3d_1h_m is None:
        return None
    return 1.0 - after.sigma_3d_1h_m / before.sigma_3d_1h_m


@dataclass(frozen=True)
class SolvedFigures:
    """Solutions of the observations: of the whole session, and of short parts of it.

    offset_enu_m : of the whole session, from the solution with BeiDou-3
    error_3d_1h_m : rms over several starts of one hour's solutions against that of the whole session with
        BeiDou-3; None where fewer than two could be solved
    convergence_h : median over the starts of the shortest part from which on every longer one lies within
        0.10 m (3-D) of it; None where more than half of the starts do not get there
    """

    systems: tuple[str, ...]
    n_observations: int
    sigma_enu_m: tuple[float, float, float]
    offset_enu_m: tuple[float, float, float]
    n_starts: int
    error_3d_1h_m: float | None
    convergence_h: float | None


@dataclass(frozen=True)
class SolvedGain:
    """Solutions of the observations themselves with and without BeiDou-3; `not_computed` says why not."""

    centre: str
    without: SolvedFigures | None
    with_bds3: SolvedFigures | None
    not_computed: str = ""


@dataclass(frozen=True)
class StationAudit:
    """BeiDou-3 readiness of one station on one day."""

    station: str
    day: str
    latitude_deg: float | None
    longitude_deg: float | None
    receiver: str
    firmware: str
    receiver_ability: str
    receiver_source: str
    antenna: str
    log_says: tuple[str, ...]
    rinex_version: str
    rinex_carries: tuple[str, ...]
    tracking: Bds3Tracking
    antenna_readiness: AntennaReadiness
    quality: QualityComparison
    gain: Bds3Gain
    solved: SolvedGain
    readiness: ReadinessClass
    reasons: tuple[str, ...]
    inputs: tuple[str, ...]
