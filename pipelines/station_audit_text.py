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
            before_after(gain.today, gain.full, "mean_pdop", 1.0, 2),
            before_after(gain.today, gain.full, "sigma_3d_1h_m", 1e3, 0),
            before_after(gain.today, gain.full, "convergence_min", 1.0, 0),
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


def before_after(
    before: GeometryFigures | None, after: GeometryFigures | None, name: str, scale: float, decimals: int
) -> str:
    """ "1.49 > 1.11", or one figure where the other is not known."""
    texts = []
    for figures in (before, after):
        value = None if figures is None else getattr(figures, name)
        texts.append(NO_FIGURE if value is None else f"{scale * value:.{decimals}f}")
    return NO_FIGURE if texts == [NO_FIGURE, NO_FIGURE] else " > ".join(texts)
