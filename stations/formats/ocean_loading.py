"""Ocean tide loading in the BLQ format of H.-G. Scherneck's loading service (IERS Conventions 2010, 7.1.2).

Six rows for a station: amplitudes in metres, then phases in degrees, each of radial (up), west and south;
eleven columns M2 S2 N2 K2 K1 O1 P1 Q1 Mf Mm Ssa. Lines that begin with "$$" are remarks; of them the
orders of columns and rows and the name of the model are read.
"""

import math
import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from stations.formats.atomic_write import write_atomically
from stations.formats.compression import compress_for, read_bytes
from stations.formats.text_lines import latin_1_lines
from stations.records import OceanLoading, PathLike
from transforms.errors import FormatError, InputError

TIDES: Final = ("M2", "S2", "N2", "K2", "K1", "O1", "P1", "Q1", "MF", "MM", "SSA")
_ROWS: Final = 6
_MODEL: Final = re.compile(r"\$\$\s*Ocean tide model:\s*(?P<model>.+)", re.IGNORECASE)
_STATION: Final = re.compile(r"  ?(?P<name>[A-Za-z0-9]\S*)(\s.*)?$")
# Loading of the largest ocean tides is 0.1 to 0.15 m (Cornwall, Amazon mouth); phases are within a turn.
_LARGEST_AMPLITUDE_M: Final = 1.0
_LARGEST_PHASE_DEG: Final = 360.0


def read_ocean_loading(path: PathLike) -> dict[str, OceanLoading]:
    """Read a BLQ file, compressed or not: upper-case station name (first word, "ZIMM") -> its loading.

    Of a name that comes twice (the service computes each request anew) the first serves.

    Raises
    ------
    FormatError : another set or order of tides (such as atmospheric loading), a station with other than
        six rows of eleven numbers or with absurd values; with the line
    """
    data, identity = read_bytes(path)
    loading: dict[str, OceanLoading] = {}
    model = ""
    station = ""
    rows: list[list[float]] = []
    number = 0
    for number, line in enumerate(latin_1_lines(data), start=1):
        if line.startswith("$$"):
            match = _MODEL.match(line)
            if match is not None:
                model = match["model"].strip()
            _check_orders(line, path, number)
            continue
        if not line.strip():
            continue
        if not station:
            match = _STATION.match(line)
            if match is None:
                if loading:
                    continue  # the service appends "Errors:" and "Warnings:" after the table
                raise FormatError(path, number, f"expected the name of a station, found {line[:60]!r}")
            name = match["name"].upper()
            station = "" if name in ("ERRORS:", "WARNINGS:") else name
            rows = []
            continue
        rows.append(_row(line.split("$$")[0], station, path, number, is_phase=len(rows) >= _ROWS // 2))
        if len(rows) == _ROWS:
            table = np.array(rows)
            record = OceanLoading(station, table[:3], np.radians(table[3:]), model, (identity,))
            loading.setdefault(station, record)
            station = ""
    if station:
        raise FormatError(path, number, f"cut off: station {station} has {len(rows)} rows, expected {_ROWS}")
    if not loading:
        raise FormatError(path, None, "the file holds no station's ocean loading")
    return loading


def _check_orders(line: str, path: PathLike, number: int) -> None:
    text = line[2:].strip().upper()
    if text.startswith("COLUMN ORDER:"):
        found = tuple(text.removeprefix("COLUMN ORDER:").split())
        if found != TIDES:
            raise FormatError(path, number, f"tides {' '.join(found)}, expected {' '.join(TIDES)}")


def _row(line: str, station: str, path: PathLike, number: int, *, is_phase: bool) -> list[float]:
    try:
        values = [float(word) for word in line.split()]
    except ValueError as error:
        raise FormatError(
            path, number, f"expected 11 numbers of {station}, found {line.strip()!r}"
        ) from error
    if len(values) != len(TIDES):
        raise FormatError(path, number, f"{len(values)} numbers of {station}, expected {len(TIDES)}")
    largest = _LARGEST_PHASE_DEG if is_phase else _LARGEST_AMPLITUDE_M
    if not all(math.isfinite(v) and abs(v) <= largest for v in values):
        unit = "degrees" if is_phase else "m"
        raise FormatError(path, number, f"a value of {station} beyond {largest:g} {unit}: {line.strip()!r}")
    return values


def write_ocean_loading(loadings: Sequence[OceanLoading], path: PathLike) -> None:
    """Write stations' ocean loading as BLQ: amplitudes to 0.01 mm, phases to 0.1 degree; ".gz" compresses.

    All stations must be of one model, which the format names once.
    """
    models = {loading.model for loading in loadings}
    if len(models) != 1:
        raise InputError(f"a BLQ file holds the loading of one ocean model, not of {len(models)}")
    lines = [
        f"$$ Ocean tide model: {models.pop() or 'unknown'}",
        "$$ COLUMN ORDER:  M2  S2  N2  K2  K1  O1  P1  Q1  MF  MM SSA",
        "$$ ROW ORDER:",
        "$$ AMPLITUDES (m)",
        "$$   RADIAL",
        "$$   TANGENTL    EW",
        "$$   TANGENTL    NS",
        "$$ PHASES (deg)",
        "$$   RADIAL",
        "$$   TANGENTL    EW",
        "$$   TANGENTL    NS",
    ]
    for loading in loadings:
        if not np.all(np.isfinite(loading.amplitude_m)) or not np.all(np.isfinite(loading.phase_rad)):
            raise InputError(f"the ocean loading of {loading.station} is not finite: nothing is written")
        degrees = np.degrees(loading.phase_rad)
        degrees = np.where(degrees > 180.0, degrees - 360.0, degrees)  # the service writes -180 to 180
        lines += ["$$", f"  {loading.station}"]
        lines += [
            "  " + "".join(f"{value:7.5f} ".lstrip("0") for value in row).rstrip()
            for row in loading.amplitude_m
        ]
        lines += ["  " + "".join(f"{value:6.1f} " for value in row).rstrip() for row in degrees]
    text = "\n".join([*lines, "$$ END TABLE"]) + "\n"
    write_atomically(path, compress_for(path, text.encode("latin-1", errors="replace")))
