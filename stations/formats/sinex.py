"""SINEX 2.02: read, write, and make the document of a station's solution.

Records and columns are in `sinex_records`; IERS, SINEX format description, version 2.02.
"""

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.formats.antex import find_receiver_antenna
from stations.formats.sinex_reading import parse_sinex, read_discontinuities, read_sinex
from stations.formats.sinex_records import (
    SinexAntenna,
    SinexDocument,
    SinexEccentricity,
    SinexEpochs,
    SinexHeader,
    SinexParameter,
    SinexPhaseCentre,
    SinexReceiver,
    SinexSite,
)
from stations.formats.sinex_writing import format_sigma, format_value, render_sinex, write_sinex
from stations.records import AntennaCalibration, StationSetup, StationSolution
from transforms.errors import InputError
from transforms.geodetic import geodetic_from_ecef
from transforms.time_scales import Epochs

__all__ = [
    "SinexDocument",
    "SinexPosition",
    "document_of_positions",
    "frame_of",
    "parse_sinex",
    "phase_centres",
    "read_discontinuities",
    "read_sinex",
    "render_sinex",
    "station_names",
    "station_sinex",
    "write_sinex",
]

FloatArray = NDArray[np.float64]

AGENCY: Final = "JZH"  # three letters for the software's operator, until the operator names its own
UNCONSTRAINED: Final = "2"
_TECHNIQUE: Final = "P"  # GNSS
_UNKNOWN_DOMES: Final = "---------"
_FRAME_COMMENT: Final = "REFERENCE FRAME"
_NAME_COMMENT: Final = "STATION NAME"
_NINE_CHARACTERS: Final = re.compile(r"[A-Z0-9]{4}\d\d[A-Z]{3}\Z")  # IGS long station names
_SITE_CODE_LENGTH: Final = 4
_SERIAL_LENGTH: Final = 5
_FIRMWARE_LENGTH: Final = 11
_COMMENT_WIDTH: Final = 78
_GPS_CARRIERS: Final = ("G01", "G02")
_TYPE_MEAN: Final = "-----"  # in place of a serial number (SINEX 2.02, SITE/GPS_PHASE_CENTER)
_MODEL_LENGTH: Final = 10
_AXES: Final = "XYZ"


@dataclass(frozen=True, eq=False)
class SinexPosition:
    """What the document of a solution tells of one station (one solution number of it).

    position_ecef_m (3,) at `epoch`; velocity_m_per_yr (3,) is not written, only positions are;
    apriori_ecef_m (3,) or None
    """

    station: str
    domes: str
    solution_number: int
    position_ecef_m: FloatArray
    apriori_ecef_m: FloatArray | None
    epoch: Epochs
    first_epoch: Epochs
    last_epoch: Epochs
    mean_epoch: Epochs
    setup: StationSetup


def station_sinex(
    solution: StationSolution, *, created: Epochs | None = None, agency: str = AGENCY
) -> SinexDocument:
    """The SINEX document of one station's solution.

    created : the time to write into the header; by default the last epoch of the data, so that the same
        solution gives the same bytes
    """
    position = SinexPosition(
        solution.station,
        solution.domes,
        1,
        solution.position_ecef_m,
        None,
        solution.epoch,
        solution.first_epoch,
        solution.last_epoch,
        solution.epoch,
        solution.setup,
    )
    return document_of_positions(
        [position],
        solution.covariance_m2,
        frame=solution.frame,
        description=f"Precise point positioning of {solution.station}, {solution.centre} orbits and clocks",
        statistics={"NUMBER OF OBSERVATIONS": float(solution.n_observations)},
        remarks=solution.remarks,
        created=solution.last_epoch if created is None else created,
        agency=agency,
    )


