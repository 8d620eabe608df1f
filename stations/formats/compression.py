"""From a stored file to its plain text, and back: gzip, compress (.Z), bzip2, zip and Compact RINEX.

What a file is, is told from its first bytes and never from its name.
"""

import bz2
import gzip
import hashlib
import io
import re
import zipfile
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import ncompress  # type: ignore[import-untyped]  # what hatanaka itself takes for .Z files

from stations.formats.compact_rinex import (
    COMPACT_RINEX_LABEL,
    compact_rinex,
    expand_compact_rinex,
    salvage_compact_rinex,
)
from stations.formats.file_limits import (
    line_too_long,
    maximum_line_bytes,
    maximum_plain_bytes,
    require_short_lines,
)
from stations.records import InputFile, PathLike
from transforms.errors import FormatError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_GZIP_MAGIC: Final = b"\x1f\x8b"  # RFC 1952, section 2.3.1
_COMPRESS_MAGIC: Final = b"\x1f\x9d"  # compress(1), LZW
_BZIP2_MAGIC: Final = b"BZh"
_ZIP_MAGIC: Final = b"PK\x03\x04"  # APPNOTE.TXT, section 4.3.7
_MAGICS: Final = (_GZIP_MAGIC, _COMPRESS_MAGIC, _BZIP2_MAGIC, _ZIP_MAGIC)
_MADE_ON_UNIX: Final = 3  # APPNOTE.TXT, section 4.4.2: the same bytes on every system
PACKINGS: Final = (".gz", ".bz2", ".zip", ".z")  # endings in lower case
# A zip of a gzip of a Compact RINEX file is the deepest that is met in archives.
_MAXIMUM_LAYERS: Final = 4
_CHUNK_BYTES: Final = 1 << 22
_HEAD_STORED_BYTES: Final = 1 << 16
_HEAD_PLAIN_BYTES: Final = 200_000
_COMPACT_NAME: Final = re.compile(r"\.(crx|\d\dd)(\.(gz|bz2|zip|z))?$", re.IGNORECASE)
# Control characters that text of this field holds: tab, line feed, form feed, carriage return, Ctrl-Z.
_TEXT_CONTROL: Final = frozenset(b"\t\n\x0b\x0c\r\x1a")
_PROBE_BYTES: Final = 1 << 16
_MAXIMUM_CONTROL_SHARE: Final = 0.01


def read_bytes(path: PathLike, *, maximum_bytes: int | None = None) -> tuple[bytes, InputFile]:
    """The plain text of a file, whatever it is compressed with, and the file's identity.

    Parameters
    ----------
    path : plain, .gz, .Z, .bz2 or .zip (of one file), with or without Compact RINEX inside
    maximum_bytes : refuse what expands to more than this; None takes `maximum_plain_bytes()`

    Returns
    -------
    data : plain text as bytes; line ends as stored
    identity : the path as given and the sha256 of the bytes as stored (compressed)

    Raises
    ------
    FormatError : the file is missing, unreadable, empty, too large, damaged, cut off or not text
    """
    maximum_bytes = maximum_plain_bytes() if maximum_bytes is None else maximum_bytes
    data, identity = _read_text(path, maximum_bytes)
    if COMPACT_RINEX_LABEL in data[:200]:
        data = expand_compact_rinex(data, path)
        _require_size(len(data), path, maximum_bytes)
    return data, identity


def read_salvaged(path: PathLike, *, maximum_bytes: int | None = None) -> tuple[bytes, InputFile, str]:
    """As `read_bytes`, with the sound epochs of a damaged Compact RINEX file.

    The third value says what is damaged and is "" for a sound file (`salvage_compact_rinex`). A damaged
    gzip, bzip2, zip or .Z file is refused as by `read_bytes`: fetching it again mends it.
    """
    maximum_bytes = maximum_plain_bytes() if maximum_bytes is None else maximum_bytes
    data, identity = _read_text(path, maximum_bytes)
    damage = ""
    if COMPACT_RINEX_LABEL in data[:200]:
        data, damage = salvage_compact_rinex(data, path)
        _require_size(len(data), path, maximum_bytes)
    return data, identity, damage


def _read_text(path: PathLike, maximum_bytes: int) -> tuple[bytes, InputFile]:
    stored = _read_stored(path, maximum_bytes)
    identity = InputFile(str(path), hashlib.sha256(stored).hexdigest())
    data = stored
    for _ in range(_MAXIMUM_LAYERS):
        plainer = _remove_layer(data, path, maximum_bytes)
        if plainer is None:
            break
        data = plainer
    if not data.strip():
        raise FormatError(path, None, "the file is empty")
    _require_text(data, path)
    require_short_lines(data, path)
    return data, identity


def _require_size(size: int, path: PathLike, maximum_bytes: int) -> None:
    if size > maximum_bytes:
        raise FormatError(path, None, f"expands to more than the {maximum_bytes} bytes that are allowed")


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
            elif (plainer := _remove_layer(stored, path, maximum_plain_bytes())) is not None:
                stored = plainer
            else:
                break
    except (OSError, EOFError, ValueError, zlib.error):
        return b""
    return stored[:_HEAD_PLAIN_BYTES]


