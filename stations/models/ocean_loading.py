"""Displacement of a station by ocean tide loading: from the eleven tides of a BLQ file to 342.

IERS Conventions (2010), section 7.1.2.2: within a species (long-period, diurnal, semidiurnal) the admittance,
which is the loading over the tidal potential, is smooth in frequency. It is known at the eleven tides, and a
cubic spline through them gives it at all lines of the potential. That is the method of D. Agnew's HARDISP,
whose printed cases are met to the last digit; the code is written anew, and not endorsed by the Center.
"""

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from stations.models.tidal_constituents import (
    doodson_arguments_rad,
    tidal_amplitudes_m,
    tidal_frequencies_cycles_per_day,
    tidal_multiples,
)
from stations.records import OceanLoading
from transforms.geodetic import enu_matrix_at
from transforms.time_scales import Epochs, TimeScale

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

# Multiples of (tau, s, h, p) and the phase in degrees that Schwiderski's convention adds, in the order of
# BLQ: M2 S2 N2 K2 K1 O1 P1 Q1 Mf Mm Ssa. Doodson (1921); Scherneck (1991); IERS Conventions (2010), 7.1.2.
_TIDES: Final = np.array(
    [
        (2, 0, 0, 0, 0.0),
        (2, 2, -2, 0, 0.0),
        (2, -1, 0, 1, 0.0),
        (2, 2, 0, 0, 0.0),
        (1, 1, 0, 0, 90.0),
        (1, -1, 0, 0, -90.0),
        (1, 1, -2, 0, -90.0),
        (1, -2, 0, 1, -90.0),
        (0, 2, 0, 0, 0.0),
        (0, 1, 0, -1, 0.0),
        (0, 0, 2, 0, 0.0),
    ]
)
# What a species' phase is ahead of its Doodson argument (Cartwright and Tayler 1971), radians.
_SPECIES_PHASE_RAD: Final = {0: np.pi, 1: np.pi / 2.0, 2: 0.0}
_SPLINE_TIDES: Final = 4  # fewer are joined by straight lines, as in HARDISP
# The sum over the lines is evaluated this often and interpolated: the spline's error, 5/384 (w h)^4 of the
# amplitude for the semidiurnal w = 1.45e-4 rad/s, is 1e-6 of it.
_NODE_STEP_S: Final = 600.0
_FEW_EPOCHS: Final = 200  # up to here every epoch is evaluated itself


def tidal_arguments_rad(epochs: Epochs) -> FloatArray:
    """Astronomical arguments of the eleven tides at Greenwich; shape (n, 11). Mean longitudes: Meeus."""
    tt1, tt2 = epochs.to(TimeScale.TT).julian_date_parts()
    t = ((tt1 - 2451545.0) + tt2) / 36525.0
    utc = epochs.to(TimeScale.UTC).modified_julian_date()
    s = 218.3164477 + 481267.88123421 * t
    h = 280.46646 + 36000.76983 * t
    p = 83.3532465 + 4069.0137287 * t
    tau = (utc - np.floor(utc)) * 360.0 + h - s
    return np.asarray(np.radians(np.stack([tau, s, h, p], -1) @ _TIDES[:, :4].T + _TIDES[:, 4]))


def _spline(frequency: FloatArray, admittance: FloatArray, at: FloatArray) -> FloatArray:
    """Columns (k, m) at frequencies (k,), sorted, carried to frequencies `at`; constant beyond the ends.

    The slope at each end is that of the parabola through the last three points (IERS HARDISP).
    """
    inside = np.clip(at, frequency[0], frequency[-1])
    if frequency.size < _SPLINE_TIDES:
        columns = [np.interp(inside, frequency, column) for column in admittance.T]
        return np.stack(columns, axis=-1)

    def slope(near: int, next_one: int, far: int) -> FloatArray:
        x1, x2 = frequency[next_one] - frequency[near], frequency[far] - frequency[near]
        u1, u2 = admittance[next_one] - admittance[near], admittance[far] - admittance[near]
        return np.asarray((u1 / x1**2 - u2 / x2**2) / (1.0 / x1 - 1.0 / x2))

    from scipy.interpolate import CubicSpline  # a third of a second, for stations with ocean loading alone

    first: tuple[Literal[1], FloatArray] = (1, slope(0, 1, 2))
    last: tuple[Literal[1], FloatArray] = (1, slope(-1, -2, -3))
    return np.asarray(CubicSpline(frequency, admittance, bc_type=(first, last))(inside))


