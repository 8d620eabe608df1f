"""What every command shares with its terminal: one object on stdout for machines, the rest on stderr."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, Final, Self

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

WIDTH_WITHOUT_TERMINAL: Final = 150  # a pipe or a log has no width; the widest table fits in this

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, for machines.")]


def write_json(content: Any) -> None:
    """Write one object to standard output."""
    sys.stdout.write(json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def console() -> "Console":
    """Console on standard output, for results."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL, highlight=False)


def say(message: str) -> None:
    """A line on standard error."""
    sys.stderr.write(message + "\n")


@contextmanager
def waiting(message: str) -> Iterator[None]:
    """A spinner on standard error while one long step runs; nothing where that is no terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(message):
        yield


class TerminalProgress:
    """Progress of a long job: a bar on a terminal, plain lines elsewhere, nothing where quiet is asked."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._stage = ""
        self._n_steps = 0
        self._n_done = 0
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        if not self._quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            self._bar = Progress(
                TextColumn("{task.description:<26}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.fields[message]}"),
                console=Console(stderr=True),
            )
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begin(self, stage: str, n_steps: int) -> None:
        """A stage of so many steps begins."""
        self._stage, self._n_steps, self._n_done = stage, n_steps, 0
        if self._bar is not None:
            self._task = self._bar.add_task(stage, total=n_steps, message="")

    def advance(self, message: str) -> None:
        """One step of the stage is done."""
        self._n_done += 1
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=1, message=message)
        elif not self._quiet:
            elapsed_s = time.monotonic() - self._began
            say(f"[{elapsed_s:6.1f} s] {self._stage} {self._n_done}/{self._n_steps}: {message}")
