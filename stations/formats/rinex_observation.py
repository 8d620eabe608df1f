"""Observations from RINEX 2.10-2.12, 3.00-3.05 and 4.00-4.02 files, compressed in any usual way or plain.

Files are decoded by columns, all satellites of a system at once; no step of Python is taken for a single
satellite or value (RINEX 2: one for each epoch). Epochs are integers of nanoseconds from the start.

Phase: RINEX asks since 3.01 that the encoder has applied the shifts listed under SYS / PHASE SHIFT
(RINEX 3.05, section 9.1: the header tells what was applied), so the values are taken as they stand.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from stations.formats.compression import read_bytes
from stations.formats.fixed_width import BoolArray, IntArray, split_lines
from stations.formats.rinex_decoding import VARIABLE_OF_LETTER, SystemObservations, decode_records
from stations.formats.rinex_header import ObservationFileHeader, read_header
from stations.formats.rinex_layout import EventRecord, find_records, order_of_epochs
from stations.formats.rinex_observation_writing import write_observations
from stations.formats.satellite_names import satellite_name
from stations.records import (
    OBSERVATION_VARIABLES,
    InputFile,
    ObservationEvent,
    Observations,
    PathLike,
    check_observations,
)
from transforms.errors import FormatError, InputError
from transforms.time_scales import NANOSECONDS, Epochs, TimeScale

__all__ = ["read_observations", "write_observations"]

# Epochs this near to a multiple of the interval count as on it: receivers that do not steer their clock
# tag epochs up to a millisecond or a few off the full second.
_DECIMATION_TOLERANCE_NS: Final = 5_000_000
_LONG_NAME_LENGTH: Final = 9  # IGS: four letters, marker and receiver number, country

_EVENT_WORDS: Final = {
    1: "power failure between the previous and this epoch",
    2: "antenna starts to move",
    3: "new site occupation",
    4: "header information",
    5: "external event",
    6: "cycle slip records",
}


@dataclass(frozen=True, eq=False)
class _File:
    header: ObservationFileHeader
    epoch_tai_ns: IntArray
    epoch_reading_ns: IntArray  # in the file's own scale
    parts: tuple[SystemObservations, ...]
    events: tuple[ObservationEvent, ...]
    rejections: Counter[str]
    identity: InputFile


def read_observations(
    paths: PathLike | Iterable[PathLike],
    *,
    systems: Iterable[str] | None = None,
    interval_s: float | None = None,
) -> Observations:
    """Read the observations of one station.

    Parameters
    ----------
    paths : one file or several of the same station, in any order
    systems : letters of the systems to take, such as "GEC"; None takes all
    interval_s : take only epochs at multiples of this (within 5 ms) in the files' own time scale; None
        takes all

    Returns
    -------
    Observations in GPST whatever time system the files use. Signals have their RINEX 3 names, whatever
    the version (`rinex2_codes`); B1I written as band 1 (RINEX 3.02) is band 2. Values of 0 and blanks are
    missing. `rejections` counts what was not taken over, by reason.

    Raises
    ------
    FormatError : a file is missing, damaged, no observation file, or without a readable epoch
    InputError : files of several stations; nothing left of the asked systems or interval
    """
    files = [
        _read_file(path, None if systems is None else frozenset("".join(systems)))
        for path in ([paths] if isinstance(paths, str | Path) else list(paths))
    ]
    if not files:
        raise InputError("no observation file was given")
    if interval_s is not None and not interval_s > 0.0:
        raise InputError(f"an interval of {interval_s} s was asked for; it must be above 0")
    files.sort(key=lambda f: int(f.epoch_tai_ns.min()))
    _require_one_station(files)
    rejections: Counter[str] = Counter()
    for file in files:
        rejections.update(file.rejections)
    tai_ns = np.concatenate([f.epoch_tai_ns for f in files])
    keep, duplicates, misordered = order_of_epochs(tai_ns)
    rejections["duplicate epoch"] += duplicates
    rejections["epoch out of order"] += misordered
    if interval_s is not None:
        keep &= _on_interval(np.concatenate([f.epoch_reading_ns for f in files]), interval_s)
    data = _assemble(files, tai_ns, keep, rejections)
    if data.sizes["satellite"] == 0:
        wanted = "" if systems is None else f" of the systems {''.join(systems)}"
        raise InputError(f"{', '.join(str(f.identity.path) for f in files)}: no observations{wanted}")
    check_observations(data)
    events = sorted(
        (e for f in files for e in f.events),
        key=lambda e: -1 if e.epoch is None else int(e.epoch.tai_ns),
    )
    return Observations(
        data=data,
        header=files[0].header.station_header(),
        events=tuple(events),
        rejections=dict(sorted((+rejections).items())),
        inputs=tuple(f.identity for f in files),
    )


def _read_file(path: PathLike, systems: frozenset[str] | None) -> _File:
    data, identity = read_bytes(path)
    lines = split_lines(data)
    header, first_line = read_header(lines, str(path))
    layout = find_records(lines, first_line, header, str(path))
    if layout.epoch_ns.size == 0:
        reasons = (
            ", ".join(f"{n} x {r}" for r, n in layout.rejections.items()) or "nothing follows the header"
        )
        raise FormatError(path, None, f"no epoch of observations could be read ({reasons})")
    scale = header.time_scale()
    rejections = layout.rejections
    parts = decode_records(lines, layout, systems, rejections)
    return _File(
        header=header,
        epoch_tai_ns=_tai(layout.epoch_ns, scale),
        epoch_reading_ns=layout.epoch_ns,
        parts=tuple(parts),
        events=tuple(_event(e, scale) for e in layout.events),
        rejections=rejections,
        identity=identity,
    )


def _tai(reading_ns: IntArray, scale: TimeScale) -> IntArray:
    return Epochs.from_datetime64(reading_ns.astype("datetime64[ns]"), scale).tai_ns


def _event(record: EventRecord, scale: TimeScale) -> ObservationEvent:
    epoch = None
    if record.nanoseconds is not None:
        epoch = Epochs(_tai(np.asarray(record.nanoseconds), scale), TimeScale.GPST)
    comments = [line[:60].strip() for line in record.header_lines if line[60:].strip() == "COMMENT"]
    words = _EVENT_WORDS[record.flag] + (f": {'; '.join(c for c in comments if c)}" if any(comments) else "")
    return ObservationEvent(epoch, record.flag, words, record.header_lines, record.line)


def _require_one_station(files: Sequence[_File]) -> None:
    """Refuse files (or events inside them) that name different markers, by name or by number (DOMES)."""
    names: dict[str, str] = {}
    numbers: dict[str, str] = {}
    for file in files:
        path = file.identity.path
        found = [file.header.marker_name]
        found += [
            line[:60].strip()
            for event in file.events
            for line in event.header_lines
            if line[60:].strip() == "MARKER NAME"
        ]
        for name in filter(None, found):
            names.setdefault(name.upper(), f"{name} ({path})")
        if file.header.marker_number:
            number = file.header.marker_number.upper()
            numbers.setdefault(number, f"{file.header.marker_name} {number} ({path})")
    # A nine-character name ("BOR100POL") and the four-character one of the same marker ("BOR1") agree.
    short = {name[:4] if len(name) == _LONG_NAME_LENGTH else name for name in names}
    for different, seen in ((short, names), (set(numbers), numbers)):
        if len(different) > 1:
            raise InputError(f"observations of several stations: {', '.join(seen.values())}")


def _on_interval(reading_ns: IntArray, interval_s: float) -> BoolArray:
    interval_ns = round(interval_s * NANOSECONDS)
    tolerance = min(_DECIMATION_TOLERANCE_NS, interval_ns // 4)
    off = np.mod(reading_ns + tolerance, interval_ns)
    return off <= 2 * tolerance


def _assemble(
    files: Sequence[_File], tai_ns: IntArray, keep: BoolArray, rejections: Counter[str]
) -> xr.Dataset:
    """Scatter the parts of all files into one dense table."""
    order = np.flatnonzero(keep)
    order = order[np.argsort(tai_ns[order], kind="stable")]
    row_of_ordinal = np.full(tai_ns.size, -1, dtype=np.int64)
    row_of_ordinal[order] = np.arange(order.size)
    parts: list[tuple[SystemObservations, IntArray]] = []
    first = 0
    for file in files:
        parts += [(part, row_of_ordinal[first + part.epoch]) for part in file.parts]
        first += file.epoch_tai_ns.size
    all_keys = [part.satellite_key[row >= 0] for part, row in parts]
    satellites = np.unique(np.concatenate(all_keys)) if all_keys else np.empty(0, dtype=np.int64)
    signals = sorted({s for part, _ in parts for s in part.signals})
    shape = (order.size, satellites.size, len(signals))
    letters = {letter for part, _ in parts for letter in part.letters}
    tables: dict[str, NDArray[np.generic]] = {}
    for letter, name in VARIABLE_OF_LETTER.items():
        if letter in letters or letter != "D":
            tables[name] = np.full(shape, np.nan, dtype=OBSERVATION_VARIABLES[name])
    tables["loss_of_lock"] = np.zeros(shape, dtype=np.uint8)
    for part, row in parts:
        kept = np.flatnonzero(row >= 0)
        base = (row[kept] * shape[1] + np.searchsorted(satellites, part.satellite_key[kept])) * shape[2]
        for column, (letter, signal) in enumerate(zip(part.letters, part.signals, strict=True)):
            slot = base + signals.index(signal)
            tables[VARIABLE_OF_LETTER[letter]].reshape(-1)[slot] = part.values[kept, column]
            if letter == "L":
                tables["loss_of_lock"].reshape(-1)[slot] = part.loss_of_lock[kept, column]
    epochs = Epochs(tai_ns[order], TimeScale.GPST)
    dimensions = ("epoch", "satellite", "signal")
    return xr.Dataset(
        {name: (dimensions, table) for name, table in tables.items()},
        coords={
            "epoch": epochs.datetime64(),
            "satellite": np.array([satellite_name(int(k)) for k in satellites], dtype="<U3"),
            "signal": np.array(signals, dtype="<U2"),
        },
    )
