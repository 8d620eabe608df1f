"""What a weather model says of the delay at a station over time: site-wise, or from a global grid.

Zenith delays of a grid are those at its own orography and are lifted to the station as Kouba (2008), J.
Geodesy 82, 193-205, does: by the pressure of a standard atmosphere. Its coefficients are of zero height.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stations.formats.vienna_mapping import MappingFunction, MappingFunctionGrid, SiteMappingFunctions
from stations.models.global_mapping_function import hydrostatic_height_correction
from stations.models.troposphere import zenith_hydrostatic_delay_m
from stations.models.vienna_mapping_function import vienna_mapping_function_1, vienna_mapping_function_3
from stations.records import InputFile
from transforms.errors import InputError
from transforms.geodetic import geodetic_from_ecef
from transforms.time_scales import Epochs

FloatArray = NDArray[np.float64]

_FEWEST_EPOCHS: Final = 2
_STEP_S: Final = 21600.0  # of the weather model; values are carried on for one step beyond either end
# Berg (1948), as Kouba (2008), eq. 5: pressure falls by (1 - 2.26e-5 dh)^5.225.
_PRESSURE_LAPSE_PER_M: Final = 2.26e-5
_PRESSURE_EXPONENT: Final = 5.225


@dataclass(frozen=True, eq=False)
class SiteWeather:
    """Mapping coefficients and hydrostatic zenith delay at a station's own height, over time; (n,).

    at_zero_height : whether the coefficients are of zero height, as those of grids, or of the station's own
    """

    kind: MappingFunction
    epochs: Epochs
    hydrostatic_coefficient: FloatArray
    wet_coefficient: FloatArray
    zenith_hydrostatic_delay_m: FloatArray
    at_zero_height: bool = False
    inputs: tuple[InputFile, ...] = ()

    @property
    def description(self) -> str:
        """For the output: "VMF3 of the day, site-wise"."""
        return f"{self.kind} of the day, {'from the grid' if self.at_zero_height else 'site-wise'}"

    def at_site(self, position_ecef_m: FloatArray) -> "SiteWeather":
        """Itself: it is of one station already."""
        return self

    def at(self, epochs: Epochs) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Hydrostatic and wet coefficient and zenith hydrostatic delay (m) at epochs, linear between.

        Raises InputError where an epoch lies more than one step of the weather model outside.
        """
        node_s = (self.epochs.tai_ns - self.epochs.tai_ns[0]) / 1e9
        at_s = (epochs.tai_ns - self.epochs.tai_ns[0]) / 1e9
        if np.any(at_s < -_STEP_S) or np.any(at_s > node_s[-1] + _STEP_S):
            raise InputError(
                f"mapping functions from {self.epochs[0]} to {self.epochs[-1]} do not cover the session"
            )
        return (
            np.interp(at_s, node_s, self.hydrostatic_coefficient),
            np.interp(at_s, node_s, self.wet_coefficient),
            np.interp(at_s, node_s, self.zenith_hydrostatic_delay_m),
        )

    def mapping(
        self, position_ecef_m: FloatArray, epochs: Epochs, elevation_rad: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Hydrostatic and wet mapping, and zenith hydrostatic delay (m), of observations; each (n,).

        position_ecef_m : of the station; epochs, elevation_rad : (n,)
        """
        latitude, longitude, height = (float(c) for c in geodetic_from_ecef(position_ecef_m))
        a_dry, a_wet, zenith_m = self.at(epochs)
        mjd = epochs.modified_julian_date()
        if self.kind == "VMF1":
            dry, wet = vienna_mapping_function_1(a_dry, a_wet, mjd, latitude, elevation_rad)
        else:
            dry, wet = vienna_mapping_function_3(a_dry, a_wet, mjd, latitude, longitude, elevation_rad)
        if self.at_zero_height:
            dry = dry + hydrostatic_height_correction(np.sin(elevation_rad), height)
        return dry, wet, zenith_m


def site_weather_of(site: SiteMappingFunctions) -> SiteWeather:
    """A site's values for a solution. Raises InputError for a single epoch."""
    return _whole(
        SiteWeather(
            site.kind,
            site.epochs,
            site.hydrostatic_coefficient,
            site.wet_coefficient,
            site.zenith_hydrostatic_delay_m,
            inputs=site.inputs,
        ),
        f"mapping functions of {site.site}",
    )


def joined_site_weather(sites: Iterable[SiteMappingFunctions]) -> SiteWeather:
    """One station's values out of several files of one kind, an epoch given twice counted once.

    Raises InputError where the kinds differ or all of them hold a single epoch.
    """
    parts = sorted(sites, key=lambda site: int(site.epochs.tai_ns[0]))
    if len({site.kind for site in parts}) > 1:
        raise InputError(f"mapping functions of {parts[0].site} are of VMF1 and VMF3: give those of one kind")
    ns, first = np.unique(np.concatenate([site.epochs.tai_ns for site in parts]), return_index=True)
    return _whole(
        SiteWeather(
            parts[0].kind,
            Epochs(ns),
            np.concatenate([site.hydrostatic_coefficient for site in parts])[first],
            np.concatenate([site.wet_coefficient for site in parts])[first],
            np.concatenate([site.zenith_hydrostatic_delay_m for site in parts])[first],
            inputs=tuple(dict.fromkeys(item for site in parts for item in site.inputs)),
        ),
        f"mapping functions of {parts[0].site}",
    )


def _whole(weather: SiteWeather, name: str) -> SiteWeather:
    if len(weather.epochs) < _FEWEST_EPOCHS:
        raise InputError(f"{name} hold one epoch: at least two are needed")
    return weather


@dataclass(frozen=True, eq=False)
class GriddedWeather:
    """Grids of one kind and one set of nodes over time, with the heights of their nodes.

    node_height_m : (n_latitude, n_longitude), of the weather model's orography above the ellipsoid
    """

    grids: tuple[MappingFunctionGrid, ...]
    node_height_m: FloatArray
    inputs: tuple[InputFile, ...] = ()

    @property
    def description(self) -> str:
        """For the output: "VMF3 of the day, from the grid"."""
        return f"{self.grids[0].kind} of the day, from the grid"

    def at_site(self, position_ecef_m: FloatArray) -> SiteWeather:
        """Values at a station: bilinear between nodes, delays lifted from each node to its height first."""
        latitude, longitude, height = (float(c) for c in geodetic_from_ecef(position_ecef_m))
        grid = self.grids[0]
        corners, share = _corners(grid, float(np.degrees(latitude)), float(np.degrees(longitude)))
        at_node = np.stack([_lifted_m(g, self.node_height_m, corners, latitude, height) for g in self.grids])
        return SiteWeather(
            grid.kind,
            Epochs(np.array([int(g.epoch.tai_ns) for g in self.grids])),
            np.array([share @ g.hydrostatic_coefficient[corners] for g in self.grids]),
            np.array([share @ g.wet_coefficient[corners] for g in self.grids]),
            at_node @ share,
            at_zero_height=True,
            inputs=self.inputs,
        )


def gridded_weather(
    grids: Sequence[MappingFunctionGrid],
    node_height_m: FloatArray,
    inputs: Iterable[InputFile] = (),
) -> GriddedWeather:
    """Grids for solutions, in the order of time; `inputs` are the files of the heights.

    Raises InputError where grids differ in kind or nodes, or fewer than two epochs are there.
    """
    by_time = {int(grid.epoch.tai_ns): grid for grid in grids}
    ordered = tuple(by_time[ns] for ns in sorted(by_time))
    if len(ordered) < _FEWEST_EPOCHS:
        raise InputError("grids of mapping functions of two epochs at least are needed")
    first = ordered[0]
    for grid in ordered[1:]:
        same = grid.kind == first.kind and grid.zenith_wet_delay_m.shape == first.zenith_wet_delay_m.shape
        if not same:
            raise InputError(f"grids of mapping functions differ: at {first.epoch} and at {grid.epoch}")
    if node_height_m.shape != first.zenith_wet_delay_m.shape:
        raise InputError(
            f"heights of {node_height_m.size} nodes do not fit a grid of {first.zenith_wet_delay_m.size}"
        )
    used = (*(item for grid in ordered for item in grid.inputs), *inputs)
    return GriddedWeather(ordered, node_height_m, tuple(dict.fromkeys(used)))


def _corners(
    grid: MappingFunctionGrid, latitude_deg: float, longitude_deg: float
) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], FloatArray]:
    """Rows and columns of the four nodes about a place, and their shares (4,); at a pole the last row's."""
    rows, columns = grid.latitude_deg.size, grid.longitude_deg.size
    down = (grid.latitude_deg[0] - latitude_deg) / (grid.latitude_deg[0] - grid.latitude_deg[1])
    down = float(np.clip(down, 0.0, rows - 1.0))
    right = float(np.mod(longitude_deg - grid.longitude_deg[0], 360.0))
    right = right / float(grid.longitude_deg[1] - grid.longitude_deg[0])
    row, column = min(int(down), rows - 2), int(right) % columns
    south, east = down - row, right - int(right)
    after = (column + 1) % columns
    share = np.array([(1 - south) * (1 - east), (1 - south) * east, south * (1 - east), south * east])
    return (np.array([row, row, row + 1, row + 1]), np.array([column, after, column, after])), share


def _lifted_m(
    grid: MappingFunctionGrid,
    node_height_m: FloatArray,
    corners: tuple[NDArray[np.int64], NDArray[np.int64]],
    latitude_rad: float,
    height_m: float,
) -> FloatArray:
    """Hydrostatic zenith delays of nodes (4,) as they would be at a height."""
    node_m = node_height_m[corners]
    pressure_hpa = grid.zenith_hydrostatic_delay_m[corners] / zenith_hydrostatic_delay_m(
        1.0, latitude_rad, node_m
    )
    lifted = pressure_hpa * (1.0 - _PRESSURE_LAPSE_PER_M * (height_m - node_m)) ** _PRESSURE_EXPONENT
    return zenith_hydrostatic_delay_m(lifted, latitude_rad, height_m)
