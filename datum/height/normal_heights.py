"""Normal heights of reference stations: levelled where a bench mark is on the pillar, else from the surface.

GNSS gives ellipsoidal heights h in the conventional tide-free system, levelling gives normal heights H in its
own tide system. h is brought into that system first (permanent_tide), so that the height anomaly h - H is of
one system. A surface through the levelled stations carries the anomaly to the others: H = h - anomaly.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from datum.adjustment.testing import w_limit
from datum.height.permanent_tide import ellipsoidal_height_change_m
from datum.height.surface_fit import (
    DEFAULT_EXTRAPOLATION_M,
    HeightAnomalySurface,
    Trend,
    fit_height_anomaly,
)
from datum.records import (
    HeightSolution,
    LevellingNetwork,
    NetworkSolution,
    NetworkStation,
    StationHeight,
    TideSystem,
)
from transforms.ellipsoids import CGCS2000, Ellipsoid
from transforms.errors import InputError
from transforms.geodetic import enu_covariance, geodetic_from_ecef

# A levelled height may be held without error; its anomaly then still has the GNSS height's error. This floor
# keeps a surface from resting on a point as if it were exact where even that were zero.
SMALLEST_ANOMALY_SIGMA_M: Final = 1e-4


@dataclass(frozen=True)
class _EllipsoidalHeight:
    """One station of the network on the ellipsoid; the height is tide-free as in the frame."""

    latitude_deg: float
    longitude_deg: float
    height_m: float
    sigma_m: float
    permanent_tide_m: float
    remark: str


def station_heights(
    network: NetworkSolution,
    heights: HeightSolution,
    levelling: LevellingNetwork,
    *,
    trend: Trend | None = None,
    maximum_extrapolation_m: float = DEFAULT_EXTRAPOLATION_M,
    omit_beyond: bool = False,
    ellipsoid: Ellipsoid = CGCS2000,
) -> tuple[StationHeight, ...]:
    """Normal heights of the stations of a network.

    Parameters
    ----------
    network : adjusted positions, conventional tide-free
    heights : adjusted bench marks; levelling : says which bench mark is on which station's pillar
    trend, maximum_extrapolation_m : of the surface, see `fit_height_anomaly`
    omit_beyond : leave out stations that the surface does not reach, instead of an error

    Returns
    -------
    StationHeight : sorted by station, in the tide system of the levelling; the permanent tide that was added
        to the ellipsoidal height is in the record, and `remark` tells what a reader must know of this one

    Raises InputError where no station is levelled, or one lies beyond the surface's reach.
    """
    found = _ellipsoidal_heights(network, heights.tide_system, ellipsoid)
    levelled = _levelled_stations(heights, levelling, found)
    surface = _surface(found, levelled, trend, maximum_extrapolation_m)
    misfit = {point.name: point for point in surface.leave_one_out}
    results = []
    for station in sorted(found):
        place = found[station]
        remarks = [place.remark] if place.remark else []
        height = place.height_m + place.permanent_tide_m
        if station in levelled:
            normal, sigma = levelled[station]
            if station in misfit and abs(misfit[station].standardised) > w_limit():
                remarks.append(
                    f"its height anomaly differs by {-misfit[station].difference_m * 1e3:+.1f} mm from what "
                    f"the other levelled stations say, {abs(misfit[station].standardised):.1f} sigma"
                )
            results.append(
                StationHeight(
                    station=station,
                    ellipsoidal_height_m=place.height_m,
                    normal_height_m=normal,
                    sigma_m=sigma,
                    height_anomaly_m=height - normal,
                    source="levelled",
                    tide_system=heights.tide_system,
                    permanent_tide_m=place.permanent_tide_m,
                    remark="; ".join(remarks),
                )
            )
            continue
        try:
            anomaly, anomaly_sigma = surface.predict(place.latitude_deg, place.longitude_deg)
        except InputError as error:
            if omit_beyond:
                continue
            raise InputError(f"station {station}: {error}") from None
        results.append(
            StationHeight(
                station=station,
                ellipsoidal_height_m=place.height_m,
                normal_height_m=height - anomaly,
                sigma_m=math.hypot(place.sigma_m, anomaly_sigma),
                height_anomaly_m=anomaly,
                source="from surface",
                tide_system=heights.tide_system,
                permanent_tide_m=place.permanent_tide_m,
                remark="; ".join(remarks),
            )
        )
    return tuple(results)


def station_surface(
    network: NetworkSolution,
    heights: HeightSolution,
    levelling: LevellingNetwork,
    *,
    trend: Trend | None = None,
    maximum_extrapolation_m: float = DEFAULT_EXTRAPOLATION_M,
    ellipsoid: Ellipsoid = CGCS2000,
) -> HeightAnomalySurface:
    """The surface that `station_heights` uses, with its leave-one-out check, for a report."""
    found = _ellipsoidal_heights(network, heights.tide_system, ellipsoid)
    return _surface(found, _levelled_stations(heights, levelling, found), trend, maximum_extrapolation_m)


def _ellipsoidal_heights(
    network: NetworkSolution, tide_system: TideSystem, ellipsoid: Ellipsoid
) -> dict[str, _EllipsoidalHeight]:
    """One height for each station; where a discontinuity parts its days, that of the part with most days."""
    parts: dict[str, list[NetworkStation]] = {}
    for part in network.stations:
        parts.setdefault(part.station, []).append(part)
    heights = {}
    for station, candidates in parts.items():
        chosen = min(candidates, key=lambda part: (-len(part.days), part.solution_number))
        latitude, longitude, height = geodetic_from_ecef(chosen.position_ecef_m, ellipsoid)
        covariance = enu_covariance(chosen.position_ecef_m, chosen.covariance_m2)
        others = [
            f"solution {part.solution_number} lies {_rise_mm(chosen, part, ellipsoid):+.1f} mm higher"
            for part in candidates
            if part is not chosen
        ]
        remark = f"height of solution {chosen.solution_number}; {', '.join(others)}" if others else ""
        heights[station] = _EllipsoidalHeight(
            latitude_deg=math.degrees(float(latitude)),
            longitude_deg=math.degrees(float(longitude)),
            height_m=float(height),
            sigma_m=math.sqrt(max(float(covariance[2, 2]), 0.0)),
            permanent_tide_m=float(
                ellipsoidal_height_change_m(float(latitude), TideSystem.TIDE_FREE, tide_system)
            ),
            remark=remark,
        )
    return heights


def _rise_mm(low: NetworkStation, high: NetworkStation, ellipsoid: Ellipsoid) -> float:
    """Ellipsoidal height of one position above that of another, mm."""
    heights = [float(geodetic_from_ecef(part.position_ecef_m, ellipsoid)[2]) for part in (low, high)]
    return (heights[1] - heights[0]) * 1e3


def _levelled_stations(
    heights: HeightSolution, levelling: LevellingNetwork, found: Mapping[str, _EllipsoidalHeight]
) -> dict[str, tuple[float, float]]:
    """Station -> (normal height, sigma) of the bench mark on its pillar."""
    index = {name: i for i, name in enumerate(heights.bench_marks)}
    levelled: dict[str, tuple[float, float]] = {}
    for bench_mark, name in levelling.stations.items():
        station = _same_station(name, found)
        if station is None or bench_mark not in index:
            continue
        i = index[bench_mark]
        levelled[station] = (
            float(heights.height_m[i]),
            math.sqrt(max(float(heights.covariance_m2[i, i]), 0.0)),
        )
    if not levelled:
        raise InputError(
            "no bench mark is on the pillar of a station of the network: bench marks name the stations "
            f"{', '.join(sorted(set(levelling.stations.values()))) or 'none'}, the network has "
            f"{', '.join(sorted(found))}"
        )
    return levelled


def _same_station(name: str, found: Mapping[str, _EllipsoidalHeight]) -> str | None:
    """The network's station of this name, in full or by its first four characters where that is unique."""
    if name in found:
        return name
    alike = [station for station in found if station[:4].upper() == name[:4].upper()]
    return alike[0] if len(alike) == 1 and (len(name) == 4 or len(alike[0]) == 4) else None


def _surface(
    found: Mapping[str, _EllipsoidalHeight],
    levelled: Mapping[str, tuple[float, float]],
    trend: Trend | None,
    maximum_extrapolation_m: float,
) -> HeightAnomalySurface:
    names = sorted(levelled)
    places = [found[name] for name in names]
    return fit_height_anomaly(
        names,
        [(place.latitude_deg, place.longitude_deg) for place in places],
        [
            place.height_m + place.permanent_tide_m - levelled[name][0]
            for name, place in zip(names, places, strict=True)
        ],
        [
            max(math.hypot(place.sigma_m, levelled[name][1]), SMALLEST_ANOMALY_SIGMA_M)
            for name, place in zip(names, places, strict=True)
        ],
        trend=trend,
        maximum_extrapolation_m=maximum_extrapolation_m,
    )
