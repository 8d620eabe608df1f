"""Write a file so that a reader sees the old one or the whole new one, never a half."""

import contextlib
import os
from pathlib import Path

from stations.records import PathLike
from transforms.errors import InputError


def write_atomically(path: PathLike, data: bytes) -> None:
    """Write bytes to a temporary name in the same folder, flush them to the disk, then rename.

    Parameters
    ----------
    path : file to write or to replace; its folder must exist
    data : the whole content

    Raises
    ------
    InputError : the folder is missing or not writable, or the disk is full; nothing is left behind
    """
    target = Path(path)
    # The process id keeps two runs apart; within one process a path is written by one writer at a time.
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise InputError(f"{target}: cannot be written ({error.strerror or error})") from error
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise
