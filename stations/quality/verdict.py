"""What a quality report advises: accept, accept with remarks, or reject, with reasons in words and figures.

The limits are a bureau's own and configurable. Their defaults separate a station that can hold a reference
frame from one that needs a visit; they are not copied from a standard, and `docs/quality.md` says why each
stands where it does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stations.quality.clock_jumps import CODE_ALONE
from stations.quality.completeness import Completeness
from stations.quality.ionosphere_activity import DISTURBED_TECU_PER_MIN
from stations.quality_records import QualityDetails, SignalDetails
from stations.records import ObservationEvent, Verdict
from transforms.errors import InputError


@dataclass(frozen=True)
class QualityThresholds:
    """Limits of the verdict. Beyond `remark` a reason is given; beyond `reject` the session is refused.

    completeness: observed over expected epochs, 0..1
    epochs: observed epochs
    session_s: time between the first and last epoch observed
    satellites: mean number of satellites with two carriers at an epoch
    expected_share: observed over expected satellites at epochs above the cut-off, 0..1, where orbits tell
    slips_per_thousand: cycle slips per thousand dual-frequency observations
    multipath_m: rms of the code multipath of a signal, BeiDou-2's own bias removed
    gap_s: longest time without an epoch
    cn0_dbhz: mean carrier-to-noise density of a signal
    cn0_fall_db: fall of C/N0 against the station's own past, mean of the bins of elevation above the cut-off
    scatter_m: scatter of the single-point positions, height
    roti_share: share of the ionosphere's windows that are disturbed
    header_position_reject_m: header's position against the observed one, or the site log's
    horizon_mask_deg, cutoff_deg: elevations above which observations are expected and counted
    systems: whose signals are judged; SBAS and IRNSS satellites hold no frame
    require_bds3: reject a station without BeiDou-3 signals instead of remarking it
    """

    completeness_remark: float = 0.95
    completeness_reject: float = 0.50
    epochs_reject: float = 10.0
    session_remark_s: float = 6 * 3600.0
    session_reject_s: float = 3600.0
    satellites_remark: float = 8.0
    satellites_reject: float = 4.0
    expected_share_remark: float = 0.95
    expected_share_reject: float = 0.40
    slips_per_thousand_remark: float = 10.0
    slips_per_thousand_reject: float = 200.0
    multipath_remark_m: float = 0.6
    multipath_reject_m: float = 3.0
    gap_remark_s: float = 1800.0
    cn0_remark_dbhz: float = 33.0
    cn0_fall_remark_db: float = 2.0
    scatter_remark_m: float = 5.0
    roti_share_remark: float = 0.10
    header_position_reject_m: float = 50.0
    horizon_mask_deg: float = 0.0
    cutoff_deg: float = 10.0
    systems: str = "GREC"
    require_bds3: bool = False

    def __post_init__(self) -> None:
        rising = (
            ("completeness", self.completeness_reject, self.completeness_remark),
            ("session", self.session_reject_s, self.session_remark_s),
            ("expected share", self.expected_share_reject, self.expected_share_remark),
            ("horizon mask and cut-off", self.horizon_mask_deg, self.cutoff_deg),
            ("satellites", self.satellites_reject, self.satellites_remark),
            ("slips per thousand", self.slips_per_thousand_remark, self.slips_per_thousand_reject),
            ("multipath", self.multipath_remark_m, self.multipath_reject_m),
        )
        for name, low, high in rising:
            if not 0.0 <= low <= high:
                raise InputError(f"limits of {name} are out of order: {low:g} and {high:g}")


def decide(
    completeness: Completeness,
    *,
    session_s: float,
    mean_satellites: float,
    n_pairs: int,
    slips_per_thousand: float,
    details: QualityDetails,
    tracks_bds3: bool,
    bds3_description: str,
    events: Sequence[ObservationEvent],
    n_rejections: int,
    thresholds: QualityThresholds,
) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict and its reasons, refusals first."""
    refusals: list[str] = []
    remarks: list[str] = []

    def judge(bad: bool, worth_saying: bool, text: str) -> None:
        if bad:
            refusals.append(text)
        elif worth_saying:
            remarks.append(text)

    t = thresholds
    if n_pairs == 0:
        refusals.append("no satellite was observed with code and phase on two carriers")
    ratio = completeness.ratio
    judge(
        ratio < t.completeness_reject,
        ratio < t.completeness_remark,
        f"{completeness.n_epochs} of {completeness.n_epochs_expected} expected epochs ({100 * ratio:.1f} %)",
    )
    if completeness.n_epochs < t.epochs_reject:
        refusals.append(f"only {completeness.n_epochs} epochs")
    judge(
        session_s < t.session_reject_s,
        session_s < t.session_remark_s,
        f"the session lasts {session_s / 3600:.2f} h",
    )
    if completeness.longest_gap_s > t.gap_remark_s:
        remarks.append(
            f"longest gap {completeness.longest_gap_s / 60:.0f} min ({len(completeness.gaps)} gaps in all)"
        )
    if n_pairs > 0:
        judge(
            mean_satellites < t.satellites_reject,
            mean_satellites < t.satellites_remark,
            f"{mean_satellites:.1f} satellites with two carriers at an epoch in the mean",
        )
    judge(
        slips_per_thousand > t.slips_per_thousand_reject,
        slips_per_thousand > t.slips_per_thousand_remark,
        f"{slips_per_thousand:.1f} cycle slips per thousand observations, "
        f"{confirmed_per_thousand(details):.1f} of them seen in the phases themselves",
    )
    if details.expected is not None:
        share = details.expected.total.ratio_above_cutoff
        if share is not None:
            judge(
                share < t.expected_share_reject,
                share < t.expected_share_remark,
                f"{100 * share:.1f} % of the expected observations above {t.cutoff_deg:g} degrees",
            )
    for signal in (s for s in details.signals if s.signal[0] in t.systems):
        _judge_signal(signal, t, judge, remarks)
    refusals.extend(details.header_errors)
    remarks.extend(details.header_differences)
    remarks.extend(
        f"single-point heights scatter by {point.scatter_enu_m[2]:.1f} m"
        for point in details.single_point[:1]
        if point.scatter_enu_m is not None and point.scatter_enu_m[2] > t.scatter_remark_m
    )
    if details.ionosphere is not None and details.ionosphere.share_disturbed > t.roti_share_remark:
        remarks.append(
            f"disturbed ionosphere: {100 * details.ionosphere.share_disturbed:.0f} % of the windows above "
            f"{DISTURBED_TECU_PER_MIN:g} TECU/min, worst in the hour from {details.ionosphere.worst_hour}"
        )
    remarks.extend(
        f"phase of {lock.signal} on {lock.satellite} is locked to nothing at {lock.n_epochs} epochs from "
        f"{lock.first_epoch.iso()} to {lock.last_epoch.iso()}: left out of the multipath"
        for lock in details.false_locks
        if lock.signal[0] in t.systems
    )
    remarks.extend(_clock_remarks(details))
    remarks.extend(
        f"suspicion of interference on {event.carrier}: C/N0 of {event.n_satellites} satellites fell by "
        f"{event.drop_db:.1f} dB from {event.first_epoch.iso()} to {event.last_epoch.iso()}"
        for event in details.interference
    )
    if not tracks_bds3:
        judge(t.require_bds3, True, f"no signal that only BeiDou-3 sends was tracked ({bds3_description})")
    remarks.extend(_event_remarks(events))
    if n_rejections:
        remarks.append(f"{n_rejections} records of the files could not be taken over")
    if refusals:
        return Verdict.REJECT, tuple(refusals + remarks)
    return (Verdict.ACCEPT_WITH_REMARKS if remarks else Verdict.ACCEPT), tuple(remarks)


