"""Carriers and their frequencies, against RINEX 4.02 (tables 9-16) and the systems' interface documents.

Every GNSS carrier is a whole multiple of its system's base clock: 10.23 MHz for GPS, Galileo, QZSS, SBAS and
the CDMA signals of BeiDou-3 (BDS-SIS-ICD-B1C 1.0, B2a 1.0), 2.046 MHz for B1I and B3I (BDS-SIS-ICD-B1I 3.0,
BDS-SIS-ICD-B3I 1.0).
"""

import pytest

from stations.signals import (
    BDS3_ONLY_BANDS,
    CARRIER_FREQUENCY_HZ,
    CARRIER_NAME,
    GLONASS_FDMA_HZ,
    carrier_frequency_hz,
    wavelength_m,
)

BASE_CLOCK_HZ = 10.23e6
BEIDOU_2_CLOCK_HZ = 2.046e6
MULTIPLES_OF_BASE_CLOCK = {
    "G1": 154, "G2": 120, "G5": 115, "E1": 154, "E5": 115, "E6": 125, "E7": 118, "E8": 116.5,
    "C1": 154, "C5": 115, "C6": 124, "C7": 118, "C8": 116.5, "J1": 154, "J2": 120, "J5": 115, "J6": 125,
    "S1": 154, "S5": 115, "I1": 154, "I5": 115, "R3": 117.5, "R4": 156.5, "R6": 122,
}  # fmt: skip


@pytest.mark.parametrize("band", MULTIPLES_OF_BASE_CLOCK)
def test_carriers_are_multiples_of_the_base_clock(band: str) -> None:
    assert carrier_frequency_hz(band) == pytest.approx(
        MULTIPLES_OF_BASE_CLOCK[band] * BASE_CLOCK_HZ, abs=1e-3
    )


def test_beidou_2_carriers_are_multiples_of_its_clock() -> None:
    assert carrier_frequency_hz("C2I") == pytest.approx(763 * BEIDOU_2_CLOCK_HZ, abs=1e-3)
    assert carrier_frequency_hz("C6I") == pytest.approx(620 * BEIDOU_2_CLOCK_HZ, abs=1e-3)
    assert carrier_frequency_hz("C7I") == pytest.approx(590 * BEIDOU_2_CLOCK_HZ, abs=1e-3)


def test_irnss_s_band() -> None:
    assert carrier_frequency_hz("I9A") == 2492.028e6  # IRNSS SIS ICD 1.1, table 1


@pytest.mark.parametrize(
    ("channel", "g1_hz", "g2_hz"), [(-7, 1598.0625e6, 1242.9375e6), (6, 1605.375e6, 1248.625e6)]
)
def test_glonass_channels(channel: int, g1_hz: float, g2_hz: float) -> None:
    # GLONASS ICD 5.1 (2008), table 3.2: the outermost channels.
    assert carrier_frequency_hz("R1C", channel) == g1_hz
    assert carrier_frequency_hz("R2P", channel) == g2_hz


def test_glonass_without_a_channel_and_unknown_bands_are_refused() -> None:
    with pytest.raises(KeyError, match="FDMA"):
        carrier_frequency_hz("R1C")
    with pytest.raises(KeyError):
        carrier_frequency_hz("G7C")


def test_wavelengths() -> None:
    assert wavelength_m("G1C") == pytest.approx(0.190293673, abs=1e-9)  # IS-GPS-200: c / 1575.42 MHz
    assert wavelength_m("C2I") == pytest.approx(0.192039486, abs=1e-9)


def test_every_carrier_has_a_name_and_a_frequency() -> None:
    assert set(CARRIER_NAME) == set(CARRIER_FREQUENCY_HZ) | set(GLONASS_FDMA_HZ)
    assert set(CARRIER_NAME) >= BDS3_ONLY_BANDS
