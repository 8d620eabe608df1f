"""Write what is broadcast for a whole system: header lines of RINEX 2.11 and 3.05, records of RINEX 4.02."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

from stations.formats.rinex_navigation_header import BDT_WEEK_ZERO, GPS_WEEK_ZERO
from stations.formats.rinex_navigation_times import TIME_SCALE_OF_SYSTEM
from stations.navigation_records import (
    BroadcastEarthOrientation,
    IonosphereModel,
    NavigationMessages,
    SystemTimeOffset,
)
from transforms.constants import ARCSECOND_RAD
from transforms.errors import InputError
from transforms.time_scales import NANOSECONDS, SECONDS_PER_DAY, Epochs, TimeScale

_Record = TypeVar("_Record", IonosphereModel, SystemTimeOffset)
_FIELD_WIDTH: Final = 19
_FIELDS_IN_LINE: Final = 4
_WEEK_S: Final = 7 * SECONDS_PER_DAY
# Names of the systems in IONOSPHERIC CORR (RINEX 3.05, table A5).
_IONOSPHERE_NAMES: Final = {"G": "GPS", "C": "BDS", "J": "QZS", "I": "IRN", "E": "GAL"}
# The messages that RINEX 2 and 3 took their header's values from: first two letters of the offset.
_SOURCES_BEFORE_4: Final = {
    "GP": ("G", "LNAV"),
    "GL": ("R", "FDMA"),
    "GA": ("E", "IFNV"),
    "BD": ("C", "D1D2"),
    "QZ": ("J", "LNAV"),
    "IR": ("I", "LNAV"),
    "SB": ("S", "SBAS"),
}
# Offsets that a header of RINEX 3.05 may hold (table A5).
_OFFSETS_OF_3: Final = (
    "GAUT", "GPUT", "SBUT", "GLUT", "GAGP", "GPGA", "GLGP", "QZGP", "QZUT", "BDUT", "IRUT", "IRGP",
)  # fmt: skip


def number_text(value: float | None) -> str:
    """A number of D19.12, as Fortran reads it; 19 blanks where there is none.

    Raises InputError where the exponent has three digits and the number does not fit.
    """
    if value is None or value != value:
        return " " * _FIELD_WIDTH
    text = f"{value:{_FIELD_WIDTH}.12E}"
    if len(text) > _FIELD_WIDTH:
        raise InputError(f"{value} does not fit the 19 columns of a number in RINEX")
    return text


def field_lines(numbers: Sequence[float | None]) -> list[str]:
    """Lines of four numbers behind four blanks."""
    return [
        ("    " + "".join(map(number_text, numbers[k : k + _FIELDS_IN_LINE]))).rstrip()
        for k in range(0, len(numbers), _FIELDS_IN_LINE)
    ]


def _calendar(epoch: Epochs, scale: TimeScale) -> str:
    """Behind four columns: year, month, day, hour, minute and second."""
    text = str(epoch.to(scale).datetime64().astype("datetime64[s]"))
    return "    " + text.translate(str.maketrans("-T:", "   "))


def system_records(messages: NavigationMessages, left_out: Counter[str]) -> list[str]:
    """Lines of the STO, EOP and ION records of RINEX 4.02; what has no time there is added to `left_out`."""
    lines: list[str] = []
    for offset in messages.time_offsets:
        lines += _offset_record(offset, left_out)
    for orientation in messages.earth_orientation:
        lines += _orientation_record(orientation)
    for model in messages.ionosphere:
        lines += _ionosphere_record(model, left_out)
    return lines


def _offset_record(offset: SystemTimeOffset, left_out: Counter[str]) -> list[str]:
    source, message = offset.source, offset.message
    utc = offset.utc
    if not source:
        # The number of the UTC in a header of RINEX 3 is no name of RINEX 4.
        source, message = _SOURCES_BEFORE_4.get(offset.kind[:2], ("", ""))
        utc = ""
    if offset.reference is None or not source:
        left_out["time offset without a reference time"] += 1
        return []
    epoch = _calendar(offset.reference, TIME_SCALE_OF_SYSTEM[source[0]])
    coefficients = (offset.offset_s, offset.drift_s_per_s, offset.drift_rate_s_per_s2)
    return [
        f"> STO {source:<3s} {message}",
        f"{epoch} {offset.kind:<18s} {offset.augmentation:<18s} {utc:<18s}".rstrip(),
        *field_lines([offset.transmission_s_of_week, *coefficients]),
    ]


def _orientation_record(orientation: BroadcastEarthOrientation) -> list[str]:
    epoch = _calendar(orientation.epoch, TIME_SCALE_OF_SYSTEM[orientation.source[0]])
    pole_x = (
        orientation.pole_x_rad,
        orientation.pole_x_rate_rad_per_day,
        orientation.pole_x_acceleration_rad_per_day2,
    )
    pole_y = (
        orientation.pole_y_rad,
        orientation.pole_y_rate_rad_per_day,
        orientation.pole_y_acceleration_rad_per_day2,
    )
    return [
        f"> EOP {orientation.source:<3s} {orientation.message}",
        epoch + "".join(number_text(v / ARCSECOND_RAD) for v in pole_x),
        *field_lines([None, *(v / ARCSECOND_RAD for v in pole_y)]),
        *field_lines(
            [
                orientation.transmission_s_of_week,
                orientation.ut1_minus_utc_s,
                orientation.ut1_minus_utc_rate_s_per_day,
                orientation.ut1_minus_utc_acceleration_s_per_day2,
            ]
        ),
    ]


def _ionosphere_record(model: IonosphereModel, left_out: Counter[str]) -> list[str]:
    if model.transmission is None or not model.source:
        left_out["ionosphere model without a time of transmission"] += 1
        return []
    title = f"> ION {model.source:<3s} {model.message:<4s} {model.subtype}".rstrip()
    epoch = _calendar(model.transmission, TIME_SCALE_OF_SYSTEM[model.source[0]])
    if model.limits_deg:
        numbers: list[float | None] = []
        width = 4 if model.model == "NEQUICK_N" else len(model.coefficients)
        for k, begin in enumerate(range(0, len(model.coefficients), width)):
            numbers += model.coefficients[begin : begin + width]
            numbers += model.limits_deg[_FIELDS_IN_LINE * k : _FIELDS_IN_LINE * (k + 1)]
        return [title, epoch + number_text(model.issue_of_data), *field_lines(numbers)]
    numbers = list(model.coefficients)
    if model.model == "NEQUICK":
        numbers.append(0.0 if model.disturbance_flags is None else float(model.disturbance_flags))
    elif model.region and not model.subtype:
        numbers.append(float(model.region))
    return [title, epoch + "".join(map(number_text, numbers[:3])), *field_lines(numbers[3:])]


def header_records(messages: NavigationMessages, major: int, left_out: Counter[str]) -> list[str]:
    """Header lines of ionosphere and time offsets (`major` 2 or 3), of each kind the newest."""
    lines: list[str] = []
    models = _newest(
        [((i.model, i.message, i.subtype, i.source[:1]), i.transmission, i) for i in messages.ionosphere],
        left_out,
    )
    offsets = _newest([((o.kind, o.utc), o.reference, o) for o in messages.time_offsets], left_out)
    written = [_ionosphere_lines_of_2(m) if major == 2 else _ionosphere_lines_of_3(m) for m in models]
    written += [_offset_line_of_2(o, messages) if major == 2 else _offset_line_of_3(o) for o in offsets]
    for of_record in written:
        lines += of_record
        if not of_record:
            left_out["ionosphere model or time offset that the version cannot hold"] += 1
    if messages.earth_orientation:
        left_out["earth orientation, which the version cannot hold"] += len(messages.earth_orientation)
    return lines


def _newest(
    records: Iterable[tuple[tuple[str, ...], Epochs | None, _Record]], left_out: Counter[str]
) -> list[_Record]:
    """Of records (with key and time) of RINEX 4 the newest of each key; those of a header all."""
    kept: list[_Record] = []
    newest: dict[tuple[str, ...], tuple[int, _Record]] = {}
    for key, at, record in records:
        if at is None or not record.message:
            kept.append(record)
            continue
        if key in newest:
            left_out["ionosphere model or time offset of which a newer one is there"] += 1
        if key not in newest or int(at.tai_ns) >= newest[key][0]:
            newest[key] = (int(at.tai_ns), record)
    kept += [record for _, record in newest.values()]
    return kept


def _is_legacy(model: IonosphereModel) -> bool:
    """Whether the coefficients are Klobuchar's of the messages that were there before RINEX 4."""
    return (
        model.model == "KLOBUCHAR" and not model.limits_deg and model.message in ("", "LNAV", "D1D2", "CNVX")
    )


