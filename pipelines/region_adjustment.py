"""What is computed of the region as a whole once its station-days are known.

Each stage stands on its own: where one fails, the others still give their products, and the failure is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from datum.formats.gravity_csv import read_gravity
from datum.formats.levelling_csv import read_levelling
from datum.gravity.network import adjust_gravity
from datum.height.levelling import adjust_levelling
from datum.height.normal_heights import station_heights
from datum.records import (
    GravityObservations,
    GravitySolution,
    HeightSolution,
    LevellingNetwork,
    LocalDatumFit,
    NetworkSolution,
    StationHeight,
    TideSystem,
)
from pipelines.days import day_name
from pipelines.horizontal_product import datum_epoch, geodetic_deg, station_coordinates
from pipelines.local_datum_product import fit_common_points
from pipelines.network_solution import solve_network
from pipelines.progress import Progress
from pipelines.records import (
    RegionResult,
    StageReuse,
    StationCoordinates,
    StationDay,
    StationDayStatus,
    TruthDifference,
)
from pipelines.settings import Region
from pipelines.truth import compare_with_truth, read_truth
from pipelines.work_store import StageKey, WorkStore
from transforms.errors import JizhunError
from transforms.frames import frame_named
from transforms.geodetic import geodetic_from_ecef

HEIGHT_CODE: Final = ("transforms", "datum", "stations.records")
N_STAGES: Final = 5


@dataclass(frozen=True, eq=False)
class RegionInputs:
    """The region's own observations beside GNSS, as read: products need their places."""

    levelling: LevellingNetwork | None
    gravity: GravityObservations | None


def adjust_region(
    region: Region, station_days: Sequence[StationDay], remarks: Sequence[str], progress: Progress
) -> tuple[RegionResult, RegionInputs]:
    """Everything that follows from the station-days; failures stand in the result's problems."""
    return _Adjustment(region, tuple(station_days), list(remarks), progress).run()


class _Adjustment:
    """The stages in their order, with the problems met on the way."""

    def __init__(
        self, region: Region, station_days: tuple[StationDay, ...], problems: list[str], progress: Progress
    ) -> None:
        self.region = region
        self.station_days = station_days
        self.problems = problems
        self.progress = progress
        self.store = WorkStore(region.paths.work)
        self.reuse: list[StageReuse] = []

    def run(self) -> tuple[RegionResult, RegionInputs]:
        """All stages."""
        self.progress.begin("network, heights, gravity", N_STAGES)
        for item in self.station_days:
            if item.status is not StationDayStatus.SOLVED:
                self.problems.append(f"{item.station} {item.day}: {item.status.value}: {item.message}")
            elif item.message:
                self.problems.append(f"{item.station} {item.day}: {item.message}")
        network = self._network()
        tracks_bds3: Mapping[str, bool] = {
            item.station: item.quality.tracks_bds3 for item in self.station_days if item.quality is not None
        }
        coordinates = () if network is None else station_coordinates(network, self.region, tracks_bds3)
        for entry in coordinates:
            if entry.datum_position_ecef_m is None:
                self.problems.append(f"{entry.name}: not in {entry.datum_frame}: {entry.remark}")
        self.progress.advance("network")
        levelling, heights = self._heights()
        self.progress.advance("heights")
        normal_heights = in_national_frame(
            self._station_heights(network, heights, levelling), network, coordinates
        )
        self.progress.advance("normal heights")
        observations, gravity = self._gravity()
        self.progress.advance("gravity")
        local_datum = self._local_datum()
        self.progress.advance("local datum")
        truth: tuple[TruthDifference, ...] = ()
        if self.region.truth is not None:
            try:
                known = read_truth(self.region.truth.file)
                truth = compare_with_truth(known, coordinates, normal_heights, gravity)
            except JizhunError as error:
                self.problems.append(f"truth: {error}")
        result = RegionResult(
            name=self.region.region.name,
            days=tuple(day_name(day) for day in self.region.region.days),
            station_days=self.station_days,
            network=network,
            coordinates=coordinates,
            heights=heights,
            station_heights=normal_heights,
            gravity=gravity,
            local_datum=local_datum,
            truth=truth,
            reuse=tuple(self.reuse),
            problems=tuple(self.problems),
            simulated=self.region.region.simulated,
        )
        return result, RegionInputs(levelling, observations)

    def _network(self) -> NetworkSolution | None:
        solutions = [item.solution for item in self.station_days if item.solution is not None]
        try:
            found = solve_network(self.region, solutions, self.store)
        except JizhunError as error:
            self.problems.append(f"network: {error}")
            return None
        self.reuse.append(StageReuse("network", found.reused))
        return found.record

    def _heights(self) -> tuple[LevellingNetwork | None, HeightSolution | None]:
        settings = self.region.heights
        if settings is None:
            return None, None
        try:
            network = read_levelling(
                settings.lines,
                settings.bench_marks,
                vertical_datum=settings.vertical_datum,
                tide_system=TideSystem(settings.tide_system),
                order=settings.order,
            )
            key = StageKey(
                "heights",
                settings.vertical_datum,
                HEIGHT_CODE,
                tuple(item.sha256 for item in network.inputs),
                settings.model_dump(mode="json", exclude={"lines", "bench_marks"}),
            )
            found = self.store.recall_or(key, HeightSolution, lambda: adjust_levelling(network))
        except JizhunError as error:
            self.problems.append(f"heights: {error}")
            return None, None
        self.reuse.append(StageReuse("heights", found.reused))
        return network, found.record

    def _station_heights(
        self,
        network: NetworkSolution | None,
        heights: HeightSolution | None,
        levelling: LevellingNetwork | None,
    ) -> tuple[StationHeight, ...]:
        if network is None or heights is None or levelling is None:
            return ()
        try:
            found = station_heights(network, heights, levelling, omit_beyond=True)
        except JizhunError as error:
            self.problems.append(f"normal heights: {error}")
            return ()
        reached = {item.station for item in found}
        self.problems += [
            f"{station}: no normal height: it lies beyond the reach of the levelled stations"
            for station in dict.fromkeys(item.station for item in network.stations)
            if station not in reached
        ]
        return found

    def _gravity(self) -> tuple[GravityObservations | None, GravitySolution | None]:
        settings = self.region.gravity
        if settings is None:
            return None, None
        try:
            observations = read_gravity(
                settings.readings, settings.absolute, tide_system=TideSystem(settings.tide_system)
            )
            key = StageKey(
                "gravity",
                self.region.region.name,
                HEIGHT_CODE,
                tuple(item.sha256 for item in observations.inputs),
                settings.model_dump(mode="json", exclude={"readings", "absolute"}),
            )
            found = self.store.recall_or(key, GravitySolution, lambda: adjust_gravity(observations))
        except JizhunError as error:
            self.problems.append(f"gravity: {error}")
            return None, None
        self.reuse.append(StageReuse("gravity", found.reused))
        return observations, found.record

    def _local_datum(self) -> LocalDatumFit | None:
        settings = self.region.common_points
        if settings is None:
            return None
        try:
            return fit_common_points(settings)
        except JizhunError as error:
            self.problems.append(f"local datum: {error}")
            return None


