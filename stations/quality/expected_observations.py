"""Expected against observed: by satellite, signal, elevation and hour.

What is expected comes from orbits where there are any: a healthy satellite above the mask at an expected
epoch. A satellite without orbit is expected from the passes as observed: at its epochs, and through gaps too
short to be its setting; that is a lower bound, and the report says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.quality.satellite_sky import SatelliteSky
from stations.quality_records import ExpectedObservations, ObservationCount
from stations.records import Observations
from transforms.time_scales import NANOSECONDS, Epochs

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

ELEVATION_BIN_DEG: Final = 10
N_ELEVATION_BINS: Final = 90 // ELEVATION_BIN_DEG
_UNKNOWN_BIN: Final = N_ELEVATION_BINS
# No medium orbit sets and rises again in less; a longer gap of a satellite ends its pass.
LONGEST_GAP_IN_PASS_S: Final = 1800.0
SHORTEST_PASS_S: Final = 1800.0  # above the cut-off: who stays unseen so long is not tracked
FROM_PASSES: Final = "passes as observed (no orbit): a lower bound"
AZIMUTH_SECTOR_DEG: Final = 30


@dataclass(frozen=True, eq=False)
class ExpectedSky:
    """When each satellite was to be observed.

    visible, above_cutoff : (n_grid, n_satellite) bool; bins : (n_grid, n_satellite) bin of elevation,
        N_ELEVATION_BINS where unknown
    counts_by_bin, counts_above_cutoff : (n_satellite, N_ELEVATION_BINS + 1), (n_satellite,) sums over time
    """

    sky: SatelliteSky
    visible: BoolArray
    above_cutoff: BoolArray
    bins: NDArray[np.int8]
    counts_by_bin: IntArray
    counts_above_cutoff: IntArray
    visible_when_observed: BoolArray
    above_cutoff_when_observed: BoolArray
    bins_when_observed: NDArray[np.int8]

    def count(self, subject: str, seen: BoolArray, satellites: BoolArray) -> ObservationCount:
        """Counts of one signal: `seen` (n_epoch, n_satellite observed), expected of those `satellites`."""
        columns = self.sky.column_of_satellite[satellites]
        return ObservationCount(
            subject,
            int(self.counts_by_bin[columns].sum()),
            int((seen & self.visible_when_observed).sum()),
            int(self.counts_above_cutoff[columns].sum()),
            int((seen & self.above_cutoff_when_observed).sum()),
        )

    def count_by_bin(self, seen: BoolArray, satellites: BoolArray) -> tuple[IntArray, IntArray]:
        """Expected and observed in each bin of elevation, (N_ELEVATION_BINS,) each."""
        expected = self.counts_by_bin[self.sky.column_of_satellite[satellites]].sum(axis=0)
        taken = self.bins_when_observed[seen & self.visible_when_observed]
        observed = np.bincount(taken, minlength=N_ELEVATION_BINS + 1)
        return expected[:N_ELEVATION_BINS], observed[:N_ELEVATION_BINS]


def elevation_bins(elevation_rad: NDArray[np.float64]) -> NDArray[np.int8]:
    """Bin of each elevation, N_ELEVATION_BINS where unknown."""
    with np.errstate(invalid="ignore"):
        bins = np.clip(np.degrees(elevation_rad) // ELEVATION_BIN_DEG, 0, N_ELEVATION_BINS - 1)
    return np.where(np.isfinite(bins), np.nan_to_num(bins), _UNKNOWN_BIN).astype(np.int8)


def bin_name(number: int) -> str:
    """ "20-30" of the third bin."""
    return f"{number * ELEVATION_BIN_DEG}-{(number + 1) * ELEVATION_BIN_DEG}"


def expected_sky(
    sky: SatelliteSky, tracked: BoolArray, *, interval_s: float, mask_deg: float, cutoff_deg: float
) -> ExpectedSky:
    """When satellites were to be observed; tracked : (n_epoch, n_satellite observed), any signal."""
    on_grid = np.zeros((sky.tai_ns.size, len(sky.satellites)), dtype=np.bool_)
    inside = sky.row_of_epoch >= 0
    on_grid[np.ix_(sky.row_of_epoch[inside], sky.column_of_satellite)] = tracked[inside]
    known = np.isfinite(sky.elevation_rad)
    with np.errstate(invalid="ignore"):
        visible = sky.elevation_rad >= np.radians(mask_deg)
        above = sky.elevation_rad >= np.radians(cutoff_deg)
    # Off the orbits (a satellite without, or hours that they do not cover) the passes speak.
    visible = np.where(known, visible, _inside_passes(on_grid, interval_s))
    bins = elevation_bins(sky.elevation_rad)
    n_satellite = len(sky.satellites)
    key = bins[visible] + (N_ELEVATION_BINS + 1) * np.nonzero(visible)[1]
    counts = np.bincount(key, minlength=n_satellite * (N_ELEVATION_BINS + 1))
    rows = np.maximum(sky.row_of_epoch, 0)[:, np.newaxis]
    columns = sky.column_of_satellite[np.newaxis, :]
    return ExpectedSky(
        sky,
        visible,
        above,
        bins,
        counts.reshape(n_satellite, N_ELEVATION_BINS + 1),
        above.sum(axis=0),
        visible[rows, columns] & inside[:, np.newaxis],
        above[rows, columns] & inside[:, np.newaxis],
        bins[rows, columns],
    )


def _inside_passes(on_grid: BoolArray, interval_s: float) -> BoolArray:
    """Epochs of a satellite's passes: observed, or between two observed ones that are near enough."""
    rows = np.arange(on_grid.shape[0])[:, np.newaxis]
    before = np.maximum.accumulate(np.where(on_grid, rows, -1), axis=0)
    far = on_grid.shape[0] + round(LONGEST_GAP_IN_PASS_S / max(interval_s, 1e-3)) + 2
    after = np.minimum.accumulate(np.where(on_grid, rows, far)[::-1], axis=0)[::-1]
    near = (after - before) * interval_s <= LONGEST_GAP_IN_PASS_S + interval_s
    return np.asarray((before >= 0) & near, dtype=np.bool_)


