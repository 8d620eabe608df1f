"""`jizhun station report`: one station's solution as a page with pictures."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.station_options import (
    DEFAULT_ELEVATION_CUTOFF_DEG,
    DEFAULT_SYSTEMS,
    AllowMissingAntennaOption,
    AllowMixedProductsOption,
    Ambiguities,
    AmbiguitiesOption,
    AntexOption,
    CentreOption,
    ElevationCutoffOption,
    ExcludeOption,
    FilesArgument,
    IntervalOption,
    MappingFunctionsOption,
    OceanLoadingOption,
    ProductsOption,
    SignalsOption,
    SystemsOption,
    signals_of_systems,
)
from pipelines.cli.terminal import JsonOption, say, waiting, write_json


def report(
    files: FilesArgument,
    products: ProductsOption,
    out: Annotated[Path, typer.Option(metavar="HTML", help="The report to write: one file, no network.")],
    centre: CentreOption = None,
    allow_mixed_products: AllowMixedProductsOption = False,
    systems: SystemsOption = DEFAULT_SYSTEMS,
    signals: SignalsOption = None,
    exclude: ExcludeOption = None,
    elevation_cutoff: ElevationCutoffOption = DEFAULT_ELEVATION_CUTOFF_DEG,
    ambiguities: AmbiguitiesOption = Ambiguities.FLOAT,
    interval: IntervalOption = None,
    antex: AntexOption = None,
    ocean_loading: OceanLoadingOption = None,
    mapping_functions: MappingFunctionsOption = None,
    allow_missing_antenna: AllowMissingAntennaOption = False,
    json: JsonOption = False,
) -> None:
    """Solve a station and show it: residuals, sky plots, zenith delay, convergence, rejections.

    Example: jizhun station report BOR1*.crx.gz --products products/ --antex igs20.atx --out BOR1.html
    """
    import time

    from pipelines.solution_json import solution_contract
    from pipelines.station_report import report_files
    from pipelines.station_solve import SolveRequest

    request = SolveRequest(
        files=tuple(files),
        products=tuple(products),
        centre=centre,
        allow_mixed_products=allow_mixed_products,
        systems=systems,
        ambiguities=ambiguities.value,
        mode="static",
        interval_s=interval,
        allow_missing_antenna=allow_missing_antenna,
        antex=tuple(antex or ()),
        ocean_loading=ocean_loading,
        mapping_functions=tuple(mapping_functions or ()),
        signals=signals_of_systems(signals, systems),
        exclude=tuple(exclude or ()),
        elevation_cutoff_deg=elevation_cutoff,
    )
    began = time.monotonic()
    with waiting(f"solving {', '.join(path.name for path in files)}"):
        solution = report_files(request, out)
    say(f"wrote {out}")
    if json:
        write_json(solution_contract(solution, time.monotonic() - began))
