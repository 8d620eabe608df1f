"""Stations that moved between two days, from their daily positions and, where there are several, each other.

For every split of a station's days the medians of up to `WINDOW_DAYS` values before and after are compared.
What most stations do in common (orbits, the frame, plate motion) is taken off as the median of all; the rest
is tested as T = d' C^-1 d, chi-square with three degrees of freedom. Formal covariances know neither weather
nor loading, and neighbouring days are not independent: so C is scaled, axis by axis, to what all splits
show, and T divided by its robust level, of the station's year or of the other stations, whichever is higher.
That level is an estimate too: the limit is that of Fisher's or Student's distribution. Steps that are undone
within six weeks (snow on an antenna) are no changes of the station. It needs two days of four stations, or
two months of one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, f, t

from stations.trends.records import DailyQuality, Equipment, PositionStep
from stations.trends.reference_model import DAYS_PER_YEAR, SEASONS_FROM_DAYS, design, huber_fit
from transforms.geodetic import enu_matrix_at

FloatArray = NDArray[np.float64]

WINDOW_DAYS: Final = 15  # longer windows see smaller steps, and seasons for steps
FEWEST_BESIDE: Final = 5  # days on the shorter side, where there are so many: one odd day is no step
SIGNIFICANCE: Final = 1e-2  # that a search over stations which never moved finds anything
FEWEST_STATIONS: Final = 4  # of fewer, the common motion is nobody's
MANY_STATIONS: Final = 20  # among so many, one's own share in the common scatter is nothing
FEWEST_OWN_SPLITS: Final = 50  # from so many a station's own level of T is known
EPISODE_DAYS: Final = 45  # steps closer than that are one event, judged by what is left of it
_LEVEL_SPLITS: Final = 365  # over which T's level is taken: scatter changes with receivers and decades
_DIMENSION: Final = 3
_MEDIAN_OF_CHI_SQUARE: Final = float(chi2.median(_DIMENSION))
_MEDIAN_OF_SQUARE: Final = float(chi2.median(1))
_EFFICIENCY: Final = 0.8  # of a cut mean of squares, against that of all
_CUT_STATISTIC: Final = float(chi2.isf(0.01, _DIMENSION))
_CUT_SQUARE: Final = float(chi2.isf(0.01, 1))
_MEDIAN_VARIANCE: Final = np.pi / 2.0  # of a median over that of a mean, normal scatter


@dataclass(frozen=True, eq=False)
class _Track:
    """A station's positions in its own east, north, up: day (n,), enu_m (n, 3), covariance_m2 (n, 3, 3)."""

    station: str
    day: NDArray[np.int64]
    enu_m: FloatArray
    covariance_m2: FloatArray
    equipment: tuple[Equipment, ...]


@dataclass(frozen=True, eq=False)
class _Splits:
    """All splits of a track's segments: place of the first day after, difference, its formal weight.

    place (n,), difference_m (n, 3), formal_m (n, 3) sigmas, weight_per_m2 (n, 3, 3) inverse covariance
    """

    place: NDArray[np.int64]
    difference_m: FloatArray
    formal_m: FloatArray
    weight_per_m2: FloatArray


def position_steps(rows: Sequence[DailyQuality]) -> tuple[PositionStep, ...]:
    """Steps of all stations, by station and day.

    rows : of any stations and days; those without a position do not count, nor do differences between frames
    """
    tracks = _tracks(rows)
    borders: dict[str, list[int]] = {track.station: [] for track in tracks}
    splits = {track.station: _splits(track, ()) for track in tracks}
    found: list[PositionStep] = []
    for _ in range(sum(track.day.size for track in tracks)):
        step = _strongest(tracks, [splits[track.station] for track in tracks], borders)
        if step is None:
            break
        place, result = step
        borders[result.station] = sorted([*borders[result.station], place])
        moved = next(track for track in tracks if track.station == result.station)
        splits[result.station] = _splits(moved, borders[result.station])
        found.append(result)
    kept = [step for track in tracks for step in _lasting(track, tracks, found)]
    return tuple(sorted(kept, key=lambda s: (s.station, s.first_after)))


