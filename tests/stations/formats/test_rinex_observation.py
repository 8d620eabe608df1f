"""Observations: whole days against the counts in their own headers, versions, events, time systems."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stations.formats.compression import read_bytes
from stations.formats.georinex_adapter import read_through_georinex
from stations.formats.rinex_layout import order_of_epochs
from stations.formats.rinex_observation import read_observations, write_observations
from stations.records import check_observations
from transforms.errors import InputError
from transforms.time_scales import Epochs, TimeScale

VARIABLES = {"C": "pseudorange_m", "L": "carrier_phase_cycles", "D": "doppler_hz", "S": "cn0_dbhz"}


@pytest.fixture(scope="module")
def nist(real_data):
    return read_observations(real_data / "nist_2023001" / "NIST00USA_R_20230010000_01D_30S_MO.crx.gz")


def counts_in_header(text):
    """PRN / # OF OBS: satellite -> {code: count}, as the station's own software counted."""
    codes, counts, satellite, system = {}, {}, "", ""
    for line in text.split("END OF HEADER")[0].splitlines():
        if line[60:].startswith("SYS / # / OBS TYPES"):
            system = line[0].strip() or system
            codes.setdefault(system, []).extend(line[6:60].split())
        elif line[60:].startswith("PRN / # OF OBS"):
            satellite = line[3:6].strip().replace(" ", "0") or satellite
            counts.setdefault(satellite, []).extend(
                int(line[i : i + 6].strip() or 0) for i in range(6, 60, 6)
            )
    return {s: dict(zip(codes[s[0]], c, strict=False)) for s, c in counts.items()}


@pytest.mark.real_data
@pytest.mark.parametrize(
    "name",
    [
        "nist_2023001/NIST00USA_R_20230010000_01D_30S_MO.crx.gz",
        "bor1_2024035/BOR100POL_R_20240350000_01D_30S_MO.crx.gz",
        "jfng_2019045/JFNG00CHN_R_20190450700_01H_30S_MO.crx.gz",
        "parsers/gognss/REYK00ISL_R_20192701000_01H_30S_MO.rnx.gz",
        "parsers/gnsstk/test_input_rinex3_76193040.14o.gz",
    ],
)
def test_every_satellite_and_signal_has_the_count_of_the_header(real_data, name):
    path = real_data / name
    expected = counts_in_header(read_bytes(path)[0].decode("latin-1"))
    observations = read_observations(path)
    check_observations(observations.data)
    assert observations.rejections == {}
    assert len(expected) > 5
    for satellite, counts in expected.items():
        data = observations.data.sel(satellite=satellite)
        for code, count in counts.items():
            table = data.get(VARIABLES[code[0]])
            seen = 0  # of a type that no satellite of the system has, the header may still say 0
            if table is not None and code[1:] in table.signal:
                seen = int(np.isfinite(table.sel(signal=code[1:])).sum())
            assert seen == count, (satellite, code)


@pytest.mark.real_data
def test_nist_values_and_loss_of_lock_are_what_awk_finds(nist, station_format_values):
    expected = station_format_values["nist_day"]
    assert nist.data.sizes["epoch"] == expected["epochs"]
    row = nist.data.sel(epoch=np.datetime64("2023-01-01T06:00"), satellite="C24")
    for code, value in expected["c24_at_six"].items():
        assert float(row[VARIABLES[code[0]]].sel(signal=code[1:])) == value
    # Loss of lock of B2a and B3I: georinex keeps it for L1 and L2 only.
    beidou = [s for s in nist.satellites if s[0] == "C"]
    lock = nist.data["loss_of_lock"].sel(satellite=beidou)
    assert int((lock.sel(signal="5P") == 1).sum()) == expected["lost_lock_l5p"]
    assert int((lock.sel(signal="6I") == 1).sum()) == expected["lost_lock_l6i"]


