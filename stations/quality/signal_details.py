"""Every signal of every system: counts, strength, code multipath and noise, by elevation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.beidou_generation import day_of
from stations.quality.cycle_slips import MILLISECOND_JUMP_M, ObservedSlips, SlipMasks
from stations.quality.expected_observations import ELEVATION_BIN_DEG, N_ELEVATION_BINS, ExpectedSky
from stations.quality.false_lock import arcs_with, find_false_lock
from stations.quality.false_lock import describe as describe_false_locks
from stations.quality.multipath import (
    ArcResiduals,
    code_multipath_m,
    code_noise_m,
    residuals_about_arc_means,
)
from stations.quality.phase_noise import phase_noise_m
from stations.quality.satellite_code_bias import code_corrections_m, seen_biases
from stations.quality.signal_pairs import SignalPair, frequency_by_satellite_hz, satellite_names
from stations.quality.signals_tracked import carrier_name
from stations.quality_records import (
    ElevationBin,
    FalseLock,
    PairSlips,
    SatelliteCodeBias,
    SatelliteSlips,
    SignalDetails,
)
from stations.records import Observations
from transforms.constants import SPEED_OF_LIGHT_M_PER_S
from transforms.time_scales import NANOSECONDS

FloatArray = NDArray[np.float64]

# An arc shorter than this brings an ambiguity that it cannot pay for: a float ambiguity takes about as long
# to part from the height and the zenith delay.
SHORT_ARC_S: Final = 600.0


@dataclass(frozen=True, eq=False)
class SignalMultipath:
    """Code multipath of one signal, for figures and pictures.

    columns : (n,) into the observations' satellites; residuals : before, `unbiased` after the satellites' own
        bias has been removed (the same where there is none)
    """

    pair: SignalPair
    columns: NDArray[np.int64]
    residuals: ArcResiduals
    unbiased: ArcResiduals


def signal_multipath(
    observations: Observations,
    slips: Sequence[ObservedSlips],
    elevation_rad: FloatArray,
    lenders: Mapping[str, str],
) -> tuple[dict[tuple[str, str], SignalMultipath], tuple[SatelliteCodeBias, ...], tuple[FalseLock, ...]]:
    """Multipath of each (system, signal) from the first pair in which it takes part; biases, false locks.

    Arcs with a phase that is locked to nothing are left out: their combination says nothing of the code.

    slips : of the pairs searched, in order of preference; elevation_rad : (n_epoch, n_satellite)
    lenders : "G1W" -> "G1C", whose phase stands in the observations for the one that G1W lacks
    """
    data = observations.data
    signals = [str(s) for s in data["signal"].values]
    code, phase = data["pseudorange_m"].values, data["carrier_phase_cycles"].values
    channels = observations.header.glonass_channels
    found: dict[tuple[str, str], SignalMultipath] = {}
    biases: list[SatelliteCodeBias] = []
    locks: dict[tuple[str, str], FalseLock] = {}
    day = day_of(observations.epochs[0])
    time_s = (observations.epochs.tai_ns - observations.epochs.tai_ns[:1]) / NANOSECONDS
    searched = [(p, m) for s in slips for p, m in zip(s.pairs, s.masks, strict=True)]
    for pair, masks in searched:
        index = _columns(observations, pair.system)
        names = satellite_names(observations, index)
        running = _false_locks(observations, pair, index, time_s, lenders, locks)
        unlocked = arcs_with(running, masks) if running.any() else None
        # Milliseconds that the codes alone step by are the receiver's clock, which no arc's mean takes off.
        clock_m = np.cumsum(masks.code_clock_jump_ms)[:, np.newaxis] * MILLISECOND_JUMP_M
        for own, other in ((pair.first, pair.second), (pair.second, pair.first)):
            if (pair.system, own) in found:
                continue
            one, two = signals.index(own), signals.index(other)
            values = code_multipath_m(
                code[:, index, one] - clock_m,
                phase[:, index, one],
                phase[:, index, two],
                frequency_by_satellite_hz(names, own, channels),
                frequency_by_satellite_hz(names, other, channels),
            )
            if unlocked is not None:
                values = np.where(unlocked, np.nan, values)
            residuals = unbiased = residuals_about_arc_means(values, masks)
            corrections = code_corrections_m(names, pair.system + own[0], elevation_rad[:, index], day)
            if corrections is not None:
                unbiased = residuals_about_arc_means(values + corrections, masks)
                biases += seen_biases(
                    names,
                    carrier_name(pair.system, own),
                    residuals,
                    corrections,
                    unbiased,
                    elevation_rad[:, index],
                    day,
                )
            partner = SignalPair(pair.system, own, other)
            found[pair.system, own] = SignalMultipath(partner, index, residuals, unbiased)
    return found, tuple(biases), tuple(locks.values())


def _false_locks(
    observations: Observations,
    pair: SignalPair,
    columns: NDArray[np.int64],
    time_s: FloatArray,
    lenders: Mapping[str, str],
    locks: dict[tuple[str, str], FalseLock],
) -> NDArray[np.bool_]:
    """Epochs at which one of a pair's phases runs away; adds what is new to `locks`."""
    data = observations.data
    signals = [str(s) for s in data["signal"].values]
    names = satellite_names(observations, columns)
    channels = observations.header.glonass_channels
    phases_m = [
        data["carrier_phase_cycles"].values[:, columns, signals.index(s)]
        * (SPEED_OF_LIGHT_M_PER_S / frequency_by_satellite_hz(names, s, channels))
        for s in (pair.first, pair.second)
    ]
    running = find_false_lock(time_s, phases_m[0], phases_m[1])
    if running.any():
        codes = [
            data["pseudorange_m"].values[:, columns, signals.index(s)] for s in (pair.first, pair.second)
        ]
        one, two = (pair.system + s for s in (pair.first, pair.second))
        for lock in describe_false_locks(
            running,
            names,
            observations.epochs,
            (lenders.get(one, one), lenders.get(two, two)),
            (codes[0] - phases_m[0], codes[1] - phases_m[1]),
        ):
            locks.setdefault((lock.satellite, lock.signal), lock)
    return running


