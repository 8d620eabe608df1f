"""The arrows between terrestrial reference frames, the way along them, and coordinates carried that way.

The numbers are the ITRS Centre's own, in `itrf_tables`.
"""

from collections import deque
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transforms.covariance import check_covariance, propagate_covariance
from transforms.errors import FrameError, InputError
from transforms.frames import FRAMES, Frame, frame_named
from transforms.helmert import (
    N_PARAMETERS,
    Helmert14,
    apply,
    apply_inverse,
    apply_inverse_to_velocity,
    apply_to_velocity,
    linear_part,
    parameter_covariance_at,
    parameter_jacobian,
)
from transforms.itrf_tables import STEP_SIGMAS, SUCCESSION, TABLES, Seven
from transforms.rotations import RotationConvention
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]
_MILLIMETRE: Final = 1e-3
_ZERO: Final[Seven] = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
# Half a minute: no station of the Earth moves by a micrometre in it.
_SAME_EPOCH_YR: Final = 1e-6
# Marks of the Earth's surface, with kilometres to spare: what lies outside is not ECEF metres of a station.
_SMALLEST_RADIUS_M: Final = 6.3e6
_LARGEST_RADIUS_M: Final = 6.5e6


def _summed_covariance(source: str, target: str, reference_epoch_year: float) -> FloatArray:
    """Covariance (14, 14) at the reference epoch, m, ppb, mas, summed over the steps between the frames."""
    total = np.zeros((2 * N_PARAMETERS, 2 * N_PARAMETERS))
    unit = np.array([_MILLIMETRE] * 3 + [1.0] * 4)
    steps = SUCCESSION[SUCCESSION.index(source) : SUCCESSION.index(target) + 1]
    for older, newer in zip(steps[1:], steps, strict=False):
        value_sigma, rate_sigma, epoch = STEP_SIGMAS[newer, older]
        values = np.diag((np.array(value_sigma) * unit) ** 2)
        rates = np.diag((np.array(rate_sigma) * unit) ** 2)
        elapsed = reference_epoch_year - epoch
        n = N_PARAMETERS
        total[:n, :n] += values + elapsed**2 * rates
        total[:n, n:] += elapsed * rates
        total[n:, :n] += elapsed * rates
        total[n:, n:] += rates
    return total


def _helmert(
    source: str,
    target: str,
    values: Seven,
    rates: Seven,
    epoch_year: float,
    covariance: FloatArray,
    citation: str,
) -> Helmert14:
    return Helmert14(
        source=source,
        target=target,
        translation_m=(values[0] * _MILLIMETRE, values[1] * _MILLIMETRE, values[2] * _MILLIMETRE),
        scale_ppb=values[3],
        rotation_mas=values[4:],
        translation_rate_m_per_yr=(
            rates[0] * _MILLIMETRE,
            rates[1] * _MILLIMETRE,
            rates[2] * _MILLIMETRE,
        ),
        scale_rate_ppb_per_yr=rates[3],
        rotation_rate_mas_per_yr=rates[4:],
        reference_epoch_year=epoch_year,
        convention=RotationConvention.POSITION_VECTOR,
        covariance=covariance,
        citation=citation,
    )


@lru_cache(maxsize=1)
def published_links() -> tuple[Helmert14, ...]:
    """All arrows known: the ITRS Centre's tables, newest first, then the frames that share a datum.

    A frame of the IGS is aligned to its ITRF by definition, so its seven parameters and rates are zero and
    exact. That holds for the datum: single stations of IGS08, IGS14 and IGS20 were shifted by millimetres to
    suit the antenna calibrations of their time (IGSMAIL-6354, 7399, 8238), which no seven parameters carry.
    """
    links = [
        _helmert(source, target, *table[target], epoch, _summed_covariance(source, target, epoch), citation)
        for source, epoch, citation, table in TABLES
        for target in table
    ]
    exact = np.zeros((2 * N_PARAMETERS, 2 * N_PARAMETERS))
    links += [
        _helmert(
            frame.name,
            frame.datum_of,
            _ZERO,
            _ZERO,
            frame.reference_epoch_year,
            exact,
            f"{frame.name} has the datum of {frame.datum_of} by definition, all parameters zero: "
            f"{frame.citation}",
        )
        for frame in FRAMES.values()
        if frame.datum_of is not None
    ]
    return tuple(links)


class Step(NamedTuple):
    """One arrow of a path; forward is False where it is followed from target to source."""

    helmert: Helmert14
    forward: bool

    @property
    def source(self) -> str:
        """Name of the frame the step leaves."""
        return self.helmert.source if self.forward else self.helmert.target

    @property
    def target(self) -> str:
        """Name of the frame the step reaches."""
        return self.helmert.target if self.forward else self.helmert.source


