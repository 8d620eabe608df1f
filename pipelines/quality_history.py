"""Daily quality rows in the catalogue: what each station's days were worth, kept for years.

    quality/STATION/YEAR.csv     a row a day, sorted; the columns sorted; plain text for any spreadsheet
    objects/ab/cdef...           rows that another run has replaced, by the sha256 of their content

A row is known by the sha256 of its content. The same content is not written again; another content replaces
the day's row, raises its `revision` and names what it replaces, which is kept among the catalogue's objects.
The first four characters of the code name the station, as everywhere. See docs/decisions/0008.
"""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np

from pipelines.catalogue.files import publisher_lock, refused_as_catalogue_error, write_atomically
from pipelines.catalogue.store import ObjectStore
from stations.trends.figures import daily_figures, equipment_of
from stations.trends.records import DailyPositionRow, DailyQuality, Equipment
from transforms.errors import CatalogueError

FOLDER: Final = "quality"
STATION_LENGTH: Final = 4
_KEPT_APART: Final = ("day", "revision", "row_sha256", "replaces_sha256")
_TEXTS: Final = ("station", "verdict", *(f.name for f in fields(Equipment)), "position_frame")
_POSITION: Final = ("position_x_m", "position_y_m", "position_z_m")
_COVARIANCE: Final = tuple(f"position_covariance_{name}_m2" for name in ("xx", "xy", "xz", "yy", "yz", "zz"))
_UPPER: Final = np.triu_indices(3)
_YEAR_FILE: Final = re.compile(r"^(\d{4})\.csv$")
_STATION_FOLDER: Final = re.compile(r"^[A-Z0-9-]{1,4}$")


@dataclass(frozen=True)
class HistoryUpdate:
    """What adding rows came to: days that are new, that replaced another content, that were there already."""

    n_new: int
    n_replaced: int
    n_unchanged: int


def row_from_report(
    report: Mapping[str, Any], station: str, day: date, position: DailyPositionRow | None = None
) -> DailyQuality:
    """A day's row from the object of `jizhun station qc --json`, with the solved position if any."""
    return DailyQuality(
        station, day, report["verdict"], equipment_of(report), daily_figures(report), position
    )


def station_folder(station: str) -> str:
    """Name of a station's folder: its first four characters, free text made safe."""
    name = re.sub(r"[^A-Z0-9]", "-", station.upper()[:STATION_LENGTH])
    if not name:
        raise CatalogueError("a quality row without a station's name")
    return name


