"""Bias-SINEX: OSB and DSB of real files, units, times, broken files."""

import pytest

from stations.formats.bias_sinex import read_bias_sinex, write_bias_sinex
from stations.records import SignalBiases
from transforms.constants import SPEED_OF_LIGHT_M_PER_S
from transforms.errors import FormatError, InputError

NANOSECOND_M = SPEED_OF_LIGHT_M_PER_S * 1e-9


@pytest.mark.real_data
def test_grg_biases_are_what_grep_finds(real_data, station_format_values):
    expected = station_format_values["grg_biases"]
    biases = read_bias_sinex(real_data / expected["file"])
    assert len(biases.biases) == expected["count"]
    assert biases.centre == "GRG"
    (c24,) = [b for b in biases.biases if (b.satellite, b.signal) == ("C24", "L2I")]
    assert c24.kind == "OSB"
    assert c24.value_m == pytest.approx(expected["c24_l2i_ns"] * NANOSECOND_M, rel=1e-12)
    assert (c24.valid_from.iso(), c24.valid_until.iso()) == ("2024-02-04T00:00:00", "2024-02-04T23:59:59")


@pytest.mark.real_data
def test_differential_biases_of_satellites_and_stations(real_data):
    """First line: DSB  G063 G01  C1C  C1W  2024:035:00000 2024:036:00000 ns  -0.9060  0.0060"""
    biases = read_bias_sinex(real_data / "bor1_2024035" / "CAS0MGXRAP_20240350000_01D_01D_DCB.BSX.gz").biases
    first = biases[0]
    assert (first.kind, first.satellite, first.station, first.signal, first.second_signal) == (
        "DSB",
        "G01",
        "",
        "C1C",
        "C1W",
    )
    assert first.value_m == pytest.approx(-0.9060 * NANOSECOND_M, rel=1e-12)
    assert first.sigma_m == pytest.approx(0.0060 * NANOSECOND_M, rel=1e-12)
    assert any(b.station for b in biases)


LINE = (
    " OSB  C210 C24           {signal:<4s}      2024:035:00000 {end} {unit:<4s} {value:>21s} {sigma:>11s}\n"
)


def text(
    *lines, head="%=BIA 1.00 WHU 2024:040:25213 WHU 2024:035:00000 2024:036:00000 A 00000001", scale="G"
):
    return (
        f"{head}\n+BIAS/DESCRIPTION\n TIME_SYSTEM                             {scale}\n-BIAS/DESCRIPTION\n"
        "+BIAS/SOLUTION\n*BIAS SVN_ PRN STATION__ OBS1 OBS2 BIAS_START____ BIAS_END______ UNIT\n"
        + "".join(lines)
        + "-BIAS/SOLUTION\n%=ENDBIA\n"
    )


def line(signal="L5P", end="2024:036:00000", unit="ns", value="1.5000", sigma="0.0100"):
    return LINE.format(signal=signal, end=end, unit=unit, value=value, sigma=sigma)


def read(tmp_path, content):
    path = tmp_path / "a.bia"
    path.write_text(content)
    return read_bias_sinex(path)


def test_cycles_become_metres_of_the_carrier(tmp_path):
    """B2a: 1176.45 MHz (BeiDou ICD B2a 1.0, section 4.1)."""
    (bias,) = read(tmp_path, text(line(unit="cyc", value="0.2500"))).biases
    assert bias.value_m == pytest.approx(0.25 * SPEED_OF_LIGHT_M_PER_S / 1176.45e6, rel=1e-12)


