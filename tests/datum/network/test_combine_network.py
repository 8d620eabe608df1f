"""Daily solutions to a network: the datum, the days, what moved, what is refused."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from datum.network.combine import CombinationOptions, combine_solutions
from datum.network.constraints import DatumParameter
from transforms.errors import AdjustmentError, FrameError, InputError
from transforms.frame_links import transform_coordinates
from transforms.geodetic import enu_covariance, enu_matrix_at
from transforms.time_scales import Epochs

FULL = (DatumParameter.TRANSLATION, DatumParameter.ROTATION, DatumParameter.SCALE)
# The simulated noise is in the covariances: nothing has to be added to them.
AS_GIVEN = CombinationOptions(daily_noise_enu_m=(0.0, 0.0, 0.0), control_noise_enu_m=(0.0, 0.0, 0.0))
SAME_M = 1e-7  # the same numbers by another order of sums, at six million metres


def enu_error(station, network):
    return enu_matrix_at(station.position_ecef_m) @ (station.position_ecef_m - network.truth[station.station])


def test_the_truth_comes_out_within_its_sigmas(network):
    """Errors over sigmas of 30 networks: their mean square is 1 (3 sigma, they correlate)."""
    squares = []
    for seed in range(30):
        result = combine_solutions(
            network.simulate(np.random.default_rng(seed), n_days=3),
            network.control(network.names[:4]), options=AS_GIVEN,
        )  # fmt: skip
        for station in result.stations:
            if station.solution_number == 1 and len(station.days) == 3 and not station.is_control:
                sigma = np.sqrt(np.diag(enu_covariance(station.position_ecef_m, station.covariance_m2)))
                squares.append(enu_error(station, network) / sigma)
    assert np.mean(np.square(squares)) == pytest.approx(1.0, abs=0.35)


@pytest.mark.parametrize("alignment", [FULL[:1], FULL[:2], FULL])
def test_a_shift_of_all_daily_solutions_changes_nothing(network, alignment):
    solutions = network.simulate(np.random.default_rng(5))
    options = dataclasses.replace(AS_GIVEN, alignment=alignment)
    control = network.control(network.names[:4])
    before = combine_solutions(solutions, control, options=options)
    moved = [
        dataclasses.replace(s, position_ecef_m=s.position_ecef_m + np.array([0.4, -0.2, 0.3]))
        for s in solutions
    ]
    after = combine_solutions(moved, control, options=options)
    for a, b in zip(before.stations, after.stations, strict=True):
        np.testing.assert_allclose(a.position_ecef_m, b.position_ecef_m, rtol=0, atol=SAME_M)
    np.testing.assert_allclose(before.covariance_m2, after.covariance_m2, rtol=1e-3, atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    shifts=st.lists(st.tuples(*[st.floats(-0.5, 0.5)] * 3), min_size=2, max_size=2),
    order=st.permutations(range(12)),
)
def test_neither_the_days_shifts_nor_the_order_matter(network, seed, shifts, order):
    solutions = network.simulate(np.random.default_rng(seed), n_stations=6)
    control = network.control(network.names[:3])
    before = combine_solutions(solutions, control, options=AS_GIVEN)
    moved = [
        dataclasses.replace(s, position_ecef_m=s.position_ecef_m + np.array(shifts[i // 6]))
        for i, s in enumerate(solutions)
    ]
    after = combine_solutions([moved[i] for i in order], control[::-1], options=AS_GIVEN)
    assert [(s.station, s.days) for s in before.stations] == [(s.station, s.days) for s in after.stations]
    for a, b in zip(before.stations, after.stations, strict=True):
        np.testing.assert_allclose(a.position_ecef_m, b.position_ecef_m, rtol=0, atol=SAME_M)
    assert after.variance_factor == pytest.approx(before.variance_factor, rel=1e-5)


def test_the_order_of_the_files_does_not_change_a_bit(network):
    solutions = network.simulate(np.random.default_rng(9))
    control = network.control(network.names[:3])
    one = combine_solutions(solutions, control)
    two = combine_solutions(solutions[::-1], control[::-1])
    assert one.covariance_m2.tobytes() == two.covariance_m2.tobytes()
    assert [s.position_ecef_m.tobytes() for s in one.stations] == [
        s.position_ecef_m.tobytes() for s in two.stations
    ]
    assert one.remarks == two.remarks


def test_the_mean_of_the_control_is_held(network):
    """No net translation: the control stations' mean stays at its published place to the rounding."""
    names = network.names[:4]
    result = combine_solutions(
        network.simulate(np.random.default_rng(2)), network.control(names), options=AS_GIVEN
    )
    held = [s.position_ecef_m - network.truth[s.station] for s in result.stations if s.is_control]
    assert len(held) == 4
    np.testing.assert_allclose(np.mean(held, axis=0), 0.0, atol=1e-8)
    assert result.constraints == "no net translation on " + ", ".join(names)


