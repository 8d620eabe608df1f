"""The solution of one station for one session: the front door of precise point positioning."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.formats.antex import find_receiver_antenna
from stations.ppp.estimator import Estimate, adjust
from stations.ppp.first_position import CodePositioning, epoch_clocks_s, plausible_position
from stations.ppp.observation_equations import (
    Equations,
    SatelliteAntennas,
    StationMotion,
    TroposphereModel,
    antenna_corrections_m,
    build_constraints,
    build_equations,
    ionosphere_free_factors,
    modelled_phase_windup_m,
    station_motion,
    troposphere_model,
    wavelengths_m,
)
from stations.ppp.options import PppOptions, observation_sigma_factor
from stations.ppp.orbits import ClockTable, OrbitTable, satellite_lookup
from stations.ppp.outliers import correlation_inflation, find_outliers, find_residual_steps, robust_sigma
from stations.ppp.parameters import ParameterLayout, TimeNodes
from stations.ppp.paths import SignalPaths, signal_paths
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
from transforms.constants import EARTH_EQUATORIAL_RADIUS_M, SPEED_OF_LIGHT_M_PER_S
from transforms.errors import AdjustmentError, InputError
from transforms.geodetic import enu_matrix_at
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_FIRST_POSITION_EPOCHS: Final = 24
_CODE_GROSS_ERROR_M: Final = 30.0
_MAXIMUM_ROUNDS: Final = 12
_RELINEARISE_M: Final = 20.0  # below it the second order of a range is under 0.01 mm
_HEADER_POSITION_REMARK_M: Final = 50.0
_TAG_TOLERANCE_S: Final = 0.05
_BEIDOU2_LAST_PRN: Final = 18


@dataclass(frozen=True, eq=False)
class _Flat:
    """Observations of the epochs used as rows in time order, all (n,) or (n, 2)."""

    epoch_ns: IntArray  # (n_epochs,)
    epoch_index: IntArray
    satellite_index: IntArray
    code_m: FloatArray
    phase_m: FloatArray
    arc: IntArray

    def take(self, keep: BoolArray) -> "_Flat":
        return _Flat(
            self.epoch_ns,
            self.epoch_index[keep],
            self.satellite_index[keep],
            self.code_m[keep],
            self.phase_m[keep],
            self.arc[keep],
        )


def _epochs_used(epoch_ns: IntArray, interval_s: float) -> IntArray:
    """Indices of the epochs that lie on whole multiples of the interval (GPST day)."""
    gps_ns = epoch_ns - 19_000_000_000
    step = round(interval_s * 1e9)
    away = np.abs((gps_ns + step // 2) % step - step // 2)
    return np.flatnonzero(away <= _TAG_TOLERANCE_S * 1e9).astype(np.int64)


def _flatten(selected: DualFrequencyObservations, epochs: IntArray) -> _Flat:
    present = selected.arc[epochs] >= 0
    epoch_index, satellite_index = np.nonzero(present)
    rows = epochs[epoch_index]
    return _Flat(
        epoch_ns=selected.epoch_ns[epochs],
        epoch_index=epoch_index.astype(np.int64),
        satellite_index=satellite_index.astype(np.int64),
        code_m=selected.code_m[rows, satellite_index],
        phase_m=selected.phase_m[rows, satellite_index],
        arc=selected.arc[rows, satellite_index],
    )


class _Geometry:
    """Paths of any rows for a trial position and clock; holds the tables and the station's motion."""

    def __init__(
        self,
        selected: DualFrequencyObservations,
        products: PreciseProducts,
        epochs: Epochs,
        ocean_loading: OceanLoading | None,
    ) -> None:
        self._orbits = OrbitTable(products.orbits)
        self._clocks = ClockTable(products.orbits if products.clocks is None else products.clocks)
        self._orbit_index = satellite_lookup(selected.satellites, self._orbits.satellites)
        self._clock_index = satellite_lookup(selected.satellites, self._clocks.satellites)
        self._orbit_normal = np.array(
            [s[0] == "C" and int(s[1:]) <= _BEIDOU2_LAST_PRN for s in selected.satellites], dtype=np.bool_
        )
        self._epochs = epochs
        self._earth_rotation = products.earth_rotation
        self._ocean_loading = ocean_loading
        self._motion: StationMotion | None = None

    def set_position(self, position_ecef_m: FloatArray) -> None:
        """Compute the tides for a position; 100 m away they are the same to a micrometre."""
        self._motion = station_motion(
            position_ecef_m, self._epochs, self._earth_rotation, self._ocean_loading
        )

    def paths(self, flat: _Flat, position_ecef_m: FloatArray, clock_s: FloatArray) -> SignalPaths:
        """Paths of rows; position (3,), clock (n_epochs,)."""
        if self._motion is None:
            self.set_position(position_ecef_m)
        motion = self._motion
        assert motion is not None
        station = position_ecef_m + motion.displacement_ecef_m[flat.epoch_index]
        return signal_paths(
            flat.epoch_ns[flat.epoch_index],
            flat.satellite_index,
            station,
            clock_s[flat.epoch_index],
            motion.sun_ecef_m[flat.epoch_index],
            self._orbits,
            self._orbit_index,
            self._clocks,
            self._clock_index,
            self._orbit_normal,
        )


