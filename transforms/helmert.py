"""Similarity transformations in space with rates: apply, invert, estimate.

The formula, at an epoch t with every parameter p(t) = p + rate (t - reference epoch):

    target = T + (1 + D) (I + S) source

with S the skew matrix of the rotations in the position-vector convention. It is EPSG method 1053 and PROJ's
`+proj=helmert`; it equals IERS Conventions (2010) eq. 4.3 but for the product of scale and rotation, which
is below 1e-10 m between any two ITRFs.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transforms.constants import MILLIARCSECOND_RAD
from transforms.covariance import check_covariance
from transforms.errors import AdjustmentError, InputError
from transforms.rotations import (
    RotationConvention,
    position_vector_rotation_rad,
    skew_matrix,
    small_rotation_matrix,
)

FloatArray = NDArray[np.float64]
Triple = tuple[float, float, float]

PARTS_PER_BILLION: Final = 1e-9
# Parameters in this order: three translations, scale, three rotations; then their rates.
N_PARAMETERS: Final = 7
_SI_PER_UNIT: Final = np.array([1.0, 1.0, 1.0, PARTS_PER_BILLION] + [MILLIARCSECOND_RAD] * 3)
_MAXIMUM_ITERATIONS: Final = 20
# Seven parameters from points within one metre of each other mean nothing: below this ratio of singular
# values the points lie in one place or on one line.
_SMALLEST_SINGULAR_VALUE_RATIO: Final = 1e-9


@dataclass(frozen=True, eq=False)
class Helmert14:
    """A transformation between two frames: seven parameters at a reference epoch, and their rates.

    Attributes
    ----------
    source, target : names of the frames
    translation_m, scale_ppb, rotation_mas : at the reference epoch, from source to target
    translation_rate_m_per_yr, scale_rate_ppb_per_yr, rotation_rate_mas_per_yr : rates
    reference_epoch_year : decimal year
    convention : sign of the rotations
    covariance : (14, 14) of the parameters in their order and units here, translations, scale, rotations,
        then the rates; zero where the parameters are exact by definition
    citation : where the numbers stand, and what is said of their uncertainty
    """

    source: str
    target: str
    translation_m: Triple
    scale_ppb: float
    rotation_mas: Triple
    translation_rate_m_per_yr: Triple
    scale_rate_ppb_per_yr: float
    rotation_rate_mas_per_yr: Triple
    reference_epoch_year: float
    convention: RotationConvention
    covariance: FloatArray
    citation: str

    def __post_init__(self) -> None:
        covariance = check_covariance(self.covariance, f"{self.source} to {self.target}")
        if covariance.shape != (2 * N_PARAMETERS, 2 * N_PARAMETERS):
            raise InputError(f"a Helmert14 needs a covariance of 14 x 14, not {covariance.shape}")
        object.__setattr__(self, "covariance", covariance)

    @property
    def values(self) -> FloatArray:
        """The seven parameters at the reference epoch, shape (7,): m, ppb, mas."""
        return np.array([*self.translation_m, self.scale_ppb, *self.rotation_mas])

    @property
    def rates(self) -> FloatArray:
        """The seven rates, shape (7,): m/yr, ppb/yr, mas/yr."""
        return np.array(
            [*self.translation_rate_m_per_yr, self.scale_rate_ppb_per_yr, *self.rotation_rate_mas_per_yr]
        )

    @property
    def sigmas(self) -> FloatArray:
        """Standard deviations of values and rates, shape (14,), in their units."""
        return np.sqrt(np.diagonal(self.covariance))


def parameters_at(helmert: Helmert14, epoch_year: ArrayLike) -> FloatArray:
    """Parameters at decimal years (...): (..., 7), SI (m, 1, rad), rotations as position vector."""
    elapsed = np.asarray(epoch_year, dtype=np.float64)[..., None] - helmert.reference_epoch_year
    result = (helmert.values + helmert.rates * elapsed) * _SI_PER_UNIT
    result[..., 4:] = position_vector_rotation_rad(result[..., 4:], helmert.convention)
    return np.asarray(result)


def parameter_covariance_at(helmert: Helmert14, epoch_year: ArrayLike) -> FloatArray:
    """Covariance of `parameters_at`, shape (..., 7, 7), SI. (The sign convention cancels in it but for the
    terms between rotations and the others.)
    """
    elapsed = np.asarray(epoch_year, dtype=np.float64)[..., None, None] - helmert.reference_epoch_year
    c = helmert.covariance
    n = N_PARAMETERS
    sign = np.ones(n)
    sign[4:] = position_vector_rotation_rad(sign[4:], helmert.convention)
    unit = _SI_PER_UNIT * sign
    at_epoch = c[:n, :n] + elapsed * (c[:n, n:] + c[n:, :n]) + elapsed**2 * c[n:, n:]
    return np.asarray(at_epoch * np.outer(unit, unit))


def linear_part(helmert: Helmert14, epoch_year: ArrayLike) -> FloatArray:
    """The matrix (1 + D)(I + S) at decimal years (...); shape (..., 3, 3)."""
    p = parameters_at(helmert, epoch_year)
    rotation = small_rotation_matrix(p[..., 4:], RotationConvention.POSITION_VECTOR)
    return np.asarray((1.0 + p[..., 3])[..., None, None] * rotation)


def _linear_part_rate_per_yr(helmert: Helmert14, epoch_year: ArrayLike) -> FloatArray:
    p = parameters_at(helmert, epoch_year)
    rate = helmert.rates * _SI_PER_UNIT
    rotation_rate = position_vector_rotation_rad(rate[4:], helmert.convention)
    rotation = small_rotation_matrix(p[..., 4:], RotationConvention.POSITION_VECTOR)
    return np.asarray(rate[3] * rotation + (1.0 + p[..., 3])[..., None, None] * skew_matrix(rotation_rate))


def apply(helmert: Helmert14, position_ecef_m: ArrayLike, epoch_year: ArrayLike) -> FloatArray:
    """Positions (..., 3), m, from source to target, both at the decimal year(s)."""
    x = np.asarray(position_ecef_m, dtype=np.float64)
    p = parameters_at(helmert, epoch_year)
    turned = (linear_part(helmert, epoch_year) @ x[..., None])[..., 0]
    return np.asarray(p[..., :3] + turned)


def apply_inverse(helmert: Helmert14, position_ecef_m: ArrayLike, epoch_year: ArrayLike) -> FloatArray:
    """Positions (..., 3), m, from target back to source: the exact inverse of `apply`."""
    x = np.asarray(position_ecef_m, dtype=np.float64)
    p = parameters_at(helmert, epoch_year)
    return np.asarray(np.linalg.solve(linear_part(helmert, epoch_year), (x - p[..., :3])[..., None])[..., 0])


def apply_to_velocity(
    helmert: Helmert14, position_ecef_m: ArrayLike, velocity_m_per_yr: ArrayLike, epoch_year: ArrayLike
) -> FloatArray:
    """Velocities (..., 3), m/yr, from source to target, of points with source positions (..., 3).

    The time derivative of `apply`; IERS Conventions (2010) eq. 4.4 with its small terms kept.
    """
    x = np.asarray(position_ecef_m, dtype=np.float64)
    v = np.asarray(velocity_m_per_yr, dtype=np.float64)
    moved = (linear_part(helmert, epoch_year) @ v[..., None])[..., 0]
    carried = (_linear_part_rate_per_yr(helmert, epoch_year) @ x[..., None])[..., 0]
    return np.asarray(np.array(helmert.translation_rate_m_per_yr) + moved + carried)


def apply_inverse_to_velocity(
    helmert: Helmert14, position_ecef_m: ArrayLike, velocity_m_per_yr: ArrayLike, epoch_year: ArrayLike
) -> FloatArray:
    """Velocities (..., 3), m/yr, from target to source, of points with target positions (..., 3)."""
    source = apply_inverse(helmert, position_ecef_m, epoch_year)
    v = np.asarray(velocity_m_per_yr, dtype=np.float64) - np.array(helmert.translation_rate_m_per_yr)
    carried = (_linear_part_rate_per_yr(helmert, epoch_year) @ source[..., None])[..., 0]
    return np.asarray(np.linalg.solve(linear_part(helmert, epoch_year), (v - carried)[..., None])[..., 0])


def parameter_jacobian(helmert: Helmert14, position_ecef_m: ArrayLike, epoch_year: ArrayLike) -> FloatArray:
    """Derivatives of target positions by the parameters at the epoch (SI, position vector): (..., 3, 7)."""
    x = np.asarray(position_ecef_m, dtype=np.float64)
    p = parameters_at(helmert, epoch_year)
    rotation = small_rotation_matrix(p[..., 4:], RotationConvention.POSITION_VECTOR)
    by_scale = rotation @ x[..., None]
    by_rotation = -(1.0 + p[..., 3])[..., None, None] * skew_matrix(x)
    identity = np.broadcast_to(np.eye(3), (*by_rotation.shape[:-2], 3, 3))
    by_scale = np.broadcast_to(by_scale, (*by_rotation.shape[:-1], 1))
    return np.concatenate([identity, by_scale, by_rotation], axis=-1)


def _negative(triple: Triple) -> Triple:
    return (-triple[0], -triple[1], -triple[2])


def invert(helmert: Helmert14) -> Helmert14:
    """The transformation from target to source with all signs turned, as the ITRF's tables are inverted.

    Exact to the square of scale and rotations: 1e-10 m between ITRFs. For a local datum, where rotations
    reach seconds of arc, use `apply_inverse`, which is exact.
    """
    return replace(
        helmert,
        source=helmert.target,
        target=helmert.source,
        translation_m=_negative(helmert.translation_m),
        scale_ppb=-helmert.scale_ppb,
        rotation_mas=_negative(helmert.rotation_mas),
        translation_rate_m_per_yr=_negative(helmert.translation_rate_m_per_yr),
        scale_rate_ppb_per_yr=-helmert.scale_rate_ppb_per_yr,
        rotation_rate_mas_per_yr=_negative(helmert.rotation_rate_mas_per_yr),
        citation=f"inverse of: {helmert.citation}",
    )


@dataclass(frozen=True, eq=False)
class HelmertEstimate:
    """Seven parameters estimated from common points.

    parameters : (7,) SI (m, 1, rad), position vector; covariance (7, 7) from the given weights, not scaled
    residual_m : (n, 3) target minus transformed source; residual_covariance_m2 : (3 n, 3 n)
    weighted_square_sum : v'Pv; degrees_of_freedom : 3 n - 7
    """

    parameters: FloatArray
    covariance: FloatArray
    residual_m: FloatArray
    residual_covariance_m2: FloatArray
    weighted_square_sum: float
    degrees_of_freedom: int


def estimate_helmert7(
    source_ecef_m: ArrayLike, target_ecef_m: ArrayLike, covariance_m2: ArrayLike | None = None
) -> HelmertEstimate:
    """Seven parameters from n >= 3 common points by least squares (Gauss-Newton, exact formula).

    Parameters
    ----------
    source_ecef_m, target_ecef_m : (n, 3)
    covariance_m2 : (n, 3, 3) of target minus source; None gives each component 1 m

    The system is solved about the centroid, where translations and rotations of a small region do not
    correlate, and the result carried to the geocentre. AdjustmentError for too few points or points that
    lie on one line.
    """
    source = np.asarray(source_ecef_m, dtype=np.float64)
    target = np.asarray(target_ecef_m, dtype=np.float64)
    if source.shape != target.shape or source.ndim != 2 or source.shape[1] != 3:
        raise InputError(f"common points have shapes {source.shape} and {target.shape}, not (n, 3) both")
    n = source.shape[0]
    if n < 3:
        raise AdjustmentError(f"seven parameters need at least 3 common points, and there are {n}")
    covariance = np.broadcast_to(np.eye(3), (n, 3, 3)) if covariance_m2 is None else np.asarray(covariance_m2)
    covariance = check_covariance(covariance, "common points")
    try:
        whitening = np.linalg.inv(np.linalg.cholesky(covariance))
    except np.linalg.LinAlgError as error:
        raise AdjustmentError("a common point has a singular covariance") from error
    centroid = source.mean(axis=0)
    reduced = source - centroid
    # Unknowns about the centroid: shift (3), scale, rotation (3); start at the mean difference.
    radius = float(np.sqrt(np.mean(np.sum(reduced**2, axis=1))))
    if radius == 0.0:
        raise AdjustmentError("the common points all lie in one place")
    unit = np.array([1.0, 1.0, 1.0] + [1.0 / radius] * 4)  # so that all unknowns are metres
    unknown = np.concatenate([(target - source).mean(axis=0), np.zeros(4)])
    for _ in range(_MAXIMUM_ITERATIONS):
        scale, rotation = unknown[3], unknown[4:]
        matrix = np.eye(3) + skew_matrix(rotation)
        # Differences of small numbers only: geocentric ones would cost the last nanometres.
        misclosure = target - source - unknown[:3] - reduced @ ((1.0 + scale) * matrix - np.eye(3)).T
        design = np.concatenate(
            [
                np.broadcast_to(np.eye(3), (n, 3, 3)),
                (reduced @ matrix.T)[:, :, None],
                -(1.0 + scale) * skew_matrix(reduced),
            ],
            axis=2,
        )
        white_design = (whitening @ design).reshape(3 * n, N_PARAMETERS) * unit
        white_misclosure = (whitening @ misclosure[:, :, None]).reshape(3 * n)
        step, _, _, singular = np.linalg.lstsq(white_design, white_misclosure, rcond=None)
        if singular[-1] < _SMALLEST_SINGULAR_VALUE_RATIO * singular[0]:
            raise AdjustmentError("the common points lie on one line: seven parameters are not determined")
        unknown = unknown + step * unit
        if np.max(np.abs(step)) < 1e-10 * max(1.0, float(np.max(np.abs(target - source)))):
            break
    else:
        raise AdjustmentError(f"seven parameters did not converge in {_MAXIMUM_ITERATIONS} iterations")
    normal_inverse = np.linalg.inv(white_design.T @ white_design)
    local_covariance = normal_inverse * np.outer(unit, unit)
    scale, rotation = unknown[3], unknown[4:]
    matrix = np.eye(3) + skew_matrix(rotation)
    small = (1.0 + scale) * matrix - np.eye(3)
    residual = target - source - unknown[:3] - reduced @ small.T
    white_residual = (whitening @ residual[:, :, None]).reshape(3 * n)
    # To the geocentre: T = shift + centroid - (1 + D)(I + S) centroid.
    translation = unknown[:3] - small @ centroid
    carry = np.eye(N_PARAMETERS)
    carry[:3, 3] = -(matrix @ centroid)
    carry[:3, 4:] = (1.0 + scale) * skew_matrix(centroid)
    flat_design = design.reshape(3 * n, N_PARAMETERS)
    full = np.zeros((3 * n, 3 * n))
    for i in range(n):
        full[3 * i : 3 * i + 3, 3 * i : 3 * i + 3] = covariance[i]
    return HelmertEstimate(
        parameters=np.concatenate([translation, unknown[3:]]),
        covariance=carry @ local_covariance @ carry.T,
        residual_m=residual,
        residual_covariance_m2=full - flat_design @ local_covariance @ flat_design.T,
        weighted_square_sum=float(white_residual @ white_residual),
        degrees_of_freedom=3 * n - N_PARAMETERS,
    )


def helmert_from_parameters(
    parameters: ArrayLike,
    covariance: ArrayLike,
    *,
    source: str,
    target: str,
    epoch_year: float,
    citation: str,
) -> Helmert14:
    """A Helmert14 without rates from seven parameters (7,) in SI (position vector) and their covariance."""
    values = np.asarray(parameters, dtype=np.float64) / _SI_PER_UNIT
    full = np.zeros((2 * N_PARAMETERS, 2 * N_PARAMETERS))
    full[:N_PARAMETERS, :N_PARAMETERS] = np.asarray(covariance) / np.outer(_SI_PER_UNIT, _SI_PER_UNIT)
    tx, ty, tz, scale, rx, ry, rz = (float(v) for v in values)
    return Helmert14(
        source=source,
        target=target,
        translation_m=(tx, ty, tz),
        scale_ppb=scale,
        rotation_mas=(rx, ry, rz),
        translation_rate_m_per_yr=(0.0, 0.0, 0.0),
        scale_rate_ppb_per_yr=0.0,
        rotation_rate_mas_per_yr=(0.0, 0.0, 0.0),
        reference_epoch_year=epoch_year,
        convention=RotationConvention.POSITION_VECTOR,
        covariance=full,
        citation=citation,
    )
