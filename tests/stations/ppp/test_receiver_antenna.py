"""An antenna without a calibration is refused unless allowed, and the output says what it costs."""

import numpy as np
import pytest

from stations.ppp.options import PppOptions
from stations.ppp.receiver_antenna import antenna_remarks, receiver_calibration
from stations.records import AntennaCalibration, AntennaFrequencyCalibration, AntennaType
from transforms.errors import InputError

ZENITH = np.radians(np.arange(0.0, 91.0, 5.0))


def calibration(kind):
    frequency = AntennaFrequencyCalibration(np.zeros(3), np.zeros(ZENITH.size), None)
    return AntennaCalibration(kind, "", "", "", None, None, ZENITH, None, {"G01": frequency}, "TEST")


def test_an_unknown_antenna_is_an_error_that_names_it():
    with pytest.raises(InputError, match="UNHEARD-OF"):
        receiver_calibration([calibration("TRM59800.00     NONE")], AntennaType("UNHEARD-OF"), PppOptions())


def test_an_unknown_antenna_can_be_allowed_and_is_remarked():
    antenna = AntennaType("UNHEARD-OF")
    found = receiver_calibration([], antenna, PppOptions(allow_missing_antenna=True))
    assert found is None
    (remark,) = antenna_remarks(antenna, found, {})
    assert "decimetres" in remark


def test_a_radome_without_calibration_and_inherited_carriers_are_remarked():
    antenna = AntennaType("TRM59800.00", "SCIT")
    found = receiver_calibration([calibration("TRM59800.00     NONE")], antenna, PppOptions())
    remarks = antenna_remarks(antenna, found, {"C6": "G02"})
    assert any("NONE only" in r for r in remarks)
    assert any("C6 by G02" in r and "cm in the height" in r for r in remarks)
    assert antenna_remarks(AntennaType("TRM59800.00"), found, {}) == []
