"""From a stored file to its plain text, and back: gzip, compress (.Z), bzip2, zip and Compact RINEX.

What a file is, is told from its first bytes and never from its name. Compact RINEX 1.0 and 3.0/3.1
(Hatanaka 2008, "A compression format and tools for GNSS observation data", Bull. GSI 55) goes
through the `hatanaka` package, which carries the author's own programs.
"""

import bz2
import gzip
import hashlib
import io
import re
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Final

import hatanaka

from stations.records import InputFile, PathLike
from transforms.errors import FormatError

_GZIP_MAGIC: Final = b"\x1f\x8b"  # RFC 1952, section 2.3.1
_COMPRESS_MAGIC: Final = b"\x1f\x9d"  # compress(1), LZW
_BZIP2_MAGIC: Final = b"BZh"
_ZIP_MAGIC: Final = b"PK\x03\x04"  # APPNOTE.TXT, section 4.3.7
_CRINEX_LABEL: Final = b"CRINEX VERS   / TYPE"
_CRINEX_PROGRAM_LABEL: Final = b"CRINEX PROG / DATE"
# A zip of a gzip of a Compact RINEX file is the deepest that is met in archives.
_MAXIMUM_LAYERS: Final = 4
# A day of 1 Hz data of all systems is below 1.5 GB of text; more is a mistake or an attack ("zip bomb").
MAXIMUM_PLAIN_BYTES: Final = 4 * 1024**3
_CHUNK_BYTES: Final = 1 << 22
_HEAD_STORED_BYTES: Final = 1 << 16
_HEAD_PLAIN_BYTES: Final = 200_000
# Control characters that text of this field holds: tab, line feed, form feed, carriage return, Ctrl-Z.
_TEXT_CONTROL: Final = frozenset(b"\t\n\x0b\x0c\r\x1a")
_PROBE_BYTES: Final = 1 << 16
_MAXIMUM_CONTROL_SHARE: Final = 0.01


def read_bytes(path: PathLike) -> tuple[bytes, InputFile]:
    """The plain text of a file, whatever it is compressed with, and the file's identity.

    Parameters
    ----------
    path : plain, .gz, .Z, .bz2 or .zip (of one file), with or without Compact RINEX inside

    Returns
    -------
    data : plain text as bytes; line ends as stored
    identity : the path as given and the sha256 of the bytes as stored (compressed)

    Raises
    ------
    FormatError : the file is missing, unreadable, empty, damaged, cut off or not text
    """
    stored = _read_stored(path)
    identity = InputFile(str(path), hashlib.sha256(stored).hexdigest())
    data = stored
    for _ in range(_MAXIMUM_LAYERS):
        plainer = _remove_layer(data, path)
        if plainer is None:
            break
        data = plainer
    if not data.strip():
        raise FormatError(path, None, "the file is empty")
    _require_text(data, path)
    if _CRINEX_LABEL in data[:200]:
        data = _expand_compact_rinex(data, path)
    return data, identity


def read_head(path: PathLike) -> bytes:
    """The first bytes of a file's plain text, up to 200 kB, the rest not expanded; b"" where there are none.

    For telling what a file is: nothing is raised for a damaged one, and Compact RINEX stays compact.
    """
    try:
        with Path(path).open("rb") as stream:
            stored = stream.read(_HEAD_STORED_BYTES)
            if stored.startswith((_ZIP_MAGIC, _COMPRESS_MAGIC)):
                stored += stream.read()
        for _ in range(_MAXIMUM_LAYERS):
            if stored.startswith(_GZIP_MAGIC):
                # 16 + MAX_WBITS: with a gzip header (zlib manual, inflateInit2).
                stored = zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(stored, _HEAD_PLAIN_BYTES)
            elif stored.startswith(_BZIP2_MAGIC):
                stored = bz2.BZ2Decompressor().decompress(stored, _HEAD_PLAIN_BYTES)
            elif (plainer := _remove_layer(stored, path)) is not None:
                stored = plainer
            else:
                break
    except (OSError, EOFError, ValueError, zlib.error):
        return b""
    return stored[:_HEAD_PLAIN_BYTES]


