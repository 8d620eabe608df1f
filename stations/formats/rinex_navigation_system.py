"""Records of RINEX 4 navigation files that are of no single orbit: STO, EOP and ION (RINEX 4.02, A32-A40)."""

from typing import Final

import numpy as np

from stations.formats.calendar_fields import calendar_nanoseconds
from stations.formats.fixed_width import FloatArray, TextLines, parse_reals
from stations.formats.rinex_damage import LeftOut
from stations.formats.rinex_navigation_times import TIME_SCALE_OF_SYSTEM
from stations.navigation_records import BroadcastEarthOrientation, IonosphereModel, SystemTimeOffset
from transforms.time_scales import Epochs

_FIELD_WIDTH: Final = 19
_ARC_SECOND_RAD: Final = np.pi / 180.0 / 3600.0
_GLONASS_CIVIL: Final = "LXOC"
_LARGEST_COUNT: Final = 2**31
_UNREADABLE: Final = "unreadable record of ionosphere, time offset or earth orientation"
_KLOBUCHAR_COEFFICIENTS: Final = 8
_BDGIM_COEFFICIENTS: Final = 9
_NEQUICK_COEFFICIENTS: Final = 3
_GLONASS_COEFFICIENTS: Final = 3
_NEQUICK_N_REGIONS: Final = 3
_LONGEST_RECORD_LINES: Final = 7  # NavIC's NeQuick-N
# Columns of a title, "> ION J02 CNVX JAPN" (RINEX 4.02, table A6): message, and subtype.
_MESSAGE_COLUMNS: Final = slice(10, 14)
_SUBTYPE_COLUMNS: Final = slice(15, 19)
# Columns of the words in an STO record: code of the offset, SBAS, UTC.
_STO_COLUMNS: Final = (slice(24, 42), slice(43, 61), slice(62, 80))


def read_system_records(
    lines: TextLines, first_line: int, left_out: LeftOut
) -> tuple[tuple[IonosphereModel, ...], tuple[SystemTimeOffset, ...], tuple[BroadcastEarthOrientation, ...]]:
    """All STO, EOP and ION records from `first_line` (from 0) on, in the file's order."""
    marks = np.flatnonzero(lines.first_bytes() == ord(">"))
    marks = marks[marks >= first_line]
    ends = np.append(marks[1:], len(lines))
    ionosphere: list[IonosphereModel] = []
    offsets: list[SystemTimeOffset] = []
    orientation: list[BroadcastEarthOrientation] = []
    damaged: list[int] = []
    kinds = lines.block(marks, 2, 4)
    of_interest = np.flatnonzero(~(kinds == np.frombuffer(b"EPH ", dtype=np.uint8)).all(axis=1))
    for i in of_interest.tolist():
        line, n_lines = int(marks[i]), min(int(ends[i] - marks[i]) - 1, _LONGEST_RECORD_LINES)
        title = lines.text(line)
        kind, source = title[2:5], title[6:9].strip()
        message, subtype = title[_MESSAGE_COLUMNS].strip(), title[_SUBTYPE_COLUMNS].strip()
        scale = TIME_SCALE_OF_SYSTEM.get(source[:1])
        if n_lines < (1 if message == _GLONASS_CIVIL else 2):
            damaged.append(line)
            continue
        epoch_ns, bad = calendar_nanoseconds(
            np.concatenate(
                [
                    lines.block(np.array([line + 1]), 4, _FIELD_WIDTH),
                    np.frombuffer(b".0", dtype=np.uint8)[None, :],
                ],
                axis=1,
            ),
            ((0, 4), (5, 2), (8, 2), (11, 2), (14, 2), (17, 4)),
        )
        if scale is None or bool(bad[0]):
            damaged.append(line)
            continue
        epoch = Epochs.from_datetime64(epoch_ns[0].astype("datetime64[ns]"), scale)
        # STO has words where the others have the first three numbers.
        numbers, unreadable = _fields(lines, line + 1, n_lines, skip_first=kind == "STO")
        made: IonosphereModel | SystemTimeOffset | BroadcastEarthOrientation | None = None
        if kind == "ION":
            made = None if unreadable else _ionosphere(source, message, subtype, epoch, numbers)
            ionosphere += [made] if made else []
        elif kind == "STO" and not np.isnan(numbers[1:3]).any() and not unreadable:
            rate = 0.0 if np.isnan(numbers[3]) else float(numbers[3])
            text = lines.text(line + 1)
            code, augmentation, utc = (text[columns].strip() for columns in _STO_COLUMNS)
            made = SystemTimeOffset(
                code,
                source,
                message,
                epoch,
                float(numbers[1]),
                float(numbers[2]),
                rate,
                utc=utc,
                augmentation=augmentation,
                transmission_s_of_week=_known(numbers[0]),
            )
            offsets.append(made)
        elif kind == "EOP" and numbers.size >= 11 and not unreadable:
            made = _earth_orientation(source, message, epoch, numbers)
            orientation += [made] if made else []
        if made is None:
            damaged.append(line)
    left_out.damaged(_UNREADABLE, np.array(damaged, dtype=np.int64))
    return tuple(ionosphere), tuple(offsets), tuple(orientation)


