"""What a quality report says beyond its verdict: counts, slips, signals, positions, ionosphere, interference.

Every figure is of one session of one station; None where the observations cannot tell it, and the report
then says why. Definitions: docs/quality.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from transforms.time_scales import Epochs


@dataclass(frozen=True)
class ObservationCount:
    """Expected against observed, for one satellite, hour or bin of elevation, or for all.

    subject : "C23", "07" (hour of the day, GPST), "20-30" (degrees) or "all"
    n_expected, n_observed : satellites at epochs, or observations of a signal, above the horizon mask
    n_expected_above_cutoff, n_observed_above_cutoff : above the cut-off (10 degrees), of the satellites whose
        elevations are known; 0 where no elevation is known
    """

    subject: str
    n_expected: int
    n_observed: int
    n_expected_above_cutoff: int
    n_observed_above_cutoff: int

    @property
    def ratio(self) -> float | None:
        """Observed over expected, above the horizon mask; None where nothing was expected."""
        return self.n_observed / self.n_expected if self.n_expected else None

    @property
    def ratio_above_cutoff(self) -> float | None:
        """Observed over expected, above the cut-off; None where nothing was expected."""
        if not self.n_expected_above_cutoff:
            return None
        return self.n_observed_above_cutoff / self.n_expected_above_cutoff


@dataclass(frozen=True)
class ExpectedObservations:
    """Which observations the sky offered and which of them the receiver delivered.

    source_by_system : "G" -> where the expectation comes from: an orbit, or the passes as observed
    total, by_satellite, by_elevation, by_hour : satellites at epochs, with any signal
    not_tracked : satellites that rose above the cut-off for long enough and were never observed
    """

    source_by_system: Mapping[str, str]
    horizon_mask_deg: float
    cutoff_deg: float
    total: ObservationCount
    by_satellite: tuple[ObservationCount, ...]
    by_elevation: tuple[ObservationCount, ...]
    by_hour: tuple[ObservationCount, ...]
    not_tracked: tuple[str, ...] = ()


@dataclass(frozen=True)
class ElevationBin:
    """One signal between two elevations.

    multipath_rms_m : about the means of the arcs, satellites' own code bias removed
    past_cn0_dbhz : median of the station's earlier sessions, None without
    """

    from_deg: float
    to_deg: float
    n_expected: int
    n_observed: int
    cn0_dbhz: float | None
    multipath_rms_m: float | None
    n_multipath: int
    past_cn0_dbhz: float | None = None


@dataclass(frozen=True)
class SignalDetails:
    """One signal of one system.

    signal : "C5P"; carrier : "B2a"; partner : the signal whose phase freed it of the ionosphere, "C1P", or ""
    count : observations with code or phase
    multipath_rms_m : of the code about the means of the arcs, as observed
    multipath_without_bias_rms_m : the same after removal of BeiDou-2's own bias; equal for other signals
    multipath_above_cutoff_rms_m : as observed, of elevations above the cut-off; None without elevations
    code_noise_m : of the code between neighbouring epochs
    past_cn0_dbhz : median of the means of the station's earlier sessions, None without
    n_outliers : codes far off their neighbours, left out of the three above
    """

    signal: str
    carrier: str
    partner: str
    n_satellites: int
    count: ObservationCount
    cn0_dbhz: float | None
    multipath_rms_m: float | None
    multipath_without_bias_rms_m: float | None
    multipath_above_cutoff_rms_m: float | None
    code_noise_m: float | None
    n_outliers: int
    by_elevation: tuple[ElevationBin, ...] = ()
    past_cn0_dbhz: float | None = None


@dataclass(frozen=True)
class PairSlips:
    """Cycle slips of one pair of signals, by the witness that saw them (one slip may have several).

    pair : "C:1P+5P"; n_observations : with both phases
    n_confirmed : slips that the phases themselves show; the others are the receiver's flag alone
    n_arcs, n_short_arcs : arcs of unbroken phase, and those too short to be worth an ambiguity
    phase_noise_m : of one carrier, from third differences of the geometry-free phase; an upper bound
    """

    pair: str
    n_observations: int
    n_slips: int
    n_confirmed: int
    n_loss_of_lock: int
    n_geometry_free: int
    n_melbourne_wuebbena: int
    n_arcs: int
    n_short_arcs: int
    phase_noise_m: float | None

    @property
    def per_thousand(self) -> float:
        """Slips per thousand observations; 0 without observations."""
        return 1000.0 * self.n_slips / self.n_observations if self.n_observations else 0.0


@dataclass(frozen=True)
class FalseLock:
    """A phase that ran away from its code: the receiver was locked to nothing.

    signal : "G2W"; n_epochs : of the runaway, between first_epoch and last_epoch
    """

    satellite: str
    signal: str
    n_epochs: int
    first_epoch: Epochs
    last_epoch: Epochs


@dataclass(frozen=True)
class ClockJump:
    """A whole-millisecond step of the receiver's clock.

    seen_in : "code" where the phases do not follow, "code and phase" where both step
    """

    epoch: Epochs
    milliseconds: int
    seen_in: str


@dataclass(frozen=True)
class SatelliteSlips:
    """Cycle slips of one satellite over all its pairs of signals, with their times (shape (n,))."""

    satellite: str
    n_observations: int
    n_slips: int
    epochs: Epochs


@dataclass(frozen=True)
class SatelliteCodeBias:
    """The code bias of BeiDou-2 satellites of one kind on one carrier, as this station sees it.

    satellites : those behind the figure; kind : "BEIDOU-2M" or "BEIDOU-2I"
    observed_m : code below 40 degrees minus code above 60 degrees of elevation, mean of the arcs
    removed_m : the same of the published bias; remaining_m : of the codes after its removal
    """

    carrier: str
    kind: str
    satellites: tuple[str, ...]
    observed_m: float
    removed_m: float
    remaining_m: float


@dataclass(frozen=True)
class SinglePointQuality:
    """Positions epoch by epoch from code alone.

    systems : letters; signals : "G:1C+2W" and so on
    scatter_enu_m : robust standard deviations about the median position, east, north, up; None where the
        epochs are too few to tell it
    offset_enu_m : median position minus the header's marker and eccentricity, east, north, up; None where the
        header has none
    mean_pdop, worst_pdop : 95 % of the epochs have a PDOP below worst_pdop
    n_epochs : with a position; n_rejected : codes rejected as outliers
    """

    systems: str
    signals: tuple[str, ...]
    source: str
    n_epochs: int
    n_epochs_without: int
    position_ecef_m: tuple[float, float, float]
    scatter_enu_m: tuple[float, float, float] | None
    offset_enu_m: tuple[float, float, float] | None
    mean_satellites: float
    mean_pdop: float
    worst_pdop: float
    n_rejected: int


@dataclass(frozen=True)
class IonosphereActivity:
    """Rate of the slant electron content (ROT) and its scatter over five minutes (ROTI).

    Units TECU per minute. share_disturbed : windows of five minutes whose ROTI exceeds the limit
    worst_hour : "2024-07-27T13" with the largest 95th percentile of ROTI
    """

    n_windows: int
    median_roti_tecu_per_min: float
    p95_roti_tecu_per_min: float
    share_disturbed: float
    largest_rate_tecu_per_min: float
    worst_hour: str
    worst_hour_p95_roti_tecu_per_min: float


@dataclass(frozen=True)
class Interference:
    """A time at which the signal strength of all satellites on one band fell together."""

    carrier: str
    first_epoch: Epochs
    last_epoch: Epochs
    drop_db: float
    n_satellites: int


@dataclass(frozen=True)
class PastSignal:
    """One signal on one earlier day: what C/N0 and multipath are compared with.

    cn0_by_elevation_dbhz : "20-30" -> mean; "all" -> of the session
    """

    station: str
    day: str
    signal: str
    cn0_by_elevation_dbhz: Mapping[str, float]
    multipath_rms_m: float | None = None


@dataclass(frozen=True)
class QualityDetails:
    """All that stands behind a verdict.

    expected : None only where no grid of epochs can be told (one epoch)
    remarks : what could not be determined, and why
    """

    orbit_source: str
    expected: ExpectedObservations | None
    signals: tuple[SignalDetails, ...]
    slips: tuple[PairSlips, ...]
    satellite_slips: tuple[SatelliteSlips, ...]
    clock_jumps: tuple[ClockJump, ...]
    code_biases: tuple[SatelliteCodeBias, ...]
    single_point: tuple[SinglePointQuality, ...]
    ionosphere: IonosphereActivity | None
    interference: tuple[Interference, ...]
    false_locks: tuple[FalseLock, ...]
    n_duplicate_epochs: int
    n_misordered_epochs: int
    past_days: int = 0
    header_differences: tuple[str, ...] = ()
    header_errors: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    lowest_elevation_by_azimuth_deg: Mapping[str, float] = field(default_factory=dict)
