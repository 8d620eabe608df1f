"""One contract that every format of the registry must pass: sound files are read whole, damaged ones refused.

Whatever is done to a file, a reader gives its record or raises FormatError with the file's name, in bounded
time. It never gives half of a file for the whole: what a file with an end mark holds when it is cut off is
refused; of an open list of records, the records before the cut are given and nothing is made of the rest.
"""

import bz2
import dataclasses
import gzip
import io
import time
import tracemalloc
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ncompress  # type: ignore[import-untyped]
import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stations.formats.file_limits import MAXIMUM_LINE_VARIABLE, MAXIMUM_PLAIN_VARIABLE
from stations.formats.registry import FORMATS, Ending, FileFormat, read_any, recognise
from transforms.errors import FormatError, InputError
from transforms.time_scales import Epochs

EXAMPLES = Path(__file__).parent / "examples"
REGRESSIONS = Path(__file__).parent / "regressions"
CASES = [pytest.param(f, e, id=f"{f.name}-{e}") for f in FORMATS for e in f.examples]
each_example = pytest.mark.parametrize(("known", "example"), CASES)
LIMIT_S = 5.0  # issue 3: no reader takes longer for a small file, whatever stands in it
CUTS = 100
# What a reader says beside the values; it may differ where the values do not.
REMARKS = {
    "inputs", "input", "rejections", "damage", "remarks", "line", "lines", "events", "comments", "path",
    "identity", "first_line_number",
}  # fmt: skip
# The label that makes a file what it is: with any byte of it changed, the file is refused.
LABELS: dict[str, bytes] = {
    "rinex-observation": b"RINEX VERSION / TYPE",
    "rinex-navigation": b"RINEX VERSION / TYPE",
    "rinex-meteorology": b"RINEX VERSION / TYPE",
    "rinex-clock": b"RINEX VERSION / TYPE",
    "troposphere-sinex": b"%=TRO",
    "site-mapping": b"",
    "position-series": b"",
    "timeseries-sinex": b"%=TMS",
    "mapping-grid": b"",
    "site-log": b"(site log",
    "geodesyml": b"eodesyML",
    "ionex": b"IONEX VERSION / TYPE",
    "orbex": b"%=ORBEX",
    "sp3": b"#",
    "antex": b"ANTEX VERSION / SYST",
    "sinex": b"%=SNX",
    "bias-sinex": b"%=BIA",
    "earth-rotation": b"",  # told by the shape of its lines
    "ocean-loading": b"",
}
# The version in each example, and one that does not exist.
WRONG_VERSIONS: dict[str, tuple[bytes, bytes]] = {
    "observation_v2.rnx": (b"     2.11 ", b"     2.71 "),
    "observation_v3.rnx": (b"     3.05 ", b"     3.99 "),
    "observation_v4.rnx": (b"     4.02 ", b"     7.02 "),
    "observation_events_v2.rnx": (b"     2.11 ", b"     2.71 "),
    "observation_events_v3.rnx": (b"     3.05 ", b"     3.99 "),
    "observation_v1.crx": (b"1.0       ", b"9.0       "),
    "observation_v3.crx": (b"3.0       ", b"9.0       "),
    "navigation_v2.rnx": (b"     2.11", b"     2.71"),
    "navigation_v3.rnx": (b"     3.04", b"     3.99"),
    "navigation_v4.rnx": (b"     4.01", b"     7.01"),
    "meteorology_v2.rnx": (b"     2.11", b"     2.71"),
    "meteorology_v3.rnx": (b"     3.05", b"     3.99"),
    "troposphere.tro": (b"%=TRO 2.00", b"%=TRO 9.00"),
    "positions.pos": (b"1.1.0", b"9.1.0"),
    "positions.tms": (b"%=TMS 1.0", b"%=TMS 9.0"),
    "grid.vmfg": (b"VMF1 (lat", b"VMF9 (lat"),
    "site.xml": (b"egeodesy:0.4", b"egeodesy:9.4"),
    "ionosphere.inx": (b"     1.1 ", b"     7.1 "),
    "attitudes.obx": (b"ORBEX  0.09", b"ORBEX  9.09"),
    "orbits.obx": (b"ORBEX  0.09", b"ORBEX  9.09"),
    "clocks.clk": (b"     3.00 ", b"     9.00 "),
    "clocks_v304.clk": (b"3.04 ", b"9.04 "),
    "orbits_c.sp3": (b"#cP", b"#xP"),
    "orbits_d.sp3": (b"#dP", b"#xP"),
    "antennas.atx": (b"     1.4 ", b"     9.4 "),
    "solution.snx": (b"%=SNX 2.02", b"%=SNX 9.02"),
    "biases.bia": (b"%=BIA 1.00", b"%=BIA 9.00"),
    "earth_rotation.erp": (b"ersion 2", b"ersion 9"),
}
# What holds too little for the format that is written, and is refused: NGL's series have no coordinates.
NOT_WRITABLE = {"positions.tenv3"}
# Formats whose files carry no version.
WITHOUT_VERSION = {
    "finals2000a.txt",
    "ocean_loading.blq",
    "sites.vmf1_g",
    "positions.tenv3",
    "site_v1.log",
    "site_v2.log",
}


