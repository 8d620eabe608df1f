"""From all that a receiver tracked to two carriers for each satellite, and their unbroken arcs."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.ppp.doppler_slips import doppler_slips
from stations.ppp.glonass_channels import glonass_channels
from stations.ppp.inter_frequency_clock import (
    AFFECTED_BANDS,
    AFFECTED_SYSTEM,
    REFERENCE_BANDS,
    clock_difference_m,
    inter_frequency_remarks,
    slips_of_the_difference,
)
from stations.ppp.options import ATTRIBUTES, BEIDOU_GEOSTATIONARY, SIGNAL_PAIRS, PppOptions
from stations.ppp.signal_biases import bias_remarks, pair_biases
from stations.quality.cycle_slips import find_cycle_slips
from stations.records import Observations, SignalBiases
from stations.signals import carrier_frequency_hz
from transforms.constants import SPEED_OF_LIGHT_M_PER_S
from transforms.errors import InputError

FloatArray = NDArray[np.float64]

_ENOUGH_COVERAGE: Final = 0.5  # of the best signal of that band, else the next attribute is tried
# A range outside these is a broken number, not a satellite (GPS perigee to GEO at the horizon, +-1 ms clock).
_PSEUDORANGE_LIMITS_M: Final = (1.5e7, 5.0e7)
# Bias of a satellite's ionosphere-free code against its clock: what an OSB leaves (0.6 ns each, amplified),
# what an unknown attribute of the reference carriers brings (P1-C1 up to 2 ns), and what other carriers do
# (differential code biases of BeiDou-3 B1C/B2a against B1I/B3I spread by some tens of ns).
_CODE_BIAS_KNOWN_M: Final = 0.4
_CODE_BIAS_UNKNOWN_M: Final = 1.0
_CODE_BIAS_OTHER_CARRIERS_M: Final = 10.0


@dataclass(frozen=True, eq=False)
class DualFrequencyObservations:
    """Two carriers of each satellite, cleaned and cut into arcs.

    satellites : (n_satellite,) names; group : (n_satellite,) index of the receiver clock that a satellite's
        observations share, one for each system and pair of carriers
    groups : names of the groups, "C:2I+6I" by system and bands "C26"
    frequency_hz : (n_satellite, 2); code_m, phase_m : (n_epoch, n_satellite, 2), NaN where absent
    arc : (n_epoch, n_satellite) number of the arc of continuous phase, -1 where absent
    signals : (n_satellite,) what was used of each, "G:1W+2W"
    phase_bias_known : (n_satellite,) phases are freed of the satellite's biases: differences of their
        ambiguities between satellites are whole numbers
    code_bias_sigma_m : (n_satellite,) how far the ionosphere-free code may be off the clocks' reference
    rejections : reason -> count; remarks : what the output must say of the selection
    reference_phase_m : (n_epoch, n_satellite) phase of L2 of GPS satellites on L1 + L5, NaN for others and
        where absent, freed of receiver clock jumps as phase_m is; None where no satellite is on L1 + L5
    """

    epoch_ns: NDArray[np.int64]
    satellites: tuple[str, ...]
    bands: tuple[tuple[str, str], ...]
    group: NDArray[np.int64]
    groups: tuple[str, ...]
    frequency_hz: FloatArray
    code_m: FloatArray
    phase_m: FloatArray
    arc: NDArray[np.int64]
    signals: tuple[str, ...]
    phase_bias_known: NDArray[np.bool_]
    code_bias_sigma_m: FloatArray
    rejections: Mapping[str, int]
    remarks: tuple[str, ...] = ()
    reference_phase_m: FloatArray | None = None


def _best_signal(coverage: Mapping[str, int], system: str, wanted: str) -> str | None:
    """Of a band ("1") the preferred attribute among those tracked well enough; a signal as it is."""
    band = wanted[0]
    known = {s: n for s, n in coverage.items() if s.startswith(wanted) and n > 0}
    if not known:
        return None
    enough = _ENOUGH_COVERAGE * max(known.values())
    for attribute in ATTRIBUTES.get(system + band, ""):
        if known.get(band + attribute, 0) >= enough:
            return band + attribute
    return max(sorted(known), key=lambda s: known[s])


def choose_signals(observations: Observations, options: PppOptions) -> dict[str, tuple[str, str]]:
    """For each usable satellite the two signals, such as ("1W", "2W"), that serve.

    All satellites of a system share the pair of carriers that gives the system the most observations, apart
    from those that do not send it (BeiDou-2 has no B1C), which take their next pair.
    """
    data = observations.data
    signals = [str(s) for s in data["signal"].values]
    both = np.isfinite(data["pseudorange_m"].values) & np.isfinite(data["carrier_phase_cycles"].values)
    counts = both.sum(axis=0)
    chosen: dict[str, tuple[str, str]] = {}
    for index, satellite in enumerate(observations.satellites):
        system = satellite[0]
        if system not in options.systems or system not in options.signal_pairs:
            continue
        if satellite in options.excluded:
            continue
        if system == "C" and int(satellite[1:]) in BEIDOU_GEOSTATIONARY:
            continue
        coverage = {s: int(counts[index, k]) for k, s in enumerate(signals)}
        options_by_count: list[tuple[int, tuple[str, str]]] = []
        for first_wanted, second_wanted in options.signal_pairs[system]:
            first = _best_signal(coverage, system, first_wanted)
            second = _best_signal(coverage, system, second_wanted)
            if first is not None and second is not None:
                options_by_count.append((min(coverage[first], coverage[second]), (first, second)))
        if not options_by_count:
            continue
        most = max(count for count, _ in options_by_count)
        chosen[satellite] = next(pair for count, pair in options_by_count if count >= _ENOUGH_COVERAGE * most)
    return chosen


def _code_bias_sigma_m(
    satellites: tuple[str, ...], pairs: list[tuple[str, str]], known: NDArray[np.bool_]
) -> FloatArray:
    """How far each satellite's ionosphere-free code may lie off the signals that its clock refers to, m.

    The code of a GLONASS satellite has a bias of its own in each receiver, as its carriers have frequencies
    of their own (decimetres to metres): no product takes that off.
    """
    sigma = np.empty(len(satellites))
    for k, (satellite, pair) in enumerate(zip(satellites, pairs, strict=True)):
        reference = SIGNAL_PAIRS[satellite[0]][0]
        same_carriers = (pair[0][0], pair[1][0]) == reference
        sigma[k] = _CODE_BIAS_UNKNOWN_M if same_carriers else _CODE_BIAS_OTHER_CARRIERS_M
    sigma[known] = _CODE_BIAS_KNOWN_M
    sigma[[s[0] == "R" for s in satellites]] = _CODE_BIAS_OTHER_CARRIERS_M
    return sigma


def _slips_by_doppler(
    observations: Observations,
    chosen: Mapping[str, tuple[str, str]],
    satellites: tuple[str, ...],
    cycles: FloatArray,
    wavelength_m: FloatArray,
) -> NDArray[np.bool_]:
    """(n_epoch, n_satellite) slips of either carrier against its Doppler; none where the file holds none."""
    data = observations.data
    found = np.zeros(cycles.shape[:2], dtype=np.bool_)
    if "doppler_hz" not in data:
        return found
    place = {s: k for k, s in enumerate(observations.satellites)}
    signal_place = {str(s): k for k, s in enumerate(data["signal"].values)}
    time_s = (observations.epochs.tai_ns - observations.epochs.tai_ns[0]) / 1e9
    every = [place[s] for s in satellites]
    for j in (0, 1):
        signals = [signal_place[chosen[s][j]] for s in satellites]
        doppler_hz = data["doppler_hz"].values[:, every, signals].astype(np.float64)
        found |= doppler_slips(time_s, cycles[..., j], doppler_hz, wavelength_m[:, j])
    return found


def _is_affected(pair: tuple[str, str], satellite: str) -> bool:
    """Whether the clock of the satellite's pair is not the one that products hold: GPS on L1 + L5."""
    return satellite[0] == AFFECTED_SYSTEM and (pair[0][0], pair[1][0]) == AFFECTED_BANDS


