"""`jizhun station qc`: the quality of observations, of one station-day or of many."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.terminal import JsonOption, TerminalProgress, console, say, waiting, write_json


def qc(
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
            help="SP3 or navigation file, or folder with them; may be repeated. Default: navigation files "
            "of the day beside the observations."
        ),
    ] = None,
    log: Annotated[
        Path | None, typer.Option(help="Site log (IGS or GeodesyML) to compare the headers with.")
    ] = None,
    antex: Annotated[
        list[Path] | None,
        typer.Option(help="ANTEX file: antennas that it lacks are unknown; may be repeated."),
    ] = None,
    past: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Results of earlier days (--out), with which C/N0 is compared."),
    ] = None,
    limits: Annotated[
        Path | None, typer.Option(metavar="TOML", help="The bureau's own limits; see docs/quality.md.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Keep a JSON file of each station-day here; a run that was stopped goes on from them.",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="HTML",
            help="Draw a page, one file that needs no network; for several station-days a folder of pages.",
        ),
    ] = None,
    history: Annotated[
        Path | None,
        typer.Option(metavar="CATALOGUE", help="Keep the day's figures there, for `jizhun station trend`."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Quality of observations: completeness, cycle slips, multipath, positions, interference, BDS-3 signals.

    Several stations and days are judged in parallel. With --json one station-day is one object, several are
    an object with "station_days" and "failures".

    Example: jizhun station qc WUH200CHN_R_20261160000_01D_30S_MO.crx.gz --products BRDC00IGS*.rnx.gz
    """
    from pipelines.quality_limits import thresholds_from_toml
    from pipelines.quality_text import print_many, print_report
    from pipelines.station_quality import (
        QualityOptions,
        QualityResult,
        judge_all,
        plan_quality,
    )
    from stations.quality.verdict import QualityThresholds
    from transforms.errors import InputError

    options = QualityOptions(
        products=tuple(products or ()),
        log=log,
        antex=tuple(antex or ()),
        past=past,
        thresholds=QualityThresholds() if limits is None else thresholds_from_toml(limits),
    )
    tasks, passed_over = plan_quality(files, options, out, html)
    for remark in passed_over:
        say(f"note: {remark}")
    results: list[QualityResult] = []
    alone = len(tasks) == 1
    with (
        waiting(f"judging {tasks[0].name}") if alone else nullcontext(),
        TerminalProgress(quiet=alone) as progress,
    ):
        judge_all(tasks, progress, on_result=results.append)
    results.sort(key=lambda r: (r.task.station, r.task.day))
    if history is not None:
        from pipelines.station_history import keep_results

        update = keep_results(history, results)
        say(
            f"{history}: {update.n_new} days added, {update.n_replaced} replaced, "
            f"{update.n_unchanged} as kept"
        )
    failures = [r for r in results if r.report is None]
    reports = [r.report for r in results if r.report is not None]
    if len(tasks) == 1 and failures:
        raise InputError(failures[0].error)
    if json:
        several = {
            "station_days": reports,
            "failures": [{"station": r.task.station, "day": r.task.day, "error": r.error} for r in failures],
        }
        write_json(reports[0] if len(tasks) == 1 else several)
    elif len(tasks) == 1:
        print_report(reports[0], console())
    else:
        print_many(reports, console())
    for result in results:
        if result.task.html is not None and result.report is not None:
            say(f"{'kept' if result.reused else 'wrote'} {result.task.html}")
    for result in failures:
        say(f"error: {result.task.name}: {result.error}")
    if failures:
        raise typer.Exit(1)
