"""Navigation messages written and read again, every number: real days of all systems, and by hypothesis."""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stations.formats.rinex_navigation import read_navigation
from stations.formats.rinex_navigation_fields import KEPLER_FIELDS, STATE_VECTOR_FIELDS
from stations.formats.rinex_navigation_merging import merge_navigation
from stations.formats.rinex_navigation_writing import NavigationVersion, write_navigation
from stations.navigation_records import NavigationMessages
from transforms.errors import InputError
from transforms.time_scales import Epochs

EXAMPLES = Path(__file__).parents[2] / "authorities" / "rinex_4_02_examples.rnx"
REMARKS = {"inputs", "rejections", "damage", "rinex_version"}
DAYS = {
    "BRDC, RINEX 3.04": ("nist_2023001/BRDC00IGS_R_20230010000_01D_MN.rnx.gz", "3.05"),
    "BRDM, RINEX 3.04": ("eastasia_2026117/BRDM00DLR_S_20261170000_01D_MN.rnx.gz", "3.05"),
    "BRD4, RINEX 4.00": ("parsers/nav-solutions/BRD400DLR_S_20230710000_01D_MN.rnx.gz", "4.02"),
    "GPS, RINEX 2.00": ("parsers/georinex/brdc2800.15n.gz", "2.11"),
    "GLONASS, RINEX 2.11": ("parsers/georinex/p1462100.18g.gz", "2.11"),
}


def same(a: Any, b: Any) -> bool:
    """Whether two records hold the same, NaN like NaN, apart from what a reader remarks."""
    if isinstance(a, Epochs):
        return bool(np.array_equal(a.tai_ns, b.tai_ns))
    if isinstance(a, np.ndarray):
        return a.shape == b.shape and bool(np.all((a == b) | ((a != a) & (b != b))))
    if isinstance(a, Mapping):
        return set(a) == set(b) and all(same(a[name], b[name]) for name in a)
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if hasattr(a, "__dataclass_fields__"):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a) if f.name not in REMARKS)
    return bool(a == b)


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "version"), DAYS.values(), ids=DAYS.keys())
def test_a_real_day_reads_back_the_same(
    real_data: Path, tmp_path: Path, name: str, version: NavigationVersion
) -> None:
    original = read_navigation(real_data / name)
    first, second = tmp_path / "first.rnx", tmp_path / "second.rnx"
    assert write_navigation(original, first, version) == {}
    again = read_navigation(first, strict=True)
    assert again.rinex_version == version
    assert same(original, again)
    write_navigation(again, second, version)
    assert first.read_bytes() == second.read_bytes()


def test_the_examples_of_the_standard_are_written_as_printed(tmp_path: Path) -> None:
    """Each line of number, blank or word is where the standard has it."""
    write_navigation(read_navigation(EXAMPLES), tmp_path / "a.rnx")
    written = (
        (tmp_path / "a.rnx").read_text().split("END OF HEADER\n")[1].replace("E+", "e+").replace("E-", "e-")
    )
    printed = EXAMPLES.read_text().split("END OF HEADER\n")[1]
    assert sorted(block.rstrip() for block in written.split("> ")) == sorted(
        block.rstrip() for block in printed.split("> ")
    )


@pytest.mark.real_data
def test_rinex_4_to_3_says_what_it_loses(real_data: Path, tmp_path: Path) -> None:
    day = read_navigation(real_data / "parsers/nav-solutions/BRD400DLR_S_20230710000_01D_MN.rnx.gz")
    path = tmp_path / "a.rnx"
    with pytest.raises(InputError, match="2090 x message that has no place in a RINEX of this version"):
        write_navigation(day, path, "3.05")
    assert not path.exists()
    left_out = write_navigation(day, path, "3.05", leave_out=True)
    # As the titles of the file count them: 634 + 926 CNV1, CNV2; 334 + 98 CNAV; 98 CNV2 of QZSS.
    assert left_out["message that has no place in a RINEX of this version"] == 634 + 926 + 334 + 98 + 98
    assert left_out["earth orientation, which the version cannot hold"] == len(day.earth_orientation)
    again = read_navigation(path, strict=True)
    kept = ~np.isin(day.kepler.message, ["CNV1", "CNV2", "CNAV"])
    np.testing.assert_array_equal(again.kepler.clock_bias_s, day.kepler.clock_bias_s[kept])
    assert same(again.state_vectors, day.state_vectors)
    assert {i.source[:3] for i in again.ionosphere} == {"GPS", "BDS", "QZS", "IRN", "GAL"}
    assert {"GPUT", "BDUT", "GAGP", "GLGP"} <= {o.kind for o in again.time_offsets}


@pytest.mark.real_data
def test_glonass_frame_times_change_from_day_to_week(real_data: Path, tmp_path: Path) -> None:
    old = read_navigation(real_data / "parsers/georinex/p1462100.18g.gz")
    write_navigation(old, tmp_path / "3.rnx", "3.05")
    new = read_navigation(tmp_path / "3.rnx", strict=True)
    assert same(old.state_vectors.position_ecef_m, new.state_vectors.position_ecef_m)
    of_day = old.state_vectors.further["message_frame_time_s"]
    of_week = new.state_vectors.further["message_frame_time_s"]
    # The day of the week changes, the second of the day does not.
    np.testing.assert_array_equal(of_week % 86_400, of_day % 86_400)
    write_navigation(new, tmp_path / "2.rnx", "2.11")
    assert same(old.state_vectors, read_navigation(tmp_path / "2.rnx").state_vectors)


