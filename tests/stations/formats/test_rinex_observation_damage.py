"""Damage is named by its lines; files are joined and cut; what a file says beside its values is kept."""

import gzip

import hatanaka
import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stations.formats.compression import read_bytes
from stations.formats.rinex_observation import read_observations, write_observations
from stations.records import Observations
from transforms.errors import FormatError, InputError
from transforms.time_scales import Epochs


def rinex(
    *body, types=("G    2 C1C L1C", "C    2 C2I L2I"), extra=(), receiver="TRIMBLE NETR9", version="3.04"
):
    head = [
        f"{version:>9s}{'':11s}{'OBSERVATION DATA':<20s}{'M':<20s}RINEX VERSION / TYPE",
        f"{'WUH2':<60s}MARKER NAME",
        f"{'5420R':<20s}{receiver:<20s}{'5.45':<20s}REC # / TYPE / VERS",
        *(f"{t:<60s}SYS / # / OBS TYPES" for t in types),
        *extra,
        f"  2024     2     4     0     0    0.0000000     GPS{'':9s}TIME OF FIRST OBS",
        f"{'':<60s}END OF HEADER",
    ]
    return "\n".join([*head, *body]) + "\n"


def epoch(second, count=1, flag=0):
    hour, rest = divmod(second, 3600)
    return f"> 2024 02 04 {hour:02d} {rest // 60:02d}{rest % 60:11.7f}  {flag}{count:3d}"


def satellite(name="G01", value=2.0e7, lock=" ", strength=" "):
    return f"{name}{value:14.3f} {strength}{value * 5:14.3f}{lock}{strength}"


def hour_of(first, last, step=30, value=2.0e7):
    return [line for s in range(first, last, step) for line in (epoch(s), satellite(value=value + s))]


