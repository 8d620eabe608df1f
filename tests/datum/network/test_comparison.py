"""Two solutions compared: the similarity that was put in comes out, and what stands out is named."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from datum.formats.coordinate_sets import read_coordinate_set
from datum.network.comparison import CoordinateSet, compare_networks
from datum.network.constraints import DatumParameter
from transforms.errors import AdjustmentError, InputError
from transforms.geodetic import ecef_from_geodetic, enu_matrix_at
from transforms.helmert import estimate_helmert7

FloatArray = NDArray[np.float64]
NANOMETRE_M = 1e-9


def region(n: int = 30, spread_deg: float = 4.0) -> FloatArray:
    generator = np.random.default_rng(20240204)
    latitude = np.radians(30.0 + spread_deg * generator.uniform(-1.0, 1.0, n))
    longitude = np.radians(114.0 + spread_deg * generator.uniform(-1.0, 1.0, n))
    return ecef_from_geodetic(latitude, longitude, 1000.0 * generator.uniform(0.0, 1.0, n))


def coordinates(position: FloatArray, name: str = "first") -> CoordinateSet:
    return CoordinateSet(name, "", None, tuple(f"S{i:03d}" for i in range(len(position))), position, None)


def moved(position: FloatArray, parameters: FloatArray) -> FloatArray:
    """The position-vector similarity, written out (IERS Conventions 2010, eq. 4.3)."""
    t, d, (rx, ry, rz) = parameters[:3], parameters[3], parameters[4:]
    matrix = np.array([[d, -rz, ry], [rz, d, -rx], [-ry, rx, d]])
    return np.asarray(position + t + position @ matrix.T)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.floats(-1.0, 1.0), min_size=7, max_size=7),
)
def test_the_similarity_that_was_put_in_comes_out(values: list[float]) -> None:
    parameters = np.array(values) * np.array([1.0, 1.0, 1.0, 1e-7, 1e-7, 1e-7, 1e-7])
    first = region()
    result = compare_networks(coordinates(first), coordinates(moved(first, parameters), "second"))
    assert result.parameters[3:] == pytest.approx(parameters[3:], abs=1e-14)
    assert result.parameters[:3] == pytest.approx(parameters[:3], abs=1e-7)  # a nanometre at the stations
    assert max(float(np.max(np.abs(s.residual_enu_m))) for s in result.stations) < 2.0 * NANOMETRE_M
    assert not any(s.stands_out for s in result.stations)


def test_without_outliers_it_is_the_plain_least_squares_fit() -> None:
    first = region()
    noise = np.random.default_rng(5).normal(0.0, 0.003, first.shape)
    second = moved(first, np.array([0.1, -0.2, 0.3, 2e-9, 3e-9, -4e-9, 5e-9])) + noise
    result = compare_networks(coordinates(first), coordinates(second), robust=False)
    peer = estimate_helmert7(first, second)
    # Weights differ (own scatter in east, north, up against equal ones): a fraction of the sigmas.
    assert np.all(np.abs(result.parameters - peer.parameters) < 0.5 * result.sigma)


def test_a_station_that_moved_stands_out_and_moves_nobody_else() -> None:
    first = region()
    noise = np.random.default_rng(7).normal(0.0, 0.002, first.shape)
    second = first + noise
    clean = compare_networks(coordinates(first), coordinates(second))
    second[11] += enu_matrix_at(first[11]).T @ np.array([0.0, 0.0, 0.4])
    result = compare_networks(coordinates(first), coordinates(second))
    assert [s.station for s in result.stations if s.stands_out] == ["S011"]
    assert result.stations[11].residual_enu_m == pytest.approx([0.0, 0.0, 0.4], abs=0.01)
    assert result.shift_enu_m == pytest.approx(clean.shift_enu_m, abs=0.0005)
    plain = compare_networks(coordinates(first), coordinates(second), robust=False)
    assert abs(plain.shift_enu_m[2] - clean.shift_enu_m[2]) > 0.01


def test_two_bad_stations_in_ten_are_both_found() -> None:
    first = region(10)
    second = first + np.random.default_rng(3).normal(0.0, 0.002, first.shape)
    second[2] += [0.05, 0.0, 0.0]
    second[7] += [0.0, -0.06, 0.04]
    result = compare_networks(
        coordinates(first), coordinates(second), estimated=(DatumParameter.TRANSLATION,)
    )
    assert [s.station for s in result.stations if s.stands_out] == ["S002", "S007"]


def test_what_cannot_be_compared_is_said() -> None:
    first = coordinates(region(3))
    other = CoordinateSet("second", "", None, ("X",), region(1), None)
    with pytest.raises(InputError, match="no station in common"):
        compare_networks(first, other)
    with pytest.raises(AdjustmentError, match="7 parameters need more than 7"):
        compare_networks(coordinates(region(2)), coordinates(region(2)))
    line = ecef_from_geodetic(0.0, np.radians([1.0, 2.0, 3.0, 4.0]), 0.0)
    assert compare_networks(coordinates(line), coordinates(line)).degrees_of_freedom == 5  # an arc is no line
    straight = region(1) + np.arange(4)[:, None] * np.array([1000.0, 0.0, 0.0])
    with pytest.raises(AdjustmentError, match="do not determine"):
        compare_networks(coordinates(straight), coordinates(straight))


@pytest.mark.real_data
def test_the_error_of_jfng_in_the_igs_sinex_of_2024_035_is_found(real_data: Path) -> None:
    folder = real_data / "truth"
    earlier = read_coordinate_set(folder / "igs22P2223.ssc.gz")
    day = read_coordinate_set(folder / "IGS0OPSSNX_20240350000_01D_01D_CRD.SNX.gz")
    result = compare_networks(earlier, day)
    worst = max(result.stations, key=lambda s: s.statistic)
    assert worst.station == "JFNG"
    assert worst.residual_enu_m[2] == pytest.approx(0.38, abs=0.02)  # truth/README: 0.4 m in height
    assert worst.statistic > 40.0 * worst.limit
    assert "epochs differ by +1.47 years" in result.remarks[0]
