"""Orbits and clocks as the satellites send them, in the form that a baseline takes.

Broadcast orbits are good to a metre or two. What both stations see of that is nearly the same: it costs a
baseline about its length over 20,000 km times that, 0.1 mm in 1 km and 5 mm in 50 km.
"""

from typing import Final

import numpy as np

from stations.models.broadcast_orbit import broadcast_states
from stations.navigation_records import NavigationMessages
from stations.records import PreciseProducts, SatelliteOrbits
from transforms.errors import InputError
from transforms.time_scales import Epochs

_STEP_S: Final = 300.0
_MARGIN_STEPS: Final = 6  # interpolation takes as many epochs to either side
FRAME: Final = "WGS 84"


def broadcast_products(
    navigation: NavigationMessages, first: Epochs, last: Epochs, *, systems: str
) -> PreciseProducts:
    """Products made of broadcast messages, for observations from `first` to `last` (each shape ()).

    The positions are those of the satellites' phase centres: satellite antennas must not be applied to them.

    Raises InputError where no healthy satellite of the systems has a message near enough in time.
    """
    step_ns = round(_STEP_S * 1e9)
    begin = int(first.tai_ns) - _MARGIN_STEPS * step_ns
    count = (int(last.tai_ns) - begin) // step_ns + _MARGIN_STEPS + 2
    epochs = Epochs(begin + step_ns * np.arange(count))
    satellites = [s for s in navigation.satellites if s[0] in systems]
    states = broadcast_states(navigation, epochs, satellites=satellites)
    served = np.asarray(np.isfinite(states.clock_s).any(axis=0))
    if not served.any():
        raise InputError(
            f"the navigation messages serve no satellite of the systems {systems} at {first.iso()} GPST: "
            "they are of another time"
        )
    names = tuple(name for name, there in zip(satellites, served, strict=True) if there)
    orbits = SatelliteOrbits(
        epochs=epochs,
        satellites=names,
        position_ecef_m=states.position_ecef_m[:, served],
        clock_s=states.clock_s[:, served],
        manoeuvre=np.zeros((len(epochs), len(names)), dtype=np.bool_),
        frame=FRAME,
        centre="broadcast",
        inputs=navigation.inputs,
    )
    counts = ", ".join(f"{s} {sum(name[0] == s for name in names)}" for s in systems)
    return PreciseProducts(
        centre="broadcast",
        mixed=False,
        orbits=orbits,
        clocks=None,
        earth_rotation=None,
        biases=None,
        remarks=(f"broadcast orbits: {counts} satellites, good to a metre or two",),
    )
