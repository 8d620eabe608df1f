"""From a `SinexDocument` to the text of a SINEX 2.02 file. The same document gives the same bytes."""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from stations.formats.atomic_write import write_atomically
from stations.formats.compression import compress_for
from stations.formats.sinex_records import (
    SinexAntenna,
    SinexDiscontinuity,
    SinexDocument,
    SinexEccentricity,
    SinexEpochs,
    SinexParameter,
    SinexPhaseCentre,
    SinexReceiver,
    SinexSite,
)
from stations.records import FloatArray, PathLike
from transforms.errors import InputError
from transforms.time_scales import SECONDS_PER_DAY, Epochs

_RULE: Final = "*" + "-" * 79
_OPEN_TIME: Final = "00:000:00000"
_LARGEST_COUNT: Final = 99_999
_FIRST_YEAR: Final = 1951
_LAST_YEAR: Final = 2050
_FULL_CIRCLE_TENTHS: Final = 360 * 36_000  # tenths of arc seconds
_VERSION_WRITTEN: Final = "2.02"
_MATRIX_HEAD: Final = "*PARA1 PARA2 _______PARA2+0_______ _______PARA2+1_______ _______PARA2+2_______"
# Heads that the format shows above the columns of each block.
_HEADS: Final = {
    "SITE/ID": "*CODE PT __DOMES__ T _STATION DESCRIPTION__ _LONGITUDE_ _LATITUDE__ HEIGHT_",
    "SITE/RECEIVER": "*CODE PT SOLN T _DATA START_ __DATA_END__ ___RECEIVER_TYPE____ _S/N_ _FIRMWARE__",
    "SITE/ANTENNA": "*CODE PT SOLN T _DATA START_ __DATA_END__ ____ANTENNA_TYPE____ _S/N_",
    "SITE/GPS_PHASE_CENTER": (
        "*________TYPE________ _S/N_ _L1_U_ _L1_N_ _L1_E_ _L2_U_ _L2_N_ _L2_E_ __MODEL___"
    ),
    "SITE/ECCENTRICITY": "*CODE PT SOLN T _DATA START_ __DATA_END__ REF __DX_U__ __DX_N__ __DX_E__",
    "SOLUTION/EPOCHS": "*CODE PT SOLN T _DATA_START_ __DATA_END__ _MEAN_EPOCH_",
    "SOLUTION/STATISTICS": "*____STATISTICAL_PARAMETER_____ _______VALUE(S)_______",
    "SOLUTION/APRIORI": "*INDEX _TYPE_ CODE PT SOLN _REF_EPOCH__ UNIT S ____APRIORI_VALUE____ __STD_DEV__",
    "SOLUTION/ESTIMATE": "*INDEX _TYPE_ CODE PT SOLN _REF_EPOCH__ UNIT S ___ESTIMATED_VALUE___ __STD_DEV__",
    "SOLUTION/NORMAL_EQUATION_VECTOR": "*INDEX _TYPE_ CODE PT SOLN _REF_EPOCH__ UNIT S ____RIGHT_HAND_SIDE__",
    "SOLUTION/MATRIX_ESTIMATE": _MATRIX_HEAD,
    "SOLUTION/MATRIX_APRIORI": _MATRIX_HEAD,
    "SOLUTION/NORMAL_EQUATION_MATRIX": _MATRIX_HEAD,
    "SOLUTION/DISCONTINUITY": "*CODE PT SOLN T _DATA_START_ __DATA_END__ M - _EVENT_",
}
# What stands behind a block's name: the triangle, and what kind of matrix it is.
_QUALIFIERS: Final = {
    "SOLUTION/MATRIX_ESTIMATE": " L COVA",
    "SOLUTION/MATRIX_APRIORI": " L COVA",
    "SOLUTION/NORMAL_EQUATION_MATRIX": " L",
}


def format_value(value: float) -> str:
    """A parameter in 21 columns (E21.15): 15 significant digits."""
    return f"{value:21.14e}"


def format_sigma(value: float) -> str:
    """A standard deviation in 11 columns (E11.6): 6 significant digits."""
    return f"{value:11.5e}"


def format_time(epoch: Epochs | None) -> str:
    """YY:DDD:SSSSS in GPST, to the nearest second; "00:000:00000" for an open one."""
    if epoch is None:
        return _OPEN_TIME
    second = (epoch.datetime64() + np.timedelta64(500, "ms")).astype("datetime64[s]")
    year = second.astype("datetime64[Y]")
    number = int(year.astype(np.int64)) + 1970
    if not _FIRST_YEAR <= number <= _LAST_YEAR:
        raise InputError(f"year {number}: SINEX writes {_FIRST_YEAR} to {_LAST_YEAR} only")
    elapsed = int((second - year.astype("datetime64[s]")).astype(np.int64))
    return f"{number % 100:02d}:{elapsed // SECONDS_PER_DAY + 1:03d}:{elapsed % SECONDS_PER_DAY:05d}"


