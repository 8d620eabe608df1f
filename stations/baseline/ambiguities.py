"""Double-difference ambiguities of a baseline fixed to whole numbers, and the proof against the float vector.

All ambiguities of a carrier and clock group differ by whole numbers from that of a reference arc. With the
carriers by themselves these differences are fixed at once; with the ionosphere-free combination the wide lane
comes first, from the Melbourne-Wuebbena combination, and the narrow lane after it (Blewitt 1989, J. Geophys.
Res. 94, B8). The clearest are rounded one by one, each lending its certainty to the others (bootstrapping);
what is left goes through integer least squares and must pass success rate and ratio.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import chdtri

from stations.baseline.equations import BaselineEquations, Differences
from stations.baseline.station_side import StationSide
from stations.beidou_generation import is_bds3
from stations.ppp.ambiguities import circular_mean
from stations.ppp.estimator import Estimate, adjust
from stations.ppp.integer_least_squares import condition_on_fixed, integer_least_squares, success_rate
from transforms.constants import SPEED_OF_LIGHT_M_PER_S
from transforms.errors import AdjustmentError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

WIDE_LANE_LIMIT_CYCLES: Final = 0.25
WIDE_LANE_SIGMA_CYCLES: Final = 0.15
ROUNDING_LIMIT_CYCLES: Final = 0.20  # fraction beyond which an ambiguity is not rounded
ROUNDING_SIGMA_CYCLES: Final = 0.10  # half a cycle is then five sigmas away
SEARCH_SIZE: Final = 40
MINIMUM_SEARCH: Final = 4
MINIMUM_SUCCESS_RATE: Final = 0.999
MINIMUM_RATIO: Final = 3.0
MINIMUM_FIXED_SHARE: Final = 0.65
CONSTRAINT_SIGMA_M: Final = 1e-4
AGREEMENT_SIGNIFICANCE: Final = 1e-3
# Slow errors that the float ambiguities take up, unknown to their covariance: daily vectors of permanent
# stations repeat to 1 to 3 mm. A wrong integer shows as centimetres.
AGREEMENT_FLOOR_M: Final = 0.002


@dataclass(frozen=True, eq=False)
class FixedBaseline:
    """What fixing came to; fixed_fraction of the double-difference ambiguities, remarks in words."""

    estimate: Estimate
    fixed: bool
    fixed_fraction: float
    success_rate: float | None
    ratio: float | None
    remarks: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _DoubleDifferences:
    """Double-difference ambiguities: value (m,) in cycles of `wavelength_m`, by columns of the unknowns.

    known_m : metres to add to the difference of two unknowns before it is divided by the wavelength
    """

    column: IntArray
    reference: IntArray
    wavelength_m: FloatArray
    known_m: FloatArray

    def transform(self, n: int) -> FloatArray:
        """Matrix (m, n) from unknowns in metres to cycles."""
        matrix = np.zeros((self.column.size, n))
        place = np.arange(self.column.size)
        matrix[place, self.column] = 1.0 / self.wavelength_m
        matrix[place, self.reference] = -1.0 / self.wavelength_m
        return matrix


def arc_satellites(differences: Differences) -> IntArray:
    """Satellite of each arc, (n_arc,)."""
    satellite = np.zeros(differences.n_arcs, dtype=np.int64)
    satellite[differences.arc] = differences.satellite_index
    return satellite


def _clock_groups(differences: Differences) -> list[tuple[str, BoolArray]]:
    """Arcs (n_arc,) by receiver bias: clock group, and for BeiDou its generation."""
    group = np.zeros(differences.n_arcs, dtype=np.int64)
    group[differences.arc] = differences.group
    names = []
    for k, satellite in enumerate(arc_satellites(differences)):
        name = differences.groups[group[k]]
        if name.startswith("C"):
            name += " BDS-3" if is_bds3(differences.satellites[satellite], differences.day) else " BDS-2"
        names.append(name)
    array = np.array(names)
    return [(name, np.asarray(array == name)) for name in sorted(set(names))]


def wide_lane_means(
    differences: Differences, first: StationSide, second: StationSide, used: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Melbourne-Wuebbena of each arc between the stations: mean and sigma of the mean (n_arc,), cycles."""
    frequency = differences.frequency_hz[differences.satellite_index]
    f1, f2 = frequency[:, 0], frequency[:, 1]
    cycles = np.zeros(differences.size)
    weight = used.astype(np.float64)
    for side, row, sign in ((first, differences.first_row, -1.0), (second, differences.second_row, 1.0)):
        phase = side.rows.phase_m[row] - side.antenna_m[row]
        code = side.rows.code_m[row] - side.antenna_m[row]
        wide = (f1 * phase[:, 0] - f2 * phase[:, 1]) / (f1 - f2)
        narrow = (f1 * code[:, 0] + f2 * code[:, 1]) / (f1 + f2)
        cycles += sign * (wide - narrow) * (f1 - f2) / SPEED_OF_LIGHT_M_PER_S
        weight = weight * np.sin(side.paths.elevation_rad[row])
    n_arcs = differences.n_arcs
    total = np.bincount(differences.arc, weight, n_arcs)
    safe = np.where(total > 0.0, total, 1.0)
    mean = np.bincount(differences.arc, weight * cycles, n_arcs) / safe
    scatter = np.bincount(differences.arc, weight * (cycles - mean[differences.arc]) ** 2, n_arcs) / safe
    count = np.bincount(differences.arc, used, n_arcs)
    return mean, np.where(count > 0, np.sqrt(scatter / np.maximum(count, 1)), np.inf)


