"""Observation equations of a baseline: differences between two stations, their clocks left to each epoch.

A difference between the stations frees an observation of the satellite's clock. The receivers' clocks stay
and are eliminated epoch by epoch, which equals double differences with their full correlation (Schaffrin and
Grafarend 1986, Manuscripta Geodaetica 11, 263-271) without the choice of a reference satellite.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from stations.baseline.options import BaselineOptions
from stations.baseline.station_side import StationSide
from stations.beidou_generation import day_of
from stations.ppp.observation_equations import ionosphere_free_factors
from stations.ppp.parameters import TimeNodes
from stations.ppp.rows import GPST_MINUS_TAI_NS

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_DAY_NS: Final = 86_400_000_000_000


@dataclass(frozen=True, eq=False)
class Differences:
    """Observations of the second station minus those of the first, n rows in time order.

    first_row, second_row : (n,) places in the two sides' rows
    epoch_index, satellite_index, group, arc : (n,); satellites, groups : names
    frequency_hz : (n_satellite, 2)
    phase_m, code_m : (n_combination, n) misclosures, m; phase_offset_m : what was taken off each arc's phases
    carriers : places (0 first, 1 second) of the carriers taken by themselves, one combination each; empty
        with the ionosphere-free combination of both
    """

    day: str
    satellites: tuple[str, ...]
    groups: tuple[str, ...]
    frequency_hz: FloatArray
    first_row: IntArray
    second_row: IntArray
    epoch_index: IntArray
    satellite_index: IntArray
    group: IntArray
    arc: IntArray
    phase_m: FloatArray
    code_m: FloatArray
    phase_offset_m: FloatArray
    carriers: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of rows."""
        return int(self.epoch_index.size)

    @property
    def n_combinations(self) -> int:
        """1 with the ionosphere-free combination, else the number of carriers."""
        return int(self.phase_m.shape[0])

    @property
    def ionosphere_free(self) -> bool:
        """Whether the one combination is the ionosphere-free one."""
        return not self.carriers

    @property
    def n_arcs(self) -> int:
        """Number of arcs."""
        return int(self.arc.max(initial=-1)) + 1

    def take(self, keep: NDArray[np.bool_]) -> "Differences":
        """The rows where `keep` is True, arcs numbered anew."""
        _, arc = np.unique(self.arc[keep], return_inverse=True)
        return replace(
            self,
            first_row=self.first_row[keep],
            second_row=self.second_row[keep],
            epoch_index=self.epoch_index[keep],
            satellite_index=self.satellite_index[keep],
            group=self.group[keep],
            arc=arc.astype(np.int64),
            phase_m=self.phase_m[:, keep],
            code_m=self.code_m[:, keep],
            phase_offset_m=self.phase_offset_m[:, keep],
        )


def combination_factors(frequency_hz: FloatArray, carriers: tuple[int, ...]) -> tuple[FloatArray, ...]:
    """Factors (n_satellite, 2) of the two carriers in each combination; no carriers: ionosphere-free."""
    if not carriers:
        return (ionosphere_free_factors(frequency_hz),)
    alone = np.zeros((len(carriers), *frequency_hz.shape))
    for factors, carrier in zip(alone, carriers, strict=True):
        factors[:, carrier] = 1.0
    return tuple(alone)


def form_differences(first: StationSide, second: StationSide, carriers: tuple[int, ...]) -> Differences:
    """Differences of all rows that both sides have; both sides share their epochs' numbering.

    carriers : those taken by themselves; empty for the ionosphere-free combination
    """
    sides = (first, second)
    satellites = tuple(sorted(set.intersection(*(set(side.session.selected.satellites) for side in sides))))
    place = {name: k for k, name in enumerate(satellites)}
    keys = []
    for side in sides:
        common = np.array([place.get(s, -1) for s in side.session.selected.satellites], dtype=np.int64)
        satellite = common[side.rows.satellite_index]
        keys.append(np.where(satellite < 0, -1, side.rows.epoch_index * len(satellites) + satellite))
    key, in_first, in_second = np.intersect1d(keys[0], keys[1], return_indices=True)
    known = key >= 0
    key, in_first, in_second = key[known], in_first[known], in_second[known]
    selected = second.session.selected
    own = np.array([selected.satellites.index(s) for s in satellites], dtype=np.int64)
    pair = np.stack([first.rows.arc[in_first], second.rows.arc[in_second]], axis=-1)
    _, arc = np.unique(pair, axis=0, return_inverse=True)
    frequency = selected.frequency_hz[own]
    phases, codes = [], []
    for combination in range(max(len(carriers), 1)):
        values = []
        for side, row in zip(sides, (in_first, in_second), strict=True):
            factors = combination_factors(side.session.selected.frequency_hz, carriers)[combination]
            values.append(side.misclosures(factors, row))
        phases.append(values[1][0] - values[0][0])
        codes.append(values[1][1] - values[0][1])
    phase, code = np.stack(phases), np.stack(codes)
    arc = arc.ravel().astype(np.int64)
    count = np.maximum(np.bincount(arc), 1)
    # Ambiguities of 1e8 m would cost digits: count them from each arc's mean of phase minus code.
    offset = np.stack([(np.bincount(arc, p - c) / count)[arc] for p, c in zip(phase, code, strict=True)])
    return Differences(
        day=day_of(sides[0].session.epochs[0]),
        satellites=satellites,
        groups=selected.groups,
        frequency_hz=frequency,
        first_row=in_first,
        second_row=in_second,
        epoch_index=key // len(satellites),
        satellite_index=key % len(satellites),
        group=selected.group[own][key % len(satellites)],
        arc=arc,
        phase_m=phase - offset,
        code_m=code,
        phase_offset_m=offset,
        carriers=carriers,
    )


