"""One session made linear: geometry for a trial position, then equations and misclosures of its rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from stations.models.beidou2_code_bias import beidou2_code_correction_m
from stations.models.site_weather import GriddedWeather, SiteWeather
from stations.models.tabulated_attitude import AttitudeTable
from stations.models.yaw_laws import YawLaw, yaw_law_of
from stations.ppp.first_position import epoch_clocks_s, first_position
from stations.ppp.inter_frequency_clock import REFERENCE_BANDS, clock_difference_m, slow_variation_m
from stations.ppp.observation_equations import (
    AntennaCorrections,
    Equations,
    SatelliteAntennas,
    Sky,
    TroposphereModel,
    antenna_corrections,
    build_constraints,
    build_equations,
    ionosphere_free_factors,
    modelled_phase_windup_m,
    tidal_displacement,
    troposphere_model,
    troposphere_of_the_day,
    wavelengths_m,
)
from stations.ppp.options import PppOptions, code_noise_factor, observation_sigma_factor
from stations.ppp.orbits import ClockTable, OrbitTable, satellite_lookup
from stations.ppp.parameters import ParameterLayout, TimeNodes
from stations.ppp.paths import SignalPaths, signal_paths
from stations.ppp.rows import GPST_MINUS_TAI_NS, ObservationRows
from stations.ppp.signal_selection import DualFrequencyObservations
from stations.records import (
    AntennaCalibration,
    EarthRotationParameters,
    InputFile,
    OceanLoading,
    PreciseProducts,
)
from stations.signals import carrier_frequency_hz
from transforms.constants import SPEED_OF_LIGHT_M_PER_S
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]

_FIRST_POSITION_EPOCHS: Final = 24  # spread over the session; enough for metres
# A clock wrong by 1 ms moves the satellites by less than a metre, so its next estimate is right to 3 ns.
_CLOCK_ROUNDS: Final = 3
_CLOCK_SETTLED_S: Final = 1e-8  # a satellite moves by 0.01 mm along the line of sight in this time
_SKIES_KEPT: Final = 2
# Phases scatter by this share of the nominal sigma that their weights have: 0.34 to 0.39 over a day of GPS or
# Galileo on NIST and BOR1. An error known in metres enters the weights divided by it.
_PHASE_NOISE_SHARE: Final = 0.37
_DAY_NS: Final = 86_400_000_000_000


@dataclass(frozen=True, eq=False)
class LinearProblem:
    """Rows about a trial position: geometry, equations, and misclosures of phases then codes (2 n,).

    phase_offset_m : (n,) what was taken off the phases of each arc, so that its ambiguity is a small number
    """

    rows: ObservationRows
    paths: SignalPaths
    troposphere: TroposphereModel
    layout: ParameterLayout
    equations: Equations
    misclosure_m: FloatArray
    phase_offset_m: FloatArray


class Session:
    """What does not change while a station's session is solved, and the model over it.

    Parameters
    ----------
    selected : observations on two carriers; products, antennas, ocean_loading : as for `solve_station`
    epochs : (n_epoch,) those used; receiver_antenna : calibration, or None
    site_weather : a weather model's mapping coefficients and delays, at the station or gridded, or None
    """

    def __init__(
        self,
        selected: DualFrequencyObservations,
        products: PreciseProducts,
        epochs: Epochs,
        antennas: Sequence[AntennaCalibration],
        receiver_antenna: AntennaCalibration | None,
        ocean_loading: OceanLoading | None,
        options: PppOptions,
        site_weather: SiteWeather | GriddedWeather | None = None,
    ) -> None:
        self.selected = selected
        self.epochs = epochs
        self.options = options
        self.factors = ionosphere_free_factors(selected.frequency_hz)
        self._wavelengths = wavelengths_m(selected.frequency_hz)
        self._orbits = OrbitTable(products.orbits)
        self._clocks = clock_table(products)
        self._orbit_index = satellite_lookup(selected.satellites, self._orbits.satellites)
        self._clock_index = satellite_lookup(selected.satellites, self._clocks.satellites)
        self._sigma_factor = np.array([observation_sigma_factor(s) for s in selected.satellites])
        self._code_noise_factor = np.array([code_noise_factor(s) for s in selected.satellites])
        steps_s = np.diff(epochs.tai_ns) / 1e9
        usual_step_s = float(np.median(steps_s)) if steps_s.size else options.correlation_time_s
        self.interval_s = usual_step_s
        self._independent_share = min(usual_step_s / options.correlation_time_s, 1.0)
        self._sky = _shared_sky(epochs.tai_ns.tobytes(), products.earth_rotation)
        self.site_weather = site_weather
        self._ocean_loading = ocean_loading
        self._receiver_antenna = receiver_antenna
        middle = Epochs(np.asarray(epochs.tai_ns[len(epochs) // 2]))
        self._satellite_antennas = SatelliteAntennas.of(selected.satellites, antennas, middle)
        self._yaw_laws = tuple(
            YawLaw.UNKNOWN if a is None else yaw_law_of(a.kind, a.svn, float(middle.decimal_year()))
            for a in self._satellite_antennas.calibrations
        )
        self._attitudes = (
            None if products.attitudes is None else AttitudeTable(products.attitudes, selected.satellites)
        )

    @property
    def antenna_inputs(self) -> frozenset[InputFile]:
        """Files that the antennas' calibrations came from."""
        used = (self._receiver_antenna, *self._satellite_antennas.calibrations)
        return frozenset(a.input for a in used if a is not None and a.input is not None)

    def constraints(self, layout: ParameterLayout) -> tuple[sp.csr_array, FloatArray, FloatArray]:
        """Pseudo-observations of the unknowns: design, value, weight."""
        return build_constraints(layout, self.options, self.selected.code_bias_sigma_m)

    @property
    def product_factor(self) -> FloatArray:
        """Quality of each satellite's orbit and clock relative to GPS, (n_satellite,)."""
        return self._sigma_factor

    @property
    def model_remarks(self) -> tuple[str, ...]:
        """What the output must say of the models behind a position."""
        remarks = [
            "position conventionally tide-free: the solid earth tide is taken off with its permanent part",
            "ocean loading left out: no amplitudes of the station were given (up to centimetres at coasts)"
            if self._ocean_loading is None
            else f"ocean loading by {self._ocean_loading.model}, 342 lines from its eleven tides",
            "a-priori delay and mapping of the neutral atmosphere: "
            + ("GPT and GMF" if self.site_weather is None else self.site_weather.description),
        ]
        if self._attitudes is not None:
            remarks.append("attitudes of satellites as the analysis centre tabulates them")
        return tuple(remarks)

    def code_m(self, rows: ObservationRows) -> FloatArray:
        """Ionosphere-free code of rows, (n,)."""
        return np.asarray(np.sum(rows.code_m * self.factors[rows.satellite_index], axis=1))

    def paths(self, rows: ObservationRows, position_ecef_m: FloatArray, clock_s: FloatArray) -> SignalPaths:
        """Paths of rows for an antenna at `position_ecef_m` (3,), tide-free, and clocks (n_epoch,)."""
        displacement = tidal_displacement(position_ecef_m, self.epochs, self._sky, self._ocean_loading)
        return signal_paths(
            rows.epoch_ns[rows.epoch_index],
            rows.satellite_index,
            position_ecef_m + displacement[rows.epoch_index],
            clock_s[rows.epoch_index],
            self._sky.sun_ecef_m[rows.epoch_index],
            self._orbits,
            self._orbit_index,
            self._clocks,
            self._clock_index,
            self._yaw_laws,
            self._attitudes,
        )

    def antenna_corrections(self, rows: ObservationRows, paths: SignalPaths) -> AntennaCorrections:
        """Phase-centre corrections of rows."""
        return antenna_corrections(
            paths,
            rows.satellite_index,
            self.selected.bands,
            self._satellite_antennas,
            self._receiver_antenna,
        )

    def without_satellite_code_bias(self, rows: ObservationRows, paths: SignalPaths) -> ObservationRows:
        """Rows with the elevation-dependent code bias of BeiDou-2 taken off, once."""
        if rows.satellite_code_bias_removed:
            return rows
        code_m = rows.code_m.copy()
        for k, calibration in enumerate(self._satellite_antennas.calibrations):
            if calibration is None or not calibration.kind.startswith("BEIDOU-2"):
                continue
            mine = np.flatnonzero(rows.satellite_index == k)
            for j, band in enumerate(self.selected.bands[k]):
                code_m[mine, j] += beidou2_code_correction_m(
                    self.selected.satellites[k], calibration.kind, band, paths.elevation_rad[mine]
                )
        return replace(rows, code_m=code_m, satellite_code_bias_removed=True)

    def first_position_and_clock(
        self, rows: ObservationRows, header_position_m: FloatArray | None
    ) -> tuple[FloatArray, FloatArray, SignalPaths]:
        """Position (3,) from code to some metres, clock of each epoch (n_epoch,), s, and the paths."""
        n_epochs = rows.epoch_ns.size
        with_data = np.unique(rows.epoch_index)
        count = min(_FIRST_POSITION_EPOCHS, with_data.size)
        some = with_data[np.linspace(0, max(with_data.size - 1, 0), count).astype(np.int64)]
        part = rows.take(np.isin(rows.epoch_index, some))
        position = first_position(
            self.code_m(part),
            part.epoch_index,
            self.selected.group[part.satellite_index],
            n_epochs,
            lambda at, clock: self.paths(part, at, clock),
            header_position_m,
        )
        # The clocks of the few epochs, in straight lines, are near enough to begin with where a receiver
        # follows a good oscillator; one that steps by milliseconds takes another round.
        rough_s, _ = self._clocks_by_code(part, position, np.zeros(n_epochs))
        clock_s = np.interp(np.arange(n_epochs), some, rough_s[some])
        for _ in range(_CLOCK_ROUNDS):
            before_s = clock_s
            clock_s, paths = self._clocks_by_code(rows, position, before_s)
            if np.max(np.abs(clock_s - before_s)[with_data], initial=0.0) < _CLOCK_SETTLED_S:
                break
        return position, clock_s, paths

    def _clocks_by_code(
        self, rows: ObservationRows, position_ecef_m: FloatArray, clock_s: FloatArray
    ) -> tuple[FloatArray, SignalPaths]:
        """Clock of each epoch from the codes of rows, s, by the paths for `clock_s`; and these paths."""
        paths = self.paths(rows, position_ecef_m, clock_s)
        group = self.selected.group[rows.satellite_index]
        found = epoch_clocks_s(
            self.code_m(rows), paths, position_ecef_m, rows.epoch_index, group, clock_s.size
        )
        return found, paths

    def linearise(
        self, rows: ObservationRows, paths: SignalPaths, position_ecef_m: FloatArray, clock_s: FloatArray
    ) -> LinearProblem:
        """Equations of rows about a position and clocks."""
        rows = self.without_satellite_code_bias(rows, paths)
        antenna_m = self.antenna_corrections(rows, paths).correction_m
        troposphere = self._troposphere(rows, paths, position_ecef_m)
        factors = self.factors[rows.satellite_index]
        clock_m = SPEED_OF_LIGHT_M_PER_S * clock_s[rows.epoch_index]
        antenna_free_m = np.sum(factors * antenna_m, axis=1)
        modelled = paths.range_m + antenna_free_m + troposphere.hydrostatic_m + clock_m
        windup = modelled_phase_windup_m(
            paths.windup_cycles, self._wavelengths[rows.satellite_index], factors
        )
        code = self.code_m(rows) - modelled
        phase = np.sum(rows.phase_m * factors, axis=1) - modelled - windup
        phase += self._inter_frequency_clock_m(rows, paths, antenna_m)
        # Ambiguities of 1e8 m would cost digits: count them from the arc's mean of phase minus code.
        _, arc = np.unique(rows.arc, return_inverse=True)
        offset = (np.bincount(arc, phase - code) / np.bincount(arc))[arc]
        misclosure = np.concatenate([phase - offset, code])
        numbered = replace(rows, arc=arc.astype(np.int64))
        return self._problem(numbered, paths, troposphere, misclosure, offset)

    def _inter_frequency_clock_m(
        self, rows: ObservationRows, paths: SignalPaths, antenna_m: FloatArray
    ) -> FloatArray | float:
        """Slow part of the clock of L1 + L2 minus that of L1 + L5 of satellites on the latter; (n,), m."""
        if rows.reference_phase_m is None:
            return 0.0
        on_l5 = set(rows.satellite_index[np.isfinite(rows.reference_phase_m)].tolist())
        bands = [REFERENCE_BANDS if k in on_l5 else own for k, own in enumerate(self.selected.bands)]
        reference_antenna_m = antenna_corrections(
            paths, rows.satellite_index, bands, self._satellite_antennas, self._receiver_antenna
        ).correction_m[:, 1]
        reference_wavelength_m = SPEED_OF_LIGHT_M_PER_S / carrier_frequency_hz(REFERENCE_BANDS[1])
        windup_m = paths.windup_cycles[:, None] * self._wavelengths[rows.satellite_index]
        difference_m = clock_difference_m(
            rows.phase_m - antenna_m - windup_m,
            rows.reference_phase_m - reference_antenna_m - paths.windup_cycles * reference_wavelength_m,
            self.selected.frequency_hz[rows.satellite_index],
        )
        return slow_variation_m(rows.second_s, rows.arc, difference_m, paths.elevation_rad)

    def with_arcs(self, problem: LinearProblem, arc: NDArray[np.int64]) -> LinearProblem:
        """The same problem with other arcs (n,)."""
        _, numbered = np.unique(arc, return_inverse=True)
        rows = replace(problem.rows, arc=numbered.astype(np.int64))
        return self._problem(
            rows, problem.paths, problem.troposphere, problem.misclosure_m, problem.phase_offset_m
        )

    def _troposphere(
        self, rows: ObservationRows, paths: SignalPaths, position_ecef_m: FloatArray
    ) -> TroposphereModel:
        if self.site_weather is None:
            mjd = self.epochs.modified_julian_date()
            return troposphere_model(position_ecef_m, mjd[rows.epoch_index], paths.elevation_rad)
        node_s = self._layout(rows).zenith.second_s
        nodes = Epochs(rows.epoch_ns[0] + np.rint(node_s * 1e9).astype(np.int64))
        return troposphere_of_the_day(
            position_ecef_m,
            self.epochs[rows.epoch_index],
            paths.elevation_rad,
            self.site_weather.at_site(position_ecef_m),
            nodes,
        )

    def _clock_variance_m2(self, rows: ObservationRows) -> FloatArray:
        """What the straight line between clock epochs misses, (n,), in the unit of the phases' weights."""
        variance = self._clocks.interpolation_variance_s2(
            rows.epoch_ns[rows.epoch_index], rows.satellite_index, self._clock_index
        )
        scale = SPEED_OF_LIGHT_M_PER_S / _PHASE_NOISE_SHARE
        return np.asarray(scale**2 * variance / self._independent_share)

    def _layout(self, rows: ObservationRows) -> ParameterLayout:
        second_s = rows.second_s
        first, last = float(second_s.min()), float(second_s.max())
        midnight = -float((rows.epoch_ns[0] + GPST_MINUS_TAI_NS) % _DAY_NS) / 1e9
        return ParameterLayout(
            static=self.options.mode == "static",
            zenith=TimeNodes.over(first, last, self.options.zenith_delay_step_s, midnight),
            gradient=TimeNodes.over(first, last, self.options.gradient_step_s, midnight),
            n_arcs=int(rows.arc.max()) + 1,
            n_satellites=len(self.selected.satellites),
        )

    def _problem(
        self,
        rows: ObservationRows,
        paths: SignalPaths,
        troposphere: TroposphereModel,
        misclosure: FloatArray,
        offset: FloatArray,
    ) -> LinearProblem:
        layout = self._layout(rows)
        equations = build_equations(
            paths,
            troposphere,
            layout,
            self.options,
            epoch_index=rows.epoch_index,
            second_s=rows.second_s,
            group=self.selected.group[rows.satellite_index],
            n_epochs=rows.epoch_ns.size,
            n_groups=len(self.selected.groups),
            arc=rows.arc,
            satellite_index=rows.satellite_index,
            sigma_factor=self._sigma_factor[rows.satellite_index] / np.sqrt(self._independent_share),
            code_noise_factor=self._code_noise_factor[rows.satellite_index],
            clock_variance_m2=self._clock_variance_m2(rows),
        )
        return LinearProblem(rows, paths, troposphere, layout, equations, misclosure, offset)


@lru_cache(maxsize=_SKIES_KEPT)
def _shared_sky(tai_ns: bytes, earth_rotation: EarthRotationParameters | None) -> Sky:
    """The sky at epochs given as bytes of int64, shared by the stations of a day: never written to."""
    return Sky.at(Epochs(np.frombuffer(tai_ns, dtype=np.int64)), earth_rotation)


def clock_table(products: PreciseProducts) -> ClockTable:
    """The clocks that serve: the clock file's, else those in the orbit file."""
    return ClockTable(products.orbits if products.clocks is None else products.clocks)


def served_satellites(products: PreciseProducts) -> frozenset[str]:
    """Satellites with an orbit and a clock at any time."""
    orbits = products.orbits
    clocks = orbits if products.clocks is None else products.clocks
    with_orbit = np.flatnonzero(np.any(np.isfinite(orbits.position_ecef_m[..., 0]), axis=0))
    with_clock = np.flatnonzero(np.any(np.isfinite(clocks.clock_s), axis=0))
    return frozenset(orbits.satellites[k] for k in with_orbit) & frozenset(
        clocks.satellites[k] for k in with_clock
    )