@pytest.mark.real_data
def test_nist_header(nist):
    header = nist.header
    assert (header.marker_name, header.marker_number, header.rinex_version) == ("nist", "49507M002", "3.04")
    assert (header.setup.receiver, header.setup.receiver_serial, header.setup.receiver_firmware) == (
        "SEPT POLARX5TR",
        "3069423",
        "5.4.0",
    )
    assert header.setup.antenna.igs_code == "NOV750.R4       NONE"
    assert header.setup.antenna.serial == "NDE11330004"
    assert header.glonass_channels["R10"] == -7
    np.testing.assert_array_equal(
        header.approximate_position_ecef_m, [-1288398.6784, -4721696.7639, 4078625.2178]
    )


@pytest.mark.real_data
def test_eccentricity_is_east_north_up(real_data):
    observations = read_observations(
        real_data / "bor1_2024035" / "BOR100POL_R_20240350000_01D_30S_MO.crx.gz", systems="C"
    )
    assert observations.header.setup.eccentricity_enu_m == (0.0, 0.0, 0.0622)
    assert {s[0] for s in observations.satellites} == {"C"}


@pytest.mark.real_data
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_georinex_reads_the_same_beidou_values(nist, real_data):
    theirs = read_through_georinex(
        real_data / "nist_2023001" / "NIST00USA_R_20230010000_01D_30S_MO.crx.gz",
        systems="C",
        first=np.datetime64("2023-01-01T00:00:00"),
        last=np.datetime64("2023-01-01T00:05:00"),
    )
    assert theirs.sizes["epoch"] == 11
    ours = nist.data.sel(epoch=theirs.epoch, satellite=theirs.satellite, signal=theirs.signal)
    for name in ("pseudorange_m", "carrier_phase_cycles"):
        assert np.isfinite(theirs[name]).sum() > 400
        np.testing.assert_array_equal(ours[name].values, theirs[name].values)


@pytest.mark.real_data
def test_rinex_2_values_have_their_rinex_3_names(real_data, station_format_values):
    expected = station_format_values["zimm_day"]
    observations = read_observations(real_data / expected["file"])
    assert observations.data.sizes["epoch"] == expected["epochs"]
    row = observations.data.sel(epoch=np.datetime64("2021-01-01T12:00"), satellite="G07")
    for code, value in expected["g07_at_noon"].items():
        found = float(row[VARIABLES[code[0]]].sel(signal=code[1:]))
        assert found == (np.float32(value) if code[0] == "S" else value), code


@pytest.mark.real_data
def test_interval_thins_out(real_data, nist):
    thinned = read_observations(
        real_data / "nist_2023001" / "NIST00USA_R_20230010000_01D_30S_MO.crx.gz", systems="C", interval_s=300
    )
    assert thinned.data.sizes["epoch"] == 288
    assert thinned.interval_s == 300.0
    same = nist.data["pseudorange_m"].sel(
        epoch=thinned.data.epoch, satellite=list(thinned.satellites), signal=thinned.data.signal
    )
    np.testing.assert_array_equal(thinned.data["pseudorange_m"].values, same.values)


@pytest.mark.real_data
def test_several_days_of_one_station_are_joined_in_any_order(real_data):
    folder = real_data / "zimm_2021001_004"
    both = read_observations([folder / "zimm0020.21d.gz", folder / "zimm0010.21d.gz"])
    assert both.data.sizes["epoch"] == 5760
    assert both.epochs[0].iso() == "2021-01-01T00:00:00"
    assert len(both.inputs) == 2
    again = read_observations([folder / "zimm0010.21d.gz", folder / "zimm0010.21d.gz"])
    assert again.rejections == {"epoch that another file gives too": 2880}
    assert again.damage == ()


@pytest.mark.real_data
def test_files_of_two_stations_are_refused(real_data):
    with pytest.raises(
        InputError, match=r"several stations.*zegv.*wsra|several stations.*wsra.*zegv|ZEGV|WSRA"
    ):
        read_observations([real_data / "nl_2021001" / f"{s}0010.21d.gz" for s in ("zegv", "wsra")])


@pytest.mark.real_data
def test_rinex_4_is_read(real_data):
    path = real_data / "parsers" / "nav-solutions" / "KMS300DNK_R_20221591000_01H_30S_MO.crx.gz"
    observations = read_observations(path)
    assert observations.header.rinex_version == "4.00"
    assert observations.data.sizes["epoch"] == read_bytes(path)[0].count(b"\n> ")


