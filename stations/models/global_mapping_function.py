"""Global Mapping Function (GMF) of the neutral atmosphere.

Boehm, Niell, Tregoning, Schuh (2006), Geophys. Res. Lett. 33, L07304; recommended in the IERS Conventions
(2010), section 9.2. Coefficients: spherical harmonics to degree and order 9 of the mean and the annual
amplitude of the continued fraction's `a`, in units of 1e-5, as the paper's authors publish them.
"""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

_DEGREE: Final = 9
# Order of the terms: n = 0..9, m = 0..n; A with cos(m lambda), B with sin(m lambda).
# fmt: off
_HYDROSTATIC_MEAN_A: Final = (
    +1.2517e+02, +8.503e-01, +6.936e-02, -6.760e+00, +1.771e-01, +1.130e-02, +5.963e-01, +1.808e-02,
    +2.801e-03, -1.414e-03, -1.212e+00, +9.300e-02, +3.683e-03, +1.095e-03, +4.671e-05, +3.959e-01,
    -3.867e-02, +5.413e-03, -5.289e-04, +3.229e-04, +2.067e-05, +3.000e-01, +2.031e-02, +5.900e-03,
    +4.573e-04, -7.619e-05, +2.327e-06, +3.845e-06, +1.182e-01, +1.158e-02, +5.445e-03, +6.219e-05,
    +4.204e-06, -2.093e-06, +1.540e-07, -4.280e-08, -4.751e-01, -3.490e-02, +1.758e-03, +4.019e-04,
    -2.799e-06, -1.287e-06, +5.468e-07, +7.580e-08, -6.300e-09, -1.160e-01, +8.301e-03, +8.771e-04,
    +9.955e-05, -1.718e-06, -2.012e-06, +1.170e-08, +1.790e-08, -1.300e-09, +1.000e-10,
)
_HYDROSTATIC_MEAN_B: Final = (
    0.0, 0.0, +3.249e-02, 0.0, +3.324e-02, +1.850e-02, 0.0, -1.115e-01, +2.519e-02, +4.923e-03, 0.0,
    +2.737e-02, +1.595e-02, -7.332e-04, +1.933e-04, 0.0, -4.796e-02, +6.381e-03, -1.599e-04, -3.685e-04,
    +1.815e-05, 0.0, +7.033e-02, +2.426e-03, -1.111e-03, -1.357e-04, -7.828e-06, +2.547e-06, 0.0,
    +5.779e-03, +3.133e-03, -5.312e-04, -2.028e-05, +2.323e-07, -9.100e-08, -1.650e-08, 0.0, +3.688e-02,
    -8.638e-04, -8.514e-05, -2.828e-05, +5.403e-07, +4.390e-07, +1.350e-08, +1.800e-09, 0.0, -2.736e-02,
    -2.977e-04, +8.113e-05, +2.329e-07, +8.451e-07, +4.490e-08, -8.100e-09, -1.500e-09, +2.000e-10,
)
_HYDROSTATIC_AMPLITUDE_A: Final = (
    -2.738e-01, -2.837e+00, +1.298e-02, -3.588e-01, +2.413e-02, +3.427e-02, -7.624e-01, +7.272e-02,
    +2.160e-02, -3.385e-03, +4.424e-01, +3.722e-02, +2.195e-02, -1.503e-03, +2.426e-04, +3.013e-01,
    +5.762e-02, +1.019e-02, -4.476e-04, +6.790e-05, +3.227e-05, +3.123e-01, -3.535e-02, +4.840e-03,
    +3.025e-06, -4.363e-05, +2.854e-07, -1.286e-06, -6.725e-01, -3.730e-02, +8.964e-04, +1.399e-04,
    -3.990e-06, +7.431e-06, -2.796e-07, -1.601e-07, +4.068e-02, -1.352e-02, +7.282e-04, +9.594e-05,
    +2.070e-06, -9.620e-08, -2.742e-07, -6.370e-08, -6.300e-09, +8.625e-02, -5.971e-03, +4.705e-04,
    +2.335e-05, +4.226e-06, +2.475e-07, -8.850e-08, -3.600e-08, -2.900e-09, 0.0,
)
_HYDROSTATIC_AMPLITUDE_B: Final = (
    0.0, 0.0, -1.136e-01, 0.0, -1.868e-01, -1.399e-02, 0.0, -1.043e-01, +1.175e-02, -2.240e-03, 0.0,
    -3.222e-02, +1.333e-02, -2.647e-03, -2.316e-05, 0.0, +5.339e-02, +1.107e-02, -3.116e-03, -1.079e-04,
    -1.299e-05, 0.0, +4.861e-03, +8.891e-03, -6.448e-04, -1.279e-05, +6.358e-06, -1.417e-07, 0.0,
    +3.041e-02, +1.150e-03, -8.743e-04, -2.781e-05, +6.367e-07, -1.140e-08, -4.200e-08, 0.0, -2.982e-02,
    -3.000e-03, +1.394e-05, -3.290e-05, -1.705e-07, +7.440e-08, +2.720e-08, -6.600e-09, 0.0, +1.236e-02,
    -9.981e-04, -3.792e-05, -1.355e-05, +1.162e-06, -1.789e-07, +1.470e-08, -2.400e-09, -4.000e-10,
)
_WET_MEAN_A: Final = (
    +5.640e+01, +1.555e+00, -1.011e+00, -3.975e+00, +3.171e-02, +1.065e-01, +6.175e-01, +1.376e-01,
    +4.229e-02, +3.028e-03, +1.688e+00, -1.692e-01, +5.478e-02, +2.473e-02, +6.059e-04, +2.278e+00,
    +6.614e-03, -3.505e-04, -6.697e-03, +8.402e-04, +7.033e-04, -3.236e+00, +2.184e-01, -4.611e-02,
    -1.613e-02, -1.604e-03, +5.420e-05, +7.922e-05, -2.711e-01, -4.406e-01, -3.376e-02, -2.801e-03,
    -4.090e-04, -2.056e-05, +6.894e-06, +2.317e-06, +1.941e+00, -2.562e-01, +1.598e-02, +5.449e-03,
    +3.544e-04, +1.148e-05, +7.503e-06, -5.667e-07, -3.660e-08, +8.683e-01, -5.931e-02, -1.864e-03,
    -1.277e-04, +2.029e-04, +1.269e-05, +1.629e-06, +9.660e-08, -1.015e-07, -5.000e-10,
)
_WET_MEAN_B: Final = (
    0.0, 0.0, +2.592e-01, 0.0, +2.974e-02, -5.471e-01, 0.0, -5.926e-01, -1.030e-01, -1.567e-02, 0.0,
    +1.710e-01, +9.025e-02, +2.689e-02, +2.243e-03, 0.0, +3.439e-01, +2.402e-02, +5.410e-03, +1.601e-03,
    +9.669e-05, 0.0, +9.502e-02, -3.063e-02, -1.055e-03, -1.067e-04, -1.130e-04, +2.124e-05, 0.0,
    -3.129e-01, +8.463e-03, +2.253e-04, +7.413e-05, -9.376e-05, -1.606e-06, +2.060e-06, 0.0, +2.739e-01,
    +1.167e-03, -2.246e-05, -1.287e-04, -2.438e-05, -7.561e-07, +1.158e-06, +4.950e-08, 0.0, -1.344e-01,
    +5.342e-03, +3.775e-04, -6.756e-05, -1.686e-06, -1.184e-06, +2.768e-07, +2.730e-08, +5.700e-09,
)
_WET_AMPLITUDE_A: Final = (
    +1.023e-01, -2.695e+00, +3.417e-01, -1.405e-01, +3.175e-01, +2.116e-01, +3.536e+00, -1.505e-01,
    -1.660e-02, +2.967e-02, +3.819e-01, -1.695e-01, -7.444e-02, +7.409e-03, -6.262e-03, -1.836e+00,
    -1.759e-02, -6.256e-02, -2.371e-03, +7.947e-04, +1.501e-04, -8.603e-01, -1.360e-01, -3.629e-02,
    -3.706e-03, -2.976e-04, +1.857e-05, +3.021e-05, +2.248e+00, -1.178e-01, +1.255e-02, +1.134e-03,
    -2.161e-04, -5.817e-06, +8.836e-07, -1.769e-07, +7.313e-01, -1.188e-01, +1.145e-02, +1.011e-03,
    +1.083e-04, +2.570e-06, -2.140e-06, -5.710e-08, +2.000e-08, -1.632e+00, -6.948e-03, -3.893e-03,
    +8.592e-04, +7.577e-05, +4.539e-06, -3.852e-07, -2.213e-07, -1.370e-08, +5.800e-09,
)
_WET_AMPLITUDE_B: Final = (
    0.0, 0.0, -8.865e-02, 0.0, -4.309e-01, +6.340e-02, 0.0, +1.162e-01, +6.176e-02, -4.234e-03, 0.0,
    +2.530e-01, +4.017e-02, -6.204e-03, +4.977e-03, 0.0, -1.737e-01, -5.638e-03, +1.488e-04, +4.857e-04,
    -1.809e-04, 0.0, -1.514e-01, -1.685e-02, +5.333e-03, -7.611e-05, +2.394e-05, +8.195e-06, 0.0,
    +9.326e-02, -1.275e-02, -3.071e-04, +5.374e-05, -3.391e-05, -7.436e-06, +6.747e-07, 0.0, -8.637e-02,
    -3.807e-03, -6.833e-04, -3.861e-05, -2.268e-05, +1.454e-06, +3.860e-07, -1.068e-07, 0.0, -2.658e-02,
    -1.947e-03, +7.131e-04, -3.506e-05, +1.885e-07, +5.792e-07, +3.990e-08, +2.000e-08, -5.700e-09,
)
# fmt: on

