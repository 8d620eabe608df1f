"""The GNSS part of the sample region as files: observations, products, antennas, truth.

Heights, gravity and common points are in `datum.simulation`, the whole is put together in
`pipelines.simulation_region`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from stations.formats.antex import write_antex
from stations.formats.atomic_write import write_atomically
from stations.formats.earth_rotation_parameters import write_earth_rotation_parameters
from stations.formats.rinex_clock import write_rinex_clock
from stations.formats.rinex_observation_writing import write_observations
from stations.formats.sp3 import write_sp3
from stations.simulation.antennas import RECEIVER_ANTENNAS, receiver_calibration
from stations.simulation.bias_product import write_bias_product
from stations.simulation.ocean_tides import write_ocean_loading
from stations.simulation.products import CENTRE, simulate_products
from stations.simulation.receiver import StationSession, simulate_station
from stations.simulation.region_plan import DAYS, STATIONS, SimulatedStation, product_epochs
from stations.simulation.space_segment import SpaceSegment, build_space_segment
from transforms.time_scales import Epochs

OBSERVATIONS: Final = "observations"
PRODUCTS: Final = "products"
ANTEX: Final = "antex/simulated.atx"
OCEAN_LOADING: Final = "ocean_loading/simulated.blq"
PLANTED_FAULTS: Final = "truth/planted_faults.csv"
ZENITH_DELAYS: Final = "truth/zenith_delays.csv"
_ZENITH_DELAY_STEP: Final = 12  # epochs: hourly


@dataclass(frozen=True, eq=False)
class GnssPart:
    """What was simulated: the space segment and a session for each station."""

    space: SpaceSegment
    sessions: tuple[StationSession, ...]


def observation_file_name(station: SimulatedStation, day: str) -> str:
    """Long RINEX name of a station's day (RINEX 3.05, appendix A1)."""
    return f"{station.code}_R_{_day_of_year(day)}0000_01D_05M_MO.crx.gz"


def product_file_names() -> tuple[str, str, str, str]:
    """Names of the orbit, clock, earth rotation and bias files (IGS long names)."""
    first = product_epochs()[np.array(0)]
    moment = first.datetime64()
    start = f"{_day_of_year(str(moment.astype('datetime64[D]')))}{str(moment)[11:13]}{str(moment)[14:16]}"
    hours = round(float(product_epochs()[np.array(-1)].seconds_since(first)) / 3600.0)
    stem = f"{CENTRE}0OPSFIN_{start}"
    return (
        f"{stem}_{hours:02d}H_05M_ORB.SP3.gz",
        f"{stem}_{hours:02d}H_05M_CLK.CLK.gz",
        f"{CENTRE}0OPSFIN_{_day_of_year(DAYS[0])}0000_07D_01D_ERP.ERP",
        f"{CENTRE}0OPSFIN_{_day_of_year(DAYS[0])}0000_{len(DAYS):02d}D_{len(DAYS):02d}D_OSB.BIA.gz",
    )


def _day_of_year(day: str) -> str:
    moment = np.datetime64(day, "D")
    start = moment.astype("datetime64[Y]")
    number = (moment - start.astype("datetime64[D]")).astype(int) + 1
    return f"{start.astype(int) + 1970:04d}{number:03d}"


def write_gnss_part(out_dir: Path, seed: int, tell: Callable[[str], None]) -> GnssPart:
    """Simulate and write observations, products, antennas, ocean loading, and their truth.

    out_dir : an existing folder; tell : hears of each station's file
    """
    for folder in (OBSERVATIONS, PRODUCTS, "antex", "ocean_loading", "truth"):
        (out_dir / folder).mkdir(exist_ok=True)
    space = build_space_segment(seed)
    orbits, clocks = simulate_products(
        space.constellation, space.clocks, space.earth_rotation, product_epochs(), seed
    )
    orbit_name, clock_name, rotation_name, bias_name = product_file_names()
    write_sp3(orbits, out_dir / PRODUCTS / orbit_name)
    write_rinex_clock(clocks, out_dir / PRODUCTS / clock_name)
    write_earth_rotation_parameters(space.earth_rotation, out_dir / PRODUCTS / rotation_name)
    first_day = _day_of_year(DAYS[0])
    end_day = _day_of_year(str(np.datetime64(DAYS[-1], "D") + 1))
    write_bias_product(
        out_dir / PRODUCTS / bias_name,
        space.code_biases_m,
        space.phase_biases_cycles,
        f"{first_day[:4]}:{first_day[4:]}",
        f"{end_day[:4]}:{end_day[4:]}",
    )
    receivers = tuple(receiver_calibration(design) for design in RECEIVER_ANTENNAS)
    write_antex((*space.antennas, *receivers), out_dir / ANTEX)
    write_ocean_loading(space.ocean_loading, out_dir / OCEAN_LOADING)
    tell("orbits, clocks, antennas")
    sessions = []
    for station in STATIONS:
        session = simulate_station(station, space, seed)
        for day, observations in zip(DAYS, session.days, strict=True):
            name = observation_file_name(station, day)
            write_observations(observations, out_dir / OBSERVATIONS / name)
            tell(name)
        sessions.append(session)
    part = GnssPart(space, tuple(sessions))
    _write_lines(out_dir / PLANTED_FAULTS, _fault_lines(part))
    _write_lines(out_dir / ZENITH_DELAYS, _zenith_delay_lines(part))
    return part


def _write_lines(path: Path, lines: Iterator[str]) -> None:
    write_atomically(path, "".join(f"{line}\n" for line in lines).encode("utf-8"))


def _fault_lines(part: GnssPart) -> Iterator[str]:
    yield "# Every fault planted in the observations. size: cycles of a slip, metres of a code outlier,"
    yield "# epochs of a gap, metres of rise of an antenna; flagged: told by the receiver or its file."
    yield "station,epoch_gpst,kind,satellite,signal,size,flagged"
    for session in part.sessions:
        station = session.station
        if station.change is not None:
            start = Epochs.from_datetime64(np.datetime64(station.change.day, "ns"))
            kind = f"antenna changed to {' '.join(station.change.antenna.igs_code.split())}"
            yield f"{station.code},{start.iso()},{kind},,,{station.change.rise_m:.4f},no"
        for fault in session.faults:
            epoch = session.epochs[np.array(fault.epoch_index)].iso()
            flagged = "yes" if fault.flagged else "no"
            yield (
                f"{station.code},{epoch},{fault.kind},{fault.satellite},{fault.signal},{fault.size:g},{flagged}"
            )


def _zenith_delay_lines(part: GnssPart) -> Iterator[str]:
    yield "# True zenith total delay and horizontal gradients over each station, every hour."
    yield "station,epoch_gpst,zenith_total_delay_m,gradient_north_m,gradient_east_m"
    for session in part.sessions:
        truth = session.troposphere
        for i in range(0, len(session.epochs), _ZENITH_DELAY_STEP):
            yield (
                f"{session.station.code},{session.epochs[np.array(i)].iso()},{truth.total_m[i]:.4f},"
                f"{truth.gradient_north_m[i]:.5f},{truth.gradient_east_m[i]:.5f}"
            )
