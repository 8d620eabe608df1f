"""One end of a baseline: its session, geometry and modelled observations."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.formats.antex import find_receiver_antenna
from stations.ppp.first_position import slant_hydrostatic_delay_m
from stations.ppp.observation_equations import TroposphereModel, modelled_phase_windup_m, troposphere_model
from stations.ppp.options import PppOptions
from stations.ppp.paths import SignalPaths
from stations.ppp.rows import ObservationRows, Rejections, rows_of
from stations.ppp.session import Session
from stations.ppp.signal_selection import select_observations
from stations.records import AntennaCalibration, Observations, PreciseProducts
from transforms.constants import SPEED_OF_LIGHT_M_PER_S
from transforms.geodetic import enu_matrix_at
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_CODE_GROSS_ERROR_M: Final = 30.0


@dataclass(frozen=True, eq=False)
class StationSide:
    """One station with rows at the common epochs.

    position_ecef_m : (3,) antenna reference point, tide-free; clock_s : (n_epoch,)
    code_position_ecef_m : (3,) antenna reference point from code
    antenna_m : (n, 2) phase-centre corrections of both antennas on the two carriers
    antenna_calibrated : whether the receiver antenna has a calibration
    """

    observations: Observations
    session: Session
    rows: ObservationRows
    position_ecef_m: FloatArray
    code_position_ecef_m: FloatArray
    clock_s: FloatArray
    paths: SignalPaths
    antenna_m: FloatArray
    satellites_calibrated: NDArray[np.bool_]
    antenna_calibrated: bool
    inherited: tuple[str, ...]
    troposphere: TroposphereModel

    @property
    def eccentricity_ecef_m(self) -> FloatArray:
        """From marker to antenna reference point, (3,)."""
        enu = np.array(self.observations.header.setup.eccentricity_enu_m)
        return np.asarray(enu @ enu_matrix_at(self.position_ecef_m))

    def misclosures(self, factors: FloatArray, row: IntArray) -> tuple[FloatArray, FloatArray]:
        """Observed minus modelled phase and code of a combination of the two carriers.

        factors : (n_satellite, 2) by this side's satellites; row : (m,) places in `rows`; returns two (m,)
        """
        share = factors[self.rows.satellite_index[row]]
        clock_m = SPEED_OF_LIGHT_M_PER_S * self.clock_s[self.rows.epoch_index[row]]
        modelled = self.paths.range_m[row] + self.troposphere.hydrostatic_m[row] + clock_m
        modelled = modelled + np.sum(share * self.antenna_m[row], axis=1)
        frequency = self.session.selected.frequency_hz[self.rows.satellite_index[row]]
        windup = modelled_phase_windup_m(
            self.paths.windup_cycles[row], SPEED_OF_LIGHT_M_PER_S / frequency, share
        )
        phase = np.sum(share * self.rows.phase_m[row], axis=1) - modelled - windup
        return phase, np.sum(share * self.rows.code_m[row], axis=1) - modelled

    def moved_to(self, position_ecef_m: FloatArray) -> "StationSide":
        """The same side about another position of its antenna."""
        paths = self.session.paths(self.rows, position_ecef_m, self.clock_s)
        corrections = self.session.antenna_corrections(self.rows, paths)
        mjd = self.session.epochs.modified_julian_date()[self.rows.epoch_index]
        return replace(
            self,
            position_ecef_m=position_ecef_m,
            paths=paths,
            antenna_m=corrections.correction_m,
            troposphere=troposphere_model(position_ecef_m, mjd, paths.elevation_rad),
        )


def station_side(
    observations: Observations,
    epochs: IntArray,
    products: PreciseProducts,
    antennas: Sequence[AntennaCalibration],
    options: PppOptions,
    rejections: Rejections,
) -> StationSide:
    """Rows of a station at the given epochs (places), located by code; unusable ones are dropped and counted.

    Raises InputError where observations and orbits have nothing in common.
    """
    selected = select_observations(observations, options)
    for reason, count in selected.rejections.items():
        rejections.add(reason, count)
    rows = rows_of(selected, epochs)
    antenna = observations.header.setup.antenna
    calibration = find_receiver_antenna(antennas, antenna, antenna.serial)
    session = Session(selected, products, Epochs(rows.epoch_ns), antennas, calibration, None, options)
    position, clock_s, paths = session.first_position_and_clock(
        rows, observations.header.approximate_position_ecef_m
    )
    keep = np.ones(rows.size, dtype=np.bool_)
    keep = rejections.drop(keep, ~paths.valid, "no orbit or clock")
    keep = rejections.drop(keep, paths.elevation_rad < options.elevation_cutoff_rad, "below elevation cutoff")
    code = session.code_m(rows) - paths.range_m - SPEED_OF_LIGHT_M_PER_S * clock_s[rows.epoch_index]
    code = code - slant_hydrostatic_delay_m(position, paths.elevation_rad)
    group = selected.group[rows.satellite_index]
    for number in range(len(selected.groups)):
        mine = keep & (group == number)
        if mine.any():
            code[mine] -= np.median(code[mine])
    gross = np.abs(np.where(keep, code, 0.0)) > _CODE_GROSS_ERROR_M
    keep = rejections.drop(keep, gross, "code gross error")
    rows, paths = rows.take(keep), paths.take(keep)
    corrections = session.antenna_corrections(rows, paths)
    mjd = session.epochs.modified_julian_date()[rows.epoch_index]
    return StationSide(
        observations=observations,
        session=session,
        rows=rows,
        position_ecef_m=position,
        code_position_ecef_m=position,
        clock_s=clock_s,
        paths=paths,
        antenna_m=corrections.correction_m,
        satellites_calibrated=corrections.calibrated,
        antenna_calibrated=calibration is not None,
        inherited=tuple(f"{band} by {code}" for band, code in sorted(corrections.inherited.items())),
        troposphere=troposphere_model(position, mjd, paths.elevation_rad),
    )
