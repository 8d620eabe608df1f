"""Positions from broadcast messages against precise orbits of the same day, and against each other."""

import dataclasses

import numpy as np
import pytest

from stations.formats.rinex_navigation import read_navigation
from stations.formats.sp3 import read_sp3
from stations.models.broadcast_orbit import broadcast_states
from transforms.time_scales import Epochs

# Three-dimensional root mean square, metres. Broadcast orbits differ from precise ones by their own error and
# by the offset of the antenna from the centre of mass (GPS 1 to 2.6 m, Galileo 0.8 m, BeiDou-3 1 m; ANTEX).
# Signal in space errors: Montenbruck, Steigenberger and Hauschild (2018), "Multi-GNSS signal-in-space range
# error assessment", Adv. Space Res. 61: Galileo 0.2 m, GPS 0.6 m, BeiDou 1.0 m, GLONASS 1.9 m, and three to
# four times as much along track.
LARGEST_RMS_M = {"G": 2.5, "E": 1.2, "C": 2.5, "J": 3.0, "R": 5.0}
LARGEST_GEO_RMS_M = 20.0  # weak geometry along the orbit, for precise orbits too (metres)
GEO = {"C01", "C02", "C03", "C04", "C05", "C59", "C60", "C61"}


@pytest.fixture(scope="module")
def day(real_data):
    folder = real_data / "nist_2023001"
    precise = read_sp3(folder / "WUM0MGXFIN_20230010000_01D_05M_ORB.SP3.gz")
    return read_navigation(folder / "BRDC00IGS_R_20230010000_01D_MN.rnx.gz"), precise


@pytest.fixture(scope="module")
def day_4(real_data):
    return read_navigation(real_data / "parsers" / "nav-solutions" / "BRD400DLR_S_20230710000_01D_MN.rnx.gz")


def rms(values):
    finite = values[np.isfinite(values)]
    return float(np.sqrt(np.mean(finite**2))), finite.size


@pytest.mark.real_data
def test_metres_from_precise_orbits_in_every_system(day):
    navigation, precise = day
    states = broadcast_states(navigation, precise.epochs, satellites=precise.satellites)
    distance_m = np.linalg.norm(states.position_ecef_m - precise.position_ecef_m, axis=-1)
    for system, limit_m in LARGEST_RMS_M.items():
        chosen = [i for i, s in enumerate(precise.satellites) if s[0] == system and s not in GEO]
        found_m, count = rms(distance_m[:, chosen])
        assert found_m < limit_m, system
        assert count > 800, system
        assert np.nanmax(distance_m[:, chosen]) < 5.0 * limit_m, system
    found_m, count = rms(distance_m[:, [i for i, s in enumerate(precise.satellites) if s in GEO]])
    assert found_m < LARGEST_GEO_RMS_M
    assert count > 1000


@pytest.mark.real_data
def test_clocks_agree_with_precise_ones_but_for_one_offset_of_the_system(day):
    navigation, precise = day
    states = broadcast_states(navigation, precise.epochs, satellites=precise.satellites)
    for system, limit_ns in (("G", 4.0), ("E", 2.0)):
        chosen = [i for i, s in enumerate(precise.satellites) if s[0] == system]
        difference_ns = (states.clock_s - precise.clock_s)[:, chosen] * 1e9
        difference_ns -= np.nanmedian(difference_ns, axis=1, keepdims=True)
        found_ns, count = rms(difference_ns)
        assert found_ns < limit_ns
        assert count > 5000


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("system", "legacy", "civil", "limit_m"),
    [
        ("G", "LNAV", "CNAV", 4.0),
        ("J", "LNAV", "CNAV", 0.5),
        ("C", "D1", "CNV1", 3.0),
        # An hour's elements may have come by one of the two only; neighbouring sets differ by decimetres.
        ("E", "INAV", "FNAV", 0.5),
    ],
)
def test_messages_of_two_kinds_tell_the_same_orbit(day_4, system, legacy, civil, limit_m):
    """Two models with elements of their own (CNAV: rates of axis and motion): the same satellite."""
    satellites = [s for s in day_4.satellites if s[0] == system]
    start = np.datetime64("2023-03-12T02:00", "ns")
    epochs = Epochs.from_datetime64(start + np.arange(60) * np.timedelta64(20, "m"))
    one, other = (
        broadcast_states(day_4, epochs, satellites=satellites, messages=[kind], only_healthy=False)
        for kind in (legacy, civil)
    )
    distance_m = np.linalg.norm(one.position_ecef_m - other.position_ecef_m, axis=-1)
    finite = distance_m[np.isfinite(distance_m)]
    assert finite.size > 100
    assert finite.max() < limit_m
    assert np.median(finite) < 0.25
    if system == "E":  # the same elements in both messages
        assert np.median(finite) == 0.0


@pytest.mark.real_data
def test_neighbouring_messages_join_without_a_step(day):
    """Half-way between two messages both give one place: Runge and Kutta's steps, week and node are right."""
    navigation, _ = day
    for system, table, limit_m in (
        ("R", navigation.state_vectors, 10.0),
        ("C", navigation.kepler, 4.0),
        ("G", navigation.kepler, 3.0),
    ):
        for satellite in [s for s in navigation.satellites if s[0] == system and s not in GEO][:8]:
            rows = np.flatnonzero(table.satellite == satellite)[3:5]
            names = [f.name for f in dataclasses.fields(table)]
            alone = []
            reference = table.epoch if system == "R" else table.time_of_ephemeris
            middle = Epochs(np.array([reference.tai_ns[rows].sum() // 2]))
            if abs(int(reference.tai_ns[rows[1]] - reference.tai_ns[rows[0]])) > 7200e9:
                continue
            for row in rows:
                cut = {n: part(getattr(table, n), row) for n in names}
                kind = "state_vectors" if system == "R" else "kepler"
                one = dataclasses.replace(navigation, **{kind: type(table)(**cut)})
                alone.append(
                    broadcast_states(one, middle, satellites=[satellite], only_healthy=False).position_ecef_m
                )
            assert np.linalg.norm(alone[0] - alone[1]) < limit_m, satellite


def part(values, row):
    if isinstance(values, dict):
        return {name: column[row : row + 1] for name, column in values.items()}
    return (
        Epochs(values.tai_ns[row : row + 1], values.scale)
        if isinstance(values, Epochs)
        else values[row : row + 1]
    )


@pytest.mark.real_data
def test_no_message_is_stretched_and_unhealthy_ones_are_left_out(day):
    navigation, _ = day
    later = Epochs.from_datetime64(np.array(["2023-01-04T00:00"], dtype="datetime64[ns]"))
    assert np.isnan(broadcast_states(navigation, later).position_ecef_m).all()
    noon = Epochs.from_datetime64(np.array(["2023-01-01T12:00"], dtype="datetime64[ns]"))
    kepler = navigation.kepler
    ill = sorted(
        {str(s) for s in kepler.satellite} - {str(s) for s in kepler.satellite[kepler.health == 0.0]}
    )
    assert ill
    healthy = broadcast_states(navigation, noon, satellites=ill)
    assert np.isnan(healthy.position_ecef_m).all()
    assert np.isfinite(broadcast_states(navigation, noon, satellites=ill, only_healthy=False).clock_s).any()
