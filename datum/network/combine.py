"""Daily station solutions to one adjusted network on the datum of its control stations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.adjustment.testing import variance_factor_limits
from datum.network.constraints import DatumParameter, minimal_constraints
from datum.network.control import ChosenControl, choose_control, control_at_epoch
from datum.network.daily_positions import (
    DailyNetwork,
    Equations,
    check_velocity_frame,
    common_frame,
    daily_network,
    observation_equations,
    position_keys,
    require_connected,
)
from datum.network.discontinuities import KnownMove, Screened, adjust_freely, known_grouping, screen
from datum.network.normal_equations import AdjustedParameters, solve
from datum.records import ControlStation, NetworkSolution, NetworkStation
from stations.records import InputFile, StationSolution
from transforms.errors import AdjustmentError, InputError
from transforms.geodetic import enu_matrix_at
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]

FEWEST_STATIONS: Final = 3
_WORDS: Final = {
    DatumParameter.TRANSLATION: "no net translation",
    DatumParameter.ROTATION: "no net rotation",
    DatumParameter.SCALE: "no net scale",
}


@dataclass(frozen=True)
class CombinationOptions:
    """How daily solutions are combined.

    Attributes
    ----------
    alignment : what the datum takes from the control stations, and what each day has of its own
    epoch : of the result; None takes the mean of the solutions
    velocities_m_per_yr : station -> (3,) in the frame of the solutions, for those known
    daily_noise_enu_m : sigma of what changes from day to day and a formal covariance does not know (orbits,
        clocks, troposphere, loading), added to it. Default: the order of daily repeatabilities of precise
        point positioning, 2 mm horizontally and 5 to 7 mm in height (Bertiger et al. 2020, Adv. Space Res.
        66:469-489).
    control_noise_enu_m : sigma of what linear velocities of control stations leave out, added to theirs.
        Default: seasonal motion of IGS stations, 1 to 3 mm horizontally, 4 to 10 mm in height (Dong et al.
        2002, JGR 107:B4).
    weigh_control : whether control stations hold the datum by the inverse of their variance, or all alike
    significance : probability that the search for discontinuities, or that for wrong control stations, finds
        something in clean data
    known_steps : station -> instants from which it is known to stand elsewhere: its days are parted there
        before the search
    """

    alignment: tuple[DatumParameter, ...] = (DatumParameter.TRANSLATION,)
    epoch: Epochs | None = None
    velocities_m_per_yr: Mapping[str, FloatArray] = field(default_factory=dict)
    daily_noise_enu_m: tuple[float, float, float] = (0.002, 0.002, 0.005)
    control_noise_enu_m: tuple[float, float, float] = (0.003, 0.003, 0.007)
    weigh_control: bool = False
    significance: float = 0.01
    known_steps: Mapping[str, Sequence[KnownMove]] = field(default_factory=dict)


def combine_solutions(
    solutions: Sequence[StationSolution],
    control: Sequence[ControlStation],
    *,
    options: CombinationOptions | None = None,
) -> NetworkSolution:
    """Combine daily solutions into one network.

    Parameters
    ----------
    solutions : daily solutions of at least three stations, in one frame; one of a station for each day
    control : stations with published coordinates, in any frame and at any epoch that `frame_links` reaches

    Model: positions of the stations at the epoch, and for each day a translation of its own (with rotation
    and scale where `options.alignment` says so), so that errors that all stations share do not enter. The
    datum is held by minimal constraints on the control stations. A station that moves between days is parted
    into solution numbers; a control station that disagrees with its published coordinates does not hold the
    datum.
    The covariance is scaled by the variance factor where the days agree worse than it says, and holds the
    control stations' own uncertainty as a part common to all.

    Raises AdjustmentError for too few stations or control stations, days without a tie, control stations that
    contradict each other; FrameError for control stations without the velocity they need; InputError for
    solutions that cannot stand together.
    """
    chosen_options = CombinationOptions() if options is None else options
    names = {solution.station for solution in solutions}
    if len(names) < FEWEST_STATIONS:
        raise AdjustmentError(
            f"a network needs at least {FEWEST_STATIONS} stations, and there are {len(names)}"
            + (f" ({', '.join(sorted(names))})" if names else "")
        )
    _check_options(chosen_options)
    check_velocity_frame(common_frame(solutions))
    network = daily_network(
        solutions,
        epoch=chosen_options.epoch,
        velocities_m_per_yr=chosen_options.velocities_m_per_yr,
        daily_noise_enu_m=chosen_options.daily_noise_enu_m,
        alignment=tuple(DatumParameter(p) for p in chosen_options.alignment),
    )
    parted, _ = known_grouping(network, chosen_options.known_steps)
    require_connected(network, parted)
    at_epoch, control_remarks = control_at_epoch(control, network, chosen_options.control_noise_enu_m)
    screened = screen(network, chosen_options.significance, chosen_options.known_steps)
    equations = observation_equations(network, screened.grouping)
    free = adjust_freely(network, equations)
    scale = max(free.variance_factor, 1.0)
    groups_of = {
        station: 1
        + max((g for (s, _), g in screened.grouping.items() if s == station and g is not None), default=0)
        for station in names
    }
    chosen = choose_control(network, free, scale, groups_of, at_epoch, chosen_options.significance)
    adjusted, common = _on_datum(network, equations, chosen, chosen_options.weigh_control)
    return _network_solution(
        network, screened, equations, chosen, adjusted, scale, common, control_remarks, solutions
    )


def _check_options(options: CombinationOptions) -> None:
    if not options.alignment or not set(options.alignment) <= set(DatumParameter):
        raise InputError(f"the alignment is made of {', '.join(DatumParameter)}, not {options.alignment}")
    if DatumParameter.TRANSLATION not in options.alignment:
        raise InputError("the alignment needs a translation: precise point positioning shares one each day")
    for name in ("daily_noise_enu_m", "control_noise_enu_m"):
        values = getattr(options, name)
        if len(values) != 3 or not all(np.isfinite(v) and 0.0 <= v < 1.0 for v in values):
            raise InputError(f"{name} is three sigmas in metres from 0 to 1, not {values}")
    if not 0.0 < options.significance < 1.0:
        raise InputError(f"a significance lies between 0 and 1, and this is {options.significance}")


def _on_datum(
    network: DailyNetwork, equations: Equations, chosen: ChosenControl, weigh: bool
) -> tuple[AdjustedParameters, FloatArray]:
    """The network on its control stations, and the covariance (k, k) of the datum that these hold."""
    place = {key: i for i, key in enumerate(equations.normal.keys)}
    derivatives = np.array([network.derivatives(c.station) for c in chosen.positions])
    weights = np.array([3.0 / np.trace(c.covariance_m2) for c in chosen.positions]) if weigh else None
    condition = minimal_constraints(derivatives, weights)
    full = np.zeros((condition.shape[0], len(place)))
    values = np.zeros(condition.shape[0])
    uncertainty = np.zeros((condition.shape[0],) * 2)
    for i, c in enumerate(chosen.positions):
        part = condition[:, 3 * i : 3 * i + 3]
        columns = [place[key] for key in position_keys(c.station, chosen.groups[c.station])]
        full[:, columns] = part
        values += part @ (c.position_ecef_m - network.approximate_ecef_m[c.station])
        uncertainty += part @ c.covariance_m2 @ part.T
    return solve(equations.normal, full, values), uncertainty


def _network_solution(
    network: DailyNetwork,
    screened: Screened,
    equations: Equations,
    chosen: ChosenControl,
    adjusted: AdjustedParameters,
    scale: float,
    common: FloatArray,
    control_remarks: Sequence[str],
    solutions: Sequence[StationSolution],
) -> NetworkSolution:
    place = {key: i for i, key in enumerate(adjusted.keys)}
    order = sorted({(s, g) for (s, _), g in screened.grouping.items() if g is not None})
    columns = np.array([place[key] for s, g in order for key in position_keys(s, g)], dtype=np.intp)
    derivatives = np.concatenate([network.derivatives(s) for s, _ in order])
    covariance = scale * adjusted.cofactor[np.ix_(columns, columns)] + derivatives @ common @ derivatives.T
    residual = _day_residuals(network, screened, equations, adjusted)
    control_names = {c.station for c in chosen.positions}
    stations = tuple(
        _station(
            network,
            screened,
            name,
            group,
            adjusted.values[columns[3 * i : 3 * i + 3]],
            covariance[3 * i : 3 * i + 3, 3 * i : 3 * i + 3],
            residual,
            name in control_names and chosen.groups[name] == group,
        )
        for i, (name, group) in enumerate(order)
    )
    holders = ", ".join(c.station for c in chosen.positions)
    words = " and ".join(_WORDS[p] for p in DatumParameter if p in network.alignment)
    dof = adjusted.degrees_of_freedom
    return NetworkSolution(
        frame=network.frame,
        epoch=network.epoch,
        stations=stations,
        covariance_m2=covariance,
        variance_factor=adjusted.variance_factor,
        degrees_of_freedom=dof,
        chi_square_limits=variance_factor_limits(dof),
        constraints=f"{words} on {holders}",
        day_residual_enu_m=residual,
        rejections=(*screened.rejections, *chosen.rejections),
        remarks=(
            *_variance_remark(adjusted.variance_factor, dof),
            *screened.remarks,
            *chosen.remarks,
            *control_remarks,
        ),
        inputs=_inputs(solutions),
    )


def _variance_remark(factor: float, degrees_of_freedom: int) -> tuple[str, ...]:
    if degrees_of_freedom <= 0:
        return (
            "nothing is redundant (each station has one day): the sigmas are the formal ones and the assumed "
            "daily noise, and no test of the days was possible",
        )
    if factor > 1.0:
        return (
            f"the days agree worse than their covariances say: all were multiplied by the variance factor "
            f"{factor:.2f} (sigmas by {np.sqrt(factor):.2f}; {degrees_of_freedom} degrees of freedom)",
        )
    if factor < variance_factor_limits(degrees_of_freedom)[0]:
        return (
            f"the days agree better than their covariances say (variance factor {factor:.2f}, "
            f"{degrees_of_freedom} degrees of freedom): the covariances are kept, for days in a row share "
            "errors that their agreement does not show",
        )
    return (
        f"the days agree as well as their covariances say (variance factor {factor:.2f}, "
        f"{degrees_of_freedom} degrees of freedom): the covariances are kept as they are",
    )


def _inputs(solutions: Sequence[StationSolution]) -> tuple[InputFile, ...]:
    return tuple(
        sorted({item for solution in solutions for item in solution.inputs}, key=lambda i: (i.path, i.sha256))
    )


def _day_residuals(
    network: DailyNetwork, screened: Screened, equations: Equations, adjusted: AdjustedParameters
) -> dict[tuple[str, str], FloatArray]:
    """(station, day) -> east, north, up of the aligned daily position minus the adjusted one, metres."""
    step = adjusted.values - equations.normal.approximate
    whitened = equations.misclosure - equations.design @ step
    result: dict[tuple[str, str], FloatArray] = {}
    for p in network.positions:
        key = (p.station, p.day)
        if screened.grouping[key] is None:
            continue
        plain = np.linalg.solve(equations.whitening[key], whitened[equations.rows[key]])
        result[key] = np.asarray(enu_matrix_at(p.position_ecef_m) @ plain)
    return result


def _station(
    network: DailyNetwork,
    screened: Screened,
    name: str,
    group: int,
    position: FloatArray,
    covariance: FloatArray,
    residual: Mapping[tuple[str, str], FloatArray],
    is_control: bool,
) -> NetworkStation:
    daily = [
        p for p in network.positions if p.station == name and screened.grouping[p.station, p.day] == group
    ]
    of_station = np.array([residual[name, p.day] for p in daily])
    repeatability = np.full(3, np.nan)  # of one day there is none: the record says so
    if len(daily) > 1:
        repeatability = np.sqrt(np.sum(of_station**2, axis=0) / (len(daily) - 1))
    known = [p.solution.domes for p in daily if p.solution.domes]
    return NetworkStation(
        station=name,
        domes=known[0] if known else "",
        solution_number=group + 1,
        position_ecef_m=position,
        covariance_m2=covariance,
        velocity_m_per_yr=network.velocities_m_per_yr.get(name),
        days=tuple(p.day for p in daily),
        repeatability_enu_m=repeatability,
        setup=daily[0].solution.setup,
        first_epoch=min((p.solution.first_epoch for p in daily), key=lambda e: int(e.tai_ns)),
        last_epoch=max((p.solution.last_epoch for p in daily), key=lambda e: int(e.tai_ns)),
        is_control=is_control,
        approximate_ecef_m=network.approximate_ecef_m[name],
    )