_HYDROSTATIC_B: Final = 0.0029
_HYDROSTATIC_C0: Final = 0.062
_WET_B: Final = 0.00146
_WET_C: Final = 0.04391
# Height correction of the hydrostatic function: Niell (1996), J. Geophys. Res. 101(B2), table 3.
_HEIGHT_A: Final = 2.53e-5
_HEIGHT_B: Final = 5.49e-3
_HEIGHT_C: Final = 1.14e-3
_REFERENCE_MJD: Final = 44239.0 - 1.0 + 28.0  # 28 January, the coldest day of the northern hemisphere


@lru_cache(maxsize=64)
def solid_harmonics(
    latitude_rad: float, longitude_rad: float, degree: int = _DEGREE
) -> tuple[FloatArray, FloatArray]:
    """Unnormalised solid harmonics (V, W) up to a degree and order, in the coefficients' order."""
    x = np.cos(latitude_rad) * np.cos(longitude_rad)
    y = np.cos(latitude_rad) * np.sin(longitude_rad)
    z = np.sin(latitude_rad)
    v = np.zeros((degree + 1, degree + 1))
    w = np.zeros((degree + 1, degree + 1))
    v[0, 0] = 1.0
    v[1, 0] = z
    for n in range(2, degree + 1):
        v[n, 0] = ((2 * n - 1) * z * v[n - 1, 0] - (n - 1) * v[n - 2, 0]) / n
    for m in range(1, degree + 1):
        v[m, m] = (2 * m - 1) * (x * v[m - 1, m - 1] - y * w[m - 1, m - 1])
        w[m, m] = (2 * m - 1) * (x * w[m - 1, m - 1] + y * v[m - 1, m - 1])
        if m < degree:
            v[m + 1, m] = (2 * m + 1) * z * v[m, m]
            w[m + 1, m] = (2 * m + 1) * z * w[m, m]
        for n in range(m + 2, degree + 1):
            v[n, m] = ((2 * n - 1) * z * v[n - 1, m] - (n + m - 1) * v[n - 2, m]) / (n - m)
            w[n, m] = ((2 * n - 1) * z * w[n - 1, m] - (n + m - 1) * w[n - 2, m]) / (n - m)
    lower = np.tril_indices(degree + 1)
    return v[lower], w[lower]