def document_of_positions(
    positions: Sequence[SinexPosition],
    covariance_m2: FloatArray,
    *,
    frame: str,
    description: str,
    statistics: Mapping[str, float],
    remarks: Sequence[str],
    created: Epochs,
    agency: str = AGENCY,
    antennas: Sequence[AntennaCalibration] = (),
) -> SinexDocument:
    """A document of station positions with their covariance (3 n, 3 n), as it reads back from its file.

    antennas : calibrations that the positions rest on, in the order of preference
    Numbers are rounded to the digits that SINEX writes; serial numbers and firmware are cut to their columns.
    """
    if not positions:
        raise InputError("a SINEX document needs one position at least")
    codes = _site_codes(sorted({p.station for p in positions}))
    starts = [p.first_epoch for p in positions]
    ends = [p.last_epoch for p in positions]
    sigma = np.sqrt(np.diagonal(covariance_m2))
    comments = [f"{_FRAME_COMMENT} {frame}"]
    comments += [
        f"{_NAME_COMMENT} {code:<4s} {point:>2s} {name}"
        for name, (code, point) in codes.items()
        if name != code and not _NINE_CHARACTERS.match(name)
    ]
    for remark in remarks:
        comments += textwrap.wrap(remark, _COMMENT_WIDTH)
    sites: dict[str, SinexSite] = {}
    for p in positions:
        sites.setdefault(p.station, _site(p, *codes[p.station]))
    return SinexDocument(
        header=SinexHeader(
            "2.02",
            agency,
            _whole_second(created),
            agency,
            _whole_second(min(starts, key=_instant)),
            _whole_second(max(ends, key=_instant)),
            _TECHNIQUE,
            3 * len(positions),
            UNCONSTRAINED,
            ("S",),
        ),
        reference=(("DESCRIPTION", description[:60]), ("SOFTWARE", "Jizhun")),
        comments=tuple(comment.rstrip() for comment in comments),
        sites=tuple(sites.values()),
        receivers=tuple(_receiver(p, *codes[p.station]) for p in positions),
        antennas=tuple(_antenna(p, *codes[p.station]) for p in positions),
        eccentricities=tuple(_eccentricity(p, *codes[p.station]) for p in positions),
        epochs=tuple(
            SinexEpochs(
                *codes[p.station],
                str(p.solution_number),
                _TECHNIQUE,
                _whole_second(p.first_epoch),
                _whole_second(p.last_epoch),
                _whole_second(p.mean_epoch),
            )
            for p in positions
        ),
        statistics=tuple(statistics.items()),
        apriori=tuple(
            _parameter(3 * i + axis, p, codes[p.station], axis, p.apriori_ecef_m, 0.0)
            for i, p in enumerate(positions)
            for axis in range(3)
            if p.apriori_ecef_m is not None
        )
        if all(p.apriori_ecef_m is not None for p in positions)
        else (),
        estimates=tuple(
            _parameter(3 * i + axis, p, codes[p.station], axis, p.position_ecef_m, float(sigma[3 * i + axis]))
            for i, p in enumerate(positions)
            for axis in range(3)
        ),
        covariance=_as_written(covariance_m2),
        phase_centres=phase_centres([p.setup for p in positions], antennas),
    )


def phase_centres(
    setups: Sequence[StationSetup], antennas: Sequence[AntennaCalibration]
) -> tuple[SinexPhaseCentre, ...]:
    """Phase centres of GPS L1 and L2 of the antennas in use, sorted; of those calibrated on both carriers."""
    found = set()
    for setup in setups:
        calibration = find_receiver_antenna(antennas, setup.antenna, setup.antenna.serial)
        if calibration is None:
            continue
        first, second = (calibration.frequencies.get(code) for code in _GPS_CARRIERS)
        if first is None or second is None:
            continue
        serial = calibration.serial[:_SERIAL_LENGTH].strip() or _TYPE_MEAN
        found.add(
            SinexPhaseCentre(
                setup.antenna.igs_code,
                serial,
                _up_north_east(first.offset_m),
                _up_north_east(second.offset_m),
                calibration.source[:_MODEL_LENGTH].strip(),
            )
        )
    return tuple(sorted(found, key=lambda item: (item.antenna, item.serial, item.model)))


def _up_north_east(north_east_up_m: FloatArray) -> tuple[float, float, float]:
    north, east, up = (round(float(value), 4) + 0.0 for value in north_east_up_m)
    return up, north, east


def frame_of(document: SinexDocument) -> str | None:
    """The reference frame that a file's comment names; None where it names none (the format has no field)."""
    for comment in document.comments:
        if comment.startswith(_FRAME_COMMENT):
            return comment.removeprefix(_FRAME_COMMENT).strip(" :") or None
    return None


