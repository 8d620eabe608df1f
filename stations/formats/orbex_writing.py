"""Write orbits, clocks and attitudes of satellites as ORBEX 0.09."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stations.formats.atomic_write import write_atomically
from stations.formats.compression import compress_for
from stations.formats.fixed_width import FloatArray
from stations.records import PathLike, SatelliteAttitudes, SatelliteOrbits
from transforms.errors import InputError
from transforms.time_scales import Epochs, TimeScale

_RULE = "*" + "-" * 102
_NO_CLOCK_TEXT = f"{999999.999999:17.7f}"
_NO_POSITION_SIGMA_TEXT = f"{99999.9:8.1f}"
_NO_CLOCK_SIGMA_TEXT = f"{9999999.999:12.3f}"
_ATTITUDES = "Satellite attitude quaternions"
_ORBITS = "Satellite orbits and clocks"


@dataclass(frozen=True, eq=False)
class OrbexFile:
    """What an ORBEX file holds.

    description : keys of FILE/DESCRIPTION as written ("COORD_SYSTEM" -> "IGS20")
    attitudes, orbits : None where the file has no such records
    record_types_left_out : what the reader does not take over ("CPC")
    """

    description: Mapping[str, str] = field(default_factory=dict)
    attitudes: SatelliteAttitudes | None = None
    orbits: SatelliteOrbits | None = None
    record_types_left_out: tuple[str, ...] = ()


def write_orbex_attitudes(attitudes: SatelliteAttitudes, path: PathLike) -> None:
    """Write attitudes as ORBEX 0.09, whole or not at all; ".gz" compresses."""
    write_orbex(OrbexFile(attitudes=attitudes), path)


def write_orbex_orbits(orbits: SatelliteOrbits, path: PathLike) -> None:
    """Write orbits with clocks, sigmas, flags and velocities as ORBEX 0.09; ".gz" compresses."""
    write_orbex(OrbexFile(orbits=orbits), path)


def write_orbex(record: OrbexFile, path: PathLike) -> None:
    """Write ORBEX 0.09, whole or not at all; ".gz" compresses.

    Epochs in GPS time; positions to 0.1 mm, velocities to 0.1 um/s, clocks to 0.1 ps, sigmas to 0.1 mm and
    1 fs, quaternions to 16 decimals. Of the record's description the free texts are taken.

    Raises InputError where there are neither attitudes nor orbits, or the two are of different frames.
    """
    attitudes, orbits = record.attitudes, record.orbits
    either = attitudes or orbits
    if either is None:
        raise InputError(f"{path}: an ORBEX file is written of attitudes or orbits, and there are none")
    if attitudes is not None and orbits is not None and attitudes.frame != orbits.frame:
        raise InputError(f"{path}: attitudes in {attitudes.frame} and orbits in {orbits.frame}")
    tai_ns = np.unique(np.concatenate([t.epochs.tai_ns for t in (attitudes, orbits) if t is not None]))
    readings = [_calendar(str(t)) for t in Epochs(tai_ns).to(TimeScale.GPST).datetime64()]
    lines = [*_head(record, either, tai_ns, readings)]
    of_attitudes = {} if attitudes is None else _attitude_lines(attitudes)
    of_orbits = {} if orbits is None else _orbit_lines(orbits)
    for instant, reading in zip(tai_ns.tolist(), readings, strict=True):
        records = [*of_orbits.get(instant, ()), *of_attitudes.get(instant, ())]
        lines.append(f"## {reading} {len({line[5:8] for line in records}):3d}")
        lines += records
    text = "\n".join([*lines, "-EPHEMERIS/DATA", "%END_ORBEX"]) + "\n"
    write_atomically(path, compress_for(path, text.encode("latin-1", errors="replace")))


def _head(
    record: OrbexFile,
    either: SatelliteAttitudes | SatelliteOrbits,
    tai_ns: NDArray[np.int64],
    readings: list[str],
) -> Iterator[str]:
    attitudes, orbits = record.attitudes, record.orbits
    steps = np.diff(tai_ns)
    interval_s = float(np.min(steps)) / 1e9 if steps.size else 0.0
    tables = [t for t in (attitudes, orbits) if t is not None]
    satellites = sorted({satellite for table in tables for satellite in table.satellites})
    kinds = [] if orbits is None else ["PCS"]
    kinds += ["VCS"] if orbits is not None and orbits.velocity_ecef_m_per_s is not None else []
    kinds += ["ATT"] if attitudes is not None else []
    usual = {
        "DESCRIPTION": _ATTITUDES if orbits is None else _ORBITS,
        "CREATED_BY": either.centre,
        "INPUT_DATA": "",
        "CONTACT": "",
    }
    yield from ("%=ORBEX  0.09", "%%", _RULE, "+FILE/DESCRIPTION")
    for key, text in usual.items():
        yield f" {key:<20s}{record.description.get(key, text)}"
    yield from (
        " TIME_SYSTEM         GPS",
        f" START_TIME          {readings[0]}",
        f" END_TIME            {readings[-1]}",
        f" EPOCH_INTERVAL      {interval_s:9.3f}",
        f" COORD_SYSTEM        {either.frame}",
        " FRAME_TYPE          ECEF",
        f" LIST_OF_REC_TYPES   {' '.join(kinds)}",
    )
    if orbits is not None:
        yield " ORBIT_XYZ_UNITS     METERS"
        yield " ORBIT_XYZ_REFERENCE CENTER-OF-MASS"
        yield " SVCLK_UNITS         MICROSECONDS"
    yield from ("-FILE/DESCRIPTION", _RULE, "+SATELLITE/ID_AND_DESCRIPTION")
    yield from (f" {satellite}" for satellite in satellites)
    yield from ("-SATELLITE/ID_AND_DESCRIPTION", _RULE)
    if orbits is not None and orbits.accuracy_m:
        yield from _accuracies(orbits, readings)
    yield "+EPHEMERIS/DATA"
    if orbits is not None:
        yield (
            "*REC ID_    FLAGS_    N ________X_(m)___ ________Y_(m)___ ________Z_(m)___ __SVCLK_(usec)__ "
            "__STD_X __STD_Y __STD_Z ____STD_CLK"
        )
    if attitudes is not None:
        yield "*ATT RECORDS: ECEF --> SAT. BODY FRAME, (0,B) = q.(0,T).trans(q)"
        yield (
            "*REC ID_              N ___q0_(scalar)_____ ____q1__x__________ ____q2__y__________ "
            "____q3__z__________"
        )


def _accuracies(orbits: SatelliteOrbits, readings: list[str]) -> Iterator[str]:
    span = " ".join(_to_the_second(reading) for reading in (readings[0], readings[-1]))
    yield "+SATELLITE/STD_DEVS"
    yield "*ID_    STDP(mm) STDCLK(psec) PS CL START_TIME_________ END_TIME___________"
    for satellite, sigma_m in sorted(orbits.accuracy_m.items()):
        yield f" {satellite}{sigma_m * 1e3:12.2f} {99999999.999:12.3f} OB OB {span}"
    yield from ("-SATELLITE/STD_DEVS", _RULE)


def _attitude_lines(attitudes: SatelliteAttitudes) -> dict[int, list[str]]:
    """Records by instant."""
    lines: dict[int, list[str]] = {}
    for instant, row in zip(
        attitudes.epochs.tai_ns.tolist(), attitudes.quaternion_body_from_ecef, strict=True
    ):
        given = np.flatnonzero(np.isfinite(row).all(axis=1))
        lines[instant] = [
            f" ATT {attitudes.satellites[j]}{'':14s}4 " + " ".join(f"{q + 0.0:19.16f}" for q in row[j])
            for j in given
        ]
    return lines


def _orbit_lines(orbits: SatelliteOrbits) -> dict[int, list[str]]:
    """Records by instant: position with clock, or the clock alone; velocity with the clock's rate."""
    lines: dict[int, list[str]] = {}
    for i, instant in enumerate(orbits.epochs.tai_ns.tolist()):
        found = lines.setdefault(instant, [])
        for j, satellite in enumerate(orbits.satellites):
            position, clock_s = orbits.position_ecef_m[i, j], orbits.clock_s[i, j]
            if np.isfinite(position).all():
                clock = f"{clock_s * 1e6:17.7f}" if np.isfinite(clock_s) else _NO_CLOCK_TEXT
                sigmas = _sigma_texts(orbits, i, j)
                vector = "".join(f"{x:17.4f}" for x in position)
                count = 8 if sigmas else 4
                found.append(f" PCS {satellite}    {_flags(orbits, i, j)}    {count}{vector}{clock}{sigmas}")
            elif np.isfinite(clock_s):
                found.append(f" CLK {satellite}{'':14s}1{clock_s * 1e6:17.7f}")
            if orbits.velocity_ecef_m_per_s is not None:
                found += _velocity_line(orbits.velocity_ecef_m_per_s[i, j], orbits, i, j)
    return lines


