"""Terrestrial reference frames as nouns: what each is, and where that is written.

The ways from one to another are in `frame_links`.
"""

import difflib
from dataclasses import dataclass
from typing import Final

from transforms import ellipsoids
from transforms.ellipsoids import Ellipsoid
from transforms.errors import FrameError


@dataclass(frozen=True)
class Frame:
    """A realised terrestrial reference frame.

    Attributes
    ----------
    name : as the field writes it
    ellipsoid : the one its geodetic coordinates use
    reference_epoch_year : decimal year to which its published coordinates refer
    citation : where it is defined
    datum_of : name of the frame whose origin, scale and orientation it has by definition, or None
    fixed_epoch_year : decimal year at which all its coordinates stand (a static datum), or None
    """

    name: str
    ellipsoid: Ellipsoid
    reference_epoch_year: float
    citation: str
    datum_of: str | None = None
    fixed_epoch_year: float | None = None


_ITRF: Final = "ITRS Centre, IGN, itrf.ign.fr"
_IGS: Final = "IGS reference frame, files.igs.org/pub/station/coord"

FRAMES: Final[dict[str, Frame]] = {
    frame.name: frame
    for frame in (
        Frame("ITRF2020", ellipsoids.GRS80, 2015.0, f"Altamimi et al. (2023), J. Geodesy 97:47; {_ITRF}"),
        Frame("ITRF2014", ellipsoids.GRS80, 2010.0, f"Altamimi et al. (2016), JGR 121:6109-6131; {_ITRF}"),
        Frame(
            "ITRF2008", ellipsoids.GRS80, 2005.0, f"Altamimi et al. (2011), J. Geodesy 85:457-473; {_ITRF}"
        ),
        Frame("ITRF2005", ellipsoids.GRS80, 2000.0, f"Altamimi et al. (2007), JGR 112:B09401; {_ITRF}"),
        Frame("ITRF2000", ellipsoids.GRS80, 1997.0, f"Altamimi et al. (2002), JGR 107:B10; {_ITRF}"),
        Frame("ITRF97", ellipsoids.GRS80, 1997.0, f"Boucher et al. (1999), IERS Technical Note 27; {_ITRF}"),
        Frame("IGS20", ellipsoids.GRS80, 2015.0, f"IGSMAIL-8238 (2022); {_IGS}", "ITRF2020"),
        Frame("IGb20", ellipsoids.GRS80, 2015.0, f"update of IGS20 (2025); {_IGS}", "ITRF2020"),
        Frame("IGS14", ellipsoids.GRS80, 2010.0, f"IGSMAIL-7399 (2017); {_IGS}", "ITRF2014"),
        Frame("IGb14", ellipsoids.GRS80, 2010.0, f"IGSMAIL-7921 (2020); {_IGS}", "ITRF2014"),
        Frame("IGS08", ellipsoids.GRS80, 2005.0, f"IGSMAIL-6354 (2011); {_IGS}", "ITRF2008"),
        Frame("IGb08", ellipsoids.GRS80, 2005.0, f"IGSMAIL-6663 (2012); {_IGS}", "ITRF2008"),
        Frame(
            "CGCS2000",
            ellipsoids.CGCS2000,
            2000.0,
            "GB 22021-2008; Cheng et al. (2009): ITRF97 at epoch 2000.0; EPSG:4480",
            "ITRF97",
            2000.0,
        ),
    )
}


# Names of five columns, as SP3 headers write them (SP3-d, line 1, columns 47-51).
_SP3_NAMES: Final = {
    "ITR20": "ITRF2020",
    "ITR14": "ITRF2014",
    "ITR08": "ITRF2008",
    "ITR05": "ITRF2005",
    "ITR00": "ITRF2000",
    "ITR97": "ITRF97",
}


def frame_named(name: str) -> Frame:
    """The frame of that name, whatever the case of its letters; FrameError naming the nearest ones.

    The abbreviations of SP3 headers ("ITR20") are understood.
    """
    by_upper = {known.upper(): frame for known, frame in FRAMES.items()}
    by_upper |= {short: FRAMES[known] for short, known in _SP3_NAMES.items()}
    frame = by_upper.get(name.strip().upper())
    if frame is not None:
        return frame
    near = difflib.get_close_matches(name.strip().upper(), by_upper, n=3, cutoff=0.4)
    # "ITR20" and "ITRF2020" are both near to "ITRF20", and are one frame.
    names = ", ".join(dict.fromkeys(by_upper[key].name for key in near)) or ", ".join(FRAMES)
    raise FrameError(f"frame {name!r} is not known; nearest: {names}")
