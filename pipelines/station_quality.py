"""The quality of many station-days: grouped by station and day, judged in parallel, kept for the next run.

A `QualityTask` holds only paths, names and numbers, so it travels to another process. Its result is the plain
object of `quality_report_as_json`; where a folder was named it is written there as soon as it is known, under
a key of everything that it rests on, so that a run that was stopped goes on where it stopped.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from pipelines.catalogue.files import sha256_of_file
from pipelines.observation_files import find_observation_files
from pipelines.progress import Progress
from pipelines.site_check import compare, read_log
from pipelines.work_store import StageKey
from pipelines.worker_pool import results_of
from stations.formats.antex import read_antex
from stations.formats.atomic_write import write_atomically
from stations.formats.registry import recognise
from stations.formats.rinex_navigation import read_navigation
from stations.formats.rinex_observation import read_observations
from stations.formats.sp3 import read_sp3
from stations.navigation_records import NavigationMessages
from stations.quality.completeness import session_from_file_name
from stations.quality.report import DEFAULT_THRESHOLDS, QualityContext, QualityStudy, quality_study
from stations.quality.report_json import quality_report_as_json
from stations.quality.verdict import QualityThresholds
from stations.quality_records import PastSignal
from stations.records import Observations, SatelliteOrbits
from transforms.errors import FormatError, InputError, JizhunError
from transforms.time_scales import NANOSECONDS, SECONDS_PER_DAY, Epochs

CODE: Final = ("transforms", "stations", "pipelines.station_quality", "pipelines.site_check")
MADE_FROM: Final = "made_from_sha256"
_SHORT_NAVIGATION_NAME: Final = re.compile(r"^\w{4}(\d{3})[0a-x](?:\d\d)?\.(\d{2})([nglpqfhc])(\.|$)", re.I)
_LONG_NAVIGATION_NAME: Final = re.compile(r"_[GREJCISM]N\.rnx(\.|$)", re.IGNORECASE)
_SP3: Final = "sp3"
_NAVIGATION: Final = "rinex-navigation"


@dataclass(frozen=True)
class QualityOptions:
    """What the judgement of every station-day may rest on beside its observations.

    products : SP3 and navigation files, or folders with them; log : site log; antex : calibrated antennas
    past : folder with results of earlier days; thresholds : limits other than the defaults
    """

    products: tuple[Path, ...] = ()
    log: Path | None = None
    antex: tuple[Path, ...] = ()
    past: Path | None = None
    thresholds: QualityThresholds = DEFAULT_THRESHOLDS


@dataclass(frozen=True)
class QualityTask:
    """One station-day: paths, names and numbers only."""

    station: str
    day: str  # ISO date, GPST
    observations: tuple[str, ...]
    orbits: tuple[str, ...]
    navigation: tuple[str, ...]
    log: str | None
    antex: tuple[str, ...]
    past: tuple[str, ...]
    thresholds: Mapping[str, Any]
    out: str | None
    html: str | None = None  # page to draw

    @property
    def name(self) -> str:
        """Station and day, "NIST 2023-01-01"."""
        return f"{self.station} {self.day}"

    @property
    def result_path(self) -> Path | None:
        """Where the result is kept; None where no folder was named."""
        return (
            None
            if self.out is None
            else Path(self.out) / f"{_file_name(self.station)}_{self.day}.quality.json"
        )

    @property
    def page_name(self) -> str:
        """Name of the page where several are drawn."""
        return f"{_file_name(self.station)}_{self.day}.html"

    def key(self) -> StageKey:
        """What the result depends on."""
        files = (*self.observations, *self.orbits, *self.navigation, *self.antex, *self.past)
        files = (*files, self.log) if self.log else files
        inputs = tuple(sha256_of_file(Path(path)) for path in files)
        return StageKey("station quality", self.name, CODE, inputs, dict(self.thresholds))


@dataclass(frozen=True)
class QualityResult:
    """The result of a task: the object of `--json`, or the error that stood in its way."""

    task: QualityTask
    report: Mapping[str, Any] | None
    error: str
    reused: bool


def _file_name(station: str) -> str:
    """A marker as part of a file's name: markers are free text."""
    return re.sub(r"[^A-Za-z0-9-]", "-", station)