def find_path(from_frame: str, to_frame: str, links: Sequence[Helmert14] | None = None) -> tuple[Step, ...]:
    """The way with fewest arrows from one frame to the other; of equals, the one over the newest table.

    Raises FrameError where a frame is unknown or no published arrow leads there.
    """
    if links is None:
        links = published_links()
        from_frame, to_frame = frame_named(from_frame).name, frame_named(to_frame).name
    came_by: dict[str, Step | None] = {from_frame: None}
    queue = deque([from_frame])
    while queue:
        here = queue.popleft()
        if here == to_frame:
            break
        for link in links:
            for step in (Step(link, True), Step(link, False)):
                if step.source == here and step.target not in came_by:
                    came_by[step.target] = step
                    queue.append(step.target)
    if to_frame not in came_by:
        raise FrameError(f"no published transformation leads from {from_frame} to {to_frame}")
    path: list[Step] = []
    last = came_by[to_frame]
    while last is not None:
        path.append(last)
        last = came_by[last.source]
    return tuple(reversed(path))


def describe_path(from_frame: str, to_frame: str) -> tuple[str, ...]:
    """The path in words, one line for each arrow with its source, for reports."""
    return tuple(
        f"{step.source} to {step.target}"
        + ("" if step.forward else f" (inverse of {step.helmert.source} to {step.helmert.target})")
        + f": {step.helmert.citation}"
        for step in find_path(from_frame, to_frame)
    )


class TransformedCoordinates(NamedTuple):
    """Coordinates in the frame and at the epoch asked for; shapes as given.

    position_ecef_m (..., 3); covariance_m2 as given, (..., 3, 3) or (3 n, 3 n); velocity_m_per_yr (..., 3),
    or None where none was given.
    """

    position_ecef_m: FloatArray
    covariance_m2: FloatArray
    velocity_m_per_yr: FloatArray | None


def _epoch_year(epoch: Epochs, frame: Frame, role: str) -> FloatArray:
    year = epoch.decimal_year()
    if frame.fixed_epoch_year is not None and np.any(np.abs(year - frame.fixed_epoch_year) > _SAME_EPOCH_YR):
        raise FrameError(
            f"{frame.name} coordinates stand at epoch {frame.fixed_epoch_year:.1f}; "
            f"as the {role} epoch {float(np.ravel(year)[0]):.3f} was asked"
        )
    return year


def _names_of(selected: NDArray[np.bool_], stations: Sequence[str] | None) -> str:
    indices = np.flatnonzero(selected)
    names = [stations[i] if stations is not None else f"point {i + 1}" for i in indices[:5]]
    return ", ".join(names) + (f" and {indices.size - 5} more" if indices.size > 5 else "")


def _check_positions(position: FloatArray, stations: Sequence[str] | None) -> None:
    if position.ndim not in (1, 2) or position.shape[-1] != 3:
        raise InputError(f"positions have shape {position.shape}, not (3,) or (n, 3)")
    if stations is not None and len(stations) != (1 if position.ndim == 1 else position.shape[0]):
        raise InputError(f"{len(stations)} station names for positions of shape {position.shape}")
    radius = np.atleast_1d(np.linalg.norm(position, axis=-1))
    bad = ~((radius > _SMALLEST_RADIUS_M) & (radius < _LARGEST_RADIUS_M))
    if np.any(bad):
        raise InputError(
            f"{_names_of(bad, stations)}: not geocentric metres of a point on the Earth "
            f"(distance from the geocentre {float(radius[bad][0]):.6g} m)"
        )


def _velocity_at_hand(
    velocity_m_per_yr: ArrayLike | None,
    elapsed_yr: FloatArray,
    shape: tuple[int, ...],
    stations: Sequence[str] | None,
    epochs_text: str,
) -> FloatArray | None:
    """Velocities with unknown ones as NaN, refused where an epoch has to be bridged without one."""
    moving = np.broadcast_to(np.abs(elapsed_yr) > _SAME_EPOCH_YR, shape[:-1] or (1,))
    velocity = None if velocity_m_per_yr is None else np.asarray(velocity_m_per_yr, dtype=np.float64)
    if velocity is not None and velocity.shape != shape:
        raise InputError(f"velocities have shape {velocity.shape} for positions of shape {shape}")
    known = np.zeros(moving.shape, dtype=bool)
    if velocity is not None:
        known = np.atleast_1d(np.all(np.isfinite(velocity), axis=-1))
    missing = moving & ~known
    if np.any(missing):
        raise FrameError(
            f"no velocity is known for {_names_of(missing, stations)}: coordinates cannot be carried "
            f"{epochs_text}; give a velocity (published, estimated, or of a plate-motion model)"
        )
    return velocity


