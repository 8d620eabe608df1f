"""`jizhun station audit`: what stands between stations and BeiDou-3, and what it would bring."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.terminal import JsonOption, TerminalProgress, console, say, waiting, write_json


def audit(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="RINEX observation files, or folders with them, of one or more stations and days.",
        ),
    ],
    products: Annotated[
        list[Path] | None,
        typer.Option(
            help="SP3, clock or navigation file, or folder with them; may be repeated. Default: navigation "
            "files of the day beside the observations."
        ),
    ] = None,
    antex: Annotated[
        list[Path] | None,
        typer.Option(help="ANTEX file, a current one; may be repeated, the first with the antenna serves."),
    ] = None,
    log: Annotated[
        Path | None, typer.Option(help="Site log (IGS or GeodesyML) of the station, for its equipment.")
    ] = None,
    receivers: Annotated[
        Path | None,
        typer.Option(metavar="TOML", help="What the bureau knows of receiver types; see docs/readiness.md."),
    ] = None,
    solve: Annotated[
        bool,
        typer.Option(help="Also solve each day with and without BeiDou-3 where products serve it (20 s)."),
    ] = True,
    html: Annotated[
        Path | None, typer.Option(metavar="HTML", help="The report with the map: one file, no network.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(metavar="CSV", help="The table.")] = None,
    geojson: Annotated[Path | None, typer.Option(metavar="GEOJSON", help="The map's points.")] = None,
    json: JsonOption = False,
) -> None:
    """Readiness of stations for BeiDou-3: receiver, antenna, signals tracked, quality, class and gain.

    The classes: ready, firmware, receiver, antenna, replace, undetermined; sorted by the gain to come.

    Example: jizhun station audit observations/ --products products/ --antex igs20.atx --html network.html
    """
    from pipelines.station_audit import (
        AuditOptions,
        AuditResult,
        audit_all,
        make_folders_of,
        plan_audit,
        sorted_by_gain,
    )
    from pipelines.station_audit_tables import csv_bytes, geojson_bytes, network_json
    from pipelines.station_audit_text import print_audits
    from stations.formats.atomic_write import write_atomically
    from transforms.errors import InputError

    options = AuditOptions(
        products=tuple(products or ()),
        log=log,
        antex=tuple(antex or ()),
        receivers=receivers,
        solve=solve,
    )
    tasks, passed_over = plan_audit(files, options)
    make_folders_of([path for path in (html, csv, geojson) if path is not None])
    for remark in passed_over:
        say(f"note: {remark}")
    results: list[AuditResult] = []
    alone = len(tasks) == 1
    with (
        waiting(f"auditing {tasks[0].name}") if alone else nullcontext(),
        TerminalProgress(quiet=alone) as progress,
    ):
        audit_all(tasks, progress, on_result=results.append)
    results.sort(key=lambda r: r.task.name)
    failures = [
        {"station": r.task.files.station, "day": r.task.files.day, "error": r.error}
        for r in results
        if r.audit is None
    ]
    audits = sorted_by_gain([r.audit for r in results if r.audit is not None])
    if not audits:
        raise InputError("; ".join(dict.fromkeys(f["error"] for f in failures)))
    written = [
        (path, make) for path, make in ((csv, csv_bytes), (geojson, geojson_bytes)) if path is not None
    ]
    for path, make in written:
        write_atomically(path, make(audits))
        say(f"wrote {path}")
    if html is not None:
        from pipelines.station_audit_report import render_audit_report

        write_atomically(html, render_audit_report(audits, failures).encode())
        say(f"wrote {html}")
    if json:
        write_json(network_json(audits, failures))
    else:
        print_audits(audits, console())
    for failure in failures:
        say(f"error: {failure['station']} {failure['day']}: {failure['error']}")
    if failures:
        raise typer.Exit(1)
