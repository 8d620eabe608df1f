"""Satellites' names and time systems as the files of RINEX, SP3 and ANTEX write them."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.formats.fixed_width import BoolArray, ByteArray, IntArray
from transforms.time_scales import TimeScale

# RINEX 4.02, table 1; "L" is for low earth orbiters in SP3-c and later.
_SYSTEM_LETTERS: Final = np.frombuffer(b"GRECJSIL", dtype=np.uint8)
# System letter of a record that leaves it blank: GPS (SP3-a and RINEX 2, where GPS was alone).
_DEFAULT_SYSTEM: Final = ord("G")

# Time systems of RINEX 4.02 (table A2, TIME OF FIRST OBS) and SP3-d (%c line, columns 10-12). GLONASS
# time is kept in the files as UTC; QZSS and NavIC time agree with GPST in whole seconds.
TIME_SYSTEM: Final = {
    "GPS": TimeScale.GPST,
    "GLO": TimeScale.UTC,
    "GAL": TimeScale.GST,
    "QZS": TimeScale.GPST,
    "BDT": TimeScale.BDT,
    "BDS": TimeScale.BDT,
    "IRN": TimeScale.GPST,
    "UTC": TimeScale.UTC,
    "TAI": TimeScale.TAI,
    "SBA": TimeScale.GPST,
}
# Time system of a file that names none and holds one system only (RINEX 3.05, TIME OF FIRST OBS).
TIME_SYSTEM_OF_SYSTEM: Final = {
    "G": "GPS",
    "R": "GLO",
    "E": "GAL",
    "C": "BDT",
    "J": "QZS",
    "I": "IRN",
    "S": "GPS",
}


def satellite_keys(block: ByteArray, default_system: int = _DEFAULT_SYSTEM) -> tuple[IntArray, BoolArray]:
    """Three bytes for each satellite ("G01", "G 1", "  1") as one sortable integer.

    Parameters
    ----------
    block : shape (n, 3)
    default_system : the letter (as a byte) that a blank first column stands for

    Returns
    -------
    key : (n,), letter * 100 + number; 0 where bad
    bad : (n,), true where this names no satellite
    """
    letter = np.where(block[:, 0] == 32, default_system, block[:, 0]).astype(np.int64)
    tens = np.where(block[:, 1] == 32, ord("0"), block[:, 1]).astype(np.int64) - ord("0")
    ones = block[:, 2].astype(np.int64) - ord("0")
    bad = ~np.isin(letter, _SYSTEM_LETTERS) | (tens < 0) | (tens > 9) | (ones < 0) | (ones > 9)
    bad |= (tens == 0) & (ones == 0)
    return np.where(bad, 0, letter * 100 + tens * 10 + ones), bad


def satellite_name(key: int) -> str:
    """Name of a key of `satellite_keys`, "G01"."""
    return f"{chr(key // 100)}{key % 100:02d}"


def dense_index(keys: NDArray[np.integer]) -> tuple[IntArray, IntArray]:
    """Sorted different keys, and for each key its place among them."""
    different, place = np.unique(keys, return_inverse=True)
    return different.astype(np.int64), place.astype(np.int64)
