"""Control stations from a CSV table, or from the [[control]] tables of a TOML file such as a REGION.toml."""

import tomllib
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import ValidationError

from datum.formats.csv_table import CsvRow, check_unique, read_bytes, read_table
from datum.records import ControlStation
from pipelines.settings import ControlSettings
from transforms.errors import FormatError
from transforms.time_scales import Epochs

COLUMNS: Final = ("station", "frame", "epoch", "x_m", "y_m", "z_m")
VELOCITY_COLUMNS: Final = ("vx_m_per_yr", "vy_m_per_yr", "vz_m_per_yr")
SIGMA_COLUMNS: Final = ("sigma_east_m", "sigma_north_m", "sigma_up_m")
GREATEST_COORDINATE_M: Final = 6.5e6  # no point of the Earth's surface is farther from its centre
GREATEST_VELOCITY_M_PER_YR: Final = 1.0  # plates move by less than 0.2 m a year
GREATEST_SIGMA_M: Final = 10.0
SMALLEST_SIGMA_M: Final = 1e-5


def read_control(path: Path) -> tuple[ControlStation, ...]:
    """Read control stations; raises FormatError naming file, line and column or key."""
    if path.suffix.lower() == ".toml":
        return _from_toml(path)
    rows, _ = read_table(path, required=COLUMNS, optional=(*VELOCITY_COLUMNS, *SIGMA_COLUMNS))
    check_unique(rows, "station")
    return tuple(_from_row(row) for row in rows)


def _from_row(row: CsvRow) -> ControlStation:
    text = row.text("epoch")
    try:
        epoch = Epochs.from_datetime64(np.datetime64(text, "ns"))
    except ValueError:
        raise row.error("epoch", f"{text!r} is no ISO time") from None
    limit = GREATEST_COORDINATE_M
    default = ControlSettings.model_fields["sigma_enu_m"].default
    east, north, up = (
        row.optional_number(name, SMALLEST_SIGMA_M, GREATEST_SIGMA_M) or float(value)
        for name, value in zip(SIGMA_COLUMNS, default, strict=True)
    )
    speed = GREATEST_VELOCITY_M_PER_YR
    velocity = [row.optional_number(name, -speed, speed) for name in VELOCITY_COLUMNS]
    given = [value for value in velocity if value is not None]
    if given and len(given) != len(velocity):
        raise row.error(VELOCITY_COLUMNS[velocity.index(None)], "is empty, and the others are given")
    return ControlStation(
        station=row.text("station"),
        frame=row.text("frame"),
        epoch=epoch,
        position_ecef_m=np.array([row.number(name, -limit, limit) for name in ("x_m", "y_m", "z_m")]),
        velocity_m_per_yr=np.array(given) if given else None,
        sigma_enu_m=(east, north, up),
    )


def _from_toml(path: Path) -> tuple[ControlStation, ...]:
    try:
        content: dict[str, Any] = tomllib.loads(read_bytes(path).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(path, None, f"not TOML: {error}") from None
    tables = content.get("control")
    if not isinstance(tables, list) or not tables:
        raise FormatError(path, None, "holds no [[control]] table")
    stations = []
    for number, table in enumerate(tables, start=1):
        try:
            settings = ControlSettings.model_validate(table)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise FormatError(path, None, f"[[control]] {number}, {key}: {first['msg']}") from None
        stations.append(
            ControlStation(
                station=settings.station,
                frame=settings.frame,
                epoch=Epochs.from_datetime64(np.datetime64(settings.epoch, "ns")),
                position_ecef_m=np.array(settings.position_ecef_m),
                velocity_m_per_yr=None
                if settings.velocity_m_per_yr is None
                else np.array(settings.velocity_m_per_yr),
                sigma_enu_m=(settings.sigma_enu_m[0], settings.sigma_enu_m[1], settings.sigma_enu_m[2]),
            )
        )
    return tuple(stations)