def _velocity_line(velocity: FloatArray, orbits: SatelliteOrbits, i: int, j: int) -> list[str]:
    rate = np.nan if orbits.clock_rate_s_per_s is None else float(orbits.clock_rate_s_per_s[i, j])
    name = orbits.satellites[j]
    if not np.isfinite(velocity).all():
        return [f" CRT {name}{'':14s}1{rate * 1e9:17.7f}"] if np.isfinite(rate) else []
    vector = "".join(f"{v:17.7f}" for v in velocity)
    return [
        f" VCS {name}{'':14s}4{vector}{rate * 1e9:17.7f}"
        if np.isfinite(rate)
        else f" VCS {name}{'':14s}3{vector}"
    ]


def _sigma_texts(orbits: SatelliteOrbits, i: int, j: int) -> str:
    """Columns of the standard deviations (mm, ps); "" where the record has none at all."""
    if orbits.position_sigma_m is None and orbits.clock_sigma_s is None:
        return ""
    position = np.full(3, np.nan) if orbits.position_sigma_m is None else orbits.position_sigma_m[i, j]
    clock = np.nan if orbits.clock_sigma_s is None else float(orbits.clock_sigma_s[i, j])
    words = [f"{s * 1e3:8.1f}" if np.isfinite(s) else _NO_POSITION_SIGMA_TEXT for s in position]
    words.append(f"{clock * 1e12:12.3f}" if np.isfinite(clock) else _NO_CLOCK_SIGMA_TEXT)
    return "".join(words)


def _flags(orbits: SatelliteOrbits, i: int, j: int) -> str:
    """Clock event, clock predicted, manoeuvre and orbit predicted, as in SP3."""

    def letter(table: NDArray[np.bool_] | None, name: str) -> str:
        return name if table is not None and table[i, j] else " "

    return (
        f"{letter(orbits.clock_event, 'E')}{letter(orbits.clock_predicted, 'P')}  "
        f"{letter(orbits.manoeuvre, 'M')}{letter(orbits.orbit_predicted, 'P')}"
    )


def _calendar(moment: str) -> str:
    day, time = moment.split("T")
    hour, minute, second = time.split(":")
    return f"{day.replace('-', ' ')} {hour} {minute} {float(second):015.12f}"


def _to_the_second(reading: str) -> str:
    return reading[:19]
