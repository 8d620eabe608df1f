"""Write RINEX files anew: joined, cut, thinned, in another version, packing and name, with edited headers."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal, cast

import numpy as np

from pipelines.rinex_header_edits import HeaderChange, HeaderEdits, edit_header
from stations.formats.compression import is_compact
from stations.formats.fixed_width import BoolArray, IntArray
from stations.formats.meteorology import MeteorologicalObservations, read_meteorology, write_meteorology
from stations.formats.registry import recognise
from stations.formats.rinex2_adaptation import carried_by_rinex2
from stations.formats.rinex_navigation import read_navigation
from stations.formats.rinex_navigation_writing import NavigationVersion, write_navigation
from stations.formats.rinex_observation import read_observations, write_observations
from stations.formats.rinex_observation_file_names import long_name, short_name
from stations.formats.rinex_observation_header_writing import kept_lines
from stations.navigation_records import NavigationMessages
from stations.records import Observations
from stations.station_code import station_code
from transforms.errors import InputError
from transforms.time_scales import NANOSECONDS, Epochs

RinexVersion = Literal["2.11", "2.12", "3.05", "4.02"]
Packing = Literal["none", "gz", "bz2", "zip", "Z"]
_OBSERVATIONS: Final = "rinex-observation"
_METEOROLOGY: Final = "rinex-meteorology"
_NAVIGATION: Final = "rinex-navigation"
_KINDS: Final = {
    _OBSERVATIONS: "observations",
    _METEOROLOGY: "meteorology",
    _NAVIGATION: "navigation messages",
}
_ENDING: Final = re.compile(r"\.(rnx|crx|\d\d[a-z])(\.(gz|bz2|zip|z))?$", re.IGNORECASE)
_REPEATED: Final = "epoch that another file gives too"


@dataclass(frozen=True)
class Conversion:
    """What a converted file is to hold: None takes what the files have.

    first, last : both included; of navigation messages the times of their clocks
    packing, compact : for a name made by the standard; a given name tells them by its ending
    """

    version: RinexVersion = "3.05"
    interval_s: float | None = None
    systems: str | None = None
    first: Epochs | None = None
    last: Epochs | None = None
    strict: bool = False
    edits: HeaderEdits = field(default_factory=HeaderEdits)
    packing: Packing = "none"
    compact: bool = False

    def wanted(self, epochs: Epochs) -> BoolArray:
        """Which epochs are in the time span, shape (n,)."""
        wanted = np.ones(len(epochs), dtype=np.bool_)
        if self.first is not None:
            wanted &= epochs.tai_ns >= int(self.first.tai_ns)
        if self.last is not None:
            wanted &= epochs.tai_ns <= int(self.last.tai_ns)
        return wanted


@dataclass(frozen=True)
class Converted:
    """A written file, what it holds, what was changed in its header, and what was left out or odd."""

    path: Path
    record: Observations | MeteorologicalObservations | NavigationMessages
    changes: tuple[HeaderChange, ...]
    left_out: Mapping[str, int]
    remarks: tuple[str, ...]


def convert_files(
    files: Sequence[Path], out: Path, conversion: Conversion, *, replace_existing: bool = False
) -> Converted:
    """Write RINEX files of one station anew as one, whole or not at all; inputs are never changed.

    Parameters
    ----------
    files : of one kind: observations, meteorology or navigation
    out : file to write, whose ending packs it; or a folder, in which the name follows the standard
    replace_existing : overwrite the file where it exists

    Raises FormatError and InputError: as the readers and writers; files of several kinds; what was asked
    does not fit the kind; the file exists or is an input.
    """
    kinds = {file: recognise(file).name for file in files}
    for file, kind in kinds.items():
        if kind not in _KINDS:
            raise InputError(f"{file}: of the format {kind}; {', '.join(_KINDS)} can be converted")
    if len(set(kinds.values())) > 1:
        words = ", ".join(f"{file} ({_KINDS[kind]})" for file, kind in kinds.items())
        raise InputError(f"files of several kinds make no one file: {words}")
    kind = kinds[files[0]]
    if not out.is_dir():
        _require_ending(out, kind)
        _require_free(out, files, replace_existing)  # before the reading, which may take long
    if kind == _OBSERVATIONS:
        converted = _convert_observations(files, out, conversion)
    elif kind == _METEOROLOGY:
        converted = _convert_meteorology(files, out, conversion)
    else:
        converted = _convert_navigation(files, out, conversion)
    _require_free(converted.path, files, replace_existing)
    _write(converted, conversion)
    return converted


def _write(converted: Converted, conversion: Conversion) -> None:
    record, path = converted.record, converted.path
    if isinstance(record, Observations):
        write_observations(record, path, version=conversion.version)
    elif isinstance(record, MeteorologicalObservations):
        write_meteorology(record, path, version=conversion.version)
    else:
        write_navigation(record, path, cast(NavigationVersion, conversion.version), leave_out=True)


def _require_ending(out: Path, kind: str) -> None:
    if _ENDING.search(out.name) is None:
        raise InputError(
            f"{out}: the ending says how to pack the file; it must be .rnx, .crx or one like .26o and .26d, "
            "and may be followed by .gz, .bz2, .zip or .Z; or name a folder that is there"
        )
    if is_compact(out) and kind != _OBSERVATIONS:
        raise InputError(f"{out}: Compact RINEX is for observations, not for {_KINDS[kind]}")


def _require_free(path: Path, files: Sequence[Path], replace_existing: bool) -> None:
    if path.exists():
        if any(path.samefile(file) for file in files):
            raise InputError(f"{path}: is an input; an input is never overwritten")
        if not replace_existing:
            raise InputError(f"{path}: exists already; say --replace to overwrite it")


def _convert_observations(files: Sequence[Path], out: Path, conversion: Conversion) -> Converted:
    read = read_observations(
        list(files),
        systems=conversion.systems,
        interval_s=conversion.interval_s,
        first=conversion.first,
        last=conversion.last,
        strict=conversion.strict,
    )
    observations, changes, remarks = edit_header(read, conversion.edits)
    _, foreign = kept_lines(observations.header, conversion.version)
    remarks += tuple(
        f"RINEX {conversion.version} has no {line[60:].strip()}, left out: {' '.join(line[:60].split())}"
        for line in foreign
    )
    if conversion.version.startswith("2"):
        compact = conversion.compact if out.is_dir() else is_compact(out)
        observations = carried_by_rinex2(observations, conversion.version, compact=compact)
        remarks += _renamed(read, observations, conversion.version)
    systems = sorted({s[0] for s in observations.satellites})
    letter = systems[0] if len(systems) == 1 else "M"
    epochs = observations.epochs
    path = _path(
        out,
        conversion,
        station_code(observations),
        (epochs[0], epochs[-1]),
        observations.interval_s,
        (f"{letter}O", "O"),
        observations,
    )
    return Converted(path, observations, changes, observations.rejections, remarks)


def _renamed(before: Observations, after: Observations, version: str) -> tuple[str, ...]:
    """Which channels RINEX 2 does not tell apart any more."""
    signals = set(map(str, after.data["signal"].values)) - set(map(str, before.data["signal"].values))
    if not signals:
        return ()
    words = ", ".join(sorted(signals))
    return (f"RINEX {version} does not tell the channels tracked: they will be read as {words}",)


def _convert_meteorology(files: Sequence[Path], out: Path, conversion: Conversion) -> Converted:
    _require_plain(conversion, "meteorology", systems=False)
    parts = sorted((read_meteorology(file) for file in files), key=lambda m: int(m.epochs.tai_ns[0]))
    stations = sorted({part.station.upper() for part in parts})
    if len(stations) > 1:
        raise InputError(f"meteorology of several stations: {', '.join(stations)}")
    if conversion.strict and any(part.rejections for part in parts):
        words = "; ".join(f"{n} x {r}" for part in parts for r, n in part.rejections.items())
        raise InputError(f"{', '.join(map(str, files))}: {words}")
    tai_ns, rows = np.unique(np.concatenate([p.epochs.tai_ns for p in parts]), return_index=True)
    rejections = Counter[str]()
    for part in parts:
        rejections.update(part.rejections)
    rejections[_REPEATED] += sum(len(p.epochs) for p in parts) - tai_ns.size
    keep = conversion.wanted(Epochs(tai_ns))
    if conversion.interval_s is not None:
        keep &= _on_interval(tai_ns, conversion.interval_s)
    if not keep.any():
        raise InputError(f"{', '.join(map(str, files))}: no epoch in what was asked for")
    names = list(dict.fromkeys(name for part in parts for name in part.values))
    values = {
        name: np.concatenate([p.values.get(name, np.full(len(p.epochs), np.nan)) for p in parts])[rows][keep]
        for name in names
    }
    sensors = {sensor.quantity: sensor for part in reversed(parts) for sensor in part.sensors}
    joined = replace(
        parts[0],
        epochs=Epochs(tai_ns[keep]),
        values=values,
        sensors=tuple(sensors[name] for name in names if name in sensors),
        rejections=dict(+rejections),
        inputs=tuple(i for p in parts for i in p.inputs),
    )
    steps = np.diff(joined.epochs.tai_ns)
    interval_s = float(np.median(steps)) / NANOSECONDS if steps.size else 0.0
    span = (joined.epochs[0], joined.epochs[-1])
    path = _path(out, conversion, joined.station, span, interval_s, ("MM", "M"), joined)
    return Converted(path, joined, (), joined.rejections, ())


def _on_interval(tai_ns: IntArray, interval_s: float) -> BoolArray:
    """Which epochs are at multiples of the interval in GPST."""
    origin_ns = int(Epochs.from_datetime64(np.datetime64("1980-01-06T00:00:00", "ns")).tai_ns)
    return np.asarray((tai_ns - origin_ns) % round(interval_s * NANOSECONDS) == 0)


def _convert_navigation(files: Sequence[Path], out: Path, conversion: Conversion) -> Converted:
    _require_plain(conversion, "navigation messages", interval=False)
    messages = read_navigation(list(files), systems=conversion.systems, strict=conversion.strict)
    kepler, states = messages.kepler, messages.state_vectors
    chosen = replace(
        messages,
        kepler=_rows(kepler, conversion.wanted(kepler.time_of_clock)),
        state_vectors=_rows(states, conversion.wanted(states.epoch)),
    )
    tai_ns = np.concatenate([chosen.kepler.time_of_clock.tai_ns, chosen.state_vectors.epoch.tai_ns])
    if tai_ns.size == 0:
        raise InputError(f"{', '.join(map(str, files))}: no navigation message in what was asked for")
    systems = sorted({s[0] for s in chosen.satellites})
    letter = systems[0] if len(systems) == 1 else "M"
    station = files[0].name[:9] if files[0].name[9:10] == "_" else files[0].name[:4]
    span = (Epochs(tai_ns.min()), Epochs(tai_ns.max()))
    path = _path(out, conversion, station, span, 0.0, (f"{letter}N", "G" if letter == "R" else "N"), chosen)
    return Converted(path, chosen, (), chosen.rejections, ())


def _rows(table: Any, chosen: BoolArray) -> Any:
    """Rows of a table of columns."""
    if chosen.all():
        return table
    columns: dict[str, Any] = {}
    for name, value in vars(table).items():
        if isinstance(value, Epochs):
            columns[name] = value[chosen]
        elif isinstance(value, Mapping):
            columns[name] = {key: column[chosen] for key, column in value.items()}
        else:
            columns[name] = value[chosen]
    return replace(table, **columns)


def _require_plain(conversion: Conversion, what: str, *, systems: bool = True, interval: bool = True) -> None:
    """Refuse what has no meaning for a kind of file."""
    if conversion.edits.asked():
        raise InputError(f"headers are edited of observations, not of {what}")
    if conversion.systems is not None and not systems:
        raise InputError(f"{what}: there are no satellite systems to choose")
    if conversion.interval_s is not None and not interval:
        raise InputError(f"{what}: there is no interval to thin out to")
    if conversion.version == "2.12":
        raise InputError(f"{what}: written as 2.11, 3.05 or 4.02, not 2.12")
    if conversion.compact:
        raise InputError(f"{what}: Compact RINEX is for observations")


def _path(
    out: Path,
    conversion: Conversion,
    station: str,
    span: tuple[Epochs, Epochs],
    interval_s: float,
    kinds: tuple[str, str],
    record: Observations | MeteorologicalObservations | NavigationMessages,
) -> Path:
    """The file to write: as given, or by the standard in a folder. kinds : of a long and of a short name."""
    if not out.is_dir():
        return out
    first, last = span
    if conversion.version.startswith("2"):
        name = short_name(station, first, last, interval_s, kinds[1], compact=conversion.compact)
    else:
        name = long_name(
            station, first, last, interval_s, kinds[0], inputs=record.inputs, compact=conversion.compact
        )
    return out / (name if conversion.packing == "none" else f"{name}.{conversion.packing}")