def _reference_phase_m(
    observations: Observations, chosen: Mapping[str, tuple[str, str]], satellites: tuple[str, ...]
) -> FloatArray | None:
    """(n_epoch, n_satellite) phase of L2 of the satellites on L1 + L5, NaN for others; None without any."""
    data = observations.data
    signals = [str(s) for s in data["signal"].values]
    place = {s: k for k, s in enumerate(observations.satellites)}
    phase = data["carrier_phase_cycles"].values
    band = REFERENCE_BANDS[1]
    found = np.full((phase.shape[0], len(satellites)), np.nan)
    for k, satellite in enumerate(satellites):
        if not _is_affected(chosen[satellite], satellite):
            continue
        coverage = {s: int(np.isfinite(phase[:, place[satellite], j]).sum()) for j, s in enumerate(signals)}
        best = _best_signal(coverage, satellite[0], band[1])
        if best is not None:
            wavelength_m = SPEED_OF_LIGHT_M_PER_S / carrier_frequency_hz(band)
            found[:, k] = phase[:, place[satellite], signals.index(best)] * wavelength_m
    return found if np.isfinite(found).any() else None


def select_observations(
    observations: Observations,
    options: PppOptions,
    biases: SignalBiases | None = None,
    served: Collection[str] | None = None,
) -> DualFrequencyObservations:
    """Choose two carriers for each satellite, apply code biases, find arcs of continuous phase.

    served : satellites with orbits and clocks, of which alone the remarks speak; None speaks of all

    Raises InputError where no satellite of the asked systems has two usable carriers.
    """
    chosen = choose_signals(observations, options)
    if not chosen:
        raise InputError(
            f"no satellite of the systems {options.systems} was tracked on two carriers: "
            "nothing to form an ionosphere-free combination from"
        )
    rejections: dict[str, int] = {}
    glonass = glonass_channels(observations, chosen)
    channels = glonass.by_satellite
    unknown = [s for s in chosen if s[0] == "R" and s not in channels]
    if unknown:
        rejections["GLONASS satellite without a known channel"] = len(unknown)
        chosen = {s: pair for s, pair in chosen.items() if s not in unknown}
        if not chosen:
            raise InputError("no GLONASS satellite's frequency channel is known: no wavelength to count in")
    data = observations.data
    signal_place = {str(s): k for k, s in enumerate(data["signal"].values)}
    satellite_place = {s: k for k, s in enumerate(observations.satellites)}
    satellites = tuple(sorted(chosen))
    epoch_ns = observations.epochs.tai_ns
    code = np.empty((epoch_ns.size, len(satellites), 2))
    cycles = np.empty_like(code)
    lost = np.empty(code.shape, dtype=np.uint8)
    frequency = np.empty((len(satellites), 2))
    pairs = [chosen[s] for s in satellites]
    middle_ns = (int(epoch_ns[0]) + int(epoch_ns[-1])) // 2
    code_bias = pair_biases(biases, satellites, pairs, "C", middle_ns)
    wanted = biases if options.ambiguities == "fix" else None
    phase_bias = pair_biases(wanted, satellites, pairs, "L", middle_ns)
    all_code = data["pseudorange_m"].values
    all_phase = data["carrier_phase_cycles"].values
    all_lost = data["loss_of_lock"].values
    for k, satellite in enumerate(satellites):
        pair = chosen[satellite]
        for j, signal in enumerate(pair):
            place = (slice(None), satellite_place[satellite], signal_place[signal])
            code[:, k, j] = all_code[place] - code_bias.value_m[k, j]
            cycles[:, k, j] = all_phase[place]
            lost[:, k, j] = all_lost[place]
            frequency[k, j] = carrier_frequency_hz(satellite[0] + signal, channels.get(satellite))
    low, high = _PSEUDORANGE_LIMITS_M
    with np.errstate(invalid="ignore"):
        absurd = np.any((code < low) | (code > high), axis=2)
    if absurd.any():
        rejections["pseudorange absurd"] = int(absurd.sum())
    one_missing = np.isfinite(code).any(axis=2) & ~np.isfinite(code + cycles).all(axis=2) & ~absurd
    if one_missing.any():
        rejections["second carrier missing"] = int(one_missing.sum())
    drop = absurd | ~np.isfinite(code + cycles).all(axis=2)
    code[drop] = np.nan
    cycles[drop] = np.nan

    wavelength = SPEED_OF_LIGHT_M_PER_S / frequency
    time_s = (epoch_ns - epoch_ns[0]) / 1e9
    slips = find_cycle_slips(
        time_s,
        cycles[..., 0],
        cycles[..., 1],
        code[..., 0],
        code[..., 1],
        lost[..., 0],
        lost[..., 1],
        frequency[:, 0],
        frequency[:, 1],
        maximum_gap_s=options.maximum_gap_s,
    )
    # A receiver that steps its code by a millisecond and not its phase would part their common clock.
    jumps_m = np.cumsum(slips.code_clock_jump_ms) * 1e-3 * SPEED_OF_LIGHT_M_PER_S
    phase_m = cycles * wavelength + jumps_m[:, None, None] - phase_bias.value_m
    by_doppler = slips.present & _slips_by_doppler(observations, chosen, satellites, cycles, wavelength)
    alone = int(np.count_nonzero(by_doppler & ~slips.arc_start))
    if alone:
        rejections["cycle slip found by Doppler alone"] = alone
    start = slips.present & (slips.arc_start | by_doppler)
    reference_m = _reference_phase_m(observations, chosen, satellites)
    if reference_m is not None:
        reference_m += jumps_m[:, None]
        start |= slips.present & slips_of_the_difference(
            clock_difference_m(phase_m, reference_m, frequency), slips.present
        )
    number = np.cumsum(start.T.ravel()).reshape(start.T.shape).T - 1  # counts through satellite by satellite
    arc = np.where(slips.present, number, -1)

    names = [f"{s[0]}:{chosen[s][0][0]}{chosen[s][1][0]}" for s in satellites]
    groups = tuple(sorted(set(names)))
    labels = tuple(f"{s[0]}:{chosen[s][0]}+{chosen[s][1]}" for s in satellites)
    code_sigma_m = _code_bias_sigma_m(satellites, pairs, code_bias.known)
    told = np.array([served is None or s in served for s in satellites])
    centre = "" if biases is None else biases.centre
    return DualFrequencyObservations(
        epoch_ns=epoch_ns,
        satellites=satellites,
        bands=tuple((s[0] + chosen[s][0][0], s[0] + chosen[s][1][0]) for s in satellites),
        group=np.array([groups.index(n) for n in names], dtype=np.int64),
        groups=groups,
        frequency_hz=frequency,
        code_m=code,
        phase_m=phase_m,
        arc=arc.astype(np.int64),
        signals=labels,
        phase_bias_known=phase_bias.known & np.array([s[0] != "R" for s in satellites]),
        code_bias_sigma_m=code_sigma_m,
        rejections=rejections,
        remarks=(
            *glonass.remarks_on(set(satellites) if served is None else served),
            *bias_remarks(labels, code_bias, code_sigma_m, centre, told),
            *inter_frequency_remarks(
                [s for s, here in zip(satellites, told, strict=True) if here and _is_affected(chosen[s], s)],
                reference_m is not None,
            ),
        ),
        reference_phase_m=reference_m,
    )
