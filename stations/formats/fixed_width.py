"""Fixed columns of text turned into numbers, many lines at a time.

A file is seen as an array of bytes; its lines as starts and lengths; a block of equally wide fields as a
matrix of bytes. Digits are summed as integers and divided once by a power of ten, so that a field of up
to 15 digits becomes the double nearest to what is printed (both operands are exact, one rounding), the
same number that `float()` gives. What does not fit the common layout goes through `float()` one by one,
and what that refuses is reported, never turned into a number.
"""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

ByteArray = NDArray[np.uint8]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

_SPACE: Final = 32
_POINT: Final = 46
_ZERO: Final = 48
_MINUS: Final = 45
_PLUS: Final = 43
_REAL: Final = re.compile(rb"\s*[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?\s*\Z")
# Rows handled at once: small enough for the processor's cache at 14 to 20 columns.
_ROWS_AT_ONCE: Final = 1 << 15
# Ten to this power is exact in a double, and so is any integer below 2**53, about 9.007e15.
_LARGEST_EXACT_POWER: Final = 22
_LARGEST_EXACT_DIGITS: Final = 15


@dataclass(frozen=True, eq=False)
class TextLines:
    """A text as bytes with the place of each line.

    data : the bytes, padded at the end with spaces by `padding`
    start, length : (n_line,), the line end (LF or CR LF) and trailing blanks not counted
    """

    data: ByteArray
    start: IntArray
    length: IntArray

    def __len__(self) -> int:
        return int(self.start.size)

    def text(self, line: int) -> str:
        """One line (counted from 0) as text; bytes beyond ASCII are read as Latin-1."""
        begin = int(self.start[line])
        return self.data[begin : begin + int(self.length[line])].tobytes().decode("latin-1")

    def first_bytes(self) -> ByteArray:
        """First byte of each line, shape (n_line,); a space where the line is empty."""
        return np.where(self.length > 0, self.data[self.start], np.uint8(_SPACE)).astype(np.uint8)

    def block(self, lines: NDArray[np.integer], first: int, width: int) -> ByteArray:
        """Columns first .. first+width-1 (from 0) of lines, shape (n, width), spaces beyond a line's end."""
        return gather(self.data, self.start[lines] + first, self.length[lines] - first, width)


def split_lines(data: bytes, padding: int = 4096) -> TextLines:
    """Find the lines of a text; LF and CR LF both end one, trailing blanks are left out of the length."""
    buffer = np.frombuffer(data + b"\n" * (not data.endswith(b"\n")) + b" " * padding, dtype=np.uint8)
    ends = np.flatnonzero(buffer == 10)
    start = np.concatenate(([0], ends[:-1] + 1)).astype(np.int64)
    stop = ends.astype(np.int64)
    # Strip CR and trailing blanks; each pass takes one byte off the lines that still end in one.
    active = np.arange(stop.size)
    while active.size:
        last = buffer[np.maximum(stop[active] - 1, 0)]
        active = active[((last == _SPACE) | (last == 13) | (last == 9)) & (stop[active] > start[active])]
        stop[active] -= 1
    return TextLines(buffer, start, stop - start)


def gather(data: ByteArray, start: IntArray, length: IntArray, width: int) -> ByteArray:
    """Copy `width` bytes from each start, shape (n, width), with spaces from `length` on."""
    if start.size == 0:
        return np.empty((0, width), dtype=np.uint8)
    overhang = int(start.max()) + width - data.size
    if overhang > 0:
        data = np.concatenate([data, np.full(overhang, _SPACE, dtype=np.uint8)])
    block = np.lib.stride_tricks.sliding_window_view(data, width)[start]
    short = np.flatnonzero(length < width)
    if short.size:
        beyond = np.arange(width) >= length[short, None]
        part = block[short]
        part[beyond] = _SPACE
        block[short] = part
    return block


def parse_integers(block: ByteArray) -> tuple[IntArray, BoolArray]:
    """Right- or left-justified integers of a block (n, width).

    Returns values (n,) (0 where blank or bad) and bad (n,), true where a field holds anything but blanks
    around one optionally signed integer. A blank field is not bad.
    """
    n, width = block.shape
    values = np.zeros(n, dtype=np.int64)
    digit = block - np.uint8(_ZERO)
    is_digit = digit < 10
    for column in range(width):
        values = np.where(is_digit[:, column], values * 10 + digit[:, column], values)
    minus = (block == _MINUS).any(axis=1)
    values = np.where(minus, -values, values)
    strange = ~is_digit & (block != _SPACE)
    ended = is_digit[:, :-1] & ~is_digit[:, 1:]
    started = ~is_digit[:, :-1] & is_digit[:, 1:]
    runs = started.sum(axis=1) + is_digit[:, 0]
    sign = (block == _MINUS) | (block == _PLUS)
    misplaced_sign = (sign[:, :-1] & ~is_digit[:, 1:]).any(axis=1) | sign[:, -1] | (sign.sum(axis=1) > 1)
    bad = (strange & ~sign).any(axis=1) | (runs > 1) | misplaced_sign | (ended.sum(axis=1) > 1)
    return np.where(bad, 0, values), bad