def _ionosphere_lines_of_3(model: IonosphereModel) -> list[str]:
    name = model.source if not model.message else _IONOSPHERE_NAMES.get(model.source[:1], "")
    if model.model == "NEQUICK" and name:
        numbers = "".join(f"{c:12.4E}" for c in (*model.coefficients, 0.0))
        return [f"{'GAL':<5s}{numbers:<55s}IONOSPHERIC CORR"]
    if not name or not _is_legacy(model):
        return []
    # Behind the name of a system of a header: the hour's letter and the satellite that sent it.
    mark, satellite = name[3:4], name[4:].strip()
    if mark.isdigit():
        mark, satellite = "", name[3:].strip()
    behind = f" {mark or ' '} {satellite:>2s}"
    lines: list[str] = []
    for half, begin in (("A", 0), ("B", 4)):
        numbers = "".join(f"{c:12.4E}" for c in model.coefficients[begin : begin + 4])
        lines.append(f"{f'{name[:3]}{half} {numbers}{behind}':<60s}IONOSPHERIC CORR")
    return lines


def _ionosphere_lines_of_2(model: IonosphereModel) -> list[str]:
    if (model.source if not model.message else model.source[:1]) not in ("GPS", "G") or not _is_legacy(model):
        return []
    lines: list[str] = []
    for label, begin in (("ION ALPHA", 0), ("ION BETA", 4)):
        numbers = "".join(f"{c:12.4E}" for c in model.coefficients[begin : begin + 4])
        lines.append(f"{'  ' + numbers.replace('E', 'D'):<60s}{label}")
    return lines