def test_a_weighted_datum_rests_on_the_better_control(network):
    """Of two control stations 2 cm apart in their judgement, the one with a tenth of the sigma holds."""
    control = network.control(network.names[:2], {network.names[1]: (0.02, 0.0, 0.0)})
    control[1] = dataclasses.replace(control[1], sigma_enu_m=(0.02, 0.02, 0.02))
    options = dataclasses.replace(AS_GIVEN, weigh_control=True)
    solutions = network.simulate(np.random.default_rng(2), noise_enu_m=(1e-4, 1e-4, 1e-4))
    weighted = combine_solutions(solutions, control, options=options).stations[0]
    alike = combine_solutions(solutions, control, options=AS_GIVEN).stations[0]
    assert np.linalg.norm(enu_error(weighted, network)) < 0.001
    assert np.linalg.norm(enu_error(alike, network)) == pytest.approx(0.01, abs=0.001)


def test_days_that_agree_too_well_are_told(network):
    solutions = network.simulate(np.random.default_rng(2), noise_enu_m=(1e-4, 1e-4, 1e-4))
    result = combine_solutions(solutions, network.control(network.names[:3]))
    assert result.variance_factor < result.chi_square_limits[0]
    assert "days in a row share errors" in result.remarks[0]


def test_variance_factors_of_200_networks_are_chi_square(network):
    """Sum of v'Pv over 200 clean networks lies in the 99.9 per cent band of chi-square."""
    options = dataclasses.replace(AS_GIVEN, significance=1e-9)  # no search: the plain statistics
    total, dof = 0.0, 0
    inside = 0
    for seed in range(200):
        result = combine_solutions(
            network.simulate(np.random.default_rng(1000 + seed), n_stations=5),
            network.control(network.names[:2]), options=options,
        )  # fmt: skip
        total += result.variance_factor * result.degrees_of_freedom
        dof += result.degrees_of_freedom
        low, high = result.chi_square_limits
        inside += low < result.variance_factor < high
    assert dof == 200 * (3 * 5 - 3)
    assert chi2.ppf(0.0005, dof) < total < chi2.ppf(0.9995, dof)
    # 95 per cent of 200, sigma 3.1
    assert 190 - 4 * 3.1 < inside < 190 + 3.2 * 3.1


@pytest.mark.parametrize("n_stations", [3, 5, 8])
def test_an_antenna_that_moved_is_parted_and_told(network, n_stations):
    name = network.names[2]
    solutions = network.simulate(
        np.random.default_rng(21), n_stations=n_stations, errors={(name, 1): (0.004, -0.003, 0.085)}
    )
    result = combine_solutions(solutions, network.control(network.names[:2]))
    parts = [s for s in result.stations if s.station == name]
    assert [(s.solution_number, s.days) for s in parts] == [(1, ("2024-035",)), (2, ("2024-036",))]
    moved = enu_matrix_at(parts[0].position_ecef_m) @ (parts[1].position_ecef_m - parts[0].position_ecef_m)
    np.testing.assert_allclose(moved, (0.004, -0.003, 0.085), atol=0.03)
    (remark,) = [r for r in result.remarks if name in r]
    assert remark.startswith(f"station {name} moved by E ")
    assert "between 2024-035 and 2024-036" in remark
    assert "nobody can tell which is right" in remark
    others = [s for s in result.stations if s.station != name]
    assert all(s.solution_number == 1 and len(s.days) == 2 for s in others)
    assert result.degrees_of_freedom == 3 * n_stations - 6


def test_two_stations_that_move_together_are_both_found(network):
    errors = {(network.names[i], 1): (0.0, 0.0, 0.09) for i in (2, 5)}
    result = combine_solutions(
        network.simulate(np.random.default_rng(4), errors=errors), network.control(network.names[:2])
    )
    assert sorted({s.station for s in result.stations if s.solution_number == 2}) == sorted(
        name for name, _ in errors
    )


def test_a_step_in_the_middle_of_a_week_and_a_wrong_day_are_told_apart(network):
    stepping, wrong = network.names[1], network.names[6]
    errors = {(stepping, day): (0.05, 0.0, 0.02) for day in range(3, 7)} | {(wrong, 4): (0.0, 0.0, 0.15)}
    result = combine_solutions(
        network.simulate(np.random.default_rng(8), n_days=7, errors=errors),
        network.control(network.names[2:5]),
    )
    parts = {s.solution_number: s.days for s in result.stations if s.station == stepping}
    assert parts == {
        1: ("2024-035", "2024-036", "2024-037"),
        2: tuple(f"2024-{d:03d}" for d in range(38, 42)),
    }
    (rejection,) = result.rejections
    assert rejection.subject == f"{wrong} on 2024-039"
    assert rejection.statistic > rejection.limit
    assert (wrong, "2024-039") not in result.day_residual_enu_m
    assert len(next(s for s in result.stations if s.station == wrong).days) == 6


