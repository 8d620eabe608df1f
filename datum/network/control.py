"""Control stations: brought to the network's frame and epoch, tested against it, and chosen for the datum."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.network.constraints import DatumParameter, datum_derivatives
from datum.network.daily_positions import DailyNetwork, position_keys
from datum.network.normal_equations import AdjustedParameters
from datum.network.testing import LinearModel, chi_square_limit, hypothesis
from datum.records import ControlStation, Rejection
from transforms.covariance import propagate_covariance
from transforms.errors import AdjustmentError
from transforms.frame_links import transform_coordinates
from transforms.geodetic import enu_matrix_at

FloatArray = NDArray[np.float64]

_DIMENSION: Final = 3
_FEWEST_STATIONS: Final = {
    DatumParameter.TRANSLATION: 2,  # one could not be tested against anything
    DatumParameter.ROTATION: 3,
    DatumParameter.SCALE: 2,
}
_MOST_CHOICES: Final = 64  # of solution numbers of control stations that moved
_SAME_STATISTIC: Final = 1e-6
_MILLIMETRES: Final = 1e3
_CODE_LENGTH: Final = 4


@dataclass(frozen=True, eq=False)
class ControlPosition:
    """A control station in the network's frame at its epoch: position (3,), covariance (3, 3)."""

    station: str
    position_ecef_m: FloatArray
    covariance_m2: FloatArray