def _second_and_week(reference: Epochs | None, scale: TimeScale) -> tuple[int, int]:
    """Whole second of the week and week; 0 and 0 where unknown."""
    if reference is None:
        return 0, 0
    zero = BDT_WEEK_ZERO if scale is TimeScale.BDT else GPS_WEEK_ZERO
    elapsed_ns = int((reference.to(scale).datetime64() - zero).astype("int64"))
    week, second = divmod(round(elapsed_ns / NANOSECONDS), _WEEK_S)
    return second, week


def _offset_line_of_3(offset: SystemTimeOffset) -> list[str]:
    # What a header of RINEX 3 held it can hold again, whatever its name.
    is_known = offset.kind in _OFFSETS_OF_3 or not offset.message
    if not is_known or offset.drift_rate_s_per_s2 != 0.0:
        return []
    scale = TimeScale.BDT if offset.kind.startswith("BD") else TimeScale.GPST
    second, week = _second_and_week(offset.reference, scale)
    # Names of UTC came with RINEX 4; the number is not told by them.
    utc = offset.utc if offset.utc.isdigit() else ""
    numbers = f"{offset.offset_s:17.10E}{offset.drift_s_per_s:16.9E} {second:6d} {week:4d}"
    text = f"{offset.kind:<4s} {numbers} {offset.augmentation:<5.5s} {utc:>2.2s}"
    return [f"{text:<60s}TIME SYSTEM CORR"]


def _offset_line_of_2(offset: SystemTimeOffset, messages: NavigationMessages) -> list[str]:
    if offset.drift_rate_s_per_s2 != 0.0:
        return []
    systems = {satellite[0] for satellite in messages.satellites}
    if offset.kind == "GPUT" and systems == {"G"}:
        second, week = _second_and_week(offset.reference, TimeScale.GPST)
        numbers = number_text(offset.offset_s) + number_text(offset.drift_s_per_s)
        return [f"{f'   {numbers}'.replace('E', 'D') + f'{second:9d}{week:9d}':<60s}DELTA-UTC: A0,A1,T,W"]
    if offset.kind == "GLUT" and systems == {"R"} and offset.drift_s_per_s == 0.0:
        day = messages.state_vectors.epoch.to(TimeScale.UTC).datetime64()[0].astype("datetime64[D]")
        date = "".join(f"{int(part):6d}" for part in str(day).split("-"))
        text = f"{date}   {number_text(offset.offset_s).replace('E', 'D')}"
        return [f"{text:<60s}CORR TO SYSTEM TIME"]
    return []
