"""Which BeiDou-3 satellites and carriers a station tracked, out of those that were up."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from stations.beidou_generation import is_bds3, unsure_of_generation
from stations.quality.expected_observations import SHORTEST_PASS_S
from stations.quality.signals_tracked import BDS3_CARRIERS, signals_by_satellite
from stations.readiness.constellation import (
    OrbitKind,
    orbit_kind,
)
from stations.readiness.records import Bds3Tracking, SatelliteTracking
from stations.readiness.sky import GriddedSky, carriers_of_satellites
from stations.records import Observations, SatelliteOrbits

FROM_TRACKED: Final = "no BeiDou orbits: only satellites that were tracked are known, a lower bound"
FROM_CONSTELLATION: Final = "no BeiDou orbits: the 24 MEO of the constellation, all of which rise in a day"
# In service since 2020-07-31 with 24 MEO, 3 IGSO and 3 GEO (China Satellite Navigation Office, BeiDou open
# service performance standard 3.0). An MEO of 55 degrees and 12.9 hours rises everywhere within a day.
COMPLETE_SINCE: Final = "2020-07-31"
N_MEO: Final = 24
_WHOLE_DAY_H: Final = 23.0
_MEO_OUT_OF_SERVICE: Final = 2  # 2023-001: C35 alone; more at once means that the orbits lack them
# B1C and B2a (BDS-SIS-ICD-B1C-1.0 and -B2a-1.0, section 1) are sent by the MEO and IGSO satellites alone.
SENDING_NEW: Final = frozenset({OrbitKind.MEO, OrbitKind.IGSO})


def bds3_satellites(observations: Observations, names: Sequence[str], day: str) -> tuple[str, ...]:
    """Of `names` those that are BeiDou-3 on the day or show it by a signal."""
    signals = signals_by_satellite(observations)
    return tuple(s for s in names if is_bds3(s, day, signals.get(s, ())))


def bds3_tracking(
    observations: Observations,
    sky: GriddedSky,
    orbits: Sequence[SatelliteOrbits],
    sources: Sequence[str],
    day: str,
    step_s: float,
) -> Bds3Tracking:
    """BeiDou-3 satellites up for half an hour or more above the cut-off, or tracked; carriers of each."""
    carriers = carriers_of_satellites(observations)
    up_h = sky.up.sum(axis=0) * step_s / 3600.0
    above = sky.up
    known = sky.source >= 0
    place = {name: k for k, name in enumerate(sky.satellites)}
    shortest_s = min(SHORTEST_PASS_S, sky.tai_ns.size * step_s)  # in a short session all of it
    rows = []
    for name in bds3_satellites(observations, sky.satellites, day):
        k = place[name]
        # On a BeiDou-3 satellite band 7 is B2b whatever the attribute: it sends no B2I.
        own = {"B2b" if c == "B2I" else c for c in carriers.get(name, ())} & set(BDS3_CARRIERS)
        long_enough = up_h[k] * 3600.0 >= shortest_s
        if not own and not long_enough:
            continue
        tracked = sky.tracked[:, k] & above[:, k] if known[k] else sky.tracked[:, k]
        rows.append(
            SatelliteTracking(
                name,
                orbit_kind(name, orbits[sky.source[k]] if known[k] else None).value,
                round(float(up_h[k]), 2) if known[k] else None,
                round(float(tracked.sum()) * step_s / 3600.0, 2),
                tuple(c for c in BDS3_CARRIERS if c in own),
            )
        )
    from_orbits = sorted({int(sky.source[place[r.satellite]]) for r in rows if r.visible_h is not None})
    sending = [r for r in rows if OrbitKind(r.kind) in SENDING_NEW]
    n_sending, visibility = len(sending), "; ".join(sources[k] for k in from_orbits)
    n_meo = sum(r.kind == OrbitKind.MEO for r in rows)
    whole = sky.tai_ns.size * step_s >= _WHOLE_DAY_H * 3600.0 and day >= COMPLETE_SINCE
    if not from_orbits:
        visibility = FROM_CONSTELLATION if whole else FROM_TRACKED
    lacking = whole and n_meo < (N_MEO - _MEO_OUT_OF_SERVICE if from_orbits else N_MEO)
    if lacking:
        # A file of one station's messages names only what that station heard.
        n_sending += N_MEO - n_meo
        if from_orbits:
            visibility += f"; these tell of {n_meo} of the {N_MEO} MEO: a lower bound"
    return Bds3Tracking(
        visibility=visibility,
        satellites=tuple(rows),
        satellites_by_carrier={c: sum(c in r.carriers for r in rows) for c in BDS3_CARRIERS},
        n_sending_new=n_sending,
        orbits_lack_meo=bool(from_orbits) and lacking,
        n_tracking_new=sum({"B1C", "B2a"} <= set(r.carriers) for r in sending),
        unsure=tuple(
            s
            for s in sky.satellites
            if s.startswith("C")
            and unsure_of_generation(s, day)
            and s not in {r.satellite for r in rows}
            and bool(np.any(sky.up[:, place[s]] | sky.tracked[:, place[s]]))
        ),
    )
