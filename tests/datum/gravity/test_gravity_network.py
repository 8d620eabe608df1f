"""Gravity adjustment: drift, tares and scale come back; blunders are found; what floats is told."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datum.gravity.network import adjust_gravity
from datum.records import AbsoluteGravity, GravityObservations, GravityReading, GravitySolution, TideSystem
from transforms.errors import AdjustmentError, InputError
from transforms.time_scales import Epochs, TimeScale

MGAL = 1e-5
SIGMA = 0.003 * MGAL
TRUE_MGAL = {"P1": 979400.0, "P2": 979412.5, "P3": 979431.2, "P4": 979389.9}
LOOP = ("P1", "P2", "P3", "P4", "P1", "P2", "P3", "P4", "P1", "P2", "P3", "P4")
START = np.datetime64("2024-03-01T08:00:00", "ns")
MINUTE = np.timedelta64(60, "s").astype("timedelta64[ns]")


def _loop(
    instrument: str = "G1",
    day: str = "d1",
    drift_mgal_per_hour: float = 0.02,
    scale: float = 1.0,
    noise: np.ndarray | None = None,
    quadratic: float = 0.0,
    jump_from: int | None = None,
) -> list[GravityReading]:
    readings = []
    for i, point in enumerate(LOOP):
        hours = 0.5 * i
        value = (TRUE_MGAL[point] - 979400.0) / scale + 3000.0
        value += (drift_mgal_per_hour * hours + quadratic * hours**2) / scale
        value += 0.0 if noise is None else 0.003 * float(noise[i])
        jumped = jump_from is not None and i >= jump_from
        readings.append(
            GravityReading(
                instrument,
                day,
                point,
                Epochs.from_datetime64(START + 30 * i * MINUTE, TimeScale.UTC),
                (value + (7.7 if jumped else 0.0)) * MGAL,
                SIGMA,
                0.0,
                i + 2,
                tare=1 if jumped else 0,
            )
        )
    return readings


def _observations(
    readings: list[GravityReading], absolute: Mapping[str, float] | None = None
) -> GravityObservations:
    sigmas = {"P1": 0.0} if absolute is None else absolute
    return GravityObservations(
        TideSystem.ZERO_TIDE,
        tuple(readings),
        tuple(AbsoluteGravity(p, TRUE_MGAL[p] * MGAL, s * MGAL) for p, s in sigmas.items()),
        {},
        {},
    )


def _errors_mgal(solution: GravitySolution) -> list[float]:
    values = zip(solution.points, solution.gravity_m_per_s2, strict=True)
    return [float(g) / MGAL - TRUE_MGAL[p] for p, g in values]


def test_drift_of_two_degrees_tare_and_scale_come_back_exactly() -> None:
    readings = _loop(scale=1.0004, quadratic=0.001, jump_from=6) + _loop("G2", "d1", -0.01)
    observations = _observations(readings, {"P1": 0.0, "P3": 0.0})
    solution = adjust_gravity(observations, drift_degree={("G1", "d1"): 2}, scale=["G1"])
    assert _errors_mgal(solution) == pytest.approx([0.0] * 4, abs=1e-6)
    linear, quadratic = solution.drift_polynomial["G1", "d1"]
    assert linear[0] / MGAL == pytest.approx(0.02, abs=1e-6)
    assert quadratic[0] / MGAL == pytest.approx(0.001, abs=1e-6)
    assert solution.drift["G2", "d1"][0] / MGAL == pytest.approx(-0.01, abs=1e-6)
    assert solution.scale_factor["G1"][0] == pytest.approx(1.0004, abs=1e-8)
    assert set(solution.scale_factor) == {"G1"}
    assert not solution.rejections


def test_readings_are_brought_down_to_the_mark() -> None:
    readings = [
        replace(r, height_m=0.5, reading_m_per_s2=r.reading_m_per_s2 - 0.5 * 3.086e-6)
        if r.point == "P2"
        else r
        for r in _loop()
    ]
    assert _errors_mgal(adjust_gravity(_observations(readings))) == pytest.approx([0.0] * 4, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    shift=st.floats(-50.0, 50.0),
    sigma=st.sampled_from([0.0, 0.005]),
    order=st.permutations(range(12)),
)
def test_shifting_the_absolute_values_shifts_all_and_the_order_of_readings_is_nothing(
    seed: int, shift: float, sigma: float, order: list[int]
) -> None:
    observations = _observations(
        _loop(noise=np.random.default_rng(seed).normal(size=12)), {"P1": 0.0, "P3": sigma}
    )
    moved = replace(
        observations,
        readings=tuple(observations.readings[i] for i in order),
        absolute=tuple(
            replace(a, gravity_m_per_s2=a.gravity_m_per_s2 + shift * MGAL) for a in observations.absolute
        ),
    )
    before, after = adjust_gravity(observations), adjust_gravity(moved)
    assert (after.gravity_m_per_s2 - before.gravity_m_per_s2) / MGAL == pytest.approx([shift] * 4, abs=1e-6)
    assert after.covariance_m2_per_s4 == pytest.approx(before.covariance_m2_per_s4, abs=1e-22)


@settings(max_examples=30, deadline=None)
@given(which=st.integers(0, 11), sign=st.sampled_from([-1.0, 1.0]), factor=st.floats(1.2, 50.0))
def test_a_blunder_above_the_minimal_detectable_bias_is_found(which: int, sign: float, factor: float) -> None:
    readings = _loop() + _loop("G2", "d1", -0.01)
    clean = adjust_gravity(_observations(readings))
    error = sign * factor * clean.readings[which].minimal_detectable_bias_m_per_s2
    readings[which] = replace(readings[which], reading_m_per_s2=readings[which].reading_m_per_s2 + error)
    solution = adjust_gravity(_observations(readings))
    assert [r.accepted for r in solution.readings].index(False) == which
    assert len(solution.rejections) == 1
    assert f"line {which + 2}" in solution.rejections[0].subject
    assert np.sign(solution.readings[which].residual_m_per_s2) == sign  # observed minus adjusted
    assert f"{error * 1e8:+.1f} microgal" in solution.rejections[0].reason
    assert _errors_mgal(solution) == pytest.approx([0.0] * 4, abs=1e-5)


def test_a_wrong_absolute_station_is_found_among_three() -> None:
    observations = _observations(_loop(), {"P1": 0.003, "P2": 0.003, "P3": 0.003, "P4": 0.003})
    wrong = [
        replace(a, gravity_m_per_s2=a.gravity_m_per_s2 + 0.08 * MGAL) if a.point == "P3" else a
        for a in observations.absolute
    ]
    solution = adjust_gravity(replace(observations, absolute=tuple(wrong)))
    assert [r.subject for r in solution.rejections] == ["absolute gravity of P3"]
    assert "+80.0 microgal" in solution.rejections[0].reason


def test_noise_gives_a_variance_factor_within_its_limits_and_honest_sigmas() -> None:
    inside, misfits = 0, []
    for seed in range(60):
        noise = np.random.default_rng(seed).normal(size=12)
        solution = adjust_gravity(_observations(_loop(noise=noise)), maximum_rejected=0)
        low, high = solution.chi_square_limits
        inside += low <= solution.variance_factor <= high
        sigma = math.sqrt(solution.covariance_m2_per_s4[2, 2]) / MGAL
        misfits.append(_errors_mgal(solution)[2] / sigma)
    assert inside >= 51  # 57 of 60 expected at 5 percent; 51 lies more than 3 sigma below
    assert 0.7 < float(np.std(misfits)) < 1.3


def test_what_floats_and_what_is_not_determined_is_told() -> None:
    island = [replace(r, point=r.point.replace("P", "Q"), loop="d2") for r in _loop()]
    with pytest.raises(AdjustmentError, match="no reading joins Q1, Q2, Q3, Q4 to an absolute station"):
        adjust_gravity(_observations(_loop() + island))
    with pytest.raises(AdjustmentError, match="the whole gravity network floats"):
        adjust_gravity(_observations(_loop(), {}))
    with pytest.raises(AdjustmentError, match=r"do not determine .*the scale of instrument G1"):
        adjust_gravity(_observations(_loop()), scale=True)
    with pytest.raises(
        AdjustmentError, match=r"drift of degree 1 of instrument G1 in loop d1|cannot determine"
    ):
        adjust_gravity(_observations(_loop()[:4]))


def test_a_tare_parts_the_loop_so_that_points_may_float() -> None:
    readings = _loop()[:5] + [replace(r, point="Q" + r.point[1], tare=1) for r in _loop()[5:]]
    with pytest.raises(AdjustmentError, match="no reading joins Q1, Q2, Q3, Q4"):
        adjust_gravity(_observations(readings))


def test_observations_and_options_that_make_no_sense_are_refused() -> None:
    observations = _observations(_loop())
    first = observations.readings[0]
    twice = (*observations.absolute, *observations.absolute)
    bad = {
        "has no reading": replace(observations, readings=()),
        "finite values": replace(observations, readings=(replace(first, reading_m_per_s2=math.nan),)),
        "greater than zero": replace(observations, readings=(replace(first, sigma_m_per_s2=0.0),)),
        "given twice for P1": replace(observations, absolute=twice),
        "no usable gravity": replace(observations, absolute=(AbsoluteGravity("P1", math.nan, 0.0),)),
    }
    for text, case in bad.items():
        with pytest.raises(InputError, match=text):
            adjust_gravity(case)
    with pytest.raises(InputError, match="drift degree 4"):
        adjust_gravity(observations, drift_degree=4)
    with pytest.raises(InputError, match="no reading has that instrument and loop"):
        adjust_gravity(observations, drift_degree={("G9", "d1"): 1})
    with pytest.raises(InputError, match="instrument G9; there are G1"):
        adjust_gravity(observations, scale=["G9"])


def test_remarks_tell_of_unread_points_and_wrong_sigmas() -> None:
    noise = np.random.default_rng(2).normal(size=12)
    observations = _observations(_loop(noise=5.0 * noise), {"P1": 0.0})
    extra = (*observations.absolute, AbsoluteGravity("P9", 9.79, 0.0))
    solution = adjust_gravity(
        replace(observations, absolute=extra, stations={"P1": "SHAO00CHN", "P8": "WUH200CHN"}),
        maximum_rejected=0,
    )
    assert any("absolute station P9 is not read" in remark for remark in solution.remarks)
    assert any("point P8 has neither" in remark for remark in solution.remarks)
    assert any("the sigmas are too small" in remark for remark in solution.remarks)
    assert solution.stations == {"P1": "SHAO00CHN"}
    assert solution.points[-1] == "P9"
    quiet = adjust_gravity(_observations(_loop()))
    assert any("too great" in remark for remark in quiet.remarks)