def write_sinex(document: SinexDocument, path: PathLike) -> None:
    """Write a document as SINEX 2.02, whole or not at all; ".gz" compresses.

    InputError names a field that does not fit its columns.
    """
    write_atomically(path, compress_for(path, render_sinex(document)))


def render_sinex(document: SinexDocument) -> bytes:
    """The text of the file as bytes (ASCII; other characters are written as Latin-1 or '?')."""
    header = document.header
    n = len(document.estimates)
    if n > _LARGEST_COUNT:
        raise InputError(f"{n} estimates: SINEX counts to {_LARGEST_COUNT}")
    contents = "".join(f" {letter}" for letter in header.contents)
    lines = [
        f"%=SNX {_VERSION_WRITTEN} {_fit(header.file_agency, 3, 'agency')} {format_time(header.created)} "
        f"{_fit(header.data_agency, 3, 'agency')} {format_time(header.data_start)} "
        f"{format_time(header.data_end)} {_fit(header.technique, 1, 'technique')} "
        f"{n if document.estimates else header.n_parameters:05d} {_fit(header.constraint, 1, 'constraint')}"
        f"{contents}"
    ]
    for name, content in _blocks(document):
        body = list(content)
        if not body:
            continue
        title = name + _QUALIFIERS.get(name, "")
        lines += [_RULE, f"+{title}", *([_HEADS[name]] if name in _HEADS else []), *body, f"-{title}"]
    lines += ["%ENDSNX", ""]
    return "\n".join(lines).encode("latin-1", errors="replace")


def _blocks(document: SinexDocument) -> Iterator[tuple[str, Iterable[str]]]:
    yield "FILE/REFERENCE", (f" {_fit(k, 18, 'key'):<18s} {_fit(v, 60, k)}" for k, v in document.reference)
    yield "FILE/COMMENT", (f" {_fit(text, 79, 'comment')}" for text in document.comments)
    yield "SITE/ID", map(_site, document.sites)
    yield "SITE/RECEIVER", map(_receiver, document.receivers)
    yield "SITE/ANTENNA", map(_antenna, document.antennas)
    yield "SITE/GPS_PHASE_CENTER", map(_phase_centre, document.phase_centres)
    yield "SITE/ECCENTRICITY", map(_eccentricity, document.eccentricities)
    yield "SOLUTION/EPOCHS", map(_epochs, document.epochs)
    yield "SOLUTION/STATISTICS", (_statistic(name, value) for name, value in document.statistics)
    yield "SOLUTION/APRIORI", map(_parameter, document.apriori)
    yield "SOLUTION/ESTIMATE", map(_parameter, document.estimates)
    if document.covariance is not None:
        yield "SOLUTION/MATRIX_ESTIMATE", _matrix(document.covariance, len(document.estimates))
    if document.apriori_covariance is not None:
        yield "SOLUTION/MATRIX_APRIORI", _matrix(document.apriori_covariance, len(document.apriori))
    equations = document.normal_equations
    if equations is not None:
        yield "SOLUTION/NORMAL_EQUATION_VECTOR", map(_right_side, equations.parameters)
        if equations.matrix is not None:
            yield "SOLUTION/NORMAL_EQUATION_MATRIX", _matrix(equations.matrix, len(equations.parameters))
    yield "SOLUTION/DISCONTINUITY", map(_discontinuity, document.discontinuities)


def _fit(text: str, width: int, name: str) -> str:
    if len(text) > width or "\n" in text:
        raise InputError(f"{name} {text!r} does not fit the {width} columns that SINEX has for it")
    return text


def _angle(value_deg: float) -> str:
    """Degrees, minutes, seconds to 0.1": I3, 1X, I2, 1X, F4.1, with a sign that -0 keeps."""
    tenths = round(abs(value_deg) * 36_000.0) % _FULL_CIRCLE_TENTHS
    degrees, rest = divmod(tenths, 36_000)
    minutes, seconds = divmod(rest, 600)
    sign = "-" if value_deg < 0 and tenths else ""
    return f"{sign + str(degrees):>3s} {minutes:02d} {seconds / 10:4.1f}"


