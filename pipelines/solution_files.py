"""Daily station solutions from files: what `station solve --out` wrote, or SINEX of any origin."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from datum.formats.csv_table import read_bytes
from pipelines.solution_json import read_solution_file
from stations.formats.sinex import SinexDocument, frame_of, read_sinex, station_names
from stations.records import AntennaType, StationSetup, StationSolution, ZenithDelays
from transforms.errors import FormatError, InputError
from transforms.time_scales import Epochs

_AXES: Final = ("STAX", "STAY", "STAZ")
_LENGTH_UNIT: Final = "m"


def read_solutions(paths: Sequence[Path], default_frame: str | None = None) -> tuple[StationSolution, ...]:
    """Solutions of all files, in their order.

    default_frame : of SINEX files that do not name theirs (the format has no field for it)

    Raises FormatError or InputError naming the file.
    """
    solutions: list[StationSolution] = []
    for path in paths:
        if read_bytes(path)[:1] == b"{":
            solutions.append(read_solution_file(path, read_bytes(path)))
        else:
            solutions += solutions_of_sinex(path, read_sinex(path), default_frame)
    return tuple(solutions)


def solutions_of_sinex(
    path: Path, document: SinexDocument, default_frame: str | None
) -> list[StationSolution]:
    """Station solutions out of a SINEX document; what the format does not tell is empty or not a number."""
    frame = frame_of(document) or default_frame
    if frame is None:
        raise InputError(f"{path}: SINEX does not name its reference frame; say it with --frame")
    if document.covariance is None:
        raise FormatError(path, None, "holds no covariance matrix (SOLUTION/MATRIX_ESTIMATE)")
    names = station_names(document)
    index: dict[tuple[str, str, str], dict[str, int]] = {}
    for number, parameter in enumerate(document.estimates):
        if parameter.kind in _AXES and parameter.unit == _LENGTH_UNIT:
            key = (parameter.code, parameter.point, parameter.solution)
            index.setdefault(key, {})[parameter.kind] = number
    if not index:
        raise FormatError(path, None, "holds no station coordinates (STAX, STAY, STAZ)")
    solutions = []
    for key, axes in sorted(index.items()):
        if len(axes) != len(_AXES):
            raise FormatError(path, None, f"{key[0]} has {', '.join(axes)} only")
        rows = [axes[axis] for axis in _AXES]
        epoch = document.estimates[rows[0]].epoch
        if epoch is None:
            raise FormatError(path, None, f"{key[0]}: its coordinates have no epoch")
        solutions.append(_solution(document, key, rows, names[key[:2]], frame, epoch))
    return solutions


def _solution(
    document: SinexDocument,
    key: tuple[str, str, str],
    rows: list[int],
    name: str,
    frame: str,
    epoch: Epochs,
) -> StationSolution:
    code, point, number = key

    def same(item_code: str, item_point: str, item_solution: str) -> bool:
        return (item_code, item_point) == (code, point) and item_solution in (number, "----")

    spans = [item for item in document.epochs if same(item.code, item.point, item.solution)]
    receivers = [item for item in document.receivers if same(item.code, item.point, item.solution)]
    antennas = [item for item in document.antennas if same(item.code, item.point, item.solution)]
    offsets = [
        item
        for item in document.eccentricities
        if same(item.code, item.point, item.solution) and item.reference == "UNE"
    ]
    up, north, east = offsets[-1].offset_m if offsets else (0.0, 0.0, 0.0)
    antenna = antennas[-1].antenna if antennas else ""
    covariance = document.covariance
    if covariance is None:
        raise InputError(f"{name}: the SINEX document holds no covariance")
    return StationSolution(
        station=name,
        domes=next((s.domes for s in document.sites if (s.code, s.point) == (code, point)), ""),
        epoch=epoch,
        first_epoch=(spans[-1].start if spans else None) or epoch,
        last_epoch=(spans[-1].end if spans else None) or epoch,
        frame=frame,
        position_ecef_m=np.array([document.estimates[row].value for row in rows]),
        covariance_m2=covariance[np.ix_(rows, rows)],
        n_epochs=0,
        n_observations=0,
        systems=(),
        signals=(),
        ambiguities="float",
        fixed_fraction=0.0,
        residual_rms_phase_m=math.nan,
        residual_rms_code_m=math.nan,
        rejections={},
        zenith_delays=ZenithDelays(Epochs(np.empty(0, dtype=np.int64)), np.empty(0), np.empty(0)),
        setup=StationSetup(
            receiver=receivers[-1].receiver if receivers else "",
            receiver_serial=receivers[-1].serial if receivers else "",
            receiver_firmware=receivers[-1].firmware if receivers else "",
            antenna=AntennaType(
                antenna[:16].strip(), antenna[16:].strip() or "NONE", antennas[-1].serial if antennas else ""
            ),
            eccentricity_enu_m=(east, north, up),
        ),
        centre=document.header.data_agency,
        inputs=document.inputs,
    )
