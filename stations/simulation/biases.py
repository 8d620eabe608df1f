"""Hardware biases of satellites and receivers.

The centre's clocks contain the ionosphere-free code bias of its reference pair (GPS C1C+C2W, Galileo C1C+C5Q,
BeiDou C2I+C6I), so that pair's bias is zero by definition; B1C+B2a keeps one of its own, as in life.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from stations.signals import carrier_frequency_hz
from stations.simulation.random_streams import random_stream

REFERENCE_PAIR: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {"G": ("1C", "2W"), "E": ("1C", "5Q"), "C": ("2I", "6I")}
)
OTHER_SIGNALS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({"C": ("1P", "5P")})
SATELLITE_CODE_BIAS_SIGMA_M: Final = 1.5  # 5 ns
OTHER_PAIR_BIAS_SIGMA_M: Final = 0.3
RECEIVER_CODE_BIAS_SIGMA_M: Final = 4.0


def satellite_code_biases_m(names: tuple[str, ...], seed: int) -> dict[tuple[str, str], float]:
    """(satellite, signal "1C") -> code bias, m; to be added to the code."""
    biases: dict[tuple[str, str], float] = {}
    for name in names:
        generator = random_stream(seed, "satellite code bias", name)
        system = name[0]
        first, second = REFERENCE_PAIR[system]
        f1, f2 = (carrier_frequency_hz(system + signal) for signal in (first, second))
        bias = float(generator.standard_normal()) * SATELLITE_CODE_BIAS_SIGMA_M
        # f1^2 b1 - f2^2 b2 = 0: nothing is left in the ionosphere-free combination.
        biases[name, first], biases[name, second] = bias, bias * f1**2 / f2**2
        for signal in OTHER_SIGNALS.get(system, ()):
            ratio = (f1 / carrier_frequency_hz(system + signal)) ** 2
            own = float(generator.standard_normal()) * OTHER_PAIR_BIAS_SIGMA_M
            biases[name, signal] = bias * ratio + own
    return biases


def satellite_phase_biases_cycles(names: tuple[str, ...], seed: int) -> dict[tuple[str, str], float]:
    """(satellite, signal) -> fraction of a cycle that the satellite adds to its carrier."""
    return {
        (name, signal): float(random_stream(seed, "satellite phase bias", name, signal[0]).uniform(-0.5, 0.5))
        for name in names
        for signal in (*REFERENCE_PAIR[name[0]], *OTHER_SIGNALS.get(name[0], ()))
    }


def receiver_code_bias_m(station: str, signal: str, seed: int) -> float:
    """Delay of a receiver's code for a signal such as "C2I"; their differences make inter-system biases."""
    generator = random_stream(seed, "receiver code bias", station, signal)
    return float(generator.standard_normal()) * RECEIVER_CODE_BIAS_SIGMA_M


def receiver_phase_bias_cycles(station: str, signal: str, seed: int) -> float:
    """Fraction of a cycle that a receiver adds to a carrier."""
    return float(random_stream(seed, "receiver phase bias", station, signal[:2]).uniform(-0.5, 0.5))
