"""Orbits, clocks and attitudes of satellites in ORBEX 0.09 (Loyer and Masoumi 2019, draft of the IGS).

Record types: ATT (attitude), POS and PCS (position, with clock in PCS), VEL and VCS (velocity, with clock
rate in VCS), CLK and CRT. Metres, metres per second, microseconds and nanoseconds per second in the file,
standard deviations in millimetres and picoseconds. Correlations (CPC, CVC) and standard deviations of
velocities are not taken over, and named. `orbex_writing` writes.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from stations.formats.analysis_centres import centre_code, series_of_name
from stations.formats.calendar_fields import calendar_nanoseconds
from stations.formats.compression import read_bytes
from stations.formats.fixed_width import FloatArray
from stations.formats.orbex_writing import OrbexFile
from stations.formats.satellite_names import TIME_SYSTEM
from stations.formats.text_lines import latin_1_lines
from stations.records import InputFile, PathLike, SatelliteAttitudes, SatelliteOrbits
from transforms.errors import FormatError
from transforms.time_scales import Epochs, TimeScale

__all__ = ["OrbexFile", "body_from_ecef_matrix", "parse_orbex", "read_orbex"]

_FIRST_LINE: Final = re.compile(r"%=ORBEX\s+(?P<version>\d\.\d\d)\s*\Z")
_VERSIONS: Final = ("0.09", "0.08")
_KEY_WIDTH: Final = 20
_SATELLITE: Final = re.compile(r"[GREJCISL]\d\d\Z")
_EPOCH_COLUMNS: Final = ((3, 4), (8, 2), (11, 2), (14, 2), (17, 2), (20, 15))
# Flags of PCS and POS, as in SP3: clock event, clock predicted, manoeuvre, orbit predicted.
_FLAG_COLUMNS: Final = ((12, "E"), (13, "P"), (16, "M"), (17, "P"))
# "Unknown" among standard deviations is all nines: 99999.9 mm and 9999999.999 ps (99999.99 mm of an orbit).
_NO_POSITION_SIGMA_MM: Final = 99_999.0
_NO_CLOCK_SIGMA_PS: Final = 9_999_999.0
_PICOSECOND_S: Final = 1e-12
_MILLIMETRE_M: Final = 1e-3
# Units and reference of the draft; a file that says otherwise would be misread.
_DESCRIBED: Final = {"ORBIT_XYZ_UNITS": "METERS", "SVCLK_UNITS": "MICROSECONDS"}
# Record type -> its numbers of values that are taken (the draft's section on EPHEMERIS/DATA).
_VALUES: Final[Mapping[str, tuple[int, ...]]] = {
    "ATT": (4,),
    "PCS": (3, 4, 7, 8),
    "VCS": (3, 4, 7, 8),
    "POS": (3,),
    "VEL": (3,),
    "CLK": (1,),
    "CRT": (1,),
}
_PASSED_OVER: Final = ("CPC", "CVC")
_MICROSECOND_S: Final = 1e-6
_NANOSECOND_S: Final = 1e-9
_NO_CLOCK: Final = 999999.0  # as in SP3
_UNIT_LENGTH_TOLERANCE: Final = 1e-4  # files print 7 decimals at least; more is damage
_UNIT_LENGTH_AS_PRINTED: Final = 1e-14  # the writer prints 16 decimals
_FARTHEST_M: Final = 1.0e8
_NOT_OF_UNIT_LENGTH: Final = "quaternion not of unit length"


@dataclass
class _Records:
    """Records of one type: epoch's index, satellite, line and values of each."""

    epoch: list[int] = field(default_factory=list)
    satellite: list[str] = field(default_factory=list)
    line: list[int] = field(default_factory=list)
    words: list[list[str]] = field(default_factory=list)
    flags: list[tuple[bool, ...]] = field(default_factory=list)


def read_orbex(path: PathLike) -> OrbexFile:
    """Read an ORBEX file, compressed or not.

    Epochs become GPST whatever time system the file names. Attitudes must be given from the terrestrial frame
    (FRAME_TYPE ECEF). Quaternions that are not of unit length are rejected and counted.

    Raises
    ------
    FormatError : not ORBEX 0.09, an inertial frame, cut off, an unknown record, a number of satellites other
        than the epoch's line says, a value that is no number; with the line
    """
    data, identity = read_bytes(path)
    return parse_orbex(data, identity)


