"""The README of a simulated region: prose from a template, figures from the simulator itself."""

from collections.abc import Iterator
from pathlib import Path

import jinja2
import numpy as np

from datum.simulation import common_points_sample, gravity_sample, levelling_sample
from datum.simulation.marks import DATUM_BENCH_MARK
from stations.simulation import atmosphere, biases, faults, products, region_plan, satellite_clocks
from stations.simulation.region_plan import INTERVAL_S, STATIONS, SimulatedStation


def readme_text(seed: int) -> str:
    """What is in the folder, how it was made, and what it can and cannot show."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # Markdown of our own words
    )
    receivers = {station.receiver.name: station.receiver for station in STATIONS}
    return environment.get_template("simulation_readme.md.j2").render(
        seed=seed,
        plan=region_plan,
        stations=STATIONS,
        remarks={station.code: list(_remarks(station)) for station in STATIONS},
        changed=next(station for station in STATIONS if station.change is not None),
        receivers=tuple(receivers.values()),
        mask_deg=round(float(np.degrees(region_plan.ELEVATION_MASK_RAD))),
        clocks=satellite_clocks,
        products=products,
        biases=biases,
        air=atmosphere,
        faults=faults,
        levelling=levelling_sample,
        gravity=gravity_sample,
        common=common_points_sample,
        datum_bench_mark=DATUM_BENCH_MARK,
        blunder_line=levelling_sample.blunder_line_name(),
    )


def _remarks(station: SimulatedStation) -> Iterator[str]:
    if station.control:
        yield "control station"
    if station.levelled:
        yield "bench mark on the pillar"
    if not any(system == "C" for system, _ in station.receiver.signals):
        yield "old: GPS only, no BeiDou signal; its clock steps by milliseconds"
    if station.outage is not None:
        day, _, count = station.outage
        yield f"power failure of {count * INTERVAL_S / 60.0:.0f} minutes on {day}"
    if station.change is not None:
        yield f"antenna changed on {station.change.day} without a word (see below)"
