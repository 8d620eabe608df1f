"""Tables of attitudes joined in time: days of ORBEX files."""

from collections.abc import Sequence

import numpy as np

from stations.records import SatelliteAttitudes
from transforms.errors import InputError
from transforms.time_scales import Epochs


def join_attitudes(attitudes: Sequence[SatelliteAttitudes]) -> SatelliteAttitudes:
    """Join tables of attitudes in time; where two hold the same epoch, the first in the sequence serves."""
    if not attitudes:
        raise InputError("no attitudes to join")
    if len({a.frame for a in attitudes}) > 1 or len({a.centre for a in attitudes}) > 1:
        raise InputError("attitudes of different frames or centres cannot be joined")
    satellites = tuple(sorted({s for a in attitudes for s in a.satellites}))
    column = {s: i for i, s in enumerate(satellites)}
    tai_ns = np.unique(np.concatenate([a.epochs.tai_ns for a in attitudes]))
    joined = np.full((tai_ns.size, len(satellites), 4), np.nan)
    rejections: dict[str, int] = {}
    for table in reversed(attitudes):
        rows = np.searchsorted(tai_ns, table.epochs.tai_ns)
        joined[rows] = np.nan
        joined[np.ix_(rows, np.array([column[s] for s in table.satellites], dtype=np.intp))] = (
            table.quaternion_body_from_ecef
        )
        for reason, count in table.rejections.items():
            rejections[reason] = rejections.get(reason, 0) + count
    inputs = tuple(dict.fromkeys(i for a in attitudes for i in a.inputs))
    first = attitudes[0]
    return SatelliteAttitudes(
        Epochs(tai_ns, first.epochs.scale), satellites, joined, first.frame, first.centre, rejections, inputs
    )