@pytest.mark.real_data
@pytest.mark.parametrize("ending", [".rnx", ".rnx.gz", ".crx.gz"])
def test_a_day_is_written_and_read_again(nist, tmp_path, ending):
    path = tmp_path / f"NIST{ending}"
    part = type(nist)(nist.data.isel(epoch=slice(0, 120)), nist.header, nist.events, {}, nist.inputs)
    write_observations(part, path)
    again = read_observations(path)
    assert again.rejections == {}
    chosen = {"satellite": list(again.satellites), "signal": again.data.signal}
    for name in part.data:
        expected = part.data[name].sel(chosen).values
        told = (lambda x: x > 0) if expected.dtype == np.uint8 else np.isfinite
        assert told(part.data[name].values).sum() == told(expected).sum()
        np.testing.assert_array_equal(again.data[name].values, expected)
    assert again.header.setup == nist.header.setup
    assert again.header.glonass_channels == nist.header.glonass_channels
    assert again.header.glonass_biases_m == nist.header.glonass_biases_m != {}
    assert again.header.phase_shifts_cycles == nist.header.phase_shifts_cycles != {}
    stored = path.read_bytes()
    write_observations(part, path)
    assert path.read_bytes() == stored
    text = read_bytes(path)[0].decode()
    # No wall clock: the only date in the header is the first epoch's.
    assert not re.search(r"20(2[4-9]|3\d)", text.split("END OF HEADER")[0])


# Purpose-made files from here on.


def header(version, types, system="M", time_system="GPS", extra=()):
    lines = [
        f"{version:>9s}{'':11s}{'OBSERVATION DATA':<20s}{system:<20s}RINEX VERSION / TYPE",
        f"{'WUH2':<60s}MARKER NAME",
        *types,
        *extra,
        f"  2024     2     4     0     0    0.0000000     {time_system:<3s}         TIME OF FIRST OBS",
        f"{'':<60s}END OF HEADER",
    ]
    return "\n".join(lines) + "\n"


def types_3(system, *codes):
    return f"{f'{system}  {len(codes):3d} ' + ' '.join(codes):<60s}SYS / # / OBS TYPES"


def types_2(*codes):
    return f"{f'{len(codes):6d}' + ''.join(f'    {c}' for c in codes):<60s}# / TYPES OF OBSERV"


def write(path, text):
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("name", "scale"),
    [("GPS", TimeScale.GPST), ("BDT", TimeScale.BDT), ("GLO", TimeScale.UTC), ("GAL", TimeScale.GST)],
)
def test_time_systems_become_gpst(tmp_path, name, scale):
    text = header("3.04", [types_3("C", "C2I", "L2I")], "C", name)
    text += f"> 2024 02 04 00 00 30.0000000  0  1\nC23{22000000.125:14.3f}  {118000000.25:14.3f} 7\n"
    observations = read_observations(write(tmp_path / "a.rnx", text))
    assert observations.epochs.tai_ns[0] == Epochs.from_datetime64("2024-02-04T00:00:30", scale).tai_ns
    # 30 s of BDT are 44 s of GPST; thinning follows the file's own scale.
    assert read_observations(tmp_path / "a.rnx", interval_s=30.0).data.sizes["epoch"] == 1


@pytest.mark.parametrize(
    ("system", "scale"), [("C", TimeScale.BDT), ("R", TimeScale.UTC), ("M", TimeScale.GPST)]
)
def test_a_time_system_not_named_is_the_file_systems_own(tmp_path, system, scale):
    letter = "G" if system == "M" else system
    text = header("3.04", [types_3(letter, f"C1{'C' if letter != 'C' else 'P'}")], system, "")
    text += f"> 2024 02 04 00 00 30.0000000  0  1\n{letter}23{22000000.125:14.3f}\n"
    observations = read_observations(write(tmp_path / "a.rnx", text))
    assert observations.epochs.tai_ns[0] == Epochs.from_datetime64("2024-02-04T00:00:30", scale).tai_ns


