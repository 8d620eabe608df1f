"""The audit of one station-day: its parts put together. Definitions: docs/readiness.md."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.baseline.broadcast_products import broadcast_products
from stations.beidou_generation import day_of
from stations.navigation_records import NavigationMessages
from stations.ppp.first_position import plausible_position
from stations.quality.completeness import Completeness, check_completeness
from stations.quality.report import QualityContext, quality_report
from stations.quality_records import QualityDetails
from stations.readiness.antenna import antenna_readiness
from stations.readiness.gain import SYSTEMS, geometry_figures, usable_satellites
from stations.readiness.quality import compare_quality, without_satellites
from stations.readiness.receivers import ReceiverKnowledge, receiver_knowledge
from stations.readiness.records import Bds3Gain, SolvedGain, StationAudit
from stations.readiness.sky import GRID_STEP_S, GriddedSky, gridded_sky
from stations.readiness.tracking import bds3_satellites, bds3_tracking
from stations.readiness.verdict import classify, rinex_carries
from stations.records import AntennaCalibration, InputFile, Observations, SatelliteOrbits
from transforms.ellipsoids import GRS80
from transforms.errors import InputError
from transforms.geodetic import geodetic_from_ecef

FloatArray = NDArray[np.float64]

# Below this share of the observations with a direction a PDOP would be that of the orbits at hand, not of the
# station.
_DIRECTIONS_NEEDED: Final = 0.9
NOT_ASKED: Final = "not asked for"


@dataclass(frozen=True, eq=False)
class AuditContext:
    """What is known beside the observations; every part may be absent.

    orbits : precise ones, left out where they are of another time
    navigation : broadcast messages, for satellites that the orbits lack
    calibrations : of ANTEX files in the order of preference; receivers : a bureau's own knowledge
    log_says : what a site log says otherwise than the header, in words
    """

    orbits: SatelliteOrbits | None = None
    navigation: NavigationMessages | None = None
    calibrations: tuple[AntennaCalibration, ...] = ()
    receivers: tuple[ReceiverKnowledge, ...] = ()
    log_says: tuple[str, ...] = ()
    solved: SolvedGain = field(default_factory=lambda: SolvedGain("", None, None, NOT_ASKED))


def audit_station(observations: Observations, context: AuditContext) -> StationAudit:
    """BeiDou-3 readiness of one station-day.

    Raises InputError where the observations hold no epoch or no satellite.
    """
    if not observations.satellites:
        raise InputError("the observations hold no satellite")
    completeness = check_completeness(observations)
    day = day_of(completeness.first_expected)
    if context.orbits is not None and not _covers(context.orbits, completeness):
        context = replace(context, orbits=None)
    orbits, sources = _orbits(completeness, context)
    beidou = [s for s in observations.satellites if s.startswith("C")]
    older = frozenset(beidou) - set(bds3_satellites(observations, beidou, day))
    rest = without_satellites(observations, older)
    details = quality_report(
        rest if rest.satellites else observations,
        context=QualityContext(orbits=context.orbits, navigation=context.navigation),
    ).details
    assert details is not None
    position = _position(observations, details)
    sky = gridded_sky(observations, completeness, orbits, position)
    step_s = max(GRID_STEP_S, completeness.interval_s)
    tracking = bds3_tracking(observations, sky, orbits, sources, day, step_s)
    setup = observations.header.setup
    knowledge = receiver_knowledge(setup.receiver, context.receivers)
    antenna = antenna_readiness(context.calibrations, setup.antenna)
    version = observations.header.rinex_version
    quality = compare_quality(details)
    readiness, reasons = classify(tracking, knowledge, setup.receiver_firmware, version, antenna)
    place = None if position is None else geodetic_from_ecef(position, GRS80)
    return StationAudit(
        station=observations.header.marker_name.strip().upper(),
        day=day,
        latitude_deg=None if place is None else round(float(np.degrees(place[0])), 6),
        longitude_deg=None if place is None else round(float(np.degrees(place[1])), 6),
        receiver=setup.receiver,
        firmware=setup.receiver_firmware,
        receiver_ability=knowledge.ability.value,
        receiver_source=knowledge.source,
        antenna=" ".join(setup.antenna.igs_code.split()),
        log_says=context.log_says,
        rinex_version=version,
        rinex_carries=rinex_carries(version),
        tracking=tracking,
        antenna_readiness=antenna,
        quality=quality,
        gain=_gain(observations, sky, sources, day, step_s),
        solved=context.solved,
        readiness=readiness,
        reasons=(*reasons, *quality.remarks),
        inputs=tuple(PurePath(i.path).name for i in observations.inputs),
    )


def _covers(orbits: SatelliteOrbits, completeness: Completeness) -> bool:
    """Whether orbits are of the session: its middle lies inside them."""
    ends = (int(completeness.first_expected.tai_ns), int(completeness.last_expected.tai_ns))
    return int(orbits.epochs.tai_ns[0]) <= sum(ends) // 2 <= int(orbits.epochs.tai_ns[-1])


def _orbits(completeness: Completeness, context: AuditContext) -> tuple[list[SatelliteOrbits], list[str]]:
    """Precise orbits first, then broadcast ones for what they lack; and their names."""
    orbits, sources = [], []
    if context.orbits is not None:
        orbits.append(context.orbits)
        sources.append(
            f"SP3 of {context.orbits.centre or 'an unnamed centre'}{_files(context.orbits.inputs)}"
        )
    if context.navigation is not None:
        try:
            products = broadcast_products(
                context.navigation,
                completeness.first_expected,
                completeness.last_expected,
                systems=SYSTEMS,
            )
        except InputError:
            pass  # of another day: the audit then says from what it knows of visibility
        else:
            orbits.append(products.orbits)
            sources.append(f"broadcast messages{_files(context.navigation.inputs)}")
    return orbits, sources


def _files(inputs: Sequence[InputFile]) -> str:
    names = [PurePath(i.path).name for i in inputs]
    return f" ({', '.join(names)})" if names else ""


def _position(observations: Observations, details: QualityDetails) -> FloatArray | None:
    """From the observations where they tell, else the header's."""
    if details.single_point:
        return np.array(details.single_point[0].position_ecef_m)
    header = observations.header.approximate_position_ecef_m
    return header if plausible_position(header) else None


