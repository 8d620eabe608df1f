"""What a killed run has left half-written in a work folder, cleared when the next run starts.

Half-written files and folders carry the process id of their writer: `products/horizontal.4711`,
`.report.html.4711.partial`. One whose process is no more will never be finished. A work folder belongs to one
machine: process ids of another say nothing here.
"""

import os
import re
import shutil
from pathlib import Path
from typing import Final

_UNFINISHED_PRODUCT: Final = re.compile(r".+\.(\d+)")
_PARTIAL_FILE: Final = re.compile(r"\..+\.(\d+)\.partial(\..+)?")


def clear_stale_work(work: Path) -> tuple[Path, ...]:
    """Remove what dead processes left unfinished under a work folder; returns the paths.

    What cannot be removed stays: the run that needs the place will say so.
    """
    stale = [
        path
        for path in sorted((work / "products").glob("*"))
        if path.is_dir() and _is_of_dead_process(_UNFINISHED_PRODUCT.fullmatch(path.name))
    ]
    for path in stale:
        shutil.rmtree(path, ignore_errors=True)
    for path in sorted(work.rglob(".*.partial*")):
        if path.is_file() and _is_of_dead_process(_PARTIAL_FILE.fullmatch(path.name)):
            path.unlink(missing_ok=True)
            stale.append(path)
    return tuple(stale)


def _is_of_dead_process(match: re.Match[str] | None) -> bool:
    if match is None:
        return False
    try:
        os.kill(int(match[1]), 0)  # signal 0 asks only whether the process is there
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False
