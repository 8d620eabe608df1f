"""What is wrong with an observation file is said or counted: no silent loss, no number out of nothing.

The first part holds one test for each defect that georinex 1.16.2 showed on files made for the purpose.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stations.formats.rinex_observation import read_observations
from transforms.errors import FormatError, InputError


def rinex_3(*lines, version="3.04", types=("G    4 C1C L1C C5Q L5Q", "C    4 C2I L2I C6I L6I")):
    head = [
        f"{version:>9s}{'':11s}{'OBSERVATION DATA':<20s}{'M':<20s}RINEX VERSION / TYPE",
        f"{'WUH2':<60s}MARKER NAME",
        f"{'5420R':<20s}{'TRIMBLE NETR9':<20s}{'5.45':<20s}REC # / TYPE / VERS",
        f"{'':<20s}{'TRM59800.00     SCIS':<40s}ANT # / TYPE",
        f"{0.0622:14.4f}{0.001:14.4f}{-0.002:14.4f}{'':18s}ANTENNA: DELTA H/E/N",
        *(f"{t:<60s}SYS / # / OBS TYPES" for t in types),
        f"  2024     2     4     0     0    0.0000000     GPS{'':9s}TIME OF FIRST OBS",
        f"{'':<60s}END OF HEADER",
    ]
    return "\n".join([*head, *lines]) + "\n"


def epoch(second, count, flag=0):
    return f"> 2024 02 04 00 {int(second) // 60:02d}{second % 60:11.7f}  {flag}{count:3d}"


def satellite(name, value=2.0e7, indicators="    "):
    fields = [value, value * 5, value + 1, value * 4]
    return name + "".join(f"{v:14.3f}{i} " for v, i in zip(fields, indicators, strict=True))


@pytest.fixture
def read(tmp_path):
    def reader(text, name="a.rnx"):
        path = tmp_path / name
        path.write_text(text)
        return read_observations(path)

    return reader


# --- defects of georinex that this reader does not have


def test_an_event_with_a_blank_time_drops_nothing_after_it(read):
    comment = f"{'the antenna was cleaned':<60s}COMMENT"
    text = rinex_3(
        epoch(0, 1),
        satellite("G01"),
        f">{'':30s}4  1",
        comment,
        epoch(30, 1),
        satellite("G01"),
        epoch(60, 1),
        satellite("G01"),
    )
    observations = read(text)
    assert observations.data.sizes["epoch"] == 3
    (event,) = observations.events
    assert (event.flag, event.epoch, event.header_lines) == (4, None, (comment,))


def test_an_event_with_a_time_is_no_satellite(read):
    receiver = f"{'5420R':<20s}{'TRIMBLE ALLOY':<20s}{'6.20':<20s}REC # / TYPE / VERS"
    observations = read(
        rinex_3(epoch(0, 1), satellite("G01"), epoch(15, 1, 3), receiver, epoch(30, 1), satellite("G01"))
    )
    assert observations.satellites == ("G01",)
    (event,) = observations.events
    assert event.flag == 3
    assert event.epoch.iso() == "2024-02-04T00:00:15"


def test_a_hundred_satellites_and_more_are_kept(read):
    names = [f"{s}{n:02d}" for s in "GC" for n in range(1, 64)]
    observations = read(rinex_3(epoch(0, len(names)), *(satellite(n) for n in names)))
    assert observations.satellites == tuple(sorted(names))
    assert np.isfinite(observations.data.pseudorange_m).sum() == 2 * len(names)


def test_loss_of_lock_is_kept_on_every_band(read):
    observations = read(
        rinex_3(epoch(0, 2), satellite("C23", indicators=" 1 3"), satellite("G01", indicators=" 4 2"))
    )
    lock = observations.data["loss_of_lock"].isel(epoch=0)
    assert [int(lock.sel(satellite="C23", signal=s)) for s in ("2I", "6I")] == [1, 3]
    assert [int(lock.sel(satellite="G01", signal=s)) for s in ("1C", "5Q")] == [4, 2]


def test_a_power_failure_is_an_event_and_its_epoch_is_kept(read):
    observations = read(rinex_3(epoch(0, 1), satellite("G01"), epoch(30, 1, 1), satellite("G01")))
    assert observations.data.sizes["epoch"] == 2
    (event,) = observations.events
    assert (event.flag, event.epoch.iso()) == (1, "2024-02-04T00:00:30")


@pytest.mark.parametrize("version", ["2.10", "2.11", "2.12", "3.00", "3.05", "4.00", "4.02"])
def test_all_versions_are_read(read, version):
    if version[0] != "2":
        assert read(rinex_3(epoch(0, 1), satellite("G01"), version=version)).header.rinex_version == version
        return
    text = (
        f"{version:>9s}{'':11s}{'OBSERVATION DATA':<20s}{'G':<20s}RINEX VERSION / TYPE\n"
        f"{'     2    C1    L1':<60s}# / TYPES OF OBSERV\n{'':<60s}END OF HEADER\n"
        f" 24  2  4  0  0  0.0000000  0  1G01\n{2e7:14.3f}  {1e8:14.3f}\n"
    )
    assert read(text).header.rinex_version == version


def test_duplicate_epochs_are_rejected_and_counted(read):
    observations = read(
        rinex_3(
            epoch(0, 1),
            satellite("G01", 2.0e7),
            epoch(0, 1),
            satellite("G01", 2.1e7),
            epoch(30, 1),
            satellite("G01"),
        )
    )
    assert observations.data.sizes["epoch"] == 2
    assert observations.rejections == {"duplicate epoch": 1}
    assert float(observations.data.pseudorange_m.sel(satellite="G01", signal="1C")[0]) == 2.0e7


def test_epochs_are_exact(read):
    observations = read(rinex_3(epoch(29.999, 1), satellite("G01"), epoch(59.9999999, 1), satellite("G01")))
    readings = [str(t) for t in observations.epochs.datetime64()]
    assert readings == ["2024-02-04T00:00:29.999000000", "2024-02-04T00:00:59.999999900"]


def test_receiver_antenna_and_eccentricity_are_there(read):
    setup = read(rinex_3(epoch(0, 1), satellite("G01"))).header.setup
    assert (setup.receiver, setup.receiver_firmware) == ("TRIMBLE NETR9", "5.45")
    assert setup.antenna.igs_code == "TRM59800.00     SCIS"
    assert setup.eccentricity_enu_m == (0.001, -0.002, 0.0622)


def test_a_file_without_a_readable_epoch_is_an_error(read):
    for body in (
        [],
        ["garbage"],
        [epoch(0, 1).replace("2024", "2O24"), satellite("G01")],
        [epoch(0, 2), satellite("G01")],
    ):
        with pytest.raises(FormatError, match="no epoch of observations could be read"):
            read(rinex_3(*body))


# --- other damage


def test_epochs_out_of_order_are_rejected_and_counted(read):
    order = [0, 30, 3000, 60, 90]
    observations = read(rinex_3(*(line for s in order for line in (epoch(s, 1), satellite("G01")))))
    assert observations.data.sizes["epoch"] == 4
    assert observations.rejections == {"epoch out of order": 1}


def test_an_epoch_that_lacks_lines_is_rejected_and_the_next_is_kept(read):
    observations = read(
        rinex_3(epoch(0, 3), satellite("G01"), satellite("G02"), epoch(30, 1), satellite("G01"))
    )
    assert observations.rejections == {"epoch with fewer satellite lines than announced": 1}
    assert observations.satellites == ("G01",)


def test_the_last_epoch_of_a_file_that_is_cut_off_is_rejected(read):
    observations = read(
        rinex_3(epoch(0, 1), satellite("G01"), epoch(30, 3), satellite("G01"), satellite("G02"))
    )
    assert observations.data.sizes["epoch"] == 1
    assert observations.rejections == {"epoch with fewer satellite lines than announced": 1}


def test_a_value_cut_by_the_end_of_its_line_is_no_value(read):
    """20000000.12 of 20000000.125 would be 5 mm wrong and look sound."""
    text = rinex_3(epoch(0, 1), satellite("G01")[: 3 + 13])
    observations = read(rinex_3(epoch(0, 1), satellite("G01"), epoch(30, 1), text.splitlines()[-1]))
    assert observations.rejections == {"value cut off by the end of its line": 1}
    assert np.isnan(observations.data.pseudorange_m.sel(satellite="G01", signal="1C")[1])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (satellite("X01"), "unreadable satellite name"),
        (satellite("G0A"), "unreadable satellite name"),
        (satellite("E05"), "satellite of system E, for which the header lists no observations"),
        (satellite("G01")[:3] + "  2000000x.125" + satellite("G01")[17:], "unreadable value"),
        (satellite("G01")[:3] + "*" * 14 + satellite("G01")[17:], "unreadable value"),
        (satellite("G01")[:3] + "9999999999.999" + satellite("G01")[17:], "pseudorange_m out of range"),
        (satellite("G01", indicators=" x  "), "unreadable loss-of-lock indicator"),
        (satellite("G02"), "satellite given twice in an epoch"),
    ],
)
def test_what_cannot_be_read_is_counted(read, line, reason):
    observations = read(rinex_3(epoch(0, 2), satellite("G02"), line))
    assert observations.rejections == {reason: 1}
    assert float(observations.data.pseudorange_m.sel(satellite="G02", signal="1C").item()) == 2.0e7


def test_zero_and_blank_are_missing(read):
    observations = read(rinex_3(epoch(0, 2), satellite("G01", 0.0), "G02" + " " * 32 + f"{2e7:14.3f}"))
    assert np.isnan(observations.data.pseudorange_m.sel(satellite="G02", signal="1C").item())
    assert float(observations.data.pseudorange_m.sel(satellite="G02", signal="5Q").item()) == 2e7
    assert np.isnan(observations.data.pseudorange_m.sel(satellite="G01", signal="1C").item())


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("3.04", "5.00", "line 1: RINEX version '5.00'"),
        ("3.04", "3.99", "line 1: RINEX version 3.99"),
        ("OBSERVATION DATA", "NAVIGATION DATA ", "file of observations"),
        ("END OF HEADER", "END OF HEADED", "no END OF HEADER"),
        ("G    4 C1C", "G    5 C1C", "line 6: 5 observation types announced for system 'G', 4 listed"),
        ("L5Q", "L1C", "listed twice"),
        ("L5Q", "L55", "no observation code: 'L55'"),
        ("     GPS", "     XYZ", "unknown time system 'XYZ'"),
        ("0.0622", "0.06z2", "line 5: expected three numbers"),
        ("        0.0622", "    99999.0622", "out of range"),
        ("RINEX VERSION / TYPE", "SOMETHING ELSE", "expected 'RINEX VERSION / TYPE'"),
    ],
)
def test_a_broken_header_says_where(read, old, new, words):
    text = rinex_3(epoch(0, 1), satellite("G01"))
    assert old in text
    with pytest.raises(FormatError, match=words):
        read(text.replace(old, new, 1))


def test_asking_for_a_system_that_is_not_there(tmp_path):
    path = tmp_path / "a.rnx"
    path.write_text(rinex_3(epoch(0, 1), satellite("G01")))
    with pytest.raises(InputError, match="no observations of the systems E"):
        read_observations(path, systems="E")
    with pytest.raises(InputError, match="no observation file was given"):
        read_observations([])
    with pytest.raises(InputError, match="interval"):
        read_observations(path, interval_s=0.0)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("georinex/blank.10o", "no epoch of observations could be read"),
        ("georinex/blank3.10o", "no epoch of observations could be read"),
        ("georinex/blank1st.10o", "line 1: expected 'RINEX VERSION / TYPE'"),
        ("georinex/wrong_obs2_count.10o", "line 2: 6 observation types announced for the file, 7 listed"),
        ("gnsstk/test_input_rinex3_obs_NotObs.15o.gz", "line 1: expected a file of observations"),
        ("gnsstk/test_input_rinex3_obs_InvalidLineLength.15o.gz", "line 1: expected 'RINEX VERSION / TYPE'"),
        ("georinex/minimal.sp3d.gz", "line 1: expected 'RINEX VERSION / TYPE'"),
        ("georinex/r2G.nc.gz", "binary"),
    ],
)
def test_broken_files_of_others_say_what_is_wrong(real_data, name, words):
    with pytest.raises(FormatError, match=words):
        read_observations(real_data / "parsers" / name)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "epochs", "rejections"),
    [
        ("georinex/badtime.10o", 1, {"unreadable epoch record": 1}),
        ("georinex/junk_time_obs3.10o", 2, {"unreadable epoch record": 1}),
        ("gnsstk/test_input_rinex3_obs_BadEpochFlag.15o.gz", 36, {"unreadable epoch record": 1}),
        ("nav-solutions/rovn0010.21o.gz", 5, {"epoch with fewer satellite lines than announced": 1}),
    ],
)
def test_damaged_files_of_others_are_read_around_the_damage(real_data, name, epochs, rejections):
    observations = read_observations(real_data / "parsers" / name)
    assert observations.data.sizes["epoch"] == epochs
    assert observations.rejections == rejections


def rinex_2(counts):
    """A RINEX 2 file with as many satellites in each epoch as `counts` says (announced, there)."""
    text = (
        f"{'     2.11':<20s}{'OBSERVATION DATA':<20s}{'G':<20s}RINEX VERSION / TYPE\n"
        f"{'     2    C1    L1':<60s}# / TYPES OF OBSERV\n{'':<60s}END OF HEADER\n"
    )
    for n, (announced, there) in enumerate(counts):
        names = "".join(f"G{k:02d}" for k in range(1, announced + 1))
        text += f" 24  2  4  0 {n:2d}  0.0000000  0{announced:3d}{names}\n"
        text += "".join(f"{2e7 + k:14.3f}  {1e8 + k:14.3f}\n" for k in range(there))
    return text


def test_rinex_2_finds_the_next_epoch_after_missing_lines(read):
    """The epoch line that comes too early is not taken for a satellite's values."""
    observations = read(rinex_2([(2, 2), (4, 2), (3, 3), (2, 2)]), "a.24o")
    assert observations.rejections == {"epoch with fewer satellite lines than announced": 1}
    assert [str(t)[14:16] for t in observations.epochs.datetime64()] == ["00", "02", "03"]
    np.testing.assert_array_equal(
        observations.data.pseudorange_m.sel(signal="1C").isel(epoch=1), [20000000.0, 20000001.0, 20000002.0]
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 1600), st.binary(min_size=0, max_size=40))
def test_no_damage_ends_in_anything_but_a_clear_error(tmp_path, position, noise):
    """Any bytes anywhere: observations with the schema kept, or FormatError or InputError."""
    text = rinex_3(*(line for s in (0, 30, 60) for line in (epoch(s, 2), satellite("G01"), satellite("C23"))))
    data = text.encode()
    path = tmp_path / "noisy.rnx"
    path.write_bytes(data[:position] + noise + data[position + len(noise) :])
    try:
        observations = read_observations(path)
    except (FormatError, InputError):
        return
    values = observations.data.pseudorange_m.values
    assert np.all(np.isnan(values) | (np.abs(values) <= 1e9))


def test_two_markers_in_one_file_are_refused(read):
    other = f"{'WUH3':<60s}MARKER NAME"
    text = rinex_3(epoch(0, 1), satellite("G01"), f">{'':30s}3  1", other, epoch(30, 1), satellite("G01"))
    with pytest.raises(InputError, match=r"several stations: WUH2 .*WUH3"):
        read(text)