def parse_orbex(data: bytes, identity: InputFile) -> OrbexFile:
    """Like `read_orbex`, from the plain text."""
    path = identity.path
    lines = latin_1_lines(data)
    match = _FIRST_LINE.match(lines[0].rstrip())
    if match is None:
        raise FormatError(path, 1, f"expected '%=ORBEX  0.09', found {lines[0][:40]!r}")
    if match["version"] not in _VERSIONS:
        raise FormatError(path, 1, f"ORBEX version {match['version']} is not 0.09")
    description, epoch_lines, records, left_out, accuracy_m = _split(lines, path)
    if not epoch_lines:
        raise FormatError(path, len(lines), "the file holds no epoch")
    if description.get("FRAME_TYPE", "ECEF").upper() != "ECEF":
        raise FormatError(
            path, None, f"FRAME_TYPE {description['FRAME_TYPE']!r}: only ECEF (terrestrial) is supported"
        )
    epochs = _epochs(lines, epoch_lines, description, path)
    _check_description(description, path)
    frame = description.get("COORD_SYSTEM", "").split(" ")[0]
    series = series_of_name(path.replace("\\", "/").rsplit("/", 1)[-1])
    creator = description.get("CREATED_BY", "").split()
    centre = centre_code(series[:3]) if series else (centre_code(creator[0]) if creator else "")
    return OrbexFile(
        description,
        _attitudes(records["ATT"], epochs, frame, centre, identity),
        _orbits(records, epochs, frame, centre, identity, accuracy_m),
        left_out,
    )


def _split(
    lines: Sequence[str], path: str
) -> tuple[dict[str, str], list[int], dict[str, _Records], tuple[str, ...], dict[str, float]]:
    description: dict[str, str] = {}
    accuracy_m: dict[str, float] = {}
    epoch_lines: list[int] = []
    records = {kind: _Records() for kind in _VALUES}
    left_out: dict[str, None] = {}
    block = ""
    is_closed = False
    in_epoch: list[str] = []
    for number, line in enumerate(lines[1:], start=2):
        mark = line[:1]
        if mark == "*" or not line.strip() or line.startswith("%%"):
            continue
        if line.startswith("%END_ORBEX"):
            break
        if mark == "+":
            if block:
                raise FormatError(path, number, f"block {block} is not closed")
            block = line[1:].strip()
        elif mark == "-":
            if line[1:].strip() != block:
                raise FormatError(path, number, f"block end {line[1:].strip()!r} closes no open block")
            is_closed |= block == "EPHEMERIS/DATA"
            block = ""
        elif block == "FILE/DESCRIPTION":
            description[line[1:_KEY_WIDTH].strip()] = line[_KEY_WIDTH:].strip()
        elif block == "SATELLITE/STD_DEVS":
            _add_accuracy(accuracy_m, line, number, path)
        elif block == "EPHEMERIS/DATA" and line.startswith("##"):
            _check_count(lines, epoch_lines, in_epoch, path)
            epoch_lines.append(number)
            in_epoch = []
        elif block == "EPHEMERIS/DATA":
            if not epoch_lines:
                raise FormatError(path, number, "a record before the first epoch")
            in_epoch.append(_record(line, number, len(epoch_lines) - 1, records, left_out, path))
    if not is_closed:
        raise FormatError(path, len(lines), "cut off: no -EPHEMERIS/DATA")
    _check_count(lines, epoch_lines, in_epoch, path)
    return description, epoch_lines, records, tuple(left_out), accuracy_m


def _add_accuracy(accuracy_m: dict[str, float], line: str, number: int, path: str) -> None:
    """A satellite's standard deviation of its orbit; of several (observed, predicted) the largest."""
    words = line.split()
    if len(words) < 2 or not _SATELLITE.match(words[0]) or not re.fullmatch(r"\d+\.?\d*", words[1], re.ASCII):
        raise FormatError(path, number, f"expected a satellite and its standard deviation, found {line!r}")
    sigma_mm = float(words[1])
    if 0.0 < sigma_mm < _NO_POSITION_SIGMA_MM:
        accuracy_m[words[0]] = max(sigma_mm * _MILLIMETRE_M, accuracy_m.get(words[0], 0.0))


def _check_description(description: Mapping[str, str], path: str) -> None:
    for key, expected in _DESCRIBED.items():
        if description.get(key, expected).upper() != expected:
            raise FormatError(path, None, f"{key} {description[key]!r}: only {expected} is supported")
    reference = description.get("ORBIT_XYZ_REFERENCE", "")
    if reference and "MASS" not in reference.upper():
        raise FormatError(
            path, None, f"ORBIT_XYZ_REFERENCE {reference!r}: only the centre of mass is supported"
        )


def _check_count(lines: Sequence[str], epoch_lines: list[int], in_epoch: list[str], path: str) -> None:
    """The epoch's line tells the number of its satellites; some writers count its records instead."""
    if not epoch_lines:
        return
    text = lines[epoch_lines[-1] - 1][35:].strip()
    if not text.isdecimal() or int(text) not in (len(in_epoch), len(set(in_epoch))):
        raise FormatError(
            path,
            epoch_lines[-1],
            f"the epoch tells of {text!r} satellites, there are {len(set(in_epoch))}",
        )


