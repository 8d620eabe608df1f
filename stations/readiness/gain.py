"""What BeiDou-3 brings a station, from the geometry of the satellites: PDOP, formal sigma, convergence.

The formal sigma is that of a static precise point positioning with ambiguities left real: a Kalman filter
whose states are the position, the zenith wet delay and an ambiguity for each arc, with a receiver clock for
each system and epoch eliminated. Noise and random walk are those of the station solution (`PppOptions`), so
that the figures are those of this house's own solution before it has seen a day; gradients are left out. No
observation enters, only which satellites are observed where and when.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.ppp.options import (
    BEIDOU_GEOSTATIONARY,
    PppOptions,
    code_noise_factor,
    observation_sigma_factor,
)
from stations.readiness.records import GeometryFigures
from stations.readiness.sky import GriddedSky

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

SYSTEMS: Final = "GRECJ"
CONVERGED_3D_M: Final = 0.10  # the limit by which precise point positioning's convergence is usually told
LONGEST_CONVERGENCE_S: Final = 6 * 3600.0
START_STEP_S: Final = 3600.0
ONE_HOUR_S: Final = 3600.0
_WORST_PDOP: Final = 30.0  # as single_point: a geometry so weak gives no position
_WORST_SHARE: Final = 95.0
_POSITION_SIGMA_M: Final = 100.0
_AMBIGUITY_SIGMA_M: Final = 1000.0
_FIXED_STATES: Final = 4  # east, north, up, zenith wet delay


def usable_satellites(satellites: Sequence[str]) -> BoolArray:
    """Satellites that a station solution takes: its systems, without BeiDou's geostationary ones."""
    return np.array(
        [s[0] in SYSTEMS and not (s[0] == "C" and int(s[1:]) in BEIDOU_GEOSTATIONARY) for s in satellites],
        dtype=np.bool_,
    )


def geometry_figures(sky: GriddedSky, chosen: BoolArray, step_s: float) -> GeometryFigures:
    """Figures of one choice of satellites.

    chosen : (n, n_satellite) satellites observed at each epoch; those without a direction are left out
    """
    used = chosen & np.isfinite(sky.direction_enu[..., 0]) & usable_satellites(sky.satellites)
    pdop = _pdop(sky, used)
    good = pdop[np.isfinite(pdop)]
    n_start = max(1, round((sky.tai_ns.size * step_s) / START_STEP_S))
    starts = [round(k * START_STEP_S / step_s) for k in range(n_start)]
    one_hour = round(ONE_HOUR_S / step_s)
    longest = round(LONGEST_CONVERGENCE_S / step_s)
    after_1h, convergence = [], []
    filtered = _Filter(sky, used, step_s)
    for start in starts:
        sigma = filtered.sigma_enu_m(start, longest)
        if sigma.shape[0] <= one_hour:
            continue
        after_1h.append(sigma[one_hour])
        if sigma.shape[0] == longest + 1:
            convergence.append(_converged_s(np.linalg.norm(sigma, axis=1), step_s))
    whole = filtered.sigma_enu_m(0, sky.tai_ns.size)
    hour = np.array(after_1h)
    return GeometryFigures(
        satellites=float(used.sum(axis=1).mean()),
        mean_pdop=float(good.mean()) if good.size else None,
        worst_pdop=float(np.percentile(good, _WORST_SHARE)) if good.size else None,
        sigma_up_1h_m=float(np.median(hour[:, 2])) if after_1h else None,
        sigma_3d_1h_m=float(np.median(np.linalg.norm(hour, axis=1))) if after_1h else None,
        sigma_3d_session_m=float(np.linalg.norm(whole[-1])) if whole.size else None,
        convergence_min=_median_min(convergence),
    )


def _converged_s(sigma_3d_m: FloatArray, step_s: float) -> float:
    """Time after the start from which sigma stays below the limit; infinite where it never does.

    Between two epochs it falls as a power of time, hence the logarithm.
    """
    above = np.flatnonzero(sigma_3d_m > CONVERGED_3D_M)
    if not above.size:
        return 0.0
    last = int(above[-1])
    if last + 1 == sigma_3d_m.size:
        return float("inf")
    one, two = np.log(sigma_3d_m[last : last + 2] / CONVERGED_3D_M)
    return (last + float(one / (one - two))) * step_s


def _median_min(convergence_s: Sequence[float]) -> float | None:
    if not convergence_s:
        return None
    median = float(np.median(convergence_s))
    return median / 60.0 if np.isfinite(median) else None


