"""Write series of tropospheric delays as SINEX_TRO 2.00."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from stations.formats.atomic_write import write_atomically
from stations.formats.compression import compress_for
from stations.formats.troposphere_sinex import (
    MILLIMETRES,
    MISSING,
    NOT_SCALED_BEFORE_UNITS,
    PARAMETERS,
    TroposphereSeries,
)
from stations.records import PathLike, StationSolution
from transforms.errors import InputError
from transforms.time_scales import SECONDS_PER_DAY, Epochs, TimeScale

_WRITTEN: Final = {name: code for code, name in PARAMETERS.items()}


def troposphere_of_solution(solution: StationSolution) -> TroposphereSeries:
    """The zenith total delays of a station's solution, as a series to be written."""
    name = PARAMETERS["TROTOT"]
    delays = solution.zenith_delays
    return TroposphereSeries(
        solution.station,
        delays.epochs,
        {name: delays.total_m},
        {name: delays.sigma_m},
        solution.position_ecef_m,
        solution.frame,
    )


def write_troposphere_sinex(
    series: Sequence[TroposphereSeries],
    path: PathLike,
    *,
    agency: str = "JZH",
    description: Sequence[tuple[str, str]] = (),
) -> None:
    """Write series as SINEX_TRO 2.00, delays to 0.1 mm and gradients to 0.001 mm; ".gz" compresses.

    All series must have the same parameters. The file's time of creation is the last epoch, so that the same
    series give the same bytes.
    """
    text = "\n".join(_lines(series, agency, description)) + "\n"
    write_atomically(path, compress_for(path, text.encode("latin-1", errors="replace")))


def _lines(
    series: Sequence[TroposphereSeries], agency: str, description: Sequence[tuple[str, str]]
) -> Iterator[str]:
    names = [name for name in _WRITTEN if all(name in s.values for s in series)] if series else []
    if not names or any(set(s.values) != set(names) for s in series):
        raise InputError("a SINEX_TRO file needs series, all with the same parameters")
    codes: list[str] = []
    for name in names:
        codes.append(_WRITTEN[name])
        if all(name in s.sigmas for s in series):
            codes.append("STDDEV")
    units = ["1e+00" if n in NOT_SCALED_BEFORE_UNITS else "1e+03" for n in codes]
    for i, code in enumerate(codes):
        if code == "STDDEV":
            units[i] = units[i - 1]
    first = _time(Epochs(np.array(min(int(s.epochs.tai_ns[0]) for s in series))))
    last = _time(Epochs(np.array(max(int(s.epochs.tai_ns[-1]) for s in series))))
    rule = "*" + "-" * 79
    yield f"%=TRO 2.00 {agency:<3.3s} {last} {agency:<3.3s} {first} {last} P {series[0].station[:9]:<9s}"
    yield from (rule, "+FILE/REFERENCE", "*INFO_TYPE_________ INFO" + "_" * 56, " SOFTWARE           Jizhun")
    yield from (
        "-FILE/REFERENCE",
        rule,
        "+TROP/DESCRIPTION",
        "*_________KEYWORD____________ ___VALUES(S)" + "_" * 38,
    )
    yield f" {'TROPO PARAMETER NAMES':<29s}{' '.join(f'{c:>6s}' for c in codes)}"
    yield f" {'TROPO PARAMETER UNITS':<29s}{' '.join(f'{u:>6s}' for u in units)}"
    yield f" {'TROPO PARAMETER WIDTH':<29s}{' '.join(f'{8:>6d}' for _ in codes)}"
    yield f" {'TIME SYSTEM':<29s}G"
    yield from (f" {keyword[:28]:<29s}{text}" for keyword, text in description)
    yield from ("-TROP/DESCRIPTION", rule)
    if all(s.position_ecef_m is not None for s in series):
        yield "+SITE/COORDINATES"
        yield (
            "*STATION__ PT SOLN T __DATA_START__ __DATA_END____ __STA_X_____ __STA_Y_____ __STA_Z_____ "
            "SYSTEM REMRK"
        )
        for s in series:
            if s.position_ecef_m is not None:
                x, y, z = s.position_ecef_m
                yield (
                    f" {s.station[:9]:<9s}  A    1 P {first} {last} {x:12.3f} {y:12.3f} {z:12.3f} "
                    f"{s.frame[:6] or '------':<6s} {agency:<5.5s}"
                )
        yield from ("-SITE/COORDINATES", rule)
    yield "+TROP/SOLUTION"
    yield "*STATION__ ____EPOCH_____ " + " ".join(f"{code:>8s}" for code in codes)
    for s in series:
        for i in range(len(s.epochs)):
            words: list[str] = []
            for name in names:
                code = _WRITTEN[name]
                factor = 1.0 if code in NOT_SCALED_BEFORE_UNITS else MILLIMETRES
                decimals = 3 if code.startswith("TG") else 1 if code.startswith("TRO") else 2
                columns = [
                    s.values[name],
                    *([s.sigmas[name]] if name in s.sigmas and "STDDEV" in codes else []),
                ]
                words += [_word(float(column[i]) * factor, decimals) for column in columns]
            yield f" {s.station[:9]:<9s} {_time(s.epochs[i])} {' '.join(words)}"
    yield from ("-TROP/SOLUTION", "%=ENDTRO")


def _word(value: float, decimals: int) -> str:
    return f"{MISSING if not np.isfinite(value) else value + 0.0:8.{decimals}f}"


def _time(epoch: Epochs) -> str:
    second = (epoch.to(TimeScale.GPST).datetime64() + np.timedelta64(500, "ms")).astype("datetime64[s]")
    year = second.astype("datetime64[Y]")
    elapsed = int((second - year.astype("datetime64[s]")).astype(np.int64))
    number = int(year.astype(np.int64)) + 1970
    return f"{number:04d}:{elapsed // SECONDS_PER_DAY + 1:03d}:{elapsed % SECONDS_PER_DAY:05d}"