def _reference(variance: FloatArray) -> int:
    return int(np.argmin(np.where(variance > 0.0, variance, np.inf)))


def _of_carriers(
    differences: Differences, equations: BaselineEquations, estimate: Estimate, live: BoolArray
) -> _DoubleDifferences:
    """Double differences of the carriers by themselves."""
    variance = np.diagonal(estimate.covariance)
    offset = np.zeros((differences.n_combinations, differences.n_arcs))
    offset[:, differences.arc] = differences.phase_offset_m
    satellite = arc_satellites(differences)
    columns, references, wavelengths, known = [], [], [], []
    for _, member in _clock_groups(differences):
        arcs = np.flatnonzero(member & live)
        for place, carrier in enumerate(differences.carriers):
            column = equations.layout.ambiguity(place).start + arcs
            if column.size < 2:
                continue
            best = _reference(variance[column])
            others = np.delete(np.arange(column.size), best)
            columns.append(column[others])
            references.append(np.full(others.size, column[best]))
            frequency = differences.frequency_hz[satellite[arcs[others]], carrier]
            wavelengths.append(SPEED_OF_LIGHT_M_PER_S / frequency)
            known.append(offset[place, arcs[others]] - offset[place, arcs[best]])
    return _joined(columns, references, wavelengths, known)


def _of_narrow_lanes(
    differences: Differences,
    equations: BaselineEquations,
    estimate: Estimate,
    live: BoolArray,
    wide_lanes: tuple[FloatArray, FloatArray],
    remarks: list[str],
) -> _DoubleDifferences:
    """Double differences of the ionosphere-free combination whose wide lanes are clear."""
    mean, sigma = wide_lanes
    variance = np.diagonal(estimate.covariance)
    offset = np.zeros(differences.n_arcs)
    offset[differences.arc] = differences.phase_offset_m[0]
    satellite = arc_satellites(differences)
    columns, references, wavelengths, known = [], [], [], []
    for name, member in _clock_groups(differences):
        arcs = np.flatnonzero(member & live)
        if arcs.size < MINIMUM_SEARCH:
            continue
        bias = circular_mean(mean[arcs], 1.0 / np.maximum(sigma[arcs], 0.02) ** 2)
        integer = np.round(mean[arcs] - bias)
        clear = (np.abs(mean[arcs] - bias - integer) < WIDE_LANE_LIMIT_CYCLES) & (
            sigma[arcs] < WIDE_LANE_SIGMA_CYCLES
        )
        if np.mean(clear) < MINIMUM_FIXED_SHARE:
            remarks.append(
                f"{name}: {np.count_nonzero(clear)} of {arcs.size} wide lanes are clear, too few: left float"
            )
            continue
        arcs, integer = arcs[clear], integer[clear]
        frequency = differences.frequency_hz[satellite[arcs]]
        f1, f2 = frequency[:, 0], frequency[:, 1]
        # B = lambda_NL N1 + c f2 / (f1^2 - f2^2) N_WL, as N2 = N1 - N_WL
        wide_m = SPEED_OF_LIGHT_M_PER_S * f2 / (f1**2 - f2**2) * integer
        column = equations.layout.ambiguity(0).start + arcs
        best = _reference(variance[column])
        others = np.delete(np.arange(arcs.size), best)
        columns.append(column[others])
        references.append(np.full(others.size, column[best]))
        wavelengths.append(SPEED_OF_LIGHT_M_PER_S / (f1 + f2)[others])
        free = offset[arcs] - wide_m
        known.append(free[others] - free[best])
    return _joined(columns, references, wavelengths, known)


def _joined(
    columns: list[IntArray],
    references: list[IntArray],
    wavelengths: list[FloatArray],
    known: list[FloatArray],
) -> _DoubleDifferences:
    if not columns:
        none = np.zeros(0)
        return _DoubleDifferences(none.astype(np.int64), none.astype(np.int64), none, none)
    return _DoubleDifferences(
        np.concatenate(columns).astype(np.int64),
        np.concatenate(references).astype(np.int64),
        np.concatenate(wavelengths),
        np.concatenate(known),
    )


