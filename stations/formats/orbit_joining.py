"""Tables of orbits joined in time: days of SP3 or ORBEX files."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from stations.formats.fixed_width import BoolArray, FloatArray, IntArray
from stations.records import SatelliteOrbits
from transforms.errors import InputError
from transforms.time_scales import Epochs


def join_orbits(orbits: Sequence[SatelliteOrbits]) -> SatelliteOrbits:
    """Join tables of orbits in time; where two hold the same epoch, the first in the sequence serves.

    Satellites of any table are kept, NaN where a table does not have them. Frame and centre must agree
    (InputError names them where they do not).
    """
    if not orbits:
        raise InputError("no orbits to join")
    for name, values in (
        ("frames", {o.frame for o in orbits}),
        ("analysis centres", {o.centre for o in orbits}),
    ):
        if len(values) > 1:
            raise InputError(f"orbits of different {name} cannot be joined: {', '.join(sorted(values))}")
    if len(orbits) == 1:
        return orbits[0]
    satellites = tuple(sorted({s for o in orbits for s in o.satellites}))
    tai_ns = np.unique(np.concatenate([o.epochs.tai_ns for o in orbits]))
    place = _Placement(orbits, satellites, tai_ns)
    position = place.reals([o.position_ecef_m for o in orbits], 3)
    clock = place.reals([o.clock_s for o in orbits])
    manoeuvre = place.flags([o.manoeuvre for o in orbits])
    if position is None or clock is None or manoeuvre is None:
        raise InputError("orbits without positions, clocks and flags cannot be joined")
    accuracy_m: dict[str, float] = {}
    for table in orbits:
        for satellite, sigma_m in table.accuracy_m.items():
            accuracy_m[satellite] = max(sigma_m, accuracy_m.get(satellite, 0.0))
    inputs = tuple(dict.fromkeys(i for o in orbits for i in o.inputs))
    return replace(
        orbits[0],
        epochs=Epochs(tai_ns, orbits[0].epochs.scale),
        satellites=satellites,
        position_ecef_m=position,
        clock_s=clock,
        manoeuvre=manoeuvre,
        inputs=inputs,
        velocity_ecef_m_per_s=place.reals([o.velocity_ecef_m_per_s for o in orbits], 3),
        clock_rate_s_per_s=place.reals([o.clock_rate_s_per_s for o in orbits]),
        position_sigma_m=place.reals([o.position_sigma_m for o in orbits], 3),
        clock_sigma_s=place.reals([o.clock_sigma_s for o in orbits]),
        orbit_predicted=place.flags([o.orbit_predicted for o in orbits]),
        clock_predicted=place.flags([o.clock_predicted for o in orbits]),
        clock_event=place.flags([o.clock_event for o in orbits]),
        accuracy_m=accuracy_m,
        remarks=tuple(dict.fromkeys(text for o in orbits for text in o.remarks)),
    )


class _Placement:
    """Where the epochs and satellites of several tables stand in the joined one."""

    def __init__(
        self, orbits: Sequence[SatelliteOrbits], satellites: tuple[str, ...], tai_ns: IntArray
    ) -> None:
        column = {s: i for i, s in enumerate(satellites)}
        self._shape = (tai_ns.size, len(satellites))
        self._rows = [np.searchsorted(tai_ns, o.epochs.tai_ns) for o in orbits]
        self._columns = [np.array([column[s] for s in o.satellites], dtype=np.intp) for o in orbits]

    def reals(self, tables: Sequence[FloatArray | None], components: int = 0) -> FloatArray | None:
        """One table from several, NaN where none serves; None where no file has it."""
        if all(table is None for table in tables):
            return None
        joined = np.full((*self._shape, components) if components else self._shape, np.nan)
        # The first is written last and so prevails, and over whole epochs: a later table must not fill
        # one satellite of an earlier one's epoch.
        for rows, columns, table in reversed(list(zip(self._rows, self._columns, tables, strict=True))):
            joined[rows] = np.nan
            if table is not None:
                joined[np.ix_(rows, columns)] = table
        return joined

    def flags(self, tables: Sequence[BoolArray | None]) -> BoolArray | None:
        """Like `reals`, False where none serves."""
        if all(table is None for table in tables):
            return None
        joined = np.zeros(self._shape, dtype=np.bool_)
        for rows, columns, table in reversed(list(zip(self._rows, self._columns, tables, strict=True))):
            joined[rows] = False
            if table is not None:
                joined[np.ix_(rows, columns)] = table
        return joined