def continued_fraction(sine: FloatArray, a: ArrayLike, b: ArrayLike, c: ArrayLike) -> FloatArray:
    """Marini's continued fraction, one at the zenith (IERS Conventions 2010, eq. 9.9)."""
    top = 1.0 + np.asarray(a) / (1.0 + np.asarray(b) / (1.0 + np.asarray(c)))
    return np.asarray(top / (sine + np.asarray(a) / (sine + np.asarray(b) / (sine + np.asarray(c)))))


def hydrostatic_height_correction(sine: FloatArray, height_m: float) -> FloatArray:
    """What a height above the ellipsoid adds to a hydrostatic function of zero height (Niell 1996)."""
    by_height = 1.0 / sine - continued_fraction(sine, _HEIGHT_A, _HEIGHT_B, _HEIGHT_C)
    return np.asarray(by_height * height_m / 1000.0)


def hydrostatic_c(modified_julian_date: ArrayLike, latitude_rad: float) -> FloatArray:
    """Coefficient c of the hydrostatic part, of latitude and season (Boehm et al. 2006)."""
    southern = latitude_rad < 0.0
    phase = np.pi if southern else 0.0
    c11, c10 = (0.007, 0.002) if southern else (0.005, 0.001)
    angle = (np.asarray(modified_julian_date, np.float64) - _REFERENCE_MJD) / 365.25 * 2.0 * np.pi + phase
    return np.asarray(
        _HYDROSTATIC_C0 + ((np.cos(angle) + 1.0) * c11 / 2.0 + c10) * (1.0 - np.cos(latitude_rad))
    )