def in_national_frame(
    heights: Sequence[StationHeight],
    network: NetworkSolution | None,
    coordinates: Sequence[StationCoordinates],
) -> tuple[StationHeight, ...]:
    """Give the ellipsoidal heights, and the anomalies over them, in the national frame where it is known.

    Normal heights and their sigmas stay: they are computed at the epoch of the observations, where the
    velocities' errors do not enter. A station without a velocity keeps its height in the network's frame and
    epoch; `frame` and `epoch` of each record say which it is.
    """
    if network is None:
        return tuple(heights)
    found = []
    for item in heights:
        # The same solution that `station_heights` takes where a discontinuity parts the days.
        parts = [entry for entry in coordinates if entry.station == item.station]
        chosen = min(parts, key=lambda entry: (-len(entry.days), entry.solution_number))
        if chosen.datum_position_ecef_m is None:
            found.append(replace(item, frame=network.frame, epoch=network.epoch.iso()))
            continue
        _, _, height = geodetic_from_ecef(
            chosen.datum_position_ecef_m, frame_named(chosen.datum_frame).ellipsoid
        )
        found.append(
            replace(
                item,
                ellipsoidal_height_m=float(height),
                height_anomaly_m=float(height) + item.permanent_tide_m - item.normal_height_m,
                frame=chosen.datum_frame,
                epoch=datum_epoch(chosen).iso(),
            )
        )
    return tuple(found)


def station_places(result: RegionResult) -> dict[str, tuple[float, float]]:
    """Station -> longitude, latitude in degrees of its first solution, in the national frame where known."""
    places: dict[str, tuple[float, float]] = {}
    for item in result.coordinates:
        if item.datum_position_ecef_m is not None:
            latitude, longitude, _ = geodetic_deg(item.datum_position_ecef_m, item.datum_frame)
        else:
            latitude, longitude, _ = geodetic_deg(item.position_ecef_m, item.frame)
        places.setdefault(item.station, (longitude, latitude))
    return places
