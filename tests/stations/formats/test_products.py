"""One analysis centre throughout, chosen by content: real folders, renamed files, mixes, other days."""

import shutil

import numpy as np
import pytest

from stations.formats.earth_rotation_parameters import write_earth_rotation_parameters
from stations.formats.products import find_products
from stations.formats.rinex_clock import write_rinex_clock
from stations.formats.sp3 import write_sp3
from stations.records import EarthRotationParameters, SatelliteClocks, SatelliteOrbits
from transforms.errors import FormatError, InputError
from transforms.time_scales import Epochs, TimeScale

NIST = ("2023-01-01T00:00:00", "2023-01-01T23:59:30")
BOR1 = ("2024-02-04T00:00:00", "2024-02-04T23:59:30")


def find(paths, span, **options):
    first, last = (Epochs.from_datetime64(t) for t in span)
    return find_products(paths, first, last, **options)


@pytest.mark.real_data
def test_nist_takes_wuhan_with_its_30_s_clocks(real_data):
    products = find([real_data / "nist_2023001", real_data / "eop"], NIST)
    assert (products.centre, products.mixed) == ("WUM", False)
    assert products.orbits.centre == products.clocks.centre == "WUM"
    assert products.clocks.clock_s.shape == (2881, 121)
    among = "CODMGXFIN, CODOPSFIN, GFZMGXRAP, GRGOPSFIN, IGSOPSFIN, WUMMGXFIN"
    assert any(f"WUMMGXFIN, chosen among {among}" in r for r in products.remarks)
    # The IERS's earth rotation is common to all centres.
    assert any("no mix" in r for r in products.remarks)
    mjd = products.earth_rotation.epochs.modified_julian_date()
    assert mjd[0] <= 59945.0
    assert mjd[-1] >= 59946.0


@pytest.mark.real_data
@pytest.mark.parametrize("ambiguities", ["float", "fix"])
def test_bor1_takes_grg_with_its_sp3_clocks_and_phase_biases(real_data, ambiguities):
    products = find([real_data / "bor1_2024035"], BOR1, ambiguities=ambiguities)
    assert (products.centre, products.mixed, products.clocks) == ("GRG", False, None)
    assert products.biases.centre == "GRG"
    assert {b.satellite[0] for b in products.biases.biases if b.signal[0] == "L"} == {"G", "E", "C"}
    assert np.isfinite(products.orbits.clock_s).any()
    assert products.earth_rotation is None
    assert any("no earth rotation parameters" in r for r in products.remarks)


JFNG = ("2019-02-14T07:00:00", "2019-02-14T07:59:30")


@pytest.mark.real_data
def test_fixing_takes_the_series_with_phase_biases_that_serves_as_much_and_names_the_other(real_data):
    folder = real_data / "jfng_2019045"
    gps = find([folder], JFNG, systems="G", ambiguities="fix")
    assert gps.biases is not None
    assert any("products of CODR03FIN" in r and "phase biases for G" in r for r in gps.remarks)
    other = [r for r in gps.remarks if r.startswith("also there, with --centre CODMGXFIN: ")]
    assert len(other) == 1
    assert "phase biases for none" in other[0]
    # Its 32 GPS satellites do not outweigh the 66 of three systems: 0.28 m off in that hour against 0.04.
    every = find([folder], JFNG, ambiguities="fix")
    assert any("products of CODMGXFIN" in r and "G 32, E 24, C 10" in r for r in every.remarks)
    other = [r for r in every.remarks if r.startswith("also there, with --centre CODR03FIN: G 32 sat")]
    assert len(other) == 1
    assert "phase biases for G" in other[0]
    asked = find([folder], JFNG, ambiguities="fix", centre="CODR03FIN")
    assert any("products of CODR03FIN, as asked" in r for r in asked.remarks)


@pytest.mark.real_data
def test_differential_biases_complete_a_centres_own_where_named_and_allowed(real_data):
    folder = real_data / "bor1_2024035"
    differences = folder / "CAS0MGXRAP_20240350000_01D_01D_DCB.BSX.gz"
    beside = find([folder], BOR1, centre="COD", systems="G")
    assert any("differential code biases not used: CAS0" in r for r in beside.remarks)
    assert not beside.mixed
    named = find([folder, differences], BOR1, centre="COD", systems="G", allow_mixed=True)
    assert named.mixed
    assert {b.kind for b in named.biases.biases if not b.station} == {"OSB", "DSB"}
    assert any(file.path == str(differences) for file in named.biases.inputs)
    assert any("differential code biases of CAS beside those of COD" in r for r in named.remarks)


