"""The name under which a station is known: nine characters where the file's name gives them."""

import re
from pathlib import PurePath
from typing import Final

from stations.records import Observations

_LONG_NAME: Final = re.compile(r"^([A-Z0-9]{4}[0-9]{2}[A-Z]{3})_[A-Z]_\d{11}_", re.IGNORECASE)


def station_code(observations: Observations) -> str:
    """Nine-character code ("WUH200CHN") of a station, else its marker name.

    The code comes from the marker name or from the long RINEX file name (RINEX 4.02, appendix A1), where
    its first four characters are the marker's.
    """
    marker = observations.header.marker_name.strip().upper()
    for source in observations.inputs:
        match = _LONG_NAME.match(PurePath(source.path).name)
        if match and match.group(1).upper()[:4] == marker[:4]:
            return match.group(1).upper()
    return marker
