"""Suspicion of interference: the signal strength of all satellites on one band falls at once.

A tree or a reflection takes one satellite, a rising satellite is weak by itself; what takes all of them
together sits at the antenna: a jammer, a transmitter, a wet connector. The strength of each satellite is
first freed of what its elevation explains.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.quality.signals_tracked import carrier_name
from stations.quality_records import Interference
from stations.records import Observations
from stations.signals import carrier_frequency_hz

FloatArray = NDArray[np.float64]

MINIMUM_DROP_DB: Final = 3.0  # half the power, in the median of the satellites
MINIMUM_SHARE: Final = 0.8  # of the satellites must have lost half of that at least
MINIMUM_SATELLITES: Final = 4
MINIMUM_DURATION_S: Final = 60.0
BIN_DEG: Final = 5.0
BAND_WIDTH_HZ: Final = 10e6  # signals so near share a band: B1C and L1, B1I 14 MHz off does not
_TREND_DEGREE: Final = 4  # of a pass, where no elevation is known
_SHORTEST_PASS: Final = 30  # epochs


def find_interference(observations: Observations, elevation_rad: FloatArray) -> tuple[Interference, ...]:
    """Times at which a band's signals of all systems fell together; elevation_rad (n_epoch, n_satellite)."""
    data = observations.data
    strength = data["cn0_dbhz"].values
    signals = [str(s) for s in data["signal"].values]
    systems = np.array([s[0] for s in observations.satellites])
    bands: dict[int, list[FloatArray]] = {}
    names: dict[int, set[str]] = {}
    for system in np.unique(systems):
        index = np.flatnonzero(systems == system)
        best: dict[str, tuple[int, int]] = {}
        for number, signal in enumerate(signals):
            n = int(np.isfinite(strength[:, index, number]).sum())
            if n > best.get(signal[0], (0, 0))[0]:
                best[signal[0]] = (n, number)
        for _, number in best.values():
            try:
                frequency_hz = carrier_frequency_hz(str(system) + signals[number], 0)
            except KeyError:
                continue
            band = round(frequency_hz / BAND_WIDTH_HZ)
            values = strength[:, index, number].astype(np.float64)
            bands.setdefault(band, []).append(_without_trend(values, elevation_rad[:, index]))
            names.setdefault(band, set()).add(carrier_name(str(system), signals[number]))
    found: list[Interference] = []
    for band in sorted(bands, reverse=True):
        found += _common_drops(
            observations, np.concatenate(bands[band], axis=1), "/".join(sorted(names[band]))
        )
    return tuple(found)


def _without_trend(values: FloatArray, elevation_rad: FloatArray) -> FloatArray:
    """Strength minus the medians of 5 degrees of elevation and of the satellite, or minus a trend."""
    known = np.isfinite(elevation_rad)
    there = np.isfinite(values)
    result = np.full(values.shape, np.nan)
    with np.errstate(invalid="ignore"):
        bins = np.nan_to_num(np.degrees(elevation_rad) // BIN_DEG).astype(np.int64)
    for b in np.unique(bins[there & known]):
        inside = there & known & (bins == b)
        result[inside] = values[inside] - np.median(values[inside])
    for k in range(values.shape[1]):
        own = np.isfinite(result[:, k])
        if own.any():
            result[own, k] -= np.median(result[own, k])
        blind = np.flatnonzero(there[:, k] & ~known[:, k])
        if blind.size < _SHORTEST_PASS:
            continue
        for part in np.split(blind, np.flatnonzero(np.diff(blind) > _SHORTEST_PASS) + 1):
            if part.size >= _SHORTEST_PASS:
                x = np.linspace(-1.0, 1.0, part.size)
                trend = np.polynomial.polynomial.polyfit(x, values[part, k], _TREND_DEGREE)
                result[part, k] = values[part, k] - np.polynomial.polynomial.polyval(x, trend)
    return result


def _common_drops(observations: Observations, residual: FloatArray, carrier: str) -> list[Interference]:
    n = np.isfinite(residual).sum(axis=1)
    rows = np.flatnonzero(n >= MINIMUM_SATELLITES)
    if rows.size == 0:
        return []
    median = np.zeros(residual.shape[0])
    share = np.zeros(residual.shape[0])
    median[rows] = np.nanmedian(residual[rows], axis=1)
    with np.errstate(invalid="ignore"):
        share[rows] = (residual[rows] < -0.5 * MINIMUM_DROP_DB).sum(axis=1) / n[rows]
    bad = (median <= -MINIMUM_DROP_DB) & (share >= MINIMUM_SHARE)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], bad, [False]]).astype(np.int8)))
    epochs = observations.epochs
    found = []
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        lasts_s = float(epochs[int(end) - 1].seconds_since(epochs[int(begin)])) + observations.interval_s
        if lasts_s >= MINIMUM_DURATION_S:
            found.append(
                Interference(
                    carrier,
                    epochs[int(begin)],
                    epochs[int(end) - 1],
                    -float(median[begin:end].min()),
                    int(n[begin:end].max()),
                )
            )
    return found
