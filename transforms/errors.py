"""The tree of Jizhun's errors.

JizhunError
├── FormatError           a file does not say what its format demands (file, line, columns, expected, found)
├── InputError            a readable input cannot be used: wrong station, other day, nothing in common
├── FrameError            a coordinate asked into a frame or an epoch that no published path reaches
├── AdjustmentError       a system of equations has no reliable solution: singular, too few, not converging
└── CatalogueError        the catalogue refuses: version exists, object damaged, folder not writable

Each is also the built-in that a Python programmer would catch. The text says what happened, where,
and what to do; the command line prints it as one line and exits with 1.
"""


class JizhunError(Exception):
    """Anything that Jizhun refuses, with a text for the person who has to mend it."""


class FormatError(ValueError, JizhunError):
    """A file breaks its format.

    Parameters
    ----------
    path : name of the file as the user gave it
    line : 1-based line number, or None where the file as a whole is meant
    message : what was expected and what was found
    """

    def __init__(self, path: object, line: int | None, message: str) -> None:
        self.path = str(path)
        self.line = line
        where = self.path if line is None else f"{self.path}, line {line}"
        super().__init__(f"{where}: {message}")


class InputError(ValueError, JizhunError):
    """A readable input cannot be used for what was asked."""


class FrameError(ValueError, JizhunError):
    """No published path leads from one frame and epoch to the other."""


class AdjustmentError(ArithmeticError, JizhunError):
    """A system of equations has no reliable solution."""


class CatalogueError(OSError, JizhunError):
    """The catalogue refuses: a version exists already, an object is damaged, a folder is not writable."""