@pytest.fixture
def write(tmp_path):
    def writer(text, name="a.rnx"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return writer


def test_damaged_lines_are_named_and_strict_makes_them_an_error(write):
    path = write(
        rinex(
            epoch(0),
            satellite(),
            epoch(30, 2),  # line 10: one satellite is missing
            satellite(),
            epoch(60).replace("2024", "2O24"),  # line 12
            satellite(),
            epoch(90),
            satellite("G0A"),  # line 15
            epoch(120, 2),
            satellite(),
            satellite("C23").replace(".000", ".0x0"),  # line 18, twice
            epoch(120),  # line 19: again
            satellite(),
            epoch(150),
            satellite(),
        )
    )
    observations = read_observations(path)
    named = {d.reason: (d.count, d.lines) for d in observations.damage}
    assert named == {
        "epoch with fewer satellite lines than announced": (1, (10,)),
        "unreadable epoch record": (1, (12,)),
        "unreadable satellite name": (1, (15,)),
        "unreadable value": (2, (18,)),
        "duplicate epoch": (1, (19,)),
    }
    assert observations.rejections == {d.reason: d.count for d in observations.damage}
    assert {d.path for d in observations.damage} == {str(path)}
    with pytest.raises(FormatError, match=r"a\.rnx, line 10: damaged: 1 x epoch with fewer") as raised:
        read_observations(path, strict=True)
    assert raised.value.line == 10


def test_sound_files_pass_strict(write):
    assert read_observations(write(rinex(*hour_of(0, 300))), strict=True).damage == ()


def test_damaged_compact_rinex_is_salvaged_up_to_the_damage_and_no_further(write, tmp_path):
    plain = rinex(*hour_of(0, 3600))
    lines = hatanaka.rnx2crx(plain).split("\n")
    start = next(i for i, line in enumerate(lines) if "END OF HEADER" in line)
    broken = start + 1 + 60 * 3  # an epoch has three lines
    for name, damaged in (
        ("lost", lines[:broken] + lines[broken + 1 :]),
        ("noise", [*lines[:broken], "noise 3&&& noise", *lines[broken + 1 :]]),
        ("cut", lines[: broken + 1]),
    ):
        path = tmp_path / f"{name}.crx.gz"
        path.write_bytes(gzip.compress("\n".join(damaged).encode()))
        observations = read_observations(path)
        n = observations.data.sizes["epoch"]
        assert 45 <= n <= 60, name
        whole = read_observations(write(plain)).data.isel(epoch=slice(0, n))
        np.testing.assert_array_equal(observations.data.pseudorange_m, whole.pseudorange_m)
        assert any("Compact RINEX damaged" in d.reason for d in observations.damage), name
        with pytest.raises(FormatError, match="Compact RINEX file is damaged or cut off"):
            read_observations(path, strict=True)
        with pytest.raises(FormatError, match="Compact RINEX file is damaged or cut off"):
            read_bytes(path)


@pytest.mark.real_data
def test_a_real_compact_rinex_with_a_hole_in_it(real_data):
    path = real_data / "parsers" / "gognss" / "hubu00DEU_R_20230931500_01H_30S_MO.crx.gz"
    observations = read_observations(path)
    assert observations.data.sizes["epoch"] == 15  # crx2rnx -s restores 25; the last ten are not trusted
    (lost,) = [d for d in observations.damage if "Compact RINEX damaged" in d.reason]
    assert "line 1267" in lost.reason


def test_files_of_a_day_are_joined_and_overlaps_removed_and_counted(write):
    paths = [
        write(rinex(*hour_of(900 * k, 900 * (k + 1) + 60, value=2.0e7 + k)), f"{k}.rnx") for k in range(4)
    ]
    observations = read_observations(reversed(paths))
    assert observations.data.sizes["epoch"] == 122
    assert observations.rejections == {"epoch that another file gives too": 6}
    assert observations.damage == ()
    assert len(observations.inputs) == 4
    at_quarter = observations.data.pseudorange_m.sel(
        epoch="2024-02-04T00:15:00", signal="1C", satellite="G01"
    )
    assert float(at_quarter) == 2.0e7 + 900  # of the file that begins first
    assert read_observations(paths, strict=True).data.sizes["epoch"] == 122


def test_files_that_alternate_are_merged(write):
    even, odd = write(rinex(*hour_of(0, 600, 60)), "even.rnx"), write(rinex(*hour_of(30, 600, 60)), "odd.rnx")
    observations = read_observations([even, odd])
    assert observations.interval_s == 30.0
    assert observations.rejections == {}


def test_other_equipment_in_a_later_file_is_an_event(write, tmp_path):
    first = write(rinex(*hour_of(0, 600)), "a.rnx")
    later = write(rinex(*hour_of(600, 1200), receiver="TRIMBLE ALLOY"), "b.rnx")
    observations = read_observations([first, later])
    (event,) = observations.events
    assert (event.flag, event.epoch.iso()) == (4, "2024-02-04T00:10:00")
    assert event.setup.receiver == "TRIMBLE ALLOY"
    assert observations.header.setup.receiver == "TRIMBLE NETR9"
    write_observations(observations, tmp_path / "both.rnx")
    (again,) = read_observations(tmp_path / "both.rnx").events
    assert again.setup == event.setup
    assert again.epoch.iso() == event.epoch.iso()


def test_a_time_span_is_cut_from_a_longer_file(write):
    change = f"{'5420R':<20s}{'TRIMBLE ALLOY':<20s}{'6.20':<20s}REC # / TYPE / VERS"
    path = write(rinex(*hour_of(0, 600), epoch(590, 1, 4), change, *hour_of(600, 3600)))
    first, last = (Epochs.from_datetime64(np.datetime64(f"2024-02-04T00:{m}")) for m in ("20:00", "29:30"))
    part = read_observations(path, first=first, last=last)
    assert part.data.sizes["epoch"] == 20
    assert (part.epochs[0].iso(), part.epochs[-1].iso()) == ("2024-02-04T00:20:00", "2024-02-04T00:29:30")
    # The change lies before the span: the header in force is that of the span.
    assert part.header.setup.receiver == "TRIMBLE ALLOY"
    assert part.events == ()
    thinned = read_observations(path, first=first, interval_s=300)
    assert thinned.data.sizes["epoch"] == 8
    with pytest.raises(InputError, match="no observations in the time span asked for"):
        read_observations(path, first=last.plus_seconds(86_400))


def test_signal_strength_is_kept_where_a_file_has_it(write, tmp_path):
    plain = read_observations(write(rinex(*hour_of(0, 60))))
    assert "signal_strength" not in plain.data
    text = rinex(
        epoch(0, 2), satellite(strength="7", lock="1"), satellite("C23", strength="9"), epoch(30), satellite()
    )
    observations = read_observations(write(text))
    strength = observations.data.signal_strength
    assert strength.dtype == np.uint8
    assert int(strength.sel(satellite="G01", signal="1C")[0]) == 7
    assert int(strength.sel(satellite="C23", signal="2I")[0]) == 9
    assert int(strength.sum()) == 16
    write_observations(observations, tmp_path / "again.rnx")
    np.testing.assert_array_equal(read_observations(tmp_path / "again.rnx").data.signal_strength, strength)


def test_what_the_header_says_of_biases_leap_seconds_and_phase_shifts(write):
    extra = [
        f"{' C1C  -71.940 C1P  -71.940 C2C  -71.940 C2P  -71.940':<60s}GLONASS COD/PHS/BIS",
        f"{'    18    18  1929     7':<60s}LEAP SECONDS",
        f"{'G L5Q -0.25000':<60s}SYS / PHASE SHIFT",
        f"{'R L2P  0.25000  02 R01 R02':<60s}SYS / PHASE SHIFT",
        f"{'C L2I':<60s}SYS / PHASE SHIFT",
    ]
    header = read_observations(write(rinex(*hour_of(0, 60), extra=extra))).header
    assert header.glonass_biases_m == {"C1C": -71.94, "C1P": -71.94, "C2C": -71.94, "C2P": -71.94}
    assert header.leap_seconds == 18
    assert header.phase_shifts_cycles == {"GL5Q": -0.25, "RL2P R01": 0.25, "RL2P R02": 0.25}
    of_beidou = f"{'     4     4  1929     7 BDS':<60s}LEAP SECONDS"
    assert read_observations(write(rinex(*hour_of(0, 60), extra=[of_beidou]))).header.leap_seconds == 18


def test_an_unreadable_line_of_these_is_damage_and_no_end(write):
    extra = [f"{'eighteen':<60s}LEAP SECONDS"]
    observations = read_observations(write(rinex(*hour_of(0, 60), extra=extra)))
    assert observations.header.leap_seconds is None
    assert [(d.reason, d.lines) for d in observations.damage] == [("unreadable header line", (6,))]


def test_types_without_a_meaning_here_are_counted(write):
    text = rinex(
        epoch(0),
        f"G01{2e7:14.3f}  {1e8:14.3f}  {3.5:14.3f}",
        types=("G    3 C1C L1C I1C",),
    )
    assert read_observations(write(text)).rejections == {
        "value of G I1C, a pseudo-observable: the ionosphere's phase delay by a model": 1
    }
    # The standard leaves their attribute blank (RINEX 3.05, sections 5.2.12 and 5.2.13).
    text = text.replace("    3 C1C L1C I1C    ", "    4 C1C X1  I1  S1C").rstrip("\n") + f"  {44.0:14.3f}\n"
    observations = read_observations(write(text, "pseudo.rnx"))
    assert observations.rejections == {
        "value of G I1, a pseudo-observable: the ionosphere's phase delay by a model": 1,
        "value of G X1, a pseudo-observable: the receiver's channel number": 1,
    }
    assert observations.damage == ()
    assert float(observations.data.cn0_dbhz.values.item()) == 44.0
    old = (
        f"{'     2.11':<20s}{'OBSERVATION DATA':<20s}{'M':<20s}RINEX VERSION / TYPE\n"
        f"{'     2    C1    C2':<60s}# / TYPES OF OBSERV\n{'':<60s}END OF HEADER\n"
        f" 24  2  4  0  0  0.0000000  0  1C11\n{2.1e7:14.3f}  {2.2e7:14.3f}\n"
    )
    observations = read_observations(write(old, "a.24o"))
    assert observations.rejections == {"value of C C1, which is no observable here": 1}
    assert observations.damage == ()
    assert list(observations.data.signal.values) == ["2I"]


def test_events_without_a_time_are_written_again_at_their_place(write, tmp_path):
    comment = f"{'the antenna was cleaned':<60s}COMMENT"
    path = write(rinex(*hour_of(0, 60), f">{'':30s}4  1", comment, *hour_of(60, 120)))
    observations = read_observations(path)
    (event,) = observations.events
    assert event.epoch is None
    assert event.after_epoch.iso() == "2024-02-04T00:00:30"
    write_observations(observations, tmp_path / "again.rnx")
    lines = (tmp_path / "again.rnx").read_text().splitlines()
    assert lines[lines.index(comment) - 3].startswith("> 2024 02 04 00 00 30")
    assert lines[lines.index(comment) + 1].startswith("> 2024 02 04 00 01  0")


def test_an_endless_line_is_refused(write):
    with pytest.raises(FormatError, match=r"line 8: a line of 20\d\d\d bytes"):
        read_observations(write(rinex("x" * 20_100, *hour_of(0, 60))))


def test_a_file_beyond_the_size_allowed_is_refused(write, tmp_path):
    bomb = tmp_path / "bomb.rnx.gz"
    bomb.write_bytes(gzip.compress(rinex(*hour_of(0, 60)).encode() + b"\n" * 5_000_000))
    with pytest.raises(FormatError, match="expands to more than the 1000000 bytes"):
        read_observations(bomb, maximum_bytes=1_000_000)
    with pytest.raises(FormatError, match="expands to more than the 100 bytes"):
        read_observations(write(rinex(*hour_of(0, 60))), maximum_bytes=100)


@st.composite
def any_observations(draw):
    """Milli-units of every observable, indicators with and without values, gaps, several systems."""
    satellites = sorted(
        draw(st.sets(st.sampled_from(["C23", "E05", "G01", "G31", "I02", "J03", "R09", "S23"]), min_size=1))
    )
    signals = sorted(draw(st.sets(st.sampled_from(["1C", "2I", "5P", "5Q", "6I"]), min_size=1)))
    n_epoch = draw(st.integers(1, 4))
    shape = (n_epoch, len(satellites), len(signals))
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
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
        values[random.random(shape) < draw(st.sampled_from([0.0, 0.5, 0.9]))] = np.nan
        if name[0] in "dc" and name != "carrier_phase_cycles":
            values = np.round(values * 8) / 8  # what both float32 and three decimals hold
            values[values == 0.0] = np.nan
            values = values.astype(np.float32)
        tables[name] = values
    tables["pseudorange_m"][:, 0, 0] = 2.1e7  # no epoch is empty
    tables["pseudorange_m"][0] = 2.1e7  # nor a satellite or a signal
    tables["loss_of_lock"] = random.integers(0, 8, shape).astype(np.uint8)
    tables["signal_strength"] = random.integers(0, 10, shape).astype(np.uint8)
    start = np.datetime64("2024-02-28T23:59:00", "ns") + np.timedelta64(
        draw(st.integers(0, 10**9)) * 100, "ns"
    )
    steps = np.cumsum([0, *(draw(st.integers(1, 10**9)) for _ in range(n_epoch - 1))])
    return tables, start + steps * np.timedelta64(100, "ns"), satellites, signals


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    any_observations(),
    st.sampled_from(["3.05", "4.02"]),
    st.sampled_from([".rnx", ".rnx.gz", ".crx.gz"]),
)
def test_what_is_written_is_read_again(tmp_path, drawn, version, ending):
    tables, epochs, satellites, signals = drawn
    (tmp_path / "start.rnx").write_text(rinex(*hour_of(0, 30)))
    header = read_observations(tmp_path / "start.rnx").header
    dimensions = ("epoch", "satellite", "signal")
    data = xr.Dataset(
        {name: (dimensions, table) for name, table in tables.items()},
        coords={"epoch": epochs, "satellite": satellites, "signal": signals},
    )
    path = tmp_path / f"again{ending}"
    write_observations(Observations(data, header), path, version=version)
    again = read_observations(path, strict=True)
    assert again.header.rinex_version == version
    assert again.rejections == {}
    for name in tables:
        expected = data[name].values
        found = again.data[name].values if name in again.data else np.full(data[name].shape, np.nan)
        if name == "signal_strength" and name not in again.data:
            found = np.zeros(data[name].shape, dtype=np.uint8)
        np.testing.assert_array_equal(found, expected)


