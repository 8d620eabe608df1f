"""The code bias that BeiDou-2 satellites make on board: seen in the multipath combination, and removed.

Codes of the BeiDou-2 IGSO and MEO satellites change with elevation by 0.4 to 1.5 m (Wanninger and Beer 2015).
A station must show the same; one that does not has another fault, or a satellite has changed.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.beidou_generation import is_bds3
from stations.models.beidou2_code_bias import beidou2_code_correction_m
from stations.quality.multipath import ArcResiduals
from stations.quality_records import SatelliteCodeBias

FloatArray = NDArray[np.float64]

# BeiDou-2 in orbit since 2016 (CSNO-TARC constellation status); C16 of 2018 shows no bias.
KIND_BY_SATELLITE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("C06", "C07", "C08", "C09", "C10", "C13"), "BEIDOU-2I"),
    **dict.fromkeys(("C11", "C12", "C14"), "BEIDOU-2M"),
}
BIASED_BANDS: Final = frozenset({"C2", "C6", "C7"})
_LOW_DEG: Final = 40.0
_HIGH_DEG: Final = 60.0
_MINIMUM_VALUES: Final = 20  # of each, low and high, for a mean worth quoting


def _kind(satellite: str, day: str) -> str | None:
    """ANTEX type of a satellite that has the bias on an ISO day, None for every other."""
    return None if is_bds3(satellite, day) else KIND_BY_SATELLITE.get(satellite)


def code_corrections_m(
    satellites: tuple[str, ...], band: str, elevation_rad: FloatArray, day: str
) -> FloatArray | None:
    """What removes the bias, to be added to codes, (n_epoch, n_satellite); None where nothing is biased.

    elevation_rad : (n_epoch, n_satellite); where unknown the correction is NaN
    day : ISO day of the session, which tells what satellites were still BeiDou-2
    """
    columns = [k for k, name in enumerate(satellites) if _kind(name, day)]
    if band not in BIASED_BANDS or not columns or not np.isfinite(elevation_rad[:, columns]).any():
        return None
    found = np.zeros(elevation_rad.shape)
    for k in columns:
        name = satellites[k]
        found[:, k] = beidou2_code_correction_m(name, KIND_BY_SATELLITE[name], band, elevation_rad[:, k])
    return found


def seen_biases(
    satellites: tuple[str, ...],
    carrier: str,
    before: ArcResiduals,
    corrections_m: FloatArray,
    after: ArcResiduals,
    elevation_rad: FloatArray,
    day: str,
) -> list[SatelliteCodeBias]:
    """Low minus high elevation of the codes before and after the correction, for each kind of satellite.

    Only arcs that reach from low to high would compare fairly; satellites that have both are taken.
    """
    found = []
    with np.errstate(invalid="ignore"):
        low = np.degrees(elevation_rad) < _LOW_DEG
        high = np.degrees(elevation_rad) > _HIGH_DEG
    for kind in sorted(set(KIND_BY_SATELLITE.values())):
        rows: list[tuple[str, float, float, float]] = []
        for k, name in enumerate(satellites):
            if _kind(name, day) != kind:
                continue
            there = np.isfinite(before.values[:, k]) & np.isfinite(after.values[:, k])
            at_low, at_high = there & low[:, k], there & high[:, k]
            if min(at_low.sum(), at_high.sum()) < _MINIMUM_VALUES:
                continue
            observed, removed, remaining = (
                float(values[at_low, k].mean() - values[at_high, k].mean())
                for values in (before.values, -corrections_m, after.values)
            )
            rows.append((name, observed, removed, remaining))
        if rows:
            found.append(
                SatelliteCodeBias(
                    carrier,
                    kind,
                    tuple(r[0] for r in rows),
                    *(float(np.mean([r[i] for r in rows])) for i in (1, 2, 3)),
                )
            )
    return found