def transform_coordinates(
    position_ecef_m: ArrayLike,
    covariance_m2: ArrayLike,
    velocity_m_per_yr: ArrayLike | None,
    from_frame: str,
    from_epoch: Epochs,
    to_frame: str,
    to_epoch: Epochs,
    velocity_covariance: ArrayLike | None = None,
    *,
    stations: Sequence[str] | None = None,
    with_parameter_uncertainty: bool = True,
) -> TransformedCoordinates:
    """Coordinates carried to another epoch by the stations' velocities, and to another frame.

    Parameters
    ----------
    position_ecef_m : (3,) or (n, 3) in from_frame at from_epoch
    covariance_m2 : (3, 3), (n, 3, 3), or the full (3 n, 3 n)
    velocity_m_per_yr : as the positions, in from_frame; rows of NaN, or None, where none is known
    from_epoch, to_epoch : one instant, or n of them
    velocity_covariance : as covariance_m2, (m/yr)^2; None adds nothing for the velocities
    stations : names for the messages
    with_parameter_uncertainty : whether the published uncertainty of the transformations enters. It is common
        to all stations: leave it out to compare stations with each other, take it in for a position's sigma.

    The velocity is applied in from_frame, then the path's arrows at to_epoch; the other order gives the same,
    for positions and parameters are both linear in time. Raises FrameError where a velocity is needed and not
    known, where no path leads, and for CGCS2000 at another epoch than 2000.0; InputError for values that are
    no positions or covariances.
    """
    position = np.asarray(position_ecef_m, dtype=np.float64)
    _check_positions(position, stations)
    start, end = frame_named(from_frame), frame_named(to_frame)
    from_year = _epoch_year(from_epoch, start, "starting")
    to_year = _epoch_year(to_epoch, end, "target")
    path = find_path(start.name, end.name)
    n = 1 if position.ndim == 1 else position.shape[0]
    for year in (from_year, to_year):
        if year.ndim > position.ndim - 1 or (year.ndim == 1 and year.shape != (n,)):
            raise InputError(f"{year.size} epochs for positions of shape {position.shape}")
    covariance = check_covariance(covariance_m2, "positions")
    is_full = position.ndim == 2 and covariance.ndim == 2
    expected = (3 * n, 3 * n) if is_full else (*position.shape[:-1], 3, 3)
    if covariance.shape != expected:
        raise InputError(f"covariance has shape {covariance.shape} for positions of shape {position.shape}")
    elapsed = to_year - from_year
    epochs_text = (
        f"from {start.name} at {float(np.ravel(from_year)[0]):.3f} "
        f"to {end.name} at {float(np.ravel(to_year)[0]):.3f}"
    )
    velocity = _velocity_at_hand(velocity_m_per_yr, elapsed, position.shape, stations, epochs_text)
    if velocity is not None:
        position = position + np.where(np.isfinite(velocity), velocity, 0.0) * elapsed[..., None]
    if velocity_covariance is not None:
        rate_covariance = check_covariance(velocity_covariance, "velocities")
        if rate_covariance.shape != covariance.shape:
            raise InputError(
                f"covariances have shapes {covariance.shape} and {rate_covariance.shape} (velocities)"
            )
        dt = np.repeat(np.broadcast_to(elapsed, (n,)), 3) if is_full else elapsed[..., None]
        covariance = covariance + dt[..., :, None] * rate_covariance * dt[..., None, :]

    for step in path:
        position, covariance, velocity = _follow(
            step, position, covariance, velocity, to_year, is_full, with_parameter_uncertainty
        )
    return TransformedCoordinates(position, covariance, velocity)


def _follow(
    step: Step,
    position: FloatArray,
    covariance: FloatArray,
    velocity: FloatArray | None,
    year: FloatArray,
    is_full: bool,
    with_parameter_uncertainty: bool,
) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    """Position, covariance and velocity after one arrow, at decimal year(s)."""
    helmert = step.helmert
    matrix = linear_part(helmert, year)
    if step.forward:
        reached = apply(helmert, position, year)
        by_parameters = parameter_jacobian(helmert, position, year)
        if velocity is not None:
            velocity = apply_to_velocity(helmert, position, velocity, year)
    else:
        reached = apply_inverse(helmert, position, year)
        matrix = np.asarray(np.linalg.inv(matrix), dtype=np.float64)
        by_parameters = -matrix @ parameter_jacobian(helmert, reached, year)
        if velocity is not None:
            velocity = apply_inverse_to_velocity(helmert, position, velocity, year)
    parameter_covariance = parameter_covariance_at(helmert, year)
    if not is_full:
        covariance = propagate_covariance(matrix, covariance)
        if with_parameter_uncertainty:
            covariance = covariance + propagate_covariance(by_parameters, parameter_covariance)
        return reached, covariance, velocity
    n = position.shape[0]
    blocks = np.broadcast_to(matrix, (n, 3, 3))
    reshaped = covariance.reshape(n, 3, n, 3)
    turned = np.einsum("iab,ibjc,jdc->iajd", blocks, reshaped, blocks).reshape(3 * n, 3 * n)
    if with_parameter_uncertainty:
        if parameter_covariance.ndim == 3:
            raise InputError("a full covariance with several target epochs: transform one epoch at a time")
        turned = turned + propagate_covariance(
            by_parameters.reshape(3 * n, N_PARAMETERS), parameter_covariance
        )
    return reached, 0.5 * (turned + turned.T), velocity
