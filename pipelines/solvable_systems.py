"""The letters of the systems that commands and settings accept."""

from typing import Final

SYSTEMS: Final = "GRECJ"


def solvable_systems(value: str) -> str:
    """Letters of RINEX for the systems to solve with; ValueError where one is unknown or repeated."""
    unknown = [letter for letter in value if letter not in SYSTEMS]
    if unknown or not value or len(set(value)) != len(value):
        raise ValueError(f'systems are letters out of "{SYSTEMS}", each once, not "{value}"')
    return value