def _pdop(sky: GriddedSky, used: BoolArray) -> FloatArray:
    """PDOP of every epoch, one clock for each system; NaN where there are too few satellites."""
    line = np.where(used[..., np.newaxis], np.nan_to_num(sky.direction_enu), 0.0)
    normal = np.einsum("esi,esj->eij", line, line)
    n_clock = np.zeros(used.shape[0], dtype=np.int64)
    for system in sorted({s[0] for s in sky.satellites}):
        own = [k for k, s in enumerate(sky.satellites) if s[0] == system]
        n = used[:, own].sum(axis=1)
        total = line[:, own].sum(axis=1)
        # The clock eliminated: the directions of a system count about their mean.
        normal -= np.einsum("ei,ej->eij", total, total) / np.maximum(n, 1)[:, None, None]
        n_clock += n > 0
    solved = used.sum(axis=1) >= 3 + n_clock
    pdop = np.full(used.shape[0], np.nan)
    rank = np.linalg.matrix_rank(normal, hermitian=True) == 3
    at = solved & rank
    pdop[at] = np.sqrt(np.trace(np.linalg.inv(normal[at]), axis1=1, axis2=2))
    return np.where(pdop < _WORST_PDOP, pdop, np.nan)


class _Filter:
    """The covariance filter of one choice of satellites over the grid."""

    def __init__(self, sky: GriddedSky, used: BoolArray, step_s: float) -> None:
        options = PppOptions()
        self._sky = sky
        self._used = used
        factor = np.array([observation_sigma_factor(s) for s in sky.satellites])
        noise = np.array([code_noise_factor(s) for s in sky.satellites])
        # Observations closer than the correlation time share their multipath (PppOptions).
        thinning = max(1.0, options.correlation_time_s / step_s)
        self._phase_sigma_m = options.phase_sigma_m * factor * np.sqrt(thinning)
        self._code_sigma_m = options.code_sigma_m * factor * noise * np.sqrt(thinning)
        self._wet_sigma_m = options.zenith_delay_sigma_m
        self._wet_step_m = options.zenith_delay_walk_m_per_sqrt_h * np.sqrt(step_s / 3600.0)
        self._system = np.array([s[0] for s in sky.satellites])

    def sigma_enu_m(self, start: int, n_step: int) -> FloatArray:
        """Formal sigmas (n, 3) at `start` and the `n_step` epochs after it, fewer at the grid's end."""
        active = np.zeros(0, dtype=np.int64)
        covariance = np.diag([_POSITION_SIGMA_M**2] * 3 + [self._wet_sigma_m**2])
        end = min(start + n_step + 1, self._sky.tai_ns.size)
        found = np.full((max(0, end - start), 3), np.nan)
        for row in range(start, end):
            now = np.flatnonzero(self._used[row])
            covariance = _with_arcs(covariance, active, now)
            active = now
            covariance[3, 3] += self._wet_step_m**2
            information = np.linalg.inv(covariance) + self._information(row, now)
            covariance = np.linalg.inv(information)
            covariance = 0.5 * (covariance + covariance.T)
            found[row - start] = np.sqrt(np.diag(covariance)[:3])
        return found

    def _information(self, row: int, now: NDArray[np.int64]) -> FloatArray:
        """What the observations of an epoch add, clocks eliminated; (4 + n, 4 + n)."""
        n = now.size
        line = self._sky.direction_enu[row, now]
        # Wet delays map with 1/sin(elevation) to a per cent above 10 degrees: enough for a sigma.
        sine = line[:, 2]
        design = np.zeros((2 * n, _FIXED_STATES + n))
        design[:n, :3] = design[n:, :3] = -line
        design[:n, 3] = design[n:, 3] = 1.0 / sine
        design[np.arange(n), _FIXED_STATES + np.arange(n)] = 1.0
        sigma = np.concatenate([self._phase_sigma_m[now], self._code_sigma_m[now]]) / np.tile(sine, 2)
        weight = 1.0 / sigma**2
        normal = design.T @ (weight[:, np.newaxis] * design)
        systems = np.tile(self._system[now], 2)
        for system in np.unique(systems):
            own = systems == system
            total = weight[own] @ design[own]
            normal -= np.outer(total, total) / weight[own].sum()
        return np.asarray(normal)


def _with_arcs(covariance: FloatArray, before: NDArray[np.int64], now: NDArray[np.int64]) -> FloatArray:
    """The covariance without the ambiguities of satellites that set, with new ones for those that rose."""
    place = {int(s): _FIXED_STATES + k for k, s in enumerate(before)}
    size = _FIXED_STATES + now.size
    kept = [(_FIXED_STATES + k, place[int(s)]) for k, s in enumerate(now) if int(s) in place]
    to = np.array([*range(_FIXED_STATES), *(t for t, _ in kept)])
    come = np.array([*range(_FIXED_STATES), *(c for _, c in kept)])
    result = np.eye(size) * _AMBIGUITY_SIGMA_M**2
    result[:_FIXED_STATES, :_FIXED_STATES] = 0.0
    result[np.ix_(to, to)] = covariance[np.ix_(come, come)]
    return result
