"""The frames as nouns."""

import pytest

from transforms.errors import FrameError
from transforms.frames import FRAMES, frame_named


def test_names_are_found_whatever_their_case():
    assert frame_named(" igB14 ").name == "IGb14"
    assert frame_named("ITR14").name == "ITRF2014"
    assert frame_named("cgcs2000").fixed_epoch_year == 2000.0


def test_an_unknown_frame_names_its_neighbours():
    with pytest.raises(FrameError, match="ITRF2014"):
        frame_named("ITRF2015")


def test_every_frame_of_another_s_datum_names_a_known_frame():
    for frame in FRAMES.values():
        assert frame.citation
        if frame.datum_of is not None:
            assert FRAMES[frame.datum_of].datum_of is None
