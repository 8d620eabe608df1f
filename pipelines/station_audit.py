"""The readiness of a network for BeiDou-3: station-days grouped and audited in parallel.

Grouping by station and day, and the choice of products, are those of the quality report. A task holds only
paths, names and numbers, so it travels to another process; its result is a record of plain values.
"""

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipelines.progress import Progress
from pipelines.reference_files import read_antennas
from pipelines.site_check import compare, read_log
from pipelines.station_quality import QualityOptions, QualityTask, plan_quality
from pipelines.worker_pool import results_of
from stations.formats.products import find_products
from stations.formats.rinex_navigation import read_navigation
from stations.formats.rinex_observation import read_observations
from stations.formats.sp3 import read_sp3
from stations.readiness.receivers import Ability, ReceiverKnowledge
from stations.readiness.records import SolvedGain, StationAudit
from stations.readiness.solved import solved_gain
from stations.readiness.study import NOT_ASKED, AuditContext, audit_station
from stations.records import AntennaCalibration, Observations, SatelliteOrbits
from transforms.errors import AdjustmentError, InputError, JizhunError

_KEYS: Final = {"name", "able", "firmware", "carriers", "source"}


@dataclass(frozen=True)
class AuditOptions:
    """What the audit may rest on beside the observations.

    products : files or folders with SP3, clocks and navigation; log : site log; antex : calibrated antennas
    receivers : a bureau's own knowledge of receiver types, TOML; solve : whether to solve the days
    """

    products: tuple[Path, ...] = ()
    log: Path | None = None
    antex: tuple[Path, ...] = ()
    receivers: Path | None = None
    solve: bool = True


@dataclass(frozen=True)
class AuditTask:
    """One station-day; `files` as the quality report groups them."""

    files: QualityTask
    products: tuple[str, ...]
    receivers: tuple[ReceiverKnowledge, ...]
    solve: bool

    @property
    def name(self) -> str:
        """Station and day."""
        return self.files.name


@dataclass(frozen=True)
class AuditResult:
    """The audit of a task, or the error that stood in its way."""

    task: AuditTask
    audit: StationAudit | None
    error: str


def plan_audit(
    places: Sequence[Path], options: AuditOptions
) -> tuple[tuple[AuditTask, ...], tuple[str, ...]]:
    """One task for each station and day among files and folders, and what was passed over.

    Raises InputError where a place does not exist, there is no observation file, or the table of receivers is
    none.
    """
    quality = QualityOptions(products=options.products, log=options.log, antex=options.antex)
    found, passed_over = plan_quality(places, quality, None)
    receivers = () if options.receivers is None else receivers_from_toml(options.receivers)
    products = tuple(str(p) for p in options.products)
    return tuple(AuditTask(files, products, receivers, options.solve) for files in found), passed_over


