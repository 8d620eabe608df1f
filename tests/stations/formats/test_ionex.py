"""IONEX: real maps against plain text, RMS maps and biases, writing, broken files."""

import gzip
import re

import numpy as np
import pytest

from stations.formats.ionex import read_ionex
from stations.formats.ionex_writing import write_ionex
from transforms.constants import SPEED_OF_LIGHT_M_PER_S
from transforms.errors import FormatError

NANOSECOND_M = SPEED_OF_LIGHT_M_PER_S * 1e-9


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "shape", "n_biases", "with_rms"),
    [
        ("bor1_2024035/COD0OPSFIN_20240350000_01D_01H_GIM.INX.gz", (25, 1, 71, 73), 492, True),
        ("bor1_2024035/IGS0OPSFIN_20240350000_02H_GIM.INX.gz", (13, 1, 71, 73), 335, True),
        ("jfng_2019045/codg0450.19i.gz", (25, 1, 71, 73), 296, True),
        ("parsers/nav-solutions/jplg0010.17i.gz", (13, 1, 71, 73), 228, True),
        ("parsers/nav-solutions/CKMG0020.22I.gz", (25, 1, 71, 73), 0, False),
        ("parsers/nav-solutions/CKMG0090.21I.gz", (25, 1, 71, 73), 0, False),
        ("parsers/nav-solutions/CKMG0080.09I.gz", (13, 1, 71, 73), 0, False),
        ("parsers/sidereon/synthetic_2map_7x7.20i", (2, 1, 7, 7), 0, False),
        ("parsers/sidereon/esa_2024176_first_map_2row.inx", (1, 1, 2, 73), 0, False),
    ],
)
def test_every_real_map_is_what_the_text_says(real_data, tmp_path, name, shape, n_biases, with_rms):
    """All numbers of the TEC maps, read as words between their labels, in their order."""
    path = next(real_data.glob(name.replace("_02H", "*02H")))
    stored = path.read_bytes()
    text = (gzip.decompress(stored) if name.endswith(".gz") else stored).decode("latin-1")
    words: list[str] = []
    for block in re.findall(r"START OF TEC MAP(.*?)END OF TEC MAP", text, re.DOTALL):
        lines = block.splitlines()[1:-1]
        words += [w for line in lines if not re.search("[A-Z]{3}", line) for w in line.split()]
    maps = read_ionex(path)
    assert maps.electron_content_tecu.shape == shape
    expected = np.array(words, dtype=float).reshape(shape) / 10.0
    expected[expected == 999.9] = np.nan
    np.testing.assert_array_equal(maps.electron_content_tecu, expected)
    assert len(maps.biases) == n_biases == len(re.findall("/ BIAS / RMS", text))
    assert (maps.rms_tecu is not None) == with_rms
    write_ionex(maps, tmp_path / "again.inx.gz")
    again = read_ionex(tmp_path / "again.inx.gz")
    np.testing.assert_array_equal(again.electron_content_tecu, maps.electron_content_tecu)
    if with_rms:
        np.testing.assert_array_equal(again.rms_tecu, maps.rms_tecu)
    np.testing.assert_array_equal(again.epochs.tai_ns, maps.epochs.tai_ns)
    assert [(b.name, b.system) for b in again.biases] == [(b.name, b.system) for b in maps.biases]
    assert again.base_radius_m == maps.base_radius_m == 6371e3


@pytest.mark.real_data
def test_biases_and_axes_of_code(real_data):
    """Lines: "   E02     0.665     0.044" and "   E  BADG 12338M002           2.734     0.147"."""
    maps = read_ionex(real_data / "bor1_2024035/COD0OPSFIN_20240350000_01D_01H_GIM.INX.gz")
    (e02,) = [b for b in maps.biases if b.name == "E02"]
    assert e02.value_m == pytest.approx(0.665 * NANOSECOND_M, rel=1e-12)
    (badg,) = [b for b in maps.biases if (b.name, b.system) == ("BADG", "E")]
    assert (badg.domes, badg.rms_m) == ("12338M002", pytest.approx(0.147 * NANOSECOND_M, rel=1e-12))
    assert (maps.latitude_deg[0], maps.latitude_deg[-1]) == (87.5, -87.5)
    assert (maps.longitude_deg[0], maps.longitude_deg[-1]) == (-180.0, 180.0)
    assert maps.height_m.tolist() == [450e3]
    assert maps.epochs[-1].iso() == "2024-02-05T00:00:00"


