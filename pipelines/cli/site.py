"""`jizhun site`: a station's log shown, and held against the headers of its files."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.terminal import JsonOption, console, say, waiting, write_json

app = typer.Typer(help="Site logs: shown, and held against the headers of files.", no_args_is_help=True)
EXIT_FAILED = 1

Log = Annotated[
    Path, typer.Argument(metavar="LOG", help="IGS site log (version 1 or 2) or GeodesyML, compressed or not.")
]


@app.command("show")
def show(log: Log, json: JsonOption = False) -> None:
    """What a site log says: place, receivers, antennas with eccentricities, ties.

    Example: jizhun site show njls00chn_20260426.log
    """
    from pipelines.site_check import read_log, site_json

    facts = site_json(read_log(log))
    if json:
        write_json(facts)
        return
    from rich import box
    from rich.table import Table

    out = console()
    place = ", ".join(filter(None, (facts["site_name"], facts["city"], facts["country"])))
    out.print(f"{facts['station']} {facts['domes']}  {place}", soft_wrap=True, markup=False)
    if facts["position_ecef_m"]:
        out.print("  x y z " + " ".join(f"{v:.1f}" for v in facts["position_ecef_m"]) + " m", markup=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("section", "equipment", "serial", "firmware or E N U m", "installed UTC", "removed UTC"):
        table.add_column(title)
    for item in facts["receivers"]:
        table.add_row(*_row(item, item["type"], item["firmware"]))
    for item in facts["antennas"]:
        ecc = item["eccentricity_enu_m"]
        words = "-" if ecc is None else " ".join(f"{v:.4f}" for v in ecc)
        table.add_row(*_row(item, f"{item['type']} {item['radome']}", words))
    out.print(table)
    for tie in facts["local_ties"]:
        out.print(f"  tie {tie['section']} {tie['marker']} {tie['domes']} {tie['usage']}", markup=False)
    for remark in facts["remarks"]:
        say(f"note: {remark}")


def _row(item: dict[str, object], name: str, detail: str) -> list[str]:
    return [
        str(item["section"]),
        name,
        str(item["serial"]),
        detail,
        str(item["installed"] or "-"),
        str(item["removed"] or ""),
    ]


@app.command("check")
def check(
    log: Log,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="RINEX...", help="Observation files of the station, compressed or not."),
    ],
    json: JsonOption = False,
) -> None:
    """Hold a site log against headers of files: names, place, receiver, antenna, radome, eccentricity, dates.

    Differences are listed with the log's section; exit code 1 where there are any.

    Example: jizhun site check njls00chn_20260426.log NJLS00CHN_R_20261160000_01D_30S_MO.crx.gz
    """
    from pipelines.site_check import check_site, site_check_json

    with waiting(f"comparing {log.name} with {len(files)} files"):
        result = check_site(log, files)
    for remark in result.remarks:
        say(f"note: {remark}")
    if json:
        write_json(site_check_json(result))
    else:
        out = console()
        if result.differences:
            out.print(f"{result.station}: {len(result.differences)} differences")
            for difference in result.differences:
                out.print(f"  {difference.words()}", soft_wrap=True, markup=False)
        else:
            out.print(f"{result.station}: log and {len(files)} files agree")
    if result.differences:
        raise typer.Exit(EXIT_FAILED)