def _gain(
    observations: Observations, sky: GriddedSky, sources: Sequence[str], day: str, step_s: float
) -> Bds3Gain:
    usable = usable_satellites(sky.satellites)
    known = np.isfinite(sky.direction_enu[..., 0])
    source = "; ".join(sources[k] for k in sorted(set(sky.source[sky.source >= 0].tolist())))
    dual = sky.dual & usable
    if not dual.any():
        return Bds3Gain("", None, None, None, "no satellite observed on two carriers")
    share = float((dual & known).sum() / dual.sum())
    if share < _DIRECTIONS_NEEDED:
        missing = sorted(
            {s[0] for k, s in enumerate(sky.satellites) if dual[:, k].any() and sky.source[k] < 0}
        )
        return Bds3Gain(
            source,
            None,
            None,
            None,
            f"orbits at hand serve {share:.0%} of the observations (none of system {', '.join(missing)})",
        )
    bds3 = np.isin(sky.satellites, bds3_satellites(observations, sky.satellites, day))
    today = dual & (sky.up | ~known)
    # Where the station stood still no satellite would have helped.
    full = today | (sky.up & bds3 & sky.tracked.any(axis=1, keepdims=True))
    reason = "" if (sky.up & bds3).any() else "no orbits of BeiDou-3: with all in view not computed"
    return Bds3Gain(
        source,
        geometry_figures(sky, today & ~bds3, step_s),
        geometry_figures(sky, today, step_s),
        None if reason else geometry_figures(sky, full, step_s),
        reason,
    )