BROKEN_LINE = f"{'        1.5x00        0.0000        0.0000':<60s}ANTENNA: DELTA H/E/N"
BROKEN_TYPES = f"{'G    3 C1C L1C':<60s}SYS / # / OBS TYPES"


def test_a_broken_header_inside_a_day_costs_its_event_and_no_more(write):
    lines = rinex(*hour_of(0, 60), f">{'':30s}4  1", BROKEN_LINE, *hour_of(60, 120))
    observations = read_observations(write(lines))
    assert observations.data.sizes["epoch"] == 4
    assert observations.events == ()
    (damage,) = observations.damage
    number = lines.splitlines().index(BROKEN_LINE) + 1
    assert (damage.reason, damage.lines) == ("event with a header line that cannot be read", (number,))
    with pytest.raises(FormatError, match=f"line {number}: damaged: 1 x event with a header line"):
        read_observations(write(lines), strict=True)


def test_behind_types_that_cannot_be_read_nothing_is_taken(write):
    lines = rinex(*hour_of(0, 60), f">{'':30s}4  1", BROKEN_TYPES, *hour_of(60, 150))
    observations = read_observations(write(lines))
    assert observations.data.sizes["epoch"] == 2
    assert observations.rejections == {
        "event with a header line that cannot be read": 1,
        "epoch behind observation types or factors that cannot be read": 3,
    }
    with pytest.raises(FormatError, match="no epoch of observations could be read"):
        read_observations(write(rinex(f">{'':30s}4  1", BROKEN_TYPES, *hour_of(0, 90)), "none.rnx"))