def constituent_loading(loading: OceanLoading) -> ComplexArray:
    """Complex amplitudes a (342, 3) of radial, west, south, m: displacement = Re sum a exp(i argument)."""
    multiples, amplitude = tidal_multiples(), tidal_amplitudes_m()
    frequency = tidal_frequencies_cycles_per_day()
    places = {tuple(line): k for k, line in enumerate(multiples.tolist())}
    given = np.array([places[(*(int(m) for m in tide[:4]), 0, 0)] for tide in _TIDES])
    observed = (loading.amplitude_m * np.exp(-1j * loading.phase_rad)).T / np.abs(amplitude[given])[:, None]
    result = np.empty((amplitude.size, 3), dtype=np.complex128)
    for species, ahead_rad in _SPECIES_PHASE_RAD.items():
        known = np.flatnonzero(multiples[given, 0] == species)
        known = known[np.argsort(frequency[given[known]])]
        wanted = multiples[:, 0] == species
        parts = np.hstack([observed[known].real, observed[known].imag])
        parts = _spline(frequency[given[known]], parts, frequency[wanted])
        admittance = parts[:, :3] + 1j * parts[:, 3:]
        result[wanted] = amplitude[wanted, None] * np.exp(1j * ahead_rad) * admittance
    return result


def sum_of_constituents_m(arguments_rad: FloatArray, constituents: ComplexArray) -> FloatArray:
    """Radial, west, south (n, 3) of all lines at Doodson arguments (n, 6)."""
    phase = arguments_rad @ tidal_multiples().T
    return np.asarray(np.cos(phase) @ constituents.real - np.sin(phase) @ constituents.imag)


def ocean_loading_displacement(
    station_ecef_m: FloatArray, epochs: Epochs, loading: OceanLoading
) -> FloatArray:
    """Displacement by ocean tide loading; (n, 3) in ECEF, m, to be added to the loading-free position.

    All 342 lines of the tidal potential, side lines of the node included: within 0.1 % of the tide where
    the eleven tides alone lose a tenth of it (IERS Conventions 2010, section 7.1.2.2). The tide's motion of
    the centre of mass is in or out as the file was ordered; for orbits in the ITRF it must be out.

    Parameters
    ----------
    station_ecef_m : (3,); epochs : (n,); loading : amplitudes and Greenwich phase lags of the eleven tides
    """
    constituents = constituent_loading(loading)
    ns = epochs.tai_ns
    span_s = float(ns.max() - ns.min()) / 1e9 if ns.size else 0.0
    node_count = int(np.ceil(span_s / _NODE_STEP_S)) + 5  # two beyond either end
    if ns.size <= max(_FEW_EPOCHS, node_count):
        up_west_south = sum_of_constituents_m(doodson_arguments_rad(epochs), constituents)
    else:
        offset_s = (np.arange(node_count) - 2.0) * _NODE_STEP_S
        nodes = Epochs(ns.min() + np.rint(offset_s * 1e9).astype(np.int64))
        from scipy.interpolate import CubicSpline

        spline = CubicSpline(offset_s, sum_of_constituents_m(doodson_arguments_rad(nodes), constituents))
        up_west_south = spline((ns - ns.min()) / 1e9)
    enu = np.stack([-up_west_south[:, 1], -up_west_south[:, 2], up_west_south[:, 0]], axis=-1)
    return np.asarray(enu @ enu_matrix_at(station_ecef_m), dtype=np.float64)
