"""`jizhun run` and `jizhun simulate`."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.terminal import JsonOption, TerminalProgress, console, say, waiting, write_json


def run(
    region: Annotated[Path, typer.Argument(metavar="REGION.toml", help="Settings of the region.")],
    engine: Annotated[
        str,
        typer.Option(help="What runs the tasks: prefect (its embedded server) or local (plain processes)."),
    ] = "prefect",
    json: JsonOption = False,
) -> None:
    """The main job: observations of a region in, its reference products out, published into the catalogue.

    Repeated, it reuses what has not changed, and says so. Both engines give the same bytes.

    Example: jizhun run sample_data/REGION.toml --engine local
    """
    from importlib.metadata import entry_points

    from transforms.errors import InputError

    engines = entry_points(group="jizhun.engines")
    if engine not in engines.names:
        raise typer.BadParameter(
            f'no engine "{engine}"; there are {", ".join(sorted(engines.names))}', param_hint="--engine"
        )
    from pipelines.cli.region_table import region_contract, show_outcome, why_nothing
    from pipelines.settings import read_region

    read_region(region)  # a mistake in the settings is told before an engine warms up
    with waiting(f"starting the engine {engine}"):
        run_region = engines[engine].load()
    with TerminalProgress() as progress:
        outcome = run_region(region, progress=progress)
    if json:
        write_json(region_contract(outcome))
    else:
        show_outcome(outcome, console())
    if not outcome.publications:
        raise InputError(f"{region}: nothing could be published: {why_nothing(outcome.result)}")
    if outcome.result.problems:
        n = len(outcome.result.problems)
        count = f"{n} problem is" if n == 1 else f"{n} problems are"
        say(f"{count} listed above and in the report.")


def simulate(
    out: Annotated[Path, typer.Argument(metavar="OUT_DIR", help="Folder to write the region into.")],
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the random numbers; the same gives the same files.")
    ] = 1,
    force: Annotated[
        bool, typer.Option("--force", help="Write over the region that the folder already holds.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Write a simulated region with its truth: observations, products, levelling, gravity, common points.

    Example: jizhun simulate /tmp/delta && jizhun run /tmp/delta/REGION.toml
    """
    from pipelines.simulation_region import simulate_region
    from transforms.errors import InputError

    if (out / "REGION.toml").exists() and not force:
        raise InputError(
            f"{out} already holds a REGION.toml; choose another folder, or --force to replace it"
        )
    with TerminalProgress() as progress:
        simulate_region(out, seed=seed, progress=progress)
    files = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    if json:
        write_json({"folder": str(out), "seed": seed, "files": files})
    else:
        say(f"{len(files)} files in {out}; next: jizhun run {out}/REGION.toml")
