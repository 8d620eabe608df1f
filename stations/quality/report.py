"""The quality report of a station's session: from observations to a verdict."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from stations.quality.completeness import check_completeness
from stations.quality.cycle_slips import ObservedSlips, detect_cycle_slips
from stations.quality.multipath import pair_multipath
from stations.quality.signal_pairs import frequency_by_satellite_hz, pairs_for_the_rest
from stations.quality.signals_tracked import (
    bds3_readiness,
    carrier_name,
    signals_by_satellite,
    tracks_bds3_only_signals,
)
from stations.quality.verdict import QualityThresholds, decide
from stations.records import Observations, QualityReport, SignalQuality
from transforms.errors import InputError
from transforms.time_scales import Epochs

DEFAULT_THRESHOLDS: Final = QualityThresholds()


def quality_report(
    observations: Observations,
    *,
    thresholds: QualityThresholds = DEFAULT_THRESHOLDS,
    session: tuple[Epochs, Epochs] | None = None,
) -> QualityReport:
    """Judge a session from its observations alone: no orbits, no coordinates.

    thresholds : limits of the verdict
    session : start and end (exclusive) of what was to be observed; by default what the file names promise

    Raises InputError where the observations hold no epoch or no satellite.
    """
    if not observations.satellites:
        raise InputError("the observations hold no satellite")
    completeness = check_completeness(observations, session=session)
    slips = detect_cycle_slips(observations)
    signals = _signal_qualities(observations, slips)
    tracked = signals_by_satellite(observations)
    readiness = bds3_readiness(observations)
    tracks_bds3 = tracks_bds3_only_signals(tracked)
    counts = slips.counts()
    n_slips = counts.pop("slips")
    per_thousand = 1000.0 * n_slips / slips.n_observations if slips.n_observations else 0.0
    epochs = observations.epochs
    mean_satellites = _mean_dual_frequency_satellites(observations, slips)
    verdict, reasons = decide(
        completeness,
        session_s=float(epochs[-1].seconds_since(epochs[0])) + completeness.interval_s,
        mean_satellites=mean_satellites,
        n_pairs=len(slips.pairs),
        slips_per_thousand=per_thousand,
        signals=signals,
        tracks_bds3=tracks_bds3,
        bds3_description=readiness.describe(),
        events=observations.events,
        n_rejections=sum(observations.rejections.values()),
        thresholds=thresholds,
    )
    return QualityReport(
        station=observations.header.marker_name,
        first_epoch=epochs[0],
        last_epoch=epochs[-1],
        interval_s=completeness.interval_s,
        n_epochs=completeness.n_epochs,
        n_epochs_expected=completeness.n_epochs_expected,
        completeness=completeness.ratio,
        gaps=completeness.gaps,
        n_cycle_slips=n_slips,
        cycle_slips_per_thousand=per_thousand,
        slips_by_reason=counts,
        signals=signals,
        signals_by_satellite=tracked,
        tracks_bds3=tracks_bds3,
        events=observations.events,
        rejections=observations.rejections,
        verdict=verdict,
        reasons=reasons,
        inputs=observations.inputs,
        bds3_satellites_by_carrier={c: len(s) for c, s in readiness.satellites_by_carrier.items()},
        mean_satellites=mean_satellites,
    )


def _mean_dual_frequency_satellites(observations: Observations, slips: ObservedSlips) -> float:
    """Satellites with both phases of any pair, mean over the epochs."""
    n_epoch = len(observations.epochs)
    dual = np.zeros((n_epoch, len(observations.satellites)), dtype=np.bool_)
    for pair, masks in zip(slips.pairs, slips.masks, strict=True):
        index = [i for i, s in enumerate(observations.satellites) if s[0] == pair.system]
        dual[:, index] |= masks.present
    return float(dual.sum(axis=1).mean())


def _signal_qualities(observations: Observations, slips: ObservedSlips) -> tuple[SignalQuality, ...]:
    """Counts, signal strength and code multipath of every signal tracked.

    Multipath is that of the first pair in which the signal takes part: of those searched for slips or, for
    the other signals, of one made for it. None where there is no second carrier.
    """
    data = observations.data
    satellites = observations.satellites
    signals = [str(s) for s in data["signal"].values]
    code, phase = data["pseudorange_m"].values, data["carrier_phase_cycles"].values
    strength = data["cn0_dbhz"].values
    multipath: dict[tuple[str, str], float | None] = {}
    rest = detect_cycle_slips(observations, pairs=pairs_for_the_rest(observations, slips.pairs))
    for pair, masks in zip(slips.pairs + rest.pairs, slips.masks + rest.masks, strict=True):
        index = np.array([i for i, s in enumerate(satellites) if s[0] == pair.system], dtype=np.int64)
        names = tuple(satellites[i] for i in index)
        one, two = signals.index(pair.first), signals.index(pair.second)
        channels = observations.header.glonass_channels
        result = pair_multipath(
            pair,
            code[:, index, one],
            code[:, index, two],
            phase[:, index, one],
            phase[:, index, two],
            frequency_by_satellite_hz(names, pair.first, channels),
            frequency_by_satellite_hz(names, pair.second, channels),
            masks,
        )
        multipath.setdefault((pair.system, pair.first), result.first_rms_m)
        multipath.setdefault((pair.system, pair.second), result.second_rms_m)
    found = []
    for system in sorted({s[0] for s in satellites}):
        index = np.array([i for i, s in enumerate(satellites) if s[0] == system], dtype=np.int64)
        for number, signal in enumerate(signals):
            seen = np.isfinite(code[:, index, number]) | np.isfinite(phase[:, index, number])
            if not seen.any():
                continue
            cn0 = strength[:, index, number][seen].astype(np.float64)
            cn0 = cn0[np.isfinite(cn0)]
            found.append(
                SignalQuality(
                    system=system,
                    signal=system + signal,
                    carrier=carrier_name(system, signal),
                    n_satellites=int(seen.any(axis=0).sum()),
                    n_observations=int(seen.sum()),
                    mean_cn0_dbhz=float(cn0.mean()) if cn0.size else None,
                    multipath_rms_m=multipath.get((system, signal)),
                )
            )
    return tuple(found)


def quality_report_as_json(report: QualityReport) -> Mapping[str, object]:
    """A report as plain values for `json.dumps`: times ISO in GPST, figures rounded to their worth."""
    return {
        "station": report.station,
        "first_epoch": report.first_epoch.iso(),
        "last_epoch": report.last_epoch.iso(),
        "interval_s": report.interval_s,
        "n_epochs": report.n_epochs,
        "n_epochs_expected": report.n_epochs_expected,
        "completeness": round(report.completeness, 6),
        "gaps": [[before.iso(), after.iso()] for before, after in report.gaps],
        "mean_satellites": round(report.mean_satellites, 2),
        "n_cycle_slips": report.n_cycle_slips,
        "cycle_slips_per_thousand": round(report.cycle_slips_per_thousand, 3),
        "slips_by_reason": dict(report.slips_by_reason),
        "signals": [
            {
                "system": s.system,
                "signal": s.signal,
                "carrier": s.carrier,
                "n_satellites": s.n_satellites,
                "n_observations": s.n_observations,
                "mean_cn0_dbhz": None if s.mean_cn0_dbhz is None else round(s.mean_cn0_dbhz, 2),
                "multipath_rms_m": None if s.multipath_rms_m is None else round(s.multipath_rms_m, 4),
            }
            for s in report.signals
        ],
        "signals_by_satellite": {k: list(v) for k, v in sorted(report.signals_by_satellite.items())},
        "tracks_bds3": report.tracks_bds3,
        "bds3_satellites_by_carrier": dict(report.bds3_satellites_by_carrier),
        "events": [
            {
                "epoch": None if e.epoch is None else e.epoch.iso(),
                "flag": e.flag,
                "description": e.description,
                "header_lines": list(e.header_lines),
                "line": e.line,
            }
            for e in report.events
        ],
        "rejections": dict(report.rejections),
        "verdict": report.verdict.value,
        "reasons": list(report.reasons),
        "inputs": [{"path": i.path, "sha256": i.sha256} for i in report.inputs],
    }