def _fields(lines: TextLines, first: int, n_lines: int, *, skip_first: bool) -> tuple[FloatArray, bool]:
    """Numbers of a record: three behind the epoch (unless skipped), four in each further line."""
    parts = [] if skip_first else [lines.block(np.array([first]), 23, 3 * _FIELD_WIDTH)]
    parts += [lines.block(np.array([first + k]), 4, 4 * _FIELD_WIDTH) for k in range(1, n_lines)]
    text = np.concatenate(parts, axis=1).reshape(-1, _FIELD_WIDTH)
    values, bad = parse_reals(np.ascontiguousarray(text))
    return values, bool(bad.any())


def _known(number: float) -> float | None:
    return None if np.isnan(number) else float(number)


def _whole(number: float) -> int | None:
    """A count or a set of flags; None where blank or no such thing."""
    return int(number) if 0.0 <= number <= _LARGEST_COUNT else None


def _ionosphere(
    source: str, message: str, subtype: str, epoch: Epochs, numbers: FloatArray
) -> IonosphereModel | None:
    """Numbers: three of the first line, four of each further one."""
    region, flags, issue = 0, None, None
    limits: FloatArray = np.empty(0)
    if source[0] == "R":
        model, coefficients = "GLONASS", numbers[:_GLONASS_COEFFICIENTS]
        count = _GLONASS_COEFFICIENTS
    elif source[0] == "E":
        model, coefficients = "NEQUICK", numbers[:_NEQUICK_COEFFICIENTS]
        count = _NEQUICK_COEFFICIENTS
        flags = _whole(numbers[count]) if numbers.size > count else None
    elif subtype == "NEQN":
        model, issue, count = "NEQUICK_N", _whole(numbers[0]), 4 * _NEQUICK_N_REGIONS
        if numbers.size < 3 + 2 * count:
            return None
        regions = numbers[3:].reshape(-1, 8)[:_NEQUICK_N_REGIONS]
        coefficients, limits = regions[:, :4].ravel(), regions[:, 4:].ravel()
    elif subtype == "KLOB":
        model, issue, count = "KLOBUCHAR", _whole(numbers[0]), _KLOBUCHAR_COEFFICIENTS
        coefficients, limits = numbers[3 : 3 + count], numbers[3 + count : 7 + count]
    elif source[0] == "C" and message == "CNVX":
        model, coefficients = "BDGIM", numbers[:_BDGIM_COEFFICIENTS]
        count = _BDGIM_COEFFICIENTS
    else:
        model, count = "KLOBUCHAR", _KLOBUCHAR_COEFFICIENTS
        coefficients = numbers[:count]
        if numbers.size > count:
            region = _whole(numbers[count]) or 0
        region = 1 if subtype == "JAPN" else region
    if coefficients.size < count or np.isnan(coefficients).any() or np.isnan(limits).any():
        return None
    return IonosphereModel(
        model,
        source,
        message,
        epoch,
        tuple(coefficients.tolist()),
        region,
        subtype=subtype,
        limits_deg=tuple(limits.tolist()),
        issue_of_data=issue,
        disturbance_flags=flags,
    )


def _earth_orientation(
    source: str, message: str, epoch: Epochs, numbers: FloatArray
) -> BroadcastEarthOrientation | None:
    """Fields: x, x', x''; spare, y, y', y''; t_tm, UT1 - UTC and two rates; arc seconds, seconds, days."""
    needed = numbers[[0, 1, 4, 5, 8, 9]]
    if np.isnan(needed).any():
        return None
    x, x_rate, y, y_rate, ut1, ut1_rate = needed.tolist()
    x_acceleration, y_acceleration, ut1_acceleration = np.nan_to_num(numbers[[2, 6, 10]]).tolist()
    return BroadcastEarthOrientation(
        source=source,
        message=message,
        epoch=epoch,
        pole_x_rad=x * _ARC_SECOND_RAD,
        pole_x_rate_rad_per_day=x_rate * _ARC_SECOND_RAD,
        pole_y_rad=y * _ARC_SECOND_RAD,
        pole_y_rate_rad_per_day=y_rate * _ARC_SECOND_RAD,
        ut1_minus_utc_s=ut1,
        ut1_minus_utc_rate_s_per_day=ut1_rate,
        pole_x_acceleration_rad_per_day2=x_acceleration * _ARC_SECOND_RAD,
        pole_y_acceleration_rad_per_day2=y_acceleration * _ARC_SECOND_RAD,
        ut1_minus_utc_acceleration_s_per_day2=ut1_acceleration,
        transmission_s_of_week=_known(numbers[7]),
    )
