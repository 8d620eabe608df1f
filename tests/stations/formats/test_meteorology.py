"""RINEX meteorology: real files of every version, writing, missing and absurd values, broken files."""

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stations.formats.meteorology import (
    MeteorologicalObservations,
    MeteorologicalSensor,
    read_meteorology,
    write_meteorology,
)
from transforms.errors import FormatError, InputError
from transforms.time_scales import Epochs


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "station", "version"),
    [
        ("parsers/gognss/func3060.19m.gz", "FUNC", "2.11"),
        ("parsers/midgard/rinex_met.gz", "pots", "2.11"),
        ("parsers/nav-solutions/cari0010.07m", "A 9080", "2.10"),
        ("parsers/nav-solutions/gode0030.96m", "GODE", "2.00"),
        ("parsers/nav-solutions/clar0020.00m.gz", "CLAR", "2.11"),
        ("parsers/nav-solutions/abvi0010.15m.gz", "ABVI", "2.11"),
        ("parsers/nav-solutions/POTS00DEU_R_20232540000_01D_05M_MM.rnx.gz", "POTS00DEU", "3.05"),
        ("parsers/gognss/DIEP00DEU_R_20202941900_01H_10S_MM.rnx.gz", "DIEP", "3.04"),
        ("parsers/gognss/BAUT00DEU_R_20223131300_01H_10S_MM.rnx.gz", "BAUT", "3.05"),
        ("zimm_2021001_004/zimm0010.21m", "ZIMMERWALD", "2.00"),
        ("zimm_2021001_004/zimm0040.21m", "ZIMMERWALD", "2.00"),
    ],
)
def test_every_real_file_has_all_its_lines_and_pressures(real_data, tmp_path, name, station, version):
    """The lines behind the header, and the column of PR, cut out as plain text."""
    stored = (real_data / name).read_bytes()
    text = (gzip.decompress(stored) if name.endswith(".gz") else stored).decode("latin-1")
    head, body = text.split("END OF HEADER", 1)
    lines = [line for line in body.splitlines()[1:] if line.strip()]
    types = next(line for line in head.splitlines() if "# / TYPES OF OBSERV" in line)[6:60].split()
    begin = (20 if version[0] == "3" else 18) + 7 * types.index("PR")
    met = read_meteorology(real_data / name)
    assert (met.station, met.rinex_version) == (station, version)
    assert len(met.epochs) == len(lines)
    expected = np.array([float(line[begin : begin + 7]) for line in lines])
    np.testing.assert_allclose(met.values["pressure_pa"], expected * 100.0, rtol=1e-15)
    write_meteorology(met, tmp_path / "again.rnx", version="3.05")
    again = read_meteorology(tmp_path / "again.rnx")
    for quantity, values in met.values.items():
        np.testing.assert_allclose(again.values[quantity], values, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(again.epochs.tai_ns, met.epochs.tai_ns)
    assert len(again.sensors) == len(met.sensors)


@pytest.mark.real_data
def test_sensors_of_bautzen(real_data):
    """M3910031 WXTPTU 1.0000 PR; 3877548.3000 1004400.3000 4947140.2000 211.9000 PR SENSOR POS XYZ/H."""
    met = read_meteorology(real_data / "parsers/gognss/BAUT00DEU_R_20223131300_01H_10S_MM.rnx.gz")
    assert met.sensors[0] == MeteorologicalSensor(
        "pressure_pa", "M3910031", "WXTPTU", 1.0, (3877548.3, 1004400.3, 4947140.2), 211.9
    )
    assert np.isnan(met.values["wind_azimuth_rad"]).sum() == 2  # -9999.9 in two lines


def head(types="PR    TD    HR", count=3, version="2.11"):
    return (
        f"{version:>9s}           METEOROLOGICAL DATA                     RINEX VERSION / TYPE\n"
        f"{'WUHN':<60s}MARKER NAME\n"
        f"{count:6d}    {types:<50s}# / TYPES OF OBSERV\n"
        f"{'':60s}END OF HEADER\n"
    )


LINES = " 24  2  4  0  0  0 1013.2   20.1   65.0\n 24  2  4  0 15  0 1013.0 -999.9   66.0\n"


def read(tmp_path, text):
    path = tmp_path / "a.24m"
    path.write_text(text)
    return read_meteorology(path)


def test_units_and_missing_values(tmp_path):
    met = read(tmp_path, head() + LINES)
    assert met.values["pressure_pa"][0] == 101320.0
    np.testing.assert_allclose(met.values["dry_temperature_k"], [293.25, np.nan], rtol=1e-15)
    assert met.values["relative_humidity"][0] == pytest.approx(0.65)
    assert met.epochs[1].iso() == "2024-02-04T00:15:00"
    assert met.rejections == {}


def test_absurd_values_and_repeated_epochs_are_counted(tmp_path):
    text = head() + LINES.replace("1013.0", "9013.0") + LINES.splitlines(keepends=True)[1]
    met = read(tmp_path, text)
    assert met.rejections == {"PR beyond 300 to 1100": 1, "epoch given twice": 1}
    assert np.isnan(met.values["pressure_pa"][1])


def test_more_than_eight_types_go_on_in_a_second_line(tmp_path):
    types = "PR    TD    HR    ZW    ZD    ZT    WD    WS    RI"
    text = head(types, 10).replace(
        "# / TYPES OF OBSERV\n", f"# / TYPES OF OBSERV\n{'          HI':<60s}# / TYPES OF OBSERV\n"
    )
    text += " 24  2  4  0  0  0" + "".join(f"{v:7.1f}" for v in (1000, 1, 2, 3, 4, 5, 6, 7)) + "\n"
    text += "    " + "".join(f"{v:7.1f}" for v in (8, 0)) + "\n"
    met = read(tmp_path, text)
    assert met.values["wind_speed_m_per_s"][0] == 7.0
    assert met.values["rain_increment_m"][0] == pytest.approx(8e-4)
    assert met.values["hail"][0] == 0.0
    write_meteorology(met, tmp_path / "b.rnx", version="4.02")
    again = read_meteorology(tmp_path / "b.rnx")
    assert list(again.values) == list(met.values)
    assert again.rinex_version == "4.02"


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.integers(3000, 11000), st.integers(-950, 700)), min_size=1, max_size=6),
    st.sampled_from(["2.11", "3.05", "4.02"]),
    st.integers(0, 5),
)
def test_what_is_written_is_read_again(tmp_path_factory, tenths, version, absent):
    n = len(tenths)
    pressure = np.array([p * 10.0 for p, _ in tenths])
    temperature = np.array([t / 10.0 + 273.15 for _, t in tenths])
    temperature[absent % n] = np.nan
    met = MeteorologicalObservations(
        "WUH200CHN",
        "21602M007",
        Epochs.from_datetime64(
            np.datetime64("2023-12-31T23:50", "ns") + np.arange(n) * np.timedelta64(300, "s")
        ),
        {"pressure_pa": pressure, "dry_temperature_k": temperature},
        (MeteorologicalSensor("pressure_pa", "PTB330", "Vaisala", 0.1, None, 28.5),),
        version,
    )
    path = tmp_path_factory.mktemp("met") / "a.rnx.gz"
    write_meteorology(met, path, version=version)
    again = read_meteorology(path)
    np.testing.assert_allclose(again.values["pressure_pa"], pressure, atol=1e-9)
    np.testing.assert_allclose(again.values["dry_temperature_k"], temperature, atol=1e-9)
    np.testing.assert_array_equal(again.epochs.tai_ns, met.epochs.tai_ns)
    assert (again.station, again.sensors) == (met.station, met.sensors)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("METEOROLOGICAL DATA", "OBSERVATION DATA   ", "line 1: expected a RINEX header of type M"),
        ("     2.11", "     5.11", "line 1: RINEX version '5.11'"),
        ("     3    PR", "     4    PR", "4 types are announced, 3 are named"),
        ("TD    HR", "TD    XX", "line 3: unknown type of observation 'XX'"),
        ("END OF HEADER", "END OF NOTHING", "no END OF HEADER"),
        (" 24  2  4  0 15", " 24  2 34  0 15", "line 6: no calendar reading"),
        (" 24  2  4  0 15", " 24  2  3  0 15", "line 6: epoch earlier"),
        ("1013.2", "10x3.2", "line 5: expected a value of PR"),
        ("   65.0\n", "   65.0   66.0\n", "line 5: more values"),
        (LINES, "", "holds no observation"),
        ("   66.0\n", "   6", "line 6: cut off"),
    ],
)
def test_defects_are_named(tmp_path, old, new, words):
    text = head() + LINES
    assert old in text
    with pytest.raises(FormatError, match=words):
        read(tmp_path, text.replace(old, new, 1))


def test_unknown_quantities_and_versions_are_not_written(tmp_path):
    met = read(tmp_path, head() + LINES)
    with pytest.raises(InputError, match=r"2\.11, 3\.05 or 4\.02"):
        write_meteorology(met, tmp_path / "b", version="3.00")
