"""The slow difference between a GPS satellite's clock on L1 + L5 and that on L1 + L2.

Precise clocks of GPS are those of L1 + L2. On board of Block IIF the delay of L5 breathes with the
temperature: its phase runs off by up to 2 dm in the ionosphere-free combination over some hours, with periods
of a day and its parts; GPS III stays within 2 cm (Montenbruck et al. 2012, GPS Solutions 16, 303; Pan et al.
2017, GPS Solutions 21, 811; BOR1 2024-035: IIF 23 to 190 mm, GPS III 8 to 21 mm from peak to peak of a pass).

Where the receiver tracks L2 too, its own phases tell the difference: L1 + L2 minus L1 + L5, free of geometry,
clocks, troposphere and the first-order ionosphere. Its slow part is taken over, so that the fast part of the
solution, noise and multipath, remains that of L5.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.ppp.observation_equations import ionosphere_free_factors
from stations.signals import carrier_frequency_hz

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

AFFECTED_SYSTEM: Final = "G"
AFFECTED_BANDS: Final = ("1", "5")
REFERENCE_BANDS: Final = ("G1", "G2")
_NODE_STEP_S: Final = 1800.0  # straight lines: a sine of 12 h and 95 mm departs from them by 0.8 mm
# Between nodes: the steepest of BOR1 2024-035, 95 mm in amplitude over 12 h, runs 25 mm in half an hour.
_WALK_M: Final = 0.025
_DIFFERENCE_SIGMA_M: Final = 0.008  # of one difference of two combinations; BOR1: 4 to 10 mm
_FEWEST_IN_AN_ARC: Final = 3
SLIP_M: Final = 0.1  # a cycle of L2 is 0.38 m in the difference, of L5 0.32 m


def clock_difference_m(
    phase_m: FloatArray, reference_phase_m: FloatArray, frequency_hz: FloatArray
) -> FloatArray:
    """Ionosphere-free phase of L1 + L2 minus that of the satellite's own two carriers, L1 + L5; (...,), m.

    phase_m, frequency_hz : (..., 2) of its own two carriers; reference_phase_m : (...,) of L2
    """
    reference_hz = np.array([carrier_frequency_hz(band) for band in REFERENCE_BANDS])
    with_reference = np.stack([phase_m[..., 0], reference_phase_m], axis=-1)
    combined = np.sum(with_reference * ionosphere_free_factors(reference_hz), axis=-1)
    return np.asarray(combined - np.sum(phase_m * ionosphere_free_factors(frequency_hz), axis=-1))


def inter_frequency_remarks(affected: Sequence[str], corrected: bool) -> list[str]:
    """What the output must say where GPS satellites serve on L1 + L5."""
    if not affected:
        return []
    count = f"GPS on L1 + L5 ({len(affected)} satellites) with clocks of L1 + L2"
    if corrected:
        return [
            f"{count}: the slow difference of the two clocks (Block IIF: up to 2 dm over hours) is told by "
            "the receiver's own phases of L2, pass by pass; the solution is not independent of L2"
        ]
    return [
        f"{count}, and no L2 to tell their difference: on Block IIF it runs off by up to 2 dm over hours; "
        "expect residuals of 15 mm and a day's position wrong by 1 cm, its height by 4 cm"
    ]


def slips_of_the_difference(difference_m: FloatArray, present: BoolArray) -> BoolArray:
    """(n_epoch, n_satellite) epochs at which the difference has jumped since it was last there."""
    jumped = np.zeros(difference_m.shape, dtype=np.bool_)
    for k in range(difference_m.shape[1]):
        known = np.flatnonzero(present[:, k] & np.isfinite(difference_m[:, k]))
        jumped[known[1:], k] = np.abs(np.diff(difference_m[known, k])) > SLIP_M
    return jumped


def slow_variation_m(
    second_s: FloatArray, arc: IntArray, difference_m: FloatArray, elevation_rad: FloatArray
) -> FloatArray:
    """The slow part of the difference about its mean over each arc, at each row; (n,), m.

    second_s, arc, elevation_rad : (n,); difference_m : (n,) L1 + L2 minus L1 + L5, NaN where L2 lacks
    To be added to the phase of L1 + L5. Zero in arcs with fewer than three differences.
    """
    variation = np.zeros(second_s.size)
    order = np.argsort(arc, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(arc[order])) + 1):
        known = rows[np.isfinite(difference_m[rows])]
        if known.size < _FEWEST_IN_AN_ARC:
            continue
        start = float(second_s[rows].min())
        n_nodes = int(np.ceil((float(second_s[rows].max()) - start) / _NODE_STEP_S)) + 1
        place = (second_s - start) / _NODE_STEP_S
        observed = _weights_of_nodes(place[known], n_nodes)
        weight = np.sin(elevation_rad[known]) / _DIFFERENCE_SIGMA_M
        walk = (np.eye(n_nodes, k=1) - np.eye(n_nodes))[:-1] / _WALK_M
        mean_m = float(np.average(difference_m[known], weights=weight**2))
        right = np.concatenate([(difference_m[known] - mean_m) * weight, np.zeros(n_nodes - 1)])
        design = np.vstack([observed * weight[:, None], walk])
        nodes_m = np.linalg.lstsq(design, right, rcond=None)[0]
        variation[rows] = _weights_of_nodes(place[rows], n_nodes) @ nodes_m
    return variation


def _weights_of_nodes(place: FloatArray, n_nodes: int) -> FloatArray:
    """Shares (n, n_nodes) of the nodes in straight lines between them, at places (n,) counted in nodes."""
    return np.asarray(np.clip(1.0 - np.abs(place[:, None] - np.arange(n_nodes)), 0.0, 1.0))
