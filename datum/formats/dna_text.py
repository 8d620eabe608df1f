"""Station and measurement files of DynAdjust in fixed columns, "DNA 3.01" (.stn, .msr).

Columns, counted from 0, of a measurement: type 0, "*" for an ignored one 1, stations 2, 22 and 42 (20 columns
each), a length 62 to 82 or an angle as degrees, minutes and seconds 62 to 90, then standard deviation,
instrument and target height up to 128. Vectors and points have their scales at 62, 72, 82, 92, frame and
epoch at 102 and 122, and follow with components at 62 to 82 and a matrix row in steps of 20 columns from 82.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datum.formats.dynadjust_measurements import (
    ANGULAR_TYPES,
    MEASUREMENT_TYPES,
    BlockText,
    DirectionText,
    MeasurementText,
    Place,
    StationText,
    network_of,
)
from datum.network.observations import Network
from stations.formats.compression import read_bytes
from stations.records import InputFile, PathLike
from transforms.errors import FormatError

FloatArray = NDArray[np.float64]

HEADER: Final = "!#=DNA"
_FIRST: Final = slice(2, 22)
_SECOND: Final = slice(22, 42)
_THIRD: Final = slice(42, 62)
_COMPONENT: Final = slice(62, 82)
_ANGLE: Final = slice(62, 90)
_SIGMA_AND_HEIGHTS: Final = slice(90, 128)
_LENGTH_SIGMA_AND_HEIGHTS: Final = slice(82, 128)
_SCALES: Final = (slice(62, 72), slice(72, 82), slice(82, 92), slice(92, 102))
_FRAME: Final = slice(102, 122)
_EPOCH: Final = slice(122, 142)
_MATRIX: Final = (slice(82, 102), slice(102, 122), slice(122, 142))
_STATION_NAME: Final = slice(0, 20)
_STATION_CONSTRAINTS: Final = slice(20, 23)
_STATION_TYPE: Final = slice(24, 27)
_STATION_COMPONENTS: Final = (slice(27, 47), slice(47, 67), slice(67, 87))
_STATION_ZONE: Final = slice(87, 90)
_STATION_DESCRIPTION: Final = slice(90, None)
_VERSION: Final = "3.01"
_HEADER_WORDS: Final = 7


class _Lines:
    """The lines of a file with their numbers, comments and blank ones left out."""

    def __init__(self, path: PathLike, text: str) -> None:
        self.path = path
        self._lines = [
            (number, line)
            for number, line in enumerate(text.splitlines(), start=1)
            if line.strip() and not line.startswith(("*", "!"))
        ]
        self._next = 0

    def __iter__(self) -> Iterator[tuple[Place, str]]:
        while self._next < len(self._lines):
            yield self.take("")

    def take(self, what: str) -> tuple[Place, str]:
        """The next line; FormatError where the file ends before it."""
        if self._next >= len(self._lines):
            last = self._lines[-1][0] if self._lines else None
            raise FormatError(self.path, last, f"the file ends, and {what} was expected: is it cut off?")
        number, line = self._lines[self._next]
        self._next += 1
        return Place(self.path, number), line.rstrip()

    def peek(self) -> str:
        """The next line, or "" at the end."""
        return self._lines[self._next][1] if self._next < len(self._lines) else ""


def read_dna(path: PathLike) -> Network:
    """Read a DNA station or measurement file. Raises FormatError naming the line."""
    data, identity = read_bytes(path)
    return dna_network(data, identity)


def dna_network(data: bytes, identity: InputFile) -> Network:
    """The network of the bytes of a DNA file."""
    path = identity.path
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")  # descriptions of old files
    words = text.partition("\n")[0].split()
    if len(words) < _HEADER_WORDS - 1 or words[0] != HEADER:
        raise FormatError(path, 1, f"{HEADER} 3.01 STN or MSR, date, frame and epoch were expected")
    if words[1] != _VERSION:
        raise FormatError(path, 1, f"version {words[1]} is not read; {_VERSION} is")
    if not text.endswith(("\n", "\r")):
        last = text.count("\n") + 1
        raise FormatError(path, last, "the last line has no end: a number in it may be cut off")
    kind, frame, epoch = words[2], words[4], words[5]
    lines = _Lines(path, text)
    stations: list[StationText] = []
    measurements: list[MeasurementText] = []
    if kind == "STN":
        stations = [_station(place, line) for place, line in lines]
    elif kind == "MSR":
        measurements = list(_measurements(lines))
    else:
        raise FormatError(path, 1, f"a file of kind {kind!r}, and STN or MSR was expected")
    found = len(stations) + len(measurements)
    if len(words) >= _HEADER_WORDS and words[6].isdecimal() and found < int(words[6]):
        raise FormatError(
            path, None, f"the header counts {words[6]} records, and {found} were found: is the file cut off?"
        )
    if not found:
        raise FormatError(path, None, "holds no record")
    return network_of(stations, measurements, frame, epoch, Place(path, 1), identity)


def _station(place: Place, line: str) -> StationText:
    x, y, z = (line[columns] for columns in _STATION_COMPONENTS)
    return StationText(
        place,
        line[_STATION_NAME].strip(),
        line[_STATION_CONSTRAINTS],
        line[_STATION_TYPE].strip(),
        (x, y, z),
        line[_STATION_ZONE],
        line[_STATION_DESCRIPTION].strip(),
    )


def _measurements(lines: _Lines) -> Iterator[MeasurementText]:
    for place, line in lines:
        kind = line[:1]
        if kind not in MEASUREMENT_TYPES:
            raise place.error(
                f"a measurement begins with one of {' '.join(sorted(MEASUREMENT_TYPES))}, not {line[:20]!r}"
            )
        item = MeasurementText(
            place, kind, line[1:2] == "*", line[_FIRST].strip(), line[_SECOND].strip(), line[_THIRD].strip()
        )
        if kind in "GXY":
            _clustered(lines, line, item)
        else:
            _single(line, item)
            if kind == "D":
                _directions(lines, item)
        yield item


def _single(line: str, item: MeasurementText) -> None:
    """Value, standard deviation and heights of a measurement of one number."""
    angular = item.kind in ANGULAR_TYPES
    item.value = line[_ANGLE] if angular else line[_COMPONENT]
    words = line[_SIGMA_AND_HEIGHTS if angular else _LENGTH_SIGMA_AND_HEIGHTS].split()
    if not item.value.strip() or not words:
        raise item.place.error("has no value or no standard deviation: is the line cut off?")
    item.sigma, item.instrument_height, item.target_height = (*words, "", "")[:3]


def _directions(lines: _Lines, item: MeasurementText) -> None:
    """The directions of a set: the first stands in its own line, the others in those that follow."""
    total = _total(item, item.third)
    item.directions = [DirectionText(item.place, item.second, item.value, item.sigma)]
    item.third = ""
    for _ in range(total):
        place, line = lines.take(f"a direction of the set at {item.first}")
        if line[:1] != "D" or line[_FIRST].strip():
            raise place.error(f"a direction of the set at {item.first} was expected")
        direction = MeasurementText(place, "D")
        _single(line, direction)
        item.directions.append(
            DirectionText(place, line[_THIRD].strip(), direction.value, direction.sigma, line[1:2] == "*")
        )


def _total(item: MeasurementText, text: str) -> int:
    value = item.place.number(text, "the number of parts")
    if not 0 <= value <= 1e6 or value != int(value):
        raise item.place.error(f"the number of parts is {text!r}")
    return int(value)


def _clustered(lines: _Lines, line: str, item: MeasurementText) -> None:
    """Scales, frame, epoch and all blocks of a vector, a cluster of vectors or of points."""
    scales = [line[columns].strip() or "1" for columns in _SCALES]
    item.scales = (scales[0], scales[1], scales[2], scales[3])
    item.frame, item.epoch = line[_FRAME].strip(), line[_EPOCH].strip()
    total = 1 if item.kind == "G" else _total(item, item.third)
    item.third = ""
    second = item.second
    if item.kind == "Y":
        item.coordinates, second = item.second or "XYZ", ""
        item.second = ""
    if total < 1:
        raise item.place.error("a cluster has at least one part")
    place, first = item.place, item.first
    for index in range(total):
        if index:
            place, line = lines.take(f"part {index + 1} of {total} of the cluster")
            if line[:1] != item.kind:
                raise place.error(
                    f"part {index + 1} of {total} of the cluster of line {item.place.line} was expected"
                )
            first, second = line[_FIRST].strip(), line[_SECOND].strip()
        item.blocks.append(_block(lines, place, first, second, total - 1 - index))


def _block(lines: _Lines, place: Place, first: str, second: str, n_following: int) -> BlockText:
    components: list[str] = []
    covariance = np.zeros((3, 3))
    for row in range(3):
        at, line = lines.take(f"component {'XYZ'[row]} of {first} {second}".rstrip())
        if line[:1].strip():
            raise at.error(f"component {'XYZ'[row]} of {first} {second} was expected")
        components.append(line[_COMPONENT])
        for column in range(row + 1):
            value = at.number(line[_MATRIX[column]], "a variance or covariance")
            covariance[row, column] = covariance[column, row] = value
    following = []
    for _ in range(n_following):
        part = np.zeros((3, 3))
        for row in range(3):
            at, line = lines.take(f"a covariance of {first} {second}".rstrip())
            if line[:1].strip():
                raise at.error(f"a row of the covariance of {first} {second} was expected")
            part[row] = [at.number(line[columns], "a covariance") for columns in _MATRIX]
        following.append(part)
    x, y, z = components
    return BlockText(place, first, second, (x, y, z), covariance, following)
