"""What a quality report advises: accept, accept with remarks, or reject, with reasons in words and figures.

The limits are a bureau's own and configurable. Their defaults separate a station that can hold a reference
frame from one that needs a visit; they are not copied from a standard, and `docs/quality.md` says why each
stands where it does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from stations.quality.completeness import Completeness
from stations.records import ObservationEvent, SignalQuality, Verdict
from transforms.errors import InputError


@dataclass(frozen=True)
class QualityThresholds:
    """Limits of the verdict. Beyond `remark` a reason is given; beyond `reject` the session is refused.

    completeness: observed over expected epochs, 0..1
    session_s: time between the first and last epoch observed
    satellites: mean number of satellites with two carriers at an epoch
    slips_per_thousand: cycle slips per thousand dual-frequency observations
    multipath_m: rms of the code multipath of a signal
    gap_s: longest time without an epoch
    cn0_dbhz: mean carrier-to-noise density of a signal
    systems: whose signals are judged; SBAS and IRNSS satellites hold no frame
    require_bds3: reject a station without BeiDou-3 signals instead of remarking it
    """

    completeness_remark: float = 0.95
    completeness_reject: float = 0.50
    session_remark_s: float = 6 * 3600.0
    session_reject_s: float = 3600.0
    satellites_remark: float = 8.0
    satellites_reject: float = 4.0
    slips_per_thousand_remark: float = 10.0
    slips_per_thousand_reject: float = 200.0
    multipath_remark_m: float = 0.6
    multipath_reject_m: float = 3.0
    gap_remark_s: float = 1800.0
    cn0_remark_dbhz: float = 33.0
    systems: str = "GREC"
    require_bds3: bool = False

    def __post_init__(self) -> None:
        rising = (
            ("completeness", self.completeness_reject, self.completeness_remark),
            ("session", self.session_reject_s, self.session_remark_s),
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
    signals: Sequence[SignalQuality],
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
        f"{slips_per_thousand:.1f} cycle slips per thousand observations",
    )
    for signal in (s for s in signals if s.system in t.systems):
        where = f"{signal.signal} ({signal.carrier})"
        if signal.multipath_rms_m is not None:
            judge(
                signal.multipath_rms_m > t.multipath_reject_m,
                signal.multipath_rms_m > t.multipath_remark_m,
                f"code multipath of {where} is {signal.multipath_rms_m:.2f} m",
            )
        if signal.mean_cn0_dbhz is not None and signal.mean_cn0_dbhz < t.cn0_remark_dbhz:
            remarks.append(f"mean carrier-to-noise density of {where} is {signal.mean_cn0_dbhz:.1f} dBHz")
    if not tracks_bds3:
        judge(t.require_bds3, True, f"no BeiDou-3 signal was tracked ({bds3_description})")
    remarks.extend(_event_remarks(events))
    if n_rejections:
        remarks.append(f"{n_rejections} records of the files could not be taken over")
    if refusals:
        return Verdict.REJECT, tuple(refusals + remarks)
    return (Verdict.ACCEPT_WITH_REMARKS if remarks else Verdict.ACCEPT), tuple(remarks)


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
