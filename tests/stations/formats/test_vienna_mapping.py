"""Vienna mapping functions: a real day of all sites, VMF3 and grids in the TU Wien's layout, broken files."""

import gzip

import numpy as np
import pytest

from stations.formats.vienna_mapping import (
    read_mapping_function_grid,
    read_site_mapping_functions,
    write_site_mapping_functions,
)
from transforms.errors import FormatError, InputError

REAL = "parsers/orbex_vmf/2013001.vmf1_g.gz"


@pytest.mark.real_data
def test_a_real_day_of_vmf1(real_data, tmp_path):
    sites = read_site_mapping_functions(real_data / REAL)
    lines = gzip.decompress((real_data / REAL).read_bytes()).decode().splitlines()
    assert sum(len(s.epochs) for s in sites.values()) == len(lines) == 1756
    assert len(sites) == len({line.split()[0] for line in lines}) == 439
    for line in lines:
        words = line.split()
        site = sites[words[0]]
        (row,) = np.flatnonzero(site.epochs.modified_julian_date() == float(words[1]))
        assert site.hydrostatic_coefficient[row] == float(words[2])
        assert site.wet_coefficient[row] == float(words[3])
        assert site.zenith_hydrostatic_delay_m[row] == float(words[4])
        assert site.zenith_wet_delay_m[row] == float(words[5])
    # ABMF 56293.00 0.00127409 0.00055870 2.3151 0.2398 288.2 1014.36 22.86 26.02 15.9
    abmf = sites["ABMF"]
    assert abmf.kind == "VMF1"
    assert abmf.epochs[0].iso() == "2013-01-01T00:00:00"
    assert abmf.pressure_pa[0] == pytest.approx(101436.0)
    assert abmf.temperature_k[0] == pytest.approx(296.01)
    assert abmf.water_vapour_pressure_pa[0] == pytest.approx(2602.0)
    assert abmf.mean_temperature_k is not None
    assert abmf.model_height_m is not None
    assert (abmf.mean_temperature_k[0], abmf.model_height_m[0]) == (288.2, 15.9)
    write_site_mapping_functions(list(sites.values()), tmp_path / "again.vmf1_g.gz")
    again = read_site_mapping_functions(tmp_path / "again.vmf1_g.gz")
    for name, site in sites.items():
        np.testing.assert_array_equal(again[name].wet_coefficient, site.wet_coefficient)
        np.testing.assert_allclose(again[name].pressure_pa, site.pressure_pa, rtol=1e-12)


# A line of each kind in the columns of the VMF Data Server's readme.
VMF3 = "BJFS      60344.00  0.00123456  0.00051234  2.2941  0.0123  1013.21    -2.10   3.05\n"
VMF3_GRADIENTS = VMF3.rstrip() + "  -0.120   0.080  -0.010   0.020\n"


def write(tmp_path, text):
    path = tmp_path / "a.v3gr"
    path.write_text(text)
    return path


def test_vmf3_with_and_without_gradients(tmp_path):
    bjfs = read_site_mapping_functions(write(tmp_path, VMF3))["BJFS"]
    assert (bjfs.kind, bjfs.gradients_m, bjfs.model_height_m) == ("VMF3", None, None)
    assert bjfs.temperature_k[0] == pytest.approx(271.05)
    with_gradients = read_site_mapping_functions(write(tmp_path, VMF3_GRADIENTS))["BJFS"]
    np.testing.assert_allclose(with_gradients.gradients_m, [[-0.12e-3, 0.08e-3, -0.01e-3, 0.02e-3]])
    write_site_mapping_functions([with_gradients], tmp_path / "b")
    again = read_site_mapping_functions(tmp_path / "b")["BJFS"]
    np.testing.assert_allclose(again.gradients_m, with_gradients.gradients_m)
    with pytest.raises(InputError, match="one kind"):
        write_site_mapping_functions([], tmp_path / "c")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (VMF3 * 2, "line 2: MJD 60344.0 of BJFS is not later"),
        (VMF3.replace("2.2941", "9.2941"), "line 1: zenith_hydrostatic_delay_m 9.2941"),
        (VMF3.replace("0.00051234", "0.1"), "line 1: wet_coefficient 0.1"),
        (VMF3.replace("2.2941", "2.2x41"), "line 1: expected a number"),
        (VMF3.replace("60344.00", "344.00"), "MJD 344.0 is out of range"),
        (VMF3 + VMF3_GRADIENTS, "line 2: 11 numbers"),
        ("nothing at all\n", "line 1: expected station, MJD"),
        ("! only a comment\n", "no line of a station"),
    ],
)
def test_defects_of_site_files_are_named(tmp_path, text, words):
    with pytest.raises(FormatError, match=words):
        read_site_mapping_functions(write(tmp_path, text))


