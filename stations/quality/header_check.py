"""What the header of an observation file says, against what the observations and a list of antennas say."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from stations.records import StationHeader

FloatArray = NDArray[np.float64]


def header_findings(
    header: StationHeader,
    observed_ecef_m: FloatArray | None,
    known_antennas: Collection[str] | None,
    *,
    limit_m: float,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Differences worth a remark and errors, in words.

    observed_ecef_m : median of the single-point positions, (3,), or None
    known_antennas : 20-column codes with a calibration, or None where none were given
    limit_m : an approximate position farther than this from the observed one is an error
    """
    differences: list[str] = []
    errors: list[str] = []
    antenna = header.setup.antenna
    if not antenna.name:
        differences.append("the header names no antenna")
    elif known_antennas is not None and antenna.igs_code not in known_antennas:
        differences.append(f"unknown antenna type {antenna.igs_code!r}: not among the calibrations given")
    if not header.setup.receiver:
        differences.append("the header names no receiver")
    position = header.approximate_position_ecef_m
    if position is None:
        differences.append("the header gives no approximate position")
    elif observed_ecef_m is not None:
        off_m = float(np.linalg.norm(position - observed_ecef_m))
        if off_m > limit_m:
            errors.append(f"the header's position is {off_m:,.0f} m off the observed one")
    return tuple(differences), tuple(errors)
