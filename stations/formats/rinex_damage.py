"""What a reader of RINEX leaves out of a file: counted by reason, and damage named by its lines."""

from collections import Counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.records import DamagedLines, PathLike
from transforms.errors import FormatError

# Enough to find the places in an editor; a file that is damaged in more is not mended by hand.
_LINES_NAMED: Final = 1000


class LeftOut:
    """Counts of what one file lost while it was read.

    Damage is what its writer did not mean; the rest is sound and not what this house uses (an observation
    type without a meaning here, an epoch that another file gives too).
    """

    def __init__(self, path: PathLike) -> None:
        self.path = str(path)
        self.counts: Counter[str] = Counter()
        self._damage: Counter[str] = Counter()
        self._lines: dict[str, list[NDArray[np.integer]]] = {}

    def damaged(self, reason: str, lines: NDArray[np.integer]) -> None:
        """Add damage, one for each of `lines` (numbers from 0, one line may come more than once)."""
        if lines.size:
            self.counts[reason] += int(lines.size)
            self._damage[reason] += int(lines.size)
            self._lines.setdefault(reason, []).append(np.unique(lines)[:_LINES_NAMED])

    def unused(self, reason: str, count: int) -> None:
        """Add what is sound and not taken over."""
        if count:
            self.counts[reason] += count

    def damage(self) -> tuple[DamagedLines, ...]:
        """Damage by reason, in the order of its first lines."""
        found: list[DamagedLines] = []
        for reason, count in self._damage.items():
            lines = np.unique(np.concatenate(self._lines[reason]))[:_LINES_NAMED] + 1
            found.append(DamagedLines(self.path, reason, count, tuple(lines.tolist())))
        return tuple(sorted(found, key=lambda d: (d.lines[:1], d.reason)))

    def require_none(self) -> None:
        """Raise FormatError at the first damaged line where there is damage."""
        damage = self.damage()
        if damage:
            others = "; ".join(f"{d.count} x {d.reason}" for d in damage)
            raise FormatError(self.path, damage[0].lines[0], f"damaged: {others}")
