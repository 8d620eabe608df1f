"""The surface on real GNSS/levelling points of the Auvergne (IGN; Duquenne 2006): errors must be honest."""

import math
from pathlib import Path

import numpy as np
import pytest

from datum.height.surface_fit import fit_height_anomaly

pytestmark = pytest.mark.real_data

POINT_SIGMA_M = 0.02  # of ellipsoidal and levelled height together; published models agree to 2.7 to 3.8 cm


def test_leave_one_out_differences_in_the_auvergne_match_their_sigmas(real_data: Path) -> None:
    rows = np.loadtxt(real_data / "geodesy" / "auvergne" / "gnss_levelling_50.dat")
    places = [(float(latitude), float(longitude)) for latitude, longitude, _ in rows]
    names = [f"P{i}" for i in range(len(rows))]
    surface = fit_height_anomaly(names, places, rows[:, 2].tolist(), [POINT_SIGMA_M] * len(rows))
    assert surface.estimated
    assert len(surface.leave_one_out) == len(rows)
    standardised = [point.standardised for point in surface.leave_one_out]
    rms = math.sqrt(math.fsum(value**2 for value in standardised) / len(standardised))
    # Sigmas that are right give an rms of 1; fifty correlated differences scatter by two tenths about it.
    assert 0.6 < rms < 1.4
    # Without a gravity model, over mountains, points 40 km apart: decimetres; a plane alone leaves more.
    plane = fit_height_anomaly(
        names,
        places,
        rows[:, 2].tolist(),
        [POINT_SIGMA_M] * len(rows),
        signal_sigma_m=0.0,
        correlation_length_m=1e5,
    )
    assert surface.leave_one_out_rms_m is not None
    assert plane.leave_one_out_rms_m is not None
    assert surface.leave_one_out_rms_m < 0.6 * plane.leave_one_out_rms_m
