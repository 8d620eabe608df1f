"""Expected against observed epochs of a session, and the gaps with their times."""

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath
from typing import Final

import numpy as np

from stations.records import Observations
from transforms.errors import InputError
from transforms.time_scales import NANOSECONDS, SECONDS_PER_DAY, Epochs, TimeScale

GAP_INTERVALS: Final = 1.5  # a step longer than this many intervals has lost at least one epoch
PERIOD_UNIT_S: Final = {"M": 60, "H": 3600, "D": SECONDS_PER_DAY}  # RINEX 4.02, table A1, field "file period"
LONG_NAME: Final = re.compile(
    r"^[A-Z0-9]{9}_[RSU]_(\d{4})(\d{3})(\d{2})(\d{2})_(\d{2})([MHD])_", re.IGNORECASE
)
SHORT_NAME: Final = re.compile(r"^[A-Z0-9]{4}(\d{3})([0a-x])(\d{2})?\.(\d{2})[OD](\.|$)", re.IGNORECASE)
SHORT_NAME_CENTURY_PIVOT: Final = 80  # RINEX 2.11: years 80-99 are 1980-1999


@dataclass(frozen=True, eq=False)
class Completeness:
    """What a session should hold and what it holds.

    first_expected, last_expected : epochs that open and close the session, shape ()
    expectation : where they come from: "file names" or "first and last epoch"
    gaps : (last epoch before, first epoch after); at the ends of the session the expected epoch stands in
    """

    first_expected: Epochs
    last_expected: Epochs
    expectation: str
    interval_s: float
    n_epochs: int
    n_epochs_expected: int
    gaps: tuple[tuple[Epochs, Epochs], ...]

    @property
    def ratio(self) -> float:
        """Observed over expected epochs, 0..1."""
        return min(1.0, self.n_epochs / self.n_epochs_expected)

    @property
    def longest_gap_s(self) -> float:
        """Longest time without an epoch, s; 0 without a gap."""
        return max((float(after.seconds_since(before)) for before, after in self.gaps), default=0.0)


def session_from_file_name(name: str) -> tuple[Epochs, Epochs] | None:
    """Start and end (exclusive) of the session that a RINEX file name promises, or None.

    Reads long names ("NIST00USA_R_20230010000_01D_30S_MO.crx.gz"; RINEX 4.02, table A1) and short ones
    ("zimm0010.21d.gz", "abcd001a15.21o"; RINEX 2.11, section 4): day, hour or 15 minutes.
    """
    base = PurePath(name.replace("\\", "/")).name
    if match := LONG_NAME.match(base):
        year, day, hour, minute, length = (int(match.group(i)) for i in range(1, 6))
        duration_s = length * PERIOD_UNIT_S[match.group(6).upper()]
    elif match := SHORT_NAME.match(base):
        day, short_year = int(match.group(1)), int(match.group(4))
        year = short_year + (1900 if short_year >= SHORT_NAME_CENTURY_PIVOT else 2000)
        letter = match.group(2).lower()
        minute = int(match.group(3) or 0)
        hour = 0 if letter == "0" else ord(letter) - ord("a")
        duration_s = SECONDS_PER_DAY if letter == "0" else 3600 if match.group(3) is None else 900
    else:
        return None
    if not (1 <= day <= 366 and hour < 24 and minute < 60 and duration_s > 0):
        return None
    start = np.datetime64(f"{year:04d}-01-01T00:00:00", "ns") + np.timedelta64(
        (day - 1) * SECONDS_PER_DAY + hour * 3600 + minute * 60, "s"
    )
    first = Epochs.from_datetime64(start, TimeScale.GPST)
    return first, first.plus_seconds(duration_s)


def check_completeness(
    observations: Observations, *, session: tuple[Epochs, Epochs] | None = None
) -> Completeness:
    """Count the epochs of a session against those expected at the file's own interval.

    session : start and end (exclusive). By default what all the file names promise together; where one does
        not follow the RINEX naming, or the epochs lie outside, the first and last epoch observed.

    Raises InputError where there is no epoch, or an explicit session holds none of them.
    """
    epochs = observations.epochs
    if len(epochs) == 0:
        raise InputError("the observations hold no epoch")
    interval_ns = round(observations.interval_s * NANOSECONDS)
    expectation = "first and last epoch"
    if session is not None:
        expectation = "session asked for"
    else:
        promised = [session_from_file_name(i.path) for i in observations.inputs]
        known = [p for p in promised if p is not None]
        if known and len(known) == len(promised):
            start = min(int(p[0].tai_ns) for p in known)
            end = max(int(p[1].tai_ns) for p in known)
            inside = (epochs.tai_ns >= start) & (epochs.tai_ns < end)
            if bool(inside.all()):
                session = (Epochs(np.asarray(start)), Epochs(np.asarray(end)))
                expectation = "file names"
    if session is None or interval_ns == 0:
        first_ns, last_ns = int(epochs.tai_ns[0]), int(epochs.tai_ns[-1])
        taken = epochs.tai_ns
    else:
        start, end = int(session[0].tai_ns), int(session[1].tai_ns)
        taken = epochs.tai_ns[(epochs.tai_ns >= start) & (epochs.tai_ns < end)]
        if taken.size == 0:
            raise InputError(f"no epoch lies in the session from {session[0].iso()} to {session[1].iso()}")
        first_ns = start
        last_ns = start + (end - start - 1) // interval_ns * interval_ns
    expected = 1 if interval_ns == 0 else round((last_ns - first_ns) / interval_ns) + 1
    return Completeness(
        first_expected=Epochs(np.asarray(first_ns)),
        last_expected=Epochs(np.asarray(last_ns)),
        expectation=expectation,
        interval_s=observations.interval_s,
        n_epochs=int(taken.size),
        n_epochs_expected=max(expected, 1),
        gaps=_gaps(taken, first_ns, last_ns, interval_ns),
    )


def _gaps(
    tai_ns: np.ndarray[tuple[int, ...], np.dtype[np.int64]], first_ns: int, last_ns: int, interval_ns: int
) -> tuple[tuple[Epochs, Epochs], ...]:
    """Pairs of epochs further apart than an interval, the ends of the session included."""
    if interval_ns == 0:
        return ()
    limit = GAP_INTERVALS * interval_ns
    found = [(before, after) for before, after in pairwise(tai_ns.tolist()) if after - before > limit]
    # At the ends the first expected epoch itself is missing, so half an interval decides.
    if tai_ns[0] - first_ns > limit - interval_ns:
        found.insert(0, (first_ns, int(tai_ns[0])))
    if last_ns - tai_ns[-1] > limit - interval_ns:
        found.append((int(tai_ns[-1]), last_ns))
    return tuple((Epochs(np.asarray(a)), Epochs(np.asarray(b))) for a, b in found)
