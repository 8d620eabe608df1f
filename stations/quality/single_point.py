"""A position at each epoch from the ionosphere-free code: the user's view of a session, with and without BDS.

Weights go with the sine squared of the elevation. GLONASS is left out where another system is there: its
receivers' code biases differ from channel to channel by metres. BeiDou's geostationary satellites are left
out: their orbits and multipath are worse by far.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.models.relativity import periodic_clock_correction_s
from stations.navigation_records import NavigationMessages
from stations.ppp.first_position import plausible_position, slant_hydrostatic_delay_m
from stations.ppp.options import BEIDOU_GEOSTATIONARY
from stations.ppp.orbits import ClockTable, OrbitTable
from stations.quality.signal_pairs import SignalPair, frequency_by_satellite_hz
from stations.quality.sliding_windows import SCATTER_FROM_MAD
from stations.quality_records import SinglePointQuality
from stations.records import Observations, SatelliteOrbits, StationHeader
from transforms.constants import EARTH_ROTATION_RATE_RAD_PER_S, SPEED_OF_LIGHT_M_PER_S
from transforms.geodetic import enu_matrix_at

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

CUTOFF_DEG: Final = 10.0
FEWEST_FOR_SCATTER: Final = 10  # epochs; a scatter of fewer is itself uncertain by a third and more
_START_ECEF_M: Final = np.array([1.0e5, 0.0, 0.0])  # with nothing known: near the earth's centre
_MAXIMUM_ITERATIONS: Final = 15
_SETTLED_M: Final = 1e4  # a thousandth of a radian of elevation
_CONVERGED_M: Final = 1e-2
_OUTLIER_SIGMAS: Final = 6.0
_OUTLIER_FLOOR_M: Final = 10.0  # ionosphere-free codes at 10 degrees of elevation scatter by metres
_WORST_PDOP: Final = 30.0  # a geometry so weak gives no position worth a scatter
_PSEUDORANGE_LIMITS_M: Final = (1.5e7, 5.0e7)  # as in stations.ppp.signal_selection
WORST_SHARE: Final = 95.0  # percentile of the PDOP


@dataclass(frozen=True, eq=False)
class CodeRows:
    """Ionosphere-free codes with their satellites' places, (n_epoch, n_satellite) or (.., 3); NaN if absent.

    group : (n_satellite,) index of the receiver clock (one for each system)
    """

    satellites: tuple[str, ...]
    group: NDArray[np.int64]
    signals: tuple[str, ...]
    code_m: FloatArray
    position_ecef_m: FloatArray
    clock_m: FloatArray


def code_rows(
    observations: Observations,
    pairs: Sequence[SignalPair],
    orbits: SatelliteOrbits,
    navigation: NavigationMessages | None,
) -> CodeRows | None:
    """Ionosphere-free codes of the first pair of each system, with orbits and clocks; None without any.

    navigation : the messages behind broadcast orbits, for the group delays; None for precise ones
    """
    first: dict[str, SignalPair] = {}
    for pair in pairs:
        first.setdefault(pair.system, pair)
    taken = [s for s in "GECJ" if s in first] or [s for s in "R" if s in first]
    known = set(orbits.satellites)
    columns = [
        k
        for k, name in enumerate(observations.satellites)
        if name[0] in taken
        and name in known
        and not (name[0] == "C" and int(name[1:]) in BEIDOU_GEOSTATIONARY)
    ]
    if not columns:
        return None
    names = tuple(observations.satellites[k] for k in columns)
    signals = [str(s) for s in observations.data["signal"].values]
    pseudorange = observations.data["pseudorange_m"].values
    n_epoch = len(observations.epochs)
    code, delay_m = np.full((n_epoch, len(columns)), np.nan), np.zeros(len(columns))
    raw = np.full((n_epoch, len(columns)), np.nan)
    for system in taken:
        pair = first[system]
        own = [k for k, name in enumerate(names) if name[0] == system]
        wanted = tuple(names[k] for k in own)
        channels = observations.header.glonass_channels
        one_hz = frequency_by_satellite_hz(wanted, pair.first, channels)
        two_hz = frequency_by_satellite_hz(wanted, pair.second, channels)
        factor = one_hz**2 / (one_hz**2 - two_hz**2)
        at = [columns[k] for k in own]
        code_1 = pseudorange[:, at, signals.index(pair.first)]
        code_2 = pseudorange[:, at, signals.index(pair.second)]
        raw[:, own] = code_1
        code[:, own] = factor * code_1 - (factor - 1.0) * code_2
        if navigation is not None:
            delay_m[own] = _group_delay_m(navigation, wanted, pair, factor)
    with np.errstate(invalid="ignore"):
        good = np.isfinite(code) & (raw > _PSEUDORANGE_LIMITS_M[0]) & (raw < _PSEUDORANGE_LIMITS_M[1])
    if not good.any():
        return None
    epoch, column = np.nonzero(good)
    place = np.array([orbits.satellites.index(name) for name in names], dtype=np.int64)[column]
    epoch_ns = observations.epochs.tai_ns[epoch]
    # The code tells the time of transmission by the satellite's own clock, whatever the receiver's says.
    offset_s = -raw[good] / SPEED_OF_LIGHT_M_PER_S
    clocks = ClockTable(orbits)
    clock_s = clocks.at(epoch_ns, offset_s, place)
    offset_s = offset_s - np.nan_to_num(clock_s)
    position, velocity = OrbitTable(orbits).positions_and_velocities(epoch_ns, offset_s, place)
    clock_s = clock_s + periodic_clock_correction_s(position, velocity)
    where = np.full((n_epoch, len(columns), 3), np.nan)
    where[good] = position
    clock_m = np.full((n_epoch, len(columns)), np.nan)
    clock_m[good] = SPEED_OF_LIGHT_M_PER_S * clock_s
    group = np.array([taken.index(name[0]) for name in names], dtype=np.int64)
    code = np.where(good, code, np.nan) + delay_m
    return CodeRows(names, group, tuple(str(first[s]) for s in taken), code, where, clock_m)


def _group_delay_m(
    navigation: NavigationMessages, satellites: Sequence[str], pair: SignalPair, factor: FloatArray
) -> FloatArray:
    """What is to be added to the ionosphere-free code so that it belongs to the broadcast clock, (n,).

    BeiDou's clock belongs to B3I (ICD B1I 3.0, 5.2.4.10: TGD1 of B1I, TGD2 of B2I); Galileo's I/NAV clock to
    E1 and E5b (OS SIS ICD 2.1, 5.1.5); GPS's to L1 and L2.
    """
    table = navigation.kepler

    def median_s(satellite: str, name: str) -> float:
        values = table.group_delay_s.get(name)
        if values is None:
            return 0.0
        own = values[(table.satellite == satellite) & np.isfinite(values)]
        return float(np.median(own)) if own.size else 0.0

    found = np.zeros(len(satellites))
    bands = (pair.first[0], pair.second[0])
    for k, name in enumerate(satellites):
        if pair.system == "C":
            delays: Mapping[str, float] = {"2": median_s(name, "TGD1"), "7": median_s(name, "TGD2")}
            one, two = (delays.get(band, 0.0) for band in bands)
            # Codes are late by their delay: the clock sent says nothing of it.
            found[k] = -(factor[k] * one - (factor[k] - 1.0) * two)
        elif pair.system == "E" and bands == ("1", "5"):
            found[k] = -(median_s(name, "BGD_E5B_E1") - median_s(name, "BGD_E5A_E1"))
    return found * SPEED_OF_LIGHT_M_PER_S


@dataclass(frozen=True, eq=False)
class EpochPositions:
    """Positions (n_epoch, 3), PDOP (n_epoch,) and satellites used (n_epoch,); NaN where there is none."""

    position_ecef_m: FloatArray
    pdop: FloatArray
    n_satellites: NDArray[np.int64]
    n_rejected: int

    @property
    def median_ecef_m(self) -> FloatArray | None:
        """Median position, (3,), or None without a single one."""
        good = np.isfinite(self.position_ecef_m[:, 0])
        return np.median(self.position_ecef_m[good], axis=0) if good.any() else None


def epoch_positions(
    rows: CodeRows, start_ecef_m: FloatArray | None, systems: str | None = None
) -> EpochPositions:
    """Least-squares position at every epoch at once.

    start_ecef_m : a first guess, or None; systems : letters to use, None takes all
    """
    use = np.array([systems is None or name[0] in systems for name in rows.satellites], dtype=np.bool_)
    code, clock, place = rows.code_m[:, use], rows.clock_m[:, use], rows.position_ecef_m[:, use]
    _, group = np.unique(rows.group[use], return_inverse=True)
    n_epoch, n_satellite = code.shape
    n_group = int(group.max(initial=-1)) + 1
    usable = np.isfinite(code + clock + place[..., 0])
    start = start_ecef_m if start_ecef_m is not None and plausible_position(start_ecef_m) else None
    position = np.tile(_START_ECEF_M if start is None else start, (n_epoch, 1))
    if n_satellite == 0 or not usable.any():
        nowhere = np.full((n_epoch, 3), np.nan)
        return EpochPositions(nowhere, nowhere[:, 0], np.zeros(n_epoch, dtype=np.int64), 0)
    code, clock = np.where(usable, code, 0.0), np.where(usable, clock, 0.0)
    place = np.where(usable[..., np.newaxis], place, [1.0e7, 1.0e7, 2.0e7])
    one_hot = np.eye(n_group)[group]
    receiver_clock = np.zeros((n_epoch, n_group))
    rejected = np.zeros(usable.shape, dtype=np.bool_)
    weight = usable.astype(np.float64)
    inverse = np.full((n_epoch, 3 + n_group, 3 + n_group), np.nan)
    solved = np.zeros(n_epoch, dtype=np.bool_)
    size = np.inf
    for iteration in range(_MAXIMUM_ITERATIONS):
        median = np.median(position[np.isfinite(position[:, 0])], axis=0)
        # Elevations are believed once the positions settle: the header may name the other side of the earth.
        near = plausible_position(median) and size < _SETTLED_M
        line, distance = _lines(place, position)
        elevation = np.zeros(usable.shape)
        delay = np.zeros(usable.shape)
        if near:
            up = enu_matrix_at(median)[2]
            elevation = np.arcsin(np.clip(line @ up, -1.0, 1.0))
            delay = slant_hydrostatic_delay_m(median, elevation)
            weight = np.where(
                usable & ~rejected & (elevation >= np.radians(CUTOFF_DEG)), np.sin(elevation) ** 2, 0.0
            )
        misclosure = code - distance - delay + clock - receiver_clock[:, group]
        design = np.concatenate([-line, np.broadcast_to(one_hot, (*usable.shape, n_group))], axis=-1)
        normal = np.einsum("esi,es,esj->eij", design, weight, design, optimize=True)
        right = np.einsum("esi,es->ei", design, weight * misclosure, optimize=True)
        # A system without a satellite at an epoch has no clock there: its own unknown is held.
        empty = np.einsum("eii->ei", normal) == 0.0
        normal = normal + np.einsum("ei,ij->eij", empty.astype(np.float64), np.eye(3 + n_group))
        n_used = (weight > 0.0).sum(axis=1)
        # One satellite more than unknowns: a position that nothing checks is none.
        solved = n_used > 3 + (~empty[:, 3:]).sum(axis=1)
        normal[~solved] = np.eye(3 + n_group)
        # Where the rank is short in spite of the count the smallest ridge keeps the inverse finite; its PDOP
        # is then absurd and the epoch is dropped below.
        inverse = np.linalg.inv(normal + 1e-12 * np.eye(3 + n_group))
        step = np.where(solved[:, np.newaxis], np.einsum("eij,ej->ei", inverse, right), 0.0)
        position = position + step[:, :3]
        receiver_clock = receiver_clock + step[:, 3:]
        size = float(np.median(np.linalg.norm(step[:, :3], axis=1)[solved])) if solved.any() else np.inf
        if near and size < 1.0 and iteration > 1:
            residual = misclosure - np.einsum("esi,ei->es", design, step)
            scaled = np.abs(residual) * np.sqrt(weight)
            spread = (
                SCATTER_FROM_MAD * float(np.median(scaled[weight > 0.0])) if (weight > 0.0).any() else 0.0
            )
            fresh = (weight > 0.0) & (scaled > max(_OUTLIER_SIGMAS * spread, _OUTLIER_FLOOR_M))
            if size < _CONVERGED_M and not fresh.any():
                break
            # Only the worst of an epoch goes at a time: one bad code pulls its neighbours' residuals up.
            worst = scaled >= scaled.max(axis=1, keepdims=True)
            rejected |= fresh & worst
    used = weight > 0.0
    geometry = np.einsum("esi,es,esj->eij", design, used.astype(np.float64), design, optimize=True)
    geometry = geometry + np.einsum("ei,ij->eij", empty.astype(np.float64), np.eye(3 + n_group))
    geometry[~solved] = np.eye(3 + n_group)
    cofactor = np.linalg.inv(geometry + 1e-12 * np.eye(3 + n_group))
    pdop = np.sqrt(np.abs(np.einsum("eii->e", cofactor[:, :3, :3])))
    good = solved & (pdop < _WORST_PDOP)
    return EpochPositions(
        np.where(good[:, np.newaxis], position, np.nan),
        np.where(good, pdop, np.nan),
        np.where(good, used.sum(axis=1), 0),
        int(rejected.sum()),
    )


def _lines(place: FloatArray, position: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Unit vectors and distances to satellites, the earth's turn during the flight included (Sagnac)."""
    flight_s = np.linalg.norm(place - position[:, np.newaxis], axis=-1) / SPEED_OF_LIGHT_M_PER_S
    angle = EARTH_ROTATION_RATE_RAD_PER_S * flight_s
    cosine, sine = np.cos(angle), np.sin(angle)
    turned = np.stack(
        [
            cosine * place[..., 0] + sine * place[..., 1],
            -sine * place[..., 0] + cosine * place[..., 1],
            place[..., 2],
        ],
        axis=-1,
    )
    line = turned - position[:, np.newaxis]
    distance = np.linalg.norm(line, axis=-1)
    return line / distance[..., np.newaxis], distance


