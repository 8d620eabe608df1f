"""The report on one station's solution: one HTML file that opens on a closed network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipelines.horizontal_product import geodetic_deg, sigma_enu_m
from pipelines.report_page import Picture, captioned, render_page
from pipelines.report_plots import residual_plot
from pipelines.report_sections import MILLIMETRES, Cell, Column, Section, Table
from pipelines.station_report_plots import SolutionSoFar, convergence_plot, sky_plot, zenith_delay_plot
from pipelines.station_solve import SolveRequest, prepare
from stations.formats.atomic_write import write_atomically
from stations.quality.report import quality_report
from stations.records import Observations, PhaseResiduals, QualityReport, StationSolution
from transforms.errors import AdjustmentError, InputError
from transforms.geodetic import enu_matrix_at

CONVERGENCE_HOURS: Final = (1.0, 2.0, 6.0, 12.0)
RESIDUAL_CELLS_UP: Final = 75  # the one plot of its kind in the report: higher than in the region's many
SYSTEM_NAMES: Final = {"G": "GPS", "E": "Galileo", "C": "BeiDou", "J": "QZSS", "R": "GLONASS"}
_HOUR_NS: Final = 3_600_000_000_000


@dataclass(frozen=True)
class PictureGroup:
    """Plots and tables under one title; wide where a plot is broader than it is high."""

    title: str
    pictures: tuple[Picture, ...]
    wide: bool
    tables: tuple[Table, ...] = ()


def report_files(request: SolveRequest, path: Path) -> StationSolution:
    """Solve as `station solve` does, also from the first hours, and write the report to `path`.

    Raises FormatError, InputError or AdjustmentError with the reason.
    """
    observations, solve = prepare(request)
    solution = solve(observations)
    steps = []
    if request.mode == "static":
        for hours in CONVERGENCE_HOURS:
            part = first_hours(observations, hours)
            if part is not None:
                steps.append(_so_far(hours, part, solve, solution))
    text = render_station_report(solution, quality_report(observations), steps)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path.parent}: cannot be made: {error.strerror}") from None
    write_atomically(path, text.encode())
    return solution


def first_hours(observations: Observations, hours: float) -> Observations | None:
    """The observations of the first hours, or None where there is not clearly more than that."""
    epoch = observations.data["epoch"].values
    length_ns = round(hours * _HOUR_NS)
    if int((epoch[-1] - epoch[0]).astype(np.int64)) < 1.25 * length_ns:
        return None
    last = epoch[0] + np.timedelta64(length_ns, "ns")
    return replace(observations, data=observations.data.sel(epoch=slice(None, last)))


def _so_far(
    hours: float, part: Observations, solve: Callable[[Observations], StationSolution], whole: StationSolution
) -> SolutionSoFar:
    try:
        solution = solve(part)
    except (AdjustmentError, InputError) as error:
        return SolutionSoFar(hours, None, None, str(error))
    east_north_up = enu_matrix_at(whole.position_ecef_m)
    return SolutionSoFar(
        hours,
        np.asarray(east_north_up @ (solution.position_ecef_m - whole.position_ecef_m)),
        np.array(sigma_enu_m(solution.position_ecef_m, solution.covariance_m2)),
        f"{solution.ambiguities} ({solution.fixed_fraction:.0%})",
    )


def render_station_report(
    solution: StationSolution, quality: QualityReport, steps: Sequence[SolutionSoFar]
) -> str:
    """The report as HTML text; the same arguments give the same text."""
    groups = [
        {
            "title": group.title,
            "wide": group.wide,
            "tables": group.tables,
            "pictures": captioned(group.pictures),
        }
        for group in _pictures(solution, steps)
    ]
    return render_page(
        "station_report.html.j2",
        name=f"{solution.station} {solution.epoch.date():%Y-%j}",
        subtitle=f"{solution.first_epoch.iso()} to {solution.last_epoch.iso()} GPST, {solution.frame}, "
        f"products of {solution.centre}.",
        position=_position_section(solution),
        remarks=solution.remarks,
        pictures=groups,
        sections=[_observation_section(solution), _quality_section(quality)],
        files=Table(
            (Column("file", text=True), Column("sha256", text=True)),
            tuple((Cell(Path(item.path).name), Cell(item.sha256)) for item in solution.inputs),
        ),
    )


def _position_section(solution: StationSolution) -> Section:
    latitude, longitude, height = geodetic_deg(solution.position_ecef_m, solution.frame)
    sigma = sigma_enu_m(solution.position_ecef_m, solution.covariance_m2)
    x, y, z = solution.position_ecef_m
    setup = solution.setup
    ambiguities: str = solution.ambiguities
    if ambiguities == "fixed":
        ambiguities += f", {solution.fixed_fraction:.0%} of them"
    rows = (
        ("marker x y z", f"{x:.4f}  {y:.4f}  {z:.4f} m"),
        ("latitude, longitude, height", f"{latitude:.9f}°  {longitude:.9f}°  {height:.4f} m (ellipsoidal)"),
        ("sigma E N U", "  ".join(f"{value * MILLIMETRES:.1f}" for value in sigma) + " mm"),
        ("frame and epoch", f"{solution.frame} at {solution.epoch.iso()} GPST"),
        ("signals", ", ".join(solution.signals)),
        ("ambiguities", ambiguities),
        (
            "residuals",
            f"phase {solution.residual_rms_phase_m * MILLIMETRES:.1f} mm, "
            f"code {solution.residual_rms_code_m:.2f} m (rms, ionosphere-free)",
        ),
        ("receiver", f"{setup.receiver} {setup.receiver_firmware}"),
        ("antenna", setup.antenna.igs_code),
        ("eccentricity E N U", "  ".join(f"{value:.4f}" for value in setup.eccentricity_enu_m) + " m"),
        ("DOMES", solution.domes),
    )
    table = Table(
        (Column("", text=True), Column("", text=True)),
        tuple(
            (Cell(name), Cell(" ".join(text.split()) if name == "receiver" else text)) for name, text in rows
        ),
    )
    return Section("Position 坐标", (), (table,))


def _pictures(solution: StationSolution, steps: Sequence[SolutionSoFar]) -> list[PictureGroup]:
    groups = []
    residuals = solution.residuals
    if residuals is not None and residuals.accepted.any():
        rejected = int(np.count_nonzero(~residuals.accepted))
        over_time = Picture(
            "over time and elevation",
            f"{residuals.accepted.size} observations, {rejected} rejected (red)",
            residual_plot(residuals, cells_up=RESIDUAL_CELLS_UP),
        )
        groups.append(PictureGroup("Phase residuals 相位残差", (over_time,), wide=True))
        groups.append(
            PictureGroup(
                "Residuals over the sky 天空图",
                (
                    Picture(
                        "mean",
                        "a pattern that stays is multipath or the antenna",
                        sky_plot(residuals, spread=False),
                    ),
                    Picture("rms", "noise and obstructions", sky_plot(residuals, spread=True)),
                ),
                wide=False,
            )
        )
    if len(solution.zenith_delays.epochs) > 1:
        total = solution.zenith_delays
        delay = Picture(
            "zenith total delay",
            f"band: one sigma ({float(np.median(total.sigma_m)) * MILLIMETRES:.1f} mm in the median)",
            zenith_delay_plot(total),
        )
        groups.append(PictureGroup("Troposphere 对流层", (delay,), wide=True))
    if steps:
        drawn = [step for step in steps if step.difference_enu_m is not None]
        picture = Picture("solutions so far minus the whole one", "bars: one sigma", convergence_plot(drawn))
        groups.append(
            PictureGroup(
                "Convergence 收敛",
                (picture,) if drawn else (),
                wide=True,
                tables=(_convergence_table(steps),),
            )
        )
    return groups


def _convergence_table(steps: Sequence[SolutionSoFar]) -> Table:
    columns = (
        Column("first hours"),
        *(Column(f"{name} mm") for name in "ENU"),
        *(Column(f"σ{name} mm") for name in "ENU"),
        Column("ambiguities", text=True),
    )
    rows = []
    for step in steps:
        numbers = [Cell("")] * 6
        if step.difference_enu_m is not None and step.sigma_enu_m is not None:
            numbers = [Cell(f"{round(float(v) * MILLIMETRES, 1) + 0.0:+.1f}") for v in step.difference_enu_m]
            numbers += [Cell(f"{float(v) * MILLIMETRES:.1f}") for v in step.sigma_enu_m]
        rows.append((Cell(f"{step.hours:g}"), *numbers, Cell(step.note)))
    return Table(
        columns, tuple(rows), "Minus the solution of the whole session, which holds the same errors."
    )


def _observation_section(solution: StationSolution) -> Section:
    tables = []
    if solution.residuals is not None:
        tables.append(_system_table(solution.residuals))
    if solution.rejections:
        tables.append(
            Table(
                (Column("not used, because", text=True), Column("observations")),
                tuple((Cell(reason), Cell(str(count))) for reason, count in solution.rejections.items()),
            )
        )
    text = f"{solution.n_epochs} epochs, {solution.n_observations} phases and codes used."
    return Section("Observations 观测值", (text,), tuple(tables))


def _system_table(residuals: PhaseResiduals) -> Table:
    columns = (
        Column("system", text=True),
        Column("satellites"),
        Column("phases used"),
        Column("rejected"),
        Column("phase rms mm"),
        Column("code rms m"),
    )
    system = np.array([s[0] for s in residuals.satellites])[residuals.satellite_index]
    rows = []
    for letter in sorted(set(system.tolist())):
        mine = system == letter
        used = mine & residuals.accepted
        code = residuals.code_m[used]
        code = code[np.isfinite(code)]
        rows.append(
            (
                Cell(SYSTEM_NAMES.get(letter, letter)),
                Cell(str(np.unique(residuals.satellite_index[used]).size)),
                Cell(str(int(np.count_nonzero(used)))),
                Cell(str(int(np.count_nonzero(mine & ~residuals.accepted)))),
                Cell(_rms_text(residuals.phase_m[used] * MILLIMETRES, 1)),
                Cell(_rms_text(code, 2)),
            )
        )
    return Table(columns, tuple(rows))


def _rms_text(values: NDArray[np.float64], decimals: int) -> str:
    return "" if values.size == 0 else f"{float(np.sqrt(np.mean(values**2))):.{decimals}f}"


def _quality_section(quality: QualityReport) -> Section:
    paragraphs = (
        f"{quality.n_epochs} of {quality.n_epochs_expected} epochs ({quality.completeness:.1%}) every "
        f"{quality.interval_s:g} s, {quality.n_cycle_slips} cycle slips "
        f"({quality.cycle_slips_per_thousand:.2f} in 1000). Verdict: {quality.verdict.value}.",
        *quality.reasons,
    )
    table = Table(
        (
            Column("carrier", text=True),
            Column("signal", text=True),
            Column("satellites"),
            Column("observations"),
            Column("C/N0 dB-Hz"),
            Column("multipath m"),
        ),
        tuple(
            (
                Cell(f"{SYSTEM_NAMES.get(item.system, item.system)} {item.carrier}"),
                Cell(item.signal),
                Cell(str(item.n_satellites)),
                Cell(str(item.n_observations)),
                Cell("" if item.mean_cn0_dbhz is None else f"{item.mean_cn0_dbhz:.1f}"),
                Cell("" if item.multipath_rms_m is None else f"{item.multipath_rms_m:.3f}"),
            )
            for item in quality.signals
        ),
    )
    return Section("Quality of the observations 观测质量", paragraphs, (table,))
