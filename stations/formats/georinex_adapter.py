"""The one place that knows georinex: its view of an observation file, turned into this house's names.

Kept as an independent reading for cross-checks, not as the reader: it merges a table for each epoch (minutes
for a day), keeps loss of lock for L1 and L2 only, drops event flags and cuts epochs of 100 satellites.
"""

from collections.abc import Sequence
from typing import Final

import georinex
import numpy as np
import xarray as xr

from stations.records import PathLike

_VARIABLE: Final = {"C": "pseudorange_m", "L": "carrier_phase_cycles", "D": "doppler_hz", "S": "cn0_dbhz"}


def read_through_georinex(
    path: PathLike, *, systems: Sequence[str], first: np.datetime64, last: np.datetime64
) -> xr.Dataset:
    """RINEX 3 observations of a time span as georinex reads them.

    Parameters
    ----------
    path : plain or gzipped RINEX 3 or Compact RINEX
    systems : letters of the systems
    first, last : epochs as the file writes them, both included

    Returns
    -------
    Dataset with dimensions and variable names of `stations.records.check_observations`, float64 throughout,
    epochs not converted and without loss of lock.
    """
    limits = tuple(t.astype("datetime64[us]").item() for t in (first, last))
    loaded = georinex.load(str(path), use=set(systems), tlim=limits)
    # Names such as "L1Clli" and "L1Cssi" are indicators.
    codes = [str(name) for name in loaded.data_vars if len(str(name)) == 3 and str(name)[0] in _VARIABLE]
    signals = sorted({code[1:] for code in codes})
    shape = (loaded.sizes["time"], loaded.sizes["sv"], len(signals))
    tables = {name: np.full(shape, np.nan) for name in _VARIABLE.values()}
    for code in codes:
        table = loaded[code].transpose("time", "sv").values
        tables[_VARIABLE[code[0]]][:, :, signals.index(code[1:])] = table
    dimensions = ("epoch", "satellite", "signal")
    return xr.Dataset(
        {name: (dimensions, table) for name, table in tables.items()},
        coords={
            "epoch": loaded["time"].values.astype("datetime64[ns]"),
            "satellite": [str(s) for s in loaded["sv"].values],
            "signal": signals,
        },
    )