def _record(
    line: str, number: int, epoch: int, records: dict[str, _Records], left_out: dict[str, None], path: str
) -> str:
    words = line.split()
    kind = words[0]
    if kind in _PASSED_OVER:
        left_out[kind] = None
        return words[1] if len(words) > 1 else ""
    if kind not in records:
        raise FormatError(path, number, f"unknown record type {kind!r}")
    if len(words) < 3 or not _SATELLITE.match(words[1]):
        raise FormatError(path, number, f"expected a record of a satellite, found {line!r}")
    begin = 2
    while begin < len(words) - 1 and not words[begin].isdecimal():
        if words[begin].strip("EPM"):
            raise FormatError(path, number, f"expected flags or the number of values, found {words[begin]!r}")
        begin += 1
    count = int(words[begin]) if words[begin].isdecimal() else -1
    if count != len(words) - begin - 1 or count not in _VALUES[kind]:
        raise FormatError(path, number, f"{kind} with {len(words) - begin - 1} values: {line!r}")
    of_kind = records[kind]
    of_kind.epoch.append(epoch)
    of_kind.satellite.append(words[1])
    of_kind.line.append(number)
    of_kind.words.append(words[begin + 1 :])
    of_kind.flags.append(tuple(line[column : column + 1] == letter for column, letter in _FLAG_COLUMNS))
    if kind == "VCS" and count > 4:
        left_out["VCS standard deviations"] = None
    return words[1]


def _epochs(
    lines: Sequence[str], epoch_lines: list[int], description: Mapping[str, str], path: str
) -> Epochs:
    name = description.get("TIME_SYSTEM", "GPS").split(" ")[0].upper()
    scale = TimeScale.TT if name == "TT" else TIME_SYSTEM.get(name)
    if scale is None:
        raise FormatError(path, None, f"unknown time system {name!r}")
    texts = [lines[n - 1][:35].ljust(35).encode("latin-1") for n in epoch_lines]
    block = np.frombuffer(b"".join(texts), dtype=np.uint8).reshape(len(texts), 35)
    nanoseconds, bad = calendar_nanoseconds(block, _EPOCH_COLUMNS)
    if bad.any():
        raise FormatError(path, epoch_lines[int(np.argmax(bad))], "no calendar reading")
    if np.any(np.diff(nanoseconds) <= 0):
        late = int(np.argmax(np.diff(nanoseconds) <= 0)) + 1
        raise FormatError(path, epoch_lines[late], "epoch not later than the one before")
    return Epochs.from_datetime64(nanoseconds.astype("datetime64[ns]"), scale).to(TimeScale.GPST)


def _table(records: _Records, columns: int, path: str) -> FloatArray:
    """The first values of records as numbers (n, columns), NaN where a record has fewer."""
    words = [[*w[:columns], *["nan"] * (columns - len(w))] for w in records.words]
    try:
        table = np.array(words, dtype=np.str_).astype(np.float64).reshape(-1, columns)
    except ValueError:
        table = np.full((len(words), columns), np.inf)
        for row, record in enumerate(words):
            if not all(re.fullmatch(r"nan|[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", w) for w in record):
                raise FormatError(path, records.line[row], f"no number among {record}") from None
    given = np.array([[i < len(w) for i in range(columns)] for w in records.words])
    bad = ~np.isfinite(table) & given
    if bad.any():
        row = int(np.argmax(bad.any(axis=1)))
        raise FormatError(path, records.line[row], f"no number among {records.words[row]}")
    return table


def _places(records: _Records, satellites: Sequence[str], path: str) -> tuple[list[int], list[int]]:
    column = {s: i for i, s in enumerate(satellites)}
    columns = [column[s] for s in records.satellite]
    seen: set[tuple[int, int]] = set()
    for place, line in zip(zip(records.epoch, columns, strict=True), records.line, strict=True):
        if place in seen:
            raise FormatError(path, line, "the satellite was given already")
        seen.add(place)
    return records.epoch, columns


def _attitudes(
    records: _Records, epochs: Epochs, frame: str, centre: str, identity: InputFile
) -> SatelliteAttitudes | None:
    if not records.line:
        return None
    satellites = tuple(sorted(set(records.satellite)))
    table = _table(records, 4, identity.path)
    length = np.linalg.norm(np.clip(table, -2.0, 2.0), axis=1)  # longer than 1 in any case: no overflow
    wrong = np.abs(length - 1.0) > _UNIT_LENGTH_TOLERANCE
    # What is of unit length to its last printed digit stays as it is printed, so that it reads back.
    divisor = np.where(np.abs(length - 1.0) > _UNIT_LENGTH_AS_PRINTED, length, 1.0)
    table = np.where(wrong[:, None], np.nan, table / divisor[:, None])
    quaternions = np.full((len(epochs), len(satellites), 4), np.nan)
    quaternions[_places(records, satellites, identity.path)] = table
    rejections = {_NOT_OF_UNIT_LENGTH: int(wrong.sum())} if wrong.any() else {}
    return SatelliteAttitudes(epochs, satellites, quaternions, frame, centre, rejections, (identity,))


