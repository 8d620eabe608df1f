"""`jizhun rinex`: what files hold, whether they are sound, and observations written anew."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.terminal import JsonOption, console, say, waiting, write_json

app = typer.Typer(
    help="Files: what they hold, whether they are sound; observations written anew.", no_args_is_help=True
)
EXIT_FAILED = 1

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...", help="Files of any format that Jizhun reads, compressed or not; told by content."
    ),
]
ObservationFiles = Annotated[
    list[Path],
    typer.Argument(metavar="FILE...", help="RINEX observation files of one station, compressed or not."),
]


class Version(StrEnum):
    """Values of --version."""

    V3 = "3.05"
    V4 = "4.02"


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
    files: ObservationFiles,
    out: Annotated[
        Path,
        typer.Option(metavar="FILE", help="File to write; its ending packs it: .rnx .rnx.gz .crx .crx.gz."),
    ],
    version: Annotated[Version, typer.Option(help="Version of RINEX to write.")] = Version.V3,
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
    strict: Annotated[bool, typer.Option("--strict", help="Refuse files that are damaged anywhere.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite the file where it exists.")] = False,
    json: JsonOption = False,
) -> None:
    """Write observations anew: join files, thin them out, cut a time span, choose systems, version, packing.

    An input is never overwritten, and the file is written whole or not at all. What was left out is told.

    Example: jizhun rinex convert njls116*.26o.gz --out NJLS00CHN.crx.gz --interval 30 --systems GEC
             --from 2026-04-26T06:00:00 --to 2026-04-26T12:00:00
    """
    from pipelines.coordinate_files import parse_epoch
    from pipelines.file_description import contents_of
    from pipelines.rinex_editing import Conversion, convert_observations

    unknown = sorted(set(systems or "G") - set("GRECJIS"))
    if unknown or systems == "":
        raise typer.BadParameter(
            f'systems are letters out of "GRECJIS", not "{systems}"', param_hint="--systems"
        )
    conversion = Conversion(
        version=version.value,
        interval_s=interval,
        systems=systems,
        first=None if first is None else parse_epoch(first),
        last=None if last is None else parse_epoch(last),
        strict=strict,
    )
    with waiting(f"converting {', '.join(path.name for path in files)}"):
        written = convert_observations(files, out, conversion, replace=replace)
    held = contents_of(written)
    for remark in held.remarks:
        say(f"note: {remark}")
    counts = dict(held.counts)
    if json:
        write_json(
            {
                "file": str(out),
                "version": version.value,
                "station": held.station,
                "systems": list(held.systems),
                "counts": counts,
                "interval_s": held.interval_s,
                "remarks": list(held.remarks),
            }
        )
        return
    console().print(
        f"wrote {out}: {counts['epochs']} epochs, {counts['satellites']} satellites of "
        f"{''.join(held.systems)}, {counts['observations']} observations, RINEX {version.value}",
        soft_wrap=True,
        markup=False,
    )