def _lasting(track: _Track, tracks: Sequence[_Track], found: Sequence[PositionStep]) -> list[PositionStep]:
    """A station's steps that last: of several close together the strongest, if a step is left of all."""
    own = sorted((s for s in found if s.station == track.station), key=lambda s: s.first_after)
    kept = []
    while own:
        episode = [own.pop(0)]
        while own and (own[0].first_after - episode[-1].first_after).days <= EPISODE_DAYS:
            episode.append(own.pop(0))
        strongest = max(episode, key=lambda s: s.statistic)
        if len(episode) > 1:
            net = _net_m(track, episode[0].first_after, episode[-1].first_after)
            everybody = [_net_m(t, episode[0].first_after, episode[-1].first_after) for t in tracks]
            known = [value for value in everybody if value is not None]
            if net is None:
                continue
            if len(known) >= FEWEST_STATIONS:
                net = net - np.median(np.array(known), axis=0)
            # The strongest step's own statistic says what a step of its size is worth.
            share = float(np.linalg.norm(net) / np.linalg.norm(strongest.step_enu_m)) ** 2
            if share * strongest.statistic <= strongest.limit:
                continue
            strongest = replace(
                strongest,
                step_enu_m=(float(net[0]), float(net[1]), float(net[2])),
                statistic=share * strongest.statistic,
            )
        kept.append(strongest)
    return kept


def _net_m(track: _Track, first: date, last: date) -> FloatArray | None:
    """Median after `last` minus median before `first`, (3,); None where a side has no day."""
    begin, end = (int(np.searchsorted(track.day, day.toordinal())) for day in (first, last))
    before, after = track.enu_m[max(0, begin - WINDOW_DAYS) : begin], track.enu_m[end : end + WINDOW_DAYS]
    if not before.size or not after.size:
        return None
    return np.asarray(np.median(after, axis=0) - np.median(before, axis=0))


def _tracks(rows: Sequence[DailyQuality]) -> list[_Track]:
    """Tracks of the stations, in the frame of each station's last day; the days of other frames are left."""
    by_station: dict[str, list[DailyQuality]] = {}
    for row in sorted(rows, key=lambda r: (r.station, r.day)):
        if row.position is not None:
            by_station.setdefault(row.station, []).append(row)
    tracks = []
    for station, own in by_station.items():
        placed = [(r, r.position) for r in own if r.position is not None]
        frame = placed[-1][1].frame
        taken = [(r, p) for r, p in placed if p.frame == frame]
        if len(taken) < 2:
            continue
        ecef = np.array([p.position_ecef_m for _, p in taken])
        centre = np.median(ecef, axis=0)
        rotation = enu_matrix_at(centre)
        covariance = np.array([p.covariance_m2 for _, p in taken])
        day = np.array([r.day.toordinal() for r, _ in taken], dtype=np.int64)
        enu = (ecef - centre) @ rotation.T
        tracks.append(
            _Track(
                station,
                day,
                _without_motion(day, enu),
                rotation @ covariance @ rotation.T,
                tuple(r.equipment for r, _ in taken),
            )
        )
    return tracks