def plain(value: Any) -> Any:
    """A record as nested tuples of plain values, without what a reader remarks, to compare two."""
    if isinstance(value, xr.Dataset):
        return tuple((name, plain(value[name].values)) for name in sorted(map(str, value.variables)))
    if isinstance(value, Epochs):
        return ("epochs", plain(np.asarray(value.tai_ns)), value.scale)
    if isinstance(value, np.ndarray):
        return (value.shape, value.dtype.kind, value.tobytes())
    if dataclasses.is_dataclass(value):
        return tuple(
            (f.name, plain(getattr(value, f.name)))
            for f in dataclasses.fields(value)
            if f.name not in REMARKS
        )
    if isinstance(value, Mapping):
        return tuple((k, plain(v)) for k, v in value.items())
    if isinstance(value, list | tuple):
        return tuple(plain(v) for v in value)
    return "nan" if isinstance(value, float) and value != value else value


@dataclasses.dataclass
class Reading:
    """What came of reading some bytes: a record in plain form, or None and the error's text."""

    record: Any
    error: str
    remarks: Any = None


def read(known: FileFormat, data: bytes, folder: Path, name: str = "file.txt") -> Reading:
    """Read bytes; anything but a record or one FormatError that names the file is the test's failure."""
    path = folder / name
    path.write_bytes(data)
    began = time.monotonic()
    refusal: FormatError | InputError | None = None
    record = None
    try:
        record = known.read(path)
    except (FormatError, InputError) as error:  # InputError: readable, and nothing in it of what was asked
        refusal = error
    assert time.monotonic() - began < LIMIT_S
    if refusal is not None:
        text = str(refusal)
        assert str(path) in text
        assert "\n" not in text.strip()
        line = refusal.line if isinstance(refusal, FormatError) else None
        assert line is None or line >= 1
        return Reading(None, text)
    remarks = any(getattr(record, name, None) for name in ("rejections", "damage", "remarks"))
    return Reading(plain(record), "", remarks)


def stored(example: str) -> bytes:
    return (EXAMPLES / example).read_bytes()


def test_the_table_is_whole() -> None:
    names = [f.name for f in FORMATS]
    assert len(set(names)) == len(names)
    examples = [e for f in FORMATS for e in f.examples]
    assert sorted(examples) == sorted(p.name for p in EXAMPLES.iterdir() if p.name != "README.md")
    assert set(LABELS) == set(names), "each format says here which label makes it what it is"
    assert set(WRONG_VERSIONS) | WITHOUT_VERSION == set(examples)
    assert all(f.examples for f in FORMATS)


@each_example
def test_is_told_by_its_content_alone(known: FileFormat, example: str, tmp_path: Path) -> None:
    path = tmp_path / "no-telling-name"
    path.write_bytes(stored(example))
    assert recognise(path) is known
    assert [f.name for f in FORMATS if f.recognise(stored(example))] == [known.name]


@each_example
def test_reads_its_example_the_same_each_time(known: FileFormat, example: str, tmp_path: Path) -> None:
    first, second = (read(known, stored(example), tmp_path) for _ in range(2))
    assert first.record is not None, first.error
    assert first.record == second.record


@each_example
def test_what_is_written_reads_back(known: FileFormat, example: str, tmp_path: Path) -> None:
    if known.write is None:
        pytest.skip("not written by Jizhun")
    if example in NOT_WRITABLE:
        with pytest.raises(InputError):
            known.write(known.read(EXAMPLES / example), tmp_path / "refused")
        assert list(tmp_path.iterdir()) == []
        return
    original = known.read(EXAMPLES / example)
    first, second = tmp_path / "first", tmp_path / "second"
    known.write(original, first)
    again = known.read(first)
    known.write(again, second)
    assert first.read_bytes() == second.read_bytes()
    third = tmp_path / "third"
    known.write(original, third)
    assert third.read_bytes() == first.read_bytes()
    assert first.stat().st_size > 0


@each_example
@pytest.mark.parametrize("packing", ["gz", "bz2", "zip"])
def test_compression_changes_nothing(known: FileFormat, example: str, packing: str, tmp_path: Path) -> None:
    data = stored(example)
    if packing == "gz":
        packed = gzip.compress(data, mtime=0)
    elif packing == "bz2":
        packed = bz2.compress(data)
    else:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inside", data)
        packed = buffer.getvalue()
    assert read(known, packed, tmp_path).record == read(known, data, tmp_path).record


