"""BLQ: real files, what surrounds the table, broken files."""

import dataclasses

import numpy as np
import pytest

from stations.formats.ocean_loading import read_ocean_loading, write_ocean_loading
from stations.records import OceanLoading
from transforms.errors import FormatError, InputError


@pytest.mark.real_data
def test_zimmerwald(real_data, station_format_values):
    expected = station_format_values["zimm_ocean_loading"]
    loading = read_ocean_loading(real_data / expected["file"])
    assert list(loading) == ["ZIMM", "ZIM2", "ZIM3", "ZIMJ"]
    zimm = loading["ZIMM"]
    assert zimm.amplitude_m.shape == zimm.phase_rad.shape == (3, 11)
    assert zimm.amplitude_m[0, 0] == expected["radial_m2_m"]
    assert zimm.amplitude_m[1, 4] == expected["west_k1_m"]
    assert zimm.amplitude_m[2, 10] == expected["south_ssa_m"]
    np.testing.assert_allclose(
        np.degrees(zimm.phase_rad[[0, 2], [0, 4]]), [expected["radial_m2_deg"], expected["south_k1_deg"]]
    )
    assert zimm.model == "FES2004"


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "count"), [("FES2004.BLQ.gz", 875), ("OLOAD_GO.BLQ.gz", 974), ("OceanLoading.blq.gz", 493)]
)
def test_files_of_many_stations(real_data, name, count):
    loading = read_ocean_loading(real_data / "blq" / name)
    assert len(loading) == count
    assert all(station == record.station == station.upper() for station, record in loading.items())


@pytest.mark.real_data
def test_atmospheric_loading_is_refused(real_data):
    with pytest.raises(FormatError, match="tides S1 S2, expected M2"):
        read_ocean_loading(real_data / "blq" / "ALOAD_GO.test.BLQ.gz")


ROW = "  .00693 .00246 .00161 .00060 .00121 .00164 .00040 .00037 .00030 .00019 .00020\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("  ZIMM\n" + ROW * 5, "cut off: station ZIMM has 5 rows"),
        ("  ZIMM\n" + ROW * 2 + ROW[8:] + ROW * 3, "line 4: 10 numbers of ZIMM"),
        ("  ZIMM\n" + ROW.replace(".00693", ".00x93") + ROW * 5, "line 2: expected 11 numbers"),
        ("  ZIMM\n" + ROW.replace(".00693", "6.9300") + ROW * 5, "beyond 1 m"),
        ("  ZIMM\n" + ROW * 3 + ROW.replace(".00693", "400.00") + ROW * 2, "beyond 360 degrees"),
        ("$$ nothing\n", "no station"),
        ("-- no BLQ\n", "line 1: expected the name of a station"),
    ],
)
def test_defects_are_named(tmp_path, text, words):
    path = tmp_path / "a.blq"
    path.write_text(text)
    with pytest.raises(FormatError, match=words):
        read_ocean_loading(path)


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["blq/FES2004.BLQ.gz", "zimm_2021001_004/ocean_loading.blq.gz"])
def test_what_is_written_is_read_again(real_data, tmp_path, name):
    """Amplitudes are written to 0.01 mm and phases to 0.1 degree, as the loading service does."""
    loadings = list(read_ocean_loading(real_data / name).values())
    write_ocean_loading(loadings, tmp_path / "again.blq")
    again = read_ocean_loading(tmp_path / "again.blq")
    assert list(again) == [loading.station for loading in loadings]
    for loading in loadings:
        other = again[loading.station]
        np.testing.assert_allclose(other.amplitude_m, loading.amplitude_m, atol=5.1e-6)
        turn = np.angle(np.exp(1j * (other.phase_rad - loading.phase_rad)))
        np.testing.assert_allclose(turn, 0.0, atol=np.radians(0.051))
        assert other.model == loading.model
    stored = (tmp_path / "again.blq").read_bytes()
    write_ocean_loading(list(again.values()), tmp_path / "again.blq")
    assert (tmp_path / "again.blq").read_bytes() == stored


def test_two_models_are_not_written_into_one_file(tmp_path):
    one = OceanLoading("WUHN", np.zeros((3, 11)), np.zeros((3, 11)), "FES2004")
    with pytest.raises(InputError, match="one ocean model"):
        write_ocean_loading([one, dataclasses.replace(one, model="GOT4.7")], tmp_path / "a.blq")
