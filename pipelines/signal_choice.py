"""Signal pairs and satellites as a person writes them: "G:1C+2W", "C:1+5", "C01-C18"."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from pipelines.solvable_systems import SYSTEMS
from stations.signals import CARRIER_FREQUENCY_HZ, CARRIER_NAME, GLONASS_FDMA_HZ

_PAIR: Final = re.compile(r"([A-Z]):([1-9][A-Z]?)\+([1-9][A-Z]?)")
_SATELLITES: Final = re.compile(r"([A-Z])(\d{2})(?:-([A-Z])?(\d{2}))?")
_FORM: Final = (
    'a pair of signals is a system, a colon and two bands with or without their attribute, "G:1C+2W" or '
    '"C:1+5"'
)


def signal_pairs(texts: Iterable[str], systems: str) -> dict[str, tuple[tuple[str, str], ...]]:
    """Pairs of signals or bands by system, from texts with one or more of them between commas.

    Several of one system stand in the order of preference. ValueError says what is wrong with the first
    that is: its form, a band that the system does not send, a system that is not among `systems`.
    """
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for text in _items(texts):
        match = _PAIR.fullmatch(text)
        if match is None:
            raise ValueError(f'{_FORM}, not "{text}"')
        system, first, second = match.groups()
        if system not in SYSTEMS:
            raise ValueError(f'"{text}": systems are letters out of "{SYSTEMS}"')
        if system not in systems:
            raise ValueError(f'"{text}": the system {system} is not among the systems {systems}')
        for signal in (first, second):
            if not _is_band(system + signal[0]):
                known = ", ".join(f"{band[1]} {CARRIER_NAME[band]}" for band in _bands(system))
                raise ValueError(f'"{text}": {system} has no band {signal[0]} (it has {known})')
        if first[0] == second[0]:
            raise ValueError(f'"{text}": both signals are on one carrier, and a pair takes two')
        pairs = found.get(system, ())
        if (first, second) not in pairs:
            found[system] = (*pairs, (first, second))
    return found


def satellite_groups(texts: Iterable[str]) -> dict[str, frozenset[str]]:
    """What each item between commas names: "G05" one satellite, "C01-C18" all from the first to the last.

    ValueError where an item is neither, or its end is before its begin.
    """
    found: dict[str, frozenset[str]] = {}
    for text in _items(texts):
        match = _SATELLITES.fullmatch(text)
        if match is None or match[1] not in SYSTEMS or match[3] not in (None, match[1]):
            raise ValueError(f'satellites are named "G05" or "C01-C18", not "{text}"')
        first, last = int(match[2]), int(match[4] or match[2])
        if not 1 <= first <= last:
            raise ValueError(f'"{text}": satellites are counted from 01, the first before the last')
        found[text] = frozenset(f"{match[1]}{number:02d}" for number in range(first, last + 1))
    return found


def words_of_pairs(pairs: Mapping[str, tuple[tuple[str, str], ...]]) -> str:
    """The pairs as they are written, "C:1P+5P, G:1C+2W"."""
    return ", ".join(f"{system}:{a}+{b}" for system in sorted(pairs) for a, b in pairs[system])


def _items(texts: Iterable[str]) -> list[str]:
    return [item.strip().upper() for text in texts for item in text.split(",")]


def _is_band(band: str) -> bool:
    return band in CARRIER_FREQUENCY_HZ or band in GLONASS_FDMA_HZ


def _bands(system: str) -> list[str]:
    return sorted(b for b in {*CARRIER_FREQUENCY_HZ, *GLONASS_FDMA_HZ} if b[0] == system)
