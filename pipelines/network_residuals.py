"""Series of a combined network's daily residuals: what is left of each day after its alignment."""

from pathlib import Path
from typing import Final

from datum.formats.csv_table import write_table
from datum.records import NetworkSolution

_MILLIMETRES: Final = 1e3


def write_residual_series(path: Path, network: NetworkSolution) -> None:
    """Write station, solution number, day, east, north, up in mm; the same bytes for the same network."""
    number = {(item.station, day): item.solution_number for item in network.stations for day in item.days}
    write_table(
        path,
        ("station", "solution_number", "day", "residual_east_mm", "residual_north_mm", "residual_up_mm"),
        (
            (
                station,
                str(number.get((station, day), "")),
                day,
                *(f"{float(value) * _MILLIMETRES:.2f}" for value in residual),
            )
            for (station, day), residual in sorted(network.day_residual_enu_m.items())
        ),
    )
