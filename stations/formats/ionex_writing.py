"""Write maps of the ionosphere's electron content as IONEX 1.1."""

import re
from collections.abc import Sequence

import numpy as np

from stations.formats.atomic_write import write_atomically
from stations.formats.compression import compress_for
from stations.formats.fixed_width import FloatArray
from stations.formats.ionex_records import (
    DEFAULT_EXPONENT,
    KILOMETRE_M,
    NANOSECOND_M,
    NO_VALUE,
    VALUES_IN_LINE,
    DifferentialCodeBias,
    IonosphereMaps,
)
from stations.records import PathLike
from transforms.errors import InputError
from transforms.time_scales import NANOSECONDS, TimeScale


def write_ionex(maps: IonosphereMaps, path: PathLike) -> None:
    """Write maps as IONEX 1.1 in units of 0.1 TECU, whole or not at all; ".gz" compresses."""
    heights_km = maps.height_m / KILOMETRE_M
    moments = maps.epochs.to(TimeScale.GPST).datetime64().astype("datetime64[s]")
    steps = np.unique(np.diff(maps.epochs.tai_ns)) if len(maps.epochs) > 1 else np.array([0])
    interval_s = int(steps[0]) // NANOSECONDS if steps.size == 1 else 0
    lines = [
        f"{1.1:8.1f}{'':12s}{'IONOSPHERE MAPS':<20s}{maps.system[:20]:<20s}IONEX VERSION / TYPE",
        f"{'Jizhun':<60s}PGM / RUN BY / DATE",
        *(f"{text[:60]:<60s}DESCRIPTION" for text in maps.description),
        f"{_calendar(moments[0]):<60s}EPOCH OF FIRST MAP",
        f"{_calendar(moments[-1]):<60s}EPOCH OF LAST MAP",
        f"{interval_s:6d}{'':54s}INTERVAL",
        f"{len(maps.epochs):6d}{'':54s}# OF MAPS IN FILE",
        f"  {maps.mapping_function[:4] or 'NONE':<58s}MAPPING FUNCTION",
        f"{maps.elevation_cutoff_deg or 0.0:8.1f}{'':52s}ELEVATION CUTOFF",
        f"{'':60s}OBSERVABLES USED",
        f"{maps.base_radius_m / KILOMETRE_M:8.1f}{'':52s}BASE RADIUS",
        f"{2 if heights_km.size == 1 else 3:6d}{'':54s}MAP DIMENSION",
        f"{_three(heights_km):<60s}HGT1 / HGT2 / DHGT",
        f"{_three(maps.latitude_deg):<60s}LAT1 / LAT2 / DLAT",
        f"{_three(maps.longitude_deg):<60s}LON1 / LON2 / DLON",
        f"{DEFAULT_EXPONENT:6d}{'':54s}EXPONENT",
        *_bias_lines(maps.biases),
        f"{'':60s}END OF HEADER",
    ]
    tables = {"TEC": maps.electron_content_tecu, "RMS": maps.rms_tecu}
    if maps.layer_height_m is not None:
        tables["HEIGHT"] = maps.layer_height_m / KILOMETRE_M
    for kind, table in tables.items():
        if table is None:
            continue
        for i, moment in enumerate(moments):
            lines.append(f"{i + 1:6d}{'':54s}START OF {kind} MAP")
            lines.append(f"{_calendar(moment):<60s}EPOCH OF CURRENT MAP")
            for j, height in enumerate(heights_km):
                for k, latitude in enumerate(maps.latitude_deg):
                    head = f"  {latitude:6.1f}{_three(maps.longitude_deg)[2:]}{height:6.1f}"
                    lines.append(f"{head:<60s}LAT/LON1/LON2/DLON/H")
                    lines += _value_lines(table[i, j, k])
            lines.append(f"{i + 1:6d}{'':54s}END OF {kind} MAP")
    text = "\n".join([*lines, f"{'':60s}END OF FILE"]) + "\n"
    write_atomically(path, compress_for(path, text.encode("latin-1", errors="replace")))


def _bias_lines(biases: Sequence[DifferentialCodeBias]) -> list[str]:
    if not biases:
        return []
    lines = [f"{'DIFFERENTIAL CODE BIASES':<60s}START OF AUX DATA"]
    for bias in biases:
        numbers = f"{bias.value_m / NANOSECOND_M:10.3f}"
        numbers += f"{bias.rms_m / NANOSECOND_M:10.3f}" if np.isfinite(bias.rms_m) else ""
        if re.fullmatch(r"[GREJCIS]\d\d", bias.name):
            lines.append(f"{'   ' + bias.name + numbers:<60s}PRN / BIAS / RMS")
        else:
            head = f"   {bias.system:1s}  {bias.name[:4]:<4s} {bias.domes[:9]:<9s}      "
            lines.append(f"{head + numbers:<60s}STATION / BIAS / RMS")
    return [*lines, f"{'DIFFERENTIAL CODE BIASES':<60s}END OF AUX DATA"]


def _three(axis: FloatArray) -> str:
    step = float(axis[1] - axis[0]) if axis.size > 1 else 0.0
    return f"  {axis[0]:6.1f}{axis[-1]:6.1f}{step:6.1f}"


def _calendar(moment: np.datetime64) -> str:
    day, time = str(moment).split("T")
    return "".join(f"{int(part):6d}" for part in (*day.split("-"), *time.split(":")))


def _value_lines(row: FloatArray) -> list[str]:
    whole = np.rint(row * 10.0)
    if np.any(np.abs(whole[np.isfinite(whole)]) >= NO_VALUE):
        raise InputError("a value of 999.9 or more does not fit an IONEX map with exponent -1")
    words = [f"{NO_VALUE:5d}" if not np.isfinite(v) else f"{int(v):5d}" for v in whole]
    return ["".join(words[i : i + VALUES_IN_LINE]) for i in range(0, len(words), VALUES_IN_LINE)]