@pytest.mark.real_data
def test_a_named_centre_is_taken_and_its_neighbour_days_serve_the_ends(real_data):
    products = find([real_data / "bor1_2024035"], BOR1, systems="GE", centre="COD")
    assert products.centre == "COD"
    readings = products.orbits.epochs.datetime64()
    assert readings[0] == np.datetime64("2024-02-03T00:00")
    assert readings[-1] == np.datetime64("2024-02-06T00:00")
    # Clocks of the neighbours have another reference and are left out.
    outside = (readings < np.datetime64("2024-02-04")) | (readings > np.datetime64("2024-02-05"))
    assert np.isnan(products.orbits.clock_s[outside]).all()
    assert np.isfinite(products.orbits.position_ecef_m[outside]).any()
    with pytest.raises(InputError, match="JPL for this day; there are COD, GRG"):
        find([real_data / "bor1_2024035"], BOR1, centre="JPL")


@pytest.mark.real_data
def test_products_of_another_day_and_no_common_satellites(real_data):
    with pytest.raises(InputError, match="another day"):
        find([real_data / "nist_2023001"], BOR1)
    with pytest.raises(InputError, match="no common satellites: I asked for"):
        find([real_data / "nist_2023001"], NIST, systems="I")


@pytest.mark.real_data
def test_names_do_not_matter(real_data, tmp_path):
    """Decompressed or not, under names that say nothing, beside files that are no products."""
    folder = real_data / "nist_2023001"
    (tmp_path / "sub").mkdir()
    shutil.copy(folder / "WUM0MGXFIN_20230010000_01D_05M_ORB.SP3.gz", tmp_path / "sub" / "one.bin")
    shutil.copy(folder / "WUM0MGXFIN_20230010000_01D_30S_CLK.CLK.gz", tmp_path / "two")
    (tmp_path / "notes.txt").write_text("no product\n")
    (tmp_path / "empty").write_bytes(b"")
    products = find([tmp_path], NIST)
    assert products.centre == "WUM"
    assert products.clocks is not None
    assert {i.path for i in (*products.orbits.inputs, *products.clocks.inputs)} == {
        str(tmp_path / "sub" / "one.bin"),
        str(tmp_path / "two"),
    }


# Purpose-made files from here on.


def orbits(centre, satellites, day="2024-02-04", n=288, clocks=True, frame="IGS20"):
    rng = np.random.default_rng(len(satellites))
    epochs = Epochs.from_datetime64(np.datetime64(day, "ns") + np.arange(n) * np.timedelta64(300, "s"))
    shape = (n, len(satellites))
    clock = np.full(shape, 1e-5 if clocks else np.nan)
    return SatelliteOrbits(
        epochs,
        tuple(satellites),
        rng.uniform(-2e7, 2e7, (*shape, 3)),
        clock,
        np.zeros(shape, dtype=bool),
        frame,
        centre,
    )


def clocks_30_s(centre, satellites, day="2024-02-04"):
    epochs = Epochs.from_datetime64(np.datetime64(day, "ns") + np.arange(2881) * np.timedelta64(30, "s"))
    return SatelliteClocks(epochs, tuple(satellites), np.full((2881, len(satellites)), 1e-5), centre)


def names(**counts):
    return [f"{system}{n:02d}" for system, count in sorted(counts.items()) for n in range(1, count + 1)]


ALL = names(C=30, E=24, G=31)


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def test_coverage_of_systems_goes_before_dense_clocks(folder):
    write_sp3(orbits("COD", names(E=24, G=31)), folder / "a.sp3")
    write_rinex_clock(clocks_30_s("COD", names(E=24, G=31)), folder / "a.clk")
    write_sp3(orbits("GFZ", ALL), folder / "b.sp3")
    assert find([folder], BOR1).centre == "GFZ"
    assert find([folder], BOR1, systems="GE").centre == "COD"


def test_a_few_satellites_more_do_not_outweigh_dense_clocks_but_many_do(folder):
    write_sp3(orbits("WUM", ALL), folder / "a.sp3")
    write_rinex_clock(clocks_30_s("WUM", ALL), folder / "a.clk")
    write_sp3(orbits("GFZ", names(C=40, E=24, G=31)), folder / "b.sp3")
    assert find([folder], BOR1).centre == "WUM"
    assert find([folder], BOR1, systems="C").centre == "GFZ"


def test_the_longest_part_of_the_session_is_served(folder):
    write_sp3(orbits("WUM", ALL, n=100), folder / "a.sp3")
    write_sp3(orbits("GFZ", ALL), folder / "b.sp3")
    assert find([folder], BOR1).centre == "GFZ"
    half = find([folder], BOR1, centre="WUM")
    assert any("cover 35% of the session" in r for r in half.remarks)


