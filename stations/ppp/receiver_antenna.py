"""The receiver antenna's calibration for a solution: found, or refused; and what the output says of it."""

from collections.abc import Mapping, Sequence
from typing import Final

from stations.formats.antex import find_receiver_antenna
from stations.ppp.options import PppOptions
from stations.records import AntennaCalibration, AntennaType
from transforms.errors import InputError

# Height of a solution whose two carriers inherit GPS L1 and L2 minus that with their own calibrations, for
# the five antennas of the IGS20 set that have both (clock and zenith delay estimated, cutoff 8 degrees):
# B1I + B3I +3 to +28 mm, E1 + E5a and B1C + B2a -15 to -3 mm.
_INHERITED_EFFECT_M: Final = 0.03
_MISSING_EFFECT: Final = "costs up to 2 decimetres in height"


def receiver_calibration(
    antennas: Sequence[AntennaCalibration], antenna: AntennaType, options: PppOptions
) -> AntennaCalibration | None:
    """The receiver antenna's calibration; None only where `options.allow_missing_antenna` allows it.

    Raises
    ------
    InputError : no calibration of the antenna, with or without its radome, in any of the files
    """
    calibration = find_receiver_antenna(antennas, antenna, antenna.serial)
    if calibration is None and not options.allow_missing_antenna:
        raise InputError(
            f"receiver antenna {antenna.igs_code} is in none of the antenna files: its phase centre would be "
            f"taken at the reference point, which {_MISSING_EFFECT}; give a file that has it, or "
            "allow a missing antenna"
        )
    return calibration


def antenna_remarks(
    antenna: AntennaType, calibration: AntennaCalibration | None, inherited: Mapping[str, str]
) -> list[str]:
    """What is not as it should be with the receiver antenna, and what it may cost.

    inherited : band -> ANTEX code of the carrier that serves instead ("C6" -> "G02")
    """
    if calibration is None:
        return [
            f"receiver antenna {antenna.igs_code} has no calibration: its phase centre is taken at the "
            f"reference point, which {_MISSING_EFFECT}"
        ]
    remarks = []
    if calibration.kind[16:20].strip() != (antenna.radome or "NONE"):
        remarks.append(f"receiver antenna {antenna.igs_code} is calibrated as {calibration.kind} only")
    if inherited:
        served = ", ".join(f"{band} by {code}" for band, code in sorted(inherited.items()))
        remarks.append(
            f"receiver antenna {antenna.igs_code} has no calibration for some carriers; served: {served}: "
            f"up to {_INHERITED_EFFECT_M * 100:.0f} cm in the height of a system on these carriers alone"
        )
    return remarks
