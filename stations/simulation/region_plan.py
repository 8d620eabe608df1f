"""What the sample region is made of: its days, stations, receivers, and the faults that are planted in it.

Eight invented stations over about 300 km of the lower Yangtze. No code, receiver or antenna is a real one.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.simulation.antennas import CHOKE_RING, GEODETIC, OLD_GPS, ReceiverAntennaDesign
from transforms.geodetic import ecef_from_geodetic, enu_from_ecef_matrix
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]

DEFAULT_SEED: Final = 1
DAYS: Final = ("2026-04-26", "2026-04-27")
INTERVAL_S: Final = 300.0
EPOCHS_PER_DAY: Final = 288
PRODUCT_MARGIN_S: Final = 3600.0  # orbits and clocks before the first and after the last day
ELEVATION_MASK_RAD: Final = np.radians(5.0)
FRAME: Final = "IGS20"
REFERENCE_YEAR: Final = 2015.0  # of the coordinates below, as in IGS20

# Eurasia at the lower Yangtze in ITRF2020: east, north, up, m/yr (of the size that ITRF2020 gives there).
PLATE_VELOCITY_ENU_M_PER_YR: Final = (0.0322, -0.0121, 0.0)


@dataclass(frozen=True)
class ReceiverDesign:
    """An invented receiver.

    signals : by system, bands and attributes that it tracks ("1C", "2W")
    code_noise_m, phase_noise_m : thermal noise at 45 dBHz
    multipath_m : code multipath at the horizon
    clock_drift : frequency offset of its oscillator; clock_walk_s : random walk in 300 s
    resets_clock : it keeps its clock within half a millisecond by steps of a whole one, code and phase alike
    """

    name: str
    firmware: str
    signals: tuple[tuple[str, tuple[str, ...]], ...]
    code_noise_m: float
    phase_noise_m: float
    multipath_m: float
    clock_drift: float
    clock_walk_s: float
    resets_clock: bool


_MODERN_SIGNALS: Final = (
    ("G", ("1C", "2W")),
    ("E", ("1C", "5Q")),
    ("C", ("1P", "2I", "5P", "6I")),
)
MODERN_A: Final = ReceiverDesign(
    "SIM ALPHA 900", "SIMULATED 5.1", _MODERN_SIGNALS, 0.12, 0.0009, 0.5, 2.0e-10, 3.0e-9, False
)
MODERN_B: Final = ReceiverDesign(
    "SIM BRAVO 12", "SIMULATED 2.30", _MODERN_SIGNALS, 0.15, 0.0012, 0.6, -6.0e-10, 6.0e-9, False
)
OLD: Final = ReceiverDesign(
    "SIM OLDTIMER", "SIMULATED 1.07", (("G", ("1C", "2W")),), 0.25, 0.0018, 0.9, 3.1e-8, 2.0e-8, True
)


@dataclass(frozen=True)
class AntennaChange:
    """An antenna exchanged without a word in the file's header.

    day : from whose start the new antenna stands; rise_m : its reference point over the old one's place
    """

    day: str
    antenna: ReceiverAntennaDesign
    rise_m: float


@dataclass(frozen=True)
class SimulatedStation:
    """A station of the sample region; latitude and longitude of the marker at 2015.0.

    eccentricity_enu_m : from marker to antenna reference point; velocity_enu_m_per_yr : beside the plate's
    control : its coordinates are published; levelled : a bench mark stands on its pillar
    outage : day, first epoch and number of epochs of a power failure
    """

    code: str
    latitude_deg: float
    longitude_deg: float
    height_m: float
    receiver: ReceiverDesign
    receiver_serial: str
    antenna: ReceiverAntennaDesign
    antenna_serial: str
    eccentricity_enu_m: tuple[float, float, float]
    own_velocity_enu_m_per_yr: tuple[float, float, float]
    control: bool = False
    levelled: bool = True
    change: AntennaChange | None = None
    outage: tuple[str, int, int] | None = None

    @property
    def marker(self) -> str:
        """The first four characters of the code."""
        return self.code[:4]

    @property
    def reference_position_ecef_m(self) -> FloatArray:
        """Marker in IGS20 at 2015.0, (3,)."""
        return ecef_from_geodetic(
            np.radians(self.latitude_deg), np.radians(self.longitude_deg), self.height_m
        )

    @property
    def velocity_ecef_m_per_yr(self) -> FloatArray:
        """Velocity in IGS20, (3,), rounded to 0.01 mm/yr as it is published."""
        enu = np.array(PLATE_VELOCITY_ENU_M_PER_YR) + np.array(self.own_velocity_enu_m_per_yr)
        rotation = enu_from_ecef_matrix(np.radians(self.latitude_deg), np.radians(self.longitude_deg))
        return np.asarray(np.round(enu @ rotation, 5))

    def position_ecef_m(self, epochs: Epochs) -> FloatArray:
        """Marker in IGS20 at epochs (...), tide-free; (..., 3)."""
        years = np.asarray(epochs.decimal_year()) - REFERENCE_YEAR
        return self.reference_position_ecef_m + years[..., None] * self.velocity_ecef_m_per_yr


STATIONS: Final = (
    SimulatedStation(
        "NJLS00CHN", 31.742183, 118.861904, 61.3127, MODERN_A, "A900-0117", CHOKE_RING, "SC1-20417",
        (0.0, 0.0, 0.1325), (0.0007, 0.0002, 0.0004), control=True,
    ),
    SimulatedStation(
        "HUSH00CHN", 31.097441, 121.188035, 27.8845, MODERN_A, "A900-0233", CHOKE_RING, "SC1-20533",
        (0.0, 0.0, 0.0083), (-0.0004, 0.0001, -0.0031), control=True,
    ),
    SimulatedStation(
        "MGSH00CHN", 30.538716, 119.880162, 238.6401, MODERN_B, "B12-7781", GEODETIC, "SG2-00891",
        (0.0, 0.0, 0.0460), (0.0002, -0.0005, 0.0006), control=True,
    ),
    SimulatedStation(
        "TAIX00CHN", 31.203318, 119.936277, 34.2188, MODERN_B, "B12-7790", GEODETIC, "SG2-00904",
        (0.0012, -0.0008, 0.0650), (-0.0001, 0.0006, -0.0012), levelled=False,
    ),
    SimulatedStation(
        "WUJN00CHN", 31.618205, 120.349611, 24.7036, MODERN_A, "A900-0240", CHOKE_RING, "SC1-20561",
        (0.0, 0.0, 0.0083), (-0.0006, -0.0003, -0.0048), levelled=False, outage=("2026-04-26", 97, 31),
    ),
    SimulatedStation(
        "CHMD00CHN", 31.627790, 121.553902, 21.4952, MODERN_A, "A900-0251", CHOKE_RING, "SC1-20588",
        (0.0, 0.0, 0.0083), (-0.0009, 0.0004, -0.0056),
        change=AntennaChange("2026-04-27", GEODETIC, 0.0214),
    ),
    SimulatedStation(
        "HZWN00CHN", 30.352867, 120.921448, 30.0573, MODERN_B, "B12-7802", GEODETIC, "SG2-00917",
        (0.0, 0.0, 0.0460), (0.0003, 0.0008, -0.0019),
    ),
    SimulatedStation(
        "YZTZ00CHN", 32.447026, 119.768513, 26.9310, OLD, "OT-3308", OLD_GPS, "SO3-0012",
        (0.0, 0.0, 0.0000), (0.0005, 0.0000, -0.0008),
    ),
)  # fmt: skip


def epochs_of_day(day: str) -> Epochs:
    """Observation epochs of a day such as "2026-04-26", GPST, (EPOCHS_PER_DAY,)."""
    start = np.datetime64(day, "ns")
    steps = np.arange(EPOCHS_PER_DAY) * np.timedelta64(round(INTERVAL_S * 1e9), "ns")
    return Epochs.from_datetime64(start + steps)


def all_epochs() -> Epochs:
    """Observation epochs of all days, one after the other."""
    return Epochs(np.concatenate([epochs_of_day(day).tai_ns for day in DAYS]))


def mean_epoch() -> Epochs:
    """The epoch to which the truth refers, shape (): the change of the days."""
    return Epochs.from_datetime64(np.datetime64(DAYS[1], "ns"))


def product_epochs() -> Epochs:
    """Epochs of orbits and clocks: all days, their end included, and a margin on both sides."""
    observed = all_epochs().tai_ns
    step = round(INTERVAL_S * 1e9)
    margin = round(PRODUCT_MARGIN_S * 1e9)
    return Epochs(np.arange(observed[0] - margin, observed[-1] + step + margin + 1, step, dtype=np.int64))