def global_mapping_function(
    modified_julian_date: ArrayLike,
    latitude_rad: float,
    longitude_rad: float,
    height_m: float,
    elevation_rad: ArrayLike,
) -> tuple[FloatArray, FloatArray]:
    """Hydrostatic and wet mapping functions of one station.

    Parameters
    ----------
    modified_julian_date : days, any shape that broadcasts with `elevation_rad`
    latitude_rad, longitude_rad : geodetic, of the station
    height_m : above the ellipsoid (the model's height correction is insensitive to the geoid)
    elevation_rad : above the horizon, > 0

    Returns
    -------
    hydrostatic, wet : dimensionless, shape of the inputs broadcast
    """
    v, w = solid_harmonics(latitude_rad, longitude_rad)
    season = np.cos((np.asarray(modified_julian_date, np.float64) - _REFERENCE_MJD) / 365.25 * 2.0 * np.pi)
    hydrostatic_mean = float(v @ np.array(_HYDROSTATIC_MEAN_A) + w @ np.array(_HYDROSTATIC_MEAN_B)) * 1e-5
    hydrostatic_amplitude = (
        float(v @ np.array(_HYDROSTATIC_AMPLITUDE_A) + w @ np.array(_HYDROSTATIC_AMPLITUDE_B)) * 1e-5
    )
    wet_mean = float(v @ np.array(_WET_MEAN_A) + w @ np.array(_WET_MEAN_B)) * 1e-5
    wet_amplitude = float(v @ np.array(_WET_AMPLITUDE_A) + w @ np.array(_WET_AMPLITUDE_B)) * 1e-5

    c_hydrostatic = hydrostatic_c(modified_julian_date, latitude_rad)
    sine = np.sin(np.asarray(elevation_rad, np.float64))
    hydrostatic = continued_fraction(
        sine, hydrostatic_mean + hydrostatic_amplitude * season, _HYDROSTATIC_B, c_hydrostatic
    )
    wet = continued_fraction(sine, wet_mean + wet_amplitude * season, _WET_B, _WET_C)
    return hydrostatic + hydrostatic_height_correction(sine, height_m), wet
