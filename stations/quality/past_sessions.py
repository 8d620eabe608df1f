"""C/N0 of a station's earlier sessions: what today's is compared with."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from stations.quality_records import PastSignal
from transforms.time_scales import Epochs

MINIMUM_DAYS: Final = 3  # fewer have no median that one odd day cannot move


def past_cn0_by_elevation(
    past: Sequence[PastSignal], station: str, before: Epochs
) -> tuple[dict[tuple[str, str], float], int]:
    """Median of C/N0 by (signal, bin of elevation), dB-Hz, and the number of earlier days behind it.

    station : its first four characters count; before : sessions of this day and later are left out
    """
    day = before.iso()[:10]
    own = [p for p in past if p.station[:4].upper() == station[:4].upper() and p.day < day]
    days = {p.day for p in own}
    if len(days) < MINIMUM_DAYS:
        return {}, len(days)
    values: dict[tuple[str, str], list[float]] = {}
    for row in own:
        for name, cn0 in row.cn0_by_elevation_dbhz.items():
            values.setdefault((row.signal, name), []).append(cn0)
    return {k: float(np.median(v)) for k, v in values.items() if len(v) >= MINIMUM_DAYS}, len(days)
