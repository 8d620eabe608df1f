"""Compact RINEX to RINEX and back, and what can be saved of a damaged one.

Compact RINEX 1.0 and 3.0/3.1 (Hatanaka 2008, "A compression format and tools for GNSS observation data",
Bull. GSI 55) goes through the `hatanaka` package, which carries the author's own programs.

An epoch holds differences to the one before. Behind a damaged line nothing can be restored until the writer
starts anew, which most files never do. The program notices damage by its form only, often an epoch or two
late, so that the epochs just before the place it names are not to be trusted either.
"""

import re
import warnings
from typing import Final

import hatanaka

from stations.records import PathLike
from transforms.errors import FormatError

COMPACT_RINEX_LABEL: Final = b"CRINEX VERS   / TYPE"
_PROGRAM_LABEL: Final = b"CRINEX PROG / DATE"
# The comment that crx2rnx puts where it left out epochs (crx2rnx.c 4.x, option -s).
SKIPPED_EPOCHS_COMMENT: Final = b"*** Some epochs are skipped by CRX2RNX ***"
# No epoch, satellite or difference: it turns an end in the middle of an epoch into damage that is skipped.
_UNREADABLE_LINE: Final = b"\nthe file ends here\n"
_CUT_OFF_WORDS: Final = "truncated"
_SKIP_WORD: Final = "skip"  # its warnings of damage: "skip until an initialized epoch is found"


def expand_compact_rinex(data: bytes, path: PathLike) -> bytes:
    """The RINEX text; FormatError where the file is damaged or cut off."""
    try:
        plain, skipped = _expand(data, skip_damage=False)
    except (hatanaka.HatanakaException, ValueError) as error:
        raise _damaged(path, str(error)) from error
    if skipped:
        raise _damaged(path, skipped)
    return plain


def salvage_compact_rinex(data: bytes, path: PathLike) -> tuple[bytes, str]:
    """The RINEX text without the epochs that damage made unreadable, and what the damage is.

    Returns
    -------
    text : where epochs are missing, a header event with SKIPPED_EPOCHS_COMMENT stands
    damage : what the program says of the first damaged line, "" for a sound file

    Raises FormatError where nothing can be restored.
    """
    try:
        return _expand(data, skip_damage=False)
    except (hatanaka.HatanakaException, ValueError) as error:
        damage = " ".join(str(error).split()).split(" start>")[0]
        try:
            if _CUT_OFF_WORDS in damage:
                # The last line may be cut inside a number, which would make another number of it.
                data = data[: data.rfind(b"\n") + 1] + _UNREADABLE_LINE * 3
            return _expand(data, skip_damage=True)[0], damage
        except (hatanaka.HatanakaException, ValueError):
            raise _damaged(path, str(error)) from error


def compact_rinex(data: bytes, path: PathLike) -> bytes:
    """RINEX text as Compact RINEX, the conversion's date left blank; FormatError where that cannot be."""
    try:
        compact: bytes = hatanaka.rnx2crx(data)
    except (hatanaka.HatanakaException, ValueError) as error:
        raise FormatError(path, None, f"cannot be turned into Compact RINEX ({error})") from error
    lines = compact.split(b"\n", 2)
    if len(lines) == 3 and _PROGRAM_LABEL in lines[1]:
        lines[1] = lines[1][:40] + b" " * 20 + lines[1][60:]  # columns 41-60 hold the wall clock
    return b"\n".join(lines)


def _expand(data: bytes, *, skip_damage: bool) -> tuple[bytes, str]:
    """The text, and what the program says where it skipped epochs ("" where it did not)."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        plain: bytes = hatanaka.crx2rnx(data, skip_strange_epochs=skip_damage)
    # It also warns of cosmetic things (a non-standard date), which are none of ours.
    said = (" ".join(str(warning.message).split()) for warning in caught)
    skipped = [text.removeprefix("crx2rnx: ").rstrip(" .") for text in said if _SKIP_WORD in text]
    return plain, skipped[0] if skipped else ""


def _damaged(path: PathLike, error: str) -> FormatError:
    text = " ".join(error.split())
    line = re.search(r"(?:at )?line (\d+)", text)
    number = None if line is None else int(line[1])
    return FormatError(path, number, f"the Compact RINEX file is damaged or cut off ({text})")
