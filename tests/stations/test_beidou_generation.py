"""BeiDou's generations by PRN, date and signal."""

from stations.beidou_generation import is_bds3, unsure_of_generation


def test_a_number_above_c18_is_beidou_3_on_any_day() -> None:
    assert is_bds3("C19", "2019-02-14")
    assert not is_bds3("C18", "2019-02-14")
    assert not is_bds3("G19", "2026-05-01")


def test_reassigned_numbers_are_beidou_3_from_their_day_on() -> None:
    # IGSSTATION-9178: SVN C220 went from C38 to C06 on Friday, 2026-04-10.
    assert not is_bds3("C06", "2026-04-09")
    assert is_bds3("C06", "2026-04-10")
    # IGSMAIL of 2026-04-16: IGSO-2 from 39 to 7, IGSO-3 from 40 to 8, GEO-2 from 60 to 2 on 2026-04-17.
    assert [is_bds3(s, "2026-04-17") for s in ("C02", "C07", "C08")] == [True] * 3
    assert [is_bds3(s, "2026-04-16") for s in ("C02", "C07", "C08")] == [False] * 3


def test_a_signal_of_beidou_3_alone_decides_for_other_numbers() -> None:
    assert is_bds3("C09", "2026-06-01", ("C2I", "C1P"))
    assert is_bds3("C09", "2026-06-01", ("C7D",))
    assert not is_bds3("C09", "2026-06-01", ("C2I", "C6I", "C7I"))
    # Before the first notice such a signal is a receiver's error, not another satellite.
    assert not is_bds3("C09", "2023-01-01", ("C2I", "C1P"))
    assert unsure_of_generation("C09", "2026-06-01")
    assert not unsure_of_generation("C09", "2026-03-01")
    assert not unsure_of_generation("C06", "2026-06-01")