def plan_quality(
    places: Sequence[Path], options: QualityOptions, out: Path | None, html: Path | None = None
) -> tuple[tuple[QualityTask, ...], tuple[str, ...]]:
    """One task for each station and day among files and folders, and what was passed over.

    html : page to draw; for several station-days, or where it is a folder, the folder of the pages

    Raises InputError where a place does not exist or is of another kind, or there is no observation file.
    """
    for path in [*options.products, *options.antex, *filter(None, (options.log, options.past))]:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")
    for path in [*options.antex, *filter(None, (options.log,))]:
        if path.is_dir():
            raise InputError(f"{path}: is a folder, not a file")
    found = find_observation_files(places)
    orbits, navigation = _products(options.products)
    past = sorted(str(p) for p in options.past.glob("*.quality.json")) if options.past is not None else []
    groups: dict[tuple[str, str], list[Path]] = {}
    for file in found.files:
        groups.setdefault((file.marker[:9].upper().strip(), file.day.isoformat()), []).append(file.path)
    if options.log is not None and len({station for station, _ in groups}) > 1:
        raise InputError(f"{options.log}: a site log belongs to one station, the files are of several")
    beside: dict[Path, tuple[Path, ...]] = {}
    tasks = []
    for (station, day), paths in sorted(groups.items()):
        near: list[Path] = []
        if not navigation and not orbits:
            for folder in sorted({path.parent for path in paths}):
                if folder not in beside:
                    beside[folder] = tuple(p for p in sorted(folder.iterdir()) if _is_navigation_name(p.name))
                near += [p for p in beside[folder] if _serves(p.name, day)]
        tasks.append(
            QualityTask(
                station,
                day,
                tuple(str(p) for p in paths),
                tuple(str(p) for p in orbits if _serves(p.name, day)),
                tuple(str(p) for p in navigation if _serves(p.name, day)) or tuple(map(str, near)),
                None if options.log is None else str(options.log),
                tuple(str(p) for p in options.antex),
                tuple(p for p in past if Path(p).name.startswith(f"{_file_name(station)}_")),
                {f.name: getattr(options.thresholds, f.name) for f in fields(options.thresholds)},
                None if out is None else str(out),
            )
        )
    if html is not None:
        several = len(tasks) > 1 or html.is_dir()
        tasks = [replace(task, html=str(html / task.page_name if several else html)) for task in tasks]
    return tuple(tasks), found.remarks


def _products(places: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """SP3 files and navigation files among places, by their content; folders may hold others."""
    orbits: list[Path] = []
    navigation: list[Path] = []
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if not path.is_file() or path.name.startswith("."):
                continue
            try:
                kind = recognise(path).name
            except JizhunError:
                if place.is_dir():
                    continue
                raise
            if kind == _SP3:
                orbits.append(path)
            elif kind == _NAVIGATION:
                navigation.append(path)
            elif not place.is_dir():
                raise InputError(f"{path}: neither SP3 orbits nor a RINEX navigation file")
    return orbits, navigation


def _is_navigation_name(name: str) -> bool:
    return bool(_LONG_NAVIGATION_NAME.search(name) or _SHORT_NAVIGATION_NAME.match(name))


def _serves(name: str, day: str) -> bool:
    """Whether a file of products can hold a day, told from its name; one with a name of its own may."""
    short = _SHORT_NAVIGATION_NAME.match(name)
    if short:
        year = int(short.group(2)) + (1900 if int(short.group(2)) >= 80 else 2000)
        first = np.datetime64(f"{year}-01-01") + np.timedelta64(int(short.group(1)) - 1, "D")
        return str(first) == day
    session = session_from_file_name(name)
    if session is None:
        return True
    start = Epochs.from_datetime64(np.datetime64(day, "ns"))
    end_ns = int(start.tai_ns) + SECONDS_PER_DAY * NANOSECONDS
    return int(session[0].tai_ns) < end_ns and int(session[1].tai_ns) > int(start.tai_ns)


def judge_all(
    tasks: Sequence[QualityTask], progress: Progress, *, on_result: Callable[[QualityResult], None]
) -> None:
    """Judge every task, in parallel where there are several; results come as they are ready."""
    progress.begin("quality", len(tasks))
    for result in results_of(tasks, judge, of_the_dead=_died):
        progress.advance(_words(result))
        on_result(result)


def _died(task: QualityTask) -> QualityResult:
    return QualityResult(task, None, "the process that judged it died (out of memory?)", False)


def _words(result: QualityResult) -> str:
    if result.report is None:
        return f"{result.task.name}: {result.error}"
    return f"{result.task.name}: {result.report['verdict']}{' (kept)' if result.reused else ''}"


def judge(task: QualityTask) -> QualityResult:
    """The result of one task, kept from an earlier run or made now. An error of its files is a result too."""
    try:
        key = task.key().sha256
        path = task.result_path
        if path is not None:
            with contextlib.suppress(OSError, ValueError, AttributeError):
                kept = json.loads(path.read_text(encoding="utf-8"))
                if kept.get(MADE_FROM) == key and _page_is_current(task, key):
                    return QualityResult(task, kept, "", True)
        study = _study(task)
        content = dict(quality_report_as_json(study.report))
        content["day"] = task.day
        content[MADE_FROM] = key
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)
            write_atomically(path, (text + "\n").encode())
        if task.html is not None:
            _draw_page(study, task.day, Path(task.html), key)
    except JizhunError as error:
        return QualityResult(task, None, str(error), False)
    except OSError as error:
        return QualityResult(task, None, f"{error.filename or task.name}: {error.strerror or error}", False)
    return QualityResult(task, content, "", False)


