"""The solution of one station for one session: the front door of precise point positioning."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.models.site_weather import GriddedWeather, SiteWeather
from stations.occupations import longest_occupation
from stations.ppp.ambiguities import fix_ambiguities
from stations.ppp.error_budget import mean_ratio, position_covariance
from stations.ppp.first_position import plausible_position
from stations.ppp.options import PppOptions
from stations.ppp.outliers import correlation_inflation, robust_sigma
from stations.ppp.receiver_antenna import antenna_remarks, receiver_calibration
from stations.ppp.robust_adjustment import RobustEstimate, adjust_robustly
from stations.ppp.rows import (
    NO_POSITION_OF_THE_EPOCH,
    ObservationRows,
    Rejections,
    epoch_redundancy,
    epochs_on_interval,
    fit_rows,
    rows_of,
    rows_without_position,
)
from stations.ppp.session import Session, clock_table, served_satellites
from stations.ppp.signal_selection import DualFrequencyObservations, select_observations
from stations.records import (
    AntennaCalibration,
    InputFile,
    Observations,
    OceanLoading,
    PhaseResiduals,
    PreciseProducts,
    StationSolution,
    ZenithDelays,
)
from stations.station_code import station_code
from transforms.errors import AdjustmentError, InputError
from transforms.geodetic import enu_matrix_at
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]

_RELINEARISE_M: Final = 20.0  # below it the second order of a range is under 0.01 mm
_HEADER_POSITION_REMARK_M: Final = 50.0
_MINIMUM_ROWS: Final = 50
_SAME_STEP: Final = 1.05  # receivers tag epochs off the whole second by milliseconds


def solve_station(
    observations: Observations,
    products: PreciseProducts,
    antennas: Sequence[AntennaCalibration],
    *,
    options: PppOptions | None = None,
    ocean_loading: OceanLoading | None = None,
    site_weather: SiteWeather | GriddedWeather | None = None,
) -> StationSolution:
    """Precise point positioning of one station over one session, ambiguities float or fixed.

    Ionosphere-free phase and code of the asked systems, adjusted as one batch: position (static or at each
    epoch), zenith wet delay and gradients as random walks, an ambiguity for each arc; the receiver clock of
    each epoch and system is eliminated. The position is the marker's, tide-free, in the orbits' frame.

    Parameters
    ----------
    observations : of one station; products : orbits and clocks of its time
    antennas : calibrations in the order of preference, the first that has an antenna serves
    options : see PppOptions; ocean_loading : of this station, or None
    site_weather : VMF1 or VMF3 at this station or gridded, or None for the season's average (GPT, GMF)

    Raises
    ------
    InputError : nothing in common between observations and products; receiver antenna not calibrated and
        that not allowed
    AdjustmentError : too few observations for a solution
    """
    options = options or PppOptions()
    observations, event_remarks = longest_occupation(observations, may_move=options.mode == "kinematic")
    selected = select_observations(observations, options, products.biases, served_satellites(products))
    remarks = [*products.remarks, *event_remarks, *selected.remarks]
    rows = _rows_at_interval(observations, selected, products, options, remarks)
    epochs = Epochs(rows.epoch_ns)
    header = observations.header
    antenna = header.setup.antenna
    receiver_antenna = receiver_calibration(antennas, antenna, options)
    session = Session(
        selected, products, epochs, antennas, receiver_antenna, ocean_loading, options, site_weather
    )

    position, clock_s, paths = session.first_position_and_clock(rows, header.approximate_position_ecef_m)
    corrections = session.antenna_corrections(rows, paths)
    remarks.extend(antenna_remarks(antenna, receiver_antenna, corrections.inherited))
    remarks.extend(session.model_remarks)
    if products.earth_rotation is None:
        remarks.append("no earth rotation parameters: the pole tides (up to 2 cm in height) are left out")
    given = header.approximate_position_ecef_m
    if given is not None:
        away = float(np.linalg.norm(given - position))
        if away > _HEADER_POSITION_REMARK_M:
            remarks.append(f"the header's approximate position is {away:,.0f} m from the solution")

    rejections = Rejections(dict(selected.rejections))
    keep = fit_rows(
        rows,
        paths,
        selected,
        session.factors,
        corrections.calibrated,
        options,
        clock_s,
        position,
        rejections,
    )
    if np.count_nonzero(keep) < _MINIMUM_ROWS:
        raise AdjustmentError(
            f"only {np.count_nonzero(keep)} of {keep.size} observations are left "
            f"({_counted(rejections)}): too few for a solution"
        )
    if np.all(epoch_redundancy(rows, selected.group, keep, own_position=True)[keep] < 0.0):
        most = int(np.bincount(rows.epoch_index[keep]).max())
        raise AdjustmentError(
            f"at most {most} satellites of the systems {options.systems} are usable at an epoch: too few for "
            "a position, which takes four, and one more for each further system or pair of carriers"
        )
    if options.mode == "kinematic":
        without = rows_without_position(rows, paths.line_of_sight, selected.group, keep)
        keep = rejections.drop(keep, without, NO_POSITION_OF_THE_EPOCH)
    rows, paths = rows.take(keep), paths.take(keep)
    result = adjust_robustly(session, session.linearise(rows, paths, position, clock_s), rejections)
    if options.mode == "static":
        shift = result.estimate.parameters[result.problem.layout.position]
        if float(np.linalg.norm(shift)) > _RELINEARISE_M:
            position = position + shift
            paths = session.paths(result.problem.rows, position, clock_s)
            result = adjust_robustly(
                session, session.linearise(result.problem.rows, paths, position, clock_s), rejections
            )
    return _solution(
        observations, products, session, result, position, rejections, tuple(remarks), ocean_loading
    )


def _rows_at_interval(
    observations: Observations,
    selected: DualFrequencyObservations,
    products: PreciseProducts,
    options: PppOptions,
    remarks: list[str],
) -> ObservationRows:
    """Rows of the epochs that serve: by default those at which the satellite clocks are tabulated."""
    clock_step = clock_table(products).step_s
    interval = options.interval_s or max(clock_step, options.minimum_interval_s, observations.interval_s)
    if interval < clock_step:
        remarks.append(
            f"satellite clocks every {clock_step:g} s are interpolated to {interval:g} s: "
            "up to centimetres of clock noise between them"
        )
    rows = rows_of(selected, epochs_on_interval(selected.epoch_ns, interval))
    if rows.size == 0:
        raise InputError(f"no satellite was tracked on two carriers at multiples of {interval:g} s")
    steps_s = np.diff(rows.epoch_ns) / 1e9
    step_s = float(np.median(steps_s)) if steps_s.size else interval
    if options.interval_s is not None and step_s > interval * _SAME_STEP:
        remarks.append(
            f"an interval of {interval:g} s was asked for, the observations are every "
            f"{observations.interval_s:g} s: those at multiples of both serve, every {step_s:g} s"
        )
    return rows


def _counted(rejections: Rejections) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in sorted(rejections.counts.items()))


def _series_correlation(series_m: FloatArray) -> float:
    """Correlation factor of a kinematic series (n, 3): the largest of its components."""
    n = series_m.shape[0]
    centred = series_m - np.mean(series_m, axis=0)
    one, used = np.zeros(n, dtype=np.int64), np.ones(n, dtype=np.bool_)
    return max(correlation_inflation(centred[:, k], one, used) for k in range(3))


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else 0.0


def _solution(
    observations: Observations,
    products: PreciseProducts,
    session: Session,
    result: RobustEstimate,
    linearised_at_m: FloatArray,
    rejections: Rejections,
    remarks: tuple[str, ...],
    ocean_loading: OceanLoading | None,
) -> StationSolution:
    """The record: marker position, covariance scaled to what the residuals show, delays, residuals."""
    problem, estimate = result.problem, result.estimate
    rows, layout = problem.rows, problem.layout
    n = rows.size
    standardised = estimate.residuals[:n] * np.sqrt(result.weight[:n])
    variance_factor = estimate.square_sum / max(estimate.degrees_of_freedom, 1)
    residual_factor = max(robust_sigma(standardised[result.phase_used]) ** 2, variance_factor)
    if layout.static:
        covariance = position_covariance(session, result, estimate)
        scale = mean_ratio(covariance, estimate.covariance[layout.position, layout.position])
    else:
        # Residuals of neighbouring epochs are alike, so each brings less than a new observation.
        scale = residual_factor * correlation_inflation(standardised, rows.arc, result.phase_used)
    fixed_fraction = 0.0
    if session.options.ambiguities == "fix":
        ambiguities = fix_ambiguities(session, result, scale)
        estimate, fixed_fraction = ambiguities.estimate, ambiguities.fixed_fraction
        remarks = remarks + ambiguities.remarks

    used_epochs = np.unique(rows.epoch_index[result.phase_used])
    eccentricity = np.array(observations.header.setup.eccentricity_enu_m) @ enu_matrix_at(linearised_at_m)
    kinematic = None
    if layout.static:
        marker = linearised_at_m + estimate.parameters[layout.position] - eccentricity
        if fixed_fraction > 0.0:
            covariance = position_covariance(session, result, estimate)
    else:
        local = estimate.local_parameters.reshape(-1, problem.equations.local_size)
        kinematic = linearised_at_m + local[used_epochs, :3] - eccentricity
        marker = np.mean(kinematic, axis=0)
        scatter = np.atleast_2d(np.cov(kinematic.T))
        covariance = scatter * _series_correlation(kinematic) / used_epochs.size
    if not plausible_position(marker):
        raise AdjustmentError("the solution does not lie on the earth: the input does not belong together")

    epochs = session.epochs
    used_ns = rows.epoch_ns[used_epochs]
    mean_ns = used_ns[0] + round(float(np.mean(used_ns - used_ns[0])))
    node_ns = rows.epoch_ns[0] + np.rint(layout.zenith.second_s * 1e9).astype(np.int64)
    delays = ZenithDelays(
        epochs=Epochs(node_ns),
        total_m=problem.troposphere.zenith_hydrostatic_m + estimate.parameters[layout.zenith_wet_delay],
        sigma_m=np.sqrt(np.diagonal(estimate.covariance)[layout.zenith_wet_delay] * scale),
    )
    satellites = session.selected.satellites
    seen = np.unique(rows.satellite_index[result.phase_used])
    systems_seen = {satellites[k][0] for k in seen}
    return StationSolution(
        station=station_code(observations),
        domes=observations.header.marker_number,
        epoch=Epochs(np.asarray(mean_ns, dtype=np.int64)),
        first_epoch=Epochs(used_ns[0]),
        last_epoch=Epochs(used_ns[-1]),
        frame=products.orbits.frame,
        position_ecef_m=np.asarray(marker, dtype=np.float64),
        covariance_m2=np.asarray((covariance + covariance.T) / 2.0, dtype=np.float64),
        n_epochs=int(used_epochs.size),
        n_observations=int(np.count_nonzero(result.weight)),
        systems=tuple(s for s in session.options.systems if s in systems_seen),
        signals=tuple(sorted({session.selected.signals[k] for k in seen})),
        ambiguities="fixed" if fixed_fraction > 0.0 else "float",
        fixed_fraction=fixed_fraction,
        residual_rms_phase_m=_rms(estimate.residuals[:n][result.phase_used]),
        residual_rms_code_m=_rms(estimate.residuals[n:][result.code_used]),
        rejections=dict(sorted(rejections.counts.items())),
        zenith_delays=delays,
        setup=observations.header.setup,
        centre=products.centre,
        inputs=_inputs(observations, products, ocean_loading, session),
        remarks=remarks,
        residuals=PhaseResiduals(
            epochs=epochs[rows.epoch_index],
            satellites=satellites,
            satellite_index=rows.satellite_index,
            azimuth_rad=problem.paths.azimuth_rad,
            elevation_rad=problem.paths.elevation_rad,
            phase_m=estimate.residuals[:n],
            code_m=estimate.residuals[n:],
            accepted=result.phase_used,
        ),
        kinematic_epochs=None if kinematic is None else epochs[used_epochs],
        kinematic_position_ecef_m=kinematic,
    )


def _inputs(
    observations: Observations,
    products: PreciseProducts,
    ocean_loading: OceanLoading | None,
    session: Session,
) -> tuple[InputFile, ...]:
    """Every file that the solution rests on, once, by path."""
    inputs = {*observations.inputs, *products.orbits.inputs, *session.antenna_inputs}
    for source in (
        products.clocks,
        products.earth_rotation,
        products.biases,
        products.attitudes,
        ocean_loading,
        session.site_weather,
    ):
        if source is not None:
            inputs.update(source.inputs)
    return tuple(sorted(inputs, key=lambda file: (file.path, file.sha256)))