def single_point_quality(
    rows: CodeRows,
    positions: EpochPositions,
    systems: str,
    source: str,
    header: StationHeader,
) -> SinglePointQuality | None:
    """Scatter, offset and PDOP of a session's epochs; None where no epoch has a position.

    The positions are of the antenna; the header's is of the marker, its eccentricity below.
    """
    median = positions.median_ecef_m
    if median is None:
        return None
    good = np.isfinite(positions.position_ecef_m[:, 0])
    rotation = enu_matrix_at(median)
    enu = (positions.position_ecef_m[good] - median) @ rotation.T
    scatter = None
    if len(enu) >= FEWEST_FOR_SCATTER:
        east, north, up = SCATTER_FROM_MAD * np.median(np.abs(enu), axis=0)
        scatter = (float(east), float(north), float(up))
    marker = header.approximate_position_ecef_m
    offset = None
    if marker is not None:
        offset = rotation @ (median - marker) - np.array(header.setup.eccentricity_enu_m)
    used = sorted({name[0] for name in rows.satellites} & set(systems))
    return SinglePointQuality(
        systems="".join(s for s in "GECJR" if s in used),
        signals=tuple(s for s in rows.signals if s[0] in used),
        source=source,
        n_epochs=int(good.sum()),
        n_epochs_without=int((~good).sum()),
        position_ecef_m=(float(median[0]), float(median[1]), float(median[2])),
        scatter_enu_m=scatter,
        offset_enu_m=None if offset is None else (float(offset[0]), float(offset[1]), float(offset[2])),
        mean_satellites=float(positions.n_satellites[good].mean()),
        mean_pdop=float(positions.pdop[good].mean()),
        worst_pdop=float(np.percentile(positions.pdop[good], WORST_SHARE)),
        n_rejected=positions.n_rejected,
    )