@pytest.mark.parametrize(("flag", "following"), [(4, [BROKEN_LINE]), (6, [satellite(value=3.0)])])
def test_an_event_with_too_few_lines_takes_none_of_the_next_epoch(write, flag, following):
    lines = rinex(*hour_of(0, 60), epoch(60, 3, flag), *following, *hour_of(90, 150))
    observations = read_observations(write(lines))
    assert observations.data.sizes["epoch"] == 4
    assert observations.rejections == {"event with fewer lines than announced": 1}


@pytest.mark.parametrize(
    ("broken", "epochs", "rejections"),
    [
        (BROKEN_LINE, 3, {"event with a header line that cannot be read": 1}),
        (
            f"{'     3    C1':<60s}# / TYPES OF OBSERV",
            1,
            {
                "event with a header line that cannot be read": 1,
                "epoch behind observation types or factors that cannot be read": 2,
            },
        ),
    ],
)
def test_the_same_in_rinex_2(write, broken, epochs, rejections):
    def one(second):
        return f" 24  2  4  0  0 {second:10.7f}  0  1G01\n{2.1e7:14.3f}  {1.1e8:14.3f}\n"

    text = (
        f"{'     2.11':<20s}{'OBSERVATION DATA':<20s}{'M':<20s}RINEX VERSION / TYPE\n"
        f"{'     2    C1    L1':<60s}# / TYPES OF OBSERV\n{'':<60s}END OF HEADER\n"
        f"{one(0)}{'':28s}4  1\n{broken}\n{one(15)}{one(30)}"
    )
    observations = read_observations(write(text, "a.24o"))
    assert observations.data.sizes["epoch"] == epochs
    assert observations.rejections == rejections


def test_cycle_slip_records_are_read(write):
    """The columns of the observations, with cycles in place of values (RINEX 3.05, table A3)."""
    slip = f"G01{'':14s}  {-3.0:14.3f}"
    text = rinex(*hour_of(0, 30), epoch(30, 2, 6), slip, "C99 x", *hour_of(30, 60))
    text = text.replace("C99 x", f"G02{'':14s}  {'nonsense':>14s}")
    observations = read_observations(write(text))
    (event,) = observations.events
    assert [(s.satellite, s.code, s.slip_cycles) for s in event.slips] == [("G01", "L1C", -3.0)]
    assert observations.rejections == {"unreadable cycle slip": 1}