def _first_position(
    flat: _Flat,
    group: IntArray,
    n_groups: int,
    factors: FloatArray,
    geometry: _Geometry,
    header_position: FloatArray | None,
) -> FloatArray:
    """Position of the antenna from code of a few epochs spread over the session, to some metres."""
    with_data = np.unique(flat.epoch_index)
    some = with_data[
        np.linspace(0, with_data.size - 1, min(_FIRST_POSITION_EPOCHS, with_data.size)).astype(int)
    ]
    part = flat.take(np.isin(flat.epoch_index, some))
    code = np.sum(part.code_m * factors[part.satellite_index], axis=1)
    n_epochs = flat.epoch_ns.size
    solver = CodePositioning(code, part.epoch_index, group[part.satellite_index], n_epochs, n_groups)
    if header_position is not None and plausible_position(header_position):
        position = header_position.copy()
    else:
        position = np.zeros(3)
    clock = np.zeros(n_epochs)
    for iteration in range(solver.maximum_iterations):
        geometry.set_position(position if plausible_position(position) else np.array([6.4e6, 0.0, 0.0]))
        paths = geometry.paths(part, position, clock)
        clock = epoch_clocks_s(code, paths, position, part.epoch_index, n_epochs)
        near = plausible_position(position) and iteration > 2
        correction = solver.step(position, paths, clock, robust=near)
        position = position + correction
        if near and np.linalg.norm(correction) < solver.converged_m:
            return position
    raise AdjustmentError(
        "the first position from code does not converge: the code observations do not belong to the orbits"
    )


@dataclass(eq=False)
class _Rejections:
    """Counts by reason, and the rows still believed."""

    counts: dict[str, int]

    def drop(self, keep: BoolArray, bad: BoolArray, reason: str) -> BoolArray:
        fresh = keep & bad
        if fresh.any():
            self.counts[reason] = self.counts.get(reason, 0) + int(fresh.sum())
        return keep & ~bad


def _short_arcs(arc: IntArray, keep: BoolArray, minimum: int) -> BoolArray:
    count = np.bincount(arc[keep], minlength=int(arc.max(initial=-1)) + 1)
    return np.asarray(count[arc] < minimum)


@dataclass(frozen=True, eq=False)
class _Linearised:
    """One linearisation: rows, geometry, equations and misclosures (phase then code)."""

    flat: _Flat
    paths: SignalPaths
    troposphere: TroposphereModel
    layout: ParameterLayout
    equations: Equations
    misclosure: FloatArray


