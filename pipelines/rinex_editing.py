"""Check files strictly: all that is wrong in them, with its lines."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from stations.formats.registry import recognise
from stations.records import Observations
from transforms.errors import FormatError, InputError

_LINES_SHOWN: Final = 8


@dataclass(frozen=True)
class Problem:
    """What is wrong in a file: how often, and at which lines (from 1; empty where the file as a whole)."""

    text: str
    count: int = 1
    lines: tuple[int, ...] = ()

    def words(self) -> str:
        """One line for a terminal."""
        shown = ", ".join(map(str, self.lines[:_LINES_SHOWN]))
        more = ", ..." if len(self.lines) > _LINES_SHOWN else ""
        where = f"line{'s' if len(self.lines) > 1 else ''} {shown}{more}: " if self.lines else ""
        times = f" ({self.count} times)" if self.count > 1 else ""
        return f"{where}{self.text}{times}"


@dataclass(frozen=True)
class FileCheck:
    """A file, its format's name and title, and all that is wrong with it."""

    path: str
    format_name: str
    format_title: str
    problems: tuple[Problem, ...]


def check_file(path: Path) -> FileCheck:
    """All damage of a file, of any format of the registry.

    Observations are read past their damage, so that all of it is found; a reader of another format stops at
    the first. Raises FormatError where the file is missing or of no known format.
    """
    known = recognise(path)
    problems: list[Problem] = []
    try:
        record: Any = known.read(path)
    except FormatError as error:
        text = str(error).removeprefix(str(path))
        if error.line is not None:
            text = text.removeprefix(f", line {error.line}")
        problems = [Problem(text.removeprefix(":").strip(), 1, () if error.line is None else (error.line,))]
    except InputError as error:
        problems = [Problem(str(error).removeprefix(f"{path}: "))]
    else:
        problems = [Problem(d.reason, d.count, d.lines) for d in getattr(record, "damage", ())]
        told = {problem.text for problem in problems}  # with their lines
        if not isinstance(record, Observations):  # whose other rejections are sound and merely not used
            rejections = getattr(record, "rejections", {})
            problems += [Problem(reason, n) for reason, n in rejections.items() if n and reason not in told]
        problems += [Problem(remark) for remark in getattr(record, "remarks", ())]
    return FileCheck(str(path), known.name, known.title, tuple(problems))


def check_json(check: FileCheck) -> dict[str, Any]:
    """The object of `jizhun rinex check --json` for one file."""
    return {
        "file": check.path,
        "format": check.format_name,
        "sound": not check.problems,
        "problems": [{"text": p.text, "count": p.count, "lines": list(p.lines)} for p in check.problems],
    }
