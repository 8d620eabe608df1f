"""Any way of storing a file gives the same text; whatever is damaged is one clear error."""

import bz2
import gzip
import hashlib
import shutil
import subprocess
import zipfile

import numpy as np
import pytest

from stations.formats.atomic_write import write_atomically
from stations.formats.compression import compress_for, read_bytes, read_head
from stations.formats.rinex_observation import read_observations
from transforms.errors import FormatError, InputError

TEXT = b"".join(b"line %d of a text that is long enough to be cut\n" % n for n in range(400))


def zipped(path, *members):
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(len(members)):
            archive.writestr(f"{number}.txt", members[number])
    return path.read_bytes()


@pytest.mark.parametrize("stored", ["plain", "gzip", "bzip2", "zip", "zip of gzip"])
def test_every_layer_gives_the_same_text(tmp_path, stored):
    path = tmp_path / "no_ending_tells_what_this_is"
    content = {
        "plain": lambda: TEXT,
        "gzip": lambda: gzip.compress(TEXT),
        "bzip2": lambda: bz2.compress(TEXT),
        "zip": lambda: zipped(tmp_path / "z", TEXT),
        "zip of gzip": lambda: zipped(tmp_path / "z", gzip.compress(TEXT)),
    }[stored]()
    path.write_bytes(content)
    data, identity = read_bytes(path)
    assert data == TEXT
    # The identity is of the stored bytes, so that it can be checked with sha256sum.
    assert identity.sha256 == hashlib.sha256(content).hexdigest()
    assert read_head(path) == TEXT[:200_000]


@pytest.mark.real_data
def test_compress_z_and_zip_and_bzip2_of_the_archives(real_data):
    folder = real_data / "parsers" / "georinex"
    for name in ("ac660270.18o.Z", "ab430140.18o.zip"):
        assert b"RINEX VERSION / TYPE" in read_bytes(folder / name)[0][:80]
    compact = read_bytes(folder / "P43300USA_R_20190012056_17M_15S_MO.crx.bz2")[0]
    assert compact == read_bytes(folder / "P43300USA_R_20190012056_17M_15S_MO.crx.gz")[0]
    assert b"CRINEX" not in compact


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["AJAC3550.21", "aopr0010.17"])
def test_compact_rinex_1_expands_to_its_plain_twin(real_data, name):
    folder = real_data / "parsers" / "nav-solutions"
    letters = ("D", "O") if name[0] == "A" else ("d", "o")
    one, other = (read_observations(folder / f"{name}{letter}.gz").data for letter in letters)
    for variable in one:
        np.testing.assert_array_equal(one[variable].values, other[variable].values)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"  \n\n", "empty"),
        (gzip.compress(TEXT)[:-20], "damaged or cut off"),
        (gzip.compress(TEXT)[:40] + b"garbage" + gzip.compress(TEXT)[47:], "damaged or cut off"),
        (bz2.compress(TEXT)[:-9], "damaged or cut off"),
        (b"PK\x03\x04 no archive", "damaged or cut off"),
        (b"\x1f\x9d\x90 no LZW \x00\x01", "damaged|binary|control"),
        (bytes(range(256)) * 40, "binary"),
        (b"\x01\x02\x03\x04\x05\x06" * 300, "control characters"),
        (b"a good line\nthen a NUL \x00 in the second\n", "line 2"),
        (
            b"3.0                 COMPACT RINEX FORMAT                    CRINEX VERS   / TYPE\nrest\n",
            "Compact",
        ),
    ],
)
def test_damage_is_one_clear_error(tmp_path, content, words):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=words):
        read_bytes(path)


def test_missing_file_folder_and_crowded_archive(tmp_path):
    with pytest.raises(FormatError, match="no such file"):
        read_bytes(tmp_path / "nothing")
    with pytest.raises(FormatError, match="folder"):
        read_bytes(tmp_path)
    zipped(tmp_path / "two.zip", TEXT, TEXT)
    with pytest.raises(FormatError, match="holds 2 files"):
        read_bytes(tmp_path / "two.zip")


def test_written_gzip_has_no_wall_clock(tmp_path):
    one, other = (compress_for(tmp_path / name, TEXT) for name in ("a.sp3.gz", "b.sp3.gz"))
    assert one == other
    assert gzip.decompress(one) == TEXT
    assert compress_for("a.sp3", TEXT) == TEXT


@pytest.mark.parametrize("ending", ["gz", "bz2", "zip", "Z"])
def test_every_packing_is_written_as_it_is_read(tmp_path, ending):
    path = tmp_path / f"text.txt.{ending}"
    path.write_bytes(compress_for(path, TEXT))
    assert read_bytes(path)[0] == TEXT
    assert compress_for(path, TEXT) == path.read_bytes()
    assert path.stat().st_size < len(TEXT) / 2
    if ending == "zip":
        with zipfile.ZipFile(path) as archive:
            assert archive.namelist() == ["text.txt"]


@pytest.mark.skipif(shutil.which("gzip") is None, reason="gzip, which unpacks .Z, is not installed")
def test_compress_z_is_what_others_unpack(tmp_path):
    path = tmp_path / "text.txt.Z"
    path.write_bytes(compress_for(path, TEXT))
    unpacked = subprocess.run(["gzip", "-dc", path], capture_output=True, check=True)
    assert unpacked.stdout == TEXT


def test_a_failed_write_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_atomically(tmp_path / "absent" / "file", b"x")
    target = tmp_path / "file"
    write_atomically(target, b"old")
    write_atomically(target, b"new")
    assert target.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