def label(text, name):
    return f"{text:<60s}{name}\n"


def small(exponent=-1, n_maps=2):
    text = label("     1.0            IONOSPHERE MAPS     GNSS", "IONEX VERSION / TYPE")
    text += label(f"{n_maps:6d}", "# OF MAPS IN FILE") + label("  6371.0", "BASE RADIUS")
    text += label("   450.0 450.0   0.0", "HGT1 / HGT2 / DHGT") + label(
        "    10.0 -10.0 -10.0", "LAT1 / LAT2 / DLAT"
    )
    text += label("     0.0  20.0  10.0", "LON1 / LON2 / DLON") + label(f"{exponent:6d}", "EXPONENT")
    text += label("", "END OF HEADER")
    for number, hour in ((1, 0), (2, 24)):
        text += label(f"{number:6d}", "START OF TEC MAP")
        text += label(f"  2024     2     4{hour:6d}     0     0", "EPOCH OF CURRENT MAP")
        for latitude in (10.0, 0.0, -10.0):
            text += label(f"  {latitude:6.1f}   0.0  20.0  10.0 450.0", "LAT/LON1/LON2/DLON/H")
            text += f"{number * 100:5d}{int(latitude):5d} 9999\n"
        text += label(f"{number:6d}", "END OF TEC MAP")
    return text + label("", "END OF FILE")


def read(tmp_path, text):
    path = tmp_path / "a.inx"
    path.write_text(text)
    return read_ionex(path)


def test_exponents_missing_values_and_the_24th_hour(tmp_path):
    maps = read(tmp_path, small())
    np.testing.assert_array_equal(maps.electron_content_tecu[0, 0, 0], [10.0, 1.0, np.nan])
    assert maps.epochs[1].iso() == "2024-02-05T00:00:00"
    np.testing.assert_array_equal(
        read(tmp_path, small(exponent=0)).electron_content_tecu[1, 0, 2], [200, -10, np.nan]
    )
    np.testing.assert_array_equal(
        read(tmp_path, small(exponent=1)).electron_content_tecu[1, 0, 2], [2000, -100, np.nan]
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("     1.0            ION", "     7.0            ION", "line 1: IONEX version '7.0'"),
        ("IONEX VERSION", "OTHER VERSION", "line 1: expected 'IONEX VERSION"),
        (
            "     2" + " " * 54 + "# OF MAPS",
            "     3" + " " * 54 + "# OF MAPS",
            "3 maps are announced, 2 are there",
        ),
        ("  100   10", "  1x0   10", "line 12: expected 3 values"),
        ("  100   10 9999", "  100   10", "line 12: expected 3 values"),
        ("     0.0   0.0  20.0", "    40.0   0.0  20.0", "not one of the header's grid"),
        ("    10.0 -10.0 -10.0", "    10.0 -10.0  10.0", "is no grid"),
        ("  2024     2     4     0", "  2024     2    40     0", "line 10: no calendar reading"),
        ("END OF HEADER", "END", "no END OF HEADER"),
        (
            "     1" + " " * 54 + "END OF TEC MAP",
            "     1" + " " * 54 + "END OF RMS MAP",
            "closes no open map",
        ),
    ],
)
def test_defects_are_named(tmp_path, old, new, words):
    text = small()
    assert old in text
    with pytest.raises(FormatError, match=words):
        read(tmp_path, text.replace(old, new, 1))


def test_a_file_cut_anywhere_is_refused_or_says_so(tmp_path):
    text = small()
    for stop in range(60, len(text) - 12, 29):
        try:
            maps = read(tmp_path, text[:stop])
        except FormatError:
            continue
        assert maps.remarks  # only END OF FILE is missing
