"""Records of RINEX 4 navigation files that are of no single orbit: STO, EOP and ION (RINEX 4.02, A34-A37)."""

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
_UNREADABLE: Final = "unreadable record of ionosphere, time offset or earth orientation"
_KLOBUCHAR_COEFFICIENTS: Final = 8
_BDGIM_COEFFICIENTS: Final = 9
_NEQUICK_COEFFICIENTS: Final = 3
_LONGEST_RECORD_LINES: Final = 4


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
        kind, source, message = title[2:5], title[6:9].strip(), title[10:].strip()
        scale = TIME_SCALE_OF_SYSTEM.get(source[:1])
        if n_lines < 2:
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
            made = None if unreadable else _ionosphere(source, message, epoch, numbers)
            ionosphere += [made] if made else []
        elif kind == "STO" and not np.isnan(numbers[1:3]).any() and not unreadable:
            rate = 0.0 if np.isnan(numbers[3]) else float(numbers[3])
            words = lines.text(line + 1)[24:42].strip()
            made = SystemTimeOffset(words, source, message, epoch, float(numbers[1]), float(numbers[2]), rate)
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


def _ionosphere(source: str, message: str, epoch: Epochs, numbers: FloatArray) -> IonosphereModel | None:
    region = 0
    if source[0] == "E":
        model, count = "NEQUICK", _NEQUICK_COEFFICIENTS
    elif source[0] == "C" and message == "CNVX":
        model, count = "BDGIM", _BDGIM_COEFFICIENTS
    else:
        model, count = "KLOBUCHAR", _KLOBUCHAR_COEFFICIENTS
        if numbers.size > count and np.isfinite(numbers[count]):
            region = int(numbers[count])
    coefficients = numbers[:count]
    if coefficients.size < count or np.isnan(coefficients).any():
        return None
    return IonosphereModel(model, source, message, epoch, tuple(float(n) for n in coefficients), region)


def _earth_orientation(
    source: str, message: str, epoch: Epochs, numbers: FloatArray
) -> BroadcastEarthOrientation | None:
    """Fields: x, x', x''; spare, y, y', y''; t_tm, UT1 - UTC and two rates; arc seconds, seconds, days."""
    chosen = numbers[[0, 1, 4, 5, 8, 9]]
    if np.isnan(chosen).any():
        return None
    x, x_rate, y, y_rate, ut1, ut1_rate = (float(n) for n in chosen)
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
    )
