"""A height-anomaly surface through levelled GNSS stations: a trend and collocation of what is left.

Least-squares collocation with parameters (Moritz 1980, Advanced Physical Geodesy, section 16): observations
l = A x + s + n, with a trend A x, a signal s of covariance C(d) = C0 / (1 + (d/L)^2) (Hirvonen's function,
same book, section 22) and noise n. C0 and L come from the data by restricted maximum likelihood where the
number of points allows it, and the error of a prediction holds the errors of trend, signal and noise.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from transforms.ellipsoids import GRS80
from transforms.errors import AdjustmentError, InputError

FloatArray = NDArray[np.float64]
Trend = Literal["constant", "plane", "bilinear"]

TREND_TERMS: Final = {"constant": 1, "plane": 3, "bilinear": 4}
DEFAULT_EXTRAPOLATION_M: Final = 50_000.0  # outside the hull of the levelled stations; beyond it is refused
# Points beyond those of the trend that a likelihood of two covariance parameters needs to mean anything.
REDUNDANCY_FOR_COVARIANCE: Final = 4
# With fewer points: a plane leaves some centimetres of height anomaly over 100 km in flat country, more in
# hills; the greater value is taken, so that the sigma of a prediction errs to the safe side.
DEFAULT_SIGNAL_SIGMA_M: Final = 0.10
DEFAULT_CORRELATION_LENGTH_M: Final = 100_000.0
_SIGNAL_SIGMAS_M: Final = tuple(float(x) for x in np.geomspace(0.001, 1.0, 25))
_CORRELATION_LENGTHS_M: Final = tuple(float(x) for x in np.geomspace(5e3, 5e5, 21))


@dataclass(frozen=True)
class LeaveOneOut:
    """What the others say of one point: predicted minus given, and the sigma of that difference, m."""

    name: str
    difference_m: float
    sigma_m: float

    @property
    def standardised(self) -> float:
        """Difference over its sigma, dimensionless."""
        return self.difference_m / self.sigma_m


@dataclass(frozen=True, eq=False)
class HeightAnomalySurface:
    """A fitted surface of height anomalies.

    names, position_m (n, 2) east and north of the origin, anomaly_m (n,), sigma_m (n,) : what it rests on
    signal_sigma_m, correlation_length_m : of the covariance function; estimated : from these data
    leave_one_out : one for each point, empty where the others cannot hold the trend
    """

    names: tuple[str, ...]
    origin_deg: tuple[float, float]
    position_m: FloatArray
    anomaly_m: FloatArray
    sigma_m: FloatArray
    trend: Trend
    signal_sigma_m: float
    correlation_length_m: float
    estimated: bool
    maximum_extrapolation_m: float
    leave_one_out: tuple[LeaveOneOut, ...]

    @property
    def leave_one_out_rms_m(self) -> float | None:
        """Root mean square of the leave-one-out differences, or None where there are none."""
        if not self.leave_one_out:
            return None
        return math.sqrt(math.fsum(x.difference_m**2 for x in self.leave_one_out) / len(self.leave_one_out))

    def predict(self, latitude_deg: float, longitude_deg: float) -> tuple[float, float]:
        """Height anomaly and its sigma at a place, m.

        Raises InputError where the place lies outside the levelled stations by more than the stated distance.
        """
        place = _plane_coordinates([(latitude_deg, longitude_deg)], self.origin_deg)[0]
        outside = distance_outside_hull_m(self.position_m, place)
        if outside > self.maximum_extrapolation_m:
            raise InputError(
                f"latitude {latitude_deg:.4f}, longitude {longitude_deg:.4f} lies {outside / 1e3:.0f} km "
                f"outside the levelled stations {', '.join(self.names)}; the surface is extrapolated by at "
                f"most {self.maximum_extrapolation_m / 1e3:.0f} km"
            )
        value, sigma = _predict(
            self.position_m,
            self.anomaly_m,
            self.sigma_m,
            place,
            self.trend,
            self.signal_sigma_m,
            self.correlation_length_m,
        )
        return value, sigma


def fit_height_anomaly(
    names: Sequence[str],
    geodetic_position_deg: Sequence[tuple[float, float]],
    anomaly_m: Sequence[float],
    sigma_m: Sequence[float],
    *,
    trend: Trend | None = None,
    signal_sigma_m: float | None = None,
    correlation_length_m: float | None = None,
    maximum_extrapolation_m: float = DEFAULT_EXTRAPOLATION_M,
) -> HeightAnomalySurface:
    """Fit a surface to height anomalies at points.

    Parameters
    ----------
    geodetic_position_deg : (latitude, longitude) of each point; anomaly_m, sigma_m : with its sigma
    trend : default a plane from four points on, below that a constant
    signal_sigma_m, correlation_length_m : of the covariance function; default from the data if they suffice

    Raises InputError where there is nothing to fit, AdjustmentError where they do not hold the trend.
    """
    n = len(names)
    if n == 0:
        raise InputError("no station has both a levelled and an ellipsoidal height: no surface can be fitted")
    anomaly, sigma = np.asarray(anomaly_m, dtype=np.float64), np.asarray(sigma_m, dtype=np.float64)
    if anomaly.shape != (n,) or sigma.shape != (n,) or len(geodetic_position_deg) != n:
        raise InputError("names, positions, height anomalies and sigmas differ in number")
    if not np.all(np.isfinite(anomaly)) or not np.all(np.isfinite(sigma)) or np.any(sigma <= 0.0):
        raise InputError("height anomalies must be finite, and their sigmas greater than zero")
    kind: Trend = trend if trend is not None else ("plane" if n > TREND_TERMS["plane"] else "constant")
    if n < TREND_TERMS[kind]:
        raise AdjustmentError(
            f"{n} levelled stations do not hold a {kind} trend of {TREND_TERMS[kind]} terms"
        )
    latitudes, longitudes = zip(*geodetic_position_deg, strict=True)
    origin = (float(np.mean(latitudes)), float(np.mean(longitudes)))
    position = _plane_coordinates(geodetic_position_deg, origin)
    if np.linalg.matrix_rank(_trend_matrix(position, kind), tol=1e-9) < TREND_TERMS[kind]:
        raise AdjustmentError(f"the levelled stations lie so that they do not hold a {kind} trend")
    estimated = False
    if signal_sigma_m is None or correlation_length_m is None:
        if n - TREND_TERMS[kind] >= REDUNDANCY_FOR_COVARIANCE:
            estimated = True
            found = _most_likely(position, anomaly, sigma, kind, signal_sigma_m, correlation_length_m)
        else:
            found = DEFAULT_SIGNAL_SIGMA_M, DEFAULT_CORRELATION_LENGTH_M
        signal_sigma_m = found[0] if signal_sigma_m is None else signal_sigma_m
        correlation_length_m = found[1] if correlation_length_m is None else correlation_length_m
    if signal_sigma_m < 0.0 or correlation_length_m <= 0.0:
        raise InputError("the covariance function needs a sigma of at least 0 and a length greater than 0")
    left_out = []
    for i in range(n):
        others = np.arange(n) != i
        rest = _trend_matrix(position[others], kind)
        if n - 1 < TREND_TERMS[kind] or np.linalg.matrix_rank(rest, tol=1e-9) < TREND_TERMS[kind]:
            continue
        value, error = _predict(
            position[others],
            anomaly[others],
            sigma[others],
            position[i],
            kind,
            signal_sigma_m,
            correlation_length_m,
        )
        left_out.append(LeaveOneOut(names[i], float(value - anomaly[i]), math.hypot(error, float(sigma[i]))))
    return HeightAnomalySurface(
        names=tuple(names),
        origin_deg=origin,
        position_m=position,
        anomaly_m=anomaly,
        sigma_m=sigma,
        trend=kind,
        signal_sigma_m=signal_sigma_m,
        correlation_length_m=correlation_length_m,
        estimated=estimated,
        maximum_extrapolation_m=maximum_extrapolation_m,
        leave_one_out=tuple(left_out),
    )


def distance_outside_hull_m(points_m: FloatArray, place_m: FloatArray) -> float:
    """Distance of a place (2,) from the convex hull of points (n, 2) in the plane; 0 inside."""
    corners = _hull(points_m)
    k = len(corners)
    if k == 1:
        return float(np.hypot(*(place_m - corners[0])))
    nearest, inside = math.inf, k > 2
    for i in range(k):
        start, end = corners[i], corners[(i + 1) % k]
        along, to_place = end - start, place_m - start
        if along[0] * to_place[1] - along[1] * to_place[0] < 0.0:
            inside = False
        share = min(1.0, max(0.0, float(to_place @ along) / float(along @ along)))
        nearest = min(nearest, float(np.hypot(*(to_place - share * along))))
    return 0.0 if inside else nearest


def _hull(points_m: FloatArray) -> list[FloatArray]:
    """Corners of the convex hull, counter-clockwise (Andrew 1979)."""
    ordered = [np.array(p) for p in sorted({(float(x), float(y)) for x, y in points_m})]
    if len(ordered) < 3:
        return ordered

    def chain(points: Sequence[FloatArray]) -> list[FloatArray]:
        kept: list[FloatArray] = []
        for point in points:
            while len(kept) >= 2:
                first, second = kept[-1] - kept[-2], point - kept[-2]
                if first[0] * second[1] - first[1] * second[0] > 0.0:
                    break
                kept.pop()
            kept.append(point)
        return kept[:-1]

    return chain(ordered) + chain(ordered[::-1])


def _plane_coordinates(
    geodetic_position_deg: Sequence[tuple[float, float]], origin_deg: tuple[float, float]
) -> FloatArray:
    """East and north of the origin on the sphere of the semi-major axis, m; shape (n, 2).

    A percent of distance at 300 km is lost, which neither a trend nor a covariance function feels.
    """
    position = np.radians(np.asarray(geodetic_position_deg, dtype=np.float64))
    latitude, longitude = np.radians(origin_deg)
    turn = np.remainder(position[:, 1] - longitude + math.pi, 2.0 * math.pi) - math.pi
    east = turn * math.cos(latitude)
    return np.asarray(
        GRS80.semi_major_axis_m * np.stack([east, position[:, 0] - latitude], axis=-1), dtype=np.float64
    )


def _trend_matrix(position_m: FloatArray, trend: Trend) -> FloatArray:
    """Rows 1, east, north, east times north, in units of 100 km for good conditioning."""
    east, north = position_m[:, 0] / 1e5, position_m[:, 1] / 1e5
    return np.stack([np.ones_like(east), east, north, east * north], axis=-1)[:, : TREND_TERMS[trend]]


def _signal_covariance(
    first_m: FloatArray, second_m: FloatArray, sigma_m: float, length_m: float
) -> FloatArray:
    squared = np.sum((first_m[:, None, :] - second_m[None, :, :]) ** 2, axis=-1)
    return np.asarray(sigma_m**2 / (1.0 + squared / length_m**2), dtype=np.float64)


def _predict(
    position_m: FloatArray,
    anomaly_m: FloatArray,
    sigma_m: FloatArray,
    place_m: FloatArray,
    trend: Trend,
    signal_sigma_m: float,
    length_m: float,
) -> tuple[float, float]:
    """Collocation with parameters: value and sigma of trend plus signal at a place."""
    A, a = _trend_matrix(position_m, trend), _trend_matrix(place_m[None, :], trend)[0]
    covariance = _signal_covariance(position_m, position_m, signal_sigma_m, length_m) + np.diag(sigma_m**2)
    cross = _signal_covariance(place_m[None, :], position_m, signal_sigma_m, length_m)[0]
    factor = cho_factor(covariance)
    normal = A.T @ cho_solve(factor, A)
    coefficients = np.linalg.solve(normal, A.T @ cho_solve(factor, anomaly_m))
    weights = cho_solve(factor, cross)
    value = float(a @ coefficients + weights @ (anomaly_m - A @ coefficients))
    open_trend = a - A.T @ weights
    variance = (
        signal_sigma_m**2 - float(cross @ weights) + float(open_trend @ np.linalg.solve(normal, open_trend))
    )
    return value, math.sqrt(max(variance, 0.0))


def _most_likely(
    position_m: FloatArray,
    anomaly_m: FloatArray,
    sigma_m: FloatArray,
    trend: Trend,
    signal_sigma_m: float | None,
    length_m: float | None,
) -> tuple[float, float]:
    """C0 and L of greatest restricted likelihood on a grid; what is given is kept.

    Patterson and Thompson (1971), Biometrika 58:545-554: the trend costs its degrees of freedom.
    """
    A = _trend_matrix(position_m, trend)
    best, found = math.inf, (DEFAULT_SIGNAL_SIGMA_M, DEFAULT_CORRELATION_LENGTH_M)
    sigmas = _SIGNAL_SIGMAS_M if signal_sigma_m is None else (signal_sigma_m,)
    lengths = _CORRELATION_LENGTHS_M if length_m is None else (length_m,)
    for signal, length in product(sigmas, lengths):
        covariance = _signal_covariance(position_m, position_m, signal, length) + np.diag(sigma_m**2)
        factor = cho_factor(covariance)
        normal = A.T @ cho_solve(factor, A)
        residual = anomaly_m - A @ np.linalg.solve(normal, A.T @ cho_solve(factor, anomaly_m))
        minus_log = (
            2.0 * float(np.sum(np.log(np.diag(factor[0]))))
            + float(np.linalg.slogdet(normal)[1])
            + float(residual @ cho_solve(factor, residual))
        )
        if minus_log < best:
            best, found = minus_log, (signal, length)
    return found
