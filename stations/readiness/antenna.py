"""Whether a receiver antenna's phase centre is known at the carriers of BeiDou-3."""

from collections.abc import Sequence
from typing import Final

from stations.formats.antex import find_receiver_antenna
from stations.models.antenna_phase import choose_frequency
from stations.readiness.records import AntennaReadiness
from stations.records import AntennaCalibration, AntennaType
from stations.signals import carrier_frequency_hz

BAND_OF_CARRIER: Final = {"B1C": "C1", "B2a": "C5", "B2b": "C7", "B1I": "C2", "B3I": "C6"}
NEEDED: Final = ("B1C", "B2a")  # the two global signals of BeiDou-3
# A phase centre belongs to a frequency, not to a system: L5, E5a and B2a are one. The two GLONASS steps of
# calibrations are farther apart than this.
_SAME_FREQUENCY_HZ: Final = 1.0e6
_L5_CODES: Final = frozenset({"G05", "E05", "C05", "J05"})


def antenna_readiness(calibrations: Sequence[AntennaCalibration], antenna: AntennaType) -> AntennaReadiness:
    """Own, same-frequency and inherited calibrations of B1C, B2a, B2b, B1I and B3I.

    Whether the antenna is fit is not judged where no calibrations were given, where they lack the antenna, or
    where they know no antenna at all on the L5 band: then the list is silent, not the antenna unfit.
    """
    none = dict.fromkeys(BAND_OF_CARRIER, "none")
    if not antenna.name:
        return AntennaReadiness("", none, None, "the header names no antenna")
    if not calibrations:
        return AntennaReadiness("", none, None, "no ANTEX given: calibration not judged")
    found = find_receiver_antenna(calibrations, antenna, antenna.serial)
    if found is None:
        return AntennaReadiness(
            "",
            none,
            None,
            f"{_words(antenna.igs_code)} is not in the ANTEX given: its phase centre is unknown, "
            "which costs up to 2 dm in height",
        )
    by_carrier = {carrier: _serves(found, band) for carrier, band in BAND_OF_CARRIER.items()}
    note = ""
    if found.kind[16:20].strip() not in ("", antenna.radome or "NONE"):
        note = f"calibrated as {_words(found.kind)} only, without its radome"
    far = [c for c in NEEDED if by_carrier[c].startswith(("nearest", "none"))]
    fit: bool | None = not far
    if far:
        served = ", ".join(f"{c} {by_carrier[c]}" for c in far)
        note = f"{note}; " if note else ""
        note += f"not calibrated at the frequency of {' and '.join(far)} ({served}): up to 3 cm in height"
        if not any(_L5_CODES & c.frequencies.keys() for c in calibrations if not c.cospar and not c.svn):
            fit = None
            note += "; the ANTEX given knows no antenna on the L5 band, so this says nothing of the antenna"
    return AntennaReadiness(_words(found.kind), by_carrier, fit, note)


def _serves(calibration: AntennaCalibration, band: str) -> str:
    chosen, inherited = choose_frequency(calibration, band)
    if chosen is None:
        return "none"
    if inherited is None:
        return "own"
    other_hz = carrier_frequency_hz(f"{inherited[0]}{int(inherited[1:])}", 0)
    same = abs(other_hz - carrier_frequency_hz(band)) < _SAME_FREQUENCY_HZ
    return f"{'same frequency' if same else 'nearest'} ({inherited})"


def _words(kind: str) -> str:
    return " ".join(kind.split())
