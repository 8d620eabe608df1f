"""Attitudes from a table: at its nodes, between them, and nowhere else."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from stations.models.tabulated_attitude import AttitudeTable
from stations.records import SatelliteAttitudes
from transforms.time_scales import Epochs

YAW_DEG_PER_S = 0.2
SECOND = np.arange(0, 600, 30)


def table():
    """One satellite that turns evenly about z; every other quaternion is written with the other sign."""
    body_from_ecef = Rotation.from_euler("z", -YAW_DEG_PER_S * SECOND[:, None], degrees=True)
    quaternion = body_from_ecef.as_quat(scalar_first=True) * np.where(SECOND % 60 == 0, 1.0, -1.0)[:, None]
    epochs = Epochs.from_datetime64(np.datetime64("2024-02-04", "ns") + SECOND.astype("m8[s]"))
    attitudes = SatelliteAttitudes(epochs, ("E05",), quaternion[:, None, :], "IGS20", "TST")
    return AttitudeTable(attitudes, ("E04", "E05")), int(epochs.tai_ns[0])


def test_axes_at_and_between_nodes():
    attitude_table, start_ns = table()
    at_s = np.array([0.0, 30.0, 44.9, 307.0, 570.0])
    axes, known = attitude_table.axes(np.full(5, start_ns), at_s, np.ones(5, dtype=np.int64))
    assert known.all()
    expected = Rotation.from_euler("z", YAW_DEG_PER_S * at_s[:, None], degrees=True).as_matrix()
    np.testing.assert_allclose(axes, expected, atol=np.radians(0.05))
    np.testing.assert_allclose(axes[[0, 1, 4]], expected[[0, 1, 4]], atol=1e-12)


def test_unknown_satellites_and_times_are_told():
    attitude_table, start_ns = table()
    at_s = np.array([10.0, -70.0, 640.0, -5.0])
    axes, known = attitude_table.axes(np.full(4, start_ns), at_s, np.array([0, 1, 1, 1]))
    assert known.tolist() == [False, False, False, True]
    assert np.isfinite(axes).all()


@pytest.mark.parametrize("step_s", [60, 120])
def test_a_gap_of_more_than_a_minute_is_not_bridged(step_s):
    epochs = Epochs.from_datetime64(np.datetime64("2024-02-04", "ns") + np.array([0, step_s]).astype("m8[s]"))
    quaternion = np.broadcast_to([1.0, 0.0, 0.0, 0.0], (2, 1, 4)).copy()
    attitudes = SatelliteAttitudes(epochs, ("E05",), quaternion, "IGS20", "TST")
    at_s = np.array([0.0, 20.0])
    start_ns = np.full(2, epochs.tai_ns[0])
    _, known = AttitudeTable(attitudes, ("E05",)).axes(start_ns, at_s, np.zeros(2, dtype=np.int64))
    assert known.tolist() == [True, step_s <= 60]