@pytest.mark.parametrize(("version", "expected"), [("3.02", ["2I", "6I"]), ("3.04", ["2I", "6I"])])
def test_b1i_written_as_band_1_is_band_2(tmp_path, version, expected):
    text = header(version, [types_3("C", "C1I", "L1I", "C6I")], "C")
    text += "> 2024 02 04 00 00 30.0000000  0  1\n"
    text += f"C23{22000000.125:14.3f}  {118000000.25:14.3f} 7{22000001.0:14.3f}\n"
    observations = read_observations(write(tmp_path / "a.rnx", text))
    assert list(observations.data.signal.values) == expected
    assert float(observations.data.pseudorange_m.sel(signal="2I").values.item()) == 22000000.125


def test_scale_factors_divide(tmp_path):
    factor = f"{'C  100   1 L2I':<60s}SYS / SCALE FACTOR"
    text = header("3.04", [types_3("C", "C2I", "L2I")], "C", extra=[factor])
    text += f"> 2024 02 04 00 00 30.0000000  0  1\nC23{22000000.125:14.3f}  {1180000.25:14.3f} 7\n"
    data = read_observations(write(tmp_path / "a.rnx", text)).data
    assert float(data.carrier_phase_cycles.values.item()) == 11800.0025
    assert float(data.pseudorange_m.values.item()) == 22000000.125


def test_phase_shifts_of_the_header_are_not_applied_again(tmp_path):
    shift = f"{'C L5P  0.25000':<60s}SYS / PHASE SHIFT"
    text = header("3.04", [types_3("C", "C5P", "L5P")], "C", extra=[shift])
    text += f"> 2024 02 04 00 00 30.0000000  0  1\nC23{22000000.125:14.3f}  {118000000.25:14.3f} 7\n"
    assert (
        float(read_observations(write(tmp_path / "a.rnx", text)).data.carrier_phase_cycles.values.item())
        == 118000000.25
    )


def test_observation_types_may_change_inside(tmp_path):
    text = header("3.04", [types_3("G", "C1C", "C2W")], "G")
    text += f"> 2024 02 04 00 00 00.0000000  0  1\nG01{20000000.0:14.3f}  {20000001.0:14.3f}\n"
    text += f">                              4  2\n{types_3('G', 'C5Q')}\n{'a new antenna':<60s}COMMENT\n"
    text += f"> 2024 02 04 00 00 30.0000000  0  1\nG01{20000002.0:14.3f}\n"
    observations = read_observations(write(tmp_path / "a.rnx", text))
    values = observations.data["pseudorange_m"].sel(satellite="G01")
    np.testing.assert_array_equal(values.sel(signal="5Q"), [np.nan, 20000002.0])
    np.testing.assert_array_equal(values.sel(signal="1C"), [20000000.0, np.nan])
    (event,) = observations.events
    assert (event.flag, event.epoch, len(event.header_lines)) == (4, None, 2)
    assert "a new antenna" in event.description


def test_rinex_2_continuation_lines_and_types_that_change(tmp_path):
    """13 satellites in two lines of names, seven types in two lines of values, then six in two."""
    names = [f"G{n:02d}" for n in range(1, 14)]
    first = header("2.11", [types_2("L1", "L2", "C1", "P1", "P2", "S1", "S2")], "G")
    text = first + f" 24  2  4  0  0  0.0000000  0 13{''.join(names[:12])}\n{'':32s}{names[12]}\n"
    for n in range(13):
        values = [1e8 + n, 8e7 + n, 2e7 + n, 2e7 + n + 0.25, 2e7 + n + 0.5]
        text += (
            "".join(f"{v:14.3f}{1 if k == 1 else ' '} " for k, v in enumerate(values))
            + f"\n{45.0:14.3f}  {40.0 + n:14.3f}\n"
        )
    text += f"{'':28s}4  1\n{types_2('C1', 'L1')}\n"
    text += f" 24  2  4  0  0 30.0000000  0  1R05\n{2.1e7:14.3f}  {1.1e8:14.3f}\n"
    observations = read_observations(write(tmp_path / "a.24o", text))
    data = observations.data
    assert observations.rejections == {}
    assert list(data.signal.values) == ["1C", "1W", "2W"]
    assert (
        float(data.pseudorange_m.sel(epoch="2024-02-04T00:00:00", satellite="G13", signal="2W")) == 20000012.5
    )
    assert float(data.carrier_phase_cycles.sel(satellite="G13", signal="2W")[0]) == 80000012.0
    assert int(data.loss_of_lock.sel(satellite="G13", signal="2W")[0]) == 1
    assert float(data.cn0_dbhz.sel(satellite="G13", signal="2W")[0]) == 52.0
    assert (
        float(data.carrier_phase_cycles.sel(epoch="2024-02-04T00:00:30", satellite="R05", signal="1C"))
        == 1.1e8
    )


