"""Antenna calibrations and ocean loading out of the files that a command or a task names."""

from pathlib import Path

from stations.formats.antex import read_antex
from stations.formats.ocean_loading import read_ocean_loading
from stations.records import AntennaCalibration, OceanLoading


def read_antennas(paths: tuple[Path, ...]) -> tuple[AntennaCalibration, ...]:
    """Calibrations of several ANTEX files in their order: the first that has an antenna serves."""
    return tuple(calibration for path in paths for calibration in read_antex(path))


def station_ocean_loading(path: Path | None, station: str) -> OceanLoading | None:
    """A station's ocean loading out of a BLQ file, None where the file has none of it or no file is given."""
    if path is None:
        return None
    return read_ocean_loading(path).get(station[:4].upper())
