"""The closing table of `jizhun run`, which a surveyor can read, and the same for machines."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from datum.formats.gravity_csv import MGAL_M_PER_S2
from datum.records import LocalDatumFit
from pipelines.horizontal_product import geodetic_deg, sigma_enu_m
from pipelines.records import RegionResult, StationCoordinates, StationDay, StationDayStatus, TruthDifference
from pipelines.region_run import RegionOutcome
from pipelines.truth import station_gravity

if TYPE_CHECKING:
    from rich.console import Console

MILLIMETRES: Final = 1e3
MICROGAL_M_PER_S2: Final = 1e-3 * MGAL_M_PER_S2
# How to open each kind of file, in one line.
HOW_TO_OPEN: Final[Mapping[str, str]] = {
    "horizontal": "QGIS: drag stations.gpkg into the map (EPSG:4490). SINEX: network.snx",
    "height": 'QGIS: heights.gpkg. Python: pyogrio.raw.read("heights.gpkg", layer="station_heights")',
    "gravity": "QGIS: gravity.gpkg. Spreadsheet: gravity.csv",
    "local datum": 'pyproj: pyproj.Transformer.from_pipeline(open("local_datum.proj").read().strip())',
    "report": "any browser, no network needed: report.html",
}


def show_outcome(outcome: RegionOutcome, console: "Console") -> None:
    """Show what was reused, the stations, what went wrong, and where the products lie."""
    result = outcome.result
    console.print(f"\n[bold]{_plain(result.name)}[/bold]  days {', '.join(result.days)}")
    _show_station_days(result, console)
    if result.coordinates:
        _show_stations(result, console)
    _show_findings(result, console)
    for problem in result.problems:
        console.print(f"[red]![/red] {_plain(problem)}", soft_wrap=True)
    if not outcome.publications:
        return
    console.print("\n[bold]Products[/bold]")
    for item in outcome.publications:
        state = "new" if item.created else "unchanged, reused"
        console.print(f"  {item.product.name} ({state}): {item.folder}", soft_wrap=True)
        console.print(f"      {HOW_TO_OPEN[item.product.description.kind]}", soft_wrap=True, style="dim")


def why_nothing(result: RegionResult) -> str:
    """One line on why a run has no coordinates and therefore publishes nothing."""
    failed = [item for item in result.station_days if item.status is not StationDayStatus.SOLVED]
    if len(failed) == len(result.station_days):
        first = next((item for item in failed if item.status is not StationDayStatus.MISSING), failed[0])
        return (
            f"no station-day could be solved; {first.station} {first.day}: {first.status.value}: "
            f"{' '.join(first.message.split())}"
        )
    found = [text for text in result.problems if text.startswith("network: ")]
    return " ".join((found or ["the network has no solution"])[-1].split())


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _show_station_days(result: RegionResult, console: "Console") -> None:
    solved = [item for item in result.station_days if item.status is StationDayStatus.SOLVED]
    reused = [item for item in solved if item.reused_solution]
    stages = [item.stage for item in result.reuse if item.reused]
    console.print(
        f"{len(solved)} of {len(result.station_days)} station-days solved, "
        f"{len(reused)} of them reused from an earlier run"
        + (f"; stages reused: {', '.join(stages)}" if stages else "")
    )
    for station in dict.fromkeys(item.station for item in result.station_days):
        days = [item for item in result.station_days if item.station == station]
        console.print(f"  {station:<10} " + "; ".join(_day_text(item) for item in days), soft_wrap=True)


def _day_text(item: StationDay) -> str:
    text = f"{item.day} {item.status.value}"
    if item.reused_solution or (item.solution is None and item.reused_quality):
        text += " (reused)"
    if item.quality is not None and not item.quality.tracks_bds3:
        text += ", no BDS-3 signal"
    return text


def _show_stations(result: RegionResult, console: "Console") -> None:
    from rich import box
    from rich.table import Table

    def table(title: str, *columns: str) -> Table:
        made = Table(
            box=box.SIMPLE_HEAD,
            pad_edge=False,
            padding=(0, 1, 0, 0),
            collapse_padding=True,
            title=title,
            title_justify="left",
        )
        for number, column in enumerate(columns):
            made.add_column(column, justify="left" if number == 0 else "right", no_wrap=True)
        return made

    places = table(
        _title(result.coordinates[0]),
        "station",
        "frame",
        "latitude °",
        "longitude °",
        "height m",
        "σ E N U mm",
    )
    for item in result.coordinates:
        name = item.name + (" *" if item.is_control else "")
        places.add_row(name, *_coordinate_cells(item, 0))
        if item.datum_position_ecef_m is not None:
            places.add_row("", *_coordinate_cells(item, 1))
    console.print(places)
    if any(item.is_control for item in result.coordinates):
        console.print("* holds the datum: published coordinates of the control network", style="dim")
    columns = ["station", "normal\nheight m", "σ\nmm", "gravity\nmGal", "σ\nµGal"]
    if result.truth:
        columns += ["minus truth\nE N U mm", "H\nmm", "g\nµGal"]
    values = table(
        "Normal heights and gravity" + (", and the difference from the truth" if result.truth else ""),
        *columns,
    )
    heights = {item.station: item for item in result.station_heights}
    gravity = {name[:4]: value for name, value in station_gravity(result.gravity).items()}
    differences = {item.station: item for item in result.truth}
    for item in result.coordinates:
        height = heights.get(item.station)
        known = gravity.get(item.station[:4])
        cells = (
            ["-", "-"]
            if height is None
            else [f"{height.normal_height_m:.4f}", f"{height.sigma_m * MILLIMETRES:.1f}"]
        )
        cells += (
            ["-", "-"]
            if known is None
            else [f"{known[0] / MGAL_M_PER_S2:.4f}", f"{known[1] / MICROGAL_M_PER_S2:.1f}"]
        )
        values.add_row(item.name, *cells, *(_truth_cells(differences.get(item.name)) if result.truth else []))
    console.print(values)


def _show_findings(result: RegionResult, console: "Console") -> None:
    """What the adjustments rejected, and what they have to say of themselves."""
    for stage, part in (
        ("network", result.network),
        ("levelling", result.heights),
        ("gravity", result.gravity),
        ("common points", result.local_datum),
    ):
        if part is None:
            continue
        for rejection in part.rejections:
            console.print(
                f"[yellow]found[/yellow] {stage}: {_plain(rejection.subject)}: {_plain(rejection.reason)}",
                soft_wrap=True,
            )
        if not isinstance(part, LocalDatumFit):
            for remark in part.remarks:
                console.print(f"[dim]note[/dim]  {stage}: {_plain(remark)}", soft_wrap=True)


def _title(first: StationCoordinates) -> str:
    return f"{first.frame} at {first.epoch.iso()} GPST, and {first.datum_frame}"


def _coordinate_cells(item: StationCoordinates, which: int) -> list[str]:
    if which == 0 or item.datum_position_ecef_m is None or item.datum_covariance_m2 is None:
        frame, position, covariance = item.frame, item.position_ecef_m, item.covariance_m2
    else:
        frame, position, covariance = item.datum_frame, item.datum_position_ecef_m, item.datum_covariance_m2
    latitude, longitude, height = geodetic_deg(position, frame)
    sigmas = " ".join(f"{value * MILLIMETRES:.1f}" for value in sigma_enu_m(position, covariance))
    return [frame, f"{latitude:.9f}", f"{longitude:.9f}", f"{height:.4f}", sigmas]


def _truth_cells(difference: TruthDifference | None) -> list[str]:
    if difference is None:
        return ["-", "-", "-"]
    enu, height, gravity = difference.enu_m, difference.normal_height_m, difference.gravity_m_per_s2
    return [
        "-" if enu is None else " ".join(f"{value * MILLIMETRES:+.1f}" for value in enu),
        "-" if height is None else f"{height * MILLIMETRES:+.1f}",
        "-" if gravity is None else f"{gravity / MICROGAL_M_PER_S2:+.1f}",
    ]


def region_contract(outcome: RegionOutcome) -> dict[str, Any]:
    """The object of `jizhun run --json`."""
    result = outcome.result
    heights = {item.station: item for item in result.station_heights}
    gravity = {name[:4]: value for name, value in station_gravity(result.gravity).items()}
    truth = {item.station: item for item in result.truth}
    return {
        "region": result.name,
        "days": list(result.days),
        "station_days": [
            {
                "station": item.station,
                "day": item.day,
                "status": item.status.value,
                "message": item.message,
                "verdict": None if item.quality is None else item.quality.verdict.value,
                "tracks_bds3": None if item.quality is None else item.quality.tracks_bds3,
                "reused": item.reused_solution,
            }
            for item in result.station_days
        ],
        "stages_reused": {item.stage: item.reused for item in result.reuse},
        "stations": [
            {
                "station": item.station,
                "solution_number": item.solution_number,
                "control": item.is_control,
                "coordinates": [_coordinates(item, which) for which in _frames(item)],
                "normal_height_m": _rounded(heights[item.station].normal_height_m, 5)
                if item.station in heights
                else None,
                "gravity_mgal": _rounded(gravity[item.station[:4]][0] / MGAL_M_PER_S2, 5)
                if item.station[:4] in gravity
                else None,
                "minus_truth": _difference(truth.get(item.name)),
            }
            for item in result.coordinates
        ],
        "problems": list(result.problems),
        "products": [
            {
                "id": item.product.description.id,
                "version": item.product.version,
                "kind": item.product.description.kind,
                "created": item.created,
                "folder": str(item.folder),
                "files": {file.name: file.sha256 for file in item.product.files},
            }
            for item in outcome.publications
        ],
        "catalogue": str(Path(outcome.region.paths.catalogue)),
    }


def _frames(item: StationCoordinates) -> tuple[int, ...]:
    return (0,) if item.datum_position_ecef_m is None else (0, 1)


def _coordinates(item: StationCoordinates, which: int) -> dict[str, Any]:
    if which == 0 or item.datum_position_ecef_m is None or item.datum_covariance_m2 is None:
        frame, position, covariance = item.frame, item.position_ecef_m, item.covariance_m2
    else:
        frame, position, covariance = item.datum_frame, item.datum_position_ecef_m, item.datum_covariance_m2
    latitude, longitude, height = geodetic_deg(position, frame)
    return {
        "frame": frame,
        "epoch": item.epoch.iso() if which == 0 else None,
        "position_ecef_m": [_rounded(float(value), 5) for value in position],
        "latitude_deg": latitude,
        "longitude_deg": longitude,
        "ellipsoidal_height_m": height,
        "sigma_enu_m": [_rounded(value, 5) for value in sigma_enu_m(position, covariance)],
    }


def _difference(item: TruthDifference | None) -> dict[str, Any] | None:
    if item is None:
        return None
    return {
        "enu_m": None if item.enu_m is None else [_rounded(value, 5) for value in item.enu_m],
        "normal_height_m": None if item.normal_height_m is None else _rounded(item.normal_height_m, 5),
        "gravity_mgal": None
        if item.gravity_m_per_s2 is None
        else _rounded(item.gravity_m_per_s2 / MGAL_M_PER_S2, 5),
    }


def _rounded(value: float, decimals: int) -> float:
    return round(float(value), decimals)
