"""Invented antennas of the sample region, as calibrations rounded to what an ANTEX file prints.

No number here belongs to a real antenna; sizes and shapes do. One receiver antenna depends on azimuth.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.models.antenna_phase import antex_frequency
from stations.records import AntennaCalibration, AntennaFrequencyCalibration
from stations.signals import carrier_frequency_hz
from stations.simulation.constellation import Constellation
from stations.simulation.random_streams import random_stream

FloatArray = NDArray[np.float64]

BANDS: Final = {"G": ("G1", "G2"), "E": ("E1", "E5"), "C": ("C1", "C2", "C5", "C6")}
_ALL_BANDS: Final = tuple(band for bands in BANDS.values() for band in bands)
_GPS_BANDS: Final = BANDS["G"]
_ZENITH_STEP_DEG: Final = 5.0
_AZIMUTH_STEP_DEG: Final = 30.0
_LARGEST_NADIR_DEG: Final = 17.0
_L1_HZ: Final = 1575.42e6
_L2_HZ: Final = 1227.60e6
_MM_DECIMALS: Final = 2  # ANTEX: F8.2 in millimetres


@dataclass(frozen=True)
class ReceiverAntennaDesign:
    """An invented receiver antenna.

    up_l1_m, up_l2_m : phase centre over the reference point at L1 and L2, others between
    variation_m : size of the variation towards the horizon; azimuth_m : of its azimuthal part, 0 for none
    """

    igs_code: str
    bands: tuple[str, ...]
    north_m: float
    east_m: float
    up_l1_m: float
    up_l2_m: float
    variation_m: float
    azimuth_m: float


CHOKE_RING: Final = ReceiverAntennaDesign(
    "SIMCHOKE1       SIMD", _ALL_BANDS, 0.0006, -0.0003, 0.0905, 0.1190, 0.0060, 0.0012
)
GEODETIC: Final = ReceiverAntennaDesign(
    "SIMGEOD2        NONE", _ALL_BANDS, -0.0011, 0.0008, 0.0661, 0.0583, 0.0045, 0.0
)
OLD_GPS: Final = ReceiverAntennaDesign(
    "SIMOLDG3        NONE", _GPS_BANDS, 0.0019, 0.0004, 0.0782, 0.0754, 0.0075, 0.0
)
RECEIVER_ANTENNAS: Final = (CHOKE_RING, GEODETIC, OLD_GPS)

# Satellite phase centres in the IGS body frame, metres, before each satellite's own deviation:
# x, y, z of the lower band and what z changes towards the upper bands. Sizes as in igs20.atx.
_SATELLITE_OFFSETS_M: Final = {
    "GPS": (0.0, 0.0, 1.10, -0.15),
    "GALILEO": (0.12, -0.01, 0.75, -0.05),
    "BDS-3 MEO": (-0.20, 0.0, 1.35, -0.20),
    "BDS-3 IGSO": (0.60, 0.0, 3.05, -0.25),
}
_SATELLITE_Z_SCATTER_M: Final = 0.08
_SATELLITE_VARIATION_M: Final = 0.004


def _rounded_m(value_m: FloatArray) -> FloatArray:
    """As ANTEX prints it: hundredths of a millimetre."""
    return np.asarray(np.round(value_m * 1e3, _MM_DECIMALS) / 1e3)


def _share_towards_l2(band: str) -> float:
    return (carrier_frequency_hz(band) - _L1_HZ) / (_L2_HZ - _L1_HZ)


def receiver_calibration(design: ReceiverAntennaDesign) -> AntennaCalibration:
    """Calibration of an invented receiver antenna, rounded as in the file."""
    zenith = np.radians(np.arange(0.0, 90.0 + _ZENITH_STEP_DEG / 2.0, _ZENITH_STEP_DEG))
    azimuth = np.radians(np.arange(0.0, 360.0 + _AZIMUTH_STEP_DEG / 2.0, _AZIMUTH_STEP_DEG))
    frequencies = {}
    for band in design.bands:
        share = _share_towards_l2(band)
        up = design.up_l1_m + share * (design.up_l2_m - design.up_l1_m)
        size = design.variation_m * (1.0 - 0.25 * share)
        mean = size * (np.sin(zenith) ** 6 - 0.55 * np.sin(1.3 * zenith) ** 2)
        turning = design.azimuth_m * np.outer(np.cos(2.0 * azimuth - 0.4 * share), np.sin(zenith) ** 2)
        frequencies[antex_frequency(band)] = AntennaFrequencyCalibration(
            offset_m=_rounded_m(np.array([design.north_m, design.east_m, up])),
            variation_no_azimuth_m=_rounded_m(mean),
            variation_m=_rounded_m(mean + turning) if design.azimuth_m > 0.0 else None,
        )
    return AntennaCalibration(
        kind=design.igs_code,
        serial="",
        cospar="",
        svn="",
        valid_from=None,
        valid_until=None,
        zenith_rad=zenith,
        azimuth_rad=azimuth if design.azimuth_m > 0.0 else None,
        frequencies=frequencies,
        source="SIMULATED",
    )


def satellite_calibrations(constellation: Constellation, seed: int) -> tuple[AntennaCalibration, ...]:
    """Calibrations of all satellites, in the constellation's order, rounded as in the file."""
    nadir = np.radians(np.arange(0.0, _LARGEST_NADIR_DEG + 0.5, 1.0))
    calibrations = []
    for number, (name, kind) in enumerate(zip(constellation.names, constellation.kinds, strict=True)):
        generator = random_stream(seed, "satellite antenna", name)
        x, y, z, change = _SATELLITE_OFFSETS_M[kind]
        z += generator.standard_normal() * _SATELLITE_Z_SCATTER_M
        curve = generator.uniform(0.5, 1.5) * _SATELLITE_VARIATION_M
        frequencies = {}
        for band in BANDS[name[0]]:
            share = _share_towards_l2(band)
            mean = curve * (1.0 - 0.2 * share) * (np.cos(nadir / nadir[-1] * 2.0 * np.pi) - 0.3)
            frequencies[antex_frequency(band)] = AntennaFrequencyCalibration(
                offset_m=_rounded_m(np.array([x, y, z + share * change])),
                variation_no_azimuth_m=_rounded_m(mean),
                variation_m=None,
            )
        calibrations.append(
            AntennaCalibration(
                kind=f"SIM {kind}",
                serial=name,
                cospar=f"2099-{number + 1:03d}A",
                svn=f"{name[0]}9{name[1:]}",
                valid_from=None,
                valid_until=None,
                zenith_rad=nadir,
                azimuth_rad=None,
                frequencies=frequencies,
                source="SIMULATED",
            )
        )
    return tuple(calibrations)