def compress_for(path: PathLike, data: bytes) -> bytes:
    """Plain text turned into what the name's ending asks for; the same text gives the same bytes.

    ".gz" gives gzip without name and time, ".crx" and ".crx.gz" Compact RINEX (with the conversion
    date that `hatanaka` writes replaced by blanks), anything else the text itself.
    """
    name = Path(path).name.lower()
    if re.search(r"(\.crx|\.\d\dd)(\.gz)?$", name):
        data = _compact(data, path)
    return gzip.compress(data, compresslevel=6, mtime=0) if name.endswith(".gz") else data


def _read_stored(path: PathLike) -> bytes:
    try:
        stored = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise FormatError(path, None, "no such file") from error
    except IsADirectoryError as error:
        raise FormatError(path, None, "is a folder, not a file") from error
    except OSError as error:
        raise FormatError(path, None, f"cannot be read ({error.strerror or error})") from error
    if not stored:
        raise FormatError(path, None, "the file is empty (0 bytes)")
    return stored


def _remove_layer(data: bytes, path: PathLike) -> bytes | None:
    """The content of one layer of compression, or None where the data is not compressed."""
    try:
        if data.startswith(_GZIP_MAGIC):
            with gzip.open(io.BytesIO(data)) as stream:
                return _read_limited(stream, path)
        if data.startswith(_BZIP2_MAGIC):
            with bz2.open(io.BytesIO(data)) as stream:
                return _read_limited(stream, path)
        if data.startswith(_ZIP_MAGIC):
            return _only_member(data, path)
        if data.startswith(_COMPRESS_MAGIC):
            plain: bytes = hatanaka.decompress(data)
            return plain
    except (EOFError, OSError, zlib.error, ValueError, zipfile.BadZipFile, RuntimeError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(path, None, f"the compressed file is damaged or cut off ({error})") from error
    return None


def _read_limited(stream: io.BufferedIOBase | gzip.GzipFile | bz2.BZ2File, path: PathLike) -> bytes:
    parts: list[bytes] = []
    total = 0
    while chunk := stream.read(_CHUNK_BYTES):
        parts.append(chunk)
        total += len(chunk)
        if total > MAXIMUM_PLAIN_BYTES:
            raise FormatError(path, None, f"expands to more than {MAXIMUM_PLAIN_BYTES} bytes")
    return b"".join(parts)


def _only_member(data: bytes, path: PathLike) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [m for m in archive.infolist() if not m.is_dir()]
        if len(members) != 1:
            raise FormatError(path, None, f"the zip archive holds {len(members)} files, expected 1")
        if members[0].file_size > MAXIMUM_PLAIN_BYTES:
            raise FormatError(path, None, f"expands to more than {MAXIMUM_PLAIN_BYTES} bytes")
        return archive.read(members[0])


def _require_text(data: bytes, path: PathLike) -> None:
    """Refuse binary data: a NUL anywhere, or more than a sprinkle of control characters at the start."""
    position = data.find(b"\x00")
    if position >= 0:
        line = data.count(b"\n", 0, position) + 1
        raise FormatError(path, line, "a NUL byte: the file is binary or damaged, expected text")
    probe = data[:_PROBE_BYTES]
    strange = sum(1 for byte in probe if byte < 32 and byte not in _TEXT_CONTROL)
    if strange > _MAXIMUM_CONTROL_SHARE * len(probe):
        raise FormatError(path, None, f"{strange} control characters at its start: not a text file")


def _expand_compact_rinex(data: bytes, path: PathLike) -> bytes:
    try:
        with warnings.catch_warnings():
            # The program warns of cosmetic things (non-standard date); damage is an exception.
            warnings.simplefilter("ignore")
            plain: bytes = hatanaka.crx2rnx(data)
    except (hatanaka.HatanakaException, ValueError) as error:
        text = " ".join(str(error).split())
        raise FormatError(path, None, f"the Compact RINEX file is damaged or cut off ({text})") from error
    return plain


def _compact(data: bytes, path: PathLike) -> bytes:
    try:
        compact: bytes = hatanaka.rnx2crx(data)
    except (hatanaka.HatanakaException, ValueError) as error:
        raise FormatError(path, None, f"cannot be turned into Compact RINEX ({error})") from error
    lines = compact.split(b"\n", 2)
    if len(lines) == 3 and _CRINEX_PROGRAM_LABEL in lines[1]:
        lines[1] = lines[1][:40] + b" " * 20 + lines[1][60:]  # columns 41-60 hold the wall clock
    return b"\n".join(lines)