def receivers_from_toml(path: Path) -> tuple[ReceiverKnowledge, ...]:
    """A bureau's own table: `[[receiver]]` with name, able, source and, if known, firmware and carriers.

    Raises InputError where the file is another thing.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: no readable TOML ({error})") from None
    rows = content.get("receiver")
    if not isinstance(rows, list) or set(content) != {"receiver"}:
        raise InputError(f"{path}: expected [[receiver]] tables and nothing else")
    found = []
    for number, row in enumerate(rows, start=1):
        where = f"{path}: receiver {number}"
        if not isinstance(row, dict) or set(row) - _KEYS:
            raise InputError(f"{where}: known keys are {', '.join(sorted(_KEYS))}")
        for key in ("name", "source"):
            if not isinstance(row.get(key), str) or not row[key].strip():
                raise InputError(f"{where}: {key} is missing or no text")
        if not isinstance(row.get("able"), bool):
            raise InputError(f"{where}: able is missing or neither true nor false")
        firmware, carriers = row.get("firmware", ""), row.get("carriers", [])
        if not isinstance(firmware, str):
            raise InputError(f"{where}: firmware is no text")
        if not isinstance(carriers, list) or not all(isinstance(c, str) for c in carriers):
            raise InputError(f"{where}: carriers is no list of texts")
        ability = Ability.ABLE if row["able"] else Ability.UNABLE
        found.append(ReceiverKnowledge(row["name"], ability, firmware, tuple(carriers), row["source"]))
    return tuple(found)


def audit_all(
    tasks: Sequence[AuditTask], progress: Progress, *, on_result: Callable[[AuditResult], None]
) -> None:
    """Audit every task, in parallel where there are several; results come as they are ready."""
    progress.begin("audit", len(tasks))
    for result in results_of(tasks, audit_one, of_the_dead=_died):
        progress.advance(_words(result))
        on_result(result)


def _died(task: AuditTask) -> AuditResult:
    return AuditResult(task, None, "the process that audited it died (out of memory?)")


def _words(result: AuditResult) -> str:
    return f"{result.task.name}: {result.error if result.audit is None else result.audit.readiness.value}"


def audit_one(task: AuditTask) -> AuditResult:
    """The audit of one task. An error of its files is a result too."""
    try:
        return AuditResult(task, _audit(task), "")
    except JizhunError as error:
        return AuditResult(task, None, str(error))
    except OSError as error:
        return AuditResult(task, None, f"{error.filename or task.name}: {error.strerror or error}")


def _audit(task: AuditTask) -> StationAudit:
    files = task.files
    observations = read_observations([Path(path) for path in files.observations])
    calibrations = read_antennas(tuple(Path(path) for path in files.antex))
    log_says: tuple[str, ...] = ()
    if files.log is not None:
        found = compare(read_log(Path(files.log)), observations, Path(files.observations[0]).name)
        log_says = tuple(d.words() for d in found)
    orbits = _widest_orbits(files.orbits, observations)
    solved = SolvedGain("", None, None, NOT_ASKED)
    if task.solve and orbits is None:
        solved = SolvedGain("", None, None, "no precise orbits of the day given")
    elif task.solve:
        solved = _solved(task.products, observations, calibrations)
    context = AuditContext(
        orbits=orbits,
        navigation=read_navigation([Path(p) for p in files.navigation]) if files.navigation else None,
        calibrations=calibrations,
        receivers=task.receivers,
        log_says=log_says,
        solved=solved,
    )
    return audit_station(observations, context)


def _widest_orbits(paths: Sequence[str], observations: Observations) -> SatelliteOrbits | None:
    """Of several orbit files of the session the one with the most satellites, tracked or not."""
    epochs = observations.epochs
    if len(epochs) == 0:
        return None
    middle_ns = (int(epochs.tai_ns[0]) + int(epochs.tai_ns[-1])) // 2
    best: SatelliteOrbits | None = None
    for path in sorted(paths):
        orbits = read_sp3(path)
        inside = int(orbits.epochs.tai_ns[0]) <= middle_ns <= int(orbits.epochs.tai_ns[-1])
        if inside and (best is None or len(orbits.satellites) > len(best.satellites)):
            best = orbits
    return best


def _solved(
    places: Sequence[str], observations: Observations, calibrations: Sequence[AntennaCalibration]
) -> SolvedGain:
    epochs = observations.epochs
    systems = "".join(s for s in "GEC" if any(name[0] == s for name in observations.satellites))
    if "C" not in systems:
        return SolvedGain("", None, None, "no BeiDou-3 satellite was observed")
    try:
        products = find_products(places, epochs[0], epochs[-1], systems=systems)
        return solved_gain(observations, products, calibrations)
    except (InputError, AdjustmentError) as error:
        return SolvedGain("", None, None, str(error))


def make_folders_of(paths: Sequence[Path]) -> None:
    """Make the folders of files to be written, before the work. Raises InputError where one cannot be."""
    for path in paths:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{path.parent}: cannot be made: {error.strerror}") from None


def sorted_by_gain(audits: Sequence[StationAudit]) -> tuple[StationAudit, ...]:
    """The largest gain to come first, those without a figure last; then by station and day."""

    def key(audit: StationAudit) -> tuple[bool, float, str, str]:
        gain = audit.gain.to_come
        return (gain is None, -(gain or 0.0), audit.station, audit.day)

    return tuple(sorted(audits, key=key))
