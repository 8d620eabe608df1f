"""The lines of a text, ended by LF, CR LF or CR and by nothing else.

`str.splitlines` ends a line at eight more characters. One of them, U+0085, is the second byte of "Å" in UTF-8
read as Latin-1: "NMBU Ås" in the SINEX file of a Norwegian network became two lines.
"""

import re
from typing import Final

_LINE_END: Final = re.compile(r"\r\n|\n|\r")


def latin_1_lines(data: bytes) -> list[str]:
    """Lines of bytes, each byte one character, so that columns are where the format counts them."""
    return [line.decode("latin-1") for line in data.splitlines()]


def split_text(text: str) -> list[str]:
    """Lines of a text that is decoded already; what follows the last line end is a line only if not empty."""
    lines = _LINE_END.split(text)
    return lines if lines[-1] else lines[:-1]