@each_example
def test_cut_off_at_every_hundredth(known: FileFormat, example: str, tmp_path: Path) -> None:
    """Half of a file is never given for the whole, and half of a line never makes a value."""
    data = stored(example)
    whole = read(known, data, tmp_path)
    for percent in range(CUTS):
        size = len(data) * percent // CUTS
        cut = read(known, data[:size], tmp_path)
        if cut.record is None:
            continue
        if known.ending is Ending.MARKED:
            lost = data[size:].strip()
            is_whole = cut.record == whole.record  # nothing but the end mark is missing
            assert is_whole or cut.remarks, f"{percent} %: {lost[:80]!r} is missing, and nothing says so"
        # The line that is cut counts wholly or not at all.
        before = read(known, data[: data.rfind(b"\n", 0, size) + 1], tmp_path)
        after = read(known, data[: data.find(b"\n", size) + 1], tmp_path)
        if cut.record not in (before.record, after.record):
            assert cut.remarks, f"{percent} %: the cut line {data[:size].splitlines()[-1]!r} made a value"
    assert whole.record is not None


@each_example
def test_a_flipped_byte_in_the_label(known: FileFormat, example: str, tmp_path: Path) -> None:
    data = stored(example)
    label = LABELS[known.name] if not example.endswith(".crx") else b"CRINEX VERS   / TYPE"
    start = data.find(label)
    assert start >= 0
    for place in range(start, start + len(label)):
        damaged = bytearray(data)
        damaged[place] ^= 0x02
        assert read(known, bytes(damaged), tmp_path).record is None, bytes(damaged[start:][:40])


@each_example
def test_a_flipped_byte_anywhere_in_the_header(known: FileFormat, example: str, tmp_path: Path) -> None:
    """A record or the one error: a changed comment or name cannot be told, a traceback never comes."""
    data = stored(example)
    step = max(1, min(len(data), 1600) // 160)
    for place in range(0, min(len(data), 1600), step):
        damaged = bytearray(data)
        damaged[place] ^= 1 << (place % 7)
        read(known, bytes(damaged), tmp_path)


@each_example
def test_a_version_that_does_not_exist(known: FileFormat, example: str, tmp_path: Path) -> None:
    if example in WITHOUT_VERSION:
        pytest.skip("the format has no version")
    old, new = WRONG_VERSIONS[example]
    data = stored(example)
    assert data.count(old) >= 1
    assert read(known, data.replace(old, new, 1), tmp_path).record is None


@each_example
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b" " * 500,
        b"\r\n" * 50,
        bytes(range(256)) * 64,
        b"\x00" * 4096,
        b"\xff\xfe" + b"a\x00" * 900,
    ],
    ids=["empty", "newline", "blanks", "blank lines", "binary", "nul", "utf-16"],
)
def test_empty_and_binary_files(known: FileFormat, example: str, data: bytes, tmp_path: Path) -> None:
    assert read(known, data, tmp_path).error


@pytest.mark.parametrize("known", FORMATS, ids=lambda f: f.name)
def test_missing_files_folders_and_other_formats(known: FileFormat, tmp_path: Path) -> None:
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(FormatError, match=str(path)):
            known.read(path)
    for other in FORMATS:
        if other is not known:
            assert read(known, stored(other.examples[0]), tmp_path).error, other.name


@each_example
def test_windows_line_ends(known: FileFormat, example: str, tmp_path: Path) -> None:
    data = stored(example)
    if b"COMPACT RINEX" in data[:80]:
        pytest.skip("Compact RINEX counts characters of lines: its line ends are its own")
    turned = read(known, data.replace(b"\n", b"\r\n"), tmp_path)
    assert turned.record == read(known, data, tmp_path).record, turned.error


@each_example
@pytest.mark.parametrize(
    "words", ["Große Höhe".encode("latin-1"), "基准 Höhe".encode()], ids=["latin-1", "utf-8"]
)
def test_other_alphabets_in_comments(known: FileFormat, example: str, words: bytes, tmp_path: Path) -> None:
    data = stored(example)
    comment = b"An example file of Jizhun"
    if comment not in data:
        pytest.skip("the format has no comments")
    changed = data.replace(comment, words.ljust(len(comment))[: len(comment)], 1)
    outcome = read(known, changed, tmp_path)
    assert outcome.record is not None, outcome.error


