"""Two sets of coordinates of the same stations: the similarity between them, and which stations stand out.

    second = first + T + D first + R x first + residual          (rotations in the position-vector convention)

The parameters are estimated about the centre of the common stations and carried to the geocentre. Formal
covariances of two solutions of the same observations are no measure of their difference, so the residuals
are judged by their own scatter in east, north and up: the normalised median of absolute values, which a
quarter of bad stations does not move much (Rousseeuw and Leroy 1987, Robust Regression and Outlier Detection,
chapter 5).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.network.constraints import DatumParameter, component_names, datum_derivatives
from datum.network.testing import chi_square_limit
from stations.records import InputFile
from transforms.ellipsoids import GRS80
from transforms.errors import AdjustmentError, InputError
from transforms.geodetic import enu_matrix_at
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]

ALL_PARAMETERS: Final = (DatumParameter.TRANSLATION, DatumParameter.ROTATION, DatumParameter.SCALE)
_DIMENSION: Final = 3
_ITERATIONS: Final = 50
_CONVERGED_M: Final = 1e-9
_HUBER_LIMIT: Final = 1.5  # Huber (1981), Robust Statistics: 95 per cent efficient at the normal distribution
_HARD_LIMIT: Final = (
    6.0  # beyond, a station has no weight at all in the robust fit (Hampel's redescending tail)
)
# Normalises the median of |x| of a normal variable to its sigma: 1 / Phi^-1(3/4).
_MEDIAN_TO_SIGMA: Final = 1.482602218505602
# Coordinates are published to 0.01 or 0.1 mm: below that a scatter is rounding, and no station stands out.
_SMALLEST_SCATTER_M: Final = 2e-5
# Two linear terms are left out, rotation squared and rotation times scale: 6 um of a radius at this value.
_LARGEST_SMALL_ROTATION_RAD: Final = 1e-6
_SAME_PLACE_M: Final = 1.0
# Order of the seven parameters, as `transforms.helmert` has them.
_ROWS: Final = (
    "translation_x",
    "translation_y",
    "translation_z",
    "scale",
    "rotation_x",
    "rotation_y",
    "rotation_z",
)


@dataclass(frozen=True, eq=False)
class CoordinateSet:
    """Geocentric coordinates of stations from any source.

    name : of the file; frame, epoch : where the source says them, else "" and None
    position_ecef_m : (n, 3); covariance_m2 : (n, 3, 3), or None where the source gives none
    """

    name: str
    frame: str
    epoch: Epochs | None
    stations: tuple[str, ...]
    position_ecef_m: FloatArray
    covariance_m2: FloatArray | None
    inputs: tuple[InputFile, ...] = ()


@dataclass(frozen=True, eq=False)
class StationDifference:
    """A common station: difference second minus first and residual after the similarity, east, north, up, m.

    statistic : square sum of the residuals over their scatter; limit : above which the station stands out
    """

    station: str
    difference_enu_m: FloatArray
    residual_enu_m: FloatArray
    statistic: float
    limit: float
    stands_out: bool


@dataclass(frozen=True, eq=False)
class NetworkComparison:
    """Similarity from the first to the second set.

    parameters : (7,) translation m, scale, rotation rad, at the geocentre, position vector; 0 where not asked
    sigma : (7,) from the scatter of the stations that do not stand out
    shift_enu_m : (3,) shift of the centre of the common stations
    scatter_enu_m : (3,) robust; rms_enu_m : (3,) of the stations that do not stand out
    only_first, only_second : stations that the other set lacks
    """

    first: CoordinateSet
    second: CoordinateSet
    estimated: tuple[DatumParameter, ...]
    parameters: FloatArray
    sigma: FloatArray
    centre_ecef_m: FloatArray
    shift_enu_m: FloatArray
    scatter_enu_m: FloatArray
    rms_enu_m: FloatArray
    degrees_of_freedom: int
    stations: tuple[StationDifference, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    remarks: tuple[str, ...]


def compare_networks(
    first: CoordinateSet,
    second: CoordinateSet,
    *,
    estimated: Sequence[DatumParameter] = ALL_PARAMETERS,
    robust: bool = True,
    significance: float = 0.01,
) -> NetworkComparison:
    """Compare two sets of coordinates.

    Parameters
    ----------
    estimated : parameters of the similarity; none compares the coordinates as they are
    robust : stations that stand out do not take part in the estimate; else all count alike
    significance : probability that any station of a clean set is said to stand out

    Raises InputError for sets without common stations, AdjustmentError where they do not determine the
    parameters.
    """
    if not 0.0 < significance < 1.0:
        raise InputError(f"a significance lies between 0 and 1, and this is {significance}")
    names = [name for name in first.stations if name in set(second.stations)]
    if not names:
        raise InputError(f"{first.name} and {second.name} have no station in common")
    chosen = tuple(p for p in DatumParameter if p in estimated)
    place = [{name: i for i, name in enumerate(s.stations)} for s in (first, second)]
    from_m = first.position_ecef_m[[place[0][name] for name in names]]
    to_m = second.position_ecef_m[[place[1][name] for name in names]]
    n, k = len(names), len(component_names(chosen))
    if k and 3 * n <= k:
        raise AdjustmentError(
            f"{k} parameters need more than {k} coordinates, and {n} common stations have {3 * n}"
        )
    centre = from_m.mean(axis=0)
    radius = max(float(np.sqrt(np.mean(np.sum((from_m - centre) ** 2, axis=1)))), _SAME_PLACE_M)
    turn = enu_matrix_at(from_m)
    difference = _turned(turn, to_m - from_m)
    design = turn @ datum_derivatives(from_m, centre, radius, chosen) if chosen else np.zeros((n, 3, 0))
    weight = np.ones(n)
    unknown, scatter = _fit(design, difference, weight)
    if robust:
        for _ in range(_ITERATIONS):
            residual = difference - design @ unknown
            size = np.sqrt(np.sum((residual / scatter) ** 2, axis=1) / _DIMENSION)
            weight = np.where(size <= _HUBER_LIMIT, 1.0, _HUBER_LIMIT / np.maximum(size, _HUBER_LIMIT))
            weight[size > _HARD_LIMIT] = 0.0
            if np.count_nonzero(weight) * 3 <= k:
                raise AdjustmentError("fewer than half of the common stations agree: no similarity is told")
            previous = unknown
            unknown, scatter = _fit(design, difference, weight, scatter)
            if np.max(np.abs(unknown - previous), initial=0.0) < _CONVERGED_M:
                break
    residual = difference - design @ unknown
    limit = chi_square_limit(_DIMENSION, significance / n)
    statistic = np.sum((residual / scatter) ** 2, axis=1)
    out = statistic > limit
    if robust and k and np.any(out) and 3 * np.count_nonzero(~out) > k:
        unknown, _ = _fit(design, difference, (~out).astype(np.float64), scatter)
        residual = difference - design @ unknown
        statistic = np.sum((residual / scatter) ** 2, axis=1)
        out = statistic > limit
    used = ~out if robust else np.ones(n, dtype=bool)
    freedom = 3 * int(np.count_nonzero(used)) - k
    parameters, sigma = _at_geocentre(
        design, residual, scatter, used, unknown, chosen, centre, radius, freedom
    )
    kept = residual[~out] if np.any(~out) else residual
    return NetworkComparison(
        first=first,
        second=second,
        estimated=chosen,
        parameters=parameters,
        sigma=sigma,
        centre_ecef_m=centre,
        shift_enu_m=enu_matrix_at(centre) @ (parameters[:3] + _linear(parameters) @ centre),
        scatter_enu_m=scatter,
        rms_enu_m=np.sqrt(np.mean(kept**2, axis=0)),
        degrees_of_freedom=freedom,
        stations=tuple(
            StationDifference(name, difference[i], residual[i], float(statistic[i]), limit, bool(out[i]))
            for i, name in enumerate(names)
        ),
        only_first=tuple(sorted(set(first.stations) - set(second.stations))),
        only_second=tuple(sorted(set(second.stations) - set(first.stations))),
        remarks=_remarks(first, second, parameters),
    )


def _turned(turn: FloatArray, vectors: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("nij,nj->ni", turn, vectors))


def _fit(
    design: FloatArray, difference: FloatArray, weight: FloatArray, scatter: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Unknowns (k,) by weighted least squares, and the robust scatter (3,) of the residuals."""
    n, _, k = design.shape
    unknown = np.zeros(k)
    if k:
        unit = np.ones(3) if scatter is None else scatter / scatter.max()
        root = np.sqrt(weight)[:, None] / unit
        unknown, _, rank, _ = np.linalg.lstsq(
            (design * root[:, :, None]).reshape(3 * n, k), (difference * root).reshape(3 * n), rcond=1e-10
        )
        if rank < k:
            raise AdjustmentError(
                "the common stations do not determine the parameters asked for: they are too few or lie on "
                "one line; ask for fewer (translation alone)"
            )
    size = np.abs(difference - design @ unknown)
    # Least squares pulls small residuals to zero: the median of n points with k unknowns is small by this.
    redundancy = max(1.0 - k / (3.0 * n), 1.0 / (3.0 * n))
    median = _MEDIAN_TO_SIGMA * np.median(size, axis=0) / np.sqrt(redundancy)
    return unknown, np.maximum(median, _SMALLEST_SCATTER_M)


