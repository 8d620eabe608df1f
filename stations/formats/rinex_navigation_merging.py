"""Navigation messages of several files made one record: hours of a day, stations of a network."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from stations.formats.rinex_navigation_tables import REPEATED, table_order
from stations.navigation_records import (
    BroadcastEarthOrientation,
    IonosphereModel,
    KeplerEphemerides,
    NavigationMessages,
    StateVectorEphemerides,
    SystemTimeOffset,
)
from transforms.errors import InputError
from transforms.time_scales import Epochs

_SENT: Final = ("transmission_s_of_week", "message_frame_time_s")
_Table = TypeVar("_Table", KeplerEphemerides, StateVectorEphemerides)
_System = TypeVar("_System", IonosphereModel, SystemTimeOffset, BroadcastEarthOrientation)


def merge_navigation(parts: Sequence[NavigationMessages]) -> NavigationMessages:
    """Join records, each message once, whoever received it and whenever it was sent.

    Messages that differ in their time of transmission alone are one message; the earliest stays. Those that
    were left out are counted in `rejections`. Version and leap seconds are those of the first record that
    tells them; records of several major versions may be joined, the highest counts.

    Raises InputError where there is nothing to join.
    """
    if not parts:
        raise InputError("no navigation messages to join")
    kepler, again = _joined([p.kepler for p in parts], KeplerEphemerides)
    state_vectors, again_too = _joined([p.state_vectors for p in parts], StateVectorEphemerides)
    rejections: dict[str, int] = {}
    for part in parts:
        for reason, count in part.rejections.items():
            rejections[reason] = rejections.get(reason, 0) + count
    if again + again_too:
        rejections[REPEATED] = rejections.get(REPEATED, 0) + again + again_too
    return NavigationMessages(
        rinex_version=max(p.rinex_version for p in parts),
        kepler=kepler,
        state_vectors=state_vectors,
        ionosphere=unique_records([i for p in parts for i in p.ionosphere]),
        time_offsets=unique_records([t for p in parts for t in p.time_offsets], without=_SENT),
        earth_orientation=unique_records([e for p in parts for e in p.earth_orientation], without=_SENT),
        leap_seconds=next((p.leap_seconds for p in parts if p.leap_seconds is not None), None),
        rejections=dict(sorted(rejections.items())),
        damage=tuple(d for p in parts for d in p.damage),
        inputs=tuple(i for p in parts for i in p.inputs),
    )


def unique_records(records: Iterable[_System], without: Sequence[str] = ()) -> tuple[_System, ...]:
    """Records of a whole system, each once; the fields `without` may differ. The first of each stays."""
    found: dict[Hashable, _System] = {}
    for record in records:
        key = tuple(
            int(value.tai_ns) if isinstance(value, Epochs) else value
            for value in (getattr(record, f.name) for f in fields(record) if f.name not in without)
        )
        found.setdefault(key, record)
    return tuple(found.values())


def _joined(tables: Sequence[_Table], kind: type[_Table]) -> tuple[_Table, int]:
    """One table, sorted, and how many messages were left out because they came again."""
    columns: dict[str, Any] = {}
    for field in fields(kind):
        values = [getattr(table, field.name) for table in tables]
        if isinstance(values[0], Epochs):
            columns[field.name] = Epochs(np.concatenate([v.tai_ns for v in values]))
        elif isinstance(values[0], Mapping):
            columns[field.name] = _joined_mappings(values, [len(table) for table in tables])
        else:
            columns[field.name] = np.concatenate(values)
    whole = kind(**columns)
    if not len(whole):
        return whole, 0
    sent = _transmission(whole)
    order = table_order(whole.satellite, whole.message, *_times(whole), sent)
    rows = order[_first_of_each(whole, order, sent)]
    return _taken(whole, rows), order.size - rows.size


def _joined_mappings(
    mappings: Sequence[Mapping[str, NDArray[np.float64]]], lengths: Sequence[int]
) -> dict[str, NDArray[np.float64]]:
    names = sorted({name for mapping in mappings for name in mapping})
    pairs = list(zip(mappings, lengths, strict=True))
    return {name: np.concatenate([m.get(name, np.full(n, np.nan)) for m, n in pairs]) for name in names}


def _times(table: KeplerEphemerides | StateVectorEphemerides) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if isinstance(table, KeplerEphemerides):
        return table.time_of_clock.tai_ns, table.time_of_ephemeris.tai_ns
    return table.epoch.tai_ns, table.epoch.tai_ns


def _transmission(table: KeplerEphemerides | StateVectorEphemerides) -> NDArray[np.float64]:
    """Second of the week or day at which each message was sent, infinite where unknown."""
    sent = np.full(len(table), np.nan)
    for name in _SENT:
        told = getattr(table, name, None)
        told = table.further.get(name, sent) if told is None else told
        sent = np.where(np.isnan(sent), told, sent)
    return np.where(np.isnan(sent), np.inf, sent)


def _first_of_each(
    table: KeplerEphemerides | StateVectorEphemerides, order: NDArray[np.intp], sent: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Places in `order`, increasing, of each message's earliest transmission."""
    numbers: list[NDArray[np.float64]] = []
    for field in fields(table):
        value = getattr(table, field.name)
        if isinstance(value, Mapping):
            numbers += [column for name, column in value.items() if name not in _SENT]
        elif isinstance(value, np.ndarray) and value.dtype.kind == "f" and field.name not in _SENT:
            numbers += list(value.reshape(len(table), -1).T)
    kind = np.unique(np.char.add(table.satellite, table.message), return_inverse=True)[1]
    # Bits are compared: one NaN, one zero, and whole numbers beside the reals.
    reals = np.stack([np.where(np.isnan(n), np.nan, n + 0.0) for n in numbers], axis=1).view(np.int64)
    whole = np.stack([kind, *_times(table)], axis=1)
    key = np.ascontiguousarray(np.concatenate([reals, whole], axis=1)[order])
    same = np.unique(key.view(np.dtype((np.void, key.dtype.itemsize * key.shape[1]))), return_inverse=True)[1]
    by_time = np.lexsort((np.arange(order.size), sent[order], same.ravel()))
    first = np.concatenate([[True], np.diff(same.ravel()[by_time]) != 0])
    return np.sort(by_time[first])


def _taken(table: _Table, rows: NDArray[np.intp]) -> _Table:
    changes: dict[str, Any] = {}
    for field in fields(table):
        value = getattr(table, field.name)
        if isinstance(value, Epochs):
            changes[field.name] = Epochs(value.tai_ns[rows], value.scale)
        elif isinstance(value, Mapping):
            changes[field.name] = {name: column[rows] for name, column in value.items()}
        else:
            changes[field.name] = value[rows]
    return replace(table, **changes)
