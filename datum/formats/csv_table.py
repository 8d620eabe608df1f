"""Read and write small CSV tables with named columns, and say exactly what is wrong with a bad one.

UTF-8 (a byte order mark is accepted), comma-separated, one header line; lines that begin with # are comments.
"""

import csv
import difflib
import hashlib
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stations.formats.atomic_write import write_atomically
from stations.records import InputFile, PathLike
from transforms.errors import FormatError

MAXIMUM_BYTES: Final = 200_000_000


@dataclass(frozen=True)
class CsvRow:
    """One row: `line` is its 1-based number in the file; texts are stripped, missing columns are empty."""

    path: str
    line: int
    texts: Mapping[str, str]

    def error(self, column: str, message: str) -> FormatError:
        """A FormatError that names file, line and column."""
        return FormatError(self.path, self.line, f"column {column}: {message}")

    def text(self, column: str) -> str:
        """A text that must not be empty."""
        value = self.texts.get(column, "")
        if not value:
            raise self.error(column, "is empty")
        return value

    def number(self, column: str, low: float, high: float) -> float:
        """A finite number between `low` and `high`, which bound what is possible, in the column's unit."""
        text = self.text(column)
        try:
            value = float(text)
        except ValueError:
            raise self.error(column, f"a number was expected, and {text!r} was found") from None
        if not math.isfinite(value):
            raise self.error(column, f"a finite number was expected, and {text!r} was found")
        if not low <= value <= high:
            raise self.error(column, f"{text} is not between {low:g} and {high:g}")
        return value

    def optional_number(self, column: str, low: float, high: float) -> float | None:
        """A number as `number` reads it, or None where the field is empty or the column absent."""
        return self.number(column, low, high) if self.texts.get(column, "") else None


def read_table(
    path: PathLike, *, required: Sequence[str], optional: Sequence[str] = ()
) -> tuple[tuple[CsvRow, ...], InputFile]:
    """Read a CSV table.

    Parameters
    ----------
    required, optional : column names; another name is an error that names the nearest known one

    Returns
    -------
    rows in the file's order, and the file with its sha256
    """
    data = read_bytes(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        broken = data[: error.start].count(b"\n") + 1
        raise FormatError(path, broken, "is not UTF-8 text") from None
    if "\x00" in text:
        raise FormatError(path, text[: text.index("\x00")].count("\n") + 1, "binary data in a text file")
    # newline="" would keep quoted line breaks; a name with a line break is nonsense here, so lines are lines.
    numbered = [
        (number, line)
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not numbered:
        raise FormatError(path, None, f"is empty; expected a header with {', '.join(required)}")
    header_line, header = numbered[0]
    columns = [name.strip() for name in _fields(path, header_line, header)]
    _check_columns(path, header_line, columns, required, optional)
    rows = []
    for number, line in numbered[1:]:
        fields = _fields(path, number, line)
        if len(fields) != len(columns):
            raise FormatError(
                path, number, f"{len(fields)} fields, and the header names {len(columns)} columns"
            )
        texts = {name: value.strip() for name, value in zip(columns, fields, strict=True)}
        rows.append(CsvRow(str(path), number, texts))
    if not rows:
        raise FormatError(path, None, "has a header and no row")
    return tuple(rows), InputFile(str(path), hashlib.sha256(data).hexdigest())


def read_bytes(path: PathLike) -> bytes:
    """The bytes of a file, or a FormatError that says why it cannot be read."""
    source = Path(path)
    try:
        if source.stat().st_size > MAXIMUM_BYTES:
            raise FormatError(path, None, f"is larger than {MAXIMUM_BYTES} bytes")
        return source.read_bytes()
    except OSError as error:
        raise FormatError(path, None, f"cannot be read ({error.strerror})") from error


def check_unique(rows: Iterable[CsvRow], column: str) -> None:
    """Refuse a name that stands twice in a column, naming both lines."""
    first: dict[str, int] = {}
    for row in rows:
        name = row.text(column)
        if name in first:
            raise row.error(column, f"{name} stands in line {first[name]} already")
        first[name] = row.line


def write_table(path: PathLike, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a CSV table atomically: UTF-8, line feeds, the same bytes for the same rows."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_atomically(path, stream.getvalue().encode("utf-8"))


def _fields(path: PathLike, number: int, line: str) -> list[str]:
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error as error:
        raise FormatError(path, number, f"is not CSV ({error})") from None


def _check_columns(
    path: PathLike, line: int, columns: Sequence[str], required: Sequence[str], optional: Sequence[str]
) -> None:
    known = [*required, *optional]
    for name in columns:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
            raise FormatError(
                path,
                line,
                f"unknown column {name!r}; the nearest known one is {near[0] if near else known[0]!r}",
            )
        if columns.count(name) > 1:
            raise FormatError(path, line, f"the column {name!r} stands twice")
    missing = [name for name in required if name not in columns]
    if missing:
        raise FormatError(path, line, f"the column {', '.join(missing)} is missing")
