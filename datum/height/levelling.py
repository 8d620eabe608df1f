"""Adjustment of a levelling network: heights, their covariance, blunders found, loops judged.

Observation equation of a line: height(to) - height(from) = difference; its sigma grows with the root of the
length. Bench marks with a height of sigma 0 are held; with a greater sigma they are observations too (a
weighted datum).
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from datum.adjustment.least_squares import whiten
from datum.adjustment.snooping import Suspect, remarks_on_tests, snoop
from datum.adjustment.testing import (
    GLOBAL_SIGNIFICANCE,
    POWER,
    SIGNIFICANCE,
    minimal_detectable_bias,
    variance_factor_limits,
)
from datum.height.levelling_orders import levelling_order
from datum.height.loops import connected_parts, loop_misclosures
from datum.records import AdjustedLine, HeightSolution, LevellingLine, LevellingNetwork, Rejection
from transforms.errors import AdjustmentError, InputError

FloatArray = NDArray[np.float64]

NAMES_SHOWN: Final = 8  # of a long list of bench marks in an error's text


@dataclass(frozen=True, eq=False)
class _Equations:
    """Observation equations of a network about approximate heights: lines first, then weighted heights."""

    bench_marks: tuple[str, ...]
    unknown: tuple[str, ...]
    approximate_m: FloatArray
    design: FloatArray
    observed: FloatArray
    sigma: FloatArray
    testable: NDArray[np.bool_]
    row_names: tuple[str, ...]
    constraints: FloatArray | None


def adjust_levelling(
    network: LevellingNetwork,
    *,
    kind: Literal["normal", "orthometric", "dynamic"] = "normal",
    covariance: Literal["a priori", "a posteriori"] = "a priori",
    significance: float = SIGNIFICANCE,
    power: float = POWER,
    global_significance: float = GLOBAL_SIGNIFICANCE,
    maximum_rejected: int | None = None,
) -> HeightSolution:
    """Adjust a levelling network by least squares, with data snooping.

    Parameters
    ----------
    network : lines and bench marks of known height
    kind : of the heights of the datum, said again in the solution
    covariance : "a posteriori" multiplies the covariance by the variance factor
    significance, power : of Baarda's w-test of one line; global_significance : of the chi-square test
    maximum_rejected : blunders to take out at most (default: a tenth of the lines, at least one)

    Returns
    -------
    HeightSolution : bench marks sorted by name, those held included (covariance 0); a line taken out keeps
        its misfit as residual. Loops beyond the order's limit and a failed global test stand in the remarks.

    Raises
    ------
    InputError : nothing to adjust, or names that contradict each other
    AdjustmentError : a part of the network hangs on no bench mark of known height
    """
    _check(network)
    equations = _equations(network)
    snooped = snoop(
        equations.design,
        equations.observed,
        equations.sigma,
        parameter_names=tuple(f"the height of {name}" for name in equations.unknown),
        testable=equations.testable,
        constraints=equations.constraints,
        significance=significance,
        maximum_rejected=maximum_rejected,
    )
    solution = snooped.solution
    limits = variance_factor_limits(solution.degrees_of_freedom, global_significance)
    height = equations.approximate_m.copy()
    position = {name: i for i, name in enumerate(equations.bench_marks)}
    index = np.array([position[name] for name in equations.unknown], dtype=np.intp)
    height[index] += solution.parameters
    full = np.zeros((height.size, height.size))
    factor = solution.variance_factor if covariance == "a posteriori" else 1.0
    full[np.ix_(index, index)] = factor * solution.cofactor
    n_lines = len(network.lines)
    bias = minimal_detectable_bias(snooped.sigma, solution.redundancy, significance=significance, power=power)
    suspected = {i for suspect in snooped.suspects for i in suspect.observations}
    lines = tuple(
        AdjustedLine(
            name=line.name,
            residual_m=float(solution.residual[i]),
            standardised=float(solution.standardised[i]),
            redundancy=float(solution.redundancy[i]),
            minimal_detectable_bias_m=float(bias[i]),
            accepted=i not in suspected,
        )
        for i, line in enumerate(network.lines)
    )
    rejections = tuple(_rejection(network, equations, suspect, n_lines) for suspect in snooped.suspects)
    remarks = [
        *_loop_remarks(network, rejections),
        *remarks_on_tests(
            snooped,
            limits,
            checked="line",
            too_small="more is wrong than the tests of single lines show",
            instead="wrong sigmas",
        ),
        *_datum_remarks(network, equations),
    ]
    return HeightSolution(
        vertical_datum=network.vertical_datum,
        tide_system=network.tide_system,
        kind=kind,
        bench_marks=equations.bench_marks,
        height_m=height,
        covariance_m2=full,
        variance_factor=solution.variance_factor,
        degrees_of_freedom=solution.degrees_of_freedom,
        chi_square_limits=limits,
        lines=lines,
        rejections=rejections,
        remarks=tuple(remarks),
        inputs=network.inputs,
    )


def _check(network: LevellingNetwork) -> None:
    """Refuse what cannot be adjusted, in words."""
    levelling_order(network.order)
    if not network.lines:
        raise InputError("the levelling network has no line")
    doubled = sorted(name for name, n in Counter(line.name for line in network.lines).items() if n > 1)
    if doubled:
        raise InputError(f"levelling lines have the same name: {_some(doubled)}")
    for line in network.lines:
        if line.frm == line.to:
            raise InputError(f"levelling line {line.name} begins and ends at {line.frm}")
        if not math.isfinite(line.height_difference_m):
            raise InputError(f"levelling line {line.name}: the height difference is not a number")
        if not (math.isfinite(line.length_km) and line.length_km > 0.0):
            raise InputError(f"levelling line {line.name}: a length of {line.length_km} km")
        if not (math.isfinite(line.sigma_m) and line.sigma_m > 0.0):
            raise InputError(f"levelling line {line.name}: a sigma of {line.sigma_m} m")
    for name, (height, sigma) in network.fixed_height_m.items():
        if not (math.isfinite(height) and math.isfinite(sigma) and sigma >= 0.0):
            raise InputError(f"bench mark {name}: height {height} m with a sigma of {sigma} m")
    if network.free_datum_m and network.fixed_height_m:
        raise InputError("a levelling network is either free or holds known heights, not both")
    if not network.free_datum_m and not network.fixed_height_m:
        raise AdjustmentError("no bench mark has a known height: the whole levelling network floats")
    datum = set(network.fixed_height_m) | set(network.free_datum_m)
    levelled = {name for line in network.lines for name in (line.frm, line.to)}
    for part in connected_parts(network.lines):
        if not datum & set(part):
            raise AdjustmentError(
                f"no line joins {_some(part)} to a bench mark of known height: this part of the levelling "
                "network floats; level a line to it or give one of these bench marks a height"
            )
    absent = sorted(set(network.free_datum_m) - levelled)
    if absent:
        raise InputError(f"the free datum names {_some(absent)}, on which no line ends")
    if levelled <= {name for name, (_, sigma) in network.fixed_height_m.items() if sigma == 0.0}:
        raise InputError("every levelled bench mark is held fixed: there is nothing to adjust")
    if network.free_datum_m and len(connected_parts(network.lines)) > 1:
        raise AdjustmentError("a free levelling network must hang together, and this one falls into parts")


def _equations(network: LevellingNetwork) -> _Equations:
    levelled = {name for line in network.lines for name in (line.frm, line.to)}
    bench_marks = tuple(sorted(levelled | set(network.fixed_height_m)))
    correlated = network.fixed_covariance_m2 is not None
    held = {n for n, (_, sigma) in network.fixed_height_m.items() if sigma == 0.0 and not correlated}
    unknown = tuple(name for name in bench_marks if name not in held)
    column = {name: i for i, name in enumerate(unknown)}
    carried = approximate_heights_m(network)
    approximate = np.array([carried[name] for name in bench_marks], dtype=np.float64)
    place = {name: i for i, name in enumerate(bench_marks)}
    rows, observed, sigmas, names = [], [], [], []
    for line in network.lines:
        row = np.zeros(len(unknown))
        if line.to in column:
            row[column[line.to]] += 1.0
        if line.frm in column:
            row[column[line.frm]] -= 1.0
        rows.append(row)
        observed.append(
            line.height_difference_m - (approximate[place[line.to]] - approximate[place[line.frm]])
        )
        sigmas.append(line.sigma_m)
        names.append(f"levelling line {line.name} ({line.frm} to {line.to})")
    testable = [True] * len(rows)
    weighted = [name for name in network.fixed_height_m if name in column]
    if weighted:
        block = np.zeros((len(weighted), len(unknown)))
        for i, name in enumerate(weighted):
            block[i, column[name]] = 1.0
        misfit = np.array(
            [network.fixed_height_m[name][0] - approximate[place[name]] for name in weighted],
            dtype=np.float64,
        )
        if network.fixed_covariance_m2 is not None:
            block, misfit = whiten(block, misfit, network.fixed_covariance_m2)
            sigmas += [1.0] * len(weighted)
        else:
            sigmas += [network.fixed_height_m[name][1] for name in weighted]
        rows += list(block)
        observed += misfit.tolist()
        names += [f"known height of bench mark {name}" for name in weighted]
        testable += [not correlated] * len(weighted)
    constraints = None
    if network.free_datum_m:
        constraints = np.zeros((1, len(unknown)))
        constraints[0, [column[name] for name in network.free_datum_m if name in column]] = 1.0
    return _Equations(
        bench_marks=bench_marks,
        unknown=unknown,
        approximate_m=approximate,
        design=np.array(rows, dtype=np.float64).reshape(len(rows), len(unknown)),
        observed=np.array(observed, dtype=np.float64),
        sigma=np.array(sigmas, dtype=np.float64),
        testable=np.array(testable, dtype=np.bool_),
        row_names=tuple(names),
        constraints=constraints,
    )


def approximate_heights_m(network: LevellingNetwork) -> dict[str, float]:
    """Heights carried along the lines from the datum, good to the blunders; those of the datum are as given.

    Bench marks that no line reaches from the datum are missing.
    """
    height = {name: value for name, (value, _) in network.fixed_height_m.items()} | dict(network.free_datum_m)
    waiting = list(network.lines)
    while waiting:
        left: list[LevellingLine] = []
        for line in waiting:
            if line.frm in height and line.to not in height:
                height[line.to] = height[line.frm] + line.height_difference_m
            elif line.to in height and line.frm not in height:
                height[line.frm] = height[line.to] - line.height_difference_m
            elif line.frm not in height:
                left.append(line)
        if len(left) == len(waiting):
            break
        waiting = left
    return height


def _rejection(network: LevellingNetwork, equations: _Equations, suspect: Suspect, n_lines: int) -> Rejection:
    """Say in words what was found: the line, the size, the statistic and its limit."""
    first = suspect.observations[0]
    test = f"|w| = {suspect.statistic:.1f} exceeds {suspect.limit:.2f}"
    if len(suspect.observations) > 1:
        names = [equations.row_names[i] for i in suspect.observations]
        return Rejection(
            subject=_subject(network, equations, first, n_lines),
            reason=(
                f"one of {', '.join(names)} holds a blunder of about {abs(suspect.size) * 1e3:.1f} mm and "
                f"the network cannot tell which ({test}); all of them are kept with that much more sigma, "
                "and the heights that hang on them alone are not to be trusted"
            ),
            statistic=suspect.statistic,
            limit=suspect.limit,
        )
    return Rejection(
        subject=_subject(network, equations, first, n_lines),
        reason=(
            f"{equations.row_names[first]} is too great by about {suspect.size * 1e3:+.1f} mm: a blunder "
            f"({test})"
        ),
        statistic=suspect.statistic,
        limit=suspect.limit,
    )


def _subject(network: LevellingNetwork, equations: _Equations, row: int, n_lines: int) -> str:
    return network.lines[row].name if row < n_lines else equations.row_names[row]


def _loop_remarks(network: LevellingNetwork, rejections: tuple[Rejection, ...]) -> list[str]:
    order = levelling_order(network.order)
    known = {name: height for name, (height, _) in network.fixed_height_m.items()}
    out = {rejection.subject for rejection in rejections}
    remarks = []
    for loop in loop_misclosures(network.lines, known, order):
        if loop.within_limit:
            continue
        what = "loop" if loop.closes_on_itself else "line between known heights"
        explained = out & set(loop.lines)
        cause = f"; it holds {', '.join(sorted(explained))}, where a blunder was found" if explained else ""
        remarks.append(
            f"{what} {'-'.join(loop.lines)} ({loop.length_km:.1f} km) misses closure by "
            f"{loop.misclosure_m * 1e3:+.2f} mm; order {order.order} allows {loop.limit_m * 1e3:.2f} mm "
            f"({order.source}){cause}"
        )
    return remarks


def _datum_remarks(network: LevellingNetwork, equations: _Equations) -> list[str]:
    levelled = {name for line in network.lines for name in (line.frm, line.to)}
    remarks = [
        f"bench mark {name} has no levelling line: its known height is passed on unchecked"
        for name in sorted(set(network.fixed_height_m) - levelled)
    ]
    named = (set(network.stations) | set(network.geodetic_position_deg)) - set(equations.bench_marks)
    remarks += [
        f"bench mark {name} has neither a line nor a known height: left out" for name in sorted(named)
    ]
    return remarks


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:NAMES_SHOWN])
    return shown if len(names) <= NAMES_SHOWN else f"{shown} and {len(names) - NAMES_SHOWN} more"
