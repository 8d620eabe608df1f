"""Random numbers that depend on a seed and a name, not on the order in which things are simulated.

So one station's day can be made again without making all others, and a new fault moves no noise elsewhere.
"""

import zlib

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def random_stream(seed: int, *names: str) -> np.random.Generator:
    """A generator of its own for a subject such as ("clock", "G01")."""
    key = zlib.crc32("/".join(names).encode("utf-8"))
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, key])))


def random_walk(generator: np.random.Generator, n: int, step_sigma: float) -> FloatArray:
    """Random walk of n values that begins at zero."""
    steps = generator.standard_normal(n) * step_sigma
    steps[:1] = 0.0
    return np.cumsum(steps)


def gauss_markov(generator: np.random.Generator, n: int, sigma: float, memory: float) -> FloatArray:
    """Stationary first-order Gauss-Markov series of n values.

    memory : correlation of neighbouring values, exp(-step / correlation time), 0 to below 1
    """
    noise = generator.standard_normal(n)
    values = np.empty(n)
    last = noise[0] if n else 0.0
    innovation = float(np.sqrt(1.0 - memory**2))
    for i in range(n):
        last = noise[i] if i == 0 else memory * last + innovation * noise[i]
        values[i] = last
    return values * sigma
