"""Code and phase biases of satellites, looked up by the signals that a solution uses.

Analysis centres publish the biases of single signals (OSB) or the differences of two signals (DSB, formerly
DCB). A clock refers to the ionosphere-free combination of two signals, whose biases cancel in it by
definition; with that, a chain of differences gives each signal in it a bias of its own (Schaer 2016,
SINEX_BIAS, section 2; Montenbruck, Hauschild and Steigenberger 2014, Navigation 61, 191).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from stations.records import SignalBias, SignalBiases
from stations.signals import carrier_frequency_hz

FloatArray = NDArray[np.float64]

# The two signals that the clocks of the IGS and its MGEX centres refer to (IGS, Guidelines for MGEX
# products; the comment blocks of COD's, GRG's and GFZ's bias files). Galileo and QZSS receivers track either
# the pilots or data and pilot together, which no published difference connects.
CLOCK_REFERENCE_SIGNALS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = MappingProxyType(
    {
        "G": (("1W", "2W"),),
        "E": (("1C", "5Q"), ("1X", "5X")),
        "C": (("2I", "6I"),),
        "J": (("1C", "2L"), ("1X", "2X")),
        "R": (("1P", "2P"),),
    }
)
# Of a difference without a sigma in its file; daily values of CAS repeat by about as much (0.1 ns).
_SIGMA_OF_A_DIFFERENCE_M: Final = 0.03
_SIGMA_OF_WHAT_HOLDS_M: Final = 1e-6  # an OSB, or the clocks' definition: far firmer than any difference

BiasSource = Literal["OSB", "DSB", ""]


@dataclass(frozen=True, eq=False)
class PairBiases:
    """Biases of the two signals of each satellite, metres, to be subtracted from the observations.

    value_m : (n_satellite, 2), zero where unknown; known : (n_satellite,) whether both signals have one
    source : (n_satellite,) whether both are given by themselves ("OSB") or a difference took part ("DSB")
    """

    value_m: FloatArray
    known: NDArray[np.bool_]
    source: tuple[BiasSource, ...]


def pair_biases(
    biases: SignalBiases | None,
    satellites: Sequence[str],
    pairs: Sequence[tuple[str, str]],
    observable: Literal["C", "L"],
    at_tai_ns: int | None = None,
) -> PairBiases:
    """Biases of code ("C") or phase ("L"): of the signals themselves (OSB), of code else by differences.

    satellites : names; pairs : their two signals such as ("1W", "2W"). One signal's bias alone would shift
    a combination by itself, so a satellite takes both or neither.
    at_tai_ns : an instant, of which only the biases valid then serve; None takes all, the last of each
    """
    value = np.zeros((len(satellites), 2))
    known = np.zeros(len(satellites), dtype=np.bool_)
    source: list[BiasSource] = []
    wanted = set(satellites)
    by_satellite: dict[str, list[SignalBias]] = {}
    for bias in () if biases is None else biases.biases:
        if bias.satellite not in wanted or bias.station or bias.signal[:1] != observable:
            continue
        if at_tai_ns is None or int(bias.valid_from.tai_ns) <= at_tai_ns <= int(bias.valid_until.tai_ns):
            by_satellite.setdefault(bias.satellite, []).append(bias)
    for k, (satellite, pair) in enumerate(zip(satellites, pairs, strict=True)):
        own = by_satellite.get(satellite, [])
        absolute = {b.signal[1:]: b.value_m for b in own if b.kind == "OSB"}
        found: Mapping[str, float] = absolute
        how: BiasSource = "OSB"
        if observable == "C" and not absolute.keys() >= set(pair):
            found = biases_by_differences(satellite[0], absolute, [b for b in own if b.kind == "DSB"])
            how = "DSB"
        if found.keys() >= set(pair):
            value[k] = [found[signal] for signal in pair]
            known[k] = True
        source.append(how if known[k] else "")
    return PairBiases(value, known, tuple(source))


def biases_by_differences(
    system: str, absolute: Mapping[str, float], differences: Sequence[SignalBias]
) -> dict[str, float]:
    """Code bias of each signal of one satellite that differences connect with what is known, m.

    absolute : signal ("1W") -> bias that is known by itself; where there is none, the clocks' definition
        holds: the biases of their two reference signals cancel in the ionosphere-free combination
    differences : bias of the first signal minus that of the second; where they close a ring, least squares
    """
    links = {(b.signal[1:], b.second_signal[1:]): b for b in differences}
    if absolute:
        held = [({signal: 1.0}, bias_m) for signal, bias_m in absolute.items()]
        return {**_connected_biases(links, _reached(set(absolute), links), held), **absolute}
    found: dict[str, float] = {}
    for first, second in CLOCK_REFERENCE_SIGNALS.get(system, ()):
        reached = _reached({first}, links)
        if second in reached and first not in found:
            first_hz2, second_hz2 = (carrier_frequency_hz(system + s, 0) ** 2 for s in (first, second))
            apart = first_hz2 - second_hz2
            cancel = ({first: first_hz2 / apart, second: -second_hz2 / apart}, 0.0)
            found.update(_connected_biases(links, reached, [cancel]))
    return found


def _connected_biases(
    links: Mapping[tuple[str, str], SignalBias],
    reached: set[str],
    held: Sequence[tuple[Mapping[str, float], float]],
) -> dict[str, float]:
    """Least squares of the signals reached: differences, and firm equations (factors by signal, value)."""
    names = sorted(reached)
    used = [(pair, bias) for pair, bias in links.items() if pair[0] in reached]
    design = np.zeros((len(held) + len(used), len(names)))
    right = np.zeros(len(design))
    sigma = np.full(len(design), _SIGMA_OF_WHAT_HOLDS_M)
    for k, (factors, value_m) in enumerate(held):
        for signal, factor in factors.items():
            design[k, names.index(signal)] = factor
        right[k] = value_m
    for k, ((first, second), bias) in enumerate(used, start=len(held)):
        design[k, names.index(first)], design[k, names.index(second)] = 1.0, -1.0
        right[k] = bias.value_m
        sigma[k] = bias.sigma_m if bias.sigma_m > 0.0 else _SIGMA_OF_A_DIFFERENCE_M
    solution = np.linalg.lstsq(design / sigma[:, None], right / sigma, rcond=None)[0]
    return {signal: float(value) for signal, value in zip(names, solution, strict=True)}


def _reached(start: set[str], links: Mapping[tuple[str, str], object]) -> set[str]:
    """Signals that links connect with those of `start`, these included."""
    reached = set(start)
    while True:
        further = {s for pair in links for s in pair if reached & set(pair)} - reached
        if not further:
            return reached
        reached |= further


def bias_remarks(
    signals: Sequence[str],
    code: PairBiases,
    code_sigma_m: FloatArray,
    centre: str,
    told: NDArray[np.bool_],
) -> list[str]:
    """Which code biases were applied to which signals, and which satellites have none, in words.

    signals : (n_satellite,) such as "G:1C+2W"; code_sigma_m : (n_satellite,) what is left free
    told : (n_satellite,) whether a satellite is spoken of
    """
    ways = {
        "OSB": f"observable-specific (OSB) of {centre}",
        "DSB": "by differences (DSB)",
    }
    remarks = []
    for source, words in ways.items():
        count = _counted([signals[k] for k in np.flatnonzero(told).tolist() if code.source[k] == source])
        if count:
            remarks.append(f"code biases of satellites, {words}: {count}")
    without = [k for k in np.flatnonzero(told).tolist() if not code.source[k]]
    if without:
        free_m = {signals[k]: float(code_sigma_m[k]) for k in without}
        free = ", ".join(f"{signal} by {sigma:g} m" for signal, sigma in sorted(free_m.items()))
        count = _counted([signals[k] for k in without])
        remarks.append(f"no code biases known for {count}: each satellite's code is left free ({free})")
    return remarks


def _counted(signals: Sequence[str]) -> str:
    counts = [(signal, signals.count(signal)) for signal in sorted(set(signals))]
    return ", ".join(f"{signal} ({n} satellite{'s' * (n > 1)})" for signal, n in counts)
