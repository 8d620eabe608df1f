"""Products and antennas of a day, read once in a process and shared by all its stations.

They are found by the sha256 of what the files hold, so that a file that has changed is read again; the arrays
of these records are never written to. The last two days are kept: a worker goes through the stations of a day
before it goes to the next.
"""

from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from stations.formats.antex import read_antex
from stations.formats.products import find_products
from stations.records import AntennaCalibration, PreciseProducts
from transforms.time_scales import Epochs

_DAYS_KEPT: Final = 2


def day_products(
    reference_sha256: str,
    paths: tuple[str, ...],
    first: Epochs,
    last: Epochs,
    *,
    systems: str,
    ambiguities: str,
    centre: str | None,
    allow_mixed: bool,
) -> PreciseProducts:
    """What `find_products` gives for `first` to `last`, read once for the stations of a day.

    reference_sha256 : of all files that could serve
    """
    return _products(
        reference_sha256,
        paths,
        int(first.tai_ns),
        int(last.tai_ns),
        systems,
        ambiguities,
        centre,
        allow_mixed,
    )


@lru_cache(maxsize=_DAYS_KEPT)
def _products(
    _reference_sha256: str,
    paths: tuple[str, ...],
    first_ns: int,
    last_ns: int,
    systems: str,
    ambiguities: str,
    centre: str | None,
    allow_mixed: bool,
) -> PreciseProducts:
    return find_products(
        [Path(path) for path in paths],
        Epochs(np.asarray(first_ns)),
        Epochs(np.asarray(last_ns)),
        systems=systems,
        ambiguities=ambiguities,
        centre=centre,
        allow_mixed=allow_mixed,
    )


@lru_cache(maxsize=_DAYS_KEPT)
def shared_antennas(_reference_sha256: str, paths: tuple[str, ...]) -> tuple[AntennaCalibration, ...]:
    """Calibrations of several ANTEX files in their order: the first that has an antenna serves."""
    return tuple(calibration for path in paths for calibration in read_antex(Path(path)))