def fix_by_rounding(value: FloatArray, covariance: FloatArray) -> tuple[dict[int, float], float]:
    """Round the clearest first, each lending its certainty to the rest.

    Returns place -> whole number, and the probability that all of them are right (Teunissen 1998).
    """
    success = 1.0
    value, covariance = value.copy(), covariance.copy()
    left = np.ones(value.size, dtype=np.bool_)
    fixed: dict[int, float] = {}
    while left.any():
        sigma = np.sqrt(np.maximum(np.diagonal(covariance), 1e-12))
        fraction = np.abs(value - np.round(value))
        sure = left & (sigma < ROUNDING_SIGMA_CYCLES) & (fraction < ROUNDING_LIMIT_CYCLES)
        if not sure.any():
            break
        k = int(np.argmin(np.where(sure, fraction + 3.0 * sigma, np.inf)))
        success *= success_rate(np.array([sigma[k] ** 2]))
        fixed[k] = float(np.round(value[k]))
        gain = covariance[:, k] / (covariance[k, k] + 1e-10)
        value = value - gain * (value[k] - fixed[k])
        covariance = covariance - np.outer(gain, covariance[k])
        left[k] = False
    return fixed, success


def fix_by_search(
    value: FloatArray, covariance: FloatArray
) -> tuple[dict[int, float], float | None, float | None]:
    """Integer least squares on the best-determined part that passes; with its success rate and ratio."""
    order = np.argsort(np.diagonal(covariance), kind="stable")[:SEARCH_SIZE]
    while order.size >= MINIMUM_SEARCH:
        try:
            found = integer_least_squares(value[order], covariance[np.ix_(order, order)])
        except AdjustmentError:
            return {}, None, None
        if found.success_rate >= MINIMUM_SUCCESS_RATE and found.ratio >= MINIMUM_RATIO:
            numbers = {int(k): float(n) for k, n in zip(order, found.integers, strict=True)}
            return numbers, found.success_rate, found.ratio
        order = order[: -max(1, order.size // 10)]
    return {}, None, None


def fix_baseline(
    differences: Differences,
    equations: BaselineEquations,
    first: StationSide,
    second: StationSide,
    estimate: Estimate,
    weight: FloatArray,
    covariance_scale: float,
) -> FixedBaseline:
    """Fix what can be fixed, and prove it.

    Parameters
    ----------
    estimate, weight : the converged float solution; weight 0 where an observation was rejected
    covariance_scale : factor that makes the estimate's covariance that of the residuals with their
        correlation in time: without it multipath makes wrong integers look certain
    """
    remarks: list[str] = []
    n = differences.size
    used = weight[:n] > 0.0
    live = np.bincount(differences.arc[used], minlength=differences.n_arcs) > 0
    n_possible = sum(max(int(np.count_nonzero(m & live)) - 1, 0) for _, m in _clock_groups(differences))
    if differences.ionosphere_free:
        means = wide_lane_means(differences, first, second, used)
        double = _of_narrow_lanes(differences, equations, estimate, live, means, remarks)
    else:
        double = _of_carriers(differences, equations, estimate, live)
        n_possible *= differences.n_combinations
    if double.column.size == 0:
        remarks.append("ambiguities stay float: none could be fixed safely")
        return FixedBaseline(estimate, False, 0.0, None, None, tuple(remarks))
    transform = double.transform(equations.layout.size)
    value = transform @ estimate.parameters + double.known_m / double.wavelength_m
    covariance = transform @ estimate.covariance @ transform.T * covariance_scale
    fixed, rounding_success = fix_by_rounding(value, covariance)
    rest, left, left_covariance = condition_on_fixed(value, covariance, fixed)
    searched, search_success, ratio = fix_by_search(left, left_covariance)
    success = rounding_success * (1.0 if search_success is None else search_success)
    for k, whole in searched.items():
        fixed[int(rest[k])] = whole
    if len(fixed) < MINIMUM_FIXED_SHARE * double.column.size:
        remarks.append(
            f"ambiguities stay float: {len(fixed)} of {double.column.size} can be fixed, too few to trust"
        )
        return FixedBaseline(estimate, False, 0.0, None, None, tuple(remarks))
    held = np.array(sorted(fixed), dtype=np.int64)
    numbers = np.array([fixed[int(k)] for k in held])
    matrix = transform[held] * double.wavelength_m[held, None]
    target = numbers * double.wavelength_m[held] - double.known_m[held]
    design, constraint, constraint_weight = equations.constraints
    improved = adjust(
        equations.design,
        equations.local_design,
        equations.local_size,
        equations.misclosure_m,
        weight,
        sp.csr_array(sp.vstack([design, sp.csr_array(matrix)])),
        np.concatenate([constraint, target]),
        np.concatenate([constraint_weight, np.full(held.size, CONSTRAINT_SIGMA_M**-2)]),
    )
    place = equations.layout.position
    shift = improved.parameters[place] - estimate.parameters[place]
    allowed = estimate.covariance[place, place] * covariance_scale + AGREEMENT_FLOOR_M**2 * np.eye(3)
    statistic = float(shift @ np.linalg.solve(allowed, shift))
    limit = float(chdtri(3, AGREEMENT_SIGNIFICANCE))
    if statistic > limit:
        remarks.append(
            f"ambiguities stay float: the fixed vector lies {1e3 * float(np.linalg.norm(shift)):.1f} mm from "
            f"the float one, more than its covariance allows (statistic {statistic:.1f}, limit {limit:.1f})"
        )
        return FixedBaseline(estimate, False, 0.0, None, None, tuple(remarks))
    return FixedBaseline(improved, True, len(fixed) / max(n_possible, 1), success, ratio, tuple(remarks))
