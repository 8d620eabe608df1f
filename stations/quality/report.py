"""The quality report of a station's session: from observations to a verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.baseline.broadcast_products import broadcast_products
from stations.beidou_generation import day_of
from stations.navigation_records import NavigationMessages
from stations.ppp.first_position import plausible_position
from stations.ppp.glonass_channels import glonass_channels
from stations.quality.clock_jumps import clock_jumps
from stations.quality.completeness import Completeness, check_completeness
from stations.quality.cycle_slips import ObservedSlips, detect_cycle_slips
from stations.quality.expected_observations import (
    FROM_PASSES,
    ExpectedSky,
    count_expected,
    expected_sky,
    lowest_elevation_by_azimuth_deg,
)
from stations.quality.header_check import header_findings
from stations.quality.interference import find_interference
from stations.quality.ionosphere_activity import ionosphere_activity
from stations.quality.multipath_remarks import multipath_remarks
from stations.quality.past_sessions import past_cn0_by_elevation
from stations.quality.satellite_sky import SatelliteSky, satellite_sky
from stations.quality.signal_details import (
    SignalMultipath,
    pair_slips,
    satellite_slips,
    signal_details,
    signal_multipath,
)
from stations.quality.signal_pairs import pairs_for_the_rest, signal_pairs, with_phases_lent
from stations.quality.signals_tracked import (
    bds3_readiness,
    signals_by_satellite,
    tracks_bds3_only_signals,
)
from stations.quality.single_point import (
    FEWEST_FOR_SCATTER,
    EpochPositions,
    code_rows,
    epoch_positions,
    single_point_quality,
)
from stations.quality.verdict import QualityThresholds, decide
from stations.quality_records import PastSignal, QualityDetails, SignalDetails, SinglePointQuality
from stations.records import InputFile, Observations, QualityReport, SatelliteOrbits, SignalQuality
from transforms.errors import InputError
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]

DEFAULT_THRESHOLDS: Final = QualityThresholds()
BROADCAST: Final = "broadcast messages"
DUPLICATE: Final = "duplicate epoch"  # words of the reader's rejections
OUT_OF_ORDER: Final = "epoch out of order"


@dataclass(frozen=True, eq=False)
class QualityContext:
    """What is known of a session beside its observations; every part may be absent.

    orbits : precise ones; navigation : broadcast messages, taken where there are no orbits
    past : figures of earlier sessions of the station, with which C/N0 is compared
    known_antennas : 20-column codes of calibrated antennas, or None where no list was given
    log_differences, log_errors : what a site log says otherwise than the header, in words
    """

    orbits: SatelliteOrbits | None = None
    navigation: NavigationMessages | None = None
    past: tuple[PastSignal, ...] = ()
    known_antennas: frozenset[str] | None = None
    log_differences: tuple[str, ...] = ()
    log_errors: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class QualityStudy:
    """A report with the arrays behind it, for pictures.

    observations : with the GLONASS channels that were found; positions : of all systems, None without orbits
    """

    report: QualityReport
    sky: SatelliteSky
    expected: ExpectedSky
    slips: ObservedSlips
    multipath: Mapping[tuple[str, str], SignalMultipath]
    observations: Observations
    positions: EpochPositions | None


def quality_report(
    observations: Observations,
    *,
    thresholds: QualityThresholds = DEFAULT_THRESHOLDS,
    session: tuple[Epochs, Epochs] | None = None,
    context: QualityContext | None = None,
) -> QualityReport:
    """Judge a session from its observations, better with orbits.

    thresholds : limits of the verdict
    session : start and end (exclusive) of what was to be observed; by default what the file names promise
    context : orbits and the like; None judges from the observations alone

    Raises InputError where the observations hold no epoch or no satellite.
    """
    return quality_study(observations, thresholds=thresholds, session=session, context=context).report


def quality_study(
    observations: Observations,
    *,
    thresholds: QualityThresholds = DEFAULT_THRESHOLDS,
    session: tuple[Epochs, Epochs] | None = None,
    context: QualityContext | None = None,
) -> QualityStudy:
    """As `quality_report`, with the arrays from which the figures come."""
    if not observations.satellites:
        raise InputError("the observations hold no satellite")
    given = QualityContext() if context is None else context
    completeness = check_completeness(observations, session=session)
    observations = _with_glonass_channels(observations)
    slips = detect_cycle_slips(observations)
    completed, lenders = with_phases_lent(observations)
    rest = detect_cycle_slips(completed, pairs=pairs_for_the_rest(completed, slips.pairs))
    remarks: list[str] = []
    orbits, source = _orbits(observations, completeness, given, remarks)
    single_point, position_ecef_m, positions = _single_point(
        observations, slips, given, orbits, source, remarks
    )
    sky = satellite_sky(observations, completeness, orbits, position_ecef_m)
    elevation_rad = sky.at_observations(sky.elevation_rad)
    tracked = _tracked(observations)
    expected = expected_sky(
        sky,
        tracked,
        interval_s=completeness.interval_s,
        mask_deg=thresholds.horizon_mask_deg,
        cutoff_deg=thresholds.cutoff_deg,
    )
    multipath, code_biases, false_locks = signal_multipath(completed, (slips, rest), elevation_rad, lenders)
    station = observations.header.marker_name
    past_cn0, past_days = past_cn0_by_elevation(given.past, station, completeness.first_expected)
    signals = signal_details(observations, multipath, expected, past_cn0)
    remarks += multipath_remarks(completed, signals, lenders)
    differences, errors = header_findings(
        observations.header,
        _trusted_position(single_point, thresholds.header_position_reject_m),
        given.known_antennas,
        limit_m=thresholds.header_position_reject_m,
    )
    details = QualityDetails(
        orbit_source=source,
        expected=count_expected(
            observations,
            expected,
            tracked,
            source_by_system=_source_by_system(observations, sky, source),
            interval_s=completeness.interval_s,
            mask_deg=thresholds.horizon_mask_deg,
            cutoff_deg=thresholds.cutoff_deg,
        ),
        signals=signals,
        slips=pair_slips(observations, slips, elevation_rad),
        satellite_slips=satellite_slips(observations, slips),
        clock_jumps=clock_jumps(observations, slips),
        code_biases=code_biases,
        single_point=single_point,
        ionosphere=ionosphere_activity(observations, slips, elevation_rad),
        interference=find_interference(observations, elevation_rad),
        false_locks=false_locks,
        n_duplicate_epochs=observations.rejections.get(DUPLICATE, 0),
        n_misordered_epochs=observations.rejections.get(OUT_OF_ORDER, 0),
        past_days=past_days,
        header_differences=(*differences, *given.log_differences),
        header_errors=(*errors, *given.log_errors),
        remarks=tuple(remarks),
        lowest_elevation_by_azimuth_deg=lowest_elevation_by_azimuth_deg(sky, tracked),
    )
    by_satellite = signals_by_satellite(observations)
    readiness = bds3_readiness(observations)
    tracks_bds3 = tracks_bds3_only_signals(by_satellite, day_of(observations.epochs[0]))
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
        details=details,
        tracks_bds3=tracks_bds3,
        bds3_description=readiness.describe(),
        events=observations.events,
        n_rejections=sum(observations.rejections.values()),
        thresholds=thresholds,
    )
    report = QualityReport(
        station=station,
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
        signals=tuple(_signal_quality(observations, s) for s in signals),
        signals_by_satellite=by_satellite,
        tracks_bds3=tracks_bds3,
        events=observations.events,
        rejections=observations.rejections,
        verdict=verdict,
        reasons=reasons,
        inputs=observations.inputs,
        bds3_satellites_by_carrier={c: len(s) for c, s in readiness.satellites_by_carrier.items()},
        mean_satellites=mean_satellites,
        expectation=completeness.expectation,
        details=details,
        setup=observations.header.setup,
    )
    return QualityStudy(report, sky, expected, slips, multipath, observations, positions)


def _with_glonass_channels(observations: Observations) -> Observations:
    """The same with the channels of GLONASS satellites that the header does not tell (RINEX 2)."""
    unknown = {
        s for s in observations.satellites if s[0] == "R" and s not in observations.header.glonass_channels
    }
    pair = next((p for p in signal_pairs(observations) if p.system == "R"), None)
    if not unknown or pair is None:
        return observations
    pairs = {s: (pair.first, pair.second) for s in observations.satellites if s[0] == "R"}
    channels = glonass_channels(observations, pairs).by_satellite
    return replace(observations, header=replace(observations.header, glonass_channels=channels))


def _orbits(
    observations: Observations, completeness: Completeness, given: QualityContext, remarks: list[str]
) -> tuple[SatelliteOrbits | None, str]:
    """Orbits of the session and their name for people; None and why not."""
    # Of the whole session that was expected: what was missed must be counted too.
    first, last = completeness.first_expected, completeness.last_expected
    systems = "".join(sorted({s[0] for s in observations.satellites}))
    if given.orbits is not None:
        return (
            given.orbits,
            f"SP3 orbits of {given.orbits.centre or 'an unnamed centre'}{_files(given.orbits.inputs)}",
        )
    if given.navigation is not None:
        try:
            products = broadcast_products(given.navigation, first, last, systems=systems)
        except InputError as error:
            remarks.append(str(error))
        else:
            return products.orbits, BROADCAST + _files(given.navigation.inputs)
    return None, ""


def _files(inputs: Sequence[InputFile]) -> str:
    """ " (A.rnx, B.rnx)" for the name of a source."""
    names = [PurePath(i.path).name for i in inputs]
    return f" ({', '.join(names)})" if names else ""


def _single_point(
    observations: Observations,
    slips: ObservedSlips,
    given: QualityContext,
    orbits: SatelliteOrbits | None,
    source: str,
    remarks: list[str],
) -> tuple[tuple[SinglePointQuality, ...], FloatArray | None, EpochPositions | None]:
    """Positions of all systems, and without BeiDou where it is not alone; the place; the first's epochs."""
    header = observations.header.approximate_position_ecef_m
    place = header if plausible_position(header) else None
    if orbits is None:
        remarks.append("no orbits: elevations and single-point positions are unknown")
        return (), place, None
    messages = given.navigation if source.startswith(BROADCAST) else None
    rows = code_rows(observations, slips.pairs, orbits, messages)
    if rows is None:
        remarks.append("no satellite with orbit and codes on two carriers: no single-point positions")
        return (), place, None
    systems = {name[0] for name in rows.satellites}
    variants = ["".join(sorted(systems))]
    if "C" in systems and len(systems) > 1:
        variants.append("".join(sorted(systems - {"C"})))
        variants.append("C")
    found: list[SinglePointQuality] = []
    first: EpochPositions | None = None
    for letters in variants:
        positions = epoch_positions(rows, place, letters)
        quality = single_point_quality(rows, positions, letters, source, observations.header)
        if quality is None:
            remarks.append(f"no epoch has enough satellites for a position from {letters} alone")
            continue
        if not found and positions.median_ecef_m is not None:
            place, first = positions.median_ecef_m, positions
        found.append(quality)
    if found and found[0].scatter_enu_m is None:
        remarks.append(
            f"{found[0].n_epochs} single-point positions: fewer than {FEWEST_FOR_SCATTER} tell no scatter, "
            "and the header's position is not judged by them"
        )
    return tuple(found), place, first


