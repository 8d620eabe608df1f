"""The two models of a local datum: seven parameters in space, and a plane similarity. Each is estimated from
some of the common points, tells what is left at all of them, and writes itself for PROJ.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from datum.network.constraints import DatumParameter, datum_derivatives
from datum.network.testing import LinearModel
from datum.records import CommonPoint, CommonPoints
from transforms.constants import ARCSECOND_RAD
from transforms.ellipsoids import Ellipsoid
from transforms.errors import AdjustmentError, InputError
from transforms.frames import frame_named
from transforms.geodetic import ecef_from_geodetic, enu_matrix_at
from transforms.helmert import apply, estimate_helmert7, helmert_from_parameters

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_PARTS_PER_MILLION: Final = 1e-6
# The scale of a local datum is within some 1e-4 of 1, projection heights included; more is a mistake in the
# columns (degrees for grads, northing for easting).
_LARGEST_SCALE: Final = 1e-3


@dataclass(frozen=True, eq=False)
class FittedModel:
    """A model fitted to the points used.

    residual_m : (n, d) of all points, target minus transformed, east north (up)
    linear : whitened observation equations of the points used, for tests
    parameters : with units in their names; covariance (k, k) in their order, at a variance factor of 1
    """

    residual_m: FloatArray
    linear: LinearModel
    weighted_square_sum: float
    degrees_of_freedom: int
    parameters: Mapping[str, float]
    covariance: FloatArray
    proj_pipeline: str


class CommonPointModel(Protocol):
    """What `fit` asks of a model: d components of each point, and the fit to those used."""

    n_components: int
    n_parameters: int

    def fit(self, used: BoolArray) -> FittedModel:
        """Fit to the points marked."""


class SevenParameters:
    """Seven parameters between geocentric coordinates of the two datums."""

    n_components = 3
    n_parameters = 7

    def __init__(self, common: CommonPoints) -> None:
        if common.source_ellipsoid is None:
            raise InputError(f"the ellipsoid of {common.source_datum} is not known: seven parameters need it")
        self.common = common
        self.source_ellipsoid = common.source_ellipsoid
        self.target_ellipsoid = frame_named(common.target_frame).ellipsoid
        self.source = _ecef(common, "source_geodetic", self.source_ellipsoid)
        self.target = _ecef(common, "target_geodetic", self.target_ellipsoid)
        self.rotation = enu_matrix_at(self.target, self.target_ellipsoid)
        local = np.array(
            [np.diag([p.sigma_horizontal_m, p.sigma_horizontal_m, p.sigma_height_m]) for p in common.points]
        )
        self.covariance = np.swapaxes(self.rotation, 1, 2) @ local**2 @ self.rotation
        self.whitening = np.linalg.inv(local) @ self.rotation

    def fit(self, used: BoolArray) -> FittedModel:
        """Fit to the points marked."""
        estimate = estimate_helmert7(self.source[used], self.target[used], self.covariance[used])
        if abs(estimate.parameters[3]) > _LARGEST_SCALE:
            raise AdjustmentError(
                f"a scale of {estimate.parameters[3]:.2e} is no datum: are columns exchanged?"
            )
        helmert = helmert_from_parameters(
            estimate.parameters,
            estimate.covariance,
            source=self.common.source_datum,
            target=self.common.target_frame,
            epoch_year=2000.0,
            citation="common points",
        )
        ecef = self.target - apply(helmert, self.source, 2000.0)
        chosen = self.target[used]
        centre = chosen.mean(axis=0)
        radius = float(np.sqrt(np.mean(np.sum((chosen - centre) ** 2, axis=1))))
        derivatives = datum_derivatives(chosen, centre, radius, tuple(DatumParameter))
        whitened = (self.whitening[used] @ ecef[used][:, :, None]).ravel()
        design = (self.whitening[used] @ derivatives).reshape(-1, self.n_parameters)
        cofactor = np.asarray(np.linalg.inv(design.T @ design), dtype=np.float64)
        unit = np.array([1.0, 1.0, 1.0, _PARTS_PER_MILLION] + [ARCSECOND_RAD] * 3)
        names = (
            "translation_x_m", "translation_y_m", "translation_z_m", "scale_ppm",
            "rotation_x_arcsec", "rotation_y_arcsec", "rotation_z_arcsec",
        )  # fmt: skip
        values = dict(zip(names, (float(v) for v in estimate.parameters / unit), strict=True))
        return FittedModel(
            residual_m=(self.rotation @ ecef[:, :, None])[:, :, 0],
            linear=LinearModel(design, whitened, cofactor, whitened),
            weighted_square_sum=estimate.weighted_square_sum,
            degrees_of_freedom=estimate.degrees_of_freedom,
            parameters=values,
            covariance=estimate.covariance / np.outer(unit, unit),
            proj_pipeline=self._pipeline(values),
        )

    def _pipeline(self, values: Mapping[str, float]) -> str:
        """Longitude, latitude (degrees) and ellipsoidal height (m), from the local datum to the target."""
        # Micrometres of translation, and as little in scale and rotation: below, processors disagree.
        digits = (6, 6, 6, 9, 9, 9, 9)
        tx, ty, tz, scale, rx, ry, rz = (
            f"{value:.{n}f}" for value, n in zip(values.values(), digits, strict=True)
        )
        source, target = self.source_ellipsoid, self.target_ellipsoid
        return (
            "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
            f"+step +proj=cart {_axes(source)} "
            f"+step +proj=helmert +x={tx} +y={ty} +z={tz} +s={scale} +rx={rx} +ry={ry} +rz={rz} "
            "+convention=position_vector "
            f"+step +inv +proj=cart {_axes(target)} +step +proj=unitconvert +xy_in=rad +xy_out=deg"
        )


class PlaneSimilarity:
    """Two translations, one scale and one rotation between plane coordinates.

    easting' = tE + m (cos r easting - sin r northing), northing' = tN + m (sin r easting + cos r northing)
    """

    n_components = 2
    n_parameters = 4

    def __init__(self, common: CommonPoints) -> None:
        self.source = _plane(common, "source_plane_m")
        self.target = _plane(common, "target_plane_m")
        self.sigma = np.array([p.sigma_horizontal_m for p in common.points])

    def fit(self, used: BoolArray) -> FittedModel:
        """Fit to the points marked."""
        source, target, sigma = self.source[used], self.target[used], self.sigma[used]
        n = source.shape[0]
        if n < 2:
            raise AdjustmentError(f"a plane similarity needs at least 2 common points, and there are {n}")
        weight = sigma**-2
        centre = (weight[:, None] * source).sum(axis=0) / weight.sum()
        shift = (weight[:, None] * (target - source)).sum(axis=0) / weight.sum()
        reduced = source - centre
        radius = float(np.sqrt(np.mean(np.sum(reduced**2, axis=1))))
        if radius == 0.0:
            raise AdjustmentError("the common points all lie in one place")
        design = np.zeros((n, 2, 4))
        design[:, :, :2] = np.eye(2)
        design[:, :, 2] = reduced / radius
        design[:, :, 3] = np.stack([-reduced[:, 1], reduced[:, 0]], axis=-1) / radius
        design = (design / sigma[:, None, None]).reshape(2 * n, 4)
        misclosure = ((target - source - shift) / sigma[:, None]).ravel()
        cofactor = np.asarray(np.linalg.inv(design.T @ design), dtype=np.float64)
        unknown = cofactor @ (design.T @ misclosure)
        a, b = unknown[2] / radius, unknown[3] / radius  # m cos r - 1, m sin r
        # A city's axes may point anywhere, but its metre is a metre.
        if abs(np.hypot(1.0 + a, b) - 1.0) > _LARGEST_SCALE:
            raise AdjustmentError(
                f"a scale of {np.hypot(1.0 + a, b):.6f} is no datum: are columns exchanged, or zones mixed?"
            )
        matrix = np.array([[1.0 + a, -b], [b, 1.0 + a]])
        # About the centre first, differences of small numbers only; then to the plane's own origin.
        difference = self.target - self.source - shift - unknown[:2]
        residual = difference - (self.source - centre) @ (matrix - np.eye(2)).T
        translation = shift + unknown[:2] - (matrix - np.eye(2)) @ centre
        white_residual = (residual[used] / sigma[:, None]).ravel()
        m = float(np.hypot(1.0 + a, b))
        rotation = float(np.arctan2(b, 1.0 + a))
        values = {
            "translation_easting_m": float(translation[0]),
            "translation_northing_m": float(translation[1]),
            "scale_ppm": (m - 1.0) / _PARTS_PER_MILLION,
            "rotation_arcsec": rotation / ARCSECOND_RAD,
        }
        # (shift, a, b) about the centre to (translation at the origin, scale, rotation) in their units.
        carry = np.zeros((4, 4))
        carry[:2, :2] = np.eye(2)
        carry[:2, 2] = -centre / radius
        carry[:2, 3] = np.array([centre[1], -centre[0]]) / radius
        carry[2, 2:] = np.array([(1.0 + a) / m, b / m]) / radius / _PARTS_PER_MILLION
        carry[3, 2:] = np.array([-b, 1.0 + a]) / m**2 / radius / ARCSECOND_RAD
        return FittedModel(
            residual_m=residual,
            linear=LinearModel(design, misclosure, cofactor, white_residual),
            weighted_square_sum=float(white_residual @ white_residual),
            degrees_of_freedom=2 * n - self.n_parameters,
            parameters=values,
            covariance=carry @ cofactor @ carry.T,
            proj_pipeline=(
                f"+proj=affine +xoff={translation[0]:.6f} +yoff={translation[1]:.6f} "
                f"+s11={matrix[0, 0]:.14f} +s12={matrix[0, 1]:.14f} "
                f"+s21={matrix[1, 0]:.14f} +s22={matrix[1, 1]:.14f}"
            ),
        )


def _axes(ellipsoid: Ellipsoid) -> str:
    return f"+a={ellipsoid.semi_major_axis_m:.4f} +rf={ellipsoid.inverse_flattening:.15g}"


def _ecef(common: CommonPoints, field: str, ellipsoid: Ellipsoid) -> FloatArray:
    values = np.array([_given(point, field) for point in common.points], dtype=np.float64)
    return ecef_from_geodetic(np.radians(values[:, 0]), np.radians(values[:, 1]), values[:, 2], ellipsoid)


def _plane(common: CommonPoints, field: str) -> FloatArray:
    return np.array([_given(point, field) for point in common.points], dtype=np.float64)


def _given(point: CommonPoint, field: str) -> tuple[float, ...]:
    value: tuple[float, ...] | None = getattr(point, field)
    if value is None:
        what = "latitude, longitude and height" if field.endswith("geodetic") else "easting and northing"
        raise InputError(f"common point {point.name} (line {point.line_in_file}) has no {what} on both sides")
    return value
