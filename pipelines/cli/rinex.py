"""`jizhun rinex`: what files hold, whether they are sound, and RINEX written anew."""

from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.frame import epoch_of
from pipelines.cli.terminal import JsonOption, console, say, waiting, write_json

app = typer.Typer(
    help="Files: what they hold, whether they are sound; RINEX written anew.", no_args_is_help=True
)
EXIT_FAILED = 1
_HEADER_PANEL = "Header (observations)"

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...", help="Files of any format that Jizhun reads, compressed or not; told by content."
    ),
]
RinexFiles = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...",
        help="RINEX files of one station and kind (observations, meteorology, navigation), packed or not.",
    ),
]


class Version(StrEnum):
    """Values of --version."""

    V211 = "2.11"
    V212 = "2.12"
    V3 = "3.05"
    V4 = "4.02"


class Pack(StrEnum):
    """Values of --pack."""

    NONE = "none"
    GZ = "gz"
    BZ2 = "bz2"
    ZIP = "zip"
    Z = "Z"


@app.command("info")
def info(files: Files, json: JsonOption = False) -> None:
    """What each file is: format, station, span, systems, signals, counts. RINEX, SP3, ANTEX, SINEX and more.

    Example: jizhun rinex info WUH200CHN_R_20261160000_01D_30S_MO.crx.gz igs20.atx --json
    """
    from pipelines.file_description import FileDescription, describe_file, description_json
    from transforms.errors import JizhunError

    described: list[FileDescription] = []
    failures: list[dict[str, str]] = []
    for path in files:
        try:
            with waiting(f"reading {path.name}"):
                described.append(describe_file(path))
        except JizhunError as error:
            if len(files) == 1:
                raise
            text = " ".join(str(error).split())
            failures.append({"file": str(path), "error": text})
            say(f"jizhun: {text}")
    if json:
        write_json({"files": [description_json(d) for d in described], "errors": failures})
    else:
        for item in described:
            _show(item.path, f"{item.format_title} {item.contents.version}".strip(), description_json(item))
    if failures:
        raise typer.Exit(EXIT_FAILED)


def _show(path: str, title: str, facts: dict[str, object]) -> None:
    out = console()

    def line(text: str) -> None:
        out.print(f"  {text}", soft_wrap=True, markup=False)

    out.print(f"{path}: {title}", soft_wrap=True, markup=False)
    for name in ("station", "receiver", "antenna"):
        if facts[name]:
            line(f"{name} {facts[name]}")
    if facts["first_epoch"]:
        step = "" if facts["interval_s"] is None else f" every {facts['interval_s']:g} s"
        line(f"{facts['first_epoch']} to {facts['last_epoch']} {facts['time_scale']}{step}")
    counts, signals, remarks = facts["counts"], facts["signals"], facts["remarks"]
    if isinstance(counts, dict) and counts:
        line(", ".join(f"{n} {name.replace('_', ' ')}" for name, n in counts.items()))
    if isinstance(signals, dict) and signals:
        for system, codes in signals.items():
            line(f"{system}  {' '.join(codes)}")
    elif facts["systems"] and isinstance(facts["systems"], list):
        line(f"systems {' '.join(facts['systems'])}")
    if isinstance(remarks, list):
        for remark in remarks:
            line(f"note: {remark}")


@app.command("check")
def check(files: Files, json: JsonOption = False) -> None:
    """Read files strictly and list all that is wrong, with line numbers; exit code 1 where anything is.

    Example: jizhun rinex check HUSH00CHN_R_20261160000_01D_30S_MO.rnx
    """
    from pipelines.rinex_editing import check_file, check_json

    checks = []
    for path in files:
        with waiting(f"reading {path.name}"):
            checks.append(check_file(path))
    if json:
        write_json({"files": [check_json(c) for c in checks]})
    else:
        out = console()
        for item in checks:
            verdict = "sound" if not item.problems else f"{len(item.problems)} kinds of problems"
            out.print(f"{item.path}: {item.format_title}: {verdict}", soft_wrap=True, markup=False)
            for problem in item.problems:
                out.print(f"  {problem.words()}", soft_wrap=True, markup=False)
    if any(c.problems for c in checks):
        raise typer.Exit(EXIT_FAILED)