def _judge_signal(
    signal: SignalDetails,
    t: QualityThresholds,
    judge: Callable[[bool, bool, str], None],
    remarks: list[str],
) -> None:
    where = f"{signal.signal} ({signal.carrier})"
    rms_m = signal.multipath_without_bias_rms_m
    if rms_m is not None:
        judge(
            rms_m > t.multipath_reject_m,
            rms_m > t.multipath_remark_m,
            f"code multipath of {where} is {rms_m:.2f} m",
        )
    if signal.cn0_dbhz is not None and signal.cn0_dbhz < t.cn0_remark_dbhz:
        remarks.append(f"mean carrier-to-noise density of {where} is {signal.cn0_dbhz:.1f} dBHz")
    fall_db = cn0_fall_db(signal, t.cutoff_deg)
    if fall_db is not None and fall_db > t.cn0_fall_remark_db:
        remarks.append(f"carrier-to-noise density of {where} is {fall_db:.1f} dB below the station's past")


def confirmed_per_thousand(details: QualityDetails) -> float:
    """Slips that the phases show, per thousand observations; 0 without observations."""
    n = sum(s.n_observations for s in details.slips)
    return 1000.0 * sum(s.n_confirmed for s in details.slips) / n if n else 0.0


def cn0_fall_db(signal: SignalDetails, cutoff_deg: float) -> float | None:
    """How far C/N0 is below the station's past, mean of the bins above the cut-off; None without a past.

    Of the whole signal where no bin has both: orbits of other systems alone leave this one's bins empty.
    """
    falls = [
        b.past_cn0_dbhz - b.cn0_dbhz
        for b in signal.by_elevation
        if b.from_deg >= cutoff_deg and b.past_cn0_dbhz is not None and b.cn0_dbhz is not None
    ]
    if falls:
        return sum(falls) / len(falls)
    if signal.cn0_dbhz is None or signal.past_cn0_dbhz is None:
        return None
    return signal.past_cn0_dbhz - signal.cn0_dbhz


def _clock_remarks(details: QualityDetails) -> list[str]:
    """Steps of the clock that the codes take without the phases; RINEX (3.04) wants the two consistent."""
    alone = [jump for jump in details.clock_jumps if jump.seen_in == CODE_ALONE]
    if not alone:
        return []
    steps = "1 step" if len(alone) == 1 else f"{len(alone)} steps"
    return [
        f"{steps} of whole milliseconds in the codes alone, first {alone[0].milliseconds:+d} ms at "
        f"{alone[0].epoch.iso()}: RINEX wants the phases to follow"
    ]


def _event_remarks(events: Sequence[ObservationEvent]) -> list[str]:
    """One remark for each kind of event: how often, and the line of the first."""
    kinds: dict[tuple[int, str], list[ObservationEvent]] = {}
    for event in events:
        kinds.setdefault((event.flag, event.description), []).append(event)
    return [
        f"{len(same)} {'events' if len(same) > 1 else 'event'} with flag {flag} ({text}), "
        f"first at line {same[0].line}"
        for (flag, text), same in kinds.items()
    ]
