"""Choose earth rotation parameters for a session: the orbits' centre's, else any, as all follow the IERS."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from stations.formats.product_files import ProductFile, ProductKind, of_kind
from stations.records import EarthRotationParameters
from transforms.time_scales import NANOSECONDS, SECONDS_PER_DAY, Epochs

_DAY_NS: Final = SECONDS_PER_DAY * NANOSECONDS
# Rows kept on either side, enough for any interpolation.
_EARTH_ROTATION_MARGIN_DAYS: Final = 10


def choose_earth_rotation(
    files: Sequence[ProductFile], centre: str, first: Epochs, last: Epochs, remarks: list[str]
) -> EarthRotationParameters | None:
    """Earth rotation of a centre where it brackets the session, else the IERS's or another centre's.

    Rows within ten days of the session are kept. What was taken from elsewhere, or that there is nothing, is
    added to `remarks`.
    """
    tables = [f for f in of_kind(files, ProductKind.EARTH_ROTATION) if f.earth_rotation is not None]
    groups: dict[str, list[ProductFile]] = {}
    for file in tables:
        groups.setdefault(file.centre, []).append(file)
    order = sorted(groups, key=lambda code: (code != centre, code != "", code))
    for bracketing in (True, False):
        for code in order:
            joined = _join_earth_rotation(
                [f.earth_rotation for f in groups[code] if f.earth_rotation is not None]
            )
            if bracketing and not _brackets(joined, first, last):
                continue
            if not bracketing and not _reaches(joined, first, last):
                continue
            names = ", ".join(f.path.name for f in groups[code])
            if code != centre:
                remarks.append(f"earth rotation parameters of {names}, common to all centres and no mix")
            return _slice(joined, first, last)
    remarks.append("no earth rotation parameters for this day")
    return None


def _join_earth_rotation(tables: Sequence[EarthRotationParameters]) -> EarthRotationParameters:
    tai_ns, place = np.unique(np.concatenate([t.epochs.tai_ns for t in tables]), return_index=True)
    return EarthRotationParameters(
        epochs=Epochs(tai_ns, tables[0].epochs.scale),
        pole_x_rad=np.concatenate([t.pole_x_rad for t in tables])[place],
        pole_y_rad=np.concatenate([t.pole_y_rad for t in tables])[place],
        ut1_minus_utc_s=np.concatenate([t.ut1_minus_utc_s for t in tables])[place],
        inputs=tuple(dict.fromkeys(i for t in tables for i in t.inputs)),
    )


def _brackets(table: EarthRotationParameters, first: Epochs, last: Epochs) -> bool:
    return bool(table.epochs.tai_ns[0] <= first.tai_ns and table.epochs.tai_ns[-1] >= last.tai_ns)


def _reaches(table: EarthRotationParameters, first: Epochs, last: Epochs) -> bool:
    """Whether the table comes within a day of both ends: the pole moves by less than 0.5 mas in a day."""
    return bool(
        table.epochs.tai_ns[0] <= int(first.tai_ns) + _DAY_NS
        and table.epochs.tai_ns[-1] >= int(last.tai_ns) - _DAY_NS
    )


def _slice(table: EarthRotationParameters, first: Epochs, last: Epochs) -> EarthRotationParameters:
    margin = _EARTH_ROTATION_MARGIN_DAYS * _DAY_NS
    near = (table.epochs.tai_ns >= int(first.tai_ns) - margin) & (
        table.epochs.tai_ns <= int(last.tai_ns) + margin
    )
    return replace(
        table,
        epochs=table.epochs[near],
        pole_x_rad=table.pole_x_rad[near],
        pole_y_rad=table.pole_y_rad[near],
        ut1_minus_utc_s=table.ut1_minus_utc_s[near],
    )
