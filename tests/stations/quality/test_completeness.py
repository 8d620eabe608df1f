"""Expected epochs come from the file's name where it follows the RINEX naming; gaps carry their times."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from stations.quality.completeness import check_completeness, session_from_file_name
from stations.records import (
    AntennaType,
    InputFile,
    Observations,
    StationHeader,
    StationSetup,
    check_observations,
)
from transforms.errors import InputError
from transforms.time_scales import Epochs


def observations_at(seconds: list[int], name: str = "") -> Observations:
    epoch = np.datetime64("2024-07-27T00:00:00", "ns") + np.array(seconds, dtype="timedelta64[s]")
    shape = (len(seconds), 1, 1)
    dims = ("epoch", "satellite", "signal")
    data = xr.Dataset(
        {
            "pseudorange_m": (dims, np.full(shape, 2.2e7)),
            "carrier_phase_cycles": (dims, np.full(shape, 1.1e8)),
            "cn0_dbhz": (dims, np.full(shape, 45.0, dtype=np.float32)),
            "loss_of_lock": (dims, np.zeros(shape, dtype=np.uint8)),
        },
        coords={"epoch": epoch, "satellite": ["G01"], "signal": ["1C"]},
    )
    check_observations(data)
    setup = StationSetup("", "", "", AntennaType("TEST"), (0.0, 0.0, 0.0))
    header = StationHeader("TEST", "", setup, None, {}, "3.04")
    inputs = (InputFile(name, "0" * 64),) if name else ()
    return Observations(data, header, inputs=inputs)


@pytest.mark.parametrize(
    ("name", "first", "hours"),
    [
        ("NIST00USA_R_20230010000_01D_30S_MO.crx.gz", "2023-01-01T00:00:00", 24.0),
        ("folder/JFNG00CHN_R_20190450700_01H_30S_MO.crx.gz", "2019-02-14T07:00:00", 1.0),
        ("ABCD00CHN_S_20243662345_15M_01S_MO.rnx", "2024-12-31T23:45:00", 0.25),
        ("zimm0010.21d.gz", "2021-01-01T00:00:00", 24.0),
        ("bjfs1170.26o.gz", "2026-04-27T00:00:00", 24.0),
        ("abcd001b.99o", "1999-01-01T01:00:00", 1.0),
        ("abcd001x45.21d.Z", "2021-01-01T23:45:00", 0.25),
    ],
)
def test_session_from_names_of_rinex(name: str, first: str, hours: float) -> None:
    session = session_from_file_name(name)
    assert session is not None
    assert session[0].iso() == first
    assert float(session[1].seconds_since(session[0])) == hours * 3600


@pytest.mark.parametrize(
    "name", ["", "data.txt", "abcd3990.21o", "NIST00USA_R_20234000000_01D_30S_MO.crx", "x/y/"]
)
def test_other_names_promise_nothing(name: str) -> None:
    assert session_from_file_name(name) is None


def test_gaps_at_the_start_in_the_middle_and_at_the_end() -> None:
    seconds = [s for s in range(0, 3600, 30) if 60 <= s < 1200 or 1500 <= s < 3540]
    found = check_completeness(observations_at(seconds, "ABCD00CHN_R_20242090000_01H_30S_MO.rnx"))
    assert found.expectation == "file names"
    assert (found.n_epochs, found.n_epochs_expected) == (len(seconds), 120)
    assert [(a.iso()[11:], b.iso()[11:]) for a, b in found.gaps] == [
        ("00:00:00", "00:01:00"),
        ("00:19:30", "00:25:00"),
        ("00:58:30", "00:59:30"),
    ]
    assert found.longest_gap_s == 330.0


def test_without_a_telling_name_the_observed_epochs_span_the_session() -> None:
    found = check_completeness(observations_at(list(range(600, 3600, 30)), "export.obs"))
    assert found.expectation == "first and last epoch"
    assert found.ratio == 1.0
    assert found.gaps == ()


def test_a_name_that_contradicts_the_epochs_is_not_believed() -> None:
    found = check_completeness(observations_at([0, 30, 60], "ABCD00CHN_R_20230010000_01D_30S_MO.rnx"))
    assert found.expectation == "first and last epoch"


@given(missing=st.sets(st.integers(1, 118), max_size=60))
def test_observed_and_missing_epochs_add_up(missing: set[int]) -> None:
    seconds = [30 * k for k in range(120) if k not in missing]
    found = check_completeness(observations_at(seconds, "ABCD00CHN_R_20242090000_01H_30S_MO.rnx"))
    if found.interval_s == 30.0:
        lost = sum(round(float(b.seconds_since(a)) / 30.0) - 1 for a, b in found.gaps)
        assert lost == len(missing)
        assert found.n_epochs + lost == found.n_epochs_expected


def test_one_epoch_and_none() -> None:
    assert check_completeness(observations_at([0])).ratio == 1.0
    with pytest.raises(InputError, match="no epoch"):
        check_completeness(observations_at([]))
    day = np.datetime64("2020-01-01T00:00:00", "ns")
    elsewhere = (Epochs.from_datetime64(day), Epochs.from_datetime64(day + np.timedelta64(1, "D")))
    with pytest.raises(InputError, match="no epoch lies in the session"):
        check_completeness(observations_at([0, 30, 60]), session=elsewhere)
