"""Where in a TOML text a key stands: `tomllib` reads values and forgets lines; a person needs the line."""

import re
from collections.abc import Sequence
from typing import Final

_TABLE: Final = re.compile(r"^\s*\[(?P<name>[^\[\]]+)\]\s*(#.*)?$")
_ARRAY_TABLE: Final = re.compile(r"^\s*\[\[(?P<name>[^\[\]]+)\]\]\s*(#.*)?$")
_KEY: Final = re.compile(r"^\s*(?P<name>[A-Za-z0-9_\-\"'. ]+?)\s*=")

Location = tuple[int | str, ...]


class TomlLines:
    """Lines of the tables and keys of one TOML text, 1-based."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Location, int] = {}
        table: Location = ()
        counts: dict[Location, int] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            if match := _ARRAY_TABLE.match(line):
                name = _parts(match["name"])
                index = counts.get(name, 0)
                counts[name] = index + 1
                table = (*name, index)
                self._lines.setdefault(name, number)
                self._lines.setdefault(table, number)
            elif match := _TABLE.match(line):
                table = _parts(match["name"])
                self._lines.setdefault(table, number)
            elif match := _KEY.match(line):
                self._lines.setdefault((*table, *_parts(match["name"])), number)

    def line_of(self, location: Sequence[int | str]) -> int | None:
        """Line of the key at `location`, or of the innermost table around it, or None."""
        place = tuple(location)
        while place:
            if place in self._lines:
                return self._lines[place]
            place = place[:-1]
        return None


def _parts(name: str) -> Location:
    return tuple(part.strip().strip("\"'") for part in name.split("."))
