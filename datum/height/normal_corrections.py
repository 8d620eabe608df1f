"""From levelled differences and gravity to normal height differences.

The levelled difference depends on the way; the potential difference does not. For a line from A to B with
levelled difference dn and mean gravity g along it (Heiskanen and Moritz 1967, Physical Geodesy, sections 4-3
to 4-6; the Chinese specification GB/T 12897-2006 splits the same into a non-parallelism correction and a
gravity anomaly correction):

    NC_AB = (g - g0)/g0 dn + (mean_A - g0)/g0 H_A - (mean_B - g0)/g0 H_B
    H_B - H_A = dn + NC_AB

with mean_X the mean normal gravity along the plumb line of X and g0 any constant, here that of latitude 45.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from datum.gravity.normal_gravity import (
    mean_normal_gravity_m_per_s2,
    normal_gravity_above_m_per_s2,
    normal_gravity_m_per_s2,
)
from datum.height.levelling import approximate_heights_m
from datum.records import LevellingLine, LevellingNetwork
from transforms.ellipsoids import CGCS2000, Ellipsoid
from transforms.errors import InputError

PASSES: Final = 2  # see correct_to_normal_heights


@dataclass(frozen=True)
class NormalCorrection:
    """The correction of one line: correction_m is added to the levelled difference.

    from_normal_field : whether gravity was missing at an end and was taken from the normal field
    """

    line: str
    correction_m: float
    from_normal_field: bool


def correct_to_normal_heights(
    network: LevellingNetwork,
    gravity_m_per_s2: Mapping[str, float],
    *,
    ellipsoid: Ellipsoid = CGCS2000,
) -> tuple[LevellingNetwork, tuple[NormalCorrection, ...]]:
    """Turn levelled differences into differences of normal height.

    Parameters
    ----------
    network : with positions of all bench marks on lines; its known heights are normal heights
    gravity_m_per_s2 : bench mark -> gravity; missing ones are taken from the normal field, and said

    Returns
    -------
    the network with corrected differences, and the correction of each line in their order

    Raises InputError naming a bench mark without a position.
    """
    corrected = network
    # The heights at which normal gravity is taken come from levelling, at first without its correction, which
    # is some decimetres at most; once it is applied the correction is good to a tenth of a micrometre.
    for _ in range(PASSES):
        height = approximate_heights_m(corrected)
        corrections = tuple(
            _correction(line, network, height, gravity_m_per_s2, ellipsoid) for line in network.lines
        )
        lines = tuple(
            replace(line, height_difference_m=line.height_difference_m + correction.correction_m)
            for line, correction in zip(network.lines, corrections, strict=True)
        )
        corrected = replace(network, lines=lines)
    return corrected, corrections


def _correction(
    line: LevellingLine,
    network: LevellingNetwork,
    height_m: Mapping[str, float],
    gravity_m_per_s2: Mapping[str, float],
    ellipsoid: Ellipsoid,
) -> NormalCorrection:
    reference = float(normal_gravity_m_per_s2(math.pi / 4.0, ellipsoid))
    observed, mean = [], []
    for name in (line.frm, line.to):
        if name not in network.geodetic_position_deg:
            raise InputError(f"bench mark {name} has no latitude: line {line.name} gets no normal correction")
        latitude = math.radians(network.geodetic_position_deg[name][0])
        normal = float(normal_gravity_above_m_per_s2(latitude, height_m[name], ellipsoid))
        observed.append(gravity_m_per_s2.get(name, normal))
        mean.append(float(mean_normal_gravity_m_per_s2(latitude, height_m[name], ellipsoid)))
    along = 0.5 * (observed[0] + observed[1])
    correction = (
        (along - reference) * line.height_difference_m
        + (mean[0] - reference) * height_m[line.frm]
        - (mean[1] - reference) * height_m[line.to]
    ) / reference
    missing = line.frm not in gravity_m_per_s2 or line.to not in gravity_m_per_s2
    return NormalCorrection(line.name, correction, missing)
