"""Time scales: leap seconds, week roll-overs, round trips, and ERFA as a peer."""

import csv
from datetime import date
from pathlib import Path

import erfa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.time_scales import Epochs, TimeScale

WEEK_S = 604_800
# From the first GPS day to 2060, as nanoseconds since 1970 in the scale itself.
FIRST_NS = int(np.datetime64("1980-01-06", "ns").astype(np.int64))
LAST_NS = int(np.datetime64("2060-01-01", "ns").astype(np.int64))
readings = st.integers(FIRST_NS, LAST_NS).map(lambda ns: np.datetime64(ns, "ns"))
scales = st.sampled_from(list(TimeScale))


def leap_seconds(authorities: Path) -> list[tuple[str, int]]:
    with (authorities / "leap_seconds.csv").open(encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return [(row["day"], int(row["tai_minus_utc_s"])) for row in rows]


def test_leap_seconds_are_those_of_the_iers(authorities: Path) -> None:
    table = leap_seconds(authorities)
    for (day, offset), before in zip(table[1:], table, strict=False):
        midnight = np.datetime64(f"{day}T00:00:00", "ns")
        at = Epochs.from_datetime64(midnight, TimeScale.UTC)
        last = Epochs.from_datetime64(midnight - np.timedelta64(1, "s"), TimeScale.UTC)
        assert (at.to(TimeScale.TAI).datetime64() - midnight) == np.timedelta64(offset, "s")
        assert float(at.seconds_since(last)) == 1 + offset - before[1]


def test_a_leap_second_shows_as_the_next_second_and_only_then_is_utc_ambiguous() -> None:
    before = Epochs.from_datetime64("2016-12-31T23:59:59", TimeScale.UTC)
    shown = [before.plus_seconds(s).iso() for s in (0, 1, 2, 3)]
    assert shown == [
        "2016-12-31T23:59:59",
        "2017-01-01T00:00:00",
        "2017-01-01T00:00:00",
        "2017-01-01T00:00:01",
    ]
    in_gpst = [before.plus_seconds(s).to(TimeScale.GPST).iso()[-8:] for s in (0, 1, 2)]
    assert in_gpst == ["00:00:16", "00:00:17", "00:00:18"]


@pytest.mark.parametrize(
    ("instant", "weeks"),
    [
        ("1999-08-22T00:00:00", 1024),  # first roll-over of the ten-bit week
        ("2019-04-07T00:00:00", 2048),  # second
        ("2038-11-21T00:00:00", 3072),  # third
        ("2006-01-01T00:00:00", 1356),  # BDT begins in GPS week 1356
    ],
)
def test_gps_weeks(instant: str, weeks: int) -> None:
    start = Epochs.from_datetime64("1980-01-06T00:00:00")
    assert float(Epochs.from_datetime64(instant).seconds_since(start)) == weeks * WEEK_S


def test_each_system_time_starts_where_its_interface_document_says() -> None:
    midnight = Epochs.from_datetime64("1980-01-06T00:00:00", TimeScale.UTC)  # IS-GPS-200, 3.3.4
    assert midnight.to(TimeScale.GPST).iso() == "1980-01-06T00:00:00"
    bdt = Epochs.from_datetime64("2006-01-01T00:00:00", TimeScale.UTC)  # BDS-SIS-ICD-B1C 1.0, 3.3
    assert bdt.to(TimeScale.BDT).iso() == "2006-01-01T00:00:00"
    assert bdt.to(TimeScale.GPST).iso() == "2006-01-01T00:00:14"
    gst = Epochs.from_datetime64("1999-08-21T23:59:47", TimeScale.UTC)  # Galileo OS SIS ICD 2.1, 5.1.2
    assert gst.to(TimeScale.GST).iso() == "1999-08-22T00:00:00"


@given(reading=readings, scale=scales)
def test_reading_and_writing_a_scale_is_a_round_trip(reading: np.datetime64, scale: TimeScale) -> None:
    assert Epochs.from_datetime64(reading, scale).datetime64() == reading


@given(reading=readings, one=scales, other=scales)
def test_showing_another_scale_moves_no_instant(
    reading: np.datetime64, one: TimeScale, other: TimeScale
) -> None:
    instant = Epochs.from_datetime64(reading, one)
    assert instant.to(other).to(one).datetime64() == reading
    assert float(instant.to(other).seconds_since(instant)) == 0.0


@given(reading=readings, seconds=st.integers(-(10**7), 10**7))
def test_elapsed_seconds_count_leap_seconds(reading: np.datetime64, seconds: int) -> None:
    start = Epochs.from_datetime64(reading, TimeScale.UTC)
    assert float(start.plus_seconds(seconds).seconds_since(start)) == seconds


@given(first=readings, second=readings)
def test_order_is_kept_in_every_scale(first: np.datetime64, second: np.datetime64) -> None:
    early, late = sorted([first, second])
    for scale in TimeScale:
        a, b = (Epochs.from_datetime64(t, TimeScale.TAI).to(scale).datetime64() for t in (early, late))
        assert a <= b


@given(st.integers(0, 20_000))
def test_erfa_agrees_on_tai_minus_utc(day: int) -> None:
    moment = np.datetime64("1972-01-01", "D") + day
    utc = Epochs.from_datetime64(moment.astype("datetime64[ns]"), TimeScale.UTC)
    year, month, number = (int(x) for x in str(moment).split("-"))
    expected_s = float(erfa.dat(year, month, number, 0.0))
    assert (utc.to(TimeScale.TAI).datetime64() - utc.datetime64()) == np.timedelta64(round(expected_s), "s")


@given(reading=readings)
def test_julian_date_parts_are_those_of_erfa(reading: np.datetime64) -> None:
    day, fraction = Epochs.from_datetime64(reading, TimeScale.TT).julian_date_parts()
    assert day % 1.0 == 0.5
    assert 0.0 <= fraction < 1.0
    stamp = str(reading)
    year, month, number, hour, minute = (
        int(stamp[a:b]) for a, b in ((0, 4), (5, 7), (8, 10), (11, 13), (14, 16))
    )
    peer = erfa.dtf2d("TT", year, month, number, hour, minute, float(stamp[17:]))
    difference_s = ((float(day) - peer[0]) + (float(fraction) - peer[1])) * 86400
    assert abs(difference_s) < 1e-9


def test_tt_and_modified_julian_dates() -> None:
    assert (
        float(Epochs.from_datetime64("2000-01-01T12:00:00", TimeScale.TT).modified_julian_date()) == 51544.5
    )
    instant = Epochs.from_modified_julian_date(58849.0)
    assert instant.iso() == "2020-01-01T00:00:00"
    assert instant.to(TimeScale.TT).iso() == "2020-01-01T00:00:51.184"  # 19 s + 32.184 s


@given(st.floats(44244, 80000))
def test_modified_julian_dates_resolve_a_microsecond(mjd: float) -> None:
    back = float(Epochs.from_modified_julian_date(mjd).modified_julian_date())
    assert abs(back - mjd) * 86400 < 1e-6


@pytest.mark.parametrize(
    ("year", "reading"),
    [
        (2000.0, "2000-01-01T00:00:00"),
        (2000.5, "2000-07-02T00:00:00"),  # 366 days
        (2023.5, "2023-07-02T12:00:00"),  # 365 days
        (2015.0, "2015-01-01T00:00:00"),
    ],
)
def test_decimal_years_use_the_length_of_their_own_year(year: float, reading: str) -> None:
    assert Epochs.from_decimal_year(year).iso() == reading
    assert float(Epochs.from_datetime64(reading).decimal_year()) == year


@given(st.floats(1980.1, 2060))
def test_decimal_year_is_a_round_trip(year: float) -> None:
    back = float(Epochs.from_decimal_year(year).decimal_year())
    assert abs(back - year) < 1e-12 * year


def test_utc_before_whole_leap_seconds_is_refused() -> None:
    with pytest.raises(ValueError, match="1972"):
        Epochs.from_datetime64("1971-12-31T00:00:00", TimeScale.UTC)
    with pytest.raises(ValueError, match="1972"):
        Epochs.from_datetime64("1971-12-31T00:00:00", TimeScale.TAI).to(TimeScale.UTC).datetime64()


def test_iso_shows_one_instant_and_its_fraction() -> None:
    assert Epochs.from_datetime64("2024-07-27T01:02:03.25").iso() == "2024-07-27T01:02:03.25"
    assert Epochs.from_datetime64("2024-07-27T01:02:30").iso() == "2024-07-27T01:02:30"
    with pytest.raises(ValueError, match="one instant"):
        Epochs.from_datetime64(["2024-07-27", "2024-07-28"]).iso()


def test_length_index_and_date() -> None:
    days = Epochs.from_datetime64(["2024-07-27T23:59:59", "2024-07-28T00:00:01"], TimeScale.BDT)
    assert len(days) == 2
    assert days[1].scale is TimeScale.BDT
    assert days[0].date() == date(2024, 7, 27)
    assert days[0].to(TimeScale.GPST).date() == date(2024, 7, 28)  # BDT is 14 s behind
