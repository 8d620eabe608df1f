"""BeiDou-3 against GPS at the same station and day: multipath, C/N0, completeness, cycle slips."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from stations.quality.signals_tracked import BDS3_CARRIERS
from stations.quality_records import QualityDetails, SignalDetails
from stations.readiness.records import CarrierQuality, QualityComparison
from stations.records import Observations

# Remarks, none of them a reason for another class. A code twice as bad as the station's GPS L1 weighs a
# quarter. The least power on the ground is -158.5 dBW for GPS L1 C/A (IS-GPS-200) and -163 for the weakest of
# BeiDou-3, B1I and B3I (their ICDs 3.0 and 1.0): 6 dB less is more than the satellites explain. A twentieth
# of the observations is more than an hour of each day.
MULTIPATH_RATIO_REMARK: Final = 2.0
CN0_FALL_REMARK_DB: Final = 6.0
SHARE_FALL_REMARK: Final = 0.05
SLIP_RATIO_REMARK: Final = 2.0
SLIPS_REMARK_PER_THOUSAND: Final = 10.0  # as the quality verdict: below it slips do no harm
_REFERENCE: Final = "L1"
GPS_CARRIERS: Final = ("L1", "L2", "L5")


def without_satellites(observations: Observations, names: frozenset[str]) -> Observations:
    """The observations without some satellites."""
    kept = [s for s in observations.satellites if s not in names]
    return replace(observations, data=observations.data.sel(satellite=kept))


def compare_quality(details: QualityDetails) -> QualityComparison:
    """Figures of every carrier of GPS and of BeiDou-3, out of a report without BeiDou-2.

    Of several signals on a carrier the one observed most often stands for it.
    """
    carriers: list[CarrierQuality] = []
    for system, names in (("G", GPS_CARRIERS), ("C", BDS3_CARRIERS)):
        own = [s for s in details.signals if s.signal[0] == system]
        for name in names:
            # BeiDou-2 is left out: band 7 is B2b here whatever the attribute.
            wanted = {name, "B2I"} if name == "B2b" else {name}
            found = [s for s in own if s.carrier in wanted]
            if found:
                carriers.append(_quality(name, max(found, key=lambda s: s.count.n_observed)))
    slips = _slips(details)
    return QualityComparison(tuple(carriers), slips, _remarks(carriers, slips))


def _quality(carrier: str, signal: SignalDetails) -> CarrierQuality:
    above = signal.multipath_above_cutoff_rms_m
    return CarrierQuality(
        carrier=carrier,
        signal=signal.signal,
        n_satellites=signal.n_satellites,
        cn0_dbhz=signal.cn0_dbhz,
        multipath_m=signal.multipath_without_bias_rms_m if above is None else above,
        observed_share=signal.count.ratio_above_cutoff,
    )


def _slips(details: QualityDetails) -> dict[str, float]:
    found = {}
    for system in "GC":
        pairs = [p for p in details.slips if p.pair[0] == system]
        n = sum(p.n_observations for p in pairs)
        if n:
            found[system] = 1000.0 * sum(p.n_confirmed for p in pairs) / n
    return found


def _remarks(carriers: list[CarrierQuality], slips: Mapping[str, float]) -> tuple[str, ...]:
    remarks = []
    reference = next((c for c in carriers if c.carrier == _REFERENCE), None)
    for item in carriers:
        if reference is None or item.carrier in GPS_CARRIERS:
            continue
        one, two = item.multipath_m, reference.multipath_m
        if one is not None and two is not None and one > MULTIPATH_RATIO_REMARK * two:
            remarks.append(f"multipath of {item.carrier} {one:.2f} m against {two:.2f} m on GPS L1")
        one, two = item.cn0_dbhz, reference.cn0_dbhz
        if one is not None and two is not None and one < two - CN0_FALL_REMARK_DB:
            remarks.append(f"C/N0 of {item.carrier} {one:.1f} dB-Hz against {two:.1f} on GPS L1")
        one, two = item.observed_share, reference.observed_share
        if one is not None and two is not None and one < two - SHARE_FALL_REMARK:
            remarks.append(f"{item.carrier} observed {one:.0%} of the time expected, GPS L1 {two:.0%}")
    if "C" in slips and "G" in slips:
        limit = max(SLIP_RATIO_REMARK * slips["G"], SLIPS_REMARK_PER_THOUSAND)
        if slips["C"] > limit:
            remarks.append(f"{slips['C']:.1f} cycle slips in 1000 on BeiDou-3, {slips['G']:.1f} on GPS")
    return tuple(remarks)
