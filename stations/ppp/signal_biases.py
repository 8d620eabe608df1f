"""Code and phase biases of satellites, looked up by the signals that a solution uses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stations.records import SignalBiases

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PairBiases:
    """Biases of the two signals of each satellite, metres, to be subtracted from the observations.

    value_m : (n_satellite, 2), zero where unknown; known : (n_satellite,) whether both signals have one
    """

    value_m: FloatArray
    known: NDArray[np.bool_]


def pair_biases(
    biases: SignalBiases | None,
    satellites: Sequence[str],
    pairs: Sequence[tuple[str, str]],
    observable: Literal["C", "L"],
) -> PairBiases:
    """Observable-specific biases (OSB) of code ("C") or phase ("L").

    satellites : names; pairs : their two signals such as ("1W", "2W"). One signal's bias alone would shift
    a combination by itself, so a satellite takes both or neither.
    """
    value = np.zeros((len(satellites), 2))
    known = np.zeros(len(satellites), dtype=np.bool_)
    table = {}
    if biases is not None:
        table = {
            (b.satellite, b.signal): b.value_m for b in biases.biases if b.kind == "OSB" and not b.station
        }
    for k, (satellite, pair) in enumerate(zip(satellites, pairs, strict=True)):
        found = [table.get((satellite, observable + signal)) for signal in pair]
        if found[0] is not None and found[1] is not None:
            value[k] = found[0], found[1]
            known[k] = True
    return PairBiases(value, known)
