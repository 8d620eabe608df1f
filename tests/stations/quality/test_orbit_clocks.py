"""Clocks of a clock file in orbits that hold none."""

import numpy as np

from stations.quality.orbit_clocks import with_clocks
from stations.records import SatelliteClocks, SatelliteOrbits
from transforms.time_scales import Epochs


def epochs(*minutes: int) -> Epochs:
    start = np.datetime64("2026-04-26T00:00:00", "ns")
    return Epochs.from_datetime64(start + np.array(minutes) * np.timedelta64(60, "s"))


def test_what_is_there_stays_and_what_is_missing_is_filled_at_common_epochs() -> None:
    own = np.array([[np.nan, 1e-6], [np.nan, np.nan], [np.nan, np.nan]])
    orbits = SatelliteOrbits(
        epochs(0, 5, 10), ("C23", "G01"), np.zeros((3, 2, 3)), own, np.zeros((3, 2), bool), "IGS20", "SIM"
    )
    table = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]) * 1e-5
    clocks = SatelliteClocks(epochs(0, 1, 5), ("E01", "G01"), table, "SIM")
    filled = with_clocks(orbits, clocks)
    np.testing.assert_allclose(filled.clock_s[:, 1], [1e-6, 6e-5, np.nan])
    assert np.isnan(filled.clock_s[:, 0]).all()
    assert with_clocks(orbits, None) is orbits
    assert np.isnan(orbits.clock_s[1, 1])