def _columns(observations: Observations, system: str) -> NDArray[np.int64]:
    return np.array([k for k, s in enumerate(observations.satellites) if s[0] == system], dtype=np.int64)


def signal_details(
    observations: Observations,
    multipath: Mapping[tuple[str, str], SignalMultipath],
    expected: ExpectedSky,
    past_cn0_dbhz: Mapping[tuple[str, str], float],
) -> tuple[SignalDetails, ...]:
    """Figures of every signal with a code or a phase.

    past_cn0_dbhz : (signal, "20-30") -> median of earlier sessions
    """
    data = observations.data
    code, phase = data["pseudorange_m"].values, data["carrier_phase_cycles"].values
    strength = data["cn0_dbhz"].values
    time_s = (observations.epochs.tai_ns - observations.epochs.tai_ns[:1]) / NANOSECONDS
    found = []
    for system in sorted({s[0] for s in observations.satellites}):
        index = _columns(observations, system)
        for number, signal in enumerate(str(s) for s in data["signal"].values):
            seen_own = np.isfinite(code[:, index, number]) | np.isfinite(phase[:, index, number])
            if not seen_own.any():
                continue
            seen = np.zeros((len(observations.epochs), len(observations.satellites)), dtype=np.bool_)
            seen[:, index] = seen_own
            satellites = np.asarray(seen.any(axis=0))
            own = multipath.get((system, signal))
            cn0 = strength[:, :, number]
            with_cn0 = seen & np.isfinite(cn0)
            found.append(
                SignalDetails(
                    signal=system + signal,
                    carrier=carrier_name(system, signal),
                    partner="" if own is None else system + own.pair.second,
                    n_satellites=int(satellites.sum()),
                    count=expected.count(system + signal, seen, satellites),
                    cn0_dbhz=float(cn0[with_cn0].mean(dtype=np.float64)) if with_cn0.any() else None,
                    multipath_rms_m=None if own is None else own.residuals.rms(),
                    multipath_without_bias_rms_m=None if own is None else own.unbiased.rms(),
                    multipath_above_cutoff_rms_m=None
                    if own is None
                    else own.residuals.rms(expected.above_cutoff_when_observed[:, own.columns]),
                    code_noise_m=None
                    if own is None
                    else code_noise_m(own.residuals, time_s, observations.interval_s),
                    n_outliers=0 if own is None else own.residuals.n_outliers,
                    past_cn0_dbhz=past_cn0_dbhz.get((system + signal, "all")),
                    by_elevation=_by_elevation(
                        system + signal, seen, satellites, cn0, own, expected, past_cn0_dbhz
                    ),
                )
            )
    return tuple(found)