def parse_reals(block: ByteArray) -> tuple[FloatArray, BoolArray]:
    """Real numbers (fixed point, or with an exponent E or D) of a block (n, width).

    Returns values (n,), NaN where blank or bad, and bad (n,), true where a field is neither blank nor a
    finite number.
    """
    n, _ = block.shape
    values = np.full(n, np.nan)
    bad = np.zeros(n, dtype=np.bool_)
    for begin in range(0, n, _ROWS_AT_ONCE):
        part = slice(begin, begin + _ROWS_AT_ONCE)
        _parse_reals_part(block[part], values[part], bad[part])
    return values, bad


def _parse_reals_part(block: ByteArray, values: FloatArray, bad: BoolArray) -> None:
    filled = np.flatnonzero((block != _SPACE).any(axis=1))
    if filled.size == 0:
        return
    rows = block[filled]
    point = int(np.argmax((rows == _POINT).sum(axis=0)))
    exponent_marks = ((rows | np.uint8(32)) == ord("e")) | ((rows | np.uint8(32)) == ord("d"))
    mark = int(np.argmax(exponent_marks.sum(axis=0)))
    with_exponent = point < mark < rows.shape[1] - 1 and bool(exponent_marks[:, mark].sum() * 2 > filled.size)
    stop = mark if with_exponent else rows.shape[1]
    mantissa, regular = _mantissas(rows[:, :stop], point)
    power = np.full(filled.size, -(stop - point - 1), dtype=np.int64)
    if with_exponent:
        exponent, wrong = parse_integers(rows[:, mark + 1 :])
        tail_blank = (rows[:, mark + 1 :] == _SPACE).all(axis=1)
        regular &= exponent_marks[:, mark] & ~wrong & ~tail_blank
        power = power + exponent
    if point > _LARGEST_EXACT_DIGITS or stop - 1 > _LARGEST_EXACT_DIGITS:
        regular &= np.abs(mantissa) < 10.0**_LARGEST_EXACT_DIGITS
    regular &= np.abs(power) <= _LARGEST_EXACT_POWER
    scale = 10.0 ** np.abs(np.where(regular, power, 0)).astype(np.float64)
    numbers = np.where(power < 0, mantissa / scale, mantissa * scale)
    values[filled[regular]] = numbers[regular]
    for row in filled[~regular]:
        text = block[row].tobytes()
        if _REAL.match(text):
            number = float(text.upper().replace(b"D", b"E"))
            if np.isfinite(number):
                values[row] = number
                continue
        bad[row] = True


def format_reals(values: FloatArray, width: int, decimals: int) -> ByteArray:
    """Numbers as right-justified text with a point, shape (n, width); blanks for NaN.

    Raises ValueError where a number needs more columns than there are.
    """
    n = values.size
    block = np.full((n, width), _SPACE, dtype=np.uint8)
    filled = np.flatnonzero(np.isfinite(values))
    scaled = np.rint(np.abs(values[filled]) * 10.0**decimals)
    negative = (values[filled] < 0.0) & (scaled > 0.0)
    if np.any(scaled >= 10.0 ** np.where(negative, width - 2, width - 1)):
        raise ValueError(f"a number does not fit {width} columns with {decimals} decimals")
    left = scaled.astype(np.int64)
    columns = [c for c in range(width - 1, -1, -1) if c != width - 1 - decimals]
    rows = np.full((filled.size, width), _SPACE, dtype=np.uint8)
    rows[:, width - 1 - decimals] = _POINT
    first = np.full(filled.size, width - 2 - decimals)  # column of the leading digit
    for place, column in enumerate(columns):
        left, digit = np.divmod(left, 10)
        # At least one digit stands before the point.
        shown = (place <= decimals) | (left > 0) | (digit > 0)
        rows[shown, column] = (digit[shown] + _ZERO).astype(np.uint8)
        if place > decimals:
            first[shown] = column
    rows[negative, first[negative] - 1] = _MINUS
    block[filled] = rows
    return block


def _mantissas(rows: ByteArray, point: int) -> tuple[FloatArray, BoolArray]:
    """Digits of rows with their decimal point at `point`, as integers, and which rows are so laid out.

    A row is regular when it is: blanks, an optional sign, digits, the point, digits to the end. At least
    one digit stands after the point. Sums of digits times powers of ten are exact below 2**53.
    """
    width = rows.shape[1]
    digit = rows - np.uint8(_ZERO)
    is_digit = digit < 10
    number = np.where(is_digit, digit, 0).astype(np.float64)
    weights = np.zeros(width)
    weights[:point] = 10.0 ** (width - 2 - np.arange(point))
    weights[point + 1 :] = 10.0 ** (width - 1 - np.arange(point + 1, width))
    mantissa = number @ weights
    left, left_digit = rows[:, :point], is_digit[:, :point]
    sign = (left == _MINUS) | (left == _PLUS)
    regular = (rows[:, point] == _POINT) & is_digit[:, point + 1 :].all(axis=1) & (width > point + 1)
    regular &= (left_digit | sign | (left == _SPACE)).all(axis=1)
    # Nothing may follow a digit but digits, nor a sign but a digit.
    regular &= ~(left_digit[:, :-1] & ~left_digit[:, 1:]).any(axis=1)
    regular &= ~(sign[:, :-1] & ~left_digit[:, 1:]).any(axis=1)
    negative = (left == _MINUS).any(axis=1)
    return np.where(negative, -mantissa, mantissa), regular
