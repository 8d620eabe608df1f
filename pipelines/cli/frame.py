"""`jizhun frame`: coordinates carried to another frame and epoch."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.terminal import JsonOption, console, say, write_json

if TYPE_CHECKING:
    from transforms.time_scales import Epochs

app = typer.Typer(help="Frames: coordinates carried by published parameters.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Frames: coordinates carried by published parameters and a station's velocity."""


def epoch_of(text: str, option: str) -> "Epochs":
    """Epoch that an option gives; what is none is wrong usage."""
    from pipelines.coordinate_files import parse_epoch
    from transforms.errors import InputError

    try:
        return parse_epoch(text)
    except InputError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


@app.command("transform", context_settings={"ignore_unknown_options": True})
def transform(
    source: Annotated[
        list[str],
        typer.Argument(metavar="X Y Z | FILE.csv", help="Geocentric metres, or a CSV table of stations."),
    ],
    epoch: Annotated[
        str | None, typer.Option(help="Epoch of the coordinates: 2026-04-26 or 2026-116.")
    ] = None,
    from_frame: Annotated[str, typer.Option("--from", help="Frame of the coordinates.")] = "IGS20",
    to_frame: Annotated[str, typer.Option("--to", help="Frame to reach.")] = "CGCS2000",
    to_epoch: Annotated[
        str | None,
        typer.Option(help="Epoch to reach; default: the frame's own where it is static, else unchanged."),
    ] = None,
    velocity: Annotated[
        tuple[float, float, float] | None,
        typer.Option(metavar="VX VY VZ", help="Velocity of the station in m a year, in the source frame."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the CSV table here; default: standard output.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Carry coordinates from one frame and epoch to another; refused where a velocity is needed and unknown.

    A CSV table has station, x_m, y_m, z_m, and optionally epoch, vx_m_per_yr, vy_m_per_yr, vz_m_per_yr.

    Example: jizhun frame transform -2279829.0 5004706.0 3219777.0 --epoch 2026-116
             --velocity -0.033 -0.008 -0.012
    """
    import sys

    from pipelines.coordinate_files import (
        StationToTransform,
        read_stations,
        transform_stations,
        transformed_table,
    )
    from stations.formats.atomic_write import write_atomically
    from transforms.frame_links import describe_path

    given = None if epoch is None else epoch_of(epoch, "--epoch")
    target_epoch = None if to_epoch is None else epoch_of(to_epoch, "--to-epoch")
    if len(source) == 3:
        try:
            x, y, z = (float(text) for text in source)
        except ValueError:
            raise typer.BadParameter(f"three numbers are expected, not {' '.join(source)}") from None
        if given is None:
            raise typer.BadParameter("say at which epoch the coordinates stand", param_hint="--epoch")
        stations: tuple[StationToTransform, ...]
        stations = (StationToTransform("point", (x, y, z), given, velocity),)
    elif len(source) == 1:
        stations = read_stations(Path(source[0]), given, velocity)
    else:
        raise typer.BadParameter(f"three numbers or one CSV file are expected, not {len(source)} words")
    results = transform_stations(stations, from_frame, to_frame, target_epoch)
    path = describe_path(from_frame, to_frame)
    if json:
        write_json(
            {
                "from": from_frame,
                "to": to_frame,
                "path": list(path),
                "stations": [
                    {
                        "station": item.station,
                        "epoch": item.epoch.iso(),
                        "position_ecef_m": [round(float(v), 5) for v in item.position_ecef_m],
                        "sigma_transformation_m": [round(float(v), 5) for v in item.sigma_m],
                        "velocity_m_per_yr": None
                        if item.velocity_m_per_yr is None
                        else [round(float(v), 6) for v in item.velocity_m_per_yr],
                    }
                    for item in results
                ],
            }
        )
        return
    for step in path:
        say(step)
    if len(source) == 1:
        table = transformed_table(results, to_frame)
        if out is None:
            sys.stdout.write(table)
        else:
            write_atomically(out, table.encode())
            say(f"wrote {out}")
        return
    for item in results:
        x, y, z = (float(v) for v in item.position_ecef_m)
        console().print(f"{x:.4f} {y:.4f} {z:.4f}", highlight=False)