def short_arcs(differences: Differences, second_s: FloatArray, options: BaselineOptions) -> NDArray[np.bool_]:
    """Rows (n,) of arcs with too few epochs or too short a time; second_s : (n,) since the first epoch."""
    n_arcs = differences.n_arcs
    begin, end = np.full(n_arcs, np.inf), np.full(n_arcs, -np.inf)
    np.minimum.at(begin, differences.arc, second_s)
    np.maximum.at(end, differences.arc, second_s)
    count = np.bincount(differences.arc, minlength=n_arcs)
    short = (count < options.minimum_arc_epochs) | (end - begin < options.minimum_arc_s)
    return np.asarray(short[differences.arc])


@dataclass(frozen=True, eq=False)
class BaselineLayout:
    """Places of the unknowns: position of the second station, troposphere, ambiguities.

    delays : stations (0 first, 1 second) whose zenith wet delay is estimated; gradients : those whose
        horizontal gradients are
    zenith, gradient : nodes in seconds since the session's first epoch
    """

    delays: tuple[int, ...]
    gradients: tuple[int, ...]
    zenith: TimeNodes
    gradient: TimeNodes
    n_combinations: int
    n_arcs: int

    @property
    def position(self) -> slice:
        """x, y, z of the second station."""
        return slice(0, 3)

    def delay(self, station: int) -> slice:
        """Zenith wet delay of a station at the nodes, m."""
        size = self.zenith.second_s.size
        start = 3 + self.delays.index(station) * size
        return slice(start, start + size)

    def gradient_of(self, station: int, direction: int) -> slice:
        """North (0) or east (1) gradient of a station at the nodes, m."""
        size = self.gradient.second_s.size
        start = 3 + len(self.delays) * self.zenith.second_s.size
        start += (2 * self.gradients.index(station) + direction) * size
        return slice(start, start + size)

    def ambiguity(self, combination: int) -> slice:
        """Ambiguities of a combination, one for each arc, m."""
        start = 3 + len(self.delays) * self.zenith.second_s.size
        start += 2 * len(self.gradients) * self.gradient.second_s.size
        return slice(start + combination * self.n_arcs, start + (combination + 1) * self.n_arcs)

    @property
    def size(self) -> int:
        """Number of unknowns."""
        size: int = self.ambiguity(self.n_combinations - 1).stop
        return size


@dataclass(frozen=True, eq=False)
class BaselineEquations:
    """Linear equations: phases of each combination, then codes of each, n rows each time.

    design : (2 n_combination n, n_unknown); local_design : receiver clocks, `local_size` in each epoch
    constraints : design, value, weight of the troposphere's pseudo-observations
    """

    layout: BaselineLayout
    design: sp.csr_array
    local_design: sp.csr_array
    local_size: int
    misclosure_m: FloatArray
    weight: FloatArray
    constraints: tuple[sp.csr_array, FloatArray, FloatArray]