def test_orbits_without_clocks_serve_nobody(folder):
    write_sp3(orbits("IGS", ALL, clocks=False), folder / "a.sp3")
    with pytest.raises(InputError, match="no common satellites"):
        find([folder], BOR1)


def test_a_mix_of_named_files_is_refused_unless_allowed(folder):
    write_sp3(orbits("GFZ", ALL), folder / "a.sp3")
    write_rinex_clock(clocks_30_s("WUM", ALL), folder / "b.clk")
    with pytest.raises(InputError, match=r"mix of analysis centres: orbits of GFZ, RINEX clocks of WUM"):
        find([folder / "a.sp3", folder / "b.clk"], BOR1)
    mixed = find([folder / "a.sp3", folder / "b.clk"], BOR1, allow_mixed=True)
    assert (mixed.centre, mixed.mixed, mixed.clocks.centre) == ("GFZ", True, "WUM")
    # In a folder the other centre's file is passed over: the centre's own clocks are in its SP3 file.
    alone = find([folder], BOR1)
    assert (alone.centre, alone.mixed, alone.clocks) == ("GFZ", False, None)


def test_two_series_of_one_centre_are_not_mixed(folder):
    """CODE's MGEX orbits and its operational clocks have the same centre and another reference."""
    write_sp3(orbits("COD", ALL), folder / "COD0MGXFIN_20240350000_01D_05M_ORB.SP3")
    write_sp3(orbits("COD", names(E=24, G=31)), folder / "COD0OPSFIN_20240350000_01D_05M_ORB.SP3")
    write_rinex_clock(
        clocks_30_s("COD", names(E=24, G=31)), folder / "COD0OPSFIN_20240350000_01D_30S_CLK.CLK"
    )
    both = find([folder], BOR1)
    assert both.clocks is None
    assert set(both.orbits.satellites) == set(ALL)
    gps = find([folder], BOR1, systems="G")
    assert len(gps.clocks.satellites) == 55


def test_damaged_files_are_an_error_where_named_and_a_remark_where_found(folder):
    write_sp3(orbits("GFZ", ALL), folder / "a.sp3")
    data = (folder / "a.sp3").read_bytes()
    (folder / "b.sp3").write_bytes(data[: len(data) // 2])
    assert any("left out" in r and "b.sp3" in r for r in find([folder], BOR1).remarks)
    with pytest.raises(FormatError, match=r"b\.sp3"):
        find([folder / "b.sp3"], BOR1)
    (folder / "c").write_bytes(b"")
    with pytest.raises(FormatError, match="empty or damaged"):
        find([folder / "a.sp3", folder / "c"], BOR1)
    with pytest.raises(InputError, match="no such file or folder"):
        find([folder / "absent"], BOR1)


def test_a_folder_without_orbits(folder):
    (folder / "notes.txt").write_text("nothing\n")
    with pytest.raises(InputError, match="no SP3 file"):
        find([folder], BOR1)


def test_two_days_are_joined(folder):
    write_sp3(orbits("GFZ", ALL), folder / "a.sp3")
    write_sp3(orbits("GFZ", ALL, day="2024-02-05"), folder / "b.sp3")
    products = find([folder], ("2024-02-04T12:00:00", "2024-02-05T12:00:00"))
    assert len(products.orbits.epochs) == 576
    assert np.isfinite(products.orbits.clock_s).all()


def test_a_neighbour_in_another_frame_is_left_out(folder):
    write_sp3(orbits("GFZ", ALL), folder / "a.sp3")
    write_sp3(orbits("GFZ", ALL, day="2024-02-05", frame="IGb14"), folder / "b.sp3")
    products = find([folder], BOR1)
    assert len(products.orbits.epochs) == 288
    assert any("another frame" in r for r in products.remarks)


def test_earth_rotation_of_the_centre_goes_before_that_of_others(folder):
    write_sp3(orbits("GFZ", ALL), folder / "a.sp3")
    epochs = Epochs.from_datetime64(
        np.datetime64("2024-02-01", "ns") + np.arange(8) * np.timedelta64(1, "D"), TimeScale.UTC
    )

    def table(x):
        return EarthRotationParameters(epochs, np.full(8, x * 1e-6), np.full(8, 1e-6), np.full(8, -0.01))

    write_earth_rotation_parameters(table(0.3), folder / "IGS0OPSFIN_20240320000_07D_01D_ERP.ERP")
    assert find([folder], BOR1).earth_rotation.pole_x_rad[0] == pytest.approx(0.3e-6, rel=1e-4)
    write_earth_rotation_parameters(table(0.7), folder / "GFZ0MGXRAP_20240320000_07D_01D_ERP.ERP")
    assert find([folder], BOR1).earth_rotation.pole_x_rad[0] == pytest.approx(0.7e-6, rel=1e-4)