def count_expected(
    observations: Observations,
    expected: ExpectedSky,
    tracked: BoolArray,
    *,
    source_by_system: Mapping[str, str],
    interval_s: float,
    mask_deg: float,
    cutoff_deg: float,
) -> ExpectedObservations:
    """Counts of satellites at epochs, with any signal."""
    sky = expected.sky
    seen = tracked & expected.visible_when_observed
    seen_above = tracked & expected.above_cutoff_when_observed
    everything = np.ones(len(observations.satellites), dtype=np.bool_)
    observed_column = {int(c): k for k, c in enumerate(sky.column_of_satellite)}
    by_satellite = []
    not_tracked = []
    for column, name in enumerate(sky.satellites):
        k = observed_column.get(column)
        n_above = int(expected.counts_above_cutoff[column])
        if k is None and n_above * interval_s < SHORTEST_PASS_S:
            continue
        if k is None:
            not_tracked.append(name)
        by_satellite.append(
            ObservationCount(
                name,
                int(expected.counts_by_bin[column].sum()),
                0 if k is None else int(seen[:, k].sum()),
                n_above,
                0 if k is None else int(seen_above[:, k].sum()),
            )
        )
    total_expected, total_observed = expected.count_by_bin(tracked, everything)
    with_elevation = np.isfinite(sky.elevation_rad).any()
    observed_only = sky.column_of_satellite
    by_elevation = [
        ObservationCount(
            bin_name(b),
            int(total_expected[b]),
            int(total_observed[b]),
            int(total_expected[b]) if b * ELEVATION_BIN_DEG >= cutoff_deg else 0,
            int(total_observed[b]) if b * ELEVATION_BIN_DEG >= cutoff_deg else 0,
        )
        for b in range(N_ELEVATION_BINS)
        if with_elevation
    ]
    return ExpectedObservations(
        source_by_system=dict(source_by_system),
        horizon_mask_deg=mask_deg,
        cutoff_deg=cutoff_deg,
        total=expected.count("all", tracked, everything),
        by_satellite=tuple(by_satellite),
        by_elevation=tuple(by_elevation),
        by_hour=_by_hour(
            sky,
            expected.visible[:, observed_only].sum(axis=1),
            expected.above_cutoff[:, observed_only].sum(axis=1),
            seen.sum(axis=1),
            seen_above.sum(axis=1),
        ),
        not_tracked=tuple(not_tracked),
    )


def _by_hour(
    sky: SatelliteSky, expected: IntArray, expected_above: IntArray, seen: IntArray, seen_above: IntArray
) -> tuple[ObservationCount, ...]:
    hour_ns = 3600 * NANOSECONDS
    offset_ns = int(Epochs.from_datetime64(np.datetime64("2000-01-01T00:00:00", "ns")).tai_ns)
    hour = (sky.tai_ns - offset_ns) // hour_ns
    names, index = np.unique(hour, return_inverse=True)
    inside = sky.row_of_epoch >= 0
    of_epoch = index[sky.row_of_epoch[inside]]
    sums = [
        np.bincount(index, weights=expected),
        np.bincount(of_epoch, weights=seen[inside], minlength=names.size),
        np.bincount(index, weights=expected_above),
        np.bincount(of_epoch, weights=seen_above[inside], minlength=names.size),
    ]
    starts = Epochs(offset_ns + names * hour_ns)
    return tuple(
        ObservationCount(starts[k].iso()[:13], *(int(s[k]) for s in sums)) for k in range(names.size)
    )


def lowest_elevation_by_azimuth_deg(sky: SatelliteSky, tracked: BoolArray) -> dict[str, float]:
    """The horizon as tracked: first percentile of elevation in sectors of azimuth, "030-060" -> degrees."""
    azimuth = np.degrees(sky.at_observations(sky.azimuth_rad)[tracked])
    elevation = np.degrees(sky.at_observations(sky.elevation_rad)[tracked])
    good = np.isfinite(elevation)
    sector = (azimuth[good] // AZIMUTH_SECTOR_DEG).astype(np.int64)
    found = {}
    for k in np.unique(sector):
        low = float(np.percentile(elevation[good][sector == k], 1.0))
        found[f"{k * AZIMUTH_SECTOR_DEG:03d}-{(k + 1) * AZIMUTH_SECTOR_DEG:03d}"] = round(low, 1)
    return found
