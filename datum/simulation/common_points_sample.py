"""Common points of the sample's old local datum: seven parameters, distortion, noise, one blunder."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.formats.common_points_csv import write_common_points
from datum.records import CommonPoint, CommonPoints
from datum.simulation.fields import height_anomaly_m
from datum.simulation.marks import bench_marks
from stations.simulation.random_streams import random_stream
from stations.simulation.region_plan import FRAME, STATIONS, mean_epoch
from transforms.constants import ARCSECOND_RAD
from transforms.ellipsoids import CGCS2000, KRASSOVSKY_1940
from transforms.frame_links import transform_coordinates
from transforms.geodetic import ecef_from_geodetic, enu_from_ecef_matrix, geodetic_from_ecef
from transforms.rotations import RotationConvention, small_rotation_matrix
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]

SOURCE_DATUM: Final = "Delta datum of 1957 (simulated)"
TARGET_FRAME: Final = "CGCS2000"
# From the local datum to CGCS2000, position-vector convention; invented, of the size of Beijing 1954's.
TRANSLATION_M: Final = (12.46, -141.92, -71.58)
ROTATION_ARCSECOND: Final = (0.312, -0.427, 0.871)
SCALE_PPM: Final = -1.94
DISTORTION_M: Final = 0.04
NOISE_HORIZONTAL_M: Final = 0.02
NOISE_HEIGHT_M: Final = 0.03
STATED_SIGMA_M: Final = 0.04  # what a bureau writes down: noise and distortion together
STATED_SIGMA_HEIGHT_M: Final = 0.05
BLUNDER_POINT: Final = "SB06"
BLUNDER_NORTH_M: Final = 1.0  # a metre mistyped
_POINTS_BETWEEN: Final = ("SB02", "SB04", "SB06", "SB07", "SB09", "SB11", "SB15")


def national_positions_ecef_m() -> dict[str, FloatArray]:
    """Common point -> true position in CGCS2000: all stations and some bench marks."""
    epoch = Epochs.from_datetime64(np.datetime64("2000-01-01", "ns"))
    positions: dict[str, FloatArray] = {}
    for station in STATIONS:
        carried = transform_coordinates(
            station.position_ecef_m(mean_epoch()),
            np.zeros((3, 3)),
            station.velocity_ecef_m_per_yr,
            FRAME,
            mean_epoch(),
            TARGET_FRAME,
            epoch,
            with_parameter_uncertainty=False,
        )
        positions[station.marker] = carried.position_ecef_m
    for mark in bench_marks():
        if mark.name in _POINTS_BETWEEN:
            height = mark.normal_height_m + float(height_anomaly_m(mark.latitude_deg, mark.longitude_deg))
            positions[mark.name] = ecef_from_geodetic(
                np.radians(mark.latitude_deg), np.radians(mark.longitude_deg), height, CGCS2000
            )
    return positions


def local_position_ecef_m(national_ecef_m: FloatArray) -> FloatArray:
    """The same point in the undistorted local datum: the exact inverse of the seven parameters."""
    rotation = small_rotation_matrix(
        np.array(ROTATION_ARCSECOND) * ARCSECOND_RAD, RotationConvention.POSITION_VECTOR
    )
    turned = np.linalg.solve((1.0 + SCALE_PPM * 1e-6) * rotation, national_ecef_m - np.array(TRANSLATION_M))
    return np.asarray(turned, dtype=np.float64)


def write_common_point_table(path: Path, seed: int) -> None:
    """Write the common points as CSV."""
    points = []
    for name, national in national_positions_ecef_m().items():
        latitude, longitude, height = (float(v) for v in geodetic_from_ecef(national, CGCS2000))
        generator = random_stream(seed, "common point", name)
        error_enu = generator.standard_normal(3)
        error_enu *= (NOISE_HORIZONTAL_M, NOISE_HORIZONTAL_M, NOISE_HEIGHT_M)
        east, north = np.degrees(longitude) - 120.4, np.degrees(latitude) - 31.3
        error_enu[0] += DISTORTION_M * np.sin(1.9 * north + 0.6 * east)
        error_enu[1] += DISTORTION_M * np.cos(1.4 * east - 0.9 * north)
        if name == BLUNDER_POINT:
            error_enu[1] += BLUNDER_NORTH_M
        shift = error_enu @ enu_from_ecef_matrix(latitude, longitude)
        local = geodetic_from_ecef(local_position_ecef_m(national) + shift, KRASSOVSKY_1940)
        points.append(
            CommonPoint(
                name=name,
                source_geodetic=(float(np.degrees(local[0])), float(np.degrees(local[1])), float(local[2])),
                target_geodetic=(float(np.degrees(latitude)), float(np.degrees(longitude)), height),
                source_plane_m=None,
                target_plane_m=None,
                sigma_horizontal_m=STATED_SIGMA_M,
                sigma_height_m=STATED_SIGMA_HEIGHT_M,
                line_in_file=0,
            )
        )
    write_common_points(path, CommonPoints(SOURCE_DATUM, KRASSOVSKY_1940, TARGET_FRAME, tuple(points)))