def compress_for(path: PathLike, data: bytes) -> bytes:
    """Plain text turned into what the name's ending asks for; the same text gives the same bytes.

    Packed by ".gz" (without name and time), ".bz2", ".zip" (one file, dated 1980) or ".Z" (compress); before
    that ".crx" and ".23d" say Compact RINEX (with the conversion date that `hatanaka` writes replaced by
    blanks). Any other name stands for the text itself.
    """
    name = Path(path).name
    inner, packing = name, ""
    if name.lower().endswith(PACKINGS):
        inner, packing = name[: name.rindex(".")], name[name.rindex(".") :].lower()
    if is_compact(path):
        data = compact_rinex(data, path)
    if packing == ".gz":
        return gzip.compress(data, compresslevel=6, mtime=0)
    if packing == ".bz2":
        return bz2.compress(data)
    if packing == ".zip":
        return _zipped(inner, data)
    if packing == ".z":
        return bytes(ncompress.compress(data))
    return data


def is_compact(path: PathLike) -> bool:
    """Whether a name asks for Compact RINEX: ".crx" or ".23d", packed or not."""
    return _COMPACT_NAME.search(Path(path).name) is not None


def _zipped(name: str, data: bytes) -> bytes:
    """A zip archive of one file."""
    buffer = io.BytesIO()
    # Without a date given, zipfile takes the first day that the format can tell, 1980-01-01.
    member = zipfile.ZipInfo(name)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.create_system = _MADE_ON_UNIX
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(member, data)
    return buffer.getvalue()


def _read_stored(path: PathLike, maximum_bytes: int) -> bytes:
    try:
        _require_size(Path(path).stat().st_size, path, maximum_bytes)
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


def _remove_layer(data: bytes, path: PathLike, maximum_bytes: int) -> bytes | None:
    """The content of one layer of compression, or None where the data is not compressed."""
    try:
        if data.startswith(_GZIP_MAGIC):
            with gzip.open(io.BytesIO(data)) as stream:
                return _read_limited(stream, path, maximum_bytes)
        if data.startswith(_BZIP2_MAGIC):
            with bz2.open(io.BytesIO(data)) as stream:
                return _read_limited(stream, path, maximum_bytes)
        if data.startswith(_ZIP_MAGIC):
            return _only_member(data, path, maximum_bytes)
        if data.startswith(_COMPRESS_MAGIC):
            limited = _LimitedBuffer(path, maximum_bytes)
            ncompress.decompress(io.BytesIO(data), limited)
            return limited.getvalue()
    except (EOFError, OSError, zlib.error, ValueError, zipfile.BadZipFile, RuntimeError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(path, None, f"the compressed file is damaged or cut off ({error})") from error
    return None


class _LimitedBuffer(io.BytesIO):
    """Bytes in memory, of which no more are taken than are allowed, nor a longer line of text."""

    def __init__(self, path: PathLike, maximum_bytes: int) -> None:
        super().__init__()
        self._path, self._maximum_bytes = path, maximum_bytes
        self._maximum_line_bytes = maximum_line_bytes()
        self._is_text = True
        self._n_lines, self._line_bytes = 0, 0  # ended up to here, and of the one that has not ended

    def write(self, chunk: "ReadableBuffer", /) -> int:
        part = bytes(chunk)
        _require_size(self.tell() + len(part), self._path, self._maximum_bytes)
        if self.tell() == 0:
            self._is_text = not part.startswith(_MAGICS)
        if self._is_text:
            self._require_short_line(part)
        return super().write(part)

    def _require_short_line(self, part: bytes) -> None:
        """Refuse a line of many bytes before it is held; those within a part are looked at later."""
        end = part.find(b"\n")
        if self._line_bytes + (len(part) if end < 0 else end) > self._maximum_line_bytes:
            raise line_too_long(self._path, self._n_lines + 1)
        self._n_lines += part.count(b"\n")
        self._line_bytes = self._line_bytes + len(part) if end < 0 else len(part) - 1 - part.rfind(b"\n")


def _read_limited(
    stream: io.BufferedIOBase | gzip.GzipFile | bz2.BZ2File | IO[bytes], path: PathLike, maximum_bytes: int
) -> bytes:
    limited = _LimitedBuffer(path, maximum_bytes)
    while chunk := stream.read(_CHUNK_BYTES):
        limited.write(chunk)
    return limited.getvalue()


def _only_member(data: bytes, path: PathLike, maximum_bytes: int) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [m for m in archive.infolist() if not m.is_dir()]
        if len(members) != 1:
            raise FormatError(path, None, f"the zip archive holds {len(members)} files, expected 1")
        # The size that the archive states may be a lie: what comes out is counted.
        with archive.open(members[0]) as stream:
            return _read_limited(stream, path, maximum_bytes)


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
