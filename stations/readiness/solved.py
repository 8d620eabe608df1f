"""The observations solved with and without BeiDou-3: what it brings on the day itself, not in the model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.beidou_generation import day_of
from stations.ppp.options import PppOptions
from stations.ppp.solve import solve_station
from stations.readiness.records import SolvedFigures, SolvedGain
from stations.readiness.tracking import bds3_satellites
from stations.records import AntennaCalibration, Observations, PreciseProducts, StationSolution
from transforms.errors import AdjustmentError, InputError
from transforms.geodetic import enu_covariance, enu_matrix_at

FloatArray = NDArray[np.float64]
Solve = Callable[[Observations, float], StationSolution]

STARTS_H: Final = (0.0, 6.0, 12.0, 18.0)
PARTS_H: Final = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
CONVERGED_3D_M: Final = 0.10  # as the formal figures
WHOLE_INTERVAL_S: Final = 300.0  # PppOptions.correlation_time_s: more epochs say nothing new
PART_INTERVAL_S: Final = 60.0  # short arcs need their epochs (PppOptions.minimum_arc_epochs)
_FEWEST_STARTS: Final = 2


@dataclass(frozen=True, eq=False)
class _Solutions:
    whole: StationSolution
    parts: tuple[tuple[FloatArray | None, ...], ...]  # [start][length] marker in ECEF, None unsolved


def solved_gain(
    observations: Observations, products: PreciseProducts, calibrations: Sequence[AntennaCalibration]
) -> SolvedGain:
    """Solutions without BeiDou and with BeiDou-3; BeiDou-2 takes part in neither.

    An antenna that is not calibrated is allowed: its error is nearly the same in both.
    """
    day = day_of(observations.epochs[0])
    beidou = [s for s in observations.satellites if s.startswith("C")]
    bds3 = bds3_satellites(observations, beidou, day)
    others = "".join(s for s in "GE" if any(name[0] == s for name in observations.satellites))
    if not bds3:
        return SolvedGain(products.centre, None, None, "no BeiDou-3 satellite was observed")
    if not others:
        return SolvedGain(products.centre, None, None, "nothing but BeiDou was observed")

    def with_systems(systems: str) -> Solve:
        def solve(part: Observations, interval_s: float) -> StationSolution:
            options = PppOptions(
                systems=systems,
                excluded=frozenset(beidou) - set(bds3),
                interval_s=interval_s,
                allow_missing_antenna=True,
            )
            return solve_station(part, products, calibrations, options=options)

        return solve

    try:
        with_bds3 = _solutions(observations, with_systems(f"{others}C"))
        without = _solutions(observations, with_systems(others))
    except (InputError, AdjustmentError) as error:
        return SolvedGain(products.centre, None, None, str(error))
    if "C" not in with_bds3.whole.systems:
        return SolvedGain(products.centre, None, None, "no BeiDou-3 satellite has orbit and clock")
    truth = with_bds3.whole.position_ecef_m
    return SolvedGain(products.centre, _figures(without, truth), _figures(with_bds3, truth))


def _solutions(observations: Observations, solve: Solve) -> _Solutions:
    interval_s = observations.interval_s
    whole = solve(observations, max(WHOLE_INTERVAL_S, interval_s))
    parts = []
    for start_h in STARTS_H:
        row: list[FloatArray | None] = []
        for length_h in PARTS_H:
            part = _part(observations, start_h, length_h)
            row.append(None if part is None else _position(part, solve, max(PART_INTERVAL_S, interval_s)))
        parts.append(tuple(row))
    return _Solutions(whole, tuple(parts))


def _position(part: Observations, solve: Solve, interval_s: float) -> FloatArray | None:
    try:
        return solve(part, interval_s).position_ecef_m
    except (InputError, AdjustmentError):
        return None  # too short to be solved: not converged


def _part(observations: Observations, start_h: float, length_h: float) -> Observations | None:
    """Observations of some hours; None where the session does not reach so far."""
    epochs = observations.data["epoch"].values
    first = epochs[0] + np.timedelta64(round(start_h * 3600), "s")
    last = first + np.timedelta64(round(length_h * 3600), "s")
    if last > epochs[-1] + np.timedelta64(round(observations.interval_s), "s"):
        return None
    data = observations.data.sel(epoch=slice(first, last))
    return replace(observations, data=data, events=()) if data.sizes["epoch"] > 1 else None


def _figures(solutions: _Solutions, truth_ecef_m: FloatArray) -> SolvedFigures:
    whole = solutions.whole
    offset = enu_matrix_at(truth_ecef_m) @ (whole.position_ecef_m - truth_ecef_m)
    sigma = np.sqrt(np.diag(enu_covariance(whole.position_ecef_m, whole.covariance_m2)))
    errors = np.array(
        [
            [np.nan if p is None else float(np.linalg.norm(p - truth_ecef_m)) for p in row]
            for row in solutions.parts
        ]
    )
    hour = errors[:, PARTS_H.index(1.0)]
    hour = hour[np.isfinite(hour)]
    converged = [_converged_h(row) for row in errors if np.isfinite(row).any()]
    median = float(np.median(converged)) if len(converged) >= _FEWEST_STARTS else float("inf")
    return SolvedFigures(
        systems=whole.systems,
        n_observations=whole.n_observations,
        sigma_enu_m=(float(sigma[0]), float(sigma[1]), float(sigma[2])),
        offset_enu_m=(float(offset[0]), float(offset[1]), float(offset[2])),
        n_starts=len(converged),
        error_3d_1h_m=float(np.sqrt((hour**2).mean())) if hour.size >= _FEWEST_STARTS else None,
        convergence_h=median if np.isfinite(median) else None,
    )


def _converged_h(errors_m: FloatArray) -> float:
    """The shortest part from which on every one that was solved is near; infinite where there is none."""
    far = np.flatnonzero(~(errors_m <= CONVERGED_3D_M) & np.isfinite(errors_m))
    solved = np.flatnonzero(np.isfinite(errors_m))
    near = solved[solved > (far[-1] if far.size else -1)]
    return PARTS_H[int(near[0])] if near.size else float("inf")
