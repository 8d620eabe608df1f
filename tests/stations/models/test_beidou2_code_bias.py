"""The code bias of BeiDou-2 against the values printed by Wanninger and Beer (2015), table 3."""

import numpy as np
import pytest

from stations.models.beidou2_code_bias import beidou2_code_correction_m


@pytest.mark.parametrize(
    ("satellite", "kind", "band", "elevation_deg", "printed_m"),
    [
        ("C11", "BEIDOU-2M", "C2", 90.0, 1.05),
        ("C12", "BEIDOU-2M", "C6", 70.0, 0.27),
        ("C14", "BEIDOU-2M", "C7", 0.0, -0.40),
        ("C06", "BEIDOU-2I", "C2", 10.0, -0.40),
        ("C10", "BEIDOU-2I", "C7", 40.0, -0.14),
    ],
)
def test_printed_values(satellite, kind, band, elevation_deg, printed_m):
    got = beidou2_code_correction_m(satellite, kind, band, np.radians([elevation_deg]))
    assert got[0] == pytest.approx(printed_m, abs=1e-12)


def test_linear_between_the_elevations():
    got = beidou2_code_correction_m("C11", "BEIDOU-2M", "C2", np.radians([75.0]))
    assert got[0] == pytest.approx((0.69 + 0.97) / 2.0, abs=1e-12)


@pytest.mark.parametrize(
    ("satellite", "kind", "band"),
    [
        ("C27", "BEIDOU-3M-SECM", "C2"),
        ("C02", "BEIDOU-2G", "C2"),
        ("C16", "BEIDOU-2I", "C2"),
        ("G05", "BLOCK IIF", "G1"),
    ],
)
def test_others_have_none(satellite, kind, band):
    assert np.all(beidou2_code_correction_m(satellite, kind, band, np.radians([5.0, 85.0])) == 0.0)