def _adjust_with_rejections(
    problem: _Linearised,
    options: PppOptions,
    rejections: _Rejections,
    group_of_row: IntArray,
    build: "_Builder",
) -> tuple[Estimate, FloatArray, _Linearised]:
    """Solve, reject what is not believed, open new arcs at steps, until nothing changes."""
    weight = problem.equations.weight.copy()
    limits = iter((12.0, 7.0))
    n = problem.flat.epoch_index.size
    for _ in range(_MAXIMUM_ROUNDS):
        constraint = build_constraints(problem.layout, options)
        estimate = adjust(
            problem.equations.design,
            problem.equations.local_design,
            problem.equations.local_size,
            problem.misclosure,
            weight,
            *constraint,
        )
        limit = next(limits, options.rejection_limit)
        phase_used = weight[:n] > 0.0
        steps = find_residual_steps(estimate.residuals[:n], problem.flat.arc, phase_used)
        if steps:
            arc = problem.flat.arc.copy()
            fresh = int(arc.max()) + 1
            for k, step in enumerate(steps):
                later = (arc == step.arc) & (
                    problem.flat.epoch_index >= problem.flat.epoch_index[step.rows[0]]
                )
                arc[later] = fresh + k
            rejections.counts["cycle slips found in residuals"] = rejections.counts.get(
                "cycle slips found in residuals", 0
            ) + len(steps)
            problem = build.again(problem, arc)
            kept = weight > 0.0
            weight = np.where(kept, problem.equations.weight, 0.0)
            continue
        phase_bad = find_outliers(estimate.residuals[:n], weight[:n], limit)
        code_bad = find_outliers(estimate.residuals[n:], weight[n:], limit)
        alone = phase_used & ~phase_bad
        count = np.bincount(problem.flat.arc[alone], minlength=problem.layout.n_arcs)
        lonely = alone & (count[problem.flat.arc] < 3)
        changed = phase_bad | lonely
        if not changed.any() and not code_bad.any() and limit <= options.rejection_limit:
            return estimate, weight, problem
        for bad, reason in (
            (changed, "phase residual too large"),
            (code_bad & ~changed, "code residual too large"),
        ):
            if bad.any():
                rejections.counts[reason] = rejections.counts.get(reason, 0) + int(bad.sum())
        weight[:n][changed] = 0.0
        weight[n:][changed | code_bad] = 0.0
    return estimate, weight, problem


@dataclass(frozen=True, eq=False)
class _Builder:
    """Builds the linear problem of a session; holds what does not change between linearisations."""

    selected: DualFrequencyObservations
    options: PppOptions
    epochs: Epochs
    factors: FloatArray
    satellite_antennas: SatelliteAntennas
    receiver_antenna: AntennaCalibration | None

    def linearise(
        self, flat: _Flat, paths: SignalPaths, position: FloatArray, clock_s: FloatArray
    ) -> _Linearised:
        """Equations of the rows about a position and clocks."""
        correction, _, _ = antenna_corrections_m(
            paths,
            flat.satellite_index,
            self.selected.bands,
            self.factors,
            self.satellite_antennas,
            self.receiver_antenna,
        )
        mjd = self.epochs.modified_julian_date()
        troposphere = troposphere_model(position, mjd[flat.epoch_index], paths.elevation_rad)
        factors = self.factors[flat.satellite_index]
        modelled = (
            paths.range_m
            + correction
            + troposphere.hydrostatic_m
            + SPEED_OF_LIGHT_M_PER_S * clock_s[flat.epoch_index]
        )
        wavelength = wavelengths_m(self.selected.frequency_hz)[flat.satellite_index]
        windup = modelled_phase_windup_m(paths.windup_cycles, wavelength, factors)
        code = np.sum(flat.code_m * factors, axis=1) - modelled
        phase = np.sum(flat.phase_m * factors, axis=1) - modelled - windup
        _, arc = np.unique(flat.arc, return_inverse=True)
        flat = replace(flat, arc=arc.astype(np.int64))
        # Ambiguities of 1e8 m would cost digits: count them from the arc's mean code minus phase.
        n_arcs = int(arc.max()) + 1
        offset = np.bincount(arc, phase - code, n_arcs) / np.bincount(arc, minlength=n_arcs)
        return self._problem(flat, paths, troposphere, np.concatenate([phase - offset[arc], code]))

    def again(self, problem: _Linearised, arc: IntArray) -> _Linearised:
        """The same problem with other arcs."""
        _, numbered = np.unique(arc, return_inverse=True)
        flat = replace(problem.flat, arc=numbered.astype(np.int64))
        return self._problem(flat, problem.paths, problem.troposphere, problem.misclosure)

    def _problem(
        self, flat: _Flat, paths: SignalPaths, troposphere: TroposphereModel, misclosure: FloatArray
    ) -> _Linearised:
        second_s = (flat.epoch_ns - flat.epoch_ns[0]) / 1e9
        used = second_s[flat.epoch_index]
        first, last = float(used.min()), float(used.max())
        layout = ParameterLayout(
            static=self.options.mode == "static",
            zenith=TimeNodes.over(first, last, self.options.zenith_delay_step_s),
            gradient=TimeNodes.over(first, last, self.options.gradient_step_s),
            n_arcs=int(flat.arc.max()) + 1,
        )
        sigma_factor = np.array([observation_sigma_factor(s) for s in self.selected.satellites])
        equations = build_equations(
            paths,
            troposphere,
            layout,
            self.options,
            epoch_index=flat.epoch_index,
            second_s=used,
            group=self.selected.group[flat.satellite_index],
            n_epochs=flat.epoch_ns.size,
            n_groups=len(self.selected.groups),
            arc=flat.arc,
            sigma_factor=sigma_factor[flat.satellite_index],
        )
        return _Linearised(flat, paths, troposphere, layout, equations, misclosure)


