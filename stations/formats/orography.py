"""Heights of the nodes of a weather model's grid (orography_ell, orography_ell_5x5, orography_ell_1x1).

The TU Wien gives them beside the grids of VMF1 and VMF3: ellipsoidal heights in metres, in the grid's order
of nodes. That of VMF1 has a line of header before them and repeats the longitude of 0 as 360.
"""

import re
from typing import Final

import numpy as np

from stations.formats.compression import read_bytes
from stations.formats.fixed_width import FloatArray
from stations.formats.text_lines import latin_1_lines
from stations.records import InputFile, PathLike
from transforms.errors import FormatError

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)\Z")
_LOWEST_M: Final = -500.0
_HIGHEST_M: Final = 9000.0


def read_orography(path: PathLike, shape: tuple[int, int]) -> tuple[FloatArray, InputFile]:
    """Heights (n_latitude, n_longitude), m, of a grid of that shape, and the file.

    Raises
    ------
    FormatError : a word that is no height on earth, more or fewer of them than the grid has nodes
    """
    data, identity = read_bytes(path)
    rows, columns = shape
    words = [
        (number, word) for number, line in enumerate(latin_1_lines(data), start=1) for word in line.split()
    ]
    in_first_line = sum(number == words[0][0] for number, _ in words)
    for heights in (words, words[in_first_line:]):
        for width in (columns, columns + 1):
            if len(heights) == rows * width:
                values = np.array([_height_m(word, identity.path, number) for number, word in heights])
                return values.reshape(rows, width)[:, :columns], identity
    raise FormatError(identity.path, None, f"{len(words)} heights, expected {rows} x {columns}")


def _height_m(word: str, path: str, line: int) -> float:
    if not _NUMBER.match(word):
        raise FormatError(path, line, f"expected a height, found {word!r}")
    height = float(word)
    if not _LOWEST_M <= height <= _HIGHEST_M:
        raise FormatError(path, line, f"a height of {word} m is out of the range of the earth")
    return height
