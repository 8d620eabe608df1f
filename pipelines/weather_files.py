"""Vienna mapping functions out of the files and folders that a command or a task names, found by content."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from stations.formats.orography import read_orography
from stations.formats.registry import recognise
from stations.formats.vienna_mapping import (
    MappingFunctionGrid,
    SiteMappingFunctions,
    mapping_function_grid_epoch,
    read_mapping_function_grid,
    read_site_mapping_functions,
)
from stations.models.site_weather import (
    GriddedWeather,
    SiteWeather,
    gridded_weather,
    joined_site_weather,
)
from transforms.errors import FormatError, InputError
from transforms.time_scales import Epochs

_SITES: Final = "site-mapping"
_GRID: Final = "mapping-grid"
_OROGRAPHY: Final = "orography"  # how the files of the TU Wien with the heights of nodes are named
_STEP_NS: Final = 21_600_000_000_000  # of the weather model: a grid so far outside a session serves it
_FILES_KEPT: Final = 64


def site_weather(
    paths: Sequence[Path], station: str, first: Epochs, last: Epochs
) -> SiteWeather | GriddedWeather | None:
    """What serves a station from `first` to `last`: its own values, else grids; None where neither is there.

    paths : site-wise files, grids with the file of their heights ("orography_ell"), or folders of them

    Raises
    ------
    InputError : a path does not exist, a named file is none of these, grids without heights
    FormatError : with file and line
    """
    sites: list[SiteMappingFunctions] = []
    grids: list[MappingFunctionGrid] = []
    heights: list[Path] = []
    for path, kind in _kinds(paths):
        if kind == _SITES:
            of_station = (
                site for name, site in _sites(path).items() if name[:4].upper() == station[:4].upper()
            )
            sites += of_station
        elif kind == _OROGRAPHY:
            heights.append(path)
        elif _serves(mapping_function_grid_epoch(path), first, last):
            grids.append(_grid(path))
    if sites:
        return joined_site_weather(sites)
    if not grids:
        return None
    if not heights:
        raise InputError(
            f"{grids[0].inputs[0].path}: a grid of mapping functions needs the heights of its nodes: "
            "give the file orography_ell of the same grid too"
        )
    shape = grids[0].zenith_hydrostatic_delay_m.shape
    node_height_m, identity = read_orography(heights[0], (shape[0], shape[1]))
    return gridded_weather(grids, node_height_m, (identity,))


def _kinds(paths: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Files that serve, with their kind; what else lies in a folder is passed over."""
    for place in paths:
        if not place.exists():
            raise InputError(f"{place}: no such folder or file")
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if not path.is_file():
                continue
            kind = _kind(path)
            if kind is not None:
                yield path, kind
            elif path == place:
                raise InputError(
                    f"{path}: holds neither mapping functions (VMF1, VMF3) nor heights of a grid"
                )


def _kind(path: Path) -> str | None:
    if path.name.startswith(_OROGRAPHY):
        return _OROGRAPHY
    try:
        name = recognise(path).name
    except FormatError:
        return None
    return name if name in (_SITES, _GRID) else None


def _serves(epoch: Epochs, first: Epochs, last: Epochs) -> bool:
    ns = int(epoch.tai_ns)
    return int(first.tai_ns) - _STEP_NS <= ns <= int(last.tai_ns) + _STEP_NS


@lru_cache(maxsize=_FILES_KEPT)
def _sites(path: Path) -> dict[str, SiteMappingFunctions]:
    return read_site_mapping_functions(path)


@lru_cache(maxsize=_FILES_KEPT)
def _grid(path: Path) -> MappingFunctionGrid:
    return read_mapping_function_grid(path)
