"""Write satellite positions, velocities and clocks as SP3-d (Hilla 2016)."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.formats.atomic_write import write_atomically
from stations.formats.compression import compress_for
from stations.records import PathLike, SatelliteOrbits
from transforms.errors import InputError
from transforms.time_scales import TimeScale

_SATELLITES_IN_LINE: Final = 17
_FEWEST_SATELLITE_LINES: Final = 5
# Bases of the exponents in columns 61-73, as every centre writes them.
_POSITION_BASE: Final = 1.25
_CLOCK_BASE: Final = 1.025


def write_sp3(orbits: SatelliteOrbits, path: PathLike) -> None:
    """Write orbits as SP3-d, positions to 1 mm and clocks to 1 ps, GPS time; ".gz" is compressed.

    NaN becomes 0.000000 and 999999.999999. Velocities make a file of type V; sigmas and accuracies are
    rounded to the powers that the format has. The same orbits give the same bytes.
    """
    calendar = [_calendar(str(t)) for t in orbits.epochs.to(TimeScale.GPST).datetime64()]
    records: list[str] = []
    position_km = np.nan_to_num(orbits.position_ecef_m / 1e3, nan=0.0)
    clock_us = np.nan_to_num(orbits.clock_s * 1e6, nan=999999.999999)
    for i, reading in enumerate(calendar):
        records.append(f"*  {reading}")
        for j, satellite in enumerate(orbits.satellites):
            x, y, z = position_km[i, j]
            line = f"P{satellite}{x:14.6f}{y:14.6f}{z:14.6f}{clock_us[i, j]:14.6f}"
            records.append(f"{line}{_sigma_text(orbits, i, j)}{_flag_text(orbits, i, j)}".rstrip())
            if orbits.velocity_ecef_m_per_s is not None:
                records.append(_velocity_line(orbits, i, j))
    text = "\n".join([*_header_lines(orbits, calendar[0]), *records, "EOF"]) + "\n"
    write_atomically(path, compress_for(path, text.encode("ascii")))


def _sigma_text(orbits: SatelliteOrbits, i: int, j: int) -> str:
    """Columns 61-73: exponents of the sigmas; blank where unknown or beyond two and three digits."""
    words: list[str] = []
    for axis in range(3):
        sigma = None if orbits.position_sigma_m is None else orbits.position_sigma_m[i, j, axis]
        words.append(_exponent(sigma, _POSITION_BASE, 1e-3, 2))
    sigma = None if orbits.clock_sigma_s is None else orbits.clock_sigma_s[i, j]
    return " " + " ".join([*words, _exponent(sigma, _CLOCK_BASE, 1e-12, 3)])


def _exponent(sigma: float | None, base: float, unit: float, width: int) -> str:
    if sigma is None or not np.isfinite(sigma) or sigma < unit:
        return " " * width
    exponent = round(math.log(sigma / unit) / math.log(base))
    return f"{exponent:{width}d}" if exponent < 10**width else " " * width


def _flag_text(orbits: SatelliteOrbits, i: int, j: int) -> str:
    """Columns 74-80: clock event, clock predicted, manoeuvre, orbit predicted."""

    def flag(table: NDArray[np.bool_] | None, letter: str) -> str:
        return letter if table is not None and table[i, j] else " "

    return (
        f" {flag(orbits.clock_event, 'E')}{flag(orbits.clock_predicted, 'P')}  "
        f"{flag(orbits.manoeuvre, 'M')}{flag(orbits.orbit_predicted, 'P')}"
    )


def _velocity_line(orbits: SatelliteOrbits, i: int, j: int) -> str:
    velocity, rate = orbits.velocity_ecef_m_per_s, orbits.clock_rate_s_per_s
    if velocity is None:
        raise InputError("the orbits have no velocities")
    x, y, z = np.nan_to_num(velocity[i, j] * 10.0, nan=0.0)
    clock = np.nan if rate is None else rate[i, j] * 1e10
    clock = 999999.999999 if not np.isfinite(clock) else clock
    return f"V{orbits.satellites[j]}{x:14.6f}{y:14.6f}{z:14.6f}{clock:14.6f}"


def _calendar(moment: str) -> str:
    day, time = moment.split("T")
    hour, minute, second = time.split(":")
    year, month, date = day.split("-")
    return f"{year} {int(month):2d} {int(date):2d} {int(hour):2d} {int(minute):2d} {float(second):11.8f}"


def _header_lines(orbits: SatelliteOrbits, first_reading: str) -> list[str]:
    start = orbits.epochs.to(TimeScale.GPST).datetime64()[0]
    since_gps_zero_ns = int((start - np.datetime64("1980-01-06", "ns")).astype(np.int64))
    week, second_of_week_ns = divmod(since_gps_zero_ns, 604_800 * 10**9)
    day = int(start.astype("datetime64[D]").astype(np.int64)) + 40587  # 1970-01-01 is MJD 40587
    fraction = (start - start.astype("datetime64[D]")).astype("timedelta64[ns]").astype(np.int64) / 86_400e9
    steps = np.diff(orbits.epochs.tai_ns)
    interval_s = float(np.min(steps)) / 1e9 if steps.size else 900.0
    used = orbits.satellites
    kind_of_file = "P" if orbits.velocity_ecef_m_per_s is None else "V"
    n_lines = max(_FEWEST_SATELLITE_LINES, -(-len(used) // _SATELLITES_IN_LINE))
    names = [*used, *["  0"] * (n_lines * _SATELLITES_IN_LINE - len(used))]
    lines = [
        f"#d{kind_of_file}{first_reading} {len(orbits.epochs):7d} ORBIT {orbits.frame:>5.5s} FIT "
        f"{orbits.centre:>4.4s}",
        f"## {week:4d} {second_of_week_ns / 1e9:15.8f} {interval_s:14.8f} {day:5d} {fraction:15.13f}",
    ]
    for row in range(n_lines):
        head = f"+  {len(used):3d}   " if row == 0 else "+        "
        lines.append(head + "".join(names[row * _SATELLITES_IN_LINE : (row + 1) * _SATELLITES_IN_LINE]))
    codes = [_exponent(orbits.accuracy_m.get(s), 2.0, 1e-3, 3).replace("   ", "  0") for s in used]
    codes += ["  0"] * (n_lines * _SATELLITES_IN_LINE - len(used))
    lines += [
        "++       " + "".join(codes[row * _SATELLITES_IN_LINE : (row + 1) * _SATELLITES_IN_LINE])
        for row in range(n_lines)
    ]
    systems = {s[0] for s in used}
    kind = systems.pop() if len(systems) == 1 else "M"
    lines += [
        f"%c {kind}  cc GPS ccc cccc cccc cccc cccc ccccc ccccc ccccc ccccc",
        "%c cc cc ccc ccc cccc cccc cccc cccc ccccc ccccc ccccc ccccc",
        "%f  1.2500000  1.025000000  0.00000000000  0.000000000000000",
        "%f  0.0000000  0.000000000  0.00000000000  0.000000000000000",
        "%i    0    0    0    0      0      0      0      0         0",
        "%i    0    0    0    0      0      0      0      0         0",
    ]
    # SP3-d asks for at least four comment lines.
    return [*lines, "/* Jizhun", "/* ", "/* ", "/* "]
