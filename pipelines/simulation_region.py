"""`jizhun simulate`: the whole sample region, every file of it, from one seed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from datum.simulation.common_points_sample import write_common_point_table
from datum.simulation.gravity_sample import write_gravity_network
from datum.simulation.levelling_sample import write_levelling
from datum.simulation.truth_tables import write_truth
from pipelines.days import day_name, parse_day
from pipelines.progress import Progress, SilentProgress
from pipelines.simulation_readme import readme_text
from stations.formats.atomic_write import write_atomically
from stations.simulation.products import CENTRE
from stations.simulation.random_streams import random_stream
from stations.simulation.region import (
    ANTEX,
    OBSERVATIONS,
    OCEAN_LOADING,
    PRODUCTS,
    write_gnss_part,
)
from stations.simulation.region_plan import (
    DAYS,
    DEFAULT_SEED,
    FRAME,
    STATIONS,
    SimulatedStation,
)
from transforms.errors import InputError
from transforms.geodetic import enu_matrix_at

CONTROL_SIGMA_ENU_M: Final = (0.002, 0.002, 0.004)
_VELOCITY_SIGMA_M_PER_YR: Final = (0.0002, 0.0002, 0.0002)
_FOLDERS: Final = ("heights", "gravity", "common_points", "truth")
_N_STEPS: Final = 1 + len(STATIONS) * len(DAYS) + 1


def simulate_region(out_dir: Path, *, seed: int = DEFAULT_SEED, progress: Progress | None = None) -> None:
    """Write a simulated region with its truth into a folder; the same seed gives the same bytes.

    Parameters
    ----------
    out_dir : made where it is missing; files of the same names in it are replaced
    seed : of all random numbers; the default makes the region's `sample_data/`

    Raises InputError where the folder cannot be made or written.
    """
    progress = progress or SilentProgress()
    progress.begin("simulation", _N_STEPS)
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        for folder in _FOLDERS:
            (out_dir / folder).mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(f"{out_dir}: the folder cannot be made ({error.strerror})") from None
    write_gnss_part(out_dir, seed, progress.advance)
    write_levelling(out_dir / "heights", seed)
    write_gravity_network(out_dir / "gravity", seed)
    write_common_point_table(out_dir / "common_points" / "common_points.csv", seed)
    write_truth(out_dir / "truth")
    _write_text(out_dir / "REGION.toml", "\n".join(_region_lines(seed)))
    _write_text(out_dir / "README.md", readme_text(seed))
    progress.advance("heights, gravity, common points, truth")


def _write_text(path: Path, text: str) -> None:
    write_atomically(path, (text.rstrip("\n") + "\n").encode("utf-8"))


def published_position_ecef_m(station: SimulatedStation, seed: int) -> tuple[float, float, float]:
    """A control station's coordinates at 2015.0 as published: the truth with errors of their stated sigma."""
    generator = random_stream(seed, "published coordinates", station.code)
    error_enu = generator.standard_normal(3) * np.array(CONTROL_SIGMA_ENU_M)
    position = station.reference_position_ecef_m
    x, y, z = np.round(position + error_enu @ enu_matrix_at(position), 4)
    return float(x), float(y), float(z)


def _vector(values: Iterator[float] | tuple[float, ...], decimals: int) -> str:
    return "[" + ", ".join(f"{value:.{decimals}f}" for value in values) + "]"


def _region_lines(seed: int) -> Iterator[str]:
    days = ", ".join(f'"{day_name(parse_day(day))}"' for day in DAYS)
    yield "# A simulated region: see README.md beside this file. `jizhun run` on this file is the main job."
    yield "[region]"
    yield 'name = "Yangtze delta (simulated)"'
    yield f"days = [{days}]"
    yield f'frame = "{FRAME}"'
    yield 'datum_frame = "CGCS2000"'
    yield "simulated = true"
    yield ""
    yield "[processing]"
    yield 'systems = "GEC"'
    yield f'centre = "{CENTRE}"'
    yield ""
    yield "[paths]"
    yield f'observations = ["{OBSERVATIONS}"]'
    yield f'products = ["{PRODUCTS}"]'
    yield f'antex = ["{ANTEX}"]'
    yield f'ocean_loading = "{OCEAN_LOADING}"'
    yield 'catalogue = "../catalogue"'
    yield 'work = "../.jizhun/work"'
    yield ""
    yield "[heights]"
    yield 'lines = "heights/lines.csv"'
    yield 'bench_marks = "heights/bench_marks.csv"'
    yield 'vertical_datum = "1985 National Height Datum (simulated)"'
    yield 'tide_system = "mean-tide"'
    yield "order = 2"
    yield ""
    yield "[gravity]"
    yield 'readings = "gravity/readings.csv"'
    yield 'absolute = "gravity/absolute.csv"'
    yield 'tide_system = "zero-tide"'
    yield ""
    yield "[common_points]"
    yield 'file = "common_points/common_points.csv"'
    yield 'kind = "helmert7"'
    yield ""
    yield "[publish]"
    yield 'product = "yangtze-delta-sample"'
    yield 'classification = "public"'
    yield 'licence = "CC-BY-4.0"'
    yield ""
    yield "[truth]"
    yield 'file = "truth/stations.csv"'
    for station in STATIONS:
        yield ""
        yield "[[stations]]"
        yield f'code = "{station.code}"'
        yield f"velocity_m_per_yr = {_vector(tuple(station.velocity_ecef_m_per_yr), 5)}"
        yield f"velocity_sigma_m_per_yr = {_vector(_VELOCITY_SIGMA_M_PER_YR, 4)}"
    for station in STATIONS:
        if station.control:
            yield ""
            yield "[[control]]"
            yield f'station = "{station.code}"'
            yield f'frame = "{FRAME}"'
            yield 'epoch = "2015-01-01"'
            yield f"position_ecef_m = {_vector(published_position_ecef_m(station, seed), 4)}"
            yield f"velocity_m_per_yr = {_vector(tuple(station.velocity_ecef_m_per_yr), 5)}"
            yield f"sigma_enu_m = {_vector(CONTROL_SIGMA_ENU_M, 3)}"