def _trusted_position(single_point: Sequence[SinglePointQuality], limit_m: float) -> FloatArray | None:
    """The observed position where it can judge a header to `limit_m`: six scatters inside it; else None."""
    scatter = single_point[0].scatter_enu_m if single_point else None
    # Too few epochs have no scatter, and a position of unknown scatter judges nothing.
    if scatter is None or 6.0 * max(scatter) > limit_m:
        return None
    return np.array(single_point[0].position_ecef_m)


def _source_by_system(observations: Observations, sky: SatelliteSky, source: str) -> dict[str, str]:
    systems = sorted({s[0] for s in observations.satellites})
    known = np.asarray(np.isfinite(sky.elevation_rad).any(axis=0))
    served = {name[0] for name, there in zip(sky.satellites, known, strict=True) if there}
    return {s: source if s in served else FROM_PASSES for s in systems}


def _tracked(observations: Observations) -> NDArray[np.bool_]:
    """Epochs at which a satellite gave any code or phase, (n_epoch, n_satellite)."""
    data = observations.data
    found = np.isfinite(data["pseudorange_m"].values).any(axis=2)
    found |= np.isfinite(data["carrier_phase_cycles"].values).any(axis=2)
    return np.asarray(found, dtype=np.bool_)


def _mean_dual_frequency_satellites(observations: Observations, slips: ObservedSlips) -> float:
    """Satellites with both phases of any pair, mean over the epochs."""
    n_epoch = len(observations.epochs)
    dual = np.zeros((n_epoch, len(observations.satellites)), dtype=np.bool_)
    for pair, masks in zip(slips.pairs, slips.masks, strict=True):
        index = [i for i, s in enumerate(observations.satellites) if s[0] == pair.system]
        dual[:, index] |= masks.present
    return float(dual.sum(axis=1).mean())


def _signal_quality(observations: Observations, details: SignalDetails) -> SignalQuality:
    """The short form of a signal's figures. Observations count wherever they are, the horizon or not."""
    number = [str(s) for s in observations.data["signal"].values].index(details.signal[1:])
    own = [k for k, s in enumerate(observations.satellites) if s[0] == details.signal[0]]
    seen = np.isfinite(observations.data["pseudorange_m"].values[:, own, number])
    seen |= np.isfinite(observations.data["carrier_phase_cycles"].values[:, own, number])
    return SignalQuality(
        system=details.signal[0],
        signal=details.signal,
        carrier=details.carrier,
        n_satellites=details.n_satellites,
        n_observations=int(seen.sum()),
        mean_cn0_dbhz=details.cn0_dbhz,
        multipath_rms_m=details.multipath_rms_m,
    )