def test_clean_networks_are_rarely_parted(network):
    """Of 100 clean networks with true covariances one is expected to be parted."""
    parted = 0
    for seed in range(100):
        result = combine_solutions(
            network.simulate(np.random.default_rng(5000 + seed)), network.control(network.names[:4]),
            options=AS_GIVEN,
        )  # fmt: skip
        parted += any(s.solution_number > 1 for s in result.stations)
    assert parted < 8


def test_covariances_that_are_too_small_are_found_out(network):
    solutions = [
        dataclasses.replace(s, covariance_m2=s.covariance_m2 / 25.0)
        for s in network.simulate(np.random.default_rng(3), n_days=5)
    ]
    result = combine_solutions(solutions, network.control(network.names[:3]), options=AS_GIVEN)
    assert result.variance_factor == pytest.approx(25.0, rel=0.4)
    assert "variance factor" in result.remarks[0]
    assert "multiplied" in result.remarks[0]
    honest = combine_solutions(
        network.simulate(np.random.default_rng(3), n_days=5), network.control(network.names[:3]),
        options=AS_GIVEN,
    )  # fmt: skip
    np.testing.assert_allclose(np.diag(result.covariance_m2), np.diag(honest.covariance_m2), rtol=0.5)


def test_a_wrong_control_station_does_not_hold_the_datum(network):
    wrong = network.names[1]
    result = combine_solutions(
        network.simulate(np.random.default_rng(6)),
        network.control(network.names[:4], {wrong: (0.0, 0.0, 0.40)}),
    )
    (rejection,) = result.rejections
    assert rejection.subject == f"control station {wrong}"
    assert "U -40" in rejection.reason
    assert wrong not in result.constraints
    for station in result.stations:
        assert np.all(np.abs(enu_error(station, network)) < 0.02)


def test_two_control_stations_that_contradict_each_other_are_refused(network):
    with pytest.raises(AdjustmentError, match=r"do not fit each other.*too few are left"):
        combine_solutions(
            network.simulate(np.random.default_rng(6)),
            network.control(network.names[:2], {network.names[1]: (0.0, 0.0, 0.40)}),
        )


def test_a_control_station_that_moved_holds_the_datum_with_the_part_that_agrees(network):
    name = network.names[0]
    result = combine_solutions(
        network.simulate(np.random.default_rng(6), errors={(name, 1): (0.0, 0.0, 0.12)}),
        network.control(network.names[:3]),
    )
    parts = {s.solution_number: s.is_control for s in result.stations if s.station == name}
    assert parts == {1: True, 2: False}
    assert any("solution 1 agrees with the published coordinates" in r for r in result.remarks)


def test_control_in_cgcs2000_is_carried_to_the_network(network):
    """Published at 2000.0 in CGCS2000, held in IGS20 at 2024: as if it had been given there."""
    velocity = np.array([-0.0313, -0.0108, -0.0121])
    plain = network.control(network.names[:3], velocity_m_per_yr=velocity)
    published = []
    for station in plain:
        at = transform_coordinates(
            station.position_ecef_m, np.eye(3) * 1e-6, velocity, "IGS20", station.epoch,
            "CGCS2000", Epochs.from_decimal_year(2000.0),
        )  # fmt: skip
        published.append(
            dataclasses.replace(
                station,
                frame="CGCS2000",
                epoch=Epochs.from_decimal_year(2000.0),
                position_ecef_m=at.position_ecef_m,
                velocity_m_per_yr=at.velocity_m_per_yr,
            )
        )
    solutions = network.simulate(np.random.default_rng(12))
    one, two = combine_solutions(solutions, plain), combine_solutions(solutions, published)
    for a, b in zip(one.stations, two.stations, strict=True):
        np.testing.assert_allclose(a.position_ecef_m, b.position_ecef_m, rtol=0, atol=1e-6)
    without = [dataclasses.replace(c, velocity_m_per_yr=None) for c in published]
    with pytest.raises(FrameError, match=f"no velocity is known for {network.names[0]}"):
        combine_solutions(solutions, without)


