"""Daily solutions combined week by week, and the velocities that carry days of years to one epoch."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.network.combine import CombinationOptions, combine_solutions
from datum.records import ControlStation, NetworkSolution
from stations.records import StationSolution
from transforms.frames import frame_named
from transforms.time_scales import Epochs, TimeScale

FloatArray = NDArray[np.float64]

_GPS_START: Final = Epochs.from_datetime64("1980-01-06T00:00:00", TimeScale.GPST)
_SECONDS_PER_WEEK: Final = 604_800
_CODE_LENGTH: Final = 4


def gps_week(epoch: Epochs) -> int:
    """The GPS week of an instant."""
    return int(epoch.seconds_since(_GPS_START) // _SECONDS_PER_WEEK)


def weekly_networks(
    solutions: Sequence[StationSolution], control: Sequence[ControlStation], options: CombinationOptions
) -> dict[int, NetworkSolution]:
    """GPS week -> the network of its days, at their middle epoch. Raises what `combine_solutions` raises."""
    weeks: dict[int, list[StationSolution]] = {}
    for solution in solutions:
        weeks.setdefault(gps_week(solution.epoch), []).append(solution)
    return {
        week: combine_solutions(of_week, control, options=replace(options, epoch=None))
        for week, of_week in sorted(weeks.items())
    }


def velocities_of(
    solutions: Sequence[StationSolution], control: Sequence[ControlStation]
) -> dict[str, FloatArray]:
    """Station -> velocity (3,) of control stations whose frame has the datum of the solutions.

    A name of four characters stands for the one station that begins with it.
    """
    datums = {frame_named(s.frame).datum_of or frame_named(s.frame).name for s in solutions}
    names = sorted({s.station for s in solutions})
    result: dict[str, FloatArray] = {}
    for item in control:
        frame = frame_named(item.frame)
        if item.velocity_m_per_yr is None or (frame.datum_of or frame.name) not in datums:
            continue
        alike = [name for name in names if name == item.station] or [
            name
            for name in names
            if name[:_CODE_LENGTH] == item.station[:_CODE_LENGTH]
            and _CODE_LENGTH in (len(name), len(item.station))
        ]
        if len(alike) == 1:
            result[alike[0]] = item.velocity_m_per_yr
    return result
