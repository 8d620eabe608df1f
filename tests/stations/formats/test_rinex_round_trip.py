"""What is written is read again: values, indicators and events, in every version, plain and Compact RINEX."""

from dataclasses import fields, replace

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stations.formats.rinex2_adaptation import carried_by_rinex2
from stations.formats.rinex_observation import read_observations, write_observations
from stations.formats.rinex_observation_header_writing import setup_lines
from stations.records import (
    AntennaType,
    CycleSlip,
    ObservationEvent,
    Observations,
    StationHeader,
    StationSetup,
)
from transforms.time_scales import Epochs

SATELLITES = ("C23", "E05", "G01", "G31", "I02", "J03", "R09", "S23")
SIGNALS = ("1C", "1W", "1X", "2C", "2I", "2L", "2P", "2W", "2X", "5P", "5Q", "6I", "7X")
MANY_SATELLITES = tuple(f"G{n:02d}" for n in range(1, 28))
START = np.datetime64("2024-02-28T23:59:00", "ns")
STEP_NS = 30_000_000_000
SETUPS = tuple(
    StationSetup("SEPT POLARX5", serial, "5.4.0", AntennaType(antenna, radome, "7"), (0.0, 0.125, up))
    for serial, antenna, radome, up in (
        ("1", "JAVRINGANT_DM", "NONE", 0.0),
        ("2", "JAVRINGANT_DM", "SCIS", 0.5),
        ("2", "TRM59800.00", "NONE", -0.0625),
    )
)
COMPACT = ("crx", "24d", "crx.gz")
DIMENSIONS = ("epoch", "satellite", "signal")


def epoch_at(place):
    return Epochs.from_datetime64(START + np.timedelta64(round(place * STEP_NS), "ns"))


@st.composite
def any_event(draw, n_epochs):
    flag = draw(st.integers(1, 6))
    if flag == 1:
        return ObservationEvent(epoch_at(draw(st.integers(0, n_epochs - 1))), 1, "", (), 0)
    # On an epoch, between two, or behind the last; the receiver's clock ticks in 100 ns.
    at = epoch_at(draw(st.integers(0, 4 * n_epochs)) / 4)
    if flag == 6:
        slips = draw(
            st.dictionaries(
                st.tuples(st.sampled_from(SATELLITES), st.sampled_from(["L1C", "L2W", "L5Q", "L8X"])),
                st.integers(-99_999, 99_999).filter(bool),
                min_size=1,
                max_size=20,
            )
        )
        found = tuple(CycleSlip(s, c, n / 8) for (s, c), n in sorted(slips.items()))
        return ObservationEvent(at, 6, "", (), 0, slips=found)
    place = draw(st.none() | st.integers(0, n_epochs - 1))
    timed = draw(st.booleans())
    comments = draw(st.lists(st.sampled_from(["a", "the antenna was cleaned", "x" * 60]), max_size=2))
    lines = tuple(f"{comment:<60s}COMMENT" for comment in comments)
    setup = draw(st.sampled_from((None, *SETUPS)))
    if (at.tai_ns == epoch_at(0).tai_ns) if timed else place is None:
        setup = None  # before the first epoch: it would be that of the header
    if setup is not None:
        lines += setup_lines(setup)
    if not lines and flag == 4:
        lines = (f"{'header information of nothing':<60s}COMMENT",)
    if timed:
        return ObservationEvent(at, flag, "", lines, 0)
    return ObservationEvent(None, flag, "", lines, 0, after_epoch=None if place is None else epoch_at(place))


