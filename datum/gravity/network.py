"""Adjustment of a gravity network: relative readings with drift and scale, tied to absolute stations.

Observation equation of a reading r of instrument m in loop l after tare k at point p, t hours after the
loop's first reading (as in Hwang, Wang, Lee 2002, Adjustment of relative gravity measurements using weighted
and datum-free constraints, Computers & Geosciences 28:1005-1015):

    r = g_p + N_mlk + d_1 t + d_2 t^2 + ... - s_m (r - mean r)

with an offset N for each instrument, loop and tare, a drift polynomial for each instrument and loop, and a
scale: 1 + s multiplies the readings. Absolute gravity is held (sigma 0) or observed. SI throughout.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.adjustment.snooping import SnoopedSolution, Suspect, remarks_on_tests, snoop
from datum.adjustment.testing import (
    GLOBAL_SIGNIFICANCE,
    POWER,
    SIGNIFICANCE,
    minimal_detectable_bias,
    variance_factor_limits,
)
from datum.records import (
    AdjustedReading,
    GravityObservations,
    GravityReading,
    GravitySolution,
    ParameterKey,
    Rejection,
)
from transforms.errors import AdjustmentError, InputError
from transforms.time_scales import TimeScale

FloatArray = NDArray[np.float64]
LoopKey = tuple[str, str]

NORMAL_GRAVITY_DECREASE_PER_S2: Final = (
    3.086e-6  # for 1 m upwards the normal free-air gradient, 0.3086 mGal/m
)
MICROGAL_PER_M_PER_S2: Final = 1e8
HIGHEST_DRIFT_DEGREE: Final = 3
NAMES_SHOWN: Final = 8  # of a long list of points in an error's text


@dataclass(frozen=True, eq=False)
class _Equations:
    """Observation equations about approximate gravity: readings first, then absolute gravity with a sigma."""

    points: tuple[str, ...]
    approximate_m_per_s2: FloatArray
    keys: tuple[ParameterKey, ...]
    design: FloatArray
    observed: FloatArray
    sigma: FloatArray
    row_names: tuple[str, ...]


def adjust_gravity(
    observations: GravityObservations,
    *,
    drift_degree: int | Mapping[LoopKey, int] = 1,
    scale: bool | Sequence[str] = False,
    vertical_decrease_per_s2: float = NORMAL_GRAVITY_DECREASE_PER_S2,
    significance: float = SIGNIFICANCE,
    power: float = POWER,
    global_significance: float = GLOBAL_SIGNIFICANCE,
    maximum_rejected: int | None = None,
) -> GravitySolution:
    """Adjust a gravity network by least squares, with data snooping.

    Parameters
    ----------
    observations : readings free of tides, and absolute stations
    drift_degree : of the polynomial, 0 to 3, for all loops or by (instrument, loop), others then 1
    scale : estimate a scale factor for all instruments, or for those named
    vertical_decrease_per_s2 : brings a reading from the sensor's height down to the mark
    significance, power : of Baarda's w-test of one reading; global_significance : of the chi-square test
    maximum_rejected : blunders to take out at most (default: a tenth of the readings, at least one)

    Returns
    -------
    GravitySolution : points sorted by name, absolute ones included; covariance a priori

    Raises
    ------
    InputError : nothing to adjust, or an option that does not fit the readings
    AdjustmentError : a part of the network hangs on no absolute station, or a parameter is not determined
    """
    _check(observations)
    degrees = _drift_degrees(observations, drift_degree)
    scaled = _scaled_instruments(observations, scale)
    equations = _equations(observations, degrees, scaled, vertical_decrease_per_s2)
    snooped = snoop(
        equations.design,
        equations.observed,
        equations.sigma,
        parameter_names=tuple(f"the {key.quantity} of {key.subject}" for key in equations.keys),
        significance=significance,
        maximum_rejected=maximum_rejected,
    )
    solution = snooped.solution
    limits = variance_factor_limits(solution.degrees_of_freedom, global_significance)
    column = {key: i for i, key in enumerate(equations.keys)}
    gravity = equations.approximate_m_per_s2.copy()
    covariance = np.zeros((gravity.size, gravity.size))
    at = [(i, column[key]) for i, p in enumerate(equations.points) if (key := _gravity_key(p)) in column]
    rows = np.array([i for i, _ in at], dtype=np.intp)
    columns = np.array([j for _, j in at], dtype=np.intp)
    gravity[rows] += solution.parameters[columns]
    covariance[rows[:, None], rows] = solution.cofactor[columns[:, None], columns]
    sigma = np.sqrt(np.maximum(np.diag(solution.cofactor), 0.0))
    polynomials = {
        loop: tuple(
            (float(solution.parameters[i]), float(sigma[i]))
            for i in (column[_drift_key(loop, k)] for k in range(1, degree + 1))
        )
        for loop, degree in degrees.items()
    }
    bias = minimal_detectable_bias(snooped.sigma, solution.redundancy, significance=significance, power=power)
    suspected = {i for suspect in snooped.suspects for i in suspect.observations}
    return GravitySolution(
        tide_system=observations.tide_system,
        points=equations.points,
        gravity_m_per_s2=gravity,
        covariance_m2_per_s4=covariance,
        drift={loop: terms[0] for loop, terms in polynomials.items() if terms},
        variance_factor=solution.variance_factor,
        degrees_of_freedom=solution.degrees_of_freedom,
        chi_square_limits=limits,
        stations={p: s for p, s in observations.stations.items() if p in equations.points},
        rejections=tuple(_rejection(equations, suspect) for suspect in snooped.suspects),
        remarks=tuple(_remarks(observations, equations, snooped, limits)),
        inputs=observations.inputs,
        drift_polynomial=polynomials,
        scale_factor={
            name: (1.0 + float(solution.parameters[i]), float(sigma[i]))
            for name in scaled
            for i in (column[_scale_key(name)],)
        },
        readings=tuple(
            AdjustedReading(
                name=_reading_name(reading),
                residual_m_per_s2=float(solution.residual[i]),
                standardised=float(solution.standardised[i]),
                redundancy=float(solution.redundancy[i]),
                minimal_detectable_bias_m_per_s2=float(bias[i]),
                accepted=i not in suspected,
            )
            for i, reading in enumerate(observations.readings)
        ),
    )


def _gravity_key(point: str) -> ParameterKey:
    return ParameterKey(point, "gravity")


def _drift_key(loop: LoopKey, power: int) -> ParameterKey:
    return ParameterKey(f"instrument {loop[0]} in loop {loop[1]}", f"drift of degree {power}")


def _offset_key(reading: GravityReading) -> ParameterKey:
    subject = f"instrument {reading.instrument} in loop {reading.loop}"
    return ParameterKey(subject, f"offset after tare {reading.tare}" if reading.tare else "offset")


def _scale_key(instrument: str) -> ParameterKey:
    return ParameterKey(f"instrument {instrument}", "scale")


def _reading_name(reading: GravityReading) -> str:
    moment = reading.epoch.to(TimeScale.UTC).iso()
    where = f", line {reading.line_in_file}" if reading.line_in_file else ""
    return f"{reading.instrument} at {reading.point}, {moment} UTC{where}"


def _check(observations: GravityObservations) -> None:
    """Refuse what cannot be adjusted, in words."""
    if not observations.readings:
        raise InputError("the gravity network has no reading")
    for reading in observations.readings:
        values = (reading.reading_m_per_s2, reading.sigma_m_per_s2, reading.height_m)
        if not all(math.isfinite(value) for value in values) or reading.sigma_m_per_s2 <= 0.0:
            raise InputError(
                f"gravity reading {_reading_name(reading)}: reading, sigma, height {values}; finite values "
                "and a sigma greater than zero are needed"
            )
    names = [station.point for station in observations.absolute]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise InputError(f"absolute gravity is given twice for {_some(doubled)}")
    for station in observations.absolute:
        if not math.isfinite(station.gravity_m_per_s2) or not 0.0 <= station.sigma_m_per_s2 < math.inf:
            raise InputError(f"absolute station {station.point}: no usable gravity and sigma")
    if not names:
        raise AdjustmentError("no absolute station is given: the whole gravity network floats")
    for part in _connected_points(observations.readings):
        if not set(names) & set(part):
            raise AdjustmentError(
                f"no reading joins {_some(part)} to an absolute station: this part of the gravity network "
                "floats; read a known point in the same loop"
            )


def _connected_points(readings: Sequence[GravityReading]) -> list[tuple[str, ...]]:
    """Points that hang together by loops; a tare parts a loop."""
    parts: list[set[str]] = []
    for points in _points_by_offset(readings).values():
        joined = set(points)
        apart = []
        for part in parts:
            if part & joined:
                joined |= part
            else:
                apart.append(part)
        parts = [*apart, joined]
    return sorted(tuple(sorted(part)) for part in parts)


def _points_by_offset(readings: Sequence[GravityReading]) -> dict[ParameterKey, list[str]]:
    points: dict[ParameterKey, list[str]] = defaultdict(list)
    for reading in readings:
        points[_offset_key(reading)].append(reading.point)
    return points


def _drift_degrees(
    observations: GravityObservations, drift_degree: int | Mapping[LoopKey, int]
) -> dict[LoopKey, int]:
    loops = sorted({(reading.instrument, reading.loop) for reading in observations.readings})
    if isinstance(drift_degree, int):
        degrees = dict.fromkeys(loops, drift_degree)
    else:
        unknown = sorted(set(drift_degree) - set(loops))
        if unknown:
            raise InputError(
                f"a drift degree is given for {unknown[0]}, and no reading has that instrument and loop"
            )
        degrees = {loop: drift_degree.get(loop, 1) for loop in loops}
    for loop, degree in degrees.items():
        if not 0 <= degree <= HIGHEST_DRIFT_DEGREE:
            raise InputError(f"drift degree {degree} for {loop}: 0 to {HIGHEST_DRIFT_DEGREE} are possible")
    return degrees


def _scaled_instruments(observations: GravityObservations, scale: bool | Sequence[str]) -> tuple[str, ...]:
    instruments = sorted({reading.instrument for reading in observations.readings})
    if isinstance(scale, bool):
        return tuple(instruments) if scale else ()
    unknown = sorted(set(scale) - set(instruments))
    if unknown:
        raise InputError(f"a scale is asked for instrument {unknown[0]}; there are {', '.join(instruments)}")
    return tuple(sorted(set(scale)))


def _equations(
    observations: GravityObservations,
    degrees: Mapping[LoopKey, int],
    scaled: Sequence[str],
    vertical_decrease_per_s2: float,
) -> _Equations:
    readings = observations.readings
    known = {station.point: station for station in observations.absolute}
    points = tuple(sorted({reading.point for reading in readings} | set(known)))
    middle = float(np.mean([station.gravity_m_per_s2 for station in known.values()]))
    approximate = {p: known[p].gravity_m_per_s2 if p in known else middle for p in points}
    keys: list[ParameterKey] = [
        _gravity_key(p) for p in points if p not in known or known[p].sigma_m_per_s2 > 0.0
    ]
    keys += list(_points_by_offset(readings))
    keys += [_drift_key(loop, k) for loop, degree in degrees.items() for k in range(1, degree + 1)]
    keys += [_scale_key(name) for name in scaled]
    column = {key: i for i, key in enumerate(keys)}
    at_mark = [r.reading_m_per_s2 + vertical_decrease_per_s2 * r.height_m for r in readings]
    loop_start_ns = {
        loop: min(int(r.epoch.tai_ns) for r in readings if (r.instrument, r.loop) == loop) for loop in degrees
    }
    mean_reading = {
        name: float(np.mean([v for r, v in zip(readings, at_mark, strict=True) if r.instrument == name]))
        for name in {reading.instrument for reading in readings}
    }
    weighted = [station for station in observations.absolute if station.sigma_m_per_s2 > 0.0]
    design = np.zeros((len(readings) + len(weighted), len(keys)))
    observed, sigma, names = [], [], []
    for i, reading in enumerate(readings):
        loop = (reading.instrument, reading.loop)
        hours = (int(reading.epoch.tai_ns) - loop_start_ns[loop]) / 3.6e12
        from_mean = at_mark[i] - mean_reading[reading.instrument]
        if _gravity_key(reading.point) in column:
            design[i, column[_gravity_key(reading.point)]] = 1.0
        design[i, column[_offset_key(reading)]] = 1.0
        for k in range(1, degrees[loop] + 1):
            design[i, column[_drift_key(loop, k)]] = hours**k
        if reading.instrument in scaled:
            design[i, column[_scale_key(reading.instrument)]] = -from_mean
        observed.append(from_mean - (approximate[reading.point] - middle))
        sigma.append(reading.sigma_m_per_s2)
        names.append(f"reading of {_reading_name(reading)}")
    for i, station in enumerate(weighted, start=len(readings)):
        design[i, column[_gravity_key(station.point)]] = 1.0
        observed.append(0.0)  # the approximate value is the absolute one
        sigma.append(station.sigma_m_per_s2)
        names.append(f"absolute gravity of {station.point}")
    return _Equations(
        points=points,
        approximate_m_per_s2=np.array([approximate[p] for p in points], dtype=np.float64),
        keys=tuple(keys),
        design=design,
        observed=np.array(observed, dtype=np.float64),
        sigma=np.array(sigma, dtype=np.float64),
        row_names=tuple(names),
    )


def _rejection(equations: _Equations, suspect: Suspect) -> Rejection:
    test = f"|w| = {suspect.statistic:.1f} exceeds {suspect.limit:.2f}"
    size = suspect.size * MICROGAL_PER_M_PER_S2
    names = [equations.row_names[i] for i in suspect.observations]
    if len(names) > 1:
        reason = (
            f"one of {'; '.join(names)} holds a blunder of about {abs(size):.1f} microgal and the network "
            f"cannot tell which ({test}); all of them are kept with that much more sigma, and the points "
            "that hang on them alone are not to be trusted"
        )
    else:
        reason = f"the {names[0]} is too great by about {size:+.1f} microgal: a blunder ({test})"
    return Rejection(names[0], reason, suspect.statistic, suspect.limit)


def _remarks(
    observations: GravityObservations,
    equations: _Equations,
    snooped: SnoopedSolution,
    limits: tuple[float, float],
) -> list[str]:
    remarks = remarks_on_tests(
        snooped,
        limits,
        checked="reading",
        too_small="the drift is not a polynomial of this degree",
        instead="wrong sigmas or a jump of the instrument",
    )
    read = {reading.point for reading in observations.readings}
    remarks += [
        f"absolute station {point} is not read in any loop: its gravity is passed on unchecked"
        for point in sorted(station.point for station in observations.absolute)
        if point not in read
    ]
    remarks += [
        f"point {point} has neither a reading nor absolute gravity: left out"
        for point in sorted(set(observations.stations) - set(equations.points))
    ]
    return remarks


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:NAMES_SHOWN])
    return shown if len(names) <= NAMES_SHOWN else f"{shown} and {len(names) - NAMES_SHOWN} more"
