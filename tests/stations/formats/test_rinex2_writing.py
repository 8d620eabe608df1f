"""RINEX 2.11 and 2.12 as written: what they can carry, under names that others read."""

import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from stations.formats.rinex2_adaptation import carried_by_rinex2
from stations.formats.rinex2_codes import RINEX2_SIGNALS, rinex2_type, rinex3_code
from stations.formats.rinex_observation import read_observations, write_observations
from stations.records import LossOfLock
from transforms.errors import InputError

VARIABLES = {"C": "pseudorange_m", "L": "carrier_phase_cycles", "D": "doppler_hz", "S": "cn0_dbhz"}


@pytest.fixture(scope="module")
def nist(real_data):
    path = real_data / "nist_2023001" / "NIST00USA_R_20230010000_01D_30S_MO.crx.gz"
    whole = read_observations(path)
    return replace(whole, data=whole.data.isel(epoch=slice(0, 120)))


@pytest.mark.parametrize("version", ["2.11", "2.12"])
def test_each_type_comes_back_under_its_name(version):
    for system, signals in RINEX2_SIGNALS[version].items():
        types = [rinex2_type(signal, "C") for signal in signals]
        assert len(set(types)) == len(types)
        for signal in signals:
            assert rinex3_code(system, signal.code_type, types) == "C" + signal.name
            alone = [signal.code_type, rinex2_type(signal, "L")]
            if version == "2.12" and signal.suffix == "1":
                alone.append("LA")
            assert rinex3_code(system, alone[1], alone) == "L" + signal.name


@pytest.mark.real_data
def test_what_2_11_cannot_carry_is_counted(nist):
    carried = carried_by_rinex2(nist, "2.11")
    assert {s[0] for s in nist.satellites} == {"C", "E", "G", "R", "S"}
    assert {s[0] for s in carried.satellites} == {"E", "G", "R", "S"}
    lost = sum(n for reason, n in carried.rejections.items() if reason.startswith("value of"))
    n_values = [sum(int(np.isfinite(o.data[v].values).sum()) for v in VARIABLES.values() if v in o.data)
                for o in (nist, carried)]  # fmt: skip
    assert n_values[0] - n_values[1] == lost > 0
    # Both signals of GPS band 2 are observed: the phase L2 is that of P2, the code C2 is kept.
    assert "value of G L2L, which RINEX 2.11 cannot carry" in carried.rejections
    assert "value of G C2L, which RINEX 2.11 cannot carry" not in carried.rejections
    assert carried_by_rinex2(carried, "2.11").data.equals(carried.data)


@pytest.mark.real_data
def test_2_12_carries_the_beidou_of_its_time_and_all_phases_of_gps(nist):
    carried = carried_by_rinex2(nist, "2.12")
    lost = {reason.split(",")[0] for reason in carried.rejections if reason.startswith("value of")}
    assert lost == {f"value of C {letter}{signal}" for letter in "CL" for signal in ("1P", "5P", "7D")}


@pytest.mark.real_data
@pytest.mark.skipif(shutil.which("convbin") is None, reason="RTKLIB's convbin is not installed")
def test_rtklib_reads_what_is_written(nist, tmp_path):
    """RTKLIB takes each value for the signal that is meant; it writes it again as RINEX 3.04."""
    path, other = tmp_path / "nist0010.23o", tmp_path / "nist.rnx"
    write_observations(nist, path, version="2.11")
    # It keeps one signal of a band, codes of different bands, and no indicators.
    words = ["convbin", "-r", "rinex", path, "-v", "3.04", "-o", other, "-od", "-os"]
    subprocess.run(words, check=True, capture_output=True, timeout=60)
    carried, read = carried_by_rinex2(nist, "2.11").data, read_observations(other).data
    assert set(read.satellite.values) == set(carried.satellite.values)
    assert read.sizes["epoch"] == 120
    n_equal = 0
    for letter in "CL":
        found = read[VARIABLES[letter]]
        for signal in found.signal.values:
            for satellite in found.satellite.values:
                theirs = found.sel(signal=signal, satellite=satellite).values
                if np.isfinite(theirs).any():
                    ours = carried[VARIABLES[letter]].sel(signal=signal, satellite=satellite).values
                    np.testing.assert_array_equal(theirs, ours, err_msg=f"{satellite} {letter}{signal}")
                    n_equal += int(np.isfinite(theirs).sum())
    assert n_equal > 20_000


