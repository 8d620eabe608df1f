"""How large a file may become, and how long a line: what is larger is a mistake or an attack.

Both limits can be set by the environment, for an archive that holds larger files or a service that must
stand strangers' files: JIZHUN_MAXIMUM_PLAIN_BYTES and JIZHUN_MAXIMUM_LINE_BYTES.
"""

import os
from typing import Final

from stations.records import PathLike
from transforms.errors import FormatError, InputError

MAXIMUM_PLAIN_VARIABLE: Final = "JIZHUN_MAXIMUM_PLAIN_BYTES"
MAXIMUM_LINE_VARIABLE: Final = "JIZHUN_MAXIMUM_LINE_BYTES"
# A day of 1 Hz data of all systems is below 1.5 GB of text.
_MAXIMUM_PLAIN_BYTES: Final = 2 * 1024**3
# The longest lines of the formats read here are of GeodesyML and JSON without line ends, below 1 MB.
_MAXIMUM_LINE_BYTES: Final = 8 * 1024**2


def maximum_plain_bytes() -> int:
    """Largest size of a file's plain text, bytes. Raises InputError where the environment's is no number."""
    return _limit(MAXIMUM_PLAIN_VARIABLE, _MAXIMUM_PLAIN_BYTES)


def maximum_line_bytes() -> int:
    """Longest line of a text, bytes. Raises InputError where the environment's is no number."""
    return _limit(MAXIMUM_LINE_VARIABLE, _MAXIMUM_LINE_BYTES)


def line_too_long(path: PathLike, line: int) -> FormatError:
    """The error of a line (from 1) beyond the limit."""
    return FormatError(
        path, line, f"the line is longer than {maximum_line_bytes()} bytes ({MAXIMUM_LINE_VARIABLE})"
    )


def _limit(variable: str, default: int) -> int:
    text = os.environ.get(variable, "").strip()
    if not text:
        return default
    if not text.isdecimal() or int(text) == 0:
        raise InputError(f"{variable} is {text!r}; expected a whole number of bytes above 0")
    return int(text)


def require_short_lines(data: bytes, path: PathLike) -> None:
    """Refuse a text with a line longer than the limit; takes one look for each limit's length of text."""
    limit = maximum_line_bytes()
    begin = 0
    while len(data) - begin > limit:
        end = data.rfind(b"\n", begin, begin + limit + 1)
        if end < 0:
            line = data.count(b"\n", 0, begin) + 1
            raise line_too_long(path, line)
        begin = end + 1