@dataclass(frozen=True, eq=False)
class ChosenControl:
    """Control stations that hold the datum, with the number (from 0) of the station's position that does."""

    positions: tuple[ControlPosition, ...]
    groups: Mapping[str, int]
    rejections: tuple[Rejection, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _ControlFit:
    """Datum parameters fitted to control stations; three columns of the whitening are one station's."""

    model: LinearModel
    whitening: FloatArray


def control_at_epoch(
    control: Sequence[ControlStation], network: DailyNetwork, noise_enu_m: tuple[float, float, float]
) -> tuple[tuple[ControlPosition, ...], tuple[str, ...]]:
    """Control stations that the network has, in its frame at its epoch, and remarks on the others.

    A name of four characters stands for the one station of the network that begins with it. The noise (what a
    linear velocity leaves out, above all seasonal motion) is added to the sigma that is given. FrameError
    names a station without the velocity that is needed.
    """
    stations = sorted({p.station for p in network.positions})
    found: dict[str, ControlPosition] = {}
    absent: list[str] = []
    for item in sorted(control, key=lambda c: c.station):
        name = _matching(item.station, stations)
        if name is None:
            absent.append(item.station)
            continue
        if name in found:
            raise AdjustmentError(f"control station {name} is given twice")
        rotation = enu_matrix_at(item.position_ecef_m)
        local = np.diag(np.square(item.sigma_enu_m) + np.square(noise_enu_m))
        at = transform_coordinates(
            item.position_ecef_m,
            propagate_covariance(rotation.T, local),
            item.velocity_m_per_yr,
            item.frame,
            item.epoch,
            network.frame,
            network.epoch,
            stations=[item.station],
            # Common to all control stations: it belongs to the frame, not to differences between stations.
            with_parameter_uncertainty=False,
        )
        found[name] = ControlPosition(name, at.position_ecef_m, at.covariance_m2)
    remarks = (f"control stations without a daily solution: {', '.join(absent)}",) if absent else ()
    return tuple(found[name] for name in sorted(found)), remarks


def _matching(name: str, stations: Sequence[str]) -> str | None:
    if name in stations:
        return name
    alike = [s for s in stations if s.upper()[:_CODE_LENGTH] == name.upper()[:_CODE_LENGTH]]
    short = len(name) == _CODE_LENGTH or all(len(s) == _CODE_LENGTH for s in alike)
    return alike[0] if len(alike) == 1 and short else None


def choose_control(
    network: DailyNetwork,
    adjusted: AdjustedParameters,
    variance_factor: float,
    groups_of: Mapping[str, int],
    control: Sequence[ControlPosition],
    significance: float,
) -> ChosenControl:
    """Test the control stations against the network's own shape, and drop those that disagree.

    adjusted : the network on a provisional datum; groups_of : station -> how many positions it has
    significance : probability that a search over good control stations drops any

    Where a control station moved, the solution number that agrees best with the published coordinates is
    taken. Raises AdjustmentError for too few stations, or where it cannot be told which one is wrong.
    """
    fewest = max(_FEWEST_STATIONS[parameter] for parameter in network.alignment)
    if len(control) < fewest:
        raise AdjustmentError(
            f"a datum by {' and '.join(p.value for p in network.alignment)} needs at least {fewest} control "
            f"stations with daily solutions, and there are {len(control)}"
        )
    remaining = list(control)
    rejections: list[Rejection] = []
    while True:
        groups, fit = _best_choice(network, adjusted, variance_factor, groups_of, remaining)
        tested = _test(fit, len(remaining))
        limit = chi_square_limit(_DIMENSION, significance / len(remaining))
        worst = max(range(len(remaining)), key=lambda i: (tested[i][0], remaining[i].station))
        statistic = tested[worst][0]
        if statistic <= limit:
            break
        rivals = [
            c for c, t in zip(remaining, tested, strict=True) if t[0] > statistic * (1 - _SAME_STATISTIC)
        ]
        enu = enu_matrix_at(remaining[worst].position_ecef_m) @ tested[worst][1] * _MILLIMETRES
        text = f"E {enu[0]:+.1f}, N {enu[1]:+.1f}, U {enu[2]:+.1f} mm"
        if len(remaining) <= fewest or len(rivals) > 1:
            names = ", ".join(c.station for c in remaining)
            raise AdjustmentError(
                f"the control stations {names} do not fit each other ({remaining[worst].station} is off by "
                f"{text}; statistic {statistic:.1f}, limit {limit:.1f}), and too few are left to tell "
                "which is wrong"
            )
        rejections.append(
            Rejection(
                f"control station {remaining[worst].station}",
                f"its daily solutions differ from its published coordinates by {text}: "
                "it does not hold the datum",
                statistic,
                limit,
            )
        )
        del remaining[worst]
    remarks = tuple(
        f"of control station {c.station}, which moved, solution {groups[c.station] + 1} agrees with the "
        "published coordinates and holds the datum"
        for c in remaining
        if groups_of[c.station] > 1
    )
    return ChosenControl(tuple(remaining), groups, tuple(rejections), remarks)


def _best_choice(
    network: DailyNetwork,
    adjusted: AdjustedParameters,
    variance_factor: float,
    groups_of: Mapping[str, int],
    control: Sequence[ControlPosition],
) -> tuple[dict[str, int], _ControlFit]:
    """The solution numbers with which the control stations fit best, and that fit."""
    options = [range(groups_of[c.station]) for c in control]
    best: tuple[float, dict[str, int], _ControlFit] | None = None
    for number, choice in enumerate(product(*options)):
        if number >= _MOST_CHOICES:
            break
        groups = {c.station: group for c, group in zip(control, choice, strict=True)}
        fit = _fit(network, adjusted, variance_factor, groups, control)
        square_sum = float(fit.model.residual @ fit.model.residual)
        if best is None or square_sum < best[0]:
            best = (square_sum, groups, fit)
    if best is None:
        raise AdjustmentError("there is no control station")
    return best[1], best[2]


def _fit(
    network: DailyNetwork,
    adjusted: AdjustedParameters,
    variance_factor: float,
    groups: Mapping[str, int],
    control: Sequence[ControlPosition],
) -> _ControlFit:
    """Datum parameters fitted to network minus control, whitened by the covariance of both."""
    place = {key: i for i, key in enumerate(adjusted.keys)}
    columns = np.array(
        [place[key] for c in control for key in position_keys(c.station, groups[c.station])], dtype=np.intp
    )
    covariance = variance_factor * adjusted.cofactor[np.ix_(columns, columns)]
    for i, c in enumerate(control):
        covariance[3 * i : 3 * i + 3, 3 * i : 3 * i + 3] += c.covariance_m2
    try:
        whitening = np.asarray(np.linalg.inv(np.linalg.cholesky(covariance)), dtype=np.float64)
    except np.linalg.LinAlgError as error:
        raise AdjustmentError("the control stations need a sigma above zero") from error
    derivatives = datum_derivatives(
        np.array([c.position_ecef_m for c in control]),
        network.centre_ecef_m,
        network.radius_m,
        network.alignment,
    )
    design = whitening @ derivatives.reshape(3 * len(control), -1)
    difference = adjusted.values[columns] - np.concatenate([c.position_ecef_m for c in control])
    misclosure = whitening @ difference
    normal = design.T @ design
    if np.linalg.matrix_rank(normal) < normal.shape[0]:
        raise AdjustmentError("the control stations do not determine the datum: they lie on one line")
    cofactor = np.asarray(np.linalg.inv(normal), dtype=np.float64)
    residual = misclosure - design @ (cofactor @ (design.T @ misclosure))
    return _ControlFit(LinearModel(design, misclosure, cofactor, residual), whitening)


def _test(fit: _ControlFit, n_control: int) -> list[tuple[float, FloatArray]]:
    """Of each control station: the statistic of an error of its own, and that error (network - control)."""
    rows = np.arange(3 * n_control)
    results: list[tuple[float, FloatArray]] = []
    for i in range(n_control):
        tested = hypothesis(fit.model, rows, fit.whitening[:, 3 * i : 3 * i + 3])
        results.append((0.0, np.zeros(3)) if tested is None else tested)
    return results