SQUARING = f"""\
     3.05           OBSERVATION DATA    G                   RINEX VERSION / TYPE
{"OLD1":<60s}MARKER NAME
{"G    4 C1C L1C C2W L2W":<60s}SYS / # / OBS TYPES
  1993     2     4     0     0    0.0000000     GPS         TIME OF FIRST OBS
{"":<60s}END OF HEADER
> 1993 02 04 00 00  0.0000000  0  2
G01  20000000.000   105000000.000 7  20000001.000    82000000.0002
G02  21000000.000   115000000.000 7  21000001.000    92000000.000
> 1993 02 04 00 00 30.0000000  0  2
G01  20000000.000   105000000.000 7  20000001.000    82000000.0003
G02  21000000.000   115000000.0002   21000001.000    92000000.000
"""


def test_squaring_is_told_by_wavelength_factors(tmp_path):
    source, path = tmp_path / "a.rnx", tmp_path / "a.93o"
    source.write_text(SQUARING)
    observations = read_observations(source)
    write_observations(observations, path, version="2.11")
    lines = path.read_text().splitlines()
    factors = [line for line in lines if line.endswith("WAVELENGTH FACT L1/2")]
    # G01 counts half cycles on L2 throughout; G02 at one epoch of L1 only, which its indicator tells.
    assert [line[:60].split() for line in factors] == [["1", "1"], ["1", "2", "1", "G01"]]
    again = read_observations(path, strict=True)
    np.testing.assert_array_equal(again.data.loss_of_lock.values, observations.data.loss_of_lock.values)
    assert (
        int(again.data.loss_of_lock.sel(satellite="G01", signal="2W")[1])
        == LossOfLock.HALF_CYCLE | LossOfLock.LOST
    )


def test_the_last_indicator_bit_is_not_taken_into_a_version_where_it_means_another_thing(tmp_path):
    """BOC tracking in RINEX 3, anti-spoofing in RINEX 2."""
    text = SQUARING.replace("105000000.000 7", "105000000.00057")
    (tmp_path / "a.rnx").write_text(text)
    observations = read_observations(tmp_path / "a.rnx")
    assert (observations.data.loss_of_lock.values & LossOfLock.BOC_TRACKING).any()
    write_observations(observations, tmp_path / "a.93o", version="2.11")
    assert not (read_observations(tmp_path / "a.93o").data.loss_of_lock.values & 4).any()
    with_bit = (tmp_path / "a.93o").read_text().replace("105000000.00017", "105000000.00057")
    (tmp_path / "b.93o").write_text(with_bit)
    old = read_observations(tmp_path / "b.93o")
    assert (old.data.loss_of_lock.values & 4).any()
    for version, kept in (("2.11", True), ("3.05", False)):
        write_observations(old, tmp_path / "c.93o", version=version)
        assert (read_observations(tmp_path / "c.93o").data.loss_of_lock.values & 4).any() == kept


def test_nothing_that_can_be_carried_is_an_error(tmp_path):
    text = (
        SQUARING.replace("G01", "I01")
        .replace("G02", "I02")
        .replace("G    4 C1C L1C C2W L2W", "I    4 C5A L5A C9A L9A")
    )
    (tmp_path / "a.rnx").write_text(text.replace("DATA    G", "DATA    I"))
    observations = read_observations(tmp_path / "a.rnx")
    with pytest.raises(InputError, match=r"RINEX 2\.11 can carry none"):
        write_observations(observations, tmp_path / "b.93o", version="2.11")
    assert not (tmp_path / "b.93o").exists()


def test_an_event_does_not_rename_the_phases_behind_it(tmp_path):
    """P1 is observed before a change of the antenna only: L1 stays that of P1."""
    text = (
        f"{'     2.11':<20s}{'OBSERVATION DATA':<20s}{'G':<20s}RINEX VERSION / TYPE\n"
        f"{'     2    L1    P1':<60s}# / TYPES OF OBSERV\n{'':<60s}END OF HEADER\n"
        f" 24  2  4  0  0  0.0000000  0  1G01\n{1.1e8:14.3f}  {2.1e7:14.3f}\n"
        f"{'':28s}4  1\n{'12':<20s}{'TRM59800.00     SCIS':<40s}ANT # / TYPE\n"
        f" 24  2  4  0  0 30.0000000  0  1G01\n{1.2e8:14.3f}\n"
    )
    (tmp_path / "a.24o").write_text(text)
    data = read_observations(tmp_path / "a.24o", strict=True).data
    assert list(data.signal.values) == ["1W"]
    assert data.carrier_phase_cycles.values.ravel().tolist() == [1.1e8, 1.2e8]