@dataclass(frozen=True)
class QualityHistory:
    """The quality rows of a catalogue folder."""

    catalogue: Path

    @property
    def folder(self) -> Path:
        """Where the tables lie."""
        return self.catalogue / FOLDER

    def stations(self) -> tuple[str, ...]:
        """Folders of stations with rows, sorted."""
        if not self.folder.is_dir():
            return ()
        return tuple(
            sorted(p.name for p in self.folder.iterdir() if p.is_dir() and _STATION_FOLDER.match(p.name))
        )

    def add(self, rows: Iterable[DailyQuality]) -> HistoryUpdate:
        """Add rows, a day's later content in place of the earlier.

        Raises CatalogueError where the catalogue cannot be written or a table is damaged.
        """
        by_table: dict[tuple[str, int], dict[str, dict[str, str]]] = {}
        for row in rows:
            table = by_table.setdefault((station_folder(row.station), row.day.year), {})
            table[row.day.isoformat()] = _cells(row)
        counts = [0, 0, 0]
        if not by_table:
            return HistoryUpdate(0, 0, 0)
        with refused_as_catalogue_error(f"{self.catalogue}: the catalogue cannot be written"):
            self.catalogue.mkdir(parents=True, exist_ok=True)
            with publisher_lock(self.catalogue):
                for (station, year), fresh in sorted(by_table.items()):
                    path = self.folder / station / f"{year:04d}.csv"
                    kept = _read_table(path) if path.exists() else {}
                    changed = False
                    for day, content in sorted(fresh.items()):
                        outcome = self._place(kept, day, content)
                        counts[outcome] += 1
                        changed |= outcome != 2
                    if changed:
                        path.parent.mkdir(parents=True, exist_ok=True)
                        write_atomically(path, _table_bytes(kept))
        return HistoryUpdate(*counts)

    def _place(self, kept: dict[str, dict[str, str]], day: str, content: dict[str, str]) -> int:
        """Put a day's content into a table: 0 new, 1 replaced, 2 unchanged."""
        sha256 = _content_sha256(day, content)
        old = kept.get(day)
        if old is None:
            kept[day] = content | {"revision": "1", "row_sha256": sha256, "replaces_sha256": ""}
            return 0
        if old["row_sha256"] == sha256:
            return 2
        self._keep_replaced(day, old)
        kept[day] = content | {
            "revision": str(int(old["revision"]) + 1),
            "row_sha256": sha256,
            "replaces_sha256": old["row_sha256"],
        }
        return 1

    def _keep_replaced(self, day: str, old: Mapping[str, str]) -> None:
        target = ObjectStore(self.catalogue / "objects").path_of(old["row_sha256"])
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, _content_bytes(day, _content(old)))

    def rows(
        self, station: str, *, first: date | None = None, last: date | None = None
    ) -> tuple[DailyQuality, ...]:
        """Rows of a station between two days (both included), by day.

        Raises CatalogueError where the station has none or a table is damaged.
        """
        folder = self.folder / station_folder(station)
        if not folder.is_dir():
            known = ", ".join(self.stations()) or "none"
            raise CatalogueError(f"{self.catalogue}: no quality rows of {station} (there: {known})")
        found = []
        for path in sorted(folder.iterdir()):
            match = _YEAR_FILE.match(path.name)
            if match is None:
                continue
            year = int(match[1])
            if (first is not None and year < first.year) or (last is not None and year > last.year):
                continue
            for day, cells in sorted(_read_table(path).items()):
                moment = date.fromisoformat(day)
                if (first is None or moment >= first) and (last is None or moment <= last):
                    found.append(_row(path, moment, cells))
        return tuple(found)

    def row_of(self, station: str, day: date) -> DailyQuality | None:
        """A station's row of a day, or None."""
        path = self.folder / station_folder(station) / f"{day.year:04d}.csv"
        cells = _read_table(path).get(day.isoformat()) if path.exists() else None
        return None if cells is None else _row(path, day, cells)

    def last_day(self, station: str) -> date | None:
        """The last day with a row of a station, or None."""
        folder = self.folder / station_folder(station)
        tables = sorted(p for p in folder.glob("*.csv") if _YEAR_FILE.match(p.name))
        days = _read_table(tables[-1]) if tables else {}
        return date.fromisoformat(max(days)) if days else None

    def damages(self) -> list[str]:
        """What is wrong with the tables and the replaced rows, in words."""
        wrong = []
        store = ObjectStore(self.catalogue / "objects")
        for station in self.stations():
            for path in sorted((self.folder / station).glob("*.csv")):
                try:
                    table = _read_table(path)
                except CatalogueError as error:
                    wrong.append(str(error))
                    continue
                replaced = [c["replaces_sha256"] for c in table.values() if c["replaces_sha256"]]
                wrong += [text for sha256 in replaced if (text := store.damage(sha256))]
        return wrong


def _cells(row: DailyQuality) -> dict[str, str]:
    """A row's content as text; empty cells are left out."""
    cells = {"station": row.station, "verdict": row.verdict}
    cells |= {f.name: getattr(row.equipment, f.name) for f in fields(Equipment)}
    cells |= {name: repr(round(float(value), 6)) for name, value in row.figures.items()}
    if row.position is not None:
        cells["position_frame"] = row.position.frame
        cells |= {
            n: f"{v:.5f}" for n, v in zip(_POSITION, row.position.position_ecef_m.tolist(), strict=True)
        }
        upper = row.position.covariance_m2[_UPPER].tolist()
        cells |= {n: f"{v:.5e}" for n, v in zip(_COVARIANCE, upper, strict=True)}
    # Line ends and odd blanks of a header's text would part the table.
    return {name: text for name, value in cells.items() if (text := " ".join(value.split()))}