def test_several_systems_need_several_files_of_rinex_2(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a file for GPS and one for GLONASS; the messages are of I, R"):
        write_navigation(read_navigation(EXAMPLES), tmp_path / "a.rnx", "2.11")
    with pytest.raises(InputError, match="no message can be written as RINEX 3"):
        write_navigation(read_navigation(EXAMPLES), tmp_path / "a.rnx", "3.05", leave_out=True)


def printed_number() -> st.SearchStrategy[float]:
    """A number as D19.12 prints it."""
    return st.builds(
        lambda digits, power, sign: float(f"{sign * digits}e{power - 12}"),
        st.integers(10**12, 10**13 - 1),
        st.integers(-30, 9),
        st.sampled_from([-1, 1]),
    )


TABLES: dict[str, tuple[str, ...]] = {**KEPLER_FIELDS, **STATE_VECTOR_FIELDS}
BOUNDED: dict[str, st.SearchStrategy[float]] = {
    "root_semi_major_axis_root_m": st.integers(4500, 7000).map(float),
    "eccentricity": st.sampled_from([0.0, 0.01, 0.123456789012]),
    "time_of_ephemeris_s_of_week": st.integers(0, 604_799).map(float),
    "data_sources": st.integers(1, 1023).map(float),
}
LAST_OF_ORBIT = 20  # fields that a message cannot be without


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), kind=st.sampled_from(sorted(TABLES)))
def test_any_message_reads_back_the_same(tmp_path: Path, data: st.DataObject, kind: str) -> None:
    """Built as a file from random numbers, read, written, read again."""
    second = data.draw(st.integers(0, 400_000_000))
    when = (np.datetime64("2012-01-01T00:00:00", "s") + second).item().strftime("%Y %m %d %H %M %S")
    values: list[str] = []
    for place, name in enumerate(TABLES[kind]):
        can_be_blank = place >= LAST_OF_ORBIT and place % 4 != 3
        if not name or (can_be_blank and data.draw(st.booleans())):
            values.append(" " * 19)
        else:
            values.append(f"{data.draw(BOUNDED.get(name, printed_number())):19.12E}")
    name = f"{kind[0]}{data.draw(st.integers(1, 36)):02d}"
    lines = [f"> EPH {name} {kind[2:]}", f"{name} {when}" + "".join(values[:3])]
    lines += ["    " + "".join(values[k : k + 4]) for k in range(3, len(values), 4)]
    head = EXAMPLES.read_text().split("> ")[0]
    path = tmp_path / "made.rnx"
    path.write_text(head + "\n".join(lines) + "\n")
    original = read_navigation(path, strict=True)
    write_navigation(original, tmp_path / "again.rnx")
    assert same(original, read_navigation(tmp_path / "again.rnx", strict=True))


def later(messages: NavigationMessages, seconds: float) -> NavigationMessages:
    """The same messages, heard by another station `seconds` later."""
    kepler = messages.kepler
    moved = replace(kepler, transmission_s_of_week=kepler.transmission_s_of_week + seconds)
    return replace(messages, kepler=moved)


@pytest.mark.real_data
def test_files_of_several_stations_are_merged(real_data: Path) -> None:
    day = read_navigation(real_data / "parsers/nav-solutions/BRD400DLR_S_20230710000_01D_MN.rnx.gz")
    merged = merge_navigation([later(day, 30.0), day, later(day, 6.0)])
    once = merge_navigation([day])
    assert same(merged, once)
    again = once.rejections.get("navigation message that was given already", 0)
    n = len(day.kepler) + len(day.state_vectors)
    assert merged.rejections == {"navigation message that was given already": 2 * n + again}
    # Within the merged file of a day itself, some messages stand twice with two times of transmission.
    assert len(once.kepler) + len(once.state_vectors) == n - again
    assert len(merged.ionosphere) == len(day.ionosphere)
    assert len(merged.inputs) == 3


@pytest.mark.real_data
def test_hours_of_a_day_are_merged_into_it(real_data: Path, tmp_path: Path) -> None:
    day = merge_navigation([read_navigation(real_data / "nl_2021001/AMEL00NLD_R_20210010000_01D_MN.rnx.gz")])
    write_navigation(day, tmp_path / "day.rnx")
    head, body = (tmp_path / "day.rnx").read_text().split("END OF HEADER\n")
    starts = [k for k, line in enumerate(body.splitlines()) if line[:1] != " "]
    lines = body.splitlines(keepends=True)
    ends = [*starts[1:], len(lines)]
    blocks = ["".join(lines[a:b]) for a, b in zip(starts, ends, strict=True)]
    paths: list[Path] = []
    for k in range(4):  # overlapping quarters
        part = blocks[max(0, len(blocks) * k // 4 - 20) : len(blocks) * (k + 1) // 4]
        paths.append(tmp_path / f"{k}.rnx")
        paths[-1].write_text(head + "END OF HEADER\n" + "".join(part))
    merged = merge_navigation([read_navigation(p) for p in reversed(paths)])
    assert same(merged.kepler, day.kepler)
    assert same(merged.state_vectors, day.state_vectors)
    assert merged.rejections["navigation message that was given already"] == 60


def test_nothing_to_merge() -> None:
    with pytest.raises(InputError, match="no navigation messages to join"):
        merge_navigation([])
