"""How a long job tells what it is at: the engines speak, the command line shows."""

from typing import Protocol


class Progress(Protocol):
    """Hears of stages and their steps. Called from one thread."""

    def begin(self, stage: str, n_steps: int) -> None:
        """A stage of so many steps begins."""

    def advance(self, message: str) -> None:
        """One step of the stage is done; the message is a line for people."""


class SilentProgress:
    """Says nothing: machines and tests."""

    def begin(self, stage: str, n_steps: int) -> None:
        """Say nothing."""

    def advance(self, message: str) -> None:
        """Say nothing."""
