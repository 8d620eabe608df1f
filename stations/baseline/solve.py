"""The vector between two stations: the front door of double differences."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.baseline.ambiguities import fix_baseline
from stations.baseline.common_view import common_view, session_interval_s
from stations.baseline.equations import (
    BaselineEquations,
    Differences,
    build_baseline_equations,
    form_differences,
    short_arcs,
)
from stations.baseline.options import BASELINE_SYSTEMS, CARRIERS, BaselineOptions
from stations.baseline.station_side import StationSide, station_side
from stations.occupations import longest_occupation
from stations.ppp.estimator import Estimate, adjust
from stations.ppp.outliers import correlation_inflation, find_outliers, find_residual_steps, robust_sigma
from stations.ppp.rows import Rejections
from stations.records import AntennaCalibration, BaselineSolution, InputFile, Observations, PreciseProducts
from stations.station_code import station_code
from transforms.errors import AdjustmentError, InputError
from transforms.geodetic import geodetic_from_ecef
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_RELINEARISE_M: Final = 1.0  # below it the second order of a range is under 0.1 micrometre
_MAXIMUM_MOVES: Final = 5
_MAXIMUM_ROUNDS: Final = 25
_FIRST_LIMITS: Final = (12.0, 7.0)
_MINIMUM_PHASES_OF_AN_ARC: Final = 3
_MINIMUM_ROWS: Final = 30
_HEADER_TRUST_M: Final = 5.0  # code positions are good to some metres: a header within serves
# Frames and datums differ by hundreds of metres, so that a held position farther off is another place's.
_GIVEN_TRUST_M: Final = 2000.0
_ORBIT_HEIGHT_M: Final = 2.0e7


@dataclass(frozen=True, eq=False)
class _Adjusted:
    differences: Differences
    equations: BaselineEquations
    estimate: Estimate
    weight: FloatArray


def solve_baseline(
    first: Observations,
    second: Observations,
    products: PreciseProducts,
    antennas: Sequence[AntennaCalibration],
    *,
    options: BaselineOptions | None = None,
    base_position_ecef_m: FloatArray | None = None,
) -> BaselineSolution:
    """The vector from the first to the second station's marker, ambiguities fixed where that is safe.

    Parameters
    ----------
    first, second : observations of the same time; products : orbits with clocks (of centimetres or of metres)
    antennas : calibrations in the order of preference; may be empty where both antennas are of one type
    base_position_ecef_m : (3,) marker of the first station in the orbits' frame; None takes the
        header's where code confirms it, else that of code. Its error costs the vector as much, times the
        vector's length over 20,000 km

    Raises
    ------
    InputError : nothing in common, the same file twice, a base position that is another place's, a system
        without double differences, or different antennas of which one has no calibration
    AdjustmentError : too few observations
    """
    options = options or BaselineOptions()
    unknown = sorted(set(options.systems) - set(BASELINE_SYSTEMS))
    if unknown or not options.systems:
        raise InputError(
            f'double differences serve the systems "{BASELINE_SYSTEMS}", not "{options.systems}": '
            "GLONASS sends on another frequency from each satellite"
        )
    of_second = {file.sha256 for file in second.inputs}
    twice = next((file.path for file in first.inputs if file.sha256 in of_second), None)
    if twice is not None:
        raise InputError(f"{twice} was given for both stations: there is no vector between them")
    rejections = Rejections()
    first, first_remarks = longest_occupation(first, may_move=False)
    second, second_remarks = longest_occupation(second, may_move=False)
    interval_s = session_interval_s(first, second, options.interval_s, options.minimum_interval_s)
    shared = common_view(first, second, options.station_options(), interval_s)
    remarks = list(products.remarks)
    remarks += [f"{station_code(first)}: {remark}" for remark in first_remarks]
    remarks += [f"{station_code(second)}: {remark}" for remark in second_remarks]
    if shared.unlike:
        remarks.append(
            "the stations track the same carriers by different signals, whose code biases do not cancel: "
            + ", ".join(shared.unlike)
        )
    sides = [
        station_side(item, epochs, products, antennas, options.station_options(), rejections)
        for item, epochs in ((shared.first, shared.first_epochs), (shared.second, shared.second_epochs))
    ]
    base = _base_position(sides[0], base_position_ecef_m, remarks)
    sides[0] = sides[0].moved_to(base)
    length_m = float(np.linalg.norm(sides[1].position_ecef_m - base))
    free = options.ionosphere == "free" or (
        options.ionosphere == "auto" and length_m > options.ionosphere_free_above_m
    )
    if options.carriers != "both":
        alone = f"the {options.carriers} carrier alone"
        remarks.append(f"{alone}: not so, the ionosphere-free combination takes both" if free else alone)
    remarks += _antenna_remarks(sides, options.allow_missing_antenna)
    delays = _delays(sides, length_m, free, options)
    for _ in range(_MAXIMUM_MOVES):
        counted = Rejections(dict(rejections.counts))
        adjusted = _adjusted(sides[0], sides[1], free, length_m, delays, options, counted)
        shift = adjusted.estimate.parameters[adjusted.equations.layout.position]
        if float(np.linalg.norm(shift)) < _RELINEARISE_M:
            break
        sides[1] = sides[1].moved_to(sides[1].position_ecef_m + shift)
    else:
        raise AdjustmentError("the position of the second station does not converge")
    return _solution(sides[0], sides[1], products, adjusted, options, counted, remarks)


def _base_position(side: StationSide, given: FloatArray | None, remarks: list[str]) -> FloatArray:
    """Antenna reference point (3,) of the first station that is held; InputError if given for elsewhere."""
    if given is not None:
        held = np.asarray(given + side.eccentricity_ecef_m)
        away_m = float(np.linalg.norm(held - side.code_position_ecef_m))
        if not away_m < _GIVEN_TRUST_M:
            raise InputError(
                f"the position given for {station_code(side.observations)} lies {away_m:,.0f} m from its "
                "position by code: x, y, z of the marker in metres were expected"
            )
        return held
    header = side.observations.header.approximate_position_ecef_m
    if header is not None:
        there = header + side.eccentricity_ecef_m
        if float(np.linalg.norm(there - side.code_position_ecef_m)) < _HEADER_TRUST_M:
            remarks.append(f"{station_code(side.observations)} is held at its header's position")
            return np.asarray(there)
    remarks.append(f"{station_code(side.observations)} is held at its position from code, good to a metre")
    return side.code_position_ecef_m


def _antenna_remarks(sides: Sequence[StationSide], allow_missing: bool) -> list[str]:
    """What the output says of the receiver antennas.

    Raises InputError where one has no calibration and the antennas differ, unless that is allowed; those of
    one type need none, as what they do falls out of the difference.
    """
    remarks = []
    antennas = [side.observations.header.setup.antenna for side in sides]
    for side, antenna in zip(sides, antennas, strict=True):
        if not side.antenna_calibrated:
            same_type = antennas[0].igs_code == antennas[1].igs_code
            if not same_type and not allow_missing:
                raise InputError(
                    f"receiver antenna {antenna.igs_code} is in none of the antenna files and the other "
                    "station's is of another type: up to 2 decimetres in height; give a file that has it, or "
                    "allow it"
                )
            remarks.append(f"antenna {antenna.igs_code} has no calibration: its phase centre is left out")
        elif side.inherited:
            remarks.append(f"antenna {antenna.igs_code}: carriers served by {', '.join(side.inherited)}")
    return remarks


def _delays(
    sides: Sequence[StationSide], length_m: float, free: bool, options: BaselineOptions
) -> tuple[int, ...]:
    """Stations whose zenith wet delay is estimated."""
    if free:
        return (0, 1)
    heights = [float(geodetic_from_ecef(side.position_ecef_m)[2]) for side in sides]
    if (
        length_m > options.troposphere_above_m
        or abs(heights[1] - heights[0]) > options.troposphere_above_height_m
    ):
        return (1,)
    return ()


def _adjusted(
    first: StationSide,
    second: StationSide,
    free: bool,
    length_m: float,
    delays: tuple[int, ...],
    options: BaselineOptions,
    rejections: Rejections,
) -> _Adjusted:
    """Float solution with rejection of outliers and arcs parted at steps."""
    differences = form_differences(first, second, () if free else CARRIERS[options.carriers])
    matched = 2 * differences.size
    rejections.add("not tracked at the other station", first.rows.size + second.rows.size - matched)
    second_s = (first.rows.epoch_ns - first.rows.epoch_ns[0])[differences.epoch_index] / 1e9
    short = short_arcs(differences, second_s, options)
    rejections.add("common arc too short", int(np.count_nonzero(short)))
    differences = differences.take(~short)
    if differences.size < _MINIMUM_ROWS:
        raise AdjustmentError(
            f"only {differences.size} differences between the stations are left: too few for a vector"
        )
    equations = build_baseline_equations(differences, first, second, length_m, delays, options)
    weight = equations.weight.copy()
    n, m = differences.size, differences.n_combinations
    limits = [*_FIRST_LIMITS, options.rejection_limit]
    for _ in range(_MAXIMUM_ROUNDS):
        estimate = adjust(
            equations.design,
            equations.local_design,
            equations.local_size,
            equations.misclosure_m,
            weight,
            *equations.constraints,
        )
        residuals = estimate.residuals.reshape(2 * m, n)
        blocks = weight.reshape(2 * m, n)
        used = blocks[0] > 0.0
        stepped = _with_steps(differences, residuals[:m], used, rejections)
        if stepped is not None:
            differences = stepped
            equations = build_baseline_equations(differences, first, second, length_m, delays, options)
            continue
        phase_bad = np.zeros(n, dtype=np.bool_)
        code_bad = np.zeros((m, n), dtype=np.bool_)
        for k in range(m):
            phase_bad |= find_outliers(residuals[k], blocks[k], limits[0])
            code_bad[k] = find_outliers(residuals[m + k], blocks[m + k], limits[0])
        left = used & ~phase_bad
        count = np.bincount(differences.arc[left], minlength=differences.n_arcs)
        lonely = left & (count[differences.arc] < _MINIMUM_PHASES_OF_AN_ARC)
        dropped = phase_bad | lonely
        rejections.add("phase residual too large", int(np.count_nonzero(phase_bad)))
        rejections.add("too little left of the arc", int(np.count_nonzero(lonely)))
        rejections.add("code residual too large", int(np.count_nonzero(code_bad & ~dropped)))
        blocks[:, dropped] = 0.0
        blocks[m:][code_bad] = 0.0
        clean = not dropped.any() and not code_bad.any()
        if clean and len(limits) == 1:
            return _Adjusted(differences, equations, estimate, weight)
        if len(limits) > 1:
            limits.pop(0)
    raise AdjustmentError(f"the residuals do not settle in {_MAXIMUM_ROUNDS} rounds of rejection")


def _with_steps(
    differences: Differences, phase_residuals: FloatArray, used: BoolArray, rejections: Rejections
) -> Differences | None:
    """The differences with arcs parted at steps of any carrier, or None where there is no step."""
    steps = [
        step for residual in phase_residuals for step in find_residual_steps(residual, differences.arc, used)
    ]
    if not steps:
        return None
    arc = differences.arc.copy()
    fresh = differences.n_arcs
    for k, step in enumerate(steps):
        from_epoch = differences.epoch_index[step.rows[0]]
        arc[(arc == step.arc) & (differences.epoch_index >= from_epoch)] = fresh + k
    rejections.add("cycle slip found in residuals", len(steps))
    _, numbered = np.unique(arc, return_inverse=True)
    return replace(differences, arc=numbered.astype(np.int64))


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else 0.0


def _covariance_scale(differences: Differences, estimate: Estimate, weight: FloatArray) -> float:
    """Factor on the covariance for the size of the phase residuals and their correlation in time."""
    n, m = differences.size, differences.n_combinations
    used = weight[: m * n] > 0.0
    standardised = estimate.residuals[: m * n] * np.sqrt(weight[: m * n])
    variance_factor = estimate.square_sum / max(estimate.degrees_of_freedom, 1)
    residual_factor = max(robust_sigma(standardised[used]) ** 2, variance_factor)
    series = np.concatenate([differences.arc + k * differences.n_arcs for k in range(m)])
    return residual_factor * correlation_inflation(standardised, series, used)


def _solution(
    first: StationSide,
    second: StationSide,
    products: PreciseProducts,
    adjusted: _Adjusted,
    options: BaselineOptions,
    rejections: Rejections,
    remarks: list[str],
) -> BaselineSolution:
    differences, equations = adjusted.differences, adjusted.equations
    estimate, weight = adjusted.estimate, adjusted.weight
    n, m = differences.size, differences.n_combinations
    phase_used = weight[: m * n] > 0.0
    scale = _covariance_scale(differences, estimate, weight)
    fixed_fraction, success_rate, ratio, is_fixed = 0.0, None, None, False
    if options.ambiguities == "fix":
        fixing = fix_baseline(differences, equations, first, second, estimate, weight, scale)
        estimate, is_fixed, fixed_fraction = fixing.estimate, fixing.fixed, fixing.fixed_fraction
        success_rate, ratio = fixing.success_rate, fixing.ratio
        remarks = remarks + list(fixing.remarks)
        # Fixed ambiguities no longer take up slow errors: the residuals show what they are.
        scale = _covariance_scale(differences, estimate, weight) if is_fixed else scale
    place = equations.layout.position
    marker = second.position_ecef_m + estimate.parameters[place] - second.eccentricity_ecef_m
    base = first.position_ecef_m - first.eccentricity_ecef_m
    covariance = estimate.covariance[place, place] * scale
    length_m = float(np.linalg.norm(marker - base))
    cost_mm = 1e3 * length_m / _ORBIT_HEIGHT_M
    if cost_mm >= 0.1:
        remarks.append(f"each metre of error of the held position costs about {cost_mm:.1f} mm in the vector")
    used_epochs = np.unique(differences.epoch_index[phase_used[:n]])
    ns = first.rows.epoch_ns[used_epochs]
    middle = ns[0] + round(float(np.mean(ns - ns[0])))
    residuals = estimate.residuals
    seen = np.unique(differences.satellite_index[phase_used[:n]])
    selected = second.session.selected
    signal_of = dict(zip(selected.satellites, selected.signals, strict=True))
    seen_names = [differences.satellites[k] for k in seen]
    inputs: set[InputFile] = {*first.observations.inputs, *second.observations.inputs}
    for source in (products.orbits, products.clocks, products.earth_rotation):
        if source is not None:
            inputs.update(source.inputs)
    return BaselineSolution(
        from_station=station_code(first.observations),
        to_station=station_code(second.observations),
        epoch=Epochs(np.asarray(middle, dtype=np.int64)),
        first_epoch=Epochs(ns[0]),
        last_epoch=Epochs(ns[-1]),
        frame=products.orbits.frame,
        vector_ecef_m=np.asarray(marker - base, dtype=np.float64),
        covariance_m2=np.asarray((covariance + covariance.T) / 2.0, dtype=np.float64),
        base_position_ecef_m=base,
        ionosphere="free" if differences.ionosphere_free else "fixed",
        n_epochs=int(used_epochs.size),
        n_observations=int(np.count_nonzero(weight)),
        systems=tuple(s for s in options.systems if s in {name[0] for name in seen_names}),
        signals=tuple(sorted({signal_of[name] for name in seen_names})),
        ambiguities="fixed" if is_fixed else "float",
        fixed_fraction=fixed_fraction,
        success_rate=success_rate,
        ratio=ratio,
        residual_rms_phase_m=_rms(residuals[: m * n][phase_used]),
        residual_rms_code_m=_rms(residuals[m * n :][weight[m * n :] > 0.0]),
        rejections=dict(sorted(rejections.counts.items())),
        from_setup=first.observations.header.setup,
        to_setup=second.observations.header.setup,
        centre=products.centre,
        inputs=tuple(sorted(inputs, key=lambda file: (file.path, file.sha256))),
        remarks=tuple(remarks),
    )