def in_order(events):
    """In the order of their time, those before all epochs first; the equipment told where it changes."""
    times = [e.after_epoch if e.epoch is None else e.epoch for e in events]
    # At an epoch: what stands before its line, the flag in its line, what follows its records.
    order = sorted(
        range(len(events)),
        key=lambda i: (
            -1 if times[i] is None else int(times[i].tai_ns),
            events[i].epoch is None,
            events[i].flag == 1,
        ),
    )
    current, ordered = SETUPS[0], []
    for event in (events[i] for i in order):
        told = [s for s in SETUPS if set(setup_lines(s)) <= set(event.header_lines)]
        changed = told[0] if told and told[0] != current else None
        current = changed or current
        ordered.append(replace(event, setup=changed))
    return tuple(ordered)


@st.composite
def any_observations(draw):
    satellites = sorted(draw(st.sets(st.sampled_from(SATELLITES), min_size=1)))
    if draw(st.booleans()):
        satellites = sorted({*satellites, *MANY_SATELLITES})
    signals = sorted(draw(st.sets(st.sampled_from(SIGNALS), min_size=1)))
    shape = (draw(st.integers(1, 4)), len(satellites), len(signals))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    blank = draw(st.sampled_from([0.0, 0.5, 0.9]))
    tables = {}
    for name, largest in (
        ("pseudorange_m", 10**12),
        ("carrier_phase_cycles", 10**12),
        ("doppler_hz", 10**7),
        ("cn0_dbhz", 10**5),
    ):
        values = random.integers(1, largest, shape) / 1000.0
        if name in ("carrier_phase_cycles", "doppler_hz"):
            values *= random.choice([-1.0, 1.0], shape)
        values[random.random(shape) < blank] = np.nan
        if name in ("doppler_hz", "cn0_dbhz"):
            values = np.maximum(np.round(np.abs(values) * 8), 1) / 8  # float32 and three decimals hold it
            values = values.astype(np.float32)
        tables[name] = values
    tables["pseudorange_m"][:, 0, 0] = 2.1e7  # no epoch is empty
    tables["pseudorange_m"][0] = 2.1e7  # nor a satellite or a signal
    phase = np.isfinite(tables["carrier_phase_cycles"])
    tables["loss_of_lock"] = random.integers(0, 8, shape).astype(np.uint8)
    tables["signal_strength"] = random.integers(0, 10, shape).astype(np.uint8)
    half_cycles = draw(st.booleans())
    if half_cycles:  # of squaring receivers, which RINEX 2 tells by wavelength factors
        tables["loss_of_lock"] |= np.where(phase, 2, 0).astype(np.uint8)
    data = xr.Dataset(
        {name: (DIMENSIONS, table) for name, table in tables.items()},
        coords={
            "epoch": START + np.arange(shape[0]) * np.timedelta64(STEP_NS, "ns"),
            "satellite": satellites,
            "signal": signals,
        },
    )
    events = in_order(draw(st.lists(any_event(shape[0]), max_size=4)))
    header = StationHeader(
        "WUH2", "21602M001", SETUPS[0], np.array([-2.3e6, 5.0e6, 3.2e6]), {}, "3.05",
        observer="Li Wei", agency="Bureau", comments=("a comment", "another"), leap_seconds=18,
    )  # fmt: skip
    return Observations(data, header, events)


def seen(event):
    """What of an event is in a file: its time, or the epoch that it stands behind."""
    return (
        None if event.epoch is None else int(event.epoch.tai_ns),
        None if event.after_epoch is None else int(event.after_epoch.tai_ns),
        event.flag,
        event.header_lines,
        event.setup,
        tuple(sorted((s.satellite, s.code, s.slip_cycles) for s in event.slips)),
    )