def build_baseline_equations(
    differences: Differences,
    first: StationSide,
    second: StationSide,
    length_m: float,
    delays: Sequence[int],
    options: BaselineOptions,
) -> BaselineEquations:
    """Equations of differences about the sides' positions.

    length_m : distance of the stations, for what the ionosphere differs between them
    delays : stations (0, 1) whose troposphere is estimated
    """
    d, n, n_combinations = differences, differences.size, differences.n_combinations
    epoch_ns = first.rows.epoch_ns
    second_s = (epoch_ns - epoch_ns[0])[d.epoch_index] / 1e9
    midnight = -float((epoch_ns[0] + GPST_MINUS_TAI_NS) % _DAY_NS) / 1e9
    begin, end = float(second_s.min()), float(second_s.max())
    gradients = tuple(delays) if d.ionosphere_free else ()
    layout = BaselineLayout(
        delays=tuple(delays),
        gradients=gradients,
        zenith=TimeNodes.over(begin, end, options.zenith_delay_step_s, midnight),
        gradient=TimeNodes.over(begin, end, options.gradient_step_s, midnight),
        n_combinations=n_combinations,
        n_arcs=d.n_arcs,
    )
    rows = np.arange(n)
    line = second.paths.line_of_sight[d.second_row]
    entries = [(rows, np.full(n, axis), -line[:, axis]) for axis in range(3)]
    for station, side, row, sign in ((0, first, d.first_row, -1.0), (1, second, d.second_row, 1.0)):
        if station in layout.delays:
            before, share = layout.zenith.weights(second_s)
            column = layout.delay(station).start + before
            mapping = sign * side.troposphere.wet_mapping[row]
            entries += [(rows, column, mapping * (1.0 - share)), (rows, column + 1, mapping * share)]
        if station in layout.gradients:
            before, share = layout.gradient.weights(second_s)
            azimuth = side.paths.azimuth_rad[row]
            for direction, component in enumerate((np.cos(azimuth), np.sin(azimuth))):
                column = layout.gradient_of(station, direction).start + before
                mapping = sign * side.troposphere.gradient_mapping[row] * component
                entries += [(rows, column, mapping * (1.0 - share)), (rows, column + 1, mapping * share)]
    row = np.concatenate([r for r, _, _ in entries])
    column = np.concatenate([c for _, c, _ in entries])
    value = np.concatenate([v for _, _, v in entries])
    n_blocks = 2 * n_combinations
    all_rows = [row + k * n for k in range(n_blocks)]
    all_columns, all_values = [column] * n_blocks, [value] * n_blocks
    for k in range(n_combinations):
        all_rows.append(rows + k * n)
        all_columns.append(layout.ambiguity(k).start + d.arc)
        all_values.append(np.ones(n))
    design = sp.csr_array(
        (np.concatenate(all_values), (np.concatenate(all_rows), np.concatenate(all_columns))),
        shape=(n_blocks * n, layout.size),
    )
    # Phase and code of a carrier share a clock; carriers and groups have each their own.
    local_size = len(d.groups) * n_combinations
    clock = np.concatenate(
        [d.epoch_index * local_size + d.group * n_combinations + k % n_combinations for k in range(n_blocks)]
    )
    local_design = sp.csr_array(
        (np.ones(n_blocks * n), (np.arange(n_blocks * n), clock)),
        shape=(n_blocks * n, epoch_ns.size * local_size),
    )
    return BaselineEquations(
        layout=layout,
        design=design,
        local_design=local_design,
        local_size=local_size,
        misclosure_m=np.concatenate([d.phase_m.ravel(), d.code_m.ravel()]),
        weight=_weights(d, first, second, length_m, options),
        constraints=_troposphere_constraints(layout, options),
    )


def _weights(
    d: Differences, first: StationSide, second: StationSide, length_m: float, options: BaselineOptions
) -> FloatArray:
    """Weights of phases then codes: both stations' noise, and the ionosphere where it is neglected."""
    inverse_sine2 = (
        1.0 / np.sin(first.paths.elevation_rad[d.first_row]) ** 2
        + 1.0 / np.sin(second.paths.elevation_rad[d.second_row]) ** 2
    )
    frequency = d.frequency_hz[d.satellite_index]
    all_factors = combination_factors(frequency, d.carriers)
    phase, code = [], []
    for k, factors in enumerate(all_factors):
        amplified = np.sum(factors**2, axis=1) * inverse_sine2
        neglected = np.zeros(d.size)
        if not d.ionosphere_free:
            scale = (frequency[:, 0] / frequency[:, d.carriers[k]]) ** 2
            neglected = (options.ionosphere_per_length * length_m * scale) ** 2 * inverse_sine2 / 2.0
        phase.append(1.0 / (options.phase_sigma_m**2 * amplified + neglected))
        code.append(1.0 / (options.code_sigma_m**2 * amplified + neglected))
    return np.concatenate(phase + code)


def _troposphere_constraints(
    layout: BaselineLayout, options: BaselineOptions
) -> tuple[sp.csr_array, FloatArray, FloatArray]:
    """A first value of each delay and gradient, and random walks between the nodes."""
    row: list[int] = []
    column: list[int] = []
    value: list[float] = []
    weight: list[float] = []
    first_sigma = (
        options.zenith_delay_sigma_m if len(layout.delays) > 1 else options.zenith_delay_difference_sigma_m
    )
    blocks = [
        (layout.delay(s), layout.zenith, first_sigma, options.zenith_delay_walk_m_per_sqrt_h)
        for s in layout.delays
    ]
    blocks += [
        (
            layout.gradient_of(s, direction),
            layout.gradient,
            options.gradient_sigma_m,
            options.gradient_walk_m_per_sqrt_h,
        )
        for s in layout.gradients
        for direction in (0, 1)
    ]
    for block, nodes, sigma, walk in blocks:
        row.append(len(weight))
        column.append(block.start)
        value.append(1.0)
        weight.append(sigma**-2)
        for k, span_h in enumerate(np.diff(nodes.second_s) / 3600.0):
            row += [len(weight)] * 2
            column += [block.start + k, block.start + k + 1]
            value += [-1.0, 1.0]
            weight.append((walk**2 * float(span_h)) ** -1)
    design = sp.csr_array((value, (row, column)), shape=(len(weight), layout.size))
    return design, np.zeros(len(weight)), np.array(weight)