def test_velocities_bring_days_to_one_epoch(network):
    velocity = {name: np.array([0.0, 3.65, 0.0]) for name in network.names[:4]}  # 1 cm a day, for the test
    solutions = network.simulate(np.random.default_rng(1), noise_enu_m=(1e-4, 1e-4, 1e-4), shift_m=0.0)
    moving = [
        dataclasses.replace(
            s,
            position_ecef_m=s.position_ecef_m
            + velocity.get(s.station, np.zeros(3)) * float(s.epoch.decimal_year() - 2024.09836),
        )
        for s in solutions
    ]
    options = dataclasses.replace(AS_GIVEN, velocities_m_per_yr=velocity)
    result = combine_solutions(moving, network.control(network.names[4:7]), options=options)
    assert all(s.solution_number == 1 for s in result.stations)
    assert result.stations[0].velocity_m_per_yr is velocity[network.names[0]]
    assert max(np.abs(r).max() for r in result.day_residual_enu_m.values()) < 1e-3


def test_one_day_alone_gives_a_network_and_says_what_is_missing(network):
    result = combine_solutions(
        network.simulate(np.random.default_rng(1), n_days=1), network.control(network.names[:3])
    )
    assert result.degrees_of_freedom == 0
    assert result.variance_factor == 1.0
    assert "no test of the days was possible" in result.remarks[0]
    assert all(np.all(np.isnan(s.repeatability_enu_m)) for s in result.stations)
    assert np.all(np.isfinite(result.covariance_m2))


def test_short_names_of_control_stations_are_understood(network):
    control = [dataclasses.replace(c, station=c.station[:4]) for c in network.control(network.names[:3])]
    control.append(dataclasses.replace(control[0], station="BJFS"))
    result = combine_solutions(network.simulate(np.random.default_rng(1)), control)
    assert result.constraints.endswith(", ".join(network.names[:3]))
    assert "control stations without a daily solution: BJFS" in result.remarks


def test_what_cannot_be_combined_is_refused(network):
    solutions = network.simulate(np.random.default_rng(1))
    control = network.control(network.names[:3])
    few = [s for s in solutions if s.station in network.names[:2]]
    apart = [
        s for s in solutions if (s.station in network.names[:4]) == s.epoch.iso().startswith("2024-02-04")
    ]
    other_frame = [dataclasses.replace(solutions[0], frame="IGS14"), *solutions[1:]]
    static = [dataclasses.replace(s, frame="CGCS2000") for s in solutions]
    not_finite = [dataclasses.replace(solutions[0], position_ecef_m=np.array([np.nan, 0, 0])), *solutions[1:]]
    elsewhere = solutions[0].position_ecef_m + 500.0
    far = [dataclasses.replace(solutions[0], position_ecef_m=elsewhere), *solutions[1:]]
    singular = [dataclasses.replace(s, covariance_m2=np.zeros((3, 3))) for s in solutions]
    cases = [
        (([], control), AdjustmentError, "at least 3 stations, and there are 0"),
        ((few, control), AdjustmentError, "at least 3 stations, and there are 2"),
        ((solutions, control[:1]), AdjustmentError, "at least 2 control stations"),
        ((solutions, []), AdjustmentError, "there are 0"),
        ((apart, control), AdjustmentError, "no station ties these days together"),
        (([*solutions, solutions[0]], control), InputError, "two solutions for this day"),
        ((other_frame, control), InputError, "bring them to one frame first"),
        ((static, control), FrameError, "cannot stand in CGCS2000"),
        ((not_finite, control), InputError, "three finite numbers"),
        ((far, control), InputError, "are they one marker"),
        ((solutions, [*control, control[0]]), AdjustmentError, "given twice"),
    ]
    for arguments, error, message in cases:
        with pytest.raises(error, match=message):
            combine_solutions(*arguments)
    with pytest.raises(AdjustmentError, match="covariance is singular"):
        combine_solutions(singular, control, options=AS_GIVEN)
    with pytest.raises(AdjustmentError, match="at least 3 control stations"):
        combine_solutions(solutions, control[:2], options=CombinationOptions(alignment=FULL))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alignment": ()}, "alignment"),
        ({"alignment": ("shear",)}, "alignment"),
        ({"alignment": (DatumParameter.ROTATION,)}, "needs a translation"),
        ({"daily_noise_enu_m": (0.0, -0.1, 0.0)}, "daily_noise_enu_m"),
        ({"control_noise_enu_m": (0.0, np.nan, 0.0)}, "control_noise_enu_m"),
        ({"significance": 0.0}, "significance"),
    ],
)
def test_options_that_make_no_sense_are_refused(network, change, message):
    with pytest.raises(InputError, match=message):
        combine_solutions(
            network.simulate(np.random.default_rng(1)), network.control(network.names[:3]),
            options=CombinationOptions(**change),
        )  # fmt: skip