def expected_events(observations):
    """One flag is all that an epoch has to tell of power failures; slips of nothing are no event."""
    found = []
    for event in observations.events:
        if event.flag == 1 and any(seen(event)[:3] == f[:3] for f in found):
            continue
        if event.flag == 6 and not event.slips:
            continue
        found.append(seen(event))
    return found


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    any_observations(),
    st.sampled_from(["2.11", "2.12", "3.05", "4.02"]),
    st.sampled_from(["rnx", "24o", "crx", "24d", "crx.gz"]),
)
def test_what_is_written_is_read_again(tmp_path, observations, version, ending):
    expected = observations
    if version.startswith("2"):
        systems = {s[0] for s in observations.satellites}
        if not systems & set("GRES" if version == "2.11" else "GRESJC"):
            return
        try:
            expected = carried_by_rinex2(observations, version, compact=ending in COMPACT)
        except ValueError:  # nothing that it can carry
            return
        if len(expected.epochs) < len(observations.epochs) or not told(expected).any(axis=1).all():
            return
    path = tmp_path / f"written.{ending}"
    write_observations(observations, path, version=version)
    again = read_observations(path, strict=True)
    assert again.rejections == {}
    assert again.satellites == expected.satellites
    assert again.header.rinex_version == version
    for name in ("marker_name", "marker_number", "setup", "observer", "agency", "comments", "leap_seconds"):
        assert getattr(again.header, name) == getattr(expected.header, name)
    np.testing.assert_array_equal(again.epochs.tai_ns, expected.epochs.tai_ns)
    compare(again.data, expected.data)
    assert [seen(e) for e in again.events] == expected_events(expected)
    stored = path.read_bytes()
    write_observations(again, path, version=version)
    assert path.read_bytes() == stored


def told(observations):
    """Epochs and satellites with any value, shape (n_epoch, n_satellite)."""
    values = [v.values for v in observations.data.values()]
    return np.any([(v != 0 if v.dtype == np.uint8 else np.isfinite(v)).any(axis=2) for v in values], axis=0)


def compare(found, expected):
    """Equal tables; a variable or a signal with nothing in it may be missing."""
    for name in expected:
        kind = expected[name].dtype
        empty = 0 if kind == np.uint8 else np.nan
        for signal in sorted(set(map(str, expected.signal.values)) | set(map(str, found.signal.values))):
            tables = []
            for data in (found, expected):
                there = name in data and signal in data.signal.values
                tables.append(
                    data[name].sel(signal=signal).values
                    if there
                    else np.full(expected[name].shape[:2], empty)
                )
            np.testing.assert_array_equal(*tables, err_msg=f"{name} {signal}")


def test_the_fields_of_a_header_are_all_carried():
    """A new field of the header must be written and read, or named here."""
    of_rinex_3 = {"glonass_channels", "glonass_biases_m", "phase_shifts_cycles"}
    written = {"marker_name", "marker_number", "setup", "observer", "agency", "comments", "leap_seconds"}
    written |= {"approximate_position_ecef_m", "rinex_version", "kept_lines"}
    assert {f.name for f in fields(StationHeader)} == written | of_rinex_3


@pytest.mark.parametrize("version", ["2.11", "3.05"])
def test_a_power_failure_stays_where_its_epoch_was_thinned_out(tmp_path, version):
    rows = np.full((2, 1, 1), 2.1e7)
    zero = np.zeros((2, 1, 1), dtype=np.uint8)
    nan = np.full((2, 1, 1), np.nan)
    data = xr.Dataset(
        {
            "pseudorange_m": (DIMENSIONS, rows),
            "carrier_phase_cycles": (DIMENSIONS, nan),
            "cn0_dbhz": (DIMENSIONS, nan.astype(np.float32)),
            "loss_of_lock": (DIMENSIONS, zero),
        },
        coords={
            "epoch": START + np.arange(2) * np.timedelta64(STEP_NS, "ns"),
            "satellite": ["G01"],
            "signal": ["1C"],
        },
    )
    header = StationHeader("WUH2", "", SETUPS[0], None, {}, "3.05")
    event = ObservationEvent(epoch_at(0.5), 1, "", (), 0)
    write_observations(Observations(data, header, (event,)), tmp_path / "a.rnx", version=version)
    (again,) = read_observations(tmp_path / "a.rnx").events
    assert (again.flag, int(again.epoch.tai_ns)) == (1, int(epoch_at(1).tai_ns))
