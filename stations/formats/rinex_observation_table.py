"""Decoded records of one or several files as one dense table of observations."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stations.formats.fixed_width import IntArray
from stations.formats.rinex_decoding import VARIABLE_OF_LETTER, SystemObservations
from stations.formats.satellite_names import satellite_name
from stations.records import OBSERVATION_VARIABLES
from transforms.time_scales import Epochs, TimeScale

if TYPE_CHECKING:
    import xarray as xr


def observation_table(
    parts: list[list[SystemObservations]], rows_of_epochs: Sequence[IntArray], tai_ns: IntArray
) -> "xr.Dataset":
    """One dense table; see `stations.records.check_observations`.

    Parameters
    ----------
    parts : for each file its parts; emptied on the way, so that parts and table are not both held
    rows_of_epochs : for each file the row of each of its epochs, -1 for those not wanted
    tai_ns : (n_row,) epochs of the rows, increasing
    """
    import xarray as xr  # half a second: after the files have been read, so that a bad one is told at once

    flat = [
        (part, rows[part.epoch]) for file, rows in zip(parts, rows_of_epochs, strict=True) for part in file
    ]
    for file in parts:
        file.clear()
    all_keys = [np.unique(part.satellite_key[row >= 0]) for part, row in flat]
    satellites = np.unique(np.concatenate(all_keys)) if all_keys else np.empty(0, dtype=np.int64)
    signals = sorted({s for part, _ in flat for s in part.signals})
    shape = (tai_ns.size, satellites.size, len(signals))
    letters = {letter for part, _ in flat for letter in part.letters}
    tables: dict[str, NDArray[np.generic]] = {}
    for letter, name in VARIABLE_OF_LETTER.items():
        if letter in letters or letter != "D":
            tables[name] = np.full(shape, np.nan, dtype=OBSERVATION_VARIABLES[name])
    tables["loss_of_lock"] = np.zeros(shape, dtype=np.uint8)
    if any(part.signal_strength is not None for part, _ in flat):
        tables["signal_strength"] = np.zeros(shape, dtype=np.uint8)
    flat.reverse()
    while flat:
        part, row = flat.pop()
        _scatter(part, row, satellites, signals, tables)
    dimensions = ("epoch", "satellite", "signal")
    return xr.Dataset(
        {name: (dimensions, table) for name, table in tables.items()},
        coords={
            "epoch": Epochs(tai_ns, TimeScale.GPST).datetime64(),
            "satellite": np.array([satellite_name(int(k)) for k in satellites], dtype="<U3"),
            "signal": np.array(signals, dtype="<U2"),
        },
    )


def _scatter(
    part: SystemObservations,
    row: IntArray,
    satellites: IntArray,
    signals: list[str],
    tables: dict[str, NDArray[np.generic]],
) -> None:
    kept = np.flatnonzero(row >= 0)
    everything = kept.size == row.size
    place = np.searchsorted(satellites, part.satellite_key[kept])
    base = (row[kept] * satellites.size + place) * len(signals)
    # Pseudoranges before phases: where both tell a signal strength, the phase's is taken.
    for column in sorted(range(len(part.letters)), key=lambda c: part.letters[c]):
        letter = part.letters[column]
        slot = base + signals.index(part.signals[column])
        values = part.values[:, column]
        tables[VARIABLE_OF_LETTER[letter]].reshape(-1)[slot] = values if everything else values[kept]
        if letter == "L":
            tables["loss_of_lock"].reshape(-1)[slot] = part.loss_of_lock[kept, column]
        if letter in "CL" and part.signal_strength is not None:
            strength = part.signal_strength[kept, column]
            there = np.flatnonzero(strength)
            tables["signal_strength"].reshape(-1)[slot[there]] = strength[there]