def _page_is_current(task: QualityTask, key: str) -> bool:
    """Whether the page that a task asks for is there and was drawn from the same by the same code."""
    if task.html is None:
        return True
    from pipelines.quality_report_html import page_is_current

    return page_is_current(Path(task.html), key)


def _draw_page(study: QualityStudy, day: str, path: Path, key: str) -> None:
    # Templates and plots take time to import, and most runs draw nothing.
    from pipelines.quality_report_html import render_quality_report

    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, render_quality_report(study, day, key).encode())


def _study(task: QualityTask) -> QualityStudy:
    observations = read_observations([Path(path) for path in task.observations])
    differences, errors = _log_findings(task, observations)
    antennas = None
    if task.antex:
        antennas = frozenset(a.kind for path in task.antex for a in read_antex(path) if not a.cospar)
    context = QualityContext(
        orbits=_best_orbits(task.orbits, observations),
        navigation=_navigation(task.navigation),
        past=tuple(row for path in task.past for row in past_signals(Path(path))),
        known_antennas=antennas,
        log_differences=differences,
        log_errors=errors,
    )
    return quality_study(observations, thresholds=QualityThresholds(**task.thresholds), context=context)


def _best_orbits(paths: Sequence[str], observations: Observations) -> SatelliteOrbits | None:
    """Of several orbit files of the session that with the most satellites of the observations."""
    epochs = observations.epochs
    middle_ns = (int(epochs.tai_ns[0]) + int(epochs.tai_ns[-1])) // 2
    wanted = set(observations.satellites)
    best: tuple[int, SatelliteOrbits] | None = None
    for path in paths:
        orbits = read_sp3(path)
        inside = int(orbits.epochs.tai_ns[0]) <= middle_ns <= int(orbits.epochs.tai_ns[-1])
        n = len(wanted & set(orbits.satellites)) if inside else 0
        if n and (best is None or n > best[0]):
            best = (n, orbits)
    return None if best is None else best[1]


def _navigation(paths: Sequence[str]) -> NavigationMessages | None:
    return read_navigation([Path(path) for path in paths]) if paths else None


def _log_findings(task: QualityTask, observations: Observations) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the site log says otherwise than the header; a position far off is an error."""
    if task.log is None:
        return (), ()
    log = read_log(Path(task.log))
    found = compare(log, observations, Path(task.observations[0]).name)
    differences = [d.words() for d in found if d.what != "approximate position"]
    errors: list[str] = []
    position = observations.header.approximate_position_ecef_m
    if position is not None and log.position_ecef_m is not None:
        off_m = float(np.linalg.norm(position - np.array(log.position_ecef_m)))
        limit_m = float(task.thresholds["header_position_reject_m"])
        if off_m > limit_m:
            errors.append(f"the header's position is {off_m:,.0f} m off the site log's")
    return tuple(differences), tuple(errors)


def past_signals(path: Path) -> tuple[PastSignal, ...]:
    """C/N0 and multipath by signal out of a result of an earlier day.

    Raises FormatError where the file is another thing.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return tuple(
            PastSignal(
                content["station"],
                content["day"],
                signal["signal"],
                {
                    f"{b['from_deg']:.0f}-{b['to_deg']:.0f}": b["cn0_dbhz"]
                    for b in signal["by_elevation"]
                    if b["cn0_dbhz"] is not None
                }
                | ({} if signal["cn0_dbhz"] is None else {"all": signal["cn0_dbhz"]}),
                signal["multipath_rms_m"],
            )
            for signal in content["details"]["signals"]
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(path, None, f"no result of an earlier quality report ({error!r})") from None