def _take_paths(paths: SignalPaths, keep: BoolArray) -> SignalPaths:
    return SignalPaths(
        range_m=paths.range_m[keep],
        line_of_sight=paths.line_of_sight[keep],
        azimuth_rad=paths.azimuth_rad[keep],
        elevation_rad=paths.elevation_rad[keep],
        satellite_axes=paths.satellite_axes[keep],
        windup_cycles=paths.windup_cycles[keep],
        turning=paths.turning[keep],
        valid=paths.valid[keep],
    )


def _choose_rows(
    flat: _Flat,
    paths: SignalPaths,
    selected: DualFrequencyObservations,
    factors: FloatArray,
    calibrated: BoolArray,
    options: PppOptions,
    clock_s: FloatArray,
    position: FloatArray,
    rejections: _Rejections,
) -> BoolArray:
    """Rows fit for the adjustment; counts the others by reason."""
    keep = np.ones(flat.epoch_index.size, dtype=np.bool_)
    keep = rejections.drop(keep, ~paths.valid, "no orbit or clock")
    keep = rejections.drop(keep, paths.elevation_rad < options.elevation_cutoff_rad, "below elevation cutoff")
    keep = rejections.drop(keep, ~calibrated[flat.satellite_index], "satellite antenna not calibrated")
    keep = rejections.drop(keep, paths.turning, "satellite turning near noon or midnight")
    troposphere = 2.4 / np.sin(np.maximum(paths.elevation_rad, 0.05))
    code = np.sum(flat.code_m * factors[flat.satellite_index], axis=1)
    misclosure = code - paths.range_m - troposphere - SPEED_OF_LIGHT_M_PER_S * clock_s[flat.epoch_index]
    # Groups differ by the receiver's inter-system biases: count from each group's own median.
    for g in range(len(selected.groups)):
        mine = keep & (selected.group[flat.satellite_index] == g)
        if mine.any():
            misclosure[mine] -= np.median(misclosure[mine])
    with np.errstate(invalid="ignore"):
        keep = rejections.drop(keep, np.abs(misclosure) > _CODE_GROSS_ERROR_M, "code gross error")
    return rejections.drop(keep, _short_arcs(flat.arc, keep, options.minimum_arc_epochs), "arc too short")


