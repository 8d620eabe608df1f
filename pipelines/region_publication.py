"""From a region's result to products in the catalogue: one for each kind, each whole or not at all."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from datum.records import LocalDatumFit
from pipelines.catalogue.manifest import ProductDescription, ProductInput, canonical_json
from pipelines.catalogue.publish import Catalogue, Publication
from pipelines.code_version import code_version
from pipelines.gravity_product import write_gravity_product
from pipelines.height_product import write_height_product
from pipelines.horizontal_product import write_horizontal_product
from pipelines.local_datum_product import write_local_datum_product
from pipelines.progress import Progress
from pipelines.records import RegionResult
from pipelines.reference_files import read_antennas
from pipelines.region_adjustment import RegionInputs, station_places
from pipelines.report import write_report
from pipelines.settings import Region
from pipelines.simulated_mark import mark_tables
from stations.records import InputFile
from transforms.errors import InputError
from transforms.time_scales import Epochs


@dataclass(frozen=True)
class _Draft:
    """A product to be: what to call it, and how to write its files into a folder."""

    suffix: str
    kind: str
    frame: str
    epoch: str
    inputs: tuple[InputFile, ...]
    write: Callable[[Path], None]


def publish_region(
    region: Region, result: RegionResult, inputs: RegionInputs, progress: Progress
) -> tuple[Publication, ...]:
    """Write and publish what the result holds; nothing where no stage gave a result.

    Raises InputError where the work folder, CatalogueError where the catalogue cannot be written.
    """
    drafts = _drafts(region, result, inputs)
    progress.begin("products", len(drafts))
    catalogue = Catalogue(region.paths.catalogue)
    publications = []
    for draft in drafts:
        folder = region.paths.work / "products" / f"{draft.suffix}.{os.getpid()}"
        try:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        except OSError as error:
            raise InputError(f"{folder}: the work folder cannot be written: {error.strerror}") from None
        try:
            draft.write(folder)
            if region.region.simulated:
                mark_tables(folder)
            publications.append(catalogue.publish(_description(region, draft), folder))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        progress.advance(publications[-1].product.name)
    return tuple(publications)


def settings_text(region: Region) -> str:
    """The settings that steer the results as canonical JSON; folders of this machine are not among them."""
    content = region.model_dump(mode="json", exclude={"paths"})
    for part in ("heights", "gravity", "common_points", "truth"):
        if content[part] is not None:
            content[part] = {
                name: Path(value).name if name in _PATH_KEYS else value
                for name, value in content[part].items()
            }
    return canonical_json(content)


_PATH_KEYS = frozenset({"lines", "bench_marks", "readings", "absolute", "file"})


def _drafts(region: Region, result: RegionResult, inputs: RegionInputs) -> list[_Draft]:
    date = Epochs.from_datetime64(max(region.region.days).isoformat())
    places = station_places(result)
    drafts: list[_Draft] = []
    network = result.network
    if network is not None:
        drafts.append(
            _Draft(
                "horizontal",
                "horizontal",
                network.frame,
                network.epoch.iso(),
                network.inputs or _solution_inputs(result),
                lambda folder: write_horizontal_product(
                    folder,
                    network,
                    result.coordinates,
                    simulated=result.simulated,
                    antennas=read_antennas(region.paths.antex),
                ),
            )
        )
    heights, levelling = result.heights, inputs.levelling
    if heights is not None and levelling is not None:
        drafts.append(
            _Draft(
                "height",
                "height",
                heights.vertical_datum,
                "",
                (*levelling.inputs, *(network.inputs if result.station_heights and network else ())),
                lambda folder: write_height_product(
                    folder,
                    levelling,
                    heights,
                    result.station_heights,
                    places,
                    date,
                    simulated=result.simulated,
                ),
            )
        )
    gravity, readings = result.gravity, inputs.gravity
    if gravity is not None and readings is not None:
        drafts.append(
            _Draft(
                "gravity",
                "gravity",
                f"{gravity.tide_system.value} gravity",
                "",
                readings.inputs,
                lambda folder: write_gravity_product(
                    folder, readings, gravity, places, date, simulated=result.simulated
                ),
            )
        )
    fit = result.local_datum
    if fit is not None:
        drafts.append(_local_datum_draft(fit, result.simulated))
    if drafts:
        everything = tuple(item for draft in drafts for item in draft.inputs)
        drafts.append(
            _Draft(
                "report",
                "report",
                region.region.frame,
                "" if network is None else network.epoch.iso(),
                everything,
                lambda folder: write_report(folder / "report.html", result),
            )
        )
    return drafts


def _local_datum_draft(fit: LocalDatumFit, simulated: bool) -> _Draft:
    return _Draft(
        "local-datum",
        "local datum",
        fit.target_frame,
        "",
        fit.inputs,
        lambda folder: write_local_datum_product(folder, fit, simulated=simulated),
    )


def _solution_inputs(result: RegionResult) -> tuple[InputFile, ...]:
    return tuple(
        item for day in result.station_days if day.solution is not None for item in day.solution.inputs
    )


def _description(region: Region, draft: _Draft) -> ProductDescription:
    settings = settings_text(region)
    source = () if region.source is None else (region.source,)
    return ProductDescription(
        id=f"{region.publish.product}.{draft.suffix}",
        kind=draft.kind,
        frame=draft.frame,
        epoch=draft.epoch,
        inputs=_without_folders((*draft.inputs, *source)),
        settings_sha256=hashlib.sha256(settings.encode()).hexdigest(),
        code_version=code_version(),
        classification=region.publish.classification,
        licence=region.publish.licence,
        settings=settings,
        simulated=region.region.simulated,
    )


def _without_folders(inputs: Iterable[InputFile]) -> tuple[ProductInput, ...]:
    """Inputs by file name: where they lay on this machine is nobody's business and would differ elsewhere."""
    return tuple(sorted({ProductInput(Path(item.path).name, item.sha256) for item in inputs}))
