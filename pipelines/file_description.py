"""What a file is and holds, in the words of a surveyor: format, station, span, systems, signals, counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import singledispatch
from typing import Any

import numpy as np

from stations.formats.ionex_records import IonosphereMaps
from stations.formats.meteorology import MeteorologicalObservations
from stations.formats.orbex_writing import OrbexFile
from stations.formats.registry import read_any
from stations.formats.sinex_records import SinexDocument
from stations.formats.site_log_records import SiteLog
from stations.formats.troposphere_sinex import TroposphereDocument
from stations.formats.vienna_mapping import MappingFunctionGrid
from stations.navigation_records import NavigationMessages
from stations.records import (
    AntennaCalibration,
    EarthRotationParameters,
    Observations,
    PathLike,
    SatelliteAttitudes,
    SatelliteClocks,
    SatelliteOrbits,
    SignalBiases,
)
from stations.station_code import station_code
from transforms.time_scales import Epochs

_LETTERS = {"C": "pseudorange_m", "L": "carrier_phase_cycles", "D": "doppler_hz", "S": "cn0_dbhz"}


@dataclass(frozen=True)
class Contents:
    """What a record holds; an empty field says that the format does not tell it.

    first, last : shape (), in the record's time scale; interval_s : most frequent step
    signals : system -> observation codes; counts : what -> how many
    remarks : what a reader left out or found odd
    """

    version: str = ""
    station: str = ""
    receiver: str = ""
    antenna: str = ""
    first: Epochs | None = None
    last: Epochs | None = None
    interval_s: float | None = None
    systems: tuple[str, ...] = ()
    signals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileDescription:
    """A file, its format (name of the registry and title) and its contents."""

    path: str
    format_name: str
    format_title: str
    contents: Contents


def describe_file(path: PathLike) -> FileDescription:
    """Read a file of any format of the registry and say what it holds. Raises FormatError."""
    known, record = read_any(path)
    return FileDescription(str(path), known.name, known.title, contents_of(record))


def description_json(described: FileDescription) -> dict[str, Any]:
    """The object of `jizhun rinex info --json` for one file."""
    held = described.contents
    return {
        "file": described.path,
        "format": described.format_name,
        "title": described.format_title,
        "version": held.version or None,
        "station": held.station or None,
        "receiver": held.receiver or None,
        "antenna": held.antenna or None,
        "first_epoch": None if held.first is None else held.first.iso(),
        "last_epoch": None if held.last is None else held.last.iso(),
        "time_scale": None if held.first is None else str(held.first.scale),
        "interval_s": held.interval_s,
        "systems": list(held.systems),
        "signals": {system: list(codes) for system, codes in held.signals.items()},
        "counts": dict(held.counts),
        "remarks": list(held.remarks),
    }


def _span(epochs: Epochs) -> dict[str, Any]:
    """First, last and interval of epochs, shape (n,), in any order; no interval where no step comes twice."""
    if len(epochs) == 0:
        return {}
    tai_ns = np.sort(epochs.tai_ns)
    steps, counts = np.unique(np.diff(np.unique(tai_ns)), return_counts=True)
    is_regular = steps.size == 1 or (steps.size > 1 and counts.max() > 1)
    return {
        "first": Epochs(tai_ns[0], epochs.scale),
        "last": Epochs(tai_ns[-1], epochs.scale),
        "interval_s": float(steps[np.argmax(counts)]) / 1e9 if is_regular else None,
    }


def _systems(satellites: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({s[0] for s in satellites}))


def _counted(rejections: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(f"{count} x {reason}" for reason, count in rejections.items() if count)


@singledispatch
def contents_of(record: object) -> Contents:
    """What a record holds: of a kind that is not named below, what its usual fields tell."""
    epochs = getattr(record, "epochs", None)
    satellites = tuple(str(s) for s in getattr(record, "satellites", ()) or ())
    counts: dict[str, int] = {}
    if isinstance(epochs, Epochs) and epochs.tai_ns.ndim == 1:
        counts["epochs"] = len(epochs)
    if satellites:
        counts["satellites"] = len(satellites)
    if isinstance(record, tuple | list | Mapping):
        counts["entries"] = len(record)
    return Contents(
        version=str(getattr(record, "version", "") or getattr(record, "rinex_version", "")),
        station=str(getattr(record, "station", "") or getattr(record, "name", "")),
        systems=_systems(satellites),
        counts=counts,
        remarks=tuple(getattr(record, "remarks", ())) + _counted(getattr(record, "rejections", {})),
        **(_span(epochs) if "epochs" in counts and isinstance(epochs, Epochs) else {}),
    )


@contents_of.register
def _(record: Observations) -> Contents:
    header, data = record.header, record.data
    signals: dict[str, tuple[str, ...]] = {}
    n_values = 0
    names = [str(s) for s in data["signal"].values]
    for system in _systems(record.satellites):
        chosen = np.array([s[0] == system for s in record.satellites])
        found: list[str] = []
        for letter, variable in _LETTERS.items():
            if variable in data:
                count = np.isfinite(data[variable].values[:, chosen]).sum(axis=(0, 1))
                n_values += int(count.sum())
                found += [letter + name for name, n in zip(names, count, strict=True) if n]
        signals[system] = tuple(sorted(found, key=lambda code: (code[1:], code[0])))
    tracked = np.isfinite(data["pseudorange_m"].values).any(axis=2)
    tracked |= np.isfinite(data["carrier_phase_cycles"].values).any(axis=2)
    setup = header.setup
    return Contents(
        version=header.rinex_version,
        station=station_code(record),
        receiver=setup.receiver,
        antenna=f"{setup.antenna.name} {setup.antenna.radome}".strip() if setup.antenna.name else "",
        systems=_systems(record.satellites),
        signals=signals,
        counts={
            "epochs": len(record.epochs),
            "satellites": len(record.satellites),
            "satellite_epochs": int(tracked.sum()),
            "observations": n_values,
            "events": len(record.events),
        },
        remarks=_counted(record.rejections),
        **_span(record.epochs),
    )


@contents_of.register
def _(record: MeteorologicalObservations) -> Contents:
    return Contents(
        version=record.rinex_version,
        station=record.station,
        counts={"epochs": len(record.epochs)}
        | {name: int(np.isfinite(values).sum()) for name, values in record.values.items()},
        remarks=_counted(record.rejections),
        **_span(record.epochs),
    )


def _of_table(record: SatelliteOrbits | SatelliteClocks | SatelliteAttitudes, given: Any) -> Contents:
    return Contents(
        systems=_systems(record.satellites),
        counts={
            "epochs": len(record.epochs),
            "satellites": len(record.satellites),
            "records": int(np.sum(given)),
        },
        remarks=tuple(filter(None, (f"of {record.centre}" if record.centre else "",))),
        **_span(record.epochs),
    )


@contents_of.register
def _(record: SatelliteOrbits) -> Contents:
    described = _of_table(record, np.isfinite(record.position_ecef_m).all(axis=-1))
    return replace(described, remarks=(*described.remarks, *record.remarks))


@contents_of.register
def _(record: SatelliteClocks) -> Contents:
    return _of_table(record, np.isfinite(record.clock_s))


@contents_of.register
def _(record: OrbexFile) -> Contents:
    described = Contents() if record.orbits is None else contents_of(record.orbits)
    if record.attitudes is not None:
        given = np.isfinite(record.attitudes.quaternion_body_from_ecef).all(axis=-1)
        if record.orbits is None:
            described = _of_table(record.attitudes, given)
        described = replace(described, counts={**described.counts, "attitudes": int(given.sum())})
    left_out = (f"{kind} are not read" for kind in record.record_types_left_out)
    rejected = {} if record.attitudes is None else record.attitudes.rejections
    return replace(described, remarks=(*described.remarks, *_counted(rejected), *left_out))


@contents_of.register
def _(record: IonosphereMaps) -> Contents:
    return Contents(
        counts={
            "maps": len(record.epochs),
            "latitudes": record.latitude_deg.size,
            "longitudes": record.longitude_deg.size,
            "heights": record.height_m.size,
        },
        remarks=record.remarks,
        **_span(record.epochs),
    )


@contents_of.register
def _(record: EarthRotationParameters) -> Contents:
    return Contents(counts={"days": len(record.epochs)}, **_span(record.epochs))


@contents_of.register
def _(record: SinexDocument) -> Contents:
    header = record.header
    stations = {site.code for site in record.sites}
    return Contents(
        version=header.version,
        station=next(iter(stations)) if len(stations) == 1 else "",
        first=header.data_start,
        last=header.data_end,
        counts={
            "sites": len(record.sites),
            "receivers": len(record.receivers),
            "antennas": len(record.antennas),
            "estimates": len(record.estimates),
            "covariances": 0 if record.covariance is None else int(record.covariance.size),
            "discontinuities": len(record.discontinuities),
        },
        remarks=(
            *record.remarks,
            *(f"block {name} is not read" for name in record.blocks_left_out),
        ),
    )


@contents_of.register
def _(record: NavigationMessages) -> Contents:
    kinds = [*record.kepler.message, *record.state_vectors.message]
    tai_ns = np.concatenate([record.kepler.time_of_clock.tai_ns, record.state_vectors.epoch.tai_ns])
    by_kind = {f"{kind} messages": kinds.count(kind) for kind in sorted(set(map(str, kinds)))}
    return Contents(
        version=record.rinex_version,
        systems=_systems(record.satellites),
        counts={"satellites": len(record.satellites), "messages": len(kinds)} | by_kind,
        remarks=_counted(record.rejections),
        **(_span(Epochs(tai_ns)) | {"interval_s": None}),
    )


@contents_of.register
def _(record: TroposphereDocument) -> Contents:
    series = record.series
    names = sorted({s.station for s in series})
    spans = [Epochs(np.concatenate([s.epochs.tai_ns for s in series]))] if series else []
    return Contents(
        version=record.version,
        station=names[0] if len(names) == 1 else "",
        counts={"stations": len(names), "epochs": sum(len(s.epochs) for s in series)},
        remarks=_counted(record.rejections),
        **(_span(spans[0]) if spans else {}),
    )


@contents_of.register
def _(record: MappingFunctionGrid) -> Contents:
    return Contents(
        version=record.kind,
        first=record.epoch,
        last=record.epoch,
        counts={"latitudes": record.latitude_deg.size, "longitudes": record.longitude_deg.size},
    )


@contents_of.register
def _(record: SiteLog) -> Contents:
    return Contents(
        version=record.version,
        station=record.name,
        receiver=record.receivers[-1].kind,
        antenna=f"{record.antennas[-1].antenna.name} {record.antennas[-1].antenna.radome}",
        counts={
            "receivers": len(record.receivers),
            "antennas": len(record.antennas),
            "local ties": len(record.local_ties),
        },
        remarks=record.remarks,
    )


@contents_of.register
def _(record: SignalBiases) -> Contents:
    biases = record.biases
    satellites = tuple(sorted({b.satellite for b in biases if b.satellite}))
    signals: dict[str, set[str]] = {}
    for bias in biases:
        if bias.satellite:
            signals.setdefault(bias.satellite[0], set()).update(
                filter(None, (bias.signal, bias.second_signal))
            )
    return Contents(
        first=min((b.valid_from for b in biases), key=lambda e: int(e.tai_ns)),
        last=max((b.valid_until for b in biases), key=lambda e: int(e.tai_ns)),
        systems=_systems(satellites),
        signals={system: tuple(sorted(found)) for system, found in sorted(signals.items())},
        counts={
            "biases": len(biases),
            "satellites": len(satellites),
            "stations": len({b.station for b in biases if b.station}),
        },
        remarks=tuple(filter(None, (f"of {record.centre}" if record.centre else "",))),
    )


@contents_of.register(tuple)
def _(record: tuple[object, ...]) -> Contents:
    antennas = [item for item in record if isinstance(item, AntennaCalibration)]
    if len(antennas) < len(record):
        return Contents(counts={"entries": len(record)})
    on_satellites = sum(
        1 for a in antennas if a.zenith_rad.max() < np.pi / 4
    )  # nadir angles end at 14-17 deg
    return Contents(
        counts={
            "antennas": len(antennas),
            "on satellites": on_satellites,
            "of receivers": len(antennas) - on_satellites,
        },
        systems=tuple(sorted({code[0] for a in antennas for code in a.frequencies})),
    )


@contents_of.register(Mapping)
def _(record: Mapping[str, object]) -> Contents:
    names = list(record)
    return Contents(station=names[0] if len(names) == 1 else "", counts={"stations": len(names)})
