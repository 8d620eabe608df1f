"""An audited network for a terminal: one line for each station-day, then the reasons."""

from collections.abc import Sequence
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table

from stations.readiness.records import GeometryFigures, StationAudit

NO_FIGURE: Final = "-"


def print_audits(audits: Sequence[StationAudit], out: Console) -> None:
    """The table, sorted as given, and under it why."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("station", "day", "class", "receiver", "firmware", "RINEX"):
        table.add_column(title)
    for title in ("BDS-3", "B1C+B2a", "PDOP", "1 h 3-D mm", "converges min", "gain %"):
        table.add_column(title, justify="right")
    for audit in audits:
        tracking = audit.tracking
        gain = audit.gain
        steps = (gain.today, gain.full)
        n_tracked = sum(tracking.count(k, tracked=True) for k in ("MEO", "IGSO", "GEO"))
        n_visible = sum(tracking.count(k, tracked=False) for k in ("MEO", "IGSO", "GEO"))
        table.add_row(
            audit.station,
            audit.day,
            audit.readiness.value,
            audit.receiver,
            audit.firmware,
            audit.rinex_version,
            f"{n_tracked}/{n_visible}",
            f"{tracking.n_tracking_new}/{tracking.n_sending_new}",
            in_steps(steps, "mean_pdop", 1.0, 2),
            in_steps(steps, "sigma_3d_1h_m", 1e3),
            in_steps(steps, "convergence_min"),
            NO_FIGURE if gain.to_come is None else f"{100 * gain.to_come:.0f}",
        )
    out.print(table)
    out.print("  PDOP, formal 3-D sigma and convergence: today > with all BeiDou-3 satellites in view")
    for audit in audits:
        out.print(f"  {audit.station} {audit.day}: {audit.readiness.value}", markup=False)
        for reason in (*audit.reasons, *audit.log_says):
            out.print(f"    {reason}", soft_wrap=True, markup=False)
        if audit.gain.not_computed:
            out.print(f"    gain not computed: {audit.gain.not_computed}", soft_wrap=True, markup=False)


def in_steps(
    steps: Sequence[GeometryFigures | None], name: str, scale: float = 1.0, decimals: int = 0
) -> str:
    """ "1.49 > 1.11", a dash for each that is not known; one dash where none is."""
    texts = []
    for figures in steps:
        value = None if figures is None else getattr(figures, name)
        texts.append(NO_FIGURE if value is None else f"{scale * value:.{decimals}f}")
    return NO_FIGURE if set(texts) == {NO_FIGURE} else " > ".join(texts)