@pytest.mark.parametrize("known", FORMATS, ids=lambda f: f.name)
@pytest.mark.parametrize("filler", [b"A", b" ", b"9"], ids=["letters", "blanks", "digits"])
def test_a_line_without_end(
    known: FileFormat, filler: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stands for a line of 1 GB: the limit is lowered, and the file need not be so large."""
    monkeypatch.setenv(MAXIMUM_LINE_VARIABLE, "100000")
    data = stored(known.examples[0])
    half = data.find(b"\n", len(data) // 2) + 1
    for place, size in ((0, 200_000), (half, 20_000_000), (len(data), 200_000)):
        outcome = read(known, data[:place] + filler * size + data[place:], tmp_path)
        assert "line" in outcome.error
        assert "100000" in outcome.error


@pytest.mark.parametrize("known", FORMATS, ids=lambda f: f.name)
def test_long_lines_below_the_limit(known: FileFormat, tmp_path: Path) -> None:
    """Lines as long as the limit allows take bounded time too."""
    data = stored(known.examples[0])
    half = data.find(b"\n", len(data) // 2) + 1
    for filler in (b"A", b" ", b"9 "):
        read(known, data[:half] + filler * 3_000_000 + data[half:], tmp_path)


@pytest.mark.parametrize("known", FORMATS, ids=lambda f: f.name)
def test_a_bomb(known: FileFormat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few kB that expand to much more than the limit, here lowered to 1 MB."""
    monkeypatch.setenv(MAXIMUM_PLAIN_VARIABLE, "1000000")
    data = stored(known.examples[0]) + b"\n" * 30_000_000
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("inside", data)
    packed = [buffer.getvalue(), gzip.compress(data, 1), gzip.compress(gzip.compress(data, 1), 1)]
    packed.append(ncompress.compress(data))
    for bomb in packed:
        tracemalloc.start()
        try:
            outcome = read(known, bomb, tmp_path)
            peak_bytes = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert "1000000 bytes" in outcome.error
        assert peak_bytes < 20_000_000


def repeated(piece: bytes, n_bytes: int, packing: str) -> bytes:
    """A file of so many bytes of one piece and a line end, packed without ever being whole."""
    n_pieces = n_bytes // len(piece)
    if packing == "gz":  # members one behind the other are one file (RFC 1952, section 2.2)
        return gzip.compress(piece, 9) * n_pieces + gzip.compress(b"\n")
    if packing == "bz2":
        return bz2.compress(piece) * n_pieces + bz2.compress(b"\n")
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("inside", "w", force_zip64=True) as stream,
    ):
        for _ in range(n_pieces):
            stream.write(piece)
    return buffer.getvalue()


@pytest.mark.parametrize("packing", ["gz", "bz2", "zip"])
@pytest.mark.parametrize("known", [FORMATS[0], FORMATS[2]], ids=lambda f: f.name)
def test_a_line_of_a_gigabyte(known: FileFormat, packing: str, tmp_path: Path) -> None:
    """A real one, with the limits as they are: refused before it is held, in whatever it is packed.

    All readers unpack by the same function; two of them stand for the rest.
    """
    head = stored(known.examples[0])
    data = repeated(b"A" * 2**23, 2**30, packing)
    if packing != "zip":
        data = (gzip.compress(head) if packing == "gz" else bz2.compress(head)) + data
    tracemalloc.start()
    try:
        outcome = read(known, data, tmp_path)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    line = 1 if packing == "zip" else head.count(b"\n") + 1
    assert f"line {line}: the line is longer than 8388608 bytes" in outcome.error
    assert peak_bytes < 64 * 2**20


@each_example
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.data())
def test_any_damage_gives_a_record_or_the_one_error(
    known: FileFormat, example: str, tmp_path: Path, seed: st.DataObject
) -> None:
    data = bytearray(stored(example))
    for _ in range(seed.draw(st.integers(1, 4))):
        place = seed.draw(st.integers(0, len(data) - 1))
        size = seed.draw(st.integers(0, 40))
        data[place : place + size] = seed.draw(
            st.binary(max_size=40) | st.from_regex(rb"[-+0-9.:EDd \n>*&#%]{1,30}")
        )
    read(known, bytes(data), tmp_path)


@pytest.mark.parametrize(
    "path", sorted(p for p in REGRESSIONS.iterdir() if p.suffix != ".md"), ids=lambda p: p.name
)
def test_what_the_fuzzer_found_stays_mended(path: Path, tmp_path: Path) -> None:
    """Files named format--what-it-does; see regressions/README.md."""
    (known,) = [f for f in FORMATS if f.name == path.name.split("--")[0]]
    read(known, path.read_bytes(), tmp_path)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty, damaged or not permitted"),
        (b"this is a letter to a friend\n" * 20, "this is a letter"),
        (bytes(range(256)) * 64, "not a text file"),
    ],
    ids=["empty", "letter", "binary"],
)
def test_files_of_no_known_format_get_one_clear_line(data: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "unknown"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=words):
        read_any(path)


def test_what_is_no_file_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="a folder, not a file"):
        read_any(tmp_path)
    with pytest.raises(FormatError, match="no such file"):
        read_any(tmp_path / "none.rnx")