def station_names(document: SinexDocument) -> dict[tuple[str, str], str]:
    """Full names of the sites: (code, point) -> nine characters or longer name where the file tells it."""
    names = {(site.code, site.point): site.code for site in document.sites}
    for site in document.sites:
        word = site.description.split(" ")[0]
        if _NINE_CHARACTERS.match(word) and word.startswith(site.code):
            names[site.code, site.point] = word
    for comment in document.comments:
        parts = comment.removeprefix(_NAME_COMMENT).split(maxsplit=2)
        if comment.startswith(_NAME_COMMENT) and len(parts) == 3:
            names[parts[0], parts[1]] = parts[2]
    return names


def _site_codes(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Name -> (site code, point code): the first four characters, and A, B, ... where names share them."""
    taken: dict[str, int] = {}
    codes: dict[str, tuple[str, str]] = {}
    for name in names:
        code = re.sub(r"\s", "_", name[:_SITE_CODE_LENGTH])
        if not code:
            raise InputError("a station has no name")
        number = taken.get(code, 0)
        if number >= 26:
            raise InputError(f"more than 26 stations begin with {code!r}: SINEX has no codes for them")
        taken[code] = number + 1
        codes[name] = (code, chr(ord("A") + number))
    return codes


def _instant(epoch: Epochs) -> int:
    return int(epoch.tai_ns)


def _whole_second(epoch: Epochs) -> Epochs:
    """The instant as SINEX times hold it, to the second of GPST."""
    second = (epoch.tai_ns + 500_000_000) // 1_000_000_000 * 1_000_000_000
    return Epochs(second)


def _as_written(values: FloatArray) -> FloatArray:
    flat = [float(format_value(float(v))) for v in np.ravel(values)]
    return np.array(flat).reshape(np.shape(values))


def _site(p: SinexPosition, code: str, point: str) -> SinexSite:
    latitude, longitude, height = (float(v) for v in geodetic_from_ecef(p.position_ecef_m))
    step = 36_000.0  # tenths of arc seconds in a degree
    return SinexSite(
        code,
        point,
        p.domes or _UNKNOWN_DOMES,
        _TECHNIQUE,
        p.station[:22] if p.station != code else "",
        round(float(np.degrees(longitude) % 360.0) * step) / step,
        round(float(np.degrees(latitude)) * step) / step,
        round(height, 1),
    )


def _receiver(p: SinexPosition, code: str, point: str) -> SinexReceiver:
    return SinexReceiver(
        code,
        point,
        str(p.solution_number),
        _TECHNIQUE,
        _whole_second(p.first_epoch),
        _whole_second(p.last_epoch),
        p.setup.receiver,
        p.setup.receiver_serial[:_SERIAL_LENGTH].strip(),
        p.setup.receiver_firmware[:_FIRMWARE_LENGTH].strip(),
    )


def _antenna(p: SinexPosition, code: str, point: str) -> SinexAntenna:
    return SinexAntenna(
        code,
        point,
        str(p.solution_number),
        _TECHNIQUE,
        _whole_second(p.first_epoch),
        _whole_second(p.last_epoch),
        p.setup.antenna.igs_code,
        p.setup.antenna.serial[:_SERIAL_LENGTH].strip(),
    )


def _eccentricity(p: SinexPosition, code: str, point: str) -> SinexEccentricity:
    east, north, up = (round(v, 4) for v in p.setup.eccentricity_enu_m)
    return SinexEccentricity(
        code,
        point,
        str(p.solution_number),
        _TECHNIQUE,
        _whole_second(p.first_epoch),
        _whole_second(p.last_epoch),
        "UNE",
        (up, north, east),
    )


def _parameter(
    index: int, p: SinexPosition, code: tuple[str, str], axis: int, values: FloatArray | None, sigma: float
) -> SinexParameter:
    if values is None:
        raise InputError(f"{p.station} has no such values")
    return SinexParameter(
        index + 1,
        f"STA{_AXES[axis]}",
        *code,
        str(p.solution_number),
        _whole_second(p.epoch),
        "m",
        UNCONSTRAINED,
        float(format_value(float(values[axis]))),
        float(format_sigma(sigma)),
    )