def solve_station(
    observations: Observations,
    products: PreciseProducts,
    antennas: Sequence[AntennaCalibration],
    *,
    options: PppOptions | None = None,
    ocean_loading: OceanLoading | None = None,
) -> StationSolution:
    """Precise point positioning of one station over one session, ambiguities float.

    Ionosphere-free phase and code of the asked systems, adjusted as one batch: position (static or at each
    epoch), zenith wet delay and gradients as random walks, an ambiguity for each arc; the receiver clock of
    each epoch and system is eliminated. The position is the marker's, tide-free, in the orbits' frame.

    Parameters
    ----------
    observations : of one station; products : orbits and clocks of its time
    antennas : calibrations in the order of preference, the first that has an antenna serves
    options : see PppOptions; ocean_loading : of this station, or None

    Raises
    ------
    InputError : nothing in common between observations and products; ambiguities="fix" (not available)
    AdjustmentError : too few observations for a solution
    """
    options = options or PppOptions()
    if options.ambiguities == "fix":
        raise InputError("fixing ambiguities is not available yet: ask for ambiguities 'float'")
    remarks = list(products.remarks)
    selected = select_observations(observations, options, products.biases)
    clock_step = _clock_step_s(products)
    interval = options.interval_s or max(clock_step, options.minimum_interval_s, observations.interval_s)
    if interval < clock_step:
        remarks.append(
            f"satellite clocks every {clock_step:g} s are interpolated to {interval:g} s: "
            "centimetres of clock noise between them"
        )
    epochs_index = _epochs_used(selected.epoch_ns, interval)
    if epochs_index.size == 0:
        raise InputError(f"no epoch lies on a multiple of {interval:g} s")
    flat = _flatten(selected, epochs_index)
    if flat.epoch_index.size == 0:
        raise InputError("no satellite was tracked on two carriers at the epochs asked for")
    epochs = Epochs(flat.epoch_ns)
    factors = ionosphere_free_factors(selected.frequency_hz)
    geometry = _Geometry(selected, products, epochs, ocean_loading)
    n_groups = len(selected.groups)

    header = observations.header
    position = _first_position(
        flat, selected.group, n_groups, factors, geometry, header.approximate_position_ecef_m
    )
    geometry.set_position(position)
    code = np.sum(flat.code_m * factors[flat.satellite_index], axis=1)
    clock = np.zeros(flat.epoch_ns.size)
    for _ in range(2):
        paths = geometry.paths(flat, position, clock)
        clock = epoch_clocks_s(code, paths, position, flat.epoch_index, flat.epoch_ns.size)
    paths = geometry.paths(flat, position, clock)

    middle = Epochs(np.asarray(flat.epoch_ns[flat.epoch_ns.size // 2]))
    satellite_antennas = SatelliteAntennas.of(selected.satellites, antennas, middle)
    receiver_antenna = find_receiver_antenna(antennas, header.setup.antenna, header.setup.antenna.serial)
    if receiver_antenna is None:
        remarks.append(
            f"receiver antenna {header.setup.antenna.igs_code} has no calibration: its phase centre is taken "
            "at the reference point, up to 2 decimetres in height"
        )
    elif receiver_antenna.kind[16:20].strip() not in ("", header.setup.antenna.radome or "NONE"):
        remarks.append(
            f"receiver antenna {header.setup.antenna.igs_code} is calibrated as {receiver_antenna.kind} only"
        )
    _, calibrated, inherited = antenna_corrections_m(
        paths, flat.satellite_index, selected.bands, factors, satellite_antennas, receiver_antenna
    )
    remarks.extend(
        f"receiver antenna {header.setup.antenna.igs_code} has no calibration for {band}: {code_name} serves"
        for band, code_name in sorted(inherited.items())
    )
    if products.earth_rotation is None:
        remarks.append("no earth rotation parameters: the pole tide (up to 2 cm in height) is left out")

    rejections = _Rejections(dict(selected.rejections))
    keep = _choose_rows(flat, paths, selected, factors, calibrated, options, clock, position, rejections)
    if np.count_nonzero(keep) < 50:
        raise AdjustmentError(
            f"only {np.count_nonzero(keep)} observations are left of {keep.size} "
            f"({', '.join(f'{n} {r}' for r, n in sorted(rejections.counts.items()))}): too few for a solution"
        )
    flat, paths = flat.take(keep), _take_paths(paths, keep)

    builder = _Builder(selected, options, epochs, factors, satellite_antennas, receiver_antenna)
    problem = builder.linearise(flat, paths, position, clock)
    for _ in range(3):
        group_of_row = selected.group[flat.satellite_index]
        estimate, weight, problem = _adjust_with_rejections(
            problem, options, rejections, group_of_row, builder
        )
        shift = estimate.parameters[problem.layout.position]
        if options.mode != "static" or float(np.linalg.norm(shift)) < _RELINEARISE_M:
            break
        position = position + shift
        geometry.set_position(position)
        flat = problem.flat
        paths = geometry.paths(flat, position, clock)
        problem = builder.linearise(flat, paths, position, clock)
    return _solution(
        observations, products, options, selected, builder, problem, estimate, weight, position, rejections,
        tuple(remarks), receiver_antenna, ocean_loading,
    )  # fmt: skip


def _clock_step_s(products: PreciseProducts) -> float:
    table = ClockTable(products.orbits if products.clocks is None else products.clocks)
    return table.step_s


def _solution(
    observations: Observations,
    products: PreciseProducts,
    options: PppOptions,
    selected: DualFrequencyObservations,
    builder: _Builder,
    problem: _Linearised,
    estimate: Estimate,
    weight: FloatArray,
    approximate_m: FloatArray,
    rejections: _Rejections,
    remarks: tuple[str, ...],
    receiver_antenna: AntennaCalibration | None,
    ocean_loading: OceanLoading | None,
) -> StationSolution:
    """Put the estimate into the record: marker position, realistic covariance, delays, residuals."""
    flat, layout = problem.flat, problem.layout
    n = flat.epoch_index.size
    phase_used = weight[:n] > 0.0
    code_used = weight[n:] > 0.0
    standardised = estimate.residuals[:n] * np.sqrt(weight[:n])
    variance_factor = estimate.square_sum / max(estimate.degrees_of_freedom, 1)
    phase_scale = max(robust_sigma(standardised[phase_used]) ** 2, variance_factor)
    inflation = correlation_inflation(standardised, flat.arc, phase_used)
    scale = phase_scale * inflation

    used_epochs = np.unique(flat.epoch_index[phase_used])
    offset = np.array(observations.header.setup.eccentricity_enu_m) @ enu_matrix_at(approximate_m)
    kinematic = None
    if layout.static:
        marker = approximate_m + estimate.parameters[layout.position] - offset
        covariance = estimate.covariance[layout.position, layout.position] * scale
    else:
        size = problem.equations.local_size
        shifts = estimate.local_parameters.reshape(-1, size)[used_epochs, :3]
        kinematic = approximate_m + shifts - offset
        marker = np.mean(kinematic, axis=0)
        scatter = np.atleast_2d(np.cov(shifts.T))
        covariance = scatter * correlation_inflation_of_series(shifts) / max(used_epochs.size, 1)
    if not np.all(np.isfinite(marker)) or abs(np.linalg.norm(marker) - EARTH_EQUATORIAL_RADIUS_M) > 2e5:
        raise AdjustmentError("the solution does not lie on the earth: the input does not belong together")

    epochs = Epochs(flat.epoch_ns)
    nodes = layout.zenith.second_s
    delays = ZenithDelays(
        epochs=Epochs(flat.epoch_ns[0] + np.rint(nodes * 1e9).astype(np.int64)),
        total_m=problem.troposphere.zenith_hydrostatic_m + estimate.parameters[layout.zenith_wet_delay],
        sigma_m=np.sqrt(np.diagonal(estimate.covariance)[layout.zenith_wet_delay] * scale),
    )
    mean_ns = flat.epoch_ns[0] + round(
        float(np.mean((flat.epoch_ns[used_epochs] - flat.epoch_ns[0]) / 1e9)) * 1e9
    )
    inputs: list[InputFile] = [*observations.inputs, *products.orbits.inputs]
    for source in (products.clocks, products.earth_rotation, products.biases, ocean_loading):
        if source is not None:
            inputs.extend(source.inputs)
    unique = tuple(sorted({(f.path, f.sha256): f for f in inputs}.values(), key=lambda f: f.path))
    used_systems = tuple(
        s
        for s in options.systems
        if any(selected.satellites[k][0] == s for k in np.unique(flat.satellite_index))
    )
    residuals = PhaseResiduals(
        epochs=epochs[flat.epoch_index],
        satellites=selected.satellites,
        satellite_index=flat.satellite_index,
        azimuth_rad=problem.paths.azimuth_rad,
        elevation_rad=problem.paths.elevation_rad,
        phase_m=estimate.residuals[:n],
        code_m=estimate.residuals[n:],
        accepted=phase_used,
    )
    return StationSolution(
        station=station_code(observations),
        domes=observations.header.marker_number,
        epoch=Epochs(np.asarray(mean_ns, dtype=np.int64)),
        first_epoch=Epochs(np.asarray(flat.epoch_ns[used_epochs[0]])),
        last_epoch=Epochs(np.asarray(flat.epoch_ns[used_epochs[-1]])),
        frame=products.orbits.frame,
        position_ecef_m=np.asarray(marker, dtype=np.float64),
        covariance_m2=np.asarray((covariance + covariance.T) / 2.0, dtype=np.float64),
        n_epochs=int(used_epochs.size),
        n_observations=int(np.count_nonzero(phase_used) + np.count_nonzero(code_used)),
        systems=used_systems,
        signals=selected.signals,
        ambiguities="float",
        fixed_fraction=0.0,
        residual_rms_phase_m=_rms(estimate.residuals[:n][phase_used]),
        residual_rms_code_m=_rms(estimate.residuals[n:][code_used]),
        rejections=dict(sorted(rejections.counts.items())),
        zenith_delays=delays,
        setup=observations.header.setup,
        centre=products.centre,
        inputs=unique,
        remarks=remarks,
        residuals=residuals,
        kinematic_epochs=None if kinematic is None else epochs[used_epochs],
        kinematic_position_ecef_m=kinematic,
    )


def correlation_inflation_of_series(shifts_m: FloatArray) -> float:
    """Correlation factor of a kinematic series (n, 3): the largest of the three components."""
    n = shifts_m.shape[0]
    one = np.zeros(n, dtype=np.int64)
    used = np.ones(n, dtype=np.bool_)
    centred = shifts_m - np.mean(shifts_m, axis=0)
    return max(correlation_inflation(centred[:, k], one, used) for k in range(3))


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else 0.0