@app.command("convert")
def convert(
    files: RinexFiles,
    out: Annotated[
        Path,
        typer.Option(
            metavar="FILE|FOLDER",
            help="File to write; its ending packs it: .rnx .crx .26o .26d, alone or with .gz .bz2 .zip .Z "
            "behind. In a folder that is there, the name follows the standard.",
        ),
    ],
    version: Annotated[
        Version,
        typer.Option(help="Version of RINEX to write; 2.11 has no BeiDou, 2.12 that of B1I, B2I and B3I."),
    ] = Version.V3,
    interval: Annotated[
        float | None,
        typer.Option(metavar="S", min=0.001, max=86400.0, help="Keep epochs at multiples of this, seconds."),
    ] = None,
    systems: Annotated[str | None, typer.Option(help="Letters of the systems to keep, such as GEC.")] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="First epoch to keep, GPST.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Last epoch to keep, GPST.")
    ] = None,
    pack: Annotated[Pack | None, typer.Option(help="Packing of a file named by the standard.")] = None,
    compact: Annotated[
        bool, typer.Option("--compact", help="Compact RINEX, of a file named by the standard.")
    ] = False,
    marker_name: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Header: marker name.", rich_help_panel=_HEADER_PANEL)
    ] = None,
    marker_number: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Marker number (DOMES).", rich_help_panel=_HEADER_PANEL)
    ] = None,
    receiver: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Receiver type.", rich_help_panel=_HEADER_PANEL)
    ] = None,
    receiver_serial: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Its serial number.", rich_help_panel=_HEADER_PANEL)
    ] = None,
    receiver_firmware: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Its firmware.", rich_help_panel=_HEADER_PANEL)
    ] = None,
    antenna: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help='Antenna, "TYPE RADOME".', rich_help_panel=_HEADER_PANEL),
    ] = None,
    antenna_serial: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Its serial number.", rich_help_panel=_HEADER_PANEL)
    ] = None,
    eccentricity: Annotated[
        str | None,
        typer.Option(
            metavar="E,N,U",
            help="From marker to antenna reference point: east, north, up, metres.",
            rich_help_panel=_HEADER_PANEL,
        ),
    ] = None,
    position: Annotated[
        str | None,
        typer.Option(
            metavar="X,Y,Z",
            help="Approximate position of the marker, metres.",
            rich_help_panel=_HEADER_PANEL,
        ),
    ] = None,
    observer: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Observer.", rich_help_panel=_HEADER_PANEL)
    ] = None,
    agency: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Agency.", rich_help_panel=_HEADER_PANEL)
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse files that are damaged anywhere.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite the file where it exists.")] = False,
    json: JsonOption = False,
) -> None:
    """Write RINEX anew: join files, thin them out, cut a time span, choose systems, version and packing.

    Observations, meteorology and navigation files; headers of observations can be edited, each change being
    told and noted in the file as a comment. An input is never overwritten, and the file is written whole or
    not at all. What was left out is told.

    Example: jizhun rinex convert njls116*.26o.gz --out . --interval 30 --systems GEC --compact --pack gz
             --from 2026-04-26T06:00:00 --to 2026-04-26T12:00:00 --antenna "TRM59800.00 SCIS"
    """
    from pipelines.file_description import contents_of
    from pipelines.rinex_conversion import Conversion, convert_files
    from pipelines.rinex_header_edits import HeaderEdits

    unknown = sorted(set(systems or "G") - set("GRECJIS"))
    if unknown or systems == "":
        raise typer.BadParameter(
            f'systems are letters out of "GRECJIS", not "{systems}"', param_hint="--systems"
        )
    if (pack is not None or compact) and not out.is_dir():
        raise typer.BadParameter(
            f"{out} is no folder: the ending of a file's name says how it is packed", param_hint="--out"
        )
    conversion = Conversion(
        version=version.value,
        interval_s=interval,
        systems=systems,
        first=None if first is None else epoch_of(first, "--from"),
        last=None if last is None else epoch_of(last, "--to"),
        strict=strict,
        edits=HeaderEdits(
            marker_name=marker_name,
            marker_number=marker_number,
            observer=observer,
            agency=agency,
            receiver=receiver,
            receiver_serial=receiver_serial,
            receiver_firmware=receiver_firmware,
            antenna=antenna,
            antenna_serial=antenna_serial,
            eccentricity_enu_m=_three_numbers(eccentricity, "--eccentricity"),
            position_ecef_m=_three_numbers(position, "--position"),
        ),
        packing="none" if pack is None else pack.value,
        compact=compact,
    )
    with waiting(f"converting {', '.join(path.name for path in files)}"):
        converted = convert_files(files, out, conversion, replace_existing=replace)
    held = contents_of(converted.record)
    counts = dict(held.counts)
    left_out = {reason: count for reason, count in converted.left_out.items() if count}
    for change in converted.changes:
        say(f"changed: {change.words()}")
    for remark in (*converted.remarks, *(f"{count} x {reason}" for reason, count in left_out.items())):
        say(f"note: {remark}")
    if json:
        write_json(
            {
                "file": str(converted.path),
                "version": version.value,
                "station": held.station,
                "systems": list(held.systems),
                "counts": counts,
                "interval_s": held.interval_s,
                "changes": [
                    {"what": c.what, "before": c.before, "after": c.after} for c in converted.changes
                ],
                "left_out": left_out,
                "remarks": list(converted.remarks),
            }
        )
        return
    words = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
    of_systems = f" of {''.join(held.systems)}" if held.systems else ""
    console().print(
        f"wrote {converted.path}: RINEX {version.value}, {words}{of_systems}", soft_wrap=True, markup=False
    )


def _three_numbers(text: str | None, option: str) -> tuple[float, float, float] | None:
    """Three finite numbers, separated by commas."""
    if text is None:
        return None
    parts = text.split(",")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) != 3 or not all(isfinite(number) for number in numbers):
        raise typer.BadParameter(
            f'expected three numbers separated by commas, not "{text}"', param_hint=option
        )
    return numbers[0], numbers[1], numbers[2]