def _site(site: SinexSite) -> str:
    return (
        f" {_fit(site.code, 4, 'site code'):<4s} {_fit(site.point, 2, 'point code'):>2s} "
        f"{_fit(site.domes, 9, 'DOMES number'):<9s} {_fit(site.technique, 1, 'technique'):1s} "
        f"{_fit(site.description, 22, 'description'):<22s} {_angle(site.longitude_deg % 360.0)} "
        f"{_angle(site.latitude_deg)} {_fit(f'{site.height_m:7.1f}', 7, 'height')}"
    )


def _discontinuity(record: SinexDiscontinuity) -> str:
    return f"{_setup(record)} {_fit(record.quantity, 1, 'quantity')} - {_fit(record.remark, 100, 'event')}"


def _setup(
    record: SinexReceiver | SinexAntenna | SinexEccentricity | SinexEpochs | SinexDiscontinuity,
) -> str:
    return (
        f" {_fit(record.code, 4, 'site code'):<4s} {_fit(record.point, 2, 'point code'):>2s} "
        f"{_fit(record.solution, 4, 'solution'):>4s} {_fit(record.technique, 1, 'technique'):1s} "
        f"{format_time(record.start)} {format_time(record.end)}"
    )


def _receiver(record: SinexReceiver) -> str:
    return (
        f"{_setup(record)} {_fit(record.receiver, 20, 'receiver'):<20s} "
        f"{_fit(record.serial, 5, 'serial number'):<5s} {_fit(record.firmware, 11, 'firmware')}".rstrip()
    )


def _antenna(record: SinexAntenna) -> str:
    return (
        f"{_setup(record)} {_fit(record.antenna, 20, 'antenna'):<20s} "
        f"{_fit(record.serial, 5, 'serial number')}".rstrip()
    )


def _phase_centre(record: SinexPhaseCentre) -> str:
    offsets = " ".join(map(_short_offset, (*record.first_une_m, *record.second_une_m)))
    antenna, serial = _fit(record.antenna, 20, "antenna"), _fit(record.serial, 5, "serial number")
    return f" {antenna:<20s} {serial:<5s} {offsets} {_fit(record.model, 10, 'antenna model')}"


def _short_offset(value_m: float) -> str:
    """Metres in F6.4, a negative one without the zero before its point: "-.0005", as the IGS writes it."""
    return _fit(f"{value_m:6.4f}".replace("-0.", "-.", 1), 6, "phase centre")


def _eccentricity(record: SinexEccentricity) -> str:
    offsets = " ".join(_fit(f"{value:8.4f}", 8, "eccentricity") for value in record.offset_m)
    return f"{_setup(record)} {record.reference} {offsets}"


def _epochs(record: SinexEpochs) -> str:
    return f"{_setup(record)} {format_time(record.mean)}"


def _statistic(name: str, value: float) -> str:
    # 17 digits bring a double back as it was; a minus sign takes the room of the last.
    digits = 15 if value < 0 else 16
    number = f"{int(value):d}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.{digits}e}"
    return f" {_fit(name, 30, 'statistic'):<30s} {_fit(number, 22, name):>22s}"


def _parameter(record: SinexParameter) -> str:
    if not (np.isfinite(record.value) and np.isfinite(record.sigma)):
        raise InputError(f"{record.kind} of {record.code} is not finite: nothing is written")
    return (
        f" {record.index:5d} {_fit(record.kind, 6, 'parameter'):<6s} {_fit(record.code, 4, 'site code'):<4s} "
        f"{_fit(record.point, 2, 'point code'):>2s} {_fit(record.solution, 4, 'solution'):>4s} "
        f"{format_time(record.epoch)} {_fit(record.unit, 4, 'unit'):<4s} "
        f"{_fit(record.constraint, 1, 'constraint'):1s} {format_value(record.value)} "
        f"{format_sigma(record.sigma)}"
    )


def _right_side(record: SinexParameter) -> str:
    """A line of the normal equations' vector: the parameter's line without a sigma."""
    return _parameter(record)[: -len(format_sigma(0.0))].rstrip()


def _matrix(matrix: FloatArray, n: int) -> Iterator[str]:
    """The lower triangle, three elements in a line; lines of zeros only may be left out, and are."""
    if matrix.shape != (n, n) or not np.all(np.isfinite(matrix)):
        raise InputError(f"a matrix does not belong to its {n} parameters, or is not finite")
    for row in range(n):
        for column in range(0, row + 1, 3):
            elements = matrix[row, column : min(column + 3, row + 1)]
            if np.any(elements):
                text = " ".join(format_value(float(value)) for value in elements)
                yield f" {row + 1:5d} {column + 1:5d} {text}"