GRID_HEAD = """! Version:            1.0
! Source:             J. Boehm, TU Vienna (created: 2024-02-14)
! Data_types:         {kind}
! Epoch:              2024 02 15 06 00  0.0
! Scale_factor:       1.e+00
! Range/resolution:   {range}
! Comment:            http://vmf.geo.tuwien.ac.at/trop_products/GRID/
"""


def grid(
    kind="VMF1 (lat lon ah aw zhd zwd)",
    axes="-90 90 0 360 90 120",
    latitudes=(90.0, 0.0, -90.0),
    longitudes=(0.0, 120.0, 240.0),
    more="",
):
    text = GRID_HEAD.format(kind=kind, range=axes)
    for i, latitude in enumerate(latitudes):
        for j, longitude in enumerate(longitudes):
            text += (
                f" {latitude:5.1f} {longitude:5.1f} 0.0011704{i}  0.0006049{j}  2.{i}998  0.0{j}04{more}\n"
            )
    return text


def test_a_grid_of_vmf1(tmp_path):
    """Poles included, 360 degrees not written: as "Range/resolution: -90 90 0 360 2 2.5" is meant."""
    vmf1 = read_mapping_function_grid(write(tmp_path, grid()))
    assert (vmf1.kind, vmf1.epoch.iso()) == ("VMF1", "2024-02-15T06:00:00")
    assert vmf1.latitude_deg.tolist() == [90.0, 0.0, -90.0]
    assert vmf1.longitude_deg.tolist() == [0.0, 120.0, 240.0]
    assert vmf1.hydrostatic_coefficient[2, 1] == 0.00117042
    assert vmf1.wet_coefficient[2, 1] == 0.00060491
    assert vmf1.zenith_hydrostatic_delay_m[1, 0] == 2.1998
    assert vmf1.gradients_m is None


def test_a_grid_of_vmf3_with_gradients(tmp_path):
    """Cell centres: "Range/resolution: -87.5 87.5 2.5 357.5 5 5" of the 5 degree grids."""
    text = grid(
        "V3GR (lat lon ah aw zhd zwd Gn_h Ge_h Gn_w Ge_w)",
        "-60 60 60 300 60 120",
        (60.0, 0.0, -60.0),
        (60.0, 180.0, 300.0),
        "  -0.10  0.20  0.01 -0.02",
    )
    vmf3 = read_mapping_function_grid(write(tmp_path, text))
    assert vmf3.kind == "VMF3"
    assert vmf3.longitude_deg.tolist() == [60.0, 180.0, 300.0]
    assert vmf3.gradients_m is not None
    np.testing.assert_allclose(vmf3.gradients_m[1, 2], [-1e-4, 2e-4, 1e-5, -2e-5])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("VMF1 (", "GPT3 (", "line 1: expected '! Data_types"),
        ("2024 02 15", "2024 13 15", "no such epoch"),
        ("-90 90 0 360 90 120", "-90 90 0 360 90", "expected six numbers"),
        ("-90 90 0 360 90 120", "-90 90 0 360 45 120", "line 11: expected node 45 0"),
        ("   0.0 120.0 0.0", "   0.0 130.0 0.0", "line 12: expected node 0 120"),
        ("2.1998", "0.1998", "line 11: zenith_hydrostatic_delay_m"),
        ("2.1998", "x", "line 11: expected a number"),
    ],
)
def test_defects_of_grids_are_named(tmp_path, old, new, words):
    text = grid()
    assert old in text
    with pytest.raises(FormatError, match=words):
        read_mapping_function_grid(write(tmp_path, text.replace(old, new, 1)))


def test_a_grid_cut_off_is_refused(tmp_path):
    text = grid()
    for stop in range(20, len(text) - 45, 23):
        with pytest.raises(FormatError):
            read_mapping_function_grid(write(tmp_path, text[:stop]))
