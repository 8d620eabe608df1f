"""Known discontinuities: read from three kinds of files, and honoured by the combination of days."""

from pathlib import Path

import numpy as np
import pytest

from datum.formats.known_steps import KnownStep, read_known_steps, steps_of_station
from datum.network.combine import CombinationOptions, combine_solutions
from transforms.errors import FormatError
from transforms.time_scales import Epochs

NGL = """BOR1  99AUG27  1  Elevation_Cutoff_Changed
BOR1  16OCT05  1  Antenna_Type_Changed
GRAZ  20DEC29  2  800.1 180.9 6.4 us6000d3zh
"""
SOLN = """+SOLUTION/DISCONTINUITY
 AUCK  A    1 P 00:000:00000 01:301:08220 P - antenna change
 AUCK  A    2 P 01:301:08220 00:000:00000 P -
 AUCK  A    1 P 01:301:08220 00:000:00000 V -
-SOLUTION/DISCONTINUITY
"""


def test_lists_of_steps_are_read(tmp_path: Path) -> None:
    ngl, soln = tmp_path / "steps.txt", tmp_path / "soln.snx"
    ngl.write_text(NGL)
    soln.write_text(SOLN)
    steps = read_known_steps([ngl, soln])
    assert [(s.station, s.epoch.iso()[:10], s.reason) for s in steps] == [
        ("AUCK", "2001-10-28", "antenna change"),
        ("BOR1", "2016-10-05", "antenna type changed"),
        ("GRAZ", "2020-12-29", "earthquake of magnitude 6.4"),
    ]
    assert [s.station for s in steps_of_station(steps, "BOR100POL")] == ["BOR1"]
    assert steps_of_station(steps, "BORX00POL") == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [("BOR1 16XXX05 1 Antenna_Type_Changed\n", 1), (NGL + "BOR1 16OCT05 9 x\n", 4), (NGL + "BOR1\n", 4)],
)
def test_a_bad_list_is_told_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "steps.txt"
    path.write_text(text)
    with pytest.raises(FormatError) as caught:
        read_known_steps([path])
    assert caught.value.line == line


def test_days_are_parted_at_a_known_step_too_small_to_be_found(network) -> None:  # type: ignore[no-untyped-def]
    station = network.names[5]
    moved = {(station, day): (0.0, 0.0, 0.006) for day in (2, 3)}  # one sigma: no test finds it
    solutions = network.simulate(np.random.default_rng(11), n_days=4, errors=moved)
    step = KnownStep(station, Epochs.from_datetime64("2024-02-06T00:00:00"), "antenna change", "steps")
    control = network.control(network.names[:4])
    plain = combine_solutions(solutions, control)
    assert [s.solution_number for s in plain.stations if s.station == station] == [1]
    parted = combine_solutions(solutions, control, options=CombinationOptions(known_steps={station: (step,)}))
    numbers = [(s.solution_number, s.days) for s in parted.stations if s.station == station]
    assert numbers == [(1, ("2024-035", "2024-036")), (2, ("2024-037", "2024-038"))]
    assert f"station {station} is parted at 2024-037: antenna change" in parted.remarks
    assert [s.solution_number for s in parted.stations if s.station != station] == [1] * 7


@pytest.mark.real_data
def test_the_lists_of_ngl_and_of_a_site_log(real_data: Path) -> None:
    ngl = read_known_steps([real_data / "geodesy" / "timeseries" / "ngl" / "steps.txt"])
    assert ("BOR1", "2016-10-05") in {(s.station, s.epoch.iso()[:10]) for s in ngl}
    log = read_known_steps([real_data / "parsers" / "sitelog_geodesyml" / "WTZR00DEU_20200602.log.gz"])
    # Both tell the antenna of 30 June 2010 at Wettzell.
    assert "2010-06-30" in {s.epoch.iso()[:10] for s in log} & {
        s.epoch.iso()[:10] for s in steps_of_station(ngl, "WTZR")
    }