def _content(cells: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in cells.items() if value and name not in _KEPT_APART}


def _content_bytes(day: str, content: Mapping[str, str]) -> bytes:
    return json.dumps({"day": day, **content}, sort_keys=True, ensure_ascii=True).encode()


def _content_sha256(day: str, content: Mapping[str, str]) -> str:
    return hashlib.sha256(_content_bytes(day, content)).hexdigest()


def _table_bytes(table: Mapping[str, Mapping[str, str]]) -> bytes:
    """The table as CSV: the same rows give the same bytes."""
    names = {name for cells in table.values() for name in cells}
    texts = [name for name in _TEXTS if name in names]
    place = [name for name in (*_POSITION, *_COVARIANCE) if name in names]
    figures = sorted(names - set(texts) - set(place) - set(_KEPT_APART))
    columns = [*_KEPT_APART, *texts, *place, *figures]
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for day in sorted(table):
        writer.writerow({**table[day], "day": day})
    return out.getvalue().encode()


def _read_table(path: Path) -> dict[str, dict[str, str]]:
    """Day -> cells of a table, every row held to its sha256; CatalogueError names a damaged line."""
    # A CatalogueError is an OSError too: only the reading itself stands in this `try`.
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise CatalogueError(f"{path}: damaged, no CSV ({error})") from None
    try:
        lines = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise CatalogueError(f"{path}: damaged, no CSV ({error})") from None
    columns = lines[0] if lines else []
    if tuple(columns[: len(_KEPT_APART)]) != _KEPT_APART or len(set(columns)) != len(columns):
        raise CatalogueError(f"{path}: line 1: these are no columns of a table of quality rows")
    table: dict[str, dict[str, str]] = {}
    for number, values in enumerate(lines[1:], start=2):
        where = f"{path}: line {number}"
        if len(values) != len(columns):
            raise CatalogueError(f"{where}: {len(values)} cells, expected {len(columns)}")
        cells = dict(zip(columns, values, strict=True))
        day = cells.pop("day")
        whole = _content_sha256(day, _content(cells)) == cells["row_sha256"]
        if not whole or not cells["revision"].isdecimal():
            raise CatalogueError(f"{where}: the row of {day} is not as written (its sha256 differs)")
        if not _is_day(day):
            raise CatalogueError(f"{where}: {day!r} is no day")
        if day in table:
            raise CatalogueError(f"{where}: {day} stands twice")
        table[day] = cells
    return table


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _row(path: Path, day: date, cells: Mapping[str, str]) -> DailyQuality:
    try:
        position = None
        if cells.get("position_frame"):
            covariance = np.zeros((3, 3))
            covariance[_UPPER] = [float(cells[name]) for name in _COVARIANCE]
            covariance = covariance + np.triu(covariance, 1).T
            place = np.array([float(cells[name]) for name in _POSITION])
            position = DailyPositionRow(cells["position_frame"], place, covariance)
        not_figures = {*_KEPT_APART, *_TEXTS, *_POSITION, *_COVARIANCE}
        return DailyQuality(
            cells["station"],
            day,
            cells.get("verdict", ""),
            Equipment(**{f.name: cells.get(f.name, "") for f in fields(Equipment)}),
            {name: float(v) for name, v in cells.items() if v and name not in not_figures},
            position,
        )
    except (KeyError, ValueError) as error:
        raise CatalogueError(f"{path}: the row of {day} cannot be understood ({error!r})") from None


def rows_by_station(
    history: QualityHistory, stations: Sequence[str], *, first: date | None = None, last: date | None = None
) -> dict[str, tuple[DailyQuality, ...]]:
    """Rows of stations, all where none is named."""
    names = tuple(stations) or history.stations()
    if not names:
        raise CatalogueError(f"{history.catalogue}: there are no quality rows here")
    return {name: history.rows(name, first=first, last=last) for name in names}
