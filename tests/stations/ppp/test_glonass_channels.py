"""Channels told by phase against code, against those that the satellites and the header themselves name."""

import numpy as np
import pytest

from stations.formats.rinex_navigation import read_navigation
from stations.formats.rinex_observation import read_observations
from stations.ppp.glonass_channels import glonass_channels, observed_channel
from stations.ppp.options import PppOptions
from stations.ppp.signal_selection import choose_signals

pytestmark = [pytest.mark.real_data]


def test_a_rinex_2_file_without_channels_tells_those_of_the_navigation_messages(real_data):
    folder = real_data / "nl_2021001"
    observations = read_observations([folder / "delf0010.21d.gz"], systems="R")
    assert not observations.header.glonass_channels
    told = glonass_channels(observations, choose_signals(observations, PppOptions(systems="R")))
    vectors = read_navigation([folder / "AMEL00NLD_R_20210010000_01D_MN.rnx.gz"]).state_vectors
    sent = {
        str(satellite): int(channel)
        for satellite, channel in zip(vectors.satellite, vectors.frequency_channel, strict=True)
        if str(satellite)[0] == "R" and np.isfinite(channel)
    }
    assert len(told.observed) >= 18
    assert told.by_satellite == {satellite: sent[satellite] for satellite in told.by_satellite}


def test_the_observations_of_nist_confirm_its_header(real_data):
    observations = read_observations(
        [real_data / "nist_2023001" / "NIST00USA_R_20230010000_01D_30S_MO.crx.gz"]
    )
    pairs = choose_signals(observations, PppOptions(systems="R"))
    told = {satellite: observed_channel(observations, satellite, pair) for satellite, pair in pairs.items()}
    named = observations.header.glonass_channels
    assert len(told) >= 20
    assert told == {satellite: named[satellite] for satellite in told}