def _orbits(
    records: Mapping[str, _Records],
    epochs: Epochs,
    frame: str,
    centre: str,
    identity: InputFile,
    accuracy_m: Mapping[str, float],
) -> SatelliteOrbits | None:
    path = identity.path
    used = [kind for kind in _VALUES if kind != "ATT" and records[kind].line]
    if not used:
        return None
    satellites = tuple(sorted({s for kind in used for s in records[kind].satellite}))
    shape = (len(epochs), len(satellites))
    position, velocity = np.full((*shape, 3), np.nan), np.full((*shape, 3), np.nan)
    clock, rate = np.full(shape, np.nan), np.full(shape, np.nan)
    position_sigma, clock_sigma = np.full((*shape, 3), np.nan), np.full(shape, np.nan)
    flags = np.zeros((*shape, len(_FLAG_COLUMNS)), dtype=np.bool_)
    for kind in used:
        place = _places(records[kind], satellites, path)
        if kind in ("CLK", "CRT"):
            values = _table(records[kind], 1, path)[:, 0]
            vectors = None
        else:
            table = _table(records[kind], 8 if kind in ("PCS", "VCS") else 3, path)
            vectors, values = table[:, :3], table[:, 3] if table.shape[1] > 3 else np.full(len(table), np.nan)
            if np.any(np.abs(vectors) > _FARTHEST_M):
                row = int(np.argmax((np.abs(vectors) > _FARTHEST_M).any(axis=1)))
                raise FormatError(path, records[kind].line[row], "no orbit reaches that far")
            vectors[(vectors == 0.0).all(axis=1)] = np.nan
            flags[place] |= np.array(records[kind].flags, dtype=np.bool_)
            if kind == "PCS":
                position_sigma[place] = _sigmas(table[:, 4:7], _NO_POSITION_SIGMA_MM, _MILLIMETRE_M)
                clock_sigma[place] = _sigmas(table[:, 7], _NO_CLOCK_SIGMA_PS, _PICOSECOND_S)
        values = np.where(np.abs(values) >= _NO_CLOCK, np.nan, values)
        is_rate = kind in ("VCS", "VEL", "CRT")
        if vectors is not None:
            (velocity if is_rate else position)[place] = vectors
        if kind in ("CLK", "CRT", "PCS", "VCS"):
            (rate if is_rate else clock)[place] = values * (_NANOSECOND_S if is_rate else _MICROSECOND_S)
    has_velocity = bool(np.isfinite(velocity).any())
    return SatelliteOrbits(
        epochs,
        satellites,
        position,
        clock,
        flags[..., 2],
        frame,
        centre,
        (identity,),
        velocity_ecef_m_per_s=velocity if has_velocity else None,
        clock_rate_s_per_s=rate if np.isfinite(rate).any() else None,
        position_sigma_m=position_sigma if np.isfinite(position_sigma).any() else None,
        clock_sigma_s=clock_sigma if np.isfinite(clock_sigma).any() else None,
        clock_event=flags[..., 0],
        clock_predicted=flags[..., 1],
        orbit_predicted=flags[..., 3],
        accuracy_m=accuracy_m,
    )


def _sigmas(values: FloatArray, unknown: float, unit: float) -> FloatArray:
    return np.where((values >= 0.0) & (values < unknown), values, np.nan) * unit


def body_from_ecef_matrix(quaternion_body_from_ecef: FloatArray) -> FloatArray:
    """Matrices R (..., 3, 3) with `body = R @ ecef`, from unit quaternions (..., 4), scalar first.

    The rotation q v conj(q) written out (Kuipers 1999, "Quaternions and Rotation Sequences", eq. 5.11).
    """
    q0, q1, q2, q3 = np.moveaxis(np.asarray(quaternion_body_from_ecef, dtype=np.float64), -1, 0)
    rows = [
        np.stack([1 - 2 * (q2**2 + q3**2), 2 * (q1 * q2 - q0 * q3), 2 * (q1 * q3 + q0 * q2)], axis=-1),
        np.stack([2 * (q1 * q2 + q0 * q3), 1 - 2 * (q1**2 + q3**2), 2 * (q2 * q3 - q0 * q1)], axis=-1),
        np.stack([2 * (q1 * q3 - q0 * q2), 2 * (q2 * q3 + q0 * q1), 1 - 2 * (q1**2 + q2**2)], axis=-1),
    ]
    return np.stack(rows, axis=-2)