def test_rinex_2_wavelength_factor_2_means_half_cycles(tmp_path):
    factor = f"{'     1     2':<60s}WAVELENGTH FACT L1/2"
    text = header("2.11", [types_2("L1", "L2", "C1", "P2")], "G", extra=[factor])
    text += f" 24  2  4  0  0  0.0000000  0  1G01\n{1e8:14.3f}  {8e7:14.3f}  {2e7:14.3f}  {2e7:14.3f}\n"
    lock = read_observations(write(tmp_path / "a.24o", text)).data["loss_of_lock"].sel(satellite="G01")
    assert int(lock.sel(signal="2W").item()) == 2
    assert int(lock.sel(signal="1C").item()) == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=14))
def test_kept_epochs_increase_and_as_many_as_possible_are_kept(times):
    keep, duplicates, misordered = order_of_epochs(np.array(times, dtype=np.int64))
    kept = np.array(times)[keep]
    assert np.all(np.diff(kept) > 0)
    assert duplicates.sum() == len(times) - len(set(times))
    np.testing.assert_array_equal(keep.astype(int) + duplicates + misordered, 1)
    if misordered.any():
        assert times != sorted(times)


def test_one_absurd_date_does_not_push_out_the_rest():
    times = np.array([1, 2, 3, 9_000, 4, 5, 6], dtype=np.int64)
    keep, duplicates, misordered = order_of_epochs(times)
    assert keep.tolist() == [True, True, True, False, True, True, True]
    assert (int(duplicates.sum()), np.flatnonzero(misordered).tolist()) == (0, [3])


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_any_observations_survive_a_round_trip(tmp_path_factory, data):
    """Milli-units of every observable, loss of lock, gaps: what is written is read again."""
    n_epoch, satellites, signals = 3, ("C23", "G01"), ("1C", "5P")
    shape = (n_epoch, len(satellites), len(signals))
    size = int(np.prod(shape))
    numbers = data.draw(st.lists(st.integers(1, 99_999_999_999), min_size=size, max_size=size))
    present = data.draw(st.lists(st.booleans(), min_size=size, max_size=size))
    values = np.where(present, np.array(numbers) / 1000.0, np.nan).reshape(shape)
    values[0, 0, 0] = 21_000_000.125  # at least one
    text = header("3.04", [types_3("C", "C1C"), types_3("G", "C1C")])
    text += "> 2024 02 04 00 00 00.0000000  0  2\nC23  21000000.125\nG01  21000000.125\n"
    folder = tmp_path_factory.mktemp("round")
    start = read_observations(write(folder / "start.rnx", text))
    dimensions = ("epoch", "satellite", "signal")
    lock = np.where(np.isfinite(values), np.arange(size).reshape(shape) % 8, 0).astype(np.uint8)
    table = start.data.__class__(
        {
            "pseudorange_m": (dimensions, values),
            "carrier_phase_cycles": (dimensions, -values),
            "cn0_dbhz": (dimensions, np.where(np.isfinite(values), 45.25, np.nan).astype(np.float32)),
            "loss_of_lock": (dimensions, lock),
        },
        coords={
            "epoch": np.datetime64("2024-02-04T00:00:00.1", "ns")
            + np.arange(n_epoch) * np.timedelta64(30, "s"),
            "satellite": list(satellites),
            "signal": list(signals),
        },
    )
    write_observations(type(start)(table, start.header), folder / "again.rnx.gz")
    again = read_observations(folder / "again.rnx.gz")
    assert again.rejections == {}
    np.testing.assert_array_equal(again.data.epoch.values, table.epoch.values)
    for name in table:
        expected = table[name].sel(satellite=list(again.satellites), signal=again.data.signal)
        np.testing.assert_array_equal(again.data[name].values, expected.values)
