"""A bureau's own limits of quality, from a TOML file."""

import tomllib
from dataclasses import asdict
from pathlib import Path

from stations.quality.verdict import QualityThresholds
from transforms.errors import InputError


def thresholds_from_toml(path: Path) -> QualityThresholds:
    """A bureau's own limits: keys as the fields of QualityThresholds. Raises InputError for another key."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: no readable TOML ({error})") from None
    known = asdict(QualityThresholds())
    for name, value in content.items():
        if name not in known:
            raise InputError(f"{path}: unknown limit {name!r}; known are {', '.join(known)}")
        wanted = type(known[name])
        if isinstance(value, bool) is not (wanted is bool) or not isinstance(
            value, (int, float) if wanted is float else wanted
        ):
            raise InputError(f"{path}: limit {name} is {value!r}, expected a {wanted.__name__}")
    return QualityThresholds(**content)
