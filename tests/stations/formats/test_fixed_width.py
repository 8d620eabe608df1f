"""Columns become the same numbers that float() and int() give, and nothing else becomes a number."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stations.formats.calendar_fields import nanoseconds_from_fields
from stations.formats.fixed_width import parse_integers, parse_reals, split_lines

F14_3 = st.integers(-999_999_999_999, 9_999_999_999_999).map(lambda n: f"{n / 1000:14.3f}")
# Clocks as RINEX prints them; an exponent of three digits would not fit its 19 columns.
E19_12 = st.floats(-1.0, 1.0).map(lambda v: f"{v if abs(v) > 1e-90 else 0.0:19.12E}")


def block(texts):
    return np.array([list(t.encode()) for t in texts], dtype=np.uint8)


@given(st.lists(F14_3, min_size=1, max_size=20))
def test_fixed_point_is_what_float_gives(texts):
    values, bad = parse_reals(block(texts))
    assert not bad.any()
    np.testing.assert_array_equal(values, [float(t) for t in texts])


@given(st.lists(E19_12, min_size=1, max_size=20))
def test_exponents_are_what_float_gives(texts):
    values, bad = parse_reals(block(texts))
    assert not bad.any()
    np.testing.assert_array_equal(values, [float(t) for t in texts])


@given(st.lists(st.text("0123456789 +-.eEdDxNa*", min_size=8, max_size=8), min_size=1, max_size=12))
def test_any_text_is_a_number_blank_or_bad(texts):
    values, bad = parse_reals(block(texts))
    for text, value, wrong in zip(texts, values, bad, strict=True):
        try:
            expected = float(text.upper().replace("D", "E"))
        except ValueError:
            expected = np.nan
        if not text.strip():
            assert np.isnan(value)
            assert not wrong
        elif np.isfinite(expected):
            assert value == expected
            assert not wrong
        else:
            assert wrong
            assert np.isnan(value)


@given(st.lists(st.text("0123456789 +-.", min_size=4, max_size=4), min_size=1, max_size=12))
def test_any_text_is_an_integer_blank_or_bad(texts):
    values, bad = parse_integers(block(texts))
    for text, value, wrong in zip(texts, values, bad, strict=True):
        try:
            expected = int(text) if text.strip() else 0
        except ValueError:
            assert wrong
            continue
        assert not wrong
        assert value == expected


@pytest.mark.parametrize("end", ["\n", "\r\n", "   \r\n"])
def test_lines_end_before_their_trailing_blanks(end):
    lines = split_lines(f"one{end}{end}  three".encode())
    assert [lines.text(n) for n in range(len(lines))] == ["one", "", "  three"]


@pytest.mark.parametrize(
    ("fields", "reading"),
    [
        ((2024, 2, 29, 0, 0, 0.0), "2024-02-29T00:00:00.000000000"),
        ((2023, 12, 31, 23, 59, 59.9999999), "2023-12-31T23:59:59.999999900"),
        ((2016, 12, 31, 23, 59, 60.0), "2017-01-01T00:00:00.000000000"),
        ((2023, 2, 29, 0, 0, 0.0), None),
        ((2023, 13, 1, 0, 0, 0.0), None),
        ((2023, 1, 1, 0, 60, 0.0), None),
        ((2023, 1, 1, 0, 0, 61.0), None),
        ((23, 1, 1, 0, 0, 0.0), None),
    ],
)
def test_calendar_readings_are_exact_or_refused(fields, reading):
    arrays = [np.array([f]) for f in fields]
    nanoseconds, bad = nanoseconds_from_fields(*arrays)
    assert bad[0] == (reading is None)
    if reading is not None:
        assert str(nanoseconds.astype("datetime64[ns]")[0]) == reading