def _without_motion(day: NDArray[np.int64], enu: FloatArray) -> FloatArray:
    """A long track without its velocity and seasons, which a window would take for small steps."""
    if day[-1] - day[0] < SEASONS_FROM_DAYS:
        return enu
    time = (day - day[0]).astype(np.float64)
    # The velocity from differences over whole years, which neither seasons nor single steps move
    # (Blewitt et al. 2016, MIDAS robust trend estimator, J. Geophys. Res. 121, 2054).
    after = np.searchsorted(time, time + DAYS_PER_YEAR)
    pairs = np.flatnonzero((after < time.size) & (time[np.minimum(after, time.size - 1)] - time < 380.0))
    apart = (time[after[pairs]] - time[pairs])[:, np.newaxis]
    velocity = (
        np.median((enu[after[pairs]] - enu[pairs]) / apart, axis=0) if pairs.size else np.zeros(_DIMENSION)
    )
    straight = enu - time[:, np.newaxis] * velocity
    matrix = design(time, 5)
    # Steps would pass into the seasons: those of each year's own level are free of them.
    year = (time // DAYS_PER_YEAR).astype(np.int64)
    level = np.array([np.median(straight[year == y], axis=0) for y in np.unique(year)])
    of_year = np.searchsorted(np.unique(year), year)
    seasons = np.column_stack([matrix @ huber_fit(matrix, c)[0] for c in (straight - level[of_year]).T])
    return np.asarray(straight - seasons)


def _strongest(
    tracks: Sequence[_Track], splits: Sequence[_Splits], borders: Mapping[str, Sequence[int]]
) -> tuple[int, PositionStep] | None:
    """The strongest step that passes its limit, with its place in the track; None where none does."""
    common = _common(tracks, splits)
    free_m = [
        own.difference_m
        - np.array([common.get(int(day), np.zeros(_DIMENSION)) for day in track.day[own.place]]).reshape(
            -1, _DIMENSION
        )
        for track, own in zip(tracks, splits, strict=True)
    ]
    n_tests = sum(d.shape[0] for d in free_m)
    if n_tests == 0:
        return None
    # Independent differences of n days: as many as windows; two of few days, which share their values.
    scatters: dict[tuple[int, ...], tuple[FloatArray, float]] = {}
    n_windows = [
        min(own.place.size, max(2.0, track.day.size / WINDOW_DAYS))
        for track, own in zip(tracks, splits, strict=True)
    ]
    best: tuple[float, int, int, float] | None = None
    for number, own in enumerate(splits):
        many = own.place.size >= FEWEST_OWN_SPLITS
        if not own.place.size or (not many and len(tracks) < FEWEST_STATIONS):
            continue
        judges = _judges(number, [split.place.size for split in splits])
        if judges not in scatters:
            scatters[judges] = _scatter(
                *(
                    np.concatenate(parts)
                    for parts in (
                        [free_m[m] for m in judges],
                        [splits[m].formal_m for m in judges],
                        [splits[m].weight_per_m2 for m in judges],
                    )
                )
            )
        axes, shared = scatters[judges]
        statistic = _statistic(free_m[number], own.weight_per_m2, axes)
        level = np.full(statistic.size, max(1.0, shared))
        if many:
            level = np.maximum(level, _levels(statistic))
        windows = sum(n_windows[m] for m in {*judges, number} if many or m != number)
        limit = _limit(windows, n_tests)
        k = int(np.argmax(statistic / level))
        scaled = float(statistic[k] / level[k])
        if scaled > limit and (best is None or scaled > best[0]):
            best = (scaled, number, k, limit)
    if best is None:
        return None
    scaled, number, k, limit = best
    track, own = tracks[number], splits[number]
    free = free_m[number][k]
    place = _day_of_step(track, int(own.place[k]), borders[track.station], axes=own.formal_m[k])
    return place, PositionStep(
        track.station,
        date.fromordinal(int(track.day[place - 1])),
        date.fromordinal(int(track.day[place])),
        (float(free[0]), float(free[1]), float(free[2])),
        scaled,
        limit,
        _documented(track.equipment[place - 1], track.equipment[place]),
    )


def _limit(n_windows: float, n_tests: int) -> float:
    """Limit of T, whose scale comes from so many independent differences: Fisher's, or Student's of one axis.

    With few differences one axis's scale may come out far too small; then that axis alone makes T large.
    """
    chance = SIGNIFICANCE / n_tests
    whole = _DIMENSION * float(f.isf(chance, _DIMENSION, max(2.0, _DIMENSION * _EFFICIENCY * n_windows)))
    single = float(t.isf(chance / (2 * _DIMENSION), max(2.0, _EFFICIENCY * n_windows))) ** 2
    return max(whole, single + (_DIMENSION - 1))


def _judges(number: int, sizes: Sequence[int]) -> tuple[int, ...]:
    """Whose splits say what a station's are worth: the others', its own where it is alone."""
    there = tuple(m for m, size in enumerate(sizes) if size)
    others = tuple(m for m in there if m != number)
    if not others:
        return (number,)
    return others if len(others) < MANY_STATIONS else there


def _statistic(difference_m: FloatArray, weight_per_m2: FloatArray, axes: FloatArray) -> FloatArray:
    """T of differences (n, 3), their formal sigmas multiplied axis by axis."""
    scaled = difference_m / axes
    return np.asarray(np.einsum("ni,nij,nj->n", scaled, weight_per_m2, scaled, optimize=True))


def _scatter(
    difference_m: FloatArray, formal_m: FloatArray, weight_per_m2: FloatArray
) -> tuple[FloatArray, float]:
    """By how much differences (n, 3) exceed their formal sigmas, axis by axis, 1 at least; T's level then.

    Means of squares, large ones cut to what one in a hundred would pass.
    """
    square = (difference_m / formal_m) ** 2
    rough = np.median(square, axis=0) / _MEDIAN_OF_SQUARE
    mean = np.minimum(square, _CUT_SQUARE * rough).mean(axis=0)
    axes = np.asarray(np.sqrt(np.maximum(1.0, mean)))
    statistic = _statistic(difference_m, weight_per_m2, axes)
    likely = float(np.median(statistic)) / _MEDIAN_OF_CHI_SQUARE
    return axes, float(np.minimum(statistic, _CUT_STATISTIC * likely).mean()) / _DIMENSION


def _day_of_step(track: _Track, place: int, borders: Sequence[int], *, axes: FloatArray) -> int:
    """The place at which the days part best: medians of windows know a step's size better than its day.

    axes : (3,) scales of the components
    """
    begin = max([b for b in borders if b < place], default=0)
    end = min([b for b in borders if b > place], default=track.day.size)
    low, high = max(begin, place - WINDOW_DAYS), min(end, place + WINDOW_DAYS)
    before = np.median(track.enu_m[low:place], axis=0)
    after = np.median(track.enu_m[place:high], axis=0)
    to_before = np.abs((track.enu_m[low:high] - before) / axes).sum(axis=1)
    to_after = np.abs((track.enu_m[low:high] - after) / axes).sum(axis=1)
    # Cost of the first k days on the side before and the others after, k = 1 to all but one.
    cost = np.cumsum(to_before)[:-1] + (to_after.sum() - np.cumsum(to_after)[:-1])
    reach = np.abs(np.arange(low + 1, high) - place) <= WINDOW_DAYS // 2
    return low + 1 + int(np.argmin(np.where(reach, cost, np.inf)))


def _levels(statistic: FloatArray) -> FloatArray:
    """T's robust level around each split over that of a chi-square, (n,); at least that of the whole."""
    n_blocks = max(1, statistic.size // _LEVEL_SPLITS)
    blocks = np.array_split(statistic, n_blocks)
    whole = float(np.median(statistic))
    medians = np.concatenate([np.full(b.size, max(whole, float(np.median(b)))) for b in blocks])
    return medians / _MEDIAN_OF_CHI_SQUARE


def _splits(track: _Track, borders: Sequence[int]) -> _Splits:
    """Every split of a track's segments between borders."""
    place, difference, covariance = [], [], []
    edges = [0, *borders, track.day.size]
    for begin, end in pairwise(edges):
        beside = min(FEWEST_BESIDE, max(1, (end - begin) // 3))
        for k in range(begin + beside, end - beside + 1):
            before, after = slice(max(begin, k - WINDOW_DAYS), k), slice(k, min(end, k + WINDOW_DAYS))
            total = np.zeros((_DIMENSION, _DIMENSION))
            for part in (before, after):
                n = part.stop - part.start
                factor = 1.0 if n <= 2 else _MEDIAN_VARIANCE
                total += factor * track.covariance_m2[part].mean(axis=0) / n
            place.append(k)
            difference.append(np.median(track.enu_m[after], axis=0) - np.median(track.enu_m[before], axis=0))
            covariance.append(total)
    whole = np.array(covariance).reshape(-1, _DIMENSION, _DIMENSION)
    return _Splits(
        np.array(place, dtype=np.int64),
        np.array(difference).reshape(-1, _DIMENSION),
        np.sqrt(np.einsum("nii->ni", whole)),
        np.asarray(np.linalg.inv(whole)),
    )


def _common(tracks: Sequence[_Track], splits: Sequence[_Splits]) -> dict[int, FloatArray]:
    """First day after a split -> median difference of the stations that have one there, where enough do."""
    by_day: dict[int, list[FloatArray]] = {}
    for track, own in zip(tracks, splits, strict=True):
        for day, difference in zip(track.day[own.place], own.difference_m, strict=True):
            by_day.setdefault(int(day), []).append(difference)
    return {
        day: np.median(np.array(values), axis=0)
        for day, values in by_day.items()
        if len(values) >= FEWEST_STATIONS
    }


def _documented(before: Equipment, after: Equipment) -> str:
    """What the headers of two days name otherwise, in words; "" where nothing."""
    words = (
        ("receiver", "receiver"),
        ("receiver_serial", "receiver serial"),
        ("antenna", "antenna"),
        ("radome", "radome"),
        ("antenna_serial", "antenna serial"),
        ("eccentricity_enu_m", "eccentricity E N U m"),
    )
    changed = [
        f"{name} {getattr(before, key)!r} to {getattr(after, key)!r}"
        for key, name in words
        if getattr(before, key) != getattr(after, key)
    ]
    return "; ".join(changed)