def test_time_system_and_open_ends(tmp_path):
    biases = read(tmp_path, text(line(), line(end="0000:000:00000"), scale="C"))
    assert biases.centre == "WUM"
    assert biases.biases[0].valid_from.iso() == "2024-02-04T00:00:14"  # BDT is 14 s behind GPST
    assert biases.biases[1].valid_until.date().year == 2200


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (text(line(), head="%=SNX 2.02 WHU"), "line 1: expected '%=BIA"),
        (text(line(), head="%=BIA 9.00 WHU 2024:040:25213 WHU 2024:035:00000"), "version 9.00"),
        (text(), "no line in a block BIAS/SOLUTION"),
        (text(line()).split("-BIAS/SOLUTION")[0], "cut off inside BIAS/SOLUTION"),
        (text(line(value="1.5x00")), "line 7: no number in columns 71-103"),
        (text(line(value="nan")), "out of range"),
        (text(line(unit="mm")), "unit 'mm'"),
        (text(line(end="2024:036:9x000")), "expected a time"),
        (text(line(end="2024:400:00000")), "no such day"),
        (text(line(signal="L9P", unit="cyc")), "no carrier for 'L9P'"),
        (text(line().replace(" OSB ", " XYZ ")), "expected OSB, DSB or ISB"),
        (text(line(), scale="XYZ"), "unknown time system"),
    ],
)
def test_defects_are_named(tmp_path, content, words):
    with pytest.raises(FormatError, match=words):
        read(tmp_path, content)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "mode", "lines", "stations"),  # zgrep -cE '^ [OD]SB '; lines with a station in columns 16-24
    [
        ("bor1_2024035/GRG0MGXFIN_20240350000_01D_01D_OSB.BIA.gz", "ABSOLUTE", 572, 0),
        ("bor1_2024035/CAS0MGXRAP_20240350000_01D_01D_DCB.BSX.gz", "RELATIVE", 5665, 4852),
        ("bias_aux/WUM0MGXRAP_20212100000_01D_01D_ABS.BIA.gz", "ABSOLUTE", 1072, 0),
        ("parsers/sidereon/CODE.BIA.gz", "ABSOLUTE", 351, 0),
    ],
)
def test_mode_and_receivers_survive_writing(real_data, tmp_path, name, mode, lines, stations):
    biases = read_bias_sinex(real_data / name)
    assert biases.mode == mode
    assert len(biases.biases) + sum(biases.rejections.values()) == lines
    assert sum(bool(b.station) for b in biases.biases) == stations
    write_bias_sinex(biases, tmp_path / "again.bia.gz")
    again = read_bias_sinex(tmp_path / "again.bia.gz")
    assert (again.mode, again.centre) == (biases.mode, biases.centre)
    for one, other in zip(again.biases, biases.biases, strict=True):
        assert (one.kind, one.svn, one.satellite, one.station, one.signal, one.second_signal) == (
            other.kind,
            other.svn,
            other.satellite,
            other.station,
            other.signal,
            other.second_signal,
        )
        assert int(one.valid_from.tai_ns) == int(other.valid_from.tai_ns)
        assert int(one.valid_until.tai_ns) == int(other.valid_until.tai_ns)
        assert one.value_m == pytest.approx(other.value_m, abs=5.1e-7 * NANOSECOND_M)


def test_what_cannot_be_taken_over_is_counted(tmp_path):
    glonass = line(unit="cyc").replace("C210 C24", "R801 R01")
    between = line().replace(" OSB ", " ISB ")
    biases = read(tmp_path, text(line(), glonass, between))
    assert len(biases.biases) == 1
    assert biases.rejections == {"GLONASS phase bias in cycles": 1, "bias between systems (ISB)": 1}


def test_a_mode_that_is_none_is_refused(tmp_path):
    content = text(line()).replace("-BIAS/DESCRIPTION", " BIAS_MODE       SOMEHOW\n-BIAS/DESCRIPTION", 1)
    with pytest.raises(FormatError, match="line 4: BIAS_MODE is ABSOLUTE or RELATIVE, not 'SOMEHOW'"):
        read(tmp_path, content)


def test_open_ends_and_other_time_systems_are_written_as_gpst(tmp_path):
    biases = read(tmp_path, text(line(), line(end="0000:000:00000"), scale="C"))
    write_bias_sinex(biases, tmp_path / "b.bia")
    again = read_bias_sinex(tmp_path / "b.bia")
    assert [int(b.valid_until.tai_ns) for b in again.biases] == [
        int(b.valid_until.tai_ns) for b in biases.biases
    ]
    with pytest.raises(InputError, match="no biases"):
        write_bias_sinex(SignalBiases((), "TST"), tmp_path / "c.bia")
