"""Ambiguities fixed to whole numbers: wide lane, then narrow lane, then proof against the float solution.

With satellite phase biases the differences of ambiguities between satellites are whole numbers (Banville et
al. 2020, J. Geodesy 94:10; Geng et al. 2022). The wide lane comes from the Melbourne-Wuebbena combination,
arc by arc; with it the ionosphere-free ambiguity becomes lambda_NL N1 plus a known part. What receivers add
is common to all satellites of a clock group and falls out of the difference to a reference arc.

A wrong fix is worse than none. An arc is a candidate only if its wide lane is clear; a group whose fractional
parts look uniform is not fixed at all; and a fixed position that the float one does not allow is refused.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.special import chdtri

from stations.beidou_generation import day_of, is_bds3
from stations.ppp.error_budget import PRODUCT_SIGMA_M, honest_covariance
from stations.ppp.estimator import Estimate, adjust
from stations.ppp.integer_least_squares import condition_on_fixed, integer_least_squares
from stations.ppp.robust_adjustment import RobustEstimate
from stations.ppp.session import Session
from transforms.constants import SPEED_OF_LIGHT_M_PER_S
from transforms.errors import AdjustmentError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

WIDE_LANE_LIMIT_CYCLES: Final = 0.25  # fraction beyond which a wide lane is not believed
WIDE_LANE_SIGMA_CYCLES: Final = 0.15  # of an arc's mean
NARROW_LANE_LIMIT_CYCLES: Final = 0.20
NARROW_LANE_SIGMA_CYCLES: Final = 0.12  # a normal error beyond half a cycle has then a chance of 3e-5
# Fractions of pure chance fall within the wide-lane limit half of the time.
MINIMUM_CLEAR_SHARE: Final = 0.65
MINIMUM_ARCS: Final = 4
SEARCH_SIZE: Final = 40
MINIMUM_SUCCESS_RATE: Final = 0.999
MINIMUM_RATIO: Final = 3.0
# Right whole numbers lie as near as the covariance of the real ones says, 1 in the mean square; where an
# error that no covariance knows (a wrong wide lane, a slip unseen, a clock astray) bent the real solution,
# they lie farther, and the nearest are the wrong ones however far the next. Hours and pairs of hours of
# BOR1, one system: right ones 0.02 to 1.1, wrong ones 1.4 to 3.4.
MAXIMUM_MISFIT: Final = 1.0
CONSTRAINT_SIGMA_M: Final = 1e-4  # of a fixed difference, far below the noise of phase
# Each GLONASS satellite sends on frequencies of its own: differences of its ambiguities are no whole number
# of one wavelength, and a receiver's delays differ from channel to channel.
FLOAT_SYSTEM: Final = "R"
AGREEMENT_SIGNIFICANCE: Final = 1e-3  # of the test of fixed against float


@dataclass(frozen=True, eq=False)
class AmbiguityResult:
    """What fixing came to.

    estimate : with the fixed ambiguities held, or the float one
    fixed_fraction : of the arcs in the solution, GLONASS apart, 0 where it stayed float
    remarks : in words, also why nothing was fixed
    """

    estimate: Estimate
    fixed_fraction: float
    remarks: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Arcs:
    """Arcs of one clock group fit for fixing, all (n,).

    arc : places in the layout; narrow_lane : N1 plus a common part, cycles; wavelength_m : of the narrow lane
    """

    name: str
    arc: IntArray
    narrow_lane: FloatArray
    wavelength_m: FloatArray


def circular_mean(fractions: FloatArray, weight: FloatArray) -> float:
    """Mean of numbers modulo one, in (-0.5, 0.5]."""
    return float(np.angle(np.sum(weight * np.exp(2j * np.pi * fractions))) / (2.0 * np.pi))


def wide_lane_means(
    session: Session, result: RobustEstimate
) -> tuple[FloatArray, FloatArray, IntArray, IntArray]:
    """Melbourne-Wuebbena of each arc: mean (n_arc,) and sigma of the mean, cycles; count; satellite."""
    rows, paths = result.problem.rows, result.problem.paths
    antenna_m = session.antenna_corrections(rows, paths).correction_m
    phase, code = rows.phase_m - antenna_m, rows.code_m - antenna_m
    frequency = session.selected.frequency_hz[rows.satellite_index]
    f1, f2 = frequency[:, 0], frequency[:, 1]
    wide = (f1 * phase[:, 0] - f2 * phase[:, 1]) / (f1 - f2)
    narrow = (f1 * code[:, 0] + f2 * code[:, 1]) / (f1 + f2)
    cycles = (wide - narrow) * (f1 - f2) / SPEED_OF_LIGHT_M_PER_S
    n_arcs = result.problem.layout.n_arcs
    used = result.phase_used & result.code_used
    weight = np.sin(paths.elevation_rad) ** 2 * used
    total = np.bincount(rows.arc, weight, n_arcs)
    safe = np.where(total > 0.0, total, 1.0)
    mean = np.bincount(rows.arc, weight * cycles, n_arcs) / safe
    scatter = np.bincount(rows.arc, weight * (cycles - mean[rows.arc]) ** 2, n_arcs) / safe
    count = np.bincount(rows.arc, used, n_arcs).astype(np.int64)
    satellite = np.zeros(n_arcs, dtype=np.int64)
    satellite[rows.arc] = rows.satellite_index
    return mean, np.sqrt(scatter / np.maximum(count, 1)), count, satellite


def _connected_arcs(result: RobustEstimate, row_group: IntArray) -> IntArray:
    """Number of the connected part that each arc (n_arc,) belongs to.

    Arcs are connected where they share an epoch's receiver clock. A gap of all satellites parts a day: the
    clock is free on its two sides, and only code ties them.
    """
    rows = result.problem.rows
    n_arcs = result.problem.layout.n_arcs
    used = result.phase_used
    clock = (rows.epoch_index * (int(row_group.max(initial=0)) + 1) + row_group)[used]
    size = n_arcs + int(clock.max(initial=0)) + 1
    links = sp.coo_array((np.ones(clock.size), (rows.arc[used], n_arcs + clock)), shape=(size, size))
    _, label = connected_components(links, directed=False)
    return np.asarray(label[:n_arcs], dtype=np.int64)


def _groups(session: Session, result: RobustEstimate, satellite: IntArray) -> list[tuple[str, BoolArray]]:
    """Arcs (n_arc,) that share the receiver's bias: clock group, BeiDou's generation, connected in time."""
    selected = session.selected
    part = _connected_arcs(result, selected.group[result.problem.rows.satellite_index])
    day = day_of(session.epochs[0])
    names = []
    for k in satellite:
        name = selected.groups[selected.group[k]]
        generation = ""
        if name.startswith("C"):  # the codes of the two generations differ by a bias of the receiver
            generation = " BDS-3" if is_bds3(selected.satellites[k], day) else " BDS-2"
        names.append(name + generation)
    keys = sorted(set(zip(names, part.tolist(), strict=True)))
    array = np.array(names)
    return [(name, np.asarray((array == name) & (part == number))) for name, number in keys]


def _candidates(session: Session, result: RobustEstimate, remarks: list[str]) -> list[_Arcs]:
    mean, sigma, count, satellite = wide_lane_means(session, result)
    layout = result.problem.layout
    rows = result.problem.rows
    ambiguity = result.estimate.parameters[layout.ambiguity].copy()
    offset = np.zeros(layout.n_arcs)
    offset[rows.arc] = result.problem.phase_offset_m
    ambiguity += offset
    usable = session.selected.phase_bias_known[satellite] & (count >= session.options.minimum_arc_epochs)
    found = []
    for name, member in _groups(session, result, satellite):
        arcs = np.flatnonzero(member & usable)
        if arcs.size < MINIMUM_ARCS:
            continue
        bias = circular_mean(mean[arcs], np.minimum(count[arcs], np.median(count[arcs])))
        integer = np.round(mean[arcs] - bias)
        fraction = mean[arcs] - bias - integer
        clear = (np.abs(fraction) < WIDE_LANE_LIMIT_CYCLES) & (sigma[arcs] < WIDE_LANE_SIGMA_CYCLES)
        if np.mean(clear) < MINIMUM_CLEAR_SHARE:
            remarks.append(
                f"{name}: {np.count_nonzero(clear)} of {arcs.size} wide lanes are clear, too few to trust "
                "the phase biases: left float"
            )
            continue
        arcs, integer = arcs[clear], integer[clear]
        frequency = session.selected.frequency_hz[satellite[arcs]]
        wavelength_2 = SPEED_OF_LIGHT_M_PER_S / frequency[:, 1]
        narrow_wavelength = SPEED_OF_LIGHT_M_PER_S / np.sum(frequency, axis=1)
        second_factor = session.factors[satellite[arcs], 1]
        # B = lambda_NL N1 - factor_2 lambda_2 N_WL, as N2 = N1 - N_WL
        narrow = (ambiguity[arcs] + second_factor * wavelength_2 * integer) / narrow_wavelength
        found.append(_Arcs(name, arcs.astype(np.int64), narrow, narrow_wavelength))
    return found


def _fix_sequentially(value: FloatArray, covariance: FloatArray) -> dict[int, float]:
    """Fix the clearest first, each lending its certainty to the rest; place -> whole number."""
    value, covariance = value.copy(), covariance.copy()
    left = np.ones(value.size, dtype=np.bool_)
    fixed: dict[int, float] = {}
    while left.any():
        sigma = np.sqrt(np.maximum(np.diagonal(covariance), 1e-12))
        fraction = np.abs(value - np.round(value))
        sure = left & (sigma < NARROW_LANE_SIGMA_CYCLES) & (fraction < NARROW_LANE_LIMIT_CYCLES)
        if not sure.any():
            return fixed
        k = int(np.argmin(np.where(sure, fraction + 3.0 * sigma, np.inf)))
        fixed[k] = float(np.round(value[k]))
        gain = covariance[:, k] / (covariance[k, k] + 1e-10)
        value = value - gain * (value[k] - fixed[k])
        covariance = covariance - np.outer(gain, covariance[k])
        left[k] = False
    return fixed


def _fix_by_search(value: FloatArray, covariance: FloatArray) -> dict[int, float]:
    """Integer least squares on the best-determined subset that passes success rate and ratio."""
    order = np.argsort(np.diagonal(covariance), kind="stable")[:SEARCH_SIZE]
    while order.size >= MINIMUM_ARCS:
        part = covariance[np.ix_(order, order)]
        try:
            solution = integer_least_squares(value[order], part)
        except AdjustmentError:
            return {}
        if solution.success_rate >= MINIMUM_SUCCESS_RATE and solution.ratio >= MINIMUM_RATIO:
            return {int(k): float(n) for k, n in zip(order, solution.integers, strict=True)}
        order = order[: -max(1, order.size // 10)]
    return {}


def _ambiguity_covariance(session: Session, result: RobustEstimate, arcs: IntArray) -> FloatArray:
    """Covariance (m, m) of the ambiguities of arcs (m,), m^2, with errors alike in time."""
    if arcs.size == 0:
        return np.zeros((0, 0))
    layout, rows = result.problem.layout, result.problem.rows
    satellite = np.zeros(layout.n_arcs, dtype=np.int64)
    satellite[rows.arc] = rows.satellite_index
    covariance = honest_covariance(session, result, result.estimate, layout.ambiguity.start + arcs)
    # An error that a satellite's orbit and clock keep for the whole arc is all in its ambiguity.
    kept = (PRODUCT_SIGMA_M * session.product_factor[satellite[arcs]]) ** 2
    return np.asarray(covariance + np.diag(kept))


def mean_square_misfit(value: FloatArray, covariance: FloatArray, fixed: dict[int, float]) -> float:
    """Squared norm of the step from real values to whole numbers (place -> number), for each of them.

    The norm is that of the covariance (n, n) of the values (n,), cycles: of right numbers it is chi-square,
    so that 1 is to be expected.
    """
    known = np.array(sorted(fixed), dtype=np.int64)
    if known.size == 0:
        return 0.0
    step = value[known] - np.array([fixed[int(k)] for k in known])
    return float(step @ np.linalg.solve(covariance[np.ix_(known, known)], step)) / known.size


def fix_ambiguities(session: Session, result: RobustEstimate, covariance_scale: float) -> AmbiguityResult:
    """Fix what can be fixed, and prove it.

    Parameters
    ----------
    result : converged float solution of observations freed of phase biases
    covariance_scale : factor that makes the position's covariance an honest one (error_budget.py), for the
        test of fixed against float
    """
    remarks: list[str] = []
    layout = result.problem.layout
    if any(group.startswith(FLOAT_SYSTEM) for group in session.selected.groups):
        remarks.append(
            "GLONASS ambiguities stay float: each satellite has a frequency of its own, so their differences "
            "are no whole numbers; the fixed fraction counts the other systems"
        )
    if not session.selected.phase_bias_known.any():
        return AmbiguityResult(
            result.estimate,
            0.0,
            (
                *remarks,
                "ambiguities stay float: the products hold no satellite phase biases for these signals",
            ),
        )
    start = layout.ambiguity.start
    constraints: list[tuple[int, int, float]] = []  # arc, reference arc, difference in metres of B
    references = 0
    groups = _candidates(session, result, remarks)
    candidates = np.concatenate([group.arc for group in groups]) if groups else np.zeros(0, dtype=np.int64)
    covariance_m2 = _ambiguity_covariance(session, result, candidates)
    first = 0
    for group in groups:
        columns = start + group.arc
        mine = slice(first, first + group.arc.size)
        first += group.arc.size
        reference = int(np.argmin(np.diagonal(result.estimate.covariance)[columns]))
        others = np.delete(np.arange(group.arc.size), reference)
        scale = np.zeros((others.size, group.arc.size))
        scale[np.arange(others.size), others] = 1.0 / group.wavelength_m[others]
        scale[:, reference] = -1.0 / group.wavelength_m[reference]
        covariance = scale @ covariance_m2[mine, mine] @ scale.T
        value = group.narrow_lane[others] - group.narrow_lane[reference]
        fixed = _fix_sequentially(value, covariance)
        rest, left, left_covariance = condition_on_fixed(value, covariance, fixed)
        for k, whole in _fix_by_search(left, left_covariance).items():
            fixed[int(rest[k])] = whole
        if len(fixed) < MINIMUM_CLEAR_SHARE * others.size:
            remarks.append(
                f"{group.name}: {len(fixed)} of {others.size} narrow lanes can be fixed, too few to trust: "
                "left float"
            )
            continue
        misfit = mean_square_misfit(value, covariance, fixed)
        if misfit > MAXIMUM_MISFIT:
            remarks.append(
                f"{group.name}: the narrow lanes lie {np.sqrt(misfit):.1f} times farther from whole numbers "
                "than their covariance has it: left float"
            )
            continue
        references += 1
        for k, whole in fixed.items():
            change = (whole - value[k]) * group.wavelength_m[others[k]]
            now = (
                result.estimate.parameters[columns[others[k]]]
                - result.estimate.parameters[columns[reference]]
            )
            constraints.append((int(columns[others[k]]), int(columns[reference]), float(now + change)))
    if not constraints:
        remarks.append("ambiguities stay float: none could be fixed safely")
        return AmbiguityResult(result.estimate, 0.0, tuple(remarks))
    estimate = _adjust_with_fixed(session, result, constraints)
    if layout.static:
        shift = estimate.parameters[layout.position] - result.estimate.parameters[layout.position]
        allowed = result.estimate.covariance[layout.position, layout.position] * covariance_scale
        statistic = float(shift @ np.linalg.solve(allowed, shift))
        limit = float(chdtri(3, AGREEMENT_SIGNIFICANCE))
        if statistic > limit:
            away_mm = 1e3 * float(np.linalg.norm(shift))
            remarks.append(
                f"ambiguities stay float: the fixed position lies {away_mm:.1f} mm "
                f"from the float one, more than its covariance allows (statistic {statistic:.1f}, "
                f"limit {limit:.1f})"
            )
            return AmbiguityResult(result.estimate, 0.0, tuple(remarks))
    rows = result.problem.rows
    glonass = np.array([s[0] == FLOAT_SYSTEM for s in session.selected.satellites])
    live = np.unique(rows.arc[result.phase_used & ~glonass[rows.satellite_index]]).size
    fraction = (len(constraints) + references) / max(live, 1)
    return AmbiguityResult(estimate, fraction, tuple(remarks))


def _adjust_with_fixed(
    session: Session, result: RobustEstimate, constraints: list[tuple[int, int, float]]
) -> Estimate:
    problem = result.problem
    design, value, weight = session.constraints(problem.layout)
    n = len(constraints)
    row = np.repeat(np.arange(n), 2)
    column = np.array([c for pair in constraints for c in pair[:2]])
    sign = np.tile([1.0, -1.0], n)
    held = sp.csr_array((sign, (row, column)), shape=(n, problem.layout.size))
    return adjust(
        problem.equations.design,
        problem.equations.local_design,
        problem.equations.local_size,
        problem.misclosure_m,
        result.weight,
        sp.csr_array(sp.vstack([design, held])),
        np.concatenate([value, [c[2] for c in constraints]]),
        np.concatenate([weight, np.full(n, CONSTRAINT_SIGMA_M**-2)]),
    )
