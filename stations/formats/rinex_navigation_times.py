"""Time scales of navigation messages, and seconds of a week set beside an epoch."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from stations.formats.fixed_width import FloatArray, IntArray
from transforms.time_scales import NANOSECONDS, SECONDS_PER_DAY, TimeScale

# RINEX 4.02, section 8.3.1: each system's epochs are in its own time; GLONASS messages are in UTC. QZSS, SBAS
# and NavIC time agree with GPST in whole seconds.
TIME_SCALE_OF_SYSTEM: Final[Mapping[str, TimeScale]] = {
    "G": TimeScale.GPST,
    "R": TimeScale.UTC,
    "E": TimeScale.GST,
    "C": TimeScale.BDT,
    "J": TimeScale.GPST,
    "S": TimeScale.GPST,
    "I": TimeScale.GPST,
}
_WEEK_NS: Final = 7 * SECONDS_PER_DAY * NANOSECONDS
# Weeks of GPST, GST and BDT all begin on Sunday at 0 h of their own reading; 1970-01-04 was one.
_SUNDAY_NS: Final = 3 * SECONDS_PER_DAY * NANOSECONDS


def reading_near(epoch_ns: IntArray, second_of_week: FloatArray) -> IntArray:
    """The reading with a second of the week that is within half a week of an epoch; all (n,), ns since 1970.

    Holds over the roll-over of a week and whatever week number a file writes.
    """
    # A double holds a second of the week to 1e-10 s.
    wanted = np.rint(second_of_week * NANOSECONDS).astype(np.int64)
    difference = wanted - second_of_week_ns(epoch_ns)
    return epoch_ns + (difference + _WEEK_NS // 2) % _WEEK_NS - _WEEK_NS // 2


def second_of_week_ns(reading_ns: IntArray) -> IntArray:
    """Nanoseconds since the start of the reading's own week."""
    return np.asarray((reading_ns - _SUNDAY_NS) % _WEEK_NS, dtype=np.int64)
