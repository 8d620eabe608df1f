"""`jizhun station trend`: what changed at stations over months and years."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.terminal import JsonOption, TerminalProgress, console, write_json

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.station_history import NetworkTrends


def trend(
    catalogue: Annotated[
        Path, typer.Argument(metavar="CATALOGUE", help="Catalogue folder with the daily quality rows.")
    ],
    station: Annotated[
        list[str] | None, typer.Option(help="Station to show; may be repeated. Default: all.")
    ] = None,
    figure: Annotated[
        list[str] | None,
        typer.Option(
            help='Figure or kind to search, such as "cn0_dbhz" or "multipath_m:C5P"; may be repeated.'
        ),
    ] = None,
    by_elevation: Annotated[
        bool, typer.Option("--by-elevation", help="Search single bins of elevation too.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="First day, 2024-035 or 2024-02-04; default: 3 years."),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DAY", help="Last day; default: the last kept.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="End with 1 where anything calls for a look: for a schedule.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Trends and changes of quality: falls of C/N0, growing multipath, stations that moved without a word.

    Rows come from `jizhun run` and from `jizhun station qc --history`. Tests and rates: docs/quality.md.

    Example: jizhun station trend catalogue --station WUH2 --figure cn0_dbhz
    """
    from pipelines.days import parse_day
    from pipelines.station_history import network_trends, trends_as_json

    try:
        first, last = (None if text is None else parse_day(text) for text in (since, until))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--since or --until") from None
    with TerminalProgress(quiet=True) if json else TerminalProgress() as progress:
        found = network_trends(
            catalogue,
            tuple(station or ()),
            figures=tuple(figure or ()),
            by_elevation=by_elevation,
            first=first,
            last=last,
            progress=progress,
        )
    if json:
        write_json(trends_as_json(found))
    else:
        _show(found, console())
    if check and found.calls_for_a_look:
        raise typer.Exit(1)


def _show(found: "NetworkTrends", out: "Console") -> None:
    from rich import box
    from rich.table import Table

    out.print(f"quality of {len(found.stations)} stations, {found.first} to {found.last}")
    for step in found.steps:
        out.print(f"{'·' if step.documented else '!'} {step.words()}", soft_wrap=True, markup=False)
    for change in found.changes:
        out.print(f"! {found.change_words(change)}", soft_wrap=True, markup=False)
    for item in found.growing:
        out.print(f"! {found.trend_words(item)}", soft_wrap=True, markup=False)
    short = found.search_words()
    if not found.calls_for_a_look and not found.steps:
        out.print("nothing calls for a look in what was searched" if short else "nothing calls for a look")
    if short:
        out.print(f"note: {short}", soft_wrap=True, markup=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    titles: list[tuple[str, Any]] = [("station", "left"), ("figure", "left")]
    titles += [(name, "right") for name in ("days", "median", "last", "per year", "changes")]
    for title, justify in titles:
        table.add_column(title, justify=justify, no_wrap=True)
    for history in found.histories:
        slope = "-" if history.trend is None else f"{found.per_year(history.trend):+.3g}"
        table.add_row(
            history.station,
            history.figure,
            str(history.n_days),
            f"{history.median:.4g}",
            f"{history.last:.4g}",
            slope,
            str(len(history.changes) or "-"),
        )
    out.print(table)
