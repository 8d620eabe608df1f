"""What a SINEX 2.02 file holds, as records, and the columns of each block.

Source: "SINEX - Solution (Software/technique) INdependent EXchange Format", version 2.02 (IERS, 2006). Site
codes have four characters there; a nine-character station name stands at the head of the description.
Times are read and written as GPST: the format names no scale, and stations do not move in leap seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.records import InputFile
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Column:
    """A field of a block: first column (from 0) and width."""

    first: int
    width: int


_SITE: Final = {"code": Column(1, 4), "point": Column(6, 2)}
_SETUP: Final = {
    **_SITE,
    "solution": Column(9, 4),
    "technique": Column(14, 1),
    "start": Column(16, 12),
    "end": Column(29, 12),
}
_PARAMETER: Final = {
    "index": Column(1, 5),
    "kind": Column(7, 6),
    "code": Column(14, 4),
    "point": Column(19, 2),
    "solution": Column(22, 4),
    "epoch": Column(27, 12),
    "unit": Column(40, 4),
    "constraint": Column(45, 1),
    "value": Column(47, 21),
    "sigma": Column(69, 11),
}
_VECTOR: Final = {**{k: v for k, v in _PARAMETER.items() if k != "sigma"}}
_MATRIX: Final = {
    "row": Column(1, 5),
    "column": Column(7, 5),
    "first": Column(13, 21),
    "second": Column(35, 21),
    "third": Column(57, 21),
}
# Blocks that are taken over, with their columns (SINEX 2.02, chapter 4 and appendix I).
COLUMNS: Final[Mapping[str, Mapping[str, Column]]] = {
    "FILE/REFERENCE": {"key": Column(1, 18), "text": Column(20, 60)},
    "FILE/COMMENT": {"text": Column(1, 79)},
    "SITE/ID": {
        **_SITE,
        "domes": Column(9, 9),
        "technique": Column(19, 1),
        "description": Column(21, 22),
        "longitude": Column(44, 11),
        "latitude": Column(56, 11),
        "height": Column(68, 7),
    },
    "SITE/RECEIVER": {
        **_SETUP,
        "receiver": Column(42, 20),
        "serial": Column(63, 5),
        "firmware": Column(69, 11),
    },
    "SITE/ANTENNA": {**_SETUP, "antenna": Column(42, 20), "serial": Column(63, 5)},
    "SITE/GPS_PHASE_CENTER": {
        "antenna": Column(1, 20),
        "serial": Column(22, 5),
        "first up": Column(28, 6),
        "first north": Column(35, 6),
        "first east": Column(42, 6),
        "second up": Column(49, 6),
        "second north": Column(56, 6),
        "second east": Column(63, 6),
        "model": Column(70, 10),
    },
    "SITE/ECCENTRICITY": {
        **_SETUP,
        "reference": Column(42, 3),
        "first": Column(46, 8),
        "second": Column(55, 8),
        "third": Column(64, 8),
    },
    "SOLUTION/EPOCHS": {**_SETUP, "mean": Column(42, 12)},
    "SOLUTION/STATISTICS": {"name": Column(1, 30), "value": Column(32, 22)},
    "SOLUTION/APRIORI": _PARAMETER,
    "SOLUTION/ESTIMATE": _PARAMETER,
    "SOLUTION/MATRIX_ESTIMATE": _MATRIX,
    "SOLUTION/MATRIX_APRIORI": _MATRIX,
    "SOLUTION/NORMAL_EQUATION_VECTOR": _VECTOR,
    "SOLUTION/NORMAL_EQUATION_MATRIX": _MATRIX,
    "SOLUTION/DISCONTINUITY": {
        **_SETUP,
        "quantity": Column(42, 1),
        "remark": Column(46, 100),
    },
}


@dataclass(frozen=True)
class SinexHeader:
    """The first line.

    constraint : "0" fixed or tight, "1" significant, "2" unconstrained
    contents : types of solution ("S" station parameters, "E" earth orientation, "V" velocities, ...)
    """

    version: str
    file_agency: str
    created: Epochs
    data_agency: str
    data_start: Epochs | None
    data_end: Epochs | None
    technique: str
    n_parameters: int
    constraint: str
    contents: tuple[str, ...]


@dataclass(frozen=True)
class SinexSite:
    """SITE/ID: longitude 0..360, latitude -90..90, both written to 0.1 arc second; height to 0.1 m."""

    code: str
    point: str
    domes: str
    technique: str
    description: str
    longitude_deg: float
    latitude_deg: float
    height_m: float


@dataclass(frozen=True)
class SinexReceiver:
    """SITE/RECEIVER. start and end are None where open; solution "----" where it is valid for all."""

    code: str
    point: str
    solution: str
    technique: str
    start: Epochs | None
    end: Epochs | None
    receiver: str
    serial: str
    firmware: str


@dataclass(frozen=True)
class SinexAntenna:
    """SITE/ANTENNA: antenna is the 20-column type with the radome in its last four columns."""

    code: str
    point: str
    solution: str
    technique: str
    start: Epochs | None
    end: Epochs | None
    antenna: str
    serial: str


@dataclass(frozen=True)
class SinexPhaseCentre:
    """SITE/GPS_PHASE_CENTER: from the antenna reference point to the phase centres of GPS L1 and L2.

    antenna : the 20-column type; serial : "-----" where the type's mean serves
    first_une_m, second_une_m : up, north, east, written to 0.1 mm
    model : the calibrations they come from, such as "IGS20_2385"
    """

    antenna: str
    serial: str
    first_une_m: tuple[float, float, float]
    second_une_m: tuple[float, float, float]
    model: str


@dataclass(frozen=True)
class SinexEccentricity:
    """SITE/ECCENTRICITY from marker to antenna reference point.

    reference : "UNE" (up, north, east) or "XYZ"; offset_m in that order
    """

    code: str
    point: str
    solution: str
    technique: str
    start: Epochs | None
    end: Epochs | None
    reference: str
    offset_m: tuple[float, float, float]


@dataclass(frozen=True)
class SinexEpochs:
    """SOLUTION/EPOCHS: time of the observations behind one solution of a station."""

    code: str
    point: str
    solution: str
    technique: str
    start: Epochs | None
    end: Epochs | None
    mean: Epochs | None


@dataclass(frozen=True)
class SinexDiscontinuity:
    """SOLUTION/DISCONTINUITY (SINEX 2.02, the IGS's discontinuity files): the time of a solution number.

    quantity : "P" position or "V" velocity; start and end are None where open; remark : what happened at end
    """

    code: str
    point: str
    solution: str
    technique: str
    start: Epochs | None
    end: Epochs | None
    quantity: str
    remark: str


@dataclass(frozen=True, eq=False)
class SinexNormalEquations:
    """SOLUTION/NORMAL_EQUATION_VECTOR and _MATRIX: matrix @ correction = right_side, without constraints.

    parameters : in the order of matrix and vector; their value is the right side's, sigma 0
    right_side : (n,); matrix : (n, n), symmetric, or None where the file has the vector alone. Units are
        1/unit and 1/unit2 of the parameters. Weighted square sum, observations and unknowns are in the
        document's statistics.
    """

    parameters: tuple["SinexParameter", ...]
    right_side: FloatArray
    matrix: FloatArray | None


@dataclass(frozen=True)
class SinexParameter:
    """A line of SOLUTION/APRIORI or SOLUTION/ESTIMATE. Value and sigma are in `unit` ("m", "m/y", "mas")."""

    index: int
    kind: str
    code: str
    point: str
    solution: str
    epoch: Epochs | None
    unit: str
    constraint: str
    value: float
    sigma: float


@dataclass(frozen=True, eq=False)
class SinexDocument:
    """A SINEX file.

    statistics : (name, value) in the file's order
    covariance : (n, n) in the order of `estimates`, units squared of the parameters; None where the file has
        no matrix (or an empty one)
    apriori_covariance : (n, n) of `apriori`, the constraints that the estimates rest on, or None
    normal_equations : or None where the file has none
    discontinuities : in the file's order
    blocks_left_out : names of blocks that the reader does not take over, in the file's order
    remarks : what was odd in the file, in words
    """

    header: SinexHeader
    reference: tuple[tuple[str, str], ...]
    comments: tuple[str, ...]
    sites: tuple[SinexSite, ...]
    receivers: tuple[SinexReceiver, ...]
    antennas: tuple[SinexAntenna, ...]
    eccentricities: tuple[SinexEccentricity, ...]
    epochs: tuple[SinexEpochs, ...]
    statistics: tuple[tuple[str, float], ...]
    apriori: tuple[SinexParameter, ...]
    estimates: tuple[SinexParameter, ...]
    covariance: FloatArray | None
    blocks_left_out: tuple[str, ...] = ()
    inputs: tuple[InputFile, ...] = ()
    remarks: tuple[str, ...] = ()
    apriori_covariance: FloatArray | None = None
    normal_equations: SinexNormalEquations | None = None
    discontinuities: tuple[SinexDiscontinuity, ...] = ()
    phase_centres: tuple[SinexPhaseCentre, ...] = ()