def _by_elevation(
    signal: str,
    seen: NDArray[np.bool_],
    satellites: NDArray[np.bool_],
    cn0: NDArray[np.float32],
    multipath: SignalMultipath | None,
    expected: ExpectedSky,
    past_cn0_dbhz: Mapping[tuple[str, str], float],
) -> tuple[ElevationBin, ...]:
    if not np.isfinite(expected.sky.elevation_rad).any():
        return ()
    n_expected, n_observed = expected.count_by_bin(seen, satellites)
    bins = expected.bins_when_observed
    strong = seen & np.isfinite(cn0)
    n_strength = np.bincount(bins[strong], minlength=N_ELEVATION_BINS + 1)
    total = np.bincount(bins[strong], weights=cn0[strong].astype(np.float64), minlength=N_ELEVATION_BINS + 1)
    n_multipath = np.zeros(N_ELEVATION_BINS + 1, dtype=np.int64)
    squares: FloatArray = np.zeros(N_ELEVATION_BINS + 1)
    paid = 1.0
    if multipath is not None and multipath.unbiased.n > multipath.unbiased.n_arcs:
        values = multipath.unbiased.values
        good = np.isfinite(values)
        own = bins[:, multipath.columns][good]
        n_multipath = np.asarray(np.bincount(own, minlength=N_ELEVATION_BINS + 1), dtype=np.int64)
        squares = np.asarray(np.bincount(own, values[good] ** 2, N_ELEVATION_BINS + 1), dtype=np.float64)
        paid = multipath.unbiased.n / (multipath.unbiased.n - multipath.unbiased.n_arcs)
    found = []
    for b in range(N_ELEVATION_BINS):
        low, high = b * ELEVATION_BIN_DEG, (b + 1) * ELEVATION_BIN_DEG
        found.append(
            ElevationBin(
                float(low),
                float(high),
                int(n_expected[b]),
                int(n_observed[b]),
                float(total[b] / n_strength[b]) if n_strength[b] else None,
                float(np.sqrt(squares[b] / n_multipath[b] * paid)) if n_multipath[b] else None,
                int(n_multipath[b]),
                past_cn0_dbhz.get((signal, f"{low}-{high}")),
            )
        )
    return tuple(found)


def pair_slips(
    observations: Observations, slips: ObservedSlips, elevation_rad: FloatArray
) -> tuple[PairSlips, ...]:
    """Slips, arcs and phase noise of each pair searched."""
    signals = [str(s) for s in observations.data["signal"].values]
    phase = observations.data["carrier_phase_cycles"].values
    time_s = (observations.epochs.tai_ns - observations.epochs.tai_ns[:1]) / NANOSECONDS
    found = []
    for pair, masks in zip(slips.pairs, slips.masks, strict=True):
        index = _columns(observations, pair.system)
        names = satellite_names(observations, index)
        channels = observations.header.glonass_channels
        one_m, two_m = (
            phase[:, index, signals.index(s)]
            * (SPEED_OF_LIGHT_M_PER_S / frequency_by_satellite_hz(names, s, channels))
            for s in (pair.first, pair.second)
        )
        counts = masks.counts()
        lengths_s = _arc_lengths_s(masks, time_s)
        found.append(
            PairSlips(
                pair=str(pair),
                n_observations=int(masks.present.sum()),
                n_slips=counts["slips"],
                n_confirmed=int((masks.geometry_free | masks.melbourne_wuebbena).sum()),
                n_loss_of_lock=counts["loss of lock"],
                n_geometry_free=counts["geometry-free"],
                n_melbourne_wuebbena=counts["Melbourne-Wuebbena"],
                n_arcs=lengths_s.size,
                n_short_arcs=int((lengths_s < SHORT_ARC_S).sum()),
                phase_noise_m=phase_noise_m(one_m, two_m, masks, elevation_rad[:, index]),
            )
        )
    return tuple(found)


def _arc_lengths_s(masks: SlipMasks, time_s: FloatArray) -> FloatArray:
    """From the first to the last epoch of every arc, s."""
    lengths = []
    for k in range(masks.present.shape[1]):
        rows = np.flatnonzero(masks.present[:, k])
        if rows.size == 0:
            continue
        starts = np.flatnonzero(masks.arc_start[rows, k])
        last = np.append(starts[1:], rows.size) - 1
        lengths.append(time_s[rows[last]] - time_s[rows[starts]])
    return np.concatenate(lengths) if lengths else np.zeros(0)


def satellite_slips(observations: Observations, slips: ObservedSlips) -> tuple[SatelliteSlips, ...]:
    """Slips of each satellite with their times; one that several pairs show is one."""
    epochs = observations.epochs
    n_present = np.zeros(len(observations.satellites), dtype=np.int64)
    present = np.zeros((len(epochs), len(observations.satellites)), dtype=np.bool_)
    for pair, masks in zip(slips.pairs, slips.masks, strict=True):
        present[:, _columns(observations, pair.system)] |= masks.present
    n_present = present.sum(axis=0)
    any_pair = np.asarray(slips.slip.any(axis=2))
    return tuple(
        SatelliteSlips(name, int(n_present[k]), int(any_pair[:, k].sum()), epochs[any_pair[:, k]])
        for k, name in enumerate(observations.satellites)
        if n_present[k]
    )
