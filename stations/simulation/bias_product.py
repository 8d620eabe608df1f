"""The biases of the simulated centre as a Bias-SINEX file: code and phase of every satellite and signal.

With the phase biases the ambiguities between satellites are whole numbers, so the sample also serves for
fixing them. Bias-SINEX 1.00 (Schaer 2016): corrected observation = observation - bias.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from stations.formats.atomic_write import write_atomically
from stations.formats.compression import compress_for
from stations.signals import wavelength_m
from stations.simulation.products import CENTRE
from transforms.constants import SPEED_OF_LIGHT_M_PER_S

_NANOSECOND_M: Final = SPEED_OF_LIGHT_M_PER_S * 1e-9
_STATED_SIGMA_NS: Final = 0.001
Biases = Mapping[tuple[str, str], float]


def write_bias_product(
    path: Path, code_biases_m: Biases, phase_biases_cycles: Biases, first_day: str, end_day: str
) -> None:
    """Write observable-specific biases valid from one midnight to another ("2026:116", GPS time)."""
    start, end = f"{first_day}:00000", f"{end_day}:00000"
    lines = list(_lines(code_biases_m, phase_biases_cycles, start, end))
    head = f"%=BIA 1.00 {CENTRE} {end} {CENTRE} {start} {end} A {len(lines):08d}"
    text = "\n".join(
        [
            head,
            "+FILE/REFERENCE",
            " DESCRIPTION        SIMULATED",
            " SOFTWARE           Jizhun",
            "-FILE/REFERENCE",
            "+BIAS/DESCRIPTION",
            " BIAS_MODE                               ABSOLUTE",
            " TIME_SYSTEM                             G",
            "-BIAS/DESCRIPTION",
            "+BIAS/SOLUTION",
            "*BIAS SVN_ PRN STATION__ OBS1 OBS2 BIAS_START____ BIAS_END______ UNIT "
            "__ESTIMATED_VALUE____ _STD_DEV___",
            *lines,
            "-BIAS/SOLUTION",
            "%=ENDBIA",
        ]
    )
    write_atomically(path, compress_for(path, (text + "\n").encode("ascii")))


def _lines(code_biases_m: Biases, phase_biases_cycles: Biases, start: str, end: str) -> Iterator[str]:
    for satellite, signal in sorted(code_biases_m):
        code_m = code_biases_m[satellite, signal]
        phase_m = phase_biases_cycles[satellite, signal] * wavelength_m(satellite[0] + signal)
        for name, value_m in ((f"C{signal}", code_m), (f"L{signal}", phase_m)):
            subject = f"{satellite[0]}9{satellite[1:]} {satellite} {'':9s} {name:<4s} {'':4s}"
            yield (
                f" OSB  {subject} {start} {end} ns   {value_m / _NANOSECOND_M:21.5f} {_STATED_SIGMA_NS:11.5f}"
            )