def _linear(parameters: FloatArray) -> FloatArray:
    """D I + [R x] of the seven parameters."""
    _, _, _, scale, rx, ry, rz = (float(v) for v in parameters)
    return np.array([[scale, -rz, ry], [rz, scale, -rx], [-ry, rx, scale]])


def _at_geocentre(
    design: FloatArray,
    residual: FloatArray,
    scatter: FloatArray,
    used: NDArray[np.bool_],
    unknown: FloatArray,
    chosen: Sequence[DatumParameter],
    centre: FloatArray,
    radius: float,
    freedom: int,
) -> tuple[FloatArray, FloatArray]:
    """Seven parameters and their sigmas at the geocentre from unknowns about the centre."""
    k = unknown.size
    carry = np.zeros((7, k))
    names = component_names(chosen)
    for column, name in enumerate(names):
        row = _ROWS.index(name)
        carry[row, column] = 1.0 if row < 3 else 1.0 / radius
    # T at the geocentre is the shift of the centre less what scale and rotation do to the centre.
    for row in range(3, 7):
        unit = np.zeros(7)
        unit[row] = 1.0
        carry[:3] -= np.outer(_linear(unit) @ centre, carry[row])
    if not k:
        return np.zeros(7), np.zeros(7)
    white = (design[used] / scatter[:, None]).reshape(-1, k)
    white_residual = (residual[used] / scatter).reshape(-1)
    factor = float(white_residual @ white_residual) / freedom if freedom > 0 else 0.0
    covariance = carry @ np.linalg.inv(white.T @ white) @ carry.T * factor
    return carry @ unknown, np.sqrt(np.maximum(np.diagonal(covariance), 0.0))


def _remarks(first: CoordinateSet, second: CoordinateSet, parameters: FloatArray) -> tuple[str, ...]:
    remarks = []
    if first.frame and second.frame and first.frame != second.frame:
        remarks.append(f"the frames differ: {first.frame} and {second.frame}; the parameters hold that too")
    if first.epoch is not None and second.epoch is not None:
        years = float(second.epoch.decimal_year() - first.epoch.decimal_year())
        if abs(years) > 1.0 / 12.0:
            remarks.append(
                f"the epochs differ by {years:+.2f} years: motion of the stations against each other is in "
                "the residuals"
            )
    if float(np.max(np.abs(parameters[4:]))) > _LARGEST_SMALL_ROTATION_RAD:
        error_m = GRS80.semi_major_axis_m * float(np.max(np.abs(parameters[4:]))) ** 2
        remarks.append(
            f"the rotation is so large that the linear similarity errs by {error_m * 1e3:.2g} mm; the "
            "residuals hold that"
        )
    return tuple(remarks)
