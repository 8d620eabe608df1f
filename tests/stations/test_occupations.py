"""Events inside a session: what is solved of it, and what is told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stations.formats.antex import read_antex
from stations.formats.products import find_products
from stations.formats.rinex_observation import read_observations
from stations.occupations import longest_occupation, occupations
from stations.ppp.options import PppOptions
from stations.ppp.solve import solve_station
from stations.records import AntennaType, LossOfLock, ObservationEvent
from transforms.errors import InputError
from transforms.time_scales import Epochs

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLE = Path(__file__).parent / "formats" / "examples" / "observation_v3.rnx"


@pytest.fixture
def session():
    return read_observations(EXAMPLE)


def event(observations, flag, index, setup=None, *, is_blank=False):
    """An event just before the epoch of this index; blank: without a time, behind the epoch before."""
    epoch_ns = observations.epochs.tai_ns
    if is_blank:
        behind = Epochs(np.asarray(epoch_ns[index - 1]))
        return ObservationEvent(None, flag, "planted", (), 77, setup, behind)
    return ObservationEvent(Epochs(np.asarray(epoch_ns[index] - 1)), flag, "planted", (), 77, setup)


def test_a_session_without_events_is_one_occupation(session):
    (only,) = occupations(session)
    assert (only.first, only.stop) == (0, len(session.epochs))
    same, remarks = longest_occupation(session, may_move=False)
    assert same is session
    assert remarks == ()


@pytest.mark.parametrize("is_blank", [False, True])
def test_a_new_antenna_parts_the_session_and_the_longer_part_is_solved(session, is_blank):
    setup = replace(session.header.setup, antenna=AntennaType("LEIAR25.R4", "LEIT"))
    changed = replace(session, events=(event(session, 4, 2, setup, is_blank=is_blank),))
    chosen, remarks = longest_occupation(changed, may_move=False)
    assert len(chosen.epochs) == len(session.epochs) - 2
    assert chosen.header.setup.antenna.name == "LEIAR25.R4"
    assert len(remarks) == 1
    assert "left out are 2 epochs from the header" in remarks[0]


def test_a_new_receiver_parts_nothing(session):
    setup = replace(session.header.setup, receiver="OTHER", receiver_firmware="9.9")
    changed = replace(session, events=(event(session, 4, 2, setup),))
    assert len(occupations(changed)) == 1


def test_a_moving_antenna_serves_a_kinematic_solution_only(session):
    n = len(session.epochs)
    moved = replace(session, events=(event(session, 2, 2), event(session, 3, n - 1)))
    assert [(p.n_epochs, p.is_moving) for p in occupations(moved)] == [(2, False), (n - 3, True), (1, False)]
    static, _ = longest_occupation(moved, may_move=False)
    assert len(static.epochs) == 2
    kinematic, _ = longest_occupation(moved, may_move=True)
    assert len(kinematic.epochs) == n - 3


def test_an_antenna_that_never_stands_has_no_static_position(session):
    moved = replace(session, events=(event(session, 2, 0),))
    with pytest.raises(InputError, match="moves during the whole session"):
        longest_occupation(moved, may_move=False)


def test_a_power_failure_takes_the_lock_of_every_phase_behind_it(session):
    failed = replace(session, events=(event(session, 1, 4),))
    marked, remarks = longest_occupation(failed, may_move=False)
    phase = session.data["carrier_phase_cycles"].values
    before = session.data["loss_of_lock"].values
    newly = (marked.data["loss_of_lock"].values ^ before) & LossOfLock.LOST
    assert not newly[:4].any()
    tracked_behind = np.isfinite(phase[4:]).any(axis=0)
    was_lost_there = (before[4:] & LossOfLock.LOST).any(axis=0)
    np.testing.assert_array_equal(newly[4:].sum(axis=0)[~was_lost_there], tracked_behind[~was_lost_there])
    assert "1 power failure" in remarks[0]


def test_the_solution_keeps_to_one_antenna_height():
    """A header line raises the antenna by 10 cm at 18 h on paper alone: the hours before it are solved."""
    day = REPOSITORY / "sample_data" / "observations" / "NJLS00CHN_R_20261160000_01D_05M_MO.crx.gz"
    observations = read_observations(day)
    epochs = observations.epochs
    products = find_products([REPOSITORY / "sample_data" / "products"], epochs[0], epochs[-1])
    antennas = read_antex(next((REPOSITORY / "sample_data" / "antex").iterdir()))
    east, north, up = observations.header.setup.eccentricity_enu_m
    raised = replace(observations.header.setup, eccentricity_enu_m=(east, north, up + 0.1))
    n = len(observations.epochs)
    planted = event(observations, 4, 3 * n // 4, raised)
    options = PppOptions(systems="G")
    whole = solve_station(observations, products, antennas, options=options)
    parted = solve_station(replace(observations, events=(planted,)), products, antennas, options=options)
    assert np.linalg.norm(parted.position_ecef_m - whole.position_ecef_m) < 0.03
    assert parted.setup == observations.header.setup
    assert parted.last_epoch.tai_ns < planted.epoch.tai_ns
    assert any("events part the session" in r for r in parted.remarks)
